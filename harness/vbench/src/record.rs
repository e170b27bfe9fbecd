//! `run.json` and run ids: what produced a run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vbench_core::Cell;
use vbench_core::hash::sha256_hex;
use vbench_model::ModelFacts;
use vbench_store::folder::RUN_SCHEMA;
use vbench_suite::Suite;

/// The lock file that this binary was built with.
const CARGO_LOCK: &[u8] = include_bytes!("../../../Cargo.lock");

/// What the command line changed about the suite; stored so that `--resume` can do the same again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// `NAME=SPEC` models instead of the suite's.
    pub models: Vec<String>,
    /// Seed instead of the suite's.
    pub seed: Option<u64>,
    /// Selection terms.
    pub select: Vec<String>,
    /// At most this many utterances.
    pub limit: Option<u32>,
    /// Models take turns on every cell.
    #[serde(default)]
    pub interleave: bool,
    /// Clusters one after the other in a keyed random order, with a look after each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequential: Option<DeclaredGate>,
}

/// The gate that a sequential run was declared with: a test that changes on the way is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredGate {
    /// Run folder, or `golden`.
    pub baseline: String,
    /// SHA-256 of the baseline's rows, of each folder that is read.
    pub baseline_sha256: Vec<String>,
    /// Rules other than the suite's.
    pub rules: Option<PathBuf>,
    /// The rules, in words.
    pub declared: Vec<String>,
    /// Folder of the goldens.
    pub golden: PathBuf,
}

/// The run record of a new run.
#[must_use]
pub fn run_record(
    id: &str,
    suite: &Suite,
    overrides: &Overrides,
    cells: &[Cell],
    models: &[(String, String, ModelFacts)],
    jobs: u16,
) -> Value {
    let mut record = json!({
        "schema": RUN_SCHEMA,
        "id": id,
        "created": utc(SystemTime::now()),
        "command": std::env::args().collect::<Vec<_>>(),
        "vbench": env!("CARGO_PKG_VERSION"),
        "lock_sha256": lock_sha256(),
        "git_commit": git_commit(),
        "suite_path": suite.path,
        "suite_path_absolute": suite.path.canonicalize().ok(),
        "overrides": overrides,
        "jobs": jobs,
        "planned": cells.len(),
        "plan_sha256": plan_sha256(cells),
        "suite": suite.resolved(),
        "models": models.iter().map(|(name, spec, facts)| json!({
            "name": name,
            "spec": spec,
            "kind": facts.kind,
            "weights_sha256": facts.weights_sha256,
            "facts": facts.facts,
        })).collect::<Vec<_>>(),
        "machine": machine(),
    });
    if let Some(branch) = git_branch() {
        record["git_branch"] = branch.into();
    }
    record
}

/// How a bench was made: the part `run` of its document.
#[must_use]
pub fn bench_record() -> Value {
    json!({
        "created": utc(SystemTime::now()),
        "command": std::env::args().collect::<Vec<_>>(),
        "vbench": env!("CARGO_PKG_VERSION"),
        "lock_sha256": lock_sha256(),
        "git_commit": git_commit(),
        "git_branch": git_branch(),
        "machine": machine(),
    })
}

/// SHA-256 of all cell keys in plan order: what `--resume` compares.
#[must_use]
pub fn plan_sha256(cells: &[Cell]) -> String {
    let keys: Vec<&str> = cells.iter().map(|c| c.key.as_str()).collect();
    sha256_hex(keys.join("\n").as_bytes())
}

/// SHA-256 of the lock file that this binary was built with.
#[must_use]
pub fn lock_sha256() -> String {
    sha256_hex(CARGO_LOCK)
}

/// `runs/<date>-<time>-<suite>`, with a number behind it when that is taken.
#[must_use]
pub fn new_run_path(suite: &str) -> PathBuf {
    let stamp: String = utc(SystemTime::now()).chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let name = format!("{}-{suite}", stamp.replace('T', "-"));
    let folder = Path::new("runs");
    (1..)
        .map(|n| folder.join(if n == 1 { name.clone() } else { format!("{name}-{n}") }))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(name))
}

/// Date and time as `2026-11-21T04:00:00Z`.
#[must_use]
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Gregorian date of a number of days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The commit of the repository that the command runs in, when there is one.
fn git_commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}

/// The branch of that repository. A checkout without one, as continuous integration makes it, is named by the environment
/// that GitHub's runners set.
fn git_branch() -> Option<String> {
    let output = Command::new("git").args(["symbolic-ref", "--short", "-q", "HEAD"]).output().ok();
    let named = output.filter(|o| o.status.success()).and_then(|o| String::from_utf8(o.stdout).ok());
    let environment = || ["GITHUB_HEAD_REF", "GITHUB_REF_NAME"].into_iter().find_map(|n| set(std::env::var(n).ok()));
    set(named).or_else(environment)
}

fn set(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_string()).filter(|t| !t.is_empty())
}

fn machine() -> Value {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = field(&cpuinfo, "model name");
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&meminfo, "MemTotal");
    json!({
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cpu": cpu,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "memory": memory,
    })
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|l| l.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_agree_with_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
