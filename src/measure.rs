//! Amounts and times as people read them.

/// Bytes in decimal units: `512 B`, `58.1 MB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut amount = count as f64 / 1000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // 999.95 would be shown as 1000.0.
        if amount < 999.95 {
            break;
        }
        amount /= 1000.0;
        unit = next;
    }
    format!("{amount:.1} {unit}")
}

/// A time as it was measured: `40 ms`, `31.2 s`, `1 min 12 s`, `2 h 03 min`.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.0995 {
        format!("{:.0} ms", seconds.max(0.0) * 1000.0)
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        whole_seconds(seconds)
    }
}

/// A time that is still passing, without fractions: `4 s`, `1 min 12 s`.
#[must_use]
pub fn whole_seconds(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is not negative"
    )]
    let total = seconds.max(0.0).round() as u64;
    match (total / 3600, total / 60 % 60, total % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decimal() {
        let shown = [0, 999, 1000, 58_100_000, 999_949, 999_950, 1_500_000_000, u64::MAX].map(bytes);
        assert_eq!(
            shown,
            [
                "0 B",
                "999 B",
                "1.0 kB",
                "58.1 MB",
                "999.9 kB",
                "1.0 MB",
                "1.5 GB",
                "18446.7 PB"
            ]
        );
    }

    #[test]
    fn times_lose_fractions_as_they_grow() {
        let shown = [0.0, 0.04, 0.1, 31.24, 59.94, 59.96, 72.0, 3599.7, 7380.0].map(seconds);
        assert_eq!(
            shown,
            [
                "0 ms",
                "40 ms",
                "0.1 s",
                "31.2 s",
                "59.9 s",
                "1 min 00 s",
                "1 min 12 s",
                "1 h 00 min",
                "2 h 03 min"
            ]
        );
    }
}
