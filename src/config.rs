//! The user's configuration: `crossmerge.toml`, `targets/<tuple>.toml`, and the user's wrappers and profiles.
//!
//! crossmerge reads it from two directories: `<BROOT>/etc/crossmerge` and, unless the user is root, the user's own
//! configuration directory, which overrides it. Root's configuration never comes from a home directory: HOME in the
//! environment may be another user's, and must not affect a command of root. `user.rs` decides who counts as root.

use crate::target::{self, Board, Source, Target, TargetError};
use crossmerge_plan::{
    env::{self, Env},
    passes_on,
    report::Explain,
    tuple::Tuple,
};
use crossmerge_system::{
    file::{self, Identity, below, read},
    user,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};

/// The prefix given to `make install EPREFIX=…`, built in as Portage builds in its own. Usually empty.
const BUILT_IN_EPREFIX: &str = match option_env!("CROSSMERGE_EPREFIX") {
    Some(eprefix) => eprefix,
    None => "",
};

/// The file in which init records what it wrote, relative to the sysroot.
pub(crate) const RECORD: &str = "var/lib/crossmerge/contents";

/// Paths by which a directory in `<BROOT>/usr` is recognised as a target's sysroot.
const MARKS: [&str; 2] = ["etc/portage", RECORD];

/// The configuration directories, and the settings of `crossmerge.toml`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The prefix of the host's Portage, BROOT in PMS. Empty if it has none.
    pub broot: PathBuf,
    /// The configuration directories, whether they exist or not. A later one overrides an earlier one.
    pub directories: Vec<PathBuf>,
    /// The directories that contain the user's own configuration and state. `None` for root.
    pub(crate) homes: Homes,
    /// Commands that replace those of the wrapper definitions, by applet.
    pub commands: BTreeMap<String, String>,
    /// Whether to ask portageq for every setting, even if crossmerge could read it.
    pub ask_portageq: bool,
}

/// The directories of the current user that contain a directory for each program. `None` if crossmerge acts for the
/// system.
#[derive(Debug, Clone)]
pub(crate) struct Homes {
    pub(crate) config: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
}

impl Homes {
    /// Finds the directories. In the phases of an ebuild, the variables that the `portage` layer has set replace those
    /// below HOME, which is a directory of the build there.
    fn find(env: &Env) -> Self {
        let is_phase = env.get(env::PORTAGE_BUILDDIR).is_some();
        let find = |home: Option<PathBuf>, variable| {
            let passed = env.get(variable).filter(|_| is_phase);
            home.map(|home| passed.map_or(home, PathBuf::from))
        };
        Self {
            config: find(user::config_dir(), env::CROSSMERGE_CONFIG_HOME),
            state: find(user::state_dir(), env::CROSSMERGE_STATE_HOME),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Global {
    #[serde(default)]
    commands: BTreeMap<String, String>,
    ask_portageq: Option<bool>,
}

/// The content of `targets/<tuple>.toml`: how one target differs from the defaults for its tuple. Every key is
/// optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The sysroot. The default is `<BROOT>/usr/<tuple>`.
    pub sysroot: Option<PathBuf>,
    /// The directory of the symlinks to crossmerge. The default is the directory of the program.
    pub bindir: Option<PathBuf>,
    /// The adopted toolchain.
    pub toolchain: Option<Toolchain>,
    /// Whether `init` chooses the toolchain. If true, `init` chose it, and chooses another if it disappears. If false,
    /// `init` adopts none.
    pub find_toolchain: Option<bool>,
    /// The reaction to a path outside the sysroot in the output of pkg-config.
    #[serde(default)]
    pub leaks: LeakPolicy,
    /// The CPU model that QEMU emulates, one that `qemu-NAME -cpu help` lists. The default is QEMU's own.
    pub cpu: Option<String>,
    /// Directories outside the sysroot that may occur in the output of pkg-config.
    #[serde(default)]
    pub extra_prefixes: Vec<PathBuf>,
    /// Commands that replace those of the wrapper definitions for this target, by applet.
    #[serde(default)]
    pub commands: BTreeMap<String, String>,
    /// The source of the results that a configure script in a native build gets by running a program.
    #[serde(default)]
    pub site_cache: SiteCache,
    /// Whether programs of the target run during `<tuple>-emerge` and `<tuple>-ebuild`, under QEMU. `None`: only when
    /// `crossmerge root` builds and merges packages.
    pub run_target_programs: Option<bool>,
    /// Whether to give answers that no probe has confirmed.
    #[serde(default)]
    pub unverified_answers: bool,
    /// What a root of the target contains.
    #[serde(default)]
    pub root: RootConfig,
    /// The kernel of the target.
    #[serde(default)]
    pub kernel: KernelConfig,
    /// How `crossmerge boot` starts the target's images.
    #[serde(default)]
    pub boot: BootSettings,
}

impl TargetConfig {
    /// Returns whether programs of the target run during `<tuple>-emerge` and `<tuple>-ebuild`.
    pub fn runs_target_programs(&self) -> bool {
        self.run_target_programs.unwrap_or(false)
    }
}

/// What a root of the target contains: `crossmerge root`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootConfig {
    /// The packages and sets of a root, if the command names none.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The paths that Portage does not install: the words of INSTALL_MASK. The default is a list of what only a build
    /// needs.
    pub mask: Option<Vec<String>>,
    /// Globs of paths, relative to the root, that are kept although they are leftovers.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The locales that are compiled, such as `de_DE.UTF-8`.
    #[serde(default)]
    pub locales: Vec<String>,
    /// The directory of programs that run before and after steps.
    pub hooks: Option<PathBuf>,
}

/// The kernel of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelConfig {
    /// The tree whose modules a root contains. They have been built.
    pub tree: Option<PathBuf>,
}

