#!/usr/bin/env python3
"""Write whisper_en_twice.json: what the peer's English normaliser makes of its own output.

usage: whisper_en_twice.py WHISPER_SOURCE ORACLE_FOLDER > whisper_en_twice.json

WHISPER_SOURCE is the unpacked source archive of openai-whisper 20250625; of it only whisper/normalizers is loaded (with
the packages regex and more-itertools), so that no model library is needed. `raw` is every English and basic text of
ORACLE_FOLDER/normalizer.json, `once` the peer's output, `twice` the peer's output for `once`.
"""
import importlib.metadata
import importlib.util
import json
import pathlib
import platform
import sys
import unicodedata


def load(source):
    folder = pathlib.Path(source) / "whisper" / "normalizers"
    spec = importlib.util.spec_from_file_location("normalizers", folder / "__init__.py", submodule_search_locations=[str(folder)])
    module = importlib.util.module_from_spec(spec)
    sys.modules["normalizers"] = module
    spec.loader.exec_module(module)
    return module.EnglishTextNormalizer()


def main():
    normalize = load(sys.argv[1])
    oracle = json.loads((pathlib.Path(sys.argv[2]) / "normalizer.json").read_text(encoding="utf-8"))
    cases = []
    for case in oracle["cases"]:
        once = normalize(case["raw"])
        if case["normalizer"] == "english":
            assert once == case["normalized"], case["id"]
        cases.append({"id": case["id"], "raw": case["raw"], "once": once, "twice": normalize(once)})
    changed = sum(case["once"] != case["twice"] for case in cases)
    head = {
        "tool": "openai-whisper EnglishTextNormalizer",
        "version": "20250625, Python %s (Unicode %s), regex %s" % (platform.python_version(), unicodedata.unidata_version, importlib.metadata.version("regex")),
        "what": "the normaliser applied once and twice to every text of normalizer.json; the second pass changes %d" % changed,
        "tolerance": "exact strings",
        "count": len(cases),
    }
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    print(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]}")


main()
