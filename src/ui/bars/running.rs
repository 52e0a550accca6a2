//! The line of one running node.

use std::fmt;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::event::Progress;
use crate::measure;
use crate::plain_text;
use crate::ui::gauge::{Gauge, Layout};
use crate::ui::paint::Paint;

pub(super) const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME: Duration = Duration::from_millis(120);

/// Spinner, name, how far it has come, what it is at, and for how long.
pub(super) struct Running {
    bar: ProgressBar,
    progress: Option<Progress>,
    layout: Layout,
    paint: Paint,
}

impl Running {
    pub(super) fn start(multi: &MultiProgress, name: &str, about: &str, layout: Layout, paint: Paint) -> Self {
        let bar = multi.add(ProgressBar::no_length());
        bar.set_style(style(layout, paint, None));
        bar.set_prefix(name.to_owned());
        bar.set_message(paint.dim(about));
        // The line lives on while nothing is heard of its node.
        bar.enable_steady_tick(FRAME);
        Self {
            bar,
            progress: None,
            layout,
            paint,
        }
    }

    pub(super) fn progress(&mut self, progress: &Progress, layout: Layout) {
        let before = self.progress.replace(progress.clone());
        let counted = before.as_ref().map(|before| (before.total, before.unit));
        if counted != Some((progress.total, progress.unit)) || self.layout != layout {
            self.bar.set_style(style(layout, self.paint, Some(progress.clone())));
            self.layout = layout;
        }
        let current = plain_text::line(&progress.current);
        if !current.is_empty() && before.is_none_or(|before| before.current != progress.current) {
            self.bar.set_message(self.paint.dim(&current));
        }
        self.bar.set_position(progress.done);
    }

    /// Shows the latest line of a child, unless the node itself says what it is at.
    pub(super) fn mention(&self, text: &str) {
        let says_itself = self
            .progress
            .as_ref()
            .is_some_and(|progress| !progress.current.is_empty());
        let text = plain_text::line(text);
        if !says_itself && !text.trim().is_empty() {
            self.bar.set_message(self.paint.dim(text.trim()));
        }
    }

    /// Draws the line now, as it is in its first second, and for the last time by itself.
    #[cfg(test)]
    pub(super) fn draw_once(&self) {
        self.bar.disable_steady_tick();
        self.bar.reset_elapsed();
        self.bar.force_draw();
    }

    /// Clears the line before it is forgotten: a bar that is only removed leaves its last drawing on the screen.
    pub(super) fn take_off(self, multi: &MultiProgress) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
        multi.remove(&self.bar);
    }
}

/// The look of a running node. What `like` counts is drawn at the position that the bar has by then.
fn style(layout: Layout, paint: Paint, like: Option<Progress>) -> ProgressStyle {
    let template = match (layout, &like) {
        (Layout::Narrow, None) => "{spinner} {prefix} {wide_msg}",
        (Layout::Narrow, Some(_)) => "{spinner} {prefix} {gauge} {wide_msg}",
        (_, None) => "{spinner} {prefix}  {wide_msg} {clock}",
        (_, Some(_)) => "{spinner} {prefix}  {gauge}  {wide_msg} {clock}",
    };
    let frames = FRAMES.map(|frame| paint.accent(frame));
    let frames: Vec<&str> = frames.iter().map(String::as_str).chain([" "]).collect();
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_strings(&frames)
        .with_key("gauge", move |state: &ProgressState, line: &mut dyn fmt::Write| {
            if let Some(like) = &like {
                let progress = Progress {
                    done: state.pos(),
                    ..like.clone()
                };
                // The first second's rate is noise.
                let rate = (state.elapsed().as_secs() > 0).then(|| state.per_sec());
                let gauge = Gauge {
                    progress: &progress,
                    rate,
                };
                let _ = line.write_str(&gauge.in_place(layout, paint));
            }
        })
        .with_key("clock", move |state: &ProgressState, line: &mut dyn fmt::Write| {
            let clock = measure::whole_seconds(state.elapsed().as_secs_f64().floor());
            let _ = line.write_str(&paint.dim(&format!("{clock:>6}")));
        })
}
