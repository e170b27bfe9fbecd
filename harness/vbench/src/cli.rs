//! Arguments and `--help`.

mod audio;
mod audit;
mod bench;
mod data;
mod report;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vbench_score::formats::{Format, MissingPolicy};
use vbench_score::{CharUnit, Weights};

pub use audio::{AudioCacheArguments, ConditionsArguments, DegradeArguments, MeasureArguments, ReproduceArguments};
pub use audit::{AuditArguments, AuditFormat};
pub use bench::{BenchArguments, ScenarioName};
pub use data::{
    AudioLook, CheckArguments, DataCommand, DescribeArguments, ImportArguments, PlayArguments, SampleArguments,
    SplitArguments, SuspectsArguments,
};
pub use report::{AudioPlace, ExportArguments, RenderArguments, ReportFormat};

const EXAMPLES: &str = "\
Examples:
  vbench run suites/all.toml                     the default suite; the report is named at the end
  vbench run suites/smoke.toml --limit 2         a first look in seconds
  vbench run suites/all.toml --model m=fake:drop=5   try the harness without weights
  vbench suite plan suites/all.toml              what would run, how long, what it could detect
  vbench report runs/ID                          render an old run again with today's rules
  vbench report runs/ID --export-worst 20 listen/    the hardest utterances to listen through
  vbench score --ref ref.txt --hyp hyp.txt       score transcripts made elsewhere

  vbench report runs/B --baseline runs/A         two runs side by side as one page
  vbench report runs                             the history of all runs in a folder
  vbench compare runs/A runs/B                   by how much, how sure, and where it comes from
  vbench gate runs/B --baseline runs/A           may it merge?

Exit codes: 0 passed, 1 internal error, 2 usage, 3 suite invalid, 4 nothing selected,
5 model or data unavailable, 6 run incomplete, 7 store unreadable, 8 output not written,
9 input data invalid, 10 gate failed, 11 gate inconclusive.";

/// Tests and benchmarks speech models over stratified suites, with an interval on every number.
#[derive(Debug, Parser)]
#[command(name = "vbench", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a suite: fetch what is missing, transcribe, score, report
    Run(RunArguments),
    /// Render the report of a finished or interrupted run again
    Report(ReportArguments),
    /// Measure latency and throughput under load: one at a time, Poisson arrivals, everything at once, in real time
    Bench(BenchArguments),
    /// Audit a timed model: caching, order, names, references, silence, speed bought with accuracy
    Audit(AuditArguments),
    /// Score transcripts: WER, CER, confusions; text, trn, stm/ctm, CSV, JSONL, Kaldi, SegLST
    Score(Box<ScoreArguments>),
    /// Degrade recordings: noise, rooms, codecs, lossy channels, with receipts
    Degrade(DegradeArguments),
    /// Measure degraded recordings against their reference: SNR, SI-SDR, STOI, loudness, delay
    Measure(MeasureArguments),
    /// Make one clip of a run again, bit for bit, to hear or keep it
    Reproduce(ReproduceArguments),
    /// List the conditions that audio can be put through, and what a recipe may say
    Conditions(ConditionsArguments),
    /// Compare two runs, two models of a run, or two checkpoints over a suite
    Compare(CompareArguments),
    /// Judge a run by the rules of its suite against a baseline: pass, regressed or inconclusive
    Gate(GateArguments),
    /// Accept transcripts and metrics of a run, and check later runs against them
    #[command(subcommand)]
    Golden(GoldenCommand),
    /// Check, list or plan suites
    #[command(subcommand)]
    Suite(SuiteCommand),
    /// List, fetch, verify or describe model weights
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Fetch, import, check, divide or describe recordings
    #[command(subcommand)]
    Data(DataCommand),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Suite file, e.g. suites/all.toml (not needed with --resume)
    pub suite: Option<PathBuf>,
    /// Continue an interrupted run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["suite", "out", "seed", "select", "limit", "models", "sequential"])]
    pub resume: Option<PathBuf>,
    /// With --resume: run failed cells again
    #[arg(long, requires = "resume")]
    pub retry_failed: bool,
    /// Folder for the run [default: runs/DATE-SUITE]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Cells in flight at once; more than 1 makes timings overlap, rows stay the same bytes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub jobs: u16,
    /// Only cells with these properties, e.g. condition=clean,speaker=slt (repeatable; same property: either)
    #[arg(long, value_name = "PROPERTY=VALUE")]
    pub select: Vec<String>,
    /// At most N utterances, spread evenly
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Use this model instead of the suite's, e.g. base=whisper:whisper-base or f=fake:echo (repeatable)
    #[arg(long = "model", value_name = "NAME=SPEC")]
    pub models: Vec<String>,
    /// Seed of every random draw [default: the suite's]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Exit 0 although up to N cells failed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub allow_failed: usize,
    /// Print the summary as JSON on standard output instead of the table
    #[arg(long)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    /// Run speaker by speaker in a keyed random order, and stop as soon as every rule that limits a change is decided
    #[arg(long, requires = "baseline")]
    pub sequential: bool,
    #[command(flatten)]
    /// What the report is written as.
    pub render: RenderArguments,
    #[command(flatten)]
    /// Where degraded audio is kept.
    pub audio_cache: AudioCacheArguments,
    #[command(flatten)]
    /// The gate that follows the run.
    pub gate: BaselineArguments,
    #[command(flatten)]
    /// Where weights and corpora are kept.
    pub cache: CacheArguments,
}

