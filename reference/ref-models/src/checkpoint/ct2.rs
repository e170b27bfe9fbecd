//! Reader of CTranslate2 `model.bin` files of Whisper (binary version 6, `WhisperSpec` revision 3).
//!
//! All integers are little endian. A string is a u16 length that counts a final NUL, then the bytes. The file is: u32 binary
//! version, string spec name, u32 spec revision, u32 number of tensors; for each tensor its name, u8 rank, u32 dimensions, u8
//! element type (0 f32, 1 i8, 2 i16, 3 i32, 4 f16, 5 bf16), u32 byte count, the bytes; then u32 number of aliases and for each its
//! name and the name of the tensor it stands for. Integer weights have a tensor `<name>_scale` with one value a row, and
//! stand for `weight / scale`. Source: the writer and reader of CTranslate2 4 (`model_spec.py`, `model.cc`).

use super::{MAX_TENSORS, Weights, elements};
use crate::Error;
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// What a `model.bin` holds besides weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Attention heads of the encoder.
    pub encoder: usize,
    /// Attention heads of the decoder.
    pub decoder: usize,
}

enum Data {
    Float(Tensor),
    Int8(Vec<i8>, Vec<usize>),
    /// Small integers: options such as the number of heads.
    Option(i64),
    Skipped,
}

struct Reader<'a> {
    path: &'a Path,
    file: BufReader<File>,
    /// Bytes not read yet.
    left: u64,
}

impl Reader<'_> {
    fn bytes(&mut self, n: usize, what: &str) -> Result<Vec<u8>, Error> {
        if n as u64 > self.left {
            return Err(Error::malformed(
                self.path,
                format!("truncated: {what} needs {n} bytes, {} are left", self.left),
            ));
        }
        let mut buf = vec![0; n];
        self.file.read_exact(&mut buf).map_err(Error::io(self.path))?;
        self.left -= n as u64;
        Ok(buf)
    }

    fn uint(&mut self, bytes: usize, what: &str) -> Result<usize, Error> {
        let b = self.bytes(bytes, what)?;
        Ok(b.iter().rev().fold(0usize, |v, b| v << 8 | usize::from(*b)))
    }

    fn string(&mut self, what: &str) -> Result<String, Error> {
        let n = self.uint(2, what)?;
        let mut b = self.bytes(n, what)?;
        if b.pop() != Some(0) {
            return Err(Error::malformed(self.path, format!("{what} is not a NUL-terminated string")));
        }
        String::from_utf8(b).map_err(|_| Error::malformed(self.path, format!("{what} is not UTF-8")))
    }
}

