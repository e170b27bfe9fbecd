//! Arguments of `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::report::ReportFormat;
use super::{CacheArguments, ClipArguments};

const EXAMPLES: &str = "\
Examples:
  vbench bench whisper:whisper-tiny.en                          one request at a time: service time, RTF
  vbench bench whisper:whisper-tiny.en --scenario offline       throughput
  vbench bench whisper:whisper-tiny.en --scenario server --rate 2     Poisson arrivals, open loop
  vbench bench whisper:whisper-tiny.en --scenario paced --streams 4   fed as it is spoken
  vbench bench fake:echo,delay_ms=40 --scenario server --rate 20      a simulated clock: exact
  vbench bench whisper:whisper-tiny.en --against whisper:models/new     by turns: is the new checkpoint slower?
  vbench bench whisper:whisper-tiny.en,threads=1 --against whisper:whisper-tiny.en,threads=2
  vbench bench fake-pipeline: --scenario paced --barge-in-ms 200        speech to speech, five stages
  vbench bench whisper:whisper-tiny.en --scenario server --search p95=2000ms   throughput at a bound (72 requests a trial)
  vbench bench whisper:whisper-tiny.en --sweep-length 1,2,5,10,20     time over length, a fitted curve
  vbench bench --replay runs/…/requests.jsonl                         every number again from a trace

Latency counts from the time at which a request was due, not from when it was sent, so a stall is
charged to every request that it delayed. Requests without an answer count as at least --timeout-s.
A percentile whose interval would need more requests than there are is not shown. Exit code 6 when
the run is void (the instrument itself was late), was interrupted or a request had no answer, 10 when a budget or a
search failed, 11 when a budget could not be decided.";

/// What a session of two models sets itself.
const AGAINST_SETS: [&str; 8] = ["replay", "search", "sweep_length", "batch", "threads", "workers", "rate", "budgets"];

/// What only a run can follow, not a replay.
const OF_A_RUN: [&str; 24] = [
    "model",
    "scenario",
    "rate",
    "streams",
    "chunk_ms",
    "min_duration_s",
    "min_count",
    "max_count",
    "timeout_s",
    "warm_up",
    "workers",
    "barge_in_ms",
    "search",
    "sweep_length",
    "batch",
    "threads",
    "suite",
    "condition",
    "limit",
    "seed",
    "against",
    "margin_percent",
    "format",
    "out",
];

/// Arguments of `bench`.
#[derive(Debug, Args, Clone)]
#[command(after_help = EXAMPLES)]
pub struct BenchArguments {
    /// Model, as in a suite: whisper:NAME, fake:echo,delay_ms=40, …
    #[arg(required_unless_present = "replay")]
    pub model: Option<String>,
    /// What is sent when
    #[arg(long, value_enum, default_value_t = ScenarioName::SingleStream)]
    pub scenario: ScenarioName,
    /// Arrivals a second (server)
    #[arg(long, value_name = "HZ", default_value_t = 1.0)]
    pub rate: f64,
    /// Loops or talkers at once (multi-stream, paced)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub streams: usize,
    /// Length of a chunk in ms (paced)
    #[arg(long, value_name = "MS", default_value_t = 20.0)]
    pub chunk_ms: f64,
    /// Go on for at least this long …
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub min_duration_s: f64,
    /// … and for at least so many requests (offline: so many at once) [default: 64; with --search as many as its percentile
    /// needs, with --against twice each clip if that is more]
    #[arg(long, value_name = "N")]
    pub min_count: Option<usize>,
    /// Never more requests than this
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub max_count: usize,
    /// Longer than this no answer is awaited
    #[arg(long, value_name = "S", default_value_t = 60.0)]
    pub timeout_s: f64,
    /// Void the run when the instrument's own lateness exceeds this at p99 (server, paced) [default: 1; with --replay the
    /// run's own]
    #[arg(long, value_name = "MS")]
    pub max_lateness_ms: Option<f64>,
    /// Requests before the measured ones; the first of all is shown apart
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub warm_up: usize,
    /// Threads that call the model [default: 1; for streaming models one for each of --streams]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,
    /// The user speaks again so long after the reply's first audible sample (streaming models)
    #[arg(long, value_name = "MS")]
    pub barge_in_ms: Option<f64>,
    /// Find the largest rate at which a percentile of the latency holds, beginning at --rate, e.g. p99=500ms (server)
    #[arg(long, value_name = "pN=MSms")]
    pub search: Option<String>,
    /// Cut and join the clips to these lengths and fit time over length, e.g. 1,2,5,10,20
    #[arg(long, value_name = "S,…", value_delimiter = ',', conflicts_with_all = ["batch", "threads"])]
    pub sweep_length: Vec<f64>,
    /// Ask for so many clips in a call; several sizes are mixed and told apart
    #[arg(long, value_name = "N,…", value_delimiter = ',', conflicts_with = "threads")]
    pub batch: Vec<usize>,
    /// Let the model use so many threads; several counts are mixed and told apart
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub threads: Vec<usize>,
    /// A file with a table of budgets [default: the suite's]
    #[arg(long, value_name = "FILE")]
    pub budgets: Option<PathBuf>,
    #[command(flatten)]
    /// What is sent.
    pub clips: ClipArguments,
    /// Seed of arrivals and of the order of clips [default: the suite's]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Another model, by turns with MODEL in one session: is it slower? A claim is confirmed in fresh processes. Either may
    /// end with ,threads=N
    #[arg(long, value_name = "MODEL", conflicts_with_all = AGAINST_SETS)]
    pub against: Option<String>,
    /// With --against: how much longer the other model may take
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    pub margin_percent: f64,
    /// What to write beside the numbers and the trace, comma-separated
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "html")]
    pub format: Vec<ReportFormat>,
    /// Compute every number again from a trace, and run nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_A_RUN)]
    pub replay: Option<PathBuf>,
    /// Folder for bench.json, requests.jsonl and trace.json [default: runs/DATE-bench]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the numbers as JSON on standard output instead of the table
    #[arg(long)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    /// Where weights and corpora are kept.
    pub cache: CacheArguments,
}

/// Scenarios by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScenarioName {
    /// One request at a time, the next when the last is answered
    SingleStream,
    /// --streams such loops at once
    MultiStream,
    /// Poisson arrivals at --rate, whatever the answers do
    Server,
    /// All at once: throughput
    Offline,
    /// Fed as it is spoken, in chunks of --chunk-ms, by --streams talkers
    Paced,
}
