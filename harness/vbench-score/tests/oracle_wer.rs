//! Every case of `wer.json` (jiwer, sclite, meeteval): 400 pairs and 30 corpora.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use serde_json::Value;
use vbench_core::ErrorCounts;
use vbench_score::{CharUnit, Normalizer, PairScore, Weights, mer, score_pair_with, wil, wip};

fn load() -> Vec<Value> {
    let dir = std::env::var("VBENCH_ORACLES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
    let path = format!("{dir}/wer.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    cases
}

/// Reference and hypothesis of each utterance of a case.
fn pairs(case: &Value) -> Vec<(String, String)> {
    let list = |one: &str, many: &str| -> Vec<String> {
        match case.get(many) {
            Some(texts) => texts.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect(),
            None => vec![case[one].as_str().unwrap().to_owned()],
        }
    };
    list("ref", "refs").into_iter().zip(list("hyp", "hyps")).collect()
}

fn score(case: &Value, weights: Weights) -> Vec<PairScore> {
    pairs(case)
        .iter()
        .map(|(r, h)| score_pair_with(r, h, &Normalizer::None, weights, CharUnit::CodePoint).unwrap())
        .collect()
}

struct Check<'a> {
    case: &'a Value,
    failures: &'a mut Vec<String>,
}

impl Check<'_> {
    fn same(&mut self, what: &str, got: u64, want: &Value) {
        if Some(got) != want.as_u64() {
            self.failures.push(format!("{} {what}: {got}, expected {want}", self.case["id"]));
        }
    }

    fn close(&mut self, what: &str, got: f64, want: &Value) {
        if (got - want.as_f64().unwrap()).abs() > 1e-12 {
            self.failures.push(format!("{} {what}: {got}, expected {want}", self.case["id"]));
        }
    }

    /// Counts exactly where they are unique; else hits in range, with S, D, I following from them and the total.
    fn counts(&mut self, what: &str, got: &ErrorCounts, want: &Value, unique: bool, range: &Value) {
        if unique {
            self.same(&format!("{what} hits"), got.hits, &want["hits"]);
            self.same(&format!("{what} substitutions"), got.sub, &want["substitutions"]);
            self.same(&format!("{what} deletions"), got.del, &want["deletions"]);
            self.same(&format!("{what} insertions"), got.ins, &want["insertions"]);
        }
        if let Some(range) = range.as_array() {
            let (lo, hi) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
            if !(lo..=hi).contains(&got.hits) {
                self.failures.push(format!("{} {what} hits {} outside {lo}..={hi}", self.case["id"], got.hits));
            }
        }
    }
}

/// The peer's rate: for an empty reference it is the number of insertions.
fn peer_rate(counts: &ErrorCounts) -> f64 {
    counts.rate().unwrap_or(counts.ins as f64)
}

#[test]
fn oracle_every_case_in_levenshtein_mode_has_the_totals_of_jiwer() {
    let mut failures = Vec::new();
    for case in &load() {
        let scores = score(case, Weights::Levenshtein);
        let words: ErrorCounts = scores.iter().map(|s| s.words).sum();
        let chars: ErrorCounts = scores.iter().map(|s| s.chars).sum();
        let mut check = Check { case, failures: &mut failures };
        check.same("n_ref", words.reference(), &case["n_ref"]);
        check.same("n_hyp", words.hypothesis(), &case["n_hyp"]);
        check.same("word distance", words.errors(), &case["word_distance"]);
        check.same("word minimum", scores.iter().map(|s| s.words_min_errors).sum(), &case["word_distance"]);
        check.close("wer", peer_rate(&words), &case["words"]["wer"]);
        check.close("cer", peer_rate(&chars), &case["chars"]["cer"]);
        let unique = case["counts_unique"].as_bool().unwrap();
        check.counts("words", &words, &case["words"], unique, &case["hits_min_max"]);
        if unique {
            check.close("mer", mer(&words), &case["words"]["mer"]);
            check.close("wil", wil(&words), &case["words"]["wil"]);
            check.close("wip", wip(&words), &case["words"]["wip"]);
        }
        if let Some(n) = case.get("utterances_with_errors") {
            check.same("sentence errors", scores.iter().filter(|s| !s.exact).count() as u64, n);
        }
        let peer = &case["chars"];
        if let Some(distance) = peer.get("distance") {
            check.same("char distance", chars.errors(), distance);
            check.same("char minimum", scores.iter().map(|s| s.chars_min_errors).sum(), distance);
            check.same("char n_ref", chars.reference(), &peer["n_ref"]);
            check.same("char n_hyp", chars.hypothesis(), &peer["n_hyp"]);
            let unique = peer["counts_unique"].as_bool().unwrap();
            check.counts("chars", &chars, peer, unique, &peer["hits_min_max"]);
        } else {
            let errors: u64 =
                ["substitutions", "deletions", "insertions"].iter().map(|k| peer[k].as_u64().unwrap()).sum();
            if chars.errors() != errors {
                failures.push(format!("{} char errors {}, expected {errors}", case["id"], chars.errors()));
            }
        }
    }
    assert!(failures.is_empty(), "{} mismatches:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn oracle_every_sclite_case_has_its_exact_counts() {
    let mut failures = Vec::new();
    let mut seen = 0;
    for case in &load() {
        let Some(peer) = case.get("sclite").filter(|v| !v.is_null()) else {
            continue;
        };
        seen += 1;
        let scores = score(case, Weights::Sclite);
        let words: ErrorCounts = scores.iter().map(|s| s.words).sum();
        let mut check = Check { case, failures: &mut failures };
        check.same("C", words.hits, &peer["C"]);
        check.same("S", words.sub, &peer["S"]);
        check.same("D", words.del, &peer["D"]);
        check.same("I", words.ins, &peer["I"]);
        if let Some(cost) = peer.get("cost_433") {
            check.same("cost", Weights::Sclite.cost(&words), cost);
        }
    }
    println!("sclite cases: {seen}");
    assert!(seen > 300, "only {seen} cases carry sclite counts");
    assert!(failures.is_empty(), "{} mismatches:\n{}", failures.len(), failures.join("\n"));
}

/// The alignments that sclite made of three simulated systems (`stats.json`, kind `sc_stats`), operation by operation.
#[test]
fn oracle_alignments_of_sclite_operation_by_operation() {
    let dir = std::env::var("VBENCH_ORACLES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
    let text = std::fs::read_to_string(format!("{dir}/stats.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let words_of = |trn: &Value| -> Vec<String> {
        trn.as_str().unwrap().lines().map(|l| l.rsplit_once('(').unwrap().0.to_owned()).collect()
    };
    let mut failures = Vec::new();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap().iter().filter(|c| c["kind"] == "sc_stats") {
        let references = words_of(&case["ref_trn"]);
        for (system, trn) in case["hyp_trn"].as_object().unwrap() {
            let peers = case["sclite_alignments"][system].as_array().unwrap();
            for (i, hypothesis) in words_of(trn).iter().enumerate() {
                let score =
                    score_pair_with(&references[i], hypothesis, &Normalizer::None, Weights::Sclite, CharUnit::Grapheme)
                        .unwrap();
                let ops = vbench_score::align::letters(&score.word_alignment);
                seen += 1;
                if ops != peers[i].as_str().unwrap() {
                    failures.push(format!("{} {system} {i}: {ops}, expected {}", case["id"], peers[i]));
                }
            }
        }
    }
    println!("alignments: {seen}");
    assert!(seen > 500);
    assert!(failures.is_empty(), "{} mismatches:\n{}", failures.len(), failures.join("\n"));
}
