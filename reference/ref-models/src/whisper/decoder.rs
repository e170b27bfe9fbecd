//! Text decoder with caches: one step takes any number of (token, position, sequence) rows, so that a prompt and several
//! candidates run through the same code as a single token, with the same bits.

use super::config::Config;
use super::encoder::PackedHeads;
use super::layers::{Norm, linear, packed};
use crate::Error;
use crate::checkpoint::Weights;
use crate::kernels::{PANEL, PackedWeights, add_assign, axpy, dot, gelu, softmax};
use rayon::prelude::*;

/// Bytes of weights below which a product is not worth sharing between threads.
const SHARE_BYTES: usize = 256 << 10;

struct Layer {
    self_norm: Norm,
    qkv: PackedWeights,
    self_out: PackedWeights,
    cross_norm: Norm,
    cross_query: PackedWeights,
    cross_kv: PackedWeights,
    cross_out: PackedWeights,
    inner_norm: Norm,
    fc1: PackedWeights,
    fc2: PackedWeights,
}

/// The decoder's weights, ready to run.
pub struct Decoder {
    width: usize,
    heads: usize,
    context: usize,
    /// Token embeddings, also the output projection.
    embedding: PackedWeights,
    positions: Vec<f32>,
    layers: Vec<Layer>,
    norm: Norm,
}

/// Keys and values of the audio for the cross attention of every layer.
pub struct AudioContext(Vec<PackedHeads>);

/// Keys and values of the tokens of one sequence so far.
#[derive(Clone, Debug)]
pub struct Cache {
    /// For each layer the keys, then the values, a row of the model's width for each position.
    layers: Vec<(Vec<f32>, Vec<f32>)>,
}

/// One token to process.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Token id.
    pub token: u32,
    /// Its position in the sequence; rows of one sequence follow each other.
    pub position: usize,
    /// Index of its sequence's cache.
    pub sequence: usize,
}

impl Decoder {
    pub(super) fn new(w: &Weights, c: &Config) -> Result<Self, Error> {
        let (d, inner) = (c.width, c.inner);
        let layer = |i: usize| -> Result<Layer, Error> {
            let p = format!("decoder.layers.{i}");
            let (own, cross) = (format!("{p}.self_attn"), format!("{p}.encoder_attn"));
            Ok(Layer {
                self_norm: Norm::new(w, &format!("{p}.self_attn_layer_norm"), d)?,
                qkv: linear(w, &own, &["q_proj", "k_proj", "v_proj"], d, d)?,
                self_out: linear(w, &own, &["out_proj"], d, d)?,
                cross_norm: Norm::new(w, &format!("{p}.encoder_attn_layer_norm"), d)?,
                cross_query: linear(w, &cross, &["q_proj"], d, d)?,
                cross_kv: linear(w, &cross, &["k_proj", "v_proj"], d, d)?,
                cross_out: linear(w, &cross, &["out_proj"], d, d)?,
                inner_norm: Norm::new(w, &format!("{p}.final_layer_norm"), d)?,
                fc1: linear(w, &p, &["fc1"], inner, d)?,
                fc2: linear(w, &p, &["fc2"], d, inner)?,
            })
        };
        Ok(Self {
            width: d,
            heads: c.decoder_heads,
            context: c.text_context,
            embedding: packed(&w.get("decoder.embed_tokens.weight", &[c.vocabulary, d])?, None)?,
            positions: w.values("decoder.embed_positions.weight", &[c.text_context, d])?,
            layers: (0..c.decoder_layers).map(layer).collect::<Result<_, _>>()?,
            norm: Norm::new(w, "decoder.layer_norm", d)?,
        })
    }

    /// Tokens a sequence can hold.
    #[must_use]
    pub fn context(&self) -> usize {
        self.context
    }

