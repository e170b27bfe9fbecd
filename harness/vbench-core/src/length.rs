//! The bins that utterances are put into by length: reference words (`length`) and seconds of audio (`duration`).
//!
//! The bins are fixed, so that two runs can be compared stratum by stratum.

/// Largest number of reference words of each bin, and its label; the last bin has no end.
const WORD_BINS: [(u64, &str); 6] = [
    (0, "0 words"),
    (5, "1-5 words"),
    (10, "6-10 words"),
    (20, "11-20 words"),
    (40, "21-40 words"),
    (u64::MAX, "over 40 words"),
];

/// Longest audio in seconds of each bin, and its label; the last bin has no end.
const DURATION_BINS: [(f64, &str); 6] = [
    (2.0, "up to 2 s"),
    (5.0, "2-5 s"),
    (10.0, "5-10 s"),
    (20.0, "10-20 s"),
    (30.0, "20-30 s"),
    (f64::INFINITY, "over 30 s"),
];

/// Labels of the `length` strata, shortest first.
pub const LENGTH_BINS: [&str; 6] = {
    let b = &WORD_BINS;
    [b[0].1, b[1].1, b[2].1, b[3].1, b[4].1, b[5].1]
};

/// Labels of the `duration` strata, shortest first.
pub const DURATION_LABELS: [&str; 6] = {
    let b = &DURATION_BINS;
    [b[0].1, b[1].1, b[2].1, b[3].1, b[4].1, b[5].1]
};

/// The `length` stratum of an utterance with this many reference words after normalising.
#[must_use]
pub fn length_bin(reference_words: u64) -> &'static str {
    WORD_BINS.iter().find(|(most, _)| reference_words <= *most).map_or(WORD_BINS[5].1, |b| b.1)
}

/// The `duration` stratum of this many seconds of audio: a bin holds its upper end, not its lower one. `None` for audio
/// whose length is not known (0 or not a number).
#[must_use]
pub fn duration_bin(seconds: f64) -> Option<&'static str> {
    if seconds.is_nan() || seconds <= 0.0 {
        return None;
    }
    DURATION_BINS.iter().find(|(most, _)| seconds <= *most).map(|b| b.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_one_bin_and_bins_hold_their_upper_end() {
        for (words, label) in [
            (0, "0 words"),
            (1, "1-5 words"),
            (5, "1-5 words"),
            (6, "6-10 words"),
            (20, "11-20 words"),
            (21, "21-40 words"),
            (40, "21-40 words"),
            (41, "over 40 words"),
        ] {
            assert_eq!(length_bin(words), label);
        }
        for (seconds, label) in [
            (0.01, "up to 2 s"),
            (2.0, "up to 2 s"),
            (2.001, "2-5 s"),
            (30.0, "20-30 s"),
            (30.1, "over 30 s"),
            (f64::INFINITY, "over 30 s"),
        ] {
            assert_eq!(duration_bin(seconds), Some(label));
        }
        assert_eq!((duration_bin(0.0), duration_bin(f64::NAN), duration_bin(-1.0)), (None, None, None));
        let order: Vec<&str> = (0..100).map(length_bin).collect();
        assert!(order.is_sorted_by_key(|bin| LENGTH_BINS.iter().position(|l| l == bin)));
        assert!(DURATION_LABELS.contains(&"5-10 s"));
    }
}
