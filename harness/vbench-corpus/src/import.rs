//! A corpus as lines of a manifest: read, named, found, measured, checked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::audio::{AudioFacts, Resolver};
use crate::entry::{AudioName, Entry, Parsed, path_id};
use crate::format::Format;
use crate::manifest::{Line, Partial, write};
use crate::problem::{ImportError, MAX_PROBLEMS, Place, Problem, ProblemKind, Problems};
use crate::read::read;
use crate::record::Columns;

/// An end up to this far beyond the end of a recording is its end, seconds: as the decoder takes it.
const SLACK_S: f64 = 0.010;

/// What is done with recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudioCheck {
    /// Their headers are read: durations become known, stretches are checked.
    #[default]
    Headers,
    /// They must be there.
    Exist,
    /// Nothing is looked at.
    None,
}

/// What the user asks for.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Where recordings may lie besides the corpus' own folder.
    pub audio_roots: Vec<PathBuf>,
    /// Which column holds what.
    pub columns: Columns,
    /// Tiers of TextGrid and ELAN.
    pub tiers: Vec<String>,
    /// Leave out the interviewers of CORAAL.
    pub drop_interviewer: bool,
    /// Licence of utterances whose corpus states none.
    pub licence: Option<String>,
    /// Language of utterances whose corpus states none.
    pub language: Option<String>,
    /// What is done with recordings.
    pub audio: AudioCheck,
    /// Add the SHA-256 of every recording.
    pub hash: bool,
    /// Leave utterances out whose recordings are missing, unreadable or too short, instead of refusing the corpus.
    pub leave_out_bad_audio: bool,
    /// Where recordings go that are stored inside a table.
    pub out_audio: Option<PathBuf>,
}

/// What the importer asks of the decoder: other crates' work.
#[derive(Clone, Copy)]
pub struct Tools<'t> {
    /// What the header of a recording says.
    pub probe: &'t (dyn Fn(&Path) -> Result<AudioFacts, String> + Sync),
    /// SHA-256 of a file, 64 hex digits.
    pub sha256: &'t (dyn Fn(&Path) -> Result<String, String> + Sync),
}

/// An imported corpus.
#[derive(Debug, Default)]
pub struct Imported {
    /// Lines of the manifest.
    pub lines: Vec<Line>,
    /// What was left out: reason and how often.
    pub left_out: BTreeMap<String, u64>,
    /// The first utterances that were left out because of their recordings.
    pub bad_audio: Vec<Problem>,
    /// Seconds of speech, where they are known.
    pub seconds: f64,
    /// Speakers.
    pub speakers: usize,
}

/// Writes recordings that are stored inside a table: into a folder that gets its name when everything is good.
#[derive(Debug)]
pub struct Extractor {
    folder: PathBuf,
    partial: PathBuf,
    count: u64,
}

