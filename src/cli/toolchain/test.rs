//! `crossmerge toolchain test`: those of doctor's checks that use the compiler.

use super::lookup::note;
use crate::{
    cli::{invocation::Invocation, targets},
    context::Context,
    doctor,
};
use crossmerge_plan::report::Failure;
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// Tests the compilers of targets.
pub(super) fn test(
    invocation: &Invocation<'_>,
    names: &[OsString],
    json: bool,
) -> Result<ExitCode, Failure> {
    targets::doctor(invocation, names, &checks(), true, json)
}

/// Tests a toolchain that was built. A warning, for example that there is no QEMU, is not a failure of the build.
pub(super) fn after_build(
    context: &Context,
    wrappers: &crate::applet::Wrappers,
    argv0: &OsStr,
) -> Result<ExitCode, Failure> {
    let tuples = [context.tuple.clone()];
    let report = doctor::examine(
        &context.env,
        &context.config,
        wrappers,
        argv0,
        &tuples,
        &checks(),
    )?;
    note(report.to_text(false).trim_end());
    Ok(match report.has_errors() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn checks() -> Vec<String> {
    doctor::OF_THE_TOOLCHAIN.map(str::to_owned).to_vec()
}
