//! Scored pairs of texts in, counts and estimates per stratum out: what `vbench score` prints.

use vbench_core::{ErrorCounts, Estimate};
use vbench_stats::{Observed, Plan, choose_units, ratio_estimate};

/// One pair's counts, with what strata and resampling need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextRow<'a> {
    /// Identity of the pair, unique.
    pub id: &'a str,
    /// Who spoke, if known.
    pub speaker: Option<&'a str>,
    /// Recording session, if known.
    pub session: Option<&'a str>,
    /// Word counts.
    pub words: ErrorCounts,
    /// Least number of word errors (Levenshtein distance).
    pub words_min_errors: u64,
    /// Character counts.
    pub chars: ErrorCounts,
    /// Least number of character errors.
    pub chars_min_errors: u64,
}

impl Observed for TextRow<'_> {
    fn keys(&self) -> (&str, Option<&str>, Option<&str>) {
        (self.id, self.speaker, self.session)
    }
}

impl TextRow<'_> {
    /// At least one word is wrong, inserted or missing.
    #[must_use]
    pub fn wrong(&self) -> bool {
        self.words.errors() > 0
    }
}

/// Counts and estimates of a set of pairs under one normaliser.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSummary {
    /// Property of the stratum, `all` for everything.
    pub by: String,
    /// Its value; empty for `all`.
    pub value: String,
    /// Pairs scored.
    pub pairs: usize,
    /// Pairs whose reference has no word after normalising: they have no rate.
    pub empty_references: usize,
    /// Insertions against empty references: hallucinated words, in the counts and outside every rate.
    pub hallucinated_words: u64,
    /// Summed word counts.
    pub words: ErrorCounts,
    /// Summed least number of word errors.
    pub words_min_errors: u64,
    /// Summed character counts.
    pub chars: ErrorCounts,
    /// Summed least number of character errors.
    pub chars_min_errors: u64,
    /// Word error rate, a fraction: errors over reference words of the pairs with a reference.
    pub wer: Estimate,
    /// Character error rate likewise.
    pub cer: Estimate,
    /// Share of the pairs with a reference that have a word error.
    pub ser: Estimate,
    /// What the intervals are conditional on where the resampling unit is not the speaker.
    pub note: Option<String>,
    /// Mean of the pairs' word error rates; another number than the word error rate.
    pub wer_macro: Option<f64>,
    /// Mean of the pairs' character error rates.
    pub cer_macro: Option<f64>,
    /// Pairs with a reference and a word error.
    pub sentences_wrong: usize,
    /// Pairs with words whose characters were too many to align: they are in no character error rate.
    pub chars_left_out: usize,
}

impl TextSummary {
    /// Pairs that have a rate.
    #[must_use]
    pub fn sentences(&self) -> usize {
        self.pairs - self.empty_references
    }

    /// Counts of the pairs that have a rate.
    #[must_use]
    pub fn rated_words(&self) -> ErrorCounts {
        ErrorCounts { ins: self.words.ins - self.hallucinated_words, ..self.words }
    }
}

/// Sums the rows and estimates the rates. Draws are keyed by the metric alone: the same rows have the same interval,
/// whatever the stratum is called.
#[must_use]
pub fn summarize_text(by: &str, value: &str, rows: &[TextRow<'_>], plan: &Plan) -> TextSummary {
    let rated: Vec<TextRow<'_>> = rows.iter().filter(|r| r.words.reference() > 0).copied().collect();
    let wrong = rated.iter().filter(|r| r.wrong()).count();
    let ratio = |c: &ErrorCounts| (c.errors() as f64, c.reference() as f64);
    let clusters = choose_units(&rated, |r| [ratio(&r.words), ratio(&r.chars), (f64::from(u8::from(r.wrong())), 1.0)]);
    let note = clusters[0].note();
    let [wer, cer, mut ser] = [0, 1, 2].map(|m| ratio_estimate(&clusters[m], plan, ["wer", "cer", "ser"][m]));
    if let Ok(interval) = &mut ser.interval {
        // A share; error rates may be above 1.
        interval.hi = interval.hi.min(1.0);
    }
    let mean = |rate: &dyn Fn(&TextRow<'_>) -> Option<f64>| {
        let mut rates: Vec<f64> = rated.iter().filter_map(rate).collect();
        // Floating-point sums depend on the order; the result must not.
        rates.sort_by(f64::total_cmp);
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64)
    };
    TextSummary {
        by: by.into(),
        value: value.into(),
        pairs: rows.len(),
        empty_references: rows.len() - rated.len(),
        hallucinated_words: rows.iter().filter(|r| r.words.reference() == 0).map(|r| r.words.ins).sum(),
        words: rows.iter().map(|r| r.words).sum(),
        words_min_errors: rows.iter().map(|r| r.words_min_errors).sum(),
        chars: rows.iter().map(|r| r.chars).sum(),
        chars_min_errors: rows.iter().map(|r| r.chars_min_errors).sum(),
        wer,
        cer,
        ser,
        note,
        wer_macro: mean(&|r| r.words.rate()),
        cer_macro: mean(&|r| r.chars.rate()),
        sentences_wrong: wrong,
        chars_left_out: rated.iter().filter(|r| r.chars.reference() == 0).count(),
    }
}
