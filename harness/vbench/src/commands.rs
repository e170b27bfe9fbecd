//! Everything but `run`.

pub mod data;
pub mod models;
pub mod report;
pub mod score;
pub mod suite;
