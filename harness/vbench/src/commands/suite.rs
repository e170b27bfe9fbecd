//! `vbench suite check|list|plan`.

use std::path::{Path, PathBuf};

use comfy_table::{Table, TableStyle};
use rayon::prelude::*;
use vbench_core::{Cell, ExitCode, ResamplingUnit};
use vbench_model::ModelSpec;
use vbench_run::prepare::read_utterance;
use vbench_stats::{Observation, PowerAssumptions, choose_unit, detectable_difference};
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
    let hashes = vbench_run::FileHashes::default();
    let bad: Vec<String> = suite
        .utterances
        .par_iter()
        .filter_map(|u| {
            read_utterance(u, &hashes).err().map(|reason| format!("  {}/{}: {}", u.corpus, u.id, reason.text))
        })
        .collect();
    for corpus in &suite.absent {
        say(format_args!("{}: corpus {}: skipped: not present ({})", suite.path.display(), corpus.name, corpus.hint));
    }
    (!bad.is_empty()).then(|| {
        let text = format!("{}: {} recordings cannot be used:\n{}", suite.path.display(), bad.len(), bad.join("\n"));
        Failure::new(ExitCode::InputInvalid, text)
    })
}

/// Files beside the suites that are none.
const REGISTRIES: [&str; 2] = ["corpora.toml", "lexicons.toml"];

fn list(folder: &Path, cache: &CacheArguments) -> Result<ExitCode, Failure> {
    let context = context(cache)?;
    let entries = std::fs::read_dir(folder)
        .map_err(|e| Failure::new(ExitCode::SuiteInvalid, format!("cannot list {}: {e}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "toml") && !REGISTRIES.iter().any(|r| p.ends_with(r)))
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
    let durations = Durations::of(&suite);
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
                let facts = Facts::of(&suite, &mine, &durations);
                table.add_row(facts.row(&model.name, &condition.name));
            }
        }
    }
    let all = Facts::of(&suite, &cells.iter().collect::<Vec<_>>(), &durations);
    table.add_row(all.row("all", ""));
    say(table);
    say(estimated_time(&suite, &cells, &durations, &cache_folder(cache)?));
    say(
        "smallest difference: between two models on the same cells, found with 80 % power at two-sided 5 %, assuming a\nWER of 5 %, 40 % of the errors not shared and an over-dispersion of 1.5. The line `all` takes the conditions of an utterance\nas independent, which they are not: it is a lower bound.",
    );
    Ok(ExitCode::Passed)
}

/// Seconds that a window of 30 s is assumed to take on 2 cores for every million parameters of Whisper, before anything has
/// run: `reports/performance.md` has measured ones (tiny.en, 38 million: 0.25 to 0.45 s).
const SECONDS_PER_WINDOW_AND_MILLION: (f64, f64) = (0.006, 0.016);

/// What a plan says about time: Whisper's cost is that of its windows, whatever they hold.
fn estimated_time(suite: &Suite, cells: &[Cell], durations: &Durations, cache: &Path) -> String {
    let mut seconds = (0.0, 0.0);
    let mut unknown = Vec::new();
    for (m, model) in suite.models.iter().enumerate() {
        let windows: f64 = cells
            .iter()
            .filter(|c| c.model == m)
            .map(|c| (durations.of_utterance(&suite.utterances[c.utterance]) / 30.0).ceil().max(1.0))
            .sum();
        match millions_of_parameters(&model.spec, cache) {
            Some(millions) => {
                seconds.0 += windows * millions * SECONDS_PER_WINDOW_AND_MILLION.0;
                seconds.1 += windows * millions * SECONDS_PER_WINDOW_AND_MILLION.1;
            }
            None => unknown.push(model.name.as_str()),
        }
    }
    let unknown = if unknown.is_empty() { String::new() } else { format!("; unknown for {}", unknown.join(", ")) };
    let sampled = durations.note();
    format!(
        "estimated time on 2 cores: {:.0} to {:.0} min (Whisper: {} to {} ms a window of 30 s and million parameters){unknown}{sampled}",
        (seconds.0 / 60.0).floor(),
        (seconds.1 / 60.0).ceil(),
        1e3 * SECONDS_PER_WINDOW_AND_MILLION.0,
        1e3 * SECONDS_PER_WINDOW_AND_MILLION.1,
    )
}

