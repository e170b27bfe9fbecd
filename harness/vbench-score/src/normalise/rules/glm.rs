//! NIST's global mapping files, as `rfilter1` reads them.

use super::literal::{Literal, Literals};
use super::parse::{Read, Refused, refused};
use super::{Pass, RuleProblem};

/// More rules than any file of NIST's has.
const RULES_MAX: usize = 100_000;

pub(super) fn read(text: &str) -> Result<Read, Vec<RuleProblem>> {
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    // What `rfilter1` takes when the file does not say.
    let mut case_sensitive = true;
    let mark = text.lines().next().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    if mark.is_empty() || mark.starts_with(|c: char| c.is_alphanumeric() || "[\"*".contains(c)) {
        let expected = "a comment, whose first token (such as `;;`) begins comments in the whole file".to_owned();
        return Err(vec![RuleProblem { line: 1, found: mark.to_owned(), expected }]);
    }
    for (i, line) in text.lines().enumerate() {
        let result = if let Some(comment) = line.strip_prefix(mark) {
            check_comment(comment)
        } else if let Some(header) = line.strip_prefix('*') {
            auxiliary(header, &mut case_sensitive)
        } else {
            rule(i + 1, line.split_once(mark).map_or(line, |(data, _)| data)).and_then(|rule| {
                rules.extend(rule);
                if rules.len() > RULES_MAX { refused(line, format!("at most {RULES_MAX} rules")) } else { Ok(()) }
            })
        };
        if let Err((found, expected)) = result {
            problems.push(RuleProblem { line: i + 1, found, expected });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let passes = vec![Pass::Literals(Literals::new(rules, !case_sensitive))];
    Ok(Read { capitals: !case_sensitive, passes, ..Read::default() })
}

/// A comment that chooses the kind of input for the rules after it.
fn check_comment(comment: &str) -> Result<(), Refused> {
    let Some(value) = comment.trim_start().strip_prefix("INPUT_DEPENDENT_APPLICATION") else {
        return Ok(());
    };
    let value = value.trim_start().strip_prefix('=').unwrap_or(value).trim().trim_matches('"');
    if matches!(value, "" | "." | ".*") {
        return Ok(());
    }
    refused(comment.trim(), "rules for every kind of input: others are not supported")
}

/// `NAME = "VALUE"`; the value is what stands in quotes.
fn auxiliary(header: &str, case_sensitive: &mut bool) -> Result<(), Refused> {
    let quoted = header.find(['"', '\'']).and_then(|open| {
        let inside = &header[open + 1..];
        Some((&header[..open], &inside[..inside.find(['"', '\''])?]))
    });
    let Some((key, value)) = quoted else {
        return refused(header.trim(), "`* KEY = \"VALUE\"`");
    };
    let key = key.to_ascii_uppercase();
    let truth = || match value.to_ascii_uppercase().as_str() {
        "T" | "TRUE" | "Y" | "YES" => Ok(true),
        "F" | "FALSE" | "N" | "NO" => Ok(false),
        _ => refused(value, "`T` or `F`"),
    };
    if key.contains("COPY_NO_HIT") {
        if !truth()? {
            return refused("COPY_NO_HIT false", "`T`: dropping what no rule matches is not supported");
        }
    } else if key.contains("CASE_SENSITIVE") {
        *case_sensitive = truth()?;
    } else if key.contains("FORMAT") && !value.eq_ignore_ascii_case("NIST1") {
        return refused(value, "the format `NIST1`");
    }
    Ok(())
}

/// `A => B` or `A => B / C __ D`; `None` for a blank line.
fn rule(line: usize, data: &str) -> Result<Option<Literal>, Refused> {
    let data = data.trim();
    if data.is_empty() {
        return Ok(None);
    }
    let Some((from, rest)) = data.split_once("=>") else {
        return refused(data, "`A => B` or `A => B / C __ D`");
    };
    let (to, left, right) = match context_mark(rest) {
        None => (rest, "", ""),
        Some(at) => {
            let context = &rest[at + 1..];
            let Some((left, right)) = context.split_once('_') else {
                return refused(format!("/{context}"), "`/ C __ D`");
            };
            (&rest[..at], left, right.trim_start_matches('_'))
        }
    };
    let from = unwrapped(from);
    if from.is_empty() {
        return refused(data, "text before `=>`");
    }
    let to = unwrapped(to);
    if to.contains('{') && to.contains('/') {
        return refused(to, "one text on the right: alternatives are not supported");
    }
    let parts = [from, to, unwrapped(left), unwrapped(right)].map(str::to_owned);
    let [from, to, left, right] = parts;
    Ok(Some(Literal { line, from, to, left, right }))
}

/// The slash before the context: the last one, unless it stands in brackets.
fn context_mark(rest: &str) -> Option<usize> {
    let at = rest.rfind('/')?;
    let after = &rest[at..];
    let enclosed = after.find(']').is_some_and(|close| after.find('[').is_none_or(|open| close < open));
    (!enclosed).then_some(at)
}

/// Without the brackets or quotes that keep spaces.
fn unwrapped(part: &str) -> &str {
    let part = part.trim();
    let inside = |open, close| part.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    inside('[', ']').or_else(|| inside('"', '"')).unwrap_or(part)
}
