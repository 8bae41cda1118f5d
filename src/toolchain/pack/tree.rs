//! The tree of an archive: the files of the toolchain's packages, changed where they are only valid at their old path.
//!
//! - The commands in `bin`, and the assembler and the linker in `<tuple>/bin`, where GCC searches them, are symlinks that
//!   binutils-config and gcc-config make. No package has them.
//! - An absolute symlink becomes a relative one.
//! - The absolute paths of the assembler and the linker in GCC are emptied.
//! - A library of the build machine that a program needs, other than the libc, is packed in `lib/crossmerge`, and a script in
//!   place of the program starts it with this library.

use super::{
    error::PackError,
    manifest::{CHECKSUMS, HostNeeds, Manifest, NAME},
    needs::{HostProgram, libraries},
    relocate::{Relocation, is_text},
};
use crate::toolchain::record::hash;
use crossmerge_system::file::{Directory, FILE_MODE, PROGRAM_MODE, read};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

/// The directory of the libraries of the build machine.
const LIBRARIES: &str = "lib/crossmerge";

/// Directories of the sysroot that GCC needs even if they are empty: it searches `usr/lib/../lib64`.
const SEARCHED: [&str; 2] = ["lib", "usr/lib"];

/// The largest text in which paths are replaced, in bytes.
const LARGEST_TEXT: u64 = 4 << 20;

/// The toolchain that is packed.
pub(super) struct Toolchain<'a> {
    pub(super) tuple: &'a str,
    pub(super) chost: &'a str,
    /// The directory that contains its files: `usr` in Portage's prefix.
    pub(super) usr: &'a Path,
    /// The files and symlinks of its packages, each with the package.
    pub(super) files: BTreeMap<PathBuf, String>,
}

impl Toolchain<'_> {
    /// Returns whether a path belongs to the build machine's programs. The libraries of the target are below the tuple and
    /// in GCC's directory, which also has plugins of the build machine.
    fn is_for_host(&self, place: &Path) -> bool {
        let mut parts = place.components().map(|part| part.as_os_str());
        let names: Vec<_> = parts.by_ref().take(3).collect();
        let is_gccs = |names: &[&std::ffi::OsStr]| {
            names.len() == 3
                && (names[0] == "lib" || names[0] == "lib64")
                && names[1] == "gcc"
                && names[2] == self.tuple
        };
        match names.first() {
            Some(first) if *first == self.tuple => false,
            _ if is_gccs(&names) => parts.any(|part| part == "plugin"),
            _ => true,
        }
    }
}

/// Makes the tree, and adds what is known of it to the manifest.
pub(super) fn make(
    toolchain: &Toolchain<'_>,
    top: &Path,
    manifest: &mut Manifest,
) -> Result<(), PackError> {
    let mut tree = Tree {
        toolchain,
        top,
        usr: toolchain.usr.to_str().unwrap_or_default(),
        same: BTreeMap::new(),
        texts: Vec::new(),
        libraries: BTreeMap::new(),
        needs: HostNeeds::default(),
    };
    for (path, package) in &toolchain.files {
        tree.add(path, package)?;
    }
    tree.commands()?;
    let libraries = std::mem::take(&mut tree.libraries);
    for (name, path) in &libraries {
        tree.add_library(name, path)?;
    }
    for directory in SEARCHED {
        let place = Path::new(toolchain.tuple).join(directory);
        if toolchain.usr.join(&place).is_dir() {
            let path = top.join(place);
            fs::create_dir_all(&path).map_err(PackError::write(&path))?;
        }
    }
    manifest.libraries = libraries.into_keys().collect();
    manifest.texts = tree.texts;
    manifest.host = HostNeeds {
        chost: toolchain.chost.into(),
        ..tree.needs
    };
    finish(top, manifest)
}

struct Tree<'a> {
    toolchain: &'a Toolchain<'a>,
    top: &'a Path,
    /// The toolchain's directory as text.
    usr: &'a str,
    /// The first path in the tree of each file with several names.
    same: BTreeMap<(u64, u64), PathBuf>,
    texts: Vec<PathBuf>,
    libraries: BTreeMap<String, PathBuf>,
    needs: HostNeeds,
}

