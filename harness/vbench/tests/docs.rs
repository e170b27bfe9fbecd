//! What the documentation tells people to copy.

mod common;

use std::process::Command;

use common::{root, skipped, vbench};

/// The blocks of a language in a Markdown text.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    text.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn documents() -> Vec<(String, String)> {
    let folder = root().join("docs");
    let files = std::fs::read_dir(folder).expect("docs/").map(|e| e.expect("an entry").path());
    let markdown = files.filter(|p| p.extension().is_some_and(|x| x == "md"));
    markdown.map(|p| (p.display().to_string(), std::fs::read_to_string(&p).expect("reads"))).collect()
}

const CHECK: &str = r#"
import sys, yaml
w = yaml.safe_load(sys.stdin)
on = w.get("on", w.get(True))
assert isinstance(w["name"], str) and on, "name and on"
assert w["permissions"], "permissions are stated"
for name, job in w["jobs"].items():
    assert job["runs-on"] and job["timeout-minutes"], name
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step), step
        assert "@" in step.get("uses", "@"), step
"#;

/// Three complete workflows: the gate, a page for every run, a comment.
#[test]
fn workflows_are_yaml_with_jobs_and_steps() {
    let python = std::env::var_os("VBENCH_PEER_PYTHON")
        .filter(|python| Command::new(python).args(["-c", "import yaml"]).output().is_ok_and(|o| o.status.success()));
    let Some(python) = python else {
        return skipped("workflows in docs/", "Python with PyYAML (cargo xtask test installs it)");
    };
    let mut seen = 0;
    for (name, text) in documents() {
        for block in blocks(&text, "yaml") {
            use std::io::Write as _;
            let mut child = Command::new(&python)
                .args(["-c", CHECK])
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("Python starts");
            child.stdin.take().expect("a pipe").write_all(block.as_bytes()).expect("writes");
            let done = child.wait_with_output().expect("ends");
            assert!(done.status.success(), "{name}: {}\n{block}", String::from_utf8_lossy(&done.stderr));
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} workflows");
}

/// Every option that a workflow or an example gives to `vbench report` exists.
#[test]
fn examples_of_report_use_options_that_exist() {
    let help = String::from_utf8(vbench(&root(), &["report", "--help"]).stdout).expect("UTF-8");
    let mut seen = 0;
    for (name, text) in documents() {
        let lines = [blocks(&text, "yaml"), blocks(&text, "sh")].concat().concat().replace("\\\n", " ");
        for line in lines.lines().filter(|l| l.contains("vbench report ")) {
            for word in line.split_whitespace().filter(|w| w.starts_with("--")) {
                assert!(help.contains(&format!("{word} ")), "{name}: {word} in {line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "{seen} options");
}

/// Commands of docs/latency.md on models without weights, as they stand there. Exit codes are 0 unless a comment says otherwise.
#[test]
fn commands_of_the_latency_guide_work() {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::corpus(folder.path(), 8, r#"["clean"]"#, "fake:echo");
    let text = std::fs::read_to_string(root().join("docs/latency.md")).expect("reads");
    let mut seen = 0;
    for line in blocks(&text, "sh").concat().lines() {
        let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
        let words: Vec<&str> = command.split_whitespace().collect();
        let replay = words.contains(&"--replay");
        if words.first() != Some(&"vbench") || !(replay || words[2].starts_with("fake")) {
            continue;
        }
        let mut arguments = words[1..].to_vec();
        arguments.push("-q");
        if !replay {
            arguments.extend(["--suite", "suite.toml"]);
        }
        let wanted = if comment.contains("exit code 10") { 10 } else { 0 };
        let (code, _, errors) = common::outcome(&vbench(folder.path(), &arguments));
        assert_eq!(code, wanted, "{line}: {errors}");
        seen += 1;
    }
    assert!(seen >= 9, "{seen} commands");
}

/// Options that the latency guide gives to `bench` and `audit` in any example exist.
#[test]
fn options_of_the_latency_guide_exist() {
    let text = std::fs::read_to_string(root().join("docs/latency.md")).expect("reads");
    let mut seen = 0;
    for command in ["bench", "audit"] {
        let help = String::from_utf8(vbench(&root(), &[command, "--help"]).stdout).expect("UTF-8");
        for line in blocks(&text, "sh").concat().lines().filter(|l| l.starts_with(&format!("vbench {command} "))) {
            for word in line.split_whitespace().filter(|w| w.starts_with("--")) {
                assert!(help.contains(&format!("{word} ")) || help.contains(&format!("{word}\n")), "{word} in {line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "{seen} options");
}

/// Commands and options of the guide to corpora exist, and it names every command of `vbench data`.
#[test]
fn commands_of_the_corpora_guide_exist() {
    let text = std::fs::read_to_string(root().join("docs/corpora.md")).expect("reads");
    let help = |command: &str| {
        let (code, out, errors) = common::outcome(&vbench(&root(), &["data", command, "--help"]));
        assert_eq!(code, 0, "{command}: {errors}");
        out
    };
    let mut seen = 0;
    for line in text.lines().filter(|l| l.trim_start().starts_with("vbench data ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let help = help(words[2]);
        for word in words.iter().filter(|w| w.starts_with("--")) {
            assert!(help.contains(&format!("{word} ")) || help.contains(&format!("{word}\n")), "{word} in {line}");
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen} options");
    for command in ["import", "check", "play", "suspects", "split", "sample", "describe"] {
        assert!(text.contains(&format!("vbench data {command} ")), "{command}");
    }
}

/// Every key of bench.json and of a trace stands in the latency guide.
#[test]
fn keys_of_a_bench_are_documented() {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::corpus(folder.path(), 8, r#"["clean"]"#, "fake:echo");
    std::fs::write(folder.path().join("b.toml"), "[budgets]\nend_to_end = 100\nstages = { vad = 50 }\n")
        .expect("writes");
    let bench = |more: &[&str]| {
        // A folder takes one run.
        let _ = std::fs::remove_dir_all(folder.path().join("b"));
        let common = ["bench", "--suite", "suite.toml", "-q", "--out", "b"];
        let (code, _, errors) = common::outcome(&vbench(folder.path(), &[&common[..], more].concat()));
        assert!(code == 0 || code == 10, "{code} {errors}");
        let read = |name: &str| std::fs::read_to_string(folder.path().join("b").join(name)).expect("written");
        format!("{}{}\n", read("requests.jsonl"), read("bench.json").replace('\n', " "))
    };
    let texts = [
        bench(&["fake-pipeline:", "--scenario", "paced", "--barge-in-ms", "100", "--budgets", "b.toml"]),
        bench(&["fake:echo,delay_ms=40", "--scenario", "server", "--rate", "8", "--search", "p90=200ms"]),
        bench(&["fake-pipeline:", "--sweep-length", "0.5,0.8", "--min-count", "100"]),
        bench(&["fake:echo", "--min-count", "20", "--min-duration-s", "0"]),
    ];
    let mut todo: Vec<serde_json::Value> =
        texts.iter().flat_map(|t| t.lines()).map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let mut keys = std::collections::BTreeSet::new();
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::Object(map) => {
                // Facts have names of their own, and how a run was made stands in docs/report-formats.md.
                for (key, value) in map {
                    todo.extend((key != "facts" && key != "run").then_some(value));
                    keys.insert(key);
                }
            }
            serde_json::Value::Array(list) => todo.extend(list),
            _ => {}
        }
    }
    assert!(keys.contains("barge_in_ns") && keys.contains("trials") && keys.contains("cost"), "{keys:?}");
    let document = std::fs::read_to_string(root().join("docs/latency.md")).expect("reads");
    let named = |k: &String| document.contains(&format!("`{k}`")) || document.contains(&format!("\"{k}\""));
    let missing: Vec<_> = keys.iter().filter(|k| !named(k)).collect();
    assert!(missing.is_empty(), "docs/latency.md does not name {missing:?}");
}

/// Every key that a run leaves in its summary.json stands in the documentation.
#[test]
fn keys_of_summary_json_are_documented() {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::corpus(folder.path(), 12, common::CONDITIONS, "fake:drop=3,delay_ms=100");
    common::run(folder.path(), "run", "fake:drop=3,delay_ms=100", &["--format", "json"]);
    let text = std::fs::read_to_string(folder.path().join("run/summary.json")).expect("reads");
    let keys = keys_of(serde_json::from_str(&text).expect("JSON"));
    assert!(keys.contains("estimate") && keys.len() > 40, "{keys:?}");
    all_documented(&keys);
}

/// Every key, at any depth.
fn keys_of(value: serde_json::Value) -> std::collections::BTreeSet<String> {
    let mut todo = vec![value];
    let mut keys = std::collections::BTreeSet::new();
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    keys.insert(key);
                    todo.push(value);
                }
            }
            serde_json::Value::Array(list) => todo.extend(list),
            _ => {}
        }
    }
    keys
}

fn all_documented(keys: &std::collections::BTreeSet<String>) {
    let document = std::fs::read_to_string(root().join("docs/report-formats.md")).expect("reads");
    let missing: Vec<_> = keys.iter().filter(|k| !document.contains(&format!("`{k}`"))).collect();
    assert!(missing.is_empty(), "docs/report-formats.md does not name {missing:?}");
}

/// The same for a comparison and a history, with their schemas.
#[test]
fn keys_of_comparisons_and_histories_are_documented() {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::corpus(folder.path(), 12, r#"["clean", "noise-5db"]"#, "fake:echo");
    common::run(folder.path(), "runs/a", "fake:drop=3,delay_ms=10", &[]);
    common::run(folder.path(), "runs/b", "fake:drop=4,delay_ms=10", &[]);
    let written = |arguments: &[&str]| {
        let all = [&["report", "--out", "page", "--format", "json", "--json"], arguments].concat();
        let (code, out, errors) = common::outcome(&vbench(folder.path(), &all));
        assert_eq!(code, 0, "{errors}");
        serde_json::from_str::<serde_json::Value>(&out).expect("JSON")
    };
    let (comparison, history) = (written(&["runs/b", "--baseline", "runs/a"]), written(&["runs"]));
    let document = std::fs::read_to_string(root().join("docs/report-formats.md")).expect("reads");
    for schema in [&comparison["schema"], &comparison["comparison"]["schema"], &history["schema"]] {
        assert!(document.contains(&format!("`{}`", schema.as_str().expect("text"))), "{schema}");
    }
    let keys = keys_of(comparison);
    assert!(keys.contains("families") && keys.contains("times_not_judged") && keys.len() > 60, "{keys:?}");
    all_documented(&keys);
    let keys = keys_of(history);
    assert!(keys.contains("spec") && keys.contains("estimate"), "{keys:?}");
    all_documented(&keys);
}
