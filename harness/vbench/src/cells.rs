//! Stored and scored rows -> the list of cells in the report.

use rayon::prelude::*;
use vbench_compare::ScoredCell;
use vbench_compare::strata::value_of;
use vbench_report::{CellList, CellRow};
use vbench_store::{Row, RunRecord};

use crate::failure::Failure;
use crate::render::aligned_tokens;
use crate::score::{Rules, Scored, score_texts};

/// Every cell in plan order. Alignments are made again for the cells that have an error.
///
/// # Errors
///
/// A text too long to align.
pub fn cell_list(record: &RunRecord, rules: &Rules, scored: &Scored) -> Result<CellList, Failure> {
    let declared = record.record["suite"]["strata"].as_array().into_iter().flatten();
    let properties: Vec<String> = declared.filter_map(|p| p.as_str().map(str::to_string)).collect();
    let mut cells: Vec<Option<&ScoredCell>> = vec![None; record.rows.len()];
    for (index, cell) in scored.row_index.iter().zip(&scored.scored) {
        cells[*index] = Some(cell);
    }
    // The others stand in the order of the rows too.
    let mut unscored = scored.unscored.iter();
    let pairs: Vec<(&Row, Option<&ScoredCell>, bool)> = record
        .rows
        .iter()
        .zip(cells)
        .map(|(row, cell)| cell.map_or_else(|| (row, unscored.next(), false), |c| (row, Some(c), true)))
        .collect();
    let rows = pairs
        .par_iter()
        .filter_map(|(row, cell, is_scored)| Some((row, (*cell)?, *is_scored)))
        .map(|(row, cell, is_scored)| cell_row(row, cell, is_scored, rules, &properties))
        .collect::<Result<_, _>>()?;
    Ok(CellList { properties, rows })
}

/// One cell as the list shows it.
///
/// # Errors
///
/// A text too long to align.
pub fn cell_row(
    row: &Row,
    cell: &ScoredCell,
    is_scored: bool,
    rules: &Rules,
    properties: &[String],
) -> Result<CellRow, Failure> {
    let words = is_scored.then_some(cell.words);
    let score = if words.is_some_and(|w| w.errors() > 0) { score_texts(row, rules)? } else { None };
    Ok(CellRow {
        cell: row.cell.clone(),
        utterance: format!("{}/{}", row.corpus, row.utt),
        speaker: cell.speaker.clone().unwrap_or_else(|| "-".into()),
        condition: row.condition.clone(),
        model: row.model.clone(),
        strata: properties.iter().map(|by| value_of(cell, by)).collect(),
        outcome: row.outcome.clone(),
        reason: row.reason.as_ref().map_or_else(String::new, |r| format!("{}: {}", r.kind, r.text)),
        words,
        wer: words.and_then(|w| w.rate()),
        reference: row.reference.clone(),
        hypothesis: row.hyp.clone(),
        alignment: score.as_ref().map_or_else(Vec::new, aligned_tokens),
        recipe: row.receipt.as_ref().map_or_else(String::new, |r| r.recipe.clone()),
        achieved: row.receipt.as_ref().map_or_else(String::new, |r| achieved(r, cell.audio_s)),
    })
}

/// Length, level and what each step achieved, rounded: `2.4 s, active_level_dbfs -25.2, achieved_snr_db 5.00`. Hashes
/// and positions stay in `rows.jsonl`.
fn achieved(receipt: &vbench_store::RowReceipt, audio_s: f64) -> String {
    let mut facts = vec![format!("{audio_s:.2} s")];
    if let Some(level) = receipt.active_level_dbfs {
        facts.push(format!("active_level_dbfs {level:.1}"));
    }
    for (name, value) in receipt.steps.iter().flat_map(|s| &s.achieved) {
        let place = ["source_", "microphone_"].iter().any(|p| name.starts_with(p));
        let Some(number) = value.as_f64().filter(|v| *v != 0.0 && !place) else { continue };
        facts.push(if value.is_u64() { format!("{name} {number}") } else { format!("{name} {number:.2}") });
    }
    facts.join(", ")
}
