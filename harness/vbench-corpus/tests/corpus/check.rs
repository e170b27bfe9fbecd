//! Every finding: a corpus that has it, and one that has not.

use std::collections::BTreeSet;

use vbench_core::Utterance;
use vbench_corpus::check::{Checked, Code, Fingerprint, Heard, Item, Limits, Severity, Sound, check, check_text};

/// A corpus without a finding, which tests break.
#[derive(Clone)]
struct Corpus {
    utterances: Vec<Utterance>,
    splits: Vec<Option<&'static str>>,
    heard: Vec<Heard>,
}

/// Something that sounds like words: bursts of noise in bands that change.
fn speech(seed: u64, seconds: f64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut out = Vec::new();
    while out.len() < (seconds * 16_000.0) as usize {
        let (f1, f2) = (300.0 + 600.0 * random(), 900.0 + 1800.0 * random());
        let (length, loud) = (1200 + (2400.0 * random()) as usize, 0.02 + 0.1 * random());
        for i in 0..length {
            let t = i as f64 / 16_000.0;
            let tone = (std::f64::consts::TAU * f1 * t).sin() + 0.7 * (std::f64::consts::TAU * f2 * t).sin();
            out.push((loud * (tone + random() - 0.5)) as f32);
        }
    }
    out.truncate((seconds * 16_000.0) as usize);
    out
}

fn sound(index: usize, seconds: f64) -> Sound {
    Sound {
        rate_hz: 16_000,
        channels: 1,
        seconds,
        peak: 0.5,
        clipped: 0.0,
        dc: 0.0,
        level_dbfs: Some(-25.0),
        activity: 0.9,
        noise_dbfs: -65.0,
        samples_sha256: format!("{index:064x}"),
        fingerprint: Fingerprint::default(),
    }
}

impl Corpus {
    fn clean() -> Self {
        const WORDS: [&str; 7] = ["river", "stone", "cloud", "light", "green", "horse", "table"];
        let utterance = |i: usize| Utterance {
            id: format!("u{i:02}"),
            audio: format!("u{i:02}.wav").into(),
            text: (0..6).map(|k| WORDS[(i / 7usize.pow(k % 3) + k as usize * 2) % 7]).collect::<Vec<_>>().join(" ")
                + ".",
            speaker: Some(format!("s{}", i % 5)),
            session: Some(format!("x{}", i % 5)),
            language: Some("en".into()),
            duration_s: Some(2.0 + 0.01 * i as f64),
            tags: [("licence".to_owned(), "CC0-1.0".to_owned())].into(),
            ..Utterance::default()
        };
        Self {
            utterances: (0..40).map(utterance).collect(),
            splits: (0..40).map(|i| Some(if i % 5 == 4 { "test" } else { "train" })).collect(),
            heard: (0..40).map(|i| Heard::Sound(Box::new(sound(i, 2.0 + 0.01 * i as f64)))).collect(),
        }
    }

    fn check(&self) -> Checked {
        let both = self.utterances.iter().zip(&self.splits);
        let items: Vec<Item<'_>> = both.map(|(utterance, split)| Item { utterance, split: *split }).collect();
        check(&items, Some(&self.heard), &Limits::default())
    }

    fn sound(&mut self, i: usize) -> &mut Sound {
        match &mut self.heard[i] {
            Heard::Sound(sound) => sound,
            other => panic!("{other:?}"),
        }
    }

