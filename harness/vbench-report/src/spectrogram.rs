//! Spectrograms as figures.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use vbench_dsp::Spectrogram;

use crate::error::ReportError;
use crate::figures::draw_png;
use crate::palette::{LIGHT, Palette};
use crate::plot::{Area, Canvas, Drawn, MARGIN, Pen, Plot, SMALL_PX};

/// Layout units of a cell.
const CELL: i32 = 2;
/// Room for the frequency labels and for the time labels.
const LEFT: i32 = 46;
const BOTTOM: i32 = 30;
/// Levels that the darkest and the brightest colour stand for, dB.
pub(crate) const RANGE_DB: (f32, f32) = (-100.0, -20.0);
/// Steps of colour: more would only make the file larger.
const STEPS: f32 = 24.0;
/// Perceptually even colours from dark to bright that also work in grey (nine points of matplotlib's "inferno", CC0).
const COLOURS: [(f64, f64, f64); 9] = [
    (0.0, 0.0, 4.0),
    (31.0, 12.0, 72.0),
    (85.0, 15.0, 109.0),
    (136.0, 34.0, 106.0),
    (186.0, 54.0, 85.0),
    (227.0, 89.0, 51.0),
    (249.0, 140.0, 10.0),
    (249.0, 201.0, 50.0),
    (252.0, 255.0, 164.0),
];

struct Picture<'a>(&'a Spectrogram);

impl Picture<'_> {
    fn width(&self) -> i32 {
        LEFT + self.0.columns as i32 * CELL + MARGIN
    }

    fn axes<DB: DrawingBackend>(&self, pen: &Pen<DB>, colours: Palette) -> Drawn<DB> {
        let (right, bottom) = (LEFT + self.0.columns as i32 * CELL, MARGIN + self.0.bands as i32 * CELL);
        let khz = (self.0.max_hz / 1000.0).floor() as i32;
        for at in (0..=khz).step_by(2) {
            let y = bottom - (f64::from(at) * 1000.0 / self.0.max_hz * f64::from(bottom - MARGIN)).round() as i32;
            pen.line((LEFT - 4, y), (LEFT, y), 1, colours.muted)?;
            let label = if at == khz { format!("{at} kHz") } else { at.to_string() };
            pen.text(&label, (LEFT - 6, y), SMALL_PX, colours.ink, HPos::Right)?;
        }
        let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0];
        let step = step.into_iter().find(|s| self.0.seconds / s <= 8.0).unwrap_or(36_000.0);
        let mut at = 0.0;
        while at <= self.0.seconds {
            let x = LEFT + (at / self.0.seconds * f64::from(right - LEFT)).round() as i32;
            pen.line((x, bottom), (x, bottom + 4), 1, colours.muted)?;
            pen.text(&format!("{at} s"), (x, bottom + 14), SMALL_PX, colours.ink, HPos::Center)?;
            at += step;
        }
        Ok(())
    }
}

impl Plot for Picture<'_> {
    fn height(&self, _width: i32) -> i32 {
        MARGIN + self.0.bands as i32 * CELL + BOTTOM
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let pen = Pen::new(area, canvas);
        area.fill(&canvas.palette.background)?;
        for (column, cells) in self.0.db.chunks_exact(self.0.bands).enumerate() {
            for (band, db) in cells.iter().enumerate() {
                let x = LEFT + column as i32 * CELL;
                let y = MARGIN + (self.0.bands - 1 - band) as i32 * CELL;
                pen.rect((x, y), (x + CELL, y + CELL), colour(*db))?;
            }
        }
        self.axes(&pen, canvas.palette)
    }
}

pub(crate) fn colour(db: f32) -> RGBColor {
    let share = ((db - RANGE_DB.0) / (RANGE_DB.1 - RANGE_DB.0)).clamp(0.0, 1.0);
    let place = f64::from((share * STEPS).round() / STEPS) * (COLOURS.len() - 1) as f64;
    let index = (place as usize).min(COLOURS.len() - 2);
    let part = place - index as f64;
    let (a, b) = (COLOURS[index], COLOURS[index + 1]);
    let mix = |a: f64, b: f64| (a + part * (b - a)).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// A spectrogram as PNG: time to the right, frequency upwards, -100 dB (dark) to -20 dB (bright) relative to a
/// full-scale sine.
///
/// # Errors
/// [`ReportError::Font`], [`ReportError::Draw`] or [`ReportError::Png`]: the build's font or memory, never the data.
pub fn spectrogram_png(spectrogram: &Spectrogram) -> Result<Vec<u8>, ReportError> {
    let picture = Picture(spectrogram);
    draw_png(&picture, "spectrogram", LIGHT, picture.width(), 1)
}
