//! `crossmerge export`.

use super::{invocation::Invocation, print::print};
use crate::{
    call::Call,
    context::Context,
    export::{self, ExportError, Format},
    layer,
    site_cache::{config_site, make_trial_program},
};
use crossmerge_plan::report::{self, Failure};
use crossmerge_system::file;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Prints a build system's file, or writes it.
pub(super) fn export(
    invocation: Invocation<'_>,
    name: &OsStr,
    format: Format,
    file: Option<PathBuf>,
    force: bool,
) -> Result<ExitCode, Failure> {
    let tuple = invocation.target(name)?;
    let context = invocation.into_context(tuple)?;
    let file = file.filter(|file| file != Path::new("-"));
    export_file(&context, format, file.as_deref(), force)
}

fn export_file(
    context: &Context,
    format: Format,
    file: Option<&Path>,
    force: bool,
) -> Result<ExitCode, Failure> {
    let call = Call::new(context);
    let mut facts = call.facts()?.clone();
    facts.take_flags_of(&context.env);
    facts.find_facts_and_emulator_for(format, context);
    // The files that the exported file refers to.
    let mut named = Vec::new();
    if format == Format::Env {
        // A missing compiler is reported before any other error.
        facts.compiler()?;
        named.extend(config_site(&call)?);
        make_trial_program(&call);
        facts.config_site = named.first().map(|file| file.path.clone());
        let prepared = layer::for_export(&call, &facts)?;
        facts.environment = prepared.env;
        named.extend(prepared.files);
    }
    if format == Format::Cargo
        && let Ok(file) = export::nested_file(context, Format::Cmake, &facts)
    {
        facts.toolchain_file = Some(file.path.clone());
        named.push(file);
    }
    let text = format.render(&facts)?;
    if let Some(path) = file {
        match format.check_ours(path, context.tuple.as_str()) {
            Err(ExportError::NotOurs { .. }) if force => {}
            checked => checked?,
        }
    }
    // Files are only written after all checks.
    for file in named {
        file::put(&file.path, file.text.as_bytes()).map_err(ExportError::File)?;
    }
    let Some(path) = file else {
        return print(&text);
    };
    file::put(path, text.as_bytes()).map_err(ExportError::File)?;
    report::note(&format!("wrote `{}`", path.display()));
    Ok(ExitCode::SUCCESS)
}
