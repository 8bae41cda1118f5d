//! `crossmerge show` and `crossmerge plan`.

use super::{invocation::Invocation, name::ListedFamily, print::print};
use crate::call::Call;
use crossmerge_plan::report::Failure;
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// Prints the facts of a tuple, or without one the CPU families.
pub(super) fn show(
    invocation: &Invocation<'_>,
    name: Option<OsString>,
    json: bool,
    examples: bool,
) -> Result<ExitCode, Failure> {
    let reader = invocation.reader()?;
    let Some(name) = name.filter(|name| name != "help") else {
        let families = reader.families();
        return print(&if examples {
            ListedFamily::to_examples(&families)
        } else if json {
            serde_json::to_string_pretty(&families).expect("plain data") + "\n"
        } else {
            ListedFamily::to_text(&families)
        });
    };
    let target = invocation.config.facts(&reader.tuple(&name)?)?;
    print(&if json {
        serde_json::to_string_pretty(&target).expect("plain data") + "\n"
    } else {
        target.to_text()
    })
}

/// Prints what an applet would run.
pub(super) fn plan(
    invocation: Invocation<'_>,
    name: &OsStr,
    applet: &str,
    args: Vec<OsString>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let wrappers = invocation.wrappers;
    let tuple = invocation.target(name)?;
    let context = invocation.into_context(tuple)?;
    let plan = wrappers.plan(applet, &Call::new(&context), args)?;
    print(&if json {
        format!("{:#}\n", plan.to_json())
    } else {
        format!("{plan}\n")
    })
}
