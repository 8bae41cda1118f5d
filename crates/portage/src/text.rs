//! Files as Portage reads them: which files a name stands for, and their text after Python has decoded it.

use super::{
    agreed, path,
    refusal::Refusal,
    version::{Version, VersionChange},
};
use crossmerge_system::{file, file::Tree};
use sha2::Sha256;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    path::Path,
    rc::Rc,
};

/// The directories of version control, which are never looked into.
const VCS_DIRECTORIES: [&str; 7] = ["CVS", "RCS", "SCCS", ".bzr", ".git", ".hg", ".svn"];

/// The most that one answer may cost, in bytes that are read, come out of an expansion, or are gone through once more. Gentoo's
/// largest profiles take 2 MiB. Files that are small can name each other, and variables themselves, so often that none of them
/// would ever be too large.
const MOST: usize = 64 << 20;

/// The most files that one name may stand for: `package.use` with a file for each package that is installed.
const MOST_FILES: usize = 20_000;

/// What was found at a path.
#[derive(Debug, Clone)]
struct CachedFile {
    text: Rc<str>,
    is_utf8: bool,
    /// How long it was before it was decoded.
    bytes: usize,
}

impl CachedFile {
    fn of(path: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        Ok(Self {
            text: decode(path, bytes)?.into(),
            is_utf8: std::str::from_utf8(bytes).is_ok(),
            bytes: bytes.len(),
        })
    }
}

/// What was found at each path; `None` if nothing was.
type FileCache = RefCell<BTreeMap<String, Option<CachedFile>>>;

/// The files that were read for several answers at one time: most of a target's settings are in files of the machine's.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedFiles(Rc<FileCache>);

/// The files that were read for one answer: each is read once, so that one answer has one state of it.
#[derive(Debug, Default)]
pub(crate) struct SettingsFiles {
    /// The Portage that the files are read for.
    portage: Version,
    read: FileCache,
    shared: SharedFiles,
    spent: Cell<usize>,
    /// How many files all names stood for.
    seen: Cell<usize>,
    /// The path below which another user may change the settings, and the user.
    another: Option<(String, u32)>,
    /// The files that this user may name: what was read for another reason is no answer to them.
    named: RefCell<BTreeSet<String>>,
    /// The root that paths are looked up in, as its own programs would; `None` for the host's.
    root: Option<Rc<Tree>>,
    /// What was not put there is not there.
    #[cfg(any(test, feature = "fuzzing"))]
    is_closed: bool,
}

impl SettingsFiles {
    /// Reads files as a version of Portage does.
    #[cfg(test)]
    pub(crate) fn of(portage: Version) -> Self {
        Self::sharing(portage, &SharedFiles::default())
    }

    /// Reads files as a version of Portage does, but those that another answer has read.
    pub(crate) fn sharing(portage: Version, shared: &SharedFiles) -> Self {
        Self {
            portage,
            shared: shared.clone(),
            ..Self::default()
        }
    }

    /// Reads the files of a config root. Where another user may change it, that user must not learn from the answer what only the
    /// user who runs crossmerge may read: neither by a symlink there nor by `source`.
    pub(crate) fn of_configroot(self, configroot: &str) -> Self {
        let settings = Path::new(configroot).join("etc/portage");
        let user = file::another(&settings).ok().flatten();
        let another = user.map(|user| (configroot.to_owned(), user));
        Self { another, ..self }
    }

    /// Reads files in a root, by their paths inside.
    pub(crate) fn in_root(root: Rc<Tree>) -> Self {
        Self {
            root: Some(root),
            ..Self::default()
        }
    }

    /// Returns whether the Portage that the files are read for does so.
    pub(crate) fn has(&self, change: VersionChange) -> bool {
        self.portage.has(change)
    }

