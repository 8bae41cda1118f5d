//! The error of reading settings: why crossmerge leaves a query to `portageq`. It names the file and the content that
//! crossmerge does not understand, or on which Portage itself fails.
//!
//! The caller starts `portageq` instead, unless the error is final: the content would make Portage wait for ever or use
//! up all memory, so `portageq` is not started either.

use crossmerge_plan::{report::Explain, words::quote};
use crossmerge_system::file::read;
use std::{io, path::PathBuf};

/// Why crossmerge did not read the settings itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{reason}", place = place(.file, *.line))]
pub struct SettingsError {
    /// The file that is not understood; `None` if the query or the environment is the cause.
    pub file: Option<PathBuf>,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// The reason, such as the content that is not understood.
    pub reason: String,
    /// Whether portageq must not be started either: Portage would not finish, or would reveal content that must stay
    /// secret.
    pub is_final: bool,
}

impl SettingsError {
    /// Returns an error whose cause is the query or the environment.
    pub fn query(reason: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            reason: reason.into(),
            is_final: false,
        }
    }

    /// Returns an error whose cause is a file, or its absence.
    pub fn file(file: &str, reason: impl Into<String>) -> Self {
        Self {
            file: Some(file.into()),
            line: None,
            reason: reason.into(),
            is_final: false,
        }
    }

    /// Returns an error for a file that cannot be read. It is final if the file exceeds a limit or is no regular file.
    pub fn unread(file: &str, error: &io::Error) -> Self {
        match read::refused(error) {
            Some(why) => Self::file(file, why.to_string()).into_final(),
            None => Self::file(file, format!("cannot be read: {}", read::reason(error))),
        }
    }

    /// Makes the error final: portageq is not started either.
    pub fn into_final(self) -> Self {
        Self {
            is_final: true,
            ..self
        }
    }

    /// Returns an error whose cause is a line of a file.
    pub fn line(file: &str, line: usize, reason: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::file(file, reason)
        }
    }
}

impl Explain for SettingsError {
    fn own_hint(&self) -> Option<String> {
        Some(match &self.file {
            Some(file) => format!(
                "check it with `ls -lL {}`; portageq is not started either",
                quote(file.as_os_str())
            ),
            None => "portageq is not started either".into(),
        })
    }
}

fn place(file: &Option<PathBuf>, line: Option<usize>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("`{}`, line {line}: ", file.display()),
        (Some(file), None) => format!("`{}`: ", file.display()),
        (None, _) => String::new(),
    }
}
