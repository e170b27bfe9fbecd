//! A small strict reader of XML 1.0, and the rules that two schemas of JUnit files have in common: that of Apache Ant
//! (windyroad/JUnit-Schema, the stricter one) and that of the Jenkins xUnit plugin (junit-10.xsd). What is checked are
//! facts: which elements and attributes there are, in what order, how many, and of which form.

/// An element with its attributes, children and own text.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.0 == name).map(|a| a.1.as_str())
    }

    pub fn named(&self, name: &str) -> Vec<&Element> {
        self.children.iter().filter(|c| c.name == name).collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

/// Parses a document: declaration, one root. Anything that is not well-formed is an error with its place.
pub fn parse(text: &str) -> Result<Element, String> {
    if let Some(c) = text.chars().find(|c| !is_xml_char(*c)) {
        return Err(format!("U+{:04X} is no character of XML", u32::from(c)));
    }
    let rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("no declaration")?;
    let mut reader = Reader { rest };
    let root = reader.element()?;
    if reader.rest.trim().is_empty() { Ok(root) } else { Err(format!("behind the root: {:.40}", reader.rest)) }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl Reader<'_> {
    fn take(&mut self, text: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(text).ok_or_else(|| format!("expected {text:?} at {:.60}", self.rest))?;
        Ok(())
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err(format!("no name at {:.60}", rest)) } else { Ok(name.to_owned()) }
    }

    fn element(&mut self) -> Result<Element, String> {
        self.take("<")?;
        let mut element =
            Element { name: self.name()?, attributes: Vec::new(), children: Vec::new(), text: String::new() };
        while let Some(rest) = self.rest.strip_prefix(' ') {
            self.rest = rest;
            let name = self.name()?;
            self.take("=\"")?;
            let (value, rest) = self.rest.split_once('"').ok_or("an attribute without end")?;
            self.rest = rest;
            if element.get(&name).is_some() {
                return Err(format!("{name} twice"));
            }
            element.attributes.push((name, unescaped(value)?));
        }
        if self.take("/>").is_ok() {
            return Ok(element);
        }
        self.take(">")?;
        loop {
            let end = self.rest.find('<').ok_or("an element without end")?;
            let (text, rest) = self.rest.split_at(end);
            element.text += &unescaped(text)?;
            self.rest = rest;
            if self.take(&format!("</{}>", element.name)).is_ok() {
                return Ok(element);
            }
            let child = self.element()?;
            element.children.push(child);
        }
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    if text.contains(['<', '"']) && text.contains('<') {
        return Err(format!("a bare < in {text:?}"));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out += before;
        let (name, behind) = after.split_once(';').ok_or_else(|| format!("a bare & in {text:?}"))?;
        out += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            other => return Err(format!("entity {other}")),
        };
        rest = behind;
    }
    Ok(out + rest)
}

/// All breaches of the rules, each with its place.
pub fn junit_problems(root: &Element) -> Vec<String> {
    let mut problems = Vec::new();
    if root.name != "testsuites" || !root.attributes.is_empty() || !root.text.trim().is_empty() {
        problems.push("the root is not a bare <testsuites>".into());
    }
    for (i, suite) in root.children.iter().enumerate() {
        let place = format!("suite {i}");
        let mut say = |what: String| problems.push(format!("{place}: {what}"));
        if suite.name != "testsuite" {
            say(format!("<{}>", suite.name));
        }
        let names =
            ["id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"];
        attributes(suite, &names, &[], &mut say);
        if suite.get("id") != Some(i.to_string().as_str()) {
            say("ids count from 0".into());
        }
        for name in ["package", "name", "hostname"] {
            if suite.get(name).is_none_or(|v| v.trim().is_empty()) {
                say(format!("{name} is empty"));
            }
        }
        if !suite.get("timestamp").is_some_and(is_time) {
            say("timestamp".into());
        }
        decimal(suite, &mut say);
        order(suite, &mut say);
        let cases = suite.named("testcase");
        let of = |name: &str| cases.iter().filter(|c| !c.named(name).is_empty()).count();
        for (name, count) in
            [("tests", cases.len()), ("failures", of("failure")), ("errors", of("error")), ("skipped", of("skipped"))]
        {
            if suite.get(name) != Some(count.to_string().as_str()) {
                say(format!("{name} is {:?}, there are {count}", suite.get(name)));
            }
        }
        for p in suite.named("properties").iter().flat_map(|p| &p.children) {
            attributes(p, &["name", "value"], &[], &mut say);
        }
        cases.iter().for_each(|c| case(c, &mut say));
    }
    problems
}

/// properties, testcase*, system-out, system-err: each of the others exactly once, in this order.
fn order(suite: &Element, say: &mut impl FnMut(String)) {
    let names: Vec<&str> = suite.children.iter().map(|c| c.name.as_str()).collect();
    let cases = names.iter().filter(|n| **n == "testcase").count();
    let wanted: Vec<&str> = std::iter::once("properties")
        .chain(std::iter::repeat_n("testcase", cases))
        .chain(["system-out", "system-err"])
        .collect();
    if names != wanted {
        say(format!("children {names:?}"));
    }
}

fn case(case: &Element, say: &mut impl FnMut(String)) {
    attributes(case, &["classname", "name", "time"], &[], say);
    decimal(case, say);
    if case.children.len() > 1 {
        say(format!("{} results in a case", case.children.len()));
    }
    for result in &case.children {
        match result.name.as_str() {
            "skipped" => attributes(result, &[], &["message"], say),
            "failure" | "error" => attributes(result, &["type"], &["message"], say),
            other => say(format!("<{other}> in a case")),
        }
    }
}

fn attributes(element: &Element, required: &[&str], optional: &[&str], say: &mut impl FnMut(String)) {
    for name in required {
        if element.get(name).is_none() {
            say(format!("<{}> without {name}", element.name));
        }
    }
    for (name, _) in &element.attributes {
        if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
            say(format!("<{}> with {name}", element.name));
        }
    }
}

/// Seconds: digits with a point; the Jenkins pattern knows neither sign nor exponent.
fn decimal(element: &Element, say: &mut impl FnMut(String)) {
    let fits = element.get("time").is_some_and(|t| {
        let (whole, part) = t.split_once('.').unwrap_or((t, "0"));
        let digits = |d: &str| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(part)
    });
    if !fits {
        say(format!("time {:?}", element.get("time")));
    }
}

fn is_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00";
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(c, f)| if f == b'0' { c.is_ascii_digit() } else { c == f })
}
