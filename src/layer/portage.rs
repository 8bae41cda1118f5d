//! The `portage` layer: what makes Portage build for the target.

use super::changes::{default, set};
use crate::context::{Context, ContextError};
use crossmerge_plan::{env, plan::Changes};
use std::ffi::OsString;

/// The flags that Portage has for the machine and the variable that carries each into a cross build.
pub(super) const BUILD_FLAGS: [(&str, &str); 4] = [
    ("BUILD_CFLAGS", "CFLAGS"),
    ("BUILD_CXXFLAGS", "CXXFLAGS"),
    ("BUILD_CPPFLAGS", "CPPFLAGS"),
    ("BUILD_LDFLAGS", "LDFLAGS"),
];

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

/// ROOT: the environment's, which has to be another's root than the host's; else that of the target's make.conf, else
/// the sysroot.
pub(super) fn root(context: &Context) -> Result<OsString, ContextError> {
    if let Some(root) = context.chosen_root()? {
        return Ok(root.into());
    }
    // A ROOT of `/` is what Portage says when make.conf has none, and never where a target's packages belong.
    Ok(match context.portage()?.target_setting(env::ROOT.name) {
        "" | "/" => context.usable_sysroot()?.into(),
        root => root.into(),
    })
}
