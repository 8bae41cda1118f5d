//! Runs one command in the system of a board, and ends the board.

use super::{
    Boot,
    disks::{Exchange, RunOutput},
    error::{BootError, Log},
    image::{ImageKind, Initramfs},
};
use crossmerge_plan::shown::Show;
use crossmerge_system::{
    exec::{Interrupts, Job, wait_for},
    file::{self, read},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// How often to check whether the command has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a system may take to shut down.
const SHUTDOWN: Duration = Duration::from_secs(60);

/// The lines of the console in an error.
const LINES: usize = 12;

impl Boot<'_> {
    /// Starts the board, runs a command in its system and ends it.
    ///
    /// # Errors
    ///
    /// A [`BootError`] if the board does not start, ends before the command or does not end in time, with the end of
    /// the console's output. The whole output is then in a log.
    pub fn run(&self, command: &str) -> Result<RunOutput, BootError> {
        let directory = file::temporary().map_err(BootError::Temporary)?;
        let exchange = Exchange::at(directory.path());
        let script = exchange.script(command, &self.inits(), self.request.write);
        exchange.create(&script)?;
        let initramfs = self.kind.is_initramfs().then(|| exchange.initramfs());
        if let Some(path) = &initramfs {
            let added = Initramfs {
                script,
                modules: self.kernel.modules.clone(),
            };
            Initramfs::pack(&self.request.image, path, Some(&added))?;
        }
        let plan = self.running(initramfs.as_deref(), &exchange);
        let messages = directory.path().join("messages");
        let log = fs_err::File::create(&messages).map_err(BootError::Temporary)?;
        let interrupts = Interrupts::new()?;
        let mut job = Job::start(&plan, &self.context.env, log.file(), &[])?;
        let begun = Instant::now();
        let output = loop {
            let has_ended = job.try_wait()?.is_some();
            if let Some(output) = exchange.output()? {
                break output;
            }
            if has_ended {
                let log = self.keep_log(&exchange, &messages)?;
                return Err(BootError::Ended { log });
            }
            if begun.elapsed() > self.request.timeout {
                let log = self.keep_log(&exchange, &messages)?;
                job.stop(Duration::ZERO)?;
                return Err(BootError::TimedOut {
                    limit: self.request.timeout,
                    log,
                });
            }
            wait_for(&[job.fd(), interrupts.fd()], Some(PAUSE))?;
            if let Some(signal) = interrupts.next() {
                job.stop(Duration::ZERO)?;
                return Err(BootError::Interrupted(signal));
            }
        };
        self.end(job)?;
        Ok(output)
    }

    /// Ends the board. If the image keeps its changes, the system first shuts down.
    fn end(&self, mut job: Job) -> Result<(), BootError> {
        let is_written = self.request.write && !matches!(self.kind, ImageKind::Directory { .. });
        let begun = Instant::now();
        while is_written && begun.elapsed() < SHUTDOWN && job.try_wait()?.is_none() {
            wait_for(&[job.fd()], Some(PAUSE))?;
        }
        job.stop(Duration::ZERO)?;
        Ok(())
    }

    /// Keeps the output of the console and QEMU's messages, after a failure.
    fn keep_log(&self, exchange: &Exchange, messages: &Path) -> Result<Log, BootError> {
        let read = |path| read::read(path, read::CONTENTS).unwrap_or_default();
        let console = exchange.console();
        let mut text = read(&console);
        text.extend(read(messages));
        let path = self.context.state_directory().join("boot.log");
        file::put(&path, &text).map_err(BootError::Log)?;
        let text = String::from_utf8_lossy(&text).replace('\r', "");
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let lines = lines[lines.len().saturating_sub(LINES)..].iter();
        let end = lines
            .map(|line| format!("\n    {}", line.shown()))
            .collect();
        Ok(Log { path, end })
    }
}
