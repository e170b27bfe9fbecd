//! Files of a folder, in order, with symbolic links followed but never in a circle.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::problem::{Place, ProblemKind, Problems};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 16;
/// Most files of a corpus.
const MAX_FILES: usize = 5_000_000;
/// Most folders that are looked into: links can make a few of them look like many.
const MAX_FOLDERS: usize = 200_000;
/// Endings of recordings, in lower case; the content decides whether vbench decodes them.
const AUDIO_ENDINGS: [&str; 9] = ["wav", "flac", "mp3", "ogg", "opus", "oga", "sph", "m4a", "webm"];

/// Whether a name is that of a recording.
#[must_use]
pub fn is_audio(name: &str) -> bool {
    has_ending(name, &AUDIO_ENDINGS)
}

/// Whether a name has one of the endings, in any case.
#[must_use]
pub fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.iter().any(|e| ending.eq_ignore_ascii_case(e)))
}

/// Every file beneath a folder, sorted, relative to it; hidden ones are passed over.
pub fn files(root: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let mut walk = Walk { root, found: Vec::new(), above: HashSet::new(), looked_into: 0, problems };
    walk.folder(Path::new(""), 0);
    let mut found = walk.found;
    found.sort();
    found
}

struct Walk<'a> {
    root: &'a Path,
    found: Vec<PathBuf>,
    /// The folders that lead to the present one.
    above: HashSet<PathBuf>,
    looked_into: usize,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    fn folder(&mut self, relative: &Path, depth: usize) {
        let path = self.root.join(relative);
        let place = || Place::whole(&path);
        let unreadable = |e: &std::io::Error| ProblemKind::Unreadable { what: e.to_string() };
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(e) => return self.problems.push(place(), unreadable(&e)),
        };
        if depth > MAX_DEPTH {
            return self.problems.push(place(), ProblemKind::TooMuch { unit: "folders deep", limit: MAX_DEPTH as u64 });
        }
        self.looked_into += 1;
        if self.looked_into > MAX_FOLDERS {
            if self.looked_into == MAX_FOLDERS + 1 {
                let kind = ProblemKind::TooMuch { unit: "folders", limit: MAX_FOLDERS as u64 };
                self.problems.push(Place::whole(self.root), kind);
            }
            return;
        }
        if !self.above.insert(real.clone()) {
            return self.problems.push(place(), ProblemKind::Loop);
        }
        match std::fs::read_dir(&path) {
            Err(e) => self.problems.push(place(), unreadable(&e)),
            Ok(entries) => {
                let mut names: Vec<_> = entries.flatten().map(|e| (e.file_name(), e.file_type())).collect();
                names.sort_by(|a, b| a.0.cmp(&b.0));
                for (name, kind) in names {
                    if name.to_string_lossy().starts_with('.') {
                        continue;
                    }
                    let relative = relative.join(&name);
                    let linked = kind.as_ref().is_ok_and(std::fs::FileType::is_symlink);
                    let is_folder =
                        if linked { self.root.join(&relative).is_dir() } else { kind.is_ok_and(|k| k.is_dir()) };
                    if is_folder {
                        self.folder(&relative, depth + 1);
                    } else if self.found.len() < MAX_FILES {
                        self.found.push(relative);
                    } else {
                        let kind = ProblemKind::TooMuch { unit: "files", limit: MAX_FILES as u64 };
                        return self.problems.push(Place::whole(self.root), kind);
                    }
                }
            }
        }
        self.above.remove(&real);
    }
}
