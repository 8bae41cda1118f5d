//! `crossmerge toolchain pack` and `unpack`.

use super::{
    build::{Place, make_target},
    existing::{category_of, recorded},
    lookup::{at_portage, in_prefix, note},
};
use crate::{
    cli::{
        invocation::Invocation,
        print::print,
        toolchain_args::{Pack, Unpack},
    },
    context::Context,
    toolchain::{
        ToolchainRequest,
        pack::{self, Manifest, PackError, PackRequest, Unpacked},
        prefix::Prefix,
        without_category,
    },
};
use crossmerge_plan::{report::Failure, shown::Show, words::quote};
use crossmerge_system::file::below;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Packs a toolchain.
pub(super) fn pack(invocation: &Invocation<'_>, options: &Pack) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let (env, config, _) = at_portage(invocation)?;
    let category = category_of(invocation, &config, &options.tuple)?;
    let recorded = recorded(&config, &category)?;
    let is_recorded = recorded.is_some();
    let toolchain = match recorded {
        Some(request) => request,
        None => {
            let (tuple, llvm) = without_category(&category);
            ToolchainRequest::new(invocation.reader()?.tuple(tuple.as_ref())?, llvm)
        }
    };
    let context = Context::new(env, config, toolchain.tuple.clone())?;
    let packed = pack::pack(PackRequest {
        context: &context,
        toolchain,
        is_recorded,
        output: options.output.as_deref(),
        stage: options.stage.map(|stage| stage as u8),
    })?;
    let path = packed.path.shown();
    let size = mebibytes(packed.bytes);
    let seconds = seconds(begun.elapsed());
    note(&format!(
        "{path}: {}, {size} MiB, after {seconds} s",
        packed.manifest.title()
    ));
    match options.json {
        true => print(&json(&packed.path, &packed.manifest)),
        false => {
            note(&format!(
                "to unpack it, there: crossmerge toolchain unpack {}",
                quote(packed.path.file_name().unwrap_or_default())
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Unpacks an archive or binary packages, makes the target and tests the compiler.
pub(super) fn unpack(invocation: Invocation<'_>, options: &Unpack) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let input = std::path::absolute(&options.input).unwrap_or_else(|_| options.input.clone());
    let prefix = options.prefix.as_ref().map(|path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        path.components().collect::<PathBuf>()
    });
    let (manifest, context, place, directory) = match input.is_dir() {
        true => packages(&invocation, &input, prefix.as_deref())?,
        false => archive(&invocation, &input, prefix, options.no_init)?,
    };
    let shown = directory.shown();
    let seconds = seconds(begun.elapsed());
    note(&format!("{shown}: {}, after {seconds} s", manifest.title()));
    if options.json {
        print(&json(&directory, &manifest))?;
    }
    // A compiler without a libc makes no programs.
    let is_complete = manifest.stage >= 4;
    if options.no_init || !is_complete {
        return Ok(ExitCode::SUCCESS);
    }
    let llvm = manifest.category.starts_with("cross_llvm-");
    make_target(invocation, &context, place, llvm, !options.no_test)
}

type Done = (Manifest, Context, Option<Place>, PathBuf);

/// Installs binary packages with the Portage of the machine or of a prefix.
fn packages(
    invocation: &Invocation<'_>,
    input: &Path,
    prefix: Option<&Path>,
) -> Result<Done, Failure> {
    let manifest = pack::manifest_of_packages(input)?;
    let (env, config, prefix) = match prefix {
        None => at_portage(invocation)?,
        Some(path) => {
            let no_prefix = || PackError::NoPrefix(path.into());
            in_prefix(invocation, Prefix::open(path).ok_or_else(no_prefix)?)?
        }
    };
    let context = Context::new(env, config, manifest.tuple.clone())?;
    pack::unpack_packages(&context, input, &manifest)?;
    let directory = match &prefix {
        Some(prefix) => prefix.eprefix().into(),
        None => below(&context.config.broot, ""),
    };
    let place = prefix.map(|prefix| Place::of_prefix(&prefix, &manifest.tuple));
    Ok((manifest, context, place, directory))
}

/// Unpacks an archive into a directory.
fn archive(
    invocation: &Invocation<'_>,
    input: &Path,
    directory: Option<PathBuf>,
    no_init: bool,
) -> Result<Done, Failure> {
    let (env, config) = (invocation.env.clone(), invocation.config.clone());
    let unpacked = Unpacked::read(&env, &config, input)?;
    let tuple = unpacked.manifest.tuple.clone();
    let directory = match directory {
        Some(directory) => directory,
        None => pack::default_directory(&tuple)?,
    };
    let context = Context::new(env, config, tuple.clone())?;
    if let Some((_, compiler)) = context.compiler().filter(|_| !no_init) {
        return Err(PackError::TargetExists { tuple, compiler }.into());
    }
    pack::unpack_archive(&context, &unpacked, &directory)?;
    let place = Place {
        bin: directory.join("bin"),
        sysroot: directory.join(tuple.as_str()),
    };
    Ok((unpacked.manifest, context, Some(place), directory))
}

fn json(path: &Path, manifest: &Manifest) -> String {
    let value = json!({ "path": path, "manifest": manifest });
    format!("{value:#}\n")
}

/// Returns a size for the user.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Returns a duration for the user.
fn seconds(elapsed: Duration) -> u64 {
    elapsed.as_secs_f64().round() as u64
}
