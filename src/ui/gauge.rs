//! Progress as text, fitted to the width there is.

use super::pace;
use super::paint::Paint;
use crate::event::{Progress, Unit};
use crate::measure;

/// How many columns the drawn bar takes.
const BAR: usize = 20;

/// How much a line can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A bar, amounts, rate and what is left.
    Wide,
    /// Amounts and what is left.
    Medium,
    /// Hundredths only.
    Narrow,
}

impl Layout {
    pub(super) fn of_columns(columns: u16) -> Self {
        match columns {
            0..60 => Self::Narrow,
            60..110 => Self::Medium,
            _ => Self::Wide,
        }
    }
}

/// How far a node has come, and how fast.
#[derive(Debug)]
pub(super) struct Gauge<'a> {
    pub(super) progress: &'a Progress,
    /// Units a second, once that means something.
    pub(super) rate: Option<f64>,
}

impl Gauge<'_> {
    /// The text of a line in place.
    pub(super) fn in_place(&self, layout: Layout, paint: Paint) -> String {
        let percent = pace::percent(self.progress);
        let hundredths = percent.map(|percent| format!("{percent:>3} %"));
        let parts: Vec<Option<String>> = match layout {
            Layout::Wide => {
                vec![
                    percent.map(|percent| bar(percent, paint)),
                    hundredths,
                    Some(self.amount()),
                    self.rate(),
                    self.left(),
                ]
            }
            Layout::Medium => vec![hundredths, Some(self.amount()), self.left()],
            Layout::Narrow => vec![hundredths.or_else(|| Some(self.amount()))],
        };
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    /// The text of a line that stays.
    pub(super) fn kept(&self) -> String {
        let percent = pace::percent(self.progress).map(|percent| format!("{percent} %"));
        let current = &self.progress.current;
        let current = (!current.is_empty()).then(|| current.clone());
        let parts = [percent, Some(self.amount()), self.rate(), self.left(), current];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn amount(&self) -> String {
        let Progress { done, total, unit, .. } = self.progress;
        let count = |count: u64| match unit {
            Unit::Bytes => measure::bytes(count),
            Unit::Items => count.to_string(),
        };
        match total {
            Some(total) => format!("{} of {}", count(*done), count(*total)),
            None => count(*done),
        }
    }

    fn rate(&self) -> Option<String> {
        let rate = self.rate.filter(|rate| rate.is_finite() && *rate > 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is not negative"
        )]
        let whole = rate.round() as u64;
        Some(match self.progress.unit {
            Unit::Bytes => format!("{}/s", measure::bytes(whole)),
            Unit::Items if rate < 10.0 => format!("{rate:.1}/s"),
            Unit::Items => format!("{whole}/s"),
        })
    }

    fn left(&self) -> Option<String> {
        let rate = self.rate.filter(|rate| rate.is_finite() && *rate > 0.0)?;
        let left = self
            .progress
            .total?
            .checked_sub(self.progress.done)
            .filter(|left| *left > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "whole seconds are shown")]
        let seconds = left as f64 / rate;
        Some(format!("eta {}", measure::whole_seconds(seconds)))
    }
}

/// A bar in half columns.
fn bar(percent: u64, paint: Paint) -> String {
    let halves = usize::try_from(percent).unwrap_or(100).min(100) * BAR * 2 / 100;
    let (full, half) = (halves / 2, halves % 2);
    let done = "━".repeat(full) + if half == 1 { "╸" } else { "" };
    paint.accent(&done) + &paint.dim(&"─".repeat(BAR - full - half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(done: u64, total: Option<u64>) -> Progress {
        let (unit, current) = (Unit::Bytes, "mail_message".to_owned());
        Progress {
            done,
            total,
            unit,
            current,
        }
    }

    #[test]
    fn a_wide_line_tells_all_and_a_narrow_one_what_matters() {
        let progress = copied(412_300_000, Some(1_200_000_000));
        let gauge = Gauge {
            progress: &progress,
            rate: Some(58_100_000.0),
        };
        let paint = Paint::new(false);
        let shown = [Layout::Wide, Layout::Medium, Layout::Narrow].map(|layout| gauge.in_place(layout, paint));
        insta::assert_snapshot!(shown.join("\n"), @r"
        ━━━━━━╸─────────────   34 %  412.3 MB of 1.2 GB  58.1 MB/s  eta 14 s
         34 %  412.3 MB of 1.2 GB  eta 14 s
         34 %
        ");
        assert_eq!(
            gauge.kept(),
            "34 %, 412.3 MB of 1.2 GB, 58.1 MB/s, eta 14 s, mail_message"
        );
    }

    #[test]
    fn nothing_is_guessed() {
        let progress = copied(412_300_000, None);
        let gauge = Gauge {
            progress: &progress,
            rate: None,
        };
        assert_eq!(gauge.in_place(Layout::Wide, Paint::new(false)), "412.3 MB");
        assert_eq!(gauge.kept(), "412.3 MB, mail_message");
        let progress = copied(10, Some(5));
        let gauge = Gauge {
            progress: &progress,
            rate: Some(1.0),
        };
        assert_eq!(gauge.in_place(Layout::Medium, Paint::new(false)), "100 %  10 B of 5 B");
    }
}
