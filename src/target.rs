//! The facts of a target: its tuple and the CPU families of `profiles/*.toml` give Portage's ARCH, the kernel's ARCH,
//! QEMU's name and the rest.
//!
//! This module names no CPU: a new CPU is a new file. KERNEL and ELIBC come from the tuple's other fields: see
//! `system.rs`. Pure; `config.rs` reads the files of `/etc/crossmerge/profiles`.

mod abi;
pub(crate) mod elf_machine;
mod mark;
mod spellings;

pub use mark::{ElfFlags, Macros, Mark, Mismatch};
pub use spellings::Spellings;

use crate::system;
use crossmerge_plan::{report::Explain, tuple::Tuple};
use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};
use wildmatch::WildMatch;

/// The built-in CPU families.
const BUILT_IN: &[BuiltInFamily] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// A built-in CPU family.
#[derive(Debug)]
struct BuiltInFamily {
    /// The file's stem.
    stem: &'static str,
    text: &'static str,
    /// Its globs on CPUs.
    cpus: &'static [&'static str],
    /// Its keys for looking up names, kept apart so that the facts are found without parsing them.
    names: &'static str,
}

/// One file of `profiles/`.
#[derive(Debug, Deserialize)]
struct CpuFamily {
    #[expect(dead_code, reason = "it is for a user who reads the file")]
    summary: String,
    /// Globs on the first field of its tuples.
    cpus: Vec<String>,
    /// Refinements. Every one that matches the tuple applies, in order.
    #[serde(default)]
    variant: Vec<Variant>,
    /// The ELF files that QEMU runs. Empty in a file that leaves them to the facts.
    #[serde(default)]
    binfmt: Vec<Binfmt>,
    /// The marks by which the family's ABIs are recognised.
    #[serde(default)]
    mark: Vec<Mark>,
    #[serde(flatten)]
    facts: toml::Table,
}

#[derive(Debug, Deserialize)]
struct Variant {
    /// Globs on the whole tuple, one of which must match.
    tuple: Vec<String>,
    /// Globs on the whole tuple, none of which may match.
    #[serde(default)]
    except: Vec<String>,
    #[serde(flatten)]
    facts: toml::Table,
}

/// One kind of ELF file of a family, and its QEMU. An absent key has the value of the family's facts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Binfmt {
    qemu: String,
    endian: Option<Endian>,
    bits: Option<u8>,
    elf_machine: Option<u16>,
    /// Bytes of the mask that differ from the usual one, by their offset in the header.
    #[serde(default)]
    mask: BTreeMap<String, u8>,
    flags: Option<ElfFlags>,
    native_on: Option<u16>,
    native_if: Option<PathBuf>,
}

/// The ELF files that one QEMU runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfKind {
    /// QEMU's user-mode target, the part after `qemu-`.
    pub qemu: String,
    /// Byte order.
    pub endian: Endian,
    /// The ELF class.
    pub bits: u8,
    /// The `e_machine` number.
    pub elf_machine: u16,
    /// Bytes of the mask that differ from the usual one, by their offset in the header.
    pub mask: Vec<(usize, u8)>,
    /// The required `e_flags`, if they distinguish two kinds.
    pub flags: Option<ElfFlags>,
    /// The ELF machine of the 64-bit kernels that may run these files themselves.
    pub native_on: Option<u16>,
    /// The file that exists if such a kernel does. `None` if no file shows it.
    pub native_if: Option<PathBuf>,
}

/// The number of header bytes by which kinds are distinguished: up to the end of `e_machine`.
pub const ELF_KIND_LEN: usize = 20;

/// The facts of a family, with its refinements.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyFacts {
    arch: String,
    karch: String,
    kbuild: Option<String>,
    endian: Endian,
    bits: u8,
    elf_machine: u16,
    qemu: Name,
    rust: Name,
    goarch: Name,
    #[serde(default)]
    golevel: Name,
    meson_cpu_family: Name,
    cmake_processor: Name,
    cflags: String,
    #[serde(default)]
    either_bits: bool,
    #[serde(default)]
    abi: Name,
    #[serde(default)]
    elf_abi: Name,
    #[serde(default)]
    float_abi: Name,
}

