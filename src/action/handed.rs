//! What one action leaves for another, by name: a plan that lacks the action that makes it is refused before it begins.

/// A thing that actions of one run hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// The stack's database server, running and ready for a restore.
    Server,
    /// The right to restore the stack's database.
    Lock,
    /// The role that may enter the incoming database.
    Role,
    /// The incoming database, not proven.
    Incoming,
    /// The incoming database, proven.
    Verified,
    /// The incoming filestore, whole.
    Files,
}

impl Handed {
    /// Returns what a person calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "the database server",
            Self::Lock => "the right to restore",
            Self::Role => "the restore role",
            Self::Incoming => "the incoming database",
            Self::Verified => "a verified database",
            Self::Files => "a whole copy of the filestore",
        }
    }

    /// Returns the key of the action that makes it.
    #[must_use]
    pub fn giver(self) -> &'static str {
        match self {
            Self::Server | Self::Lock => "database",
            Self::Role | Self::Incoming => "copy-database",
            Self::Verified => "verify",
            Self::Files => "copy-filestore",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::action::{Given, KINDS, kind};

    #[test]
    fn what_is_taken_is_given_by_the_action_that_is_named() {
        for kind_of in KINDS {
            for what in (kind_of.make)(Given::default()).takes() {
                let giver = (kind(what.giver()).unwrap().make)(Given::default());
                assert!(giver.gives().contains(what), "{what:?} of {}", kind_of.grammar.key);
            }
        }
    }

    #[test]
    fn keys_are_unique_and_every_action_says_what_it_does() {
        for (index, kind_of) in KINDS.iter().enumerate() {
            let grammar = &kind_of.grammar;
            assert!(grammar.about.ends_with('.'), "{}", grammar.key);
            assert!(KINDS[index + 1..].iter().all(|other| other.grammar.key != grammar.key));
        }
    }
}
