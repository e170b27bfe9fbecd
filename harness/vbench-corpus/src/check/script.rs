//! The script of a letter, and the scripts that a language is written in.
//!
//! Ranges are those of the `Script` property of letters (`Alphabetic`) in the Unicode Character Database, Scripts.txt of
//! version 14, joined across characters that are no letters; a test holds them against a later version.

use Script::*;

/// Scripts that are told apart; letters of any other are not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Unicode's")]
pub enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    Devanagari,
    Bengali,
    Gurmukhi,
    Gujarati,
    Oriya,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Sinhala,
    Thai,
    Lao,
    Tibetan,
    Myanmar,
    Georgian,
    Hangul,
    Ethiopic,
    Khmer,
    Mongolian,
    Hiragana,
    Katakana,
    Bopomofo,
    Han,
}

/// Scripts with their ISO 15924 codes.
const CODES: [(Script, &str); 29] = [
    (Latin, "Latn"),
    (Greek, "Grek"),
    (Cyrillic, "Cyrl"),
    (Armenian, "Armn"),
    (Hebrew, "Hebr"),
    (Arabic, "Arab"),
    (Devanagari, "Deva"),
    (Bengali, "Beng"),
    (Gurmukhi, "Guru"),
    (Gujarati, "Gujr"),
    (Oriya, "Orya"),
    (Tamil, "Taml"),
    (Telugu, "Telu"),
    (Kannada, "Knda"),
    (Malayalam, "Mlym"),
    (Sinhala, "Sinh"),
    (Thai, "Thai"),
    (Lao, "Laoo"),
    (Tibetan, "Tibt"),
    (Myanmar, "Mymr"),
    (Georgian, "Geor"),
    (Hangul, "Hang"),
    (Ethiopic, "Ethi"),
    (Khmer, "Khmr"),
    (Mongolian, "Mong"),
    (Hiragana, "Hira"),
    (Katakana, "Kana"),
    (Bopomofo, "Bopo"),
    (Han, "Hani"),
];

