//! Why a root is not entered.

use super::super::{private::NamespaceError, script};
use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{
    passes_on, report,
    report::Explain,
    words::{quote, show_file},
};
use crossmerge_portage::refusal::Refusal;
use crossmerge_system::file;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why there is nothing to enter.
#[derive(Debug, thiserror::Error)]
pub enum ChrootError {
    /// A look at the system failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// There are no rules.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An option that is none.
    #[error("there is no option `{0}`")]
    UnknownOption(String),
    /// An option that says nothing.
    #[error("`{0}` needs a value")]
    NoValue(String),
    /// There is no such directory.
    #[error("there is no root `{root}`: {source}", root = .root.display())]
    NoRoot {
        /// Its path.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is there, and is not entered.
    #[error(transparent)]
    Unreachable(io::Error),
    /// A file of the root is not read.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is where we are.
    #[error("`{root}` is the host's own root", root = .0.display())]
    OwnRoot(PathBuf),
    /// Nothing to log in with.
    #[error("`{root}` has no shell: neither `/bin/bash` nor `/bin/sh`", root = .0.display())]
    NoShell(PathBuf),
    /// The command is not in there.
    #[error("`{root}` has no command `{command}`", root = .root.display())]
    NoCommand {
        /// The root.
        root: PathBuf,
        /// What was asked for.
        command: String,
    },
    /// Nobody may run it.
    #[error("`{command}` in `{root}` is not executable", root = .root.display(), command = .command.display())]
    NotExecutable {
        /// The root.
        root: PathBuf,
        /// Its path in there.
        command: PathBuf,
    },
    /// It is neither ELF nor a script.
    #[error("`{command}` in `{root}` is no program", root = .root.display(), command = .command.display())]
    NoProgram {
        /// The root.
        root: PathBuf,
        /// Its path in there.
        command: PathBuf,
    },
    /// What it needs to start is not in there.
    #[error(
        "`{command}` needs `{needs}`, which is not in `{root}`{why}",
        command = .command.display(), needs = script::spelled(needs), root = .root.display(),
        why = if script::ends_in_cr(needs) { ": the script has CRLF line ends" } else { "" }
    )]
    NoInterpreter {
        /// The root.
        root: PathBuf,
        /// Its path in there.
        command: PathBuf,
        /// The dynamic linker, or the interpreter of a script.
        needs: PathBuf,
    },
    /// No QEMU has that CPU.
    #[error(
        "`{command}` is for a CPU (ELF machine {machine}, {bits} bits) that neither the host nor QEMU's user mode runs",
        command = .command.display()
    )]
    NoEmulation {
        /// Its path in the root.
        command: PathBuf,
        /// Its `e_machine`.
        machine: u16,
        /// Its class.
        bits: u8,
    },
    /// There is no way to run it under QEMU.
    #[error("programs in `{root}` run under QEMU: {why}", root = .root.display())]
    NoHandler {
        /// The root.
        root: PathBuf,
        /// Why there is no handler.
        why: NamespaceError,
    },
    /// Namespaces cannot be had.
    #[error(transparent)]
    NoNamespaces(NamespaceError),
    /// The root's passwd does not have the user.
    #[error("`{root}` has no user `{user}`", root = .root.display())]
    NoUser {
        /// The root.
        root: PathBuf,
        /// Who was asked for.
        user: String,
    },
    /// The user cannot be, since the id is not ours to give.
    #[error("user `{user}` has the id {uid} and group {gid} inside, and you have only {ids}")]
    UnmappedUser {
        /// The user.
        user: String,
        /// Their id.
        uid: u32,
        /// Their group.
        gid: u32,
        /// Those there are.
        ids: String,
    },
    /// There is nothing to bind.
    #[error("cannot bind `{path}`: {source}", path = .path.display())]
    NoSource {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It would be mounted on the root itself, or nobody knows where.
    #[error("cannot bind on `{place}`: the place is an absolute path inside, and not `/`", place = .0.display())]
    BadPlace(PathBuf),
}

impl Explain for ChrootError {
    passes_on!(Context, Config);

    fn own_hint(&self) -> Option<String> {
        let look = |root: &Path, path: &Path| {
            let path = crossmerge_plan::plan::step::inside(root, path);
            format!("look at it with `{}`", show_file(&path))
        };
        Some(match self {
            Self::Unreachable(e) => file::hint(e).unwrap_or_else(|| "name another root: `--root DIR`".into()),
            Self::Refused(refusal) => return refusal.hint(),
            Self::UnknownOption(_) | Self::NoValue(_) => "`--help` shows the options; those of the command come behind it".into(),
            Self::NoRoot { .. } | Self::OwnRoot(_) => "name the target's: `--root DIR`".into(),
            Self::NoShell(_) => "merge a shell into it, or name a command that it has".into(),
            Self::NoCommand { root, .. } => format!(
                "`ls {}` shows what it has; another root is named by `--root DIR`",
                quote(root.join("usr/bin").as_os_str())
            ),
            Self::NotExecutable { root, command } | Self::NoProgram { root, command } => look(root, command),
            Self::NoInterpreter { root, command, needs } if script::ends_in_cr(needs) => {
                let script = root.join(command.strip_prefix("/").unwrap_or(command));
                format!("`sed -i 's/\\r$//' {}`", quote(script.as_os_str()))
            }
            Self::NoInterpreter { .. } => "merge the package that has it into the root".into(),
            Self::NoEmulation { .. } => "`crossmerge binfmt status` lists the CPUs that QEMU knows".into(),
            Self::NoHandler { why, .. } | Self::NoNamespaces(why) => return why.hint(),
            Self::NoUser { root, .. } => format!(
                "its users are in `{}`; a number needs no entry there",
                root.join("etc/passwd").display()
            ),
            Self::UnmappedUser { .. } => {
                "root gives you more ids: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`, and `newuidmap` \
                 of the package shadow or uidmap"
                    .into()
            }
            Self::NoSource { source, .. } if file::hint(source).is_some() => file::hint(source).unwrap_or_default(),
            Self::NoSource { .. } | Self::BadPlace(_) => "`--bind SRC:DST`, both there, DST an absolute path as it is seen inside".into(),
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
