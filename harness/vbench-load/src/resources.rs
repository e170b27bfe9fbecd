//! What a bench used beside time.

/// What the process used from the first measured request to the last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// What is counted, in words.
    pub boundary: String,
    /// Processor time of all threads, s.
    pub cpu_s: Option<f64>,
    /// Processor time for each request, ms.
    pub cpu_ms_per_request: Option<f64>,
    /// Processors kept busy: processor time over wall time.
    pub cpus: Option<f64>,
    /// Resident memory when the measured requests began, MiB.
    pub rss_begin_mib: Option<f64>,
    /// Most resident memory while they ran, MiB.
    pub rss_peak_mib: Option<f64>,
    /// Threads when they ended.
    pub threads: Option<u64>,
    /// Memory that was asked for, where it was counted.
    pub allocations: Option<Allocations>,
}

/// Memory that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allocations {
    /// Times.
    pub count: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// Times for each request.
    pub per_request: f64,
    /// Bytes for each request.
    pub bytes_per_request: f64,
}
