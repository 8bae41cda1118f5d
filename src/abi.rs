//! The ABI of a compiler's programs, read from a program that it links without any library.
//!
//! A linked program is used because GNU as leaves Arm's float ABI to the linker. The numbers of `e_flags` are those
//! of the processor supplements: MIPS (`EF_MIPS_ABI`, `EF_MIPS_ABI2`), 64-bit PowerPC ELF V2 ("e_flags"), Arm's ELF
//! (5.2), the RISC-V ELF psABI ("File Header") and the LoongArch ELF psABI ("e_flags").

use crate::{config::ToolchainKind, context::Context};
use crossmerge_plan::plan::Plan;
use crossmerge_system::{
    exec::probe::{self, ProbeDirectory},
    file::read,
};
use std::{ffi::OsString, path::Path};

/// The bits of `e_flags` that distinguish ABIs, by machine.
const MARKS: [(u16, u32); 5] = [(8, 0xf020), (21, 0x3), (40, 0x600), (243, 0xe), (258, 0x7)];

/// The part of an ABI that an ELF header shows: two programs with different values cannot be linked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abi {
    class: u8,
    data: u8,
    machine: u16,
    marks: u32,
}

impl Abi {
    /// Reads the header of a linked program. Returns `None` if the file is not ELF.
    pub(crate) fn of(header: &[u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class, data, ..] = *header else {
            return None;
        };
        let half = |bytes: [u8; 2]| match data {
            1 => u16::from_le_bytes(bytes),
            _ => u16::from_be_bytes(bytes),
        };
        let word = |bytes: [u8; 4]| match data {
            1 => u32::from_le_bytes(bytes),
            _ => u32::from_be_bytes(bytes),
        };
        let machine = half(header.get(18..20)?.try_into().ok()?);
        // After e_entry, e_phoff and e_shoff, whose size depends on the class.
        let at = if class == 1 { 36 } else { 48 };
        let flags = word(header.get(at..at + 4)?.try_into().ok()?);
        let mask = MARKS.iter().find(|(marked, _)| *marked == machine);
        Some(Self {
            class,
            data,
            machine,
            marks: flags & mask.map_or(0, |(_, mask)| *mask),
        })
    }
}

/// Links a program with these flags and returns its ABI. Returns `None` if that fails.
pub(crate) fn made(
    context: &Context,
    kind: ToolchainKind,
    compiler: &Path,
    flags: &[&str],
) -> Option<Abi> {
    let probes = ProbeDirectory::new().ok()?;
    let source = probes.source("probe.c", probe::BARE).ok()?;
    let out = probes.join("probe");
    let mut args: Vec<OsString> = Vec::new();
    args.extend(kind.compiler_args(&context.tuple));
    match (kind, &context.settings.toolchain) {
        (ToolchainKind::Llvm, _) => args.push("-fuse-ld=lld".into()),
        (ToolchainKind::Zig, Some(adopted)) => args.extend(adopted.options.iter().map(Into::into)),
        _ => {}
    }
    args.extend(flags.iter().map(Into::into));
    args.extend(probe::link_bare(&source, &out));
    let plan = Plan {
        program: compiler.into(),
        args,
        ..Plan::default()
    };
    let output = probes.compile(plan).ok()?;
    output.status.success().then_some(())?;
    Abi::of(&read::head(&out, read::ELF_HEADER).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_the_abi_distinguish_programs() {
        let header = |class: u8, data: u8, machine: u16, flags: u32| {
            let mut file = vec![0; 64];
            file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, data]);
            let at = if class == 1 { 36 } else { 48 };
            match data {
                1 => {
                    file[18..20].copy_from_slice(&machine.to_le_bytes());
                    file[at..at + 4].copy_from_slice(&flags.to_le_bytes());
                }
                _ => {
                    file[18..20].copy_from_slice(&machine.to_be_bytes());
                    file[at..at + 4].copy_from_slice(&flags.to_be_bytes());
                }
            }
            Abi::of(&file).expect("ELF")
        };
        for (one, other, same) in [
            // riscv: lp64 and lp64d; the compressed instructions do not matter.
            ((2, 1, 243, 0x1), (2, 1, 243, 0x5), false),
            ((2, 1, 243, 0x4), (2, 1, 243, 0x5), true),
            // arm: soft and hard float.
            ((1, 1, 40, 0x0500_0200), (1, 1, 40, 0x0500_0400), false),
            // mips: o32 and n32; n32 and n64; a release of the instructions.
            ((1, 2, 8, 0x7000_1007), (1, 2, 8, 0x8000_0027), false),
            ((1, 2, 8, 0x8000_0027), (2, 2, 8, 0x8000_0007), false),
            ((1, 2, 8, 0x5000_1007), (1, 2, 8, 0x7000_1007), true),
            // x86-64 and x32; ppc64 of both byte orders.
            ((2, 1, 62, 0), (1, 1, 62, 0), false),
            ((2, 2, 21, 1), (2, 1, 21, 2), false),
        ] {
            let of = |(class, data, machine, flags)| header(class, data, machine, flags);
            assert_eq!(of(one) == of(other), same, "{one:x?} {other:x?}");
        }
        assert_eq!(Abi::of(b"MZ"), None);
    }
}
