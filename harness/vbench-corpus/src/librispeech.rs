//! LibriSpeech (Panayotov et al. 2015): `SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt` with lines `ID TEXT`, audio `ID.flac`
//! beside it; `SPEAKERS.TXT` one or two folders up tells the readers' sex.

use std::collections::BTreeMap;

use crate::entry::{AudioName, Entry, Parsed};
use crate::problem::ProblemKind;
use crate::record::gender;
use crate::source::{Source, shown};

/// What the corpus' own README states.
const LICENCE: &str = "CC-BY-4.0";

/// Sex by speaker, from `SPEAKERS.TXT`: `ID | SEX | SUBSET | MINUTES | NAME`; comments begin with `;`.
#[must_use]
pub fn parse_speakers(text: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let mut fields = line.split('|').map(str::trim);
        Some((fields.next()?.to_owned(), gender(fields.next()?)))
    };
    text.lines().filter(|l| !l.starts_with(';')).filter_map(row).collect()
}

/// Reads one file of transcripts.
pub fn parse(transcripts: &Source<'_>, sexes: &BTreeMap<String, String>, parsed: &mut Parsed) {
    let lines = transcripts.lines(&mut parsed.problems);
    for (line, text) in lines {
        let place = transcripts.place(line);
        let (id, words) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let mut parts = id.split('-');
        let (Some(speaker), Some(chapter), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let expected = "`SPEAKER-CHAPTER-NUMBER TEXT`".into();
            parsed.problem(place, ProblemKind::Shape { expected, actual: shown(text) });
            continue;
        };
        let mut entry = Entry::new(id, AudioName::Path(format!("{id}.flac")), words, place);
        entry.speaker = Some(speaker.to_owned());
        entry.session = Some(format!("{speaker}-{chapter}"));
        entry.language = Some("en".into());
        entry.tag("gender", sexes.get(speaker).map_or("", String::as_str));
        entry.tag("licence", LICENCE);
        parsed.entries.push(entry);
    }
}
