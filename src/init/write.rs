//! Writes: what init wants at a path, what that means for what is there, and doing it.
//!
//! A [`Write`] is wanted; a [`WriteStep`] is decided against the file system and the record; [`apply`] does the steps. New
//! content goes beside its place first, all of it is synced at once, and only then is anything renamed, so that a kill
//! or a power cut leaves each path old or new and never half. The record is written ahead of all (see `record.rs`).

use super::{
    error::InitError,
    record::{InitRecord, RecordEntry, entry_at, entry_of, hash_file, hash_text},
};
use crate::{config::RECORD, links::is_our_command, terminal::Progress};
use crossmerge_plan::{report, shown::Show};
use crossmerge_system::{
    file,
    file::{Directories, Directory, FILE_MODE, FileError, Node, Places, new_name, read, waiting},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What is to be at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file with this text.
    Text(String),
    /// A file like this one, as executable as it is.
    Copy(PathBuf),
    /// A symbolic link.
    Link(PathBuf),
    /// A directory with this mode.
    Directory(u32),
}

/// Whose a path is, and so what happens when something else is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    /// A file that people edit: ours goes beside theirs.
    Config,
    /// A gap to fill: whatever is there stays.
    Gap,
    /// Part of the sysroot's layout: whatever is there stays.
    Layout,
    /// The name of a command: anything that is not ours is refused.
    Command,
    /// What the command line asked for: it replaces whatever is there, and is ours.
    Choice,
    /// What is ours alone, outside the sysroot, and of no interest to the user: it replaces whatever is there.
    State,
    /// A text of theirs with our change in it: it replaces theirs, and stays theirs.
    Edit,
    /// As `Edit`, and written before everything else: the target's options, so that the next run after one that was cut short goes on
    /// with the same.
    First,
}

/// Something wanted at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
    pub(super) on_conflict: OnConflict,
}

/// What a write comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: it is there.
    Same,
    /// It is made where nothing was.
    Make,
    /// It replaces what we wrote before, or a user's text with our change in it.
    Replace,
    /// It goes beside what a user edited.
    Beside(PathBuf),
    /// A user's own stays, and nothing goes beside it.
    Keep,
}

/// A write and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteStep {
    pub(super) write: Write,
    pub(super) action: Action,
}

impl Write {
    pub(super) fn new(path: impl Into<PathBuf>, content: Content, on_conflict: OnConflict) -> Self {
        Self {
            path: path.into(),
            content,
            on_conflict,
        }
    }

    fn entry(&self) -> io::Result<RecordEntry> {
        Ok(match &self.content {
            Content::Text(text) => RecordEntry::File(hash_text(text.as_bytes())),
            Content::Copy(source) => RecordEntry::File(hash_file(source)?),
            Content::Link(target) => RecordEntry::Link(target.clone()),
            Content::Directory(_) => RecordEntry::Directory,
        })
    }
}

impl WriteStep {
    /// Decides what a write comes to.
    pub(super) fn decide(
        write: Write,
        places: &Places,
        record: &InitRecord,
    ) -> Result<Self, InitError> {
        let wanted = write.entry()?;
        let node = places.look(&write.path)?;
        let there = node.as_ref().map_or(Ok(None), entry_of)?;
        let is_directory = node.as_ref().is_some_and(Node::is_dir);
        let is_link = node.as_ref().is_some_and(Node::is_link);
        let action = match there {
            Some(there) if there == wanted => Action::Same,
            None if node.is_none() => Action::Make,
            there => {
                let is_ours = there
                    .is_some_and(|there| record.has(within(&write.path, places.path()), &there));
                match (write.on_conflict, &write.content) {
                    (OnConflict::Command, _) if is_our_command(&write.path) => Action::Replace,
                    (OnConflict::Command, _) => return Err(InitError::NotOurs(write.path)),
                    (
                        OnConflict::Edit
                        | OnConflict::First
                        | OnConflict::Choice
                        | OnConflict::State,
                        _,
                    ) if is_directory => {
                        return Err(InitError::IsADirectory(write.path));
                    }
                    (
                        OnConflict::Edit
                        | OnConflict::First
                        | OnConflict::Choice
                        | OnConflict::State,
                        _,
                    ) => Action::Replace,
                    // A directory behind a link serves as well as one in its place; one that leads out is the target's own affair.
                    (_, Content::Directory(_))
                        if is_link && leads_to_directory(places, &write.path) =>
                    {
                        Action::Same
                    }
                    (_, Content::Directory(_)) => return Err(InitError::NotADirectory(write.path)),
                    _ if is_ours => Action::Replace,
                    (OnConflict::Config, Content::Text(_)) => {
                        beside(&write.path, &wanted, places, record)?
                    }
                    _ => Action::Keep,
                }
            }
        };
        Ok(Self { write, action })
    }

