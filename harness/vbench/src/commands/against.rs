//! `vbench bench A --against B`: two models by turns in one session, a claim confirmed in fresh processes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vbench_core::ExitCode;
use vbench_load::{
    AbOrder, AbPicture, AbSummary, AbVerdict, Bench, BenchSummary, Clock, Command, FreshPair, Lane, Notice, Ns, Plan,
    Port, Ratio, Scenario, Session, Simulated, System, Timeline, Trace, What, Workers, ab_picture, chrome_trace,
    conclude, confirm, drive_in_order, summarize, summarize_ab, too_short, write_trace,
};
use vbench_model::ModelSpec;
use vbench_report::{
    AGAINST_SCHEMA, AgainstReport, against_figures, against_html, against_json, against_junit, against_markdown,
    against_text,
};
use vbench_stats::StatsError;
use vbench_store::folder::write_derived;

use super::bench::Subject;
use super::bench::clips::Clips;
use super::bench::settings::{check_folder, make_folder, max_lateness, plan};
use crate::cli::{BenchArguments, RenderArguments, ReportArguments, ReportFormat, ScenarioName};
use crate::commands::bench_page::{self, interrupted, provenance, read_document, read_requests};
use crate::commands::comparison_page::{not_rendered, write_figures};
use crate::failure::{Failure, note, say};
use crate::interrupt::{self, Interruptible};
use crate::open::cache_folder;
use crate::outputs::append_step_summary;
use crate::progress::Progress;
use crate::record::{bench_record, new_run_path};
use crate::render;

const BOUNDARY: &str = "samples in memory to the first audible sample of a reply with sound, else to the final text; decoding, \
                        degrading and opening the model are outside";
/// Pairs of fresh processes: the fewest clusters that the test takes.
const FRESH_PAIRS: usize = 6;
/// Turns of every clip, at the least: its orders come in mirrored pairs.
const ROUNDS: usize = 2;

/// Whether a folder is an A/B session.
pub fn is_against(path: &Path) -> bool {
    path.join("against.json").is_file()
}

/// Runs a session, writes its folder and says the verdict.
pub fn against(arguments: &BenchArguments, b: &str, options: &RenderArguments) -> Result<ExitCode, Failure> {
    let a = arguments.model.clone().unwrap_or_default();
    let usage = |text: &str| Err(Failure::new(ExitCode::Usage, text));
    let one_by_one = match arguments.scenario {
        ScenarioName::SingleStream => true,
        ScenarioName::Paced => arguments.streams == 1,
        _ => false,
    };
    if !one_by_one {
        return usage("--against sends one request at a time: --scenario single-stream, or paced with one talker");
    }
    if !(arguments.margin_percent > 0.0 && arguments.margin_percent <= 1_000.0) {
        return usage("--margin-percent: expected above 0, at most 1000");
    }
    let out = arguments.out.clone().unwrap_or_else(|| new_run_path("against"));
    check_folder(&out)?;
    plan(arguments, 0)?;
    let lanes = open_lanes(arguments, (&a, b))?;
    let n = lanes[0].clips.requests.len();
    let seed = arguments.seed.unwrap_or(lanes[0].clips.seed);
    let plan = session_plan(arguments, n, seed)?;
    let audio: Vec<Ns> = lanes.iter().flat_map(|lane| lane.clips.audio()).collect();
    plan.check(&audio).map_err(|e| Failure::new(ExitCode::Usage, e))?;
    make_folder(&out)?;
    interrupt::listen();
    let order = AbOrder::new(n, seed);
    let facts = json!({"a": lanes[0].facts, "b": lanes[1].facts});
    let bench = session(arguments, lanes, (&plan, &audio, &order))?;
    let max_lateness = max_lateness(arguments)?;
    let trace = Trace { plan, audio, sweep: None, max_lateness: Some(max_lateness), bench };
    write_derived(&out, "requests.jsonl", write_trace(&trace).as_bytes())?;
    write_derived(&out, "trace.json", chrome_trace(&trace).as_bytes())?;
    let margin = arguments.margin_percent / 100.0;
    let first = summarize_ab(&trace.bench, &order, margin, plan.timeout, seed);
    let mut document = json!({
        "schema": AGAINST_SCHEMA, "a": a, "b": b, "boundary": BOUNDARY, "margin": margin, "clips": n, "seed": seed,
        "facts": facts,
        "run": bench_record(), "max_lateness_ms": max_lateness as f64 / 1e6,
    });
    let voided = summarize(&trace.bench, &trace.plan, &trace.audio, max_lateness).voided;
    if first.verdict == AbVerdict::Regressed && voided.is_none() {
        let pairs = fresh_processes(arguments, &out, (&a, b), n, seed)?;
        document["fresh_pairs"] = pairs.into();
    }
    let read = AbRun::of(&out, document, trace)?;
    write_derived(&out, "against.json", format!("{:#}", read.json()).as_bytes())?;
    read.write(&out, options)?;
    note(format_args!("bench: {}", out.display()));
    if interrupt::stopped() {
        note("interrupted: this is what there was");
    }
    say(if arguments.json { format!("{:#}", read.json()) } else { against_text(&read.report()) });
    Ok(if interrupt::stopped() { ExitCode::Incomplete } else { read.outcome() })
}

