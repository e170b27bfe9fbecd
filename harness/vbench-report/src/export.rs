//! The hardest cells as a folder to listen through: index pages, alignment, playlist, names. The binary writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;
use sha2::{Digest, Sha256};
use unicode_width::UnicodeWidthStr as _;

use crate::error::ReportError;
use crate::format::{count, shortened, visible};
use crate::input::{AlignedToken, TokenOp, WorstCell};
use crate::markdown::inline;

const TEMPLATE: &str = include_str!("templates/export.html");
const STYLE: &str = include_str!("templates/export.css");
/// Longest name of a folder behind its number, in characters.
const NAME_CHARS: usize = 60;
/// Longest text in an index, in characters; the whole text is in its file.
const INDEX_CHARS: usize = 2_000;
/// Columns of an alignment before it continues below.
const ALIGNMENT_COLUMNS: usize = 100;

/// Files of a cell's folder.
pub const CLEAN_FILE: &str = "clean.wav";
/// What the model heard.
pub const DEGRADED_FILE: &str = "degraded.wav";

/// A cell of the exported folder.
#[derive(Debug, Clone)]
pub struct ExportEntry<'a> {
    /// Name of its folder, from [`folder_name`].
    pub folder: String,
    /// The cell.
    pub cell: &'a WorstCell,
    /// Whether [`CLEAN_FILE`] is there.
    pub clean: bool,
    /// Whether [`DEGRADED_FILE`] is there.
    pub degraded: bool,
    /// Length of the degraded clip in seconds.
    pub seconds: f64,
    /// Why audio is missing.
    pub note: Option<String>,
}

