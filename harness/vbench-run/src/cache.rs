//! Degraded audio kept between runs: one file a clip, keyed by everything that its samples depend on.
//!
//! ```text
//! entry    = "VBAC2\n" + SHA-256 of the clip as a WAV file + "\n" + receipt as one line of JSON + "\n"
//!            + samples (i16 little-endian) + CRC-32C of all before
//! its name = SHA-256 of (code version, input, recipe, seed, utterance, spectrum, recordings, metrics) in hexadecimal
//! ```
//!
//! Degraded samples lie on the 16-bit grid, so half of their bytes hold them exactly. Entries are written beside their
//! place and renamed into it: several processes may share the folder, and a reader finds a whole entry or none. A damaged
//! entry counts as none. The folder is bounded: beyond its limit the entries unused for longest go first.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use vbench_core::Receipt;
use vbench_core::hash::{sha256_hex, sha256_parts};
use vbench_store::RowReceipt;

const MAGIC: &[u8] = b"VBAC2\n";
/// Hexadecimal digits of a hash.
const HASH: usize = 64;
const EXTENSION: &str = "pcm";
/// An entry beyond this is not kept, bytes: four hours.
const MAX_ENTRY: u64 = 460 << 20;

/// A folder of degraded audio.
#[derive(Debug)]
pub struct AudioCache {
    folder: PathBuf,
    max_bytes: u64,
    /// Bytes written by this process since the folder was last measured.
    since: AtomicU64,
    cleaning: Mutex<()>,
    counter: AtomicU64,
}

/// Everything that degraded samples depend on.
#[derive(Debug, Clone, Copy)]
pub struct CacheKey<'a> {
    /// SHA-256 of the file, with the stretch that is cut out of it.
    pub input: &'a str,
    /// [`vbench_core::Condition::recipe`].
    pub recipe: &'a str,
    /// Seed of the run.
    pub seed: u64,
    /// `corpus/id`.
    pub utterance: &'a str,
    /// SHA-256 of the long-term spectrum, where the condition needs it.
    pub spectrum: &'a str,
    /// Identity of the corpus or folder that is drawn from, where the condition draws.
    pub recordings: &'a str,
    /// Names of the signal metrics in the receipt.
    pub metrics: &'a str,
}

impl CacheKey<'_> {
    fn name(&self) -> String {
        let seed = self.seed.to_string();
        let parts = [
            vbench_audio::CODE_VERSION,
            self.input,
            self.recipe,
            &seed,
            self.utterance,
            self.spectrum,
            self.recordings,
            self.metrics,
        ];
        sha256_hex(parts.join("\u{1f}").as_bytes())
    }
}