fn open_lanes(arguments: &BenchArguments, (a, b): (&str, &str)) -> Result<[OneLane; 3], Failure> {
    let cache = cache_folder(&arguments.cache)?;
    // All three are known before weights are fetched.
    let [lane_a, lane_b, control] = [a, b, a].map(|spec| LaneSpec::parse(spec, arguments));
    let open = |spec: LaneSpec| OneLane::open(&spec, &cache);
    let (lane_a, lane_b, control) = (lane_a?, lane_b?, control?);
    Ok([open(lane_a)?, open(lane_b)?, open(control)?])
}

/// Whole turns: `--min-count` of them, `--max-count` is of requests.
fn session_plan(arguments: &BenchArguments, clips: usize, seed: u64) -> Result<Plan, Failure> {
    let plan = plan(arguments, seed)?;
    let least = 3 * plan.min_count.max(ROUNDS * clips);
    if arguments.max_count < least {
        let text = format!(
            "--max-count {}: {clips} clips, each {ROUNDS} times by three lanes, or --min-count turns, are {least} requests; raise \
             it, or send fewer clips by --limit",
            arguments.max_count
        );
        return Err(Failure::new(ExitCode::Usage, text));
    }
    Ok(Plan { min_count: least, max_count: arguments.max_count / 3 * 3, ..plan })
}

