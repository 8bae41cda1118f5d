//! The two processes that stay beside a program in a PID namespace of its own.
//!
//! Outside, [`supervise`]: what the caller started. It keeps the binfmt_misc, writes the ids of the second user namespace, passes on
//! signals that somebody sent to it, and ends as the program does. Inside, [`run`]: the first process. It starts [`enter`], which does
//! the steps and becomes the program, waits for whatever loses its parent, and ends with the program. When it ends the kernel ends
//! everything else inside, and with the last process the mounts are gone: so a `kill -9` of either leaves nothing behind.
//!
//! The program runs beside the first process, so that one has nothing to find: no descriptor but the standard streams and of its
//! signals, `/` as its directory, and the program file by a read-only mount. All three are started before the root is another one: no
//! library or program of the root is ever a part of crossmerge.

use super::{
    enter::{self, Outside, error::EnterError},
    error::ExecError,
    image::become_program,
    inner,
    start::{OWN, environment, start},
};
use crossmerge_plan::{
    env::Env,
    plan::{
        Plan,
        step::{Namespaces, Step},
    },
};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal, kill, raise},
        signalfd::{SignalFd, siginfo},
        stat::{FileStat, Mode, SFlag, fstat},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, chdir, close, pipe2, tcgetpgrp, tcsetpgrp},
};
use std::{
    convert::Infallible,
    ffi::OsString,
    fs::{self, File},
    io::{self, IsTerminal},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::{fs::MetadataExt, process::CommandExt},
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
    let (of_table, steps) = enter::split_table(&plan.enter);
    enter::all(of_table, None)?;
    let table = enter::table(of_table);
    // The directory is one of the old root's.
    chdir("/").map_err(waiting)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let proc = open("/proc", flags, Mode::empty()).map_err(waiting)?;
    let (number, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(waiting)?;
    let (answer, ours) = pipe2(OFlag::O_CLOEXEC).map_err(waiting)?;
    for end in [&theirs, &answer] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::empty())).map_err(waiting)?;
    }
    let own = own_program();
    let program = own.as_ref().map_or(OWN.into(), |own| {
        format!("/proc/self/fd/{}", own.as_raw_fd())
    });
    let mut first = start(program);
    first
        .arg0(inner::INIT)
        .arg(format!("{},{}", theirs.as_raw_fd(), answer.as_raw_fd()))
        .arg(serde_json::to_string(steps).expect("plain data"))
        .arg(&plan.program)
        .args(&plan.args);
    environment(plan, &mut first);
    let child = first.spawn();
    let child = child.map_err(|e| EnterError::Namespaces(io::Error::other(e)))?;
    drop((theirs, answer, own));
    // A signal up to here ends us, and so the child. Held ones wait until it takes them, or has ended.
    let signals = Signals::hold().map_err(waiting)?;
    let locked = steps.iter().find_map(|step| match step {
        Step::Root(root) => root.locked.as_ref(),
        _ => None,
    });
    // Where that fails the one inside has ended, and said why.
    let _ = enter::map_for(File::from(number), ours.into(), &proc, locked);
    drop(proc);
    let code = signals.outside(&child).map_err(waiting)?;
    if let Some(Ok(group)) = foreground {
        let _ = tcsetpgrp(&terminal, group);
    }
    drop(table);
    std::process::exit(code)
}

/// This program by a mount that is read-only: the file of a running program can be found in `/proc`. `None` if its path leads to
/// another file by now; then only the kernel keeps it from being written while it runs.
fn own_program() -> Option<OwnedFd> {
    let path = std::fs::read_link(OWN).ok()?;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let running = identity(std::fs::metadata(OWN).ok()?);
    let mounted = enter::read_only_file(&path).ok()?;
    let stat = fstat(&mounted).ok()?;
    (running == (stat.st_dev, stat.st_ino)).then_some(mounted)
}

