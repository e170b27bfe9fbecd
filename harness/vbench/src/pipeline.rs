//! The run on one screen: load, expand, run, score, aggregate, render.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use vbench_core::{Cell, ExitCode, Outcome};
use vbench_model::Model;
use vbench_run::{AudioPreparer, EngineOptions, Plan, RunEnd, RunEvent, run_cells};
use vbench_store::{Row, RunFolder, RunRecord, StoreError, TimingLine};
use vbench_suite::{ModelEntry, Selection, Suite, Task, expand, interleave_models};

use crate::cli::{BaselineArguments, InconclusivePolicy, RunArguments};
use crate::clips::Audio;
use crate::commands::data::load_with_corpora;
use crate::commands::gate::{self, Told};
use crate::commands::sequential::{self, Looks};
use crate::failure::{Failure, note};
use crate::interrupt;
use crate::open::{audio_cache, cache_folder, open_model};
use crate::progress::Progress;
use crate::record::{Overrides, new_run_path, plan_sha256, run_record};
use crate::render;

/// `vbench run`.
pub fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    render::check(&arguments.render, arguments.json)?;
    let finished = execute(arguments, false)?;
    render::say_summary(&finished.outputs, arguments.json);
    finished.tell();
    finished.end()
}

/// A run that has ended and was rendered.
pub struct Finished {
    /// Its folder.
    pub path: PathBuf,
    /// What rendering made.
    pub outputs: render::Outputs,
    /// The file to open first.
    report: &'static str,
    /// What it would end with by itself.
    pub code: ExitCode,
    outstanding: usize,
    /// Whether the sequential gate has ended the run.
    sequential: bool,
    /// What an undecided gate means.
    inconclusive: InconclusivePolicy,
    /// The verdict against the baseline, or why there is none; nothing where none was asked for.
    verdict: Result<Option<Told>, Failure>,
}

impl Finished {
    /// Says where the report is, and how to go on where the run was interrupted.
    pub fn tell(&self) {
        note(format_args!("report: {}", self.path.join(self.report).display()));
        note(format_args!("time:   {}", self.outputs.time_split));
        if self.outstanding > 0 && !self.sequential {
            note(format_args!(
                "interrupted: {} cells left; continue with: vbench run --resume {}",
                self.outstanding,
                self.path.display()
            ));
        }
    }

    /// Tells the verdict. The lowest non-zero code wins.
    fn end(self) -> Result<ExitCode, Failure> {
        let Some(told) = self.verdict? else { return Ok(self.code) };
        // Standard output may hold the run's JSON: the verdict goes where a person looks.
        note(told.text);
        let gated = gate::exit_code(told.outcome, self.inconclusive);
        Ok(if self.code == ExitCode::Passed { gated } else { self.code })
    }
}

/// Judges a run against its baseline and leaves the verdict in its folder, where the report finds it; an interrupted run is
/// not judged.
fn judge(session: &Session, outstanding: usize) -> Result<Option<Told>, Failure> {
    if session.gate.baseline.is_none() {
        return Ok(None);
    }
    match &session.looks {
        Some(looks) => sequential::after_run(&session.path, &session.gate, &looks.gate).map(Some),
        None if outstanding > 0 => {
            note("not gated: the run is incomplete");
            Ok(None)
        }
        None => gate::after_run(&session.path, &session.gate).map(Some),
    }
}

/// Runs a suite, or what is left of a run, and renders it. With `interleave` the models take turns on every cell.
pub fn execute(arguments: &RunArguments, interleave: bool) -> Result<Finished, Failure> {
    let began = Instant::now();
    let mut session = Session::open(arguments, interleave)?;
    let outstanding = session.execute(arguments)?;
    let run_s = began.elapsed().as_secs_f64();
    let record = RunRecord::read(&session.path)?;
    let audio = Audio::of_suite(&session.suite);
    // Before the report, which shows it; a gate that fails does not cost the report.
    let verdict = judge(&session, outstanding);
    let outputs = render::render(&session.path, &session.path, &record, Some(&audio), Some(run_s), &arguments.render)?;
    let code = code_of(&outputs.derived.summary.coverage, arguments.allow_failed, &session.suite);
    let (sequential, inconclusive) = (session.looks.is_some(), session.gate.inconclusive);
    let report = render::entry(&arguments.render);
    Ok(Finished { path: session.path, outputs, report, code, outstanding, sequential, inconclusive, verdict })
}

