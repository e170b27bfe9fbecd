//! Corpora: what a check found, what suspicious references there are, what a corpus holds; as text, JSON, Markdown and pages.
//!
//! ```text
//! corpus/check.rs     findings of `vbench data check`: text, schema vbench/data-check/1, page
//! corpus/suspects.rs  suspicious references: text, schema vbench/data-suspects/1, page
//! corpus/describe.rs  what a corpus holds: text, data card, schema vbench/data-describe/1, page
//! corpus/page.rs      sections with facts, figures, tables and players
//! ```

mod check;
mod describe;
mod page;
mod suspects;

pub use check::{BadLine, CheckInput, check_html, check_json, check_text};
pub use describe::{DescribeInput, PhonemeCoverage, data_card, describe_html, describe_json, describe_text};
pub use suspects::{SuspectsInput, suspects_html, suspects_json, suspects_text};
