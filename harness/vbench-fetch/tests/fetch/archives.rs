//! Hostile and damaged archives: each ends in a typed error, none writes outside or allocates without limit.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{ar_of, deb_of, gz, noise, patched, tar_of, xz, zip_of};
use vbench_fetch::FetchError;
use vbench_fetch::deb::{Limits, read_deb};
use vbench_fetch::digest::Hasher;
use vbench_fetch::wheel::Wheel;

fn put(dir: &Path, bytes: &[u8]) -> PathBuf {
    let path = dir.join("archive");
    fs::write(&path, bytes).unwrap();
    path
}

fn extract(path: &Path, member: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut out = Vec::new();
    Wheel::open(path)?.extract(member, &mut out, path, &mut Hasher::new(), limit)?;
    Ok(out)
}

#[test]
fn a_good_wheel() {
    let dir = tempfile::tempdir().unwrap();
    let path = put(dir.path(), &zip_of(&[("p/a.bin", b"hello"), ("p/b", b"")]));
    assert_eq!(extract(&path, "p/a.bin", 5).unwrap(), b"hello");
    assert!(matches!(extract(&path, "p/c", 5), Err(FetchError::MissingMember { .. })));
}

#[test]
fn a_wheel_that_leads_outside_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let good = zip_of(&[("p/a.bin", b"hello"), ("xxxxxx.bin", b"evil")]);
    for name in ["../../x.bi", "/etc/x.bin", "a/../../.b", "..\\..\\xx.b", "C:/xxx.bin"] {
        let path = put(dir.path(), &patched(good.clone(), "xxxxxx.bin", name));
        match extract(&path, "p/a.bin", 100) {
            Err(FetchError::UnsafePath { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_zip_bomb_stops_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let bomb = zip_of(&[("p/model.bin", &vec![0; 50_000_000])]);
    assert!(bomb.len() < 100_000);
    let path = put(dir.path(), &bomb);
    let mut out = Vec::new();
    let got = Wheel::open(&path).unwrap().extract("p/model.bin", &mut out, &path, &mut Hasher::new(), 1_000_000);
    assert!(matches!(got, Err(FetchError::TooLarge { limit: 1_000_000, .. })), "{got:?}");
    assert!(out.len() <= 1_000_000);
}

#[test]
fn damaged_wheels_are_errors_at_every_cut_and_flip() {
    let dir = tempfile::tempdir().unwrap();
    let body = noise(3000, 9);
    let good = zip_of(&[("p/a.bin", &body)]);
    for cut in (0..good.len()).step_by(7) {
        let path = put(dir.path(), &good[..cut]);
        assert!(extract(&path, "p/a.bin", 1 << 20).is_err(), "cut at {cut}");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        // Either refused or, where the byte did not matter (times, attributes), the right bytes.
        if let Ok(bytes) = extract(&put(dir.path(), &bad), "p/a.bin", 1 << 20) {
            assert!(bytes == body, "flip at {at} gave other bytes");
        }
    }
}

fn all(path: &Path, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, FetchError> {
    read_deb(path, limits, &mut |_| true)
}

#[test]
fn good_packages_in_each_compression() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of(&[("./", b""), ("./usr/a", b"one"), ("usr/b", b"two")]);
    for (name, data) in
        [("data.tar", tar.clone()), ("data.tar.gz", gz(&tar)), ("data.tar.xz", xz(&tar)), ("data.tar.xz/", xz(&tar))]
    {
        let path = put(dir.path(), &deb_of(name, &data));
        let files = read_deb(&path, &Limits::default(), &mut |p| p != "usr/b").unwrap();
        assert_eq!(files, [("usr/a".to_string(), b"one".to_vec())], "{name}");
    }
}

#[test]
fn packages_that_are_not_what_they_should_be() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of(&[("usr/a", b"one")]);
    let good = deb_of("data.tar.xz", &xz(&tar));
    let mut huge = good.clone();
    let at = good.windows(11).position(|w| w == b"data.tar.xz").unwrap() + 48;
    huge[at..at + 10].copy_from_slice(b"9999999999");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "shorter than"),
        ("a zip", zip_of(&[("a", b"b")]), "signature"),
        ("no data", ar_of(&[("debian-binary", b"2.0\n")]), "no member data.tar"),
        ("zstd", deb_of("data.tar.zst", b"(\xb5/\xfd"), "data.tar.zst: this compression is not supported"),
        ("huge member", huge, "declares 9999999999 bytes"),
        ("not xz", deb_of("data.tar.xz", &noise(500, 2)), "archive: "),
        ("not a tar", deb_of("data.tar.xz", &xz(&noise(5000, 2))), "archive: "),
    ];
    for (what, bytes, expected) in cases {
        match all(&put(dir.path(), &bytes), &Limits::default()) {
            Err(FetchError::Archive { archive, message }) => {
                let text = format!("{archive}: {message}");
                assert!(text.contains(expected), "{what}: {text}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn packages_cut_anywhere_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of(&[("usr/a", &noise(3000, 1)), ("usr/b", b"two")]);
    let good = deb_of("data.tar.xz", &xz(&tar));
    for cut in (0..good.len() - 1).step_by(5) {
        let got = all(&put(dir.path(), &good[..cut]), &Limits::default());
        assert!(got.is_err(), "cut at {cut} of {}: {got:?}", good.len());
    }
    for at in (8..good.len()).step_by(5) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        if let Ok(files) = all(&put(dir.path(), &bad), &Limits::default()) {
            assert_eq!(files.len(), 2, "flip at {at}");
            assert_eq!(files[1].1, b"two");
        }
    }
}

#[test]
fn tars_that_lead_outside_or_link_are_refused_or_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil"] {
        let path = put(dir.path(), &deb_of("data.tar.xz", &xz(&tar_of(&[("usr/a", b"x"), (name, b"y")]))));
        assert!(matches!(all(&path, &Limits::default()), Err(FetchError::UnsafePath { .. })), "{name}");
    }
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "usr/link", "/etc/passwd").unwrap();
    let tar = builder.into_inner().unwrap();
    let path = put(dir.path(), &deb_of("data.tar", &tar));
    assert_eq!(all(&path, &Limits::default()).unwrap(), []);
}

#[test]
fn limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    let big = vec![0; 3_000_000];
    let bomb = deb_of("data.tar.xz", &xz(&tar_of(&[("a", &big), ("b", &big), ("c", &big)])));
    let path = put(dir.path(), &bomb);
    let small = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        all(&path, &limits)
    };
    assert_eq!(all(&path, &Limits::default()).unwrap().len(), 3);
    for (got, limit) in [
        (small(|l| l.unpacked = 4_000_000), 4_000_000),
        (small(|l| l.file = 2_000_000), 2_000_000),
        (small(|l| l.entries = 2), 2),
    ] {
        assert!(matches!(got, Err(FetchError::TooLarge { limit: l, .. }) if l == limit), "{got:?}");
    }
    assert!(matches!(small(|l| l.xz_memory_kib = 16), Err(FetchError::Archive { .. })));
    // A header that declares far more than the archive holds.
    let mut tar = tar_of(&[("a", b"x")]);
    tar[124..136].copy_from_slice(b"77777777777\0");
    tar[148..156].copy_from_slice(b"        ");
    let sum: u32 = tar[..512].iter().map(|&b| u32::from(b)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let path = put(dir.path(), &deb_of("data.tar", &tar));
    assert!(matches!(all(&path, &Limits::default()), Err(FetchError::TooLarge { .. })));
}
