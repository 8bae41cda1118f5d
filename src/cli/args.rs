//! The command line of `crossmerge`, as clap reads it.

use crate::{doctor, export::Format};
use clap::{Args, Parser, Subcommand, ValueHint, builder::PossibleValuesParser};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// Cross-compile for other machines: with Portage, or with any cross toolchain.
#[derive(Debug, Parser)]
#[command(
    name = "crossmerge",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a target: its symlinks, its sysroot and the sysroot's etc/portage
    ///
    /// A second run only changes what depends on the host's settings, if those changed. Files that you edited are
    /// never overwritten.
    Init(Init),
    /// Print the facts of a tuple: ARCH, word size, emulator, its names in build systems
    ///
    /// Without a tuple, it lists the CPU families, with examples of tuples and the other names of each.
    Show {
        /// The tuple or another name of it, such as arm64; it need not be a target
        tuple: Option<OsString>,
        /// Print a JSON object; without a tuple, an array of the families
        #[arg(long)]
        json: bool,
        /// Print examples of tuples only, one a line
        #[arg(long, conflicts_with_all = ["tuple", "json"])]
        examples: bool,
    },
    /// Print what `<tuple>-<applet> args…` would run, as shell commands to paste
    #[command(after_help = "\
Examples:
  crossmerge plan armv7a-unknown-linux-gnueabihf emerge --pretend app-editors/nano
  crossmerge plan --json aarch64-unknown-linux-gnu cmake -B build")]
    Plan {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The target's tuple
        tuple: OsString,
        /// The applet; `crossmerge applets` lists them
        applet: String,
        /// Its arguments, passed on unchanged: put options of `plan` itself before the tuple
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Print the facts of a target as the file that a build system reads
    #[command(after_help = "\
Examples:
  crossmerge export aarch64-unknown-linux-gnu cmake toolchain.cmake
  eval \"$(crossmerge export aarch64-unknown-linux-gnu env)\"

docs/build-systems.md explains how each file is used.")]
    Export {
        /// The target's tuple
        tuple: OsString,
        /// The format of the file
        format: Format,
        /// Write this file instead of printing it; `-` prints it
        file: Option<PathBuf>,
        /// Replace a file that was not made by this command
        #[arg(long, requires = "file")]
        force: bool,
    },
    /// List the names of the applets that every target has, one a line
    Applets,
    /// List the targets of the host and their state
    ///
    /// The states are `ready`; `no-compiler`, ready except for a compiler; `adopted`, set up by crossdev, with
    /// wrappers that crossmerge has taken over; `foreign`, set up by crossdev or by hand; `unfinished`, an
    /// interrupted init; `half-made`, with crossdev's placeholders in its make.conf; `bare`, a sysroot without
    /// etc/portage although the host has Portage; `missing`, no sysroot; `unreadable`, a sysroot that you may not
    /// read.
    Targets {
        /// List the installed cross compilers instead, each with a tuple that it works for
        #[arg(long)]
        available: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Check targets, and print the command that fixes each fault
    ///
    /// It changes nothing. The exit code is 0 if nothing is wrong, else 1. docs/doctor.md explains each check.
    Doctor {
        /// The targets' tuples; without any, every target of the host
        tuples: Vec<OsString>,
        /// Run only this check and those that it needs; may be given several times
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(doctor::check_names()))]
        check: Vec<String>,
        /// Print a line for every check, not only for faults
        #[arg(short, long)]
        verbose: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show, register or install the kernel's rules that run foreign programs under QEMU
    #[command(subcommand)]
    Binfmt(BinfmtCommand),
    /// List, show or set a target's Portage profile
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show, check and learn answers for configure scripts
    ///
    /// A configure script runs programs to find some answers, which it cannot do in a cross build. See site-cache(5).
    #[command(subcommand)]
    SiteCache(super::site_cache::SiteCacheCommand),
    /// Build a cross toolchain with Portage, as crossdev does
    #[command(subcommand)]
    Toolchain(super::toolchain_args::ToolchainCommand),
    /// Build, check or measure a runtime root: the directory tree that is copied to a device
    #[command(subcommand)]
    Root(RootCommand),
    /// Build a stage: an archive of a system that builds packages itself, as Gentoo's stage3
    Stage(super::stage::StageOptions),
    /// Make images of a root: file systems, archives and disks
    Image(super::image::ImageOptions),
    /// Use ccache, distcc and icecream for a target
    #[command(subcommand)]
    Farm(super::farm::FarmCommand),
    /// Start an image or a directory on a virtual board, or run a command in it
    Boot(BootArgs),
    /// Print the kernel configuration with which a kernel boots on a target's virtual board
    ///
    /// In a kernel's source tree, `KCONFIG_ALLCONFIG=FILE <tuple>-xkmake allnoconfig` makes a configuration of it.
    KernelConfig {
        /// The target's tuple
        tuple: OsString,
    },
    /// Take over the wrappers of crossdev's targets, or put them back
    Adopt {
        /// The tuples; without any, every target of crossdev
        tuples: Vec<OsString>,
        /// Put back crossdev's wrappers
        #[arg(long)]
        undo: bool,
        /// Print the steps, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Undo what init did; files that you edited or merged stay
    Remove {
        /// The target's tuple
        tuple: OsString,
        /// Print what would be removed, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge boot board.ext4
  crossmerge boot board.cpio.gz --run id
  crossmerge boot /srv/board --target armv7a-unknown-linux-gnueabihf --kernel /usr/src/linux

With --run, the exit code is that of the command. docs/boot.md explains where the kernel comes from.")]
pub(super) struct BootArgs {
    /// The image: ext4, squashfs, erofs, an initramfs or a disk; or the directory of a root
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) image: PathBuf,
    /// The tuple, if no manifest beside the image names it
    #[arg(long, value_name = "TUPLE")]
    pub(super) target: Option<OsString>,
    /// Use the virtual board of another tuple, whose CPU runs the target's programs
    #[arg(long, value_name = "TUPLE")]
    pub(super) board: Option<OsString>,
    /// The kernel's image, or the directory in which it was built
    ///
    /// Without this option: `[boot] kernel` or `[kernel] tree` of the target's file, or the newest kernel in /boot of
    /// the directory or of the target's sysroot.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(super) kernel: Option<PathBuf>,
    /// An initramfs, for a kernel that needs modules to reach the image
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) initrd: Option<PathBuf>,
    /// The device tree, if the board needs one that was not built with the kernel
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) dtb: Option<PathBuf>,
    /// The memory of the board, such as 512M
    #[arg(long, value_name = "SIZE")]
    pub(super) memory: Option<String>,
    /// Further arguments for the kernel
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) append: Option<String>,
    /// Run a command with /bin/sh when the system is up, print its output, and end the board
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub(super) run: Option<String>,
    /// How many seconds the boot and the command of --run may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "run")]
    pub(super) timeout: u64,
    /// Keep changes to the image; otherwise they are discarded
    #[arg(long)]
    pub(super) write: bool,
    /// Print QEMU's command, and start nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge init armv7a-unknown-linux-gnueabihf
  crossmerge init arm64
  crossmerge init aarch64-unknown-linux-gnu --toolchain aarch64-linux-gnu- --with-libc
  crossmerge init riscv64-unknown-linux-musl --llvm --sysroot /srv/riscv --dry-run

