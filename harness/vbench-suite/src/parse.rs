//! One suite file -> [`SuiteFile`] (schema version 1). Every problem of the file is reported at once.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::Document;
use vbench_core::{Budgets, Condition, Preprocess, Rule, RuleStratum, SIGNAL_METRICS, SignalMetric};

use crate::budgets::read_budgets;
use crate::conditions::read_conditions;
use crate::gates::read_gates;
use crate::preprocess::read_preprocess;
use crate::problem::{Problem, ProblemClass, Problems, closest};
use crate::reader::TableReader;

/// The suite schema that this version reads.
pub const SCHEMA: u64 = 1;

/// Largest latency budget that a suite may declare, in milliseconds.
const MOST_BUDGET_MS: f64 = 600_000.0;

/// One stratum of the overall score and its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct OverallWeight {
    /// Property, e.g. `condition`.
    pub by: String,
    /// Its value, as shown in tables.
    pub value: String,
    /// Above 0; the score divides by the sum of all weights.
    pub weight: f64,
    /// Line in the suite file, counted from 1.
    pub line: usize,
}

/// What a suite asks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Speech to text.
    Asr,
    /// Audio to a label.
    Classify,
    /// Audio to speech segments.
    Vad,
    /// Audio to audio through a codec.
    Codec,
    /// Speech to speech in turns.
    Agent,
}

impl Task {
    const ALL: [(&'static str, Self); 5] = [
        ("asr", Self::Asr),
        ("classify", Self::Classify),
        ("vad", Self::Vad),
        ("codec", Self::Codec),
        ("agent", Self::Agent),
    ];

    /// The name used in suites.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, t)| *t == self).map_or("", |(n, _)| n)
    }
}

/// What a suite reports; the first one listed is the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Word error rate.
    Wer,
    /// Character error rate (grapheme clusters).
    Cer,
    /// Sentence error rate.
    Ser,
    /// Achieved signal-to-noise ratio.
    Snr,
    /// Real-time factor.
    Rtf,
    /// What a condition did to the signal, one of [`SIGNAL_METRICS`].
    Signal(&'static SignalMetric),
}

impl Metric {
    /// The metrics of what a model answers and of how fast; those of the signal are [`SIGNAL_METRICS`].
    const ALL: [Self; 5] = [Self::Wer, Self::Cer, Self::Ser, Self::Snr, Self::Rtf];

    /// The name used in suites.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wer => "wer",
            Self::Cer => "cer",
            Self::Ser => "ser",
            Self::Snr => "snr",
            Self::Rtf => "rtf",
            Self::Signal(metric) => metric.name,
        }
    }

    /// The metric of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let own = Self::ALL.into_iter().find(|m| m.name() == name);
        own.or_else(|| SignalMetric::named(name).map(Self::Signal))
    }
}

/// A suite file as written, each value checked on its own.
#[derive(Debug)]
pub struct SuiteFile {
    /// Suite name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What is asked of the model.
    pub task: Task,
    /// Other suites to include, relative to this file.
    pub include: Vec<(String, Option<usize>)>,
    /// Why the default suite does not include this one; `None` when it does.
    pub not_in_all: Option<String>,
    /// Seed of every random draw; `None` in a suite that is only included.
    pub seed: Option<u64>,
    /// Corpora in order.
    pub corpora: Vec<CorpusSpec>,
    /// Conditions in order.
    pub conditions: Vec<Condition>,
    /// Models in order.
    pub models: Vec<(String, String)>,
    /// Metrics in order.
    pub metrics: Vec<Metric>,
    /// Normaliser name.
    pub normalizer: Option<String>,
    /// Alignment weights name.
    pub weights: Option<String>,
    /// Properties to stratify by, with their offsets.
    pub strata: Vec<(String, Option<usize>)>,
    /// Gate rules.
    pub gates: Vec<Rule>,
    /// Weights of the overall score; empty where none is declared.
    pub overall: Vec<OverallWeight>,
    /// Latency budget in milliseconds beyond the end of the audio.
    pub latency_budget_ms: Option<f64>,
    /// Budgets of stages and turns, if any are declared.
    pub budgets: Option<Budgets>,
    /// What is done to every recording before conditions.
    pub preprocess: Preprocess,
}

