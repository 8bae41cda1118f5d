//! The arguments of fix-root: the sysroot and the symlinks, from the name of the call, the arguments or the
//! environment.
//!
//! The three forms of arguments, and the variables, are those of crossdev's script.

use super::error::FixRootError;
use crate::{
    argv0::file_name,
    config::Config,
    context::{Context, ContextError},
    links::bindir,
};
use crossmerge_plan::{
    env::{self, Env, Variable},
    report,
    shown::Show,
    tuple::Tuple,
};
use crossmerge_system::file::below;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The variables that name a sysroot; the first that is not empty counts.
const SYSROOTS: [Variable; 3] = [env::SYSROOT, env::ROOT, env::STAGEDIR];

/// The arguments of fix-root.
#[derive(Debug)]
pub(super) struct FixRootRequest {
    pub(super) sysroot: PathBuf,
    /// `None` if the directory or the prefix is unknown.
    pub(super) links: Option<Links>,
    pub(super) dry_run: bool,
    /// Whether to change files that packages own.
    pub(super) installed: bool,
}

/// The directory of the symlinks, and the prefix of their names.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) directory: PathBuf,
    pub(super) prefix: OsString,
}

/// Renders the usage text.
pub(super) fn help(name: &OsStr) -> String {
    let name = name.shown();
    format!(
        "\
Usage: {name} [--dry-run] [--installed]
       {name} [options] <tuple>
       {name} [options] <sysroot> <bindir> <prefix>

Replaces paths of the host in a sysroot's files by paths of the sysroot: in libtool's *.la, in configuration
scripts such as *-config, and in symlinks, which become relative. Libraries get the mode 755, archives 644.
Symlinks <prefix><name> in <bindir> lead to the scripts.

The first form uses the tuple in the name, <tuple>-fix-root, and puts the symlinks beside crossmerge's own. The
environment overrides it:
  SYSROOT, ROOT or STAGEDIR   the sysroot
  CROSS_COMPILE               the prefix
  ROOTDIR                     <bindir> is $ROOTDIR/tools
The second form uses the target's sysroot, /usr/<tuple> by default, and puts the symlinks into /usr/bin, or into the
directory that `crossmerge init` has recorded.

  --dry-run     print what would change, as a diff, and change nothing
  --installed   change files that packages own too; Portage's checksums of them no longer match
  -h, --help    print this
"
    )
}

impl FixRootRequest {
    /// Reads the arguments. The environment sets the values that they do not.
    pub(super) fn of(
        argv0: &OsStr,
        tuple: Result<Tuple, ContextError>,
        env: &Env,
        config: Config,
        args: Vec<OsString>,
    ) -> Result<Self, FixRootError> {
        let usage = |message: String| FixRootError::Usage {
            name: file_name(argv0).shown().to_string(),
            message,
        };
        let (mut dry_run, mut installed, mut only_words) = (false, false, false);
        let mut words = Vec::new();
        for arg in args {
            match arg.as_bytes() {
                _ if only_words => words.push(arg),
                b"--" => only_words = true,
                b"--dry-run" => dry_run = true,
                b"--installed" => installed = true,
                [b'-', _, ..] => {
                    return Err(usage(format!("there is no option `{}`", arg.shown())));
                }
                _ => words.push(arg),
            }
        }
        let (sysroot, links) = match &words[..] {
            [] => from_environment(argv0, tuple, env, config)?,
            [tuple] => of_tuple(tuple, env, config)?,
            [sysroot, directory, prefix] => {
                let sysroot = checked(sysroot, None, &config)?;
                (
                    sysroot,
                    links(Some(directory.into()), Some(prefix.clone()))?,
                )
            }
            _ => {
                return Err(usage(format!(
                    "expected no, one or three arguments, but got {}",
                    words.len()
                )));
            }
        };
        let directory = |links: &Links| links.directory.is_dir();
        if let Some(links) = links.as_ref().filter(|links| !directory(links)) {
            report::note(&format!(
                "no symlinks are made: there is no directory `{}`",
                links.directory.shown()
            ));
        }
        Ok(Self {
            sysroot,
            links: links.filter(directory),
            dry_run,
            installed,
        })
    }
}

