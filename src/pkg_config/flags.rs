//! The paths in compiler and linker flags. Pure.
//!
//! The output of pkg-config is split as a shell does, and the path is taken from every flag by which a compiler or
//! linker searches a directory.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// A flag that names a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    /// The flag as it was printed; two words are joined by a space.
    pub(super) text: OsString,
    /// The path.
    pub(super) path: PathBuf,
}

/// Options of the compiler whose value, joined or as the next word, is a directory that it searches. `--sysroot`
/// takes a `=`.
const COMPILER: [&str; 12] = [
    "-isystem",
    "-idirafter",
    "-iquote",
    "-iframework",
    "-isysroot",
    "-iprefix",
    "--sysroot",
    "-I",
    "-L",
    "-F",
    "-B",
    "-R",
];

/// Such options of the linker, which may also have two dashes.
const LINKER: [&str; 6] = [
    "-rpath-link",
    "-rpath",
    "-library-path",
    "-sysroot",
    "-L",
    "-R",
];

/// Options of the linker whose value is not a path on the host: its `-I` is the target's dynamic linker.
const LINKER_OTHER: [&str; 10] = [
    "-dynamic-linker",
    "-soname",
    "-h",
    "-I",
    "-e",
    "-init",
    "-fini",
    "-z",
    "-u",
    "-m",
];

/// Splits the output of pkg-config into words as a shell does. If a quote is not closed, only white space separates
/// words.
///
/// shell-words gets the bytes as Latin-1, since they need not be UTF-8. A `#` does not begin a comment: the words
/// after it may be used too.
pub(super) fn split(text: &[u8]) -> Vec<OsString> {
    const HASH: char = '\u{100}';
    let latin1: String = text
        .iter()
        .map(|byte| {
            if *byte == b'#' {
                HASH
            } else {
                char::from(*byte)
            }
        })
        .collect();
    let words = shell_words::split(&latin1)
        .unwrap_or_else(|_| latin1.split_ascii_whitespace().map(str::to_owned).collect());
    let bytes = |word: String| {
        word.chars()
            .map(|c| u8::try_from(c).unwrap_or(b'#'))
            .collect()
    };
    words
        .into_iter()
        .map(|word| OsString::from_vec(bytes(word)))
        .collect()
}

/// Converts options in MSVC's syntax to the usual form, so that a path is not taken for an option.
pub(super) fn from_msvc(word: OsString) -> OsString {
    let bytes = word.as_bytes();
    let rewritten =
        |option: &str, rest: &[u8]| OsString::from_vec([option.as_bytes(), rest].concat());
    let lower = bytes.to_ascii_lowercase();
    if lower.starts_with(b"/libpath:") {
        rewritten("-L", &bytes["/libpath:".len()..])
    } else if bytes.starts_with(b"/I") {
        rewritten("-I", &bytes[2..])
    } else if bytes.starts_with(b"/D") {
        rewritten("-D", &bytes[2..])
    } else {
        word
    }
}

/// Returns every flag that names a path, relative ones too.
pub(super) fn places(words: &[OsString]) -> Vec<Flag> {
    let mut found = Vec::new();
    let mut words = words.iter().map(|word| word.as_bytes()).peekable();
    while let Some(word) = words.next() {
        if word == b"-Xlinker" {
            // Consecutive `-Xlinker` options are one command line.
            let mut items: Vec<&[u8]> = words.next().into_iter().collect();
            while words.next_if(|word| *word == b"-Xlinker").is_some() {
                items.extend(words.next());
            }
            of_linker("-Xlinker ", b" -Xlinker ", &items, &mut found);
        } else if let Some(list) = word.strip_prefix(b"-Wl,") {
            let items: Vec<&[u8]> = list.split(|byte| *byte == b',').collect();
            of_linker("-Wl,", b",", &items, &mut found);
        } else if let Some(list) = word.strip_prefix(b"-Wp,") {
            let items = list.split(|byte| *byte == b',');
            let items: Vec<OsString> = items
                .map(|item| OsStr::from_bytes(item).to_owned())
                .collect();
            let inner = places(&items).into_iter();
            found.extend(inner.map(|flag| Flag {
                text: OsStr::from_bytes(word).to_owned(),
                ..flag
            }));
        } else if word.starts_with(b"/") {
            found.push(flag(word, word));
        } else if let Some((option, value)) = option(word, &COMPILER) {
            match value {
                Some(path) => found.push(flag(word, path)),
                None => {
                    if let Some(path) = words.next() {
                        found.push(flag(&[option.as_bytes(), b" ", path].concat(), path));
                    }
                }
            }
        }
    }
    found
}

/// Finds the paths among the linker's options. `before` and `between` are the text by which the compiler passes them
/// on.
fn of_linker(before: &str, between: &[u8], items: &[&[u8]], found: &mut Vec<Flag>) {
    let mut items = items.iter().copied();
    while let Some(item) = items.next() {
        let plain = match item {
            [b'-', b'-', _, ..] => &item[1..],
            _ => item,
        };
        if item.starts_with(b"/") {
            found.push(flag(&[before.as_bytes(), item].concat(), item));
        } else if LINKER_OTHER.iter().any(|other| plain == other.as_bytes()) {
            items.next();
        } else if let Some((_, value)) = option(plain, &LINKER) {
            let (text, value) = match value {
                Some(value) => (item.to_vec(), Some(value)),
                None => {
                    let next = items.next();
                    ([item, between, next.unwrap_or_default()].concat(), next)
                }
            };
            let text = [before.as_bytes(), &text].concat();
            // A run path is a list of directories.
            let paths = value.unwrap_or_default().split(|byte| *byte == b':');
            found.extend(
                paths
                    .filter(|path| !path.is_empty())
                    .map(|path| flag(&text, path)),
            );
        }
    }
}

