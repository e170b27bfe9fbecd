//! Signal processing beneath degradations and signal metrics.
//!
//! ```text
//! fft.rs        complex FFT of powers of two; overlap-save convolution
//! resample.rs   band-limited rate conversion
//! spectrogram.rs  power over time and frequency, for looking at
//! warp.rs       the same by any real ratio
//! polyphase.rs  rate conversion with a given filter, such as Octave's
//! spectrum.rs   power spectra of two real signals in one transform
//! correlation.rs cross-correlation over a range of lags
//! level.rs      active speech level, ITU-T P.56
//! ```
//!
//! Plain scalar code in double precision with functions of the `libm` crate, hence the same bytes on every x86-64
//! machine.
//!
//! Out of scope: audio files, degradations (vbench-audio), metrics (vbench-score).

mod correlation;
mod fft;
mod level;
mod polyphase;
mod resample;
mod spectrogram;
mod spectrum;
mod warp;

pub use correlation::correlate;
pub use fft::{Complex, Convolver, Fft};
pub use level::{SpeechLevel, active_speech_level, rms_dbfs};
pub use polyphase::Polyphase;
pub use resample::{Resampler, bessel_i0, resample};
pub use spectrogram::{Spectrogram, spectrogram};
pub use spectrum::{FRAME_LANES, FrameLanes, frame_powers, hann_periodic};
pub use warp::resample_by;
