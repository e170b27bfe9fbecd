//! `cargo xtask bench`: the criterion benches of the hot crates, kept with their date under `reports/bench/`.
//!
//! One file a run, `DATE-COMMIT.json`: `{"schema":"vbench/crate-benches/1","date","commit","modified","quick","machine":{"cpu",
//! "cores","os","rustc"},"load":{"before","after"},"results":[{"crate","id","median_ns","lo_ns","hi_ns","level","elements"?}]}`.
//! Medians and their bootstrap intervals are criterion's. `load` is the one-minute load average: a run on a machine that does
//! other work is slower and wider, and the file says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::trend;

/// Crates with benches, the fastest to run first.
pub const CRATES: [&str; 8] = [
    "vbench-stats",
    "vbench-compare",
    "vbench-store",
    "vbench-load",
    "vbench-score",
    "vbench-audio",
    "vbench-report",
    "ref-models",
];

/// Schema of a stored run.
pub const SCHEMA: &str = "vbench/crate-benches/1";

/// A short look: enough to see a factor, not a percent.
const QUICK: [&str; 6] = ["--warm-up-time", "0.2", "--measurement-time", "0.5", "--sample-size", "10"];

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Fractions of a second for each benchmark.
    pub quick: bool,
    /// These crates; all where it is empty.
    pub crates: Vec<String>,
}

/// Runs the benches, stores the results and draws the trend.
///
/// # Errors
///
/// In words: an unknown crate, a bench that fails, files that cannot be read or written.
pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    if let Some(unknown) = options.crates.iter().find(|c| !CRATES.contains(&c.as_str())) {
        return Err(format!("no benches in `{unknown}`; known: {}", CRATES.join(", ")));
    }
    let wanted = |c: &str| options.crates.is_empty() || options.crates.iter().any(|o| o == c);
    let crates: Vec<&str> = CRATES.into_iter().filter(|c| wanted(c)).collect();
    let built = build(root, &crates)?;
    let before = load_average();
    let mut results = Vec::new();
    for name in crates {
        let programs: Vec<&Built> = built.iter().filter(|b| b.package == name).collect();
        results.extend(bench(root, name, &programs, options.quick)?);
    }
    let said = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).current_dir(root).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let date = said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]).ok_or("`date` does not tell the time")?;
    let commit = said("git", &["rev-parse", "HEAD"]).unwrap_or_default();
    let machine = json!({
        "cpu": cpu_name(), "cores": std::thread::available_parallelism().map_or(1, usize::from), "os": std::env::consts::OS,
        "rustc": said("rustc", &["--version"]).unwrap_or_default(),
    });
    let head = json!({
        "schema": SCHEMA, "date": date, "commit": commit,
        "modified": said("git", &["status", "--porcelain"]).is_none_or(|s| !s.is_empty()),
        "quick": options.quick, "machine": machine, "load": {"before": before, "after": load_average()},
    });
    let minute: String = date.chars().filter(|c| c.is_ascii_digit() || *c == 'T').take(13).collect();
    let path = root.join(format!("reports/bench/{minute}-{}.json", commit.get(..7).unwrap_or("unknown")));
    write(&path, &document(&head, &results))?;
    draw(root)
}

/// Draws the trend of what is stored.
///
/// # Errors
///
/// Files that cannot be read or written.
pub fn draw(root: &Path) -> Result<(), String> {
    let folder = root.join("reports/bench");
    let mut runs = Vec::new();
    for path in files(&folder)?.into_iter().filter(|p| p.extension().is_some_and(|x| x == "json")) {
        let run = read(&path)?;
        if run["schema"] != SCHEMA {
            return Err(format!("{}: schema is {}, expected `{SCHEMA}`", path.display(), run["schema"]));
        }
        runs.push(run);
    }
    runs.sort_by_key(|r| r["date"].as_str().unwrap_or_default().to_owned());
    if runs.is_empty() {
        return Err("reports/bench holds no run yet: cargo xtask bench".into());
    }
    write(&folder.join("trend.svg"), &trend::svg(&runs))?;
    write(&folder.join("README.md"), &trend::markdown(&runs))
}

/// A bench that cargo built.
#[derive(Debug, PartialEq, Eq)]
struct Built {
    package: String,
    /// The package's folder, where its benches run.
    folder: PathBuf,
    program: PathBuf,
}

/// Builds all benches at once: crate by crate cargo would choose other features of what they share, and build it again.
fn build(root: &Path, crates: &[&str]) -> Result<Vec<Built>, String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(program);
    command.args(["bench", "--no-run", "--message-format", "json-render-diagnostics", "--bench", "*"]);
    for name in crates {
        command.args(["-p", name]);
    }
    let done = command.current_dir(root).stderr(Stdio::inherit()).output();
    let done = done.map_err(|e| format!("cannot start cargo: {e}"))?;
    if !done.status.success() {
        return Err(format!("building the benches: {}", done.status));
    }
    Ok(String::from_utf8_lossy(&done.stdout).lines().filter_map(built).collect())
}

/// The bench that a message of cargo tells of, if it does.
fn built(message: &str) -> Option<Built> {
    let message: Value = serde_json::from_str(message).ok()?;
    let kinds = message["target"]["kind"].as_array()?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
    let package = folder.file_name()?.to_string_lossy().into_owned();
    let program = PathBuf::from(message["executable"].as_str()?);
    kinds.iter().any(|k| k == "bench").then_some(Built { package, folder, program })
}

