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