/// Is the first process of a namespace: `FDS STEPS PROGRAM ARGS…`. Both descriptors are closed when signals are waited for.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode, ExecError> {
    let waiting = |e: nix::Error| ExecError::Enter(EnterError::Wait(e.into()));
    let (fds, rest) = descriptors(args)?;
    close_all_but(fds).map_err(EnterError::Wait)?;
    refuse_directories()?;
    chdir("/").map_err(waiting)?;
    let ready = by_number(fds[0], true)?;
    // Where the one outside has ended before the kernel was told what that means, there is nobody who would read.
    set_pdeathsig(Signal::SIGKILL).map_err(waiting)?;
    let mut pipe = [PollFd::new(ready.as_fd(), PollFlags::empty())];
    poll(&mut pipe, PollTimeout::ZERO).map_err(waiting)?;
    if pipe[0].any() == Some(true) {
        return Err(waiting(Errno::EPIPE));
    }
    // It has none of our held signals, so they are held from now on only.
    let mut next = start(OWN);
    next.arg0(inner::INSIDE).arg(&args[0]).args(rest);
    let child = next.spawn();
    let child = child.map_err(|e| EnterError::Namespaces(io::Error::other(e)))?;
    let signals = Signals::hold().map_err(waiting)?;
    for fd in fds {
        close(fd).map_err(waiting)?;
    }
    drop(ready);
    let code = signals.inside(&child).map_err(waiting)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Does the steps beside the first process, and becomes the program: `FDS STEPS PROGRAM ARGS…`.
pub(super) fn enter(args: &[OsString]) -> Result<Infallible, ExecError> {
    let (fds, rest) = descriptors(args)?;
    let outside = Outside {
        number: by_number(fds[0], true)?,
        answer: by_number(fds[1], false)?,
    };
    for fd in fds {
        close(fd).map_err(|e| EnterError::Wait(e.into()))?;
    }
    let plan = inner::parse(rest)?;
    enter::all(&plan.enter, Some(outside))?;
    become_program(&plan, &Env::capture())
}

/// The two descriptors that the arguments name, and the rest.
fn descriptors(args: &[OsString]) -> Result<([RawFd; 2], &[OsString]), EnterError> {
    let (fds, rest) = args.split_first().ok_or(EnterError::Arguments)?;
    let fds = fds.to_str().and_then(|fds| fds.split_once(','));
    let (first, second) = fds.ok_or(EnterError::Arguments)?;
    match (first.parse(), second.parse()) {
        (Ok(first), Ok(second)) => Ok(([first, second], rest)),
        _ => Err(EnterError::Arguments),
    }
}

/// Opens once more what has the number, for this process alone.
fn by_number(fd: RawFd, is_to_write: bool) -> Result<File, EnterError> {
    let mut options = File::options();
    options.read(!is_to_write).write(is_to_write);
    let path = format!("/proc/self/fd/{fd}");
    options.open(path).map_err(EnterError::Wait)
}

/// Closes whatever the caller has left open, but for the standard streams: a descriptor of a directory leads out of any root.
fn close_all_but(kept: [RawFd; 2]) -> io::Result<()> {
    let is_closed = |fd: &RawFd| *fd > 2 && !kept.contains(fd);
    let all: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_closed)
        .collect();
    for fd in all {
        // That of the listing is closed already.
        let _ = close(fd);
    }
    Ok(())
}

/// Refuses a standard stream that is a directory: what is above it is not in the root.
fn refuse_directories() -> Result<(), EnterError> {
    let streams = [
        ("standard input", fstat(io::stdin())),
        ("standard output", fstat(io::stdout())),
        ("standard error", fstat(io::stderr())),
    ];
    let kind = |mode: u32| mode & SFlag::S_IFMT.bits();
    let is_directory = |stat: &nix::Result<FileStat>| {
        stat.is_ok_and(|stat| kind(stat.st_mode) == SFlag::S_IFDIR.bits())
    };
    match streams.iter().find(|(_, stat)| is_directory(stat)) {
        Some((name, _)) => Err(EnterError::Stream(name)),
        None => Ok(()),
    }
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

/// Returns whether somebody sent the signal, and not the kernel: sigaction(2), `si_code`.
fn is_sent(info: &siginfo) -> bool {
    info.ssi_code <= 0
}

/// Returns whether it is one of those that stop a job.
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
