//! Cases that the oracle file does not have: names, script-safe, and numbers without limit.

use vbench_score::{Normalizer, ScoreError};

fn script_safe(text: &str) -> String {
    Normalizer::ScriptSafe.normalize(text).into_owned()
}

#[test]
fn names_and_ids_are_stable_and_lead_back() {
    let ids: Vec<_> = Normalizer::ALL.iter().map(Normalizer::id).collect();
    let expected =
        ["none/1", "basic/1", "basic+split/1", "basic+strip/1", "basic+split+strip/1", "whisper-en/1", "script-safe/1"];
    assert_eq!(ids, expected);
    for normalizer in Normalizer::ALL {
        assert_eq!(Normalizer::from_name(normalizer.name()), Ok(normalizer));
        assert_eq!(Normalizer::from_name(normalizer.id()), Ok(normalizer));
    }
    let unknown = Normalizer::from_name("whisper").unwrap_err();
    assert!(matches!(unknown, ScoreError::UnknownNormalizer { .. }));
    assert!(unknown.to_string().contains("whisper-en"));
}

#[test]
fn script_safe_keeps_vowel_signs_and_viramas() {
    assert_eq!(script_safe("గత సంవత్సరం, వర్షాలు!"), "గత సంవత్సరం వర్షాలు");
    assert_eq!(script_safe("किसान “खेत” में।"), "किसान खेत में");
    // Arabic harakat are non-spacing marks and stay.
    assert_eq!(script_safe("كِتَابٌ؟"), "كِتَابٌ");
}

#[test]
fn script_safe_folds_digits_of_every_script() {
    assert_eq!(script_safe("౧౨౩ १२३ ٣٤ ۵ １２ 𝟘𝟡𝟬"), "123 123 34 5 12 090");
}

#[test]
fn script_safe_folds_case_and_compatibility_forms() {
    assert_eq!(script_safe("ΟΔΥΣΣΕΎΣ Straße ﬁne Ｆｕｌｌ"), "οδυσσεύσ strasse fine full");
    assert_eq!(script_safe("e\u{301}\u{200d}"), "é");
    assert_eq!(script_safe("a\u{200d}\u{301}"), "á");
    assert_eq!(script_safe("\u{feff}x\0y\u{202e}z"), "xyz");
}

#[test]
fn script_safe_replaces_punctuation_and_squeezes_spaces() {
    assert_eq!(script_safe("  don't  stop—now\u{a0}$5\t"), "don t stop now 5");
    assert_eq!(script_safe("!?"), "");
}

#[test]
fn numbers_have_no_upper_limit() {
    let text = "nine hundred ninety nine decillion decillion";
    let got = Normalizer::WhisperEn.normalize(text);
    assert_eq!(got.len(), 36, "{got}");
    let digits = "9".repeat(5_000);
    // The last three digits are scaled and carried: 10^5000 - 1000 + 999 * 1000.
    let got = Normalizer::WhisperEn.normalize(&format!("{digits} thousand")).into_owned();
    assert_eq!(got.len(), 5_001);
    assert!(got.starts_with("1000") && got.ends_with("00998000"));
}

#[test]
fn script_safe_takes_a_long_line_in_its_stride() {
    let line = "త".repeat(1 << 20);
    assert_eq!(script_safe(&line), line);
}
