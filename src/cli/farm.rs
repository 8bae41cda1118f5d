//! `crossmerge farm`.

use super::{invocation::Invocation, print::print};
use crate::{
    context::Context,
    farm::{
        CompilerRequest, Status,
        binhost::{self, UseRequest},
    },
    layer::Engine,
    terminal::WARNING,
};
use clap::{Args, Subcommand, ValueHint};
use crossmerge_plan::report::{self, Failure};
use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    path::PathBuf,
    process::ExitCode,
};

/// The commands of `crossmerge farm`.
#[derive(Debug, Subcommand)]
pub(super) enum FarmCommand {
    /// Compile a target's packages through ccache, distcc or icecream
    ///
    /// It makes symlinks from the compilers' names to the program, where Portage searches them, and adds FEATURES to the
    /// target's make.conf. Your own lines stay. `crossmerge farm disable` and `crossmerge remove` take all of it away.
    #[command(after_help = "\
Examples:
  crossmerge farm enable aarch64-unknown-linux-gnu ccache
  crossmerge farm enable aarch64-unknown-linux-gnu ccache distcc --hosts 192.168.1.2/8")]
    Enable {
        #[command(flatten)]
        which: Which,
        /// Keep ccache's objects in this directory: CCACHE_DIR
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        ccache_dir: Option<String>,
        /// The machines that compile: DISTCC_HOSTS
        #[arg(long, value_name = "HOSTS")]
        hosts: Option<String>,
    },
    /// Undo `enable`, for all programs or for those that you name
    Disable {
        #[command(flatten)]
        which: Which,
    },
    /// Print the state of ccache, distcc and icecream for a target
    ///
    /// If distcc is enabled, each host of DISTCC_HOSTS compiles one object, which is compared with the build machine's. The
    /// exit code is 0 if nothing is wrong, else 1.
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

/// A target and programs.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The target's tuple
    tuple: OsString,
    /// The programs; without any, `enable` means ccache, and `disable` all
    #[arg(value_name = "PROGRAM")]
    engines: Vec<Engine>,
    /// Print the changes, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs one of the commands.
pub(super) fn farm(invocation: Invocation<'_>, command: FarmCommand) -> Result<ExitCode, Failure> {
    match command {
        FarmCommand::Enable {
            which,
            ccache_dir,
            hosts,
        } => {
            let context = context(invocation, &which.tuple)?;
            let mut request = which.request(ccache_dir, hosts);
            if request.engines.is_empty() {
                request.engines.push(Engine::Ccache);
            }
            changed(&request.enable(&context)?, &[], request.dry_run)
        }
        FarmCommand::Disable { which } => {
            let context = context(invocation, &which.tuple)?;
            let request = which.request(None, None);
            changed(&request.disable(&context)?, &[], request.dry_run)
        }
        FarmCommand::Status { tuple } => {
            let context = context(invocation, &tuple)?;
            let status = Status::of(&context)?;
            print(&status.to_text(context.tuple.as_str()))?;
            Ok(ExitCode::from(u8::from(status.has_problems())))
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

fn context(invocation: Invocation<'_>, name: &OsStr) -> Result<Context, Failure> {
    let tuple = invocation.target(name)?;
    invocation.into_context(tuple)
}

impl Which {
    fn request(self, ccache_dir: Option<String>, hosts: Option<String>) -> CompilerRequest {
        CompilerRequest {
            engines: self.engines,
            ccache_dir,
            hosts,
            dry_run: self.dry_run,
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
