//! `adopt`: takes over the wrappers of crossdev's targets, and puts them back.
//!
//! Look first: which names of which targets lead to crossdev's scripts, and what an earlier run recorded. From that comes a list of
//! steps, which `--dry-run` prints and [`AdoptRequest::run`] does under a lock: what was there is kept and recorded, and only then are
//! links changed. Whatever can be refused is refused before the first step.
//!
//! What crossdev's package owns is never touched, and neither is what is in a sysroot. The names that crossdev has no wrapper for
//! are linked as `init` links them.

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
    file,
    file::{Directory, FileError, below, canonical},
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

/// The lock, in our own directory.
const LOCK: &str = "lock";

impl AdoptRequest<'_> {
    /// Decides what it would do, and touches nothing.
    pub fn plan(&self) -> Result<AdoptPlan, AdoptError> {
        let record = AdoptRecord::read(self.config)?;
        let plan = match self.undo {
            true => put_back::decide(self, &record)?,
            false => take::decide(self, &record)?,
        };
        check(&plan.steps)?;
        Ok(plan)
    }

    /// Decides and does it.
    ///
    /// It is decided twice, as `init` does: what is refused is refused before there is a lock.
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

    /// Takes the lock of our own directory, and that of each target in which `init` has been.
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
        // It names the sysroot of one target, and these are several.
        env.unset(env::SYSROOT);
        Ok(Context::new(env, self.config.clone(), tuple.clone())?)
    }

    /// The targets that are meant.
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

    /// The directories in which wrappers of crossdev's may be, each once: those of PATH in their order, and crossdev's own. One that is
    /// reached by a link that another user could have planted is left out, and named: it may lead to any directory of root's.
    fn directories(&self) -> Vec<PathBuf> {
        static NAMED: Once = Once::new();
        let mut directories = path(self.env);
        directories.push(self.crossdevs_directory());
        let mut seen = BTreeSet::new();
        let mut left_out = Vec::new();
        let mut real = |directory: &PathBuf| match Directory::open(directory) {
            // With /usr merged, one directory has several names in PATH.
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

    /// The directory that crossdev's package installs to.
    fn crossdevs_directory(&self) -> PathBuf {
        below(&self.config.broot, "usr/bin")
    }
}

/// Refuses what could not be done, before anything is.
fn check(steps: &[AdoptStep]) -> Result<(), AdoptError> {
    let directories: BTreeSet<&Path> = steps
        .iter()
        .filter_map(|step| step.path().parent())
        .collect();
    for directory in directories {
        // What is not there yet is made by the first step that needs it.
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
