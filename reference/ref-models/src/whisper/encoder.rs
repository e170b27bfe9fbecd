//! Audio encoder: two convolutions over the log-mel frames and pre-norm transformer layers, on plain slices.
//!
//! Every step works on fixed groups of rows, so the number of threads changes no bit.

use super::config::Config;
use super::layers::{Norm, Scratch, convolution, linear};
use crate::Error;
use crate::checkpoint::Weights;
use crate::kernels::{
    Epilogue, PANEL, Packed, PackedWeights, add_assign, gelu, gemm, pack_rows_into, pack_transposed_into, softmax,
};
use rayon::prelude::*;

/// Rows (encoder positions) of one task: five tiles of twelve.
const ROWS: usize = 60;
/// Query rows whose attention scores are held at a time.
const QUERIES: usize = 12;

struct Layer {
    attention_norm: Norm,
    /// Query, key and value projections, one after the other.
    qkv: PackedWeights,
    out: PackedWeights,
    inner_norm: Norm,
    fc1: PackedWeights,
    fc2: PackedWeights,
}

/// The encoder's weights, ready to run.
pub struct Encoder {
    mels: usize,
    width: usize,
    heads: usize,
    conv1: PackedWeights,
    conv2: PackedWeights,
    positions: Vec<f32>,
    layers: Vec<Layer>,
    norm: Norm,
}

/// Keys and values of all heads in the layout of the matrix product.
pub(super) struct PackedHeads {
    /// Packed values of one head.
    stride: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
    positions: usize,
    head_width: usize,
}

impl PackedHeads {
    /// Packs keys and values that lie at columns `at` and `at + width` of `rows` rows of `stride` values.
    pub(super) fn new(rows: &[f32], stride: usize, at: usize, width: usize, heads: usize) -> Self {
        let (positions, head_width) = (rows.len() / stride, width / heads);
        let key_size = positions.div_ceil(PANEL) * PANEL * head_width;
        let value_size = head_width.div_ceil(PANEL) * PANEL * positions;
        let size = key_size.max(value_size);
        let (mut keys, mut values) = (vec![0.0; size * heads], vec![0.0; size * heads]);
        keys.par_chunks_mut(size).zip(values.par_chunks_mut(size)).enumerate().for_each(|(h, (k, v))| {
            let first = at + h * head_width;
            pack_transposed_into(&rows[first..], stride, positions, head_width, &mut k[..key_size]);
            pack_rows_into(&rows[first + width..], stride, head_width, positions, &mut v[..value_size]);
        });
        Self { stride: size, keys, values, positions, head_width }
    }

    /// Attention of `m` queries (rows of stride `lda`) of one head; `scores` holds at least `m * positions` values.
    #[expect(clippy::too_many_arguments, reason = "two matrices with strides and a buffer")]
    pub(super) fn attend(
        &self,
        head: usize,
        queries: &[f32],
        lda: usize,
        m: usize,
        scores: &mut [f32],
        out: &mut [f32],
        ldc: usize,
    ) {
        let (n, k) = (self.positions, self.head_width);
        let range = head * self.stride..(head + 1) * self.stride;
        let scores = &mut scores[..m * n];
        gemm(queries, lda, m, Packed::F32(&self.keys[range.clone()]), n, k, scores, n, Epilogue::default());
        let scale = 1.0 / (k as f32).sqrt();
        for row in scores.chunks_exact_mut(n) {
            softmax(row, scale);
        }
        gemm(scores, n, m, Packed::F32(&self.values[range]), k, n, out, ldc, Epilogue::default());
    }

    /// Positions attended to.
    pub(super) fn positions(&self) -> usize {
        self.positions
    }
}

impl Encoder {
    pub(super) fn new(w: &Weights, c: &Config) -> Result<Self, Error> {
        let (d, inner) = (c.width, c.inner);
        let layer = |i: usize| -> Result<Layer, Error> {
            let p = format!("encoder.layers.{i}");
            let attention = format!("{p}.self_attn");
            Ok(Layer {
                attention_norm: Norm::new(w, &format!("{p}.self_attn_layer_norm"), d)?,
                qkv: linear(w, &attention, &["q_proj", "k_proj", "v_proj"], d, d)?,
                out: linear(w, &attention, &["out_proj"], d, d)?,
                inner_norm: Norm::new(w, &format!("{p}.final_layer_norm"), d)?,
                fc1: linear(w, &p, &["fc1"], inner, d)?,
                fc2: linear(w, &p, &["fc2"], d, inner)?,
            })
        };
        Ok(Self {
            mels: c.mels,
            width: d,
            heads: c.encoder_heads,
            conv1: convolution(w, "encoder.conv1", d, c.mels)?,
            conv2: convolution(w, "encoder.conv2", d, d)?,
            positions: w.values("encoder.embed_positions.weight", &[c.audio_context, d])?,
            layers: (0..c.encoder_layers).map(layer).collect::<Result<_, _>>()?,
            norm: Norm::new(w, "encoder.layer_norm", d)?,
        })
    }

