//! The plan of a toolchain: the files and the steps. Pure.

use super::{
    abi::AbiSettings,
    class::{Part, TargetClass},
    error::ToolchainError,
    files::{Files, Overlay, Wanted},
    host::ToolchainHost,
    part::{ToolchainPart, parts},
    request::{Extra, ToolchainRequest},
    step::{EmergeStep, InstalledParts, steps},
};
use std::path::PathBuf;

/// What the plan reads about the repositories.
pub(crate) trait Sources {
    /// Returns the repository to which the category is written.
    fn overlay(&self, request: &ToolchainRequest) -> Result<Overlay, ToolchainError>;

    /// Returns whether a repository has an ebuild of a part.
    fn has_ebuild(&self, part: &ToolchainPart, arch: &str) -> bool;

    /// Returns the directory of the package to which the symlink of a part leads.
    fn source(&self, part: &ToolchainPart, arch: &str) -> PathBuf;
}

/// The plan of a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolchainPlan {
    pub(crate) request: ToolchainRequest,
    /// Portage's ARCH of the target.
    pub(crate) arch: String,
    /// The last stage.
    pub(crate) stage: u8,
    pub(crate) parts: Vec<ToolchainPart>,
    /// The directory of each part's ebuilds, in the order of the parts.
    pub(crate) sources: Vec<PathBuf>,
    pub(crate) overlay: Overlay,
    pub(crate) abis: AbiSettings,
    /// The files, each after the directory that contains it.
    pub(crate) files: Vec<(PathBuf, Wanted)>,
    pub(crate) steps: Vec<EmergeStep>,
}

impl ToolchainPlan {
    /// Decides on the files and the steps. `family` is the ARCH of the target's CPU family. Refuses what cannot be built.
    pub(crate) fn new(
        request: ToolchainRequest,
        host: &ToolchainHost,
        family: Option<&str>,
        sources: &impl Sources,
        installed: &impl InstalledParts,
    ) -> Result<Self, ToolchainError> {
        let class = TargetClass::of(&request.tuple);
        check(&request, host, &class)?;
        Self::decide(request, &class, host, family, sources, installed)
    }

    /// The same for a toolchain that exists, however it was made.
    pub(crate) fn of_existing(
        request: ToolchainRequest,
        host: &ToolchainHost,
        family: Option<&str>,
        sources: &impl Sources,
        installed: &impl InstalledParts,
    ) -> Result<Self, ToolchainError> {
        let class = TargetClass::of(&request.tuple);
        check_native(&request, host)?;
        Self::decide(request, &class, host, family, sources, installed)
    }

    /// Returns the part whose package has this name.
    pub(crate) fn part_of(&self, package: &str) -> Option<&ToolchainPart> {
        let mut parts = self.parts.iter();
        parts.find(|part| part.package.name == package)
    }

    /// Returns whether the package of this name is a certain part.
    pub(crate) fn is(&self, package: &str, part: Part) -> bool {
        let of_package = self.part_of(package);
        of_package.is_some_and(|of_package| of_package.part == Some(part))
    }

    fn decide(
        request: ToolchainRequest,
        class: &TargetClass,
        host: &ToolchainHost,
        family: Option<&str>,
        sources: &impl Sources,
        installed: &impl InstalledParts,
    ) -> Result<Self, ToolchainError> {
        let arch = class.arch(&request.tuple, family);
        let wanted = match (request.abis.as_slice(), &class.abi) {
            ([], Some(abi)) => std::slice::from_ref(abi),
            (wanted, _) => wanted,
        };
        let target_abis = AbiSettings::of(&request.tuple, wanted);
        let host_abis = host.abis(request.host_abi.as_deref());
        let mut parts = parts(&request, class);
        // The debugger is configured for later, if there is one.
        let builds_gdb = request.extra.contains(&Extra::Gdb);
        parts.retain(|part| {
            let is_needed = part.part != Some(Part::Gdb) || builds_gdb;
            is_needed || sources.has_ebuild(part, &arch)
        });
        let multilib = class.multilib || target_abis.abis.len() > 1;
        let steps = steps(&request, host, &parts, installed, class, multilib);
        let overlay = sources.overlay(&request)?;
        let links: Vec<PathBuf> = parts
            .iter()
            .map(|part| sources.source(part, &arch))
            .collect();
        let files = Files {
            request: &request,
            host,
            class,
            parts: &parts,
            steps: &steps,
            overlay: &overlay,
            sources: &links,
            arch: &arch,
            target_abis: &target_abis,
            host_abis: &host_abis,
        };
        let files = files.list();
        Ok(Self {
            stage: request.stage.unwrap_or(class.stage),
            request,
            arch,
            parts,
            sources: links,
            overlay,
            abis: target_abis,
            files,
            steps,
        })
    }
}

/// Refuses the build machine's own tuples.
fn check_native(request: &ToolchainRequest, host: &ToolchainHost) -> Result<(), ToolchainError> {
    let tuple = &request.tuple;
    match host.chosts.iter().any(|chost| *chost == tuple.as_str()) {
        true => Err(ToolchainError::Native {
            tuple: tuple.clone(),
        }),
        false => Ok(()),
    }
}

/// Refuses what cannot work.
fn check(
    request: &ToolchainRequest,
    host: &ToolchainHost,
    class: &TargetClass,
) -> Result<(), ToolchainError> {
    let tuple = request.tuple.clone();
    check_native(request, host)?;
    if let Some(why) = &class.refuse {
        return Err(ToolchainError::Refused {
            tuple,
            why: why.clone(),
        });
    }
    if request.posix_threads && (request.llvm || class.posix_threads.is_none()) {
        return Err(ToolchainError::PosixThreads);
    }
    let libc = class.packages.get(&Part::Libc);
    if request.llvm {
        if libc.is_some_and(|libc| libc.name == "glibc") {
            return Err(ToolchainError::LlvmLibc { tuple });
        }
        let Some(target) = &class.llvm_target else {
            return Err(ToolchainError::LlvmCpu { tuple });
        };
        match &host.llvm_targets {
            None => return Err(ToolchainError::NoLlvm),
            Some(targets) if !targets.contains(target) => {
                return Err(ToolchainError::LlvmTarget {
                    tuple,
                    target: target.clone(),
                });
            }
            Some(_) => {}
        }
    }
    let stage = request.stage.unwrap_or(class.stage);
    let needs_libc = class.packages.contains_key(&Part::Binutils) && request.stage.is_none();
    if libc.is_none() && stage >= 3 && needs_libc && request.stages {
        return Err(ToolchainError::UnknownLibc { tuple });
    }
    Ok(())
}
