#![doc = include_str!("../README.md")]

pub mod env;
pub mod glob;
pub mod plan;
pub mod report;
pub mod shown;
pub mod tuple;
pub mod words;
