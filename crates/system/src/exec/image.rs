//! The program as the kernel takes it: its words and its environment, each put together once.
//!
//! Here is decided what of the environment goes along, and that SIGPIPE ends the program, which Rust has ignored. std's `Command` does
//! both, and sorts and copies every variable twice; for what is called thousands of times that is a good part of all we do.

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

/// The room for an answer at first, in bytes. Few answers need more.
const ROOM: usize = 2 << 10;

/// A program with everything that it is started with.
pub(super) struct Image {
    program: CString,
    args: Texts,
    env: Texts,
}

/// Texts as C has them, one behind the other.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// A program that runs, and answers us.
pub(super) struct Running {
    pid: Pid,
    stdout: PipeReader,
}

impl Image {
    /// The program of a plan, in that environment with the plan's changes.
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

    /// Becomes it. Returns only when the kernel refuses.
    pub(super) fn replace_us(&self) -> io::Result<Infallible> {
        sigpipe::reset();
        Ok(execve(&self.program, &self.args.all()?, &self.env.all()?)?)
    }

    /// Starts it with its stdout to us; stdin and stderr are ours.
    pub(super) fn start(&self) -> io::Result<Running> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGPIPE);
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
        attributes.set_sigdefault(&signals)?;
        let nothing = PosixSpawnFileActions::init()?;
        let (args, env) = (self.args.all()?, self.env.all()?);
        let (stdout, theirs) = io::pipe()?;
        // It inherits the pipe, which is our stdout for so long: a file action would have to be allocated, by musl with seven calls.
        let ours = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(&theirs)?;
        stay_here();
        let program = self.program.as_c_str();
        let pid = posix_spawn(program, &nothing, &attributes, &args, &env);
        dup2_stdout(&ours)?;
        Ok(Running { pid: pid?, stdout })
    }
}

impl Running {
    /// Collects what it says and waits for its end; none when it says too much, and then it is ended.
    pub(super) fn collect(self) -> io::Result<Option<Output>> {
        let mut stdout = Vec::with_capacity(ROOM);
        let read = (&self.stdout).take(ANSWER + 1).read_to_end(&mut stdout);
        let is_whole = stdout.len() as u64 <= ANSWER;
        if read.is_err() || !is_whole {
            // It may have ended just now; either way it is gone after this.
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

/// Keeps us and the program on one processor. We take turns, and to wake another one takes longer than all that we do.
fn stay_here() {
    let mut here = CpuSet::new();
    let stays = sched_getcpu().and_then(|cpu| here.set(cpu));
    // Where that cannot be, it only takes longer.
    let _ = stays.and_then(|()| sched_setaffinity(Pid::from_raw(0), &here));
}

fn wait(pid: Pid) -> io::Result<ExitStatus> {
    // As wait(2) writes it.
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
    /// Puts texts together, each from its parts.
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

    /// Each of them. One with a NUL in it is none that C could have.
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

/// Becomes the program of a plan whose steps are done.
pub(super) fn become_program(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    image_of(plan, env)
        .and_then(|image| image.replace_us())
        .map_err(|source| ExecError::new(plan, source))
}

/// The program with what it is started with.
pub(super) fn image_of(plan: &Plan, env: &Env) -> io::Result<Image> {
    writable::warn_of(plan);
    Image::new(plan, env)
}
