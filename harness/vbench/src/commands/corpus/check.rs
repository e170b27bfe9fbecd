//! `vbench data check` and `vbench data play`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;
use vbench_core::ExitCode;
use vbench_corpus::check::{Checked, Code, Finding, Hit, Limits, Severity, check as check_items};
use vbench_corpus::describe::describe;
use vbench_report::corpus::{CheckInput, check_html, check_json, check_text};

use super::{Corpora, clip_of, listen, write_whole};
use crate::cli::{CheckArguments, PlayArguments};
use crate::failure::{Failure, note, say};

/// Findings of each kind whose recordings a page plays, and recordings in all.
const CLIPS_EACH: usize = 3;
const CLIPS: usize = 60;

/// `vbench data check MANIFEST… | SUITE`.
pub fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let limits = limits(arguments)?;
    let leave_out = left_out(arguments)?;
    let corpora = Corpora::read(&arguments.manifests, &arguments.cache)?;
    let list = arguments.fix.as_deref().map(left_out_list);
    if list.is_some() && corpora.manifests.len() != 1 {
        return Err(Failure::new(ExitCode::Usage, "--fix takes one manifest"));
    }
    for out in arguments.html.iter().chain(&arguments.fix).chain(&list) {
        corpora.spare(out)?;
    }
    let items = corpora.items();
    let heard = (!arguments.no_audio).then(|| listen(&corpora.utterances));
    let mut checked = check_items(&items, heard.as_deref(), &limits);
    if !corpora.bad.is_empty() {
        let hits = (0..corpora.bad.len()).map(|item| Hit { item, badness: 0.0, detail: "".into() }).collect();
        checked.findings.insert(0, Finding { code: Code::LineInvalid, limit: String::new(), hits });
    }
    let all: Vec<_> = corpora.utterances.iter().collect();
    let description = describe(&all, heard.as_deref());
    let places = corpora.utterances.iter().zip(&corpora.places);
    let utterances: Vec<_> = places.map(|(u, (manifest, line))| (u, *manifest, *line)).collect();
    let mut clips = BTreeMap::new();
    if arguments.html.is_some() && !arguments.no_audio {
        let mut wanted = CheckInput::wanted_clips(&checked, CLIPS_EACH);
        wanted.truncate(CLIPS);
        clips = wanted.par_iter().filter_map(|i| Some((*i, clip_of(&corpora.utterances[*i])?))).collect();
    }
    let input = CheckInput {
        manifests: &corpora.names,
        utterances: &utterances,
        bad_lines: &corpora.bad,
        checked: &checked,
        limits: &limits,
        listened: heard.is_some(),
        description: &description,
        clips: &clips,
    };
    if arguments.json {
        say(format_args!("{:#}", check_json(&input)));
    } else {
        say(check_text(&input));
    }
    if let Some(path) = &arguments.html {
        let html = check_html(&input).map_err(|e| Failure::new(ExitCode::Internal, e))?;
        write_whole(path, &html)?;
    }
    let mended = match &arguments.fix {
        Some(out) => {
            fix(out, &corpora, &checked, &leave_out)?;
            leave_out
        }
        None => BTreeSet::new(),
    };
    let errors = checked.findings.iter().filter(|f| f.code.severity() == Severity::Error);
    let remaining = errors.filter(|f| !mended.contains(&f.code)).count();
    Ok(if remaining == 0 { ExitCode::Passed } else { ExitCode::InputInvalid })
}

fn limits(arguments: &CheckArguments) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    for (name, value) in &arguments.limit {
        if !limits.set(name, *value) {
            let known: Vec<&str> = limits.list().iter().map(|l| l.0).collect();
            let text = format!("no limit `{name}` that could be {value}; known: {}", known.join(", "));
            return Err(Failure::new(ExitCode::Usage, text));
        }
    }
    Ok(limits)
}