/// Returns the option that a word is or begins with, and the joined value.
fn option<'w, 'o>(word: &'w [u8], options: &[&'o str]) -> Option<(&'o str, Option<&'w [u8]>)> {
    options.iter().find_map(|option| {
        let rest = word.strip_prefix(option.as_bytes())?;
        let long = option.len() > 2;
        match rest {
            [] => Some((*option, None)),
            [b'=', value @ ..] if long => Some((*option, Some(value))),
            // `-rpathological` is not `-rpath`, and `-isystem/usr` is `-isystem`.
            value if !long || value.starts_with(b"/") => Some((*option, Some(value))),
            _ => None,
        }
    })
}

fn flag(text: &[u8], path: &[u8]) -> Flag {
    Flag {
        text: OsStr::from_bytes(text).to_owned(),
        path: Path::new(OsStr::from_bytes(path)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let flags = places(&split(text.as_bytes()));
        let line = |flag: Flag| format!("{} → {}", flag.text.display(), flag.path.display());
        flags.into_iter().map(line).collect()
    }

    #[test]
    fn every_flag_that_names_a_path_is_found() {
        for (text, flags) in [
            ("-I/a -L/b", vec!["-I/a → /a", "-L/b → /b"]),
            ("-I /a", vec!["-I /a → /a"]),
            (
                "-isystem/a -isystem /b",
                vec!["-isystem/a → /a", "-isystem /b → /b"],
            ),
            (
                "-idirafter /a -iquote/b",
                vec!["-idirafter /a → /a", "-iquote/b → /b"],
            ),
            (
                "-F/a -F /b -B/c",
                vec!["-F/a → /a", "-F /b → /b", "-B/c → /c"],
            ),
            (
                "--sysroot=/a -isysroot /b",
                vec!["--sysroot=/a → /a", "-isysroot /b → /b"],
            ),
            ("-Wl,-rpath,/a", vec!["-Wl,-rpath,/a → /a"]),
            (
                "-Wl,-rpath=/a:/b",
                vec!["-Wl,-rpath=/a:/b → /a", "-Wl,-rpath=/a:/b → /b"],
            ),
            ("-Wl,-rpath -Wl,/a", vec!["-Wl,/a → /a"]),
            ("-Wl,--rpath-link,/a", vec!["-Wl,--rpath-link,/a → /a"]),
            ("-Wl,-rpath-link=/a", vec!["-Wl,-rpath-link=/a → /a"]),
            ("-Wl,-L/a,-L,/b", vec!["-Wl,-L/a → /a", "-Wl,-L,/b → /b"]),
            ("-Wl,--library-path=/a", vec!["-Wl,--library-path=/a → /a"]),
            ("-Wl,-R/a -R/b", vec!["-Wl,-R/a → /a", "-R/b → /b"]),
            ("-Wl,--whole-archive,/a/x.a", vec!["-Wl,/a/x.a → /a/x.a"]),
            (
                "-Xlinker -rpath -Xlinker /a",
                vec!["-Xlinker -rpath -Xlinker /a → /a"],
            ),
            ("-Wp,-isystem,/a", vec!["-Wp,-isystem,/a → /a"]),
            (
                "/usr/lib/libx.so -lx",
                vec!["/usr/lib/libx.so → /usr/lib/libx.so"],
            ),
            (
                "'-I/a b' \"-L/c d\" -I/e\\ f",
                vec!["-I/a b → /a b", "-L/c d → /c d", "-I/e f → /e f"],
            ),
            ("-I../a", vec!["-I../a → ../a"]),
            ("-la # -I/b", vec!["-I/b → /b"]),
            ("-DX=' -I/b", vec!["-I/b → /b"]),
        ] {
            assert_eq!(found(text), flags, "{text}");
        }
    }

    #[test]
    fn flags_without_a_path_are_skipped() {
        for text in [
            "-lz -pthread -DPATH=/usr/share -O2 -fPIC -Wall -include",
            "-Wl,--as-needed,-soname,/x -Wl,-dynamic-linker,/lib/ld.so -Wl,-z,relro,-z,/x",
            "-Wl,--rpathological=/x -march=armv4t -framework Cocoa",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_survive() {
        let words = split(b"-I/a\xff\xe9 '\xc3\xa9 x'");
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        assert_eq!(words, [b"-I/a\xff\xe9".as_slice(), b"\xc3\xa9 x"]);
    }

    #[test]
    fn msvc_syntax_is_converted() {
        for (word, read) in [
            ("/I/usr/include", "-I/usr/include"),
            ("/libpath:/usr/lib", "-L/usr/lib"),
            ("/LIBPATH:/usr/lib", "-L/usr/lib"),
            ("/DX=/usr", "-DX=/usr"),
            ("z.lib", "z.lib"),
        ] {
            assert_eq!(from_msvc(word.into()), read, "{word}");
        }
    }
}
