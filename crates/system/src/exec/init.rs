//! The two processes of crossmerge that accompany a program in a new PID namespace.
//!
//! - Outside, [`supervise`] is the process that the caller started. It keeps the binfmt_misc open, writes the id maps
//!   of the second user namespace, forwards signals, and ends with the exit code of the program.
//! - Inside, [`run`] is the first process. It starts [`enter`], which carries out the steps and executes the program,
//!   waits for orphaned processes, and ends with the program.
//!
//! When the first process ends, the kernel kills all others in the namespace, and the mounts disappear with the last
//! one. So `kill -9` of either process leaves nothing behind.
//!
//! The program can examine the first process in `/proc`, so the first process has nothing that leads out of the root:
//! only the standard streams and its signalfd as descriptors, `/` as its working directory, and its program file on a
//! read-only mount. All three processes start before the root changes, so crossmerge never loads a library or program
//! of the root.

use super::{
    enter::{self, Outside, error::EnterError},
    error::ExecError,
    image::{Image, Streams, become_program},
    inner,
    start::{OWN, start},
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

/// The number that a shell adds to that of the signal which killed a program.
const SIGNALLED: i32 = 128;

/// Creates the namespaces, starts the first process with the steps and the program, and ends with its exit code.
pub(super) fn supervise(
    namespaces: &Namespaces,
    plan: &Plan,
    env: &Env,
) -> Result<Infallible, ExecError> {
    let waiting = |e: nix::Error| ExecError::Enter(EnterError::Wait(e.into()));
    let terminal = io::stdin();
    // The program may be a shell. It makes its own jobs the foreground process group of the terminal, and cannot
    // restore the previous group, which is not visible in its PID namespace.
    let foreground = terminal.is_terminal().then(|| tcgetpgrp(&terminal));
    enter::namespaces(namespaces)?;
    let (of_table, steps) = enter::split_table(&plan.enter);
    enter::all(of_table, None)?;
    let table = enter::table(of_table);
    // The working directory is in the old root.
    chdir("/").map_err(waiting)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let proc = open("/proc", flags, Mode::empty()).map_err(waiting)?;
    let (number, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(waiting)?;
    let (answer, ours) = pipe2(OFlag::O_CLOEXEC).map_err(waiting)?;
    for end in [&theirs, &answer] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::empty())).map_err(waiting)?;
    }
    let own = own_program();
    let file = own.as_ref().map_or(OWN.into(), |own| {
        format!("/proc/self/fd/{}", own.as_raw_fd())
    });
    let fds = format!("{},{}", theirs.as_raw_fd(), answer.as_raw_fd());
    let before = [inner::INIT, &fds, &inner::to_arg(steps)];
    let first = Image::of_inner(&file, &before, plan, env);
    let child = first.and_then(|first| first.start(&Streams::INHERITED, false));
    let child = child.map_err(|e| EnterError::Namespaces(io::Error::other(e)))?;
    drop((theirs, answer, own));
    // Until here, a signal kills this process, and with it the child. From now on, signals are read from the signalfd.
    let signals = Signals::block().map_err(waiting)?;
    let locked = steps.iter().find_map(|step| match step {
        Step::Root(root) => root.locked.as_ref(),
        _ => None,
    });
    // If that fails, the process inside has ended and reported why.
    let _ = enter::map_for(File::from(number), ours.into(), &proc, locked);
    drop(proc);
    let code = signals.outside(child.pid).map_err(waiting)?;
    if let Some(Ok(group)) = foreground {
        let _ = tcsetpgrp(&terminal, group);
    }
    drop(table);
    std::process::exit(code)
}

/// Opens this program's file through a read-only mount, because a program inside can find it in `/proc`. Returns
/// `None` if the path leads to another file by now. Then only the kernel prevents writing to it, as to any running
/// program.
fn own_program() -> Option<OwnedFd> {
    let path = std::fs::read_link(OWN).ok()?;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let running = identity(std::fs::metadata(OWN).ok()?);
    let mounted = enter::read_only_file(&path).ok()?;
    let stat = fstat(&mounted).ok()?;
    (running == (stat.st_dev, stat.st_ino)).then_some(mounted)
}

