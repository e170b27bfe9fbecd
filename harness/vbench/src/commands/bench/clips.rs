//! The pool of requests: clips as the model hears them, cut, joined and grouped for sweeps.

use std::path::Path;
use std::sync::Arc;

use vbench_core::hash::{sha256_hex, sha256_samples};
use vbench_core::{Budgets, ExitCode, Utterance};
use vbench_load::{Ns, Parameter, Sweep};
use vbench_model::{Request, Turn};

use crate::cli::BenchArguments;
use crate::failure::Failure;
use crate::suite_clips::{Clip, suite_clips};

/// Sample rate of what models hear, Hz.
pub const RATE_HZ: u64 = 16_000;
/// Clips of each length in a sweep: their means are what the cost curve is fitted to.
const CLIPS_PER_LENGTH: usize = 6;
/// Longest clip of a sweep, s.
const LONGEST_S: f64 = 3_600.0;

/// The pool.
pub struct Clips {
    /// Clips.
    pub list: Vec<Clip>,
    /// What a request holds: one clip, or several for a batch.
    pub requests: Vec<Asked>,
    /// What is varied from request to request.
    pub sweep: Option<Sweep>,
    /// Name of the suite.
    pub suite: String,
    /// Condition in which they are heard.
    pub condition: String,
    /// Seed of the suite.
    pub seed: u64,
    /// Budgets of the suite.
    pub budgets: Option<Budgets>,
}

/// What one request holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Indices of clips.
    pub clips: Vec<usize>,
    /// Index of the thread pool it runs on, where threads were asked for.
    pub pool: Option<usize>,
}

impl Clips {
    /// Loads the suite's clips and makes the pool that the arguments ask for.
    pub fn load(arguments: &BenchArguments, cache: &Path) -> Result<Self, Failure> {
        let (suite, mut list) = suite_clips(&arguments.clips, cache, arguments.quiet)?;
        if !arguments.sweep_length.is_empty() {
            list = of_lengths(&list, &arguments.sweep_length)?;
        }
        let (requests, sweep) = pool(&list, arguments)?;
        let (condition, seed, budgets) = (arguments.clips.condition.clone(), suite.seed, suite.budgets);
        Ok(Self { list, requests, sweep, suite: suite.name, condition, seed, budgets })
    }

    /// Length of each request's audio.
    pub fn audio(&self) -> Vec<Ns> {
        let of_clip = |i: &usize| self.list[*i].samples.len() as Ns * 1_000_000_000 / RATE_HZ;
        self.requests.iter().map(|r| r.clips.iter().map(of_clip).sum()).collect()
    }

    /// SHA-256 of what is heard and what is said in it, clip by clip.
    pub fn sha256(&self) -> String {
        let line = |c: &Clip| format!("{}\n{}\n{}\n", c.cell, c.utterance.text, sha256_samples(&c.samples));
        sha256_hex(self.list.iter().map(line).collect::<String>().as_bytes())
    }

    /// A clip as models of whole clips are asked.
    pub fn request(&self, clip: usize) -> Request<'_> {
        let clip = &self.list[clip];
        Request {
            cell: &clip.cell,
            utterance: &clip.utterance,
            condition: &self.condition,
            samples: &clip.samples,
            seed: self.seed,
        }
    }

    /// A request as streaming models are told of it.
    pub fn turn(&self, number: u64, request: usize) -> Turn<'_> {
        let clip = self.only_clip(request);
        Turn { number, cell: &clip.cell, utterance: &clip.utterance, condition: &self.condition, seed: self.seed }
    }

    /// The clip of a request that holds one.
    pub fn only_clip(&self, request: usize) -> &Clip {
        &self.list[self.requests[request].clips[0]]
    }
}

/// All clips one behind the other, around and around, cut into pieces of each length.
fn of_lengths(list: &[Clip], lengths: &[f64]) -> Result<Vec<Clip>, Failure> {
    let mut pieces = Vec::new();
    let mut from = 0usize;
    for seconds in lengths {
        if !(*seconds > 0.0 && *seconds <= LONGEST_S) {
            let text = format!("--sweep-length: expected above 0, at most {LONGEST_S} s, found {seconds}");
            return Err(Failure::new(ExitCode::Usage, text));
        }
        let wanted = ((seconds * RATE_HZ as f64) as usize).max(1);
        for number in 0..CLIPS_PER_LENGTH {
            let piece = cut(list, from, wanted, &format!("{seconds}s-{number}"));
            from += wanted;
            pieces.push(piece);
        }
    }
    Ok(pieces)
}

fn cut(list: &[Clip], from: usize, wanted: usize, name: &str) -> Clip {
    let round: usize = list.iter().map(|c| c.samples.len()).sum();
    let (mut skip, mut index) = (from % round.max(1), 0);
    while skip >= list[index].samples.len() {
        skip -= list[index].samples.len();
        index += 1;
    }
    let (mut samples, mut texts) = (Vec::with_capacity(wanted), Vec::new());
    while samples.len() < wanted {
        let source = &list[index % list.len()];
        let end = source.samples.len().min(skip + wanted - samples.len());
        samples.extend_from_slice(&source.samples[skip..end]);
        texts.push(source.utterance.text.as_str());
        (skip, index) = (0, index + 1);
    }
    let first = &list[0];
    let mut utterance = Utterance { id: name.into(), text: texts.join(" "), ..first.utterance.clone() };
    (utterance.start_s, utterance.duration_s, utterance.sha256) = (None, None, None);
    Clip { cell: format!("{}/{name}", first.utterance.corpus), utterance, samples: Arc::new(samples) }
}

/// Requests of the pool, and what varies among them.
fn pool(list: &[Clip], arguments: &BenchArguments) -> Result<(Vec<Asked>, Option<Sweep>), Failure> {
    let single = |clip: usize, pool| Asked { clips: vec![clip], pool };
    let mut requests = Vec::new();
    let mut values = Vec::new();
    let parameter = if !arguments.sweep_length.is_empty() {
        requests = (0..list.len()).map(|i| single(i, None)).collect();
        values = list.iter().map(|c| c.samples.len() as f64 / RATE_HZ as f64).collect();
        Parameter::Length
    } else if !arguments.batch.is_empty() {
        for size in &arguments.batch {
            if !(1..=1_024).contains(size) {
                return Err(Failure::new(ExitCode::Usage, format!("--batch: expected 1 to 1024 clips, found {size}")));
            }
            for group in 0..list.len().div_ceil(*size) {
                let clips = (0..*size).map(|i| (group * size + i) % list.len()).collect();
                requests.push(Asked { clips, pool: None });
                values.push(*size as f64);
            }
        }
        Parameter::Batch
    } else {
        let pools =
            if arguments.threads.is_empty() { vec![None] } else { (0..arguments.threads.len()).map(Some).collect() };
        for pool in pools {
            requests.extend((0..list.len()).map(|i| single(i, pool)));
            values.extend(pool.map(|p| arguments.threads[p] as f64).iter().flat_map(|n| vec![*n; list.len()]));
        }
        Parameter::Threads
    };
    let varied = values.iter().any(|v| *v != values[0]) || (parameter != Parameter::Threads);
    let sweep = (varied && !values.is_empty()).then_some(Sweep { parameter, values });
    Ok((requests, sweep))
}
