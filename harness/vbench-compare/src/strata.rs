//! Which cells belong together.

use std::collections::HashMap;

use vbench_core::length::{DURATION_LABELS, LENGTH_BINS, duration_bin, length_bin};

use crate::scored::ScoredCell;

/// The value of a property for a cell, as shown in tables; `None` leaves the cell out of that property's strata.
///
/// `condition`, `speaker`, `corpus`, `snr`, `length` and `duration` are built in, everything else is a tag; `language` is
/// a tag that every utterance with a language has. `snr` groups by the target SNR of the condition, so that clean and
/// codec conditions are in none of its strata. `length` groups by reference words, `duration` by seconds of audio, in
/// the bins of [`vbench_core::length`]; a tag of one of these two names wins over the bins.
#[must_use]
pub fn value_of(cell: &ScoredCell, by: &str) -> Option<String> {
    match by {
        "condition" => Some(cell.condition.clone()),
        "speaker" => cell.speaker.clone(),
        "corpus" => Some(cell.corpus.clone()),
        "snr" => cell.target_snr_db.map(|snr| format!("{snr} dB")),
        "length" if !cell.tags.contains_key(by) => Some(length_bin(cell.reference_words).to_owned()),
        "duration" if !cell.tags.contains_key(by) => duration_bin(cell.audio_s).map(str::to_owned),
        tag => cell.tags.get(tag).cloned(),
    }
}

/// Where a value stands among those of its property, for properties whose values have an order of their own.
#[must_use]
pub fn rank_of(by: &str, value: &str) -> usize {
    let bins: &[&str] = match by {
        "length" => &LENGTH_BINS,
        "duration" => &DURATION_LABELS,
        _ => &[],
    };
    bins.iter().position(|b| *b == value).unwrap_or(bins.len())
}

/// The values of a property in the order they first appear, with the cells of each.
#[must_use]
pub fn group<'a>(cells: &[&'a ScoredCell], by: &str) -> Vec<(String, Vec<&'a ScoredCell>)> {
    let mut groups: Vec<(String, Vec<&ScoredCell>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for cell in cells {
        let Some(value) = value_of(cell, by) else {
            continue;
        };
        if let Some(place) = places.get(&value) {
            groups[*place].1.push(cell);
        } else {
            places.insert(value.clone(), groups.len());
            groups.push((value, vec![cell]));
        }
    }
    groups
}
