//! `vbench report RUN --baseline RUN` from end to end with the fake model.

mod common;

use std::path::{Path, PathBuf};

use common::{corpus, outcome, run, vbench};
use serde_json::Value;

const CONDITIONS: &str = r#"["clean", "noise-5db"]"#;

fn two_runs(folder: &Path) {
    corpus(folder, 24, CONDITIONS, "fake:echo");
    run(folder, "a", "fake:drop=5,delay_ms=100", &[]);
    run(folder, "b", "fake:drop=4,delay_ms=80", &[]);
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What may not differ between two renderings.
fn outside_block(text: &str) -> String {
    let (before, rest) = text.split_once("<!-- begin timings and provenance -->").expect("the block begins");
    let (_, after) = rest.split_once("<!-- end timings and provenance -->").expect("the block ends");
    format!("{before}{after}")
}

fn visible_text(html: &str) -> String {
    html.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&gt;", ">").replace("&lt;", "<")
}

#[test]
fn page_markdown_and_json_tell_the_same_with_figures_and_sound() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let (code, out, errors) = outcome(&vbench(folder.path(), &["report", "b", "--baseline", "a", "--out", "page"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("WER %") && errors.contains("comparison.html"), "{out}{errors}");
    let page = folder.path().join("page");
    let (html, markdown) = (read(page.join("comparison.html")), read(page.join("comparison.md")));
    let json: Value = serde_json::from_str(&read(page.join("comparison.json"))).expect("JSON");
    let verdict = json["verdict"]["text"].as_str().expect("a verdict").to_owned();
    assert_eq!(json["schema"], "vbench/comparison/1");
    assert_eq!(json["verdict"]["finding"], "regressed");
    assert!(visible_text(&html).contains(&verdict), "{verdict}");
    insta::assert_snapshot!("comparison_page_markdown", outside_block(&markdown));
    let mut short = json.clone();
    for part in ["comparison", "analysis"] {
        assert!(short.as_object_mut().expect("an object").remove(part).is_some(), "{part}");
    }
    insta::assert_snapshot!("comparison_page_json", format!("{short:#}"));
    assert_eq!(json["comparison"]["schema"], "vbench/compare/1");
    // Both heard the same bytes: one player each for the six broken utterances, none for what did not change.
    assert_eq!(html.matches("<audio").count(), json["broken"].as_array().expect("a list").len());
    assert!(html.contains("What both models heard") && !html.contains("What A heard"));
    assert!(html.matches("class=\"sound\"").count() >= 6, "a picture with every player");
    for name in [
        "wer-difference-by-stratum",
        "explained-by-condition",
        "explained-by-utterance",
        "rtf-difference-by-stratum",
        "wer-by-condition",
        "errors-by-condition",
        "normalizer-band",
        "error-by-speaker",
        "error-by-speaker-2",
        "latency-percentiles",
        "latency-histogram-2",
        "latency-cdf",
        "accuracy-latency",
    ] {
        for extension in ["png", "svg"] {
            let path = page.join(format!("figures/{name}.{extension}"));
            assert!(std::fs::metadata(&path).is_ok_and(|m| m.len() > 500), "{}", path.display());
        }
    }
    // Times are in the block alone, and nothing outside it depends on when it is rendered.
    let times = "Difference of RTF";
    assert!(!outside_block(&html).contains(times) && html.contains(times));
    assert!(markdown.chars().count() <= 65_000);
    run(folder.path(), "again", "fake:drop=4,delay_ms=80", &[]);
    std::fs::remove_dir_all(folder.path().join("b")).expect("removes");
    std::fs::rename(folder.path().join("again"), folder.path().join("b")).expect("renames");
    let (code, _, _) = outcome(&vbench(folder.path(), &["report", "b", "--baseline", "a", "--out", "second"]));
    assert_eq!(code, 0);
    let second = read(folder.path().join("second/comparison.html"));
    assert!(outside_block(&html) == outside_block(&second), "something outside the block depends on the run");
    assert!(html != second, "the command differs, and is told in the block");
}

/// What the page of a run has stands there for both sides, and every utterance can be reached.
#[test]
fn both_sides_stand_beside_each_other() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "b", "--baseline", "a", "--out", "page"]));
    assert_eq!(code, 0, "{errors}");
    let html = read(folder.path().join("page/comparison.html"));
    for id in ["side-by-side", "analysis", "normalizers", "speakers", "confusions", "phonemes", "latency", "cells"] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    let outside = outside_block(&html);
    assert!(outside.contains("id=\"confusions\"") && !outside.contains("id=\"latency\""), "times are in the block");
    let (_, data) = html.split_once("id=\"cell-data\">").expect("the list of utterances");
    let data: Value = serde_json::from_str(data.split("</script>").next().expect("its end")).expect("JSON");
    assert_eq!(data["names"]["model"]["values"], serde_json::json!(["A: m in a", "B: m in b"]));
    assert_eq!(data["cells"], 96);
    let change = &data["strata"]["change"];
    let broken = change["values"].as_array().and_then(|v| v.iter().position(|w| w == "broken")).expect("broken ones");
    let found = change["at"].as_array().expect("places").iter().filter(|at| **at == serde_json::json!(broken)).count();
    let json: Value = serde_json::from_str(&read(folder.path().join("page/comparison.json"))).expect("JSON");
    let expected = json["broken"].as_array().expect("a list").len();
    assert_eq!(found, 4 * expected, "two conditions and two sides of each");
    assert_eq!(json["analysis"]["models"].as_array().map(Vec::len), Some(2));
    for link in [
        "data-show data-by=\"condition\" data-value=\"noise-5db\"",
        "data-show data-by=\"accent\" data-value=\"gb\"",
        "data-show data-by=\"change\" data-value=\"broken\"",
        "data-show data-text=\"c/u3/\"",
    ] {
        assert!(visible_text(&html).contains(link), "{link}");
    }
    assert!(html.contains("<b>not judged</b>: separate runs"), "times of separate runs");
}

