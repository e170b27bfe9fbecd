//! Lhotse manifests (JSON lines, as Lhotse 1.x writes them): cuts, or supervisions with their recordings.

use std::collections::HashMap;

use crate::entry::{AudioName, Entry, Parsed, length};
use crate::json::{Object, objects, scalar};
use crate::problem::{Place, ProblemKind};
use crate::record::add_tag;
use crate::source::{Source, shown};

/// Where a recording lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    path: String,
    duration_s: Option<f64>,
    channels: usize,
}

fn unsupported(what: &str, instead: &str) -> ProblemKind {
    ProblemKind::Unsupported { what: what.into(), instead: instead.into() }
}

/// Recordings by id, of a file of recordings.
pub fn parse_recordings(source: &Source<'_>, parsed: &mut Parsed) -> HashMap<String, Result<Recording, ProblemKind>> {
    let mut recordings = HashMap::new();
    objects(source, parsed, |_, _, object| {
        // A recording that nobody uses may be of any kind.
        recordings.insert(object.required("id")?, recording(object));
        Ok(())
    });
    recordings
}

fn recording(object: Object<'_>) -> Result<Recording, ProblemKind> {
    let [source] = object.list("sources")? else {
        return Err(unsupported("a recording of several sources", "write its channels to one file each"));
    };
    let source = source
        .as_object()
        .map(Object)
        .ok_or_else(|| unsupported("a source that is no object", "write it again with Lhotse"))?;
    if !object.list("transforms")?.is_empty() {
        return Err(unsupported("a recording with transforms", "save the audio (`save_audios`) and import that"));
    }
    let path = source.required("source")?;
    match source.required("type")?.as_str() {
        "file" => {}
        "command" => return Err(ProblemKind::Pipe { command: shown(&path) }),
        other => return Err(unsupported(&format!("a source of type `{other}`"), "save the audio to files")),
    }
    Ok(Recording { path, duration_s: object.seconds("duration")?, channels: source.list("channels")?.len() })
}

/// Reads cuts; every supervision of a cut becomes an utterance.
pub fn parse_cuts(source: &Source<'_>, parsed: &mut Parsed) {
    objects(source, parsed, |parsed, line, cut| {
        let kind = cut.string("type")?.unwrap_or_else(|| "MonoCut".into());
        if !["MonoCut", "MultiCut", "DataCut"].contains(&kind.as_str()) {
            return Err(unsupported(&format!("a {kind}"), "save the audio (`save_audios`) and import the new cuts"));
        }
        let at = cut.seconds("start")?.unwrap_or(0.0);
        let supervisions = cut.list("supervisions")?;
        if supervisions.is_empty() {
            parsed.leave_out("cuts without supervision");
            return Ok(());
        }
        let recording = recording(cut.object("recording")?.ok_or_else(|| cut.missing("recording"))?)?;
        for supervision in supervisions.iter().filter_map(|s| s.as_object()).map(Object) {
            supervised(supervision, at, &recording, source.place(line), parsed)?;
        }
        Ok(())
    });
}

/// Reads supervisions of recordings.
pub fn parse_supervisions(
    source: &Source<'_>,
    recordings: &HashMap<String, Result<Recording, ProblemKind>>,
    parsed: &mut Parsed,
) {
    objects(source, parsed, |parsed, line, supervision| {
        let name = supervision.required("recording_id")?;
        let recording = match recordings.get(&name) {
            Some(recording) => recording.clone()?,
            None => return Err(ProblemKind::NotIn { name, other: "the recordings".into() }),
        };
        supervised(supervision, 0.0, &recording, source.place(line), parsed)
    });
}

/// One supervision; `at` is where its cut begins in the recording.
fn supervised(
    object: Object<'_>,
    at: f64,
    recording: &Recording,
    place: Place,
    parsed: &mut Parsed,
) -> Result<(), ProblemKind> {
    let Some(text) = object.string("text")? else {
        parsed.leave_out("supervisions without text");
        return Ok(());
    };
    // A supervision may begin before its cut does.
    let start = object.0.get("start").and_then(serde_json::Value::as_f64).ok_or_else(|| object.missing("start"))?;
    let duration_s = object.seconds("duration")?.ok_or_else(|| object.missing("duration"))?;
    let start_s = ((at + start) * 1e9).round() / 1e9;
    if !start_s.is_finite() || start_s < 0.0 {
        return Err(ProblemKind::Seconds { field: "start", actual: start_s.to_string() });
    }
    let mut entry = Entry::new(object.required("id")?, AudioName::Path(recording.path.clone()), text, place);
    entry.duration_s = Some(length(0.0, duration_s)?);
    let whole = start_s == 0.0 && recording.duration_s.is_none_or(|all| (all - duration_s).abs() < 1e-3);
    entry.start_s = (!whole).then_some(start_s);
    entry.speaker = object.string("speaker")?;
    entry.session = object.string("recording_id")?;
    entry.language = object.string("language")?;
    let channel = object.0.get("channel");
    let all = channel.and_then(|c| c.as_array()).is_some_and(|list| list.len() == recording.channels);
    if recording.channels > 1 && !all {
        entry.channel = channel.and_then(scalar).or_else(|| Some("a part".into()));
    }
    if let Some(gender) = object.string("gender")? {
        add_tag(&mut entry, "gender", &gender);
    }
    if let Some(custom) = object.object("custom")? {
        for (name, value) in custom.others(&[]) {
            add_tag(&mut entry, name, &value);
        }
    }
    parsed.entries.push(entry);
    Ok(())
}
