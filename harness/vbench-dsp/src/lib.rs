//! Signal processing beneath degradations and signal metrics.
//!
//! ```text
//! fft.rs        complex FFT of powers of two
//! convolve.rs   overlap-save convolution
//! quad.rs       four values at once, the same bits on every machine
//! filter.rs     a short filter, directly
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

mod convolve;
mod correlation;
mod fft;
mod filter;
mod level;
mod polyphase;
mod quad;
mod resample;
mod spectrogram;
mod spectrum;
mod warp;

pub use convolve::Convolver;
pub use correlation::correlate;
pub use fft::{Complex, Fft};
pub use filter::add_filtered;
pub use level::{SpeechLevel, active_speech_level, rms_dbfs};
pub use polyphase::Polyphase;
pub use resample::{Resampler, bessel_i0, resample};
pub use spectrogram::{Spectrogram, spectrogram};
pub use spectrum::{FRAME_LANES, FrameLanes, frame_powers, hann_periodic};
pub use warp::resample_by;
