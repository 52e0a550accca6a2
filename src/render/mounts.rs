//! Where a compose file keeps data: its services' mounts, as far as they can be written to.

use serde_yaml::Value;

/// A mount of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    service: String,
    target: String,
    source: String,
}

/// What of the data of `old` would lie elsewhere, or nowhere, with `new`; a line for each mount. None where the old file
/// cannot be read.
#[must_use]
pub fn moved(old: &str, new: &str) -> Option<Vec<String>> {
    let old = mounts(old)?;
    let new = mounts(new).unwrap_or_default();
    let moved = old.into_iter().filter_map(|mount| {
        let now = new
            .iter()
            .find(|now| now.service == mount.service && now.target == mount.target);
        let now = match now {
            Some(now) if now.source == mount.source => return None,
            Some(now) => now.source.as_str(),
            None => "nothing",
        };
        let Mount {
            service,
            target,
            source,
        } = &mount;
        Some(format!(
            "{service} {target}: {source} there, {now} in what would be written"
        ))
    });
    Some(moved.collect())
}

/// The mounts of all services that can be written to and have a source. None for what is no compose file.
fn mounts(text: &str) -> Option<Vec<Mount>> {
    let mut file: Value = serde_yaml::from_str(text).ok()?;
    file.apply_merge().ok()?;
    let named = file.get("volumes");
    let mut mounts = Vec::new();
    for (service, definition) in file.get("services")?.as_mapping()? {
        let volumes = definition.get("volumes").and_then(Value::as_sequence);
        for volume in volumes.into_iter().flatten() {
            if let Some((source, target)) = ends(volume) {
                mounts.push(Mount {
                    service: service.as_str().unwrap_or_default().to_owned(),
                    target: target.trim_end_matches('/').to_owned(),
                    source: real(&source, named),
                });
            }
        }
    }
    Some(mounts)
}

/// The source and the target of a mount in either syntax.
fn ends(volume: &Value) -> Option<(String, String)> {
    if let Some(text) = volume.as_str() {
        let parts = parts(text);
        let is_read_only = parts
            .get(2)
            .is_some_and(|mode| mode.split(',').any(|word| word == "ro"));
        return (parts.len() > 1 && !is_read_only).then(|| (parts[0].to_owned(), parts[1].to_owned()));
    }
    let text = |key: &str| volume.get(key).and_then(Value::as_str).map(str::to_owned);
    if volume.get("read_only").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    Some((text("source")?, text("target")?))
}

/// A mount's parts: split at colons, but for those within `${NAME:-default}`.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_u32, 0);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&text[begin..]);
    parts
}

/// The volume or folder that a source stands for: a volume may have another name outside, or be a folder.
fn real(source: &str, named: Option<&Value>) -> String {
    let Some(volume) = named.and_then(|named| named.get(source)) else {
        return source.to_owned();
    };
    let name = volume.get("name").and_then(Value::as_str).unwrap_or(source);
    let device = volume.get("driver_opts").and_then(|options| options.get("device"));
    match device.and_then(Value::as_str) {
        Some(device) => format!("{name} ({device})"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_would_lie_elsewhere_is_told() {
        let old = "x: &v [\"${DATA:?missing}:/volumes/data\", \"/etc/x:/x:ro\"]\nservices:\n  web:\n    volumes: *v\n  db:\n    volumes:\n      - {type: volume, source: db, target: /var/lib/postgresql/data}\nvolumes: {db: {name: pg}}\n";
        assert_eq!(moved(old, old), Some(vec![]));
        let new = "services:\n  web: {volumes: [\"data:/volumes/data/\"]}\n";
        assert_eq!(
            moved(old, new).unwrap(),
            [
                "web /volumes/data: ${DATA:?missing} there, data in what would be written",
                "db /var/lib/postgresql/data: pg there, nothing in what would be written"
            ]
        );
        assert_eq!(moved("no: [", new), None);
    }
}