/// How `crossmerge boot` starts the images of one target. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootSettings {
    /// The kernel's image, or the directory in which the kernel was built.
    pub kernel: Option<PathBuf>,
    /// The tuple whose virtual board is used. The default is that of the target.
    pub board: Option<Tuple>,
    /// The memory of the virtual board, such as `512M`.
    pub memory: Option<String>,
    /// Further arguments for the kernel.
    pub append: Option<String>,
}

/// The source of the results that a configure script in a native build gets by running a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteCache {
    /// crossmerge gives them the answers.
    #[default]
    Answers,
    /// They run the program in an emulator.
    Emulate,
    /// They guess, as Autoconf scripts do when they cross-compile.
    Off,
}

/// The reaction to a path outside the sysroot in the output of pkg-config.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakPolicy {
    /// Fail without printing the output.
    #[default]
    Error,
    /// Print the output, and warn about the flags.
    Warn,
    /// Print the output unchecked.
    Allow,
}

/// An existing toolchain that was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// The family, which determines the names and options of its tools.
    pub kind: ToolchainKind,
    /// The path of a tool up to its name: `/usr/bin/arm-linux-gnueabi-`, or `/usr/bin/` for LLVM. For Zig, the path of
    /// its program.
    pub prefix: PathBuf,
    /// Additional options for its compilers.
    #[serde(default)]
    pub options: Vec<String>,
    /// The names of the library directories that it searches in the sysroot, both below `usr` and below the root, in
    /// its order. Empty on bare metal. `None` in a file that an earlier release wrote.
    pub libdirs: Option<Vec<String>>,
    /// The directory of symlinks through which it finds the start files (crt1.o and so on) of the sysroot.
    pub start_files: Option<PathBuf>,
    /// The path, up to their names, of the tools for binaries that Zig lacks: `/usr/bin/llvm-` of `/usr/bin/llvm-strip`.
    pub binutils: Option<PathBuf>,
}

/// The families of toolchains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolchainKind {
    /// GCC and binutils: one set of programs for each target, distinguished by their prefix.
    Gnu,
    /// clang, lld and the LLVM tools: one set of programs for all targets.
    Llvm,
    /// Zig: one program for all targets, which contains clang and lld, and compiles the libc itself.
    Zig,
}

/// The beginning of a tool's name in a wrapper if the tool is a subcommand of Zig's program.
const SUBCOMMAND: &str = "zig ";

impl ToolchainKind {
    /// Every family.
    pub(crate) const ALL: [Self; 3] = [Self::Gnu, Self::Llvm, Self::Zig];

    /// Returns the name of the family in TOML.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gnu => "gnu",
            Self::Llvm => "llvm",
            Self::Zig => "zig",
        }
    }

    /// Returns the name of its C compiler. For Zig, it is only the name of the applet.
    pub fn driver(self) -> &'static str {
        match self {
            Self::Gnu => "gcc",
            Self::Llvm => "clang",
            Self::Zig => "cc",
        }
    }

    /// Returns the name of its C++ compiler.
    pub fn cxx_driver(self) -> &'static str {
        match self {
            Self::Gnu => "g++",
            Self::Llvm => "clang++",
            Self::Zig => "c++",
        }
    }

    /// Returns the arguments with which its C compiler compiles for the tuple, if it compiles for several targets.
    pub(crate) fn compiler_args(self, tuple: &Tuple) -> Option<OsString> {
        match self {
            Self::Gnu => None,
            Self::Llvm => Some(format!("--target={tuple}").into()),
            Self::Zig => Some("cc".into()),
        }
    }

    /// Returns the flags that select the tuple's CPU. Zig has its own names of the CPUs, which `init` records in the
    /// toolchain's options.
    pub(crate) fn cpu_flags(self, target: &Target) -> &str {
        match self {
            Self::Zig => "",
            Self::Gnu | Self::Llvm => &target.cflags,
        }
    }
}

