//! Jobs with real processes. The log of most tests is a pipe, which all processes of the tree inherit: it is at its end
//! when the last of them has ended.
//!
//! This file has its own `main`, because crossmerge starts itself again as the supervisor, by `/proc/self/exe`. It
//! understands the arguments of libtest that cargo-nextest uses.

use crossmerge_plan::{
    env::Env,
    plan::{Change, Plan, step::Step},
};
use crossmerge_system::exec::{self, ExecError, Interrupts, Job, wait_for};
use nix::{
    fcntl::{Flock, FlockArg},
    sys::{
        signal::{Signal, kill, raise},
        stat::{Mode, fchmod},
        wait::waitpid,
    },
    unistd::{Pid, Uid, chown, geteuid, setuid},
};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, PipeReader, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    panic::catch_unwind,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// The longest time that any step of a test takes.
const LIMIT: Duration = Duration::from_secs(100);
/// A grace period that never ends.
const LONG: Duration = Duration::from_secs(1000);

macro_rules! tests {
    ($($name:ident)*) => { [$((stringify!($name), $name as fn())),*] };
}

const TESTS: [(&str, fn()); 17] = tests! {
    exit_codes_and_signals_differ
    a_program_that_does_not_start_is_an_error
    the_plan_changes_the_environment_and_the_directory
    both_streams_are_in_the_log_in_order
    a_program_ends_in_order_within_the_grace_period
    a_stopped_program_ends_in_order
    no_process_is_left_after_a_stop
    no_process_is_left_after_a_signal_to_the_supervisor
    no_process_is_left_after_the_end_of_the_parent
    no_process_is_left_after_a_drop
    a_process_that_the_program_leaves_behind_is_killed
    the_program_does_not_inherit_a_lock
    the_program_has_no_terminal_and_default_signals
    two_jobs_end_independently
    five_hundred_processes_are_ended
    a_process_of_another_user_is_reported
    signals_are_data_unless_they_are_ignored
};

fn main() -> ExitCode {
    let mut args = env::args_os();
    let argv0 = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    if let Some(result) = exec::run_inner(&argv0, &args) {
        return result.expect("an internal entry point");
    }
    match argv0.to_str() {
        Some("parent") => return parent(&args),
        Some("interrupts") => return interrupts(),
        Some("user") => return user(&args),
        Some("other") => return other(),
        _ => {}
    }
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let mut names = args.iter().filter_map(|arg| arg.to_str());
    let name = names.find(|arg| !arg.starts_with('-') && *arg != "terse");
    let is_chosen = |test: &str| {
        name.is_none_or(|name| match has("--exact") {
            true => test == name,
            false => test.contains(name),
        })
    };
    let mut code = ExitCode::SUCCESS;
    for (name, test) in TESTS.iter().filter(|(test, _)| is_chosen(test)) {
        let line = match has("--list") {
            true if has("--ignored") => continue,
            true => format!("{name}: test\n"),
            false => match catch_unwind(test) {
                Ok(()) => format!("test {name} ... ok\n"),
                Err(_) => {
                    code = ExitCode::FAILURE;
                    format!("test {name} ... FAILED\n")
                }
            },
        };
        io::stdout().write_all(line.as_bytes()).expect("stdout");
    }
    code
}

/// Starts a job whose program ends after a signal, as crossmerge does, and waits for it.
fn parent(args: &[OsString]) -> ExitCode {
    let log = io::stdout().as_fd().try_clone_to_owned().expect("a log");
    let lock = lock(Path::new(&args[1])).expect("the lock");
    let plan = shell(args[0].to_str().expect("a script"));
    let job = Job::start(&plan, &Env::capture(), &File::from(log), &[lock.as_fd()]);
    let job = job.expect("a job");
    let _ = wait_for(&[job.fd()], None);
    ExitCode::FAILURE
}

/// Prints the signals of [`Interrupts`] after three were raised.
fn interrupts() -> ExitCode {
    let interrupts = Interrupts::new().expect("a signalfd");
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        raise(signal).expect("a signal");
    }
    while let Some(signal) = interrupts.next() {
        writeln!(io::stdout(), "{signal}").expect("stdout");
    }
    ExitCode::SUCCESS
}

