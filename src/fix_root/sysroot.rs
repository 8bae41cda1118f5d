//! The sysroot that is looked at: how it is written, where it really is, and what is in it.

use crate::{context::canonical, file::read};
use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// A sysroot: its path as a person wrote it, and with every link followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sysroot {
    path: PathBuf,
    real: PathBuf,
}

impl Sysroot {
    /// Looks where it is. It has to be there.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let real = fs_err::canonicalize(path)?;
        let absolute = std::path::absolute(path)?;
        // `absolute` keeps `..`, which means something else behind a link.
        let is_plain = !absolute
            .components()
            .any(|part| part == Component::ParentDir);
        let path = match is_plain {
            true => absolute.components().collect(),
            false => real.clone(),
        };
        Ok(Self { path, real })
    }

    /// One that need not be there.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn imagined(path: &str) -> Self {
        Self {
            path: path.into(),
            real: path.into(),
        }
    }

    /// The absolute path as it was written, without a slash at its end. What is written into files begins with it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path without links.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// The place that a path of the target's has here.
    pub(super) fn join(&self, path: &Path) -> PathBuf {
        let relative = path.components().filter(|part| *part != Component::RootDir);
        self.path.join(relative.collect::<PathBuf>())
    }

    /// A real path in the sysroot, as a person would write it.
    pub(super) fn as_written(&self, real: &Path) -> PathBuf {
        match real.strip_prefix(&self.real) {
            Ok(within) => self.path.join(within),
            Err(_) => real.into(),
        }
    }

    /// Tells whether a path of this machine's lies in the sysroot, whatever links lead to it.
    pub(super) fn holds(&self, path: &Path) -> bool {
        canonical(path).starts_with(&self.real)
    }

    /// Tells whether the path is the cross compiler's own folder, which is on this machine and not in the sysroot.
    pub(super) fn is_compilers_own(&self, path: &Path) -> bool {
        let is_gcc = |part: Component| {
            ["gcc", "gcc-cross"]
                .map(OsStr::new)
                .contains(&part.as_os_str())
        };
        path.components().any(is_gcc) && path.exists() && !self.join(path).exists()
    }

    /// Tells whether the path is of a `*-config` script that the sysroot has.
    pub(super) fn has_config_script(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        is_config_name(name)
            && self
                .script(&self.join(path))
                .is_ok_and(|script| script.is_some())
    }

    /// The text of a script, where one is that lies in the sysroot: its real path and what is in it.
    pub(super) fn script(&self, path: &Path) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        let real = fs_err::canonicalize(path)?;
        if !real.starts_with(&self.real) || !real.is_file() {
            return Ok(None);
        }
        // What has the name and is a program may be of any size.
        if read::head(&real, 2)? != *b"#!" {
            return Ok(None);
        }
        let text = read::read(&real, read::SCRIPT)?;
        Ok(Some((real, text)))
    }
}

/// Tells whether a file of that name answers for a library. pkg-config answers for all of them, and is a program.
pub(super) fn is_config_name(name: &OsStr) -> bool {
    name.as_bytes().ends_with(b"-config") && name != "pkg-config"
}
