//! Adapter specifications: `KIND:ARGUMENTS`.

use std::path::PathBuf;

use crate::cheat::Cheat;
use crate::pipeline::{Misbehaviour, PipelineOptions};
use crate::streaming::StreamClock;

/// Which adapter, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelSpec {
    /// `fake:echo[,drop=N][,delay_ms=MS[,per_s_ms=MS][,per_s2_ms=MS][,batch_ms=MS]][,fail=SUBSTRING]`.
    Fake(FakeOptions),
    /// `cheat:none|cache|order|lookup|fast-wrong`: test adapters that audits must catch.
    Cheat(Cheat),
    /// `fake-pipeline:[key=value…]`.
    FakePipeline(Box<PipelineOptions>),
    /// `hypotheses:FILE`.
    Hypotheses(PathBuf),
    /// `whisper:NAME_OR_FOLDER[,key=value…]`.
    Whisper(WhisperOptions),
}

/// Settings of the fake model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FakeOptions {
    /// Leave out every n-th word of the reference; 0 keeps all.
    pub drop_every: usize,
    /// Length of a call on the simulated clock; `None` uses the real clock.
    pub delay_ms: Option<u64>,
    /// More of it for every second of audio.
    pub per_s_ms: u64,
    /// And for its square.
    pub per_s2_ms: u64,
    /// Batching of its own: every clip of a batch beyond the first takes this long on the simulated clock.
    pub batch_ms: Option<u64>,
    /// Sleep this long in real time (to test progress and interruption).
    pub sleep_ms: u64,
    /// Fail every cell whose key contains this text.
    pub fail: Option<String>,
}

/// Settings of the reference Whisper.
#[derive(Debug, Clone, PartialEq)]
pub struct WhisperOptions {
    /// A name of `reference/models.toml`, or a folder with weights.
    pub model: String,
    /// Language tag; `None` takes the utterance's, else detects it.
    pub language: Option<String>,
    /// `auto` ignores the utterance's language tag and always detects.
    pub detect_language: bool,
    /// Cut the encoder's input to the audio plus this many seconds instead of 30 s windows.
    pub encoder_extra_s: Option<f64>,
    /// Temperature fallback (0.2 to 1.0 after 0).
    pub fallback: bool,
    /// Condition a window on the text of the one before.
    pub condition_on_previous: bool,
}

