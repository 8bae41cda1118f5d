//! Why a program of the target does not run.

use super::super::{content::Content, install_hint, script};
use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{
    passes_on, report,
    report::Explain,
    words::{quote, show_file},
};
use crossmerge_system::{file, file::read};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A look at the system failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// There are no rules.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing was named.
    #[error("no program was named")]
    NoProgram {
        /// The tuple.
        tuple: String,
    },
    /// No file has the path.
    #[error("there is no `{path}`", path = .path.display())]
    NotThere {
        /// The path that was typed.
        path: PathBuf,
        /// The file of the sysroot that may have been meant.
        meant: Option<PathBuf>,
    },
    /// No program has the name.
    #[error("there is no program `{name}` in `{root}`, nor a file in this directory", root = .root.display())]
    NotFound {
        /// The name that was typed.
        name: String,
        /// The sysroot.
        root: PathBuf,
    },
    /// Nobody may run it.
    #[error("`{path}` is not executable", path = .0.display())]
    NotExecutable(PathBuf),
    /// It cannot be read, and so its architecture is not known.
    #[error("cannot read `{path}`: {reason}", path = .path.display(), reason = read::reason(source))]
    Unreadable {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error(
        "`{path}` is no program: neither ELF nor a script that begins with `#!`{what}",
        path = .path.display(), what = described(*content)
    )]
    NoElf {
        /// The file.
        path: PathBuf,
        /// What it is.
        content: Option<Content>,
        /// The tuple.
        tuple: String,
    },
    /// An object file, a core dump.
    #[error(
        "`{path}` is an ELF file and no program (ELF type {kind}){what}",
        path = .path.display(), what = described(*content)
    )]
    NoProgramType {
        /// The file.
        path: PathBuf,
        /// Its `e_type`.
        kind: u16,
        /// What it is.
        content: Option<Content>,
        /// The tuple.
        tuple: String,
    },
    /// Nobody may run it, and it would be no program if somebody might.
    #[error("`{path}` is no program: {what}", path = .path.display(), what = content.describe())]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// What it is.
        content: Content,
        /// The tuple.
        tuple: String,
    },
    /// The kernel does not find the interpreter of a script.
    #[error(
        "`{path}` needs the interpreter `{interpreter}`, which does not exist{why}",
        path = .path.display(), interpreter = script::spelled(interpreter), why = no_interpreter(interpreter, root)
    )]
    NoInterpreter {
        /// The script.
        path: PathBuf,
        /// What its first line names.
        interpreter: PathBuf,
        /// The sysroot.
        root: PathBuf,
    },
    /// The first line of a script names something that is no program.
    #[error(
        "`{path}` needs the interpreter `{interpreter}`, which is not executable",
        path = .path.display(), interpreter = script::spelled(interpreter)
    )]
    InterpreterNotExecutable {
        /// The script.
        path: PathBuf,
        /// What its first line names.
        interpreter: PathBuf,
        /// The file that it is.
        found: PathBuf,
    },
    /// Each script names another one as its interpreter.
    #[error("`{path}` is one script too many: more than {max} are each other's interpreters", path = .0.display(), max = script::DEPTH_MAX)]
    TooManyScripts(PathBuf),
    /// No QEMU has that CPU.
    #[error(
        "`{path}` is for a CPU (ELF machine {machine}, {bits} bits) that neither the host nor QEMU's user mode runs",
        path = .path.display()
    )]
    NoEmulation {
        /// The program.
        path: PathBuf,
        /// Its `e_machine`.
        machine: u16,
        /// Its class.
        bits: u8,
    },
    /// QEMU is not in PATH.
    #[error(
        "`{path}` needs `qemu-{qemu}` or `qemu-{qemu}-static`, and neither is in PATH{beside}",
        path = .path.display(), beside = beside(tuple, *is_of_target)
    )]
    NoQemu {
        /// The program.
        path: PathBuf,
        /// QEMU's target.
        qemu: String,
        /// The tuple.
        tuple: String,
        /// The tuple is the program's own.
        is_of_target: bool,
    },
    /// Its dynamic linker is not in the sysroot.
    #[error(
        "`{path}` needs the dynamic linker `{linker}`, which is not in `{root}`{beside}",
        path = .path.display(), linker = .linker.display(), root = .root.display(), beside = beside(tuple, *is_of_target)
    )]
    NoLinker {
        /// The program.
        path: PathBuf,
        /// What it asks for.
        linker: PathBuf,
        /// Where its libraries should be.
        root: PathBuf,
        /// The tuple.
        tuple: String,
        /// The tuple is the program's own.
        is_of_target: bool,
        /// QEMU_LD_PREFIX in the environment says where.
        from_environment: bool,
    },
}

