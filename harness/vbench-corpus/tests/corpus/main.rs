//! Corpora in every format, good and bad.

mod bad_input;
mod check;
mod common;
mod formats;
mod parquet;
mod properties;
mod sound;
