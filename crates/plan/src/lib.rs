//! What a program is started with, as data: its arguments, the changes to its environment, the files it reads, and the steps before
//! it. Nothing is done and nothing is looked up here.

pub mod env;
pub mod plan;
pub mod report;
pub mod shown;
pub mod tuple;
pub mod words;
