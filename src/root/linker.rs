//! How the dynamic linker of a root searches for libraries.
//!
//! Sources: ld.so(8) for glibc, and `ldso/dynlink.c` for musl. Environment variables are those of the device, so they
//! have no part in it.

use super::walk::{Elf, RootFiles};
use crate::{libraries::usual, target::Target};
use crossmerge_plan::glob;
use crossmerge_system::file::read;
use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The list of libraries that ldconfig(8) makes.
const CACHE: &str = "/etc/ld.so.cache";

/// The settings of ldconfig(8).
const SETTINGS: &str = "/etc/ld.so.conf";

/// The most files that ld.so.conf may include, each by another.
const MOST_INCLUDED: usize = 64;

/// The libraries that musl's dynamic linker contains, by the part of the name after `lib`.
const OF_MUSL: [&str; 7] = ["c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."];

/// What a search for a library finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The library, by its path in the root without symlinks.
    Library(PathBuf),
    /// The dynamic linker itself.
    Linker,
    /// A library in a directory of ld.so.conf that ld.so.cache does not list.
    NotInCache(PathBuf),
    /// A file of that name for another ABI only.
    OtherAbi(PathBuf),
    /// Nothing.
    Missing,
}

/// The search rules of a root's dynamic linker.
pub(super) struct Linker<'a> {
    files: &'a RootFiles,
    /// The directories that the dynamic linker always searches.
    system: Vec<PathBuf>,
    /// The directories in ld.so.conf.
    configured: Vec<PathBuf>,
    /// The paths that ld.so.cache lists. `None` if it does not exist.
    cache: Option<HashSet<Vec<u8>>>,
    is_musl: bool,
    looked_up: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
}

impl<'a> Linker<'a> {
    /// Reads the rules of a root.
    pub(super) fn of(files: &'a RootFiles, target: &Target) -> Self {
        let interpreters: BTreeSet<&Path> = files
            .elves
            .values()
            .filter_map(|elf| elf.interpreter.as_deref())
            .collect();
        let is_of_musl = |path: &&Path| {
            let name = path.file_name().unwrap_or_default().as_bytes();
            name.starts_with(b"ld-musl-")
        };
        let is_musl = match interpreters.is_empty() {
            false => interpreters.iter().any(is_of_musl),
            true => target.elibc == Some("musl"),
        };
        let mut system = Vec::new();
        for interpreter in &interpreters {
            let node = files.tree.find_in_root(interpreter).ok().flatten();
            let program = node.and_then(|node| node.read(read::CONTENTS).ok());
            for directory in directories_in(&program.unwrap_or_default(), is_musl) {
                if !system.contains(&directory) {
                    system.push(directory);
                }
            }
        }
        if let Some(name) = interpreters.iter().find(|path| is_of_musl(path)) {
            let name = name.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().replace(".so", "");
            let text = files.text(&format!("/etc/{name}.path"));
            if !text.is_empty() {
                let parts = text.split([':', '\n']).filter(|part| !part.is_empty());
                system = parts.map(PathBuf::from).collect();
            }
        }
        if system.is_empty() {
            for name in usual(target, &[]) {
                system.extend(["/", "/usr"].map(|top| Path::new(top).join(&name)));
            }
        }
        let mut configured = Vec::new();
        if !is_musl {
            read_settings(files, SETTINGS, &mut configured, &mut 0);
        }
        Self {
            files,
            system,
            configured,
            cache: cache(files),
            is_musl,
            looked_up: RefCell::default(),
        }
    }

    /// Returns whether the root has a cache of libraries, or needs none.
    pub(super) fn has_cache(&self) -> bool {
        self.is_musl || self.cache.is_some()
    }

    /// Searches for a library that an ELF file needs.
    pub(super) fn find(&self, elf: &Elf, name: &str) -> Found {
        let fits = |other: &Elf| other.machine == elf.machine;
        if name.contains('/') {
            let mut paths = expanded(name, &elf.place, elf.machine.bits()).into_iter();
            return match paths.find_map(|path| self.at(&path)) {
                Some(place) => Found::Library(place),
                None => Found::Missing,
            };
        }
        if self.is_musl
            && let Some(rest) = name.strip_prefix("lib")
            && OF_MUSL.iter().any(|own| rest.starts_with(own))
        {
            return Found::Linker;
        }
        let search = elf.dynamic.as_ref().and_then(|it| it.search.as_deref());
        let parts = search.into_iter().flat_map(|search| search.split(':'));
        let own = parts
            .filter(|part| !part.is_empty())
            .flat_map(|part| expanded(part, &elf.place, elf.machine.bits()));
        let system = self.system.iter().cloned();
        let mut other = None;
        for directory in own.chain(system) {
            if let Some(place) = self.at(&directory.join(name)) {
                match self.files.elf_at(&Path::new("/").join(&place)) {
                    Some(found) if fits(found) => return Found::Library(place),
                    _ => other = Some(place),
                }
            }
        }
        for directory in &self.configured {
            let path = directory.join(name);
            if let Some(place) = self.at(&path)
                && self.files.elf_at(&path).is_some_and(fits)
            {
                let cache = self.cache.as_ref();
                let is_listed = cache.is_some_and(|it| it.contains(path.as_os_str().as_bytes()));
                return match is_listed {
                    true => Found::Library(place),
                    false => Found::NotInCache(place),
                };
            }
        }
        other.map_or(Found::Missing, Found::OtherAbi)
    }

