//! A child process. Its output is read from its pipes while it runs, up to a limit in bytes, and perhaps in time.
//!
//! A program that printed without end would exhaust the memory. It is killed at the limit.

use crate::file::read::ANSWER;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};
use std::{
    io::{self, PipeReader, Read},
    os::{fd::AsFd, unix::process::ExitStatusExt},
    process::{ExitStatus, Output},
    time::{Duration, Instant},
};

/// The number of bytes to read at once: at first, because few programs print more, and at most, which is the size of a
/// pipe (pipe(7)).
const CHUNKS: [usize; 2] = [2 << 10, 64 << 10];

/// How long to wait between two checks whether a program with a time limit has ended, in milliseconds.
const PAUSE: u8 = 2;

/// A child process, and the pipes that are its stdout and stderr.
pub(super) struct Child {
    pub(super) pid: Pid,
    /// Whether it is the leader of a new process group.
    pub(super) leads: bool,
    /// Those of stdout and stderr, or that of stdout. `None` after its end.
    pub(super) pipes: Vec<Option<PipeReader>>,
}

/// How long a program may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// As long as it wants.
    None,
    /// Any time, as long as it prints something or ends its output within this one.
    Silence(Duration),
    /// This time in total. Then all processes of its group are killed.
    Total(Duration),
}

/// Why a program was killed.
pub(super) enum Killed {
    /// It printed too much.
    TooMuch,
    /// It did not end within the limit.
    TimedOut(Duration),
}

impl Child {
    /// Waits for its end and returns its output. A process that it leaves behind with its pipes is waited for too. With
    /// a total time limit, all processes of its group are killed at its end instead.
    pub(super) fn collect(mut self, limit: Limit) -> io::Result<Result<Output, Killed>> {
        let mut texts = vec![Vec::new(); self.pipes.len()];
        let read = self.read(&mut texts, limit);
        if !matches!(read, Ok(Ok(()))) {
            self.kill();
        }
        let status = wait(self.pid)?;
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap_or_default();
        Ok(read?.map(|()| Output {
            status,
            stdout: text(),
            stderr: text(),
        }))
    }

    /// Kills it and waits for its end.
    pub(super) fn stop(self) {
        self.kill();
        // An error means that it is no child any more.
        let _ = wait(self.pid);
    }

    fn kill(&self) {
        // An error means that it has ended just now.
        let _ = match self.leads {
            true => killpg(self.pid, Signal::SIGKILL),
            false => kill(self.pid, Signal::SIGKILL),
        };
    }

    /// Reads the pipes to their ends, or until a limit is reached.
    fn read(&mut self, texts: &mut [Vec<u8>], limit: Limit) -> io::Result<Result<(), Killed>> {
        let begin = Instant::now();
        let mut has_ended = false;
        loop {
            if matches!(limit, Limit::Total(_)) && !has_ended && self.has_ended()? {
                has_ended = true;
                // Kills the processes that it left behind, before its PID may become another process's.
                self.kill();
            }
            let timeout = match limit {
                Limit::Total(_) if has_ended => PollTimeout::ZERO,
                Limit::Total(most) if begin.elapsed() >= most => {
                    return Ok(Err(Killed::TimedOut(most)));
                }
                Limit::Total(_) => PAUSE.into(),
                _ if self.pipes.iter().all(Option::is_none) => return Ok(Ok(())),
                Limit::None => PollTimeout::NONE,
                Limit::Silence(most) => most.try_into().unwrap_or(PollTimeout::MAX),
            };
            let has_read = self.read_ready(texts, timeout)?;
            if let (Limit::Silence(most), false) = (limit, has_read) {
                return Ok(Err(Killed::TimedOut(most)));
            }
            if texts.iter().any(|text| text.len() as u64 > ANSWER) {
                return Ok(Err(Killed::TooMuch));
            }
            if has_ended && !has_read {
                return Ok(Ok(()));
            }
        }
    }

    /// Returns whether the program has ended. Its PID stays its own until [`wait`].
    fn has_ended(&self) -> io::Result<bool> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.pid), flags) {
            Err(Errno::EINTR) => Ok(false),
            status => Ok(status? != WaitStatus::StillAlive),
        }
    }

    /// Waits until a pipe has data or has ended, and reads from it. Returns whether there was one within the time.
    fn read_ready(&mut self, texts: &mut [Vec<u8>], timeout: PollTimeout) -> io::Result<bool> {
        let pipes = self.pipes.iter().flatten();
        let mut polled: Vec<_> = pipes
            .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
            .collect();
        // With one pipe and without a time limit, reading itself waits.
        let is_only = polled.len() == 1 && timeout.is_none();
        if !is_only {
            poll_again(&mut polled, timeout)?;
        }
        let ready = polled.iter().map(|pipe| pipe.any().unwrap_or(true));
        let ready: Vec<bool> = ready.map(|is_ready| is_only || is_ready).collect();
        let open = self.pipes.iter_mut().zip(texts);
        let open = open.filter(|(pipe, _)| pipe.is_some());
        let mut has_read = false;
        for ((pipe, text), is_ready) in open.zip(ready) {
            if is_ready {
                read_chunk(pipe, text)?;
                has_read = true;
            }
        }
        Ok(has_read)
    }
}

/// Calls poll(2), again if a signal interrupts it.
fn poll_again(polled: &mut [PollFd<'_>], timeout: PollTimeout) -> io::Result<()> {
    loop {
        match poll(polled, timeout) {
            Err(Errno::EINTR) => {}
            polled => return Ok(polled.map(drop)?),
        }
    }
}

/// Reads available bytes, and closes the pipe at its end.
fn read_chunk(pipe: &mut Option<PipeReader>, text: &mut Vec<u8>) -> io::Result<()> {
    let Some(open) = pipe else {
        return Ok(());
    };
    let before = text.len();
    text.resize(before + before.clamp(CHUNKS[0], CHUNKS[1]), 0);
    let read = open.read(&mut text[before..]);
    text.truncate(before + read.as_ref().map_or(0, |read| *read));
    match read {
        Ok(0) => *pipe = None,
        Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
        _ => {}
    }
    Ok(())
}

/// Waits for the end of a child process.
pub(super) fn wait(pid: Pid) -> io::Result<ExitStatus> {
    // The encoding of the status is that of wait(2).
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(ExitStatus::from_raw(code << 8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                return Ok(ExitStatus::from_raw(signal as i32));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}