/// First and last letter of a range, in order.
const RANGES: [(u32, u32, Script); 102] = [
    (0x0041, 0x00AA, Latin),
    (0x00BA, 0x02B8, Latin),
    (0x02E0, 0x02E4, Latin),
    (0x0370, 0x0373, Greek),
    (0x0376, 0x03E1, Greek),
    (0x03F0, 0x03FF, Greek),
    (0x0400, 0x052F, Cyrillic),
    (0x0531, 0x0588, Armenian),
    (0x05B0, 0x05F2, Hebrew),
    (0x0610, 0x063F, Arabic),
    (0x0641, 0x064A, Arabic),
    (0x0656, 0x066F, Arabic),
    (0x0671, 0x06FF, Arabic),
    (0x0750, 0x077F, Arabic),
    (0x0870, 0x08FF, Arabic),
    (0x0900, 0x097F, Devanagari),
    (0x0980, 0x09FC, Bengali),
    (0x0A01, 0x0A75, Gurmukhi),
    (0x0A81, 0x0AFC, Gujarati),
    (0x0B01, 0x0B71, Oriya),
    (0x0B82, 0x0BD7, Tamil),
    (0x0C00, 0x0C63, Telugu),
    (0x0C80, 0x0CF2, Kannada),
    (0x0D00, 0x0D7F, Malayalam),
    (0x0D81, 0x0DF3, Sinhala),
    (0x0E01, 0x0E4D, Thai),
    (0x0E81, 0x0EDF, Lao),
    (0x0F00, 0x0FBC, Tibetan),
    (0x1000, 0x109D, Myanmar),
    (0x10A0, 0x10FF, Georgian),
    (0x1100, 0x11FF, Hangul),
    (0x1200, 0x138F, Ethiopic),
    (0x1780, 0x17DC, Khmer),
    (0x1820, 0x18AA, Mongolian),
    (0x1C80, 0x1C88, Cyrillic),
    (0x1C90, 0x1CBF, Georgian),
    (0x1D00, 0x1D25, Latin),
    (0x1D26, 0x1D2A, Greek),
    (0x1D2B, 0x1D2B, Cyrillic),
    (0x1D2C, 0x1D5C, Latin),
    (0x1D5D, 0x1D61, Greek),
    (0x1D62, 0x1D65, Latin),
    (0x1D66, 0x1D6A, Greek),
    (0x1D6B, 0x1D77, Latin),
    (0x1D78, 0x1D78, Cyrillic),
    (0x1D79, 0x1DBE, Latin),
    (0x1DBF, 0x1DBF, Greek),
    (0x1E00, 0x1EFF, Latin),
    (0x1F00, 0x1FFC, Greek),
    (0x2071, 0x209C, Latin),
    (0x2126, 0x2126, Greek),
    (0x212A, 0x212B, Latin),
    (0x2132, 0x2132, Latin),
    (0x214E, 0x2188, Latin),
    (0x2C60, 0x2C7F, Latin),
    (0x2D00, 0x2D2D, Georgian),
    (0x2D80, 0x2DDE, Ethiopic),
    (0x2DE0, 0x2DFF, Cyrillic),
    (0x3005, 0x3005, Han),
    (0x3007, 0x3029, Han),
    (0x3038, 0x303B, Han),
    (0x3041, 0x309F, Hiragana),
    (0x30A1, 0x30FA, Katakana),
    (0x30FD, 0x30FF, Katakana),
    (0x3105, 0x312F, Bopomofo),
    (0x3131, 0x318E, Hangul),
    (0x31A0, 0x31BF, Bopomofo),
    (0x31F0, 0x31FF, Katakana),
    (0x3400, 0x9FFF, Han),
    (0xA640, 0xA69F, Cyrillic),
    (0xA722, 0xA787, Latin),
    (0xA78B, 0xA7FF, Latin),
    (0xA8F2, 0xA8FF, Devanagari),
    (0xA960, 0xA97C, Hangul),
    (0xA9E0, 0xA9FE, Myanmar),
    (0xAA60, 0xAA7F, Myanmar),
    (0xAB01, 0xAB2E, Ethiopic),
    (0xAB30, 0xAB64, Latin),
    (0xAB65, 0xAB65, Greek),
    (0xAB66, 0xAB69, Latin),
    (0xAC00, 0xD7FB, Hangul),
    (0xF900, 0xFAD9, Han),
    (0xFB00, 0xFB06, Latin),
    (0xFB13, 0xFB17, Armenian),
    (0xFB1D, 0xFB4F, Hebrew),
    (0xFB50, 0xFEFC, Arabic),
    (0xFF21, 0xFF5A, Latin),
    (0xFF66, 0xFF6F, Katakana),
    (0xFF71, 0xFF9D, Katakana),
    (0xFFA0, 0xFFDC, Hangul),
    (0x10140, 0x10174, Greek),
    (0x10780, 0x107BA, Latin),
    (0x16FE3, 0x16FF1, Han),
    (0x1AFF0, 0x1B000, Katakana),
    (0x1B001, 0x1B11F, Hiragana),
    (0x1B120, 0x1B122, Katakana),
    (0x1B150, 0x1B152, Hiragana),
    (0x1B164, 0x1B167, Katakana),
    (0x1DF00, 0x1DF1E, Latin),
    (0x1E7E0, 0x1E7FE, Ethiopic),
    (0x1EE00, 0x1EEBB, Arabic),
    (0x20000, 0x3134A, Han),
];

/// Languages (ISO 639, as BCP 47 tags begin) by the scripts that they are written in.
const LANGUAGES: [(&str, &[Script]); 27] = [
    (
        "af an ast az bm br bs ca ceb co cs cy da de en eo es et eu fi fil fo fr fur fy ga gd gl gn ha haw hr ht hu ia id ig is it \
         ilo jv kab kea la lb lg ln lt lv mg mi ms mt nap nb nl nn no nso ny oc om pap pl pt qu rm rn ro rw sc scn sk sl sm sn so \
         sq ss st su sv sw tl tn to tr ts tw uz vi vro wa wo xh yo zu",
        &[Latin],
    ),
    ("av ba be bg ce cv kk ky mk mn myv os ru rue sah tg tt tyv udm uk", &[Cyrillic]),
    ("sr", &[Cyrillic, Latin]),
    ("el", &[Greek]),
    ("hy", &[Armenian]),
    ("he yi", &[Hebrew]),
    ("ar arz ckb fa ps sd ug ur", &[Arabic]),
    ("awa bho doi gom hi kok mai mr ne sa", &[Devanagari]),
    ("as bn", &[Bengali]),
    ("pa", &[Gurmukhi, Arabic]),
    ("gu", &[Gujarati]),
    ("or", &[Oriya]),
    ("ta", &[Tamil]),
    ("te", &[Telugu]),
    ("kn", &[Kannada]),
    ("ml", &[Malayalam]),
    ("si", &[Sinhala]),
    ("th", &[Thai]),
    ("lo", &[Lao]),
    ("bo dz", &[Tibetan]),
    ("my", &[Myanmar]),
    ("ka", &[Georgian]),
    ("ko", &[Hangul, Han]),
    ("am ti", &[Ethiopic]),
    ("km", &[Khmer]),
    ("ja", &[Hiragana, Katakana, Han]),
    ("yue zh", &[Han, Bopomofo]),
];

