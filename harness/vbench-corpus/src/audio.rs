//! Where the recordings of a corpus lie, and what their headers say.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::entry::{AudioName, Entry, stem};
use crate::folder::{files, has_ending, is_audio};
use crate::problem::{ProblemKind, Problems};

/// What the header of a recording says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioFacts {
    /// Duration.
    pub seconds: f64,
    /// Channels.
    pub channels: u32,
}

/// Finds recordings, and none outside of the folders that may be read.
pub struct Resolver {
    /// As given, and what it really is.
    roots: Vec<(PathBuf, PathBuf)>,
    /// Look for names in folders beneath the corpus, or beside the one file that was named.
    deep: bool,
    /// Do not look whether files are there.
    unseen: bool,
    folders: HashMap<PathBuf, Option<PathBuf>>,
    /// What names of the list that is being resolved turned out to be.
    known: HashMap<String, Result<Arc<Path>, ProblemKind>>,
    list: Option<Arc<Path>>,
    stems: Option<Vec<HashMap<String, Vec<PathBuf>>>>,
}

impl Resolver {
    /// Recordings of the corpus at `path` and in `audio_roots`; `unseen` takes paths as they are written.
    ///
    /// # Errors
    /// A root that is not there.
    pub fn new(path: &Path, audio_roots: &[PathBuf], unseen: bool) -> Result<Self, ProblemKind> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
        };
        let mut roots = Vec::new();
        for root in audio_roots.iter().map(PathBuf::as_path).chain([folder]) {
            let real = root.canonicalize();
            let real = real.map_err(|e| ProblemKind::Unreadable { what: format!("{}: {e}", root.display()) })?;
            roots.push((root.to_owned(), real));
        }
        let (folders, known) = (HashMap::new(), HashMap::new());
        Ok(Self { roots, deep: path.is_dir(), unseen, folders, known, list: None, stems: None })
    }

    fn shown_roots(&self) -> String {
        self.roots.iter().map(|(root, _)| root.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The file of an utterance: absolute, links resolved.
    ///
    /// # Errors
    /// No such file, more than one, or one outside of the roots.
    pub fn find(&mut self, entry: &Entry) -> Result<Arc<Path>, ProblemKind> {
        let list = &entry.place.file;
        if !self.list.as_ref().is_some_and(|known| Arc::ptr_eq(known, list)) {
            // Relative paths mean something else in a list of another folder.
            self.known.clear();
            self.list = Some(Arc::clone(list));
        }
        if let Some(found) = self.known.get(entry.audio.as_str()) {
            return found.clone();
        }
        let found = match &entry.audio {
            AudioName::Path(name) => self.by_path(name, list.parent().unwrap_or(Path::new(""))),
            AudioName::Stem(name) => self.by_stem(name),
        };
        self.known.insert(entry.audio.as_str().to_owned(), found.clone());
        found
    }

    fn by_path(&mut self, name: &str, folder: &Path) -> Result<Arc<Path>, ProblemKind> {
        let name = name.trim();
        if name.is_empty() || name.contains('\0') {
            let (audio, looked) = (crate::source::shown(name), self.shown_roots());
            return Err(ProblemKind::MissingAudio { audio, looked });
        }
        let mut outside = false;
        let folders: Vec<PathBuf> = if Path::new(name).is_absolute() {
            vec![PathBuf::new()]
        } else {
            let mut folders: Vec<PathBuf> = self.roots.iter().map(|(root, _)| root.clone()).collect();
            // Where nothing is looked at, a folder that was named for audio is the best guess.
            folders.insert(if self.unseen && folders.len() > 1 { folders.len() } else { 0 }, folder.to_owned());
            folders
        };
        for folder in folders {
            let Some(real) = self.real(&folder.join(name)) else { continue };
            let inside = |(_, root): &(PathBuf, PathBuf)| real.starts_with(root);
            if self.roots.iter().any(inside) {
                return Ok(real.into());
            }
            outside = true;
        }
        let audio = name.to_owned();
        Err(if outside {
            ProblemKind::OutsideRoot { audio, inside: self.shown_roots() }
        } else {
            ProblemKind::MissingAudio { audio, looked: self.shown_roots() }
        })
    }

    /// A file without links in its path; `None` where there is none.
    fn real(&mut self, path: &Path) -> Option<PathBuf> {
        let folder = path.parent()?;
        // Thousands of recordings share a folder: its links are followed once.
        let real = match self.folders.get(folder) {
            Some(real) => real.clone()?,
            None => {
                let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                let real = match shown.canonicalize() {
                    Err(_) if self.unseen => std::path::absolute(shown).ok().map(|p| plain(&p)),
                    real => real.ok(),
                };
                self.folders.insert(folder.to_owned(), real.clone());
                real?
            }
        };
        let file = match path.components().next_back()? {
            Component::Normal(name) => real.join(name),
            _ => return None,
        };
        if self.unseen {
            return Some(file);
        }
        let facts = std::fs::symlink_metadata(&file).ok()?;
        let file = if facts.is_symlink() { file.canonicalize().ok()? } else { file };
        (facts.is_file() || file.is_file()).then_some(file)
    }

    fn by_stem(&mut self, name: &str) -> Result<Arc<Path>, ProblemKind> {
        if self.stems.is_none() {
            let list = self.roots.iter().map(|(_, root)| stems(root, self.deep)).collect();
            self.stems = Some(list);
        }
        for index in self.stems.iter().flatten() {
            let Some(list) = index.get(name) else { continue };
            // SPHERE and the like beside a copy that vbench decodes.
            let decoded = |p: &&PathBuf| has_ending(&p.to_string_lossy(), &["wav", "flac", "mp3", "ogg", "opus"]);
            let mut good: Vec<&PathBuf> = list.iter().filter(decoded).collect();
            if good.is_empty() {
                good.extend(list);
            }
            return match good[..] {
                [one] => Ok(Arc::from(one.as_path())),
                _ => {
                    let (first, second) = (good[0].display().to_string(), good[1].display().to_string());
                    Err(ProblemKind::AmbiguousAudio { stem: name.to_owned(), first, second })
                }
            };
        }
        let audio = format!("{name}.wav, .flac, .mp3, .ogg, .opus");
        Err(ProblemKind::MissingAudio { audio, looked: self.shown_roots() })
    }
}

/// Recordings by name without ending.
fn stems(root: &Path, deep: bool) -> HashMap<String, Vec<PathBuf>> {
    let mut index: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let list = if deep {
        // What cannot be listed was told when the corpus was read.
        files(root, &mut Problems::default())
    } else {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|e| PathBuf::from(e.file_name())).collect()
    };
    for file in list {
        let name = file.to_string_lossy();
        if is_audio(&name) {
            let path = root.join(&file);
            // A link may lead out of the corpus.
            let real = path.canonicalize().ok().filter(|real| real.starts_with(root));
            index.entry(stem(&name).to_owned()).or_default().extend(real);
        }
    }
    index.retain(|_, paths| !paths.is_empty());
    index
}

/// A path without `.` and `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
