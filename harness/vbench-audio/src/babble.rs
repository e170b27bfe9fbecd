//! Babble: other utterances of the corpus, each at the same active level.

use rand_chacha::ChaCha8Rng;

use crate::degrade::DegradeContext;
use crate::error::DegradeError;
use crate::noise::Realisation;
use crate::sources::{Recordings, append, below};

/// Overlap of a talker's utterances, samples (20 ms).
const FADE: usize = 320;
/// Tries to find a recording with speech in it before the corpus counts as silent.
const MAX_SILENT: usize = 100;

/// `talkers` streams of utterances, summed; each starts at a drawn place of its first utterance.
///
/// The clip's own utterance is never among them, nor, where speakers are known, anything by its speaker. Different
/// talkers are different speakers as long as there are enough.
///
/// # Errors
/// [`DegradeError::Babble`]: no corpus, nobody else in it, a recording that cannot be read, only silence.
pub(crate) fn babble(
    talkers: u32,
    len: usize,
    rng: &mut ChaCha8Rng,
    context: &DegradeContext<'_>,
) -> Result<Realisation, DegradeError> {
    let failed = |message: String| DegradeError::Babble { message };
    let corpus = context.recordings.ok_or_else(|| failed("no corpus to draw talkers from".into()))?;
    let own = corpus.list().iter().find(|r| r.name == context.utterance).and_then(|r| r.speaker.clone());
    let others: Vec<usize> = (0..corpus.list().len())
        .filter(|i| {
            let other = &corpus.list()[*i];
            other.name != context.utterance && (own.is_none() || other.speaker != own)
        })
        .collect();
    if others.is_empty() {
        return Err(failed(format!("nobody but the talker in the corpus of {} utterances", corpus.list().len())));
    }
    let mut sum = vec![0.0; len];
    let mut heard: Vec<Option<String>> = Vec::new();
    let mut names = Vec::new();
    for _ in 0..talkers {
        let candidates = fresh_speakers(corpus, &others, &heard);
        let first = candidates[below(candidates.len(), rng)];
        let speaker = corpus.list()[first].speaker.clone();
        let same: Vec<usize> = others
            .iter()
            .copied()
            .filter(|i| *i == first || (speaker.is_some() && corpus.list()[*i].speaker == speaker))
            .collect();
        let (stream, used) = stream(corpus, first, &same, len, rng)?;
        for (slot, x) in sum.iter_mut().zip(&stream) {
            *slot += x;
        }
        heard.push(speaker);
        names.push(used.join("+"));
    }
    Ok(Realisation { samples: sum, achieved: Vec::new(), facts: vec![("talkers".into(), names.join(", "))] })
}

/// Those by speakers that are not in the mixture yet, else all.
fn fresh_speakers(corpus: &dyn Recordings, others: &[usize], heard: &[Option<String>]) -> Vec<usize> {
    let fresh: Vec<usize> = others
        .iter()
        .copied()
        .filter(|i| {
            let speaker = &corpus.list()[*i].speaker;
            speaker.is_none() || !heard.contains(speaker)
        })
        .collect();
    if fresh.is_empty() { others.to_vec() } else { fresh }
}

/// One talker: utterances one after the other, each scaled to an active level of 1, until `len` is filled.
fn stream(
    corpus: &dyn Recordings,
    first: usize,
    same: &[usize],
    len: usize,
    rng: &mut ChaCha8Rng,
) -> Result<(Vec<f64>, Vec<String>), DegradeError> {
    let (mut out, mut used) = (Vec::with_capacity(len + FADE), Vec::new());
    let (mut next, mut silent) = (first, 0);
    while out.len() < len {
        let name = &corpus.list()[next].name;
        let clip =
            corpus.clip(next).map_err(|message| DegradeError::Babble { message: format!("{name}: {message}") })?;
        if let Some(level) = clip.level() {
            let scale = libm::pow(10.0, -level.active_dbfs / 20.0);
            let from = if used.is_empty() { below(clip.samples().len(), rng) } else { 0 };
            let part: Vec<f32> = clip.samples()[from..].iter().map(|x| (f64::from(*x) * scale) as f32).collect();
            append(&mut out, &part, FADE);
            used.push(name.rsplit_once('/').map_or(name.as_str(), |(_, id)| id).to_owned());
        } else {
            silent += 1;
            if silent > MAX_SILENT {
                return Err(DegradeError::Babble { message: format!("{name}: only silence") });
            }
        }
        next = same[below(same.len(), rng)];
    }
    out.truncate(len);
    Ok((out, used))
}
