//! The largest rate at which a percentile holds.

use vbench_load::{
    BenchSummary, CheckState, Command, Goal, Holds, LoadSearch, Ns, Plan, Reply, Scenario, Script, Simulated, Stage,
    What, checks, drive, search, summarize,
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
    search(goal, start_hz, &mut |rate, longer| trial(rate, longer, 10 * MS, void_above_hz).map(Some))
        .expect("trials run")
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

/// A server that takes 40 ms for everything has no trend, however its queue swings; and a queue that swings is none that grows.
#[test]
fn a_queue_that_swings_is_no_model_that_slows_down() {
    for (rate, requests, most_denied) in [(15.0, 400, 1), (20.0, 400, 1), (22.0, 800, 3)] {
        let mut denied = 0;
        for seed in 0..60 {
            let summary = server(rate, 1.0, requests, seed);
            let trend = summary.trend.as_ref().expect("enough requests");
            assert!(!trend.slows_down && trend.rise.abs() < 1e-9, "{rate}/s, seed {seed}: {trend:?}");
            denied += usize::from(summary.backlog.is_none_or(|b| b.grows()));
        }
        assert!(denied <= most_denied, "{rate}/s: {denied} of 60");
    }
}

#[test]
fn a_model_that_slows_down_is_found_whatever_its_queue_does() {
    let found = (0..20).filter(|seed| server(15.0, 1.3, 400, *seed).trend.is_some_and(|t| t.slows_down)).count();
    assert_eq!(found, 20);
}

#[test]
fn a_queue_that_does_not_empty_any_more_is_seen() {
    let summary = server(30.0, 1.0, 400, 1);
    assert_eq!((summary.backlog.map(|b| b.grows()), summary.trend.map(|t| t.slows_down)), (Some(true), Some(false)));
    let goal = Goal { percentile: 95.0, limit_ms: 60_000.0 };
    assert_eq!(goal.judge(&server(30.0, 1.0, 400, 1), false), Holds::No);
}

/// One server that takes 40 ms at first and `slower` times as long at the end.
fn server(rate_hz: f64, slower: f64, requests: usize, seed: u64) -> BenchSummary {
    let plan = Plan {
        scenario: Scenario::Server { rate_hz },
        min_duration: 0,
        min_count: requests,
        max_count: requests,
        timeout: 60 * S,
        seed,
        barge_in: None,
    };
    let script = |command: &Command, start: Ns| {
        let Command::Whole { id, .. } = *command else { return Script::default() };
        let busy = 40.0 * (1.0 + (slower - 1.0) * id as f64 / requests as f64);
        let end = start + (busy * MS as f64) as Ns;
        let stages = vec![Stage { name: "model".into(), owner: "model".into(), t0: start, t1: end }];
        let what = What::Final { text: String::new(), stages };
        Script { busy: end - start, replies: vec![(end - start, Reply { id, at: end, what })] }
    };
    let bench = drive(&mut Simulated::new(1, script), &plan, &[S], &mut |_, _, _| {}).expect("can be followed");
    summarize(&bench, &plan, &[S], MS)
}

#[test]
fn a_trial_that_cannot_be_run_ends_the_search() {
    let goal = Goal { percentile: 99.0, limit_ms: 5.0 };
    assert_eq!(search(goal, 1.0, &mut |_, _| Err::<Option<BenchSummary>, _>("gone")), Err("gone"));
}

#[test]
fn the_highest_rate_that_can_be_offered_is_a_result() {
    let found = |start_hz: f64| {
        let quick = |rate_hz: f64, longer| trial(rate_hz.min(20.0), longer, MS, f64::INFINITY).map(Some);
        let goal = Goal { percentile: 90.0, limit_ms: 5.0 };
        search(goal, start_hz, &mut |rate, longer| quick(rate, longer)).expect("trials run")
    };
    for start in [300_000.0, 1e6] {
        let found = found(start);
        assert_eq!(found.best_hz, Some(Scenario::MOST_RATE_HZ), "{}", found.ended);
        assert!(found.ended.contains("no higher rate"), "{}", found.ended);
        assert_eq!(LoadSearch::of_trials(found.goal, found.trials.clone(), found.ended.clone()), found);
    }
}

#[test]
fn an_interrupted_search_keeps_its_trials() {
    let goal = Goal { percentile: 99.0, limit_ms: 60.0 };
    let mut left = 3;
    let found = search(goal, 5.0, &mut |rate, longer| {
        left -= 1;
        if left > 0 { trial(rate, longer, 10 * MS, f64::INFINITY).map(Some) } else { Ok(None) }
    })
    .expect("trials run");
    assert_eq!((found.trials.len(), found.best_hz, found.ended.as_str()), (2, None, "interrupted"));
}

/// A steady server at a load that it can take: its queue comes and goes, and a run that is to confirm is not denied for it.
#[test]
fn a_steady_server_is_not_said_to_slow_down() {
    let goal = Goal { percentile: 50.0, limit_ms: 5_000.0 };
    for (rate_hz, count) in [(60.0, 120), (80.0, 120), (88.0, 120), (92.0, 800)] {
        let denied = |seed: u64| {
            let plan = Plan {
                scenario: Scenario::Server { rate_hz },
                min_duration: 0,
                min_count: count,
                max_count: count,
                timeout: 5 * S,
                seed,
                barge_in: None,
            };
            let script = |command: &Command, start: Ns| match command {
                Command::Whole { id, .. } => Script::answer(*id, start, 10 * MS),
                _ => Script::default(),
            };
            let bench = drive(&mut Simulated::new(1, script), &plan, &[S], &mut |_, _, _| {}).expect("a plan");
            let summary = summarize(&bench, &plan, &[S], MS);
            let doubted = checks(&summary).iter().any(|c| c.state == CheckState::Failed);
            doubted || goal.judge(&summary, true) != Holds::Yes
        };
        let alarms = (0..200).filter(|seed| denied(*seed)).count();
        // What a test of level 0.01 may do in 200 runs, but once in a thousand.
        assert!(alarms <= 8, "{alarms} of 200 at {rate_hz} %");
    }
}
