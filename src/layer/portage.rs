//! The `portage` layer: the variables by which Portage builds for the target.

use super::changes::{default, set};
use crate::context::{Context, ContextError};
use crossmerge_plan::{env, plan::Changes};
use std::ffi::OsString;

/// The build machine's flags in Portage, each with the variable that passes it into a cross build.
pub(super) const BUILD_FLAGS: [(&str, &str); 4] = [
    ("BUILD_CFLAGS", "CFLAGS"),
    ("BUILD_CXXFLAGS", "CXXFLAGS"),
    ("BUILD_CPPFLAGS", "CPPFLAGS"),
    ("BUILD_LDFLAGS", "LDFLAGS"),
];

#[inline(never)]
pub(super) fn portage(context: &Context, changes: &mut Changes) -> Result<(), ContextError> {
    let sysroot = context.existing_sysroot()?;
    let configroot = context.existing_configroot()?;
    let root = root(context)?;
    let portage = context.portage()?;
    set(changes, env::CHOST.name, context.tuple.as_str());
    set(changes, env::EPREFIX.name, context.eprefix());
    set(changes, env::PORTAGE_CONFIGROOT.name, configroot);
    set(changes, env::SYSROOT.name, sysroot);
    set(changes, env::ROOT.name, root);
    if let Some(cbuild) = portage.host_setting(env::CBUILD.name) {
        default(context, changes, env::CBUILD, cbuild);
    }
    for (name, flags) in BUILD_FLAGS {
        if let (None, Some(flags)) = (context.env.get_name(name), portage.host_setting(flags)) {
            set(changes, name, flags);
        }
    }
    Ok(())
}

/// Returns ROOT: the environment's, which must not be the host's root; else that of the target's make.conf, else the
/// sysroot.
pub(super) fn root(context: &Context) -> Result<OsString, ContextError> {
    if let Some(root) = context.chosen_root()? {
        return Ok(root.into());
    }
    // Portage reports `/` if make.conf sets no ROOT. A target's packages never belong there.
    Ok(match context.portage()?.target_setting(env::ROOT.name) {
        "" | "/" => context.usable_sysroot()?.into(),
        root => root.into(),
    })
}
