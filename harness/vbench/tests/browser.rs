//! The report's page in a real browser: Debian's Chromium, driven by `xtask/browser/page.mjs`.
//!
//! `cargo xtask test` provides the driver; where something is missing a test says `skipped: needs …`.

mod common;
mod synthetic;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use synthetic::Invented;
use vbench_report::format::visible;

/// The folder of the driver's packages, or what is missing.
fn driver() -> Result<PathBuf, String> {
    let folder = common::root().join("target/browser");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|f| f.join(program).exists());
    if let Some(missing) = ["chromium", "node"].into_iter().find(|program| !there(program)) {
        return Err(missing.into());
    }
    let packages = ["playwright-core", "axe-core"].map(|name| folder.join("node_modules").join(name));
    packages.iter().all(|p| p.exists()).then_some(folder).ok_or_else(|| "playwright-core and axe-core".into())
}

/// What a check of the driver found; `None` when the test is skipped.
fn check(test: &str, name: &str, page: &Path, argument: &str) -> Option<Value> {
    let folder = match driver() {
        Ok(folder) => folder,
        Err(missing) => {
            common::skipped(test, &missing);
            return None;
        }
    };
    let mut node = Command::new("node");
    node.arg(common::root().join("xtask/browser/page.mjs")).arg(folder).arg(name).arg(page).arg(argument);
    let output = node.output().expect("node starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("one JSON value"))
}

/// The page of a run with the fake model, with players: made once.
fn small_page() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    PAGE.get_or_init(|| {
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("temporary folder")).path();
        let conditions =
            r#"["clean", "noise-20db", "noise-15db", "noise-10db", "noise-5db", "reverb", "mp3-64k", "opus-16k"]"#;
        common::corpus(folder, 12, conditions, "fake:drop=4");
        common::run(folder, "run", "fake:drop=4", &[]);
        folder.join("run/report.html")
    })
}

/// Renders a run folder of invented cells.
fn rendered(folder: &Path, suite: &str, cells: &[Invented], describe: &str) -> PathBuf {
    synthetic::write(&folder.join("run"), suite, cells, describe);
    let (code, _, errors) = common::outcome(&common::vbench(folder, &["report", "run"]));
    assert_eq!(code, 0, "{errors}");
    folder.join("run/report.html")
}

/// What a process took.
struct Cost {
    wall_s: f64,
    /// Processor time in seconds and the most memory in MB, where the system tells.
    cpu_s: Option<f64>,
    memory_mb: Option<f64>,
}

