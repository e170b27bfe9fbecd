//! Every case of the vector files beside the oracles: a peer's second pass, Unicode's tables, NIST's rules.

use std::sync::Arc;

use serde_json::Value;
use vbench_score::{Normalizer, RuleSet};

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/../../golden/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    let cases = file["cases"].as_array().cloned().unwrap_or_default();
    assert_eq!(Some(cases.len() as u64), file["count"].as_u64(), "{path}");
    cases
}

fn differences(count: usize, failures: &[String]) {
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn oracle_second_pass_of_whisper_en_is_the_peers() {
    let cases = cases("whisper_en_twice.json");
    let mut failures = Vec::new();
    let mut changed = 0;
    for case in &cases {
        let [raw, once, twice] = ["raw", "once", "twice"].map(|key| case[key].as_str().unwrap());
        changed += usize::from(once != twice);
        for (input, want) in [(raw, once), (once, twice)] {
            let got = Normalizer::WhisperEn.normalize(input);
            if got != want {
                failures.push(format!("{} {input:?}\n   got {got:?}\n  want {want:?}", case["id"]));
            }
        }
    }
    assert_eq!((cases.len(), changed), (500, 35));
    differences(1_000, &failures);
}

#[test]
fn oracle_script_safe_is_its_definition_in_unicode_tables() {
    let cases = cases("script_safe.json");
    assert!(cases.len() > 1_600);
    let mut failures = Vec::new();
    for case in &cases {
        let raw = case["raw"].as_str().unwrap();
        let with = case["normalized"].as_str().unwrap();
        let without = case["without_harakat"].as_str().unwrap_or(with);
        for (remove_harakat, want) in [(false, with), (true, without)] {
            let normalizer = Normalizer::ScriptSafe { remove_harakat };
            let got = normalizer.normalize(raw);
            if got != want {
                failures.push(format!("{} {} {raw:?}\n   got {got:?}\n  want {want:?}", case["id"], normalizer.name()));
            }
            if normalizer.normalize(&got) != got {
                failures.push(format!("{} {} changes {got:?} again", case["id"], normalizer.name()));
            }
        }
    }
    differences(2 * cases.len(), &failures);
}

#[test]
fn oracle_glm_rules_rewrite_as_rfilter1_does() {
    let cases = cases("glm_rfilter1.json");
    let mut failures = Vec::new();
    let (mut texts, mut rewritten) = (0, 0);
    for case in &cases {
        let rules = RuleSet::parse("random.glm", "", case["rules"].as_str().unwrap());
        let rules = Normalizer::Rules(Arc::new(rules.unwrap_or_else(|e| panic!("{}: {e}", case["id"]))));
        let strings = |key: &str| -> Vec<String> {
            case[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
        };
        for (text, want) in strings("texts").iter().zip(strings("outputs")) {
            texts += 1;
            rewritten += usize::from(text.to_uppercase() != want && *text != want);
            let got = rules.normalize(text);
            if got != want {
                let lines = case["rules"].as_str().unwrap();
                failures.push(format!("{} {text:?}\n   got {got:?}\n  want {want:?}\n{lines}", case["id"]));
            }
        }
    }
    assert!(texts == 1_500 && rewritten > 500, "{texts} texts, {rewritten} rewritten");
    differences(texts, &failures);
}
