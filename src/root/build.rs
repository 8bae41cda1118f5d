//! Carries the steps of a root out. The new root is made beside the old one, and replaces it in the last step, so a run
//! that ends in any other way leaves the old one whole. The next run goes on with the first step that is not done.

use super::{
    check::{CheckRequest, check},
    command::Command,
    error::RootError,
    finding::{RootReport, Severity},
    record::RootRecord,
    request::{Places, RootRequest, name_of},
    step::{self, Action, Step},
    walk::{EntryKind, Reads, RootFiles},
};
use crate::{
    applet::Wrappers,
    context::Context,
    steps::{Progress, open_log},
};
use crossmerge_plan::glob;
use crossmerge_system::{
    exec::{Interrupts, Job, wait_for},
    file::{self, Directory, Identity, Tree},
};
use nix::{fcntl::Flock, sys::signal::Signal};
use std::{
    fs::File,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long emerge may take to end in order.
const GRACE: Duration = Duration::from_secs(10);

/// How often the progress is printed.
const REFRESH: Duration = Duration::from_millis(500);

/// Leftovers of merges, which the new root does not need. A file that waits for dispatch-conf is not one of them.
const LEFTOVERS: [&str; 6] = [
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
    "var/cache/edb/*",
    "var/cache/ldconfig/*",
];

/// How a run ended.
#[derive(Debug)]
pub(crate) enum RootOutcome {
    /// The root is finished, with the report of its check.
    Done(Box<RootReport>),
    /// A step failed.
    Failed { step: String, log: PathBuf },
    /// The check has found errors.
    Faulty(Box<RootReport>),
    /// A signal interrupted the run.
    Interrupted(Signal),
}

/// How a command ended.
enum Ended {
    Succeeded,
    Failed,
    Interrupted(Signal),
}

/// Everything that a run needs.
struct Build<'a> {
    context: &'a Context,
    wrappers: &'a Wrappers,
    request: &'a RootRequest,
    record: RootRecord,
    lock: Flock<File>,
    interrupts: Interrupts,
}

/// Renders the steps as shell commands.
pub(crate) fn to_text(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
) -> Result<String, RootError> {
    let steps = step::steps(context, wrappers, request)?;
    let steps = steps.iter().map(|step| {
        let commands = step.to_shell(context, request);
        format!("# {}: {}\n{commands}", step.name, step.title)
    });
    Ok(steps.collect::<Vec<_>>().join("\n"))
}

/// Builds a root.
pub(crate) fn build(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
    verbose: bool,
) -> Result<RootOutcome, RootError> {
    let places = &request.places;
    // Before the lock, which is a file.
    check_places(places, &RootRecord::read(places)?)?;
    Directory::make(&places.work, &mut Vec::new())?;
    let lock = file::take(&places.work.join("lock"), &places.root, &mut Vec::new())?;
    let steps = step::steps(context, wrappers, request)?;
    let mut build = Build {
        context,
        wrappers,
        request,
        record: RootRecord::read(places)?,
        lock,
        interrupts: Interrupts::new()?,
    };
    build.begin()?;
    let mut progress = Progress::new(verbose);
    let mut report = None;
    // A step may appear before those that are done: the sysroot now has a package with the libc, for example.
    let done = steps
        .iter()
        .rposition(|step| build.record.has_done(&step.name));
    for (place, step) in steps.iter().enumerate() {
        // The report is not recorded, and a check takes less than a second.
        if done.is_some_and(|done| place <= done) && step.action != Action::Check {
            continue;
        }
        let log = places.log(&step.name);
        let number = format!("{}/{}", place + 1, steps.len());
        progress.begin(place, &number, &step.title, &log, None);
        let ended = build.step(step, &mut progress, &mut report);
        if !matches!(ended, Ok(Ended::Interrupted(_))) {
            progress.end(place, matches!(ended, Ok(Ended::Succeeded)));
        }
        match ended? {
            Ended::Succeeded => build.done(step)?,
            Ended::Interrupted(signal) => {
                return Ok(RootOutcome::Interrupted(signal));
            }
            Ended::Failed => {
                return Ok(match report {
                    Some(report) => RootOutcome::Faulty(Box::new(report)),
                    None => RootOutcome::Failed {
                        step: step.name.clone(),
                        log,
                    },
                });
            }
        }
    }
    build.finish()?;
    let mut report = report.expect("the check is one of the steps");
    report.root = places.root.display().to_string();
    Ok(RootOutcome::Done(Box::new(report)))
}

