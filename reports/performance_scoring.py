#!/usr/bin/env python3
"""Measures scoring beside its peers and rewrites the section `Scoring` of reports/performance.md.

usage: python3 reports/performance_scoring.py [--rounds N]

Needs `cargo build --release -p vbench` and `cargo build --release --example scoring_speed -p vbench-score`, the peers that
`cargo xtask test` puts into target/peers with `target/peers/bin/pip install whisper-normalizer==0.1.15` added, and sclite
(Debian: sctk). The 20,000 pairs are those of golden/oracles/peers_scoring_bench.py. Programs run in turn (A B C, A B C, ...);
a ratio is the median over rounds of the ratio within a round. One thread each.
"""
import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import performance as base

ROOT = base.ROOT
SPEED = os.path.join(ROOT, "target/release/examples/scoring_speed")
SCRIPT = os.path.join(ROOT, "golden/oracles/peers_scoring_bench.py")
PEER_PROCESS = """
import json, sys, time
r = open(sys.argv[1], encoding="utf-8").read().split("\\n")[:-1]
h = open(sys.argv[2], encoding="utf-8").read().split("\\n")[:-1]
import jiwer
from whisper_normalizer.english import EnglishTextNormalizer
n = EnglishTextNormalizer()
t = time.perf_counter(); o = jiwer.process_words(r, h); words = time.perf_counter() - t
t = time.perf_counter(); c = sum(len(n(s)) for s in r[:4000]); norm = time.perf_counter() - t
print(json.dumps(dict(words_s=words, errors=o.substitutions + o.deletions + o.insertions, normalize_4000_s=norm, letters=c)))
"""


def timed(command, cwd):
    """Wall and CPU seconds of a whole process that must succeed, and what it printed."""
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, env=dict(os.environ, RAYON_NUM_THREADS="1"))
    wall, after = time.perf_counter() - begin, os.times()
    return wall, (after[2] + after[3]) - (before[2] + before[3]), done.stdout


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=5)
    a = ap.parse_args()
    peer = os.path.join(ROOT, "target/peers/bin")
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([os.path.join(peer, "python"), SCRIPT, "--out", d, "--write-only"], check=True, capture_output=True)
        sclite = (["sclite"] if shutil.which("sclite") else ["sctk", "sclite"]) + [
            "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "spu_id", "-s", "-e", "utf-8", "-f", "0", "-o", "sum", "stdout"]
        commands = {
            "vbench": [base.BIN, "score", "--ref", "ref.txt", "--hyp", "hyp.txt", "--json", "--threads", "1"],
            "vbench_trn": [base.BIN, "score", "--ref", "ref.trn", "--hyp", "hyp.trn", "--json", "--threads", "1"],
            "jiwer": [os.path.join(peer, "jiwer"), "-r", "ref.txt", "-h", "hyp.txt"],
            "sclite": sclite,
        }
        times = {name: [] for name in commands}
        inside, outside = [], []
        for _ in range(a.rounds):
            for name, command in commands.items():
                times[name].append(timed(command, d))
            inside.append(json.loads(timed([SPEED, "ref.txt", "hyp.txt", "1"], d)[2]))
            outside.append(json.loads(timed([os.path.join(peer, "python"), "-c", PEER_PROCESS, "ref.txt", "hyp.txt"], d)[2]))
        wer = json.loads(times["vbench"][0][2])["results"][0]["words"]["wer"]["value"]
        assert abs(wer - float(times["jiwer"][0][2].decode().strip())) < 1e-12, "vbench and jiwer disagree"
        assert inside[0]["errors"] == outside[0]["errors"], "vbench and jiwer disagree"
    base.replace_section("Scoring", lines(a.rounds, times, inside, outside))
    print(os.path.join(ROOT, "reports/performance.md"))


def lines(rounds, times, inside, outside):
    def ratio(ours, theirs, field):
        return statistics.median(t[field] / o[field] for o, t in zip(times[ours], times[theirs]))

    def process(name, ours, theirs):
        wall = [statistics.median(t[0] for t in times[n]) for n in (ours, theirs)]
        return "| %s | %.3f s | %.3f s | **%.1f** | %.1f |" % (name, wall[0], wall[1], ratio(ours, theirs, 0), ratio(ours, theirs, 1))

    def within(name, ours, theirs):
        pairs = [(i[ours][0], o[theirs]) for i, o in zip(inside, outside)]
        return "| %s | %.4f s | %.3f s | **%.1f** | |" % (
            name, statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs),
            statistics.median(p[1] / p[0] for p in pairs))

    return [
        "Made by `python3 reports/performance_scoring.py --rounds %d` on %s; 20,000 pairs (390,745 reference words) of"
        % (rounds, base.cpu_name()),
        "`golden/oracles/peers_scoring_bench.py`, one thread, everything in turn within a round. Ratios are theirs / ours, the median over rounds.",
        "vbench's whole process reads both files, counts words and characters, computes three intervals and writes JSON.",
        "",
        "| what | vbench | peer | wall ratio | CPU ratio |",
        "| --- | --- | --- | --- | --- |",
        process("whole process, text files: jiwer 4.0.0 (words only, no interval)", "vbench", "jiwer"),
        process("whole process, trn files: sclite 2.10 (`-o sum`)", "vbench_trn", "sclite"),
        within("words with operations, inside the process: jiwer.process_words", "words_s", "words_s"),
        within("English normalisation of 4,000 references: whisper-normalizer 0.1.15", "normalize_4000_s", "normalize_4000_s"),
    ]


if __name__ == "__main__":
    main()
