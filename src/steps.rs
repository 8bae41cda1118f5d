//! The progress and the logs of a task that has several steps, such as a build of a toolchain.
//!
//! stderr has a line for each step when it begins and when it ends, and on a terminal a line that shows how far it is.

use crate::terminal::{DIM, ERROR, OK};
use crossmerge_system::file::read;
use std::{
    fs::File,
    io::{self, IsTerminal, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The width of a step's name.
const NAME: usize = 52;

/// The steps that run.
pub(crate) struct Progress {
    shown: Vec<Shown>,
    /// Whether the output of the steps is printed too.
    verbose: bool,
    /// Whether a line can be replaced.
    is_terminal: bool,
    /// Whether the last line is one that will be replaced.
    has_line: bool,
}

/// A step that runs.
struct Shown {
    place: usize,
    name: String,
    log: PathBuf,
    begun: Instant,
    /// How long it took last time, and how long its log was.
    before: Option<(Duration, u64)>,
    /// The log from where it has not been printed yet.
    unprinted: u64,
}

impl Progress {
    pub(crate) fn new(verbose: bool) -> Self {
        Self {
            shown: Vec::new(),
            verbose,
            is_terminal: io::stderr().is_terminal(),
            has_line: false,
        }
    }

    /// A step begins. `before` is how long it took last time, and how long its log was.
    pub(crate) fn begin(
        &mut self,
        place: usize,
        number: &str,
        title: &str,
        log: &Path,
        before: Option<(Duration, u64)>,
    ) {
        let name = format!("{number}  {title}");
        if !self.is_terminal || self.verbose {
            let about = before.map_or(String::new(), |(time, _)| {
                format!("  about {}", clock(time))
            });
            self.print(&format!("  {name:<NAME$}  begins{about}\n"));
        }
        self.shown.push(Shown {
            place,
            name,
            log: log.into(),
            begun: Instant::now(),
            before,
            unprinted: 0,
        });
    }

    /// Prints the news of the logs, or how far the steps are.
    pub(crate) fn refresh(&mut self) {
        if self.verbose {
            for shown in &mut self.shown {
                let _ = shown.copy_news();
            }
        } else if self.is_terminal {
            let lines: Vec<String> = self.shown.iter().map(Shown::state).collect();
            if !lines.is_empty() {
                self.print(&format!("  {}", lines.join("  |  ")));
                self.has_line = true;
            }
        }
    }

    /// A step has ended.
    pub(crate) fn end(&mut self, place: usize, is_done: bool) {
        let Some(index) = self.shown.iter().position(|shown| shown.place == place) else {
            return;
        };
        let mut shown = self.shown.remove(index);
        if self.verbose {
            let _ = shown.copy_news();
        }
        let time = clock(shown.begun.elapsed());
        let end = match is_done {
            true => format!("{OK}ok{OK:#}"),
            false => format!("{ERROR}failed{ERROR:#}"),
        };
        self.print(&format!("  {:<NAME$}  {time:>8}  {end}\n", shown.name));
    }

    /// A signal ends the run.
    pub(crate) fn interrupt(&mut self) {
        self.print(&format!("  {DIM}ending the build …{DIM:#}\n"));
    }

    fn print(&mut self, text: &str) {
        let clear = match self.has_line {
            true => "\r\x1b[K",
            false => "",
        };
        self.has_line = false;
        // A build does not fail because its progress cannot be printed.
        let _ = write!(anstream::stderr(), "{clear}{text}");
    }
}

impl Shown {
    /// Renders how far the step is.
    fn state(&self) -> String {
        let elapsed = self.begun.elapsed();
        let name = &self.name;
        let time = clock(elapsed);
        match self.before {
            None => format!("{name}  {time}"),
            Some((usual, bytes)) => {
                let log = std::fs::metadata(&self.log).map_or(0, |log| log.len());
                let percent = (log * 100).checked_div(bytes).unwrap_or(0).min(99);
                format!("{name}  {percent} %  {time} of about {}", clock(usual))
            }
        }
    }

    /// Prints what the log contains since the last call.
    fn copy_news(&mut self) -> io::Result<()> {
        let mut log = read::open_regular(&self.log)?;
        log.seek(SeekFrom::Start(self.unprinted))?;
        let mut news = Vec::new();
        self.unprinted += log.read_to_end(&mut news)? as u64;
        io::stderr().write_all(&news)
    }
}

/// Renders a time as minutes and seconds, or with hours.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Opens a log. A step that goes on adds to the log of the interrupted one.
pub(crate) fn open_log(path: &Path, goes_on: bool) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    let log = options.open(path)?;
    if !goes_on {
        log.set_len(0)?;
    }
    Ok(log)
}

/// Returns the end of a log for a message. Empty if the log is.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = read::read(log, read::CONTENTS).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(5)..].join("\n    ")
}
