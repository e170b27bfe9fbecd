//! A confusion matrix as a heat map: rows are the reference, columns the hypothesis.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::error::ReportError;
use crate::figures::{Figure, finish};
use crate::format::visible;
use crate::palette::{self, Palette};
use crate::plot::{Area, Canvas, Drawn, LINE, MARGIN, Pen, Plot, SMALL_PX, text_width, wrap};

/// A confusion matrix with its labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfusionMatrix {
    /// Headline, e.g. `Phoneme confusions`.
    pub title: String,
    /// What the counts rest on, e.g. the pronouncing dictionary.
    pub subtitle: String,
    /// Labels of rows and columns, n of them.
    pub labels: Vec<String>,
    /// Counts row by row, `(n + 1) * (n + 1)` of them: row `i` is reference label `i`, column `j` hypothesis label `j`. The
    /// last column holds deletions, the last row insertions; the last of all is not drawn. Missing ones count as 0.
    pub counts: Vec<u64>,
}

/// Name of the figure and of its files.
const NAME: &str = "phoneme-confusion";
/// More labels would be too small to read: those with the most errors are drawn.
pub(crate) const MAX_LABELS: usize = 60;
/// The figure describes so many cells in words.
const DESCRIBED: usize = 20;
/// Sides of a cell in layout units.
const CELL_MIN: i32 = 11;
const CELL_MAX: i32 = 34;
/// Between the matrix and its last column and row.
const GAP: i32 = 5;
/// The least of the ramp's colour that a cell with a count gets, so that a single error is seen.
const FAINTEST: f64 = 0.18;
/// Heading of the rows; their labels have at least its width.
const REFERENCE: &str = "reference ↓";
/// Smallest size of a count in a cell.
const NUMBER_MIN_PX: f64 = 6.5;
/// Width of the colour scale.
const SCALE: i32 = 180;

/// PNG and SVG of a confusion matrix in the light palette. Colour tells the count of each error on a logarithmic scale;
/// correct ones, the diagonal, are grey. Counts stand in the cells where there is room.
///
/// # Errors
///
/// As [`crate::figures()`].
pub fn phoneme_confusion(matrix: &ConfusionMatrix) -> Result<Figure, ReportError> {
    phoneme_confusion_in(matrix, palette::LIGHT)
}

/// PNG and SVG of a confusion matrix in a palette of [`crate::palette`].
///
/// # Errors
///
/// As [`crate::figures()`].
pub fn phoneme_confusion_in(matrix: &ConfusionMatrix, palette: Palette) -> Result<Figure, ReportError> {
    let map = HeatMap::new(matrix, MAX_LABELS);
    finish(&map, NAME, &map.title, map.describe(), palette)
}

/// What is drawn.
pub(crate) struct HeatMap {
    pub(crate) title: String,
    subtitle: String,
    labels: Vec<String>,
    /// `(n + 1)` rows of `(n + 1)`.
    counts: Vec<Vec<u64>>,
    largest: u64,
}

/// Places of things, in layout units.
struct Layout {
    subtitle: Vec<String>,
    left: i32,
    top: i32,
    cell: i32,
    height: i32,
}

impl HeatMap {
    /// At most `limit` labels, those with the most errors.
    pub(crate) fn new(matrix: &ConfusionMatrix, limit: usize) -> Self {
        let n = matrix.labels.len();
        let count = |row: usize, column: usize| matrix.counts.get(row * (n + 1) + column).copied().unwrap_or(0);
        let errors = |i: usize| {
            let all = (0..=n).filter(|j| *j != i).map(|j| count(i, j).saturating_add(count(j, i)));
            all.fold(0, u64::saturating_add)
        };
        let mut kept: Vec<usize> = (0..n).collect();
        kept.sort_by_key(|i| std::cmp::Reverse(errors(*i)));
        kept.truncate(limit);
        kept.sort_unstable();
        let mut subtitle = matrix.subtitle.clone();
        if n > kept.len() {
            subtitle.push_str(&format!(" {} labels with fewer errors are left out.", n - kept.len()));
        }
        let places: Vec<usize> = kept.iter().copied().chain([n]).collect();
        let counts: Vec<Vec<u64>> =
            places.iter().map(|&row| places.iter().map(|&column| count(row, column)).collect()).collect();
        let largest = error_cells(&counts).map(|(_, _, count)| count).max().unwrap_or(0);
        let labels = kept.iter().map(|i| visible(&matrix.labels[*i])).collect();
        Self { title: matrix.title.clone(), subtitle, labels, counts, largest }
    }

