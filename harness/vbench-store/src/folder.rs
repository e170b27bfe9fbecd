//! Create, open for resume, read, write the derived files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use vbench_core::CellTiming;

use crate::log::{LineLog, LogFile, cut, read_lines};
use crate::row::{Row, RowError};
use crate::timing::TimingLine;

/// The run record's schema.
pub const RUN_SCHEMA: &str = "vbench/run-record/1";

/// Written into the folder when the sequential gate has ended a run, early or not.
pub const SEQUENTIAL_FILE: &str = "sequential.json";

/// The schema of [`SEQUENTIAL_FILE`].
pub const SEQUENTIAL_SCHEMA: &str = "vbench/sequential/1";

/// Why a run folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Writing failed: full disk, no permission.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A stored line is damaged or newer.
    #[error("{path}:{line}: {source}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        source: RowError,
    },
    /// `run.json` is not ours.
    #[error("{path}: {message}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Writing there would leave the folder, or follow a link out of it.
    #[error("nothing is written to {path}: {why}", path = path.display())]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Another process is appending.
    #[error("{path} is in use by another vbench process; wait for it or stop it", path = path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The folder to create is already there.
    #[error("{path} already exists; continue it with --resume or choose another --out", path = path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
}

impl StoreError {
    /// Whether the failure is about writing (exit 8) rather than reading (exit 7).
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Unsafe { .. } | Self::Exists { .. } | Self::Locked { .. })
    }
}

/// A run folder open for appending.
pub struct RunFolder {
    path: PathBuf,
    rows: LineLog,
    timings: LineLog,
    /// Held until drop.
    _lock: File,
}

/// Everything a run folder holds.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// `run.json`, with [`SEQUENTIAL_FILE`] as `sequential` where there is one.
    pub record: Value,
    /// Committed rows, one per cell: a retried cell's last row wins, in the place of its first.
    pub rows: Vec<Row>,
    /// Timing of each cell's last repeat.
    pub timings: HashMap<String, TimingLine>,
}

impl RunFolder {
    /// Creates the folder with its record.
    ///
    /// # Errors
    ///
    /// The folder exists already, or cannot be written.
    pub fn create(path: &Path, record: &Value) -> Result<Self, StoreError> {
        let write = |source| StoreError::Write { path: path.to_path_buf(), source };
        std::fs::create_dir_all(path).map_err(write)?;
        let folder = Self::attach(path)?;
        // A process killed before it wrote run.json leaves empty logs, which may be used again.
        let has_rows = std::fs::metadata(path.join("rows.jsonl")).is_ok_and(|m| m.len() > 0);
        if path.join("run.json").exists() || has_rows {
            return Err(StoreError::Exists { path: path.to_path_buf() });
        }
        let text = serde_json::to_string_pretty(record).map_err(|e| write(io::Error::other(e)))?;
        write_atomic(&path.join("run.json"), text.as_bytes())?;
        Ok(folder)
    }

    /// Opens an interrupted run: cuts torn lines and timings without a row, and returns what is committed.
    ///
    /// # Errors
    ///
    /// Unreadable, damaged or newer files; another process at work.
    pub fn resume(path: &Path) -> Result<(Self, RunRecord), StoreError> {
        if !path.join("run.json").exists() {
            return Err(StoreError::Record {
                path: path.join("run.json"),
                message: "not there: this is not a run folder".into(),
            });
        }
        let folder = Self::attach(path)?;
        let record = RunRecord::read(path)?;
        cut_torn(path, &record)?;
        Ok((folder, record))
    }

