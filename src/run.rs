//! Runs an applet: makes its plan from context and arguments, and executes the real tool.

use crate::{
    applet::{Code, Wrappers},
    call::Call,
    context::Context,
    pkg_config,
};
use crossmerge_plan::{
    plan,
    report::{self, Failure},
};
use crossmerge_system::exec;
use std::{ffi::OsString, process::ExitCode};

/// Executes the applet's real tool, or prints the environment if the applet does that. Returns only if no other
/// program was exec'd.
pub(crate) fn run_applet(
    name: &str,
    wrappers: &Wrappers,
    context: &Context,
    args: Vec<OsString>,
) -> Result<ExitCode, Failure> {
    let prints = wrappers.prints_environment(name, &args);
    let asks_about_packages =
        wrappers.code(name) == Some(Code::PkgConfig) && !pkg_config::asks_about_itself(&args);
    let call = Call::new(context);
    let plan = wrappers.plan(name, &call, args)?;
    if prints {
        exec::write_files(&plan)?;
        return Ok(report::print(plan::exports(&plan.env).as_bytes())?);
    }
    if asks_about_packages {
        return Ok(pkg_config::run(context, call.view()?, &plan)?);
    }
    match exec::exec(&plan, &context.env)? {}
}
