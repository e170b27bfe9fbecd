//! Turns of a streaming system on the simulated clock: what the user sees, hears and waits for.

use vbench_core::{Budget, BudgetSubject, Budgets};
use vbench_load::{
    Bench, Command, Fault, LEVEL, Ns, Outcome, Parameter, Plan, Reply, Scenario, Script, Simulated, Stage, Sweep,
    Timeline, Verdict, What, bands, drive, first_audible_at, judge_budgets, onset, summarize, summarize_sweep,
};

const MS: Ns = 1_000_000;
const S: Ns = 1_000 * MS;

fn plan(scenario: Scenario, count: usize) -> Plan {
    Plan { scenario, min_duration: 0, min_count: count, max_count: count, timeout: 5 * S, seed: 1, barge_in: None }
}

fn run(plan: &Plan, audio: &[Ns], servers: usize, script: impl FnMut(&Command, Ns) -> Script) -> Bench {
    drive(&mut Simulated::new(servers, script), plan, audio, &mut |_, _, _| {}).expect("a plan that can be followed")
}

/// A reply of 100 ms of silence and 200 ms of sound, in stretches of 100 ms every `pace`; the answer behind it.
fn reply(id: u64, start: Ns, pace: Ns) -> Script {
    let stage =
        |name: &str, t0: Ns, t1: Ns| Stage { name: name.into(), owner: "model".into(), t0: start + t0, t1: start + t1 };
    let made = |after: Ns, what| (after, Reply { id, at: start + after, what });
    let sound = |k: Ns, onset_ns| made(80 * MS + k * pace, What::Audio { length_ns: 100 * MS, onset_ns });
    let stages = vec![stage("asr", 0, 30 * MS), stage("llm", 30 * MS, 90 * MS), stage("tts", 60 * MS, 80 * MS)];
    let replies = vec![
        made(30 * MS, What::Settled("hello".into())),
        made(60 * MS, What::Token("hi".into())),
        sound(0, None),
        sound(1, Some(0)),
        sound(2, Some(0)),
        made(80 * MS + 3 * pace, What::Final { text: "hello".into(), stages }),
    ];
    Script { busy: 80 * MS + 3 * pace, replies }
}

/// The same, begun so much later.
fn later(mut script: Script, by: Ns) -> Script {
    script.busy += by;
    for (after, reply) in &mut script.replies {
        *after += by;
        reply.at += by;
        if let What::Final { stages, .. } = &mut reply.what {
            stages.iter_mut().for_each(|s| (s.t0, s.t1) = (s.t0 + by, s.t1 + by));
        }
    }
    script
}

fn id_of(command: &Command) -> u64 {
    match command {
        Command::Whole { id, .. } | Command::Chunk { id, .. } | Command::Interrupt { id } | Command::Abandon { id } => {
            *id
        }
    }
}