/// Becomes an ordinary user and ends a job with a process of root's.
fn user(args: &[OsString]) -> ExitCode {
    setuid(Uid::from_raw(65534)).expect("another user");
    let plan = Plan {
        program: "/bin/bash".into(),
        args: [
            "-c",
            "read -r line < <(exec -a other \"$0\"); echo \"$line\"; exit 3",
        ]
        .map(OsString::from)
        .into_iter()
        .chain([args[0].clone()])
        .collect(),
        ..Plan::default()
    };
    let log = io::stdout().as_fd().try_clone_to_owned().expect("a log");
    let job = Job::start(&plan, &Env::capture(), &File::from(log), &[]);
    let mut job = job.expect("a job");
    let error = loop {
        wait_for(&[job.fd()], None).expect("poll");
        match job.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => panic!("{status}"),
            Err(error) => break error,
        }
    };
    writeln!(io::stdout(), "{error}").expect("stdout");
    assert!(matches!(job.try_wait(), Ok(None)));
    ExitCode::SUCCESS
}

/// Becomes root by the mode of its file, and waits to be killed.
fn other() -> ExitCode {
    setuid(Uid::from_raw(0)).expect("root");
    writeln!(io::stdout(), "root {}", std::process::id()).expect("stdout");
    loop {
        nix::unistd::pause();
    }
}

fn lock(path: &Path) -> Option<Flock<File>> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let file = options.open(path).expect("the file of the lock");
    Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()
}

fn shell(script: &str) -> Plan {
    Plan {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        ..Plan::default()
    }
}

fn start(script: &str, log: &File) -> Job {
    Job::start(&shell(script), &Env::capture(), log, &[]).expect("a job")
}

/// Starts a script, and returns its job and its log.
fn piped(script: &str) -> (Job, Log) {
    let (log, write) = Log::new();
    (start(script, &write), log)
}

