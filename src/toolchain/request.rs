//! What was asked for: the options of `crossmerge toolchain` and of `crossdev`.

use super::{
    class::{Package, Part},
    version::WantedVersion,
};
use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// A toolchain that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolchainRequest {
    pub(crate) tuple: Tuple,
    /// Whether clang is the compiler instead of GCC.
    pub(crate) llvm: bool,
    /// The last stage, if it is not that of the target's class.
    pub(crate) stage: Option<u8>,
    /// The ABIs to build for, the default first. Empty: the CPU's default.
    pub(crate) abis: Vec<String>,
    /// The ABI of the toolchain's own programs. `None`: that of the build machine.
    pub(crate) host_abi: Option<String>,
    /// Whether the versions are stable ones, unless another is asked for.
    pub(crate) stable: bool,
    pub(crate) parts: BTreeMap<Part, PartRequest>,
    /// The environment of all ebuilds: lines of assignments.
    pub(crate) environment: String,
    /// The repositories in which packages are searched. `None`: all that are configured.
    pub(crate) search: Option<Vec<PathBuf>>,
    /// The repository to which the category is written. `None`: see [`super::overlay`].
    pub(crate) output: Option<PathBuf>,
    /// Further options of every emerge.
    pub(crate) emerge_options: Vec<String>,
    /// Whether the headers come before the first compiler. `None`: as the class needs it.
    pub(crate) headers: Option<bool>,
    /// Whether GCC uses POSIX threads on a system that has others.
    #[serde(default)]
    pub(crate) posix_threads: bool,
    /// Whether the stages are built at all. Without them, only what `extra` lists is.
    pub(crate) stages: bool,
    /// What is built after the stages.
    pub(crate) extra: Vec<Extra>,
}

/// What was asked for one part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartRequest {
    pub(crate) version: Option<WantedVersion>,
    /// The environment of its ebuild: lines of assignments.
    pub(crate) environment: String,
    pub(crate) category: Option<String>,
    pub(crate) name: Option<String>,
    /// The repository that contains its ebuild.
    pub(crate) repository: Option<PathBuf>,
}

/// A package that is built after the stages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Extra {
    /// GCC again, with the USE flags that the user has configured.
    Gcc,
    /// The debugger.
    Gdb,
    /// Any package, which is linked into the toolchain's category, and the repository that contains it.
    Package(Package, Option<PathBuf>),
}

impl ToolchainRequest {
    /// Returns a request for the usual toolchain of a target, with GCC or with clang.
    pub(crate) fn new(tuple: Tuple, llvm: bool) -> Self {
        Self {
            tuple,
            llvm,
            stage: None,
            abis: Vec::new(),
            host_abi: None,
            stable: false,
            parts: BTreeMap::new(),
            environment: String::new(),
            search: None,
            output: None,
            emerge_options: Vec::new(),
            headers: None,
            posix_threads: false,
            stages: true,
            extra: Vec::new(),
        }
    }

    /// Returns whether the options make emerge install binary packages: `--usepkgonly`, or `-k` among short options.
    pub(crate) fn takes_binary_packages(&self) -> bool {
        self.has_option(&["usepkg", "getbinpkg"], &['k', 'K', 'g', 'G'])
    }

    /// Returns whether the options make emerge make binary packages: `--buildpkg`, or `-b` among short options.
    pub(crate) fn makes_binary_packages(&self) -> bool {
        self.has_option(&["buildpkg"], &['b', 'B'])
    }

    fn has_option(&self, long: &[&str], short: &[char]) -> bool {
        let is_one = |option: &String| match option.strip_prefix("--") {
            Some(name) => long.iter().any(|start| name.starts_with(start)),
            None => option.starts_with('-') && option.contains(short),
        };
        self.emerge_options.iter().any(is_one)
    }

    /// Returns the category of the toolchain's packages, from which the ebuilds take the tuple.
    pub(crate) fn category(&self) -> String {
        match self.llvm {
            false => format!("cross-{}", self.tuple),
            true => format!("cross_llvm-{}", self.tuple),
        }
    }
}
