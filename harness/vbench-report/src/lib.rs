//! HTML, Markdown, JSON, terminal table and figures from a summary; formats numbers and computes none.
//!
//! ```text
//! input.rs       what a report is made of
//! format.rs      the one home of number and text formatting
//! strata.rs      the order in which every output shows strata
//! cells.rs       every cell of a run as compact data for the page's list
//! view.rs        the report as formatted text, in two halves: findings, and timings with provenance
//! page.rs        the shell of every HTML page: policy, style, script, data blocks (templates/)
//! html.rs        the page of one run
//! markdown.rs    the same tables, small enough for a pull-request comment
//! json.rs        schema vbench/run/1
//! csv.rs         the same results, one row per stratum and metric
//! junit.rs       one test case per stratum and gate rule
//! github.rs      annotations and step summary of a workflow
//! export.rs      the hardest cells as a folder to listen through
//! score/         scored pairs of texts: terminal and schema vbench/score/1
//! terminal.rs    one table that fits the width
//! grid.rs        one table, as plain text or Markdown
//! audit.rs       audits of a timed model: text, JUnit, schema vbench/audit/1
//! bench.rs       a bench: text, schema vbench/bench/1
//! latency.rs     a bench as a page, Markdown, JUnit, CSV, annotations, figures
//! against.rs     two models by turns: text, page, schema vbench/bench-against/1
//! document.rs    pages of latencies before they have a form
//! comparison.rs  two sides compared: text, Markdown, schema vbench/compare/1
//! comparison_page.rs  two sides as one page, its Markdown, JSON and figures
//! bench_history.rs  latency of bench runs, a part of it
//! history.rs     many runs over time: page, Markdown, JSON, figures
//! composite.rs   areas, overall scores, latency readings as sentences
//! corpus.rs      corpora checked and described, suspicious references (corpus/)
//! golden.rs      accepted transcripts against a run, as text
//! gate.rs        a gate's verdict: text, Markdown, JUnit, GitHub annotations, schema vbench/gate/1
//! analysis.rs    where errors and time come from: sections and figures (analysis/)
//! figures.rs     what is plotted; PNG and SVG from one drawing
//! plot.rs        the dot-and-whisker drawing
//! family.rs      families of conditions on one curve: names and axes
//! axis.rs        marks at round numbers over any range
//! difference_plot.rs, waterfall.rs, timeline.rs  drawings of comparisons and histories
//! curve.rs       WER over the parameter of a family, one line per model
//! signal.rs      metrics of the signal: rows and columns, and the table for the terminal
//! heat.rs        a confusion matrix as a heat map
//! palette.rs     light and dark colours, safe for colour-blind readers
//! ```
//!
//! Two runs with one seed give the same bytes in HTML and Markdown outside [`BLOCK_BEGIN`] … [`BLOCK_END`].
//!
//! Out of scope: files and folders (the binary writes what is returned here), clocks, statistics.

mod against;
mod analysis;
mod audit;
mod axis;
mod bench;
mod bench_history;
mod cells;
pub mod comparison;
pub mod comparison_page;
mod composite;
pub mod corpus;
pub mod csv;
mod curve;
mod difference_plot;
mod document;
pub mod error;
pub mod export;
mod family;
pub mod figures;
pub mod format;
pub mod gate;
pub mod github;
pub mod golden;
mod grid;
mod heat;
pub mod history;
pub mod html;
pub mod input;
pub mod json;
pub mod junit;
mod latency;
pub mod markdown;
pub mod page;
pub mod palette;
mod plot;
pub mod score;
mod signal;
mod spectrogram;
mod strata;
pub mod terminal;
mod timeline;
mod view;
mod waterfall;

pub use against::{
    AGAINST_SCHEMA, AgainstReport, against_figures, against_html, against_json, against_junit, against_markdown,
    against_text,
};
pub use analysis::{Analysed, SoundPicture, WAVE_COLUMNS, analysis_figures, analysis_json};
pub use audit::{AuditView, audit_json, audit_junit, audit_text};
pub use bench::{BenchView, bench_json, bench_text, budgets_json, budgets_text};
pub use bench_history::{BenchHistory, LatencyShift};
pub use comparison::{comparison_json, comparison_markdown, comparison_text};
pub use comparison_page::{
    ComparedSide, ComparisonInput, MovedCell, comparison_figures, comparison_html, comparison_page_json,
    comparison_page_markdown,
};
pub use csv::run_csv;
pub use error::ReportError;
pub use export::{
    ExportEntry, export_alignment, export_index_html, export_index_markdown, export_playlist, folder_name,
};
pub use figures::{Figure, figures, figures_in};
pub use gate::{
    GateView, gate_annotations, gate_json, gate_junit, gate_markdown, gate_text, noise_floor_text, selftest_text,
};
pub use github::{run_annotations, step_summary};
pub use golden::golden_text;
pub use heat::{ConfusionMatrix, phoneme_confusion, phoneme_confusion_in};
pub use history::{
    BranchHistory, HistoryGroup, HistoryInput, HistoryModel, HistoryPoint, HistoryRun, HistorySeries, history_figures,
    history_html, history_json, history_markdown, history_text,
};
pub use html::{BLOCK_BEGIN, BLOCK_END, render_html};
pub use input::{AlignedToken, AudioClip, CellList, CellRow, ReportInput, TokenOp, WorstCell};
pub use json::{estimate_json, run_json, summary_json};
pub use junit::run_junit;
pub use latency::{
    BenchReport, REQUEST_COLUMNS, bench_annotations, bench_figures, bench_html, bench_junit, bench_markdown,
    requests_csv, scenario_words,
};
pub use markdown::render_markdown;
pub use page::{DataBlock, Media, Page, PageKind};
pub use spectrogram::spectrogram_png;
pub use terminal::terminal_table;
