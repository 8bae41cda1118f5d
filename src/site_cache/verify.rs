//! `site-cache verify`: runs the probes with the target's own compiler and libc, and compares their output with the
//! answers.
//!
//! Every probe is compiled and run, natively or under the emulator that was found to work, in an empty directory and
//! with a time limit. `compare` then evaluates the results without access to the system.

use super::{
    data::{self, About, Answer, Answers},
    error::SiteCacheError,
};
use crate::{
    call::Call,
    context::Context,
    emulator::NoEmulator,
    export::ExportError,
    terminal::{COLUMN, Column, FIRST, Progress, table},
};
use crossmerge_plan::{glob, passes_on, report::Explain, tuple::Tuple};
use crossmerge_system::{
    exec::{
        ExecError,
        probe::{self, ProbeDirectory, RUN_LIMIT},
    },
    file,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The flags with which every probe is compiled, after the target's own flags; and the libraries with which it is
/// linked.
const FLAGS: [&str; 4] = ["-std=gnu17", "-O1", "-Wall", "-Wextra"];
const LIBRARIES: [&str; 2] = ["-lm", "-pthread"];

/// Results that are known to be wrong under QEMU.
const EXCEPTIONS: &str = include_str!("../../site-cache/probes/exceptions.toml");

/// Why the answers could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The answers could not be read.
    #[error(transparent)]
    SiteCache(#[from] SiteCacheError),
    /// The target's facts or compiler are not known.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The target's programs do not run on this host.
    #[error("the probes of `{tuple}` cannot run on this host: {why}")]
    NoEmulator {
        /// The target.
        tuple: Tuple,
        /// The reason.
        why: NoEmulator,
    },
    /// There is no such probe.
    #[error("there is no probe `{probe}`")]
    NoProbe {
        /// The name.
        probe: String,
        /// The target's tuple.
        tuple: String,
    },
    /// A temporary directory could not be used.
    #[error(transparent)]
    Directory(#[from] io::Error),
    /// The compiler or the emulator does not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl Explain for VerifyError {
    passes_on!(SiteCache, Export, Exec);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoEmulator { tuple, .. } => format!(
                "`crossmerge doctor {tuple}` shows the details; QEMU's user emulators and a libc in the sysroot are required"
            ),
            Self::NoProbe { tuple, .. } => {
                format!("`crossmerge site-cache list --all {tuple}` shows the names")
            }
            Self::Directory(e) => file::hint(e)
                .unwrap_or_else(|| "make room in TMPDIR, or set it to another directory".into()),
            _ => return None,
        })
    }
}

/// The result of one probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ProbeOutcome {
    /// The values that it printed, by variable.
    values: BTreeMap<String, String>,
    /// Why it printed no values, or not all.
    failure: Option<String>,
    /// The compiler's first warning.
    warning: Option<String>,
}

/// A result that is known to be wrong under QEMU.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// The probe.
    probe: String,
    /// The variables; empty for the whole probe, which fails.
    #[serde(default)]
    variables: Vec<String>,
    /// Globs on the tuple.
    tuples: Vec<String>,
    /// What QEMU does.
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// The result of checking one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The probe printed the same value.
    Confirmed,
    /// The probe printed another value.
    Differs {
        /// The value that it printed.
        here: String,
    },
    /// The probe does not compile, fails, or does not print the variable.
    Unmeasured {
        /// The reason.
        why: String,
    },
    /// QEMU is known to give a wrong result.
    Excepted {
        /// What QEMU does.
        reason: String,
    },
    /// There is no probe.
    Unverified,
}

/// An answer and the result of checking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedAnswer {
    /// The variable.
    pub name: String,
    /// The answer's value.
    pub shipped: String,
    /// Its layer.
    pub layer: String,
    /// The macro or package that runs the test.
    pub asker: Option<String>,
    /// The probe.
    pub probe: Option<String>,
    /// What it depends on, if it is not the libc: a run on this host then measures the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<&'static str>,
    /// The result of checking it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The results for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The target.
    pub tuple: String,
    /// The compiler.
    pub compiler: PathBuf,
    /// The emulator and its options; empty if the kernel runs the programs.
    pub emulator: Vec<String>,
    /// The answers, sorted by variable.
    pub answers: Vec<CheckedAnswer>,
    /// The values that probes printed for variables without an answer for this target.
    pub unanswered: BTreeMap<String, String>,
    /// The compiler's first warning, by probe.
    pub warnings: BTreeMap<String, String>,
    /// The file for a user's own answers for this target.
    #[serde(skip)]
    own_file: PathBuf,
}