#[test]
fn links_and_the_last_line_name_what_was_written() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let report = |out: &str, format: &str| {
        let arguments = ["report", "b", "--baseline", "a", "--out", out, "--format", format];
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, 0, "{errors}");
        let (_, told) = errors.split_once("report: ").unwrap_or_else(|| panic!("{errors}"));
        let told = folder.path().join(told.lines().next().expect("a line"));
        assert!(told.exists(), "{} was not written", told.display());
    };
    report("json", "json");
    report("png", "png");
    report("md", "md");
    assert!(!read(folder.path().join("md/comparison.md")).contains("]("), "no link to a figure that is not there");
    report("both", "md,png");
    let markdown = read(folder.path().join("both/comparison.md"));
    assert!(markdown.contains("(figures/wer-difference-by-stratum.png)") && !markdown.contains(".svg"));
    assert!(markdown.contains(" over 2 conditions), c/u"), "sums say what they are over: {markdown}");
}

#[test]
fn a_run_against_itself_is_identical() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "a", "--baseline", "a", "--out", "page"]));
    assert_eq!(code, 0, "{errors}");
    let html = read(folder.path().join("page/comparison.html"));
    assert!(html.contains("Both make the same errors") && html.contains("nothing to explain"));
    assert!(!html.contains("Broken utterances") && !html.contains("Fixed utterances"));
}

#[test]
fn two_models_of_one_run_stand_side_by_side() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, CONDITIONS, "fake:echo");
    let models = ["--model", "x=fake:drop=4", "--model", "y=fake:drop=5"];
    let (code, _, errors) =
        outcome(&vbench(folder.path(), &[&["run", "suite.toml", "--out", "both", "-q"], &models[..]].concat()));
    assert_eq!(code, 0, "{errors}");
    let both = ["report", "both", "--baseline", "both", "--out", "page"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &both));
    assert!(code == 2 && errors.contains("--a-model"), "{code} {errors}");
    let named = [&both[..], &["--a-model", "x", "--b-model", "y"]].concat();
    let (code, _, errors) = outcome(&vbench(folder.path(), &named));
    assert_eq!(code, 0, "{errors}");
    assert!(read(folder.path().join("page/comparison.html")).contains("<h1><bdi>y against x</bdi></h1>"));
    let compare = ["compare", "both", "--a", "x", "--b", "y", "--html", "one/page.html"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &compare));
    assert_eq!(code, 0, "{errors}");
    assert!(read(folder.path().join("one/page.html")).contains("y against x"));
}

