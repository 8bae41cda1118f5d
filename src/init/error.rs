//! The errors of init, remove and targets, and their hints.

use crate::{
    config::ConfigError,
    context::ContextError,
    crossdev::target_of,
    profile::ProfileError,
    target::{Mismatch, elf_machine::ElfMachine},
};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, tuple::Tuple, words::quote_line};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{ffi::OsString, io, path::PathBuf};

/// An error of init, remove or targets.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages state what the variants mean")]
pub enum InitError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("`{tuple}` is {what} of the host: its wrappers would shadow native tools")]
    Native { tuple: Tuple, what: String },
    #[error("`{path}` is not crossmerge's, and a symlink to crossmerge would replace it", path = .0.shown())]
    NotOurs(PathBuf),
    #[error("{path:?} cannot be written to a configuration file: it is not UTF-8, or contains control characters", path = .0)]
    NotText(PathBuf),
    #[error("`{path}` is a directory, and init would replace it together with its contents", path = .0.shown())]
    IsADirectory(PathBuf),
    #[error("`{path}` is a symlink, and crossmerge would replace it to change the file", path = .0.shown())]
    LinkToEdit(PathBuf),
    #[error("`{path}` is not a directory", path = .0.shown())]
    NotADirectory(PathBuf),
    #[error("`{path}` has ten thousand `._cfgNNNN_` files beside it", path = .0.shown())]
    TooManyBeside(PathBuf),
    #[error("Portage has no main repository, so there is no profile to link")]
    NoMainRepository,
    #[error("the main repository has no profile `{path}`", path = .0.shown())]
    NoEmbedded(PathBuf),
    #[error("the toolchain has no compiler `{name}` in PATH", name = .name.shown())]
    NoCompiler {
        name: OsString,
        meant: Option<OsString>,
        /// The command that installs a compiler of the tuple, or clang.
        install: Option<String>,
    },
    #[error("there is no program `{name}`", name = .name.shown())]
    NoZig {
        name: OsString,
        /// The command that installs Zig.
        install: Option<String>,
    },
    #[error("`{program} env` does not print the path and the version of Zig", program = .0.shown())]
    NoZigEnv(PathBuf),
    #[error("`{program}` is Zig {version}, and crossmerge needs {oldest} or later", program = .program.shown())]
    OldZig {
        program: PathBuf,
        version: String,
        oldest: String,
    },
    #[error("Zig has no libc for `{tuple}`: its CPU, its system or its ABI")]
    NotZigs {
        tuple: Tuple,
        /// The command that installs another compiler.
        instead: Option<String>,
    },
    #[error("the libc of `{program}` exists only as source code that Zig compiles itself, so there is nothing to copy", program = .0.shown())]
    ZigsLibc(PathBuf),
    #[error("`{compiler}` cannot compile an empty file:\n{output}", compiler = .compiler.shown())]
    CompilerFails { compiler: OsString, output: String },
    #[error("`{compiler}` does not build for `{tuple}`: its output is {made}, and the tuple means {wanted}", compiler = .compiler.shown())]
    WrongMachine {
        compiler: OsString,
        tuple: Tuple,
        made: ElfMachine,
        wanted: ElfMachine,
    },
    #[error("`{compiler}` does not build for `{tuple}`: {mismatch}", compiler = .compiler.shown())]
    OtherTraits {
        compiler: OsString,
        tuple: Tuple,
        mismatch: Box<Mismatch>,
        /// The command that adopts a toolchain that does.
        instead: Option<String>,
    },
    #[error("`{compiler}` has no libc", compiler = .compiler.shown())]
    NoLibc {
        compiler: OsString,
        /// The command that installs one.
        install: Option<String>,
    },
    #[error("the toolchain's libc is the host's own, in `{path}`", path = .0.shown())]
    HostLibc(PathBuf),
    #[error("the profile `{profile}` expects {wants}, but `{sysroot}` is {has}: it would abort each merge", sysroot = .sysroot.shown())]
    ProfileLayout {
        profile: String,
        wants: &'static str,
        sysroot: PathBuf,
        has: &'static str,
        tuple: Tuple,
    },
    #[error("the profile `{profile}` compiles with `{flags}`, with which `{compiler}` does not produce the ABI of `{tuple}`", compiler = .compiler.shown())]
    ProfileAbi {
        profile: String,
        flags: String,
        compiler: PathBuf,
        tuple: Tuple,
    },
    #[error("`{sysroot}` cannot be the sysroot of `{tuple}`: {why}", sysroot = .sysroot.shown())]
    NoPlace {
        sysroot: PathBuf,
        tuple: Tuple,
        why: String,
    },
    #[error("`{tool}` is a real tool, and the target's symlink `{name}` would shadow it for every user with this PATH", tool = .tool.shown(), name = .name.shown())]
    Shadows {
        tool: PathBuf,
        name: OsString,
        /// The command that makes the target with another vendor.
        command: String,
    },
    #[error("`{sysroot}` contains the headers of another libc in `include`, not in `usr/include`: a toolchain keeps its own libc there", sysroot = .sysroot.shown())]
    OtherLayout {
        sysroot: PathBuf,
        /// The command that makes the target with another vendor.
        command: String,
    },
    #[error(
        "there is no directory for your own targets: HOME is not set, and passwd(5) has no home directory for you"
    )]
    NoHome,
    #[error("`--with-libc` needs an adopted toolchain whose libc it copies")]
    NothingAdopted,
    #[error("`{file}`: {message}", file = .file.shown())]
    NotToml { file: PathBuf, message: String },
    #[error(
        "`{0}` is not initialised: crossmerge has made no sysroot, no symlink and no configuration for it"
    )]
    NotInitialised(Tuple),
}

