//! References that models agree against: several models hear the same thing, and the corpus says something else.
//!
//! Of an utterance, with texts normalised, `agreement(x, y)` is `1 - errors(x, y) / max(words(x), words(y))` with the least
//! number of word errors. Its score is the mean agreement of all pairs of models minus the mean agreement of the models
//! with the reference: 0 where models differ from each other as they differ from the reference, above 0 where they agree
//! with each other more. An utterance is suspicious with a score above 0 and at least one place where every model
//! has the same words instead of the reference's; punctuation that a normaliser leaves is no word.

use rayon::prelude::*;
use vbench_core::Estimate;
use vbench_score::{AlignOp, Normalizer, PairScore, ScoreError, Weights, score_pair};
use vbench_stats::{Observation, Plan, choose_unit, ratio_estimate};

/// One utterance as every model heard it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardByAll<'a> {
    /// Identity, unique, e.g. `corpus/id/condition`.
    pub id: &'a str,
    /// Who spoke, if known.
    pub speaker: Option<&'a str>,
    /// Recording session, if known.
    pub session: Option<&'a str>,
    /// What the corpus says.
    pub reference: &'a str,
    /// What each model says, in their order; two or more.
    pub hypotheses: Vec<&'a str>,
}

/// One place where all models have the same words instead of the reference's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedEdit {
    /// Normalised words of the reference; empty where the models hear more.
    pub reference: String,
    /// Normalised words of every model; empty where they hear nothing.
    pub models: String,
}

/// A suspicious reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Index of the utterance.
    pub index: usize,
    /// Agreement of the models minus agreement with the reference, above 0 and at most 1.
    pub score: f64,
    /// Mean agreement of all pairs of models, 0 to 1.
    pub agreement: f64,
    /// Mean agreement of the models with the reference, 0 to 1.
    pub with_reference: f64,
    /// Where all models agree against the reference, in its order.
    pub edits: Vec<AgreedEdit>,
}

/// WER of a model with and without the suspicious utterances.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelWithout {
    /// The model.
    pub model: String,
    /// Over all utterances.
    pub with: Estimate,
    /// Over those that are not suspicious.
    pub without: Estimate,
    /// Word errors over all utterances.
    pub errors: u64,
    /// Word errors in the suspicious ones.
    pub errors_in_suspects: u64,
}

/// What the models say about the references.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspects {
    /// Utterances that all models heard.
    pub utterances: usize,
    /// Reference words, normalised.
    pub reference_words: u64,
    /// Reference words of the suspicious ones.
    pub suspect_words: u64,
    /// The suspicious ones, the highest score first, then by id.
    pub list: Vec<Suspect>,
    /// Every model, in their order.
    pub models: Vec<ModelWithout>,
}

struct Judged {
    suspect: Option<Suspect>,
    /// Errors of each model, and reference words.
    errors: Vec<u64>,
    words: u64,
}

/// Ranks utterances by how much the models agree with each other against the reference.
///
/// # Errors
/// Texts too long to align.
pub fn suspects(
    models: &[String],
    utterances: &[HeardByAll<'_>],
    normalizer: &Normalizer,
    weights: Weights,
    seed: u64,
) -> Result<Suspects, ScoreError> {
    let judge = |(index, u): (usize, &HeardByAll<'_>)| judge(index, u, normalizer, weights);
    let judged: Vec<Judged> = utterances.par_iter().enumerate().map(judge).collect::<Result<_, _>>()?;
    let plan = Plan::new(seed);
    let estimate = |model: usize, all: bool| {
        // Insertions against an empty reference have no rate.
        let used = utterances.iter().zip(&judged).filter(|(_, j)| j.words > 0 && (all || j.suspect.is_none()));
        let observations: Vec<Observation<'_>> = used
            .map(|(u, j)| Observation {
                utterance: u.id,
                speaker: u.speaker,
                session: u.session,
                num: j.errors[model] as f64,
                den: j.words as f64,
            })
            .collect();
        let key = format!("suspects {} {}", models[model], if all { "with" } else { "without" });
        ratio_estimate(&choose_unit(&observations), &plan, &key)
    };
    let of_model = |(m, name): (usize, &String)| {
        let rated = || judged.iter().filter(|j| j.words > 0);
        ModelWithout {
            model: name.clone(),
            with: estimate(m, true),
            without: estimate(m, false),
            errors: rated().map(|j| j.errors[m]).sum(),
            errors_in_suspects: rated().filter(|j| j.suspect.is_some()).map(|j| j.errors[m]).sum(),
        }
    };
    let of_models = models.iter().enumerate().map(of_model).collect();
    let reference_words = judged.iter().map(|j| j.words).sum();
    let suspect_words = judged.iter().filter(|j| j.suspect.is_some()).map(|j| j.words).sum();
    let mut list: Vec<Suspect> = judged.into_iter().filter_map(|j| j.suspect).collect();
    list.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| utterances[a.index].id.cmp(utterances[b.index].id)));
    Ok(Suspects { utterances: utterances.len(), reference_words, suspect_words, list, models: of_models })
}

