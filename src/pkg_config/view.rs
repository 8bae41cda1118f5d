//! The sysroot and prefix that pkg-config uses.
//!
//! The ways to name the sysroot, and their order, are those of crossdev's wrapper.

use crate::context::{Context, ContextError};
use crossmerge_plan::env;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The sysroot that pkg-config uses.
#[derive(Debug, Clone)]
pub(crate) struct PkgConfigSysroot {
    /// The sysroot, without a trailing slash; empty for a native build of EAPI 0 to 6.
    pub(crate) sysroot: PathBuf,
    /// PKG_CONFIG_SYSROOT_DIR, which the user may have set to the empty string.
    pub(crate) before_paths: OsString,
    /// The sysroot with the prefix: the directory that is searched.
    pub(crate) root: OsString,
}

impl PkgConfigSysroot {
    /// Finds the sysroot by the variables of Portage and others. A sysroot that does not exist is an error.
    pub(crate) fn decide(context: &Context) -> Result<Self, ContextError> {
        let env = |variable| context.env.get(variable);
        // If ESYSROOT is set, an empty SYSROOT means a native build.
        let named = context.env.get_name(env::SYSROOT.name);
        let named = named.filter(|named| !named.is_empty() || env(env::ESYSROOT).is_some());
        let own = || context.sysroot().into_os_string();
        let (mut sysroot, mut prefix) = (named.map_or_else(own, OsStr::to_owned), OsString::new());
        if let Some(esysroot) = env(env::ESYSROOT) {
            // EAPI 7 and later: ESYSROOT is SYSROOT with the prefix.
            let esysroot = trimmed(esysroot).as_bytes();
            let beyond = esysroot.strip_prefix(trimmed(&sysroot).as_bytes());
            let beyond = beyond.filter(|prefix| prefix.is_empty() || prefix.starts_with(b"/"));
            prefix = OsStr::from_bytes(beyond.unwrap_or_default()).to_owned();
        } else if env(env::ROOT).is_some() {
            // EAPI 0 to 6.
            if env(env::SYSROOT).is_some_and(|sysroot| !trimmed(sysroot).is_empty()) {
                prefix = trimmed(&context.eprefix()).to_owned();
            } else {
                sysroot = OsString::new();
                prefix = trimmed(env(env::PORTAGE_OVERRIDE_EPREFIX).unwrap_or_default()).to_owned();
            }
        } else if let (None, Some(stagedir)) = (env(env::SYSROOT), env(env::STAGEDIR)) {
            sysroot = stagedir.to_owned();
        }
        // An empty value means that nothing is put before paths, not that the host is searched.
        let before_paths = env(env::PKG_CONFIG_SYSROOT_DIR);
        if let Some(named) = before_paths.filter(|named| !named.is_empty()) {
            sysroot = named.to_owned();
        }
        let sysroot = trimmed(&sysroot).to_owned();
        if !sysroot.is_empty() && !Path::new(&sysroot).is_dir() {
            return Err(context.no_sysroot(sysroot.into()));
        }
        let mut root = sysroot.clone();
        root.push(prefix);
        Ok(Self {
            before_paths: before_paths
                .map_or_else(|| sysroot.clone(), |named| trimmed(named).to_owned()),
            sysroot: sysroot.into(),
            root,
        })
    }
}

fn trimmed(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    OsStr::from_bytes(bytes.strip_suffix(b"/").unwrap_or(bytes))
}
