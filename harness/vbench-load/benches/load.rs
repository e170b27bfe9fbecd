//! The instrument itself: engine, percentiles, ledger and traces over their sizes.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vbench_load::{
    Bench, Clock, Command, Ns, Plan, Scenario, Script, Session, Simulated, Stage, System, Trace, What, Workers,
    chrome_trace, drive, ledger, read_trace, summarize, tail, write_trace,
};

fn plan(scenario: Scenario, count: usize) -> Plan {
    Plan {
        scenario,
        min_duration: 0,
        min_count: count,
        max_count: count,
        timeout: 1_000_000_000,
        barge_in: None,
        seed: 1,
    }
}

fn script(command: &Command, start: Ns) -> Script {
    match *command {
        Command::Whole { id, .. } | Command::Chunk { id, last: true, .. } => Script::answer(id, start, 50_000),
        _ => Script::default(),
    }
}

fn simulated(scenario: Scenario, count: usize, audio: &[Ns]) -> Bench {
    let plan = plan(scenario, count);
    drive(&mut Simulated::new(4, script), &plan, audio, &mut |_, _, _| {}).expect("a plan that can be followed")
}

/// Requests (or chunks) a second through the loop, on a clock that costs nothing.
fn engine(c: &mut Criterion) {
    let mut group = c.benchmark_group("load/engine");
    group.sample_size(10);
    let audio = [1_000_000_000; 24];
    for count in [1_000usize, 10_000, 100_000] {
        group.throughput(Throughput::Elements(count as u64));
        let server = Scenario::Server { rate_hz: 10_000.0 };
        group.bench_function(BenchmarkId::new("server", count), |b| {
            b.iter(|| simulated(black_box(server), count, &audio));
        });
    }
    for streams in [1usize, 100, 1_000] {
        // Clips of 50 chunks.
        group.throughput(Throughput::Elements(50 * streams as u64));
        let paced = Scenario::Paced { chunk: 20_000_000, streams };
        group.bench_function(BenchmarkId::new("paced_chunks_by_streams", streams), |b| {
            b.iter(|| simulated(black_box(paced), streams, &audio));
        });
    }
    group.finish();
}

struct Nothing;

impl System for Nothing {
    fn whole(&self, _: u64, _: usize, _: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        emit(What::Final { text: String::new(), stages: Vec::new() });
        Ok(())
    }

    fn open(self: Arc<Self>, _: u64, _: usize) -> Result<Box<dyn Session>, String> {
        Err("whole clips only".into())
    }
}

/// Requests to worker threads and back, one at a time and everything at once.
fn workers(c: &mut Criterion) {
    let mut group = c.benchmark_group("load/workers");
    group.sample_size(10);
    for (name, scenario) in [("one_at_a_time", Scenario::SingleStream), ("all_at_once", Scenario::Offline)] {
        for count in [100usize, 1_000] {
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter(|| {
                    let mut port = Workers::new(Arc::new(Nothing), 1, Clock::start());
                    drive(&mut port, &plan(scenario, count), &[1_000_000], &mut |_, _, _| {})
                });
            });
        }
    }
    group.finish();
}

fn numbers(c: &mut Criterion) {
    let mut group = c.benchmark_group("load/numbers");
    group.sample_size(10);
    let audio = [1_000_000_000; 24];
    for count in [1_000usize, 10_000, 100_000] {
        let scenario = Scenario::Server { rate_hz: 10_000.0 };
        let bench = simulated(scenario, count, &audio);
        let mut times: Vec<Ns> = bench.timelines.iter().filter_map(vbench_load::Timeline::latency).collect();
        times.sort_unstable();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("p99_with_interval", count), |b| {
            b.iter(|| tail(black_box(&times), 0, 1_000_000_000, 99.0, 0.95));
        });
        let plan = plan(scenario, count);
        group.bench_function(BenchmarkId::new("summarize", count), |b| {
            b.iter(|| summarize(black_box(&bench), &plan, &audio, 1_000_000));
        });
        let trace = Trace { plan, audio: audio.to_vec(), sweep: None, max_lateness: None, bench };
        let text = write_trace(&trace);
        group.bench_function(BenchmarkId::new("write_trace", count), |b| b.iter(|| write_trace(black_box(&trace))));
        group.bench_function(BenchmarkId::new("read_trace", count), |b| b.iter(|| read_trace(black_box(&text))));
        group.bench_function(BenchmarkId::new("chrome_trace", count), |b| b.iter(|| chrome_trace(black_box(&trace))));
    }
    group.finish();
}

/// Contributions of one turn over its number of stages, which overlap as in a pipeline that streams.
fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("load/ledger");
    for count in [5u64, 50, 500] {
        let stage = |i: u64| Stage { name: format!("s{}", i % 7), owner: "model".into(), t0: 10 * i, t1: 10 * i + 35 };
        let stages: Vec<Stage> = (0..count).map(stage).collect();
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::new("stages", count), |b| {
            b.iter(|| ledger(0, 10 * count + 100, black_box(&stages), &["s0", "s1", "s2"]));
        });
    }
    group.finish();
}

criterion_group!(benches, engine, workers, numbers, stages);
criterion_main!(benches);
