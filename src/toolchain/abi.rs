//! The ABIs for which a toolchain is built, and what the ebuilds read about them, from `toolchains/abis.toml`. Pure.

use crossmerge_plan::{glob, tuple::Tuple};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

static ABIS: LazyLock<Abis> = LazyLock::new(|| {
    toml::from_str(include_str!("../../toolchains/abis.toml")).expect("valid ABIs")
});

/// The value of `--abis` that means the CPU's default alone.
const DEFAULT: &str = "default";

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Abis {
    target: Vec<Section>,
}

/// Lists the names of the known ABIs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let named = ABIS.target.iter().flat_map(|section| section.abi.keys());
    let names: BTreeSet<&str> = named.map(String::as_str).chain([DEFAULT]).collect();
    names.into_iter()
}

/// A section of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    tuple: Vec<String>,
    #[expect(dead_code, reason = "it is for a reader of the file")]
    abis: Vec<String>,
    default: String,
    /// The library directory of the default ABI, if it is not the ABI's own.
    default_libdir: Option<String>,
    #[serde(default)]
    abi: BTreeMap<String, AbiFacts>,
}

/// What is known of one ABI.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AbiFacts {
    libdir: String,
    cflags: String,
    /// How its tuple differs from the toolchain's.
    #[serde(default)]
    chost: Vec<Change>,
}

/// A change of a tuple: `["cpu", NEW]` replaces the CPU, `["first", OLD, NEW]` the first OLD, `["end", OLD, NEW]` the
/// OLD at its end.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Change {
    Cpu(CpuWord, String),
    Text(Place, String, String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CpuWord {
    Cpu,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    First,
    End,
}

impl Change {
    fn apply(&self, tuple: &str) -> String {
        match self {
            Self::Cpu(_, cpu) => match tuple.split_once('-') {
                Some((_, rest)) => format!("{cpu}-{rest}"),
                None => format!("{cpu}-{tuple}"),
            },
            Self::Text(Place::First, old, new) => tuple.replacen(old, new, 1),
            Self::Text(Place::End, old, new) => match tuple.strip_suffix(old.as_str()) {
                Some(start) => format!("{start}{new}"),
                None => tuple.into(),
            },
        }
    }
}

/// The ABIs of one toolchain, and the variables `CFLAGS_<abi>`, `CHOST_<abi>`, `CTARGET_<abi>`, `LDFLAGS_<abi>` and
/// `LIBDIR_<abi>` that describe them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AbiSettings {
    /// The ABIs to build for. The first is the default.
    pub(crate) abis: Vec<String>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl AbiSettings {
    /// Returns the settings of a tuple for these ABIs. Without any, for its default ABI.
    pub(crate) fn of(tuple: &Tuple, wanted: &[String]) -> Self {
        let text = tuple.as_str();
        let contains = |section: &&Section| {
            let globs = section.tuple.iter();
            globs.into_iter().any(|glob| glob::matches(glob, text))
        };
        let section = ABIS.target.iter().find(contains);
        let section = section.expect("the last section contains every tuple");
        let abis = match wanted {
            [] => vec![section.default.clone()],
            [one] if one == DEFAULT => vec![section.default.clone()],
            several => several.to_vec(),
        };
        let mut variables = BTreeMap::from([
            ("CHOST_default".into(), String::new()),
            ("CTARGET_default".into(), text.into()),
            ("LIBDIR_default".into(), "lib".into()),
        ]);
        for (abi, facts) in &section.abi {
            let chost = facts.chost.iter();
            let chost = chost.fold(text.to_owned(), |chost, change| change.apply(&chost));
            let libdir = match &section.default_libdir {
                Some(libdir) if *abi == section.default => libdir,
                _ => &facts.libdir,
            };
            variables.insert(format!("CFLAGS_{abi}"), facts.cflags.clone());
            variables.insert(format!("CHOST_{abi}"), chost.clone());
            variables.insert(format!("CTARGET_{abi}"), chost);
            variables.insert(format!("LIBDIR_{abi}"), libdir.clone());
        }
        for abi in &abis {
            for (name, value) in [("CFLAGS", ""), ("LDFLAGS", ""), ("LIBDIR", "lib")] {
                let variable = variables.entry(format!("{name}_{abi}"));
                variable.or_insert_with(|| value.into());
            }
        }
        Self { abis, variables }
    }

    /// Returns the default ABI.
    pub(crate) fn default(&self) -> &str {
        &self.abis[0]
    }
}
