//! The files of a sysroot that fix-root is about, and what each one should be: its text, its mode.
//!
//! Reads and writes nothing. `doctor` asks the same questions here.

use super::{
    owners::{MERGED, owners},
    stray::{self, Stray},
    sysroot::Sysroot,
    text,
};
use crate::{context::Identity, file::read};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// Where packages put what others are built against.
pub(super) const INSTALLED: [&str; 3] = ["usr", "", "usr/local"];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `*.la`.
    LibtoolArchive,
    /// A script, or settings that a shell reads, which answers for a library.
    ConfigScript,
    /// A library, of which only the mode counts.
    Library,
}

/// A file and what it should be.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    /// Its other names among those that were found.
    pub(super) others: Vec<PathBuf>,
    /// The text, and what it should be instead.
    pub(super) edit: Option<(Vec<u8>, Vec<u8>)>,
    /// The mode it has, without the bits of its kind.
    pub(super) mode: u32,
    /// The mode it should have, when that is another.
    pub(super) new_mode: Option<u32>,
    /// The package that owns it, looked up for what should change.
    pub(crate) owner: Option<String>,
    identity: Identity,
    /// How many names it has anywhere.
    names: u64,
}

/// A configuration script among the sysroot's programs.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: OsString,
    pub(super) path: PathBuf,
    /// Its file among those that were found; none when it leads out of the sysroot.
    pub(super) file: Option<Identity>,
    /// It finds its place by the name it is called under, so a link would lead it astray.
    pub(super) looks_at_own_place: bool,
}

/// What a look at a sysroot found.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) found: Vec<Found>,
    pub(super) configs: Vec<Script>,
    /// Symlinks that lead to the build machine.
    pub(crate) strays: Vec<Stray>,
    /// What may not be read, and was passed over.
    pub(super) unread: Vec<PathBuf>,
}

impl Found {
    /// Tells whether the text names places of this machine.
    pub(crate) fn points_outside(&self) -> bool {
        self.edit.is_some()
    }

    /// Tells whether anything is to change.
    pub(super) fn is_wrong(&self) -> bool {
        self.edit.is_some() || self.new_mode.is_some()
    }

    /// Tells whether it has a name that was not found, and that a change of mode would be seen under.
    pub(super) fn is_elsewhere_too(&self) -> bool {
        self.edit.is_none() && self.names > 1 + self.others.len() as u64
    }

    pub(super) fn is(&self, identity: Identity) -> bool {
        self.identity == identity
    }
}

impl Files {
    /// Looks through the sysroot.
    pub(crate) fn of(sysroot: &Sysroot) -> io::Result<Self> {
        let mut files = Self::default();
        let mut known = BTreeMap::new();
        for folder in folders(sysroot, |name| name.starts_with(b"lib"))? {
            files.walk(&folder, sysroot, &mut known)?;
        }
        for folder in folders(sysroot, |name| name == b"bin")? {
            files.look_at_programs(&folder, sysroot, &mut known)?;
        }
        files.look_at_shared(sysroot, &mut known)?;
        files.strays = stray::find(sysroot)?;
        let wrong = files.found.iter().filter(|file| file.is_wrong());
        let wrong = wrong.map(|file| (file.path.as_path(), file.identity));
        let strays = files.strays.iter();
        let strays = strays.map(|stray| (stray.path.as_path(), stray.identity));
        let merged = sysroot.path().join(MERGED);
        let owners = owners(&merged, |path| sysroot.join(path), wrong.chain(strays))?;
        for stray in &mut files.strays {
            stray.owner = owners.get(&stray.identity).cloned();
        }
        for file in &mut files.found {
            file.owner = owners.get(&file.identity).cloned();
        }
        Ok(files)
    }

