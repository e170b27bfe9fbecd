//! The run folder: append-only rows, timings, provenance, resume; the only crate that writes one.
//!
//! ```text
//! runs/<id>/run.json       the whole suite as resolved, hashes, versions, machine: written once, atomically
//! runs/<id>/rows.jsonl     one line a cell in plan order: ground state, no clock in it
//! runs/<id>/timings.jsonl  one line a timed cell
//! runs/<id>/lock           held while a process appends
//!
//! row.rs      the wire form of a row, its CRC-32C, and the domain's Outcome <-> row
//! timing.rs   the wire form of a timing
//! log.rs      an append-only JSONL file that survives torn writes
//! folder.rs   create, open for resume, read, write the derived files
//! ```
//!
//! Pitfalls: a row counts as committed when its whole line with the newline is in the file; a torn last line is cut
//! when the folder is opened for writing and ignored when it is read. The timing of a cell is appended before its
//! row, so a committed row never lacks its timing; timings without a row are cut on resume.
//!
//! Out of scope: deciding what to run, scoring, formatting.

pub mod folder;
pub mod log;
pub mod row;
pub mod timing;

pub use folder::{RunFolder, RunRecord, StoreError};
pub use log::LogFile;
pub use row::{Row, RowReceipt};
pub use timing::TimingLine;