/// Renders the run again and watches.
fn measured(folder: &Path) -> Cost {
    let began = Instant::now();
    let mut command = common::command(folder, &["report", "run"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("vbench starts");
    let (mut cpu_s, mut memory_mb) = (None, None);
    loop {
        // Both only grow; the last reading before the end is a few milliseconds old.
        let read = |name| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap_or_default();
        let status = read("status");
        let kib =
            status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        memory_mb = kib.map(|k| k * 1024e-6).or(memory_mb);
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|t| t.parse::<f64>().ok());
        cpu_s = ticks(11).zip(ticks(12)).map(|(user, system)| (user + system) / 100.0).or(cpu_s);
        if let Some(status) = child.try_wait().expect("is waited for") {
            assert!(status.success());
            return Cost { wall_s: began.elapsed().as_secs_f64(), cpu_s, memory_mb };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn list(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string)).collect()
}

/// The page said nothing, broke nothing and asked for nothing but itself.
fn assert_quiet(found: &Value) {
    assert_quiet_at(found, "report.html");
}

fn assert_quiet_at(found: &Value, name: &str) {
    assert_eq!(list(&found["console"]), Vec::<String>::new());
    assert_eq!(list(&found["errors"]), Vec::<String>::new());
    assert_eq!(list(&found["dialogs"]), Vec::<String>::new());
    let requests = list(&found["requests"]);
    assert_eq!(requests.len(), 1, "only the page itself: {requests:?}");
    assert!(requests[0].starts_with("file:") && requests[0].ends_with(&format!("/{name}")), "{requests:?}");
}

#[test]
fn the_page_loads_without_a_word_and_without_a_request() {
    let Some(found) = check("browser load", "load", small_page(), "") else { return };
    assert_quiet(&found);
    assert_eq!(found["script"], true, "the script ran: its hash is that of the policy");
    assert_eq!(found["sideways"], false);
    assert_eq!(found["rows"], 50, "one screen of the 96 cells");
}

#[test]
fn without_script_every_finding_is_there() {
    let Some(found) = check("browser plain", "plain", small_page(), "") else { return };
    assert_quiet(&found);
    let count = |what: &str| found[what].as_u64().unwrap_or(u64::MAX);
    // All, 8 conditions, 4 SNRs, 2 accents, 6 speakers.
    assert_eq!((count("headline"), count("strata")), (2, 1 + 8 + 4 + 2 + 6), "{found}");
    assert_eq!((count("worst"), count("players")), (10, 10), "{found}");
    assert_eq!((count("list"), count("notice")), (0, 1), "the list says that it needs script: {found}");
}

#[test]
fn a_table_sorts_and_filters_by_keyboard() {
    let Some(found) = check("browser tables", "tables", small_page(), "") else { return };
    assert_quiet(&found);
    let numbers = |value: &Value| -> Vec<f64> { list(value).iter().map(|n| n.parse().expect("a number")).collect() };
    let (down, up) = (numbers(&found["down"]["rates"]), numbers(&found["up"]["rates"]));
    assert_eq!(down.len(), 8);
    assert!(down.is_sorted_by(|a, b| a >= b) && up.is_sorted(), "{down:?} {up:?}");
    assert_eq!((&found["down"]["aria"], &found["up"]["aria"]), (&"descending".into(), &"ascending".into()));
    let mut names = list(&found["down"]["names"]);
    names.sort();
    let mut before = list(&found["before"]);
    before.sort();
    assert_eq!(names, before, "no row is lost");
    let filtered = list(&found["filtered"]);
    assert!(filtered.len() == 4 && filtered.iter().all(|n| n.starts_with("noise-")), "{filtered:?}");
    assert_eq!(found["status"], "4 of 8 rows");
    assert_eq!(found["after"], 8);
}

#[test]
fn the_list_of_cells_filters_opens_and_is_linked() {
    let Some(found) = check("browser cells", "cells", small_page(), "") else { return };
    assert_quiet(&found);
    assert_eq!(found["all"], "96 cells");
    let errors = list(&found["least"]["errors"]);
    assert!(!errors.is_empty() && errors.iter().all(|n| n == "2"), "{found}");
    let chosen = &found["condition"]["chosen"];
    let shown = list(&found["condition"]["shown"]);
    assert!(shown.len() == 12 && shown.iter().all(|c| chosen == c), "{chosen} {shown:?}");

    let opened = &found["opened"];
    assert_eq!(opened["expanded"], "true");
    let fact = |name: &str| opened["facts"][name].as_str().unwrap_or_default().to_string();
    // Every fourth word is dropped: the alignment above reads as the reference, below as what was heard.
    let words = |at: usize| -> Vec<String> {
        let columns = opened["alignment"].as_array().into_iter().flatten();
        columns.filter_map(|c| c[if c[0] == "hit" { 2 } else { at }].as_str().map(str::to_lowercase)).collect()
    };
    // The normaliser of English writes numbers as digits.
    let normalised = |name: &str| fact(name).to_lowercase().replace("seven", "7");
    assert_eq!(words(1).join(" "), normalised("reference"));
    assert_eq!(words(2).join(" "), normalised("hypothesis"));
    assert_ne!(fact("reference"), fact("hypothesis"));
    assert_eq!(opened["hash"], format!("#cell={}", fact("cell").replace('/', "%2F")));
    assert_eq!((&found["closed"]["expanded"], &found["closed"]["details"]), (&"false".into(), &0.into()));

    assert_eq!(found["stratum"]["count"], format!("{} of 96 cells", found["stratum"]["link"].as_str().unwrap_or("?")));
    assert_eq!(list(&found["stratum"]["chips"]), ["accent: us ×"]);
    assert_eq!(found["odd"], "0 of 96 cells", "properties with names that every object has");
    let deep = &found["deep"];
    let focused = deep["focused"].as_str().unwrap_or("?");
    assert!(list(&deep["open"]) == [focused] && fact("cell").contains(focused), "{deep} is {}", fact("cell"));
    assert_eq!(deep["inView"], true);
}

#[test]
fn a_player_plays() {
    let Some(found) = check("browser audio", "audio", small_page(), "") else { return };
    assert_quiet(&found);
    let played = &found["played"];
    assert!(played["time"].as_f64().is_some_and(|t| t > 0.0), "{played}");
    assert!(played["duration"].as_f64().is_some_and(|d| (0.9..1.2).contains(&d)), "{played}");
}

/// The pages of a comparison, a history, a bench, two models by turns, and of corpora: made once.
fn other_pages() -> &'static [PathBuf; 7] {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static PAGES: OnceLock<[PathBuf; 7]> = OnceLock::new();
    PAGES.get_or_init(|| {
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("temporary folder")).path();
        common::corpus(folder, 12, r#"["clean", "noise-5db"]"#, "fake:drop=4");
        common::run(folder, "runs/a", "fake:drop=5", &[]);
        common::run(folder, "runs/b", "fake:drop=4", &[]);
        std::fs::write(folder.join("budgets.toml"), "[budgets]\nend_to_end = 500\nstages = { asr = 150, llm = 60 }\n")
            .expect("writes");
        let quick = ["--suite", "suite.toml", "-q", "--min-duration-s", "0"];
        let bench = ["bench", "fake-pipeline:jitter=0.2,flicker=3", "--scenario", "paced", "--chunk-ms", "100"];
        let budgets = ["--barge-in-ms", "200", "--budgets", "budgets.toml", "--min-count", "400", "--out", "runs/c"];
        let against = ["bench", "fake:echo,delay_ms=40", "--against", "fake:echo,delay_ms=44", "--out", "ab"];
        for (arguments, wanted) in [
            ([&bench[..], &budgets, &quick].concat(), 10),
            ([&against[..], &quick].concat(), 10),
            (vec!["report", "runs/b", "--baseline", "runs/a"], 0),
            (vec!["report", "runs"], 0),
            (vec!["data", "check", "manifest.jsonl", "--html", "check.html"], 0),
            (vec!["data", "describe", "manifest.jsonl", "--html", "corpus.html"], 0),
            (vec!["data", "suspects", "runs/a", "runs/b", "--html", "suspects.html"], 0),
        ] {
            let (code, _, errors) = common::outcome(&common::vbench(folder, &arguments));
            assert_eq!(code, wanted, "{arguments:?}: {errors}");
        }
        let reports =
            ["runs/b/comparison.html", "runs/history.html", "runs/c/report.html", "ab/report.html"].into_iter();
        let pages = reports.chain(["check.html", "corpus.html", "suspects.html"]).map(|p| folder.join(p));
        pages.collect::<Vec<_>>().try_into().expect("seven")
    })
}

#[test]
fn the_other_pages_load_without_a_word_and_without_a_request() {
    for page in other_pages() {
        let Some(found) = check("browser other pages", "load", page, "") else { return };
        assert_quiet_at(&found, &page.file_name().expect("a name").to_string_lossy());
        assert_eq!((&found["script"], &found["sideways"]), (&true.into(), &false.into()), "{}", page.display());
    }
}

#[test]
fn axe_finds_nothing_serious_in_the_other_pages() {
    for page in other_pages() {
        let Some(found) = check("browser axe, other pages", "axe", page, "") else { return };
        assert_nothing_serious(&found);
    }
}

#[test]
fn a_player_of_a_comparison_plays() {
    let Some(found) = check("browser audio of a comparison", "audio", &other_pages()[0], "") else { return };
    assert_quiet_at(&found, "comparison.html");
    assert!(found["played"]["time"].as_f64().is_some_and(|t| t > 0.0), "{}", found["played"]);
}

#[test]
fn axe_finds_nothing_serious_in_light_and_dark() {
    let Some(found) = check("browser axe", "axe", small_page(), "") else { return };
    assert_nothing_serious(&found);
}

fn assert_nothing_serious(found: &Value) {
    let all = found["problems"].as_array().expect("a list");
    let grave: Vec<&Value> = all.iter().filter(|p| p["impact"] == "serious" || p["impact"] == "critical").collect();
    assert!(grave.is_empty(), "{grave:#?}\nbeside these, of all: {all:#?}");
}

#[test]
fn pictures_of_every_page_are_kept() {
    let folder = common::root().join("target/browser/screenshots");
    let names = ["run", "comparison", "history", "bench", "against"];
    let pages = std::iter::once(small_page()).chain(other_pages().iter().map(PathBuf::as_path));
    for (name, page) in names.iter().zip(pages) {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let Some(found) = check("browser screenshots", "screenshots", page, &folder.to_string_lossy()) else { return };
        assert_eq!(list(&found["sideways"]), Vec::<String>::new(), "{name}: nothing scrolls sideways");
        let files = list(&found["files"]);
        assert_eq!(files.len(), 5, "{name}");
        assert!(files.iter().all(|f| std::fs::metadata(f).is_ok_and(|m| m.len() > 20_000)), "{files:?}");
    }
}

/// Text that breaks pages which forget to escape.
fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = HOSTILE.iter().map(|t| (*t).to_string()).collect();
    texts.push("x<b>".repeat(12_500));
    assert_eq!(texts.len(), 50);
    texts
}

