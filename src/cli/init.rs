//! `crossmerge init` and `crossmerge remove`.

use super::{args::Init, invocation::Invocation, print::print};
use crate::{
    adopt,
    applet::Wrappers,
    context::Context,
    farm,
    init::{self, InitOptions, InitRequest, InitTarget},
};
use crossmerge_plan::{
    env::{self, Env},
    report::{self, Failure},
};
use std::{
    ffi::OsStr,
    io::{self, Write as _},
    process::ExitCode,
};

/// Makes a target.
pub(super) fn init(invocation: Invocation<'_>, options: Init) -> Result<ExitCode, Failure> {
    let tuple = invocation.reader()?.tuple(&options.tuple)?;
    let dry_run = options.dry_run;
    let adopt_nothing = options.toolchain.as_ref().is_some_and(|t| t == "none");
    let options = InitOptions {
        sysroot: options.sysroot,
        bindir: options.bindir,
        toolchain: options.toolchain.filter(|_| !adopt_nothing),
        llvm: options.llvm,
        find: true,
        adopt_nothing,
        clang_target: is_llvm(&invocation.env),
        by_crossdev: false,
        with_libc: options.with_libc,
        profile: options.profile,
    };
    let (argv0, wrappers) = (invocation.argv0, invocation.wrappers);
    let context = invocation.into_context(tuple)?;
    initialise(argv0, context, wrappers, &options, dry_run)
}

pub(super) fn initialise(
    argv0: &OsStr,
    context: Context,
    wrappers: &Wrappers,
    options: &InitOptions,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let subject = &InitTarget {
        target: context.config.facts(&context.tuple)?,
        families: context.config.families()?,
    };
    let request = InitRequest {
        argv0,
        wrappers,
        subject,
        options,
    };
    if dry_run {
        let plan = request.plan(&context)?;
        plan.notes().iter().for_each(|note| report::note(note));
        return print(&plan.to_diff()?);
    }
    let plan = request.init(&context)?;
    // The work is done, and an error could not be printed without stderr.
    let _ = io::stderr().write_all(plan.to_text().as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Undoes what init did, and puts back the wrappers of crossdev's that crossmerge took over.
pub(super) fn remove(
    invocation: Invocation<'_>,
    name: &OsStr,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let tuple = invocation.target(name)?;
    let adopted = adopt::AdoptRecord::read(&invocation.config)?.paths_of(&tuple);
    let (argv0, wrappers) = (invocation.argv0, invocation.wrappers);
    let mut text = String::new();
    if !adopted.is_empty() {
        let request = adopt::AdoptRequest {
            argv0,
            env: &invocation.env,
            config: &invocation.config,
            wrappers,
            tuples: std::slice::from_ref(&tuple),
            undo: true,
        };
        let plan = match dry_run {
            true => request.plan()?,
            false => request.run()?,
        };
        text.push_str(&plan.to_text());
    }
    let context = invocation.into_context(tuple)?;
    // The record of these symlinks is in the state directory, which `init::remove` removes.
    text.push_str(&farm::remove_links(&context, dry_run)?);
    text.push_str(&init::remove(&context, wrappers, argv0, &adopted, dry_run)?);
    print(&text)
}

/// Returns whether the environment contains `LLVM=yes`, crossdev's setting for clang.
pub(super) fn is_llvm(env: &Env) -> bool {
    env.get(env::LLVM).is_some_and(|llvm| llvm == "yes")
}
