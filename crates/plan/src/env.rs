//! The environment: one constant for each variable we know, and the only place that reads any.
//!
//! The shells that came before tell *unset* from *empty*, and so must we: each constant says what an empty value
//! means. Next comes `context.rs`, which holds the snapshot.

use crate::plan::{Change, Changes};
use std::ffi::{OsStr, OsString};

/// What an empty value of a variable means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// A value like any other: `EPREFIX=` says that the target has no prefix.
    IsValue,
    /// The same as unset: `CROSS_CMD=` still runs emerge.
    IsUnset,
}

/// A environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What an empty value means.
    pub empty: Empty,
}

const fn value(name: &'static str) -> Variable {
    Variable {
        name,
        empty: Empty::IsValue,
    }
}

const fn word(name: &'static str) -> Variable {
    Variable {
        name,
        empty: Empty::IsUnset,
    }
}

/// The machine we build on.
pub const CBUILD: Variable = value("CBUILD");
/// The machine the package runs on. Set, it wins over the tuple in our own name, as with crossdev's wrappers.
pub const CHOST: Variable = word("CHOST");
/// The headers and libraries to build against. Set, it selects another sysroot for one call. Empty is what Portage exports in a
/// native build and what scripts leave behind, so it counts as unset.
pub const SYSROOT: Variable = word("SYSROOT");
/// Where packages are merged. Empty, it would mean `/` to Portage, so it counts as unset.
pub const ROOT: Variable = word("ROOT");
/// The prefix inside the target; empty for a target without one.
pub const EPREFIX: Variable = value("EPREFIX");
/// The root whose `etc/portage` configures the target. Empty, it would mean `/` to Portage, so it counts as unset.
pub const PORTAGE_CONFIGROOT: Variable = word("PORTAGE_CONFIGROOT");
/// Portage's own way to say at run time which prefix it is installed under; ours as well.
pub const PORTAGE_OVERRIDE_EPREFIX: Variable = value("PORTAGE_OVERRIDE_EPREFIX");
/// The command an applet runs instead of its own, split at white space with shell quotes.
pub const CROSS_CMD: Variable = word("CROSS_CMD");
/// Options that emerge reads before those of the command line.
pub const EMERGE_DEFAULT_OPTS: Variable = word("EMERGE_DEFAULT_OPTS");
/// `yes` when crossdev sets up a target for clang; to the kernel's make, anything says that clang compiles.
pub const LLVM: Variable = word("LLVM");
/// The C compiler, as make and configure scripts ask for it.
pub const CC: Variable = word("CC");
/// Where programs are looked for.
pub const PATH: Variable = word("PATH");
/// The user's own directory, in which Python has packages of the user's.
pub const HOME: Variable = word("HOME");
/// Python: directories of modules that are found first.
pub const PYTHONPATH: Variable = word("PYTHONPATH");
/// Python: where it is installed.
pub const PYTHONHOME: Variable = word("PYTHONHOME");
/// Python: where the user's own packages are, instead of `~/.local`.
pub const PYTHONUSERBASE: Variable = word("PYTHONUSERBASE");
/// Portage's sysroot with the prefix (EAPI 7 and later).
pub const ESYSROOT: Variable = value("ESYSROOT");
/// Portage's build directory of the package.
pub const WORKDIR: Variable = word("WORKDIR");
/// The ABI whose library directory is wanted.
pub const ABI: Variable = word("ABI");
/// The ABI when `ABI` does not say.
pub const DEFAULT_ABI: Variable = word("DEFAULT_ABI");
/// uClinux-dist's name for the sysroot.
pub const STAGEDIR: Variable = word("STAGEDIR");
/// uClinux-dist's own directory, whose `tools` directory has the commands of a build.
pub const ROOTDIR: Variable = word("ROOTDIR");
/// What stands before the names of the cross tools: the kernel's word for it, and uClinux-dist's.
pub const CROSS_COMPILE: Variable = word("CROSS_COMPILE");
/// The options of a configure script, as Yocto's environment has them.
pub const CONFIGURE_FLAGS: Variable = value("CONFIGURE_FLAGS");
/// The sysroot, as Yocto's environment names it.
pub const SDKTARGETSYSROOT: Variable = value("SDKTARGETSYSROOT");
/// CMake's toolchain file, for a cmake that is given none on its command line (3.21 and later).
pub const CMAKE_TOOLCHAIN_FILE: Variable = word("CMAKE_TOOLCHAIN_FILE");
/// ccache: how it tells one compiler from another.
pub const CCACHE_COMPILERCHECK: Variable = word("CCACHE_COMPILERCHECK");
/// The kernel's ARCH. Empty, the kernel would have none, so it counts as unset.
pub const ARCH: Variable = word("ARCH");
/// The root below which the kernel installs its modules; empty for the host's.
pub const INSTALL_MOD_PATH: Variable = value("INSTALL_MOD_PATH");
/// The directory in which the kernel installs its image.
pub const INSTALL_PATH: Variable = word("INSTALL_PATH");
/// Where the kernel is built, when its make is not told on the command line.
pub const KBUILD_OUTPUT: Variable = word("KBUILD_OUTPUT");
/// The name of the kernel's `.config`.
pub const KCONFIG_CONFIG: Variable = word("KCONFIG_CONFIG");
/// The sources of a module of the kernel's, when its make is not told on the command line.
pub const KBUILD_EXTMOD: Variable = word("KBUILD_EXTMOD");
/// What a surrounding make hands down, or a user says to every make.
pub const MAKEFLAGS: Variable = word("MAKEFLAGS");
/// What a user says to every GNU make.
pub const GNUMAKEFLAGS: Variable = word("GNUMAKEFLAGS");
/// The options that Portage gives to make.
pub const MAKEOPTS: Variable = word("MAKEOPTS");
/// The pkg-config to run, when a user names one.
pub const REAL_PKG_CONFIG: Variable = word("REAL_PKG_CONFIG");
/// pkg-config: the directory that goes before every path it prints.
pub const PKG_CONFIG_SYSROOT_DIR: Variable = value("PKG_CONFIG_SYSROOT_DIR");
/// pkg-config: additional places to search.
pub const PKG_CONFIG_PATH: Variable = word("PKG_CONFIG_PATH");
/// pkg-config: the places to search.
pub const PKG_CONFIG_LIBDIR: Variable = value("PKG_CONFIG_LIBDIR");
/// pkg-config: library directories that need no `-L`.
pub const PKG_CONFIG_SYSTEM_LIBRARY_PATH: Variable = value("PKG_CONFIG_SYSTEM_LIBRARY_PATH");
/// pkg-config: include directories that need no `-I`.
pub const PKG_CONFIG_SYSTEM_INCLUDE_PATH: Variable = value("PKG_CONFIG_SYSTEM_INCLUDE_PATH");
/// Where a package is being installed. A pkgconf that finds it equal to the sysroot puts no sysroot before any path.
pub const DESTDIR: Variable = word("DESTDIR");
/// Where temporary files go. Portage's is `temp` beside the WORKDIR of the package.
pub const TMPDIR: Variable = word("TMPDIR");
/// uClinux-dist's own directories of `.pc` files.
pub const UCLINUX_PKG_CONFIG_LIBDIR: Variable = word("UCLINUX_PKG_CONFIG_LIBDIR");
/// The site file that a configure script reads, or several with spaces between.
pub const CONFIG_SITE: Variable = word("CONFIG_SITE");
/// The CONFIG_SITE that there was before one of ours, which reads it first; empty when there was none.
pub const CROSSMERGE_CONFIG_SITE: Variable = word("CROSSMERGE_CONFIG_SITE");
/// pkgconf: prepend the sysroot only where freedesktop's pkg-config does.
pub const PKG_CONFIG_FDO_SYSROOT_RULES: Variable = value("PKG_CONFIG_FDO_SYSROOT_RULES");
/// QEMU's user mode: the directory in which absolute paths of the program are looked for first.
pub const QEMU_LD_PREFIX: Variable = value("QEMU_LD_PREFIX");
/// QEMU's user mode: the model of the CPU.
pub const QEMU_CPU: Variable = value("QEMU_CPU");

