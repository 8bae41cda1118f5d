//! The symlinks from compilers' names to an engine, and the record of those that crossmerge made.
//!
//! The record is `farm.toml` in the target's state directory. It is written before the first symlink, and a symlink that
//! was changed since is not removed.

use super::error::FarmError;
use crate::{config::read_toml, context::Context, layer::leads_to};
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{self, Directory};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

const HEAD: &str = "# Written by `crossmerge farm enable`: its symlinks and directories, which `crossmerge farm disable` removes.\n\n";

/// What crossmerge made for a target's engines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FarmRecord {
    /// The directories, each before its contents.
    #[serde(default)]
    directories: Vec<PathBuf>,
    /// The symlinks, with their targets.
    #[serde(default)]
    links: BTreeMap<PathBuf, PathBuf>,
}

impl FarmRecord {
    /// Reads the record. It is empty if the file does not exist.
    pub(super) fn read(context: &Context) -> Result<Self, FarmError> {
        Ok(read_toml(&file_of(context))?.unwrap_or_default())
    }

    /// Makes the symlinks to a program. Existing ones that lead there stay, and are not recorded. Returns a line for each
    /// new one.
    pub(super) fn make(
        &mut self,
        context: &Context,
        links: &[PathBuf],
        program: &Path,
        dry_run: bool,
    ) -> Result<String, FarmError> {
        let mut missing = Vec::new();
        for link in links {
            match link.symlink_metadata() {
                Err(_) => missing.push(link),
                Ok(_) if leads_to(link, program) => {}
                // The program was moved since.
                Ok(_) if self.is_ours(link) => missing.push(link),
                Ok(_) => return Err(FarmError::Occupied { path: link.clone() }),
            }
        }
        let mut text = String::new();
        for link in &missing {
            let (link, program) = (link.shown(), program.shown());
            text.push_str(&format!("new      {link} -> {program}\n"));
        }
        let Some(directory) = missing.first().and_then(|link| link.parent()) else {
            return Ok(text);
        };
        let above: Vec<PathBuf> = directory.ancestors().map(Path::to_owned).collect();
        let new = above.iter().rev().filter(|directory| !directory.exists());
        let there = above.iter().find(|directory| directory.exists());
        file::check_writable(there.map_or(Path::new("/"), PathBuf::as_path)).map_err(|why| {
            let directory = directory.into();
            FarmError::NotWritable { directory, why }
        })?;
        if dry_run {
            return Ok(text);
        }
        self.directories.extend(new.cloned());
        let recorded = missing.iter().map(|link| ((*link).clone(), program.into()));
        self.links.extend(recorded);
        self.write(context)?;
        let directory = Directory::make(directory, &mut Vec::new()).map_err(io::Error::from)?;
        for link in missing {
            file::remove(link)?;
            let name = link.file_name().unwrap_or_default();
            directory.link(name, program).map_err(io::Error::from)?;
        }
        Ok(text)
    }

    /// Removes the recorded symlinks of these directories that are as they were made, and then empty directories.
    /// Returns a line for each.
    pub(super) fn remove(
        &mut self,
        context: &Context,
        directories: &[PathBuf],
        dry_run: bool,
    ) -> Result<String, FarmError> {
        let is_in = |link: &Path| directories.iter().any(|d| link.parent() == Some(d));
        let links: Vec<PathBuf> = self
            .links
            .keys()
            .filter(|link| is_in(link))
            .cloned()
            .collect();
        let mut text = String::new();
        for link in &links {
            let verb = match self.is_ours(link) {
                true if dry_run => "would remove",
                true => "removed ",
                false => continue,
            };
            if !dry_run {
                file::remove(link)?;
            }
            text.push_str(&format!("{verb} {}\n", link.shown()));
        }
        if !dry_run && !links.is_empty() {
            self.links.retain(|link, _| !links.contains(link));
            let mut left = std::mem::take(&mut self.directories);
            left.retain(|directory| directory.exists());
            while let Some(directory) = left.pop() {
                if fs_err::remove_dir(&directory).is_err() {
                    self.directories.insert(0, directory);
                }
            }
            self.write(context)?;
        }
        Ok(text)
    }

    /// Returns the directories of all recorded symlinks.
    pub(super) fn all_directories(&self) -> Vec<PathBuf> {
        let parents = self.links.keys().filter_map(|link| link.parent());
        parents.map(Path::to_owned).collect()
    }

    /// Returns whether the path is a symlink as crossmerge made it.
    fn is_ours(&self, link: &Path) -> bool {
        let target = fs_err::read_link(link).ok();
        target.is_some() && target.as_ref() == self.links.get(link)
    }

    /// Writes the record, or removes it if it is empty.
    fn write(&self, context: &Context) -> Result<(), FarmError> {
        let file = file_of(context);
        if self.links.is_empty() && self.directories.is_empty() {
            return Ok(file::remove(&file)?);
        }
        let text = HEAD.to_owned() + &toml::to_string(self).expect("paths in tables");
        Ok(file::keep(&file, text.as_bytes())?)
    }
}

fn file_of(context: &Context) -> PathBuf {
    let state = context.config.state_directory();
    state.join(context.tuple.as_str()).join("farm.toml")
}
