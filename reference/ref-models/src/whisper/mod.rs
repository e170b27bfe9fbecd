//! Whisper (Radford et al. 2022, arXiv:2212.04356), tiny to large-v3, English and multilingual.
//!
//! [`Whisper::load`] reads a Hugging Face safetensors folder or a CTranslate2 folder. The weights come as candle tensors and [`plain`] is the
//! model as plain candle operations; what [`Whisper::transcribe`] runs is the same arithmetic on packed slices
//! ([`crate::kernels`]), checked against [`plain`] by tests.
//!
//! Windows, seeking, fallback and thresholds follow faster-whisper 1.2.1: the spectrogram is made once for the whole audio
//! (with its floor 8 below the loudest frame of the whole audio) and short windows are filled up with zeros as features. openai-whisper
//! fills up with zero samples instead, which differs a little in quiet recordings.
//!
//! large-v3 (128 mels, 51866 tokens) is tested for shapes, front end and token ids on a small random checkpoint only: not run on real weights.

mod config;
mod decode;
mod decoder;
mod encoder;
mod layers;
mod longform;
pub mod plain;
mod rules;
mod tokenizer;

pub use config::{Config, LANGUAGES, SpecialTokens};
pub use decode::{Decoded, compression_ratio};
pub use decoder::{AudioContext, Cache, Decoder, Row};
pub use encoder::Encoder;
pub use rules::{Rules, TIMESTAMP_STEP};
pub use tokenizer::Tokenizer;

use crate::Error;
use crate::checkpoint::{Kind, Weights};
use crate::features::{LogMel, MelFrontEnd, SAMPLE_RATE};
use crate::kernels::{exp_sum, max};
use candle_core::DType;
use rand::Rng;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// How much of the encoder's window is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EncoderContext {
    /// 30 s always, as the model was trained.
    Full30s,
    /// The audio in the window and this many seconds after it, at most 30 s: faster on short clips, but not what the model was trained for.
    AudioPlus(f64),
}

/// Options of a transcription. The default is greedy with fallback, as faster-whisper with beam size 1, without conditioning.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodeOptions {
    /// Language code such as `en`; `None` detects it in the first window (multilingual models).
    pub language: Option<String>,
    /// Whether timestamps are sampled. Without them a window is one segment.
    pub timestamps: bool,
    /// Temperatures to try in turn; 0 is greedy. Must not be empty, each within 0..=10.
    pub temperatures: Vec<f64>,
    /// Candidates sampled at temperatures above 0, of which the one with the highest mean log probability is taken
    /// (faster-whisper's `best_of`). At temperature 0 there is one, as with `beam_size=1`.
    pub best_of: usize,
    /// Text that compresses better than this is taken as a loop and tried again at the next temperature.
    pub compression_ratio_threshold: Option<f64>,
    /// A mean log probability below this is tried again.
    pub logprob_threshold: Option<f64>,
    /// A window is skipped as silent if the no-speech probability is above this and the mean log probability is not above
    /// `logprob_threshold`.
    pub no_speech_threshold: Option<f64>,
    /// Whether the text before is the prompt of the next window.
    pub condition_on_previous_text: bool,
    /// Latest first timestamp in seconds.
    pub max_initial_timestamp: f64,
    /// How much of the encoder's window is computed.
    pub encoder_context: EncoderContext,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            language: None,
            timestamps: true,
            temperatures: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            best_of: 5,
            compression_ratio_threshold: Some(2.4),
            logprob_threshold: Some(-1.0),
            no_speech_threshold: Some(0.6),
            condition_on_previous_text: false,
            max_initial_timestamp: 1.0,
            encoder_context: EncoderContext::Full30s,
        }
    }
}

/// A stretch of the transcript between two timestamps.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Start in seconds from the start of the audio.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
    /// Text as decoded, usually with a leading space.
    pub text: String,
    /// Tokens, timestamps included.
    pub tokens: Vec<u32>,
    /// Mean log probability of the window it comes from.
    pub avg_logprob: f64,
    /// No-speech probability of the window.
    pub no_speech_prob: f64,
    /// Compression ratio of the window's text.
    pub compression_ratio: f64,
    /// Temperature at which the window was sampled.
    pub temperature: f64,
}

/// Time spent by stage, measured with the system's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Log-mel spectrogram.
    pub features: Duration,
    /// Encoder.
    pub encoder: Duration,
    /// Projection of the encoder's output and all decoding, language detection included.
    pub decoder: Duration,
}

/// Result of a transcription.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// Text of all segments, without white space at both ends.
    pub text: String,
    /// Language code.
    pub language: String,
    /// Probability of the language among all languages; 1 if it was given or the model knows only one.
    pub language_probability: f64,
    /// Segments in order.
    pub segments: Vec<Segment>,
    /// Highest temperature tried in any window, those that turned out silent included.
    pub hottest: f64,
    /// Windows decoded.
    pub windows: usize,
    /// Times that a result did not pass and the next temperature was tried.
    pub fallbacks: usize,
    /// Where the time went.
    pub times: StageTimes,
}

/// What a model is.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Size class with `.en` if English only: `tiny.en`, `base`, `large-v3`, ..., or `custom`.
    pub name: String,
    /// Format it was read from.
    pub kind: Kind,
    /// Precision of the stored weights: `f32`, `f16`, `bf16`.
    pub dtype: &'static str,
    /// Dimensions.
    pub config: Config,
    /// Number of parameters read.
    pub parameters: usize,
    /// Language codes it knows.
    pub languages: Vec<&'static str>,
}

