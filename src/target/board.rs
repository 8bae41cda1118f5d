//! The virtual boards: what QEMU's system emulator has to be given so that a tuple's kernel starts, and what that kernel
//! has to contain. The facts are the `[[board]]` sections of the CPU families. Pure.

use crossmerge_plan::{glob, tuple::Tuple};
use serde::Deserialize;

/// A virtual board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Globs on the whole tuple, one of which must match.
    tuple: Vec<String>,
    /// Globs on the whole tuple, none of which may match.
    #[serde(default)]
    except: Vec<String>,
    /// The suffix of QEMU's program, the part after `qemu-system-`.
    pub qemu: String,
    /// The machine, for `-M`.
    pub machine: String,
    /// The CPU, for `-cpu`. `None` if the machine's default is right.
    pub cpu: Option<String>,
    /// The default memory in MiB.
    #[serde(default = "usual_memory")]
    pub memory: u64,
    /// The most memory that the machine can have, in MiB. `None` if it has no limit in practice.
    pub memory_max: Option<u64>,
    /// The terminal of the console, as the kernel names it.
    pub console: String,
    /// The bus of the virtio devices.
    pub bus: Bus,
    /// The file that QEMU starts, relative to the directory in which the kernel was built.
    pub image: String,
    /// The name of the device tree's file, if QEMU does not make one for the machine.
    pub dtb: Option<String>,
    /// The goals of the kernel's make that build these files and the modules.
    pub goals: String,
    /// The options of the kernel's configuration that the board needs besides those of `profiles/kernel.config`.
    kernel: String,
}

/// The bus through which a board has virtio devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bus {
    /// Registers at fixed addresses.
    Mmio,
    /// PCI.
    Pci,
    /// The channel subsystem of IBM Z.
    Ccw,
}

impl Bus {
    /// Returns the end of the names of QEMU's virtio devices for this bus.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Mmio => "device",
            Self::Pci => "pci",
            Self::Ccw => "ccw",
        }
    }

    /// Returns the modules that a kernel needs for disks on this bus, in a kernel that has them as modules.
    pub fn modules(self) -> [&'static str; 2] {
        match self {
            Self::Mmio => ["virtio_mmio", "virtio_blk"],
            Self::Pci => ["virtio_pci", "virtio_blk"],
            Self::Ccw => ["virtio_ccw", "virtio_blk"],
        }
    }
}

/// The key of the boards in a family's file. No fact of a tuple depends on it.
pub(super) const KEY: &str = "board";

/// The options of the kernel's configuration that all boards need.
const COMMON: &str = include_str!("../../profiles/kernel.config");

/// The boards of one file of `profiles/`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Boards {
    #[serde(default)]
    board: Vec<Board>,
}

impl Boards {
    /// Returns the board of a tuple. As with variants, a later section overrides an earlier one.
    pub(super) fn into_board(self, tuple: &Tuple) -> Option<Board> {
        let fits = |globs: &[String]| globs.iter().any(|glob| glob::matches(glob, tuple.as_str()));
        let mut boards = self.board.into_iter().rev();
        boards.find(|board| fits(&board.tuple) && !fits(&board.except))
    }
}

impl Board {
    /// Returns the fragment of a kernel configuration with which a kernel boots on the board.
    pub fn kernel_config(&self) -> String {
        let machine = &self.machine;
        format!(
            "{COMMON}\n# QEMU's machine {machine}\n{}",
            self.kernel.trim_start_matches('\n')
        )
    }
}

fn usual_memory() -> u64 {
    512
}
