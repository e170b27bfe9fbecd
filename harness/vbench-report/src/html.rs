//! The report as one self-contained page.
//!
//! No script, no network: the content security policy allows the one style block by its hash, and images and audio
//! from `data:` only. Every value is escaped by the template engine; the only strings passed as markup are the style
//! sheet, the figures drawn here (whose labels are escaped) and `data:` URIs made of checked MIME types and Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use crate::error::ReportError;
use crate::figures::{self, Metric};
use crate::format;
use crate::input::{AudioClip, ReportInput};
use crate::palette;
use crate::view;

/// Opens the part of the page (and of the Markdown) that may differ between two runs with one seed.
pub const BLOCK_BEGIN: &str = "<!-- begin timings and provenance -->";
/// Closes it.
pub const BLOCK_END: &str = "<!-- end timings and provenance -->";

const TEMPLATES: [(&str, &str); 5] = [
    ("page.html", include_str!("templates/page.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("strata.html", include_str!("templates/strata.html")),
    ("worst.html", include_str!("templates/worst.html")),
    ("timings.html", include_str!("templates/timings.html")),
];
const STYLE: &str = include_str!("templates/style.css");

/// The report as one HTML file.
///
/// Outside [`BLOCK_BEGIN`] … [`BLOCK_END`] the bytes depend on counts, estimates of accuracy, the worst utterances,
/// failures, conditions and identity only.
///
/// # Errors
///
/// [`ReportError::Font`], [`ReportError::Draw`] or [`ReportError::Template`]: a broken build, never the data.
pub fn render_html(input: &ReportInput<'_>) -> Result<String, ReportError> {
    let style = style_sheet();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'",
        BASE64.encode(Sha256::digest(style.as_bytes()))
    );
    let mut accuracy = figures::accuracy_metrics(input.summary)
        .iter()
        .map(|metric| figure(input, *metric))
        .collect::<Result<Vec<Value>, _>>()?;
    accuracy.extend(figures::inline_curves(input.summary)?.iter().map(|c| plot(&c.title, &c.svgs)));
    let audio: Vec<Value> = input.worst.iter().map(|w| audio(w.audio.as_ref())).collect();
    let values = context! {
        policy => Value::from_safe_string(policy),
        style => Value::from_safe_string(style),
        findings => Value::from(Serde(view::findings(input))),
        timings => Value::from(Serde(view::timings(input))),
        accuracy_figures => accuracy,
        rtf_figure => figure(input, Metric::Rtf)?,
        audio => audio,
        failures_total => format::count(input.summary.failures.len() as u64),
        block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
        block_end => Value::from_safe_string(BLOCK_END.to_owned()),
    };
    render(&values).map_err(|source| ReportError::Template { template: "page.html", source })
}

fn render(values: &Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    environment.get_template("page.html")?.render(values)
}

fn style_sheet() -> String {
    format!(
        ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n{STYLE}",
        palette::LIGHT.css(),
        palette::DARK.css()
    )
}

fn figure(input: &ReportInput<'_>, metric: Metric) -> Result<Value, ReportError> {
    Ok(plot(metric.title(), &figures::inline_svg(input.summary, metric)?))
}

fn plot(title: &str, (wide, narrow): &(String, String)) -> Value {
    context! {
        title => title,
        wide => Value::from_safe_string(responsive(wide, "wide")),
        narrow => Value::from_safe_string(responsive(narrow, "narrow")),
    }
}

/// Replaces the fixed size of the SVG by a class; the viewBox stays.
fn responsive(svg: &str, class: &str) -> String {
    let Some((open, rest)) = svg.split_once(" viewBox=") else {
        return svg.to_owned();
    };
    let tag = open.split_whitespace().next().unwrap_or("<svg");
    format!("{tag} class=\"figure-{class}\" viewBox={rest}")
}

/// A `data:` URI, or why there is none.
fn audio(clip: Option<&AudioClip>) -> Value {
    let Some(clip) = clip else {
        return context! { missing => "No audio is embedded for this utterance." };
    };
    if !is_audio_type(&clip.mime) {
        return context! { missing => "The audio is not embedded: its type is not an audio type." };
    }
    let mime = clip.mime.replace(' ', "");
    context! {
        uri => Value::from_safe_string(format!("data:{mime};base64,{}", BASE64.encode(&clip.bytes))),
    }
}

/// `audio/…` with nothing in it that could end an attribute.
fn is_audio_type(mime: &str) -> bool {
    mime.strip_prefix("audio/").is_some_and(|rest| {
        !rest.is_empty()
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ';' | '=' | '.' | '+' | '-' | ' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_audio_types_become_data_uris() {
        for good in ["audio/flac", "audio/ogg; codecs=opus", "audio/x-wav", "audio/vnd.wave"] {
            assert!(is_audio_type(good), "{good}");
        }
        for bad in ["", "audio/", "text/html", "audio/x\"onerror=1", "audio/a,b", "audio/<", "AUDIO/flac"] {
            assert!(!is_audio_type(bad), "{bad}");
        }
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
            ("--warn-ink", "--warn"),
            ("--sub-ink", "--sub"),
            ("--del-ink", "--del"),
            ("--ins-ink", "--ins"),
        ];
        for block in [0, 1] {
            let all: std::collections::HashMap<_, _> = variables(block).into_iter().collect();
            for (ink, ground) in pairs {
                let colour = |name: &str| {
                    let (r, g, b) = all.get(name).copied().unwrap_or_else(|| panic!("{name} in block {block}"));
                    plotters::style::RGBColor(r, g, b)
                };
                let contrast = palette::contrast(colour(ink), colour(ground));
                assert!(contrast >= 4.5, "block {block}: {ink} on {ground}: {contrast:.2}");
            }
        }
    }
}
