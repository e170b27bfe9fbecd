//! What a failing disk or a killed process may do to a run folder: never lose a committed row.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use vbench_core::{CellTiming, Hypothesis, Outcome, Receipt, Utterance};
use vbench_store::{LogFile, Row, RunFolder, RunRecord, StoreError};

const ROWS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    FullDisk,
    ShortWrite,
    IoError,
}

/// A disk that fails at the k-th append, in one of three ways.
struct FailingFile {
    file: File,
    writes: Arc<AtomicUsize>,
    fail_at: usize,
    fault: Fault,
}

impl LogFile for FailingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.writes.fetch_add(1, Ordering::Relaxed) != self.fail_at {
            return self.file.write_all(bytes);
        }
        match self.fault {
            Fault::FullDisk => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Fault::IoError => Err(io::Error::other("input/output error")),
            Fault::ShortWrite => {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
                Err(io::Error::from(io::ErrorKind::WriteZero))
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn row(i: usize) -> Row {
    let utterance = Utterance {
        id: format!("u{i}"),
        corpus: "c".into(),
        audio: "x.wav".into(),
        text: format!("reference {i}"),
        speaker: None,
        session: None,
        language: None,
        start_s: None,
        duration_s: None,
        sha256: None,
        tags: BTreeMap::new(),
    };
    let hypothesis = Hypothesis { text: format!("hypothesis {i}"), ..Hypothesis::default() };
    let outcome = Outcome::Ok { hypothesis, receipt: Receipt::default() };
    Row::new(&format!("c/u{i}/clean/m"), &utterance, "clean", "m", &outcome)
}

fn record() -> serde_json::Value {
    json!({"schema": vbench_store::folder::RUN_SCHEMA})
}

fn timing() -> CellTiming {
    CellTiming { t_sched: 1, t_sent: 2, t_first: None, t_final: 3, audio_s: 1.0, stages: Vec::new() }
}

fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("opens")
}

#[test]
fn a_write_that_fails_at_any_row_loses_no_committed_row_and_resumes() {
    let mut whole = String::new();
    for i in 0..ROWS {
        whole += &row(i).to_line().expect("serialises");
        whole.push('\n');
    }
    for fault in [Fault::FullDisk, Fault::ShortWrite, Fault::IoError] {
        for k in 0..ROWS {
            // Odd k fail while writing the row, even k while writing its timing.
            let rows_fail = k % 2 == 1;
            let folder = tempfile::tempdir().expect("temporary folder");
            let path = folder.path().join("run");
            let mut run = RunFolder::create(&path, &record()).expect("creates");
            let disk = |name: &str, fails: bool| {
                let writes = Arc::new(AtomicUsize::new(0));
                let fail_at = if fails { k } else { usize::MAX };
                Box::new(FailingFile { file: append(&path.join(name)), writes, fail_at, fault })
            };
            run.replace_logs(disk("rows.jsonl", rows_fail), disk("timings.jsonl", !rows_fail));
            let mut committed = 0;
            let error = (0..ROWS)
                .find_map(|i| match run.commit(&row(i), Some(&timing())) {
                    Ok(()) => {
                        committed += 1;
                        None
                    }
                    Err(e) => Some(e),
                })
                .expect("the disk fails");
            assert!(matches!(error, StoreError::Write { .. }), "{error}");
            assert_eq!(committed, k, "{fault:?}");
            // Once a write has failed nothing more may be appended behind a torn line.
            let broken = if rows_fail { run.commit(&row(k), None) } else { run.commit(&row(k), Some(&timing())) };
            assert!(broken.is_err());
            drop(run);
            let read = RunRecord::read(&path).expect("readable after the failure");
            assert_eq!(read.rows.len(), k, "{fault:?}");

            let (mut run, resumed) = RunFolder::resume(&path).expect("resumes");
            assert_eq!(resumed.rows.len(), k);
            for i in k..ROWS {
                run.commit(&row(i), Some(&timing())).expect("the new disk works");
            }
            run.finish(&[]).expect("finishes");
            assert_eq!(std::fs::read_to_string(path.join("rows.jsonl")).expect("reads"), whole, "{fault:?} at {k}");
            assert_eq!(RunRecord::read(&path).expect("reads").timings.len(), ROWS);
        }
    }
}

#[test]
fn a_file_cut_at_any_byte_keeps_every_whole_row() {
    let lines: Vec<String> = (0..3).map(|i| row(i).to_line().expect("serialises") + "\n").collect();
    let whole: String = lines.concat();
    for length in 0..=whole.len() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("run");
        drop(RunFolder::create(&path, &record()).expect("creates"));
        std::fs::write(path.join("rows.jsonl"), &whole.as_bytes()[..length]).expect("writes");
        let expected = whole[..length].matches('\n').count();
        let (_, resumed) = RunFolder::resume(&path).expect("resumes");
        assert_eq!(resumed.rows.len(), expected, "cut at {length}");
        let kept = std::fs::read_to_string(path.join("rows.jsonl")).expect("reads");
        assert_eq!(kept, lines[..expected].concat());
    }
}

#[test]
fn a_damaged_row_in_the_middle_is_an_error_with_its_line_not_a_silent_loss() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("run");
    let mut run = RunFolder::create(&path, &record()).expect("creates");
    for i in 0..3 {
        run.commit(&row(i), None).expect("commits");
    }
    drop(run);
    let file = path.join("rows.jsonl");
    let text = std::fs::read_to_string(&file).expect("reads").replace("hypothesis 1", "hypothesis 9");
    std::fs::write(&file, text).expect("writes");
    let error = RunRecord::read(&path).expect_err("damaged").to_string();
    assert!(error.contains("rows.jsonl:2") && error.contains("CRC-32C"), "{error}");
}

#[test]
fn two_processes_cannot_append_to_one_run() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("run");
    let _first = RunFolder::create(&path, &record()).expect("creates");
    assert!(matches!(RunFolder::resume(&path), Err(StoreError::Locked { .. })));
}

#[test]
fn retried_rows_are_put_back_in_plan_order() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("run");
    let mut run = RunFolder::create(&path, &record()).expect("creates");
    let mut failed = row(0);
    failed.outcome = "failed".into();
    failed.hyp = None;
    run.commit(&failed, None).expect("commits");
    run.commit(&row(1), None).expect("commits");
    run.commit(&row(0), None).expect("commits the retry");
    let plan: Vec<String> = (0..2).map(|i| format!("c/u{i}/clean/m")).collect();
    run.finish(&plan).expect("finishes");
    let expected: String = (0..2).map(|i| row(i).to_line().expect("serialises") + "\n").collect();
    assert_eq!(std::fs::read_to_string(path.join("rows.jsonl")).expect("reads"), expected);
}
