//! The trend of stored benches: a figure with a panel for each crate, and a page of tables.
//!
//! A time means nothing on another machine or another length of measurement: only runs like the newest one are drawn, and each
//! benchmark is held against its own first time among them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use vbench_report::palette::{DARK, LIGHT, Palette, hex};

/// A benchmark over the runs: median and interval in ns, where the run has it.
type Series = Vec<Option<[f64; 3]>>;

/// What can be compared: runs on the newest run's machine, measured for as long.
struct Trend<'a> {
    runs: Vec<&'a Value>,
    /// By crate, by id.
    crates: BTreeMap<&'a str, BTreeMap<&'a str, Series>>,
}

impl<'a> Trend<'a> {
    fn of(runs: &'a [Value]) -> Self {
        let kind = |run: &Value| (run["machine"]["cpu"].clone(), run["machine"]["cores"].clone(), run["quick"].clone());
        let newest = runs.last().map(kind);
        let runs: Vec<&Value> = runs.iter().filter(|r| Some(kind(r)) == newest).collect();
        let mut crates: BTreeMap<&str, BTreeMap<&str, Series>> = BTreeMap::new();
        for (i, run) in runs.iter().enumerate() {
            for result in run["results"].as_array().into_iter().flatten() {
                let (Some(name), Some(id)) = (result["crate"].as_str(), result["id"].as_str()) else { continue };
                let times = ["median_ns", "lo_ns", "hi_ns"].map(|k| result[k].as_f64().unwrap_or(f64::NAN));
                let series = crates.entry(name).or_default().entry(id).or_insert_with(|| vec![None; runs.len()]);
                series[i] = times.iter().all(|t| *t > 0.0).then_some(times);
            }
        }
        Self { runs, crates }
    }
}

/// Medians over the first that there is.
fn ratios(series: &Series) -> Vec<Option<f64>> {
    let first = series.iter().flatten().next().map_or(f64::NAN, |t| t[0]);
    series.iter().map(|t| t.map(|t| t[0] / first)).collect()
}