/// Reads the form without arguments: the environment, then the tuple in the name.
fn from_environment(
    argv0: &OsStr,
    tuple: Result<Tuple, ContextError>,
    env: &Env,
    config: Config,
) -> Result<(PathBuf, Option<Links>), FixRootError> {
    let named = SYSROOTS.iter().find_map(|variable| {
        let sysroot = env.get(*variable).filter(|value| !value.is_empty())?;
        Some(checked(sysroot, Some(variable.name), &config))
    });
    let named = named.transpose()?;
    let tools = env
        .get(env::ROOTDIR)
        .map(|directory| below(Path::new(directory), "tools"));
    let prefix = env.get(env::CROSS_COMPILE).map(OsStr::to_owned);
    match (tuple, named) {
        (Ok(tuple), named) => {
            let context = own_context(tuple, env, config)?;
            let own = context.sysroot().canonicalize().ok();
            let is_own = |named: &PathBuf| named.canonicalize().ok() == own;
            // The symlinks go beside crossmerge's own only for the target's own sysroot, not for another one that the
            // environment names for a single call.
            let directory = match named.as_ref().is_none_or(is_own) {
                true => tools.or_else(|| Some(bindir(&context, argv0))),
                false => tools,
            };
            let prefix = prefix.unwrap_or_else(|| format!("{}-", context.tuple).into());
            let sysroot = named.map_or_else(|| context.existing_sysroot(), Ok)?;
            Ok((sysroot, links(directory, Some(prefix))?))
        }
        (Err(ContextError::NoChost { .. }), Some(named)) => Ok((named, links(tools, prefix)?)),
        (Err(ContextError::NoChost { name }), None) => {
            let message = format!("`{name}` needs a tuple in its name, an argument, or SYSROOT");
            Err(FixRootError::Usage { name, message })
        }
        (Err(e), _) => Err(e.into()),
    }
}

/// Reads the form with one argument: the target of that tuple, regardless of the environment.
fn of_tuple(
    tuple: &OsStr,
    env: &Env,
    config: Config,
) -> Result<(PathBuf, Option<Links>), FixRootError> {
    let tuple = Tuple::from_os(tuple)?;
    let context = own_context(tuple, env, config)?;
    let usual = || below(&context.config.broot, "usr/bin");
    let directory = context.settings.bindir.clone().unwrap_or_else(usual);
    let prefix = format!("{}-", context.tuple).into();
    Ok((
        context.existing_sysroot()?,
        links(Some(directory), Some(prefix))?,
    ))
}

/// Returns the context of the tuple's own sysroot.
fn own_context(tuple: Tuple, env: &Env, config: Config) -> Result<Context, ContextError> {
    let mut env = env.clone();
    env.unset(env::SYSROOT);
    Context::new(env, config, tuple)
}

/// Returns the symlinks' directory and prefix, if both are known.
fn links(
    directory: Option<PathBuf>,
    prefix: Option<OsString>,
) -> Result<Option<Links>, FixRootError> {
    let (Some(directory), Some(prefix)) = (directory, prefix.filter(|prefix| !prefix.is_empty()))
    else {
        return Ok(None);
    };
    if prefix.as_bytes().contains(&b'/') {
        return Err(FixRootError::Prefix(prefix));
    }
    let directory = std::path::absolute(directory)?;
    Ok(Some(Links { directory, prefix }))
}

/// Checks that a sysroot exists and is not the host's root.
fn checked(
    sysroot: &OsStr,
    from: Option<&'static str>,
    config: &Config,
) -> Result<PathBuf, FixRootError> {
    let sysroot = PathBuf::from(sysroot);
    if !sysroot.is_dir() {
        return Err(FixRootError::NoSysroot { sysroot, from });
    }
    match config.is_own_root(&sysroot) {
        true => Err(FixRootError::HostRoot { sysroot, from }),
        false => Ok(sysroot),
    }
}
