//! Which variables compose files read: what is in none of them need not lie in a file for compose.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_yaml::Value;

/// The variables that compose files read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reads {
    names: BTreeSet<String>,
    /// Whether a container is given the whole env file.
    all: bool,
}

impl Reads {
    /// Adds what a compose file reads. Of what is no YAML the `${NAME}` are taken.
    pub(super) fn add(&mut self, text: &str, env_file: &Utf8Path) {
        self.names.extend(interpolated(text));
        let Ok(file) = serde_yaml::from_str::<Value>(text) else {
            return;
        };
        let services = file.get("services").and_then(Value::as_mapping);
        for service in services.into_iter().flat_map(|services| services.values()) {
            self.names
                .extend(service.get("environment").map(passed_on).unwrap_or_default());
            self.all |= service.get("env_file").is_some_and(|files| names_file(files, env_file));
        }
    }

    /// Whether it is read.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// The names in `$NAME` and `${NAME…}`. A doubled dollar sign stands for itself.
fn interpolated(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(behind) = after.strip_prefix('$') {
            rest = behind;
            continue;
        }
        // What stands behind the name, a default, may hold another.
        rest = after.strip_prefix('{').unwrap_or(after);
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        names.insert(rest[..end].to_owned());
    }
    names
}

/// The variables of an `environment` that have no value there: compose takes it from where it takes others.
fn passed_on(environment: &Value) -> Vec<String> {
    let bare = |item: &Value| item.as_str().filter(|item| !item.contains('=')).map(str::to_owned);
    match environment {
        Value::Sequence(items) => items.iter().filter_map(bare).collect(),
        Value::Mapping(values) => {
            let unset = values.iter().filter(|(_, value)| value.is_null());
            unset.filter_map(|(name, _)| name.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether an `env_file`, which is a path, a list, or a list of tables, names this file.
fn names_file(files: &Value, env_file: &Utf8Path) -> bool {
    match files {
        Value::String(path) => Utf8Path::new(path).file_name() == env_file.file_name(),
        Value::Sequence(files) => files.iter().any(|file| names_file(file, env_file)),
        Value::Mapping(_) => files.get("path").is_some_and(|path| names_file(path, env_file)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> Reads {
        let mut reads = Reads::default();
        reads.add(text, Utf8Path::new("/srv/state/.compose.env"));
        reads
    }

    #[test]
    fn what_compose_interpolates_and_passes_on_is_read() {
        let reads = reads(
            "services:\n  web:\n    image: $IMAGE\n    command: ['$$NOT', '${A:-${B}}', '${C?no}']\n    environment: [D, E=1]\n  \
             job:\n    environment: { F: , G: 1, H: '${I}' }\nsecrets: { token: { environment: TOKEN } }\n",
        );
        for name in ["IMAGE", "A", "B", "C", "D", "F", "I"] {
            assert!(reads.holds(name), "{name}");
        }
        for name in ["NOT", "E", "G", "H", "TOKEN"] {
            assert!(!reads.holds(name), "{name}");
        }
    }

    #[test]
    fn a_container_that_is_given_the_env_file_reads_all_of_it() {
        for files in [
            "/srv/state/.compose.env",
            "[a.env, /srv/state/.compose.env]",
            "[{ path: /srv/state/.compose.env }]",
        ] {
            assert!(
                reads(&format!("services: {{ web: {{ env_file: {files} }} }}")).holds("ANY"),
                "{files}"
            );
        }
        assert!(!reads("services: { web: { env_file: other.env } }").holds("ANY"));
    }
}
