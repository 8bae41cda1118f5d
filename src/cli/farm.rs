//! `crossmerge farm`.

use super::{invocation::Invocation, print::print};
use crate::{
    farm::{
        Status,
        binhost::{self, UseRequest},
    },
    terminal::WARNING,
};
use clap::{Subcommand, ValueHint};
use crossmerge_plan::report::{self, Failure};
use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

/// The commands of `crossmerge farm`.
#[derive(Debug, Subcommand)]
pub(super) enum FarmCommand {
    /// Print the state of ccache, distcc and icecream for a target
    Status {
        /// The target's tuple
        tuple: OsString,
    },
    /// Sign a target's binary packages, and print how a web server and its clients are set up
    ///
    /// The first run makes a key without a passphrase, for this target only, and lets Portage sign with it. Every run
    /// signs the packages that are not signed yet, and makes them readable for a web server.
    #[command(after_help = "\
Examples:
  crossmerge farm serve aarch64-unknown-linux-gnu
  crossmerge farm serve aarch64-unknown-linux-gnu --remove

docs/farm.md explains what it writes.")]
    Serve {
        /// The target's tuple
        tuple: OsString,
        /// Stop signing; the key stays for a later run
        #[arg(long)]
        remove: bool,
        /// Print the settings as a diff, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a target install the binary packages that another machine serves
    ///
    /// Portage then fetches them with `--getbinpkg`, into a directory of the sysroot, and verifies the signatures with
    /// the key. Packages for another CHOST are an error; other CFLAGS and another profile are warnings.
    #[command(after_help = "\
Examples:
  crossmerge farm use aarch64-unknown-linux-gnu http://build1/aarch64-unknown-linux-gnu --key crossmerge.asc
  crossmerge farm use aarch64-unknown-linux-gnu --remove

Then `<tuple>-emerge --getbinpkg` takes a package from there if it has one.")]
    Use {
        /// The target's tuple
        tuple: OsString,
        /// The address of the packages, as `farm serve` prints it
        #[arg(required_unless_present = "remove")]
        url: Option<String>,
        /// The file with the public key of that machine; not needed again in later runs
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        key: Option<PathBuf>,
        /// Stop using these packages; without an address, those of every machine
        #[arg(long, conflicts_with = "key")]
        remove: bool,
        /// Print the settings as a diff, and change nothing
        #[arg(long)]
        dry_run: bool,
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
        FarmCommand::Serve {
            tuple,
            remove,
            dry_run,
        } => {
            let tuple = invocation.target(&tuple)?;
            let wrappers = invocation.wrappers;
            let context = invocation.into_context(tuple)?;
            if remove {
                return changed(&binhost::stop_serving(&context, dry_run)?, &[], dry_run);
            }
            let served = binhost::serve(&context, wrappers, dry_run)?;
            changed(&served.changes, &served.warnings, dry_run)?;
            print(&served.text)
        }
        FarmCommand::Use {
            tuple,
            url,
            key,
            remove,
            dry_run,
        } => {
            let tuple = invocation.target(&tuple)?;
            let context = invocation.into_context(tuple)?;
            match url {
                Some(url) if !remove => {
                    let request = UseRequest { url, key, dry_run };
                    let (changes, warnings) = binhost::use_host(&context, &request)?;
                    changed(&changes, &warnings, dry_run)?;
                    if !dry_run {
                        let tuple = &context.tuple;
                        report::line(&format!(
                            "next: `{tuple}-emerge --getbinpkg PACKAGE` takes packages from there"
                        ));
                    }
                    Ok(ExitCode::SUCCESS)
                }
                url => {
                    let text = binhost::stop_using(&context, url.as_deref(), dry_run)?;
                    changed(&text, &[], dry_run)
                }
            }
        }
    }
}

/// Prints what was changed and the warnings on stderr; the changes of a dry run are its result, and go to stdout.
fn changed(changes: &str, warnings: &[String], dry_run: bool) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    for warning in warnings {
        text += &format!("{WARNING}warning:{WARNING:#} {warning}\n");
    }
    // The work is done, and an error could not be printed without stderr.
    let _ = anstream::stderr().write_all(text.as_bytes());
    match changes {
        changes if dry_run => print(changes),
        "" => {
            report::line("nothing to do: everything is as wanted");
            Ok(ExitCode::SUCCESS)
        }
        changes => {
            changes.lines().for_each(report::line);
            Ok(ExitCode::SUCCESS)
        }
    }
}
