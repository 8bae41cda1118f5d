//! The `portage` layer: the variables by which Portage builds for the target.

use super::changes::{default, set};
use crate::context::{Context, ContextError};
use crossmerge_plan::{env, plan::Changes};
use crossmerge_system::file::canonical;
use std::{ffi::OsString, path::PathBuf};

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
    let homes = &context.config.homes;
    for (variable, home) in [
        (env::CROSSMERGE_CONFIG_HOME, &homes.config),
        (env::CROSSMERGE_STATE_HOME, &homes.state),
    ] {
        if let Some(home) = home {
            set(changes, variable.name, home);
        }
    }
    // Its default is `/var/log`. emerge ends with an exception if it cannot write the log of its fetches.
    if homes.state.is_some() {
        let logs = context.config.state_directory().join("log");
        default(context, changes, env::EMERGE_LOG_DIR, logs);
    }
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

/// Sets PKGDIR to a directory in ROOT, if ROOT is not the sysroot. Packages made of such a root's files may lack those that
/// INSTALL_MASK left out. In the PKGDIR of the sysroot, Portage would prefer them to the complete ones, because they are
/// newer.
#[inline(never)]
pub(super) fn root_packages(context: &Context, changes: &mut Changes) -> Result<(), ContextError> {
    let root = PathBuf::from(root(context)?);
    if canonical(&root) != canonical(&context.existing_configroot()?) {
        default(context, changes, env::PKGDIR, root.join(PACKAGES));
    }
    Ok(())
}

/// The directory of binary packages in a root, as in the make.conf of a target.
const PACKAGES: &str = "var/cache/binpkgs";

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