#[test]
fn what_cannot_be_compared_is_told_and_leaves_no_page() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, CONDITIONS, "fake:echo");
    run(folder.path(), "a", "fake:drop=4", &["--select", "speaker=s0"]);
    run(folder.path(), "b", "fake:drop=5", &["--select", "speaker=s1"]);
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "b", "--baseline", "a", "--out", "page"]));
    assert!(code == 4 && errors.contains("share no cell"), "{code} {errors}");
    let suite = read(folder.path().join("suite.toml"));
    let basic = format!("normalizer = \"basic\"\n{}", suite.replace("normalizer = ", "# "));
    std::fs::write(folder.path().join("suite.toml"), basic).expect("writes");
    run(folder.path(), "c", "fake:drop=3", &["--select", "speaker=s0"]);
    let other = ["report", "c", "--baseline", "a", "--out", "page"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &other));
    assert!(code == 9 && errors.contains("normalisers differ"), "{code} {errors}");
    assert!(!folder.path().join("page").exists());
    let (code, _, errors) = outcome(&vbench(folder.path(), &[&other[..], &["--force"]].concat()));
    assert_eq!(code, 0, "{errors}");
    let html = read(folder.path().join("page/comparison.html"));
    assert!(html.contains("<b>Forced</b>") && html.contains("Cannot be decided"), "two utterances decide nothing");
}

#[test]
fn an_interrupted_run_is_compared_on_what_there_is() {
    let folder = tempfile::tempdir().expect("temporary folder");
    two_runs(folder.path());
    let rows = folder.path().join("b/rows.jsonl");
    let kept: String = read(rows.clone()).lines().take(40).map(|l| format!("{l}\n")).collect();
    std::fs::write(&rows, kept).expect("writes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "b", "--baseline", "a", "--out", "page"]));
    assert_eq!(code, 6, "{errors}");
    let html = read(folder.path().join("page/comparison.html"));
    assert!(html.contains("8 planned cells of its run have no outcome: it was interrupted"));
    assert!(html.contains("8 cells could not be paired"));
}

#[test]
fn hostile_strings_stay_text_and_nothing_is_written_outside() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</bdi></td><!-- {{ 7 * 7 }} {% raw %}",
        "\u{202e}right to left\u{2066} \u{0} \u{1b}[31m",
        "👩\u{200d}🚀 ' & &amp; \\ `x` | a",
        "../../../x",
    ];
    for (name, drop) in [("a.jsonl", 0), ("b.jsonl", 1)] {
        let lines: String = (0..12)
            .map(|i| {
                let text = hostile[i % hostile.len()];
                let heard = if i % 2 == drop { format!("{text} more") } else { "\u{2028}</script>".repeat(200) };
                let line = serde_json::json!({
                    "id": format!("{i}{text}"), "ref": format!("some words {text}"), "hyp": heard,
                    "speaker": format!("{text}{i}"), "tags": {"accent": text},
                });
                format!("{line}\n")
            })
            .collect();
        std::fs::write(folder.path().join(name), lines).expect("writes");
    }
    let (code, _, errors) =
        outcome(&vbench(folder.path(), &["compare", "a.jsonl", "b.jsonl", "--html", "out/page.html"]));
    assert_eq!(code, 0, "{errors}");
    let html = read(folder.path().join("out/page.html"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;"), "the text itself is shown");
    assert_eq!(html.matches("<script").count(), 2, "the page's own script and its data, which is not executed");
    assert_eq!(html.matches("<script type=\"application/json\" id=\"cell-data\">").count(), 1);
    assert!(!html.contains("<img") && !html.contains("49 {%"));
    assert!(!html.contains(['\u{202e}', '\u{2066}', '\u{0}', '\u{1b}', '\u{2028}']));
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .expect("reads")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "cache")
        .collect();
    files.sort();
    assert_eq!(files, ["a.jsonl", "b.jsonl", "out"]);
}
