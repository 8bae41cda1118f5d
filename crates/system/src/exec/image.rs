//! A program with its arguments and environment: `argv` and `envp` for `execve` and `posix_spawn`, each in one
//! allocation.
//!
//! Every program of a plan starts here. This module applies the plan's changes to the environment, and resets SIGPIPE,
//! which Rust ignores, to its default. std's `Command` does both too, but sorts and copies every variable twice. For
//! commands that a build calls thousands of times, this is a considerable part of their run time.

use super::{child::Child, error::ExecError};
use crossmerge_plan::{
    env::Env,
    plan::{Change, Plan, step::Step},
};
use nix::{
    fcntl::OFlag,
    sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity},
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp},
    sys::{
        signal::{SigSet, Signal},
        stat::Mode,
    },
    unistd::{Pid, execve},
};
use std::{
    convert::Infallible,
    ffi::{CStr, CString, OsStr, OsString},
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, RawFd},
        unix::ffi::OsStrExt,
    },
};

/// A program with its arguments and environment, ready for execve(2).
pub(super) struct Image {
    program: CString,
    args: Texts,
    env: Texts,
}

/// C strings, one after the other in one buffer.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// The descriptors of a child process. Those that are not listed are this process's, unless they are close-on-exec.
pub(super) struct Streams<'a> {
    /// Those that are `/dev/null`.
    pub(super) null: &'a [RawFd],
    /// Those that are pipes to this process.
    pub(super) pipes: &'a [RawFd],
    /// Descriptors of this process, each with its number in the child. A descriptor keeps its own number only if it
    /// is above the others.
    pub(super) given: &'a [(BorrowedFd<'a>, RawFd)],
    /// Those that are closed although they are not close-on-exec.
    pub(super) closed: &'a [RawFd],
}

impl Streams<'_> {
    pub(super) const INHERITED: Self = Self {
        null: &[],
        pipes: &[],
        given: &[],
        closed: &[],
    };
    pub(super) const CAPTURED: Self = Self {
        pipes: &[1],
        ..Self::INHERITED
    };
    pub(super) const ASKED: Self = Self {
        null: &[0],
        pipes: &[1, 2],
        ..Self::INHERITED
    };
    pub(super) const SILENT: Self = Self {
        null: &[0, 1, 2],
        ..Self::INHERITED
    };
}

impl Image {
    /// Creates the image of a plan's program. The plan's changes apply to `env`.
    pub(super) fn new(plan: &Plan, env: &Env) -> io::Result<Self> {
        Self::of(plan.program.as_os_str(), &[], plan, env)
    }

    /// Creates the image of an internal entry point (`inner.rs`): crossmerge's own file, called with the words `before`
    /// in front of the plan's program and arguments, in the plan's environment.
    pub(super) fn of_inner(
        file: &str,
        before: &[&str],
        plan: &Plan,
        env: &Env,
    ) -> io::Result<Self> {
        Self::of(file.as_ref(), before, plan, env)
    }

    fn of(file: &OsStr, before: &[&str], plan: &Plan, env: &Env) -> io::Result<Self> {
        let before = before.iter().map(OsStr::new);
        let args = plan.args.iter().map(OsString::as_os_str);
        let args = before.chain([plan.program.as_os_str()]).chain(args);
        let args: Vec<_> = args.map(|arg| [arg]).collect();
        Ok(Self {
            program: CString::new(file.as_bytes())?,
            args: Texts::of(&args),
            env: environment(plan, env),
        })
    }

    /// Replaces this process by the program (execve(2)). Returns only if that fails.
    pub(super) fn exec(&self) -> io::Result<Infallible> {
        sigpipe::reset();
        Ok(execve(&self.program, &self.args.all()?, &self.env.all()?)?)
    }

    /// Starts the program in a child process, which may become the leader of a new process group. The descriptors of
    /// this process do not change meanwhile, so other threads can use them. No signal is blocked in the child, also if
    /// this process reads its own from a signalfd. Signals that this process ignores stay ignored, except SIGPIPE.
    pub(super) fn start(&self, streams: &Streams, leads: bool) -> io::Result<Child> {
        self.start_with(streams, leads, &SigSet::from(Signal::SIGPIPE))
    }

