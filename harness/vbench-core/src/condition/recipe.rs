//! Steps as text: `noise(kind=babble, talkers=4, snr_db=5) | opus(kbps=12, loss=0.05)`, read and written in one place.

use core::fmt::{self, Display};
use core::ops::RangeInclusive;
use std::path::PathBuf;

use super::degradation::{
    Codec, Degradation, Fill, Folder, LevelBasis, LossModel, Microphone, Noise, NoiseKind, Opus, OpusMode, PacketLoss,
    Placement, Room, Rt60Formula, Walls,
};

/// A step as text: a name and parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenStep {
    /// E.g. `noise`.
    pub name: String,
    /// E.g. `("snr_db", "5")`, in order.
    pub parameters: Vec<(String, String)>,
}

/// Something wrong in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeProblem {
    /// Step, from 1; 0 where the text has no steps.
    pub step: usize,
    /// The parameter, or the step's name; empty where the text could not be taken apart.
    pub at: String,
    /// What was expected and what was found.
    pub message: String,
}

impl Display for RecipeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.step)?;
        if !self.at.is_empty() {
            write!(f, ": {}", self.at)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Names of all steps, with the parameters that they take and a sentence.
pub const STEPS: &[(&str, &str, &str)] = &[
    (
        "noise",
        "kind, snr_db, level, talkers, hz, path",
        "additive noise at an SNR on the active speech level or the RMS",
    ),
    ("reverb", "size_m, rt60_s, formula, absorption, distance_m, source_m, microphone_m", "a shoebox room"),
    ("response", "path", "a room impulse response drawn from a folder"),
    ("mp3", "kbps", "MP3 by LAME; above 160 kbit/s at 48 kHz"),
    (
        "opus",
        "kbps, mode, complexity, loss, burst, bad_loss, jitter_ms, buffer_ms, fec",
        "Opus with its own concealment",
    ),
    ("aac", "kbps", "AAC-LC at 16 kHz"),
    ("vorbis", "quality", "Ogg Vorbis"),
    ("mulaw", "", "G.711 mu-law at 8 kHz"),
    ("alaw", "", "G.711 A-law at 8 kHz"),
    ("g722", "", "G.722 at 64 kbit/s"),
    ("gsm", "", "GSM full rate at 8 kHz"),
    ("adpcm", "", "IMA ADPCM at 8 kHz"),
    ("narrowband", "", "16-bit samples at 8 kHz"),
    ("loss", "loss, burst, bad_loss, jitter_ms, buffer_ms, packet_ms, fill", "lost packets of samples"),
    ("dropouts", "per_minute, mean_ms", "gaps of a bad contact"),
    ("clip", "below_peak_db", "hard clipping below the clip's peak"),
    ("gain", "db", "a gain; saturates at full scale"),
    ("dc", "offset", "a constant, as a share of full scale"),
    ("band", "low_hz, high_hz", "linear-phase band limits"),
    ("rate-mismatch", "recorded_hz, declared_hz", "played at another rate than it was recorded at"),
    ("speed", "factor", "faster or slower by resampling"),
    ("tempo", "factor", "faster or slower with the pitch kept"),
    ("pitch", "semitones", "higher or lower with the length kept"),
    ("microphone", "kind", "the frequency response of a kind of microphone"),
    ("agc", "target_dbfs, max_gain_db, attack_ms, release_ms", "automatic gain control"),
];

/// Bit rates of MPEG-2 layer III at 16 kHz that the encoder offers, then those of MPEG-1 at 48 kHz.
pub const MP3_KBPS: [u32; 16] = [8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

const NOISES: [&str; 7] = ["speech-shaped", "white", "pink", "brown", "hum", "babble", "folder"];
const LEVELS: [(&str, LevelBasis); 2] = [("active", LevelBasis::Active), ("rms", LevelBasis::Rms)];
const FORMULAS: [(&str, Rt60Formula); 2] = [("sabine", Rt60Formula::Sabine), ("eyring", Rt60Formula::Eyring)];
const MODES: [(&str, OpusMode); 2] = [("voip", OpusMode::Voip), ("audio", OpusMode::Audio)];
const FILLS: [(&str, Fill); 2] = [("zero", Fill::Zero), ("repeat", Fill::Repeat)];
const FLAGS: [(&str, bool); 2] = [("off", false), ("on", true)];
const MICROPHONES: [(&str, Microphone); 4] = [
    ("handset", Microphone::Handset),
    ("laptop", Microphone::Laptop),
    ("headset", Microphone::Headset),
    ("muffled", Microphone::Muffled),
];

fn name_of<T: PartialEq + Copy>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

impl Display for WrittenStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<String> = self.parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if parameters.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}({})", self.name, parameters.join(", "))
        }
    }
}

