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
    short.as_object_mut().expect("an object").remove("comparison");
    insta::assert_snapshot!("comparison_page_json", format!("{short:#}"));
    assert_eq!(json["comparison"]["schema"], "vbench/compare/1");
    // Both heard the same bytes: one player each for the six broken utterances, none for what did not change.
    assert_eq!(html.matches("<audio").count(), json["broken"].as_array().expect("a list").len());
    assert!(html.contains("What both models heard") && !html.contains("What A heard"));
    for name in
        ["wer-difference-by-stratum", "explained-by-condition", "explained-by-utterance", "rtf-difference-by-stratum"]
    {
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
    assert_eq!(html.matches("<script").count(), 1, "the page's own script alone");
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
