//! What credentials look like.

use std::sync::Arc;

use indexmap::IndexMap;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::error::SanitiseError;

/// A known look of credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    /// Its name, as reports show it.
    pub name: Arc<str>,
    /// A regular expression in PostgreSQL's language.
    pub pattern: String,
    /// The same inside of JSON, where a match ends with the string that it stands in.
    pub json: Option<String>,
    /// The same for texts that are not read by PostgreSQL, where its expression has no equal.
    pub here: Option<String>,
    /// Whether the first group of the pattern stays.
    #[serde(default)]
    pub keeps: bool,
    /// A cheaper expression that every match contains.
    pub mark: String,
    /// The columns, as `table.column`, that hold such values in every Odoo and that rules look after.
    #[serde(default)]
    pub homes: Vec<String>,
    /// Made-up examples that match, for the test.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests read them"))]
    pub samples: Vec<String>,
}

impl Format {
    /// Whether a column holds such values by right.
    pub(super) fn is_at_home(&self, table: &str, column: &str) -> bool {
        self.homes
            .iter()
            .filter_map(|home| home.split_once('.'))
            .any(|home| home == (table, column))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    parts: IndexMap<String, String>,
    format: Vec<Format>,
}

impl File {
    /// Puts the parts into the patterns: a part may hold those before it.
    fn whole(self) -> Vec<Format> {
        let parts = self.parts;
        let whole = |pattern: String| {
            let put = |text: String, (name, part): (&String, &String)| text.replace(&format!("{{{name}}}"), part);
            parts.iter().rev().fold(pattern, put)
        };
        let formats = self.format.into_iter();
        let formats = formats.map(|format| Format {
            pattern: whole(format.pattern),
            json: format.json.map(&whole),
            here: format.here.map(&whole),
            ..format
        });
        formats.collect()
    }
}

/// The known looks.
pub(super) fn formats() -> Result<Vec<Format>, SanitiseError> {
    match toml::from_str::<File>(include_str!("formats.toml")) {
        Ok(file) => Ok(file.whole()),
        Err(error) => Err(SanitiseError::Formats {
            reason: error.message().to_owned(),
        }),
    }
}

/// One expression that finds a mark of any of the formats.
pub(super) fn any_mark(formats: &[Format]) -> String {
    formats
        .iter()
        .map(|format| format.mark.as_str())
        .collect::<Vec<_>>()
        .join("|")
}

/// The same for texts that are read here. Marks keep to what both languages of expressions know.
pub(super) fn any_mark_here(formats: &[Format]) -> Result<Regex, SanitiseError> {
    RegexBuilder::new(&any_mark(formats))
        .unicode(false)
        .dot_matches_new_line(true)
        .build()
        .map_err(|error| SanitiseError::Formats {
            reason: error.to_string(),
        })
}

const WORDS: [&str; 45] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "passwd",
    "pwd",
    "api_key",
    "apikey",
    "private_key",
    "privatekey",
    "access_key",
    "accesskey",
    "auth_key",
    "authkey",
    "shared_key",
    "license_key",
    "licence_key",
    "migration_key",
    "signature_key",
    "encryption_key",
    "hmac",
    "credential",
    "client_id",
    "clientid",
    "client_key",
    "webhook",
    "bearer",
    "consumer_key",
    "app_key",
    "server_key",
    "site_key",
    "maps_key",
    "smtp_user",
    "authorization_code",
    "developer_key",
    "key_file",
    "keyfile",
    "keystore",
    "merchant_key",
    "merchant_salt",
    "p12",
    "pem_key",
    "pfx",
    "pkcs12",
    "transaction_key",
];

/// Keys that lock nothing: they sort, group, find or are public.
const NO_LOCKS: [&str; 23] = [
    "_analytics_key",
    "_cache_key",
    "_external_key",
    "_foreign_key",
    "_form_key",
    "_group_key",
    "_grouping_key",
    "_identity_key",
    "_job_key",
    "_lookup_key",
    "_natural_key",
    "_parent_key",
    "_partition_key",
    "_primary_key",
    "_public_key",
    "_publishable_key",
    "_record_key",
    "_search_key",
    "_sort_key",
    "_talk_key",
    "_translation_key",
    "_unique_key",
    "_url_key",
];

/// Endings that make a name speak about a credential instead of holding one.
const ABOUT: [&str; 24] = [
    "_state",
    "_type",
    "_mode",
    "_date",
    "_count",
    "_expiry",
    "_expiration",
    "_validity",
    "_policy",
    "_status",
    "_display",
    "_name",
    "_help",
    "_label",
    "_title",
    "_description",
    "_template",
    "_view",
    "_action",
    "_duration",
    "_minlength",
    "_scope",
    "_rounds",
    "_msg",
];