/// Takes a recipe apart; `clean` and the empty text have no steps.
///
/// # Errors
/// A step without closing bracket, or a parameter without `=`.
pub fn split_recipe(text: &str) -> Result<Vec<WrittenStep>, RecipeProblem> {
    let text = text.trim();
    if text.is_empty() || text == "clean" {
        return Ok(Vec::new());
    }
    text.split('|').enumerate().map(|(i, step)| split_step(i + 1, step.trim())).collect()
}

fn split_step(step: usize, text: &str) -> Result<WrittenStep, RecipeProblem> {
    let problem = |message: String| RecipeProblem { step, at: String::new(), message };
    let Some((name, rest)) = text.split_once('(') else {
        return Ok(WrittenStep { name: text.to_owned(), parameters: Vec::new() });
    };
    let inner = rest
        .strip_suffix(')')
        .ok_or_else(|| problem(format!("expected `name(parameter=value, …)`, found `{text}`")))?;
    let pairs = inner.split(',').map(str::trim).filter(|p| !p.is_empty());
    let parameters = pairs
        .map(|p| {
            let (key, value) =
                p.split_once('=').ok_or_else(|| problem(format!("expected `parameter=value`, found `{p}`")))?;
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        })
        .collect::<Result<_, _>>()?;
    Ok(WrittenStep { name: name.trim().to_owned(), parameters })
}

/// Collects the parameters of one step as text.
struct Writer(WrittenStep);

impl Writer {
    fn new(name: &str) -> Self {
        Self(WrittenStep { name: name.to_owned(), parameters: Vec::new() })
    }

    fn with(mut self, key: &str, value: impl Display) -> Self {
        self.0.parameters.push((key.to_owned(), value.to_string()));
        self
    }

    fn unless(self, key: &str, value: &str, default: &str) -> Self {
        if value == default { self } else { self.with(key, value) }
    }

    fn loss(self, model: LossModel) -> Self {
        match model {
            LossModel::Random { rate } => self.with("loss", rate),
            LossModel::Bursts { rate, burst, bad_loss } => {
                let writer = self.with("loss", rate).with("burst", burst);
                if bad_loss == 1.0 { writer } else { writer.with("bad_loss", bad_loss) }
            }
            LossModel::Jitter { jitter_ms, buffer_ms } => {
                self.with("jitter_ms", jitter_ms).with("buffer_ms", buffer_ms)
            }
        }
    }
}

fn triple([x, y, z]: [f64; 3]) -> String {
    format!("{x}x{y}x{z}")
}

impl Degradation {
    /// The step as text, with defaults left out.
    #[must_use]
    pub fn written(&self) -> WrittenStep {
        match self {
            Self::Noise(noise) => write_noise(noise),
            Self::Reverb(room) => write_room(room),
            Self::Response(folder) => Writer::new("response").with("path", &folder.written).0,
            Self::Codec(codec) => write_codec(codec),
            Self::Loss(loss) => {
                let writer =
                    Writer::new("loss").loss(loss.model).unless("packet_ms", &loss.packet_ms.to_string(), "20");
                writer.unless("fill", name_of(&FILLS, loss.fill), "zero").0
            }
            Self::DropOuts { per_minute, mean_ms } => {
                Writer::new("dropouts").with("per_minute", per_minute).with("mean_ms", mean_ms).0
            }
            Self::Clip { below_peak_db } => Writer::new("clip").with("below_peak_db", below_peak_db).0,
            Self::Gain { db } => Writer::new("gain").with("db", db).0,
            Self::Dc { offset } => Writer::new("dc").with("offset", offset).0,
            Self::Band { low_hz, high_hz } => Writer::new("band").with("low_hz", low_hz).with("high_hz", high_hz).0,
            Self::RateMismatch { recorded_hz, declared_hz } => {
                Writer::new("rate-mismatch").with("recorded_hz", recorded_hz).with("declared_hz", declared_hz).0
            }
            Self::Speed { factor } => Writer::new("speed").with("factor", factor).0,
            Self::Tempo { factor } => Writer::new("tempo").with("factor", factor).0,
            Self::Pitch { semitones } => Writer::new("pitch").with("semitones", semitones).0,
            Self::Microphone(kind) => Writer::new("microphone").with("kind", name_of(&MICROPHONES, *kind)).0,
            Self::Agc { target_dbfs, max_gain_db, attack_ms, release_ms } => {
                let writer = Writer::new("agc").with("target_dbfs", target_dbfs).with("max_gain_db", max_gain_db);
                writer.with("attack_ms", attack_ms).with("release_ms", release_ms).0
            }
        }
    }

