//! Reads files as Portage does: finds the files of a path, and decodes their text as Python does.

use super::{
    agreed,
    error::SettingsError,
    path,
    version::{Version, VersionChange},
};
use crossmerge_system::file::{self, OtherUsers, Tree, read::Found};
use sha2::Sha256;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    path::Path,
    rc::Rc,
};

/// The directories of version control systems, which are skipped.
const VCS_DIRECTORIES: [&str; 7] = ["CVS", "RCS", "SCCS", ".bzr", ".git", ".hg", ".svn"];

/// The maximum cost of one answer, in bytes that are read, result from an expansion, or are processed again. Gentoo's
/// largest profiles take 2 MiB. Small files that name each other, and variables that refer to themselves, can cost far
/// more than any single file.
const MOST: usize = 64 << 20;

/// The maximum number of files of one path: `package.use` may have a file for each installed package.
const MOST_FILES: usize = 20_000;

/// The text of a file.
#[derive(Debug, Clone)]
struct CachedFile {
    text: Rc<str>,
    is_utf8: bool,
    /// Its length in bytes before it was decoded.
    bytes: usize,
}

impl CachedFile {
    fn of(path: &str, bytes: &[u8]) -> Result<Self, SettingsError> {
        Ok(Self {
            text: decode(path, bytes)?.into(),
            is_utf8: std::str::from_utf8(bytes).is_ok(),
            bytes: bytes.len(),
        })
    }
}

/// What is at a path: the kind of file, and its text; `None` if it does not exist. One lookup answers both.
#[derive(Debug, Clone)]
struct Entry {
    kind: Result<Option<PathKind>, SettingsError>,
    file: Result<Option<CachedFile>, SettingsError>,
}

/// The entries by path.
type FileCache = RefCell<BTreeMap<String, Entry>>;

/// The files that several queries of one call share: most of a target's settings are in files of the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedFiles(Rc<FileCache>);

/// The files that are read for one answer. Each is read only once, so that the whole answer uses the same content.
#[derive(Debug, Default)]
pub(crate) struct SettingsFiles {
    /// The version of Portage whose behaviour applies.
    portage: Version,
    read: FileCache,
    shared: SharedFiles,
    spent: Cell<usize>,
    /// The number of files of all paths so far.
    seen: Cell<usize>,
    /// The config root, and the other users who may change its settings; `None` if there are none.
    others: Option<(String, OtherUsers)>,
    /// The paths that these users named, and that were read with the checks for that. Text that was read without these
    /// checks must not be returned for such a path.
    named: RefCell<BTreeSet<String>>,
    /// The root in which paths are looked up, as programs inside it would; `None` for the host's.
    root: Option<Rc<Tree>>,
    /// Whether files that were not supplied count as missing.
    #[cfg(any(test, feature = "fuzzing"))]
    is_closed: bool,
}

impl SettingsFiles {
    /// Returns an empty set of files, which will be read as this version of Portage does.
    #[cfg(test)]
    pub(crate) fn of(portage: Version) -> Self {
        Self::sharing(portage, &SharedFiles::default())
    }

    /// Returns an empty set of files, which will be read as this version of Portage does and shared with other queries.
    pub(crate) fn sharing(portage: Version, shared: &SharedFiles) -> Self {
        Self {
            portage,
            shared: shared.clone(),
            ..Self::default()
        }
    }

    /// Sets the config root. If other users may change its settings, the answer must not reveal to them a file that only
    /// the user who runs crossmerge may read. They could name such a file by a symlink, in the config root or in a
    /// profile that they may change, or with `source`.
    pub(crate) fn of_configroot(self, configroot: &str) -> Self {
        let others = file::others(&Path::new(configroot).join("etc/portage"));
        let others = (!others.is_empty()).then(|| (configroot.to_owned(), others));
        Self { others, ..self }
    }

    /// Returns an empty set of files, whose paths will be looked up in a root.
    pub(crate) fn in_root(root: Rc<Tree>) -> Self {
        Self {
            root: Some(root),
            ..Self::default()
        }
    }

    /// Returns whether the version of Portage has a behaviour.
    pub(crate) fn has(&self, change: VersionChange) -> bool {
        self.portage.has(change)
    }