impl Script {
    /// The script of a letter; `None` for what is no letter of a script told apart here.
    #[must_use]
    pub fn of(letter: char) -> Option<Self> {
        if letter.is_ascii() {
            return letter.is_ascii_alphabetic().then_some(Latin);
        }
        if !letter.is_alphabetic() {
            return None;
        }
        let code = u32::from(letter);
        let at = RANGES.partition_point(|r| r.1 < code);
        RANGES.get(at).filter(|r| r.0 <= code).map(|r| r.2)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// The scripts of a BCP 47 tag: of its script subtag (`sr-Latn`), else of its language; `None` where neither is known.
#[must_use]
pub fn scripts_of(tag: &str) -> Option<Vec<Script>> {
    let mut parts = tag.split(['-', '_']);
    let language = parts.next()?.to_ascii_lowercase();
    for part in parts.filter(|p| p.len() == 4) {
        match part.to_ascii_lowercase().as_str() {
            "hans" | "hant" => return Some(vec![Han, Bopomofo]),
            "jpan" => return Some(vec![Hiragana, Katakana, Han]),
            "kore" => return Some(vec![Hangul, Han]),
            code => {
                if let Some((script, _)) = CODES.iter().find(|(_, c)| c.eq_ignore_ascii_case(code)) {
                    return Some(vec![*script]);
                }
            }
        }
    }
    // English, also by its name or in three letters as Kaldi and ELAN have it.
    let language = LONG.iter().find(|(long, _)| *long == language).map_or(language.as_str(), |(_, short)| short);
    let found = LANGUAGES.iter().find(|(names, _)| names.split_whitespace().any(|n| n == language))?;
    Some(found.1.to_vec())
}

/// Other codes and names of languages in wide use.
const LONG: [(&str, &str); 28] = [
    ("eng", "en"),
    ("english", "en"),
    ("deu", "de"),
    ("ger", "de"),
    ("german", "de"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("french", "fr"),
    ("spa", "es"),
    ("spanish", "es"),
    ("ita", "it"),
    ("italian", "it"),
    ("rus", "ru"),
    ("russian", "ru"),
    ("por", "pt"),
    ("nld", "nl"),
    ("pol", "pl"),
    ("tur", "tr"),
    ("ara", "ar"),
    ("hin", "hi"),
    ("hindi", "hi"),
    ("tel", "te"),
    ("telugu", "te"),
    ("tam", "ta"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("cmn", "zh"),
    ("zho", "zh"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_apart() {
        assert!(RANGES.windows(2).all(|w| w[0].0 <= w[0].1 && w[0].1 < w[1].0));
    }

    #[test]
    fn tags_lead_to_scripts() {
        assert_eq!(scripts_of("en"), Some(vec![Latin]));
        assert_eq!(scripts_of("EN-us"), Some(vec![Latin]));
        assert_eq!(scripts_of("English"), Some(vec![Latin]));
        assert_eq!(scripts_of("te_IN"), Some(vec![Telugu]));
        assert_eq!(scripts_of("sr-Latn-RS"), Some(vec![Latin]));
        assert_eq!(scripts_of("zh-Hant-TW"), Some(vec![Han, Bopomofo]));
        assert_eq!(scripts_of("pa-Arab"), Some(vec![Arabic]));
        for unknown in ["", "xx", "tlh", "-", "mul"] {
            assert_eq!(scripts_of(unknown), None, "{unknown}");
        }
        let mut all: Vec<&str> = LANGUAGES.iter().flat_map(|(names, _)| names.split_whitespace()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a language stands twice");
        assert!(LONG.iter().all(|(_, short)| all.binary_search(short).is_ok()));
    }
}
