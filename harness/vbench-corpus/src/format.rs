//! The formats, and how one is told from another.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::coraal;
use crate::folder::{files, has_ending, is_audio};
use crate::problem::{ImportError, Place, ProblemKind, Problems};

/// How a corpus is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// LibriSpeech's folders.
    Librispeech,
    /// A Kaldi data folder.
    Kaldi,
    /// Lhotse's JSON lines: cuts, or supervisions with recordings.
    Lhotse,
    /// NeMo's JSON lines.
    Nemo,
    /// Common Voice's TSV.
    CommonVoice,
    /// CORAAL's transcripts and metadata.
    Coraal,
    /// sclite's `stm`, as TED-LIUM uses it.
    Stm,
    /// Comma-separated values with named columns.
    Csv,
    /// Tab-separated values with named columns.
    Tsv,
    /// Hugging Face's audio folder: `metadata.csv` or `metadata.jsonl`.
    AudioFolder,
    /// Parquet with an audio column.
    Parquet,
    /// A folder a class.
    Classes,
    /// Praat's TextGrid.
    Textgrid,
    /// ELAN's EAF.
    Elan,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 14] = [
        Self::Librispeech,
        Self::Kaldi,
        Self::Lhotse,
        Self::Nemo,
        Self::CommonVoice,
        Self::Coraal,
        Self::Stm,
        Self::Csv,
        Self::Tsv,
        Self::AudioFolder,
        Self::Parquet,
        Self::Classes,
        Self::Textgrid,
        Self::Elan,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Librispeech => "librispeech",
            Self::Kaldi => "kaldi",
            Self::Lhotse => "lhotse",
            Self::Nemo => "nemo",
            Self::CommonVoice => "common-voice",
            Self::Coraal => "coraal",
            Self::Stm => "stm",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::AudioFolder => "audiofolder",
            Self::Parquet => "parquet",
            Self::Classes => "classes",
            Self::Textgrid => "textgrid",
            Self::Elan => "elan",
        }
    }

    /// The inverse of [`Format::name`]; `tedlium` is another name of `stm`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "tedlium" {
            return Some(Self::Stm);
        }
        Self::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// The format of a file or folder, and what shows it.
///
/// # Errors
/// [`ImportError::Undecided`] where nothing fits, or more than one format does; a file that cannot be read.
pub fn detect(path: &Path) -> Result<(Format, String), ImportError> {
    let undecided = |what: String| ImportError::Undecided { path: path.to_owned(), what };
    let fits = if path.is_dir() {
        of_folder(path)
    } else {
        let head = head(path).map_err(|e| {
            let mut problems = Problems::default();
            problems.push(Place::whole(path), ProblemKind::Unreadable { what: e.to_string() });
            ImportError::Problems(problems)
        })?;
        of_file(path, &head)
    };
    let names = || Format::ALL.map(Format::name).join(", ");
    match <[_; 1]>::try_from(fits.into_iter().collect::<Vec<_>>()) {
        Ok([(format, why)]) => Ok((format, why)),
        Err(none) if none.is_empty() => Err(undecided(format!(
            "no known corpus format; name one: vbench data import FORMAT PATH, FORMAT one of {}",
            names()
        ))),
        Err(several) => {
            let list: Vec<String> = several.iter().map(|(f, why)| format!("{} ({why})", f.name())).collect();
            Err(undecided(format!("fits several formats, name one of them: {}", list.join(", "))))
        }
    }
}

type Fits = BTreeMap<Format, String>;

/// The first 64 KiB of a file, decompressed.
fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path)?;
    if has_ending(&path.to_string_lossy(), &["gz"]) {
        flate2::read::MultiGzDecoder::new(file).take(1 << 16).read_to_end(&mut head)?;
    } else {
        file.take(1 << 16).read_to_end(&mut head)?;
    }
    Ok(head)
}