const HOSTILE: [&str; 49] = [
    "<script>window.hacked=1</script>",
    "<SCRIPT SRC=//x.invalid/y.js></SCRIPT>",
    "</script><script>window.hacked=2</script>",
    "</script ><img src=x onerror=window.hacked=3>",
    "<!-- <script> -->",
    "<!--",
    "-->",
    "<!--<script></script>",
    "]]><script>window.hacked=4</script>",
    "</style><script>window.hacked=5</script>",
    "</title><svg onload=window.hacked=6>",
    "</textarea><iframe srcdoc='<script>parent.hacked=7</script>'>",
    "\"><img src=x onerror=alert(8)>",
    "'><img src=x onerror=alert(9)>",
    "\" onmouseover=\"alert(10)",
    "' onfocus='alert(11)' autofocus='",
    "` onclick=alert(12) `",
    "<img src=x onerror=alert(13)>",
    "<svg/onload=alert(14)>",
    "<math><mi xlink:href='javascript:alert(15)'>",
    "<a href=\"javascript:alert(16)\">click</a>",
    "javascript:alert(17)",
    "data:text/html,<script>alert(18)</script>",
    "<base href=//x.invalid/>",
    "<meta http-equiv=refresh content='0;url=//x.invalid'>",
    "<link rel=stylesheet href=//x.invalid/s.css>",
    "<style>*{display:none}</style>",
    "<form action=//x.invalid><button>send</button></form>",
    "<object data=//x.invalid></object>",
    "<video src=//x.invalid autoplay onerror=alert(30)>",
    "{{ 7 * 7 }}",
    "{% include \"page.html\" %}",
    "{# comment #}",
    "${alert(34)}",
    "<%= 7 * 7 %>",
    "__proto__",
    "constructor",
    "toString",
    "&lt;script&gt;alert(39)&lt;/script&gt;",
    "&#60;script&#62;&amp;",
    "\\u003cscript\\u003e \\\" \\\\ \\",
    "\"quoted\" 'single' `back`",
    "שלום \u{202e}txet desrever\u{202c} مرحبا",
    "\u{2066}isolate\u{2069} \u{200f}mark\u{200e}",
    "👩\u{200d}🚀 🏴\u{e0067}\u{e0062}\u{e007f} 👍🏽",
    "తెలుగు క్\u{200d}ష हिन्दी",
    "z\u{336}a\u{335}l\u{334}g\u{336}o\u{337}",
    "line\u{2028}separator\u{2029}paragraph",
    "nul \u{0} bell \u{7} escape \u{1b}[31m \u{feff}",
];

