//! Runs the steps of a toolchain that are left, records each, and ends with the first failure.

use super::{
    cause::{self, Cause, ConfigLog, Ended, Evidence},
    change,
    error::ToolchainError,
    link,
    record::{StepRecord, StepState, ToolchainRecord},
    unfinished,
    work::ToolchainWork,
};
use crate::{
    config::Config,
    context::Context,
    distribution::Distribution,
    steps::{Progress, open_log},
};
use crossmerge_plan::{
    env,
    plan::{Change as Variable, Plan},
    report,
    shown::Show,
};
use crossmerge_system::{
    exec::{self, Interrupts, Job, wait_for},
    file::{self, Directory, read},
};
use nix::{fcntl::Flock, sys::signal::Signal};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::{fd::AsFd, unix::process::ExitStatusExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

/// How long emerge may take to end in order.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// How often the progress is printed.
const REFRESH: Duration = Duration::from_millis(500);

/// Portage's marker of a build whose configure script has succeeded.
const CONFIGURED: &str = ".configured";

/// The directory of a package's sources and outputs within its build directory.
const WORK: &str = "work";

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All steps are done.
    Done,
    /// Portage refused the packages: they are masked, or their dependencies cannot be installed. Nothing was built, and
    /// the files are as they were.
    Refused(Box<Failure>),
    /// A step failed.
    Failed(Box<Failure>),
    /// A signal interrupted the run.
    Interrupted(Signal),
}

/// A step that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The step for the user.
    pub(crate) title: String,
    pub(crate) elapsed: Duration,
    pub(crate) log: PathBuf,
    pub(crate) cause: Option<Cause>,
}

/// A step that runs.
struct Running {
    place: usize,
    job: Job,
    begun: Instant,
    /// Whether it goes on with a build that was interrupted.
    goes_on: bool,
    /// The size of the log that earlier attempts have written.
    log_begin: u64,
    oom_kills: Option<u64>,
}

/// A toolchain's lock, and everything that a run needs.
struct Run<'a> {
    context: &'a Context,
    work: &'a mut ToolchainWork,
    record: ToolchainRecord,
    lock: &'a Flock<File>,
    verbose: bool,
}

/// Takes the lock of a category. A waiting run prints which process holds it.
pub(crate) fn lock(config: &Config, category: &str) -> Result<Flock<File>, ToolchainError> {
    let directory = ToolchainRecord::directory(config);
    let path = directory.join(format!("{category}.lock"));
    Ok(file::take(&path, Path::new(category), &mut Vec::new())?)
}

/// Writes the files, and runs the steps that are left. The caller holds the lock.
pub(crate) fn run(
    context: &Context,
    work: &mut ToolchainWork,
    lock: &Flock<File>,
    verbose: bool,
) -> Result<Outcome, ToolchainError> {
    let mut run = Run::new(context, work, lock, verbose);
    run.write_files()?;
    if let Some(failure) = run.resolve()? {
        run.undo_files()?;
        return Ok(Outcome::Refused(Box::new(failure)));
    }
    run.steps()
}

/// Writes the record and the files, and runs no step.
pub(crate) fn write_files(
    context: &Context,
    work: &mut ToolchainWork,
    lock: &Flock<File>,
) -> Result<(), ToolchainError> {
    Run::new(context, work, lock, false).write_files()
}

impl<'a> Run<'a> {
    fn new(
        context: &'a Context,
        work: &'a mut ToolchainWork,
        lock: &'a Flock<File>,
        verbose: bool,
    ) -> Self {
        Self {
            record: work.record_of_changes(),
            context,
            work,
            lock,
            verbose,
        }
    }

