//! The files of each format, read and handed to its parser.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::entry::{AudioName, Entry, Parsed, stem};
use crate::folder::{files, has_ending, is_audio};
use crate::format::Format;
use crate::import::{Extractor, ImportOptions};
use crate::problem::{ImportError, Place, ProblemKind};
use crate::source::Source;
use crate::table::Dialect;
use crate::{coraal, kaldi, lhotse, librispeech, parquet, stm, tabular, tiers};

/// Longest list that is read, bytes after decompression.
pub const MAX_LIST_BYTES: u64 = 1 << 30;

/// Reads a corpus of a known format.
///
/// # Errors
/// [`ImportError::Undecided`] where the user has to choose a file. Everything else is a problem of the corpus.
pub fn read(
    path: &Path,
    format: Format,
    options: &ImportOptions,
    extractor: &mut Option<Extractor>,
) -> Result<Parsed, ImportError> {
    let mut parsed = Parsed::default();
    let mut corpus = Files { path, parsed: &mut parsed };
    match format {
        Format::Librispeech => read_librispeech(&mut corpus),
        Format::Kaldi => read_kaldi(&mut corpus),
        Format::Lhotse => read_lhotse(&mut corpus)?,
        Format::Nemo => {
            let file = corpus.only(&["json", "jsonl", "json.gz", "jsonl.gz"], &|_| true)?;
            corpus.each(&[file], |source, parsed| tabular::parse_json_lines(source, &options.columns, parsed));
        }
        Format::CommonVoice => {
            let file = corpus.only(&["tsv"], &|name| !name.contains('/'))?;
            corpus.each(&[file], tabular::parse_common_voice);
        }
        Format::Coraal => read_coraal(&mut corpus, options.drop_interviewer),
        Format::Stm => {
            let list = corpus.listed(&["stm"]);
            corpus.each(&list, stm::parse);
        }
        Format::Csv | Format::Tsv => {
            let dialect = if format == Format::Csv { Dialect::Csv } else { Dialect::Tsv };
            let file = corpus.only(&[format.name()], &|name| !name.contains('/'))?;
            corpus.each(&[file], |source, parsed| tabular::parse_table(source, dialect, &options.columns, parsed));
        }
        Format::AudioFolder => read_audio_folder(&mut corpus, options),
        Format::Parquet => read_parquet(&mut corpus, options, extractor),
        Format::Classes => read_classes(&mut corpus),
        Format::Textgrid => {
            let list = corpus.listed(&["textgrid"]);
            corpus.each(&list, |source, parsed| tiers::parse_textgrid(source, &options.tiers, parsed));
        }
        Format::Elan => {
            let list = corpus.listed(&["eaf"]);
            corpus.each(&list, |source, parsed| tiers::parse_elan(source, &options.tiers, parsed));
        }
    }
    if parsed.entries.is_empty() && parsed.problems.is_empty() {
        parsed.problem(Place::whole(path), ProblemKind::Nothing { expected: expected(format) });
    }
    Ok(parsed)
}

const fn expected(format: Format) -> &'static str {
    match format {
        Format::Librispeech => "SPEAKER/CHAPTER/*.trans.txt, e.g. in LibriSpeech/test-clean",
        Format::Kaldi => "wav.scp and text",
        Format::Lhotse => "cuts, or supervisions with recordings, as JSON lines",
        Format::Nemo => "JSON lines with audio_filepath and text",
        Format::CommonVoice => "rows with client_id, path and sentence",
        Format::Coraal => "transcripts with the columns Line, Spkr, StTime, Content, EnTime",
        Format::Stm => "lines `file channel speaker start end words` in *.stm",
        Format::Csv | Format::Tsv => "rows below the header",
        Format::AudioFolder => "metadata.csv or metadata.jsonl with file_name",
        Format::Parquet => "rows in *.parquet",
        Format::Classes => "folders, each with the recordings of one class",
        Format::Textgrid => "*.TextGrid with text in its intervals",
        Format::Elan => "*.eaf with annotations",
    }
}

/// The files of the corpus that is being read.
struct Files<'a> {
    path: &'a Path,
    parsed: &'a mut Parsed,
}

