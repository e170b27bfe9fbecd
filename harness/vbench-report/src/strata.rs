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
    /// Rows left out, none with a higher error rate than those that stand here.
    pub left_out: usize,
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
            Group { by, rows, left_out: 0 }
        })
        .collect()
}

/// The same with at most `most` rows a property, those with the highest error rate: what a reader can take in.
pub(crate) fn hardest_groups(summary: &Summary, most: usize) -> Vec<Group<'_>> {
    let mut all = groups(summary);
    for group in &mut all {
        group.left_out = keep_largest(&mut group.rows, most, |row| row.wer.value);
    }
    all
}

/// Keeps the `most` items with the largest key in their order; NaN is smallest. How many went.
pub(crate) fn keep_largest<T>(list: &mut Vec<T>, most: usize, key: impl Fn(&T) -> f64) -> usize {
    let left_out = list.len().saturating_sub(most);
    if left_out > 0 {
        let of = |i: &usize| Some(key(&list[*i])).filter(|k| !k.is_nan()).unwrap_or(f64::NEG_INFINITY);
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by(|a, b| of(b).total_cmp(&of(a)));
        let kept: HashSet<usize> = order.into_iter().take(most).collect();
        let mut at = 0;
        list.retain(|_| {
            at += 1;
            kept.contains(&(at - 1))
        });
    }
    left_out
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
