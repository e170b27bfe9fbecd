//! Adapter specifications: `KIND:ARGUMENTS`.

use std::path::PathBuf;

/// Which adapter, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelSpec {
    /// `fake:echo[,drop=N][,delay_ms=MS][,fail=SUBSTRING]`.
    Fake(FakeOptions),
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
            "hypotheses" if rest.is_empty() => Err(fail("expected `hypotheses:FILE.jsonl`".into())),
            "hypotheses" => Ok(Self::Hypotheses(PathBuf::from(rest))),
            "whisper" => parse_whisper(rest).map(Self::Whisper).map_err(fail),
            other => Err(fail(format!("unknown adapter `{other}`; known: fake, hypotheses, whisper"))),
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
            Some(("sleep_ms", n)) => options.sleep_ms = number(part, n)?,
            Some(("fail", text)) => options.fail = Some(text.to_string()),
            _ => {
                return Err(format!("unknown option `{part}`; known: echo, drop=N, delay_ms=N, sleep_ms=N, fail=TEXT"));
            }
        }
    }
    Ok(options)
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
                sleep_ms: 0,
                fail: Some("/noise".into())
            }))
        );
        let Ok(ModelSpec::Whisper(w)) = ModelSpec::parse("whisper:dir/x,encoder=audio+2,language=te,fallback=off")
        else {
            panic!("a valid whisper spec must parse");
        };
        assert_eq!((w.model.as_str(), w.encoder_extra_s, w.fallback), ("dir/x", Some(2.0), false));
        for (bad, needle) in [
            ("wisper:x", "unknown adapter"),
            ("fake:drop=x", "not a whole number"),
            ("fake:quick", "unknown option"),
            ("whisper:", "NAME_OR_FOLDER"),
            ("whisper:x,encoder=short", "audio+SECONDS"),
            ("hypotheses:", "FILE.jsonl"),
        ] {
            let error = ModelSpec::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(needle) && error.contains(bad), "{bad}: {error}");
        }
    }
}
