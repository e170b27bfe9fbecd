//! Suite + selection -> cells in a fixed order.

use std::collections::{BTreeSet, HashMap};

use vbench_core::Cell;

use crate::resolve::Suite;

/// Which part of a suite to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `property=value` terms; terms with the same property are alternatives, different properties must all hold.
    pub terms: Vec<(String, String)>,
    /// At most this many utterances, spread evenly over the selected ones.
    pub limit: Option<usize>,
}

/// Why a selection cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Not of the form `property=value`.
    #[error("--select takes `property=value` (e.g. condition=clean, speaker=slt, accent=gb), found `{0}`")]
    Form(String),
    /// The property or value does not occur.
    #[error("--select {property}={value} matches nothing; {property} takes: {known}")]
    NoMatch {
        /// Property.
        property: String,
        /// Value asked for.
        value: String,
        /// Values that occur.
        known: String,
    },
}

impl Selection {
    /// Parses the command line's terms; commas separate several in one argument.
    ///
    /// # Errors
    ///
    /// A term without `=`.
    pub fn parse(arguments: &[String], limit: Option<usize>) -> Result<Self, SelectionError> {
        let terms = arguments
            .iter()
            .flat_map(|a| a.split(','))
            .map(|term| match term.split_once('=') {
                Some((p, v)) if !p.is_empty() && !v.is_empty() => Ok((p.to_string(), v.to_string())),
                _ => Err(SelectionError::Form(term.to_string())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { terms, limit })
    }
}

/// All cells of the suite that the selection keeps: model by model, utterance by utterance, condition by condition,
/// so that an utterance is decoded once for all of its conditions. A cell that several included suites ask for
/// appears once.
///
/// # Errors
///
/// A term whose property or value does not occur in the suite.
pub fn expand(suite: &Suite, selection: &Selection) -> Result<Vec<Cell>, SelectionError> {
    let wanted: BTreeSet<(usize, usize, usize)> = suite
        .blocks
        .iter()
        .flat_map(|b| {
            b.models.iter().flat_map(move |m| {
                b.utterances.iter().flat_map(move |u| b.conditions.iter().map(move |c| (*m, *u, *c)))
            })
        })
        .collect();
    for (property, value) in &selection.terms {
        let known: BTreeSet<String> = wanted.iter().filter_map(|key| property_of(suite, *key, property)).collect();
        if !known.contains(value) {
            let known = if known.is_empty() {
                "nothing in this suite".into()
            } else {
                known.into_iter().collect::<Vec<_>>().join(", ")
            };
            return Err(SelectionError::NoMatch { property: property.clone(), value: value.clone(), known });
        }
    }
    let mut chosen: Vec<_> = wanted.into_iter().filter(|key| keeps(suite, selection, *key)).collect();
    if let Some(limit) = selection.limit {
        let utterances: Vec<usize> = chosen.iter().map(|k| k.1).collect::<BTreeSet<_>>().into_iter().collect();
        let kept: BTreeSet<usize> = spread(&utterances, limit).into_iter().collect();
        chosen.retain(|k| kept.contains(&k.1));
    }
    Ok(chosen.into_iter().map(|(model, utterance, condition)| cell(suite, model, utterance, condition)).collect())
}

/// Reorders a plan so that the models take turns on every cell: utterance by utterance, condition by condition, the models
/// innermost, their order reversed from one cell to the next (ABBA), so that drift of the machine meets all of them alike.
pub fn interleave_models(cells: &mut [Cell]) {
    let utterances = in_order(cells.iter().map(|c| c.utterance));
    let conditions = in_order(cells.iter().map(|c| c.condition));
    let place = |c: &Cell| (utterances[&c.utterance], conditions[&c.condition]);
    cells.sort_by_key(|c| (place(c), c.model));
    let turns = cells.chunk_by_mut(|a, b| (a.utterance, a.condition) == (b.utterance, b.condition));
    turns.skip(1).step_by(2).for_each(<[Cell]>::reverse);
}

/// The distinct numbers with their place in the order of first appearance.
fn in_order(numbers: impl Iterator<Item = usize>) -> HashMap<usize, usize> {
    let mut places = HashMap::new();
    for number in numbers {
        let next = places.len();
        places.entry(number).or_insert(next);
    }
    places
}

fn cell(suite: &Suite, model: usize, utterance: usize, condition: usize) -> Cell {
    let u = &suite.utterances[utterance];
    let key = format!("{}/{}/{}/{}", u.corpus, u.id, suite.conditions[condition].name, suite.models[model].name);
    Cell { key, utterance, condition, model }
}

fn keeps(suite: &Suite, selection: &Selection, key: (usize, usize, usize)) -> bool {
    let properties: BTreeSet<&str> = selection.terms.iter().map(|t| t.0.as_str()).collect();
    properties.iter().all(|property| {
        property_of(suite, key, property)
            .is_some_and(|actual| selection.terms.iter().any(|(p, v)| p == property && *v == actual))
    })
}

fn property_of(suite: &Suite, (model, utterance, condition): (usize, usize, usize), property: &str) -> Option<String> {
    let u = &suite.utterances[utterance];
    match property {
        "model" => Some(suite.models[model].name.clone()),
        "condition" => Some(suite.conditions[condition].name.clone()),
        "snr" => suite.conditions[condition].target_snr_db().map(|s| s.to_string()),
        "corpus" => Some(u.corpus.clone()),
        "speaker" => u.speaker.clone(),
        "session" => u.session.clone(),
        "language" => u.language.clone(),
        "utterance" | "id" => Some(u.id.clone()),
        tag => u.tags.get(tag).cloned(),
    }
}

/// `limit` items at even distances.
fn spread(items: &[usize], limit: usize) -> Vec<usize> {
    if limit >= items.len() {
        return items.to_vec();
    }
    (0..limit).map(|i| items[i * items.len() / limit]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_models_take_turns_abba_and_no_cell_is_lost() {
        let cell = |utterance, condition, model| Cell { key: String::new(), utterance, condition, model };
        let mut cells = Vec::new();
        for model in [0, 1] {
            for utterance in [4, 2] {
                cells.extend([0, 1].map(|condition| cell(utterance, condition, model)));
            }
        }
        interleave_models(&mut cells);
        let order: Vec<_> = cells.iter().map(|c| (c.utterance, c.condition, c.model)).collect();
        let expected = [(4, 0, 0), (4, 0, 1), (4, 1, 1), (4, 1, 0), (2, 0, 0), (2, 0, 1), (2, 1, 1), (2, 1, 0)];
        assert_eq!(order, expected);
    }
}
