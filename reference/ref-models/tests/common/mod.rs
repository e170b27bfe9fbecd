//! Small checkpoints with random weights, written in every format.

#![expect(clippy::unwrap_used, reason = "part of tests")]

use half::f16;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::Path;

/// Dimensions of a small model; the vocabulary is real.
#[derive(Clone, Copy)]
pub struct Shape {
    pub mels: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub inner: usize,
    pub vocabulary: usize,
    pub audio_context: usize,
    pub text_context: usize,
}

pub const SMALL: Shape = Shape {
    mels: 80,
    width: 48,
    layers: 2,
    heads: 3,
    inner: 96,
    vocabulary: 51_864,
    audio_context: 100,
    text_context: 64,
};

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn noise(rng: &mut ChaCha8Rng, n: usize, amplitude: f32) -> Vec<f32> {
    (0..n).map(|_| ((rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0) * amplitude).collect()
}

/// Named tensors in Hugging Face's names; values are exact in half precision.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

pub fn random(s: &Shape, seed: u64) -> Tensors {
    let mut rng = rng(seed);
    let mut out = Tensors::new();
    let mut put = |name: String, shape: &[usize], amplitude: f32, centre: f32| {
        let values = noise(&mut rng, shape.iter().product(), amplitude);
        let values = values.into_iter().map(|v| f16::from_f32(v + centre).to_f32()).collect();
        out.insert(format!("model.{name}"), (shape.to_vec(), values));
    };
    let d = s.width;
    let gain = 2.5 / (d as f32).sqrt();
    put("encoder.conv1.weight".into(), &[d, s.mels, 3], 0.2, 0.0);
    put("encoder.conv1.bias".into(), &[d], 0.1, 0.0);
    put("encoder.conv2.weight".into(), &[d, d, 3], gain, 0.0);
    put("encoder.conv2.bias".into(), &[d], 0.1, 0.0);
    put("encoder.embed_positions.weight".into(), &[s.audio_context, d], 0.5, 0.0);
    put("decoder.embed_positions.weight".into(), &[s.text_context, d], 0.5, 0.0);
    put("decoder.embed_tokens.weight".into(), &[s.vocabulary, d], 0.8, 0.0);
    for side in ["encoder", "decoder"] {
        let mut norms = vec![format!("{side}.layer_norm")];
        for i in 0..s.layers {
            let p = format!("{side}.layers.{i}");
            let mut blocks = vec!["self_attn"];
            norms.push(format!("{p}.self_attn_layer_norm"));
            norms.push(format!("{p}.final_layer_norm"));
            if side == "decoder" {
                blocks.push("encoder_attn");
                norms.push(format!("{p}.encoder_attn_layer_norm"));
            }
            for block in blocks {
                for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                    put(format!("{p}.{block}.{part}.weight"), &[d, d], gain, 0.0);
                    if part != "k_proj" {
                        put(format!("{p}.{block}.{part}.bias"), &[d], 0.1, 0.0);
                    }
                }
            }
            put(format!("{p}.fc1.weight"), &[s.inner, d], gain, 0.0);
            put(format!("{p}.fc1.bias"), &[s.inner], 0.1, 0.0);
            put(format!("{p}.fc2.weight"), &[d, s.inner], gain, 0.0);
            put(format!("{p}.fc2.bias"), &[d], 0.1, 0.0);
        }
        for norm in norms {
            put(format!("{norm}.weight"), &[d], 0.2, 1.0);
            put(format!("{norm}.bias"), &[d], 0.1, 0.0);
        }
    }
    out
}

/// Element type of the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    F32,
    F16,
    /// Integer weight matrices with a scale a row (CTranslate2 only).
    Int8,
}

