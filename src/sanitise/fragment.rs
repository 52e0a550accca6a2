//! Rules as pieces of SQL: the condition, the new value, and the question whether a row still differs from it.

use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::bindings::Bindings;
use super::catalogue::{Column, Kind};
use super::condition::{Condition, Test};
use super::error::SanitiseError;
use super::format;
use super::statement::Sql;
use super::token::{Making, Shape};
use super::value::{Binding, Constant, Value};

/// One column of one table, for a rule.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub rule: &'a str,
    pub table: &'a str,
    pub name: &'a str,
    pub column: &'a Column,
}

impl Target<'_> {
    fn unfit(&self, reason: impl Into<String>) -> SanitiseError {
        SanitiseError::Unfit {
            rule: self.rule.to_owned(),
            table: self.table.to_owned(),
            reason: reason.into(),
        }
    }

    /// The column's name, quoted.
    pub(super) fn quoted(&self) -> String {
        escape_identifier(self.name)
    }

    /// How many letters the column takes, where it takes not any number.
    pub(super) fn room(&self) -> Option<u32> {
        length(&self.column.sql_type).filter(|_| self.column.kind == Kind::Text)
    }

    /// The value as an expression of the column's type.
    pub(super) fn value(&self, sql: &mut Sql, value: &Value, bindings: &Bindings<'_>) -> Result<String, SanitiseError> {
        match value {
            Value::Nothing => self.nothing(sql, bindings),
            Value::Constant(constant) => Ok(self.constant(constant)),
            Value::Renewed(shape) => self.renewed(*shape, sql, bindings),
            Value::Policy(binding) => Ok(self.fitted(&sql.bind(bindings.value(*binding)?))),
            Value::Env(name) => Ok(self.fitted(&sql.bind(bindings.variable(name)?))),
            // Planning makes it, of the whole row; to everyone else the column is what it should be.
            Value::Fake(_) => Ok(self.quoted()),
            Value::Sql(expression) => Ok(format!("({})", variables(sql, expression, bindings)?)),
        }
    }

    /// A bound text as a value of the column's type.
    fn fitted(&self, bound: &str) -> String {
        match self.column.kind {
            Kind::Text => bound.to_owned(),
            Kind::Json => format!("jsonb_build_object('en_US', {bound})"),
            Kind::Bytes => format!("convert_to({bound}, 'UTF8')"),
            Kind::Other => format!("{bound}::{}", self.column.sql_type),
        }
    }

    /// NULL, or what comes nearest to it in a column that refuses NULL.
    fn nothing(&self, sql: &mut Sql, bindings: &Bindings<'_>) -> Result<String, SanitiseError> {
        if !self.column.not_null {
            return Ok("NULL".to_owned());
        }
        match self.column.kind {
            Kind::Text if self.is_never_empty() => self.renewed(None, sql, bindings),
            Kind::Text => Ok("''".to_owned()),
            Kind::Json => Ok("'{}'::jsonb".to_owned()),
            Kind::Bytes => Ok("''::bytea".to_owned()),
            Kind::Other => Err(self.unfit(format!(
                "column `{}` of type {} refuses NULL; give it a value with `set`",
                self.name, self.column.sql_type
            ))),
        }
    }

    fn constant(&self, constant: &Constant) -> String {
        let text = match constant {
            Constant::Bool(value) => return value.to_string(),
            Constant::Integer(value) if self.column.kind == Kind::Other => {
                return value.to_string();
            }
            Constant::Integer(value) => value.to_string(),
            Constant::Text(text) => text.clone(),
        };
        let literal = escape_literal(&text);
        match self.column.kind {
            Kind::Text => literal,
            Kind::Json => format!("jsonb_build_object('en_US', {literal}::text)"),
            Kind::Bytes => format!("convert_to({literal}, 'UTF8')"),
            Kind::Other => format!("{literal}::{}", self.column.sql_type),
        }
    }

    /// Whether the column refuses both NULL and what comes nearest to it: where each value may stand once, and where a token that
    /// is empty would be right for whoever sends none.
    pub(super) fn is_never_empty(&self) -> bool {
        let Column { not_null, unique, .. } = *self.column;
        self.can_be_renewed() && not_null && (unique || format::names_a_lock(self.name))
    }

    /// Whether there can be new tokens: a text, and rows with a number.
    pub(super) fn can_be_renewed(&self) -> bool {
        self.column.kind == Kind::Text && self.column.numbered
    }

    fn renewed(&self, shape: Option<Shape>, sql: &mut Sql, bindings: &Bindings<'_>) -> Result<String, SanitiseError> {
        let seed = sql.bind(bindings.seed());
        let purpose = escape_literal(&format!("/{}.{}/", self.table, self.name));
        let input = format!("{seed} || {purpose} || id");
        match self.column.kind {
            Kind::Text => {
                let making = Making {
                    old: &self.quoted(),
                    input: &input,
                    room: self.room(),
                    unique: self.column.unique,
                };
                Ok(making.sql(shape))
            }
            Kind::Other if self.column.sql_type == "uuid" => Ok(format!("md5({input})::uuid")),
            _ => Err(self.unfit(format!(
                "column `{}` of type {} cannot hold a token",
                self.name, self.column.sql_type
            ))),
        }
    }

    /// Whether a row's value still differs from what the rule wants.
    pub(super) fn differs(&self, value: &Value, wanted: &str) -> String {
        // Texts of the type `json` cannot be compared.
        let column = match self.column.sql_type.as_str() {
            "json" => format!("{}::jsonb", self.quoted()),
            _ => self.quoted(),
        };
        match value {
            Value::Renewed(_) | Value::Fake(_) => format!("{} AND {column} IS DISTINCT FROM {wanted}", self.holds()),
            _ => format!("{column} IS DISTINCT FROM {wanted}"),
        }
    }

    /// Whether a row holds anything in the column.
    pub(super) fn holds(&self) -> String {
        let column = self.quoted();
        match self.column.kind {
            Kind::Text => format!("{column} <> ''"),
            Kind::Bytes => format!("octet_length({column}) > 0"),
            Kind::Json => format!("{column}::text NOT IN ('{{}}', '[]', 'null', 'false', '\"\"')"),
            Kind::Other => format!("{column} IS NOT NULL"),
        }
    }

    /// What stands on the right of `SET column =`.
    pub(super) fn assigned(&self, value: &Value, wanted: &str) -> String {
        match value {
            Value::Renewed(_) | Value::Fake(_) => {
                format!("CASE WHEN {} THEN {wanted} ELSE {} END", self.holds(), self.quoted())
            }
            _ => wanted.to_owned(),
        }
    }

    /// One test of a condition.
    pub(super) fn test(&self, test: &Test) -> String {
        let column = match self.column.kind {
            Kind::Json => format!("({} ->> 'en_US')", self.quoted()),
            _ => self.quoted(),
        };
        match test {
            Test::Is(constant) => format!("{column} = {}", bare(constant)),
            Test::Not(constant) => format!("{column} IS DISTINCT FROM {}", bare(constant)),
            Test::In(list) => format!("{column} IN ({})", bare_list(list)),
            Test::NotIn(list) => format!("({column} IS NULL OR {column} NOT IN ({}))", bare_list(list)),
            Test::Like(pattern) => format!("{column} LIKE {}", escape_literal(pattern)),
            Test::Set(true) => format!("{column} IS NOT NULL"),
            Test::Set(false) => format!("{column} IS NULL"),
        }
    }
}