impl Extractor {
    fn new(folder: &Path) -> std::io::Result<Self> {
        if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the folder is not empty"));
        }
        let above = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(above)?;
        let above = above.canonicalize()?;
        let name = folder.file_name().ok_or_else(|| std::io::Error::other("a folder with a name is needed"))?;
        let partial = above.join(format!("{}.partial-{}", name.to_string_lossy(), std::process::id()));
        std::fs::create_dir(&partial)?;
        Ok(Self { folder: above.join(name), partial, count: 0 })
    }

    /// Writes one recording; its path.
    pub(crate) fn extract(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<String> {
        self.count += 1;
        let name = crate::entry::stem(name);
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = name.chars().take(100).map(safe).collect();
        let ending = match bytes {
            [b'R', b'I', b'F', b'F', ..] => "wav",
            [b'f', b'L', b'a', b'C', ..] => "flac",
            [b'O', b'g', b'g', b'S', ..] => "ogg",
            [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "mp3",
            _ => "audio",
        };
        let dash = if name.is_empty() { "" } else { "-" };
        // Names need not differ, and several tables have the same rows: the count does.
        let path = self.partial.join(format!("{:07}{dash}{name}.{ending}", self.count));
        std::fs::write(&path, bytes)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// Reads a corpus and writes its manifest to `manifest`; the corpus stays as it is.
///
/// # Errors
/// Everything wrong with it, [`MAX_PROBLEMS`] of it listed; nothing is written then. Or the manifest cannot be written.
pub fn import(
    path: &Path,
    format: Format,
    manifest: &Path,
    options: &ImportOptions,
    tools: &Tools<'_>,
) -> Result<Imported, ImportError> {
    let out = |source| ImportError::Write { path: options.out_audio.clone().unwrap_or_default(), source };
    let mut extractor = options.out_audio.as_deref().map(Extractor::new).transpose().map_err(out)?;
    let partial = extractor.as_ref().map(|e| Partial(e.partial.clone()));
    let parsed = read(path, format, options, &mut extractor)?;
    let mut imported = assemble(path, parsed, options, tools, partial.as_ref().map(|p| p.0.as_path()))?;
    if let Some(Extractor { folder, partial, .. }) = &extractor {
        for line in &mut imported.lines {
            if let Ok(rest) = line.audio.strip_prefix(partial) {
                line.audio = Arc::from(folder.join(rest));
            }
        }
        std::fs::rename(partial, folder).map_err(out)?;
    }
    // Recordings without their manifest are half an import.
    let written = write(manifest, &imported.lines);
    if let (Err(_), Some(Extractor { folder, .. })) = (&written, &extractor) {
        drop(Partial(folder.clone()));
    }
    written.map(|()| imported)
}

/// Names, finds and checks what was read.
fn assemble(
    path: &Path,
    parsed: Parsed,
    options: &ImportOptions,
    tools: &Tools<'_>,
    extracted: Option<&Path>,
) -> Result<Imported, ImportError> {
    let Parsed { mut entries, mut problems, left_out } = parsed;
    derive_ids(&mut entries);
    check_entries(&entries, &mut problems);
    let mut roots = options.audio_roots.clone();
    roots.extend(extracted.map(Path::to_owned));
    let unseen = options.audio == AudioCheck::None;
    let mut resolver = Resolver::new(path, &roots, unseen).map_err(|kind| {
        let mut problems = Problems::default();
        problems.push(Place::whole(path), kind);
        ImportError::Problems(problems)
    })?;
    let found: Vec<Result<Arc<Path>, ProblemKind>> = entries.iter().map(|e| resolver.find(e)).collect();
    let mut imported = Imported::default();
    imported.left_out.extend(left_out.into_iter().map(|(reason, n)| (reason.to_owned(), n)));
    let facts = measure(&found, options, tools);
    let (mut speakers, mut bad) = (BTreeSet::new(), Problems::default());
    for (entry, found) in entries.into_iter().zip(found) {
        let place = entry.place.clone();
        match found.and_then(|audio| line(entry, audio, &facts, options)) {
            Ok(line) => {
                imported.seconds += line.duration_s.unwrap_or(0.0);
                speakers.extend(line.speaker.clone());
                imported.lines.push(line);
            }
            Err(kind) => bad.push(place, kind),
        }
    }
    if options.leave_out_bad_audio && bad.total > 0 && !imported.lines.is_empty() {
        imported.left_out.insert("utterances without a usable recording".into(), bad.total);
        imported.bad_audio = bad.list;
    } else {
        problems.total += bad.total;
        problems.list.extend(bad.list);
        problems.list.truncate(MAX_PROBLEMS);
    }
    imported.speakers = speakers.len();
    if problems.is_empty() { Ok(imported) } else { Err(ImportError::Problems(problems)) }
}

/// Ids for utterances whose corpus has none: as many of the last parts of the recording's path as make them differ, and
/// where the stretch begins.
fn derive_ids(entries: &mut [Entry]) {
    let unnamed: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].id.is_empty()).collect();
    if unnamed.is_empty() {
        return;
    }
    let name = |entry: &Entry, parts: usize| {
        let path = match &entry.audio {
            AudioName::Path(path) if entry.place.line == 0 => {
                entry.place.file.with_file_name(path).to_string_lossy().into_owned()
            }
            name => name.as_str().to_owned(),
        };
        let path = path_id(&path);
        let from = path.rmatch_indices('/').nth(parts - 1).map_or(0, |(at, _)| at + 1);
        match entry.start_s {
            Some(s) => format!("{}-{:08}", &path[from..], (s * 1000.0).round() as u64),
            None => path[from..].to_owned(),
        }
    };
    const MOST_PARTS: usize = 6;
    let differ = |parts: &usize| {
        let mut seen = HashSet::new();
        unnamed.iter().all(|i| seen.insert(name(&entries[*i], *parts)))
    };
    let parts = (1..MOST_PARTS).find(differ).unwrap_or(MOST_PARTS);
    let names: Vec<String> = unnamed.iter().map(|i| name(&entries[*i], parts)).collect();
    for (i, name) in unnamed.into_iter().zip(names) {
        entries[i].id = name;
    }
}

/// What can be said without the recordings.
fn check_entries(entries: &[Entry], problems: &mut Problems) {
    let mut seen: HashMap<&str, &Place> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let mut problem = |kind| problems.push(entry.place.clone(), kind);
        if entry.id.trim().is_empty() {
            problem(ProblemKind::EmptyId);
        } else if entry.id.chars().any(char::is_control) {
            problem(ProblemKind::ControlInId { id: entry.id.clone() });
        } else if let Some(first) = seen.insert(&entry.id, &entry.place) {
            problem(ProblemKind::DuplicateId { id: entry.id.clone(), first: first.to_string() });
        }
        if let Some(actual) = entry.duration_s.filter(|d| *d <= 0.0) {
            problem(ProblemKind::Duration { actual });
        }
        let hex = |h: &&String| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(actual) = entry.sha256.as_ref().filter(|h| !hex(h)) {
            problem(ProblemKind::Sha256 { actual: crate::source::shown(actual) });
        }
    }
}

