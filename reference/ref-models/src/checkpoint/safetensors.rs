//! Reader of safetensors files: a u64 header length, a JSON header, then the values. Only the tensors' bytes are ever allocated,
//! and only after the header was checked against the size of the file.

use super::{MAX_TENSORS, Weights, elements, read_json};
use crate::Error;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Longest header read; that of large-v3 has about 140 kB. The format itself allows 100 MB.
const MAX_HEADER: u64 = 16 << 20;

/// Reads `model.safetensors`, or all files that `model.safetensors.index.json` names.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`], [`Error::Unsupported`] for integer or unknown element types.
pub fn read(dir: &Path) -> Result<Weights, Error> {
    let single = dir.join("model.safetensors");
    let mut tensors = BTreeMap::new();
    if single.is_file() {
        read_file(&single, &mut tensors)?;
        return Ok(Weights::new(&single, tensors));
    }
    let index = dir.join("model.safetensors.index.json");
    for file in files_of_index(&index)? {
        read_file(&dir.join(file), &mut tensors)?;
    }
    Ok(Weights::new(dir, tensors))
}

fn files_of_index(index: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let json = read_json(index, MAX_HEADER)?;
    let map = json.get("weight_map").and_then(|m| m.as_object());
    let map = map.ok_or_else(|| Error::malformed(index, "no object weight_map"))?;
    let mut files = BTreeSet::new();
    for (tensor, file) in map {
        let file = file.as_str().filter(|f| !f.is_empty() && !f.contains(['/', '\\']));
        let file = file.ok_or_else(|| Error::malformed(index, format!("weight_map.{tensor} is not a file name")))?;
        files.insert(PathBuf::from(file));
    }
    Ok(files)
}

struct Entry {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    start: u64,
    size: usize,
}

fn read_file(path: &Path, out: &mut BTreeMap<String, Tensor>) -> Result<(), Error> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    let mut prefix = [0; 8];
    if length < 8 {
        return Err(Error::malformed(path, format!("{length} bytes, expected at least 8")));
    }
    file.read_exact(&mut prefix).map_err(Error::io(path))?;
    let header = u64::from_le_bytes(prefix);
    if header > MAX_HEADER || header > length - 8 {
        return Err(Error::malformed(
            path,
            format!("header of {header} bytes in a file of {length}, expected at most {MAX_HEADER}"),
        ));
    }
    let mut json = vec![0; header as usize];
    file.read_exact(&mut json).map_err(Error::io(path))?;
    let json: serde_json::Value =
        serde_json::from_slice(&json).map_err(|e| Error::malformed(path, format!("header: {e}")))?;
    let data = length - 8 - header;
    for entry in entries(path, &json, data)? {
        file.seek(SeekFrom::Start(8 + header + entry.start)).map_err(Error::io(path))?;
        let mut bytes = vec![0; entry.size];
        file.read_exact(&mut bytes).map_err(Error::io(path))?;
        let tensor = Tensor::from_raw_buffer(&bytes, entry.dtype, &entry.shape, &Device::Cpu)?;
        let name = entry.name.strip_prefix("model.").unwrap_or(&entry.name);
        out.insert(name.to_owned(), tensor);
    }
    Ok(())
}

/// Checked entries of a header for a data part of `data` bytes.
fn entries(path: &Path, json: &serde_json::Value, data: u64) -> Result<Vec<Entry>, Error> {
    let map = json.as_object().ok_or_else(|| Error::malformed(path, "header: not an object"))?;
    if map.len() > MAX_TENSORS {
        return Err(Error::malformed(path, format!("{} tensors, expected at most {MAX_TENSORS}", map.len())));
    }
    let mut out = Vec::new();
    let mut total = 0u64;
    for (name, v) in map.iter().filter(|(n, _)| *n != "__metadata__") {
        let bad = |what: &str| Error::malformed(path, format!("header, tensor {name}: {what}"));
        let integers =
            |key: &str| -> Option<Vec<u64>> { v.get(key)?.as_array()?.iter().map(serde_json::Value::as_u64).collect() };
        let shape = integers("shape").ok_or_else(|| bad("no shape"))?;
        let shape: Vec<usize> = shape.into_iter().filter_map(|d| usize::try_from(d).ok()).collect();
        let offsets = integers("data_offsets").filter(|o| o.len() == 2 && o[0] <= o[1] && o[1] <= data);
        let offsets =
            offsets.ok_or_else(|| bad(&format!("data_offsets missing or outside the {data} bytes of data")))?;
        let dtype = match v.get("dtype").and_then(serde_json::Value::as_str) {
            Some("F32") => DType::F32,
            Some("F16") => DType::F16,
            Some("BF16") => DType::BF16,
            other => {
                let what = format!("element type {other:?} of tensor {name}, expected F32, F16 or BF16");
                return Err(Error::Unsupported { path: path.to_path_buf(), what });
            }
        };
        let size = offsets[1] - offsets[0];
        total += size;
        let expected = elements(&shape).and_then(|n| n.checked_mul(dtype.size_in_bytes()));
        if shape.len() > 8 || expected.is_none_or(|n| n as u64 != size) || total > data {
            return Err(bad(&format!("{size} bytes for shape {shape:?} of {dtype:?}, or tensors that overlap")));
        }
        out.push(Entry { name: name.clone(), dtype, shape, start: offsets[0], size: size as usize });
    }
    Ok(out)
}
