//! The machine of an ELF file.

use super::{Endian, Target};

/// The machine that an ELF header describes: class, byte order and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfMachine {
    pub(super) bits: u8,
    pub(super) endian: Endian,
    pub(super) machine: u16,
}

impl ElfMachine {
    /// Reads the header. Returns `None` if the file is not ELF (mingw's files are not). Source: the gABI, "ELF
    /// Header".
    pub(crate) fn of(header: &[u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class, data, ..] = *header else {
            return None;
        };
        let machine = [*header.get(18)?, *header.get(19)?];
        let (endian, machine) = match data {
            1 => (Endian::Little, u16::from_le_bytes(machine)),
            _ => (Endian::Big, u16::from_be_bytes(machine)),
        };
        Some(Self {
            bits: if class == 1 { 32 } else { 64 },
            endian,
            machine,
        })
    }

    /// Returns the word size.
    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    /// Returns the machine of the target's files.
    pub(crate) fn wanted(target: &Target) -> Self {
        Self {
            bits: target.bits,
            endian: target.endian,
            machine: target.elf_machine,
        }
    }

    /// Returns whether it is the target's machine. The word size may differ if the tuple leaves it open.
    pub(crate) fn fits(self, target: &Target) -> bool {
        let wanted = Self::wanted(target);
        let bits = if target.either_bits {
            wanted.bits
        } else {
            self.bits
        };
        (bits, self.endian, self.machine) == (wanted.bits, wanted.endian, wanted.machine)
    }
}

impl std::fmt::Display for ElfMachine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let endian = if self.endian == Endian::Big {
            "big"
        } else {
            "little"
        };
        write!(
            f,
            "{} bits, {endian} endian, ELF machine {}",
            self.bits, self.machine
        )
    }
}