/// Where weights and corpora are kept.
#[derive(Debug, Args, Clone)]
pub struct CacheArguments {
    /// Folder for weights and corpora [default: the platform's cache folder]
    #[arg(long, value_name = "DIR", env = "VBENCH_CACHE")]
    pub cache: Option<PathBuf>,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Run folder; several, or a folder that holds runs, make a history
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Compare the run with this one: comparison.html, comparison.md, comparison.json
    #[arg(long, value_name = "RUN")]
    pub baseline: Option<PathBuf>,
    /// With --baseline: model of the baseline [default: its only one]
    #[arg(long, value_name = "NAME", requires = "baseline")]
    pub a_model: Option<String>,
    /// With --baseline: model of the run [default: its only one, or the one of the baseline's name]
    #[arg(long, value_name = "NAME", requires = "baseline")]
    pub b_model: Option<String>,
    #[command(flatten)]
    /// With --baseline: what may differ.
    pub scoring: ScoringArguments,
    /// Where to write [default: the run folder, or the folder that holds the runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the summary as JSON on standard output instead of the table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// Formats and audio.
    pub render: RenderArguments,
    #[command(flatten)]
    /// The hardest utterances as a folder.
    pub export: ExportArguments,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

const SCORE_EXAMPLES: &str = "\
Examples:
  vbench score --ref ref.txt --hyp hyp.txt               line i against line i, no normalising
  vbench score --ref ref.trn --hyp hyp.trn --by speaker  sclite's files and counts
  vbench score --ref ref.stm --hyp hyp.ctm               words assigned to segments by time
  vbench score --pairs p.jsonl --normalizer whisper-en --normalizer none     the band over both
  vbench score --pairs p.csv --column ref=truth --column hyp=output --by accent --json
  vbench score --ref r.txt --hyp h.txt --align --confusions 20               what went wrong
  vbench score --ref r.json --hyp h.json --multi tcp --collar 5              meetings

WER is a ratio of sums with a 95 % interval over speakers (or sessions, or utterances: always
named). Counts are sclite's; --weights levenshtein gives jiwer's totals.";

/// Arguments of `score`.
#[derive(Debug, Args)]
#[command(after_help = SCORE_EXAMPLES)]
pub struct ScoreArguments {
    /// References
    #[arg(long = "ref", value_name = "FILE", requires = "hypothesis", conflicts_with = "pairs")]
    pub reference: Option<PathBuf>,
    /// Hypotheses
    #[arg(long = "hyp", value_name = "FILE", requires = "reference")]
    pub hypothesis: Option<PathBuf>,
    /// References and hypotheses in one file: JSONL with `id`, `ref`, `hyp` and any tags, or CSV/TSV with such columns
    #[arg(long, value_name = "FILE")]
    pub pairs: Option<PathBuf>,
    /// Format: text, kaldi, jsonl, csv, tsv, trn, stm, ctm, seglst [default: by the file's ending]
    #[arg(long, value_name = "NAME", value_parser = format)]
    pub format: Option<Format>,
    /// Format of the hypotheses where it is another one
    #[arg(long, value_name = "NAME", value_parser = format)]
    pub hyp_format: Option<Format>,
    /// Name of a column or key: id, ref, hyp, text, speaker or session (repeatable)
    #[arg(long = "column", value_name = "KEY=NAME", value_parser = column)]
    pub columns: Vec<(String, String)>,
    /// Utterances without a partner: error, empty (count as deleted) or skip; always counted
    #[arg(long, value_name = "POLICY", default_value = "error", value_parser = policy)]
    pub missing: MissingPolicy,
    /// Text normaliser: none, basic, whisper-en, script-safe, with options such as basic+remove-diacritics, or rules:FILE
    /// (repeatable: the band over all; breakdowns are of the first) [default: none]
    #[arg(long, value_name = "NAME")]
    pub normalizer: Vec<String>,
    /// Alignment weights: sclite (0/3/3/4) or levenshtein
    #[arg(long, value_name = "NAME", default_value = "sclite", value_parser = weights)]
    pub weights: Weights,
    /// What a character is: grapheme or code-point
    #[arg(long, value_name = "UNIT", default_value = "grapheme", value_parser = char_unit)]
    pub char_unit: CharUnit,
    /// A line for each value of a tag, of `speaker` or of `session` (repeatable)
    #[arg(long, value_name = "TAG")]
    pub by: Vec<String>,
    /// The N most frequent substitutions, deletions and insertions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub confusions: Option<u16>,
    /// Breakdowns: part of the utterance, word class, length, speaker; repetitions and hallucinations
    #[arg(long)]
    pub analysis: bool,
    /// Phoneme confusions
    #[arg(long)]
    pub phonemes: bool,
    /// With --phonemes: the confusion matrix as a figure, FILE.png or FILE.svg
    #[arg(long, value_name = "FILE", requires = "phonemes")]
    pub phoneme_figure: Option<PathBuf>,
    /// Language of the texts for word classes and phonemes
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub language: String,
    /// Recall, precision and WER of these words or phrases, one a line
    #[arg(long, value_name = "FILE")]
    pub keywords: Option<PathBuf>,
    /// Weighted WER: lines `word weight`
    #[arg(long, value_name = "FILE")]
    pub word_weights: Option<PathBuf>,
    /// Show every pair with errors, word above word
    #[arg(long, conflicts_with = "json")]
    pub align: bool,
    /// Say which rule of the normaliser changed which word
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    /// Several speakers: cp (cpWER) or tcp (tcpWER, needs times)
    #[arg(long, value_name = "METRIC")]
    pub multi: Option<MultiMetric>,
    /// With --multi tcp: seconds that words may be apart
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub collar: f64,
    /// With --json: counts of every pair
    #[arg(long, requires = "json")]
    pub per_utterance: bool,
    /// JSON on standard output, schema vbench/score/1
    #[arg(long)]
    pub json: bool,
    /// Seed of the intervals' draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    #[command(flatten)]
    /// Where the pronouncing dictionary is kept.
    pub cache: CacheArguments,
}

/// How several speakers are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MultiMetric {
    /// Concatenated minimum-permutation WER
    Cp,
    /// The same, with words apart in time not matched
    Tcp,
}

