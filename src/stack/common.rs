//! Texts that are too common to be looked for: as a secret they would blot out half of every line, and hide nothing that
//! cannot be guessed.

use crate::manifest::{Manifest, StackDef};

/// A text of fewer bytes stands in many a word. One of letters alone or digits alone (a word, a port) is short up to
/// [`SHORT_WORD`] bytes.
const SHORT: usize = 4;
const SHORT_WORD: usize = 5;

/// Words that people take for passwords of local stacks, and that stand in paths, messages and names everywhere.
const WORDS: [&str; 46] = [
    "administrator",
    "assets",
    "backup",
    "changeme",
    "compose",
    "config",
    "container",
    "customer",
    "database",
    "default",
    "development",
    "disabled",
    "docker",
    "enabled",
    "example",
    "filestore",
    "github",
    "gitlab",
    "internal",
    "license",
    "localhost",
    "master",
    "modules",
    "nginx",
    "odoo-ai",
    "opw-task",
    "password",
    "postgres",
    "postgresql",
    "private",
    "production",
    "public",
    "restore",
    "sandbox",
    "secret",
    "secrets",
    "server",
    "service",
    "shopify",
    "staging",
    "system",
    "template",
    "testing",
    "traefik",
    "website",
    "webhook",
];

/// What a host's name ends in.
const TOP_LEVEL: [&str; 24] = [
    "com",
    "net",
    "org",
    "io",
    "dev",
    "app",
    "cloud",
    "eu",
    "de",
    "at",
    "ch",
    "fr",
    "it",
    "nl",
    "uk",
    "us",
    "local",
    "localhost",
    "internal",
    "lan",
    "test",
    "example",
    "invalid",
    "home",
];

/// Tells which texts are common for a stack.
#[derive(Debug, Clone, Default)]
pub(super) struct Common {
    public: Vec<String>,
}

impl Common {
    /// Beside what is common everywhere, each part of these texts is: names and paths that everybody sees.
    pub(super) fn new<S: AsRef<str>>(public: impl IntoIterator<Item = S>) -> Self {
        let public = public.into_iter().map(|text| text.as_ref().to_lowercase());
        Self {
            public: public.collect(),
        }
    }

    /// Whether a text is too common to be looked for.
    pub(super) fn has(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        let digits = |c: char| c.is_ascii_digit();
        let is_word = text.chars().all(char::is_alphabetic) || text.chars().all(digits);
        text.len() < SHORT
            || (is_word && text.len() <= SHORT_WORD)
            || WORDS.contains(&text.trim_end_matches(digits))
            || self.public.iter().any(|public| public.contains(&text))
    }

    /// Whether a text is too common to be looked for, or the name of a host: for what is called a key, and may be one of
    /// a table (`STORE_URL_KEY`).
    pub(super) fn has_key(&self, text: &str) -> bool {
        self.has(text) || is_host(text)
    }
}

/// Names and paths of all stacks of a manifest, and of what it speaks of beside them.
pub(super) fn public_names(manifest: &Manifest) -> Vec<String> {
    let mut public = machines(manifest);
    for (name, stack) in &manifest.stacks {
        public.push(name.clone());
        public.extend(said_of_a_stack(&stack.def));
    }
    for stack in &manifest.stack_defaults {
        public.extend(said_of_a_stack(&stack.def));
    }
    public
}

/// Names and paths of the project, its hosts and its upstreams.
pub(super) fn machines(manifest: &Manifest) -> Vec<String> {
    let mut public = vec![manifest.project.def.name.get_ref().clone(), manifest.root.to_string()];
    for (name, host) in &manifest.hosts {
        public.extend([name.clone(), host.def.ssh.get_ref().clone()]);
    }
    for (name, upstream) in &manifest.upstreams {
        let def = &upstream.def;
        let texts = [&def.host, &def.database, &def.database_user, &def.filestore];
        public.push(name.clone());
        public.extend(texts.map(|text| text.get_ref().clone()));
    }
    public
}

/// Names and paths that a definition of a stack says.
pub(super) fn said_of_a_stack(def: &StackDef) -> impl Iterator<Item = String> + '_ {
    let texts = [&def.project, &def.database, &def.state_root, &def.path, &def.base_url];
    texts.into_iter().flatten().map(|text| text.get_ref().clone())
}

/// Whether a text is a host's name or its address, and no more.
fn is_host(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
    };
    text.parse::<std::net::IpAddr>().is_ok()
        || (text.split('.').all(part) && text.rsplit_once('.').is_some_and(|(_, top)| TOP_LEVEL.contains(&top)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_texts_are_known() {
        let common = Common::new(["opw-testing", "/opt/odoo-ai/data/opw-testing"]);
        for text in [
            "",
            "abc",
            "odoo",
            "ADMIN",
            "12345",
            "postgres",
            "Password",
            "password1",
            "opw-testing",
            "OPW-Testing",
            "opw-test",
            "testing",
        ] {
            assert!(common.has(text), "{text}");
        }
        for text in ["canary-12345", "hunter2", "CANARY", "s3cr3t", "opw-testing-2", "123456"] {
            assert!(!common.has(text) && !common.has_key(text), "{text}");
        }
    }

    #[test]
    fn a_host_is_no_key() {
        let common = Common::default();
        for text in ["shop.myshopify.com", "db.internal", "10.0.0.1", "fe80::1"] {
            assert!(common.has_key(text) && !common.has(text), "{text}");
        }
        for text in ["correct.horse.battery", "aB3.xyz.com", "a b.com", "key.1234"] {
            assert!(!common.has_key(text), "{text}");
        }
    }
}
