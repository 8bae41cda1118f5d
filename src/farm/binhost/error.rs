//! Why packages cannot be served or used.

use crate::{
    applet::AppletError, config::ConfigError, context::ContextError, distribution::Distribution,
    init::InitError,
};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, tuple::Tuple, words::quote_line};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{io, path::PathBuf};

/// Why packages cannot be served or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BinhostError {
    #[error(transparent)]
    Applet(#[from] AppletError),
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
    /// The host has no Portage.
    #[error("there is no Portage on the host, and only Portage makes binary packages")]
    NoPortage,
    /// A program that is needed is missing.
    #[error("there is no `{0}` in PATH")]
    NoProgram(&'static str),
    /// A program failed.
    #[error("{what} failed: {message}")]
    Failed {
        /// What was tried.
        what: String,
        /// The end of its output.
        message: String,
    },
    /// Packages of two machines would be in one directory.
    #[error("{text}")]
    Mixed {
        /// What shares the directory.
        text: String,
        /// The command that keeps them apart.
        fix: String,
    },
    /// The host serves packages of another machine.
    #[error("the packages at `{url}` are for `{theirs}`, not for `{own}`", url = .url.shown())]
    OtherChost {
        /// The address.
        url: String,
        /// The CHOST of the packages.
        theirs: String,
        /// The CHOST of the target.
        own: String,
    },
    /// The index cannot be fetched.
    #[error("cannot fetch `{url}`: {message}", url = .url.shown())]
    Fetch {
        /// The address.
        url: String,
        /// The last line of the program that fetches it.
        message: String,
    },
    /// The file is not an index of packages.
    #[error("`{url}` is not an index of binary packages", url = .url.shown())]
    NoIndex {
        /// The address.
        url: String,
    },
    /// The address is not one that Portage fetches packages from.
    #[error("`{url}` is not an address: it has no scheme, or contains white space", url = .url.shown())]
    NoAddress {
        /// The argument.
        url: String,
    },
    /// No key is known for the host.
    #[error("no key is known with which to verify the packages at `{url}`", url = .url.shown())]
    NoKey {
        /// The target.
        tuple: Tuple,
        /// The address.
        url: String,
    },
    /// The file has no public key.
    #[error("`{file}` contains no public key", file = .file.shown())]
    NotAKey {
        /// The file.
        file: PathBuf,
    },
    /// The file has a secret key.
    #[error("`{file}` contains a secret key, which belongs on the host that signs", file = .file.shown())]
    SecretKey {
        /// The file.
        file: PathBuf,
    },
    /// The key has expired, or was revoked.
    #[error("the key {fingerprint} in `{file}` is {state}", file = .file.shown())]
    BadKey {
        /// The file.
        file: PathBuf,
        /// The key.
        fingerprint: String,
        /// Why it cannot be used.
        state: &'static str,
    },
    /// The address is not used.
    #[error("`{tuple}` does not use packages from `{url}`", url = .url.shown())]
    NotUsed {
        /// The target.
        tuple: Tuple,
        /// The address.
        url: String,
    },
    /// This Portage verifies the packages of all hosts and its own, or none.
    #[error(
        "this Portage cannot verify the packages of one host only: it does not know `verify-signature` of binrepos.conf"
    )]
    OldPortage,
    /// GnuPG cannot make its sockets.
    #[error("`{home}` is too long a path for GnuPG's sockets", home = .home.shown())]
    LongPath {
        /// The directory of the key.
        home: PathBuf,
    },
    /// Portage verifies as a user who cannot read the keys.
    #[error("Portage verifies signatures as the user `nobody`, who may not enter `{directory}`", directory = .directory.shown())]
    NotReachable {
        /// The first directory that is closed.
        directory: PathBuf,
    },
}

impl From<FileError> for BinhostError {
    fn from(error: FileError) -> Self {
        Self::Io(error.into())
    }
}

impl Explain for BinhostError {
    passes_on!(Applet, Config, Context, Exec, Init);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(error) => file::hint(error)?,
            Self::NoPortage => Distribution::here().hint("emerge"),
            Self::NoProgram(program) => Distribution::here().hint(program),
            Self::Mixed { fix, .. } => {
                format!("keep them apart: `{fix}`")
            }
            Self::OtherChost { theirs, .. } => {
                format!("`crossmerge init {theirs}` makes a target for these packages")
            }
            Self::Fetch { .. } | Self::NoIndex { .. } => {
                "`crossmerge farm serve <tuple>` on the host prints what to serve, and at which address".into()
            }
            Self::NoAddress { .. } => "write it as `http://host/path`, without `/Packages`".into(),
            Self::NoKey { tuple, url } => format!(
                "copy `crossmerge.asc` from PKGDIR of the host, compare its fingerprint with that which `crossmerge farm serve {tuple}` prints there, and run `crossmerge farm use {tuple} {} --key crossmerge.asc`",
                quote_line(url.as_ref())
            ),
            Self::NotAKey { .. } | Self::SecretKey { .. } | Self::BadKey { .. } => {
                "`crossmerge farm serve <tuple>` on the host writes its public key to `crossmerge.asc` in PKGDIR".into()
            }
            Self::NotUsed { tuple, .. } => {
                format!("`crossmerge farm use {tuple} --remove` removes all addresses")
            }
            Self::OldPortage => "update it: `emerge --oneshot sys-apps/portage`".into(),
            Self::NotReachable { directory } => {
                format!("`chmod o+x {}`", quote_line(directory.as_os_str()))
            }
            Self::LongPath { .. } => {
                let user = nix::unistd::geteuid();
                format!("make a directory for them: `mkdir -p -m 700 /run/user/{user}`")
            }
            _ => return None,
        })
    }
}
