//! What was asked for: the sysroot and the links, by our name, by the arguments or by the environment.
//!
//! The three forms of arguments are those of crossdev's script, and so are the variables.

use super::error::FixRootError;
use crate::{
    argv0::file_name,
    config::Config,
    context::{Context, ContextError},
    links::bindir,
};
use crossmerge_plan::{
    env,
    env::{Env, Variable},
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

/// The variables that name a sysroot, the first that is not empty.
const SYSROOTS: [Variable; 3] = [env::SYSROOT, env::ROOT, env::STAGEDIR];

/// What was asked for.
#[derive(Debug)]
pub(super) struct FixRootRequest {
    pub(super) sysroot: PathBuf,
    /// None when no place or no name is known for links.
    pub(super) links: Option<Links>,
    pub(super) dry_run: bool,
    /// Change what packages own too.
    pub(super) installed: bool,
}

/// Where links go and what stands before their names.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) directory: PathBuf,
    pub(super) prefix: OsString,
}

/// The usage text.
pub(super) fn help(name: &OsStr) -> String {
    let name = name.shown();
    format!(
        "\
Usage: {name} [--dry-run] [--installed]
       {name} [options] <tuple>
       {name} [options] <sysroot> <bindir> <prefix>

Makes the files of a sysroot that name places of the host name the sysroot's: libtool's *.la, configuration
scripts such as *-config, and symlinks, which become relative. Libraries get the mode 755, archives 644. Links
<prefix><name> in <bindir> lead to the scripts.

The first form works for the tuple in the name, <tuple>-fix-root, with the links beside crossmerge's own. The
environment comes before it:
  SYSROOT, ROOT or STAGEDIR   the sysroot
  CROSS_COMPILE               the prefix
  ROOTDIR                     <bindir> is $ROOTDIR/tools
The second form works for /usr/<tuple>, with the links in /usr/bin, or where `crossmerge init` was told.

  --dry-run     print what would change, as a diff, and touch nothing
  --installed   change files that packages own too; Portage's checksums of them fit no more
  -h, --help    print this
"
    )
}

impl FixRootRequest {
    /// Reads the arguments, and the environment where they leave it to that.
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
                    return Err(usage(format!("`{}` is no option of it", arg.shown())));
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
                    "it takes no, one or three arguments, and not {}",
                    words.len()
                )));
            }
        };
        let directory = |links: &Links| links.directory.is_dir();
        if let Some(links) = links.as_ref().filter(|links| !directory(links)) {
            report::note(&format!(
                "no links: there is no directory `{}`",
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

/// No arguments: the environment, then the tuple of our name.
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
            // Beside our own links go those into the target's own sysroot, and not into another for one call.
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
            let message = format!("`{name}` does not know which sysroot is meant");
            Err(FixRootError::Usage { name, message })
        }
        (Err(e), _) => Err(e.into()),
    }
}

/// One argument: the target of that tuple, wherever the environment points.
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

/// The context of the tuple's own sysroot.
fn own_context(tuple: Tuple, env: &Env, config: Config) -> Result<Context, ContextError> {
    let mut env = env.clone();
    env.unset(env::SYSROOT);
    Context::new(env, config, tuple)
}

/// The links, when both their place and their name are known.
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

/// A sysroot that was named, which has to be there, and to be another's root than the host's.
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
