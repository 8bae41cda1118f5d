//! Names the cause of a failed step of a toolchain: the package and the phase, the first error of the log that explains
//! it, the failed command behind a configure script's error, and the known cause with the command that fixes it.
//!
//! Pure: [`Evidence`] contains everything about the build machine. A cause is named only if a line that explains the
//! failure matches it; otherwise the result has the phase and the error alone.

mod config_log;
mod form;
mod gather;
mod known;
mod lines;
mod log;
mod machine;
mod message;
mod place;

pub use config_log::FailedCommand;
pub use gather::{config_logs, oom_kills};
pub use machine::{ConfigLog, Machine};
pub use place::{Line, Package, Phase, Step};

use known::{Found, Known, filled, searched};
use log::{Log, LogError};
use serde::Serialize;
use std::{
    fmt,
    io::{self, BufRead},
    path::Path,
};

/// The number of config.logs that are compared with the error of a configure script.
const CONFIG_LOGS: usize = 20;

/// Signals with which a user or the system ends a program: SIGHUP, SIGINT, SIGTERM (signal(7)).
const INTERRUPTS: [i32; 3] = [1, 2, 15];

/// How emerge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

impl Ended {
    /// Returns the signal that ended it. A shell, and emerge itself, add 128 to its number.
    fn signal(self) -> Option<i32> {
        match self {
            Self::Signal(signal) => Some(signal),
            Self::Code(code) if code > 128 => Some(code - 128),
            Self::Code(_) => None,
        }
    }
}

/// Everything besides the log that decides the cause.
pub struct Evidence<'e> {
    /// The toolchain's tuple.
    pub tuple: &'e str,
    /// How emerge ended.
    pub ended: Ended,
    /// The number of bytes at the beginning of the log that an earlier attempt has written.
    pub log_begin: u64,
    /// The config.logs below the package's work directory.
    pub config_logs: &'e [ConfigLog],
    /// Opens one of them.
    pub open: &'e dyn Fn(&Path) -> io::Result<Box<dyn BufRead>>,
    /// The facts of the build machine.
    pub machine: &'e Machine,
    /// Returns the command that installs a program's package on the build machine, if its distribution has it.
    pub install: &'e dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Evidence");
        fields.field("ended", &self.ended);
        fields.field("config_logs", &self.config_logs);
        fields
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// Why a step failed, as far as its logs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The package that failed. `None` if Portage had not begun one.
    pub package: Option<Package>,
    /// What Portage was doing.
    pub phase: Phase,
    /// The first error of the log that explains the failure. `None` if the log has none.
    pub error: Option<Line>,
    /// The lines around the error, with the error itself: at most ten.
    pub context: Vec<Line>,
    /// Behind the error of a configure script: the command that failed.
    pub failed_command: Option<FailedCommand>,
    /// The known cause, if one applies.
    pub known: Option<Named>,
}

/// A known cause, as it applies to a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its identifier, which does not change.
    pub id: String,
    /// What happened, in one sentence.
    pub what: String,
    /// The text of the hint: the command that fixes it.
    pub hint: String,
}

/// Finds the cause of a failed step. Returns `None` if emerge succeeded.
///
/// # Errors
///
/// The error with which the log or a config.log could not be read.
pub fn find(log: impl BufRead, evidence: &Evidence<'_>) -> io::Result<Option<Cause>> {
    if evidence.ended == Ended::Code(0) {
        return Ok(None);
    }
    let known = Known::built_in(evidence.tuple);
    let log = Log::read(log, evidence.log_begin, &known)?;
    let first = log.first_error();
    let failed_command = match first {
        Some(error) => failed_command(&log, error, evidence)?,
        None => None,
    };
    let found = found(&log, first, failed_command.as_ref(), evidence, &known);
    let named = found
        .as_ref()
        .and_then(|found| named(found, &log, evidence, &known));
    let error = first
        .map(|error| Line::clone(&error.line))
        .or(log.die.clone());
    let context = match first {
        Some(first) => first.context(),
        None => error.iter().cloned().collect(),
    };
    Ok(Some(Cause {
        package: log.package,
        phase: log.phase,
        error,
        context,
        failed_command,
        known: named,
    }))
}

