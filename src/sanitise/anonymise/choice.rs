//! The deliberate choice about personal data: `anonymise` in `[sanitise]`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// What becomes of texts in which people are quoted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FreeText {
    /// They stay.
    Keep,
    /// They are emptied, and the rows stay.
    #[default]
    Blank,
    /// Messages and documents go; other texts are emptied.
    Drop,
}

/// What is done about personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anonymise {
    models: Models,
    /// What becomes of texts.
    pub free_text: FreeText,
    /// The types of documents to which the same is done as to texts; `*` stands for anything.
    pub attachments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Models {
    None,
    All,
    These(Vec<String>),
}

impl Default for Anonymise {
    fn default() -> Self {
        Self::of(Models::None)
    }
}

impl Anonymise {
    fn of(models: Models) -> Self {
        Self {
            models,
            free_text: FreeText::default(),
            attachments: ["application/*", "message/*", "text/*", "image/*", "audio/*", "video/*"]
                .map(str::to_owned)
                .into(),
        }
    }

    /// Everything that rules know.
    #[must_use]
    pub fn everything() -> Self {
        Self::of(Models::All)
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.models != Models::None
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.models == Models::All
    }

    /// Whether the model's data are to be replaced.
    #[must_use]
    pub fn covers(&self, model: &str) -> bool {
        match &self.models {
            Models::None => false,
            Models::All => true,
            Models::These(models) => models.iter().any(|known| known == model),
        }
    }

    /// The models that were named one by one.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let models = match &self.models {
            Models::These(models) => models.as_slice(),
            Models::None | Models::All => &[],
        };
        models.iter().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Anonymise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnonymiseVisitor)
    }
}

/// Written by hand because serde's untagged enums lose the place and the reason of an error.
struct AnonymiseVisitor;

impl<'de> Visitor<'de> for AnonymiseVisitor {
    type Value = Anonymise;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a list of models, or a table with `models`, `free-text` and `attachments`")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Anonymise, E> {
        Ok(Anonymise::of(if on { Models::All } else { Models::None }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Anonymise, A::Error> {
        let mut models = Vec::new();
        while let Some(model) = list.next_element()? {
            models.push(model);
        }
        Ok(Anonymise::of(Models::These(models)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Anonymise, A::Error> {
        let mut chosen = Anonymise::everything();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "models" => chosen.models = Models::These(map.next_value()?),
                "free-text" => chosen.free_text = map.next_value()?,
                "attachments" => chosen.attachments = map.next_value()?,
                other => return Err(de::Error::unknown_field(other, &["models", "free-text", "attachments"])),
            }
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Anonymise, toml::de::Error> {
        #[derive(serde::Deserialize)]
        struct File {
            anonymise: Anonymise,
        }
        toml::from_str::<File>(text).map(|file| file.anonymise)
    }

    #[test]
    fn yes_no_and_a_list() {
        assert!(read("anonymise = true").unwrap().covers("res.partner"));
        assert!(!read("anonymise = false").unwrap().is_on());
        let some = read("anonymise = [\"crm.lead\"]").unwrap();
        assert_eq!((some.covers("crm.lead"), some.covers("res.partner")), (true, false));
        assert!(!some.is_everything());
    }

    #[test]
    fn a_table_says_what_becomes_of_texts() {
        let all = read("[anonymise]\nfree-text = \"drop\"\nattachments = [\"application/pdf\"]").unwrap();
        assert_eq!(all.free_text, FreeText::Drop);
        assert_eq!(all.attachments, ["application/pdf"]);
        assert!(all.is_everything());
        let error = read("[anonymise]\nfreetext = \"drop\"").unwrap_err();
        assert!(error.to_string().contains("free-text"), "{error}");
        assert!(
            read("anonymise = \"yes\"")
                .unwrap_err()
                .to_string()
                .contains("a list of models")
        );
    }
}
