//! The run on one screen: load, expand, run, score, aggregate, render.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;
use vbench_core::{Cell, ExitCode, Outcome};
use vbench_model::Model;
use vbench_run::{AudioPreparer, EngineOptions, Plan, RunEvent, run_cells};
use vbench_store::{RunFolder, RunRecord};
use vbench_suite::{ModelEntry, Selection, Suite, Task, expand, interleave_models};

use crate::cli::RunArguments;
use crate::commands::data::load_with_corpora;
use crate::commands::gate;
use crate::failure::{Failure, note, say};
use crate::open::{cache_folder, open_model};
use crate::progress::Progress;
use crate::record::{Overrides, new_run_path, plan_sha256, run_record};
use crate::render::{self, Audio};

/// Set by Ctrl-C: the cells in progress are finished and committed, then the run ends.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// `vbench run`.
pub fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let finished = execute(arguments, false)?;
    let summary = &finished.outputs.summary;
    say(if arguments.json { render::json(summary) } else { render::table(summary) });
    finished.tell();
    match &arguments.gate.baseline {
        Some(_) => finished.gate(arguments),
        None => Ok(finished.code),
    }
}

/// A run that has ended and was rendered.
pub struct Finished {
    /// Its folder.
    pub path: PathBuf,
    /// What rendering made.
    pub outputs: render::Outputs,
    /// What it would end with by itself.
    pub code: ExitCode,
    outstanding: usize,
}

impl Finished {
    /// Says where the report is, and how to go on where the run was interrupted.
    pub fn tell(&self) {
        note(format_args!("report: {}", self.path.join("report.html").display()));
        note(format_args!("time:   {}", self.outputs.time_split));
        if self.outstanding > 0 {
            note(format_args!(
                "interrupted: {} cells left; continue with: vbench run --resume {}",
                self.outstanding,
                self.path.display()
            ));
        }
    }

    /// Judges the run against the baseline; an interrupted run is not judged.
    fn gate(&self, arguments: &RunArguments) -> Result<ExitCode, Failure> {
        if self.outstanding > 0 {
            note("not gated: the run is incomplete");
            return Ok(self.code);
        }
        let gated = gate::after_run(&self.path, &arguments.gate)?;
        // The lowest non-zero code wins.
        Ok(if self.code == ExitCode::Passed { gated } else { self.code })
    }
}

/// Runs a suite, or what is left of a run, and renders it. With `interleave` the models take turns on every cell.
pub fn execute(arguments: &RunArguments, interleave: bool) -> Result<Finished, Failure> {
    let began = Instant::now();
    let session = Session::open(arguments, interleave)?;
    let outstanding = session.execute(arguments)?;
    let run_s = began.elapsed().as_secs_f64();
    let record = RunRecord::read(&session.path)?;
    let audio = Audio::of_suite(&session.suite);
    let outputs = render::render(&session.path, &session.path, &record, Some(&audio), Some(run_s))?;
    let code = verdict(&outputs.summary.coverage, arguments.allow_failed, &session.suite);
    Ok(Finished { path: session.path, outputs, code, outstanding })
}

/// The lowest non-zero exit code that applies.
fn verdict(coverage: &vbench_compare::Coverage, allow_failed: usize, suite: &Suite) -> ExitCode {
    if !suite.absent.is_empty() {
        for corpus in &suite.absent {
            note(format_args!("corpus {}: skipped: not present ({})", corpus.name, corpus.hint));
        }
        return ExitCode::Unavailable;
    }
    if coverage.outstanding > 0 || coverage.failed > allow_failed {
        if coverage.failed > allow_failed {
            note(format_args!(
                "{} cells failed, --allow-failed {allow_failed}: see the report for each reason",
                coverage.failed
            ));
        }
        return ExitCode::Incomplete;
    }
    ExitCode::Passed
}

/// Everything that a run needs, opened and checked.
struct Session {
    suite: Suite,
    /// All planned cells.
    cells: Vec<Cell>,
    /// Those without a committed row (or with a failed one, on `--retry-failed`).
    todo: Vec<Cell>,
    model_names: Vec<String>,
    models: Vec<Box<dyn Model>>,
    folder: std::cell::RefCell<RunFolder>,
    path: PathBuf,
    clock_base_ns: u64,
}

