//! The default directories of a target that an ordinary user makes: below the user's own.
//!
//! Only root writes to the system's directories. A target that root has made serves every user, and is not made again.

use super::{error::InitError, options::InitOptions, record::InitRecord};
use crate::{context::Context, links::bindir};
use crossmerge_plan::env;
use crossmerge_system::{file, user};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The directories of the user's target that differ from root's.
#[derive(Debug, Default)]
pub(super) struct UserDirectories {
    pub(super) sysroot: Option<PathBuf>,
    pub(super) bindir: Option<PathBuf>,
}

/// Chooses the directories of the user's own target. Both are `None` for root, for a target whose directories are set,
/// and for a target of the system.
pub(super) fn of_user(
    context: &Context,
    argv0: &OsStr,
    options: &InitOptions,
) -> Result<UserDirectories, InitError> {
    let mut place = UserDirectories::default();
    if user::acts_for_system() {
        return Ok(place);
    }
    let has_sysroot = options.sysroot.is_some()
        || context.settings.sysroot.is_some()
        || context.env.get(env::SYSROOT).is_some();
    if !has_sysroot && !may_write(&context.default_sysroot()) {
        let data = user::data_dir().ok_or(InitError::NoHome)?;
        let tuple = context.tuple.as_str();
        place.sysroot = Some(data.join("crossmerge").join(tuple));
    }
    let has_bindir = options.bindir.is_some() || context.settings.bindir.is_some();
    if !has_bindir && !may_write(&bindir(context, argv0)) {
        place.bindir = Some(user::bin_dir().ok_or(InitError::NoHome)?);
    }
    Ok(place)
}

/// Returns whether root has made the target, so that an ordinary user can use it but not change it.
pub(super) fn is_systems_target(context: &Context) -> Result<bool, InitError> {
    if user::acts_for_system() || context.config.own_target_file(&context.tuple).exists() {
        return Ok(false);
    }
    let file = context.config.target_file(&context.tuple);
    let sysroot = context.sysroot();
    let is_made = file.exists()
        || sysroot.join("etc/portage").is_dir()
        || !InitRecord::read(&sysroot)?.is_empty();
    Ok(is_made && sysroot.is_dir() && !may_write(&sysroot))
}

/// Returns whether the user may write to a directory, or create it.
fn may_write(directory: &Path) -> bool {
    let there = directory.ancestors().find(|ancestor| ancestor.exists());
    there.is_some_and(|there| file::check_writable(there).is_ok())
}
