//! The steps that make a prefix.

use super::error::PrefixError;
use crossmerge_plan::{
    plan::{Change, Changes, Plan},
    shown::Show,
    words::quote,
};
use crossmerge_system::{
    exec,
    file::{self, Directory, read},
};
use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

/// The line before the settings that crossmerge appends to Portage's own.
const MARK: &str = "# Written by `crossmerge toolchain prepare`, to the end:";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PrefixStep {
    /// Creates a directory.
    Directory(PathBuf),
    /// Writes a file. A program is executable.
    Write {
        path: PathBuf,
        text: Cow<'static, str>,
        is_program: bool,
    },
    /// Makes a symlink, or replaces one.
    Link { path: PathBuf, target: PathBuf },
    /// Copies a file.
    Copy { path: PathBuf, from: PathBuf },
    /// Removes a file of an older version.
    Remove(PathBuf),
    /// Runs a program of the host.
    Run {
        what: &'static str,
        program: PathBuf,
        args: Vec<OsString>,
    },
    /// Appends settings to a file that `Run` installs, in place of those of an earlier run.
    Append { path: PathBuf, text: String },
}

impl PrefixStep {
    /// Returns whether its result already exists. That of a program is not known.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Directory(path) => path.is_dir(),
            Self::Write { path, text, .. } => {
                fs_err::read(path).is_ok_and(|is| is == text.as_bytes())
            }
            Self::Link { path, target } => fs_err::read_link(path).is_ok_and(|is| is == *target),
            Self::Copy { path, from } => {
                let size = |path: &Path| path.metadata().map(|it| it.len()).ok();
                size(path).is_some_and(|it| Some(it) == size(from))
            }
            Self::Remove(path) => path.symlink_metadata().is_err(),
            Self::Run { .. } => false,
            Self::Append { path, text } => {
                fs_err::read_to_string(path).is_ok_and(|is| is == appended(&is, text))
            }
        }
    }

    /// The path that it changes: for a program, the program's own.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Directory(path)
            | Self::Write { path, .. }
            | Self::Link { path, .. }
            | Self::Copy { path, .. }
            | Self::Remove(path)
            | Self::Run { program: path, .. }
            | Self::Append { path, .. } => path,
        }
    }

    pub(super) fn apply(&self) -> Result<(), PrefixError> {
        match self {
            Self::Directory(path) => {
                Directory::make(path, &mut Vec::new())?;
            }
            Self::Write {
                path,
                text,
                is_program,
            } => {
                let mode = match is_program {
                    true => file::PROGRAM_MODE,
                    false => file::FILE_MODE,
                };
                write(path, text, mode)?;
            }
            Self::Link { path, target } => {
                file::replace(path, |directory, name| directory.link(name, target))?;
            }
            Self::Copy { path, from } => {
                let source = read::open_regular(from)?;
                file::replace(path, |directory, name| {
                    directory.write_synced(name, source, file::FILE_MODE)
                })?;
            }
            Self::Remove(path) => file::remove(path)?,
            Self::Run {
                what,
                program,
                args,
            } => run(what, program, args)?,
            Self::Append { path, text } => {
                let is = read::read_to_string(path, read::SETTINGS)?;
                write(path, &appended(&is, text), file::FILE_MODE)?;
            }
        }
        Ok(())
    }
}

/// Writes a file. The lock of the prefix is held, so a file that an interrupted run has left is overwritten.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), PrefixError> {
    let new =
        |directory: &Directory, name: &OsStr| directory.write_synced(name, text.as_bytes(), mode);
    Ok(file::replace(path, new)?)
}

/// Returns the text of a file with the settings at its end, in place of earlier ones.
fn appended(is: &str, text: &str) -> String {
    let before = is.split(MARK).next().unwrap_or_default();
    format!("{before}{MARK}\n{text}")
}

fn run(what: &'static str, program: &Path, args: &[OsString]) -> Result<(), PrefixError> {
    let plan = Plan {
        program: program.into(),
        args: args.to_vec(),
        // Python must not search the modules of another environment.
        env: Changes::from(["PYTHONHOME", "PYTHONPATH"].map(|name| (name.into(), Change::Unset))),
        ..Plan::default()
    };
    let output = exec::ask(&plan)?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(PrefixError::Failed {
        what,
        command: command(program, args),
        printed: String::from_utf8_lossy(&printed).into_owned(),
    })
}

fn command(program: &Path, args: &[OsString]) -> String {
    let words = std::iter::once(program.as_os_str()).chain(args.iter().map(OsString::as_os_str));
    let words: Vec<String> = words.map(|word: &OsStr| quote(word)).collect();
    words.join(" ")
}

/// Formats the step as a line for `--dry-run`.
impl fmt::Display for PrefixStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "create {}/", path.shown()),
            Self::Write { path, .. } => write!(f, "write {}", path.shown()),
            Self::Link { path, target } => {
                write!(f, "link {} -> {}", path.shown(), target.shown())
            }
            Self::Copy { path, from } => write!(f, "copy {} to {}", from.shown(), path.shown()),
            Self::Remove(path) => write!(f, "remove {}", path.shown()),
            Self::Run { program, args, .. } => write!(f, "run {}", command(program, args)),
            Self::Append { path, .. } => write!(f, "append settings to {}", path.shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_settings_replace_those_of_an_earlier_run() {
        let once = appended("FEATURES=\"a\"\n", "FEATURES=\"b\"\n");
        assert_eq!(once, format!("FEATURES=\"a\"\n{MARK}\nFEATURES=\"b\"\n"));
        assert_eq!(
            appended(&once, "FEATURES=\"c\"\n"),
            format!("FEATURES=\"a\"\n{MARK}\nFEATURES=\"c\"\n")
        );
    }
}
