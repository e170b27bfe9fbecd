//! The bodies of the fuzz targets over changed seeds: the same changes on every run.

use rand::Rng;
use vbench_core::keyed::keyed_rng;

#[path = "../../fuzz/src/formats.rs"]
mod bodies;

const CHANGES: u32 = 4_000;

/// What the formats are made of.
const PIECES: [&[u8]; 30] = [
    b"{",
    b"}",
    b" / ",
    b"@",
    b"(",
    b")",
    b"(x)",
    b"\"",
    b"\"\"",
    b",",
    b"\t",
    b"\n",
    b"\r\n",
    b"\0",
    b";;",
    b"<o,f>",
    b"-",
    b"_",
    b"*",
    b"1e999",
    b"nan",
    b"-1",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xcc\x81",
    b"\xe2\x80\xae",
    b":",
    b"[",
    b"null",
    b"\\u0041",
];

fn change(seed: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + rng.next_u32() % 4 {
        let at = rng.next_u32() as usize % (bytes.len() + 1);
        let to = (at + rng.next_u32() as usize % 12).min(bytes.len());
        match rng.next_u32() % 6 {
            0 => drop(bytes.drain(at..to)),
            1 if at < bytes.len() => bytes[at] ^= 1 << (rng.next_u32() % 8),
            2 => bytes.truncate(at.max(bytes.len() / 2)),
            3 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again.repeat(1 + rng.next_u32() as usize % 40));
            }
            _ => {
                let piece = PIECES[rng.next_u32() as usize % PIECES.len()];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

fn run(name: &str, seeds: &[&[u8]], body: impl Fn(&[u8])) {
    body(b"");
    for seed in seeds {
        body(seed);
    }
    for i in 0..CHANGES {
        let mut rng = keyed_rng(3, "mutations", name, &i.to_string());
        let seed = seeds[i as usize % seeds.len()];
        body(&change(seed, &mut rng));
    }
}

#[test]
fn pairs_survive_changed_bytes() {
    let seeds: [&[u8]; 7] = [
        b"{\"id\":\"a\",\"ref\":\"x y\",\"hyp\":\"x\",\"snr\":5,\"tags\":{\"k\":true}}\n{\"id\":\"b\",\"ref\":\"\",\"hyp\":null}\n",
        b"{\"id\":\"a\",\"text\":\"x y\",\"start_s\":1,\"duration_s\":2}\n\x0c{\"id\":\"a\",\"text\":\"x\"}\n",
        b"id,ref,hyp,set\n1,\"a, \"\"b\"\"\nc\",a,dev\n2,x,\"\",test\n",
        b"id\ttext\tspeaker\na\tx y\ts\n\x0cid\ttext\na\tx\n",
        b"u1 a b\nu2\n\x0cu2 c\nu1 a\n",
        b"one\ntwo\n\x0cone\r\ntoo\r\n",
        b"[{\"session_id\":\"s\",\"speaker\":\"a\",\"start_time\":0,\"end_time\":\"1\",\"words\":\"x\"}]\x0c[{\"session_id\":\"s\",\"speaker\":\"b\",\"words\":\"x\"}]",
    ];
    run("pairs", &seeds, bodies::pairs);
}

#[test]
fn stm_survives_changed_bytes() {
    let seeds: [&[u8]; 2] = [
        b";; LABEL \"o\" \"All\" \"all\"\nf 1 s 0.0 1.5 <o,f> a { b / c { d / @ } } (e)\nf 1 s 1.5 2.0\n\x0cf 1 s 0.0 1.5 a b\n",
        b"f A x 0 1 IGNORE_TIME_SEGMENT_IN_SCORING\nf A x 1 2 word\n",
    ];
    run("stm", &seeds, bodies::stm);
}

#[test]
fn ctm_survives_changed_bytes() {
    let seeds: [&[u8]; 2] = [
        b"f 1 s 0.0 1.5 <o,f> a { b / @ } (e)\nf 1 s 1.5 2.0 ignore_time_segment_in_scoring\nf 1 t 3 4 z\n\x0cf 1 0.1 0.2 a 0.5\nf 1 1.6 0.1 b\nf 1 9 1 z\n",
        b"f 1 s 0 1 a\ng 1 s 0 1 a\n\x0c;; c\nf 1 0.5 0.1 a\nh 1 0 1 b\n",
    ];
    run("ctm", &seeds, bodies::ctm);
}

#[test]
fn trn_survives_changed_bytes() {
    let seeds: [&[u8]; 2] = [
        b"i've { um / uh / @ } as { far as / { f / g } (h) } (s_1)\nx (s_2)\n\x0ci've as far as (s_1)\ny (s_2)\n",
        b"(um) (uh) yes (a-1)\n\x0cno (a-1)\n",
    ];
    run("trn", &seeds, bodies::trn);
}