fn named<T>(what: &str, name: &str, found: Option<T>, known: &[&str]) -> Result<T, String> {
    found.ok_or_else(|| format!("no {what} `{name}`; known: {}", known.join(", ")))
}

fn format(name: &str) -> Result<Format, String> {
    named("format", name, Format::from_name(name), &Format::ALL.map(Format::name))
}

fn policy(name: &str) -> Result<MissingPolicy, String> {
    named("policy", name, MissingPolicy::from_name(name), &MissingPolicy::ALL.map(MissingPolicy::name))
}

fn weights(name: &str) -> Result<Weights, String> {
    named("weights", name, Weights::from_name(name), &["sclite", "levenshtein"])
}

fn char_unit(name: &str) -> Result<CharUnit, String> {
    let units = [CharUnit::Grapheme, CharUnit::CodePoint];
    named("unit", name, units.into_iter().find(|u| u.name() == name), &units.map(CharUnit::name))
}

fn column(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((key, name)) if ["id", "ref", "hyp", "text", "speaker", "session"].contains(&key) => {
            Ok((key.into(), name.into()))
        }
        _ => Err("expected KEY=NAME with KEY one of id, ref, hyp, text, speaker, session".into()),
    }
}

/// Suite commands.
#[derive(Debug, Subcommand)]
pub enum SuiteCommand {
    /// Check suites, manifests and audio files; every problem with file, line and key
    Check {
        /// Suite files
        #[arg(required = true)]
        suites: Vec<PathBuf>,
        #[command(flatten)]
        /// Where corpora are kept.
        cache: CacheArguments,
    },
    /// List the suites of a folder
    List {
        /// Folder
        #[arg(default_value = "suites")]
        folder: PathBuf,
        #[command(flatten)]
        /// Where corpora are kept.
        cache: CacheArguments,
    },
    /// Show cells, hours of audio, estimated time and the smallest difference in WER that could be detected
    Plan {
        /// Suite file
        suite: PathBuf,
        /// Only cells with these properties
        #[arg(long, value_name = "PROPERTY=VALUE")]
        select: Vec<String>,
        /// At most N utterances
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        #[command(flatten)]
        /// Where corpora are kept.
        cache: CacheArguments,
    },
}

