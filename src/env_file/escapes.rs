//! Escapes between double quotes.

/// Resolves the escapes that compose knows: those of Go's texts but for `\x` and `\u`, octal numbers behind `\0`, and `\$`,
/// which becomes the `$$` that stands for a dollar sign. Any other backslash stays.
pub(super) fn replaced(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        replaced.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match resolved(rest) {
            Some((meant, length)) => {
                replaced.push_str(&meant);
                length
            }
            None => {
                replaced.push('\\');
                1
            }
        };
        rest = &rest[length..];
    }
    replaced.push_str(rest);
    replaced
}

/// What the escape means with which the text begins, and its length.
fn resolved(text: &str) -> Option<(String, usize)> {
    let meant = match text.chars().nth(1)? {
        'a' => "\u{7}",
        'b' => "\u{8}",
        'f' => "\u{c}",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\u{b}",
        '"' => "\"",
        '\\' => "\\",
        '$' => "$$",
        '0' => return Some(octal(&text[2..])),
        _ => return None,
    };
    Some((meant.to_owned(), 2))
}

/// What `\0` means with the digits behind it: three octal ones are a byte's value; else compose drops the `0`.
fn octal(behind: &str) -> (String, usize) {
    let digits = behind.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let (digits, escape) = (&behind[..digits], "\\0".len());
    let meant = match u8::from_str_radix(digits, 8) {
        Ok(value) if digits.len() == 3 => char::from(value).to_string(),
        _ => format!("\\{digits}"),
    };
    (meant, escape + digits.len())
}
