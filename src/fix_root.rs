//! `<tuple>-fix-root`: replaces paths of the host in a sysroot's files and symlinks by paths of the sysroot, and makes
//! symlinks to its configuration scripts where a build finds them.
//!
//! `FixRootRequest` contains the arguments. `SysrootFiles` contains the files of the sysroot, with the text and the
//! mode that each should have. `Fix` contains the changes, and the paths that stay as they are. `--dry-run` prints the
//! changes, and `apply.rs` makes them. `doctor` uses the same search.

mod apply;
mod error;
mod find;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod request;
mod script;
mod symlink;
mod sysroot;
mod text;

pub use error::FixRootError;

pub(crate) use find::{SysrootFile, SysrootFileKind, SysrootFiles};
pub(crate) use symlink::EscapingSymlink;
pub(crate) use sysroot::Sysroot;

use crate::{
    applet::{AppletStart, Wrappers},
    argv0::file_name,
    config::Config,
    context::ContextError,
    init,
};
use crossmerge_plan::{
    env::Env,
    report::{self, Failure, counted, diff},
    shown::Show,
    tuple::Tuple,
    words::quote,
};
use crossmerge_system::file::read;
use find::Script;
use request::{FixRootRequest, Links};
use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The decision: the changes, and the paths that stay as they are.
#[derive(Debug)]
struct Fix<'a> {
    changes: Vec<&'a SysrootFile>,
    /// Symlinks of the sysroot that become relative, each with its new target.
    symlinks: Vec<(&'a EscapingSymlink, &'a Path)>,
    links: Vec<Link>,
    /// The paths that stay as they are, with the reason.
    left: Vec<(PathBuf, String)>,
    /// The number of paths that are left because packages own them.
    owned: usize,
}

/// A symlink to a script, to be made or replaced.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    target: PathBuf,
    /// The text of a small script, written instead of a symlink if the target finds its files by the name under which
    /// it is called.
    text: Option<String>,
}

/// The beginning of such a script; the path and `"$@"` follow.
const CALL: &str = "#!/bin/sh\nexec ";

/// Returns the path that such a script calls.
fn called(text: &str) -> Option<PathBuf> {
    let words = shell_words::split(text.strip_prefix(CALL)?).ok()?;
    words.first().map(PathBuf::from)
}

/// Returns whether a name is that of a tool or applet of the target, with or without a version. A symlink of that name
/// to a sysroot's script would let the sysroot's owner choose what `<tuple>-gcc` runs.
fn is_tool(name: &OsStr, wrappers: &Wrappers) -> bool {
    let name = name.to_string_lossy();
    wrappers.names().any(|tool| {
        let rest = name.strip_prefix(tool);
        let is_version = |rest: &str| {
            let rest = rest.strip_prefix(['-', '.']).unwrap_or(rest);
            rest.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        rest.is_some_and(|rest| is_version(rest) || tool == "ld" && rest.starts_with('.'))
    })
}

/// Runs the applet. Not every form of the arguments needs the tuple of the command's name.
pub(crate) fn run(start: AppletStart) -> Result<ExitCode, Failure> {
    let AppletStart {
        argv0,
        wrappers,
        tuple,
        env,
        config,
        args,
        ..
    } = start;
    // The symlinks must not have the name of any applet.
    let wrappers = &wrappers.with_all(&config)?;
    Ok(fix_sysroot(argv0, tuple, &env, config, wrappers, args)?)
}

fn fix_sysroot(
    argv0: &OsStr,
    tuple: Result<Tuple, ContextError>,
    env: &Env,
    config: Config,
    wrappers: &Wrappers,
    args: Vec<OsString>,
) -> Result<ExitCode, FixRootError> {
    let name = file_name(argv0);
    let again = std::iter::once(name).chain(args.iter().map(OsString::as_os_str));
    let again: Vec<String> = again.map(quote).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        return Ok(report::print(request::help(name).as_bytes())?);
    }
    let request = FixRootRequest::of(argv0, tuple, env, config, args)?;
    let sysroot = match request.dry_run {
        true => Sysroot::to_read(&request.sysroot),
        false => Sysroot::at(&request.sysroot),
    };
    let sysroot = sysroot?;
    let _lock = match request.dry_run {
        true => None,
        false => init::lock_or_go_on(&request.sysroot)?,
    };
    let files = SysrootFiles::of(&sysroot)?;
    let fix = Fix::decide(&files, &sysroot, &request, wrappers);
    if request.dry_run {
        report::print(fix.to_diff().as_bytes())?;
    } else {
        if let Some(tree) = sysroot.tree() {
            fix.apply(tree, report::line)?;
        }
    }
    fix.print_rest(&request, &sysroot, &again.join(" "));
    Ok(ExitCode::SUCCESS)
}

/// Returns the command that fixes the problems that the search in the target's sysroot has found.
pub(crate) fn fix<'a>(
    tuple: &Tuple,
    owners: impl IntoIterator<Item = &'a Option<String>>,
) -> String {
    let owned = owners.into_iter().any(Option::is_some);
    format!(
        "{tuple}-fix-root{}",
        if owned { " --installed" } else { "" }
    )
}