/// Reads `dir/model.bin` and gives its tensors the names of [`Weights`].
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`] for a file that is truncated or inconsistent, [`Error::Unsupported`] for another model
/// or element type.
pub fn read(dir: &Path) -> Result<(Weights, Heads), Error> {
    let path = dir.join("model.bin");
    let file = File::open(&path).map_err(Error::io(&path))?;
    let left = file.metadata().map_err(Error::io(&path))?.len();
    let mut r = Reader { path: &path, file: BufReader::with_capacity(1 << 16, file), left };
    let mut raw = read_tensors(&mut r)?;
    let heads = Heads {
        encoder: option(&raw, "encoder/num_heads", &path)?,
        decoder: option(&raw, "decoder/num_heads", &path)?,
    };
    let mut tensors = BTreeMap::new();
    let names: Vec<String> = raw.keys().cloned().collect();
    for name in names.iter().filter(|n| !n.ends_with("_scale")) {
        let tensor = match raw.remove(name) {
            Some(Data::Float(t)) => t,
            Some(Data::Int8(values, shape)) => {
                dequantise(&path, name, &values, &shape, raw.get(&format!("{name}_scale")))?
            }
            _ => continue,
        };
        for (name, tensor) in rename(&path, name, &tensor)? {
            tensors.insert(name, tensor);
        }
    }
    Ok((Weights::new(&path, tensors), heads))
}

fn read_tensors(r: &mut Reader<'_>) -> Result<BTreeMap<String, Data>, Error> {
    let unsupported = |what: String| Error::Unsupported { path: r.path.to_path_buf(), what };
    let path = r.path;
    let version = r.uint(4, "binary version")?;
    if !(4..=6).contains(&version) {
        return Err(unsupported(format!(
            "CTranslate2 binary version {version}, expected 4 to 6 (or not a CTranslate2 file)"
        )));
    }
    let spec = r.string("spec name")?;
    if spec != "WhisperSpec" {
        return Err(unsupported(format!("CTranslate2 model {spec:?}, expected \"WhisperSpec\"")));
    }
    r.uint(4, "spec revision")?;
    let count = r.uint(4, "number of tensors")?;
    if count > MAX_TENSORS {
        return Err(Error::malformed(path, format!("{count} tensors, expected at most {MAX_TENSORS}")));
    }
    let mut raw = BTreeMap::new();
    for i in 0..count {
        let name = r.string(&format!("name of tensor {i}"))?;
        let data = read_tensor(r, &name)?;
        raw.insert(name, data);
    }
    let aliases = if r.left > 0 { r.uint(4, "number of aliases")? } else { 0 };
    for i in 0..aliases.min(MAX_TENSORS) {
        let (alias, target) = (r.string(&format!("alias {i}"))?, r.string(&format!("target of alias {i}"))?);
        // The only alias of a Whisper model is the output projection, which is the embedding.
        if !raw.contains_key(&target) {
            return Err(Error::malformed(path, format!("alias {alias} of the missing tensor {target}")));
        }
    }
    if r.left > 0 {
        return Err(Error::malformed(path, format!("{} bytes after the end", r.left)));
    }
    Ok(raw)
}

fn read_tensor(r: &mut Reader<'_>, name: &str) -> Result<Data, Error> {
    let path = r.path;
    let rank = r.uint(1, name)?;
    let shape = (0..rank).map(|_| r.uint(4, name)).collect::<Result<Vec<_>, _>>()?;
    let kind = r.uint(1, name)?;
    let size = r.uint(4, name)?;
    let bytes = r.bytes(size, name)?;
    let width = match kind {
        0 | 3 => 4,
        1 => 1,
        2 | 4 | 5 => 2,
        other => {
            return Err(Error::Unsupported {
                path: path.to_path_buf(),
                what: format!("element type {other} of tensor {name}"),
            });
        }
    };
    // No weight is empty, and a zero beside huge dimensions would overflow the stride product.
    let count = elements(&shape).filter(|n| *n > 0 && n.checked_mul(width) == Some(size));
    let Some(count) = count else {
        return Err(Error::malformed(
            path,
            format!("tensor {name}: {size} bytes for shape {shape:?} of {width}-byte elements"),
        ));
    };
    let pairs = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    let quads = || bytes.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
    let cpu = &Device::Cpu;
    Ok(match kind {
        0 => Data::Float(Tensor::from_vec(quads().map(f32::from_le_bytes).collect::<Vec<_>>(), shape, cpu)?),
        4 => Data::Float(Tensor::from_vec(pairs().map(f16::from_le_bytes).collect::<Vec<_>>(), shape, cpu)?),
        5 => Data::Float(Tensor::from_vec(pairs().map(bf16::from_le_bytes).collect::<Vec<_>>(), shape, cpu)?),
        _ if count == 1 => Data::Option(match kind {
            1 => i64::from(bytes[0] as i8),
            2 => pairs().map(i16::from_le_bytes).next().map_or(0, i64::from),
            _ => quads().map(i32::from_le_bytes).next().map_or(0, i64::from),
        }),
        1 => Data::Int8(bytes.iter().map(|b| *b as i8).collect(), shape),
        2 if name.ends_with("/weight") => {
            return Err(Error::Unsupported {
                path: path.to_path_buf(),
                what: format!("16-bit integer weights ({name})"),
            });
        }
        _ => Data::Skipped,
    })
}

fn option(raw: &BTreeMap<String, Data>, name: &str, path: &Path) -> Result<usize, Error> {
    match raw.get(name) {
        Some(Data::Option(v)) if (1..=1024).contains(v) => Ok(*v as usize),
        _ => Err(Error::malformed(path, format!("option {name} is missing or not in 1..=1024"))),
    }
}

fn dequantise(path: &Path, name: &str, values: &[i8], shape: &[usize], scale: Option<&Data>) -> Result<Tensor, Error> {
    let rows = shape.first().copied().unwrap_or(0);
    let Some(Data::Float(scale)) = scale.filter(|_| rows > 0) else {
        return Err(Error::malformed(path, format!("{name} has 8-bit weights of shape {shape:?} and no {name}_scale")));
    };
    let scale: Vec<f32> = scale.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
    if scale.len() != rows {
        return Err(Error::malformed(path, format!("{name}_scale has {} values for {rows} rows", scale.len())));
    }
    let width = values.len() / rows;
    let wide: Vec<f32> = values.iter().enumerate().map(|(i, v)| f32::from(*v) / scale[i / width]).collect();
    Ok(Tensor::from_vec(wide, shape, &Device::Cpu)?)
}

/// Hugging Face names of one CTranslate2 tensor; fused projections are split along their rows.
fn rename(path: &Path, name: &str, tensor: &Tensor) -> Result<Vec<(String, Tensor)>, Error> {
    let Some((side, rest)) = name.split_once('/').filter(|(s, _)| *s == "encoder" || *s == "decoder") else {
        return Ok(Vec::new());
    };
    let one = |new: &str| Ok(vec![(format!("{side}.{new}"), tensor.clone())]);
    let rest = rest.replace("gamma", "weight").replace("beta", "bias");
    match rest.as_str() {
        "position_encodings/encodings" => return one("embed_positions.weight"),
        "embeddings/weight" => return one("embed_tokens.weight"),
        "layer_norm/weight" | "layer_norm/bias" | "conv1/weight" | "conv1/bias" | "conv2/weight" | "conv2/bias" => {
            return one(&rest.replace('/', "."));
        }
        _ => {}
    }
    let Some((layer, part)) = rest.strip_prefix("layer_").and_then(|r| r.split_once('/')) else {
        return Ok(Vec::new());
    };
    let Some((block, leaf)) = part.rsplit_once('/') else {
        return Ok(Vec::new());
    };
    let targets: &[&str] = match block {
        "self_attention/linear_0" => &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
        "self_attention/linear_1" => &["self_attn.out_proj"],
        "self_attention/layer_norm" => &["self_attn_layer_norm"],
        "attention/linear_0" => &["encoder_attn.q_proj"],
        "attention/linear_1" => &["encoder_attn.k_proj", "encoder_attn.v_proj"],
        "attention/linear_2" => &["encoder_attn.out_proj"],
        "attention/layer_norm" => &["encoder_attn_layer_norm"],
        "ffn/linear_0" => &["fc1"],
        "ffn/linear_1" => &["fc2"],
        "ffn/layer_norm" => &["final_layer_norm"],
        _ => return Ok(Vec::new()),
    };
    let rows = tensor.dims().first().copied().unwrap_or(0);
    if !rows.is_multiple_of(targets.len()) {
        return Err(Error::malformed(path, format!("tensor {name}: {rows} rows cannot be split in {}", targets.len())));
    }
    let each = rows / targets.len();
    let split =
        |(i, t): (usize, &&str)| Ok((format!("{side}.layers.{layer}.{t}.{leaf}"), tensor.narrow(0, i * each, each)?));
    targets.iter().enumerate().map(split).collect()
}
