//! The same model as plain candle operations: no caches, no packing, no threads of its own. Slow and easy to check against the paper; the tests
//! hold the fast path to it, and whoever exports or trains the model starts from it.

use super::config::Config;
use crate::Error;
use crate::checkpoint::Weights;
use candle_core::{D, DType, Device, Tensor};

/// Whisper on candle tensors in single precision.
#[derive(Debug)]
pub struct PlainWhisper<'a> {
    weights: &'a Weights,
    config: &'a Config,
}

type Result<T> = std::result::Result<T, Error>;

impl<'a> PlainWhisper<'a> {
    /// Wraps weights; nothing is copied.
    #[must_use]
    pub fn new(weights: &'a Weights, config: &'a Config) -> Self {
        Self { weights, config }
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        let shape = self.weights.shape(name)?.to_vec();
        Ok(self.weights.get(name, &shape)?.to_dtype(DType::F32)?)
    }

    fn linear(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let y = x.matmul(&self.tensor(&format!("{name}.weight"))?.t()?)?;
        let bias = format!("{name}.bias");
        Ok(if self.weights.contains(&bias) { y.broadcast_add(&self.tensor(&bias)?)? } else { y })
    }

    fn norm(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?;
        Ok(normed
            .broadcast_mul(&self.tensor(&format!("{name}.weight"))?)?
            .broadcast_add(&self.tensor(&format!("{name}.bias"))?)?)
    }

    /// Attention of `x` (`[t, d]`) over `memory` (`[s, d]`), causal or not.
    fn attention(&self, x: &Tensor, memory: &Tensor, name: &str, heads: usize, causal: bool) -> Result<Tensor> {
        let split = |t: Tensor| -> Result<Tensor> {
            let (n, d) = t.dims2()?;
            Ok(t.reshape((n, heads, d / heads))?.transpose(0, 1)?.contiguous()?)
        };
        let (t, d) = x.dims2()?;
        let q = split(self.linear(x, &format!("{name}.q_proj"))?)?;
        let k = split(self.linear(memory, &format!("{name}.k_proj"))?)?;
        let v = split(self.linear(memory, &format!("{name}.v_proj"))?)?;
        let mut scores = (q.matmul(&k.transpose(1, 2)?)? / ((d / heads) as f64).sqrt())?;
        if causal {
            let mask: Vec<f32> = (0..t * t).map(|i| if i % t > i / t { f32::NEG_INFINITY } else { 0.0 }).collect();
            scores = scores.broadcast_add(&Tensor::from_vec(mask, (t, t), &Device::Cpu)?)?;
        }
        let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
        let mixed = weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((t, d))?;
        self.linear(&mixed, &format!("{name}.out_proj"))
    }

    fn feed_forward(&self, x: &Tensor, layer: &str) -> Result<Tensor> {
        let y = self.norm(x, &format!("{layer}.final_layer_norm"))?;
        let y = self.linear(&y, &format!("{layer}.fc1"))?.gelu_erf()?;
        Ok((x + self.linear(&y, &format!("{layer}.fc2"))?)?)
    }

    /// Log-mel frames `[frames, mels]` to audio features `[frames / 2, width]`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Candle`].
    pub fn encode(&self, mel: &Tensor) -> Result<Tensor> {
        let convolve = |x: &Tensor, name: &str, stride: usize| -> Result<Tensor> {
            let y = x.conv1d(&self.tensor(&format!("{name}.weight"))?, 1, stride, 1, 1)?;
            let bias = self.tensor(&format!("{name}.bias"))?.reshape((1, (), 1))?;
            Ok(y.broadcast_add(&bias)?.gelu_erf()?)
        };
        let x = convolve(&mel.t()?.contiguous()?.unsqueeze(0)?, "encoder.conv1", 1)?;
        let x = convolve(&x, "encoder.conv2", 2)?.squeeze(0)?.t()?.contiguous()?;
        let positions = self.tensor("encoder.embed_positions.weight")?.narrow(0, 0, x.dim(0)?)?;
        let mut x = (x + positions)?;
        for i in 0..self.config.encoder_layers {
            let layer = format!("encoder.layers.{i}");
            let y = self.norm(&x, &format!("{layer}.self_attn_layer_norm"))?;
            x = (&x + self.attention(&y, &y, &format!("{layer}.self_attn"), self.config.encoder_heads, false)?)?;
            x = self.feed_forward(&x, &layer)?;
        }
        self.norm(&x, "encoder.layer_norm")
    }

    /// Logits `[tokens, vocabulary]` after each of the tokens, given the audio features.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Candle`].
    pub fn logits(&self, tokens: &[u32], audio: &Tensor) -> Result<Tensor> {
        let embedding = self.tensor("decoder.embed_tokens.weight")?;
        let positions = self.tensor("decoder.embed_positions.weight")?.narrow(0, 0, tokens.len())?;
        let mut x = (embedding.index_select(&Tensor::new(tokens, &Device::Cpu)?, 0)? + positions)?;
        for i in 0..self.config.decoder_layers {
            let layer = format!("decoder.layers.{i}");
            let heads = self.config.decoder_heads;
            let y = self.norm(&x, &format!("{layer}.self_attn_layer_norm"))?;
            x = (&x + self.attention(&y, &y, &format!("{layer}.self_attn"), heads, true)?)?;
            let y = self.norm(&x, &format!("{layer}.encoder_attn_layer_norm"))?;
            x = (&x + self.attention(&y, audio, &format!("{layer}.encoder_attn"), heads, false)?)?;
            x = self.feed_forward(&x, &layer)?;
        }
        Ok(self.norm(&x, "decoder.layer_norm")?.matmul(&embedding.t()?)?)
    }
}
