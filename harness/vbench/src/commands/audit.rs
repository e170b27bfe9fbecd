//! `vbench audit`: do a timed model's times and texts mean what they seem to mean?
//!
//! The same clips are presented in several ways, each a pass over all of them. What is compared and how it is judged is in
//! `vbench_compare::audit`.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use vbench_compare::audit::{from_silence, repeat_times, same_texts, wrong_references};
use vbench_compare::{Audit, AuditClip, AuditName, AuditRules, AuditVerdict};
use vbench_core::keyed::{keyed_rng, permutation};
use vbench_core::{ExitCode, Utterance};
use vbench_load::{
    Clock, Ns, Outcome as Ended, Plan, Scenario, Session, Stage, System, Timeline, What, Workers, drive, sequence,
};
use vbench_model::{Model, Request, ResponseClock};
use vbench_report::{AuditView, audit_json, audit_junit, audit_text};
use vbench_score::{Normalizer, ScoreError, Weights};
use vbench_suite::ModelEntry;

use crate::cli::{AuditArguments, AuditFormat};
use crate::failure::{Failure, say};
use crate::open::{cache_folder, open_model};
use crate::progress::Progress;
use crate::record::utc;
use crate::score::check_rules;
use crate::suite_clips::{Clip, suite_clips};

/// Between two requests of a pass at leisure.
const LEISURE: Ns = 10_000_000;
/// Requests before the first that is timed.
const WARM_UP: usize = 3;
/// Requests for so many clips: twice the repeats but the first clip, which warms up; once the timed run; five passes at leisure.
const fn requests(clips: usize) -> usize {
    WARM_UP + 2 * (clips - 1) + clips + 5 * (clips + 1)
}