    /// The path that is written; none when nothing is.
    pub(super) fn written(&self) -> Option<&Path> {
        match &self.action {
            Action::Same | Action::Keep => None,
            Action::Make | Action::Replace => Some(&self.write.path),
            Action::Beside(path) => Some(path),
        }
    }

    /// One line for a user.
    pub(super) fn to_line(&self) -> Option<String> {
        let path = self.write.path.shown();
        let what = match &self.write.content {
            Content::Link(target) => format!("{path} -> {}", target.shown()),
            _ => path.to_string(),
        };
        Some(match &self.action {
            Action::Same => return None,
            Action::Make => format!("new      {what}"),
            Action::Replace => format!("refresh  {what}"),
            Action::Beside(beside) => format!(
                "edited   {path}: left as it is; what init would write is in {}",
                beside.shown()
            ),
            Action::Keep => format!("yours    {path}: left as it is"),
        })
    }

    /// The change as a unified diff, for `--dry-run`.
    pub(super) fn to_diff(&self, places: &Places) -> io::Result<String> {
        let Some(path) = self.written() else {
            return Ok(String::new());
        };
        let new = match &self.write.content {
            Content::Text(text) => text.clone(),
            Content::Copy(source) => {
                return Ok(format!("copy {} -> {}\n", source.shown(), path.shown()));
            }
            Content::Link(target) => {
                return Ok(format!("link {} -> {}\n", path.shown(), target.shown()));
            }
            Content::Directory(mode) => {
                return Ok(format!("directory {} (mode {mode:o})\n", path.shown()));
            }
        };
        let there = places.look(&self.write.path).map_err(io::Error::from)?;
        let (old, old_name) = match there.filter(Node::is_file) {
            Some(node) => {
                let text = node.read(read::SETTINGS)?;
                let text = String::from_utf8_lossy(&text).into_owned();
                (text, self.write.path.shown().to_string())
            }
            None => (String::new(), "/dev/null".into()),
        };
        Ok(report::diff(
            &old,
            &new,
            &old_name,
            &path.shown().to_string(),
        ))
    }
}

/// Returns whether a symlink leads to a directory, of the sysroot or elsewhere.
fn leads_to_directory(places: &Places, path: &Path) -> bool {
    match places.find(path) {
        Ok(node) => node.is_some_and(|node| node.is_dir()),
        Err(FileError::LeadsOut { .. }) => true,
        Err(_) => false,
    }
}

/// The path from the sysroot on; the whole path outside it.
pub(super) fn within<'a>(path: &'a Path, sysroot: &Path) -> &'a Path {
    path.strip_prefix(sysroot).unwrap_or(path)
}

/// Chooses the name beside an edited file, by Gentoo's convention: the next free `._cfgNNNN_<name>`, or the last one
/// when it holds the same already or is still as we wrote it.
fn beside(
    path: &Path,
    wanted: &RecordEntry,
    places: &Places,
    record: &InitRecord,
) -> Result<Action, InitError> {
    let name = path.file_name().unwrap_or_default();
    let mut last = None;
    for number in 0..10_000 {
        let mut sibling = OsString::from(format!("._cfg{number:04}_"));
        sibling.push(name);
        let sibling = path.with_file_name(sibling);
        match entry_at(places, &sibling)? {
            None => return Ok(Action::Beside(last.unwrap_or(sibling))),
            Some(there) if there == *wanted => return Ok(Action::Keep),
            Some(there) if record.has(within(&sibling, places.path()), &there) => {
                last = Some(sibling)
            }
            Some(_) => last = None,
        }
    }
    Err(InitError::TooManyBeside(path.into()))
}

