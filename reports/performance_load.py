#!/usr/bin/env python3
"""Measures the load generator itself, beside hyperfine and a plain loop, and rewrites the section `Load` of
reports/performance.md.

usage: python3 reports/performance_load.py [--rounds N] [--seconds S] [--requests N] [--realtime]

Needs `cargo build --release -p vbench` and `cargo build --release --example plain_loop -p vbench-model`; hyperfine (Debian:
hyperfine) where it is installed or unpacked into target/hyperfine, else Python's own clock around the process. The model is
`fake:echo`, which answers in about a microsecond: whatever else is measured is the instrument. Programs run in turn; a figure
is the median over rounds, its range beside it. The machine should do nothing else: the load average before is written down. Where it
must do other work, --realtime gives all programs alike the scheduler's real-time class (chrt -f 1, Linux, root) and says so.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import performance as base

ROOT = base.ROOT
LOOP = os.path.join(ROOT, "target/release/examples/plain_loop")
UNPACKED = os.path.join(ROOT, "target/hyperfine/usr/bin/hyperfine")
LIMITS = {"overhead_us": 50.0, "lateness_ms": 1.0, "rate_hz": 10_000.0}


def bench(folder, *options):
    """A bench of the fake model: its JSON and its requests."""
    out = os.path.join(folder, "bench")
    shutil.rmtree(out, ignore_errors=True)
    command = [base.BIN, "bench", "fake:echo", "-q", "--json", "--out", out, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    # 6 is a void run: its figures say why.
    if done.returncode not in (0, 6):
        raise SystemExit("%s: exit %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    with open(os.path.join(out, "requests.jsonl"), encoding="utf-8") as lines:
        next(lines)
        requests = [json.loads(line) for line in lines]
    return json.loads(done.stdout), requests


def p(values, share):
    return sorted(values)[int((len(values) - 1) * share)]


def result(data, metric):
    return next(r for r in data["results"] if r["metric"] == metric)


def p99_ms(data, metric):
    """The bench's own p99, None where it refuses one."""
    return next(q["value"] for q in result(data, metric)["percentiles"] if q["percentile"] == 99.0)


def overhead(folder, requests):
    """What the instrument adds to each latency that it reports, us: from the time due to the answer, less the model's own time."""
    data, found = bench(folder, "--scenario", "single-stream", "--min-count", str(requests), "--min-duration-s", "0")
    added = [(r["at"] - r["due"] - sum(s["t1"] - s["t0"] for s in r["stages"])) / 1e3 for r in found]
    model = [sum(s["t1"] - s["t0"] for s in r["stages"]) / 1e3 for r in found]
    return {"p50": p(added, 0.5), "p99": p(added, 0.99), "model": p(model, 0.5), "per_s": data["answered_per_s"]}


def feeder(folder, seconds):
    data, found = bench(folder, "--scenario", "paced", "--streams", "100", "--chunk-ms", "20", "--min-duration-s", str(seconds), "--min-count", "100")
    late = [ns / 1e6 for r in found for ns in r["chunk_lateness"]]
    return {"p50": p(late, 0.5), "p99": p99_ms(data, "lateness_ms"), "max": max(late), "chunks": len(late), "voided": data["voided"]}


def open_loop(folder, seconds):
    data, _ = bench(folder, "--scenario", "server", "--rate", "10200", "--min-duration-s", str(seconds), "--min-count", "1000")
    late, latency = p99_ms(data, "lateness_ms"), p99_ms(data, "latency_ms")
    return {"offered": data["offered_per_s"], "answered": data["answered_per_s"], "late": late, "latency": latency,
            "all": data["counts"]["answered"] == data["counts"]["requests"], "voided": data["voided"]}


def hyperfine():
    return shutil.which("hyperfine") or (UNPACKED if os.path.exists(UNPACKED) else None)