#[test]
fn the_wait_ends_with_the_first_audible_sample_and_its_parts_sum_to_it() {
    let plan = plan(Scenario::SingleStream, 40);
    let bench = run(&plan, &[S], 1, |command, start| reply(id_of(command), start, 50 * MS));
    let t = &bench.timelines[7];
    assert_eq!(
        (t.latency(), t.wait(), t.final_text(), t.first_token()),
        (Some(230 * MS), Some(180 * MS), Some(30 * MS), Some(60 * MS))
    );
    let ledger = t.ledger().expect("answered").expect("possible");
    let parts: Vec<(&str, Ns)> = ledger.contributions.iter().map(|c| (c.name.as_str(), c.ns / MS)).collect();
    assert_eq!(parts, [("asr", 30), ("llm", 30), ("tts", 20), ("lead-in", 100)]);
    let summary = summarize(&bench, &plan, &[S], MS);
    let stages = summary.stages.expect("reported");
    assert_eq!((stages.turns, stages.impossible), (40, 0));
    assert!((stages.stages.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(summary.end_to_end.max, Some(180 * MS));
    let sound = summary.sound.expect("heard");
    assert_eq!((sound.replies, sound.underruns, sound.silent), (40, 0, 0));
}

#[test]
fn sound_that_comes_too_slowly_runs_dry_and_silence_is_no_answer() {
    let plan = plan(Scenario::SingleStream, 10);
    let bench = run(&plan, &[S], 1, |command, start| reply(id_of(command), start, 150 * MS));
    let sound = summarize(&bench, &plan, &[S], MS).sound.expect("heard");
    assert_eq!((sound.with_underruns, sound.underruns, sound.gap), (10, 20, 10 * 2 * 50 * MS));
    assert_eq!(bench.timelines[0].wait(), Some(230 * MS));
    let silent = run(&plan, &[S], 1, |command, start| {
        let mut script = reply(id_of(command), start, 50 * MS);
        script.replies.retain(|(_, r)| !matches!(r.what, What::Audio { onset_ns: Some(_), .. }));
        script
    });
    let summary = summarize(&silent, &plan, &[S], MS);
    assert_eq!(
        (summary.sound.expect("sound").silent, summary.end_to_end.censored, summary.counts.answered),
        (10, 10, 10)
    );
}

#[test]
fn speaking_again_is_told_once_and_the_stop_is_measured() {
    let plan = Plan { barge_in: Some(30 * MS), ..plan(Scenario::SingleStream, 6) };
    let mut told = Vec::new();
    let mut port = Watched {
        inner: Simulated::new(1, |command: &Command, start| {
            let id = id_of(command);
            let mut script = reply(id, start, 50 * MS);
            if id != 4 {
                // The first audible sample is heard at 180 ms: at 210 the user speaks again, 25 later the last sound comes.
                let stop = (235 * MS, Reply { id, at: start + 235 * MS, what: What::Stopped });
                script.replies.truncate(5);
                let answer = What::Final { text: "hello".into(), stages: vec![] };
                script.replies.extend([stop, (240 * MS, Reply { id, at: start + 240 * MS, what: answer })]);
            } else {
                let late = What::Audio { length_ns: 100 * MS, onset_ns: Some(0) };
                script.replies.insert(5, (220 * MS, Reply { id, at: start + 220 * MS, what: late }));
            }
            script.busy = 240 * MS;
            script
        }),
        told: &mut told,
    };
    let bench = drive(&mut port, &plan, &[S], &mut |_, _, _| {}).expect("a plan that can be followed");
    assert_eq!(told, (0..6).collect::<Vec<u64>>());
    let t = &bench.timelines;
    assert_eq!(t[1].interrupted.map(|at| at - t[1].due), Some(210 * MS));
    assert_eq!((t[1].barge_in(), t[4].barge_in()), (Some(Some(25 * MS)), Some(None)));
    let found = summarize(&bench, &plan, &[S], MS).barge_in.expect("spoken again");
    assert_eq!((found.stop.n, found.stop.censored, found.stop.max, found.ignored), (6, 1, Some(25 * MS), 1));
}

/// Notes to whom the engine says that the user speaks again.
struct Watched<'a, P> {
    inner: P,
    told: &'a mut Vec<u64>,
}

impl<P: vbench_load::Port> vbench_load::Port for Watched<'_, P> {
    fn now(&mut self) -> Ns {
        self.inner.now()
    }

    fn send(&mut self, command: Command) {
        if let Command::Interrupt { id } = command {
            self.told.push(id);
        }
        self.inner.send(command);
    }

    fn receive(&mut self, until: Ns) -> Option<Reply> {
        self.inner.receive(until)
    }
}

