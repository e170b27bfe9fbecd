//! What the crate promises, on archives and servers made by the tests: no network is needed.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its fixture should stop there")]

mod archives;
mod common;
mod corpora;
mod models;
mod registry;