#[test]
fn fifty_hostile_texts_stay_text() {
    let texts = hostile_texts();
    let cell = |(i, text): (usize, &String)| Invented {
        utterance: format!("u{i}"),
        speaker: text.clone(),
        condition: text.clone(),
        model: text.clone(),
        reference: format!("first {text} last"),
        hypothesis: if i % 10 == 9 { Err(text.clone()) } else { Ok(format!("heard {text} {text}")) },
    };
    let cells: Vec<Invented> = texts.iter().enumerate().map(cell).collect();
    let folder = tempfile::tempdir().expect("temporary folder");
    let page = rendered(folder.path(), &texts[2], &cells, &texts.join(" "));
    let Some(found) = check("browser hostile", "hostile", &page, "") else { return };
    assert_quiet(&found);
    let foreign = &found["foreign"];
    for what in ["elements", "handlers", "links"] {
        assert_eq!(list(&foreign[what]), Vec::<String>::new(), "{what}");
    }
    assert_eq!((&foreign["scripts"], &foreign["flag"]), (&2.into(), &Value::Null), "data and the page's own script");
    let seen = found["seen"].as_array().expect("a list");
    assert_eq!(seen.len(), texts.len());
    for (i, text) in texts.iter().enumerate() {
        let key = format!("u{i}/");
        let one = seen.iter().find(|s| s["facts"]["cell"].as_str().is_some_and(|c| c.contains(&key)));
        let facts = &one.unwrap_or_else(|| panic!("cell {i} is listed"))["facts"];
        let shown = |name: &str| facts[name].as_str().unwrap_or_default().to_string();
        let same = |name: &str, whole: &str| {
            let (whole, shown) = (visible(whole), shown(name));
            // A long text is cut and says so; what stands before the cut is the text itself.
            let kept = shown.split("… (cut after ").next().unwrap_or_default();
            let cut = whole.chars().count() > 400 && kept.len() < whole.len();
            assert!(shown == whole || cut && whole.starts_with(kept), "{name} of {i}: {shown:?} is not {whole:?}");
        };
        same("reference", &format!("first {text} last"));
        for name in ["speaker", "condition", "model"] {
            same(name, text);
        }
        if i % 10 == 9 {
            same("reason", &format!("model: {text}"));
        } else {
            same("hypothesis", &format!("heard {text} {text}"));
        }
    }
    let found_by_text = found["found"].as_str().unwrap_or_default();
    assert!(found_by_text.ends_with(" of 50 cells"), "the filter searches for the text as it is: {found_by_text}");
}