/// Where a corpus comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorpusSource {
    /// A manifest file, relative to the suite.
    Manifest(String),
    /// A corpus of `suites/corpora.toml`, fetched into the cache.
    Pull(String),
    /// A corpus that the user imports into the cache with `vbench data import`.
    Import(String),
}

/// A corpus as a suite names it.
#[derive(Debug)]
pub struct CorpusSpec {
    /// Name used in cells.
    pub name: String,
    /// Where it comes from.
    pub source: CorpusSource,
    /// Only these ids, if any are given.
    pub ids: Vec<String>,
    /// Only utterances with all of these tags.
    pub select: BTreeMap<String, String>,
    /// How to get it, shown when it is absent.
    pub hint: String,
    /// Byte offset in the suite file.
    pub offset: Option<usize>,
}

/// Parses the text of a suite file.
///
/// # Errors
///
/// All problems of the file: TOML syntax, unknown keys, wrong types, duplicate names, values out of range.
pub fn parse_suite(path: &Path, text: &str) -> Result<SuiteFile, Vec<Problem>> {
    let mut problems = Problems::new(path, text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(e) => {
            problems.add(e.span().map(|s| s.start), "", format!("not valid TOML: {}", e.message()));
            return Err(problems.list);
        }
    };
    let mut root = TableReader::new(document.as_table(), "", None);
    let suite = read_root(&mut root, &mut problems);
    root.finish(&mut problems);
    problems.list.sort_by_key(|p| p.line);
    if problems.list.is_empty() { Ok(suite) } else { Err(problems.list) }
}

fn read_root(root: &mut TableReader, problems: &mut Problems) -> SuiteFile {
    match root.unsigned(problems, "schema") {
        Some(SCHEMA) => {}
        Some(other) => {
            root.problem(problems, "schema", format!("this version reads schema {SCHEMA}, found {other}"));
            if other > SCHEMA
                && let Some(problem) = problems.list.last_mut()
            {
                problem.class = ProblemClass::Newer;
            }
        }
        None => root.problem(problems, "schema", format!("required key is missing: write `schema = {SCHEMA}`")),
    }
    let name = root.required_string(problems, "name");
    let description = root.string(problems, "description").unwrap_or_default();
    let task_name = root.required_string(problems, "task");
    let task = named(root, problems, "task", &task_name, &Task::ALL).unwrap_or(Task::Asr);
    let include = with_offsets(root, problems, "include");
    let not_in_all = read_in_all(root, problems);
    let seed = root.unsigned(problems, "seed");
    let corpora: Vec<_> = root.tables(problems, "corpora").into_iter().map(|t| read_corpus(t, problems)).collect();
    unique(root, problems, "corpora", corpora.iter().map(|c| c.name.as_str()));
    let conditions = read_conditions(root, problems);
    let models: Vec<_> = root.tables(problems, "models").into_iter().map(|t| read_model(t, problems)).collect();
    unique(root, problems, "models", models.iter().map(|m| m.0.as_str()));
    let metric_names = root.strings(problems, "metrics");
    unique(root, problems, "metrics", metric_names.iter().map(String::as_str));
    let metrics = metric_names.iter().filter_map(|m| read_metric(root, problems, m)).collect();
    let normalizer = root.string(problems, "normalizer");
    let weights = root.string(problems, "weights");
    if let Some(w) = weights.as_deref().filter(|w| !["sclite", "levenshtein"].contains(w)) {
        root.problem(problems, "weights", format!("expected `sclite` or `levenshtein`, found `{w}`"));
    }
    let strata = with_offsets(root, problems, "strata");
    unique(root, problems, "strata", strata.iter().map(|s| s.0.as_str()));
    let gates = read_gates(root, problems);
    let overall = read_overall(root, problems);
    let latency_budget_ms = read_latency(root, problems);
    let budgets = read_budgets(root, problems);
    let preprocess = read_preprocess(root, &conditions, problems);
    if corpora.is_empty() && include.is_empty() {
        root.problem(problems, "corpora", "a suite needs at least one of `[[corpora]]` and `include`");
    }
    SuiteFile {
        name,
        description,
        task,
        include,
        not_in_all,
        seed,
        corpora,
        conditions,
        models,
        metrics,
        normalizer,
        weights,
        strata,
        gates,
        overall,
        latency_budget_ms,
        budgets,
        preprocess,
    }
}

