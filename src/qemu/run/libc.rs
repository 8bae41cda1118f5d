//! `<tuple>-ldconfig` and `<tuple>-localedef`: programs of the target's libc that write into one of the target's roots.
//!
//! The build machine's own programs of these names do not replace them. Its ldconfig skips libraries of another CPU, and
//! its localedef may be of another glibc, with another format. Portage calls `<tuple>-ldconfig -X -r ROOT` after each
//! merge (`portage/util/env_update.py`).

use super::{
    error::RunError,
    plan,
    roots::{Roots, in_root},
};
use crate::context::Context;
use crossmerge_plan::{plan::Plan, report, shown::Show};
use crossmerge_system::file::{canonical, is_executable, read};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The names of ldconfig, in order of preference. On Ubuntu, `ldconfig` is a script that runs `/sbin/ldconfig.real`,
/// which would be the host's.
const LDCONFIG: [&str; 2] = ["ldconfig.real", "ldconfig"];

/// The options of glibc's ldconfig that take a value: ldconfig(8).
const WITH_VALUE: &[u8] = b"Ccfr";

/// The list of directories that ldconfig reads.
const LD_SO_CONF: &str = "etc/ld.so.conf";

/// The parents of the directories that a dynamic linker searches without ld.so.cache.
const DEFAULT_PARENTS: [&str; 2] = ["/", "/usr"];

/// Decides what `<tuple>-ldconfig args…` runs: the ldconfig of the root that `-r` names, else of ROOT, else of the
/// sysroot. Without `-r`, it adds one, because the cache of the host would be written otherwise.
///
/// If no root has an ldconfig, it runs `true`: a merge is not wrong because of it, and musl needs none.
pub fn ldconfig(context: &Context, args: Vec<OsString>) -> Result<Plan, RunError> {
    let roots = Roots::of(context)?;
    let named = named_root(&args);
    let root = foreign_root(context, named.as_deref().unwrap_or(roots.first()), "-r")?;
    let ldconfig = || {
        let mut places = [root.as_path()].into_iter().chain(roots.paths());
        places.find_map(|root| LDCONFIG.iter().find_map(|name| program_in(root, name)))
    };
    let Some(ldconfig) = ldconfig() else {
        if let Some(directory) = searched_only_with_cache(&root) {
            report::note(&format!(
                "`{}` gets no ld.so.cache, because the target has no ldconfig: its dynamic linker does not find the libraries in `{}`",
                root.shown(),
                directory.shown()
            ));
        }
        return nothing(context);
    };
    let mut words = vec![ldconfig.into_os_string()];
    if named.is_none() {
        words.extend(["-r".into(), root.clone().into()]);
    }
    words.extend(args);
    match plan(context, words) {
        // Nothing runs in a sysroot then, so it needs no cache.
        Err(why @ RunError::NoQemu { .. }) if canonical(&root) == canonical(roots.sysroot()) => {
            report::note(&format!("`{}` gets no ld.so.cache: {why}", root.shown()));
            nothing(context)
        }
        plan => plan,
    }
}

/// Decides what `<tuple>-localedef args…` runs: the localedef of ROOT, else of the sysroot. Without `--prefix`, it adds
/// one, because it would write the host's locales otherwise.
pub fn localedef(context: &Context, args: Vec<OsString>) -> Result<Plan, RunError> {
    const NAME: &str = "localedef";
    const PREFIX: &[u8] = b"--prefix";
    let roots = Roots::of(context)?;
    let mut words = args.iter().map(|arg| arg.as_bytes());
    // GNU programs accept any beginning of an option that is unambiguous.
    let at = words.position(|arg| {
        let name = arg.split(|byte| *byte == b'=').next().unwrap_or(arg);
        name.len() > b"--p".len() && PREFIX.starts_with(name)
    });
    let named = at.map(
        |at| match args[at].as_bytes().iter().position(|byte| *byte == b'=') {
            Some(equals) => OsStr::from_bytes(&args[at].as_bytes()[equals + 1..]),
            None => args.get(at + 1).map_or(OsStr::new(""), OsString::as_os_str),
        },
    );
    let root = foreign_root(context, named.map_or(roots.first(), Path::new), "--prefix")?;
    let program = roots.paths().find_map(|root| program_in(root, NAME));
    let program = program.ok_or_else(|| RunError::NotInLibc {
        name: NAME,
        root: roots.first().into(),
    })?;
    let mut words = vec![program.into_os_string()];
    if named.is_none() {
        let mut prefix = OsString::from("--prefix=");
        prefix.push(&root);
        words.push(prefix);
    }
    words.extend(args);
    plan(context, words)
}