    /// Reads a step; `step` is its place in the chain, from 1, for problems. Folders lie at their path as written.
    ///
    /// # Errors
    /// Every problem found: unknown names (with the known ones), missing parameters, values out of range.
    pub fn read(written: &WrittenStep, step: usize) -> Result<Self, Vec<RecipeProblem>> {
        let mut reader = Reader { written, step, used: Vec::new(), problems: Vec::new() };
        let degradation = read_step(&mut reader);
        reader.finish();
        match degradation {
            Some(degradation) if reader.problems.is_empty() => Ok(degradation),
            _ => Err(reader.problems),
        }
    }
}

fn write_noise(noise: &Noise) -> WrittenStep {
    let writer = Writer::new("noise").with("kind", noise.kind.name());
    let writer = match &noise.kind {
        NoiseKind::Hum { hz } => writer.with("hz", hz),
        NoiseKind::Babble { talkers } => writer.with("talkers", talkers),
        NoiseKind::Folder(folder) => writer.with("path", &folder.written),
        NoiseKind::SpeechShaped | NoiseKind::White | NoiseKind::Pink | NoiseKind::Brown => writer,
    };
    writer.with("snr_db", noise.snr_db).unless("level", name_of(&LEVELS, noise.level), "active").0
}

fn write_room(room: &Room) -> WrittenStep {
    let writer = Writer::new("reverb").with("size_m", triple(room.size_m));
    let writer = match room.walls {
        Walls::Rt60 { seconds, formula } => {
            writer.with("rt60_s", seconds).unless("formula", name_of(&FORMULAS, formula), "sabine")
        }
        Walls::Absorption(share) => writer.with("absorption", share),
    };
    match room.placement {
        Placement::Drawn { distance_m } => writer.with("distance_m", distance_m).0,
        Placement::Given { source_m, microphone_m } => {
            writer.with("source_m", triple(source_m)).with("microphone_m", triple(microphone_m)).0
        }
    }
}

fn write_codec(codec: &Codec) -> WrittenStep {
    match codec {
        Codec::Mp3 { kbps } => Writer::new("mp3").with("kbps", kbps).0,
        Codec::Opus(opus) => {
            let writer = Writer::new("opus").with("kbps", opus.kbps).unless("mode", name_of(&MODES, opus.mode), "voip");
            let writer = writer.unless("complexity", &opus.complexity.to_string(), "10");
            let writer = match opus.loss {
                Some(model) => writer.loss(model),
                None => writer,
            };
            writer.unless("fec", name_of(&FLAGS, opus.fec), "off").0
        }
        Codec::Aac { kbps } => Writer::new("aac").with("kbps", kbps).0,
        Codec::Vorbis { quality } => Writer::new("vorbis").with("quality", quality).0,
        Codec::MuLaw => Writer::new("mulaw").0,
        Codec::ALaw => Writer::new("alaw").0,
        Codec::G722 => Writer::new("g722").0,
        Codec::Gsm => Writer::new("gsm").0,
        Codec::Adpcm => Writer::new("adpcm").0,
        Codec::Narrowband => Writer::new("narrowband").0,
    }
}

impl NoiseKind {
    /// The name used in suites and receipts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        NOISES[match self {
            Self::SpeechShaped => 0,
            Self::White => 1,
            Self::Pink => 2,
            Self::Brown => 3,
            Self::Hum { .. } => 4,
            Self::Babble { .. } => 5,
            Self::Folder(_) => 6,
        }]
    }
}

