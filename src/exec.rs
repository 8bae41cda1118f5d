//! Does a plan: the only place that starts a program.
//!
//! A plan with steps is entered by the process that becomes the program: this one for [`exec`], else a child that is us under one of
//! the names in `inner.rs`.

mod answer;
mod enter;
mod image;
mod init;
mod inner;
mod told;
mod weak;

pub use enter::EnterError;
pub(crate) use inner::{is_inner, run as run_inner};
pub(crate) use told::ToldPath;

use crate::{
    env::Env,
    file::{self, read::ANSWER},
    plan::{Change, Plan, step::Step},
    report,
    words::show_file,
};
use image::Image;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    convert::Infallible,
    ffi::OsStr,
    fs,
    io::{self, Read, Seek},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Why a program did not start, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The kernel says there is no such file: it, or its interpreter, is gone.
    #[error("cannot start `{path}`: it, or the interpreter it names, does not exist", path = .0.display())]
    NotFound(PathBuf),
    /// It is there, and is no program that may be run.
    #[error("cannot start `{path}`: {source}", path = .path.display())]
    NotExecutable {
        /// The program.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It does not stop talking.
    #[error("`{path}` says more than {ANSWER} bytes, and was ended", path = .0.display())]
    TooMuch(PathBuf),
    /// A file that the program is to read cannot be written.
    #[error(transparent)]
    File(io::Error),
    /// A step before it failed.
    #[error(transparent)]
    Enter(#[from] EnterError),
}

impl ExecError {
    fn new(plan: &Plan, source: io::Error) -> Self {
        let path = plan.program.clone();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path),
            _ => Self::NotExecutable { path, source },
        }
    }

    /// What to look at.
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound(path) | Self::NotExecutable { path, .. } => {
                format!("look at it with `{}`", show_file(path))
            }
            Self::TooMuch(path) => {
                format!("see what it is: `{}`", show_file(path))
            }
            Self::Enter(e) => e.hint(),
            Self::File(e) if is_of_a_person(e) => {
                "name a folder that is yours: `export XDG_STATE_HOME=DIR`".into()
            }
            Self::File(e) => file::hint(e).unwrap_or_else(|| {
                "make its folder writable for you, or run this as the one it belongs to".into()
            }),
        }
    }

    /// 127 for a program that is not there, 126 for one that cannot be run, as shells have it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => report::NOT_FOUND,
            Self::NotExecutable { .. } => report::NOT_EXECUTABLE,
            Self::TooMuch(_) | Self::File(_) | Self::Enter(_) => report::OWN_FAILURE,
        }
    }
}

/// Tells whether an ordinary user may not write where their own files are kept: theirs is the choice of another place.
fn is_of_a_person(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && !crate::user::acts_for_system()
}

