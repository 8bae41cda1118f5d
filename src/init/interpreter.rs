//! The dynamic linker of a program, and its libc.

use crossmerge_system::exec::PrintedPath;
use std::path::{Component, Path, PathBuf};

/// Returns the dynamic linker that programs will name, from the link command that `cc -###` prints.
pub(super) fn interpreter(linking: &str) -> Option<PathBuf> {
    let words: Vec<String> = linking
        .lines()
        .filter_map(|line| shell_words::split(line).ok())
        .flatten()
        .collect();
    let at = words.iter().position(|word| word == "-dynamic-linker")?;
    let path = PrintedPath::of(words.get(at + 1)?)?;
    // The path is looked up below the sysroot, so it must not lead out of it.
    let mut parts = path.components().skip(1);
    parts
        .all(|part| matches!(part, Component::Normal(_)))
        .then(|| path.to_path_buf())
}

/// Returns Portage's name of the libc that has this dynamic linker, or `None` if it is unknown.
pub(super) fn libc_of_interpreter(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let (_, libc) = INTERPRETERS
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning))?;
    *libc
}

/// Prefixes of the names of dynamic linkers, with the libc; the first match counts. Sources: the dynamic linkers of
/// GCC's `config/*/linux*.h`.
pub(super) const INTERPRETERS: [(&str, Option<&str>); 6] = [
    ("ld-musl", Some("musl")),
    ("ld-uClibc", Some("uclibc-ng")),
    ("ld64-uClibc", Some("uclibc-ng")),
    // FreeBSD's.
    ("ld-elf", None),
    ("ld", Some("glibc")),
    // Android's.
    ("linker", Some("bionic")),
];
