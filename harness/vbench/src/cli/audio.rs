//! Arguments of the commands about audio alone: `degrade`, `reproduce`, `measure`, `conditions`.

use std::path::PathBuf;

use clap::Args;

use super::CacheArguments;

const DEGRADE_EXAMPLES: &str = "\
Examples:
  vbench degrade clip.wav --condition noise-5db --out noisy.wav
  vbench degrade corpus/ --condition far-field,telephone --out degraded/
  vbench degrade manifest.jsonl --condition all --out degraded/ --jobs 8
  vbench degrade clip.flac --out call.wav \\
    --recipe 'band(low_hz=300, high_hz=3400) | noise(kind=pink, snr_db=12) | gsm'

A folder or manifest gives OUT/CONDITION/….wav and OUT/manifest.jsonl, whose lines are manifest
lines for a suite with a receipt each: hashes, recipe, seed, achieved values, encoder. The same
input, recipe, seed and names give the same bytes.
`vbench conditions` lists the conditions and what a recipe may say.";

/// Arguments of `degrade`.
#[derive(Debug, Args)]
#[command(after_help = DEGRADE_EXAMPLES)]
pub struct DegradeArguments {
    /// Audio file, folder of audio files, or manifest (.jsonl)
    pub input: PathBuf,
    /// Built-in conditions by name, or `all` (repeatable, or separated by commas)
    #[arg(long, value_name = "NAME", value_delimiter = ',', required_unless_present = "recipe")]
    pub condition: Vec<String>,
    /// A recipe instead of a name, e.g. 'noise(kind=white, snr_db=5) | opus(kbps=12)'
    #[arg(long, value_name = "RECIPE")]
    pub recipe: Option<String>,
    /// Name of the recipe's condition
    #[arg(long, value_name = "NAME", default_value = "custom", requires = "recipe")]
    pub name: String,
    /// Where to write: a .wav for one file through one condition, else a folder
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Seed of every random draw
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Name of the corpus: draws are keyed by CORPUS/ID
    #[arg(long, value_name = "NAME", default_value = "clips")]
    pub corpus: String,
    /// Clips in work at once [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub jobs: Option<u16>,
    /// Also draw a spectrogram beside every file (.png)
    #[arg(long)]
    pub spectrogram: bool,
    /// Write into a folder that already has a manifest
    #[arg(long)]
    pub force: bool,
    /// Print the receipts as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    /// Where degraded audio is kept.
    pub audio_cache: AudioCacheArguments,
    #[command(flatten)]
    /// Where weights, corpora and degraded audio are kept.
    pub cache: CacheArguments,
}

/// Whether and how much degraded audio is kept between runs.
#[derive(Debug, Args, Clone)]
pub struct AudioCacheArguments {
    /// Keep at most this much degraded audio between runs, GiB; 0 keeps none
    #[arg(long, value_name = "GIB", default_value_t = 4.0, env = "VBENCH_AUDIO_CACHE_GIB", value_parser = gib)]
    pub audio_cache_gib: f64,
}

impl Default for AudioCacheArguments {
    fn default() -> Self {
        Self { audio_cache_gib: 4.0 }
    }
}

fn gib(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("expected a number of GiB, found `{text}`"))?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err(format!("expected 0 to 1000000 GiB, found {value}")) }
}

const REPRODUCE_EXAMPLES: &str = "\
Examples:
  vbench reproduce runs/ID voices-en/slt-0003/noise-5db                what was heard, checked against the row
  vbench reproduce runs/ID voices-en/slt-0003/noise-5db --out clip.wav --clean clean.wav
  vbench reproduce runs/ID voices-en/slt-0003/reverb/whisper-tiny.en --play";

/// Arguments of `reproduce`.
#[derive(Debug, Args)]
#[command(after_help = REPRODUCE_EXAMPLES)]
pub struct ReproduceArguments {
    /// Run folder
    pub run: PathBuf,
    /// Cell: CORPUS/UTTERANCE/CONDITION, with or without /MODEL
    pub cell: String,
    /// Write the clip that the model heard to this WAV file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the clip before its condition, as the suite preprocesses it, to this WAV file
    #[arg(long, value_name = "FILE")]
    pub clean: Option<PathBuf>,
    /// Play it with the first of pw-play, aplay, paplay, ffplay, afplay and play that is installed
    #[arg(long)]
    pub play: bool,
    /// Print the receipt as JSON on standard output
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// Where corpora are kept.
    pub cache: CacheArguments,
}

const MEASURE_EXAMPLES: &str = "\
Examples:
  vbench measure clean.wav degraded.wav
  vbench measure clean/ degraded/ --json            files of the same name below two folders
  vbench measure clean/ degraded/ --metric stoi,si_sdr_db";

/// Arguments of `measure`.
#[derive(Debug, Args)]
#[command(after_help = MEASURE_EXAMPLES)]
pub struct MeasureArguments {
    /// Reference: audio file or folder
    pub reference: PathBuf,
    /// Degraded: audio file or folder
    pub degraded: PathBuf,
    /// Only these metrics (repeatable, or separated by commas) [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub metric: Vec<String>,
    /// Print JSON (vbench/measure/1)
    #[arg(long)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `conditions`.
#[derive(Debug, Args)]
pub struct ConditionsArguments {
    /// Only this condition
    pub name: Option<String>,
    /// Print JSON (vbench/conditions/1)
    #[arg(long)]
    pub json: bool,
}