    fn write_files(&mut self) -> Result<(), ToolchainError> {
        let steps = self.work.plan.steps.iter();
        let known = |name: &str| self.work.record.step(name).cloned();
        self.record.step = steps
            .map(|step| {
                let known = known(&step.name);
                known.unwrap_or_else(|| StepRecord {
                    name: step.name.clone(),
                    log: step.log.clone(),
                    ..StepRecord::default()
                })
            })
            .collect();
        if self.record != self.work.record {
            self.save()?;
        }
        change::apply(&self.work.changes)?;
        for change in &self.work.changes {
            if change.action == change::Action::Keep {
                let path = change.path.shown();
                report::note(&format!("`{path}` was edited, and stays as it is"));
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<(), ToolchainError> {
        self.record.write(&self.work.record_path)
    }

    /// Runs the steps, each as soon as those that it needs are done.
    fn steps(&mut self) -> Result<Outcome, ToolchainError> {
        let interrupts = Interrupts::new()?;
        let all = self.work.plan.steps.len();
        let mut progress = Progress::new(self.verbose);
        let mut running: Vec<Running> = Vec::new();
        loop {
            for place in 0..all {
                let runs = running.iter().any(|one| one.place == place);
                let needs = self.work.needs(place);
                let is_ready = needs.iter().all(|need| self.work.done[*need]);
                if !self.work.done[place] && !runs && is_ready {
                    link::check(self.work, place)?;
                    running.push(self.start(place)?);
                    let log = &self.work.plan.steps[place].log;
                    let number = format!("{}/{all}", place + 1);
                    let before = self.record.step[place].estimate();
                    progress.begin(place, &number, &self.work.title(place), log, before);
                }
            }
            if running.is_empty() {
                return Ok(Outcome::Done);
            }
            let fds = running
                .iter()
                .map(|one| one.job.fd())
                .chain([interrupts.fd()]);
            wait_for(&fds.collect::<Vec<_>>(), Some(REFRESH))?;
            if let Some(signal) = interrupts.next() {
                progress.interrupt();
                for one in running {
                    one.job.stop(GRACE)?;
                }
                return Ok(Outcome::Interrupted(signal));
            }
            progress.refresh();
            let mut place = 0;
            while place < running.len() {
                match running[place].job.try_wait()? {
                    None => place += 1,
                    Some(status) => {
                        let ended = running.remove(place);
                        let is_done = self.end(&ended, status)?;
                        progress.end(ended.place, is_done);
                        // It begins again, without binary packages.
                        if is_done && !self.work.done[ended.place] {
                            continue;
                        }
                        if !is_done {
                            let failure = self.failure(&ended, status);
                            for one in running {
                                one.job.stop(GRACE)?;
                            }
                            return Ok(Outcome::Failed(Box::new(failure)));
                        }
                    }
                }
            }
        }
    }

    /// Starts a step.
    fn start(&mut self, place: usize) -> Result<Running, ToolchainError> {
        let step = self.work.plan.steps[place].clone();
        let goes_on = self.can_go_on(place);
        let mut plan = self.work.command(place);
        let installed = self.work.machine.installed(&step.package);
        if goes_on {
            let features = format!("{} keepwork", step.environment["FEATURES"]);
            let variable = env::FEATURES.name.into();
            plan.env.insert(variable, Variable::Set(features.into()));
            let outputs = self.build_directory(place).join(WORK);
            unfinished::remove(&outputs).map_err(|source| ToolchainError::Write {
                path: outputs,
                source,
            })?;
        }
        let directory = step.log.parent().unwrap_or(Path::new("/"));
        Directory::make(directory, &mut Vec::new())?;
        let record = &mut self.record.step[place];
        *record = StepRecord {
            state: StepState::Begun,
            inputs: self.work.inputs[place].clone(),
            environment: self.work.environments[place].clone(),
            build_time: installed.map_or(0, |installed| installed.build_time),
            version: self.work.versions[place].clone(),
            log: step.log.clone(),
            ..record.clone()
        };
        self.save()?;
        let log = open_log(&step.log, goes_on).map_err(|source| ToolchainError::Write {
            path: step.log.clone(),
            source,
        })?;
        let log_begin = log.metadata().map_or(0, |log| log.len());
        Ok(Running {
            place,
            job: Job::start(&plan, &self.context.env, &log, &[self.lock.as_fd()])?,
            begun: Instant::now(),
            goes_on,
            log_begin,
            oom_kills: cause::oom_kills(),
        })
    }

    /// Returns the directory in which a step's package is built.
    fn build_directory(&self, place: usize) -> PathBuf {
        let step = &self.work.plan.steps[place];
        let category = self.work.plan.request.category();
        let name = format!("{}-{}", step.package, self.work.versions[place]);
        self.work.machine.builds.join(category).join(name)
    }

    /// Returns whether a step was interrupted when it compiled, and nothing that it depends on has changed: then Portage
    /// keeps the compiled files.
    fn can_go_on(&self, place: usize) -> bool {
        let step = &self.work.plan.steps[place];
        let recorded = self.work.record.step(&step.name);
        let begun = recorded.is_some_and(|recorded| {
            matches!(recorded.state, StepState::Begun | StepState::Failed)
                && recorded.inputs == self.work.inputs[place]
        });
        // A later step of the same package would have replaced the directory.
        let others = self
            .work
            .plan
            .steps
            .iter()
            .filter(|other| other.package == step.package);
        let is_last_begun = others.filter(|other| other.name != step.name).all(|other| {
            let recorded = self.work.record.step(&other.name);
            recorded.is_none_or(|recorded| {
                !matches!(recorded.state, StepState::Begun | StepState::Failed)
            })
        });
        let configured = self.build_directory(place).join(CONFIGURED);
        begun && is_last_begun && is_newer(&configured, &self.eclasses(place))
    }

    /// Returns the directories of the eclasses that a step's ebuild may inherit.
    fn eclasses(&self, place: usize) -> Vec<PathBuf> {
        let package = &self.work.plan.steps[place].package;
        let mut parts = self.work.plan.parts.iter().zip(&self.work.plan.sources);
        let source = parts.find(|(part, _)| part.package.name == *package);
        let own = source.and_then(|(_, directory)| directory.ancestors().nth(2));
        let roots = own.into_iter().chain([&*self.work.machine.host.main.path]);
        roots.map(|root| root.join("eclass")).collect()
    }

    /// Records the end of a step. Returns whether it has succeeded. It is done then, unless it has to begin again.
    fn end(&mut self, ended: &Running, status: ExitStatus) -> Result<bool, ToolchainError> {
        let place = ended.place;
        let step = self.work.plan.steps[place].clone();
        let installed = self.work.machine.installed(&step.package);
        let is_installed = status.success() && installed.is_some();
        let is_first = is_installed && self.work.has_first_compiler(place);
        if is_first && self.work.from_source.insert(place) {
            let title = self.work.title(place);
            report::note(&format!(
                "{title}: Portage has taken a binary package of the first compiler, so it is built again"
            ));
            self.record.step[place].state = StepState::Waiting;
            self.save()?;
            return Ok(true);
        }
        let is_done = is_installed;
        if is_done && ended.goes_on {
            self.clean(place);
        }
        let record = &mut self.record.step[place];
        record.state = match is_done {
            true => StepState::Done,
            false => StepState::Failed,
        };
        if let (true, Some(installed)) = (is_done, installed) {
            // The time of a step is that of a whole build, for the estimate of the next one.
            let is_built = record.build_time != installed.build_time;
            record.version = installed.version;
            record.build_time = installed.build_time;
            if is_built && !ended.goes_on {
                record.seconds = ended.begun.elapsed().as_secs();
                record.log_bytes = fs::metadata(&step.log).map_or(0, |log| log.len());
            }
            self.work.done[place] = true;
            self.end_repetitions(place);
        }
        self.save()?;
        Ok(is_done)
    }

    /// Records the later steps that would build the same as a step that is done. crossdev's plans with the headers first
    /// have those of the kernel twice.
    fn end_repetitions(&mut self, place: usize) {
        for later in place + 1..self.work.plan.steps.len() {
            if self.work.inputs[later] == self.work.inputs[place] {
                self.record.step[later] = StepRecord {
                    name: self.record.step[later].name.clone(),
                    ..self.record.step[place].clone()
                };
                self.work.done[later] = true;
            }
        }
    }

    /// Removes the directory that FEATURES=keepwork has left.
    fn clean(&self, place: usize) {
        let step = &self.work.plan.steps[place];
        let overlay = &self.work.plan.overlay.repository.path;
        let name = format!("{}-{}.ebuild", step.package, self.work.versions[place]);
        let ebuild = overlay.join(&step.atom).join(name);
        let program = self.work.machine.emerge.with_file_name("ebuild");
        let plan = Plan {
            program,
            args: vec![ebuild.into(), "clean".into()],
            ..Plan::default()
        };
        // The toolchain is complete without it.
        if let Err(why) = exec::ask(&plan) {
            report::note(&format!(
                "the build directory of {} stays: {why}",
                step.package
            ));
        }
    }

    /// Asks Portage whether it can build the packages that are left. Returns why not.
    fn resolve(&self) -> Result<Option<Failure>, ToolchainError> {
        let steps = self.work.plan.steps.iter().zip(&self.work.done);
        let left: BTreeSet<&str> = steps
            .filter(|(_, is_done)| !**is_done)
            .map(|(step, _)| step.atom.as_str())
            .collect();
        let Some(first) = self.work.done.iter().position(|is_done| !is_done) else {
            return Ok(None);
        };
        let mut plan = self.work.command(first);
        // USE of the environment would be that of one step. The flags of all are in package.use.
        plan.env.remove(OsStr::new(env::USE.name));
        let options = self
            .work
            .plan
            .request
            .emerge_options
            .iter()
            .map(String::as_str);
        let words = ["--pretend", "--color=n"]
            .into_iter()
            .chain(options)
            .chain(left);
        plan.args = words.map(Into::into).collect();
        let begun = Instant::now();
        let output = exec::ask(&plan)?;
        if output.status.success() {
            return Ok(None);
        }
        let category = self.work.plan.request.category();
        let log = self
            .work
            .machine
            .host
            .logs
            .join(format!("{category}-pretend.log"));
        let directory = log.parent().unwrap_or(Path::new("/"));
        Directory::make(directory, &mut Vec::new())?;
        let text = [output.stdout, output.stderr].concat();
        file::put(&log, &text).map_err(|source| ToolchainError::Write {
            path: log.clone(),
            source,
        })?;
        Ok(Some(Failure {
            title: category,
            elapsed: begun.elapsed(),
            cause: self.cause((&log, 0), output.status, &[], None),
            log,
        }))
    }

    /// Undoes [`Self::write_files`].
    fn undo_files(&self) -> Result<(), ToolchainError> {
        change::undo(&self.work.changes)?;
        match self.work.record.step.is_empty() && self.work.record.file.is_empty() {
            false => self.work.record.write(&self.work.record_path),
            true => file::remove(&self.work.record_path).map_err(|source| ToolchainError::Write {
                path: self.work.record_path.clone(),
                source,
            }),
        }
    }

    /// Collects what is known about a failed step.
    fn failure(&self, ended: &Running, status: ExitStatus) -> Failure {
        let step = &self.work.plan.steps[ended.place];
        let temporary = self.work.machine.builds.parent().unwrap_or(Path::new("/"));
        let category = self.work.plan.request.category();
        let config_logs = cause::config_logs(temporary, &category, &step.package);
        Failure {
            title: self.work.title(ended.place),
            elapsed: ended.begun.elapsed(),
            cause: self.cause(
                (&step.log, ended.log_begin),
                status,
                &config_logs,
                ended.oom_kills,
            ),
            log: step.log.clone(),
        }
    }

    /// Finds the cause of a failure in a log, after the bytes that earlier attempts have written.
    fn cause(
        &self,
        (log, log_begin): (&Path, u64),
        status: ExitStatus,
        config_logs: &[ConfigLog],
        oom_kills: Option<u64>,
    ) -> Option<Cause> {
        let temporary = self.work.machine.builds.parent().unwrap_or(Path::new("/"));
        let distribution = Distribution::here();
        let evidence = Evidence {
            tuple: self.work.plan.request.tuple.as_str(),
            ended: match (status.code(), status.signal()) {
                (Some(code), _) => Ended::Code(code),
                (None, signal) => Ended::Signal(signal.unwrap_or_default()),
            },
            log_begin,
            config_logs,
            open: &|path: &Path| {
                let file: Box<dyn BufRead> = Box::new(BufReader::new(read::open_regular(path)?));
                Ok(file)
            },
            machine: &cause::Machine::read(&self.work.machine.host.settings, temporary, oom_kills),
            install: &|program: &str| distribution.install(program),
        };
        let log = read::open_regular(log).map(BufReader::new).ok()?;
        cause::find(log, &evidence).ok().flatten()
    }
}

/// Returns whether a file exists, and no file in these directories was changed after it.
fn is_newer(path: &Path, directories: &[PathBuf]) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let Ok(made) = time(path) else {
        return false;
    };
    let entries = directories
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok());
    let mut files = entries.flatten().flatten();
    files.all(|file| time(&file.path()).is_ok_and(|changed| changed <= made))
}
