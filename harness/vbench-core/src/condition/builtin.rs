//! Conditions that suites name without defining them.

use super::Condition;

/// A condition that suites name without defining it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltinCondition {
    /// Its name.
    pub name: &'static str,
    /// One sentence for reports and `--help`.
    pub description: &'static str,
    /// What it does, as [`Condition::recipe`] writes it.
    pub recipe: &'static str,
}

impl BuiltinCondition {
    /// The condition itself.
    #[must_use]
    pub fn condition(&self) -> Condition {
        // A test reads every one of them.
        Condition::from_recipe(self.name, self.recipe).unwrap_or_default()
    }
}

const fn builtin(name: &'static str, recipe: &'static str, description: &'static str) -> BuiltinCondition {
    BuiltinCondition { name, description, recipe }
}

/// Every built-in condition: those of the default suite first, in its order.
pub const BUILTIN_CONDITIONS: &[BuiltinCondition] = &[
    builtin("clean", "clean", "The recording as it is."),
    builtin(
        "noise-20db",
        "noise(kind=speech-shaped, snr_db=20)",
        "Noise with the long-term spectrum of the corpus, 20 dB below the active speech level (ITU-T P.56).",
    ),
    builtin(
        "noise-15db",
        "noise(kind=speech-shaped, snr_db=15)",
        "The same noise realisation, 15 dB below the active speech level.",
    ),
    builtin(
        "noise-10db",
        "noise(kind=speech-shaped, snr_db=10)",
        "The same noise realisation, 10 dB below the active speech level.",
    ),
    builtin(
        "noise-5db",
        "noise(kind=speech-shaped, snr_db=5)",
        "The same noise realisation, 5 dB below the active speech level.",
    ),
    builtin(
        "reverb",
        "reverb(size_m=6.2x4.8x2.8, rt60_s=0.5, distance_m=2)",
        "An office of 6.2 x 4.8 x 2.8 m (image sources, Sabine RT60 0.5 s), talker and microphone 2 m apart at a place drawn for each utterance.",
    ),
    builtin(
        "mp3-64k",
        "mp3(kbps=64)",
        "A round trip through MP3 (LAME, 16 kHz mono) at a constant 64 kbit/s, delay removed.",
    ),
    builtin(
        "opus-16k",
        "opus(kbps=16)",
        "A round trip through Opus (VoIP mode, 16 kHz mono, 20 ms frames) at 16 kbit/s, delay removed.",
    ),
    builtin(
        "noise-0db",
        "noise(kind=speech-shaped, snr_db=0)",
        "The same noise realisation, as loud as the active speech level.",
    ),
    builtin("white-10db", "noise(kind=white, snr_db=10)", "White noise 10 dB below the active speech level."),
    builtin(
        "pink-10db",
        "noise(kind=pink, snr_db=10)",
        "Pink noise (-3 dB an octave) 10 dB below the active speech level.",
    ),
    builtin(
        "brown-10db",
        "noise(kind=brown, snr_db=10)",
        "Brown noise (-6 dB an octave) 10 dB below the active speech level.",
    ),
    builtin(
        "babble-10db",
        "noise(kind=babble, talkers=4, snr_db=10)",
        "Four other utterances of the corpus at once, 10 dB below the active speech level.",
    ),
    builtin(
        "babble-5db",
        "noise(kind=babble, talkers=4, snr_db=5)",
        "The same four talkers, 5 dB below the active speech level.",
    ),
    builtin(
        "hum-10db",
        "noise(kind=hum, hz=50, snr_db=10)",
        "Mains hum of 50 Hz with its harmonics, 10 dB below the active speech level.",
    ),
    builtin(
        "reverb-small",
        "reverb(size_m=3.2x2.6x2.4, rt60_s=0.25, distance_m=0.8)",
        "A small furnished room of 3.2 x 2.6 x 2.4 m, RT60 0.25 s, talker 0.8 m away.",
    ),
    builtin(
        "far-field",
        "reverb(size_m=8.4x6.1x3, rt60_s=0.7, distance_m=4)",
        "A living room of 8.4 x 6.1 x 3 m, RT60 0.7 s, talker 4 m from the microphone.",
    ),
    builtin(
        "hall",
        "reverb(size_m=22x14x7, rt60_s=1.6, distance_m=8)",
        "A lecture hall of 22 x 14 x 7 m, RT60 1.6 s, talker 8 m from the microphone.",
    ),
    builtin("mp3-16k", "mp3(kbps=16)", "A round trip through MP3 (LAME, 16 kHz mono) at 16 kbit/s."),
    builtin("opus-6k", "opus(kbps=6)", "A round trip through Opus (VoIP mode) at its lowest rate, 6 kbit/s."),
    builtin("aac-24k", "aac(kbps=24)", "A round trip through AAC (low complexity, 16 kHz mono) at 24 kbit/s."),
    builtin("vorbis-q0", "vorbis(quality=0)", "A round trip through Ogg Vorbis at quality 0."),
    builtin("g711-mulaw", "mulaw", "A telephone call in North America or Japan: 8 kHz, G.711 mu-law."),
    builtin("g711-alaw", "alaw", "A telephone call elsewhere: 8 kHz, G.711 A-law."),
    builtin("g722", "g722", "A wide-band (HD voice) call: G.722 at 64 kbit/s."),
    builtin("gsm", "gsm", "A mobile call of the first digital generation: 8 kHz, GSM full rate at 13 kbit/s."),
    builtin("adpcm", "adpcm", "IMA ADPCM at 8 kHz, as voice recorders and games store it."),
    builtin("narrowband", "narrowband", "Sampled at 8 kHz with 16 bits, and nothing else."),
    builtin(
        "telephone",
        "band(low_hz=300, high_hz=3400) | alaw",
        "The classic telephone: 300 to 3400 Hz, then G.711 A-law at 8 kHz.",
    ),
    builtin(
        "opus-16k-loss5",
        "opus(kbps=16, loss=0.05)",
        "Opus at 16 kbit/s with 5 % of the packets lost at random, concealed by the decoder.",
    ),
    builtin(
        "opus-24k-loss5",
        "opus(kbps=24, loss=0.05)",
        "The same packets lost at 24 kbit/s, where forward error correction has room.",
    ),
    builtin(
        "opus-24k-loss5-fec",
        "opus(kbps=24, loss=0.05, fec=on)",
        "The same packets lost at 24 kbit/s, rebuilt from the copies that Opus's in-band forward error correction sends.",
    ),
    builtin(
        "opus-16k-burst5",
        "opus(kbps=16, loss=0.05, burst=4)",
        "Opus at 16 kbit/s with 5 % of the packets lost in bursts of four on average (Gilbert-Elliott).",
    ),
    builtin("loss5-zero", "loss(loss=0.05)", "5 % of 20 ms packets lost at random and replaced by silence."),
    builtin(
        "jitter",
        "opus(kbps=16, jitter_ms=40, buffer_ms=80)",
        "Opus at 16 kbit/s; packets delayed by 40 ms on average, those later than an 80 ms buffer concealed.",
    ),
    builtin(
        "dropouts",
        "dropouts(per_minute=30, mean_ms=120)",
        "A bad contact: 30 gaps of 120 ms a minute on average.",
    ),
    builtin("clipping", "clip(below_peak_db=18)", "Overdriven: clipped 18 dB below the clip's own peak."),
    builtin("quiet", "gain(db=-40)", "40 dB too quiet, then rounded to 16 bits."),
    builtin("dc-offset", "dc(offset=0.1)", "A constant of a tenth of full scale."),
    builtin(
        "clock-drift",
        "rate-mismatch(recorded_hz=16000, declared_hz=16320)",
        "Recorded by a clock that is 2 % slow: 2 % faster and higher when played.",
    ),
    builtin("speed-0.9", "speed(factor=0.9)", "A tenth slower by resampling, hence lower in pitch."),
    builtin("speed-1.1", "speed(factor=1.1)", "A tenth faster by resampling, hence higher in pitch."),
    builtin("tempo-1.3", "tempo(factor=1.3)", "Three tenths faster with the pitch kept."),
    builtin("pitch-up", "pitch(semitones=3)", "Three semitones higher with the length kept."),
    builtin("mic-laptop", "microphone(kind=laptop)", "The microphone of a laptop: thin, with a resonance at 5 kHz."),
    builtin(
        "mic-muffled",
        "microphone(kind=muffled)",
        "A microphone under cloth: falling by 12 dB an octave above 1 kHz.",
    ),
    builtin(
        "agc",
        "agc(target_dbfs=-20, max_gain_db=30, attack_ms=10, release_ms=500)",
        "Automatic gain control towards -20 dBFS that raises pauses by up to 30 dB.",
    ),
    builtin(
        "far-field-babble-call",
        "reverb(size_m=8.4x6.1x3, rt60_s=0.7, distance_m=4) | noise(kind=babble, talkers=4, snr_db=10) | opus(kbps=12, loss=0.05)",
        "A conference call: talker 4 m away in a living room, four others talking 10 dB lower, Opus at 12 kbit/s with 5 % of the packets lost.",
    ),
];
