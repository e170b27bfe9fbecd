//! Suite files + manifests -> [`Suite`], in which everything is checked.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vbench_core::hash::sha256_hex;
use vbench_core::length::{DURATION_LABELS, LENGTH_BINS};
use vbench_core::{Budgets, Condition, Preprocess, Rule, RuleStratum, SignalMetric, Utterance};

use crate::budgets::budgets_to_json;
use crate::gates::rule_to_json;
use crate::manifest::parse_manifest;
use crate::parse::{CorpusSource, CorpusSpec, Metric, OverallWeight, SuiteFile, Task, parse_suite};
use crate::problem::{Problem, ProblemClass, Problems, SuiteError};

/// Where things outside the suite's folder lie.
#[derive(Debug, Clone, Default)]
pub struct LoadContext {
    /// Folder of pulled and imported corpora, `<cache>/corpora`.
    pub corpora_dir: Option<PathBuf>,
}

/// A checked suite: names are unique, numbers in range, manifests parsed.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The file it was loaded from.
    pub path: PathBuf,
    /// What is asked of the model.
    pub task: Task,
    /// Why the default suite does not include it.
    pub not_in_all: Option<String>,
    /// Seed of every random draw.
    pub seed: u64,
    /// Corpora that are present.
    pub corpora: Vec<Corpus>,
    /// Corpora that are named but not there.
    pub absent: Vec<AbsentCorpus>,
    /// Every selected utterance of every present corpus, corpus by corpus.
    pub utterances: Vec<Utterance>,
    /// Conditions; the first one is what the others are compared with.
    pub conditions: Vec<Condition>,
    /// Models.
    pub models: Vec<ModelEntry>,
    /// Which utterances meet which conditions and models.
    pub blocks: Vec<Block>,
    /// Metrics, the headline first.
    pub metrics: Vec<Metric>,
    /// Normaliser name.
    pub normalizer: String,
    /// Alignment weights, `sclite` or `levenshtein`.
    pub weights: String,
    /// Properties to stratify by.
    pub strata: Vec<String>,
    /// Gate rules.
    pub gates: Vec<Rule>,
    /// Weights of the overall score; empty where none is declared.
    pub overall: Vec<OverallWeight>,
    /// Latency budget in milliseconds beyond the end of the audio.
    pub latency_budget_ms: Option<f64>,
    /// Budgets of stages and turns, if any are declared: what `bench` judges.
    pub budgets: Option<Budgets>,
    /// What is done to every recording before conditions.
    pub preprocess: Preprocess,
    /// Suite files read: (path, sha256), the suite itself first.
    pub files: Vec<(PathBuf, String)>,
}

/// A corpus that is present.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Name used in cells.
    pub name: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// All of its utterances, selected or not: the source of its long-term spectrum.
    pub all: Vec<Utterance>,
}

/// A corpus that is not there, and how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentCorpus {
    /// Name used in the suite.
    pub name: String,
    /// Name in the corpus registry, when `vbench data pull` can fetch it.
    pub pull: Option<String>,
    /// Where it was looked for.
    pub looked_at: PathBuf,
    /// What to do, from the suite.
    pub hint: String,
}

/// A model as the suite names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// Name used in cells.
    pub name: String,
    /// Adapter specification, e.g. `whisper:whisper-tiny.en`.
    pub spec: String,
}

/// The cells of one suite file: its utterances x its conditions x its models, as indices into [`Suite`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// Utterance indices.
    pub utterances: Vec<usize>,
    /// Condition indices.
    pub conditions: Vec<usize>,
    /// Model indices.
    pub models: Vec<usize>,
}

/// Loads a suite with everything it includes.
///
/// # Errors
///
/// All problems of all files at once, each with file, line and key.
pub fn load(path: &Path, context: &LoadContext) -> Result<Suite, SuiteError> {
    let mut loader = Loader { context, problems: Vec::new(), suite: None, stack: Vec::new(), seen: BTreeSet::new() };
    loader.add_file(path);
    let Some(mut suite) = loader.suite else {
        return Err(SuiteError(loader.problems));
    };
    // A manifest that could not be read has no tags: what follows from that is not another problem.
    if loader.problems.is_empty() {
        check_strata(&suite, &mut loader.problems);
        check_gates(&suite, &mut loader.problems);
        check_overall(&suite, &mut loader.problems);
    }
    if suite.metrics.is_empty() {
        suite.metrics = vec![Metric::Wer, Metric::Cer, Metric::Snr, Metric::Rtf];
    }
    if loader.problems.is_empty() { Ok(suite) } else { Err(SuiteError(loader.problems)) }
}

