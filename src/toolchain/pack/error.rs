//! The errors of packing and unpacking, and their hints.

use crate::toolchain::error::ToolchainError;
use crossmerge_plan::{passes_on, report::Explain, shown::Show, tuple::Tuple, words::quote};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{io, path::PathBuf};

/// Why a toolchain cannot be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{path}` cannot be read: {source}", path = .path.shown())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` cannot be written: {source}", path = .path.shown())]
    Write { path: PathBuf, source: io::Error },
    #[error("the toolchain of `{tuple}` is not complete: it has {reached}, and lacks {lacks}")]
    Unfinished {
        tuple: Tuple,
        reached: &'static str,
        lacks: &'static str,
        /// The stage that could be packed.
        stage: Option<&'static str>,
    },
    #[error("no package of `{category}` is installed")]
    NoPackages { tuple: Tuple, category: String },
    #[error(
        "an archive of `{tuple}` would not work elsewhere: its compiler is the clang of this machine"
    )]
    Clang { tuple: Tuple },
    #[error("an archive needs a C compiler, and `{tuple}` has none")]
    NoCompiler { tuple: Tuple },
    #[error("`{path}`, a file of {package}, does not exist", path = .path.shown())]
    Missing { path: PathBuf, package: String },
    #[error("`{path}` is a symlink out of the toolchain, to `{target}`", path = .path.shown(), target = .target.shown())]
    Outside { path: PathBuf, target: PathBuf },
    #[error("the library `{library}`, which `{program}` needs, is not found", program = .program.shown())]
    NoLibrary { library: String, program: PathBuf },
    #[error("`{name}` is not the name of an archive: it ends in none of {endings}", name = .name.shown())]
    Name { name: PathBuf, endings: String },
    #[error("`{path}` exists already", path = .0.shown())]
    OutputExists(PathBuf),
    #[error("`{path}` is not empty", path = .0.shown())]
    NotEmpty(PathBuf),
    #[error("`{path}` does not exist", path = .0.shown())]
    NoInput(PathBuf),
    #[error("`{path}` is not an archive of a toolchain: {why}", path = .path.shown())]
    NotAnArchive { path: PathBuf, why: String },
    #[error("`{path}` contains no packed toolchain: it has no `{name}`", path = .0.shown(), name = super::manifest::NAME)]
    NoManifest(PathBuf),
    #[error("the manifest of `{place}` is damaged: {why}", place = .place.shown())]
    Manifest { place: PathBuf, why: String },
    #[error("`{place}` has format {format}, which this crossmerge does not know", place = .place.shown())]
    Format { place: PathBuf, format: i64 },
    #[error("`{program}` is not installed, and the archive needs it")]
    NoProgram {
        program: &'static str,
        install: Option<String>,
    },
    #[error("{what} failed: {printed}")]
    Failed { what: &'static str, printed: String },
    #[error("`{place}` is damaged: {what}", place = .place.shown())]
    Damaged { place: PathBuf, what: String },
    #[error("the toolchain's programs are for {needed}, and this machine is {here}")]
    Machine { needed: String, here: String },
    #[error("the toolchain's programs need the dynamic linker `{path}`, which this machine does not have", path = .0.shown())]
    NoInterpreter(PathBuf),
    #[error("the toolchain's programs need glibc {needed}, and this machine has {here}")]
    OldGlibc { needed: String, here: String },
    #[error("`{directory}` has {free} MiB of free space, and the toolchain needs {needed} MiB", directory = .directory.shown())]
    Space {
        directory: PathBuf,
        free: u64,
        needed: u64,
    },
    #[error("the target `{tuple}` exists already, with the compiler `{compiler}`", compiler = .compiler.shown())]
    TargetExists { tuple: Tuple, compiler: PathBuf },
    #[error("`{category}` is installed already: {packages}")]
    Installed {
        category: String,
        packages: String,
        tuple: Tuple,
    },
    #[error("the home directory is unknown, so there is no default directory")]
    NoHome,
    #[error("`{path}` contains a space or a quote, which build systems do not support in a compiler's path", path = .0.shown())]
    BadDirectory(PathBuf),
    #[error("the compiler does not work at `{path}`: {why}", path = .path.shown())]
    Broken { path: PathBuf, why: String },
    #[error("Portage cannot move the packages from `{from}` to `{to}`, because the new path is longer", from = .from.shown(), to = .to.shown())]
    LongPrefix { from: PathBuf, to: PathBuf },
    #[error("`{path}` is no prefix with a Portage", path = .0.shown())]
    NoPrefix(PathBuf),
    #[error("emerge failed: {output}")]
    Emerge { output: String, log: PathBuf },
    #[error("interrupted by {0}")]
    Interrupted(nix::sys::signal::Signal),
}

