//! The forms of the error messages of compilers, linkers, make, shells, archivers, configure scripts and Portage.

/// How far a line explains a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It reports that something failed, and an earlier line contains the reason: `collect2: error: ld returned 1`.
    Consequence,
    /// It may be harmless, because scripts often go on after it: `ls: cannot access 'x': No such file or directory`.
    Weak,
    /// It is an error.
    Strong,
}

/// Parts of lines that report only a consequence.
const CONSEQUENCES: [&str; 13] = [
    "collect2: error: ",
    "compilation terminated",
    "ld returned 1 exit status",
    "clang: error: linker command failed",
    "recipe for target ",
    "Child returned status",
    "Error is not recoverable",
    "Exiting with failure status due to previous errors",
    "Waiting for unfinished jobs",
    "ninja: build stopped",
    "Can't recover from previous error",
    "cmd: error: subcommand failed",
    "Please submit a full bug report",
];

/// Parts of lines that are errors wherever they stand in a line. Quotation marks are `'`.
const ANYWHERE: [&str; 39] = [
    ": error: ",
    ": fatal error: ",
    ": Fatal error: ",
    ": Fatal: ",
    ": undefined reference to ",
    ": multiple definition of ",
    "undefined symbol: ",
    ": cannot find -l",
    ": cannot find crt",
    ": cannot find /",
    ": file not recognized: ",
    "unrecognised emulation mode",
    "internal compiler error",
    "virtual memory exhausted",
    "out of memory",
    "Cannot allocate memory",
    "memory exhausted",
    "No space left on device",
    "Disk quota exceeded",
    "Argument list too long",
    "Read-only file system",
    "Input/output error",
    "Too many open files",
    "Permission denied",
    "Operation not permitted",
    ": command not found",
    "Exec format error",
    "Cannot exec: ",
    "Bad system call",
    "cannot execute",
    "CMake Error",
    ": ERROR: ",
    " FAILED at ",
    "malformed patch at line",
    "can't find file to patch",
    "unexpected end of file",
    "checksum mismatch",
    "ACCESS DENIED: ",
    "No rule to make target ",
];

/// The beginnings of lines that are errors.
const AT_START: [&str; 16] = [
    "ISE:",
    "Fatal error: ",
    "error: ",
    "Error: ",
    "ERROR: ",
    "fatal: ",
    "fatal error: ",
    "LLVM ERROR: ",
    "ld: error: ",
    "ld.lld: error: ",
    "lld: error: ",
    "patch: ****",
    "*** These critical programs are missing",
    " * ACCESS DENIED",
    "Read-only file system",
    "Files matching a file type that is not allowed:",
];

/// The beginnings of Portage's own errors.
const PORTAGE: [&str; 14] = [
    "!!! ",
    "emerge: there are no ",
    " * Error: ",
    " * The following files cannot be fetched",
    " * Detected file collision",
    " * This package will overwrite",
    "Can not execute files in ",
    "[blocks B",
    "waiting for lock",
    "Waiting for lock",
    "Permission Denied: ",
    "Operation Not Permitted: ",
    "wget: ",
    "curl: (",
];

/// The reasons for which wget or the kernel ends a download.
const DOWNLOAD: [&str; 6] = [
    " failed: Connection refused",
    " failed: Connection timed out",
    " failed: No route to host",
    " failed: Network is unreachable",
    " ERROR 404: ",
    " ERROR 410: ",
];

/// Programs that scripts call although they may fail: their messages are weak.
const CASUAL: [&str; 14] = [
    "cat", "cd", "chmod", "cmp", "cp", "diff", "egrep", "find", "grep", "ls", "mv", "rm", "sed",
    "test",
];

/// Commands with which a line of make or of `set -x` begins. What they print appears on a line of its own.
const COMMANDS: [&str; 14] = [
    "echo ", "printf ", "if ", "for ", "test ", "case ", "sed ", "grep ", "@echo ", "+ ", "awk ",
    "while ", "set ", "( ",
];

/// Returns the text after the word of a configure script's error, which may follow the question that failed:
/// `checking whether build environment is sane... configure: error: newly created file is older`.
pub(super) fn configure_error(line: &str) -> Option<&str> {
    let (before, message) = match line.strip_suffix("configure: error:") {
        Some(before) => (before, ""),
        None => line.split_once("configure: error: ")?,
    };
    let is_own = before.is_empty() || before.starts_with("checking ") && before.contains("... ");
    is_own.then_some(message)
}

