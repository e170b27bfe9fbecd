//! An explanation is the whole truth: doing its steps on the raw words gives the normalised words.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use vbench_score::{Normalizer, RuleSet, Step};

/// White space as the normalisers see it: Unicode's, and the information separators.
fn words(text: &str) -> Vec<String> {
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    text.split(space).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn replayed(raw: &str, steps: &[Step]) -> Vec<String> {
    let mut list = words(raw);
    for step in steps {
        let before = words(&step.before);
        let range = step.position..step.position + before.len();
        assert_eq!(
            list.get(range.clone()),
            Some(&before[..]),
            "{step} does not stand at {} in {list:?}",
            step.position
        );
        list.splice(range, words(&step.after));
    }
    list
}

fn check(normalizer: &Normalizer, raw: &str) {
    let explained = normalizer.explain(raw);
    assert_eq!(explained.text, normalizer.normalize(raw), "{} of {raw:?}", normalizer.id());
    assert_eq!(replayed(raw, &explained.steps), words(&explained.text), "{} of {raw:?}", normalizer.id());
    for step in &explained.steps {
        assert_ne!(words(&step.before), words(&step.after), "{step} changes nothing");
    }
}

fn rules() -> Normalizer {
    let file = "before = whisper-en\nafter = script-safe\n\nof the => o' / __ man\nmister =>\nis not => ain't\n---\n\
                ain't => aint it\n/(\\d+)(st|nd|rd|th)/ => number $1\n/e\\b/ => é x\n";
    let rules = RuleSet::parse("t.rules", "0123456789", file).unwrap_or_else(|e| panic!("{e}"));
    Normalizer::Rules(Arc::new(rules))
}

#[test]
fn oracle_inputs_are_explained_in_full() {
    let dir = std::env::var("VBENCH_ORACLES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
    let text = std::fs::read_to_string(format!("{dir}/normalizer.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 500);
    for case in cases {
        for normalizer in Normalizer::ALL.into_iter().chain([rules()]) {
            check(&normalizer, case["raw"].as_str().unwrap());
        }
    }
}

fn steps(name: &str, raw: &str) -> Vec<String> {
    let normalizer = Normalizer::from_name(name).unwrap_or_else(|e| panic!("{e}"));
    normalizer.explain(raw).steps.iter().map(ToString::to_string).collect()
}

#[test]
fn steps_name_the_rule_and_the_words() {
    assert_eq!(
        steps("whisper-en", "Um, Mr. Gray won't pay twenty-one pounds, or 50 per cent, for the 2nd colour (sic)!"),
        [
            r#"lower case "Um," -> "um,""#,
            r#"lower case "Mr." -> "mr.""#,
            r#"lower case "Gray" -> "gray""#,
            r#"bracketed text "(sic)!" -> "!""#,
            r#"hesitation "um," -> ",""#,
            r#"title "mr." -> "mister .""#,
            r#"contraction "won't" -> "will not""#,
            r#"full stop "." -> """#,
            r#"punctuation and diacritics "," -> """#,
            r#"punctuation and diacritics "twenty-one" -> "twenty one""#,
            r#"punctuation and diacritics "pounds," -> "pounds""#,
            r#"punctuation and diacritics "cent," -> "cent""#,
            r#"punctuation and diacritics "!" -> """#,
            r#"number "twenty one pounds" -> "£21""#,
            r#"number "50 per cent" -> "50%""#,
            r#"spelling "colour" -> "color""#,
        ]
    );
    assert_eq!(
        steps("script-safe", "Ｆｕｌｌ ৪২ x\u{200d}y, end"),
        [
            r#"compatibility form "Ｆｕｌｌ" -> "Full""#,
            r#"case folding "Full" -> "full""#,
            r#"digit "৪২" -> "42""#,
            "invisible character \"x\\u{200d}y,\" -> \"xy\"",
        ]
    );
    assert_eq!(steps("basic+split-letters", "ab c"), [r#"split letters "ab" -> "a b""#]);
    assert_eq!(steps("none", "Ab, c"), [""; 0]);
    let by_rule: Vec<String> =
        rules().explain("mister is the 3rd of the man").steps.iter().map(Step::to_string).collect();
    assert_eq!(
        by_rule,
        [
            r#"line 5 "mister" -> """#,
            r#"line 4 "of the" -> "o'""#,
            r#"line 9 "3rd" -> "number 3""#,
            r#"line 10 "the" -> "thé x""#,
            r#"punctuation "o'" -> "o""#,
        ]
    );
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "one", "twenty", "two", "hundred", "thousand", "and a half", "point", "five", "oh", "double", "minus", "$",
            "dollars", "cents", "per cent", "percent", "and", "won't", "can 't", "he's been", "colour", "Mr.", "um",
            "1", "0", "07", "$0.5", "¢7", "2nd", "3 rd", "1,000", "half", "first", "twenties", "millions", "%", ".", "x-y",
            "(no)", "<unk>", "of the man", "3.14", "sixty four", "isn't",
        ]).prop_map(|w| format!("{w} ")),
        2 => "[a-zA-Z0-9 .,'$%£¢()<>\\[\\]-]{0,6}",
        1 => "[\u{c00}-\u{c7f}\u{900}-\u{97f}\u{600}-\u{6ff} ]{0,4}",
        1 => "[\u{300}-\u{36f}\u{200b}-\u{200f}\u{345}\u{fb00}-\u{fb06}ßΣσςİ\u{1c}\u{a0}\u{3000}\u{a8} ]{0,4}",
        1 => "\\PC{0,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_text_is_explained_in_full(s in text()) {
        for normalizer in Normalizer::ALL.into_iter().chain([rules()]) {
            check(&normalizer, &s);
        }
    }

    #[test]
    fn twice_equals_once_for_none_and_script_safe(s in text(), wild in any::<String>()) {
        for normalizer in [
            Normalizer::None,
            Normalizer::ScriptSafe { remove_harakat: false },
            Normalizer::ScriptSafe { remove_harakat: true },
        ] {
            for raw in [&s, &wild] {
                let once = normalizer.normalize(raw);
                prop_assert_eq!(&normalizer.normalize(&once), &once, "{}", normalizer.id());
            }
        }
    }
}

#[test]
fn a_long_word_with_many_changes_is_explained_in_linear_time() {
    let word = "a.b,".repeat(100_000);
    for normalizer in Normalizer::ALL {
        check(&normalizer, &word);
    }
}