/// Seconds of processor time for a report of 10,000 cells: about one on an idle machine, more where cores are shared.
const REPORT_CPU_S: f64 = 2.5;
/// Milliseconds within which a reader's action must show.
const ACTION_MS: f64 = 200.0;

#[test]
fn ten_thousand_cells_stay_small_and_quick() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let page = rendered(folder.path(), "ten thousand", &synthetic::many(10_000), "Invented.");
    let bytes = page.metadata().expect("the page").len();
    let runs = [(); 3].map(|()| measured(folder.path()));
    let least = |pick: fn(&Cost) -> Option<f64>| runs.iter().filter_map(pick).fold(f64::INFINITY, f64::min);
    let (wall, cpu, memory) = (least(|c| Some(c.wall_s)), least(|c| c.cpu_s), least(|c| c.memory_mb));
    let size = bytes as f64 / 1e6;
    eprintln!("10,000 cells: report in {wall:.2} s, {cpu:.2} s of processor, {memory:.0} MB; page {size:.2} MB");
    // Processor time, because other tests run beside this one.
    assert!(!cpu.is_finite() || cpu <= REPORT_CPU_S, "{cpu} s");
    assert!(!memory.is_finite() || memory <= 300.0, "{memory} MB");
    let Some(found) = check("browser speed", "speed", &page, "") else { return };
    assert_quiet(&found);
    eprintln!(
        "in the browser: loaded after {:.0} ms; actions, median of five, ms: {}",
        found["load"].as_f64().unwrap_or(f64::NAN),
        found["ms"]
    );
    assert!(found["rows"].as_u64().is_some_and(|n| (1..=100).contains(&n)), "{found}");
    for (action, ms) in found["ms"].as_object().expect("times") {
        assert!(ms.as_f64().is_some_and(|ms| ms < ACTION_MS), "{action}: {ms} ms");
    }
}
