//! The system below crossmerge: files that others may change, programs, and users.

pub mod elf;
pub mod exec;
pub mod file;
pub mod search;
pub mod user;
