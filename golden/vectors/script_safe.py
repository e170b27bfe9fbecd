#!/usr/bin/env python3
"""Write script_safe.json: the definition of `script-safe` evaluated with Python's Unicode tables.

usage: script_safe.py > script_safe.json

No peer has such a normaliser, so the definition is written down a second time, with str.casefold and unicodedata: NFKC,
full case folding, then by general category (decimal digits to ASCII; P and S to space; Cf, Cc, Co, Cs, Cn and Me away
unless white space; with harakat removed, non-spacing Arabic marks too), NFKC again, repeated until nothing changes; spaces squeezed
and cut. `without_harakat` is absent where it is the same. Cases: every decimal digit, every character whose folding is not its lower case, samples of every block of
Unicode with and without a following mark, and sentences with the traps of several scripts.
"""
import json
import platform
import random
import sys
import unicodedata as u

HARAKAT = [(0x610, 0x61A), (0x64B, 0x652), (0x656, 0x65F), (0x670, 0x670), (0x6D6, 0x6ED), (0x897, 0x89F), (0x8CA, 0x8FF)]
SENTENCES = [
    "గత సంవత్సరం, వర్షాలు!", "किसान “खेत” में।", "كِتَابٌ؟ الكِتَابُ العَرَبِيُّ", "القُرْآنُ", "مُؤَسَّسَة ١٩٤٥", "ΟΔΥΣΣΕΎΣ Σίσυφος",
    "ᾼδης ᾯ ῼ ᾳ", "Straße STRASSE ẞ", "İstanbul ıI", "ǅ ǈ ﬁne ﬀ ſt", "Ａｂｃ　１２３", "ＮＯ．５", "ⅷ ① ½ ²", "x²+y²=z²", "ᏣᎳᎩ ꮳꮃꭹ ᏸ",
    "ย้อนกลับ ๑๒๓", "မြန်မာ ၁၂၃", "ភាសាខ្មែរ ១២៣", "བོད་སྐད། ༡༢༣", "한국어, 日本語。", "ガギグ ｶﾞｷﾞｸﾞ", "שָׁלוֹם עולם", "e\u0301 e\u200d\u0301 \u00e9",
    "a\u200d\u0301b", "co\u00adoperate", "zero\u200bwidth", "\ufeffstart", "a\u0488b\u20dd", "tab\there\nnew\u2028line\u2029end\x00\x1f", "don't stop—now… “ok”",
    "U.S.A. 3.14 1,000", "#tag @name a_b", "\u0375 \u0384", "K Å Ω", "क\u093c \u0958", "\u0c46\u0c56 \u0c48", "ᲐᲑ აბ Აბ", "\u1c80\u1c88", "🙂 a🙂b", "𝟘𝟡 𝒜𝓑", "𐐀𐐨",
]


def harakat(c):
    return u.category(c) == "Mn" and any(a <= ord(c) <= b for a, b in HARAKAT)


def space(c):
    return c.isspace()


def category(c, drop):
    if space(c):
        return " "
    k = u.category(c)
    if k == "Nd":
        return str(u.decimal(c))
    if k[0] in "PSZ":
        return " "
    if k[0] == "C" or k == "Me" or (drop and harakat(c)):
        return ""
    return c


def script_safe(text, drop):
    while True:
        kept = "".join(category(c, drop) for c in u.normalize("NFKC", text).casefold())
        new = u.normalize("NFKC", kept)
        if new == text:
            return " ".join(text.split())
        text = new


def inputs():
    yield from SENTENCES
    nd = [chr(c) for c in range(sys.maxunicode + 1) if u.category(chr(c)) == "Nd"]
    for i in range(0, len(nd), 10):
        yield "".join(nd[i:i + 10]) + " x" + nd[i]
    odd = [c for c in map(chr, range(sys.maxunicode + 1)) if u.category(c) not in ("Cs", "Cn", "Co") and c.casefold() != c.lower()]
    for i in range(0, len(odd), 12):
        yield "".join(odd[i:i + 12])
    rng = random.Random(20250625)
    assigned = [c for c in map(chr, range(sys.maxunicode + 1)) if u.category(c) not in ("Cs", "Cn", "Co")]
    marks = [c for c in assigned if u.category(c) in ("Mn", "Me", "Cf")]
    blocks = {}
    for c in assigned:
        blocks.setdefault(ord(c) // 128, []).append(c)
    for key in sorted(blocks):
        picked = [rng.choice(blocks[key]) for _ in range(6)]
        yield "a" + "".join(picked) + " " + "".join(c + rng.choice(marks) for c in picked)
    for _ in range(300):
        yield "".join(rng.choice(rng.choice((assigned, marks, list("aZ 09.Σß")))) for _ in range(rng.randrange(1, 24)))


def main():
    cases = []
    for text in inputs():
        case = {"id": "ss%04d" % len(cases), "raw": text, "normalized": script_safe(text, False)}
        bare = script_safe(text, True)
        if bare != case["normalized"]:
            case["without_harakat"] = bare
        cases.append(case)
    head = {
        "tool": "Python unicodedata and str.casefold",
        "version": "Python %s (Unicode %s)" % (platform.python_version(), u.unidata_version),
        "what": "the definition of script-safe on characters assigned in that version of Unicode",
        "tolerance": "exact strings",
        "count": len(cases),
    }
    lines = ",\n".join(json.dumps(case) for case in cases)
    print(json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]}")


main()