impl Toolchain {
    /// Returns a toolchain without options.
    pub(crate) fn new(kind: ToolchainKind, prefix: PathBuf) -> Self {
        Self {
            kind,
            prefix,
            options: Vec::new(),
            libdirs: None,
            start_files: None,
            binutils: None,
        }
    }

    /// Returns the path of one of its tools, whether it exists or not. The prefix may end within a file name.
    pub fn tool(&self, tool: &str) -> PathBuf {
        let prefix = match self.kind {
            ToolchainKind::Gnu | ToolchainKind::Llvm => Some(&self.prefix),
            ToolchainKind::Zig if tool.starts_with(SUBCOMMAND) => return self.prefix.clone(),
            ToolchainKind::Zig => self.binutils.as_ref(),
        };
        let mut path = prefix.cloned().unwrap_or_default().into_os_string();
        path.push(tool);
        path.into()
    }

    /// Returns the subcommand of Zig's program that a tool is.
    pub(crate) fn subcommand<'t>(&self, tool: &'t str) -> Option<&'t str> {
        tool.strip_prefix(SUBCOMMAND)
            .filter(|_| self.kind == ToolchainKind::Zig)
    }

    /// Returns the path of its C compiler, whether it exists or not.
    pub fn compiler(&self) -> PathBuf {
        match self.kind {
            ToolchainKind::Zig => self.prefix.clone(),
            kind => self.tool(kind.driver()),
        }
    }
}

/// Why the configuration could not be read, or has no facts about a tuple.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// No CPU family matches the tuple, or the file of one does not match the schema.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file does not match the schema.
    #[error("`{file}`: {message}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The problem, with the line.
        message: String,
    },
}

impl Explain for ConfigError {
    passes_on!(Target);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(e) => file::hint(e).unwrap_or_else(|| "check its permissions".into()),
            Self::Malformed { file, .. } => {
                format!("fix it, or move it: `mv {0} {0}.old`", file.display())
            }
            _ => return None,
        })
    }
}