impl From<FileError> for InitError {
    fn from(error: FileError) -> Self {
        Self::Io(error.into())
    }
}

impl Explain for InitError {
    passes_on!(Config, Context, Exec, Profile);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root; or omit `--sysroot` and `--bindir` for a target below your home directory; or name other directories: `--sysroot DIR --bindir DIR`".into()
            }
            Self::Io(e) => file::hint(e).unwrap_or_else(|| "fix that and run it again: completed work is kept".into()),
            Self::Native { .. } => "give the target another vendor, as in `i686-cross-linux-gnu`".into(),
            Self::NotOurs(path) => match target_of(path) {
                Some(tuple) => format!("it is crossdev's: take it over with `crossmerge adopt {tuple}`"),
                None => format!("put the symlinks into another directory with `--bindir DIR`, or move it: `mv {0} {0}.old`", path.shown()),
            },
            Self::NotText(_) => "choose another name".into(),
            Self::LinkToEdit(path) => {
                let path = quote_line(path.as_os_str());
                format!("make it a file: `cp --remove-destination \"$(readlink -f {path})\" {path}`")
            }
            Self::NotADirectory(path) | Self::IsADirectory(path) => format!("move it: `mv {0} {0}.old`", path.shown()),
            Self::TooManyBeside(_) => "merge and remove them, by hand or with Portage's etc-update".into(),
            Self::NoMainRepository => "name one as main-repo in /etc/portage/repos.conf; `portageq envvar PORTAGE_REPOSITORIES` prints what Portage reads".into(),
            Self::NoEmbedded(_) => "sync the repository: `emerge --sync`".into(),
            Self::NoCompiler { meant: Some(prefix), .. } => {
                format!("use `--toolchain {}`", prefix.shown())
            }
            Self::NoCompiler { install: Some(command), .. } => format!("`{command}` installs one; then run this again without `--toolchain`"),
            Self::NoCompiler { .. } => "PREFIX is the part of the path before `gcc`: `--toolchain /opt/sdk/bin/arm-linux-gnueabi-`; or install clang for `--llvm`".into(),
            Self::NoZig { install: Some(command), .. } if command.contains("ziglang") => {
                format!("`{command}`, then `--toolchain zig/ziglang/zig`")
            }
            Self::NoZig { install: Some(command), .. } => format!("`{command}`"),
            Self::NoZig { .. } => "unpack a release of https://ziglang.org/download, and name its program: `--toolchain /opt/zig/zig`".into(),
            Self::NoZigEnv(_) => "name Zig's program itself: `--toolchain /opt/zig/zig`".into(),
            Self::OldZig { .. } => "unpack a newer release of https://ziglang.org/download, and name its program: `--toolchain /opt/zig/zig`".into(),
            Self::NotZigs { instead: Some(command), .. } => format!("adopt GCC instead: `{command}`"),
            Self::NotZigs { tuple, .. } => format!("`crossmerge toolchain build {tuple}` builds a toolchain"),
            Self::ZigsLibc(_) => "omit `--with-libc`".into(),
            Self::CompilerFails { .. } => "the toolchain itself is broken: fix or reinstall it".into(),
            Self::OtherTraits { instead: Some(command), .. } => format!("adopt one that does: `{command}`"),
            Self::WrongMachine { tuple, .. } | Self::OtherTraits { tuple, .. } => {
                format!("adopt the toolchain of that tuple; `crossmerge show {tuple}` prints what it means")
            }
            Self::NoLibc { install: Some(command), .. } => format!("install it and run this again: `{command}`"),
            Self::NoLibc { .. } => "copy headers and libraries into the sysroot yourself, and omit `--with-libc`".into(),
            Self::HostLibc(_) => "adopt a cross toolchain that has its own libc".into(),
            Self::ProfileLayout { tuple, .. } | Self::ProfileAbi { tuple, .. } => {
                format!("`crossmerge profile set {tuple} auto` takes one that fits")
            }
            Self::NoPlace { tuple, .. } => format!("name another directory: `crossmerge init {tuple} --sysroot DIR`"),
            Self::Shadows { command, .. } | Self::OtherLayout { command, .. } => {
                format!("give the target another vendor: `{command}`")
            }
            Self::NoHome => "`export HOME=DIR`, or name the directories: `--sysroot DIR --bindir DIR`".into(),
            Self::NothingAdopted => "add `--toolchain PREFIX` or `--llvm`".into(),
            Self::NotToml { file, .. } => format!("fix it, or move it: `mv {0} {0}.old`", file.shown()),
            Self::NotInitialised(_) => "`crossmerge targets` lists those that are".into(),
            _ => return None,
        })
    }
}
