//! `crossmerge root`.

use super::{
    args::RootCommand, invocation::Invocation, print::print, root_build::build, user_namespace,
};
use crate::{
    context::Context,
    root::{self, CheckRequest, RootError, RootReport, RootRequest, Sizes},
};
use crossmerge_plan::report::{self, Failure};
use crossmerge_system::file::{Tree, beneath::is_absent};
use std::{io, io::Write as _, path::Path, process::ExitCode};

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
                let packages = root::resolve(&context, wrappers, &request)?;
                let steps = root::to_text(&context, wrappers, &request)?;
                return print(&(steps + &packages.to_text()));
            }
            user_namespace::enter(&context.env, &context.config, &typed)?;
            Ok(match build(&context, wrappers, &request, verbose)? {
                Ok(report) => ready(&report)?,
                Err(code) => code,
            })
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
                is_stage: false,
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

/// Prints that a root is finished.
fn ready(report: &RootReport) -> Result<ExitCode, Failure> {
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
    Ok(ExitCode::SUCCESS)
}

/// Opens a root to read it.
fn open(root: &Path) -> Result<Tree, RootError> {
    match Tree::open_to_read(root).map_err(io::Error::from) {
        Err(error) if is_absent(&error) => Err(RootError::NoRoot { root: root.into() }),
        opened => Ok(opened?),
    }
}
