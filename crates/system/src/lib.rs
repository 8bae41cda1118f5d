#![doc = include_str!("../README.md")]

pub mod elf;
pub mod exec;
pub mod file;
pub mod script;
pub mod search;
pub mod user;
