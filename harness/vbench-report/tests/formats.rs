//! CSV, JUnit, annotations and step summary beside Markdown and JSON: snapshots of one fixed report, escaping, rules.

mod fixture;
mod page_input;
mod xml;

use serde_json::{Value, json};
use vbench_compare::{Coverage, Failure, Summary};
use vbench_core::Estimate;
use vbench_report::csv::CSV_COLUMNS;
use vbench_report::{
    ExportEntry, export_alignment, export_index_html, export_index_markdown, export_playlist, render_markdown,
    run_annotations, run_csv, run_junit, step_summary, summary_json,
};

const MODEL: &str = "whisper-tiny.en";
const STARTED: &str = "2026-01-01T10:00:00Z";

/// One report with a gap of every kind, small enough to read.
fn fixed() -> Summary {
    let mut s = fixture::summary(&[(MODEL, 1.0)]);
    s.strata.retain(|x| matches!(x.by.as_str(), "all" | "condition" | "accent"));
    s.coverage = Coverage { planned: 576, done: 502, failed: 72, skipped: 1, outstanding: 1, stopped_early: false };
    s.absent = vec!["librispeech".into()];
    s.failures = vec![Failure {
        cell: "voices-en/voice-02-0007/reverb/whisper-tiny.en".into(),
        outcome: "failed".into(),
        kind: "bad_audio".into(),
        text: "voice-02-0007.flac: sample 1200 is not a number".into(),
    }];
    let reverb = s.strata.iter_mut().find(|x| x.value == "reverb").expect("a reverb stratum");
    (reverb.planned, reverb.scored, reverb.failed) = (72, 0, 72);
    reverb.words = Default::default();
    reverb.wer = Estimate::not_estimable(f64::NAN, "no utterance was scored");
    reverb.cer = reverb.wer.clone();
    (reverb.wer_macro, reverb.sentence_error_rate, reverb.rtf) = (None, None, None);
    s
}

/// A verdict with an outcome of every kind.
fn gate() -> Value {
    let result = |rule: &str, outcome: &str, reason: &str| json!({"rule": rule, "model": MODEL, "outcome": outcome, "reason": reason});
    json!({
        "schema": "vbench/gate/1",
        "outcome": "regressed",
        "baseline": "runs/main",
        "results": [
            result("wer all change 0.5 points", "pass", "the change is within the limit"),
            result("wer condition=noise-5db change 1 points", "regressed", "the change is beyond the limit"),
            result("cer all change 0.5 points", "inconclusive", "18 speakers are too few"),
            result("rtf all budget 0.3", "skipped", "other machine"),
        ],
    })
}

#[test]
fn every_format_of_one_fixed_report() {
    let summary = fixed();
    let input = page_input::input(&summary, page_input::worst(MODEL));
    insta::assert_snapshot!("fixed_markdown", render_markdown(&input));
    insta::assert_snapshot!("fixed_json", serde_json::to_string_pretty(&summary_json(&summary)).expect("JSON"));
    // insta takes CR LF for LF.
    insta::assert_snapshot!("fixed_csv", run_csv(&summary));
    insta::assert_snapshot!("fixed_junit", run_junit(&summary, STARTED, Some(&gate())));
    insta::assert_snapshot!("fixed_annotations", run_annotations(&summary, Some(&gate())));
    let step = step_summary(&input);
    assert!(!step.contains("![") && step.contains("# all"), "a step summary shows no files: {step}");
    assert!(render_markdown(&input).contains("![Word error rate by condition](figures/wer-by-condition.png)"));
}

#[test]
fn the_listening_folder_of_one_fixed_report() {
    let worst = page_input::worst(MODEL);
    let entry = |i: usize| ExportEntry {
        folder: format!("0{}-x", i + 1),
        cell: &worst[i],
        clean: i != 1,
        degraded: i == 0,
        seconds: 3.2,
        note: (i > 0).then(|| "No degraded.wav: the suite has this condition no more.".to_owned()),
    };
    let entries: Vec<ExportEntry<'_>> = (0..worst.len()).map(entry).collect();
    insta::assert_snapshot!("export_index_markdown", export_index_markdown("all", &entries));
    insta::assert_snapshot!("export_playlist", export_playlist(&entries));
    insta::assert_snapshot!("export_alignment", export_alignment(&worst[0]));
    insta::assert_snapshot!("export_index_html", export_index_html("all", &entries).expect("renders"));
    assert!(export_index_html("all", &[]).expect("renders").contains("No utterance has an error."));
}

