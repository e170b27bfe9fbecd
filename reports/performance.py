#!/usr/bin/env python3
"""Measures vbench on this machine and writes reports/performance.md. Nothing else should run meanwhile.

usage: python3 reports/performance.py [--rounds N] [--base-rounds N] [--skip-peers] [--full RUN]

Needs `cargo build --release --examples -p vbench -p ref-models`, the weights (`vbench models pull whisper-tiny.en whisper-base`),
`vbench data pull asterisk-en`, and the peers that `cargo xtask test` puts into target/peers. Every comparison runs both
programs in turn (A B B A ...) on the same clips with the same number of threads; ratios are taken pair by pair.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

# Utterances, through all 8 conditions, for the comparison of encoder inputs.
FEW = 9
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "target/release/vbench")
TRANSCRIBE = os.path.join(ROOT, "target/release/examples/transcribe")
PEER = os.path.join(ROOT, "target/peers/bin/python")
CACHE = os.environ.get("VBENCH_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vbench")


def run(command):
    """Wall seconds, CPU seconds, peak MiB, stdout, stderr of a finished command."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    if child.returncode != 0:
        raise SystemExit("%s: exit %d\n%s" % (" ".join(command), child.returncode, errors))
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text, errors


def suite(folder, name, extra):
    """Runs the default suite; returns wall, peak, the line that tells how the time splits, and WER by condition."""
    wall, _, peak, text, errors = run([BIN, "run", "suites/all.toml", "--quiet", "--json", "--audio-cache-gib", "0", "--out", os.path.join(folder, name)] + extra)
    split = [l.split("time:", 1)[1].strip() for l in errors.splitlines() if l.startswith("time:")][0]
    wer = {}
    for r in json.loads(text)["results"]:
        s = r["stratum"]
        if r["metric"] == "wer" and s["by"] in ("all", "condition"):
            wer[s.get("value") or "all"] = 100 * r["estimate"]["value"]
    return wall, peak, split, wer


def finished(folder):
    """Wall seconds and split of a run of the default suite made just before, from its report."""
    text = open(os.path.join(folder, "report.md"), encoding="utf-8").read()
    split = re.search(r"run ([0-9.]+) s; [^|\n]*", text)
    return float(split.group(1)), split.group(0).strip()


def totals(lines):
    last = json.loads(lines.strip().splitlines()[-1])
    return last["wall_s"][-1], last["cpu_s"][-1]


def versus(model, rounds, ids):
    """Pairs of (ours, theirs) seconds over the 60 human prompts, A B B A."""
    clips = ["--audio-dir", os.path.join(CACHE, "corpora/asterisk-en/audio"), "--ids", ids]
    folder = os.path.join(CACHE, "models", model)
    ours = [TRANSCRIBE, folder, "--language", "en", "--temperature", "0", "--threads", "2"] + clips
    theirs = [PEER, "reference/ref-models/parity/faster_whisper.py", "--model", folder, "--language", "en", "--threads", "2"] + clips
    pairs, peak = [], 0
    for turn in range(rounds):
        order = [("ours", ours), ("theirs", theirs)]
        got = {}
        for name, command in order if turn % 2 == 0 else reversed(order):
            _, _, memory, text, _ = run(command)
            got[name] = totals(text)
            peak = max(peak, memory) if name == "ours" else peak
        pairs.append((got["ours"], got["theirs"]))
    return pairs, peak


def row(model, pairs, peak):
    wall = [a[0] / b[0] for a, b in pairs]
    cpu = [a[1] / b[1] for a, b in pairs]
    ours = statistics.median(a[0] for a, _ in pairs) / 60
    theirs = statistics.median(b[0] for _, b in pairs) / 60
    return "| %s | %d | %.3f s | %.3f s | **%.2f** (%.2f to %.2f) | %.2f | %.0f MiB |" % (
        model, len(pairs), ours, theirs, statistics.median(wall), min(wall), max(wall), statistics.median(cpu), peak)


def cpu_name():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def replace_section(title, lines):
    """Puts lines under the heading of reports/performance.md, which is added where it is missing."""
    path = os.path.join(ROOT, "reports/performance.md")
    text = open(path, encoding="utf-8").read()
    section = "## %s\n\n%s\n" % (title, "\n".join(lines))
    found = re.search(r"^## %s\n.*?(?=^## |\Z)" % re.escape(title), text, re.M | re.S)
    text = text[:found.start()] + section + "\n" * (found.end() < len(text)) + text[found.end():] if found else text + "\n" + section
    open(path, "w", encoding="utf-8").write(text)


