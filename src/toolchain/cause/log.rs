//! Reads the log of emerge in one pass: which package failed in which phase, and which line is the first error that
//! explains it.
//!
//! make runs several commands at once, so a log's last lines belong to commands that went on after the failure. The
//! error precedes the first line `*** [target] Error N` of the make that failed, and that make is found from the end:
//! each make reports the failure of the one below it.

mod report;

use super::{
    form::{self, Weight},
    known::{Found, Known},
    lines::{Lines, with_plain_quotes},
    place::{Line, Package, Phase},
};
use report::{Kind, Report};
use std::{
    collections::VecDeque,
    io::{self, BufRead},
    rc::Rc,
};

/// The number of lines that are shown around an error, with the error itself.
const CONTEXT: usize = 10;

/// How many of these lines precede the error.
const BEFORE: usize = 3;

/// The number of errors that are kept from the beginning of a phase, and from its end.
const ERRORS: usize = 200;

/// The number of make's reports that are kept.
const REPORTS: usize = 400;

/// The greatest distance in lines between two messages of one command.
const GAP: usize = 12;

/// An error in the log.
#[derive(Debug)]
pub(super) struct LogError {
    pub(super) line: Rc<Line>,
    /// The line with plain quotes.
    pub(super) plain: String,
    weight: Weight,
    before: Vec<Rc<Line>>,
    pub(super) after: Vec<Rc<Line>>,
}

impl LogError {
    /// Returns the error with the lines around it, at most [`CONTEXT`].
    pub(super) fn context(&self) -> Vec<Line> {
        let lines = self.before.iter().chain([&self.line]).chain(&self.after);
        lines.map(|line| Line::clone(line)).collect()
    }

    /// Returns what two messages of one command have in common: the file or program before the first colon.
    fn origin(&self) -> &str {
        if form::configure_error(&self.plain).is_some() {
            return "configure";
        }
        self.plain.split(':').next().unwrap_or_default()
    }
}

/// The facts of a log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) package: Option<Package>,
    pub(super) phase: Phase,
    /// The message of `die`, with its line.
    pub(super) die: Option<Line>,
    /// The directories that configure scripts name before their error: `configure: error: in '/work/build':`.
    pub(super) directories: VecDeque<String>,
    /// Whether emerge reports that a signal ended it.
    pub(super) is_interrupted: bool,
    /// Whether an error in Portage's own event loop ended it. Portage then sends itself SIGTERM.
    pub(super) is_crashed: bool,
    /// The first line of the phase that matches a cause wherever it is.
    pub(super) anywhere: Option<Found>,
    /// The last line that is not empty.
    pub(super) last: Option<Rc<Line>>,
    errors: Vec<LogError>,
    reports: VecDeque<Report>,
}

/// How far the message of `die` has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Die {
    /// It has not begun.
    Before,
    /// Its head has been read, and the message follows.
    Head,
    /// It has been read. What follows repeats it.
    Read,
}

impl Log {
    /// Reads a log to its end, after the bytes that an earlier attempt has written.
    pub(super) fn read(text: impl BufRead, begin: u64, known: &Known) -> io::Result<Self> {
        let mut lines = Lines::after(text, begin)?;
        let mut log = Self {
            package: None,
            phase: Phase::Resolving,
            die: None,
            directories: VecDeque::new(),
            is_interrupted: false,
            is_crashed: false,
            anywhere: None,
            last: None,
            errors: Vec::new(),
            reports: VecDeque::new(),
        };
        let mut recent = VecDeque::new();
        let mut die = Die::Before;
        while let Some((number, text)) = lines.next()? {
            let line = Rc::new(Line { number, text });
            log.is_interrupted |= line.text.starts_with("Exiting on signal");
            log.is_crashed |= line.text.starts_with("[ERROR] Exception in callback");
            if !line.text.is_empty() {
                log.last = Some(Rc::clone(&line));
            }
            die = match die {
                Die::Before => log.read_line(&line, &recent, known),
                Die::Head => log.read_message(&line),
                Die::Read => die,
            };
            push(&mut recent, line, BEFORE);
        }
        Ok(log)
    }

    fn read_line(&mut self, line: &Rc<Line>, recent: &VecDeque<Rc<Line>>, known: &Known) -> Die {
        let text = line.text.as_str();
        if let Some((package, phase)) = report::died(text) {
            self.package = Some(package);
            self.phase = phase.unwrap_or(self.phase);
            return Die::Head;
        }
        for error in self.errors.iter_mut().rev().take(CONTEXT) {
            if error.before.len() + 1 + error.after.len() < CONTEXT {
                error.after.push(Rc::clone(line));
            }
        }
        if let Some(package) = report::package(text) {
            if self.package.as_ref() != Some(&package) {
                self.forget();
            }
            self.package = Some(package);
        }
        if let Some(phase) = Phase::begun_by(text) {
            // A file that does not match its checksum is downloaded again, and the download then fails.
            let is_retry = self.phase == Phase::Verifying && phase == Phase::Fetching;
            if !is_retry || self.errors.is_empty() {
                if !(phase == Phase::Verifying && self.phase == Phase::Fetching) {
                    self.forget();
                }
                self.phase = phase;
            }
        }
        let plain = with_plain_quotes(text);
        if let Some(directory) = report::directory(&plain) {
            push(&mut self.directories, directory.to_owned(), CONTEXT);
        }
        let mut weight = form::weight(&plain, self.phase.runs_programs());
        if let Some(report) = Report::of(line.number, &plain) {
            weight = report.weight;
            push(&mut self.reports, report, REPORTS);
        }
        // A program of the build may print such a text for another reason.
        let may_count = weight == Some(Weight::Strong) || !self.phase.runs_programs();
        if self.anywhere.is_none() && may_count {
            self.anywhere = known.anywhere(&plain, self.phase);
        }
        if let Some(weight) = weight {
            if self.errors.len() == 2 * ERRORS {
                self.errors.remove(ERRORS);
            }
            self.errors.push(LogError {
                line: Rc::clone(line),
                plain,
                weight,
                before: recent.iter().cloned().collect(),
                after: Vec::new(),
            });
        }
        Die::Before
    }