/// Waits for the end of a job.
fn end(job: &mut Job) -> Result<std::process::ExitStatus, ExecError> {
    loop {
        if let Some(status) = job.try_wait()? {
            return Ok(status);
        }
        let ready = wait_for(&[job.fd()], Some(LIMIT)).expect("poll");
        assert_eq!(ready, [true], "the job does not end");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test starts itself")]
fn this(argv0: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(argv0);
    command
}

/// The read end of a log, with what was read.
struct Log {
    pipe: PipeReader,
    text: String,
}

impl Log {
    fn new() -> (Self, File) {
        let (pipe, write) = io::pipe().expect("a pipe");
        let text = String::new();
        (Self { pipe, text }, File::from(OwnedFd::from(write)))
    }

    /// Reads more. Returns whether there was more.
    fn read(&mut self) -> bool {
        let ready = wait_for(&[self.pipe.as_fd()], Some(LIMIT)).expect("poll");
        assert_eq!(ready, [true], "a process keeps the log: {}", self.text);
        let mut bytes = [0; 4096];
        let read = self.pipe.read(&mut bytes).expect("the log");
        self.text += &String::from_utf8_lossy(&bytes[..read]);
        read > 0
    }

    /// Reads up to a line that begins with this word, and returns the rest of the line.
    fn after(&mut self, word: &str) -> String {
        loop {
            let mut lines = self.text.split_inclusive('\n');
            let found = lines.find_map(|line| line.strip_prefix(word)?.strip_suffix('\n'));
            if let Some(rest) = found {
                return rest.trim().into();
            }
            assert!(self.read(), "no `{word}`: {}", self.text);
        }
    }

    /// Reads up to the end, when no process of the tree is left.
    fn end(mut self) -> String {
        while self.read() {}
        self.text
    }
}

fn exit_codes_and_signals_differ() {
    for (script, code, signal) in [
        ("exit 0", Some(0), None),
        ("exit 3", Some(3), None),
        ("exit 143", Some(143), None),
        ("kill -TERM $$", None, Some(15)),
        ("kill -KILL $$", None, Some(9)),
    ] {
        let (mut job, log) = piped(script);
        let status = end(&mut job).expect("a status");
        assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
        let again = job.try_wait().expect("a status");
        assert_eq!(again, Some(status), "{script}");
        log.end();
    }
    // nix does not know real-time signals.
    let (mut job, log) = piped("kill -40 $$");
    let error = end(&mut job).expect_err("no status");
    assert!(matches!(error, ExecError::Supervisor { .. }), "{error}");
    log.end();
}

fn a_program_that_does_not_start_is_an_error() {
    let error = |program: &str| {
        let plan = Plan {
            program: program.into(),
            ..Plan::default()
        };
        let (log, write) = Log::new();
        let error = Job::start(&plan, &Env::capture(), &write, &[]).expect_err("an error");
        drop(write);
        assert_eq!(log.end(), "");
        error
    };
    let missing = error("/does/not/exist");
    assert!(matches!(missing, ExecError::NotFound(_)), "{missing}");
    let directory = error("/");
    let is_right = matches!(directory, ExecError::NotExecutable { .. });
    assert!(is_right, "{directory}");
}

fn the_plan_changes_the_environment_and_the_directory() {
    let mut plan = shell("echo $A $PWD; exit 6");
    plan.env.insert("A".into(), Change::Set("b".into()));
    plan.enter = vec![Step::Directory { path: "/".into() }];
    let (log, write) = Log::new();
    let mut job = Job::start(&plan, &Env::capture(), &write, &[]).expect("a job");
    drop(write);
    assert_eq!(end(&mut job).expect("a status").code(), Some(6));
    assert_eq!(log.end(), "b /\n");
}

fn both_streams_are_in_the_log_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("log");
    fs::write(&path, "before\n").expect("a file");
    let log = File::options().append(true).open(&path).expect("the log");
    let script =
        "i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done";
    let status = end(&mut start(script, &log)).expect("a status");
    assert!(status.success(), "{status}");
    let wanted = (0..1000).fold("before\n".to_owned(), |text, i| format!("{text}{i}\n"));
    assert_eq!(fs::read_to_string(&path).expect("the log"), wanted);
}

fn a_program_ends_in_order_within_the_grace_period() {
    let script = "trap 'echo ends; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let (job, mut log) = piped(script);
    log.after("ready");
    let status = job.stop(LONG).expect("a status");
    assert_eq!(status.code(), Some(7));
    assert_eq!(log.end(), "ready\nends\n");
}

fn a_stopped_program_ends_in_order() {
    let (job, mut log) = piped("echo ready $$; kill -STOP $$; echo not");
    let pid = log.after("ready");
    while !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|it| it.contains(") T ")) {
        std::thread::yield_now();
    }
    let status = job.stop(LONG).expect("a status");
    assert_eq!(status.signal(), Some(15));
    assert_eq!(log.end(), format!("ready {pid}\n"));
}

/// Processes that ignore SIGTERM: in the program's process group, in other sessions, without a parent, stopped, and
/// two that start others all the time.
const TREE: &str = r#"
trap '' TERM INT HUP
sleep 1000 &
(setsid sh -c 'sleep 1000 & setsid sleep 1000 & sleep 1000' &)
(sh -c 'kill -STOP $$' &)
(while :; do sleep 0.001 & sleep 0.01; done) &
again() { again & exit; }
(again) &
echo ready $PPID
while :; do sleep 1; done
"#;

fn no_process_is_left_after_a_stop() {
    for grace in [Duration::ZERO, Duration::from_millis(50)] {
        let (job, mut log) = piped(TREE);
        log.after("ready");
        let status = job.stop(grace).expect("a status");
        assert_eq!(status.signal(), Some(9));
        log.end();
    }
}

