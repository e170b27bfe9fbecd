#!/usr/bin/env python3
"""Writes a WAV on which Whisper base falls into a loop at temperature 0: a chord of three tones, gated twice a second, 28 s.

usage: loop_clip.py OUT.wav

`transcribe MODEL --language en --temperature 0 OUT.wav` shows the loop (compression ratio above 2.4), and the same without
`--temperature 0` shows the fallback (`fallbacks` above 0). Standard library only.
"""
import math
import struct
import sys
import wave

RATE, SECONDS = 16000, 28


def sample(n):
    t = n / RATE
    chord = sum(0.15 * math.sin(2 * math.pi * f * t) for f in (220, 277, 330))
    gate = math.sin(2 * math.pi * 2 * t)
    return chord * (0.5 + 0.5 * ((gate > 0) - (gate < 0)))


with wave.open(sys.argv[1], "wb") as out:
    out.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
    out.writeframes(b"".join(struct.pack("<h", int(sample(n) * 32767)) for n in range(RATE * SECONDS)))
