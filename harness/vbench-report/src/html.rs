//! The report of a run as one self-contained page (`page.rs` is its shell).
//!
//! Every value is escaped by the template engine; the only strings passed as markup are the figures drawn here (whose
//! labels are escaped) and `data:` URIs made of checked MIME types and Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::value::Serde;
use minijinja::{Value, context};

use crate::analysis;
use crate::cells;
use crate::error::ReportError;
use crate::figures::{self, Metric};
use crate::format;
use crate::input::{AudioClip, ReportInput, WorstCell};
use crate::page::{DataBlock, Media, Page, PageKind};
use crate::view;

/// Opens the part of the page (and of the Markdown) that may differ between two runs with one seed.
pub const BLOCK_BEGIN: &str = "<!-- begin timings and provenance -->";
/// Closes it.
pub const BLOCK_END: &str = "<!-- end timings and provenance -->";

/// The report as one HTML file.
///
/// Outside [`BLOCK_BEGIN`] … [`BLOCK_END`] the bytes depend on counts, estimates of accuracy, the worst utterances,
/// failures, conditions and identity only.
///
/// # Errors
///
/// [`ReportError::Font`], [`ReportError::Draw`] or [`ReportError::Template`]: a broken build, never the data.
pub fn render_html(input: &ReportInput<'_>) -> Result<String, ReportError> {
    let mut accuracy = figures::accuracy_metrics(input.summary)
        .iter()
        .map(|metric| figure(input, *metric))
        .collect::<Result<Vec<Value>, _>>()?;
    accuracy.extend(figures::inline_curves(input.summary)?.iter().map(|c| plot(&c.title, &c.svgs)));
    let audio: Vec<Value> = input.worst.iter().map(audio).collect();
    let data: Vec<DataBlock> = cells::block(input)?.into_iter().collect();
    let context = context! {
        cells_total => format::count(input.cells.rows.len() as u64),
        findings => Value::from(Serde(view::findings(input))),
        timings => Value::from(Serde(view::timings(input))),
        accuracy_figures => accuracy,
        rtf_figure => figure(input, Metric::Rtf)?,
        audio => audio,
        analysis => analysis::page_values(input.analysis.as_ref())?,
        failures_total => format::count(input.summary.failures.len() as u64),
        block_begin => Value::from_safe_string(BLOCK_BEGIN.to_owned()),
        block_end => Value::from_safe_string(BLOCK_END.to_owned()),
    };
    let title = format::visible(&input.summary.suite);
    let linked = input.worst.iter().any(|w| w.audio.as_ref().is_some_and(|clip| clip.href.is_some()));
    let media = if linked { Media::Folder } else { Media::Embedded };
    Page { kind: PageKind::Run, title, media, data, context }.render()
}

fn figure(input: &ReportInput<'_>, metric: Metric) -> Result<Value, ReportError> {
    Ok(plot(metric.title(), &figures::inline_svg(input.summary, metric)?))
}

pub(crate) fn plot(title: &str, (wide, narrow): &(String, String)) -> Value {
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

/// A `data:` URI or a link to a file beside the page, or why there is none.
fn audio(cell: &WorstCell) -> Value {
    player(cell.audio.as_ref(), cell.audio_note.as_deref())
}

/// The same for any clip and the reason why there is none.
pub(crate) fn player(clip: Option<&AudioClip>, note: Option<&str>) -> Value {
    let Some(clip) = clip else {
        let why = note.unwrap_or("No audio is embedded for this utterance.");
        return context! { missing => format::visible(why) };
    };
    if !is_audio_type(&clip.mime) {
        return context! { missing => "The audio is not embedded: its type is not an audio type." };
    }
    if let Some(href) = &clip.href {
        if !is_relative_name(href) {
            return context! { missing => "The audio is not linked: its name is not a plain relative one." };
        }
        return context! { uri => Value::from_safe_string(href.clone()) };
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

/// Folders and a file name of letters, digits, dots and dashes: no scheme, no `..`, nothing that could end an attribute.
fn is_relative_name(href: &str) -> bool {
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
    };
    href.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_names_are_linked() {
        for good in ["audio/001.opus", "a.flac", "audio/001-clean.opus"] {
            assert!(is_relative_name(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../a.opus", "audio/../a", "audio//a", "javascript:x", "a b", "a\"b", "audio/.a"]
        {
            assert!(!is_relative_name(bad), "{bad}");
        }
    }

    #[test]
    fn only_audio_types_become_data_uris() {
        for good in ["audio/flac", "audio/ogg; codecs=opus", "audio/x-wav", "audio/vnd.wave"] {
            assert!(is_audio_type(good), "{good}");
        }
        for bad in ["", "audio/", "text/html", "audio/x\"onerror=1", "audio/a,b", "audio/<", "AUDIO/flac"] {
            assert!(!is_audio_type(bad), "{bad}");
        }
    }
}
