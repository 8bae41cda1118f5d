//! One walk over a root: every entry, and what the beginning of each file shows.

use super::error::RootError;
use crate::target::elf_machine::ElfMachine;
use crossmerge_system::{
    elf::{self, ElfHeader, HEADER_LEN, dynamic::Dynamic},
    file::{
        Identity, Node, Tree,
        beneath::{FileKind, MOST_DEPTH},
        budget, read,
    },
    script::Script,
};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
};

/// The most bytes of a text in which paths of the host are searched.
const MOST_TEXT: u64 = 64 << 10;

/// The ends of the names of files that contain settings.
const SETTINGS: [&str; 8] = [
    ".conf", ".cfg", ".pc", ".la", ".cmake", ".prl", ".pri", "-config",
];

/// The directories whose files Portage and the kernel's build write, and no program of the root reads as settings.
const OTHER_DATA: [&str; 1] = ["var/db/pkg"];

/// The entries of a root.
#[derive(Debug)]
pub(super) struct RootFiles {
    pub(super) tree: Tree,
    /// The root's own entry, with an empty path.
    pub(super) top: Entry,
    /// Every entry below the root, each directory before its content.
    pub(super) entries: Vec<Entry>,
    /// The ELF files, by identity: a file may have several names.
    pub(super) elves: HashMap<Identity, Elf>,
    /// The paths that were not read, with the reason.
    pub(super) unread: Vec<(PathBuf, String)>,
    /// The directories on which another file system is mounted. They are not walked.
    pub(super) mounted: Vec<PathBuf>,
}

/// An entry of a root.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path relative to the root, without symlinks.
    pub(super) place: PathBuf,
    pub(super) kind: EntryKind,
    pub(super) identity: Identity,
    /// The mode without the file type.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The size in bytes.
    pub(super) size: u64,
}

/// The kind of an entry.
#[derive(Debug)]
pub(super) enum EntryKind {
    Directory,
    /// A symlink with this target.
    Symlink(PathBuf),
    File(Content),
    /// A device, a FIFO or a socket.
    Other,
}

/// What the beginning of a file shows.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) script: Option<Script>,
    /// The path of the host that the text contains.
    pub(super) host_path: Option<PathBuf>,
}

/// An ELF file.
#[derive(Debug)]
pub(super) struct Elf {
    pub(super) place: PathBuf,
    pub(super) head: Vec<u8>,
    pub(super) header: ElfHeader,
    pub(super) machine: ElfMachine,
    pub(super) interpreter: Option<PathBuf>,
    /// `None` for a statically linked program, or an object that is not linked, such as a kernel module.
    pub(super) dynamic: Option<Dynamic>,
}

/// What is read of the files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reads<'a> {
    /// Nothing: only the status of each entry.
    Status,
    /// The beginning of each file, and texts, in which these paths of the host are searched.
    Content(&'a [PathBuf]),
}

impl RootFiles {
    /// Walks a root.
    pub(super) fn walk(tree: Tree, reads: Reads<'_>) -> Result<Self, RootError> {
        let Some(top) = tree.find_in_root(Path::new("/"))?.filter(Node::is_dir) else {
            let root = tree.path().to_owned();
            return Err(RootError::NoRoot { root });
        };
        let own = Entry::of(&top, PathBuf::new(), EntryKind::Directory);
        let mut files = Self {
            tree,
            top: own,
            entries: Vec::new(),
            elves: HashMap::new(),
            unread: Vec::new(),
            mounted: Vec::new(),
        };
        let device = top.stat().st_dev;
        files.directory(&top, Path::new(""), 0, device, reads)?;
        Ok(files)
    }