/// `[overall] weights = { "condition=clean" = 1, "condition=noise-5db" = 2 }`.
fn read_overall(root: &mut TableReader, problems: &mut Problems) -> Vec<OverallWeight> {
    let Some(mut overall) = root.table(problems, "overall") else { return Vec::new() };
    let mut weights = Vec::new();
    if let Some(table) = overall.table(problems, "weights") {
        for (key, weight, offset) in table.numbers_by_name() {
            let path = format!("overall.weights.{key}");
            let stratum = match RuleStratum::parse(&key) {
                Ok(RuleStratum::One { by, value }) => Some((by, value)),
                _ => {
                    problems.add(offset, &path, format!("expected `property=value`, found `{key}`"));
                    None
                }
            };
            match (stratum, weight.filter(|w| *w > 0.0)) {
                (Some((by, value)), Some(weight)) => {
                    weights.push(OverallWeight { by, value, weight, line: problems.line_of(offset) });
                }
                (_, None) => problems.add(offset, &path, "a weight is a finite number above 0"),
                (None, _) => {}
            }
        }
        if weights.is_empty() && problems.list.is_empty() {
            overall.problem(problems, "weights", "an overall score needs at least one stratum");
        }
    } else if !overall.has("weights") {
        overall.problem(problems, "weights", "required key is missing: `weights = { \"property=value\" = 1 }`");
    }
    overall.finish(problems);
    weights
}

/// `[latency] budget_ms = 200`.
fn read_latency(root: &mut TableReader, problems: &mut Problems) -> Option<f64> {
    let mut latency = root.table(problems, "latency")?;
    let budget = latency.number(problems, "budget_ms");
    match budget {
        None if !latency.has("budget_ms") => {
            latency.problem(problems, "budget_ms", "required key is missing: milliseconds beyond the end of the audio");
        }
        Some(ms) if !(0.0..=MOST_BUDGET_MS).contains(&ms) => {
            latency.problem(problems, "budget_ms", format!("expected 0 to {MOST_BUDGET_MS} ms, found {ms}"));
        }
        _ => {}
    }
    latency.finish(problems);
    budget
}

fn with_offsets(root: &mut TableReader, problems: &mut Problems, key: &'static str) -> Vec<(String, Option<usize>)> {
    let names = root.strings(problems, key);
    let offset = root.offset_of(key);
    names.into_iter().map(|n| (n, offset)).collect()
}

fn read_in_all(root: &mut TableReader, problems: &mut Problems) -> Option<String> {
    let in_all = root.boolean(problems, "in_all").unwrap_or(true);
    let reason = root.string(problems, "in_all_reason");
    match (in_all, reason) {
        (true, None) => None,
        (true, Some(_)) => {
            root.problem(problems, "in_all_reason", "only goes with `in_all = false`");
            None
        }
        (false, Some(reason)) if !reason.trim().is_empty() => Some(reason),
        (false, _) => {
            root.problem(problems, "in_all", "`in_all = false` needs `in_all_reason = \"…\"`");
            None
        }
    }
}

