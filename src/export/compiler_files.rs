//! The files that a compiler's driver starts or loads, found by the directory layouts of GCC and LLVM. No compiler is
//! started, since this runs before every build.

use crate::{config::ToolchainKind, context::Context};
use crossmerge_system::file::real_path;
use fs_err::DirEntry;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// GCC's directories, one for each installed version of the same machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gcc {
    /// The installation prefix: `/usr` of `/usr/lib/gcc-cross/<machine>/12`.
    prefix: PathBuf,
    /// The machine in the tools' names; empty for a driver without one.
    machine: String,
    /// The directories that contain `cc1`, the newest first.
    directories: Vec<PathBuf>,
}

/// The directories below the prefix, with `{}` for the machine: GCC's `libexecdir` and `libdir`, Debian's cross
/// compilers, Yocto's SDK. Sources: GCC's configure option `--libexecdir`, Debian's `gcc-12-cross`, Yocto's
/// `cross-canadian.bbclass`.
const PLACES: [&str; 6] = [
    "libexec/gcc/{}",
    "lib/gcc/{}",
    "lib/gcc-cross/{}",
    "lib64/gcc/{}",
    "libexec/{}/gcc/{}",
    "lib/{}/gcc/{}",
];

/// The libraries that clang's driver may be linked with, some with the version in the name. Sources: LLVM's
/// `clang/tools/clang-shlib` and `llvm/tools/llvm-shlib`.
const CLANG_LIBRARIES: [&str; 5] = [
    "libclang-cpp.so",
    "libclang-cpp.so.{}",
    "libclang-cpp.so.{}.1",
    "libLLVM-{}.so",
    "libLLVM.so.{}.1",
];

impl Gcc {
    /// Returns the target's GCC. `None` if the target has clang, or a GCC with an unknown directory layout.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        match context.compiler()? {
            (ToolchainKind::Gnu, driver) => Self::behind(&driver),
            (ToolchainKind::Llvm | ToolchainKind::Zig, _) => None,
        }
    }

    /// Returns the GCC of a driver. `None` if its layout is not known.
    pub(crate) fn behind(driver: &Path) -> Option<Self> {
        if !driver.exists() {
            return None;
        }
        Self::beside(driver).or_else(|| {
            // A distribution's driver is a symlink, which may lead to GCC's real prefix and to a name with the
            // version.
            let real = real_path(driver).ok()?;
            (real != driver).then(|| Self::beside(&real)).flatten()
        })
    }

    /// Finds the GCC whose directories are in the prefix of this driver.
    fn beside(driver: &Path) -> Option<Self> {
        let name = driver.file_name()?.to_str()?;
        let machine = &name[..name.rfind("gcc").or_else(|| name.rfind("g++"))?];
        let machine = machine.trim_end_matches('-');
        let prefixes = driver.parent()?.ancestors();
        prefixes
            // `bin` is in the prefix, and is not the prefix itself.
            .skip_while(|prefix| prefix.ends_with("bin"))
            // Above every driver is `/`, and /lib/gcc may belong to another compiler. A driver in /bin is found by its real
            // path.
            .take_while(|prefix| prefix.parent().is_some())
            .find_map(|prefix| {
                let mut places = PLACES.iter();
                places.find_map(|place| Self::at(prefix, place, machine))
            })
    }

    fn at(prefix: &Path, place: &str, machine: &str) -> Option<Self> {
        let machines = match machine {
            // If the driver's name has no machine, any may be right.
            "" => subdirectories(
                &prefix.join(place.strip_suffix("/{}").filter(|at| !at.contains('{'))?),
            ),
            _ => vec![prefix.join(place.replace("{}", machine))],
        };
        let mut directories: Vec<PathBuf> =
            machines.iter().flat_map(|at| subdirectories(at)).collect();
        directories.retain(|directory| directory.join("cc1").exists());
        directories.sort_by_key(|directory| std::cmp::Reverse(version(directory)));
        (!directories.is_empty()).then(|| Self {
            prefix: prefix.into(),
            machine: machine.into(),
            directories,
        })
    }

    /// Returns whether a program such as `cc1obj` is installed.
    pub(crate) fn has(&self, part: &str) -> bool {
        let mut directories = self.directories.iter();
        directories.any(|directory| directory.join(part).exists())
    }

    /// Returns the compilers proper of every version: `cc1`, `cc1plus` and the like.
    pub(crate) fn compilers(&self) -> impl Iterator<Item = PathBuf> {
        const PARTS: [&str; 7] = [
            "cc1",
            "cc1plus",
            "cc1obj",
            "cc1objplus",
            "f951",
            "d21",
            "lto1",
        ];
        let directories = self.directories.iter();
        directories.flat_map(|directory| PARTS.map(|part| directory.join(part)))
    }

    /// Returns the directories of the newest version's C++ headers, in GCC's search order. Sources: GCC's configure
    /// option `--with-gxx-include-dir` and its defaults; Gentoo's `toolchain.eclass`.
    pub(crate) fn cxx_includes(&self) -> Vec<PathBuf> {
        let Some(directory) = self.directories.first() else {
            return Vec::new();
        };
        let machine = &self.machine;
        let full = directory.file_name().unwrap_or_default();
        let full = full.to_str().unwrap_or_default();
        let major = full.split(['.', '-']).next().unwrap_or_default();
        // With `libexec`, everything that is not a program is in `lib`.
        let lib = self.prefix.join("lib/gcc").join(machine).join(full);
        let mut places: Vec<PathBuf> = [full, major]
            .iter()
            .map(|version| self.prefix.join(machine).join("include/c++").join(version))
            .collect();
        for directory in [directory, &lib] {
            places.push(directory.join(format!("include/g++-v{major}")));
            places.push(directory.join("include/c++"));
        }
        let Some(base) = places.into_iter().find(|place| place.is_dir()) else {
            return Vec::new();
        };
        let below = [machine.as_str(), "backward"].map(|name| base.join(name));
        let below = below.into_iter().filter(|place| place.is_dir());
        std::iter::once(base.clone()).chain(below).collect()
    }
}

