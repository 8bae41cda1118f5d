//! Checks every hint of every run in the tests: a command in it must exist on the host and accept its arguments.
//!
//! A part of a hint is a command if it is in backticks and has several words or is the name of a program. Without
//! backticks, as in doctor's table, a hint is a command if it begins with a program and an option, a path or a
//! subcommand. `<tuple>`, `…` and words in capitals are placeholders.

use std::ffi::OsStr;

/// Programs of a bare system, each with its Debian package. On Gentoo all of them are in @system.
pub(crate) const BARE: [(&str, &str); 29] = [
    ("cat", "coreutils"),
    ("chmod", "coreutils"),
    ("chown", "coreutils"),
    ("cp", "coreutils"),
    ("df", "coreutils"),
    ("echo", "coreutils"),
    ("env", "coreutils"),
    ("find", "findutils"),
    ("findmnt", "util-linux"),
    ("grep", "grep"),
    ("head", "coreutils"),
    ("ln", "coreutils"),
    ("ls", "coreutils"),
    ("lsattr", "e2fsprogs"),
    ("mkdir", "coreutils"),
    ("modprobe", "kmod"),
    ("mount", "mount"),
    ("mv", "coreutils"),
    ("od", "coreutils"),
    ("ps", "procps"),
    ("rm", "coreutils"),
    ("rmdir", "coreutils"),
    ("sed", "sed"),
    ("sysctl", "procps"),
    ("umount", "mount"),
    ("uname", "coreutils"),
    ("unshare", "util-linux"),
    ("usermod", "passwd"),
    ("chattr", "e2fsprogs"),
];

/// The builtins of a shell.
const OF_SHELL: [&str; 11] = [
    "cd", "command", "eval", "exec", "export", "hash", "kill", "set", "type", "umask", "unset",
];

/// Programs that a hint names only if crossmerge found them in PATH: those of `distributions/`, which are package
/// managers and programs that run a command as root; Portage's, on Gentoo; autoreconf; and make, whose recipes name
/// it.
const FOUND_FIRST: [&str; 16] = [
    "make",
    "python3",
    "apk",
    "apt-get",
    "autoreconf",
    "crossdev",
    "dnf",
    "doas",
    "ebuild",
    "emerge",
    "eselect",
    "pacman",
    "portageq",
    "sudo",
    "xbps-install",
    "zypper",
];

/// Checks the hints in the output of a run that had this PATH.
#[track_caller]
pub(crate) fn check(said: &str, path: Option<&OsStr>) {
    for line in said.lines() {
        let Some((before, hint)) = line.split_once("hint: ") else {
            continue;
        };
        if before.trim().is_empty() {
            for command in commands(hint) {
                if let Err(why) = check_command(command, path) {
                    panic!("the hint {hint:?} has `{command}`: {why}");
                }
            }
        }
    }
}

/// The commands in a hint.
pub(crate) fn commands(hint: &str) -> Vec<&str> {
    match hint.contains('`') {
        true => hint
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|text| is_command(text))
            .collect(),
        false => Some(hint)
            .filter(|text| is_plain_command(text))
            .into_iter()
            .collect(),
    }
}

/// Returns whether text in backticks is a command. Other text is a name (`CC`, `/etc/passwd`, `--root DIR`) or a line
/// of a file (`leaks = "warn"`).
fn is_command(text: &str) -> bool {
    let mut words = text.split(' ');
    let first = words.next().unwrap_or_default();
    let second = words.next();
    let is_word =
        first.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '<') && second != Some("=");
    is_word && (second.is_some() || is_known(first))
}

/// Returns whether text without backticks is a command and not a sentence.
fn is_plain_command(text: &str) -> bool {
    let mut words = text.split(' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    first == "crossmerge"
        || first.contains('=')
        || is_known(first) && second.starts_with(['-', '/'])
        || second.starts_with('-')
}

fn is_known(program: &str) -> bool {
    is_bare(program)
        || OF_SHELL.contains(&program)
        || FOUND_FIRST.contains(&program)
        || is_of_target(program)
}

fn is_bare(program: &str) -> bool {
    BARE.iter().any(|(bare, _)| *bare == program)
}

/// Returns whether a program is named after a target: an applet, or a tool of its toolchain.
fn is_of_target(program: &str) -> bool {
    let is_applet = |name: &str| ["env", "run", "xkmake"].contains(&name);
    program.starts_with("<tuple>-")
        || program.starts_with("cross-")
        || program == "emerge-wrapper"
        || program == "crossdev"
        || program.matches('-').count() > 2
        || program
            .rsplit_once('-')
            .is_some_and(|(_, name)| is_applet(name))
}

/// Checks a command. Returns the reason if it would fail before it does anything.
fn check_command(command: &str, path: Option<&OsStr>) -> Result<(), String> {
    let text = command
        .replace("<tuple>", "aarch64-unknown-linux-gnu")
        .replace(" …", "")
        .replace('…', "");
    let text = text.replace(';', " ; ");
    let words = shell_words::split(&text).map_err(|e| e.to_string())?;
    for part in words.split(|word| ["&&", "||", "|", ";"].contains(&word.as_str())) {
        let is_before =
            |word: &&String| word.contains('=') || ["sudo", "doas"].contains(&word.as_str());
        let part: Vec<&String> = part.iter().skip_while(is_before).collect();
        let Some(program) = part.first() else {
            continue;
        };
        let name = program.rsplit('/').next().unwrap_or(program);
        if name == "crossmerge" {
            match crossmerge::cli::command().try_get_matches_from(&part) {
                Err(e) if e.exit_code() != 0 => return Err(e.to_string()),
                _ => {}
            }
        } else if FOUND_FIRST.contains(&name) {
            let mut directories = std::env::split_paths(path.unwrap_or_default());
            if !directories.any(|directory| directory.join(name).exists()) {
                return Err(format!("`{name}` is not in PATH"));
            }
            // The next command may be one that was just installed.
            if part.iter().any(|word| word.contains("install")) {
                break;
            }
        } else if !is_bare(name) && !OF_SHELL.contains(&name) && !is_of_target(name) {
            return Err(format!("a bare system has no `{name}`"));
        }
    }
    Ok(())
}
