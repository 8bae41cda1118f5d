//! The environment of a login in the root.

use super::{ids::AvailableIds, inside::Account};
use crate::context::Context;
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
};
use std::{ffi::OsString, path::Path};

/// PATH of root's login shell, as Gentoo's baselayout and Debian set it.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The shells that are run without a command, in order of preference.
pub(super) const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// The caller's variables that are kept: those of the terminal and the language.
const KEPT: [&str; 13] = [
    "COLORTERM",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "COLUMNS",
    "TERM",
];

/// The FEATURES of Portage that do not work under QEMU, which does not emulate the system calls of its sandboxes
/// (Gentoo bugs 703278 and 703276); `sandbox` itself uses ptrace.
const NOT_UNDER_QEMU: [&str; 6] = [
    "-ipc-sandbox",
    "-mount-sandbox",
    "-network-sandbox",
    "-pid-sandbox",
    "-sandbox",
    "-usersandbox",
];

/// The FEATURES of Portage that need a user of Portage's own.
const NOT_WITHOUT_IDS: [&str; 4] = ["-userfetch", "-userpriv", "-usersandbox", "-usersync"];

/// The owner of Portage's directories if root is the only user.
const ALONE: [(&str, &str); 2] = [("PORTAGE_GRPNAME", "root"), ("PORTAGE_USERNAME", "root")];

/// Returns the environment of the command.
pub(super) fn environment(
    context: &Context,
    account: &Account,
    home: &str,
    program: &Path,
    cpu: Option<OsString>,
    is_foreign: bool,
    ids: &AvailableIds,
) -> Changes {
    let kept = KEPT
        .iter()
        .filter_map(|name| Some((*name, context.env.get_name(name)?.to_owned())));
    let shell = match SHELLS.iter().find(|shell| Path::new(shell) == program) {
        Some(shell) => shell,
        None => SHELLS[1],
    };
    let mut features: Vec<&str> = Vec::new();
    if is_foreign {
        features.extend(NOT_UNDER_QEMU);
    }
    if !ids.has_many() {
        features.extend(NOT_WITHOUT_IDS);
    }
    features.sort_unstable();
    features.dedup();
    let features = (!features.is_empty()).then(|| ("FEATURES", features.join(" ").into()));
    let own = [
        ("HOME", home.into()),
        ("LOGNAME", OsString::from(&account.name)),
        ("PATH", PATH.into()),
        ("SHELL", shell.into()),
        ("USER", OsString::from(&account.name)),
    ];
    let cpu = cpu.map(|cpu| (env::QEMU_CPU.name, cpu));
    let alone = (!ids.has_many()).then_some(ALONE).into_iter().flatten();
    let alone = alone.map(|(name, value)| (name, value.into()));
    let all = kept.chain(own).chain(cpu).chain(features).chain(alone);
    all.map(|(name, value)| (name.into(), Change::Set(value)))
        .collect()
}
