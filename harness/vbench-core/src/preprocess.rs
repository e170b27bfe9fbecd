//! What is done to every recording of a suite before conditions: declared, never silent.

/// Steps in their order: rate, trimming, level.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Preprocess {
    /// To this rate and back to 16 kHz, Hz: what lies above half of it is gone.
    pub resample_hz: Option<u32>,
    /// Both ends are cut where frames lie more than this below the loudest one, dB.
    pub trim_db: Option<f64>,
    /// One gain for the whole clip.
    pub level: Option<Levelling>,
}

/// What the gain of a clip leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Levelling {
    /// The largest absolute sample, dB relative to full scale.
    PeakDbfs(f64),
    /// Loudness by ITU-R BS.1770, LUFS.
    LoudnessLufs(f64),
}

impl Preprocess {
    /// Nothing is done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The steps in their order as receipts name them, e.g. `trim(db=40)`.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let level = self.level.map(|level| match level {
            Levelling::PeakDbfs(db) => format!("peak(dbfs={db})"),
            Levelling::LoudnessLufs(lufs) => format!("loudness(lufs={lufs})"),
        });
        let rate = self.resample_hz.map(|hz| format!("resample(hz={hz})"));
        let trim = self.trim_db.map(|db| format!("trim(db={db})"));
        [rate, trim, level].into_iter().flatten().collect()
    }

    /// The steps on one line, e.g. `resample(hz=8000) | trim(db=40) | loudness(lufs=-23)`; `none` where nothing is done.
    #[must_use]
    pub fn recipe(&self) -> String {
        let steps = self.steps();
        if steps.is_empty() { "none".into() } else { steps.join(" | ") }
    }
}
