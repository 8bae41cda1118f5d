//! The dynamic linker that a program asks for, and the libc that it belongs to.

use crossmerge_system::exec::PrintedPath;
use std::path::{Component, Path, PathBuf};

/// The dynamic linker that programs will name, from the link command that `cc -###` prints.
pub(super) fn interpreter(linking: &str) -> Option<PathBuf> {
    let words: Vec<String> = linking
        .lines()
        .filter_map(|line| shell_words::split(line).ok())
        .flatten()
        .collect();
    let at = words.iter().position(|word| word == "-dynamic-linker")?;
    let path = PrintedPath::of(words.get(at + 1)?)?;
    // It is looked up below the sysroot, and must not lead out of it.
    let mut parts = path.components().skip(1);
    parts
        .all(|part| matches!(part, Component::Normal(_)))
        .then(|| path.to_path_buf())
}

/// The libc whose dynamic linker has this path, in Portage's word for it. Returns `None` if none is known by it.
pub(super) fn libc_of_interpreter(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let (_, libc) = INTERPRETERS
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning))?;
    *libc
}

/// How the names of dynamic linkers begin; the first that fits is it. Sources: the dynamic linkers of GCC's `config/*/linux*.h`.
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