    /// Size of the vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.embedding.n()
    }

    /// Projects the encoder's output once for all steps.
    #[must_use]
    pub fn audio_context(&self, encoded: &[f32]) -> AudioContext {
        const ROWS: usize = 60;
        let d = self.width;
        let mut kv = vec![0.0; encoded.len() * 2];
        let pack = |layer: &Layer| {
            kv.par_chunks_mut(ROWS * 2 * d).zip(encoded.par_chunks(ROWS * d)).for_each(|(out, x)| {
                layer.cross_kv.apply(x, d, x.len() / d, out, 2 * d, false);
            });
            PackedHeads::new(&kv, 2 * d, 0, d, self.heads)
        };
        AudioContext(self.layers.iter().map(pack).collect())
    }

    /// An empty sequence.
    #[must_use]
    pub fn cache(&self) -> Cache {
        Cache { layers: vec![(Vec::new(), Vec::new()); self.layers.len()] }
    }

    /// Runs rows through all layers, appends to the caches and returns the normalised output rows.
    ///
    /// # Panics
    /// If a token, position or sequence is out of range, or a position is not the next of its sequence.
    #[must_use]
    pub fn forward(&self, rows: &[Row], caches: &mut [Cache], audio: &AudioContext) -> Vec<f32> {
        let d = self.width;
        let m = rows.len();
        let mut x = vec![0.0; m * d];
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(d)) {
            self.embedding.row(row.token as usize, x);
            add_assign(x, &self.positions[row.position * d..][..d]);
        }
        let mut normed = vec![0.0; m * d];
        let mut mixed = vec![0.0; m * d];
        let mut wide = vec![0.0; m * (3 * d).max(self.layers.first().map_or(0, |l| l.fc1.n()))];
        for (i, layer) in self.layers.iter().enumerate() {
            layer.self_norm.apply(&x, &mut normed);
            let qkv = &mut wide[..m * 3 * d];
            shared(&layer.qkv, &normed, qkv, false);
            self.attend_tokens(i, rows, qkv, caches, &mut mixed);
            shared(&layer.self_out, &mixed, &mut x, true);
            layer.cross_norm.apply(&x, &mut normed);
            let query = &mut wide[..m * d];
            shared(&layer.cross_query, &normed, query, false);
            self.attend_audio(&audio.0[i], query, &mut mixed);
            shared(&layer.cross_out, &mixed, &mut x, true);
            layer.inner_norm.apply(&x, &mut normed);
            let hidden = &mut wide[..m * layer.fc1.n()];
            shared(&layer.fc1, &normed, hidden, false);
            gelu(hidden);
            shared(&layer.fc2, hidden, &mut x, true);
        }
        self.norm.apply(&x, &mut normed);
        normed
    }

    /// Logits of output rows: a row of the vocabulary's size for each.
    #[must_use]
    pub fn logits(&self, hidden: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; hidden.len() / self.width * self.vocabulary()];
        shared(&self.embedding, hidden, &mut out, false);
        out
    }

    /// Causal attention over the tokens so far.
    fn attend_tokens(&self, layer: usize, rows: &[Row], qkv: &[f32], caches: &mut [Cache], out: &mut [f32]) {
        let d = self.width;
        for (row, qkv) in rows.iter().zip(qkv.chunks_exact(3 * d)) {
            let (keys, values) = &mut caches[row.sequence].layers[layer];
            assert_eq!(keys.len(), row.position * d, "the next position of the sequence");
            keys.extend_from_slice(&qkv[d..2 * d]);
            values.extend_from_slice(&qkv[2 * d..]);
        }
        let head_width = d / self.heads;
        let scale = 1.0 / (head_width as f32).sqrt();
        let mut scores = Vec::new();
        out.fill(0.0);
        for ((row, qkv), out) in rows.iter().zip(qkv.chunks_exact(3 * d)).zip(out.chunks_exact_mut(d)) {
            let (keys, values) = &caches[row.sequence].layers[layer];
            let seen = (row.position + 1) * d;
            for head in (0..d).step_by(head_width) {
                let query = &qkv[head..head + head_width];
                scores.clear();
                scores.extend(keys[..seen].chunks_exact(d).map(|k| dot(query, &k[head..head + head_width])));
                softmax(&mut scores, scale);
                for (weight, v) in scores.iter().zip(values.chunks_exact(d)) {
                    axpy(*weight, &v[head..head + head_width], &mut out[head..head + head_width]);
                }
            }
        }
    }

    /// Attention over the audio, heads in parallel.
    fn attend_audio(&self, audio: &PackedHeads, query: &[f32], out: &mut [f32]) {
        let (d, head_width) = (self.width, self.width / self.heads);
        let m = query.len() / d;
        let heads: Vec<Vec<f32>> = (0..self.heads)
            .into_par_iter()
            .map(|head| {
                let mut scores = vec![0.0; m * audio.positions()];
                let mut mixed = vec![0.0; m * head_width];
                audio.attend(head, &query[head * head_width..], d, m, &mut scores, &mut mixed, head_width);
                mixed
            })
            .collect();
        for (head, mixed) in heads.iter().enumerate() {
            for (out, mixed) in out.chunks_exact_mut(d).zip(mixed.chunks_exact(head_width)) {
                out[head * head_width..][..head_width].copy_from_slice(mixed);
            }
        }
    }
}

/// A product whose columns are shared between threads when the weights are large. Columns are independent, so how they are
/// shared changes no bit.
fn shared(w: &PackedWeights, a: &[f32], c: &mut [f32], accumulate: bool) {
    let (n, k) = (w.n(), w.k());
    let m = a.len() / k;
    let threads = rayon::current_num_threads();
    if threads == 1 || w.bytes() < SHARE_BYTES {
        w.apply(a, k, m, c, n, accumulate);
        return;
    }
    let pieces = (w.bytes() / (SHARE_BYTES / 2)).clamp(threads, 4 * threads);
    let width = n.div_ceil(PANEL).div_ceil(pieces) * PANEL;
    let range = |i: usize| i * width..((i + 1) * width).min(n);
    if m == 1 {
        c.par_chunks_mut(width).enumerate().for_each(|(i, c)| {
            let width = c.len();
            w.apply_columns(range(i), a, k, 1, c, width, accumulate);
        });
        return;
    }
    let parts: Vec<Vec<f32>> = (0..n.div_ceil(width))
        .into_par_iter()
        .map(|i| {
            let columns = range(i);
            let width = columns.len();
            let mut part = vec![0.0; m * width];
            w.apply_columns(columns, a, k, m, &mut part, width, false);
            part
        })
        .collect();
    for (i, part) in parts.iter().enumerate() {
        let columns = range(i);
        for (c, part) in c.chunks_exact_mut(n).zip(part.chunks_exact(columns.len())) {
            let c = &mut c[columns.clone()];
            if accumulate { add_assign(c, part) } else { c.copy_from_slice(part) }
        }
    }
}
