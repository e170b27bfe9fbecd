//! Everything but `run`.

pub mod against;
pub mod audit;
pub mod bench;
pub mod bench_history;
pub mod bench_page;
pub mod compare;
pub mod comparison_page;
pub mod conditions;
pub mod corpus;
pub mod data;
pub mod degrade;
pub mod gate;
pub mod golden;
pub mod history;
pub mod import;
pub mod measure;
pub mod models;
pub mod report;
pub mod reproduce;
pub mod score;
pub mod sequential;
pub mod suite;