Then `crossmerge doctor <tuple>` reports what is missing, and <tuple>-emerge, -configure, -cmake and others build for it.")]
pub(super) struct Init {
    /// The tuple, such as aarch64-unknown-linux-gnu, or another name of it, such as arm64; `crossmerge show` lists them
    pub(super) tuple: OsString,
    /// Print the writes as a diff, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Keep the target in this directory instead of `/usr/<tuple>`, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) sysroot: Option<PathBuf>,
    /// Make the symlinks in this directory instead of beside crossmerge, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) bindir: Option<PathBuf>,
    /// Adopt the toolchain whose tools' names begin with this: arm-linux-gnueabi-, /opt/sdk/bin/arm-vendor-; `zig`; or
    /// `none`
    ///
    /// Without this option, init adopts the installed cross compiler for the tuple, with its libc.
    #[arg(long, value_name = "PREFIX", conflicts_with = "llvm")]
    pub(super) toolchain: Option<OsString>,
    /// Adopt clang and lld, which work for every tuple
    #[arg(long)]
    pub(super) llvm: bool,
    /// Copy the adopted toolchain's libc into the sysroot
    #[arg(long)]
    pub(super) with_libc: bool,
    /// Link this profile: embedded, a name of `crossmerge profile list`, or auto for the best that fits
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum BinfmtCommand {
    /// Print the state of each rule in the kernel
    Status {
        #[command(flatten)]
        which: RuleSelection,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print the lines that register the rules
    Show {
        #[command(flatten)]
        which: RuleSelection,
    },
    /// Register rules with the kernel, until the host is shut down
    Register {
        #[command(flatten)]
        which: RuleSelection,
        #[command(flatten)]
        how: RegisterOptions,
    },
    /// Remove registered rules
    Unregister {
        #[command(flatten)]
        which: RuleSelection,
        /// Print the writes as shell commands, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write files to /etc/binfmt.d, by which rules are registered when the host boots
    Install {
        #[command(flatten)]
        which: RuleSelection,
        #[command(flatten)]
        how: RegisterOptions,
        /// Remove the files instead
        #[arg(long, conflicts_with = "credentials")]
        uninstall: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct RuleSelection {
    /// The tuple of the programs
    #[arg(conflicts_with = "all")]
    pub(super) tuple: Option<OsString>,
    /// Every rule whose QEMU is installed, except for programs that the kernel runs itself
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct RegisterOptions {
    /// Add flag C: QEMU gets the rights of a set-user-ID program, so any user who may start one can become root
    #[arg(long)]
    pub(super) credentials: bool,
    /// Print the writes as shell commands, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProfileCommand {
    /// List the profiles of the target's ARCH and libc; `*` marks the linked one
    List {
        /// The target's tuple
        tuple: OsString,
    },
    /// Print the target's profile and its settings
    Show {
        /// The target's tuple
        tuple: OsString,
    },
    /// Link another profile
    Set {
        /// The target's tuple
        tuple: OsString,
        /// Its name or its number in the list, or auto for the best that fits
        profile: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RootCommand {
    /// Build a root from binary packages; `crossmerge root TUPLE DIR` is the same
    ///
    /// Binary packages that are missing are built into the sysroot first. The new root is made beside the old one, is
    /// checked, and replaces it. A run that ends in any other way leaves the old root as it was, and the next run goes
    /// on. An ordinary user needs subordinate user IDs.
    #[command(after_help = "\
Examples:
  crossmerge root build aarch64-unknown-linux-gnu /srv/board app-shells/bash sys-apps/coreutils
  crossmerge root build aarch64-unknown-linux-gnu /srv/board --set @system --dry-run")]
    Build {
        /// The target's tuple
        tuple: OsString,
        /// The root: a path that does not exist, an empty directory, or a root that this command has built
        #[arg(value_hint = ValueHint::DirPath)]
        root: PathBuf,
        /// Packages and sets, as emerge takes them; without any, those of `[root]` in the target's configuration
        packages: Vec<String>,
        /// Add the packages and sets in this file
        #[arg(long = "packages", value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Add a set, such as @system; may be given several times
        #[arg(long, value_name = "SET")]
        set: Vec<String>,
        /// Print the steps as shell commands, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Print the output of the steps
        #[arg(short, long)]
        verbose: bool,
    },
    /// Check a root, and print the command that fixes each fault
    ///
    /// Every library, dynamic linker and interpreter that a program needs must be in the root, every ELF file must be
    /// for the tuple, every symlink must lead to a path of the root, and packages must own the files. It changes
    /// nothing. The exit code is 0 if nothing is wrong, else 1. docs/root.md explains each check.
    #[command(after_help = "\
Examples:
  crossmerge root check /srv/board
  crossmerge root check --tuple armv7a-unknown-linux-gnueabihf --json /srv/board")]
    Check {
        /// The root
        #[arg(value_hint = ValueHint::DirPath)]
        root: PathBuf,
        /// The tuple of the root's programs; without it, the CHOST of its packages
        #[arg(long)]
        tuple: Option<OsString>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the size of each package of a root, and of what no package owns
    Size {
        /// The root
        #[arg(value_hint = ValueHint::DirPath)]
        root: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl BinfmtCommand {
    pub(super) fn which(&self) -> &RuleSelection {
        match self {
            Self::Status { which, .. }
            | Self::Show { which }
            | Self::Register { which, .. }
            | Self::Unregister { which, .. }
            | Self::Install { which, .. } => which,
        }
    }
}

impl ProfileCommand {
    pub(super) fn tuple(&self) -> &OsStr {
        let (Self::List { tuple } | Self::Show { tuple } | Self::Set { tuple, .. }) = self;
        tuple
    }
}
