//! New tokens in place of old ones: of how many and of which letters, and the SQL that makes them.
//!
//! Odoo and its modules tell tokens by their looks: a visitor's of another length than 32 is taken for the number of a partner, a
//! column takes 20 letters. A new token therefore has the length and the alphabet of the old one where a rule does not say them. It
//! is a digest of the copy's seed, the column and the row's id, and of nothing that production had; it has the looks from which it
//! was made, so that it can be made again and compared.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Longer tokens are cut to this.
const LONGEST: u32 = 250;

/// Tokens of a column that takes each value once have this many letters at least, because short ones would meet.
const UNIQUE: u32 = 16;

/// The looks of a token, as a rule says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `uuid`.
    Uuid,
    /// `hex 32`, `digits 8`, `letters 10`, `url-safe 22`: an alphabet and how many letters of it.
    Letters(Alphabet, u32),
}

/// The letters of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// 0 to 9, a to f.
    Hex,
    /// 0 to 9.
    Digits,
    /// 0 to 9, A to Z, a to z.
    Letters,
    /// The same with `-` and `_`: base64 as it stands in URLs.
    UrlSafe,
}

impl Alphabet {
    const ALL: [(&'static str, Self); 4] = [
        ("hex", Self::Hex),
        ("digits", Self::Digits),
        ("letters", Self::Letters),
        ("url-safe", Self::UrlSafe),
    ];
}

impl std::str::FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "uuid" {
            return Ok(Self::Uuid);
        }
        let unknown = || {
            format!(
                "`{text}` is no shape of a token; expected \"uuid\", or \"hex\", \"digits\", \"letters\" or \"url-safe\" with a \
                 length from 1 to {LONGEST}, like \"hex 32\""
            )
        };
        let (name, length) = text.trim().split_once(' ').ok_or_else(unknown)?;
        let alphabet = Alphabet::ALL.iter().find(|(known, _)| *known == name);
        let length = length
            .trim()
            .parse()
            .ok()
            .filter(|length| (1..=LONGEST).contains(length));
        match (alphabet, length) {
            (Some((_, alphabet)), Some(length)) => Ok(Self::Letters(*alphabet, length)),
            _ => Err(unknown()),
        }
    }
}

/// The columns that a rule renews: a list, or a table that says the shape of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewals(pub Vec<(String, Option<Shape>)>);

impl<'de> Deserialize<'de> for Renewals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RenewalsVisitor)
    }
}

struct RenewalsVisitor;

impl<'de> Visitor<'de> for RenewalsVisitor {
    type Value = Renewals;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of columns, or a table of columns and the shapes of their tokens")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Renewals, A::Error> {
        let mut columns = Vec::new();
        while let Some(column) = seq.next_element()? {
            columns.push((column, None));
        }
        Ok(Renewals(columns))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Renewals, A::Error> {
        let mut columns = Vec::new();
        while let Some((column, shape)) = map.next_entry::<String, String>()? {
            let shape = shape.parse().map_err(de::Error::custom)?;
            columns.push((column, Some(shape)));
        }
        Ok(Renewals(columns))
    }
}

/// A digest as text, and how many letters of it are good.
struct Digest {
    hash: &'static str,
    encoding: &'static str,
    letters: u32,
}

const HEX: Digest = Digest {
    hash: "sha256",
    encoding: "hex",
    letters: 64,
};

/// Without the `==` at its end.
const BASE64: Digest = Digest {
    hash: "sha512",
    encoding: "base64",
    letters: 86,
};

/// What a new token is made of, as SQL: the value that stands there, what is digested, how many letters the column takes, and
/// whether it takes each value once.
pub(super) struct Making<'a> {
    pub old: &'a str,
    pub input: &'a str,
    pub room: Option<u32>,
    pub unique: bool,
}

