//! The files of a kernel tree as text.

use crossmerge_system::file::read;
use std::{fs, io, path::Path};

/// The size limit of a Makefile, in bytes; the rest of a longer file is ignored. The Makefile of Linux 6.1 has 71,000
/// bytes.
pub(super) const MOST: u64 = 1 << 20;

/// Reads a file up to the limit. Returns `None` if it does not exist.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // A pipe or a directory is treated as missing.
        _ => return Ok(None),
    }
    let bytes = read::head(path, MOST)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns whether a text contains a word that is not part of a longer name.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}