/// QEMU's user mode: variables of the program, separated by commas.
pub const QEMU_SET_ENV: Variable = value("QEMU_SET_ENV");
/// glibc and musl: where the dynamic linker looks for libraries first.
pub const LD_LIBRARY_PATH: Variable = word("LD_LIBRARY_PATH");

/// The environment as it was when we were started. Little is asked of it, so it is searched and not sorted.
#[derive(Debug, Clone, Default)]
pub struct Env(Vec<(OsString, OsString)>);

impl Env {
    /// Reads the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the environment"
    )]
    pub fn capture() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of a variable; `None` when it is unset, or empty and that means unset.
    pub fn get(&self, variable: Variable) -> Option<&OsStr> {
        let value = self.get_name(variable.name)?;
        (variable.empty == Empty::IsValue || !value.is_empty()).then_some(value)
    }

    /// The environment that a program would get.
    pub fn changed(&self, changes: &Changes) -> Self {
        let mut changed = self.clone();
        for (name, change) in changes {
            changed.remove(name);
            if let Change::Set(value) = change {
                changed.0.push((name.clone(), value.clone()));
            }
        }
        changed
    }

    /// Forgets a variable, for a question that it must not answer.
    pub fn unset(&mut self, variable: Variable) {
        self.remove(OsStr::new(variable.name));
    }

    /// Forgets a variable whose name is only known at run time.
    pub fn unset_name(&mut self, name: &str) {
        self.remove(OsStr::new(name));
    }

    fn remove(&mut self, name: &OsStr) {
        self.0.retain(|(known, _)| known != name);
    }

    /// The number of variables.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Every variable, once.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let pairs = self.0.iter().enumerate();
        let counts = |(at, (name, _)): &(usize, &(OsString, OsString))| {
            !self.0[at + 1..].iter().any(|(later, _)| later == name)
        };
        let pairs = pairs.filter(counts);
        pairs.map(|(_, (name, value))| (name.as_os_str(), value.as_os_str()))
    }

    /// The value of a variable whose name is only known at run time, such as `LIBDIR_<abi>`.
    pub fn get_name(&self, name: &str) -> Option<&OsStr> {
        // Of a name that is there twice the last one counts, which is what a program gets that we start.
        let mut pairs = self.0.iter().rev();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_os_str())
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_means_what_the_constant_says() {
        let env: Env = [("EPREFIX", ""), ("CROSS_CMD", ""), ("CBUILD", "x")]
            .into_iter()
            .collect();
        assert_eq!(env.get(EPREFIX), Some(OsStr::new("")));
        assert_eq!(env.get(CROSS_CMD), None);
        assert_eq!(env.get(CBUILD), Some(OsStr::new("x")));
        assert_eq!(env.get(SYSROOT), None);
    }
}