/// Finds the failed command behind the error of a configure script: in the config.log of the directory that the script
/// names, else in the one that ends last, of those that end with this error.
fn failed_command(
    log: &Log,
    error: &LogError,
    evidence: &Evidence<'_>,
) -> io::Result<Option<FailedCommand>> {
    let Some(message) = form::configure_error(&error.plain) else {
        return Ok(None);
    };
    let mut candidates: Vec<&ConfigLog> = evidence.config_logs.iter().collect();
    let is_named = |one: &ConfigLog| {
        let directory = one.path.parent();
        directory.is_some_and(|one| log.directories.iter().any(|named| Path::new(named) == one))
    };
    candidates.sort_by_key(|one| std::cmp::Reverse((is_named(one), one.modified)));
    for candidate in candidates.into_iter().take(CONFIG_LOGS) {
        // A config.log that is gone, or of which the user may read nothing, explains nothing.
        let Ok(text) = (evidence.open)(&candidate.path) else {
            continue;
        };
        let path = candidate.path.clone();
        if let Some(command) = config_log::failed_command(path, text, message)? {
            return Ok(command);
        }
    }
    Ok(None)
}

/// Finds the known cause: by how emerge ended, by what the failed command printed, by the error itself, by the message
/// of `die`, and by lines of the phase that mean the same wherever they are.
fn found(
    log: &Log,
    first: Option<&LogError>,
    command: Option<&FailedCommand>,
    evidence: &Evidence<'_>,
    known: &Known,
) -> Option<Found> {
    let is_signal = { evidence.ended.signal() }.is_some_and(|it| INTERRUPTS.contains(&it));
    if log.is_interrupted || is_signal && !log.is_crashed {
        let waited = { log.anywhere.clone() }.filter(|found| known.row(found).id == "locked");
        return waited.or_else(|| known.by_id("interrupted"));
    }
    let is_killed = evidence.ended.signal() == Some(9) && first.is_none();
    if is_killed && evidence.machine.oom_kills.is_some_and(|kills| kills > 0) {
        return known.by_id("out-of-memory");
    }
    let is_possible = |found: &Found| !known.row(found).is_excluded(evidence.machine.oom_kills);
    let side = command.map(|command| command.side(evidence.tuple));
    let printed = command.iter().flat_map(|command| &command.printed);
    let of_config_log = { printed }.find_map(|line| known.of_config_log(&searched(line), side));
    // Portage's own messages have several lines. In the phases of the ebuild, the next line may be another command's.
    let of_error = || {
        let first = first?;
        let is_alone = log.phase.runs_programs() && log.phase != Phase::Prepare;
        let after = first.after.iter().filter(|_| !is_alone);
        let lines = std::iter::once(&first.line).chain(after);
        let found = lines.filter_map(|line| known.of_log(&searched(&line.text), log.phase));
        found.min_by_key(|found| found.index)
    };
    let of_die = || {
        let die = log.die.as_ref()?;
        known.of_log(&searched(&die.text), log.phase)
    };
    of_config_log
        .or_else(of_error)
        .or_else(of_die)
        .or_else(|| log.anywhere.clone())
        .filter(is_possible)
}

/// Fills in the texts of a known cause.
fn named(found: &Found, log: &Log, evidence: &Evidence<'_>, known: &Known) -> Option<Named> {
    let row = known.row(found);
    let machine = evidence.machine;
    let package = log.package.as_ref();
    let value = |name: &str| {
        Some(match name {
            "tuple" => evidence.tuple.to_owned(),
            "package" => package.map_or_else(|| "the package".into(), ToString::to_string),
            "version" => package.map_or_else(String::new, |package| package.version.clone()),
            "phase" => log.phase.to_string(),
            "settings" => machine.settings.display().to_string(),
            "portage_tmpdir" => machine.portage_tmpdir.display().to_string(),
            "free" => mebibytes(machine.free_space),
            "memory" => mebibytes(machine.memory),
            name => found.parts.get(name)?.clone(),
        })
    };
    let install = row.install.as_ref().and_then(|program| {
        let program = filled(program, value)?;
        // The name of a program in a message may be a path.
        (evidence.install)(program.rsplit('/').next().unwrap_or_default())
    });
    let hint = match install {
        Some(command) => format!("`{command}`"),
        None => filled(&row.hint, value)?,
    };
    Some(Named {
        id: row.id.clone(),
        what: filled(&row.what, value)?,
        hint,
    })
}

fn mebibytes(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{} MiB", bytes / (1 << 20)),
        None => "an unknown number of bytes".into(),
    }
}
