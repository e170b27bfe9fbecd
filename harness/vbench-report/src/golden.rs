//! A golden against a run, as text.

use vbench_compare::golden::GoldenDifference;
use vbench_compare::{DifferenceClass, GoldenDiff};

use crate::format::{count, shortened, visible};
use crate::grid::Grid;

/// Changed cells shown; the rest is counted.
const SHOWN: usize = 40;
/// Longest transcript shown, in characters.
const TEXT: usize = 160;

/// Counts by class, then every changed cell with its texts, the broken ones first.
#[must_use]
pub fn golden_text(name: &str, diff: &GoldenDiff) -> String {
    let mut grid = Grid::new(&[("class", false), ("cells", true), ("meaning", false)]);
    for class in DifferenceClass::ALL {
        grid.push(vec![class.name().into(), count(diff.count(class) as u64), class.meaning().into()]);
    }
    for (label, cells, meaning) in [
        ("new", &diff.new, "not in the golden yet: accept them"),
        ("other reference", &diff.reference_differs, "the reference text changed: accept them"),
        ("not in the run", &diff.unplanned, "in the golden only: not judged"),
    ] {
        if !cells.is_empty() {
            grid.push(vec![label.into(), count(cells.len() as u64), meaning.into()]);
        }
    }
    let mut out = format!("golden of {}\n\n{}", visible(name), grid.plain());
    let mut changed: Vec<&GoldenDifference> = diff.cells.iter().filter(|c| c.class > DifferenceClass::Equal).collect();
    changed.sort_by_key(|c| std::cmp::Reverse(c.class));
    for c in changed.iter().take(SHOWN) {
        let text = |t: &str| shortened(&visible(t), TEXT);
        out += &format!(
            "\n{} {} ({} -> {} errors)\n  said      {}\n  accepted  {}\n  now       {}\n",
            c.class.name(),
            visible(&c.place),
            c.errors.0,
            c.errors.1,
            text(&c.reference),
            text(&c.accepted),
            c.now.as_ref().map_or_else(|| "(no transcript)".into(), |t| text(t))
        );
    }
    if changed.len() > SHOWN {
        out += &format!("\n… and {} more changed cells\n", changed.len() - SHOWN);
    }
    out
}