    /// Returns a set of exactly these files; no others exist.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn only(files: &[(&str, &[u8])]) -> Result<Self, SettingsError> {
        let known = files.iter().map(|(path, bytes)| {
            let entry = Entry {
                kind: Ok(Some(PathKind::File)),
                file: Ok(Some(CachedFile::of(path, bytes)?)),
            };
            Ok(((*path).to_owned(), entry))
        });
        Ok(Self {
            read: RefCell::new(known.collect::<Result<_, SettingsError>>()?),
            is_closed: true,
            ..Self::default()
        })
    }

    /// Counts work that a file causes. The error is final if the total exceeds [`MOST`].
    pub(crate) fn spend(&self, path: &str, bytes: usize) -> Result<(), SettingsError> {
        let spent = self.spent.get().saturating_add(bytes);
        self.spent.set(spent);
        match spent > MOST {
            true => Err(SettingsError::file(
                path,
                format!("makes the settings longer than {MOST} bytes"),
            )
            .into_final()),
            false => Ok(()),
        }
    }

    /// Adds every file that was read, and every one that was missing, to a hash.
    pub(crate) fn add_to(&self, hash: &mut Sha256) {
        for (path, entry) in self.read.borrow().iter() {
            agreed::add(hash, path.as_bytes());
            match &entry.file {
                Ok(Some(file)) => agreed::add(hash, file.text.as_bytes()),
                Ok(None) => agreed::add(hash, b"\0"),
                // A directory.
                Err(_) => {}
            }
        }
    }

    /// Returns the text of a file; `None` if it does not exist.
    ///
    /// Invalid UTF-8 becomes U+FFFD and every kind of line end becomes `\n`. A directory is an error: few of Portage's
    /// readers accept one, and those check before they read.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Rc<str>>, SettingsError> {
        Ok(self.entry(path, false)?.file?.map(|file| file.text))
    }

    /// Returns the text of a file that another file sources; empty if it does not exist.
    pub(crate) fn sourced(&self, path: &str) -> Result<Rc<str>, SettingsError> {
        let is_below_a_file = |path| {
            let metadata = fs::metadata(path);
            self.root.is_none() && metadata.is_err_and(|e| e.kind() == io::ErrorKind::NotADirectory)
        };
        match self.entry(path, true)?.file {
            Ok(Some(file)) if !file.is_utf8 => Err(SettingsError::file(
                path,
                "is sourced and not UTF-8, so Portage fails",
            )),
            Ok(file) => Ok(file.map_or_else(|| Rc::from(""), |file| file.text)),
            Err(_) if is_below_a_file(path) => Ok(Rc::from("")),
            Err(error) => Err(error),
        }
    }

    /// Looks up a path, and reads its file. Each path is looked up once.
    fn entry(&self, path: &str, is_sourced: bool) -> Result<Entry, SettingsError> {
        let namers = self.namers(path, is_sourced);
        let is_checked = namers.is_none() || self.named.borrow().contains(path);
        if is_checked && let Some(entry) = self.read.borrow().get(path) {
            return Ok(entry.clone());
        }
        #[cfg(any(test, feature = "fuzzing"))]
        if self.is_closed {
            return Ok(Entry {
                kind: Ok(None),
                file: Ok(None),
            });
        }
        let shared = match namers {
            Some(_) => None,
            None => self.shared.0.borrow().get(path).cloned(),
        };
        let entry = shared.unwrap_or_else(|| self.find(path, namers.as_ref()));
        if let Ok(Some(file)) = &entry.file {
            self.spend(path, file.bytes)?;
        }
        let mut read = self.read.borrow_mut();
        read.insert(path.to_owned(), entry.clone());
        match namers {
            Some(_) => drop(self.named.borrow_mut().insert(path.to_owned())),
            None => {
                let mut shared = self.shared.0.borrow_mut();
                shared.insert(path.to_owned(), entry.clone());
            }
        }
        Ok(entry)
    }

    /// Returns the other users who chose the file at this path, by a symlink or by `source`; `None` if no
    /// other user did.
    fn namers(&self, path: &str, is_sourced: bool) -> Option<OtherUsers> {
        let (configroot, others) = self.others.as_ref()?;
        let path = Path::new(path);
        let on_path = file::others(path);
        let is_theirs = is_sourced || path.starts_with(configroot) || !on_path.is_empty();
        is_theirs.then(|| others.clone().and(on_path))
    }

    /// Looks up a path, and reads its file.
    fn find(&self, path: &str, namers: Option<&OtherUsers>) -> Entry {
        let (place, limit) = (Path::new(path), file::read::SETTINGS);
        let found = match &self.root {
            None => Found::at(place, limit, namers),
            Some(root) => match root.find_in_root(place) {
                Ok(Some(node)) => Ok(Found {
                    is_dir: node.is_dir(),
                    is_file: node.is_file(),
                    content: node.read(limit),
                }),
                Ok(None) => Err(io::ErrorKind::NotFound.into()),
                Err(e) => Err(e.into()),
            },
        };
        let found = match found {
            Ok(found) => found,
            Err(e) => {
                return Entry {
                    kind: match e.kind() {
                        io::ErrorKind::PermissionDenied => Err(path::denied(path)),
                        // After any other error, Portage takes the path as missing.
                        _ => Ok(None),
                    },
                    file: match e.kind() {
                        io::ErrorKind::NotFound => Ok(None),
                        _ => Err(SettingsError::unread(path, &e)),
                    },
                };
            }
        };
        Entry {
            kind: Ok(Some(PathKind::of(found.is_dir, found.is_file))),
            file: match found.content {
                Ok(bytes) => CachedFile::of(path, &bytes).map(Some),
                Err(e) => Err(SettingsError::unread(path, &e)),
            },
        }
    }

    /// Returns whether a file or directory exists at a path, with symlinks followed.
    pub(crate) fn exists(&self, path: &str) -> Result<bool, SettingsError> {
        Ok(self.kind(path)?.is_some())
    }

    /// Returns whether a path is a regular file.
    pub(crate) fn is_file(&self, path: &str) -> Result<bool, SettingsError> {
        Ok(self.kind(path)? == Some(PathKind::File))
    }

    /// Returns the lines of a file without their ends; no lines if it does not exist.
    pub(crate) fn lines(&self, path: &str) -> Result<Vec<String>, SettingsError> {
        let text = self.read(path)?;
        Ok(text.map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect()))
    }

    /// Returns the first line, stripped of white space; `None` if the path is not a regular file.
    pub(crate) fn first_line(&self, path: &str) -> Result<Option<String>, SettingsError> {
        if !self.is_file(path)? {
            return Ok(None);
        }
        let text = self.read(path)?;
        let first = text.as_deref().and_then(|text| text.lines().next());
        Ok(Some(strip(first.unwrap_or_default()).to_owned()))
    }
}

