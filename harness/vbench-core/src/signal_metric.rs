//! Names of the metrics of clips: between one and what a degradation made of it, and of one alone.

/// Name and meaning of a metric, shared by suites, tables, JSON and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalMetric {
    /// Name in suites, rows and JSON.
    pub name: &'static str,
    /// Heading in tables.
    pub label: &'static str,
    /// Unit; empty for shares and indices.
    pub unit: &'static str,
    /// Decimals in tables.
    pub decimals: usize,
    /// Whether more is closer to the reference; `None` where neither is (delay, loudness).
    pub higher_is_better: Option<bool>,
    /// One sentence.
    pub description: &'static str,
}

const fn metric(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    decimals: usize,
    higher_is_better: Option<bool>,
    description: &'static str,
) -> SignalMetric {
    SignalMetric { name, label, unit, decimals, higher_is_better, description }
}

/// Every metric between a clip and its degraded version.
pub const SIGNAL_METRICS: &[SignalMetric; 12] = &[
    metric("snr_db", "SNR", "dB", 1, Some(true), "Power of the reference over the power of the difference."),
    metric("segsnr_db", "segSNR", "dB", 1, Some(true), "Mean SNR of segments of 30 ms, each limited to -10 to 35 dB."),
    metric("si_sdr_db", "SI-SDR", "dB", 1, Some(true), "SNR after the best gain: level differences do not count."),
    metric(
        "si_sdr_zero_mean_db",
        "SI-SDR (zero mean)",
        "dB",
        1,
        Some(true),
        "SI-SDR after removing the means: DC does not count either.",
    ),
    metric("sdr_db", "SDR", "dB", 1, Some(true), "BSS-eval SDR: any filter of 512 taps does not count."),
    metric(
        "lsd_db",
        "LSD",
        "dB",
        1,
        Some(false),
        "Log-spectral distance: RMS difference of the spectra in dB, mean of frames.",
    ),
    metric(
        "mel_distance_db",
        "mel",
        "dB",
        1,
        Some(false),
        "Mean absolute difference of 80 mel bands in dB, floor at -90 dB.",
    ),
    metric("stoi", "STOI", "", 3, Some(true), "Short-time objective intelligibility, 1 for identical signals."),
    metric("estoi", "ESTOI", "", 3, Some(true), "Extended STOI, which also holds for fluctuating noise."),
    metric("delay_samples", "delay", "samples", 0, None, "Samples by which the degraded signal is late, within 0.5 s."),
    metric("correlation", "correlation", "", 3, Some(true), "Normalised cross-correlation at that delay."),
    metric(
        "loudness_difference_lu",
        "loudness change",
        "LU",
        1,
        None,
        "Loudness of the degraded signal less the reference's (ITU-R BS.1770-4).",
    ),
];

/// Every metric of one clip alone.
pub const CLIP_METRICS: &[SignalMetric; 7] = &[
    metric("peak_dbfs", "peak", "dBFS", 1, None, "Largest absolute sample."),
    metric("rms_dbfs", "RMS", "dBFS", 1, None, "Root mean square; a full-scale sine reads -3.01."),
    metric("crest_db", "crest", "dB", 1, None, "Peak over root mean square."),
    metric("loudness_lufs", "loudness", "LUFS", 1, None, "Integrated loudness by ITU-R BS.1770-4."),
    metric("dc", "DC", "", 4, None, "Mean of the samples; full scale is 1."),
    metric("clipped_share", "clipped", "", 4, Some(false), "Share of samples within one 16-bit step of full scale."),
    metric(
        "flat_runs",
        "flat runs",
        "runs",
        0,
        Some(false),
        "Runs of three or more equal samples at the highest or lowest value.",
    ),
];

impl SignalMetric {
    /// The metric between two signals of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SIGNAL_METRICS.iter().find(|m| m.name == name)
    }
}
