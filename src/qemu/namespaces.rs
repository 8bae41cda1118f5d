//! What keeps a process from user namespaces, and from a binfmt_misc in one.

use crate::config::ConfigError;
use crossmerge_plan::{passes_on, report::Explain};
use std::{io, path::PathBuf};

/// The limit on the number of user namespaces.
pub(super) const MAX_USER_NAMESPACES: &str = "/proc/sys/user/max_user_namespaces";

/// Files that restrict user namespaces to root, with the value that does so.
pub(super) const KEPT_FROM_USERS: [(&str, &str); 2] = [
    // AppArmor's, in Ubuntu since 23.10.
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
    ),
    // Debian's, set by default up to Linux 5.10.
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
];

/// Why there is no per-namespace binfmt_misc.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The CPU profiles, from which the rules come, cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// QEMU does not emulate the target.
    #[error("QEMU's user mode runs no programs of `{0}`")]
    NotEmulated(String),
    /// QEMU is not installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NoQemu(String),
    /// QEMU is dynamically linked, and the root does not have its libraries.
    #[error("`{path}` is dynamically linked, and its libraries are not in the target's root", path = .path.display())]
    DynamicQemu {
        /// The program.
        path: PathBuf,
        /// QEMU's target.
        qemu: String,
    },
    /// The kernel has only one binfmt_misc.
    #[error(
        "Linux {0} has one binfmt_misc for all users: a per-namespace binfmt_misc needs Linux 6.7"
    )]
    OldKernel(String),
    /// The kernel has no binfmt_misc.
    #[error("the kernel has no binfmt_misc")]
    NoBinfmtMisc,
    /// The limit of user namespaces is 0.
    #[error("user namespaces are disabled: {MAX_USER_NAMESPACES} is 0")]
    NoNamespaces,
    /// Only root may create user namespaces.
    #[error("ordinary users may not create user namespaces: {0} forbids it")]
    KeptFromUsers(&'static str),
    /// The id maps in `/proc` cannot be read.
    #[error("cannot read the ids of this process: {0}")]
    Ids(io::Error),
    /// An attempt failed.
    #[error("a user namespace with its own binfmt_misc does not work on the host: {0}")]
    DoesNotWork(String),
}

impl Explain for NamespaceError {
    passes_on!(Config);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NotEmulated(tuple) => format!("`crossmerge show {tuple}` prints QEMU's name for it"),
            Self::NoQemu(qemu) | Self::DynamicQemu { qemu, .. } => super::install_hint(qemu),
            Self::OldKernel(_) | Self::NoNamespaces => {
                "the host's own binfmt_misc works too: as root, `crossmerge binfmt register <tuple>`".into()
            }
            Self::NoBinfmtMisc => "`modprobe binfmt_misc`, or a kernel with CONFIG_BINFMT_MISC".into(),
            Self::KeptFromUsers(file) => {
                let name = file.trim_start_matches("/proc/sys/").replace('/', ".");
                let open = KEPT_FROM_USERS.iter().find(|(kept, _)| kept == file);
                let value = if open.is_some_and(|(_, says)| *says == "1") { 0 } else { 1 };
                format!("as root, `sysctl -w {name}={value}` allows it; or run this as root")
            }
            Self::Ids(_) => "mount /proc".into(),
            Self::DoesNotWork(_) => {
                "a container may forbid it; the host's own binfmt_misc works too: as root, `crossmerge binfmt register <tuple>`"
                    .into()
            }
            _ => return None,
        })
    }
}
