//! Reading and pairing 100,000 utterances of about 20 words in every format that holds them.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::Weights;
use vbench_score::formats::{Columns, Format, MissingPolicy, Reference, Source, load, load_pairs};

const ROWS: usize = 100_000;

/// (reference, hypothesis) of about 20 words.
fn texts() -> Vec<(String, String)> {
    let mut rng = keyed_rng(1, "formats", "", "");
    let mut text = |n: u32| {
        let mut out = String::new();
        for _ in 0..n {
            let _ = write!(out, "word{} ", rng.next_u32() % 5_000);
        }
        out.pop();
        out
    };
    (0..ROWS).map(|i| (text(15 + i as u32 % 10), text(15 + i as u32 % 9))).collect()
}

fn side(texts: &[(String, String)], first: bool, line: impl Fn(usize, &str) -> String) -> Vec<u8> {
    let of = |(r, h): &(String, String)| if first { r.clone() } else { h.clone() };
    texts.iter().enumerate().map(|(i, pair)| line(i, &of(pair))).collect::<String>().into_bytes()
}

fn two_files(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("formats/two files");
    let line = |format: Format| {
        move |i: usize, text: &str| match format {
            Format::Kaldi => format!("spk-{i} {text}\n"),
            Format::Trn => format!("{text} (spk-{i})\n"),
            Format::Jsonl => format!("{{\"id\":\"spk-{i}\",\"text\":\"{text}\"}}\n"),
            _ => format!("{text}\n"),
        }
    };
    for format in [Format::Text, Format::Kaldi, Format::Trn, Format::Jsonl] {
        let (r, h) = (side(&texts, true, line(format)), side(&texts, false, line(format)));
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function(format.name(), |b| {
            b.iter(|| {
                let reference = Source { file: "r", bytes: &r, format };
                let hypothesis = Source { file: "h", bytes: &h, format };
                load(black_box(&reference), &hypothesis, &Columns::default(), MissingPolicy::Error)
            });
        });
    }
    group.finish();
}

fn pairs(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("formats/pairs");
    for (format, separator) in [(Format::Jsonl, ""), (Format::Csv, ","), (Format::Tsv, "\t")] {
        let mut file =
            if format == Format::Jsonl { String::new() } else { ["id", "ref", "hyp", "snr"].join(separator) + "\n" };
        for (i, (r, h)) in texts.iter().enumerate() {
            let _ = match format {
                Format::Jsonl => writeln!(file, "{{\"id\":\"u{i}\",\"ref\":\"{r}\",\"hyp\":\"{h}\",\"snr\":\"5db\"}}"),
                _ => writeln!(file, "u{i}{separator}{r}{separator}{h}{separator}5db"),
            };
        }
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function(format.name(), |b| {
            b.iter(|| {
                let source = Source { file: "p", bytes: file.as_bytes(), format };
                load_pairs(black_box(&source), &Columns::default(), MissingPolicy::Error)
            });
        });
    }
    group.finish();
}

fn lattices(c: &mut Criterion) {
    let texts = texts();
    let marked = |text: &str| text.replacen(' ', " { um / uh / @ } ", 1).replacen("word1", "(word1)", 1);
    let r = side(&texts, true, |i, text| format!("{} (spk-{i})\n", marked(text)));
    let h = side(&texts, false, |i, text| format!("{text} (spk-{i})\n"));
    let reference = Source { file: "r", bytes: &r, format: Format::Trn };
    let hypothesis = Source { file: "h", bytes: &h, format: Format::Trn };
    let Ok(paired) = load(&reference, &hypothesis, &Columns::default(), MissingPolicy::Error) else { return };
    let mut group = c.benchmark_group("formats/lattice");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("align", |b| {
        b.iter(|| {
            let aligned = paired.pairs.iter().take(1_000).filter_map(|pair| match &pair.reference {
                Reference::Lattice(lattice) => lattice.align(&pair.hypothesis, Weights::Sclite).ok(),
                Reference::Plain(_) => None,
            });
            aligned.map(|a| a.counts.errors()).sum::<u64>()
        });
    });
    group.finish();
}

criterion_group!(benches, two_files, pairs, lattices);
criterion_main!(benches);
