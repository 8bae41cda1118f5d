//! The `pkg-config` layer: where pkg-config searches, and what it puts before the paths that it prints.

use super::set;
use crate::{
    context::Context,
    env,
    plan::{Change, Changes},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// Shows pkg-config the sysroot, by the forms in which Portage and others name it.
pub(super) fn pkg_config(context: &Context, changes: &mut Changes) {
    let env = |variable| context.env.get(variable);
    let sysroot = context.sysroot().into_os_string();
    let (sysroot, prefix) = if let Some(esysroot) = env(env::ESYSROOT) {
        // EAPI 7 and later: the prefix is what ESYSROOT has beyond SYSROOT.
        let esysroot = trimmed(esysroot);
        let prefix = esysroot
            .as_bytes()
            .strip_prefix(trimmed(&sysroot).as_bytes())
            .unwrap_or_default();
        (sysroot, OsStr::from_bytes(prefix).to_owned())
    } else if env(env::ROOT).is_some() {
        // EAPI 0 to 6.
        match env(env::SYSROOT)
            .map(trimmed)
            .filter(|sysroot| !sysroot.is_empty())
        {
            Some(_) => (sysroot, trimmed(&context.eprefix()).to_owned()),
            None => (
                OsString::new(),
                trimmed(env(env::PORTAGE_OVERRIDE_EPREFIX).unwrap_or_default()).to_owned(),
            ),
        }
    } else if let (None, Some(stagedir)) = (env(env::SYSROOT), env(env::STAGEDIR)) {
        (stagedir.to_owned(), OsString::new())
    } else {
        (sysroot, OsString::new())
    };
    let sysroot = env(env::PKG_CONFIG_SYSROOT_DIR).map_or(sysroot, OsStr::to_owned);
    let mut root = trimmed(&sysroot).to_owned();
    set(changes, env::PKG_CONFIG_SYSROOT_DIR.name, root.clone());
    root.push(&prefix);
    let libdirs = libdirs(context, Path::new(&root));
    let joined = |parts: &[String]| {
        let mut list = OsString::new();
        for path in parts {
            list.push(if list.is_empty() { "" } else { ":" });
            list.push(&root);
            list.push(path);
        }
        list
    };
    let each = |form: &str| {
        libdirs
            .iter()
            .map(|libdir| form.replace("{}", libdir))
            .collect::<Vec<_>>()
    };
    let mut search = each("/usr/{}/pkgconfig");
    search.push("/usr/share/pkgconfig".into());
    let system = [each("/usr/{}"), each("/{}")].concat();
    set(changes, env::PKG_CONFIG_LIBDIR.name, joined(&search));
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_LIBRARY_PATH.name,
        joined(&system),
    );
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_INCLUDE_PATH.name,
        joined(&["/usr/include".into()]),
    );
    set(changes, env::PKG_CONFIG_FDO_SYSROOT_RULES.name, "1");
    // Only a package's own build directory may add to the search: the rest of the variable is the machine's.
    let bundled = match (env(env::PKG_CONFIG_PATH), env(env::WORKDIR)) {
        (Some(path), Some(workdir)) => Path::new(path).starts_with(workdir),
        _ => false,
    };
    if !bundled && env(env::PKG_CONFIG_PATH).is_some() {
        changes.insert(env::PKG_CONFIG_PATH.name.into(), Change::Unset);
    }
}

/// The library directories of the ABI: `LIBDIR_<abi>` of the environment, else of the target's settings, else those in
/// the sysroot that hold `.pc` files, else `lib`.
fn libdirs(context: &Context, root: &Path) -> Vec<String> {
    let named = |variable| context.env.get(variable).and_then(OsStr::to_str);
    let abi = named(env::ABI).or(named(env::DEFAULT_ABI));
    let libdir = |abi: &str| {
        let name = format!("LIBDIR_{abi}");
        match context.env.get_name(&name).and_then(OsStr::to_str) {
            Some(libdir) => Some(libdir.to_owned()),
            None => context.read_target_settings(&[&name])?.remove(&name),
        }
    };
    let default_abi = || {
        let name = env::DEFAULT_ABI.name;
        context.read_target_settings(&[name])?.remove(name)
    };
    let abi = abi.map(str::to_owned).or_else(default_abi);
    let libdir = libdir(
        abi.as_deref()
            .filter(|abi| !abi.is_empty())
            .unwrap_or("default"),
    );
    if let Some(libdir) = libdir.filter(|libdir| !libdir.is_empty()) {
        return vec![libdir];
    }
    let has_pc_files = |libdir: &&str| root.join("usr").join(libdir).join("pkgconfig").is_dir();
    let found = ["lib64", "lib"].iter().copied().filter(has_pc_files);
    let found: Vec<String> = found.map(Into::into).collect();
    if found.is_empty() {
        vec!["lib".into()]
    } else {
        found
    }
}

fn trimmed(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    OsStr::from_bytes(bytes.strip_suffix(b"/").unwrap_or(bytes))
}
