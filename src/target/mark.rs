//! The ABI of a compiler's programs and of a file, recognised by the `[[mark]]` sections of the CPU family. Pure.

use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The marks of an ABI.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The ABI.
    pub(super) elf_abi: Option<Cow<'static, str>>,
    /// The float ABI: how floating point arguments are passed.
    pub(super) float_abi: Option<Cow<'static, str>>,
    /// The macros that the compiler predefines: a name, or a name and its value. All are required.
    #[serde(default)]
    pub(super) macros: Cow<'static, [Cow<'static, str>]>,
    /// The `e_flags` of a linked file.
    pub(super) elf_flags: Option<ElfFlags>,
}

/// A condition on the `e_flags` of a linked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElfFlags {
    /// The bits that are compared.
    pub mask: u32,
    /// The value of these bits.
    pub value: u32,
}

/// The macros that a compiler defines, with their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macros(BTreeMap<String, String>);

impl Macros {
    /// Parses the output of `-dM -E`.
    pub fn parse(text: &str) -> Self {
        let defined = text.lines().filter_map(|line| {
            let line = line.strip_prefix("#define ")?;
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            Some((name.to_owned(), value.trim().to_owned()))
        });
        Self(defined.collect())
    }

    /// Returns whether a macro is defined, with this value if `wanted` has one.
    pub fn has(&self, wanted: &str) -> bool {
        match wanted.split_once(' ') {
            Some((name, value)) => self.0.get(name).is_some_and(|has| has == value),
            None => self.0.contains_key(wanted),
        }
    }

    /// Returns the value of a numeric macro.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name)?.parse().ok()
    }
}