    fn directory(
        &mut self,
        directory: &Node,
        place: &Path,
        depth: usize,
        device: u64,
        reads: Reads<'_>,
    ) -> Result<(), RootError> {
        if depth > MOST_DEPTH {
            self.unread
                .push((place.into(), "it is nested too deeply".into()));
            return Ok(());
        }
        let entries = match directory.entries() {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                self.unread.push((place.into(), "permission denied".into()));
                return Ok(());
            }
            entries => entries?,
        };
        for (name, kind) in entries {
            let place = place.join(&name);
            // It may be removed by now.
            let Some(node) = directory.child(&name)? else {
                continue;
            };
            let entry_kind = match kind {
                _ if node.is_dir() && node.stat().st_dev != device => {
                    self.mounted.push(place);
                    continue;
                }
                _ if node.is_dir() => EntryKind::Directory,
                _ if node.is_link() => EntryKind::Symlink(node.target()?),
                FileKind::File if node.is_file() => match reads {
                    Reads::Content(host) if !is_other_data(&place) => {
                        match self.content(&node, &place, host) {
                            Ok(content) => EntryKind::File(content),
                            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                                let why = "permission denied".into();
                                self.unread.push((place.clone(), why));
                                EntryKind::File(Content::default())
                            }
                            Err(e) => return Err(e.into()),
                        }
                    }
                    _ => EntryKind::File(Content::default()),
                },
                _ => EntryKind::Other,
            };
            let is_directory = matches!(entry_kind, EntryKind::Directory);
            self.entries
                .push(Entry::of(&node, place.clone(), entry_kind));
            if is_directory {
                self.directory(&node, &place, depth + 1, device, reads)?;
            }
        }
        Ok(())
    }

    /// Reads what is needed of a file, which is opened once.
    fn content(&mut self, node: &Node, place: &Path, host: &[PathBuf]) -> io::Result<Content> {
        if node.size() == 0 || self.elves.contains_key(&node.identity()) {
            return Ok(Content::default());
        }
        let file = node.open()?;
        budget::PROCESS.file(node.path())?;
        let mut head = vec![0; HEADER_LEN];
        let length = file.read_at(&mut head, 0)?;
        head.truncate(length);
        budget::PROCESS.bytes(node.path(), length as u64)?;
        if let Some(elf) = Elf::of(&file, &head, place) {
            self.elves.insert(node.identity(), elf);
            return Ok(Content::default());
        }
        let script = Script::of(&head).filter(|_| node.mode() & 0o111 != 0);
        let is_text = script.is_some() || place.starts_with("etc") || has_settings(place);
        let mut content = Content {
            script,
            host_path: None,
        };
        if is_text && node.size() <= MOST_TEXT && !head.contains(&0) {
            let text = read::from(file, node.path(), MOST_TEXT)?;
            let mut host = host.iter();
            content.host_path = host.find(|path| names(&text, path)).cloned();
        }
        Ok(content)
    }

    /// Returns the ELF file at a path of the root, with symlinks as a process in the root follows them.
    pub(super) fn elf_at(&self, path: &Path) -> Option<&Elf> {
        let node = self.tree.find_in_root(path).ok()??;
        self.elves.get(&node.identity())
    }

    /// Returns whether a path exists for a process in the root.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.tree
            .find_in_root(path)
            .is_ok_and(|node| node.is_some())
    }

    /// Reads a text of the root. Empty if it does not exist or is not readable.
    pub(super) fn text(&self, path: &str) -> String {
        let node = self.tree.find_in_root(Path::new(path)).ok().flatten();
        let text = node.and_then(|node| node.read(read::SETTINGS).ok());
        String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
    }
}

impl Entry {
    fn of(node: &Node, place: PathBuf, kind: EntryKind) -> Self {
        let stat = node.stat();
        Self {
            place,
            kind,
            identity: node.identity(),
            mode: node.mode(),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: node.size(),
        }
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &[u8] {
        let name = self.place.file_name().map(OsStr::as_bytes);
        name.unwrap_or_default()
    }
}

impl Elf {
    /// Reads an ELF file. Returns `None` if it is not one.
    fn of(file: &File, head: &[u8], place: &Path) -> Option<Self> {
        let header = ElfHeader::of(head)?;
        let machine = ElfMachine::of(head)?;
        let read = |buffer: &mut [u8], place: u64| file.read_exact_at(buffer, place);
        Some(Self {
            place: place.into(),
            head: head[..head.len().min(read::ELF_HEADER as usize)].into(),
            header,
            machine,
            // A file with debugging information alone has the program header, and not its content.
            interpreter: elf::interpreter_in(head, read)
                .ok()
                .flatten()
                .filter(|path| !path.as_os_str().is_empty()),
            dynamic: header.is_program().then(|| Dynamic::read(file)).flatten(),
        })
    }

    /// Returns the libraries that it needs.
    pub(super) fn needed(&self) -> &[String] {
        self.dynamic.as_ref().map_or(&[], |dynamic| &dynamic.needed)
    }
}

fn is_other_data(place: &Path) -> bool {
    OTHER_DATA
        .iter()
        .any(|directory| place.starts_with(directory))
}

fn has_settings(place: &Path) -> bool {
    let name = place.as_os_str().as_bytes();
    SETTINGS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Returns whether a text contains a path, which ends where it is no longer the same file or a file below it.
pub(super) fn names(text: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_.+~".contains(byte);
    text.windows(path.len())
        .enumerate()
        .filter(|(_, part)| *part == path)
        .any(|(at, _)| text.get(at + path.len()).is_none_or(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_whole_or_as_a_directory() {
        let path = Path::new("/srv/root");
        for (text, found) in [
            ("-L/srv/root/usr/lib", true),
            ("prefix=/srv/root\n", true),
            ("/srv/root", true),
            ("/srv/root-2/lib", false),
            ("/srv/rootless and /srv/root:", true),
            ("/srv", false),
        ] {
            assert_eq!(names(text.as_bytes(), path), found, "{text}");
        }
    }
}
