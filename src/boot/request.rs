//! The options of `crossmerge boot`.

use crossmerge_plan::tuple::Tuple;
use std::{path::PathBuf, time::Duration};

/// The options of one `crossmerge boot`.
#[derive(Debug, Clone, Default)]
pub struct BootRequest {
    /// The image, or the directory of a root.
    pub image: PathBuf,
    /// The tuple whose virtual board is used, if it is not the target's.
    pub board: Option<Tuple>,
    /// The kernel's image, or the directory in which the kernel was built.
    pub kernel: Option<PathBuf>,
    /// An initramfs for an image that is no initramfs itself.
    pub initrd: Option<PathBuf>,
    /// The file of the device tree.
    pub dtb: Option<PathBuf>,
    /// The memory, such as `512M`.
    pub memory: Option<String>,
    /// Further arguments for the kernel.
    pub append: Option<String>,
    /// The command to run in the system.
    pub run: Option<String>,
    /// How long the command may take, with the boot.
    pub timeout: Duration,
    /// Whether changes to the image are kept.
    pub write: bool,
}
