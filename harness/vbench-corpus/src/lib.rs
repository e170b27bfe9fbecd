//! Corpora as people have them in, manifests out.
//!
//! ```text
//! problem.rs    what is wrong, with file and line; all of it, 20 of it listed
//! entry.rs      one utterance as a corpus describes it: what every format is read into
//! source.rs     bytes to text and lines (UTF-8, byte order marks, UTF-16 of Praat)
//! table.rs      CSV and TSV; json.rs JSON lines; record.rs a row of named fields as an utterance
//! format.rs     the formats, and how one is told from another
//! librispeech.rs kaldi.rs lhotse.rs tabular.rs (NeMo, Common Voice, CSV, audio folders) coraal.rs stm.rs
//! tiers.rs      TextGrid and ELAN
//! parquet.rs    Parquet with an audio column; parquet/ the reader
//! folder.rs     the files of a folder; read.rs which of them a format wants
//! audio.rs      where recordings lie: inside the corpus or a named folder, never elsewhere
//! import.rs     names, times and recordings held against each other
//! manifest.rs   the manifest, written whole or not at all
//! check.rs      what is odd about a corpus (check/)
//! split.rs      splits without common speakers, samples that keep shares
//! describe.rs   hours, speakers, words, lengths, levels
//! ```
//!
//! The parsers are pure: bytes in, [`Parsed`] out, bad bytes included. `read.rs`, `audio.rs`, `folder.rs`, `import.rs` and
//! `manifest.rs` touch files. What a recording's header says comes from the caller ([`Tools`]).
//!
//! Out of scope: decoding audio, suites.

mod audio;
pub mod check;
pub mod coraal;
pub mod describe;
mod entry;
mod folder;
mod format;
mod import;
pub mod json;
pub mod kaldi;
pub mod lhotse;
pub mod librispeech;
mod manifest;
pub mod parquet;
mod problem;
mod read;
mod record;
mod source;
pub mod split;
pub mod stm;
pub mod table;
pub mod tabular;
pub mod tiers;

pub use audio::AudioFacts;
pub use entry::{AudioName, Entry, Parsed};
pub use folder::{files, is_audio};
pub use format::{Format, detect};
pub use import::{AudioCheck, ImportOptions, Imported, Tools, import};
pub use manifest::{Line, write};
pub use problem::{ImportError, MAX_PROBLEMS, Place, Problem, ProblemKind, Problems};
pub use read::MAX_LIST_BYTES;
pub use record::{Columns, MAX_TAG_BYTES};
pub use source::Source;
