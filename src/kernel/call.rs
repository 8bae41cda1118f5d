//! The command line of make: its directory, assignments and goals, and whether it sets the number of jobs.
//!
//! Arguments are read as GNU make reads them, and are never changed. The same holds for MAKEFLAGS, in which a parent
//! make passes its own options on. Pure.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The parts of a make command line that matter before make starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MakeCall {
    /// The directory that make works in: the `-C` options, each relative to the one before. Empty for the current
    /// directory.
    pub directory: PathBuf,
    /// The Makefile of `-f`, if there is one.
    pub file: Option<OsString>,
    /// The goals, in order. Without any, make builds the tree's first goal.
    pub goals: Vec<OsString>,
    /// Whether the command line sets the number of jobs, or a parent make provides job slots.
    pub has_jobs: bool,
    /// Whether make only prints information about itself: `--version`, `--help`.
    pub asks_about_make: bool,
    variables: BTreeMap<OsString, OsString>,
}

/// Options that take an argument, joined or as the next argument. Source: GNU make's manual, "Summary of Options".
const WITH_ARGUMENT: &[u8] = b"CEIWfo";
/// Options whose argument is joined, or a number as the next argument.
const WITH_NUMBER: &[u8] = b"jl";
/// Options whose argument is joined or omitted.
const WITH_JOINED: &[u8] = b"O";

/// The long names of the options that take an argument, with their letters.
const LONG: [(&str, u8); 12] = [
    ("directory", b'C'),
    ("eval", b'E'),
    ("include-dir", b'I'),
    ("assume-new", b'W'),
    ("new-file", b'W'),
    ("what-if", b'W'),
    ("file", b'f'),
    ("makefile", b'f'),
    ("assume-old", b'o'),
    ("old-file", b'o'),
    ("load-average", b'l'),
    ("max-load", b'l'),
];

impl MakeCall {
    /// Reads the flags of the environment (GNUMAKEFLAGS and MAKEFLAGS), then the arguments.
    pub fn of<'a>(
        args: impl IntoIterator<Item = &'a OsString>,
        flags: impl IntoIterator<Item = &'a OsStr>,
    ) -> Self {
        let mut call = Self::default();
        for flags in flags {
            call.read(&words_of_flags(flags));
        }
        // The goals and the directory of a parent make do not apply to this one.
        let mut call = Self {
            has_jobs: call.has_jobs,
            variables: call.variables,
            ..Self::default()
        };
        let args: Vec<OsString> = args.into_iter().cloned().collect();
        call.read(&args);
        call
    }

    /// Returns the value that the command line gives a variable. It overrides the environment and every Makefile.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    fn read(&mut self, args: &[OsString]) {
        let mut args = args.iter().peekable();
        let mut options_end = false;
        while let Some(arg) = args.next() {
            let bytes = arg.as_bytes();
            if options_end || bytes == b"-" || !bytes.starts_with(b"-") {
                self.word(arg);
                continue;
            }
            if bytes == b"--" {
                options_end = true;
                continue;
            }
            let (letter, joined) = match bytes.strip_prefix(b"--") {
                Some(long) => self.long(long),
                None => self.short(&bytes[1..]),
            };
            let apart = match letter {
                Some(letter) if joined.is_none() && WITH_ARGUMENT.contains(&letter) => args.next(),
                Some(letter) if joined.is_none() && WITH_NUMBER.contains(&letter) => {
                    let is_number =
                        |next: &&OsString| next.as_bytes().first().is_some_and(u8::is_ascii_digit);
                    args.next_if(is_number)
                }
                _ => None,
            };
            let argument = joined
                .map(OsStr::from_bytes)
                .or(apart.map(OsString::as_os_str));
            match (letter, argument) {
                (Some(b'C'), Some(directory)) => self.directory.push(directory),
                (Some(b'f'), Some(file)) => {
                    self.file.get_or_insert_with(|| file.to_owned());
                }
                _ => {}
            }
        }
    }

    /// Reads the letters after a dash up to the first that takes an argument. Returns that letter, and its argument
    /// if joined.
    fn short<'a>(&mut self, letters: &'a [u8]) -> (Option<u8>, Option<&'a [u8]>) {
        for (at, &letter) in letters.iter().enumerate() {
            match letter {
                b'j' => self.has_jobs = true,
                b'h' | b'v' => self.asks_about_make = true,
                _ => {}
            }
            let takes_one = [WITH_ARGUMENT, WITH_NUMBER, WITH_JOINED]
                .iter()
                .any(|letters| letters.contains(&letter));
            if takes_one {
                let rest = &letters[at + 1..];
                return (Some(letter), (!rest.is_empty()).then_some(rest));
            }
        }
        (None, None)
    }

    /// Reads a long option, which may be abbreviated. Returns its letter if it takes an argument, and that argument
    /// if joined.
    fn long<'a>(&mut self, option: &'a [u8]) -> (Option<u8>, Option<&'a [u8]>) {
        let equals = option.iter().position(|&byte| byte == b'=');
        let (name, joined) = match equals {
            Some(at) => (&option[..at], Some(&option[at + 1..])),
            None => (option, None),
        };
        let name = String::from_utf8_lossy(name);
        // `--jobs`, or the `--jobserver-auth` or `--jobserver-fds` of a parent make.
        if name.starts_with('j') {
            self.has_jobs = true;
            return (Some(b'j'), joined);
        }
        self.asks_about_make |= ["help", "version"]
            .iter()
            .any(|long| name.len() > 1 && long.starts_with(&*name));
        let letter = LONG.iter().find(|(long, _)| long.starts_with(&*name));
        (letter.map(|(_, letter)| *letter), joined)
    }

    /// Reads an assignment or a goal.
    fn word(&mut self, arg: &OsStr) {
        let bytes = arg.as_bytes();
        let Some(at) = bytes.iter().position(|&byte| byte == b'=') else {
            self.goals.push(arg.to_owned());
            return;
        };
        let mut name = &bytes[..at];
        // NAME:=VALUE, NAME::=VALUE, NAME+=VALUE, NAME?=VALUE, NAME!=VALUE.
        while let [rest @ .., b':' | b'+' | b'?' | b'!' | b' '] = name {
            name = rest;
        }
        let (name, value) = (OsStr::from_bytes(name), OsStr::from_bytes(&bytes[at + 1..]));
        self.variables.insert(name.into(), value.into());
    }

    /// Returns the directory of make's output: O, which only a command line can set, else KBUILD_OUTPUT. Returns `None`
    /// if neither is set.
    pub fn output(&self, kbuild_output: Option<&OsStr>) -> Option<PathBuf> {
        let named = [
            self.variable("O"),
            self.variable("KBUILD_OUTPUT"),
            kbuild_output,
        ];
        let named = named
            .into_iter()
            .flatten()
            .find(|named| !named.is_empty())?;
        Some(self.directory.join(Path::new(named)))
    }
}

