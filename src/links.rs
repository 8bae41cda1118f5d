//! The symlinks by which crossmerge is called: their directory, their targets and their names.

use crate::{applet::Wrappers, config::Toolchain, context::Context};
use crossmerge_system::file::{Identity, below, own_directory};
use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// Returns whether a path is a symlink to this program, or a dangling one to a `crossmerge` that was removed.
pub(crate) fn is_our_command(path: &Path) -> bool {
    let Ok(target) = fs_err::read_link(path) else {
        return false;
    };
    match path.metadata() {
        Ok(metadata) => Identity::own().is_ok_and(|own| own == Identity::of(&metadata)),
        Err(_) => target.file_name().is_some_and(|name| name == "crossmerge"),
    }
}

/// Returns the directory of the symlinks: the target's own, or else the one from which crossmerge was called.
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

/// Returns the target for a symlink to this program in a directory: `crossmerge` if the program is in the same
/// directory, or else its absolute path.
pub(crate) fn program_from(directory: &Path) -> io::Result<PathBuf> {
    Ok(match directory.join("crossmerge").metadata() {
        Ok(metadata) if Identity::own()? == Identity::of(&metadata) => "crossmerge".into(),
        _ => without_mark(fs_err::read_link("/proc/self/exe")?),
    })
}

/// Removes the mark of the kernel from the path of a program that was replaced while it runs (proc_pid_exe(5)), as by an
/// update during the build of a toolchain. The symlinks then lead to the new program.
fn without_mark(path: PathBuf) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    match bytes.strip_suffix(b" (deleted)") {
        Some(bytes) => OsStr::from_bytes(bytes).into(),
        None => path,
    }
}

/// Returns the directory in which crossdev makes symlinks, and from which `crossdev --clean` removes them.
pub(crate) fn crossdevs(context: &Context) -> PathBuf {
    below(&context.config.broot, "usr/bin")
}

/// Returns the path of a symlink: in the directory of the others, or in crossdev's directory, where init creates it if
/// crossdev calls init.
pub(crate) fn place(context: &Context, bindir: &Path, name: &str) -> PathBuf {
    let (usual, other) = (bindir.join(name), crossdevs(context).join(name));
    match usual.symlink_metadata().is_err() && is_our_command(&other) {
        true => other,
        false => usual,
    }
}

/// Returns the names of the target's symlinks: one for each applet, one for each existing tool of the adopted
/// toolchain, and `emerge-<tuple>`.
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

/// Returns the names of the symlinks for a toolchain's tools, one for each that exists.
pub(crate) fn tools(context: &Context, wrappers: &Wrappers, toolchain: &Toolchain) -> Vec<String> {
    let present = present(toolchain, wrappers.tools(toolchain.kind));
    present
        .map(|tool| format!("{}-{tool}", context.tuple))
        .collect()
}

/// Filters the tools for those that the toolchain has, and returns the names of their applets.
fn present<'a>(
    toolchain: &Toolchain,
    tools: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = &'a str> {
    let exists = |tool: &str| toolchain.tool(tool).is_file();
    tools.filter_map(move |(name, tool)| exists(tool).then_some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_replaced_is_linked_by_its_path() {
        for (path, link) in [
            ("/usr/bin/crossmerge (deleted)", "/usr/bin/crossmerge"),
            ("/usr/bin/crossmerge", "/usr/bin/crossmerge"),
        ] {
            assert_eq!(without_mark(path.into()), Path::new(link), "{path}");
        }
    }
}
