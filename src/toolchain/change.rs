//! What is changed at each path, decided from what is wanted, what is there and what was recorded; and doing it.
//!
//! Each file is replaced at once, so a run that is killed leaves each path old or new. The record is written first.

use super::{
    error::ToolchainError,
    files::{MANAGED, Wanted},
    record::{RecordedContent, ToolchainRecord, hash},
};
use crossmerge_plan::{report, shown::Show};
use crossmerge_system::file::{self, Directory, beneath::is_absent, read};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// A path, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) wanted: Wanted,
    pub(crate) action: Action,
}

/// What happens to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: it is as wanted.
    Same,
    /// Nothing: a user edited the file.
    Keep,
    /// A directory or a symlink is made.
    Make,
    /// The file gets this text.
    Write { old: Option<String>, new: String },
}

impl Change {
    /// Decides on the changes of a list.
    pub(crate) fn list(
        files: &[(PathBuf, Wanted)],
        record: &ToolchainRecord,
    ) -> Result<Vec<Self>, ToolchainError> {
        files
            .iter()
            .map(|(path, wanted)| {
                Ok(Self {
                    action: decide(path, wanted, record)?,
                    path: path.clone(),
                    wanted: wanted.clone(),
                })
            })
            .collect()
    }

    /// Returns whether the path changes.
    pub(crate) fn is_needed(&self) -> bool {
        matches!(self.action, Action::Make | Action::Write { .. })
    }

    /// Renders the change as a diff or a line.
    pub(crate) fn to_diff(&self) -> String {
        let path = self.path.shown();
        match (&self.action, &self.wanted) {
            (Action::Same, _) => String::new(),
            (Action::Keep, _) => format!("yours {path}: left as it is\n"),
            (Action::Make, Wanted::Link(target)) => format!("link {path} -> {}\n", target.shown()),
            (Action::Make, _) => format!("directory {path}\n"),
            (Action::Write { old, new }, _) => {
                let name = path.to_string();
                match old {
                    Some(old) => report::diff(old, new, &name, &name),
                    None => report::diff("", new, "/dev/null", &name),
                }
            }
        }
    }

    fn apply(&self) -> Result<(), ToolchainError> {
        let failed = |source: io::Error| ToolchainError::Write {
            path: self.path.clone(),
            source,
        };
        match (&self.action, &self.wanted) {
            (Action::Same | Action::Keep, _) => Ok(()),
            (Action::Make, Wanted::Link(target)) => {
                Ok(file::replace(&self.path, |directory, new| {
                    directory.link(new, target)
                })?)
            }
            (Action::Make, _) => Directory::make(&self.path, &mut Vec::new())
                .map(drop)
                .map_err(|e| failed(e.into())),
            (Action::Write { new, .. }, _) => Ok(file::replace_text(&self.path, new)?),
        }
    }
}

/// Reads a text. `None` if there is no file.
pub(super) fn text(path: &Path) -> Result<Option<String>, ToolchainError> {
    match read::read_to_string(path, read::SETTINGS) {
        Ok(text) => Ok(Some(text)),
        Err(e) if is_absent(&e) => Ok(None),
        Err(source) => Err(ToolchainError::Read {
            path: path.into(),
            source,
        }),
    }
}

