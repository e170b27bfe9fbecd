//! `vbench bench`: how long a model takes, under a load.
//!
//! ```text
//! budget_gate.rs  `vbench gate` on a bench run
//! clips.rs        the pool of requests, cut and grouped for sweeps
//! recogniser.rs   models of whole clips behind the engine's seam
//! settings.rs     what is asked for: limits, a search's goal, the folder
//! streamer.rs     streaming models behind it
//! usage.rs        processor time and memory
//! ```

pub mod budget_gate;
pub(super) mod clips;
mod recogniser;
pub(super) mod settings;
mod streamer;
mod usage;

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder};
use vbench_core::{Budgets, ExitCode};
use vbench_load::{
    Bench, BenchSummary, Clock, Command, Goal, LEVEL, LoadSearch, Ns, Plan, Port, Resources, Scenario, Script,
    Simulated, System, Trace, Workers, bands, chrome_trace, drive, judge_budgets, read_trace, search, summarize,
    summarize_sweep, write_trace,
};
use vbench_model::{Model, ModelFacts, ModelSpec, StreamClock, StreamingModel};
use vbench_report::{BenchView, bench_json, bench_text};
use vbench_store::folder::write_derived;
use vbench_suite::{ModelEntry, parse_budgets};

use crate::cli::{BenchArguments, RenderArguments};
use crate::commands::against::against;
use crate::commands::bench_page::{BenchRun, outcome};
use crate::failure::{Failure, note, say};
use crate::interrupt::{self, Interruptible};
use crate::open::{cache_folder, open_model, open_streaming};
use crate::progress::Progress;
use crate::record::{bench_record, new_run_path};
use crate::render;

use self::clips::Clips;
use self::recogniser::Recogniser;
use self::settings::{check_folder, check_sweep, goal, make_folder, max_lateness, plan};
use self::streamer::{SimulatedStreamer, Streamer};
use self::usage::{Meter, threads};

pub const BOUNDARY: &str = "samples in memory to the final text; decoding, degrading and opening the model are outside";
const BOUNDARY_WITH_SOUND: &str = "samples in memory to the end of the turn; what the user waited ends with the first audible sample of the reply; decoding, \
     degrading and opening the model are outside";

/// The fact that says when the user speaks again.
pub const BARGE_IN_FACT: &str = "the user speaks again after";

/// What a server of a simulated clock does with a command from the time on when it takes it up.
type ServerScript<'s> = Box<dyn FnMut(&Command, Ns) -> Script + 's>;

