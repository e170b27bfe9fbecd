//! What a cell contributes to a metric: a numerator and a denominator, summed first and divided once.

use vbench_core::GateMetric;

use crate::scored::ScoredCell;

/// Numerator and denominator of one cell; `None` where the metric does not apply (an empty reference has no error rate,
/// a clean cell no achieved SNR, an untimed cell no RTF, a cell without timing or latency budget no late-is-empty WER; coverage is counted, not summed).
#[must_use]
pub fn contribution(cell: &ScoredCell, metric: GateMetric) -> Option<(f64, f64)> {
    let spoken = cell.words.reference() > 0;
    match metric {
        GateMetric::Wer => spoken.then(|| (cell.words.errors() as f64, cell.words.reference() as f64)),
        // A late output counts as an empty one: all of its reference words are deleted, nothing is inserted.
        GateMetric::WerLateEmpty => cell.late.filter(|_| spoken).map(|late| {
            let reference = cell.words.reference() as f64;
            (if late { reference } else { cell.words.errors() as f64 }, reference)
        }),
        GateMetric::Cer => {
            (cell.chars.reference() > 0).then(|| (cell.chars.errors() as f64, cell.chars.reference() as f64))
        }
        GateMetric::Ser => spoken.then(|| (if cell.words.errors() > 0 { 1.0 } else { 0.0 }, 1.0)),
        GateMetric::Snr => cell.achieved_snr_db.map(|snr| (snr, 1.0)),
        GateMetric::Rtf => cell.processing_s.filter(|_| cell.audio_s > 0.0).map(|p| (p, cell.audio_s)),
        GateMetric::Coverage => None,
    }
}
