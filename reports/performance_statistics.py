#!/usr/bin/env python3
"""Measures resampling beside numpy, and `vbench compare`, and rewrites the section `Statistics` of reports/performance.md.

usage: python3 reports/performance_statistics.py [--rounds N]

Needs `cargo build --release -p vbench` and `cargo build --release --example resampling_speed -p vbench-stats`, and the peers
that `cargo xtask test` puts into target/peers (numpy is among them). Programs run in turn; a ratio is the median over rounds.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time

import performance as base

SPEED = os.path.join(base.ROOT, "target/release/examples/resampling_speed")
UTTERANCES = 10_000
NUMPY = """
import json, sys, time
import numpy as np
E, W = np.loadtxt(sys.argv[1]).T
n = len(E); rng = np.random.default_rng(1); out = np.empty(10_000)
t = time.perf_counter()
for k in range(10_000):
    i = rng.integers(0, n, n)
    out[k] = E[i].sum() / W[i].sum()
lo, hi = np.percentile(out, [2.5, 97.5])
print(json.dumps(dict(s=time.perf_counter() - t, lo=lo, hi=hi, numpy=np.__version__)))
"""


def run_of_10000(folder, name, drop):
    """A run of 10,000 one-second utterances with the fake model."""
    suite = os.path.join(folder, "suite.toml")
    base.run([base.BIN, "run", suite, "--model", "m=fake:drop=%d" % drop, "--out", os.path.join(folder, name), "-q"])


def make_suite(folder):
    r = random.Random(1)
    wav = os.path.join(base.ROOT, "golden/oracles/wav/speech_a0.wav")
    words = [c + v for c in "bdfgklmnprst" for v in ("a", "ei", "o", "u")]
    with open(os.path.join(folder, "m.jsonl"), "w") as f:
        for i in range(UTTERANCES):
            text = " ".join(r.choice(words) for _ in range(r.randint(4, 20)))
            f.write(json.dumps(dict(id="u%05d" % i, audio=wav, text=text, speaker="s%03d" % (i % 200), language="en")) + "\n")
    with open(os.path.join(folder, "suite.toml"), "w") as f:
        f.write('schema = 1\nname = "ten-thousand"\ntask = "asr"\nseed = 1\nconditions = ["clean"]\nstrata = []\n'
                '[[corpora]]\nname = "c"\nmanifest = "m.jsonl"\n[[models]]\nname = "m"\nspec = "fake:echo"\n')


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=5)
    a = ap.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    ours, theirs, compare = [], [], []
    with tempfile.TemporaryDirectory() as d:
        data = os.path.join(d, "data.txt")
        r = random.Random(2)
        with open(data, "w") as f:
            for _ in range(UTTERANCES):
                words = max(3, min(45, int(r.gauss(20, 6))))
                f.write("%d %d\n" % (sum(r.random() < 0.08 for _ in range(words)), words))
        make_suite(d)
        run_of_10000(d, "a", 11)
        run_of_10000(d, "b", 12)
        for _ in range(a.rounds):
            ours.append(json.loads(subprocess.run([SPEED, data], check=True, capture_output=True).stdout))
            theirs.append(json.loads(subprocess.run([base.PEER, "-c", NUMPY, data], check=True, capture_output=True).stdout))
            begin = time.perf_counter()
            base.run([base.BIN, "compare", os.path.join(d, "a"), os.path.join(d, "b"), "--json"])
            compare.append(time.perf_counter() - begin)
    width = theirs[0]["hi"] - theirs[0]["lo"]
    assert abs(ours[0]["lo"] - theirs[0]["lo"]) < 0.05 * width and abs(ours[0]["hi"] - theirs[0]["hi"]) < 0.05 * width, "the intervals differ"
    middle = statistics.median
    base.replace_section("Statistics", [
        "Made by `python3 reports/performance_statistics.py --rounds %d` on %s; one thread for resampling, medians over rounds in turn."
        % (a.rounds, base.cpu_name()),
        "",
        "| what | vbench | peer | ratio |",
        "| --- | --- | --- | --- |",
        "| 10,000 replicates of a ratio of sums over 10,000 utterances: numpy %s, loop | %.1f ms | %.0f ms | **%.1f** |"
        % (theirs[0]["numpy"], 1e3 * middle(o["percentile_s"] for o in ours), 1e3 * middle(t["s"] for t in theirs),
           middle(t["s"] / o["percentile_s"] for o, t in zip(ours, theirs))),
        "| BCa over 40 speakers (9,999 replicates) and 100,000 sign flips | %.1f ms | | |" % (1e3 * middle(o["bca_and_flips_s"] for o in ours)),
        "| `vbench compare` of two runs of 10,000 utterances by 200 speakers, files included, %d cores | %.2f s | | |"
        % (os.cpu_count(), middle(compare)),
    ])
    print(os.path.join(base.ROOT, "reports/performance.md"))


if __name__ == "__main__":
    main()
