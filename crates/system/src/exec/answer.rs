//! The output of a program, read from its pipes while it runs, up to a limit.
//!
//! A program that printed without end would exhaust the memory. It is killed at the limit.

use crate::file::read::ANSWER;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    io::{self, Read},
    os::fd::AsFd,
    process::{Child, Output},
};

/// The number of bytes to read at once. Few programs print more.
const CHUNK: usize = 8 << 10;

/// Waits for a child process and returns its output on the streams that are pipes. Returns `None` if it prints too
/// much.
pub(super) fn collect(mut child: Child) -> io::Result<Option<Output>> {
    // Close stdin, so that a child waiting for end of file can go on.
    drop(child.stdin.take());
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let read = read(
        (&mut stdout, &mut out),
        (&mut stderr, &mut err),
        usize::try_from(ANSWER).unwrap_or(usize::MAX),
    );
    if !matches!(read, Ok(true)) {
        // An error means that it has ended just now.
        let _ = child.kill();
    }
    let status = child.wait()?;
    Ok(read?.then_some(Output {
        status,
        stdout: out,
        stderr: err,
    }))
}

/// Reads both streams to their ends. Returns whether neither exceeds the limit.
fn read<O: Read + AsFd, E: Read + AsFd>(
    (stdout, out): (&mut Option<O>, &mut Vec<u8>),
    (stderr, err): (&mut Option<E>, &mut Vec<u8>),
    limit: usize,
) -> io::Result<bool> {
    loop {
        let (has_out, has_err) = match (&*stdout, &*stderr) {
            (None, None) => return Ok(true),
            // With one stream there is nothing to poll for.
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(one), Some(other)) => ready(one, other)?,
        };
        if has_out {
            chunk(stdout, out)?;
        }
        if has_err {
            chunk(stderr, err)?;
        }
        if out.len() > limit || err.len() > limit {
            return Ok(false);
        }
    }
}

/// Waits until one of two streams can be read or has ended.
fn ready(one: &impl AsFd, other: &impl AsFd) -> io::Result<(bool, bool)> {
    let mut pipes = [one.as_fd(), other.as_fd()].map(|pipe| PollFd::new(pipe, PollFlags::POLLIN));
    match poll(&mut pipes, PollTimeout::NONE) {
        Err(nix::errno::Errno::EINTR) => return Ok((false, false)),
        polled => polled?,
    };
    let [one, other] = pipes.map(|pipe| pipe.any().unwrap_or(true));
    Ok((one, other))
}

/// Reads available bytes, and closes the stream at its end.
fn chunk(stream: &mut Option<impl Read>, text: &mut Vec<u8>) -> io::Result<()> {
    let Some(pipe) = stream else {
        return Ok(());
    };
    let before = text.len();
    text.resize(before + CHUNK, 0);
    let read = match pipe.read(&mut text[before..]) {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => {
            text.truncate(before);
            return Ok(());
        }
        read => read,
    };
    text.truncate(before + read.as_ref().map_or(0, |read| *read));
    if read? == 0 {
        *stream = None;
    }
    Ok(())
}
