//! The shell of every HTML page: head, content security policy, style, data for the script, script, footer.
//!
//! A page is one file. Its policy allows the one style sheet and the one script by their SHA-256, images and sounds from
//! `data:` (sounds from beside the file too, where [`Media::Folder`] says so), and nothing from a network. What a page
//! says stands in the template of its kind, which extends `page.html` and fills the blocks `meta` (a line under the
//! title), `nav` (links to sections) and `main`; macros for numbers, facts and figures are in `macros.html`.
//!
//! ```text
//! let page = Page { kind: PageKind::History, title, media: Media::Embedded, data: vec![], context: context! { … } };
//! let html = page.render()?;
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::ReportError;
use crate::palette;

const TEMPLATES: [(&str, &str); 13] = [
    ("page.html", include_str!("templates/page.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("run.html", include_str!("templates/run.html")),
    ("analysis.html", include_str!("templates/analysis.html")),
    ("strata.html", include_str!("templates/strata.html")),
    ("sound.html", include_str!("templates/sound.html")),
    ("worst.html", include_str!("templates/worst.html")),
    ("timings.html", include_str!("templates/timings.html")),
    ("cells.html", include_str!("templates/cells.html")),
    ("comparison.html", include_str!("templates/comparison.html")),
    ("history.html", include_str!("templates/history.html")),
    ("latency.html", include_str!("templates/latency.html")),
    ("data.html", include_str!("templates/data.html")),
];
pub(crate) const STYLE: &str = concat!(include_str!("templates/style.css"), include_str!("templates/analysis.css"));
const SCRIPT: &str = include_str!("templates/report.js");

/// What a page is about; decides which template stands in the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// One run.
    Run,
    /// Two runs side by side.
    Comparison,
    /// Many runs over time.
    History,
    /// One bench.
    Bench,
    /// Two models by turns.
    Against,
    /// What is wrong with a corpus.
    Check,
    /// What a corpus holds.
    Corpus,
}

impl PageKind {
    /// The words above the title and in the window's title.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Run => "vbench report",
            Self::Comparison => "vbench comparison",
            Self::History => "vbench history",
            Self::Bench => "vbench bench",
            Self::Against => "vbench bench A/B",
            Self::Check => "vbench data check",
            Self::Corpus => "vbench corpus",
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Run => "run.html",
            Self::Comparison => "comparison.html",
            Self::History => "history.html",
            Self::Bench | Self::Against => "latency.html",
            Self::Check | Self::Corpus => "data.html",
        }
    }
}

/// Where the page's sounds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Media {
    /// In the page, as `data:` URIs, or nowhere.
    #[default]
    Embedded,
    /// In files beside the page.
    Folder,
}

/// Data for the script: one JSON text in a block that is never executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataBlock {
    id: &'static str,
    json: String,
}

impl DataBlock {
    /// A block that the script finds by `id`. Everything that could end the block or begin markup is escaped.
    ///
    /// # Errors
    ///
    /// [`ReportError::Data`]: a value that JSON cannot hold (a map with keys that are not text).
    pub fn new(id: &'static str, value: &impl Serialize) -> Result<Self, ReportError> {
        let json = serde_json::to_string(value).map_err(|source| ReportError::Data { block: id, source })?;
        Ok(Self { id, json: escape_json(&json) })
    }
}

/// A page before it is rendered.
#[derive(Debug, Clone)]
pub struct Page {
    /// Which template stands in the shell.
    pub kind: PageKind,
    /// Heading of level 1 and the window's title; escaped here.
    pub title: String,
    /// Where sounds come from; the policy follows.
    pub media: Media,
    /// Data for the script.
    pub data: Vec<DataBlock>,
    /// Values for the kind's template. The name `page` is taken.
    pub context: Value,
}

