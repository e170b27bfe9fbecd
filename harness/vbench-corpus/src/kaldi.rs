//! A Kaldi data folder: `wav.scp`, `text`, and where they are `segments`, `utt2spk`, `spk2gender`, `utt2lang`.
//!
//! Commands in `wav.scp` are refused: vbench starts no program that a data file names.

use std::collections::{HashMap, HashSet};

use crate::entry::{AudioName, Entry, Parsed, length, seconds};
use crate::problem::ProblemKind;
use crate::record::gender;
use crate::source::{Source, shown};

/// The files of a data folder.
#[derive(Debug, Clone)]
pub struct DataFolder<'a> {
    /// `recording path`.
    pub wav_scp: Source<'a>,
    /// `utterance words`.
    pub text: Source<'a>,
    /// `utterance recording start end [channel]`.
    pub segments: Option<Source<'a>>,
    /// `utterance speaker`.
    pub utt2spk: Option<Source<'a>>,
    /// `speaker gender`.
    pub spk2gender: Option<Source<'a>>,
    /// `utterance language`.
    pub utt2lang: Option<Source<'a>>,
}

/// Names of the files, in the order of [`DataFolder`].
pub const FILES: [&str; 6] = ["wav.scp", "text", "segments", "utt2spk", "spk2gender", "utt2lang"];

/// A line `key value`.
struct Row<'a> {
    line: usize,
    key: &'a str,
    value: &'a str,
    /// Somebody asked for it.
    used: bool,
}

/// A file of lines `key value`. Kaldi's files are sorted alike, so the next line is mostly the one that is asked for.
#[derive(Default)]
struct Table<'a> {
    rows: Vec<Row<'a>>,
    /// The line that was asked for last.
    last: usize,
    /// Made when the order does not help.
    index: Option<HashMap<&'a str, usize>>,
}

impl<'a> Table<'a> {
    /// Reads a file; a key that stands twice is a problem.
    fn read(source: &Source<'a>, parsed: &mut Parsed) -> Self {
        let mut table = Self::default();
        let mut ascending = true;
        let lines = source.lines(&mut parsed.problems);
        for (line, text) in lines {
            let text = text.trim();
            let end = text.bytes().position(|b| b == b' ' || b == b'\t').unwrap_or(text.len());
            let (key, value) = (&text[..end], text[end..].trim());
            ascending &= table.rows.last().is_none_or(|row| row.key < key);
            table.rows.push(Row { line, key, value, used: false });
        }
        if !ascending {
            let mut seen: HashMap<&str, usize> = HashMap::with_capacity(table.rows.len());
            for row in &table.rows {
                if let Some(first) = seen.insert(row.key, row.line) {
                    let kind = ProblemKind::DuplicateId { id: row.key.to_owned(), first: format!("line {first}") };
                    parsed.problem(source.place(row.line), kind);
                }
            }
        }
        table
    }

    fn optional(source: Option<&Source<'a>>, parsed: &mut Parsed) -> Self {
        source.map(|source| Self::read(source, parsed)).unwrap_or_default()
    }

    /// The value of a key.
    fn get(&mut self, key: &str) -> Option<&'a str> {
        let here = |at: &usize| self.rows.get(*at).is_some_and(|row| row.key == key);
        let at = match [self.last, self.last + 1].iter().find(|at| here(at)) {
            Some(at) => *at,
            None => {
                let rows = &self.rows;
                let index =
                    self.index.get_or_insert_with(|| rows.iter().enumerate().map(|(i, row)| (row.key, i)).collect());
                *index.get(key)?
            }
        };
        self.last = at;
        self.rows[at].used = true;
        Some(self.rows[at].value)
    }
}