/// Returns the weight of a line with plain quotes. Returns `None` if the line is no error. `runs_programs` states
/// whether the line may be from a program other than Portage.
pub(super) fn weight(line: &str, runs_programs: bool) -> Option<Weight> {
    if line.is_empty() || line.len() > 2000 {
        return None;
    }
    if let Some(message) = configure_error(line) {
        // The next line contains the reason.
        return Some(match message.is_empty() || message.starts_with("in '") {
            true => Weight::Consequence,
            false => Weight::Strong,
        });
    }
    if line.starts_with("!!! Problem resolving dependencies") {
        return Some(Weight::Consequence);
    }
    if !runs_programs
        && (PORTAGE.iter().any(|start| line.starts_with(start))
            || DOWNLOAD.iter().any(|part| line.contains(part)))
    {
        return Some(Weight::Strong);
    }
    if is_command(line) || is_excerpt(line) || is_mild(line) {
        return None;
    }
    if CONSEQUENCES.iter().any(|part| line.contains(part)) {
        return Some(Weight::Consequence);
    }
    let program = line.split(':').next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let is_casual = CASUAL.contains(&program);
    if AT_START.iter().any(|start| line.starts_with(start)) {
        return Some(Weight::Strong);
    }
    if ANYWHERE.iter().any(|part| line.contains(part))
        || is_assembler(line)
        || is_shell_not_found(line)
        || is_killed(line)
        || is_python(line)
        || is_helper(line)
    {
        return Some(match is_casual {
            true => Weight::Weak,
            false => Weight::Strong,
        });
    }
    let is_missing = line.ends_with(": No such file or directory")
        || line.contains(": No such file or directory ")
        || line.contains(": cannot stat ")
        || line.contains(": not found");
    // The answers of configure scripts end so, too.
    (is_missing && !line.starts_with("checking ")).then_some(Weight::Weak)
}

/// Returns whether a line is a warning, a note or an answer of a configure script, which may quote an error.
fn is_mild(line: &str) -> bool {
    let mild = [
        ": warning: ",
        "warning: ",
        "Warning: ",
        "WARNING: ",
        ": note: ",
        "QA Notice",
    ];
    let first_mild = mild.iter().filter_map(|part| line.find(part)).min();
    let first_error = [": error: ", ": fatal error: ", ": Error: "]
        .iter()
        .filter_map(|part| line.find(part))
        .min();
    let answers = ["checking ", "configure: loading ", "config.status: "];
    answers.iter().any(|start| line.starts_with(start)) && !line.contains("/bin/sh: ")
        || first_mild.is_some_and(|mild| first_error.is_none_or(|error| mild < error))
        || line.ends_with(" (ignored)")
}

/// Returns whether a line is a command that make or a shell prints before it runs it.
fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    if COMMANDS.iter().any(|command| line.starts_with(command)) {
        return true;
    }
    // A compiler's command line: an option follows the program's name, and no message begins so.
    let mut words = line.split(' ');
    let first = words.next().unwrap_or_default();
    !first.ends_with(':')
        && words
            .next()
            .is_some_and(|word| word.starts_with('-') && word.len() > 1 && !word.ends_with(':'))
}

