//! Packages outside the sysroot, in a prefix that the user allowed: the paths in their `.pc` files are
//! already correct.
//!
//! The real tool puts its one PKG_CONFIG_SYSROOT_DIR before the paths of every package. This module removes it again
//! from the paths of packages whose `.pc` file is in `extra_prefixes` or in the build directory. The `.pc` files show
//! which package a path belongs to; if they leave it open, the path that exists decides.

use super::{
    bounds::AllowedDirectories,
    flags::Flag,
    package::{self, Package},
    search::PkgConfigSearch,
};
use crate::context::Context;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The packages of a query outside the sysroot.
pub(super) struct OutsidePackages {
    /// The prefix that the real tool puts before paths.
    sysroot: PathBuf,
    /// The allowed prefixes.
    bounds: AllowedDirectories,
    /// The paths that packages outside the sysroot name, and those that packages inside name.
    outside: BTreeSet<PathBuf>,
    inside: BTreeSet<PathBuf>,
}

impl OutsidePackages {
    /// Finds packages outside the sysroot. Without PKG_CONFIG_PATH and without a `.pc` file by its path there are
    /// none, and no file is read.
    pub(super) fn of(context: &Context, search: &PkgConfigSearch, packages: &str) -> Option<Self> {
        let sysroot = PathBuf::from(&search.sysroot.before_paths);
        let names_file = || {
            packages
                .split_whitespace()
                .any(|word| word.ends_with(".pc"))
        };
        let has_path = search
            .path
            .as_ref()
            .is_some_and(|path| !path.kept.is_empty());
        if sysroot.as_os_str().is_empty() || !has_path && !names_file() {
            return None;
        }
        let own = AllowedDirectories::only(sysroot.clone());
        let (mut outside, mut inside) = (Vec::new(), Vec::new());
        for package in package::closure(packages, &search.directories(), "") {
            match own.hold(package.path()) {
                true => inside.push(package),
                false => outside.push(package),
            }
        }
        if outside.is_empty() {
            return None;
        }
        Some(Self {
            sysroot,
            bounds: AllowedDirectories::allowed(context),
            outside: paths(&outside),
            inside: paths(&inside),
        })
    }

    /// Returns the output, with the sysroot removed from the paths of packages outside it.
    pub(super) fn keep(&self, answer: &[u8]) -> Vec<u8> {
        let root = self.sysroot.as_os_str().as_bytes();
        let escaped = escaped(root);
        let mut kept = Vec::with_capacity(answer.len());
        let mut rest = answer;
        while let Some(&byte) = rest.first() {
            let root = [root, &escaped].into_iter().find(|root| {
                rest.strip_prefix(*root)
                    .is_some_and(|path| path.starts_with(b"/"))
            });
            if let Some(root) = root {
                rest = &rest[root.len()..];
                let (path, written) = path_at(rest);
                if !self.is_outside(&path) {
                    kept.extend_from_slice(root);
                }
                kept.extend_from_slice(&rest[..written]);
                rest = &rest[written..];
            } else {
                kept.push(byte);
                rest = &rest[1..];
            }
        }
        kept
    }

    /// Returns whether a path is one outside the sysroot to which the sysroot was added.
    fn is_outside(&self, path: &Path) -> bool {
        let plain = plain(path);
        let there = || self.sysroot.join(path.strip_prefix("/").unwrap_or(path));
        self.bounds.hold(path)
            && match (self.outside.contains(&plain), self.inside.contains(&plain)) {
                (true, false) => true,
                (false, true) => false,
                _ => path.exists() && !there().exists(),
            }
    }

    /// Returns the flags of compilers and linkers whose directory does not exist.
    pub(super) fn missing<'f>(&self, flags: &'f [Flag]) -> Vec<&'f OsStr> {
        let is_search = |flag: &&Flag| {
            let text = flag.text.as_bytes();
            ["-I", "-L", "-isystem"]
                .iter()
                .any(|option| text.starts_with(option.as_bytes()))
        };
        let missing = flags
            .iter()
            .filter(is_search)
            .filter(|flag| flag.path.is_absolute() && !flag.path.exists());
        missing.map(|flag| flag.text.as_os_str()).collect()
    }
}

/// Returns the paths in the packages' flags, and the values of their variables.
fn paths(packages: &[Package]) -> BTreeSet<PathBuf> {
    let fields = package::fields(packages);
    let flags = fields.iter().flat_map(|field| field.flags());
    let flags = flags.map(|flag| plain(&flag.path));
    let values = packages.iter().flat_map(Package::values);
    flags
        .chain(values.map(|value| plain(Path::new(&value))))
        .collect()
}

/// Returns the path without double slashes and `.` components.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Returns a path as pkgconf prints it: with a backslash before characters that are special in a shell.
fn escaped(path: &[u8]) -> Vec<u8> {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"/._+-~,@:=%^".contains(&byte)
    };
    let escape = |byte: &u8| match is_plain(*byte) {
        true => vec![*byte],
        false => vec![b'\\', *byte],
    };
    path.iter().flat_map(escape).collect()
}

/// Returns the path at the beginning of a text, and its length there.
fn path_at(text: &[u8]) -> (PathBuf, usize) {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if at + 1 < text.len() => {
                path.push(text[at + 1]);
                at += 1;
            }
            b'"' | b'\'' | b',' | b':' => break,
            _ if byte.is_ascii_whitespace() => break,
            _ => path.push(byte),
        }
        at += 1;
    }
    (OsStr::from_bytes(&path).into(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_packages_outside_lose_the_sysroot() {
        let set = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        let allowed = |sysroot: &str| OutsidePackages {
            sysroot: sysroot.into(),
            bounds: AllowedDirectories::only("/nowhere/vendor".into()),
            outside: set(&[
                "/nowhere/vendor",
                "/nowhere/vendor/lib",
                "/nowhere/vendor/both",
                "/usr/include",
            ]),
            inside: set(&["/usr/lib", "/nowhere/vendor/inside", "/nowhere/vendor/both"]),
        };
        for (sysroot, answer, kept) in [
            (
                "/s",
                "-I/s/nowhere/vendor/lib -L/s/usr/lib -lv\n",
                "-I/nowhere/vendor/lib -L/s/usr/lib -lv\n",
            ),
            ("/s", "/s/nowhere/vendor\n", "/nowhere/vendor\n"),
            ("/s", "-L/s/nowhere/vendor//lib ", "-L/nowhere/vendor//lib "),
            (
                "/s",
                "-Wl,-rpath,/s/nowhere/vendor/lib:/s/usr/lib",
                "-Wl,-rpath,/nowhere/vendor/lib:/s/usr/lib",
            ),
            ("/s", "-I'/s/nowhere/vendor/lib'", "-I'/nowhere/vendor/lib'"),
            // Paths of a package inside, of one in both places, outside the allowed prefixes, and in another sysroot.
            (
                "/s",
                "-I/s/nowhere/vendor/inside",
                "-I/s/nowhere/vendor/inside",
            ),
            ("/s", "-I/s/nowhere/vendor/both", "-I/s/nowhere/vendor/both"),
            ("/s", "-I/s/usr/include", "-I/s/usr/include"),
            ("/s", "-I/s2/nowhere/vendor/lib", "-I/s2/nowhere/vendor/lib"),
            (
                "/a b",
                "-I/a\\ b/nowhere/vendor/lib x",
                "-I/nowhere/vendor/lib x",
            ),
        ] {
            let kept_part = allowed(sysroot).keep(answer.as_bytes());
            assert_eq!(String::from_utf8_lossy(&kept_part), kept, "{answer}");
        }
    }
}
