//! The facts of a target: its tuple and the CPU families of `profiles/*.toml` give Portage's ARCH, the kernel's ARCH,
//! QEMU's name and the rest.
//!
//! This module names no CPU: a new CPU is a new file. KERNEL and ELIBC come from the tuple's other fields: see
//! `system.rs`. Pure; `config.rs` reads the files of `/etc/crossmerge/profiles`.

mod abi;
mod board;
pub(crate) mod elf_machine;
mod family;
mod mark;
mod spellings;

pub use board::{Board, Bus};
pub use family::{ELF_KIND_LEN, ElfKind, Endian};
pub use mark::{ElfFlags, Macros, Mark, Mismatch};
pub use spellings::Spellings;

use crate::system;
use board::Boards;
use crossmerge_plan::{glob, report::Explain, tuple::Tuple};
use family::{Binfmt, Fact, Family, Text, Variant};
use serde::Serialize;
use std::{borrow::Cow, fmt::Display};

/// The built-in CPU families.
static BUILT_IN: &[BuiltInFamily] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// A built-in CPU family.
#[derive(Debug)]
struct BuiltInFamily {
    /// The file's stem.
    stem: &'static str,
    family: Family,
    /// Its keys for looking up names, as TOML. Few commands need them.
    names: &'static str,
    /// Its boards, as TOML. Few commands need them.
    boards: &'static str,
}

/// The facts of one target, in the order in which `crossmerge show` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The tuple, whole.
    pub tuple: String,
    /// Its first field.
    pub cpu: String,
    /// Its vendor, if it has one.
    pub vendor: Option<String>,
    /// Portage's ARCH, as `tc-arch` prints it (`unknown` included).
    pub arch: String,
    /// Portage's KERNEL. `None` on bare metal.
    pub kernel: Option<&'static str>,
    /// Portage's ELIBC. `None` if Gentoo has no name for the libc.
    pub elibc: Option<&'static str>,
    /// The kernel's ARCH, as `tc-arch-kernel` prints it.
    pub karch: String,
    /// The ARCH for the kernel's own make, if that differs: it also depends on the word size.
    #[serde(skip)]
    kbuild: Option<String>,
    /// QEMU's user-mode target, the part after `qemu-`.
    pub qemu: Option<String>,
    /// Byte order.
    pub endian: Endian,
    /// Word size of the ABI, which is the ELF class.
    pub bits: u8,
    /// The `e_machine` number registered for the CPU.
    pub elf_machine: u16,
    /// rustc's target.
    pub rust: Option<String>,
    /// Go's GOARCH.
    pub goarch: Option<String>,
    /// Go's variable for the CPU level of that GOARCH, with its value.
    pub golevel: Option<String>,
    /// Zig's `-target`.
    #[serde(skip)]
    pub zig: Option<String>,
    /// Zig's `-mcpu` for the CPU that the tuple names. `None` if Zig's default is right.
    #[serde(skip)]
    pub zigcpu: Option<String>,
    /// Go's GOOS.
    pub goos: Option<&'static str>,
    /// Meson's `cpu_family`.
    pub meson_cpu_family: Option<String>,
    /// Meson's `system`.
    pub meson_system: &'static str,
    /// CMake's `CMAKE_SYSTEM_PROCESSOR`, which is what `uname -m` prints on the target.
    pub cmake_processor: Option<String>,
    /// CMake's `CMAKE_SYSTEM_NAME`.
    pub cmake_system: &'static str,
    /// Compiler flags that select the CPU and its float ABI. Empty if the toolchain's default is right.
    pub cflags: String,
    /// Whether the tuple leaves the ABI open, so that an object of the other ELF class is right too.
    #[serde(skip)]
    pub either_bits: bool,
    /// The default `-mabi=` of a toolchain for the tuple, if profiles with the same CHOST differ by it.
    #[serde(skip)]
    pub abi: Option<String>,
    /// The ABI, if there are several for the CPU. `None` if the tuple leaves it open.
    #[serde(skip)]
    pub elf_abi: Option<String>,
    /// The float ABI: how floating point arguments are passed. `None` if the tuple leaves it open, or if the CPU has only
    /// one.
    #[serde(skip)]
    pub float_abi: Option<String>,
    /// The marks by which the family's ABIs are recognised.
    #[serde(skip)]
    pub marks: Cow<'static, [Mark]>,
}

