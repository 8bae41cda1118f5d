//! The files of a kernel tree as text.

use crossmerge_system::file::read;
use std::{fs, io, path::Path};

/// No Makefile by hand is longer; what is behind it is not read. In bytes; Linux 6.1 has 71,000.
pub(super) const MOST: u64 = 1 << 20;

/// Reads the beginning of a file; none when there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // What is no file (a pipe, a directory) has nothing to tell.
        _ => return Ok(None),
    }
    let bytes = read::head(path, MOST)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns whether a text has a word: what is before and behind it is no part of a name.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !behind.is_some_and(is_name)
    })
}
