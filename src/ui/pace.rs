//! How often progress is worth a line where lines are kept, and how fast it goes.

use std::time::{Duration, Instant};

use crate::event::Progress;

/// No longer silence than this while something moves.
const SILENCE: Duration = Duration::from_secs(5);

/// The progress of one node, as it is told in plain lines.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    told: Instant,
    tenth: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            told: now,
            tenth: 0,
        }
    }

    /// Whether this progress is to be told now: another tenth is done, or five seconds have passed.
    pub(super) fn is_due(&mut self, progress: &Progress, now: Instant) -> bool {
        let tenth = percent(progress).unwrap_or(0) / 10;
        let due = tenth > self.tenth || now.duration_since(self.told) >= SILENCE;
        if due {
            self.tenth = tenth;
            self.told = now;
        }
        due
    }

    /// Units a second on average, once that means something.
    pub(super) fn rate(&self, progress: &Progress, now: Instant) -> Option<f64> {
        let passed = now.duration_since(self.began).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let done = progress.done as f64;
        (passed >= 1.0 && done > 0.0).then(|| done / passed)
    }
}

/// Hundredths that are done, if the total is known. Estimates can be passed, so it ends at 100.
pub(super) fn percent(progress: &Progress) -> Option<u64> {
    let total = progress.total.filter(|total| *total > 0)?;
    let hundredths = u128::from(progress.done) * 100 / u128::from(total);
    Some(u64::try_from(hundredths).unwrap_or(u64::MAX).min(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Unit;

    fn progress(done: u64, total: Option<u64>) -> Progress {
        Progress {
            done,
            total,
            unit: Unit::Items,
            current: String::new(),
        }
    }

    #[test]
    fn a_tenth_or_five_seconds() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(!pace.is_due(&progress(9, Some(100)), start));
        assert!(pace.is_due(&progress(10, Some(100)), start));
        assert!(!pace.is_due(&progress(19, Some(100)), after(4)));
        assert!(pace.is_due(&progress(19, Some(100)), after(5)));
        assert!(pace.is_due(&progress(100, Some(100)), after(5)));
        assert!(!pace.is_due(&progress(7, None), after(9)));
        assert!(pace.is_due(&progress(7, None), after(10)));
    }

    #[test]
    fn no_rate_before_it_means_something() {
        let start = Instant::now();
        let pace = Pace::new(start);
        assert_eq!(pace.rate(&progress(10, None), start), None);
        assert_eq!(
            pace.rate(&progress(10, None), start + Duration::from_secs(2)),
            Some(5.0)
        );
    }

    #[test]
    fn estimates_may_be_passed() {
        assert_eq!(percent(&progress(12, Some(10))), Some(100));
        assert_eq!(percent(&progress(u64::MAX, Some(u64::MAX))), Some(100));
        assert_eq!(percent(&progress(1, Some(0))), None);
    }
}
