//! Programs that run beside this process and end with it, together with all processes that they start.
//!
//! The child process of this one is the supervisor, which is crossmerge itself: see `tree.rs`. Both have an end of a
//! socket. This process sends a [`Stop`], and the supervisor sends [`Message`]s. The kernel closes the socket however
//! this process ends, also by SIGKILL, and then the supervisor kills the tree. The parent-death signal of prctl(2)
//! cannot do that: it is sent when the *thread* that started the child ends.

use super::{
    child,
    error::ExecError,
    image::{Image, Streams},
    inner,
    interrupts::{Interrupts, wait_for},
    start::OWN,
    tree::{Message, Stop},
    writable,
};
use crossmerge_plan::{env::Env, plan::Plan};
use nix::{
    errno::Errno,
    sys::signal::{SigSet, Signal, kill, killpg},
    unistd::Pid,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    path::PathBuf,
    process::ExitStatus,
    time::Duration,
};

/// A program that runs beside this process, with all processes that it starts: its tree.
///
/// If this process ends in any way, the tree is killed, except processes of another user that it may not kill. If the
/// program ends, processes that it leaves behind are killed too. The tree has no terminal, so Ctrl-C reaches only this
/// process, which then calls [`Self::stop`]. Ctrl-Z stops only this process, and the job goes on.
///
/// Dropping a job kills its tree and waits until it has ended.
#[derive(Debug)]
pub struct Job {
    path: PathBuf,
    supervisor: Pid,
    program: Pid,
    socket: UnixStream,
    /// The received bytes of an incomplete message.
    received: Vec<u8>,
    state: State,
}

/// How a job ended.
#[derive(Debug)]
pub enum JobEnd {
    /// The program has ended.
    Exited(ExitStatus),
    /// A signal to this process ended the job.
    Interrupted(Signal),
}

#[derive(Debug)]
enum State {
    Runs,
    /// Some processes cannot be killed. The supervisor waits for them.
    Left,
    Ended(ExitStatus),
    /// The supervisor ended without the status of the program.
    Lost,
}

impl Job {
    /// Starts the program, with its steps, and with stdin on `/dev/null`. The plan's files and trials are not carried
    /// out. Both output streams are written to `log` at its current offset; open it with `O_APPEND` if several processes
    /// write to it.
    ///
    /// The supervisor keeps the descriptors `kept` open until the last process of the tree has ended. The program does
    /// not inherit them. So a lock of flock(2) is held as long as a process of the tree runs, even if this process is
    /// killed. But an explicit unlock releases it at once, and [`Flock`](nix::fcntl::Flock) unlocks when it is dropped:
    /// drop the job first.
    ///
    /// # Errors
    ///
    /// [`ExecError::NotFound`], [`ExecError::NotExecutable`] and [`ExecError::NotStarted`] if the program does not start.
    /// A step that fails is reported in the log, and the program then ends with exit code 125.
    /// [`ExecError::Supervisor`] if the supervisor does not start, for example because `/proc` is not mounted.
    pub fn start(
        plan: &Plan,
        env: &Env,
        log: &File,
        kept: &[BorrowedFd<'_>],
    ) -> Result<Self, ExecError> {
        writable::warn_of(plan);
        let supervised = |source| ExecError::Supervisor {
            path: plan.program.clone(),
            source,
        };
        let (socket, supervisor) = spawn(plan, env, log, kept).map_err(supervised)?;
        let mut job = Self {
            path: plan.program.clone(),
            supervisor,
            program: supervisor,
            socket,
            received: Vec::new(),
            state: State::Runs,
        };
        match job.receive() {
            Ok(Some(Message::Started(program))) => {
                job.socket.set_nonblocking(true).map_err(supervised)?;
                job.program = program;
                Ok(job)
            }
            Ok(Some(Message::Failed(number))) => {
                job.state = State::Lost;
                // The supervisor ends now.
                let _ = child::wait(supervisor);
                Err(ExecError::new(plan, io::Error::from_raw_os_error(number)))
            }
            _ => Err(job.lost()),
        }
    }

    /// The descriptor that is readable, for [`wait_for`], if [`Self::try_wait`] has news. It stays readable after the
    /// end of the job.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Returns the exit status of the program if its tree has ended. `None` if it has not. Never blocks.
    ///
    /// # Errors
    ///
    /// [`ExecError::Left`], once, if the program has ended and left processes that cannot be killed. Later calls return
    /// `None` until these have ended too. [`ExecError::Supervisor`] if the supervisor was killed: then the process group
    /// of the program is killed too, and other processes of the tree may be left. The same error if a real-time signal
    /// killed the program, because nix does not know these signals.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, ExecError> {
        if let State::Ended(status) = self.state {
            return Ok(Some(status));
        }
        loop {
            match self.receive() {
                Ok(None) => return Ok(None),
                Ok(Some(Message::Ended(status))) => {
                    let status = ExitStatus::from_raw(status);
                    self.state = State::Ended(status);
                    // The message is the last action of the supervisor.
                    let _ = child::wait(self.supervisor);
                    return Ok(Some(status));
                }
                Ok(Some(Message::Left(pids))) => {
                    self.state = State::Left;
                    let path = self.path.clone();
                    return Err(ExecError::Left { path, pids });
                }
                Ok(Some(_)) => {}
                Err(_) => return Err(self.lost()),
            }
        }
    }