impl Page {
    /// The page as one HTML file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Template`]: a template asks for a value that is not there; a broken build, never the data.
    pub fn render(&self) -> Result<String, ReportError> {
        let template = self.kind.template();
        self.filled(template).map_err(|source| ReportError::Template { template, source })
    }

    fn filled(&self, template: &str) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        let style = style_sheet();
        let block = |b: &DataBlock| context! { id => b.id, json => Value::from_safe_string(b.json.clone()) };
        let page = context! {
            kind => self.kind.label(),
            title => &self.title,
            policy => Value::from_safe_string(policy(&style, SCRIPT, self.media)),
            style => Value::from_safe_string(style),
            script => Value::from_safe_string(SCRIPT.to_owned()),
            data => self.data.iter().map(block).collect::<Vec<Value>>(),
        };
        environment.get_template(template)?.render(context! { page => page, ..self.context.clone() })
    }
}

fn policy(style: &str, script: &str, media: Media) -> String {
    let hash = |text: &str| BASE64.encode(Sha256::digest(text.as_bytes()));
    let media = if media == Media::Folder { "data: 'self'" } else { "data:" };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; media-src {media}; \
         base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

fn style_sheet() -> String {
    format!(
        ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n{STYLE}",
        palette::LIGHT.css(),
        palette::DARK.css()
    )
}

/// Outside strings JSON has none of these characters, so each can be written as an escape wherever it stands.
fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 32);
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_blocks_hold_no_markup_and_mean_the_same() {
        let text = "</script><!-- <script> & \u{2028}\u{2029} \" \\ {{ 7 * 7 }} \u{202e}👩\u{200d}🚀";
        let block = DataBlock::new("x", &[text]).expect("JSON");
        assert!(!block.json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{}", block.json);
        assert_eq!(serde_json::from_str::<Vec<String>>(&block.json).expect("JSON"), [text]);
    }

    #[test]
    fn style_and_script_cannot_end_their_own_elements() {
        assert!(!STYLE.contains('<') && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }

    /// `--name: #hex` pairs of the n-th `:root` block of the style sheet (light first, dark second).
    fn variables(block: usize) -> Vec<(String, (u8, u8, u8))> {
        let text = STYLE.split(":root").nth(block + 1).and_then(|b| b.split('}').next()).expect("a :root block");
        text.split(';')
            .filter_map(|line| line.trim().trim_start_matches('{').trim().split_once(':'))
            .filter_map(|(name, value)| {
                let hex = value.trim().strip_prefix('#')?;
                let byte = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
                Some((name.trim().to_owned(), (byte(0)?, byte(2)?, byte(4)?)))
            })
            .collect()
    }

    #[test]
    fn page_colours_reach_wcag_aa_in_both_schemes() {
        let pairs = [
            ("--ink", "--page"),
            ("--ink", "--card"),
            ("--muted", "--page"),
            ("--muted", "--card"),
            ("--link", "--page"),
            ("--link", "--card"),
            ("--better", "--page"),
            ("--better", "--card"),
            ("--worse", "--page"),
            ("--worse", "--card"),
            ("--warn-ink", "--warn"),
            ("--sub-ink", "--sub"),
            ("--del-ink", "--del"),
            ("--ins-ink", "--ins"),
        ];
        // Edges of fields and buttons need three to one.
        let edges = [("--control", "--card", 3.0), ("--control", "--page", 3.0)];
        for block in [0, 1] {
            let all: std::collections::HashMap<_, _> = variables(block).into_iter().collect();
            for (ink, ground, least) in pairs.map(|(i, g)| (i, g, 4.5)).into_iter().chain(edges) {
                let colour = |name: &str| {
                    let (r, g, b) = all.get(name).copied().unwrap_or_else(|| panic!("{name} in block {block}"));
                    plotters::style::RGBColor(r, g, b)
                };
                let contrast = palette::contrast(colour(ink), colour(ground));
                assert!(contrast >= least, "block {block}: {ink} on {ground}: {contrast:.2}");
            }
        }
    }
}
