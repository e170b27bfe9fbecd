//! Two models by turns on a simulated clock: what is slower is found, what is equal is not.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_load::{
    AbOrder, AbSummary, AbVerdict, Command, Lane, Ns, Plan, Scenario, Script, Simulated, ab_picture, ab_turns,
    conclude, confirm, drive_in_order, summarize_ab,
};

const MS: f64 = 1e6;
const CLIPS: usize = 24;

fn plan(turns: usize) -> Plan {
    Plan {
        scenario: Scenario::SingleStream,
        min_duration: 0,
        min_count: 3 * turns,
        max_count: 3 * turns,
        timeout: 60_000_000_000,
        seed: 1,
        barge_in: None,
    }
}

/// A standard normal draw by summing twelve uniform ones.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}

/// Runs lanes whose times are `time(lane, clip, now, noise)` ms, in so many turns.
fn session(turns: usize, seed: u64, time: impl Fn(Lane, usize, Ns, f64) -> f64) -> AbSummary {
    session_of(CLIPS, turns, seed, time)
}

fn session_of(clips: usize, turns: usize, seed: u64, time: impl Fn(Lane, usize, Ns, f64) -> f64) -> AbSummary {
    let mut order = AbOrder::new(clips, seed);
    let place = order.clone();
    let mut rng = keyed_rng(seed, "noise", "", "");
    let script = |command: &Command, start: Ns| match *command {
        Command::Whole { id, sample } => {
            let (clip, lane) = place.place(sample);
            Script::answer(id, start, (time(lane, clip, start, normal(&mut rng)) * MS) as Ns)
        }
        _ => Script::default(),
    };
    let audio = vec![1_000_000_000; 3 * clips];
    let plan = plan(turns);
    let mut port = Simulated::new(1, script);
    let bench =
        drive_in_order(&mut port, &plan, &audio, (3, &mut |n| order.sample(n)), &mut |_, _, _| {}).expect("a plan");
    summarize_ab(&bench, &order, 0.05, plan.timeout, seed)
}

fn base(clip: usize) -> f64 {
    20.0 + 5.0 * clip as f64
}

fn slower(lane: Lane, factor: f64) -> f64 {
    if lane == Lane::B { factor } else { 1.0 }
}

#[test]
fn lanes_follow_each_other_as_abba_and_every_clip_has_all_six_orders() {
    let sequence = || -> Vec<(usize, Lane)> {
        let mut order = AbOrder::new(CLIPS, 3);
        let samples: Vec<usize> = (0..3 * 6 * CLIPS).map(|n| order.sample(n)).collect();
        samples.into_iter().map(|s| order.place(s)).collect()
    };
    let all = sequence();
    for clip in 0..CLIPS {
        let turns: Vec<Vec<Lane>> = all
            .chunks(3)
            .filter(|turn| turn[0].0 == clip)
            .map(|turn| turn.iter().map(|(c, lane)| (assert_eq!(*c, clip), *lane).1).collect())
            .collect();
        assert_eq!(turns.len(), 6);
        let distinct: std::collections::BTreeSet<String> = turns.iter().map(|t| format!("{t:?}")).collect();
        assert_eq!(distinct.len(), 6);
        // Each order is mirrored by its partner, so that A and B follow each other as ABBA.
        for turn in &turns {
            assert!(turns.contains(&turn.iter().rev().copied().collect()), "{turn:?}");
        }
    }
    assert_eq!(all, sequence());
}

#[test]
fn two_rounds_are_a_mirrored_pair_for_every_clip() {
    let mut order = AbOrder::new(CLIPS, 3);
    let samples: Vec<usize> = (0..3 * 2 * CLIPS).map(|n| order.sample(n)).collect();
    for clip in 0..CLIPS {
        let of_clip = samples.iter().map(|s| order.place(*s)).filter(|(c, _)| *c == clip).map(|(_, lane)| lane);
        let lanes: Vec<Lane> = of_clip.collect();
        assert_eq!(lanes[3..], [lanes[2], lanes[1], lanes[0]], "clip {clip}");
    }
    let found = session(2 * CLIPS + 5, 1, |_, clip, _, _| base(clip));
    assert_eq!(found.orders(), Some((2, 3)));
}

