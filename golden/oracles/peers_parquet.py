#!/usr/bin/env python3
"""Writes golden/oracles/parquet/*.parquet with Apache Arrow's writer (pyarrow 25.0.1), and what is in them as JSON lines.

usage: python3 golden/oracles/peers_parquet.py

The columns are those of a speech corpus on a hub: `audio` as a struct of bytes and path, text, numbers, a class label
with its names in the metadata, and a list, which vbench passes over. Every file holds the same rows; `paths`
names recordings instead of holding them, and `speech` holds three pieces of `wav/` that are real.
"""
import io
import json
import os
import wave

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parquet")
ROWS = 300


def rows():
    words = ["zero", "one", "two", "three", "四", "ఐదు", "six", "sieben", "huit", "девять"]
    for i in range(ROWS):
        yield {
            "id": f"utt-{i:05}",
            "audio": {"bytes": b"RIFF" + bytes((i * 7 + k) % 256 for k in range(40 + i % 13)), "path": f"clip {i}.wav"},
            "text": None if i % 11 == 5 else " ".join(words[(i + k) % 10] for k in range(i % 6)),
            "speaker_id": None if i % 7 == 3 else i // 10,
            "duration": None if i % 5 == 4 else 1.0 + i / 8,
            "loud": i % 3 == 0,
            "label": i % 3,
            "year": 2000 + i,
            "notes": ["a", "b"][: i % 3],
        }


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
        ("speaker_id", pa.int64()),
        ("duration", pa.float64()),
        ("loud", pa.bool_()),
        ("label", pa.int64()),
        pa.field("year", pa.int32(), nullable=False),
        ("notes", pa.list_(pa.string())),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": {"label": {"names": ["yes", "no", "maybe"], "_type": "ClassLabel"}}}})},
)
DELTAS = {
    "id": "DELTA_BYTE_ARRAY",
    "text": "DELTA_LENGTH_BYTE_ARRAY",
    "speaker_id": "DELTA_BINARY_PACKED",
    "label": "DELTA_BINARY_PACKED",
    "year": "DELTA_BINARY_PACKED",
    "loud": "RLE",
}
FILES = {
    "snappy": {"compression": "snappy"},
    "snappy-groups": {"compression": "snappy", "row_group_size": 64, "data_page_size": 256},
    "gzip-v2": {"compression": "gzip", "data_page_version": "2.0", "row_group_size": 100},
    "zstd-plain": {"compression": "zstd", "use_dictionary": False},
    "none": {"compression": "none"},
    "none-v2-plain": {"compression": "none", "use_dictionary": False, "data_page_version": "2.0"},
    "deltas": {"compression": "snappy", "use_dictionary": False, "column_encoding": DELTAS, "data_page_version": "2.0"},
    "deltas-v1": {"compression": "none", "use_dictionary": False, "column_encoding": DELTAS, "data_page_size": 300},
    "brotli": {"compression": "brotli"},
}


def main():
    os.makedirs(HERE, exist_ok=True)
    data = list(rows())
    table = pa.Table.from_pylist(data, schema=SCHEMA)
    for name, options in FILES.items():
        pq.write_table(table, os.path.join(HERE, f"{name}.parquet"), **options)
    paths = pa.table({"audio": [f"a{i}.wav" for i in range(5)], "sentence": ["x", "", None, "y z", "w"]})
    pq.write_table(paths, os.path.join(HERE, "paths.parquet"))
    clips = []
    for i in range(3):
        source = wave.open(os.path.join(HERE, f"../wav/speech_a{i}.wav"))
        source.setpos(8000)
        out = io.BytesIO()
        with wave.open(out, "wb") as clip:
            clip.setparams(source.getparams())
            clip.writeframes(source.readframes(12000))
        clips.append({"bytes": out.getvalue(), "path": f"clip{i}.wav"})
    speech = pa.table({"audio": clips, "transcription": ["one", "two", "three"], "speaker_id": [7, 7, 8]})
    pq.write_table(speech, os.path.join(HERE, "speech.parquet"), compression="zstd", data_page_version="2.0")
    with open(os.path.join(HERE, "rows.jsonl"), "w", encoding="utf-8") as out:
        for row in data:
            audio = row["audio"]
            row = {k: v for k, v in row.items() if k not in ("audio", "notes")}
            row["label"] = ["yes", "no", "maybe"][row["label"]]
            row["path"], row["bytes"] = audio["path"], audio["bytes"].hex()
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