/// The geometric mean of a crate's ratios in each run.
fn means(all: &BTreeMap<&str, Series>, runs: usize) -> Vec<Option<f64>> {
    let ratios: Vec<Vec<Option<f64>>> = all.values().map(ratios).collect();
    let mean = |i: usize| {
        let logs: Vec<f64> = ratios.iter().filter_map(|r| r[i]).map(f64::ln).collect();
        (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
    };
    (0..runs).map(mean).collect()
}

const WIDTH: f64 = 900.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 56.0;
const GAP: f64 = 28.0;

/// A panel for each crate: thin lines are benchmarks, the bold one is their geometric mean. Up is slower. One file for light
/// and dark screens.
#[must_use]
pub fn svg(runs: &[Value]) -> String {
    let trend = Trend::of(runs);
    let column = (WIDTH - GAP) / 2.0;
    let rows = trend.crates.len().div_ceil(2) as f64;
    let height = 56.0 + rows * (PANEL + 52.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"DejaVu Sans, sans-serif\" \
         font-size=\"12\" role=\"img\">\n<title>Time of the benches against their first run, by crate</title>\n<style>{}\
         @media (prefers-color-scheme: dark){{{}}}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        style(&LIGHT),
        style(&DARK)
    );
    let (first, last) = (day(trend.runs.first()), day(trend.runs.last()));
    let _ = writeln!(
        out,
        "<text class=\"ink\" x=\"8\" y=\"22\" font-size=\"15\" font-weight=\"bold\">Benches: time against the first run</text>\n\
         <text class=\"muted\" x=\"8\" y=\"41\">{}, {first} to {last}; up is slower; bold: geometric mean of the crate</text>",
        if trend.runs.len() == 1 { "1 run".to_owned() } else { format!("{} runs", trend.runs.len()) }
    );
    for (i, (name, all)) in trend.crates.iter().enumerate() {
        let (x, y) = ((i % 2) as f64 * (column + GAP), 56.0 + (i / 2) as f64 * (PANEL + 52.0));
        panel(&mut out, name, all, &trend, (x, y, column));
    }
    out + "</svg>\n"
}

fn style(p: &Palette) -> String {
    let [ground, ink, muted, grid, bold] = [p.background, p.ink, p.muted, p.grid, p.series(0)].map(hex);
    format!(
        ".ground{{fill:{ground}}}.ink{{fill:{ink}}}.muted{{fill:{muted}}}.grid{{stroke:{grid};fill:none}}\
         .one{{stroke:{muted};fill:none;opacity:.35}}.mean{{stroke:{bold};fill:none;stroke-width:2.5}}.dot{{fill:{bold}}}"
    )
}

fn panel(out: &mut String, name: &str, all: &BTreeMap<&str, Series>, trend: &Trend<'_>, at: (f64, f64, f64)) {
    let (x0, y0, width) = at;
    let (top, bottom) = (y0 + 26.0, y0 + 26.0 + PANEL - 30.0);
    let runs = trend.runs.len();
    let every: Vec<Vec<Option<f64>>> = all.values().map(ratios).collect();
    let mean = means(all, runs);
    // Powers of two on either side, as far as the lines go.
    let far = every.iter().flatten().flatten().fold(1.0f64, |far, r| far.max(r.log2().abs())).ceil().min(6.0);
    let place_x = |i: usize| {
        let share = if runs > 1 { i as f64 / (runs - 1) as f64 } else { 0.5 };
        x0 + LEFT + share * (width - LEFT - 16.0)
    };
    let place_y = |ratio: f64| {
        let share = (ratio.log2().clamp(-far, far) + far) / (2.0 * far);
        bottom - share * (bottom - top)
    };
    let _ = writeln!(
        out,
        "<text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\">{name} ({} benches)</text>",
        x0 + 8.0,
        y0 + 14.0,
        all.len()
    );
    for power in [-far, 0.0, far] {
        let (y, label) = (place_y(power.exp2()), format!("{}", (power.exp2() * 1000.0).round() / 1000.0));
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{:.1} {y:.1}H{:.1}\"/><text class=\"muted\" x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label}</text>",
            x0 + LEFT - 6.0,
            x0 + width - 10.0,
            x0 + LEFT - 10.0,
            y + 4.0
        );
    }
    let line = |points: &[Option<f64>]| {
        let mut path = String::new();
        for (i, ratio) in points.iter().enumerate().filter_map(|(i, r)| Some((i, (*r)?))) {
            let _ = write!(path, "{}{:.1} {:.1}", if path.is_empty() { 'M' } else { 'L' }, place_x(i), place_y(ratio));
        }
        path
    };
    for points in &every {
        let _ = writeln!(out, "<path class=\"one\" d=\"{}\"/>", line(points));
    }
    let _ = writeln!(out, "<path class=\"mean\" d=\"{}\"/>", line(&mean));
    for (i, ratio) in mean.iter().enumerate().filter_map(|(i, r)| Some((i, (*r)?))) {
        let _ = writeln!(
            out,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{}: {ratio:.3}</title></circle>",
            place_x(i),
            place_y(ratio),
            day(trend.runs.get(i))
        );
    }
    let ends = [(0, "start"), (runs - 1, "end")];
    for (i, anchor) in ends.into_iter().take(runs.min(2)) {
        let anchor = if runs == 1 { "middle" } else { anchor };
        let _ = writeln!(
            out,
            "<text class=\"muted\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            place_x(i),
            bottom + 18.0,
            day(trend.runs.get(i))
        );
    }
}

/// Day and commit.
fn day(run: Option<&&Value>) -> String {
    let Some(run) = run else { return String::new() };
    let text = |key: &str, n: usize| run[key].as_str().and_then(|t| t.get(..n)).unwrap_or_default().to_owned();
    format!("{} {}", text("date", 10), text("commit", 7))
}