impl<'a> Fix<'a> {
    /// Decides the changes. Without `--installed`, files that packages own are not changed. A mode is not changed if the
    /// file has a hard link that was not found.
    fn decide(
        files: &'a SysrootFiles,
        sysroot: &Sysroot,
        request: &FixRootRequest,
        wrappers: &Wrappers,
    ) -> Self {
        let mut fix = Self {
            changes: Vec::new(),
            symlinks: Vec::new(),
            links: Vec::new(),
            left: Vec::new(),
            owned: 0,
        };
        let may_change = |found: &SysrootFile| request.installed || found.owner.is_none();
        for found in files.found.iter().filter(|found| found.is_wrong()) {
            match &found.owner {
                Some(owner) if !may_change(found) => {
                    fix.owned += 1;
                    fix.leave(&found.path, format!("`{owner}` owns it"));
                }
                _ if found.is_elsewhere_too() => {
                    let why = "it has another hard link, which was not found and whose mode would change too";
                    fix.leave(&found.path, why.into());
                }
                _ => fix.changes.push(found),
            }
        }
        for symlink in &files.symlinks {
            match (&symlink.relative, &symlink.owner) {
                (None, _) => fix.leave(
                    &symlink.path,
                    format!(
                        "it leads out of the sysroot, to `{}`, which the sysroot does not contain",
                        symlink.target.shown()
                    ),
                ),
                (Some(_), Some(owner)) if !request.installed => {
                    fix.owned += 1;
                    fix.leave(&symlink.path, format!("`{owner}` owns it"));
                }
                (Some(relative), _) => fix.symlinks.push((symlink, relative)),
            }
        }
        for (path, why) in &files.unread {
            fix.leave(path, (*why).into());
        }
        for config in &files.configs {
            let Some(identity) = config.file else {
                if !fix.left.iter().any(|(path, _)| *path == config.path) {
                    fix.leave(&config.path, "it leads out of the sysroot".into());
                }
                continue;
            };
            let script = files.found.iter().find(|found| found.is(identity));
            let is_right = |found: &&SysrootFile| !found.points_outside() || may_change(found);
            let is_run = |found: &&SysrootFile| found.mode & 0o111 != 0;
            if let Some(links) = &request.links
                && script
                    .filter(is_right)
                    .is_some_and(|script| is_run(&script))
            {
                if is_tool(&config.name, wrappers) {
                    let why = "a tool of the target has that name, so no symlink to a sysroot's script is made";
                    fix.leave(&config.path, why.into());
                    continue;
                }
                fix.link(links, config, sysroot);
            }
        }
        fix
    }

    fn leave(&mut self, path: &Path, why: String) {
        self.left.push((path.into(), why));
    }

    /// Decides about the symlink to a script. An existing file is kept, unless it is a symlink into this sysroot, or a
    /// script of crossmerge that calls one in it.
    fn link(&mut self, links: &Links, config: &Script, sysroot: &Sysroot) {
        let mut name = links.prefix.clone();
        name.push(&config.name);
        let path = links.directory.join(name);
        let target = config.path.clone();
        let call = || format!("{CALL}{} \"$@\"\n", quote(target.as_os_str()));
        let text = config.uses_own_path.then(call);
        let is_ours = match (
            fs_err::read_link(&path),
            read::read_to_string(&path, read::SCRIPT),
        ) {
            (Ok(there), _) if there == target && text.is_none() => return,
            (Ok(there), _) => sysroot.holds(&links.directory.join(there)),
            (_, Ok(there)) if Some(&there) == text.as_ref() => return,
            (_, Ok(there)) => called(&there).is_some_and(|target| sysroot.holds(&target)),
            _ => path.symlink_metadata().is_err(),
        };
        match is_ours {
            true => self.links.push(Link { path, target, text }),
            false => self.leave(&path, "it is not a symlink into the sysroot".into()),
        }
    }

    /// Renders the changes as a diff, for `--dry-run`.
    fn to_diff(&self) -> String {
        let mut text = String::new();
        for found in &self.changes {
            let path = found.path.shown().to_string();
            if let Some((old, new)) = &found.edit {
                let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
                text.push_str(&diff(&old, &new, &path, &path));
            }
            if let Some(mode) = found.new_mode {
                let _ = writeln!(text, "mode {path} {:o} -> {mode:o}", found.mode);
            }
        }
        for (symlink, relative) in &self.symlinks {
            let _ = writeln!(
                text,
                "symlink {} -> {}, instead of {}",
                symlink.path.shown(),
                relative.shown(),
                symlink.target.shown()
            );
        }
        for Link { path, target, .. } in &self.links {
            let _ = writeln!(text, "link {} -> {}", path.shown(), target.shown());
        }
        text
    }

    /// Prints the paths that stay as they are, and a summary.
    fn print_rest(&self, request: &FixRootRequest, sysroot: &Sysroot, again: &str) {
        for (path, why) in &self.left {
            report::line(&format!("left     {}: {why}", path.shown()));
        }
        let sysroot = sysroot.path().shown();
        let done = if request.dry_run {
            "would change"
        } else {
            "changed"
        };
        let (files, symlinks, links) = (self.changes.len(), self.symlinks.len(), self.links.len());
        match (files + symlinks + links, self.left.len()) {
            (0, 0) => report::line(&format!(
                "nothing to do: everything in `{sysroot}` points into it"
            )),
            (0, left) => report::line(&format!(
                "nothing to change in `{sysroot}`; left as they are: {left}"
            )),
            (_, left) => report::line(&format!(
                "{done} in `{sysroot}`: {}, {}; links to scripts: {links}; left as they are: {left}",
                counted(files, "file"),
                counted(symlinks, "symlink"),
            )),
        }
        if self.owned > 0 {
            report::line(&format!(
                "note: packages own {} of them, and their checksums would no longer match; `{again} --installed` changes such files too",
                self.owned,
            ));
        }
    }
}
