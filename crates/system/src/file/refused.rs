//! Why a file is not read.

use crossmerge_plan::{shown::Show, words::quote_line};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A file that is there and is not read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {why}", path = .path.shown())]
pub(super) struct Refused {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}", path = .path.shown())]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

/// Why it is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A named pipe, a socket, a device.
    #[error("is {0} and no regular file")]
    NotRegular(&'static str),
    /// It says how large it is.
    #[error("has {size} bytes, and a file of its kind is read up to {limit}")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The most that is read.
        limit: u64,
    },
    /// It goes on, whatever it says.
    #[error("has more than {0} bytes, up to which a file of its kind is read")]
    Endless(u64),
    /// All that the command has read comes to too much.
    #[error("is one too many: one command takes up to {limit} {what} of what other people made")]
    TooMuch {
        /// What was counted.
        what: &'static str,
        /// The most.
        limit: u64,
    },
    /// The user who names it could not read it.
    #[error(
        "is not for everybody to read, and another user names it: the values in it would be written to files that everybody may read"
    )]
    Private,
    /// It holds something else than text.
    #[error("is not UTF-8")]
    NotText,
}

impl Why {
    /// Returns whether the file itself is too large.
    pub fn is_of_size(self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Endless(_))
    }
}

/// Why a file was not read that is there and could be; none for any other failure.
pub fn refused(error: &io::Error) -> Option<Why> {
    let refused = error.get_ref()?.downcast_ref::<Refused>()?;
    Some(refused.why)
}

/// What failed, without the path that it failed at.
pub fn reason(error: &io::Error) -> String {
    let inner = error.get_ref();
    let unreadable = inner.and_then(|inner| inner.downcast_ref::<Unreadable>());
    match (refused(error), unreadable) {
        (Some(why), _) => why.to_string(),
        (None, Some(unreadable)) => unreadable.source.to_string(),
        (None, None) => error.to_string(),
    }
}

/// How to go on when something else is there than belongs there; none for any other failure.
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
        "look at it with `ls -lL {path}`, and put there what belongs there"
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