    /// Breaks utterance 7 (and, where it takes two, 8 or 9) so that it has a finding.
    fn break_it(&mut self, code: Code) {
        let text = |s: &str| Some(s.to_owned());
        let new_text = match code {
            Code::TextEmpty => text("  "),
            Code::TextWithoutWords => text("... !"),
            Code::TextControl => text("river stone\u{7} cloud light green horse"),
            Code::TextBroken => text("the cafÃ© is closed today, they say"),
            Code::TextBidi => text("river \u{202e}stone cloud light green horse"),
            Code::TextInvisible => text("river sto\u{200b}ne cloud light green horse"),
            Code::TextScript => text("река камень облако свет зелёный конь"),
            Code::TextMixedScript => text("river st\u{43e}ne cloud light green horse"),
            Code::TextForeign => text("river stone река light green horse"),
            Code::TextNumbers => text("river stone 42 cloud light green"),
            Code::TextMarkup => text("river <unk> stone cloud light green"),
            Code::TextRepeated => text("no no no no no river stone green"),
            Code::TextSpacing => text("river  stone cloud light green horse"),
            Code::TextNotNfc => text("the cafe\u{301} is closed today, they say"),
            Code::TextDuplicate => Some(self.utterances[8].text.to_uppercase()),
            Code::TextInTwoSplits => Some(self.utterances[9].text.clone()),
            Code::RateFast => Some("river stone cloud light green horse ".repeat(8)),
            Code::RateSlow => text("o"),
            _ => None,
        };
        if let Some(text) = new_text {
            self.utterances[7].text = text;
            return;
        }
        let u = &mut self.utterances[7];
        match code {
            Code::IdDuplicate => u.id = "u08".into(),
            Code::SpeakerInTwoSplits => u.speaker = Some("s4".into()),
            Code::SessionInTwoSplits => u.session = Some("x4".into()),
            Code::RecordingInTwoSplits => u.audio = "u09.wav".into(),
            Code::LicenceMissing => u.tags.clear(),
            Code::SpeakerMissing => u.speaker = None,
            Code::LanguageMissing => u.language = None,
            Code::AudioUnreadable => self.heard[7] = Heard::Unreadable("cut off".into()),
            Code::AudioHash => self.heard[7] = Heard::OtherHash("another".into()),
            Code::DurationDiffers => self.sound(7).seconds = 2.3,
            Code::DurationShort => self.duration(7, 0.25, "a b"),
            Code::DurationLong => self.duration(7, 31.0, &"river stone cloud light green horse ".repeat(12)),
            Code::RateLow => self.heard.iter_mut().enumerate().for_each(|(i, h)| {
                *h = Heard::Sound(Box::new(Sound { rate_hz: 8000, ..sound(i, 2.0 + 0.01 * i as f64) }));
            }),
            Code::RateMixed => self.sound(7).rate_hz = 44_100,
            Code::AudioSilent => self.sound(7).level_dbfs = None,
            Code::Clipping => self.sound(7).clipped = 0.002,
            Code::DcOffset => self.sound(7).dc = -0.02,
            Code::SilenceShare => self.sound(7).activity = 0.2,
            Code::LevelLow => self.sound(7).level_dbfs = Some(-45.0),
            Code::LevelHigh => self.sound(7).level_dbfs = Some(-8.0),
            Code::SnrLow => self.sound(7).noise_dbfs = -35.0,
            Code::AudioDuplicate => {
                let hash = self.sound(8).samples_sha256.clone();
                self.sound(7).samples_sha256 = hash;
                self.utterances[7].text = self.utterances[8].text.clone();
            }
            Code::AudioTwoTexts => {
                let hash = self.sound(8).samples_sha256.clone();
                self.sound(7).samples_sha256 = hash;
            }
            Code::AudioInTwoSplits => {
                let hash = self.sound(9).samples_sha256.clone();
                self.sound(7).samples_sha256 = hash;
            }
            Code::AudioNearDuplicate => {
                let samples = speech(1, 2.5);
                // Quieter by 14 dB, and begins 100.5 ms later.
                let other: Vec<f32> = [0.0; 1608].iter().chain(&samples).map(|s| s * 0.2).collect();
                self.sound(7).fingerprint = Fingerprint::of(&samples);
                self.sound(8).fingerprint = Fingerprint::of(&other);
            }
            _ => panic!("no fixture for {code}"),
        }
    }

    fn duration(&mut self, i: usize, seconds: f64, text: &str) {
        self.utterances[i].duration_s = Some(seconds);
        self.utterances[i].text = text.into();
        self.sound(i).seconds = seconds;
    }
}

#[test]
fn a_clean_corpus_has_no_finding() {
    let found = Corpus::clean().check();
    assert_eq!(found.findings, [], "{found:#?}");
    assert_eq!(found.not_checked, Vec::<String>::new());
    assert_eq!(found.rates.len(), 1);
}