/// Runs the first process of a PID namespace. The arguments are `FDS STEPS PROGRAM ARGS…`. It closes both descriptors
/// before it waits for signals.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode, ExecError> {
    let waiting = |e: nix::Error| ExecError::Enter(EnterError::Wait(e.into()));
    let (fds, rest) = descriptors(args)?;
    close_all_but(fds).map_err(EnterError::Wait)?;
    refuse_directories()?;
    chdir("/").map_err(waiting)?;
    let ready = by_number(fds[0], true)?;
    // If the process outside ended before the death signal was set, the pipe has no reader.
    set_pdeathsig(Signal::SIGKILL).map_err(waiting)?;
    let mut pipe = [PollFd::new(ready.as_fd(), PollFlags::empty())];
    poll(&mut pipe, PollTimeout::ZERO).map_err(waiting)?;
    if pipe[0].any() == Some(true) {
        return Err(waiting(Errno::EPIPE));
    }
    // The child must not inherit blocked signals, so they are blocked only after it has started.
    let mut next = start(OWN);
    next.arg0(inner::INSIDE).arg(&args[0]).args(rest);
    let child = next.spawn();
    let child = child.map_err(|e| EnterError::Namespaces(io::Error::other(e)))?;
    let signals = Signals::block().map_err(waiting)?;
    for fd in fds {
        close(fd).map_err(waiting)?;
    }
    drop(ready);
    let code = signals.inside(pid(&child)).map_err(waiting)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Carries out the steps and executes the program, as a child of the first process. The arguments are `FDS STEPS
/// PROGRAM ARGS…`.
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

/// Parses the two descriptors in the arguments, and returns them with the rest.
fn descriptors(args: &[OsString]) -> Result<([RawFd; 2], &[OsString]), EnterError> {
    let (fds, rest) = args.split_first().ok_or(EnterError::Arguments)?;
    let fds = fds.to_str().and_then(|fds| fds.split_once(','));
    let (first, second) = fds.ok_or(EnterError::Arguments)?;
    match (first.parse(), second.parse()) {
        (Ok(first), Ok(second)) => Ok(([first, second], rest)),
        _ => Err(EnterError::Arguments),
    }
}

/// Opens the file of an inherited descriptor again, with close-on-exec.
fn by_number(fd: RawFd, is_to_write: bool) -> Result<File, EnterError> {
    let mut options = File::options();
    options.read(!is_to_write).write(is_to_write);
    let path = format!("/proc/self/fd/{fd}");
    options.open(path).map_err(EnterError::Wait)
}

/// Closes all inherited descriptors except the standard streams and these, because an open directory leads out of the
/// root.
fn close_all_but(kept: [RawFd; 2]) -> io::Result<()> {
    let is_closed = |fd: &RawFd| *fd > 2 && !kept.contains(fd);
    let all: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_closed)
        .collect();
    for fd in all {
        // An error means the descriptor of the listing, which is closed already.
        let _ = close(fd);
    }
    Ok(())
}

/// Refuses a standard stream that is a directory, because its parent directories are outside the root.
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

/// A signalfd for all signals, which are blocked. A program that is started later would inherit the blocked signals.
struct Signals(SignalFd);

impl Signals {
    fn block() -> nix::Result<Self> {
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

    /// Waits, outside, for the first process. Signals from the terminal are not forwarded, because the program
    /// receives them too.
    fn outside(&self, child: Pid) -> nix::Result<i32> {
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

    /// Waits, inside, for all children until the program ends.
    fn inside(&self, program: Pid) -> nix::Result<i32> {
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
            // Processes inside must not control the program through the first process. A sender outside has no PID
            // here.
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

/// Returns whether a process sent the signal, and not the kernel: sigaction(2), `si_code`.
fn is_sent(info: &siginfo) -> bool {
    info.ssi_code <= 0
}

/// Returns whether the signal stops a job.
fn is_stop(signal: Signal) -> bool {
    matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU)
}

/// Returns the exit code of an ended process, as in shells. `None` if it has not ended.
fn code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(SIGNALLED + signal as i32),
        _ => None,
    }
}