/// The raw part of a condition, its `{names}` bound.
pub(super) fn raw(
    sql: &mut Sql,
    condition: &Condition,
    bindings: &Bindings<'_>,
) -> Result<Option<String>, SanitiseError> {
    let Some(text) = &condition.sql else {
        return Ok(None);
    };
    let mut bound = text.trim().to_owned();
    for (name, binding) in Binding::ALL {
        let placeholder = format!("{{{name}}}");
        if bound.contains(&placeholder) {
            let place = sql.bind(bindings.value(binding)?);
            bound = bound.replace(&placeholder, &place);
        }
    }
    Ok(Some(format!("({})", variables(sql, &bound, bindings)?)))
}

/// SQL in which each `{env.NAME}` is bound.
fn variables(sql: &mut Sql, text: &str, bindings: &Bindings<'_>) -> Result<String, SanitiseError> {
    let mut bound = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{env.") {
        bound.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            bound.push_str("{env.");
            rest = after;
            continue;
        };
        bound.push_str(&sql.bind(bindings.variable(name)?));
        rest = behind;
    }
    bound.push_str(rest);
    Ok(bound)
}

fn bare(constant: &Constant) -> String {
    match constant {
        Constant::Bool(value) => value.to_string(),
        Constant::Integer(value) => value.to_string(),
        Constant::Text(text) => escape_literal(text),
    }
}

fn bare_list(list: &[Constant]) -> String {
    list.iter().map(bare).collect::<Vec<_>>().join(", ")
}

/// The length of `character varying(8)`.
pub(super) fn length(sql_type: &str) -> Option<u32> {
    sql_type.split_once('(')?.1.trim_end_matches(')').parse().ok()
}
