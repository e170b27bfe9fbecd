//! sclite's `stm` segments, and the words of a `ctm` assigned to them by time.
//!
//! **Segments** are `file channel speaker start end <label> word word …`, the label optional. A segment whose text holds
//! `IGNORE_TIME_SEGMENT_IN_SCORING` (in any case) is not scored, nor are the hypothesis words that fall to it. A segment
//! of the speaker `inter_segment_gap` is a segment without words: what falls to it is inserted. Blank lines and comments
//! (`;;`) are skipped.
//!
//! **Assignment**, as in sclite 2.10 (`-r x.stm stm -h x.ctm ctm`): segments and words of one file and channel are taken by
//! time. A word goes to the first segment, never before the one its predecessor went to, that ends behind the word's
//! midpoint; what is left goes to the last segment. So a word between two segments is scored with the later one. Segment
//! ends are rounded to single precision, as sclite reads them: a midpoint may lie exactly on one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lines::{decode, next_field, records, seconds};
use super::pairing::{MissingPolicy, Paired, TimeTally, join};
use super::problem::{FormatError, ProblemKind, Problems, both};
use super::record::check_span;
use super::trn::marked_up;
use super::{Side, Source, Transcript};

/// File and channel.
type Channel<'a> = (&'a str, &'a str);

struct Segment<'a> {
    channel: Channel<'a>,
    ignored: bool,
    start: f64,
    end: f64,
    transcript: Transcript<'a>,
}

struct Word<'a> {
    start: f64,
    midpoint: f64,
    text: &'a str,
}

/// The words of each channel with the line of the first, channels in their order.
struct Words<'a> {
    channels: Vec<(Channel<'a>, usize, Vec<Word<'a>>)>,
    by_channel: HashMap<Channel<'a>, usize>,
}

/// Segments that are scored.
pub(super) fn read<'a>(file: &str, text: &'a str, side: Side) -> Result<Vec<Transcript<'a>>, FormatError> {
    let segments = segments(file, text, side)?;
    Ok(segments.into_iter().filter(|s| !s.ignored).map(|s| s.transcript).collect())
}

/// Segments of the `stm` with the words of the `ctm`.
pub(super) fn load<'a>(
    reference: &Source<'a>,
    hypothesis: &Source<'a>,
    policy: MissingPolicy,
) -> Result<Paired<'a>, FormatError> {
    let stm = decode(reference.file, reference.bytes)
        .and_then(|text| segments(reference.file, text, Side::Reference))
        .and_then(|segments| distinct(reference.file, segments));
    let ctm = decode(hypothesis.file, hypothesis.bytes).and_then(|text| words(hypothesis.file, text));
    let (segments, mut words) = both(stm, ctm)?;

    let mut by_channel: HashMap<Channel<'a>, Vec<usize>> = HashMap::new();
    for (i, segment) in segments.iter().enumerate() {
        by_channel.entry(segment.channel).or_default().push(i);
    }
    let mut paired = Paired::default();
    let absent = unmatched((reference.file, &segments), (hypothesis.file, &words), policy, &mut paired)?;
    let mut tally = TimeTally::default();
    let mut texts: Vec<String> = vec![String::new(); segments.len()];
    for (channel, mut order) in by_channel {
        order.sort_by(|a, b| segments[*a].start.total_cmp(&segments[*b].start));
        if let Some(c) = words.by_channel.get(&channel) {
            assign(&segments, &order, &mut words.channels[*c].2, &mut texts, &mut tally);
        }
    }
    for (segment, text) in segments.into_iter().zip(texts) {
        if segment.ignored {
            tally.ignored_segments += 1;
        } else if policy != MissingPolicy::Skip || !absent.contains(&segment.channel) {
            let hypothesis = Transcript { text: Cow::Owned(text), ..Transcript::default() };
            paired.pairs.push(join(segment.transcript, hypothesis));
        }
    }
    paired.times = Some(tally);
    Ok(paired)
}

