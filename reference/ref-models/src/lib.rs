//! Reference speech models on candle, with their own front end. This crate depends on no crate of the harness.
//!
//! ```no_run
//! use rand::SeedableRng;
//! use ref_models::whisper::{DecodeOptions, Whisper};
//!
//! let model = Whisper::load(std::path::Path::new("whisper-tiny.en"))?;
//! let pcm = vec![0.0f32; 16_000];
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let transcript = model.transcribe(&pcm, &DecodeOptions::default(), &mut rng)?;
//! println!("{}", transcript.text);
//! # Ok::<(), ref_models::Error>(())
//! ```

pub mod checkpoint;
mod error;
pub mod features;
pub mod kernels;
pub mod whisper;

pub use error::Error;
