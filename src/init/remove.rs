//! `remove`: undoes what init did, and nothing else.
//!
//! What the record contains and is still as init left it goes; what the user edited or Portage merged stays and is named. The many
//! files of a libc and the many links are one line each, as `init` has it. A dry run prints the same lines, as what would be done.

use super::{
    error::InitError,
    lock::lock,
    paths::absolute,
    record::{self, InitRecord},
    write,
};
use crate::{
    applet::Wrappers,
    argv0,
    config::RECORD,
    context::Context,
    links::{bindir, is_our_command},
    site_cache::data::LEARNED,
};
use crossmerge_plan::{report::counted, shown::Show};
use crossmerge_system::{
    file,
    file::{
        Directory, FileError, Node, Places,
        beneath::{FileKind, MOST_DEPTH},
        read,
    },
};
use nix::errno::Errno;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// What remove does, or did: a line each. The paths in `adopted` were taken over from crossdev, and what becomes of them is
/// decided elsewhere.
pub fn remove(
    context: &Context,
    wrappers: &Wrappers,
    argv0: &OsStr,
    adopted: &BTreeSet<PathBuf>,
    dry_run: bool,
) -> Result<String, InitError> {
    let sysroot = absolute(&context.sysroot())?;
    let file = context.config.target_file(&context.tuple);
    let our_links = || our_links(context, wrappers, &bindir(context, argv0), &sysroot);
    let links = our_links()?;
    let is_ours = !adopted.is_empty() || !links.ours.is_empty() || !links.left.is_empty();
    if !is_ours && !file.exists() && InitRecord::read(&sysroot)?.is_empty() {
        return Err(InitError::NotInitialised(context.tuple.clone()));
    }
    let is_there = sysroot.join(record::DIRECTORY).is_dir();
    let mut held = match dry_run {
        true => None,
        false if is_there => Some(lock(&sysroot)?),
        // An init may begin there now. Where we cannot make it, it cannot either.
        false => lock(&sysroot).ok(),
    };
    let places = Places::of(&sysroot)?;
    let record = InitRecord::of(places.tree())?;
    let mut text = String::new();
    let mut gone = Vec::new();
    let mut out = BTreeSet::new();
    for path in record.paths().rev() {
        let place = sysroot.join(path);
        match places.look(&place) {
            // What lies behind it is not the sysroot's.
            Err(FileError::LeadsOut { link, target, .. }) => {
                if out.insert(link.clone()) {
                    let (link, target) = (link.shown(), target.shown());
                    text.push_str(&format!(
                        "left     what the record names behind {link}: it leads out of the sysroot, to {target}\n"
                    ));
                }
            }
            Err(FileError::System { source, .. }) if is_too_long(&source) => {
                text.push_str(&format!(
                    "left     {}: its path is too long\n",
                    place.shown()
                ));
            }
            Err(e) => return Err(e.into()),
            Ok(None) => {}
            Ok(Some(node)) if node.is_dir() => gone.push(place),
            // Only what the record says of it needs to be known.
            Ok(Some(node)) => match record.is_as_left(path, &node)? {
                true => gone.push(place),
                false => text.push_str(&format!(
                    "kept     {}: edited since init wrote it\n",
                    place.shown()
                )),
            },
        }
    }
    // Only now: an init that was waited for may have made some.
    let links = our_links()?;
    for (link, why) in &links.left {
        text.push_str(&format!("left     {}: {why}\n", link.shown()));
    }
    let is_to_go = |link: &PathBuf| !adopted.contains(link);
    gone.extend(links.ours.into_iter().filter(is_to_go));
    // What is outside the sysroot is looked at before anything in it goes.
    forget(&file, true)?;
    let states = state_directories(context)?;
    for path in states.iter().chain([&file]) {
        file::look_to_change(path)?;
    }
    let mut removed = Vec::new();
    for path in gone.iter().map(PathBuf::as_path) {
        if dry_run || remove_if_possible(&places, path)? {
            removed.push(path);
        }
    }
    let done = done(dry_run);
    text.push_str(&summary(&removed, context, &sysroot, done));
    text.push_str(&forget(&file, dry_run)?);
    for directory in states {
        text.push_str(&remove_state(&directory, context, dry_run)?);
    }
    if !dry_run {
        places.remove(&sysroot.join(RECORD))?;
        for path in gone.iter().filter(|path| path.starts_with(&sysroot)) {
            remove_empty_parents_in(&places, path, &sysroot)?;
        }
        // Last: an init that was waited for makes those directories again as soon as the lock is gone, and they are its own then.
        if let Some(held) = &mut held {
            held.rollback.keep();
        }
        let lock = sysroot.join(record::LOCK);
        places.remove(&lock)?;
        remove_empty_parents_in(&places, &lock, &sysroot)?;
        match left_in(&places) {
            Remaining::None => {}
            Remaining::Files(left) => text.push_str(&format!(
                "left     {}: {} that init did not write, or that a user edited\n",
                sysroot.shown(),
                counted(left, "file")
            )),
            Remaining::Uncounted(why) => text.push_str(&format!(
                "left     {}: files that init did not write, or that a user edited; not all were counted: {why}\n",
                sysroot.shown()
            )),
        }
    }
    Ok(text)
}

fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENAMETOOLONG as i32)
}

/// What a line begins with: what was done, or would be.
fn done(dry_run: bool) -> &'static str {
    match dry_run {
        true => "would remove ",
        false => "removed  ",
    }
}

/// What was removed: a line for the links of each directory, one for the files of a libc, and one for each file besides.
fn summary(removed: &[&Path], context: &Context, sysroot: &Path, done: &str) -> String {
    let configroot = context.configroot();
    let named = [configroot.join("etc"), configroot.join("tmp")];
    let (mut links, mut copies) = (BTreeMap::<&Path, usize>::new(), 0);
    let mut lines = String::new();
    for path in removed {
        if !path.starts_with(sysroot) {
            *links.entry(path.parent().unwrap_or(path)).or_default() += 1;
        } else if named.iter().any(|named| path.starts_with(named)) {
            lines.push_str(&format!("{done}{}\n", path.shown()));
        } else {
            copies += 1;
        }
    }
    let mut text = String::new();
    for (directory, links) in links {
        let links = counted(links, "command");
        text.push_str(&format!("{done}{links} in {}\n", directory.shown()));
    }
    if copies > 0 {
        let (copies, sysroot) = (counted(copies, "file"), sysroot.shown());
        text.push_str(&format!(
            "{done}{copies} of the toolchain's libc in {sysroot}\n"
        ));
    }
    text + &lines
}

/// FoundLinks that look like ours.
struct FoundLinks {
    ours: Vec<PathBuf>,
    /// What stays, and why.
    left: Vec<(PathBuf, String)>,
}

/// The links of the tuple that are ours, in the target's directory and in every directory of PATH that we may change: those to this program,
/// and those of `<tuple>-fix-root` to the sysroot's `*-config`. A directory behind a symlink that another user could have planted is left
/// out, and so is a link that another user made.
fn our_links(
    context: &Context,
    wrappers: &Wrappers,
    bindir: &Path,
    sysroot: &Path,
) -> Result<FoundLinks, InitError> {
    let (before, after) = (
        format!("{}-", context.tuple),
        format!("emerge-{}", context.tuple),
    );
    let mut links = FoundLinks {
        ours: Vec::new(),
        left: Vec::new(),
    };
    let mut directories = context.path();
    // The machine's own links of a tuple that a user has for themselves too are not theirs.
    directories.retain(|directory| file::check_writable(directory).is_ok());
    directories.push(bindir.into());
    directories.sort();
    directories.dedup();
    for directory in directories {
        let Ok(entries) = fs_err::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let path = directory.join(name.as_ref());
            // `arm-linux-…` must not take `arm-linux-…-x`: what follows the tuple is one of our names.
            let is_named = name == after.as_str()
                || name
                    .strip_prefix(&before)
                    .is_some_and(|rest| wrappers.names().any(|applet| applet == rest));
            let leads_there = |path: &Path| {
                fs_err::read_link(path).is_ok_and(|target| target.starts_with(sysroot))
            };
            // A wrapper that a user has taken away leaves links that lead to nothing.
            let is_nothing = || argv0::parse(OsStr::new(name.as_ref()), wrappers.names()).is_err();
            let is_left = || name.starts_with(&before) && is_nothing();
            let is_config = name.starts_with(&before) && name.ends_with("-config");
            if (is_named || is_left()) && is_our_command(&path) || is_config && leads_there(&path) {
                match file::look_to_change(&path) {
                    Ok(Some(node)) if !node.is_trusted() => {
                        let why = "another user made it".to_owned();
                        links.left.push((path, why));
                    }
                    Err(e @ FileError::ForeignLink { .. }) => {
                        links.left.push((path, e.to_string()))
                    }
                    looked_at => links.ours.extend(looked_at?.map(|_| path)),
                }
            }
        }
    }
    links.ours.sort();
    Ok(links)
}