/// The lowest non-zero exit code that applies.
fn code_of(coverage: &vbench_compare::Coverage, allow_failed: usize, suite: &Suite) -> ExitCode {
    if !suite.absent.is_empty() {
        for corpus in &suite.absent {
            note(format_args!("corpus {}: skipped: not present ({})", corpus.name, corpus.hint));
        }
        return ExitCode::Unavailable;
    }
    let missing = coverage.outstanding > 0 && !coverage.stopped_early;
    if missing || coverage.failed > allow_failed {
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
    folder: RunFolder,
    path: PathBuf,
    clock_base_ns: u64,
    /// The gate that follows.
    gate: BaselineArguments,
    /// Looks after every cluster; gone when the run was interrupted.
    looks: Option<Looks>,
    /// What an earlier part of this run has committed.
    earlier: Option<RunRecord>,
}

impl Session {
    fn open(arguments: &RunArguments, interleave: bool) -> Result<Self, Failure> {
        let earlier = arguments.resume.as_deref().map(RunFolder::resume).transpose()?;
        let (suite_path, mut overrides) = match (&earlier, &arguments.suite) {
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
        let gate = match &overrides.sequential {
            Some(declared) => sequential::resumed(&arguments.gate, declared)?,
            None => arguments.gate.clone(),
        };
        gate::check_before_run(&gate, &suite)?;
        if arguments.sequential || overrides.sequential.is_some() {
            let declared = sequential::declared(&gate, &suite)?;
            if overrides.sequential.as_ref().is_some_and(|before| *before != declared) {
                let text =
                    "cannot resume: the baseline or the rules of the sequential gate changed since the run began";
                return Err(Failure::new(ExitCode::SuiteInvalid, text));
            }
            overrides.sequential = Some(declared);
        }
        let limit = overrides.limit.map(|n| n as usize);
        let mut cells = expand(&suite, &Selection::parse(&overrides.select, limit)?)?;
        if overrides.interleave {
            interleave_models(&mut cells);
        }
        if cells.is_empty() {
            return Err(Failure::new(ExitCode::NothingSelected, "no cells: the suite or the selection is empty"));
        }
        let clusters = overrides.sequential.as_ref().map(|_| sequential::order_by_clusters(&suite, &mut cells));
        let specs: Vec<&ModelEntry> = suite.models.iter().collect();
        let mut models = Vec::new();
        let mut described = Vec::new();
        for entry in specs {
            let model = open_model(entry, &cache, arguments.quiet)?;
            described.push((entry.name.clone(), entry.spec.clone(), model.facts()));
            models.push(model);
        }
        let model_names = suite.models.iter().map(|m| m.name.clone()).collect();
        let path = match (&arguments.resume, &arguments.out) {
            (Some(path), _) | (None, Some(path)) => path.clone(),
            (None, None) => new_run_path(&suite.name),
        };
        let declare = |record: &Value| clusters.map(|c| Looks::declare(&path, record, &cells, c, &gate)).transpose();
        let (folder, looks, todo, clock_base_ns, earlier) = match earlier {
            Some((folder, record)) => {
                check_unchanged(&record, &suite, &cells, &described)?;
                check_spectra(&record, &suite)?;
                let todo = todo_cells(&cells, &record, arguments.retry_failed);
                let base = record.timings.values().map(|t| t.t_final).max().unwrap_or(0);
                (folder, declare(&record.record)?, todo, base, Some(record))
            }
            None => {
                let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let record = run_record(&id, &suite, &overrides, &cells, &described, arguments.jobs);
                let looks = declare(&record)?;
                if ["bench.json", "against.json"].iter().any(|name| path.join(name).exists()) {
                    return Err(StoreError::Exists { path }.into());
                }
                (RunFolder::create(&path, &record)?, looks, cells.clone(), 0, None)
            }
        };
        Ok(Self { suite, cells, todo, model_names, models, folder, path, clock_base_ns, gate, looks, earlier })
    }

    /// Runs what is left and returns the number of cells still without an outcome.
    fn execute(&mut self, arguments: &RunArguments) -> Result<usize, Failure> {
        interrupt::listen();
        let began = Instant::now();
        let corpora = self.suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
        let cache = audio_cache(&arguments.audio_cache, &cache_folder(&arguments.cache)?);
        let preparer = AudioPreparer::new(&self.suite.utterances, &self.suite.conditions, corpora, self.suite.seed)
            .with_preprocess(self.suite.preprocess)
            .with_cache(cache.as_ref())
            .with_metrics(self.suite.signal_metrics());
        let mut progress = Progress::new("cells", self.cells.len() as u64, false, arguments.quiet);
        progress.set((self.cells.len() - self.todo.len()) as u64, None);
        let (base, jobs) = (self.clock_base_ns, usize::from(arguments.jobs));
        let (suite, model_names, models) = (&self.suite, &self.model_names, &self.models);
        let (folder, path) = (&mut self.folder, &self.path);
        let mut run = |cells: &[Cell], seen: &mut dyn FnMut(&RunEvent<'_>)| {
            let plan = Plan {
                cells,
                utterances: &suite.utterances,
                conditions: &suite.conditions,
                model_names,
                models,
                seed: suite.seed,
            };
            let mut on_event = |event: RunEvent<'_>| {
                let RunEvent::Committed { cell, outcome, .. } = event;
                if let Outcome::Failed(reason) | Outcome::Skipped(reason) = outcome {
                    progress.say(&format!("{}: {}: {}", cell.key, reason.kind.name(), reason.text));
                }
                progress.step();
                seen(&event);
            };
            let elapsed = u64::try_from(began.elapsed().as_nanos()).unwrap_or(0);
            let options = EngineOptions { jobs, clock_base_ns: base + elapsed };
            run_cells(&plan, &preparer, options, &interrupt::STOP, folder, &mut on_event).map_err(|e| {
                let mut failure = Failure::from(e);
                failure.message += &format!(
                    "\nno committed row is lost: make room, then continue with: vbench run --resume {}",
                    path.display()
                );
                failure
            })
        };
        let committed = match self.looks.take() {
            None => run(&self.todo, &mut |_| ())?.committed,
            Some(looks) => {
                let parts = Parts { suite, model_names, cells: &self.cells, todo: &self.todo };
                let (committed, looks) = parts.run(looks, self.earlier.as_ref(), &mut run)?;
                self.looks = looks;
                committed
            }
        };
        progress.finish();
        let order: Vec<String> = self.cells.iter().map(|c| c.key.clone()).collect();
        self.folder.finish(&order)?;
        if let Some(looks) = &self.looks {
            let rows = self.cells.len() - (self.todo.len() - committed);
            sequential::write_end(&self.path, &sequential::record_end(&looks.gate, self.cells.len(), rows))?;
        }
        Ok(self.todo.len() - committed)
    }
}

/// A plan to be run cluster by cluster.
struct Parts<'a> {
    suite: &'a Suite,
    model_names: &'a [String],
    cells: &'a [Cell],
    todo: &'a [Cell],
}

