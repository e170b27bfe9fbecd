//! Pieces shared by encoder and decoder.

use crate::Error;
use crate::checkpoint::Weights;
use crate::kernels::{PackedWeights, layer_norm};
use candle_core::{DType, Tensor};
use std::sync::Mutex;

/// Layer normalisation weights.
pub(super) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Norm {
    pub(super) fn new(w: &Weights, name: &str, width: usize) -> Result<Self, Error> {
        let values = |part: &str| w.values(&format!("{name}.{part}"), &[width]);
        Ok(Self { weight: values("weight")?, bias: values("bias")? })
    }

    /// Normalises each row of `x` into `out`.
    pub(super) fn apply(&self, x: &[f32], out: &mut [f32]) {
        let d = self.weight.len();
        for (x, out) in x.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
            layer_norm(x, &self.weight, &self.bias, out);
        }
    }
}

/// Linear layers `{prefix}.{name}` of `n` outputs and `k` inputs each, fused side by side. A missing bias counts as zeros (the key
/// projections have none).
pub(super) fn linear(w: &Weights, prefix: &str, names: &[&str], n: usize, k: usize) -> Result<PackedWeights, Error> {
    let mut parts = Vec::new();
    let mut bias = Vec::new();
    for name in names {
        parts.push(w.get(&format!("{prefix}.{name}.weight"), &[n, k])?);
        let name = format!("{prefix}.{name}.bias");
        bias.extend(if w.contains(&name) { w.values(&name, &[n])? } else { vec![0.0; n] });
    }
    packed(&Tensor::cat(&parts, 0)?, Some(bias))
}

/// A convolution of kernel 3 as a linear layer over three neighbouring rows.
pub(super) fn convolution(w: &Weights, name: &str, n: usize, k: usize) -> Result<PackedWeights, Error> {
    let weight = w.get(&format!("{name}.weight"), &[n, k, 3])?;
    let bias = w.values(&format!("{name}.bias"), &[n])?;
    packed(&weight.transpose(1, 2)?.contiguous()?.reshape((n, 3 * k))?, Some(bias))
}

/// Packs a `[n, k]` tensor: half precision stays as it is, everything else becomes single precision.
pub(super) fn packed(weight: &Tensor, bias: Option<Vec<f32>>) -> Result<PackedWeights, Error> {
    let (n, k) = weight.dims2()?;
    let flat = weight.flatten_all()?;
    Ok(if flat.dtype() == DType::F16 {
        PackedWeights::from_f16(&flat.to_vec1()?, n, k, bias)
    } else {
        PackedWeights::from_f32(&flat.to_dtype(DType::F32)?.to_vec1()?, n, k, bias)
    })
}

/// Buffers that tasks borrow and give back, so that a pass allocates as many as there are threads.
#[derive(Default)]
pub(super) struct Scratch(Mutex<Vec<Vec<f32>>>);

impl Scratch {
    /// Calls `f` with `len` values of unspecified content.
    pub(super) fn with(&self, len: usize, f: impl FnOnce(&mut [f32])) {
        let free = self.0.lock().map_or(None, |mut free| free.pop());
        let mut buf = free.unwrap_or_default();
        if buf.len() < len {
            buf.resize(len, 0.0);
        }
        f(&mut buf[..len]);
        if let Ok(mut free) = self.0.lock() {
            free.push(buf);
        }
    }
}