impl AudioCache {
    /// Opens a folder, creating it; it may grow to `max_bytes`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path, max_bytes: u64) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            max_bytes,
            since: AtomicU64::new(max_bytes),
            cleaning: Mutex::new(()),
            counter: AtomicU64::new(0),
        })
    }

    /// The PCM bytes of an entry with its receipt; `None` when there is no whole one.
    #[must_use]
    pub fn get(&self, key: &CacheKey<'_>) -> Option<(CachedPcm, Receipt)> {
        self.read(&self.path(key))
    }

    fn read(&self, path: &Path) -> Option<(CachedPcm, Receipt)> {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        if length > MAX_ENTRY {
            return None;
        }
        let mut bytes = Vec::with_capacity(length as usize + 1);
        file.read_to_end(&mut bytes).ok()?;
        let body = bytes.len().checked_sub(4)?;
        let stated = u32::from_le_bytes(bytes[body..].try_into().ok()?);
        if !bytes.starts_with(MAGIC) || crc32c::crc32c(&bytes[..body]) != stated {
            return None;
        }
        let receipt_at = MAGIC.len() + HASH + 1;
        let wav_sha256 = String::from_utf8(bytes.get(MAGIC.len()..receipt_at - 1)?.to_vec()).ok()?;
        let line = bytes.get(receipt_at..body)?.iter().position(|b| *b == b'\n')? + receipt_at;
        let receipt: RowReceipt = serde_json::from_slice(&bytes[receipt_at..line]).ok()?;
        if (body - line - 1) as u64 != 2 * receipt.samples {
            return None;
        }
        // What is used stays: the oldest go first. A folder that cannot be written is read all the same.
        drop(file.set_modified(SystemTime::now()));
        bytes.truncate(body);
        Some((CachedPcm { bytes, start: line + 1, wav_sha256 }, receipt.to_receipt()))
    }

    /// Keeps a clip. Failing to is no failure of the run: the clip is made again next time.
    pub fn put(&self, key: &CacheKey<'_>, samples: &[f32], receipt: &Receipt) {
        if let Some(bytes) = self.entry(samples, receipt)
            && bytes.len() as u64 <= MAX_ENTRY.min(self.max_bytes)
            && self.write(&self.path(key), &bytes).is_ok()
        {
            let since = self.since.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
            // A sixteenth of the limit between two looks: the folder may exceed it by that much and process.
            if since > self.max_bytes / 16
                && let Ok(_guard) = self.cleaning.try_lock()
            {
                self.since.store(0, Ordering::Relaxed);
                self.clean();
            }
        }
    }

    fn entry(&self, samples: &[f32], receipt: &Receipt) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(2 * samples.len() + 4096);
        bytes.extend_from_slice(MAGIC);
        // Its place; the samples it is of come last.
        bytes.extend_from_slice(&[b'0'; HASH]);
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, &RowReceipt::new(receipt)).ok()?;
        bytes.push(b'\n');
        for x in samples {
            let scaled = x * 32_768.0;
            // Off the grid there is nothing to keep exactly.
            if scaled.fract() != 0.0 || !(-32_768.0..=32_767.0).contains(&scaled) {
                return None;
            }
            bytes.extend_from_slice(&(scaled as i16).to_le_bytes());
        }
        let pcm = bytes.len() - 2 * samples.len();
        let head = vbench_audio::wav_header(2 * samples.len()).ok()?;
        let hash = sha256_parts(&[&head, &bytes[pcm..]]);
        bytes[MAGIC.len()..MAGIC.len() + HASH].copy_from_slice(hash.as_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        Some(bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let temporary = folder.join(format!(".{}-{number}.tmp", std::process::id()));
        let written =
            File::create(&temporary).and_then(|mut f| f.write_all(bytes)).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            drop(fs::remove_file(&temporary));
        }
        written
    }

    /// Deletes the entries unused for longest until the folder is a tenth below its limit, and what a killed process left.
    fn clean(&self) {
        let mut entries = Vec::new();
        let mut total = 0;
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for file in folders.filter_map(|f| fs::read_dir(f.path()).ok()).flatten().flatten() {
            let Ok(facts) = file.metadata() else { continue };
            let used = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let path = file.path();
            let abandoned = SystemTime::now().duration_since(used).is_ok_and(|age| age.as_secs() > 3600);
            if path.extension().is_some_and(|e| e == EXTENSION) {
                total += facts.len();
                entries.push((used, facts.len(), path));
            } else if path.extension().is_some_and(|e| e == "tmp") && abandoned {
                drop(fs::remove_file(path));
            }
        }
        if total <= self.max_bytes {
            return;
        }
        entries.sort();
        for (_, bytes, path) in entries {
            if total <= self.max_bytes / 10 * 9 {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= bytes;
            }
        }
    }

    /// The long-term spectrum of a corpus, 257 band powers.
    #[must_use]
    pub fn spectrum(&self, identity: &str) -> Option<Vec<f64>> {
        let bytes = std::fs::read(self.spectrum_path(identity)).ok()?;
        let body = bytes.len().checked_sub(4)?;
        let stated = u32::from_le_bytes(bytes[body..].try_into().ok()?);
        let number = |b: &[u8]| b.try_into().map_or(f64::NAN, f64::from_le_bytes);
        (crc32c::crc32c(&bytes[..body]) == stated).then(|| bytes[..body].chunks_exact(8).map(number).collect())
    }

    /// Keeps the spectrum of a corpus.
    pub fn put_spectrum(&self, identity: &str, power: &[f64]) {
        let mut bytes: Vec<u8> = power.iter().flat_map(|p| p.to_le_bytes()).collect();
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        // Failing to keep it is no failure: it is measured again.
        drop(self.write(&self.spectrum_path(identity), &bytes));
    }

    fn spectrum_path(&self, identity: &str) -> PathBuf {
        let name = sha256_hex(format!("{}\u{1f}spectrum\u{1f}{identity}", vbench_audio::CODE_VERSION).as_bytes());
        self.folder.join(&name[..2]).join(format!("{name}.spectrum"))
    }

    fn path(&self, key: &CacheKey<'_>) -> PathBuf {
        let name = key.name();
        self.folder.join(&name[..2]).join(format!("{name}.{EXTENSION}"))
    }
}

