//! `crossmerge site-cache learn`: what a configure script finds out when it can run its tests, kept as the target's own answers.
//!
//! The script runs twice, beside each other, in directories of their own: once as in any cross build with nobody to answer, once with
//! programs of the target running. Of the variables that tests with a program decide, by what [`scan`] finds, those are kept that
//! came out differently and that nothing answers yet. The person's source directory is only read. Next comes `learn/keep.rs`, which
//! writes them down.

mod error;
mod keep;

use super::{
    data::{About, Answers, LEARNED, Origin},
    render::MAYBE,
};
use crate::{context::Context, qemu, qemu::private, terminal::Progress};
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
    exec, file,
    file::{Identity, read},
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

/// How many lines of what configure said are shown when it failed.
const TAIL: usize = 8;

/// What a test found, and what the script would have taken for granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedValue {
    /// The variable.
    pub variable: String,
    /// Its value in a cross build with nobody to answer; none where it had none, or the script stopped.
    pub guess: Option<String>,
    /// Its value when the test ran.
    pub value: String,
}

/// A test that found something else than what is said to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What was found.
    pub found: LearnedValue,
    /// The value that is said; none where a user wants no answer.
    pub said: Option<String>,
    /// Who says so.
    pub by: String,
    /// It is about the target machine, of which a run under QEMU tells nothing.
    pub about: Option<About>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct LearnReport {
    /// What the script configures.
    pub package: String,
    /// How many tests ran a program.
    pub asked: usize,
    /// The tests whose guess was right.
    pub right: usize,
    /// What is new.
    pub learned: Vec<LearnedValue>,
    /// What was answered already, and rightly.
    pub answered: Vec<LearnedValue>,
    /// What contradicts an answer that stays.
    pub conflicts: Vec<Conflict>,
    /// The script did not come to its end in a plain cross build.
    pub stops: bool,
    /// The file, and whether it was written.
    pub file: (PathBuf, bool),
}

/// Runs the configure script of a plan of `<tuple>-configure`, and keeps what the script finds out. A dry run writes nothing.
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
            "what tests find rests on what `{sysroot}` has: without its locales and gconv modules, say, iconv seems not to work"
        ));
    }
    Ok(report)
}

/// Forgets what was learned of the variables; of all, when there are none. Gives their names.
pub fn forget(context: &Context, variables: &[String]) -> Result<Vec<String>, LearnError> {
    keep::remove(&context.state_directory().join(LEARNED), variables)
}

/// Sorts a finding to where it belongs.
fn judge(found: LearnedValue, answers: &Answers, script: &str, report: &mut LearnReport) {
    let is_same =
        |other: Option<&str>| other.map(without_guess) == Some(without_guess(&found.value));
    let said = answers.about(&found.variable).last();
    // What nobody saw, and is not given, is no answer.
    let said = said.filter(|said| said.is_verified());
    match said {
        Some(said) if is_same(said.value_for(script)) => report.answered.push(found),
        // What is learned is kept by name, and the name has other questions.
        Some(said) if said.is_conditional() && said.value_for(script).is_none() => {
            report.conflicts.push(Conflict {
                said: None,
                by: format!("{}, which knows other tests under this name", said.layer),
                about: said.about,
                found,
            });
        }
        // It was this command that said so; now it says something else.
        Some(said) if !matches!(said.origin, Origin::Learned(_)) => {
            let by = match &said.origin {
                Origin::User(file) => file.display().to_string(),
                Origin::BuiltIn | Origin::Learned(_) => said.layer.to_string(),
            };
            report.conflicts.push(Conflict {
                said: said.value_for(script).map(Into::into),
                by,
                about: said.about,
                found,
            });
        }
        _ if is_same(found.guess.as_deref()) => report.right += 1,
        _ => report.learned.push(found),
    }
}

/// Returns whether a variable is of the kind that answers are kept of: no size, no alignment, no program or path.
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
    /// The report for a user.
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
            let name = found.iter().map(|f| f.variable.len()).max().unwrap_or(0);
            let guess = |f: &LearnedValue| f.guess.clone().unwrap_or_else(|| "-".into());
            let guesses = found.iter().map(|f| guess(f).len()).max().unwrap_or(0);
            let row = |f: &LearnedValue| {
                format!(
                    "  {:name$}  {:guesses$} -> {}\n",
                    f.variable,
                    guess(f),
                    shown(&f.value)
                )
            };
            found.iter().map(row).collect::<String>()
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
                "in conflict with an answer, which stays; an answer of yours in site-cache/<tuple>.toml would win:"
            );
        }
        for conflict in &self.conflicts {
            let said = conflict.said.as_deref().map_or("no answer", shown);
            let machine = match conflict.about {
                Some(About::Kernel) => "; it is about the target's kernel, not about this one",
                Some(About::Filesystem) => {
                    "; it is about the target's file system, not about this one"
                }
                None => "",
            };
            let found = &conflict.found;
            let _ = writeln!(
                text,
                "  {}  found {}, {said} by {}{machine}",
                found.variable,
                shown(&found.value),
                conflict.by
            );
        }
        text
    }

    /// The report as data.
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
            json["said"] = conflict.said.clone().into();
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