/// Takes our keys out of `targets/<tuple>.toml`; what a user added stays.
fn forget(file: &Path, dry_run: bool) -> Result<String, InitError> {
    let text = match read::read_to_string(file, read::CONFIGURATION) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        text => text?,
    };
    let mut document: toml_edit::DocumentMut =
        text.parse()
            .map_err(|e: toml_edit::TomlError| InitError::NotToml {
                file: file.into(),
                message: e.to_string(),
            })?;
    for key in ["sysroot", "bindir", "toolchain", "find_toolchain"] {
        document.remove(key);
    }
    let rest = document.to_string();
    let empty = rest.trim().is_empty();
    if !dry_run {
        match empty {
            true => file::remove(file)?,
            false => write::replace_file(file, &rest)?,
        }
    }
    Ok(match empty {
        true => format!("{}{}\n", done(dry_run), file.shown()),
        false => format!("kept     {}: what you added to it\n", file.shown()),
    })
}

/// The target's directories of files that are kept for others: its own, and one for each other sysroot that was chosen.
fn state_directories(context: &Context) -> io::Result<Vec<PathBuf>> {
    let directory = context.config.state_directory();
    let (own, chosen) = (context.tuple.to_string(), format!("{}@", context.tuple));
    let entries = match fs_err::read_dir(&directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    let is_targets = |name: &OsStr| {
        name == own.as_str() || name.as_encoded_bytes().starts_with(chosen.as_bytes())
    };
    let targets = names.iter().filter(|name| is_targets(name));
    Ok(targets.map(|name| directory.join(name)).collect())
}

/// Takes away what was written there, except what was learned: nobody can write that again.
fn remove_state(directory: &Path, context: &Context, dry_run: bool) -> io::Result<String> {
    let learned = directory.join(LEARNED);
    if !dry_run {
        Directory::open(directory)
            .and_then(|directory| directory.clear(&|name| name == LEARNED))
            .map_err(io::Error::from)?;
    }
    if learned.exists() {
        let (file, tuple) = (learned.shown(), &context.tuple);
        return Ok(format!(
            "kept     {file}: what was learned; `crossmerge site-cache forget {tuple} --all` takes it out\n"
        ));
    }
    if !dry_run {
        file::remove(directory)?;
    }
    Ok(format!("{}{}\n", done(dry_run), directory.shown()))
}

fn remove_if_possible(places: &Places, path: &Path) -> Result<bool, InitError> {
    match places.remove(path) {
        Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}

/// Removes the directories above a path that are empty now, up to and with the top.
pub(crate) fn remove_empty_parents(path: &Path, top: &Path) -> Result<(), InitError> {
    let places = Places::of(top)?;
    remove_empty_parents_in(&places, path, top)
}

fn remove_empty_parents_in(places: &Places, path: &Path, top: &Path) -> Result<(), InitError> {
    for directory in path
        .ancestors()
        .skip(1)
        .take_while(|directory| directory.starts_with(top))
    {
        if !remove_if_possible(places, directory)? {
            break;
        }
    }
    Ok(())
}

/// What is left in a sysroot.
enum Remaining {
    None,
    Files(usize),
    /// There is something, and more than can be counted, for this reason.
    Uncounted(String),
}

/// Counts what is left in the sysroot, directories not counted. Whatever keeps it from being counted is no failure: the work is done.
fn left_in(places: &Places) -> Remaining {
    let count = || -> io::Result<usize> {
        // It may be gone by now.
        let places = Places::of(places.path()).map_err(io::Error::from)?;
        let Some(tree) = places.tree() else {
            return Ok(0);
        };
        match tree.find(Path::new("")).map_err(io::Error::from)? {
            Some(top) => left_below(&top, 0),
            None => Ok(0),
        }
    };
    match count() {
        Ok(0) => Remaining::None,
        Ok(left) => Remaining::Files(left),
        Err(e) => Remaining::Uncounted(e.to_string()),
    }
}

fn left_below(directory: &Node, depth: usize) -> io::Result<usize> {
    if depth > MOST_DEPTH {
        let path = directory.path().shown();
        return Err(io::Error::other(format!("`{path}` lies too deep")));
    }
    let mut left = 0;
    for (name, kind) in directory.entries()? {
        left += match directory.child(&name) {
            Ok(Some(child)) if kind == FileKind::Directory && child.is_dir() => {
                left_below(&child, depth + 1)?
            }
            _ => 1,
        };
    }
    Ok(left)
}