/// Why a specification cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model spec `{spec}`: {message}")]
pub struct SpecError {
    /// The specification as given.
    pub spec: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl ModelSpec {
    /// Parses a specification.
    ///
    /// # Errors
    ///
    /// Unknown kind, unknown option, or a value of the wrong type.
    pub fn parse(spec: &str) -> Result<Self, SpecError> {
        let fail = |message: String| SpecError { spec: spec.to_string(), message };
        let (kind, rest) = spec.split_once(':').unwrap_or((spec, ""));
        match kind {
            "fake" => parse_fake(rest).map(Self::Fake).map_err(fail),
            "cheat" => match Cheat::ALL.iter().find(|(name, _)| *name == rest) {
                Some((_, cheat)) => Ok(Self::Cheat(*cheat)),
                None => Err(fail(format!("expected `cheat:{}`", Cheat::ALL.map(|(name, _)| name).join("|")))),
            },
            "fake-pipeline" => parse_pipeline(rest).map(|o| Self::FakePipeline(Box::new(o))).map_err(fail),
            "hypotheses" if rest.is_empty() => Err(fail("expected `hypotheses:FILE.jsonl`".into())),
            "hypotheses" => Ok(Self::Hypotheses(PathBuf::from(rest))),
            "whisper" => parse_whisper(rest).map(Self::Whisper).map_err(fail),
            other => Err(fail(format!("unknown adapter `{other}`; known: fake, fake-pipeline, hypotheses, whisper"))),
        }
    }
}

fn parse_fake(rest: &str) -> Result<FakeOptions, String> {
    let mut options = FakeOptions::default();
    for part in rest.split(',').filter(|p| !p.is_empty()) {
        match part.split_once('=') {
            None if part == "echo" => {}
            Some(("drop", n)) => options.drop_every = number(part, n)?,
            Some(("delay_ms", n)) => options.delay_ms = Some(number(part, n)?),
            Some(("per_s_ms", n)) => options.per_s_ms = number(part, n)?,
            Some(("per_s2_ms", n)) => options.per_s2_ms = number(part, n)?,
            Some(("batch_ms", n)) => options.batch_ms = Some(number(part, n)?),
            Some(("sleep_ms", n)) => options.sleep_ms = number(part, n)?,
            Some(("fail", text)) => options.fail = Some(text.to_string()),
            _ => {
                let known = "echo, drop=N, delay_ms=N, per_s_ms=N, per_s2_ms=N, batch_ms=N, sleep_ms=N, fail=TEXT";
                return Err(format!("unknown option `{part}`; known: {known}"));
            }
        }
    }
    let more = options.per_s_ms > 0 || options.per_s2_ms > 0 || options.batch_ms.is_some();
    if more && options.delay_ms.is_none() {
        return Err("`per_s_ms`, `per_s2_ms` and `batch_ms` go with `delay_ms`: they run on a simulated clock".into());
    }
    Ok(options)
}

const PIPELINE_KEYS: &str = "vad_ms, hold_ms, asr_ms, llm_ms, tts_ms, transport_ms, partial_ms, token_ms, tokens, lead_in_ms, \
                             audio_ms, stretch_ms, pace_ms, stop_ms=MS|never, flicker=N, jitter=SHARE, slower=SHARE, \
                             clock=simulated|real, hang=N, never=N, twice=N, other=N, early=N, jump=N, crash=N";

fn parse_pipeline(rest: &str) -> Result<PipelineOptions, String> {
    let mut o = PipelineOptions::default();
    for part in rest.split(',').filter(|p| !p.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!("unknown option `{part}`; known: {PIPELINE_KEYS}"));
        };
        match key {
            "vad_ms" => o.vad_ms = ms(part, value)?,
            "hold_ms" => o.hold_ms = ms(part, value)?,
            "asr_ms" => o.asr_ms = ms(part, value)?,
            "llm_ms" => o.llm_ms = ms(part, value)?,
            "tts_ms" => o.tts_ms = ms(part, value)?,
            "transport_ms" => o.transport_ms = ms(part, value)?,
            "partial_ms" => o.partial_ms = ms(part, value)?,
            "token_ms" => o.token_ms = ms(part, value)?,
            "lead_in_ms" => o.lead_in_ms = ms(part, value)?,
            "audio_ms" => o.audio_ms = ms(part, value)?,
            "stretch_ms" => o.stretch_ms = ms(part, value)?,
            "pace_ms" => o.pace_ms = ms(part, value)?,
            "stop_ms" if value == "never" => o.stop_ms = None,
            "stop_ms" => o.stop_ms = Some(ms(part, value)?),
            "tokens" => o.tokens = number(part, value).and_then(|n| in_range(part, n, 0, 10_000))?,
            "flicker" => o.flicker_every = number(part, value)?,
            "jitter" => o.jitter = share(part, value)?,
            "slower" => o.slower = share(part, value)?,
            "clock" => {
                o.clock = match value {
                    "simulated" => StreamClock::Simulated,
                    "real" => StreamClock::Real,
                    _ => return Err(format!("`{part}`: expected simulated or real")),
                }
            }
            _ => match Misbehaviour::ALL.into_iter().find(|m| m.name() == key) {
                Some(fault) => {
                    o.faults.push((fault, number(part, value).and_then(|n| in_range(part, n, 1, u64::MAX))?))
                }
                None => return Err(format!("unknown option `{part}`; known: {PIPELINE_KEYS}")),
            },
        }
    }
    if o.stretch_ms < 1.0 {
        return Err(format!("`stretch_ms={}`: a stretch is at least 1 ms long", o.stretch_ms));
    }
    Ok(o)
}

/// Milliseconds up to a minute.
fn ms(part: &str, value: &str) -> Result<f64, String> {
    let found = value.parse::<f64>().ok().filter(|v| (0.0..=60_000.0).contains(v));
    found.ok_or_else(|| format!("`{part}`: expected 0 to 60000 ms"))
}

