//! "Did you mean …": the nearest of the names that exist.

/// The name nearest to `wrong`, if one is near enough to be meant.
fn nearest<'a, I>(wrong: &str, names: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// A hint for a wrong name, if one of the others is near enough to be meant.
fn did_you_mean<'a, I>(wrong: &str, names: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
{
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// A hint for a wrong name: the nearest one, or all of them if they are few.
#[must_use]
pub fn hint<'a, I>(wrong: &str, names: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
    I::IntoIter: Clone,
{
    let names = names.into_iter();
    if let Some(hint) = did_you_mean(wrong, names.clone()) {
        return Some(hint);
    }
    let all: Vec<_> = names.take(13).map(|name| format!("`{name}`")).collect();
    match all.len() {
        1..=12 => Some(format!("choose one of {}", all.join(", "))),
        _ => None,
    }
}

/// What to do about a message of serde's: it names the wrong word first and the right ones after it, all in backticks.
#[must_use]
pub fn suggestion(message: &str) -> Option<String> {
    if message.ends_with("expected a sequence") {
        return Some("write a list, even for a single value: [\"…\"]".into());
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    did_you_mean(wrong, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("biuld", ["build", "up", "down"]), Some("build"));
        assert_eq!(nearest("zzz", ["build", "up", "down"]), None);
        assert_eq!(
            hint("zzz", ["up", "down"]).as_deref(),
            Some("choose one of `up`, `down`")
        );
        assert_eq!(hint("zzz", []), None);
    }
}
