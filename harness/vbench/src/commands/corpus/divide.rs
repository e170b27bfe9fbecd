//! `vbench data split` and `vbench data sample`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use comfy_table::{Table, TableStyle};
use vbench_core::{ExitCode, Utterance};
use vbench_corpus::split::{groups, sample_order, smallest_enough, split as divide, strata};
use vbench_stats::{MIN_UNITS, PowerAssumptions, detectable_difference};

use super::{Corpora, write_whole};
use crate::cli::{SampleArguments, SplitArguments};
use crate::failure::{Failure, note, say};

/// `vbench data split MANIFEST --into NAME=SHARE,… --out DIR`.
pub fn split(arguments: &SplitArguments) -> Result<ExitCode, Failure> {
    let corpora = Corpora::read_good(&arguments.manifest, &arguments.cache)?;
    let shares: Vec<f64> = arguments.into.iter().map(|(_, share)| *share).collect();
    let names: Vec<&str> = arguments.into.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() < 2 || names.iter().enumerate().any(|(i, n)| names[..i].contains(n)) {
        return Err(Failure::new(ExitCode::Usage, "--into takes two or more different names"));
    }
    let all = known_strata(&corpora.utterances, &arguments.stratify)?;
    let stratum = (!arguments.stratify.is_empty()).then_some(all.as_slice());
    let found = divide(&corpora.utterances, &shares, arguments.seed, stratum);
    let files: Vec<PathBuf> = names.iter().map(|name| arguments.out.join(format!("{name}.jsonl"))).collect();
    for (s, (name, file)) in names.iter().zip(&files).enumerate() {
        corpora.spare(file)?;
        if !found.contains(&s) {
            let text =
                format!("the split `{name}` is empty: too few speakers or sessions; try --stratify or another --seed");
            return Err(Failure::new(ExitCode::InputInvalid, text));
        }
    }
    std::fs::create_dir_all(&arguments.out)
        .map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", arguments.out.display())))?;
    let groups = groups(&corpora.utterances);
    let total: f64 = shares.iter().sum();
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["split", "share wanted", "share", "utterances", "hours", "groups"]);
    for (s, (name, share)) in arguments.into.iter().enumerate() {
        let items: Vec<usize> = (0..found.len()).filter(|i| found[*i] == s).collect();
        write_whole(&files[s], &corpora.lines(&items, &arguments.out)?)?;
        let mut own: Vec<&str> = items.iter().map(|i| groups[*i].as_str()).collect();
        own.sort_unstable();
        own.dedup();
        let seconds: f64 = items.iter().filter_map(|i| corpora.utterances[*i].duration_s).sum();
        table.add_row([
            name.clone(),
            format!("{:.1} %", 100.0 * share / total),
            format!("{:.1} %", 100.0 * items.len() as f64 / found.len() as f64),
            items.len().to_string(),
            format!("{:.2}", seconds / 3600.0),
            own.len().to_string(),
        ]);
    }
    say(table);
    note("a group is what shares a speaker or a session; none is in two splits");
    Ok(ExitCode::Passed)
}

/// The stratum of every utterance; a property that none has is a mistake.
fn known_strata(utterances: &[Utterance], properties: &[String]) -> Result<Vec<String>, Failure> {
    for property in properties {
        if strata(utterances, std::slice::from_ref(property)).iter().all(|value| value == "none") {
            let tags = utterances.iter().flat_map(|u| u.tags.keys()).map(String::as_str);
            let known: BTreeSet<&str> = tags.chain(["speaker", "session", "language"]).collect();
            let known: Vec<&str> = known.into_iter().collect();
            let text = format!("--stratify {property}: no utterance has it; properties here: {}", known.join(", "));
            return Err(Failure::new(ExitCode::Usage, text));
        }
    }
    Ok(strata(utterances, properties))
}

/// `vbench data sample MANIFEST --out FILE (--n N | --detect POINTS)`.
pub fn sample(arguments: &SampleArguments) -> Result<ExitCode, Failure> {
    let corpora = Corpora::read_good(&arguments.manifest, &arguments.cache)?;
    corpora.spare(&arguments.out)?;
    let all = known_strata(&corpora.utterances, &arguments.stratify)?;
    let order = sample_order(&corpora.utterances, arguments.seed, &all);
    let words = |text: &str| text.split_whitespace().count() as u64;
    let n = match (arguments.n, arguments.detect) {
        (Some(n), _) => n as usize,
        (None, Some(points)) => {
            let assumptions = PowerAssumptions {
                error_rate: arguments.wer / 100.0,
                power: arguments.power,
                ..PowerAssumptions::default()
            };
            let detects = |words: u64, clusters: usize| {
                detectable_difference(words as f64, clusters, &assumptions).is_ok_and(|d| d <= points / 100.0)
            };
            // Speakers where there are enough of them, else utterances, as everywhere.
            let mut speakers = groups(&corpora.utterances);
            speakers.sort_unstable();
            speakers.dedup();
            let by_speaker = speakers.len() >= MIN_UNITS;
            let mut alone = corpora.utterances.clone();
            if !by_speaker {
                alone.iter_mut().for_each(|u| (u.speaker, u.session) = (None, None));
            }
            let n = smallest_enough(&alone, &order, words, detects).ok_or_else(|| {
                let text = format!("all {} utterances do not detect {points} points of WER", order.len());
                Failure::new(ExitCode::InputInvalid, text)
            })?;
            let unit = if by_speaker { "speakers or sessions" } else { "utterances: conditional on the few speakers" };
            note(format_args!(
                "{n} utterances detect {points} points of WER at power {} (WER {} %, two-sided 5 %; resampled: {unit})",
                arguments.power, arguments.wer
            ));
            n
        }
        (None, None) => return Err(Failure::new(ExitCode::Usage, "--n or --detect is needed")),
    };
    if n > order.len() {
        let text = format!("the corpus has {} utterances, {n} were asked for", order.len());
        return Err(Failure::new(ExitCode::InputInvalid, text));
    }
    let mut items = order[..n].to_vec();
    items.sort_unstable();
    let folder = arguments.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", folder.display())))?;
    write_whole(&arguments.out, &corpora.lines(&items, folder)?)?;
    let total: u64 = items.iter().map(|i| words(&corpora.utterances[*i].text)).sum();
    say(format_args!("{}: {n} of {} utterances, {total} words", arguments.out.display(), order.len()));
    Ok(ExitCode::Passed)
}
