//! Reference speech models on candle, with their own front end.

pub mod kernels;