/// Runs a bench, or computes one again from its trace.
pub fn bench(arguments: &BenchArguments) -> Result<ExitCode, Failure> {
    let options = RenderArguments { format: arguments.format.clone(), ..RenderArguments::default() };
    render::check(&options, arguments.json)?;
    if let Some(b) = &arguments.against {
        return against(arguments, b, &options);
    }
    let out = arguments.out.clone().unwrap_or_else(|| new_run_path("bench"));
    let measured = match &arguments.replay {
        Some(path) => Measured {
            trace: replay(path, arguments)?,
            told: Told { model: format!("replay of {}", path.display()), ..Told::default() },
            budgets: declared(arguments, None)?,
            search: None,
            resources: None,
        },
        None => measure(arguments, &out)?,
    };
    let (trace, told) = (&measured.trace, &measured.told);
    let max_lateness = trace.max_lateness.unwrap_or_default();
    let summary = summarize(&trace.bench, &trace.plan, &trace.audio, max_lateness);
    let sweep = trace.sweep.as_ref().map(|s| summarize_sweep(&trace.bench, &trace.plan, &trace.audio, s, LEVEL));
    let budgets = measured.budgets.as_ref().map(|b| judge_budgets(&trace.bench, trace.plan.timeout, b));
    let edges = measured.budgets.as_ref().map_or(Budgets::BANDS_MS.to_vec(), |b| b.bands_ms.clone());
    let view = BenchView {
        summary: &summary,
        model: &told.model,
        boundary: if summary.sound.is_some() { BOUNDARY_WITH_SOUND } else { BOUNDARY },
        open: told.open,
        cold: told.cold,
        warm_up: told.warm_up,
        budgets: budgets.as_deref().unwrap_or_default(),
        bands: &bands(&trace.bench, &edges),
        search: measured.search.as_ref(),
        sweep: sweep.as_ref(),
        resources: measured.resources.as_ref(),
        facts: &told.facts,
    };
    let mut document = bench_json(&view);
    document["max_lateness_ms"] = (max_lateness as f64 / 1e6).into();
    if arguments.replay.is_none() {
        document["run"] = bench_record();
    }
    let json = format!("{document:#}");
    if arguments.replay.is_none() {
        write_derived(&out, "bench.json", json.as_bytes())?;
        write_derived(&out, "requests.jsonl", write_trace(trace).as_bytes())?;
        write_derived(&out, "trace.json", chrome_trace(trace).as_bytes())?;
        note(format_args!("bench: {} (trace.json opens in Perfetto)", out.display()));
        if interrupt::stopped() {
            note("interrupted: this is what there was");
        }
    }
    say(if arguments.json { json } else { bench_text(&view) });
    let code = if interrupt::stopped() { ExitCode::Incomplete } else { outcome(&view) };
    if arguments.replay.is_none() {
        let annotations = BenchRun::of(&out, document, measured.trace, measured.search)?.write(&out, &options)?;
        annotations.into_iter().for_each(|lines| say(lines.trim_end()));
    }
    Ok(code)
}

/// What was measured, and what is judged.
struct Measured {
    trace: Trace,
    told: Told,
    budgets: Option<Budgets>,
    search: Option<LoadSearch>,
    resources: Option<Resources>,
}

/// What is said beside the numbers.
#[derive(Default)]
struct Told {
    model: String,
    open: Option<Ns>,
    cold: Option<Ns>,
    warm_up: usize,
    facts: Vec<(String, String)>,
}

/// Budgets of `--budgets`, else the suite's.
fn declared(arguments: &BenchArguments, suite: Option<&Budgets>) -> Result<Option<Budgets>, Failure> {
    let Some(path) = &arguments.budgets else { return Ok(suite.cloned()) };
    let text = std::fs::read_to_string(path).map_err(|e| vbench_suite::gates::unreadable(path, &e))?;
    Ok(Some(parse_budgets(path, &text)?))
}

/// A trace with the bound that it was run with, unless another is asked for.
fn replay(path: &Path, arguments: &BenchArguments) -> Result<Trace, Failure> {
    let trace = read(path)?;
    let asked = max_lateness(arguments)?;
    let max_lateness = trace.max_lateness.filter(|_| arguments.max_lateness_ms.is_none()).unwrap_or(asked);
    Ok(Trace { max_lateness: Some(max_lateness), ..trace })
}

fn read(path: &Path) -> Result<Trace, Failure> {
    let bad = |code, e: &dyn std::fmt::Display| Failure::new(code, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| bad(ExitCode::InputInvalid, &e))?;
    let code = |newer| if newer { ExitCode::StoreUnreadable } else { ExitCode::InputInvalid };
    read_trace(&text).map_err(|e| bad(code(e.newer), &e))
}

