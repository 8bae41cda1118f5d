//! The links: where they go, what they lead to, which there are.

use super::{
    InitError, toolchain,
    write::{Care, Content, Write},
};
use crate::{
    applet::Wrappers,
    context::{Context, Identity, own_folder},
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
    let folder = called.or_else(own_folder).unwrap_or_else(|| ".".into());
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
    let target = program_from(bindir)?;
    let link = |name| {
        Write::new(
            bindir.join(name),
            Content::Link(target.clone()),
            Care::Command,
        )
    };
    Ok(names(context, wrappers).into_iter().map(link).collect())
}

/// What the links of the target are called: one an applet, one a tool of the adopted toolchain that is there, and
/// `emerge-<tuple>`.
pub(crate) fn names(context: &Context, wrappers: &Wrappers) -> Vec<String> {
    let mut applets: Vec<&str> = wrappers.applets().map(|(name, _)| name).collect();
    if let Some(adopted) = &context.settings.toolchain {
        applets.extend(toolchain::present(adopted, wrappers.tools(adopted.kind)));
    }
    let tuple = &context.tuple;
    let names = applets.iter().map(|name| format!("{tuple}-{name}"));
    names.chain([format!("emerge-{tuple}")]).collect()
}
