//! The one home of number and text formatting.
//!
//! Rates are fractions inside and percent outside; every value comes with its interval or the reason why there is
//! none. Nothing here computes a number.

use vbench_core::{Estimate, Interval, ResamplingUnit};

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberStyle {
    /// Factor from the stored to the shown value, e.g. 100 for percent.
    pub scale: f64,
    /// Digits after the point.
    pub decimals: usize,
    /// Whether positive values carry a plus sign.
    pub signed: bool,
}

/// Error rates: percent with two decimals.
pub const RATE: NumberStyle = NumberStyle { scale: 100.0, decimals: 2, signed: false };
/// Differences of error rates: signed percentage points with two decimals.
pub const POINTS: NumberStyle = NumberStyle { scale: 100.0, decimals: 2, signed: true };
/// Levels: dB with two decimals.
pub const DECIBEL: NumberStyle = NumberStyle { scale: 1.0, decimals: 2, signed: false };
/// Real-time factors: three decimals.
pub const FACTOR: NumberStyle = NumberStyle { scale: 1.0, decimals: 3, signed: false };
/// Seconds with one decimal.
pub const SECONDS: NumberStyle = NumberStyle { scale: 1.0, decimals: 1, signed: false };

/// Shown for a value or an interval that does not exist.
pub const ABSENT: &str = "n/a";

impl NumberStyle {
    /// The same quantity with other decimals.
    #[must_use]
    pub const fn with_decimals(self, decimals: usize) -> Self {
        Self { decimals, ..self }
    }

    /// One number; `n/a` for one that is not finite. Minus zero is written as zero.
    #[must_use]
    pub fn number(self, value: f64) -> String {
        let scaled = value * self.scale;
        if !scaled.is_finite() {
            return ABSENT.to_owned();
        }
        let text = format!("{scaled:.*}", self.decimals);
        let is_zero = text.trim_start_matches('-').bytes().all(|b| b == b'0' || b == b'.');
        match (is_zero, self.signed) {
            (true, _) => text.trim_start_matches('-').to_owned(),
            (false, true) if scaled > 0.0 => format!("+{text}"),
            (false, _) => text,
        }
    }

    /// An interval as `[5.12, 11.20]`.
    #[must_use]
    pub fn interval(self, lo: f64, hi: f64) -> String {
        format!("[{}, {}]", self.number(lo), self.number(hi))
    }

    /// An estimate on one line: `7.90 [5.12, 11.20]`, `7.90 (no interval: REASON)` or `n/a (REASON)`.
    #[must_use]
    pub fn estimate(self, estimate: &Estimate) -> String {
        let value = self.number(estimate.value);
        match usable_interval(estimate) {
            Ok(i) => format!("{value} {}", self.interval(i.lo, i.hi)),
            Err(reason) if estimate.value.is_finite() => {
                format!("{value} (no interval: {})", visible(reason))
            }
            Err(reason) => format!("{ABSENT} ({})", visible(reason)),
        }
    }
}

/// The interval of an estimate if its value and both ends are numbers, else the reason why not.
///
/// # Errors
///
/// The reason that the estimate carries, or that a stored number is not finite.
pub fn usable_interval(estimate: &Estimate) -> Result<&Interval, &str> {
    match &estimate.interval {
        Err(reason) => Err(reason),
        Ok(_) if !estimate.value.is_finite() => Err("the value is not a number"),
        Ok(i) if !(i.lo.is_finite() && i.hi.is_finite()) => Err("the interval is not finite"),
        Ok(i) => Ok(i),
    }
}

/// What was resampled and how many there were: `speaker (18)`.
#[must_use]
pub fn unit(interval: &Interval) -> String {
    format!("{} ({})", interval.unit, count(interval.clusters as u64))
}

/// The warning due when the resampling unit is not the speaker: the stratum's own note, which names the number of
/// speakers, or the general wording where there is none.
#[must_use]
pub fn conditional(unit: ResamplingUnit, note: Option<&str>) -> Option<String> {
    match unit {
        ResamplingUnit::Speaker => None,
        ResamplingUnit::Session | ResamplingUnit::Utterance => {
            Some(note.map_or_else(|| "conditional on these speakers".to_owned(), visible))
        }
    }
}

/// A confidence level: `95 %`.
#[must_use]
pub fn level(level: f64) -> String {
    let percent = level * 100.0;
    if !percent.is_finite() {
        ABSENT.to_owned()
    } else if (percent - percent.round()).abs() < 1e-6 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// A whole number with a comma every three digits.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A p value with four decimals, `< 0.0001` below that, never `0.0000`.
#[must_use]
pub fn p_value(p: f64) -> String {
    if !p.is_finite() {
        ABSENT.to_owned()
    } else if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

/// A p value within a sentence: `p = 0.0312`, `p < 0.0001`.
#[must_use]
pub fn p_in_words(p: f64) -> String {
    let text = p_value(p);
    if text.starts_with('<') { format!("p {text}") } else { format!("p = {text}") }
}

/// A share as percent with two decimals, rounded down so that `100.00` means all of them.
#[must_use]
pub fn coverage_percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return ABSENT.to_owned();
    }
    // The tolerance keeps 0.57 (stored as 0.5699…) at 57.00.
    format!("{:.2}", (fraction * 1e4 + 1e-6).floor() / 100.0)
}