struct Loader<'a> {
    context: &'a LoadContext,
    problems: Vec<Problem>,
    suite: Option<Suite>,
    stack: Vec<PathBuf>,
    seen: BTreeSet<PathBuf>,
}

impl Loader<'_> {
    fn whole_file(&mut self, path: &Path, message: String) {
        self.problems.push(Problem {
            file: path.to_path_buf(),
            line: 0,
            key: String::new(),
            message,
            class: ProblemClass::Suite,
        });
    }

    fn add_file(&mut self, path: &Path) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if self.stack.contains(&canonical) {
            return self.whole_file(path, "includes itself".into());
        }
        if !self.seen.insert(canonical.clone()) {
            return; // included by two files: its cells are there already
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return self.whole_file(path, format!("cannot read the suite: {e}")),
        };
        let file = match parse_suite(path, &text) {
            Ok(file) => file,
            Err(problems) => return self.problems.extend(problems),
        };
        let mut problems = Problems::new(path, &text);
        self.merge_header(path, &text, &file, &mut problems);
        self.merge_block(path, &file, &mut problems);
        self.problems.extend(problems.list);
        self.stack.push(canonical);
        for (name, _) in &file.include {
            let folder = path.parent().unwrap_or(Path::new("."));
            self.add_file(&folder.join(name));
        }
        self.stack.pop();
    }

    /// The first file sets the header; an included one must agree with it where both speak.
    fn merge_header(&mut self, path: &Path, text: &str, file: &SuiteFile, problems: &mut Problems) {
        let hash = sha256_hex(text.as_bytes());
        let Some(suite) = &mut self.suite else {
            if file.seed.is_none() {
                problems.add(None, "seed", "required key is missing (an integer; every random draw is keyed by it)");
            }
            self.suite = Some(Suite {
                name: file.name.clone(),
                description: file.description.clone(),
                path: path.to_path_buf(),
                task: file.task,
                not_in_all: file.not_in_all.clone(),
                seed: file.seed.unwrap_or(0),
                corpora: Vec::new(),
                absent: Vec::new(),
                utterances: Vec::new(),
                conditions: Vec::new(),
                models: Vec::new(),
                blocks: Vec::new(),
                metrics: file.metrics.clone(),
                normalizer: file.normalizer.clone().unwrap_or_else(|| "whisper-en".into()),
                weights: file.weights.clone().unwrap_or_else(|| "sclite".into()),
                strata: file.strata.iter().map(|s| s.0.clone()).collect(),
                gates: file.gates.clone(),
                overall: file.overall.clone(),
                latency_budget_ms: file.latency_budget_ms,
                budgets: file.budgets.clone(),
                preprocess: file.preprocess,
                files: vec![(path.to_path_buf(), hash)],
            });
            return;
        };
        suite.files.push((path.to_path_buf(), hash));
        if file.task != suite.task {
            let (a, b) = (suite.task.name(), file.task.name());
            problems.add(None, "task", format!("the including suite's task is `{a}`, this one's is `{b}`"));
        }
        if !file.preprocess.is_none() && file.preprocess != suite.preprocess {
            let (a, b) = (suite.preprocess.recipe(), file.preprocess.recipe());
            problems.add(
                None,
                "preprocess",
                format!("the including suite preprocesses with `{a}`, this one with `{b}`"),
            );
        }
        if file.normalizer.as_ref().is_some_and(|n| *n != suite.normalizer) {
            let (a, b) = (&suite.normalizer, file.normalizer.as_deref().unwrap_or_default());
            problems.add(None, "normalizer", format!("the including suite scores with `{a}`, this one with `{b}`"));
        }
    }

    fn merge_block(&mut self, path: &Path, file: &SuiteFile, problems: &mut Problems) {
        let mut block = Block::default();
        for spec in &file.corpora {
            block.utterances.extend(self.add_corpus(path, spec, problems));
        }
        let Some(suite) = &mut self.suite else { return };
        for condition in &file.conditions {
            let mut condition = condition.clone();
            condition.resolve_folders(path.parent().unwrap_or(Path::new("")));
            let index = match suite.conditions.iter().position(|c| c.name == condition.name) {
                Some(i) if suite.conditions[i] != condition => {
                    problems.add(
                        None,
                        "conditions",
                        format!("`{}` is defined differently in another included file", condition.name),
                    );
                    continue;
                }
                Some(i) => i,
                None => {
                    suite.conditions.push(condition);
                    suite.conditions.len() - 1
                }
            };
            block.conditions.push(index);
        }
        for (name, spec) in &file.models {
            let index = match suite.models.iter().position(|m| m.name == *name) {
                Some(i) if suite.models[i].spec != *spec => {
                    problems.add(None, "models", format!("`{name}` has another spec in another included file"));
                    continue;
                }
                Some(i) => i,
                None => {
                    suite.models.push(ModelEntry { name: name.clone(), spec: spec.clone() });
                    suite.models.len() - 1
                }
            };
            block.models.push(index);
        }
        if !file.corpora.is_empty() {
            for (key, empty) in [("conditions", block.conditions.is_empty()), ("models", block.models.is_empty())] {
                if empty {
                    problems.add(None, key, "a suite with corpora needs at least one");
                }
            }
        }
        suite.blocks.push(block);
    }

    /// Adds a corpus once and returns the indices of the utterances that the spec selects.
    fn add_corpus(&mut self, suite_path: &Path, spec: &CorpusSpec, problems: &mut Problems) -> Vec<usize> {
        let folder = suite_path.parent().unwrap_or(Path::new("."));
        let (manifest, pull) = match &spec.source {
            CorpusSource::Manifest(relative) => (folder.join(relative), None),
            CorpusSource::Pull(name) => (self.cached(name), Some(name.clone())),
            CorpusSource::Import(name) => (self.cached(name), None),
        };
        let Some(suite) = &mut self.suite else {
            return Vec::new();
        };
        if !suite.corpora.iter().any(|c| c.name == spec.name) {
            let text = match std::fs::read_to_string(&manifest) {
                Ok(text) => text,
                Err(e)
                    if matches!(spec.source, CorpusSource::Manifest(_)) || e.kind() != std::io::ErrorKind::NotFound =>
                {
                    let shown = manifest.display();
                    problems.add(spec.offset, "corpora.manifest", format!("cannot read the manifest {shown}: {e}"));
                    return Vec::new();
                }
                Err(_) => {
                    let hint = spec.hint.clone();
                    suite.absent.push(AbsentCorpus { name: spec.name.clone(), pull, looked_at: manifest, hint });
                    return Vec::new();
                }
            };
            match parse_manifest(&spec.name, &manifest, &text) {
                Ok(all) => suite.corpora.push(Corpus {
                    name: spec.name.clone(),
                    manifest: manifest.clone(),
                    manifest_sha256: sha256_hex(text.as_bytes()),
                    all,
                }),
                Err(list) => {
                    self.problems.extend(list);
                    return Vec::new();
                }
            }
        }
        select_utterances(suite, spec, &manifest, problems)
    }

    fn cached(&self, name: &str) -> PathBuf {
        let folder = self.context.corpora_dir.clone().unwrap_or_else(|| PathBuf::from("corpora"));
        folder.join(name).join("manifest.jsonl")
    }
}