impl Tree<'_> {
    /// Adds a file or a symlink of a package.
    fn add(&mut self, path: &Path, package: &str) -> Result<(), PackError> {
        // Settings of env.d, and Portage's own files.
        let Ok(place) = path.strip_prefix(self.toolchain.usr) else {
            return Ok(());
        };
        let there = fs::symlink_metadata(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => PackError::Missing {
                path: path.into(),
                package: package.into(),
            },
            _ => PackError::read(path)(e),
        })?;
        if there.is_symlink() {
            let target = fs::read_link(path).map_err(PackError::read(path))?;
            return self.link(place, &self.target(path, place, target)?);
        }
        let identity = (there.dev(), there.ino());
        if let Some(first) = self.same.get(&identity).filter(|_| there.nlink() > 1) {
            return self.hard_link(place, &first.clone());
        }
        self.same.insert(identity, place.into());
        let mut content = read::read(path, read::SUMMED).map_err(PackError::read(path))?;
        let mode = match there.mode() & 0o111 {
            0 => FILE_MODE,
            _ => PROGRAM_MODE,
        };
        let relocation = Relocation {
            from: self.usr,
            to: "",
            tuple: self.toolchain.tuple,
        };
        if there.len() <= LARGEST_TEXT && is_text(&content) && relocation.text(&content).is_some() {
            self.texts.push(place.into());
        }
        let program = match self.toolchain.is_for_host(place) {
            true => HostProgram::of(path, &content)?,
            false => None,
        };
        let Some(program) = program else {
            return self.write(place, &content, mode);
        };
        program.add_to(&mut self.needs);
        relocation.empty_tools(&mut content);
        let interpreter = program.interpreter.as_deref();
        match interpreter.filter(|_| program.needs_libraries()) {
            None => self.write(place, &content, mode),
            Some(interpreter) => {
                self.libraries.extend(libraries(path, interpreter)?);
                self.write(&real_name(place), &content, mode)?;
                self.write(place, starter(place).as_bytes(), PROGRAM_MODE)
            }
        }
    }

    /// Returns the target of a symlink in the tree.
    fn target(&self, path: &Path, place: &Path, target: PathBuf) -> Result<PathBuf, PackError> {
        let is_in_sysroot = place.starts_with(self.toolchain.tuple);
        let outside = |target: PathBuf| PackError::Outside {
            path: path.into(),
            target,
        };
        if target.is_relative() {
            let depth = place.components().count() - 1;
            return match stays_inside(&target, depth) {
                true => Ok(target),
                false => Err(outside(target)),
            };
        }
        let sysroot = self.toolchain.usr.join(self.toolchain.tuple);
        match target.strip_prefix(self.toolchain.usr) {
            // In a sysroot, `/usr/lib/libc.so` is a path of the target.
            _ if is_in_sysroot && !target.starts_with(&sysroot) => Ok(target),
            Ok(inside) => Ok(relative(place, inside)),
            Err(_) => Err(outside(target)),
        }
    }

    /// Adds the symlinks that binutils-config and gcc-config make.
    fn commands(&mut self) -> Result<(), PackError> {
        let tuple = self.toolchain.tuple;
        let programs = self.toolchain.usr.join(self.toolchain.chost).join(tuple);
        let mut links = BTreeMap::new();
        for path in self.toolchain.files.keys() {
            let Ok(program) = path.strip_prefix(&programs) else {
                continue;
            };
            let parts: Vec<_> = program.components().map(|part| part.as_os_str()).collect();
            let [kind, _, name] = parts[..] else {
                continue;
            };
            let place = Path::new(self.toolchain.chost).join(tuple).join(program);
            let name = name.to_string_lossy();
            let plain = name.strip_prefix(&format!("{tuple}-")).unwrap_or(&name);
            links.insert(PathBuf::from(format!("bin/{tuple}-{plain}")), place.clone());
            if kind == "binutils-bin" {
                links.insert(PathBuf::from(format!("{tuple}/bin/{plain}")), place);
            }
        }
        for (link, place) in links {
            if !self.top.join(&link).exists() {
                self.link(&link, &relative(&link, &place))?;
            }
        }
        Ok(())
    }

    fn add_library(&mut self, name: &str, path: &Path) -> Result<(), PackError> {
        let content = read::read(path, read::SUMMED).map_err(PackError::read(path))?;
        if let Some(library) = HostProgram::of(path, &content)? {
            library.add_to(&mut self.needs);
        }
        self.write(&Path::new(LIBRARIES).join(name), &content, FILE_MODE)
    }

    fn write(&self, place: &Path, content: &[u8], mode: u32) -> Result<(), PackError> {
        let path = self.top.join(place);
        let (directory, name) = Directory::of(&path, &mut Vec::new())?;
        directory.write(name, content, mode)?;
        Ok(())
    }

    fn link(&self, place: &Path, target: &Path) -> Result<(), PackError> {
        let path = self.top.join(place);
        let (directory, name) = Directory::of(&path, &mut Vec::new())?;
        Ok(directory.link(name, target)?)
    }

    fn hard_link(&self, place: &Path, first: &Path) -> Result<(), PackError> {
        // A program with a script in its place has the script under every name.
        let (path, first) = (self.top.join(place), self.top.join(first));
        let (directory, name) = Directory::of(&path, &mut Vec::new())?;
        let (from, old) = Directory::of(&first, &mut Vec::new())?;
        directory.hard_link(name, &from, old)?;
        let real = real_name(&first);
        if real.exists() {
            let real_place = real_name(&path);
            let (directory, name) = Directory::of(&real_place, &mut Vec::new())?;
            let (from, old) = Directory::of(&real, &mut Vec::new())?;
            directory.hard_link(name, &from, old)?;
        }
        Ok(())
    }
}

/// Returns the path of a program in whose place a script is.
fn real_name(place: &Path) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".real");
    place.with_file_name(name)
}

