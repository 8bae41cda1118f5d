//! The files that crossdev installs on a host, and how they are recognised.
//!
//! crossdev's package owns `emerge-wrapper` and the scripts `cross-*`. For each target, `emerge-wrapper --init` makes
//! symlinks to these beside itself, which no package owns. Source: crossdev's emerge-wrapper of May 2026; until 2010
//! the symlinks led to `emerge-wrapper`.

use crate::links::is_our_command;
use crossmerge_plan::tuple::Tuple;
use crossmerge_system::file::read;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// The program that crossdev runs last, to make a target's symlinks.
pub(crate) const EMERGE_WRAPPER: &str = "emerge-wrapper";

/// The applets for which crossdev has a script, `cross-<applet>`, and for which each target has a symlink.
const APPLETS: [&str; 4] = ["ebuild", "emerge", "fix-root", "pkg-config"];

/// Lists the wrappers of every target in these directories, by target.
pub(crate) fn wrappers(directories: &[PathBuf]) -> io::Result<BTreeMap<Tuple, Vec<PathBuf>>> {
    let mut found: BTreeMap<Tuple, Vec<PathBuf>> = BTreeMap::new();
    for directory in directories {
        // A directory of PATH that does not exist or cannot be read contains no usable wrapper.
        let Ok(entries) = fs_err::read_dir(directory) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if let Some((tuple, _)) = path.file_name().and_then(split)
                && is_wrapper(&path)
            {
                found.entry(tuple).or_default().push(path);
            }
        }
    }
    found.values_mut().for_each(|paths| paths.sort());
    Ok(found)
}

/// Returns the target of a wrapper, if it is crossdev's.
pub(crate) fn target_of(path: &Path) -> Option<Tuple> {
    let (tuple, _) = path.file_name().and_then(split)?;
    is_wrapper(path).then_some(tuple)
}

/// Returns whether a target's wrapper is crossdev's: a symlink to one of its scripts, even a dangling one, or a copy of
/// one.
fn is_wrapper(path: &Path) -> bool {
    if is_our_command(path) {
        return false;
    }
    if let Ok(target) = fs_err::read_link(path) {
        return target.file_name().is_some_and(is_script);
    }
    let Some((_, applet)) = path.file_name().and_then(split) else {
        return false;
    };
    let script = path.with_file_name(format!("cross-{applet}"));
    path.is_file() && same_text(path, &script)
}

/// Returns whether two files have the same contents.
pub(crate) fn same_text(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| path.metadata().map(|metadata| metadata.len()).ok();
    let text = |path: &Path| read::read(path, read::SCRIPT).ok();
    length(one).is_some()
        && length(one) == length(other)
        && text(one).is_some_and(|one| text(other) == Some(one))
}

/// Splits the name of a wrapper into target and applet.
fn split(name: &OsStr) -> Option<(Tuple, &'static str)> {
    if is_script(name) {
        return None;
    }
    let name = name.to_str()?;
    let (tuple, applet) = match name.strip_prefix("emerge-") {
        Some(tuple) => (tuple, "emerge"),
        None => APPLETS.iter().find_map(|applet| {
            let tuple = name.strip_suffix(applet)?.strip_suffix('-')?;
            Some((tuple, *applet))
        })?,
    };
    Some((tuple.parse().ok()?, applet))
}

/// Returns whether the name is that of a file of crossdev's package.
fn is_script(name: &OsStr) -> bool {
    let applet = name.to_str().and_then(|name| name.strip_prefix("cross-"));
    name == EMERGE_WRAPPER || applet.is_some_and(|applet| APPLETS.contains(&applet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_crossdevs_wrappers_are_recognised() {
        for (name, is) in [
            ("avr-emerge", Some(("avr", "emerge"))),
            ("emerge-avr", Some(("avr", "emerge"))),
            (
                "hppa2.0-unknown-linux-gnu-fix-root",
                Some(("hppa2.0-unknown-linux-gnu", "fix-root")),
            ),
            (
                "s390x-ibm-linux-gnu-pkg-config",
                Some(("s390x-ibm-linux-gnu", "pkg-config")),
            ),
            ("cross-emerge", None),
            ("emerge-wrapper", None),
            ("emerge", None),
            ("avr-gcc", None),
            ("-emerge", None),
        ] {
            let split = split(OsStr::new(name));
            let split = split
                .as_ref()
                .map(|(tuple, applet)| (tuple.as_str(), *applet));
            assert_eq!(split, is, "{name}");
        }
    }
}
