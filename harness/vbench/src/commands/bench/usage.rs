//! What the process uses, as the kernel counts it. Nothing is said where the kernel does not tell.

use vbench_load::{Allocations, Ns, Resources};

use crate::counting::{counted, set_counting};

/// Ticks a second in which Linux tells processor time.
const TICKS_HZ: f64 = 100.0;
const MIB: f64 = 1_048_576.0;

/// From one moment to another.
pub struct Meter {
    cpu_s: Option<f64>,
    rss_mib: Option<f64>,
    allocated: (u64, u64),
}

impl Meter {
    /// Begins; the greatest resident size is counted from here.
    pub fn start() -> Self {
        // Resets the kernel's high-water mark; where that is refused the mark of the whole life is told.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        set_counting(true);
        Self { allocated: counted(), cpu_s: cpu_s(), rss_mib: status("VmRSS:").map(|kib| kib * 1024.0 / MIB) }
    }

    /// What was used for `requests` in `wall`, with the threads that were there at the end.
    pub fn stop(&self, requests: usize, wall: Ns, threads: Option<u64>) -> Resources {
        set_counting(false);
        let (count, bytes) = counted();
        let (count, bytes) = (count - self.allocated.0, bytes - self.allocated.1);
        let per = |n: u64| n as f64 / requests.max(1) as f64;
        let cpu_s = self.cpu_s.zip(cpu_s()).map(|(before, after)| after - before);
        Resources {
            boundary:
                "the whole process: model, harness and clips; processor time in steps of 10 ms; allocations through \
                       Rust's allocator"
                    .into(),
            cpu_s,
            cpu_ms_per_request: cpu_s.filter(|_| requests > 0).map(|s| 1e3 * s / requests as f64),
            cpus: cpu_s.filter(|_| wall > 0).map(|s| s / (wall as f64 * 1e-9)),
            rss_begin_mib: self.rss_mib,
            rss_peak_mib: status("VmHWM:").map(|kib| kib * 1024.0 / MIB),
            threads,
            allocations: Some(Allocations { count, bytes, per_request: per(count), bytes_per_request: per(bytes) }),
        }
    }
}

/// Threads of the process.
pub fn threads() -> Option<u64> {
    status("Threads:").map(|n| n as u64)
}

/// Processor time of all threads, living and ended.
fn cpu_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may hold anything but stands in the last brackets: utime and stime are fields 14 and 15.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |i: usize| fields.get(i)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_HZ)
}

fn status(key: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}
