//! Removes a toolchain: its packages, then the files that were written for it.
//!
//! The packages go first, because Portage needs the repository to unmerge them. A file that a user edited stays, and so
//! do the lines of a user.

use super::{
    change::is_generated,
    error::ToolchainError,
    files::{MANAGED, Wanted},
    machine::Machine,
    plan::ToolchainPlan,
    record::{RecordedContent, ToolchainRecord, hash_of},
    request::ToolchainRequest,
};
use crate::context::Context;
use crossmerge_plan::{plan::Plan, shown::Show};
use crossmerge_system::{
    exec,
    file::{self, read},
};
use nix::fcntl::Flock;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A step of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Unmerge all packages of the category.
    Packages(Plan),
    /// Remove a file or a symlink.
    Path(PathBuf),
    /// Remove a directory, unless it has other files.
    Directory(PathBuf),
    /// Remove lines from a file.
    Lines { path: PathBuf, text: String },
    /// A file that a user edited stays.
    Keep(PathBuf),
}

/// Lists what is removed, in order.
fn list(
    machine: &Machine,
    plan: &ToolchainPlan,
    record: &ToolchainRecord,
) -> Result<Vec<Removal>, ToolchainError> {
    let mut steps = Vec::new();
    let category = plan.request.category();
    if machine.host.below("var/db/pkg").join(&category).is_dir() {
        steps.push(Removal::Packages(Plan {
            program: machine.emerge.clone(),
            args: ["-q", "--rage-clean"]
                .into_iter()
                .map(Into::into)
                .chain([format!("{category}/*").into()])
                .collect(),
            ..Plan::default()
        }));
    }
    steps.extend(commands(machine, plan));
    // Files before the directories that contain them.
    let overlay = &plan.overlay.repository.path;
    let is_shared = has_other_categories(overlay, &category);
    for (path, wanted) in plan.files.iter().rev() {
        let content = record.content(path);
        let content = content
            .cloned()
            .unwrap_or_else(|| RecordedContent::of(wanted));
        let is_of_overlay = path.starts_with(overlay) && !path.starts_with(overlay.join(&category));
        if is_of_overlay && !matches!(content, RecordedContent::Lines(_)) {
            continue;
        }
        steps.extend(of_file(path, wanted, &content, &category)?);
    }
    if !is_shared {
        steps.extend(of_overlay(machine, plan));
    }
    Ok(steps)
}

/// Decides on the removal of the toolchain that a request describes.
pub(crate) fn of_request(
    context: &Context,
    mut request: ToolchainRequest,
) -> Result<Vec<Removal>, ToolchainError> {
    let machine = Machine::read(context, &mut request)?;
    let record = ToolchainRecord::read(&context.config, &request.category())?;
    let record = record.unwrap_or_default();
    let family = machine.family.clone();
    let family = family.as_deref();
    let plan = ToolchainPlan::of_existing(request, &machine.host, family, &machine, &machine)?;
    list(&machine, &plan, &record)
}

/// Does the steps of a removal. The caller holds the lock.
pub(crate) fn run(
    context: &Context,
    steps: &[Removal],
    category: &str,
    _lock: &Flock<File>,
) -> Result<(), ToolchainError> {
    for step in steps {
        if let Removal::Packages(plan) = step {
            let output = exec::ask(plan)?;
            if !output.status.success() {
                return Err(ToolchainError::Unmerge {
                    output: String::from_utf8_lossy(&output.stderr).trim().into(),
                });
            }
        }
        step.apply()?;
    }
    let record = ToolchainRecord::path(&context.config, category);
    let removed = file::remove(&record);
    removed.map_err(|source| ToolchainError::Write {
        path: record,
        source,
    })
}

/// Returns whether a repository contains other categories.
fn has_other_categories(overlay: &Path, category: &str) -> bool {
    let text = read::read_to_string(&overlay.join("profiles/categories"), read::SETTINGS);
    text.is_ok_and(|text| {
        text.lines()
            .any(|line| line != category && !line.trim().is_empty())
    })
}

/// The files of a repository that crossmerge or crossdev made, after its last category.
fn of_overlay(machine: &Machine, plan: &ToolchainPlan) -> Vec<Removal> {
    let repository = &plan.overlay.repository;
    let root = &repository.path;
    let is_managed = |path: &Path| {
        let text = read::read_to_string(path, read::SETTINGS);
        text.is_ok_and(|text| text.lines().next() == Some(MANAGED))
    };
    let layout = root.join("metadata/layout.conf");
    if !is_managed(&layout) {
        return Vec::new();
    }
    let mut steps = vec![Removal::Path(layout)];
    let registered = machine
        .host
        .settings
        .join("repos.conf")
        .join(machine.registration(&repository.name));
    if is_managed(&registered) {
        steps.push(Removal::Path(registered));
    }
    for file in ["profiles/repo_name", "profiles/eapi"] {
        steps.extend(
            root.join(file)
                .is_file()
                .then(|| Removal::Path(root.join(file))),
        );
    }
    let directories = ["metadata", "profiles", ""];
    steps.extend(directories.map(|directory| Removal::Directory(root.join(directory))));
    steps
}

