//! Words as a POSIX shell reads them back.

/// Quotes a word for a POSIX shell, if it needs that. A NUL byte, which no argument can hold, is dropped.
#[must_use]
pub fn quote(word: &str) -> String {
    // `=` needs none behind the first word, and options such as `--chown=1000:1000` should look as they are typed; in
    // front of a word it means something to zsh.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && !word.starts_with('=') && word.bytes().all(plain) {
        return word.to_owned();
    }
    quote_always(word)
}

/// Quotes a word for a POSIX shell, whether it needs that or not: aliases and reserved words are then words like others.
#[must_use]
pub fn quote_always(word: &str) -> String {
    match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => quote_always(&word.replace('\0', "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it() {
        for (word, quoted) in [
            ("--chown=1000:1000", "--chown=1000:1000"),
            ("K=a b", "'K=a b'"),
            ("=ls", "'=ls'"),
            ("", "''"),
            ("~", "'~'"),
            ("a\0b", "ab"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
