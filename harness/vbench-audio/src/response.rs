//! Measured room impulse responses from a user's folder.

use vbench_core::Folder;
use vbench_core::keyed::keyed_rng;
use vbench_dsp::Convolver;

use crate::RATE_HZ;
use crate::error::DegradeError;
use crate::reverb::{HALF_WIDTH, Measures, high_pass, measure};
use crate::sources::draw_file;

/// Longest response, samples (20 s).
const MAX_LEN: usize = 20 * RATE_HZ as usize;

/// A response as used on a clip.
#[derive(Debug)]
pub(crate) struct MeasuredResponse {
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) measures: Measures,
    /// Sample of the file at which the direct sound lies: removed.
    pub(crate) direct: usize,
    convolver: Convolver,
}

impl MeasuredResponse {
    /// Reverberates a clip: the direct sound is not delayed, the length is kept.
    pub(crate) fn apply(&self, clip: &[f32]) -> Vec<f64> {
        self.convolver.convolve(clip, HALF_WIDTH, clip.len())
    }
}

/// Draws a response of a folder, aligns its direct sound (the largest sample) and gives that an amplitude of 1.
///
/// # Errors
/// [`DegradeError::Folder`]: no file, one that cannot be decoded, is silent or longer than 20 s.
pub(crate) fn draw(folder: &Folder, seed: u64, utterance: &str, key: &str) -> Result<MeasuredResponse, DegradeError> {
    let source = draw_file(folder, &mut keyed_rng(seed, "reverb", utterance, key))?;
    let failed = |message: &str| DegradeError::Folder {
        folder: folder.written.clone(),
        message: format!("{}: {message}", source.name),
    };
    let at = (0..source.samples.len())
        .max_by(|a, b| source.samples[*a].abs().total_cmp(&source.samples[*b].abs()).then(b.cmp(a)));
    let direct = at.filter(|i| source.samples[*i] != 0.0).ok_or_else(|| failed("the response is silent"))?;
    if source.samples.len() > MAX_LEN {
        return Err(failed("longer than 20 s: not a room impulse response"));
    }
    let scale = 1.0 / f64::from(source.samples[direct]).abs();
    // Up to `HALF_WIDTH` samples before the direct sound belong to it (filters ring both ways); the rest is delay.
    let mut response = vec![0.0; source.samples.len() - direct + HALF_WIDTH];
    for (slot, i) in response.iter_mut().zip(0..) {
        let from = (direct + i).checked_sub(HALF_WIDTH);
        *slot = from.map_or(0.0, |from| scale * f64::from(source.samples[from]));
    }
    let rate = f64::from(RATE_HZ);
    let mut measured = response.clone();
    high_pass(&mut measured, rate);
    Ok(MeasuredResponse {
        name: source.name.clone(),
        sha256: source.sha256.clone(),
        measures: measure(&measured, HALF_WIDTH, rate),
        direct,
        convolver: Convolver::new(&response),
    })
}
