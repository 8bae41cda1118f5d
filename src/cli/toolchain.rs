//! `crossmerge toolchain`.

use super::{invocation::Invocation, print::print};
use crate::{
    distribution::Distribution,
    toolchain::prefix::{self, PrepareRequest},
};
use clap::{Args, Subcommand, ValueHint};
use crossmerge_plan::report::{self, Failure};
use crossmerge_system::search;
use std::{
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Subcommand)]
pub(super) enum ToolchainCommand {
    /// Prepare a system without Gentoo: install Portage and ebuilds for toolchains into a directory
    ///
    /// It installs no package of the distribution. If a program or a header is missing, it prints the command that installs it, and changes
    /// nothing. A second run continues an interrupted one, and updates the ebuilds.
    Prepare(Prepare),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge toolchain prepare
  crossmerge toolchain prepare riscv64-unknown-linux-musl --dry-run
  crossmerge toolchain prepare --sources /srv/archives")]
pub(super) struct Prepare {
    /// A target: print first which of its compilers the distribution has
    tuple: Option<OsString>,
    /// Use this directory instead of /var/lib/crossmerge/prefix, or ~/.local/share/crossmerge/prefix for a user
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    prefix: Option<PathBuf>,
    /// Build the versions whose source archives are in this directory, instead of downloading upstream's
    ///
    /// The archives of binutils, gcc, linux and musl are recognised by upstream's names and by Debian's.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    sources: Option<PathBuf>,
    /// Print the steps, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove the directory, if no toolchain is installed in it
    #[arg(long, conflicts_with_all = ["tuple", "sources"])]
    remove: bool,
}

pub(super) fn toolchain(
    invocation: &Invocation<'_>,
    command: ToolchainCommand,
) -> Result<ExitCode, Failure> {
    match command {
        ToolchainCommand::Prepare(options) => prepare(invocation, &options),
    }
}

/// Makes a prefix, or removes it.
fn prepare(invocation: &Invocation<'_>, options: &Prepare) -> Result<ExitCode, Failure> {
    let request = PrepareRequest {
        env: &invocation.env,
        config: &invocation.config,
        directory: options.prefix.as_deref(),
        sources: options.sources.as_deref(),
    };
    if options.remove {
        return print(&prefix::remove(&request.directory()?, options.dry_run)?);
    }
    if let Some(name) = &options.tuple {
        note_existing(invocation, name)?;
    }
    if options.dry_run {
        return print(&request.plan()?.to_steps());
    }
    let plan = request.run(&|what| report::note(what))?;
    // The work is done, and an error could not be printed without stderr.
    let _ = io::stderr().write_all(plan.to_text().as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Prints what makes a build of the target's compiler unnecessary: the distribution's own, and clang.
fn note_existing(invocation: &Invocation<'_>, name: &OsStr) -> Result<(), Failure> {
    let tuple = invocation.reader()?.tuple(name)?;
    let target = invocation.config.facts(&tuple)?;
    let families = invocation.config.families()?;
    let distribution = Distribution::of(&invocation.env, &invocation.config.broot);
    if let Some(install) = distribution.compiler(&target, &families) {
        report::note(&format!(
            "the distribution has a compiler for `{tuple}`: `{install}`, then `crossmerge init {tuple}`"
        ));
    }
    if search::find_program(&invocation.env, OsStr::new("clang")).is_ok() {
        report::note(&format!(
            "clang is installed, and compiles for every target: `crossmerge init {tuple} --llvm`; it needs a libc for the target"
        ));
    }
    Ok(())
}
