//! Everything but `run`.

pub mod compare;
pub mod data;
pub mod gate;
pub mod golden;
pub mod models;
pub mod report;
pub mod score;
pub mod sequential;
pub mod suite;
