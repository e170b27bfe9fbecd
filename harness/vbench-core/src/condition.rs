//! An ordered list of degradations with parameters, and its name.
//!
//! `degradation.rs` has the steps, `recipe.rs` their text form, `builtin.rs` the conditions that need no definition.

mod builtin;
mod degradation;
mod recipe;

use std::path::Path;

pub use builtin::{BUILTIN_CONDITIONS, BuiltinCondition};
pub use degradation::{
    Codec, Degradation, Fill, Folder, LevelBasis, LossModel, Microphone, Noise, NoiseKind, Opus, OpusMode, PacketLoss,
    Placement, Room, Rt60Formula, Walls,
};
pub use recipe::{MP3_KBPS, RecipeProblem, STEPS, WrittenStep, split_recipe};

/// Name of the condition of [`Condition::unprocessed`].
pub const UNPROCESSED: &str = "unprocessed";

/// A named chain of degradations; an empty chain is clean audio.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Condition {
    /// Name as written in suites and rows, e.g. `noise-5db`.
    pub name: String,
    /// Applied first to last.
    pub steps: Vec<Degradation>,
    /// The sweep that it is a level of, where it was made by one.
    pub sweep: Option<Severity>,
}

/// A place on a severity curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Severity {
    /// What varies together: conditions of one family lie on one curve.
    pub family: String,
    /// The parameter that varies, e.g. `snr_db`.
    pub parameter: String,
    /// Its value.
    pub value: f64,
}

impl Condition {
    /// The built-in condition of this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        BUILTIN_CONDITIONS.iter().find(|b| b.name == name).map(BuiltinCondition::condition)
    }

    /// A condition from the text of its recipe ([`Condition::recipe`]); folders lie at their path as written.
    ///
    /// # Errors
    /// Every problem of every step.
    pub fn from_recipe(name: &str, recipe: &str) -> Result<Self, Vec<RecipeProblem>> {
        let written = split_recipe(recipe).map_err(|problem| vec![problem])?;
        let (mut steps, mut problems) = (Vec::new(), Vec::new());
        for (i, step) in written.iter().enumerate() {
            match Degradation::read(step, i + 1) {
                Ok(step) => steps.push(step),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(Self { name: name.to_owned(), steps, sweep: None }) } else { Err(problems) }
    }

    /// One sentence: the built-in's own, else the recipe.
    #[must_use]
    pub fn describe(&self) -> String {
        let builtin = BUILTIN_CONDITIONS.iter().find(|b| b.name == self.name && b.recipe == self.recipe());
        builtin.map_or_else(|| self.recipe(), |b| b.description.to_string())
    }

    /// Clean audio.
    #[must_use]
    pub fn clean() -> Self {
        Self { name: "clean".into(), ..Self::default() }
    }

    /// The recording as it is where a suite declares preprocessing: what the others are compared with to see what it does.
    #[must_use]
    pub fn unprocessed() -> Self {
        Self { name: UNPROCESSED.into(), ..Self::default() }
    }

    /// Whether the suite's preprocessing is left out.
    #[must_use]
    pub fn is_unprocessed(&self) -> bool {
        self.name == UNPROCESSED
    }

    /// The name that random draws are keyed by: the condition's recipe without its levels (SNR, loss rate, bit rate), so
    /// that one noise realisation serves every SNR and the packets lost at 1 % are among those lost at 5 %.
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
        self.steps.iter().find_map(|step| if let Degradation::Noise(noise) = step { Some(noise.snr_db) } else { None })
    }

    /// Its place on a severity curve: that of the sweep that made it, else the SNR of its first noise step among the
    /// conditions that differ in nothing else.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        let by_snr = || {
            let value = self.target_snr_db()?;
            Some(Severity { family: self.key_without_level(), parameter: "snr_db".into(), value })
        };
        self.sweep.clone().or_else(by_snr)
    }

    /// Moves the folders of the recipe, as written, below `base`: suites state them relative to themselves.
    pub fn resolve_folders(&mut self, base: &Path) {
        for step in &mut self.steps {
            if let Some(folder) = step.folder_mut() {
                folder.path = base.join(&folder.written);
            }
        }
    }
}

impl Degradation {
    /// One step as `kind(parameter=value, …)`.
    #[must_use]
    pub fn recipe(&self) -> String {
        self.written().to_string()
    }

    /// The folder that the step draws from.
    #[must_use]
    pub fn folder(&self) -> Option<&Folder> {
        match self {
            Self::Noise(Noise { kind: NoiseKind::Folder(folder), .. }) | Self::Response(folder) => Some(folder),
            _ => None,
        }
    }

    fn folder_mut(&mut self) -> Option<&mut Folder> {
        match self {
            Self::Noise(Noise { kind: NoiseKind::Folder(folder), .. }) | Self::Response(folder) => Some(folder),
            _ => None,
        }
    }

