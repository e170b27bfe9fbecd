//! The named conditions of the default suite.

use vbench_core::{Codec, Condition, Degradation, NoiseKind, Room};

/// Names of all presets, in the order of the default suite.
pub const PRESETS: [&str; 8] = [
    "clean",
    "noise-20db",
    "noise-15db",
    "noise-10db",
    "noise-5db",
    "reverb",
    "mp3-64k",
    "opus-16k",
];

/// The condition of that name, `None` for an unknown one.
#[must_use]
pub fn preset(name: &str) -> Option<Condition> {
    let noise = |snr_db| Degradation::Noise {
        kind: NoiseKind::SpeechShaped,
        snr_db,
    };
    let steps = match name {
        "clean" => Vec::new(),
        "noise-20db" => vec![noise(20.0)],
        "noise-15db" => vec![noise(15.0)],
        "noise-10db" => vec![noise(10.0)],
        "noise-5db" => vec![noise(5.0)],
        "reverb" => vec![Degradation::Reverb(Room {
            size_m: [6.2, 4.8, 2.8],
            rt60_s: 0.5,
            distance_m: 2.0,
        })],
        "mp3-64k" => vec![Degradation::Codec(Codec::Mp3 { kbps: 64 })],
        "opus-16k" => vec![Degradation::Codec(Codec::Opus { kbps: 16 })],
        _ => return None,
    };
    Some(Condition {
        name: name.to_owned(),
        steps,
    })
}

/// One sentence on what a preset does, `None` for an unknown name.
#[must_use]
pub fn preset_description(name: &str) -> Option<&'static str> {
    Some(match name {
        "clean" => "The clip as decoded, unchanged.",
        "noise-20db" => {
            "Gaussian noise with the corpus' long-term speech spectrum, 20 dB below the active speech level (ITU-T P.56): a quiet office."
        }
        "noise-15db" => {
            "Gaussian noise with the corpus' long-term speech spectrum, 15 dB below the active speech level (ITU-T P.56): a busy office."
        }
        "noise-10db" => {
            "Gaussian noise with the corpus' long-term speech spectrum, 10 dB below the active speech level (ITU-T P.56): a shop or a street."
        }
        "noise-5db" => {
            "Gaussian noise with the corpus' long-term speech spectrum, 5 dB below the active speech level (ITU-T P.56): a crowded room."
        }
        "reverb" => {
            "An office of 6.2 m by 4.8 m by 2.8 m with a Sabine reverberation time of 0.5 s, talker and microphone 2 m apart at a place drawn for each utterance."
        }
        "mp3-64k" => {
            "A round trip through MP3 (LAME, MPEG-2 layer III at 16 kHz) at a constant 64 kbit/s, delay removed."
        }
        "opus-16k" => {
            "A round trip through Opus (libopus, VoIP mode, 16 kHz mono, 20 ms frames) at 16 kbit/s, delay removed."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_condition_and_a_sentence() {
        for name in PRESETS {
            assert_eq!(preset(name).unwrap().name, name);
            assert!(preset_description(name).unwrap().ends_with('.'));
        }
        assert_eq!(preset("noise-7db"), None);
        assert_eq!(preset_description(""), None);
        let keys: Vec<String> = PRESETS[1..5]
            .iter()
            .map(|name| preset(name).unwrap().key_without_level())
            .collect();
        assert!(
            keys.iter().all(|k| *k == keys[0]),
            "one realisation serves every noise level"
        );
    }
}
