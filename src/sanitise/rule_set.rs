//! The rules that are built in, and a project's own beside them.

use camino::Utf8Path;

use super::error::RuleError;
use super::rule::Rule;
use super::rule_file;

/// The built-in files, in the order in which they are applied.
const BUILTIN: [(&str, &str); 18] = [
    ("rules/base.toml", include_str!("rules/base.toml")),
    ("rules/identity.toml", include_str!("rules/identity.toml")),
    ("rules/users.toml", include_str!("rules/users.toml")),
    ("rules/mail.toml", include_str!("rules/mail.toml")),
    ("rules/links.toml", include_str!("rules/links.toml")),
    ("rules/cloud.toml", include_str!("rules/cloud.toml")),
    ("rules/storage.toml", include_str!("rules/storage.toml")),
    ("rules/website.toml", include_str!("rules/website.toml")),
    ("rules/payment.toml", include_str!("rules/payment.toml")),
    ("rules/point_of_sale.toml", include_str!("rules/point_of_sale.toml")),
    ("rules/delivery.toml", include_str!("rules/delivery.toml")),
    ("rules/localisation.toml", include_str!("rules/localisation.toml")),
    (
        "rules/anonymise/people.toml",
        include_str!("rules/anonymise/people.toml"),
    ),
    ("rules/anonymise/work.toml", include_str!("rules/anonymise/work.toml")),
    ("rules/anonymise/site.toml", include_str!("rules/anonymise/site.toml")),
    (
        "rules/anonymise/commerce.toml",
        include_str!("rules/anonymise/commerce.toml"),
    ),
    (
        "rules/anonymise/chatter.toml",
        include_str!("rules/anonymise/chatter.toml"),
    ),
    (
        "rules/anonymise/partners.toml",
        include_str!("rules/anonymise/partners.toml"),
    ),
];

/// Rules in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules that are built in.
    ///
    /// # Errors
    /// None in a binary that passed its tests; the type says so because the files are read like a project's own.
    pub fn builtin() -> Result<Self, RuleError> {
        let mut set = Self::default();
        for (path, text) in BUILTIN {
            set.extend_from(Utf8Path::new(path), text)?;
        }
        Ok(set)
    }

    /// The rules of one file.
    ///
    /// # Errors
    /// When the text is no TOML, has an unknown key, or a rule of it cannot mean anything.
    pub fn parse(path: &Utf8Path, text: &str) -> Result<Self, RuleError> {
        let mut set = Self::default();
        set.extend_from(path, text)?;
        Ok(set)
    }

    /// Adds the rules of a file after those that are here. A rule with a name that is here replaces nothing: it is an
    /// error, because a project that weakens a built-in rule should say so in `[sanitise]`, not by a chance of names.
    ///
    /// # Errors
    /// As [`RuleSet::parse`], and when a name is taken.
    pub fn extend_from(&mut self, path: &Utf8Path, text: &str) -> Result<(), RuleError> {
        for (rule, place) in rule_file::parse(path, text)? {
            if self.rules.iter().any(|known| known.name == rule.name) {
                return Err(RuleError::NameTaken { rule: rule.name, place });
            }
            self.rules.push(rule);
        }
        Ok(())
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether a rule belongs to the module. Rules about people say nothing of what a module talks to.
    #[must_use]
    pub fn covers(&self, module: &str) -> bool {
        self.rules
            .iter()
            .filter(|rule| rule.when.anonymise.is_none())
            .any(|rule| rule.modules.iter().any(|known| known == module))
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self {
            rules: rules.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuleSet, RuleError> {
        RuleSet::parse(Utf8Path::new("own.toml"), text)
    }

    #[test]
    fn builtin_rules_can_be_read() {
        let rules = RuleSet::builtin().unwrap();
        assert!(rules.iter().count() > 150);
        assert!(
            rules
                .iter()
                .all(|rule| !rule.why.is_empty() && !rule.modules.is_empty())
        );
    }

    #[test]
    fn an_unknown_key_is_shown_where_it_stands() {
        let error = parse("[[rule]]\nname = \"a\"\nwhy = \"b\"\nmodule = \"c\"\ntabel = \"d\"\n").unwrap_err();
        let RuleError::Syntax { message, place } = error else {
            unreachable!("{error}")
        };
        assert!(message.contains("tabel"), "{message}");
        assert_eq!(&place.source.text[place.span], "tabel");
    }

    #[test]
    fn a_rule_without_effect_is_refused() {
        let error = parse("[[rule]]\nname = \"a\"\nwhy = \"b\"\nmodule = \"c\"\ntable = \"d\"\n").unwrap_err();
        assert!(error.to_string().contains("changes nothing"), "{error}");
    }

    #[test]
    fn a_name_is_taken_once() {
        let mut rules = RuleSet::builtin().unwrap();
        let text = "[[rule]]\nname = \"jobs-off\"\nwhy = \"b\"\nmodule = \"c\"\ntable = \"d\"\ndelete = true\n";
        let error = rules.extend_from(Utf8Path::new("own.toml"), text).unwrap_err();
        assert!(matches!(error, RuleError::NameTaken { .. }));
    }

    #[test]
    fn an_unknown_policy_value_is_refused() {
        let text = "[[rule]]\nname = \"a\"\nwhy = \"b\"\nmodule = \"c\"\nparameter = \"d\"\nvalue = { policy = \"base-ulr\" }\n";
        assert!(parse(text).unwrap_err().to_string().contains("base-ulr"));
        let text = "[[rule]]\nname = \"a\"\nwhy = \"b\"\nmodule = \"c\"\ntable = \"d\"\ndelete = true\nwhere-sql = \"id = {base-ulr}\"\n";
        assert!(parse(text).unwrap_err().to_string().contains("policy"));
    }
}
