//! A CPU family: a file of `profiles/`. `build.rs` writes the built-in families as constants of these types, so that an
//! applet parses no file. The tests compare them with the files. Pure.

use super::{
    board,
    mark::{ElfFlags, Mark},
    spellings,
};
use crossmerge_plan::{glob, tuple::Tuple};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};

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

/// The byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endian {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
}

/// Text, built in or read from a file.
pub(super) type Text = Cow<'static, str>;

/// A list, built in or read from a file.
pub(super) type List<T> = Cow<'static, [T]>;

/// One file of `profiles/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Family {
    /// A description of one line, for a user who reads the file.
    pub summary: Text,
    /// Globs on the first field of its tuples.
    pub cpus: List<Text>,
    /// Refinements. Every one that matches the tuple applies, in order.
    #[serde(default)]
    pub variant: List<Variant>,
    /// The ELF files that QEMU runs. Empty in a file that leaves them to the facts.
    #[serde(default)]
    pub binfmt: List<Binfmt>,
    /// The marks by which the family's ABIs are recognised.
    #[serde(default)]
    pub mark: List<Mark>,
    #[serde(flatten, deserialize_with = "facts_beside_others")]
    pub facts: List<Fact>,
}

/// A refinement: facts that replace those before it for some tuples.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Variant {
    /// Globs on the whole tuple, one of which must match.
    pub tuple: List<Text>,
    /// Globs on the whole tuple, none of which may match.
    #[serde(default)]
    pub except: List<Text>,
    #[serde(flatten, deserialize_with = "facts")]
    pub facts: List<Fact>,
}

/// One kind of ELF file of a family, and its QEMU. An absent key has the value of the family's facts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Binfmt {
    pub qemu: Text,
    pub endian: Option<Endian>,
    pub bits: Option<u8>,
    pub elf_machine: Option<u16>,
    /// Bytes of the mask that differ from the usual one, by their offset in the header.
    #[serde(default, deserialize_with = "bytes_by_offset")]
    pub mask: List<(Text, u8)>,
    pub flags: Option<ElfFlags>,
    pub native_on: Option<u16>,
    pub native_if: Option<Text>,
}

/// Defines the facts: each with its key, its name in [`Fact`] and its type. A family has to state the required ones.
macro_rules! facts {
    (
        required { $($key:ident $fact:ident($type:ty),)* }
        optional { $($other_key:ident $other:ident($other_type:ty),)* }
    ) => {
        /// A fact, as a file states it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) enum Fact {
            $($fact($type),)*
            $($other($other_type),)*
        }

        /// Facts, of which some may be missing.
        #[derive(Debug, Clone, Default)]
        struct PartialFacts {
            $($key: Option<$type>,)*
            $($other_key: Option<$other_type>,)*
        }

        /// The facts about one tuple.
        #[derive(Debug)]
        pub(super) struct Facts {
            $(pub $key: $type,)*
            $(pub $other_key: Option<$other_type>,)*
        }

        impl Fact {
            const KEYS: &[&str] = &[$(stringify!($key),)* $(stringify!($other_key),)*];

            fn of(key: &str, value: toml::Value) -> Result<Self, toml::de::Error> {
                match key {
                    $(stringify!($key) => <$type>::deserialize(value).map(Self::$fact),)*
                    $(stringify!($other_key) => <$other_type>::deserialize(value).map(Self::$other),)*
                    _ => Err(toml::de::Error::unknown_field(key, Self::KEYS)),
                }
            }
        }

        impl PartialFacts {
            /// Replaces facts by those of a refinement.
            fn refine(&mut self, facts: &[Fact]) {
                for fact in facts {
                    match fact {
                        $(Fact::$fact(value) => self.$key = Some(value.clone()),)*
                        $(Fact::$other(value) => self.$other_key = Some(value.clone()),)*
                    }
                }
            }

            fn complete(self) -> Result<Facts, toml::de::Error> {
                let missing = toml::de::Error::missing_field;
                Ok(Facts {
                    $($key: self.$key.ok_or_else(|| missing(stringify!($key)))?,)*
                    $($other_key: self.$other_key,)*
                })
            }
        }
    };
}

