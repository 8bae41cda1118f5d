//! A configure script runs its tests under QEMU once, and later runs use the results. Tested on a little-endian
//! target and on a big-endian one.

use super::{ARM, own_answers, set};
use crate::support::{Output, Prefix};

/// On both targets the guess for plain `char` is wrong. The guess for the first byte is wrong only on the second. The
/// guess that programs run is right. The last check runs no program, so its result is not learned.
const ASKS: &str = r#"AC_INIT([asks], [1.5])
AC_CONFIG_SRCDIR([configure.ac])
AC_PROG_CC
AC_CACHE_CHECK([for sign], [asks_cv_sign],
  [AC_RUN_IFELSE([AC_LANG_PROGRAM([], [return (char) -1 < 0;])], [asks_cv_sign=unsigned], [asks_cv_sign=signed], [asks_cv_sign=signed])])
AC_CACHE_CHECK([for first byte], [asks_cv_first],
  [AC_RUN_IFELSE([AC_LANG_PROGRAM([], [int i = 1; return *(char *) &i;])], [asks_cv_first=big], [asks_cv_first=little],
    [asks_cv_first="guessing little"])])
AC_CACHE_CHECK([for running], [asks_cv_running],
  [AC_RUN_IFELSE([AC_LANG_PROGRAM([], [return 0;])], [asks_cv_running=yes], [asks_cv_running=no], [asks_cv_running="guessing yes"])])
AC_CACHE_CHECK([for cross], [asks_cv_cross], [asks_cv_cross=$cross_compiling])
AC_OUTPUT
"#;

const S390X: &str = "s390x-ibm-linux-gnu";

/// A target, its libc, and a project whose script is made from this text in its own directory.
fn project(tuple: &str, toolchain: &str, text: &str) -> Prefix {
    let mut prefix = Prefix::new();
    let init = ["init", tuple, "--toolchain", toolchain, "--with-libc"];
    prefix.own(init).success();
    prefix.set("HOME", prefix.join("home"));
    prefix.write("asks/configure.ac", text);
    prefix
        .command(
            "/bin/sh",
            ["-c", "cd asks && autoconf && rm -rf autom4te.cache"],
        )
        .success();
    prefix
}

fn arm(text: &str) -> Prefix {
    project(ARM, "arm-linux-gnueabi-", text)
}

fn learn(prefix: &Prefix, tuple: &str, options: &[&str]) -> Output {
    let before = files(prefix);
    let args = [
        &["site-cache", "learn", tuple],
        options,
        &["asks/configure", "CFLAGS=-O1"],
    ]
    .concat();
    let output = prefix.own(args);
    assert_eq!(files(prefix), before, "the source directory stays as it is");
    output
}

/// The project's files and their modification times.
fn files(prefix: &Prefix) -> String {
    prefix
        .command("/usr/bin/find", ["asks", "-printf", "%p %T@ %s\n"])
        .success()
        .stdout
}

fn learned(prefix: &Prefix, tuple: &str) -> Option<String> {
    std::fs::read_to_string(prefix.join(format!("var/lib/crossmerge/{tuple}/learned.toml"))).ok()
}

/// The result that `<tuple>-configure` prints for a check.
#[track_caller]
fn configured(prefix: &Prefix, tuple: &str, question: &str) -> String {
    let output = prefix
        .run(&format!("{tuple}-configure"), ["asks/configure"])
        .success();
    let answer = output
        .stdout
        .lines()
        .find_map(|line| line.split_once(&format!("for {question}... ")));
    answer
        .unwrap_or_else(|| panic!("no {question} in {output:#?}"))
        .1
        .into()
}

