//! The `pkg-config` layer: the directories that pkg-config searches, and the prefix of the paths that it prints.

use super::changes::set;
use crate::{call::Call, context::ContextError};
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
};

/// Restricts pkg-config to the sysroot.
pub(super) fn pkg_config(call: &Call, changes: &mut Changes) -> Result<(), ContextError> {
    let search = call.pkg_config()?;
    for (variable, value) in [
        (env::PKG_CONFIG_LIBDIR, &search.libdir),
        (
            env::PKG_CONFIG_SYSTEM_LIBRARY_PATH,
            &search.system_libraries,
        ),
        (env::PKG_CONFIG_SYSTEM_INCLUDE_PATH, &search.system_includes),
        (env::PKG_CONFIG_SYSROOT_DIR, &search.sysroot.before_paths),
    ] {
        set(changes, variable.name, value);
    }
    set(changes, env::PKG_CONFIG_FDO_SYSROOT_RULES.name, "1");
    if call.context.env.get(env::DESTDIR).is_some() {
        changes.insert(env::DESTDIR.name.into(), Change::Unset);
    }
    if let Some(path) = &search.path {
        // A directory from a list contains no colon.
        let kept = match std::env::join_paths(&path.kept) {
            Ok(kept) if !kept.is_empty() => Change::Set(kept),
            _ => Change::Unset,
        };
        changes.insert(env::PKG_CONFIG_PATH.name.into(), kept);
    }
    Ok(())
}
