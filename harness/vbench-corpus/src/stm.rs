//! sclite's `stm` as TED-LIUM uses it: `file channel speaker start end <label> words`; comments begin with `;;`.
//!
//! A manifest holds one reading of an utterance: alternates `{a / b}` and optional words `(uh)` are refused. Fillers of
//! TED-LIUM 1 (`{NOISE}`) and numbers of pronunciations (`word(2)`) are no words and go.

use crate::entry::{AudioName, Entry, Parsed, length, seconds};
use crate::problem::ProblemKind;
use crate::source::Source;

/// Reads one file; recordings are found by name.
pub fn parse(source: &Source<'_>, parsed: &mut Parsed) {
    let lines = source.lines(&mut parsed.problems);
    for (line, text) in lines.filter(|(_, l)| !l.starts_with(";;")) {
        match segment(text) {
            Ok(Some(mut entry)) => {
                entry.place = source.place(line);
                parsed.entries.push(entry);
            }
            Ok(None) => parsed.leave_out("segments marked as not to be scored"),
            Err(kind) => parsed.problem(source.place(line), kind),
        }
    }
}

/// One line; `None` where it is not to be scored.
fn segment(line: &str) -> Result<Option<Entry>, ProblemKind> {
    let mut rest = line.trim();
    let mut next = || {
        let (field, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        rest = after.trim_start();
        Some(field).filter(|f| !f.is_empty())
    };
    let fields: Vec<&str> = std::iter::from_fn(&mut next).take(5).collect();
    let [file, channel, speaker, start, end] = fields[..] else {
        let expected = "at least 5: file, channel, speaker, start, end".into();
        return Err(ProblemKind::Fields { expected, actual: fields.len() });
    };
    let label = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
    let labelled = label.filter(|(label, _)| !label.contains(' ') && *label != "unk");
    let (label, text) = labelled.map_or(("", rest), |(label, text)| (label, text));
    if text.trim().eq_ignore_ascii_case("ignore_time_segment_in_scoring") {
        return Ok(None);
    }
    let start_s = seconds("start", start)?;
    let duration_s = length(start_s, seconds("end", end)?)?;
    let (text, unknown) = words(text)?;
    let who = if speaker == file { String::new() } else { format!("{speaker}-") };
    let milliseconds = |s: f64| (s * 1000.0).round() as u64;
    let id = format!("{file}-{who}{:08}-{:08}", milliseconds(start_s), milliseconds(start_s + duration_s));
    let mut entry = Entry::new(id, AudioName::Stem(file.to_owned()), text, crate::problem::Place::whole("".as_ref()));
    entry.speaker = Some(speaker.to_owned());
    entry.session = Some(file.to_owned());
    (entry.start_s, entry.duration_s) = (Some(start_s), Some(duration_s));
    entry.channel = Some(channel.to_owned());
    let sex = label.split(',').find_map(|part| match part.trim() {
        "male" | "M" => Some("m"),
        "female" | "F" => Some("f"),
        _ => None,
    });
    entry.tag("gender", sex.unwrap_or_default());
    if label != "NA" {
        entry.tag("label", label);
    }
    entry.tag("unknown_words", if unknown { "yes" } else { "" });
    Ok(Some(entry))
}

/// The words of a segment, and whether some are marked as unknown.
fn words(text: &str) -> Result<(String, bool), ProblemKind> {
    let (mut kept, mut unknown) = (Vec::new(), false);
    for word in text.split_whitespace() {
        let optional = word.starts_with('(') && word.ends_with(')');
        if optional || word == "/" || (word.starts_with('{') && !word.ends_with('}')) {
            return Err(ProblemKind::Unsupported {
                what: format!("an utterance with alternates or optional words (`{word}`)"),
                instead: "a manifest holds one reading; score transcripts with `vbench score --ref FILE.stm`".into(),
            });
        }
        match word {
            _ if word.starts_with('{') => {}
            "<unk>" => unknown = true,
            "<sil>" => {}
            _ => kept.push(without_pronunciation(word)),
        }
    }
    Ok((kept.join(" "), unknown))
}

/// `word(2)` without the number of its pronunciation.
fn without_pronunciation(word: &str) -> &str {
    match word.strip_suffix(')').and_then(|w| w.rsplit_once('(')) {
        Some((word, number)) if !word.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => word,
        _ => word,
    }
}