/// Model commands.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the known models and which are in the cache
    List(CacheArguments),
    /// Fetch weights into the cache, verified by sha256
    Pull {
        /// Names from `vbench models list`
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        /// Where weights are kept.
        cache: CacheArguments,
    },
    /// Hash every file of models in the cache again
    Verify {
        /// Names [default: every model in the cache]
        names: Vec<String>,
        #[command(flatten)]
        /// Where weights are kept.
        cache: CacheArguments,
    },
    /// Show licence, files, sources and folder of a model
    Info {
        /// Name
        name: String,
        #[command(flatten)]
        /// Where weights are kept.
        cache: CacheArguments,
    },
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Run folders: baseline A and run B; or one run with two models and --a, --b; or two files of `vbench score` pairs
    #[arg(num_args = 0..=2)]
    pub runs: Vec<PathBuf>,
    /// Run two models over this suite, taking turns on every cell, and compare them
    #[arg(long, value_name = "SUITE", conflicts_with = "runs", requires_all = ["a", "b"])]
    pub suite: Option<PathBuf>,
    /// First model: its name in the one run, or with --suite [NAME=]SPEC, e.g. base=whisper:whisper-base
    #[arg(long, value_name = "NAME|SPEC", requires = "b", conflicts_with_all = ["a_model", "b_model"])]
    pub a: Option<String>,
    /// Second model
    #[arg(long, value_name = "NAME|SPEC", requires = "a")]
    pub b: Option<String>,
    /// Model of run A [default: its only one]
    #[arg(long, value_name = "NAME")]
    pub a_model: Option<String>,
    /// Model of run B [default: its only one, or the one of A's name]
    #[arg(long, value_name = "NAME")]
    pub b_model: Option<String>,
    /// Also print paired t, Wilcoxon, sign, McNemar and MAPSSWE, which take cells as independent
    #[arg(long)]
    pub secondary: bool,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// Print JSON (vbench/compare/1)
    #[arg(long)]
    pub json: bool,
    /// Also write the comparison as one HTML page with figures and sound
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    /// What may differ.
    pub scoring: ScoringArguments,
    /// With --suite: folder for the run [default: runs/DATE-SUITE]
    #[arg(long, value_name = "DIR", requires = "suite")]
    pub out: Option<PathBuf>,
    /// With --suite: only cells with these properties
    #[arg(long, value_name = "PROPERTY=VALUE", requires = "suite")]
    pub select: Vec<String>,
    /// With --suite: at most N utterances, spread evenly
    #[arg(long, value_name = "N", requires = "suite", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// With --suite: seed of every random draw [default: the suite's]
    #[arg(long, requires = "suite")]
    pub seed: Option<u64>,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    /// Where weights and corpora are kept.
    pub cache: CacheArguments,
}

/// How two runs are scored, and what may differ between them.
#[derive(Debug, Args, Clone, Default)]
pub struct ScoringArguments {
    /// Score both runs with this normaliser instead of theirs, e.g. whisper-en, basic, none
    #[arg(long, value_name = "NAME")]
    pub normalizer: Option<String>,
    /// Go on although normalisers, references or audio differ: the second run's normaliser scores both, cells with
    /// other references are left out
    #[arg(long)]
    pub force: bool,
}