impl Build<'_> {
    /// Decides whether to go on with an interrupted run.
    fn begin(&mut self) -> Result<(), RootError> {
        let places = &self.request.places;
        check_places(places, &self.record)?;
        let inputs = self.request.inputs();
        let tuple = self.context.tuple.as_str();
        let is_same = self.record.tuple == tuple && self.record.inputs == inputs;
        // After the last step was interrupted, the new root is at the place of the old one already.
        let there = identity(&places.new).or_else(|| identity(&places.root));
        let goes_on = is_same && self.record.new.is_some() && self.record.new == there;
        if !goes_on {
            remove_tree(&places.new)?;
            self.record = RootRecord {
                tuple: tuple.into(),
                inputs,
                finished: self.record.finished,
                has_begun: true,
                ..RootRecord::default()
            };
        }
        self.record.write(places)
    }

    /// Carries a step out.
    fn step(
        &mut self,
        step: &Step,
        progress: &mut Progress,
        report: &mut Option<RootReport>,
    ) -> Result<Ended, RootError> {
        if let Some(signal) = self.interrupts.next() {
            return Ok(Ended::Interrupted(signal));
        }
        let places = &self.request.places;
        match &step.action {
            Action::Layout { directories, links } => {
                self.lay_out(directories, links)?;
                Ok(Ended::Succeeded)
            }
            Action::Run { command, unless } => {
                let log = places.log(&step.name);
                if let Some(unless) = unless {
                    match self.run(unless, &log, false, progress)? {
                        Ended::Failed => {}
                        ended => return Ok(ended),
                    }
                }
                self.run(command, &log, unless.is_some(), progress)
            }
            Action::Configure(native) => {
                native.write(&places.new)?;
                Ok(Ended::Succeeded)
            }
            Action::Settle => {
                self.settle()?;
                Ok(Ended::Succeeded)
            }
            Action::Check => {
                let root = [&places.new, &places.root];
                let root = root.into_iter().find(|root| root.is_dir());
                let tree = Tree::open_to_read(root.unwrap_or(&places.new))?;
                let context = self.context;
                let found = check(CheckRequest {
                    tree,
                    context,
                    is_stage: self.request.native.is_some(),
                })?;
                let has_errors = found.count(Severity::Error) > 0;
                *report = Some(found);
                Ok(match has_errors {
                    true => Ended::Failed,
                    false => Ended::Succeeded,
                })
            }
            Action::Replace => {
                self.replace()?;
                Ok(Ended::Succeeded)
            }
        }
    }

    /// Makes the directories and symlinks of a new root.
    fn lay_out(
        &mut self,
        directories: &[(PathBuf, u32)],
        links: &[(PathBuf, PathBuf)],
    ) -> Result<(), RootError> {
        let new = self.request.places.new.clone();
        // A run that was interrupted before this step was done may have left a part.
        remove_tree(&new)?;
        Directory::make(&new, &mut Vec::new())?;
        for (path, mode) in directories {
            let (parent, name) = Directory::of(&new.join(path), &mut Vec::new())
                .map(|(parent, name)| (parent, name.to_owned()))?;
            if parent.stat(&name)?.is_none() {
                parent.directory(&name, *mode)?;
            }
        }
        for (path, target) in links {
            let path = new.join(path);
            let (parent, name) = Directory::of(&path, &mut Vec::new())?;
            if parent.stat(name)?.is_none() {
                parent.link(name, target)?;
            }
        }
        self.record.new = identity(&new);
        Ok(())
    }

    /// Runs a command, and waits for its end.
    fn run(
        &self,
        command: &Command,
        log: &Path,
        adds: bool,
        progress: &mut Progress,
    ) -> Result<Ended, RootError> {
        let plan = command.plan(self.context, self.wrappers)?;
        let file = open_log(log, adds).map_err(|e| RootError::Write(log.into(), e))?;
        let mut job = Job::start(&plan, &self.context.env, &file, &[self.lock.as_fd()])?;
        loop {
            wait_for(&[job.fd(), self.interrupts.fd()], Some(REFRESH))?;
            if let Some(signal) = self.interrupts.next() {
                progress.interrupt();
                job.stop(GRACE)?;
                return Ok(Ended::Interrupted(signal));
            }
            progress.refresh();
            if let Some(status) = job.try_wait()? {
                return Ok(match status.success() {
                    true => Ended::Succeeded,
                    false => Ended::Failed,
                });
            }
        }
    }

    /// Removes leftovers, and the symlinks of kernel modules to the tree on the build machine.
    fn settle(&self) -> Result<(), RootError> {
        let tree = Tree::open(&self.request.places.new)?;
        let files = RootFiles::walk(tree, Reads::Status)?;
        let is_stage = self.request.native.is_some();
        for entry in &files.entries {
            let place = entry.place.to_string_lossy();
            let is_file = matches!(entry.kind, EntryKind::File(_));
            let name = entry.name();
            let is_keep = is_file && !is_stage && entry.size == 0 && name.starts_with(b".keep");
            let is_leftover = is_file && LEFTOVERS.iter().any(|it| glob::matches(it, &place));
            let is_empty = is_file && entry.size == 0 && place == "etc/resolv.conf";
            let is_of_modules = matches!(entry.kind, EntryKind::Symlink(_))
                && (name == b"build" || name == b"source")
                && glob::matches("*lib/modules/*", &place);
            let stays = self
                .request
                .keep
                .iter()
                .any(|it| glob::matches(it.trim_start_matches('/'), &place));
            if !stays && (is_keep || is_leftover || is_empty || is_of_modules) {
                let parent = entry.place.parent().unwrap_or(Path::new(""));
                let directory = files.tree.directory(parent, None)?;
                directory.remove(std::ffi::OsStr::from_bytes(name))?;
            }
        }
        Ok(())
    }

    /// Moves the new root to the place of the old one. If it is interrupted, the next run ends it.
    fn replace(&self) -> Result<(), RootError> {
        let places = &self.request.places;
        let (parent, name) = Directory::of(&places.root, &mut Vec::new())?;
        let work = Directory::open(&places.work)?;
        let old = places.old();
        if identity(&places.new).is_some() {
            if identity(&places.root).is_some() {
                remove_tree(&old)?;
                parent.move_to(name, &work, name_of(&old))?;
            }
            parent.move_to(name_of(&places.new), &parent, name)?;
            parent.sync_names()?;
        }
        remove_tree(&old)
    }

    fn done(&mut self, step: &Step) -> Result<(), RootError> {
        if !self.record.has_done(&step.name) {
            self.record.done.push(step.name.clone());
        }
        self.record.write(&self.request.places)
    }

    /// Records that the root is finished: the next run begins a new one.
    fn finish(&mut self) -> Result<(), RootError> {
        self.record = RootRecord {
            tuple: self.record.tuple.clone(),
            inputs: self.record.inputs.clone(),
            finished: identity(&self.request.places.root),
            ..RootRecord::default()
        };
        self.record.write(&self.request.places)
    }
}

