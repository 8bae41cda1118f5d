//! The errors of `boot`, and their hints.

use crate::{config::ConfigError, context::ContextError, distribution::Distribution};
use crossmerge_plan::{
    passes_on,
    report::Explain,
    shown::Show,
    tuple::Tuple,
    words::{quote_line, show_file},
};
use crossmerge_system::{exec::ExecError, file};
use nix::sys::signal::Signal;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a board does not start, or a command did not run on it.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A lookup of the target failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The configuration or a CPU family could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// QEMU does not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// No board is defined for the CPU and the system.
    #[error("there is no virtual board for `{0}`")]
    NoBoard(Tuple),
    /// Neither the user nor a manifest names the target.
    #[error("no manifest beside `{image}` names its target", image = .0.shown())]
    NoTuple(PathBuf),
    /// The manifest has another form.
    #[error("the manifest `{path}` does not name a tuple: {message}", path = .path.shown())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The error, with the line.
        message: String,
    },
    /// The image, or a file that the boot needs, does not exist or cannot be read.
    #[error(transparent)]
    Image(io::Error),
    /// The image cannot be read.
    #[error("cannot read `{path}`: {source}", path = .path.shown())]
    Unreadable {
        /// The image.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the directory cannot be packed.
    #[error("cannot pack the directory into an initramfs: {0}")]
    Packed(io::Error),
    /// The content has no known form.
    #[error("`{image}` is no image that boots: neither ext4, squashfs or erofs, nor a disk, nor an initramfs", image = .0.shown())]
    Unknown(PathBuf),
    /// The directory is no root.
    #[error("`{directory}` has neither /sbin/init nor /bin/sh", directory = .0.shown())]
    NoInit(PathBuf),
    /// Nothing names the partition with the root.
    #[error("`{image}` is a disk with partitions, and no argument names the one with the root", image = .0.shown())]
    NoRoot(PathBuf),
    /// No kernel was given or found.
    #[error("there is no kernel for `{tuple}`")]
    NoKernel {
        /// The target.
        tuple: Tuple,
        /// The goals that build a kernel.
        goals: String,
        /// The file that they make.
        image: String,
    },
    /// The directory contains no kernel.
    #[error("`{directory}` has no kernel: neither `{image}` nor a file `vmlinuz-…`", directory = .directory.shown())]
    NotBuilt {
        /// The directory.
        directory: PathBuf,
        /// The file of a built kernel.
        image: String,
        /// The goals that build it.
        goals: String,
    },
    /// The board needs a device tree, and none was built with the kernel.
    #[error("QEMU's machine `{machine}` needs the device tree `{name}`, which is not beside `{kernel}`", kernel = .kernel.shown())]
    NoDeviceTree {
        /// The kernel.
        kernel: PathBuf,
        /// The file's name.
        name: String,
        /// The machine.
        machine: String,
    },
    /// The kernel needs an initramfs to reach the disk.
    #[error("the kernel `{kernel}` cannot read a disk before it has loaded `{module}`, and there is no initramfs with that module", kernel = .kernel.shown(), module = .module.shown())]
    Modular {
        /// The kernel.
        kernel: PathBuf,
        /// The module.
        module: PathBuf,
    },
    /// QEMU is not installed.
    #[error("`{0}` is not in PATH")]
    NoQemu(String),
    /// The amount has another form.
    #[error("`{0}` is no amount of memory")]
    Memory(String),
    /// The machine cannot have that much memory.
    #[error("QEMU's machine `{machine}` has at most {most} MiB of memory, and {} {memory} MiB", if image.is_some() { "the initramfs needs" } else { "the request is for" })]
    TooMuchMemory {
        /// The machine.
        machine: String,
        /// The amount in MiB.
        memory: u64,
        /// The most in MiB.
        most: u64,
        /// The image that needs it. `None` if the user wants it.
        image: Option<PathBuf>,
    },
    /// A temporary file cannot be written.
    #[error("cannot write a temporary file: {0}")]
    Temporary(io::Error),
    /// The log cannot be written.
    #[error("cannot keep the output of the console: {0}")]
    Log(io::Error),
    /// The command printed more than its disk can contain.
    #[error("the command printed more than {0} MiB")]
    TooMuchOutput(u64),
    /// The board ended before the command.
    #[error("the board ended before the command did; the end of its console:{}", log.end)]
    Ended {
        /// The log.
        log: Log,
    },
    /// The command did not end in time.
    #[error("the command did not end within {} seconds; the end of the console:{}", limit.as_secs(), log.end)]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// The log.
        log: Log,
    },
    /// A signal ended crossmerge.
    #[error("ended by {0}")]
    Interrupted(Signal),
}

