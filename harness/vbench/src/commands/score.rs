//! `vbench score`: texts in, error rates out.

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use vbench_compare::{TextRow, TextSummary, summarize_text};
use vbench_core::ExitCode;
use vbench_core::hash::sha256_hex;
use vbench_report::format::visible;
use vbench_report::score::{
    AlignedPair, NormalizerResult, Pairing, ScoreReport, UtteranceCounts, alignment_text, score_table, write_score_json,
};
use vbench_score::formats::{Columns, Format, MissingPolicy, Pair, Paired, Reference, Source, load, load_pairs};
use vbench_score::{
    CharUnit, Normalizer, PairCounter, PairCounts, PairScore, RuleSet, ScoreError, Weights, score_lattice,
    score_pair_with,
};
use vbench_stats::Plan;

use crate::cli::ScoreArguments;
use crate::failure::{Failure, say};

mod analysis;
mod multi;

/// How texts are compared.
pub(crate) struct Rules {
    weights: Weights,
    char_unit: CharUnit,
}

/// `vbench score …`.
pub fn score(arguments: &ScoreArguments) -> Result<ExitCode, Failure> {
    if let Some(threads) = arguments.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build();
        let pool =
            pool.map_err(|e| Failure::new(ExitCode::Internal, format!("cannot start {threads} threads: {e}")))?;
        return pool.install(|| score_here(arguments));
    }
    score_here(arguments)
}

fn score_here(arguments: &ScoreArguments) -> Result<ExitCode, Failure> {
    let normalizers = normalizers(arguments)?;
    let files = Files::read(arguments)?;
    if let Some(metric) = arguments.multi {
        return multi::score(arguments, metric, &normalizers[0], &files);
    }
    let columns = columns(arguments);
    let paired = files.pair(&columns, arguments.missing)?;
    if paired.pairs.is_empty() {
        return Err(Failure::new(ExitCode::NothingSelected, format!("{}: no pair to score", files.names())));
    }
    let rules = Rules { weights: arguments.weights, char_unit: arguments.char_unit };
    let mut results = Vec::new();
    for normalizer in &normalizers {
        let counts = count_all(&paired.pairs, normalizer, &rules)?;
        results.push(result(arguments, normalizer, &paired.pairs, &counts)?);
    }
    let analysis = analysis::analyse(arguments, &paired.pairs, &normalizers[0], &rules)?;
    let report = ScoreReport {
        weights: arguments.weights.name().into(),
        char_unit: arguments.char_unit.name(),
        seed: arguments.seed,
        pairing: pairing(&paired, arguments.missing),
        results,
        analysis,
    };
    print(arguments, &report, &paired.pairs, &normalizers[0], &rules)?;
    Ok(ExitCode::Passed)
}

fn normalizers(arguments: &ScoreArguments) -> Result<Vec<Normalizer>, Failure> {
    let names: Vec<&str> = match arguments.normalizer.as_slice() {
        [] => vec!["none"],
        names => names.iter().map(String::as_str).collect(),
    };
    names.into_iter().map(normalizer).collect()
}

/// A normaliser by name; `rules:FILE` reads the user's rules.
fn normalizer(name: &str) -> Result<Normalizer, Failure> {
    let Some(path) = name.strip_prefix("rules:") else {
        return Normalizer::from_name(name)
            .map_err(|e| Failure::new(ExitCode::Usage, format!("{e}; or `rules:FILE` for rules of your own")));
    };
    let invalid = |e: &dyn std::fmt::Display| Failure::new(ExitCode::InputInvalid, format!("{path}: {e}"));
    let bytes = std::fs::read(path).map_err(|e| invalid(&e))?;
    let text = std::str::from_utf8(&bytes).map_err(|e| invalid(&e))?;
    let rules = RuleSet::parse(path, &sha256_hex(&bytes), text);
    rules.map(|r| Normalizer::Rules(Arc::new(r))).map_err(|e| Failure::new(ExitCode::InputInvalid, e))
}

fn columns(arguments: &ScoreArguments) -> Columns<'_> {
    let mut columns = Columns::default();
    for (key, value) in &arguments.columns {
        match key.as_str() {
            "id" => columns.id = value,
            "ref" => columns.reference = value,
            "hyp" => columns.hypothesis = value,
            "text" => columns.text = value,
            "speaker" => columns.speaker = value,
            _ => columns.session = value,
        }
    }
    columns
}