facts! {
    required {
        arch Arch(Text),
        karch Karch(Text),
        endian Endian(Endian),
        bits Bits(u8),
        elf_machine ElfMachine(u16),
        qemu Qemu(Text),
        rust Rust(Text),
        goarch Goarch(Text),
        meson_cpu_family MesonCpuFamily(Text),
        cmake_processor CmakeProcessor(Text),
        cflags Cflags(Text),
    }
    optional {
        kbuild Kbuild(Text),
        golevel Golevel(Text),
        zig Zig(Text),
        zigcpu Zigcpu(Text),
        either_bits EitherBits(bool),
        abi Abi(Text),
        elf_abi ElfAbi(Text),
        float_abi FloatAbi(Text),
    }
}

/// Returns whether one of the globs matches the tuple.
fn any(globs: &[Text], tuple: &Tuple) -> bool {
    globs.iter().any(|glob| glob::matches(glob, tuple.as_str()))
}

impl Family {
    /// Parses the text of a file. Returns the message if it is invalid.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e: toml::de::Error| match e.span() {
            // The error of a fact has the position of the file's beginning.
            Some(span) if span.start == 0 => e.message().to_owned(),
            _ => e.to_string(),
        })
    }

    /// Returns the facts without refinements.
    pub(super) fn usual_facts(&self) -> Result<Facts, toml::de::Error> {
        let mut facts = PartialFacts::default();
        facts.refine(&self.facts);
        facts.complete()
    }

    /// Returns the facts with every refinement that matches the tuple. With `all_are_tried`, they have to be complete with
    /// each refinement, even if it does not match.
    pub(super) fn facts_of(
        &self,
        tuple: &Tuple,
        all_are_tried: bool,
    ) -> Result<Facts, toml::de::Error> {
        let mut facts = PartialFacts::default();
        facts.refine(&self.facts);
        for variant in &*self.variant {
            if all_are_tried {
                let mut refined = facts.clone();
                refined.refine(&variant.facts);
                refined.complete()?;
            }
            if any(&variant.tuple, tuple) && !any(&variant.except, tuple) {
                facts.refine(&variant.facts);
            }
        }
        facts.complete()
    }
}

impl Binfmt {
    /// Returns a kind that has only a name.
    pub(super) fn of(qemu: Text) -> Self {
        Self {
            qemu,
            endian: None,
            bits: None,
            elf_machine: None,
            mask: List::default(),
            flags: None,
            native_on: None,
            native_if: None,
        }
    }

    /// Completes the kind with the family's facts. Returns the message if it is invalid.
    pub(super) fn kind(&self, facts: &Facts) -> Result<ElfKind, String> {
        let place = |(place, byte): &(Text, u8)| match place.parse() {
            Ok(place) if place < ELF_KIND_LEN => Ok((place, *byte)),
            _ => Err(format!(
                "`{place}` in a mask is not an offset below {ELF_KIND_LEN}"
            )),
        };
        Ok(ElfKind {
            endian: self.endian.unwrap_or(facts.endian),
            bits: self.bits.unwrap_or(facts.bits),
            elf_machine: self.elf_machine.unwrap_or(facts.elf_machine),
            mask: self.mask.iter().map(place).collect::<Result<_, _>>()?,
            flags: self.flags,
            native_on: self.native_on,
            native_if: self.native_if.as_deref().map(PathBuf::from),
            qemu: self.qemu.clone().into_owned(),
        })
    }
}

/// Reads facts. An unknown key is an error.
fn facts<'de, D: Deserializer<'de>>(from: D) -> Result<List<Fact>, D::Error> {
    let table = toml::Table::deserialize(from)?.into_iter();
    let facts = table.map(|(key, value)| Fact::of(&key, value).map_err(D::Error::custom));
    facts.collect()
}

/// Reads the facts of a family, beside which its names and boards may stand.
fn facts_beside_others<'de, D: Deserializer<'de>>(from: D) -> Result<List<Fact>, D::Error> {
    let mut table = toml::Table::deserialize(from)?;
    table.retain(|key, _| !spellings::KEYS.contains(&key) && key != board::KEY);
    facts(table).map_err(D::Error::custom)
}

/// Reads the bytes of a mask.
fn bytes_by_offset<'de, D: Deserializer<'de>>(from: D) -> Result<List<(Text, u8)>, D::Error> {
    let bytes = BTreeMap::deserialize(from)?.into_iter();
    Ok(bytes.collect())
}
