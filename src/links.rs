//! The symlinks by which crossmerge is called: where they are, what they lead to, which there are.

use crate::{applet::Wrappers, config::Toolchain, context::Context};
use crossmerge_system::file::{Identity, below, own_directory};
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// Returns whether a path is a symlink to this program, or a dangling one to a `crossmerge` that is gone.
pub(crate) fn is_our_command(path: &Path) -> bool {
    let Ok(target) = fs_err::read_link(path) else {
        return false;
    };
    match path.metadata() {
        Ok(metadata) => Identity::own().is_ok_and(|own| own == Identity::of(&metadata)),
        Err(_) => target.file_name().is_some_and(|name| name == "crossmerge"),
    }
}

/// The directory of the links: the target's own, else the one we were called from.
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
        Some(directory) if !directory.as_os_str().is_empty() => Some(directory.to_owned()),
        _ => context
            .path()
            .into_iter()
            .find(|directory| is_us(&directory.join(called))),
    };
    let directory = called.or_else(own_directory).unwrap_or_else(|| ".".into());
    std::path::absolute(&directory).unwrap_or(directory)
}

/// What a link in the directory says: this program's name where it is beside it, else its whole path.
pub(crate) fn program_from(directory: &Path) -> io::Result<PathBuf> {
    Ok(match directory.join("crossmerge").metadata() {
        Ok(metadata) if Identity::own()? == Identity::of(&metadata) => "crossmerge".into(),
        _ => fs_err::read_link("/proc/self/exe")?,
    })
}

/// The directory in which crossdev makes links, and from which `crossdev --clean` removes them.
pub(crate) fn crossdevs(context: &Context) -> PathBuf {
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
pub(crate) fn tools(context: &Context, wrappers: &Wrappers, toolchain: &Toolchain) -> Vec<String> {
    let present = present(toolchain, wrappers.tools(toolchain.kind));
    present
        .map(|tool| format!("{}-{tool}", context.tuple))
        .collect()
}

/// The tools of an adopted toolchain that are there, among those that a wrapper knows: the applets to link.
fn present<'a>(
    toolchain: &Toolchain,
    tools: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = &'a str> {
    let there = |tool: &str| toolchain.tool(tool).is_file();
    tools.filter_map(move |(name, tool)| there(tool).then_some(name))
}