    /// Starts the program as [`Self::start`] does, and also resets these signals to their defaults.
    pub(super) fn start_with(
        &self,
        streams: &Streams,
        leads: bool,
        defaults: &SigSet,
    ) -> io::Result<Child> {
        let mut attributes = PosixSpawnAttr::init()?;
        let mut flags =
            PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
        attributes.set_sigdefault(defaults)?;
        attributes.set_sigmask(&SigSet::empty())?;
        if leads {
            flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
            attributes.set_pgroup(Pid::from_raw(0))?;
        }
        attributes.set_flags(flags)?;
        let mut actions = PosixSpawnFileActions::init()?;
        for fd in streams.null {
            actions.add_open(*fd, "/dev/null", OFlag::O_RDWR, Mode::empty())?;
        }
        let (mut pipes, mut theirs) = (Vec::new(), Vec::new());
        for fd in streams.pipes {
            let (read, write) = io::pipe()?;
            actions.add_dup2(write.as_raw_fd(), *fd)?;
            pipes.push(Some(read));
            theirs.push(write);
        }
        for (from, fd) in streams.given {
            actions.add_dup2(from.as_raw_fd(), *fd)?;
        }
        for fd in streams.closed {
            actions.add_close(*fd)?;
        }
        let (args, env) = (self.args.all()?, self.env.all()?);
        let pid = posix_spawnp(&self.program, &actions, &attributes, &args, &env)?;
        Ok(Child { pid, leads, pipes })
    }
}

/// Keeps this thread, and the programs that it starts, on the current CPU, until it is dropped.
///
/// If this thread only waits for the program, both run in turns, and waking another CPU takes longer than all of
/// crossmerge's work.
pub(super) struct Pinned(CpuSet);

impl Pinned {
    /// Returns `None` if the kernel does not allow it. Then it only takes longer.
    pub(super) fn to_current_cpu() -> Option<Self> {
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this).ok()?;
        let mut cpus = CpuSet::new();
        cpus.set(sched_getcpu().ok()?).ok()?;
        sched_setaffinity(this, &cpus).ok()?;
        Some(Self(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // After a failure, this thread stays on the CPU.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.0);
    }
}

fn environment(plan: &Plan, env: &Env) -> Texts {
    let is_empty = plan.enter.contains(&Step::EmptyEnvironment);
    let stays = |(name, _): &(&OsStr, &OsStr)| !is_empty && !plan.env.contains_key(*name);
    let set = plan.env.iter().filter_map(|(name, change)| match change {
        Change::Set(value) => Some((name.as_os_str(), value.as_os_str())),
        Change::Unset => None,
    });
    let variables = env.variables().filter(stays).chain(set);
    let mut texts = Vec::with_capacity(env.count() + plan.env.len());
    texts.extend(variables.map(|(name, value)| [name, OsStr::new("="), value]));
    Texts::of(&texts)
}

impl Texts {
    /// Builds the buffer. Each string is the concatenation of its parts.
    fn of<const N: usize>(texts: &[[&OsStr; N]]) -> Self {
        let length: usize = texts.iter().flatten().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(length + texts.len());
        let ends = texts.iter().map(|text| {
            let parts = text.iter().map(|part| part.as_bytes());
            parts.for_each(|part| bytes.extend_from_slice(part));
            bytes.push(0);
            bytes.len()
        });
        let ends = ends.collect();
        Self { bytes, ends }
    }

    /// Returns the strings. One that contains a NUL is an error.
    fn all(&self) -> io::Result<Vec<&CStr>> {
        let begins = [0].iter().chain(&self.ends);
        let texts = begins.zip(&self.ends);
        texts
            .map(|(begin, end)| {
                CStr::from_bytes_with_nul(&self.bytes[*begin..*end])
                    .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))
            })
            .collect()
    }
}

/// Replaces this process by the program of a plan whose steps have been carried out.
pub(super) fn become_program(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    Image::new(plan, env)
        .and_then(|image| image.exec())
        .map_err(|source| ExecError::new(plan, source))
}
