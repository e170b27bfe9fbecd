//! Files out of a Debian package: an `ar` archive that holds `data.tar.xz` or `data.tar.gz`. Pure Rust, with limits.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;

use crate::FetchError;
use crate::wheel::is_safe;

/// What a package may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the unpacked tar.
    pub unpacked: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Entries of the tar.
    pub entries: usize,
    /// Memory of the xz decoder in KiB.
    pub xz_memory_kib: u32,
}

impl Default for Limits {
    /// 256 MiB unpacked, 32 MiB a file, 20 000 entries, 128 MiB for xz (the most that `xz -9` needs is 65 MiB).
    fn default() -> Self {
        Self { unpacked: 1 << 28, file: 1 << 25, entries: 20_000, xz_memory_kib: 128 * 1024 }
    }
}

/// A file of a package: its path without the leading `./`, and its bytes.
pub type Packed = (String, Vec<u8>);

/// Reads the plain files of a package for which `want` says yes to the path (without the leading `./`), in the order
/// of the archive. Links, devices and folders are passed over.
///
/// # Errors
///
/// The file cannot be read, is no Debian package, is damaged or cut short, is compressed in another way, holds a name
/// that leads outside, or passes a limit.
pub fn read_deb(path: &Path, limits: &Limits, want: &mut dyn FnMut(&str) -> bool) -> Result<Vec<Packed>, FetchError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let file = File::open(path).map_err(|e| FetchError::io("read", path, e))?;
    let (kind, data) = find_data(file, path, &name)?;
    let unpacked: Box<dyn Read> = match kind.as_str() {
        "data.tar" => Box::new(data),
        "data.tar.gz" => Box::new(flate2::read::GzDecoder::new(data)),
        "data.tar.xz" => Box::new(lzma_rust2::XzReader::new_mem_limit(data, false, limits.xz_memory_kib)),
        other => {
            let message = format!("{other}: this compression is not supported (xz, gzip and none are)");
            return Err(FetchError::archive(&name, message));
        }
    };
    read_tar(unpacked, &name, limits, want)
}

/// Finds the `data.tar*` member and returns its name and a reader of its bytes.
fn find_data(mut file: File, path: &Path, name: &str) -> Result<(String, BufReader<Take<File>>), FetchError> {
    let length = file.metadata().map_err(|e| FetchError::io("read", path, e))?.len();
    let damaged = |message: &str| FetchError::archive(name, message);
    let mut magic = [0; 8];
    file.read_exact(&mut magic).map_err(|_| damaged("shorter than an ar archive"))?;
    if &magic != b"!<arch>\n" {
        return Err(damaged("no Debian package: the ar signature is missing"));
    }
    let mut at = 8;
    while at < length {
        let mut header = [0; 60];
        file.read_exact(&mut header).map_err(|_| damaged("an ar header is cut short"))?;
        at += 60;
        if &header[58..] != b"`\n" {
            return Err(damaged("an ar header is damaged"));
        }
        let field = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_end().to_string();
        let size: u64 = field(48..58).parse().map_err(|_| damaged("an ar header has no valid size"))?;
        if size > length - at {
            return Err(FetchError::archive(
                name,
                format!("a member declares {size} bytes, {} are left in the file", length - at),
            ));
        }
        let member = field(0..16).trim_end_matches('/').to_string();
        if member.starts_with("data.tar") {
            return Ok((member, BufReader::new(file.take(size))));
        }
        // Members start at even offsets.
        at += size + size % 2;
        file.seek(SeekFrom::Start(at)).map_err(|e| FetchError::io("read", path, e))?;
    }
    Err(damaged("no member data.tar"))
}

fn read_tar(
    unpacked: Box<dyn Read>,
    name: &str,
    limits: &Limits,
    want: &mut dyn FnMut(&str) -> bool,
) -> Result<Vec<Packed>, FetchError> {
    let too_large = |what: String, limit: u64| FetchError::TooLarge { archive: name.to_string(), what, limit };
    // One byte more than allowed: a tar that reaches it is too large, not cut short.
    let mut counted = unpacked.take(limits.unpacked + 1);
    let mut packed = Vec::new();
    let mut failure = None;
    {
        let mut archive = tar::Archive::new(&mut counted);
        let entries = archive.entries().map_err(|e| FetchError::archive(name, e))?;
        for (index, entry) in entries.enumerate() {
            if index >= limits.entries {
                return Err(too_large("number of entries".to_string(), limits.entries as u64));
            }
            match read_entry(entry, name, limits, want) {
                Ok(Some(file)) => packed.push(file),
                Ok(None) => {}
                Err(e) => {
                    failure = Some(e);
                    break;
                }
            }
        }
    }
    if counted.limit() == 0 {
        return Err(too_large("unpacked size in bytes".to_string(), limits.unpacked));
    }
    match failure {
        Some(e) => Err(e),
        None => {
            // To the end, so that the checksum of the compressed stream is checked too.
            std::io::copy(&mut counted, &mut std::io::sink()).map_err(|e| FetchError::archive(name, e))?;
            Ok(packed)
        }
    }
}

fn read_entry(
    entry: std::io::Result<tar::Entry<'_, &mut Take<Box<dyn Read>>>>,
    name: &str,
    limits: &Limits,
    want: &mut dyn FnMut(&str) -> bool,
) -> Result<Option<Packed>, FetchError> {
    let mut entry = entry.map_err(|e| FetchError::archive(name, e))?;
    let raw = entry.path_bytes().into_owned();
    // The package's root itself is the entry `./`.
    if raw != b"./" && !is_safe(&raw) {
        return Err(FetchError::UnsafePath {
            archive: name.to_string(),
            entry: String::from_utf8_lossy(&raw).escape_debug().to_string(),
        });
    }
    let path = String::from_utf8_lossy(&raw);
    let path = path.strip_prefix("./").unwrap_or(&path);
    if path.is_empty() || !entry.header().entry_type().is_file() || !want(path) {
        return Ok(None);
    }
    let size = entry.size();
    if size > limits.file {
        return Err(FetchError::TooLarge {
            archive: name.to_string(),
            what: format!("{path} in bytes"),
            limit: limits.file,
        });
    }
    let mut bytes = Vec::new();
    let read = (&mut entry).take(limits.file).read_to_end(&mut bytes);
    read.map_err(|e| FetchError::archive(name, format!("{path}: {e}")))?;
    if bytes.len() as u64 != size {
        let message = format!("{path}: cut short after {} of {size} bytes", bytes.len());
        return Err(FetchError::archive(name, message));
    }
    Ok(Some((path.to_string(), bytes)))
}
