//! Paths in the output of programs.

use std::{
    ffi::OsStr,
    ops::Deref,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Output,
};

/// An absolute path that a tool printed.
///
/// Tools print an empty or relative path if they know no such path: GCC prints an empty line for `-print-sysroot` if
/// it has none, and the bare name for `-print-file-name` if it does not find the file. Such output must not be
/// resolved from the working directory, which may be `/`. So every path that a tool prints goes through this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedPath(PathBuf);

impl PrintedPath {
    /// Parses output, ignoring white space around it. Returns `None` unless it is one absolute path.
    pub fn of(output: impl AsRef<[u8]>) -> Option<Self> {
        let path = Path::new(OsStr::from_bytes(output.as_ref().trim_ascii()));
        let is_one = !path.as_os_str().as_bytes().contains(&b'\n');
        (path.is_absolute() && is_one).then(|| Self(path.into()))
    }

    /// Parses the output of a tool. Returns `None` also if the tool failed.
    pub fn of_output(output: &Output) -> Option<Self> {
        Self::of(&output.stdout).filter(|_| output.status.success())
    }

    /// Parses a make rule, which a compiler prints for `-M`. Returns the prerequisites that are absolute paths.
    pub fn of_rule(rule: impl AsRef<[u8]>) -> Vec<Self> {
        let rule = rule.as_ref();
        let Some(colon) = rule
            .windows(2)
            .position(|two| two[0] == b':' && two[1].is_ascii_whitespace())
        else {
            return Vec::new();
        };
        let (mut words, mut word) = (Vec::new(), Vec::new());
        let mut bytes = rule[colon + 1..].iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.peek().copied()) {
                (b'\\', Some(next @ (b' ' | b'#' | b'\\'))) => {
                    word.push(next);
                    bytes.next();
                }
                (b'\\', Some(b'\n')) => {}
                (b'$', Some(b'$')) => {
                    word.push(b'$');
                    bytes.next();
                }
                (byte, _) if byte.is_ascii_whitespace() => words.push(std::mem::take(&mut word)),
                (byte, _) => word.push(byte),
            }
        }
        words.push(word);
        words.iter().filter_map(Self::of).collect()
    }

    /// Returns the canonical path, without symlinks and dots. `None` if it does not exist.
    pub fn real(&self) -> Option<PathBuf> {
        fs_err::canonicalize(&self.0).ok()
    }
}

impl Deref for PrintedPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_absolute_path_is_accepted() {
        for (answer, path) in [
            ("/usr/arm-linux-gnueabi\n", Some("/usr/arm-linux-gnueabi")),
            ("/opt/my sdk/root\r\n", Some("/opt/my sdk/root")),
            ("/\n", Some("/")),
            ("", None),
            ("\n", None),
            (".\n", None),
            ("usr\n", None),
            ("../x\n", None),
            ("libc.so\n", None),
            ("/a\n/b\n", None),
        ] {
            let found = PrintedPath::of(answer);
            assert_eq!(found.as_deref(), path.map(Path::new), "{answer:?}");
        }
    }

    #[test]
    fn a_rule_is_parsed_as_make_does() {
        let rule = "probe.o: /tmp/x/probe.c \\\n /opt/my\\ sdk/usr/include/stdio.h usr/include/stdio.h \\\n /a/$$b/c.h ../d.h\n";
        let paths = PrintedPath::of_rule(rule);
        let paths: Vec<&Path> = paths.iter().map(|path| &**path).collect();
        let wanted = [
            "/tmp/x/probe.c",
            "/opt/my sdk/usr/include/stdio.h",
            "/a/$b/c.h",
        ];
        assert_eq!(paths, wanted.map(Path::new));
        assert_eq!(PrintedPath::of_rule("nothing"), []);
    }
}
