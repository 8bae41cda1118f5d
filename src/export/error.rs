//! Errors of exports.

use crate::context::ContextError;
use crossmerge_plan::{passes_on, report::Explain, words::quote};
use crossmerge_system::file;
use std::{io, path::PathBuf};

/// Why there is no file for a build system.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The target has no compiler.
    #[error(
        "there is no compiler for `{tuple}`: neither `{tuple}-gcc` nor `{tuple}-clang` is in PATH"
    )]
    NoCompiler {
        /// The tuple.
        tuple: String,
        /// The prefix of an installed toolchain that may be the target's. `None` if there is none.
        toolchain: Option<String>,
    },
    /// No name of the build system is known for the target.
    #[error("`{tuple}` has no known {what}")]
    NoName {
        /// The tuple.
        tuple: String,
        /// The missing name, such as `GOOS`.
        what: &'static str,
        /// The key in `profiles/`. `None` if a profile cannot set it.
        key: Option<&'static str>,
        /// The directory of a user's own profiles.
        directory: String,
    },
    /// A variable that the caller set would make the build one for another machine.
    #[error("{message}")]
    Overridden {
        /// The variable.
        name: &'static str,
        /// The variable, its value, and for which machine it builds.
        message: String,
    },
    /// The file format cannot express a value.
    #[error("cannot write {value:?} to {file}: {reason}")]
    Unwritable {
        /// The value.
        value: PathBuf,
        /// The kind of file.
        file: &'static str,
        /// The reason.
        reason: &'static str,
    },
    /// The file exists, and was not made by crossmerge.
    #[error("`{path}` exists, and was not made by `crossmerge {command}`", path = .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The command that would have made it.
        command: String,
    },
    /// The path is a directory.
    #[error("`{path}` is a directory", path = .path.display())]
    IsADirectory {
        /// The directory.
        path: PathBuf,
        /// A name for the file.
        name: &'static str,
    },
    /// The path is a device or a pipe.
    #[error("`{path}` is not a regular file, and is not replaced", path = .0.display())]
    NotAFile(PathBuf),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl Explain for ExportError {
    passes_on!(Context);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCompiler { tuple, toolchain } => {
                let prefix = toolchain.as_deref().unwrap_or("PREFIX");
                format!("adopt a toolchain with `crossmerge init {tuple} --toolchain {prefix}`")
            }
            Self::NoName {
                key: Some(key),
                directory,
                ..
            } => format!(
                "if there is one, add it: set `{key}` in your own file in `{directory}`; profiles/README.md describes the format"
            ),
            Self::NoName { tuple, .. } => {
                format!("`{tuple}-env` and make build for any system")
            }
            Self::Overridden { name, .. } => format!("`unset {name}`"),
            Self::Unwritable { .. } => "use a path of plain text".into(),
            Self::NotOurs { path, command } => format!(
                "`crossmerge {command} --force {}` replaces it",
                quote(path.as_os_str())
            ),
            Self::IsADirectory { path, name } => {
                let file = path.join(name);
                format!("name the file: {}", quote(file.as_os_str()))
            }
            Self::NotAFile(_) => "name another file; without one, the text is printed".into(),
            Self::File(e) => {
                file::hint(e).unwrap_or_else(|| "check the permissions of its directory".into())
            }
            _ => return None,
        })
    }
}
