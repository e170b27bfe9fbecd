//! Arguments of `vbench data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::CacheArguments;

const IMPORT_EXAMPLES: &str = "\
Examples:
  vbench data import LibriSpeech/test-clean               the format is found and named
  vbench data import kaldi data/test --audio-root /corpora/wav --out test/manifest.jsonl
  vbench data import common-voice cv-corpus/te/test.tsv --out te.jsonl --hash
  vbench data import coraal CORAAL/ --drop-interviewer
  vbench data import csv calls.csv --column audio=recording --column text=transcript --out calls.jsonl
  vbench data import parquet test.parquet --out hf/manifest.jsonl --out-audio hf/audio

Formats: librispeech, kaldi, lhotse, nemo, common-voice, coraal, stm (tedlium), csv, tsv, audiofolder,
parquet, classes, textgrid, elan; docs/corpora.md tells what each keeps and drops.
The corpus is not touched and its audio stays where it is. Everything wrong with it is listed with
file and line, and nothing is written then (exit code 9). Without --out the manifest goes to the
cache, where a suite finds it by `import = \"NAME\"`.";

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
    /// Make a manifest of recordings that you have
    Import(Box<ImportArguments>),
    /// Find what is wrong with a corpus: text, speakers and splits, sound, duplicates
    Check(CheckArguments),
    /// Play one utterance of a manifest, or write it to a file
    Play(PlayArguments),
    /// Rank references that several models agree against
    Suspects(SuspectsArguments),
    /// Divide a corpus so that no speaker or session is in two splits
    Split(SplitArguments),
    /// Take a part of a corpus that keeps the shares of its strata
    Sample(SampleArguments),
    /// Say what a corpus holds: hours, speakers, words, lengths, levels
    Describe(DescribeArguments),
}

const CHECK_EXAMPLES: &str = "\
Examples:
  vbench data check calls.jsonl                        text, speakers, sound
  vbench data check train.jsonl dev.jsonl test.jsonl   leaks between splits, too
  vbench data check suites/human.toml --html check.html
  vbench data check calls.jsonl --no-audio --json --limit max-duration=20
  vbench data check calls.jsonl --fix clean.jsonl --leave-out text-numbers --keep rate-slow

A manifest is a file or the name of an imported corpus; several are splits of one corpus. docs/corpora.md lists the findings. Exit code 9 where
there are errors, or errors that --fix did not mend.";

/// Arguments of `data check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckArguments {
    /// Manifests, which are splits of one corpus, or a suite
    #[arg(required = true, value_name = "MANIFEST|SUITE")]
    pub manifests: Vec<PathBuf>,
    /// Look at no recording
    #[arg(long)]
    pub no_audio: bool,
    /// Another limit, e.g. min-snr=10 (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit)]
    pub limit: Vec<(String, f64)>,
    /// Write a manifest without the utterances that should go, and OUT.left-out.jsonl with the reasons
    #[arg(long, value_name = "OUT")]
    pub fix: Option<PathBuf>,
    /// With --fix: leave these out, too (a finding, e.g. text-numbers; repeatable)
    #[arg(long, value_name = "FINDING", requires = "fix")]
    pub leave_out: Vec<String>,
    /// With --fix: keep these (repeatable)
    #[arg(long, value_name = "FINDING", requires = "fix")]
    pub keep: Vec<String>,
    /// JSON on standard output, schema vbench/data-check/1
    #[arg(long)]
    pub json: bool,
    /// Also write the findings as a page with figures and sound
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

fn limit(argument: &str) -> Result<(String, f64), String> {
    let form = || "expected NAME=NUMBER, e.g. min-snr=10".to_owned();
    let (name, value) = argument.split_once('=').ok_or_else(form)?;
    Ok((name.to_owned(), value.parse().map_err(|_| form())?))
}