/// The files given, read.
pub(crate) enum Files {
    /// Both sides in one.
    Pairs(File),
    /// Reference and hypothesis.
    Two(File, File),
}

/// A file, read.
pub(crate) struct File {
    name: String,
    bytes: Vec<u8>,
    format: Format,
}

impl File {
    fn read(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let format = format.or_else(|| Format::from_path(&name)).ok_or_else(|| {
            let known: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
            Failure::new(
                ExitCode::Usage,
                format!("{name}: its name does not show its format; say --format NAME, one of {}", known.join(", ")),
            )
        })?;
        let bytes = std::fs::read(path)
            .map_err(|e| Failure::new(ExitCode::InputInvalid, format!("cannot read {name}: {e}")))?;
        Ok(Self { name, bytes, format })
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source { file: &self.name, bytes: &self.bytes, format: self.format }
    }
}

impl Files {
    fn read(arguments: &ScoreArguments) -> Result<Self, Failure> {
        if let Some(path) = &arguments.pairs {
            return Ok(Self::Pairs(File::read(path, arguments.format)?));
        }
        let (Some(reference), Some(hypothesis)) = (&arguments.reference, &arguments.hypothesis) else {
            return Err(Failure::new(
                ExitCode::Usage,
                "`vbench score` needs --ref FILE and --hyp FILE, or --pairs FILE",
            ));
        };
        let hypothesis_format = arguments.hyp_format.or(arguments.format);
        Ok(Self::Two(File::read(reference, arguments.format)?, File::read(hypothesis, hypothesis_format)?))
    }

    fn names(&self) -> String {
        match self {
            Self::Pairs(file) => file.name.clone(),
            Self::Two(reference, hypothesis) => format!("{}, {}", reference.name, hypothesis.name),
        }
    }

