//! Errors of `<tuple>-run`.

use super::super::{content::Content, install_hint};
use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{
    passes_on,
    report::{self, Explain},
    words::{quote, show_file},
};
use crossmerge_system::{
    file::{self, read},
    script,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The CPU profiles, from which the rules come, cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The option of a program that writes into a root names the host's root.
    #[error("`{option}` names the host's root, and `{tuple}` needs another one")]
    HostRoot {
        /// The option.
        option: &'static str,
        /// The tuple.
        tuple: String,
    },
    /// The command line names no program.
    #[error("no program was named")]
    NoProgram {
        /// The tuple.
        tuple: String,
    },
    /// The file does not exist.
    #[error("there is no `{path}`", path = .path.display())]
    Missing {
        /// The path on the command line.
        path: PathBuf,
        /// The file in the sysroot that may have been meant.
        meant: Option<PathBuf>,
    },
    /// No program has this name.
    #[error("there is no program `{name}` in `{root}`, nor a file in the current directory", root = .root.display())]
    NotFound {
        /// The name on the command line.
        name: String,
        /// The sysroot.
        root: PathBuf,
    },
    /// The target's libc lacks one of its programs.
    #[error("the target's libc in `{root}` has no `{name}`", root = .root.display())]
    NotInLibc {
        /// The name of the program.
        name: &'static str,
        /// The first root that was searched.
        root: PathBuf,
    },
    /// The file is not executable.
    #[error("`{path}` is not executable", path = .0.display())]
    NotExecutable(PathBuf),
    /// The file cannot be read, so its architecture is not known.
    #[error("cannot read `{path}`: {reason}", path = .path.display(), reason = read::reason(source))]
    Unreadable {
        /// The program.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The file is neither ELF nor a script.
    #[error(
        "`{path}` is not a program: neither ELF nor a script that begins with `#!`{what}",
        path = .path.display(), what = described(*content)
    )]
    NoElf {
        /// The file.
        path: PathBuf,
        /// The kind of file, if it is known.
        content: Option<Content>,
        /// The tuple.
        tuple: String,
    },
    /// An ELF file that is not a program: an object file, a core dump.
    #[error(
        "`{path}` is an ELF file, but not a program (ELF type {kind}){what}",
        path = .path.display(), what = described(*content)
    )]
    NoProgramType {
        /// The file.
        path: PathBuf,
        /// Its `e_type`.
        kind: u16,
        /// The kind of file, if it is known.
        content: Option<Content>,
        /// The tuple.
        tuple: String,
    },
    /// The file is not executable, and is not a program anyway.
    #[error("`{path}` is not a program: {what}", path = .path.display(), what = content.describe())]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// The kind of file, if it is known.
        content: Content,
        /// The tuple.
        tuple: String,
    },
    /// The interpreter of a script does not exist.
    #[error(
        "`{path}` needs the interpreter `{interpreter}`, which does not exist{why}",
        path = .path.display(), interpreter = script::spelled(interpreter), why = no_interpreter(interpreter, root)
    )]
    NoInterpreter {
        /// The script.
        path: PathBuf,
        /// The interpreter that its first line names.
        interpreter: PathBuf,
        /// The sysroot.
        root: PathBuf,
    },
    /// The interpreter of a script is not executable.
    #[error(
        "`{path}` needs the interpreter `{interpreter}`, which is not executable",
        path = .path.display(), interpreter = script::spelled(interpreter)
    )]
    InterpreterNotExecutable {
        /// The script.
        path: PathBuf,
        /// The interpreter that its first line names.
        interpreter: PathBuf,
        /// The path of the interpreter on the host.
        found: PathBuf,
    },
    /// Too many scripts are each other's interpreters.
    #[error("`{path}` needs more than {max} scripts, each the interpreter of the one before", path = .0.display(), max = script::DEPTH_MAX)]
    TooManyScripts(PathBuf),
    /// QEMU does not emulate the CPU.
    #[error(
        "`{path}` is for a CPU (ELF machine {machine}, {bits} bits) that neither the host nor QEMU's user mode runs",
        path = .path.display()
    )]
    NoEmulation {
        /// The program.
        path: PathBuf,
        /// Its `e_machine`.
        machine: u16,
        /// The word size of its ELF class.
        bits: u8,
    },
    /// QEMU is not installed.
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
        /// Whether the program is for this tuple.
        is_of_target: bool,
    },
    /// The sysroot lacks the program's dynamic linker.
    #[error(
        "`{path}` needs the dynamic linker `{linker}`, which is not in `{root}`{beside}",
        path = .path.display(), linker = .linker.display(), root = .root.display(), beside = beside(tuple, *is_of_target)
    )]
    NoLinker {
        /// The program.
        path: PathBuf,
        /// The path of the dynamic linker.
        linker: PathBuf,
        /// The directory in which its libraries are expected.
        root: PathBuf,
        /// The tuple.
        tuple: String,
        /// Whether the program is for this tuple.
        is_of_target: bool,
        /// Whether the directory comes from QEMU_LD_PREFIX.
        from_environment: bool,
        /// Whether the compiler is Zig, which has no dynamic linker to copy.
        is_zigs: bool,
    },
}

