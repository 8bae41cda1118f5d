//! `crossmerge site-cache learn`: runs a configure script with its tests, and keeps their results as the target's own
//! answers.
//!
//! The script runs twice at the same time, in separate directories: once as in a cross build without answers, and once
//! with programs of the target running. Of the variables that tests with a program set ([`scan`]), those are kept that
//! differ and have no answer yet. The user's source directory is only read. `learn/keep.rs` writes the answers.

mod error;
mod keep;

use super::{
    data::{About, Answers, LEARNED, Origin},
    render::MAYBE,
};
use crate::{
    context::Context,
    qemu::{self, private},
    terminal::{COLUMN, Column, Progress, table},
};
use crossmerge_autoconf::{
    cache,
    scan::{self, ScriptHost, without_guess},
};
use crossmerge_plan::{
    env,
    plan::{Change, Plan, step::Step},
    report,
};
use crossmerge_system::{
    exec,
    file::{self, Identity, read},
};
pub use error::LearnError;
use keep::NewAnswer;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    process::Output,
    rc::Rc,
};

/// How many lines of configure's output are shown if it fails.
const TAIL: usize = 8;

/// The result of a test, and the script's guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedValue {
    /// The variable.
    pub variable: String,
    /// Its value in a cross build without answers; `None` if it is unset, or the script stopped.
    pub guess: Option<String>,
    /// Its value from running the test.
    pub value: String,
}

/// A result that contradicts an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The result.
    pub found: LearnedValue,
    /// The value of the answer; `None` if a user disabled it.
    pub answer: Option<String>,
    /// The layer or file of the answer.
    pub by: String,
    /// What the answer depends on, if it is the target machine, on which a run under QEMU has no bearing.
    pub about: Option<About>,
}

/// The result of `learn`.
#[derive(Debug, Default)]
pub struct LearnReport {
    /// The package of the script.
    pub package: String,
    /// How many tests ran a program.
    pub asked: usize,
    /// How many guesses were right.
    pub right: usize,
    /// New answers.
    pub learned: Vec<LearnedValue>,
    /// Results that equal an existing answer.
    pub answered: Vec<LearnedValue>,
    /// Results that contradict an answer, which stays.
    pub conflicts: Vec<Conflict>,
    /// Whether the script stops in a cross build without answers.
    pub stops: bool,
    /// The file, and whether it was written.
    pub file: (PathBuf, bool),
}

/// Runs the configure script of a plan of `<tuple>-configure`, and keeps the results of its tests. A dry run writes
/// nothing.
pub fn learn(context: &Context, plan: Plan, dry_run: bool) -> Result<LearnReport, LearnError> {
    let script = fs_err::canonicalize(&plan.program).map_err(LearnError::Directory)?;
    let host = ScriptHost::of(&context.tuple);
    let (own, _) = scan::read(&script, &host)?;
    let answers = Answers::of(context)?;
    let runner = ConfigureRunner::new(context, plan, script)?;
    let (cross, with_tests) = runner.run(context)?;
    let package = own
        .package
        .unwrap_or_else(|| runner.script.display().to_string());
    let mut report = LearnReport {
        package,
        stops: cross.is_none(),
        ..LearnReport::default()
    };
    for (variable, (default, text)) in runner.tests(&host)? {
        let Some(value) = with_tests
            .get(&variable)
            .filter(|_| is_learnable(&variable))
        else {
            continue;
        };
        if value.contains(char::is_control) {
            continue;
        }
        report.asked += 1;
        let guess = match &cross {
            Some(cross) => cross.get(&variable).cloned(),
            None => default.value().map(Into::into),
        };
        let found = LearnedValue {
            variable,
            guess,
            value: value.clone(),
        };
        judge(found, &answers, &text, &mut report);
    }
    let file = context.state_directory().join(LEARNED);
    let writes = !dry_run && !report.learned.is_empty();
    if writes {
        let note = runner.provenance();
        let kept = report.learned.iter().map(|found| NewAnswer {
            variable: &found.variable,
            value: &found.value,
            asker: &report.package,
            note: &note,
        });
        keep::add(&file, context.tuple.as_str(), &kept.collect::<Vec<_>>())?;
    }
    report.file = (file, writes);
    if !report.learned.is_empty() {
        let sysroot = runner.sysroot.display();
        report::note(&format!(
            "the results of tests depend on the content of `{sysroot}`: for example, without locales and gconv modules iconv seems not to work"
        ));
    }
    Ok(report)
}

