//! `argv` and `envp` for `execve` and `posix_spawn`, each in one allocation.
//!
//! This module applies a plan's changes to the environment, and resets SIGPIPE, which Rust ignores, to its default.
//! std's `Command` does both too, but sorts and copies every variable twice. For commands that a build calls thousands
//! of times, this is a considerable part of their run time.

use super::{error::ExecError, writable};
use crate::file::read::ANSWER;
use crossmerge_plan::{
    env::Env,
    plan::{Change, Plan, step::Step},
};
use nix::{
    errno::Errno,
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::{
        signal::{SigSet, Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::{Pid, dup2_stdout, execve},
};
use std::{
    convert::Infallible,
    ffi::{CStr, CString, OsStr, OsString},
    io::{self, PipeReader, Read},
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, process::ExitStatusExt},
    },
    process::{ExitStatus, Output},
};

/// The initial buffer for the output, in bytes. Few outputs need more.
const CAPACITY: usize = 2 << 10;

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

/// A running program whose stdout is a pipe to this process.
pub(super) struct Running {
    pid: Pid,
    stdout: PipeReader,
}

impl Image {
    /// Creates the image of a plan's program. The plan's changes apply to `env`.
    pub(super) fn new(plan: &Plan, env: &Env) -> io::Result<Self> {
        let program = plan.program.as_os_str();
        let args = plan.args.iter().map(OsString::as_os_str);
        Ok(Self {
            program: CString::new(program.as_bytes())?,
            args: Texts::of(
                &[program]
                    .into_iter()
                    .chain(args)
                    .map(|arg| [arg])
                    .collect::<Vec<_>>(),
            ),
            env: environment(plan, env),
        })
    }

    /// Replaces this process by the program (execve(2)). Returns only if that fails.
    pub(super) fn exec(&self) -> io::Result<Infallible> {
        sigpipe::reset();
        Ok(execve(&self.program, &self.args.all()?, &self.env.all()?)?)
    }

    /// Starts the program with its stdout on a pipe. It inherits stdin and stderr.
    pub(super) fn start(&self) -> io::Result<Running> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGPIPE);
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
        attributes.set_sigdefault(&signals)?;
        let nothing = PosixSpawnFileActions::init()?;
        let (args, env) = (self.args.all()?, self.env.all()?);
        let (stdout, theirs) = io::pipe()?;
        // The pipe replaces stdout of this process during the spawn, and the program inherits it. A file action would
        // have to be allocated, for which musl needs seven system calls.
        let ours = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(&theirs)?;
        pin_to_cpu();
        let program = self.program.as_c_str();
        let pid = posix_spawn(program, &nothing, &attributes, &args, &env);
        dup2_stdout(&ours)?;
        Ok(Running { pid: pid?, stdout })
    }
}

impl Running {
    /// Reads its output and waits for its end. Returns `None` if it prints too much, and kills it.
    pub(super) fn collect(self) -> io::Result<Option<Output>> {
        let mut stdout = Vec::with_capacity(CAPACITY);
        let read = (&self.stdout).take(ANSWER + 1).read_to_end(&mut stdout);
        let is_whole = stdout.len() as u64 <= ANSWER;
        if read.is_err() || !is_whole {
            // An error means that it has ended just now.
            let _ = kill(self.pid, Signal::SIGKILL);
        }
        let status = wait(self.pid)?;
        read?;
        Ok(is_whole.then_some(Output {
            status,
            stdout,
            stderr: Vec::new(),
        }))
    }
}

/// Pins this process and the program to the current CPU. They run in turns, and waking another CPU takes longer than
/// all of crossmerge's work.
fn pin_to_cpu() {
    let mut cpus = CpuSet::new();
    let current = sched_getcpu().and_then(|cpu| cpus.set(cpu));
    // After a failure, it only takes longer.
    let _ = current.and_then(|()| sched_setaffinity(Pid::from_raw(0), &cpus));
}

fn wait(pid: Pid) -> io::Result<ExitStatus> {
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
    image_of(plan, env)
        .and_then(|image| image.exec())
        .map_err(|source| ExecError::new(plan, source))
}

/// Creates the image of a plan's program, and warns root if another user could replace the program.
pub(super) fn image_of(plan: &Plan, env: &Env) -> io::Result<Image> {
    writable::warn_of(plan);
    Image::new(plan, env)
}