impl Explain for RunError {
    passes_on!(Context, Config);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::HostRoot { option, .. } => {
                format!("omit `{option}` for the target's ROOT, or name another directory")
            }
            Self::NoProgram { tuple } => format!("`{tuple}-run ./program arguments…`"),
            Self::Missing { meant: None, .. } => {
                "a name with a slash is a path on the host".into()
            }
            Self::Missing {
                meant: Some(meant), ..
            } => format!(
                "a name with a slash is a path on the host; the target's is `{}`",
                meant.display()
            ),
            Self::NotFound { root, .. } => format!(
                "`ls {}` shows the target's programs; name another file by its path, as `./program`",
                quote(root.join("usr/bin").as_os_str())
            ),
            Self::NotInLibc { .. } => {
                "glibc has it: merge sys-libs/glibc for the target; other libcs have none".into()
            }
            Self::NotExecutable(path) => format!("`chmod +x {}`", quote(path.as_os_str())),
            Self::Unreadable { source, .. } => file::hint(source).unwrap_or_else(|| "check its permissions".into()),
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
                format!("examine it with `{}`", show_file(path))
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
            } => "QEMU_LD_PREFIX in the environment names that directory: `unset QEMU_LD_PREFIX`".into(),
            Self::NoLinker {
                is_of_target: true,
                is_zigs: true,
                ..
            } => "Zig has no dynamic linker: merge the target's libc, or link with `-static`".into(),
            Self::NoLinker {
                tuple,
                is_of_target: true,
                ..
            } => format!(
                "merge the target's libc, or copy the toolchain's: `crossmerge init {tuple} --with-libc`"
            ),
            Self::NoLinker { .. } => {
                "run it with `<tuple>-run` of its own target, or set QEMU_LD_PREFIX to the root with its libraries".into()
            }
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::Missing { .. }
            | Self::NotFound { .. }
            | Self::NotInLibc { .. }
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
            Self::Config(_) | Self::HostRoot { .. } | Self::NoProgram { .. } => report::OWN_FAILURE,
            _ => report::OWN_FAILURE,
        }
    }
}

/// Returns a clause for a program that is not for the tuple, else nothing.
pub(super) fn beside(tuple: &str, is_of_target: bool) -> String {
    match is_of_target {
        true => String::new(),
        false => format!("; it is not for `{tuple}`"),
    }
}

/// Returns a clause that describes a file, for the end of a message.
pub(super) fn described(content: Option<Content>) -> String {
    content.map_or(String::new(), |content| format!("; {}", content.describe()))
}

/// Returns the reason why the interpreter does not exist.
pub(super) fn no_interpreter(interpreter: &Path, root: &Path) -> String {
    match script::ends_in_cr(interpreter) {
        true => ": the script has CRLF line ends".into(),
        false if interpreter.is_absolute() => {
            format!(", neither in `{}` nor on the host", root.display())
        }
        false => " in the current directory".into(),
    }
}