/// Writes the report of a session again.
pub fn report(run: &Path, arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    if arguments.export.export_worst.is_some() || arguments.baseline.is_some() {
        let text = "a session of two models has no utterances to export and no other baseline";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let out = arguments.out.as_deref().unwrap_or(run);
    let document = read_document(&run.join("against.json"), AGAINST_SCHEMA)?;
    let read = AbRun::of(run, document, read_requests(&run.join("requests.jsonl"))?)?;
    read.write(out, &arguments.render)?;
    say(if arguments.json { format!("{:#}", read.json()) } else { against_text(&read.report()) });
    note(format_args!("report: {}", out.join(render::entry(&arguments.render)).display()));
    Ok(read.outcome())
}

/// A session with its numbers.
struct AbRun {
    document: Value,
    a: String,
    b: String,
    scenario: Scenario,
    clips: usize,
    seed: u64,
    summary: AbSummary,
    /// The session as one run: lateness, length.
    whole: BenchSummary,
    /// Why it does not count.
    voided: Option<String>,
    picture: AbPicture,
    fresh: Option<Result<Ratio, StatsError>>,
    verdict: AbVerdict,
    reason: String,
    provenance: Vec<(String, String)>,
}

impl AbRun {
    /// Computes everything from the trace, and from those of the fresh processes beside it.
    fn of(folder: &Path, document: Value, trace: Trace) -> Result<Self, Failure> {
        let bad = |key: &str| {
            Failure::new(ExitCode::StoreUnreadable, format!("{}: against.json has no `{key}`", folder.display()))
        };
        let text = |key: &str| document[key].as_str().map(str::to_string).ok_or_else(|| bad(key));
        let number = |key: &str| document[key].as_u64().ok_or_else(|| bad(key));
        let (clips, seed) = (number("clips")? as usize, number("seed")?);
        let margin = document["margin"].as_f64().ok_or_else(|| bad("margin"))?;
        if clips == 0 || trace.audio.len() != 3 * clips {
            return Err(bad("clips"));
        }
        let summary = summarize_ab(&trace.bench, &AbOrder::new(clips, seed), margin, trace.plan.timeout, seed);
        let pairs = document["fresh_pairs"].as_u64().unwrap_or(0).min(1_000) as usize;
        let bound = bench_page::max_lateness(&document);
        let whole = summarize(&trace.bench, &trace.plan, &trace.audio, bound);
        let fresh = (pairs > 0).then(|| read_fresh(folder, pairs, bound)).transpose()?;
        let voided = whole.voided.clone().or_else(|| fresh.as_ref()?.1.clone());
        let fresh = fresh.map(|(pairs, _)| confirm(&pairs, margin, seed));
        let (verdict, reason) = conclude(&summary, fresh.as_ref(), voided.as_deref());
        Ok(Self {
            a: text("a")?,
            b: text("b")?,
            scenario: trace.plan.scenario,
            clips,
            seed,
            picture: ab_picture(&summary),
            provenance: provenance(folder, &document),
            document,
            summary,
            whole,
            voided,
            fresh,
            verdict,
            reason,
        })
    }

    fn report(&self) -> AgainstReport<'_> {
        AgainstReport {
            a: &self.a,
            b: &self.b,
            scenario: self.scenario,
            summary: &self.summary,
            picture: &self.picture,
            fresh: self.fresh.as_ref(),
            voided: self.voided.as_deref(),
            too_short: too_short(&self.whole),
            lateness: &self.whole.lateness,
            verdict: self.verdict,
            reason: &self.reason,
            boundary: self.document["boundary"].as_str().unwrap_or_default(),
            clips: self.clips,
            seed: self.seed,
            provenance: &self.provenance,
        }
    }

    fn json(&self) -> Value {
        let mut all = against_json(&self.report());
        for key in ["facts", "fresh_pairs", "max_lateness_ms", "run"] {
            if !self.document[key].is_null() {
                all[key] = self.document[key].clone();
            }
        }
        all
    }

    fn write(&self, out: &Path, options: &RenderArguments) -> Result<(), Failure> {
        let report = self.report();
        write_figures(out, options, || against_figures(&report, options.palette()))?;
        if options.wants(ReportFormat::Html) {
            write_derived(out, "report.html", against_html(&report).map_err(not_rendered)?.as_bytes())?;
        }
        let started = self.document["run"]["created"].as_str().unwrap_or_default();
        let texts: [(ReportFormat, &str, &dyn Fn() -> String); 3] = [
            (ReportFormat::Md, "report.md", &|| against_markdown(&report, true)),
            (ReportFormat::Json, "summary.json", &|| format!("{:#}", self.json())),
            (ReportFormat::Junit, "junit.xml", &|| against_junit(&report, started)),
        ];
        for (format, name, text) in texts {
            if options.wants(format) {
                write_derived(out, name, text().as_bytes())?;
            }
        }
        if options.wants(ReportFormat::Github) {
            let summary = against_markdown(&report, false);
            if !append_step_summary(&summary)? {
                write_derived(out, "step-summary.md", summary.as_bytes())?;
            }
        }
        Ok(())
    }

    fn outcome(&self) -> ExitCode {
        match self.verdict {
            _ if self.voided.is_some() || interrupted(&self.whole) => ExitCode::Incomplete,
            _ if self.summary.lanes.iter().any(|l| l.censored > 0) => ExitCode::Incomplete,
            AbVerdict::Pass => ExitCode::Passed,
            AbVerdict::Regressed => ExitCode::GateFailed,
            AbVerdict::Inconclusive => ExitCode::GateInconclusive,
        }
    }
}

/// A model with the number of threads that it may use.
struct LaneSpec {
    spec: String,
    arguments: BenchArguments,
}

impl LaneSpec {
    /// `MODEL`, or `MODEL,threads=N`.
    fn parse(text: &str, arguments: &BenchArguments) -> Result<Self, Failure> {
        let (spec, threads) = match text.rsplit_once(",threads=") {
            None => (text, Vec::new()),
            Some((spec, n)) => {
                let bad = |_| Failure::new(ExitCode::Usage, format!("{text}: threads={n} is not a whole number"));
                (spec, vec![n.parse::<usize>().map_err(bad)?])
            }
        };
        ModelSpec::parse(spec)?;
        let arguments = BenchArguments { threads, model: Some(spec.to_owned()), ..arguments.clone() };
        Ok(Self { spec: spec.to_owned(), arguments })
    }
}

