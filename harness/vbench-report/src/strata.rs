//! Strata in the order in which every output shows them.

use std::collections::{HashMap, HashSet};

use vbench_compare::{StratumSummary, Summary};
use vbench_core::Estimate;

use crate::format;

/// Strata of one property over all models.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    /// Property: `all`, `condition`, `snr`, `speaker` or a tag name.
    pub by: &'a str,
    /// Values in the order of first appearance; models of one value stand together.
    pub rows: Vec<&'a StratumSummary>,
}

impl<'a> Group<'a> {
    /// The distinct values in order.
    pub(crate) fn values(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        self.rows.iter().map(|row| row.value.as_str()).filter(|value| seen.insert(*value)).collect()
    }

    /// The stratum of a model and value.
    pub(crate) fn find(&self, model: &str, value: &str) -> Option<&'a StratumSummary> {
        self.rows.iter().find(|r| r.model == model && r.value == value).copied()
    }

    /// Heading: `Overall`, `By condition`, `By SNR`, …
    pub(crate) fn title(&self) -> String {
        match self.by {
            "all" => "Overall".to_owned(),
            "snr" => "By SNR".to_owned(),
            by => format!("By {}", crate::format::visible(by)),
        }
    }
}

/// Strata grouped by property, both in the order of first appearance.
pub(crate) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let mut order: Vec<&str> = Vec::new();
    for stratum in &summary.strata {
        push_new(&mut order, stratum.by.as_str());
    }
    order
        .into_iter()
        .map(|by| {
            let mut rows: Vec<&StratumSummary> = summary.strata.iter().filter(|s| s.by == by).collect();
            let mut values = HashMap::new();
            for row in &rows {
                let next = values.len();
                values.entry(row.value.as_str()).or_insert(next);
            }
            // Stable: models keep the summary's order within a value.
            rows.sort_by_key(|row| values[row.value.as_str()]);
            Group { by, rows }
        })
        .collect()
}

/// Model names in the order of first appearance.
pub(crate) fn models(summary: &Summary) -> Vec<&str> {
    let mut models = Vec::new();
    for stratum in &summary.strata {
        push_new(&mut models, stratum.model.as_str());
    }
    models
}

/// The level of all intervals, when they share one.
pub(crate) fn common_level<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> Option<String> {
    let mut levels = Vec::new();
    for interval in estimates.filter_map(|e| format::usable_interval(e).ok()) {
        push_new(&mut levels, format::level(interval.level));
    }
    if levels.len() == 1 { levels.pop() } else { None }
}

/// Appends what is not there yet; for lists of a few entries.
pub(crate) fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