    /// Waits until the tree has ended. A signal ends it earlier, as [`Self::request_stop`] describes.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::try_wait`].
    pub fn wait(mut self, interrupts: &Interrupts, grace: Duration) -> Result<JobEnd, ExecError> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(JobEnd::Exited(status));
            }
            wait_for(&[self.fd(), interrupts.fd()], None)?;
            if let Some(signal) = interrupts.next() {
                self.stop(grace)?;
                return Ok(JobEnd::Interrupted(signal));
            }
        }
    }

    /// Requests the end of the tree, and returns at once: SIGTERM to the program, and SIGKILL to every process that is
    /// left after the grace period or after the end of the program. A later call can only shorten the grace period.
    /// So several jobs can end at the same time.
    pub fn request_stop(&self, grace: Duration) {
        // An error means that the job has ended. `try_wait` returns why.
        let _ = (&self.socket).write_all(Stop(grace).to_string().as_bytes());
        if matches!(self.state, State::Runs) {
            // The supervisor may have been stopped too.
            let _ = kill(self.supervisor, Signal::SIGCONT);
        }
    }

    /// Ends the tree, as [`Self::request_stop`] describes, and returns the exit status of the program when no process
    /// is left.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::try_wait`].
    pub fn stop(mut self, grace: Duration) -> Result<ExitStatus, ExecError> {
        self.end(grace)
    }

    fn end(&mut self, grace: Duration) -> Result<ExitStatus, ExecError> {
        self.request_stop(grace);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            wait_for(&[self.fd()], None)?;
        }
    }

    /// Returns the next message. `None` if it has not arrived.
    fn receive(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let message = Message::parse(&line);
                return message
                    .map(Some)
                    .ok_or_else(|| io::ErrorKind::InvalidData.into());
            }
            let mut bytes = [0; 256];
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.received.extend_from_slice(&bytes[..read]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Kills what can still be found after the end of the supervisor.
    fn lost(&mut self) -> ExecError {
        if !matches!(self.state, State::Lost) {
            self.state = State::Lost;
            // It may be alive after a malformed message.
            let _ = kill(self.supervisor, Signal::SIGKILL);
            if self.program != self.supervisor {
                let _ = killpg(self.program, Signal::SIGKILL);
            }
            let _ = child::wait(self.supervisor);
        }
        ExecError::Supervisor {
            path: self.path.clone(),
            source: io::Error::other("the supervisor ended without its status"),
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if matches!(self.state, State::Runs) {
            // An error means that processes are left, for which the supervisor waits.
            let _ = self.end(Duration::ZERO);
        }
    }
}

/// Starts the supervisor. Its standard input is the socket.
fn spawn(
    plan: &Plan,
    env: &Env,
    log: &File,
    kept: &[BorrowedFd<'_>],
) -> io::Result<(UnixStream, Pid)> {
    let (ours, theirs) = UnixStream::pair()?;
    // A copy is never one of the standard streams, which are replaced first.
    let copies = kept.iter().map(|fd| fd.try_clone_to_owned());
    let kept: Vec<OwnedFd> = copies.collect::<io::Result<_>>()?;
    let numbers = kept.iter().map(|fd| fd.as_raw_fd().to_string());
    let numbers = numbers.collect::<Vec<_>>().join(",");
    let streams: [(BorrowedFd<'_>, RawFd); 3] =
        [(theirs.as_fd(), 0), (log.as_fd(), 1), (log.as_fd(), 2)];
    let same = kept.iter().map(|fd| (fd.as_fd(), fd.as_raw_fd()));
    let given: Vec<_> = streams.into_iter().chain(same).collect();
    let streams = Streams {
        given: &given,
        ..Streams::INHERITED
    };
    let before = [inner::TREE, &numbers, &inner::to_arg(&plan.enter)];
    let image = Image::of_inner(OWN, &before, plan, env)?;
    // An ignored SIGCHLD would hide the ends of the processes.
    match image.start_with(&streams, false, &SigSet::all()) {
        Ok(child) => Ok((ours, child.pid)),
        Err(e) if e.raw_os_error() == Some(Errno::ENOENT as i32) => {
            Err(io::Error::other(format!("cannot open `{OWN}`: {e}")))
        }
        Err(e) => Err(e),
    }
}
