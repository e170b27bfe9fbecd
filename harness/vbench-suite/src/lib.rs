//! Suite TOML and manifests in, checked suite and cells out.
//!
//! ```text
//! problem.rs    one problem with file, line and key; all of them are reported together
//! reader.rs     typed access to a TOML table that notes every problem and every unknown key
//! parse.rs      one suite file -> SuiteFile (schema version 1)
//! conditions.rs conditions: recipes, steps, sweeps
//! gates.rs      gate rules, in a suite or in a file of their own
//! budgets.rs    latency budgets of stages and turns
//! preprocess.rs what is done to every recording before conditions
//! manifest.rs   JSONL manifest -> utterances
//! resolve.rs    SuiteFile + includes + manifests -> Suite, in which everything is checked
//! expand.rs     Suite + selection -> cells in a fixed order
//! ```
//!
//! Out of scope: decoding audio, opening models, fetching corpora.

pub mod budgets;
mod conditions;
pub mod expand;
pub mod gates;
pub mod manifest;
pub mod parse;
mod preprocess;
pub mod problem;
pub mod reader;
pub mod resolve;

pub use budgets::{budgets_from_json, budgets_to_json, parse_budgets};
pub use expand::{Selection, SelectionError, expand, interleave_models};
pub use gates::{parse_rules, rule_from_json};
pub use parse::{Metric, OverallWeight, Task};
pub use problem::{Problem, ProblemClass, SuiteError};
pub use resolve::{AbsentCorpus, Block, Corpus, LoadContext, ModelEntry, Suite, load};
