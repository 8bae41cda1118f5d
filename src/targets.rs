//! `targets`: lists the targets of the host and their states.

use crate::{
    adopt,
    config::{Config, ToolchainKind},
    context::Context,
    init::{InitError, InitRecord, installed, is_half_made, toolchain},
    links::is_our_command,
};
use crossmerge_plan::{env::Env, tuple::Tuple};
use crossmerge_system::{
    file::{self, read},
    search,
};
use serde::Serialize;
use std::{collections::BTreeSet, ffi::OsStr, io, path::PathBuf};

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetState {
    /// Its tuple.
    pub tuple: String,
    /// The path of its sysroot, which may be missing.
    pub sysroot: PathBuf,
    /// Its state: see [`targets`].
    pub state: &'static str,
    /// The toolchain that was adopted, as `kind prefix`.
    pub toolchain: Option<String>,
    /// The prefix of the adopted toolchain.
    #[serde(skip)]
    prefix: Option<PathBuf>,
}

/// An installed cross compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Available {
    /// A tuple for which it builds.
    pub tuple: String,
    /// The prefix of its tools' names, for `--toolchain`.
    pub prefix: PathBuf,
    /// The targets that have adopted it.
    pub targets: Vec<String>,
    /// The reason why no target can use it; `None` if it works.
    pub problem: Option<String>,
}

/// Lists the targets: those with a file in `targets/`, those with symlinks to crossmerge in PATH, and those whose
/// sysroot in `<BROOT>/usr` has an `etc/portage` or a record of init.
///
/// The states are: `ready`; `no-compiler`, ready except for a compiler; `adopted`, set up by crossdev, with wrappers
/// that adopt took over; `foreign`, set up by crossdev or by hand; `unfinished`, an interrupted init; `half-made`, with
/// crossdev's placeholders in make.conf; `bare`, a sysroot without `etc/portage` although Portage is installed;
/// `missing`, no sysroot; `unreadable`, a sysroot that the user cannot read.
pub fn targets(env: &Env, config: &Config) -> Result<Vec<TargetState>, InitError> {
    let mut tuples = config.tuples()?;
    tuples.extend(linked(env));
    let adopted = adopt::AdoptRecord::read(config)?;
    let adopted = adopted.tuples();
    tuples
        .into_iter()
        .map(|tuple| state(env, config, tuple, &adopted))
        .collect()
}

/// Lists the tuples that have a symlink `emerge-<tuple>` to crossmerge in PATH, as every target has.
fn linked(env: &Env) -> impl Iterator<Item = Tuple> {
    let directories = search::path(env).into_iter().chain(file::own_directory());
    let entries =
        directories.flat_map(|directory| fs_err::read_dir(directory).into_iter().flatten());
    entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let tuple = name.to_str()?.strip_prefix("emerge-")?.parse().ok()?;
        (name != "emerge-wrapper" && is_our_command(&entry.path())).then_some(tuple)
    })
}

/// Lists the cross compilers in PATH, each with a tuple that it serves.
pub fn available(env: &Env, config: &Config) -> Result<Vec<Available>, InitError> {
    let families = config.families()?;
    let targets = targets(env, config)?;
    let (mut all, mut native) = (Vec::new(), None);
    for compiler in installed::compilers(env, &families) {
        let tuple = served(&compiler.tuple);
        let context = Context::new(env.clone(), config.clone(), tuple.clone())?;
        let native = native.get_or_insert_with(|| context.machine_of_cc());
        if native.as_deref() == Some(compiler.tuple.as_str()) {
            continue;
        }
        let target = config.facts(&tuple)?;
        let prefix = compiler.prefix.as_os_str();
        let problem = toolchain::adopt(&context, &target, ToolchainKind::Gnu, prefix).err();
        let uses = |target: &&TargetState| {
            target.prefix.as_ref() == Some(&compiler.prefix)
                || target.tuple == compiler.tuple.as_str()
        };
        all.push(Available {
            tuple: tuple.to_string(),
            targets: targets
                .iter()
                .filter(uses)
                .map(|target| target.tuple.clone())
                .collect(),
            problem: problem.map(|e| e.to_string()),
            prefix: compiler.prefix,
        });
    }
    all.sort_by(|a, b| (&a.tuple, &a.prefix).cmp(&(&b.tuple, &b.prefix)));
    Ok(all)
}

/// Returns the tuple of a target for a compiler with this tuple. It has a vendor, so that the target's commands do not
/// have the same names as the compiler's.
fn served(compiler: &Tuple) -> Tuple {
    let plain = compiler.as_str();
    let with_vendor = || {
        let (cpu, rest) = plain.split_once('-')?;
        format!("{cpu}-unknown-{rest}").parse().ok()
    };
    match compiler.vendor() {
        Some(_) => compiler.clone(),
        None => with_vendor().unwrap_or_else(|| compiler.clone()),
    }
}

fn state(
    env: &Env,
    config: &Config,
    tuple: Tuple,
    adopted: &BTreeSet<&str>,
) -> Result<TargetState, InitError> {
    let mut env = env.clone();
    env.unset(crossmerge_plan::env::SYSROOT);
    let context = Context::new(env, config.clone(), tuple)?;
    let sysroot = context.sysroot();
    let make_conf = sysroot.join("etc/portage/make.conf");
    let make_conf = match read::read_to_string(&make_conf, read::SETTINGS) {
        // A user may make it a directory; crossdev never does.
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => Ok(String::new()),
        text => text,
    };
    let record = InitRecord::read(&sysroot);
    // Without Portage, `etc/portage` is not needed.
    let has_portage = context.find_program(OsStr::new("portageq")).is_ok();
    let state = match (&record, &make_conf) {
        _ if !sysroot.is_dir() => "missing",
        (_, Err(e)) if e.kind() == io::ErrorKind::PermissionDenied => "unreadable",
        (Err(_), _) => "unreadable",
        (Ok(record), _) if record.pending => "unfinished",
        (_, Err(_)) if has_portage => "bare",
        (_, Ok(text)) if is_half_made(text) => "half-made",
        (Ok(record), Ok(_)) if record.is_empty() => {
            match adopted.contains(context.tuple.as_str()) {
                true => "adopted",
                false => "foreign",
            }
        }
        _ if context.compiler().is_none_or(|(_, path)| !path.is_file()) => "no-compiler",
        _ => "ready",
    };
    let toolchain = context.settings.toolchain.as_ref();
    let toolchain = toolchain.map(|t| format!("{} {}", t.kind.as_str(), t.prefix.display()));
    Ok(TargetState {
        tuple: context.tuple.to_string(),
        sysroot,
        state,
        prefix: context
            .settings
            .toolchain
            .as_ref()
            .map(|t| t.prefix.clone()),
        toolchain,
    })
}
