//! Finds the files of a sysroot that fix-root checks, and determines the text and the mode that each should have.
//!
//! Reads only. `doctor` uses the same search.

use super::{
    script::script_in,
    symlink::{self, EscapingSymlink},
    sysroot::{INSTALLED, Sysroot},
    text,
};
use crossmerge_portage::merged::{MERGED, owners};
use crossmerge_system::file::{
    Identity, Node,
    beneath::{FileKind, MOST_DEPTH},
    budget, read,
};
use nix::sys::stat::FileStat;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The kind of a file that fix-root checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SysrootFileKind {
    /// A libtool archive, `*.la`.
    LibtoolArchive,
    /// A configuration script, or settings of a library that a shell reads.
    ConfigScript,
    /// A library, of which only the mode is checked.
    Library,
}

/// A file, with the text and the mode that it should have.
#[derive(Debug)]
pub(crate) struct SysrootFile {
    pub(crate) kind: SysrootFileKind,
    pub(crate) path: PathBuf,
    /// Its other names among the files that were found.
    pub(super) others: Vec<PathBuf>,
    /// Its text, and the text that it should have.
    pub(super) edit: Option<(Vec<u8>, Vec<u8>)>,
    /// Its mode, without the file type.
    pub(super) mode: u32,
    /// The mode that it should have, if that differs.
    pub(super) new_mode: Option<u32>,
    /// The package that owns it, looked up only if the file should change.
    pub(crate) owner: Option<String>,
    identity: Identity,
    /// The status of the file when it was read.
    stat: FileStat,
}

/// A configuration script in a directory of programs.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: OsString,
    pub(super) path: PathBuf,
    /// Its file among those that were found; `None` if it leads out of the sysroot.
    pub(super) file: Option<Identity>,
    /// Whether it finds its files by the name under which it is called, so that a symlink to it would not work.
    pub(super) uses_own_path: bool,
}

/// The files of a sysroot that fix-root and doctor check.
#[derive(Debug, Default)]
pub(crate) struct SysrootFiles {
    pub(crate) found: Vec<SysrootFile>,
    pub(super) configs: Vec<Script>,
    /// Symlinks that lead to the host.
    pub(crate) symlinks: Vec<EscapingSymlink>,
    /// The paths that were skipped, each with the reason.
    pub(super) unread: Vec<(PathBuf, &'static str)>,
}

impl SysrootFile {
    /// Returns whether the text contains paths of the host.
    pub(crate) fn points_outside(&self) -> bool {
        self.edit.is_some()
    }

    /// Returns whether the text or the mode should change.
    pub(super) fn is_wrong(&self) -> bool {
        self.edit.is_some() || self.new_mode.is_some()
    }

    /// Returns whether it has hard links that were not found, under which a change of its mode would be visible.
    pub(super) fn is_elsewhere_too(&self) -> bool {
        self.edit.is_none() && self.stat.st_nlink > 1 + self.others.len() as u64
    }

    pub(super) fn is(&self, identity: Identity) -> bool {
        self.identity == identity
    }

    /// Returns whether a status is that of the same, unchanged file.
    pub(super) fn is_still(&self, there: &FileStat) -> bool {
        let state = |stat: &FileStat| {
            let changed = (stat.st_ctime, stat.st_ctime_nsec);
            (
                stat.st_dev,
                stat.st_ino,
                stat.st_mode,
                stat.st_size,
                changed,
            )
        };
        state(&self.stat) == state(there)
    }
}

impl SysrootFiles {
    /// Searches the sysroot.
    pub(crate) fn of(sysroot: &Sysroot) -> io::Result<Self> {
        let mut files = Self::default();
        let mut known = BTreeMap::new();
        for directory in directories(sysroot, |name| name.starts_with(b"lib"))? {
            if let Some(directory) = opened(sysroot, &directory) {
                files.walk(&directory, 0, sysroot, &mut known)?;
            }
        }
        for directory in directories(sysroot, |name| name == b"bin")? {
            if let Some(directory) = opened(sysroot, &directory) {
                files.check_programs(&directory, sysroot, &mut known)?;
            }
        }
        files.check_shared(sysroot, &mut known)?;
        files.symlinks = symlink::find(sysroot)?;
        let wrong = files.found.iter().filter(|file| file.is_wrong());
        let wrong = wrong.map(|file| (file.path.as_path(), file.identity));
        let symlinks = files.symlinks.iter();
        let symlinks = symlinks.map(|symlink| (symlink.path.as_path(), symlink.identity));
        let tree = sysroot.tree();
        let merged = tree.map(|tree| tree.find(Path::new(MERGED)));
        let merged = merged.transpose().map_err(io::Error::from)?.flatten();
        let identity = |path: &Path| Some(tree?.find_nofollow_in_root(path)?.identity());
        let owners = owners(merged.as_ref(), identity, wrong.chain(symlinks))?;
        for symlink in &mut files.symlinks {
            symlink.owner = owners.get(&symlink.identity).cloned();
        }
        for file in &mut files.found {
            file.owner = owners.get(&file.identity).cloned();
        }
        Ok(files)
    }