fn bytes(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

fn write_tokenizer(dir: &Path, s: &Shape) {
    let text = if s.vocabulary == 51_864 { 50_256 } else { 50_257 };
    // 256 byte symbols in the order of the byte alphabet, then words.
    let mut symbols: Vec<String> =
        ('!'..='~').chain('\u{a1}'..='\u{ac}').chain('\u{ae}'..='\u{ff}').map(String::from).collect();
    symbols.extend(('\u{100}'..).take(256 - symbols.len()).map(String::from));
    symbols.extend((256..text).map(|i| format!("\u{120}w{i}")));
    let vocab: serde_json::Map<String, serde_json::Value> =
        symbols.into_iter().zip(0..).map(|(t, i)| (t, i.into())).collect();
    let json = serde_json::json!({"model": {"type": "BPE", "vocab": vocab}});
    std::fs::write(dir.join("tokenizer.json"), json.to_string()).unwrap();
}

pub fn safetensors_bytes(tensors: &Tensors, precision: Precision) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    header.insert("__metadata__".into(), serde_json::json!({"format": "pt"}));
    for (name, (shape, values)) in tensors {
        let b = bytes(values, precision);
        let dtype = if precision == Precision::F16 { "F16" } else { "F32" };
        let offsets = [data.len(), data.len() + b.len()];
        header.insert(name.clone(), serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": offsets}));
        data.extend(b);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

fn write_hf_config(dir: &Path, s: &Shape) {
    let json = serde_json::json!({"model_type": "whisper", "encoder_attention_heads": s.heads, "decoder_attention_heads": s.heads,
        "suppress_tokens": [1, 2, 7], "begin_suppress_tokens": [220, 50256]});
    std::fs::write(dir.join("config.json"), json.to_string()).unwrap();
}

/// Writes a Hugging Face folder, in one file or in `shards`.
pub fn write_safetensors(dir: &Path, s: &Shape, tensors: &Tensors, precision: Precision, shards: usize) {
    std::fs::create_dir_all(dir).unwrap();
    write_tokenizer(dir, s);
    write_hf_config(dir, s);
    if shards == 1 {
        std::fs::write(dir.join("model.safetensors"), safetensors_bytes(tensors, precision)).unwrap();
        return;
    }
    let mut map = serde_json::Map::new();
    for shard in 0..shards {
        let part: Tensors = tensors
            .iter()
            .enumerate()
            .filter(|(i, _)| i % shards == shard)
            .map(|(_, (k, v))| (k.clone(), v.clone()))
            .collect();
        let file = format!("model-{shard:05}-of-{shards:05}.safetensors");
        std::fs::write(dir.join(&file), safetensors_bytes(&part, precision)).unwrap();
        map.extend(part.keys().map(|k| (k.clone(), file.clone().into())));
    }
    let index = serde_json::json!({ "weight_map": map });
    std::fs::write(dir.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

/// Scale and integers of a row, as CTranslate2 quantises.
fn quantise(row: &[f32]) -> (f32, Vec<i8>) {
    let top = row.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let scale = if top == 0.0 { 1.0 } else { 127.0 / top };
    (scale, row.iter().map(|v| (v * scale).round() as i8).collect())
}

/// The weights that an 8-bit file stands for.
pub fn quantised(tensors: &Tensors) -> Tensors {
    let mut out = tensors.clone();
    for (name, (shape, values)) in &mut out {
        if is_quantised(name) {
            for row in values.chunks_exact_mut(shape[1]) {
                let (scale, q) = quantise(row);
                row.iter_mut().zip(q).for_each(|(v, q)| *v = f32::from(q) / scale);
            }
        }
    }
    out
}

fn is_quantised(name: &str) -> bool {
    name.ends_with("proj.weight")
        || name.ends_with("fc1.weight")
        || name.ends_with("fc2.weight")
        || name.ends_with("embed_tokens.weight")
}

/// The bytes of a CTranslate2 `model.bin`.
pub fn ct2_bytes(s: &Shape, tensors: &Tensors, precision: Precision) -> Vec<u8> {
    let mut entries: Vec<(String, Vec<usize>, u8, Vec<u8>)> = Vec::new();
    for side in ["encoder", "decoder"] {
        entries.push((format!("{side}/num_heads"), vec![], 1, vec![s.heads as u8]));
    }
    let float = if precision == Precision::F16 { 4 } else { 0 };
    for (name, shape, values, matrix) in fuse(s, tensors) {
        if precision == Precision::Int8 && matrix {
            let rows: Vec<(f32, Vec<i8>)> = values.chunks_exact(shape[1]).map(quantise).collect();
            let scales: Vec<f32> = rows.iter().map(|r| r.0).collect();
            entries.push((format!("{name}_scale"), vec![shape[0]], 0, bytes(&scales, Precision::F32)));
            entries.push((name, shape, 1, rows.iter().flat_map(|r| r.1.iter().map(|v| *v as u8)).collect()));
        } else {
            entries.push((name, shape, float, bytes(&values, precision)));
        }
    }
    let string = |out: &mut Vec<u8>, t: &str| {
        out.extend((t.len() as u16 + 1).to_le_bytes());
        out.extend(t.as_bytes());
        out.push(0);
    };
    let mut out = 6u32.to_le_bytes().to_vec();
    string(&mut out, "WhisperSpec");
    out.extend(3u32.to_le_bytes());
    out.extend((entries.len() as u32).to_le_bytes());
    for (name, shape, kind, data) in entries {
        string(&mut out, &name);
        out.push(shape.len() as u8);
        shape.iter().for_each(|d| out.extend((*d as u32).to_le_bytes()));
        out.push(kind);
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
    }
    out.extend(1u32.to_le_bytes());
    string(&mut out, "decoder/projection/weight");
    string(&mut out, "decoder/embeddings/weight");
    out
}

/// CTranslate2 names, shapes and values, and whether it is a matrix that 8-bit files quantise.
fn fuse(s: &Shape, tensors: &Tensors) -> Vec<(String, Vec<usize>, Vec<f32>, bool)> {
    let mut out = Vec::new();
    let d = s.width;
    let get = |name: &str| tensors[&format!("model.{name}")].clone();
    let mut linear = |to: String, from: &[String]| {
        let (mut weight, mut bias, mut k) = (Vec::new(), Vec::new(), 0);
        for name in from {
            let (shape, values) = get(&format!("{name}.weight"));
            k = shape[1];
            weight.extend(values);
            bias.extend(
                tensors.get(&format!("model.{name}.bias")).map_or_else(|| vec![0.0; shape[0]], |b| b.1.clone()),
            );
        }
        let n = bias.len();
        out.push((format!("{to}/weight"), vec![n, k], weight, true));
        out.push((format!("{to}/bias"), vec![n], bias, false));
    };
    let parts = |p: &str, names: &[&str]| names.iter().map(|n| format!("{p}.{n}")).collect::<Vec<_>>();
    let mut norms = Vec::new();
    for side in ["encoder", "decoder"] {
        norms.push((format!("{side}/layer_norm"), format!("{side}.layer_norm")));
        for i in 0..s.layers {
            let (c, h) = (format!("{side}/layer_{i}"), format!("{side}.layers.{i}"));
            let own = format!("{h}.self_attn");
            linear(format!("{c}/self_attention/linear_0"), &parts(&own, &["q_proj", "k_proj", "v_proj"]));
            linear(format!("{c}/self_attention/linear_1"), &parts(&own, &["out_proj"]));
            norms.push((format!("{c}/self_attention/layer_norm"), format!("{h}.self_attn_layer_norm")));
            if side == "decoder" {
                let cross = format!("{h}.encoder_attn");
                linear(format!("{c}/attention/linear_0"), &parts(&cross, &["q_proj"]));
                linear(format!("{c}/attention/linear_1"), &parts(&cross, &["k_proj", "v_proj"]));
                linear(format!("{c}/attention/linear_2"), &parts(&cross, &["out_proj"]));
                norms.push((format!("{c}/attention/layer_norm"), format!("{h}.encoder_attn_layer_norm")));
            }
            linear(format!("{c}/ffn/linear_0"), &parts(&h, &["fc1"]));
            linear(format!("{c}/ffn/linear_1"), &parts(&h, &["fc2"]));
            norms.push((format!("{c}/ffn/layer_norm"), format!("{h}.final_layer_norm")));
        }
    }
    for (to, from) in norms {
        out.push((format!("{to}/gamma"), vec![d], get(&format!("{from}.weight")).1, false));
        out.push((format!("{to}/beta"), vec![d], get(&format!("{from}.bias")).1, false));
    }
    for (to, from, matrix) in [
        ("encoder/conv1/weight", "encoder.conv1.weight", false),
        ("encoder/conv1/bias", "encoder.conv1.bias", false),
        ("encoder/conv2/weight", "encoder.conv2.weight", false),
        ("encoder/conv2/bias", "encoder.conv2.bias", false),
        ("encoder/position_encodings/encodings", "encoder.embed_positions.weight", false),
        ("decoder/position_encodings/encodings", "decoder.embed_positions.weight", false),
        ("decoder/embeddings/weight", "decoder.embed_tokens.weight", true),
    ] {
        let (shape, values) = get(from);
        out.push((to.to_owned(), shape, values, matrix));
    }
    out
}

/// Writes a CTranslate2 folder.
pub fn write_ct2(dir: &Path, s: &Shape, tensors: &Tensors, precision: Precision) {
    std::fs::create_dir_all(dir).unwrap();
    write_tokenizer(dir, s);
    let json = serde_json::json!({"suppress_ids": [1, 2, 7], "suppress_ids_begin": [220, 50256]});
    std::fs::write(dir.join("config.json"), json.to_string()).unwrap();
    std::fs::write(dir.join("model.bin"), ct2_bytes(s, tensors, precision)).unwrap();
}

/// Something to listen to: a gliding tone with noise.
pub fn audio(seconds: f32, seed: u64) -> Vec<f32> {
    let n = (seconds * 16_000.0) as usize;
    let tone = |i: usize| (i as f32 * (0.02 + 1e-6 * i as f32)).sin() * 0.3;
    noise(&mut rng(seed), n, 0.1).into_iter().enumerate().map(|(i, v)| v + tone(i)).collect()
}
