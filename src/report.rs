//! What crossmerge reports: notes on stderr, answers on stdout, and exit codes.

use crate::shown;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// The exit code of crossmerge's own failures. `env` and `nohup` use it too, so no tool's own code is mistaken for it.
pub const OWN_FAILURE: u8 = 125;

/// The exit code if a command exists and cannot be executed (POSIX, Shell Command Language, 2.8.2).
pub const NOT_EXECUTABLE: u8 = 126;

/// The exit code if a command does not exist (POSIX, Shell Command Language, 2.8.2).
pub const NOT_FOUND: u8 = 127;

/// The exit code that a shell reports of a program that SIGPIPE ended.
const BROKEN_PIPE: u8 = 128 + 13;

/// Prints an answer on stdout, whole. If the reader has closed its end, as `head` does, prints no error and returns the exit code
/// of a program that SIGPIPE ended.
pub(crate) fn print(text: &[u8]) -> io::Result<ExitCode> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    printed(written, ExitCode::SUCCESS)
}

/// The exit code after an answer was written to stdout: `code`, or that of SIGPIPE.
pub(crate) fn printed(written: io::Result<()>, code: ExitCode) -> io::Result<ExitCode> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::from(BROKEN_PIPE)),
        written => written.map(|()| code),
    }
}

/// Prints a note or a warning on stderr.
pub(crate) fn note(text: &str) {
    line(&format!("crossmerge: {text}"));
}

/// Prints a line on stderr.
pub(crate) fn line(text: &str) {
    // A closed stderr is no reason to fail, and there is no other place to report it.
    let _ = writeln!(io::stderr(), "{}", shown::lines(text));
}

/// A number and a noun, in the plural if it is not one: `1 file`, `2 files`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// The changes of a text as a unified diff.
pub(crate) fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().header(old_name, new_name).to_string()
}
