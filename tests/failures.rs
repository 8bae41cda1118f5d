//! Causes of failures: the logs of `tests/data/failures`, made by failing for real, and variations of them.

use crossmerge::toolchain::cause::{self, Cause, ConfigLog, Ended, Evidence, Machine, Step};
use std::{
    fs,
    io::{self, BufRead, Cursor},
    path::{Path, PathBuf},
    time::Duration,
};

/// A row of `cases.tsv`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    name: String,
    code: i32,
    phase: String,
    package: String,
    line: usize,
    error: String,
    /// What the failed command of the config.log printed, with the number of the line. Empty if there is none.
    printed: String,
    /// The known cause. Empty if there is none.
    known: String,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/failures")
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(directory().join("cases.tsv")).expect("cases.tsv");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [name, code, phase, package, line, error, printed, known] = columns[..] else {
            panic!("{row:?} has {} columns", columns.len());
        };
        let dash = |text: &str| text.strip_prefix('-').map_or(text, |_| "").to_owned();
        Case {
            name: name.into(),
            code: code.parse().expect("a code"),
            phase: phase.into(),
            package: dash(package),
            line: line.parse().expect("a line number"),
            error: error.into(),
            printed: dash(printed),
            known: dash(known),
        }
    })
    .collect()
}

fn log(case: &str) -> Vec<u8> {
    let path = directory().join(format!("logs/{case}.log"));
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The path and the text of a case's config.log. The first line of the file is its path.
fn config_log(case: &str) -> Option<(PathBuf, Vec<u8>)> {
    let text = fs::read(directory().join(format!("logs/{case}.config.log"))).ok()?;
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let path = String::from_utf8(text[..end].to_vec()).expect("a path");
    Some((path.into(), text[end + 1..].to_vec()))
}

/// Returns the cause of a failure whose log is `text`.
fn find(case: &str, code: i32, text: &[u8]) -> Option<Cause> {
    let file = config_log(case);
    let config_logs: Vec<ConfigLog> = { file.iter() }
        .map(|(path, _)| ConfigLog {
            path: path.clone(),
            modified: 1,
        })
        .collect();
    let open = |_: &Path| -> io::Result<Box<dyn BufRead>> {
        let (_, text) = file.clone().expect("a config.log");
        Ok(Box::new(Cursor::new(text)))
    };
    let machine = Machine {
        settings: "/prefix/etc/portage".into(),
        portage_tmpdir: "/prefix/var/tmp".into(),
        free_space: Some(5 << 20),
        memory: Some(4 << 30),
        oom_kills: None,
    };
    let evidence = Evidence {
        tuple: "arm-linux-gnueabi",
        ended: Ended::Code(code),
        log_begin: 0,
        config_logs: &config_logs,
        open: &open,
        machine: &machine,
        install: &|program| Some(format!("apt-get install -y {program}")),
    };
    cause::find(Cursor::new(text), &evidence).expect("a readable log")
}

/// Returns the case as it was found.
fn row(case: &str, code: i32, found: &Cause) -> Case {
    let error = found.error.as_ref();
    Case {
        name: case.into(),
        code,
        phase: found.phase.to_string(),
        package: { found.package.as_ref() }
            .map(|package| format!("{}-{}", package.name, package.version))
            .unwrap_or_default(),
        line: error.map_or(0, |error| error.number),
        error: error.map_or(String::new(), |error| error.text.clone()),
        printed: { found.failed_command.as_ref() }
            .map(|command| format!("{}: {}", command.line, command.message))
            .unwrap_or_default(),
        known: found
            .known
            .as_ref()
            .map_or(String::new(), |known| known.id.clone()),
    }
}

#[test]
fn each_log_has_its_phase_its_first_error_and_its_cause() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found = find(&case.name, case.code, &log(&case.name)).expect("a failure");
        let found = row(&case.name, case.code, &found);
        if found != case {
            wrong.push(format!("{found:#?} instead of {case:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Other jobs' lines, which are no errors.
const NOISE: [&str; 8] = [
    "gcc -Wall -Werror -O2 -c error.c -o error.o",
    "  CC      lib/strerror.o",
    "checking for strerror... yes",
    "checking for error.h... (cached) no",
    "other.c:12:3: warning: unused variable 'error' [-Wunused-variable]",
    "make[3]: Nothing to be done for 'all'.",
    "mv -f .deps/fatal-error.Tpo .deps/fatal-error.Plo",
    "make[4]: [Makefile:12: clean-errors] Error 1 (ignored)",
];

/// A variation of a log: its name, what makes it, and whether it keeps the numbers of the lines.
type Variation = (&'static str, fn(&str, &Case) -> String, bool);

const VARIATIONS: [Variation; 7] = [
    ("CRLF", |text, _| text.replace('\n', "\r\n"), true),
    ("colours", |text, _| coloured(text), true),
    ("quotes", |text, _| with_typographic_quotes(text), true),
    (
        "progress",
        |text, _| text.replace('\n', "\n 10%\r 50%\r"),
        true,
    ),
    ("parallel", |text, case| parallel(text, case), false),
    (
        "without the end",
        |text, case| without_end(text, case),
        true,
    ),
    (
        "a second package before it",
        |text, _| format!("{BEFORE}{text}"),
        false,
    ),
];

/// A package that was built before the one that failed.
const BEFORE: &str = "\
>>> Verifying ebuild manifests
>>> Emerging (1 of 2) sys-libs/other-1.0::gentoo
>>> Unpacking source...
>>> Configuring source in /x ...
configure: error: this one was tolerated
>>> Compiling source in /x ...
a.c:1:2: error: expected ';'
make: *** [Makefile:3: a.o] Error 1
>>> Install sys-libs/other-1.0 into /x/image
>>> Installing (1 of 2) sys-libs/other-1.0::gentoo
>>> Completed (1 of 2) sys-libs/other-1.0::gentoo
";

/// Colours the log as Portage and gcc do.
fn coloured(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replacen(">>> ", "\x1b[32m>>>\x1b[39;49;00m ", 1);
        let line = match line.strip_prefix(" * ") {
            Some(rest) => format!(" \x1b[31;01m*\x1b[39;49;00m {rest}"),
            None => line,
        };
        line.replace("error: ", "\x1b[01;31m\x1b[Kerror: \x1b[m\x1b[K") + "\n"
    });
    lines.collect()
}

fn with_typographic_quotes(text: &str) -> String {
    let mut quoted = String::new();
    let mut is_open = false;
    for c in text.chars() {
        match c {
            '`' => quoted.push('‘'),
            '\'' => {
                quoted.push(if is_open { '’' } else { '‘' });
                is_open = !is_open;
            }
            '\n' => {
                is_open = false;
                quoted.push(c);
            }
            _ => quoted.push(c),
        }
    }
    quoted
}

/// Inserts lines of other jobs before each line of make and of compilers.
fn parallel(text: &str, case: &Case) -> String {
    if !["compile", "install"].contains(&&*case.phase) {
        return text.into();
    }
    let begins = match &*case.phase {
        "compile" => ">>> Compiling source",
        _ => ">>> Install ",
    };
    let mut lines = String::new();
    let mut is_inside = false;
    for (at, line) in text.lines().enumerate() {
        is_inside |= line.starts_with(begins);
        is_inside &= !line.starts_with(" * ");
        lines += line;
        lines.push('\n');
        if is_inside && !line.contains("critical programs") {
            lines += NOISE[at % NOISE.len()];
            lines.push('\n');
        }
    }
    lines
}

/// Removes the message of `die` and what follows, as in a log that is cut.
fn without_end(text: &str, case: &Case) -> String {
    let mut lines = text.lines().skip(case.line.saturating_sub(1));
    let is_of_die = lines.next().is_some_and(|line| line.starts_with(" *   "));
    match text.find(" * ERROR: ") {
        Some(end) if !is_of_die => text[..end].to_owned(),
        _ => text.to_owned(),
    }
}

#[test]
fn variations_of_a_log_have_the_same_cause() {
    let mut wrong = Vec::new();
    for case in cases() {
        let text = String::from_utf8_lossy(&log(&case.name)).into_owned();
        for (name, vary, keeps_lines) in VARIATIONS {
            // Portage resolves all packages before it builds the first.
            if case.package.is_empty() && name == "a second package before it" {
                continue;
            }
            let varied = vary(&text, &case);
            let found = find(&case.name, case.code, varied.as_bytes()).expect("a failure");
            let mut found = row(&case.name, case.code, &found);
            let mut case = case.clone();
            if !keeps_lines {
                found.line = case.line;
            }
            if name == "quotes" {
                case.error = with_typographic_quotes(&case.error);
                found.error = with_typographic_quotes(&found.error);
                let plain = |text: &str| text.replace(['‘', '’', '`', '\''], "'");
                (case.error, found.error) = (plain(&case.error), plain(&found.error));
            }
            if found != case {
                wrong.push(format!("{name}: {found:#?} instead of {case:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_successful_build_has_no_cause_whatever_its_log_contains() {
    let mut checked = 0;
    for entry in fs::read_dir(directory().join("logs")).expect("logs") {
        let file = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name");
        let Some(name) = file
            .strip_suffix(".log")
            .filter(|name| name.starts_with("works-"))
        else {
            continue;
        };
        assert_eq!(find(name, 0, &log(name)), None, "{name}");
        // As if emerge had failed afterwards, without a message.
        let found = find(name, 1, &log(name)).expect("a failure");
        assert_eq!(found.known, None, "{name}");
        checked += 1;
    }
    assert!(checked >= 5, "{checked}");
}

#[test]
fn the_cases_cover_the_known_causes_and_failures_without_one() {
    let cases = cases();
    let known = cases.iter().filter(|case| !case.known.is_empty()).count();
    assert!(known >= 25, "{known} cases have a known cause");
    assert!(
        cases.len() - known >= 8,
        "{} have none",
        cases.len() - known
    );
}

#[test]
fn the_kernels_counter_decides_whether_memory_was_the_cause() {
    let text = b">>> Emerging (1 of 1) cross-x/gcc-12::r\n>>> Compiling source in /x ...\n\
        gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.\n\
        make: *** [Makefile:1: a.o] Error 1\n * ERROR: cross-x/gcc-12::r failed (compile phase):\n *   emake failed\n";
    for (kills, known) in [(None, true), (Some(1), true), (Some(0), false)] {
        let machine = Machine {
            oom_kills: kills,
            ..Machine::default()
        };
        let evidence = Evidence {
            tuple: "x",
            ended: Ended::Code(1),
            log_begin: 0,
            config_logs: &[],
            open: &|_| Err(io::Error::from(io::ErrorKind::NotFound)),
            machine: &machine,
            install: &|_| None,
        };
        let found = cause::find(Cursor::new(text), &evidence).expect("readable");
        let found = found.expect("a failure").known.map(|known| known.id);
        assert_eq!(found.is_some(), known, "{kills:?}: {found:?}");
    }
}

#[test]
fn what_an_earlier_attempt_wrote_into_the_log_is_not_the_cause() {
    let earlier =
        ">>> Emerging (1 of 1) cross-x/gcc-12::r\nx.c:1:1: error: earlier\nExiting on signal 15\n";
    let later = ">>> Emerging (1 of 1) cross-x/gcc-12::r\n>>> Compiling source in /x ...\n\
        y.c:2:1: error: later\nmake: *** [Makefile:1: y.o] Error 1\n\
         * ERROR: cross-x/gcc-12::r failed (compile phase):\n *   emake failed\n";
    let text = [earlier, later].concat();
    let machine = Machine::default();
    let found = |log_begin| {
        let evidence = Evidence {
            tuple: "x",
            ended: Ended::Code(1),
            log_begin,
            config_logs: &[],
            open: &|_| Err(io::Error::from(io::ErrorKind::NotFound)),
            machine: &machine,
            install: &|_| None,
        };
        let found = cause::find(Cursor::new(&text), &evidence).expect("readable");
        found.expect("a failure")
    };
    let cause = found(u64::try_from(earlier.len()).expect("a size"));
    assert_eq!(cause.known, None);
    assert_eq!(cause.phase.to_string(), "compile");
    let error = cause.error.expect("an error");
    assert_eq!((error.number, &*error.text), (6, "y.c:2:1: error: later"));
    let whole = found(0).known.expect("a known cause");
    assert_eq!(whole.id, "interrupted");
}

#[test]
fn the_message_names_the_step_the_error_and_the_command() {
    let step = Step {
        name: "gcc 12.2.0 (C, C++)",
        elapsed: Duration::from_secs(48),
        log: Path::new("/var/log/portage/cross-x-gcc-stage2.log"),
    };
    for (case, message, hint) in [
        (
            "no-executables-make",
            "gcc 12.2.0 (C, C++) failed in compile, after 0:48\n    \
             configure: error: Link tests are not allowed after GCC_NO_EXECUTABLES.\n    \
             the failed command printed `/usr/lib/gcc-cross/arm-linux-gnueabi/12/../../../../arm-linux-gnueabi/bin/ld: cannot find crti.o: No such file or directory` (config.log of libstdc++-v3, line 95)\n    \
             the compiler for arm-linux-gnueabi cannot link: the start file `crti.o` of the libc is missing where it searches",
            "the libc is not built, or is in another directory than the compiler expects: `crossmerge doctor arm-linux-gnueabi` checks both\n      \
             log  /var/log/portage/cross-x-gcc-stage2.log, line 86",
        ),
        (
            "missing-gmp",
            "gcc 12.2.0 (C, C++) failed in configure, after 0:48\n    \
             configure: error: Building GCC requires GMP 4.2+, MPFR 3.1.0+ and MPC 0.8.0+.\n    \
             the failed command printed `conftest.c:11:10: fatal error: gmp.h: No such file or directory` (config.log of build, line 235)\n    \
             the headers or libraries of GMP, MPFR and MPC are missing on the build machine, or too old",
            "`apt-get install -y gmp.h`\n      log  /var/log/portage/cross-x-gcc-stage2.log, line 67",
        ),
    ] {
        let found = find(case, 1, &log(case)).expect("a failure");
        assert_eq!(found.message(&step), message, "{case}");
        assert_eq!(found.hint(&step), hint, "{case}");
    }
    let text = b" * ERROR: cross-x/gcc-12::r failed (setup phase):\n *   a\x1b]0;title\x07b\xe2\x80\xaec\n";
    let found = find("none", 1, text).expect("a failure");
    assert!(
        found.message(&step).ends_with("\n    ab\\u{202e}c"),
        "{}",
        found.message(&step)
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "what it prints is its purpose")]
#[ignore = "prints cases.tsv as it is found, to be read before it replaces the file"]
fn print_cases() {
    let mut names: Vec<String> = fs::read_dir(directory().join("logs"))
        .expect("logs")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let name = name.strip_suffix(".log")?;
            (!name.ends_with(".config")).then(|| name.to_owned())
        })
        .collect();
    names.sort();
    for name in names.iter().filter(|name| !name.starts_with("works-")) {
        let code = match name.as_str() {
            "interrupted" => 143,
            "locked" => 130,
            _ => 1,
        };
        let found = find(name, code, &log(name)).expect("a failure");
        let case = row(name, code, &found);
        let dash = |text: String| if text.is_empty() { "-".into() } else { text };
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            case.name,
            case.code,
            case.phase,
            dash(case.package),
            case.line,
            case.error,
            dash(case.printed),
            dash(case.known)
        );
    }
}
