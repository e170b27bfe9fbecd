//! Where a difference comes from: exact splits, because errors are counts, and the utterances that carry most of it.

use std::collections::BTreeMap;

use vbench_score::analysis::WordClass;

use crate::pair::{ErrorKind, Pair};

/// Utterances shown.
pub const CARRIERS: usize = 10;

/// A part of the difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// A speaker, condition, class of words or kind of error.
    pub value: String,
    /// Word errors of the first side.
    pub errors_a: u64,
    /// Word errors of the second side.
    pub errors_b: u64,
    /// What it adds to the difference of WER, a fraction of all reference words; the parts of a split sum to the whole.
    pub contribution: f64,
}

impl Share {
    /// Errors of the second side less those of the first.
    #[must_use]
    pub fn change(&self) -> i64 {
        self.errors_b as i64 - self.errors_a as i64
    }
}

/// All parts along one property.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// `speaker`, `condition`, `word class` or `error type`.
    pub by: String,
    /// The parts: speakers by what they add, the most first; the others in their own order.
    pub shares: Vec<Share>,
}

/// An utterance with its change over all shared conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Carrier {
    /// `corpus/utterance`.
    pub utterance: String,
    /// Speaker or `-`.
    pub speaker: String,
    /// Shared cells of it.
    pub cells: usize,
    /// Word errors of the first side.
    pub errors_a: u64,
    /// Word errors of the second side.
    pub errors_b: u64,
    /// The condition with the largest change; its texts are shown.
    pub condition: String,
    /// Raw reference.
    pub reference: String,
    /// Raw hypothesis of the first side there.
    pub hypothesis_a: String,
    /// Raw hypothesis of the second side there.
    pub hypothesis_b: String,
}

impl Carrier {
    /// Errors of the second side less those of the first: below 0 it was fixed, above 0 broken.
    #[must_use]
    pub fn change(&self) -> i64 {
        self.errors_b as i64 - self.errors_a as i64
    }
}

/// The difference of WER, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Reference words of the shared cells.
    pub words: u64,
    /// Word errors of the first side.
    pub errors_a: u64,
    /// Word errors of the second side.
    pub errors_b: u64,
    /// Along speaker, condition, word class and error type.
    pub splits: Vec<Split>,
    /// The utterances with the largest change either way, at most [`CARRIERS`].
    pub carriers: Vec<Carrier>,
    /// Utterances with fewer errors.
    pub fixed: usize,
    /// Utterances with more errors.
    pub broken: usize,
    /// Utterances with as many errors.
    pub same: usize,
    /// Hallucinated words (against empty references, outside every rate) of both sides.
    pub hallucinated: (u64, u64),
}

impl Explained {
    /// Word errors of the second side less those of the first.
    #[must_use]
    pub fn change(&self) -> i64 {
        self.errors_b as i64 - self.errors_a as i64
    }
}

/// Takes the difference of word errors over shared cells apart.
#[must_use]
pub fn explain(pairs: &[Pair<'_>], conditions: &[String]) -> Explained {
    let spoken: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.a.scored.words.reference() > 0).collect();
    let silent = || pairs.iter().filter(|p| p.a.scored.words.reference() == 0);
    let words: u64 = spoken.iter().map(|p| p.a.scored.words.reference()).sum();
    let share = |value: String, errors_a: u64, errors_b: u64| {
        let change = errors_b as f64 - errors_a as f64;
        Share { value, errors_a, errors_b, contribution: if words > 0 { change / words as f64 } else { 0.0 } }
    };
    let by_class = WordClass::ALL.map(|class| {
        let errors = |first: bool| -> u64 {
            spoken.iter().map(|p| (if first { p.a } else { p.b }).errors.of_class(class)).sum()
        };
        share(class.name().into(), errors(true), errors(false))
    });
    let by_kind = ErrorKind::ALL.map(|kind| {
        let errors =
            |first: bool| -> u64 { spoken.iter().map(|p| (if first { p.a } else { p.b }).errors.of_kind(kind)).sum() };
        share(kind.name().into(), errors(true), errors(false))
    });
    let mut speakers = grouped(&spoken, |p| p.b.scored.speaker.clone().unwrap_or_else(|| "(not known)".into()), &share);
    speakers.sort_by_key(|s| (std::cmp::Reverse(s.change().unsigned_abs()), s.value.clone()));
    let mut by_condition = grouped(&spoken, |p| p.b.scored.condition.clone(), &share);
    by_condition.sort_by_key(|s| conditions.iter().position(|c| *c == s.value).unwrap_or(usize::MAX));
    let split = |by: &str, shares: Vec<Share>| Split { by: by.into(), shares };
    let all = carriers(&spoken);
    let count = |f: fn(i64) -> bool| all.iter().filter(|c| f(c.change())).count();
    Explained {
        words,
        errors_a: spoken.iter().map(|p| p.a.scored.words.errors()).sum(),
        errors_b: spoken.iter().map(|p| p.b.scored.words.errors()).sum(),
        splits: vec![
            split("condition", by_condition),
            split("error type", by_kind.to_vec()),
            split("word class", by_class.to_vec()),
            split("speaker", speakers),
        ],
        fixed: count(|c| c < 0),
        broken: count(|c| c > 0),
        same: count(|c| c == 0),
        carriers: all.into_iter().filter(|c| c.change() != 0).take(CARRIERS).collect(),
        hallucinated: (silent().map(|p| p.a.scored.words.ins).sum(), silent().map(|p| p.b.scored.words.ins).sum()),
    }
}

