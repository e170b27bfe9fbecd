//! Which errors, where and of whom: breakdowns of scored pairs, all read off one word alignment.
//!
//! Every breakdown holds [`ErrorCounts`], so rates stay ratios of sums, and the parts of each add up to
//! [`Analysis::words`]. Analyses of two halves of a corpus merge by addition into that of the whole.
//!
//! ```text
//! confusions.rs  substitution pairs, deletions, insertions by count
//! breakdown.rs   by part of the utterance and by reference length
//! classes.rs     by word class: numbers, names, function words, other
//! detect.rs      insertion runs, n-gram loops, text on silence, with evidence
//! keywords.rs    keyword WER; recall, precision and F1 by occurrence
//! weights.rs     token-weighted WER
//! ```
//!
//! An insertion has no reference word. It belongs to the part and speaker of the utterance it stands in, to the part
//! of the reference word before it, and to the class of the inserted word.
//!
//! ```
//! use vbench_score::analysis::{Analysis, Rules, Utterance};
//! use vbench_score::{Normalizer, Weights, score_pair};
//!
//! let raw = "Turn left, please.";
//! let score = score_pair(raw, "turn left peas", &Normalizer::WhisperEn, Weights::Sclite)?;
//! let mut analysis = Analysis::default();
//! let rules = Rules::for_language("en");
//! analysis.add(&rules, &Utterance { id: "u1", speaker: Some("s1"), raw_reference: Some(raw), score: &score });
//! let top = analysis.confusions.substitutions(10);
//! assert_eq!((top[0].reference, top[0].hypothesis, top[0].count), ("please", "peas", 1));
//! # Ok::<(), vbench_score::ScoreError>(())
//! ```

mod breakdown;
mod classes;
mod confusions;
mod detect;
mod keywords;
mod weights;

use std::collections::BTreeMap;

use vbench_core::ErrorCounts;

use crate::align::AlignOp;
use crate::error_rate::PairScore;

pub use breakdown::{ByLength, ByPart, LENGTH_BINS, Part};
pub use classes::{ByClass, WordClass, WordClasses, names_in};
pub use confusions::{Confusions, CountedPair, CountedWord};
pub use detect::{EVIDENCE_WORDS, Finding, FindingKind, Thresholds, detect};
pub use keywords::{KeywordCounts, KeywordTable, Keywords};
pub use weights::{WeightedCounts, WordWeights};

/// One scored pair and what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Utterance<'a> {
    /// Utterance id; evidence carries it.
    pub id: &'a str,
    /// Speaker, where known.
    pub speaker: Option<&'a str>,
    /// The reference as written, before normalising, where at hand: its capital letters tell names.
    pub raw_reference: Option<&'a str>,
    /// The score with its word alignment.
    pub score: &'a PairScore,
}

/// What an analysis goes by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Word lists of the language.
    pub classes: WordClasses,
    /// When a detector fires.
    pub thresholds: Thresholds,
    /// Words and phrases that matter most.
    pub keywords: Option<Keywords>,
    /// How much each word matters.
    pub weights: Option<WordWeights>,
}

impl Rules {
    /// The rules for a BCP 47 tag: shipped word lists where there are any, default thresholds, no keywords.
    #[must_use]
    pub fn for_language(tag: &str) -> Self {
        Self { classes: WordClasses::for_language(tag), ..Self::default() }
    }
}

/// Every breakdown of a corpus. [`Analysis::default`] is that of no utterances.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Utterances analysed.
    pub utterances: u64,
    /// Word counts of the corpus; the parts of every breakdown add up to them.
    pub words: ErrorCounts,
    /// Which words were taken for which, left out, put in.
    pub confusions: Confusions,
    /// By third of the utterance.
    pub by_part: ByPart,
    /// By word class.
    pub by_class: ByClass,
    /// By number of reference words.
    pub by_length: ByLength,
    /// By speaker; `None` is every utterance without one.
    pub by_speaker: BTreeMap<Option<String>, ErrorCounts>,
    /// What the detectors found, in the order of the utterances.
    pub findings: Vec<Finding>,
    /// Keyword counts; empty without a keyword list.
    pub keywords: KeywordTable,
    /// Weighted counts; zero without word weights.
    pub weighted: WeightedCounts,
}

impl Analysis {
    /// Adds one utterance. The same rules must be used for every utterance of an analysis.
    pub fn add(&mut self, rules: &Rules, utterance: &Utterance<'_>) {
        let score = utterance.score;
        self.utterances += 1;
        self.words += score.words;
        self.by_length.add(score.words);
        *self.by_speaker.entry(utterance.speaker.map(str::to_owned)).or_default() += score.words;
        self.by_part.add(score);
        self.by_class.add(&rules.classes, score, utterance.raw_reference);
        if let Some(weights) = &rules.weights {
            self.weighted += weights.count(score);
        }
        if let Some(keywords) = &rules.keywords {
            self.keywords.add(keywords, score);
        }
        if !score.exact {
            self.confusions.add(score);
            self.findings.extend(detect(&rules.thresholds, utterance.id, score));
        }
    }

    /// Adds another analysis made with the same rules; its findings come after these.
    pub fn merge(&mut self, other: Self) {
        self.utterances += other.utterances;
        self.words += other.words;
        self.confusions.merge(other.confusions);
        self.by_part.merge(&other.by_part);
        self.by_class.merge(&other.by_class);
        self.by_length.merge(&other.by_length);
        for (speaker, counts) in other.by_speaker {
            *self.by_speaker.entry(speaker).or_default() += counts;
        }
        self.findings.extend(other.findings);
        self.keywords.merge(other.keywords);
        self.weighted += other.weighted;
    }
}

/// The words of an operation: reference, hypothesis. A position outside the token lists gives `None`.
pub(crate) fn op_words(op: AlignOp, score: &PairScore) -> (Option<&str>, Option<&str>) {
    let reference = |at: u32| score.reference_tokens.get(at as usize).map(String::as_str);
    let hypothesis = |at: u32| score.hypothesis_tokens.get(at as usize).map(String::as_str);
    match op {
        AlignOp::Hit { reference: r, hypothesis: h } | AlignOp::Sub { reference: r, hypothesis: h } => {
            (reference(r), hypothesis(h))
        }
        AlignOp::Del { reference: r } => (reference(r), None),
        AlignOp::Ins { hypothesis: h } => (None, hypothesis(h)),
    }
}

/// Adds one operation to counts.
fn count_op(op: AlignOp, counts: &mut ErrorCounts) {
    match op {
        AlignOp::Hit { .. } => counts.hits += 1,
        AlignOp::Sub { .. } => counts.sub += 1,
        AlignOp::Del { .. } => counts.del += 1,
        AlignOp::Ins { .. } => counts.ins += 1,
    }
}
