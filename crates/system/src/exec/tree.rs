//! The supervisor of a job: crossmerge re-executed as `:tree`. It ends the whole process tree of a program.
//!
//! The supervisor is a subreaper (`PR_SET_CHILD_SUBREAPER` in prctl(2)): a process of the tree whose parent has ended
//! becomes a child of the supervisor, whatever its session and process group. So killing all children and waiting for
//! them, again and again until there are none, ends the tree level by level. Only children are killed: a PID of a child
//! cannot become that of another process before the supervisor waits for it.
//!
//! The supervisor leads a new session without a terminal. A background process that reads a terminal would be stopped
//! by SIGTTIN, and wait for ever.

use super::{
    enter::error::EnterError,
    error::ExecError,
    image::Streams,
    inner,
    interrupts::{self, ENDING, wait_for},
};
use crossmerge_plan::{env::Env, plan::Plan};
use nix::{
    errno::Errno,
    sys::{
        prctl::set_child_subreaper,
        signal::{SigSet, Signal, kill, killpg},
        signalfd::SignalFd,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, close, getpid, read, setsid, write},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt, fs,
    io::{self, stdin},
    os::fd::{AsFd, RawFd},
    process::ExitCode,
    str::FromStr,
    time::{Duration, Instant},
};

/// The grace period after SIGINT, SIGTERM or SIGHUP to the supervisor.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait between two searches for children, if none of them ends meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// How long no child can be found that may be killed, until that is reported. Later searches have this pause too.
const PATIENCE: Duration = Duration::from_secs(1);

/// The children of the calling thread, separated by spaces. Linux has it since 3.5, with `CONFIG_PROC_CHILDREN`.
const CHILDREN: &str = "/proc/thread-self/children";

/// A message of the supervisor to the process that started it. Each is one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The program runs.
    Started(Pid),
    /// The program did not start: the number of the error.
    Failed(i32),
    /// The PIDs of children that cannot be killed. Empty if children cannot be found.
    Left(Vec<i32>),
    /// All processes have ended: the status of the program, encoded as by wait(2).
    Ended(i32),
}

/// The message to the supervisor: ends the tree with this grace period.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop(pub(super) Duration);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(pid) => writeln!(f, "started {pid}"),
            Self::Failed(number) => writeln!(f, "failed {number}"),
            Self::Ended(status) => writeln!(f, "ended {status}"),
            Self::Left(pids) => {
                f.write_str("left")?;
                pids.iter().try_for_each(|pid| write!(f, " {pid}"))?;
                writeln!(f)
            }
        }
    }
}

impl Message {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
        let kind = words.next()?;
        let numbers: Result<Vec<i32>, _> = words.map(str::parse).collect();
        match (kind, numbers.ok()?.as_slice()) {
            ("started", [pid]) => Some(Self::Started(Pid::from_raw(*pid))),
            ("failed", [number]) => Some(Self::Failed(*number)),
            ("ended", [status]) => Some(Self::Ended(*status)),
            ("left", pids) => Some(Self::Left(pids.to_vec())),
            _ => None,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        writeln!(f, "{millis}")
    }
}

impl FromStr for Stop {
    type Err = std::num::ParseIntError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        Ok(Self(Duration::from_millis(line.trim().parse()?)))
    }
}

/// Runs the supervisor. The arguments are `FDS STEPS PROGRAM ARGS…`. Standard input is the socket, and FDS are the
/// descriptors to keep, separated by commas.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode, ExecError> {
    let (kept, rest) = args.split_first().ok_or(EnterError::Arguments)?;
    let kept = descriptors(kept).ok_or(EnterError::Arguments)?;
    let plan = inner::parse(rest)?;
    match Tree::start(&plan, &kept) {
        Ok(mut tree) => {
            send(&Message::Started(tree.program));
            let status = tree.watch();
            // The receiver of the message may rely on their end, for example take a lock.
            for fd in kept {
                let _ = close(fd);
            }
            if let Some(status) = status {
                send(&Message::Ended(status));
            }
        }
        Err(e) => send(&Message::Failed(
            e.raw_os_error().unwrap_or(Errno::EINVAL as i32),
        )),
    }
    Ok(ExitCode::SUCCESS)
}