/// The log of a board that failed.
#[derive(Debug)]
pub struct Log {
    /// Its path.
    pub path: PathBuf,
    /// Its last lines, each after a line break.
    pub end: String,
}

/// Returns the command that shows a file.
fn show(path: &Path) -> String {
    format!("`cat {}`", quote_line(path.as_os_str()))
}

impl Explain for BootError {
    passes_on!(Context, Config, Exec);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBoard(_) => "use the board of another tuple with `--board`, or add a `[[board]]` section: profiles/README.md describes the format".into(),
            Self::NoTuple(_) => "name it with `--target`; `crossmerge targets` lists the targets".into(),
            Self::Manifest { .. } => "name the target with `--target`".into(),
            Self::Packed(_) => "run this as the user who owns the files, or as root".into(),
            Self::Image(e) => file::hint(e).unwrap_or_else(|| "check the path".into()),
            Self::Temporary(e) | Self::Log(e) => return file::hint(e),
            Self::Unreadable { path, source } => {
                file::hint(source).unwrap_or_else(|| format!("examine it with `{}`", show_file(path)))
            }
            Self::Unknown(image) => format!("examine it with `{}`", show_file(image)),
            Self::NoInit(_) => "name the directory of a root with an init, or start another program with `--append`, as rdinit=PROGRAM".into(),
            Self::NoRoot(_) => "name it with `--append`, for example root=/dev/vda2".into(),
            Self::NoKernel { tuple, goals, image } => format!(
                "name one with `--kernel`; `crossmerge kernel-config {tuple}` prints the configuration of a kernel for the board, and `<tuple>-xkmake {goals}` builds {image}: see docs/boot.md"
            ),
            Self::NotBuilt { goals, .. } => format!("build it: `<tuple>-xkmake {goals}`"),
            Self::NoDeviceTree { .. } => "build it with `<tuple>-xkmake dtbs`, or name it with `--dtb`".into(),
            Self::Modular { .. } => "use a kernel that has the driver built in: `crossmerge kernel-config <tuple>` prints its configuration; or name an initramfs with `--initrd`".into(),
            Self::NoQemu(program) => Distribution::here().hint(program),
            Self::Memory(_) => "use a number of MiB, or one with M or G, such as 512M".into(),
            Self::TooMuchMemory { image: Some(_), .. } => {
                "boot it as a file system, such as ext4, or use the board of another tuple with `--board`".into()
            }
            Self::TooMuchMemory { most, .. } => format!("use at most {most}M with `--memory`"),
            Self::TooMuchOutput(_) => "let the command print less".into(),
            Self::Ended { log } => format!("all of it: {}", show(&log.path)),
            Self::TimedOut { log, .. } => {
                format!("use a longer `--timeout` if it is slow; all of the console: {}", show(&log.path))
            }
            Self::Interrupted(_) | Self::Context(_) | Self::Config(_) | Self::Exec(_) => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::NoQemu(_) => crossmerge_plan::report::NOT_FOUND,
            Self::Interrupted(signal) => 128 + *signal as u8,
            _ => crossmerge_plan::report::OWN_FAILURE,
        }
    }
}
