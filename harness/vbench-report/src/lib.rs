//! HTML, Markdown, JSON, terminal table and figures from a summary; formats numbers and computes none.
//!
//! ```text
//! input.rs       what a report is made of
//! format.rs      the one home of number and text formatting
//! strata.rs      the order in which every output shows strata
//! view.rs        the report as formatted text, in two halves: findings, and timings with provenance
//! html.rs        one self-contained page (templates/)
//! markdown.rs    the same tables, small enough for a pull-request comment
//! json.rs        schema vbench/run/1
//! score/         scored pairs of texts: terminal and schema vbench/score/1
//! terminal.rs    one table that fits the width
//! grid.rs        one table, as plain text or Markdown
//! comparison.rs  two sides compared: text, Markdown, schema vbench/compare/1
//! composite.rs   areas, overall scores, latency readings as sentences
//! golden.rs      accepted transcripts against a run, as text
//! gate.rs        a gate's verdict: text, Markdown, JUnit, GitHub annotations, schema vbench/gate/1
//! figures.rs     what is plotted; PNG and SVG from one drawing
//! plot.rs        the dot-and-whisker drawing
//! family.rs      families of conditions on one curve: names and axes
//! curve.rs       WER over the parameter of a family, one line per model
//! signal.rs      metrics of the signal: rows and columns, and the table for the terminal
//! heat.rs        a confusion matrix as a heat map
//! palette.rs     light and dark colours, safe for colour-blind readers
//! ```
//!
//! Two runs with one seed give the same bytes in HTML and Markdown outside [`BLOCK_BEGIN`] … [`BLOCK_END`].
//!
//! Out of scope: files and folders (the binary writes what is returned here), clocks, statistics.

pub mod comparison;
mod composite;
mod curve;
pub mod error;
mod family;
pub mod figures;
pub mod format;
pub mod gate;
pub mod golden;
mod grid;
mod heat;
pub mod html;
pub mod input;
pub mod json;
pub mod markdown;
pub mod palette;
mod plot;
pub mod score;
mod signal;
mod spectrogram;
mod strata;
pub mod terminal;
mod view;

pub use comparison::{comparison_json, comparison_markdown, comparison_text};
pub use error::ReportError;
pub use figures::{Figure, figures, figures_in};
pub use gate::{
    GateView, gate_annotations, gate_json, gate_junit, gate_markdown, gate_text, noise_floor_text, selftest_text,
};
pub use golden::golden_text;
pub use heat::{ConfusionMatrix, phoneme_confusion, phoneme_confusion_in};
pub use html::{BLOCK_BEGIN, BLOCK_END, render_html};
pub use input::{AlignedToken, AudioClip, ReportInput, TokenOp, WorstCell};
pub use json::{estimate_json, summary_json};
pub use markdown::render_markdown;
pub use spectrogram::spectrogram_png;
pub use terminal::terminal_table;
