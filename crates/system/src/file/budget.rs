//! Limits on everything that one command reads from other users. Each reader also has its own limit for a single file.
//!
//! A process is one command.
//!
//! # Errors
//!
//! Every function that counts fails if the total exceeds its limit. The error names the file at which that happened.

use super::refused::{Why, refuse};
use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// The budget of this process.
pub static PROCESS: Budget = Budget::new();

/// The most files that one command opens. A whole Gentoo system has 500,000.
const MOST_FILES: u64 = 2_000_000;

/// The most bytes that one command reads from files.
const MOST_BYTES: u64 = 4 << 30;

/// The most bytes that one command keeps until it ends: the files that fix-root finds, and the texts that it changes.
/// A whole system has 100,000 libraries and scripts, with some hundred bytes for each.
const MOST_KEPT: u64 = 256 << 20;

/// The most bytes of files whose checksums one command computes. The largest libc that init copies, with its debugging
/// symbols, has 500 MiB, and init computes each checksum twice.
const MOST_HASHED: u64 = 4 << 30;

/// The most bytes of file names that one command lists. A whole Gentoo system has 2,000,000 names, which need a third
/// of it.
const MOST_OF_NAMES: u64 = 768 << 20;

/// The memory that a name takes in addition to its own bytes, in bytes.
const OF_A_NAME: usize = 64;

/// The most files, and the most bytes in them, that one query of settings reads. The number allows for a `package.use`
/// with a file for each installed package. Gentoo's largest profiles have 2 MiB.
const MOST_SETTINGS: (u64, u64) = (20_000, 64 << 20);

/// The amount that one query of settings has read so far. Symlinks can make a query read the same files many times.
#[derive(Debug, Default)]
pub struct Settings {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Settings {
    /// Counts a file or directory.
    pub fn file(&self, path: &Path) -> io::Result<()> {
        spend(&self.files, 1, MOST_SETTINGS.0, "files of settings", path)
    }

    /// Counts the bytes of a file.
    pub fn bytes(&self, path: &Path, bytes: usize) -> io::Result<()> {
        let what = "bytes of settings";
        spend(&self.bytes, bytes as u64, MOST_SETTINGS.1, what, path)
    }
}

/// The amount that one command has read so far.
#[derive(Debug, Default)]
pub struct Budget {
    files: AtomicU64,
    bytes: AtomicU64,
    kept: AtomicU64,
    hashed: AtomicU64,
    names: AtomicU64,
}

impl Budget {
    /// Creates a budget of which nothing is used.
    pub const fn new() -> Self {
        Self {
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            hashed: AtomicU64::new(0),
            names: AtomicU64::new(0),
        }
    }

    /// Counts a file that is opened.
    pub fn file(&self, path: &Path) -> io::Result<()> {
        spend(&self.files, 1, MOST_FILES, "files", path)
    }

    /// Counts bytes that are read.
    pub fn bytes(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.bytes, bytes, MOST_BYTES, "bytes read", path)
    }

    /// Counts bytes that are kept until the command ends.
    pub fn kept(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.kept, bytes, MOST_KEPT, "bytes to change", path)
    }

    /// Counts bytes whose hash is computed.
    pub fn hashed(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.hashed, bytes, MOST_HASHED, "bytes hashed", path)
    }

    /// Counts a name in a directory, of this length in bytes.
    pub fn name(&self, directory: &Path, bytes: usize) -> io::Result<()> {
        let bytes = (bytes + OF_A_NAME) as u64;
        spend(
            &self.names,
            bytes,
            MOST_OF_NAMES,
            "bytes of names",
            directory,
        )
    }
}

fn spend(
    spent: &AtomicU64,
    more: u64,
    limit: u64,
    what: &'static str,
    path: &Path,
) -> io::Result<()> {
    let before = spent.fetch_add(more, Ordering::Relaxed);
    match before.saturating_add(more) > limit {
        true => Err(refuse(path, Why::TooMuch { what, limit })),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceeding_a_limit_is_an_error_that_names_the_file() {
        let budget = Budget::new();
        let path = Path::new("/some/file");
        for _ in 0..4 {
            budget.bytes(path, 1 << 30).expect("4 GiB");
        }
        let error = budget.bytes(path, 1).expect_err("one more");
        let message = error.to_string();
        assert!(
            message.starts_with("`/some/file` exceeds a limit"),
            "{message}"
        );
        let settings = Settings::default();
        for _ in 0..20_000 {
            settings.file(path).expect("20,000 files");
        }
        settings.file(path).expect_err("one more");
        settings.bytes(path, 64 << 20).expect("64 MiB");
        settings.bytes(path, 1).expect_err("one more");
        budget.hashed(path, 1).expect("another limit");
        budget.name(path, 1).expect("a name");
        budget.name(path, 1 << 30).expect_err("too long a name");
    }
}
