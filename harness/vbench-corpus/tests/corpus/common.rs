//! Corpora in a temporary folder, with a decoder that knows the length of a recording from its content.

use std::path::{Path, PathBuf};

use vbench_corpus::{AudioFacts, Format, ImportError, ImportOptions, Imported, Tools, import};

/// A temporary folder.
pub struct Corpus {
    folder: tempfile::TempDir,
}

impl Corpus {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("there").join(name)
    }

    pub fn bytes(&self, name: &str, bytes: &[u8]) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("creates");
        std::fs::write(path, bytes).expect("writes");
        self
    }

    pub fn text(&self, name: &str, text: &str) -> &Self {
        self.bytes(name, text.as_bytes())
    }

    /// A recording of `seconds` with `channels`.
    pub fn audio(&self, name: &str, seconds: f64, channels: u32) -> &Self {
        self.text(name, &format!("{seconds} {channels}"))
    }

    pub fn import_with(&self, name: &str, format: Format, options: &ImportOptions) -> Result<Imported, ImportError> {
        import(&self.path(name), format, &self.path("out/manifest.jsonl"), options, &tools())
    }

    pub fn import(&self, name: &str, format: Format) -> Imported {
        self.import_with(name, format, &ImportOptions::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    /// What is said of a corpus that is not imported, with the temporary folder cut out. Nothing may be written.
    pub fn refused(&self, name: &str, format: Format) -> String {
        self.refused_with(name, format, &ImportOptions::default())
    }

    pub fn refused_with(&self, name: &str, format: Format, options: &ImportOptions) -> String {
        let message = match self.import_with(name, format, options) {
            Ok(imported) => panic!("imported: {:?}", imported.lines),
            Err(e) => e.to_string(),
        };
        assert!(!self.path("out/manifest.jsonl").exists(), "nothing half-written");
        let left = std::fs::read_dir(self.path("out")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing half-written");
        let folder = self.path("");
        message.replace(&folder.display().to_string(), "").replace(folder.to_string_lossy().trim_end_matches('/'), ".")
    }

    /// The manifest's lines as JSON.
    pub fn manifest(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path("out/manifest.jsonl")).expect("the manifest");
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
    }
}

fn probe(path: &Path) -> Result<AudioFacts, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let mut numbers = text.split(' ').map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(channels))) => Ok(AudioFacts { seconds, channels: channels as u32 }),
        _ => Err("unknown format".into()),
    }
}

fn sha256(path: &Path) -> Result<String, String> {
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    Ok(format!("{:064x}", text.len()))
}

pub const fn tools() -> Tools<'static> {
    Tools { probe: &probe, sha256: &sha256 }
}