fn select_utterances(suite: &mut Suite, spec: &CorpusSpec, manifest: &Path, problems: &mut Problems) -> Vec<usize> {
    let Some(corpus) = suite.corpora.iter().find(|c| c.name == spec.name) else {
        return Vec::new();
    };
    if corpus.manifest != manifest {
        problems.add(
            spec.offset,
            "corpora.name",
            format!("`{}` names another manifest in another included file", spec.name),
        );
        return Vec::new();
    }
    let known: HashSet<&str> = corpus.all.iter().map(|u| u.id.as_str()).collect();
    for id in &spec.ids {
        if !known.contains(id.as_str()) {
            problems.add(spec.offset, "corpora.ids", format!("no utterance `{id}` in {}", manifest.display()));
        }
    }
    let ids: HashSet<&str> = spec.ids.iter().map(String::as_str).collect();
    let chosen = |u: &&Utterance| {
        (ids.is_empty() || ids.contains(u.id.as_str()))
            && spec.select.iter().all(|(tag, value)| u.tags.get(tag) == Some(value))
    };
    let selected: Vec<Utterance> = corpus.all.iter().filter(chosen).cloned().collect();
    if selected.is_empty() {
        problems.add(spec.offset, "corpora.select", format!("selects no utterance of `{}`", spec.name));
    }
    let of_corpus = |(index, u): (usize, &Utterance)| (u.corpus == spec.name).then(|| (u.id.clone(), index));
    let listed: HashMap<String, usize> = suite.utterances.iter().enumerate().filter_map(of_corpus).collect();
    let index_of = |u: Utterance| {
        listed.get(&u.id).copied().unwrap_or_else(|| {
            suite.utterances.push(u);
            suite.utterances.len() - 1
        })
    };
    selected.into_iter().map(index_of).collect()
}

