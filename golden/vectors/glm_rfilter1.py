#!/usr/bin/env python3
"""Write glm_rfilter1.json: texts rewritten by NIST's rfilter1 with random rules files.

usage: glm_rfilter1.py RFILTER1 > glm_rfilter1.json

RFILTER1 is the program of that name in SCTK. As its wrapper csrfilt does, text is put into capitals, white space is
squeezed, and one space stands at each end of a line. The words of the output are stored.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

WORDS = ["a", "ab", "b", "ba", "aba", "can't", "going", "to", "go", "gonna", "uh", "uh-huh", "u.", "s.", "%um", "o", "k", "okay"]


def part(rng, edges):
    text = " ".join(rng.choice(WORDS) for _ in range(rng.choice((1, 1, 1, 2, 3))))
    style = rng.randrange(4)
    if style == 0 and edges:
        return "[%s%s%s]" % (rng.choice(("", " ")), text, rng.choice(("", " ")))
    if style == 1:
        return '"%s"' % text
    return text


def rules_file(rng):
    sensitive = rng.random() < 0.3
    lines = [";; random rules", '* name "random"', "* format = 'NIST1'", "* copy_no_hit = 'T'", "* case_sensitive = '%s'" % "FT"[sensitive]]
    for _ in range(rng.randrange(1, 12)):
        line = "%s => %s" % (part(rng, True), "" if rng.random() < 0.1 else part(rng, True))
        kind = rng.randrange(5)
        if kind == 0:
            line += " / [ ] __ [ ]"
        elif kind == 1:
            line += " / [%s ] __ " % rng.choice(WORDS)
        elif kind == 2:
            line += " / __ [ %s]" % rng.choice(WORDS)
        if line.split("=>")[1].strip() == "":
            line = line.replace("=>", "=> []")
        if rng.random() < 0.7:
            line = line.upper()
        if rng.random() < 0.2:
            line += " ;; a remark"
        lines.append(line)
        if rng.random() < 0.1:
            lines.append("")
    return "\n".join(lines) + "\n", sensitive


def main():
    rng = random.Random(1996)
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rules.glm"
        while len(cases) < 300:
            rules, sensitive = rules_file(rng)
            path.write_text(rules)
            texts = [" ".join(rng.choice(WORDS) for _ in range(rng.randrange(0, 14))) for _ in range(5)]
            lines = [" %s " % (text if sensitive else text.upper()) for text in texts]
            done = subprocess.run([sys.argv[1], str(path)], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=True)
            assert not done.stderr, done.stderr
            outputs = done.stdout.split("\n")[:-1]
            assert len(outputs) == len(texts), (rules, done.stdout)
            cases.append({"id": "g%03d" % len(cases), "rules": rules, "texts": texts, "outputs": [" ".join(out.split()) for out in outputs]})
    head = {"tool": "rfilter1", "version": "2.0 (SCTK 2.4.10)", "what": "texts rewritten by random rules files", "tolerance": "the same words", "seed": 1996, "count": len(cases)}
    print(json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]}")


main()
