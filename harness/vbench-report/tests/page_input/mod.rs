//! What a page is made of beside the summary: worst cells with sound, identity, provenance. Invented.

use vbench_compare::Summary;
use vbench_report::{AlignedToken, AudioClip, CellList, ReportInput, TokenOp, WorstCell};

use crate::fixture::CONDITIONS;

fn tokens(text: &str) -> Vec<AlignedToken> {
    text.split(' ')
        .map(|part| {
            let own = |t: &str| Some(t.to_owned());
            match (part.strip_prefix('-'), part.strip_prefix('+'), part.split_once('>')) {
                (Some(r), _, _) => AlignedToken { op: TokenOp::Deletion, reference: own(r), hypothesis: None },
                (_, Some(h), _) => AlignedToken { op: TokenOp::Insertion, reference: None, hypothesis: own(h) },
                (_, _, Some((r, h))) => {
                    AlignedToken { op: TokenOp::Substitution, reference: own(r), hypothesis: own(h) }
                }
                _ => AlignedToken { op: TokenOp::Hit, reference: own(part), hypothesis: own(part) },
            }
        })
        .collect()
}

/// A tenth of a second of a 440 Hz tone, 16 kHz, 16 bit: something that a player really plays.
fn tone() -> AudioClip {
    let samples: Vec<u8> = (0..1_600)
        .flat_map(|i| {
            let v = (f64::from(i) * 440.0 * std::f64::consts::TAU / 16_000.0).sin() * 8_000.0;
            (v as i16).to_le_bytes()
        })
        .collect();
    let size = samples.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    for half in [1u16, 1] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(16_000u32.to_le_bytes());
    bytes.extend(32_000u32.to_le_bytes());
    for half in [2u16, 16] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples);
    AudioClip { mime: "audio/wav".into(), bytes, href: None }
}

pub fn worst(model: &str) -> Vec<WorstCell> {
    let entry =
        |id: &str, speaker: &str, condition: &str, errors, words, reference: &str, hypothesis: &str, marks: &str| {
            WorstCell {
                cell: format!("voices-en/{id}/{condition}/{model}"),
                speaker: speaker.into(),
                condition: condition.into(),
                model: model.into(),
                errors,
                reference_words: words,
                reference: reference.into(),
                hypothesis: hypothesis.into(),
                alignment: tokens(marks),
                audio: Some(tone()),
                audio_note: None,
                receipt: vec![
                    ("recipe".into(), "noise(kind=speech-shaped, snr_db=5)".into()),
                    ("achieved_snr_db".into(), "5.00".into()),
                    ("active_level_dbfs".into(), "-24.3".into()),
                    ("input_sha256".into(), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
                ],
            }
        };
    vec![
        entry(
            "voice-07-0031",
            "voice-07",
            "noise-5db",
            8,
            8,
            "Please move my dentist appointment to the nineteenth.",
            "He's moved by dentist a pointment the 19th of.",
            "please>he move>is +moved my>by dentist appointment>a +pointment -to the 19th +of",
        ),
        entry(
            "voice-18-0012",
            "voice-18",
            "reverb",
            4,
            6,
            "Turn left after the second bridge.",
            "Turn left.",
            "turn left -after -the -second -bridge",
        ),
        WorstCell {
            audio: None,
            ..entry(
                "voice-03-0002",
                "voice-03",
                "noise-10db",
                4,
                4,
                "Call Doctor Okonkwo now.",
                "",
                "-call -doctor -okonkwo -now",
            )
        },
    ]
}

pub fn input<'a>(summary: &'a Summary, worst: Vec<WorstCell>) -> ReportInput<'a> {
    ReportInput {
        summary,
        conditions: CONDITIONS.iter().map(|(n, d, _)| ((*n).into(), (*d).into())).collect(),
        worst,
        analysis: None,
        gate: None,
        cells: CellList::default(),
        identity: vec![
            ("suite".into(), "all.toml, schema 1".into()),
            ("suite sha256".into(), "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".into()),
            ("manifest voices-en".into(), "72 utterances, 18 speakers".into()),
            (
                "model whisper-tiny.en".into(),
                "sha256 fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9".into(),
            ),
        ],
        provenance: vec![
            ("run".into(), "2026-01-01T10-00-00-abcd".into()),
            ("wall time".into(), "412.6 s".into()),
            ("machine".into(), "2 cores".into()),
        ],
    }
}