/// A difference between the compiler's programs and the tuple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `libc`, `float ABI` and the like.
    pub what: &'static str,
    /// The value in the compiler's programs.
    pub made: String,
    /// The value that the tuple means.
    pub wanted: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, made, wanted } = self;
        write!(f, "its {what} is {made}, and the tuple means {wanted}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Source, Target};

    fn target(tuple: &str) -> Target {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple)
    }

    fn header(class: u8, data: u8, machine: u16, flags: u32) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, data]);
        let (machine, flags) = match data {
            1 => (machine.to_le_bytes(), flags.to_le_bytes()),
            _ => (machine.to_be_bytes(), flags.to_be_bytes()),
        };
        file[18..20].copy_from_slice(&machine);
        let at = if class == 1 { 36 } else { 48 };
        file[at..at + 4].copy_from_slice(&flags);
        file
    }

    #[test]
    fn the_float_abi_is_in_the_flags_of_each_byte_order_and_class() {
        for (tuple, class, data, machine, flags, wanted) in [
            ("arm-x-linux-gnueabi", 1, 1, 40, 0x0500_0200, Some("soft")),
            ("arm-x-linux-gnueabi", 1, 1, 40, 0x0500_0400, Some("hard")),
            ("armeb-x-linux-gnueabi", 1, 2, 40, 0x0500_0400, Some("hard")),
            // An object: Arm's assembler leaves the marks to the linker.
            ("arm-x-linux-gnueabi", 1, 1, 40, 0x0500_0000, None),
            ("riscv64-x-linux-gnu", 2, 1, 243, 0x5, Some("double")),
            ("riscv32-x-linux-gnu", 1, 1, 243, 0x1, Some("soft")),
            ("loongarch64-x-linux-gnu", 2, 1, 258, 0x43, Some("double")),
            ("s390x-x-linux-gnu", 2, 2, 22, 0, None),
            // For another machine.
            ("arm-x-linux-gnueabi", 2, 1, 243, 0x5, None),
        ] {
            let file = header(class, data, machine, flags);
            let target = target(tuple);
            assert_eq!(target.float_abi_of(&file), wanted, "{tuple} {flags:#x}");
            assert_eq!(target.float_abi_of(&file[..30]), None);
        }
        assert_eq!(target("arm-x-linux-gnueabi").float_abi_of(b"MZ"), None);
    }

    /// The macros that compilers predefine, as GCC 12 and clang 14 print them.
    const ARM_SOFT: &str = "#define __ARM_PCS 1\n#define __ARM_EABI__ 1\n";
    const ARM_HARD: &str = "#define __ARM_PCS_VFP 1\n#define __ARM_EABI__ 1\n";
    const ARM_HARD_CLANG: &str = "#define __ARM_PCS 1\n#define __ARM_PCS_VFP 1\n";
    const LP64D: &str = "#define __riscv_xlen 64\n#define __riscv_float_abi_double 1\n";
    const LP64: &str = "#define __riscv_xlen 64\n#define __riscv_float_abi_soft 1\n";
    const ELFV1: &str = "#define _CALL_ELF 1\n";
    const ELFV2: &str = "#define _CALL_ELF 2\n";
    const O32: &str = "#define _ABIO32 1\n#define _MIPS_SIM _ABIO32\n#define __mips_hard_float 1\n";
    const O32_SOFT: &str = "#define _MIPS_SIM _ABIO32\n#define __mips_soft_float 1\n";
    const N32: &str = "#define _ABIN32 2\n#define _MIPS_SIM _ABIN32\n#define __mips_hard_float 1\n";
    const N64: &str = "#define _ABI64 3\n#define _MIPS_SIM _ABI64\n#define __mips_hard_float 1\n";
    const LOONG_SOFT: &str = "#define __loongarch_soft_float 1\n#define __loongarch_lp64 1\n";
    const LOONG_DOUBLE: &str = "#define __loongarch_double_float 1\n#define __loongarch_lp64 1\n";

    /// This is a table: one row for each case.
    #[test]
    fn a_compiler_of_another_abi_is_distinguished_from_one_of_the_tuples() {
        for (tuple, macros, other) in [
            (
                "armv7a-unknown-linux-gnueabihf",
                ARM_SOFT,
                Some(("soft", "hard")),
            ),
            ("armv7a-unknown-linux-gnueabihf", ARM_HARD, None),
            ("armv7a-unknown-linux-gnueabihf", ARM_HARD_CLANG, None),
            (
                "armv7a-unknown-linux-musleabihf",
                ARM_SOFT,
                Some(("soft", "hard")),
            ),
            (
                "armv7a-hardfloat-linux-gnueabi",
                ARM_SOFT,
                Some(("soft", "hard")),
            ),
            (
                "armv7a-unknown-linux-gnueabi",
                ARM_HARD,
                Some(("hard", "soft")),
            ),
            ("armv4tl-softfloat-linux-gnueabi", ARM_SOFT, None),
            ("armv6j-softfp-linux-gnueabi", ARM_SOFT, None),
            (
                "armv7a-softfp-linux-uclibceabi",
                ARM_HARD,
                Some(("hard", "soft")),
            ),
            (
                "armv7a-unknown-linux-gnueabihft64",
                ARM_SOFT,
                Some(("soft", "hard")),
            ),
            (
                "armv7a-unknown-linux-gnueabit64",
                ARM_HARD,
                Some(("hard", "soft")),
            ),
            // Bare metal has multilibs, and every project chooses its own.
            ("arm-none-eabi", ARM_SOFT, None),
            ("arm-none-eabi", ARM_HARD, None),
            ("riscv64-unknown-linux-gnu", LP64, Some(("soft", "double"))),
            ("riscv64-unknown-linux-musl", LP64D, None),
            (
                "riscv64-softfloat-linux-gnu",
                LP64D,
                Some(("double", "soft")),
            ),
            ("riscv64-unknown-elf", LP64, None),
            (
                "loongarch64-unknown-linux-gnu",
                LOONG_SOFT,
                Some(("soft", "double")),
            ),
            ("loongarch64-unknown-linux-gnusf", LOONG_SOFT, None),
            ("loongarch64-unknown-linux-gnuf64", LOONG_DOUBLE, None),
            (
                "powerpc64-unknown-linux-gnu",
                ELFV2,
                Some(("elfv2", "elfv1")),
            ),
            (
                "powerpc64-unknown-linux-musl",
                ELFV1,
                Some(("elfv1", "elfv2")),
            ),
            ("powerpc64-unknown-linux-gnuelfv2", ELFV2, None),
            ("powerpc64le-unknown-linux-gnu", ELFV2, None),
            ("powerpc-unknown-linux-gnu", ELFV1, None),
            ("mips-unknown-linux-gnu", N32, Some(("n32", "32"))),
            ("mips64-unknown-linux-gnuabin32", O32, Some(("32", "n32"))),
            ("mips64el-unknown-linux-gnuabi64", N32, Some(("n32", "64"))),
            ("mips64el-unknown-linux-gnu", N32, None),
            ("mips64el-unknown-linux-gnu", N64, None),
            ("mipsel-unknown-linux-muslsf", O32, Some(("hard", "soft"))),
            ("mipsel-softfloat-linux-gnu", O32_SOFT, None),
            // Distributions for routers have soft float under the plain name.
            ("mips-openwrt-linux-musl", O32_SOFT, None),
            ("x86_64-unknown-linux-gnu", "", None),
        ] {
            let found = target(tuple).other_abi(&Macros::parse(macros));
            let found = found.map(|other| (other.made, other.wanted));
            let other = other.map(|(made, wanted)| (made.to_owned(), wanted.to_owned()));
            assert_eq!(found, other, "{tuple} {macros}");
        }
    }
}
