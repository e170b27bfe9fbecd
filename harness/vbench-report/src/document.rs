//! A page of latencies before it has a form: a verdict, headline numbers, sections of figures, tables and sentences.
//!
//! One [`Document`] becomes the HTML page (`templates/latency.html`), the Markdown and the figures' files, so that all of them
//! say the same.

use minijinja::value::Serde;
use minijinja::{Value, context};
use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::Sketch;
use crate::error::ReportError;
use crate::figures::{Figure, finish, themed};
use crate::format::visible;
use crate::html::{BLOCK_BEGIN, BLOCK_END, plot};
use crate::markdown::{MAX_CHARS, inline};
use crate::page::{Media, Page, PageKind};
use crate::palette::Palette;
use crate::view::{Fact, text};

/// A page.
#[derive(Serialize)]
pub(crate) struct Document {
    pub title: String,
    /// Beneath the title.
    pub meta: Vec<Fact>,
    pub verdict: State,
    pub sentence: String,
    /// What makes the numbers doubtful: a word and the reason.
    pub warnings: Vec<Fact>,
    /// What was measured.
    pub which: Vec<Fact>,
    pub tiles: Vec<Tile>,
    pub counts: Vec<Fact>,
    pub sections: Vec<Section>,
}

/// How something was judged.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct State {
    /// `improved`, `regressed` or `undecided`: the colours and signs of the pages.
    pub class: &'static str,
    pub word: &'static str,
}

/// A headline number.
#[derive(Debug, Serialize)]
pub(crate) struct Tile {
    pub name: String,
    pub value: String,
    pub unit: String,
    pub range: String,
    pub note: String,
}

/// A part of the page.
#[derive(Default, Serialize)]
pub(crate) struct Section {
    pub id: &'static str,
    /// In the navigation.
    pub short: &'static str,
    pub title: String,
    pub lead: Vec<String>,
    #[serde(skip)]
    pub figures: Vec<Sketch>,
    pub tables: Vec<Table>,
    pub remarks: Vec<String>,
    pub facts: Vec<Fact>,
}

/// A table; the first cell of a row is its heading.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Table {
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub title: String,
    pub numeric: bool,
}

/// A cell.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Cell {
    pub text: String,
    /// Bold and on one line.
    pub strong: bool,
    /// Small, beneath.
    pub note: Option<String>,
    /// Shown instead of the text.
    pub state: Option<State>,
}

impl State {
    pub(crate) const fn good(word: &'static str) -> Self {
        Self { class: "improved", word }
    }

    pub(crate) const fn bad(word: &'static str) -> Self {
        Self { class: "regressed", word }
    }

    pub(crate) const fn open(word: &'static str) -> Self {
        Self { class: "undecided", word }
    }
}

impl Cell {
    pub(crate) fn plain(raw: impl AsRef<str>) -> Self {
        Self { text: text(raw.as_ref()), ..Self::default() }
    }

    pub(crate) fn strong(text: impl Into<String>, note: Option<String>) -> Self {
        Self { text: text.into(), strong: true, note, state: None }
    }

    pub(crate) fn state(state: State) -> Self {
        Self { state: Some(state), ..Self::default() }
    }
}

impl Table {
    /// Columns are their titles; those that begin with `>` hold numbers.
    pub(crate) fn new(caption: &str, columns: &[&str]) -> Self {
        let column =
            |title: &&str| Column { title: title.trim_start_matches('>').to_owned(), numeric: title.starts_with('>') };
        Self { caption: caption.to_owned(), columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }
}

/// A fact as it is shown.
pub(crate) fn fact(name: impl AsRef<str>, value: impl AsRef<str>) -> Fact {
    Fact { name: visible(name.as_ref()), value: text(value.as_ref()) }
}

impl Document {
    /// The page.
    pub(crate) fn html(&self, kind: PageKind) -> Result<String, ReportError> {
        let inline = |s: &Section| -> Result<Vec<Value>, ReportError> {
            let one = |f: &Sketch| Ok(plot(&f.title, &themed(f, &f.name, &f.title, &f.description)?));
            s.figures.iter().map(one).collect()
        };
        let figures: Result<Vec<Vec<Value>>, ReportError> = self.sections.par_iter().map(inline).collect();
        let context = context! {
            doc => Value::from(Serde(self)),
            figures => figures?,
            block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
            block_end => Value::from_safe_string(BLOCK_END.to_owned()),
        };
        Page { kind, title: self.title.clone(), media: Media::Embedded, data: Vec::new(), context }.render()
    }

    /// PNG and SVG of every figure.
    pub(crate) fn figures(&self, palette: Palette) -> Result<Vec<Figure>, ReportError> {
        let all: Vec<&Sketch> = self.sections.iter().flat_map(|s| &s.figures).collect();
        all.par_iter().map(|f| finish(*f, &f.name, &f.title, f.description.clone(), palette)).collect()
    }

    /// The same as Markdown, at most [`MAX_CHARS`] characters; figures lie under `figures/`, where they are shown.
    pub(crate) fn markdown(&self, figures: bool) -> String {
        let mut out = format!("# {}\n\n", inline(&self.title));
        let meta: Vec<String> = self.meta.iter().map(|f| format!("{} {}", f.name, inline(&f.value))).collect();
        out += &format!(
            "{}\n\n**{}**: {}\n\n",
            meta.join(" · "),
            self.verdict.word.to_uppercase(),
            inline(&self.sentence)
        );
        for w in &self.warnings {
            out += &format!("> **{}** {}\n\n", w.name, inline(&w.value));
        }
        for f in self.which.iter().chain(&self.counts) {
            out += &format!("- {}: {}\n", inline(&f.name), inline(&f.value));
        }
        out += "\n";
        for t in &self.tiles {
            out += &format!("- {}: **{} {}** {}", inline(&t.name), t.value, t.unit, inline(&t.range));
            out += &if t.note.is_empty() { "\n".to_owned() } else { format!(" ({})\n", inline(&t.note)) };
        }
        for s in &self.sections {
            let part = s.markdown(figures);
            if out.chars().count() + part.chars().count() + 200 > MAX_CHARS {
                out += "\n_The rest is cut; report.html has it._\n";
                break;
            }
            out += &part;
        }
        format!("{BLOCK_BEGIN}\n{out}{BLOCK_END}\n")
    }
}

impl Section {
    fn markdown(&self, figures: bool) -> String {
        let mut out = format!("\n## {}\n\n", inline(&self.title));
        for sentence in &self.lead {
            out += &format!("{}\n\n", inline(sentence));
        }
        for f in self.figures.iter().filter(|_| figures) {
            out += &format!("![{}](figures/{}.svg)\n\n", inline(&f.title), f.name);
        }
        for t in &self.tables {
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            out += &line(t.columns.iter().map(|c| inline(&c.title)).collect());
            out += &line(t.columns.iter().map(|c| if c.numeric { "---:" } else { "---" }.to_owned()).collect());
            for row in &t.rows {
                out += &line(row.iter().map(Cell::markdown).collect());
            }
            out.push('\n');
        }
        for r in &self.remarks {
            out += &format!("- {}\n", inline(r));
        }
        for f in &self.facts {
            out += &format!("- {}: {}\n", inline(&f.name), inline(&f.value));
        }
        out
    }
}

impl Cell {
    fn markdown(&self) -> String {
        let shown = match (&self.state, self.strong) {
            (Some(state), _) => state.word.to_owned(),
            (None, true) => format!("**{}**", inline(&self.text)),
            (None, false) => inline(&self.text),
        };
        self.note.as_ref().map_or(shown.clone(), |note| format!("{shown} {}", inline(note)))
    }
}
