//! The two processes that stay beside a program in a namespace of processes of its own.
//!
//! Outside, [`supervise`]: what the caller started. It waits, passes on signals that somebody sent to it, and ends as the program
//! does. Inside, [`run`]: the first process, which does the steps, starts the program, waits for whatever loses its parent, and ends with
//! the program. When it ends the kernel ends everything else inside, and with the last process the mounts are gone: so a `kill -9` of
//! either leaves nothing behind.

use super::{ExecError, command, enter, enter::EnterError, environment, inner, start};
use crate::plan::{Plan, step::Namespaces};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal, kill, raise},
        signalfd::{SignalFd, siginfo},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, close, pipe2, read, tcgetpgrp, tcsetpgrp},
};
use std::{
    convert::Infallible,
    ffi::OsString,
    io::{self, IsTerminal},
    os::{
        fd::{AsFd, AsRawFd, RawFd},
        unix::process::CommandExt,
    },
    process::{Child, ExitCode},
};

/// What a shell adds to the number of a signal that ended a program.
const SIGNALLED: i32 = 128;

/// Makes the namespaces, starts the first process in there with the steps and the program, and ends as the program does.
pub(super) fn supervise(namespaces: &Namespaces, plan: &Plan) -> Result<Infallible, ExecError> {
    let waiting = |e: nix::Error| ExecError::Enter(EnterError::Wait(e.into()));
    let terminal = io::stdin();
    // The program may be a shell, which makes its own jobs the terminal's and cannot give it back to a group that it does not see.
    let foreground = terminal.is_terminal().then(|| tcgetpgrp(&terminal));
    enter::namespaces(namespaces)?;
    let (ready, said) = pipe2(OFlag::O_CLOEXEC).map_err(waiting)?;
    fcntl(&said, FcntlArg::F_SETFD(FdFlag::empty())).map_err(waiting)?;
    let steps = serde_json::to_string(&plan.enter).expect("plain data");
    let mut first = start(super::OWN);
    first
        .arg0(inner::INIT)
        .args([said.as_raw_fd().to_string(), steps])
        .arg(&plan.program)
        .args(&plan.args);
    environment(plan, &mut first);
    let child = first.spawn();
    let child = child.map_err(|e| EnterError::Namespaces(io::Error::other(e)))?;
    drop(said);
    // A signal up to here ends us, and so the child. Held ones wait until it takes them, or has ended.
    let signals = Signals::hold().map_err(waiting)?;
    let _ = read(&ready, &mut [0]);
    let code = signals.outside(&child).map_err(waiting)?;
    if let Some(Ok(group)) = foreground {
        let _ = tcsetpgrp(&terminal, group);
    }
    std::process::exit(code)
}

/// Is the first process of a namespace: `FD STEPS PROGRAM ARGS…`. The descriptor is closed when signals are waited for.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode, ExecError> {
    let waiting = |e: nix::Error| ExecError::Enter(EnterError::Wait(e.into()));
    let (fd, args) = args.split_first().ok_or(EnterError::Arguments)?;
    let fd: RawFd = fd
        .to_str()
        .and_then(|fd| fd.parse().ok())
        .ok_or(EnterError::Arguments)?;
    let ready = std::fs::OpenOptions::new()
        .write(true)
        .open(format!("/proc/self/fd/{fd}"))
        .map_err(EnterError::Wait)?;
    close(fd).map_err(waiting)?;
    let plan = inner::parse(args)?;
    // Where the one outside has ended before the kernel was told what that means, there is nobody who would read.
    let end_with_parent = || {
        set_pdeathsig(Signal::SIGKILL)?;
        let mut pipe = [PollFd::new(ready.as_fd(), PollFlags::empty())];
        poll(&mut pipe, PollTimeout::ZERO)?;
        match pipe[0].any() {
            Some(true) => Err(Errno::EPIPE),
            _ => Ok(()),
        }
    };
    end_with_parent().map_err(waiting)?;
    enter::all(&plan.enter)?;
    // A change of user makes the kernel forget it.
    end_with_parent().map_err(waiting)?;
    // The program has none of our held signals, so they are held from now on only.
    let child = command(&plan).spawn();
    let child = child.map_err(|source| ExecError::new(&plan, source))?;
    let signals = Signals::hold().map_err(waiting)?;
    drop(ready);
    let code = signals.inside(&child).map_err(waiting)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Signals that wait until they are looked at. A program that is started later would have them wait too, and never look.
struct Signals(SignalFd);

impl Signals {
    fn hold() -> nix::Result<Self> {
        let all = SigSet::all();
        all.thread_block()?;
        Ok(Self(SignalFd::new(&all)?))
    }

    fn next(&self) -> nix::Result<(Option<Signal>, siginfo)> {
        loop {
            match self.0.read_signal() {
                Ok(Some(info)) => {
                    let number = i32::try_from(info.ssi_signo).unwrap_or_default();
                    return Ok((Signal::try_from(number).ok(), info));
                }
                Ok(None) | Err(Errno::EINTR) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits outside for the first process. What the terminal sends, the program has got as well.
    fn outside(&self, child: &Child) -> nix::Result<i32> {
        let child = pid(child);
        loop {
            if let Some(code) = code(waitpid(child, Some(WaitPidFlag::WNOHANG))?) {
                return Ok(code);
            }
            let (signal, info) = self.next()?;
            match signal {
                Some(signal) if signal != Signal::SIGCHLD => {
                    if is_sent(&info) {
                        let _ = kill(child, signal);
                    }
                    if is_stop(signal) {
                        raise(Signal::SIGSTOP)?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Waits inside, for whatever ends, until the program does.
    fn inside(&self, program: &Child) -> nix::Result<i32> {
        let program = pid(program);
        loop {
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                    Ok(status) if status.pid() == Some(program) => {
                        if let Some(code) = code(status) {
                            return Ok(code);
                        }
                    }
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(e) => return Err(e),
                }
            }
            // Who is inside may not end everything so; who is outside has no number here.
            if let (Some(signal), info) = self.next()?
                && signal != Signal::SIGCHLD
                && is_sent(&info)
                && info.ssi_pid == 0
            {
                let _ = kill(program, signal);
            }
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id"))
}

/// Tells whether somebody sent the signal, and not the kernel: sigaction(2), `si_code`.
fn is_sent(info: &siginfo) -> bool {
    info.ssi_code <= 0
}

/// Tells whether it is one of those that stop a job.
fn is_stop(signal: Signal) -> bool {
    matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU)
}

/// The exit code of what has ended, as shells have it.
fn code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(SIGNALLED + signal as i32),
        _ => None,
    }
}
