//! The phonemes, their articulatory features, and what one in place of another costs.
//!
//! Features are those of the chart of the International Phonetic Association (revised to 2020): place, manner and voicing of
//! consonants, height, backness and rounding of vowels; besides, aspiration of consonants, length and off-glide of
//! vowels. English phonemes carry the names of the CMU dictionary (ARPAbet) as well. Its `AH` is ʌ when stressed and ə
//! when not; the stress is stripped here, so `AH` has the features of ə, by far the more frequent.
//!
//! **Cost** of one phoneme for another: the share of features that differ (of 4 for two consonants, of 5 for two
//! vowels); 1 for a vowel and a consonant. A phoneme without counterpart costs 0.45: an insertion and a deletion together
//! (0.9) are cheaper than a vowel for a consonant, so these are never opposite each other, and dearer than any other
//! substitution except of phonemes that share no feature.

/// Where a consonant is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the terms of the IPA chart")]
pub enum Place {
    Bilabial,
    Labiodental,
    LabialVelar,
    Dental,
    Alveolar,
    Postalveolar,
    Retroflex,
    Palatal,
    Velar,
    Uvular,
    Glottal,
    /// That of the vowel before: nasalisation written as a segment of its own.
    OfVowel,
}

/// How a consonant is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the terms of the IPA chart")]
pub enum Manner {
    Plosive,
    Affricate,
    Fricative,
    Nasal,
    Trill,
    Tap,
    Approximant,
    Lateral,
}

/// How high the tongue is in a vowel; of the first part of a diphthong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the terms of the IPA chart")]
pub enum Height {
    Close,
    NearClose,
    CloseMid,
    Mid,
    OpenMid,
    NearOpen,
    Open,
}

/// How far back the tongue is in a vowel; of the first part of a diphthong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the terms of the IPA chart")]
pub enum Backness {
    Front,
    Central,
    Back,
}

/// What a vowel ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glide {
    /// As it began.
    None,
    /// Towards i.
    Front,
    /// Towards u.
    Back,
    /// r-coloured.
    Rhotic,
}

/// Articulatory features of a phoneme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Features {
    /// A consonant.
    Consonant {
        /// Where.
        place: Place,
        /// How.
        manner: Manner,
        /// With voice.
        voiced: bool,
        /// With a breath.
        aspirated: bool,
    },
    /// A vowel.
    Vowel {
        /// Height of the tongue.
        height: Height,
        /// Backness of the tongue.
        backness: Backness,
        /// Lips rounded.
        rounded: bool,
        /// Long, where a language tells long from short.
        long: bool,
        /// What it ends in.
        glide: Glide,
    },
}

/// A phoneme of [`INVENTORY`], by its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phoneme(u8);

/// One row of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Symbol of the International Phonetic Alphabet.
    pub ipa: &'static str,
    /// Name in the CMU dictionary, of English phonemes.
    pub arpabet: Option<&'static str>,
    /// Features.
    pub features: Features,
}

/// One twentieth: every cost is a whole number of these.
pub const COST_UNITS: u32 = 20;
/// Cost of an insertion or deletion, in [`COST_UNITS`]: 0.45.
pub const GAP_COST: u32 = 9;

impl Phoneme {
    /// Every phoneme, in the order of the inventory.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..INVENTORY.len() as u8).map(Self)
    }

    /// The row of the inventory.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &INVENTORY[usize::from(self.0)]
    }

    /// Its place in the inventory.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The IPA symbol.
    #[must_use]
    pub fn ipa(self) -> &'static str {
        self.entry().ipa
    }

    /// Whether it is a vowel.
    #[must_use]
    pub fn is_vowel(self) -> bool {
        matches!(self.entry().features, Features::Vowel { .. })
    }

    /// The phoneme of an ARPAbet name, without stress digit.
    #[must_use]
    pub fn from_arpabet(name: &str) -> Option<Self> {
        Self::all().find(|p| p.entry().arpabet == Some(name))
    }

    /// The phoneme of an IPA symbol of the inventory.
    #[must_use]
    pub fn from_ipa(symbol: &str) -> Option<Self> {
        Self::all().find(|p| p.ipa() == symbol)
    }

    /// Cost of this phoneme for the other, in [`COST_UNITS`]: 0 for the same, at most [`COST_UNITS`].
    #[must_use]
    pub fn cost(self, other: Self) -> u32 {
        use Features::{Consonant, Vowel};
        match (self.entry().features, other.entry().features) {
            (
                Consonant { place, manner, voiced, aspirated },
                Consonant { place: place2, manner: manner2, voiced: voiced2, aspirated: aspirated2 },
            ) => share(&[place != place2, manner != manner2, voiced != voiced2, aspirated != aspirated2]),
            (
                Vowel { height, backness, rounded, long, glide },
                Vowel { height: height2, backness: backness2, rounded: rounded2, long: long2, glide: glide2 },
            ) => {
                share(&[height != height2, backness != backness2, rounded != rounded2, long != long2, glide != glide2])
            }
            _ => COST_UNITS,
        }
    }
}