/// Returns the root that the arguments of ldconfig name. The last one counts.
fn named_root(args: &[OsString]) -> Option<PathBuf> {
    let mut named = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let arg = arg.as_bytes();
        if arg == b"--" {
            break;
        }
        let Some(letters) = arg.strip_prefix(b"-").filter(|it| !it.starts_with(b"-")) else {
            continue;
        };
        let Some(at) = letters
            .iter()
            .position(|letter| WITH_VALUE.contains(letter))
        else {
            continue;
        };
        let value = match &letters[at + 1..] {
            [] => args.next().map(|next| next.as_bytes()).unwrap_or_default(),
            rest => rest,
        };
        if letters[at] == b'r' {
            named = Some(PathBuf::from(OsStr::from_bytes(value)));
        }
    }
    named
}

/// Checks that a directory is not the host's root.
fn foreign_root(context: &Context, root: &Path, option: &'static str) -> Result<PathBuf, RunError> {
    match root.as_os_str().is_empty() || context.config.is_own_root(root) {
        false => Ok(root.into()),
        true => Err(RunError::HostRoot {
            option,
            tuple: context.tuple.to_string(),
        }),
    }
}

/// Finds a program of the administrator or of all users in a root.
fn program_in(root: &Path, name: &str) -> Option<PathBuf> {
    let mut places = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"]
        .iter()
        .map(|directory| in_root(root, &Path::new(directory).join(name)));
    places.find(|file| file.is_file() && is_executable(file))
}

/// Returns the first directory with libraries that the dynamic linker of a root searches only if ld.so.cache names them.
fn searched_only_with_cache(root: &Path) -> Option<PathBuf> {
    let text = read::read_to_string(
        &in_root(root, &Path::new("/").join(LD_SO_CONF)),
        read::SETTINGS,
    )
    .ok()?;
    let has_library = |directory: &Path| {
        let entries = std::fs::read_dir(in_root(root, directory))
            .into_iter()
            .flatten();
        let mut names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        names.any(|name| name.to_string_lossy().contains(".so"))
    };
    let is_default = |directory: &Path| {
        let parent = directory.parent().unwrap_or(directory);
        DEFAULT_PARENTS
            .iter()
            .any(|known| parent == Path::new(known))
    };
    let directories = text.lines().map(|line| Path::new(line.trim()));
    let mut directories = directories.filter(|directory| directory.is_absolute());
    directories
        .find(|directory| !is_default(directory) && has_library(directory))
        .map(Path::to_owned)
}

/// Returns the plan that does nothing.
fn nothing(context: &Context) -> Result<Plan, RunError> {
    Ok(Plan {
        program: context.find_program(OsStr::new("true"))?,
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_among_the_options_of_ldconfig() {
        for (args, root) in [
            (&["-X", "-r", "/r"][..], Some("/r")),
            (&["-Xr", "/r/"], Some("/r/")),
            (&["-r/r", "-v"], Some("/r")),
            (&["-r", "/a", "-r", "/b"], Some("/b")),
            // Values of other options.
            (&["-C", "-r", "-f", "/r"], None),
            (&["-Crr"], None),
            (&["--", "-r", "/r"], None),
            (&["--format=new", "/usr/lib"], None),
            (&["-r"], Some("")),
        ] {
            let args: Vec<OsString> = args.iter().map(Into::into).collect();
            assert_eq!(named_root(&args), root.map(PathBuf::from), "{args:?}");
        }
    }

    #[test]
    fn a_directory_outside_the_default_ones_needs_the_cache() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let conf = |text: &str| {
            std::fs::write(root.join(LD_SO_CONF), text).expect("a file");
            searched_only_with_cache(root)
        };
        assert_eq!(searched_only_with_cache(root), None);
        for path in ["etc", "usr/lib64", "usr/lib/gcc/x/14", "usr/local/lib"] {
            std::fs::create_dir_all(root.join(path)).expect("a directory");
        }
        for path in ["usr/lib64/liba.so", "usr/lib/gcc/x/14/libb.so.6"] {
            std::fs::write(root.join(path), "").expect("a file");
        }
        assert_eq!(
            conf("include ld.so.conf.d/*.conf\n/usr/lib64\n/usr/local/lib\n"),
            None
        );
        let of_gcc = PathBuf::from("/usr/lib/gcc/x/14");
        assert_eq!(conf("# x\n/usr/lib64\n/usr/lib/gcc/x/14\n"), Some(of_gcc));
    }
}
