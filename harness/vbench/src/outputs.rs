//! A report's files: every format that was asked for, written into one folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vbench_core::ExitCode;
use vbench_report::ReportInput;
use vbench_store::folder::write_derived;

use crate::cli::{AudioPlace, RenderArguments, ReportFormat};
use crate::failure::{Failure, note};

/// Writes the formats asked for into `out` and returns the annotations for standard output, if they are wanted.
/// `started` is the time when the run began.
///
/// # Errors
///
/// A file cannot be written, or would lie outside `out`.
pub fn write(
    out: &Path,
    input: &ReportInput<'_>,
    started: &str,
    options: &RenderArguments,
) -> Result<Option<String>, Failure> {
    let render = |e| Failure::new(ExitCode::OutputNotWritten, format!("the report could not be rendered: {e}"));
    let (png, svg) = (options.wants(ReportFormat::Png), options.wants(ReportFormat::Svg));
    let figures = || if png || svg { vbench_report::figures_in(input, options.palette()) } else { Ok(Vec::new()) };
    let page = || options.wants(ReportFormat::Html).then(|| vbench_report::render_html(input));
    let (figures, page) = rayon::join(figures, page);
    for figure in figures.map_err(render)? {
        if png {
            write_derived(out, &format!("figures/{}.png", figure.name), &figure.png)?;
        }
        if svg {
            write_derived(out, &format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
        }
    }
    if let Some(html) = page {
        if options.audio == AudioPlace::Folder {
            for clip in input.worst.iter().filter_map(|w| w.audio.as_ref()) {
                clip.href.as_ref().map(|href| write_derived(out, href, &clip.bytes)).transpose()?;
            }
        }
        write_derived(out, "report.html", html.map_err(render)?.as_bytes())?;
    }
    let texts: [(ReportFormat, &str, &dyn Fn() -> String); 4] = [
        (ReportFormat::Md, "report.md", &|| {
            // It shows the figures that lie beside it.
            if png { vbench_report::render_markdown(input) } else { vbench_report::step_summary(input) }
        }),
        (ReportFormat::Json, "summary.json", &|| format!("{:#}", vbench_report::run_json(input))),
        (ReportFormat::Csv, "report.csv", &|| vbench_report::run_csv(input.summary)),
        (ReportFormat::Junit, "junit.xml", &|| vbench_report::run_junit(input.summary, started, input.gate.as_ref())),
    ];
    for (format, name, text) in texts {
        if options.wants(format) {
            write_derived(out, name, text().as_bytes())?;
        }
    }
    if !options.wants(ReportFormat::Github) {
        return Ok(None);
    }
    let summary = vbench_report::step_summary(input);
    if !append_step_summary(&summary)? {
        write_derived(out, "step-summary.md", summary.as_bytes())?;
    }
    Ok(Some(vbench_report::run_annotations(input.summary, input.gate.as_ref())))
}

/// Appends to the step summary where a workflow offers one; `false` where none does.
pub fn append_step_summary(markdown: &str) -> Result<bool, Failure> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|p| !p.is_empty()) else {
        return Ok(false);
    };
    let path = PathBuf::from(path);
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    file.and_then(|mut f| f.write_all(markdown.as_bytes())).map_err(|e| {
        Failure::new(ExitCode::OutputNotWritten, format!("cannot write the step summary {}: {e}", path.display()))
    })?;
    Ok(true)
}

/// The verdict in a run folder: `gate.json`, schema `vbench/gate/1`. One that cannot be read is told and left out.
#[must_use]
pub fn stored_gate(run: &Path) -> Option<Value> {
    let path = run.join("gate.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => {
            note(format_args!("{}: {e}: the report has no verdict", path.display()));
            return None;
        }
    };
    let found: Option<Value> = serde_json::from_str(&text).ok();
    let found = found.filter(|v| v["schema"] == vbench_report::gate::GATE_SCHEMA);
    if found.is_none() {
        note(format_args!(
            "{}: not of schema {}: the report has no verdict",
            path.display(),
            vbench_report::gate::GATE_SCHEMA
        ));
    }
    found
}

/// What stands on standard output before annotations, wrapped so that nothing in it is taken for a workflow command: a
/// name in a table could begin with `::`.
#[must_use]
pub fn without_commands(text: &str) -> String {
    // The text cannot hold the hash of itself.
    let token = vbench_core::hash::sha256_hex(text.as_bytes());
    format!("::stop-commands::{token}\n{text}\n::{token}::")
}

/// Text with absolute paths cut to their last part: where things lay on the machine is nobody's business.
#[must_use]
pub fn without_machine_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let begins = c == '/' && matches!(before, ' ' | ':' | '=' | ',' | '"' | '\'' | '(') && !rest.starts_with("//");
        if begins {
            let end = rest.find([' ', ',', '"', '\'', ')', ';']).unwrap_or(rest.len());
            let path = rest[..end].trim_end_matches('/');
            out.push_str("…/");
            out.push_str(path.rsplit('/').next().unwrap_or_default());
            rest = &rest[end..];
            before = '/';
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            before = c;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_machine_are_cut_and_others_kept() {
        for (text, shown) in [
            ("/usr/local/bin/vbench run suites/all.toml --out runs/all", "…/vbench run suites/all.toml --out runs/all"),
            ("vbench run /home/me/s.toml --out=/data/x/", "vbench run …/s.toml --out=…/x"),
            ("m=whisper:/data/models/tiny.en,beam=5", "m=whisper:…/tiny.en,beam=5"),
            ("x:https://host/a", "x:https://host/a"),
            ("a/b and/or", "a/b and/or"),
            ("", ""),
        ] {
            assert_eq!(without_machine_paths(text), shown);
        }
    }

    #[test]
    fn text_before_annotations_is_no_command() {
        let text = without_commands("::error::x\n##[error]y");
        let lines: Vec<&str> = text.lines().collect();
        let token = lines[0].strip_prefix("::stop-commands::").expect("commands stop");
        assert_eq!(lines[lines.len() - 1], format!("::{token}::"));
        assert_eq!(lines[1..3], ["::error::x", "##[error]y"]);
    }
}