    fn layout(&self, width: i32) -> Layout {
        let side = self.counts.len() as i32;
        let subtitle = wrap(&self.subtitle, SMALL_PX, width - 2 * MARGIN);
        let label_width = self.labels.iter().map(|l| text_width(l, SMALL_PX)).max().unwrap_or(0);
        let left = MARGIN + label_width.clamp(text_width(REFERENCE, SMALL_PX), width / 4) + 8;
        let cell = ((width - MARGIN - left - GAP) / side).clamp(CELL_MIN, CELL_MAX);
        let top = MARGIN + 26 + LINE * subtitle.len() as i32 + 8 + 2 * LINE;
        Layout { subtitle, left, top, cell, height: top + cell * side + GAP + 14 + 2 * LINE + MARGIN }
    }

    /// How much of the ramp's colour a count gets, 0 to 1.
    fn level(&self, count: u64) -> f64 {
        if count == 0 {
            return 0.0;
        }
        let share = if self.largest < 2 { 1.0 } else { (count as f64).ln() / (self.largest as f64).ln() };
        FAINTEST + (1.0 - FAINTEST) * share.clamp(0.0, 1.0)
    }

    /// The most frequent errors in words.
    pub(crate) fn describe(&self) -> String {
        let mut cells: Vec<(usize, usize, u64)> = error_cells(&self.counts).filter(|(_, _, c)| *c > 0).collect();
        cells.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        let mut text = format!("{}. Rows: reference; columns: hypothesis.", self.subtitle.trim_end_matches('.'));
        if cells.is_empty() {
            text.push_str(" No error.");
        }
        for (row, column, count) in cells.iter().take(DESCRIBED) {
            let words = match (self.labels.get(*row), self.labels.get(*column)) {
                (Some(r), Some(h)) => format!("{r} as {h}"),
                (Some(r), None) => format!("{r} deleted"),
                (None, Some(h)) => format!("{h} inserted"),
                (None, None) => continue,
            };
            text.push_str(&format!(" {words}: {count}."));
        }
        if cells.len() > DESCRIBED {
            text.push_str(&format!(" {} rarer errors are in the figure.", cells.len() - DESCRIBED));
        }
        text
    }