/// Returns whether a line is one of a source file that gcc or clang shows below a message: `   12 | error: x`.
fn is_excerpt(line: &str) -> bool {
    let Some((number, _)) = line.split_once('|') else {
        return false;
    };
    let number = number.trim();
    line.starts_with(' ') && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a line is an error of an assembler: `{standard input}:12: Error: no such instruction`.
fn is_assembler(line: &str) -> bool {
    line.split_once(": Error: ").is_some_and(|(place, _)| {
        place.rsplit_once(':').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// Returns whether a shell or make reports that it cannot find a program.
fn is_shell_not_found(line: &str) -> bool {
    let is_shell = [
        "sh: ",
        "/bin/sh: ",
        "bash: ",
        "/bin/bash: ",
        "make: ",
        "env: ",
        "/usr/bin/env: ",
    ]
    .iter()
    .any(|shell| line.starts_with(shell))
        || line.starts_with("make[") && line.contains("]: ")
        || line.contains(": line ");
    is_shell
        && !line.contains("***")
        && (line.ends_with(": not found")
            || line.ends_with(": Command not found")
            || line.ends_with(": No such file or directory"))
}

/// Returns whether a program was ended by the kernel: SIGKILL, or an access to memory that it does not have.
fn is_killed(line: &str) -> bool {
    let words = ["Killed", "Segmentation fault", "Bus error", "Aborted"];
    words.iter().any(|word| {
        line == *word
            || line
                .strip_prefix(word)
                .is_some_and(|rest| rest.starts_with(" (core dumped)") || rest.starts_with("  "))
            || line.contains(": line ") && line.contains(&format!(" {word} "))
    })
}

/// Returns whether a line is the last one of Python's traceback: `OSError: [Errno 30] Read-only file system`.
pub(super) fn is_python(line: &str) -> bool {
    let Some((name, _)) = line.split_once(": ") else {
        return line.ends_with("Error") && is_name(line);
    };
    is_name(name) && (name.ends_with("Error") || name.ends_with("Exception")) && name.len() > 5
}

/// Returns whether a line is an error of an ebuild's helper: `!!! dobin: no-such-program does not exist`.
fn is_helper(line: &str) -> bool {
    let message = { line.strip_prefix("!!! ") }.and_then(|line| line.split_once(": "));
    message.is_some_and(|(helper, _)| is_name(helper))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weight::{Consequence, Strong, Weak};

    /// This is a table: one row for each line.
    #[test]
    fn an_error_differs_from_a_line_that_contains_the_word() {
        for (line, wanted) in [
            (
                "a.c:1:2: error: expected ';' before '}' token",
                Some(Strong),
            ),
            (
                "a.c:1:10: fatal error: zlib.h: No such file or directory",
                Some(Strong),
            ),
            (
                "{standard input}:12: Error: no such instruction: 'blx r0'",
                Some(Strong),
            ),
            ("a.s: Assembler messages:", None),
            ("/usr/bin/ld: a.o: in function 'main':", None),
            ("a.c:(.text+0x5): undefined reference to 'f'", Some(Strong)),
            (
                "ld: cannot find -lc: No such file or directory",
                Some(Strong),
            ),
            (
                "collect2: error: ld returned 1 exit status",
                Some(Consequence),
            ),
            ("compilation terminated.", Some(Consequence)),
            (
                "gcc: fatal error: Killed signal terminated program cc1",
                Some(Strong),
            ),
            ("/bin/sh: 1: makeinfo: not found", Some(Strong)),
            ("make[1]: makeinfo: No such file or directory", Some(Strong)),
            ("Killed", Some(Strong)),
            (
                "configure: error: C compiler cannot create executables",
                Some(Strong),
            ),
            ("configure: error: in '/build/gcc':", Some(Consequence)),
            ("checking x... configure: error: no y", Some(Strong)),
            ("configure: error:", Some(Consequence)),
            ("!!! dobin: x does not exist", Some(Strong)),
            ("!!! Please attach the following file:", None),
            (
                "Makefile:12: recipe for target 'all' failed",
                Some(Consequence),
            ),
            ("make: *** No rule to make target 'x'.  Stop.", Some(Strong)),
            ("OSError: [Errno 28] No space left on device", Some(Strong)),
            (
                "ls: cannot access 'x': No such file or directory",
                Some(Weak),
            ),
            ("grep: /proc/x: Permission denied", Some(Weak)),
            // Lines that only contain the word.
            ("gcc -Wall -Werror -c error.c -o error.o", None),
            ("checking for strerror... yes", None),
            ("checking whether error: is printed... no", None),
            ("checking for makeinfo... /usr/bin/missing: not found", None),
            (
                "a.c:1:2: warning: unused variable 'error: x' [-Wunused]",
                None,
            ),
            (
                "cc1: warning: command-line option is not valid: error: ",
                None,
            ),
            (
                "a.c:3:4: error: unused [-Werror=unused] and warning: y",
                Some(Strong),
            ),
            ("   12 |   error: x", None),
            ("echo 'conf: error: no'", None),
            ("make[2]: [Makefile:3: probe] Error 1 (ignored)", None),
            ("config.status: creating error.h", None),
            ("mv -f .deps/error.Tpo .deps/error.Po", None),
            (
                "make[1]: *** Waiting for unfinished jobs....",
                Some(Consequence),
            ),
            ("", None),
        ] {
            assert_eq!(weight(line, true), wanted, "{line}");
        }
    }
}