/// Runs all audits and says how they ended.
pub fn audit(arguments: &AuditArguments) -> Result<ExitCode, Failure> {
    if !(arguments.timeout_s > 0.0 && arguments.timeout_s <= 86_400.0) {
        let text = format!("--timeout-s is {}: expected above 0, at most 86,400", arguments.timeout_s);
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let started = utc(SystemTime::now());
    let cache = cache_folder(&arguments.cache)?;
    let set = load_set(arguments, &cache)?;
    let entry = ModelEntry { name: arguments.model.clone(), spec: arguments.model.clone() };
    let model: Arc<dyn Model> = Arc::from(open_model(&entry, &cache, arguments.quiet)?);
    let mut passes = Passes {
        progress: Progress::new("audit", requests(set.presented.len()) as u64, false, arguments.quiet),
        model,
        set: &set,
        arguments,
        done: 0,
        unanswered: 0,
    };
    let audits = run(&mut passes);
    passes.progress.finish();
    let (unanswered, audits) = (passes.unanswered, audits?);
    let view = AuditView {
        audits: &audits,
        model: &arguments.model,
        suite: &set.suite,
        condition: &arguments.clips.condition,
        clips: set.presented.len(),
        seed: set.seed,
        unanswered,
        started: &started,
    };
    say(match arguments.format {
        _ if arguments.json => format!("{:#}", audit_json(&view)),
        AuditFormat::Text => audit_text(&view),
        AuditFormat::Junit => audit_junit(&view),
        AuditFormat::Json => format!("{:#}", audit_json(&view)),
    });
    let any = |verdict| audits.iter().any(|a| a.verdict == verdict);
    Ok(if unanswered > 0 {
        ExitCode::Incomplete
    } else if any(AuditVerdict::Failed) {
        ExitCode::GateFailed
    } else if any(AuditVerdict::Inconclusive) {
        ExitCode::GateInconclusive
    } else {
        ExitCode::Passed
    })
}

/// The audits in the order in which the model meets them: the repeats first, while every clip is new to it.
fn run(passes: &mut Passes<'_>) -> Result<Vec<Audit>, Failure> {
    let set = passes.set;
    let (clips, rules) = (&set.clips, &set.rules);
    let n = clips.len();
    let in_order: Vec<usize> = (0..n).collect();
    let shuffled = permutation(n, &mut keyed_rng(set.seed, "audit order", "", ""));
    let handed = handed_on(&permutation(n, &mut keyed_rng(set.seed, "audit references", "", "")));

    let repeats = repeat_times(&passes.hear_twice()?, rules);
    let accuracy = passes.at_leisure(&set.presented, &in_order)?;
    let timed = passes.back_to_back()?;
    let reordered = passes.at_leisure(&set.presented, &shuffled)?;
    let renamed = passes.at_leisure(&presented(set, renamed), &in_order)?;
    let wrong = passes.at_leisure(&presented(set, |i, p| with_text(p, &set.clips[handed[i]].reference)), &in_order)?;
    let silent = passes.at_leisure(&presented(set, |_, p| silenced(p)), &in_order)?;

    let none = vec![false; n];
    // Draws of a sampling model are keyed by the cell's name: under another name another draw is no finding.
    let sampled: Vec<bool> = (0..n).map(|i| accuracy.sampled.contains(&i) || renamed.sampled.contains(&i)).collect();
    let same = |name, other: &Heard, left_out: &[bool]| {
        same_texts(name, clips, &accuracy.texts, &other.texts, left_out, rules)
    };
    let all = || -> Result<Vec<Audit>, ScoreError> {
        Ok(vec![
            same(AuditName::Timed, &timed, &none)?,
            repeats,
            same(AuditName::Order, &reordered, &none)?,
            same(AuditName::Names, &renamed, &sampled)?,
            wrong_references(clips, &wrong.texts, &handed, rules)?,
            from_silence(&accuracy.texts, &silent.texts, rules),
        ])
    };
    all().map_err(|e| Failure::new(ExitCode::InputInvalid, e))
}

/// Each goes to the next of a cycle, so that nobody keeps its own.
fn handed_on(cycle: &[usize]) -> Vec<usize> {
    let mut to = vec![0; cycle.len()];
    for (k, from) in cycle.iter().enumerate() {
        to[*from] = cycle[(k + 1) % cycle.len()];
    }
    to
}

/// Clips, and how they are judged.
struct Set {
    suite: String,
    condition: String,
    seed: u64,
    presented: Vec<Clip>,
    clips: Vec<AuditClip>,
    rules: AuditRules,
}

fn presented(set: &Set, change: impl Fn(usize, &Clip) -> Clip) -> Vec<Clip> {
    set.presented.iter().enumerate().map(|(i, p)| change(i, p)).collect()
}

/// Nothing that a table could be looked up by: the language stays, which models may ask for.
fn renamed(i: usize, p: &Clip) -> Clip {
    let language = p.utterance.language.clone();
    let utterance = Utterance {
        id: format!("clip-{i}"),
        corpus: "audit".into(),
        audio: "clip.wav".into(),
        language,
        ..Utterance::default()
    };
    Clip { cell: format!("audit/clip-{i}"), utterance, samples: Arc::clone(&p.samples) }
}

fn with_text(p: &Clip, text: &str) -> Clip {
    let utterance = Utterance { text: text.to_owned(), ..p.utterance.clone() };
    Clip { utterance, ..p.clone() }
}

fn silenced(p: &Clip) -> Clip {
    Clip { samples: Arc::new(vec![0.0; p.samples.len()]), ..p.clone() }
}

fn load_set(arguments: &AuditArguments, cache: &Path) -> Result<Set, Failure> {
    let (suite, presented) = suite_clips(&arguments.clips, cache, arguments.quiet)?;
    check_rules(&suite)?;
    let seed = arguments.seed.unwrap_or(suite.seed);
    let clips = presented.iter().map(|clip| audited(&clip.utterance)).collect();
    let invalid = |e: &dyn std::fmt::Display| Failure::new(ExitCode::SuiteInvalid, e);
    let normalizer = Normalizer::from_name(&suite.normalizer).map_err(|e| invalid(&e))?;
    let weights = Weights::from_name(&suite.weights).ok_or_else(|| invalid(&suite.weights))?;
    let rules = AuditRules::new(normalizer, weights, seed);
    Ok(Set { suite: suite.name, condition: arguments.clips.condition.clone(), seed, presented, clips, rules })
}

fn audited(utterance: &Utterance) -> AuditClip {
    let within = |label: &Option<String>| label.as_ref().map(|l| format!("{}/{l}", utterance.corpus));
    AuditClip {
        utterance: format!("{}/{}", utterance.corpus, utterance.id),
        speaker: within(&utterance.speaker),
        session: within(&utterance.session),
        reference: utterance.text.clone(),
    }
}

/// What a model made of every clip.
struct Heard {
    texts: Vec<Option<String>>,
    /// Clips whose text was drawn at random.
    sampled: HashSet<usize>,
}

/// Presents clips to a model.
struct Passes<'a> {
    model: Arc<dyn Model>,
    set: &'a Set,
    arguments: &'a AuditArguments,
    progress: Progress,
    done: usize,
    unanswered: usize,
}

