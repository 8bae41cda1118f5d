//! The integration tests: the built binary under its names, against the real tools.

mod support;

mod names;
mod plan;
mod show;
