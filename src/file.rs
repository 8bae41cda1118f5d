//! A file that a build system keeps by its path: put in its place whole or not at all, and only when its text is new.

use std::{io::Write, os::unix::fs::PermissionsExt, path::Path};

/// Writes the file unless it says the same already. Several runs may do so at once; the last one's text stays.
pub fn put(path: &Path, text: &[u8]) -> std::io::Result<()> {
    if fs_err::read(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    let mut new = tempfile::Builder::new()
        .prefix(".crossmerge-")
        // The umask takes from it what the caller wants taken, as from any new file.
        .permissions(PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)?;
    new.write_all(text)?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_the_same_text_is_not_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/file");
        put(&path, b"one\n").expect("a file");
        let before = path.metadata().expect("it is there");
        put(&path, b"one\n").expect("a file");
        let identity = crate::context::Identity::of;
        assert_eq!(
            identity(&path.metadata().expect("it is there")),
            identity(&before)
        );
        put(&path, b"two\n").expect("a file");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"two\n");
        let names = std::fs::read_dir(folder.path().join("new")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing is left beside it");
    }
}
