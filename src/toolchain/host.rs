//! The build machine, as far as a toolchain depends on it.

use super::{abi::AbiSettings, error::ToolchainError};
use crossmerge_plan::tuple::Tuple;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The Portage of the build machine, and the settings of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolchainHost {
    /// The prefix of Portage: empty, or an absolute path.
    pub(crate) eprefix: String,
    /// The directory `etc/portage`.
    pub(crate) settings: PathBuf,
    /// The main repository.
    pub(crate) main: Repository,
    /// The other repositories, in the order in which packages are searched.
    pub(crate) repositories: Vec<Repository>,
    /// Portage's ARCH.
    pub(crate) arch: String,
    pub(crate) chost: Tuple,
    /// The ABI of the toolchain's programs.
    pub(crate) abi: String,
    /// The tuples of all ABIs.
    pub(crate) chosts: Vec<String>,
    /// The directory of the logs.
    pub(crate) logs: PathBuf,
    /// USE of the caller's environment.
    pub(crate) flags: Vec<String>,
    /// FEATURES of the caller's environment.
    pub(crate) features: String,
    /// The code generators of the installed LLVM. `None` without LLVM.
    pub(crate) llvm_targets: Option<BTreeSet<String>>,
    /// The distribution's clang, for the Portage of crossmerge's own prefix. `None` for another Portage, which has its own.
    pub(crate) clang: Option<PathBuf>,
    /// Further variables for every ebuild, from the user's `crossdev/<tuple>`.
    pub(crate) variables: BTreeMap<String, String>,
}

/// An ebuild repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl ToolchainHost {
    /// Returns a path below the prefix.
    pub(crate) fn below(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("{}/{path}", self.eprefix))
    }

    /// Returns the sysroot of a target.
    pub(crate) fn sysroot(&self, tuple: &Tuple) -> PathBuf {
        self.below(&format!("usr/{tuple}"))
    }

    /// Returns the path of clang's settings for a target.
    pub(crate) fn clang_settings(&self, tuple: &Tuple) -> PathBuf {
        self.below(&format!("etc/clang/cross/{tuple}.cfg"))
    }

    /// Returns the ABI settings of the toolchain's own programs.
    pub(crate) fn abis(&self, wanted: Option<&str>) -> AbiSettings {
        let abi = wanted.unwrap_or(&self.abi).to_owned();
        AbiSettings::of(&self.chost, &[abi])
    }
}

/// Refuses a ROOT other than `/`: the ebuilds install the toolchain into the build machine's root.
pub(crate) fn check_root(root: Option<&str>) -> Result<(), ToolchainError> {
    match root {
        None | Some("" | "/") => Ok(()),
        Some(root) => Err(ToolchainError::Root { root: root.into() }),
    }
}
