//! What is found in a corpus: codes, severities, findings.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Scores of the utterance, or of the split, cannot be trusted.
    Error,
    /// Look at it.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// As written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What can be found, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Line that is not an utterance.
    LineInvalid,
    /// Id that stood before.
    IdDuplicate,
    /// Speaker in more than one split.
    SpeakerInTwoSplits,
    /// Session in more than one split.
    SessionInTwoSplits,
    /// Recording in more than one split.
    RecordingInTwoSplits,
    /// Long text in more than one split.
    TextInTwoSplits,
    /// No licence is stated.
    LicenceMissing,
    /// No speaker: intervals cannot be over speakers.
    SpeakerMissing,
    /// No language: the script of the text is not checked.
    LanguageMissing,
    /// No text.
    TextEmpty,
    /// Text without a letter or digit.
    TextWithoutWords,
    /// Control characters in the text.
    TextControl,
    /// Characters lost in a wrong decoding.
    TextBroken,
    /// Marks that turn the writing direction.
    TextBidi,
    /// Invisible characters in the text.
    TextInvisible,
    /// Most letters are not of the language's script.
    TextScript,
    /// Letters of two scripts within a word.
    TextMixedScript,
    /// Words in a script that the language is not written in.
    TextForeign,
    /// Digits: what was said depends on how they are read.
    TextNumbers,
    /// Markup or remarks left in the text.
    TextMarkup,
    /// A word or character many times in a row.
    TextRepeated,
    /// Spaces at the ends, several in a row, or unusual ones.
    TextSpacing,
    /// Not in Unicode's composed form (NFC).
    TextNotNfc,
    /// Text of another utterance.
    TextDuplicate,
    /// More text than the time allows.
    RateFast,
    /// Less text than the time allows.
    RateSlow,
    /// Recording that cannot be read.
    AudioUnreadable,
    /// Another recording than the manifest pins by its sha256.
    AudioHash,
    /// Recording of another duration than the manifest states.
    DurationDiffers,
    /// Very short.
    DurationShort,
    /// Longer than the window of most recognisers.
    DurationLong,
    /// Sample rate below that of the models.
    RateLow,
    /// Sample rate that is not the corpus' usual one.
    RateMixed,
    /// No speech level in the recording, but a text.
    AudioSilent,
    /// Samples at full scale in a row.
    Clipping,
    /// Offset from zero.
    DcOffset,
    /// Mostly silence.
    SilenceShare,
    /// Speech is very faint.
    LevelLow,
    /// Speech is very loud.
    LevelHigh,
    /// Estimated signal-to-noise ratio is low.
    SnrLow,
    /// The same samples as another utterance.
    AudioDuplicate,
    /// Sounds like another utterance, but for gain, offset or codec.
    AudioNearDuplicate,
    /// One recording with two texts.
    AudioTwoTexts,
    /// The same or nearly the same recording in more than one split.
    AudioInTwoSplits,
}

