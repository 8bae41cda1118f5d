//! Decides how to take over the wrappers of each target.

use super::{
    error::AdoptError,
    record::{AdoptRecord, AdoptedSymlink, Previous},
    request::{AdoptPlan, AdoptRequest},
    step::AdoptStep,
};
use crate::{
    context::Context,
    crossdev::{self, EMERGE_WRAPPER},
    init::{self, Content, HostPortage, InitError, is_half_made},
    links::{self, is_our_command},
};
use crossmerge_plan::{shown::Show, tuple::Tuple};
use crossmerge_portage::merged::{MERGED, owners};
use crossmerge_system::file::{Identity, Node, below, canonical, read};
use std::path::{Path, PathBuf};

/// Decides on the steps for all targets of the request.
pub(super) fn decide(
    request: &AdoptRequest,
    record: &AdoptRecord,
) -> Result<AdoptPlan, AdoptError> {
    let mut wrappers = crossdev::wrappers(&request.directories())?;
    let mut taking = Takeover {
        request,
        record: record.clone(),
        links: Vec::new(),
        plan: AdoptPlan::default(),
    };
    let mut host = None;
    for tuple in request.chosen(record)? {
        let theirs = wrappers.remove(&tuple).unwrap_or_default();
        if theirs.is_empty() && !record.tuples().contains(tuple.as_str()) {
            let directory = request.crossdevs_directory();
            return Err(AdoptError::NotCrossdevs { tuple, directory });
        }
        let context = request.context(&tuple)?;
        let host = match &mut host {
            Some(host) => host,
            none => none.insert(HostPortage::ask(&context)?),
        };
        match check(&context, host.as_ref()) {
            Ok(()) => taking.target(&context, &theirs)?,
            Err(refused) if request.tuples.is_empty() => {
                taking.plan.note(format!("left as it is: {refused}"));
            }
            Err(refused) => return Err(refused),
        }
    }
    if !taking.record.tuples().is_empty() {
        taking.emerge_wrapper()?;
    }
    taking.finish(record)
}

/// Rejects a tuple of the host itself, and a target without a sysroot.
fn check(context: &Context, host: Option<&HostPortage>) -> Result<(), AdoptError> {
    match host {
        Some(host) => host.check_foreign(&context.tuple)?,
        None => init::check_foreign_by_compiler(context)?,
    }
    context.existing_sysroot()?;
    Ok(())
}

struct Takeover<'a> {
    request: &'a AdoptRequest<'a>,
    record: AdoptRecord,
    links: Vec<AdoptStep>,
    plan: AdoptPlan,
}

