//! CORAAL, the Corpus of Regional African American Language (Kendall and Farrington): one transcript a recording with the
//! columns `Line`, `Spkr`, `StTime`, `Content`, `EnTime`, and `*_metadata_*.txt` with one row a file and speaker.
//!
//! The transcripts' marks, as the corpus' user guide describes them: `(pause 0.4)` and other remarks in round brackets,
//! `<laugh>` and other sounds in angle brackets, `[words]` overlap, `/words/` uncertain, `/unintelligible/` and `/RD-NAME-2/`
//! what nobody can or may transcribe.

use std::collections::HashMap;

use crate::entry::{AudioName, Entry, Parsed, length, seconds, stem};
use crate::problem::ProblemKind;
use crate::record::add_tag;
use crate::source::Source;
use crate::table::{Dialect, rows};

/// What the corpus' site states.
const LICENCE: &str = "CC-BY-NC-SA-4.0";
/// Columns of the metadata and the tags that they become.
const TAGS: [(&str, &str); 6] = [
    ("Gender", "gender"),
    ("Age", "age"),
    ("Age.Group", "age_group"),
    ("Year.of.Birth", "birth_year"),
    ("Edu.Group", "education"),
    ("CORAAL.Sub", "component"),
];

/// Tags by speaker.
pub type Speakers = HashMap<String, Vec<(&'static str, String)>>;

/// Whether a text begins like a transcript of CORAAL.
#[must_use]
pub fn is_transcript(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.starts_with(b"Line\tSpkr\tStTime\tContent\tEnTime")
}

/// Reads a metadata table into `speakers`.
pub fn parse_metadata(source: &Source<'_>, speakers: &mut Speakers, parsed: &mut Parsed) {
    rows(source, Dialect::Tsv, &["CORAAL.Spkr"], parsed, |_, row| {
        let Some(speaker) = row.get("CORAAL.Spkr") else { return };
        let tags = TAGS.iter().filter_map(|(column, tag)| Some((*tag, row.get(column)?.to_owned())));
        // A speaker with several files has several rows, which agree.
        speakers.entry(speaker.to_owned()).or_insert_with(|| tags.collect());
    });
}

/// Reads the transcript of one recording, which has its name.
pub fn parse(source: &Source<'_>, speakers: &Speakers, drop_interviewer: bool, parsed: &mut Parsed) {
    let name = source.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let recording = stem(&name).to_owned();
    let needed = ["Line", "Spkr", "StTime", "Content", "EnTime"];
    rows(source, Dialect::Tsv, &needed, parsed, |parsed, row| {
        let get = |column| row.get(column).unwrap_or_default();
        let speaker = get("Spkr");
        let role = match speaker {
            _ if recording.contains(speaker) => "interviewee",
            _ if speaker.contains("_int_") => "interviewer",
            _ => "other",
        };
        let content = clean(get("Content"));
        if content.lost {
            return parsed.leave_out("turns with unintelligible or redacted words");
        }
        if content.text.is_empty() {
            return parsed.leave_out("pauses and sounds without words");
        }
        if drop_interviewer && role == "interviewer" {
            return parsed.leave_out("the interviewer's turns");
        }
        let times = || -> Result<(f64, f64), ProblemKind> {
            let start_s = seconds("StTime", get("StTime"))?;
            Ok((start_s, length(start_s, seconds("EnTime", get("EnTime"))?)?))
        };
        let (start_s, duration_s) = match times() {
            Ok(times) => times,
            Err(kind) => return parsed.problem(source.place(row.line), kind),
        };
        let id = format!("{recording}-{:0>5}", get("Line"));
        let mut entry = Entry::new(id, AudioName::Stem(recording.clone()), content.text, source.place(row.line));
        entry.speaker = Some(speaker.to_owned()).filter(|s| !s.is_empty());
        entry.session = Some(recording.clone());
        entry.language = Some("en".into());
        (entry.start_s, entry.duration_s) = (Some(start_s), Some(duration_s));
        for (name, value) in speakers.get(speaker).into_iter().flatten() {
            add_tag(&mut entry, name, value);
        }
        // Files are named COMPONENT_…, also where their metadata are not there.
        if !entry.tags.contains_key("component") {
            entry.tag("component", recording.split('_').next().unwrap_or_default());
        }
        entry.tag("role", role);
        entry.tag("overlap", if content.overlap { "yes" } else { "no" });
        entry.tag("licence", LICENCE);
        parsed.entries.push(entry);
    });
}

/// A turn without its marks.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    text: String,
    /// Somebody else speaks at the same time.
    overlap: bool,
    /// Words that are not in the transcript were said.
    lost: bool,
}

fn clean(content: &str) -> Content {
    let (mut text, mut overlap, mut lost) = (String::with_capacity(content.len()), false, false);
    let mut rest = content;
    while let Some(c) = rest.chars().next() {
        let inside = |close: char| rest[1..].split_once(close);
        match c {
            '(' => rest = inside(')').map_or(&rest[1..], |(_, after)| after),
            '<' => rest = inside('>').map_or(&rest[1..], |(_, after)| after),
            '[' | ']' => {
                overlap = true;
                rest = &rest[1..];
            }
            '/' => {
                let (words, after) = inside('/').unwrap_or(("", &rest[1..]));
                let words = words.trim();
                lost |= words.starts_with("RD-") || ["unintelligible", "inaudible", "?", "xxx"].contains(&words);
                text.push_str(words);
                rest = after;
            }
            c => {
                text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Content { text: text.split_whitespace().collect::<Vec<_>>().join(" "), overlap, lost }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (content, text, overlap, lost) in [
            ("(pause 0.44)", "", false, false),
            ("<laugh> [Yeah, I] did. (breathy)", "Yeah, I did.", true, false),
            ("We went /to the/ store.", "We went to the store.", false, false),
            ("Ask /RD-NAME-2/ now", "Ask RD-NAME-2 now", false, true),
            ("/unintelligible/", "unintelligible", false, true),
            ("open ( and < and / stay open", "open and and stay open", false, false),
            ("[<cough>]", "", true, false),
        ] {
            assert_eq!(clean(content), Content { text: text.into(), overlap, lost }, "{content}");
        }
    }
}
