//! Errors of starting programs.

use super::enter::error::EnterError;
use crate::{file, file::read::ANSWER};
use crossmerge_plan::{
    passes_on,
    plan::Plan,
    report::{self, Explain},
    words::show_file,
};
use std::{io, path::PathBuf, time::Duration};

/// Why a program did not start, or its output could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The program or its interpreter does not exist.
    #[error("cannot start `{path}`: it, or the interpreter it names, does not exist", path = .0.display())]
    NotFound(PathBuf),
    /// The program exists and cannot be executed.
    #[error("cannot start `{path}`: {source}", path = .path.display())]
    NotExecutable {
        /// The program.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The system cannot start any program at the moment, because it lacks memory, processes, open files or space.
    #[error("cannot start `{path}`: {source}", path = .path.display())]
    NotStarted {
        /// The program.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The program printed more than the limit.
    #[error("`{path}` printed more than {} MiB and was killed", ANSWER >> 20, path = .0.display())]
    TooMuch(PathBuf),
    /// The program did not end within the limit.
    #[error("`{path}` did not end within {} seconds and was killed", limit.as_secs(), path = .path.display())]
    TimedOut {
        /// The program.
        path: PathBuf,
        /// The limit.
        limit: Duration,
    },
    /// The supervisor of the program did not start, or ended too early.
    #[error("cannot supervise `{path}`: {source}", path = .path.display())]
    Supervisor {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Processes that the program started are left, because they run as another user or cannot be found.
    #[error("`{path}` has left processes that cannot be killed{}", listed(pids), path = .path.display())]
    Left {
        /// The program.
        path: PathBuf,
        /// Their PIDs. Empty if they cannot be found.
        pids: Vec<i32>,
    },
    /// A file of the plan cannot be written.
    #[error(transparent)]
    File(io::Error),
    /// A step before the program failed.
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
                format!("examine it with `{}`", show_file(path))
            }
            Self::NotStarted { path, source } => file::hint(source)
                .unwrap_or_else(|| format!("examine it with `{}`", show_file(path))),
            Self::TooMuch(path) | Self::TimedOut { path, .. } => {
                format!("check which program it is: `{}`", show_file(path))
            }
            Self::Supervisor { source, .. } => return file::hint(source),
            Self::Left { pids, .. } if pids.is_empty() => {
                "find them with `ps -eo pid,ppid,user,args`, and kill them as root".into()
            }
            Self::Left { pids, .. } => format!("kill them as root: `kill -KILL {}`", joined(pids)),
            Self::File(e) if is_of_a_user(e) => {
                "choose a directory that you may write to: `export XDG_STATE_HOME=DIR`".into()
            }
            Self::File(e) => file::hint(e).unwrap_or_else(|| {
                "make its directory writable for you, or run this as its owner".into()
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

/// Formats the PIDs of the processes that are left.
fn listed(pids: &[i32]) -> String {
    match pids {
        [] => ", because `/proc` does not show them".into(),
        pids => format!(": {}", joined(pids)),
    }
}

fn joined(pids: &[i32]) -> String {
    let pids: Vec<String> = pids.iter().map(i32::to_string).collect();
    pids.join(" ")
}

/// Returns whether an error of execve(2) is caused by the program, and not by a lack of resources.
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

/// Returns whether an ordinary user lacks permission to write to their own state directory. They can choose another
/// one.
pub(super) fn is_of_a_user(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && !crate::user::acts_for_system()
}
