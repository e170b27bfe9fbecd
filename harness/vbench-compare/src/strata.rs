//! Which cells belong together.

use crate::scored::ScoredCell;

/// The value of a property for a cell, as shown in tables; `None` leaves the cell out of that property's strata.
///
/// `condition`, `speaker`, `corpus` and `snr` are built in, everything else is a tag. `snr` groups by the target SNR
/// of the condition, so that clean and codec conditions are in none of its strata.
#[must_use]
pub fn value_of(cell: &ScoredCell, by: &str) -> Option<String> {
    match by {
        "condition" => Some(cell.condition.clone()),
        "speaker" => cell.speaker.clone(),
        "corpus" => Some(cell.corpus.clone()),
        "snr" => cell.target_snr_db.map(|snr| format!("{snr} dB")),
        tag => cell.tags.get(tag).cloned(),
    }
}

/// The values of a property in the order they first appear, with the cells of each.
#[must_use]
pub fn group<'a>(cells: &[&'a ScoredCell], by: &str) -> Vec<(String, Vec<&'a ScoredCell>)> {
    let mut groups: Vec<(String, Vec<&ScoredCell>)> = Vec::new();
    for cell in cells {
        let Some(value) = value_of(cell, by) else {
            continue;
        };
        match groups.iter_mut().find(|(v, _)| *v == value) {
            Some((_, members)) => members.push(cell),
            None => groups.push((value, vec![cell])),
        }
    }
    groups
}
