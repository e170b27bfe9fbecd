//! Annotations in tiers: Praat's TextGrid and ELAN's EAF.

use std::collections::HashMap;

use crate::entry::{AudioName, Entry, Parsed, length, stem};
use crate::problem::ProblemKind;
use crate::source::{Source, shown};

/// Largest ELAN file, bytes: it is held as a tree.
const MAX_XML_BYTES: usize = 64 << 20;
/// How far an annotation may refer to another one that refers to another one.
const MAX_REFERENCES: usize = 16;

/// A stretch of a tier.
#[derive(Debug, Clone, PartialEq)]
struct Interval {
    name: String,
    start_s: f64,
    end_s: f64,
    text: String,
    line: usize,
}

/// A tier of intervals.
#[derive(Debug, Clone, PartialEq)]
struct Tier {
    name: String,
    speaker: Option<String>,
    language: Option<String>,
    intervals: Vec<Interval>,
}

/// Reads a TextGrid, long or short, UTF-8 or UTF-16; its recording has its name.
pub fn parse_textgrid(source: &Source<'_>, wanted: &[String], parsed: &mut Parsed) {
    let Some(text) = source.text_or_utf16(&mut parsed.problems) else { return };
    let mut tokens = Tokens { rest: &text, line: 1 };
    let tiers = match textgrid(&mut tokens) {
        Ok(tiers) => tiers,
        Err(kind) => return parsed.problem(source.place(tokens.line), kind),
    };
    let audio = AudioName::Stem(own_stem(source));
    add(source, tiers, wanted, &audio, parsed);
}

/// Reads an EAF; its recording is the one that it names, or the one of its own name.
pub fn parse_elan(source: &Source<'_>, wanted: &[String], parsed: &mut Parsed) {
    let Some(text) = source.text(&mut parsed.problems) else { return };
    if text.len() > MAX_XML_BYTES {
        let kind = ProblemKind::TooMuch { unit: "bytes", limit: MAX_XML_BYTES as u64 };
        return parsed.problem(source.place(0), kind);
    }
    // Without a document type there are no entities to multiply.
    let document = match roxmltree::Document::parse(text) {
        Ok(document) => document,
        Err(e) => {
            let kind = ProblemKind::Shape { expected: "XML of ELAN".into(), actual: e.to_string() };
            return parsed.problem(source.place(e.pos().row as usize), kind);
        }
    };
    if !document.root_element().has_tag_name("ANNOTATION_DOCUMENT") {
        let actual = format!("<{}>", shown(document.root_element().tag_name().name()));
        let kind = ProblemKind::Shape { expected: "an ANNOTATION_DOCUMENT of ELAN".into(), actual };
        return parsed.problem(source.place(1), kind);
    }
    let audio = elan_audio(&document).unwrap_or_else(|| AudioName::Stem(own_stem(source)));
    let tiers = elan_tiers(&document, source, parsed);
    add(source, tiers, wanted, &audio, parsed);
}

fn own_stem(source: &Source<'_>) -> String {
    let name = source.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    stem(&name).to_owned()
}

/// The chosen tiers' intervals with text as utterances.
fn add(source: &Source<'_>, tiers: Vec<Tier>, wanted: &[String], audio: &AudioName, parsed: &mut Parsed) {
    let known = tiers.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
    let tier_problem = |what: String| ProblemKind::Tier { what, known: known.clone() };
    if wanted.is_empty() && tiers.len() != 1 {
        let what = format!("{} tiers of intervals; choose with --tier NAME", tiers.len());
        return parsed.problem(source.place(0), tier_problem(what));
    }
    let several = tiers.iter().filter(|t| wanted.contains(&t.name)).count() > 1;
    for name in wanted.iter().filter(|name| !tiers.iter().any(|t| t.name == **name)) {
        parsed.problem(source.place(0), tier_problem(format!("no tier of intervals `{name}`")));
    }
    let recording = own_stem(source);
    for tier in tiers.into_iter().filter(|t| wanted.is_empty() || wanted.contains(&t.name)) {
        let speaker = tier.speaker.or_else(|| several.then(|| tier.name.clone()));
        for interval in tier.intervals {
            let text = interval.text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.is_empty() {
                parsed.leave_out("intervals without text");
                continue;
            }
            let duration_s = match length(interval.start_s, interval.end_s) {
                Ok(duration_s) => duration_s,
                Err(kind) => {
                    parsed.problem(source.place(interval.line), kind);
                    continue;
                }
            };
            let place = source.place(interval.line);
            let mut entry = Entry::new(format!("{recording}-{}", interval.name), audio.clone(), text, place);
            (entry.start_s, entry.duration_s) = (Some(interval.start_s), Some(duration_s));
            entry.speaker = speaker.clone();
            entry.session = Some(recording.clone());
            entry.language = tier.language.clone();
            entry.tag("tier", &tier.name);
            parsed.entries.push(entry);
        }
    }
}

