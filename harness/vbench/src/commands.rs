//! Everything but `run`.

pub mod data;
pub mod models;
pub mod report;
pub mod suite;
