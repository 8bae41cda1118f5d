//! The errors of making images, and their hints.

use super::format::Format;
use crossmerge_plan::{passes_on, report::Explain, shown::Show, words::quote};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use nix::sys::signal::Signal;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{path}` cannot be read: {source}", path = .path.shown())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` cannot be written: {source}", path = .path.shown())]
    Write { path: PathBuf, source: io::Error },
    #[error("the root `{path}` cannot be read: {source}", path = .path.shown())]
    NoRoot { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a directory", path = .0.shown())]
    NotADirectory(PathBuf),
    #[error("`/` is the root of this machine")]
    OwnRoot,
    #[error("the root `{path}` is empty", path = .0.shown())]
    Empty(PathBuf),
    #[error("a file system is mounted at `{path}`, in the root", path = .0.shown())]
    Mounted(PathBuf),
    #[error("no image is asked for")]
    NoFormat,
    #[error("`{option}` is for one image, and there are {images}")]
    OneImage { option: &'static str, images: usize },
    #[error("`{option}` does not apply to {format}")]
    Option {
        option: &'static str,
        format: String,
    },
    #[error("`{program}` is not installed")]
    NoProgram { program: &'static str, hint: String },
    #[error("SOURCE_DATE_EPOCH is `{value}`, which is not a number of seconds since 1970", value = .0.shown())]
    BadTime(PathBuf),
    #[error("`{path}` exists already, and is not listed in `{manifest}`", path = .path.shown(), manifest = .manifest.shown())]
    Exists { path: PathBuf, manifest: PathBuf },
    #[error("`{path}` is a directory", path = .0.shown())]
    IsDirectory(PathBuf),
    #[error("`{path}` is in the root", path = .0.shown())]
    Inside(PathBuf),
    #[error("an image of `{path}` is being made by another process", path = .0.shown())]
    Locked(PathBuf),
    #[error("the files need {needed} KiB as {format}, and {what} has {size} KiB")]
    TooSmall {
        format: &'static str,
        what: String,
        needed: u64,
        size: u64,
    },
    #[error("`{path}` is a device file, which only root can copy", path = .0.shown())]
    DeviceFile(PathBuf),
    #[error("the file system of `{path}` does not keep the capabilities of files", path = .0.shown())]
    Capabilities(PathBuf),
    #[error("`{path}` is a device, whose content would be lost", path = .0.shown())]
    Device(PathBuf),
    #[error("the device `{path}` is in use: {source}", path = .path.shown())]
    DeviceInUse { path: PathBuf, source: io::Error },
    #[error("`{directory}` has {free} MiB of free space, and the images need about {needed} MiB", directory = .directory.shown())]
    Space {
        directory: PathBuf,
        free: u64,
        needed: u64,
    },
    #[error("{program} failed for {image}: {printed}")]
    Failed {
        program: String,
        image: String,
        printed: String,
    },
    #[error("genimage made no image")]
    NoImage,
    #[error("`{path}` is no configuration: {source}", path = .path.shown())]
    NoConfiguration { path: PathBuf, source: io::Error },
    #[error("interrupted by {0}")]
    Interrupted(Signal),
}

impl ImageError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}

impl Explain for ImageError {
    passes_on!(Exec);

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::NoProgram { .. } => crossmerge_plan::report::NOT_FOUND,
            Self::Interrupted(signal) => 128 + *signal as u8,
            _ => crossmerge_plan::report::OWN_FAILURE,
        }
    }

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } | Self::Write { source, .. } => return file::hint(source),
            Self::NoRoot { .. } | Self::NotADirectory(_) | Self::Empty(_) => {
                "name the directory that the target's packages were merged into with ROOT".into()
            }
            Self::OwnRoot => "name the target's root, such as /srv/board".into(),
            Self::Mounted(path) => format!("`umount {}`", quote(path.as_os_str())),
            Self::NoFormat => {
                let names: Vec<&str> = Format::names().collect();
                format!("name a format: {}", names.join(", "))
            }
            Self::OneImage { .. } => "call the command once for each image".into(),
            Self::NoProgram { hint, .. } => hint.clone(),
            Self::Option { .. } => "omit the option".into(),
            Self::NoConfiguration { .. } => "`crossmerge image --help` has an example".into(),
            Self::BadTime(_) => "`unset SOURCE_DATE_EPOCH`".into(),
            Self::Exists { path, .. } => format!(
                "remove it: `rm {}`; or name other images: `--output PATH`",
                quote(path.as_os_str())
            ),
            Self::IsDirectory(_) => {
                "name the images' common path without its ending: `--output DIR/NAME`".into()
            }
            Self::Inside(_) => "name a path outside the root: `--output PATH`".into(),
            Self::Locked(_) => "wait for its end".into(),
            Self::TooSmall { format, needed, .. } => {
                let larger = format!("a size of {}M is enough", needed.div_ceil(1024));
                match *format {
                    "ext4" => format!("{larger}; squashfs compresses the files"),
                    _ => larger,
                }
            }
            Self::DeviceFile(path) => format!(
                "`rm {}`: the kernel's devtmpfs makes devices; or run it as root, or make a tar, squashfs or erofs image",
                quote(path.as_os_str())
            ),
            Self::Capabilities(_) => "name a path on another file system: `--output PATH`".into(),
            Self::Device(path) => format!(
                "`lsblk {}` shows it; `--erase` writes to it",
                quote(path.as_os_str())
            ),
            Self::DeviceInUse { path, .. } => format!("`umount {}`", quote(path.as_os_str())),
            Self::Space { .. } => {
                "free some space there, or name another directory: `--output DIR/NAME`".into()
            }
            Self::NoImage => "the configuration needs a section `image NAME { … }`".into(),
            Self::Interrupted(_) => "the same command begins again".into(),
            _ => return None,
        })
    }
}
