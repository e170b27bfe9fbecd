//! An ordered list of degradations with parameters.

/// A named chain of degradations; an empty chain is clean audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Name as written in suites and rows, e.g. `noise-5db`.
    pub name: String,
    /// Applied first to last.
    pub steps: Vec<Degradation>,
}

/// One degradation step. A closed set: adding one makes the compiler list the places to edit.
#[derive(Debug, Clone, PartialEq)]
pub enum Degradation {
    /// Additive noise at a signal-to-noise ratio on the active speech level (ITU-T P.56).
    Noise {
        /// Which noise.
        kind: NoiseKind,
        /// Target SNR in dB.
        snr_db: f64,
    },
    /// Image-source reverberation in a shoebox room.
    Reverb(Room),
    /// A lossy codec round trip, delay-compensated, of equal length.
    Codec(Codec),
}

/// The source of additive noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseKind {
    /// Gaussian noise with the long-term spectrum of the corpus.
    SpeechShaped,
    /// Gaussian noise with a flat spectrum.
    White,
}

/// A shoebox room. Source and microphone are placed by a keyed draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Length, width, height in metres.
    pub size_m: [f64; 3],
    /// Reverberation time in seconds, by Sabine's formula; sets the wall absorption.
    pub rt60_s: f64,
    /// Distance between source and microphone in metres.
    pub distance_m: f64,
}

/// A lossy codec with its rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Codec {
    /// MPEG layer III at 16 kHz mono (LAME), constant bit rate.
    Mp3 {
        /// Bit rate in kbit/s: one of the MPEG-2 rates 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160.
        kbps: u32,
    },
    /// Opus at 16 kHz mono in VoIP mode with 20 ms frames.
    Opus {
        /// Target bit rate in kbit/s, 6 to 64.
        kbps: u32,
    },
}

/// A condition that suites name without defining it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuiltinCondition {
    /// Its name.
    pub name: &'static str,
    /// One sentence for reports and `--help`.
    pub description: &'static str,
    steps: &'static [Degradation],
}

const fn noise(snr_db: f64) -> Degradation {
    Degradation::Noise { kind: NoiseKind::SpeechShaped, snr_db }
}

/// An office with the talker 2 m from the microphone.
const OFFICE: Room = Room { size_m: [6.2, 4.8, 2.8], rt60_s: 0.5, distance_m: 2.0 };

/// Every built-in condition, in the order of the default suite.
pub const BUILTIN_CONDITIONS: &[BuiltinCondition] = &[
    BuiltinCondition { name: "clean", description: "The recording as it is.", steps: &[] },
    BuiltinCondition {
        name: "noise-20db",
        description: "Noise with the long-term spectrum of the corpus, 20 dB below the active speech level (ITU-T P.56).",
        steps: &[noise(20.0)],
    },
    BuiltinCondition {
        name: "noise-15db",
        description: "The same noise realisation, 15 dB below the active speech level.",
        steps: &[noise(15.0)],
    },
    BuiltinCondition {
        name: "noise-10db",
        description: "The same noise realisation, 10 dB below the active speech level.",
        steps: &[noise(10.0)],
    },
    BuiltinCondition {
        name: "noise-5db",
        description: "The same noise realisation, 5 dB below the active speech level.",
        steps: &[noise(5.0)],
    },
    BuiltinCondition {
        name: "reverb",
        description: "An office of 6.2 x 4.8 x 2.8 m (image sources, Sabine RT60 0.5 s), talker and microphone 2 m apart at a place drawn for each utterance.",
        steps: &[Degradation::Reverb(OFFICE)],
    },
    BuiltinCondition {
        name: "mp3-64k",
        description: "A round trip through MP3 (LAME, 16 kHz mono) at a constant 64 kbit/s, delay removed.",
        steps: &[Degradation::Codec(Codec::Mp3 { kbps: 64 })],
    },
    BuiltinCondition {
        name: "opus-16k",
        description: "A round trip through Opus (VoIP mode, 16 kHz mono, 20 ms frames) at 16 kbit/s, delay removed.",
        steps: &[Degradation::Codec(Codec::Opus { kbps: 16 })],
    },
];

impl BuiltinCondition {
    /// The condition itself.
    #[must_use]
    pub fn condition(&self) -> Condition {
        Condition { name: self.name.into(), steps: self.steps.to_vec() }
    }
}

impl Condition {
    /// The built-in condition of this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        BUILTIN_CONDITIONS.iter().find(|b| b.name == name).map(BuiltinCondition::condition)
    }

    /// One sentence: the built-in's own, else the recipe.
    #[must_use]
    pub fn describe(&self) -> String {
        BUILTIN_CONDITIONS
            .iter()
            .find(|b| b.name == self.name && b.steps == self.steps)
            .map_or_else(|| self.recipe(), |b| b.description.to_string())
    }

    /// Clean audio.
    #[must_use]
    pub fn clean() -> Self {
        Self { name: "clean".into(), steps: Vec::new() }
    }

    /// The name that random draws are keyed by: the condition's recipe without its noise level, so that one noise
    /// realisation serves every SNR (paired comparison over levels).
    ///
    /// Independent of the user's name for the condition, hence `noise-5db` and `noise-20db` share a key.
    #[must_use]
    pub fn key_without_level(&self) -> String {
        let parts: Vec<String> = self.steps.iter().map(Degradation::key_without_level).collect();
        if parts.is_empty() { "clean".into() } else { parts.join("+") }
    }

    /// The full recipe as one line of text, used in receipts and in the audio cache key.
    #[must_use]
    pub fn recipe(&self) -> String {
        let parts: Vec<String> = self.steps.iter().map(Degradation::recipe).collect();
        if parts.is_empty() { "clean".into() } else { parts.join(" | ") }
    }

    /// The noise level of the first noise step, the property that SNR strata group by.
    #[must_use]
    pub fn target_snr_db(&self) -> Option<f64> {
        self.steps.iter().find_map(|step| match step {
            Degradation::Noise { snr_db, .. } => Some(*snr_db),
            Degradation::Reverb(_) | Degradation::Codec(_) => None,
        })
    }
}

impl Degradation {
    /// One step as `kind(parameter=value, …)`.
    #[must_use]
    pub fn recipe(&self) -> String {
        match self {
            Self::Noise { kind, snr_db } => format!("noise(kind={}, snr_db={snr_db})", kind.name()),
            Self::Reverb(room) => {
                let [x, y, z] = room.size_m;
                format!("reverb(size_m={x}x{y}x{z}, rt60_s={}, distance_m={})", room.rt60_s, room.distance_m)
            }
            Self::Codec(Codec::Mp3 { kbps }) => format!("mp3(kbps={kbps})"),
            Self::Codec(Codec::Opus { kbps }) => format!("opus(kbps={kbps})"),
        }
    }

    fn key_without_level(&self) -> String {
        match self {
            Self::Noise { kind, .. } => format!("noise({})", kind.name()),
            other => other.recipe(),
        }
    }
}

impl NoiseKind {
    /// The name used in suites and receipts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SpeechShaped => "speech-shaped",
            Self::White => "white",
        }
    }
}