/// Runs the benches of one crate into a folder of their own, so that nothing of an earlier run is taken for new.
fn bench(root: &Path, name: &str, programs: &[&Built], quick: bool) -> Result<Vec<Value>, String> {
    let home = root.join("target/bench").join(name);
    match std::fs::remove_dir_all(&home) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", home.display())),
        _ => {}
    }
    for built in programs {
        let mut command = Command::new(&built.program);
        command.args(["--bench", "--noplot"]).env("CRITERION_HOME", &home).current_dir(&built.folder);
        if quick {
            command.args(QUICK);
        }
        let status = command.status().map_err(|e| format!("cannot start {}: {e}", built.program.display()))?;
        if !status.success() {
            return Err(format!("the benches of {name}: {status}"));
        }
    }
    collect(&home, name)
}

/// The results below a folder of criterion's, by id.
///
/// # Errors
///
/// Files that are not criterion's, or none.
pub fn collect(home: &Path, name: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    let mut folders = vec![home.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in files(&folder)? {
            if path.ends_with("new/benchmark.json") {
                found.push(result(name, &path)?);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(format!("{}: criterion left no results", home.display()));
    }
    found.sort_by_key(|r| r["id"].as_str().unwrap_or_default().to_owned());
    Ok(found)
}

fn result(name: &str, benchmark: &Path) -> Result<Value, String> {
    let about = read(benchmark)?;
    let path = benchmark.with_file_name("estimates.json");
    let estimates = read(&path)?;
    let median = &estimates["median"];
    let interval = &median["confidence_interval"];
    let number = |value: &Value, what: &str| {
        value.as_f64().ok_or_else(|| format!("{}: no {what} in a format that criterion 0.8 writes", path.display()))
    };
    let mut out = Map::new();
    out.insert("crate".into(), name.into());
    out.insert("id".into(), about["full_id"].clone());
    out.insert("median_ns".into(), number(&median["point_estimate"], "median")?.into());
    out.insert("lo_ns".into(), number(&interval["lower_bound"], "lower end")?.into());
    out.insert("hi_ns".into(), number(&interval["upper_bound"], "upper end")?.into());
    out.insert("level".into(), number(&interval["confidence_level"], "level")?.into());
    if let Some(elements) = about["throughput"]["Elements"].as_u64() {
        out.insert("elements".into(), elements.into());
    }
    Ok(out.into())
}

/// One result a line, so that two files can be compared line by line.
fn document(head: &Value, results: &[Value]) -> String {
    let head = format!("{head:#}");
    let head = head.trim_end().trim_end_matches('}').trim_end();
    let lines: Vec<String> = results.iter().map(|r| format!("    {r}")).collect();
    format!("{head},\n  \"results\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The one-minute load average, where the system tells it.
fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn cpu_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    line.map_or_else(|| "unknown".into(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_found_below_every_group_and_the_document_is_json() {
        let home = std::env::temp_dir().join(format!("vbench-criterion-{}", std::process::id()));
        for (group, id, median) in [("tail", "tail/p99/1000", 2.5), ("a/b", "a/b/7", 1.0)] {
            let folder = home.join(group).join("new");
            let throughput = json!({"Elements": 1000});
            write(&folder.join("benchmark.json"), &json!({"full_id": id, "throughput": throughput}).to_string())
                .expect("writes");
            let interval = json!({"confidence_level": 0.95, "lower_bound": median - 0.5, "upper_bound": median + 0.5});
            let estimates = json!({"median": {"point_estimate": median, "confidence_interval": interval}});
            write(&folder.join("estimates.json"), &estimates.to_string()).expect("writes");
        }
        let found = collect(&home, "vbench-load").expect("two results");
        assert_eq!(found.iter().map(|r| r["id"].as_str()).collect::<Vec<_>>(), [Some("a/b/7"), Some("tail/p99/1000")]);
        assert_eq!((&found[1]["median_ns"], &found[1]["hi_ns"]), (&2.5.into(), &3.0.into()));
        let text = document(&json!({"schema": SCHEMA, "load": {"before": 0.5}}), &found);
        let again: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&again["schema"], again["results"].as_array().map(Vec::len)), (&SCHEMA.into(), Some(2)));
        write(&home.join("tail/new/estimates.json"), "{}").expect("writes");
        assert!(collect(&home, "vbench-load").is_err_and(|e| e.contains("no median")));
        std::fs::remove_dir_all(&home).expect("removes");
        assert!(collect(&home, "vbench-load").is_err());
    }

    #[test]
    fn cargo_tells_which_program_is_a_bench_of_which_crate() {
        let message = |kind: &str, program: Value| {
            json!({"reason": "compiler-artifact", "manifest_path": "/r/harness/vbench-load/Cargo.toml", "target": {"kind": [kind]}, "executable": program}).to_string()
        };
        let found = built(&message("bench", "/r/target/load-1".into())).expect("a bench");
        assert_eq!((found.package.as_str(), found.program.as_path()), ("vbench-load", Path::new("/r/target/load-1")));
        assert_eq!(built(&message("bin", "/r/target/vbench".into())), None);
        assert_eq!(built(&message("lib", Value::Null)), None);
        assert_eq!(built("not JSON"), None);
    }

    /// What `cargo xtask bench` runs is what has benches.
    #[test]
    fn every_crate_with_benches_is_in_the_list() {
        let root = crate::root();
        let mut with_benches: Vec<String> = ["harness", "reference"]
            .iter()
            .flat_map(|f| files(&root.join(f)).expect("a folder"))
            .filter(|p| p.join("benches").is_dir())
            .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
            .collect();
        with_benches.sort();
        let mut listed = CRATES.map(String::from).to_vec();
        listed.sort();
        assert_eq!(listed, with_benches);
    }
}
