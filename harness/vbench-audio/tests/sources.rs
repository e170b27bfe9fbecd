//! What is drawn from recordings: babble, folders of noise, measured impulse responses.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{lag, speech};
use vbench_audio::{
    Clip, DegradeContext, DegradeError, Recording, Recordings, active_speech_level, degrade, write_wav,
};
use vbench_core::{Condition, Receipt};

/// Six utterances by three speakers, at very different levels.
struct Corpus {
    list: Vec<Recording>,
    clips: Vec<Arc<Clip>>,
}

impl Corpus {
    fn new(speakers: [Option<&str>; 6]) -> Self {
        let list = (0..6).map(|i| Recording { name: format!("c/{i}"), speaker: speakers[i].map(str::to_owned) });
        let clips = (0..6).map(|i| {
            let samples = speech(["speech_a0.wav", "speech_a1.wav", "speech_a2.wav"][i % 3]);
            let gain = [1.0, 0.1, 0.01, 0.5, 0.05, 0.003][i];
            Arc::new(
                Clip::new(samples[i * 1000..i * 1000 + 30_000].iter().map(|x| x * gain).collect()).expect("test data"),
            )
        });
        Self { list: list.collect(), clips: clips.collect() }
    }
}

impl Recordings for Corpus {
    fn list(&self) -> &[Recording] {
        &self.list
    }

    fn clip(&self, index: usize) -> Result<Arc<Clip>, String> {
        Ok(Arc::clone(&self.clips[index]))
    }

    fn identity(&self) -> &str {
        "six"
    }
}

fn recipe(text: &str) -> Condition {
    Condition::from_recipe("test", text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn context<'a>(utterance: &'a str, recordings: Option<&'a dyn Recordings>) -> DegradeContext<'a> {
    DegradeContext { seed: 3, utterance, corpus_spectrum: None, recordings }
}

fn achieved(receipt: &Receipt, name: &str) -> f64 {
    let found = receipt.steps[0].achieved.iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {receipt:?}")).1
}

fn fact<'r>(receipt: &'r Receipt, name: &str) -> &'r str {
    let found = receipt.steps[0].facts.iter().find(|(n, _)| n == name);
    &found.unwrap_or_else(|| panic!("no {name} in {receipt:?}")).1
}

const SPEAKERS: [Option<&str>; 6] = [Some("a"), Some("b"), Some("c"), Some("a"), Some("b"), Some("c")];

#[test]
fn babble_is_of_other_speakers_at_equal_levels_and_reaches_its_snr() {
    let corpus = Corpus::new(SPEAKERS);
    let clip = speech("speech_a1.wav");
    for utterance in ["c/0", "c/1", "c/5"] {
        for snr_db in [20.0, 5.0, -5.0] {
            let condition = recipe(&format!("noise(kind=babble, talkers=2, snr_db={snr_db})"));
            let (samples, receipt) = degrade(&clip, &condition, &context(utterance, Some(&corpus))).unwrap();
            assert!((achieved(&receipt, "achieved_snr_db") - snr_db).abs() <= 0.05);
            assert_eq!(samples.len(), clip.len());
            let own = utterance.strip_prefix("c/").unwrap().parse::<usize>().unwrap() % 3;
            let talkers: Vec<Vec<usize>> = fact(&receipt, "talkers")
                .split(", ")
                .map(|ids| ids.split('+').map(|id| id.parse::<usize>().unwrap() % 3).collect())
                .collect();
            assert_eq!(talkers.len(), 2);
            for talker in &talkers {
                assert!(talker.iter().all(|s| *s != own && *s == talker[0]), "{utterance}: {talkers:?}");
            }
            assert_ne!(talkers[0][0], talkers[1][0], "two talkers of three speakers are two speakers");
        }
    }
}

#[test]
fn babble_without_anybody_else_is_an_error() {
    let corpus = Corpus::new([Some("a"); 6]);
    let condition = recipe("noise(kind=babble, snr_db=5)");
    let clip = speech("speech_a1.wav");
    let error = degrade(&clip, &condition, &context("c/0", Some(&corpus))).unwrap_err();
    assert_eq!(error.to_string(), "babble: nobody but the talker in the corpus of 6 utterances");
    let error = degrade(&clip, &condition, &context("c/0", None)).unwrap_err();
    assert!(matches!(error, DegradeError::Babble { .. }), "{error}");
    // Speakers unknown: everybody else may talk.
    let corpus = Corpus::new([None; 6]);
    let (_, receipt) = degrade(&clip, &condition, &context("c/0", Some(&corpus))).unwrap();
    assert!(!fact(&receipt, "talkers").split([',', '+', ' ']).any(|id| id == "0"));
}

fn noise_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("test data");
    for (name, period) in [("cafe/one.wav", 37usize), ("street.wav", 101)] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("test data")).expect("test data");
        // A third of a second: shorter than any speech, hence looped.
        let samples: Vec<f32> = (0..5_333).map(|i| ((i % period) as f32 / period as f32 - 0.5) * 0.3).collect();
        write_wav(&path, &samples).expect("test data");
    }
    folder
}

fn in_folder(text: &str, folder: &Path) -> Condition {
    let mut condition = recipe(text);
    condition.resolve_folders(folder);
    condition
}

