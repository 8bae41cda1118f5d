//! `remove`: undoes what init did, and nothing else.
//!
//! It removes what the record lists and is still as init left it. Files that a user edited or Portage merged stay and
//! are listed. The files of a libc and the commands are summed up in one line each, as `init` does. A dry run prints
//! the same lines as work that would be done.

use super::{
    block,
    error::InitError,
    lock::lock,
    packages,
    paths::{absolute, etc_portage},
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
use crossmerge_portage::merged::MERGED;
use crossmerge_system::file::{
    self, Directory, FILE_MODE, FileError, Node, Places,
    beneath::{FileKind, MOST_DEPTH},
    read,
};
use nix::errno::Errno;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// Removes the target and returns the report, a line for each change. Paths in `adopted` were taken over from crossdev,
/// and are put back elsewhere.
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
        // An init may begin there at the same time. If this process cannot make the lock, neither can init.
        false => lock(&sysroot).ok(),
    };
    let places = Places::of(&sysroot)?;
    let record = InitRecord::of(places.tree())?;
    let (mut text, mut gone) = recorded(&record, &places)?;
    // The symlinks are listed only now, because an init for which this process waited may have made some.
    let links = our_links()?;
    for (link, why) in &links.left {
        text.push_str(&format!("left     {}: {why}\n", link.shown()));
    }
    let is_to_go = |link: &PathBuf| !adopted.contains(link);
    gone.extend(links.ours.into_iter().filter(is_to_go));
    // Paths outside the sysroot are checked before anything in it is removed.
    forget(&file, true)?;
    let states = state_directories(context)?;
    for path in states.iter().chain([&file]) {
        file::find_nofollow_to_change(path)?;
    }
    if !dry_run {
        remove_blocks(context, &places, &record)?;
    }
    // What Portage generated is in directories that init made.
    let packages = remove_packages(&places, dry_run)?;
    let mut removed = Vec::new();
    for path in gone.iter().map(PathBuf::as_path) {
        if dry_run || remove_if_possible(&places, path)? {
            removed.push(path);
        }
    }
    let done = done(dry_run);
    text.push_str(&summary(&removed, context, &sysroot, done));
    for package in packages {
        text.push_str(&format!("{done}the package {package}\n"));
    }
    text.push_str(&forget(&file, dry_run)?);
    for directory in states {
        text.push_str(&remove_state(&directory, context, dry_run)?);
    }
    if !dry_run {
        let rollback = held.as_mut().map(|held| &mut held.rollback);
        text.push_str(&remove_own(&places, &gone, rollback)?);
    }
    Ok(text)
}

/// The binary packages of a sysroot.
const BINARY: &str = "var/cache/binpkgs";

/// The indexes of binary packages, and what `crossmerge farm serve` writes beside them.
const INDEXES: [&str; 4] = [
    "Packages",
    "Packages.gz",
    "crossmerge.asc",
    "crossmerge.toml",
];

/// Files and empty directories that Portage writes into a root with the first package, besides the package. Source: an
/// `emerge` of Portage 3.0.83 into an empty root.
const GENERATED: [&str; 14] = [
    "etc/csh.env",
    "etc/profile.env",
    "etc/environment.d/10-gentoo-env.conf",
    "etc/env.d",
    "etc/ld.so.cache",
    "etc/ld.so.conf",
    "var/cache/ldconfig/aux-cache",
    "var/cache/edb/counter",
    "var/cache/edb/mtimedb",
    "var/lib/portage/config",
    "var/lib/portage/preserved_libs_registry",
    "var/tmp",
    "tmp/portage/._unmerge_",
    "tmp/portage",
];

/// Removes what Portage has recorded about init's packages, and what it generated for them. The files of these packages are
/// in init's record. Returns the packages' names.
fn remove_packages(places: &Places, dry_run: bool) -> Result<Vec<String>, InitError> {
    let sysroot = places.path();
    let (own, other): (Vec<_>, Vec<_>) = packages::installed(sysroot)
        .into_iter()
        .partition(packages::Installed::is_ours);
    let names = own.iter();
    let names = names.map(|package| package.versioned.display().to_string());
    let names = names.collect();
    if dry_run || own.is_empty() {
        return Ok(names);
    }
    for package in &own {
        let recorded = sysroot.join(MERGED).join(&package.versioned);
        let built = sysroot.join(BINARY).join(&package.name);
        for path in [recorded, built] {
            remove_directory(places, &path)?;
            remove_empty_parents_in(places, &path, sysroot)?;
        }
    }
    let mut generated = Vec::new();
    let binary = fs_err::read_dir(sysroot.join(BINARY)).into_iter().flatten();
    let is_index = |name: &OsStr| INDEXES.iter().any(|index| name == *index);
    if binary.flatten().all(|entry| is_index(&entry.file_name())) {
        generated.extend(INDEXES.map(|index| sysroot.join(BINARY).join(index)));
    }
    if other.is_empty() {
        generated.extend(GENERATED.map(|path| sysroot.join(path)));
    }
    for path in generated {
        if remove_if_possible(places, &path)? {
            remove_empty_parents_in(places, &path, sysroot)?;
        }
    }
    Ok(names)
}

