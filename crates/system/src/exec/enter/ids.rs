//! User namespaces, and who writes which ids they have: user_namespaces(7) lets only a process outside write more than its own.

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

/// The process outside of a second user namespace, as the one inside sees it: a pipe in each direction.
pub(crate) struct Outside {
    /// For the number of the one inside. Closed when that has become the program.
    pub(crate) number: File,
    /// For the answer: an empty line, or why not.
    pub(crate) answer: File,
}

impl Outside {
    /// The number of this process in the `/proc` that is mounted now, which is that of the one outside.
    pub(super) fn own_number() -> Result<String> {
        let number = std::fs::read_link("/proc/self");
        let number = number.map_err(|e| EnterError::Ids(format!("/proc/self: {e}")))?;
        Ok(number.display().to_string())
    }

    /// Enters a second user namespace, with a copy of the mounts that nobody in there can change: mount_namespaces(7), "locked".
    pub(super) fn lock(mut self, number: &str) -> Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .map_err(|e| EnterError::Namespaces(e.into()))?;
        let asked = self.number.write_all(format!("{number}\n").as_bytes());
        let mut answer = String::new();
        let answered = asked.and_then(|()| self.answer.read_to_string(&mut answer));
        match (answered, answer.as_str()) {
            (Err(e), _) => Err(EnterError::Ids(e.to_string())),
            (Ok(_), "\n") => Ok(()),
            (Ok(_), why) => Err(EnterError::Ids(why.trim_end().into())),
        }
    }
}

/// Writes the ids of the namespace of the process that asks for it, and waits until there is nobody who could. `proc` is the `/proc`
/// that its number is of.
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
        // Who asked reports it; when they are gone, nobody does.
        let _ = match written {
            Ok(()) => answer.write_all(b"\n"),
            Err(e) => answer.write_all(e.to_string().as_bytes()),
        };
    }
    drop(answer);
    number.read_to_string(&mut line).map(drop)
}

/// Writes the ids of a process's namespace, found below an open `/proc`.
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

/// Moves the process into new namespaces of the flags, and into a user namespace first, if there are users for one.
pub(super) fn unshare_users(mut flags: CloneFlags, users: Option<&Users>) -> Result<()> {
    flags.set(CloneFlags::CLONE_NEWUSER, users.is_some());
    // Who tells the kernel of the ids from outside has to be outside already.
    let ids = match users {
        Some(users) if users.map_writer != MapWriter::Inside => Some(start_ids(users)?),
        _ => None,
    };
    unshare(flags).map_err(|e| EnterError::Namespaces(e.into()))?;
    match (users, ids) {
        (_, Some(mut ids)) => {
            let told = ids.stdin.take().map(|mut go| go.write_all(b"\n"));
            let ended = ids.wait_with_output();
            match (told, ended) {
                (Some(Ok(())), Ok(output)) if output.status.success() => {}
                (_, Ok(output)) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    return Err(EnterError::Ids(said.trim_end().replace('\n', "; ")));
                }
                (_, Err(e)) => return Err(EnterError::Ids(e.to_string())),
            }
        }
        (Some(users), None) => {
            // Without this no one but root may say which groups there are: user_namespaces(7).
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

/// Starts us as the one who tells of the ids, which waits for a line.
fn start_ids(users: &Users) -> Result<std::process::Child> {
    let told = match users.map_writer {
        MapWriter::Newuidmap => "newuidmap",
        _ => "file",
    };
    let mut command = start(OWN);
    command
        .arg0(inner::IDS)
        .args([to_map(&users.uids), to_map(&users.gids), told.to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().map_err(|e| EnterError::Ids(e.to_string()))
}

/// Tells the kernel which ids our parent's namespace has, once there is one.
pub(crate) fn tell_ids(args: &[OsString]) -> Result<ExitCode> {
    let [uids, gids, told] = args else {
        return Err(EnterError::Arguments);
    };
    let failed = |what: &str, e: io::Error| EnterError::Ids(format!("{what}: {e}"));
    let mut go = [0];
    if io::stdin().read(&mut go).map_err(|e| failed("stdin", e))? == 0 {
        // The parent did not get its namespace, and says so.
        return Ok(ExitCode::SUCCESS);
    }
    let parent = getppid();
    for (file, command, map) in [
        ("uid_map", "newuidmap", uids),
        ("gid_map", "newgidmap", gids),
    ] {
        let map = map.to_str().ok_or(EnterError::Arguments)?;
        if told == "newuidmap" {
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