/// Code, name, severity, whether `--fix` leaves the utterance out, sentence.
const TABLE: [(Code, &str, Severity, bool, &str); 44] = [
    (Code::LineInvalid, "line-invalid", Severity::Error, true, "line that is not an utterance"),
    (Code::IdDuplicate, "id-duplicate", Severity::Error, true, "id that stood before"),
    (Code::SpeakerInTwoSplits, "speaker-in-two-splits", Severity::Error, false, "speaker in more than one split"),
    (Code::SessionInTwoSplits, "session-in-two-splits", Severity::Error, false, "session in more than one split"),
    (Code::RecordingInTwoSplits, "recording-in-two-splits", Severity::Error, false, "recording in more than one split"),
    (Code::TextInTwoSplits, "text-in-two-splits", Severity::Warning, false, "long text in more than one split"),
    (Code::LicenceMissing, "licence-missing", Severity::Warning, false, "no licence is stated"),
    (Code::SpeakerMissing, "speaker-missing", Severity::Info, false, "no speaker: intervals cannot be over speakers"),
    (
        Code::LanguageMissing,
        "language-missing",
        Severity::Info,
        false,
        "no language: the script of the text is not checked",
    ),
    (Code::TextEmpty, "text-empty", Severity::Warning, false, "no text"),
    (Code::TextWithoutWords, "text-without-words", Severity::Error, true, "text without a letter or digit"),
    (Code::TextControl, "text-control", Severity::Error, true, "control characters in the text"),
    (Code::TextBroken, "text-broken", Severity::Error, true, "characters lost in a wrong decoding"),
    (Code::TextBidi, "text-bidi", Severity::Warning, false, "marks that turn the writing direction"),
    (Code::TextInvisible, "text-invisible", Severity::Warning, false, "invisible characters in the text"),
    (Code::TextScript, "text-script", Severity::Error, true, "most letters are not of the language's script"),
    (Code::TextMixedScript, "text-mixed-script", Severity::Warning, false, "letters of two scripts within a word"),
    (Code::TextForeign, "text-foreign", Severity::Info, false, "words in a script that the language is not written in"),
    (Code::TextNumbers, "text-numbers", Severity::Warning, false, "digits: what was said depends on how they are read"),
    (Code::TextMarkup, "text-markup", Severity::Warning, false, "markup or remarks left in the text"),
    (Code::TextRepeated, "text-repeated", Severity::Warning, false, "a word or character many times in a row"),
    (Code::TextSpacing, "text-spacing", Severity::Info, false, "spaces at the ends, several in a row, or unusual ones"),
    (Code::TextNotNfc, "text-not-nfc", Severity::Info, false, "not in Unicode's composed form (NFC)"),
    (Code::TextDuplicate, "text-duplicate", Severity::Info, false, "text of another utterance"),
    (Code::RateFast, "rate-fast", Severity::Warning, true, "more text than the time allows"),
    (Code::RateSlow, "rate-slow", Severity::Warning, true, "less text than the time allows"),
    (Code::AudioUnreadable, "audio-unreadable", Severity::Error, true, "recording that cannot be read"),
    (Code::AudioHash, "audio-hash", Severity::Error, true, "another recording than the manifest pins by its sha256"),
    (
        Code::DurationDiffers,
        "duration-differs",
        Severity::Error,
        false,
        "recording of another duration than the manifest states",
    ),
    (Code::DurationShort, "duration-short", Severity::Warning, false, "very short"),
    (Code::DurationLong, "duration-long", Severity::Warning, false, "longer than the window of most recognisers"),
    (Code::RateLow, "sample-rate-low", Severity::Warning, false, "sample rate below that of the models"),
    (Code::RateMixed, "sample-rate-mixed", Severity::Info, false, "sample rate that is not the corpus' usual one"),
    (Code::AudioSilent, "audio-silent", Severity::Error, true, "no speech level in the recording, but a text"),
    (Code::Clipping, "clipping", Severity::Warning, false, "samples at full scale in a row"),
    (Code::DcOffset, "dc-offset", Severity::Warning, false, "offset from zero"),
    (Code::SilenceShare, "silence-share", Severity::Warning, false, "mostly silence"),
    (Code::LevelLow, "level-low", Severity::Warning, false, "speech is very faint"),
    (Code::LevelHigh, "level-high", Severity::Warning, false, "speech is very loud"),
    (Code::SnrLow, "snr-low", Severity::Warning, false, "estimated signal-to-noise ratio is low"),
    (Code::AudioDuplicate, "audio-duplicate", Severity::Warning, false, "the same samples as another utterance"),
    (
        Code::AudioNearDuplicate,
        "audio-near-duplicate",
        Severity::Warning,
        false,
        "sounds like another utterance, but for gain, offset or codec",
    ),
    (Code::AudioTwoTexts, "audio-two-texts", Severity::Error, false, "one recording with two texts"),
    (
        Code::AudioInTwoSplits,
        "audio-in-two-splits",
        Severity::Error,
        false,
        "the same or nearly the same recording in more than one split",
    ),
];

impl Code {
    /// All, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    const fn row(self) -> &'static (Self, &'static str, Severity, bool, &'static str) {
        &TABLE[self as usize]
    }

    /// As written, e.g. `speaker-in-two-splits`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// The code of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.row().2
    }

    /// Whether leaving the utterance out mends it, and is what most people would do.
    #[must_use]
    pub const fn left_out_by_fix(self) -> bool {
        self.row().3
    }

    /// What it means, without a capital or a full stop.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.row().4
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One utterance with a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Index of the utterance; of the line in [`Code::LineInvalid`].
    pub item: usize,
    /// The worst come first.
    pub badness: f64,
    /// What was measured or found, e.g. `-52.1 dBFS` or a piece of the text; may be empty.
    pub detail: Box<str>,
}

/// All utterances with one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// The limit that was used, with its unit; empty where there is none.
    pub limit: String,
    /// Every utterance, the worst first, then in the order of the manifest.
    pub hits: Vec<Hit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_codes_and_names_are_unique() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, i, "{}", row.1);
            assert_eq!(Code::from_name(row.1), Some(row.0));
            assert!(row.1.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", row.1);
        }
        assert_eq!(Code::from_name("nothing"), None);
    }
}
