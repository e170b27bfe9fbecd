//! Time to render a report against the number of strata.

#[path = "../tests/fixture/mod.rs"]
mod fixture;
#[path = "../tests/page_input/mod.rs"]
mod page_input;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vbench_report::{figures, render_html, render_markdown, summary_json, terminal_table};

fn render(c: &mut Criterion) {
    let mut group = c.benchmark_group("render");
    group.sample_size(10);
    for speakers in [18usize, 1_000] {
        let mut summary = fixture::summary(&[("whisper-tiny.en", 1.0)]);
        for i in 18..speakers {
            summary.strata.push(fixture::stratum("whisper-tiny.en", "speaker", &format!("voice-{i}"), 0.1, 312));
        }
        let input = page_input::input(&summary, page_input::worst("whisper-tiny.en"));
        let id = |name: &str| BenchmarkId::new(name, speakers);
        group.bench_function(id("html"), |b| b.iter(|| render_html(black_box(&input))));
        group.bench_function(id("markdown"), |b| b.iter(|| render_markdown(black_box(&input))));
        group.bench_function(id("json"), |b| b.iter(|| summary_json(black_box(&summary)).to_string()));
        group.bench_function(id("terminal"), |b| b.iter(|| terminal_table(black_box(&summary), 120, false)));
        group.bench_function(id("figures"), |b| b.iter(|| figures(black_box(&input))));
    }
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