/// What is known of a recording.
#[derive(Default)]
struct Measured {
    facts: Option<Result<AudioFacts, String>>,
    sha256: Option<Result<String, String>>,
}

/// Which recording: utterances of one share the path, and comparing places in memory is cheaper than comparing paths.
fn key(path: &Arc<Path>) -> usize {
    Arc::as_ptr(path).cast::<u8>() as usize
}

/// Looks at every recording once.
fn measure(
    found: &[Result<Arc<Path>, ProblemKind>],
    options: &ImportOptions,
    tools: &Tools<'_>,
) -> HashMap<usize, Measured> {
    if options.audio != AudioCheck::Headers && !options.hash {
        return HashMap::new();
    }
    let paths: HashMap<usize, &Arc<Path>> = found.iter().flatten().map(|path| (key(path), path)).collect();
    let paths: Vec<&Arc<Path>> = paths.into_values().collect();
    let look = |path: &&Arc<Path>| {
        let facts = (options.audio == AudioCheck::Headers).then(|| (tools.probe)(path));
        let sha256 = options.hash.then(|| (tools.sha256)(path));
        (key(path), Measured { facts, sha256 })
    };
    paths.par_iter().map(look).collect()
}

fn line(
    mut entry: Entry,
    audio: Arc<Path>,
    measured: &HashMap<usize, Measured>,
    options: &ImportOptions,
) -> Result<Line, ProblemKind> {
    let shown = || audio.display().to_string();
    let bad = |what: &String| ProblemKind::BadAudio { audio: shown(), what: what.clone() };
    if let Some(Measured { facts, sha256 }) = measured.get(&key(&audio)) {
        if let Some(facts) = facts {
            let facts = facts.as_ref().map_err(bad)?;
            if let Some(channel) = entry.channel.take().filter(|_| facts.channels > 1) {
                return Err(ProblemKind::Channel { channel, audio: shown(), channels: facts.channels });
            }
            fit(&mut entry, facts.seconds, &shown)?;
        }
        if let Some(sha256) = sha256 {
            entry.sha256 = Some(sha256.as_ref().map_err(bad)?.clone());
        }
    }
    let Entry { id, text, speaker, session, language, start_s, duration_s, sha256, mut tags, .. } = entry;
    if let Some(licence) = &options.licence {
        tags.entry("licence".into()).or_insert_with(|| licence.clone());
    }
    let language = language.filter(|l| !l.is_empty()).or_else(|| options.language.clone());
    let sha256 = sha256.map(|h| h.to_ascii_lowercase());
    Ok(Line { id, audio, text, speaker, session, language, start_s, duration_s, sha256, tags })
}

/// Holds times against the length of the recording, and fills in what they leave open.
fn fit(entry: &mut Entry, available_s: f64, shown: &dyn Fn() -> String) -> Result<(), ProblemKind> {
    let past = |end_s: f64| ProblemKind::PastTheEnd { end_s, audio: shown(), available_s };
    // Rounded down: a duration must not lead past the end.
    let down = |s: f64| (s * 1e4).floor() / 1e4;
    match (entry.start_s, entry.duration_s) {
        (None, None) => entry.duration_s = Some(down(available_s)).filter(|d| *d > 0.0),
        (None, Some(stated)) => {
            // As the run holds a whole file's duration against the file.
            let tolerance = 0.1 + 0.01 * available_s;
            if stated > available_s + tolerance {
                return Err(past(stated));
            }
            if stated < available_s - tolerance {
                entry.start_s = Some(0.0);
            }
        }
        (Some(start_s), None) => {
            if start_s >= available_s {
                return Err(past(start_s));
            }
            entry.duration_s = Some(down(available_s - start_s)).filter(|d| *d > 0.0);
        }
        (Some(start_s), Some(duration_s)) => {
            if start_s >= available_s || start_s + duration_s > available_s + SLACK_S {
                return Err(past(((start_s + duration_s) * 1e6).round() / 1e6));
            }
        }
    }
    Ok(())
}
