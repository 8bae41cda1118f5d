//! Programs of a target on this machine, by QEMU's user-mode emulation: which QEMU an ELF file needs, and the kernel's
//! binfmt_misc, which hands it such files.

pub mod private;
pub mod rule;