/// What stands free in a TextGrid (Praat's manual, "TextGrid file formats"): strings in quotation marks, numbers, flags.
/// Everything else is for human readers.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

#[derive(Debug, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Flag(String),
}

impl Tokens<'_> {
    fn skip(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn next(&mut self) -> Result<Token, ProblemKind> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.skip(blank);
            if self.rest.is_empty() {
                let expected = "more values, as the file's counts say".into();
                return Err(ProblemKind::Shape { expected, actual: "the end of the file".into() });
            }
            if self.rest.starts_with('"') {
                return self.string();
            }
            let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
            let word = &self.rest[..end];
            let token = match word {
                _ if word.starts_with('!') => None,
                _ if word.starts_with('<') && word.ends_with('>') => Some(Token::Flag(word.to_owned())),
                _ => word.parse::<f64>().ok().filter(|n| n.is_finite()).map(Token::Number),
            };
            let comment = word.starts_with('!');
            let end = if comment { self.rest.find('\n').unwrap_or(self.rest.len()) } else { end };
            self.skip(end);
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    /// A string, in which a quotation mark is written twice.
    fn string(&mut self) -> Result<Token, ProblemKind> {
        let (mut text, mut at) = (String::new(), 1);
        loop {
            let Some(found) = self.rest[at..].find('"') else { return Err(ProblemKind::OpenQuote) };
            text.push_str(&self.rest[at..at + found]);
            at += found + 1;
            if !self.rest[at..].starts_with('"') {
                self.skip(at);
                return Ok(Token::Text(text));
            }
            text.push('"');
            at += 1;
        }
    }

    fn text(&mut self, what: &str) -> Result<String, ProblemKind> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            other => Err(unexpected(what, &other)),
        }
    }

    fn number(&mut self, what: &str) -> Result<f64, ProblemKind> {
        match self.next()? {
            Token::Number(number) => Ok(number),
            other => Err(unexpected(what, &other)),
        }
    }

    fn count(&mut self, what: &str) -> Result<u64, ProblemKind> {
        let number = self.number(what)?;
        if number.fract() == 0.0 && (0.0..1e12).contains(&number) {
            Ok(number as u64)
        } else {
            Err(unexpected(what, &Token::Number(number)))
        }
    }
}

fn unexpected(what: &str, token: &Token) -> ProblemKind {
    let actual = match token {
        Token::Text(text) => format!("{text:?}"),
        Token::Number(number) => number.to_string(),
        Token::Flag(flag) => flag.clone(),
    };
    ProblemKind::Shape { expected: what.to_owned(), actual: shown(&actual) }
}

/// The interval tiers; tiers of points have no stretches of speech.
fn textgrid(tokens: &mut Tokens<'_>) -> Result<Vec<Tier>, ProblemKind> {
    for want in ["ooTextFile", "TextGrid"] {
        let found = tokens.text("the header of a TextGrid")?;
        if found != want {
            return Err(ProblemKind::Shape {
                expected: format!("{want:?}, as a TextGrid begins"),
                actual: shown(&found),
            });
        }
    }
    tokens.number("xmin")?;
    tokens.number("xmax")?;
    if tokens.next()? != Token::Flag("<exists>".into()) {
        return Ok(Vec::new());
    }
    let mut tiers: Vec<Tier> = Vec::new();
    for index in 0..tokens.count("the number of tiers")? {
        let class = tokens.text("the class of a tier")?;
        let name = tokens.text("the name of a tier")?;
        tokens.number("xmin of a tier")?;
        tokens.number("xmax of a tier")?;
        let count = tokens.count("the number of intervals")?;
        let mut intervals = Vec::new();
        for number in 0..count {
            let start_s = tokens.number("xmin of an interval")?;
            let end_s = if class == "IntervalTier" { tokens.number("xmax of an interval")? } else { start_s };
            let line = tokens.line;
            let text = tokens.text("the text of an interval")?;
            intervals.push(Interval { name: format!("{}-{:04}", index + 1, number + 1), start_s, end_s, text, line });
        }
        match class.as_str() {
            "IntervalTier" => tiers.push(Tier { name, speaker: None, language: None, intervals }),
            "TextTier" => {}
            other => {
                let expected = "\"IntervalTier\" or \"TextTier\"".into();
                return Err(ProblemKind::Shape { expected, actual: shown(other) });
            }
        }
    }
    Ok(tiers)
}

