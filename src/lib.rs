//! crossmerge: one binary for all cross-compilation wrappers of a Gentoo system. Its name selects the wrapper.
//!
//! Everything is decided as data first, then carried out in one place. The command's name becomes an [`argv0::Called`],
//! and the lookups on the system a [`context::Context`]. From both comes a [`crossmerge_plan::plan::Plan`], which
//! [`exec::exec`] carries out. In the same way, `init` first makes a list of writes.
//!
//! Planning writes nothing, compiles nothing and starts no program of the target. What only a trial shows is a
//! [`Choice`](crossmerge_plan::plan::Choice) in the plan, with the trial and every outcome as data.
//!
//! The modules form layers. Each may use only modules above it in this table, which `tests/floors.rs` checks.
//!
//! | module | what it is |
//! |---|---|
//! | **ground: `crates/plan`** | |
//! | `shown` | names chosen by other users, escaped for a terminal |
//! | `words` | paths and arguments, quoted for a shell or as JSON |
//! | `report` | notes, output, failures with hints and exit codes |
//! | `glob` | globs on tuples and names |
//! | `tuple` | tuples, validated once |
//! | `plan` | a program, its environment and the steps before it, as data |
//! | `env` | the environment variables, and the only code that reads them |
//! | **system: `crates/system`** | |
//! | `file` | reads and writes files that other users may change |
//! | `user` | whether the process acts for the system or for one user |
//! | `elf` | the header of an ELF file |
//! | `exec` | carries out plans: the only code that starts programs |
//! | `script` | the `#!` line of a script |
//! | `search` | the search for programs in PATH |
//! | **facts** | |
//! | `terminal` | errors, hints and progress on a terminal |
//! | `steps` | the progress and the logs of a task that has several steps |
//! | `autoconf` | reads configure scripts: `crates/autoconf` |
//! | `system` | the systems and libcs that a tuple may end in |
//! | `argv0` | the applet and the tuple in the command's name |
//! | `target` | the facts about a tuple, from `profiles/` |
//! | `name` | the names that users give to targets |
//! | `kernel` | kernel trees and their Makefiles |
//! | `config` | the user's configuration |
//! | `distribution` | how the host's distribution installs a program |
//! | `compressor` | the programs that compress archives |
//! | `portage` | Portage's settings, repositories and installed packages: `crates/portage` |
//! | **context** | |
//! | `context` | the lookups for one target |
//! | `abi` | the ABI of a compiler's output |
//! | `libraries` | the target's library directories |
//! | **machines** | |
//! | `profile` | Portage profiles for a target |
//! | `qemu` | runs a target's programs and enters its roots, with QEMU's user mode |
//! | `emulator` | the command that runs a target's program |
//! | `boot` | starts images on virtual boards, with QEMU's system emulator |
//! | **answers** | |
//! | `export` | the facts about a target, in the forms that build systems read |
//! | `pkg_config` | where pkg-config searches, and the audit of what it prints |
//! | `call` | the context of one run, with the facts that its layers share |
//! | `site_cache` | answers for configure scripts |
//! | **applets** | |
//! | `layer` | named sets of changes to the environment |
//! | `applet` | makes a plan from a wrapper definition and arguments |
//! | **changes** | |
//! | `links` | the symlinks under which crossmerge is called |
//! | `crossdev` | what crossdev has set up on a host |
//! | `init` | makes a target, and removes it |
//! | `adopt` | takes over crossdev's wrappers, and puts them back |
//! | `fix_root` | corrects paths in a sysroot |
//! | `toolchain` | builds cross toolchains, and prepares what that needs |
//! | `root` | builds, checks and measures roots of devices |
//! | `image` | makes images of a root |
//! | `farm` | compiler caches, compile servers and binary packages for a target |
//! | **reports** | |
//! | `targets` | the targets of the host and their states |
//! | `doctor` | what is wrong with a target, and the command that fixes it |
//! | **doors** | |
//! | `run` | the table of applets with code |
//! | `cli` | the commands of `crossmerge` itself |

pub(crate) mod abi;
pub mod adopt;
pub mod applet;
pub mod argv0;
pub mod boot;
pub mod call;
pub mod cli;
mod compressor;
pub mod config;
pub mod context;
mod crossdev;
mod distribution;
pub mod doctor;
pub mod emulator;
pub mod export;
pub mod farm;
pub mod fix_root;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod image;
pub mod init;
pub mod kernel;
pub mod layer;
pub(crate) mod libraries;
mod links;
pub mod name;
pub mod pkg_config;
pub mod profile;
pub mod qemu;
mod root;
mod run;
pub mod site_cache;
mod steps;
mod system;
pub mod target;
pub mod targets;
mod terminal;
pub mod toolchain;

use crate::{
    applet::{AppletStart, Definitions, Wrappers},
    argv0::Called,
    config::Config,
    context::ContextError,
};
use crossmerge_plan::{
    env::{self, Env},
    report::{self, Failure},
    tuple::Tuple,
};
use crossmerge_system::exec;
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// Runs the command that the first argument names. Returns only if no other program was exec'd.
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let argv0 = args.next().unwrap_or_else(|| "crossmerge".into());
    let args: Vec<OsString> = args.collect();
    let result = match exec::run_inner(&argv0, &args) {
        Some(result) => result.map_err(Failure::from),
        None => dispatch(&argv0, args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            let name = match exec::is_inner(&argv0) {
                true => OsStr::new("crossmerge"),
                false => argv0::file_name(&argv0),
            };
            terminal::error(&name.display(), &error.message, error.hint.as_deref());
            ExitCode::from(error.exit_code)
        }
    }
}

fn dispatch(argv0: &OsStr, args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let env = Env::capture();
    let config = Config::read(&env)?;
    let definitions = Definitions::read(&config, &run::CODES)?;
    match argv0::parse(argv0, definitions.names())? {
        Called::Crossmerge => cli::crossmerge(argv0, args, env, config, &definitions.all()),
        Called::EmergeWrapper => cli::emerge_wrapper(argv0, args, env, config, &definitions.all()),
        Called::Crossdev => cli::crossdev(argv0, args, env, config, &definitions.all()),
        Called::Applet { name, tuple } => {
            let wrappers = definitions.of(&name);
            let start = AppletStart {
                tuple: choose_tuple(argv0, &wrappers, &name, tuple, &env),
                argv0,
                name: &name,
                wrappers: &wrappers,
                env,
                config,
                args,
            };
            start.run()
        }
    }
}

/// Returns the tuple that an applet works for. For applets that run Portage, CHOST in the environment overrides the
/// tuple in the command's name, as in crossdev's wrappers.
fn choose_tuple(
    argv0: &OsStr,
    wrappers: &Wrappers,
    applet: &str,
    named: Option<Tuple>,
    env: &Env,
) -> Result<Tuple, ContextError> {
    let chost = env
        .get(env::CHOST)
        .filter(|_| named.is_none() || wrappers.uses_portage(applet));
    let Some(chost) = chost else {
        return named.ok_or_else(|| ContextError::NoChost {
            name: argv0::file_name(argv0).display().to_string(),
        });
    };
    let chost = Tuple::from_os(chost).map_err(ContextError::Chost)?;
    if named.is_some_and(|named| named != chost) {
        report::note(&format!(
            "CHOST in the environment overrides the command's name: building for `{chost}`"
        ));
    }
    Ok(chost)
}
