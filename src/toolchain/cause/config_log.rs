//! Reads a config.log (Autoconf manual, "config.log"): the command whose failure made the configure script end.
//!
//! A script runs many commands that may fail. The one that matters is the last that failed before the error, with no
//! successful command in between. If no link test may run (GCC_NO_EXECUTABLES), it is the first link that failed: the
//! script has noted there that it cannot link, and ends only when it needs to.

use super::{
    form::{self, Weight},
    known::Side,
    lines::{Lines, with_plain_quotes},
};
use serde::Serialize;
use std::{
    io::{self, BufRead},
    path::PathBuf,
};

/// The number of lines that are kept of what a command printed.
const KEPT: usize = 50;

/// Autoconf's message for a link test, if the script found before that it cannot link.
const NO_EXECUTABLES: &str = "GCC_NO_EXECUTABLES";

/// Options with which scripts ask a compiler for its version. It knows only some of them.
const VERSION_OPTIONS: [&str; 6] = [
    " -V",
    " -qversion",
    " -version",
    " --version",
    " -v",
    " -dumpspecs",
];

/// The failed command behind a failed configure script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedCommand {
    /// The config.log.
    pub file: PathBuf,
    /// The number of the message's line in it, from 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// The first error that the command printed.
    pub message: String,
    /// All that it printed, to find a known cause.
    #[serde(skip)]
    pub(super) printed: Vec<String>,
}

impl FailedCommand {
    /// Returns what the command compiles for, by the name of the compiler.
    pub(super) fn side(&self, tuple: &str) -> Side {
        let program = self.command.split(' ').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        // gcc's own build calls the new compiler by these names.
        let is_new = matches!(name, "xgcc" | "xg++");
        match is_new
            || name
                .strip_prefix(tuple)
                .is_some_and(|rest| rest.starts_with('-'))
        {
            true => Side::Target,
            false => Side::Host,
        }
    }
}

/// A command of the script, with what it printed.
#[derive(Debug, Default)]
struct Command {
    text: String,
    printed: Vec<(usize, String)>,
}

/// Reads a config.log. Returns `None` if it does not end with that error, and `Some(None)` if it does and no command
/// failed before it.
pub(super) fn failed_command(
    file: PathBuf,
    text: impl BufRead,
    error: &str,
) -> io::Result<Option<Option<FailedCommand>>> {
    let mut lines = Lines::of(text);
    let mut current = Command::default();
    let mut failed: Option<Command> = None;
    let mut first_link: Option<Command> = None;
    while let Some((number, line)) = lines.next()? {
        let Some(text) = own_text(&line) else {
            let is_of_program = !line.starts_with('|') && !line.starts_with("configure:");
            if is_of_program && current.printed.len() < KEPT {
                current.printed.push((number, line));
            }
            continue;
        };
        if let Some(code) = text.strip_prefix("$? = ") {
            let command = std::mem::take(&mut current);
            if code == "0" {
                failed = None;
            } else if !asks_version(&command.text) {
                let is_link =
                    command.text.contains("-o conftest") && !command.text.contains(" -c ");
                if is_link && first_link.is_none() {
                    first_link = Some(Command {
                        text: command.text.clone(),
                        printed: command.printed.clone(),
                    });
                }
                failed = Some(command);
            }
        } else if let Some(message) = text.strip_prefix("error: ") {
            if with_plain_quotes(message) != with_plain_quotes(error) {
                continue;
            }
            let command = match message.contains(NO_EXECUTABLES) {
                true => first_link.or(failed),
                false => failed,
            };
            return Ok(Some(command.and_then(|command| command.explained(file))));
        } else if let Some(command) = text.strip_suffix(" >&5") {
            current = Command {
                text: command.to_owned(),
                printed: Vec::new(),
            };
        }
    }
    Ok(None)
}

impl Command {
    /// Returns the command with its first error. Returns `None` if it printed none.
    fn explained(self, file: PathBuf) -> Option<FailedCommand> {
        let weight = |line: &str| form::weight(&with_plain_quotes(line), true);
        let heaviest = { self.printed.iter() }
            .filter_map(|(_, line)| weight(line))
            .max();
        let mut errors = self.printed.iter();
        let (line, message) = match heaviest {
            Some(heaviest) if heaviest > Weight::Consequence => {
                errors.find(|(_, line)| weight(line) == Some(heaviest))?
            }
            _ => self.printed.first()?,
        };
        Some(FailedCommand {
            file,
            line: *line,
            message: message.clone(),
            command: self.text,
            printed: self.printed.into_iter().map(|(_, line)| line).collect(),
        })
    }
}

/// Returns the text of a line that the script itself wrote: `configure:1234: text`.
fn own_text(line: &str) -> Option<&str> {
    let (number, text) = line.strip_prefix("configure:")?.split_once(": ")?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)
}

fn asks_version(command: &str) -> bool {
    VERSION_OPTIONS
        .iter()
        .any(|option| command.ends_with(option))
}
