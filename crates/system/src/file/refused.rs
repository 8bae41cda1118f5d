//! Errors of reading a file.

use crossmerge_plan::{shown::Show, words::quote_line};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The error for a file that exists and that crossmerge does not read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {why}", path = .path.shown())]
pub(super) struct Refused {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

/// The error for a file that the system cannot read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}", path = .path.shown())]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

/// Why crossmerge does not read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is a named pipe, a socket or a device.
    #[error("is {0}, not a regular file")]
    NotRegular(&'static str),
    /// Its size exceeds the limit for its kind.
    #[error("has {size} bytes, more than the limit of {limit} for such a file")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It has more bytes than the limit, although its size was smaller or not known.
    #[error("has more than {0} bytes, the limit for such a file")]
    Endless(u64),
    /// With this file, the command exceeds a limit on everything that it reads.
    #[error("exceeds a limit: one command accepts up to {limit} {what} from other users")]
    TooMuch {
        /// The counted unit, such as `files`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Another user, who cannot read it, chose its path.
    #[error(
        "is not readable by every user, and another user chose its path: its values would be written to files that every user may read"
    )]
    Private,
    /// It is not UTF-8.
    #[error("is not UTF-8")]
    NotText,
}

impl Why {
    /// Returns whether the file itself is too large.
    pub fn is_of_size(self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Endless(_))
    }
}

/// Returns why crossmerge does not read a file. `None` for any other error.
pub fn refused(error: &io::Error) -> Option<Why> {
    let refused = error.get_ref()?.downcast_ref::<Refused>()?;
    Some(refused.why)
}

/// Returns the message of an error without the path.
pub fn reason(error: &io::Error) -> String {
    let inner = error.get_ref();
    let unreadable = inner.and_then(|inner| inner.downcast_ref::<Unreadable>());
    match (refused(error), unreadable) {
        (Some(why), _) => why.to_string(),
        (None, Some(unreadable)) => unreadable.source.to_string(),
        (None, None) => error.to_string(),
    }
}

/// Returns the hint for a path at which there is something other than the expected file. `None` for any other error.
pub(super) fn hint(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    let is_directory = error.kind() == io::ErrorKind::IsADirectory;
    let path = match (inner.downcast_ref(), inner.downcast_ref()) {
        (Some(Refused { path, .. }), _) => path,
        (_, Some(Unreadable { path, .. })) if is_directory => path,
        _ => return None,
    };
    let path = quote_line(path.as_os_str());
    Some(format!(
        "examine it with `ls -lL {path}`, and replace it with the right file"
    ))
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> io::Error {
    let path = path.into();
    io::Error::new(source.kind(), Unreadable { path, source })
}

pub(super) fn refuse(path: &Path, why: Why) -> io::Error {
    let refused = Refused {
        path: path.into(),
        why,
    };
    io::Error::other(refused)
}
