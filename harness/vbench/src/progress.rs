//! Progress with ETA on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::note;

/// One thing that takes a while.
pub struct Progress {
    bar: ProgressBar,
    label: String,
    plain: bool,
    quiet: bool,
    start: Instant,
    told: Instant,
    done: u64,
    total: u64,
}

/// How often a line is printed where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

impl Progress {
    /// Starts progress over `total` steps; `unit_bytes` shows sizes instead of counts.
    #[must_use]
    pub fn new(label: &str, total: u64, unit_bytes: bool, quiet: bool) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(total),
            if quiet || plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
        );
        let counts = if unit_bytes { "{bytes}/{total_bytes}" } else { "{pos}/{len}" };
        let template = format!("{{msg}} [{{bar:30}}] {counts}  {{elapsed}} elapsed, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_string());
        let now = Instant::now();
        Self { bar, label: label.into(), plain, quiet, start: now, told: now, done: 0, total }
    }

    /// Sets how much is done, and the total when it became known.
    pub fn set(&mut self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.total = total;
            self.bar.set_length(total);
        }
        self.done = done;
        self.bar.set_position(done);
        if self.plain && !self.quiet && self.told.elapsed() >= PLAIN_EVERY {
            self.told = Instant::now();
            let elapsed = self.start.elapsed().as_secs_f64();
            let left = elapsed / done.max(1) as f64 * self.total.saturating_sub(done) as f64;
            note(format_args!("{}: {done}/{}, {elapsed:.0} s elapsed, about {left:.0} s left", self.label, self.total));
        }
    }

    /// One more step is done.
    pub fn step(&mut self) {
        self.set(self.done + 1, None);
    }

    /// Prints a line above the bar.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| note(text));
        }
    }

    /// Ends it.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