/// Reads the parameters of one step and notes every problem.
struct Reader<'a> {
    written: &'a WrittenStep,
    step: usize,
    used: Vec<&'static str>,
    problems: Vec<RecipeProblem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, at: &str, message: impl Into<String>) {
        self.problems.push(RecipeProblem { step: self.step, at: at.to_owned(), message: message.into() });
    }

    fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.used.push(key);
        self.written.parameters.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    fn has(&self, key: &str) -> bool {
        self.written.parameters.iter().any(|(k, _)| k == key)
    }

    fn missing(&mut self, key: &'static str, what: &str) {
        let name = self.written.name.clone();
        self.problem(key, format!("`{name}` needs it: {what}"));
    }

    /// A number in a range; `default` where it may be absent. `unit` completes "0 to 10 …".
    fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        unit: &str,
        default: Option<f64>,
    ) -> Option<f64> {
        let expected = format!("{} to {}{}{unit}", range.start(), range.end(), if unit.is_empty() { "" } else { " " });
        let Some(text) = self.text(key) else {
            if default.is_none() {
                self.missing(key, &expected);
            }
            return default;
        };
        let value = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|p| p / 100.0),
            None => text.parse(),
        };
        match value {
            Ok(value) if range.contains(&value) => Some(value),
            _ => {
                self.problem(key, format!("expected {expected}, found `{text}`"));
                None
            }
        }
    }

    fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        unit: &str,
        default: Option<u32>,
    ) -> Option<u32> {
        let expected = format!("a whole number of {} to {} {unit}", range.start(), range.end());
        let Some(text) = self.text(key) else {
            if default.is_none() {
                self.missing(key, &expected);
            }
            return default;
        };
        match text.parse::<u32>() {
            Ok(value) if range.contains(&value) => Some(value),
            _ => {
                self.problem(key, format!("expected {expected}, found `{text}`"));
                None
            }
        }
    }

    fn choice<T: Copy>(&mut self, key: &'static str, table: &[(&'static str, T)], default: Option<T>) -> Option<T> {
        let known: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        let Some(text) = self.text(key) else {
            if default.is_none() {
                self.missing(key, &format!("one of {}", known.join(", ")));
            }
            return default;
        };
        let found = table.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            self.problem(key, format!("expected {}, found `{text}`", known.join(", ")));
        }
        found
    }

    /// Three lengths in metres as `6.2x4.8x2.8`.
    fn triple(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<[f64; 3]> {
        let expected = format!("three lengths of {} to {} m, e.g. 6.2x4.8x2.8", range.start(), range.end());
        let Some(text) = self.text(key) else {
            self.missing(key, &expected);
            return None;
        };
        let values: Vec<f64> = text.split('x').filter_map(|part| part.trim().parse().ok()).collect();
        match <[f64; 3]>::try_from(values) {
            Ok(values) if values.iter().all(|v| range.contains(v)) => Some(values),
            _ => {
                self.problem(key, format!("expected {expected}, found `{text}`"));
                None
            }
        }
    }

    fn folder(&mut self) -> Option<Folder> {
        let Some(text) = self.text("path") else {
            self.missing("path", "a folder of audio files");
            return None;
        };
        if text.is_empty() || text.contains(['|', ',', '(', ')', '\n']) {
            self.problem("path", format!("expected a path without `|`, `,` and brackets, found `{text}`"));
            return None;
        }
        Some(Folder { written: text.to_owned(), path: PathBuf::from(text) })
    }

    fn finish(&mut self) {
        let mut seen: Vec<&str> = Vec::new();
        for (key, _) in &self.written.parameters {
            if seen.contains(&key.as_str()) {
                self.problem(key, "given twice");
            } else if !self.used.contains(&key.as_str()) {
                let known = if self.used.is_empty() { "it has none".to_owned() } else { self.used.join(", ") };
                let name = &self.written.name;
                self.problem(key, format!("`{name}` has no such parameter; known here: {known}"));
            }
            seen.push(key);
        }
    }
}