#[test]
fn ten_percent_slower_is_found_and_exact_where_nothing_varies() {
    let exact = session(4 * CLIPS, 1, |lane, clip, _, _| base(clip) * slower(lane, 1.1));
    assert_eq!(exact.verdict, AbVerdict::Regressed, "{}", exact.reason);
    let ratio = exact.ratio.expect("a ratio");
    assert!((ratio.value - 1.1).abs() < 1e-6 && (ratio.lo - 1.1).abs() < 1e-6, "{ratio:?}");
    assert_eq!((ratio.clusters, ratio.pairs, exact.begun), (CLIPS, 4 * CLIPS, 4 * CLIPS));
    assert!((exact.floor_factor - 1.0).abs() < 1e-9);
    let noisy = |seed| session(4 * CLIPS, seed, |lane, clip, _, z| base(clip) * slower(lane, 1.1) * (1.0 + 0.05 * z));
    for seed in 0..20 {
        let found = noisy(seed);
        assert_eq!(found.verdict, AbVerdict::Regressed, "{seed}: {}", found.reason);
        let ratio = found.ratio.expect("a ratio");
        assert!(ratio.lo > 1.05 && ratio.hi < 1.15, "{ratio:?}");
    }
}

#[test]
fn equal_models_pass_and_are_hardly_ever_called_slower() {
    let exact = session(CLIPS, 1, |_, clip, _, _| base(clip));
    assert_eq!(exact.verdict, AbVerdict::Pass, "{}", exact.reason);
    // On the margin itself the test may say slower in one of twenty sessions.
    let on_the_margin =
        |seed| session(CLIPS, seed, |lane, clip, _, z| base(clip) * slower(lane, 1.05) * (1.0 + 0.1 * z));
    let claims = (0..200).filter(|seed| on_the_margin(*seed).verdict == AbVerdict::Regressed).count();
    assert!(claims <= 21, "{claims} of 200: the level is 5 %");
    let equal = |seed| session(2 * CLIPS, seed, |_, clip, _, z| base(clip) * (1.0 + 0.03 * z));
    let verdicts: Vec<AbVerdict> = (0..60).map(|seed| equal(seed).verdict).collect();
    assert!(verdicts.iter().all(|v| *v == AbVerdict::Pass), "{verdicts:?}");
}

#[test]
fn a_session_that_slows_down_slows_all_lanes_alike() {
    let drift = |now: Ns| 1.0 + now as f64 * 1e-9 / 10.0;
    let found = session(6 * CLIPS, 2, |_, clip, now, _| base(clip) * drift(now));
    assert!(found.lanes[0].max > Some(200 * MS as Ns));
    assert_eq!(found.verdict, AbVerdict::Pass, "{}", found.reason);
    let ratio = found.ratio.expect("a ratio");
    assert!((ratio.value - 1.0).abs() < 2e-3, "{ratio:?}");
}

#[test]
fn noise_larger_than_the_effect_decides_nothing() {
    let noisy =
        |seed, factor| session(CLIPS, seed, |lane, clip, _, z| base(clip) * slower(lane, factor) * (0.5 * z).exp());
    for seed in 0..20 {
        let found = noisy(seed, 1.1);
        assert_eq!(found.verdict, AbVerdict::Inconclusive, "{seed}: {}", found.reason);
    }
    // A differs from itself by 20 %: a claim of 10 % is none, one of 60 % is.
    let floor = |factor| {
        let of = |lane| if lane == Lane::Control { 1.2 } else { slower(lane, factor) };
        session(2 * CLIPS, 1, |lane, clip, _, z| base(clip) * of(lane) * (1.0 + 0.01 * z))
    };
    let small = floor(1.1);
    assert_eq!(small.verdict, AbVerdict::Inconclusive);
    assert!(
        small.reason.contains("noise floor") && small.floor_factor > 1.19,
        "{} {}",
        small.reason,
        small.floor_factor
    );
    assert_eq!(floor(1.0).verdict, AbVerdict::Inconclusive);
    assert_eq!(floor(1.6).verdict, AbVerdict::Regressed);
}

