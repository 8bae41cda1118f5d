//! The environment: a constant for each variable that crossmerge knows, and the only code that reads the environment.
//!
//! crossdev's shell wrappers distinguish an unset variable from an empty one, so crossmerge does too: each constant
//! states what an empty value means.

use crate::plan::{Change, Changes};
use std::ffi::{OsStr, OsString};

/// The meaning of an empty value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// An ordinary value: `EPREFIX=` states that the target has no prefix.
    IsValue,
    /// Equivalent to unset: with `CROSS_CMD=`, crossmerge still runs emerge.
    IsUnset,
}

/// An environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The meaning of an empty value.
    pub empty: Empty,
}

const fn may_be_empty(name: &'static str) -> Variable {
    Variable {
        name,
        empty: Empty::IsValue,
    }
}

const fn nonempty(name: &'static str) -> Variable {
    Variable {
        name,
        empty: Empty::IsUnset,
    }
}

/// The tuple of the build machine.
pub const CBUILD: Variable = may_be_empty("CBUILD");
/// The tuple of the machine that the package runs on. It overrides the tuple in the command's name, as in crossdev's
/// wrappers.
pub const CHOST: Variable = nonempty("CHOST");
/// The headers and libraries to build against. If set, it selects another sysroot for one call. Empty counts as
/// unset, because Portage exports an empty value in a native build.
pub const SYSROOT: Variable = nonempty("SYSROOT");
/// The directory into which packages are merged. Empty counts as unset, because it would mean `/` to Portage.
pub const ROOT: Variable = nonempty("ROOT");
/// The prefix inside the target. Empty for a target without a prefix.
pub const EPREFIX: Variable = may_be_empty("EPREFIX");
/// The directory whose `etc/portage` configures the target. Empty counts as unset, because it would mean `/` to
/// Portage.
pub const PORTAGE_CONFIGROOT: Variable = nonempty("PORTAGE_CONFIGROOT");
/// The prefix under which Portage is installed, if it is set at run time. crossmerge reads it too.
pub const PORTAGE_OVERRIDE_EPREFIX: Variable = may_be_empty("PORTAGE_OVERRIDE_EPREFIX");
/// The command that an applet runs instead of its own. It is split at white space, and may contain shell quotes.
pub const CROSS_CMD: Variable = nonempty("CROSS_CMD");
/// The USE flags of every package that Portage builds.
pub const USE: Variable = may_be_empty("USE");
/// The directory of Portage's binary packages.
pub const PKGDIR: Variable = nonempty("PKGDIR");
/// The features of Portage that are turned on and off for one run.
pub const FEATURES: Variable = may_be_empty("FEATURES");
/// Options that emerge puts before those of its command line.
pub const EMERGE_DEFAULT_OPTS: Variable = nonempty("EMERGE_DEFAULT_OPTS");
/// `yes` if crossdev sets up a target for clang. To the kernel's Makefile, any value means that clang compiles.
pub const LLVM: Variable = nonempty("LLVM");
/// The C compiler, for make and configure scripts.
pub const CC: Variable = nonempty("CC");
/// The directories in which programs are searched.
pub const PATH: Variable = nonempty("PATH");
/// The user's home directory. Python imports the user's packages from it.
pub const HOME: Variable = nonempty("HOME");
/// Python: the directories in which modules are searched first.
pub const PYTHONPATH: Variable = nonempty("PYTHONPATH");
/// Python: the directory in which it is installed.
pub const PYTHONHOME: Variable = nonempty("PYTHONHOME");
/// Python: the directory of the user's packages, instead of `~/.local`.
pub const PYTHONUSERBASE: Variable = nonempty("PYTHONUSERBASE");
/// The sysroot with the prefix appended, set by Portage (EAPI 7 and later).
pub const ESYSROOT: Variable = may_be_empty("ESYSROOT");
/// The build directory of the package, set by Portage.
pub const WORKDIR: Variable = nonempty("WORKDIR");
/// The ABI that is built for, which selects the library directory.
pub const ABI: Variable = nonempty("ABI");
/// The ABI if `ABI` is not set.
pub const DEFAULT_ABI: Variable = nonempty("DEFAULT_ABI");
/// uClinux-dist's name for the sysroot.
pub const STAGEDIR: Variable = nonempty("STAGEDIR");
/// The top directory of uClinux-dist. Its directory `tools` contains commands that the build uses.
pub const ROOTDIR: Variable = nonempty("ROOTDIR");
/// The prefix of the names of the cross tools, for the kernel's Makefile and uClinux-dist.
pub const CROSS_COMPILE: Variable = nonempty("CROSS_COMPILE");
/// The options for a configure script, set by Yocto's environment script.
pub const CONFIGURE_FLAGS: Variable = may_be_empty("CONFIGURE_FLAGS");
/// The sysroot, set by Yocto's environment script.
pub const SDKTARGETSYSROOT: Variable = may_be_empty("SDKTARGETSYSROOT");
/// CMake's toolchain file, if the command line names none (CMake 3.21 and later).
pub const CMAKE_TOOLCHAIN_FILE: Variable = nonempty("CMAKE_TOOLCHAIN_FILE");
/// ccache: how it recognises a changed compiler.
pub const CCACHE_COMPILERCHECK: Variable = nonempty("CCACHE_COMPILERCHECK");
/// The kernel's ARCH. Empty counts as unset, because the kernel cannot be built with an empty one.
pub const ARCH: Variable = nonempty("ARCH");
/// The root into which the kernel installs its modules. Empty for the host's.
pub const INSTALL_MOD_PATH: Variable = may_be_empty("INSTALL_MOD_PATH");
/// The directory in which the kernel installs its image.
pub const INSTALL_PATH: Variable = nonempty("INSTALL_PATH");
/// The directory in which the kernel is built, unless `O=` on make's command line names another.
pub const KBUILD_OUTPUT: Variable = nonempty("KBUILD_OUTPUT");
/// The name of the kernel's `.config`.
pub const KCONFIG_CONFIG: Variable = nonempty("KCONFIG_CONFIG");
/// The sources of an external kernel module, unless `M=` on make's command line names others.
pub const KBUILD_EXTMOD: Variable = nonempty("KBUILD_EXTMOD");
/// Options that a make passes to the makes it starts, or that the user sets for every make.
pub const MAKEFLAGS: Variable = nonempty("MAKEFLAGS");
/// Options that the user sets for every GNU make.
pub const GNUMAKEFLAGS: Variable = nonempty("GNUMAKEFLAGS");
/// The options with which Portage calls make.
pub const MAKEOPTS: Variable = nonempty("MAKEOPTS");
/// The pkg-config to run, if the user chooses one.
pub const REAL_PKG_CONFIG: Variable = nonempty("REAL_PKG_CONFIG");
/// pkg-config: the directory that it prepends to every path it prints.
pub const PKG_CONFIG_SYSROOT_DIR: Variable = may_be_empty("PKG_CONFIG_SYSROOT_DIR");
/// pkg-config: directories to search first.
pub const PKG_CONFIG_PATH: Variable = nonempty("PKG_CONFIG_PATH");
/// pkg-config: the directories to search instead of its built-in ones.
pub const PKG_CONFIG_LIBDIR: Variable = may_be_empty("PKG_CONFIG_LIBDIR");
/// pkg-config: library directories that need no `-L`.
pub const PKG_CONFIG_SYSTEM_LIBRARY_PATH: Variable = may_be_empty("PKG_CONFIG_SYSTEM_LIBRARY_PATH");
/// pkg-config: include directories that need no `-I`.
pub const PKG_CONFIG_SYSTEM_INCLUDE_PATH: Variable = may_be_empty("PKG_CONFIG_SYSTEM_INCLUDE_PATH");
/// The directory into which a package is being installed. If it equals the sysroot, pkgconf prepends no sysroot to
/// paths.
pub const DESTDIR: Variable = nonempty("DESTDIR");
/// The directory for temporary files. Portage sets it to `temp` beside the package's WORKDIR.
pub const TMPDIR: Variable = nonempty("TMPDIR");
/// The time that is written into archives, in seconds since 1970 (reproducible-builds.org/specs/source-date-epoch).
pub const SOURCE_DATE_EPOCH: Variable = nonempty("SOURCE_DATE_EPOCH");
/// The directories of `.pc` files in uClinux-dist.
pub const UCLINUX_PKG_CONFIG_LIBDIR: Variable = nonempty("UCLINUX_PKG_CONFIG_LIBDIR");
/// The site files that a configure script reads, separated by spaces.
pub const CONFIG_SITE: Variable = nonempty("CONFIG_SITE");
/// The value of CONFIG_SITE before crossmerge replaced it, which crossmerge's site file reads first. Empty if there was
/// none.
pub const CROSSMERGE_CONFIG_SITE: Variable = nonempty("CROSSMERGE_CONFIG_SITE");
/// Portage: the directory of emerge's logs.
pub const EMERGE_LOG_DIR: Variable = nonempty("EMERGE_LOG_DIR");
/// Portage: the directory of one build. Only the phases of an ebuild have it.
pub const PORTAGE_BUILDDIR: Variable = nonempty("PORTAGE_BUILDDIR");
/// The directory that contains the user's own configuration, for crossmerge's commands in the phases of an ebuild. There,
/// HOME is a directory of the build.
pub const CROSSMERGE_CONFIG_HOME: Variable = nonempty("CROSSMERGE_CONFIG_HOME");
/// The same for the user's own state.
pub const CROSSMERGE_STATE_HOME: Variable = nonempty("CROSSMERGE_STATE_HOME");
/// pkgconf: prepend the sysroot only to the paths to which freedesktop's pkg-config prepends it.
pub const PKG_CONFIG_FDO_SYSROOT_RULES: Variable = may_be_empty("PKG_CONFIG_FDO_SYSROOT_RULES");
/// QEMU's user mode: the directory in which absolute paths of the program are looked up first.
pub const QEMU_LD_PREFIX: Variable = may_be_empty("QEMU_LD_PREFIX");
/// QEMU's user mode: the model of the CPU.
pub const QEMU_CPU: Variable = may_be_empty("QEMU_CPU");
/// QEMU's user mode: environment variables of the program, separated by commas.
pub const QEMU_SET_ENV: Variable = may_be_empty("QEMU_SET_ENV");
/// Portage: the directory below which it builds.
pub const PORTAGE_TMPDIR: Variable = nonempty("PORTAGE_TMPDIR");
/// Zig: the directory of everything that it has compiled, the libc included.
pub const ZIG_GLOBAL_CACHE_DIR: Variable = nonempty("ZIG_GLOBAL_CACHE_DIR");
/// glibc and musl: the directories in which the dynamic linker searches for libraries first.
pub const LD_LIBRARY_PATH: Variable = nonempty("LD_LIBRARY_PATH");