    fn attach(path: &Path) -> Result<Self, StoreError> {
        // A folder from elsewhere must not make this program empty or append to a file outside it.
        ["lock", "rows.jsonl", "timings.jsonl"].iter().try_for_each(|name| refuse_link(&path.join(name)))?;
        let write = |p: PathBuf| move |source| StoreError::Write { path: p, source };
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(write(lock_path.clone()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: path.to_path_buf() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Write { path: lock_path, source });
            }
        }
        let (rows, timings) = (path.join("rows.jsonl"), path.join("timings.jsonl"));
        Ok(Self {
            path: path.to_path_buf(),
            rows: LineLog::open(&rows).map_err(write(rows.clone()))?,
            timings: LineLog::open(&timings).map_err(write(timings.clone()))?,
            _lock: lock,
        })
    }

    /// Puts other files beneath the logs: tests inject failing disks here.
    pub fn replace_logs(&mut self, rows: Box<dyn LogFile>, timings: Box<dyn LogFile>) {
        self.rows = LineLog::new(rows);
        self.timings = LineLog::new(timings);
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits a cell: its timing first, then its row.
    ///
    /// # Errors
    ///
    /// A failure to record; nothing more can be committed afterwards and every row committed before stays readable.
    pub fn commit(&mut self, row: &Row, timing: Option<&CellTiming>) -> Result<(), StoreError> {
        let path = self.path.join("rows.jsonl");
        let line = row.to_line().map_err(|e| StoreError::Record { path: path.clone(), message: e.to_string() })?;
        if let Some(timing) = timing {
            let timings = self.path.join("timings.jsonl");
            let text = serde_json::to_string(&TimingLine::new(&row.cell, timing))
                .map_err(|e| StoreError::Record { path: timings.clone(), message: e.to_string() })?;
            self.timings.append_line(&text).map_err(|source| StoreError::Write { path: timings, source })?;
        }
        self.rows.append_line(&line).map_err(|source| StoreError::Write { path, source })
    }

    /// Makes everything durable; when rows were retried, rewrites the files in `plan` order, atomically.
    ///
    /// # Errors
    ///
    /// A failure to record.
    pub fn finish(&mut self, plan: &[String]) -> Result<(), StoreError> {
        let rows_path = self.path.join("rows.jsonl");
        let write = |source| StoreError::Write { path: rows_path.clone(), source };
        self.timings.sync().map_err(write)?;
        self.rows.sync().map_err(write)?;
        let (lines, _) = read_lines(&rows_path).map_err(write)?;
        let place: HashMap<&str, usize> = plan.iter().enumerate().map(|(i, c)| (c.as_str(), i)).collect();
        // The stored lines themselves are kept, byte for byte; of a retried cell only the last one.
        let mut latest: BTreeMap<(usize, String), &str> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            let row = Row::from_line(line).map_err(|source| StoreError::Line {
                path: rows_path.clone(),
                line: index + 1,
                source,
            })?;
            let place = place.get(row.cell.as_str()).copied().unwrap_or(usize::MAX);
            latest.insert((place, row.cell), line);
        }
        if latest.len() == lines.len() {
            return Ok(());
        }
        let text: String = latest.values().flat_map(|line| [*line, "\n"]).collect();
        write_atomic(&rows_path, text.as_bytes())?;
        self.rows = LineLog::open(&rows_path).map_err(write)?;
        Ok(())
    }

    /// Writes a derived file (report, figure) atomically; sub-folders are made.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn write_derived(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        write_derived(&self.path, name, bytes)
    }
}

/// Writes a derived file into a folder, atomically, without opening it for appending. `folder` itself may be a link (whoever
/// named it chose it); below it nothing is followed: `name` is made of plain parts divided by `/`, and no folder or
/// file on the way is a symbolic link. What somebody else puts there between check and write is not guarded against.
///
/// # Errors
///
/// [`StoreError::Unsafe`] for such a name or link, else a failure to write.
pub fn write_derived(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    let path = derived_path(folder, name)?;
    write_atomic(&path, bytes)?;
    Ok(path)
}

/// The place of a derived file; the folders on the way are there afterwards.
fn derived_path(folder: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']);
    if !name.split('/').all(plain) {
        let why = "its name is not made of plain parts: no `..`, no absolute path, no backslash, colon or NUL";
        return Err(StoreError::Unsafe { path: PathBuf::from(name), why });
    }
    let mut path = folder.to_path_buf();
    let parts: Vec<&str> = name.split('/').collect();
    for (i, part) in parts.iter().enumerate() {
        make_folder(&path, i > 0)?;
        path.push(part);
    }
    refuse_link(&path)?;
    Ok(path)
}

/// Makes a folder; `below` the named one it must not be a link.
fn make_folder(path: &Path, below: bool) -> Result<(), StoreError> {
    if below {
        refuse_link(path)?;
    }
    std::fs::create_dir_all(path).map_err(|source| StoreError::Write { path: path.to_path_buf(), source })
}

/// Refuses a symbolic link; what is not there is none.
fn refuse_link(path: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => {
            Err(StoreError::Unsafe { path: path.to_path_buf(), why: "it is a symbolic link; remove it first" })
        }
        _ => Ok(()),
    }
}

impl RunRecord {
    /// Whether the cells without a row were left out on purpose: the sequential gate stopped the run with just as many
    /// rows as there are.
    #[must_use]
    pub fn stopped_early(&self) -> bool {
        let stored = &self.record["sequential"];
        stored["stopped_early"] == true && stored["rows"].as_u64() == u64::try_from(self.rows.len()).ok()
    }