fn of_file(path: &Path, head: &[u8]) -> Fits {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let bare = name.strip_suffix(".gz").unwrap_or(&name);
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let columns: Vec<&str> = first.split('\t').map(str::trim).collect();
    let found = if coraal::is_transcript(head) {
        Some((Format::Coraal, "its columns are those of CORAAL's transcripts".to_owned()))
    } else if head.starts_with(b"PAR1") {
        Some((Format::Parquet, "it begins with PAR1".into()))
    } else if has_ending(bare, &["eaf"]) {
        Some((Format::Elan, "its name ends in .eaf".into()))
    } else if has_ending(bare, &["textgrid"]) {
        Some((Format::Textgrid, "its name ends in .TextGrid".into()))
    } else if has_ending(bare, &["stm"]) {
        Some((Format::Stm, "its name ends in .stm".into()))
    } else if ["metadata.csv", "metadata.jsonl"].contains(&bare) && first.contains("file_name") {
        Some((Format::AudioFolder, format!("it is named {bare} and has `file_name`")))
    } else if has_ending(bare, &["jsonl", "json"]) {
        json_lines(first)
    } else if ["client_id", "path", "sentence"].iter().all(|c| columns.contains(c)) {
        Some((Format::CommonVoice, "it has the columns client_id, path and sentence".into()))
    } else if has_ending(bare, &["csv"]) {
        Some((Format::Csv, "its name ends in .csv".into()))
    } else if has_ending(bare, &["tsv"]) {
        Some((Format::Tsv, "its name ends in .tsv".into()))
    } else {
        None
    };
    found.into_iter().collect()
}

/// By the keys of the first line.
fn json_lines(first: &str) -> Option<(Format, String)> {
    let value: Value = serde_json::from_str(first).ok()?;
    let has = |key: &str| value.get(key).is_some();
    if has("audio_filepath") {
        Some((Format::Nemo, "its first line has the key `audio_filepath`".into()))
    } else if has("supervisions") || (has("recording") && has("start")) {
        Some((Format::Lhotse, "its first line is a cut of Lhotse".into()))
    } else if has("recording_id") && has("duration") {
        Some((Format::Lhotse, "its first line is a supervision of Lhotse".into()))
    } else if has("file_name") {
        Some((Format::AudioFolder, "its first line has the key `file_name`".into()))
    } else {
        None
    }
}

fn of_folder(path: &Path) -> Fits {
    let mut fits = Fits::new();
    // What cannot be listed is told when the format is read.
    let found = files(path, &mut Problems::default());
    let names: Vec<String> = found.iter().map(|f| f.to_string_lossy().into_owned()).collect();
    let top = |name: &str| names.iter().any(|n| n == name);
    let one = |what: &dyn Fn(&str) -> bool| names.iter().find(|n| what(n)).cloned();
    let mut fit = |format, why: String| {
        fits.insert(format, why);
    };
    if top("wav.scp") && top("text") {
        fit(Format::Kaldi, "it holds wav.scp and text".into());
    }
    if let Some(name) = one(&|n| n.ends_with(".trans.txt")) {
        fit(Format::Librispeech, format!("it holds {name}"));
    }
    let table = one(&|n| n.ends_with(".tsv") && !n.contains('/'));
    if let Some(name) = table.filter(|_| names.iter().any(|n| n.starts_with("clips/"))) {
        fit(Format::CommonVoice, format!("it holds {name} and clips/"));
    }
    let transcript = |n: &PathBuf| {
        has_ending(&n.to_string_lossy(), &["txt"]) && head(&path.join(n)).is_ok_and(|h| coraal::is_transcript(&h))
    };
    if one(&|n| n.contains("_metadata_") && n.ends_with(".txt")).is_some() || found.iter().take(200).any(transcript) {
        fit(Format::Coraal, "it holds transcripts or metadata of CORAAL".into());
    }
    for (format, ending) in
        [(Format::Parquet, "parquet"), (Format::Textgrid, "textgrid"), (Format::Elan, "eaf"), (Format::Stm, "stm")]
    {
        if let Some(name) = one(&|n| has_ending(n, &[ending])) {
            fit(format, format!("it holds {name}"));
        }
    }
    if let Some(name) = one(&|n| n.ends_with("metadata.csv") || n.ends_with("metadata.jsonl")) {
        fit(Format::AudioFolder, format!("it holds {name}"));
    }
    let json = |n: &PathBuf| {
        let name = n.to_string_lossy();
        let bare = name.strip_suffix(".gz").unwrap_or(&name);
        has_ending(bare, &["jsonl", "json"]) && !name.contains('/') && !name.contains("metadata.json")
    };
    for name in found.iter().filter(|n| json(n)).take(50) {
        let head = head(&path.join(name)).unwrap_or_default();
        if let Some((format, why)) = String::from_utf8_lossy(&head).lines().next().and_then(json_lines) {
            fit(format, format!("{}: {why}", name.display()));
        }
    }
    let classes = names.iter().any(|n| is_audio(n) && n.contains('/'));
    if fits.is_empty() && classes {
        fits.insert(Format::Classes, "it holds nothing but folders with recordings".into());
    }
    fits
}
