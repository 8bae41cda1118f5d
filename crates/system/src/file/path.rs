//! Paths and the identity of files.

use super::read::open_with;
use nix::{
    fcntl::OFlag,
    unistd::{AccessFlags, access},
};
use std::{
    io,
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Component, Path, PathBuf},
    sync::OnceLock,
};

/// The longest path that the kernel accepts, in bytes (limits.h).
const PATH_MAX: usize = 4096;

/// The identity of a file, whatever its name is: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(u64, u64);

impl Identity {
    /// Returns the identity of this program's own file.
    pub fn own() -> io::Result<Self> {
        // It stays the same for as long as this process runs, and each lookup in `/proc` takes as long as five
        // elsewhere.
        static OWN: OnceLock<Identity> = OnceLock::new();
        match OWN.get() {
            Some(own) => Ok(*own),
            None => {
                let own = Self::of(&std::fs::metadata("/proc/self/exe")?);
                Ok(*OWN.get_or_init(|| own))
            }
        }
    }

    /// Returns the numbers of the device and of the inode.
    pub fn numbers(self) -> (u64, u64) {
        (self.0, self.1)
    }

    /// Returns the identity of the file that the metadata belongs to.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }

    /// Returns the identity of the file that stat(2) described.
    pub fn of_stat(stat: &nix::sys::stat::FileStat) -> Self {
        Self(stat.st_dev, stat.st_ino)
    }
}

/// Returns the path of an existing file without symlinks and dots.
///
/// The kernel resolves the path once and names the result. realpath(3) of musl asks for every component, which takes
/// five times as many system calls.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    resolve(path, OFlag::O_PATH)
}

/// Returns the path of an existing directory without symlinks and dots. Anything else is an error.
pub fn real_directory(path: &Path) -> io::Result<PathBuf> {
    resolve(path, OFlag::O_PATH | OFlag::O_DIRECTORY)
}

fn resolve(path: &Path, flags: OFlag) -> io::Result<PathBuf> {
    let file = open_with(path, flags)?;
    match std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(real) if is_name(&real) => Ok(real),
        // `/proc` is not mounted, or the file was removed or is outside this root, so the kernel has no name for it.
        _ => path.canonicalize(),
    }
}

/// Returns whether the target of a symlink in `/proc/self/fd` is a path (proc_pid_fd(5), `d_path` of the kernel).
fn is_name(target: &Path) -> bool {
    target.is_absolute() && !target.as_os_str().as_bytes().ends_with(b" (deleted)")
}

/// Returns the path without symlinks and dots. Components that do not exist stay as they are written.
pub fn canonical(path: &Path) -> PathBuf {
    // The kernel accepts no longer path, and the recursion below would be too deep.
    if path.as_os_str().len() > PATH_MAX {
        return without_dots(path);
    }
    if let Ok(path) = real_path(path) {
        return path;
    }
    let mut parts = path.components();
    match parts.next_back() {
        Some(Component::Normal(name)) => canonical(parts.as_path()).join(name),
        Some(Component::ParentDir) => {
            let mut path = canonical(parts.as_path());
            path.pop();
            path
        }
        _ => path.into(),
    }
}

/// Removes `..` from a path lexically.
pub fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

/// Joins a relative path to a root that may be empty or end in a slash.
pub fn below(root: &Path, path: &str) -> PathBuf {
    let mut joined = root.as_os_str().to_owned();
    if !joined.as_encoded_bytes().ends_with(b"/") {
        joined.push("/");
    }
    joined.push(path);
    joined.into()
}

/// Returns whether this process may execute the file.
pub fn is_executable(path: &Path) -> bool {
    access(path, AccessFlags::X_OK).is_ok()
}

/// Returns the directory of this program's own file.
pub fn own_directory() -> Option<PathBuf> {
    static OWN: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let own = fs_err::read_link("/proc/self/exe").ok()?;
        own.parent().map(Path::to_owned)
    };
    OWN.get_or_init(find).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_name_of_a_file_is_its_real_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let real = directory.path().canonicalize().expect("a path");
        fs_err::create_dir(real.join("a")).expect("a directory");
        for name in ["a/file", "a/x (deleted)"] {
            fs_err::write(real.join(name), "").expect("a file");
        }
        for (link, to) in [("link", "a"), ("a/up", ".."), ("loop", "loop")] {
            std::os::unix::fs::symlink(to, real.join(link)).expect("a symlink");
        }
        for path in [
            "",
            "a",
            "link/up/a/file",
            "link/../link/x (deleted)",
            "loop",
            "nowhere",
            "a/file/x",
        ] {
            let path = real.join(path);
            let (found, wanted) = (real_path(&path), path.canonicalize());
            let errors = [&found, &wanted].map(|result| result.as_ref().err().map(io::Error::kind));
            assert_eq!(errors[0], errors[1], "{}", path.display());
            assert_eq!(found.ok(), wanted.ok());
        }
    }

    #[test]
    fn dots_in_a_path_that_does_not_exist_are_removed() {
        for (path, is) in [
            ("/nowhere/a/../b", "/nowhere/b"),
            ("/nowhere/../../etc", "/etc"),
            ("/nowhere/./x", "/nowhere/x"),
        ] {
            assert_eq!(canonical(Path::new(path)), Path::new(is), "{path}");
        }
        let long = "/a".repeat(1 << 20);
        assert_eq!(canonical(Path::new(&long)), Path::new(&long));
        let out = format!("{long}{}/b", "/..".repeat(1 << 20));
        assert_eq!(canonical(Path::new(&out)), Path::new("/b"));
    }
}