/// CPython's script does this, which the panel configures.
#[test]
fn a_script_that_rejects_cross_compiling_maybe_runs_its_tests() {
    let refuses =
        "test \"$cross_compiling\" = maybe && AC_MSG_ERROR([perhaps is not enough])\nAC_PROG_CC";
    let text = ASKS
        .replacen("[asks]", "[python]", 1)
        .replacen("AC_PROG_CC", refuses, 1);
    let prefix = arm(&text);
    let output = learn(&prefix, ARM, &[]).success();
    assert!(output.stdout.contains("asks_cv_sign"), "{output:#?}");
    prefix
        .own(["site-cache", "forget", ARM, "asks_cv_sign"])
        .success();
    set(&prefix, "site_cache = \"emulate\"");
    let output = prefix.command("/bin/sh", ["-ec", &format!("cd asks; {ARM}-configure")]);
    let output = output.success().stdout;
    for found in ["for sign... unsigned", "for cross... no"] {
        assert!(output.contains(found), "{output}");
    }
}

#[test]
fn wrong_guesses_are_learned_and_configure_stops_guessing() {
    for (tuple, toolchain, first, wrong) in [
        (ARM, "arm-linux-gnueabi-", "guessing little", 1),
        (S390X, "s390x-linux-gnu-", "(cached) big", 2),
    ] {
        let prefix = project(tuple, toolchain, ASKS);
        assert_eq!(configured(&prefix, tuple, "sign"), "signed", "{tuple}");
        let printed = learn(&prefix, tuple, &["--dry-run"]).success().stdout;
        assert!(printed.contains("would learn, for "), "{printed}");
        assert_eq!(learned(&prefix, tuple), None, "a dry run writes nothing");
        let printed = learn(&prefix, tuple, &[]).success().stdout;
        let right = 3 - wrong;
        assert!(
            printed.starts_with(&format!(
                "asks 1.5: 3 tests ran a program; {right} guesses were right\n"
            )),
            "{printed}"
        );
        assert!(printed.contains("  signed"), "{printed}");
        let file = learned(&prefix, tuple).expect("a file");
        assert_eq!(file.matches("_cv_").count(), wrong, "{file}");
        let line = file
            .lines()
            .find(|line| line.starts_with("asks_cv_sign = "))
            .expect("a line");
        for part in [
            "value = \"unsigned\"",
            "asker = \"asks 1.5\"",
            "obtained = \"learned\"",
            "qemu-",
            "glibc",
        ] {
            assert!(line.contains(part), "no {part} in {line}");
        }
        assert_eq!(
            configured(&prefix, tuple, "sign"),
            "(cached) unsigned",
            "{tuple}"
        );
        assert_eq!(configured(&prefix, tuple, "first byte"), first, "{tuple}");
        // A second run learns nothing new.
        let printed = learn(&prefix, tuple, &[]).success().stdout;
        assert!(
            printed.contains("answered already:") && !printed.contains("learned, for"),
            "{printed}"
        );
        assert_eq!(learned(&prefix, tuple), Some(file), "{tuple}");
        let gone = prefix
            .own(["site-cache", "forget", tuple, "asks_cv_sign"])
            .success()
            .stdout;
        assert_eq!(gone, "asks_cv_sign\n");
        assert_eq!(configured(&prefix, tuple, "sign"), "signed", "{tuple}");
    }
}

#[test]
fn a_users_own_answer_stays_and_the_contradiction_is_reported() {
    let prefix = arm(ASKS);
    own_answers(&prefix, ARM, "asks_cv_sign = \"signed\"\n");
    let output = learn(&prefix, ARM, &["--json"]).success();
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(report["learned"], serde_json::json!([]), "{report:#}");
    assert_eq!(
        report["conflicts"][0]["variable"], "asks_cv_sign",
        "{report:#}"
    );
    assert_eq!(
        (
            &report["conflicts"][0]["said"],
            &report["conflicts"][0]["value"]
        ),
        (&"signed".into(), &"unsigned".into())
    );
    assert_eq!(learned(&prefix, ARM), None);
    let text = learn(&prefix, ARM, &[]).success().stdout;
    assert!(
        text.contains("asks_cv_sign  found unsigned, signed by "),
        "{text}"
    );
    assert_eq!(configured(&prefix, ARM, "sign"), "(cached) signed");
}

