//! Mean time by stage, one after the other.

use vbench_core::Estimate;
use vbench_stats::Plan;

use super::AnalysedCell;
use crate::aggregate::estimate;
use crate::scored::ScoredCell;

/// One stretch of a cell's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTime<'a> {
    /// Name, e.g. `decode`.
    pub name: &'a str,
    /// Whose time it is, e.g. `harness`.
    pub owner: &'a str,
    /// Start, nanoseconds of one monotonic clock.
    pub t0: u64,
    /// End, nanoseconds.
    pub t1: u64,
}

/// Where the mean time of a cell goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waterfall {
    /// Stages in the order in which they begin, on average; each begins where the one before ended.
    pub stages: Vec<StageMean>,
    /// Mean time from the first stage's beginning to the last one's end, seconds: the stages' sum.
    pub total_s: f64,
    /// Cells with stages.
    pub cells: usize,
}

/// One stage on average.
#[derive(Debug, Clone, PartialEq)]
pub struct StageMean {
    /// Name; `between stages` for the time that no stage claims.
    pub name: String,
    /// Owner; empty for the time that no stage claims.
    pub owner: String,
    /// Where it begins: the sum of the means before it, seconds.
    pub from_s: f64,
    /// Mean over all cells with stages, seconds; a cell without this stage counts as 0.
    pub mean: Estimate,
    /// Cells that have this stage.
    pub cells: usize,
    /// Share of the whole, 0 to 1.
    pub share: f64,
}

/// Name of the time that no stage claims.
pub const BETWEEN: &str = "between stages";

/// At most so many stages are kept apart; a model with more has its last ones summed up in the time between stages.
const MAX_STAGES: usize = 12;

struct Column<'a> {
    name: &'a str,
    owner: &'a str,
    /// Sum of the distances from the cell's first beginning.
    offset: f64,
    cells: usize,
}

pub(super) fn waterfall(plan: &Plan, cells: &[&AnalysedCell<'_>]) -> Waterfall {
    let staged: Vec<&AnalysedCell<'_>> = cells.iter().copied().filter(|c| !c.stages.is_empty()).collect();
    if staged.is_empty() {
        return Waterfall::default();
    }
    let columns = columns(&staged);
    // One row a cell: the time in each column, then what no stage claims.
    let times: Vec<Vec<f64>> = staged.iter().map(|c| row(c, &columns)).collect();
    let scored: Vec<&ScoredCell> = staged.iter().map(|c| c.cell).collect();
    let mut stages = Vec::new();
    let mut from_s = 0.0;
    let names = columns.iter().map(|c| (c.name, c.owner)).chain([(BETWEEN, "")]);
    for (column, (name, owner)) in names.enumerate() {
        let present = times.iter().filter(|row| row[column] > 0.0).count();
        if column == columns.len() && present == 0 {
            continue;
        }
        let mean = mean(plan, &format!("stage/{owner}/{name}"), &scored, &times, column);
        let value = mean.value;
        let cells = columns.get(column).map_or(present, |c| c.cells);
        stages.push(StageMean { name: name.into(), owner: owner.into(), from_s, mean, cells, share: 0.0 });
        from_s += value;
    }
    for stage in &mut stages {
        stage.share = if from_s > 0.0 { stage.mean.value / from_s } else { 0.0 };
    }
    Waterfall { stages, total_s: from_s, cells: staged.len() }
}

/// The stages of all cells, by their mean distance from the beginning.
fn columns<'a>(cells: &[&AnalysedCell<'a>]) -> Vec<Column<'a>> {
    let mut columns: Vec<Column<'a>> = Vec::new();
    for cell in cells {
        let begin = begin(cell);
        for (i, stage) in cell.stages.iter().enumerate() {
            let again = cell.stages[..i].iter().any(|s| s.name == stage.name && s.owner == stage.owner);
            let offset = stage.t0.saturating_sub(begin) as f64;
            match columns.iter().position(|c| c.name == stage.name && c.owner == stage.owner) {
                Some(_) if again => {}
                Some(at) => {
                    columns[at].offset += offset;
                    columns[at].cells += 1;
                }
                None if columns.len() < MAX_STAGES => {
                    columns.push(Column { name: stage.name, owner: stage.owner, offset, cells: 1 });
                }
                None => {}
            }
        }
    }
    columns.sort_by(|a, b| (a.offset / a.cells as f64).total_cmp(&(b.offset / b.cells as f64)));
    columns
}

fn begin(cell: &AnalysedCell<'_>) -> u64 {
    cell.stages.iter().map(|s| s.t0).min().unwrap_or(0)
}

fn row(cell: &AnalysedCell<'_>, columns: &[Column<'_>]) -> Vec<f64> {
    let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 * 1e-9;
    let mut row = vec![0.0; columns.len() + 1];
    let mut claimed = 0;
    for stage in &cell.stages {
        if let Some(at) = columns.iter().position(|c| c.name == stage.name && c.owner == stage.owner) {
            row[at] += seconds(stage.t0, stage.t1);
            claimed += stage.t1.saturating_sub(stage.t0);
        }
    }
    let end = cell.stages.iter().map(|s| s.t1).max().unwrap_or(0);
    // Whole nanoseconds, so that stages without a gap leave exactly nothing.
    row[columns.len()] = end.saturating_sub(begin(cell)).saturating_sub(claimed) as f64 * 1e-9;
    row
}

fn mean(plan: &Plan, key: &str, cells: &[&ScoredCell], times: &[Vec<f64>], column: usize) -> Estimate {
    // `estimate` walks the cells in order and asks once for each.
    let next = std::cell::Cell::new(0);
    let value = |_: &ScoredCell| {
        let i = next.replace(next.get() + 1);
        Some((times[i][column], 1.0))
    };
    if times.iter().all(|row| row[column] == 0.0) {
        return Estimate::not_estimable(0.0, "no time was spent");
    }
    estimate(plan, key, cells, &value).0
}
