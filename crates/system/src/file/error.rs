//! Why something is not written, and how to go on: one sentence and one hint for each way in which a disk, a mode or a link stops us.

use super::owner::user;
use crossmerge_plan::{shown::Show, words::quote_line};
use nix::errno::Errno;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What stopped us at a path.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system said no.
    #[error("cannot {what} `{path}`: {source}", path = .path.shown())]
    System {
        /// What we were about to do.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Somebody else could have put the link there.
    #[error(
        "`{link}` on the way to `{path}` is a link of {owner}'s to `{target}`, in a directory of {directory}'s, and is not followed: \
         another user could have put it there",
        link = .link.shown(), path = .path.shown(), target = .target.shown()
    )]
    ForeignLink {
        /// The link.
        link: PathBuf,
        /// What was to be reached.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// Who made it.
        owner: String,
        /// Whose directory it is in.
        directory: String,
    },
    /// A symlink in a tree leads out of it, and what is there is not the tree's.
    #[error(
        "`{link}` leads out of `{tree}`, to `{target}`, and is not followed",
        link = .link.shown(), tree = .tree.shown(), target = .target.shown()
    )]
    LeadsOut {
        /// The symlink.
        link: PathBuf,
        /// What it contains.
        target: PathBuf,
        /// The tree.
        tree: PathBuf,
    },
    /// A device, a pipe, a socket or a directory is where a file should be.
    #[error("`{path}` is no regular file, and is not replaced by one", path = .0.shown())]
    NotAFile(PathBuf),
    /// Another user holds a lock of his own, and could do so for ever.
    #[error("another user holds the lock `{path}`{who}", path = .path.shown())]
    Held {
        /// The lock.
        path: PathBuf,
        /// The process that holds it; empty if it is not known.
        who: String,
    },
    /// Another run, or a user, has changed it since it was looked at.
    #[error("`{path}` has become another file since it was looked at", path = .0.shown())]
    Changed(PathBuf),
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match &error {
            FileError::System { source, .. } => source.kind(),
            FileError::ForeignLink { .. }
            | FileError::LeadsOut { .. }
            | FileError::NotAFile(_)
            | FileError::Held { .. }
            | FileError::Changed(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl FileError {
    /// Gives what a system call said the path, and what it was about.
    pub fn system(what: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::System {
            what,
            path: path.into(),
            source: source.into(),
        }
    }

    pub(super) fn foreign_link(
        link: PathBuf,
        path: &Path,
        target: PathBuf,
        [owner, directory]: [u32; 2],
    ) -> Self {
        Self::ForeignLink {
            link,
            path: path.into(),
            target,
            owner: user(owner),
            directory: user(directory),
        }
    }
}

/// Returns whether something was not done because of what another user made, and not because it cannot be.
pub fn is_refusal(error: &io::Error) -> bool {
    let inner = error.get_ref();
    let error = inner.and_then(|inner| inner.downcast_ref::<FileError>());
    error.is_some_and(|error| !matches!(error, FileError::System { .. }))
}

/// How to go on after a failure to read or write, whoever reports it; none when it is not one that a user can do something about.
pub fn hint(error: &io::Error) -> Option<String> {
    if let Some(hint) = super::refused::hint(error) {
        return Some(hint);
    }
    let file_error = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<FileError>());
    let quoted = |path: &Path| quote_line(path.as_os_str());
    match file_error {
        Some(FileError::ForeignLink { target, .. }) => {
            return Some(format!(
                "if it should lead there, name that place itself, {}, instead of the link",
                quoted(target)
            ));
        }
        Some(FileError::LeadsOut { link, .. }) => {
            let link = quoted(link);
            return Some(format!(
                "nothing outside the tree is changed by way of it; to keep that part elsewhere, put a directory in its place and mount the other one there: `rm {link} && mkdir {link}`"
            ));
        }
        Some(FileError::Held { .. }) => {
            return Some("run it again when that process has ended, or ask its user".into());
        }
        Some(FileError::NotAFile(_)) => return Some("name another place".into()),
        Some(FileError::Changed(_)) => {
            return Some("run it again when nothing else works on it".into());
        }
        Some(FileError::System { .. }) | None => {}
    }
    let place = match file_error {
        Some(FileError::System { path, .. }) => path.parent().unwrap_or(path),
        _ => Path::new(""),
    };
    let place = match place.as_os_str().is_empty() {
        true => String::new(),
        false => format!(" {}", quoted(place)),
    };
    let number = match file_error {
        Some(FileError::System { source, .. }) => source.raw_os_error(),
        _ => error.raw_os_error(),
    };
    let errno = number.map(Errno::from_raw);
    match error.kind() {
        io::ErrorKind::StorageFull => Some(format!(
            "make room, or more inodes, and run it again: `df -h{place}`, `df -i{place}`"
        )),
        io::ErrorKind::QuotaExceeded => {
            Some("your quota is used up: make room, and run it again".into())
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "its file system is read-only: `findmnt -T{place}` shows which; mount it writable, or choose another place"
        )),
        io::ErrorKind::PermissionDenied => Some(match errno {
            // Root is seldom refused by modes.
            Some(Errno::EPERM) => format!(
                "`ls -ld{place}` and `lsattr -d{place}` show who may; run it as that user, or choose another place"
            ),
            _ => format!(
                "`ls -ld{place}` shows who may; run it as that user, or choose another place"
            ),
        }),
        _ if errno == Some(Errno::EIO) => {
            Some("the disk fails: see `dmesg`, and save what is on it".into())
        }
        _ => None,
    }
}
