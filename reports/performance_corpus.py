#!/usr/bin/env python3
"""Measures import (beside plain Python) and checks of corpora and rewrites the section `Corpora` of reports/performance.md.

usage: python3 reports/performance_corpus.py [--rounds N] [--lines N]

Needs `cargo build --release -p vbench`, `cargo build --release --example stretch_speed -p vbench-audio` and flac. The corpus is
1,000 hours: 300,000 utterances of 12 s in 1,000 recordings of an hour, whose files are sparse: a header and nothing. The peer
reads the same lines with Python's json or csv, checks that ids are unique and times in order, and writes the same manifest;
it looks at no recording. Programs run in turn; a ratio is the median over rounds of the ratio within a round, of CPU time, which
other programs on the machine change least.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import wave

import performance as base

ROOT = base.ROOT
STRETCH = os.path.join(ROOT, "target/release/examples/stretch_speed")
PEER = r"""
import csv, json, sys
kind, source, out = sys.argv[1:]
seen = set()
def lines():
    if kind == "nemo":
        for line in open(source, encoding="utf-8"):
            o = json.loads(line)
            yield o["id"], o["audio_filepath"], o["text"], o["speaker"], o["offset"], o["duration"]
    elif kind == "csv":
        for o in csv.DictReader(open(source, encoding="utf-8")):
            yield o["id"], o["audio"], o["text"], o["speaker"], float(o["start"]), float(o["duration"])
    elif kind == "lhotse":
        for line in open(source, encoding="utf-8"):
            o = json.loads(line)
            for s in o["supervisions"]:
                yield s["id"], o["recording"]["sources"][0]["source"], s["text"], s["speaker"], o["start"] + s["start"], s["duration"]
    else:
        table = lambda name: dict(l.rstrip("\n").split(" ", 1) for l in open(source + "/" + name, encoding="utf-8"))
        wavs, texts, speakers = table("wav.scp"), table("text"), table("utt2spk")
        for line in open(source + "/segments", encoding="utf-8"):
            utt, rec, start, end = line.split()
            yield utt, wavs[rec], texts[utt], speakers[utt], float(start), float(end) - float(start)
with open(out, "w", encoding="utf-8") as f:
    for utt, audio, text, speaker, start, duration in lines():
        assert utt not in seen and start >= 0 and duration > 0
        seen.add(utt)
        f.write(json.dumps({"id": utt, "audio": audio, "text": text, "speaker": speaker, "start_s": start, "duration_s": duration}, ensure_ascii=False) + "\n")