#[test]
fn a_folder_of_noise_is_drawn_from_and_looped() {
    let folder = noise_folder();
    let clip = speech("speech_a0.wav");
    let condition = in_folder("noise(kind=folder, path=., snr_db=3)", folder.path());
    let mut files = std::collections::BTreeSet::new();
    for utterance in ["c/1", "c/2", "c/3", "c/4", "c/5", "c/6"] {
        let (samples, receipt) = degrade(&clip, &condition, &context(utterance, None)).unwrap();
        assert_eq!(degrade(&clip, &condition, &context(utterance, None)).unwrap().0, samples);
        assert!((achieved(&receipt, "achieved_snr_db") - 3.0).abs() <= 0.05);
        assert!((0.0..0.34).contains(&achieved(&receipt, "noise_offset_s")));
        assert_eq!(fact(&receipt, "noise_sha256").len(), 64);
        files.insert(fact(&receipt, "noise_file").to_owned());
        // The recipe holds no path of this machine.
        assert_eq!(receipt.recipe, "noise(kind=folder, path=., snr_db=3)");
    }
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["cafe/one.wav", "street.wav"]);
}

#[test]
fn folders_that_cannot_serve_are_named() {
    let folder = noise_folder();
    let clip = speech("speech_a0.wav");
    let error =
        |text: &str| degrade(&clip, &in_folder(text, folder.path()), &context("c/1", None)).unwrap_err().to_string();
    let text = error("noise(kind=folder, path=absent, snr_db=3)");
    assert!(text.starts_with("folder `absent`: cannot read "), "{text}");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let text = error("response(path=empty)");
    assert!(text.starts_with("folder `empty`: no audio file"), "{text}");
    std::fs::create_dir(folder.path().join("silent")).unwrap();
    write_wav(&folder.path().join("silent/zero.wav"), &[0.0; 20_000]).unwrap();
    assert_eq!(error("response(path=silent)"), "folder `silent`: zero.wav: the response is silent");
    let text = error("noise(kind=folder, path=silent, snr_db=3)");
    assert!(text.starts_with("folder `silent`: zero.wav: silent"), "{text}");
    std::fs::create_dir(folder.path().join("broken")).unwrap();
    std::fs::write(folder.path().join("broken/not.wav"), b"RIFF, or is it?").unwrap();
    let text = error("noise(kind=folder, path=broken, snr_db=3)");
    assert!(text.starts_with("folder `broken`: not.wav: "), "{text}");
}

#[test]
fn a_measured_response_is_aligned_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    // Direct sound after 500 samples, then noise that falls by 60 dB in 0.4 s.
    let mut state = 1u32;
    let mut response = vec![0.0f32; 500];
    response.push(0.5);
    response.extend((0..12_000).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state) / f64::from(u32::MAX) - 0.5;
        (0.08 * noise * 10f64.powf(-3.0 * f64::from(i) / 16_000.0 / 0.4)) as f32
    }));
    write_wav(&folder.path().join("room.wav"), &response).unwrap();
    let condition = in_folder("response(path=.)", folder.path());
    let clip = speech("speech_a0.wav");
    let (samples, receipt) = degrade(&clip, &condition, &context("c/1", None)).unwrap();
    assert_eq!(samples.len(), clip.len());
    assert!(lag(&clip, &samples, 600).abs() <= 1);
    assert_eq!(achieved(&receipt, "delay_removed_samples"), 500.0);
    let t30 = achieved(&receipt, "t30_s");
    assert!((t30 - 0.4).abs() < 0.03, "{t30}");
    assert_eq!(fact(&receipt, "response_file"), "room.wav");
    // The direct sound keeps the clip's level: what is added is the reverberation alone.
    let level = |x: &[f32]| active_speech_level(x, 16_000).unwrap().active_dbfs;
    let change = level(&samples) - level(&clip) - achieved(&receipt, "gain_db");
    assert!((-0.5..3.0).contains(&change), "{change}");
}

#[test]
fn an_array_of_microphones_counts_by_its_first() {
    let folder = tempfile::tempdir().unwrap();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(folder.path().join("pair.wav"), spec).unwrap();
    for i in 0..1_000 {
        // The second microphone hears the pulse 100 samples later.
        writer.write_sample(if i == 200 { 20_000i16 } else { 0 }).unwrap();
        writer.write_sample(if i == 300 { 20_000i16 } else { 0 }).unwrap();
    }
    writer.finalize().unwrap();
    let clip = speech("speech_a2.wav");
    let condition = in_folder("response(path=.)", folder.path());
    let (samples, receipt) = degrade(&clip, &condition, &context("c/1", None)).unwrap();
    assert_eq!(achieved(&receipt, "delay_removed_samples"), 200.0);
    assert_eq!(samples, clip, "one pulse is the identity");
}

#[test]
fn an_snr_on_the_rms_is_that_of_the_whole_clip() {
    // Two seconds of speech and six of silence: the RMS lies 6 dB below the level while somebody speaks.
    let mut clip = speech("speech_a0.wav")[20_000..52_000].to_vec();
    clip.resize(128_000, 0.0);
    let noise_dbfs = |level: &str| {
        let condition = recipe(&format!("noise(kind=white, snr_db=10, level={level})"));
        achieved(&degrade(&clip, &condition, &context("c/1", None)).unwrap().1, "noise_dbfs")
    };
    let rms = 10.0 * (clip.iter().map(|x| f64::from(x * x)).sum::<f64>() / clip.len() as f64).log10();
    assert!((noise_dbfs("rms") - (rms - 10.0)).abs() < 0.05);
    assert!((noise_dbfs("active") - noise_dbfs("rms") - 6.0).abs() < 1.0, "{}", noise_dbfs("active"));
    let silent = vec![0.0; 16_000];
    let error =
        degrade(&silent, &recipe("noise(kind=white, snr_db=10, level=rms)"), &context("c/1", None)).unwrap_err();
    assert_eq!(error, DegradeError::NoActiveSpeech { snr_db: 10.0 });
}