/// Why there are no facts about a tuple.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No family contains the tuple's CPU.
    #[error("no profile contains the CPU `{cpu}` of `{tuple}`")]
    UnknownCpu {
        /// The first field.
        cpu: String,
        /// The tuple.
        tuple: String,
        /// The directory in which a user can add it.
        directory: String,
    },
    /// A file does not match the schema.
    #[error("profile `{file}`: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// The error, with the line.
        message: String,
    },
}

impl Explain for TargetError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownCpu { cpu, directory, .. } => {
                format!(
                    "`crossmerge show` lists the CPUs and their names; add a new one in `{directory}/{cpu}.toml`: profiles/README.md describes the format"
                )
            }
            Self::Malformed { file, .. } => {
                format!("fix `{file}`; profiles/README.md describes the format")
            }
        })
    }
}

/// The file of a CPU family.
#[derive(Debug, Clone)]
pub struct Source(SourceFile);

#[derive(Debug, Clone)]
enum SourceFile {
    BuiltIn(&'static BuiltInFamily),
    /// A user's own: its name for messages, and its text.
    Own(String, String),
}

impl Source {
    /// Returns the source for a user's own file.
    pub fn own(file: String, text: String) -> Self {
        Self(SourceFile::Own(file, text))
    }

    /// Returns the built-in files, by stem.
    pub fn built_in() -> impl Iterator<Item = (&'static str, Self)> {
        let families = BUILT_IN.iter();
        families.map(|family| (family.stem, Self(SourceFile::BuiltIn(family))))
    }

    /// Returns whether it is a built-in file, which the tests check completely.
    fn is_built_in(&self) -> bool {
        matches!(self.0, SourceFile::BuiltIn(_))
    }

    fn family(&self) -> Result<Cow<'static, Family>, TargetError> {
        match &self.0 {
            SourceFile::BuiltIn(built_in) => Ok(Cow::Borrowed(&built_in.family)),
            SourceFile::Own(_, text) => {
                let family = Family::parse(text).map_err(|e| self.malformed(&e))?;
                Ok(Cow::Owned(family))
            }
        }
    }

    /// Reads the names of the family.
    pub(crate) fn names(&self) -> Result<Spellings, TargetError> {
        let text = match &self.0 {
            SourceFile::BuiltIn(built_in) => built_in.names,
            SourceFile::Own(_, text) => text,
        };
        toml::from_str(text).map_err(|e| self.malformed(&e))
    }

    /// Reads the virtual boards of the family.
    fn boards(&self) -> Result<Boards, TargetError> {
        let text = match &self.0 {
            SourceFile::BuiltIn(built_in) => built_in.boards,
            SourceFile::Own(_, text) => text,
        };
        toml::from_str(text).map_err(|e| self.malformed(&e))
    }

    fn malformed(&self, error: &impl Display) -> TargetError {
        TargetError::Malformed {
            file: match &self.0 {
                SourceFile::BuiltIn(built_in) => format!("profiles/{}.toml", built_in.stem),
                SourceFile::Own(file, _) => file.clone(),
            },
            message: error.to_string().trim_end().into(),
        }
    }
}

/// Returns the number of plain characters in the best glob that matches a CPU, or `None` if none does.
pub(crate) fn fit<G: AsRef<str>>(cpus: &[G], cpu: &str) -> Option<usize> {
    let globs = cpus.iter().map(AsRef::as_ref);
    globs
        .filter(|glob| glob::matches(glob, cpu))
        .map(|glob| glob.chars().filter(|c| !"*?".contains(*c)).count())
        .max()
}

