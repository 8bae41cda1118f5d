//! The command line of `crossmerge toolchain`, as clap reads it.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::{ffi::OsString, path::PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum ToolchainCommand {
    /// Print the files and commands of a build, and change nothing
    Plan {
        #[command(flatten)]
        options: ToolchainOptions,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Build a toolchain; again: go on with the step that failed, or bring the toolchain up to date
    ///
    /// It ends with `crossmerge init` and `crossmerge toolchain test`. `crossmerge toolchain log` prints why a step failed. The exit code is 1 if a step
    /// failed.
    Build {
        #[command(flatten)]
        options: ToolchainOptions,
        /// Print the output of emerge
        #[arg(short, long)]
        verbose: bool,
        /// Write the files, and build nothing
        #[arg(long)]
        files_only: bool,
        /// Do not test the finished toolchain
        #[arg(long)]
        no_test: bool,
    },
    /// Test compilers: C, C++, static programs and shared libraries, and run the programs under QEMU
    ///
    /// These are checks of `crossmerge doctor`, for any target. The exit code is 1 if there are findings.
    Test {
        /// The targets' tuples; without any, every target
        tuples: Vec<OsString>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Build the newest allowed versions of toolchains that exist, also of those that crossdev built
    ///
    /// Each is built with its last options, and only the steps that have a newer version.
    Update {
        /// The targets' tuples; without any, every toolchain
        tuples: Vec<OsString>,
        /// Take the versions of binutils, GCC, libc and kernel headers that the system in this root has
        #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath, requires = "tuples")]
        like: Option<PathBuf>,
        /// Print the output of emerge
        #[arg(short, long)]
        verbose: bool,
        /// Do not test the finished toolchains
        #[arg(long)]
        no_test: bool,
    },
    /// List the steps of toolchains, and how they ended
    Status {
        /// The targets' tuples; without any, every toolchain
        tuples: Vec<OsString>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print the log of a toolchain's step: of the one that failed, or of a named one
    Log {
        /// The target's tuple
        tuple: OsString,
        /// The step, as `status` names it
        step: Option<String>,
    },
    /// Unmerge a toolchain's packages, and undo what `build` wrote
    ///
    /// The sysroot stays: `crossmerge remove` undoes init.
    Remove {
        /// The target's tuple
        tuple: OsString,
        /// Print the steps, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List the toolchains, also those that crossdev built, one a line
    List,
    /// Pack a finished toolchain, to take it to another machine
    ///
    /// The result is an archive for a machine without Portage, or binary packages for one with it.
    Pack(Pack),
    /// Unpack a toolchain that `pack` made, make its target and test it
    Unpack(Unpack),
    /// Prepare a system without Gentoo: install Portage and ebuilds for toolchains into a directory
    ///
    /// It installs no package of the distribution. If a program or a header is missing, it prints the command that
    /// installs it, and changes nothing. A second run continues an interrupted one, and updates the ebuilds.
    Prepare(Prepare),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge toolchain pack riscv64-unknown-linux-musl
  crossmerge toolchain pack riscv64-unknown-linux-musl --output /srv/riscv64.tar.xz
  crossmerge toolchain pack riscv64-unknown-linux-musl --output /srv/packages")]
pub(super) struct Pack {
    /// The target's tuple
    pub(super) tuple: OsString,
    /// The archive, which ends in .tar.zst, .tar.xz, .tar.gz or .tar; or the directory of the binary packages
    ///
    /// Without it, the archive is <tuple>-gcc-<version>.tar.zst in the working directory, or .tar.xz without zstd.
    #[arg(long, value_name = "FILE-OR-DIR", value_hint = ValueHint::AnyPath)]
    pub(super) output: Option<PathBuf>,
    /// Pack an unfinished toolchain: the packages up to this stage
    #[arg(long)]
    pub(super) stage: Option<Stage>,
    /// Print the manifest as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge toolchain unpack riscv64-unknown-linux-musl-gcc-15.2.0.tar.zst
  crossmerge toolchain unpack riscv64.tar.xz --prefix ~/riscv64
  crossmerge toolchain unpack /srv/packages")]
pub(super) struct Unpack {
    /// The archive, or the directory of binary packages
    #[arg(value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(super) input: PathBuf,
    /// The new directory of an archive's files, instead of /opt/<tuple>, or ~/.local/share/crossmerge/toolchains/<tuple>
    /// for a user; or the prefix whose Portage installs the binary packages
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) prefix: Option<PathBuf>,
    /// Make no target
    #[arg(long)]
    pub(super) no_init: bool,
    /// Do not test the toolchain
    #[arg(long)]
    pub(super) no_test: bool,
    /// Print the manifest as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// The last stage of a toolchain.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Stage {
    /// Assembler and linker
    #[value(alias = "0")]
    Binutils,
    /// A C compiler without libc
    #[value(alias = "1")]
    C,
    /// The kernel's headers
    #[value(alias = "2")]
    Headers,
    /// The libc
    #[value(alias = "3")]
    Libc,
    /// Compilers for C and C++
    #[value(alias = "4")]
    Full,
}

#[derive(Debug, Args)]
pub(super) struct ToolchainOptions {
    /// The target's tuple
    pub(super) tuple: OsString,
    /// Stop after this stage
    #[arg(long)]
    pub(super) stage: Option<Stage>,
    /// Take the newest stable versions, instead of the newest ones
    #[arg(long)]
    pub(super) stable: bool,
    /// Version of binutils: 2.45 is the newest up to that, =2.45 that one; `latest` and `stable` work too
    #[arg(long, value_name = "VERSION")]
    pub(super) binutils: Option<String>,
    /// Version of GCC
    #[arg(long, value_name = "VERSION")]
    pub(super) gcc: Option<String>,
    /// Version of the kernel's headers
    #[arg(long, value_name = "VERSION")]
    pub(super) kernel: Option<String>,
    /// Version of the libc
    #[arg(long, value_name = "VERSION")]
    pub(super) libc: Option<String>,
    /// Version of the debugger
    #[arg(long, value_name = "VERSION")]
    pub(super) gdb: Option<String>,
    /// ABIs to build for, separated by commas; the first is the default
    #[arg(long, value_delimiter = ',', value_name = "ABI")]
    pub(super) abis: Vec<String>,
    /// Use clang instead of GCC
    #[arg(long)]
    pub(super) llvm: bool,
    /// Build this after the compiler: gcc with your USE flags, gdb, or a package as CATEGORY/NAME
    #[arg(long, value_name = "PACKAGE")]
    pub(super) extra: Vec<String>,
    /// Variable for the ebuilds of the toolchain, or of one part: gcc:EXTRA_ECONF=--disable-lto
    #[arg(long, value_name = "[PART:]NAME=VALUE")]
    pub(super) env: Vec<String>,
    /// Repository to which the toolchain's category is added
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub(super) output: Option<PathBuf>,
    /// Repository that contains a part's ebuild
    #[arg(long, value_name = "PART=DIRECTORY")]
    pub(super) repository: Vec<String>,
    /// Option for every call of emerge
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(super) emerge_opt: Vec<String>,
    /// Build the headers of the kernel and the libc before the first compiler
    #[arg(long)]
    pub(super) headers_first: bool,
    /// For Windows: build the library of POSIX threads, and GCC for them (std::thread, pthread_create)
    #[arg(long)]
    pub(super) posix_threads: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge toolchain prepare
  crossmerge toolchain prepare riscv64-unknown-linux-musl --dry-run
  crossmerge toolchain prepare --sources /srv/archives")]
pub(super) struct Prepare {
    /// A target: print first which of its compilers the distribution has
    pub(super) tuple: Option<OsString>,
    /// Use this directory instead of /var/lib/crossmerge/prefix, or ~/.local/share/crossmerge/prefix for a user
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) prefix: Option<PathBuf>,
    /// Build the versions whose source archives are in this directory, instead of downloading upstream's
    ///
    /// The archives of binutils, gcc, linux and musl are recognised by upstream's names and by Debian's.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) sources: Option<PathBuf>,
    /// Print the steps, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Remove the directory, if no toolchain is installed in it
    #[arg(long, conflicts_with_all = ["tuple", "sources"])]
    pub(super) remove: bool,
}