fn decode(path: &str, bytes: &[u8]) -> Result<String, SettingsError> {
    if bytes.contains(&0) {
        return Err(SettingsError::file(path, "contains a NUL byte"));
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    })
}

/// The kind of file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Directory,
    File,
    Other,
}

impl PathKind {
    fn of(is_dir: bool, is_file: bool) -> Self {
        match (is_dir, is_file) {
            (true, _) => Self::Directory,
            (_, true) => Self::File,
            _ => Self::Other,
        }
    }
}

impl SettingsFiles {
    /// Returns the kind of file at a path, with symlinks followed; `None` if it does not exist.
    fn kind(&self, path: &str) -> Result<Option<PathKind>, SettingsError> {
        let Some(root) = &self.root else {
            return self.entry(path, false)?.kind;
        };
        // In a root, every file that is listed is read only once, so reading it here would save nothing.
        let node = root.find_in_root(Path::new(path));
        let node = node.map_err(|e| SettingsError::unread(path, &e.into()))?;
        Ok(node.map(|node| PathKind::of(node.is_dir(), node.is_file())))
    }

    /// Returns whether the path is a directory.
    pub(crate) fn is_dir(&self, path: &str) -> bool {
        matches!(self.kind(path), Ok(Some(PathKind::Directory)))
    }

