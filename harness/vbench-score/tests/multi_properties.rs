//! What must hold for every session of several speakers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vbench_core::ErrorCounts;
use vbench_score::levenshtein;
use vbench_score::multi::{MultiScore, Segment, SessionScore, cp_wer, tcp_wer};
use vbench_score::tokens::{intern, words};

#[derive(Debug, Clone)]
struct Spoken {
    session: usize,
    speaker: usize,
    start: f64,
    length: f64,
    words: String,
}

/// Segments of up to two sessions and four speakers; times on a grid of half a second, so that ties abound.
fn side() -> impl Strategy<Value = Vec<Spoken>> {
    let spoken = (0usize..2, 0usize..4, 0u32..40, 0u32..8, prop::collection::vec(prop::sample::select(WORDS), 0..7));
    let spoken = spoken.prop_map(|(session, speaker, start, length, words)| Spoken {
        session,
        speaker,
        start: f64::from(start) / 2.0,
        length: f64::from(length) / 2.0,
        words: words.join(" "),
    });
    prop::collection::vec(spoken, 0..14)
}

const WORDS: &[&str] = &["a", "b", "open", "ఇది", "window"];

/// Segments with named speakers.
struct Named(Vec<(String, String, Spoken)>);

impl Named {
    fn new(side: &[Spoken], prefix: &str) -> Self {
        Self(side.iter().map(|s| (format!("s{}", s.session), format!("{prefix}{}", s.speaker), s.clone())).collect())
    }

    fn segments(&self) -> Vec<Segment<'_>> {
        self.0
            .iter()
            .map(|(session, speaker, s)| Segment {
                session,
                speaker,
                start_s: Some(s.start),
                end_s: Some(s.start + s.length),
                words: &s.words,
            })
            .collect()
    }
}

fn cp(r: &[Spoken], h: &[Spoken]) -> MultiScore {
    cp_wer(&Named::new(r, "r").segments(), &Named::new(h, "h").segments()).expect("small sessions with times")
}

fn tcp(r: &[Spoken], h: &[Spoken], collar: f64) -> MultiScore {
    tcp_wer(&Named::new(r, "r").segments(), &Named::new(h, "h").segments(), collar).expect("small sessions with times")
}

/// Words by session and speaker in order of time, as the definition says.
fn streams(side: &[Spoken]) -> BTreeMap<(usize, usize), String> {
    let mut sorted: Vec<&Spoken> = side.iter().collect();
    sorted.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut streams: BTreeMap<_, String> = BTreeMap::new();
    for s in sorted {
        let stream = streams.entry((s.session, s.speaker)).or_default();
        stream.push(' ');
        stream.push_str(&s.words);
    }
    streams
}

fn distance(a: &str, b: &str) -> u64 {
    let ids = intern(words(a), words(b));
    levenshtein(&ids.reference, &ids.hypothesis)
}

/// Errors of the best of all assignments of one session's streams, by trying every one.
fn exhaustive(reference: &[String], hypothesis: &mut Vec<String>, from: usize) -> u64 {
    if from == hypothesis.len() {
        return reference.iter().zip(&*hypothesis).map(|(r, h)| distance(r, h)).sum();
    }
    let mut best = u64::MAX;
    for i in from..hypothesis.len() {
        hypothesis.swap(from, i);
        best = best.min(exhaustive(reference, hypothesis, from + 1));
        hypothesis.swap(from, i);
    }
    best
}