/// A lane: an instance of its own, with clips of its own, even where two lanes are one model.
struct OneLane {
    subject: Subject,
    clips: Arc<Clips>,
    /// What the model and its settings are, by name.
    facts: BTreeMap<String, String>,
}

impl OneLane {
    fn open(of: &LaneSpec, cache: &Path) -> Result<Self, Failure> {
        let clips = Arc::new(Clips::load(&of.arguments, cache)?);
        let subject = Subject::open(&of.arguments, &of.spec, cache, Arc::clone(&clips), &plan(&of.arguments, 0)?)?;
        let facts = subject.told(&of.arguments).into_iter().collect();
        Ok(Self { subject, clips, facts })
    }
}

/// The lanes in this process: on a simulated clock where all of them are.
fn session(
    arguments: &BenchArguments,
    lanes: [OneLane; 3],
    (plan, audio, order): (&Plan, &[Ns], &AbOrder),
) -> Result<Bench, Failure> {
    let simulated = lanes.iter().filter(|l| l.subject.simulated()).count();
    if simulated == lanes.len() {
        let mut scripts = lanes.each_ref().map(|lane| lane.subject.script(plan));
        // Of a stream only chunks name the clip.
        let mut lane_of: HashMap<u64, usize> = HashMap::new();
        let script = |command: &Command, start: Ns| {
            let mut command = *command;
            let lane = match &mut command {
                Command::Whole { id, sample } | Command::Chunk { id, sample, .. } => {
                    let (clip, lane) = order.place(*sample);
                    *sample = clip;
                    lane_of.insert(*id, lane as usize);
                    lane as usize
                }
                Command::Interrupt { id } | Command::Abandon { id } => lane_of.get(id).copied().unwrap_or(0),
            };
            scripts[lane](&command, start)
        };
        let mut port = Interruptible { port: Simulated::new(1, script), real: false };
        return watched(arguments, plan, audio, order.clone(), &mut port);
    }
    if simulated > 0 {
        let text = "one model is on a simulated clock and the other on the real one: their times cannot be compared";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    for lane in &lanes {
        lane.subject.warm_up(plan, &lane.clips.audio(), arguments.warm_up)?;
    }
    let systems = lanes.each_ref().map(|lane| lane.subject.system());
    let port = Arc::new(Lanes { systems, order: order.clone() });
    let mut port = Interruptible { port: Workers::new(port, 1, Clock::start()), real: true };
    watched(arguments, plan, audio, order.clone(), &mut port)
}

fn watched(
    arguments: &BenchArguments,
    plan: &Plan,
    audio: &[Ns],
    mut order: AbOrder,
    port: &mut dyn Port,
) -> Result<Bench, Failure> {
    let mut progress = Progress::new("bench", plan.min_count as u64, false, arguments.quiet);
    let mut observe = |issued: usize, _: usize, _: Ns| progress.set((issued as u64).min(plan.min_count as u64), None);
    let bench = drive_in_order(port, plan, audio, (Lane::ALL.len(), &mut |n| order.sample(n)), &mut observe);
    progress.finish();
    bench.map_err(|e| Failure::new(ExitCode::Usage, e))
}

/// Three systems as one: the sample says who answers.
struct Lanes {
    systems: [Arc<dyn System>; 3],
    order: AbOrder,
}

impl System for Lanes {
    fn whole(&self, id: u64, sample: usize, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        let (clip, lane) = self.order.place(sample);
        self.systems[lane as usize].whole(id, clip, clock, emit)
    }

    fn open(self: Arc<Self>, id: u64, sample: usize) -> Result<Box<dyn Session>, String> {
        let (clip, lane) = self.order.place(sample);
        Arc::clone(&self.systems[lane as usize]).open(id, clip)
    }

    fn notice(&self, id: u64, notice: Notice) {
        // Those that do not know the request let it pass.
        self.systems.iter().for_each(|system| system.notice(id, notice));
    }
}

/// Runs A and B in processes of their own, ABBA: every clip once in each. Their folders are ordinary bench runs. None where
/// somebody interrupted it.
fn fresh_processes(
    arguments: &BenchArguments,
    out: &Path,
    (a, b): (&str, &str),
    clips: usize,
    seed: u64,
) -> Result<usize, Failure> {
    let mut progress = Progress::new("fresh", 2 * FRESH_PAIRS as u64, false, arguments.quiet);
    for pair in 0..FRESH_PAIRS {
        let lanes = if pair % 2 == 0 { [("a", a), ("b", b)] } else { [("b", b), ("a", a)] };
        for (i, (lane, spec)) in lanes.into_iter().enumerate() {
            if !one_process(arguments, spec, &fresh_folder(out, pair, lane), clips, seed)? {
                return Ok(0);
            }
            progress.set((2 * pair + i + 1) as u64, None);
        }
    }
    progress.finish();
    Ok(FRESH_PAIRS)
}

fn fresh_folder(out: &Path, pair: usize, lane: &str) -> PathBuf {
    out.join(format!("fresh/{:02}-{lane}", pair + 1))
}

/// One of them; false where it was interrupted.
fn one_process(arguments: &BenchArguments, spec: &str, out: &Path, clips: usize, seed: u64) -> Result<bool, Failure> {
    let failed = |text: String| Failure::new(ExitCode::Internal, format!("a fresh process for {spec}: {text}"));
    let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let of = LaneSpec::parse(spec, arguments)?.arguments;
    let mut child = Process::new(program);
    child.arg("bench").arg(of.model.unwrap_or_default()).args(["--quiet", "--format", "json"]);
    let scenario = if of.scenario == ScenarioName::Paced { "paced" } else { "single-stream" };
    for (name, value) in [
        ("--scenario", scenario.to_owned()),
        ("--chunk-ms", of.chunk_ms.to_string()),
        ("--min-duration-s", "0".to_owned()),
        ("--min-count", clips.to_string()),
        ("--max-count", clips.to_string()),
        ("--seed", seed.to_string()),
        ("--limit", of.clips.limit.to_string()),
        ("--condition", of.clips.condition.clone()),
        ("--warm-up", of.warm_up.to_string()),
        ("--timeout-s", of.timeout_s.to_string()),
        ("--max-lateness-ms", (max_lateness(arguments)? as f64 / 1e6).to_string()),
    ] {
        child.args([name, &value]);
    }
    if let Some(ms) = of.barge_in_ms {
        child.args(["--barge-in-ms", &ms.to_string()]);
    }
    for threads in &of.threads {
        child.args(["--threads", &threads.to_string()]);
    }
    child.arg("--suite").arg(&of.clips.suite).arg("--out").arg(out);
    if let Some(folder) = &of.cache.cache {
        child.arg("--cache").arg(folder);
    }
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = child.spawn().map_err(|e| failed(e.to_string()))?;
    // It is quiet: what little it says fits into the pipe.
    while running.try_wait().map_err(|e| failed(e.to_string()))?.is_none() {
        if interrupt::stopped() {
            running.kill().and_then(|()| running.wait()).map_err(|e| failed(e.to_string()))?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = running.wait_with_output().map_err(|e| failed(e.to_string()))?;
    // Requests without an answer end it with 6, budgets of the suite with 10 or 11; its trace has what counts.
    match output.status.code() {
        Some(0 | 6 | 10 | 11) => Ok(!interrupt::stopped()),
        _ => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_string())),
    }
}

/// Waits in fresh processes, and why one of those does not count.
fn read_fresh(folder: &Path, pairs: usize, bound: Ns) -> Result<(Vec<FreshPair>, Option<String>), Failure> {
    let mut voided = None;
    let mut times = |pair: usize, lane: &str| -> Result<Vec<(usize, Ns)>, Failure> {
        let trace = read_requests(&fresh_folder(folder, pair, lane).join("requests.jsonl"))?;
        let late = summarize(&trace.bench, &trace.plan, &trace.audio, bound).voided;
        voided = voided.take().or_else(|| Some(format!("in a fresh process {}", late?)));
        let of = |t: &Timeline| Some((t.sample, t.wait()?));
        Ok(trace.bench.timelines.iter().filter_map(of).collect())
    };
    let read = (0..pairs).map(|pair| Ok((times(pair, "a")?, times(pair, "b")?))).collect::<Result<_, Failure>>()?;
    Ok((read, voided))
}