/// What a run has made so far: taken away again when the run fails, or leaves off.
#[derive(Debug)]
pub(super) struct Rollback {
    pub(super) made: Vec<PathBuf>,
    places: Places,
}

impl Rollback {
    /// Those of nothing yet.
    pub(super) fn new(places: Places, made: Vec<PathBuf>) -> Self {
        Self { made, places }
    }

    /// Takes it away, the last first. What something else is in by now stays.
    fn undo(&mut self) {
        for path in self.made.drain(..).rev() {
            let _ = self.places.remove(&path);
        }
    }

    /// Lets it stand.
    pub(super) fn keep(&mut self) {
        self.made.clear();
    }
}

impl Drop for Rollback {
    fn drop(&mut self) {
        self.undo();
    }
}

/// Does the steps: the record first, then everything beside its place, a sync, the renames, and the record as it stands.
///
/// The caller holds the lock, and `rollback` has what was made for it. `record` is what the sysroot's record says now. When nothing changes,
/// nothing is written. When something fails before the renames, all is as it was; later, the next run does the rest.
pub(super) fn apply(
    steps: &[WriteStep],
    places: &Places,
    record: &InitRecord,
    rollback: &mut Rollback,
) -> Result<(), InitError> {
    let sysroot = places.path();
    check(steps, places)?;
    if record.pending {
        for path in record.paths() {
            remove_left(&waiting(&sysroot.join(path)), places)?;
        }
    }
    let mut pending = record.clone();
    let mut standing = record.clone();
    standing.pending = false;
    for step in steps {
        let inside = step.write.path.starts_with(sysroot)
            && !matches!(step.write.on_conflict, OnConflict::Edit | OnConflict::First);
        // What stands as we want it is ours to refresh and to remove, but for directories and files that were there first.
        let ours = match step.action {
            Action::Same => {
                matches!(step.write.content, Content::Text(_) | Content::Link(_))
                    && step.write.on_conflict == OnConflict::Config
            }
            _ => step.written().is_some(),
        };
        if inside && ours {
            let path = within(step.written().unwrap_or(&step.write.path), sysroot);
            let entry = step.write.entry()?;
            pending.add(path, entry.clone());
            standing.put(path, entry);
        }
    }
    if standing == *record && steps.iter().all(|step| step.written().is_none()) {
        rollback.keep();
        return Ok(());
    }
    pending.pending = true;
    pending.check_size(&sysroot.join(RECORD))?;
    let work: Vec<(&Path, &Content)> = steps
        .iter()
        .filter(|step| step.write.on_conflict != OnConflict::First)
        .filter_map(|step| Some((step.written()?, &step.write.content)))
        .collect();
    let file = sysroot.join(RECORD);
    let is_first = places.look(&file)?.is_none();
    if is_first {
        rollback.made.push(file);
    }
    let mut directories = Directories::of_places(places);
    let records = [&pending, &standing];
    let before = texts_before(steps)?;
    let prepared = write_first(steps, &mut directories, rollback)
        .and_then(|()| prepare(&work, places, records, &mut directories, rollback));
    if let Err(why) = prepared {
        rollback.undo();
        for (path, text) in before {
            // Where this fails too, the options are those of the run that did not end.
            let _ = replace_file(path, &text);
        }
        if !is_first {
            // Where this fails too, the record is one of a run that did not end, and the next run ends it.
            let _ = write_record(places, record);
        }
        return Err(why);
    }
    // From here on only what waits still is taken away.
    rollback.keep();
    rollback
        .made
        .extend(work.iter().map(|(path, _)| waiting(path)));
    rollback.made.push(waiting(&sysroot.join(RECORD)));
    for (path, _) in &work {
        let (directory, name) = directories.of(path, &mut Vec::new())?;
        directory.rename(&new_name(name), name)?;
    }
    directories.sync()?;
    let file = sysroot.join(RECORD);
    let (directory, name) = directories.of(&file, &mut Vec::new())?;
    directory.rename(&new_name(name), name)?;
    rollback.keep();
    Ok(())
}

