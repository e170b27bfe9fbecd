//! `vbench suite check|list|plan`.

use std::path::{Path, PathBuf};

use comfy_table::{Table, TableStyle};
use rayon::prelude::*;
use vbench_core::{Cell, ExitCode};
use vbench_run::prepare::read_utterance;
use vbench_stats::{PowerAssumptions, detectable_difference};
use vbench_suite::{LoadContext, Selection, Suite, expand, load};

use crate::cli::{CacheArguments, SuiteCommand};
use crate::failure::{Failure, note, say};
use crate::open::cache_folder;

/// `vbench suite …`.
pub fn suite(command: &SuiteCommand) -> Result<ExitCode, Failure> {
    match command {
        SuiteCommand::Check { suites, cache } => check(suites, cache),
        SuiteCommand::List { folder, cache } => list(folder, cache),
        SuiteCommand::Plan { suite, select, limit, cache } => plan(suite, select, *limit, cache),
    }
}

fn context(cache: &CacheArguments) -> Result<LoadContext, Failure> {
    Ok(LoadContext { corpora_dir: Some(cache_folder(cache)?.join("corpora")) })
}

fn check(suites: &[PathBuf], cache: &CacheArguments) -> Result<ExitCode, Failure> {
    let context = context(cache)?;
    let mut worst = ExitCode::Passed;
    for path in suites {
        let failure = match load(path, &context) {
            Ok(suite) => crate::score::check_rules(&suite).err().or_else(|| check_audio(&suite)),
            Err(e) => Some(Failure::from(e)),
        };
        match failure {
            None => say(format_args!("{}: ok", path.display())),
            Some(failure) => {
                note(&failure.message);
                // The lowest non-zero code wins.
                worst = if worst == ExitCode::Passed { failure.code } else { worst.min(failure.code) };
            }
        }
    }
    Ok(worst)
}

/// Decodes every file that the suite would play.
fn check_audio(suite: &Suite) -> Option<Failure> {
    let bad: Vec<String> = suite
        .utterances
        .par_iter()
        .filter_map(|u| read_utterance(u).err().map(|reason| format!("  {}/{}: {}", u.corpus, u.id, reason.text)))
        .collect();
    for corpus in &suite.absent {
        say(format_args!("{}: corpus {}: skipped: not present ({})", suite.path.display(), corpus.name, corpus.hint));
    }
    (!bad.is_empty()).then(|| {
        let text = format!("{}: {} recordings cannot be used:\n{}", suite.path.display(), bad.len(), bad.join("\n"));
        Failure::new(ExitCode::InputInvalid, text)
    })
}

fn list(folder: &Path, cache: &CacheArguments) -> Result<ExitCode, Failure> {
    let context = context(cache)?;
    let entries = std::fs::read_dir(folder)
        .map_err(|e| Failure::new(ExitCode::SuiteInvalid, format!("cannot list {}: {e}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "toml") && p.file_name().is_some_and(|n| n != "corpora.toml"))
        .collect();
    paths.sort();
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["suite", "task", "cells", "description"]);
    let mut worst = ExitCode::Passed;
    for path in paths {
        match load(&path, &context) {
            Ok(suite) => {
                let cells = expand(&suite, &Selection::default())?.len();
                let mut description = suite.description.clone();
                for corpus in &suite.absent {
                    description += &format!(" [corpus {} not present: {}]", corpus.name, corpus.hint);
                }
                if let Some(reason) = &suite.not_in_all {
                    description += &format!(" [not in `all`: {reason}]");
                }
                table.add_row([path.display().to_string(), suite.task.name().into(), cells.to_string(), description]);
            }
            Err(e) => {
                let failure = Failure::from(e);
                note(&failure.message);
                worst = failure.code;
            }
        }
    }
    say(table);
    Ok(worst)
}

fn plan(path: &Path, select: &[String], limit: Option<u32>, cache: &CacheArguments) -> Result<ExitCode, Failure> {
    let suite = load(path, &context(cache)?)?;
    crate::score::check_rules(&suite)?;
    let cells = expand(&suite, &Selection::parse(select, limit.map(|n| n as usize))?)?;
    for corpus in &suite.absent {
        say(format_args!("corpus {}: skipped: not present; {}", corpus.name, corpus.hint));
    }
    if cells.is_empty() {
        return Err(Failure::new(ExitCode::NothingSelected, "no cells: the suite or the selection is empty"));
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header([
        "model",
        "condition",
        "cells",
        "speakers",
        "words",
        "audio",
        "smallest difference",
    ]);
    for (m, model) in suite.models.iter().enumerate() {
        for (c, condition) in suite.conditions.iter().enumerate() {
            let mine: Vec<&Cell> = cells.iter().filter(|cell| cell.model == m && cell.condition == c).collect();
            if !mine.is_empty() {
                let facts = Facts::of(&suite, &mine);
                table.add_row(facts.row(&model.name, &condition.name));
            }
        }
    }
    let all = Facts::of(&suite, &cells.iter().collect::<Vec<_>>());
    table.add_row(all.row("all", ""));
    say(table);
    let (low, high) = (all.audio_s * PLAN_RTF.0, all.audio_s * PLAN_RTF.1);
    say(format_args!(
        "estimated time on 2 cores: {:.0} to {:.0} min (real-time factor {} to {} for Whisper tiny on clips of a few seconds)",
        (low / 60.0).floor(),
        (high / 60.0).ceil(),
        PLAN_RTF.0,
        PLAN_RTF.1
    ));
    say(
        "smallest difference: between two models on the same cells, found with 80 % power at two-sided 5 %, assuming a\nWER of 5 %, 40 % of the errors not shared and an over-dispersion of 1.5. The line `all` takes the conditions of an utterance\nas independent, which they are not: it is a lower bound.",
    );
    Ok(ExitCode::Passed)
}

/// Real-time factors assumed before anything has run: see `reports/performance.md` for measured ones.
const PLAN_RTF: (f64, f64) = (0.1, 0.3);

struct Facts {
    cells: usize,
    speakers: usize,
    words: u64,
    audio_s: f64,
}

impl Facts {
    fn of(suite: &Suite, cells: &[&Cell]) -> Self {
        let utterances = cells.iter().map(|c| &suite.utterances[c.utterance]);
        let speakers: std::collections::BTreeSet<_> = utterances.clone().filter_map(|u| u.speaker.as_deref()).collect();
        Self {
            cells: cells.len(),
            speakers: speakers.len(),
            words: utterances.clone().map(|u| u.text.split_whitespace().count() as u64).sum(),
            audio_s: utterances.map(|u| u.duration_s.unwrap_or(0.0)).sum(),
        }
    }

    fn row(&self, model: &str, condition: &str) -> [String; 7] {
        let audio = if self.audio_s >= 3600.0 {
            format!("{:.2} h", self.audio_s / 3600.0)
        } else {
            format!("{:.1} min", self.audio_s / 60.0)
        };
        let mde = detectable_difference(self.words as f64, self.speakers, &PowerAssumptions::default())
            .map_or_else(|_| "n/a".into(), |d| format!("{:.2} points", 100.0 * d));
        [
            model.into(),
            condition.into(),
            self.cells.to_string(),
            self.speakers.to_string(),
            self.words.to_string(),
            audio,
            mde,
        ]
    }
}
