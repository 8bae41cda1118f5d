//! Errors of carrying out steps.

use crossmerge_plan::{plan::step::Step, report::Explain, words::quote};
use std::{io, path::PathBuf};

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// A system call of a step failed.
    #[error("`{step}` failed: {source}")]
    Step {
        /// The step, in shell.
        step: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// The namespaces could not be created.
    #[error("cannot create namespaces: {0}")]
    Namespaces(io::Error),
    /// The id maps of a user namespace could not be written.
    #[error("cannot map the users and groups of a user namespace: {0}")]
    Ids(String),
    /// A mount point does not exist and cannot be created.
    #[error("the mount point `{place}` does not exist and cannot be created: {source}", place = .place.display())]
    NoPlace {
        /// The path of the mount point.
        place: PathBuf,
        /// Why it cannot be created.
        source: io::Error,
    },
    /// The root directory was replaced by another one after the plan was made.
    #[error("`{root}` was replaced by another directory", root = .0.display())]
    Changed(PathBuf),
    /// The current root is not a mount point, so pivot_root(2) fails.
    #[error("cannot change the root to `{root}`: the current `/` is not a mount point", root = .0.display())]
    NotAMount(PathBuf),
    /// A standard stream is a directory of the host, through which the program could leave the root.
    #[error("{0} is a directory of the host")]
    Stream(&'static str),
    /// The process could not prepare to wait for the program.
    #[error("cannot wait for the program: {0}")]
    Wait(io::Error),
    /// An internal entry point was called with invalid arguments, not by crossmerge.
    #[error("only crossmerge itself may call this name")]
    Arguments,
}

impl Explain for EnterError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Step { .. } => "`crossmerge plan <tuple> <applet> …` prints all steps, so that you can try them by hand".into(),
            Self::Namespaces(_) => {
                "`unshare --user --mount true` has to work: check /proc/sys/user/max_user_namespaces, and the limits of a container"
                    .into()
            }
            Self::Ids(_) => "check /etc/subuid, /etc/subgid and `newuidmap` from the package shadow or uidmap".into(),
            Self::NoPlace { place, .. } => format!("create it: `mkdir -p {}`", quote(place.as_os_str())),
            Self::Changed(_) => "run it again when nothing else changes it".into(),
            Self::NotAMount(_) => {
                "this process runs in a chroot: before you enter that, bind its directory on itself, `mount --bind DIR DIR`".into()
            }
            Self::Stream(_) => "redirect it from or to a file or `/dev/null`".into(),
            Self::Wait(_) | Self::Arguments => "`crossmerge --help` lists the commands".into(),
        })
    }
}

pub(super) type Result<T> = std::result::Result<T, EnterError>;

/// Returns a function that turns a system error into the error of a step.
pub(super) fn failed<E: Into<io::Error>>(step: &Step) -> impl Fn(E) -> EnterError + '_ {
    |source| EnterError::Step {
        step: step.to_string(),
        source: source.into(),
    }
}