/// Finds the family that matches the tuple's CPU best: of two globs that match, the one with more plain characters is
/// better.
fn best_family<'s>(
    tuple: &Tuple,
    sources: &'s [Source],
    directory: &str,
) -> Result<(&'s Source, Cow<'static, Family>), TargetError> {
    let mut best: Option<(usize, &Source, Cow<Family>)> = None;
    for source in sources {
        let family = source.family()?;
        if let Some(plain) = fit(&family.cpus, tuple.cpu())
            && best.as_ref().is_none_or(|(most, ..)| plain > *most)
        {
            best = Some((plain, source, family));
        }
    }
    match best {
        Some((_, source, family)) => Ok((source, family)),
        None => Err(TargetError::UnknownCpu {
            cpu: tuple.cpu().into(),
            tuple: tuple.to_string(),
            directory: directory.into(),
        }),
    }
}

/// Returns the virtual board of a tuple. `None` if there is none for its CPU or system.
///
/// # Errors
///
/// A [`TargetError`] if no family contains the CPU, or a file does not match the schema.
pub fn board_of(
    tuple: &Tuple,
    sources: &[Source],
    directory: &str,
) -> Result<Option<Board>, TargetError> {
    let (source, _) = best_family(tuple, sources, directory)?;
    Ok(source.boards()?.into_board(tuple))
}

impl Target {
    /// Finds the family that matches the tuple's CPU best, and collects its facts.
    pub fn of(tuple: &Tuple, sources: &[Source], directory: &str) -> Result<Self, TargetError> {
        let (source, family) = best_family(tuple, sources, directory)?;
        let facts = family
            .facts_of(tuple, !source.is_built_in())
            .map_err(|e| source.malformed(&e))?;
        let system = system::of(tuple);
        let goarch = name(facts.goarch);
        let zig = facts.zig.and_then(name);
        Ok(Self {
            tuple: tuple.to_string(),
            cpu: tuple.cpu().into(),
            vendor: tuple.vendor().map(Into::into),
            arch: facts.arch.into(),
            kernel: system.kernel,
            elibc: system::elibc(tuple),
            karch: facts.karch.into(),
            kbuild: facts.kbuild.map(Into::into),
            qemu: name(facts.qemu),
            endian: facts.endian,
            bits: facts.bits,
            elf_machine: facts.elf_machine,
            rust: name(facts.rust),
            golevel: goarch.as_ref().and(facts.golevel).and_then(name),
            goarch,
            zigcpu: zig.as_ref().and(facts.zigcpu).and_then(name),
            zig,
            goos: system.go,
            meson_cpu_family: name(facts.meson_cpu_family),
            meson_system: system.meson,
            cmake_processor: name(facts.cmake_processor),
            cmake_system: system.cmake,
            cflags: facts.cflags.into(),
            either_bits: facts.either_bits.unwrap_or_default(),
            abi: facts.abi.and_then(name),
            elf_abi: facts.elf_abi.and_then(name),
            float_abi: facts.float_abi.and_then(name),
            marks: family.mark.clone(),
        })
    }

    /// Returns the ARCH for the kernel's own make, or `None` if the kernel has no name for the CPU.
    pub fn kernel_arch(&self) -> Option<&str> {
        let named = self.kbuild.as_deref().unwrap_or(&self.karch);
        // `tc-arch-kernel` prints `unknown` in this case.
        (named != "unknown").then_some(named)
    }

    /// Returns the last field if it begins with a libc and ends in no known ABI, which is probably a typing error.
    /// The facts do not show it, since any ending means the libc with the CPU's usual ABI.
    pub fn unknown_abi(&self) -> Option<&str> {
        let last = self.tuple.rsplit('-').next()?;
        system::unknown_abi(last)
    }

    /// Returns whether a compiler for this tuple also compiles for another one, as far as the tuples show: CPU kind,
    /// byte order, word size, kernel, libc and ABI are the same. A field that one of them leaves open matches anything.
    pub(crate) fn serves(&self, other: &Self) -> bool {
        let same_bits = self.bits == other.bits || self.either_bits || other.either_bits;
        let same_libc = self.elibc.is_none() || other.elibc.is_none() || self.elibc == other.elibc;
        let (own, others) = (self.abi(), other.abi());
        // Tuples of MIPS and POWER may name an ABI that others leave open.
        let is_word_size = |abi: &str| abi.starts_with("abi") || abi.starts_with("elfv");
        let same_abi = own.0 == others.0
            || own.0.is_empty() && is_word_size(others.0)
            || others.0.is_empty() && is_word_size(own.0);
        (self.elf_machine, self.endian, self.kernel)
            == (other.elf_machine, other.endian, other.kernel)
            && same_bits
            && same_libc
            && same_abi
            && own.1 == others.1
    }