/// Checks that the paths may be replaced. That of the root has to be free, an empty directory, or a root that crossmerge
/// has built; that of the new root has to be free, unless a run is to go on.
fn check_places(places: &Places, record: &RootRecord) -> Result<(), RootError> {
    let there = identity(&places.root);
    let is_own = there.is_some() && [record.finished, record.new].contains(&there);
    if !is_own && places.root.symlink_metadata().is_ok() {
        let names = std::fs::read_dir(&places.root);
        let is_empty = names.is_ok_and(|mut names| names.next().is_none());
        if !is_empty || there.is_none() {
            let root = places.root.clone();
            return Err(RootError::Foreign { root });
        }
    }
    if !record.has_begun && places.new.symlink_metadata().is_ok() {
        let root = places.new.clone();
        return Err(RootError::Foreign { root });
    }
    Ok(())
}

/// Returns device and inode of a directory. `None` if it does not exist, or is not a directory.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.symlink_metadata().ok()?;
    metadata.is_dir().then(|| Identity::of(&metadata).numbers())
}

/// Removes a directory with its content. Succeeds if it does not exist.
fn remove_tree(path: &Path) -> Result<(), RootError> {
    if identity(path).is_some() {
        let directory = Directory::open(path)?;
        directory.clear(&|_| false)?;
        file::remove(path)?;
    }
    Ok(())
}
