//! `vbench data suspects`: references that models agree against.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use vbench_compare::{HeardByAll, suspects as rank};
use vbench_core::ExitCode;
use vbench_report::corpus::{SuspectsInput, suspects_html, suspects_json, suspects_text};
use vbench_score::Normalizer;
use vbench_store::Row;

use super::write_whole;
use crate::cli::SuspectsArguments;
use crate::clips::Audio;
use crate::failure::{Failure, note, say};
use crate::side::LoadedRun;

/// Recordings on a page.
const CLIPS: usize = 60;

/// One model of one run.
struct Listener<'r> {
    name: String,
    rows: HashMap<(&'r str, &'r str), &'r Row>,
}

/// `vbench data suspects RUN…`.
pub fn suspects(arguments: &SuspectsArguments) -> Result<ExitCode, Failure> {
    let runs: Vec<LoadedRun> = arguments.runs.iter().map(|p| LoadedRun::read(p)).collect::<Result<_, _>>()?;
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = runs.iter().find(|r| !seen.insert(super::real(&r.path))) {
        let text = format!("{} is named twice: a model always agrees with itself", twice.path.display());
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let first = runs.first().ok_or_else(|| Failure::new(ExitCode::Usage, "no run is named"))?;
    let condition = condition(first, arguments)?;
    let listeners = listeners(&runs, &condition);
    if listeners.len() < 2 {
        let text = "two models are needed: two runs, or one run with two models";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let normalizer = match &arguments.normalizer {
        Some(name) => Normalizer::from_name(name).map_err(|e| Failure::new(ExitCode::Usage, e))?,
        None => first.rules.normalizer.clone(),
    };
    let shared = shared(first, &condition, &listeners)?;
    tell_alike(&listeners, &shared);
    let ids: Vec<String> = shared.iter().map(|r| format!("{}/{}", r[0].corpus, r[0].utt)).collect();
    let utterances: Vec<HeardByAll<'_>> = ids.iter().zip(&shared).map(|(id, rows)| of_rows(id, rows)).collect();
    let models: Vec<String> = listeners.iter().map(|l| l.name.clone()).collect();
    let found = rank(&models, &utterances, &normalizer, first.rules.weights, first.seed())
        .map_err(|e| Failure::new(ExitCode::InputInvalid, e))?;
    let mut clips = BTreeMap::new();
    if arguments.html.is_some()
        && let Some(suite) = crate::commands::report::suite_of(&first.record, &arguments.cache)?
    {
        let audio = Audio::of_suite(&suite);
        let wanted: Vec<usize> = found.list.iter().take(CLIPS).map(|s| s.index).collect();
        let clip = |i: &usize| Some((*i, super::clip(&audio.clean(shared[*i][0]).ok()?)?));
        clips = wanted.par_iter().filter_map(clip).collect();
    }
    let names: Vec<String> = arguments.runs.iter().map(|r| r.display().to_string()).collect();
    let normalizer = normalizer.id();
    let input = SuspectsInput { suspects: &found, utterances: &utterances, normalizer, runs: &names, clips: &clips };
    if arguments.json {
        say(format_args!("{:#}", suspects_json(&input)));
    } else {
        say(suspects_text(&input));
    }
    if let Some(path) = &arguments.html {
        let html = suspects_html(&input).map_err(|e| Failure::new(ExitCode::Internal, e))?;
        write_whole(path, &html)?;
    }
    Ok(ExitCode::Passed)
}

/// Rows of every utterance that all models heard, in the order of the first run; the others are told.
fn shared<'r>(first: &'r LoadedRun, condition: &str, listeners: &[Listener<'r>]) -> Result<Vec<Vec<&'r Row>>, Failure> {
    let lead = first.models().into_iter().next().unwrap_or_default();
    let rows = first.record.rows.iter().filter(|r| r.condition == condition && r.model == lead);
    let (mut shared, mut other_reference, mut all): (Vec<Vec<&Row>>, usize, usize) = (Vec::new(), 0, 0);
    for row in rows {
        all += 1;
        let of: Option<Vec<&Row>> =
            listeners.iter().map(|l| l.rows.get(&(row.corpus.as_str(), row.utt.as_str())).copied()).collect();
        match of {
            Some(of) if of.iter().any(|r| r.reference != row.reference) => other_reference += 1,
            Some(of) => shared.push(of),
            None => {}
        }
    }
    if other_reference > 0 {
        note(format_args!("{other_reference} utterances left out: the runs have other references"));
    }
    if shared.is_empty() {
        return Err(Failure::new(ExitCode::NothingSelected, "no utterance was heard by every model"));
    }
    if shared.len() + other_reference < all {
        note(format_args!("{} utterances left out: not heard by every model", all - shared.len() - other_reference));
    }
    Ok(shared)
}

/// Two models that say the same everywhere are likely one: what they agree on says nothing.
fn tell_alike(listeners: &[Listener<'_>], shared: &[Vec<&Row>]) {
    for (i, a) in listeners.iter().enumerate() {
        for (j, b) in listeners.iter().enumerate().skip(i + 1) {
            if shared.iter().all(|rows| rows[i].hyp == rows[j].hyp) {
                note(format_args!("{} and {} have the same text everywhere: are they one model?", a.name, b.name));
            }
        }
    }
}

fn of_rows<'a>(id: &'a str, rows: &[&'a Row]) -> HeardByAll<'a> {
    HeardByAll {
        id,
        speaker: rows[0].speaker.as_deref(),
        session: rows[0].session.as_deref(),
        reference: &rows[0].reference,
        hypotheses: rows.iter().map(|r| r.hyp.as_deref().unwrap_or_default()).collect(),
    }
}

/// The condition asked for, else the run's first.
fn condition(run: &LoadedRun, arguments: &SuspectsArguments) -> Result<String, Failure> {
    let known = run.conditions();
    let wanted = arguments.condition.clone().or_else(|| known.first().cloned());
    let wanted = wanted.or_else(|| run.record.rows.first().map(|r| r.condition.clone())).unwrap_or_default();
    if run.record.rows.iter().any(|r| r.condition == wanted) {
        return Ok(wanted);
    }
    let text = format!("{} has no condition `{wanted}`; it has: {}", run.path.display(), known.join(", "));
    Err(Failure::new(ExitCode::Usage, text))
}

/// Every model of every run, with what it heard in a condition.
fn listeners<'r>(runs: &'r [LoadedRun], condition: &str) -> Vec<Listener<'r>> {
    let mut listeners: Vec<Listener<'r>> = Vec::new();
    let all: Vec<String> = runs.iter().flat_map(LoadedRun::models).collect();
    for run in runs {
        for model in run.models() {
            let heard = run
                .record
                .rows
                .iter()
                .filter(|r| r.model == model && r.condition == condition && r.outcome == "ok" && r.hyp.is_some());
            let rows: HashMap<_, _> = heard.map(|r| ((r.corpus.as_str(), r.utt.as_str()), r)).collect();
            let several = all.iter().filter(|m| **m == model).count() > 1;
            let name = if several { format!("{}/{model}", run.path.display()) } else { model };
            listeners.push(Listener { name, rows });
        }
    }
    listeners
}
