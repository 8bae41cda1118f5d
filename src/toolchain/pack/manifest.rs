//! The manifest of a packed toolchain: `crossmerge-toolchain.toml`, the first file of an archive, and beside binary
//! packages.

use super::error::PackError;
use crate::toolchain::request::ToolchainRequest;
use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of the file.
pub(crate) const NAME: &str = "crossmerge-toolchain.toml";

/// The name of the file with the checksums of all other files, in the format of sha256sum(1).
pub(crate) const CHECKSUMS: &str = "crossmerge-toolchain.sha256";

/// The version of the format.
const FORMAT: u32 = 1;

/// What is known about a packed toolchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of this format.
    pub(crate) format: u32,
    pub(crate) tuple: Tuple,
    /// Portage's category of the packages.
    pub(crate) category: String,
    /// The last stage that is packed, from 0 (binutils) to 4 (complete).
    pub(crate) stage: u8,
    /// The prefix of the Portage that installed the toolchain. Empty on Gentoo.
    pub(crate) prefix: String,
    /// The size of the unpacked files in bytes.
    #[serde(default)]
    pub(crate) bytes: u64,
    /// The number of files and symlinks.
    #[serde(default)]
    pub(crate) files: u64,
    /// Libraries of the build machine that were packed too, because the programs need them.
    #[serde(default)]
    pub(crate) libraries: Vec<String>,
    /// Text files that contain paths of the toolchain.
    #[serde(default)]
    pub(crate) texts: Vec<PathBuf>,
    pub(crate) host: HostNeeds,
    pub(crate) package: Vec<PackedPackage>,
    /// What was asked for when the toolchain was built. `None` if crossdev built it.
    pub(crate) request: Option<ToolchainRequest>,
}

/// What the toolchain's programs need of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostNeeds {
    /// The CHOST of the packages.
    pub(crate) chost: String,
    /// The machine number of ELF.
    pub(crate) machine: u16,
    /// 32 or 64.
    pub(crate) bits: u8,
    #[serde(default)]
    pub(crate) big_endian: bool,
    /// The dynamic linker. `None` if the programs are statically linked.
    pub(crate) interpreter: Option<PathBuf>,
    /// The oldest glibc with which the programs start. `None` with another libc.
    pub(crate) glibc: Option<String>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackedPackage {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The step of a build whose result it is: `gcc-stage1` or `gcc-stage2`.
    pub(crate) step: String,
    /// Its USE flags that were set.
    #[serde(rename = "use")]
    pub(crate) flags: Vec<String>,
    /// Portage's BUILD_TIME.
    pub(crate) build_time: u64,
    /// The file of a binary package, relative to the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
    /// The SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

impl Manifest {
    /// Returns the manifest of a toolchain, still without its files.
    pub(crate) fn new(tuple: Tuple, category: String, stage: u8, prefix: String) -> Self {
        Self {
            format: FORMAT,
            tuple,
            category,
            stage,
            prefix,
            bytes: 0,
            files: 0,
            libraries: Vec::new(),
            texts: Vec::new(),
            host: HostNeeds::default(),
            package: Vec::new(),
            request: None,
        }
    }

    /// Parses a manifest. `place` is the file, for the error.
    pub(crate) fn parse(text: &str, place: &Path) -> Result<Self, PackError> {
        let damaged = |why: String| PackError::Manifest {
            place: place.into(),
            why,
        };
        let version = text
            .parse::<toml::Table>()
            .map_err(|e| damaged(e.message().into()))?;
        match version.get("format").and_then(toml::Value::as_integer) {
            Some(format) if format == i64::from(FORMAT) => {}
            Some(format) => {
                return Err(PackError::Format {
                    place: place.into(),
                    format,
                });
            }
            None => return Err(damaged("it has no `format`".into())),
        }
        toml::from_str(text).map_err(|e| damaged(e.message().into()))
    }

    pub(crate) fn to_text(&self) -> String {
        let facts = toml::to_string(self).unwrap_or_default();
        format!(
            "# A cross toolchain that `crossmerge toolchain pack` made. `crossmerge toolchain unpack` reads this file.\n{facts}"
        )
    }

    /// Returns a package's version.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        let package = self.package.iter().find(|package| package.name == name)?;
        Some(&package.version)
    }

    /// Returns the packages and versions for the user.
    pub(crate) fn title(&self) -> String {
        let packages = self.package.iter();
        let names = packages.map(|package| format!("{} {}", package.name, package.version));
        names.collect::<Vec<_>>().join(", ")
    }
}
