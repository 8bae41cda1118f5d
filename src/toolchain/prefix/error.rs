//! The errors of preparing a prefix, and their hints.

use crate::{config::ConfigError, target::TargetError};
use crossmerge_plan::{report::Explain, shown::Show, words::quote};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{io, path::PathBuf};

/// Why a prefix cannot be prepared or removed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages state what the variants mean")]
pub enum PrefixError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("the home directory is unknown, so there is no default directory for a prefix")]
    NoHome,
    #[error("`{path}` is not empty, and crossmerge did not make it", path = .0.shown())]
    Foreign(PathBuf),
    #[error("`{path}` contains a space, a quote or a `$`, which the build systems of toolchains do not support", path = .0.shown())]
    Name(PathBuf),
    #[error("`{path}` is not a record of crossmerge's: {why}", path = .path.shown())]
    Record { path: PathBuf, why: toml::de::Error },
    #[error("building a toolchain needs {needs}, which the build machine does not have", needs = list(.missing))]
    Missing {
        missing: Vec<String>,
        install: Option<String>,
    },
    #[error("the compiler `{compiler}` does not print its tuple", compiler = .0.shown())]
    NoMachine(PathBuf),
    #[error("`{path}` contains no source archive of a toolchain's part", path = .0.shown())]
    NoSources(PathBuf),
    #[error("{what} failed: `{command}`{lines}", lines = indented(.printed))]
    Failed {
        what: &'static str,
        command: String,
        printed: String,
    },
    #[error("the user ID {0} has no name, and Portage needs one")]
    NoUser(u32),
    #[error("the group ID {0} has no name, and Portage needs one")]
    NoGroup(u32),
    #[error("there is no prefix in `{path}`", path = .0.shown())]
    NoPrefix(PathBuf),
    #[error("`{directory}` contains toolchains: {names}", names = list(.categories), directory = .directory.shown())]
    HasToolchains {
        directory: PathBuf,
        categories: Vec<String>,
    },
}

/// Formats names for a sentence: `gcc`, `make` and `xz`.
fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Formats the output of a program below the error.
fn indented(printed: &str) -> String {
    let lines = printed.trim_end().lines();
    lines.map(|line| format!("\n    {line}")).collect()
}

impl Explain for PrefixError {
    fn passed_on(&self) -> Option<&dyn Explain> {
        match self {
            Self::Config(error) => Some(error),
            Self::Target(error) => Some(error),
            _ => None,
        }
    }

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => file::hint(e)?,
            Self::NoHome => "name one: `crossmerge toolchain prepare --prefix DIR`".into(),
            Self::Foreign(_) | Self::Name(_) => {
                "name another: `crossmerge toolchain prepare --prefix DIR`".into()
            }
            Self::Record { path, .. } => format!("remove it: `rm {}`", path.shown()),
            Self::Missing {
                install: Some(install),
                ..
            } => format!("`{install}`"),
            Self::Missing { .. } => {
                "install them with the package manager; a name that ends in `.h` is a header of a library".into()
            }
            Self::NoMachine(_) => "install GCC for the build machine itself".into(),
            Self::NoSources(_) => "it may contain `binutils-2.40.tar.xz`, or Debian's `binutils_2.40.orig.tar.xz`; without --sources, \
                 Portage downloads upstream's archives"
                .into(),
            Self::Failed { .. } => "fix that, and run `crossmerge toolchain prepare` again: it continues".into(),
            Self::NoUser(id) => format!("add it: `useradd --uid {id} NAME`"),
            Self::NoGroup(id) => format!("add it: `groupadd --gid {id} NAME`"),
            Self::NoPrefix(_) => "`crossmerge toolchain prepare` makes one".into(),
            Self::HasToolchains {
                directory,
                categories,
            } => {
                let emerge = quote(directory.join("usr/bin/emerge").as_os_str());
                let packages = categories.iter().map(|category| format!(" '{category}/*'"));
                format!("`{emerge} --unmerge{}`", packages.collect::<String>())
            }
            _ => return None,
        })
    }
}
