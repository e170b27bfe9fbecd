//! Colours of figures and page: light and dark, safe for colour-blind readers.
//!
//! Series colours follow the palette of M. Okabe and K. Ito, "Color Universal Design" (2008), leaving out those with
//! less than 3 : 1 contrast against the background (WCAG 2.2, 1.4.11); its reddish purple is darkened for the light
//! palette for that reason. Series also differ by marker shape, so colour is never the only cue.

use plotters::style::RGBColor;

/// The colours one rendering uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub background: RGBColor,
    /// Titles and labels.
    pub ink: RGBColor,
    /// Secondary text.
    pub muted: RGBColor,
    /// Grid lines.
    pub grid: RGBColor,
    /// Every other row.
    pub band: RGBColor,
    /// One colour per model, reused in order when there are more models.
    pub series: [RGBColor; 5],
}

/// For paper and light screens.
pub const LIGHT: Palette = Palette {
    background: RGBColor(255, 255, 255),
    ink: RGBColor(27, 31, 36),
    muted: RGBColor(87, 96, 106),
    grid: RGBColor(208, 213, 219),
    band: RGBColor(245, 246, 248),
    series: [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
        RGBColor(160, 70, 130),
        RGBColor(70, 70, 70),
    ],
};

/// For dark screens.
pub const DARK: Palette = Palette {
    background: RGBColor(21, 25, 30),
    ink: RGBColor(230, 234, 239),
    muted: RGBColor(163, 173, 184),
    grid: RGBColor(58, 65, 74),
    band: RGBColor(28, 33, 39),
    series: [
        RGBColor(86, 180, 233),
        RGBColor(230, 159, 0),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(240, 228, 66),
    ],
};

impl Palette {
    /// The colour of the `index`-th series.
    #[must_use]
    pub const fn series(&self, index: usize) -> RGBColor {
        self.series[index % self.series.len()]
    }

    /// Every colour with its CSS variable name.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, RGBColor)> {
        let fixed = [
            ("background", self.background),
            ("ink", self.ink),
            ("muted", self.muted),
            ("grid", self.grid),
            ("band", self.band),
        ];
        fixed
            .into_iter()
            .map(|(name, colour)| (format!("--fig-{name}"), colour))
            .chain(self.series.iter().enumerate().map(|(i, c)| (format!("--fig-series-{i}"), *c)))
            .collect()
    }

    /// The variables as CSS declarations.
    #[must_use]
    pub fn css(&self) -> String {
        self.variables().iter().map(|(name, colour)| format!("{name}:{};", hex(*colour))).collect()
    }
}

/// `#RRGGBB`, upper case, as the SVG backend writes it.
#[must_use]
pub fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Relative luminance of WCAG 2.2.
fn luminance(c: RGBColor) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2)
}

/// Contrast ratio of WCAG 2.2, 1 to 21.
pub(crate) fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reaches_aa_and_marks_reach_three_to_one_on_every_background() {
        for palette in [LIGHT, DARK] {
            for ground in [palette.background, palette.band] {
                for text in [palette.ink, palette.muted] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}");
                }
                for mark in palette.series {
                    assert!(contrast(mark, ground) >= 3.0, "{mark:?} on {ground:?}: {}", contrast(mark, ground));
                }
            }
        }
    }

    #[test]
    fn every_colour_of_a_palette_is_different() {
        // The inline SVG names its colours by replacing the light palette's values.
        let colours: std::collections::BTreeSet<String> = LIGHT.variables().iter().map(|(_, c)| hex(*c)).collect();
        assert_eq!(colours.len(), LIGHT.variables().len());
    }
}