fn no_process_is_left_after_a_signal_to_the_supervisor() {
    let ends = TREE.replace("trap '' TERM INT HUP", "trap 'exit 9' TERM");
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let (mut job, mut log) = piped(&ends);
        let supervisor = log.after("ready").parse().expect("a PID");
        kill(Pid::from_raw(supervisor), signal).expect("a signal");
        let status = end(&mut job).expect("a status");
        assert_eq!(status.code(), Some(9), "{signal}");
        log.end();
    }
    // Without its supervisor, only the program's process group is known.
    let (mut job, mut log) = piped("sleep 1000 & echo ready $PPID; wait");
    let supervisor = log.after("ready").parse().expect("a PID");
    kill(Pid::from_raw(supervisor), Signal::SIGKILL).expect("a signal");
    let error = end(&mut job).expect_err("no status");
    assert!(matches!(error, ExecError::Supervisor { .. }), "{error}");
    log.end();
}

fn no_process_is_left_after_the_end_of_the_parent() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock");
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (mut log, write) = Log::new();
        let mut command = this("parent");
        command.arg(TREE).arg(&path).stdout(write);
        let mut parent = command.spawn().expect("the parent");
        drop(command);
        let supervisor = Pid::from_raw(log.after("ready").parse().expect("a PID"));
        let pid = Pid::from_raw(i32::try_from(parent.id()).expect("a PID"));
        assert!(lock(&path).is_none(), "the lock is not held");
        kill(supervisor, Signal::SIGSTOP).expect("a signal");
        kill(pid, signal).expect("a signal");
        let status = parent.wait().expect("a status");
        assert_eq!(status.signal(), Some(signal as i32));
        // The tree runs until the supervisor continues.
        assert!(lock(&path).is_none(), "the lock is not held");
        kill(supervisor, Signal::SIGCONT).expect("a signal");
        log.end();
        assert!(lock(&path).is_some(), "the lock is held");
    }
}

fn no_process_is_left_after_a_drop() {
    let (job, mut log) = piped(TREE);
    log.after("ready");
    drop(job);
    log.end();
}

fn a_process_that_the_program_leaves_behind_is_killed() {
    let (mut job, log) = piped("(setsid sleep 1000 &); sleep 1000 & exit 5");
    let status = end(&mut job).expect("a status");
    assert_eq!(status.code(), Some(5));
    log.end();
}

fn the_program_does_not_inherit_a_lock() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock");
    let held = lock(&path).expect("the lock");
    let (mut log, write) = Log::new();
    let script =
        "trap '' TERM; ls -l /proc/$$/fd /proc/self/fd; echo ready; while :; do sleep 1; done";
    let job = Job::start(&shell(script), &Env::capture(), &write, &[held.as_fd()]);
    let job = job.expect("a job");
    drop(write);
    log.after("ready");
    assert!(!log.text.contains("lock"), "{}", log.text);
    job.request_stop(LONG);
    assert!(lock(&path).is_none(), "the lock is not held");
    let status = job.stop(Duration::ZERO).expect("a status");
    assert_eq!(status.signal(), Some(9));
    log.end();
    drop(held);
    assert!(lock(&path).is_some(), "the lock is held");
}

fn the_program_has_no_terminal_and_default_signals() {
    let interrupts = Interrupts::new().expect("a signalfd");
    let script = "cat /proc/self/stat; grep -E 'Sig(Blk|Ign)' /proc/self/status; \
        readlink /proc/self/fd/0; echo ready $PPID";
    let (mut job, mut log) = piped(script);
    let supervisor = log.after("ready");
    end(&mut job).expect("a status");
    let text = log.end();
    let lines: Vec<&str> = text.lines().collect();
    let stat: Vec<&str> = lines[0].split(' ').collect();
    // The session, and the terminal: proc_pid_stat(5).
    assert_eq!(stat[5..7], [supervisor.as_str(), "0"], "{text}");
    assert_ne!(stat[4], supervisor, "{text}");
    // glibc ignores its two internal signals, 32 and 33, in every program that posix_spawn(3) starts.
    let bits = |line: &str| u64::from_str_radix(line.split_once('\t')?.1, 16).ok();
    let bits = [lines[1], lines[2]].map(|line| bits(line).map(|bits| bits & !(3 << 31)));
    assert_eq!(bits, [Some(0); 2], "{text}");
    assert_eq!(lines[3], "/dev/null");
    // Other programs that this process starts have no blocked signals either.
    let plan = shell("grep SigBlk /proc/self/status");
    let output = exec::capture(&plan, &Env::capture(), Duration::from_secs(60)).expect("an output");
    assert_eq!(output.stdout, b"SigBlk:\t0000000000000000\n");
    drop(interrupts);
}

