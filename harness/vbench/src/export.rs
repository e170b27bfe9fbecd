//! The hardest cells of a run as a folder to listen through.

use std::ffi::OsString;
use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::json;
use vbench_core::ExitCode;
use vbench_report::export::{CLEAN_FILE, DEGRADED_FILE};
use vbench_report::{
    ExportEntry, WorstCell, export_alignment, export_index_html, export_index_markdown, export_playlist, folder_name,
};
use vbench_store::folder::write_derived;
use vbench_store::{Row, RunRecord};

use crate::clips::Audio;
use crate::failure::{Failure, note};
use crate::render::{Derived, worst_cells};

/// Most cells in one folder.
const MOST: usize = 10_000;

/// How many cells, and where to.
#[derive(Debug, PartialEq, Eq)]
pub struct Export {
    count: usize,
    folder: PathBuf,
}

impl Export {
    /// From the two values of `--export-worst`.
    ///
    /// # Errors
    ///
    /// Usage: the first is not a number from 1 on.
    pub fn parse(values: &[OsString]) -> Result<Self, Failure> {
        let usage = |text: String| Failure::new(ExitCode::Usage, text);
        let [count, folder] = values else {
            return Err(usage("--export-worst needs N and DIR".into()));
        };
        let parsed = count.to_str().and_then(|n| n.parse().ok()).filter(|n| (1..=MOST).contains(n));
        let count = parsed.ok_or_else(|| {
            usage(format!("--export-worst N DIR: `{}` is not a number from 1 to {MOST}", count.to_string_lossy()))
        })?;
        Ok(Self { count, folder: folder.into() })
    }

    /// Writes the folder, which must be new or empty: entries of an earlier export would be taken for this one's.
    pub fn write(&self, record: &RunRecord, derived: &Derived, audio: Option<&Audio<'_>>) -> Result<(), Failure> {
        self.check_empty()?;
        let cells = worst_cells(record, derived, self.count, false)?;
        if let Some(audio) = audio {
            audio.prepare_pool();
        }
        let total = cells.len();
        let entries: Vec<ExportEntry<'_>> = cells
            .par_iter()
            .enumerate()
            .map(|(i, (row, cell))| self.write_cell((i + 1, total), row, cell, audio))
            .collect::<Result<_, _>>()?;
        let suite = &derived.summary.suite;
        let html = export_index_html(suite, &entries)
            .map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("the index could not be rendered: {e}")))?;
        write_derived(&self.folder, "index.html", html.as_bytes())?;
        write_derived(&self.folder, "index.md", export_index_markdown(suite, &entries).as_bytes())?;
        write_derived(&self.folder, "playlist.m3u", export_playlist(&entries).as_bytes())?;
        let silent = entries.iter().filter(|e| !e.degraded).count();
        if silent > 0 {
            note(format_args!("{silent} of {total} have no audio; index.html says why"));
        }
        note(format_args!("hardest {total}: {}", self.folder.join("index.html").display()));
        Ok(())
    }

    /// Refuses a folder that holds anything.
    pub fn check_empty(&self) -> Result<(), Failure> {
        match std::fs::read_dir(&self.folder) {
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(Failure::new(
                    ExitCode::OutputNotWritten,
                    format!("{} is not empty: --export-worst writes into a new folder", self.folder.display()),
                )),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", self.folder.display()))),
        }
    }

    fn write_cell<'c>(
        &self,
        (rank, total): (usize, usize),
        row: &Row,
        cell: &'c WorstCell,
        audio: Option<&Audio<'_>>,
    ) -> Result<ExportEntry<'c>, Failure> {
        let folder = folder_name(rank, total, &[&row.condition, &row.utt]);
        let write =
            |name: &str, bytes: &[u8]| write_derived(&self.folder, &format!("{folder}/{name}"), bytes).map(drop);
        write("reference.txt", format!("{}\n", row.reference).as_bytes())?;
        write("hypothesis.txt", format!("{}\n", cell.hypothesis).as_bytes())?;
        write("alignment.txt", export_alignment(cell).as_bytes())?;
        write("receipt.json", format!("{:#}\n", receipt(row)).as_bytes())?;
        let mut notes = Vec::new();
        let mut wav = |name: &str, samples: Result<Vec<f32>, String>| -> Result<bool, Failure> {
            match samples.and_then(|s| vbench_audio::encode_wav(&s).map_err(|e| e.to_string())) {
                Ok(bytes) => write(name, &bytes).map(|()| true).map_err(Failure::from),
                Err(why) => {
                    notes.push(format!("No {name}: {why}."));
                    Ok(false)
                }
            }
        };
        let none = || "the suite or its recordings are not to be had here".to_owned();
        let clean = wav(CLEAN_FILE, audio.map_or_else(|| Err(none()), |a| a.clean(row)))?;
        let heard = audio.map_or_else(|| Err(none()), |a| a.heard(row).map(|s| s.to_vec()));
        let degraded = wav(DEGRADED_FILE, heard)?;
        let samples = row.receipt.as_ref().map_or(0, |r| r.samples);
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        let seconds = samples as f64 / f64::from(vbench_audio::RATE_HZ);
        Ok(ExportEntry { folder, cell, clean, degraded, seconds, note })
    }
}

/// What the cell is, and what was done to its audio.
fn receipt(row: &Row) -> serde_json::Value {
    json!({
        "schema": "vbench/receipt/1",
        "cell": row.cell,
        "corpus": row.corpus,
        "utterance": row.utt,
        "speaker": row.speaker,
        "condition": row.condition,
        "model": row.model,
        "receipt": row.receipt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_a_number() {
        let parse = |values: &[&str]| Export::parse(&values.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(parse(&["20", "d"]).expect("parses"), Export { count: 20, folder: "d".into() });
        for bad in [["0", "d"], ["-1", "d"], ["d", "20"], ["10001", "d"], ["1e3", "d"]] {
            let failure = parse(&bad).expect_err("refused");
            assert!(failure.code == ExitCode::Usage && failure.message.contains(bad[0]), "{}", failure.message);
        }
    }
}