impl Session {
    fn open(arguments: &RunArguments, interleave: bool) -> Result<Self, Failure> {
        let earlier = arguments.resume.as_deref().map(RunFolder::resume).transpose()?;
        let (suite_path, overrides) = match (&earlier, &arguments.suite) {
            (Some((_, record)), _) => stored_arguments(record)?,
            (None, Some(path)) => (path.clone(), overrides_of(arguments, interleave)),
            (None, None) => {
                return Err(Failure::new(
                    ExitCode::Usage,
                    "`vbench run` needs a suite, e.g. suites/all.toml, or --resume RUN",
                ));
            }
        };
        let cache = cache_folder(&arguments.cache)?;
        let mut suite = load_with_corpora(&suite_path, &cache, arguments.quiet)?;
        let corpora = suite.corpora.iter_mut().flat_map(|c| &mut c.all);
        vbench_run::prepare::pin_audio(corpora.chain(&mut suite.utterances));
        apply_overrides(&mut suite, &overrides)?;
        if suite.task != Task::Asr {
            let task = suite.task.name();
            return Err(Failure::new(
                ExitCode::SuiteInvalid,
                format!("task `{task}` cannot be run by this version yet; it runs `asr`"),
            ));
        }
        crate::score::check_rules(&suite)?;
        gate::check_before_run(&arguments.gate, &suite)?;
        let limit = overrides.limit.map(|n| n as usize);
        let mut cells = expand(&suite, &Selection::parse(&overrides.select, limit)?)?;
        if overrides.interleave {
            interleave_models(&mut cells);
        }
        if cells.is_empty() {
            return Err(Failure::new(ExitCode::NothingSelected, "no cells: the suite or the selection is empty"));
        }
        let specs: Vec<&ModelEntry> = suite.models.iter().collect();
        let mut models = Vec::new();
        let mut described = Vec::new();
        for entry in specs {
            let model = open_model(entry, &cache, arguments.quiet)?;
            described.push((entry.name.clone(), entry.spec.clone(), model.facts()));
            models.push(model);
        }
        let model_names = suite.models.iter().map(|m| m.name.clone()).collect();
        let (folder, path, todo, clock_base_ns) = match earlier {
            Some((folder, record)) => {
                check_unchanged(&record, &suite, &cells, &described)?;
                check_spectra(&record, &suite)?;
                let todo = todo_cells(&cells, &record, arguments.retry_failed);
                let base = record.timings.values().map(|t| t.t_final).max().unwrap_or(0);
                (folder, arguments.resume.clone().unwrap_or_default(), todo, base)
            }
            None => {
                let path = arguments.out.clone().unwrap_or_else(|| new_run_path(&suite.name));
                let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let record = run_record(&id, &suite, &overrides, &cells, &described, arguments.jobs);
                (RunFolder::create(&path, &record)?, path, cells.clone(), 0)
            }
        };
        let folder = std::cell::RefCell::new(folder);
        Ok(Self { suite, cells, todo, model_names, models, folder, path, clock_base_ns })
    }

    /// Runs what is left and returns the number of cells still without an outcome.
    fn execute(&self, arguments: &RunArguments) -> Result<usize, Failure> {
        // A handler can be set once per process; this is the only place that sets it.
        drop(ctrlc::set_handler(|| {
            if CANCEL.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(ExitCode::Incomplete as u8));
            }
        }));
        let plan = Plan {
            cells: &self.todo,
            utterances: &self.suite.utterances,
            conditions: &self.suite.conditions,
            model_names: &self.model_names,
            models: &self.models,
            seed: self.suite.seed,
        };
        let corpora = self.suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
        let preparer = AudioPreparer::new(&self.suite.utterances, &self.suite.conditions, corpora, self.suite.seed);
        let mut progress = Progress::new("cells", self.cells.len() as u64, false, arguments.quiet);
        progress.set((self.cells.len() - self.todo.len()) as u64, None);
        let mut on_event = |event: RunEvent<'_>| {
            let RunEvent::Committed { cell, outcome, .. } = event;
            if let Outcome::Failed(reason) | Outcome::Skipped(reason) = outcome {
                progress.say(&format!("{}: {}: {}", cell.key, reason.kind.name(), reason.text));
            }
            progress.step();
        };
        let options = EngineOptions { jobs: usize::from(arguments.jobs), clock_base_ns: self.clock_base_ns };
        let mut folder = self.folder.borrow_mut();
        let end = run_cells(&plan, &preparer, options, &CANCEL, &mut folder, &mut on_event).map_err(|e| {
            let mut failure = Failure::from(e);
            failure.message += &format!(
                "\nno committed row is lost: make room, then continue with: vbench run --resume {}",
                self.path.display()
            );
            failure
        })?;
        progress.finish();
        let order: Vec<String> = self.cells.iter().map(|c| c.key.clone()).collect();
        folder.finish(&order)?;
        Ok(self.todo.len() - end.committed)
    }
}

fn overrides_of(arguments: &RunArguments, interleave: bool) -> Overrides {
    Overrides {
        models: arguments.models.clone(),
        seed: arguments.seed,
        select: arguments.select.clone(),
        limit: arguments.limit,
        interleave,
    }
}

fn stored_arguments(record: &RunRecord) -> Result<(PathBuf, Overrides), Failure> {
    let bad =
        |what: &str| Failure::new(ExitCode::StoreUnreadable, format!("run.json: `{what}` is missing or not readable"));
    let path = record.record["suite_path"].as_str().ok_or_else(|| bad("suite_path"))?;
    let path = Path::new(path);
    let elsewhere = record.record["suite_path_absolute"].as_str().map(PathBuf::from);
    let path = if path.exists() { path.to_path_buf() } else { elsewhere.unwrap_or_else(|| path.to_path_buf()) };
    let overrides = serde_json::from_value(record.record["overrides"].clone()).map_err(|_| bad("overrides"))?;
    Ok((path, overrides))
}

