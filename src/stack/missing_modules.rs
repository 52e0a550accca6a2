//! Which of the upstream's installed modules a stack's image may lack.

use std::collections::BTreeSet;

/// What becomes of a copy for which the image lacks modules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MissingModules {
    /// It is refused.
    #[default]
    Refuse,
    /// It is made without their code, whatever they are.
    Continue,
    /// It is made if none is missing but these.
    These(BTreeSet<String>),
}

impl MissingModules {
    /// Whether a copy may go without this module's code.
    #[must_use]
    pub fn allows(&self, module: &str) -> bool {
        match self {
            Self::Refuse => false,
            Self::Continue => true,
            Self::These(names) => names.contains(module),
        }
    }
}

impl From<&str> for MissingModules {
    /// Reads `refuse`, `continue`, or names with commas between them.
    fn from(text: &str) -> Self {
        match text.trim() {
            "refuse" => Self::Refuse,
            "continue" => Self::Continue,
            names => {
                let names = names.split([',', ' ']).filter(|name| !name.is_empty());
                Self::These(names.map(str::to_owned).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names() {
        for (text, module, allowed) in [
            ("refuse", "shop", false),
            ("continue", "shop", true),
            (" continue ", "shop", true),
            ("shop", "shop", true),
            ("till, shop", "shop", true),
            ("till", "shop", false),
            ("", "shop", false),
        ] {
            assert_eq!(MissingModules::from(text).allows(module), allowed, "{text}");
        }
    }
}
