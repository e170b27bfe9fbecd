//! Pulling corpora: packages by client or by hand, what lands in the cache, what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{deb_of, gz, script, tar_of, xz};
use vbench_core::hash::sha256_hex;
use vbench_fetch::registry::{CorpusEntry, DebPackage};
use vbench_fetch::{Cache, Clients, FetchError, corpus_status, pull_corpus};

const TEXT: &str = "; Sounds\n\nagent: Please enter your number.\nhello: Hello\nbeep: [beep]\n\
                    digits/1: one\nhas-left: ...has left.\nlost: No recording here.\nsilence/1: (1 second)\nvoid: Empty file.\n";

struct Fixture {
    dir: tempfile::TempDir,
    entry: CorpusEntry,
    debs: Vec<PathBuf>,
}

impl Fixture {
    fn cache(&self) -> Cache {
        Cache::open(Some(self.dir.path().join("cache"))).unwrap()
    }

    /// An `apt-get` that copies the packages from the store.
    fn clients(&self) -> Clients {
        let body = format!(
            "[ \"$2\" = download ] || exit 9\nn=${{3%%=*}}\nv=${{3#*=}}\ncp \"{}/${{n}}_${{v}}_all.deb\" . || \
             {{ echo \"E: Unable to locate package $n\" >&2; exit 100; }}",
            self.dir.path().display()
        );
        Clients { apt_get: script(self.dir.path(), "apt-get", &body), ..Clients::default() }
    }
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let sounds = "usr/share/asterisk/sounds/en";
    let audio = |name: &str| format!("./{sounds}/{name}.g722");
    let texts = tar_of(&[
        ("./usr/share/doc/sounds-en/copyright", b"CC"),
        ("./usr/share/doc/sounds-en/core.txt.gz", &gz(TEXT.as_bytes())),
    ]);
    let names = ["agent", "hello", "beep", "digits/1", "has-left", "silence/1", "void", "extra"];
    let bodies: Vec<(String, Vec<u8>)> = names
        .iter()
        .enumerate()
        .map(|(i, n)| (audio(n), if *n == "void" { vec![] } else { vec![i as u8; 1600 * (i + 1)] }))
        .collect();
    let sound: Vec<(&str, &[u8])> = bodies.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let mut debs = Vec::new();
    let packages = [
        ("sounds-en", deb_of("data.tar.xz", &xz(&texts))),
        ("sounds-en-g722", deb_of("data.tar.gz", &gz(&tar_of(&sound)))),
    ]
    .into_iter()
    .map(|(name, bytes)| {
        let file = format!("{name}_1.0-1_all.deb");
        let path = dir.path().join(&file);
        fs::write(&path, &bytes).unwrap();
        debs.push(path);
        DebPackage {
            name: name.into(),
            version: "1.0-1".into(),
            file,
            size: bytes.len() as u64,
            sha256: sha256_hex(&bytes),
        }
    })
    .collect();
    let entry = CorpusEntry {
        name: "sounds".into(),
        language: "en".into(),
        speaker: "someone".into(),
        licence: "CC-BY-SA-3.0".into(),
        attribution: "Someone".into(),
        transcript: "usr/share/doc/sounds-en/core.txt.gz".into(),
        prompts: sounds.into(),
        subset60: vec!["agent".into()],
        packages,
    };
    Fixture { dir, entry, debs }
}

/// A constant from the first byte: 2 samples a byte, as in G.722.
fn decode(g722: &[u8]) -> Vec<f32> {
    vec![f32::from(g722.first().copied().unwrap_or(0)) / 100.0; 2 * g722.len()]
}

fn check(fixture: &Fixture, folder: &Path) {
    let manifest = fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = manifest.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let ids: Vec<_> = lines.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["agent", "hello", "digits/1", "has-left"]);
    assert_eq!(lines[3]["text"], "has left.");
    assert_eq!(lines[2]["audio"], "audio/digits/1.wav");
    assert_eq!(lines[0]["speaker"], "someone");
    assert_eq!(lines[0]["duration_s"], 0.2);
    assert_eq!(
        lines[0]["tags"],
        serde_json::json!({"licence": "CC-BY-SA-3.0", "prompt_words": "4", "subset60": "yes", "two_words": "yes"})
    );
    assert_eq!(lines[1]["tags"], serde_json::json!({"licence": "CC-BY-SA-3.0", "prompt_words": "1"}));
    for line in &lines {
        let path = folder.join(line["audio"].as_str().unwrap());
        assert_eq!(line["sha256"], sha256_hex(&fs::read(&path).unwrap()).as_str());
        let wav = hound::WavReader::open(&path).unwrap();
        assert_eq!((wav.spec().sample_rate, wav.spec().channels, wav.spec().bits_per_sample), (16_000, 1, 16));
    }
    let digit: Vec<i16> =
        hound::WavReader::open(folder.join("audio/digits/1.wav")).unwrap().into_samples().map(Result::unwrap).collect();
    assert!(digit.len() == 12_800 && digit.iter().all(|&s| s == 983), "{:?}", &digit[..4]);
    assert_eq!(fs::read(folder.join("LICENCE.txt")).unwrap(), b"CC");
    let readme = fs::read_to_string(folder.join("README.txt")).unwrap();
    for part in ["CC-BY-SA-3.0", "Attribution: Someone", &fixture.entry.packages[1].sha256] {
        assert!(readme.contains(part), "{readme}");
    }
}

