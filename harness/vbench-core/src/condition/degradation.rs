//! The closed set of degradation steps and their parameters.

use std::path::PathBuf;

/// One degradation step. A closed set: adding one makes the compiler list the places to edit.
#[derive(Debug, Clone, PartialEq)]
pub enum Degradation {
    /// Additive noise at a signal-to-noise ratio.
    Noise(Noise),
    /// Image-source reverberation in a shoebox room.
    Reverb(Room),
    /// A measured room impulse response drawn from a user's folder.
    Response(Folder),
    /// A lossy codec round trip, delay-compensated, of equal length.
    Codec(Codec),
    /// Packets of samples lost on the way and filled in.
    Loss(PacketLoss),
    /// Gaps of a bad contact.
    DropOuts {
        /// Mean number of gaps in a minute.
        per_minute: f64,
        /// Mean length of a gap, ms; lengths are exponential.
        mean_ms: f64,
    },
    /// Hard clipping.
    Clip {
        /// Clipping level below the clip's own peak, dB, 0 or more.
        below_peak_db: f64,
    },
    /// A gain; what then exceeds full scale saturates and is counted.
    Gain {
        /// Gain in dB.
        db: f64,
    },
    /// A constant added.
    Dc {
        /// Offset as a share of full scale, -0.5 to 0.5.
        offset: f64,
    },
    /// Linear-phase band limits.
    Band {
        /// Lower edge (-6 dB), Hz; 0 for none.
        low_hz: f64,
        /// Upper edge (-6 dB), Hz; 8000 for none.
        high_hz: f64,
    },
    /// Recorded at one rate, played as if at another: the clip changes length, tempo and pitch.
    RateMismatch {
        /// Rate that the recorder's clock really had, Hz.
        recorded_hz: f64,
        /// Rate that the file claims, Hz.
        declared_hz: f64,
    },
    /// Faster or slower by resampling: tempo and pitch.
    Speed {
        /// 1.1 is a tenth faster.
        factor: f64,
    },
    /// Faster or slower with the pitch kept (WSOLA).
    Tempo {
        /// 1.1 is a tenth faster.
        factor: f64,
    },
    /// Higher or lower with length and tempo kept.
    Pitch {
        /// Semitones up.
        semitones: f64,
    },
    /// The frequency response of a kind of microphone.
    Microphone(Microphone),
    /// Automatic gain control.
    Agc {
        /// Level aimed at, dB relative to full scale.
        target_dbfs: f64,
        /// Most gain, dB.
        max_gain_db: f64,
        /// Time constant of falling gain, ms.
        attack_ms: f64,
        /// Time constant of rising gain, ms.
        release_ms: f64,
    },
}

/// Additive noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Which noise.
    pub kind: NoiseKind,
    /// Target SNR in dB.
    pub snr_db: f64,
    /// Which level of the speech the SNR is stated on.
    pub level: LevelBasis,
}

/// The source of additive noise.
#[derive(Debug, Clone, PartialEq)]
pub enum NoiseKind {
    /// Gaussian noise with the long-term spectrum of the corpus.
    SpeechShaped,
    /// Gaussian noise with a flat spectrum.
    White,
    /// Gaussian noise falling by 3 dB an octave above 50 Hz.
    Pink,
    /// Gaussian noise falling by 6 dB an octave above 50 Hz.
    Brown,
    /// Mains hum: a harmonic series with the odd harmonics strongest.
    Hum {
        /// Mains frequency, 50 or 60 Hz.
        hz: f64,
    },
    /// Other utterances of the corpus at equal active level.
    Babble {
        /// Talkers at once.
        talkers: u32,
    },
    /// A recording drawn from a folder of noise (layouts of MUSAN, DEMAND, or any tree of audio files).
    Folder(Folder),
}

/// What an SNR is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LevelBasis {
    /// Active speech level, ITU-T P.56.
    #[default]
    Active,
    /// Root mean square over the whole clip.
    Rms,
}

/// A user's folder of recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// As written: part of the recipe, so that no machine's paths are.
    pub written: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// A shoebox room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Length, width, height in metres.
    pub size_m: [f64; 3],
    /// What the walls do.
    pub walls: Walls,
    /// Where talker and microphone are.
    pub placement: Placement,
}

