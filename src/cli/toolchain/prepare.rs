//! `crossmerge toolchain prepare`.

use crate::{
    cli::{invocation::Invocation, print::print, toolchain_args::Prepare},
    distribution::Distribution,
    toolchain::prefix::{self, PrepareRequest},
};
use crossmerge_plan::report::{self, Failure};
use crossmerge_system::search;
use std::{
    ffi::OsStr,
    io::{self, Write as _},
    process::ExitCode,
};

/// Makes a prefix, or removes it.
pub(super) fn prepare(invocation: &Invocation<'_>, options: &Prepare) -> Result<ExitCode, Failure> {
    let request = PrepareRequest {
        env: &invocation.env,
        config: &invocation.config,
        directory: options.prefix.as_deref(),
        sources: options.sources.as_deref(),
    };
    if options.remove {
        return print(&prefix::remove(&request.directory()?, options.dry_run)?);
    }
    if let Some(name) = &options.tuple {
        note_existing(invocation, name)?;
    }
    if options.dry_run {
        return print(&request.plan()?.to_steps());
    }
    let plan = request.run(&|what| report::note(what))?;
    // The work is done, and an error could not be printed without stderr.
    let _ = io::stderr().write_all(plan.to_text().as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Prints what makes a build of the target's compiler unnecessary: the distribution's own, and clang.
fn note_existing(invocation: &Invocation<'_>, name: &OsStr) -> Result<(), Failure> {
    let tuple = invocation.reader()?.tuple(name)?;
    let target = invocation.config.facts(&tuple)?;
    let families = invocation.config.families()?;
    let distribution = Distribution::of(&invocation.env, &invocation.config.broot);
    if let Some(install) = distribution.compiler(&target, &families) {
        report::note(&format!(
            "the distribution has a compiler for `{tuple}`: `{install}`, then `crossmerge init {tuple}`"
        ));
    }
    if search::find_program(&invocation.env, OsStr::new("clang")).is_ok() {
        report::note(&format!(
            "clang is installed, and compiles for every target: `crossmerge init {tuple} --llvm`; it needs a libc for the target"
        ));
    }
    Ok(())
}
