//! Where pkg-config searches, which directories it omits from its output, and what it puts before paths. Decided once:
//! for the environment of the real tool, and for the check of its output.

use super::{bounds::AllowedDirectories, view::PkgConfigSysroot};
use crate::{
    context::{Context, ContextError},
    libraries,
};
use crossmerge_plan::env;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The directories of pkg-config.
#[derive(Debug, Clone)]
pub(crate) struct PkgConfigSearch {
    /// The sysroot, and the prefix in it.
    pub(crate) sysroot: PkgConfigSysroot,
    /// PKG_CONFIG_LIBDIR: the directories of `.pc` files.
    pub(crate) libdir: OsString,
    /// PKG_CONFIG_SYSTEM_LIBRARY_PATH: the directories that the compiler searches by default.
    pub(crate) system_libraries: OsString,
    /// PKG_CONFIG_SYSTEM_INCLUDE_PATH.
    pub(crate) system_includes: OsString,
    /// The caller's PKG_CONFIG_PATH. `None` if it is not set.
    pub(crate) path: Option<CallersPath>,
}

/// The caller's PKG_CONFIG_PATH.
#[derive(Debug, Clone)]
pub(crate) struct CallersPath {
    /// All of its directories.
    pub(crate) all: Vec<PathBuf>,
    /// Those in the package's build directory, the sysroot or an allowed prefix: the others are the host's.
    pub(crate) kept: Vec<PathBuf>,
}

impl PkgConfigSearch {
    /// Decides. A sysroot that does not exist is an error.
    pub(crate) fn decide(context: &Context) -> Result<Self, ContextError> {
        let sysroot = PkgConfigSysroot::decide(context)?;
        let libdirs = libraries::libdirs(context, Path::new(&sysroot.root));
        let list = |paths: &mut dyn Iterator<Item = String>| {
            let mut list = OsString::new();
            for path in paths {
                list.push(if list.is_empty() { "" } else { ":" });
                list.push(&sysroot.root);
                list.push(path);
            }
            list
        };
        let share = "/usr/share/pkgconfig".to_owned();
        let pkgconfig = libdirs
            .iter()
            .map(|libdir| format!("/usr/{libdir}/pkgconfig"));
        let mut libdir = list(&mut pkgconfig.chain([share]));
        if let (Some(_), Some(own)) = (
            context.env.get(env::STAGEDIR),
            context.env.get(env::UCLINUX_PKG_CONFIG_LIBDIR),
        ) {
            libdir = [own, &libdir].join(OsStr::new(":"));
        }
        // A `-L` of a directory that the compiler does not search by default must stay in the output.
        let searched = libdirs
            .iter()
            .filter(|libdir| libraries::searches(context, libdir));
        let searched: Vec<&String> = searched.collect();
        let below_usr = searched.iter().map(|libdir| format!("/usr/{libdir}"));
        let below_root = searched.iter().map(|libdir| format!("/{libdir}"));
        let path = context.env.get(env::PKG_CONFIG_PATH);
        Ok(Self {
            system_libraries: list(&mut below_usr.chain(below_root)),
            system_includes: list(&mut ["/usr/include".to_owned()].into_iter()),
            path: path.map(|path| CallersPath::of(context, path, &sysroot.sysroot)),
            libdir,
            sysroot,
        })
    }

    /// Returns the directories in which the real tool finds `.pc` files, in its order.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let kept = self.path.iter().flat_map(|path| path.kept.iter().cloned());
        kept.chain(std::env::split_paths(&self.libdir)).collect()
    }
}

impl CallersPath {
    fn of(context: &Context, path: &OsStr, sysroot: &Path) -> Self {
        let bounds = AllowedDirectories::of(context, sysroot);
        let inside = |directory: &&PathBuf| directory.is_absolute() && bounds.hold(directory);
        let all: Vec<PathBuf> = std::env::split_paths(path).collect();
        Self {
            kept: all.iter().filter(inside).cloned().collect(),
            all,
        }
    }
}