    fn pair(&self, columns: &Columns<'_>, policy: MissingPolicy) -> Result<Paired<'_>, Failure> {
        let paired = match self {
            Self::Pairs(file) => load_pairs(&file.source(), columns, policy),
            Self::Two(reference, hypothesis) => load(&reference.source(), &hypothesis.source(), columns, policy),
        };
        paired.map_err(|e| Failure::new(ExitCode::InputInvalid, e))
    }
}

fn pairing(paired: &Paired<'_>, policy: MissingPolicy) -> Pairing {
    Pairing {
        pairs: paired.pairs.len(),
        policy: policy.name(),
        missing: paired.missing.clone(),
        extra: paired.extra.clone(),
        times: paired.times,
    }
}

/// Pairs scored by one thread before the next takes some.
const CHUNK: usize = 4_096;

fn count_all(pairs: &[Pair<'_>], normalizer: &Normalizer, rules: &Rules) -> Result<Vec<PairCounts>, Failure> {
    let count = |chunk: &[Pair<'_>]| -> Result<Vec<PairCounts>, Failure> {
        let mut counter = PairCounter::new(normalizer, rules.weights, rules.char_unit);
        let one = |pair: &Pair<'_>| {
            let counted = match &pair.reference {
                Reference::Plain(reference) => counter.count(reference, &pair.hypothesis),
                Reference::Lattice(_) => score_one(pair, normalizer, rules).map(|s| s.counts()),
            };
            counted.map_err(|e| too_long(pair, &e))
        };
        chunk.iter().map(one).collect()
    };
    let chunks: Vec<Vec<PairCounts>> = pairs.par_chunks(CHUNK).map(count).collect::<Result<_, _>>()?;
    Ok(chunks.concat())
}

/// One pair with its tokens and alignment.
pub(crate) fn score_one(pair: &Pair<'_>, normalizer: &Normalizer, rules: &Rules) -> Result<PairScore, ScoreError> {
    match &pair.reference {
        Reference::Plain(reference) => {
            score_pair_with(reference, &pair.hypothesis, normalizer, rules.weights, rules.char_unit)
        }
        Reference::Lattice(lattice) => {
            score_lattice(lattice, &pair.hypothesis, normalizer, rules.weights, rules.char_unit)
        }
    }
}

pub(crate) fn too_long(pair: &Pair<'_>, error: &ScoreError) -> Failure {
    Failure::new(ExitCode::InputInvalid, format!("utterance {} (line {}): {error}", pair.id, pair.line))
}

fn result(
    arguments: &ScoreArguments,
    normalizer: &Normalizer,
    pairs: &[Pair<'_>],
    counts: &[PairCounts],
) -> Result<NormalizerResult, Failure> {
    let plan = Plan::new(arguments.seed);
    let rows: Vec<TextRow<'_>> = pairs
        .iter()
        .zip(counts)
        .map(|(pair, c)| TextRow {
            id: &pair.id,
            speaker: pair.speaker.as_deref(),
            session: pair.session.as_deref(),
            words: c.words,
            words_min_errors: c.words_min_errors,
            chars: c.chars,
            chars_min_errors: c.chars_min_errors,
        })
        .collect();
    let mut strata = vec![summarize_text("all", "", &rows, &plan)];
    for by in &arguments.by {
        strata.extend(by_tag(by, pairs, &rows, &plan)?);
    }
    let utterances =
        if arguments.per_utterance { pairs.iter().zip(counts).map(utterance).collect() } else { Vec::new() };
    Ok(NormalizerResult { normalizer: normalizer.id().into(), strata, utterances })
}

fn utterance((pair, c): (&Pair<'_>, &PairCounts)) -> UtteranceCounts {
    UtteranceCounts {
        id: pair.id.to_string(),
        words: c.words,
        words_min_errors: c.words_min_errors,
        chars: c.chars,
        chars_min_errors: c.chars_min_errors,
    }
}

fn by_tag(by: &str, pairs: &[Pair<'_>], rows: &[TextRow<'_>], plan: &Plan) -> Result<Vec<TextSummary>, Failure> {
    let mut groups: BTreeMap<&str, Vec<TextRow<'_>>> = BTreeMap::new();
    for (pair, row) in pairs.iter().zip(rows) {
        let value = match by {
            "speaker" => pair.speaker.as_deref(),
            "session" => pair.session.as_deref(),
            tag => pair.tags.iter().find(|(name, _)| name == tag).map(|(_, value)| value.as_ref()),
        };
        if let Some(value) = value {
            groups.entry(value).or_default().push(*row);
        }
    }
    if groups.is_empty() {
        let mut known: Vec<&str> =
            pairs.iter().flat_map(|p| p.tags.iter().map(|(name, _)| name.as_ref())).collect::<Vec<_>>();
        known.extend(pairs.iter().any(|p| p.speaker.is_some()).then_some("speaker"));
        known.extend(pairs.iter().any(|p| p.session.is_some()).then_some("session"));
        known.sort_unstable();
        known.dedup();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        return Err(Failure::new(ExitCode::Usage, format!("--by {by}: no pair has this tag; tags here: {known}")));
    }
    Ok(groups.into_iter().map(|(value, rows)| summarize_text(by, value, &rows, plan)).collect())
}

fn print(
    arguments: &ScoreArguments,
    report: &ScoreReport,
    pairs: &[Pair<'_>],
    normalizer: &Normalizer,
    rules: &Rules,
) -> Result<(), Failure> {
    if arguments.json {
        return write_out(|out| write_score_json(report, out));
    }
    let (width, colour) = terminal();
    if arguments.explain {
        explain(pairs, normalizer);
    }
    if arguments.align {
        for pair in pairs {
            let score = score_one(pair, normalizer, rules).map_err(|e| too_long(pair, &e))?;
            if score.words.errors() > 0 {
                say(alignment_text(&AlignedPair { id: &pair.id, score: &score }, width, colour));
            }
        }
    }
    say(score_table(report, width, colour).trim_end());
    Ok(())
}

/// Which rule changed which word, a line each: utterance, side, rule, words before and after.
fn explain(pairs: &[Pair<'_>], normalizer: &Normalizer) {
    let mut changed = 0;
    for pair in pairs {
        for (side, text) in [("ref", pair.reference.plain()), ("hyp", pair.hypothesis.as_ref().into())] {
            let steps = normalizer.explain(&text).steps;
            changed += usize::from(!steps.is_empty());
            for step in steps {
                say(format_args!("{}  {side}  {}", visible(&pair.id), visible(&step.to_string())));
            }
        }
    }
    say(format_args!("{changed} of {} texts changed by {}\n", 2 * pairs.len(), normalizer.id()));
}

/// Columns and whether colour is wanted on standard output.
pub(crate) fn terminal() -> (usize, bool) {
    let on = std::io::stdout().is_terminal();
    let width = if on { crate::render::terminal_width() } else { 120 };
    (width, on && std::env::var_os("NO_COLOR").is_none())
}

/// Writes to standard output; a closed pipe is not an error.
pub(crate) fn write_out(
    write: impl FnOnce(&mut BufWriter<std::io::StdoutLock<'_>>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::OutputNotWritten, format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