/// Runs all probes, or those in `names`, and compares the results with the answers. `jobs` is how many run at once.
pub fn verify(
    context: &Context,
    names: &[String],
    jobs: usize,
) -> Result<VerifyReport, VerifyError> {
    let known = data::probes();
    if let Some(name) = names
        .iter()
        .find(|name| known.iter().all(|(probe, _)| probe != name))
    {
        return Err(VerifyError::NoProbe {
            probe: name.clone(),
            tuple: context.tuple.to_string(),
        });
    }
    let answers = Answers::of(context)?;
    let mut facts = Call::new(context).facts()?.clone();
    let compiler = facts.compiler()?.to_owned();
    if let Some(why) = facts.find_emulator(context) {
        let tuple = context.tuple.clone();
        return Err(VerifyError::NoEmulator { tuple, why });
    }
    let flags = facts.flags.without_build_type();
    let bench = ProbeRunner {
        compiler: &compiler,
        flags: &flags.words(&["CPPFLAGS", "CFLAGS", "LDFLAGS"]),
        emulator: facts
            .emulator
            .as_ref()
            .map_or(&[], |emulator| emulator.words()),
    };
    let wanted: Vec<_> = known
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name))
        .collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let progress = Progress::of("running probes", wanted.len());
    let work = || -> Result<(), VerifyError> {
        while let Some((name, source)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = bench.run(source)?;
            let mut outcomes = outcomes.lock().expect("no other thread panics");
            outcomes.insert((*name).to_owned(), outcome);
            progress.step();
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let mut ends = threads.into_iter();
        ends.try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let outcomes = outcomes.into_inner().expect("no other thread panics");
    let emulator: Vec<String> = bench
        .emulator
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let exceptions: Exceptions = toml::from_str(EXCEPTIONS).expect("a test reads it");
    let applying: Vec<&Exception> = exceptions
        .exception
        .iter()
        .filter(|exception| !emulator.is_empty() && exception.fits(&context.tuple))
        .collect();
    let own_file = format!("{}/{}.toml", data::DIRECTORY, context.tuple);
    let (answers, unanswered) = compare(&answers, &outcomes, &applying);
    Ok(VerifyReport {
        tuple: context.tuple.to_string(),
        own_file: context.config.own_directory().join(own_file),
        compiler,
        emulator,
        answers,
        unanswered,
        warnings: outcomes
            .into_iter()
            .filter_map(|(name, outcome)| Some((name, outcome.warning?)))
            .collect(),
    })
}

/// The compiler and the emulator for the probes.
struct ProbeRunner<'a> {
    compiler: &'a Path,
    flags: &'a str,
    emulator: &'a [OsString],
}

impl ProbeRunner<'_> {
    /// Compiles a probe and runs it in an empty directory.
    fn run(&self, source: &str) -> Result<ProbeOutcome, VerifyError> {
        let probes = ProbeDirectory::new()?;
        let (file, program) = (probes.source("probe.c", source)?, probes.join("probe"));
        let mut compile = probe::compiling(self.compiler, &file, &program, self.flags);
        compile.args.extend(FLAGS.map(Into::into));
        compile.args.extend(LIBRARIES.map(Into::into));
        let mut outcome = ProbeOutcome::default();
        let output = match probes.compile(compile) {
            Err(ExecError::TimedOut { .. }) => {
                outcome.failure = Some("the compiler does not finish".into());
                return Ok(outcome);
            }
            output => output?,
        };
        let messages = String::from_utf8_lossy(&output.stderr);
        let first = |word: &str| {
            let mut lines = messages.lines();
            let line = lines.find(|line| line.contains(word))?;
            Some(line.rsplit_once(word)?.1.trim().to_owned())
        };
        if !output.status.success() {
            let why = ["error: ", "undefined reference"]
                .into_iter()
                .find_map(first);
            let why = why.or_else(|| messages.lines().last().map(Into::into));
            outcome.failure = Some(format!("it does not compile: {}", why.unwrap_or_default()));
            return Ok(outcome);
        }
        outcome.warning = first("warning: ");
        let output = match probes.run(probe::running(self.emulator, &program)) {
            Err(ExecError::TimedOut { .. }) => {
                outcome.failure = Some(format!(
                    "it does not finish within {} s",
                    RUN_LIMIT.as_secs()
                ));
                return Ok(outcome);
            }
            output => output?,
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text.lines().filter_map(|line| line.split_once('='));
        outcome.values = lines
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        if !output.status.success() {
            let messages = String::from_utf8_lossy(&output.stderr);
            let last = messages.lines().last().unwrap_or_default();
            outcome.failure = Some(format!("it fails with {}: {last}", output.status));
        }
        Ok(outcome)
    }
}

