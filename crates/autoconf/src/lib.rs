//! What configure scripts find out by running a program, read from their text.

pub mod cache;
pub mod scan;
