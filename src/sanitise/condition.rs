//! Which rows a rule is about.

use std::collections::BTreeMap;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::value::Constant;

/// One column's test. The tests of a rule are joined by AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Equals; written as the bare constant.
    Is(Constant),
    /// Differs, NULL included: `{ not = … }`.
    Not(Constant),
    /// Is one of: `{ in = […] }`, or the bare list.
    In(Vec<Constant>),
    /// Is none of, NULL included: `{ not-in = […] }`.
    NotIn(Vec<Constant>),
    /// Matches a LIKE pattern: `{ like = "…" }`.
    Like(String),
    /// Holds something: `{ set = true }`, or nothing: `{ set = false }`.
    Set(bool),
}

/// Which rows a rule is about: column tests that any reader understands, and an SQL condition where they do not suffice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Tests by column.
    pub tests: BTreeMap<String, Test>,
    /// An SQL condition; `{name}` stands for a value of the policy, which is bound.
    pub sql: Option<String>,
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TestVisitor)
    }
}

struct TestVisitor;

const OPERATORS: [&str; 5] = ["not", "in", "not-in", "like", "set"];

impl<'de> Visitor<'de> for TestVisitor {
    type Value = Test;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a constant, a list of constants, or { not | in | not-in | like | set = … }")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Test, E> {
        Ok(Test::Is(Constant::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Test, E> {
        Ok(Test::Is(Constant::Integer(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Test, E> {
        Ok(Test::Is(Constant::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Test, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Test::In(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Test, A::Error> {
        let Some(operator) = map.next_key::<String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let test = match operator.as_str() {
            "not" => Test::Not(map.next_value()?),
            "in" => Test::In(map.next_value()?),
            "not-in" => Test::NotIn(map.next_value()?),
            "like" => Test::Like(map.next_value()?),
            "set" => Test::Set(map.next_value()?),
            other => return Err(de::Error::unknown_field(other, &OPERATORS)),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom("one operator a column; say the rest in `where-sql`"));
        }
        Ok(test)
    }
}