/// Reads the folder; utterances come in the order of `segments`, else of `wav.scp`.
pub fn parse(folder: &DataFolder<'_>, parsed: &mut Parsed) {
    let mut recordings = Table::read(&folder.wav_scp, parsed);
    let mut texts = Table::read(&folder.text, parsed);
    let mut speakers = Table::optional(folder.utt2spk.as_ref(), parsed);
    let mut genders = Table::optional(folder.spk2gender.as_ref(), parsed);
    let mut languages = Table::optional(folder.utt2lang.as_ref(), parsed);
    let refused = refuse_commands(&folder.wav_scp, &recordings, parsed);
    let before = parsed.entries.len();
    match &folder.segments {
        Some(segments) => cut(segments, folder, &mut recordings, &mut texts, &refused, parsed),
        None => whole(folder, &recordings, &mut texts, &refused, parsed),
    }
    for entry in &mut parsed.entries[before..] {
        let speaker = speakers.get(&entry.id);
        entry.language = languages.get(&entry.id).map(str::to_owned);
        entry.speaker = speaker.map(str::to_owned);
        if let Some(sex) = speaker.and_then(|s| genders.get(s)) {
            entry.tag("gender", &gender(sex));
        }
    }
    let other = if folder.segments.is_some() { "segments" } else { "wav.scp" };
    for row in texts.rows.iter().filter(|row| !row.used) {
        parsed
            .problem(folder.text.place(row.line), ProblemKind::NotIn { name: row.key.to_owned(), other: other.into() });
    }
}

/// Notes every recording that is no file; their names.
fn refuse_commands<'a>(source: &Source<'_>, recordings: &Table<'a>, parsed: &mut Parsed) -> HashSet<&'a str> {
    let mut refused = HashSet::new();
    for row in &recordings.rows {
        let value = row.value;
        let kind = if value.ends_with('|') || value.starts_with('|') || value == "-" {
            ProblemKind::Pipe { command: shown(value) }
        } else if value.is_empty() {
            ProblemKind::Fields { expected: "2: recording and path".into(), actual: 1 }
        } else if value.rsplit_once(".ark:").is_some_and(|(_, n)| n.bytes().all(|b| b.is_ascii_digit())) {
            let instead = "write the recordings to files (wav-copy) and name those".into();
            ProblemKind::Unsupported { what: "audio inside an ark archive".into(), instead }
        } else {
            continue;
        };
        parsed.problem(source.place(row.line), kind);
        refused.insert(row.key);
    }
    refused
}

/// Every recording is an utterance.
fn whole(
    folder: &DataFolder<'_>,
    recordings: &Table<'_>,
    texts: &mut Table<'_>,
    refused: &HashSet<&str>,
    parsed: &mut Parsed,
) {
    for row in &recordings.rows {
        let place = folder.wav_scp.place(row.line);
        match texts.get(row.key) {
            _ if refused.contains(row.key) => {}
            Some(text) => parsed.entries.push(Entry::new(row.key, AudioName::Path(row.value.to_owned()), text, place)),
            None => parsed.problem(place, ProblemKind::NotIn { name: row.key.to_owned(), other: "text".into() }),
        }
    }
}

/// Every segment is an utterance.
fn cut(
    segments: &Source<'_>,
    folder: &DataFolder<'_>,
    recordings: &mut Table<'_>,
    texts: &mut Table<'_>,
    refused: &HashSet<&str>,
    parsed: &mut Parsed,
) {
    let wav_scp = folder.wav_scp.file.file_name().map_or("wav.scp".into(), |n| n.to_string_lossy().into_owned());
    let lines = segments.lines(&mut parsed.problems);
    let mut fields = Vec::new();
    for (line, row) in lines {
        let place = segments.place(line);
        fields.clear();
        fields.extend(row.split_ascii_whitespace());
        let text = fields.first().and_then(|id| texts.get(id));
        let mut read = || -> Result<Option<Entry>, ProblemKind> {
            let [id, recording, start, end, channel @ ..] = &fields[..] else {
                let expected = "4 or 5: utterance, recording, start, end, channel".into();
                return Err(ProblemKind::Fields { expected, actual: fields.len() });
            };
            let not_in = |name: &str, other: &str| ProblemKind::NotIn { name: name.to_owned(), other: other.into() };
            let path = recordings.get(recording).ok_or_else(|| not_in(recording, &wav_scp))?;
            let text = text.ok_or_else(|| not_in(id, "text"))?;
            let mut entry = Entry::new(*id, AudioName::Path(path.to_owned()), text, place.clone());
            let start_s = seconds("start", start)?;
            entry.start_s = Some(start_s);
            // Kaldi's own way to say "to the end of the recording".
            if *end != "-1" {
                entry.duration_s = Some(length(start_s, seconds("end", end)?)?);
            }
            entry.session = Some((*recording).to_owned());
            entry.channel = channel.first().map(|c| (*c).to_owned());
            Ok((!refused.contains(recording)).then_some(entry))
        };
        match read() {
            Ok(Some(entry)) => parsed.entries.push(entry),
            Ok(None) => {}
            Err(kind) => parsed.problem(place, kind),
        }
    }
}