/// The name of the `rank`-th of `total` folders: `01-noise-5db-voice-07`. Whatever `parts` are, the name has only ASCII
/// letters, digits, dots, dashes and underscores, begins with its number and is at most 70 characters long.
#[must_use]
pub fn folder_name(rank: usize, total: usize, parts: &[&str]) -> String {
    let width = total.max(10).to_string().len();
    let mut name = String::new();
    for c in parts.join("-").chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
        let repeats = matches!(c, '-' | '.') && name.ends_with(['-', '.']);
        if !repeats && name.len() < NAME_CHARS {
            name.push(c);
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { format!("{rank:0width$}") } else { format!("{rank:0width$}-{name}") }
}

#[derive(Serialize)]
struct EntryView {
    rank: usize,
    folder: String,
    title: String,
    cell: String,
    reference: String,
    hypothesis: String,
    alignment: Vec<TokenView>,
    more: Option<String>,
    clean: Option<String>,
    degraded: Option<String>,
    note: Option<String>,
}

#[derive(Serialize)]
struct TokenView {
    class: &'static str,
    mark: &'static str,
    reference: String,
    hypothesis: String,
}

/// Alignment columns in the index.
const INDEX_TOKENS: usize = 300;

fn entry_view(rank: usize, e: &ExportEntry<'_>) -> EntryView {
    let file = |there: bool, name: &str| there.then(|| format!("{}/{name}", e.folder));
    let text = |t: &str| shortened(&visible(t), INDEX_CHARS);
    EntryView {
        rank,
        folder: e.folder.clone(),
        title: title(e),
        cell: text(&e.cell.cell),
        reference: text(&e.cell.reference),
        hypothesis: text(&e.cell.hypothesis),
        alignment: e.cell.alignment.iter().take(INDEX_TOKENS).map(token_view).collect(),
        more: e.cell.alignment.len().checked_sub(INDEX_TOKENS).filter(|n| *n > 0).map(|n| count(n as u64)),
        clean: file(e.clean, CLEAN_FILE),
        degraded: file(e.degraded, DEGRADED_FILE),
        note: e.note.as_deref().map(visible),
    }
}

fn token_view(t: &AlignedToken) -> TokenView {
    let (class, mark) = marks(t.op);
    let text = |t: &Option<String>| t.as_deref().map_or_else(|| "∗".to_owned(), |t| shortened(&visible(t), 200));
    TokenView { class, mark, reference: text(&t.reference), hypothesis: text(&t.hypothesis) }
}

fn marks(op: TokenOp) -> (&'static str, &'static str) {
    match op {
        TokenOp::Hit => ("hit", ""),
        TokenOp::Substitution => ("sub", "S"),
        TokenOp::Deletion => ("del", "D"),
        TokenOp::Insertion => ("ins", "I"),
    }
}

/// `noise-5db, speaker voice-07, whisper-tiny.en: 8 errors in 8 words`.
fn title(e: &ExportEntry<'_>) -> String {
    let c = e.cell;
    format!(
        "{}, speaker {}, {}: {} errors in {} words",
        visible(&c.condition),
        visible(&c.speaker),
        visible(&c.model),
        count(c.errors),
        count(c.reference_words)
    )
}

/// `index.html`: one page that plays the clips beside it. Its policy allows its style sheet by hash, sounds from beside
/// it, and nothing else.
///
/// # Errors
///
/// [`ReportError::Template`]: a broken build, never the data.
pub fn export_index_html(suite: &str, entries: &[ExportEntry<'_>]) -> Result<String, ReportError> {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; media-src 'self'; base-uri 'none'; form-action 'none'",
        BASE64.encode(Sha256::digest(STYLE.as_bytes()))
    );
    let views: Vec<EntryView> = entries.iter().enumerate().map(|(i, e)| entry_view(i + 1, e)).collect();
    let values = context! {
        policy => minijinja::Value::from_safe_string(policy),
        style => minijinja::Value::from_safe_string(STYLE.to_owned()),
        suite => visible(suite),
        entries => minijinja::Value::from(Serde(views)),
    };
    render(&values).map_err(|source| ReportError::Template { template: "export.html", source })
}

fn render(values: &minijinja::Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("export.html", TEMPLATE)?;
    environment.get_template("export.html")?.render(values)
}

/// `index.md`: the same as a list with links.
#[must_use]
pub fn export_index_markdown(suite: &str, entries: &[ExportEntry<'_>]) -> String {
    let mut out =
        format!("# Hardest utterances of {}\n\nBy word errors, the hardest first.\n", inline(&visible(suite)));
    for (i, e) in entries.iter().enumerate() {
        out += &format!("\n## {}. {}\n\n", i + 1, inline(&title(e)));
        out += &format!("- cell: {}\n", inline(&visible(&e.cell.cell)));
        out += &format!("- reference: {}\n", inline(&visible(&e.cell.reference)));
        out += &format!("- hypothesis: {}\n", inline(&visible(&e.cell.hypothesis)));
        let link = |name: &str| format!("[{name}]({}/{name})", e.folder);
        let mut files = Vec::new();
        if e.clean {
            files.push(link(CLEAN_FILE));
        }
        if e.degraded {
            files.push(link(DEGRADED_FILE));
        }
        files.extend(["alignment.txt", "receipt.json"].map(link));
        out += &format!("- files: {}\n", files.join(", "));
        if let Some(note) = &e.note {
            out += &format!("- {}\n", inline(&visible(note)));
        }
    }
    out
}

/// `playlist.m3u`: of each cell the clean clip, then what the model heard.
#[must_use]
pub fn export_playlist(entries: &[ExportEntry<'_>]) -> String {
    let mut out = String::from("#EXTM3U\n");
    for (i, e) in entries.iter().enumerate() {
        let title = shortened(&title(e), 200);
        for (there, name, what) in [(e.clean, CLEAN_FILE, "clean"), (e.degraded, DEGRADED_FILE, "degraded")] {
            if there {
                out += &format!("#EXTINF:{:.0},{} {what}: {title}\n{}/{name}\n", e.seconds.ceil(), i + 1, e.folder);
            }
        }
    }
    out
}

/// `alignment.txt`: reference above hypothesis, with a letter below each error.
#[must_use]
pub fn export_alignment(cell: &WorstCell) -> String {
    let mut out = format!(
        "{}\n{} errors in {} words. S: substituted, D: deleted, I: inserted.\n",
        visible(&cell.cell),
        count(cell.errors),
        count(cell.reference_words)
    );
    let mut rows = [String::new(), String::new(), String::new()];
    let mut used = 0;
    for token in &cell.alignment {
        let text = |t: &Option<String>| t.as_deref().map(visible);
        let (reference, hypothesis) = (text(&token.reference), text(&token.hypothesis));
        let stars = |other: &Option<String>| "*".repeat(other.as_deref().map_or(1, |w| w.width().max(1)));
        let reference_shown = reference.clone().unwrap_or_else(|| stars(&hypothesis));
        let hypothesis_shown = hypothesis.unwrap_or_else(|| stars(&reference));
        let width = reference_shown.width().max(hypothesis_shown.width()).max(1);
        if used > 0 && used + width + 1 > ALIGNMENT_COLUMNS {
            flush(&mut out, &mut rows);
            used = 0;
        }
        for (row, word) in rows.iter_mut().zip([reference_shown.as_str(), &hypothesis_shown, marks(token.op).1]) {
            row.push(' ');
            row.push_str(word);
            row.push_str(&" ".repeat(width - word.width().min(width)));
        }
        used += width + 1;
    }
    flush(&mut out, &mut rows);
    out
}

fn flush(out: &mut String, rows: &mut [String; 3]) {
    if rows[0].is_empty() {
        return;
    }
    out.push('\n');
    for (name, row) in ["REF:", "HYP:", "ERR:"].into_iter().zip(rows) {
        if name != "ERR:" || !row.trim().is_empty() {
            out.push_str(name);
            out.push_str(row.trim_end());
            out.push('\n');
        }
        row.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_numbered_and_harmless_whatever_they_are_made_of() {
        assert_eq!(folder_name(1, 5, &["noise-5db", "voice-07_3.1"]), "01-noise-5db-voice-07_3.1");
        assert_eq!(folder_name(7, 1_000, &["a"]), "0007-a");
        let hostile = [
            "..",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "..\\..\\x",
            "C:\\x",
            "nul\0byte",
            "CON",
            "con.txt",
            ".hidden",
            "trailing. ",
            "\u{202e}gpj",
            "／full／width",
            "a\u{2215}b",
            "\u{2024}\u{2024}/x",
            "<script>",
            "a\nb",
            "",
            "~",
            "-rf",
            "*?\"|",
        ];
        let long = "x".repeat(50_000);
        for name in hostile.iter().copied().chain([long.as_str()]) {
            let folder = folder_name(3, 12, &[name, name]);
            assert!(folder.starts_with("03") && folder.len() <= 70, "{name:?}: {folder}");
            assert!(folder.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name:?}: {folder}");
            assert!(!folder.contains("..") && !folder.ends_with('.'), "{name:?}: {folder}");
        }
    }

    #[test]
    fn columns_of_wide_scripts_stay_aligned() {
        let token = |r: &str, h: &str| AlignedToken {
            op: if r == h { TokenOp::Hit } else { TokenOp::Substitution },
            reference: Some(r.into()),
            hypothesis: Some(h.into()),
        };
        let cell = WorstCell {
            cell: "c/u/clean/m".into(),
            speaker: "-".into(),
            condition: "clean".into(),
            model: "m".into(),
            errors: 1,
            reference_words: 3,
            reference: String::new(),
            hypothesis: String::new(),
            alignment: vec![token("東京", "x"), token("a", "a"), token("शहर", "b")],
            audio: None,
            audio_note: None,
            receipt: Vec::new(),
        };
        let text = export_alignment(&cell);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        let column_of = |line: &str, word: &str| line[..line.find(word).expect(word)].width();
        assert_eq!(column_of(lines[0], " a"), column_of(lines[1], " a"), "{text}");
        assert_eq!(column_of(lines[0], "शहर"), column_of(lines[1], "b"), "{text}");
    }
}
