//! Run folders and goldens as sides of a comparison.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use vbench_compare::{ErrorKind, ErrorTable, Machines, Pairing, Side, SideCell, pair};
use vbench_core::ExitCode;
use vbench_score::analysis::WordClasses;
use vbench_score::{AlignOp, Normalizer, PairScore};
use vbench_stats::mapsswe::{UtteranceOutcome, WordOutcome};
use vbench_store::{Row, RunRecord};

use crate::cli::ScoringArguments;
use crate::failure::Failure;
use crate::render::{condition_sentences, rules_of};
use crate::score::{Rules, score_texts, scored_cell};

/// A run folder, read but not scored yet.
pub struct LoadedRun {
    /// Its folder.
    pub path: PathBuf,
    /// What it holds.
    pub record: RunRecord,
    /// The scoring rules it names.
    pub rules: Rules,
}

impl LoadedRun {
    /// Reads a run folder; a file inside it will do.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let folder = if path.is_file() { path.parent().unwrap_or(Path::new(".")) } else { path };
        if !folder.join("run.json").exists() && ["bench.json", "against.json"].iter().any(|n| folder.join(n).exists()) {
            let text = "holds a bench: its times are compared by `vbench bench A --against B`, its budgets judged by \
                        `vbench gate FOLDER`; a run of a suite is asked for";
            return Err(Failure::new(ExitCode::Usage, format!("{} {text}", folder.display())));
        }
        let record = RunRecord::read(folder)?;
        let rules = rules_of(&record.record)?;
        Ok(Self { path: folder.to_path_buf(), record, rules })
    }

    /// Model names in the order of the record, those of rows behind them.
    #[must_use]
    pub fn models(&self) -> Vec<String> {
        let listed = self.record.record["models"].as_array().into_iter().flatten();
        let mut names: Vec<String> = listed.filter_map(|m| Some(m["name"].as_str()?.to_string())).collect();
        for row in &self.record.rows {
            if !names.contains(&row.model) {
                names.push(row.model.clone());
            }
        }
        names
    }

    /// The model asked for, or the only one.
    pub fn model(&self, wanted: Option<&str>, option: &str) -> Result<String, Failure> {
        let names = self.models();
        let path = self.path.display();
        match (wanted, names.as_slice()) {
            (Some(name), _) if names.iter().any(|n| n == name) => Ok(name.to_string()),
            (Some(name), _) => {
                let known = names.join(", ");
                Err(Failure::new(ExitCode::Usage, format!("{path} has no model `{name}`; it has: {known}")))
            }
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(Failure::new(ExitCode::NothingSelected, format!("{path} has no rows"))),
            (None, several) => {
                let known = several.join(", ");
                Err(Failure::new(
                    ExitCode::Usage,
                    format!("{path} has several models ({known}): name one with {option}"),
                ))
            }
        }
    }

    /// One model, scored.
    pub fn side(&self, model: &str, rules: &Rules) -> Result<Side, Failure> {
        // The same label in two corpora is two speakers: that belongs to the run, not to the rules it is scored by.
        let rules = Rules { several_corpora: self.rules.several_corpora, ..rules.clone() };
        let rows: Vec<&Row> = self.record.rows.iter().filter(|r| r.model == model).collect();
        let mut classes: HashMap<&str, WordClasses> = HashMap::new();
        for row in &rows {
            classes.entry(language(row)).or_insert_with_key(|tag| WordClasses::for_language(tag));
        }
        let scored: Vec<Scored> = rows
            .par_iter()
            .map(|row| score(&self.record, row, &rules, &classes[language(row)]))
            .collect::<Result<_, Failure>>()?;
        let planned = self.record.record["planned"].as_u64().map_or(self.record.rows.len(), |n| n as usize);
        let outstanding = planned.saturating_sub(self.record.rows.len());
        let mut side = Side { model: model.to_string(), outstanding, ..Side::default() };
        for cell in scored {
            match cell {
                Scored::Done(cell) => side.cells.push(*cell),
                Scored::Lost(cell) => side.unscored.push(*cell),
            }
        }
        Ok(side)
    }

    /// A value of the suite as resolved.
    #[must_use]
    pub fn suite(&self, key: &str) -> &Value {
        &self.record.record["suite"][key]
    }

    /// The suite's name.
    #[must_use]
    pub fn suite_name(&self) -> &str {
        self.suite("name").as_str().unwrap_or_default()
    }

    /// Strings of a list of the suite as resolved.
    #[must_use]
    pub fn suite_strings(&self, key: &str) -> Vec<String> {
        self.suite(key).as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
    }

    /// Condition names in suite order.
    #[must_use]
    pub fn conditions(&self) -> Vec<String> {
        condition_sentences(&self.record.record).into_iter().map(|(name, _)| name).collect()
    }

    /// The seed of the run.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.suite("seed").as_u64().unwrap_or(0)
    }
}

