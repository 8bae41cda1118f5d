//! `crossmerge adopt`.

use super::{invocation::Invocation, print::print};
use crate::adopt;
use crossmerge_plan::report::{self, Failure, OutputError};
use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

/// Takes over the wrappers of crossdev's targets, or puts them back.
pub(super) fn adopt(
    invocation: &Invocation<'_>,
    names: &[OsString],
    undo: bool,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let tuples = invocation.targets(names)?;
    let request = adopt::AdoptRequest {
        argv0: invocation.argv0,
        env: &invocation.env,
        config: &invocation.config,
        wrappers: invocation.wrappers,
        tuples: &tuples,
        undo,
    };
    if dry_run {
        let plan = request.plan()?;
        plan.notes().iter().for_each(|note| report::note(note));
        return print(&plan.to_steps());
    }
    io::stderr()
        .write_all(request.run()?.to_text().as_bytes())
        .map_err(OutputError::from)?;
    Ok(ExitCode::SUCCESS)
}
