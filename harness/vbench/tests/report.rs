//! `vbench report`: formats, audio, the folder to listen through; bad runs; nothing outside the output folder is written.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{command, corpus, outcome, run, vbench};
use serde_json::{Value, json};
use vbench_store::{Row, RunRecord};

const EVERYTHING: &str = "html,md,json,csv,junit,png,svg,github";

/// A folder with a corpus and a finished run `run` that has errors under two conditions.
fn finished() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 12, r#"["clean", "noise-20db", "noise-5db"]"#, "fake:drop=4,delay_ms=100");
    run(folder.path(), "run", "fake:drop=4,delay_ms=100", &["--format", "json"]);
    folder
}

/// A copy of `run` under another name, its record and rows changed.
fn forged(folder: &Path, name: &str, change: impl FnOnce(&mut Value, &mut Vec<Row>)) {
    let mut run = RunRecord::read(&folder.join("run")).expect("the run");
    change(&mut run.record, &mut run.rows);
    let to = folder.join(name);
    std::fs::create_dir(&to).expect("creates");
    std::fs::write(to.join("run.json"), run.record.to_string()).expect("writes");
    let rows: String = run.rows.iter().map(|r| r.to_line().expect("a row") + "\n").collect();
    std::fs::write(to.join("rows.jsonl"), rows).expect("writes");
    std::fs::copy(folder.join("run/timings.jsonl"), to.join("timings.jsonl")).expect("copies");
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn each_format_is_written_where_asked_for_and_no_other() {
    let folder = finished();
    let files = |format: &str| -> Vec<String> {
        let out = format!("out-{}", format.len());
        let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "run", "--format", format, "--out", &out]));
        assert_eq!(code, 0, "{format}: {errors}");
        let found = names(&folder.path().join(&out));
        std::fs::remove_dir_all(folder.path().join(&out)).expect("removes");
        found
    };
    for (format, file) in [
        ("html", "report.html"),
        ("md", "report.md"),
        ("json", "summary.json"),
        ("csv", "report.csv"),
        ("junit", "junit.xml"),
        ("png", "figures"),
        ("svg", "figures"),
        ("github", "step-summary.md"),
    ] {
        assert_eq!(files(format), [file]);
    }
    assert_eq!(files("csv,junit"), ["junit.xml", "report.csv"]);
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "run", "--format", "pdf"]));
    assert!(code == 2 && errors.contains("html, md, json, csv, junit, png, svg, github"), "{errors}");
}

#[test]
fn every_figure_of_the_report_exists_as_png_and_svg() {
    let folder = finished();
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "run", "--format", EVERYTHING, "--out", "out"]));
    assert_eq!(code, 0, "{errors}");
    let figures = names(&folder.path().join("out/figures"));
    let of = |ending: &str| -> Vec<String> {
        figures.iter().filter_map(|f| f.strip_suffix(ending).map(str::to_owned)).collect()
    };
    assert_eq!(of(".png"), of(".svg"));
    assert!(of(".png").len() >= 3 && figures.len() == 2 * of(".png").len(), "{figures:?}");
    let markdown = text(folder.path().join("out/report.md"));
    for (_, link) in markdown.match_indices("](figures/").map(|(at, l)| (at, &markdown[at + l.len()..])) {
        let name = link.split(')').next().expect("an end");
        assert!(figures.iter().any(|f| f == name), "{name} in {figures:?}");
    }
    for figure in &figures {
        let bytes = std::fs::read(folder.path().join("out/figures").join(figure)).expect("reads");
        let svg = bytes.starts_with(b"<svg") && bytes.windows(6).any(|w| w == b"<title");
        assert!(if figure.ends_with(".png") { bytes.starts_with(b"\x89PNG") } else { svg }, "{figure}");
    }
}

