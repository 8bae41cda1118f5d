//! `crossmerge stage`: a root of @system, as an archive.

use super::{
    image::note_of,
    invocation::Invocation,
    print::print,
    root_build::{build, print_report},
    user_namespace,
};
use crate::{
    image::{self, Format, ImageRequest},
    root::{self, RootError, RootRequest},
};
use clap::{Args, ValueHint};
use crossmerge_plan::{report::Failure, shown::Show, words::quote_line};
use crossmerge_system::file;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Build a stage: an archive of a system that builds packages itself, as Gentoo's stage3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge stage aarch64-unknown-linux-gnu /srv/stage3-arm64.tar.xz --dry-run
  crossmerge stage aarch64-unknown-linux-gnu /srv/stage3-arm64.tar.xz dev-vcs/git

The stage has @system of the target's profile with all files of the packages, and a configuration of
Portage for the target as its own machine. Unpack it with `tar xpf FILE --xattrs-include='*.*'
--numeric-owner`, or name it to catalyst as source_subpath. docs/stage.md has the details.")]
pub(super) struct StageOptions {
    /// The target's tuple
    tuple: OsString,
    /// The archive; its name ends with .tar, .tar.gz, .tar.xz or .tar.zst
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Packages and sets in addition to @system
    packages: Vec<String>,
    /// Print the steps as shell commands and the packages, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the output of the steps
    #[arg(short, long)]
    verbose: bool,
}

/// Builds a stage.
pub(super) fn stage(
    invocation: Invocation<'_>,
    options: StageOptions,
) -> Result<ExitCode, Failure> {
    let tuple = invocation.target(&options.tuple)?;
    let wrappers = invocation.wrappers;
    let typed = invocation.typed.clone();
    let context = invocation.into_context(tuple)?;
    let (format, base) = archive(&options.file)?;
    let work = work_of(&base);
    let root = work.join("root");
    let request = RootRequest::of_stage(&context, &root, options.packages)?;
    if !options.dry_run {
        user_namespace::enter(&context.env, &context.config, &typed)?;
    }
    let images = ImageRequest {
        env: &context.env,
        config: &context.config,
        root: &root,
        formats: &[format],
        genimage: None,
        repart: None,
        output: Some(&base),
        size: None,
        label: None,
        erase: false,
        options: &[],
        tuple: Some(&context.tuple),
    };
    image::check(&images)?;
    // A part of a new root would hide packages of it. The build itself may take hours.
    if options.dry_run || !request.has_begun() {
        let packages = root::resolve(&context, wrappers, &request)?;
        if !packages.has_manager() {
            let tuple = context.tuple.to_string();
            return Err(RootError::NoManager { tuple }.into());
        }
        if options.dry_run {
            let steps = root::to_text(&context, wrappers, &request)?;
            let archive = format!(
                "\n# archive: {}\ncrossmerge image {} {} --output {}\nrm -r {}\n",
                options.file.shown(),
                quote_line(root.as_os_str()),
                format.name(),
                quote_line(base.as_os_str()),
                quote_line(work.as_os_str()),
            );
            return print(&(steps + &archive + &packages.to_text()));
        }
    }
    let report = match build(&context, wrappers, &request, options.verbose)? {
        Ok(report) => report,
        Err(code) => return Ok(code),
    };
    if report.has_findings() {
        print_report(&report);
    }
    let (path, manifest) = image::images(&images)?;
    file::remove_all(&work).map_err(RootError::from)?;
    note_of(&path, &manifest);
    Ok(ExitCode::SUCCESS)
}

/// Returns the format of an archive by its name, and the path without the ending.
fn archive(file: &Path) -> Result<(Format, PathBuf), RootError> {
    let wrong = || RootError::NoArchive(file.into());
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(wrong)?;
    let formats = Format::names().filter(|end| end.starts_with("tar"));
    let found = formats.filter_map(|end| {
        let stem = name.strip_suffix(end)?.strip_suffix('.')?;
        Some((Format::named(end)?, stem)).filter(|(_, stem)| !stem.is_empty())
    });
    let (format, stem) = found.last().ok_or_else(wrong)?;
    Ok((format, file.with_file_name(stem)))
}

/// Returns the directory for the root, until it is in the archive.
fn work_of(base: &Path) -> PathBuf {
    let name = base.file_name().unwrap_or_default().to_string_lossy();
    base.with_file_name(format!(".{name}.crossmerge-stage"))
}