impl Exception {
    fn fits(&self, tuple: &Tuple) -> bool {
        let mut globs = self.tuples.iter();
        globs.any(|glob| glob::matches(glob, tuple.as_str()))
    }

    fn is_about(&self, probe: &str, variable: &str) -> bool {
        let variables = &self.variables;
        self.probe == probe
            && (variables.is_empty() || variables.iter().any(|name| name == variable))
    }
}

/// Compares the answers with the results of the probes. Returns the result for each answer, and the other values that
/// the probes printed.
fn compare(
    answers: &Answers,
    outcomes: &BTreeMap<String, ProbeOutcome>,
    exceptions: &[&Exception],
) -> (Vec<CheckedAnswer>, BTreeMap<String, String>) {
    let mut findings = Vec::new();
    let mut answered = BTreeSet::new();
    for answer in answers.deciding() {
        let (Some(value), name) = (answer.value.as_deref(), answer.name.as_ref()) else {
            continue;
        };
        answered.insert(name);
        // A user's answer need not name the probe: the answer that it overrides does.
        let overridden = answers.about(name).iter().rev();
        let probe = overridden
            .filter_map(|answer| answer.probe.as_deref())
            .next();
        let verdict = match probe.map(|probe| (probe, outcomes.get(probe))) {
            None => Verdict::Unverified,
            // The probe was not selected.
            Some((_, None)) => continue,
            Some((probe, Some(outcome))) => {
                let excepted = exceptions.iter().find(|known| known.is_about(probe, name));
                let reason = excepted.map(|known| known.reason.clone());
                judge(value, name, outcome, reason)
            }
        };
        findings.push(CheckedAnswer {
            name: name.into(),
            shipped: value.into(),
            layer: answer.layer.to_string(),
            asker: answer.asker.as_ref().map(ToString::to_string),
            probe: probe.map(Into::into),
            about: about(answer),
            verdict,
        });
    }
    let printed = outcomes.values().flat_map(|outcome| &outcome.values);
    let unanswered = printed
        .filter(|(name, _)| !answered.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (findings, unanswered)
}

fn judge(value: &str, name: &str, outcome: &ProbeOutcome, excepted: Option<String>) -> Verdict {
    let verdict = match (outcome.values.get(name), &outcome.failure) {
        (Some(here), _) if here == value => return Verdict::Confirmed,
        (Some(here), _) => Verdict::Differs { here: here.clone() },
        (None, Some(why)) => Verdict::Unmeasured { why: why.clone() },
        (None, None) => Verdict::Unmeasured {
            why: "it does not print the variable".into(),
        },
    };
    excepted.map_or(verdict, |reason| Verdict::Excepted { reason })
}

fn about(answer: &Answer) -> Option<&'static str> {
    answer.about.map(|about| match about {
        About::Kernel => "kernel",
        About::Filesystem => "filesystem",
    })
}

impl VerifyReport {
    /// Returns whether a probe contradicts an answer.
    pub fn has_differences(&self) -> bool {
        self.differences().next().is_some()
    }

    fn differences(&self) -> impl Iterator<Item = (&CheckedAnswer, &str)> {
        self.answers
            .iter()
            .filter_map(|finding| match &finding.verdict {
                Verdict::Differs { here } => Some((finding, here.as_str())),
                _ => None,
            })
    }

