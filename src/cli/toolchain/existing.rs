//! The toolchains that exist: those that crossmerge built, and those that crossdev built.

use super::lookup::{at_portage, invalid, target};
use crate::{
    cli::{invocation::Invocation, print::print},
    config::Config,
    toolchain::{self, ToolchainError, ToolchainRecord, ToolchainRequest},
};
use crossmerge_plan::{
    report::{self, Failure},
    tuple::Tuple,
};
use crossmerge_system::file::{below, read};
use std::{
    ffi::{OsStr, OsString},
    io,
    process::ExitCode,
};

/// Lists the categories of all toolchains.
pub(super) fn categories(config: &Config) -> Result<Vec<String>, Failure> {
    let mut categories = toolchain::installed_categories(&below(&config.broot, ""))?;
    categories.extend(ToolchainRecord::categories(config));
    categories.sort();
    categories.dedup();
    Ok(categories)
}

/// Returns whether a target has a toolchain of LLVM, and none of GCC.
pub(super) fn is_only_llvm(categories: &[String], tuple: &Tuple) -> bool {
    let has = |llvm| {
        let category = ToolchainRequest::new(tuple.clone(), llvm).category();
        categories.contains(&category)
    };
    has(true) && !has(false)
}

/// Returns the category of the toolchain that a name means.
pub(super) fn category_of(
    invocation: &Invocation<'_>,
    config: &Config,
    name: &OsStr,
) -> Result<String, Failure> {
    let (tuple, llvm) = target(invocation, name)?;
    let categories = categories(config)?;
    let llvm = llvm || is_only_llvm(&categories, &tuple);
    let category = ToolchainRequest::new(tuple.clone(), llvm).category();
    match categories.contains(&category) {
        true => Ok(category),
        false => Err(ToolchainError::NoRecord { tuple }.into()),
    }
}

/// Returns the categories of the toolchains that names mean; without names, of all.
pub(super) fn wanted(
    invocation: &Invocation<'_>,
    config: &Config,
    names: &[OsString],
) -> Result<Vec<String>, Failure> {
    match names.is_empty() {
        true => categories(config),
        false => { names.iter() }
            .map(|name| category_of(invocation, config, name))
            .collect(),
    }
}

/// Returns what was asked for when crossmerge built the toolchain. `None` if crossdev built it.
pub(super) fn recorded(
    config: &Config,
    category: &str,
) -> Result<Option<ToolchainRequest>, Failure> {
    let record = ToolchainRecord::read(config, category)?;
    Ok(record.and_then(|record| record.request))
}

/// Prints the steps of toolchains, and the packages of those that crossdev built.
pub(super) fn status(
    invocation: &Invocation<'_>,
    names: &[OsString],
    json: bool,
) -> Result<ExitCode, Failure> {
    let (_, config, _) = at_portage(invocation)?;
    let wanted = wanted(invocation, &config, names)?;
    let root = below(&config.broot, "");
    let mut text = String::new();
    let mut values = Vec::new();
    for category in wanted {
        let record = ToolchainRecord::read(&config, &category)?;
        let packages = toolchain::installed_packages(&root, &category)?;
        match json {
            true => values.push(toolchain::status_json(
                &category,
                record.as_ref(),
                &packages,
            )),
            false => text += &toolchain::status_text(&category, record.as_ref(), &packages),
        }
    }
    print(&match json {
        true => format!("{:#}\n", serde_json::Value::from(values)),
        false => text,
    })
}

/// Prints the log of a step.
pub(super) fn log(
    invocation: &Invocation<'_>,
    name: &OsStr,
    step: Option<&str>,
) -> Result<ExitCode, Failure> {
    let (_, config, _) = at_portage(invocation)?;
    let category = category_of(invocation, &config, name)?;
    let Some(record) = ToolchainRecord::read(&config, &category)? else {
        let (tuple, _) = target(invocation, name)?;
        return Err(ToolchainError::NoRecord { tuple }.into());
    };
    let found = match step {
        None => toolchain::last_failure(&record).or(record.step.last()),
        Some(name) => record.step.iter().find(|step| step.name == name),
    };
    let Some(found) = found else {
        let names: Vec<&str> = record.step.iter().map(|step| step.name.as_str()).collect();
        let expected = format!("a step of {category}: {}", names.join(", "));
        return Err(invalid(step.unwrap_or_default(), &expected));
    };
    let mut file = read::open_regular(&found.log).map_err(|source| ToolchainError::Read {
        path: found.log.clone(),
        source,
    })?;
    let copied = io::copy(&mut file, &mut io::stdout().lock()).map(drop);
    Ok(report::printed(copied, ExitCode::SUCCESS)?)
}