/// What `--fix` leaves out.
fn left_out(arguments: &CheckArguments) -> Result<BTreeSet<Code>, Failure> {
    let mut codes: BTreeSet<Code> = Code::all().filter(|c| c.left_out_by_fix()).collect();
    for (names, wanted) in [(&arguments.leave_out, true), (&arguments.keep, false)] {
        for name in names {
            let code = Code::from_name(name).ok_or_else(|| {
                let close = vbench_suite::problem::closest(name, Code::all().map(Code::name));
                let hint = close.map_or_else(String::new, |c| format!("; did you mean `{c}`?"));
                Failure::new(ExitCode::Usage, format!("no finding is called `{name}`{hint}"))
            })?;
            if wanted {
                codes.insert(code)
            } else {
                codes.remove(&code)
            };
        }
    }
    Ok(codes)
}

/// Where the list of what `--fix` leaves out goes.
fn left_out_list(out: &Path) -> PathBuf {
    let mut list = out.as_os_str().to_owned();
    list.push(".left-out.jsonl");
    list.into()
}

/// Writes the lines without findings that are mended by leaving an utterance out, and what was left out and why.
fn fix(out: &Path, corpora: &Corpora, checked: &Checked, codes: &BTreeSet<Code>) -> Result<(), Failure> {
    let mut why: BTreeMap<usize, Vec<(Code, &str)>> = BTreeMap::new();
    for f in checked.findings.iter().filter(|f| codes.contains(&f.code) && f.code != Code::LineInvalid) {
        for hit in &f.hits {
            why.entry(hit.item).or_default().push((f.code, &*hit.detail));
        }
    }
    let mut left_out = String::new();
    if codes.contains(&Code::LineInvalid) {
        for bad in &corpora.bad {
            let reasons = [json!({"code": Code::LineInvalid.name(), "detail": bad.message})];
            left_out += &format!("{}\n", json!({"line": bad.line, "reasons": reasons}));
        }
    }
    for (item, reasons) in &why {
        let reasons: Vec<_> = reasons.iter().map(|(c, d)| json!({"code": c.name(), "detail": d})).collect();
        let (id, line) = (&corpora.utterances[*item].id, corpora.places[*item].1);
        left_out += &format!("{}\n", json!({"id": id, "line": line, "reasons": reasons}));
    }
    let kept: Vec<usize> = (0..corpora.utterances.len()).filter(|i| !why.contains_key(i)).collect();
    if kept.is_empty() {
        return Err(Failure::new(ExitCode::NothingSelected, "--fix would leave nothing: no manifest written"));
    }
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", folder.display())))?;
    let list = left_out_list(out);
    write_whole(&list, &left_out)?;
    write_whole(out, &corpora.lines(&kept, folder)?)?;
    let gone = why.len() + if codes.contains(&Code::LineInvalid) { corpora.bad.len() } else { 0 };
    note(format_args!("{}: {} utterances; left out: {gone}, listed in {}", out.display(), kept.len(), list.display()));
    Ok(())
}

/// `vbench data play MANIFEST ID`: plays an utterance or writes it to a file.
pub fn play(arguments: &PlayArguments) -> Result<ExitCode, Failure> {
    let corpora = Corpora::read(std::slice::from_ref(&arguments.manifest), &arguments.cache)?;
    let utterance = corpora.utterances.iter().find(|u| u.id == arguments.id).ok_or_else(|| {
        let close = vbench_suite::problem::closest(&arguments.id, corpora.utterances.iter().map(|u| u.id.as_str()));
        let hint = close.map_or_else(String::new, |c| format!("; did you mean `{c}`?"));
        Failure::new(ExitCode::NothingSelected, format!("no utterance `{}`{hint}", arguments.id))
    })?;
    let samples = vbench_run::prepare::read_utterance(utterance, &vbench_run::FileHashes::default())
        .map_err(|reason| Failure::new(ExitCode::InputInvalid, reason.text))?;
    say(format_args!("{}: {}", utterance.id, utterance.text));
    match &arguments.out {
        Some(path) => {
            vbench_audio::write_wav(path, &samples).map_err(|e| Failure::new(ExitCode::OutputNotWritten, e))?
        }
        None => crate::commands::reproduce::play(&samples)?,
    }
    Ok(ExitCode::Passed)
}
