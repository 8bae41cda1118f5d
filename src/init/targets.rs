//! `targets`: what is initialised on this machine, and in what state.

use super::{
    InitError,
    files::is_half_made,
    record::{self, Record},
};
use crate::{
    adopt,
    config::{Config, below},
    context::Context,
    env::Env,
    file::read,
    tuple::Tuple,
};
use serde::Serialize;
use std::{collections::BTreeSet, io, path::PathBuf};

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetState {
    /// Its tuple.
    pub tuple: String,
    /// Where its sysroot is, or should be.
    pub sysroot: PathBuf,
    /// In one or two words: see [`targets`].
    pub state: &'static str,
    /// The toolchain that was adopted, as `kind prefix`.
    pub toolchain: Option<String>,
}

/// Lists the targets: those with a file in `targets/`, and those whose sysroot in `<BROOT>/usr` has an `etc/portage`.
///
/// The states are `ready`; `no-compiler`, ready but for that; `adopted`, set up by crossdev, whose wrappers are ours now; `foreign`,
/// set up by crossdev or by hand; `unfinished`, an init that was cut short; `half-made`, crossdev's placeholders in its make.conf;
/// `bare`, a sysroot without `etc/portage`; `missing`, none; `unreadable`, one that we may not read.
pub fn targets(env: &Env, config: &Config) -> Result<Vec<TargetState>, InitError> {
    let tuples = tuples(config)?;
    let adopted = adopt::Record::read(config)?;
    let adopted = adopted.tuples();
    tuples
        .into_iter()
        .map(|tuple| state(env, config, tuple, &adopted))
        .collect()
}

/// What tells that a folder in `<BROOT>/usr` is a target's sysroot.
const MARKS: [&str; 2] = ["etc/portage", record::FILE];

/// The tuples of the targets of this machine.
pub(crate) fn tuples(config: &Config) -> Result<BTreeSet<Tuple>, InitError> {
    let mut tuples: BTreeSet<Tuple> = config.targets()?.into_iter().collect();
    let usr = below(&config.broot, "usr");
    for entry in fs_err::read_dir(&usr).into_iter().flatten() {
        let entry = entry?;
        if MARKS.iter().any(|mark| entry.path().join(mark).exists())
            && let Ok(tuple) = Tuple::from_os(&entry.file_name())
        {
            tuples.insert(tuple);
        }
    }
    Ok(tuples)
}

fn state(
    env: &Env,
    config: &Config,
    tuple: Tuple,
    adopted: &BTreeSet<&str>,
) -> Result<TargetState, InitError> {
    let mut env = env.clone();
    env.unset(crate::env::SYSROOT);
    let context = Context::new(env, config.clone(), tuple)?;
    let sysroot = context.sysroot();
    let make_conf = sysroot.join("etc/portage/make.conf");
    let make_conf = match read::read_to_string(&make_conf, read::SETTINGS) {
        // A person may have it in parts; crossdev never does.
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => Ok(String::new()),
        text => text,
    };
    let record = Record::read(&sysroot);
    let state = match (&record, &make_conf) {
        _ if !sysroot.is_dir() => "missing",
        (_, Err(e)) if e.kind() == io::ErrorKind::PermissionDenied => "unreadable",
        (Err(_), _) => "unreadable",
        (Ok(record), _) if record.pending => "unfinished",
        (_, Err(_)) => "bare",
        (_, Ok(text)) if is_half_made(text) => "half-made",
        (Ok(record), _) if record.is_empty() => match adopted.contains(context.tuple.as_str()) {
            true => "adopted",
            false => "foreign",
        },
        _ if context.compiler().is_none_or(|(_, path)| !path.is_file()) => "no-compiler",
        _ => "ready",
    };
    let toolchain = context.settings.toolchain.as_ref();
    let toolchain = toolchain.map(|t| format!("{} {}", t.kind.as_str(), t.prefix.display()));
    Ok(TargetState {
        tuple: context.tuple.to_string(),
        sysroot,
        state,
        toolchain,
    })
}
