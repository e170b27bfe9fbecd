//! `reports/`: the published reports, rendered again from runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The suite that is published.
const SUITE: &str = "suites/all.toml";
/// What is published of a report: the page with its clips, the text, the numbers, the figures for the README.
const FORMATS: &str = "html,md,json,csv,png";
/// The same of a comparison, which has no CSV.
const COMPARISON_FORMATS: &str = "html,md,json,png";
/// The published pages stay small enough for a repository.
const AUDIO_BUDGET_MIB: &str = "2";
/// The model that is compared with the suite's own.
const BASE: &str = "whisper-base=whisper:whisper-base";

/// The bench that is published: one request at a time, then time over length.
const BENCH: [&str; 8] = [
    "bench",
    "whisper:whisper-tiny.en",
    "--min-count",
    "400",
    "--sweep-length",
    "1,2,5,10,20",
    "--budgets",
    "suites/budgets/recogniser.toml",
];

/// Runs that are there already.
pub struct Given<'a> {
    /// Of the default suite with its own model.
    pub run: Option<&'a Path>,
    /// The same with whisper-base.
    pub base: Option<&'a Path>,
    /// A bench of the suite's model.
    pub bench: Option<&'a Path>,
}

/// Writes `reports/all`, `reports/tiny-en-vs-base` and `reports/latency`. What is not given is run afresh (minutes each) into
/// `target/reports`.
///
/// # Errors
///
/// In words: what could not be run, read or written, or a report that names a path of this machine.
pub fn write(root: &Path, given: &Given<'_>) -> Result<(), String> {
    let run = given.run.map_or_else(|| fresh(root, "all", &[]), |given| Ok(given.to_path_buf()))?;
    report(root, &run, None, "reports/all")?;
    let base = given.base.map_or_else(|| fresh(root, "base", &["--model", BASE]), |given| Ok(given.to_path_buf()))?;
    report(root, &base, Some(&run), "reports/tiny-en-vs-base")?;
    let bench = given.bench.map_or_else(|| fresh_bench(root), |given| Ok(given.to_path_buf()))?;
    report(root, &bench, None, "reports/latency")
}

fn fresh_bench(root: &Path) -> Result<PathBuf, String> {
    let out = "target/reports/latency";
    remove(&root.join(out))?;
    vbench(root, &[&BENCH[..], &["--out", out]].concat())?;
    Ok(PathBuf::from(out))
}

/// Runs the suite into `target/reports/NAME`, replacing what is there.
fn fresh(root: &Path, name: &str, more: &[&str]) -> Result<PathBuf, String> {
    let out = format!("target/reports/{name}");
    remove(&root.join(&out))?;
    vbench(root, &[&["run", SUITE, "--out", &out, "--format", "json"], more].concat())?;
    Ok(PathBuf::from(out))
}

fn report(root: &Path, run: &Path, baseline: Option<&Path>, out: &str) -> Result<(), String> {
    // Figures of an earlier version must not stay.
    remove(&root.join(out))?;
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| format!("{}: not UTF-8", path.display()));
    let run = text(run)?;
    let baseline = baseline.map(text).transpose()?;
    let formats = if baseline.is_some() { COMPARISON_FORMATS } else { FORMATS };
    let mut arguments = vec!["report", &run, "--out", out, "--format", formats, "--audio-budget-mib", AUDIO_BUDGET_MIB];
    if let Some(baseline) = &baseline {
        // Two of everything: with its sounds in it the page would be too large for a repository.
        arguments.extend(["--baseline", baseline, "--audio", "folder"]);
    }
    vbench(root, &arguments)?;
    no_machine_paths(root, &root.join(out))
}

/// Fails when a text file of a report names where this repository lies.
///
/// # Errors
///
/// The file that does.
pub fn no_machine_paths(root: &Path, report: &Path) -> Result<(), String> {
    let place = root.to_string_lossy();
    let entries = std::fs::read_dir(report).map_err(|e| format!("{}: {e}", report.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", report.display()))?.path();
        let is_text = path.extension().is_some_and(|x| ["html", "md", "json", "csv"].iter().any(|known| x == *known));
        if is_text && std::fs::read_to_string(&path).is_ok_and(|text| unescaped(&text).contains(place.as_ref())) {
            return Err(format!("{} names the folder {place}", path.display()));
        }
    }
    Ok(())
}

/// Pages write `/` as a character reference.
fn unescaped(html: &str) -> String {
    html.replace("&#x2f;", "/")
}

fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("cannot remove {}: {e}", folder.display())),
        _ => Ok(()),
    }
}

/// The table goes to standard error with the rest: nothing of it is wanted here. A budget that this machine fails (10) or that
/// stays open (11) is a result like another.
fn vbench(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let run = ["run", "--release", "--quiet", "-p", "vbench", "--"];
    let status = Command::new(program).args(run).args(arguments).current_dir(root).status();
    let status = status.map_err(|e| format!("cannot start cargo: {e}"))?;
    if matches!(status.code(), Some(0 | 10 | 11)) {
        Ok(())
    } else {
        Err(format!("vbench {}: {status}", arguments.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_reports_name_no_folder_of_the_machine_and_the_readme_shows_a_figure() {
        let root = crate::root();
        let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
        let (_, rest) = readme.split_once("](reports/all/figures/").expect("a figure of reports/all");
        let figure = rest.split(')').next().expect("its end");
        assert!(root.join("reports/all/figures").join(figure).is_file(), "{figure}");
        let reports = std::fs::read_dir(root.join("reports")).expect("reports/").filter_map(Result::ok);
        for report in reports.map(|e| e.path()).filter(|p| p.is_dir()) {
            no_machine_paths(&root, &report).expect("no path of this machine");
        }
    }

    #[test]
    fn a_path_of_the_machine_is_found() {
        let folder = std::env::temp_dir().join(format!("vbench-reports-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("creates");
        let root = Path::new("/somewhere/vbench");
        std::fs::write(folder.join("report.md"), "made by /elsewhere/vbench").expect("writes");
        assert_eq!(no_machine_paths(root, &folder), Ok(()));
        for text in ["made by /somewhere/vbench/target/release/vbench", "&#x2f;somewhere&#x2f;vbench&#x2f;runs"] {
            std::fs::write(folder.join("report.md"), text).expect("writes");
            assert!(no_machine_paths(root, &folder).is_err(), "{text}");
        }
        remove(&folder).expect("removes");
    }
}