impl Takeover<'_> {
    /// Decides on one target: the symlinks that `init` makes, and crossdev's wrappers in all directories.
    fn target(&mut self, context: &Context, theirs: &[PathBuf]) -> Result<(), AdoptError> {
        let tuple = &context.tuple;
        let bindir = links::bindir(context, self.request.argv0);
        let mut wanted = Vec::new();
        for write in init::links(context, self.request.wrappers, &bindir)? {
            if let Content::Link(target) = write.content {
                wanted.push((write.path, target));
            }
        }
        let real = canonical(&bindir);
        for path in theirs.iter().filter(|path| !path.starts_with(&real)) {
            let directory = path.parent().unwrap_or(Path::new("/"));
            wanted.push((path.clone(), program(directory, &bindir)?));
        }
        let before = self.links.len();
        let replaced = wanted
            .iter()
            .filter(|(path, _)| crossdev::target_of(path).is_some())
            .count();
        for (path, target) in wanted {
            self.link(Some(tuple), path, target)?;
        }
        let made = self.links.len() - before - replaced;
        if replaced + made > 0 {
            let directory = bindir.shown();
            self.plan.summary.push(format!(
                "adopted  {tuple}: {replaced} of crossdev's wrappers replaced, {made} commands made in {directory}"
            ));
        }
        let make_conf = context.configroot().join("etc/portage/make.conf");
        let text = read::read_to_string(&make_conf, read::SETTINGS);
        if text.is_ok_and(|text| is_half_made(&text)) {
            self.plan.note(format!("crossdev left the etc/portage of `{tuple}` half-made: `crossmerge init {tuple}` fills it"));
        }
        Ok(())
    }

    /// Decides on one symlink.
    fn link(
        &mut self,
        tuple: Option<&Tuple>,
        path: PathBuf,
        target: PathBuf,
    ) -> Result<(), AdoptError> {
        let previous = match path.symlink_metadata() {
            Err(_) => Previous::Nothing,
            Ok(_) if is_our_command(&path) => {
                // The symlink is dangling: its program was moved.
                if !path.exists() {
                    self.links.push(AdoptStep::Link { path, target });
                }
                return Ok(());
            }
            Ok(_) if crossdev::target_of(&path).is_none() => {
                return Err(InitError::NotOurs(path).into());
            }
            Ok(there) if there.is_symlink() => Previous::Link(fs_err::read_link(&path)?),
            Ok(_) => {
                let aside = AdoptRecord::aside(self.request.config, &path);
                self.plan.steps.push(AdoptStep::Copy {
                    from: path.clone(),
                    to: aside.clone(),
                });
                Previous::File(aside)
            }
        };
        init::check_utf8(&path)?;
        self.record.put(AdoptedSymlink {
            tuple: tuple.map(ToString::to_string),
            path: path.clone(),
            ours: target.clone(),
            previous,
        });
        self.links.push(AdoptStep::Link { path, target });
        Ok(())
    }

    /// crossdev runs `emerge-wrapper --init` last, which makes its own symlinks again, if its `emerge-wrapper` is the
    /// first in PATH. That file belongs to crossdev's package and is not changed, so crossmerge's goes to a directory
    /// that comes earlier in PATH.
    fn emerge_wrapper(&mut self) -> Result<(), AdoptError> {
        let directories = self.request.directories();
        let Some(first) = directories
            .iter()
            .position(|directory| directory.join(EMERGE_WRAPPER).exists())
        else {
            return Ok(());
        };
        let theirs = directories[first].join(EMERGE_WRAPPER);
        if is_our_command(&theirs) {
            return Ok(());
        }
        let local = canonical(&below(&self.request.config.broot, "usr/local/bin"));
        let ours = links::program_from(&local)?;
        match directories[..first].contains(&local) && local.is_dir() {
            true => self.link(None, local.join(EMERGE_WRAPPER), ours),
            false => {
                self.plan.note(format!(
                    "`{}` is the first of its name in PATH, so crossdev's next run makes its own links again; adopt again after it",
                    theirs.shown()
                ));
                Ok(())
            }
        }
    }

    fn finish(mut self, before: &AdoptRecord) -> Result<AdoptPlan, AdoptError> {
        check_unowned(&self.links, &below(&self.request.config.broot, MERGED))?;
        if self.record != *before {
            let path = AdoptRecord::file(self.request.config);
            let text = self.record.to_text();
            self.plan.steps.push(AdoptStep::Write { path, text });
        }
        self.plan.steps.append(&mut self.links);
        Ok(self.plan)
    }
}

/// Returns the text of a symlink in a directory: the path of the program as the other symlinks name it, so that a new
/// version is found through it too.
fn program(directory: &Path, bindir: &Path) -> Result<PathBuf, AdoptError> {
    let (here, there) = (
        links::program_from(directory)?,
        links::program_from(bindir)?,
    );
    Ok(match here.is_absolute() {
        true => bindir.join(there),
        false => here,
    })
}

/// Refuses to replace a file that a package owns: the package's next update would restore it, and unmerging the package
/// would remove crossmerge's symlink.
fn check_unowned(links: &[AdoptStep], merged: &Path) -> Result<(), AdoptError> {
    let there = links.iter().filter_map(|link| {
        let metadata = link.path().symlink_metadata().ok()?;
        Some((link.path(), Identity::of(&metadata)))
    });
    let there: Vec<(&Path, Identity)> = there.collect();
    let merged = Node::at(merged).ok();
    let identity = |path: &Path| Some(Identity::of(&path.symlink_metadata().ok()?));
    let owners = owners(merged.as_ref(), identity, there.iter().copied())?;
    match there
        .iter()
        .find_map(|(path, identity)| Some((path, owners.get(identity)?)))
    {
        None => Ok(()),
        Some((path, package)) => Err(AdoptError::Owned {
            path: path.to_path_buf(),
            package: package.clone(),
        }),
    }
}
