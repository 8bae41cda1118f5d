//! Writes: the content that init wants at a path, the decision what to do there, and doing it.
//!
//! A [`Write`] is the wanted content; a [`WriteStep`] is the decision, from the file system and the record; [`apply`]
//! does the steps. New content is first written beside its path, then everything is synced, and only then are files
//! renamed. So a kill or a power cut leaves each path old or new, never half-written. The record is written before
//! everything else (see `record.rs`).

use super::{
    error::InitError,
    record::{InitRecord, RecordEntry, entry_at, entry_of, hash_file, hash_text},
};
use crate::{config::RECORD, links::is_our_command, terminal::Progress};
use crossmerge_plan::{report, shown::Show};
use crossmerge_system::file::{
    self, Directories, Directory, FILE_MODE, FileError, Node, Places, new_name, read, waiting,
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The content wanted at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file with this text.
    Text(String),
    /// A copy of this file, executable if it is.
    Copy(PathBuf),
    /// A symlink to this target.
    Link(PathBuf),
    /// A directory with this mode.
    Directory(u32),
}

/// The class of a path, which decides what happens if the path exists with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    /// A file that users edit: the new version goes beside a file that a user edited.
    Config,
    /// A file that the sysroot may lack: an existing file stays.
    Gap,
    /// A directory or symlink of the sysroot's layout: an existing file stays.
    Layout,
    /// A symlink to crossmerge: a file that crossmerge did not make is an error.
    Command,
    /// A choice of the command line: it replaces an existing file, and is recorded as crossmerge's.
    Choice,
    /// Internal state, not listed for the user: it replaces an existing file.
    State,
    /// A user's file with crossmerge's change in it: it replaces the file, which remains the user's.
    Edit,
    /// Like `Edit`, but written before everything else: the target's options, so that the run after an interrupted one
    /// uses the same.
    First,
}

/// A path, and the content that init wants there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
    pub(super) on_conflict: OnConflict,
}

/// The decision about a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: the path already has the content.
    Same,
    /// Create the path, which does not exist.
    Make,
    /// Replace a file that init wrote before, or a user's text by one with crossmerge's change.
    Replace,
    /// Write to this path, beside a file that a user edited.
    Beside(PathBuf),
    /// Keep the user's file, and write nothing beside it.
    Keep,
}

/// A write, and the decision about it.
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

    pub(super) fn entry(&self) -> io::Result<RecordEntry> {
        Ok(match &self.content {
            Content::Text(text) => RecordEntry::File(hash_text(text.as_bytes())),
            Content::Copy(source) => RecordEntry::File(hash_file(source)?),
            Content::Link(target) => RecordEntry::Link(target.clone()),
            Content::Directory(_) => RecordEntry::Directory,
        })
    }
}