/// How much the walls of a room absorb; all six the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Walls {
    /// As much as gives a reverberation time.
    Rt60 {
        /// Reverberation time, s.
        seconds: f64,
        /// The formula that turns it into an absorption.
        formula: Rt60Formula,
    },
    /// A share of the energy, 0 to 1.
    Absorption(f64),
}

/// Statistical formulas for the reverberation time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rt60Formula {
    /// Sabine: `24 ln(10) V / (c S a)`.
    #[default]
    Sabine,
    /// Eyring: `24 ln(10) V / (-c S ln(1 - a))`, better where absorption is high.
    Eyring,
}

/// Where talker and microphone are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Placement {
    /// At a distance, at a place drawn for each utterance.
    Drawn {
        /// Distance in metres.
        distance_m: f64,
    },
    /// At stated points, metres from one corner.
    Given {
        /// The talker.
        source_m: [f64; 3],
        /// The microphone.
        microphone_m: [f64; 3],
    },
}

/// A lossy codec with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Codec {
    /// MPEG layer III mono (LAME), constant bit rate: at 16 kHz up to 160 kbit/s, above that at 48 kHz.
    Mp3 {
        /// Bit rate in kbit/s.
        kbps: u32,
    },
    /// Opus at 16 kHz mono with 20 ms frames.
    Opus(Opus),
    /// MPEG-4 AAC low complexity at 16 kHz mono, average bit rate.
    Aac {
        /// Bit rate in kbit/s.
        kbps: u32,
    },
    /// Ogg Vorbis at 16 kHz mono.
    Vorbis {
        /// Quality, -0.1 to 1.
        quality: f64,
    },
    /// ITU-T G.711 mu-law at 8 kHz, 64 kbit/s.
    MuLaw,
    /// ITU-T G.711 A-law at 8 kHz, 64 kbit/s.
    ALaw,
    /// ITU-T G.722 at 16 kHz, 64 kbit/s.
    G722,
    /// GSM full rate (ETSI 06.10) at 8 kHz, 13 kbit/s.
    Gsm,
    /// IMA ADPCM at 8 kHz, 32 kbit/s.
    Adpcm,
    /// 16-bit samples at 8 kHz: the plain narrow band.
    Narrowband,
}

/// Settings of Opus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opus {
    /// Target bit rate in kbit/s, 6 to 64.
    pub kbps: u32,
    /// What the encoder optimises for.
    pub mode: OpusMode,
    /// 0 (fast) to 10 (best).
    pub complexity: u32,
    /// Packets lost between encoder and decoder; the decoder conceals them itself.
    pub loss: Option<LossModel>,
    /// In-band forward error correction: a lost packet is rebuilt from the next one where that carries a copy.
    pub fec: bool,
}

/// What Opus optimises for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpusMode {
    /// Speech over a telephone: removes what lies below the voice, favours intelligibility.
    #[default]
    Voip,
    /// Fidelity to the input.
    Audio,
}

/// Which packets are lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LossModel {
    /// Each packet by itself.
    Random {
        /// Share lost, 0 to 1.
        rate: f64,
    },
    /// Gilbert-Elliott: a good state without loss and a bad one.
    Bursts {
        /// Share lost in the long run, 0 to 1.
        rate: f64,
        /// Mean length of a visit to the bad state, packets, 1 or more.
        burst: f64,
        /// Share lost in the bad state, above `rate`, at most 1.
        bad_loss: f64,
    },
    /// Packets that arrive after a fixed jitter buffer has played their turn.
    Jitter {
        /// Mean delay of a packet beyond the fastest, ms; delays are exponential.
        jitter_ms: f64,
        /// Depth of the buffer, ms.
        buffer_ms: f64,
    },
}

/// Packets of samples lost on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PacketLoss {
    /// Which are lost.
    pub model: LossModel,
    /// Length of a packet, ms.
    pub packet_ms: f64,
    /// What is heard in their place.
    pub fill: Fill,
}

/// What is heard in place of a lost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// Silence.
    #[default]
    Zero,
    /// The last packet again, fading.
    Repeat,
}

/// Kinds of microphone, by their idealised magnitude response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Microphone {
    /// A telephone handset: 300 to 3400 Hz with a rise towards 3 kHz.
    Handset,
    /// A laptop's built-in microphone: thin below 200 Hz, a resonance at 5 kHz.
    Laptop,
    /// A headset close to the mouth: proximity rise below 300 Hz, dull above 6 kHz.
    Headset,
    /// Under cloth: falling by 12 dB an octave above 1 kHz.
    Muffled,
}