/// Removes the blocks from the files that a user wrote or edited, which `remove` keeps.
fn remove_blocks(context: &Context, places: &Places, record: &InitRecord) -> Result<(), InitError> {
    let Ok(etc) = etc_portage(context) else {
        return Ok(());
    };
    let mut files = vec![etc.join("make.conf"), etc.join("binrepos.conf")];
    if let Some(directory) = places.find_nofollow(&files[1])?.filter(Node::is_dir) {
        let entries = directory.entries()?.into_iter();
        let entries = entries.filter(|(_, kind)| *kind == FileKind::File);
        let entries = entries.map(|(name, _)| etc.join("binrepos.conf").join(name));
        files.extend(entries.collect::<Vec<_>>());
    }
    for file in files {
        let Some(node) = places.find_nofollow(&file)?.filter(Node::is_file) else {
            continue;
        };
        if record.is_as_left(write::within(&file, places.path()), &node)? {
            continue;
        }
        let Ok(text) = node.read_to_string(read::SETTINGS) else {
            continue;
        };
        let without = block::without_any(&text);
        if without != text {
            let name = file.file_name().unwrap_or_default();
            places.replace(&file, |directory, new| {
                let mode = directory.mode_of(name, FILE_MODE)?;
                directory.write_synced(new, without.as_bytes(), mode)
            })?;
        }
    }
    Ok(())
}

/// Removes a directory of the sysroot with everything in it.
fn remove_directory(places: &Places, path: &Path) -> Result<(), InitError> {
    let node = places.find_nofollow(path)?;
    if node.is_some_and(|node| node.is_dir()) {
        Directory::open(path)?.clear(&|_| false)?;
        places.remove(path)?;
    }
    Ok(())
}

