//! Errors of lookups.

use crate::{config::ConfigError, distribution::Distribution};
use crossmerge_plan::{
    passes_on,
    report::{self, Explain},
    tuple::Tuple,
    words::quote,
};
use crossmerge_portage::PortageError;
use crossmerge_system::search::SearchError;
use std::path::PathBuf;

/// Why a lookup failed.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Portage's settings could not be obtained.
    #[error(transparent)]
    Portage(#[from] PortageError),
    /// The command takes its tuple from CHOST, and CHOST is not set.
    #[error("`{name}` takes its tuple from CHOST, which is not set")]
    NoChost {
        /// The name of the command.
        name: String,
    },
    /// CHOST does not contain a valid tuple.
    #[error("CHOST in the environment: {0}")]
    Chost(crossmerge_plan::tuple::TupleError),
    /// The sysroot does not exist.
    #[error("the sysroot `{sysroot}` of `{tuple}` does not exist", sysroot = .sysroot.display())]
    NoSysroot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the sysroot.
        sysroot: PathBuf,
        /// Whether the path comes from SYSROOT in the environment.
        from_environment: bool,
    },
    /// An environment variable for a directory contains a relative path, which each program would resolve from its own
    /// working directory.
    #[error("{variable} is `{value}`, which is not an absolute path", value = .value.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: PathBuf,
    },
    /// The sysroot is the host's root, so packages for the target would overwrite those of the host.
    #[error("the sysroot `{sysroot}` of `{tuple}` is the host's own root", sysroot = .sysroot.display())]
    HostRoot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the sysroot.
        sysroot: PathBuf,
        /// Whether the path comes from SYSROOT in the environment.
        from_environment: bool,
    },
    /// ROOT is the host's root, so packages for the target would overwrite those of the host.
    #[error("ROOT is `{root}`, the host's own root: packages for `{tuple}` would be merged into it", root = .root.display())]
    HostIsRoot {
        /// The tuple.
        tuple: Tuple,
        /// ROOT in the environment.
        root: PathBuf,
    },
    /// The directory of the target's Portage configuration does not exist.
    #[error("the directory `{configroot}`, which should contain `etc/portage` of `{tuple}`, does not exist", configroot = .configroot.display())]
    NoConfigroot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the directory.
        configroot: PathBuf,
        /// The environment variable that determines the path.
        variable: &'static str,
    },
    /// A program was not found in PATH.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Explain for ContextError {
    passes_on!(Config, Portage, Chost);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoChost { .. } => {
                "call it as `CHOST=<tuple> …`, or by the name `<tuple>-emerge`".into()
            }
            Self::NoSysroot {
                from_environment: true,
                ..
            }
            | Self::HostRoot {
                from_environment: true,
                ..
            } => "SYSROOT in the environment names it: `unset SYSROOT`".into(),
            Self::Relative { variable, value } => format!(
                "`unset {variable}`, or set the absolute path: `export {variable}={}`",
                quote(
                    std::path::absolute(value)
                        .unwrap_or_else(|_| value.clone())
                        .as_os_str()
                )
            ),
            Self::HostRoot { tuple, .. } => {
                format!("use another directory: `crossmerge init {tuple} --sysroot DIR`")
            }
            Self::NoSysroot { tuple, .. } => format!("make it with `crossmerge init {tuple}`"),
            Self::HostIsRoot { .. } => {
                "`unset ROOT`, or name a directory for the target: `export ROOT=/mnt/board`".into()
            }
            Self::NoConfigroot { variable, .. } => {
                format!("{variable} in the environment names it: `unset {variable}`")
            }
            Self::Search(SearchError::NoTool { program }) => Distribution::here().hint(program),
            Self::Search(SearchError::NotExecutable { path }) => {
                format!("`chmod +x {}`", path.display())
            }
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::Search(e) => e.exit_code(),
            _ => report::OWN_FAILURE,
        }
    }
}
