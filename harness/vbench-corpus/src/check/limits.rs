//! From where on something is a finding.

/// Limits of a check, each with its name and unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Shortest utterance, seconds.
    pub min_duration_s: f64,
    /// Longest utterance, seconds: the window of Whisper.
    pub max_duration_s: f64,
    /// Smallest sample rate, Hz.
    pub min_rate_hz: f64,
    /// Largest share of samples at full scale, percent.
    pub max_clipped_percent: f64,
    /// Largest mean of the samples, percent of full scale.
    pub max_dc_percent: f64,
    /// Largest share of silence, percent: one minus the activity factor of ITU-T P.56.
    pub max_silence_percent: f64,
    /// Smallest active speech level, dBFS.
    pub min_level_dbfs: f64,
    /// Largest active speech level, dBFS.
    pub max_level_dbfs: f64,
    /// Smallest estimated signal-to-noise ratio, dB.
    pub min_snr_db: f64,
    /// Characters per second, in robust standard deviations from the corpus' median.
    pub max_rate_deviations: f64,
    /// Two fingerprints of one recording differ in at most this share of their bits, percent.
    pub max_fingerprint_percent: f64,
    /// Times that a word or character stands in a row.
    pub max_repeats: f64,
    /// Words that make a text long enough for [`super::Code::TextDuplicate`] and [`super::Code::TextInTwoSplits`].
    pub duplicate_words: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_duration_s: 0.3,
            max_duration_s: 30.0,
            min_rate_hz: 16_000.0,
            max_clipped_percent: 0.1,
            max_dc_percent: 1.0,
            max_silence_percent: 70.0,
            min_level_dbfs: -40.0,
            max_level_dbfs: -10.0,
            min_snr_db: 15.0,
            max_rate_deviations: 5.0,
            max_fingerprint_percent: 25.0,
            max_repeats: 4.0,
            duplicate_words: 5.0,
        }
    }
}

impl Limits {
    /// Every limit with its name and unit.
    #[must_use]
    pub fn list(&self) -> [(&'static str, f64, &'static str); 13] {
        [
            ("min-duration", self.min_duration_s, "s"),
            ("max-duration", self.max_duration_s, "s"),
            ("min-sample-rate", self.min_rate_hz, "Hz"),
            ("max-clipped", self.max_clipped_percent, "%"),
            ("max-dc", self.max_dc_percent, "%"),
            ("max-silence", self.max_silence_percent, "%"),
            ("min-level", self.min_level_dbfs, "dBFS"),
            ("max-level", self.max_level_dbfs, "dBFS"),
            ("min-snr", self.min_snr_db, "dB"),
            ("max-rate-deviations", self.max_rate_deviations, "robust standard deviations"),
            ("max-fingerprint", self.max_fingerprint_percent, "%"),
            ("max-repeats", self.max_repeats, "times"),
            ("duplicate-words", self.duplicate_words, "words"),
        ]
    }

    /// Sets a limit by its name; false where there is none of that name or the value is not finite.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let place = match name {
            "min-duration" => &mut self.min_duration_s,
            "max-duration" => &mut self.max_duration_s,
            "min-sample-rate" => &mut self.min_rate_hz,
            "max-clipped" => &mut self.max_clipped_percent,
            "max-dc" => &mut self.max_dc_percent,
            "max-silence" => &mut self.max_silence_percent,
            "min-level" => &mut self.min_level_dbfs,
            "max-level" => &mut self.max_level_dbfs,
            "min-snr" => &mut self.min_snr_db,
            "max-rate-deviations" => &mut self.max_rate_deviations,
            "max-fingerprint" => &mut self.max_fingerprint_percent,
            "max-repeats" => &mut self.max_repeats,
            "duplicate-words" => &mut self.duplicate_words,
            _ => return false,
        };
        if !value.is_finite() {
            return false;
        }
        *place = value;
        true
    }

    /// A limit with its unit as text, e.g. `at least -40 dBFS`.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let found = self.list().into_iter().find(|l| l.0 == name);
        let side = if name.starts_with("min-") || name == "duplicate-words" { "at least" } else { "at most" };
        found.map_or_else(String::new, |(_, value, unit)| format!("{side} {value} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_set_by_its_name_and_reads_back() {
        for (i, (name, _, _)) in Limits::default().list().into_iter().enumerate() {
            let mut limits = Limits::default();
            assert!(limits.set(name, 12.5), "{name}");
            assert_eq!(limits.list()[i].1, 12.5, "{name}");
            assert!(limits.text(name).contains("12.5"), "{name}");
            assert!(!limits.set(name, f64::NAN), "{name}");
        }
        assert!(!Limits::default().set("min", 1.0));
    }
}