    /// Returns the report for a user: the answers that are not confirmed, the counts, and what to write if something
    /// differs.
    pub fn to_text(&self) -> String {
        let mut rows = Vec::new();
        let mut count = BTreeMap::<&str, usize>::new();
        let width = self.answers.iter().map(|finding| finding.name.len()).max();
        let width = width.unwrap_or(0);
        for finding in &self.answers {
            let (state, more) = match &finding.verdict {
                Verdict::Confirmed => ("confirmed", None),
                Verdict::Differs { here } => {
                    let shipped = shown(&finding.shipped);
                    (
                        "differs",
                        Some(format!("shipped {shipped}, here {}", shown(here))),
                    )
                }
                Verdict::Unmeasured { why } => ("not measured", Some(why.clone())),
                Verdict::Excepted { reason } => ("excepted", Some(reason.clone())),
                Verdict::Unverified => ("unverified", Some("no probe".into())),
            };
            *count.entry(state).or_default() += 1;
            let Some(mut more) = more else { continue };
            if let Some(probe) = &finding.probe {
                let _ = write!(more, " (probe {probe})");
            }
            if let (Some(about), Verdict::Differs { .. }) = (finding.about, &finding.verdict) {
                let what = if about == "kernel" {
                    "kernel"
                } else {
                    "file system"
                };
                let _ = write!(more, "; the result is that of the host's {what}");
            }
            rows.push([state.to_owned(), finding.name.clone(), more]);
        }
        let (state, name) = (
            Column { min: 12, ..FIRST },
            Column {
                min: width,
                ..COLUMN
            },
        );
        let mut text = table([state, name, COLUMN], &rows);
        let counts: Vec<String> = count
            .iter()
            .map(|(state, n)| format!("{n} {state}"))
            .collect();
        let counts = match counts.is_empty() {
            true => "no answers".into(),
            false => counts.join(", "),
        };
        let _ = writeln!(text, "{}: {counts}", self.tuple);
        if self.has_differences() {
            let _ = writeln!(
                text,
                "\n# To use the measured values, in {}:\n[answers]",
                self.own_file.display()
            );
            for (finding, here) in self.differences() {
                let _ = writeln!(text, "{} = {}", finding.name, toml::Value::from(here));
            }
        }
        text
    }
}

/// Returns a value, in a visible form if it is empty.
fn shown(value: &str) -> &str {
    if value.is_empty() { "''" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_names_a_probe_and_the_reason() {
        let exceptions: Exceptions = toml::from_str(EXCEPTIONS).expect("the form");
        for exception in exceptions.exception {
            let source = data::probes()
                .iter()
                .find(|(name, _)| *name == exception.probe);
            let (_, source) = source.unwrap_or_else(|| panic!("no probe: {exception:?}"));
            assert!(!exception.tuples.is_empty() && !exception.reason.is_empty());
            for variable in &exception.variables {
                assert!(source.contains(variable), "{exception:?}");
            }
        }
    }

    #[test]
    fn known_errors_of_qemu_are_excepted_and_right_results_confirmed() {
        let printed = |value: &str| ProbeOutcome {
            values: BTreeMap::from([("v".into(), value.into())]),
            ..ProbeOutcome::default()
        };
        let crashed = ProbeOutcome {
            failure: Some("its run ends with signal: 11".into()),
            ..ProbeOutcome::default()
        };
        let reason = || Some("QEMU".to_owned());
        let excepted = Verdict::Excepted {
            reason: "QEMU".into(),
        };
        for (outcome, reason, wanted) in [
            (printed("yes"), reason(), Verdict::Confirmed),
            (printed("no"), reason(), excepted.clone()),
            (crashed.clone(), reason(), excepted),
            (printed("no"), None, Verdict::Differs { here: "no".into() }),
            (
                crashed,
                None,
                Verdict::Unmeasured {
                    why: "its run ends with signal: 11".into(),
                },
            ),
        ] {
            assert_eq!(judge("yes", "v", &outcome, reason), wanted, "{outcome:?}");
        }
    }
}
