//! The one match from a model's specification to an opened model, and the cache folder.

use std::path::{Path, PathBuf};

use ref_adapter::WhisperModel;
use vbench_core::ExitCode;
use vbench_core::hash::sha256_hex;
use vbench_fetch::{Cache, Clients, FetchError, Progress as FetchProgress, Registry, pull_model};
use vbench_model::{
    CheatModel, FakeModel, FakePipeline, HypothesesModel, Model, ModelSpec, StreamingModel, WhisperOptions, WholeClips,
};
use vbench_suite::ModelEntry;

use vbench_run::AudioCache;

use crate::cli::{AudioCacheArguments, CacheArguments};
use crate::failure::{Failure, note};
use crate::progress::Progress;

/// Opens a model, fetching its weights when they are missing.
pub fn open_model(entry: &ModelEntry, cache: &Path, quiet: bool) -> Result<Box<dyn Model>, Failure> {
    Ok(match ModelSpec::parse(&entry.spec)? {
        ModelSpec::Fake(options) => Box::new(FakeModel::new(options)),
        ModelSpec::Cheat(cheat) => Box::new(CheatModel::new(cheat)),
        ModelSpec::FakePipeline(options) => Box::new(WholeClips(Box::new(FakePipeline::new(*options)))),
        ModelSpec::Hypotheses(path) => {
            Box::new(HypothesesModel::open(&path).map_err(|e| Failure::new(ExitCode::InputInvalid, e))?)
        }
        ModelSpec::Whisper(options) => Box::new(open_whisper(options, cache, quiet)?),
    })
}

/// Opens a model that answers while it listens; `None` for models of whole clips.
pub fn open_streaming(entry: &ModelEntry) -> Result<Option<Box<dyn StreamingModel>>, Failure> {
    Ok(match ModelSpec::parse(&entry.spec)? {
        ModelSpec::FakePipeline(options) => Some(Box::new(FakePipeline::new(*options))),
        ModelSpec::Fake(_) | ModelSpec::Cheat(_) | ModelSpec::Hypotheses(_) | ModelSpec::Whisper(_) => None,
    })
}

fn open_whisper(options: WhisperOptions, cache: &Path, quiet: bool) -> Result<WhisperModel, Failure> {
    let unavailable = |e: &dyn std::fmt::Display| Failure::new(ExitCode::Unavailable, e);
    let as_folder = PathBuf::from(&options.model);
    let (folder, sha256) = if as_folder.is_dir() {
        let sha256 = weights_sha256(&as_folder).map_err(|e| unavailable(&e))?;
        (as_folder, sha256)
    } else {
        let registry = Registry::embedded()?;
        let model = registry.model(&options.model)?;
        let folder = pull(&options.model, cache, quiet)?;
        let hashes: Vec<&str> = model.files.iter().map(|f| f.sha256.as_str()).collect();
        let sha256 = match model.files.iter().find(|f| f.name == "model.bin" || f.name == "model.safetensors") {
            Some(weights) => weights.sha256.clone(),
            None => sha256_hex(hashes.join("\n").as_bytes()),
        };
        (folder, sha256)
    };
    WhisperModel::open(&folder, options, sha256).map_err(|e| unavailable(&e))
}

/// SHA-256 of the weights of a folder that the user named: of the one file, or of the hashes of all in name order.
fn weights_sha256(folder: &Path) -> std::io::Result<String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "bin" || x == "safetensors"))
        .collect();
    files.sort();
    let hashes: Vec<String> = files
        .iter()
        .map(|path| vbench_fetch::digest::sha256_file(path).map(|(hash, _)| hash).map_err(std::io::Error::other))
        .collect::<Result<_, _>>()?;
    Ok(match hashes.as_slice() {
        [one] => one.clone(),
        many => sha256_hex(many.join("\n").as_bytes()),
    })
}

/// Makes sure that a model of the registry is in the cache, with a progress bar.
pub fn pull(name: &str, cache: &Path, quiet: bool) -> Result<PathBuf, Failure> {
    let registry = Registry::embedded()?;
    let cache = Cache::open(Some(cache.to_path_buf()))?;
    let mut shown = Shown::new(name, quiet);
    let folder = pull_model(registry.model(name)?, &cache, &clients(), &mut |p| shown.show(p));
    shown.finish();
    Ok(folder?)
}

