//! Why a step was not done.

use crossmerge_plan::{plan::step::Step, report::Explain, words::quote};
use std::{io, path::PathBuf};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The kernel refused.
    #[error("cannot do `{step}`: {source}")]
    Step {
        /// The step, in shell.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// There are no namespaces to be had.
    #[error("cannot make namespaces of our own: {0}")]
    Namespaces(io::Error),
    /// Nobody told the kernel which ids there are.
    #[error("cannot map the users and groups of a namespace: {0}")]
    Ids(String),
    /// Something is mounted where there is no place for it.
    #[error("there is no `{place}` to mount something on, and it cannot be made: {source}", place = .place.display())]
    NoPlace {
        /// The place.
        place: PathBuf,
        /// Why it cannot be made.
        source: io::Error,
    },
    /// Another directory is at the path by now.
    #[error("`{root}` is another directory than it was a moment ago", root = .0.display())]
    Changed(PathBuf),
    /// The kernel does not let this process leave its root.
    #[error("cannot leave this root for `{root}`: `/` is not a mount point here", root = .0.display())]
    NotAMount(PathBuf),
    /// A standard stream is a directory, from which a path leads out of the root.
    #[error("{0} is a directory of the host")]
    Stream(&'static str),
    /// Signals cannot be waited for.
    #[error("cannot wait for what was started: {0}")]
    Wait(io::Error),
    /// Somebody else called us by a name of our own.
    #[error("this name is only for crossmerge itself")]
    Arguments,
}

impl Explain for EnterError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Step { .. } => "`crossmerge plan <tuple> <applet> …` prints all the steps, to try them by hand".into(),
            Self::Namespaces(_) => {
                "`unshare --user --mount true` has to work here: see /proc/sys/user/max_user_namespaces, and what a container allows"
                    .into()
            }
            Self::Ids(_) => "see /etc/subuid, /etc/subgid and `newuidmap` of the package shadow or uidmap".into(),
            Self::NoPlace { place, .. } => format!("make it: `mkdir -p {}`", quote(place.as_os_str())),
            Self::Changed(_) => "run it again when nothing else works on it".into(),
            Self::NotAMount(_) => {
                "this process runs in a chroot: bind the directory of that on itself before you enter it, `mount --bind DIR DIR`".into()
            }
            Self::Stream(_) => "redirect it from or to a file or `/dev/null`".into(),
            Self::Wait(_) | Self::Arguments => "`crossmerge --help` lists the commands".into(),
        })
    }
}

pub(super) type Result<T> = std::result::Result<T, EnterError>;

/// What a step fails with when the kernel refuses.
pub(super) fn failed<E: Into<io::Error>>(step: &Step) -> impl Fn(E) -> EnterError + '_ {
    |source| EnterError::Step {
        step: step.to_string(),
        source: source.into(),
    }
}