/// Walks the way to everything that is written, before anything is: a symlink that is not followed is an error while all is as it was.
fn check(steps: &[WriteStep], places: &Places) -> Result<(), InitError> {
    let mut seen = BTreeSet::new();
    for path in steps.iter().filter_map(WriteStep::written) {
        if seen.insert(path.parent()) {
            places.look(path)?;
        }
    }
    Ok(())
}

/// Removes what a run that was cut short left beside a place. What is not reached as it was then is none of init's.
fn remove_left(path: &Path, places: &Places) -> Result<(), InitError> {
    match places.look(path) {
        Err(FileError::LeadsOut { .. }) | Ok(None) => Ok(()),
        Err(e) => Err(e.into()),
        Ok(Some(_)) => Ok(places.remove(path)?),
    }
}

/// The texts that the first writes replace.
fn texts_before(steps: &[WriteStep]) -> Result<Vec<(&Path, String)>, InitError> {
    let first = steps
        .iter()
        .filter(|step| step.write.on_conflict == OnConflict::First);
    let replaced = first.filter(|step| step.action == Action::Replace);
    replaced
        .map(|step| {
            let path = step.write.path.as_path();
            Ok((path, read::read_to_string(path, read::CONFIGURATION)?))
        })
        .collect()
}

/// Does the writes that come before everything else.
fn write_first(
    steps: &[WriteStep],
    directories: &mut Directories,
    rollback: &mut Rollback,
) -> Result<(), InitError> {
    for step in steps
        .iter()
        .filter(|step| step.write.on_conflict == OnConflict::First)
    {
        if let (Some(path), Content::Text(text)) = (step.written(), &step.write.content) {
            directories.of(path, &mut rollback.made)?;
            if step.action == Action::Make {
                rollback.made.push(path.into());
            }
            replace_file(path, text)?;
        }
    }
    Ok(())
}

/// Writes the record of a run that has begun, and everything beside its place; beside the record, what it will be in the end.
fn prepare(
    work: &[(&Path, &Content)],
    places: &Places,
    [pending, standing]: [&InitRecord; 2],
    directories: &mut Directories,
    rollback: &mut Rollback,
) -> Result<(), InitError> {
    let sysroot = places.path();
    write_record(places, pending)?;
    let progress = Progress::of("writing files", work.len());
    for (path, content) in work {
        let (directory, name) = directories.of(path, &mut rollback.made)?;
        rollback.made.push(waiting(path));
        write_new(directory, name, content)?;
        progress.step();
    }
    drop(progress);
    let file = sysroot.join(RECORD);
    let (directory, name) = directories.of(&file, &mut rollback.made)?;
    rollback.made.push(waiting(&file));
    write_new(directory, name, &Content::Text(standing.to_text()))?;
    Ok(directories.sync()?)
}

/// Writes a file whole or not at all, outside any list of steps.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), InitError> {
    let name = path.file_name().unwrap_or_default();
    Ok(file::replace(path, |directory, new| {
        directory.write_synced(new, text.as_bytes(), directory.mode_of(name, FILE_MODE)?)
    })?)
}

fn write_record(places: &Places, record: &InitRecord) -> Result<(), InitError> {
    let path = places.path().join(RECORD);
    let name = path.file_name().unwrap_or_default();
    Ok(places.replace(&path, |directory, new| {
        let mode = directory.mode_of(name, FILE_MODE)?;
        directory.write_synced(new, record.to_text().as_bytes(), mode)
    })?)
}

fn write_new(directory: &Directory, name: &OsStr, content: &Content) -> Result<(), InitError> {
    let new = new_name(name);
    directory.remove(&new)?;
    match content {
        Content::Text(text) => {
            // The mode of what is replaced is a user's choice.
            let mode = directory.mode_of(name, FILE_MODE)?;
            directory.write(&new, text.as_bytes(), mode)?;
        }
        Content::Copy(source) => {
            let source = Node::at(source)?.open()?;
            // Whoever may run it may; nobody gets more of it, wherever it comes from.
            let mode = FILE_MODE | source.metadata()?.mode() & 0o111;
            directory.write(&new, source, mode)?;
        }
        Content::Link(target) => directory.link(&new, target)?,
        Content::Directory(mode) => directory.directory(&new, *mode)?,
    }
    Ok(())
}