    fn draw_labels<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, colours: Palette) -> Drawn<DB> {
        let n = self.labels.len();
        let px = SMALL_PX.min(f64::from(layout.cell) - 0.5);
        for (i, label) in self.labels.iter().enumerate() {
            let middle = layout.cell * i as i32 + layout.cell / 2;
            pen.text(label, (layout.left - 6, layout.top + middle), px, colours.ink, HPos::Right)?;
            // Long labels would run into each other across the top.
            let size = px.min(px * f64::from(layout.cell - 1) / f64::from(text_width(label, px).max(1)));
            pen.text(label, (layout.left + middle, layout.top - 9), size, colours.ink, HPos::Center)?;
        }
        let last = layout.cell * n as i32 + GAP + layout.cell / 2;
        pen.text("inserted", (layout.left - 6, layout.top + last), SMALL_PX, colours.muted, HPos::Right)?;
        let edge = layout.left + layout.cell * (n as i32 + 1) + GAP;
        let heading = layout.top - 9 - LINE;
        pen.text("deleted", (edge, heading), SMALL_PX, colours.muted, HPos::Right)?;
        pen.text("hypothesis →", (layout.left, heading), SMALL_PX, colours.muted, HPos::Left)?;
        pen.text(REFERENCE, (MARGIN, heading), SMALL_PX, colours.muted, HPos::Left)
    }

    fn draw_cells<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, colours: Palette) -> Drawn<DB> {
        let n = self.labels.len();
        let number_px = (f64::from(layout.cell) * 0.5).min(SMALL_PX);
        let offset = |i: usize| layout.cell * i as i32 + if i == n { GAP } else { 0 };
        self.draw_ground(pen, layout, colours)?;
        for (row, counts) in self.counts.iter().enumerate() {
            for (column, &count) in counts.iter().enumerate().filter(|(column, c)| **c > 0 && (row < n || *column < n))
            {
                let (x, y) = (layout.left + offset(column), layout.top + offset(row));
                let ends = ((x, y), (x + layout.cell - 1, y + layout.cell - 1));
                if row == column {
                    pen.rect(ends.0, ends.1, colours.grid)?;
                    continue;
                }
                let level = self.level(count);
                pen.rect(ends.0, ends.1, colours.background)?;
                pen.tint(ends.0, ends.1, colours.series(0), level)?;
                let text = count.to_string();
                let fitting = f64::from(layout.cell - 2) / f64::from(text_width(&text, number_px).max(1));
                let number_px = number_px * fitting.min(1.0);
                if number_px >= NUMBER_MIN_PX {
                    let ink = readable(colours, level);
                    let middle = (x + layout.cell / 2, y + layout.cell / 2);
                    pen.text(&text, middle, number_px, ink, HPos::Center)?;
                }
            }
        }
        Ok(())
    }

    /// Empty cells: four stretches and the lines between cells, far fewer shapes than one a cell.
    fn draw_ground<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, colours: Palette) -> Drawn<DB> {
        let n = self.labels.len() as i32;
        let (side, last) = (layout.cell * n, layout.cell * n + GAP);
        let (left, top) = (layout.left, layout.top);
        for (from, to) in [
            ((0, 0), (side - 1, side - 1)),
            ((last, 0), (last + layout.cell - 1, side - 1)),
            ((0, last), (side - 1, last + layout.cell - 1)),
        ] {
            pen.rect((left + from.0, top + from.1), (left + to.0, top + to.1), colours.band)?;
        }
        for i in 1..=n {
            let at = layout.cell * i - 1;
            let end = last + layout.cell;
            pen.rect((left + at, top), (left + at + 1, top + end), colours.background)?;
            pen.rect((left, top + at), (left + end, top + at + 1), colours.background)?;
        }
        Ok(())
    }

    /// What the colours mean.
    fn draw_scale<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, colours: Palette) -> Drawn<DB> {
        let y = layout.top + layout.cell * self.counts.len() as i32 + GAP + 14;
        let steps = 60;
        for step in 0..steps {
            let level = FAINTEST + (1.0 - FAINTEST) * f64::from(step) / f64::from(steps - 1);
            let (from, to) = (SCALE * step / steps, SCALE * (step + 1) / steps);
            pen.tint((MARGIN + from, y), (MARGIN + to, y + 12), colours.series(0), level)?;
        }
        let below = y + 12 + 11;
        pen.text("1", (MARGIN, below), SMALL_PX, colours.muted, HPos::Left)?;
        let largest = self.largest.max(1).to_string();
        pen.text(&largest, (MARGIN + SCALE, below), SMALL_PX, colours.muted, HPos::Right)?;
        let right = MARGIN + SCALE + 12;
        let scale = "errors, logarithmic scale";
        pen.text(scale, (right, y + 6), SMALL_PX, colours.ink, HPos::Left)?;
        // Beneath, not beside: a small figure has no room.
        pen.rect((right, below - 5), (right + 12, below + 7), colours.grid)?;
        pen.text("correct", (right + 18, below), SMALL_PX, colours.ink, HPos::Left)
    }
}

impl Plot for HeatMap {
    fn height(&self, width: i32) -> i32 {
        self.layout(width).height
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, canvas: Canvas) -> Drawn<DB> {
        let layout = self.layout(canvas.width);
        let pen = Pen::new(area, canvas);
        let colours = canvas.palette;
        area.fill(&colours.background)?;
        pen.heading(&self.title, &layout.subtitle, colours)?;
        if self.labels.is_empty() {
            return pen.text("Nothing was counted.", (MARGIN, layout.top), SMALL_PX, colours.ink, HPos::Left);
        }
        self.draw_labels(&pen, &layout, colours)?;
        self.draw_cells(&pen, &layout, colours)?;
        self.draw_scale(&pen, &layout, colours)
    }
}

