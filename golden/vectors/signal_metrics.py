#!/usr/bin/env python3
"""Write signal_metrics.json: loudness, STOI, ESTOI, mel distance and delay of formulas and of the spoken oracle sentences.

usage: signal_metrics.py ORACLES > signal_metrics.json        needs pyloudnorm, pystoi, librosa, numpy, scipy

Complements audio_metrics.json, which has no loudness and only rates of 16 and 10 kHz. `x` is a formula or a stored wav (its first
`samples` samples, a multiple of 100 ms: pyloudnorm rounds the number of blocks, BS.1770 drops an incomplete one); `y = gain x + noise e`,
shifted by `shift` samples (zeros come in), with e the generator of audio_metrics.json.
"""
import json
import platform
import sys
import wave

import librosa
import numpy as np
import pyloudnorm
import pystoi
import scipy.signal

FORMULA = ("t=n/fs; x[n]=0.3*(0.5-0.5*cos(2*pi*3.1*t))*(sin(2*pi*220*t+2*sin(2*pi*0.9*t))+0.5*sin(2*pi*1370*t+3*sin(2*pi*1.7*t))"
           "+0.25*sin(2*pi*2930*t))")


def formula(fs, n):
    t = np.arange(n) / fs
    w = 2 * np.pi
    return 0.3 * (0.5 - 0.5 * np.cos(w * 3.1 * t)) * (
        np.sin(w * 220 * t + 2 * np.sin(w * 0.9 * t)) + 0.5 * np.sin(w * 1370 * t + 3 * np.sin(w * 1.7 * t)) + 0.25 * np.sin(w * 2930 * t))


def noise(seed, n):
    e = np.empty(n)
    for i in range(n):
        seed = (1664525 * seed + 1013904223) % 2**32
        e[i] = seed / 2**31 - 1
    return e


def stored(folder, name, n):
    with wave.open(folder + "/" + name) as w:
        return np.frombuffer(w.readframes(n), "<i2") / 32768


def loudness(x, fs):
    return pyloudnorm.Meter(fs, filter_class="DeMan").integrated_loudness(x)


def mel_distance(x, y, fs):
    n = 1 << (fs * 3 // 100 - 1).bit_length()
    bands = librosa.filters.mel(sr=fs, n_fft=n, n_mels=80, fmin=0, fmax=min(8000, fs / 2), norm=None, htk=False, dtype=np.float64)
    window = scipy.signal.get_window("hann", n)

    def decibels(s):
        frames = np.lib.stride_tricks.sliding_window_view(s, n)[::n // 4]
        power = bands @ (np.abs(np.fft.rfft(frames * window)) ** 2).T
        return 10 * np.log10(np.maximum(power / (n / 4) ** 2, 1e-9))
    return np.mean(np.abs(decibels(x) - decibels(y)))


def main():
    folder = sys.argv[1]
    signals = [dict(fs=fs, samples=int(fs * s)) for fs, s in ((16000, 3.0), (48000, 2.5), (44100, 2.5), (8000, 3.0), (22050, 2.6), (32000, 2.4))]
    signals += [dict(fs=16000, samples=n, file="wav/speech_a%d.wav" % i) for i, n in enumerate((86400, 75200, 70400))]
    cases = []
    for i, s in enumerate(signals):
        fs, n = s["fs"], s["samples"]
        assert n * 10 % fs == 0
        x = stored(folder, s["file"], n) if "file" in s else formula(fs, n)
        for gain, level, shift in ((1.0, 0.003, 0), (0.5, 0.03, 37), (0.02, 0.0005, -120)):
            seed = 1000 * i + 7 + abs(shift)
            y = gain * x + level * noise(seed, n)
            y = np.concatenate([np.zeros(max(shift, 0)), y, np.zeros(max(-shift, 0))])[max(-shift, 0):][:n]
            lag = np.argmax(scipy.signal.correlate(y, x, method="fft")) - (n - 1)
            cases.append(dict(s, id="sg%02d" % len(cases), gain=gain, noise=level, seed=seed, shift=shift, sum_sq_x=np.sum(x * x), sum_sq_y=np.sum(y * y),
                              loudness_x_lufs=loudness(x, fs), loudness_y_lufs=loudness(y, fs), stoi=pystoi.stoi(x, y, fs),
                              estoi=pystoi.stoi(x, y, fs, extended=True), mel_distance_db=mel_distance(x, y, fs), delay_samples=int(lag)))
    head = {
        "tool": "pyloudnorm (filter class DeMan), pystoi, librosa (mel filters), numpy, scipy",
        "version": "pyloudnorm 0.2.0, pystoi 0.4.1, librosa %s, numpy %s, scipy %s, Python %s" % (
            librosa.__version__, np.__version__, scipy.__version__, platform.python_version()),
        "what": "signal metrics of formulas at six rates and of the spoken oracle sentences",
        "tolerance": "loudness 1e-4, STOI and ESTOI 1e-6, mel distance 1e-6, delay exact, sums 1e-9 relative",
        "definitions": {"x": FORMULA, "mel_distance_db": "mean over frames and bands of |10 log10 max(P, 1e-9)| differences; P the power of 80 Slaney bands"
                        " of height 1 (0 to min(8000, fs/2) Hz), over (N/4)^2; N the power of two next above 0.03 fs, periodic Hann, hop N/4, no padding",
                        "delay_samples": "lag of the largest sum x[n] y[n+lag]"},
        "count": len(cases),
    }
    print(json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + ",\n".join(json.dumps(c, default=float) for c in cases) + "\n]}")


main()