/// Returns the script that starts a program with the packed libraries. Its own path may be a symlink's.
fn starter(place: &Path) -> String {
    let libraries = relative(place, Path::new(LIBRARIES));
    let libraries = libraries.display();
    let name = real_name(place);
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "#!/bin/sh\n\
         # Written by `crossmerge toolchain pack`: the program needs libraries that not every machine has.\n\
         own=$0\n\
         [ ! -L \"$own\" ] || own=$(readlink -f \"$own\")\n\
         own=${{own%/*}}\n\
         LD_LIBRARY_PATH=$own/{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec \"$own/{name}\" \"$@\"\n"
    )
}

/// Returns whether a relative path of a symlink stays in the tree. `depth` is the number of directories above the symlink.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let mut depth = depth;
    for part in target.components() {
        match part {
            Component::ParentDir if depth == 0 => return false,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    true
}

/// Returns the relative path from a file of the tree to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let directory: Vec<_> = from
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .collect();
    let same = directory.iter().zip(to.components());
    let same = same.take_while(|(from, to)| *from == to).count();
    let up = std::iter::repeat_n(Component::ParentDir, directory.len() - same);
    up.chain(to.components().skip(same)).collect()
}

/// Returns what the programs of a toolchain need, where they are installed.
pub(super) fn needs(toolchain: &Toolchain<'_>) -> Result<HostNeeds, PackError> {
    let mut needs = HostNeeds::default();
    for path in toolchain.files.keys() {
        let place = path.strip_prefix(toolchain.usr).unwrap_or(path);
        if !toolchain.is_for_host(place) || !path.is_file() || path.is_symlink() {
            continue;
        }
        let content = read::read(path, read::SUMMED).map_err(PackError::read(path))?;
        if let Some(program) = HostProgram::of(path, &content)? {
            program.add_to(&mut needs);
        }
    }
    needs.chost = toolchain.chost.into();
    Ok(needs)
}

/// Writes the manifest and the checksums.
fn finish(top: &Path, manifest: &mut Manifest) -> Result<(), PackError> {
    let files = list(top)?;
    let mut seen = BTreeSet::new();
    manifest.bytes = 0;
    for path in files.values() {
        let there = fs::symlink_metadata(path).map_err(PackError::read(path))?;
        if seen.insert((there.dev(), there.ino())) {
            manifest.bytes += there.len();
        }
    }
    manifest.files = files.len() as u64;
    let path = top.join(NAME);
    fs_err::write(&path, manifest.to_text()).map_err(PackError::write(&path))?;
    let text = checksums(top)?;
    let path = top.join(CHECKSUMS);
    fs_err::write(&path, text).map_err(PackError::write(&path))
}

/// Returns the checksums of all files, in the format of sha256sum(1).
pub(super) fn checksums(top: &Path) -> Result<String, PackError> {
    let mut text = String::new();
    for (place, path) in list(top)? {
        if place == Path::new(CHECKSUMS) || path.is_symlink() {
            continue;
        }
        let content = read::read(&path, read::SUMMED).map_err(PackError::read(&path))?;
        let _ = writeln!(text, "{}  {}", hash(&content), place.display());
    }
    Ok(text)
}

/// Lists the files and symlinks of a tree: their paths in it, and their whole paths.
pub(super) fn list(top: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, PackError> {
    Ok(walk(top)?.0)
}

/// Lists what [`list`] does, and the empty directories.
pub(super) fn walk(
    top: &Path,
) -> Result<(BTreeMap<PathBuf, PathBuf>, BTreeSet<PathBuf>), PackError> {
    let mut found = BTreeMap::new();
    let mut empty = BTreeSet::new();
    let mut left = vec![PathBuf::new()];
    while let Some(directory) = left.pop() {
        let path = top.join(&directory);
        let mut entries = fs::read_dir(&path)
            .map_err(PackError::read(&path))?
            .peekable();
        if entries.peek().is_none() {
            empty.insert(directory.clone());
        }
        for entry in entries {
            let entry = entry.map_err(PackError::read(&path))?;
            let place = directory.join(entry.file_name());
            match entry.file_type().map_err(PackError::read(&path))?.is_dir() {
                true => left.push(place),
                false => {
                    found.insert(place, entry.path());
                }
            }
        }
    }
    Ok((found, empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symlink_leads_from_one_path_to_another() {
        for (from, to, link) in [
            (
                "bin/t-gcc",
                "x86/t/gcc-bin/12/t-gcc",
                "../x86/t/gcc-bin/12/t-gcc",
            ),
            (
                "t/bin/as",
                "x86/t/binutils-bin/2/as",
                "../../x86/t/binutils-bin/2/as",
            ),
            ("t/lib/a", "t/usr/lib/b", "../usr/lib/b"),
            ("a", "b", "b"),
            (
                "libexec/gcc/t/12/cc1",
                "lib/crossmerge",
                "../../../../lib/crossmerge",
            ),
        ] {
            assert_eq!(
                relative(Path::new(from), Path::new(to)),
                Path::new(link),
                "{from}"
            );
            assert!(stays_inside(
                Path::new(link),
                Path::new(from).components().count() - 1
            ));
        }
        assert!(!stays_inside(Path::new("../../x"), 1));
        assert!(!stays_inside(Path::new("a/../../../x"), 1));
    }
}