enum Scored {
    Done(Box<SideCell>),
    Lost(Box<vbench_compare::ScoredCell>),
}

/// The language whose word lists class a row's words; English where it is not told.
fn language(row: &Row) -> &str {
    row.tags.get("language").map_or("en", String::as_str)
}

fn score(record: &RunRecord, row: &Row, rules: &Rules, classes: &WordClasses) -> Result<Scored, Failure> {
    let Some(score) = score_texts(row, rules)?.filter(|_| row.outcome == "ok") else {
        return Ok(Scored::Lost(Box::new(scored_cell(record, row, rules, None))));
    };
    Ok(Scored::Done(Box::new(SideCell {
        scored: scored_cell(record, row, rules, Some(&score)),
        reference: row.reference.clone(),
        hypothesis: row.hyp.clone().unwrap_or_default(),
        normalized: score.hypothesis_tokens.join(" "),
        audio_sha256: row.receipt.as_ref().map(|r| r.output_sha256.clone()).unwrap_or_default(),
        errors: error_table(&score, classes, &classes.names(&row.reference)),
        outcome: outcome(&score),
    })))
}

fn error_table(score: &PairScore, classes: &WordClasses, names: &[String]) -> ErrorTable {
    let mut table = ErrorTable::default();
    let class = |tokens: &[String], i: u32| classes.class(tokens.get(i as usize).map_or("", String::as_str), names);
    for op in &score.word_alignment {
        match *op {
            AlignOp::Hit { .. } => {}
            AlignOp::Sub { reference, .. } => {
                table.add(ErrorKind::Substitution, class(&score.reference_tokens, reference));
            }
            AlignOp::Del { reference } => table.add(ErrorKind::Deletion, class(&score.reference_tokens, reference)),
            AlignOp::Ins { hypothesis } => table.add(ErrorKind::Insertion, class(&score.hypothesis_tokens, hypothesis)),
        }
    }
    table
}

fn outcome(score: &PairScore) -> UtteranceOutcome {
    let mut out = UtteranceOutcome::default();
    let mut inserted = 0;
    for op in &score.word_alignment {
        let wrong = match op {
            AlignOp::Ins { .. } => {
                inserted += 1;
                continue;
            }
            AlignOp::Hit { .. } => false,
            AlignOp::Sub { .. } | AlignOp::Del { .. } => true,
        };
        out.words.push(WordOutcome { inserted_before: std::mem::take(&mut inserted), wrong });
    }
    out.inserted_at_end = inserted;
    out
}

/// The rules that score both runs, and what was forced. Different normalisers or weights are refused unless told.
pub fn common_rules(a: &LoadedRun, b: &LoadedRun, scoring: &ScoringArguments) -> Result<(Rules, Vec<String>), Failure> {
    let mut rules = b.rules.clone();
    if let Some(name) = &scoring.normalizer {
        rules.normalizer = Normalizer::from_name(name).map_err(|e| Failure::new(ExitCode::Usage, e))?;
    }
    let mut forced = Vec::new();
    let ids = (a.rules.normalizer.id(), b.rules.normalizer.id());
    if scoring.normalizer.is_none() && ids.0 != ids.1 {
        let text = format!(
            "normalisers differ: {} scored with `{}`, {} with `{}`",
            a.path.display(),
            ids.0,
            b.path.display(),
            ids.1
        );
        let hint = "score both with one: --normalizer NAME, or with that of the second run: --force";
        refuse(scoring, &mut forced, text, hint)?;
    }
    if a.rules.weights != b.rules.weights {
        let text = format!("alignment weights differ: `{}` and `{}`", a.rules.weights.name(), b.rules.weights.name());
        refuse(scoring, &mut forced, text, "score both with those of the second run: --force")?;
    }
    Ok((rules, forced))
}

/// How the suites of two runs preprocess recordings, where they declare it differently.
#[must_use]
pub fn other_preprocessing(a: &LoadedRun, b: &LoadedRun) -> Option<String> {
    let (of_a, of_b) = (preprocessing(a), preprocessing(b));
    (of_a != of_b).then(|| format!("A {of_a}, B {of_b}"))
}

