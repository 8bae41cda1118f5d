//! The files that crossmerge writes into a prefix, and the names of its repositories.

/// The files of `toolchains/`: path and text.
pub(super) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/toolchains.rs"));

/// The directory of the repositories in a prefix.
pub(super) const REPOSITORIES: &str = "var/db/repos";

/// The main repository, which is written from [`FILES`].
pub(super) const MAIN: &str = "crossmerge-toolchain";

/// The repository of the archives that the user has.
pub(super) const SOURCES: &str = "crossmerge-sources";
