//! The links: where they go, what they lead to, which there are.

use super::{
    InitError, toolchain,
    write::{Care, Content, Write, is_our_command},
};
use crate::{
    applet::Wrappers,
    config::{Kind, Toolchain},
    context::Context,
    file::Identity,
    file::below,
    file::canonical,
    file::own_directory,
};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The folder of the links: the target's own, else the one we were called from.
pub(crate) fn bindir(context: &Context, argv0: &OsStr) -> PathBuf {
    if let Some(bindir) = &context.settings.bindir {
        return bindir.clone();
    }
    let called = Path::new(argv0);
    let is_us = |path: &Path| {
        path.metadata()
            .is_ok_and(|m| Identity::own().is_ok_and(|own| own == Identity::of(&m)))
    };
    let called = match called.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Some(folder.to_owned()),
        _ => context
            .path()
            .into_iter()
            .find(|folder| is_us(&folder.join(called))),
    };
    let folder = called.or_else(own_directory).unwrap_or_else(|| ".".into());
    std::path::absolute(&folder).unwrap_or(folder)
}

/// What a link in the folder says: this program's name where it is beside it, else its whole path.
pub(crate) fn program_from(folder: &Path) -> Result<PathBuf, InitError> {
    Ok(match folder.join("crossmerge").metadata() {
        Ok(metadata) if Identity::own()? == Identity::of(&metadata) => "crossmerge".into(),
        _ => fs_err::read_link("/proc/self/exe")?,
    })
}

/// The links, each to this program.
pub(crate) fn links(
    context: &Context,
    wrappers: &Wrappers,
    bindir: &Path,
) -> Result<Vec<Write>, InitError> {
    let link = |name: String| {
        let path = place(context, bindir, &name);
        let target = program_from(path.parent().unwrap_or(bindir))?;
        Ok(Write::new(path, Content::Link(target), Care::Command))
    };
    names(context, wrappers).into_iter().map(link).collect()
}

/// The directory in which crossdev makes links, and from which `crossdev --clean` removes them.
fn crossdevs(context: &Context) -> PathBuf {
    below(&context.config.broot, "usr/bin")
}

/// Where the link of a name is: beside the others, or in crossdev's directory, where init made it when crossdev called.
pub(crate) fn place(context: &Context, bindir: &Path, name: &str) -> PathBuf {
    let (usual, other) = (bindir.join(name), crossdevs(context).join(name));
    match usual.symlink_metadata().is_err() && is_our_command(&other) {
        true => other,
        false => usual,
    }
}

/// Moves the links that crossdev makes as well into its own directory, so that `crossdev --clean` removes them. What has the name there
/// and is not ours stays, and ours beside the others.
pub(super) fn move_to_crossdevs(
    context: &Context,
    bindir: &Path,
    writes: &mut [Write],
) -> Result<(), InitError> {
    let directory = crossdevs(context);
    let is_there = directory.join("crossdev").is_file();
    if !is_there || canonical(&directory) == canonical(bindir) {
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
            *write = Write::new(path, Content::Link(target.clone()), Care::Command);
        }
    }
    Ok(())
}

/// What the links of the target are called: one an applet, one a tool of the adopted toolchain that is there, and
/// `emerge-<tuple>`.
pub(crate) fn names(context: &Context, wrappers: &Wrappers) -> Vec<String> {
    let tuple = &context.tuple;
    let applets = wrappers.applets().map(|(name, _)| name);
    let names = applets.map(|name| format!("{tuple}-{name}"));
    let adopted = context.settings.toolchain.iter();
    let tools = adopted.flat_map(|adopted| tools(context, wrappers, adopted));
    names
        .chain(tools)
        .chain([format!("emerge-{tuple}")])
        .collect()
}

/// What the links to a toolchain's tools are called: one for each that exists.
pub(super) fn tools(context: &Context, wrappers: &Wrappers, toolchain: &Toolchain) -> Vec<String> {
    let present = toolchain::present(toolchain, wrappers.tools(toolchain.kind));
    present
        .map(|tool| format!("{}-{tool}", context.tuple))
        .collect()
}

/// Links of ours under the name of a tool that the adopted toolchain has not: of the toolchain that was adopted before, or of none.
pub(super) fn stale(context: &Context, wrappers: &Wrappers, bindir: &Path) -> Vec<PathBuf> {
    let wanted = names(context, wrappers);
    let kinds = [Kind::Gnu, Kind::Llvm].into_iter();
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
