//! What a build needs of the build machine: disk space, and in crossmerge's own prefix the programs that its Portage
//! cannot install. Another Portage installs them itself, as dependencies of the packages.

use super::{
    cause,
    class::{Part, build_needs},
    error::ToolchainError,
    part::ToolchainPart,
    prefix::{Prefix, check_programs},
    work::ToolchainWork,
};
use crossmerge_plan::env::Env;
use std::path::Path;

/// Checks the build machine. A toolchain that is complete needs nothing.
pub(crate) fn check(work: &ToolchainWork, env: &Env) -> Result<(), ToolchainError> {
    let steps = work.plan.steps.iter().zip(&work.done);
    let missing = steps.filter(|(_, is_done)| !**is_done);
    let parts: Vec<&ToolchainPart> = missing
        .filter_map(|(step, _)| work.plan.part_of(&step.package))
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    if Prefix::open(&work.machine.host.below("")).is_some() {
        let programs = parts
            .iter()
            .flat_map(|part| &build_needs(&part.package).programs);
        check_programs(env, programs.map(String::as_str)).map_err(Box::new)?;
    }
    check_space(work, &parts)
}

/// Compares the free space with what the largest build takes at least. The kernel's headers are built at the same time.
fn check_space(work: &ToolchainWork, parts: &[&ToolchainPart]) -> Result<(), ToolchainError> {
    if work.takes_binary_packages() {
        return Ok(());
    }
    let mut headers = 0;
    let mut largest = None;
    for part in parts {
        let space = build_needs(&part.package).space;
        match part.part {
            Some(Part::Kernel) => headers = space,
            _ => largest = largest.max(Some((space, &part.package.name))),
        }
    }
    let (space, package) = largest.map_or((0, "the headers"), |(space, name)| (space, name));
    let needed = space + headers;
    let mut directories = work.machine.builds.ancestors();
    let directory = directories.find(|directory| directory.is_dir());
    let directory = directory.unwrap_or(Path::new("/"));
    match cause::Machine::read(&work.machine.host.settings, directory, None).free_space {
        Some(free) if free >> 20 < needed => Err(ToolchainError::Space {
            directory: directory.into(),
            package: package.into(),
            free: free >> 20,
            needed,
        }),
        _ => Ok(()),
    }
}
