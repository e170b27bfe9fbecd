//! HTML, Markdown and figures from a summary; formats numbers and computes none.

pub mod input;

pub use input::{AlignedToken, AudioClip, ReportInput, TokenOp, WorstCell};