    /// Returns the names in a directory, sorted.
    fn names(&self, path: &str) -> Result<Vec<String>, SettingsError> {
        let unreadable = |e: io::Error| SettingsError::file(path, format!("cannot be read: {e}"));
        let names: Vec<OsString> = match &self.root {
            None => {
                let entries = fs::read_dir(path).map_err(unreadable)?;
                let names = entries.map(|entry| Ok(entry?.file_name()));
                names.collect::<io::Result<_>>().map_err(unreadable)?
            }
            Some(root) => match root.find_in_root(Path::new(path)) {
                Ok(Some(node)) => node.names().map_err(|e| SettingsError::unread(path, &e))?,
                Ok(None) => Vec::new(),
                Err(e) => return Err(SettingsError::unread(path, &e.into())),
            },
        };
        let names = names.iter().map(|name| path::text("a file's name", name));
        let mut names = names
            .map(|name| name.map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()?;
        names.sort();
        Ok(names)
    }
}

/// Returns the files of a path: the file itself, or all files below the directory, sorted by name. Hidden files,
/// backups and the directories of version control systems are skipped. A missing path has no files.
pub(crate) fn recursive_files(
    files: &SettingsFiles,
    path: &str,
) -> Result<Vec<String>, SettingsError> {
    // In a root, which may belong to another user, the limit applies to all paths together.
    let mut seen = files.root.as_ref().map_or(0, |_| files.seen.get());
    let mut all = Vec::new();
    collect(files, path, 0, &mut seen, &mut all)?;
    files.seen.set(seen);
    Ok(all)
}

fn collect(
    files: &SettingsFiles,
    path: &str,
    depth: usize,
    seen: &mut usize,
    all: &mut Vec<String>,
) -> Result<(), SettingsError> {
    *seen += 1;
    if *seen > MOST_FILES {
        // Two symlinks to the directory that contains them give 2^40 paths before any path is too deep.
        let reason = format!("has more than {MOST_FILES} files, or its symlinks form a cycle");
        return Err(SettingsError::file(path, reason).into_final());
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with('.') || name.ends_with('~') {
        return Ok(());
    }
    match files.kind(path)? {
        Some(PathKind::Directory) if VCS_DIRECTORIES.contains(&name) => {}
        Some(PathKind::Directory) if depth > 40 => {
            return Err(SettingsError::file(
                path,
                "is nested too deeply, or its symlinks form a cycle",
            ));
        }
        Some(PathKind::Directory) => {
            for child in files.names(path)? {
                collect(files, &path::join(path, &child), depth + 1, seen, all)?;
            }
        }
        Some(PathKind::File) => all.push(path.to_owned()),
        Some(PathKind::Other) | None => {}
    }
    Ok(())
}

/// Returns what Python's `str.isspace` returns: whether the character is Unicode white space or one of ASCII's four
/// separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Splits at white space, as Python's `str.split` does.
pub(crate) fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Strips white space from both ends.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Returns the words of a line in a list, up to the first word that begins with `#`.
pub(crate) fn list_words(line: &str) -> Vec<&str> {
    words(line)
        .take_while(|word| !word.starts_with('#'))
        .collect()
}

/// Returns the entries of a list file, one per line, with single spaces and without comments.
pub(crate) fn entries(
    files: &SettingsFiles,
    path: &str,
    recursive: bool,
) -> Result<Vec<String>, SettingsError> {
    let paths = match recursive {
        true => recursive_files(files, path)?,
        false => vec![path.to_owned()],
    };
    let mut entries = Vec::new();
    for path in paths {
        let lines = files.lines(&path)?;
        files.spend(&path, lines.iter().map(|line| line.len() + 1).sum())?;
        for line in lines {
            if line.starts_with("##COMPAT==>") && files.has(VersionChange::CompatLines) {
                return Err(SettingsError::file(&path, "has `##COMPAT` in a comment"));
            }
            let entry = list_words(&line).join(" ");
            if !entry.is_empty() {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_as_in_python() {
        let all: Vec<&str> = words("a\u{1c}b\u{85}c\u{a0}d\u{2003}e\u{200b}f").collect();
        assert_eq!(all, ["a", "b", "c", "d", "e\u{200b}f"]);
        assert_eq!(strip("\u{1f} a b\u{3000}\n"), "a b");
    }

    #[test]
    fn one_lookup_of_a_path_answers_all_questions_about_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let (file, missing, shared) = (path("file"), path("missing"), SharedFiles::default());
        fs::write(&file, "before\n").expect("a file");
        let files = SettingsFiles::sharing(Version::NEWEST, &shared);
        assert_eq!(files.is_file(&file), Ok(true));
        assert_eq!(files.exists(&missing), Ok(false));
        for path in [&file, &missing] {
            fs::write(path, "after\n").expect("a file");
        }
        for files in [files, SettingsFiles::sharing(Version::NEWEST, &shared)] {
            assert_eq!(
                files.read(&file).expect("text").as_deref(),
                Some("before\n")
            );
            assert_eq!(files.read(&missing).expect("no error"), None);
        }
        let directory = path("");
        assert!(SettingsFiles::default().is_dir(&directory));
        assert!(SettingsFiles::default().read(&directory).is_err());
    }

    #[test]
    fn every_kind_of_line_end_becomes_a_newline() {
        assert_eq!(
            decode("f", b"a\r\nb\rc\xff\n").as_deref(),
            Ok("a\nb\nc\u{fffd}\n")
        );
        assert!(decode("f", b"a\0b").is_err());
    }
}