#[test]
fn packages_by_the_client() {
    let f = fixture();
    let cache = f.cache();
    assert_eq!(corpus_status(&f.entry, &cache), None);
    let report = pull_corpus(&f.entry, &[], &cache, &f.clients(), &decode, &mut |_| {}).unwrap();
    check(&f, &cache.corpus_dir("sounds"));
    assert_eq!((report.utterances, report.skipped_remarks, report.without_audio, report.without_text), (4, 2, 2, 1));
    assert!((report.seconds - (1.0 + 2.0 + 4.0 + 5.0) * 0.2).abs() < 1e-9);
    assert_eq!(corpus_status(&f.entry, &cache), Some(report.clone()));
    // Again: nothing is fetched or decoded.
    let nothing = Clients { apt_get: "no-such-apt".into(), ..Clients::default() };
    let again = pull_corpus(&f.entry, &[], &cache, &nothing, &|_| panic!("decoded again"), &mut |_| {}).unwrap();
    assert_eq!(again, report);
    // A manifest that was changed is made again.
    fs::write(cache.corpus_dir("sounds").join("manifest.jsonl"), "{}\n").unwrap();
    assert_eq!(corpus_status(&f.entry, &cache), None);
    pull_corpus(&f.entry, &f.debs, &cache, &nothing, &decode, &mut |_| {}).unwrap();
    check(&f, &cache.corpus_dir("sounds"));
}

#[test]
fn packages_by_hand() {
    let f = fixture();
    let cache = f.cache();
    let nothing = Clients { apt_get: "no-such-apt".into(), ..Clients::default() };
    let other = f.dir.path().join("renamed.bin");
    fs::copy(&f.debs[0], &other).unwrap();
    let from = [f.debs[1].clone(), other];
    pull_corpus(&f.entry, &from, &cache, &nothing, &decode, &mut |_| {}).unwrap();
    check(&f, &cache.corpus_dir("sounds"));
}

#[test]
fn a_file_that_is_no_pinned_package_names_its_hash_and_the_pins() {
    let f = fixture();
    let cache = f.cache();
    fs::write(&f.debs[1], b"other").unwrap();
    let text = pull_corpus(&f.entry, &f.debs, &cache, &f.clients(), &decode, &mut |_| {}).unwrap_err().to_string();
    let actual = sha256_hex(b"other");
    for part in
        [actual.as_str(), &f.entry.packages[0].sha256, &f.entry.packages[1].sha256, "sounds-en-g722_1.0-1_all.deb"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(!cache.corpus_dir("sounds").exists());
}

#[test]
fn without_a_client_the_packages_and_hashes_are_named() {
    let f = fixture();
    let cache = f.cache();
    let nothing = Clients { apt_get: "no-such-apt".into(), ..Clients::default() };
    let err = pull_corpus(&f.entry, &[], &cache, &nothing, &decode, &mut |_| {}).unwrap_err();
    assert!(matches!(err, FetchError::CorpusUnavailable { .. }), "{err:?}");
    let text = err.to_string();
    for part in [
        "no-such-apt download sounds-en=1.0-1",
        "--from FILE.deb",
        &f.entry.packages[0].sha256,
        &f.entry.packages[1].sha256,
        "apt-get update",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    // A client that delivers other bytes is as good as none.
    fs::write(&f.debs[1], b"other").unwrap();
    let err = pull_corpus(&f.entry, &[], &cache, &f.clients(), &decode, &mut |_| {}).unwrap_err();
    assert!(matches!(err, FetchError::CorpusUnavailable { .. }), "{err:?}");
    assert!(err.to_string().contains("5 bytes, expected"), "{err}");
    assert!(!cache.corpus_dir("sounds").exists());
}