/// Texts that break formats which forget to escape.
const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "]]></failure></testcase><testcase name=\"x\"/>",
    "\" onerror=\"alert(3)",
    "' onmouseover='alert(4)",
    "a,b\"c\"\r\nd;e\tf",
    "=HYPERLINK(\"x\")",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "::error::injected\n::set-output name=x::y",
    "##[error]x %0A::warning::y",
    "שלום \u{202e}txet desrever\u{202c}",
    "nul \u{0} bell \u{7} escape \u{1b}[31m \u{fffe}\u{ffff}",
    "👩\u{200d}🚀 తెలుగు",
    "&amp; &#x0; {{ 7 * 7 }}",
    "",
];

/// A report and a verdict whose every text is `text`.
fn hostile(text: &str) -> (Summary, Value) {
    let mut s = fixed();
    (s.suite, s.normalizer, s.weights, s.absent) = (text.into(), text.into(), text.into(), vec![text.into()]);
    for x in &mut s.strata {
        (x.model, x.note) = (text.into(), Some(text.into()));
        if x.by != "all" {
            x.value = text.into();
        }
        if x.by == "accent" {
            x.by = text.into();
            x.wer = Estimate::not_estimable(0.5, text);
        }
    }
    s.failures = vec![Failure { cell: text.into(), outcome: text.into(), kind: text.into(), text: text.into() }; 30];
    let result = json!({"rule": text, "model": text, "outcome": text, "reason": text});
    (s, json!({"schema": "vbench/gate/1", "baseline": text, "results": [result]}))
}

#[test]
fn junit_keeps_to_the_common_schemas_whatever_the_text() {
    let mut empty = fixed();
    empty.strata.clear();
    empty.coverage = Coverage::default();
    let mut documents = vec![
        run_junit(&fixed(), STARTED, Some(&gate())),
        run_junit(&fixed(), "not a time", None),
        run_junit(&empty, "", Some(&json!({}))),
    ];
    documents.extend(HOSTILE.iter().map(|text| {
        let (summary, gate) = hostile(text);
        run_junit(&summary, text, Some(&gate))
    }));
    for document in &documents {
        let root = xml::parse(document).unwrap_or_else(|e| panic!("{e}\n{document}"));
        assert_eq!(xml::junit_problems(&root), Vec::<String>::new(), "{document}");
    }
    let root = xml::parse(&documents[0]).expect("well-formed");
    let failures = |suite: &xml::Element| -> Vec<(String, String)> {
        let cases = suite.named("testcase").into_iter();
        let failed = cases
            .filter_map(|c| Some((c.get("name")?.to_owned(), c.named("failure").first()?.get("type")?.to_owned())));
        failed.collect()
    };
    let of = |name: &str| root.children.iter().find(|s| s.get("name") == Some(name)).map(failures).expect(name);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(of("run"), [pair("coverage", "coverage"), pair("corpus librispeech", "absent")]);
    assert_eq!(of("whisper-tiny.en by condition"), [pair("reverb", "coverage")]);
    let rules = [
        pair("wer condition=noise-5db change 1 points", "regressed"),
        pair("cer all change 0.5 points", "inconclusive"),
    ];
    assert_eq!(of("gate"), rules);
}