#[test]
fn waiting_for_a_server_and_late_sending_are_the_harness_s_own_parts() {
    let open = plan(Scenario::Offline, 3);
    let bench = run(&open, &[S], 1, |command, start| {
        let id = id_of(command);
        let stages = vec![Stage { name: "model".into(), owner: "model".into(), t0: start, t1: start + 10 * MS }];
        let what = What::Final { text: String::new(), stages };
        Script { busy: 10 * MS, replies: vec![(10 * MS, Reply { id, at: start + 10 * MS, what })] }
    });
    let mut late = bench.timelines[2].clone();
    late.sent += 4 * MS;
    let parts = |t: &Timeline| -> Vec<(String, Ns)> {
        let ledger = t.ledger().expect("answered").expect("possible");
        ledger.contributions.into_iter().map(|c| (c.name, c.ns / MS)).collect()
    };
    assert_eq!(parts(&bench.timelines[2]), [("queue".into(), 20), ("model".into(), 10)]);
    assert_eq!(parts(&late), [("harness".into(), 4), ("queue".into(), 16), ("model".into(), 10)]);
    late.stages[0].t1 = late.stages[0].t0 - 1;
    assert!(late.ledger().expect("answered").is_err());
    let mut broken = bench.clone();
    broken.timelines[2] = late;
    let stages = summarize(&broken, &open, &[S], MS).stages.expect("reported");
    assert_eq!((stages.turns, stages.impossible), (2, 1));
    assert!(stages.first_impossible.is_some_and(|(id, e)| id == 2 && e.to_string().contains("before it begins")));
}

#[test]
fn stages_stand_in_the_order_in_which_they_begin() {
    // Nobody queues in the first turn, and only every third one is held: both are met after `asr`.
    let plan = plan(Scenario::MultiStream { streams: 2 }, 60);
    let bench = run(&plan, &[S], 1, |command, start| {
        let id = id_of(command);
        let stage = |name: &str, t0: Ns, t1: Ns| Stage {
            name: name.into(),
            owner: "model".into(),
            t0: start + t0,
            t1: start + t1,
        };
        let held = if id % 3 == 2 { 20 * MS } else { 0 };
        let mut stages = vec![stage("asr", held, held + 30 * MS), stage("llm", held + 30 * MS, held + 50 * MS)];
        stages.extend((held > 0).then(|| stage("hold", 0, held)));
        let busy = held + 50 * MS;
        Script {
            busy,
            replies: vec![(busy, Reply { id, at: start + busy, what: What::Final { text: String::new(), stages } })],
        }
    });
    let stages = summarize(&bench, &plan, &[S], MS).stages.expect("reported").stages;
    let names: Vec<&str> = stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["queue", "hold", "asr", "llm"]);
}

#[test]
fn stamps_ahead_of_their_time_are_noted_and_not_believed() {
    let plan = plan(Scenario::SingleStream, 2);
    let bench = run(&plan, &[S], 1, |command, start| {
        let id = id_of(command);
        let ahead = Reply { id, at: start + 9 * S, what: What::Settled("a".into()) };
        let back = Reply { id, at: start, what: What::Token("b".into()) };
        let answer = Reply { id, at: start + 30 * MS, what: What::Final { text: "a".into(), stages: vec![] } };
        Script { busy: 30 * MS, replies: vec![(10 * MS, ahead), (20 * MS, back), (30 * MS, answer)] }
    });
    let t = &bench.timelines[1];
    assert_eq!((t.latency(), t.final_text(), t.first_token()), (Some(30 * MS), Some(10 * MS), Some(10 * MS)));
    assert_eq!(t.faults, [Fault::ClockAhead { by: 9 * S - 10 * MS }, Fault::ClockWentBack { by: 10 * MS }]);
    assert_eq!(summarize(&bench, &plan, &[S], MS).counts.clock_ahead, 2);
}

#[test]
fn a_server_that_hangs_is_replaced_when_its_request_is_given_up() {
    let plan = Plan { timeout: S, ..plan(Scenario::MultiStream { streams: 2 }, 12) };
    let bench = run(&plan, &[S], 1, |command, start| match id_of(command) {
        3 => Script { busy: Ns::MAX / 2, replies: vec![] },
        id => Script::answer(id, start, MS),
    });
    let late: Vec<u64> =
        bench.timelines.iter().filter(|t| matches!(t.outcome, Outcome::TimedOut { .. })).map(|t| t.id).collect();
    assert_eq!(late, [3]);
    // Whoever stood behind it waited for as long.
    assert!(bench.timelines.iter().any(|t| t.latency().is_some_and(|l| l > S - 10 * MS)));
}

