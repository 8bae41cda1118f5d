//! `crossmerge toolchain update`: builds the newest allowed versions of toolchains that exist.

use super::{
    build::{BuildOptions, build},
    existing::{recorded, wanted},
    lookup::{at_portage, note},
};
use crate::{
    cli::invocation::Invocation,
    toolchain::{self, ToolchainRequest},
};
use crossmerge_plan::report::{Failure, UsageError};
use std::{ffi::OsString, path::Path, process::ExitCode};

/// How toolchains are updated.
pub(super) struct How<'a> {
    /// The root of a system whose versions are taken.
    pub(super) like: Option<&'a Path>,
    pub(super) verbose: bool,
    /// Whether the finished toolchains are tested.
    pub(super) test: bool,
}

/// Updates toolchains, one after the other. Ends with the first that fails.
pub(super) fn update(
    invocation: &Invocation<'_>,
    names: &[OsString],
    how: &How<'_>,
) -> Result<ExitCode, Failure> {
    let (_, config, _) = at_portage(invocation)?;
    let wanted = wanted(invocation, &config, names)?;
    if wanted.is_empty() {
        note("there are no toolchains: `crossmerge toolchain build <tuple>` builds one");
    }
    for category in wanted {
        let mut request = match recorded(&config, &category)? {
            Some(request) => request,
            None => of_category(&category)?,
        };
        if let Some(root) = how.like {
            toolchain::take_versions(&mut request, root)?;
        }
        let options = BuildOptions {
            request,
            verbose: how.verbose,
            files_only: false,
            test: how.test,
            show_log: false,
        };
        let code = build(invocation.clone(), options)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the request for a toolchain that crossdev built with its defaults.
fn of_category(category: &str) -> Result<ToolchainRequest, Failure> {
    let (name, llvm) = toolchain::without_category(category);
    let tuple = name.parse().map_err(|_| UsageError {
        message: format!("the category `{category}` names no tuple"),
        hint: "name the toolchains to update: `crossmerge toolchain list` lists all".into(),
    })?;
    Ok(ToolchainRequest::new(tuple, llvm))
}