fn read_step(r: &mut Reader<'_>) -> Option<Degradation> {
    Some(match r.written.name.as_str() {
        "noise" => Degradation::Noise(read_noise(r)?),
        "reverb" => Degradation::Reverb(read_room(r)?),
        "response" => Degradation::Response(r.folder()?),
        "mp3" | "opus" | "aac" | "vorbis" | "mulaw" | "alaw" | "g722" | "gsm" | "adpcm" | "narrowband" => {
            Degradation::Codec(read_codec(r)?)
        }
        "loss" => {
            let model = read_loss(r);
            let packet_ms = r.number("packet_ms", 1.0..=200.0, "ms", Some(20.0));
            let fill = r.choice("fill", &FILLS, Some(Fill::Zero));
            Degradation::Loss(PacketLoss { model: model?, packet_ms: packet_ms?, fill: fill? })
        }
        "dropouts" => {
            let per_minute = r.number("per_minute", 0.0..=600.0, "a minute", None);
            let mean_ms = r.number("mean_ms", 1.0..=10_000.0, "ms", None);
            Degradation::DropOuts { per_minute: per_minute?, mean_ms: mean_ms? }
        }
        "clip" => Degradation::Clip { below_peak_db: r.number("below_peak_db", 0.0..=60.0, "dB", None)? },
        "gain" => Degradation::Gain { db: r.number("db", -80.0..=80.0, "dB", None)? },
        "dc" => Degradation::Dc { offset: r.number("offset", -0.5..=0.5, "of full scale", None)? },
        "band" => read_band(r)?,
        "rate-mismatch" => {
            let recorded_hz = r.number("recorded_hz", 4000.0..=192_000.0, "Hz", None);
            let declared_hz = r.number("declared_hz", 4000.0..=192_000.0, "Hz", None);
            Degradation::RateMismatch { recorded_hz: recorded_hz?, declared_hz: declared_hz? }
        }
        "speed" => Degradation::Speed { factor: r.number("factor", 0.25..=4.0, "", None)? },
        "tempo" => Degradation::Tempo { factor: r.number("factor", 0.25..=4.0, "", None)? },
        "pitch" => Degradation::Pitch { semitones: r.number("semitones", -24.0..=24.0, "semitones", None)? },
        "microphone" => Degradation::Microphone(r.choice("kind", &MICROPHONES, None)?),
        "agc" => {
            let target_dbfs = r.number("target_dbfs", -60.0..=-3.0, "dB", Some(-23.0));
            let max_gain_db = r.number("max_gain_db", 0.0..=60.0, "dB", Some(30.0));
            let attack_ms = r.number("attack_ms", 0.1..=10_000.0, "ms", Some(10.0));
            let release_ms = r.number("release_ms", 1.0..=60_000.0, "ms", Some(500.0));
            Degradation::Agc {
                target_dbfs: target_dbfs?,
                max_gain_db: max_gain_db?,
                attack_ms: attack_ms?,
                release_ms: release_ms?,
            }
        }
        other => {
            let known: Vec<&str> = STEPS.iter().map(|(name, _, _)| *name).collect();
            let message = format!("unknown step `{other}`; known: {}", known.join(", "));
            r.used.extend(["kind"]);
            r.problem("", message);
            return None;
        }
    })
}

fn read_band(r: &mut Reader<'_>) -> Option<Degradation> {
    let (low, high) =
        (r.number("low_hz", 0.0..=7500.0, "Hz", Some(0.0)), r.number("high_hz", 100.0..=8000.0, "Hz", Some(8000.0)));
    let (low_hz, high_hz) = (low?, high?);
    if low_hz + 50.0 > high_hz {
        r.problem("high_hz", format!("expected at least 50 Hz above low_hz = {low_hz}, found `{high_hz}`"));
    }
    Some(Degradation::Band { low_hz, high_hz })
}

fn read_noise(r: &mut Reader<'_>) -> Option<Noise> {
    let kinds = NOISES.map(|name| (name, name));
    let kind = match r.choice("kind", &kinds, None) {
        Some("speech-shaped") => Some(NoiseKind::SpeechShaped),
        Some("white") => Some(NoiseKind::White),
        Some("pink") => Some(NoiseKind::Pink),
        Some("brown") => Some(NoiseKind::Brown),
        Some("hum") => r.choice("hz", &[("50", 50.0), ("60", 60.0)], Some(50.0)).map(|hz| NoiseKind::Hum { hz }),
        Some("babble") => r.integer("talkers", 1..=64, "talkers", Some(4)).map(|talkers| NoiseKind::Babble { talkers }),
        Some("folder") => r.folder().map(NoiseKind::Folder),
        _ => None,
    };
    let snr_db = r.number("snr_db", -40.0..=80.0, "dB", None);
    let level = r.choice("level", &LEVELS, Some(LevelBasis::Active));
    Some(Noise { kind: kind?, snr_db: snr_db?, level: level? })
}

