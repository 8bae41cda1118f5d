//! Decides on the target's symlinks.

use super::{
    error::InitError,
    write::{Content, OnConflict, Write},
};
use crate::{
    applet::Wrappers,
    config::ToolchainKind,
    context::Context,
    links::{crossdevs, is_our_command, names, place, program_from},
};
use crossmerge_system::file::canonical;
use std::path::{Path, PathBuf};

/// Returns the symlinks, each to this program.
pub(crate) fn links(
    context: &Context,
    wrappers: &Wrappers,
    bindir: &Path,
) -> Result<Vec<Write>, InitError> {
    let link = |name: String| {
        let path = place(context, bindir, &name);
        let target = program_from(path.parent().unwrap_or(bindir))?;
        Ok(Write::new(path, Content::Link(target), OnConflict::Command))
    };
    names(context, wrappers).into_iter().map(link).collect()
}

/// Moves the symlinks that crossdev makes too into its directory, so that `crossdev --clean` removes them. If that
/// directory has another file of the name, it stays, and the symlink goes to the usual directory.
pub(super) fn move_to_crossdevs(
    context: &Context,
    bindir: &Path,
    writes: &mut [Write],
) -> Result<(), InitError> {
    let directory = crossdevs(context);
    let has_crossdev = directory.join("crossdev").is_file();
    if !has_crossdev || canonical(&directory) == canonical(bindir) {
        return Ok(());
    }
    let target = program_from(&directory)?;
    let tuple = &context.tuple;
    let theirs = ["emerge", "ebuild", "fix-root", "pkg-config"];
    let mut names: Vec<String> = theirs.map(|applet| format!("{tuple}-{applet}")).into();
    names.push(format!("emerge-{tuple}"));
    for write in writes {
        let name = names.iter().find(|name| write.path == bindir.join(name));
        let Some(path) = name.map(|name| directory.join(name)) else {
            continue;
        };
        let is_free = path.symlink_metadata().is_err() || is_our_command(&path);
        if is_free && write.path.symlink_metadata().is_err() {
            *write = Write::new(path, Content::Link(target.clone()), OnConflict::Command);
        }
    }
    Ok(())
}

/// Lists crossmerge's symlinks for tools that the adopted toolchain does not have, left from an earlier toolchain.
pub(super) fn stale(context: &Context, wrappers: &Wrappers, bindir: &Path) -> Vec<PathBuf> {
    let wanted = names(context, wrappers);
    let kinds = ToolchainKind::ALL.into_iter();
    let tools = kinds.flat_map(|kind| wrappers.tools(kind).map(|(name, _)| name));
    let links = tools.map(|tool| format!("{}-{tool}", context.tuple));
    let mut stale: Vec<PathBuf> = links
        .filter(|name| !wanted.contains(name))
        .map(|name| bindir.join(name))
        .filter(|link| is_our_command(link))
        .collect();
    stale.sort();
    stale.dedup();
    stale
}
