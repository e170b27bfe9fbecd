"""Writes opus_loss.json: SILK packets with losses as libopus conceals and rebuilds them.

Usage: python3 opus_loss.py OUT.json   (from this folder; needs libopus.so.0)

20 packets of 20 ms from ../oracles/wav/speech_a1.wav, starting at 0.5 s, coded at 24 kbit/s in VoIP mode with in-band
forward error correction for 20 % loss. `lost` marks packets that do not arrive. `concealed` are the decoder's 16-bit
samples with concealment alone, `recovered` those where a lost packet whose successor arrives is decoded from it.
"""

import array
import ctypes as c
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
FRAME = 320
LOST = [3, 6, 7, 10, 15, 16, 17]
LIB = c.CDLL("libopus.so.0")
LIB.opus_get_version_string.restype = c.c_char_p
LIB.opus_encoder_create.restype = c.c_void_p
LIB.opus_decoder_create.restype = c.c_void_p


def encode(pcm):
    error = c.c_int()
    state = c.c_void_p(LIB.opus_encoder_create(16000, 1, 2048, c.byref(error)))
    for request, value in [(4002, 24000), (4006, 1), (4020, 1), (4010, 10), (4012, 1), (4014, 20)]:
        assert LIB.opus_encoder_ctl(state, c.c_int(request), c.c_int(value)) == 0
    packets = []
    for at in range(0, len(pcm), FRAME):
        out = (c.c_ubyte * 4000)()
        size = LIB.opus_encode(state, (c.c_int16 * FRAME)(*pcm[at : at + FRAME]), FRAME, out, 4000)
        packets.append(bytes(out[:size]))
    return packets


def decode(packets, fec):
    error = c.c_int()
    state = c.c_void_p(LIB.opus_decoder_create(16000, 1, c.byref(error)))
    decoded = array.array("h")
    for i, packet in enumerate(packets):
        out = (c.c_float * FRAME)()
        arrives = i + 1 < len(packets) and i + 1 not in LOST
        if i not in LOST:
            n = LIB.opus_decode_float(state, packet, len(packet), out, FRAME, 0)
        elif fec and arrives:
            n = LIB.opus_decode_float(state, packets[i + 1], len(packets[i + 1]), out, FRAME, 1)
        else:
            n = LIB.opus_decode_float(state, None, 0, out, FRAME, 0)
        assert n == FRAME
        decoded.extend(int(x * 32768) for x in out)
    return decoded.tolist()


def main():
    pcm = array.array("h", (HERE / "../oracles/wav/speech_a1.wav").read_bytes()[44:])[8000 : 8000 + 20 * FRAME]
    packets = encode(pcm)
    case = {
        "id": "silk_24k",
        "packets": [p.hex() for p in packets],
        "lost": LOST,
        "with_copy": sum(1 for p in packets if p[0] < 128 and p[1] & 64),
    }
    for name, fec in [("concealed", False), ("recovered", True)]:
        decoded = decode(packets, fec)
        energy = [round((sum(x * x for x in decoded[i : i + FRAME]) / FRAME) ** 0.5) for i in range(0, len(decoded), FRAME)]
        case[name + "_rms"] = energy
        case[name + "_sha256"] = hashlib.sha256(array.array("h", decoded).tobytes()).hexdigest()
    head = {
        "tool": "libopus",
        "version": LIB.opus_get_version_string().decode(),
        "what": " ".join(__doc__.split("\n\n")[2].split()),
        "tolerance": "exact",
        "count": 1,
        "cases": [case],
    }
    pathlib.Path(sys.argv[1]).write_text(json.dumps(head, indent=1) + "\n")


main()
