//! Where a step failed: the step, the package, the phase, and a line of a log.

use serde::{Deserialize, Serialize};
use std::{fmt, path::Path, time::Duration};

/// The names of a step, for its message.
#[derive(Debug, Clone, Copy)]
pub struct Step<'s> {
    /// What the step makes: `gcc 15.3.0 (C, C++)`.
    pub name: &'s str,
    /// How long it took.
    pub elapsed: Duration,
    /// The file of its log.
    pub log: &'s Path,
}

/// A line of a log or of a config.log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// The line, without escape sequences.
    pub text: String,
}

/// The package that Portage worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The category: `cross-<tuple>` for the parts of a toolchain.
    pub category: String,
    /// The name without the version.
    pub name: String,
    /// The version with the revision, as in `12.2.0-r1`.
    pub version: String,
}

impl Package {
    /// Reads `category/name-version`, with or without `::repository` after it.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.split("::").next().unwrap_or_default();
        let (category, name) = text.trim_start_matches('=').split_once('/')?;
        // The last part that begins with a digit: a name may not end with what looks like a version (PMS, 3.1.2).
        let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let mut hyphens = name.rmatch_indices('-').map(|(at, _)| at);
        let at = hyphens.find(|at| is_version(&name[at + 1..]))?;
        Some(Self {
            category: category.to_owned(),
            name: name[..at].to_owned(),
            version: name[at + 1..].to_owned(),
        })
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            category,
            name,
            version,
        } = self;
        write!(f, "{category}/{name}-{version}")
    }
}

/// What Portage was doing, in the order in which it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Portage chooses versions and dependencies.
    Resolving,
    /// It downloads upstream's files.
    Fetching,
    /// It compares them, and the ebuilds, with the Manifest.
    Verifying,
    /// `pkg_pretend` and `pkg_setup`, and the preparation of the work directory.
    Setup,
    /// `src_unpack`
    Unpack,
    /// `src_prepare`
    Prepare,
    /// `src_configure`
    Configure,
    /// `src_compile`
    Compile,
    /// `src_test`
    Test,
    /// `src_install`, and the checks of what it installed.
    Install,
    /// Portage copies the files into the root: `pkg_preinst` to `pkg_postinst`.
    Merge,
}

/// The lines with which Portage begins a phase.
const BEGINNINGS: [(&str, Phase); 17] = [
    ("Calculating dependencies", Phase::Resolving),
    (">>> Verifying ebuild manifests", Phase::Verifying),
    (">>> Emerging ", Phase::Setup),
    (">>> Fetching (", Phase::Fetching),
    (">>> Downloading ", Phase::Fetching),
    ("!!! Previously fetched file: ", Phase::Verifying),
    ("!!! Fetched file: ", Phase::Verifying),
    ("!!! Digest verification failed", Phase::Verifying),
    ("!!! A file is not listed in the Manifest", Phase::Verifying),
    (">>> Unpacking source", Phase::Unpack),
    (">>> Preparing source in", Phase::Prepare),
    (">>> Configuring source in", Phase::Configure),
    (">>> Compiling source in", Phase::Compile),
    (">>> Test phase: ", Phase::Test),
    (">>> Install ", Phase::Install),
    (">>> Installing (", Phase::Merge),
    (">>> Merging ", Phase::Merge),
];

impl Phase {
    /// Returns the phase that a line of the log begins.
    pub(super) fn begun_by(line: &str) -> Option<Self> {
        let mut beginnings = BEGINNINGS.iter();
        let found = beginnings.find(|(start, _)| line.starts_with(start));
        found.map(|(_, phase)| *phase)
    }

    /// Returns the phase by the name that `die` prints.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "unpack" => Self::Unpack,
            "prepare" => Self::Prepare,
            "configure" => Self::Configure,
            "compile" => Self::Compile,
            "test" => Self::Test,
            "install" => Self::Install,
            "depend" => Self::Resolving,
            "nofetch" => Self::Fetching,
            "preinst" | "postinst" | "prerm" | "postrm" => Self::Merge,
            _ => Self::Setup,
        }
    }

    /// Returns whether the ebuild runs other projects' programs in this phase: compilers and make, whose messages have
    /// many forms and may be harmless.
    pub(super) fn runs_programs(self) -> bool {
        (Self::Prepare..=Self::Install).contains(&self)
    }

    /// Returns the name with which sentences name it: the ebuild's own for its phases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolving => "resolving",
            Self::Fetching => "fetching",
            Self::Verifying => "verifying",
            Self::Setup => "setup",
            Self::Unpack => "unpack",
            Self::Prepare => "prepare",
            Self::Configure => "configure",
            Self::Compile => "compile",
            Self::Test => "test",
            Self::Install => "install",
            Self::Merge => "merge",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