#[test]
fn energy_is_heard_and_a_click_is_not() {
    let mut sound = vec![0.0f32; 1_000];
    sound[300] = 0.02;
    assert_eq!(onset(&sound, 16_000), None);
    // From sample 805 on: frames of 80 samples, the one from 800 is loud enough as a whole.
    sound[805..].fill(0.01);
    assert_eq!(onset(&sound, 16_000), Some(805 * 62_500));
    assert_eq!(onset(&[], 16_000), None);
    assert_eq!(first_audible_at(&[(10, 5, None), (12, 9, Some(2))]), Some(17));
    assert_eq!(first_audible_at(&[(10, 5, None)]), None);
}

fn budgets(limits: &[(BudgetSubject, f64, f64)]) -> Budgets {
    let limit = |(subject, limit_ms, percentile): &(BudgetSubject, f64, f64)| Budget {
        subject: subject.clone(),
        limit_ms: *limit_ms,
        percentile: *percentile,
    };
    Budgets { limits: limits.iter().map(limit).collect(), bands_ms: vec![100.0, 200.0] }
}

#[test]
fn budgets_pass_fail_or_stay_open_by_the_binomial_test() {
    let plan = plan(Scenario::SingleStream, 200);
    // Every twentieth waits 300 ms, all others 180.
    let bench = run(&plan, &[S], 1, |command, start| {
        let id = id_of(command);
        if id.is_multiple_of(20) { later(reply(id, start, 50 * MS), 120 * MS) } else { reply(id, start, 50 * MS) }
    });
    let whole = BudgetSubject::EndToEnd;
    let stage = |name: &str| BudgetSubject::Stage(name.into());
    let verdicts = |limits: &[(BudgetSubject, f64, f64)]| -> Vec<Verdict> {
        judge_budgets(&bench, plan.timeout, &budgets(limits)).iter().map(|b| b.verdict).collect()
    };
    // 10 of 200 over 200 ms: within p90 for sure, above p99 for sure, at p95 nobody knows.
    for (percentile, wanted) in [(90.0, Verdict::Pass), (95.0, Verdict::Inconclusive), (99.0, Verdict::Fail)] {
        assert_eq!(verdicts(&[(whole.clone(), 200.0, percentile)]), [wanted], "p{percentile}");
    }
    assert_eq!(verdicts(&[(stage("asr"), 30.0, 95.0), (stage("asr"), 29.0, 95.0)]), [Verdict::Pass, Verdict::Fail]);
    // What nobody reports fails; so does what asks more than the requests can show, but it says how many would.
    assert_eq!(verdicts(&[(stage("nosuch"), 9.0, 95.0), (BudgetSubject::BargeIn, 9.0, 95.0)]), [Verdict::Fail; 2]);
    let judged = judge_budgets(&bench, plan.timeout, &budgets(&[(whole.clone(), 900.0, 99.0)]));
    assert_eq!((judged[0].verdict, judged[0].over, judged[0].needed), (Verdict::Inconclusive, 0, Some(299)));
    // Holm: one of many needs more than one alone. P(none of 200 over) at p98.5 is 0.0487.
    let one = (whole.clone(), 900.0, 98.5);
    assert_eq!(verdicts(std::slice::from_ref(&one)), [Verdict::Pass]);
    assert_eq!(verdicts(&[one, (whole, 900.0, 98.4)])[0], Verdict::Inconclusive);
}

#[test]
fn unanswered_requests_are_over_every_budget_and_in_the_last_band() {
    let plan = plan(Scenario::SingleStream, 100);
    let bench = run(&plan, &[S], 1, |command, start| match id_of(command) {
        id if id.is_multiple_of(4) => Script { busy: MS, replies: vec![] },
        id => Script::answer(id, start, 50 * MS),
    });
    let judged = judge_budgets(&bench, plan.timeout, &budgets(&[(BudgetSubject::EndToEnd, 1_000.0, 80.0)]));
    assert_eq!((judged[0].n, judged[0].over), (100, 25));
    let found = bands(&bench, &[50.0, 100.0]);
    assert_eq!(found.iter().map(|b| b.turns).collect::<Vec<_>>(), [0, 75, 25]);
    assert_eq!((found[2].from_ms, found[2].to_ms, found[2].share), (100.0, None, 0.25));
    assert!(found[2].lo > 0.17 && found[2].hi < 0.35, "{:?}", found[2]);
}