type RunPart<'r> = dyn FnMut(&[Cell], &mut dyn FnMut(&RunEvent<'_>)) -> Result<RunEnd, Failure> + 'r;

impl Parts<'_> {
    /// Runs and looks until every change rule is decided. Returns the number of cells committed, and the looks unless the
    /// run was interrupted.
    fn run(
        &self,
        mut looks: Looks,
        earlier: Option<&RunRecord>,
        run: &mut RunPart<'_>,
    ) -> Result<(usize, Option<Looks>), Failure> {
        let todo: std::collections::HashSet<&str> = self.todo.iter().map(|c| c.key.as_str()).collect();
        let done: HashMap<&str, &Row> =
            earlier.iter().flat_map(|e| &e.rows).map(|row| (row.cell.as_str(), row)).collect();
        let mut committed = 0;
        let mut begin = 0;
        for end in looks.ends.clone() {
            let cluster = &self.cells[begin..end];
            begin = end;
            let mine: Vec<Cell> = cluster.iter().filter(|c| todo.contains(c.key.as_str())).cloned().collect();
            let there = cluster.iter().filter(|c| !todo.contains(c.key.as_str()));
            let mut rows: Vec<Row> = there.filter_map(|c| done.get(c.key.as_str()).copied().cloned()).collect();
            let mut timings: HashMap<String, TimingLine> =
                rows.iter().filter_map(|r| Some((r.cell.clone(), earlier?.timings.get(&r.cell)?.clone()))).collect();
            let ended = run(&mine, &mut |event| {
                let RunEvent::Committed { cell, outcome, timing } = *event;
                let utterance = &self.suite.utterances[cell.utterance];
                let condition = &self.suite.conditions[cell.condition].name;
                rows.push(Row::new(&cell.key, utterance, condition, &self.model_names[cell.model], outcome));
                timings.extend(timing.map(|t| (cell.key.clone(), TimingLine::new(&cell.key, t))));
            })?;
            committed += ended.committed;
            if ended.committed < mine.len() {
                return Ok((committed, None));
            }
            looks.arrive(rows, timings)?;
            if looks.gate.is_decided() {
                break;
            }
        }
        Ok((committed, Some(looks)))
    }
}

fn overrides_of(arguments: &RunArguments, interleave: bool) -> Overrides {
    Overrides {
        models: arguments.models.clone(),
        seed: arguments.seed,
        select: arguments.select.clone(),
        limit: arguments.limit,
        interleave,
        sequential: None,
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
    let preparer =
        AudioPreparer::new(&suite.utterances, &suite.conditions, corpora, suite.seed).with_preprocess(suite.preprocess);
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
