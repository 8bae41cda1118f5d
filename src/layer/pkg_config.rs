//! The `pkg-config` layer: the directories that pkg-config searches, and the prefix of the paths that it prints.

use super::changes::set;
use crate::{
    call::Call,
    context::{Context, ContextError},
    libraries,
    pkg_config::bounds::AllowedDirectories,
};
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Restricts pkg-config to the sysroot.
pub(super) fn pkg_config(call: &Call, changes: &mut Changes) -> Result<(), ContextError> {
    let context = call.context;
    let view = call.view()?;
    let libdirs = libraries::libdirs(context, Path::new(&view.root));
    let list = |paths: &mut dyn Iterator<Item = String>| {
        let mut list = OsString::new();
        for path in paths {
            list.push(if list.is_empty() { "" } else { ":" });
            list.push(&view.root);
            list.push(path);
        }
        list
    };
    let each = |before: &'static str, after: &'static str| {
        let form = move |libdir: &String| format!("{before}{libdir}{after}");
        libdirs.iter().map(form)
    };
    let share = "/usr/share/pkgconfig".to_owned();
    let mut search = list(&mut each("/usr/", "/pkgconfig").chain([share]));
    if let (Some(_), Some(own)) = (
        context.env.get(env::STAGEDIR),
        context.env.get(env::UCLINUX_PKG_CONFIG_LIBDIR),
    ) {
        search = [own, &search].join(OsStr::new(":"));
    }
    set(changes, env::PKG_CONFIG_LIBDIR.name, search);
    // A `-L` of a directory that the compiler does not search by default must stay in the output.
    let searched = libdirs
        .iter()
        .filter(|libdir| libraries::searches(context, libdir));
    let searched: Vec<&String> = searched.collect();
    let below_usr = searched.iter().map(|libdir| format!("/usr/{libdir}"));
    let below_root = searched.iter().map(|libdir| format!("/{libdir}"));
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_LIBRARY_PATH.name,
        list(&mut below_usr.chain(below_root)),
    );
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_INCLUDE_PATH.name,
        list(&mut ["/usr/include".to_owned()].into_iter()),
    );
    set(changes, env::PKG_CONFIG_FDO_SYSROOT_RULES.name, "1");
    if context.env.get(env::DESTDIR).is_some() {
        changes.insert(env::DESTDIR.name.into(), Change::Unset);
    }
    if let Some(path) = context.env.get(env::PKG_CONFIG_PATH) {
        let name = env::PKG_CONFIG_PATH.name.into();
        changes.insert(name, kept(context, path, &view.sysroot));
    }
    set(
        changes,
        env::PKG_CONFIG_SYSROOT_DIR.name,
        &view.before_paths,
    );
    Ok(())
}

/// Keeps the directories of PKG_CONFIG_PATH that are in the package's build directory, the sysroot or an allowed
/// prefix: the others are the host's.
fn kept(context: &Context, path: &OsStr, sysroot: &Path) -> Change {
    let bounds = AllowedDirectories::of(context, sysroot);
    let inside = |directory: &PathBuf| directory.is_absolute() && bounds.hold(directory);
    let kept: Vec<PathBuf> = std::env::split_paths(path).filter(inside).collect();
    // A directory from a list contains no colon.
    match std::env::join_paths(&kept) {
        Ok(kept) if !kept.is_empty() => Change::Set(kept),
        _ => Change::Unset,
    }
}
