//! The largest rate at which a percentile holds.

use vbench_load::{
    BenchSummary, Command, Goal, Holds, LoadSearch, Ns, Plan, Scenario, Script, Simulated, drive, search, summarize,
};

const MS: Ns = 1_000_000;
const S: Ns = 1_000 * MS;

/// One server with a fixed service time; lateness is that of a bench that is void beyond `void_above_hz`.
fn trial(rate_hz: f64, longer: u32, service: Ns, void_above_hz: f64) -> Result<BenchSummary, String> {
    let plan = Plan {
        scenario: Scenario::Server { rate_hz },
        min_duration: 20 * S * Ns::from(longer),
        min_count: 2_000 * longer as usize,
        max_count: 1_000_000,
        timeout: 5 * S,
        seed: 3,
        barge_in: None,
    };
    let script = |command: &Command, start: Ns| match command {
        Command::Whole { id, .. } => Script::answer(*id, start, service),
        _ => Script::default(),
    };
    let bench = drive(&mut Simulated::new(1, script), &plan, &[S], &mut |_, _, _| {}).map_err(|e| e.to_string())?;
    let mut summary = summarize(&bench, &plan, &[S], MS);
    summary.voided = (rate_hz > void_above_hz).then(|| "too late".into());
    Ok(summary)
}

fn found(limit_ms: f64, start_hz: f64, void_above_hz: f64) -> LoadSearch {
    let goal = Goal { percentile: 99.0, limit_ms };
    search(goal, start_hz, &mut |rate, longer| trial(rate, longer, 10 * MS, void_above_hz)).expect("trials run")
}

/// With Poisson arrivals and a fixed service time of 10 ms the 99th percentile of the wait before service is about
/// `ln(100 r) (service) r / (2 (1 - r))` or so; found here by brute force at a rate that is known to be on either side.
#[test]
fn the_end_lies_between_a_rate_that_holds_and_one_that_does_not() {
    for start in [1.0, 55.0, 900.0] {
        let search = found(60.0, start, f64::INFINITY);
        let best = search.best_hz.expect("a rate holds");
        assert!(
            matches!(trial(0.9 * best, 8, 10 * MS, 1e9).map(|s| search.goal.judge(&s, false)), Ok(Holds::Yes)),
            "{best}"
        );
        assert!(
            matches!(trial(1.15 * best, 8, 10 * MS, 1e9).map(|s| search.goal.judge(&s, false)), Ok(Holds::No)),
            "{best}"
        );
        let last = search.trials.last().expect("trials");
        assert!(last.confirms && last.holds == Holds::Yes && last.summary.counts.requests >= 8_000);
        // Nothing that holds lies above something that does not.
        let lowest_no =
            search.trials.iter().filter(|t| t.holds != Holds::Yes).map(|t| t.rate_hz).fold(f64::INFINITY, f64::min);
        assert!(best < lowest_no && lowest_no / best <= 1.06, "{best} {lowest_no}");
    }
}

#[test]
fn a_void_trial_does_not_pass() {
    let search = found(60.0, 10.0, 30.0);
    let best = search.best_hz.expect("a rate holds");
    assert!(best <= 30.0 && best > 28.0, "{best}");
    assert!(search.trials.iter().any(|t| t.holds == Holds::Void));
}

#[test]
fn where_no_rate_holds_it_says_so() {
    let search = found(9.0, 10.0, f64::INFINITY);
    assert!(search.best_hz.is_none() && search.ended.contains("no rate holds"), "{}", search.ended);
    assert!(search.trials.iter().all(|t| t.holds == Holds::No));
    assert!(search.trials.windows(2).all(|w| w[1].rate_hz < w[0].rate_hz));
}

#[test]
fn a_queue_that_grows_is_not_hidden_by_a_generous_limit() {
    // A server that does 100/s at 103/s: after 80 s the wait is 2.4 s, within 4, and grows on.
    let search = found(4_000.0, 110.0, f64::INFINITY);
    let best = search.best_hz.expect("a rate holds");
    assert!(best < 101.0, "{best}");
}

#[test]
fn a_trial_that_cannot_be_run_ends_the_search() {
    let goal = Goal { percentile: 99.0, limit_ms: 5.0 };
    assert_eq!(search(goal, 1.0, &mut |_, _| Err::<BenchSummary, _>("gone")), Err("gone"));
}
