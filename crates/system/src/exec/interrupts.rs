//! Signals as data, and waiting for them and for jobs at once.

use super::{enter::error::EnterError, error::ExecError};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, SigmaskHow, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
};
use std::{
    marker::PhantomData,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

/// The state of this process, as the kernel shows it.
const STATUS: &str = "/proc/self/status";

/// The signals with which a user, a terminal or a service manager ends a program.
pub(super) const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// SIGINT, SIGTERM and SIGHUP as data. They are blocked until it is dropped.
///
/// Only the calling thread blocks them, and threads that it starts later. So create it before any other thread.
/// Programs that this process starts do not inherit that. A signal that this process ignores stays ignored: nohup(1)
/// ignores SIGHUP, and a shell script ignores SIGINT for its background commands.
#[derive(Debug)]
pub struct Interrupts {
    signals: SignalFd,
    before: SigSet,
    /// The signal mask is that of one thread.
    of_thread: PhantomData<*const ()>,
}

impl Interrupts {
    /// Blocks the signals and opens a signalfd for them.
    ///
    /// # Errors
    ///
    /// [`EnterError::Wait`] if the process cannot open another descriptor.
    pub fn new() -> Result<Self, ExecError> {
        let ignored = ignored();
        let caught = ENDING.into_iter().filter(|it| !is_in(ignored, *it));
        let caught: SigSet = caught.collect();
        let signals = open(&caught).map_err(failed)?;
        let before = caught.thread_swap_mask(SigmaskHow::SIG_BLOCK);
        Ok(Self {
            signals,
            before: before.map_err(failed)?,
            of_thread: PhantomData,
        })
    }

    /// The descriptor that is readable if a signal is pending: see [`wait_for`].
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Returns the next pending signal, without waiting. `None` if there is none.
    pub fn next(&self) -> Option<Signal> {
        read(&self.signals)
    }
}

/// Unblocks the signals. One that is pending has its usual effect then.
impl Drop for Interrupts {
    fn drop(&mut self) {
        // Only an invalid argument is an error.
        let _ = self.before.thread_set_mask();
    }
}

/// Opens a signalfd that does not wait.
pub(super) fn open(signals: &SigSet) -> nix::Result<SignalFd> {
    SignalFd::with_flags(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Returns the next pending signal.
pub(super) fn read(signals: &SignalFd) -> Option<Signal> {
    let info = signals.read_signal().ok().flatten()?;
    Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()
}

/// Returns the bits of the signals that this process ignores. sigaction(2) would be `unsafe`. Without `/proc`, none.
fn ignored() -> u64 {
    let status = std::fs::read_to_string(STATUS).unwrap_or_default();
    let bits = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.unwrap_or(0)
}

/// Returns whether the bit of a signal is set. Signal 1 has the lowest bit.
fn is_in(bits: u64, signal: Signal) -> bool {
    bits >> (signal as i32 - 1) & 1 == 1
}

/// Waits until a descriptor is readable or at its end, or the time is over. Returns for each descriptor whether it is. A
/// signal that is not blocked does not end the wait.
///
/// # Errors
///
/// [`EnterError::Wait`] if the kernel lacks memory.
pub fn wait_for(fds: &[BorrowedFd<'_>], limit: Option<Duration>) -> Result<Vec<bool>, ExecError> {
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    let polled = fds.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN));
    let mut polled: Vec<_> = polled.collect();
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let is_over = left.is_some_and(|left| left.is_zero());
        match poll(&mut polled, left.map_or(PollTimeout::NONE, timeout)) {
            Err(Errno::EINTR) => {}
            Ok(0) if !is_over => {}
            Ok(_) => break,
            Err(e) => return Err(failed(e)),
        }
    }
    let is_ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
    Ok(polled.iter().map(is_ready).collect())
}

/// Returns the timeout in milliseconds, rounded up: poll(2) would otherwise return at once in the last one.
fn timeout(left: Duration) -> PollTimeout {
    let millis = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

fn failed(e: nix::Error) -> ExecError {
    ExecError::Enter(EnterError::Wait(e.into()))
}