/// Properties that every suite can stratify by; everything else is a tag.
pub const BUILTIN_STRATA: [&str; 7] = ["condition", "snr", "speaker", "corpus", "language", "length", "duration"];

fn check_strata(suite: &Suite, problems: &mut Vec<Problem>) {
    let tags: BTreeSet<&str> =
        suite.corpora.iter().flat_map(|c| &c.all).flat_map(|u| u.tags.keys().map(String::as_str)).collect();
    for name in &suite.strata {
        let known = BUILTIN_STRATA.contains(&name.as_str()) || tags.contains(name.as_str());
        if !known && suite.absent.is_empty() {
            let all: Vec<&str> = BUILTIN_STRATA.into_iter().chain(tags.iter().copied()).collect();
            problems.push(suite_problem(
                suite,
                "strata",
                format!("no utterance has the tag `{name}`; known: {}", all.join(", ")),
            ));
        }
    }
}

fn check_gates(suite: &Suite, problems: &mut Vec<Problem>) {
    for rule in &suite.gates {
        let (RuleStratum::One { by, .. } | RuleStratum::Each { by }) = &rule.stratum else { continue };
        if !suite.strata.contains(by) {
            let known = suite.strata.join(", ");
            let text = format!("`{by}` is not among the suite's strata: {known}");
            problems.push(suite_problem(suite, "gates.stratum", text));
        }
        if let RuleStratum::One { by, value } = &rule.stratum
            && by == "condition"
            && !suite.conditions.iter().any(|c| c.name == *value)
        {
            let known: Vec<&str> = suite.conditions.iter().map(|c| c.name.as_str()).collect();
            let known = known.join(", ");
            problems.push(suite_problem(suite, "gates.stratum", format!("no condition `{value}`; known: {known}")));
        }
    }
}

fn check_overall(suite: &Suite, problems: &mut Vec<Problem>) {
    for w in &suite.overall {
        let known = known_values(suite, &w.by);
        // An absent corpus may have the value.
        let certain = suite.absent.is_empty() || ["condition", "snr", "length", "duration"].contains(&w.by.as_str());
        if known.contains(&w.value) || !certain {
            continue;
        }
        let message = if known.is_empty() {
            let properties = BUILTIN_STRATA.join(", ");
            format!("no utterance has the property `{}`; built in: {properties}", w.by)
        } else {
            let shown: Vec<&str> = known.iter().map(String::as_str).take(20).collect();
            format!("no stratum `{}={}`; known values: {}", w.by, w.value, shown.join(", "))
        };
        let key = format!("overall.weights.{}={}", w.by, w.value);
        problems.push(Problem { line: w.line, ..suite_problem(suite, &key, message) });
    }
}