/// A Whisper model. It is immutable: any number of threads may call it at once.
pub struct Whisper {
    info: ModelInfo,
    special: SpecialTokens,
    front_end: MelFrontEnd,
    encoder: Encoder,
    decoder: Decoder,
    tokenizer: Tokenizer,
    suppress: Vec<u32>,
    suppress_first: Vec<u32>,
}

impl std::fmt::Debug for Whisper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Whisper").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Whisper {
    /// Reads a model folder, of either kind.
    ///
    /// # Errors
    /// [`Error::NoCheckpoint`] if there is none (with a hint for `.pt` files, which are never opened), and every other kind for files
    /// that are unreadable, truncated, inconsistent or of another model.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let (weights, config, settings) = config::read(dir)?;
        let special = SpecialTokens::new(config.vocabulary);
        let tokenizer = Tokenizer::read(dir, special.end_of_text)?;
        let info = Self::describe(&weights, &config, dir)?;
        let mut suppress: BTreeSet<u32> = settings.suppress.into_iter().collect();
        if suppress.is_empty() {
            suppress.extend(tokenizer.non_speech());
        }
        let SpecialTokens {
            start, translate, transcribe, start_of_lm, start_of_previous, no_speech, end_of_text, ..
        } = special;
        suppress.extend([start, translate, transcribe, start_of_lm, start_of_previous, no_speech]);
        const SPACE: u32 = 220;
        let first = if settings.suppress_first.is_empty() { vec![SPACE, end_of_text] } else { settings.suppress_first };
        Ok(Self {
            special,
            front_end: MelFrontEnd::new(config.mels),
            encoder: Encoder::new(&weights, &config)?,
            decoder: Decoder::new(&weights, &config)?,
            tokenizer,
            suppress: suppress.into_iter().collect(),
            suppress_first: first,
            info,
        })
    }

    fn describe(weights: &Weights, config: &Config, dir: &Path) -> Result<ModelInfo, Error> {
        let class = config.size_class();
        let english = if config.multilingual() || class == "custom" { "" } else { ".en" };
        let known = SpecialTokens::new(config.vocabulary).languages as usize;
        let dtype = match weights.dtype("decoder.embed_tokens.weight") {
            Some(DType::F16) => "f16",
            Some(DType::BF16) => "bf16",
            _ => "f32",
        };
        Ok(ModelInfo {
            name: format!("{class}{english}"),
            kind: Kind::detect(dir)?,
            dtype,
            config: config.clone(),
            parameters: weights.parameters(),
            languages: if config.multilingual() { LANGUAGES[..known].to_vec() } else { vec!["en"] },
        })
    }

    /// What the model is.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Ids of the special tokens.
    #[must_use]
    pub fn special_tokens(&self) -> SpecialTokens {
        self.special
    }

    /// The encoder alone.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The decoder alone.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The tokens' text.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens that are never sampled, in order.
    #[must_use]
    pub fn suppressed(&self) -> &[u32] {
        &self.suppress
    }

    /// Log-mel spectrogram of mono 16 kHz samples and 160 zero samples after them, as transcribing uses it.
    ///
    /// # Errors
    /// [`Error::Audio`] for fewer than 160 samples or one that is not finite.
    pub fn features(&self, pcm_16k_mono: &[f32]) -> Result<LogMel, Error> {
        const PADDING: usize = 160;
        if pcm_16k_mono.len() < PADDING {
            let n = pcm_16k_mono.len();
            return Err(Error::Audio(format!(
                "{n} samples, expected at least {PADDING} ({} ms at {SAMPLE_RATE} Hz)",
                10
            )));
        }
        self.front_end.log_mel(pcm_16k_mono, PADDING)
    }

    /// Probabilities of all languages of the model in the first 30 s, in the order of the codes of [`ModelInfo::languages`].
    ///
    /// # Errors
    /// As [`Self::features`].
    pub fn detect_language(&self, pcm_16k_mono: &[f32]) -> Result<Vec<f64>, Error> {
        let mel = self.features(pcm_16k_mono)?;
        let frames = self.window_frames();
        let used = (mel.frames() - 1).min(frames) * mel.mels;
        let audio = self.decoder.audio_context(&self.encoder.forward(&mel.values[..used], frames));
        Ok(self.language_probabilities(&audio))
    }

    fn language_probabilities(&self, audio: &AudioContext) -> Vec<f64> {
        if !self.info.config.multilingual() {
            return vec![1.0];
        }
        let row = Row { token: self.special.start, position: 0, sequence: 0 };
        let logits = self.decoder.logits(&self.decoder.forward(&[row], &mut [self.decoder.cache()], audio));
        let first = self.special.first_language as usize;
        let languages = &logits[first..first + self.special.languages as usize];
        let top = max(languages);
        let total = exp_sum(languages, top);
        languages.iter().map(|v| f64::from(v - top).exp() / total).collect()
    }

    /// Frames of a full window: 3000 for 30 s.
    #[must_use]
    pub fn window_frames(&self) -> usize {
        2 * self.info.config.audio_context
    }

    /// Transcribes mono 16 kHz samples of any length. `rng` is drawn from only at temperatures above 0.
    ///
    /// The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::Audio`] for fewer than 160 samples or one that is not finite, [`Error::Option`] for a language the model
    /// does not know or temperatures out of range.
    pub fn transcribe(
        &self,
        pcm_16k_mono: &[f32],
        options: &DecodeOptions,
        rng: &mut dyn Rng,
    ) -> Result<Transcript, Error> {
        longform::transcribe(self, pcm_16k_mono, options, rng)
    }
}