    /// These files as if there were no others.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn only(files: &[(&str, &[u8])]) -> Result<Self, Refusal> {
        let known = files
            .iter()
            .map(|(path, bytes)| Ok(((*path).to_owned(), Some(CachedFile::of(path, bytes)?))));
        Ok(Self {
            read: RefCell::new(known.collect::<Result<_, Refusal>>()?),
            is_closed: true,
            ..Self::default()
        })
    }

    /// Counts work that the file makes; refuses for good when all of it is too much.
    pub(crate) fn spend(&self, path: &str, bytes: usize) -> Result<(), Refusal> {
        let spent = self.spent.get().saturating_add(bytes);
        self.spent.set(spent);
        match spent > MOST {
            true => Err(Refusal::file(
                path,
                format!("makes the settings longer than {MOST} bytes"),
            )
            .for_good()),
            false => Ok(()),
        }
    }

    /// Adds every file that was read, and every one that was missing, to a seal.
    pub(crate) fn seal(&self, seal: &mut Sha256) {
        for (path, known) in self.read.borrow().iter() {
            agreed::add(seal, path.as_bytes());
            match known {
                Some(known) => agreed::add(seal, known.text.as_bytes()),
                None => agreed::add(seal, b"\0"),
            }
        }
    }

    /// The text of a file; `None` when there is none.
    ///
    /// What is not UTF-8 becomes U+FFFD and every kind of line end becomes `\n`. A directory is refused: only few of
    /// Portage's readers live with one, and those ask before.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Rc<str>>, Refusal> {
        Ok(self.known(path, false)?.map(|known| known.text))
    }

    /// The text of a file that another one names by `source`; empty when there is none.
    pub(crate) fn sourced(&self, path: &str) -> Result<Rc<str>, Refusal> {
        let is_below_a_file = |path| {
            let there = fs::metadata(path);
            self.root.is_none() && there.is_err_and(|e| e.kind() == io::ErrorKind::NotADirectory)
        };
        match self.known(path, true) {
            Ok(Some(known)) if !known.is_utf8 => Err(Refusal::file(
                path,
                "is sourced and not UTF-8, and Portage fails",
            )),
            Ok(known) => Ok(known.map_or_else(|| Rc::from(""), |known| known.text)),
            Err(_) if is_below_a_file(path) => Ok(Rc::from("")),
            Err(refusal) => Err(refusal),
        }
    }

    fn known(&self, path: &str, is_sourced: bool) -> Result<Option<CachedFile>, Refusal> {
        let namer = self.namer(path, is_sourced);
        let is_checked = namer.is_none() || self.named.borrow().contains(path);
        if is_checked && let Some(known) = self.read.borrow().get(path) {
            return Ok(known.clone());
        }
        #[cfg(any(test, feature = "fuzzing"))]
        if self.is_closed {
            return Ok(None);
        }
        let shared = match namer {
            Some(_) => None,
            None => self.shared.0.borrow().get(path).cloned(),
        };
        let known = match shared {
            Some(known) => known,
            None => self.find(path, namer)?,
        };
        if let Some(known) = &known {
            self.spend(path, known.bytes)?;
        }
        self.read
            .borrow_mut()
            .insert(path.to_owned(), known.clone());
        match namer {
            Some(_) => drop(self.named.borrow_mut().insert(path.to_owned())),
            None => drop(
                self.shared
                    .0
                    .borrow_mut()
                    .insert(path.to_owned(), known.clone()),
            ),
        }
        Ok(known)
    }

    /// The other user who chose this path: by a symlink in the config root, or by `source`. `None` if no other user did.
    fn namer(&self, path: &str, is_sourced: bool) -> Option<u32> {
        let (top, user) = self.another.as_ref()?;
        (is_sourced || Path::new(path).starts_with(top)).then_some(*user)
    }

    /// Reads what is at a path now.
    fn find(&self, path: &str, namer: Option<u32>) -> Result<Option<CachedFile>, Refusal> {
        let (place, limit) = (Path::new(path), file::read::SETTINGS);
        let bytes = match (&self.root, namer) {
            (None, None) => file::read::read_after_look(place, limit),
            (None, Some(user)) => file::read::read_for_another(place, limit, user),
            (Some(root), _) => match root.find_in_root(place) {
                Ok(Some(node)) => node.read(limit),
                Ok(None) => Err(io::ErrorKind::NotFound.into()),
                Err(e) => Err(e.into()),
            },
        };
        match bytes {
            Ok(bytes) => Ok(Some(CachedFile::of(path, &bytes)?)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Refusal::unread(path, &e)),
        }
    }

    /// The lines of a file without their ends; none when there is no file.
    pub(crate) fn lines(&self, path: &str) -> Result<Vec<String>, Refusal> {
        let text = self.read(path)?;
        Ok(text.map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect()))
    }

    /// The first line without the white space round it; `None` when the file cannot be read.
    pub(crate) fn first_line(&self, path: &str) -> Result<Option<String>, Refusal> {
        if !path::stat(path)?.is_some_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        let lines = self.lines(path)?;
        Ok(Some(
            strip(lines.first().map_or("", String::as_str)).to_owned(),
        ))
    }
}

fn decode(path: &str, bytes: &[u8]) -> Result<String, Refusal> {
    if bytes.contains(&0) {
        return Err(Refusal::file(path, "holds a NUL byte"));
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    })
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Directory,
    File,
    Other,
}

