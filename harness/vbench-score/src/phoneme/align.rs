//! Alignment of two phoneme sequences with the costs of the inventory.

use super::inventory::{GAP_COST, Phoneme};

/// Largest number of cells of the table; two sequences of 2,000 phonemes stay below it.
pub const MAX_CELLS: usize = 1 << 22;

/// One step: a reference phoneme, a hypothesis phoneme, or both opposite each other (equal or not).
pub type Step = (Option<Phoneme>, Option<Phoneme>);

/// The alignment of least cost (see `inventory.rs`). Among those of equal cost the one is taken that a back-trace
/// from the end finds when it prefers both, then the insertion, then the deletion. `None` when the table would have more
/// than [`MAX_CELLS`] cells.
#[must_use]
pub fn align(reference: &[Phoneme], hypothesis: &[Phoneme]) -> Option<Vec<Step>> {
    let width = hypothesis.len() + 1;
    let cells = (reference.len() + 1).checked_mul(width).filter(|cells| *cells <= MAX_CELLS)?;
    let mut costs = vec![0u32; cells];
    for (j, cost) in costs[..width].iter_mut().enumerate() {
        *cost = j as u32 * GAP_COST;
    }
    for (i, r) in reference.iter().enumerate() {
        let (above, row) = costs[i * width..].split_at_mut(width);
        row[0] = above[0] + GAP_COST;
        for (j, h) in hypothesis.iter().enumerate() {
            row[j + 1] = (above[j] + r.cost(*h)).min(row[j] + GAP_COST).min(above[j + 1] + GAP_COST);
        }
    }
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    let mut steps = Vec::with_capacity(i.max(j));
    while i > 0 || j > 0 {
        let here = costs[i * width + j];
        if i > 0 && j > 0 && here == costs[(i - 1) * width + j - 1] + reference[i - 1].cost(hypothesis[j - 1]) {
            (i, j) = (i - 1, j - 1);
            steps.push((Some(reference[i]), Some(hypothesis[j])));
        } else if j > 0 && here == costs[i * width + j - 1] + GAP_COST {
            j -= 1;
            steps.push((None, Some(hypothesis[j])));
        } else {
            i -= 1;
            steps.push((Some(reference[i]), None));
        }
    }
    steps.reverse();
    Some(steps)
}
