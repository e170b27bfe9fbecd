//! SegLST: a JSON list of segments, as MeetEval and the CHiME challenges write them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Transcript;
use super::jsonl::{Object, json_problem};
use super::problem::{FormatError, ProblemKind, Problems};
use super::record::{Keys, row};

const KEYS: Keys<'static> = Keys {
    id: "id",
    text: "words",
    hypothesis: None,
    speaker: "speaker",
    session: "session_id",
    start: "start_time",
    end: "end_time",
    duration: "duration",
};

/// The objects of a JSON list, one at a time, each with its line.
struct List<'a> {
    text: &'a str,
    at: usize,
    /// Line at `at`.
    line: usize,
    first: bool,
}

impl<'a> List<'a> {
    fn advance(&mut self, to: usize) {
        self.line += self.text.as_bytes()[self.at..to].iter().filter(|b| **b == b'\n').count();
        self.at = to;
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.advance(self.text.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
    }

    /// Consumes white space and then this mark, if it is there.
    fn mark(&mut self, mark: char) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(mark);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, expected: &'static str) -> ProblemKind {
        let actual = self.text[self.at..].chars().next().map_or("the end of the file".to_owned(), String::from);
        ProblemKind::JsonShape { expected, actual }
    }

    /// The next object; after a problem nothing more can be read.
    fn next(&mut self) -> Result<Option<(usize, Object<'a>)>, (usize, ProblemKind)> {
        if self.mark(']') {
            self.skip_space();
            let done = self.at == self.text.len();
            return if done { Ok(None) } else { Err((self.line, self.unexpected("nothing behind the list"))) };
        }
        if !self.first && !self.mark(',') {
            return Err((self.line, self.unexpected("a comma or the end of the list")));
        }
        self.first = false;
        self.skip_space();
        let line = self.line;
        let mut stream = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<Object<'a>>();
        match stream.next() {
            Some(Ok(object)) => {
                self.advance(self.at + stream.byte_offset());
                Ok(Some((line, object)))
            }
            Some(Err(e)) => Err((line + e.line().saturating_sub(1), json_problem(&e))),
            None => Err((line, self.unexpected("an object"))),
        }
    }
}

/// Segments in their order. `session_id`, `speaker` and `words` are needed, times may be absent. The id is the key `id`, else
/// `session_id:n` for the n-th segment of its session.
pub(super) fn read<'a>(file: &str, text: &'a str) -> Result<Vec<Transcript<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut out: Vec<Transcript<'a>> = Vec::new();
    let mut list = List { text, at: 0, line: 1, first: true };
    if !list.mark('[') {
        problems.push(list.line, list.unexpected("a JSON list of segments"));
        return problems.or(out);
    }
    let mut numbers: HashMap<Cow<'a, str>, usize> = HashMap::new();
    loop {
        let (line, Object(fields)) = match list.next() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err((line, kind)) => {
                problems.push(line, kind);
                break;
            }
        };
        let known: Vec<String> = fields.iter().take(20).map(|(key, _)| key.to_string()).collect();
        match row(fields, line, &KEYS) {
            Ok(row) => {
                let mut segment = row.transcript;
                for (key, value) in [(KEYS.session, &segment.session), (KEYS.speaker, &segment.speaker)] {
                    if value.is_none() {
                        let key = key.to_owned();
                        problems.push(line, ProblemKind::MissingKey { key, known: known.join(", ") });
                    }
                }
                let session = segment.session.clone().unwrap_or_default();
                let number = numbers.entry(session).or_default();
                *number += 1;
                if segment.id.is_empty() {
                    segment.id = Cow::Owned(format!("{}:{number}", segment.session.as_deref().unwrap_or_default()));
                }
                out.push(segment);
            }
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(out)
}
