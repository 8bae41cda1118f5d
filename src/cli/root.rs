//! `crossmerge root`.

use super::{args::RootCommand, invocation::Invocation, print::print};
use crate::{
    context::Context,
    root::{self, CheckRequest, RootError, Sizes},
};
use crossmerge_plan::report::{self, Failure};
use crossmerge_system::file::{Tree, beneath::is_absent};
use std::{io, io::Write as _, path::Path, process::ExitCode};

/// Runs one of the commands.
pub(super) fn root(invocation: Invocation<'_>, command: RootCommand) -> Result<ExitCode, Failure> {
    match command {
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

/// Opens a root to read it.
fn open(root: &Path) -> Result<Tree, RootError> {
    match Tree::open_to_read(root).map_err(io::Error::from) {
        Err(error) if is_absent(&error) => Err(RootError::NoRoot { root: root.into() }),
        opened => Ok(opened?),
    }
}
