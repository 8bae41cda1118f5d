//! The sysroot, ROOT and the configuration root of the target, and the checks of the environment variables that name
//! them.

use super::{error::ContextError, invocation::Context};
use crossmerge_plan::{
    env::{self, Variable},
    words::hex,
};
use sha2::{Digest, Sha256};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

impl Context {
    /// The sysroot: SYSROOT in the environment, else the configured path, else `<BROOT>/usr/<tuple>`.
    pub fn sysroot(&self) -> PathBuf {
        match self.env.get(env::SYSROOT) {
            Some(sysroot) => sysroot.into(),
            None => self.own_sysroot(),
        }
    }

    /// The target's own sysroot: the configured path, else the default. SYSROOT in the environment does not apply.
    pub(crate) fn own_sysroot(&self) -> PathBuf {
        let configured = self.settings.sysroot.clone();
        configured.unwrap_or_else(|| self.default_sysroot())
    }

    /// `<BROOT>/usr/<tuple>`, the default sysroot, as in crossdev.
    pub fn default_sysroot(&self) -> PathBuf {
        self.config.default_sysroot(&self.tuple)
    }

    /// The sysroot, which has to exist and must not be the host's root.
    pub fn existing_sysroot(&self) -> Result<PathBuf, ContextError> {
        let sysroot = self.usable_sysroot()?;
        match sysroot.is_dir() {
            true => Ok(sysroot),
            false => Err(self.no_sysroot(sysroot)),
        }
    }

    /// The sysroot for a build. Checks the paths in SYSROOT, ROOT and PORTAGE_CONFIGROOT. The target's own sysroot may
    /// be missing, because some compilers bring a libc along.
    pub fn usable_sysroot(&self) -> Result<PathBuf, ContextError> {
        self.check_chosen_sysroot()?;
        self.named_root()?;
        if self.env.get(env::PORTAGE_CONFIGROOT).is_some() {
            self.existing_configroot()?;
        }
        self.foreign_sysroot()
    }

    /// Checks that SYSROOT, if it is set, is the absolute path of a directory.
    pub fn check_chosen_sysroot(&self) -> Result<(), ContextError> {
        let Some(sysroot) = self.env.get(env::SYSROOT) else {
            return Ok(());
        };
        absolute(env::SYSROOT, sysroot)?;
        match Path::new(sysroot).is_dir() {
            true => Ok(()),
            false => Err(self.no_sysroot(sysroot.into())),
        }
    }

    /// ROOT in the environment, which has to be an absolute path. `None` if it is not set.
    pub fn named_root(&self) -> Result<Option<PathBuf>, ContextError> {
        let root = self.env.get(env::ROOT);
        root.map(|root| absolute(env::ROOT, root).map(|()| root.into()))
            .transpose()
    }

    /// ROOT in the environment, which must not be the host's root. `None` if it is not set.
    pub fn chosen_root(&self) -> Result<Option<PathBuf>, ContextError> {
        match self.named_root()? {
            Some(root) if self.config.is_own_root(&root) => Err(ContextError::HostIsRoot {
                tuple: self.tuple.clone(),
                root,
            }),
            root => Ok(root),
        }
    }

    /// Returns the error for a sysroot that does not exist.
    pub(crate) fn no_sysroot(&self, sysroot: PathBuf) -> ContextError {
        ContextError::NoSysroot {
            tuple: self.tuple.clone(),
            sysroot,
            from_environment: self.env.get(env::SYSROOT).is_some(),
        }
    }

    /// The sysroot, whether it exists or not. It must not be the host's root.
    pub fn foreign_sysroot(&self) -> Result<PathBuf, ContextError> {
        let sysroot = self.sysroot();
        match self.config.is_own_root(&sysroot) {
            false => Ok(sysroot),
            true => Err(ContextError::HostRoot {
                tuple: self.tuple.clone(),
                sysroot,
                from_environment: self.env.get(env::SYSROOT).is_some(),
            }),
        }
    }

    /// Returns whether the environment selects another sysroot than the target's own.
    pub fn sysroot_is_chosen(&self) -> bool {
        self.sysroot() != self.own_sysroot()
    }

    /// EPREFIX in the environment, else empty, because a cross target usually has no prefix.
    pub fn eprefix(&self) -> OsString {
        self.env.get(env::EPREFIX).unwrap_or_default().to_owned()
    }

    /// PORTAGE_CONFIGROOT in the environment, else `$SYSROOT$EPREFIX`.
    pub fn configroot(&self) -> PathBuf {
        match self.env.get(env::PORTAGE_CONFIGROOT) {
            Some(configroot) => configroot.into(),
            None => {
                let mut configroot = self.sysroot().into_os_string();
                configroot.push(self.eprefix());
                configroot.into()
            }
        }
    }

    /// PORTAGE_CONFIGROOT, which has to exist.
    pub fn existing_configroot(&self) -> Result<PathBuf, ContextError> {
        if let Some(configroot) = self.env.get(env::PORTAGE_CONFIGROOT) {
            absolute(env::PORTAGE_CONFIGROOT, configroot)?;
        }
        let configroot = self.configroot();
        if configroot.is_dir() {
            return Ok(configroot);
        }
        let variable = match self.env.get(env::PORTAGE_CONFIGROOT) {
            Some(_) => env::PORTAGE_CONFIGROOT,
            None => env::EPREFIX,
        };
        Err(ContextError::NoConfigroot {
            tuple: self.tuple.clone(),
            configroot,
            variable: variable.name,
        })
    }

    /// The directory of generated files to whose paths build directories refer. Each sysroot that the environment
    /// selects has its own.
    pub fn state_directory(&self) -> PathBuf {
        let mut name = self.tuple.to_string();
        if self.sysroot_is_chosen() {
            let hash = Sha256::digest(self.sysroot().as_os_str().as_bytes());
            name = format!("{name}@{}", hex(&hash[..4]));
        }
        self.config.state_directory().join(name)
    }
}

/// Checks that the value of a variable is an absolute path.
fn absolute(variable: Variable, value: &OsStr) -> Result<(), ContextError> {
    match Path::new(value).is_absolute() {
        true => Ok(()),
        false => Err(ContextError::Relative {
            variable: variable.name,
            value: value.into(),
        }),
    }
}