impl PackError {
    pub(super) fn read(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}

impl Explain for PackError {
    passes_on!(Toolchain, Exec);

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(signal) => 128 + *signal as u8,
            _ => crossmerge_plan::report::OWN_FAILURE,
        }
    }

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } | Self::Write { source, .. } => return file::hint(source),
            Self::Unfinished { tuple, stage, .. } => {
                let finish = format!("`crossmerge toolchain build {tuple}` completes it");
                match stage {
                    None => finish,
                    Some(stage) => {
                        format!("{finish}; the same command with `--stage {stage}` packs what exists")
                    }
                }
            }
            Self::NoPackages { tuple, .. } | Self::NoCompiler { tuple } => format!(
                "`crossmerge toolchain build {tuple}` builds it; `crossmerge toolchain list` lists those that exist"
            ),
            Self::Clang { tuple } => format!(
                "pack binary packages, and install clang there: `crossmerge toolchain pack {tuple} --output DIRECTORY`"
            ),
            Self::Missing { package, .. } => format!("`emerge --oneshot {package}` installs it again"),
            Self::Outside { .. } => "pack binary packages: the same command with `--output DIRECTORY`".into(),
            Self::Name { .. } => {
                "`--output DIRECTORY/` makes binary packages in a new directory".into()
            }
            Self::OutputExists(path) => format!("remove it: `rm -r {}`", quote(path.as_os_str())),
            Self::NotEmpty(_) | Self::BadDirectory(_) | Self::NoHome => {
                "name a new directory: `--prefix DIRECTORY`".into()
            }
            Self::NoManifest(_) => "`crossmerge toolchain pack <tuple> --output DIRECTORY` makes one".into(),
            Self::NoProgram { install, .. } => format!("`{}`", install.clone()?),
            Self::Damaged { .. } => "copy it again from where it was made".into(),
            Self::Machine { .. } => {
                "build the toolchain on this machine, or on another of its kind: `crossmerge toolchain prepare`".into()
            }
            Self::NoInterpreter(_) | Self::OldGlibc { .. } => {
                "build the toolchain on the older system: its programs then run on newer ones too".into()
            }
            Self::Space { .. } => "free some space there, or name another directory: `--prefix DIRECTORY`".into(),
            Self::TargetExists { tuple, .. } => format!(
                "`--no-init` unpacks beside it; `crossmerge remove {tuple}` removes the target"
            ),
            Self::Installed { tuple, .. } => {
                format!("`crossmerge toolchain remove {tuple}` removes it")
            }
            Self::LongPrefix { from, .. } => format!(
                "an archive works at any path: `crossmerge toolchain pack <tuple> --output FILE.tar.zst`; or use a prefix of at most {} characters",
                from.as_os_str().len()
            ),
            Self::NoPrefix(path) => format!(
                "`crossmerge toolchain prepare --prefix {}` makes one",
                quote(path.as_os_str())
            ),
            Self::Emerge { log, .. } => format!("the log is {}", log.shown()),
            Self::Interrupted(_) => "the same command goes on".into(),
            _ => return None,
        })
    }
}