#[test]
fn a_model_that_slows_down_is_found_and_a_steady_one_is_not() {
    let plan = plan(Scenario::SingleStream, 400);
    let audio = [S, 3 * S, 9 * S];
    // Time by clip, and a keyed wobble of 20 %.
    let at = |growth: f64| {
        let bench = run(&plan, &audio, 1, |command, start| {
            let Command::Whole { id, sample } = *command else { return Script::default() };
            let wobble =
                1.0 + 0.2 * ((id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 24) as f64 - 0.5);
            let length = [10.0, 30.0, 90.0][sample];
            Script::answer(id, start, (length * wobble * (1.0 + growth * id as f64 / 400.0) * MS as f64) as Ns)
        });
        summarize(&bench, &plan, &audio, MS).trend.expect("enough requests")
    };
    let slow = at(0.3);
    assert!(slow.slows_down && (slow.rise - 0.3).abs() < 0.06 && slow.p_rise < 1e-4, "{slow:?}");
    let steady = at(0.0);
    assert!(!steady.slows_down && steady.rise.abs() < 0.05, "{steady:?}");
    // Where all is due at once the last waits longest: that is no trend.
    let offline = Plan { scenario: Scenario::Offline, ..plan };
    let bench = run(&offline, &audio, 1, |command, start| Script::answer(id_of(command), start, MS));
    assert_eq!(summarize(&bench, &offline, &audio, MS).trend, None);
    // A rise too small to matter is not said, however sure it is.
    assert!(!at(0.02).slows_down);
}

#[test]
fn the_cost_curve_is_the_one_that_was_scripted() {
    let seconds = [1.0, 2.0, 5.0, 10.0, 20.0];
    let audio: Vec<Ns> = seconds.iter().flat_map(|s| vec![(s * 1e9) as Ns; 3]).collect();
    let sweep = Sweep { parameter: Parameter::Length, values: audio.iter().map(|ns| *ns as f64 * 1e-9).collect() };
    let plan = plan(Scenario::SingleStream, 60);
    let at = |cost: fn(f64) -> f64| {
        let bench = run(&plan, &audio, 1, |command, start| {
            let Command::Whole { id, sample } = *command else { return Script::default() };
            Script::answer(id, start, (cost(audio[sample] as f64 * 1e-9) * MS as f64) as Ns)
        });
        summarize_sweep(&bench, &plan, &audio, &sweep, LEVEL)
    };
    let straight = at(|s| 40.0 + 12.0 * s);
    assert_eq!(straight.points.iter().map(|p| p.value).collect::<Vec<_>>(), seconds);
    assert_eq!(straight.points[2].latency.max, Some(100 * MS));
    assert!((straight.points[4].rtf.expect("answered") - 0.014).abs() < 1e-12);
    let curve = straight.cost.expect("a length sweep").expect("fits");
    assert!(!curve.square && curve.clips == 15);
    assert!(
        (curve.fit.terms[0].value - 40.0).abs() < 1e-6 && (curve.fit.terms[1].value - 12.0).abs() < 1e-6,
        "{curve:?}"
    );
    let curve = at(|s| 40.0 + 12.0 * s + 0.8 * s * s).cost.expect("a length sweep").expect("fits");
    assert!(curve.square && (curve.fit.terms[2].value - 0.8).abs() < 1e-6, "{curve:?}");
    // A square that changes less than a hundredth anywhere does not pay.
    assert!(!at(|s| 40.0 + 12.0 * s + 0.01 * s * s).cost.expect("a length sweep").expect("fits").square);
}
