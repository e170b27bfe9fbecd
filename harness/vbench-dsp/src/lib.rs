//! Signal processing beneath degradations and signal metrics.
//!
//! ```text
//! fft.rs        complex FFT of powers of two; overlap-save convolution
//! resample.rs   band-limited rate conversion
//! level.rs      active speech level, ITU-T P.56
//! ```
//!
//! Plain scalar code in double precision with functions of the `libm` crate, hence the same bytes on every x86-64
//! machine.
//!
//! Out of scope: audio files, degradations (vbench-audio), metrics (vbench-score).

mod fft;
mod level;
mod resample;

pub use fft::{Complex, Convolver, Fft};
pub use level::{SpeechLevel, active_speech_level, rms_dbfs};
pub use resample::{Resampler, resample};