    /// Reads a run folder; a torn last line is ignored.
    ///
    /// # Errors
    ///
    /// Unreadable, damaged or newer files.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let record_path = path.join("run.json");
        let text = std::fs::read_to_string(&record_path)
            .map_err(|source| StoreError::Read { path: record_path.clone(), source })?;
        let bad = |message: String| StoreError::Record { path: record_path.clone(), message };
        let record: Value = serde_json::from_str(&text).map_err(|e| bad(format!("not JSON: {e}")))?;
        match record.get("schema").and_then(Value::as_str) {
            Some(RUN_SCHEMA) => {}
            other => {
                let found = other.unwrap_or("none");
                return Err(bad(format!("schema is `{found}`, this program reads `{RUN_SCHEMA}`")));
            }
        }
        let rows = read_rows(&path.join("rows.jsonl"))?;
        if let Some(planned) = record["planned"].as_u64().filter(|n| *n < rows.len() as u64) {
            return Err(bad(format!("`planned` is {planned}, but rows.jsonl has {} cells", rows.len())));
        }
        let record = with_sequential(path, record)?;
        let timings = read_timings(&path.join("timings.jsonl"))?;
        Ok(Self { record, rows, timings: timings.into_iter().map(|t| (t.cell.clone(), t)).collect() })
    }
}

/// What the sequential gate left behind, as `sequential` of the record.
fn with_sequential(folder: &Path, mut record: Value) -> Result<Value, StoreError> {
    let path = folder.join(SEQUENTIAL_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(record),
        Err(source) => return Err(StoreError::Read { path, source }),
    };
    let bad = |message: String| StoreError::Record { path: path.clone(), message };
    let found: Value = serde_json::from_str(&text).map_err(|e| bad(format!("not JSON: {e}")))?;
    if found["schema"] != SEQUENTIAL_SCHEMA {
        return Err(bad(format!("schema is {}, this program reads `{SEQUENTIAL_SCHEMA}`", found["schema"])));
    }
    record["sequential"] = found;
    Ok(record)
}

fn read_rows(path: &Path) -> Result<Vec<Row>, StoreError> {
    let (lines, _) = read_lines(path).map_err(|source| StoreError::Read { path: path.to_path_buf(), source })?;
    let mut rows: Vec<Row> = Vec::with_capacity(lines.len());
    let mut place: HashMap<String, usize> = HashMap::new();
    for (index, line) in lines.iter().enumerate() {
        let row = Row::from_line(line).map_err(|source| StoreError::Line {
            path: path.to_path_buf(),
            line: index + 1,
            source,
        })?;
        match place.get(&row.cell) {
            Some(at) => rows[*at] = row,
            None => {
                place.insert(row.cell.clone(), rows.len());
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn read_timings(path: &Path) -> Result<Vec<TimingLine>, StoreError> {
    let (lines, _) = read_lines(path).map_err(|source| StoreError::Read { path: path.to_path_buf(), source })?;
    let parse = |(index, line): (usize, &String)| {
        serde_json::from_str(line).map_err(|e| StoreError::Line {
            path: path.to_path_buf(),
            line: index + 1,
            source: RowError::Form(e.to_string()),
        })
    };
    lines.iter().enumerate().map(parse).collect()
}

/// Cuts torn last lines, and timings at the end whose row was never committed.
fn cut_torn(path: &Path, record: &RunRecord) -> Result<(), StoreError> {
    let rows = path.join("rows.jsonl");
    let write = |p: &Path| {
        let path = p.to_path_buf();
        move |source| StoreError::Write { path, source }
    };
    let (_, end) = read_lines(&rows).map_err(write(&rows))?;
    cut(&rows, end).map_err(write(&rows))?;
    let timings = path.join("timings.jsonl");
    let (lines, mut end) = read_lines(&timings).map_err(write(&timings))?;
    let committed: HashSet<&str> = record.rows.iter().map(|r| r.cell.as_str()).collect();
    for line in lines.iter().rev() {
        let cell = serde_json::from_str::<TimingLine>(line).map(|t| t.cell).unwrap_or_default();
        if committed.contains(cell.as_str()) {
            break;
        }
        end -= line.len() as u64 + 1;
    }
    cut(&timings, end).map_err(write(&timings))
}

fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let write = || -> io::Result<()> {
        // What an earlier process left behind goes first: a link there would be followed by `create`.
        match std::fs::remove_file(&temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = File::create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&temporary, path)
    };
    write().map_err(|source| {
        // A half-written temporary is of no use to anybody; the error that matters is the first one.
        drop(std::fs::remove_file(&temporary));
        StoreError::Write { path: path.to_path_buf(), source }
    })
}