/// Arguments of `data play`.
#[derive(Debug, Args)]
pub struct PlayArguments {
    /// Manifest
    pub manifest: PathBuf,
    /// Utterance
    pub id: String,
    /// Write it as WAV instead of playing it
    #[arg(long, value_name = "FILE.wav")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

/// Arguments of `data suspects`.
#[derive(Debug, Args)]
pub struct SuspectsArguments {
    /// Runs over the same utterances, two or more models in all
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Condition that they heard [default: the first one of the first run]
    #[arg(long, value_name = "NAME")]
    pub condition: Option<String>,
    /// Normaliser [default: the first run's]
    #[arg(long, value_name = "NAME")]
    pub normalizer: Option<String>,
    /// JSON on standard output, schema vbench/data-suspects/1
    #[arg(long)]
    pub json: bool,
    /// Also write them as a page with sound
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

/// Arguments of `data split`.
#[derive(Debug, Args)]
pub struct SplitArguments {
    /// Manifest
    pub manifest: PathBuf,
    /// Names and shares, e.g. train=80,dev=10,test=10
    #[arg(long, value_name = "NAME=SHARE,…", required = true, value_delimiter = ',', value_parser = share)]
    pub into: Vec<(String, f64)>,
    /// Folder for NAME.jsonl of every split
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Keep the shares within every value of this property: speaker, session, language or a tag (repeatable)
    #[arg(long, value_name = "PROPERTY")]
    pub stratify: Vec<String>,
    /// Seed of the hashes
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

fn share(argument: &str) -> Result<(String, f64), String> {
    let form = || "expected NAME=SHARE with a share above 0 and a name of letters, digits, dots and dashes".to_owned();
    let (name, value) = argument.split_once('=').ok_or_else(form)?;
    let value: f64 = value.parse().map_err(|_| form())?;
    let plain = name.starts_with(|c: char| c.is_alphanumeric())
        && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if plain && value > 0.0 && value.is_finite() { Ok((name.to_owned(), value)) } else { Err(form()) }
}

/// Arguments of `data sample`.
#[derive(Debug, Args)]
pub struct SampleArguments {
    /// Manifest
    pub manifest: PathBuf,
    /// Manifest of the sample
    #[arg(long, value_name = "FILE.jsonl")]
    pub out: PathBuf,
    /// Utterances
    #[arg(long, value_name = "N", conflicts_with = "detect", value_parser = clap::value_parser!(u32).range(1..))]
    pub n: Option<u32>,
    /// As few as detect this difference of WER, in percentage points
    #[arg(long, value_name = "POINTS", value_parser = |s: &str| within(s, 0.0, 100.0))]
    pub detect: Option<f64>,
    /// With --detect: chance of detecting it
    #[arg(long, value_name = "P", default_value_t = 0.8, value_parser = |s: &str| within(s, 0.5, 1.0))]
    pub power: f64,
    /// With --detect: WER of both systems, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = |s: &str| within(s, 0.0, 100.0))]
    pub wer: f64,
    /// Keep the shares of the values of this property: speaker, session, language or a tag (repeatable)
    #[arg(long, value_name = "PROPERTY")]
    pub stratify: Vec<String>,
    /// Seed of the hashes
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

/// A number above `lo` and below `hi`.
fn within(argument: &str, lo: f64, hi: f64) -> Result<f64, String> {
    let value: Option<f64> = argument.parse().ok();
    value.filter(|v| *v > lo && *v < hi).ok_or_else(|| format!("expected a number above {lo} and below {hi}"))
}

/// Arguments of `data describe`.
#[derive(Debug, Args)]
pub struct DescribeArguments {
    /// Manifests, or a suite
    #[arg(required = true, value_name = "MANIFEST|SUITE")]
    pub manifests: Vec<PathBuf>,
    /// Look at no recording
    #[arg(long)]
    pub no_audio: bool,
    /// What to call it [default: the manifests]
    #[arg(long)]
    pub name: Option<String>,
    /// JSON on standard output, schema vbench/data-describe/1
    #[arg(long)]
    pub json: bool,
    /// Also write it as a page with figures
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Also write a data card in Markdown
    #[arg(long, value_name = "FILE.md")]
    pub card: Option<PathBuf>,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

/// Arguments of `data import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArguments {
    /// Format (found where it is left out), and the corpus: a file or folder
    #[arg(required = true, num_args = 1..=2, value_names = ["FORMAT", "PATH"])]
    pub corpus: Vec<PathBuf>,
    /// Write the manifest here instead of into the cache
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "name")]
    pub out: Option<PathBuf>,
    /// Name of the corpus in the cache [default: from the format and the folder]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Folder that holds recordings besides the corpus' own (repeatable); none is read from anywhere else
    #[arg(long, value_name = "DIR")]
    pub audio_root: Vec<PathBuf>,
    /// Tables: the column that holds id, audio, text, speaker, session, language, start_s, end_s, duration_s or sha256
    #[arg(long, value_name = "KEY=COLUMN", value_parser = column)]
    pub column: Vec<(String, String)>,
    /// TextGrid and ELAN: tier to read (repeatable; several are several speakers)
    #[arg(long, value_name = "NAME")]
    pub tier: Vec<String>,
    /// CORAAL: leave the interviewers out
    #[arg(long)]
    pub drop_interviewer: bool,
    /// Licence of the corpus, kept with every utterance that has none of its own
    #[arg(long, value_name = "NAME")]
    pub licence: Option<String>,
    /// Language of the corpus (BCP 47), kept with every utterance that has none of its own
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// What to do with recordings
    #[arg(long, value_name = "WHAT", default_value = "headers")]
    pub audio: AudioLook,
    /// Add the sha256 of every recording, which each run then verifies
    #[arg(long)]
    pub hash: bool,
    /// Leave out utterances whose recording is missing, unreadable or too short, instead of refusing the corpus
    #[arg(long)]
    pub leave_out_bad_audio: bool,
    /// Parquet: write recordings that are stored inside the table into this folder
    #[arg(long, value_name = "DIR")]
    pub out_audio: Option<PathBuf>,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

/// What an import does with recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AudioLook {
    /// Read their headers: fill in durations, check that stretches lie inside
    Headers,
    /// Check that they are there
    Exist,
    /// Take their paths as they are
    None,
}

fn column(argument: &str) -> Result<(String, String), String> {
    let keys = vbench_corpus::Columns::KEYS;
    match argument.split_once('=') {
        Some((key, name)) if keys.contains(&key) && !name.is_empty() => Ok((key.into(), name.into())),
        _ => Err(format!("expected KEY=COLUMN with KEY one of {}", keys.join(", "))),
    }
}
