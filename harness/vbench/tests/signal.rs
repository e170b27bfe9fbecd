//! From a suite that asks for metrics of the signal to the numbers of its report, and one severity curve a family.

mod common;

use std::path::Path;

use common::{corpus, outcome, rows, vbench};
use serde_json::{Map, Value, json};
use vbench_store::Row;

const CONDITIONS: &str = r#"["clean", "noise-20db", "noise-5db", "call"]"#;

/// A suite with two kinds of severity, and metrics of the signal among its metrics.
fn suite(folder: &Path) {
    let path = corpus(folder, 12, CONDITIONS, "fake:echo");
    let text = std::fs::read_to_string(&path).expect("reads");
    let more = "metrics = [\"wer\", \"stoi\", \"si_sdr_db\", \"delay_samples\"]\n\n[[condition]]\nname = \"call\"\n\
                steps = [{ step = \"opus\", kbps = [12, 24] }]\n\n[[corpora]]";
    std::fs::write(&path, text.replacen("[[corpora]]", more, 1)).expect("writes");
}

/// STOI of an utterance under a condition, made up; the third utterance has none.
fn stoi(utterance: &str, condition: &str) -> Option<f64> {
    let index: u32 = utterance.strip_prefix('u').and_then(|u| u.parse().ok()).expect("utterances are u0, u1, …");
    let severity = ["clean", "noise-20db", "noise-5db", "call-12k", "call-24k"].iter().position(|c| *c == condition);
    let severity = severity.unwrap_or_else(|| panic!("unknown condition {condition}"));
    (index != 3 && severity > 0).then(|| 0.99 - 0.07 * severity as f64 - 0.004 * f64::from(index))
}

/// Puts made-up metrics into the receipts of a run.
fn write_metrics(run: &Path) {
    let text = rows(run);
    let lines = text.lines().map(|line| {
        let mut row = Row::from_line(line).expect("a row");
        let receipt = row.receipt.as_mut().expect("a receipt");
        receipt.signal =
            stoi(&row.utt, &row.condition).map_or_else(Map::new, |v| Map::from_iter([("stoi".into(), v.into())]));
        if row.condition != "clean" {
            receipt.signal.insert("si_sdr_db".into(), (-4.5).into());
            receipt.signal.insert("delay_samples".into(), 0.0.into());
        }
        row.to_line().expect("serialises") + "\n"
    });
    std::fs::write(run.join("rows.jsonl"), lines.collect::<String>()).expect("writes");
}

fn results(out: &Path, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    summary["results"].as_array().expect("results").iter().filter(|r| keep(r)).cloned().collect()
}