/// Every cell off the diagonal with its count.
fn error_cells(counts: &[Vec<u64>]) -> impl Iterator<Item = (usize, usize, u64)> {
    let cells = counts
        .iter()
        .enumerate()
        .flat_map(|(row, counts)| counts.iter().enumerate().map(move |(column, count)| (row, column, *count)));
    cells.filter(|(row, column, _)| row != column)
}

/// The colour of a number on a fill of a level: of ink and background the one that is better in the worse of the two
/// palettes, as on a page the same choice stands in both.
fn readable(colours: Palette, level: f64) -> RGBColor {
    let worse = |of: fn(&Palette) -> RGBColor| {
        let contrast = |p: Palette| palette::contrast(of(&p), mix(p.background, p.series(0), level));
        contrast(palette::LIGHT).min(contrast(palette::DARK))
    };
    if worse(|p| p.background) > worse(|p| p.ink) { colours.background } else { colours.ink }
}

/// The colour `share` of the way from one to another.
fn mix(from: RGBColor, to: RGBColor, share: f64) -> RGBColor {
    // Between two bytes lies a byte.
    let channel = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(channel(from.0, to.0), channel(from.1, to.1), channel(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(labels: &[&str], counts: &[u64]) -> ConfusionMatrix {
        let labels = labels.iter().map(|l| (*l).to_owned()).collect();
        ConfusionMatrix { title: "Phonemes".into(), subtitle: "Test.".into(), labels, counts: counts.to_vec() }
    }

    #[test]
    fn the_description_tells_the_errors_by_count() {
        let map = HeatMap::new(&matrix(&["p", "b"], &[90, 7, 1, 0, 80, 2, 12, 0, 0]), MAX_LABELS);
        assert_eq!(
            map.describe(),
            "Test. Rows: reference; columns: hypothesis. p inserted: 12. p as b: 7. b deleted: 2. p deleted: 1."
        );
        assert_eq!(map.largest, 12);
        assert!(HeatMap::new(&matrix(&["p"], &[5]), MAX_LABELS).describe().ends_with("No error."));
    }

    #[test]
    fn more_counts_are_more_colour() {
        let map = HeatMap::new(&matrix(&["p", "b"], &[90, 7, 1, 0, 80, 2, 120, 0, 0]), MAX_LABELS);
        let levels: Vec<f64> = [0, 1, 2, 7, 50, 120].map(|c| map.level(c)).into();
        assert!(levels.is_sorted_by(|a, b| a < b), "{levels:?}");
        assert_eq!((levels[0], levels[1], levels[5]), (0.0, FAINTEST, 1.0));
        for palette in [palette::LIGHT, palette::DARK] {
            for level in 0..=100 {
                let level = f64::from(level) / 100.0;
                let fill = mix(palette.background, palette.series(0), level);
                let contrast = palette::contrast(readable(palette, level), fill);
                // The best there can be where ink and background are equally far from the fill.
                assert!(contrast >= 3.15, "{level}: {contrast}");
            }
        }
    }

    #[test]
    fn too_many_labels_leave_those_with_most_errors() {
        let n = 70;
        let mut counts = vec![0; (n + 1) * (n + 1)];
        for i in 10..n {
            counts[i * (n + 1) + n] = i as u64;
        }
        let labels: Vec<String> = (0..n).map(|i| format!("l{i}")).collect();
        let map = HeatMap::new(&ConfusionMatrix { labels, counts, ..matrix(&[], &[]) }, MAX_LABELS);
        assert_eq!((map.labels.len(), map.labels[0].as_str(), map.counts.len()), (60, "l10", 61));
        assert_eq!(map.counts[0][60], 10);
        assert!(map.subtitle.ends_with("10 labels with fewer errors are left out."));
    }

    #[test]
    fn empty_short_and_hostile_input_renders() {
        let hostile = matrix(&["<script>", "\u{202e}x", ""], &[u64::MAX; 16]);
        for input in [matrix(&[], &[]), matrix(&["p", "b"], &[1]), hostile] {
            let figure = phoneme_confusion(&input).expect("the embedded font is valid");
            assert!(figure.png.starts_with(b"\x89PNG") && figure.svg.contains("<title"));
            assert!(!figure.svg.contains("<script>"));
            assert_eq!(figure.name, "phoneme-confusion");
        }
    }
}