    /// Reads the first line of the message of `die`, which follows its head.
    fn read_message(&mut self, line: &Line) -> Die {
        match line.text.strip_prefix(" *").map(str::trim) {
            Some("") => Die::Head,
            Some(text) if !text.starts_with("Call stack:") => {
                self.die = Some(Line {
                    number: line.number,
                    text: text.to_owned(),
                });
                Die::Read
            }
            _ => Die::Read,
        }
    }

    /// Forgets the errors of a phase that has ended.
    fn forget(&mut self) {
        self.errors.clear();
        self.reports.clear();
        self.directories.clear();
        self.anywhere = None;
    }

    /// Returns the first error that explains the failure.
    pub(super) fn first_error(&self) -> Option<&LogError> {
        let ninja = self.reports.iter().find(|one| one.kind == Kind::Ninja);
        if !self.phase.runs_programs() {
            return heaviest(self.errors.iter()).first().copied();
        }
        if let Some(ninja) = ninja {
            // ninja prints a command's messages after its report.
            let after = { self.errors.iter() }.filter(|error| error.line.number > ninja.number);
            return heaviest(after).first().copied();
        }
        let Some(failed) = self.failed_command() else {
            return first_of_last_command(&heaviest(self.errors.iter()));
        };
        let errors = heaviest(self.errors_before(failed));
        let of_target = errors.iter().find(|error| {
            let file = error.origin();
            failed.stem.len() > 2 && !file.contains(' ') && report::stem(file) == failed.stem
        });
        match of_target {
            Some(error) => Some(error),
            None => first_of_last_command(&errors),
        }
    }

    /// Returns the errors between the report and the one before it, which is about another command. If none of them is
    /// an error for sure, as when other jobs' reports stand between, returns also earlier ones.
    fn errors_before(&self, failed: &Report) -> impl Iterator<Item = &LogError> + Clone {
        let within = |since: usize| {
            let end = failed.number;
            let errors = self.errors.iter();
            errors.filter(move |error| (since + 1..=end).contains(&error.line.number))
        };
        let reports = self.reports.iter().rev();
        let others = reports.filter(|one| one.number < failed.number && one.kind != Kind::Waiting);
        let mut bounds = others.map(|one| one.number);
        let is_sure = |since: &usize| within(*since).any(|one| one.weight == Weight::Strong);
        within(bounds.find(is_sure).unwrap_or(0))
    }

    /// Returns make's report about the command that failed first. Each make reports a failure of the make that it
    /// started, so the search goes from the last report of the lowest level up to the deepest.
    fn failed_command(&self) -> Option<&Report> {
        // From the last to the first.
        let failures = || { self.reports.iter().rev() }.filter(|one| one.kind == Kind::Failed);
        let lowest = failures().map(|one| one.level).min()?;
        let last = failures().find(|one| one.level == lowest)?;
        let mut found = self.first_of_make(last);
        while let Some(deeper) =
            failures().find(|one| one.number < found.number && one.level > found.level)
        {
            // An error after the deeper make's report explains the failure: the deeper one was tolerated.
            let between = deeper.number + 1..found.number;
            let is_error = |error: &LogError| {
                error.weight == Weight::Strong && between.contains(&error.line.number)
            };
            if self.errors.iter().any(is_error) {
                break;
            }
            found = self.first_of_make(deeper);
        }
        Some(found)
    }

    /// Returns the first report of the make that wrote this one. If others of its commands had failed before, it has
    /// announced that it waits for the rest.
    fn first_of_make<'l>(&'l self, report: &'l Report) -> &'l Report {
        let of_level = { self.reports.iter().rev() }
            .skip_while(|one| one.number >= report.number)
            .take_while(|one| one.level >= report.level)
            .filter(|one| one.level == report.level);
        let mut first = report;
        let mut is_waiting = false;
        for one in of_level {
            match one.kind {
                Kind::Waiting => is_waiting = true,
                Kind::Failed if is_waiting => first = one,
                _ => break,
            }
        }
        first
    }
}

/// Returns the errors of the greatest weight among them.
fn heaviest<'l>(errors: impl Iterator<Item = &'l LogError> + Clone) -> Vec<&'l LogError> {
    let greatest = errors.clone().map(|error| error.weight).max();
    errors
        .filter(|error| Some(error.weight) == greatest)
        .collect()
}

/// Returns the first error of the command that wrote the last one: the errors before it that are near and name the
/// same file or program.
fn first_of_last_command<'l>(errors: &[&'l LogError]) -> Option<&'l LogError> {
    let mut first = *errors.last()?;
    for error in errors.iter().rev().skip(1) {
        let is_near = first.line.number - error.line.number <= GAP;
        if !is_near {
            break;
        }
        if error.origin() == first.origin() || first.line.number == error.line.number + 1 {
            first = error;
        }
    }
    Some(first)
}

/// Adds an item, and removes the first if there are then more than `most`.
fn push<T>(items: &mut VecDeque<T>, item: T, most: usize) {
    if items.len() == most {
        items.pop_front();
    }
    items.push_back(item);
}
