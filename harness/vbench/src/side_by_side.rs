//! The shared cells of two sides as one run of two models, for what a comparison shows side by side.

use std::collections::HashMap;

use rayon::prelude::*;
use vbench_compare::analysis::AnalysedCell;
use vbench_compare::{Analysis, Coverage, Moved, ScoredCell, SideCell, Summary, SummaryHead, summarize};
use vbench_report::{CellList, CellRow};
use vbench_store::{Row, RunRecord};

use crate::analysis::{analyse_cells, stages_of};
use crate::cells::cell_row;
use crate::commands::compare::Compared;
use crate::failure::Failure;
use crate::render::condition_sentences;

/// The property of the list of cells that tells whether an utterance was broken or fixed.
const CHANGE: &str = "change";

/// Both sides as models.
pub struct Together {
    /// Counts and estimates over the shared cells.
    pub summary: Summary,
    /// Where errors and time come from.
    pub analysis: Analysis,
    /// Every shared cell of both sides.
    pub cells: CellList,
}

impl Together {
    /// Summarises and analyses the shared cells under the names of both sides.
    ///
    /// # Errors
    ///
    /// A text too long to align.
    pub fn of(compared: &Compared<'_>, moved: &Moved, (a, b): (&str, &str)) -> Result<Self, Failure> {
        let pairs = &compared.pairing.pairs;
        let sides = [
            (format!("A: {a}"), &compared.a.0.record, pairs.iter().map(|p| p.a).collect::<Vec<_>>()),
            (format!("B: {b}"), &compared.b.0.record, pairs.iter().map(|p| p.b).collect()),
        ];
        let mut scored: Vec<ScoredCell> = Vec::with_capacity(2 * pairs.len());
        let mut texts: Vec<(&SideCell, &RunRecord)> = Vec::with_capacity(2 * pairs.len());
        for (model, record, cells) in &sides {
            scored.extend(cells.iter().map(|c| ScoredCell { model: model.clone(), ..c.scored.clone() }));
            texts.extend(cells.iter().map(|c| (*c, *record)));
        }
        let summary = summarize(head(compared), &scored, &[], Vec::new(), coverage(scored.len()));
        let analysed: Vec<AnalysedCell<'_>> = scored
            .iter()
            .zip(&texts)
            .map(|(cell, (side, record))| AnalysedCell {
                cell,
                reference: &side.reference,
                hypothesis: &side.hypothesis,
                stages: stages_of(record, &side.scored.cell),
            })
            .collect();
        let conditions: Vec<String> =
            condition_sentences(&compared.b.0.record.record).into_iter().map(|(name, _)| name).collect();
        let analysis = analyse_cells(&analysed, &scored, &conditions, compared.rules, &summary);
        Ok(Self { cells: cell_list(compared, moved, &sides)?, summary, analysis })
    }
}

fn coverage(done: usize) -> Coverage {
    Coverage { planned: done, done, ..Coverage::default() }
}

fn head(compared: &Compared<'_>) -> SummaryHead {
    let head = &compared.comparison.head;
    SummaryHead {
        suite: head.suite.clone(),
        normalizer: head.normalizer.clone(),
        weights: head.weights.clone(),
        seed: head.seed,
        primary: head.metrics.first().map_or("wer", |m| m.name()).into(),
        absent: Vec::new(),
        conditions: head.conditions.clone(),
        signal_metrics: Vec::new(),
        strata: head.strata.clone(),
        overall: Vec::new(),
        latency_budget_ms: None,
    }
}

type NamedSide<'a> = (String, &'a RunRecord, Vec<&'a SideCell>);

fn cell_list(compared: &Compared<'_>, moved: &Moved, sides: &[NamedSide<'_>]) -> Result<CellList, Failure> {
    let mut properties = compared.comparison.head.strata.clone();
    let changed = |list: &'_ [vbench_compare::explain::Carrier], word: &'static str| -> Vec<(String, &'static str)> {
        list.iter().map(|c| (c.utterance.clone(), word)).collect()
    };
    let change: HashMap<String, &str> =
        changed(&moved.broken, "broken").into_iter().chain(changed(&moved.fixed, "fixed")).collect();
    let mut rows = Vec::new();
    for (model, record, cells) in sides {
        let stored: HashMap<&str, &Row> = record.rows.iter().map(|r| (r.cell.as_str(), r)).collect();
        let one = |cell: &&SideCell| -> Option<Result<CellRow, Failure>> {
            let row = stored.get(cell.scored.cell.as_str())?;
            let made = cell_row(row, &cell.scored, true, compared.rules, &properties).map(|mut made| {
                made.cell = format!("{}/{}/{model}", made.utterance, made.condition);
                made.model.clone_from(model);
                made.strata.push(change.get(&made.utterance).map(|word| (*word).to_owned()));
                made
            });
            Some(made)
        };
        rows.extend(cells.par_iter().filter_map(one).collect::<Result<Vec<_>, _>>()?);
    }
    properties.push(CHANGE.into());
    Ok(CellList { properties, rows })
}
