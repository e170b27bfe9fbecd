"""Writes telephone_codecs.json: G.722 and GSM 06.10 as FFmpeg (with libgsm), G.711 and ADPCM as Python codes them.

Usage: python3 telephone_codecs.py OUT.json   (from this folder; needs Python 3.11 for audioop, ffmpeg with libgsm)

The input is each wav of ../oracles/wav: whole at 16 kHz for G.722; every second sample of it, taken as 8 kHz without a
filter, for GSM, so that the input needs no resampler. `square` are square waves at full scale, `every` is every 16-bit
value in rising order. Stored are the SHA-256 of coded bytes and of decoded 16-bit
little-endian samples, and the first coded bytes to find a difference by. The GSM input is cut to whole frames of 160.
"""

import audioop
import hashlib
import json
import pathlib
import subprocess
import sys

import array

HERE = pathlib.Path(__file__).parent
SAMPLE_CODECS = {
    "mulaw": (lambda x: audioop.lin2ulaw(x, 2), lambda x: audioop.ulaw2lin(x, 2)),
    "alaw": (lambda x: audioop.lin2alaw(x, 2), lambda x: audioop.alaw2lin(x, 2)),
    "adpcm": (lambda x: audioop.lin2adpcm(x, 2, None)[0], lambda x: audioop.adpcm2lin(x, 2, None)[0]),
}
SPEECH = ["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"]


def ffmpeg(*args, data):
    command = ["ffmpeg", "-v", "error", "-bitexact", *args]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def samples(name):
    raw = (HERE / "../oracles/wav" / name).read_bytes()
    assert raw[36:40] == b"data", name
    return array.array("h", raw[44:])


def square():
    """Square waves of several periods at full scale, then silence: overflow and saturation."""
    return [(32767 if i // (7 + i // 800 * 5) % 2 else -32768) if i < 3200 else 0 for i in range(4000)]


def case(codec, name, pcm):
    if codec in SAMPLE_CODECS:
        data = array.array("h", pcm).tobytes()
        encode, decode = SAMPLE_CODECS[codec]
        coded = encode(data)
        return describe(codec, name, data, coded, decode(coded))
    if codec == "gsm":
        rate, form, encoder = "8000", "gsm", "libgsm"
        pcm = pcm[: len(pcm) // 160 * 160]
    else:
        rate, form, encoder = "16000", "g722", "g722"
        pcm = pcm[: len(pcm) // 2 * 2]
    data = array.array("h", pcm).tobytes()
    raw = ["-f", "s16le", "-ar", rate, "-ac", "1"]
    coded = ffmpeg(*raw, "-i", "-", "-c:a", encoder, "-f", form, "-", data=data)
    # Without `-c:a` before the input FFmpeg would use its own GSM decoder.
    decoder = ["-c:a", encoder] if codec == "gsm" else []
    decoded = ffmpeg("-f", form, *decoder, "-i", "-", "-f", "s16le", "-", data=coded)
    return describe(codec, name, data, coded, decoded)


def describe(codec, name, data, coded, decoded):
    return {
        "codec": codec,
        "input": name,
        "input_sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(coded),
        "coded_start": coded[:99].hex(),
        "coded_sha256": hashlib.sha256(coded).hexdigest(),
        "samples": len(decoded) // 2,
        "decoded_sha256": hashlib.sha256(decoded).hexdigest(),
    }


def main():
    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, check=True).stdout.decode().split("\n")[0]
    cases = []
    for name in SPEECH:
        pcm = samples(name)
        cases.append(case("g722", name, pcm))
        cases.append(case("gsm", name, pcm[::2]))
    for codec in SAMPLE_CODECS:
        cases.append(case(codec, "every", range(-32768, 32768)))
        cases.append(case(codec, "square", square()))
    cases.append(case("g722", "square", square()))
    cases.append(case("gsm", "square", square()))
    head = {
        "tool": "FFmpeg: g722 (its own), libgsm 1.0.22; Python audioop",
        "version": f"{version.split(' Copyright')[0]}, Python {sys.version.split()[0]}",
        "what": " ".join(__doc__.split("\n\n")[2].split()),
        "tolerance": "exact",
        "count": len(cases),
    }
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n ]\n}\n"
    pathlib.Path(sys.argv[1]).write_text(text)


main()
