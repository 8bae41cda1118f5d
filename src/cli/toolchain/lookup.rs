//! What every command of `crossmerge toolchain` looks up, and how it prints notes.

use crate::{
    cli::invocation::Invocation,
    config::Config,
    toolchain::{self, prefix::Prefix},
};
use crossmerge_plan::{
    env::{self, Env},
    plan::Change,
    report::{Failure, UsageError},
    tuple::Tuple,
};
use crossmerge_system::search;
use std::{ffi::OsStr, io::Write as _};

/// The environment and the configuration of the Portage that builds toolchains: that in PATH, else the one that
/// `toolchain prepare` has installed. The second value is the latter.
pub(super) fn at_portage(
    invocation: &Invocation<'_>,
) -> Result<(Env, Config, Option<Prefix>), Failure> {
    let (env, config) = (invocation.env.clone(), invocation.config.clone());
    if search::find_program(&env, OsStr::new("emerge")).is_ok() {
        return Ok((env, config, None));
    }
    let Some(prefix) = Prefix::find(&env) else {
        return Ok((env, config, None));
    };
    in_prefix(invocation, prefix)
}

/// The environment and the configuration of the Portage in a prefix.
pub(super) fn in_prefix(
    invocation: &Invocation<'_>,
    prefix: Prefix,
) -> Result<(Env, Config, Option<Prefix>), Failure> {
    let env = &invocation.env;
    let mut path = prefix.bin().into_os_string();
    if let Some(others) = env.get(env::PATH) {
        path.push(":");
        path.push(others);
    }
    let changes = [
        (
            env::PORTAGE_OVERRIDE_EPREFIX,
            prefix.eprefix().as_os_str().to_owned(),
        ),
        (env::PATH, path),
    ];
    let changes = changes.map(|(variable, value)| (variable.name.into(), Change::Set(value)));
    let env = env.changed(&changes.into_iter().collect());
    let config = Config::read(&env)?;
    Ok((env, config, Some(prefix)))
}

/// Returns the tuple of the target that a name means, and whether it names an LLVM toolchain.
pub(super) fn target(invocation: &Invocation<'_>, name: &OsStr) -> Result<(Tuple, bool), Failure> {
    let (name, llvm) = toolchain::without_category(&name.to_string_lossy());
    let tuple = match toolchain::other_cpu(&name) {
        Some(tuple) => tuple,
        None => invocation.reader()?.tuple(name.as_ref())?,
    };
    Ok((tuple, llvm))
}

/// Prints a line on stderr.
pub(super) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Returns the error for a value of an option.
pub(super) fn invalid(value: &str, expected: &str) -> Failure {
    UsageError {
        message: format!("`{value}` is not {expected}"),
        hint: "`crossmerge toolchain build --help` explains the options".into(),
    }
    .into()
}