def whole_process(folder, requests):
    """Seconds of whole processes that make the same number of calls: ours and the plain loop."""
    whole = os.path.join(folder, "whole")
    ours = [base.BIN, "bench", "fake:echo", "-q", "--json", "--min-count", str(requests), "--min-duration-s", "0", "--out", whole]
    commands = [" ".join(ours), "%s %d" % (LOOP, requests)]
    if hyperfine():
        out = os.path.join(folder, "hyperfine.json")
        run = [hyperfine(), "--style", "none", "--warmup", "1", "--runs", "5", "--prepare", f"rm -rf {whole}", "--export-json", out, *commands]
        subprocess.run(run, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [r["median"] for r in json.load(open(out))["results"]]
    found = []
    for command in commands:
        times = []
        for _ in range(5):
            # A folder takes one run.
            shutil.rmtree(whole, ignore_errors=True)
            begin = time.perf_counter()
            subprocess.run(command.split(), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begin)
        found.append(statistics.median(times))
    return found


def section(a, load, rounds):
    def of(part, key, form, scale=1.0):
        values = [scale * r[part][key] for r in rounds if r[part][key] is not None]
        if not values:
            return "n/a"
        return "%s (%s to %s)" % tuple(form % v for v in (statistics.median(values), min(values), max(values)))

    def holds(part, key, limit, above=False):
        values = [r[part][key] for r in rounds if r[part][key] is not None]
        if not values:
            return "not measured"
        m = statistics.median(values)
        return "kept" if (m >= limit if above else m <= limit) else "MISSED"

    timer = "hyperfine" if hyperfine() else "Python's clock around the process"
    ours, loop = (statistics.median(r["whole"][i] for r in rounds) for i in (0, 1))
    voids = [r[k]["voided"] for r in rounds for k in ("feeder", "server") if r[k]["voided"]]
    rate = statistics.median(r["server"]["answered"] for r in rounds)
    kept = rate >= LIMITS["rate_hz"] and not any(r["server"]["voided"] for r in rounds) and all(r["server"]["all"] for r in rounds)
    realtime = " --realtime" if a.realtime else ""
    shared = ["The machine did other work: all programs ran in the scheduler's real-time class, which stands in for an idle machine."] if a.realtime else []
    lines = [
        f"Made by `python3 reports/performance_load.py --rounds {a.rounds} --seconds {a.seconds:g} --requests {a.requests}{realtime}` on {base.cpu_name()}, {os.cpu_count()} cores,",
        f"load average {load:.2f} before. The model is `fake:echo`; medians over rounds, their range in brackets.",
        *shared,
        "",
        "| what the instrument costs | measured | limit | |",
        "| --- | --- | --- | --- |",
        f"| added to each latency, p99: time due to answer less the model's own time, `single-stream`, {a.requests:,} requests | {of('overhead', 'p99', '%.1f')} us | {LIMITS['overhead_us']:g} us | {holds('overhead', 'p99', LIMITS['overhead_us'])} |",
        f"| the same, median | {of('overhead', 'p50', '%.1f')} us | | |",
        f"| lateness of the feeder, p99: `paced --streams 100 --chunk-ms 20`, {a.seconds:g} s | {of('feeder', 'p99', '%.3f')} ms | {LIMITS['lateness_ms']:g} ms | {holds('feeder', 'p99', LIMITS['lateness_ms'])} |",
        f"| requests a second, open loop: `server --rate 10200`, {a.seconds:g} s | {of('server', 'answered', '%.0f')} | {LIMITS['rate_hz']:,.0f} | {'kept' if kept else 'MISSED'} |",
        f"| there: lateness p99, latency p99 | {of('server', 'late', '%.3f')} ms, {of('server', 'latency', '%.3f')} ms | | |",
        "",
        "| what one call takes, by tool | time a call |",
        "| --- | --- |",
        f"| plain loop (`plain_loop {a.requests}`), the call alone: median, p99 | {of('loop', 'p50_us', '%.2f')} us, {of('loop', 'p99_us', '%.2f')} us |",
        f"| `vbench bench`, the model's own stage: median | {of('overhead', 'model', '%.2f')} us |",
        f"| {timer} on the plain loop, whole process / {a.requests:,} | {1e6 * loop / a.requests:.2f} us |",
        f"| {timer} on `vbench bench`, whole process / {a.requests:,} (loads clips, writes three files) | {1e6 * ours / a.requests:.1f} us |",
        "",
        "A plain loop and a timer around a process give one mean for calls that wait for each other: they cannot say what a request",
        "waits under a load, and a stall counts once, not for everybody whom it kept waiting.",
    ]
    if voids:
        lines += ["", f"{len(voids)} void runs: {voids[0]}"]
    return lines


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=10)
    ap.add_argument("--requests", type=int, default=20_000)
    ap.add_argument("--print", action="store_true", help="print the section and leave reports/performance.md as it is")
    ap.add_argument("--realtime", action="store_true", help="run everything in the scheduler's real-time class")
    a = ap.parse_args()
    if a.realtime:
        # Inherited by every program that is started.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    load = os.getloadavg()[0]
    rounds = []
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "target")) as folder:
        for _ in range(a.rounds):
            loop = json.loads(subprocess.run([LOOP, str(a.requests)], check=True, capture_output=True, text=True).stdout)
            rounds.append({"loop": loop, "overhead": overhead(folder, a.requests), "feeder": feeder(folder, a.seconds),
                           "server": open_loop(folder, a.seconds), "whole": whole_process(folder, a.requests)})
    lines = section(a, load, rounds)
    if not a.print:
        base.replace_section("Load", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