    /// Returns the ABI that the last field names after the libc, and whether floating point arguments are in FPU
    /// registers if a name can express that.
    fn abi(&self) -> (&str, bool) {
        let last = self.tuple.rsplit('-').next().unwrap_or_default();
        let bare = if last.starts_with("eabi") { last } else { "" };
        let abi = system::abi_of(last).unwrap_or(bare);
        let (abi, named) = match abi.strip_suffix("hf") {
            Some(abi) => (abi, true),
            None => (abi, false),
        };
        let has_flag = || self.cflags.contains("-mfloat-abi=hard");
        let is_vendor = || self.vendor.as_deref() == Some("hardfloat");
        (abi, named || has_flag() || is_vendor())
    }

    /// Renders the facts as text: one line for each key of the JSON, with its value.
    pub fn to_text(&self) -> String {
        let json = serde_json::to_value(self).expect("plain data");
        let value = |key: &str| match &json[key] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "-".into(),
            number => number.to_string(),
        };
        Self::KEYS
            .iter()
            .map(|key| format!("{key:<17} {}\n", value(key)))
            .collect()
    }

    /// The keys of `show`, in order.
    const KEYS: [&str; 20] = [
        "tuple",
        "cpu",
        "vendor",
        "arch",
        "kernel",
        "elibc",
        "karch",
        "qemu",
        "endian",
        "bits",
        "elf_machine",
        "rust",
        "goarch",
        "golevel",
        "goos",
        "meson_cpu_family",
        "meson_system",
        "cmake_processor",
        "cmake_system",
        "cflags",
    ];
}

