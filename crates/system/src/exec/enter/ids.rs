//! User namespaces and their id maps. Only a process outside the namespace may map more than its own ids:
//! user_namespaces(7).

use super::error::{EnterError, Result};
use crate::exec::{
    inner,
    start::{OWN, start},
};
use crossmerge_plan::plan::step::{MapWriter, Users, to_map};
use nix::{
    fcntl::{OFlag, openat},
    sched::{CloneFlags, unshare},
    sys::stat::Mode,
    unistd::getppid,
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{ExitCode, Stdio},
};

/// The connection from the process in a second user namespace to the one outside: a pipe in each direction.
pub(crate) struct Outside {
    /// The pipe for the PID of the process inside. It is closed when that process executes the program.
    pub(crate) number: File,
    /// The pipe for the answer: an empty line, or an error message.
    pub(crate) answer: File,
}

impl Outside {
    /// Returns the PID of this process in the mounted `/proc`, which is that of the process outside.
    pub(super) fn own_number() -> Result<String> {
        let number = std::fs::read_link("/proc/self");
        let number = number.map_err(|e| EnterError::Ids(format!("/proc/self: {e}")))?;
        Ok(number.display().to_string())
    }

    /// Enters a second user namespace, with a copy of the mounts that processes in it cannot change:
    /// mount_namespaces(7), "locked".
    pub(super) fn lock(mut self, number: &str) -> Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .map_err(|e| EnterError::Namespaces(e.into()))?;
        let sent = self.number.write_all(format!("{number}\n").as_bytes());
        let mut answer = String::new();
        let answered = sent.and_then(|()| self.answer.read_to_string(&mut answer));
        match (answered, answer.as_str()) {
            (Err(e), _) => Err(EnterError::Ids(e.to_string())),
            (Ok(_), "\n") => Ok(()),
            (Ok(_), why) => Err(EnterError::Ids(why.trim_end().into())),
        }
    }
}

/// Waits for a request, writes the id maps of the requesting process, and waits until the pipe is closed. `proc` is
/// the `/proc` in which its PID is valid.
pub(crate) fn map_for(
    number: impl Read,
    mut answer: File,
    proc: &OwnedFd,
    users: Option<&Users>,
) -> io::Result<()> {
    let mut number = BufReader::new(number);
    let mut line = String::new();
    number.read_line(&mut line)?;
    if let (Some(users), Ok(process)) = (users, line.trim_end().parse::<u32>()) {
        let written = write_maps(proc, &process.to_string(), users);
        // The requesting process reports a failure. If it has ended, the write fails, and this is ignored.
        let _ = match written {
            Ok(()) => answer.write_all(b"\n"),
            Err(e) => answer.write_all(e.to_string().as_bytes()),
        };
    }
    drop(answer);
    number.read_to_string(&mut line).map(drop)
}

/// Writes the id maps of a process's user namespace, in an open `/proc`.
fn write_maps(proc: impl AsFd, process: &str, users: &Users) -> io::Result<()> {
    for (file, ids) in [("uid_map", &users.uids), ("gid_map", &users.gids)] {
        let path = format!("{process}/{file}");
        let map = openat(
            &proc,
            path.as_str(),
            OFlag::O_WRONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        );
        let written = map
            .map_err(io::Error::from)
            .and_then(|map| File::from(map).write_all(to_map(ids).as_bytes()));
        written.map_err(|e| io::Error::new(e.kind(), format!("/proc/{path}: {e}")))?;
    }
    Ok(())
}

/// Moves the process into new namespaces, first into a user namespace if there are users for one.
pub(super) fn unshare_users(mut flags: CloneFlags, users: Option<&Users>) -> Result<()> {
    flags.set(CloneFlags::CLONE_NEWUSER, users.is_some());
    // The process that writes the id maps from outside has to start before this one enters the namespace.
    let helper = match users {
        Some(users) if users.map_writer != MapWriter::Inside => Some(start_ids(users)?),
        _ => None,
    };
    unshare(flags).map_err(|e| EnterError::Namespaces(e.into()))?;
    match (users, helper) {
        (_, Some(mut helper)) => {
            let sent = helper.stdin.take().map(|mut go| go.write_all(b"\n"));
            let ended = helper.wait_with_output();
            match (sent, ended) {
                (Some(Ok(())), Ok(output)) if output.status.success() => {}
                (_, Ok(output)) => {
                    let message = String::from_utf8_lossy(&output.stderr);
                    return Err(EnterError::Ids(message.trim_end().replace('\n', "; ")));
                }
                (_, Err(e)) => return Err(EnterError::Ids(e.to_string())),
            }
        }
        (Some(users), None) => {
            // Without this, only a privileged process may write gid_map: user_namespaces(7).
            let texts = [
                ("setgroups", "deny".into()),
                ("uid_map", to_map(&users.uids)),
                ("gid_map", to_map(&users.gids)),
            ];
            for (file, text) in texts {
                std::fs::write(format!("/proc/self/{file}"), text)
                    .map_err(|e| EnterError::Ids(format!("/proc/self/{file}: {e}")))?;
            }
        }
        (None, None) => {}
    }
    Ok(())
}

/// Starts crossmerge as the process that writes the id maps. It waits for a line on stdin.
fn start_ids(users: &Users) -> Result<std::process::Child> {
    let method = match users.map_writer {
        MapWriter::Newuidmap => "newuidmap",
        _ => "file",
    };
    let mut command = start(OWN);
    command
        .arg0(inner::IDS)
        .args([to_map(&users.uids), to_map(&users.gids), method.to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().map_err(|e| EnterError::Ids(e.to_string()))
}

/// Writes the id maps of the parent's user namespace, once the parent has entered it.
pub(crate) fn write_ids(args: &[OsString]) -> Result<ExitCode> {
    let [uids, gids, method] = args else {
        return Err(EnterError::Arguments);
    };
    let failed = |what: &str, e: io::Error| EnterError::Ids(format!("{what}: {e}"));
    let mut go = [0];
    if io::stdin().read(&mut go).map_err(|e| failed("stdin", e))? == 0 {
        // The parent could not create its namespace, and reports that.
        return Ok(ExitCode::SUCCESS);
    }
    let parent = getppid();
    for (file, command, map) in [
        ("uid_map", "newuidmap", uids),
        ("gid_map", "newgidmap", gids),
    ] {
        let map = map.to_str().ok_or(EnterError::Arguments)?;
        if method == "newuidmap" {
            let mut command = start(command);
            command.arg(parent.to_string()).args(map.split_whitespace());
            let status = command.status().map_err(|e| failed("newuidmap", e))?;
            if !status.success() {
                return Err(EnterError::Ids(format!("`{command:?}` failed")));
            }
        } else {
            let path = format!("/proc/{parent}/{file}");
            std::fs::write(&path, map).map_err(|e| failed(&path, e))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
