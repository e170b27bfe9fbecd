//! What a terminal shows of a bench beside the table of times.

use vbench_load::{Band, BudgetVerdict, LoadSearch, Resources, StageSummary, SweepSummary};

use super::{BenchView, ms, tail_text};
use crate::format;
use crate::grid::Grid;

/// Everything that the bench has, each under its own line.
pub(super) fn more(view: &BenchView<'_>) -> String {
    let s = view.summary;
    let mut out = String::new();
    if let Some(sound) = s.sound {
        out += &format!(
            "{:<24}{} of {} replies ran dry, {} times, {} ms in all; {} were silent\n",
            "sound",
            sound.with_underruns,
            format::count(sound.replies as u64),
            sound.underruns,
            ms(sound.gap as f64),
            sound.silent
        );
    }
    if let Some(b) = &s.barge_in {
        out += &format!("{:<24}{} replies stopped, {} did not\n", "barge-in", b.stopped(), b.ignored);
    }
    if let Some(trend) = s.trend.as_ref().filter(|t| t.slows_down) {
        out += &format!(
            "SLOWS DOWN: times grow by {:.0} % from the beginning of the run to its end ({} one-sided, Mann-Kendall)\n",
            100.0 * trend.rise,
            format::p_in_words(trend.p_rise)
        );
    }
    if let Some(b) = s.backlog.filter(|b| b.grows()) {
        out += &format!(
            "QUEUE GROWS: another request found mostly at most {} in flight in the first half of the run, never under {} in the \
             second\n",
            b.usual, b.least
        );
    }
    if !view.bands.is_empty() {
        out += &format!("{:<24}{}\n", "waits", view.bands.iter().map(band).collect::<Vec<_>>().join(", "));
    }
    if let Some(resources) = view.resources {
        out += &used(resources);
    }
    for table in [
        s.stages.as_ref().map(stages),
        (!view.budgets.is_empty()).then(|| budgets_text(view.budgets)),
        view.search.map(search),
        view.sweep.map(sweep),
    ] {
        out += &table.map_or(String::new(), |table| format!("\n{table}"));
    }
    out
}

fn band(b: &Band) -> String {
    let name = match b.to_ms {
        Some(to) if b.from_ms <= 0.0 => format!("under {to} ms"),
        Some(to) => format!("{}-{to} ms", b.from_ms),
        None => format!("{} ms or more", b.from_ms),
    };
    format!("{} % {name}", format::coverage_percent(b.share))
}

fn used(r: &Resources) -> String {
    let mut parts = Vec::new();
    let of = |value: Option<f64>, text: &dyn Fn(f64) -> String| value.map(text);
    parts.extend(of(r.cpu_ms_per_request, &|v| format!("{v:.1} ms of processor time a request")));
    parts.extend(of(r.cpus, &|v| format!("{v:.2} processors busy")));
    parts.extend(of(r.rss_peak_mib, &|v| format!("{v:.0} MiB at most")));
    parts.extend(r.threads.map(|n| format!("{n} threads")));
    parts.extend(r.allocations.map(|a| {
        format!("{:.0} allocations of {:.2} MiB a request", a.per_request, a.bytes_per_request / f64::from(1 << 20))
    }));
    format!("{:<24}{} ({})\n", "used", parts.join(", "), r.boundary)
}

fn stages(s: &StageSummary) -> String {
    let mut grid = Grid::new(&[
        ("stage, ms", false),
        ("owner", false),
        ("share", true),
        ("mean", true),
        ("p50", true),
        ("p95", true),
    ]);
    for stage in &s.stages {
        let t = &stage.times;
        grid.push(vec![
            stage.name.clone(),
            stage.owner.clone(),
            format!("{} %", format::coverage_percent(stage.share)),
            t.mean.map_or_else(|| format::ABSENT.to_owned(), ms),
            tail_text(&t.tails[0]),
            tail_text(&t.tails[2]),
        ]);
    }
    let mut out = format!(
        "{}of {} turns, turn by turn the sum of the stages is the wait\n",
        grid.plain(),
        format::count(s.turns as u64)
    );
    if let Some((id, reason)) = &s.first_impossible {
        out += &format!("{} turns reported stages that cannot be true, the first {id}: {reason}\n", s.impossible);
    }
    out
}

