//! The parts of one toolchain: their packages, versions and USE flags. Pure.

use super::{
    class::{Package, Part, TargetClass},
    request::{Extra, PartRequest, ToolchainRequest},
    version::WantedVersion,
};

/// A package of a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolchainPart {
    /// Its part. `None` for a package that was asked for by its name.
    pub(crate) part: Option<Part>,
    /// The package in its own repository.
    pub(crate) package: Package,
    pub(crate) version: WantedVersion,
    /// The environment of its ebuild.
    pub(crate) environment: String,
    /// The repository that the user named for it.
    pub(crate) repository: Option<std::path::PathBuf>,
    /// USE flags, and those that are masked and forced.
    pub(crate) flags: Vec<String>,
    pub(crate) mask: Vec<String>,
    pub(crate) force: Vec<String>,
}

impl ToolchainPart {
    /// Returns whether the package consists of the target's own files.
    pub(crate) fn is_for_target(&self) -> bool {
        self.part.is_some_and(Part::is_for_target)
    }
}

/// Lists the packages of a toolchain, in the order in which they are configured.
pub(crate) fn parts(request: &ToolchainRequest, class: &TargetClass) -> Vec<ToolchainPart> {
    let order: &[Part] = match request.llvm {
        false => &Part::GNU,
        true => &Part::LLVM,
    };
    let none = PartRequest::default();
    let mut parts: Vec<ToolchainPart> = Vec::new();
    for part in order {
        let wanted = request.parts.get(part).unwrap_or(&none);
        let package = match (class.packages.get(part), &wanted.category, &wanted.name) {
            (Some(usual), category, name) => Package {
                category: category.as_ref().unwrap_or(&usual.category).clone(),
                name: name.as_ref().unwrap_or(&usual.name).clone(),
            },
            (None, Some(category), Some(name)) => Package {
                category: category.clone(),
                name: name.clone(),
            },
            (None, ..) => continue,
        };
        let flags = |flags: &super::class::Flags| flags.get(part).cloned().unwrap_or_default();
        parts.push(ToolchainPart {
            part: Some(*part),
            version: version(request, &package, wanted.version.as_ref()),
            environment: wanted.environment.clone(),
            repository: wanted.repository.clone(),
            flags: flags(&class.flags),
            mask: with_multilib(flags(&class.mask), class.multilib_forced),
            force: with_forced_multilib(flags(&class.force), class.multilib_forced),
            package,
        });
    }
    let packages = request.extra.iter().filter_map(|extra| match extra {
        Extra::Package(package, repository) => Some((package, repository)),
        Extra::Gcc | Extra::Gdb => None,
    });
    for (package, repository) in packages {
        parts.push(ToolchainPart {
            part: None,
            version: version(request, package, None),
            environment: String::new(),
            repository: repository.clone(),
            flags: Vec::new(),
            mask: with_multilib(Vec::new(), class.multilib_forced),
            force: with_forced_multilib(Vec::new(), class.multilib_forced),
            package: package.clone(),
        });
    }
    parts
}

fn version(
    request: &ToolchainRequest,
    package: &Package,
    wanted: Option<&WantedVersion>,
) -> WantedVersion {
    match wanted {
        Some(version) => version.clone(),
        None if request.stable && package.has_stable_versions() => WantedVersion::Stable,
        None => WantedVersion::Latest,
    }
}

fn with_multilib(mut mask: Vec<String>, multilib: bool) -> Vec<String> {
    mask.push(match multilib {
        true => "-multilib".into(),
        false => "multilib".into(),
    });
    mask
}

fn with_forced_multilib(mut force: Vec<String>, multilib: bool) -> Vec<String> {
    if multilib {
        force.push("multilib".into());
    }
    force
}
