//! Why a question is not answered here: what in which file we do not understand, or Portage itself would not.
//!
//! A refusal is no failure: whoever asked goes on to ask `portageq`. One kind is: what would keep Portage waiting for ever, or
//! take all memory, is handed to nobody.

use crossmerge_plan::{report::Explain, words::quote};
use crossmerge_system::file::read;
use std::{io, path::PathBuf};

/// Why the settings were not read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{reason}", place = place(.file, *.line))]
pub struct Refusal {
    /// The file that is not understood; `None` when the question itself is at fault.
    pub file: Option<PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is not understood.
    pub reason: String,
    /// Portage would not come to an end with it either, or would read what must not become known, so it is not asked.
    pub is_final: bool,
}

impl Refusal {
    /// Refuses because of the question or the environment.
    pub fn question(reason: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            reason: reason.into(),
            is_final: false,
        }
    }

    /// Refuses because of a file, or of what is missing there.
    pub fn file(file: &str, reason: impl Into<String>) -> Self {
        Self {
            file: Some(file.into()),
            line: None,
            reason: reason.into(),
            is_final: false,
        }
    }

    /// Refuses because a file was not read.
    pub fn unread(file: &str, error: &io::Error) -> Self {
        match read::refused(error) {
            Some(why) => Self::file(file, why.to_string()).for_good(),
            None => Self::file(file, format!("cannot be read: {}", read::reason(error))),
        }
    }

    /// The same for good: nobody else is asked.
    pub fn for_good(self) -> Self {
        Self {
            is_final: true,
            ..self
        }
    }

    /// Refuses because of a line.
    pub fn line(file: &str, line: usize, reason: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::file(file, reason)
        }
    }
}

impl Explain for Refusal {
    fn own_hint(&self) -> Option<String> {
        Some(match &self.file {
            Some(file) => format!(
                "look at it with `ls -lL {}`; Portage is not asked about it either",
                quote(file.as_os_str())
            ),
            None => "Portage is not asked about it either".into(),
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
