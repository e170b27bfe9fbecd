#!/usr/bin/env python3
"""Measures degradations and signal metrics beside their peers and rewrites the section `Degradations` of
reports/performance.md.

usage: python3 reports/performance_degrade.py [--rounds N] [--minutes M]

Needs `cargo build --release -p vbench`, `cargo build --release --example degrade_speed -p vbench-audio`,
`cargo build --release --example signal_speed -p vbench-score`, opusenc, opusdec (Debian: opus-tools), lame, and a Python with
numpy, scipy and pystoi: a private one is made in target/peers-dsp. Programs run in turn; a ratio is the median over rounds of
the ratio within a round. Kernels use one thread on both sides; the hour uses all cores, and CPU time is compared.
"""
import argparse
import glob
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave

import performance as base

ROOT = base.ROOT
EXAMPLES = os.path.join(ROOT, "target/release/examples")
VENV = os.path.join(ROOT, "target/peers-dsp")
EIGHT = "clean,noise-20db,noise-15db,noise-10db,noise-5db,reverb,mp3-64k,opus-16k"
PEER = r"""
import json, sys, time
import numpy as np, scipy.signal as ss
R = 16000
t = np.arange(30 * R) / R
x = 0.3 * np.sin(2 * np.pi * 220 * t) * abs(np.sin(2 * t))
h = np.random.default_rng(1).uniform(-1, 1, R // 2) * np.exp(-np.arange(R // 2) / 1200)
fir = np.random.default_rng(2).standard_normal(511)
def ms(f, n=9):
    v = []
    for _ in range(n):
        s = time.perf_counter(); f(); v.append(time.perf_counter() - s)
    return statistics_median(v) * 1e3
def statistics_median(v):
    return sorted(v)[len(v) // 2]
def p56(x):
    g = np.exp(-1 / (R * 0.03))
    q = ss.lfilter([1 - g], [1, -g], ss.lfilter([1 - g], [1, -g], abs(x)))
    n, energy, before = len(x), float(np.sum(x * x)), None
    index, hang = np.arange(n), int(np.ceil(0.2 * R))
    for j in range(15):
        c = 2.0 ** (j - 15)
        last = np.maximum.accumulate(np.where(q >= c, index, -n))
        active = int(np.count_nonzero(index - last <= hang))
        if active == 0:
            return before
        level = 10 * np.log10(energy / active)
        if level - 20 * np.log10(c) <= 15.9:
            return level
        before = level
def noise():
    level = p56(x)
    e = ss.oaconvolve(np.random.default_rng(1).standard_normal(len(x) + 510), fir, mode="valid")
    y = x + e * np.sqrt(10 ** ((level - 5) / 10) / np.mean(e * e))
    return np.round(y * min(1, 0.99997 / abs(y).max()) * 32768) / 32768
PHASES, WIDTH = 16, 40
tap = np.arange(2 * WIDTH + 1)
at = tap[None, :] - WIDTH - np.arange(PHASES)[:, None] / PHASES
delays = np.sinc(at) * (0.5 + 0.5 * np.cos(np.pi * at / (WIDTH + 1)))
sos = ss.butter(2, 10, "high", fs=R, output="sos")
def reverb():
    size, source, mic, rt60, c = np.array([6.2, 4.8, 2.8]), np.array([2.1, 1.9, 1.4]), np.array([4.0, 2.4, 1.2]), 0.5, 343.0
    volume, surface = size.prod(), 2 * (size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
    beta = np.sqrt(1 - 24 * np.log(10) / c * volume / (surface * rt60))
    direct = np.linalg.norm(source - mic)
    reach = c * rt60 + direct
    axes = []
    for a in range(3):
        n = np.arange(-int(reach / size[a]) - 2, int(reach / size[a]) + 3)
        place = n * size[a] + np.where(n % 2 == 0, source[a], size[a] - source[a]) - mic[a]
        axes.append((place ** 2, abs(n)))
    square = axes[0][0][:, None, None] + axes[1][0][None, :, None] + axes[2][0][None, None, :]
    order = axes[0][1][:, None, None] + axes[1][1][None, :, None] + axes[2][1][None, None, :]
    keep = square <= reach ** 2
    d, order = np.sqrt(square[keep]), order[keep]
    fine = np.maximum((d - direct) * R / c, 0) * PHASES
    step = fine.astype(np.int64)
    weight = direct * beta ** order / d
    train = np.bincount(step, weight * (1 - (fine - step))) 
    late = np.bincount(step + 1, weight * (fine - step))
    n = -(-max(len(train), len(late)) // PHASES) * PHASES
    train = np.pad(train, (0, n - len(train))) + np.pad(late, (0, n - len(late)))
    h = sum(np.convolve(t, f) for t, f in zip(train.reshape(-1, PHASES).T, delays))
    h = ss.sosfiltfilt(sos, h, padlen=0)
    y = ss.oaconvolve(x, h)[WIDTH : WIDTH + len(x)]
    return np.round(y * min(1, 0.99997 / abs(y).max()) * 32768) / 32768
def same_filter(up, down):
    m = max(up, down)
    return ss.firwin(2 * 72 * m + 1, 0.95 / m, window=("kaiser", 11.16))
x44, x48 = np.resize(x, 30 * 44100).astype(np.float32), np.resize(x, 30 * 48000).astype(np.float32)
f44, f48, f2 = same_filter(160, 441), same_filter(1, 3), same_filter(2, 1)
hour = (np.arange(3600 * 8000) * 7919).astype(np.int16)
x32, h32 = x.astype(np.float32), h.astype(np.float32)
print(json.dumps({
    "convolve": ms(lambda: ss.oaconvolve(x, h)), "convolve single": ms(lambda: ss.oaconvolve(x32, h32)),
    "noise": ms(noise), "reverb": ms(reverb),
    "resample-44100": ms(lambda: ss.resample_poly(x44, 160, 441, window=f44)),
    "resample-48000": ms(lambda: ss.resample_poly(x48, 1, 3, window=f48)),
    "resample-8000-up": ms(lambda: ss.resample_poly(x32, 2, 1, window=f2)),
    "resample-44100 default": ms(lambda: ss.resample_poly(x44, 160, 441)),
    "resample-48000 default": ms(lambda: ss.resample_poly(x48, 1, 3)),
    "resample-8000-up default": ms(lambda: ss.resample_poly(x32, 2, 1)),
    "hour copied": ms(hour.copy),
}))
"""
STOI_PEER = """
import json, sys, time
import numpy as np
from pystoi import stoi
x, y = (np.fromfile(p, dtype="<f4").astype(float) for p in sys.argv[1:3])
out = {}
for name, extended in [("stoi", False), ("estoi", True)]:
    stoi(x, y, 16000, extended)
    v = []
    for _ in range(7):
        s = time.perf_counter(); value = stoi(x, y, 16000, extended); v.append(time.perf_counter() - s)
    out[name] = {"s": sorted(v)[3], "value": value}
print(json.dumps(out))
"""
ONE = dict(os.environ, RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(command):
    """Wall and CPU seconds of a process that must succeed."""
    before, begin = cpu(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin, cpu() - before


def python():
    path = os.path.join(VENV, "bin/python")
    if not os.path.exists(path):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([path, "-m", "pip", "-q", "install", "numpy==2.2.6", "scipy==1.17.1", "pystoi==0.4.1"], check=True)
    return path


def kernels(rounds):
    """Milliseconds of vbench's and scipy's kernels, in turn."""
    ours, theirs = [], []
    for _ in range(rounds):
        text = subprocess.run([os.path.join(EXAMPLES, "degrade_speed")], check=True, capture_output=True, text=True, env=ONE)
        ours.append({line.split()[0]: float(line.split()[1]) for line in text.stdout.splitlines()})
        text = subprocess.run([python(), "-c", PEER], check=True, capture_output=True, text=True, env=ONE)
        theirs.append(json.loads(text.stdout))
    return ours, theirs


def signal_metrics(folder, rounds):
    clips = {}
    for name in "a0", "a1":
        w = wave.open(os.path.join(ROOT, f"golden/oracles/wav/speech_{name}.wav"))
        clips[name] = w.readframes(w.getnframes())
    import array
    pcm = array.array("h", clips["a0"] + clips["a1"])[: 8 * 16000]
    noise = [((i * 7919) % 2003 - 1001) / 20000 for i in range(len(pcm))]
    paths = [os.path.join(folder, n) for n in ("x.f32", "y.f32")]
    for path, add in zip(paths, (0.0, 1.0)):
        array.array("f", [v / 32768 + add * e for v, e in zip(pcm, noise)]).tofile(open(path, "wb"))
    ours, theirs = [], []
    for _ in range(rounds):
        text = subprocess.run([os.path.join(EXAMPLES, "signal_speed"), *paths, "16000", "15"], check=True, capture_output=True, env=ONE)
        ours.append(json.loads(text.stdout))
        text = subprocess.run([python(), "-c", STOI_PEER, *paths], check=True, capture_output=True, env=ONE)
        theirs.append(json.loads(text.stdout))
    return ours, theirs


def speech(folder, minutes):
    """Ten-second clips of the oracles' speech, each beginning elsewhere, and the same as one file."""
    parts = []
    for path in sorted(glob.glob(os.path.join(ROOT, "golden/oracles/wav/*.wav"))):
        w = wave.open(path)
        parts.append(w.readframes(w.getnframes()))
    pcm = b"".join(parts)
    os.mkdir(os.path.join(folder, "clips"))
    whole = wave.open(os.path.join(folder, "hour.wav"), "wb")
    for i in range(minutes * 6):
        at = (i * 8434) % len(pcm)
        clip = (pcm[at:] + pcm + pcm)[: 2 * 160_000]
        for w in wave.open(os.path.join(folder, f"clips/c{i:04}.wav"), "wb"), whole:
            if w is not whole or i == 0:
                w.setnchannels(1), w.setsampwidth(2), w.setframerate(16000)
            w.writeframes(clip)
            if w is not whole:
                w.close()
    whole.close()


def hour(folder, rounds):
    """The eight default conditions beside the codecs' own programs; then the cache."""
    path = lambda name: os.path.join(folder, name)
    degrade = [base.BIN, "degrade", path("clips"), "--condition", EIGHT, "-q", "--out", path("out")]

    def fresh(options):
        """A run into a folder that is not there yet, on a disk that has nothing left to write."""
        shutil.rmtree(path("out"), ignore_errors=True)
        os.sync()
        return timed(degrade + options)

    peers = [
        ["opusenc", "--quiet", "--speech", "--bitrate", "16", "--framesize", "20", path("hour.wav"), path("hour.opus")],
        ["opusdec", "--quiet", "--rate", "16000", path("hour.opus"), path("opus.wav")],
        ["lame", "--quiet", "-b", "64", "--cbr", "-m", "m", path("hour.wav"), path("hour.mp3")],
        ["lame", "--quiet", "--decode", path("hour.mp3"), path("mp3.wav")],
    ]
    found = []
    for _ in range(rounds):
        ours = fresh(["--audio-cache-gib", "0"])
        theirs = [timed(command)[1] for command in peers]
        shutil.rmtree(path("cache"), ignore_errors=True)
        cached = ["--audio-cache-gib", "16", "--cache", path("cache")]
        cold, warm = fresh(cached), fresh(cached)
        found.append({"wall": ours[0], "cpu": ours[1], "peers": theirs, "cold": cold[0], "warm": warm[0]})
    return found


def section(rounds, minutes, data):
    (ours, theirs), (metrics, pystoi), runs = data
    median = statistics.median

    def kernel(what, name, peer=None):
        pairs = [(t[peer or name] / o[name]) for o, t in zip(ours, theirs)]
        a, b = median(o[name] for o in ours), median(t[peer or name] for t in theirs)
        return f"| {what} | {a:.1f} ms | {b:.1f} ms | **{median(pairs):.1f}** |"

    def own(what, name, other):
        a, b = median(o[name] for o in ours), median(o[other] for o in ours)
        return f"| {what} | {a:.1f} ms | {b:.1f} ms | **{median(o[other] / o[name] for o in ours):.1f}** |"

    def metric(name):
        pairs = [t[name]["s"] / o[name]["seconds"] for o, t in zip(metrics, pystoi)]
        a, b = median(o[name]["seconds"] for o in metrics), median(t[name]["s"] for t in pystoi)
        return f"| {name.upper()}, 8 s at 16 kHz: pystoi 0.4.1 | {1e3 * a:.1f} ms | {1e3 * b:.1f} ms | **{median(pairs):.1f}** |"

    cores = os.cpu_count()
    peer_cpu = [sum(r["peers"]) for r in runs]
    return [
        f"Made by `python3 reports/performance_degrade.py --rounds {rounds} --minutes {minutes}` on {base.cpu_name()}; everything in turn within a",
        "round, one thread on both sides. Ratios are theirs / ours, the median over rounds. Peers are scipy 1.17.1 and numpy 2.2.6.",
        "",
        "| what, 30 s at 16 kHz | vbench | peer | ratio |",
        "| --- | --- | --- | --- |",
        kernel("convolution with a response of 0.5 s, double precision: `oaconvolve`", "convolve"),
        kernel("the same against `oaconvolve` in single precision", "convolve", "convolve single"),
        kernel("noise: active level by P.56, Gaussian samples through 511 taps, SNR, peak, 16 bits; ours also hashes input and output", "noise"),
        kernel("reverberation: all images of an office (RT60 0.5 s), convolution, 16 bits; ours also measures T30, DRR, C50 and hashes", "reverb"),
        kernel("44.1 to 16 kHz: `resample_poly` with a filter as long as ours (100 dB)", "resample-44100"),
        kernel("48 to 16 kHz, same", "resample-48000"),
        kernel("8 to 16 kHz, same", "resample-8000-up"),
        kernel("44.1 to 16 kHz: `resample_poly` with its own, seven times shorter filter", "resample-44100", "resample-44100 default"),
        kernel("48 to 16 kHz, same", "resample-48000", "resample-48000 default"),
        kernel("8 to 16 kHz, same", "resample-8000-up", "resample-8000-up default"),
        kernel("G.711 mu-law, one hour at 8 kHz, encode: `numpy.copy` of the samples, which shows what memory allows", "g711-encode", "hour copied"),
        kernel("the same, decode", "g711-decode", "hour copied"),
        own("the same, decode: the samples copied by the same program into memory just asked for", "g711-decode", "hour-copied"),
        metric("stoi"),
        metric("estoi"),
        "",
        f"All eight default conditions of {minutes} minutes of speech (`vbench degrade`, 10 s clips, no cache): {median(r['wall'] for r in runs):.1f} s wall and",
        f"{median(r['cpu'] for r in runs):.1f} s CPU on {cores} cores, which were {median(100 * r['cpu'] / r['wall'] / cores for r in runs):.0f} % busy. opusenc, opusdec, lame and its decoder on the same audio took",
        f"{median(peer_cpu):.1f} s CPU: ours is **{median(r['cpu'] / p for r, p in zip(runs, peer_cpu)):.2f}** times theirs, for all eight conditions. With the cache the first run took {median(r['cold'] for r in runs):.1f} s and the",
        f"second {median(r['warm'] for r in runs):.2f} s: **{median(100 * r['warm'] / r['cold'] for r in runs):.1f} %**, reading every input and writing every file again.",
    ]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--minutes", type=int, default=60)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "target")) as folder:
        found_kernels = kernels(a.rounds)
        found_metrics = signal_metrics(folder, a.rounds)
        speech(folder, a.minutes)
        data = found_kernels, found_metrics, hour(folder, max(1, a.rounds // 3))
    lines = section(a.rounds, a.minutes, data)
    base.replace_section("Degradations", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