/// Text with everything invisible or order-changing made visible: control characters and bidi embeddings, overrides
/// and isolates become `⟨U+202E⟩`; line breaks and tabs become spaces. Joiners and single directional marks, which
/// real scripts need, stay.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => push_code_point(&mut out, c),
            c if c.is_control() => push_code_point(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

fn push_code_point(out: &mut String, c: char) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
}

/// At most `limit` characters of a text, saying how many there were when it is cut.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => {
            let total = count(text.chars().count() as u64);
            format!("{}… (cut after {} of {total} characters)", &text[..end], count(limit as u64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_interval(value: f64, lo: f64, hi: f64) -> Estimate {
        let interval = Interval {
            lo,
            hi,
            level: 0.95,
            method: "bca".into(),
            unit: ResamplingUnit::Speaker,
            clusters: 18,
            n: 72,
            seed: 1,
        };
        Estimate { value, interval: Ok(interval) }
    }

    #[test]
    fn numbers_have_the_decimals_and_sign_of_their_quantity() {
        assert_eq!(RATE.number(0.079), "7.90");
        assert_eq!(RATE.number(1.5), "150.00");
        assert_eq!(RATE.number(-0.000_000_1), "0.00");
        assert_eq!(RATE.number(f64::NAN), "n/a");
        assert_eq!(RATE.number(f64::INFINITY), "n/a");
        assert_eq!(POINTS.number(0.123_456), "+12.35");
        assert_eq!(POINTS.number(-0.01), "-1.00");
        assert_eq!(POINTS.number(0.0), "0.00");
        assert_eq!(FACTOR.number(0.041_96), "0.042");
        assert_eq!(RATE.with_decimals(1).number(0.079), "7.9");
    }

    #[test]
    fn estimates_show_the_interval_or_say_why_not() {
        assert_eq!(RATE.estimate(&with_interval(0.079, 0.0512, 0.112)), "7.90 [5.12, 11.20]");
        let none = Estimate::not_estimable(0.079, "5 speakers, 6 are needed");
        assert_eq!(RATE.estimate(&none), "7.90 (no interval: 5 speakers, 6 are needed)");
        assert_eq!(RATE.estimate(&Estimate::not_estimable(f64::NAN, "no words")), "n/a (no words)");
        assert_eq!(RATE.estimate(&with_interval(f64::NAN, 0.0, 1.0)), "n/a (the value is not a number)");
        assert_eq!(
            RATE.estimate(&with_interval(0.1, f64::NAN, 1.0)),
            "10.00 (no interval: the interval is not finite)"
        );
    }

    #[test]
    fn coverage_never_rounds_up_to_all() {
        assert_eq!(coverage_percent(1.0), "100.00");
        assert_eq!(coverage_percent(99_999.0 / 100_000.0), "99.99");
        assert_eq!(coverage_percent(0.57), "57.00");
        assert_eq!(coverage_percent(0.0), "0.00");
    }

    #[test]
    fn counts_p_values_and_levels_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(p_value(0.0), "< 0.0001");
        assert_eq!(p_value(0.049_96), "0.0500");
        assert_eq!((p_in_words(0.0312), p_in_words(1e-9)), ("p = 0.0312".into(), "p < 0.0001".into()));
        assert_eq!(level(0.95), "95 %");
        assert_eq!(level(0.975), "97.5 %");
    }

    #[test]
    fn invisible_characters_become_visible_and_scripts_stay_whole() {
        assert_eq!(visible("a\u{202e}b\u{0}c\u{1b}[31m"), "a⟨U+202E⟩b⟨U+0000⟩c⟨U+001B⟩[31m");
        assert_eq!(visible("line\nbreak\ttab"), "line break tab");
        let telugu_with_joiner = "క్\u{200d}ష 👩\u{200d}🚀 שלום";
        assert_eq!(visible(telugu_with_joiner), telugu_with_joiner);
    }

    #[test]
    fn shortening_cuts_between_characters_and_says_so() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("ééééé", 2), "éé… (cut after 2 of 5 characters)");
    }

    #[test]
    fn units_other_than_the_speaker_are_conditional() {
        let note = Some("conditional on these 3 speakers");
        assert_eq!(conditional(ResamplingUnit::Speaker, note), None);
        assert_eq!(conditional(ResamplingUnit::Utterance, note).as_deref(), note);
        assert_eq!(conditional(ResamplingUnit::Session, None).as_deref(), Some("conditional on these speakers"));
    }
}