fn read_corpus(mut table: TableReader, problems: &mut Problems) -> CorpusSpec {
    let name = table.required_string(problems, "name");
    check_name(&table, problems, &name);
    let offset = table.offset_of("name");
    let manifest = table.string(problems, "manifest").map(CorpusSource::Manifest);
    let pull = table.string(problems, "pull").map(CorpusSource::Pull);
    let import = table.string(problems, "import").map(CorpusSource::Import);
    let mut sources: Vec<CorpusSource> = [manifest, pull, import].into_iter().flatten().collect();
    if sources.len() != 1 {
        table.problem(
            problems,
            "name",
            format!("corpus `{name}` needs exactly one of `manifest`, `pull` and `import`, found {}", sources.len()),
        );
    }
    let source = sources.pop().unwrap_or(CorpusSource::Manifest(String::new()));
    let ids = table.strings(problems, "ids");
    let select = table.string_map(problems, "select");
    let hint = table.string(problems, "hint").unwrap_or_default();
    table.finish(problems);
    CorpusSpec { name, source, ids, select, hint, offset }
}

fn read_model(mut table: TableReader, problems: &mut Problems) -> (String, String) {
    let name = table.required_string(problems, "name");
    check_name(&table, problems, &name);
    let spec = table.required_string(problems, "spec");
    table.finish(problems);
    (name, spec)
}

fn read_metric(root: &TableReader, problems: &mut Problems, name: &str) -> Option<Metric> {
    let found = Metric::named(name);
    if found.is_none() {
        let known: Vec<&str> =
            Metric::ALL.iter().map(|m| m.name()).chain(SIGNAL_METRICS.iter().map(|m| m.name)).collect();
        let hint = closest(name, known.iter().copied())
            .map_or_else(|| format!("known: {}", known.join(", ")), |k| format!("did you mean `{k}`?"));
        root.problem(problems, "metrics", format!("unknown metric `{name}`; {hint}"));
    }
    found
}

fn named<T: Copy>(
    table: &TableReader,
    problems: &mut Problems,
    key: &str,
    value: &str,
    all: &[(&'static str, T)],
) -> Option<T> {
    let found = all.iter().find(|(n, _)| *n == value).map(|(_, t)| *t);
    if found.is_none() && !value.is_empty() {
        let known: Vec<&str> = all.iter().map(|(n, _)| *n).collect();
        table.problem(problems, key, format!("expected one of {}, found `{value}`", known.join(", ")));
    }
    found
}

pub(crate) fn unique<'n>(
    table: &TableReader,
    problems: &mut Problems,
    key: &str,
    names: impl Iterator<Item = &'n str>,
) {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            table.problem(problems, key, format!("duplicate name `{name}`"));
        }
        seen.push(name);
    }
}