"""
WORDS = "the of and a to in he was that it his her with as had for she not at but be on they have him".split()


def timed(command, env=None):
    """Wall and CPU seconds and peak memory in MiB of a process that must succeed; a check may find errors (9)."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in ((0, 9) if "check" in command else (0,)):
        sys.exit(f"{command} failed: {errors.decode()}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def fixture(folder, lines):
    """The same corpus for NeMo, Lhotse and Kaldi and as CSV."""
    path = lambda name: os.path.join(folder, name)
    os.makedirs(path("wav")), os.makedirs(path("kaldi"))
    recordings = -(-lines // 300)
    for r in range(recordings):
        size = 3600 * 32000
        with open(path(f"wav/r{r:04}.wav"), "wb") as w:
            w.write(b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16))
            w.write(b"data" + struct.pack("<I", size))
            w.truncate(size + 44)
    names = ["nemo.jsonl", "cuts.jsonl", "table.csv", "kaldi/wav.scp", "kaldi/segments", "kaldi/text", "kaldi/utt2spk"]
    nemo, cuts, table, scp, segments, texts, speakers = [open(path(n), "w", encoding="utf-8") for n in names]
    table.write("id,audio,text,speaker,start,duration\n")
    for r in range(recordings):
        scp.write(f"r{r:04} ../wav/r{r:04}.wav\n")
    for i in range(lines):
        r, k = divmod(i, 300)
        utt, wav, start, speaker = f"s{r % 251:03}-r{r:04}-{k:03}", f"wav/r{r:04}.wav", k * 12 + 0.25, f"s{r % 251:03}"
        text = " ".join(WORDS[(i * 7 + j * j) % 25] for j in range(20 + i % 17))
        nemo.write(json.dumps({"id": utt, "audio_filepath": wav, "text": text, "offset": start, "duration": 11.5, "speaker": speaker}) + "\n")
        recording = {"id": f"r{r:04}", "sources": [{"type": "file", "channels": [0], "source": wav}], "sampling_rate": 16000, "num_samples": 57600000, "duration": 3600.0, "channel_ids": [0]}
        supervision = {"id": utt, "recording_id": f"r{r:04}", "start": 0.0, "duration": 11.5, "channel": 0, "text": text, "language": "English", "speaker": speaker}
        cuts.write(json.dumps({"id": utt, "start": start, "duration": 11.5, "channel": 0, "supervisions": [supervision], "recording": recording, "type": "MonoCut"}) + "\n")
        table.write(f'{utt},{wav},"{text}",{speaker},{start},11.5\n')
        segments.write(f"{utt} r{r:04} {start} {start + 11.5}\n")
        texts.write(f"{utt} {text}\n"), speakers.write(f"{utt} {speaker}\n")
    for f in nemo, cuts, table, scp, segments, texts, speakers:
        f.close()
    return {"nemo": path("nemo.jsonl"), "lhotse": path("cuts.jsonl"), "csv": path("table.csv"), "kaldi": path("kaldi")}


def imports(folder, sources, rounds):
    found = {}
    out = os.path.join(folder, "out.jsonl")
    for kind, source in sources.items():
        command = [base.BIN, "data", "import", kind, source, "--out", out, "--audio-root", folder]
        found[kind] = []
        for _ in range(rounds):
            found[kind].append({
                "bare": timed(command + ["--audio", "none"]),
                "headers": timed(command),
                "peer": timed([sys.executable, "-c", PEER, kind, source, out + ".py"]),
            })
    return found


def stretches(folder):
    """An hour of speech as WAV and FLAC: all of it, and 4 s anywhere in it."""
    path = os.path.join(folder, "hour.wav")
    source = wave.open(os.path.join(ROOT, "golden/oracles/wav/speech_a0.wav"))
    speech = source.readframes(source.getnframes())
    with wave.open(path, "wb") as w:
        w.setnchannels(1), w.setsampwidth(2), w.setframerate(16000)
        for i in range(3600 * 32000 // len(speech)):
            at = (i * 8434) % len(speech)
            w.writeframes(speech[at:] + speech[:at])
    flac = os.path.join(folder, "hour.flac")
    subprocess.run(["flac", "-s", "-f", "-o", flac, path], check=True)
    text = subprocess.run([STRETCH, path, flac], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def checks(folder, manifest, rounds):
    """`data check` of the imported manifest without recordings; of FLAC files that ship with all of them, on one core."""
    bare = [timed([base.BIN, "data", "check", manifest, "--no-audio", "--json"]) for _ in range(rounds)]
    corpus = os.path.join(ROOT, "suites/corpora/voices-en")
    seconds, copy = 0.0, os.path.join(folder, "voices.jsonl")
    with open(os.path.join(corpus, "manifest.jsonl"), encoding="utf-8") as source, open(copy, "w", encoding="utf-8") as out:
        lines = [json.loads(line) for line in source]
        for i in range(6):
            for line in lines:
                seconds += line["duration_s"]
                out.write(json.dumps({**line, "id": f"{line['id']}-{i}", "audio": os.path.join(corpus, line["audio"])}) + "\n")
    one = {**os.environ, "RAYON_NUM_THREADS": "1"}
    heard = [timed([base.BIN, "data", "check", copy, "--json"], one) for _ in range(rounds)]
    return bare, heard, seconds


def section(a, data):
    found, (wav, flac), (bare, heard, seconds) = data
    median = statistics.median
    lines = [
        f"Made by `python3 reports/performance_corpus.py --rounds {a.rounds} --lines {a.lines}` on {base.cpu_name()}; everything in turn within a round.",
        f"{a.lines:,} utterances of 1,000 hours in {-(-a.lines // 300):,} recordings; the peer is a loop of Python {sys.version_info.major}.{sys.version_info.minor} with `json` or `csv` that writes the same manifest",
        "and looks at no recording. Wall and CPU seconds; ratios are theirs / ours of CPU time without recordings, the median over rounds.",
        "",
        "| import | vbench, no recordings | peak | vbench, headers of all recordings | Python | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    both = lambda of, what: f"{of(what, 0):.2f} s, CPU {of(what, 1):.2f} s"
    for kind, rounds in found.items():
        of = lambda what, i: median(r[what][i] for r in rounds)
        ratio = median(r["peer"][1] / r["bare"][1] for r in rounds)
        peak = of("headers", 2)
        lines.append(f"| {kind} | {both(of, 'bare')} | {peak:.0f} MiB | {both(of, 'headers')} | {both(of, 'peer')} | **{ratio:.1f}** |")
    lines += [
        "",
        f"Four seconds of an hour: {1e3 * wav['stretch']:.2f} ms in WAV, where decoding the hour takes {wav['whole']:.2f} s (**{wav['whole'] / wav['stretch']:,.0f}** times as long);",
        f"{1e3 * flac['stretch']:.2f} ms in FLAC, where it takes {flac['whole']:.2f} s (**{flac['whole'] / flac['stretch']:,.0f}** times).",
        "",
        f"`vbench data check --no-audio` of the {a.lines:,} lines: {median(b[0] for b in bare):.2f} s, peak {median(b[2] for b in bare):.0f} MiB; with the slowest import above",
        f"{median(b[0] for b in bare) + max(median(r['bare'][0] for r in rounds) for rounds in found.values()):.2f} s. With sound (levels, noise, clipping, SHA-256, fingerprints) on one core: {seconds:.0f} s of FLAC in",
        f"{median(h[0] for h in heard):.2f} s, **{seconds / median(h[0] for h in heard):,.0f}** times real time.",
    ]
    return lines


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--lines", type=int, default=300_000)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "target")) as folder:
        sources = fixture(folder, a.lines)
        data = imports(folder, sources, a.rounds), stretches(folder), checks(folder, os.path.join(folder, "out.jsonl"), a.rounds)
    lines = section(a, data)
    base.replace_section("Corpora", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
