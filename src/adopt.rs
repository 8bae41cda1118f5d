//! `adopt`: takes over the wrappers of crossdev's targets, and puts them back.
//!
//! [`AdoptRequest::plan`] reads which symlinks of which targets lead to crossdev's scripts, and the record of an
//! earlier run. From both it decides on a list of steps. `--dry-run` prints them, and [`AdoptRequest::run`] does them
//! under a lock. It copies and records existing files before it changes any symlink. Every error that can be known in
//! advance is found before the first step.
//!
//! adopt changes no file of crossdev's package and no file in a sysroot. Names for which crossdev has no wrapper get
//! the symlinks that `init` makes.

mod error;
mod put_back;
mod record;
mod request;
mod step;
mod take;

pub use error::AdoptError;

pub(crate) use record::AdoptRecord;

use crate::{context::Context, crossdev, init};
use crossmerge_plan::{env, report, tuple::Tuple};
use crossmerge_system::{
    file::{self, Directory, FileError, below, canonical},
    search::path,
};
use nix::fcntl::Flock;
pub use request::{AdoptPlan, AdoptRequest};
use std::{
    collections::BTreeSet,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Once,
};
use step::AdoptStep;

/// The lock file, in crossmerge's state directory.
const LOCK: &str = "lock";

impl AdoptRequest<'_> {
    /// Decides on the steps, and changes nothing.
    pub fn plan(&self) -> Result<AdoptPlan, AdoptError> {
        let record = AdoptRecord::read(self.config)?;
        let plan = match self.undo {
            true => put_back::decide(self, &record)?,
            false => take::decide(self, &record)?,
        };
        check(&plan.steps)?;
        Ok(plan)
    }

    /// Decides on the steps and does them.
    ///
    /// It decides twice, as `init` does: first without the lock, so that an early error creates no lock file, and
    /// again under the lock.
    pub fn run(&self) -> Result<AdoptPlan, AdoptError> {
        let plan = self.plan()?;
        if plan.steps.is_empty() {
            return Ok(plan);
        }
        let _locks = self.lock()?;
        let plan = self.plan()?;
        for path in AdoptRecord::read(self.config)?.all_paths() {
            file::remove(&file::waiting(path))?;
        }
        plan.steps.iter().try_for_each(AdoptStep::apply)?;
        Ok(plan)
    }

    /// Takes the lock of crossmerge's state directory, and the lock of each target that `init` has made.
    fn lock(&self) -> Result<Vec<Flock<File>>, AdoptError> {
        let directory = self.config.state_directory();
        let lock = file::take(&directory.join(LOCK), &directory, &mut Vec::new());
        let mut locks = vec![lock.map_err(io::Error::from)?];
        for tuple in self.chosen(&AdoptRecord::read(self.config)?)? {
            locks.extend(init::lock_if_there(&self.context(&tuple)?.sysroot())?);
        }
        Ok(locks)
    }

    fn context(&self, tuple: &Tuple) -> Result<Context, AdoptError> {
        let mut env = self.env.clone();
        // SYSROOT names the sysroot of one target, but adopt may handle several.
        env.unset(env::SYSROOT);
        Ok(Context::new(env, self.config.clone(), tuple.clone())?)
    }

    /// Returns the targets of the request.
    fn chosen(&self, record: &AdoptRecord) -> Result<BTreeSet<Tuple>, AdoptError> {
        if !self.tuples.is_empty() {
            return Ok(self.tuples.iter().cloned().collect());
        }
        let recorded = record.tuples().into_iter();
        let mut chosen: BTreeSet<Tuple> = recorded.filter_map(|tuple| tuple.parse().ok()).collect();
        if !self.undo {
            chosen.extend(crossdev::wrappers(&self.directories())?.into_keys());
        }
        Ok(chosen)
    }

    /// Lists the directories in which crossdev's wrappers may be, each once: those of PATH in their order, then
    /// crossdev's own. A directory behind a symlink of another user is omitted with a note, because that symlink may
    /// lead to any directory of root's.
    fn directories(&self) -> Vec<PathBuf> {
        static NAMED: Once = Once::new();
        let mut directories = path(self.env);
        directories.push(self.crossdevs_directory());
        let mut seen = BTreeSet::new();
        let mut left_out = Vec::new();
        let mut real = |directory: &PathBuf| match Directory::open(directory) {
            // If /usr is merged, PATH may contain several names of one directory.
            Ok(directory) => Some(directory.real()),
            Err(e @ FileError::ForeignLink { .. }) => {
                left_out.push(e.to_string());
                None
            }
            Err(_) => Some(canonical(directory)),
        };
        let directories: Vec<PathBuf> = directories.iter().filter_map(&mut real).collect();
        NAMED.call_once(|| {
            for why in &left_out {
                report::note(&format!("a directory of PATH is left out: {why}"));
            }
        });
        directories
            .into_iter()
            .filter(|directory| seen.insert(directory.clone()))
            .collect()
    }

    /// Returns the directory to which crossdev's package installs.
    fn crossdevs_directory(&self) -> PathBuf {
        below(&self.config.broot, "usr/bin")
    }
}

/// Checks that every step can be done, before the first one is.
fn check(steps: &[AdoptStep]) -> Result<(), AdoptError> {
    let directories: BTreeSet<&Path> = steps
        .iter()
        .filter_map(|step| step.path().parent())
        .collect();
    for directory in directories {
        // The first step that needs a missing directory creates it.
        let there = directory.ancestors().find(|directory| directory.exists());
        let there = there.unwrap_or(Path::new("/"));
        Directory::open(there).map_err(io::Error::from)?;
        file::check_writable(there).map_err(|why| AdoptError::NotWritable {
            directory: there.into(),
            why,
        })?;
    }
    for step in steps {
        let directory = Directory::open(step.path().parent().unwrap_or(Path::new("/")));
        if let Ok(directory) = directory {
            let name = step.path().file_name().unwrap_or_default();
            directory.check_replaceable(name).map_err(io::Error::from)?;
        }
    }
    Ok(())
}
