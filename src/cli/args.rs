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
    /// Make a target: its links, its sysroot and etc/portage in it
    ///
    /// A second run changes nothing but what your machine's settings changed. What you edited is never overwritten.
    Init(Init),
    /// Print what is known about a tuple: ARCH, word size, emulator, the names that build systems have for it
    ///
    /// Without a tuple it lists the CPU families, with examples of tuples and the other names of each.
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
    /// Print what `<tuple>-<applet> args…` would run, as shell that can be pasted
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
        /// The applet, of those that `crossmerge applets` lists
        applet: String,
        /// Its arguments, passed on as they are: an option of `plan` itself stands before the tuple
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Print what a build system has to know of a target, as the file that it reads
    #[command(after_help = "\
Examples:
  crossmerge export aarch64-unknown-linux-gnu cmake toolchain.cmake
  eval \"$(crossmerge export aarch64-unknown-linux-gnu env)\"

docs/build-systems.md says how each file is used.")]
    Export {
        /// The target's tuple
        tuple: OsString,
        /// What the file is for
        format: Format,
        /// Write this file, instead of printing its text, as `-` does
        file: Option<PathBuf>,
        /// Replace a file that something else made
        #[arg(long, requires = "file")]
        force: bool,
    },
    /// List the names of the applets that every target has, one a line
    Applets,
    /// List the targets of the host and their state
    ///
    /// The states are `ready`; `no-compiler`, ready but for that; `adopted`, set up by crossdev, whose wrappers are
    /// ours now; `foreign`, set up by crossdev or by hand; `unfinished`, an init that was cut short; `half-made`,
    /// crossdev's placeholders in its make.conf; `bare`, a sysroot without etc/portage on a machine with Portage;
    /// `missing`, no sysroot; `unreadable`, one that you may not read.
    Targets {
        /// List the cross compilers that are installed instead, each with a tuple that it serves
        #[arg(long)]
        available: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with targets, and which command fixes it
    ///
    /// It changes nothing. The exit code is 0 when nothing is wrong, 1 when something is. docs/doctor.md explains
    /// each check.
    Doctor {
        /// The targets' tuples; without any, every target of the host
        tuples: Vec<OsString>,
        /// Make this check alone, and those that it needs; may be given several times
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(doctor::check_names()))]
        check: Vec<String>,
        /// Print a line for every check, not for the findings alone
        #[arg(short, long)]
        verbose: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show, register or install the kernel's rules that hand foreign programs to QEMU
    #[command(subcommand)]
    Binfmt(BinfmtCommand),
    /// List, show or set a target's Portage profile
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show, check and learn the answers that configure scripts are given
    ///
    /// A configure script asks some things by running a program, which it cannot do in a cross build. site-cache(5)
    /// says more.
    #[command(subcommand)]
    SiteCache(super::site_cache::SiteCacheCommand),
    /// Take over the wrappers of crossdev's targets, or put them back
    Adopt {
        /// The tuples; without any, every target of crossdev's
        tuples: Vec<OsString>,
        /// Put back what was there before
        #[arg(long)]
        undo: bool,
        /// Print the steps, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Undo what init did; what you edited or merged stays
    Remove {
        /// The target's tuple
        tuple: OsString,
        /// Print what would go, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge init armv7a-unknown-linux-gnueabihf
  crossmerge init arm64
  crossmerge init aarch64-unknown-linux-gnu --toolchain aarch64-linux-gnu- --with-libc
  crossmerge init riscv64-unknown-linux-musl --llvm --sysroot /srv/riscv --dry-run

Then `crossmerge doctor <tuple>` says what is missing, and <tuple>-emerge, -configure, -cmake and others build for it.")]
pub(super) struct Init {
    /// The tuple, such as aarch64-unknown-linux-gnu, or another name of it, such as arm64; `crossmerge show` lists them
    pub(super) tuple: OsString,
    /// Print the writes as a diff, and touch nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Keep the target here instead of in `/usr/<tuple>`, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) sysroot: Option<PathBuf>,
    /// Make the links here instead of beside crossmerge, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) bindir: Option<PathBuf>,
    /// Adopt the toolchain whose tools' names begin so: arm-linux-gnueabi-, /opt/sdk/bin/arm-vendor-; or `none`
    ///
    /// Without it, init adopts the cross compiler that is installed for the tuple, with its libc.
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
    /// Print what the kernel has for each of our rules
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
    /// Register rules with the kernel, until the machine is switched off
    Register {
        #[command(flatten)]
        which: RuleSelection,
        #[command(flatten)]
        how: RegisterOptions,
    },
    /// Take registered rules away
    Unregister {
        #[command(flatten)]
        which: RuleSelection,
        /// Print the writes as shell, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write files to /etc/binfmt.d, which register rules when the machine starts
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
    /// The tuple for whose programs the rule is
    #[arg(conflicts_with = "all")]
    pub(super) tuple: Option<OsString>,
    /// Every rule, where QEMU is installed and the kernel does not run such programs itself
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct RegisterOptions {
    /// Add flag C: QEMU gets the rights of a set-user-ID program. Whoever may start one can be root then
    #[arg(long)]
    pub(super) credentials: bool,
    /// Print the writes as shell, and touch nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProfileCommand {
    /// List the profiles of the target's ARCH and libc; `*` is the one that is linked
    List {
        /// The target's tuple
        tuple: OsString,
    },
    /// Print the target's profile and what it says
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
