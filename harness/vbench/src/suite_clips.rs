//! The clips of a suite in one condition, as a model hears them: what a bench and an audit send.

use std::path::Path;
use std::sync::Arc;

use vbench_core::{Condition, ExitCode, Utterance};
use vbench_run::{AudioPreparer, Prepare};
use vbench_suite::{Selection, Suite, expand};

use crate::cli::ClipArguments;
use crate::commands::data::load_with_corpora;
use crate::failure::Failure;

/// One clip.
#[derive(Debug, Clone)]
pub struct Clip {
    /// Cell key.
    pub cell: String,
    /// What is said.
    pub utterance: Utterance,
    /// Mono, 16 kHz.
    pub samples: Arc<Vec<f32>>,
}

/// Loads the suite and makes its clips.
///
/// # Errors
///
/// A suite or corpus that cannot be read, a condition that nobody knows, audio that cannot be made.
pub fn suite_clips(arguments: &ClipArguments, cache: &Path, quiet: bool) -> Result<(Suite, Vec<Clip>), Failure> {
    let mut suite = load_with_corpora(&arguments.suite, cache, quiet)?;
    let named = |c: &Condition| c.name == arguments.condition;
    if !suite.conditions.iter().any(named) {
        suite.conditions.extend(Condition::builtin(&arguments.condition));
    }
    suite.models.truncate(1);
    let terms = vec![format!("condition={}", arguments.condition)];
    let cells = expand(&suite, &Selection::parse(&terms, Some(arguments.limit as usize))?)?;
    let corpora = suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
    let preparer =
        AudioPreparer::new(&suite.utterances, &suite.conditions, corpora, suite.seed).with_preprocess(suite.preprocess);
    let mut clips = Vec::with_capacity(cells.len());
    for cell in &cells {
        let prepared = preparer.prepare(cell).map_err(|outcome| {
            Failure::new(ExitCode::InputInvalid, format!("{}: {}", cell.key, outcome.reason_text()))
        })?;
        let utterance = suite.utterances[cell.utterance].clone();
        clips.push(Clip { cell: cell.key.clone(), utterance, samples: prepared.samples });
    }
    drop(preparer);
    Ok((suite, clips))
}
