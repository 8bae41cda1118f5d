//! The roots that contain the target's files (ROOT and the sysroot), and the programs in them.

use super::error::RunError;
use crate::{context::Context, qemu::content::Content};
use crossmerge_plan::env;
use crossmerge_system::{
    elf,
    file::{
        Tree,
        beneath::{End, Links},
        canonical, is_executable, real_path,
    },
};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The directories below a root that are searched for a program: Gentoo's PATH for root, without `/opt/bin`.
const DIRECTORIES: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// The target's roots: ROOT if it differs from the sysroot, then the sysroot.
pub(super) struct Roots(Vec<Root>);

/// A root of the target.
struct Root {
    /// Its path, as it is configured.
    path: PathBuf,
    /// Its path without symlinks.
    real: PathBuf,
}

/// The place of a script's interpreter.
pub(super) enum InterpreterLocation {
    /// In a root of the target, at this path.
    OfTarget(PathBuf),
    /// Only on the host.
    OfHost,
    /// A file at this path that is not executable.
    NotExecutable(PathBuf),
    /// None: it does not exist.
    Missing,
}

impl Roots {
    /// Finds the roots. ROOT is that of the environment, else that of the target's make.conf.
    pub(super) fn of(context: &Context) -> Result<Self, RunError> {
        let sysroot = context.usable_sysroot()?;
        let root = match context.named_root()? {
            Some(root) => Some(root),
            None => {
                let settings = context.read_target_settings(&[env::ROOT.name]);
                settings.and_then(|mut settings| Some(settings.remove(env::ROOT.name)?.into()))
            }
        };
        let is_other = |root: &PathBuf| {
            *root != sysroot
                && root.is_dir()
                && !context.config.is_own_root(root)
                && canonical(root) != canonical(&sysroot)
        };
        let root = root.filter(is_other);
        let roots = root.into_iter().chain([sysroot]);
        let roots = roots.map(|path| Root {
            real: canonical(&path),
            path,
        });
        Ok(Self(roots.collect()))
    }

    /// Returns ROOT if it differs from the sysroot, else the sysroot.
    pub(super) fn first(&self) -> &Path {
        &self.0.first().expect("there is always the sysroot").path
    }