/// What the packages leave behind: symlinks to their programs, which version was selected, and empty directories.
fn commands(machine: &Machine, plan: &ToolchainPlan) -> Vec<Removal> {
    let machine = &machine.host;
    let tuple = &plan.request.tuple;
    let mut paths = Vec::new();
    let directory = machine.below("usr/bin");
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let is_its = name
            .strip_prefix(tuple.as_str())
            .is_some_and(|rest| rest.starts_with('-'));
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let leads_to_toolchain = target
            .components()
            .any(|part| part.as_os_str() == "gcc-bin" || part.as_os_str() == "binutils-bin");
        if is_its && leads_to_toolchain {
            paths.push(entry.path());
        }
    }
    for selector in ["binutils", "gcc"] {
        let path = machine
            .below("etc/env.d")
            .join(selector)
            .join(format!("config-{tuple}"));
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let directories = [
        machine.sysroot(tuple).join("bin"),
        machine.below("etc/env.d/binutils"),
        machine.below("etc/env.d/gcc"),
    ];
    let directories = directories
        .into_iter()
        .filter(|directory| directory.is_dir());
    let files = paths.into_iter().map(Removal::Path);
    files.chain(directories.map(Removal::Directory)).collect()
}

fn of_file(
    path: &Path,
    wanted: &Wanted,
    content: &RecordedContent,
    category: &str,
) -> Result<Option<Removal>, ToolchainError> {
    let Ok(there) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    let text = || {
        read::read_to_string(path, read::SETTINGS).map_err(|source| ToolchainError::Read {
            path: path.into(),
            source,
        })
    };
    Ok(match content {
        // Directories that others may use stay if they are not empty.
        RecordedContent::Directory => there.is_dir().then(|| Removal::Directory(path.into())),
        RecordedContent::Link(_) => there.is_symlink().then(|| Removal::Path(path.into())),
        RecordedContent::File(hash) => match hash_of(path) {
            Some(now) if now == *hash => Some(Removal::Path(path.into())),
            // Without a record, the text was made from today's facts.
            _ if matches!(wanted, Wanted::Text(new) if text()? == *new) => {
                Some(Removal::Path(path.into()))
            }
            _ => Some(Removal::Keep(path.into())),
        },
        RecordedContent::Lines(lines) => {
            let old = text()?;
            let is_ours = |line: &str| {
                lines.iter().any(|ours| ours == line)
                    || (matches!(wanted, Wanted::Lines(_))
                        && line.contains(category)
                        && is_generated(line))
            };
            let left: String = old
                .lines()
                .filter(|line| !is_ours(line))
                .flat_map(|line| [line, "\n"])
                .collect();
            match left.is_empty() {
                true => Some(Removal::Path(path.into())),
                false if left == old => None,
                false => Some(Removal::Lines {
                    path: path.into(),
                    text: left,
                }),
            }
        }
    })
}

impl Removal {
    /// Renders the step as a line.
    pub(crate) fn to_line(&self) -> String {
        match self {
            Self::Packages(plan) => plan.to_string().trim_end().to_owned(),
            Self::Path(path) => format!("remove {}", path.shown()),
            Self::Directory(path) => format!("remove {}, if it is empty", path.shown()),
            Self::Lines { path, .. } => format!("edit {}", path.shown()),
            Self::Keep(path) => format!("yours {}: left as it is", path.shown()),
        }
    }

    /// Removes a path, or lines.
    pub(crate) fn apply(&self) -> Result<(), ToolchainError> {
        let failed = |path: &Path, source| ToolchainError::Write {
            path: path.into(),
            source,
        };
        match self {
            Self::Packages(_) | Self::Keep(_) => Ok(()),
            Self::Path(path) => file::remove(path).map_err(|source| failed(path, source)),
            Self::Directory(path) => match file::remove(path) {
                Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => removed.map_err(|source| failed(path, source)),
            },
            Self::Lines { path, text } => Ok(file::replace_text(path, text)?),
        }
    }
}

/// Renders the steps.
pub(crate) fn to_text(steps: &[Removal]) -> String {
    let mut text = String::new();
    for step in steps {
        let _ = writeln!(text, "{}", step.to_line());
    }
    text
}