impl Making<'_> {
    /// A token of this shape, or of the old one's.
    pub(super) fn sql(&self, shape: Option<Shape>) -> String {
        match shape {
            Some(Shape::Uuid) => self.cut(&self.uuid()),
            Some(Shape::Letters(alphabet, length)) => {
                let length = self.room.map_or(length, |room| room.min(length)).to_string();
                match alphabet {
                    Alphabet::Hex => self.hex(&length),
                    Alphabet::Digits => self.digits(&length),
                    Alphabet::Letters => self.letters(&length),
                    Alphabet::UrlSafe => self.url_safe(&length),
                }
            }
            None => self.alike(),
        }
    }

    /// One with the old token's length and alphabet. Each new token is of the kind from which it was made: where one of a larger
    /// alphabet could by chance do without the letters that make it larger, one of them is put in.
    fn alike(&self) -> String {
        let old = self.old;
        let length = format!("least(length({old}), {LONGEST})");
        let is = |pattern: &str| format!("{old} ~ '^{pattern}$'");
        let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        let mut cases = vec![
            (format!("{old} = ''"), old.to_owned()),
            (is(uuid), self.uuid()),
            (is(&uuid.replace("a-f", "A-F")), format!("upper({})", self.uuid())),
        ];
        if self.unique {
            let length = self.room.map_or(32, |room| room.min(32)).to_string();
            cases.push((format!("length({old}) < {UNIQUE}"), self.hex(&length)));
        }
        let hex = self.hex(&length);
        let far = format!("translate(right({hex}, 1), 'fedcba9876543210', 'ghjkmnpqrstuvwxy')");
        let letters = |upper: bool| {
            let base = format!("left({}, {length} - 1) || {far}", self.letters(&length));
            if upper {
                format!("upper({base})")
            } else {
                format!("lower({base})")
            }
        };
        cases.extend([
            (is("[0-9]+"), self.digits(&length)),
            (is("[0-9a-f]+"), hex.clone()),
            (is("[0-9A-F]+"), format!("upper({hex})")),
            (is("[0-9a-z]+"), letters(false)),
            (is("[0-9A-Z]+"), letters(true)),
            (
                is("[0-9A-Za-z]+"),
                format!("left({}, {length} - 2) || upper({far}) || {far}", self.letters(&length)),
            ),
            (
                is("[0-9A-Za-z+/]+=*"),
                format!("overlay({} placing '+' from {length} / 2 + 1)", self.letters(&length)),
            ),
        ]);
        let cases = cases.iter().map(|(when, then)| format!(" WHEN {when} THEN {then}"));
        format!(
            "CASE{} ELSE overlay({} placing '_' from {length} / 2 + 1) END",
            cases.collect::<String>(),
            self.url_safe(&length)
        )
    }

    fn cut(&self, token: &str) -> String {
        match self.room {
            Some(room) => format!("left({token}, {room})"),
            None => token.to_owned(),
        }
    }

    fn uuid(&self) -> String {
        format!("md5({})::uuid::text", self.input)
    }

    /// Hexadecimal digits, among them a letter: digits alone are another alphabet.
    fn hex(&self, length: &str) -> String {
        let digits = self.digests(&HEX, length);
        format!(
            "regexp_replace(left({digits}, {length}), '^([0-9]*)[0-9]$', '\\1' || translate(left({}, 1), '9876543210', 'abcdefabcd'))",
            self.digest(&HEX, 0)
        )
    }

    fn digits(&self, length: &str) -> String {
        format!(
            "left(translate({}, 'abcdef', '258147'), {length})",
            self.digests(&HEX, length)
        )
    }

    fn letters(&self, length: &str) -> String {
        format!(
            "left(translate({}, E'+/=\\n', 'Kx'), {length})",
            self.digests(&BASE64, length)
        )
    }

    fn url_safe(&self, length: &str) -> String {
        format!(
            "left(translate({}, E'+/=\\n', '-_'), {length})",
            self.digests(&BASE64, length)
        )
    }

    /// Digests with so many letters; `length` is SQL. One is enough for nearly all tokens.
    fn digests(&self, kind: &Digest, length: &str) -> String {
        let together = |count: u32| {
            let digests: Vec<_> = (0..count).map(|at| self.digest(kind, at)).collect();
            digests.join(" || ")
        };
        let all = LONGEST.div_ceil(kind.letters);
        match length.parse::<u32>() {
            Ok(length) => together(length.div_ceil(kind.letters)),
            Err(_) => format!(
                "CASE WHEN {length} <= {} THEN {} ELSE {} END",
                kind.letters,
                together(1),
                together(all)
            ),
        }
    }

    /// The first hexadecimal one is what earlier versions took for the whole token.
    fn digest(&self, kind: &Digest, at: u32) -> String {
        let more = if at == 0 { String::new() } else { format!(" || '/{at}'") };
        let Digest { hash, encoding, .. } = kind;
        format!("encode({hash}(convert_to({}{more}, 'UTF8')), '{encoding}')", self.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read() {
        assert_eq!("uuid".parse(), Ok(Shape::Uuid));
        assert_eq!("hex 32".parse(), Ok(Shape::Letters(Alphabet::Hex, 32)));
        assert_eq!("url-safe 22".parse(), Ok(Shape::Letters(Alphabet::UrlSafe, 22)));
        for wrong in ["hex", "hex 0", "hex 251", "hex x", "base32 4", "uuid 4"] {
            let error = wrong.parse::<Shape>().unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
