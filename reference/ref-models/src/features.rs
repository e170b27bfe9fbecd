//! Acoustic front ends. Here: the log-mel spectrogram of Whisper.
//!
//! Definition (openai-whisper 20250625 `audio.py`, librosa 0.11 for the mel filters): 16 kHz mono, periodic Hann window of 400
//! samples, hop 160, reflect padding of 200 samples on both sides, squared magnitude of the real FFT, the last frame
//! dropped, 80 or 128 triangular filters on the Slaney mel scale with Slaney normalisation from 0 to 8000 Hz, log10 of at least
//! 1e-10, floor at 8 below the largest value of the clip, then `(x + 4) / 4`.

use crate::Error;
use rayon::prelude::*;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Sampling rate of every Whisper model, Hz.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples between frames: 10 ms.
pub const HOP: usize = 160;
const FFT: usize = 400;
const BINS: usize = FFT / 2 + 1;
/// Frames that one task computes; fixed, so that threads never change a bit.
const BLOCK: usize = 128;

/// A log-mel spectrogram, frame after frame.
#[derive(Clone, Debug, PartialEq)]
pub struct LogMel {
    /// Mel bands of a frame.
    pub mels: usize,
    /// `frames * mels` values, the bands of a frame side by side.
    pub values: Vec<f32>,
}

impl LogMel {
    /// Number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.values.len() / self.mels
    }

    /// Bands of one frame.
    #[must_use]
    pub fn frame(&self, i: usize) -> &[f32] {
        &self.values[i * self.mels..][..self.mels]
    }
}

/// One triangular filter: the first bin with a weight, and the weights.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

/// Whisper's front end for a number of mel bands.
pub struct MelFrontEnd {
    mels: usize,
    window: Vec<f32>,
    filters: Vec<Filter>,
    fft: Arc<dyn RealToComplex<f32>>,
}

impl std::fmt::Debug for MelFrontEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MelFrontEnd").field("mels", &self.mels).finish_non_exhaustive()
    }
}

impl MelFrontEnd {
    /// Front end of `mels` bands: 80, or 128 for large-v3.
    #[must_use]
    pub fn new(mels: usize) -> Self {
        let turn = |n: usize| 2.0 * std::f64::consts::PI * n as f64 / FFT as f64;
        Self {
            mels,
            window: (0..FFT).map(|n| (0.5 - 0.5 * turn(n).cos()) as f32).collect(),
            filters: slaney_filters(mels),
            fft: RealFftPlanner::new().plan_fft_forward(FFT),
        }
    }

    /// Mel bands.
    #[must_use]
    pub fn mels(&self) -> usize {
        self.mels
    }

    /// Log-mel spectrogram of `pcm` (mono, 16 kHz, nominally -1..1) followed by `padding` zero samples:
    /// `(pcm.len() + padding) / 160` frames.
    ///
    /// # Errors
    /// [`Error::Audio`] if a sample is not finite, or if there are fewer than 201 samples in all (reflect padding needs them).
    pub fn log_mel(&self, pcm: &[f32], padding: usize) -> Result<LogMel, Error> {
        let length = pcm.len() + padding;
        if length <= FFT / 2 {
            return Err(Error::Audio(format!("{length} samples, expected at least {}", FFT / 2 + 1)));
        }
        if let Some(i) = pcm.iter().position(|v| !v.is_finite()) {
            return Err(Error::Audio(format!("sample {i} is {}", pcm[i])));
        }
        let mut values = vec![0.0f32; length / HOP * self.mels];
        let tops: Vec<f32> = values
            .par_chunks_mut(BLOCK * self.mels)
            .enumerate()
            .map(|(block, out)| self.block(pcm, length, block * BLOCK, out))
            .collect();
        let floor = tops.into_iter().fold(f32::NEG_INFINITY, f32::max) - 8.0;
        for v in &mut values {
            *v = (v.max(floor) + 4.0) / 4.0;
        }
        Ok(LogMel { mels: self.mels, values })
    }

    /// Frames from `first`; writes log10 of the mel energies and returns the largest.
    fn block(&self, pcm: &[f32], length: usize, first: usize, out: &mut [f32]) -> f32 {
        let mut frame = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = [0.0f32; BINS];
        let mut top = f32::NEG_INFINITY;
        for (i, bands) in out.chunks_exact_mut(self.mels).enumerate() {
            fill_frame(&mut frame, pcm, length, (first + i) * HOP);
            for (x, w) in frame.iter_mut().zip(&self.window) {
                *x *= w;
            }
            // The buffers are the plan's own, so their lengths fit; the only other error is about an input that is not real.
            if self.fft.process_with_scratch(&mut frame, &mut spectrum, &mut scratch).is_err() {
                spectrum.fill(Default::default());
            }
            for (p, c) in power.iter_mut().zip(&spectrum) {
                *p = c.re * c.re + c.im * c.im;
            }
            for (band, filter) in bands.iter_mut().zip(&self.filters) {
                let bins = &power[filter.first..][..filter.weights.len()];
                let energy: f32 = bins.iter().zip(&filter.weights).map(|(p, w)| p * w).sum();
                *band = energy.max(1e-10).log10();
                top = top.max(*band);
            }
        }
        top
    }
}

/// Copies the samples under a frame that starts 200 before `start`, mirrored at both ends (the end sample is not repeated).
fn fill_frame(frame: &mut [f32], pcm: &[f32], length: usize, start: usize) {
    let half = FFT / 2;
    if start >= half && start - half + FFT <= pcm.len() {
        frame.copy_from_slice(&pcm[start - half..][..FFT]);
        return;
    }
    for (i, x) in frame.iter_mut().enumerate() {
        let at = start + i;
        let mirrored = at.abs_diff(half);
        let index = if mirrored >= length { 2 * (length - 1) - mirrored } else { mirrored };
        // Past the samples lies the zero padding.
        *x = pcm.get(index).copied().unwrap_or(0.0);
    }
}

/// Mel to hertz on the Slaney scale: linear below 1 kHz (3 mel are 200 Hz), then 27 steps for a factor of 6.4.
fn slaney_hz(mel: f64) -> f64 {
    const LINEAR: f64 = 200.0 / 3.0;
    const KNEE: f64 = 1000.0 / LINEAR;
    if mel < KNEE { LINEAR * mel } else { 1000.0 * ((mel - KNEE) * 6.4f64.ln() / 27.0).exp() }
}

/// Triangles between equally spaced points of the Slaney scale from 0 to 8 kHz, each of area 1 (in Hz).
fn slaney_filters(mels: usize) -> Vec<Filter> {
    let top = 15.0 + 27.0 * 8.0f64.ln() / 6.4f64.ln();
    let edge = |i: usize| slaney_hz(top * i as f64 / (mels + 1) as f64);
    (0..mels)
        .map(|m| {
            let (low, centre, high) = (edge(m), edge(m + 1), edge(m + 2));
            let weight = |bin: usize| {
                let f = bin as f64 * SAMPLE_RATE as f64 / FFT as f64;
                let triangle = ((f - low) / (centre - low)).min((high - f) / (high - centre)).max(0.0);
                (triangle * 2.0 / (high - low)) as f32
            };
            let used: Vec<usize> = (0..BINS).filter(|b| weight(*b) > 0.0).collect();
            let first = used.first().copied().unwrap_or(0);
            let end = used.last().map_or(first, |l| l + 1);
            Filter { first, weights: (first..end).map(weight).collect() }
        })
        .collect()
}
