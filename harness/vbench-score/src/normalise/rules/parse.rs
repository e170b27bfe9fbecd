//! The syntax of our own rules files.

use regex::{Regex, RegexBuilder};

use super::super::Normalizer;
use super::literal::{Literal, Literals};
use super::{Pass, RuleProblem};

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) before: Normalizer,
    pub(super) after: Normalizer,
    pub(super) capitals: bool,
    pub(super) passes: Vec<Pass>,
}

/// Compiled size of one expression, in bytes, and how many there may be.
const EXPRESSION_SIZE_MAX: usize = 1 << 20;
const EXPRESSIONS_MAX: usize = 256;

#[derive(Default)]
struct Reader {
    read: Read,
    literals: Vec<Literal>,
    ignore_case: bool,
    expressions: usize,
    rules: usize,
    seen: Vec<&'static str>,
    problems: Vec<RuleProblem>,
}

/// A problem without its line.
pub(super) type Refused = (String, String);

pub(super) fn refused<T>(found: impl Into<String>, expected: impl Into<String>) -> Result<T, Refused> {
    Err((found.into(), expected.into()))
}

pub(super) fn read(text: &str) -> Result<Read, Vec<RuleProblem>> {
    let mut reader = Reader::default();
    for (i, line) in text.lines().enumerate() {
        if let Err((found, expected)) = reader.line(i + 1, line.trim()) {
            reader.problems.push(RuleProblem { line: i + 1, found, expected });
        }
    }
    reader.end_pass();
    if reader.problems.is_empty() { Ok(reader.read) } else { Err(reader.problems) }
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Refused> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.chars().all(|c| c == '-') && line.len() >= 3 {
            self.end_pass();
            return Ok(());
        }
        if line.starts_with('/') {
            self.rules += 1;
            return self.expression(number, line);
        }
        if let Some((from, rest)) = arrow(line) {
            self.rules += 1;
            self.literals.push(word_rule(number, from, rest)?);
            return Ok(());
        }
        match line.split_once('=') {
            Some((key, value)) => self.setting(key.trim(), value.trim()),
            None => refused(line, "`WORDS => WORDS`, `/EXPRESSION/ => TEXT`, `KEY = VALUE`, `---` or `# comment`"),
        }
    }

    fn end_pass(&mut self) {
        if !self.literals.is_empty() {
            let literals = Literals::new(std::mem::take(&mut self.literals), self.ignore_case);
            self.read.passes.push(Pass::Literals(literals));
        }
    }

    fn setting(&mut self, key: &str, value: &str) -> Result<(), Refused> {
        let Some(key) = ["before", "after", "case"].into_iter().find(|k| *k == key) else {
            return refused(key, "a setting: `before`, `after` or `case` (or ` => ` for a rule)");
        };
        if self.rules > 0 {
            return refused(key, "settings before the first rule");
        }
        if self.seen.contains(&key) {
            return refused(key, "each setting once");
        }
        self.seen.push(key);
        let normalizer = || Normalizer::from_name(value).or_else(|e| refused(value, e.to_string()));
        match key {
            "before" => self.read.before = normalizer()?,
            "after" => self.read.after = normalizer()?,
            _ => match value {
                "match" => self.ignore_case = false,
                "ignore" => self.ignore_case = true,
                _ => return refused(value, "`match` or `ignore`"),
            },
        }
        Ok(())
    }

    fn expression(&mut self, number: usize, line: &str) -> Result<(), Refused> {
        self.end_pass();
        self.expressions += 1;
        if self.expressions > EXPRESSIONS_MAX {
            return refused(line, format!("at most {EXPRESSIONS_MAX} expressions"));
        }
        let Some(end) = closing_slash(line) else {
            return refused(line, "`/EXPRESSION/ => TEXT`, with `\\/` for a slash inside");
        };
        let (pattern, rest) = (&line[1..end], &line[end + 1..]);
        let Some((flags, replacement)) = rest.split_once("=>") else {
            return refused(rest, "` => TEXT` after the expression");
        };
        let ignore_case = match flags.trim() {
            "" => self.ignore_case,
            "i" => true,
            other => return refused(other, "no flag, or `i` (without regard to case)"),
        };
        if pattern.is_empty() {
            return refused("//", "an expression between the slashes");
        }
        let built = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(EXPRESSION_SIZE_MAX)
            .dfa_size_limit(EXPRESSION_SIZE_MAX)
            .build();
        let regex = match built {
            Ok(regex) => regex,
            Err(error) => {
                // The crate draws the place over several lines; the last one says what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                return refused(pattern, format!("a regular expression without look-around ({last})"));
            }
        };
        let replacement = replacement.trim();
        check_groups(&regex, replacement)?;
        self.read.passes.push(Pass::Expression { line: number, regex, replacement: replacement.to_owned() });
        Ok(())
    }
}

/// Both sides of `=>` between white space or at an end.
fn arrow(line: &str) -> Option<(&str, &str)> {
    line.match_indices("=>").find_map(|(at, _)| {
        let (from, to) = (&line[..at], &line[at + 2..]);
        let apart = (from.is_empty() || from.ends_with(char::is_whitespace))
            && (to.is_empty() || to.starts_with(char::is_whitespace));
        apart.then(|| (from.trim(), to.trim()))
    })
}

fn joined(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn word_rule(line: usize, from: &str, rest: &str) -> Result<Literal, Refused> {
    if from.is_empty() {
        return refused(format!("=> {rest}"), "words before `=>`");
    }
    if arrow(rest).is_some() {
        return refused(rest, "one `=>` in a rule");
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let Some(slash) = words.iter().position(|word| *word == "/") else {
        let (left, right) = (" ".to_owned(), " ".to_owned());
        return Ok(Literal { line, from: joined(from), to: joined(rest), left, right });
    };
    let context = &words[slash + 1..];
    let slots = context.iter().filter(|word| **word == "__").count();
    let Some(slot) = context.iter().position(|word| *word == "__").filter(|_| slots == 1) else {
        return refused(format!("/ {}", context.join(" ")), "`/ LEFT __ RIGHT` with one `__`");
    };
    // A space on both sides of every word, so that contexts end at words.
    let spaced = |words: &[&str]| words.iter().map(|word| format!("{word} ")).collect::<String>();
    let left = format!(" {}", spaced(&context[..slot]));
    let right = format!(" {}", spaced(&context[slot + 1..]));
    Ok(Literal { line, from: joined(from), to: words[..slash].join(" "), left, right })
}

fn closing_slash(line: &str) -> Option<usize> {
    let mut escaped = false;
    line.char_indices().skip(1).find_map(|(at, c)| {
        let closing = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        closing.then_some(at)
    })
}

/// Every `$name` of the replacement is a group of the expression.
fn check_groups(regex: &Regex, replacement: &str) -> Result<(), Refused> {
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('$') {
            rest = more;
            continue;
        }
        let braced = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let plain = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, more) = braced.unwrap_or((&after[..plain], &after[plain..]));
        let known = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => regex.capture_names().flatten().any(|group| group == name),
        };
        if !known {
            return refused(format!("${name}"), "a group of the expression (`$1`, `${1}`), or `$$` for a dollar sign");
        }
        rest = more;
    }
    Ok(())
}
