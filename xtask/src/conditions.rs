//! `docs/conditions.md`: every built-in condition with its sentence, recipe, receipt and picture, all of it made by vbench.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the page shows: one sentence of the oracles' speech; the other two are the corpus that babble is drawn from.
const CORPUS: &str = "golden/oracles/wav";
const CLIP: &str = "speech_a0";
/// Values of a receipt that belong in a table of one line.
const SHOWN: [(&str, &str); 16] = [
    ("achieved_snr_db", "SNR {} dB"),
    ("t30_s", "T30 {} s"),
    ("drr_db", "DRR {} dB"),
    ("c50_db", "C50 {} dB"),
    ("kbps", "{} kbit/s"),
    ("delay_removed_samples", "delay removed {} samples"),
    ("packets_lost", "{} packets lost"),
    ("packets_recovered", "{} rebuilt"),
    ("gaps", "{} gaps"),
    ("clipped_share", "{} of the samples clipped"),
    ("dc", "DC {}"),
    ("time_scale", "time x {}"),
    ("pitch_ratio", "pitch x {}"),
    ("gain_db", "gain {} dB"),
    ("gain_max_db", "gain up to {} dB"),
    ("talkers", "talkers {}"),
];

const HEAD: &str = "\
# Conditions

Everything that vbench can do to a recording under a name of its own. Written by `cargo xtask conditions`, which puts one
sentence of `golden/oracles/wav` (5.5 s, synthetic voice) through each and draws what comes out; `vbench conditions` lists
the same names, and `vbench degrade clip.wav --condition NAME --out out.wav` makes one to listen to.

In a suite: `conditions = [\"clean\", \"babble-10db\"]`. Others are defined there by a recipe, or by steps of which one
parameter may have several values (a sweep: one stratum for each, and a curve with its area in the report):

```toml
conditions = [\"clean\", \"cafe\", \"call\"]

[[condition]]
name = \"cafe\"       # cafe-20db, cafe-15db, …
steps = [{ step = \"noise\", kind = \"babble\", talkers = 6, snr_db = [20, 15, 10, 5, 0, -5] }]

[[condition]]
name = \"call\"
recipe = \"band(low_hz=300, high_hz=3400) | gsm | loss(loss=2%)\"
```

Noise is set on the active speech level (ITU-T P.56), or on the RMS with `level = \"rms\"`. Noise and rooms never clip: a
common gain is applied and recorded. Codec delay is found and removed; only tempo and rate steps change the length. Random
draws are keyed by seed, utterance and the recipe without its levels, so one realisation serves every level. STOI and
SI-SDR below are of the whole degraded clip against the clean one (`vbench measure`); where the tempo or pitch changes
they say nothing.
";