impl Explain for RunError {
    passes_on!(Context, Config);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoProgram { tuple } => format!("`{tuple}-run ./program arguments…`"),
            Self::NotThere { meant: None, .. } => {
                "a name with a slash in it is a path of the host".into()
            }
            Self::NotThere {
                meant: Some(meant), ..
            } => format!(
                "a name with a slash in it is a path of the host; the target's is `{}`",
                meant.display()
            ),
            Self::NotFound { root, .. } => format!(
                "`ls {}` shows the target's programs; another file is named by its path, as `./program`",
                quote(root.join("usr/bin").as_os_str())
            ),
            Self::NotExecutable(path) => format!("`chmod +x {}`", quote(path.as_os_str())),
            Self::Unreadable { source, .. } => file::hint(source).unwrap_or_else(|| "look at its permissions".into()),
            Self::NoElf {
                path,
                content: Some(content),
                tuple,
            }
            | Self::NoProgramType {
                path,
                content: Some(content),
                tuple,
                ..
            }
            | Self::NotAProgram {
                path,
                content,
                tuple,
            } => content.hint(tuple, path),
            Self::NoElf { path, .. }
            | Self::NoProgramType { path, .. }
            | Self::NoEmulation { path, .. } => {
                format!("look at it with `{}`", show_file(path))
            }
            Self::NoInterpreter {
                path, interpreter, ..
            } if script::ends_in_cr(interpreter) => {
                format!("`sed -i 's/\\r$//' {}`", quote(path.as_os_str()))
            }
            Self::NoInterpreter { path, .. } | Self::TooManyScripts(path) => format!(
                "`head -n 1 {}` shows the line; merge the package of the interpreter for the target, or correct the line",
                quote(path.as_os_str())
            ),
            Self::InterpreterNotExecutable { found, .. } => {
                format!("`chmod +x {}`", quote(found.as_os_str()))
            }
            Self::NoQemu { qemu, .. } => install_hint(qemu),
            Self::NoLinker {
                from_environment: true,
                ..
            } => "QEMU_LD_PREFIX in the environment names it: `unset QEMU_LD_PREFIX`".into(),
            Self::NoLinker {
                tuple,
                is_of_target: true,
                ..
            } => format!(
                "merge the target's libc, or copy the toolchain's: `crossmerge init {tuple} --with-libc`"
            ),
            Self::NoLinker { .. } => {
                "run it by the name of its own target, or say in QEMU_LD_PREFIX where its libraries are".into()
            }
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::NotThere { .. }
            | Self::NotFound { .. }
            | Self::NoQemu { .. }
            | Self::NoInterpreter { .. } => report::NOT_FOUND,
            Self::NotExecutable(_)
            | Self::Unreadable { .. }
            | Self::NoElf { .. }
            | Self::NoProgramType { .. }
            | Self::NotAProgram { .. }
            | Self::InterpreterNotExecutable { .. }
            | Self::TooManyScripts(_)
            | Self::NoEmulation { .. }
            | Self::NoLinker { .. } => report::NOT_EXECUTABLE,
            Self::Config(_) | Self::NoProgram { .. } => report::OWN_FAILURE,
            _ => report::OWN_FAILURE,
        }
    }
}

/// Says that a program is not for the tuple; nothing where it is.
pub(super) fn beside(tuple: &str, is_of_target: bool) -> String {
    match is_of_target {
        true => String::new(),
        false => format!("; it is not for `{tuple}`"),
    }
}

/// What a file is, behind a message that names it.
pub(super) fn described(content: Option<Content>) -> String {
    content.map_or(String::new(), |content| format!("; {}", content.describe()))
}

/// Why there is no such interpreter.
pub(super) fn no_interpreter(interpreter: &Path, root: &Path) -> String {
    match script::ends_in_cr(interpreter) {
        true => ": the script has CRLF line ends".into(),
        false if interpreter.is_absolute() => {
            format!(", neither in `{}` nor on the host", root.display())
        }
        false => " in the current directory".into(),
    }
}