    /// Returns the files of a kind.
    pub(crate) fn of_kind(&self, kind: SysrootFileKind) -> impl Iterator<Item = &SysrootFile> {
        self.found.iter().filter(move |found| found.kind == kind)
    }

    /// Checks every file below a directory of libraries, without following symlinks.
    fn walk(
        &mut self,
        directory: &Node,
        depth: usize,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        if depth > MOST_DEPTH {
            self.unread
                .push((directory.path().into(), "it is nested too deeply"));
            return Ok(());
        }
        for (name, kind) in self
            .read(directory.path(), || directory.entries())?
            .unwrap_or_default()
        {
            if !matches!(kind, FileKind::File | FileKind::Directory) {
                continue;
            }
            let path = directory.path().join(&name);
            let child = || directory.child(&name).map_err(io::Error::from);
            // It may be removed or replaced by now.
            let Some(node) = self.read(&path, child)?.flatten() else {
                continue;
            };
            if node.is_dir() {
                self.walk(&node, depth + 1, sysroot, known)?;
            } else if node.is_file() {
                self.check_file(&name, node, sysroot, known)?;
            }
        }
        Ok(())
    }

    /// Checks a file in a directory of libraries.
    fn check_file(
        &mut self,
        name: &OsStr,
        node: Node,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        let name = name.as_bytes();
        let is_archive = name.ends_with(b".la");
        let Some(wanted) = mode_of(name) else {
            return match may_be_settings(name, node.mode()) {
                true => self.check_script(node, sysroot, known),
                false => Ok(()),
            };
        };
        let (kind, edit) = if is_archive {
            let Some(old) = self.read(node.path(), || node.read(read::SCRIPT))? else {
                return Ok(());
            };
            let new = text::libtool_archive(&old, sysroot);
            (SysrootFileKind::LibtoolArchive, new.map(|new| (old, new)))
        } else {
            (SysrootFileKind::Library, None)
        };
        // The set-user-ID, set-group-ID and sticky bits stay.
        let mode = node.mode();
        let wanted = Some(mode & 0o7000 | wanted).filter(|wanted| *wanted != mode);
        self.add(kind, &node, edit, wanted, known)
    }

