//! Stored rows -> scored cells. Derived data: made again from the rows whenever it is wanted.

use std::collections::HashMap;

use rayon::prelude::*;
use vbench_compare::ScoredCell;
use vbench_core::{ErrorCounts, ExitCode, Severity};
use vbench_score::{Normalizer, PairScore, Weights, score_pair};
use vbench_store::{Row, RunRecord};

use crate::failure::Failure;

/// How rows are scored.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Normaliser.
    pub normalizer: Normalizer,
    /// Alignment weights.
    pub weights: Weights,
    /// Target SNR in dB by condition name, for the SNR strata.
    pub target_snr_db: HashMap<String, f64>,
    /// Place on a severity curve by condition name.
    pub severity: HashMap<String, Severity>,
    /// Several corpora: the same label in two of them is two speakers.
    pub several_corpora: bool,
    /// Latency budget in milliseconds beyond the end of the audio, where the suite declares one.
    pub latency_budget_ms: Option<f64>,
}

fn within(corpus: &str, label: &str, rules: &Rules) -> String {
    if rules.several_corpora { format!("{corpus}/{label}") } else { label.to_string() }
}

/// Every row with its score; the order is that of the rows.
pub struct Scored {
    /// Cells with a hypothesis.
    pub scored: Vec<ScoredCell>,
    /// Index into the record's rows of each scored cell.
    pub row_index: Vec<usize>,
    /// Cells without a hypothesis, with zero counts.
    pub unscored: Vec<ScoredCell>,
}

/// Scores all rows of a run.
///
/// # Errors
///
/// A text too long to align.
pub fn score_rows(record: &RunRecord, rules: &Rules) -> Result<Scored, Failure> {
    let cells: Vec<ScoredCell> =
        record.rows.par_iter().map(|row| score_row(record, row, rules)).collect::<Result<_, _>>()?;
    let mut all = Scored { scored: Vec::new(), row_index: Vec::new(), unscored: Vec::new() };
    for (index, (row, cell)) in record.rows.iter().zip(cells).enumerate() {
        if row.outcome == "ok" {
            all.scored.push(cell);
            all.row_index.push(index);
        } else {
            all.unscored.push(cell);
        }
    }
    Ok(all)
}

/// The score of one row's texts.
///
/// # Errors
///
/// A text too long to align.
pub fn score_texts(row: &Row, rules: &Rules) -> Result<Option<PairScore>, Failure> {
    let score = |hyp: &String| score_pair(&row.reference, hyp, &rules.normalizer, rules.weights);
    let too_long = |e| Failure::new(ExitCode::InputInvalid, format!("{}: {e}", row.cell));
    row.hyp.as_ref().map(score).transpose().map_err(too_long)
}

fn score_row(record: &RunRecord, row: &Row, rules: &Rules) -> Result<ScoredCell, Failure> {
    Ok(scored_cell(record, row, rules, score_texts(row, rules)?.as_ref()))
}

/// Words of a reference after normalising.
fn reference_words(row: &Row, rules: &Rules) -> u64 {
    // A reference too long to align has no score either way; the cell then says so.
    score_pair(&row.reference, "", &rules.normalizer, rules.weights).map_or(0, |s| s.words.reference())
}

/// A row with its score; without one the counts are zero.
#[must_use]
pub fn scored_cell(record: &RunRecord, row: &Row, rules: &Rules, score: Option<&PairScore>) -> ScoredCell {
    let processing_s = record.timings.get(&row.cell).map(vbench_store::TimingLine::processing_s);
    let receipt = match row.to_outcome() {
        vbench_core::Outcome::Ok { receipt, .. } => Some(receipt),
        _ => None,
    };
    let counts = score.map_or((ErrorCounts::ZERO, 0, ErrorCounts::ZERO), |s| (s.words, s.words_min_errors, s.chars));
    ScoredCell {
        cell: row.cell.clone(),
        utterance: row.utt.clone(),
        corpus: row.corpus.clone(),
        condition: row.condition.clone(),
        model: row.model.clone(),
        speaker: row.speaker.as_ref().map(|s| within(&row.corpus, s, rules)),
        session: row.session.as_ref().map(|s| within(&row.corpus, s, rules)),
        tags: row.tags.clone(),
        target_snr_db: rules.target_snr_db.get(&row.condition).copied(),
        severity: rules.severity.get(&row.condition).cloned(),
        achieved_snr_db: receipt.as_ref().and_then(vbench_core::Receipt::achieved_snr_db),
        signal: receipt.map_or_else(Vec::new, |r| r.signal),
        reference_words: score.map_or_else(|| reference_words(row, rules), |s| s.words.reference()),
        words: counts.0,
        words_min_errors: counts.1,
        chars: counts.2,
        audio_s: row.receipt.as_ref().map_or(0.0, |r| r.samples as f64 / f64::from(vbench_audio::RATE_HZ)),
        processing_s,
        // Every model so far hears the whole clip at once: its output comes its processing time after the audio's end.
        late: rules.latency_budget_ms.and_then(|budget| Some(processing_s? * 1e3 > budget)),
    }
}

/// Refuses a suite whose scoring rules this program does not know, before anything is run.
///
/// # Errors
///
/// Unknown normaliser or weights.
pub fn check_rules(suite: &vbench_suite::Suite) -> Result<(), Failure> {
    let invalid =
        |message: String| Failure::new(ExitCode::SuiteInvalid, format!("{}: {message}", suite.path.display()));
    Normalizer::from_name(&suite.normalizer).map_err(|e| invalid(format!("normalizer: {e}")))?;
    Weights::from_name(&suite.weights).ok_or_else(|| invalid(format!("weights: unknown `{}`", suite.weights)))?;
    for model in &suite.models {
        vbench_model::ModelSpec::parse(&model.spec).map_err(|e| invalid(format!("models.{}: {e}", model.name)))?;
    }
    Ok(())
}