#[test]
fn metrics_in_the_receipts_are_a_table_by_condition_with_means_over_utterances() {
    let folder = tempfile::tempdir().expect("temporary folder");
    suite(folder.path());
    let models = ["--model", "a=fake:drop=3", "--model", "b=fake:echo"];
    let arguments = [["run", "suite.toml", "--out", "run", "-q"].as_slice(), &models].concat();
    let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
    assert_eq!(code, 0, "{errors}");
    let run = folder.path().join("run");
    write_metrics(&run);
    let (code, table, errors) = outcome(&vbench(folder.path(), &["report", "run"]));
    assert_eq!(code, 0, "{errors}");

    let record: Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("run.json")).expect("a record")).expect("JSON");
    assert_eq!(record["suite"]["metrics"], json!(["wer", "stoi", "si_sdr_db", "delay_samples"]));
    let found = |metric: &str, condition: &str| {
        let own = results(&run, |r| r["metric"] == metric && r["stratum"]["value"] == condition);
        assert_eq!(own.len(), 1, "{metric} in {condition}: {own:?}");
        own[0].clone()
    };
    for condition in ["noise-20db", "noise-5db", "call-12k", "call-24k"] {
        let result = found("stoi", condition);
        let values: Vec<f64> = (0..12).filter_map(|i| stoi(&format!("u{i}"), condition)).collect();
        let by_hand = values.iter().sum::<f64>() / values.len() as f64;
        let estimate = &result["estimate"];
        let number = |key: &str| estimate[key].as_f64().unwrap_or_else(|| panic!("{key}: {result}"));
        assert!((number("value") - by_hand).abs() < 1e-12, "{result}, by hand {by_hand}");
        assert!(number("lo") < by_hand && by_hand < number("hi"), "{result}");
        // Two models heard the same 12 clips by 6 speakers; one of them has no STOI.
        assert_eq!(
            (&estimate["unit"], &estimate["clusters"], &estimate["n"]),
            (&json!("speaker"), &json!(6), &json!(11))
        );
        assert_eq!(result["counts"], json!({"utterances": 12, "undefined": 1}));
        assert_eq!(found("si_sdr_db", condition)["estimate"]["value"], json!(-4.5));
        assert_eq!(found("delay_samples", condition)["estimate"]["value"], json!(0.0));
    }
    // Clean audio against itself has no such numbers; its row says so.
    let clean = found("stoi", "clean");
    assert_eq!(clean["estimate"], json!({"reason": "not defined for any of the 12 utterances"}));

    let rows = [("noise-20db", "0.897"), ("call-24k", "0.687")];
    let section = &table[table.find("Signal against its clean input, by condition").expect("the table")..];
    for (condition, value) in rows {
        let line = section.lines().find(|l| l.starts_with(condition)).expect("a line");
        assert!(line.contains(value), "{line}\n{section}");
    }
    assert!(section.contains("STOI for 1 of 12 in noise-20db"), "{section}");
    let page = std::fs::read_to_string(run.join("report.html")).expect("a page");
    assert!(page.contains("<section id=\"signal\"") && page.contains("<b>0.897</b>"));
    let markdown = std::fs::read_to_string(run.join("report.md")).expect("a text");
    assert!(markdown.contains("| call-24k | 12 | 0.687 ["), "{markdown}");
}

#[test]
fn each_family_of_severities_has_its_curve_and_a_record_from_before_families_still_has_one() {
    let folder = tempfile::tempdir().expect("temporary folder");
    suite(folder.path());
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])).0, 0);
    let run = folder.path().join("run");
    let areas = |out: &Path| results(out, |r| r["metric"] == "wer_area");
    let values = |area: &Value| -> Vec<f64> {
        area["points"].as_array().expect("points").iter().filter_map(|p| p["value"].as_f64()).collect()
    };
    let [noise, call] = &areas(&run)[..] else { panic!("two families: {:?}", areas(&run)) };
    assert_eq!((&noise["family"], &noise["stratum"]["value"]), (&json!("noise(speech-shaped)"), &json!("snr")));
    assert_eq!((&call["family"], &call["stratum"]["value"]), (&json!("call"), &json!("kbps")));
    assert_eq!((values(noise), values(call)), (vec![5.0, 20.0], vec![12.0, 24.0]));
    assert_eq!(noise["points"][0]["snr_db"], json!(5.0));
    for figure in ["wer-by-snr", "wer-by-kbps"] {
        assert!(run.join(format!("figures/{figure}.png")).exists(), "{figure}");
    }

    // A record from before there were families knows target SNRs alone: one curve, with the same numbers.
    let path = run.join("run.json");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("reads")).expect("JSON");
    for condition in record["suite"]["conditions"].as_array_mut().expect("conditions") {
        condition.as_object_mut().expect("an object").remove("severity");
    }
    std::fs::write(&path, record.to_string()).expect("writes");
    assert_eq!(outcome(&vbench(folder.path(), &["report", "run", "--out", "again"])).0, 0);
    let [old] = &areas(&folder.path().join("again"))[..] else { panic!("one family") };
    assert_eq!((&old["family"], &old["parameter"]), (&json!("noise"), &json!("snr_db")));
    assert_eq!((&old["estimate"], &old["points"]), (&noise["estimate"], &noise["points"]));
}

#[test]
fn a_misspelt_metric_is_refused_with_what_was_meant() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = corpus(folder.path(), 2, r#"["clean"]"#, "fake:echo");
    let text = std::fs::read_to_string(&path).expect("reads");
    let text = text.replacen("[[corpora]]", "metrics = [\"wer\", \"estoy\"]\n\n[[corpora]]", 1);
    std::fs::write(&path, text).expect("writes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["suite", "check", "suite.toml"]));
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("metrics: unknown metric `estoy`; did you mean `estoi`?"), "{errors}");
}