/// A name that may be absent: `"none"` in the file.
#[derive(Debug, Default)]
struct Name(Option<String>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Ok(Self((name != "none").then_some(name)))
    }
}

/// The byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endian {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
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
    pub marks: Vec<Mark>,
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
pub struct Source {
    /// Its name, for messages.
    pub file: String,
    text: Cow<'static, str>,
    /// Its globs on CPUs, if they are known without parsing: most calls need one family of many.
    cpus: Option<&'static [&'static str]>,
    /// The keys for looking up names, if they are separate.
    names: Option<&'static str>,
}

impl Source {
    /// Returns the source for a user's own file.
    pub fn own(file: String, text: String) -> Self {
        Self {
            file,
            text: text.into(),
            cpus: None,
            names: None,
        }
    }

    /// Returns the built-in files, by stem.
    pub fn built_in() -> impl Iterator<Item = (&'static str, Self)> {
        BUILT_IN.iter().map(|family| {
            let source = Self {
                file: format!("profiles/{}.toml", family.stem),
                text: family.text.into(),
                cpus: Some(family.cpus),
                names: Some(family.names),
            };
            (family.stem, source)
        })
    }

    /// Returns whether it is a built-in file, which the tests check completely.
    fn is_built_in(&self) -> bool {
        self.cpus.is_some()
    }

    fn parse(&self) -> Result<CpuFamily, TargetError> {
        let family: Result<CpuFamily, _> = toml::from_str(&self.text);
        let mut family = family.map_err(|e| malformed(&self.file, &e))?;
        for key in spellings::KEYS {
            family.facts.remove(key);
        }
        Ok(family)
    }

    /// Reads the names of the family.
    pub(crate) fn names(&self) -> Result<Spellings, TargetError> {
        let text = self.names.unwrap_or(&self.text);
        toml::from_str(text).map_err(|e| malformed(&self.file, &e))
    }
}

/// Returns the number of plain characters in the best glob that matches a CPU, or `None` if none does.
pub(crate) fn fit<G: AsRef<str>>(cpus: &[G], cpu: &str) -> Option<usize> {
    let globs = cpus.iter().map(AsRef::as_ref);
    globs
        .filter(|glob| WildMatch::new(glob).matches(cpu))
        .map(|glob| glob.chars().filter(|c| !"*?".contains(*c)).count())
        .max()
}

