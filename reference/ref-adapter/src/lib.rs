//! The reference models behind the harness's Model trait.
//!
//! Out of scope: fetching weights, choosing a model, running cells.

use std::path::Path;

use ref_models::whisper::{DecodeOptions, EncoderContext, Whisper};
use vbench_core::Hypothesis;
use vbench_core::cell::Segment;
use vbench_core::keyed::keyed_rng;
use vbench_model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock, WhisperOptions};

/// The reference Whisper as a harness model.
#[derive(Debug)]
pub struct WhisperModel {
    whisper: Whisper,
    options: WhisperOptions,
    weights_sha256: String,
}

impl WhisperModel {
    /// Loads a model folder; `weights_sha256` goes into the run record.
    ///
    /// # Errors
    ///
    /// Files that are missing, damaged or of another model, and a language that the model does not know.
    pub fn open(folder: &Path, options: WhisperOptions, weights_sha256: String) -> Result<Self, ModelError> {
        let whisper = Whisper::load(folder).map_err(|e| ModelError(format!("{}: {e}", folder.display())))?;
        let languages = &whisper.info().languages;
        if let Some(language) = options.language.as_deref().filter(|l| !languages.contains(l)) {
            let known = languages.join(", ");
            return Err(ModelError(format!(
                "{} does not know the language `{language}`; it knows: {known}",
                options.model
            )));
        }
        Ok(Self { whisper, options, weights_sha256 })
    }

    /// The language of a clip: the option's, else the utterance's when the model knows it, else detected.
    fn language(&self, request: &Request<'_>) -> Option<String> {
        let languages = &self.whisper.info().languages;
        if let [only] = languages.as_slice() {
            return Some((*only).to_string());
        }
        if self.options.detect_language {
            return None;
        }
        let stated = self.options.language.as_deref().or(request.utterance.language.as_deref())?;
        // Manifests may say `en-GB`; Whisper's codes are the primary subtag.
        let primary = stated.split(['-', '_']).next().unwrap_or(stated).to_ascii_lowercase();
        languages.contains(&primary.as_str()).then_some(primary)
    }

    fn decode_options(&self, request: &Request<'_>) -> DecodeOptions {
        let default = DecodeOptions::default();
        DecodeOptions {
            language: self.language(request),
            temperatures: if self.options.fallback { default.temperatures.clone() } else { vec![0.0] },
            condition_on_previous_text: self.options.condition_on_previous,
            encoder_context: self.options.encoder_extra_s.map_or(EncoderContext::Full30s, EncoderContext::AudioPlus),
            ..default
        }
    }
}

impl Model for WhisperModel {
    fn facts(&self) -> ModelFacts {
        let info = self.whisper.info();
        let fact = |name: &str, value: String| (name.to_string(), value);
        ModelFacts {
            kind: "whisper".into(),
            weights_sha256: Some(self.weights_sha256.clone()),
            facts: vec![
                fact("size", info.name.clone()),
                fact("parameters", info.parameters.to_string()),
                fact("stored as", format!("{:?}, {}", info.kind, info.dtype)),
                fact("fallback", self.options.fallback.to_string()),
                fact("encoder", self.options.encoder_extra_s.map_or("full 30 s".into(), |s| format!("audio + {s} s"))),
                fact("condition on previous text", self.options.condition_on_previous.to_string()),
            ],
        }
    }

    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError> {
        // Not by the model's name: the same weights under two names must say the same.
        let utterance = format!("{}/{}", request.utterance.corpus, request.utterance.id);
        let mut rng = keyed_rng(request.seed, "whisper", &utterance, request.condition);
        let transcript = self
            .whisper
            .transcribe(request.samples, &self.decode_options(request), &mut rng)
            .map_err(|e| ModelError(e.to_string()))?;
        let segments = transcript.segments.iter().map(|s| Segment {
            start_s: s.start_s,
            end_s: s.end_s,
            text: s.text.trim().to_string(),
        });
        let segments = segments.collect();
        let hypothesis = Hypothesis {
            text: transcript.text,
            language: Some(transcript.language),
            temperature: Some(transcript.hottest),
            segments,
        };
        Ok(Response { hypothesis, clock: ResponseClock::Real })
    }
}