fn read_room(r: &mut Reader<'_>) -> Option<Room> {
    let size_m = r.triple("size_m", 1.0..=100.0);
    let walls = if r.has("absorption") {
        if r.has("rt60_s") {
            r.problem("absorption", "give either `rt60_s` or `absorption`");
        }
        r.text("rt60_s");
        r.number("absorption", 0.001..=0.999, "of the energy", None).map(Walls::Absorption)
    } else {
        let seconds = r.number("rt60_s", 0.05..=10.0, "s", None);
        let formula = r.choice("formula", &FORMULAS, Some(Rt60Formula::Sabine));
        seconds.and_then(|seconds| Some(Walls::Rt60 { seconds, formula: formula? }))
    };
    let placement = if r.has("source_m") || r.has("microphone_m") {
        let (source, microphone) = (r.triple("source_m", 0.0..=100.0), r.triple("microphone_m", 0.0..=100.0));
        if let Some(size) = size_m {
            for (key, point) in [("source_m", source), ("microphone_m", microphone)] {
                if point.is_some_and(|p| (0..3).any(|a| p[a] <= 0.0 || p[a] >= size[a])) {
                    r.problem(key, format!("lies outside the room of {} m", triple(size)));
                }
            }
        }
        source.and_then(|source_m| Some(Placement::Given { source_m, microphone_m: microphone? }))
    } else {
        let distance = r.number("distance_m", 0.1..=100.0, "m", None);
        // Half a metre to every wall.
        let longest = size_m.map_or(f64::INFINITY, |s| s.iter().map(|m| m * m).sum::<f64>().sqrt() - 1.0);
        if let Some(d) = distance.filter(|d| *d > longest) {
            r.problem("distance_m", format!("expected 0.1 to {longest:.1} m in this room, found {d}"));
        }
        distance.map(|distance_m| Placement::Drawn { distance_m })
    };
    Some(Room { size_m: size_m?, walls: walls?, placement: placement? })
}

fn read_codec(r: &mut Reader<'_>) -> Option<Codec> {
    Some(match r.written.name.as_str() {
        "mp3" => {
            let kbps = r.integer("kbps", 8..=320, "kbit/s", None)?;
            if !MP3_KBPS.contains(&kbps) {
                r.problem("kbps", format!("expected one of {MP3_KBPS:?} (above 160 at 48 kHz), found {kbps}"));
            }
            Codec::Mp3 { kbps }
        }
        "opus" => {
            let kbps = r.integer("kbps", 6..=64, "kbit/s", None);
            let mode = r.choice("mode", &MODES, Some(OpusMode::Voip));
            let complexity = r.integer("complexity", 0..=10, "", Some(10));
            let lossy = ["loss", "jitter_ms"].iter().any(|key| r.has(key));
            let loss = if lossy { Some(read_loss(r)?) } else { None };
            if !lossy {
                r.used.extend(["loss", "jitter_ms"]);
            }
            let fec = r.choice("fec", &FLAGS, Some(false));
            Codec::Opus(Opus { kbps: kbps?, mode: mode?, complexity: complexity?, loss, fec: fec? })
        }
        "aac" => Codec::Aac { kbps: r.integer("kbps", 12..=96, "kbit/s", None)? },
        "vorbis" => Codec::Vorbis { quality: r.number("quality", -0.1..=1.0, "", None)? },
        "mulaw" => Codec::MuLaw,
        "alaw" => Codec::ALaw,
        "g722" => Codec::G722,
        "gsm" => Codec::Gsm,
        "adpcm" => Codec::Adpcm,
        _ => Codec::Narrowband,
    })
}

fn read_loss(r: &mut Reader<'_>) -> Option<LossModel> {
    if r.has("jitter_ms") || r.has("buffer_ms") {
        if r.has("loss") {
            r.problem("loss", "give either `loss` or `jitter_ms` with `buffer_ms`");
        }
        let jitter_ms = r.number("jitter_ms", 0.0..=5000.0, "ms", None);
        let buffer_ms = r.number("buffer_ms", 0.0..=5000.0, "ms", None);
        r.text("loss");
        return Some(LossModel::Jitter { jitter_ms: jitter_ms?, buffer_ms: buffer_ms? });
    }
    let rate = r.number("loss", 0.0..=1.0, "(a share, or 5%)", None);
    if !r.has("burst") {
        return Some(LossModel::Random { rate: rate? });
    }
    let burst = r.number("burst", 1.0..=1000.0, "packets", None);
    let bad_loss = r.number("bad_loss", 0.0..=1.0, "of the packets", Some(1.0));
    let (rate, burst, bad_loss) = (rate?, burst?, bad_loss?);
    if rate >= bad_loss {
        r.problem("bad_loss", format!("expected more than the overall loss of {rate}, found {bad_loss}"));
    }
    Some(LossModel::Bursts { rate, burst, bad_loss })
}