/// Removes the learned answers for variables, or all if `variables` is empty. Returns the names.
pub fn forget(context: &Context, variables: &[String]) -> Result<Vec<String>, LearnError> {
    keep::remove(&context.state_directory().join(LEARNED), variables)
}

/// Adds a result to the list of the report to which it belongs.
fn judge(found: LearnedValue, answers: &Answers, script: &str, report: &mut LearnReport) {
    let is_same =
        |other: Option<&str>| other.map(without_guess) == Some(without_guess(&found.value));
    let known = answers.about(&found.variable).last();
    // An answer that was not confirmed is ignored.
    let known = known.filter(|known| known.is_verified());
    match known {
        Some(known) if is_same(known.value_for(script)) => report.answered.push(found),
        // Learned answers are kept by name, but this name has several tests.
        Some(known) if known.is_conditional() && known.value_for(script).is_none() => {
            report.conflicts.push(Conflict {
                answer: None,
                by: format!("{}, which has other tests under this name", known.layer),
                about: known.about,
                found,
            });
        }
        // A learned answer does not conflict: the new result replaces it.
        Some(known) if !matches!(known.origin, Origin::Learned(_)) => {
            let by = match &known.origin {
                Origin::User(file) => file.display().to_string(),
                Origin::BuiltIn | Origin::Learned(_) => known.layer.to_string(),
            };
            report.conflicts.push(Conflict {
                answer: known.value_for(script).map(Into::into),
                by,
                about: known.about,
                found,
            });
        }
        _ if is_same(found.guess.as_deref()) => report.right += 1,
        _ => report.learned.push(found),
    }
}

/// Returns whether results of a variable are kept: not those of sizes, alignments, programs and paths.
fn is_learnable(variable: &str) -> bool {
    const NEVER: [&str; 8] = [
        "_cv_sizeof_",
        "_cv_alignof_",
        "_cv_prog_",
        "_cv_path_",
        "_cv_env_",
        "_cv_c_bigendian",
        "_cv_build",
        "_cv_host",
    ];
    !NEVER.iter().any(|part| variable.contains(part))
}

impl LearnReport {
    /// Returns the report for a user.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let package = &self.package;
        let _ = writeln!(
            text,
            "{package}: {} tests ran a program; {} guesses were right",
            self.asked, self.right
        );
        if self.stops {
            let _ = writeln!(text, "in a plain cross build its configure script stops");
        }
        let rows = |found: &[LearnedValue]| {
            let row = |found: &LearnedValue| {
                let guess = found.guess.clone().unwrap_or_else(|| "-".into());
                [
                    found.variable.to_string(),
                    guess,
                    shown(&found.value).into(),
                ]
            };
            let value = Column {
                separator: " -> ",
                ..COLUMN
            };
            let rows: Vec<_> = found.iter().map(row).collect();
            table([COLUMN, COLUMN, value], &rows)
        };
        let (file, written) = &self.file;
        if !self.learned.is_empty() {
            let verb = if *written { "learned" } else { "would learn" };
            let _ = writeln!(text, "{verb}, for {}:", file.display());
            text += &rows(&self.learned);
        }
        if !self.answered.is_empty() {
            let _ = writeln!(text, "answered already:");
            text += &rows(&self.answered);
        }
        if !self.conflicts.is_empty() {
            let _ = writeln!(
                text,
                "in conflict with an answer, which stays; your own answer in site-cache/<tuple>.toml would override it:"
            );
        }
        for conflict in &self.conflicts {
            let answer = conflict.answer.as_deref().map_or("no answer", shown);
            let machine = match conflict.about {
                Some(About::Kernel) => "; it depends on the target's kernel, not the host's",
                Some(About::Filesystem) => {
                    "; it depends on the target's file system, not the host's"
                }
                None => "",
            };
            let found = &conflict.found;
            let _ = writeln!(
                text,
                "  {}  found {}, {answer} by {}{machine}",
                found.variable,
                shown(&found.value),
                conflict.by
            );
        }
        text
    }

    /// Returns the report as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        let found = |found: &LearnedValue| {
            serde_json::json!({
                "variable": found.variable,
                "guess": found.guess,
                "value": found.value,
            })
        };
        let conflicts = self.conflicts.iter().map(|conflict| {
            let mut json = found(&conflict.found);
            json["said"] = conflict.answer.clone().into();
            json["by"] = conflict.by.clone().into();
            json
        });
        serde_json::json!({
            "package": self.package,
            "asked": self.asked,
            "right": self.right,
            "stops": self.stops,
            "file": self.file.0.to_string_lossy(),
            "written": self.file.1,
            "conflicts": conflicts.collect::<Vec<_>>(),
            "learned": self.learned.iter().map(found).collect::<Vec<_>>(),
            "answered": self.answered.iter().map(found).collect::<Vec<_>>(),
        })
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "''" } else { value }
}

