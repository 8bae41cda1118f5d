//! What we are to ourselves: names that only this program starts itself under, for work that needs another process.
//!
//! No file can be called so, since a name that we act by has no colon in front. The arguments are ours, and no interface.

use super::{
    enter::error::EnterError,
    error::ExecError,
    start::{OWN, environment, start},
};
use crossmerge_plan::plan::{Plan, step::Step};
use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

/// `:enter STEPS PROGRAM ARGS…` does the steps and becomes the program.
pub(super) const ENTER: &str = ":enter";
/// `:init FDS STEPS PROGRAM ARGS…` is the first process of a namespace, which starts the next one: see `init.rs`.
pub(super) const INIT: &str = ":init";
/// `:inside FDS STEPS PROGRAM ARGS…` does the steps in there and becomes the program.
pub(super) const INSIDE: &str = ":inside";
/// `:ids USERS GROUPS TOLD` tells the kernel which ids its parent's new namespace has: see `enter.rs`.
pub(super) const IDS: &str = ":ids";

/// The command that is us under such a name, with the plan as arguments and environment.
pub(super) fn command(name: &str, plan: &Plan) -> Command {
    let steps = serde_json::to_string(&plan.enter).expect("plain data");
    let mut command = start(OWN);
    command
        .arg0(name)
        .arg(steps)
        .arg(&plan.program)
        .args(&plan.args);
    environment(plan, &mut command);
    command
}

/// The plan in the arguments. Its environment is ours already.
pub(super) fn parse(args: &[OsString]) -> Result<Plan, ExecError> {
    let malformed = || EnterError::Arguments;
    let [steps, program, args @ ..] = args else {
        return Err(malformed().into());
    };
    let steps = steps.to_str().ok_or_else(malformed)?;
    let steps: Vec<Step> = serde_json::from_str(steps).map_err(|_| malformed())?;
    Ok(Plan {
        program: program.into(),
        args: args.to_vec(),
        // It is as the plan has it, and everything in it stays.
        enter: steps
            .into_iter()
            .filter(|step| *step != Step::EmptyEnvironment)
            .collect(),
        ..Plan::default()
    })
}
