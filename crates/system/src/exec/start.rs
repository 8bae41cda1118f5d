//! Creation of every [`Command`].

use super::writable;
use crossmerge_plan::plan::{Change, Plan, step::Step};
use std::{ffi::OsStr, process::Command};

/// The running program's own file, even if its path has changed.
pub(super) const OWN: &str = "/proc/self/exe";

#[expect(
    clippy::disallowed_methods,
    reason = "this is the only code that creates a Command"
)]
pub(super) fn start(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Returns the command of a plan's program, with its arguments and environment.
pub(super) fn command(plan: &Plan) -> Command {
    writable::warn_of(plan);
    let mut command = start(&plan.program);
    command.args(&plan.args);
    environment(plan, &mut command);
    command
}

/// Applies a plan's changes of the environment to a command.
pub(super) fn environment(plan: &Plan, command: &mut Command) {
    if plan.enter.contains(&Step::EmptyEnvironment) {
        command.env_clear();
    }
    for (name, change) in &plan.env {
        match change {
            Change::Set(value) => command.env(name, value),
            Change::Unset => command.env_remove(name),
        };
    }
}
