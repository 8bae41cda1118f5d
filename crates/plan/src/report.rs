//! Reporting: notes on stderr, output on stdout, and exit codes.

use crate::shown;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// The exit code of crossmerge's own failures. `env` and `nohup` use the same one, so that it is not mistaken for a
/// tool's.
pub const OWN_FAILURE: u8 = 125;

/// The exit code if a command exists and cannot be executed (POSIX, Shell Command Language, 2.8.2).
pub const NOT_EXECUTABLE: u8 = 126;

/// The exit code if a command does not exist (POSIX, Shell Command Language, 2.8.2).
pub const NOT_FOUND: u8 = 127;

/// The exit code that a shell reports for a program that was killed by SIGPIPE.
const BROKEN_PIPE: u8 = 128 + 13;

/// The hint and the exit code of an error, besides its message.
///
/// An error type lists in [`crate::passes_on!`] the variants that only wrap another module's error. Hint and exit code
/// are then those of the wrapped error.
pub trait Explain: std::error::Error {
    /// Returns the wrapped error of another module. `None` if this is one of the module's own errors.
    fn passed_on(&self) -> Option<&dyn Explain> {
        None
    }

    /// Returns the hint for this module's own errors: the command that fixes the problem.
    fn own_hint(&self) -> Option<String> {
        None
    }

    /// Returns the exit code for this module's own errors.
    fn own_exit_code(&self) -> u8 {
        OWN_FAILURE
    }

    /// Returns the text of the `hint:` line.
    fn hint(&self) -> Option<String> {
        match self.passed_on() {
            Some(error) => error.hint(),
            None => self.own_hint(),
        }
    }

    /// Returns the exit code of the process.
    fn exit_code(&self) -> u8 {
        match self.passed_on() {
            Some(error) => error.exit_code(),
            None => self.own_exit_code(),
        }
    }
}

impl<E: Explain> Explain for Box<E> {
    fn passed_on(&self) -> Option<&dyn Explain> {
        Some(&**self)
    }
}

/// Implements [`Explain::passed_on`](crate::report::Explain::passed_on) for the variants that wrap an error of another
/// module.
#[macro_export]
macro_rules! passes_on {
    ($($variant:ident),+) => {
        fn passed_on(&self) -> Option<&dyn $crate::report::Explain> {
            match self {
                $(Self::$variant(error) => Some(error),)+
                #[allow(unreachable_patterns, reason = "some error types have no other variants")]
                _ => None,
            }
        }
    };
}

/// A failure as the user sees it: message, hint and exit code of any module's error.
#[derive(Debug)]
pub struct Failure {
    /// The message of the error.
    pub message: String,
    /// The text of the `hint:` line.
    pub hint: Option<String>,
    /// The exit code of the process.
    pub exit_code: u8,
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit_code: error.exit_code(),
        }
    }
}

/// An invalid command line.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    /// The problem.
    pub message: String,
    /// The text of the `hint:` line.
    pub hint: String,
}

impl Explain for UsageError {
    fn own_hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

/// A failure to write to stdout.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout: {0}")]
pub struct OutputError(#[from] io::Error);

impl Explain for OutputError {}

/// Prints all of a text on stdout. If the reader has closed the pipe, as `head` does, this is no error: the returned
/// exit code is that of a program killed by SIGPIPE.
///
/// # Errors
///
/// An [`OutputError`] if stdout cannot be written for another reason.
pub fn print(text: &[u8]) -> Result<ExitCode, OutputError> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    printed(written, ExitCode::SUCCESS)
}

/// Returns the exit code after a write to stdout: `code`, or that of SIGPIPE if the reader has closed the pipe.
///
/// # Errors
///
/// An [`OutputError`] if the write failed for another reason.
pub fn printed(written: io::Result<()>, code: ExitCode) -> Result<ExitCode, OutputError> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::from(BROKEN_PIPE)),
        written => Ok(written.map(|()| code)?),
    }
}

/// Prints a note or a warning on stderr.
pub fn note(text: &str) {
    line(&format!("crossmerge: {text}"));
}

/// Prints a line on stderr.
pub fn line(text: &str) {
    // A closed stderr is no reason to fail, and it could be reported nowhere else.
    let _ = writeln!(io::stderr(), "{}", shown::lines(text));
}

/// Formats a number with its noun, in the plural unless the number is 1: `1 file`, `2 files`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Returns the difference between two texts as a unified diff.
pub fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().header(old_name, new_name).to_string()
}