/// Which directories a script runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunDirectory {
    /// Empty ones.
    OutOfTree,
    /// Copies of the source directory.
    Copies,
}

/// Runs the script twice.
struct ConfigureRunner {
    /// What `<tuple>-configure` would run.
    plan: Plan,
    script: PathBuf,
    source: PathBuf,
    /// What lets programs of the target run.
    steps: Vec<Step>,
    /// Where they find their libraries.
    sysroot: PathBuf,
    /// The emulator's own name and version; none where the kernel runs them.
    emulator: Option<String>,
    libc: Option<&'static str>,
}

/// The variables of a cache file.
type CacheVariables = BTreeMap<String, String>;

impl ConfigureRunner {
    fn new(context: &Context, mut plan: Plan, script: PathBuf) -> Result<Self, LearnError> {
        let source = script.parent().unwrap_or(Path::new("/")).to_owned();
        let target = context.target()?;
        let steps = private::steps(context)?;
        private::try_steps(context, &steps)?;
        let emulator = match steps.is_empty() {
            true => None,
            false => target.qemu.and_then(|qemu| version(context, &qemu)),
        };
        // What answers there are would keep the tests from being run.
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

    /// What the run rests on, for whoever reads the answers later.
    fn provenance(&self) -> String {
        let parts = [
            Some(keep::today()),
            self.emulator.clone(),
            self.libc.map(Into::into),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(", ")
    }

    /// The tests of the script and of those below it, which it may call: the default of each, and the text of its script.
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

    /// The caches of both runs, the plain one first; none for one that stopped.
    fn run(
        &self,
        context: &Context,
    ) -> Result<(Option<CacheVariables>, CacheVariables), LearnError> {
        // A source directory that is configured itself is refused by automake's scripts.
        let first = match self.source.join("config.status").exists() {
            true => RunDirectory::Copies,
            false => RunDirectory::OutOfTree,
        };
        match self.run_one_way(context, first) {
            Err(LearnError::Failed { .. }) if first == RunDirectory::OutOfTree => {
                report::note(
                    "configure failed outside of its source directory; it is run again in copies of it",
                );
                self.run_one_way(context, RunDirectory::Copies)
            }
            result => result,
        }
    }

    fn run_one_way(
        &self,
        context: &Context,
        way: RunDirectory,
    ) -> Result<(Option<CacheVariables>, CacheVariables), LearnError> {
        let work = file::temporary().map_err(LearnError::Directory)?;
        let own = work.path().metadata().map(|own| Identity::of(&own));
        let own = own.map_err(LearnError::Directory)?;
        let cross = self.prepared(&work.path().join("cross"), way, "", own)?;
        let mut with_tests = self.prepared(&work.path().join("tests"), way, MAYBE, own)?;
        with_tests.enter.splice(..0, self.steps.iter().cloned());
        let libraries = Change::Set(self.sysroot.clone().into());
        with_tests
            .env
            .insert(env::QEMU_LD_PREFIX.name.into(), libraries);
        // Without steps the host's own CPU runs them.
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

    /// The plan of one run in a directory of its own. `work` is what all of these are in.
    fn prepared(
        &self,
        directory: &Path,
        way: RunDirectory,
        site: &str,
        work: Identity,
    ) -> Result<Plan, LearnError> {
        let build = directory.join("build");
        fs_err::create_dir(directory).map_err(LearnError::Directory)?;
        let script = match way {
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

    /// Keeps a log that would go with its directory.
    fn keep_log(&self, context: &Context, log: &Path) -> Option<PathBuf> {
        let kept = context.state_directory().join("learn.log");
        let text = read::read(log, read::CONFIGURE).ok()?;
        file::put(&kept, &text).ok()?;
        Some(kept)
    }
}

/// The first words of what a QEMU says of itself: `qemu-arm version 7.2.17`.
fn version(context: &Context, qemu: &str) -> Option<String> {
    let program = qemu::programs(&context.env, qemu).into_iter().next()?;
    let plan = Plan {
        program,
        args: vec!["--version".into()],
        ..Plan::default()
    };
    let output = exec::query(&[plan]).ok()?.remove(0);
    let said = String::from_utf8_lossy(&output.stdout);
    let words: Vec<&str> = said.split_whitespace().take(3).collect();
    Some(words.join(" "))
}

/// The end of what a program said.
fn tail(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Returns whether configure said that it cannot run programs. Every autoconf since 2.13 says whether it can.
fn still_cross(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines = said
        .lines()
        .filter(|line| line.starts_with("checking whether") && line.contains("cross"));
    lines.any(|line| line.ends_with("... yes"))
}

/// Copies a directory with what is in it, links as links, with the times of the files: a script may ask which is newer. The directory that
/// the copies are made in is no part of them: TMPDIR may lie in the source directory.
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
