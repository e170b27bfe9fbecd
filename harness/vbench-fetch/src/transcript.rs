//! The transcript of a prompt collection: lines `name: text`, `;` starts a comment line.

/// One usable line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Name of the recording without its extension, folders included, e.g. `digits/1`.
    pub name: String,
    /// What is said, without the dots that mark a part of a sentence.
    pub text: String,
}

/// A transcript as read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Usable lines, in the order of the file.
    pub prompts: Vec<Prompt>,
    /// Names with a text that is, or contains, a remark and not only speech: in `[]`, `<>` or `()`.
    pub remarks: Vec<String>,
    /// Names without a text.
    pub empty: Vec<String>,
    /// Names that appeared before; the first line counts.
    pub repeated: Vec<String>,
    /// 1-based numbers of lines that are none of these.
    pub unreadable: Vec<usize>,
}

/// Parses a transcript.
///
/// A text with a remark (`[this is a beep]`, `<beep ascending>`, `(10 seconds of silence)`, `dot [.]`) is skipped: what
/// of it was spoken cannot be told. Dots at either end (`... has left the conference.`, `If this is correct, press...`)
/// say that the prompt is part of a sentence; they are not spoken and some normalisers make a word of them, so they are
/// taken off, except one full stop.
#[must_use]
pub fn parse(text: &str) -> Transcript {
    let mut out = Transcript::default();
    let mut seen = std::collections::HashSet::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        let Some((name, text)) = line.split_once(':').filter(|(name, _)| is_prompt_name(name)) else {
            out.unreadable.push(index + 1);
            continue;
        };
        // One line of the Russian file repeats its name before the text.
        let repeat = format!("{name}:");
        let text = text.trim();
        let text = text.strip_prefix(&repeat).unwrap_or(text);
        let spoken = without_ellipsis(text);
        if !seen.insert(name) {
            out.repeated.push(name.to_string());
        } else if text.contains(['[', '<', '(']) {
            out.remarks.push(name.to_string());
        } else if words(spoken) == 0 {
            out.empty.push(name.to_string());
        } else {
            out.prompts.push(Prompt { name: name.to_string(), text: spoken.to_string() });
        }
    }
    out
}

/// A text without the dots that mark a part of a sentence: any `...` or `…` at the start, and two dots or more, or an
/// ellipsis, at the end, with the blanks around them.
#[must_use]
pub fn without_ellipsis(text: &str) -> &str {
    let text = text.trim();
    let start = text.trim_start_matches(['.', '…']).trim_start();
    let end = start.trim_end_matches(['.', '…']);
    let cut = &start[end.len()..];
    if cut == "." { start } else { end.trim_end() }
}

/// Words of a text: stretches between blanks that hold a letter or a digit.
#[must_use]
pub fn words(text: &str) -> usize {
    text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).count()
}

/// Whether a name can be a path below a folder of prompts.
fn is_prompt_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let t = parse(
            "\u{feff}; Sounds\n\nbeep: [a tone]\nconf/join: <beep>\na: ... has left.\r\nsilence/1: (1 second)\nb:\n\
             c: If so, press...\na: again\n../x: no\nno colon\nd: ...\nдa: x\ne: e: said: twice\n",
        );
        let got: Vec<_> = t.prompts.iter().map(|p| (p.name.as_str(), p.text.as_str())).collect();
        assert_eq!(got, [("a", "has left."), ("c", "If so, press"), ("e", " said: twice".trim())]);
        assert_eq!(t.remarks, ["beep", "conf/join", "silence/1"]);
        assert_eq!(t.empty, ["b", "d"]);
        assert_eq!(t.repeated, ["a"]);
        assert_eq!(t.unreadable, [10, 11, 13]);
    }

    #[test]
    fn dots() {
        for (raw, spoken) in [
            ("... letters of your name.", "letters of your name."),
            ("Please enter the first ...", "Please enter the first"),
            ("…ожидающих", "ожидающих"),
            ("calling from…", "calling from"),
            ("A full stop.", "A full stop."),
            ("one... two", "one... two"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(without_ellipsis(raw), spoken);
        }
        assert_eq!(words("press # to go - now"), 4);
    }
}