#[test]
fn the_checker_of_junit_files_finds_breaches() {
    let good = run_junit(&fixed(), STARTED, Some(&gate()));
    let breaches = [
        ("hostname=\"localhost\" ", ""),
        ("failures=\"2\"", "failures=\"1\""),
        ("T10:00:00\"", "T10:00:00Z\""),
        ("<system-err/>", ""),
        ("type=\"coverage\" ", ""),
        ("time=\"0.000\"/>", "time=\"0,000\"/>"),
        ("id=\"1\"", "id=\"2\""),
        ("name=\"run\"", "name=\" \""),
    ];
    for (from, to) in breaches {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from} is there");
        let root = xml::parse(&bad).expect("well-formed");
        assert!(!xml::junit_problems(&root).is_empty(), "{from} -> {to} was not found");
    }
    for bad in ["&", "<", "\u{1}", "&nbsp;"] {
        assert!(xml::parse(&good.replacen("0 failed", bad, 1).replacen("72 failed", bad, 1)).is_err(), "{bad:?}");
    }
}

/// A reader of RFC 4180 that takes nothing else.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    for line in text.strip_suffix("\r\n").expect("the last line ends").split("\r\n") {
        let (mut fields, mut rest) = (Vec::new(), line);
        loop {
            let (field, after) = match rest.strip_prefix('"') {
                None => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    assert!(!rest[..end].contains('"'), "a bare quote: {line}");
                    (rest[..end].to_owned(), &rest[end..])
                }
                Some(quoted) => {
                    let mut end = 0;
                    while let Some(at) = quoted[end..].find('"').map(|i| i + end) {
                        end = at;
                        if !quoted[at + 1..].starts_with('"') {
                            break;
                        }
                        end = at + 2;
                    }
                    (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
                }
            };
            assert!(!field.contains(['\r', '\n']) && !field.chars().any(char::is_control), "{field:?}");
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    assert!(after.is_empty(), "{after:?} behind a field: {line}");
                    break;
                }
            }
        }
        records.push(fields);
    }
    records
}

#[test]
fn csv_has_the_numbers_of_the_json_and_no_formulas() {
    let summary = fixed();
    let rows = records(&run_csv(&summary));
    assert_eq!(rows[0], CSV_COLUMNS);
    let json = summary_json(&summary);
    let results = json["results"].as_array().expect("results");
    assert_eq!(rows.len() - 1, results.len());
    for (row, result) in rows[1..].iter().zip(results) {
        let get = |name: &str| row[CSV_COLUMNS.iter().position(|c| *c == name).expect(name)].as_str();
        assert_eq!(get("metric"), result["metric"].as_str().expect("a metric"));
        assert_eq!(get("stratum"), result["stratum"]["value"].as_str().expect("a value"));
        for number in ["value", "lo", "hi", "level", "clusters", "n", "seed"] {
            let stored = &result["estimate"][number];
            let shown = (!get(number).is_empty()).then(|| get(number).parse::<f64>().expect("a number"));
            assert_eq!(shown, stored.as_f64(), "{number} of {result}");
        }
    }
    for text in HOSTILE {
        for row in records(&run_csv(&hostile(text).0)) {
            assert_eq!(row.len(), CSV_COLUMNS.len(), "{text:?}");
            for field in row.iter().filter(|f| f.parse::<f64>().is_err()) {
                assert!(!field.starts_with(['=', '+', '-', '@']), "{field:?} is a formula");
            }
        }
    }
}

