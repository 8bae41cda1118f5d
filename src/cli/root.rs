//! `crossmerge root`.

use super::{args::RootCommand, invocation::Invocation, print::print, user_namespace};
use crate::{
    applet::Wrappers,
    context::Context,
    root::{self, CheckRequest, RootError, RootOutcome, RootRequest, Sizes},
    terminal,
};
use crossmerge_plan::{
    report::{self, Failure},
    words::quote_line,
};
use crossmerge_system::file::{Tree, beneath::is_absent, read};
use std::{io, io::Write as _, path::Path, process::ExitCode};

/// The number of lines of a failed step's log that are printed.
const LINES: usize = 15;

/// Runs one of the commands.
pub(super) fn root(invocation: Invocation<'_>, command: RootCommand) -> Result<ExitCode, Failure> {
    match command {
        RootCommand::Build {
            tuple,
            root,
            packages,
            file,
            set,
            dry_run,
            verbose,
        } => {
            let tuple = invocation.target(&tuple)?;
            let wrappers = invocation.wrappers;
            let typed = invocation.typed.clone();
            let context = invocation.into_context(tuple)?;
            let request = RootRequest::of(&context, &root, packages, file.as_deref(), set)?;
            if dry_run {
                return print(&root::to_text(&context, wrappers, &request)?);
            }
            user_namespace::enter(&context.env, &context.config, &typed)?;
            build(&context, wrappers, &request, verbose)
        }
        RootCommand::Check { root, tuple, json } => {
            let tree = open(&root)?;
            let tuple = match tuple {
                Some(name) => invocation.target(&name)?,
                None => {
                    let found = root::tuple_of(&tree).map_err(RootError::from)?;
                    found.ok_or(RootError::UnknownTuple { root })?
                }
            };
            let context = Context::new(invocation.env, invocation.config, tuple)?;
            let request = CheckRequest {
                tree,
                context: &context,
            };
            let report = root::check(request)?;
            if json {
                print(&report.to_json())?;
            } else {
                let mut stdout = anstream::stdout();
                let text = report.to_text();
                let written = stdout.write_all(text.as_bytes());
                let written = written.and_then(|()| stdout.flush());
                report::printed(written, ExitCode::SUCCESS)?;
            }
            Ok(ExitCode::from(u8::from(report.has_findings())))
        }
        RootCommand::Size { root, json } => {
            let sizes = Sizes::of(open(&root)?)?;
            print(&match json {
                true => sizes.to_json(),
                false => sizes.to_text(),
            })
        }
    }
}

/// Builds a root, and prints how that ended.
fn build(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
    verbose: bool,
) -> Result<ExitCode, Failure> {
    let again = "the old root, if there was one, is as it was; the same command goes on";
    Ok(match root::build(context, wrappers, request, verbose)? {
        RootOutcome::Done(report) => {
            let sizes = Sizes::of(open(Path::new(&report.root))?)?;
            let mut line = format!(
                "ready    {}  {} in {}",
                report.root,
                root::readable(sizes.bytes),
                report::counted(report.packages, "package")
            );
            if report.has_findings() {
                let warnings = report::counted(report.findings.len(), "warning");
                line += &format!("; {warnings}: `crossmerge root check {}`", report.root);
            }
            report::line(&line);
            ExitCode::SUCCESS
        }
        RootOutcome::Faulty(report) => {
            // The message is about the same, and needs no stdout.
            let _ = anstream::stderr().write_all(report.to_text().as_bytes());
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
    })
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

/// Opens a root to read it.
fn open(root: &Path) -> Result<Tree, RootError> {
    match Tree::open_to_read(root).map_err(io::Error::from) {
        Err(error) if is_absent(&error) => Err(RootError::NoRoot { root: root.into() }),
        opened => Ok(opened?),
    }
}