#[test]
fn turns_that_a_lane_did_not_answer_are_left_out_and_counted() {
    let mut order = AbOrder::new(CLIPS, 5);
    let place = order.clone();
    let script = |command: &Command, start: Ns| match *command {
        Command::Whole { sample, .. } if place.place(sample) == (3, Lane::B) => Script::default(),
        Command::Whole { id, .. } => Script::answer(id, start, 5_000_000),
        _ => Script::default(),
    };
    let audio = vec![1_000_000_000; 3 * CLIPS];
    let plan = Plan { max_count: 3 * CLIPS + 2, min_count: 3 * CLIPS + 2, timeout: 1_000_000_000, ..plan(CLIPS) };
    let mut port = Simulated::new(1, script);
    let bench =
        drive_in_order(&mut port, &plan, &audio, (3, &mut |n| order.sample(n)), &mut |_, _, _| {}).expect("a plan");
    let (turns, begun) = ab_turns(&bench, &order);
    assert_eq!((turns.len(), begun), (CLIPS - 1, CLIPS + 1));
    assert!(turns.iter().all(|t| t.clip != 3 && (t.a, t.b, t.control) == (5_000_000, 5_000_000, 5_000_000)));
    let summary = summarize_ab(&bench, &order, 0.05, plan.timeout, 5);
    assert_eq!((summary.lanes[1].censored, summary.verdict), (1, AbVerdict::Pass));
    let few = session_of(5, 50, 1, |lane, clip, _, _| base(clip) * slower(lane, 2.0));
    assert!(few.ratio.is_err() && few.verdict == AbVerdict::Inconclusive, "five clips are too few: {few:?}");
}

#[test]
fn fresh_processes_confirm_or_do_not() {
    let pairs = |factor: &dyn Fn(usize) -> f64| -> Vec<_> {
        let times = |factor: f64| (0..2 * CLIPS).map(|i| (i % CLIPS, (base(i % CLIPS) * factor * MS) as Ns)).collect();
        (0..6).map(|i| (times(1.0), times(factor(i)))).collect()
    };
    let slower = confirm(&pairs(&|_| 1.1), 0.05, 1).expect("six pairs");
    assert_eq!((slower.decision, slower.clusters, slower.pairs), (vbench_stats::Decision::Regressed, 6, 6 * CLIPS));
    assert!((slower.value - 1.1).abs() < 1e-6);
    let luck = confirm(&pairs(&|i| if i == 0 { 1.9 } else { 1.0 }), 0.05, 1).expect("six pairs");
    assert_eq!(luck.decision, vbench_stats::Decision::Inconclusive);
    assert!(confirm(&pairs(&|_| 1.1)[..5], 0.05, 1).is_err());
}

#[test]
fn a_claim_is_said_only_when_fresh_processes_confirm_it() {
    let found = session(2 * CLIPS, 1, |lane, clip, _, _| base(clip) * slower(lane, 1.2));
    let times = |factor: f64| -> Vec<(usize, Ns)> { (0..CLIPS).map(|c| (c, (base(c) * factor * MS) as Ns)).collect() };
    let fresh = |factor: f64| confirm(&vec![(times(1.0), times(factor)); 6], 0.05, 1);
    let said = |fresh: Option<&Result<_, _>>| conclude(&found, fresh, None);
    assert_eq!(said(Some(&fresh(1.2))).0, AbVerdict::Regressed);
    let (verdict, reason) = said(Some(&fresh(1.0)));
    assert!(verdict == AbVerdict::Inconclusive && reason.contains("do not confirm"), "{reason}");
    assert_eq!(said(None).0, AbVerdict::Inconclusive);
    let equal = session(CLIPS, 1, |_, clip, _, _| base(clip));
    assert_eq!(conclude(&equal, None, None).0, AbVerdict::Pass);
}

#[test]
fn figures_show_every_clip_and_not_too_many_pairs() {
    let found = session(40 * CLIPS, 1, |lane, clip, _, z| base(clip) * slower(lane, 1.2) * (0.02 * z).exp());
    let p = ab_picture(&found);
    assert_eq!((p.pairs.len(), p.clips.len()), (40 * CLIPS / 4, CLIPS));
    assert!(p.clips.iter().all(|(b, control)| (b - 1.2).abs() < 0.04 && (control - 1.0).abs() < 0.04), "{:?}", p.clips);
    assert!(p.shown.1 > 1.2 && p.shown.1 < 1.4 && (p.shown.0 * p.shown.1 - 1.0).abs() < 1e-12, "{:?}", p.shown);
    assert!(p.curves.iter().all(|c| c.n == 40 * CLIPS));
}