/// Budgets with their verdicts.
#[must_use]
pub fn budgets_text(budgets: &[BudgetVerdict]) -> String {
    let mut grid =
        Grid::new(&[("budget", false), ("limit", true), ("observed, ms", true), ("over", true), ("verdict", false)]);
    for b in budgets {
        let limit = format!("p{} {} ms", b.budget.percentile, b.budget.limit_ms);
        let needed = b.needed.map_or(String::new(), |n| format!(" (needs {n} requests)"));
        let verdict = match (b.n, b.verdict) {
            (0, _) => "fail: no turn speaks to it".to_owned(),
            (_, vbench_load::Verdict::Inconclusive) => format!("inconclusive{needed}"),
            (_, verdict) => verdict.name().to_owned(),
        };
        let over = format!("{} of {}", b.over, b.n);
        grid.push(vec![b.budget.subject.name().to_owned(), limit, tail_text(&b.observed), over, verdict]);
    }
    grid.plain()
}

fn search(s: &LoadSearch) -> String {
    let mut grid = Grid::new(&[
        ("rate, 1/s", true),
        ("answered, 1/s", true),
        ("p50, ms", true),
        ("p95, ms", true),
        ("p99, ms", true),
        ("", false),
    ]);
    let mut by_rate: Vec<_> = s.trials.iter().collect();
    by_rate.sort_by(|a, b| a.rate_hz.total_cmp(&b.rate_hz));
    for t in by_rate {
        let tails = &t.summary.latency.tails;
        let verdict = if t.confirms { format!("{} (longer)", t.holds.name()) } else { t.holds.name().to_owned() };
        grid.push(vec![
            format!("{:.3}", t.rate_hz),
            format!("{:.3}", t.summary.answered_hz),
            tail_text(&tails[0]),
            tail_text(&tails[2]),
            tail_text(&tails[3]),
            verdict,
        ]);
    }
    let best = s.best_hz.map_or_else(|| "no rate is confirmed".to_owned(), |hz| format!("{hz:.3} requests/s"));
    format!("{}p{} of at most {} ms: {best} ({})\n", grid.plain(), s.goal.percentile, s.goal.limit_ms, s.ended)
}

fn sweep(s: &SweepSummary) -> String {
    let mut grid =
        Grid::new(&[("", false), ("n", true), ("mean, ms", true), ("p50, ms", true), ("p95, ms", true), ("RTF", true)]);
    for p in &s.points {
        grid.push(vec![
            format!("{} {}", p.value, s.parameter.unit()),
            format::count(p.latency.n as u64),
            p.latency.mean.map_or_else(|| format::ABSENT.to_owned(), ms),
            tail_text(&p.latency.tails[0]),
            tail_text(&p.latency.tails[2]),
            p.rtf.map_or_else(|| format::ABSENT.to_owned(), |v| format!("{v:.4}")),
        ]);
    }
    let mut out = grid.plain();
    match &s.cost {
        None => {}
        Some(Err(reason)) => out += &format!("no cost curve: {reason}\n"),
        Some(Ok(curve)) => {
            let units = [" ms", " ms/s x n", " ms/s^2 x n^2"];
            let terms: Vec<String> = units
                .iter()
                .zip(&curve.fit.terms)
                .map(|(unit, t)| format!("{:.3} [{:.3}, {:.3}]{unit}", t.value, t.lo, t.hi))
                .collect();
            out += &format!("time of n seconds: {} (least squares over {} clips)\n", terms.join(" + "), curve.clips);
        }
    }
    out
}