pub(crate) fn check_name(table: &TableReader, problems: &mut Problems, name: &str) {
    if name.chars().any(|c| c == '/' || c == '=' || c == ',' || c.is_whitespace() || c.is_control()) {
        table.problem(
            problems,
            "name",
            format!("`{name}` must not hold `/`, `=`, `,` or white space: names become parts of cell keys"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "schema = 1\nname = \"s\"\ntask = \"asr\"\nseed = 1\ninclude = [\"other.toml\"]\n";

    fn parse(tail: &str) -> Result<SuiteFile, Vec<String>> {
        let problems = |list: Vec<Problem>| list.iter().map(ToString::to_string).collect();
        parse_suite(Path::new("s.toml"), &format!("{SUITE}{tail}")).map_err(problems)
    }

    #[test]
    fn overall_weights_and_latency_budgets_are_read() {
        let text = "[overall]\nweights = { \"condition=clean\" = 1, \"snr=5 dB\" = 2.5 }\n[latency]\nbudget_ms = 200\n";
        let suite = parse(text).expect("a suite");
        let weight =
            |by: &str, value: &str, weight| OverallWeight { by: by.into(), value: value.into(), weight, line: 7 };
        assert_eq!(suite.overall, [weight("condition", "clean", 1.0), weight("snr", "5 dB", 2.5)]);
        assert_eq!(suite.latency_budget_ms, Some(200.0));
        let plain = parse("").expect("a suite");
        assert!(plain.overall.is_empty() && plain.latency_budget_ms.is_none());
    }

    #[test]
    fn metrics_of_the_signal_are_metrics_and_misspelt_ones_are_told() {
        let suite = parse("metrics = [\"wer\", \"stoi\", \"snr\", \"snr_db\"]\n").expect("a suite");
        let names: Vec<&str> = suite.metrics.iter().map(|m| m.name()).collect();
        assert_eq!(names, ["wer", "stoi", "snr", "snr_db"]);
        // The achieved SNR of the receipt and the SNR between two signals are two metrics.
        assert_eq!(suite.metrics[2], Metric::Snr);
        assert_eq!(suite.metrics[3], Metric::Signal(SignalMetric::named("snr_db").expect("known")));
        for metric in SIGNAL_METRICS {
            assert_eq!(Metric::named(metric.name), Some(Metric::Signal(metric)), "{}", metric.name);
        }
        for (text, expected) in [
            ("[\"stoy\"]", "s.toml:6: metrics: unknown metric `stoy`; did you mean `stoi`?"),
            ("[\"si_sdr\"]", "s.toml:6: metrics: unknown metric `si_sdr`; did you mean `si_sdr_db`?"),
            ("[\"intelligence\"]", "unknown metric `intelligence`; known: wer, cer, ser, snr, rtf, snr_db, segsnr_db"),
            ("[\"estoi\", \"estoi\"]", "s.toml:6: metrics: duplicate name `estoi`"),
        ] {
            let problems = parse(&format!("metrics = {text}\n")).expect_err(text);
            assert!(problems.iter().any(|p| p.contains(expected)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn bad_weights_and_budgets_name_line_and_key() {
        for (tail, expected) in [
            (
                "[overall]\nweights = { \"condition=clean\" = 0 }",
                "s.toml:7: overall.weights.condition=clean: a weight is a",
            ),
            (
                "[overall.weights]\n\"snr=5 dB\" = 1\n\"snr=9 dB\" = -1",
                "s.toml:8: overall.weights.snr=9 dB: a weight is a",
            ),
            (
                "[overall]\nweights = { \"condition=clean\" = \"1\" }",
                "s.toml:7: overall.weights.condition=clean: a weight",
            ),
            (
                "[overall]\nweights = { \"condition=clean\" = inf }",
                "s.toml:7: overall.weights.condition=clean: a weight",
            ),
            ("[overall]\nweights = { clean = 1 }", "s.toml:7: overall.weights.clean: expected `property=value`"),
            ("[overall]\nweights = { \"condition=*\" = 1 }", "overall.weights.condition=*: expected `property=value`"),
            ("[overall]\nweights = {}", "s.toml:7: overall.weights: an overall score needs at least one stratum"),
            ("[overall]\nweights = 3", "s.toml:7: overall.weights: expected a table"),
            ("[overall]\n", "s.toml:6: overall.weights: required key is missing"),
            ("[overall]\nweight = {}", "s.toml:7: overall.weight: unknown key; did you mean `weights`?"),
            ("[latency]\nbudget_ms = -1", "s.toml:7: latency.budget_ms: expected 0 to 600000 ms, found -1"),
            ("[latency]\nbudget_ms = nan", "s.toml:7: latency.budget_ms: expected a finite number"),
            ("[latency]\nbudget_ms = \"200\"", "s.toml:7: latency.budget_ms: expected a finite number"),
            ("[latency]\n", "s.toml:6: latency.budget_ms: required key is missing"),
            ("[latency]\nbudget = 200", "latency.budget: unknown key; did you mean `budget_ms`?"),
        ] {
            let problems = parse(tail).expect_err(tail);
            assert!(problems.iter().any(|p| p.contains(expected)), "{tail}: {problems:?}");
        }
    }
}