fn descriptors(list: &OsStr) -> Option<Vec<RawFd>> {
    let words = list.to_str()?.split(',').filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

/// Sends a message. An error means that the other process has ended.
fn send(message: &Message) {
    let text = message.to_string();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stdin(), rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// A program with all processes that it starts.
struct Tree {
    signals: SignalFd,
    program: Pid,
    /// The end of the program.
    end: Option<End>,
    /// When all processes are killed.
    deadline: Option<Instant>,
    /// The children that were killed and have not been waited for.
    killed: BTreeSet<Pid>,
    /// Since when no child can be found that may be killed.
    stuck: Option<Instant>,
    /// Whether that has been reported.
    is_reported: bool,
    /// Whether the process that started the supervisor has ended.
    is_alone: bool,
    /// The received bytes of an incomplete message.
    received: Vec<u8>,
}

/// How the program ended.
#[derive(Clone, Copy)]
struct End {
    /// Its status, encoded as by wait(2). `None` after a real-time signal, which nix cannot represent.
    status: Option<i32>,
}

impl Tree {
    fn start(plan: &Plan, kept: &[RawFd]) -> io::Result<Self> {
        setsid()?;
        set_child_subreaper(true)?;
        // Ignored signals are queued too while they are blocked.
        SigSet::all().thread_block()?;
        let read = ENDING.into_iter().chain([Signal::SIGCHLD]);
        let signals = interrupts::open(&read.collect())?;
        let streams = Streams {
            null: &[0],
            closed: kept,
            ..Streams::INHERITED
        };
        let image = inner::image(plan, &Env::capture())?;
        let program = image.start_with(&streams, true, &SigSet::all())?.pid;
        Ok(Self {
            signals,
            program,
            end: None,
            deadline: None,
            killed: BTreeSet::new(),
            stuck: None,
            is_reported: false,
            is_alone: false,
            received: Vec::new(),
        })
    }

    /// Waits until all processes have ended, and returns the status of the program. A failure must not end the
    /// supervisor, which would leave the tree alone.
    fn watch(&mut self) -> Option<i32> {
        while self.reap() {
            let now = Instant::now();
            let kills = self.end.is_some() || self.deadline.is_some_and(|end| end <= now);
            let limit = match kills {
                true => {
                    self.kill_children();
                    Some(if self.is_reported { PATIENCE } else { PAUSE })
                }
                false => self.deadline.map(|end| end - now),
            };
            self.wait(limit);
        }
        self.end?.status
    }

    /// Waits for all children that have ended. Returns whether there are others.
    fn reap(&mut self) -> bool {
        loop {
            let (pid, status) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(WaitStatus::Exited(pid, code)) => (pid, code << 8),
                Ok(WaitStatus::Signaled(pid, signal, dumps_core)) => {
                    (pid, signal as i32 | if dumps_core { 0x80 } else { 0 })
                }
                Ok(_) | Err(Errno::EINTR) => continue,
                // A real-time signal has killed a child, which has been waited for.
                Err(Errno::EINVAL) => {
                    if self.end.is_none() && kill(self.program, None).is_err() {
                        self.end = Some(End { status: None });
                    }
                    continue;
                }
                // There are no children.
                Err(_) => return false,
            };
            self.killed.remove(&pid);
            if pid == self.program && self.end.is_none() {
                let status = Some(status);
                self.end = Some(End { status });
            }
        }
    }

    /// Waits for a signal or a message, and handles them.
    fn wait(&mut self, limit: Option<Duration>) {
        let socket = stdin();
        let mut fds = vec![self.signals.as_fd()];
        if !self.is_alone {
            fds.push(socket.as_fd());
        }
        match wait_for(&fds, limit) {
            Ok(ready) => {
                while let Some(signal) = interrupts::read(&self.signals) {
                    if signal != Signal::SIGCHLD {
                        self.stop(GRACE);
                    }
                }
                if ready.get(1) == Some(&true) {
                    self.receive();
                }
            }
            Err(_) => self.stop(Duration::ZERO),
        }
    }

    /// Receives the messages that have arrived.
    fn receive(&mut self) {
        let mut bytes = [0; 64];
        match read(stdin(), &mut bytes) {
            Err(Errno::EINTR) => return,
            Ok(0) | Err(_) => {
                self.is_alone = true;
                self.stop(Duration::ZERO);
            }
            Ok(read) => self.received.extend_from_slice(&bytes[..read]),
        }
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            if let Ok(Stop(grace)) = String::from_utf8_lossy(&line).parse() {
                self.stop(grace);
            }
        }
    }

    /// Sends SIGTERM to the program, once, and sets the time at which all processes are killed, or an earlier one.
    fn stop(&mut self, grace: Duration) {
        if self.end.is_none() && self.deadline.is_none() {
            // A stopped program receives the signal only when it continues.
            for signal in [Signal::SIGTERM, Signal::SIGCONT] {
                let _ = kill(self.program, signal);
            }
        }
        let end = Instant::now().checked_add(grace);
        self.deadline = self.deadline.into_iter().chain(end).min();
    }

    /// Kills all children. Those of a killed child become children of the supervisor.
    fn kill_children(&mut self) {
        let children = children().unwrap_or_else(|_| {
            // Without `/proc`, only the process group of the program is known.
            let _ = killpg(self.program, Signal::SIGKILL);
            Vec::new()
        });
        let mut refused = Vec::new();
        let mut is_ending = false;
        for child in children {
            if self.killed.contains(&child) || kill(child, Signal::SIGKILL).is_ok() {
                self.killed.insert(child);
                is_ending = true;
            } else {
                refused.push(child.as_raw());
            }
        }
        if is_ending {
            self.stuck = None;
            return;
        }
        let since = *self.stuck.get_or_insert_with(Instant::now);
        if !self.is_reported && since.elapsed() >= PATIENCE {
            self.is_reported = true;
            send(&Message::Left(refused));
        }
    }
}

