//! Inner loops of the models on plain slices: one matrix product with packed weights, and row operations.
//!
//! The build targets generic x86-64, so every loop exists in three versions (AVX-512, AVX2 with FMA and F16C, portable) and
//! the one to use is picked when the program starts. A result never depends on the number of threads or on how rows are
//! grouped: each output element is summed over the depth in order, by one accumulator.

mod gemm;
mod lanes;
mod rows;

pub use gemm::{Epilogue, PANEL, Packed, PackedWeights, gemm, pack_rows_into, pack_transposed_into};
pub use lanes::Level;
pub use rows::{add_assign, axpy, dot, exp_sum, gelu, layer_norm, max, softmax};
