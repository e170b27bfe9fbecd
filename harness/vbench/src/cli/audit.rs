//! Arguments of `audit`.

use clap::{Args, ValueEnum};

use super::{CacheArguments, ClipArguments};

const EXAMPLES: &str = "\
Examples:
  vbench audit whisper:whisper-tiny.en                  six audits over 24 clips of the default suite
  vbench audit whisper:whisper-tiny.en --format junit   for a CI system
  vbench audit fake:echo                                one that fails: it reads the references

An honest recogniser passes all six:
  timed-accuracy  the same texts back to back under load as at leisure
  repeats         a clip that comes again is not answered faster (exact test at level 0.01)
  order           the same texts in another order
  names           the same texts under other ids and without metadata
  references      wrong references raise WER, also when the model is handed them
  silence         silence does not give the texts
Each clip is heard eight times.

Exit code 0 when all passed, 10 when one failed, 11 when one could not decide, 6 when a request had
no answer; the lowest of these.";

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArguments {
    /// Model, as in a suite: whisper:NAME, fake:echo, cheat:cache (a test adapter), …
    pub model: String,
    #[command(flatten)]
    /// What is sent.
    pub clips: ClipArguments,
    /// Threads that call the model in the timed run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: u16,
    /// Longer than this no answer is awaited
    #[arg(long, value_name = "S", default_value_t = 60.0)]
    pub timeout_s: f64,
    /// Seed of orders and intervals [default: the suite's]
    #[arg(long)]
    pub seed: Option<u64>,
    /// How the verdict is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: AuditFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    /// Where weights and corpora are kept.
    pub cache: CacheArguments,
}

/// How the verdict of an audit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// Plain text.
    Text,
    /// JUnit XML.
    Junit,
    /// JSON (vbench/audit/1).
    Json,
}
