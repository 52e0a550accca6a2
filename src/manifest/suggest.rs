//! "Did you mean …": the nearest of the names that exist.

/// The name nearest to `wrong`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a, I>(wrong: &str, names: I) -> Option<&'a str>
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

/// A hint for a wrong name: the nearest one, or all of them if they are few.
#[must_use]
pub fn hint<'a, I>(wrong: &str, names: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
    I::IntoIter: Clone,
{
    let names = names.into_iter();
    if let Some(name) = nearest(wrong, names.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let all: Vec<_> = names.take(13).map(|name| format!("`{name}`")).collect();
    match all.len() {
        1..=12 => Some(format!("there is {}", all.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("biuld", ["build", "up", "down"]), Some("build"));
        assert_eq!(nearest("zzz", ["build", "up", "down"]), None);
        assert_eq!(hint("zzz", ["up", "down"]).as_deref(), Some("there is `up`, `down`"));
        assert_eq!(hint("zzz", []), None);
    }
}