/// Writes the page and its pictures below `root`.
///
/// # Errors
/// In words: what could not be run, read or written.
pub fn write(root: &Path) -> Result<(), String> {
    let out = root.join("target/conditions");
    let folder = out.display().to_string();
    let listed = json(&vbench(root, &["conditions", "--json"])?)?;
    let common = ["--condition", "all", "--spectrogram", "--force", "--json", "-q", "--audio-cache-gib", "0"];
    let made = json(&vbench(root, &[&["degrade", CORPUS, "--out", &folder], common.as_slice()].concat())?)?;
    let pictures = root.join("docs/conditions");
    std::fs::create_dir_all(&pictures).map_err(|e| format!("{}: {e}", pictures.display()))?;
    let (mut table, mut sections) = (String::new(), String::new());
    for condition in listed["results"].as_array().into_iter().flatten() {
        let [name, sentence, recipe] = ["name", "description", "recipe"].map(|k| condition[k].as_str().unwrap_or(""));
        let id = format!("{CLIP}.{name}");
        let line = made["results"].as_array().into_iter().flatten().find(|l| l["id"] == *id);
        let line = line.ok_or_else(|| format!("{name}: the clip could not be made"))?;
        let wav = format!("{folder}/{name}/{CLIP}.wav");
        std::fs::copy(wav.replace(".wav", ".png"), pictures.join(format!("{name}.png")))
            .map_err(|e| format!("{name}: {e}"))?;
        let (stoi, si_sdr) = measured(root, &wav, line)?;
        let _ = writeln!(table, "| [{name}](#{}) | {sentence} | {stoi} | {si_sdr} |", name.replace('.', ""));
        let _ = write!(
            sections,
            "\n## {name}\n\n{sentence}\n\n`{recipe}`\n\n![Spectrogram of a sentence through {name}](conditions/{name}.png)\n"
        );
        let values = receipt(line);
        if !values.is_empty() {
            let _ = writeln!(sections, "\n{values}");
        }
    }
    let steps: String = listed["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| {
            let parameters: Vec<&str> =
                s["parameters"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let [name, sentence] = ["name", "description"].map(|k| s[k].as_str().unwrap_or(""));
            format!("| `{name}` | {} | {sentence} |\n", parameters.join(", "))
        })
        .collect();
    let page = format!(
        "{HEAD}\n## Steps of a recipe\n\n| step | parameters | what it does |\n| --- | --- | --- |\n{steps}\n\
         ## Built-in conditions\n\n| condition | what it does | STOI | SI-SDR, dB |\n| --- | --- | ---: | ---: |\n{table}{sections}"
    );
    let path = root.join("docs/conditions.md");
    std::fs::write(&path, page).map_err(|e| format!("{}: {e}", path.display()))
}

/// STOI and SI-SDR against the clean clip; a dash where the length changed.
fn measured(root: &Path, wav: &str, line: &Value) -> Result<(String, String), String> {
    let scaled = receipt_values(line).any(|(name, _)| name == "time_scale");
    if scaled {
        return Ok(("–".into(), "–".into()));
    }
    let clean = format!("{CORPUS}/{CLIP}.wav");
    let report = json(&vbench(root, &["measure", &clean, wav, "--metric", "stoi,si_sdr_db", "--json", "-q"])?)?;
    let value = |name: &str, decimals: usize| match &report["pairs"][0]["metrics"][name] {
        Value::Number(n) => format!("{:.decimals$}", n.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => text.clone(),
        _ => "–".to_owned(),
    };
    Ok((value("stoi", 3), value("si_sdr_db", 1)))
}

fn receipt_values(line: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let steps = line["receipt"]["steps"].as_array().into_iter().flatten();
    steps.filter_map(|s| s["achieved"].as_object()).flatten().map(|(name, value)| (name.as_str(), value))
}

fn receipt(line: &Value) -> String {
    let mut parts = Vec::new();
    for (name, value) in receipt_values(line) {
        let Some((_, text)) = SHOWN.iter().find(|(n, _)| *n == name) else { continue };
        let shown = match value {
            Value::Number(n) => {
                let n = n.as_f64().unwrap_or(f64::NAN);
                if n.fract() == 0.0 {
                    format!("{n}")
                } else {
                    format!("{n:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
                }
            }
            other => other.as_str().unwrap_or("").to_owned(),
        };
        if !matches!((name, shown.as_str()), ("gain_db" | "packets_recovered", "0")) {
            parts.push(text.replace("{}", &shown));
        }
    }
    if parts.is_empty() { String::new() } else { format!("Receipt: {}.", parts.join(", ")) }
}

fn vbench(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let run = ["run", "--release", "--quiet", "-p", "vbench", "--"];
    let done = Command::new(program).args(run).args(arguments).current_dir(root).stderr(Stdio::inherit()).output();
    let done = done.map_err(|e| format!("cannot start cargo: {e}"))?;
    if done.status.success() {
        Ok(done.stdout)
    } else {
        Err(format!("vbench {}: {}", arguments.join(" "), done.status))
    }
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|e| format!("vbench's JSON: {e}"))
}
