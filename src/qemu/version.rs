//! The version of a QEMU, as its file has it, so that a plan does not have to start it.

use super::binfmt;
use crossmerge_system::file::read;
use std::path::Path;

/// The largest QEMU that is read, in bytes. Debian's statically linked ones have 11 MiB.
const LIMIT: u64 = 64 << 20;

/// Returns the version. The text that a user-mode QEMU prints for `--version` is one string of its file:
/// `"qemu-" TARGET_NAME " version " QEMU_FULL_VERSION` in QEMU's `linux-user/main.c`. Returns `None` if the file has no
/// such string, as a script does not.
pub(super) fn of_file(qemu: &Path) -> Option<(u32, u32)> {
    let text = read::read(qemu, LIMIT).ok()?;
    find(&text)
}

fn find(text: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"qemu-";
    const WORD: &[u8] = b" version ";
    memchr::memmem::find_iter(text, WORD).find_map(|at| {
        let line = text[..at].rsplit(|byte| *byte == 0).next()?;
        let number = &text[at + WORD.len()..text.len().min(at + WORD.len() + 16)];
        let number = binfmt::version(&String::from_utf8_lossy(number));
        number.filter(|_| line.starts_with(NAME))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_qemu_and_of_nothing_that_it_contains() {
        for (text, version) in [
            (
                &b"\0GPL, version 2 or\0qemu-arm version 7.2.22 (Debian)\nC\0"[..],
                Some((7, 2)),
            ),
            (
                b"QEMU TCG CPU version 2.5+\0qemu-i386 version 10.0.0\0",
                Some((10, 0)),
            ),
            (b"\0QEMU TCG CPU version 2.5+\0", None),
            (b"#!/bin/sh\nexec qemu-arm \"$@\"\n", None),
            (b"", None),
        ] {
            assert_eq!(find(text), version, "{}", String::from_utf8_lossy(text));
        }
    }
}