impl SettingsFiles {
    /// What is at a path, symlinks followed; `None` if nothing is.
    fn kind(&self, path: &str) -> Result<Option<PathKind>, Refusal> {
        let kind = |is_dir, is_file| match (is_dir, is_file) {
            (true, _) => PathKind::Directory,
            (_, true) => PathKind::File,
            _ => PathKind::Other,
        };
        let Some(root) = &self.root else {
            let metadata = path::stat(path)?;
            return Ok(metadata.map(|metadata| kind(metadata.is_dir(), metadata.is_file())));
        };
        let node = root.find_in_root(Path::new(path));
        let node = node.map_err(|e| Refusal::unread(path, &e.into()))?;
        Ok(node.map(|node| kind(node.is_dir(), node.is_file())))
    }

    /// Returns whether there is a directory.
    pub(crate) fn is_dir(&self, path: &str) -> bool {
        matches!(self.kind(path), Ok(Some(PathKind::Directory)))
    }

    /// The names in a directory, in their order.
    fn names(&self, path: &str) -> Result<Vec<String>, Refusal> {
        let unreadable = |e: io::Error| Refusal::file(path, format!("cannot be read: {e}"));
        let names: Vec<OsString> = match &self.root {
            None => {
                let entries = fs::read_dir(path).map_err(unreadable)?;
                let names = entries.map(|entry| Ok(entry?.file_name()));
                names.collect::<io::Result<_>>().map_err(unreadable)?
            }
            Some(root) => match root.find_in_root(Path::new(path)) {
                Ok(Some(node)) => node.names().map_err(|e| Refusal::unread(path, &e))?,
                Ok(None) => Vec::new(),
                Err(e) => return Err(Refusal::unread(path, &e.into())),
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

/// The files that a path stands for: itself, or all below it in the order of their names. Hidden files, backups and the
/// directories of version control are left out; what cannot be found is passed over.
pub(crate) fn recursive_files(files: &SettingsFiles, path: &str) -> Result<Vec<String>, Refusal> {
    // A root of another user's has so many for all names together.
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
) -> Result<(), Refusal> {
    *seen += 1;
    if *seen > MOST_FILES {
        // Two links to a directory in it make a trillion of them before any path is too deep.
        let reason = format!("stands for more than {MOST_FILES} files, or its links make a circle");
        return Err(Refusal::file(path, reason).for_good());
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let left_out = name.starts_with('.') || name.ends_with('~');
    match files.kind(path)? {
        Some(PathKind::Directory) if left_out || VCS_DIRECTORIES.contains(&name) => {}
        Some(PathKind::Directory) if depth > 40 => {
            return Err(Refusal::file(
                path,
                "lies too deep, or its links make a circle",
            ));
        }
        Some(PathKind::Directory) => {
            for child in files.names(path)? {
                collect(files, &path::join(path, &child), depth + 1, seen, all)?;
            }
        }
        Some(PathKind::File) if !left_out => all.push(path.to_owned()),
        Some(PathKind::File | PathKind::Other) | None => {}
    }
    Ok(())
}

/// Tells what Python's `str.isspace` says: Unicode's white space and the four separators of ASCII.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Splits at white space, as Python's `str.split` does.
pub(crate) fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Takes the white space from both ends.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The words of a line as Portage reads lists: up to the first that begins with `#`.
pub(crate) fn list_words(line: &str) -> Vec<&str> {
    words(line)
        .take_while(|word| !word.starts_with('#'))
        .collect()
}

/// The entries of a list file, one a line, white space made even and comments gone.
pub(crate) fn entries(
    files: &SettingsFiles,
    path: &str,
    recursive: bool,
) -> Result<Vec<String>, Refusal> {
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
                return Err(Refusal::file(&path, "has `##COMPAT` in a comment"));
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
    fn white_space_is_what_python_says() {
        let all: Vec<&str> = words("a\u{1c}b\u{85}c\u{a0}d\u{2003}e\u{200b}f").collect();
        assert_eq!(all, ["a", "b", "c", "d", "e\u{200b}f"]);
        assert_eq!(strip("\u{1f} a b\u{3000}\n"), "a b");
    }

    #[test]
    fn every_line_end_is_a_line_end() {
        assert_eq!(
            decode("f", b"a\r\nb\rc\xff\n").as_deref(),
            Ok("a\nb\nc\u{fffd}\n")
        );
        assert!(decode("f", b"a\0b").is_err());
    }
}