/// Whether a column or parameter of this name is likely to hold a credential.
pub(super) fn names_a_credential(name: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '.'], "_");
    (WORDS.iter().any(|word| name.contains(word)) || name.ends_with("_pass"))
        && !ABOUT.iter().any(|ending| name.ends_with(ending))
}

/// A regular expression of PostgreSQL that names in a text meet, whatever letters are capital and whatever stands between words.
/// Only names that [`names_a_credential`] knows, and those in `more`.
pub(super) fn any_name<'a>(more: impl Iterator<Item = &'a str>) -> String {
    let words = WORDS.into_iter().chain(["pass"]).chain(more);
    let words = words.map(|word| {
        let letters = word.chars().map(|letter| match letter {
            '_' | '-' | '.' => "[-_. ]?".to_owned(),
            letter if letter.is_ascii_alphanumeric() => letter.to_string(),
            letter => format!("[{letter}]"),
        });
        letters.collect::<String>()
    });
    format!("(?i)({})", words.collect::<Vec<_>>().join("|"))
}

/// Whether a name is that of some key, which may be a credential (`carrier_key`) or nothing of the kind (`sort_key`). Only
/// where few rows hold one is it taken for a credential: those are set up by hand, keys of data are in every row.
pub(super) fn names_some_key(name: &str) -> bool {
    let name = format!("_{}", name.to_lowercase().replace(['-', '.'], "_"));
    (name.ends_with("_key") || name.ends_with("_keys"))
        && name.len() > "_keys".len()
        && !NO_LOCKS.iter().any(|harmless| name.ends_with(harmless))
}

/// Whether a name is that of something which is compared with what somebody sends: empty, it would let in who sends nothing.
pub(super) fn names_a_lock(name: &str) -> bool {
    names_a_credential(name) || names_some_key(name)
}

/// Whether a value without spaces is so mixed that it is likely to be a key: 20 characters or more, letters and digits,
/// and 3.5 bits or more a character. UUIDs, addresses, dates and lists are no keys.
pub(super) fn looks_random(value: &str) -> bool {
    let value = value.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+/_=-.~".contains(c);
    if value.len() < 20 || value.len() > 4096 || !value.chars().all(allowed) || is_uuid(value) {
        return false;
    }
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    digits >= 3 && letters >= 3 && entropy(value) >= 3.5 && !value.contains("..")
}

fn is_uuid(value: &str) -> bool {
    uuid::Uuid::try_parse(value).is_ok() && value.contains('-')
}

/// Shannon's entropy, in bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::<u8, u32>::new();
    for byte in value.bytes() {
        *counts.entry(byte).or_default() += 1;
    }
    let all = f64::from(counts.values().sum::<u32>());
    -counts
        .values()
        .map(|&count| f64::from(count) / all)
        .map(|share| share * share.log2())
        .sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_bears_a_mark_that_is_seen_here_too() {
        let formats = formats().unwrap();
        let mark = any_mark_here(&formats).unwrap();
        for format in &formats {
            for sample in &format.samples {
                assert!(
                    mark.is_match(format!("é {sample} \n").as_bytes()),
                    "{}: {sample}",
                    format.name
                );
            }
        }
        assert!(!mark.is_match("Straße 5, see https://example.com/a@b".as_bytes()));
    }

    #[test]
    fn names_of_credentials_are_known() {
        for name in [
            "paypal_access_token",
            "x_secretcode",
            "printnode.api_key",
            "custom_erp.bearer",
            "stripe_client_id",
            "smtp_pass",
            "fedex_developer_key",
        ] {
            assert!(names_a_credential(name), "{name}");
        }
        for name in [
            "token_state",
            "webhook_type",
            "street",
            "auth_password_policy.minlength",
            "barcode",
        ] {
            assert!(!names_a_credential(name), "{name}");
        }
    }

    #[test]
    fn some_keys_lock_and_some_sort() {
        for name in ["carrier_key", "depot.signing-key", "vapid_keys"] {
            assert!(names_some_key(name), "{name}");
        }
        for name in [
            "key",
            "keys",
            "sort_key",
            "website_form_key",
            "stripe_public_key",
            "monkey",
        ] {
            assert!(!names_some_key(name), "{name}");
        }
    }

    #[test]
    fn keys_look_random_and_words_do_not() {
        assert!(looks_random("dGhpcyBpcyBhIHNlY3JldCBrZXkh1234"));
        for value in [
            "phone_state,email_state",
            "60325319-d4ce-4af4-8c62-1ce4be415818",
            "2026-11-22 08:51:55",
            "urn:ietf:wg:oauth:2.0:oob",
            "short1",
        ] {
            assert!(!looks_random(value), "{value}");
        }
    }

    #[test]
    fn formats_have_samples() {
        let formats = formats().unwrap();
        assert!(formats.len() > 15);
        assert!(formats.iter().all(|format| !format.samples.is_empty()));
    }
}