/// Decides what happens to a path.
fn decide(
    path: &Path,
    wanted: &Wanted,
    record: &ToolchainRecord,
) -> Result<Action, ToolchainError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => Some(there),
        Err(e) if is_absent(&e) => None,
        Err(source) => {
            return Err(ToolchainError::Read {
                path: path.into(),
                source,
            });
        }
    };
    let text = || text(path);
    Ok(match wanted {
        Wanted::Directory if there.is_none() => Action::Make,
        Wanted::Directory if path.is_dir() => Action::Same,
        Wanted::Directory => return Err(ToolchainError::NotADirectory { path: path.into() }),
        Wanted::Link(target) => match there {
            Some(there) if !there.is_symlink() => {
                return Err(ToolchainError::NotALink { path: path.into() });
            }
            Some(_) if fs::read_link(path).is_ok_and(|there| there == *target) => Action::Same,
            _ => Action::Make,
        },
        Wanted::Text(new) => match text()? {
            Some(old) if old == *new => Action::Same,
            Some(old) if !is_ours(path, &old, record) => Action::Keep,
            old => Action::Write {
                old,
                new: new.clone(),
            },
        },
        Wanted::Lines(lines) => with_text(text()?, |old| {
            let recorded = match record.content(path) {
                Some(RecordedContent::Lines(lines)) => lines.as_slice(),
                _ => &[],
            };
            replace_lines(old, lines, &|line| {
                recorded.iter().any(|ours| ours == line) || is_generated(line)
            })
        }),
        Wanted::Line(line) => with_text(text()?, |old| match old.lines().any(|one| one == line) {
            true => old.to_owned(),
            false if old.is_empty() || old.ends_with('\n') => format!("{old}{line}\n"),
            false => format!("{old}\n{line}\n"),
        }),
    })
}

fn with_text(old: Option<String>, change: impl FnOnce(&str) -> String) -> Action {
    let new = change(old.as_deref().unwrap_or_default());
    match old {
        Some(old) if old == new => Action::Same,
        old => Action::Write { old, new },
    }
}

/// Returns whether a file with this text was written by crossmerge or crossdev and not changed since.
fn is_ours(path: &Path, text: &str, record: &ToolchainRecord) -> bool {
    match record.content(path) {
        Some(RecordedContent::File(recorded)) => *recorded == hash(text.as_bytes()),
        // crossdev replaces these files in each run.
        _ => {
            let first = text.lines().next().unwrap_or_default();
            first == MANAGED
                || first == "SYMLINK_LIB=no"
                || text.contains("SEARCH_DIRS_MASK=")
                || text.starts_with("AR=llvm-ar\n")
                || text.starts_with("--sysroot=")
        }
    }
}

