//! Errors of `<tuple>-chroot`.

use super::super::private::NamespaceError;
use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{
    passes_on,
    report::{self, Explain},
    words::{quote, show_file},
};
use crossmerge_portage::error::SettingsError;
use crossmerge_system::{file, script};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the root is not entered.
#[derive(Debug, thiserror::Error)]
pub enum ChrootError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The CPU profiles, from which the rules come, cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An unknown option.
    #[error("there is no option `{0}`")]
    UnknownOption(String),
    /// An option without its value.
    #[error("`{0}` needs a value")]
    NoValue(String),
    /// The directory does not exist.
    #[error("there is no root `{root}`: {source}", root = .root.display())]
    NoRoot {
        /// The path of the root.
        root: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The directory exists, and cannot be opened.
    #[error(transparent)]
    Unreachable(io::Error),
    /// A file of the root is rejected.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The root is the host's own.
    #[error("`{root}` is the host's own root", root = .0.display())]
    OwnRoot(PathBuf),
    /// The root has no shell.
    #[error("`{root}` has no shell: neither `/bin/bash` nor `/bin/sh`", root = .0.display())]
    NoShell(PathBuf),
    /// The root does not contain the command.
    #[error("`{root}` has no command `{command}`", root = .root.display())]
    NoCommand {
        /// The root.
        root: PathBuf,
        /// The command.
        command: String,
    },
    /// The file is not executable.
    #[error("`{command}` in `{root}` is not executable", root = .root.display(), command = .command.display())]
    NotExecutable {
        /// The root.
        root: PathBuf,
        /// The command's path in the root.
        command: PathBuf,
    },
    /// The command is neither ELF nor a script.
    #[error("`{command}` in `{root}` is not a program", root = .root.display(), command = .command.display())]
    NoProgram {
        /// The root.
        root: PathBuf,
        /// The command's path in the root.
        command: PathBuf,
    },
    /// The interpreter or dynamic linker of the command is missing from the root.
    #[error(
        "`{command}` needs `{needs}`, which is not in `{root}`{why}",
        command = .command.display(), needs = script::spelled(needs), root = .root.display(),
        why = if script::ends_in_cr(needs) { ": the script has CRLF line ends" } else { "" }
    )]
    NoInterpreter {
        /// The root.
        root: PathBuf,
        /// The command's path in the root.
        command: PathBuf,
        /// The dynamic linker, or the interpreter of a script.
        needs: PathBuf,
    },
    /// QEMU does not emulate the CPU.
    #[error(
        "`{command}` is for a CPU (ELF machine {machine}, {bits} bits) that neither the host nor QEMU's user mode runs",
        command = .command.display()
    )]
    NoEmulation {
        /// The command's path in the root.
        command: PathBuf,
        /// The command's `e_machine`.
        machine: u16,
        /// The word size of the command's ELF class.
        bits: u8,
    },
    /// The command cannot run under QEMU.
    #[error("programs in `{root}` run under QEMU: {why}", root = .root.display())]
    NoHandler {
        /// The root.
        root: PathBuf,
        /// The reason.
        why: NamespaceError,
    },
    /// Namespaces are not available.
    #[error(transparent)]
    NoNamespaces(NamespaceError),
    /// The user has no ids but their own.
    #[error("`{user}` has no subordinate user and group ids, which the owners of files need")]
    NoSubordinateIds {
        /// The user's name or number.
        user: String,
    },
    /// A program that maps subordinate ids is missing.
    #[error("`{program}` is not installed, and the owners of files need it")]
    NoMapProgram {
        /// Its name.
        program: &'static str,
        /// The command that installs it.
        hint: String,
    },
    /// The root's passwd has no such user.
    #[error("`{root}` has no user `{user}`", root = .root.display())]
    NoUser {
        /// The root.
        root: PathBuf,
        /// The requested user.
        user: String,
    },
    /// The user's ids are not mapped in the user namespace.
    #[error("user `{user}` has the id {uid} and group {gid} in the root, and you have only {ids}")]
    UnmappedUser {
        /// The user.
        user: String,
        /// Their user id.
        uid: u32,
        /// Their group id.
        gid: u32,
        /// The user ids that are mapped.
        ids: String,
    },
    /// The source of a bind mount cannot be opened.
    #[error("cannot bind `{path}`: {source}", path = .path.display())]
    NoSource {
        /// The path.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The mount point is relative, or is the root itself.
    #[error("cannot bind on `{place}`: it must be an absolute path in the root other than `/`", place = .0.display())]
    BadPlace(PathBuf),
}

impl Explain for ChrootError {
    passes_on!(Context, Config);

    fn own_hint(&self) -> Option<String> {
        let examine = |root: &Path, path: &Path| {
            let path = crossmerge_plan::plan::step::inside(root, path);
            format!("examine it with `{}`", show_file(&path))
        };
        Some(match self {
            Self::Unreachable(e) => file::hint(e).unwrap_or_else(|| "name another root: `--root DIR`".into()),
            Self::Settings(error) => return error.hint(),
            Self::UnknownOption(_) | Self::NoValue(_) => "`--help` shows the options; those of the command follow it".into(),
            Self::NoRoot { .. } | Self::OwnRoot(_) => "name the target's root: `--root DIR`".into(),
            Self::NoShell(_) => "merge a shell into it, or name a command that it has".into(),
            Self::NoCommand { root, .. } => format!(
                "`ls {}` shows what it has; name another root with `--root DIR`",
                quote(root.join("usr/bin").as_os_str())
            ),
            Self::NotExecutable { root, command } | Self::NoProgram { root, command } => examine(root, command),
            Self::NoInterpreter { root, command, needs } if script::ends_in_cr(needs) => {
                let script = root.join(command.strip_prefix("/").unwrap_or(command));
                format!("`sed -i 's/\\r$//' {}`", quote(script.as_os_str()))
            }
            Self::NoInterpreter { .. } => "merge the package that contains it into the root".into(),
            Self::NoEmulation { .. } => "`crossmerge binfmt status` lists the CPUs that QEMU knows".into(),
            Self::NoHandler { why, .. } | Self::NoNamespaces(why) => return why.hint(),
            Self::NoUser { root, .. } => format!(
                "its users are in `{}`; a number needs no entry there",
                root.join("etc/passwd").display()
            ),
            Self::NoMapProgram { hint, .. } => hint.clone(),
            Self::NoSubordinateIds { user } => format!(
                "as root, `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}`; or call the command as root"
            ),
            Self::UnmappedUser { .. } => {
                "as root, assign more ids: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`, and `newuidmap` \
                 of the package shadow or uidmap"
                    .into()
            }
            Self::NoSource { source, .. } if file::hint(source).is_some() => file::hint(source).unwrap_or_default(),
            Self::NoSource { .. } | Self::BadPlace(_) => "`--bind SRC:DST`, where SRC exists and DST is an absolute path in the root".into(),
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::NoCommand { .. } | Self::NoShell(_) => report::NOT_FOUND,
            Self::NotExecutable { .. }
            | Self::NoProgram { .. }
            | Self::NoInterpreter { .. }
            | Self::NoEmulation { .. } => report::NOT_EXECUTABLE,
            _ => report::OWN_FAILURE,
        }
    }
}

pub(super) type Result<T> = std::result::Result<T, ChrootError>;