fn share(differs: &[bool]) -> u32 {
    let differing = differs.iter().filter(|d| **d).count() as u32;
    COST_UNITS * differing / differs.len() as u32
}

const fn c(
    ipa: &'static str,
    arpabet: Option<&'static str>,
    place: Place,
    manner: Manner,
    voiced: bool,
    aspirated: bool,
) -> Entry {
    Entry { ipa, arpabet, features: Features::Consonant { place, manner, voiced, aspirated } }
}

const fn v(
    ipa: &'static str,
    arpabet: Option<&'static str>,
    height: Height,
    backness: Backness,
    rounded: bool,
    long: bool,
    glide: Glide,
) -> Entry {
    Entry { ipa, arpabet, features: Features::Vowel { height, backness, rounded, long, glide } }
}

const VOICED: bool = true;
const VOICELESS: bool = false;
const ASPIRATED: bool = true;
const PLAIN: bool = false;
const ROUND: bool = true;
const SPREAD: bool = false;
const LONG: bool = true;
const SHORT: bool = false;

/// Every phoneme of English, Hindi, Marathi and Telugu: consonants by manner and place, then vowels.
pub static INVENTORY: &[Entry] = {
    use Backness::{Back, Central, Front};
    use Height::{Close, CloseMid, Mid, NearClose, NearOpen, Open, OpenMid};
    use Manner::{Affricate, Approximant, Fricative, Lateral, Nasal, Plosive, Tap, Trill};
    use Place::{
        Alveolar, Bilabial, Dental, Glottal, LabialVelar, Labiodental, OfVowel, Palatal, Postalveolar, Retroflex,
        Uvular, Velar,
    };
    &[
        c("p", Some("P"), Bilabial, Plosive, VOICELESS, PLAIN),
        c("b", Some("B"), Bilabial, Plosive, VOICED, PLAIN),
        c("t", Some("T"), Alveolar, Plosive, VOICELESS, PLAIN),
        c("d", Some("D"), Alveolar, Plosive, VOICED, PLAIN),
        c("k", Some("K"), Velar, Plosive, VOICELESS, PLAIN),
        c("ɡ", Some("G"), Velar, Plosive, VOICED, PLAIN),
        c("pʰ", None, Bilabial, Plosive, VOICELESS, ASPIRATED),
        c("bʱ", None, Bilabial, Plosive, VOICED, ASPIRATED),
        c("t̪", None, Dental, Plosive, VOICELESS, PLAIN),
        c("t̪ʰ", None, Dental, Plosive, VOICELESS, ASPIRATED),
        c("d̪", None, Dental, Plosive, VOICED, PLAIN),
        c("d̪ʱ", None, Dental, Plosive, VOICED, ASPIRATED),
        c("ʈ", None, Retroflex, Plosive, VOICELESS, PLAIN),
        c("ʈʰ", None, Retroflex, Plosive, VOICELESS, ASPIRATED),
        c("ɖ", None, Retroflex, Plosive, VOICED, PLAIN),
        c("ɖʱ", None, Retroflex, Plosive, VOICED, ASPIRATED),
        c("kʰ", None, Velar, Plosive, VOICELESS, ASPIRATED),
        c("ɡʱ", None, Velar, Plosive, VOICED, ASPIRATED),
        c("q", None, Uvular, Plosive, VOICELESS, PLAIN),
        c("tʃ", Some("CH"), Postalveolar, Affricate, VOICELESS, PLAIN),
        c("dʒ", Some("JH"), Postalveolar, Affricate, VOICED, PLAIN),
        c("tʃʰ", None, Postalveolar, Affricate, VOICELESS, ASPIRATED),
        c("dʒʱ", None, Postalveolar, Affricate, VOICED, ASPIRATED),
        c("ts", None, Alveolar, Affricate, VOICELESS, PLAIN),
        c("dz", None, Alveolar, Affricate, VOICED, PLAIN),
        c("f", Some("F"), Labiodental, Fricative, VOICELESS, PLAIN),
        c("v", Some("V"), Labiodental, Fricative, VOICED, PLAIN),
        c("θ", Some("TH"), Dental, Fricative, VOICELESS, PLAIN),
        c("ð", Some("DH"), Dental, Fricative, VOICED, PLAIN),
        c("s", Some("S"), Alveolar, Fricative, VOICELESS, PLAIN),
        c("z", Some("Z"), Alveolar, Fricative, VOICED, PLAIN),
        c("ʃ", Some("SH"), Postalveolar, Fricative, VOICELESS, PLAIN),
        c("ʒ", Some("ZH"), Postalveolar, Fricative, VOICED, PLAIN),
        c("ʂ", None, Retroflex, Fricative, VOICELESS, PLAIN),
        c("x", None, Velar, Fricative, VOICELESS, PLAIN),
        c("ɣ", None, Velar, Fricative, VOICED, PLAIN),
        c("h", Some("HH"), Glottal, Fricative, VOICELESS, PLAIN),
        c("ɦ", None, Glottal, Fricative, VOICED, PLAIN),
        c("m", Some("M"), Bilabial, Nasal, VOICED, PLAIN),
        c("n", Some("N"), Alveolar, Nasal, VOICED, PLAIN),
        c("ɳ", None, Retroflex, Nasal, VOICED, PLAIN),
        c("ɲ", None, Palatal, Nasal, VOICED, PLAIN),
        c("ŋ", Some("NG"), Velar, Nasal, VOICED, PLAIN),
        c("˜", None, OfVowel, Nasal, VOICED, PLAIN),
        c("ɾ", None, Alveolar, Tap, VOICED, PLAIN),
        c("ɽ", None, Retroflex, Tap, VOICED, PLAIN),
        c("ɽʱ", None, Retroflex, Tap, VOICED, ASPIRATED),
        c("r", None, Alveolar, Trill, VOICED, PLAIN),
        c("ɹ", Some("R"), Alveolar, Approximant, VOICED, PLAIN),
        c("l", Some("L"), Alveolar, Lateral, VOICED, PLAIN),
        c("ɭ", None, Retroflex, Lateral, VOICED, PLAIN),
        c("ɻ", None, Retroflex, Approximant, VOICED, PLAIN),
        c("ʋ", None, Labiodental, Approximant, VOICED, PLAIN),
        c("w", Some("W"), LabialVelar, Approximant, VOICED, PLAIN),
        c("j", Some("Y"), Palatal, Approximant, VOICED, PLAIN),
        v("i", Some("IY"), Close, Front, SPREAD, SHORT, Glide::None),
        v("iː", None, Close, Front, SPREAD, LONG, Glide::None),
        v("ɪ", Some("IH"), NearClose, Front, SPREAD, SHORT, Glide::None),
        v("e", None, CloseMid, Front, SPREAD, SHORT, Glide::None),
        v("eː", None, CloseMid, Front, SPREAD, LONG, Glide::None),
        v("eɪ", Some("EY"), CloseMid, Front, SPREAD, SHORT, Glide::Front),
        v("ɛ", Some("EH"), OpenMid, Front, SPREAD, SHORT, Glide::None),
        v("ɛː", None, OpenMid, Front, SPREAD, LONG, Glide::None),
        v("æ", Some("AE"), NearOpen, Front, SPREAD, SHORT, Glide::None),
        v("ə", Some("AH"), Mid, Central, SPREAD, SHORT, Glide::None),
        v("ɝ", Some("ER"), Mid, Central, SPREAD, SHORT, Glide::Rhotic),
        v("a", None, Open, Central, SPREAD, SHORT, Glide::None),
        v("aː", None, Open, Central, SPREAD, LONG, Glide::None),
        v("aɪ", Some("AY"), Open, Central, SPREAD, SHORT, Glide::Front),
        v("aʊ", Some("AW"), Open, Central, SPREAD, SHORT, Glide::Back),
        v("ɑ", Some("AA"), Open, Back, SPREAD, SHORT, Glide::None),
        v("ɔ", Some("AO"), OpenMid, Back, ROUND, SHORT, Glide::None),
        v("ɔː", None, OpenMid, Back, ROUND, LONG, Glide::None),
        v("ɔɪ", Some("OY"), OpenMid, Back, ROUND, SHORT, Glide::Front),
        v("o", None, CloseMid, Back, ROUND, SHORT, Glide::None),
        v("oː", None, CloseMid, Back, ROUND, LONG, Glide::None),
        v("oʊ", Some("OW"), CloseMid, Back, ROUND, SHORT, Glide::Back),
        v("ʊ", Some("UH"), NearClose, Back, ROUND, SHORT, Glide::None),
        v("u", Some("UW"), Close, Back, ROUND, SHORT, Glide::None),
        v("uː", None, Close, Back, ROUND, LONG, Glide::None),
    ]
};
