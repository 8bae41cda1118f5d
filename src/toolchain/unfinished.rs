//! Removes what an interrupted build may have left half written, before make goes on in the same directory.
//!
//! make deletes the target of a command that a signal interrupts. It cannot do so when it is killed itself, and after a
//! power cut a file may be empty although its command had ended. make then takes such a file for up to date.

use crossmerge_system::file::Node;
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::{ffi::OsStr, io, path::Path};

/// How many seconds before the last change of any file a file may have been written for it to be removed. Linux writes
/// a file to the disk at most 30 seconds later (`vm.dirty_expire_centisecs`), and ext4 its metadata 5 seconds after that.
const WINDOW: i64 = 60;

/// The extensions of object files, libtool's and archives: an empty one is never complete, however old it is.
const NEVER_EMPTY: [&str; 3] = ["o", "lo", "a"];

/// The first bytes of what compilers, assemblers, linkers and ar write: ELF, an archive, a thin archive, and a
/// precompiled header of GCC.
const WRITTEN_BY_TOOLS: [&[u8]; 4] = [b"\x7fELF", b"!<arch>\n", b"!<thin>\n", b"gpch"];

/// Removes the empty files and the outputs of compilers that were written in the last [`WINDOW`] of a build, and all
/// empty object files, in a directory and everything below it. Returns their number.
///
/// # Errors
///
/// The first error with which a directory could not be read or a file not be removed.
pub(super) fn remove(directory: &Path) -> io::Result<usize> {
    let top = Node::at(directory)?;
    let mut last = i64::MIN;
    visit(&top, &mut |_, _, file| {
        last = last.max(file.stat().st_mtime);
        Ok(())
    })?;
    let mut removed = 0;
    visit(&top, &mut |directory, name, file| {
        let is_recent = file.stat().st_mtime >= last.saturating_sub(WINDOW);
        if is_empty_object(name, file) || is_recent && may_be_partial(file)? {
            unlinkat(directory.fd(), name, UnlinkatFlags::NoRemoveDir)?;
            removed += 1;
        }
        Ok(())
    })?;
    Ok(removed)
}

/// Returns whether a file has the name of an object file, and no content.
fn is_empty_object(name: &OsStr, file: &Node) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    file.size() == 0 && extension.is_some_and(|extension| NEVER_EMPTY.contains(&extension))
}

/// Returns whether a file is empty or was written by a compiler.
fn may_be_partial(file: &Node) -> io::Result<bool> {
    if file.size() == 0 {
        return Ok(true);
    }
    let head = file.head(8)?;
    Ok(WRITTEN_BY_TOOLS.iter().any(|first| head.starts_with(first)))
}

/// Calls a function for each regular file below a directory, with the directory that contains it and its name.
fn visit(
    directory: &Node,
    act: &mut dyn FnMut(&Node, &OsStr, &Node) -> io::Result<()>,
) -> io::Result<()> {
    for name in directory.names()? {
        let Some(node) = directory.child(&name)? else {
            continue;
        };
        if node.is_dir() {
            visit(&node, act)?;
        } else if node.is_file() {
            act(directory, &name, &node)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
        time::{Duration, SystemTime},
    };

    #[test]
    fn outputs_of_the_last_minute_and_empty_objects_are_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path();
        fs::create_dir(top.join("gcc")).expect("a directory");
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let files: [(&str, &[u8], u64, bool); 10] = [
            ("gcc/partial.o", b"\x7fELF\x02", 0, true),
            ("gcc/empty.o", b"", 30, true),
            ("gcc/genattr", b"\x7fELF\x02\x01\x01", 59, true),
            ("libcpp.a", b"!<arch>\n", 1, true),
            ("stdc++.h.gch", b"gpch.014", 5, true),
            ("gcc/old.o", b"\x7fELF\x02", 61, false),
            ("gcc/old-empty.o", b"", 3600, true),
            ("gcc/old-stamp", b"", 3600, false),
            ("Makefile", b"all:\n", 2, false),
            ("x", b"\x7f", 2, false),
        ];
        for (name, content, age, _) in files {
            let path = top.join(name);
            fs::write(&path, content).expect("a file");
            let file = File::options().append(true).open(&path).expect("the file");
            let time = end - Duration::from_secs(age);
            file.set_modified(time).expect("a time");
        }
        let outside = tempfile::tempdir().expect("a directory");
        fs::write(outside.path().join("other.o"), "").expect("a file");
        symlink(outside.path(), top.join("link")).expect("a link");

        assert_eq!(remove(top).expect("removed"), 6);
        for (name, _, _, is_removed) in files {
            assert_eq!(!top.join(name).exists(), is_removed, "{name}");
        }
        assert!(outside.path().join("other.o").exists());
        assert!(remove(&top.join("absent")).is_err());
    }
}