fn judge(
    index: usize,
    utterance: &HeardByAll<'_>,
    normalizer: &Normalizer,
    weights: Weights,
) -> Result<Judged, ScoreError> {
    let hypotheses = &utterance.hypotheses;
    let score = |text: &str, hypothesis: &str| score_pair(text, hypothesis, normalizer, weights);
    let scores: Vec<PairScore> = hypotheses.iter().map(|h| score(utterance.reference, h)).collect::<Result<_, _>>()?;
    let errors = scores.iter().map(|s| s.words.errors()).collect();
    let words = scores.first().map_or(0, |s| s.words.reference());
    // Where one model agrees with the reference there is nothing that all have against it.
    if scores.len() < 2 || scores.iter().any(|s| s.words_min_errors == 0) {
        return Ok(Judged { suspect: None, errors, words });
    }
    let mut pairs = Vec::new();
    for (i, a) in hypotheses.iter().enumerate() {
        for b in &hypotheses[i + 1..] {
            pairs.push(agreement(&score(a, b)?));
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let agreed = mean(&pairs);
    let with_reference = mean(&scores.iter().map(agreement).collect::<Vec<_>>());
    let edits = common_edits(&scores);
    let score = agreed - with_reference;
    // A rounding error is no agreement.
    let suspicious = score > 1e-9 && !edits.is_empty();
    let suspect = suspicious.then_some(Suspect { index, score, agreement: agreed, with_reference, edits });
    Ok(Judged { suspect, errors, words })
}

/// One where both are empty.
fn agreement(score: &PairScore) -> f64 {
    let longest = score.reference_tokens.len().max(score.hypothesis_tokens.len());
    if longest == 0 { 1.0 } else { 1.0 - score.words_min_errors as f64 / longest as f64 }
}

/// A stretch of the reference and what a model has instead.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Edit<'s> {
    from: usize,
    to: usize,
    words: &'s [String],
}

/// The stretches between hits.
fn edits(score: &PairScore) -> Vec<Edit<'_>> {
    let mut edits = Vec::new();
    let (mut at, mut heard) = (0, 0);
    let (mut from, mut heard_from) = (0, 0);
    let mut close = |from: usize, to: usize, heard: &std::ops::Range<usize>| {
        if from < to || !heard.is_empty() {
            edits.push(Edit { from, to, words: &score.hypothesis_tokens[heard.clone()] });
        }
    };
    for op in &score.word_alignment {
        match op {
            AlignOp::Hit { .. } => {
                close(from, at, &(heard_from..heard));
                (at, heard) = (at + 1, heard + 1);
                (from, heard_from) = (at, heard);
            }
            AlignOp::Sub { .. } => (at, heard) = (at + 1, heard + 1),
            AlignOp::Del { .. } => at += 1,
            AlignOp::Ins { .. } => heard += 1,
        }
    }
    close(from, at, &(heard_from..heard));
    edits
}

