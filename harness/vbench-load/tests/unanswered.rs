//! Turns without an answer belong to every percentile, budget and curve.

use vbench_core::{Budget, BudgetSubject, Budgets};
use vbench_load::{
    Bench, Ns, Outcome, Plan, Reply, Scenario, Script, Simulated, Stage, TailValue, Timeline, Verdict, What, drive,
    judge_budgets, picture, summarize,
};

const MS: Ns = 1_000_000;
const S: Ns = 1_000 * MS;

fn plan() -> Plan {
    Plan {
        scenario: Scenario::SingleStream,
        min_duration: 0,
        min_count: 200,
        max_count: 200,
        timeout: 5 * S,
        seed: 1,
        barge_in: None,
    }
}

/// A recogniser that needs 100 ms, then a reply of 100 ms of sound; every fifth turn is never answered.
fn bench() -> Bench {
    let script = |command: &vbench_load::Command, start: Ns| {
        let vbench_load::Command::Whole { id, .. } = *command else { return Script::default() };
        let made = |after: Ns, what| (after, Reply { id, at: start + after, what });
        let stage = Stage { name: "asr".into(), owner: "model".into(), t0: start, t1: start + 100 * MS };
        let mut replies = vec![
            made(100 * MS, What::Settled("hello".into())),
            made(120 * MS, What::Token("hi".into())),
            made(140 * MS, What::Audio { length_ns: 100 * MS, onset_ns: Some(0) }),
            made(200 * MS, What::Final { text: "hello".into(), stages: vec![stage] }),
        ];
        if id.is_multiple_of(5) {
            replies.clear();
        }
        Script { busy: 200 * MS, replies }
    };
    drive(&mut Simulated::new(1, script), &plan(), &[S], &mut |_, _, _| {}).expect("a plan that can be followed")
}

fn stage_budget(name: &str, limit_ms: f64, percentile: f64) -> Budgets {
    let subject = BudgetSubject::Stage(name.into());
    Budgets { limits: vec![Budget { subject, limit_ms, percentile }], bands_ms: vec![] }
}

#[test]
fn they_are_censored_in_every_distribution() {
    let summary = summarize(&bench(), &plan(), &[S], MS);
    let stages = summary.stages.expect("reported");
    for (name, d) in [
        ("first audible", summary.first_audible.as_ref()),
        ("first token", summary.first_token.as_ref()),
        ("final text", summary.final_text.as_ref()),
        ("stage asr", stages.stages.iter().find(|s| s.name == "asr").map(|s| &s.times)),
    ] {
        let d = d.expect(name);
        assert_eq!((d.n, d.censored), (200, 40), "{name}");
        assert_eq!(d.tails[1].as_ref().map(|t| t.value), Ok(TailValue::AtLeast(5e9)), "{name}");
    }
}

#[test]
fn replies_that_do_not_stop_are_censored_too() {
    let mut bench = bench();
    for t in &mut bench.timelines {
        t.interrupted = Some(t.due + 150 * MS);
        if t.latency().is_some() && t.id.is_multiple_of(2) {
            t.audio.push((t.due + 180 * MS, 100 * MS, Some(0)));
        } else if t.latency().is_some() {
            t.stopped = Some(t.due + 170 * MS);
        }
    }
    let found = summarize(&bench, &plan(), &[S], MS).barge_in.expect("spoken again");
    // 80 are said to the end, 40 have no answer.
    assert_eq!((found.stop.n, found.stop.censored, found.ignored), (200, 120, 120));
}

#[test]
fn they_keep_the_curves_below_1() {
    let picture = picture(&bench());
    assert_eq!(picture.curves.len(), 5, "{:?}", picture.curves.iter().map(|c| c.name).collect::<Vec<_>>());
    for curve in picture.curves {
        let top = curve.points.last().map(|(_, share)| *share);
        assert_eq!((curve.n, top), (200, Some(0.8)), "{}", curve.name);
    }
}

#[test]
fn they_are_over_the_budget_of_every_stage() {
    let judged = judge_budgets(&bench(), plan().timeout, &stage_budget("asr", 150.0, 95.0));
    assert_eq!((judged[0].n, judged[0].over, judged[0].verdict), (200, 40, Verdict::Fail));
    assert_eq!(judged[0].observed.as_ref().map(|t| t.value), Ok(TailValue::AtLeast(5e9)));
}

#[test]
fn stages_that_cannot_be_true_are_over_the_budget_too() {
    let mut bench = bench();
    bench.timelines.retain(|t| matches!(t.outcome, Outcome::Answered { .. }));
    for t in bench.timelines.iter_mut().filter(|t| t.id % 2 == 1) {
        t.stages[0].t1 = t.stages[0].t0 - 1;
    }
    let odd = bench.timelines.iter().filter(|t| t.id % 2 == 1).count();
    let judged = judge_budgets(&bench, plan().timeout, &stage_budget("asr", 150.0, 95.0));
    assert_eq!((judged[0].n, judged[0].over, judged[0].verdict), (160, odd, Verdict::Fail));
}

#[test]
fn a_stage_that_takes_no_time_at_all_keeps_its_budget() {
    let mut bench = bench();
    bench.timelines.retain(|t| matches!(t.outcome, Outcome::Answered { .. }));
    // Nothing is sent late on this clock, nobody queues, and replies begin with sound.
    assert!(bench.timelines.iter().all(|t: &Timeline| t.lateness() == 0));
    for name in ["harness", "queue", "lead-in"] {
        let judged = judge_budgets(&bench, plan().timeout, &stage_budget(name, 1.0, 95.0));
        assert_eq!((judged[0].n, judged[0].over, judged[0].verdict), (160, 0, Verdict::Pass), "{name}");
    }
    let judged = judge_budgets(&bench, plan().timeout, &stage_budget("llm", 1.0, 95.0));
    assert_eq!((judged[0].n, judged[0].verdict), (0, Verdict::Fail), "nobody reports it");
}