/// The clips that a bench or an audit sends.
#[derive(Debug, Args, Clone)]
pub struct ClipArguments {
    /// Suite whose clips are sent
    #[arg(long, value_name = "FILE", default_value = "suites/all.toml")]
    pub suite: PathBuf,
    /// Condition of the suite in which they are sent
    #[arg(long, value_name = "NAME", default_value = "clean")]
    pub condition: String,
    /// At most N clips, spread evenly
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// A baseline, rules, and what an undecided gate means.
#[derive(Debug, Args, Clone)]
pub struct BaselineArguments {
    /// Judge against this run folder, or `golden` for the accepted transcripts in golden/runs
    #[arg(long, value_name = "RUN|golden")]
    pub baseline: Option<String>,
    /// Rules instead of the suite's own: a gate.toml or a suite
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// What an inconclusive gate means: exit code 11, 0 with a warning, or 0
    #[arg(long, value_name = "POLICY", default_value = "fail")]
    pub inconclusive: InconclusivePolicy,
    /// Folder of the goldens
    #[arg(long, value_name = "DIR", default_value = "golden/runs")]
    pub golden: PathBuf,
}

/// What an inconclusive gate means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum InconclusivePolicy {
    /// Exit code 11.
    Fail,
    /// Exit code 0.
    Pass,
    /// Exit code 0 and a warning.
    Warn,
}

/// How a gate's verdict is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum GateFormat {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// JUnit XML.
    Junit,
    /// Workflow annotations, and Markdown for the step summary (appended to $GITHUB_STEP_SUMMARY where that is set).
    Github,
    /// JSON (vbench/gate/1).
    Json,
}

/// Arguments of `gate`.
#[derive(Debug, Args)]
pub struct GateArguments {
    /// Run folder; of a bench its budgets are judged
    pub run: PathBuf,
    #[command(flatten)]
    /// Baseline, rules, policy.
    pub baseline: BaselineArguments,
    /// Judge only this model of the run
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Model of the baseline that it is judged against [default: the one of its name, or the only one]
    #[arg(long, value_name = "NAME", requires = "model")]
    pub baseline_model: Option<String>,
    /// How the verdict is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GateFormat,
    /// Plant regressions around each rule and show that each flips, and the smallest one that is caught
    #[arg(long, conflicts_with = "aa")]
    pub selftest: bool,
    /// Measure the noise floor: what two runs without a true difference look like
    #[arg(long)]
    pub aa: bool,
    #[command(flatten)]
    /// What may differ.
    pub scoring: ScoringArguments,
}

/// Golden commands.
#[derive(Debug, Subcommand)]
pub enum GoldenCommand {
    /// Accept a run's transcripts and metrics as golden; of later ones only the classes named
    Accept {
        /// Run folder
        run: PathBuf,
        /// Classes of difference to accept where a golden exists: equal, neutral, fixed, broken
        #[arg(long, value_name = "CLASS", value_delimiter = ',', default_value = "equal,neutral,fixed")]
        class: Vec<String>,
        #[command(flatten)]
        /// Where goldens are.
        place: GoldenPlace,
    },
    /// Show how a run differs from its golden, cell by cell
    Diff {
        /// Run folder
        run: PathBuf,
        #[command(flatten)]
        /// Where goldens are.
        place: GoldenPlace,
    },
    /// Check a run against its golden (broken cells fail); without a run score every golden's transcripts again
    Check {
        /// Run folder
        run: Option<PathBuf>,
        /// Folder of the suites that goldens belong to
        #[arg(long, value_name = "DIR", default_value = "suites")]
        suites: PathBuf,
        #[command(flatten)]
        /// Where goldens are.
        place: GoldenPlace,
    },
}

/// Which goldens.
#[derive(Debug, Args, Clone)]
pub struct GoldenPlace {
    /// Folder of the goldens
    #[arg(long, value_name = "DIR", default_value = "golden/runs")]
    pub golden: PathBuf,
    /// Only this model
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Go on although the audio differs
    #[arg(long)]
    pub force: bool,
}
