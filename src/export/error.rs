//! Why there is no file for a build system.

use crate::context::ContextError;
use crossmerge_plan::{passes_on, report::Explain, words::quote};
use crossmerge_system::file;
use std::{io, path::PathBuf};

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Nothing to compile with.
    #[error(
        "there is no compiler for `{tuple}`: neither `{tuple}-gcc` nor `{tuple}-clang` is in PATH"
    )]
    NoCompiler {
        /// The tuple.
        tuple: String,
        /// The prefix of a toolchain that may be the target's; none where none was seen.
        toolchain: Option<String>,
    },
    /// The build system has no name for the target.
    #[error("`{tuple}` has no {what}, as far as is known")]
    NoName {
        /// The tuple.
        tuple: String,
        /// What is missing.
        what: &'static str,
        /// The key in `profiles/`; none where it cannot be taught.
        key: Option<&'static str>,
        /// The directory of a user's own profiles.
        directory: String,
    },
    /// A variable of the caller's would turn the build into one for another machine.
    #[error("{message}")]
    Overridden {
        /// The variable.
        name: &'static str,
        /// The variable, its value, and for which machine it builds.
        message: String,
    },
    /// A value that the file's form cannot hold.
    #[error("{value:?} cannot stand in {file}: {reason}")]
    Unwritable {
        /// The value.
        value: PathBuf,
        /// The kind of file.
        file: &'static str,
        /// What is wrong with the value.
        reason: &'static str,
    },
    /// A file of somebody's is in the way.
    #[error("`{path}` is there, and was not made by `crossmerge {command}`", path = .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The command that would have made it.
        command: String,
    },
    /// A directory is in the way.
    #[error("`{path}` is a directory", path = .path.display())]
    IsADirectory {
        /// The directory.
        path: PathBuf,
        /// What the file could be called.
        name: &'static str,
    },
    /// A device or a pipe is in the way.
    #[error("`{path}` is no regular file, and is not replaced by one", path = .0.display())]
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
            Self::Unwritable { .. } => "choose a place whose name is plain text".into(),
            Self::NotOurs { path, command } => format!(
                "`crossmerge {command} --force {}` replaces it",
                quote(path.as_os_str())
            ),
            Self::IsADirectory { path, name } => {
                let file = path.join(name);
                format!("name the file: {}", quote(file.as_os_str()))
            }
            Self::NotAFile(_) => "name another place, or none, and the text is printed".into(),
            Self::File(e) => {
                file::hint(e).unwrap_or_else(|| "look at the permissions of its directory".into())
            }
            _ => return None,
        })
    }
}
