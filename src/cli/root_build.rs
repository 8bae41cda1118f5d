//! Builds a root, and prints how that ended, for `crossmerge root` and `crossmerge stage`.

use crate::{
    applet::Wrappers,
    context::Context,
    root::{self, RootOutcome, RootReport, RootRequest},
    terminal,
};
use crossmerge_plan::{
    report::{self, Failure},
    words::quote_line,
};
use crossmerge_system::file::read;
use std::{io, io::Write as _, path::Path, process::ExitCode};

/// The number of lines of a failed step's log that are printed.
const LINES: usize = 15;

/// Builds a root. Returns the report of its check, or prints why there is none and returns the exit code.
pub(super) fn build(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
    verbose: bool,
) -> Result<Result<Box<RootReport>, ExitCode>, Failure> {
    let again = "the old root, if there was one, is as it was; the same command goes on";
    Ok(Err(
        match root::build(context, wrappers, request, verbose)? {
            RootOutcome::Done(report) => return Ok(Ok(report)),
            RootOutcome::Faulty(report) => {
                print_report(&report);
                let message = "the new root has errors, so it does not replace the old one";
                terminal::error(&"crossmerge", &message, Some(again));
                ExitCode::FAILURE
            }
            RootOutcome::Failed { step, log } => {
                // The message below names the log, if it cannot be printed.
                let _ = end_of(&log);
                let log = quote_line(log.as_os_str());
                let hint = format!("`cat {log}` prints its log; {again}");
                terminal::error(&"crossmerge", &format!("step `{step}` failed"), Some(&hint));
                ExitCode::FAILURE
            }
            RootOutcome::Interrupted(signal) => {
                terminal::error(
                    &"crossmerge",
                    &format!("interrupted by {signal}"),
                    Some(again),
                );
                ExitCode::from(128 + signal as u8)
            }
        },
    ))
}

/// Prints the findings of a check on stderr.
pub(super) fn print_report(report: &RootReport) {
    // Nothing depends on whether the user sees it.
    let _ = anstream::stderr().write_all(report.to_text().as_bytes());
}

/// Prints the last lines of a log.
fn end_of(log: &Path) -> io::Result<()> {
    let text = read::read(log, read::CONTENTS)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LINES);
    lines[last..].iter().for_each(|line| report::line(line));
    Ok(())
}
