//! Why a program did not start, or did not answer.

use super::enter::error::EnterError;
use crate::{file, file::read::ANSWER};
use crossmerge_plan::{passes_on, plan::Plan, report, report::Explain, words::show_file};
use std::{io, path::PathBuf};

/// Why a program did not start, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The kernel says there is no such file: it, or its interpreter, is gone.
    #[error("cannot start `{path}`: it, or the interpreter it names, does not exist", path = .0.display())]
    NotFound(PathBuf),
    /// It is there, and is no program that may be run.
    #[error("cannot start `{path}`: {source}", path = .path.display())]
    NotExecutable {
        /// The program.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The system cannot start any program now: it lacks memory, processes, open files or space.
    #[error("cannot start `{path}`: {source}", path = .path.display())]
    NotStarted {
        /// The program.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// It does not stop talking.
    #[error("`{path}` says more than {ANSWER} bytes, and was ended", path = .0.display())]
    TooMuch(PathBuf),
    /// A file that the program is to read cannot be written.
    #[error(transparent)]
    File(io::Error),
    /// A step before it failed.
    #[error(transparent)]
    Enter(#[from] EnterError),
}

impl ExecError {
    pub(super) fn new(plan: &Plan, source: io::Error) -> Self {
        let path = plan.program.clone();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path),
            _ if is_about_program(&source) => Self::NotExecutable { path, source },
            _ => Self::NotStarted { path, source },
        }
    }
}

impl Explain for ExecError {
    passes_on!(Enter);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound(path) | Self::NotExecutable { path, .. } => {
                format!("look at it with `{}`", show_file(path))
            }
            Self::NotStarted { path, source } => file::hint(source)
                .unwrap_or_else(|| format!("look at it with `{}`", show_file(path))),
            Self::TooMuch(path) => {
                format!("see what it is: `{}`", show_file(path))
            }
            Self::File(e) if is_of_a_user(e) => {
                "name a directory that is yours: `export XDG_STATE_HOME=DIR`".into()
            }
            Self::File(e) => file::hint(e).unwrap_or_else(|| {
                "make its directory writable for you, or run this as the one it belongs to".into()
            }),
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => report::NOT_FOUND,
            Self::NotExecutable { .. } => report::NOT_EXECUTABLE,
            _ => report::OWN_FAILURE,
        }
    }
}

/// Returns whether an error of execve(2) is about the program, and not about what the system lacks.
fn is_about_program(error: &io::Error) -> bool {
    use nix::errno::Errno as E;
    error.raw_os_error().is_none_or(|number| {
        matches!(
            E::from_raw(number),
            E::EACCES
                | E::EPERM
                | E::ENOEXEC
                | E::ETXTBSY
                | E::E2BIG
                | E::EISDIR
                | E::ELOOP
                | E::EINVAL
                | E::ELIBBAD
                | E::ENOTDIR
                | E::ENAMETOOLONG
        )
    })
}

/// Returns whether an ordinary user may not write where their own files are kept: theirs is the choice of another place.
pub(super) fn is_of_a_user(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && !crate::user::acts_for_system()
}
