//! Tables with named columns: CSV, TSV, Common Voice, NeMo's JSON lines, Hugging Face audio folders.

use crate::entry::{AudioName, Entry, Parsed};
use crate::json::objects;
use crate::record::{Columns, entry};
use crate::source::Source;
use crate::table::{Dialect, rows};

/// Reads a table; columns that [`Columns`] does not claim become tags.
pub fn parse_table(source: &Source<'_>, dialect: Dialect, columns: &Columns, parsed: &mut Parsed) {
    let needed: Vec<&str> = columns.needed().collect();
    rows(source, dialect, &needed, parsed, |parsed, row| {
        let names: Vec<&str> = row.names.iter().map(|n| n.trim()).collect();
        let fields: Vec<(&str, String)> = row.others(&[]).map(|(n, f)| (n.trim(), f.to_owned())).collect();
        match entry(&fields, &names, columns, source.place(row.line)) {
            Ok(entry) => parsed.entries.push(entry),
            Err(kind) => parsed.problem(source.place(row.line), kind),
        }
    });
}

/// Reads JSON lines: NeMo's manifests (`audio_filepath`, `text`, `offset`, `duration`) and `metadata.jsonl` of audio folders.
pub fn parse_json_lines(source: &Source<'_>, columns: &Columns, parsed: &mut Parsed) {
    objects(source, parsed, |parsed, line, object| {
        let names: Vec<&str> = object.0.keys().map(String::as_str).collect();
        let fields: Vec<(&str, String)> = object.others(&[]).collect();
        let needed = columns.needed().find(|c| !names.contains(c));
        if let Some(column) = needed {
            return Err(object.missing(column));
        }
        // An offset without a duration runs to the end; a duration alone describes the whole file.
        parsed.entries.push(entry(&fields, &names, columns, source.place(line))?);
        Ok(())
    });
}

/// Reads a TSV of Common Voice: `client_id`, `path` (beneath `clips/`), `sentence`, `locale`, and who speaks.
pub fn parse_common_voice(source: &Source<'_>, parsed: &mut Parsed) {
    let needed = ["client_id", "path", "sentence"];
    rows(source, Dialect::Tsv, &needed, parsed, |parsed, row| {
        let path = row.get("path").unwrap_or_default();
        let name = if path.contains('.') { format!("clips/{path}") } else { format!("clips/{path}.mp3") };
        let text = row.get("sentence").unwrap_or_default();
        let mut entry = Entry::new("", AudioName::Path(name), text, source.place(row.line));
        entry.speaker = row.get("client_id").map(str::to_owned);
        entry.language = row.get("locale").map(str::to_owned);
        for (column, tag) in [
            ("age", "age"),
            ("gender", "gender"),
            ("accents", "accent"),
            ("accent", "accent"),
            ("variant", "variant"),
            ("sentence_domain", "domain"),
        ] {
            if let Some(value) = row.get(column) {
                crate::record::add_tag(&mut entry, tag, value);
            }
        }
        entry.tag("licence", "CC0-1.0");
        parsed.entries.push(entry);
    });
}