/// Splits MAKEFLAGS, in which a backslash quotes the next character. The first word may lack its dash.
fn words_of_flags(flags: &OsStr) -> Vec<OsString> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut is_inside = false;
    let mut bytes = flags.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        if byte.is_ascii_whitespace() {
            is_inside = false;
            continue;
        }
        if !is_inside {
            words.push(Vec::new());
            is_inside = true;
        }
        let byte = match byte {
            b'\\' => bytes.next().copied().unwrap_or(byte),
            _ => byte,
        };
        if let Some(word) = words.last_mut() {
            word.push(byte);
        }
    }
    if let Some(first) = words.first_mut()
        && !first.starts_with(b"-")
        && !first.contains(&b'=')
    {
        first.insert(0, b'-');
    }
    words.into_iter().map(OsString::from_vec).collect()
}

/// Returns whether make and the shells that it starts read a value as one word, unchanged.
pub fn is_one_word(value: &OsStr) -> bool {
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"/._+-~,@".contains(byte);
    value.as_bytes().iter().all(is_plain)
}

/// Returns the options of MAKEOPTS that limit the number of jobs and the load.
pub fn jobs_of(makeopts: &OsStr) -> Vec<OsString> {
    let mut words = words_of_flags(makeopts).into_iter().peekable();
    let mut jobs = Vec::new();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        let is_long = ["--jobs", "--load-average", "--max-load"]
            .iter()
            .any(|long| {
                let rest = bytes.strip_prefix(long.as_bytes());
                rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
            });
        if !is_long && !bytes.starts_with(b"-j") && !bytes.starts_with(b"-l") {
            continue;
        }
        let is_number = |word: &OsString| word.as_bytes()[0].is_ascii_digit();
        let apart = words.next_if(|word| (is_long || bytes.len() == 2) && is_number(word));
        jobs.push(word.clone());
        jobs.extend(apart);
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: &str, flags: &str) -> MakeCall {
        let args: Vec<OsString> = args
            .split(' ')
            .filter(|a| !a.is_empty())
            .map(Into::into)
            .collect();
        MakeCall::of(&args, [OsStr::new(flags)])
    }

    #[test]
    fn jobs_are_given_in_many_forms() {
        for (args, flags, has_jobs) in [
            ("", "", false),
            ("-j", "", true),
            ("-j4 zImage", "", true),
            ("-j 4", "", true),
            ("-kj4", "", true),
            ("-ksj", "", true),
            ("--jobs", "", true),
            ("--jobs=4", "", true),
            ("--job=4", "", true),
            ("--jobs 4", "", true),
            // Arguments of other options, and goals.
            ("-C -j", "", false),
            ("-f j", "", false),
            ("-Cj", "", false),
            ("-fkj", "", false),
            ("-Ojust", "", false),
            ("-l 4", "", false),
            ("-k -s V=1 j", "", false),
            ("-- -j4", "", false),
            ("X=-j4", "", false),
            // Flags of a parent make, or of the user.
            ("", "j4", true),
            ("", "kj", true),
            ("", "ks", false),
            ("", "-j4", true),
            ("", "w -j2 --jobserver-auth=3,4 -- ARCH=arm", true),
            ("", " -j --jobserver-fds=3,4", true),
            ("", " -j4 --jobserver-auth=fifo:/tmp/GMfifo1", true),
            ("", "w -- NAME=-j4 OTHER=a\\ -j4", false),
            ("", "NAME=j4", false),
        ] {
            assert_eq!(call(args, flags).has_jobs, has_jobs, "{args:?} {flags:?}");
        }
    }

    #[test]
    fn directories_goals_and_variables_are_those_that_make_sees() {
        for (args, directory, goals) in [
            ("", "", ""),
            ("zImage", "", "zImage"),
            ("-C /usr/src/linux modules", "/usr/src/linux", "modules"),
            ("-C linux -C sub", "linux/sub", ""),
            ("-C linux -C /sub", "/sub", ""),
            ("-Clinux -kC sub", "linux/sub", ""),
            ("--directory=linux all", "linux", "all"),
            ("--directory linux all", "linux", "all"),
            ("--dir linux all", "linux", "all"),
            ("-j 4 all", "", "all"),
            ("-j all", "", "all"),
            ("-l 2.5 all", "", "all"),
            ("--max-load 2 all", "", "all"),
            ("-o a -W b -I c -E d e", "", "e"),
            ("-O all", "", "all"),
            ("-- -C all", "", "-C all"),
            ("mrproper defconfig O=out all", "", "mrproper defconfig all"),
        ] {
            let call = call(args, "");
            let found: Vec<_> = call
                .goals
                .iter()
                .map(|goal| goal.to_string_lossy())
                .collect();
            assert_eq!(
                (call.directory.to_str(), found.join(" ").as_str()),
                (Some(directory), goals),
                "{args:?}"
            );
        }
        let made = call("ARCH=arm -k -- ARCH:=um B+=x=y C=", "w -- ARCH=sh O=/o");
        for (name, value) in [
            ("ARCH", Some("um")),
            ("B", Some("x=y")),
            ("C", Some("")),
            ("O", Some("/o")),
            ("D", None),
        ] {
            assert_eq!(made.variable(name), value.map(OsStr::new), "{name}");
        }
        assert_eq!(call("-f a -f b", "").file, Some("a".into()));
        for args in ["-v", "--version", "--vers", "-h", "-kh", "--help"] {
            assert!(call(args, "").asks_about_make, "{args}");
        }
        assert!(!call("-k help --debug=v -C -h", "").asks_about_make);
    }

    #[test]
    fn output_is_the_command_lines_before_the_environments_and_below_the_directory() {
        for (args, flags, environment, output) in [
            ("", "", None, None),
            ("O=out", "", Some("/env"), Some("out")),
            ("-C /linux O=out", "", None, Some("/linux/out")),
            ("-C /linux", "", Some("../env"), Some("/linux/../env")),
            ("-C /linux O=/out", "", None, Some("/out")),
            ("KBUILD_OUTPUT=here", "", Some("/env"), Some("here")),
            ("", "w -- O=/flags", Some("/env"), Some("/flags")),
            ("O=", "", Some("/env"), Some("/env")),
        ] {
            let found = call(args, flags).output(environment.map(OsStr::new));
            assert_eq!(
                found,
                output.map(PathBuf::from),
                "{args:?} {flags:?} {environment:?}"
            );
        }
    }

    #[test]
    fn a_value_is_one_word_if_make_and_a_shell_read_it_unchanged() {
        for (value, is_one) in [
            ("/mnt/board-2.1_a+b,c@d~", true),
            ("/mnt/Brücke", true),
            ("", true),
            ("/mnt/my board", false),
            ("/mnt/a\tb", false),
            ("/mnt/a:b", false),
            ("/mnt/$board", false),
            ("/mnt/#1", false),
            ("/mnt/a'b", false),
            ("/mnt/a;b", false),
            ("/mnt/a*", false),
        ] {
            assert_eq!(is_one_word(value.as_ref()), is_one, "{value:?}");
        }
    }

    #[test]
    fn makeopts_set_the_number_of_jobs_and_the_rest_is_ignored() {
        for (makeopts, jobs) in [
            ("-j8", "-j8"),
            ("-j 8 -k", "-j 8"),
            ("-j8 -l7.5 -s", "-j8 -l7.5"),
            (
                "--jobs=8 --load-average=7 --output-sync",
                "--jobs=8 --load-average=7",
            ),
            ("--jobs 8 V=1", "--jobs 8"),
            ("-j", "-j"),
            ("j3", "-j3"),
            ("-k", ""),
            ("", ""),
            ("--jobserver-style=pipe", ""),
        ] {
            let found: Vec<_> = jobs_of(makeopts.as_ref())
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            assert_eq!(found.join(" "), jobs, "{makeopts:?}");
        }
    }
}
