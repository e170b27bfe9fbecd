//! Dimensions, token ids and languages of a Whisper checkpoint.

use crate::Error;
use crate::checkpoint::{Kind, Weights, ct2, read_json, safetensors};
use serde_json::Value;
use std::path::Path;

/// Dimensions of a model, found from the shapes of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Mel bands of the input: 80, or 128 for large-v3.
    pub mels: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Encoder layers.
    pub encoder_layers: usize,
    /// Encoder attention heads.
    pub encoder_heads: usize,
    /// Decoder layers.
    pub decoder_layers: usize,
    /// Decoder attention heads.
    pub decoder_heads: usize,
    /// Width inside the feed-forward blocks.
    pub inner: usize,
    /// Vocabulary: 51864 English only, 51865 multilingual, 51866 large-v3.
    pub vocabulary: usize,
    /// Encoder positions: 1500 for 30 s.
    pub audio_context: usize,
    /// Decoder positions: 448.
    pub text_context: usize,
}

/// A file part of a checkpoint that is no weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Tokens never sampled, as listed by the checkpoint.
    pub suppress: Vec<u32>,
    /// Tokens not sampled first, as listed by the checkpoint.
    pub suppress_first: Vec<u32>,
}

/// Reads weights, dimensions and settings of a folder.
pub(crate) fn read(dir: &Path) -> Result<(Weights, Config, Settings), Error> {
    let json = |name: &str| -> Result<Value, Error> {
        let path = dir.join(name);
        if path.is_file() { read_json(&path, 16 << 20) } else { Ok(Value::Null) }
    };
    let config = json("config.json")?;
    match Kind::detect(dir)? {
        Kind::CTranslate2 => {
            let (weights, heads) = ct2::read(dir)?;
            let dims = Config::from_weights(&weights, heads.encoder, heads.decoder)?;
            let settings =
                Settings { suppress: ids(&config["suppress_ids"]), suppress_first: ids(&config["suppress_ids_begin"]) };
            Ok((weights, dims, settings))
        }
        Kind::Safetensors => {
            let path = dir.join("config.json");
            let heads = |key: &str| {
                let n = config[key].as_u64().filter(|n| (1..=1024).contains(n));
                n.map(|n| n as usize)
                    .ok_or_else(|| Error::malformed(&path, format!("{key} is missing or not in 1..=1024")))
            };
            let (encoder, decoder) = (heads("encoder_attention_heads")?, heads("decoder_attention_heads")?);
            let weights = safetensors::read(dir)?;
            let dims = Config::from_weights(&weights, encoder, decoder)?;
            let generation = json("generation_config.json")?;
            let list = |key: &str| {
                let found = ids(&generation[key]);
                if found.is_empty() { ids(&config[key]) } else { found }
            };
            let settings =
                Settings { suppress: list("suppress_tokens"), suppress_first: list("begin_suppress_tokens") };
            Ok((weights, dims, settings))
        }
    }
}

fn ids(list: &Value) -> Vec<u32> {
    let values = list.as_array().into_iter().flatten();
    values.filter_map(|v| v.as_u64().and_then(|v| u32::try_from(v).ok())).collect()
}

impl Config {
    /// Finds the dimensions from the shapes and checks that they fit each other and are within sane limits.
    pub(crate) fn from_weights(w: &Weights, encoder_heads: usize, decoder_heads: usize) -> Result<Self, Error> {
        let dims = |name: &str, rank: usize| {
            let shape = w.shape(name)?.to_vec();
            if shape.len() == rank {
                return Ok(shape);
            }
            let (path, name, expected) = (w.path().to_path_buf(), name.to_owned(), vec![0; rank]);
            Err(Error::Shape { path, name, expected, actual: shape })
        };
        let conv = dims("encoder.conv1.weight", 3)?;
        let embedding = dims("decoder.embed_tokens.weight", 2)?;
        let layers = |side: &str| (0..).take_while(|i| w.contains(&format!("{side}.layers.{i}.fc1.weight"))).count();
        let config = Self {
            mels: conv[1],
            width: embedding[1],
            encoder_layers: layers("encoder"),
            encoder_heads,
            decoder_layers: layers("decoder"),
            decoder_heads,
            inner: dims("encoder.layers.0.fc1.weight", 2)?[0],
            vocabulary: embedding[0],
            audio_context: dims("encoder.embed_positions.weight", 2)?[0],
            text_context: dims("decoder.embed_positions.weight", 2)?[0],
        };
        let limits = [
            ("mel bands", config.mels, 1, 512),
            ("width", config.width, 1, 8192),
            ("encoder layers", config.encoder_layers, 1, 256),
            ("decoder layers", config.decoder_layers, 1, 256),
            ("inner width", config.inner, 1, 65_536),
            ("vocabulary", config.vocabulary, 51_864, 51_866),
            ("encoder positions", config.audio_context, 1, 1500),
            ("decoder positions", config.text_context, 8, 4096),
        ];
        for (what, value, low, high) in limits {
            if !(low..=high).contains(&value) {
                let what = format!("{what} {value}, expected {low} to {high}");
                return Err(Error::Unsupported { path: w.path().to_path_buf(), what });
            }
        }
        for heads in [encoder_heads, decoder_heads] {
            if !config.width.is_multiple_of(heads) {
                let what = format!("width {} with {heads} heads", config.width);
                return Err(Error::Unsupported { path: w.path().to_path_buf(), what });
            }
        }
        Ok(config)
    }