impl Passes<'_> {
    fn timeout(&self) -> Ns {
        (self.arguments.timeout_s * 1e9) as Ns
    }

    fn audience(&self, presented: &[Clip]) -> Arc<Audience> {
        Arc::new(Audience {
            model: Arc::clone(&self.model),
            presented: presented.to_vec(),
            condition: self.set.condition.clone(),
            seed: self.set.seed,
            sampled: Mutex::default(),
        })
    }

    fn one_at_a_time(&mut self, audience: &Arc<Audience>, order: &[usize], pause: Ns) -> Vec<Timeline> {
        let timeout = self.timeout();
        let mut port = Workers::new(Arc::clone(audience) as Arc<dyn System>, 1, Clock::start());
        let (done, progress) = (self.done, &mut self.progress);
        let seen = sequence(&mut port, order, pause, timeout, &mut |n| progress.set((done + n) as u64, None));
        self.done += order.len();
        seen
    }

    /// One request at a time with a pause between, as in a run that measures accuracy.
    fn at_leisure(&mut self, presented: &[Clip], order: &[usize]) -> Result<Heard, Failure> {
        let audience = self.audience(presented);
        // The first clip twice: every pass begins after the same clip.
        let primed: Vec<usize> = order.iter().take(1).chain(order).copied().collect();
        let seen = self.one_at_a_time(&audience, &primed, LEISURE);
        self.heard(&audience, &seen)
    }

    /// Everything at once, as in a run that measures throughput.
    fn back_to_back(&mut self) -> Result<Heard, Failure> {
        let audience = self.audience(&self.set.presented);
        let n = self.set.presented.len();
        let plan = Plan {
            scenario: Scenario::Offline,
            min_duration: 0,
            min_count: n,
            max_count: n,
            timeout: self.timeout().saturating_mul(n as Ns),
            barge_in: None,
            seed: self.set.seed,
        };
        let workers = usize::from(self.arguments.workers);
        let mut port = Workers::new(Arc::clone(&audience) as Arc<dyn System>, workers, Clock::start());
        let (done, progress) = (self.done, &mut self.progress);
        let mut observe = |issued: usize, open: usize, _: Ns| progress.set((done + issued - open) as u64, None);
        let bench = drive(&mut port, &plan, &vec![0; n], &mut observe).map_err(|e| Failure::new(ExitCode::Usage, e))?;
        self.done += n;
        self.heard(&audience, &bench.timelines)
    }

    /// The model's time for each clip's first and second hearing, ns. Each repeat comes after the next clip's first hearing,
    /// so that whatever drifts strikes both alike.
    fn hear_twice(&mut self) -> Result<Vec<(Ns, Ns)>, Failure> {
        let n = self.set.presented.len();
        // The first clip warms the model up, and is not new any more.
        let mut order = vec![0; WARM_UP];
        for i in 1..n {
            order.push(i);
            order.extend((i > 1).then_some(i - 1));
        }
        order.extend((n > 1).then_some(n - 1));
        let audience = self.audience(&self.set.presented);
        let seen = self.one_at_a_time(&audience, &order, 0);
        self.heard(&audience, &seen)?;
        let time = |t: &&Timeline| t.stages.first().map(|s| s.t1 - s.t0);
        let of = |i: usize| {
            let mut times = seen[WARM_UP..].iter().filter(|t| t.sample == i);
            Some((times.next().as_ref().and_then(time)?, times.next().as_ref().and_then(time)?))
        };
        Ok((1..n).filter_map(of).collect())
    }

    fn heard(&mut self, audience: &Audience, seen: &[Timeline]) -> Result<Heard, Failure> {
        let mut texts = vec![None; self.set.presented.len()];
        for t in seen {
            match &t.outcome {
                Ended::Answered { text, .. } => texts[t.sample] = Some(text.clone()),
                Ended::Failed { reason, .. } if reason == UNTIMED => {
                    let text = format!("{}: {UNTIMED}", self.arguments.model);
                    return Err(Failure::new(ExitCode::Usage, text));
                }
                _ => self.unanswered += 1,
            }
        }
        let sampled = audience.sampled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Heard { texts, sampled })
    }
}

const UNTIMED: &str = "these transcripts were made elsewhere: an audit needs the model itself";

/// A model with the clips of one pass.
struct Audience {
    model: Arc<dyn Model>,
    presented: Vec<Clip>,
    condition: String,
    seed: u64,
    sampled: Mutex<HashSet<usize>>,
}

impl System for Audience {
    fn whole(&self, _: u64, sample: usize, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        let p = &self.presented[sample];
        let request = Request {
            cell: &p.cell,
            utterance: &p.utterance,
            condition: &self.condition,
            samples: &p.samples,
            seed: self.seed,
        };
        // The samples are read first, so that a repeat does not find them nearer than a first hearing does.
        std::hint::black_box(p.samples.iter().sum::<f32>());
        let t0 = clock.now();
        let response = self.model.transcribe(&request).map_err(|e| e.to_string())?;
        let t1 = match response.clock {
            ResponseClock::Real => clock.now(),
            ResponseClock::Simulated(ns) => t0 + ns,
            ResponseClock::Untimed => return Err(UNTIMED.into()),
        };
        if response.hypothesis.temperature.is_some_and(|t| t > 0.0) {
            self.sampled.lock().unwrap_or_else(PoisonError::into_inner).insert(sample);
        }
        let stages = vec![Stage { name: "model".into(), owner: "model".into(), t0, t1 }];
        emit(What::Final { text: response.hypothesis.text, stages });
        Ok(())
    }

    fn open(self: Arc<Self>, _: u64, _: usize) -> Result<Box<dyn Session>, String> {
        Err("audits send whole clips".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_keeps_the_own_reference() {
        for n in [2, 3, 24] {
            let to = handed_on(&permutation(n, &mut keyed_rng(5, "audit references", "", "")));
            assert!(to.iter().enumerate().all(|(i, j)| i != *j), "{to:?}");
            assert_eq!(to.iter().collect::<HashSet<_>>().len(), n, "a permutation");
        }
    }
}
