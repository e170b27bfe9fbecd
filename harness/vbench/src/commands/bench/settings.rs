//! What a bench is asked for: limits checked, a search's goal, the folder.

use std::path::Path;

use vbench_core::ExitCode;
use vbench_load::{Goal, LEVEL, Ns, PERCENTILES, Plan, Scenario, requests_needed};
use vbench_store::StoreError;

use crate::cli::{BenchArguments, ScenarioName};
use crate::failure::Failure;

/// Requests at the least, where nobody says otherwise.
pub const MIN_COUNT: usize = 64;
/// The bound of the instrument's lateness, where nobody says otherwise.
pub const MAX_LATENESS_MS: f64 = 1.0;
/// Longest duration that may be asked for, s.
const LONGEST_S: f64 = 1e9;

fn usage(text: String) -> Failure {
    Failure::new(ExitCode::Usage, text)
}

/// Nanoseconds of an option that stands in units of `unit` ns, 0 to `most` of them.
fn ns(option: &str, value: f64, most: f64, unit: f64) -> Result<Ns, Failure> {
    if !(0.0..=most).contains(&value) {
        return Err(usage(format!("{option}: expected 0 to {most}, found {value}")));
    }
    Ok((value * unit) as Ns)
}

/// The lateness beyond which a run is void.
pub fn max_lateness(arguments: &BenchArguments) -> Result<Ns, Failure> {
    ns("--max-lateness-ms", arguments.max_lateness_ms.unwrap_or(MAX_LATENESS_MS), 600_000.0, 1e6)
}

/// The plan that the arguments ask for.
pub fn plan(arguments: &BenchArguments, seed: u64) -> Result<Plan, Failure> {
    let streams = arguments.streams;
    let chunk = || ns("--chunk-ms", arguments.chunk_ms, 60_000.0, 1e6);
    let min_duration = ns("--min-duration-s", arguments.min_duration_s, LONGEST_S, 1e9)?;
    if min_duration == 0 && arguments.min_count.unwrap_or(0) == 0 && arguments.against.is_none() {
        return Err(usage("--min-duration-s 0: say by --min-count N when it is enough".into()));
    }
    max_lateness(arguments)?;
    let barge_in = arguments.barge_in_ms.map(|ms| {
        let text = "--barge-in-ms: expected 0 to 600000 ms";
        if (0.0..=600_000.0).contains(&ms) { Ok((ms * 1e6) as Ns) } else { Err(usage(text.into())) }
    });
    Ok(Plan {
        scenario: match arguments.scenario {
            ScenarioName::SingleStream => Scenario::SingleStream,
            ScenarioName::MultiStream => Scenario::MultiStream { streams },
            ScenarioName::Server => Scenario::Server { rate_hz: arguments.rate },
            ScenarioName::Offline => Scenario::Offline,
            ScenarioName::Paced => Scenario::Paced { chunk: chunk()?, streams },
        },
        min_duration,
        min_count: arguments.min_count.unwrap_or(MIN_COUNT),
        max_count: arguments.max_count,
        timeout: ns("--timeout-s", arguments.timeout_s, LONGEST_S, 1e9)?,
        seed,
        barge_in: barge_in.transpose()?,
    })
}

/// A sweep is of service times: where requests wait for one another, a curve over length would be one of the queue.
pub fn check_sweep(arguments: &BenchArguments) -> Result<(), Failure> {
    let several = |values: &[usize]| values.len() > 1;
    let sweep = [
        ("--sweep-length", !arguments.sweep_length.is_empty()),
        ("--batch of several sizes", several(&arguments.batch)),
        ("--threads of several counts", several(&arguments.threads)),
    ];
    match sweep.iter().find(|(_, asked)| *asked) {
        Some((option, _)) if arguments.scenario != ScenarioName::SingleStream => {
            let text = "compares service times; where requests wait for one another it would compare queues";
            Err(usage(format!("{option} {text}: --scenario single-stream only")))
        }
        _ => Ok(()),
    }
}

/// `p99=500ms`, and the plan with as many requests as the percentile needs.
pub fn goal(text: &str, arguments: &BenchArguments, plan: Plan) -> Result<(Goal, Plan), Failure> {
    let bad = |message: String| usage(format!("--search {text}: {message}"));
    if arguments.scenario != ScenarioName::Server {
        return Err(bad("looks for a rate of arrivals: add --scenario server".into()));
    }
    let parts = text.strip_prefix('p').and_then(|t| t.strip_suffix("ms")).and_then(|t| t.split_once('='));
    let numbers = parts.and_then(|(p, ms)| Some((p.parse::<f64>().ok()?, ms.parse::<f64>().ok()?)));
    let Some((percentile, limit_ms)) = numbers.filter(|(_, ms)| ms.is_finite() && *ms > 0.0) else {
        return Err(bad("expected a percentile and milliseconds above 0, such as p99=500ms".into()));
    };
    if !PERCENTILES.contains(&percentile) {
        return Err(bad(format!("p{percentile} is none of {PERCENTILES:?}")));
    }
    if limit_ms > 1e3 * arguments.timeout_s {
        return Err(bad(format!("longer than an answer is awaited (--timeout-s {})", arguments.timeout_s)));
    }
    // Fewer could not hold at any rate.
    let needed = requests_needed(percentile, LEVEL);
    let given = arguments.min_count.map(|n| ("--min-count", n));
    for (option, count) in given.into_iter().chain([("--max-count", plan.max_count)]) {
        if count < needed {
            return Err(bad(format!("p{percentile} needs {needed} requests: {option} {needed} or more")));
        }
    }
    Ok((Goal { percentile, limit_ms }, Plan { min_count: plan.min_count.max(needed), ..plan }))
}

/// What a run leaves in its folder, finished or not.
const OF_A_RUN: [&str; 7] =
    ["run.json", "rows.jsonl", "bench.json", "against.json", "requests.jsonl", "trial-01.jsonl", "fresh"];

/// Refuses a folder that holds a run: two in one would be judged as one.
pub fn check_folder(out: &Path) -> Result<(), Failure> {
    match OF_A_RUN.iter().find(|name| out.join(name).exists()) {
        Some(name) => {
            let text = format!("{} holds a run ({name}); choose another --out", out.display());
            Err(Failure::new(ExitCode::OutputNotWritten, text))
        }
        None => Ok(()),
    }
}

/// Makes the folder, so that what cannot be written is found before anything is measured.
pub fn make_folder(out: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(out).map_err(|source| StoreError::Write { path: out.to_path_buf(), source }.into())
}
