//! `crossmerge farm`.

use super::{invocation::Invocation, print::print};
use crate::farm::Status;
use clap::Subcommand;
use crossmerge_plan::report::Failure;
use std::{ffi::OsString, process::ExitCode};

/// The commands of `crossmerge farm`.
#[derive(Debug, Subcommand)]
pub(super) enum FarmCommand {
    /// Print the state of ccache, distcc and icecream for a target
    Status {
        /// The target's tuple
        tuple: OsString,
    },
}

/// Runs one of the commands.
pub(super) fn farm(invocation: Invocation<'_>, command: FarmCommand) -> Result<ExitCode, Failure> {
    match command {
        FarmCommand::Status { tuple } => {
            let tuple = invocation.target(&tuple)?;
            let context = invocation.into_context(tuple)?;
            print(&Status::of(&context)?.to_text())
        }
    }
}
