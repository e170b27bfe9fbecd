//! Decoding all of a recording beside decoding 4 s in its middle; used by `reports/performance_corpus.py`.
//!
//! usage: `stretch_speed FILE…`; prints one JSON object a file.

use std::path::Path;
use std::time::Instant;

use vbench_audio::{DecodeOptions, decode_file, probe_file};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = String::new();
    for file in std::env::args().skip(1) {
        let path = Path::new(&file);
        let seconds = probe_file(path)?.seconds();
        let begin = Instant::now();
        decode_file(path, &DecodeOptions::default())?;
        let whole = begin.elapsed().as_secs_f64();
        let mut stretches = Vec::new();
        for i in 0..41u32 {
            let start_s = Some(f64::from(i) / 41.0 * (seconds - 4.0));
            let begin = Instant::now();
            decode_file(path, &DecodeOptions { start_s, duration_s: Some(4.0), ..DecodeOptions::default() })?;
            stretches.push(begin.elapsed().as_secs_f64());
        }
        stretches.sort_by(f64::total_cmp);
        out += &format!("{{\"seconds\": {seconds}, \"whole\": {whole}, \"stretch\": {}}}\n", stretches[20]);
    }
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes())?;
    Ok(())
}
