//! Arguments and `--help`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  vbench run suites/all.toml                     the default suite; the report is named at the end
  vbench run suites/smoke.toml --limit 2         a first look in seconds
  vbench run suites/all.toml --model m=fake:drop=5   try the harness without weights
  vbench suite plan suites/all.toml              what would run, how long, what it could detect
  vbench report runs/ID                          render an old run again with today's rules

Exit codes: 0 passed, 1 internal error, 2 usage, 3 suite invalid, 4 nothing selected, 5 model or data unavailable,
6 run incomplete, 7 store unreadable, 8 output not written, 9 input data invalid, 10 gate failed, 11 gate inconclusive.";

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
    /// Check, list or plan suites
    #[command(subcommand)]
    Suite(SuiteCommand),
    /// List, fetch, verify or describe model weights
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Fetch or import recordings
    #[command(subcommand)]
    Data(DataCommand),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Suite file, e.g. suites/all.toml (not needed with --resume)
    pub suite: Option<PathBuf>,
    /// Continue an interrupted run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["suite", "out", "seed", "select", "limit", "models"])]
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
    /// Run folder
    pub run: PathBuf,
    /// Where to write [default: the run folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the summary as JSON on standard output instead of the table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
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

/// Data commands.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the known corpora and which are in the cache
    List(CacheArguments),
    /// Fetch a corpus into the cache
    Pull {
        /// Name from `vbench data list`, e.g. asterisk-en
        name: String,
        /// Debian package files to use instead of apt-get
        #[arg(long, value_name = "FILE.deb")]
        from: Vec<PathBuf>,
        #[command(flatten)]
        /// Where corpora are kept.
        cache: CacheArguments,
    },
    /// Make a manifest for recordings that you have
    #[command(subcommand)]
    Import(ImportCommand),
}

/// Import commands.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// LibriSpeech as unpacked: DIR holds SPEAKER/CHAPTER/*.flac and *.trans.txt
    Librispeech {
        /// A subset's folder, e.g. LibriSpeech/test-clean
        dir: PathBuf,
        /// Corpus name in the cache
        #[arg(long, default_value = "librispeech-test-clean")]
        name: String,
        #[command(flatten)]
        /// Where corpora are kept.
        cache: CacheArguments,
    },
}