/// This program's own file, whatever became of its path.
const OWN: &str = "/proc/self/exe";

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one starter of programs"
)]
fn start(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// The program as a command, with its arguments and environment.
fn command(plan: &Plan) -> Command {
    weak::warn_of(plan);
    let mut command = start(&plan.program);
    command.args(&plan.args);
    environment(plan, &mut command);
    command
}

fn environment(plan: &Plan, command: &mut Command) {
    if plan.enter.contains(&Step::EmptyEnvironment) {
        command.env_clear();
    }
    for (name, change) in &plan.env {
        match change {
            Change::Set(value) => command.env(name, value),
            Change::Unset => command.env_remove(name),
        };
    }
}

/// Writes the plan's files, where they do not say the same already.
pub fn write_files(plan: &Plan) -> Result<(), ExecError> {
    let mut files = plan.files.iter();
    files.try_for_each(|file| file::keep(&file.path, file.text.as_bytes()).map_err(ExecError::File))
}

/// The program as a child's command, which does the steps first.
fn child(plan: &Plan) -> Command {
    match plan.enter.as_slice() {
        [] => command(plan),
        _ => inner::command(inner::ENTER, plan),
    }
}

/// Writes the plan's files, does its steps and becomes the program; or stays, when the steps make it the first of a namespace of
/// processes, and ends as the program does. The environment is the one that the plan changes. Returns only when that fails.
pub fn exec(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    write_files(plan)?;
    if let Some((Step::Namespaces(namespaces), rest)) = plan.enter.split_first()
        && namespaces.processes
    {
        let rest = Plan {
            enter: rest.to_vec(),
            files: Vec::new(),
            ..plan.clone()
        };
        return init::supervise(namespaces, &rest);
    }
    enter::all(&plan.enter, None)?;
    become_program(plan, env)
}

/// Becomes the program of a plan whose steps are done.
fn become_program(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    image(plan, env)
        .and_then(|image| image.replace_us())
        .map_err(|source| ExecError::new(plan, source))
}

/// Runs the program, and collects what it says on stdout; stdin and stderr are ours.
pub fn capture(plan: &Plan, env: &Env) -> Result<Output, ExecError> {
    if !plan.enter.is_empty() {
        let child = child(plan).stdout(Stdio::piped()).spawn();
        return answer(plan, child);
    }
    let running = image(plan, env).and_then(|image| image.start());
    running
        .and_then(image::Running::collect)
        .map_err(|source| ExecError::new(plan, source))?
        .ok_or_else(|| ExecError::TooMuch(plan.program.clone()))
}

/// The program with what it is started with.
fn image(plan: &Plan, env: &Env) -> io::Result<Image> {
    weak::warn_of(plan);
    Image::new(plan, env)
}

/// What a child says, all of it.
fn answer(plan: &Plan, child: io::Result<Child>) -> Result<Output, ExecError> {
    child
        .and_then(answer::collect)
        .map_err(|source| ExecError::new(plan, source))?
        .ok_or_else(|| ExecError::TooMuch(plan.program.clone()))
}

/// Runs the program, silent and without standard input, and says how it ended; none when it did not start, or not end
/// within the time.
pub fn try_within(plan: &Plan, limit: Duration) -> Option<ExitStatus> {
    const PAUSE: Duration = Duration::from_millis(2);
    let mut command = child(plan);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => thread::sleep(PAUSE),
            _ => {
                // It may have ended just now; either way it is gone after this.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Runs the program in a folder, without standard input, and collects what it says; none when it does not end within the time, and
/// then everything that it started is ended too.
pub fn run_within(
    plan: &Plan,
    folder: &Path,
    limit: Duration,
) -> Result<Option<Output>, ExecError> {
    const PAUSE: Duration = Duration::from_millis(2);
    // Not pipes: a program that fills one, or leaves it to a child, would not end.
    let place = file::temporary().map_err(ExecError::File)?;
    let said = |name| {
        let mut options = fs::File::options();
        let options = options.read(true).write(true).create_new(true);
        options
            .open(place.path().join(name))
            .map_err(ExecError::File)
    };
    let (mut stdout, mut stderr) = (said("stdout")?, said("stderr")?);
    let mut command = child(plan);
    command
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().map_err(ExecError::File)?)
        .stderr(stderr.try_clone().map_err(ExecError::File)?);
    let mut child = command
        .spawn()
        .map_err(|source| ExecError::new(plan, source))?;
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait().map_err(ExecError::File)? {
            Some(status) => break Some(status),
            None if Instant::now() < end => thread::sleep(PAUSE),
            None => break None,
        }
    };
    if let Ok(id) = i32::try_from(child.id()) {
        // What it left behind goes too. There may be nothing.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let Some(status) = status else {
        let _ = child.wait();
        return Ok(None);
    };
    let read = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().map_err(ExecError::File)?;
        let read = file.take(ANSWER + 1).read_to_end(&mut bytes);
        read.map_err(ExecError::File)?;
        match bytes.len() as u64 > ANSWER {
            true => Err(ExecError::TooMuch(plan.program.clone())),
            false => Ok(bytes),
        }
    };
    Ok(Some(Output {
        status,
        stdout: read(&mut stdout)?,
        stderr: read(&mut stderr)?,
    }))
}

/// Starts a program that should not start, and gives the kernel's reason; none when it did start, and then it is stopped.
pub fn refusal(program: &Path) -> Option<io::Error> {
    let plan = Plan {
        program: program.into(),
        ..Plan::default()
    };
    let mut command = command(&plan);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            // It may have ended just now; either way it is gone after this.
            let _ = child.kill();
            let _ = child.wait();
            None
        }
        Err(why) => Some(why),
    }
}

/// Runs the programs beside each other, without standard input, and collects what each one says, in their order.
pub fn query(plans: &[Plan]) -> Result<Vec<Output>, ExecError> {
    let started: Vec<_> = plans
        .iter()
        .map(|plan| {
            let mut command = child(plan);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn()
        })
        .collect();
    // Every child is waited for before the first failure is told.
    let answers: Vec<_> = started
        .into_iter()
        .zip(plans)
        .map(|(child, plan)| answer(plan, child))
        .collect();
    answers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_stop_talking_is_ended() {
        let plan = |script: &str| Plan {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            ..Plan::default()
        };
        for talks in ["exec yes", "exec yes >&2"] {
            let said = query(&[plan(talks), plan("echo a; echo b >&2; exit 3")]);
            assert!(matches!(said, Err(ExecError::TooMuch(_))), "{said:?}");
        }
        let said = query(&[plan("echo a; echo b >&2; exit 3")]).expect("an answer");
        let said = &said[0];
        assert_eq!(said.status.code(), Some(3));
        assert_eq!(
            (&said.stdout[..], &said.stderr[..]),
            (&b"a\n"[..], &b"b\n"[..])
        );
        let much = plan("yes | head -c 9000000; yes | head -c 9000000 >/dev/null");
        let much = capture(&much, &Env::capture()).expect("an answer");
        assert_eq!(much.stdout.len(), 9_000_000);
    }

    #[test]
    fn a_program_that_does_not_end_is_not_waited_for() {
        let run = |script: &str| {
            let plan = Plan {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), script.into()],
                env: crate::plan::Changes::new(),
                ..Plan::default()
            };
            let status = try_within(&plan, Duration::from_millis(500));
            status.and_then(|status| status.code())
        };
        let start = Instant::now();
        assert_eq!(run("exec sleep 1000"), None);
        assert!(start.elapsed() < Duration::from_secs(100));
        assert_eq!(run("exit 42"), Some(42));
        assert_eq!(run("kill -9 $$"), None);
    }
}
