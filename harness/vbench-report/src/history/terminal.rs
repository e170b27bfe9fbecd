//! The history as tables on a terminal.

use super::{HistoryInput, RunView, runs_in_words, views};
use crate::bench_history;
use crate::grid::Grid;
use crate::strata::push_new;
use crate::terminal::wrapped;
use crate::view::text;

/// Rows of a table.
const TERMINAL_RUNS: usize = 20;

/// The history for a terminal of `width` columns: changes and a table per branch, the latest runs first.
#[must_use]
pub fn history_text(input: &HistoryInput, width: usize) -> String {
    let wrap = |text: &str| -> String { wrapped(text, width.min(120)).iter().map(|l| format!("{l}\n")).collect() };
    let mut out = String::new();
    for group in views(input) {
        out += &wrap(&format!(
            "suite {}, normaliser {}, alignment weights {}, seed {}",
            group.suite, group.normalizer, group.weights, group.seed
        ));
        for branch in &group.branches {
            out += &format!("\nbranch {}, {}\n", branch.branch, runs_in_words(&branch.runs_total));
            for c in &branch.changes {
                let model = c.model.as_ref().map_or_else(String::new, |m| format!("; the model changed: {m}"));
                out += &wrap(&format!(
                    "{}: {} {} -> {} %, {} points {}, {}, since {} (commit {}){model}",
                    if c.worse { "worse" } else { "better" },
                    c.what,
                    c.before,
                    c.after,
                    c.difference,
                    c.interval,
                    c.p,
                    c.run,
                    c.commit
                ));
            }
            branch.remarks.iter().chain(&branch.specs).for_each(|r| out += &wrap(r));
            let mut missing: Vec<&'static str> = Vec::new();
            let titles = [(&branch.rows, format!("{} %", branch.metric)), (&branch.times, "RTF".to_owned())];
            for (rows, metric) in titles.iter().filter(|(rows, _)| !rows.is_empty()) {
                for (i, model) in branch.models.iter().enumerate() {
                    let (text, left_out) = runs_grid(rows, i).fitted(width, &[2, 1, 5]);
                    out += &format!("\n{metric} of {model}\n{text}");
                    left_out.into_iter().for_each(|c| push_new(&mut missing, c));
                }
                if rows.len() > TERMINAL_RUNS {
                    out += &format!("{} older runs are in history.html.\n", rows.len() - TERMINAL_RUNS);
                }
            }
            if !missing.is_empty() {
                out += &wrap(&format!("no room for {} at this width: the page has them", missing.join(", ")));
            }
        }
        out.push('\n');
    }
    bench_history::paragraphs(&input.benches).iter().for_each(|p| out += &wrap(p));
    for (name, why) in &input.unreadable {
        out += &wrap(&format!("not read: {}: {}", text(name), text(why)));
    }
    out.truncate(out.trim_end().len());
    out
}

/// The runs of one model.
fn runs_grid(rows: &[RunView], model: usize) -> Grid {
    let mut grid = Grid::new(&[
        ("run", false),
        ("began, UTC", false),
        ("commit", false),
        ("cells", true),
        ("value", true),
        ("95 %", true),
    ]);
    for row in rows.iter().take(TERMINAL_RUNS) {
        let name = if row.changed { format!("{} (change)", row.name) } else { row.name.clone() };
        let (value, interval) = row.values.get(model).cloned().unwrap_or_default();
        grid.push(vec![name, row.created.clone(), row.commit.clone(), row.cells.clone(), value, interval]);
    }
    grid
}
