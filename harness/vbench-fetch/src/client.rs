//! The package clients (`pip`, `apt-get`) run as child processes, watched by the size of what they have written.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{FetchError, Progress};

/// How often the download folder is measured.
const POLL: Duration = Duration::from_millis(100);
/// Lines of a client's error output that go into a message.
const TAIL_LINES: usize = 4;
/// A client's error output is kept to this many bytes.
const MAX_OUTPUT: u64 = 1 << 20;

/// The programs and addresses that pulls use. The caller fills it from its own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// Python with pip; default `python3`.
    pub python: PathBuf,
    /// Debian's package client; default `apt-get`.
    pub apt_get: PathBuf,
    /// Address of the model hub without a slash at the end (`HF_ENDPOINT`); default the Hugging Face hub.
    pub hub_endpoint: String,
    /// Pause before the second try of a hub download; doubled before the third.
    pub retry_pause: Duration,
    /// A hub transfer without a byte for this long has failed.
    pub stall: Duration,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            python: PathBuf::from("python3"),
            apt_get: PathBuf::from("apt-get"),
            hub_endpoint: "https://huggingface.co".to_string(),
            retry_pause: Duration::from_secs(1),
            stall: Duration::from_secs(60),
        }
    }
}

/// Runs `pip download` of one exact version, wheels only, without dependencies, into `folder`.
pub(crate) fn pip_download(
    clients: &Clients,
    requirement: &str,
    expected: u64,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let mut command = Command::new(&clients.python);
    command.args(["-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]);
    command.args(["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-d"]);
    command.arg(folder).arg(requirement);
    // pip collects the download in its temporary folder first; there it can be watched and is on the right disk.
    command.env("TMPDIR", folder);
    let shown = format!("{} -m pip download {requirement}", clients.python.display());
    watch(command, &shown, folder, expected, progress)
}

/// Runs `apt-get download` of one exact version in `folder`.
pub(crate) fn apt_download(
    clients: &Clients,
    package: &str,
    version: &str,
    expected: u64,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let requirement = format!("{package}={version}");
    let mut command = Command::new(&clients.apt_get);
    command.args(["--quiet", "download"]).arg(&requirement).current_dir(folder);
    command.env("LC_ALL", "C");
    let shown = format!("{} download {requirement}", clients.apt_get.display());
    watch(command, &shown, folder, expected, progress)
}

/// Runs a command to its end, reporting the growth of `folder` against `expected` bytes.
fn watch(
    mut command: Command,
    shown: &str,
    folder: &Path,
    expected: u64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let failed = |message: String| FetchError::Command { command: shown.to_string(), message };
    let before = tree_size(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| failed(format!("cannot start: {e}")))?;
    let mut errors = child.stderr.take();
    // Read in a thread: a client that fills its pipe would otherwise wait for us for ever.
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(pipe) = errors.as_mut() {
            let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut text);
            let _ = std::io::copy(pipe, &mut std::io::sink());
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let status = loop {
        match child.try_wait().map_err(|e| failed(format!("cannot wait: {e}")))? {
            Some(status) => break status,
            None => {
                let done = tree_size(folder).saturating_sub(before);
                progress(Progress::Bytes { done: done.min(expected), total: expected });
                std::thread::sleep(POLL);
            }
        }
    };
    let errors = reader.join().unwrap_or_default();
    if status.success() {
        progress(Progress::Bytes { done: expected, total: expected });
        return Ok(());
    }
    let tail = tail(&errors);
    Err(failed(if tail.is_empty() { status.to_string() } else { format!("{status}: {tail}") }))
}

/// The last lines of a text, joined by ` | `, without control characters.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    last.join(" | ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Bytes in a folder and below; what cannot be read counts as nothing (files come and go while it is measured).
fn tree_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => tree_size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The one file with this ending that a client left in `folder`.
pub(crate) fn only_file(folder: &Path, extension: &str) -> Result<PathBuf, FetchError> {
    let entries = std::fs::read_dir(folder).map_err(|e| FetchError::io("read", folder, e))?;
    let found: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_file() && p.extension() == Some(OsStr::new(extension)))
        .collect();
    match <[PathBuf; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(found) => Err(FetchError::Command {
            command: "package client".to_string(),
            message: format!("left {} .{extension} files in {}, expected 1", found.len(), folder.display()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut c = Command::new("sh");
        c.args(["-c", script]);
        c
    }

    #[test]
    fn growth_is_reported_and_ends_at_the_total() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = shell("head -c 5000 /dev/zero > a; sleep 0.8; head -c 5000 /dev/zero > b");
        command.current_dir(dir.path());
        let mut seen = Vec::new();
        watch(command, "x", dir.path(), 10_000, &mut |p| {
            if let Progress::Bytes { done, total } = p {
                assert_eq!(total, 10_000);
                seen.push(done);
            }
        })
        .unwrap();
        assert!(seen.contains(&5000), "{seen:?}");
        assert_eq!(seen.last(), Some(&10_000));
        assert!(seen.is_sorted());
    }

    #[test]
    fn a_failing_client_says_the_end_of_its_errors() {
        let dir = tempfile::tempdir().unwrap();
        let command = shell("for i in $(seq 5000); do echo line $i >&2; done; exit 3");
        let err = watch(command, "pip download x", dir.path(), 1, &mut |_| {}).unwrap_err();
        let text = err.to_string();
        assert!(text.starts_with("pip download x: exit status: 3: line 4997 | "), "{text}");
        assert!(text.ends_with("line 5000"), "{text}");
    }

    #[test]
    fn a_missing_client_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let clients = Clients { python: "no-such-python".into(), ..Clients::default() };
        let err = pip_download(&clients, "a==1", 1, dir.path(), &mut |_| {}).unwrap_err();
        assert!(err.to_string().contains("no-such-python -m pip download a==1: cannot start"), "{err}");
    }
}
