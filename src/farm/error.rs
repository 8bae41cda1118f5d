//! Why a farm could not be set up or examined.

use crate::{config::ConfigError, context::ContextError, init::InitError};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, tuple::Tuple, words::quote_line};
use crossmerge_system::{exec::ExecError, file};
use std::{io, path::PathBuf};

/// Why a farm could not be set up or examined.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages state what the variants mean")]
pub enum FarmError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The program is not in PATH.
    #[error("`{program}` is not installed")]
    NotInstalled {
        program: &'static str,
        install: Option<String>,
    },
    /// A shell finds no compiler of the target.
    #[error("PATH contains no compiler for `{0}`")]
    NoCompiler(Tuple),
    /// A file exists where a symlink belongs.
    #[error("`{path}` exists, and does not lead to the program", path = .path.shown())]
    Occupied { path: PathBuf },
    /// The user may not write there.
    #[error("cannot write to `{directory}`: {why}", directory = .directory.shown())]
    NotWritable { directory: PathBuf, why: io::Error },
    /// The value would mean something else in make.conf.
    #[error("{name} cannot be `{value}`: it contains a character that make.conf interprets")]
    Value { name: &'static str, value: String },
}

impl Explain for FarmError {
    passes_on!(Config, Context, Exec, Init);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => return file::hint(e),
            Self::NotInstalled { install, .. } => match install {
                Some(install) => format!("`{install}` installs it"),
                None => "install it".into(),
            },
            Self::NoCompiler(tuple) => format!("`crossmerge doctor {tuple}` finds the cause"),
            Self::Occupied { path } => {
                let path = quote_line(path.as_os_str());
                format!("move it: `mv {path} {path}.old`")
            }
            Self::NotWritable { .. } => "run it as root".into(),
            Self::Value { .. } => {
                "choose a value without quotes, backslashes and dollar signs".into()
            }
            _ => return None,
        })
    }
}
