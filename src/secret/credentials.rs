//! Credentials in URLs: `scheme://user:password@host`.

use std::ops::Range;

use memchr::memmem;

/// A URL's credentials are looked for in so many bytes behind `://`: longer ones belong to no URL.
pub const LONGEST: usize = 512;

/// What a scheme consists of, beside letters and digits (RFC 3986, 3.1).
const IN_SCHEME: &[u8] = b"+-.";

/// What stands around URLs or ends their part with the host, so that no credentials go beyond it.
const END: &[u8] = b"/?#\"'<>`\\";

/// Finds the passwords of URLs in a text, as ranges of its bytes. A placeholder in the place of a password is none, such
/// as `${NAME}` or `***`.
#[must_use]
pub fn credentials(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for at in memmem::find_iter(bytes, b"://") {
        if !has_scheme(&bytes[..at]) {
            continue;
        }
        let begin = at + 3;
        let rest = &bytes[begin..bytes.len().min(begin + LONGEST)];
        let host = rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || END.contains(byte))
            .unwrap_or(rest.len());
        // A password may hold `@`, though RFC 3986 wants it escaped; a host cannot.
        let Some(end) = memchr::memrchr(b'@', &rest[..host]) else {
            continue;
        };
        let Some(colon) = memchr::memchr(b':', &rest[..end]) else {
            continue;
        };
        let password = begin + colon + 1..begin + end;
        if !is_placeholder(&text[password.clone()]) {
            found.push(password);
        }
    }
    found
}

/// The text without the `%XX` that a URL has for bytes of its own meaning; nothing, if there is none or it is no text.
#[must_use]
pub fn decoded(password: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(password.len());
    let mut rest = password;
    while let Some((before, behind)) = rest.split_once('%') {
        bytes.extend(before.as_bytes());
        bytes.push(u8::from_str_radix(behind.get(..2)?, 16).ok()?);
        rest = behind.get(2..)?;
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8(bytes).ok().filter(|decoded| decoded != password)
}

fn has_scheme(before: &[u8]) -> bool {
    before
        .last()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || IN_SCHEME.contains(byte))
}

/// Whether this stands for a password that is put in later, or was taken out.
fn is_placeholder(password: &str) -> bool {
    let between = |begin, end| password.starts_with(begin) && password.ends_with(end);
    password.is_empty()
        || password == super::MASK
        || password == "%s"
        || between("${", "}")
        || between("$(", ")")
        || password.strip_prefix('$').is_some_and(is_shell_name)
        || between("{{", "}}")
        || between("%(", ")s")
        || between("{", "}")
}

/// Whether a script means a variable by this, as it is usually written.
fn is_shell_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        credentials(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn passwords_of_urls_are_found_wherever_they_stand() {
        for (text, password) in [
            ("postgres://odoo:hunter2@db/x", "hunter2"),
            ("DSN=redis://:only@cache:6379/0;", "only"),
            ("two 'amqp+ssl://é:p%40ss@h' words", "p%40ss"),
            ("https://u:p@ss:w@host", "p@ss:w"),
            ("[http://u:größe@h]", "größe"),
            ("a://u:$word@h", "$word"),
        ] {
            assert_eq!(found(text), [password], "{text}");
        }
        assert_eq!(found("a://u:one@h b://u:two@h"), ["one", "two"]);
    }

    #[test]
    fn what_a_url_escapes_is_known_in_clear() {
        for (written, meant) in [
            ("p%40ss", Some("p@ss")),
            ("gr%C3%b6", Some("grö")),
            ("plain", None),
            ("a%4", None),
            ("%ff", None),
        ] {
            assert_eq!(decoded(written).as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn other_urls_have_none() {
        for text in [
            "https://example.com:8069/web?x=a@b",
            "ssh://git@host:22/x",
            "http://host:80/a@b",
            "://u:p@h",
            "postgres://odoo:${ODOO_DB_PASSWORD}@db",
            "postgres://odoo:$DB_PASSWORD@db",
            "postgres://odoo:***@db",
            "postgres://odoo:@db",
            "say: a://b c:d@e",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
