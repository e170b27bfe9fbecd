//! Token ids to text. Whisper's tokens are byte-level BPE, so decoding needs only the bytes of each token.

use crate::Error;
use crate::checkpoint::read_json;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Bytes of every text token.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    tokens: Vec<Vec<u8>>,
}

/// The symbol of GPT-2's byte alphabet to its byte: printable Latin-1 stands for itself, the rest follows from U+0100 on.
fn byte_alphabet() -> HashMap<char, u8> {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 0x100u32;
    let mut map = HashMap::new();
    for b in 0..=255u8 {
        let symbol = if printable(b) {
            char::from(b)
        } else {
            next += 1;
            char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        map.insert(symbol, b);
    }
    map
}

impl Tokenizer {
    /// Reads `tokenizer.json` (its `model.vocab`), or else `vocab.json`, `vocabulary.json` or `vocabulary.txt`, keeping the text tokens, which
    /// are those below `end_of_text`.
    ///
    /// # Errors
    /// [`Error::NoCheckpoint`] if there is none of them, [`Error::Malformed`] if tokens are missing.
    pub fn read(dir: &Path, end_of_text: u32) -> Result<Self, Error> {
        const LIMIT: u64 = 64 << 20;
        let names = ["tokenizer.json", "vocab.json", "vocabulary.json", "vocabulary.txt"];
        let Some(path) = names.iter().map(|n| dir.join(n)).find(|p| p.is_file()) else {
            let hint = format!("; and no token list: expected one of {}", names.join(", "));
            return Err(Error::NoCheckpoint { path: dir.to_path_buf(), hint });
        };
        let mut tokens = vec![None; end_of_text as usize];
        let mut put = |text: &str, id: u64, alphabet: &HashMap<char, u8>| {
            if let Some(slot) = usize::try_from(id).ok().and_then(|i| tokens.get_mut(i)) {
                *slot = text.chars().map(|c| alphabet.get(&c).copied()).collect::<Option<Vec<u8>>>();
            }
        };
        let alphabet = byte_alphabet();
        if path.extension().is_some_and(|e| e == "txt") {
            let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
            text.lines().enumerate().for_each(|(i, line)| put(line, i as u64, &alphabet));
        } else {
            let json = read_json(&path, LIMIT)?;
            let vocabulary = if path.ends_with("tokenizer.json") { &json["model"]["vocab"] } else { &json };
            match (vocabulary.as_object(), vocabulary.as_array()) {
                (Some(map), _) => {
                    map.iter().for_each(|(text, id)| put(text, id.as_u64().unwrap_or(u64::MAX), &alphabet))
                }
                (_, Some(list)) => {
                    list.iter()
                        .enumerate()
                        .for_each(|(i, text)| put(text.as_str().unwrap_or_default(), i as u64, &alphabet));
                }
                _ => return Err(Error::malformed(&path, "no vocabulary object or list")),
            }
        }
        let missing = tokens.iter().filter(|t| t.is_none()).count();
        if missing > 0 {
            return Err(Error::malformed(
                &path,
                format!("{missing} of {end_of_text} text tokens are missing or not byte-level BPE"),
            ));
        }
        Ok(Self { tokens: tokens.into_iter().flatten().collect() })
    }

    /// Text of the text tokens among `ids`; broken UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().filter_map(|id| self.tokens.get(*id as usize)).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Tokens that would write speaker tags, brackets, music notes and other annotations of what is not spoken: the list of
    /// openai-whisper's `non_speech_tokens`, for checkpoints that do not bring it.
    #[must_use]
    pub fn non_speech(&self) -> Vec<u32> {
        const SYMBOLS: &str = "\" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪ ♩ ♪ ♫ ♬ ♭ ♮ ♯";
        let ids: HashMap<&[u8], u32> = self.tokens.iter().zip(0..).map(|(t, i)| (t.as_slice(), i)).collect();
        let mut out: BTreeSet<u32> = [b" -".as_slice(), b" '"].iter().filter_map(|t| ids.get(t).copied()).collect();
        for symbol in SYMBOLS.split(' ') {
            for text in [symbol.to_owned(), format!(" {symbol}")] {
                if let Some(id) = ids.get(text.as_bytes()) {
                    out.insert(*id);
                }
            }
        }
        // Music notes are several tokens; their shared first two bytes (with and without a space) are one.
        out.extend([b"\xe2\x99".as_slice(), b" \xe2\x99"].iter().filter_map(|t| ids.get(t).copied()));
        out.into_iter().collect()
    }
}