fn session(score: &MultiScore, name: &str) -> Option<SessionScore> {
    score.sessions.iter().find(|s| s.session == name).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cp_is_the_best_of_all_assignments(r in side(), h in side()) {
        let score = cp(&r, &h);
        let (rs, hs) = (streams(&r), streams(&h));
        for number in 0..2 {
            let of = |streams: &BTreeMap<(usize, usize), String>| -> Vec<String> {
                streams.iter().filter(|(k, _)| k.0 == number).map(|(_, v)| v.clone()).collect()
            };
            let (mut a, mut b) = (of(&rs), of(&hs));
            let Some(got) = session(&score, &format!("s{number}")) else {
                prop_assert!(a.is_empty() && b.is_empty());
                continue;
            };
            prop_assert_eq!(got.scored_speakers, a.len() as u64);
            prop_assert_eq!(got.missed_speakers, a.len().saturating_sub(b.len()) as u64);
            prop_assert_eq!(got.false_alarm_speakers, b.len().saturating_sub(a.len()) as u64);
            let n = a.len().max(b.len());
            a.resize(n, String::new());
            b.resize(n, String::new());
            prop_assert_eq!(got.counts.reference(), a.iter().map(|s| words(s).count() as u64).sum::<u64>());
            prop_assert_eq!(got.counts.hypothesis(), b.iter().map(|s| words(s).count() as u64).sum::<u64>());
            prop_assert_eq!(got.counts.errors(), exhaustive(&a, &mut b, 0));
        }
    }

    #[test]
    fn pairs_have_the_errors_of_their_streams(r in side(), h in side()) {
        let (rs, hs) = (streams(&r), streams(&h));
        let text = |streams: &BTreeMap<(usize, usize), String>, session: &str, speaker: &Option<String>| -> String {
            let key = |s: &str| s[1..].parse::<usize>().unwrap();
            speaker.as_ref().map_or_else(String::new, |s| streams[&(key(session), key(s))].clone())
        };
        for session in &cp(&r, &h).sessions {
            for pair in &session.pairs {
                let a = text(&rs, &session.session, &pair.reference);
                let b = text(&hs, &session.session, &pair.hypothesis);
                prop_assert_eq!(pair.counts.errors(), distance(&a, &b));
                prop_assert_eq!(pair.counts.reference(), words(&a).count() as u64);
                prop_assert_eq!(pair.counts.hypothesis(), words(&b).count() as u64);
            }
        }
    }

    #[test]
    fn names_and_order_of_speakers_and_rows_do_not_matter(r in side(), h in side(), turn in 0usize..24, shift in 0usize..14) {
        let mut renaming = [0, 1, 2, 3];
        renaming.rotate_left(turn % 4);
        renaming.swap(turn / 4 % 2, 2 + turn / 8 % 2);
        // Segments of one speaker that start together keep their order: it is part of what was said.
        let renamed = |side: &[Spoken]| -> Vec<Spoken> {
            let mut out: Vec<Spoken> =
                side.iter().map(|s| Spoken { speaker: renaming[s.speaker], ..s.clone() }).collect();
            out.sort_by_key(|s| (s.speaker + shift) % 4);
            out
        };
        for (r2, h2) in [(renamed(&r), h.clone()), (r.clone(), renamed(&h)), (renamed(&r), renamed(&h))] {
            let (before, after) = (cp(&r, &h), cp(&r2, &h2));
            prop_assert_eq!(before.counts.errors(), after.counts.errors());
            prop_assert_eq!(before.counts.reference(), after.counts.reference());
            prop_assert_eq!(before.missed_speakers, after.missed_speakers);
            prop_assert_eq!(tcp(&r, &h, 1.0).counts.errors(), tcp(&r2, &h2, 1.0).counts.errors());
        }
    }

    #[test]
    fn cp_is_at_most_the_identity_assignment(r in side(), h in side()) {
        let (rs, hs) = (streams(&r), streams(&h));
        let nothing = String::new();
        let keys: std::collections::BTreeSet<_> = rs.keys().chain(hs.keys()).collect();
        let identity: u64 =
            keys.iter().map(|k| distance(rs.get(k).unwrap_or(&nothing), hs.get(k).unwrap_or(&nothing))).sum();
        prop_assert!(cp(&r, &h).counts.errors() <= identity);
    }

    #[test]
    fn time_constraint_only_adds_errors_and_less_with_a_wider_collar(r in side(), h in side()) {
        let mut last = u64::MAX;
        for collar in [0.0, 0.25, 1.0, 5.0, 1e6, f64::INFINITY] {
            let errors = tcp(&r, &h, collar).counts.errors();
            prop_assert!(errors <= last, "collar {}: {} > {}", collar, errors, last);
            last = errors;
        }
        // A collar that covers everything leaves no constraint.
        prop_assert_eq!(last, cp(&r, &h).counts.errors());
    }

    #[test]
    fn a_session_has_no_error_against_itself(r in side(), collar in 0.01f64..3.0) {
        prop_assert_eq!(cp(&r, &r).counts.errors(), 0);
        // A reference word of no length is a point, within the collar of its own middle.
        let score = tcp(&r, &r, collar);
        prop_assert_eq!(score.counts.errors(), 0);
        let said: u64 = r.iter().map(|s| words(&s.words).count() as u64).sum();
        prop_assert_eq!(score.counts, ErrorCounts { hits: said, ..ErrorCounts::ZERO });
    }

    #[test]
    fn sessions_add(r in side(), h in side()) {
        let only = |side: &[Spoken], n: usize| -> Vec<Spoken> {
            side.iter().filter(|s| s.session == n).cloned().collect()
        };
        let both = cp(&r, &h);
        let parts = [0, 1].map(|n| cp(&only(&r, n), &only(&h, n)));
        prop_assert_eq!(both.counts, parts.iter().map(|p| p.counts).sum());
        prop_assert_eq!(both.missing_sessions.len(), parts.iter().map(|p| p.missing_sessions.len()).sum::<usize>());
        prop_assert_eq!(both.extra_sessions.len(), parts.iter().map(|p| p.extra_sessions.len()).sum::<usize>());
        prop_assert_eq!(both.counts, both.sessions.iter().flat_map(|s| &s.pairs).map(|p| p.counts).sum());
    }
}