/// Returns the kinds of ELF files that QEMU runs, of all families. A family without `[[binfmt]]` has one kind from
/// its facts, unless another family has defined what QEMU of that name runs.
pub fn elf_kinds(sources: &[Source]) -> Result<Vec<ElfKind>, TargetError> {
    let (mut kinds, mut left) = (Vec::new(), Vec::new());
    for source in sources {
        let family = source.family()?;
        let facts = family.usual_facts().map_err(|e| source.malformed(&e))?;
        for binfmt in &*family.binfmt {
            let kind = binfmt.kind(&facts).map_err(|e| source.malformed(&e))?;
            if let Some(other) = kinds
                .iter()
                .find(|other: &&ElfKind| other.qemu == kind.qemu)
                && *other != kind
            {
                return Err(source.malformed(&format!(
                    "another profile defines other ELF files of QEMU's `{}`",
                    kind.qemu
                )));
            }
            kinds.push(kind);
        }
        if family.binfmt.is_empty() && facts.qemu != NO_NAME {
            let kind = Binfmt::of(facts.qemu.clone()).kind(&facts);
            left.push(kind.expect("no mask to misread"));
        }
    }
    for kind in left {
        if kinds.iter().all(|known| known.qemu != kind.qemu) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// What a file states if there is no name.
const NO_NAME: &str = "none";

fn name(name: Text) -> Option<String> {
    (name != NO_NAME).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_abi_is_distinguished_from_known_ones() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        for (tuple, unknown) in [
            ("armv7a-unknown-linux-gnueabihf", None),
            ("armv7a-unknown-linux-gnuabihf", Some("gnuabihf")),
            ("armv7a-unknown-linux-gnueabifh", Some("gnueabifh")),
            ("armv7a-unknown-linux-gnueabihft64", None),
            ("i686-pc-linux-gnu_t64", None),
            ("mips64el-unknown-linux-gnuabin32", None),
            ("x86_64-cross-linux-gnux32", None),
            ("aarch64-unknown-linux-musl", None),
            ("arm-unknown-linux-musleabi", None),
            ("arm-unknown-linux-mussleabi", None),
            ("arm-none-eabi", None),
            ("avr", None),
        ] {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            assert_eq!(target.unknown_abi(), unknown, "{tuple}");
        }
    }

    #[test]
    fn a_compiler_serves_the_tuples_that_mean_the_same_machine_libc_and_abi() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        let target =
            |tuple: &str| Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
        for (compiler, tuple, serves) in [
            ("aarch64-linux-gnu", "aarch64-unknown-linux-gnu", true),
            ("aarch64-linux-gnu", "aarch64-unknown-linux-musl", false),
            ("aarch64-suse-linux", "aarch64-unknown-linux-gnu", true),
            ("aarch64-none-elf", "aarch64-unknown-linux-gnu", false),
            ("aarch64-linux-gnu", "aarch64_be-unknown-linux-gnu", false),
            (
                "arm-linux-gnueabihf",
                "armv7a-unknown-linux-gnueabihf",
                true,
            ),
            (
                "arm-linux-gnueabihf",
                "armv7a-hardfloat-linux-gnueabi",
                true,
            ),
            ("arm-linux-gnueabi", "armv7a-unknown-linux-gnueabihf", false),
            (
                "arm-linux-gnueabihf",
                "armv5tel-softfloat-linux-gnueabi",
                false,
            ),
            (
                "arm-linux-gnueabi",
                "armv5tel-softfloat-linux-gnueabi",
                true,
            ),
            ("arm-none-eabi", "armv7m-unknown-eabi", true),
            ("arm-none-eabi", "armv5tel-softfloat-linux-gnueabi", false),
            (
                "arm-poky-linux-gnueabi",
                "armv7a-unknown-linux-gnueabi",
                true,
            ),
            ("i686-linux-gnu", "i686-cross-linux-gnu", true),
            ("x86_64-linux-gnu", "i686-cross-linux-gnu", false),
            ("x86_64-linux-gnux32", "x86_64-cross-linux-gnu", false),
            ("x86_64-linux-gnux32", "x86_64-cross-linux-gnux32", true),
            ("x86_64-w64-mingw32", "x86_64-cross-mingw32", true),
            (
                "mips64el-linux-gnuabi64",
                "mips64el-unknown-linux-gnuabi64",
                true,
            ),
            (
                "mips64el-linux-gnuabi64",
                "mips64el-unknown-linux-gnuabin32",
                false,
            ),
            ("mipsel-linux-gnu", "mips-unknown-linux-gnu", false),
            (
                "powerpc64le-linux-gnu",
                "powerpc64-unknown-linux-gnu",
                false,
            ),
            ("riscv64-linux-gnu", "riscv64-unknown-linux-gnu", true),
            ("riscv64-unknown-elf", "riscv64-unknown-linux-gnu", false),
        ] {
            assert_eq!(
                target(compiler).serves(&target(tuple)),
                serves,
                "{compiler} for {tuple}"
            );
        }
    }

    #[test]
    fn every_refinement_of_the_built_in_families_is_well_formed() {
        let tuple: Tuple = "x86_64-pc-linux-gnu".parse().expect("a tuple");
        for (stem, source) in Source::built_in() {
            let family = source.family().expect(stem);
            family.facts_of(&tuple, true).expect(stem);
        }
    }

    #[test]
    fn the_built_in_families_are_what_the_files_state() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        for built_in in BUILT_IN {
            let file = directory.join(format!("{}.toml", built_in.stem));
            let text = std::fs::read_to_string(&file).expect(built_in.stem);
            let own = Source::own(file.display().to_string(), text);
            let family = own.family().expect(built_in.stem);
            assert_eq!(*family, built_in.family, "{}", built_in.stem);
            let boards = Source(SourceFile::BuiltIn(built_in)).boards();
            assert_eq!(
                boards.expect(built_in.stem),
                own.boards().expect(built_in.stem)
            );
            let names = Source(SourceFile::BuiltIn(built_in)).names();
            assert_eq!(
                names.expect(built_in.stem),
                own.names().expect(built_in.stem)
            );
        }
    }
}