    fn key_without_level(&self) -> String {
        let mut written = self.written();
        if let Self::Noise(noise) = self {
            let more = written.parameters.iter().filter(|(k, _)| !["kind", "snr_db", "level"].contains(&k.as_str()));
            let more: String = more.map(|(k, v)| format!(", {k}={v}")).collect();
            return format!("noise({}{more})", noise.kind.name());
        }
        if matches!(self, Self::Codec(_) | Self::Loss(_)) {
            written.parameters.retain(|(key, _)| {
                !["kbps", "mode", "complexity", "fec", "loss", "jitter_ms", "buffer_ms", "bad_loss"]
                    .contains(&key.as_str())
            });
        }
        written.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_reads_back_as_it_is_written() {
        for builtin in BUILTIN_CONDITIONS {
            let condition = builtin.condition();
            assert_eq!(condition.recipe(), builtin.recipe, "{}", builtin.name);
            assert_eq!(condition.describe(), builtin.description, "{}", builtin.name);
        }
    }

    #[test]
    fn every_step_is_listed_with_its_parameters() {
        // What `STEPS` says a step takes is what its reader asks for.
        for (name, parameters, _) in STEPS {
            let written = WrittenStep { name: (*name).to_owned(), parameters: vec![("nonsense".into(), "1".into())] };
            let problems = Degradation::read(&written, 1).unwrap_err();
            let unknown =
                problems.iter().find(|p| p.at == "nonsense").unwrap_or_else(|| panic!("{name}: {problems:?}"));
            if parameters.is_empty() {
                assert!(unknown.message.contains("it has none"), "{name}");
            }
            for key in unknown.message.split("known here: ").nth(1).unwrap().split(", ") {
                assert!(key == "it has none" || parameters.split(", ").any(|p| p == key), "{name}: {key}");
            }
        }
    }

    #[test]
    fn draws_are_keyed_without_levels() {
        let key = |recipe: &str| Condition::from_recipe("x", recipe).unwrap().key_without_level();
        assert_eq!(key("noise(kind=speech-shaped, snr_db=5)"), "noise(speech-shaped)");
        assert_eq!(key("noise(kind=babble, talkers=3, snr_db=5, level=rms)"), "noise(babble, talkers=3)");
        assert_eq!(key("loss(loss=5%)"), key("loss(loss=0.1)"));
        assert_eq!(key("opus(kbps=24, loss=5%, fec=on)"), key("opus(kbps=16, mode=audio, loss=10%)"));
        assert_ne!(key("loss(loss=5%)"), key("loss(loss=5%, burst=3)"));
        assert_eq!(key("opus(kbps=16, loss=0.05) | noise(kind=white, snr_db=3)"), "opus+noise(white)");
    }

    #[test]
    fn what_is_wrong_in_a_recipe_is_said() {
        for (recipe, expected) in [
            (
                "noise(kind=white, snr_db=5",
                "step 1: expected `name(parameter=value, …)`, found `noise(kind=white, snr_db=5`",
            ),
            ("noise(kind=white, 5)", "step 1: expected `parameter=value`, found `5`"),
            ("clean | fog", "step 1: unknown step `clean`"),
            (
                "gain(db=3) | noise(kind=grey, snr_db=5)",
                "step 2: kind: expected speech-shaped, white, pink, brown, hum, babble, folder, found `grey`",
            ),
            ("noise(kind=white)", "step 1: snr_db: `noise` needs it: -40 to 80 dB"),
            ("noise(kind=white, snr_db=nan)", "step 1: snr_db: expected -40 to 80 dB, found `nan`"),
            ("mp3(kbps=56)", "step 1: kbps: expected one of [8, 16"),
            ("opus(kbps=5)", "step 1: kbps: expected a whole number of 6 to 64 kbit/s, found `5`"),
            ("opus(kbps=16, bitrate=3)", "step 1: bitrate: `opus` has no such parameter; known here: kbps"),
            ("opus(kbps=16, kbps=24)", "step 1: kbps: given twice"),
            ("reverb(size_m=3x3, rt60_s=0.5, distance_m=1)", "step 1: size_m: expected three lengths"),
            (
                "reverb(size_m=3x3x3, rt60_s=0.5, distance_m=9)",
                "step 1: distance_m: expected 0.1 to 4.2 m in this room, found 9",
            ),
            (
                "reverb(size_m=3x3x3, rt60_s=0.5, source_m=1x1x4, microphone_m=1x2x1)",
                "step 1: source_m: lies outside the room",
            ),
            ("loss(loss=5%, burst=3, bad_loss=0.01)", "step 1: bad_loss: expected more than the overall loss"),
            ("noise(kind=folder, path=a|b, snr_db=3)", "step 1: expected `name(parameter=value, …)`"),
            ("band(low_hz=3000, high_hz=3000)", "step 1: high_hz: expected at least 50 Hz above"),
        ] {
            let problems = Condition::from_recipe("x", recipe).unwrap_err();
            let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert!(text.contains(expected), "{recipe}:\n{text}");
        }
    }
}