fn share(part: &str, value: &str) -> Result<f64, String> {
    let found = value.parse::<f64>().ok().filter(|v| (0.0..=1.0).contains(v));
    found.ok_or_else(|| format!("`{part}`: expected a share from 0 to 1"))
}

fn in_range<T: PartialOrd + std::fmt::Display>(part: &str, value: T, least: T, most: T) -> Result<T, String> {
    if value >= least && value <= most { Ok(value) } else { Err(format!("`{part}`: expected {least} to {most}")) }
}

fn parse_whisper(rest: &str) -> Result<WhisperOptions, String> {
    let mut parts = rest.split(',');
    let model = parts.next().unwrap_or_default().to_string();
    if model.is_empty() {
        return Err("expected `whisper:NAME_OR_FOLDER`, e.g. `whisper:whisper-tiny.en`".into());
    }
    let mut options = WhisperOptions {
        model,
        language: None,
        detect_language: false,
        encoder_extra_s: None,
        fallback: true,
        condition_on_previous: false,
    };
    for part in parts {
        match part.split_once('=') {
            Some(("language", "auto")) => options.detect_language = true,
            Some(("language", tag)) => options.language = Some(tag.to_string()),
            Some(("encoder", "full")) => options.encoder_extra_s = None,
            Some(("encoder", value)) => match value.strip_prefix("audio+").map(str::parse::<f64>) {
                Some(Ok(seconds)) if (0.0..=30.0).contains(&seconds) => options.encoder_extra_s = Some(seconds),
                _ => {
                    return Err(format!("`{part}`: expected `encoder=full` or `encoder=audio+SECONDS`"));
                }
            },
            Some(("fallback", value)) => options.fallback = on_off(part, value)?,
            Some(("previous", value)) => options.condition_on_previous = on_off(part, value)?,
            _ => {
                let known = "language=TAG|auto, encoder=full|audio+SECONDS, fallback=on|off, previous=on|off";
                return Err(format!("unknown option `{part}`; known: {known}"));
            }
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(part: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{part}`: `{value}` is not a whole number"))
}

fn on_off(part: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{part}`: expected on or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_parse_or_say_what_is_known() {
        assert_eq!(
            ModelSpec::parse("fake:drop=3,delay_ms=40,fail=/noise"),
            Ok(ModelSpec::Fake(FakeOptions {
                drop_every: 3,
                delay_ms: Some(40),
                fail: Some("/noise".into()),
                ..FakeOptions::default()
            }))
        );
        let Ok(ModelSpec::Whisper(w)) = ModelSpec::parse("whisper:dir/x,encoder=audio+2,language=te,fallback=off")
        else {
            panic!("a valid whisper spec must parse");
        };
        assert_eq!((w.model.as_str(), w.encoder_extra_s, w.fallback), ("dir/x", Some(2.0), false));
        let Ok(ModelSpec::FakePipeline(p)) =
            ModelSpec::parse("fake-pipeline:llm_ms=200,stop_ms=never,crash=5,clock=real")
        else {
            panic!("a valid pipeline spec must parse");
        };
        assert_eq!((p.llm_ms, p.stop_ms, p.clock), (200.0, None, StreamClock::Real));
        assert_eq!(p.faults, [(Misbehaviour::Crash, 5)]);
        for (bad, needle) in [
            ("wisper:x", "unknown adapter"),
            ("fake:drop=x", "not a whole number"),
            ("fake:quick", "unknown option"),
            ("fake:per_s_ms=4", "go with `delay_ms`"),
            ("whisper:", "NAME_OR_FOLDER"),
            ("cheat:sleep", "fast-wrong"),
            ("whisper:x,encoder=short", "audio+SECONDS"),
            ("hypotheses:", "FILE.jsonl"),
            ("fake-pipeline:vad", "known: vad_ms, hold_ms"),
            ("fake-pipeline:vad_ms=-1", "0 to 60000 ms"),
            ("fake-pipeline:jitter=2", "a share from 0 to 1"),
            ("fake-pipeline:hang=0", "expected 1 to"),
            ("fake-pipeline:stretch_ms=0", "at least 1 ms"),
            ("fake-pipeline:clock=sundial", "simulated or real"),
        ] {
            let error = ModelSpec::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(needle) && error.contains(bad), "{bad}: {error}");
        }
    }
}
