//! Runs a command that strace stops after a chosen call, so that the test can act before the next one.
//!
//! A stop lasts exactly as long as the test's action. A delay would be a guess.

use crate::support::Prefix;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    io::Read,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// The time limit of a command in seconds.
const LIMIT: &str = "120";

/// A system call with a path, as an uninterrupted run made it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    name: String,
    /// The number of the call among those of the same name in its process.
    nth: usize,
    /// The number of its process among those that make so many calls.
    process: usize,
    /// The paths that the kernel walks.
    pub(super) walks: Vec<Walk>,
    /// Whether it returns the present path of an open file or of the working directory.
    pub(super) returns_path: bool,
}

/// A walk of the kernel to a path.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    /// The directory from which it starts: `/`, or that of an open descriptor.
    from: PathBuf,
    pub(super) to: PathBuf,
}

impl Walk {
    /// Returns whether the kernel looks up the name of this file or directory. It does not look up the names of the
    /// directory from which the walk starts, nor of those above.
    pub(super) fn is_through(&self, place: &Path) -> bool {
        self.to.starts_with(place) && !self.from.starts_with(place)
    }
}

impl Call {
    /// Returns whether a program is started.
    pub(super) fn is_exec(&self) -> bool {
        self.name == "execve"
    }

    /// Returns whether one of its walks looks up the name of this file or directory.
    pub(super) fn is_through(&self, place: &Path) -> bool {
        self.walks.iter().any(|walk| walk.is_through(place))
    }
}

/// The end of a run.
#[derive(Debug)]
pub(super) struct End {
    pub(super) code: Option<i32>,
    pub(super) stderr: String,
    /// How many of the chosen calls were made.
    pub(super) stops: usize,
}

/// Runs a command, and returns its calls with a path, in order, and its end.
pub(super) fn calls(prefix: &Prefix, name: &str, args: &[String]) -> (Vec<Call>, End) {
    let (end, trace) = run(
        prefix,
        &["-y", "-s", "4096", "-e", "trace=%file"],
        name,
        args,
        |_| (),
    );
    let mut calls = Vec::new();
    let mut made: BTreeMap<(Pid, &str), usize> = BTreeMap::new();
    let mut processes: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for (pid, call, rest) in trace.lines().filter_map(called) {
        let nth = made.entry((pid, call)).or_default();
        *nth += 1;
        let process = processes.entry((call, *nth)).or_default();
        *process += 1;
        calls.push(Call {
            name: call.to_owned(),
            nth: *nth,
            process: *process,
            walks: walks(call, rest),
            returns_path: returns_path(call, rest),
        });
    }
    (calls, end)
}

