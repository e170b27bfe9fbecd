#!/usr/bin/env python3
"""Transcribe a corpus with faster-whisper and print word error rate per voice, to find voices nobody can understand.

    python3 audit_voices.py CORPUS_FOLDER MODEL_FOLDER [--language en] [--show] [--cer]

MODEL_FOLDER holds a CTranslate2 Whisper (`vbench models pull whisper-tiny.en`). Needs, in any environment:
pip install faster-whisper==1.2.1 jiwer==4.0.0 whisper-normalizer==0.1.15
Greedy, temperature 0, no conditioning on previous text, timestamps on; errors counted by jiwer after
whisper-normalizer (English) or after dropping punctuation (other languages).
"""

import argparse
import json
import unicodedata
from pathlib import Path

import jiwer
from faster_whisper import WhisperModel
from whisper_normalizer.english import EnglishTextNormalizer


def without_punctuation(text):
    kept = "".join(" " if unicodedata.category(c)[0] in "PS" else c for c in unicodedata.normalize("NFC", text))
    return " ".join(kept.lower().split())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--language", default="en")
    parser.add_argument("--show", action="store_true", help="print every utterance with an error")
    parser.add_argument("--cer", action="store_true", help="character error rate instead of word error rate")
    args = parser.parse_args()
    normalise = EnglishTextNormalizer() if args.language == "en" else without_punctuation
    rate = jiwer.cer if args.cer else jiwer.wer
    model = WhisperModel(str(args.model), device="cpu", compute_type="float32")
    voices = {}
    for line in (args.corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        segments, _ = model.transcribe(
            str(args.corpus / row["audio"]),
            language=args.language,
            beam_size=1,
            temperature=0,
            condition_on_previous_text=False,
            without_timestamps=False,
        )
        raw = "".join(s.text for s in segments).strip()
        ref, hyp = normalise(row["text"]), normalise(raw)
        voices.setdefault(row["speaker"], []).append((ref, hyp))
        if args.show and ref != hyp:
            print(f"{row['id']}: {row['text']}\n    -> {raw}")
    print("| voice | utterances | words | error rate |\n| --- | --- | --- | --- |")
    everything = []
    for voice, pairs in sorted(voices.items()):
        everything += pairs
        refs, hyps = zip(*pairs)
        print(f"| {voice} | {len(pairs)} | {sum(len(r.split()) for r in refs)} | {100 * rate(list(refs), list(hyps)):.1f} % |")
    refs, hyps = zip(*everything)
    print(f"| all | {len(everything)} | {sum(len(r.split()) for r in refs)} | {100 * rate(list(refs), list(hyps)):.2f} % |")


if __name__ == "__main__":
    main()
