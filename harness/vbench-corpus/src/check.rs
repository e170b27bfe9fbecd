//! A corpus checked: text, times, speakers and splits, and where it was listened to, sound.
//!
//! ```text
//! check/code.rs         what can be found, and how bad it is
//! check/limits.rs       from where on
//! check/text.rs         one reference text
//! check/script.rs       scripts of letters and languages
//! check/sound.rs        what is measured in one recording
//! check/fingerprint.rs  recordings that are nearly the same
//! check/metadata.rs     ids, licences, speakers and splits
//! check/audio.rs        measures against limits, duplicates
//! check/rate.rs         characters per second against the corpus' own distribution
//! ```
//!
//! Pure: utterances and measures in, findings out. Who reads recordings is the caller.

mod audio;
mod code;
mod fingerprint;
mod limits;
mod metadata;
mod rate;
mod script;
mod sound;
mod text;

use std::collections::BTreeMap;

use rayon::prelude::*;
use vbench_core::Utterance;

pub use audio::Heard;
pub use code::{Code, Finding, Hit, Severity};
pub use fingerprint::{Fingerprint, MIN_FRAMES, NearDuplicate, near_duplicates};
pub use limits::Limits;
pub use rate::{MIN_UTTERANCES, RateModel};
pub(crate) use rate::{characters, median};
pub use script::{Script, scripts_of};
pub use sound::{NOISE_FLOOR_DBFS, Sound};
pub use text::{TextFinding, check_text};

/// An utterance with the split that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The utterance; utterances of one corpus share ids, speakers and sessions.
    pub utterance: &'a Utterance,
    /// The split, where there are several.
    pub split: Option<&'a str>,
}

/// What was found in a corpus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    /// By code, in its order; codes without a hit are not there.
    pub findings: Vec<Finding>,
    /// Speaking rates by language, where there are enough utterances.
    pub rates: Vec<RateModel>,
    /// What could not be checked, and why.
    pub not_checked: Vec<String>,
}

impl Checked {
    /// The finding of a code.
    #[must_use]
    pub fn finding(&self, code: Code) -> Option<&Finding> {
        self.findings.iter().find(|f| f.code == code)
    }

    /// Utterances with a finding of a severity, every finding counted.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.code.severity() == severity).map(|f| f.hits.len()).sum()
    }
}

/// Checks utterances; `heard` is what their recordings sound like, in their order, where they were listened to.
///
/// # Panics
/// When `heard` has another length than `items`.
#[must_use]
pub fn check(items: &[Item<'_>], heard: Option<&[Heard]>, limits: &Limits) -> Checked {
    if let Some(heard) = heard {
        assert_eq!(heard.len(), items.len(), "one recording for every utterance");
    }
    let mut found = Found { limits, by_code: BTreeMap::new(), not_checked: Vec::new() };
    metadata::check(items, &mut found);
    texts(items, &mut found);
    let rates = rate::check(items, heard, &mut found);
    if let Some(heard) = heard {
        audio::check(items, heard, &mut found);
    }
    let findings = found.by_code.into_iter().map(|(code, mut hits)| {
        hits.sort_by(|a, b| b.badness.total_cmp(&a.badness).then(a.item.cmp(&b.item)));
        Finding { code, limit: limits.of(code), hits }
    });
    Checked { findings: findings.collect(), rates, not_checked: found.not_checked }
}

/// Hits by code while a check goes on.
struct Found<'l> {
    limits: &'l Limits,
    by_code: BTreeMap<Code, Vec<Hit>>,
    not_checked: Vec<String>,
}

impl Found<'_> {
    fn hit(&mut self, code: Code, item: usize, badness: f64, detail: impl Into<Box<str>>) {
        self.by_code.entry(code).or_default().push(Hit { item, badness, detail: detail.into() });
    }
}

fn texts(items: &[Item<'_>], found: &mut Found<'_>) {
    let of_item = |item: &Item<'_>| check_text(&item.utterance.text, item.utterance.language.as_deref(), found.limits);
    let all: Vec<Vec<TextFinding>> = items.par_iter().map(of_item).collect();
    for (i, of_text) in all.into_iter().enumerate() {
        for TextFinding { code, badness, detail } in of_text {
            found.hit(code, i, badness, detail);
        }
    }
}

impl Limits {
    /// The limit of a finding as text; empty where it has none.
    #[must_use]
    pub fn of(&self, code: Code) -> String {
        let name = match code {
            Code::TextRepeated => "max-repeats",
            Code::TextDuplicate | Code::TextInTwoSplits => "duplicate-words",
            Code::RateFast | Code::RateSlow => "max-rate-deviations",
            Code::DurationShort => "min-duration",
            Code::DurationLong => "max-duration",
            Code::RateLow => "min-sample-rate",
            Code::Clipping => "max-clipped",
            Code::DcOffset => "max-dc",
            Code::SilenceShare => "max-silence",
            Code::LevelLow => "min-level",
            Code::LevelHigh => "max-level",
            Code::SnrLow => "min-snr",
            Code::AudioNearDuplicate => "max-fingerprint",
            Code::DurationDiffers => return "within 0.1 s and 1 %".into(),
            _ => return String::new(),
        };
        self.text(name)
    }
}
