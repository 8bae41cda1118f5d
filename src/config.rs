//! What people configured: `crossmerge.toml`, `targets/<tuple>.toml`, and their own wrappers and profiles.
//!
//! Two directories may contain them: `<BROOT>/etc/crossmerge`, and for anyone but root the user's own configuration
//! directory, which overrides it. Root reads no user's directory: what root does should not depend on whose HOME is in
//! the environment. Who counts as root is decided in `user.rs`.

use crate::target::{Source, Target, TargetError};
use crossmerge_plan::{env, env::Env, passes_on, report::Explain, tuple::Tuple};
use crossmerge_system::{
    file,
    file::{Identity, below, read},
    user,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// The prefix given to `make install EPREFIX=…`, baked in as Portage does it; usually empty.
const BAKED_EPREFIX: &str = match option_env!("CROSSMERGE_EPREFIX") {
    Some(eprefix) => eprefix,
    None => "",
};

/// The file in which init records what it wrote, from the sysroot on.
pub(crate) const RECORD: &str = "var/lib/crossmerge/contents";

/// What shows that a directory in `<BROOT>/usr` is a target's sysroot.
const MARKS: [&str; 2] = ["etc/portage", RECORD];

/// Where configuration is, and what `crossmerge.toml` says.
#[derive(Debug, Clone)]
pub struct Config {
    /// The prefix of the machine's own Portage, `""` when it has none. BROOT in PMS.
    pub broot: PathBuf,
    /// The directories that exist or would be written to; a later one wins.
    pub directories: Vec<PathBuf>,
    /// Commands that replace an applet's own, by applet.
    pub commands: BTreeMap<String, String>,
    /// Ask portageq for every setting, even where we could read it.
    pub ask_portageq: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Global {
    #[serde(default)]
    commands: BTreeMap<String, String>,
    ask_portageq: Option<bool>,
}

/// `targets/<tuple>.toml`: where one target differs from what its tuple says. Every key may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The sysroot, when it is not `<BROOT>/usr/<tuple>`.
    pub sysroot: Option<PathBuf>,
    /// The directory of the links, when it is not the program's own.
    pub bindir: Option<PathBuf>,
    /// The toolchain that was adopted.
    pub toolchain: Option<Toolchain>,
    /// True where `init` found the toolchain by itself and finds another when it is gone; false where `init` adopts
    /// none.
    pub find_toolchain: Option<bool>,
    /// What happens when pkg-config answers with a path outside the sysroot.
    #[serde(default)]
    pub leaks: Leaks,
    /// The CPU model that QEMU emulates, when it is not QEMU's usual one: what `qemu-NAME -cpu help` lists.
    pub cpu: Option<String>,
    /// Directories outside the sysroot that pkg-config may answer with.
    #[serde(default)]
    pub extra_prefixes: Vec<PathBuf>,
    /// Commands that replace an applet's own for this target, by applet.
    #[serde(default)]
    pub commands: BTreeMap<String, String>,
    /// How configure scripts come to know what they would find out by running a program.
    #[serde(default)]
    pub site_cache: SiteCache,
    /// Answers that no probe confirmed are given too.
    #[serde(default)]
    pub unverified_answers: bool,
}

/// How configure scripts come to know what they would find out by running a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteCache {
    /// They are given the answers.
    #[default]
    Answers,
    /// They run it: an emulator is there for them.
    Emulate,
    /// They guess, as Autoconf has it.
    Off,
}

/// What happens when pkg-config answers with a path outside the sysroot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leaks {
    /// The answer is withheld.
    #[default]
    Error,
    /// The answer is passed on, and the flags are named.
    Warn,
    /// Nobody looks.
    Allow,
}

/// A toolchain that was there already.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// Whose names and options its tools have.
    pub kind: ToolchainKind,
    /// What stands before the tool's name: `/usr/bin/arm-linux-gnueabi-`, or `/usr/bin/` for LLVM.
    pub prefix: PathBuf,
    /// Options that its compilers get besides.
    #[serde(default)]
    pub options: Vec<String>,
    /// The library directories that it searches in the sysroot, below `usr` and below the root, the first one first;
    /// empty on bare metal. `None` in a file of an earlier release.
    pub libdirs: Option<Vec<String>>,
    /// The directory of symlinks by which it finds the sysroot's start files.
    pub start_files: Option<PathBuf>,
}

/// The two families of toolchains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolchainKind {
    /// GCC and binutils: one set of programs a target, told apart by their prefix.
    Gnu,
    /// clang, lld and the llvm tools: one set of programs for every target.
    Llvm,
}

impl ToolchainKind {
    /// The word for it in TOML.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gnu => "gnu",
            Self::Llvm => "llvm",
        }
    }

    /// Its C compiler.
    pub fn driver(self) -> &'static str {
        match self {
            Self::Gnu => "gcc",
            Self::Llvm => "clang",
        }
    }
}

