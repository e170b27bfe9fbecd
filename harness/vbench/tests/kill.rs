//! Killed at random moments and resumed, a run gives the same bytes as one that was left alone.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{command, corpus, outcome, rows, vbench};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const KILLS: usize = 200;

#[test]
fn two_hundred_kills_change_no_byte() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let conditions = r#"["clean", "noise-20db", "noise-5db", "opus-16k"]"#;
    corpus(folder.path(), 30, conditions, "fake:drop=3,sleep_ms=2");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "suite.toml", "--out", "whole", "-q"])).0, 0);
    let whole = rows(&folder.path().join("whole"));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut killed = 0;
    for round in 0.. {
        let run = folder.path().join(format!("run{round}"));
        killed += killed_run(folder.path(), &run, &mut rng, KILLS - killed);
        assert!(rows(&run) == whole, "rows of run {round} differ from the whole run's");
        if killed >= KILLS {
            break;
        }
    }
    assert_eq!(killed, KILLS);
}

/// Starts a run, kills and resumes it at random moments (at most `budget` times), lets it finish; returns the kills.
fn killed_run(folder: &Path, run: &Path, rng: &mut ChaCha8Rng, budget: usize) -> usize {
    let out = run.to_str().expect("UTF-8");
    let mut kills = 0;
    while kills < budget.min(12) {
        let arguments: &[&str] = if run.join("run.json").exists() {
            &["run", "--resume", out, "-q", "--jobs", "2"]
        } else {
            &["run", "suite.toml", "--out", out, "-q", "--jobs", "2"]
        };
        let mut child = command(folder, arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 120)));
        child.kill().expect("kill -9");
        child.wait().expect("is reaped");
        kills += 1;
    }
    if run.join("run.json").exists() {
        let (code, _, errors) = outcome(&vbench(folder, &["run", "--resume", out, "-q"]));
        assert_eq!(code, 0, "{errors}");
    } else {
        assert_eq!(outcome(&vbench(folder, &["run", "suite.toml", "--out", out, "-q"])).0, 0);
    }
    kills
}

#[test]
fn ctrl_c_finishes_the_cells_in_progress_says_how_to_go_on_and_exits_6() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 40, r#"["clean"]"#, "fake:sleep_ms=50");
    let child = command(folder.path(), &["run", "suite.toml", "--out", "run", "-q"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    std::thread::sleep(Duration::from_millis(700));
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    let (code, table, errors) = outcome(&child.wait_with_output().expect("ends"));
    assert_eq!(code, 6, "{errors}");
    assert!(errors.contains("vbench run --resume run"), "{errors}");
    assert!(table.contains("of 40"), "{table}");
    assert_eq!(outcome(&vbench(folder.path(), &["run", "--resume", "run", "-q"])).0, 0);
    assert_eq!(rows(&folder.path().join("run")).lines().count(), 40);
}
