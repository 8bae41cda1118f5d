//! Prints the result of a command.

use crossmerge_plan::report::{self, Failure};
use std::process::ExitCode;

pub(super) fn print(text: &str) -> Result<ExitCode, Failure> {
    Ok(report::print(text.as_bytes())?)
}
