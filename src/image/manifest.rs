//! The manifest of images: what is in them and what made them, as a JSON file beside them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the manifest's form.
pub(super) const VERSION: u32 = 1;

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageManifest {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// The tuple that the packages were built for. `None` if no package of the root names one.
    pub(crate) tuple: Option<String>,
    /// The newest time in the images, in seconds since 1970.
    pub(crate) time: u64,
    /// The checksum of the names, modes, owners and sizes of all files.
    pub(crate) files_sha256: String,
    /// The first line that the target's compiler prints for `--version`, on the machine that made the images.
    pub(crate) compiler: Option<String>,
    /// The images by the names of their files.
    pub(crate) images: BTreeMap<String, MadeImage>,
    /// The kernels in the root.
    pub(crate) kernels: Vec<ImageKernel>,
    /// The packages in the root.
    pub(crate) packages: Vec<ImagePackage>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MadeImage {
    /// The name of its format, or the program that made a disk.
    pub(crate) format: String,
    /// Its size, in bytes.
    pub(crate) bytes: u64,
    /// Its checksum.
    pub(crate) sha256: String,
    /// The time in it, and the checksum of the files that it was made of: an image of an earlier run may have others.
    pub(crate) time: u64,
    /// See [`ImageManifest::files_sha256`].
    pub(crate) files_sha256: String,
}

/// A kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageKernel {
    /// Its release: the name of the directory of its modules.
    pub(crate) release: String,
    /// The checksum of its configuration, if that is in the root.
    pub(crate) config_sha256: Option<String>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImagePackage {
    /// Its category, name and version: `app-misc/hello-2.10`.
    pub(crate) name: String,
    /// The repository of its ebuild.
    pub(crate) repository: String,
    /// When it was built, in seconds since 1970.
    pub(crate) build_time: u64,
    /// The number of its build, for a binary package.
    pub(crate) build_id: Option<u64>,
    /// The tuple that it was built for.
    pub(crate) chost: String,
    /// Its USE flags.
    #[serde(rename = "use")]
    pub(crate) flags: Vec<String>,
}

impl ImageManifest {
    /// Renders it for its file.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data") + "\n"
    }

    /// Parses the text of its file. `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let manifest: Self = serde_json::from_str(text).ok()?;
        (manifest.version == VERSION).then_some(manifest)
    }
}