/// Notes channels that only one file has; returns those without words.
fn unmatched<'a>(
    (stm, segments): (&str, &[Segment<'a>]),
    (ctm, words): (&str, &Words<'a>),
    policy: MissingPolicy,
    paired: &mut Paired<'_>,
) -> Result<Vec<Channel<'a>>, FormatError> {
    let (mut at_stm, mut at_ctm) = (Problems::of(stm), Problems::of(ctm));
    let mut known: HashMap<Channel<'a>, bool> = HashMap::new();
    let mut absent = Vec::new();
    for segment in segments {
        let scored = known.entry(segment.channel).or_default();
        if *scored || segment.ignored {
            continue;
        }
        *scored = true;
        if !words.by_channel.contains_key(&segment.channel) {
            let id = name(segment.channel);
            paired.missing.note(&id);
            if policy == MissingPolicy::Error {
                at_stm.push(segment.transcript.line, ProblemKind::MissingHypothesis { id });
            }
            absent.push(segment.channel);
        }
    }
    for (channel, line, _) in words.channels.iter().filter(|(channel, ..)| !known.contains_key(channel)) {
        let id = name(*channel);
        paired.extra.note(&id);
        if policy == MissingPolicy::Error {
            at_ctm.push(*line, ProblemKind::ExtraHypothesis { id });
        }
    }
    both(at_stm.or(()), at_ctm.or(()))?;
    Ok(absent)
}

fn name((file, channel): Channel<'_>) -> String {
    format!("{file} {channel}")
}

/// Gives the words of one channel to its segments, both in order of time.
fn assign(
    segments: &[Segment<'_>],
    order: &[usize],
    words: &mut [Word<'_>],
    texts: &mut [String],
    tally: &mut TimeTally,
) {
    words.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut at = 0;
    for word in words {
        while at + 1 < order.len() && word.midpoint >= f64::from(segments[order[at]].end as f32) {
            at += 1;
        }
        let segment = &segments[order[at]];
        if segment.ignored {
            tally.ignored_words += 1;
            continue;
        }
        tally.words_between += u64::from(word.midpoint < segment.start || word.midpoint > segment.end);
        let text = &mut texts[order[at]];
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word.text);
    }
}

/// Segments in the order of the file.
fn segments<'a>(file: &str, text: &'a str, side: Side) -> Result<Vec<Segment<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut list = Vec::new();
    for (line, content) in records(text) {
        match segment(content, line, side) {
            Ok(segment) => list.push(segment),
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(list)
}

fn segment(content: &str, line: usize, side: Side) -> Result<Segment<'_>, ProblemKind> {
    let mut rest = content;
    let fields: Vec<&str> = std::iter::from_fn(|| next_field(&mut rest)).take(5).collect();
    let [file, channel, speaker, begin, end] = fields[..] else {
        let expected = "at least 5: file, channel, speaker, start, end".to_owned();
        return Err(ProblemKind::Fields { expected, actual: fields.len() });
    };
    let (start_s, end_s) = (seconds("start", begin)?, seconds("end", end)?);
    check_span(Some(start_s), Some(end_s))?;
    let mut tags = vec![(Cow::Borrowed("channel"), Cow::Borrowed(channel))];
    let mut behind = rest;
    if let Some(label) = next_field(&mut behind).and_then(|f| f.strip_prefix('<')?.strip_suffix('>')) {
        rest = behind;
        tags.push((Cow::Borrowed("label"), Cow::Borrowed(label)));
        let positions = LABELS.iter().zip(label.split(','));
        tags.extend(positions.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value))));
    }
    let ignored = is_ignored(rest);
    let side = if ignored { Side::Hypothesis } else { side };
    let (text, lattice) = marked_up(rest.trim_matches([' ', '\t']), side)?;
    let transcript = Transcript {
        id: Cow::Owned(format!("{file}_{channel}_{speaker}_{begin}-{end}")),
        text,
        lattice,
        speaker: Some(Cow::Borrowed(speaker)),
        session: Some(Cow::Borrowed(file)),
        start_s: Some(start_s),
        end_s: Some(end_s),
        tags,
        line,
    };
    Ok(Segment { channel: (file, channel), ignored, start: start_s, end: end_s, transcript })
}

/// Tags for the positions of a label such as `<O,F,00>`, each of which names a group of subsets.
const LABELS: [&str; 9] = ["label1", "label2", "label3", "label4", "label5", "label6", "label7", "label8", "label9"];

fn is_ignored(text: &str) -> bool {
    ["ignore_time_segment_in_scoring", "ignoretimesegmentinscoring"]
        .iter()
        .any(|mark| text.split([' ', '\t']).any(|word| word.eq_ignore_ascii_case(mark)))
}

/// The same segments, if no two are alike.
fn distinct<'a>(file: &str, segments: Vec<Segment<'a>>) -> Result<Vec<Segment<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut lines: HashMap<&str, usize> = HashMap::with_capacity(segments.len());
    for Segment { transcript, .. } in &segments {
        match lines.entry(&transcript.id) {
            Entry::Vacant(entry) => drop(entry.insert(transcript.line)),
            Entry::Occupied(first) => {
                let (id, first_line) = (transcript.id.to_string(), *first.get());
                problems.push(transcript.line, ProblemKind::DuplicateId { id, first_line });
            }
        }
    }
    problems.or(())?;
    drop(lines);
    Ok(segments)
}

/// The words of a `ctm`: `file channel start duration word`; what follows (a confidence) is not read.
fn words<'a>(file: &str, text: &'a str) -> Result<Words<'a>, FormatError> {
    let mut problems = Problems::of(file);
    let mut out = Words { channels: Vec::new(), by_channel: HashMap::new() };
    for (line, content) in records(text) {
        match word(content) {
            Ok((channel, word)) => {
                let at = *out.by_channel.entry(channel).or_insert(out.channels.len());
                if at == out.channels.len() {
                    out.channels.push((channel, line, Vec::new()));
                }
                out.channels[at].2.push(word);
            }
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(out)
}

fn word(content: &str) -> Result<(Channel<'_>, Word<'_>), ProblemKind> {
    let mut rest = content;
    let fields: Vec<&str> = std::iter::from_fn(|| next_field(&mut rest)).take(5).collect();
    let [file, channel, start, duration, text] = fields[..] else {
        let expected = "at least 5: file, channel, start, duration, word".to_owned();
        return Err(ProblemKind::Fields { expected, actual: fields.len() });
    };
    if ["<ALT_BEGIN>", "<ALT>", "<ALT_END>"].iter().any(|mark| text.eq_ignore_ascii_case(mark)) {
        return Err(ProblemKind::AlternatesInHypothesis { word: text.to_owned() });
    }
    let start = seconds("start", start)?;
    let duration = seconds("duration", duration)?;
    let midpoint = start + duration / 2.0;
    if !midpoint.is_finite() {
        return Err(ProblemKind::NotSeconds { field: "midpoint", actual: format!("{start} + {duration} / 2") });
    }
    Ok(((file, channel), Word { start, midpoint, text }))
}