fn measure(arguments: &BenchArguments, out: &Path) -> Result<Measured, Failure> {
    let cache = cache_folder(&arguments.cache)?;
    check_folder(out)?;
    check_sweep(arguments)?;
    // The seed is the suite's, where none is given.
    let mut plan = plan(arguments, arguments.seed.unwrap_or_default())?;
    let goal = arguments.search.as_deref().map(|text| goal(text, arguments, plan)).transpose()?;
    let goal = goal.map(|(goal, longer)| {
        plan = longer;
        goal
    });
    let spec = arguments.model.clone().unwrap_or_default();
    ModelSpec::parse(&spec)?;
    let clips = Arc::new(Clips::load(arguments, &cache)?);
    let audio = clips.audio();
    plan.seed = arguments.seed.unwrap_or(clips.seed);
    // Before weights are fetched.
    plan.check(&audio).map_err(|e| Failure::new(ExitCode::Usage, e))?;
    let budgets = declared(arguments, clips.budgets.as_ref())?;
    let began = Instant::now();
    let subject = Subject::open(arguments, &spec, &cache, Arc::clone(&clips), &plan)?;
    let open = began.elapsed().as_nanos() as Ns;
    make_folder(out)?;
    interrupt::listen();
    let mut told = Told { facts: subject.told(arguments), model: spec, ..Told::default() };
    if !subject.simulated() {
        told.open = Some(open);
        told.cold = subject.warm_up(&plan, &audio, arguments.warm_up)?;
        told.warm_up = arguments.warm_up;
    }
    let meter = Meter::start();
    let (bench, plan, search) = match goal {
        None => (subject.run(arguments, "bench", &plan, &audio)?, plan, None),
        Some(goal) => {
            let (bench, plan, search) = searched(arguments, &subject, (&plan, &audio), goal, out)?;
            (bench, plan, Some(search))
        }
    };
    // Of a search it would be the sum of all trials.
    let metered = !subject.simulated() && search.is_none();
    let resources = Some(meter.stop(bench.timelines.len(), bench.ended, subject.threads.get())).filter(|_| metered);
    let sweep = clips.sweep.clone();
    let max_lateness = Some(max_lateness(arguments)?);
    Ok(Measured { trace: Trace { plan, audio, sweep, max_lateness, bench }, told, budgets, search, resources })
}

/// Runs a search; its last confirming run, else its last, is the bench that is reported. Every trial's trace is kept.
fn searched(
    arguments: &BenchArguments,
    subject: &Subject,
    (plan, audio): (&Plan, &[Ns]),
    goal: Goal,
    out: &Path,
) -> Result<(Bench, Plan, LoadSearch), Failure> {
    let mut last = None;
    let mut trial = 0;
    let max_lateness = max_lateness(arguments)?;
    let mut run = |rate_hz: f64, longer: u32| -> Result<Option<BenchSummary>, Failure> {
        let mut plan = Plan { scenario: Scenario::Server { rate_hz }, ..*plan };
        plan.min_duration *= Ns::from(longer);
        plan.min_count = plan.min_count.saturating_mul(longer as usize).min(plan.max_count);
        trial += 1;
        let bench = subject.run(arguments, &format!("trial {trial}, {rate_hz:.2}/s"), &plan, audio)?;
        if interrupt::stopped() {
            last.get_or_insert((bench, plan));
            return Ok(None);
        }
        let summary = summarize(&bench, &plan, audio, max_lateness);
        let trace = Trace { plan, audio: audio.to_vec(), sweep: None, max_lateness: Some(max_lateness), bench };
        write_derived(out, &format!("trial-{trial:02}.jsonl"), write_trace(&trace).as_bytes())?;
        last = Some((trace.bench, plan));
        Ok(Some(summary))
    };
    let found = search(goal, arguments.rate, &mut run)?;
    let Some((bench, plan)) = last else { return Err(Failure::new(ExitCode::Internal, "a search without a trial")) };
    Ok((bench, plan, found))
}

/// The system under test, ready to be driven again and again.
pub(super) struct Subject {
    clips: Arc<Clips>,
    workers: usize,
    chunk: Ns,
    kind: Kind,
    facts: ModelFacts,
    /// Threads of the process when the last run on the real clock ended.
    threads: Cell<Option<u64>>,
}

enum Kind {
    Whole { system: Arc<Recogniser>, simulated: bool },
    Streaming(Arc<dyn StreamingModel>),
}