#[test]
fn run_takes_the_same_options_and_a_page_can_go_without_audio() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:drop=4");
    run(folder.path(), "a", "fake:drop=4", &["--format", "html,csv", "--audio", "none"]);
    let found = names(&folder.path().join("a"));
    assert_eq!(found, ["lock", "report.csv", "report.html", "rows.jsonl", "run.json", "timings.jsonl"]);
    let html = text(folder.path().join("a/report.html"));
    assert!(!html.contains("data:audio") && html.contains("No audio: the report was made without."), "{html}");
}

#[test]
fn clips_are_embedded_within_their_budget_or_lie_beside_the_page() {
    let folder = finished();
    let page = |out: &str, more: &[&str]| {
        let arguments = [&["report", "run", "--format", "html", "--out", out], more].concat();
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, 0, "{errors}");
        text(folder.path().join(out).join("report.html"))
    };
    let html = page("embedded", &[]);
    assert_eq!(html.matches("data:audio/ogg;codecs=opus;base64,").count(), 10);
    assert!(!html.contains("'self'"));
    let html = page("none-left", &["--audio-budget-mib", "0"]);
    assert!(!html.contains("data:audio/"));
    assert_eq!(html.matches("the budget of 0 MiB is spent").count(), 10, "every clip left out says so");
    let html = page("beside", &["--audio", "folder"]);
    assert!(html.contains("media-src data: 'self'") && !html.contains("data:audio/"), "{}", &html[..2_000]);
    let clips = names(&folder.path().join("beside/audio"));
    assert_eq!(clips.len(), 10);
    for (i, clip) in clips.iter().enumerate() {
        assert_eq!(clip, &format!("{:03}.opus", i + 1));
        assert!(html.contains(&format!("src=\"audio/{clip}\"")), "{clip}");
        let bytes = std::fs::read(folder.path().join("beside/audio").join(clip)).expect("reads");
        assert!(bytes.starts_with(b"OggS"), "{clip}");
    }
}

#[test]
fn a_workflow_gets_annotations_and_its_step_summary() {
    let folder = finished();
    let arguments = ["report", "run", "--format", "github", "--out", "out"];
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "before\n").expect("writes");
    let with = command(folder.path(), &arguments).env("GITHUB_STEP_SUMMARY", &summary).output().expect("starts");
    let (code, out, errors) = outcome(&with);
    assert_eq!(code, 0, "{errors}");
    assert!(text(&summary).starts_with("before\n# tiny\n"), "{}", text(&summary));
    assert!(!folder.path().join("out/step-summary.md").exists());
    let token = out.lines().next().and_then(|l| l.strip_prefix("::stop-commands::")).expect("commands stop");
    let annotations = out.split(&format!("\n::{token}::\n")).nth(1).expect("and go on");
    assert!(annotations.starts_with("::notice title=vbench tiny%3A m::WER %25 "), "{annotations}");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["report", "run", "--format", "github", "--json"]));
    assert!(code == 2 && errors.contains("--format json,github"), "{errors}");
    let (code, _, _) = outcome(&vbench(folder.path(), &["run", "suite.toml", "--format", "github", "--json"]));
    assert_eq!(code, 2, "before anything is run");
}

#[test]
fn a_verdict_in_the_run_folder_is_in_junit_and_annotations() {
    let folder = finished();
    let gate = json!({"schema": "vbench/gate/1", "outcome": "regressed", "results":
        [{"rule": "wer all", "model": "m", "outcome": "regressed", "reason": "beyond the limit"}]});
    std::fs::write(folder.path().join("run/gate.json"), gate.to_string()).expect("writes");
    let report = || outcome(&vbench(folder.path(), &["report", "run", "--format", "junit,github", "--out", "out"]));
    let (_, out, _) = report();
    assert!(out.contains("\n::error title=vbench gate%3A wer all (m)::regressed: beyond the limit\n"), "{out}");
    assert!(text(folder.path().join("out/junit.xml")).contains("<failure type=\"regressed\""));
    std::fs::write(folder.path().join("run/gate.json"), "{\"schema\": \"vbench/gate/2\"}").expect("writes");
    let (code, out, errors) = report();
    assert!(code == 0 && !out.contains("regressed") && errors.contains("gate.json: not of schema"), "{errors}");
}

