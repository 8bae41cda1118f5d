//! The kind of a file that is not a program, by its first bytes and its name: for a message that names the next step.
//!
//! Pure. It has no influence on what runs.

use crossmerge_plan::words::{quote, show_file};
use crossmerge_system::{elf, script::Script};
use std::path::Path;

/// The kind of a file that is not a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// An empty file.
    Empty,
    /// An object file.
    Object,
    /// A core dump.
    CoreDump,
    /// A source file: the language, and the driver that compiles it, without the tuple.
    Source(&'static str, &'static str),
    /// A script without a `#!` line: the language, and its interpreter.
    Script(&'static str, &'static str),
    /// A script whose `#!` comes after a byte order mark.
    ByteOrderMark,
    /// Another kind of file, recognised by its first bytes.
    Other(&'static str),
}

/// File name extensions, with the language. A header has no driver, since it is not compiled alone.
const SOURCES: [(&str, &str, &str); 14] = [
    ("c", "C source", "gcc"),
    ("i", "preprocessed C source", "gcc"),
    ("cc", "C++ source", "g++"),
    ("cpp", "C++ source", "g++"),
    ("cxx", "C++ source", "g++"),
    ("C", "C++ source", "g++"),
    ("s", "assembly source", "gcc"),
    ("S", "assembly source", "gcc"),
    ("f", "Fortran source", "gfortran"),
    ("F90", "Fortran source", "gfortran"),
    ("f90", "Fortran source", "gfortran"),
    ("m", "Objective-C source", "gcc"),
    ("rs", "Rust source", "cargo build"),
    ("go", "Go source", "go build"),
];

const SCRIPTS: [(&str, &str, &str); 7] = [
    ("sh", "shell script", "sh"),
    ("bash", "Bash script", "bash"),
    ("py", "Python script", "python3"),
    ("pl", "Perl script", "perl"),
    ("rb", "Ruby script", "ruby"),
    ("lua", "Lua script", "lua"),
    ("awk", "awk script", "awk -f"),
];

/// The first bytes of other kinds of files.
const MAGIC: [(&[u8], &str); 12] = [
    (b"!<arch>\n", "a static library"),
    (b"!<thin>\n", "a static library"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (b"PK\x03\x04", "a zip or jar archive"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\0asm", "a WebAssembly module"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\xfd7zXZ\0", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"\xd0\x0d\xfe\xed", "a device tree blob"),
];

impl Content {
    /// Examines the first bytes, and the name of a text file. Returns `None` for a program, for a script that starts,
    /// and for an unknown kind.
    pub(crate) fn of(path: &Path, head: &[u8]) -> Option<Self> {
        if head.is_empty() {
            return Some(Self::Empty);
        }
        if let Some(kind) = elf::ElfHeader::of(head) {
            return match kind.elf_type {
                1 => Some(Self::Object),
                4 => Some(Self::CoreDump),
                _ => None,
            };
        }
        if Script::of(head).is_some() {
            return None;
        }
        if head.starts_with(b"\xef\xbb\xbf#!") {
            return Some(Self::ByteOrderMark);
        }
        if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(Self::Other(what));
        }
        let ending = path.extension()?.to_str()?;
        let row = |rows: &[(&str, &'static str, &'static str)]| {
            let row = rows.iter().find(|(end, ..)| *end == ending)?;
            Some((row.1, row.2))
        };
        let source = row(&SOURCES).map(|(what, driver)| Self::Source(what, driver));
        source.or_else(|| row(&SCRIPTS).map(|(what, interpreter)| Self::Script(what, interpreter)))
    }

    /// Returns the end of a sentence that describes the file.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Empty => "it is empty".into(),
            Self::Object => "it is an object file, which is not linked yet".into(),
            Self::CoreDump => "it is a core dump".into(),
            Self::Source(what, _) => format!("it is {what}"),
            Self::Script(what, _) => format!("it is a {what} without a `#!` line"),
            Self::ByteOrderMark => {
                "it has a byte order mark before `#!`, so the kernel does not recognize it as a script"
                    .into()
            }
            Self::Other(what) => format!("it is {what}"),
        }
    }

    /// Returns the command that makes a program of it or runs it.
    pub(super) fn hint(self, tuple: &str, path: &Path) -> String {
        let file = quote(path.as_os_str());
        let mut program = path.with_extension("");
        if program == path {
            program.set_extension("out");
        }
        let program = quote(program.as_os_str());
        match self {
            Self::Object => format!(
                "link it: `{tuple}-gcc {file} -o {program}`; `{tuple}-readelf -h {file}` shows its architecture"
            ),
            Self::Source(_, driver) if driver.contains(' ') => {
                format!("compile it: `{tuple}-{driver}` in its project")
            }
            Self::Source(_, driver) => {
                format!("compile it: `{tuple}-{driver} {file} -o {program}`")
            }
            Self::Script(_, interpreter) => {
                format!("name its interpreter: `{tuple}-run {interpreter} {file}`")
            }
            Self::ByteOrderMark => {
                format!("remove the mark: `sed -i '1s/^\\xef\\xbb\\xbf//' {file}`")
            }
            Self::Empty | Self::CoreDump | Self::Other(_) => {
                format!("examine it with `{}`", show_file(path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_by_its_first_bytes_and_its_name() {
        let elf = |kind: u8| {
            let mut head = vec![0; 64];
            head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
            head[16] = kind;
            head
        };
        for (name, head, what, hint) in [
            (
                "t.c",
                b"int main".to_vec(),
                "it is C source",
                "x-gcc t.c -o t`",
            ),
            (
                "a/t.cpp",
                b"int".to_vec(),
                "C++ source",
                "x-g++ a/t.cpp -o a/t`",
            ),
            (
                "t.rs",
                b"fn main".to_vec(),
                "Rust source",
                "`x-cargo build`",
            ),
            ("t.o", elf(1), "not linked yet", "x-gcc t.o -o t`"),
            ("core", elf(4), "a core dump", "od -c core"),
            ("empty", Vec::new(), "it is empty", "od -c empty"),
            (
                "t.py",
                b"print(1)".to_vec(),
                "a Python script without",
                "x-run python3 t.py`",
            ),
            ("libt.a", b"!<arch>\n".to_vec(), "a static library", "od -c"),
            ("t.exe", b"MZ\x90".to_vec(), "a Windows program", "od -c"),
            (
                "t",
                b"\xef\xbb\xbf#!/bin/sh\n".to_vec(),
                "a byte order mark",
                "sed -i",
            ),
        ] {
            let content = Content::of(Path::new(name), &head).expect(name);
            let text = content.describe();
            assert!(text.contains(what), "{name}: {text}");
            let text = content.hint("x", Path::new(name));
            assert!(text.contains(hint), "{name}: {text}");
        }
        for (name, head) in [
            ("t", elf(2)),
            ("lib.so", elf(3)),
            ("t.c", b"#!/bin/sh\n".to_vec()),
            ("notes", b"hello".to_vec()),
        ] {
            assert_eq!(Content::of(Path::new(name), &head), None, "{name}");
        }
    }
}