/// The directories in which a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunDirectory {
    /// Empty directories.
    OutOfTree,
    /// Copies of the source directory.
    Copies,
}

/// The two runs of a configure script.
struct ConfigureRunner {
    /// The plan of `<tuple>-configure`.
    plan: Plan,
    script: PathBuf,
    source: PathBuf,
    /// The steps after which programs of the target run.
    steps: Vec<Step>,
    /// The directory with their libraries.
    sysroot: PathBuf,
    /// The emulator's name and version; `None` if the kernel runs the programs itself.
    emulator: Option<String>,
    libc: Option<&'static str>,
}

/// The variables of a cache file.
type CacheVariables = BTreeMap<String, String>;

impl ConfigureRunner {
    fn new(context: &Context, mut plan: Plan, script: PathBuf) -> Result<Self, LearnError> {
        let source = script.parent().unwrap_or(Path::new("/")).to_owned();
        let target = context.target()?;
        let steps = private::tried_steps(context)?;
        private::try_steps(context, &steps)?;
        let emulator = match steps.is_empty() {
            true => None,
            false => target.qemu.and_then(|qemu| version(context, &qemu)),
        };
        if let Some(choice) = plan.choice.take()
            && let Some(first) = choice.alternatives.into_iter().next()
        {
            plan = first.plan;
        }
        // Answers would prevent the tests from running.
        plan.files.clear();
        plan.enter.clear();
        Ok(Self {
            plan,
            script,
            source,
            steps,
            sysroot: context.sysroot(),
            emulator,
            libc: target.elibc,
        })
    }