impl WriteStep {
    /// Decides what to do for a write.
    pub(super) fn decide(
        write: Write,
        places: &Places,
        record: &InitRecord,
    ) -> Result<Self, InitError> {
        let wanted = write.entry()?;
        let node = places.find_nofollow(&write.path)?;
        let existing = node.as_ref().map_or(Ok(None), entry_of)?;
        let is_directory = node.as_ref().is_some_and(Node::is_dir);
        let is_link = node.as_ref().is_some_and(Node::is_link);
        let action = match existing {
            Some(existing) if existing == wanted => Action::Same,
            None if node.is_none() => Action::Make,
            existing => {
                let is_ours = existing.is_some_and(|existing| {
                    record.has(within(&write.path, places.path()), &existing)
                });
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
                    // A symlink to a directory is accepted in its place. One that leads out of the sysroot is the
                    // user's decision.
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

    /// Returns the path that is written, or `None` if none is.
    pub(super) fn written(&self) -> Option<&Path> {
        match &self.action {
            Action::Same | Action::Keep => None,
            Action::Make | Action::Replace => Some(&self.write.path),
            Action::Beside(path) => Some(path),
        }
    }

    /// Renders the step as one line for the user, or `None` if nothing changes.
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

    /// Renders the change as a unified diff, for `--dry-run`.
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
        let there = places
            .find_nofollow(&self.write.path)
            .map_err(io::Error::from)?;
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

/// Returns whether a symlink leads to a directory, in the sysroot or outside.
fn leads_to_directory(places: &Places, path: &Path) -> bool {
    match places.find(path) {
        Ok(node) => node.is_some_and(|node| node.is_dir()),
        Err(FileError::LeadsOut { .. }) => true,
        Err(_) => false,
    }
}

/// Returns the path relative to the sysroot, or the whole path if it is outside.
pub(super) fn within<'a>(path: &'a Path, sysroot: &Path) -> &'a Path {
    path.strip_prefix(sysroot).unwrap_or(path)
}

/// Chooses the name beside an edited file, by Gentoo's convention: the next free `._cfgNNNN_<name>`, or the last one if
/// it has the same content or is still as init wrote it.
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

/// The paths that a run has made. They are removed when this is dropped, unless the run has completed.
#[derive(Debug)]
pub(super) struct Rollback {
    pub(super) made: Vec<PathBuf>,
    places: Places,
}

impl Rollback {
    /// Returns a rollback of these paths.
    pub(super) fn new(places: Places, made: Vec<PathBuf>) -> Self {
        Self { made, places }
    }

    /// Removes the paths, the last first. Directories that contain other files by now stay.
    fn undo(&mut self) {
        for path in self.made.drain(..).rev() {
            let _ = self.places.remove(&path);
        }
    }

    /// Keeps the paths.
    pub(super) fn keep(&mut self) {
        self.made.clear();
    }
}

impl Drop for Rollback {
    fn drop(&mut self) {
        self.undo();
    }
}

/// Does the steps: writes the record, writes all content beside its path, syncs, renames, and writes the final record.
///
/// The caller holds the lock, and `rollback` has the paths made for it. `record` is the sysroot's current record. If
/// nothing changes, nothing is written. After a failure before the renames, everything is as it was; after a later
/// failure, the next run completes the work.
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
            remove_temporary(&waiting(&sysroot.join(path)), places)?;
        }
    }
    let (pending, standing) = records(steps, sysroot, record)?;
    if standing == *record && steps.iter().all(|step| step.written().is_none()) {
        rollback.keep();
        return Ok(());
    }
    pending.check_size(&sysroot.join(RECORD))?;
    let work: Vec<(&Path, &Content)> = steps
        .iter()
        .filter(|step| step.write.on_conflict != OnConflict::First)
        .filter_map(|step| Some((step.written()?, &step.write.content)))
        .collect();
    let file = sysroot.join(RECORD);
    let is_first = places.find_nofollow(&file)?.is_none();
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
            // If this fails too, the options are those of the interrupted run.
            let _ = replace_file(path, &text);
        }
        if !is_first {
            // If this fails too, the record is that of an interrupted run, which the next run completes.
            let _ = write_record(places, record);
        }
        return Err(why);
    }
    // From here on, only files that were not renamed yet are removed after a failure.
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

/// Returns the record while the work is done, and the record after it.
fn records(
    steps: &[WriteStep],
    sysroot: &Path,
    record: &InitRecord,
) -> Result<(InitRecord, InitRecord), InitError> {
    let mut pending = record.clone();
    let mut standing = record.clone();
    standing.pending = false;
    for step in steps {
        let inside = step.write.path.starts_with(sysroot)
            && !matches!(step.write.on_conflict, OnConflict::Edit | OnConflict::First);
        // Content that already matches is recorded as crossmerge's, except directories and copied files that existed
        // before.
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
    pending.pending = true;
    Ok((pending, standing))
}

/// Walks the paths of all writes before the first one: a symlink that is not followed is an error while nothing has
/// changed.
fn check(steps: &[WriteStep], places: &Places) -> Result<(), InitError> {
    let mut seen = BTreeSet::new();
    for path in steps.iter().filter_map(WriteStep::written) {
        if seen.insert(path.parent()) {
            places.find_nofollow(path)?;
        }
    }
    Ok(())
}

/// Removes the temporary file that an interrupted run left beside a path. A path that now leads elsewhere has none of
/// init's files.
fn remove_temporary(path: &Path, places: &Places) -> Result<(), InitError> {
    match places.find_nofollow(path) {
        Err(FileError::LeadsOut { .. }) | Ok(None) => Ok(()),
        Err(e) => Err(e.into()),
        Ok(Some(_)) => Ok(places.remove(path)?),
    }
}

/// Reads the texts that the first writes replace.
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

/// Writes the record of a run that has begun, and all content beside its path, including the final record.
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

/// Writes a file completely or not at all, outside a list of steps.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), InitError> {
    Ok(file::replace_text(path, text)?)
}

pub(super) fn write_record(places: &Places, record: &InitRecord) -> Result<(), InitError> {
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
            // The mode of the replaced file is a user's choice.
            let mode = directory.mode_of(name, FILE_MODE)?;
            directory.write(&new, text.as_bytes(), mode)?;
        }
        Content::Copy(source) => {
            let source = Node::at(source)?.open()?;
            // Users who may execute the source may execute the copy. Other permissions of the source are not copied.
            let mode = FILE_MODE | source.metadata()?.mode() & 0o111;
            directory.write(&new, source, mode)?;
        }
        Content::Link(target) => directory.link(&new, target)?,
        Content::Directory(mode) => directory.directory(&new, *mode)?,
    }
    Ok(())
}