impl Target {
    /// Finds the family that matches the tuple's CPU best, and collects its facts.
    ///
    /// Of two globs that match, the one with more plain characters is better.
    pub fn of(tuple: &Tuple, sources: &[Source], directory: &str) -> Result<Self, TargetError> {
        let mut best: Option<(usize, &Source, CpuFamily)> = None;
        for source in sources {
            let known = source.cpus.map(|cpus| fit(cpus, tuple.cpu()));
            if known == Some(None) {
                continue;
            }
            let family = source.parse()?;
            if let Some(plain) = fit(&family.cpus, tuple.cpu())
                && best.as_ref().is_none_or(|(most, ..)| plain > *most)
            {
                best = Some((plain, source, family));
            }
        }
        let Some((_, source, family)) = best else {
            return Err(TargetError::UnknownCpu {
                cpu: tuple.cpu().into(),
                tuple: tuple.to_string(),
                directory: directory.into(),
            });
        };
        let facts = family
            .facts_of(tuple, !source.is_built_in())
            .map_err(|e| malformed(&source.file, &e))?;
        let system = system::of(tuple);
        Ok(Self {
            tuple: tuple.to_string(),
            cpu: tuple.cpu().into(),
            vendor: tuple.vendor().map(Into::into),
            arch: facts.arch,
            kernel: system.kernel,
            elibc: system::elibc(tuple),
            karch: facts.karch,
            kbuild: facts.kbuild,
            qemu: facts.qemu.0,
            endian: facts.endian,
            bits: facts.bits,
            elf_machine: facts.elf_machine,
            rust: facts.rust.0,
            golevel: facts.goarch.0.as_ref().and(facts.golevel.0),
            goarch: facts.goarch.0,
            goos: system.go,
            meson_cpu_family: facts.meson_cpu_family.0,
            meson_system: system.meson,
            cmake_processor: facts.cmake_processor.0,
            cmake_system: system.cmake,
            cflags: facts.cflags,
            either_bits: facts.either_bits,
            abi: facts.abi.0,
            elf_abi: facts.elf_abi.0,
            float_abi: facts.float_abi.0,
            marks: family.mark,
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

impl CpuFamily {
    /// Returns the family's facts with every refinement that matches the tuple. With `all_are_tried`, an unknown key
    /// is an error even in a refinement that does not match.
    fn facts_of(&self, tuple: &Tuple, all_are_tried: bool) -> Result<FamilyFacts, toml::de::Error> {
        let mut facts = self.facts.clone();
        for variant in &self.variant {
            let fits = any(&variant.tuple, tuple) && !any(&variant.except, tuple);
            if !fits && !all_are_tried {
                continue;
            }
            let mut refined = facts.clone();
            refined.extend(variant.facts.clone());
            if all_are_tried {
                FamilyFacts::deserialize(refined.clone())?;
            }
            if fits {
                facts = refined;
            }
        }
        FamilyFacts::deserialize(facts)
    }
}

impl Binfmt {
    /// Returns a kind that has only a name.
    fn of(qemu: &str) -> Self {
        Self {
            qemu: qemu.into(),
            endian: None,
            bits: None,
            elf_machine: None,
            mask: BTreeMap::new(),
            flags: None,
            native_on: None,
            native_if: None,
        }
    }

    /// Completes the kind with the family's facts. Returns the message if it is invalid.
    fn kind(self, facts: &FamilyFacts) -> Result<ElfKind, String> {
        let place = |(place, byte): (String, u8)| match place.parse() {
            Ok(place) if place < ELF_KIND_LEN => Ok((place, byte)),
            _ => Err(format!(
                "`{place}` in a mask is not an offset below {ELF_KIND_LEN}"
            )),
        };
        Ok(ElfKind {
            endian: self.endian.unwrap_or(facts.endian),
            bits: self.bits.unwrap_or(facts.bits),
            elf_machine: self.elf_machine.unwrap_or(facts.elf_machine),
            mask: self.mask.into_iter().map(place).collect::<Result<_, _>>()?,
            flags: self.flags,
            native_on: self.native_on,
            native_if: self.native_if,
            qemu: self.qemu,
        })
    }
}

fn malformed(file: &str, error: &toml::de::Error) -> TargetError {
    TargetError::Malformed {
        file: file.into(),
        message: error.to_string().trim_end().into(),
    }
}

/// Returns the kinds of ELF files that QEMU runs, of all families. A family without `[[binfmt]]` has one kind from
/// its facts, unless another family has defined what QEMU of that name runs.
pub fn elf_kinds(sources: &[Source]) -> Result<Vec<ElfKind>, TargetError> {
    let (mut kinds, mut left) = (Vec::new(), Vec::new());
    for source in sources {
        let (file, family) = (&source.file, source.parse()?);
        let facts = FamilyFacts::deserialize(family.facts).map_err(|e| malformed(file, &e))?;
        if let (Some(qemu), true) = (&facts.qemu.0, family.binfmt.is_empty()) {
            left.push(Binfmt::of(qemu).kind(&facts).expect("no mask to misread"));
        }
        for binfmt in family.binfmt {
            let kind = binfmt.kind(&facts).map_err(|message| {
                let file = file.clone();
                TargetError::Malformed { file, message }
            })?;
            if let Some(other) = kinds
                .iter()
                .find(|other: &&ElfKind| other.qemu == kind.qemu)
                && *other != kind
            {
                return Err(TargetError::Malformed {
                    file: file.clone(),
                    message: format!(
                        "another profile defines other ELF files of QEMU's `{}`",
                        kind.qemu
                    ),
                });
            }
            kinds.push(kind);
        }
    }
    for kind in left {
        if kinds.iter().all(|known| known.qemu != kind.qemu) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

fn any(globs: &[String], tuple: &Tuple) -> bool {
    globs
        .iter()
        .any(|glob| WildMatch::new(glob).matches(tuple.as_str()))
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
            let family = source.parse().expect(stem);
            family.facts_of(&tuple, true).expect(stem);
        }
    }
}