def other_sections(own):
    """What other scripts wrote into reports/performance.md."""
    path = os.path.join(ROOT, "reports/performance.md")
    text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    return [s.rstrip() for s in re.findall(r"^## .*?(?=^## |\Z)", text, re.M | re.S) if s.split("\n", 1)[0][3:] not in own]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=4)
    ap.add_argument("--base-rounds", type=int, default=2)
    ap.add_argument("--skip-peers", action="store_true")
    ap.add_argument("--full", help="folder of a finished run of suites/all.toml to report instead of a new one")
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ids = os.path.join(folder, "ids.txt")
        with open(ids, "w") as f:
            for line in open(os.path.join(ROOT, "golden/oracles/human60.jsonl"), encoding="utf-8"):
                f.write(json.loads(line)["id"] + "\n")
        wall, split = finished(a.full) if a.full else suite(folder, "full", [])[0:3:2]
        few = ["--limit", str(FEW)]
        few_wall, peak, _, wer = suite(folder, "few", few)
        cut_wall, _, _, cut_wer = suite(folder, "cut", few + ["--model", "whisper-tiny.en=whisper:whisper-tiny.en,encoder=audio+2"])
        _, _, fake_split, _ = suite(folder, "fake", ["--model", "f=fake:drop=7"])
        helps = sorted(run([BIN, "--help"])[0] * 1e3 for _ in range(21))
        table = []
        if not a.skip_peers:
            for model, rounds in (("whisper-tiny.en", a.rounds), ("whisper-base", a.base_rounds)):
                if rounds > 0:
                    table.append(row(model, *versus(model, rounds, ids)))
    lines = ["# Performance", "",
             "Made by `python3 reports/performance.py --rounds %d --base-rounds %d` on %s, %d cores; every ratio is measured side by side in one run."
             % (a.rounds, a.base_rounds, cpu_name(), os.cpu_count()), "",
             "## The default suite", "",
             "`vbench run suites/all.toml`, 576 cells, weights there: **%.0f s** wall; peak memory %.0f MiB (of %d utterances)." % (wall, peak, FEW), "",
             "- Split: %s." % split,
             "- Without a model (`--model f=fake:drop=7`): %s." % fake_split,
             "- `vbench --help`: median %.1f ms of 21." % helps[10], "",
             "## Encoder input cut to the audio plus 2 s (option, off by default)", "",
             "`--limit %d` with and without `--model whisper-tiny.en=whisper:whisper-tiny.en,encoder=audio+2`: %.0f s instead of %.0f s wall (ratio %.2f)."
             % (FEW, cut_wall, few_wall, cut_wall / few_wall), "",
             "| WER % | " + " | ".join(wer) + " |", "| --- |" + " --- |" * len(wer),
             "| full 30 s windows | " + " | ".join("%.2f" % wer[k] for k in wer) + " |",
             "| audio + 2 s | " + " | ".join("%.2f" % cut_wer[k] for k in wer) + " |", ""]
    if table:
        lines += ["## Whisper beside faster-whisper", "",
                  "60 human prompts (`golden/oracles/human60.jsonl`), full 30 s windows, float32, beam 1, temperature 0, 2 threads, model loaded beforehand; "
                  "CTranslate2 through faster-whisper 1.2.1. Time a clip is the median over rounds; the ratio is ours / theirs, pair by pair.", "",
                  "| model | rounds | ours, a clip | faster-whisper, a clip | wall ratio (range) | CPU ratio | our peak |",
                  "| --- | --- | --- | --- | --- | --- | --- |"] + table + [""]
        notes = os.path.join(ROOT, "reports/performance-notes.md")
        if os.path.exists(notes):
            lines += [open(notes, encoding="utf-8").read().rstrip(), ""]
    own = {"The default suite", "Encoder input cut to the audio plus 2 s (option, off by default)",
           "Whisper beside faster-whisper", "What to make of it"}
    others = other_sections(own)
    path = os.path.join(ROOT, "reports/performance.md")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines + [part + "\n" for part in others]))
    print(path)


if __name__ == "__main__":
    main()
