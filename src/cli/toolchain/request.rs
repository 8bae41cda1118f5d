//! The options of `crossmerge toolchain`, as a request.

use super::{
    existing::recorded,
    lookup::{at_portage, invalid, target},
};
use crate::{
    cli::{invocation::Invocation, toolchain_args::ToolchainOptions},
    toolchain::{Extra, Part, ToolchainRequest},
};
use crossmerge_plan::report::Failure;

/// Makes the request that the options describe. Without options, it is that of the last build.
pub(super) fn request(
    invocation: &Invocation<'_>,
    options: ToolchainOptions,
) -> Result<ToolchainRequest, Failure> {
    let (tuple, llvm) = target(invocation, &options.tuple)?;
    let mut request = ToolchainRequest {
        stage: options.stage.map(|stage| stage as u8),
        abis: options.abis,
        stable: options.stable,
        output: options.output,
        emerge_options: options.emerge_opt,
        headers: options.headers_first.then_some(true),
        posix_threads: options.posix_threads,
        ..ToolchainRequest::new(tuple, llvm || options.llvm)
    };
    let versions = [
        (Part::Binutils, options.binutils),
        (Part::Gcc, options.gcc),
        (Part::Kernel, options.kernel),
        (Part::Libc, options.libc),
        (Part::Gdb, options.gdb),
    ];
    for (part, version) in versions {
        let Some(text) = version else { continue };
        let version = text
            .parse()
            .map_err(|()| invalid(&text, "a version, such as 2.45 or >=2.45"))?;
        request.parts.entry(part).or_default().version = Some(version);
    }
    for text in &options.env {
        let (part, assignment) = match text.split_once(':') {
            Some((part, assignment)) if part_of(part).is_ok() => (Some(part_of(part)?), assignment),
            _ => (None, text.as_str()),
        };
        let lines = match part {
            Some(part) => &mut request.parts.entry(part).or_default().environment,
            None => &mut request.environment,
        };
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&assignment_line(assignment).ok_or_else(|| invalid(text, "NAME=VALUE"))?);
    }
    for text in &options.repository {
        let (part, directory) = text
            .split_once('=')
            .ok_or_else(|| invalid(text, "PART=DIRECTORY"))?;
        request.parts.entry(part_of(part)?).or_default().repository = Some(directory.into());
    }
    for name in &options.extra {
        request.extra.push(match name.as_str() {
            "gcc" => Extra::Gcc,
            "gdb" => Extra::Gdb,
            name => {
                let package = name.parse();
                Extra::Package(
                    package.map_err(|()| invalid(name, "gcc, gdb or CATEGORY/NAME"))?,
                    None,
                )
            }
        });
    }
    let usual = ToolchainRequest::new(request.tuple.clone(), request.llvm);
    if request == usual
        && let (_, config, _) = at_portage(invocation)?
        && let Some(recorded) = recorded(&config, &usual.category())?
    {
        return Ok(recorded);
    }
    Ok(request)
}

fn part_of(name: &str) -> Result<Part, Failure> {
    let known = Part::NAMES.iter().find(|(known, _)| *known == name);
    let names = || {
        let names: Vec<&str> = Part::NAMES.iter().map(|(name, _)| *name).collect();
        format!("one of the parts {}", names.join(", "))
    };
    match known {
        Some((_, part)) => Ok(*part),
        None => Err(invalid(name, &names())),
    }
}

/// Returns an assignment with its value in quotes. `None` if it is not one.
fn assignment_line(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('`', "\\`");
    (is_name && !value.contains('\n')).then(|| format!("{name}=\"{value}\""))
}
