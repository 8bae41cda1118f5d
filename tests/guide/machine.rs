//! The machine on which a page runs: `machine.sh` makes it, and it has a shell of root's and one of an ordinary
//! user's.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start programs, and there is no plan to go through"
)]

use crate::support::{CROSSMERGE, prepared};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

/// Ends the output of a command. The command's exit code follows.
const END: char = '\u{1}';

pub(super) struct Machine {
    /// Ends when its stdin is closed.
    process: Child,
    pub(super) root: Shell,
    pub(super) user: Shell,
}

/// A shell that keeps its working directory and its variables from one command to the next.
pub(super) struct Shell {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Machine {
    pub(super) fn new() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "the guide is run as root: run `make check` as root"
        );
        prepared("rust");
        let checkout = env!("CARGO_MANIFEST_DIR");
        let script = format!("{checkout}/tests/guide/machine.sh");
        let mut process = Command::new("unshare")
            .args(["--mount", "sh", &script, checkout, CROSSMERGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut pid = String::new();
        BufReader::new(process.stdout.take().expect("a pipe"))
            .read_line(&mut pid)
            .expect("a process id");
        let pid = pid.trim();
        assert!(!pid.is_empty(), "machine.sh made no machine");
        Self {
            root: Shell::start(pid, &[], "/root"),
            user: Shell::start(
                pid,
                &["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"],
                "/home/you",
            ),
            process,
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Shell {
    fn start(pid: &str, become_user: &[&str], home: &str) -> Self {
        let mut process = Command::new("nsenter")
            .args(["--user", "--mount", "--target", pid])
            .args(become_user)
            .args(["bash", "--noprofile", "--norc"])
            .env_clear()
            .env("HOME", home)
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nsenter");
        let mut shell = Self {
            stdout: BufReader::new(process.stdout.take().expect("a pipe")),
            process,
        };
        shell.run("exec 2>&1; umask 022; cd");
        shell
    }

    /// Runs a command, and returns what it printed on stdout and stderr, and its exit code.
    pub(super) fn run(&mut self, command: &str) -> (String, i32) {
        let command = shell_words::quote(command);
        writeln!(
            self.process.stdin.as_ref().expect("a pipe"),
            "eval {command} < /dev/null; printf '{END}%s\\n' $?"
        )
        .expect("the shell reads its stdin");
        let mut output = Vec::new();
        let end = u8::try_from(END).expect("one byte");
        self.stdout
            .read_until(end, &mut output)
            .expect("output of the shell");
        assert_eq!(output.pop(), Some(end), "the shell has ended: {command}");
        let mut code = String::new();
        self.stdout.read_line(&mut code).expect("a code");
        let output = String::from_utf8_lossy(&output).into_owned();
        (output, code.trim().parse().expect("a code"))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