    /// Returns the path without symlinks of an existing ELF file of the root.
    fn at(&self, path: &Path) -> Option<PathBuf> {
        let mut looked_up = self.looked_up.borrow_mut();
        let place = looked_up
            .entry(path.into())
            .or_insert_with(|| self.files.elf_at(path).map(|elf| elf.place.clone()));
        place.clone()
    }
}

/// Expands the tokens of a search path (ld.so(8), "Dynamic string tokens"). `$LIB` may stand for several directories,
/// and a path with `$PLATFORM` for none: it depends on the device's CPU.
fn expanded(path: &str, of: &Path, bits: u8) -> Vec<PathBuf> {
    let origin = Path::new("/").join(of.parent().unwrap_or(Path::new("")));
    let path = path.replace("${", "$").replace("ORIGIN}", "ORIGIN");
    let path = path.replace("$ORIGIN", &origin.to_string_lossy());
    let path = path.replace("LIB}", "LIB");
    if path.contains("$PLATFORM") {
        return Vec::new();
    }
    let names: &[&str] = match (path.contains("$LIB"), bits) {
        (false, _) => &[""],
        (true, 64) => &["lib64", "lib"],
        (true, _) => &["lib", "lib32"],
    };
    let path = |name: &&str| PathBuf::from(path.replace("$LIB", name));
    names
        .iter()
        .map(path)
        .filter(|path| path.is_absolute())
        .collect()
}

/// Returns the directories of libraries that a dynamic linker contains: each ends in a slash in glibc; musl has one list
/// with colons. They are read from the program, because each distribution builds it with its own.
fn directories_in(program: &[u8], is_musl: bool) -> Vec<PathBuf> {
    let strings = program.split(|byte| *byte == 0);
    let is_path = |text: &[u8]| {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.:".contains(byte);
        text.starts_with(b"/") && text.iter().all(is_part)
    };
    let has_lib = |text: &[u8]| text.windows(3).any(|part| part == b"lib");
    let path = |text: &[u8]| PathBuf::from(OsStr::from_bytes(text));
    let mut found = Vec::new();
    for text in strings.filter(|text| is_path(text) && has_lib(text)) {
        if is_musl && text.contains(&b':') {
            return text.split(|byte| *byte == b':').map(path).collect();
        }
        if !is_musl && text.ends_with(b"/") && !text.contains(&b':') {
            found.push(path(text));
        }
    }
    found
}

/// Reads ld.so.conf, or a file that it includes.
fn read_settings(files: &RootFiles, path: &str, directories: &mut Vec<PathBuf>, read: &mut usize) {
    *read += 1;
    if *read > MOST_INCLUDED {
        return;
    }
    for line in files.text(path).lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(included) = line.strip_prefix("include ") else {
            let parts = line.split([' ', '\t', ',', ':']);
            let parts = parts.filter(|part| part.starts_with('/'));
            directories
                .extend(parts.map(|part| PathBuf::from(part.split('=').next().unwrap_or(part))));
            continue;
        };
        for pattern in included.split_whitespace() {
            let own = Path::new(path).parent().unwrap_or(Path::new("/"));
            let pattern = own.join(pattern);
            let (Some(directory), Some(name)) = (pattern.parent(), pattern.file_name()) else {
                continue;
            };
            let node = files.tree.find_in_root(directory).ok().flatten();
            let names = node.and_then(|node| node.names().ok()).unwrap_or_default();
            for found in names {
                if glob::matches(&name.to_string_lossy(), &found.to_string_lossy()) {
                    let path = directory.join(found).display().to_string();
                    read_settings(files, &path, directories, read);
                }
            }
        }
    }
}

/// Reads the paths in ld.so.cache. They are strings that end in a zero byte, whatever the format of the file is.
fn cache(files: &RootFiles) -> Option<HashSet<Vec<u8>>> {
    let node = files.tree.find_in_root(Path::new(CACHE)).ok()??;
    let text = node.read(read::SETTINGS).ok()?;
    let strings = text.split(|byte| *byte == 0);
    let paths = strings.filter(|text| text.starts_with(b"/"));
    Some(paths.map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directories_are_those_in_the_program() {
        let glibc = b"\x7fELF\0/lib/aarch64-linux-gnu/\0/usr/lib/\0/etc/ld.so.cache\0/usr/lib/locale\0/proc/self/fd/\0";
        let found = directories_in(glibc, false);
        let wanted = ["/lib/aarch64-linux-gnu/", "/usr/lib/"].map(PathBuf::from);
        assert_eq!(found, wanted);
        let musl = b"\0%s: %m\0/lib:/usr/local/lib:/usr/lib\0";
        let wanted = ["/lib", "/usr/local/lib", "/usr/lib"].map(PathBuf::from);
        assert_eq!(directories_in(musl, true), wanted);
    }

    #[test]
    fn tokens_of_a_search_path() {
        let of = Path::new("usr/bin/x");
        let expand = |path: &str, bits| expanded(path, of, bits);
        assert_eq!(expand("$ORIGIN/../lib", 32), [Path::new("/usr/bin/../lib")]);
        assert_eq!(expand("${ORIGIN}", 32), [Path::new("/usr/bin")]);
        let both = ["/usr/lib64/x", "/usr/lib/x"].map(PathBuf::from);
        assert_eq!(expand("/usr/$LIB/x", 64), both);
        assert_eq!(expand("/usr/${LIB}/x", 64), both);
        assert_eq!(expand("lib", 64), [""; 0].map(PathBuf::from));
        assert_eq!(expand("/x/$PLATFORM", 64), [""; 0].map(PathBuf::from));
    }
}