/// Size of a model from the registry or its folder, at two bytes a parameter; 0 for adapters that compute nothing.
fn millions_of_parameters(spec: &str, cache: &Path) -> Option<f64> {
    let ModelSpec::Whisper(options) = ModelSpec::parse(spec).ok()? else { return Some(0.0) };
    let is_weights = |name: &str| name.ends_with(".bin") || name.ends_with(".safetensors");
    let folder = [PathBuf::from(&options.model), cache.join("models").join(&options.model)];
    let bytes: u64 = match vbench_fetch::Registry::embedded().ok()?.model(&options.model) {
        Ok(entry) => entry.files.iter().filter(|f| is_weights(&f.name)).map(|f| f.size).sum(),
        Err(_) => std::fs::read_dir(folder.iter().find(|f| f.is_dir())?)
            .ok()?
            .filter_map(Result::ok)
            .filter(|e| is_weights(&e.file_name().to_string_lossy()))
            .filter_map(|e| e.metadata().ok())
            .map(|m| m.len())
            .sum(),
    };
    Some(bytes as f64 / 2e6)
}

/// Lengths of recordings; where a manifest does not state them, the mean of some that were decoded.
struct Durations {
    mean_s: std::collections::HashMap<String, f64>,
    sampled: usize,
    unknown: usize,
}

/// Recordings decoded per corpus to estimate the length of the others.
const SAMPLED: usize = 64;

impl Durations {
    fn of(suite: &Suite) -> Self {
        let hashes = vbench_run::FileHashes::default();
        let mut durations = Self { mean_s: std::collections::HashMap::new(), sampled: 0, unknown: 0 };
        for corpus in &suite.corpora {
            let unknown: Vec<_> =
                suite.utterances.iter().filter(|u| u.corpus == corpus.name && u.duration_s.is_none()).collect();
            let step = unknown.len().div_ceil(SAMPLED).max(1);
            let read: Vec<f64> = unknown
                .par_iter()
                .step_by(step)
                .filter_map(|u| Some(read_utterance(u, &hashes).ok()?.len() as f64 / f64::from(vbench_audio::RATE_HZ)))
                .collect();
            durations.unknown += unknown.len();
            durations.sampled += read.len();
            if !read.is_empty() {
                durations.mean_s.insert(corpus.name.clone(), read.iter().sum::<f64>() / read.len() as f64);
            }
        }
        durations
    }

    fn of_utterance(&self, utterance: &vbench_core::Utterance) -> f64 {
        utterance.duration_s.or_else(|| self.mean_s.get(&utterance.corpus).copied()).unwrap_or(0.0)
    }

    fn note(&self) -> String {
        if self.unknown == 0 {
            return String::new();
        }
        format!(
            "\n{} recordings have no `duration_s` in the manifest: audio and time take the mean of {} that were decoded",
            self.unknown, self.sampled
        )
    }
}

struct Facts {
    cells: usize,
    speakers: usize,
    /// Resampling units by the rule of the reports: speakers where at least 6 are known, else sessions, else utterances.
    clusters: usize,
    unit: ResamplingUnit,
    words: u64,
    audio_s: f64,
}

impl Facts {
    fn of(suite: &Suite, cells: &[&Cell], durations: &Durations) -> Self {
        let utterances = cells.iter().map(|c| &suite.utterances[c.utterance]);
        let speakers: std::collections::BTreeSet<_> = utterances.clone().filter_map(|u| u.speaker.as_deref()).collect();
        let observations: Vec<Observation<'_>> = utterances
            .clone()
            .map(|u| Observation {
                utterance: &u.id,
                speaker: u.speaker.as_deref(),
                session: u.session.as_deref(),
                num: 0.0,
                den: 0.0,
            })
            .collect();
        let chosen = choose_unit(&observations);
        Self {
            cells: cells.len(),
            speakers: speakers.len(),
            clusters: chosen.sums.len(),
            unit: chosen.unit,
            words: utterances.clone().map(|u| u.text.split_whitespace().count() as u64).sum(),
            audio_s: utterances.map(|u| durations.of_utterance(u)).sum(),
        }
    }

    fn row(&self, model: &str, condition: &str) -> [String; 7] {
        let audio = if self.audio_s >= 3600.0 {
            format!("{:.2} h", self.audio_s / 3600.0)
        } else {
            format!("{:.1} min", self.audio_s / 60.0)
        };
        let mde = detectable_difference(self.words as f64, self.clusters, &PowerAssumptions::default())
            .map_or_else(|_| "n/a".into(), |d| format!("{:.2} points ({} {}s)", 100.0 * d, self.clusters, self.unit));
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