#[test]
fn the_hardest_utterances_become_a_folder_to_listen_through() {
    let folder = finished();
    let export = |run: &str, n: &str, dir: &str| {
        outcome(&vbench(folder.path(), &["report", run, "--out", "out", "--export-worst", n, dir]))
    };
    let (code, _, errors) = export("run", "12", "listen");
    assert!(code == 0 && errors.contains("hardest 12:"), "{errors}");
    let listen = folder.path().join("listen");
    let found = names(&listen);
    assert_eq!(found.len(), 15);
    assert_eq!(found[12..], ["index.html", "index.md", "playlist.m3u"]);
    let cell = listen.join(&found[0]);
    assert!(found[0].starts_with("01-"), "{found:?}");
    let files = ["alignment.txt", "clean.wav", "degraded.wav", "hypothesis.txt", "receipt.json", "reference.txt"];
    assert_eq!(names(&cell), files);
    for file in ["clean.wav", "degraded.wav"] {
        let reader = hound::WavReader::open(cell.join(file)).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.len()), (16_000, 16_000), "{file}");
    }
    let receipt: Value = serde_json::from_str(&text(cell.join("receipt.json"))).expect("JSON");
    assert!(receipt["receipt"]["output_sha256"].is_string(), "{receipt}");
    assert!(text(cell.join("alignment.txt")).contains("\nERR:"), "{}", text(cell.join("alignment.txt")));
    let html = text(listen.join("index.html"));
    assert_eq!(html.matches("<audio ").count(), 24);
    assert!(html.contains("default-src 'none'; style-src 'sha256-") && !html.contains("<script"));
    for line in text(listen.join("playlist.m3u")).lines().filter(|l| !l.starts_with('#')) {
        assert!(listen.join(line).is_file(), "{line}");
    }
    let (code, _, errors) = export("run", "3", "listen");
    assert!(code == 8 && errors.contains("listen is not empty"), "{errors}");
    for (n, dir) in [("0", "a"), ("x", "a")] {
        assert_eq!(export("run", n, dir).0, 2);
    }
    let (code, _, errors) =
        outcome(&vbench(folder.path(), &["report", "run", "--baseline", "run", "--export-worst", "3", "a"]));
    assert!(code == 2 && errors.contains("--export-worst is about one run"), "{errors}");
    // Without the recordings there are texts, and words on what is missing.
    std::fs::remove_file(folder.path().join("suite.toml")).expect("removes");
    forged(folder.path(), "moved", |_, _| ());
    let (code, _, errors) = export("moved", "2", "silent");
    assert!(code == 0 && errors.contains("2 of 2 have no audio"), "{errors}");
    assert!(text(folder.path().join("silent/index.html")).contains("No degraded.wav: the suite or its recordings"));
}

#[test]
fn provenance_holds_no_path_of_the_machine() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "fake:drop=4");
    let place = folder.path().canonicalize().expect("a path");
    let suite = place.join("suite.toml");
    let out = place.join("run");
    let arguments = ["run", suite.to_str().expect("text"), "--out", out.to_str().expect("text"), "-q"];
    assert_eq!(outcome(&vbench(folder.path(), &arguments)).0, 0);
    for file in ["report.html", "report.md", "summary.json"] {
        let text = text(out.join(file)).replace("&#x2f;", "/");
        assert!(!text.contains(place.to_str().expect("text")), "{file}");
        assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{file}");
    }
    assert!(text(out.join("report.md")).contains("…/vbench run …/suite.toml --out …/run"));
}