/// The runs, and a table for each crate.
#[must_use]
pub fn markdown(runs: &[Value]) -> String {
    let trend = Trend::of(runs);
    let mut out = String::from(
        "# Benches over time\n\nMade by `cargo xtask bench` (`--quick` for a short look, `-p CRATE` for some of them), which adds a dated file here and writes \
         this page.\nTimes are medians with criterion's 95 % bootstrap intervals. Only runs on one machine and of one length are held against each \
         other;\n`load` is the load average of the last minute before and after: above 1 the machine did other work and the times say so too.\n\n\
         ![Time of the benches against their first run, by crate](trend.svg)\n\n## Runs\n\n\
         | date | commit | machine | length | load | benches |\n| --- | --- | --- | --- | --- | ---: |\n",
    );
    for run in runs.iter().rev() {
        let load = |k: &str| run["load"][k].as_f64().map_or("n/a".to_owned(), |l| format!("{l:.2}"));
        let _ = writeln!(
            out,
            "| {} | {}{} | {}, {} cores | {} | {} to {} | {} |",
            run["date"].as_str().unwrap_or_default(),
            run["commit"].as_str().and_then(|c| c.get(..7)).unwrap_or_default(),
            if run["modified"] == true { ", modified" } else { "" },
            run["machine"]["cpu"].as_str().unwrap_or_default(),
            run["machine"]["cores"],
            if run["quick"] == true { "quick" } else { "full" },
            load("before"),
            load("after"),
            run["results"].as_array().map_or(0, Vec::len)
        );
    }
    for (name, all) in &trend.crates {
        let _ = write!(
            out,
            "\n## {name}\n\n| bench | newest median [95 %] | against the run before | against the first |\n| --- | ---: | ---: | ---: |\n"
        );
        for (id, series) in all {
            let seen: Vec<&[f64; 3]> = series.iter().flatten().collect();
            let Some(newest) = seen.last() else { continue };
            let against = |other: Option<&&[f64; 3]>| {
                other.map_or("".to_owned(), |o| {
                    let apart = newest[1] > o[2] || newest[2] < o[1];
                    format!("{:.2}{}", newest[0] / o[0], if apart { " *" } else { "" })
                })
            };
            let before = seen.len().checked_sub(2).and_then(|i| seen.get(i));
            let first = if seen.len() > 1 { seen.first() } else { None };
            let [median, lo, hi] = newest.map(time);
            let _ = writeln!(out, "| {id} | {median} [{lo}, {hi}] | {} | {} |", against(before), against(first));
        }
    }
    out + "\nAn asterisk: the two intervals do not overlap.\n"
}

/// Three figures and a unit.
fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "us"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(date: &str, cpu: &str, times: &[(&str, f64)]) -> Value {
        let result = |(id, ns): &(&str, f64)| json!({"crate": "vbench-load", "id": id, "median_ns": ns, "lo_ns": 0.95 * ns, "hi_ns": 1.05 * ns});
        json!({
            "date": date, "commit": "0123456789", "quick": false, "machine": {"cpu": cpu, "cores": 2}, "load": {"before": 0.1},
            "results": times.iter().map(result).collect::<Vec<_>>(),
        })
    }

    #[test]
    fn a_bench_is_held_against_its_own_first_time_on_the_same_machine() {
        let runs = [
            run("2026-01-01T", "x", &[("a", 1.0)]),
            run("2026-01-02T", "y", &[("a", 1_000.0), ("b", 100.0)]),
            run("2026-01-03T", "y", &[("a", 2_000.0), ("b", 102.0), ("c", 5e6)]),
        ];
        let trend = Trend::of(&runs);
        assert_eq!(trend.runs.len(), 2);
        let all = &trend.crates["vbench-load"];
        assert_eq!(ratios(&all["a"]), [Some(1.0), Some(2.0)]);
        assert_eq!(ratios(&all["c"]), [None, Some(1.0)]);
        let mean = means(all, 2)[1].expect("a mean");
        assert!((mean - (2.0f64 * 1.02).powf(1.0 / 3.0)).abs() < 1e-12, "{mean}");
        let page = markdown(&runs);
        for line in [
            "| a | 2.00 us [1.90 us, 2.10 us] | 2.00 * | 2.00 * |",
            "| b | 102 ns [96.9 ns, 107 ns] | 1.02 | 1.02 |",
            "| c | 5.00 ms [4.75 ms, 5.25 ms] |  |  |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
        let figure = svg(&runs);
        assert!(figure.contains("2 runs") && figure.contains("prefers-color-scheme: dark") && !figure.contains("NaN"));
        assert_eq!(figure.matches("class=\"one\"").count(), 3);
        assert!(!svg(&runs[..1]).contains("NaN"));
    }
}