    /// The files of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |found| found.kind == kind)
    }

    /// Looks at every file below a folder of libraries, and follows no link.
    fn walk(
        &mut self,
        folder: &Path,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        for path in self.read(folder, entries)?.unwrap_or_default() {
            let metadata = fs_err::symlink_metadata(&path)?;
            if metadata.is_dir() {
                self.walk(&path, sysroot, known)?;
            }
            let name = path.file_name().unwrap_or_default().as_bytes();
            let is_archive = name.ends_with(b".la");
            let Some(wanted) = mode_of(name).filter(|_| metadata.is_file()) else {
                if metadata.is_file() && may_be_settings(name, metadata.mode()) {
                    self.look_at_script(&path, sysroot, known)?;
                }
                continue;
            };
            let (kind, edit) = if is_archive {
                let Some(old) = self.read(&path, |path| read::read(path, read::SCRIPT))? else {
                    continue;
                };
                let new = text::libtool_archive(&old, sysroot);
                (Kind::LibtoolArchive, new.map(|new| (old, new)))
            } else {
                (Kind::Library, None)
            };
            // What else a mode holds than permissions is nobody's to add or to take here.
            let mode = metadata.mode() & 0o7777;
            let wanted = Some(mode & 0o7000 | wanted).filter(|wanted| *wanted != mode);
            self.add(kind, path, &metadata, edit, wanted, known);
        }
        Ok(())
    }

    /// Reads a file or a folder; none when it may not be read.
    fn read<'p, T>(
        &mut self,
        path: &'p Path,
        read: impl FnOnce(&'p Path) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        match read(path) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                self.unread.push(path.into());
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Looks at a file that is none of a library's own: it may be a script that answers for one, or settings that a shell reads.
    fn look_at_script(
        &mut self,
        path: &Path,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        let Some(Some((real, old))) = self.read(path, |path| sysroot.config_script(path))? else {
            return Ok(());
        };
        let metadata = fs_err::metadata(&real)?;
        let new = text::config_script(&old, sysroot);
        let edit = new.map(|new| (old, new));
        let real = sysroot.as_written(&real);
        self.add(Kind::ConfigScript, real, &metadata, edit, None, known);
        Ok(())
    }

    /// Looks below `share` for settings that a shell reads, by the ends of their names: it holds far more than can be read.
    fn look_at_shared(
        &mut self,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        for share in folders(sysroot, |name| name == b"share")? {
            let mut left = vec![(share, SHARED_DEPTH)];
            while let Some((folder, depth)) = left.pop() {
                // What may not be read there is no library.
                let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
                let mut entries: Vec<_> = entries.collect();
                entries.sort_by_key(std::fs::DirEntry::file_name);
                for entry in entries {
                    let Ok(kind) = entry.file_type() else {
                        continue;
                    };
                    let name = entry.file_name();
                    if kind.is_dir()
                        && depth > 0
                        && !NOT_SHARED.contains(&name.to_string_lossy().as_ref())
                    {
                        left.push((entry.path(), depth - 1));
                    } else if kind.is_file()
                        && SHARED_SETTINGS
                            .iter()
                            .any(|end| name.as_bytes().ends_with(end.as_bytes()))
                    {
                        self.look_at_script(&entry.path(), sysroot, known)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks at the scripts of a folder of programs. One that is a symlink is the script that it leads to.
    fn look_at_programs(
        &mut self,
        folder: &Path,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        for path in self.read(folder, entries)?.unwrap_or_default() {
            let name = path.file_name().unwrap_or_default();
            if self.configs.iter().any(|config| config.name == name) {
                continue;
            }
            let name = name.to_owned();
            let Some(script) = self.read(&path, |path| sysroot.config_script(path))? else {
                continue;
            };
            let Some((real, old)) = script else {
                // The target would start what the build machine has.
                let leads_out = name.as_bytes().ends_with(b"-config")
                    && sysroot.leads_to(&path).is_none()
                    && path.is_file();
                if leads_out {
                    self.configs.push(Script {
                        name,
                        path,
                        file: None,
                        looks_at_own_place: false,
                    });
                }
                continue;
            };
            let metadata = fs_err::metadata(&real)?;
            let real = sysroot.as_written(&real);
            self.configs.push(Script {
                name,
                path,
                file: Some(Identity::of(&metadata)),
                looks_at_own_place: text::looks_at_own_place(&old),
            });
            let new = text::config_script(&old, sysroot);
            let edit = new.map(|new| (old, new));
            self.add(Kind::ConfigScript, real, &metadata, edit, None, known);
        }
        Ok(())
    }

    fn add(
        &mut self,
        kind: Kind,
        path: PathBuf,
        metadata: &std::fs::Metadata,
        edit: Option<(Vec<u8>, Vec<u8>)>,
        new_mode: Option<u32>,
        known: &mut BTreeMap<Identity, usize>,
    ) {
        let identity = Identity::of(metadata);
        if let Some(&at) = known.get(&identity) {
            let found = &mut self.found[at];
            if found.path != path && !found.others.contains(&path) {
                found.others.push(path);
            }
            return;
        }
        known.insert(identity, self.found.len());
        self.found.push(Found {
            kind,
            path,
            others: Vec::new(),
            edit,
            mode: metadata.mode() & 0o7777,
            new_mode,
            owner: None,
            identity,
            names: metadata.nlink(),
        });
    }
}

/// The directories of such a name where packages are installed, each once, reached as the target reaches them. What a symlink leads out
/// to here is no part of the sysroot.
fn folders(sysroot: &Sysroot, is_wanted: impl Fn(&[u8]) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for above in INSTALLED {
        let above = sysroot.leads_to(&sysroot.path().join(above));
        let Some(above) = above.filter(|above| above.is_dir()) else {
            continue;
        };
        for path in entries(&above)? {
            let name = path.file_name().unwrap_or_default();
            if !is_wanted(name.as_bytes()) {
                continue;
            }
            if let Some(real) = sysroot.leads_to(&path).filter(|real| real.is_dir()) {
                let folder = sysroot.as_written(&real);
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
        }
    }
    Ok(folders)
}

/// What is in a folder, in the order of the names.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

/// How deep settings lie below `share`: `tcltk/tcl8.6/tclConfig.sh`.
const SHARED_DEPTH: usize = 3;

/// How the names of such settings end.
const SHARED_SETTINGS: [&str; 3] = ["onf.sh", "onfig.sh", "-config"];

/// Directories of `share` with many files and no settings.
const NOT_SHARED: [&str; 9] = [
    "doc", "fonts", "i18n", "icons", "info", "locale", "man", "themes", "zoneinfo",
];

/// Ends of names of files beside libraries that are no shell's: they are not opened.
const NOT_SETTINGS: [&str; 46] = [
    "bin", "c", "cmake", "conf", "elc", "el", "enc", "fw", "gz", "h", "hpp", "html", "hwdb", "jar",
    "js", "json", "ko", "ldscript", "lua", "mo", "mod", "o", "pc", "pcap", "ph", "pl", "pm", "png",
    "prf", "pri", "py", "pyc", "qml", "qm", "rb", "rules", "service", "so", "socket", "svg",
    "target", "tcl", "timer", "txt", "xml", "xz",
];

/// Tells whether a file beside libraries may be a script or settings that a shell reads, by its name. Programs are looked at too:
/// `lib/postgresql/bin/pg_config`.
fn may_be_settings(name: &[u8], mode: u32) -> bool {
    let ending = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .map(|at| &name[at + 1..]);
    let is_other = |ending: &[u8]| {
        NOT_SETTINGS.iter().any(|other| other.as_bytes() == ending)
            || ending.iter().all(u8::is_ascii_digit)
    };
    match ending {
        Some(b"sh") => true,
        Some(ending) => mode & 0o111 != 0 && !is_other(ending),
        None => {
            let lower = name.to_ascii_lowercase();
            mode & 0o111 != 0 || lower.windows(4).any(|part| part == b"conf")
        }
    }
}

/// The permissions of a library by its name: those that install(1) and libtool give it.
fn mode_of(name: &[u8]) -> Option<u32> {
    let is_shared = || {
        let mut ends = name
            .windows(3)
            .enumerate()
            .filter(|(_, part)| *part == b".so");
        ends.any(|(at, _)| matches!(name.get(at + 3), None | Some(b'.')))
    };
    match name {
        _ if name.ends_with(b".la") || name.ends_with(b".a") => Some(0o644),
        _ if name.starts_with(b"lib") && is_shared() => Some(0o755),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_mode_of_a_library() {
        for (name, mode) in [
            ("libz.so", Some(0o755)),
            ("libz.so.1.2", Some(0o755)),
            ("libz.a", Some(0o644)),
            ("crypt.a", Some(0o644)),
            ("plugin.la", Some(0o644)),
            ("plugin.so", None),
            ("libz.sound", None),
            ("crt1.o", None),
        ] {
            assert_eq!(mode_of(name.as_bytes()), mode, "{name}");
        }
    }
}