/// Replaces the generated lines of a file, where the first one was. Without any, they come first, so that a user's lines
/// override them.
fn replace_lines(old: &str, new: &[String], is_generated: &dyn Fn(&str) -> bool) -> String {
    let place = old.lines().position(is_generated).unwrap_or(0);
    let before = old.lines().take(place);
    let after = old.lines().skip(place).filter(|line| !is_generated(line));
    let lines = before.chain(new.iter().map(String::as_str)).chain(after);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns whether crossdev writes such a line, so that one without a record is known as crossdev's.
pub(super) fn is_generated(line: &str) -> bool {
    let Some((atom, rest)) = line.split_once(' ') else {
        // A line of package.mask: `>cross-…/gcc-13.2.0`.
        return [">cross-", ">=cross-", ">cross_llvm-", ">=cross_llvm-"]
            .iter()
            .any(|start| line.starts_with(start));
    };
    let atom = atom.trim_start_matches(['<', '>', '=', '~']);
    if !atom.starts_with("cross-") && !atom.starts_with("cross_llvm-") {
        return false;
    }
    let words: Vec<&str> = rest.split(' ').collect();
    let of_keywords = match words.as_slice() {
        ["-*"] | ["*", "~*", "**"] => true,
        words => {
            words.len() >= 3
                && words.iter().rev().take(2).all(|word| word.starts_with('-'))
                && words[words.len() - 1].starts_with("-~")
        }
    };
    // USE flags end in `multilib`. Masked and forced flags follow two blanks. An environment is named after its package.
    of_keywords
        || matches!(words.last(), Some(&("multilib" | "-multilib")))
        || rest.starts_with(' ')
        || rest.ends_with(".conf")
}

/// Makes the changes. The caller holds the lock, and has written the record of them.
pub(crate) fn apply(changes: &[Change]) -> Result<(), ToolchainError> {
    changes.iter().try_for_each(Change::apply)
}

/// Adds to a record what the changes write, with the files that exist already.
pub(crate) fn add_to_record(changes: &[Change], record: &mut ToolchainRecord) {
    for change in changes {
        let is_ours = change.is_needed() || !matches!(change.wanted, Wanted::Directory);
        if is_ours && change.action != Action::Keep {
            record.put(&change.path, RecordedContent::of(&change.wanted));
        }
    }
}

/// Undoes the changes of this run, the last first. A symlink that replaced another one stays.
pub(crate) fn undo(changes: &[Change]) -> Result<(), ToolchainError> {
    for change in changes.iter().rev() {
        let undone = match (&change.action, &change.wanted) {
            (Action::Same | Action::Keep, _) => Ok(()),
            (Action::Write { old: Some(old), .. }, _) => {
                file::replace_text(&change.path, old)?;
                Ok(())
            }
            (Action::Make, Wanted::Directory) => match file::remove(&change.path) {
                // Another process has put a file there.
                Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => removed,
            },
            (Action::Make | Action::Write { old: None, .. }, _) => file::remove(&change.path),
        };
        undone.map_err(|source| ToolchainError::Write {
            path: change.path.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Checks that every change can be made, before the first one is.
pub(crate) fn check(changes: &[Change]) -> Result<(), ToolchainError> {
    let needed = changes.iter().filter(|change| change.is_needed());
    let directories: BTreeSet<&Path> = needed.filter_map(|change| change.path.parent()).collect();
    for directory in directories {
        let there = directory.ancestors().find(|directory| directory.exists());
        let there = there.unwrap_or(Path::new("/"));
        file::check_writable(there).map_err(|source| ToolchainError::Write {
            path: directory.into(),
            source,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# mine\ncross-x/gcc cxx\ncross-x/gcc -cxx -multilib\ncross-x/musl -multilib\ncross-x/gcc nano\n";

    #[test]
    fn a_users_lines_stay_where_they_are() {
        let new = ["cross-x/gcc cxx multilib".to_owned()];
        let text = replace_lines(OLD, &new, &is_generated);
        assert_eq!(
            text,
            "# mine\ncross-x/gcc cxx\ncross-x/gcc cxx multilib\ncross-x/gcc nano\n"
        );
        assert_eq!(replace_lines(&text, &new, &is_generated), text);
        assert_eq!(
            replace_lines("", &new, &is_generated),
            "cross-x/gcc cxx multilib\n"
        );
        assert_eq!(
            replace_lines("cross-x/gcc nano\n", &new, &is_generated),
            "cross-x/gcc cxx multilib\ncross-x/gcc nano\n"
        );
    }

    #[test]
    fn only_lines_of_crossdev_are_known_as_generated() {
        for line in [
            "cross-arm/gcc -cxx -multilib",
            "cross-arm/gcc  cet multilib",
            "cross-arm/gcc arm64 ~arm64 -amd64 -~amd64",
            "cross-arm/gcc * ~* **",
            "cross-arm/gcc -*",
            ">=cross-arm/gcc-14 * ~* **",
            ">cross-arm/gcc-13.2.0",
            ">=cross-arm/gcc-9999",
            "cross-arm/gcc cross-arm/gcc.conf",
            "cross_llvm-arm/musl cross_llvm-arm/llvm.conf",
        ] {
            assert!(is_generated(line), "{line}");
        }
        for line in [
            "",
            "# cross-arm/gcc -multilib",
            "cross-arm/gcc nano",
            "cross-arm/gcc **",
            "cross-arm/gcc ~arm64",
            "sys-devel/gcc -multilib",
            "*/* multilib",
            "=cross-arm/gcc-13*",
            "cross-arm/gcc my.env",
        ] {
            assert!(!is_generated(line), "{line}");
        }
    }
}
