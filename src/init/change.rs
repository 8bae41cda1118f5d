//! The changes of other commands to files of a target. They are written under init's lock and in its record, so a later
//! init keeps them, and `remove` removes them.

use super::{
    block,
    error::InitError,
    lock::lock,
    paths::{absolute, etc_portage},
    record::InitRecord,
    remove::remove_empty_parents_in,
    write::{self, Content, OnConflict, Write, WriteStep, within},
};
use crate::context::Context;
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{Node, Places, read};
use std::path::{Path, PathBuf};

/// A change to a file. A file that contains nothing afterwards is removed, if init or this module made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileChange {
    /// The block of this name gets these lines. `None` removes it.
    Block {
        file: PathBuf,
        name: String,
        lines: Option<String>,
    },
    /// The whole file gets this text, even if a user wrote it. `None` removes it.
    Whole { file: PathBuf, text: Option<String> },
}

impl FileChange {
    fn file(&self) -> &Path {
        let (Self::Block { file, .. } | Self::Whole { file, .. }) = self;
        file
    }
}

/// Makes the changes, of which each has a file of its own. Returns a line for each file that was written or removed; with
/// `dry_run` a diff instead, and changes nothing.
pub(crate) fn change_files(
    context: &Context,
    changes: &[FileChange],
    dry_run: bool,
) -> Result<String, InitError> {
    let sysroot = absolute(&context.foreign_sysroot()?)?;
    if !etc_portage(context)?.join("make.conf").exists() {
        return Err(InitError::NotInitialised(context.tuple.clone()));
    }
    let mut locked = match dry_run {
        true => None,
        false => Some(lock(&sysroot)?),
    };
    let places = Places::of(&sysroot)?;
    let mut record = InitRecord::of(places.tree())?;
    let (mut steps, mut gone) = (Vec::new(), Vec::new());
    for change in changes {
        match decide(change, &places, &record)? {
            Some(Decision::Write(step)) => steps.push(step),
            Some(Decision::Remove) => gone.push(change.file()),
            None => {}
        }
    }
    let mut text = String::new();
    for step in &steps {
        match dry_run {
            true => text.push_str(&step.to_diff(&places)?),
            false => text.extend(step.to_line().map(|line| line + "\n")),
        }
    }
    for path in &gone {
        text.push_str(&format!("removed  {}\n", path.shown()));
    }
    if let Some(locked) = &mut locked {
        write::apply(&steps, &places, &record, &mut locked.rollback)?;
        for path in &gone {
            places.remove(path)?;
            remove_empty_parents_in(&places, path, &sysroot)?;
        }
        if !gone.is_empty() {
            record = InitRecord::of(places.tree())?;
            gone.iter()
                .for_each(|path| record.forget(within(path, &sysroot)));
            write::write_record(&places, &record)?;
        }
    }
    Ok(text)
}

/// What happens to a file.
enum Decision {
    Write(WriteStep),
    Remove,
}

/// Decides on a change. Returns `None` if the file is as wanted.
fn decide(
    change: &FileChange,
    places: &Places,
    record: &InitRecord,
) -> Result<Option<Decision>, InitError> {
    let file = change.file();
    let there = places.find_nofollow(file)?;
    if there.as_ref().is_some_and(Node::is_link) {
        return Err(InitError::LinkToEdit(file.into()));
    }
    let is_made = match &there {
        Some(node) => record.is_as_left(within(file, places.path()), node)?,
        // In the sysroot of another program, such as crossdev, init has no record.
        None => !record.is_empty(),
    };
    let old = match &there {
        Some(node) if node.is_file() => node.read_to_string(read::SETTINGS)?,
        _ => String::new(),
    };
    let (new, on_conflict) = match change {
        FileChange::Whole { text, .. } => (text.clone(), OnConflict::State),
        FileChange::Block { name, lines, .. } => {
            let new = match lines {
                Some(lines) => block::with(&old, name, lines),
                None => block::without(&old, name),
            };
            let is_empty = new.is_empty() && (is_made || !old.is_empty());
            let on_conflict = match is_made {
                true => OnConflict::Config,
                false => OnConflict::Edit,
            };
            ((!is_empty).then_some(new), on_conflict)
        }
    };
    Ok(match new {
        None => there.map(|_| Decision::Remove),
        Some(new) if there.is_some() && new == old => None,
        Some(new) if there.is_none() && new.is_empty() => None,
        Some(new) => {
            let write = Write::new(file, Content::Text(new), on_conflict);
            Some(Decision::Write(WriteStep::decide(write, places, record)?))
        }
    })
}
