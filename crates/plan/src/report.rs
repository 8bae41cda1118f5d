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

/// What an error tells a user beside its message.
///
/// An error that holds another module's error unchanged names that variant in [`passes_on!`], and the other error explains itself.
pub trait Explain: std::error::Error {
    /// The error of another module that this one holds, if it is one.
    fn passed_on(&self) -> Option<&dyn Explain> {
        None
    }

    /// The hint of this module's own errors: the command that fixes it.
    fn own_hint(&self) -> Option<String> {
        None
    }

    /// The exit code of this module's own errors.
    fn own_exit_code(&self) -> u8 {
        OWN_FAILURE
    }

    /// The line that says how to go on.
    fn hint(&self) -> Option<String> {
        match self.passed_on() {
            Some(error) => error.hint(),
            None => self.own_hint(),
        }
    }

    /// The exit code of the process.
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

/// Writes [`report::Explain::passed_on`]: the variants that hold an error of another module.
#[macro_export]
macro_rules! passes_on {
    ($($variant:ident),+) => {
        fn passed_on(&self) -> Option<&dyn $crate::report::Explain> {
            match self {
                $(Self::$variant(error) => Some(error),)+
                #[allow(unreachable_patterns, reason = "some errors hold nothing else")]
                _ => None,
            }
        }
    };
}
/// A failure as the user sees it: any module's error, explained.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// How to go on.
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

/// A command line that has no meaning.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    /// What is wrong with it.
    pub message: String,
    /// How to go on.
    pub hint: String,
}

impl Explain for UsageError {
    fn own_hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

/// An answer that cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the answer: {0}")]
pub struct OutputError(#[from] io::Error);

impl Explain for OutputError {}

/// Prints an answer on stdout, whole. If the reader has closed its end, as `head` does, prints no error and returns the exit code
/// of a program that SIGPIPE ended.
pub fn print(text: &[u8]) -> Result<ExitCode, OutputError> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    printed(written, ExitCode::SUCCESS)
}

/// The exit code after an answer was written to stdout: `code`, or that of SIGPIPE.
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
    // A closed stderr is no reason to fail, and there is no other place to report it.
    let _ = writeln!(io::stderr(), "{}", shown::lines(text));
}

/// A number and a noun, in the plural if it is not one: `1 file`, `2 files`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// The changes of a text as a unified diff.
pub fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().header(old_name, new_name).to_string()
}