#[test]
fn every_finding_has_a_fixture() {
    let mut wrong = Vec::new();
    for code in Code::all().filter(|c| *c != Code::LineInvalid) {
        let mut corpus = Corpus::clean();
        corpus.break_it(code);
        let found = corpus.check();
        let names: Vec<&str> = found.findings.iter().map(|f| f.code.name()).collect();
        let hit = found.finding(code).is_some_and(|f| f.hits.iter().any(|h| [7, 8, 9].contains(&h.item)));
        // What else such an utterance rightly has.
        let implied: BTreeSet<Code> = match code {
            Code::RateFast => [Code::TextSpacing].into(),
            Code::DurationLong | Code::DurationShort => [Code::TextSpacing, Code::RateSlow].into(),
            Code::TextDuplicate | Code::TextBroken => [Code::AudioTwoTexts].into(),
            Code::AudioTwoTexts => [Code::AudioDuplicate].into(),
            Code::AudioNearDuplicate => [Code::AudioTwoTexts].into(),
            Code::AudioDuplicate => [Code::TextDuplicate].into(),
            Code::AudioInTwoSplits => [Code::AudioDuplicate, Code::AudioTwoTexts].into(),
            Code::RecordingInTwoSplits => BTreeSet::new(),
            Code::TextInTwoSplits => [Code::TextDuplicate].into(),
            Code::TextScript => [Code::RateSlow].into(),
            Code::TextWithoutWords | Code::TextEmpty => BTreeSet::new(),
            Code::TextRepeated => [Code::RateSlow].into(),
            _ => BTreeSet::new(),
        };
        let others: Vec<&str> = found
            .findings
            .iter()
            .filter(|f| f.code != code && !implied.contains(&f.code))
            .map(|f| f.code.name())
            .collect();
        if !hit || !others.is_empty() {
            wrong.push(format!("{code}: found {names:?}, beyond it {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn leaks_are_counted_outside_of_the_home_split() {
    let mut corpus = Corpus::clean();
    corpus.utterances[7].speaker = Some("s4".into());
    let found = corpus.check();
    let leak = found.finding(Code::SpeakerInTwoSplits).expect("a leak");
    assert_eq!(leak.hits.len(), 1, "{leak:?}");
    assert_eq!(&*leak.hits[0].detail, "speaker s4 is also in test");
    assert_eq!(found.count(Severity::Error), 1);
}

#[test]
fn a_corpus_of_few_utterances_says_what_was_not_checked() {
    let mut corpus = Corpus::clean();
    corpus.utterances.truncate(5);
    corpus.splits = vec![None; 5];
    corpus.heard.truncate(5);
    let notes = corpus.check().not_checked;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("one split") && notes[1].contains("speaking rate of 5"), "{notes:?}");
}

fn codes(text: &str, language: &str) -> Vec<&'static str> {
    check_text(text, Some(language), &Limits::default()).into_iter().map(|f| f.code.name()).collect()
}

#[test]
fn good_texts_of_many_languages_have_no_finding() {
    for (language, text) in [
        ("en", "It's a well-known fact: \"naïve\" cafés don't open at dawn."),
        ("pt", "NÃO, «MANHÃ» é cedo."),
        ("fr", "«CITÉ», dit-elle… à l'œil nu !"),
        ("de", "Größe, Straße, Übermut."),
        ("te", "ఈ రోజు వాతావరణం చాలా బాగుంది."),
        ("hi", "क्\u{200d}ष और र\u{94d}\u{200c}य"),
        ("fa", "می\u{200c}خواهم بروم"),
        ("ru", "Ещё раз, пожалуйста."),
        ("ja", "東京タワーへ行きます。"),
        ("ko", "안녕하세요"),
        ("zh-Hant", "臺灣"),
        ("ar", "مرحبا بالعالم"),
        ("th", "สวัสดีครับ"),
        ("el", "Καλημέρα"),
        ("xx", "любой text 日本"),
    ] {
        let found = codes(text, language);
        let allowed: &[&str] = if language == "fr" { &["text-spacing"] } else { &[] };
        assert!(found.iter().all(|c| allowed.contains(c)), "{language}: {text}: {found:?}");
    }
}

#[test]
fn odd_texts_are_told_apart() {
    for (language, text, expected) in [
        ("en", "a &amp; b", "text-markup"),
        ("en", "see https://example.org now", "text-markup"),
        ("en", "[laughter] yes", "text-markup"),
        ("en", "(inaudible)", "text-markup"),
        ("en", "well {uh} yes", "text-markup"),
        ("en", "one\\ntwo", "text-markup"),
        ("en", "AT&T is fine; truly", ""),
        ("en", "if a < b then", ""),
        ("ru", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "text-broken"),
        ("hi", "à¤¨à¤®à¤¸à¥\u{8d}à¤¤à¥‡", "text-broken"),
        ("en", "lost \u{fffd} letter", "text-broken"),
        ("en", "private \u{e000}", "text-broken"),
        ("hi", "नमस्ते ५ बार", "text-numbers"),
        ("en", "half ½", "text-numbers"),
        ("en", "aaaaaaah", "text-repeated"),
        ("en", "a\u{a0}b", "text-spacing"),
        ("te", "hello world", "text-script"),
        ("te", "ఈ రోజు hello", "text-foreign"),
        ("en", "pаypal", "text-mixed-script"),
        ("en", "zero\u{200d}width", "text-invisible"),
        ("en", "\t", "text-control"),
    ] {
        let found = codes(text, language);
        if expected.is_empty() {
            assert_eq!(found, Vec::<&str>::new(), "{text}");
        } else {
            assert!(found.contains(&expected), "{text}: {found:?}, expected {expected}");
        }
    }
}

#[test]
fn scripts_are_those_of_a_later_unicode() {
    use vbench_corpus::check::Script;
    let regex = |s: Script| regex::Regex::new(&format!(r"^\p{{Script={}}}$", s.name())).expect("a script");
    let mut seen: std::collections::BTreeMap<Script, regex::Regex> = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    // The standard library's Unicode may be newer than the one of the expressions.
    let unassigned = regex::Regex::new(r"^\p{Cn}$").expect("a category");
    let known = |c: &char| !unassigned.is_match(c.encode_utf8(&mut [0; 4]));
    for c in (0x80..0x32000).filter_map(char::from_u32).filter(known) {
        if let Some(script) = Script::of(c) {
            let pattern = seen.entry(script).or_insert_with(|| regex(script));
            if !pattern.is_match(c.encode_utf8(&mut [0; 4])) {
                wrong.push(format!("U+{:04X} {}", u32::from(c), script.name()));
            }
        }
    }
    assert_eq!(seen.len(), 29, "every script has letters");
    assert!(wrong.is_empty(), "{} letters: {}", wrong.len(), wrong[..wrong.len().min(40)].join(" "));
}

proptest::proptest! {
    #[test]
    fn any_text_is_checked_and_every_excerpt_is_short(text in "\\PC{0,80}|[a-zé0-9<>&;\\[\\]() \u{200b}\u{202e}Ã©]{0,60}", language in "[a-z]{0,3}(-[A-Za-z]{4})?") {
        for finding in check_text(&text, Some(&language), &Limits::default()) {
            proptest::prop_assert!(finding.detail.chars().count() <= 90, "{:?}", finding);
            proptest::prop_assert!(finding.badness.is_finite());
        }
    }

    #[test]
    fn plain_words_have_no_finding(words in proptest::collection::vec("[bcdfg][aeiou][lmnpr][aeiou]", 1..20)) {
        let mut words = words;
        words.dedup();
        proptest::prop_assert_eq!(codes(&words.join(" "), "en"), Vec::<&str>::new());
    }
}

#[test]
fn the_documentation_lists_every_finding() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/corpora.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let missing: Vec<String> = Code::all()
        .map(|c| {
            let fix = if c.left_out_by_fix() { " (left out by `--fix`)" } else { "" };
            let limit = Limits::default().of(c);
            format!("| `{}` | {} | {}{fix} | {limit} |", c.name(), c.severity().name(), c.sentence())
                .replace("  |", " |")
        })
        .filter(|row| !text.contains(row))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