impl Toolchain {
    /// The path of one of its tools, there or not. The prefix may end in the middle of a file name.
    pub fn tool(&self, tool: &str) -> PathBuf {
        let mut path = self.prefix.as_os_str().to_owned();
        path.push(tool);
        path.into()
    }

    /// The path of its C compiler, there or not.
    pub fn compiler(&self) -> PathBuf {
        self.tool(self.kind.driver())
    }
}

/// Why configuration could not be read, or says nothing of a tuple.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// No CPU family speaks for the tuple, or one is not what its schema asks for.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file is not what its schema asks for.
    #[error("`{file}`: {message}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
}

impl Explain for ConfigError {
    passes_on!(Target);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(e) => {
                file::hint(e).unwrap_or_else(|| "look at its permissions".into())
            }
            Self::Malformed { file, .. } => {
                format!("fix it, or move it away: `mv {0} {0}.old`", file.display())
            }
            _ => return None,
        })
    }
}

impl Config {
    /// Finds the directories and reads `crossmerge.toml`.
    pub fn read(env: &Env) -> Result<Self, ConfigError> {
        let broot = broot_of(env);
        let mut directories = vec![below(&broot, "etc/crossmerge")];
        directories.extend(user::config_dir().map(|directory| directory.join("crossmerge")));
        let (mut commands, mut ask_portageq) = (BTreeMap::new(), false);
        for directory in &directories {
            let global: Option<Global> = read_toml(&directory.join("crossmerge.toml"))?;
            let global = global.unwrap_or_default();
            commands.extend(global.commands);
            ask_portageq = global.ask_portageq.unwrap_or(ask_portageq);
        }
        Ok(Self {
            broot,
            directories,
            commands,
            ask_portageq,
        })
    }

    /// Returns whether a directory is the host's own root, or that of its Portage's prefix.
    pub(crate) fn is_own_root(&self, directory: &Path) -> bool {
        let same = |root: &Path| match (directory.metadata(), root.metadata()) {
            (Ok(directory), Ok(root)) => Identity::of(&directory) == Identity::of(&root),
            _ => false,
        };
        same(Path::new("/")) || same(&below(&self.broot, ""))
    }

    /// The directory that new files go to: the machine's for root, the user's otherwise.
    pub fn own_directory(&self) -> &Path {
        self.directories
            .last()
            .expect("the machine's directory is always there")
    }

    /// The directory for what has to stay without being configuration: the machine's for root, the user's otherwise.
    pub fn state_directory(&self) -> PathBuf {
        user::state_dir()
            .unwrap_or_else(|| below(&self.broot, "var/lib"))
            .join("crossmerge")
    }

    /// The file of one target: the one that exists and wins, else where a new one goes.
    pub fn target_file(&self, tuple: &Tuple) -> PathBuf {
        self.target_files(tuple)
            .find(|file| file.exists())
            .unwrap_or_else(|| self.own_target_file(tuple))
    }

    /// The places of the file of one target, the one that wins first.
    fn target_files(&self, tuple: &Tuple) -> impl Iterator<Item = PathBuf> {
        let name = target_name(tuple);
        let directories = self.directories.iter().rev();
        directories.map(move |directory| directory.join(&name))
    }

    /// The file of one target that is ours to write: the machine's for root, the user's otherwise.
    pub fn own_target_file(&self, tuple: &Tuple) -> PathBuf {
        self.own_directory().join(target_name(tuple))
    }

    /// Reads the file of one target.
    pub fn target(&self, tuple: &Tuple) -> Result<TargetConfig, ConfigError> {
        let mut read = self.target_files(tuple).map(|file| read_toml(&file));
        let found = read.find_map(Result::transpose);
        Ok(found.transpose()?.unwrap_or_default())
    }

    /// The tuples that have a file.
    pub fn targets(&self) -> Result<Vec<Tuple>, ConfigError> {
        Ok(self
            .own_files("targets")?
            .iter()
            .filter_map(|(stem, _)| stem.parse().ok())
            .collect())
    }

    /// The tuples of the targets of this host: those that have a file, and those whose sysroot below BROOT has a mark
    /// of one.
    pub(crate) fn tuples(&self) -> Result<BTreeSet<Tuple>, ConfigError> {
        let mut tuples: BTreeSet<Tuple> = self.targets()?.into_iter().collect();
        let usr = below(&self.broot, "usr");
        for entry in fs_err::read_dir(&usr).into_iter().flatten() {
            let entry = entry?;
            if MARKS.iter().any(|mark| entry.path().join(mark).exists())
                && let Ok(tuple) = Tuple::from_os(&entry.file_name())
            {
                tuples.insert(tuple);
            }
        }
        Ok(tuples)
    }

