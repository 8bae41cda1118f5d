//! The rules of binfmt_misc: which QEMU runs which ELF files. Pure.
//!
//! A rule has a magic and a mask over the first bytes of a file, as in the kernel's
//! `Documentation/admin-guide/binfmt-misc.rst`: it matches a file if both agree in every bit of the mask.
//! `<tuple>-run` reads the header itself and chooses its QEMU by the same rules. They come from `[[binfmt]]` in
//! `profiles/*.toml`; elf(5) describes the header.

use crate::{
    config::{Config, ConfigError},
    target::{self, ELF_KIND_LEN, ElfKind, Endian, Target},
};
use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// A rule: the ELF files that one QEMU runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// QEMU's user-mode target, the part behind `qemu-`: `arm`.
    pub qemu: String,
    /// The first bytes of a file, compared where the mask has a bit.
    pub magic: Vec<u8>,
    /// The bits that are compared. As long as the magic.
    pub mask: Vec<u8>,
    /// The ELF machine of the 64-bit kernels that may run these files themselves.
    pub native_on: Option<u16>,
    /// The file that exists if such a kernel does. `None` if no file shows it.
    pub native_if: Option<PathBuf>,
}

impl From<&ElfKind> for Rule {
    fn from(kind: &ElfKind) -> Self {
        // The usual mask ignores the OS ABI (byte 7), and accepts ET_DYN (3) as well as ET_EXEC (2), which differ in
        // one bit.
        let mut magic = [0; ELF_KIND_LEN];
        let mut mask = [0xff; ELF_KIND_LEN];
        mask[7] = 0;
        magic[..4].copy_from_slice(b"\x7fELF");
        magic[4] = if kind.bits == 64 { 2 } else { 1 };
        magic[6] = 1;
        let machine = kind.elf_machine;
        match kind.endian {
            Endian::Little => {
                magic[5] = 1;
                magic[16] = 2;
                mask[16] = 0xfe;
                magic[18..].copy_from_slice(&machine.to_le_bytes());
            }
            Endian::Big => {
                magic[5] = 2;
                magic[17] = 2;
                mask[17] = 0xfe;
                magic[18..].copy_from_slice(&machine.to_be_bytes());
            }
        }
        kind.mask
            .iter()
            .for_each(|&(place, byte)| mask[place] = byte);
        let (mut magic, mut mask) = (magic.to_vec(), mask.to_vec());
        if let Some(flags) = kind.flags {
            // After e_entry, e_phoff and e_shoff, whose size depends on the class.
            let place = if kind.bits == 64 { 48 } else { 36 };
            let bytes = |number: u32| match kind.endian {
                Endian::Little => number.to_le_bytes(),
                Endian::Big => number.to_be_bytes(),
            };
            for (part, number) in [(&mut magic, flags.value), (&mut mask, flags.mask)] {
                part.resize(place, 0);
                part.extend(bytes(number));
            }
        }
        Self {
            qemu: kind.qemu.clone(),
            magic,
            mask,
            native_on: kind.native_on,
            native_if: kind.native_if.clone(),
        }
    }
}

impl Rule {
    /// Returns the rule's name in the kernel, which is that of QEMU's own rule.
    pub fn name(&self) -> String {
        format!("qemu-{}", self.qemu)
    }

    /// Returns whether the rule matches what the target's compiler makes: its QEMU is the tuple's, or its CPU is if
    /// the tuple leaves the ABI open.
    pub fn is_of(&self, target: &Target) -> bool {
        let machine = match target.endian {
            Endian::Little => target.elf_machine.to_le_bytes(),
            Endian::Big => target.elf_machine.to_be_bytes(),
        };
        match &target.qemu {
            Some(qemu) => *qemu == self.qemu || target.either_bits && self.magic[18..20] == machine,
            None => false,
        }
    }

    /// Returns whether the rule matches a file with this header.
    pub fn matches(&self, header: &[u8]) -> bool {
        let mut bytes = self.magic.iter().zip(&self.mask).zip(header);
        header.len() >= self.magic.len()
            && bytes.all(|((magic, mask), byte)| (magic ^ byte) & mask == 0)
    }

    /// Returns the line that registers the rule, in the form of the kernel's `register`.
    pub fn registration(&self, interpreter: &Path, flags: &str) -> Vec<u8> {
        let (name, magic, mask) = (self.name(), escaped(&self.magic), escaped(&self.mask));
        let mut line = format!(":{name}:M:0:{magic}:{mask}:").into_bytes();
        line.extend(interpreter.as_os_str().as_bytes());
        line.extend(format!(":{flags}").bytes());
        line
    }
}

/// Returns the rules of every family, built-in and users' own, sorted by QEMU's names.
pub fn all(config: &Config) -> Result<Vec<Rule>, ConfigError> {
    let kinds = target::elf_kinds(&config.families()?)?;
    let mut rules: Vec<Rule> = kinds.iter().map(Rule::from).collect();
    rules.sort_by(|a, b| a.qemu.cmp(&b.qemu));
    rules.dedup();
    Ok(rules)
}

/// Returns the rule that matches a file with this header.
pub fn of_header<'r>(rules: &'r [Rule], header: &[u8]) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.matches(header))
}

/// Writes every byte as `\xNN`.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}