impl Files<'_> {
    /// Every file with one of the endings: the one that was named, or all beneath the folder.
    fn listed(&mut self, endings: &[&str]) -> Vec<PathBuf> {
        if !self.path.is_dir() {
            return vec![self.path.to_owned()];
        }
        let all = files(self.path, &mut self.parsed.problems);
        all.into_iter().filter(|f| has_ending(&f.to_string_lossy(), endings)).map(|f| self.path.join(f)).collect()
    }

    /// The file that was named, or the only one of a folder.
    fn only(&mut self, endings: &[&str], good: &dyn Fn(&str) -> bool) -> Result<PathBuf, ImportError> {
        if !self.path.is_dir() {
            return Ok(self.path.to_owned());
        }
        let all = files(self.path, &mut self.parsed.problems);
        let named = |f: &PathBuf| {
            let name = f.to_string_lossy();
            endings.iter().any(|e| name.len() > e.len() && name.to_ascii_lowercase().ends_with(&format!(".{e}")))
                && good(&name)
        };
        let mut list: Vec<PathBuf> = all.into_iter().filter(named).collect();
        if list.len() == 1 {
            return Ok(self.path.join(list.swap_remove(0)));
        }
        let names: Vec<String> = list.iter().take(20).map(|f| f.display().to_string()).collect();
        let what = match names.len() {
            0 => format!("no file *.{}", endings.join(", *.")),
            _ => format!("holds several lists; name one of them: {}", names.join(", ")),
        };
        Err(ImportError::Undecided { path: self.path.to_owned(), what })
    }

    /// The content of a file, decompressed where its name ends in `.gz`; a file that cannot be read is a problem.
    fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        match bytes(path) {
            Ok(bytes) => Some(bytes),
            Err(kind) => {
                self.parsed.problem(Place::whole(path), kind);
                None
            }
        }
    }

    /// Reads files one by one.
    fn each(&mut self, list: &[PathBuf], mut parse: impl FnMut(&Source<'_>, &mut Parsed)) {
        for path in list {
            if let Some(bytes) = self.bytes(path) {
                parse(&Source::new(path, &bytes), self.parsed);
            }
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, ProblemKind> {
    let unreadable = |e: std::io::Error| ProblemKind::Unreadable { what: e.to_string() };
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(ProblemKind::Unreadable { what: "not a file".into() });
    }
    let too_much = ProblemKind::TooMuch { unit: "bytes", limit: MAX_LIST_BYTES };
    if facts.len() > MAX_LIST_BYTES {
        return Err(too_much);
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    if has_ending(&path.to_string_lossy(), &["gz"]) {
        flate2::read::MultiGzDecoder::new(file).take(MAX_LIST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        bytes.reserve(facts.len() as usize + 1);
        file.take(MAX_LIST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > MAX_LIST_BYTES { Err(too_much) } else { Ok(bytes) }
}

fn read_librispeech(corpus: &mut Files<'_>) {
    let root = corpus.path.canonicalize().unwrap_or_else(|_| corpus.path.to_owned());
    let folders = [Some(root.as_path()), root.parent()];
    let speakers = folders.into_iter().flatten().find_map(|f| bytes(&f.join("SPEAKERS.TXT")).ok()).unwrap_or_default();
    let sexes = librispeech::parse_speakers(&String::from_utf8_lossy(&speakers));
    let mut list = corpus.listed(&["txt"]);
    list.retain(|f| f.to_string_lossy().ends_with(".trans.txt"));
    corpus.each(&list, |source, parsed| librispeech::parse(source, &sexes, parsed));
}

fn read_kaldi(corpus: &mut Files<'_>) {
    let folder = corpus.path;
    let mut read = Vec::new();
    for (index, name) in kaldi::FILES.iter().enumerate() {
        let path = folder.join(name);
        let needed = index < 2;
        let content = if needed || path.exists() { corpus.bytes(&path) } else { None };
        if needed && content.is_none() {
            return;
        }
        read.push((path, content));
    }
    let sources: Vec<Option<Source<'_>>> =
        read.iter().map(|(path, content)| content.as_ref().map(|c| Source::new(path, c))).collect();
    let [Some(wav_scp), Some(text), segments, utt2spk, spk2gender, utt2lang] = &sources[..] else { return };
    let (wav_scp, text, segments) = (wav_scp.clone(), text.clone(), segments.clone());
    let (utt2spk, spk2gender, utt2lang) = (utt2spk.clone(), spk2gender.clone(), utt2lang.clone());
    kaldi::parse(&kaldi::DataFolder { wav_scp, text, segments, utt2spk, spk2gender, utt2lang }, corpus.parsed);
}

fn read_lhotse(corpus: &mut Files<'_>) -> Result<(), ImportError> {
    let endings = ["jsonl", "jsonl.gz"];
    let holds = |what: &'static str| move |name: &str| name.contains(what);
    let file = if corpus.path.is_dir() {
        let cuts = corpus.only(&endings, &holds("cuts"));
        cuts.or_else(|_| corpus.only(&endings, &holds("supervisions")))?
    } else {
        corpus.path.to_owned()
    };
    let Some(content) = corpus.bytes(&file) else { return Ok(()) };
    let source = Source::new(&file, &content);
    let first = content.split(|b| *b == b'\n').next().unwrap_or_default();
    let first: serde_json::Value = serde_json::from_slice(first).unwrap_or_default();
    if first.get("recording_id").is_none() || first.get("recording").is_some() {
        lhotse::parse_cuts(&source, corpus.parsed);
        return Ok(());
    }
    // Lhotse names the two files alike.
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let partner = file.with_file_name(name.replace("supervisions", "recordings"));
    let recordings = if partner == file { None } else { corpus.bytes(&partner) };
    let Some(recordings) = recordings else {
        if partner == file {
            let expected = "a name with `supervisions`, so that the file of recordings beside it can be found".into();
            corpus.parsed.problem(Place::whole(&file), ProblemKind::Shape { expected, actual: name });
        }
        return Ok(());
    };
    let recordings = lhotse::parse_recordings(&Source::new(&partner, &recordings), corpus.parsed);
    lhotse::parse_supervisions(&source, &recordings, corpus.parsed);
    Ok(())
}

fn read_coraal(corpus: &mut Files<'_>, drop_interviewer: bool) {
    let list = corpus.listed(&["txt"]);
    let mut speakers = coraal::Speakers::new();
    let metadata = |f: &PathBuf| f.to_string_lossy().contains("_metadata_");
    let (tables, texts): (Vec<PathBuf>, Vec<PathBuf>) = list.into_iter().partition(metadata);
    corpus.each(&tables, |source, parsed| coraal::parse_metadata(source, &mut speakers, parsed));
    let named = !corpus.path.is_dir();
    corpus.each(&texts, |source, parsed| {
        // Notes lie beside the transcripts.
        if named || coraal::is_transcript(source.bytes) {
            coraal::parse(source, &speakers, drop_interviewer, parsed);
        } else {
            parsed.leave_out("text files that are no transcripts");
        }
    });
}

fn read_audio_folder(corpus: &mut Files<'_>, options: &ImportOptions) {
    let mut list = corpus.listed(&["csv", "jsonl"]);
    if corpus.path.is_dir() {
        list.retain(|f| f.file_stem().is_some_and(|s| s == "metadata"));
    }
    let root = corpus.path.to_owned();
    corpus.each(&list, |source, parsed| {
        let before = parsed.entries.len();
        if has_ending(&source.file.to_string_lossy(), &["csv"]) {
            tabular::parse_table(source, Dialect::Csv, &options.columns, parsed);
        } else {
            tabular::parse_json_lines(source, &options.columns, parsed);
        }
        let split = source.file.strip_prefix(&root).ok().filter(|f| f.components().count() > 1);
        let split = split.and_then(|f| f.components().next()).map(|c| c.as_os_str().to_string_lossy().into_owned());
        for entry in &mut parsed.entries[before..] {
            entry.tag("split", split.as_deref().unwrap_or_default());
        }
    });
}

fn read_parquet(corpus: &mut Files<'_>, options: &ImportOptions, extractor: &mut Option<Extractor>) {
    for path in corpus.listed(&["parquet"]) {
        let source = Source::new(&path, b"");
        let opened = File::open(&path).and_then(|f| Ok((f.metadata()?, f)));
        let (facts, file) = match opened {
            Ok(opened) => opened,
            Err(e) => {
                corpus.parsed.problem(source.place(0), ProblemKind::Unreadable { what: e.to_string() });
                continue;
            }
        };
        let mut file = BufReader::with_capacity(1 << 18, file);
        let before = corpus.parsed.entries.len();
        let mut extract = extractor.as_mut().map(|e| |_: u64, name: &str, bytes: &[u8]| e.extract(name, bytes));
        let extract = extract.as_mut().map(|e| e as &mut parquet::Extract<'_>);
        parquet::parse(&source, &mut file, facts.len(), &options.columns, extract, corpus.parsed);
        let split = split_of(&path);
        for entry in &mut corpus.parsed.entries[before..] {
            entry.tag("split", split.as_deref().unwrap_or_default());
        }
    }
}

/// `test` of `test-00000-of-00002.parquet`.
fn split_of(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let (rest, of) = name.rsplit_once("-of-")?;
    let (split, shard) = rest.rsplit_once('-')?;
    let digits = |s: &str| s.len() == 5 && s.bytes().all(|b| b.is_ascii_digit());
    (digits(shard) && digits(of)).then(|| split.to_owned())
}

/// `CLASS/name.wav`, or `SPLIT/CLASS/name.wav`: the class is what was said, and a tag.
fn read_classes(corpus: &mut Files<'_>) {
    let all = files(corpus.path, &mut corpus.parsed.problems);
    for file in all {
        let name = file.to_string_lossy().into_owned();
        if !is_audio(&name) {
            corpus.parsed.leave_out("files that are no recordings");
            continue;
        }
        let folders: Vec<&str> = name.split('/').collect();
        let [above @ .., class, _] = &folders[..] else {
            corpus.parsed.leave_out("recordings outside of a class' folder");
            continue;
        };
        let place = Place::whole(&corpus.path.join(&file));
        let text = class.replace('_', " ");
        let own = folders.last().copied().unwrap_or_default().to_owned();
        let mut entry = Entry::new("", AudioName::Path(own), text.trim(), place);
        entry.tag("label", class);
        entry.tag("split", above.first().copied().unwrap_or_default());
        // Speech Commands (Warden 2018) names its files SPEAKER_nohash_TAKE.
        entry.speaker = stem(&name).split_once("_nohash_").map(|(speaker, _)| speaker.to_owned());
        corpus.parsed.entries.push(entry);
    }
}