fn two_jobs_end_independently() {
    let interrupts = Interrupts::new().expect("a signalfd");
    let (mut first, mut first_log) = piped("echo ready; exec sleep 1000");
    let (mut second, second_log) = piped("exit 4");
    first_log.after("ready");
    assert_eq!(end(&mut second).expect("a status").code(), Some(4));
    second_log.end();
    assert_eq!(first.try_wait().expect("a state"), None);
    let fds = [first.fd(), interrupts.fd()];
    let soon = Some(Duration::from_millis(20));
    assert_eq!(wait_for(&fds, soon).expect("poll"), [false, false]);
    raise(Signal::SIGTERM).expect("a signal");
    assert_eq!(wait_for(&fds, Some(LIMIT)).expect("poll"), [false, true]);
    assert_eq!(interrupts.next(), Some(Signal::SIGTERM));
    assert_eq!(interrupts.next(), None);
    first.request_stop(LONG);
    assert_eq!(end(&mut first).expect("a status").signal(), Some(15));
    first_log.end();
}

fn five_hundred_processes_are_ended() {
    let script = "i=0; while [ $i -lt 250 ]; do (sleep 1000 & exec setsid sleep 1000) & i=$((i+1)); done; \
        trap '' TERM; echo ready; while :; do sleep 1; done";
    let (job, mut log) = piped(script);
    log.after("ready");
    let begin = Instant::now();
    let status = job.stop(Duration::ZERO).expect("a status");
    assert_eq!(status.signal(), Some(9));
    log.end();
    let line = format!("500 processes ended in {:?}\n", begin.elapsed());
    io::stderr().write_all(line.as_bytes()).expect("stderr");
}

fn a_process_of_another_user_is_reported() {
    if !geteuid().is_root() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let shared = File::open(directory.path()).expect("the directory");
    fchmod(&shared, Mode::from_bits_truncate(0o755)).expect("its mode");
    let path = directory.path().join("other");
    fs::copy("/proc/self/exe", &path).expect("a copy");
    chown(&path, Some(Uid::from_raw(0)), None).expect("its owner");
    let program = File::open(&path).expect("the copy");
    fchmod(&program, Mode::from_bits_truncate(0o4755)).expect("its mode");
    drop(program);
    let (mut log, write) = Log::new();
    let mut command = this("user");
    command.arg(&path).stdin(Stdio::null()).stdout(write);
    let mut user = command.spawn().expect("the user's process");
    drop(command);
    let root = log.after("root");
    let error = log.after("`/bin/bash` has left processes that cannot be killed:");
    assert_eq!(error, root);
    assert!(user.wait().expect("a status").success());
    let pid = Pid::from_raw(root.parse().expect("a PID"));
    kill(pid, Signal::SIGKILL).expect("a signal");
    // The supervisor ends too.
    log.end();
    assert!(
        waitpid(pid, None).is_err(),
        "it is no child of this process"
    );
}

fn signals_are_data_unless_they_are_ignored() {
    let own = env::current_exe().expect("this file");
    let printed = |trap: &str| {
        let script = format!("{trap} exec -a interrupts \"$0\"");
        let plan = Plan {
            program: "/bin/bash".into(),
            args: vec![OsStr::new("-c").into(), script.into(), own.clone().into()],
            ..Plan::default()
        };
        let output =
            exec::capture(&plan, &Env::capture(), Duration::from_secs(60)).expect("an output");
        assert_eq!(output.status.code(), Some(0), "{trap}");
        String::from_utf8(output.stdout).expect("text")
    };
    let all = printed("");
    let mut lines: Vec<&str> = all.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["SIGHUP", "SIGINT", "SIGTERM"]);
    assert_eq!(printed("trap '' HUP INT;"), "SIGTERM\n");
}