impl Subject {
    pub(super) fn open(
        arguments: &BenchArguments,
        spec: &str,
        cache: &Path,
        clips: Arc<Clips>,
        plan: &Plan,
    ) -> Result<Self, Failure> {
        let entry = ModelEntry { name: spec.to_owned(), spec: spec.to_owned() };
        let (chunk, streams) = match plan.scenario {
            Scenario::Paced { chunk, streams } => (chunk, streams),
            Scenario::MultiStream { streams } => (0, streams),
            _ => (0, 1),
        };
        if let Some(model) = open_streaming(&entry)? {
            if clips.requests.iter().any(|r| r.clips.len() > 1 || r.pool.is_some()) {
                let text = "--batch and --threads are for models of whole clips; this one streams";
                return Err(Failure::new(ExitCode::Usage, text));
            }
            // A streaming model holds its worker for the whole turn: every talker has one.
            let workers = arguments.workers.map_or(streams.min(512), usize::from);
            let facts = model.facts();
            return Ok(Self {
                clips,
                workers,
                chunk,
                kind: Kind::Streaming(Arc::from(model)),
                facts,
                threads: Cell::new(None),
            });
        }
        if arguments.barge_in_ms.is_some() {
            let text = "--barge-in-ms is for models that stream; this one takes whole clips";
            return Err(Failure::new(ExitCode::Usage, text));
        }
        let simulated = matches!(ModelSpec::parse(spec)?, ModelSpec::Fake(o) if o.delay_ms.is_some());
        if matches!(ModelSpec::parse(spec)?, ModelSpec::Hypotheses(_)) {
            let text = "these transcripts were made elsewhere: there is no time to measure";
            return Err(Failure::new(ExitCode::Usage, text));
        }
        let model: Arc<dyn Model> = Arc::from(open_model(&entry, cache, arguments.quiet)?);
        let facts = model.facts();
        let system = Arc::new(Recogniser { model, clips: Arc::clone(&clips), pools: pools(&arguments.threads)? });
        let workers = arguments.workers.map_or(1, usize::from);
        Ok(Self { clips, workers, chunk, kind: Kind::Whole { system, simulated }, facts, threads: Cell::new(None) })
    }

    pub(super) fn simulated(&self) -> bool {
        match &self.kind {
            Kind::Whole { simulated, .. } => *simulated,
            Kind::Streaming(model) => model.clock() == StreamClock::Simulated,
        }
    }