impl Config {
    /// Determines the directories and reads `crossmerge.toml`.
    pub fn read(env: &Env) -> Result<Self, ConfigError> {
        let broot = broot_of(env);
        let mut directories = vec![below(&broot, "etc/crossmerge")];
        let homes = Homes::find(env);
        directories.extend(homes.config.as_ref().map(|home| home.join("crossmerge")));
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
            homes,
            commands,
            ask_portageq,
        })
    }

    /// Returns whether a directory is the host's root, or the prefix of the host's Portage.
    pub(crate) fn is_own_root(&self, directory: &Path) -> bool {
        let Ok(directory) = directory.metadata() else {
            return false;
        };
        let same = |root: &Path| {
            let root = root.metadata();
            root.is_ok_and(|root| Identity::of(&root) == Identity::of(&directory))
        };
        same(Path::new("/")) || !self.broot.as_os_str().is_empty() && same(&self.broot)
    }

    /// Returns the directory for new configuration files: the system's for root, otherwise the user's.
    pub fn own_directory(&self) -> &Path {
        self.directories
            .last()
            .expect("the system's directory is always one of them")
    }

    /// Returns the directory for persistent files other than configuration: the system's for root, otherwise the
    /// user's.
    pub fn state_directory(&self) -> PathBuf {
        let home = self.homes.state.clone();
        home.unwrap_or_else(|| below(&self.broot, "var/lib"))
            .join("crossmerge")
    }

    /// Returns the configuration file of a target: the first existing one, otherwise the path for a new one.
    pub fn target_file(&self, tuple: &Tuple) -> PathBuf {
        self.target_files(tuple)
            .find(|file| file.exists())
            .unwrap_or_else(|| self.own_target_file(tuple))
    }

    /// Returns the possible paths of the file of a target, the user's before the system's.
    fn target_files(&self, tuple: &Tuple) -> impl Iterator<Item = PathBuf> {
        let name = target_name(tuple);
        let directories = self.directories.iter().rev();
        directories.map(move |directory| directory.join(&name))
    }

    /// Returns the file of a target that crossmerge writes: the system's for root, otherwise the user's.
    pub fn own_target_file(&self, tuple: &Tuple) -> PathBuf {
        self.own_directory().join(target_name(tuple))
    }

    /// Reads the file of a target. Without a file, the defaults apply.
    pub fn target(&self, tuple: &Tuple) -> Result<TargetConfig, ConfigError> {
        let mut read = self.target_files(tuple).map(|file| read_toml(&file));
        let found = read.find_map(Result::transpose);
        Ok(found.transpose()?.unwrap_or_default())
    }

    /// Returns the tuples that have a configuration file.
    pub fn targets(&self) -> Result<Vec<Tuple>, ConfigError> {
        Ok(self
            .own_files("targets")?
            .iter()
            .filter_map(|(stem, _)| stem.parse().ok())
            .collect())
    }

    /// Returns the tuples of the host's targets: those that have a configuration file, and those whose sysroot in
    /// `<BROOT>/usr` contains one of [`MARKS`].
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

    /// Returns the sysroots of the host's targets, whether they exist or not.
    pub(crate) fn sysroots(&self) -> Result<Vec<(Tuple, PathBuf)>, ConfigError> {
        let sysroot = |tuple: Tuple| {
            let configured = self.target(&tuple)?.sysroot;
            let sysroot = configured.unwrap_or_else(|| self.default_sysroot(&tuple));
            Ok((tuple, sysroot))
        };
        self.tuples()?.into_iter().map(sysroot).collect()
    }

    /// Returns `<BROOT>/usr/<tuple>`, the sysroot that crossdev creates.
    pub fn default_sysroot(&self, tuple: &Tuple) -> PathBuf {
        below(&self.broot, &format!("usr/{tuple}"))
    }

    /// Returns the facts about a tuple.
    pub fn facts(&self, tuple: &Tuple) -> Result<Target, ConfigError> {
        Ok(Target::of(
            tuple,
            &self.families()?,
            &self.profiles_directory(),
        )?)
    }

    /// Returns the virtual board of a tuple. `None` if there is none for its CPU or system.
    pub fn board(&self, tuple: &Tuple) -> Result<Option<Board>, ConfigError> {
        Ok(target::board_of(
            tuple,
            &self.families()?,
            &self.profiles_directory(),
        )?)
    }

    /// Returns the directory in which the user can define a CPU family.
    pub fn profiles_directory(&self) -> String {
        self.own_directory().join("profiles").display().to_string()
    }

    /// Returns the CPU families, built-in ones and the user's.
    pub fn families(&self) -> Result<Vec<Source>, ConfigError> {
        let built_in = Source::built_in().map(|(stem, source)| (stem.to_owned(), source));
        let mut families: BTreeMap<String, Source> = built_in.collect();
        let own = self.own_sources("profiles")?.into_iter();
        families.extend(own.map(|(stem, (file, text))| (stem, Source::own(file, text))));
        Ok(families.into_values().collect())
    }

    /// Reads the user's definitions in `wrappers` or `profiles`. Returns path and text by file stem. A file in the
    /// user's directory replaces one in the system's.
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

    /// Returns the user's definitions in `wrappers` or `profiles`, as stem and path. Those in the system's directory
    /// come first.
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

/// Returns BROOT, from the environment or the built-in prefix.
pub(crate) fn broot_of(env: &Env) -> PathBuf {
    broot(env.get(env::PORTAGE_OVERRIDE_EPREFIX), BUILT_IN_EPREFIX)
}

/// Returns the prefix of the host's Portage: the one in the environment, otherwise the built-in one. As in Portage, `/`
/// counts as no prefix.
fn broot(overridden: Option<&OsStr>, built_in: &str) -> PathBuf {
    let broot: PathBuf = Path::new(overridden.unwrap_or(built_in.as_ref()))
        .components()
        .collect();
    if broot == Path::new("/") {
        PathBuf::new()
    } else {
        broot
    }
}

/// Lists the `*.toml` files of a directory, as stem and path, sorted. Empty if the directory does not exist.
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

/// Parses a TOML file. Returns `None` if it does not exist.
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
    fn the_environment_replaces_the_built_in_prefix() {
        for (overridden, built_in, broot) in [
            (None, "", ""),
            (None, "/opt/gentoo", "/opt/gentoo"),
            (Some("/other/"), "/opt/gentoo", "/other"),
            (Some(""), "/opt/gentoo", ""),
            (Some("/"), "/opt/gentoo", ""),
        ] {
            let found = super::broot(overridden.map(OsStr::new), built_in);
            assert_eq!(found, Path::new(broot), "{overridden:?} {built_in}");
        }
        assert_eq!(below(Path::new(""), "usr/avr"), Path::new("/usr/avr"));
        assert_eq!(below(Path::new("/e"), "usr/avr"), Path::new("/e/usr/avr"));
    }
}