    /// Reads a file or a directory. Returns `None` if that is not permitted.
    fn read<T>(
        &mut self,
        path: &Path,
        read: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        match read() {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                self.unread
                    .push((path.into(), "cannot read it: permission denied"));
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Checks a file that is neither a library nor a libtool archive: it may be a configuration script, or settings
    /// that a shell reads.
    fn check_script(
        &mut self,
        node: Node,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        let (path, name) = (node.path().to_owned(), node.place().to_owned());
        let name = name.file_name().unwrap_or_default();
        let Some(Some((node, old))) = self.read(&path, || script_in(name, node))? else {
            return Ok(());
        };
        let new = text::config_script(&old, sysroot);
        let edit = new.map(|new| (old, new));
        self.add(SysrootFileKind::ConfigScript, &node, edit, None, known)
    }

    /// Searches `share` for settings that a shell reads, by the ends of their names, because it contains too many files
    /// to read.
    fn check_shared(
        &mut self,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        for share in directories(sysroot, |name| name == b"share")? {
            let mut left = vec![(share, SHARED_DEPTH)];
            while let Some((directory, depth)) = left.pop() {
                // Unreadable directories there contain no libraries, so they are not reported.
                let Some(directory) = opened(sysroot, &directory) else {
                    continue;
                };
                for (name, kind) in directory.entries().unwrap_or_default() {
                    if kind == FileKind::Directory
                        && depth > 0
                        && !NOT_SHARED.contains(&name.to_string_lossy().as_ref())
                    {
                        left.push((directory.place().join(name), depth - 1));
                    } else if kind == FileKind::File
                        && SHARED_SETTINGS
                            .iter()
                            .any(|end| name.as_bytes().ends_with(end.as_bytes()))
                        && let Some(node) = directory.child(&name).ok().flatten()
                    {
                        self.check_script(node, sysroot, known)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks the scripts in a directory of programs. For a symlink, the script to which it leads is checked.
    fn check_programs(
        &mut self,
        directory: &Node,
        sysroot: &Sysroot,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        let seen = self.configs.iter().map(|config| config.name.clone());
        let mut seen: BTreeSet<OsString> = seen.collect();
        for name in self
            .read(directory.path(), || directory.names())?
            .unwrap_or_default()
        {
            if seen.contains(&name) {
                continue;
            }
            let path = directory.path().join(&name);
            let Some(script) = self.read(&path, || sysroot.config_script(&path))? else {
                continue;
            };
            let Some((node, old)) = script else {
                // The symlink leads to a program of the host.
                let leads_out = name.as_bytes().ends_with(b"-config")
                    && sysroot.leads_to(&path).is_none()
                    && path.is_file();
                if leads_out {
                    self.configs.push(Script {
                        name,
                        path,
                        file: None,
                        uses_own_path: false,
                    });
                }
                continue;
            };
            seen.insert(name.clone());
            self.configs.push(Script {
                name,
                path,
                file: Some(node.identity()),
                uses_own_path: text::uses_own_path(&old),
            });
            let new = text::config_script(&old, sysroot);
            let edit = new.map(|new| (old, new));
            self.add(SysrootFileKind::ConfigScript, &node, edit, None, known)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        kind: SysrootFileKind,
        node: &Node,
        edit: Option<(Vec<u8>, Vec<u8>)>,
        new_mode: Option<u32>,
        known: &mut BTreeMap<Identity, usize>,
    ) -> io::Result<()> {
        let (identity, path) = (node.identity(), node.path().to_owned());
        let edited = edit.as_ref().map_or(0, |(old, new)| old.len() + new.len());
        let kept = OF_A_FILE + 2 * path.as_os_str().len() + edited;
        budget::PROCESS.kept(&path, kept as u64)?;
        if let Some(&at) = known.get(&identity) {
            let found = &mut self.found[at];
            if found.path != path && !found.others.contains(&path) {
                found.others.push(path);
            }
            return Ok(());
        }
        known.insert(identity, self.found.len());
        self.found.push(SysrootFile {
            kind,
            path,
            others: Vec::new(),
            edit,
            mode: node.mode(),
            new_mode,
            owner: None,
            identity,
            stat: *node.stat(),
        });
        Ok(())
    }
}

/// The memory that a file takes besides its path and text, in bytes.
const OF_A_FILE: usize = 400;

/// Opens a directory of the sysroot by its path.
fn opened(sysroot: &Sysroot, place: &Path) -> Option<Node> {
    let node = sysroot.tree()?.find_nofollow_in_root(place);
    node.filter(Node::is_dir)
}

/// Lists the directories with a matching name in which packages install files, each once, resolved as the target
/// resolves them. A directory behind a symlink that leads out is not part of the sysroot.
fn directories(sysroot: &Sysroot, is_wanted: impl Fn(&[u8]) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for above in INSTALLED {
        let above = sysroot.leads_to(&sysroot.path().join(above));
        let Some(above) = above.filter(Node::is_dir) else {
            continue;
        };
        for name in above.names()? {
            if !is_wanted(name.as_bytes()) {
                continue;
            }
            let directory = sysroot.leads_to(&above.path().join(name));
            if let Some(directory) = directory.filter(Node::is_dir)
                && !directories.iter().any(|known| known == directory.place())
            {
                directories.push(directory.place().to_owned());
            }
        }
    }
    Ok(directories)
}

/// The depth of settings below `share`, as in `tcltk/tcl8.6/tclConfig.sh`.
const SHARED_DEPTH: usize = 3;

/// The ends of the names of such settings.
const SHARED_SETTINGS: [&str; 3] = ["onf.sh", "onfig.sh", "-config"];

/// Directories of `share` with many files and no settings.
const NOT_SHARED: [&str; 9] = [
    "doc", "fonts", "i18n", "icons", "info", "locale", "man", "themes", "zoneinfo",
];

/// Extensions of files in the directories of libraries that no shell reads. fix-root does not open such files.
const NOT_SETTINGS: [&str; 46] = [
    "bin", "c", "cmake", "conf", "elc", "el", "enc", "fw", "gz", "h", "hpp", "html", "hwdb", "jar",
    "js", "json", "ko", "ldscript", "lua", "mo", "mod", "o", "pc", "pcap", "ph", "pl", "pm", "png",
    "prf", "pri", "py", "pyc", "qml", "qm", "rb", "rules", "service", "so", "socket", "svg",
    "target", "tcl", "timer", "txt", "xml", "xz",
];

/// Returns whether a file beside libraries may be a script or settings that a shell reads, by its name. Programs are
/// checked too, such as `lib/postgresql/bin/pg_config`.
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

/// Returns the permissions of a library by its name: those that install(1) and libtool set.
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
    fn a_name_determines_the_mode_of_a_library() {
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