    /// Whether the model knows more than English.
    #[must_use]
    pub fn multilingual(&self) -> bool {
        self.vocabulary >= 51_865
    }

    /// Size class as OpenAI names it, by width and depth, or `custom`.
    #[must_use]
    pub fn size_class(&self) -> &'static str {
        match (self.width, self.encoder_layers, self.decoder_layers, self.mels) {
            (384, 4, 4, _) => "tiny",
            (512, 6, 6, _) => "base",
            (768, 12, 12, _) => "small",
            (1024, 24, 24, _) => "medium",
            (1280, 32, 32, 80) => "large",
            (1280, 32, 32, 128) => "large-v3",
            (1280, 32, 4, 128) => "large-v3-turbo",
            _ => "custom",
        }
    }
}

/// Ids of the special tokens. They follow the text tokens in a fixed order, so arithmetic on the vocabulary size gives them
/// all, also where the tokenizer file lists none of the timestamps (tiny.en).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// End of text; every smaller id is text.
    pub end_of_text: u32,
    /// Start of transcript.
    pub start: u32,
    /// First language token, of English.
    pub first_language: u32,
    /// Number of language tokens: 99, or 100 for large-v3.
    pub languages: u32,
    /// Translate task.
    pub translate: u32,
    /// Transcribe task.
    pub transcribe: u32,
    /// Start of language model.
    pub start_of_lm: u32,
    /// Start of previous text.
    pub start_of_previous: u32,
    /// No speech.
    pub no_speech: u32,
    /// No timestamps.
    pub no_timestamps: u32,
    /// First of 1501 timestamps: 0.00 s to 30.00 s in steps of 0.02 s.
    pub first_timestamp: u32,
}

impl SpecialTokens {
    /// Ids for a vocabulary of 51864, 51865 or 51866 tokens.
    #[must_use]
    pub fn new(vocabulary: usize) -> Self {
        let multilingual = u32::from(vocabulary >= 51_865);
        let languages = vocabulary as u32 - 51_765 - multilingual;
        let end_of_text = 50_256 + multilingual;
        let after = end_of_text + 2 + languages;
        Self {
            end_of_text,
            start: end_of_text + 1,
            first_language: end_of_text + 2,
            languages,
            translate: after,
            transcribe: after + 1,
            start_of_lm: after + 2,
            start_of_previous: after + 3,
            no_speech: after + 4,
            no_timestamps: after + 5,
            first_timestamp: after + 6,
        }
    }

    /// Token of a language code, if this vocabulary has it.
    #[must_use]
    pub fn language(&self, code: &str) -> Option<u32> {
        let i = LANGUAGES.iter().position(|l| *l == code)? as u32;
        (i < self.languages).then_some(self.first_language + i)
    }
}

/// Language codes in the order of their tokens; the last one exists from large-v3 on. Source: openai-whisper 20250625 (MIT).
pub const LANGUAGES: [&str; 100] = [
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi", "fi",
    "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi", "ml",
    "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs",
    "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am",
    "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su", "yue",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids as in the tokenizer files of openai/whisper-tiny.en, -base and -large-v3.
    #[test]
    fn special_ids_follow_from_the_size_of_the_vocabulary() {
        let ids = |n| {
            let s = SpecialTokens::new(n);
            assert_eq!(s.first_timestamp as usize + 1501, n, "1501 timestamps end the vocabulary");
            (
                s.end_of_text,
                s.start,
                s.languages,
                s.translate,
                s.transcribe,
                s.start_of_previous,
                s.no_speech,
                s.no_timestamps,
            )
        };
        assert_eq!(ids(51_864), (50_256, 50_257, 99, 50_357, 50_358, 50_360, 50_361, 50_362));
        assert_eq!(ids(51_865), (50_257, 50_258, 99, 50_358, 50_359, 50_361, 50_362, 50_363));
        assert_eq!(ids(51_866), (50_257, 50_258, 100, 50_359, 50_360, 50_362, 50_363, 50_364));
        assert_eq!(SpecialTokens::new(51_865).language("ru"), Some(50_263));
        assert_eq!(SpecialTokens::new(51_865).language("yue"), None);
        assert_eq!(SpecialTokens::new(51_866).language("yue"), Some(50_358));
    }
}