/// Lists the recorded files that still exist and that no user has edited, and the report on the others.
fn recorded(record: &InitRecord, places: &Places) -> Result<(String, Vec<PathBuf>), InitError> {
    let mut text = String::new();
    let mut gone = Vec::new();
    let mut out = BTreeSet::new();
    for path in record.paths().rev() {
        let place = places.path().join(path);
        match places.find_nofollow(&place) {
            // Files behind that symlink are not part of the sysroot.
            Err(FileError::LeadsOut { link, target, .. }) => {
                if out.insert(link.clone()) {
                    let (link, target) = (link.shown(), target.shown());
                    text.push_str(&format!(
                        "left     files in the record behind {link}: it leads out of the sysroot, to {target}\n"
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
            // A file is hashed only if the record has a hash for it.
            Ok(Some(node)) => match record.is_as_left(path, &node)? {
                true => gone.push(place),
                false => text.push_str(&format!(
                    "kept     {}: edited since init wrote it\n",
                    place.shown()
                )),
            },
        }
    }
    Ok((text, gone))
}

/// Removes the record, the lock and the directories that are empty now. Returns the report on what is left.
fn remove_own(
    places: &Places,
    gone: &[PathBuf],
    rollback: Option<&mut write::Rollback>,
) -> Result<String, InitError> {
    let sysroot = places.path();
    places.remove(&sysroot.join(RECORD))?;
    for path in gone.iter().filter(|path| path.starts_with(sysroot)) {
        remove_empty_parents_in(places, path, sysroot)?;
    }
    // The lock is removed last. An init that waits for it then creates these directories again, and they are its own.
    if let Some(rollback) = rollback {
        rollback.keep();
    }
    let lock = sysroot.join(record::LOCK);
    places.remove(&lock)?;
    remove_empty_parents_in(places, &lock, sysroot)?;
    Ok(match left_in(places) {
        Remaining::None => String::new(),
        Remaining::Files(left) => format!(
            "left     {}: {} that init did not write, or that a user edited\n",
            sysroot.shown(),
            counted(left, "file")
        ),
        Remaining::Uncounted(why) => format!(
            "left     {}: files that init did not write, or that a user edited; not all were counted: {why}\n",
            sysroot.shown()
        ),
    })
}

fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENAMETOOLONG as i32)
}

/// Returns the first words of a line: what was done, or would be.
fn done(dry_run: bool) -> &'static str {
    match dry_run {
        true => "would remove ",
        false => "removed  ",
    }
}

/// Renders what was removed: a line for the commands of each directory, one for the files of a libc, and one for each
/// other file.
fn summary(removed: &[&Path], context: &Context, sysroot: &Path, done: &str) -> String {
    let configroot = context.configroot();
    let named = [configroot.join("etc"), configroot.join("tmp")];
    let repository = packages::location(sysroot);
    let (mut links, mut copies) = (BTreeMap::<&Path, usize>::new(), 0);
    let mut lines = String::new();
    for path in removed {
        if !path.starts_with(sysroot) {
            *links.entry(path.parent().unwrap_or(path)).or_default() += 1;
        } else if named.iter().any(|named| path.starts_with(named)) {
            lines.push_str(&format!("{done}{}\n", path.shown()));
        } else if !path.starts_with(&repository) {
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

/// The symlinks of a tuple in PATH.
struct FoundLinks {
    ours: Vec<PathBuf>,
    /// The symlinks that stay, each with the reason.
    left: Vec<(PathBuf, String)>,
}

/// Lists the tuple's symlinks that crossmerge made, in the target's directory and in every directory of PATH that the
/// user may change: those to this program, and those of `<tuple>-fix-root` to the sysroot's `*-config`. Directories
/// behind another user's symlink, and symlinks that another user made, are left out.
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
    // If a user has their own target of a tuple that the system has too, the system's symlinks are not theirs.
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
            // `arm-linux-…` must not match `arm-linux-…-x`, so the rest of the name must be the name of an applet.
            let is_named = name == after.as_str()
                || name
                    .strip_prefix(&before)
                    .is_some_and(|rest| wrappers.names().any(|applet| applet == rest));
            let leads_there = |path: &Path| {
                fs_err::read_link(path).is_ok_and(|target| target.starts_with(sysroot))
            };
            // If a user has deleted a wrapper, its symlinks no longer name an applet.
            let is_nothing = || argv0::parse(OsStr::new(name.as_ref()), wrappers.names()).is_err();
            let is_left = || name.starts_with(&before) && is_nothing();
            let is_config = name.starts_with(&before) && name.ends_with("-config");
            if (is_named || is_left()) && is_our_command(&path) || is_config && leads_there(&path) {
                match file::find_nofollow_to_change(&path) {
                    Ok(Some(node)) if !node.is_trusted() => {
                        let why = "another user made it".to_owned();
                        links.left.push((path, why));
                    }
                    Err(e @ FileError::ForeignLink { .. }) => {
                        links.left.push((path, e.to_string()))
                    }
                    node => links.ours.extend(node?.map(|_| path)),
                }
            }
        }
    }
    links.ours.sort();
    Ok(links)
}

/// Removes init's keys from `targets/<tuple>.toml`. Keys that a user added stay.
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
        false => format!(
            "kept     {}: it has settings that you added\n",
            file.shown()
        ),
    })
}

/// Lists the target's state directories: its own, and one for each other sysroot that was used.
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

/// Removes a state directory, except learned answers, which nothing can restore.
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
            "kept     {file}: learned answers; `crossmerge site-cache forget {tuple} --all` removes them\n"
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

/// Removes the directories above a path that are empty, up to and including `top`.
pub(crate) fn remove_empty_parents(path: &Path, top: &Path) -> Result<(), InitError> {
    let places = Places::of(top)?;
    remove_empty_parents_in(&places, path, top)
}

pub(super) fn remove_empty_parents_in(
    places: &Places,
    path: &Path,
    top: &Path,
) -> Result<(), InitError> {
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

/// The files that remain in a sysroot.
enum Remaining {
    None,
    Files(usize),
    /// Some, which could not be counted for this reason.
    Uncounted(String),
}

/// Counts the files that remain in the sysroot, without directories. A failure to count is not an error, because the
/// removal is complete.
fn left_in(places: &Places) -> Remaining {
    let count = || -> io::Result<usize> {
        // The sysroot itself may have been removed.
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
        return Err(io::Error::other(format!("`{path}` is nested too deeply")));
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
