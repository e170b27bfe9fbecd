//! Waveform and spectrogram of one utterance, small enough to stand beside each of the hardest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::{Value, context};
use vbench_dsp::Spectrogram;

use super::words::duration;
use crate::error::ReportError;
use crate::figures::encode_indexed_png;
use crate::spectrogram::{RANGE_DB, colour};

/// Columns of a waveform.
pub const WAVE_COLUMNS: usize = 480;

/// Half of the height of the waveform's drawing.
const HALF: f32 = 100.0;
/// Colours of the spectrogram: four bits a cell.
const COLOURS: usize = 16;

/// What the model heard, to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundPicture {
    /// Length, seconds.
    pub seconds: f64,
    /// Lowest and highest sample of each of at most [`WAVE_COLUMNS`] equal stretches, full scale at -1 and 1.
    pub peaks: Vec<(f32, f32)>,
    /// Power over time and frequency.
    pub spectrogram: Spectrogram,
}

/// What the template lays out, or nothing.
///
/// # Errors
///
/// [`ReportError::Png`]: memory, never the data.
pub(crate) fn picture(sound: Option<&SoundPicture>) -> Result<Value, ReportError> {
    let Some(sound) = sound.filter(|s| !s.peaks.is_empty() && s.seconds > 0.0) else { return Ok(Value::from(())) };
    let png = BASE64.encode(spectrogram_png(&sound.spectrogram)?);
    let khz = format!("{:.3}", sound.spectrogram.max_hz / 1e3);
    let khz = khz.trim_end_matches('0').trim_end_matches('.');
    Ok(context! {
        wave => Value::from_safe_string(wave(&sound.peaks)),
        columns => sound.peaks.len(),
        spectrogram => Value::from_safe_string(format!("data:image/png;base64,{png}")),
        half => duration(sound.seconds / 2.0),
        seconds => duration(sound.seconds),
        top => format!("{khz} kHz"),
        range => format!("{:.0} to {:.0} dB", RANGE_DB.0, RANGE_DB.1),
    })
}

/// The outline as the path of an SVG whose height runs from -100 to 100: along the peaks, back along the troughs. Scaled
/// so that the loudest sample fills it: quiet recordings can be seen too.
fn wave(peaks: &[(f32, f32)]) -> String {
    use std::fmt::Write as _;
    let finite = |v: f32| if v.is_finite() { v } else { 0.0 };
    let loudest = peaks.iter().fold(0.0f32, |m, p| m.max(finite(p.0).abs()).max(finite(p.1).abs()));
    let gain = if loudest > 0.0 { HALF / loudest } else { 0.0 };
    let y = |v: f32| -(finite(v) * gain).round() as i32;
    let mut path = String::with_capacity(peaks.len() * 12);
    // Half a unit on both sides of the middle, so that silence is a line. Writing to a string cannot fail.
    for (i, p) in peaks.iter().enumerate() {
        let _ = write!(path, "{}{i} {}", if i == 0 { 'M' } else { 'L' }, y(p.1) - 1);
    }
    for (i, p) in peaks.iter().enumerate().rev() {
        let _ = write!(path, "L{i} {}", y(p.0) + 1);
    }
    path.push('Z');
    path
}

/// Cells of a spectrogram as pixels, highest frequency on top.
fn spectrogram_png(s: &Spectrogram) -> Result<Vec<u8>, ReportError> {
    let level = |i: usize| RANGE_DB.0 + (RANGE_DB.1 - RANGE_DB.0) * i as f32 / (COLOURS - 1) as f32;
    let palette: Vec<u8> = (0..COLOURS).map(level).map(colour).flat_map(|c| [c.0, c.1, c.2]).collect();
    let index = |db: f32| {
        let share = ((db - RANGE_DB.0) / (RANGE_DB.1 - RANGE_DB.0)).clamp(0.0, 1.0);
        (share * (COLOURS - 1) as f32).round() as u8
    };
    let cell = |x: usize, y: usize| s.db.get(x * s.bands + (s.bands - 1 - y)).map_or(0, |db| index(*db));
    let mut pixels = Vec::with_capacity(s.columns.div_ceil(2) * s.bands);
    for y in 0..s.bands {
        pixels.extend(
            (0..s.columns).step_by(2).map(|x| (cell(x, y) << 4) | if x + 1 < s.columns { cell(x + 1, y) } else { 0 }),
        );
    }
    let (width, height) = (s.columns as u32, s.bands as u32);
    encode_indexed_png(&pixels, palette, width, height).map_err(|source| ReportError::Png {
        figure: "spectrogram".to_owned(),
        width,
        height,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_goes_there_and_back_and_the_loudest_sample_fills_it() {
        assert_eq!(wave(&[(-0.25, 0.5), (0.0, 0.0)]), "M0 -101L1 -1L1 1L0 51Z");
        assert_eq!(wave(&[(0.0, 0.0), (f32::NAN, f32::INFINITY)]), "M0 -1L1 -1L1 1L0 1Z");
    }

    #[test]
    fn a_picture_is_a_png_of_its_cells_with_the_highest_frequency_on_top() {
        let db = vec![-120.0, -20.0, -60.0, -100.0, -100.0, -100.0];
        let s = Spectrogram { columns: 3, bands: 2, db, seconds: 1.5, max_hz: 8000.0 };
        let png = spectrogram_png(&s).expect("memory");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("a PNG");
        let mut pixels = vec![0; 64];
        let info = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((info.width, info.height, info.bit_depth), (3, 2, png::BitDepth::Four));
        // Row by row: band 1 of the three columns, then band 0.
        assert_eq!(&pixels[..4], &[0xf0, 0x00, 0x08, 0x00]);
        let value =
            picture(Some(&SoundPicture { seconds: 1.5, peaks: vec![(-0.1, 0.1)], spectrogram: s })).expect("a picture");
        assert_eq!(value.get_attr("top").expect("a label").to_string(), "8 kHz");
        assert!(picture(None).expect("nothing").is_none());
    }
}