/// Returns the path that the C compiler has if the driver is the C++ compiler of the same GCC.
pub(crate) fn c_compiler_beside(driver: &Path) -> PathBuf {
    let name = driver.file_name().unwrap_or_default().to_string_lossy();
    driver.with_file_name(name.replace("g++", "gcc"))
}

/// Returns the files of clang: its driver, which is given without symlinks, and the libraries that it may be linked with.
pub(crate) fn of_clang(driver: &Path) -> Vec<PathBuf> {
    let name = driver.file_name().and_then(OsStr::to_str);
    let version = name.and_then(|name| Some(name.rsplit_once('-')?.1));
    let prefix = driver.parent().and_then(Path::parent).map(Path::to_owned);
    let places = prefix
        .into_iter()
        .flat_map(|prefix| ["lib", "lib64"].map(|lib| prefix.join(lib)));
    let named = |library: &str| match version {
        Some(version) => Some(library.replace("{}", version)),
        None => (!library.contains("{}")).then(|| library.to_owned()),
    };
    let libraries =
        places.flat_map(|place| CLANG_LIBRARIES.map(|library| Some(place.join(named(library)?))));
    libraries.flatten().chain([driver.to_owned()]).collect()
}

/// Returns the subdirectories of a directory; empty if it does not exist.
fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(directory).into_iter().flatten().flatten();
    let is_directory = |entry: &DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        kind => kind.is_ok_and(|kind| kind.is_dir()),
    };
    entries
        .filter(is_directory)
        .map(|entry| entry.path())
        .collect()
}

/// Returns the numbers in a version directory's name, for comparison.
fn version(directory: &Path) -> Vec<u32> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let numbers = name.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes empty files below a directory.
    fn tree(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for file in files {
            let path = directory.path().join(file);
            fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs_err::write(path, "").expect("a file");
        }
        directory
    }

    #[test]
    fn gcc_is_found_in_every_layout() {
        for (driver, cc1, cxx) in [
            // Debian
            (
                "usr/bin/arm-linux-gnueabihf-gcc",
                "usr/lib/gcc-cross/arm-linux-gnueabihf/12/cc1",
                "usr/arm-linux-gnueabihf/include/c++/12",
            ),
            // MinGW of Debian
            (
                "usr/bin/x86_64-w64-mingw32-gcc",
                "usr/lib/gcc/x86_64-w64-mingw32/12-posix/cc1",
                "usr/lib/gcc/x86_64-w64-mingw32/12-posix/include/c++",
            ),
            // crossdev
            (
                "usr/x86_64-pc-linux-gnu/riscv64-unknown-linux-gnu/gcc-bin/13/riscv64-unknown-linux-gnu-gcc",
                "usr/libexec/gcc/riscv64-unknown-linux-gnu/13/cc1",
                "usr/lib/gcc/riscv64-unknown-linux-gnu/13/include/g++-v13",
            ),
            // A toolchain in its own directory
            (
                "opt/tc/bin/aarch64-none-linux-gnu-gcc",
                "opt/tc/libexec/gcc/aarch64-none-linux-gnu/13.2.1/cc1",
                "opt/tc/aarch64-none-linux-gnu/include/c++/13.2.1",
            ),
            // Yocto's SDK
            (
                "sdk/usr/bin/arm-poky-linux-gnueabi/arm-poky-linux-gnueabi-gcc",
                "sdk/usr/libexec/arm-poky-linux-gnueabi/gcc/arm-poky-linux-gnueabi/12.3.0/cc1",
                "",
            ),
        ] {
            let header = format!("{cxx}/vector");
            let root = tree(&[driver, cc1, &header]);
            let gcc = Gcc::behind(&root.path().join(driver)).expect(driver);
            assert!(gcc.has("cc1") && !gcc.has("cc1obj"), "{gcc:?}");
            let includes = match cxx {
                "" => Vec::new(),
                cxx => vec![root.path().join(cxx)],
            };
            let real = root.path().canonicalize().expect("a path");
            let found = gcc.cxx_includes();
            let found: Vec<&Path> = found
                .iter()
                .map(|p| p.strip_prefix(&real).unwrap_or(p))
                .collect();
            let includes: Vec<&Path> = includes
                .iter()
                .map(|p| p.strip_prefix(root.path()).unwrap_or(p))
                .collect();
            assert_eq!(found, includes, "{driver}");
        }
        let bare = tree(&["usr/bin/mine-gcc"]);
        assert_eq!(Gcc::behind(&bare.path().join("usr/bin/mine-gcc")), None);
    }

    #[test]
    fn the_newest_version_is_first() {
        let root = tree(&[
            "bin/m-gcc",
            "lib/gcc/m/9/cc1",
            "lib/gcc/m/13.2/cc1",
            "lib/gcc/m/13/cc1",
        ]);
        let gcc = Gcc::behind(&root.path().join("bin/m-gcc")).expect("a GCC");
        let names: Vec<_> = gcc
            .directories
            .iter()
            .filter_map(|f| f.file_name())
            .collect();
        assert_eq!(names, ["13.2", "13", "9"]);
    }
}