    /// Returns the paths of the roots, in the order in which they are searched.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|root| root.path.as_path())
    }

    pub(super) fn sysroot(&self) -> &Path {
        &self.0.last().expect("there is always the sysroot").path
    }

    /// Finds the file that a user named: by its path, or by its name in the roots' directories, else in the current
    /// directory.
    pub(super) fn find(
        &self,
        name: &OsStr,
        tuple: &dyn Fn() -> String,
    ) -> Result<PathBuf, RunError> {
        let not_executable = |path: PathBuf| {
            let head = elf::head(&path).unwrap_or_default();
            match Content::of(&path, &head).filter(|content| *content != Content::Empty) {
                Some(content) => RunError::NotAProgram {
                    path,
                    content,
                    tuple: tuple(),
                },
                None => RunError::NotExecutable(path),
            }
        };
        let typed = PathBuf::from(name);
        if name.as_bytes().contains(&b'/') {
            return match self.open(&typed) {
                file if file.exists() && !file.is_file() => Err(RunError::NoElf {
                    path: typed,
                    content: file.is_dir().then_some(Content::Other("a directory")),
                    tuple: tuple(),
                }),
                file if !file.is_file() => Err(RunError::Missing {
                    meant: typed
                        .is_absolute()
                        .then(|| self.find_program(&typed))
                        .flatten(),
                    path: typed,
                }),
                file if !is_executable(&file) => Err(not_executable(file)),
                file => Ok(file),
            };
        }
        let mut paths = DIRECTORIES
            .iter()
            .map(|directory| Path::new(directory).join(name));
        if let Some(file) = paths.find_map(|path| self.find_program(&path)) {
            return Ok(file);
        }
        let beside = Path::new(".").join(name);
        match beside.is_file() {
            true if is_executable(&beside) => Ok(beside),
            true => Err(not_executable(beside)),
            false => Err(RunError::NotFound {
                name: name.display().to_string(),
                root: self.sysroot().into(),
            }),
        }
    }

    /// Finds a program by its path in the target's root.
    pub(super) fn find_program(&self, path: &Path) -> Option<PathBuf> {
        self.places(path)
            .find(|file| file.is_file() && is_executable(file))
    }

    /// Returns the paths on the host that a path of the target may have.
    fn places(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        self.0.iter().filter_map(move |root| {
            let plain = root.path.join(path.strip_prefix("/").ok()?);
            Some(openable(plain, in_root(&root.path, path)))
        })
    }

    /// Finds the interpreter that a script names. The kernel resolves a relative path in the current directory.
    pub(super) fn interpreter(&self, path: &Path) -> InterpreterLocation {
        let there = if path.is_relative() {
            Some(self.open(path)).filter(|file| file.exists())
        } else {
            self.places(path).find(|file| file.exists())
        };
        match there {
            Some(file) if file.is_file() && is_executable(&file) => {
                InterpreterLocation::OfTarget(file)
            }
            Some(file) => InterpreterLocation::NotExecutable(file),
            // The kernel opens an empty path as the current directory.
            None if path.as_os_str().is_empty() => InterpreterLocation::NotExecutable(".".into()),
            None if path.is_absolute() && path.exists() => InterpreterLocation::OfHost,
            None => InterpreterLocation::Missing,
        }
    }

    /// Returns the path that opens the right file: in a root, an absolute symlink leads to a file of the root.
    fn open(&self, path: &Path) -> PathBuf {
        let within = self.place_of(path);
        match within {
            Some((root, within)) => openable(path.into(), in_root(root, &within)),
            None => path.into(),
        }
    }

    /// Returns the root that contains the path, the innermost if there are several, and the remaining path.
    fn place_of(&self, path: &Path) -> Option<(&Path, PathBuf)> {
        let absolute = std::path::absolute(path).ok()?;
        let directory = canonical(absolute.parent()?);
        let name = absolute.file_name()?;
        let within = |root: &'_ Root| {
            let rest = directory.strip_prefix(&root.real).ok()?;
            Some(Path::new("/").join(rest).join(name))
        };
        let places = self
            .0
            .iter()
            .filter_map(|root| Some((root.path.as_path(), within(root)?)));
        places.min_by_key(|(_, within)| within.components().count())
    }

    /// Returns the directory in which QEMU looks for a program's libraries: the caller's QEMU_LD_PREFIX, else the
    /// root that contains the program, else the sysroot.
    pub(super) fn prefix_of(&self, context: &Context, file: &Path) -> PathBuf {
        if let Some(prefix) = context.env.get(env::QEMU_LD_PREFIX) {
            return prefix.into();
        }
        let place = self.place_of(file);
        place.map_or(self.sysroot(), |(root, _)| root).into()
    }
}

/// Returns the path as it is written if it leads to the file, else the file's own path.
fn openable(written: PathBuf, file: PathBuf) -> PathBuf {
    match real_path(&written) {
        Ok(leads) if leads == canonical(&file) => written,
        _ => file,
    }
}

/// Resolves the symlinks of a path as in a chroot. Returns the path as it is written if it leads in a circle.
pub(super) fn in_root(root: &Path, path: &Path) -> PathBuf {
    let written = path.strip_prefix("/").unwrap_or(path);
    let walk = Tree::open_to_read(root).and_then(|tree| tree.follow(written, Links::InRoot));
    match walk {
        Ok(walk) if !matches!(walk.end, End::Loop) => root.join(walk.place),
        _ => root.join(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_symlink_in_a_root_stays_inside() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        for path in ["usr/bin", "etc"] {
            std::fs::create_dir_all(root.join(path)).expect("a directory");
        }
        std::fs::write(root.join("usr/bin/mawk"), "").expect("a file");
        for (link, to) in [
            ("bin", "usr/bin"),
            ("usr/bin/awk", "/etc/awk"),
            ("etc/awk", "/usr/bin/mawk"),
            ("etc/up", "../../../../usr/bin"),
            ("etc/loop", "loop"),
        ] {
            symlink(to, root.join(link)).expect(link);
        }
        for (path, wanted) in [
            ("/bin/awk", "usr/bin/mawk"),
            ("/etc/up/awk", "usr/bin/mawk"),
            ("/usr/bin/mawk", "usr/bin/mawk"),
            ("/etc/../../bin/none", "usr/bin/none"),
            ("/etc/loop", "etc/loop"),
        ] {
            assert_eq!(in_root(root, Path::new(path)), root.join(wanted), "{path}");
        }
    }
}
