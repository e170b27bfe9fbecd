#!/usr/bin/env python3
"""What faster-whisper (CTranslate2) makes of the same clips, as JSONL to compare with `examples/transcribe.rs`.

usage: faster_whisper.py --model DIR --audio-dir DIR --ids FILE [--threads 2] [--repeat 1] [--language en] [--out FILE]

One line a clip: id, text, language, wall_s, cpu_s and the segments. The last line, without an id, has the totals.
Settings: float32 weights, beam 1, temperature 0 only, no conditioning on previous text, no voice activity filter,
timestamps on, windows of 30 s. Audio files are AUDIO_DIR/<id>.wav (16-bit PCM, mono, 16 kHz), read here without resampling, so
both programs see the same samples. Needs faster-whisper and numpy only.
"""
import argparse
import json
import os
import resource
import sys
import time
import wave


def read_wav(path):
    """Mono 16 kHz 16-bit PCM to float32 in -1..1."""
    import numpy as np

    with wave.open(path, "rb") as w:
        if (w.getnchannels(), w.getframerate(), w.getsampwidth()) != (1, 16000, 2):
            sys.exit("%s: need mono 16 kHz 16-bit PCM" % path)
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768.0


def cpu_seconds():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True, help="CTranslate2 folder")
    ap.add_argument("--audio-dir", required=True)
    ap.add_argument("--ids", required=True, help="text file, one id a line")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--repeat", type=int, default=1, help="times to run the whole list; texts of the last one are written")
    ap.add_argument("--language", default=None, help="language code; default: detected by multilingual models")
    ap.add_argument("--out", default="-")
    a = ap.parse_args()
    sys.path.pop(0)  # this folder, whose file name would hide the package
    from faster_whisper import WhisperModel

    t0 = time.perf_counter()
    model = WhisperModel(a.model, device="cpu", compute_type="float32", cpu_threads=a.threads, num_workers=1)
    load_s = time.perf_counter() - t0
    ids = [line.strip() for line in open(a.ids, encoding="utf-8") if line.strip()]
    clips = [(i, read_wav(os.path.join(a.audio_dir, i + ".wav"))) for i in ids]
    out = sys.stdout if a.out == "-" else open(a.out, "w", encoding="utf-8")
    walls, cpus = [], []
    for turn in range(a.repeat):
        wall0, cpu0 = time.perf_counter(), cpu_seconds()
        for clip_id, pcm in clips:
            w, c = time.perf_counter(), cpu_seconds()
            segments, info = model.transcribe(
                pcm,
                language=a.language,
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                vad_filter=False,
                without_timestamps=False,
            )
            segments = list(segments)
            row = dict(
                id=clip_id,
                text="".join(s.text for s in segments).strip(),
                language=info.language,
                language_probability=round(float(info.language_probability), 4),
                wall_s=round(time.perf_counter() - w, 4),
                cpu_s=round(cpu_seconds() - c, 4),
                segments=[
                    dict(start_s=round(s.start, 3), end_s=round(s.end, 3), text=s.text, avg_logprob=s.avg_logprob, no_speech_prob=s.no_speech_prob,
                         compression_ratio=s.compression_ratio, temperature=s.temperature, tokens=s.tokens)
                    for s in segments
                ],
            )
            if turn == a.repeat - 1:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        walls.append(round(time.perf_counter() - wall0, 3))
        cpus.append(round(cpu_seconds() - cpu0, 3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    out.write(json.dumps(dict(clips=len(ids), threads=a.threads, load_s=round(load_s, 3), wall_s=walls, cpu_s=cpus, peak_mib=round(peak, 1))) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
