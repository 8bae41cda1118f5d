//! Errors of creating, changing and removing files, and the hints for them.

use super::owner::user;
use crossmerge_plan::{shown::Show, words::quote_line};
use nix::errno::Errno;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an operation on a path failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A system call failed.
    #[error("cannot {what} `{path}`: {source}", path = .path.shown())]
    System {
        /// The operation, as a verb.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// A symlink on the path could have been created by another user.
    #[error(
        "the symlink `{link}` to `{target}`, on the path to `{path}`, belongs to {owner}, in a directory of {directory}, and is not \
         followed: another user could have put it there",
        link = .link.shown(), path = .path.shown(), target = .target.shown()
    )]
    ForeignLink {
        /// The symlink.
        link: PathBuf,
        /// The path that was to be opened.
        path: PathBuf,
        /// The target of the symlink.
        target: PathBuf,
        /// The owner of the symlink.
        owner: String,
        /// The owner of the directory that contains it.
        directory: String,
    },
    /// A symlink in a tree leads out of the tree.
    #[error(
        "`{link}` leads out of `{tree}`, to `{target}`, and is not followed",
        link = .link.shown(), tree = .tree.shown(), target = .target.shown()
    )]
    LeadsOut {
        /// The symlink.
        link: PathBuf,
        /// The target of the symlink, as it is written.
        target: PathBuf,
        /// The tree.
        tree: PathBuf,
    },
    /// The path is a device, a pipe, a socket or a directory, where a file should be written.
    #[error("`{path}` is not a regular file, and is not replaced by one", path = .0.shown())]
    NotAFile(PathBuf),
    /// Another user holds a lock whose file belongs to them, and could hold it for ever.
    #[error("another user holds the lock `{path}`{who}", path = .path.shown())]
    Held {
        /// The lock.
        path: PathBuf,
        /// The process that holds it, in parentheses. Empty if it is not known.
        who: String,
    },
    /// Another run or another user has replaced the file since it was checked.
    #[error("`{path}` was replaced by another file after crossmerge had checked it", path = .0.shown())]
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
    /// Creates the error of a failed system call. `what` is the operation, as a verb.
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

/// Returns whether crossmerge refused an operation, and no system call failed.
pub fn is_refusal(error: &io::Error) -> bool {
    let inner = error.get_ref();
    let error = inner.and_then(|inner| inner.downcast_ref::<FileError>());
    error.is_some_and(|error| !matches!(error, FileError::System { .. }))
}

/// Returns the hint for an error of reading or writing. `None` if there is nothing that a user can do about it.
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
                "if this target is right, use its own path instead of the symlink: {}",
                quoted(target)
            ));
        }
        Some(FileError::LeadsOut { link, .. }) => {
            let link = quoted(link);
            return Some(format!(
                "crossmerge changes nothing outside the tree; to keep this part elsewhere, replace the symlink by a directory, and mount the other directory there: `rm {link} && mkdir {link}`"
            ));
        }
        Some(FileError::Held { .. }) => {
            return Some("run it again after that process has ended, or ask its user".into());
        }
        Some(FileError::NotAFile(_)) => return Some("choose another path".into()),
        Some(FileError::Changed(_)) => {
            return Some("run it again when nothing else changes it".into());
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
            "free space or inodes, and run it again: `df -h{place}`, `df -i{place}`"
        )),
        io::ErrorKind::QuotaExceeded => {
            Some("your disk quota is exhausted: free space, and run it again".into())
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "its file system is read-only: `findmnt -T{place}` shows which; mount it writable, or choose another path"
        )),
        io::ErrorKind::PermissionDenied => Some(match errno {
            // EPERM usually comes from file attributes, which lsattr shows.
            Some(Errno::EPERM) => format!(
                "`ls -ld{place}` and `lsattr -d{place}` show who may change it; run it as that user, or choose another path"
            ),
            _ => format!(
                "`ls -ld{place}` shows who may change it; run it as that user, or choose another path"
            ),
        }),
        _ if errno == Some(Errno::EIO) => {
            Some("the disk is failing: see `dmesg`, and back up its data".into())
        }
        _ => None,
    }
}
