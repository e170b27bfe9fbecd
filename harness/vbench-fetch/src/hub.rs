//! Files from a model hub over HTTP: `{endpoint}/{repo}/resolve/{revision}/{file}`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use crate::client::Clients;
use crate::digest::{CopyError, Hasher, copy_limited};
use crate::registry::{FileEntry, HubSource};
use crate::{FetchError, Progress};

/// Tries of one file; a wrong hash, a wrong declared size and a 4xx status other than 408 and 429 are final at once.
pub const TRIES: u32 = 3;
const CONNECT: Duration = Duration::from_secs(20);
const MAX_REDIRECTS: u32 = 8;

/// Downloads every file into `folder`, checking size and sha256 of each.
///
/// # Errors
///
/// The first file that does not arrive as pinned: HTTP status, transfer error after [`TRIES`] tries, size, sha256, disk.
pub fn download(
    source: &HubSource,
    files: &[FileEntry],
    clients: &Clients,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), FetchError> {
    let agent = agent(clients);
    let total: u64 = files.iter().map(|f| f.size).sum();
    let mut before = 0;
    for file in files {
        let url = format!(
            "{}/{}/resolve/{}/{}",
            clients.hub_endpoint.trim_end_matches('/'),
            source.repo,
            source.revision,
            file.name
        );
        let mut pause = clients.retry_pause;
        for attempt in 1.. {
            let mut each = |done: u64| progress(Progress::Bytes { done: before + done, total });
            match download_once(&agent, &url, file, &folder.join(&file.name), &mut each) {
                Ok(()) => break,
                Err(e) if attempt < TRIES && is_transient(&e) => std::thread::sleep(pause),
                Err(e) => return Err(e),
            }
            pause *= 2;
        }
        before += file.size;
    }
    Ok(())
}

fn agent(clients: &Clients) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(MAX_REDIRECTS)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(clients.stall))
        .timeout_per_read(Some(clients.stall))
        .user_agent(concat!("vbench/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Whether another try may help.
fn is_transient(error: &FetchError) -> bool {
    match error {
        FetchError::Http { .. } => true,
        FetchError::HttpStatus { status, .. } => *status >= 500 || matches!(status, 408 | 429),
        _ => false,
    }
}

fn download_once(
    agent: &ureq::Agent,
    url: &str,
    file: &FileEntry,
    path: &Path,
    each: &mut dyn FnMut(u64),
) -> Result<(), FetchError> {
    let http = |message: String| FetchError::Http { url: url.to_string(), message };
    // `identity`: sizes and hashes are of the file, so a proxy must not compress it.
    let request = agent.get(url).header("accept-encoding", "identity");
    let mut response = request.call().map_err(|e| http(e.to_string()))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(FetchError::HttpStatus { url: url.to_string(), status });
    }
    let size = |actual| FetchError::Size { what: url.to_string(), expected: file.size, actual };
    let declared = response.headers().get("content-length");
    let declared = declared.and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    // Another size is another file: say so before downloading it.
    if let Some(declared) = declared.filter(|&d| d != file.size) {
        return Err(size(declared));
    }
    let mut out = File::create(path).map_err(|e| FetchError::io("create", path, e))?;
    let mut hasher = Hasher::new();
    let mut body = response.body_mut().as_reader();
    match copy_limited(&mut body, &mut out, &mut hasher, file.size, each) {
        Ok(()) => {}
        Err(CopyError::Write(e)) => return Err(FetchError::io("write", path, e)),
        Err(CopyError::Limit) => return Err(size(file.size + 1)),
        Err(CopyError::Read(e)) => {
            let at = hasher.bytes();
            return Err(http(format!("broke off after {at} of {} bytes: {e}", file.size)));
        }
    }
    let (actual, bytes) = hasher.finish();
    if bytes != file.size {
        // The connection ended early without an error: worth another try.
        return Err(http(format!("ended after {bytes} of {} bytes", file.size)));
    }
    if actual != file.sha256 {
        return Err(FetchError::Sha256 { what: url.to_string(), expected: file.sha256.clone(), actual });
    }
    out.sync_all().map_err(|e| FetchError::io("write", path, e))
}
