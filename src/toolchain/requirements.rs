//! What a build needs of the build machine: disk space, and in crossmerge's own prefix the programs that its Portage
//! cannot install. Another Portage installs them itself, as dependencies of the packages.

use super::{
    cause,
    class::{Part, build_space},
    error::ToolchainError,
    prefix::{Prefix, check_programs},
    work::ToolchainWork,
};
use crossmerge_plan::env::Env;
use std::path::Path;

/// Checks the build machine. A toolchain that is complete needs nothing.
pub(crate) fn check(work: &ToolchainWork, env: &Env) -> Result<(), ToolchainError> {
    if work.done.iter().all(|is_done| *is_done) {
        return Ok(());
    }
    if Prefix::open(&work.machine.host.below("")).is_some() {
        check_programs(env, work.plan.request.llvm).map_err(Box::new)?;
    }
    check_space(work)
}

/// Compares the free space with what the largest build takes at least. The kernel's headers are built at the same time.
fn check_space(work: &ToolchainWork) -> Result<(), ToolchainError> {
    if work.takes_binary_packages() {
        return Ok(());
    }
    let mut headers = 0;
    let mut largest = None;
    for (step, is_done) in work.plan.steps.iter().zip(&work.done) {
        let part = work.plan.part_of(&step.package);
        let Some(part) = part.filter(|_| !is_done) else {
            continue;
        };
        let space = build_space(part);
        match part {
            Part::Kernel => headers = space,
            _ => largest = largest.max(Some((space, &step.package))),
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