#[test]
fn annotations_are_commands_of_ours_only_and_at_most_ten_of_a_kind() {
    for text in HOSTILE {
        let (summary, gate) = hostile(text);
        let lines = run_annotations(&summary, Some(&gate));
        for command in ["error", "warning", "notice"] {
            let count = lines.lines().filter(|l| l.starts_with(&format!("::{command} title="))).count();
            assert!(count <= 10, "{count} of {command}");
        }
        for line in lines.lines() {
            let rest =
                ["::error title=", "::warning title=", "::notice title="].iter().find_map(|p| line.strip_prefix(p));
            let (title, data) = rest.and_then(|r| r.split_once("::")).unwrap_or_else(|| panic!("{line}"));
            assert!(!title.contains([':', ',', '\r', '\n']) && !data.contains(['\r', '\n']), "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        assert!(lines.contains("22 more; the report has them all"), "{lines}");
    }
    let mut complete = fixed();
    complete.coverage = Coverage { planned: 9, done: 9, ..Coverage::default() };
    complete.absent.clear();
    let lines = run_annotations(&complete, None);
    assert!(lines.lines().all(|l| l.starts_with("::notice ")) && !lines.is_empty(), "{lines}");
}

#[test]
fn the_listening_folder_shows_hostile_text_as_text() {
    for text in HOSTILE {
        let mut worst = page_input::worst(text);
        for w in &mut worst {
            (w.cell, w.speaker, w.condition) = (text.into(), text.into(), text.into());
            (w.reference, w.hypothesis) = (text.repeat(3_000), text.into());
            for t in &mut w.alignment {
                t.reference = t.reference.as_ref().map(|_| text.to_owned());
                t.hypothesis = t.hypothesis.as_ref().map(|_| text.to_owned());
            }
        }
        let entry = |cell| ExportEntry {
            folder: "01".into(),
            cell,
            clean: true,
            degraded: true,
            seconds: 1.0,
            note: Some(text.into()),
        };
        let entries: Vec<ExportEntry<'_>> = worst.iter().map(entry).collect();
        let html = export_index_html(text, &entries).expect("renders");
        for tag in ["<script", "<testcase", " onerror=\"", "' onmouseover='", "49"] {
            assert!(!html.contains(tag), "{tag} for {text:?}");
        }
        assert!(!html.contains(['\u{202e}', '\0', '\u{1b}']), "{text:?}");
        let markdown = export_index_markdown(text, &entries);
        assert!(!markdown.contains("<script") && !markdown.contains('\u{202e}'), "{text:?}");
        let playlist = export_playlist(&entries);
        assert_eq!(playlist.lines().count(), 1 + 4 * entries.len(), "no title breaks a line: {playlist}");
        assert!(playlist.lines().all(|l| l.starts_with('#') || l == "01/clean.wav" || l == "01/degraded.wav"));
        assert!(!export_alignment(&worst[0]).contains(['\u{202e}', '\0', '\u{1b}']), "{text:?}");
    }
}

/// Every key that a run's JSON has, and every column of the CSV, stands in the documentation.
#[test]
fn the_documentation_names_every_key_and_column() {
    let document = include_str!("../../../docs/report-formats.md");
    let mut summary = fixture::summary(&[(MODEL, 1.0)]);
    summary.failures = fixed().failures;
    summary.coverage.stopped_early = true;
    summary.overall.push(vbench_compare::OverallScore {
        model: MODEL.into(),
        weights: vec![vbench_compare::OverallWeight { by: "condition".into(), value: "clean".into(), weight: 1.0 }],
        wer: summary.strata[0].wer.clone(),
        note: None,
    });
    summary.latency.push(vbench_compare::LatencyReadings {
        model: MODEL.into(),
        budget_ms: 200.0,
        timed: 9,
        untimed: 1,
        late: 2,
        on_time_words: summary.strata[0].words,
        late_empty_errors: 3,
        reference_words: 30,
        on_time: summary.strata[0].wer.clone(),
        wer_on_time: summary.strata[0].wer.clone(),
        wer_late_empty: summary.strata[0].wer.clone(),
        wer: summary.strata[0].wer.clone(),
        note: Some("conditional".into()),
    });
    summary.signal.push(vbench_compare::SignalSummary {
        condition: "clean".into(),
        metric: "stoi".into(),
        mean: Estimate::not_estimable(1.0, "no spread"),
        note: None,
        utterances: 72,
        undefined: 1,
    });
    let mut keys = std::collections::BTreeSet::new();
    let mut todo = vec![summary_json(&summary)];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    keys.insert(key);
                    todo.push(value);
                }
            }
            Value::Array(list) => todo.extend(list),
            _ => {}
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    keys.extend(CSV_COLUMNS.map(str::to_owned));
    let missing: Vec<_> = keys.iter().filter(|k| !document.contains(&format!("`{k}`"))).collect();
    assert!(missing.is_empty(), "docs/report-formats.md does not name {missing:?}");
}