/// The utterances that moved, and a waterfall of the whole difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Utterances with more errors, the largest change first.
    pub broken: Vec<Carrier>,
    /// Utterances with fewer errors, the largest change first.
    pub fixed: Vec<Carrier>,
    /// What every utterance that moved adds to the difference, the largest change first: sums to the whole as every split.
    pub split: Split,
}

/// All utterances that moved; ties in the order of their names.
#[must_use]
pub fn moved(pairs: &[Pair<'_>]) -> Moved {
    let spoken: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.a.scored.words.reference() > 0).collect();
    let words: u64 = spoken.iter().map(|p| p.a.scored.words.reference()).sum();
    let all: Vec<Carrier> = carriers(&spoken).into_iter().filter(|c| c.change() != 0).collect();
    let share = |c: &Carrier| Share {
        value: c.utterance.clone(),
        errors_a: c.errors_a,
        errors_b: c.errors_b,
        contribution: if words > 0 { c.change() as f64 / words as f64 } else { 0.0 },
    };
    let split = Split { by: "utterance".into(), shares: all.iter().map(share).collect() };
    let (broken, fixed) = all.into_iter().partition(|c| c.change() > 0);
    Moved { broken, fixed, split }
}

/// One step from the first side's WER to the second's.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// A part of the difference.
    pub value: String,
    /// Errors of the second side less those of the first.
    pub change: i64,
    /// WER before the step, a fraction.
    pub from: f64,
    /// WER behind it.
    pub to: f64,
}

/// The parts of a split one behind the other, from the first side's WER to the second's exactly.
///
/// Parts without a change are left out. Of more than `keep` parts the ones with the largest change are shown, in the
/// split's order, and the others are one last step that says how many they are.
#[must_use]
pub fn waterfall(explained: &Explained, split: &Split, keep: usize) -> Vec<Step> {
    let moving: Vec<&Share> = split.shares.iter().filter(|s| s.change() != 0).collect();
    let mut by_size: Vec<usize> = (0..moving.len()).collect();
    by_size.sort_by_key(|i| (std::cmp::Reverse(moving[*i].change().unsigned_abs()), *i));
    let mut kept: Vec<usize> = by_size.into_iter().take(keep).collect();
    kept.sort_unstable();
    let mut parts: Vec<(String, i64)> = kept.iter().map(|i| (moving[*i].value.clone(), moving[*i].change())).collect();
    let shown: i64 = parts.iter().map(|(_, change)| change).sum();
    let rest = moving.len() - kept.len();
    // A split may leave utterances out that did not move, never errors: the remainder is what the others add.
    let remainder = explained.change() - shown;
    if rest > 0 || remainder != 0 {
        parts.push((format!("{rest} others"), remainder));
    }
    let rate = |errors: i64| if explained.words > 0 { errors as f64 / explained.words as f64 } else { 0.0 };
    let mut at = explained.errors_a as i64;
    parts
        .into_iter()
        .map(|(value, change)| {
            let from = rate(at);
            at += change;
            Step { value, change, from, to: rate(at) }
        })
        .collect()
}

fn grouped(
    pairs: &[&Pair<'_>],
    name: impl Fn(&Pair<'_>) -> String,
    share: &dyn Fn(String, u64, u64) -> Share,
) -> Vec<Share> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for pair in pairs {
        let entry = sums.entry(name(pair)).or_default();
        entry.0 += pair.a.scored.words.errors();
        entry.1 += pair.b.scored.words.errors();
    }
    sums.into_iter().map(|(value, (a, b))| share(value, a, b)).collect()
}

/// Every utterance, those with the largest change first; ties in the order of their names.
fn carriers(pairs: &[&Pair<'_>]) -> Vec<Carrier> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Pair<'_>>> = BTreeMap::new();
    for pair in pairs {
        let cell = &pair.b.scored;
        groups.entry((&cell.corpus, &cell.utterance)).or_default().push(pair);
    }
    let change = |p: &Pair<'_>| p.b.scored.words.errors().abs_diff(p.a.scored.words.errors());
    let mut all: Vec<(u64, Carrier)> = groups
        .into_iter()
        .filter_map(|((corpus, utterance), members)| {
            let errors_a: u64 = members.iter().map(|p| p.a.scored.words.errors()).sum();
            let errors_b: u64 = members.iter().map(|p| p.b.scored.words.errors()).sum();
            // Of the cells that moved in the direction of the whole, the one that moved most; the first of several.
            let towards = |p: &Pair<'_>| {
                let (a, b) = (p.a.scored.words.errors(), p.b.scored.words.errors());
                (b >= a) == (errors_b >= errors_a)
            };
            let shown = members.iter().rev().max_by_key(|p| (towards(p), change(p)))?;
            let carrier = Carrier {
                utterance: format!("{corpus}/{utterance}"),
                speaker: shown.b.scored.speaker.clone().unwrap_or_else(|| "-".into()),
                cells: members.len(),
                errors_a,
                errors_b,
                condition: shown.b.scored.condition.clone(),
                reference: shown.b.reference.clone(),
                hypothesis_a: shown.a.hypothesis.clone(),
                hypothesis_b: shown.b.hypothesis.clone(),
            };
            Some((errors_a.abs_diff(errors_b), carrier))
        })
        .collect();
    all.sort_by_key(|(change, _)| std::cmp::Reverse(*change));
    all.into_iter().map(|(_, carrier)| carrier).collect()
}
