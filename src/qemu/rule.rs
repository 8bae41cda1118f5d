//! The rules of binfmt_misc: which ELF files go to which QEMU. Pure.
//!
//! A rule is a magic and a mask over the first bytes of a file, as in the kernel's
//! `Documentation/admin-guide/binfmt-misc.rst`: the file is one of the rule's when both agree wherever the mask has a bit.
//! The same rules choose the QEMU for `<tuple>-run`, which reads the header itself. They come from `[[binfmt]]` in
//! `profiles/*.toml`; the layout of the header is that of elf(5).

use crate::{
    config::{Config, ConfigError},
    target,
    target::{ELF_KIND_LEN, ElfKind, Endian, Target},
};
use std::{os::unix::ffi::OsStrExt, path::Path};

/// The files of one QEMU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// QEMU's user-mode target, the part behind `qemu-`: `arm`.
    pub qemu: String,
    /// What a file begins with, wherever the mask has a bit.
    pub magic: Vec<u8>,
    /// Which bits count. As long as the magic.
    pub mask: Vec<u8>,
}

impl From<&ElfKind> for Rule {
    fn from(kind: &ElfKind) -> Self {
        // The usual mask leaves open the OS ABI (byte 7), and takes ET_DYN (3) with ET_EXEC (2), which differ in a bit.
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
            // Behind e_entry, e_phoff and e_shoff, which are as wide as the class.
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
        }
    }
}

impl Rule {
    /// The name that the rule goes by in the kernel: that of QEMU's own rule.
    pub fn name(&self) -> String {
        format!("qemu-{}", self.qemu)
    }

    /// Returns whether the rule is for what the target's compiler makes: it has the QEMU that the tuple names, or the same CPU
    /// where the tuple leaves the ABI open.
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

    /// Returns whether a file that begins so is one of the rule's.
    pub fn matches(&self, header: &[u8]) -> bool {
        let mut bytes = self.magic.iter().zip(&self.mask).zip(header);
        header.len() >= self.magic.len()
            && bytes.all(|((magic, mask), byte)| (magic ^ byte) & mask == 0)
    }

    /// The line that registers the rule, as the kernel's `register` takes it.
    pub fn registration(&self, interpreter: &Path, flags: &str) -> Vec<u8> {
        let (name, magic, mask) = (self.name(), escaped(&self.magic), escaped(&self.mask));
        let mut line = format!(":{name}:M:0:{magic}:{mask}:").into_bytes();
        line.extend(interpreter.as_os_str().as_bytes());
        line.extend(format!(":{flags}").bytes());
        line
    }
}

/// The rules of every family, built in and users' own, sorted by QEMU's names.
pub fn all(config: &Config) -> Result<Vec<Rule>, ConfigError> {
    let kinds = target::elf_kinds(&config.families()?)?;
    let mut rules: Vec<Rule> = kinds.iter().map(Rule::from).collect();
    rules.sort_by(|a, b| a.qemu.cmp(&b.qemu));
    rules.dedup();
    Ok(rules)
}

/// The rule of a file that begins so.
pub fn of_header<'r>(rules: &'r [Rule], header: &[u8]) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.matches(header))
}

/// Writes every byte as `\xNN`.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}
