//! The sections of a report that show where errors and time come from.
//!
//! ```text
//! analysis/words.rs    findings as sentences, times as text
//! analysis/figures.rs  every figure, from the numbers of vbench_compare::analysis
//! analysis/rows.rs     horizontal bars
//! analysis/plane.rs    two axes
//! analysis/sound.rs    waveform and spectrogram of one utterance
//! analysis/view.rs     tables as text
//! analysis/json.rs     the same numbers in summary.json
//! ```

mod figures;
mod json;
pub(crate) mod plane;
pub(crate) mod rows;
mod sound;
mod view;
pub(crate) mod words;

use minijinja::value::Serde;
use minijinja::{Value, context};
use rayon::prelude::*;
use vbench_compare::Analysis;

use crate::error::ReportError;
use crate::figures::{Figure, finish, themed};
use crate::html::plot;
use crate::palette::Palette;

pub(crate) use figures::{Sketch, of_differences, of_plane, of_rows};
pub(crate) use words::{TimeScale, duration};

pub(crate) use sound::picture;

pub use json::analysis_json;
pub use sound::{SoundPicture, WAVE_COLUMNS};

/// PNG and SVG of every figure of an analysis in a palette of [`crate::palette`].
///
/// # Errors
///
/// As [`crate::figures()`].
pub fn analysis_figures(analysis: &Analysis, palette: Palette) -> Result<Vec<Figure>, ReportError> {
    figures::sketches(analysis)
        .par_iter()
        .map(|s| finish(s, &s.name, &s.title, s.description.clone(), palette))
        .collect()
}

/// An analysis with the pictures of the worst utterances.
#[derive(Debug, Clone)]
pub struct Analysed<'a> {
    /// The numbers.
    pub analysis: &'a Analysis,
    /// What the model heard in each of `ReportInput::worst`, in their order; absent where the audio could not be made again.
    pub pictures: Vec<Option<SoundPicture>>,
}

/// What `analysis.html` and `worst.html` lay out: `errors` and `pictures` are the same for two runs with one seed, `times`
/// is not.
///
/// # Errors
///
/// As [`crate::figures()`].
pub(crate) fn page_values(analysed: Option<&Analysed<'_>>) -> Result<Value, ReportError> {
    let Some(Analysed { analysis, pictures }) = analysed else { return Ok(Value::from(())) };
    let inline = |sketches: Vec<Sketch>| -> Result<Vec<Value>, ReportError> {
        let drawn: Result<Vec<_>, _> =
            sketches.par_iter().map(|s| Ok((s, themed(s, &s.name, &s.title, &s.description)?))).collect();
        Ok(drawn?.iter().map(|(s, svgs)| plot(&s.title, svgs)).collect())
    };
    let one = |sketch: Option<Sketch>| inline(sketch.into_iter().collect());
    let errors = context! {
        mix => one(figures::mix(analysis))?,
        band => one(figures::bands(analysis))?,
        speakers => inline(figures::speakers(analysis))?,
        phonemes => inline(figures::phonemes(analysis))?,
        view => Value::from(Serde(view::errors(analysis))),
    };
    let mut distribution = inline(figures::histograms(analysis))?;
    distribution.extend(one(figures::distribution(analysis))?);
    let times = context! {
        percentiles => one(figures::percentiles(analysis))?,
        distribution => distribution,
        trade_off => one(figures::trade_off(analysis))?,
        waterfalls => inline(figures::waterfalls(analysis))?,
        view => Value::from(Serde(view::times(analysis))),
    };
    let pictures: Result<Vec<Value>, ReportError> = pictures.par_iter().map(|p| sound::picture(p.as_ref())).collect();
    Ok(context! { errors => errors, times => times, pictures => pictures? })
}