    /// Returns what the results depend on, as a note beside the answers.
    fn provenance(&self) -> String {
        let parts = [
            Some(keep::today()),
            self.emulator.clone(),
            self.libc.map(Into::into),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(", ")
    }

    /// Returns the tests of the script and of scripts below it, which it may call: the default of each, and the text of
    /// its script.
    fn tests(
        &self,
        host: &ScriptHost,
    ) -> Result<BTreeMap<String, (scan::CrossDefault, Rc<str>)>, LearnError> {
        let mut tests = BTreeMap::new();
        let scripts = scan::scripts(&self.source, true)?;
        for script in [&self.script].into_iter().chain(&scripts) {
            let Ok((scan, text)) = scan::read(script, host) else {
                continue;
            };
            let text: Rc<str> = text.into();
            for test in scan.tests {
                let entry = tests.entry(test.variable);
                entry.or_insert_with(|| (test.default, Rc::clone(&text)));
            }
        }
        Ok(tests)
    }

    /// Returns the caches of both runs, first that without tests, which is `None` if the script stopped.
    fn run(
        &self,
        context: &Context,
    ) -> Result<(Option<CacheVariables>, CacheVariables), LearnError> {
        // Automake's scripts refuse to run if the source directory itself is configured.
        let first = match self.source.join("config.status").exists() {
            true => RunDirectory::Copies,
            false => RunDirectory::OutOfTree,
        };
        match self.run_in(context, first) {
            Err(LearnError::Failed { .. }) if first == RunDirectory::OutOfTree => {
                report::note(
                    "configure failed outside its source directory; it is run again in copies of that directory",
                );
                self.run_in(context, RunDirectory::Copies)
            }
            result => result,
        }
    }

    fn run_in(
        &self,
        context: &Context,
        kind: RunDirectory,
    ) -> Result<(Option<CacheVariables>, CacheVariables), LearnError> {
        let work = file::temporary().map_err(LearnError::Directory)?;
        let own = work.path().metadata().map(|own| Identity::of(&own));
        let own = own.map_err(LearnError::Directory)?;
        let cross = self.prepared(&work.path().join("cross"), kind, "", own)?;
        let mut with_tests = self.prepared(&work.path().join("tests"), kind, MAYBE, own)?;
        with_tests.enter.splice(..0, self.steps.iter().cloned());
        let libraries = Change::Set(self.sysroot.clone().into());
        with_tests
            .env
            .insert(env::QEMU_LD_PREFIX.name.into(), libraries);
        // Without steps, the host's CPU runs them.
        if !self.steps.is_empty() {
            with_tests.env.extend(qemu::set_env(context, &self.sysroot));
        }
        let progress = Progress::waiting("running configure twice");
        let mut outputs = exec::query(&[cross, with_tests])?.into_iter();
        drop(progress);
        let cross = outputs.next().filter(|output| output.status.success());
        let with_tests = outputs.next();
        let cache = |name: &str| {
            let file = work.path().join(name).join("crossmerge.cache");
            let text = read::read(&file, read::CONFIGURE).map_err(LearnError::Directory)?;
            Ok::<_, LearnError>(cache::parse(&String::from_utf8_lossy(&text)))
        };
        let log = work.path().join("tests/build/config.log");
        match with_tests {
            Some(output) if !output.status.success() => Err(LearnError::Failed {
                tail: tail(&output),
                log: self.keep_log(context, &log),
            }),
            Some(output) if still_cross(&output) => Err(LearnError::StillCross {
                log: self.keep_log(context, &log),
            }),
            _ => Ok((cross.map(|_| cache("cross")).transpose()?, cache("tests")?)),
        }
    }

    /// Returns the plan of one run in its own directory. `work` contains all of these directories.
    fn prepared(
        &self,
        directory: &Path,
        kind: RunDirectory,
        site: &str,
        work: Identity,
    ) -> Result<Plan, LearnError> {
        let build = directory.join("build");
        fs_err::create_dir(directory).map_err(LearnError::Directory)?;
        let script = match kind {
            RunDirectory::OutOfTree => {
                fs_err::create_dir(&build).map_err(LearnError::Directory)?;
                self.script.clone()
            }
            RunDirectory::Copies => {
                copy(&self.source, &build, work).map_err(LearnError::Directory)?;
                build.join(self.script.file_name().unwrap_or_default())
            }
        };
        let site_file = directory.join("config.site");
        fs_err::write(&site_file, site).map_err(LearnError::Directory)?;
        let mut cache_file = OsString::from("--cache-file=");
        cache_file.push(directory.join("crossmerge.cache"));
        let mut plan = self.plan.clone();
        plan.env
            .insert(env::CONFIG_SITE.name.into(), Change::Set(site_file.into()));
        plan.program = script;
        plan.args.push(cache_file);
        plan.enter.push(Step::Directory { path: build });
        Ok(plan)
    }

    /// Copies the log, which would be deleted with its directory.
    fn keep_log(&self, context: &Context, log: &Path) -> Option<PathBuf> {
        let kept = context.state_directory().join("learn.log");
        let text = read::read(log, read::CONFIGURE).ok()?;
        file::put(&kept, &text).ok()?;
        Some(kept)
    }
}

/// Returns the first words of QEMU's version, such as `qemu-arm version 7.2.17`.
fn version(context: &Context, qemu: &str) -> Option<String> {
    let program = qemu::programs(&context.env, qemu).into_iter().next()?;
    let plan = Plan {
        program,
        args: vec!["--version".into()],
        ..Plan::default()
    };
    let output = exec::ask(&plan).ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    Some(words.join(" "))
}

/// Returns the last lines of a program's output.
fn tail(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&both);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Returns whether configure reported that it cannot run programs. Every Autoconf since 2.13 reports it.
fn still_cross(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with("checking whether") && line.contains("cross"));
    lines.any(|line| line.ends_with("... yes"))
}

/// Copies a directory tree. Symlinks stay symlinks, and files keep their times, since a script may check which is
/// newer. The directory `work`, in which the copies are created, is skipped: TMPDIR may be in the source directory.
fn copy(from: &Path, to: &Path, work: Identity) -> io::Result<()> {
    fs_err::create_dir(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            if Identity::of(&entry.metadata()?) != work {
                copy(&entry.path(), &path, work)?;
            }
        } else if kind.is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(entry.path())?, &path)?;
        } else if kind.is_file() {
            fs_err::copy(entry.path(), &path)?;
            let modified = entry.metadata()?.modified()?;
            fs_err::File::open(&path)?
                .into_file()
                .set_modified(modified)?;
        }
    }
    Ok(())
}
