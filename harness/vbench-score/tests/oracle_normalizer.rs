//! Every case of `normalizer.json` (openai-whisper 20250625).

use serde_json::Value;
use vbench_score::Normalizer;

#[test]
fn oracle_every_case_of_normalizer_json() {
    let dir = std::env::var("VBENCH_ORACLES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
    let path = format!("{dir}/normalizer.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let mut failures = Vec::new();
    let (mut english, mut basic) = (0, 0);
    for case in cases {
        let flag = |name: &str| case[name].as_bool().unwrap_or(false);
        let normalizer = match case["normalizer"].as_str().unwrap() {
            "english" => {
                english += 1;
                Normalizer::WhisperEn
            }
            "basic" => {
                basic += 1;
                Normalizer::Basic { split_letters: flag("split_letters"), remove_diacritics: flag("remove_diacritics") }
            }
            other => panic!("normaliser {other}"),
        };
        let raw = case["raw"].as_str().unwrap();
        let want = case["normalized"].as_str().unwrap();
        let got = normalizer.normalize(raw);
        if got != want {
            failures.push(format!("{} {raw:?}\n   got {got:?}\n  want {want:?}", case["id"]));
        }
    }
    assert_eq!((english, basic), (300, 200));
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