    /// The sysroots of those targets. They need not exist.
    pub(crate) fn sysroots(&self) -> Result<Vec<(Tuple, PathBuf)>, ConfigError> {
        let sysroot = |tuple: Tuple| {
            let configured = self.target(&tuple)?.sysroot;
            let sysroot = configured.unwrap_or_else(|| self.default_sysroot(&tuple));
            Ok((tuple, sysroot))
        };
        self.tuples()?.into_iter().map(sysroot).collect()
    }

    /// `<BROOT>/usr/<tuple>`, the sysroot that crossdev makes.
    pub fn default_sysroot(&self, tuple: &Tuple) -> PathBuf {
        below(&self.broot, &format!("usr/{tuple}"))
    }

    /// The facts of a tuple.
    pub fn facts(&self, tuple: &Tuple) -> Result<Target, ConfigError> {
        Ok(Target::of(
            tuple,
            &self.families()?,
            &self.profiles_directory(),
        )?)
    }

    /// The directory in which a user can teach a CPU family.
    pub fn profiles_directory(&self) -> String {
        self.own_directory().join("profiles").display().to_string()
    }

    /// The CPU families, built in and users' own.
    pub fn families(&self) -> Result<Vec<Source>, ConfigError> {
        let built_in = Source::built_in().map(|(stem, source)| (stem.to_owned(), source));
        let mut families: BTreeMap<String, Source> = built_in.collect();
        let own = self.own_sources("profiles")?.into_iter();
        families.extend(own.map(|(stem, (file, text))| (stem, Source::own(file, text))));
        Ok(families.into_values().collect())
    }

    /// The files of users' own in a data directory (`wrappers`, `profiles`), by stem: name for messages, and text. The
    /// person's replaces the machine's.
    pub fn own_sources(
        &self,
        directory: &str,
    ) -> Result<BTreeMap<String, (String, String)>, ConfigError> {
        let mut sources = BTreeMap::new();
        for (stem, path) in self.own_files(directory)? {
            let text = read::read_to_string(&path, read::CONFIGURATION)?;
            sources.insert(stem, (path.display().to_string(), text));
        }
        Ok(sources)
    }

    /// The files of users' own in a data directory, stem and path, the machine's before the user's.
    pub fn own_files(&self, directory: &str) -> Result<Vec<(String, PathBuf)>, ConfigError> {
        let files = self
            .directories
            .iter()
            .map(|place| toml_files(&place.join(directory)));
        Ok(files.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

fn target_name(tuple: &Tuple) -> String {
    format!("targets/{tuple}.toml")
}

/// BROOT as the environment or the build of the program says.
pub(crate) fn broot_of(env: &Env) -> PathBuf {
    broot(env.get(env::PORTAGE_OVERRIDE_EPREFIX), BAKED_EPREFIX)
}

/// The prefix of the machine's Portage: the environment's, else the one baked in, normalised as Portage normalises its
/// own, where `/` is no prefix.
fn broot(overridden: Option<&OsStr>, baked: &str) -> PathBuf {
    let broot: PathBuf = Path::new(overridden.unwrap_or(baked.as_ref()))
        .components()
        .collect();
    if broot == Path::new("/") {
        PathBuf::new()
    } else {
        broot
    }
}

/// The `*.toml` of a directory, sorted, as stem and path; none when there is no directory.
fn toml_files(directory: &Path) -> Result<Vec<(String, PathBuf)>, ConfigError> {
    let entries = match fs_err::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if let Some(stem) = name.strip_suffix(".toml")
            && !stem.starts_with('.')
        {
            files.push((stem.to_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file of a schema; none where there is no file.
pub(crate) fn read_toml<T: for<'de> Deserialize<'de>>(
    file: &Path,
) -> Result<Option<T>, ConfigError> {
    let text = match read::read_to_string(file, read::CONFIGURATION) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    toml::from_str(&text)
        .map(Some)
        .map_err(|e| ConfigError::Malformed {
            file: file.into(),
            message: e.to_string().trim_end().into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_replaces_the_prefix_that_is_baked_in() {
        for (overridden, baked, broot) in [
            (None, "", ""),
            (None, "/opt/gentoo", "/opt/gentoo"),
            (Some("/other/"), "/opt/gentoo", "/other"),
            (Some(""), "/opt/gentoo", ""),
            (Some("/"), "/opt/gentoo", ""),
        ] {
            let found = super::broot(overridden.map(OsStr::new), baked);
            assert_eq!(found, Path::new(broot), "{overridden:?} {baked}");
        }
        assert_eq!(below(Path::new(""), "usr/avr"), Path::new("/usr/avr"));
        assert_eq!(below(Path::new("/e"), "usr/avr"), Path::new("/e/usr/avr"));
    }
}
