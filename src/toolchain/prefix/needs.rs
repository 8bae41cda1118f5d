//! The programs and headers that the host has to have.

use super::error::PrefixError;
use crate::distribution::Distribution;
use crossmerge_plan::{env::Env, plan::Plan};
use crossmerge_system::{exec, search};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

/// The programs that Portage and the builds start.
const PROGRAMS: [&str; 12] = [
    "bash", "bzip2", "file", "find", "g++", "gcc", "gzip", "make", "patch", "tar", "wget", "xz",
];

/// The tools of binutils for the host's own programs. Portage and configure scripts search them under CHOST's name.
pub(super) const TOOLS: [&str; 9] = [
    "ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib", "readelf", "strip",
];

/// The libraries that GCC needs: a header of each. Their packages contain the library too.
const HEADERS: [&str; 3] = ["gmp.h", "mpfr.h", "mpc.h"];

/// The name of the requirement of a Python that can make virtual environments.
const PYTHON: &str = "python3-venv";

/// The program by which a Python shows that Portage 3.0.83 runs on it.
const TRY_PYTHON: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";

/// The time limit of a check.
const LIMIT: Duration = Duration::from_secs(60);

/// What the host has of what is needed.
#[derive(Debug)]
pub(super) struct Found {
    /// A Python that can make a virtual environment.
    pub(super) python: PathBuf,
    pub(super) gcc: PathBuf,
    /// The tools of binutils, by name.
    pub(super) tools: Vec<(&'static str, PathBuf)>,
    /// GNU tar.
    pub(super) tar: PathBuf,
    pub(super) ccache: Option<PathBuf>,
}

/// Finds the programs, and returns an error with every missing one and the command that installs them all.
pub(super) fn find(env: &Env) -> Result<Found, PrefixError> {
    let program = |name: &str| search::find_program(env, OsStr::new(name)).ok();
    let mut missing = missing(env);
    let gcc = program("gcc");
    let python = python(env);
    if python.is_none() {
        missing.push(PYTHON.into());
    }
    let (Some(python), Some(gcc), true) = (python, gcc, missing.is_empty()) else {
        let install = Distribution::here().install_all(&missing);
        return Err(PrefixError::Missing { missing, install });
    };
    let tool = |name: &&'static str| Some((*name, program(name)?));
    Ok(Found {
        python,
        gcc,
        tools: TOOLS.iter().filter_map(tool).collect(),
        tar: program("tar").unwrap_or_default(),
        ccache: program("ccache"),
    })
}

/// Returns an error if the host lacks what the ebuilds of a prefix need: what all of them do, and these programs.
pub(in crate::toolchain) fn check_programs<'a>(
    env: &Env,
    programs: impl Iterator<Item = &'a str>,
) -> Result<(), PrefixError> {
    let mut missing = missing(env);
    for program in lacking(env, programs) {
        if !missing.contains(&program) {
            missing.push(program);
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(PrefixError::Missing {
            install: Distribution::here().install_all(&missing),
            missing,
        }),
    }
}

/// Lists the missing programs and headers.
fn missing(env: &Env) -> Vec<String> {
    let mut missing = lacking(env, PROGRAMS.into_iter().chain(TOOLS));
    let gcc = search::find_program(env, OsStr::new("gcc")).ok();
    let without = |header: &&&str| gcc.as_ref().is_some_and(|gcc| !has_header(gcc, header));
    missing.extend(HEADERS.iter().filter(without).map(|name| (*name).into()));
    missing
}

/// Lists those of some programs that are not in PATH.
fn lacking<'a>(env: &Env, programs: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let is_missing = |name: &&str| search::find_program(env, OsStr::new(name)).is_err();
    let missing = programs.into_iter().filter(is_missing);
    missing.map(str::to_owned).collect()
}

/// Returns whether the compiler finds a header.
fn has_header(gcc: &Path, header: &str) -> bool {
    let args = ["-E", "-x", "c", "-include", header, "/dev/null"];
    runs(gcc, &args)
}

/// Returns the first Python in PATH that can make a virtual environment. A distribution may have split its Python, and
/// another one before it in PATH may be complete.
fn python(env: &Env) -> Option<PathBuf> {
    let candidates = search::path(env)
        .into_iter()
        .map(|directory| directory.join("python3"));
    candidates
        .filter(|python| python.is_absolute() && python.is_file())
        .find(|python| runs(python, &["-c", TRY_PYTHON]))
}

fn runs(program: &Path, args: &[&str]) -> bool {
    let plan = Plan {
        program: program.into(),
        args: args.iter().map(OsString::from).collect(),
        ..Plan::default()
    };
    exec::run_within(&plan, LIMIT).is_ok_and(|output| output.status.success())
}