/// Makes sure that a pronouncing dictionary of the registry is in the cache.
pub fn pull_lexicon(name: &str, cache: &Path) -> Result<PathBuf, Failure> {
    let registry = Registry::embedded()?;
    let cache = Cache::open(Some(cache.to_path_buf()))?;
    let mut shown = Shown::new(name, false);
    let folder = vbench_fetch::pull_lexicon(registry.lexicon(name)?, &cache, &clients(), &mut |p| shown.show(p));
    shown.finish();
    Ok(folder?)
}

/// Package clients and the hub's address, which `HF_ENDPOINT` may change.
#[must_use]
pub fn clients() -> Clients {
    let mut clients = Clients::default();
    if let Ok(endpoint) = std::env::var("HF_ENDPOINT")
        && !endpoint.is_empty()
    {
        clients.hub_endpoint = endpoint;
    }
    clients
}

/// The cache folder: `--cache` or `VBENCH_CACHE`, else the platform's.
pub fn cache_folder(arguments: &CacheArguments) -> Result<PathBuf, Failure> {
    let folder = arguments.cache.clone().or_else(|| vbench_fetch::cache::root_from(&|name| std::env::var_os(name)));
    folder.ok_or_else(|| FetchError::NoCacheFolder.into())
}

/// The folder of degraded audio below the cache folder; none when it may hold nothing or cannot be made, which costs time
/// and nothing else.
pub fn audio_cache(arguments: &AudioCacheArguments, cache: &Path) -> Option<AudioCache> {
    let max_bytes = (arguments.audio_cache_gib * f64::from(1 << 30)) as u64;
    if max_bytes == 0 {
        return None;
    }
    let folder = cache.join("audio");
    AudioCache::open(&folder, max_bytes)
        .inspect_err(|e| note(format_args!("degraded audio is not kept: cannot make {}: {e}", folder.display())))
        .ok()
}

impl From<FetchError> for Failure {
    fn from(e: FetchError) -> Self {
        let code = match &e {
            FetchError::Registry { .. } => ExitCode::Internal,
            FetchError::NotPinned { .. } => ExitCode::InputInvalid,
            FetchError::Io { action, .. } if *action != "read" => ExitCode::OutputNotWritten,
            _ => ExitCode::Unavailable,
        };
        Self::new(code, e)
    }
}

/// A fetch as a progress bar.
pub struct Shown {
    name: String,
    quiet: bool,
    bar: Option<Progress>,
}

impl Shown {
    /// Nothing is drawn until something happens.
    #[must_use]
    pub fn new(name: &str, quiet: bool) -> Self {
        Self { name: name.into(), quiet, bar: None }
    }

    /// Draws one event.
    pub fn show(&mut self, event: FetchProgress<'_>) {
        let (name, quiet) = (self.name.clone(), self.quiet);
        let say = |bar: &mut Option<Progress>, text: &str| match bar {
            Some(bar) => bar.say(text),
            None if quiet => {}
            None => crate::failure::note(text),
        };
        match event {
            FetchProgress::Waiting { name } => {
                say(&mut self.bar, &format!("{name}: another process is fetching it; waiting"))
            }
            FetchProgress::Source { source } => {
                self.finish();
                say(&mut self.bar, &format!("{name}: {source}"));
            }
            FetchProgress::Bytes { done, total } => {
                self.bar.get_or_insert_with(|| Progress::new(&name, total, true, quiet)).set(done, Some(total));
            }
            FetchProgress::Verifying { .. } => {}
            FetchProgress::Decoding { done, total } => {
                let bar = self.bar.get_or_insert_with(|| Progress::new(&name, total as u64, false, quiet));
                bar.set(done as u64, Some(total as u64));
            }
            FetchProgress::Failed { source, reason } => say(&mut self.bar, &format!("{name}: {source}: {reason}")),
        }
    }

    /// Ends the bar.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}
