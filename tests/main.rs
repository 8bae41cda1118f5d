//! The integration tests: the built binary under its names, against the real tools.

mod support;

mod emerge;
mod init;
mod kill;
mod names;
mod plan;
mod show;
mod toolchain;