fn preprocessing(run: &LoadedRun) -> &str {
    run.suite("preprocess").as_str().unwrap_or("none")
}

/// Of some cells those whose audio was not the same before preprocessing: another recording, recipe or seed.
fn other_before_preprocessing(a: (&LoadedRun, &Side), b: (&LoadedRun, &Side), cells: &[String]) -> Vec<String> {
    let before = |(run, side): (&LoadedRun, &Side)| -> HashMap<String, (String, String, Option<u64>)> {
        let rows = run.record.rows.iter().filter(|r| r.model == side.model);
        rows.filter_map(|r| {
            let receipt = r.receipt.as_ref()?;
            let place = format!("{}/{}/{}", r.corpus, r.utt, r.condition);
            Some((place, (receipt.input_sha256.clone(), receipt.recipe.clone(), receipt.seed)))
        })
        .collect()
    };
    let (a, b) = (before(a), before(b));
    cells.iter().filter(|c| a.get(*c) != b.get(*c)).cloned().collect()
}

/// Pairs two sides. Other references or other audio under the same names are refused unless told; audio that differs by the declared
/// preprocessing alone is not, where `preprocessing_compared`.
pub fn common_cells<'s>(
    a: (&LoadedRun, &'s Side),
    b: (&LoadedRun, &'s Side),
    scoring: &ScoringArguments,
    forced: &mut Vec<String>,
    preprocessing_compared: bool,
) -> Result<Pairing<'s>, Failure> {
    let pairing = pair(a.1, b.1);
    let some = |cells: &[String]| {
        let shown = cells.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        if cells.len() > 3 {
            format!("{} cells ({shown}, …)", cells.len())
        } else {
            format!("{} cell{} ({shown})", cells.len(), if cells.len() == 1 { "" } else { "s" })
        }
    };
    let other = &pairing.left_out.reference_differs;
    if !other.is_empty() {
        let text = format!("reference texts differ in {}: another version of the corpus", some(other));
        refuse(scoring, forced, text, "leave these cells out with --force")?;
    }
    let declared = other_preprocessing(a.0, b.0);
    let other_audio = match &declared {
        Some(_) if preprocessing_compared => other_before_preprocessing(a, b, &pairing.audio_differs),
        _ => pairing.audio_differs.clone(),
    };
    if !other_audio.is_empty() {
        let seeds = (a.0.seed(), b.0.seed());
        let why = match declared {
            Some(text) if !preprocessing_compared => format!("the suites preprocess recordings differently ({text})"),
            _ if seeds.0 == seeds.1 => "another recording or recipe".to_string(),
            _ => format!("the seeds differ, {} and {}", seeds.0, seeds.1),
        };
        let text = format!("the models heard different audio in {}: {why}", some(&other_audio));
        refuse(scoring, forced, text, "compare them nevertheless with --force")?;
    }
    if pairing.pairs.is_empty() {
        let left = pairing.left_out.total();
        let (a, b) = (a.0.path.display(), b.0.path.display());
        return Err(Failure::new(
            ExitCode::NothingSelected,
            format!("{a} and {b} share no cell with a hypothesis ({left} cells are in one of them only)"),
        ));
    }
    Ok(pairing)
}

fn refuse(scoring: &ScoringArguments, forced: &mut Vec<String>, text: String, hint: &str) -> Result<(), Failure> {
    if scoring.force {
        forced.push(text);
        return Ok(());
    }
    Err(Failure::new(ExitCode::InputInvalid, format!("{text}; {hint}")))
}

/// Whether two runs come from the same class of machine: system, processor, number of cores.
#[must_use]
pub fn machines(a: &LoadedRun, b: &LoadedRun) -> Machines {
    let class = |run: &LoadedRun| {
        let m = &run.record.record["machine"];
        let text = |key: &str| m[key].as_str().map(str::to_string);
        Some((text("os")?, text("arch")?, text("cpu")?, m["cores"].as_u64()?))
    };
    let shown = |c: &(String, String, String, u64)| format!("{}, {} cores, {} {}", c.2, c.3, c.0, c.1);
    match (class(a), class(b)) {
        (Some(x), Some(y)) if x == y => Machines::Same,
        (Some(x), Some(y)) => {
            Machines::Differ(format!("another machine: the baseline's is {}, this run's {}", shown(&x), shown(&y)))
        }
        _ => Machines::Differ("the machine of one of the runs is not known".into()),
    }
}