/// The environment in which crossmerge was started. There are few lookups, so a linear search is faster than sorting.
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

    /// Returns the value of a variable. `None` if it is unset, or if it is empty and that counts as unset.
    pub fn get(&self, variable: Variable) -> Option<&OsStr> {
        let value = self.get_name(variable.name)?;
        (variable.empty == Empty::IsValue || !value.is_empty()).then_some(value)
    }

    /// Returns the environment with the changes of a plan.
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

    /// Removes a variable, so that it does not affect later lookups.
    pub fn unset(&mut self, variable: Variable) {
        self.remove(OsStr::new(variable.name));
    }

    /// Removes a variable whose name is only known at run time.
    pub fn unset_name(&mut self, name: &str) {
        self.remove(OsStr::new(name));
    }

    fn remove(&mut self, name: &OsStr) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Returns the number of variables.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the variables. If a name occurs twice, only the last one is included.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let pairs = self.0.iter().enumerate();
        let counts = |(at, (name, _)): &(usize, &(OsString, OsString))| {
            !self.0[at + 1..].iter().any(|(later, _)| later == name)
        };
        let pairs = pairs.filter(counts);
        pairs.map(|(_, (name, value))| (name.as_os_str(), value.as_os_str()))
    }

    /// Returns the value of a variable whose name is only known at run time, such as `LIBDIR_<abi>`.
    pub fn get_name(&self, name: &str) -> Option<&OsStr> {
        // If a name occurs twice the last one counts, because that is the one which started programs get.
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
    fn an_empty_value_means_what_the_constant_states() {
        let env: Env = [("EPREFIX", ""), ("CROSS_CMD", ""), ("CBUILD", "x")]
            .into_iter()
            .collect();
        assert_eq!(env.get(EPREFIX), Some(OsStr::new("")));
        assert_eq!(env.get(CROSS_CMD), None);
        assert_eq!(env.get(CBUILD), Some(OsStr::new("x")));
        assert_eq!(env.get(SYSROOT), None);
    }
}