    /// Facts on how it is measured.
    pub(super) fn told(&self, arguments: &BenchArguments) -> Vec<(String, String)> {
        let mut facts = self.facts.facts.clone();
        let mut tell = |name: &str, value: String| facts.push((name.to_owned(), value));
        if let Some(sha) = &self.facts.weights_sha256 {
            tell("weights_sha256", sha.clone());
        }
        tell("suite", self.clips.suite.clone());
        tell("clips", self.clips.list.len().to_string());
        tell("clips_sha256", self.clips.sha256());
        tell("condition", arguments.clips.condition.clone());
        tell("workers", self.workers.to_string());
        let mut list = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                tell(name, values.join(", "));
            }
        };
        list("threads", arguments.threads.iter().map(usize::to_string).collect());
        list("batch", arguments.batch.iter().map(usize::to_string).collect());
        list("sweep-length", arguments.sweep_length.iter().map(f64::to_string).collect());
        if let (Kind::Whole { system, .. }, false) = (&self.kind, arguments.batch.is_empty()) {
            let real = if system.model.has_batching() {
                "the model's own"
            } else {
                "a loop: the model has no batching of its own"
            };
            tell("batching", real.to_owned());
        }
        if self.simulated() {
            tell("clock", "simulated".to_owned());
        }
        if let Some(ms) = arguments.barge_in_ms {
            tell(BARGE_IN_FACT, format!("{ms} ms of audible reply"));
        }
        facts
    }

    pub(super) fn system(&self) -> Arc<dyn System> {
        match &self.kind {
            Kind::Whole { system, .. } => Arc::clone(system) as Arc<dyn System>,
            Kind::Streaming(model) => Arc::new(self.streamer(model)),
        }
    }

    fn streamer(&self, model: &Arc<dyn StreamingModel>) -> Streamer {
        Streamer::new(Arc::clone(model), Arc::clone(&self.clips), self.chunk)
    }

    /// What a server of a simulated clock does.
    pub(super) fn script<'s>(&'s self, plan: &Plan) -> ServerScript<'s> {
        match &self.kind {
            Kind::Whole { system, .. } => Box::new(|command, start| system.script(command, start)),
            Kind::Streaming(model) => {
                let streamer = self.streamer(model);
                let mut turns = SimulatedStreamer { streamer, barge_in: plan.barge_in, turns: HashMap::new() };
                Box::new(move |command, start| turns.script(command, start))
            }
        }
    }

    /// Runs a plan.
    fn run(&self, arguments: &BenchArguments, label: &str, plan: &Plan, audio: &[Ns]) -> Result<Bench, Failure> {
        if self.simulated() {
            let mut port = Interruptible { port: Simulated::new(self.workers, self.script(plan)), real: false };
            return watched(arguments, label, plan, audio, &mut port);
        }
        let mut port = self.workers();
        let bench = watched(arguments, label, plan, audio, &mut port);
        // While its workers are still there.
        self.threads.set(threads());
        bench
    }

    fn workers(&self) -> Interruptible<Workers> {
        Interruptible { port: Workers::new(self.system(), self.workers, Clock::start()), real: true }
    }

    /// Requests before the measured ones, one after the other; how long the first took. One that hangs is given up like any.
    pub(super) fn warm_up(&self, plan: &Plan, audio: &[Ns], requests: usize) -> Result<Option<Ns>, Failure> {
        if requests == 0 {
            return Ok(None);
        }
        let scenario = Scenario::SingleStream;
        let warm =
            Plan { scenario, min_duration: 0, min_count: requests, max_count: requests, barge_in: None, ..*plan };
        let mut port = self.workers();
        let bench = drive(&mut port, &warm, audio, &mut |_, _, _| {}).map_err(|e| Failure::new(ExitCode::Usage, e))?;
        Ok(bench.timelines.first().and_then(vbench_load::Timeline::latency))
    }
}

/// A thread pool for each count.
fn pools(threads: &[usize]) -> Result<Vec<ThreadPool>, Failure> {
    let pool = |n: &usize| {
        if !(1..=1_024).contains(n) {
            return Err(Failure::new(ExitCode::Usage, format!("--threads: expected 1 to 1024, found {n}")));
        }
        ThreadPoolBuilder::new().num_threads(*n).build().map_err(|e| Failure::new(ExitCode::Internal, e))
    };
    threads.iter().map(pool).collect()
}

/// Drives with progress on standard error.
fn watched(
    arguments: &BenchArguments,
    label: &str,
    plan: &Plan,
    audio: &[Ns],
    port: &mut dyn Port,
) -> Result<Bench, Failure> {
    // By time or by number, whichever takes longer: hundredths of the way.
    let mut progress = Progress::new(label, 100, false, arguments.quiet);
    let mut shown = 0;
    let mut observe = |issued: usize, open: usize, now: Ns| {
        let by_time = if plan.min_duration > 0 { now as f64 / plan.min_duration as f64 } else { 1.0 };
        let by_number = issued.saturating_sub(open) as f64 / plan.min_count as f64;
        let done = (100.0 * by_time.min(by_number)).min(100.0) as u64;
        if done > shown {
            shown = done;
            progress.set(done, None);
        }
    };
    let bench = drive(port, plan, audio, &mut observe).map_err(|e| Failure::new(ExitCode::Usage, e));
    progress.finish();
    bench
}
