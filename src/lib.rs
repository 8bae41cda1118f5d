//! crossmerge: one binary that is every cross-compilation wrapper of a Gentoo system, by the name it is called under.
//!
//! Everything is decided as data first and done in one place: a name becomes an [`argv0::Called`], the system a
//! [`context::Context`], both a [`plan::Plan`], and [`exec::exec`] does it. `init` is a list of writes in the same way.

pub(crate) mod abi;
pub mod adopt;
pub mod applet;
pub mod argv0;
pub mod call;
pub mod cli;
pub mod config;
pub mod context;
mod crossdev;
mod distribution;
pub mod doctor;
pub mod elf;
pub mod emulator;
pub mod env;
pub mod error;
pub mod exec;
pub mod export;
pub mod file;
pub mod fix_root;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod init;
pub mod kernel;
pub mod layer;
pub(crate) mod libraries;
mod links;
pub mod name;
pub mod pkg_config;
pub mod plan;
pub mod portage;
pub mod profile;
pub mod qemu;
pub mod report;
mod run;
pub mod search;
pub mod shown;
pub mod site_cache;
mod system;
pub mod target;
pub mod targets;
mod terminal;
pub mod tuple;
mod user;
pub mod words;

use crate::{
    applet::{Code, Definitions, Wrappers},
    argv0::Called,
    config::Config,
    context::{Context, ContextError},
    env::Env,
    error::Error,
    tuple::Tuple,
};
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// Acts by the name in the first argument. Returns only when nothing was exec'd.
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let argv0 = args.next().unwrap_or_else(|| "crossmerge".into());
    let args: Vec<OsString> = args.collect();
    let result = match exec::run_inner(&argv0, &args) {
        Some(result) => result.map_err(Error::from),
        None => dispatch(&argv0, args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            let name = match exec::is_inner(&argv0) {
                true => OsStr::new("crossmerge"),
                false => argv0::file_name(&argv0),
            };
            terminal::error(&name.display(), &error, error.hint().as_deref());
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(argv0: &OsStr, args: Vec<OsString>) -> Result<ExitCode, Error> {
    let env = Env::capture();
    let config = Config::read(&env)?;
    let definitions = Definitions::read(&config)?;
    match argv0::parse(argv0, definitions.names())? {
        Called::Crossmerge => cli::crossmerge(argv0, args, env, config, &definitions.all()),
        Called::EmergeWrapper => cli::emerge_wrapper(argv0, args, env, config, &definitions.all()),
        Called::Applet { name, tuple } => {
            let wrappers = definitions.of(&name);
            let tuple = choose_tuple(argv0, &wrappers, &name, tuple, &env);
            if let Some(help) = wrappers.help(&name, argv0::file_name(argv0), &args) {
                return Ok(report::print(help.as_bytes())?);
            }
            if wrappers.code(&name) == Some(Code::FixRoot) {
                let all = Definitions::read(&config)?.all();
                return Ok(fix_root::run(argv0, tuple, &env, config, &all, args)?);
            }
            // It is there to the end, and nobody has to take it apart then.
            let context = Box::leak(Box::new(Context::new(env, config, tuple?)?));
            run::run_applet(&name, &wrappers, context, args)
        }
    }
}

/// The tuple that an applet works for: CHOST in the environment where the applet hands it to Portage, as crossdev's
/// wrappers have it, else the one in our name.
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
            "CHOST in the environment wins over the name: building for `{chost}`"
        ));
    }
    Ok(chost)
}