/// A change to a run, the exit code of its report, and what standard error or the Markdown must say.
type Case = (&'static str, fn(&mut Value, &mut Vec<Row>), i32, &'static [&'static str]);

const HOSTILE: &str = "<script>alert(1)</script> \"'` | \u{202e}gnp.x\u{202c} 👩\u{200d}🚀 \u{0}\u{1b}[31m";

const CASES: &[Case] = &[
    (
        "hostile texts",
        |_, rows| {
            for row in rows.iter_mut() {
                (row.reference, row.hyp) = (format!("{HOSTILE} one two"), Some(format!("{HOSTILE} three")));
                (row.speaker, row.session) = (Some(format!("../../{HOSTILE}")), Some(HOSTILE.into()));
                row.tags.insert("accent".into(), HOSTILE.into());
            }
        },
        0,
        &["coverage 100.00 %"],
    ),
    (
        "transcripts of 50 KB",
        |_, rows| {
            rows[0].hyp = Some("word ".repeat(10_000));
            rows[1].reference = "x".repeat(50_000);
        },
        0,
        &["cut after"],
    ),
    (
        "zero utterances",
        |record, rows| {
            rows.clear();
            record["planned"] = 0.into();
        },
        0,
        &["Nothing was scored"],
    ),
    (
        "one utterance",
        |record, rows| {
            rows.truncate(1);
            record["planned"] = 1.into();
        },
        0,
        &["no interval: 1 utterance"],
    ),
    ("an interrupted run", |_, rows| rows.truncate(5), 6, &["31 without outcome"]),
    ("no row at all of a planned run", |_, rows| rows.clear(), 6, &["36 without outcome"]),
    (
        "only failed cells",
        |_, rows| {
            for row in rows.iter_mut() {
                (row.outcome, row.hyp, row.receipt) = ("failed".into(), None, None);
                row.reason = serde_json::from_value(json!({"kind": "model", "text": HOSTILE})).ok();
            }
        },
        0,
        &["36 failed", "n/a"],
    ),
    ("only empty references", |_, rows| rows.iter_mut().for_each(|r| r.reference.clear()), 0, &["n/a"]),
    ("a newer record", |record, _| record["schema"] = "vbench/run-record/2".into(), 7, &["vbench/run-record/2"]),
    ("a record without suite", |record, _| record["suite"] = json!(null), 7, &["run.json"]),
    ("an unknown normaliser", |record, _| record["suite"]["normalizer"] = "later/9".into(), 7, &["later/9"]),
    ("more rows than planned", |record, _| record["planned"] = 3.into(), 7, &["`planned` is 3", "36 cells"]),
    ("an outcome nobody knows", |_, rows| rows[7].outcome = "maybe".into(), 7, &["rows.jsonl:8", "`maybe`"]),
    ("a cell that is done without a text", |_, rows| rows[2].hyp = None, 7, &["rows.jsonl:3", "without `hyp`"]),
    (
        "rows of another suite",
        |_, rows| {
            for row in rows.iter_mut() {
                (row.corpus, row.utt, row.condition) = ("other".into(), "gone".into(), "gone".into());
            }
        },
        0,
        &["coverage 100.00 %"],
    ),
];

#[test]
fn bad_runs_end_in_words() {
    let folder = finished();
    let mut problems = Vec::new();
    for (i, (what, change, code, words)) in CASES.iter().enumerate() {
        let (name, out) = (format!("bad-{i}"), format!("out-{i}"));
        forged(folder.path(), &name, change);
        let arguments =
            ["report", &name, "--out", &out, "--format", EVERYTHING, "--export-worst", "3", &format!("l-{i}")];
        let (found, table, errors) = outcome(&vbench(folder.path(), &arguments));
        let markdown = std::fs::read_to_string(folder.path().join(&out).join("report.md")).unwrap_or_default();
        let all = table + &errors + &markdown;
        if found != *code {
            problems.push(format!("{what}: exit code {found}, {code} expected: {errors}"));
        }
        problems.extend(words.iter().filter(|w| !all.contains(**w)).map(|w| format!("{what}: nothing says {w:?}")));
        if all.contains("panicked") || all.contains('\u{202e}') {
            problems.push(format!("{what}: {all}"));
        }
        let html = std::fs::read_to_string(folder.path().join(&out).join("report.html")).unwrap_or_default();
        if html.contains("<script>alert") || markdown.chars().count() > 65_000 {
            problems.push(format!("{what}: the page holds a script, or the Markdown is too long"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn damaged_and_unwritable_folders_end_in_words() {
    let folder = finished();
    let report = |run: &str, out: &str| outcome(&vbench(folder.path(), &["report", run, "--out", out]));
    let rows = folder.path().join("run/rows.jsonl");
    let good = text(&rows);
    // A torn last line is what a killed process leaves: one cell without outcome.
    std::fs::write(&rows, &good[..good.len() - 20]).expect("writes");
    let (code, table, _) = report("run", "out");
    assert!(code == 6 && table.contains("1 without outcome"), "{table}");
    let half = good.len() / 2;
    std::fs::write(&rows, format!("{}x{}", &good[..half], &good[half + 1..])).expect("writes");
    let (code, _, errors) = report("run", "out");
    assert!(code == 7 && errors.contains("rows.jsonl:"), "{errors}");
    std::fs::write(&rows, good.replacen("{\"v\":1", "{\"v\":2", 1)).expect("writes");
    assert_eq!(report("run", "out").0, 7, "a newer row");
    std::fs::write(&rows, &good).expect("writes");
    for (run, code) in [("nowhere", 7), ("suite.toml", 7)] {
        assert_eq!(report(run, "out").0, code, "{run}");
    }
    // /proc takes no folders from anybody, and a file is no folder.
    for out in ["/proc/vbench", "suite.toml", "suite.toml/below"] {
        let (code, _, errors) = report("run", out);
        assert!(code == 8 && errors.contains("cannot write"), "{out}: {code} {errors}");
    }
    let (code, _, errors) =
        outcome(&vbench(folder.path(), &["report", "run", "--out", "out", "--export-worst", "2", "/proc/vbench"]));
    assert!(code == 8, "{errors}");
}

/// Every file, folder and link below a folder, without what lies below `except`.
fn tree(folder: &Path, except: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if except.contains(&path) {
                continue;
            }
            let kind = std::fs::symlink_metadata(&path).expect("metadata").file_type();
            let content = if kind.is_symlink() {
                format!("link to {}", std::fs::read_link(&path).expect("a link").display())
            } else if kind.is_dir() {
                todo.push(path.clone());
                "folder".to_owned()
            } else {
                format!("{:?}", vbench_core::hash::sha256_hex(&std::fs::read(&path).expect("reads")))
            };
            found.insert(path, content);
        }
    }
    found
}

/// Names that would lead out of a folder if they became paths.
const NAMES: [&str; 20] = [
    "..",
    ".",
    "../../escaped",
    "../../../../../../../../tmp/vbench-escaped",
    "/tmp/vbench-escaped",
    "//tmp/vbench-escaped",
    "a/b/c",
    "a/../../b",
    "..\\..\\escaped",
    "C:\\escaped",
    "nul\u{0}byte",
    "CON",
    "com1.txt",
    "name. ",
    "~/escaped",
    "\u{2025}/escaped",
    "\u{ff0f}tmp\u{ff0f}escaped",
    "\u{202e}fdp.x",
    "%2e%2e%2fescaped",
    "-rf",
];

#[test]
fn names_of_cells_never_become_paths_outside_the_folder() {
    let folder = finished();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).expect("creates");
    let long = "long/".repeat(2_000);
    for (i, name) in NAMES.iter().copied().chain([long.as_str()]).enumerate() {
        let forge = format!("forged-{i}");
        forged(folder.path(), &forge, |record, rows| {
            record["id"] = name.into();
            record["suite"]["name"] = name.into();
            for (c, condition) in
                record["suite"]["conditions"].as_array_mut().expect("conditions").iter_mut().enumerate()
            {
                condition["name"] = format!("{name}{c}").into();
                // The name of a curve's figure is made of these.
                condition["severity"] = json!({"family": name, "parameter": name, "value": c});
            }
            for row in rows.iter_mut() {
                let c = ["clean", "noise-20db", "noise-5db"].iter().position(|n| *n == row.condition).expect("known");
                (row.corpus, row.model, row.condition) = (name.into(), name.into(), format!("{name}{c}"));
                (row.speaker, row.session) = (Some(format!("{name}{}", row.utt)), Some(name.into()));
                row.utt = name.into();
                row.cell = format!("{name}/{name}/{}", row.cell);
                row.tags.insert(name.into(), name.into());
            }
        });
        let before = tree(folder.path(), std::slice::from_ref(&work));
        let arguments = [
            "report",
            &forge,
            "--out",
            "work/out",
            "--format",
            EVERYTHING,
            "--audio",
            "folder",
            "--export-worst",
            "5",
            &format!("work/listen-{i}"),
        ];
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert!(code == 0, "{name:?}: {code} {errors}");
        let after = tree(folder.path(), std::slice::from_ref(&work));
        assert!(before == after, "{name:?}: files outside the output folder changed");
        assert!(!Path::new("/tmp/vbench-escaped").exists(), "{name:?}");
        // Two cells, as of one utterance there are at most two, and three indexes.
        assert_eq!(names(&work.join(format!("listen-{i}"))).len(), 5, "{name:?}");
    }
}

/// Links that lead out of the output folder.
#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;
    let folder = finished();
    let outside = folder.path().join("outside");
    std::fs::create_dir(&outside).expect("creates");
    std::fs::write(outside.join("kept.txt"), "kept").expect("writes");
    // The place of the link in the output folder, its target, and what the report must name.
    let links = [
        ("figures", "../outside"),
        ("audio", "../outside"),
        ("audio", "../../../../../../../tmp"),
        ("figures", "../outside/new"),
        ("report.html", "../outside/kept.txt"),
        ("report.md", "../outside/new.md"),
        ("summary.json", "../run/run.json"),
        ("report.csv", "/dev/full"),
        ("junit.xml", "../suite.toml"),
        ("step-summary.md", "../outside/kept.txt"),
        ("figures/wer-by-condition.png", "../../outside/kept.txt"),
        ("figures/wer-by-condition.svg", "../../outside/new.svg"),
        ("audio/001.opus", "../../outside/kept.txt"),
    ];
    for (i, (place, target)) in links.into_iter().enumerate() {
        let out = folder.path().join(format!("out-{i}"));
        let link = out.join(place);
        std::fs::create_dir_all(link.parent().expect("a parent")).expect("creates");
        symlink(target, &link).expect("links");
        let before = tree(folder.path(), std::slice::from_ref(&out));
        let name = format!("out-{i}");
        let arguments = ["report", "run", "--out", &name, "--format", EVERYTHING, "--audio", "folder"];
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert!(code == 8 && errors.contains("symbolic link"), "{place} -> {target}: {code} {errors}");
        assert!(before == tree(folder.path(), std::slice::from_ref(&out)), "{place} -> {target}");
    }
    // What an interrupted write left behind may be a link as well: it is replaced, not followed.
    let out = folder.path().join("left");
    std::fs::create_dir(&out).expect("creates");
    symlink("../outside/kept.txt", out.join("report.md.tmp")).expect("links");
    assert_eq!(outcome(&vbench(folder.path(), &["report", "run", "--out", "left", "--format", "md"])).0, 0);
    assert_eq!(text(outside.join("kept.txt")), "kept");
    assert_eq!(names(&out), ["report.md"]);
    // The folder that the user names may be a link; then everything is in its target.
    symlink("outside", folder.path().join("named")).expect("links");
    let before = tree(folder.path(), std::slice::from_ref(&outside));
    assert_eq!(outcome(&vbench(folder.path(), &["report", "run", "--out", "named", "--format", "md"])).0, 0);
    assert!(before == tree(folder.path(), std::slice::from_ref(&outside)));
    assert_eq!(names(&outside), ["kept.txt", "report.md"]);
    // A run folder from elsewhere, continued: its logs are not links to files of ours.
    for log in ["rows.jsonl", "timings.jsonl", "lock"] {
        forged(folder.path(), &format!("run-{log}"), |_, rows| rows.truncate(3));
        let path = folder.path().join(format!("run-{log}")).join(log);
        drop(std::fs::remove_file(&path));
        symlink("../outside/kept.txt", &path).expect("links");
        let (code, _, errors) = outcome(&vbench(folder.path(), &["run", "--resume", &format!("run-{log}")]));
        assert!(code == 8 && errors.contains("symbolic link"), "{log}: {code} {errors}");
        assert_eq!(text(outside.join("kept.txt")), "kept", "{log}");
    }
}

#[test]
fn figures_for_dark_slides_are_dark() {
    let folder = finished();
    let svg = |theme: &str| {
        let arguments = ["report", "run", "--format", "svg,png", "--out", theme, "--theme", theme];
        let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, 0, "{errors}");
        text(folder.path().join(theme).join("figures/wer-by-condition.svg"))
    };
    let (light, dark) = (svg("light"), svg("dark"));
    // The ground is drawn first.
    let ground =
        |svg: &str| svg.split("<rect").nth(1).and_then(|r| r.split("fill=\"").nth(1)).map(|f| f[..7].to_owned());
    let brightness = |hex: &str| u32::from_str_radix(&hex[1..3], 16).expect("a colour");
    assert!(brightness(&ground(&light).expect("a ground")) > 200, "{light}");
    assert!(brightness(&ground(&dark).expect("a ground")) < 60, "{dark}");
    assert!(folder.path().join("dark/figures/wer-by-condition.png").exists());
}

#[test]
fn the_suite_of_a_run_is_the_one_that_it_ran_wherever_it_is_rendered() {
    let folder = finished();
    // Where the report is made, a suite of the same relative path is another one.
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("creates");
    corpus(&elsewhere, 3, r#"["clean"]"#, "fake:echo");
    let (code, _, errors) = outcome(&vbench(&elsewhere, &["report", "../run", "--format", "html", "--out", "out"]));
    assert_eq!(code, 0, "{errors}");
    let html = text(elsewhere.join("out/report.html"));
    assert_eq!(html.matches("data:audio/ogg;codecs=opus;base64,").count(), 10, "every clip is had");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let folder = finished();
    for more in [&["--normalizer", "none"][..], &["--force"]] {
        let (code, _, errors) = outcome(&vbench(folder.path(), &[&["report", "run"], more].concat()));
        assert!(code == 2 && errors.contains("--baseline"), "{errors}");
    }
    std::fs::create_dir(folder.path().join("full")).expect("creates");
    std::fs::write(folder.path().join("full/mine.txt"), "mine").expect("writes");
    let arguments = ["report", "run", "--out", "untouched", "--export-worst", "3", "full"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &arguments));
    assert!(code == 8 && errors.contains("not empty"), "{errors}");
    assert!(!folder.path().join("untouched").exists(), "nothing is written before everything is known to go");
}

#[test]
fn markdown_shows_the_figures_that_lie_beside_it_and_no_others() {
    let folder = finished();
    for (formats, shown) in [("md", false), ("md,png", true)] {
        let (code, _, errors) =
            outcome(&vbench(folder.path(), &["report", "run", "--format", formats, "--out", formats]));
        assert_eq!(code, 0, "{errors}");
        let markdown = text(folder.path().join(formats).join("report.md"));
        assert_eq!(markdown.contains("](figures/"), shown, "{formats}");
        assert!(markdown.contains("Where the errors come from") && markdown.contains("he same transcripts have a WER"));
    }
}