    /// Encodes `frames` log-mel frames (an even number, at most twice the encoder's positions): the given ones, then zeros.
    /// Returns `frames / 2` rows of the model's width.
    ///
    /// # Panics
    /// If `frames` is odd or too large, or more frames are given.
    #[must_use]
    pub fn forward(&self, mel: &[f32], frames: usize) -> Vec<f32> {
        let d = self.width;
        assert!(
            frames.is_multiple_of(2) && frames / 2 * d <= self.positions.len() && mel.len() <= frames * self.mels,
            "{frames} frames"
        );
        let mut x = self.convolve(mel, frames);
        let scratch = Scratch::default();
        let mut qkv = vec![0.0; frames / 2 * 3 * d];
        for layer in &self.layers {
            qkv.par_chunks_mut(ROWS * 3 * d).zip(x.par_chunks(ROWS * d)).for_each(|(out, x)| {
                scratch.with(x.len(), |normed| {
                    layer.attention_norm.apply(x, normed);
                    layer.qkv.apply(normed, d, x.len() / d, out, 3 * d, false);
                });
            });
            let heads = PackedHeads::new(&qkv, 3 * d, d, d, self.heads);
            x.par_chunks_mut(ROWS * d).zip(qkv.par_chunks(ROWS * 3 * d)).for_each(|(x, qkv)| {
                self.layer_tail(layer, &heads, qkv, x, &scratch);
            });
        }
        x.par_chunks_mut(ROWS * d).for_each(|x| {
            let rows = x.to_vec();
            self.norm.apply(&rows, x);
        });
        x
    }

    /// Attention, its output projection and the feed-forward block for some rows.
    fn layer_tail(&self, layer: &Layer, heads: &PackedHeads, qkv: &[f32], x: &mut [f32], scratch: &Scratch) {
        let (d, rows) = (self.width, x.len() / self.width);
        let (inner, head_width) = (layer.fc1.n(), d / self.heads);
        scratch.with(rows * (d + inner) + QUERIES * heads.positions(), |buf| {
            let (normed, rest) = buf.split_at_mut(rows * d);
            let (hidden, scores) = rest.split_at_mut(rows * inner);
            for head in 0..self.heads {
                for first in (0..rows).step_by(QUERIES) {
                    let m = QUERIES.min(rows - first);
                    let column = head * head_width;
                    heads.attend(
                        head,
                        &qkv[first * 3 * d + column..],
                        3 * d,
                        m,
                        scores,
                        &mut normed[first * d + column..],
                        d,
                    );
                }
            }
            layer.out.apply(normed, d, rows, x, d, true);
            layer.inner_norm.apply(x, normed);
            layer.fc1.apply(normed, d, rows, hidden, inner, false);
            gelu(hidden);
            layer.fc2.apply(hidden, inner, rows, x, d, true);
        });
    }

    /// Both convolutions (kernel 3, the second with stride 2), each with GELU, and the positions. A row of zeros before and
    /// after makes the three frames under the kernel one contiguous slice.
    fn convolve(&self, mel: &[f32], frames: usize) -> Vec<f32> {
        let (d, mels) = (self.width, self.mels);
        let mut input = vec![0.0; (frames + 2) * mels];
        input[mels..mels + mel.len()].copy_from_slice(mel);
        let mut first = vec![0.0; (frames + 2) * d];
        first[d..(frames + 1) * d].par_chunks_mut(ROWS * d).enumerate().for_each(|(i, out)| {
            self.conv1.apply(&input[i * ROWS * mels..], mels, out.len() / d, out, d, false);
            gelu(out);
        });
        let mut x = vec![0.0; frames / 2 * d];
        x.par_chunks_mut(ROWS * d).enumerate().for_each(|(i, out)| {
            self.conv2.apply(&first[i * ROWS * 2 * d..], 2 * d, out.len() / d, out, d, false);
            gelu(out);
            add_assign(out, &self.positions[i * ROWS * d..]);
        });
        x
    }
}