fn common_edits(scores: &[PairScore]) -> Vec<AgreedEdit> {
    let all: Vec<Vec<Edit<'_>>> = scores.iter().map(edits).collect();
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let words = &scores[0].reference_tokens;
    // What a normaliser leaves of `...` is no word that somebody heard or did not hear.
    let spoken = |e: &Edit<'_>| words[e.from..e.to].iter().chain(e.words).any(|w| w.contains(char::is_alphanumeric));
    let common = first.iter().filter(|edit| spoken(edit) && others.iter().all(|o| o.contains(edit)));
    common.map(|e| AgreedEdit { reference: words[e.from..e.to].join(" "), models: e.words.join(" ") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(rows: &[(&'static str, &'static str, &[&'static str])]) -> Suspects {
        let of_row = |(id, reference, hypotheses): &(&'static str, &'static str, &[&'static str])| HeardByAll {
            id,
            speaker: None,
            session: None,
            reference,
            hypotheses: hypotheses.to_vec(),
        };
        let utterances: Vec<HeardByAll<'_>> = rows.iter().map(of_row).collect();
        let models: Vec<String> = (0..rows[0].2.len()).map(|i| format!("m{i}")).collect();
        suspects(&models, &utterances, &Normalizer::WhisperEn, Weights::Sclite, 1).expect("short texts")
    }

    #[test]
    fn the_score_is_agreement_of_models_minus_agreement_with_the_reference() {
        // Two words of four differ from the reference in both, one of four between the models.
        let found = rank(&[("a", "red cat and dog", &["green cat and cow", "green cat and fox"])]);
        let [suspect] = &found.list[..] else { panic!("{found:?}") };
        assert!((suspect.agreement - 0.75).abs() < 1e-12);
        assert!((suspect.with_reference - 0.5).abs() < 1e-12);
        assert!((suspect.score - 0.25).abs() < 1e-12);
        let edits: Vec<(&str, &str)> = suspect.edits.iter().map(|e| (&*e.reference, &*e.models)).collect();
        assert_eq!(edits, [("red", "green")], "at the last word they do not agree");
    }

    #[test]
    fn what_all_models_hear_is_suspicious_and_what_one_hears_is_not() {
        let found = rank(&[
            (
                "typo",
                "press three to mute or umute all",
                &["Press 3 to mute or unmute all.", "press three to mute or unmute all"],
            ),
            ("one hears it", "the cat sat", &["the cat sat", "the bat sat"]),
            ("both err apart", "the cat sat down", &["the bat sat down", "the hat sat down"]),
            ("right", "good morning", &["Good morning.", "good morning"]),
            ("both hear more", "thank you", &["thank you very much", "thank you very much"]),
            ("both hear nothing", "yes", &["", ""]),
        ]);
        let names = ["typo", "one hears it", "both err apart", "right", "both hear more", "both hear nothing"];
        let listed: Vec<&str> = found.list.iter().map(|s| names[s.index]).collect();
        assert_eq!(listed, ["both hear nothing", "both hear more", "typo"]);
        let edit = |s: &Suspect| (s.edits[0].reference.clone(), s.edits[0].models.clone());
        assert_eq!(edit(&found.list[2]), ("umute".into(), "unmute".into()));
        assert_eq!(edit(&found.list[1]), (String::new(), "very much".into()));
        assert_eq!((found.models[0].errors, found.models[0].errors_in_suspects), (5, 4));
        assert!(found.models[0].without.value < found.models[0].with.value);
    }

    #[test]
    fn punctuation_alone_is_not_suspicious() {
        let found = rank(&[("a", "To mute yourself...", &["to mute yourself.", "To mute yourself."])]);
        assert!(found.models[0].errors == 1 && found.list.is_empty(), "{found:?}");
    }

    #[test]
    fn three_models_must_all_agree() {
        let all = rank(&[("a", "a b c", &["a x c", "a x c", "a x c"])]);
        let two = rank(&[("a", "a b c", &["a x c", "a x c", "a y c"])]);
        assert_eq!((all.list.len(), two.list.len()), (1, 0));
    }
}