fn apply_overrides(suite: &mut Suite, overrides: &Overrides) -> Result<(), Failure> {
    if let Some(seed) = overrides.seed {
        suite.seed = seed;
    }
    if overrides.models.is_empty() {
        return Ok(());
    }
    suite.models.clear();
    for argument in &overrides.models {
        let Some((name, spec)) = argument.split_once('=').filter(|(n, s)| !n.is_empty() && !s.is_empty()) else {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("--model takes NAME=SPEC, e.g. base=whisper:whisper-base; found `{argument}`"),
            ));
        };
        if name.contains(['/', ',', '='])
            || name.contains(char::is_whitespace)
            || suite.models.iter().any(|m| m.name == name)
        {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("--model {argument}: the name is taken or holds `/`, `,` or white space"),
            ));
        }
        suite.models.push(ModelEntry { name: name.into(), spec: spec.into() });
    }
    let all: Vec<usize> = (0..suite.models.len()).collect();
    for block in &mut suite.blocks {
        block.models.clone_from(&all);
    }
    Ok(())
}

fn todo_cells(cells: &[Cell], record: &RunRecord, retry_failed: bool) -> Vec<Cell> {
    let done: std::collections::HashSet<&str> =
        record.rows.iter().filter(|r| !(retry_failed && r.outcome == "failed")).map(|r| r.cell.as_str()).collect();
    cells.iter().filter(|c| !done.contains(c.key.as_str())).cloned().collect()
}

/// Noise of one run must have one spectrum: a file that could not be read when the run began and can be read now would
/// give the cells still to run another noise than those already there.
fn check_spectra(record: &RunRecord, suite: &Suite) -> Result<(), Failure> {
    let of_step = |step: &vbench_core::StepReceipt| step.facts.iter().find(|f| f.0 == "spectrum_sha256").cloned();
    let corpora = suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
    let preparer = AudioPreparer::new(&suite.utterances, &suite.conditions, corpora, suite.seed);
    let mut seen = std::collections::BTreeSet::new();
    for row in &record.rows {
        let Outcome::Ok { receipt, .. } = row.to_outcome() else { continue };
        let Some((_, stored)) = receipt.steps.iter().find_map(of_step) else { continue };
        if !seen.insert((row.corpus.clone(), stored.clone())) {
            continue;
        }
        let now = preparer.spectrum_sha256(&row.corpus).unwrap_or_else(|| "none".into());
        if now != stored {
            return Err(Failure::new(
                ExitCode::SuiteInvalid,
                format!(
                    "cannot resume: the long-term spectrum of corpus {} is {now}, the noise already in the run was made \
                     with {stored} (a recording was repaired, or cannot be read any more); start a new run",
                    row.corpus
                ),
            ));
        }
    }
    Ok(())
}

/// What changed in the corpora, by name. A recording that could not be hashed when the run began may have been repaired.
fn changed_corpora(stored: &Value, now: &Value) -> Vec<String> {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let (before, after) = (list(stored), list(now));
    if before.len() != after.len() {
        return vec!["suite.corpora".into()];
    }
    let mut changed = Vec::new();
    for (b, a) in before.iter().zip(&after) {
        let name = a["name"].as_str().unwrap_or_default();
        let manifest = ["name", "manifest_sha256", "utterances"].iter().any(|key| b[*key] != a[*key]);
        if manifest {
            changed.push(format!("manifest of corpus {name}"));
            continue;
        }
        let pairs = list(&b["audio_sha256"]).into_iter().zip(list(&a["audio_sha256"]));
        let other = pairs.filter(|(b, a)| !b[1].is_null() && b != a);
        changed.extend(other.map(|(_, a)| format!("audio of {name}/{}", a[0].as_str().unwrap_or_default())).take(5));
    }
    changed
}

/// A resumed run must be the same run: same suite, same plan, same weights.
fn check_unchanged(
    record: &RunRecord,
    suite: &Suite,
    cells: &[Cell],
    models: &[(String, String, vbench_model::ModelFacts)],
) -> Result<(), Failure> {
    let stored = &record.record;
    let mut changed: Vec<String> = Vec::new();
    let now = suite.resolved();
    for (key, value) in now.as_object().into_iter().flatten() {
        if key == "corpora" {
            changed.extend(changed_corpora(&stored["suite"][key], value));
        } else if stored["suite"][key] != *value {
            changed.push(format!("suite.{key}"));
        }
    }
    if stored["plan_sha256"] != plan_sha256(cells) {
        changed.push("plan".into());
    }
    for (key, now) in [("vbench", env!("CARGO_PKG_VERSION").to_string()), ("lock_sha256", crate::record::lock_sha256())]
    {
        if stored[key] != now {
            changed.push(format!("{key} (another build of vbench)"));
        }
    }
    for (index, (name, _, facts)) in models.iter().enumerate() {
        let before = stored["models"][index]["weights_sha256"].as_str();
        if before != facts.weights_sha256.as_deref() {
            changed.push(format!("weights of {name}"));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let what = changed.join(", ");
    Err(Failure::new(
        ExitCode::SuiteInvalid,
        format!("cannot resume: changed since the run began: {what}; start a new run"),
    ))
}
