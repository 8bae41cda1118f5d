//! Internal entry points: `argv[0]` values under which crossmerge re-executes itself, for work that needs another
//! process.
//!
//! The leading colon distinguishes them from the names of applets. Their arguments are not a public interface.

use super::{enter::error::EnterError, error::ExecError, image::Image, start::OWN};
use crossmerge_plan::{
    env::Env,
    plan::{Plan, step::Step},
};
use std::{ffi::OsString, io};

/// `:enter STEPS PROGRAM ARGS…` carries out the steps and executes the program.
pub(super) const ENTER: &str = ":enter";
/// `:init FDS STEPS PROGRAM ARGS…` is the first process of a PID namespace, which starts `:inside`: see `init.rs`.
pub(super) const INIT: &str = ":init";
/// `:inside FDS STEPS PROGRAM ARGS…` carries out the steps in the namespace and executes the program.
pub(super) const INSIDE: &str = ":inside";
/// `:ids UIDS GIDS METHOD` writes the id maps of its parent's new user namespace: see `enter/ids.rs`.
pub(super) const IDS: &str = ":ids";
/// `:tree FDS STEPS PROGRAM ARGS…` supervises the program and all processes that it starts: see `tree.rs`.
pub(super) const TREE: &str = ":tree";

/// Creates the image of a child process that carries out the plan's steps and then executes the program.
pub(super) fn image(plan: &Plan, env: &Env) -> io::Result<Image> {
    match plan.enter.as_slice() {
        [] => Image::new(plan, env),
        steps => Image::of_inner(OWN, &[ENTER, &to_arg(steps)], plan, env),
    }
}

/// Returns the steps as an argument.
pub(super) fn to_arg(steps: &[Step]) -> String {
    serde_json::to_string(steps).expect("plain data")
}

/// Parses the plan from the arguments. Its environment is that of this process.
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
        // The environment has been emptied already, and contains the variables that the plan sets.
        enter: steps
            .into_iter()
            .filter(|step| *step != Step::EmptyEnvironment)
            .collect(),
        ..Plan::default()
    })
}