/// The recording that the header names: relative to the file, or by its name where only somebody's machine is told.
fn elan_audio(document: &roxmltree::Document<'_>) -> Option<AudioName> {
    let media = document.descendants().filter(|n| n.has_tag_name("MEDIA_DESCRIPTOR"));
    media
        .filter_map(|n| {
            let relative = n.attribute("RELATIVE_MEDIA_URL").filter(|u| crate::folder::is_audio(u));
            let named = n.attribute("MEDIA_URL").filter(|u| crate::folder::is_audio(u));
            let path = |url: &str| url.strip_prefix("file:").unwrap_or(url).replace("%20", " ");
            relative
                .map(|url| AudioName::Path(path(url)))
                .or_else(|| named.map(|url| AudioName::Stem(stem(&path(url)).to_owned())))
        })
        .next()
}

/// Start, end (milliseconds) and text of an annotation, or the annotation that it refers to and its text.
enum Annotation<'a> {
    Timed(f64, f64),
    Refers(&'a str),
}

fn elan_tiers(document: &roxmltree::Document<'_>, source: &Source<'_>, parsed: &mut Parsed) -> Vec<Tier> {
    let slots: HashMap<&str, f64> = document
        .descendants()
        .filter(|n| n.has_tag_name("TIME_SLOT"))
        .filter_map(|n| Some((n.attribute("TIME_SLOT_ID")?, n.attribute("TIME_VALUE")?.parse().ok()?)))
        .collect();
    let mut annotations: HashMap<&str, Annotation<'_>> = HashMap::new();
    for node in document.descendants() {
        let Some(id) = node.attribute("ANNOTATION_ID") else { continue };
        let slot = |name| node.attribute(name).and_then(|id| slots.get(id)).copied();
        if let (Some(from), Some(to)) = (slot("TIME_SLOT_REF1"), slot("TIME_SLOT_REF2")) {
            annotations.insert(id, Annotation::Timed(from, to));
        } else if let Some(other) = node.attribute("ANNOTATION_REF") {
            annotations.insert(id, Annotation::Refers(other));
        }
    }
    // `Document::text_pos_at` counts from the beginning every time.
    let line_ends: Vec<usize> = document.input_text().match_indices('\n').map(|(at, _)| at).collect();
    let mut tiers = Vec::new();
    for tier in document.descendants().filter(|n| n.has_tag_name("TIER")) {
        let attribute = |name| tier.attribute(name).map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
        let mut intervals = Vec::new();
        for node in tier.descendants() {
            let Some(id) = node.attribute("ANNOTATION_ID") else { continue };
            let value = node.children().find(|n| n.has_tag_name("ANNOTATION_VALUE")).and_then(|n| n.text());
            let text = value.unwrap_or_default().to_owned();
            let line = line_ends.partition_point(|end| *end < node.range().start) + 1;
            match times(id, &annotations) {
                Some((from, to)) => {
                    let (start_s, end_s) = (from / 1000.0, to / 1000.0);
                    intervals.push(Interval { name: id.to_owned(), start_s, end_s, text, line });
                }
                None => {
                    let actual = format!("annotation `{}` without", shown(id));
                    parsed.problem(source.place(line), ProblemKind::Shape { expected: "times".into(), actual });
                }
            }
        }
        let name = attribute("TIER_ID").unwrap_or_default();
        tiers.push(Tier { name, speaker: attribute("PARTICIPANT"), language: attribute("LANG_REF"), intervals });
    }
    tiers
}

/// The times of an annotation, its own or those of the one that it refers to.
fn times(id: &str, annotations: &HashMap<&str, Annotation<'_>>) -> Option<(f64, f64)> {
    let mut id = id;
    for _ in 0..MAX_REFERENCES {
        match annotations.get(id)? {
            Annotation::Timed(from, to) => return Some((*from, *to)),
            Annotation::Refers(other) => id = other,
        }
    }
    None
}
