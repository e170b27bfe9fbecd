//! An append-only JSONL file that survives torn writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Where lines go. A trait only so that tests can put a failing disk beneath the store.
pub trait LogFile: Send {
    /// Appends all bytes or fails; after a failure some of them may be in the file.
    ///
    /// # Errors
    ///
    /// Full disk, short write, I/O error.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    ///
    /// I/O error.
    fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Appends whole lines; refuses to go on after a failed write, because the file may end in a torn line.
pub struct LineLog {
    file: Box<dyn LogFile>,
    failed: bool,
}

impl LineLog {
    /// A log over any file.
    #[must_use]
    pub fn new(file: Box<dyn LogFile>) -> Self {
        Self { file, failed: false }
    }

    /// Opens a file for appending, creating it when missing.
    ///
    /// # Errors
    ///
    /// I/O error.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(Box::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Appends one line and its newline in one write.
    ///
    /// # Errors
    ///
    /// The write failed, now or before.
    pub fn append_line(&mut self, line: &str) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write to this file failed"));
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.file.append(&bytes).inspect_err(|_| self.failed = true)
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    ///
    /// I/O error.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

/// The whole lines of a file, and the length in bytes of that part; a torn last line is left out.
///
/// # Errors
///
/// I/O error, or text that is not UTF-8 within the whole lines. A missing file reads as empty.
pub fn read_lines(path: &Path) -> io::Result<(Vec<String>, u64)> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |p| p + 1);
    let text = std::str::from_utf8(&bytes[..end]).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok((text.lines().map(str::to_string).collect(), end as u64))
}

/// Cuts a file to a length, durably.
///
/// # Errors
///
/// I/O error.
pub fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() != length {
        file.set_len(length)?;
        file.sync_all()?;
    }
    Ok(())
}
