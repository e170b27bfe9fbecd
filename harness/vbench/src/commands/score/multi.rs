//! Several speakers: cpWER and tcpWER.

use std::borrow::Cow;

use vbench_core::ExitCode;
use vbench_report::score::{MultiReport, multi_table, write_multi_json};
use vbench_score::Normalizer;
use vbench_score::formats::{Side, Transcripts, read};
use vbench_score::multi::{Segment, cp_wer, tcp_wer};

use super::{Files, columns, terminal, write_out};
use crate::cli::{MultiMetric, ScoreArguments};
use crate::failure::{Failure, say};

/// Scores two files of segments with sessions and speakers.
pub(super) fn score(
    arguments: &ScoreArguments,
    metric: MultiMetric,
    normalizer: &Normalizer,
    files: &Files,
) -> Result<ExitCode, Failure> {
    let Files::Two(reference, hypothesis) = files else {
        return Err(Failure::new(ExitCode::Usage, "--multi needs --ref FILE and --hyp FILE (SegLST or stm)"));
    };
    let columns = columns(arguments);
    let invalid = |e: vbench_score::formats::FormatError| Failure::new(ExitCode::InputInvalid, e);
    let reference = read(&reference.source(), Side::Reference, &columns).map_err(invalid)?;
    let hypothesis = read(&hypothesis.source(), Side::Hypothesis, &columns).map_err(invalid)?;
    let (reference_texts, hypothesis_texts) = (normalized(&reference, normalizer), normalized(&hypothesis, normalizer));
    let (reference, hypothesis) = (segments(&reference, &reference_texts)?, segments(&hypothesis, &hypothesis_texts)?);
    let (name, collar_s, score) = match metric {
        MultiMetric::Cp => ("cpWER", None, cp_wer(&reference, &hypothesis)),
        MultiMetric::Tcp => ("tcpWER", Some(arguments.collar), tcp_wer(&reference, &hypothesis, arguments.collar)),
    };
    let score = score.map_err(|e| Failure::new(ExitCode::InputInvalid, e))?;
    let report = MultiReport { metric: name, collar_s, normalizer: normalizer.id().into(), score };
    if arguments.json {
        write_out(|out| write_multi_json(&report, out))?;
    } else {
        say(multi_table(&report, terminal().1).trim_end());
    }
    Ok(ExitCode::Passed)
}

fn normalized<'a>(transcripts: &'a Transcripts<'_>, normalizer: &Normalizer) -> Vec<Cow<'a, str>> {
    transcripts.list.iter().map(|t| normalizer.normalize(&t.text)).collect()
}

fn segments<'a>(transcripts: &'a Transcripts<'_>, texts: &'a [Cow<'_, str>]) -> Result<Vec<Segment<'a>>, Failure> {
    let needs = |line: usize, what: &str| {
        Failure::new(
            ExitCode::InputInvalid,
            format!("{}, line {line}: several-speaker scoring needs a {what} for every segment", transcripts.file),
        )
    };
    let segment = |(t, text): (&'a vbench_score::formats::Transcript<'_>, &'a Cow<'_, str>)| {
        Ok(Segment {
            session: t.session.as_deref().ok_or_else(|| needs(t.line, "session"))?,
            speaker: t.speaker.as_deref().ok_or_else(|| needs(t.line, "speaker"))?,
            start_s: t.start_s,
            end_s: t.end_s,
            words: text,
        })
    };
    transcripts.list.iter().zip(texts).map(segment).collect()
}