/// An answer is learned by its variable. If its check was omitted on purpose, scripts that ask a different question
/// under that name would get it.
#[test]
fn the_result_of_another_check_of_the_same_name_is_not_learned() {
    let variable = "gl_cv_func_re_compile_pattern_working";
    let question = "/* Reject hosts whose regoff_t values are too narrow.  */";
    let text = ASKS.replace("asks_cv_sign", variable).replace(
        "[AC_LANG_PROGRAM([], [return (char) -1 < 0;])]",
        &format!("[AC_LANG_PROGRAM([[{question}]], [return (char) -1 < 0;])]"),
    );
    let prefix = arm(&text);
    let output = learn(&prefix, ARM, &["--json"]).success();
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(report["learned"], serde_json::json!([]), "{report:#}");
    assert_eq!(
        (
            &report["conflicts"][0]["variable"],
            &report["conflicts"][0]["said"]
        ),
        (&variable.into(), &serde_json::Value::Null),
        "{report:#}"
    );
    assert_eq!(learned(&prefix, ARM), None);
    assert_eq!(configured(&prefix, ARM, "sign"), "signed");
}

#[test]
fn a_script_that_stops_in_a_cross_build_continues_with_learned_answers() {
    let text = ASKS.replace(
        "[asks_cv_sign=signed])])",
        "[AC_MSG_ERROR([I do not guess])])])",
    );
    let prefix = arm(&text);
    prefix
        .run(&format!("{ARM}-configure"), ["asks/configure"])
        .stderr
        .find("I do not guess")
        .expect("it stops");
    let printed = learn(&prefix, ARM, &[]).success().stdout;
    assert!(
        printed.contains("in a plain cross build its configure script stops"),
        "{printed}"
    );
    assert_eq!(configured(&prefix, ARM, "sign"), "(cached) unsigned");
}

#[test]
fn a_script_that_must_run_in_its_directory_runs_in_a_copy() {
    let refuse =
        "AC_PROG_CC\nif test \"$srcdir\" != .; then AC_MSG_ERROR([configure me here]); fi\n";
    let prefix = arm(&ASKS.replace("AC_PROG_CC\n", refuse));
    let output = learn(&prefix, ARM, &[]).success();
    assert!(output.stderr.contains("run again in copies"), "{output:#?}");
    assert!(learned(&prefix, ARM).is_some_and(|file| file.contains("asks_cv_sign")));
}

#[test]
fn a_script_that_cannot_be_learned_from_is_an_error() {
    let prefix = arm(&ASKS.replace("AC_OUTPUT", "AC_MSG_ERROR([no such library])"));
    let output = learn(&prefix, ARM, &[]);
    assert!(
        output
            .stderr
            .contains("  configure: error: no such library\n"),
        "{output:#?}"
    );
    let log = prefix.join(format!("var/lib/crossmerge/{ARM}/learn.log"));
    output.fails(
        125,
        "configure failed with programs of the target running",
        &log.display().to_string(),
    );
    assert!(
        std::fs::read_to_string(log)
            .expect("a log")
            .contains("no such library")
    );
    prefix.script("asks/configure", "#!/bin/sh\necho hello\n");
    learn(&prefix, ARM, &[]).fails(
        125,
        "is not a configure script from Autoconf",
        "cache variables",
    );
    prefix
        .own(["site-cache", "learn", ARM, "nowhere/configure"])
        .fails(125, "there is no `nowhere/configure`", "first argument");
    prefix
        .own(["site-cache", "forget", ARM, "asks_cv_sign"])
        .fails(125, "`asks_cv_sign` was not learned", "site-cache list");
    assert_eq!(
        prefix
            .own(["site-cache", "forget", ARM, "--all"])
            .success()
            .stdout,
        ""
    );
    let no_qemu = prefix.with("PATH", prefix.join("bin"));
    let script = prefix.script(
        "asks/configure",
        "#!/bin/sh\n# Generated by GNU Autoconf 2.71\n",
    );
    let script = script.display().to_string();
    no_qemu
        .with("CC", "/usr/bin/arm-linux-gnueabi-gcc")
        .own(["site-cache", "learn", ARM, &script])
        .fails(
            125,
            "neither `qemu-arm` nor `qemu-arm-static` is in PATH",
            // This PATH has no package manager either.
            "the statically linked `qemu-arm-static`",
        );
}
