//! The `#!` line of a script, read as the kernel reads it: `load_script` in `fs/binfmt_script.c`, Linux 5.1 and later.
//!
//! So `run` and `chroot` start a script exactly if it starts on the board. Pure.

use crate::elf::HEADER_LEN;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// How many scripts may be each other's interpreters. With one more, `exec_binprm` in `fs/exec.c` fails with ELOOP.
pub const DEPTH_MAX: usize = 5;

/// The contents of a `#!` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The interpreter as it is written. It may be relative, or empty, which names no file.
    pub interpreter: PathBuf,
    /// The one argument that may follow it, with the blanks inside.
    pub argument: Option<OsString>,
}

impl Script {
    /// Reads the first bytes of a file. Returns `None` if the kernel fails with ENOEXEC: the file is not a script,
    /// names no interpreter, or the name is longer than the kernel's buffer.
    pub fn of(head: &[u8]) -> Option<Self> {
        head.strip_prefix(b"#!")?;
        // The kernel's buffer ends in zeros where the file is shorter.
        let mut buffer = [0; HEADER_LEN];
        let length = head.len().min(HEADER_LEN);
        buffer[..length].copy_from_slice(&head[..length]);
        let last = HEADER_LEN - 1;
        let is_blank = |at: usize| matches!(buffer[at], b' ' | b'\t');
        let name_from = |from: usize, last: usize| (from..=last).find(|at| !is_blank(*at));
        let ends_name = |at: &usize| is_blank(*at) || buffer[*at] == 0;
        let line_end = buffer.iter().position(|byte| matches!(byte, b'\n' | 0));
        let mut end = match line_end.filter(|at| buffer[*at] == b'\n') {
            Some(end) => end,
            None => {
                // Without a newline, the end of the name must be visible: the kernel does not start a truncated name.
                let name = name_from(2, last)?;
                (name..=last).find(ends_name)?;
                last
            }
        };
        while is_blank(end - 1) {
            end -= 1;
        }
        let name = name_from(2, end).filter(|name| *name != end)?;
        let separator = (name..=end).find(ends_name);
        let argument = separator
            .filter(|at| buffer[*at] != 0)
            .and_then(|at| name_from(at, end));
        let text = |from: usize, end: usize| {
            let bytes = &buffer[from..end.max(from)];
            let zero = bytes.iter().position(|byte| *byte == 0);
            OsStr::from_bytes(&bytes[..zero.unwrap_or(bytes.len())]).to_owned()
        };
        Some(Self {
            interpreter: text(name, separator.unwrap_or(end)).into(),
            argument: argument.map(|from| text(from, end)),
        })
    }
}

/// Returns whether the interpreter's name ends in a carriage return, because the line ends in CR LF.
pub fn ends_in_cr(interpreter: &Path) -> bool {
    interpreter.as_os_str().as_bytes().ends_with(b"\r")
}

/// Returns the name of an interpreter for a message, with unprintable characters escaped.
pub fn spelled(interpreter: &Path) -> String {
    let text = interpreter.to_string_lossy();
    let spell = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row was compared with the behaviour of Linux 6.
    #[test]
    fn a_line_is_split_as_in_the_kernel() {
        type Words<'t> = (&'t str, Option<&'t str>);
        let long = "x".repeat(250);
        let whole = format!("/{long}");
        let rows: [(String, Option<Words>); 24] = [
            ("#!/bin/sh\nexit\n".into(), Some(("/bin/sh", None))),
            (
                "#! \t/usr/bin/env  python3 -u \n".into(),
                Some(("/usr/bin/env", Some("python3 -u"))),
            ),
            ("#!/bin/sh".into(), Some(("/bin/sh", None))),
            ("#!/bin/sh\t-e\n".into(), Some(("/bin/sh", Some("-e")))),
            // White space other than blank and tab is a part of the words.
            ("#!/bin/sh\r\n".into(), Some(("/bin/sh\r", None))),
            ("#!/bin/sh \r\n".into(), Some(("/bin/sh", Some("\r")))),
            ("#!/bin/sh -e\r\n".into(), Some(("/bin/sh", Some("-e\r")))),
            ("#!\x0b/bin/sh\n".into(), Some(("\x0b/bin/sh", None))),
            ("#!/bin/sh\x0c\n".into(), Some(("/bin/sh\x0c", None))),
            (
                "#!/bin/sh -e\x0b \n".into(),
                Some(("/bin/sh", Some("-e\x0b"))),
            ),
            // Blanks at the end are removed before a newline, and otherwise stay.
            ("#!/bin/sh \t \n".into(), Some(("/bin/sh", None))),
            ("#!/bin/sh -e ".into(), Some(("/bin/sh", Some("-e ")))),
            ("#!/bin/sh ".into(), Some(("/bin/sh", Some("")))),
            // A zero ends a word.
            ("#!/bin/sh\0-e\n".into(), Some(("/bin/sh", None))),
            ("#!/bin/sh -e\0x\n".into(), Some(("/bin/sh", Some("-e")))),
            // An empty name is no program: EACCES.
            ("#!".into(), Some(("", None))),
            ("#!interpreter\n".into(), Some(("interpreter", None))),
            ("#!\n".into(), None),
            ("#! \t\n".into(), None),
            // 256 bytes are read: a name that is cut off does not start, an argument that is cut off does.
            (format!("#!/{long}\n"), Some((&whole, None))),
            (format!("#!/xxx{long}\n"), None),
            (
                format!("#!/bin/sh {long}yyy\n"),
                Some(("/bin/sh", Some(&long[..245]))),
            ),
            (String::new(), None),
            ("# !/bin/sh\n".into(), None),
        ];
        for (text, wanted) in rows {
            let found = Script::of(text.as_bytes());
            let wanted = wanted.map(|(name, argument)| Script {
                interpreter: name.into(),
                argument: argument.map(Into::into),
            });
            assert_eq!(found, wanted, "{text:?}");
        }
    }
}