/// The values that a property can have in this suite, as tables show them.
fn known_values(suite: &Suite, by: &str) -> BTreeSet<String> {
    let of_utterances = |of: &dyn Fn(&Utterance) -> Option<String>| suite.utterances.iter().filter_map(of).collect();
    let tagged = |u: &Utterance| u.tags.get(by).cloned();
    let bins = |labels: [&str; 6]| labels.map(str::to_owned).into_iter();
    match by {
        "condition" => suite.conditions.iter().map(|c| c.name.clone()).collect(),
        "snr" => suite.conditions.iter().filter_map(|c| Some(format!("{} dB", c.target_snr_db()?))).collect(),
        "corpus" => of_utterances(&|u| Some(u.corpus.clone())),
        // As in the strata: the same label in two corpora is two speakers.
        "speaker" if suite.corpora.len() > 1 => {
            of_utterances(&|u| Some(format!("{}/{}", u.corpus, u.speaker.as_ref()?)))
        }
        "speaker" => of_utterances(&|u| u.speaker.clone()),
        "language" => of_utterances(&|u| tagged(u).or_else(|| u.language.clone())),
        "length" => bins(LENGTH_BINS).chain(suite.utterances.iter().filter_map(tagged)).collect(),
        "duration" => bins(DURATION_LABELS).chain(suite.utterances.iter().filter_map(tagged)).collect(),
        _ => of_utterances(&tagged),
    }
}

fn suite_problem(suite: &Suite, key: &str, message: String) -> Problem {
    Problem { file: suite.path.clone(), line: 0, key: key.into(), message, class: ProblemClass::Suite }
}

impl Suite {
    /// The metrics of the signal that the suite asks for, in its order.
    #[must_use]
    pub fn signal_metrics(&self) -> Vec<&'static SignalMetric> {
        let signal = |metric: &Metric| if let Metric::Signal(signal) = metric { Some(*signal) } else { None };
        self.metrics.iter().filter_map(signal).collect()
    }

    /// The whole suite as resolved, for the run record: everything that decides what is run and how it is scored.
    ///
    /// No path is in it, so it is the same wherever the suite lies.
    #[must_use]
    pub fn resolved(&self) -> Value {
        let mut resolved = json!({
            "schema": crate::parse::SCHEMA,
            "name": self.name,
            "task": self.task.name(),
            "seed": self.seed,
            "files": self.files.iter().map(|(_, hash)| hash).collect::<Vec<_>>(),
            "corpora": self.corpora.iter().map(|c| json!({
                "name": c.name,
                "manifest_sha256": c.manifest_sha256,
                "utterances": c.all.len(),
                "audio_sha256": c.all.iter().map(|u| json!([u.id, u.sha256])).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "absent": self.absent.iter().map(|a| &a.name).collect::<Vec<_>>(),
            "conditions": self.conditions.iter().map(|c| condition_to_json(c, &self.preprocess)).collect::<Vec<_>>(),
            "models": self.models.iter().map(|m| json!({"name": m.name, "spec": m.spec})).collect::<Vec<_>>(),
            "blocks": self.blocks.iter().map(|b| json!([b.utterances.len(), b.conditions.len(), b.models.len()])).collect::<Vec<_>>(),
            "metrics": self.metrics.iter().map(|m| m.name()).collect::<Vec<_>>(),
            "normalizer": self.normalizer,
            "weights": self.weights,
            "strata": self.strata,
            "gates": self.gates.iter().map(rule_to_json).collect::<Vec<_>>(),
        });
        // Only where declared: the record of a suite without them is what it was before they existed.
        if !self.overall.is_empty() {
            let weights = self.overall.iter().map(|w| json!({"by": w.by, "value": w.value, "weight": w.weight}));
            resolved["overall"] = weights.collect();
        }
        if let Some(ms) = self.latency_budget_ms {
            resolved["latency"] = json!({"budget_ms": ms});
        }
        if let Some(budgets) = &self.budgets {
            resolved["budgets"] = budgets_to_json(budgets);
        }
        if !self.preprocess.is_none() {
            resolved["preprocess"] = json!(self.preprocess.recipe());
        }
        resolved
    }
}

/// A condition in the run record; `severity` only where it lies on a curve.
fn condition_to_json(condition: &Condition, preprocess: &Preprocess) -> Value {
    let describe = match condition.steps.is_empty() && !preprocess.is_none() {
        true if condition.is_unprocessed() => "The recording as it is, without the suite's preprocessing.".into(),
        true => format!("The recording after the suite's preprocessing: {}.", preprocess.recipe()),
        false => condition.describe(),
    };
    let mut json = json!({
        "name": condition.name,
        "recipe": condition.recipe(),
        "target_snr_db": condition.target_snr_db(),
        "describe": describe,
    });
    if let Some(severity) = condition.severity() {
        json["severity"] = json!({"family": severity.family, "parameter": severity.parameter, "value": severity.value});
    }
    json
}
