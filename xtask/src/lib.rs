//! Developer commands as a library, so that `tidy` is an ordinary test as well.

pub mod bench;
pub mod browser;
pub mod conditions;
pub mod peers;
pub mod reports;
pub mod tidy;
pub mod trend;

use std::path::{Path, PathBuf};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