/// Returns the children of this process.
fn children() -> io::Result<Vec<Pid>> {
    listed_children().or_else(|_| found_children())
}

/// Reads the children from the kernel's list of them. Processes that start a child and end at once, again and again, are
/// faster than [`found_children`].
fn listed_children() -> io::Result<Vec<Pid>> {
    let list = fs::read_to_string(CHILDREN)?;
    let pids = list.split_ascii_whitespace().map(str::parse);
    let pids: Result<Vec<i32>, _> = pids.collect();
    let pids = pids.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(pids.into_iter().map(Pid::from_raw).collect())
}

/// Finds the children among all processes in `/proc`.
fn found_children() -> io::Result<Vec<Pid>> {
    // An empty directory is no `/proc`.
    fs::metadata("/proc/self/stat")?;
    let this = getpid().as_raw();
    let is_child = |pid: &i32| {
        let stat = fs::read(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| parent(&stat) == Some(this))
    };
    let pids = fs::read_dir("/proc")?.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse().ok()
    });
    Ok(pids.filter(is_child).map(Pid::from_raw).collect())
}

/// Parses the parent from the text of `/proc/PID/stat`: `PID (NAME) STATE PARENT …` (proc_pid_stat(5)). The name can
/// contain anything.
fn parent(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = str::from_utf8(&stat[end + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::image::Image;
    use std::path::Path;

    #[test]
    fn a_message_is_parsed_as_it_is_written() {
        for message in [
            Message::Started(Pid::from_raw(12)),
            Message::Failed(2),
            Message::Left(vec![]),
            Message::Left(vec![3, 4]),
            Message::Ended(256),
        ] {
            let line = message.to_string();
            assert!(line.ends_with('\n'), "{line:?}");
            assert_eq!(Message::parse(line.as_bytes()), Some(message));
        }
        for line in ["", "started", "ended x", "ended 1 2", "other 1"] {
            assert_eq!(Message::parse(line.as_bytes()), None, "{line:?}");
        }
        for millis in [0, 1500, u64::MAX] {
            let stop = Stop(Duration::from_millis(millis));
            assert_eq!(stop.to_string().parse(), Ok(stop));
        }
        assert_eq!(descriptors("".as_ref()), Some(vec![]));
        assert_eq!(descriptors("3,14".as_ref()), Some(vec![3, 14]));
        assert_eq!(descriptors("3,x".as_ref()), None);
    }

    #[test]
    fn the_parent_is_read_past_any_name() {
        assert_eq!(parent(b"7 (sh) S 5 7 7 0"), Some(5));
        assert_eq!(parent(b"7 (a) S 1 (\xff) R) T 5 7"), Some(5));
        assert_eq!(parent(b"7 (sh"), None);
        assert_eq!(parent(b""), None);
    }

    #[test]
    fn both_searches_find_a_child() {
        let plan = Plan {
            program: "/bin/sleep".into(),
            args: vec!["1000".into()],
            ..Plan::default()
        };
        let image = Image::new(&plan, &Env::capture()).expect("an image");
        let child = image.start(&Streams::SILENT, false).expect("a child");
        let found = found_children().expect("the processes");
        assert!(found.contains(&child.pid), "{found:?}");
        if Path::new(CHILDREN).exists() {
            let listed = listed_children().expect("the children");
            assert!(listed.contains(&child.pid), "{listed:?}");
        }
        let pid = child.pid;
        child.stop();
        assert!(!found_children().expect("the processes").contains(&pid));
    }
}