/// Samples as they lie in an entry.
#[derive(Debug)]
pub struct CachedPcm {
    bytes: Vec<u8>,
    start: usize,
    /// SHA-256 of the clip as a WAV file: [`vbench_audio::wav_header`] and the samples.
    pub wav_sha256: String,
}

impl CachedPcm {
    /// 16-bit little-endian samples.
    #[must_use]
    pub fn pcm(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The samples, in -1..1.
    #[must_use]
    pub fn samples(&self) -> Vec<f32> {
        self.pcm().chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(input: &str) -> CacheKey<'_> {
        CacheKey { input, recipe: "r", seed: 1, utterance: "c/u", spectrum: "", recordings: "", metrics: "" }
    }

    fn clip(n: usize) -> (Vec<f32>, Receipt) {
        let samples: Vec<f32> = (0..n).map(|i| ((i * 37 % 65_536) as f32 - 32_768.0) / 32_768.0).collect();
        let receipt =
            Receipt { samples: n as u64, recipe: "r".into(), active_level_dbfs: Some(-20.1), ..Receipt::default() };
        (samples, receipt)
    }

    #[test]
    fn what_is_put_is_got_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let cache = AudioCache::open(folder.path(), 1 << 20).unwrap();
        let (samples, receipt) = clip(70_000);
        assert!(cache.get(&key("a")).is_none());
        cache.put(&key("a"), &samples, &receipt);
        let (pcm, got) = cache.get(&key("a")).unwrap();
        assert_eq!(pcm.wav_sha256, sha256_hex(&vbench_audio::encode_wav(&samples).unwrap()));
        assert_eq!((pcm.samples(), got), (samples.clone(), receipt.clone()));
        assert!(cache.get(&key("b")).is_none());
        assert!(cache.get(&CacheKey { seed: 2, ..key("a") }).is_none());
        // Off the 16-bit grid: not kept.
        cache.put(&key("c"), &[0.1], &Receipt { samples: 1, ..receipt.clone() });
        assert!(cache.get(&key("c")).is_none());
        // Damage at any byte counts as absence.
        let path = cache.path(&key("a"));
        let bytes = fs::read(&path).unwrap();
        for at in [0, 7, 40, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(cache.get(&key("a")).is_none(), "byte {at}");
            fs::write(&path, &bytes[..at]).unwrap();
            assert!(cache.get(&key("a")).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn the_folder_stays_below_its_limit_and_keeps_what_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let limit = 200_000;
        let cache = AudioCache::open(folder.path(), limit).unwrap();
        let (samples, receipt) = clip(5_000);
        let size = || -> u64 {
            let folders = fs::read_dir(folder.path()).unwrap().flatten();
            folders.flat_map(|f| fs::read_dir(f.path()).unwrap().flatten()).map(|f| f.metadata().unwrap().len()).sum()
        };
        for i in 0..100 {
            cache.put(&key(&i.to_string()), &samples, &receipt);
            assert!(cache.get(&key("0")).is_some(), "the entry in use was thrown away at {i}");
            // File times have the grain of the clock.
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
        assert!(size() <= limit + limit / 16, "{}", size());
        assert!(size() > limit / 2, "{}", size());
        assert!(cache.get(&key("99")).is_some() && cache.get(&key("50")).is_none());
    }

    #[test]
    fn several_writers_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (samples, receipt) = clip(3_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // One cache a thread stands for one a process: nothing is shared but the folder.
                    let cache = AudioCache::open(folder.path(), 100_000).unwrap();
                    for i in 0..60 {
                        let name = (i % 20).to_string();
                        if let Some((pcm, _)) = cache.get(&key(&name)) {
                            assert_eq!(pcm.samples(), samples);
                        }
                        cache.put(&key(&name), &samples, &receipt);
                    }
                });
            }
        });
        let cache = AudioCache::open(folder.path(), 100_000).unwrap();
        assert!((0..20).filter(|i| cache.get(&key(&i.to_string())).is_some()).count() > 5);
    }
}
