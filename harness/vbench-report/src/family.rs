//! Families of conditions that share a severity curve: their names, their axes, and the names of their figures.

use vbench_compare::{SeverityCurve, Summary};

use crate::format::visible;

/// The horizontal axis of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis<'a> {
    /// Quantity, e.g. `SNR`.
    pub quantity: &'a str,
    /// Quantity with its unit, below the axis.
    title: Option<&'static str>,
    /// Unit behind a value; empty where none is known.
    unit: &'static str,
    /// Factor from the stored to the shown value.
    scale: f64,
    /// Part of figure names.
    slug: &'a str,
}

impl<'a> Axis<'a> {
    fn of(parameter: &'a str) -> Self {
        let axis = |quantity, title, unit, scale, slug| Self { quantity, title: Some(title), unit, scale, slug };
        match parameter {
            "snr_db" => axis("SNR", "target SNR (dB)", "dB", 1.0, "snr"),
            "kbps" => axis("bit rate", "bit rate (kbit/s)", "kbit/s", 1.0, "kbps"),
            "loss" => axis("packet loss", "packet loss (%)", "%", 100.0, "loss"),
            "distance_m" => axis("distance", "distance (m)", "m", 1.0, "distance"),
            "rt60_s" => axis("RT60", "RT60 (s)", "s", 1.0, "rt60"),
            own => Self { quantity: own, title: None, unit: "", scale: 1.0, slug: own },
        }
    }

    /// Text below the axis.
    pub(crate) fn title(&self) -> String {
        self.title.map_or_else(|| visible(self.quantity), str::to_owned)
    }

    /// A value without its unit, in the axis' scale: `5`, `12.5`.
    pub(crate) fn number(&self, value: f64) -> String {
        let text = format!("{:.6}", value * self.scale);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    }

    /// A value as a sentence names it: `5 dB`, `5 %`, `drive 3`.
    pub(crate) fn value(&self, value: f64) -> String {
        match self.unit {
            "" => format!("{} {}", visible(self.quantity), self.number(value)),
            unit => format!("{} {unit}", self.number(value)),
        }
    }

    /// From the lowest to the highest value: `5..20 dB`, `bit rate 8..32 kbit/s`.
    pub(crate) fn range(&self, low: f64, high: f64) -> String {
        let ends = format!("{}..{} {}", self.number(low), self.number(high), self.unit);
        if self.slug == "snr" { ends } else { format!("{} {}", visible(self.quantity), ends.trim_end()) }
    }
}

/// Conditions that differ in one parameter, with the curve of every model.
#[derive(Debug, Clone)]
pub(crate) struct Family<'a> {
    /// Name of the figure behind `wer-by-`, unique in a report, of ASCII letters, digits and `-`.
    pub id: String,
    /// What the conditions have in common, where there are several families.
    pub name: Option<String>,
    /// The parameter that differs.
    pub axis: Axis<'a>,
    /// One curve a model.
    pub curves: Vec<&'a SeverityCurve>,
}

impl Family<'_> {
    /// Headline of the figure.
    pub(crate) fn title(&self) -> String {
        let name = self.name.as_ref().map_or_else(String::new, |name| format!(": {name}"));
        format!("Word error rate by {}{name}", visible(self.axis.quantity))
    }

    /// File name of the figure without extension.
    pub(crate) fn figure_name(&self) -> String {
        format!("wer-by-{}", self.id)
    }

    /// Whether a curve is one of this family.
    pub(crate) fn has(&self, curve: &SeverityCurve) -> bool {
        self.curves.iter().any(|c| c.family == curve.family && c.parameter == curve.parameter)
    }
}

/// The families of a summary in the order of its curves.
pub(crate) fn families(summary: &Summary) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for curve in &summary.curves {
        match families.iter_mut().find(|f| f.has(curve)) {
            Some(family) => family.curves.push(curve),
            None => families.push(Family {
                id: String::new(),
                name: None,
                axis: Axis::of(&curve.parameter),
                curves: vec![curve],
            }),
        }
    }
    let slugs: Vec<String> = families.iter().map(|f| slug(f.axis.slug)).collect();
    let mut taken: Vec<String> = Vec::new();
    let several = families.len() > 1;
    for (family, parameter) in families.iter_mut().zip(&slugs) {
        let name = family.curves.first().map_or("", |c| c.family.as_str());
        let alone = slugs.iter().filter(|s| *s == parameter).count() == 1;
        let wanted = if alone { parameter.clone() } else { format!("{parameter}-{}", slug(name)) };
        let numbered = (2..).map(|n| format!("{wanted}-{n}"));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|id| !taken.contains(id));
        family.id = free.unwrap_or(wanted);
        family.name = several.then(|| visible(name));
        taken.push(family.id.clone());
    }
    families
}

/// Lower-case ASCII letters and digits with single `-` between them, at most 40.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(40);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "family".to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_unit_and_scale_of_their_parameter() {
        let axis = Axis::of("snr_db");
        assert_eq!((axis.value(-5.0).as_str(), axis.range(-5.0, 12.5).as_str()), ("-5 dB", "-5..12.5 dB"));
        assert_eq!(Axis::of("loss").range(0.01, 0.07), "packet loss 1..7 %");
        assert_eq!(Axis::of("kbps").range(8.0, 32.0), "bit rate 8..32 kbit/s");
        assert_eq!(Axis::of("rt60_s").value(0.35), "0.35 s");
        let own = Axis::of("drive");
        assert_eq!((own.value(3.0).as_str(), own.range(1.0, 3.0).as_str()), ("drive 3", "drive 1..3"));
        assert_eq!((own.title().as_str(), Axis::of("loss").title().as_str()), ("drive", "packet loss (%)"));
        assert_eq!(Axis::of("x").number(-0.0), "0");
    }

    #[test]
    fn slugs_are_safe_file_names() {
        assert_eq!(slug("noise(speech-shaped)"), "noise-speech-shaped");
        assert_eq!(slug("../..\\É<script>"), "script");
        assert_eq!(slug("ఫ"), "family");
        assert_eq!(slug(&"ab-".repeat(40)).len(), 40);
    }
}