/// Runs a command and acts after each of the chosen calls, which follow each other.
pub(super) fn stopped(
    prefix: &Prefix,
    chosen: &[&Call],
    name: &str,
    args: &[String],
    mut act: impl FnMut(),
) -> End {
    let names: Vec<&str> = chosen.iter().map(|call| &*call.name).collect();
    let mut options = vec!["-e".to_owned(), format!("trace={}", names.join(","))];
    for call in &names {
        let nths = chosen.iter().filter(|other| other.name == *call);
        let nths: Vec<usize> = nths.map(|call| call.nth).collect();
        let (first, last) = (nths.iter().min(), nths.iter().max());
        let (first, last) = (first.expect("a call"), last.expect("a call"));
        options.push("-e".to_owned());
        options.push(format!("inject={call}:signal=SIGSTOP:when={first}..{last}"));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut made: BTreeMap<(Pid, String), usize> = BTreeMap::new();
    let mut last: BTreeMap<Pid, String> = BTreeMap::new();
    let mut processes: BTreeMap<(String, usize), usize> = BTreeMap::new();
    let mut stops = 0;
    let (mut end, _) = run(prefix, &options, name, args, |line| {
        if let Some((pid, call, _)) = called(line) {
            *made.entry((pid, call.to_owned())).or_default() += 1;
            last.insert(pid, call.to_owned());
        } else if let Some(pid) = line.strip_suffix(" --- stopped by SIGSTOP ---") {
            let pid = Pid::from_raw(pid.trim().parse().expect("a PID"));
            let call = last.get(&pid).cloned().unwrap_or_default();
            let nth = made.get(&(pid, call.clone())).copied().unwrap_or_default();
            let process = processes.entry((call.clone(), nth)).or_default();
            *process += 1;
            let is_it = |chosen: &Call| {
                (&chosen.name, chosen.nth, chosen.process) == (&call, nth, *process)
            };
            if chosen.iter().copied().any(is_it) {
                act();
                stops += 1;
            }
            let _ = kill(pid, Signal::SIGCONT);
        }
    });
    end.stops = stops;
    end
}

/// Runs a command under strace, passes each line of the trace to a function when it is written, and returns the whole
/// trace.
fn run(
    prefix: &Prefix,
    options: &[&str],
    name: &str,
    args: &[String],
    mut each: impl FnMut(&str),
) -> (End, String) {
    let trace = prefix.write("trace/trace", "");
    // strace runs as the same user.
    fs::set_permissions(&trace, PermissionsExt::from_mode(0o666)).expect("a mode");
    let [stdout, stderr] = ["trace/stdout", "trace/stderr"].map(|path| prefix.join(path));
    let mut words = prefix.words(name);
    let program = words.pop().expect("the program");
    words.extend(["strace", "-f", "-o"].map(OsString::from));
    words.push(trace.clone().into());
    words.extend(options.iter().map(OsString::from));
    words.push(program);
    let file = |path: &Path| Stdio::from(File::create(path).expect("a file"));
    #[expect(clippy::disallowed_methods, reason = "it runs beside the test")]
    let mut command = Command::new("timeout");
    let command = command
        .args(["--signal=KILL", LIMIT])
        .args(words)
        .args(args)
        .env_clear()
        .envs(prefix.env())
        .current_dir(prefix.path())
        .stdin(Stdio::null())
        .stdout(file(&stdout))
        .stderr(file(&stderr))
        .process_group(0);
    let mut child = command.spawn().expect("timeout");
    let mut written = File::open(&trace).expect("a trace");
    let (mut text, mut read) = (String::new(), 0);
    let status = loop {
        let status = child.try_wait().expect("a child");
        written.read_to_string(&mut text).expect("a trace");
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        text[read..whole].lines().for_each(&mut each);
        read = whole.max(read);
        match status {
            Some(status) => break status,
            None => thread::sleep(Duration::from_micros(300)),
        }
    };
    let end = End {
        code: status.code(),
        stderr: String::from_utf8_lossy(&fs::read(&stderr).expect("a file")).into_owned(),
        stops: 0,
    };
    (end, text)
}

/// The process, the name and the arguments, if the line has the beginning of a call.
fn called(line: &str) -> Option<(Pid, &str, &str)> {
    let (pid, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let pid = pid.parse().ok().map(Pid::from_raw)?;
    is_name.then_some((pid, name, rest))
}

/// Returns whether a call returns the present path of an open file, which is the target of a symlink in `/proc`, or of
/// the working directory. The kernel then reads the names of all directories above.
fn returns_path(call: &str, args: &str) -> bool {
    call == "getcwd" || call.starts_with("readlink") && args.contains("\"/proc/")
}

/// The walks of a call. `strace -y` prints a path as `"/path"`, or as `AT_FDCWD</dir>, "path"`.
fn walks(call: &str, args: &str) -> Vec<Walk> {
    let pieces: Vec<&str> = args.split('"').collect();
    let mut texts: Vec<(&str, &str)> = pieces
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    // The target of a symlink is only printed, except that of one in `/proc`.
    if call.starts_with("readlink") && !returns_path(call, args) {
        texts.truncate(1);
    }
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    texts
        .map(|(before, text)| {
            let place = before.rsplit_once('<').map_or("", |(_, place)| place);
            let place = Path::new(place.split('>').next().unwrap_or_default());
            let to = place.join(text);
            // `..` leads to the directory above, whose name may have changed.
            let is_below = Path::new(text)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            let from = if is_below { place } else { Path::new("/") };
            Walk {
                from: from.into(),
                to,
            }
        })
        .collect()
}
