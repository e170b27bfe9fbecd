//! Checkpoints on disk to named candle tensors, whatever the format: Hugging Face safetensors folders and CTranslate2
//! `model.bin` folders. No pickle is ever loaded.

pub mod ct2;
pub mod safetensors;

use crate::Error;
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Kind of a checkpoint folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `model.bin` of CTranslate2 (what faster-whisper users have).
    CTranslate2,
    /// `model.safetensors`, or several files named by `model.safetensors.index.json`.
    Safetensors,
}

impl Kind {
    /// Looks at the names in a folder.
    ///
    /// # Errors
    /// [`Error::NoCheckpoint`], with a hint if there is a file that would have to be unpickled.
    pub fn detect(dir: &Path) -> Result<Self, Error> {
        let has = |name: &str| dir.join(name).is_file();
        if has("model.safetensors") || has("model.safetensors.index.json") {
            return Ok(Self::Safetensors);
        }
        if has("model.bin") {
            return Ok(Self::CTranslate2);
        }
        Err(Error::NoCheckpoint { path: dir.to_path_buf(), hint: pickle_hint(dir) })
    }
}

/// What to say about a `.pt` or `pytorch_model.bin` in (or as) the folder.
fn pickle_hint(dir: &Path) -> String {
    let is_pickle = |p: &Path| {
        p.extension().is_some_and(|e| e == "pt" || e == "pth" || e == "ckpt")
            || p.file_name().is_some_and(|n| n == "pytorch_model.bin")
    };
    let found = if is_pickle(dir) {
        Some(dir.to_path_buf())
    } else {
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
        names.sort();
        names.into_iter().find(|p| is_pickle(p))
    };
    found.map_or_else(String::new, |p| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!(
            ". {name} is a PyTorch pickle, which can run code when opened and is refused: convert it once, for example with \
             transformers' convert_openai_to_hf.py and save_pretrained(safe_serialization=True), or with ct2-transformers-converter"
        )
    })
}

/// Named tensors of a checkpoint, in their stored precision, on the CPU.
///
/// Names are those of Hugging Face's Whisper without the leading `model.`: `encoder.layers.0.self_attn.q_proj.weight`,
/// `decoder.embed_tokens.weight` and so on, whatever the format was.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Wraps tensors that did not come from a file of this crate; `path` is used in errors.
    #[must_use]
    pub fn new(path: &Path, tensors: BTreeMap<String, Tensor>) -> Self {
        Self { path: path.to_path_buf(), tensors }
    }

    /// Folder or file that errors name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// [`Error::MissingTensor`].
    pub fn shape(&self, name: &str) -> Result<&[usize], Error> {
        self.tensors.get(name).map(Tensor::dims).ok_or_else(|| self.missing(name))
    }

    /// The tensor in its stored precision, checked to have this shape.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Shape`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        let t = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        if t.dims() != shape {
            let (expected, actual) = (shape.to_vec(), t.dims().to_vec());
            return Err(Error::Shape { path: self.path.clone(), name: name.to_owned(), expected, actual });
        }
        Ok(t.clone())
    }

    /// The values in single precision, row by row.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        Ok(self.get(name, shape)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?)
    }

    /// Stored precision of a tensor.
    #[must_use]
    pub fn dtype(&self, name: &str) -> Option<DType> {
        self.tensors.get(name).map(Tensor::dtype)
    }

    /// Number of values of all tensors.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.tensors.values().map(Tensor::elem_count).sum()
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingTensor { path: self.path.clone(), name: name.to_owned() }
    }
}

/// Most tensors a checkpoint may name; large-v3 has 1,259.
const MAX_TENSORS: usize = 100_000;

/// Number of elements of a shape, if it is sane.
fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d))
}

/// Reads a JSON file of at most `limit` bytes.
pub(crate) fn read_json(path: &Path, limit: u64) -> Result<serde_json::Value, Error> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > limit {
        return Err(Error::malformed(path, format!("{size} bytes, expected at most {limit}")));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes)
        .map_err(|e| Error::malformed(path, format!("line {} column {}: {e}", e.line(), e.column())))
}
