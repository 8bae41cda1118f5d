//! A configure script that runs its tests under QEMU once, so that it guesses no more: on a little-endian target and on a
//! big-endian one.

use super::{ARM, own_answers, set};
use crate::support::{Prefix, Said};

/// Wrong of both: plain `char` has no sign on either. Wrong of the second alone: which byte comes first. Right: that programs run.
/// The last one is no test with a program, whatever it finds.
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

/// A target, its libc, and a project with a script made of that text in a directory of its own.
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

fn learn(prefix: &Prefix, tuple: &str, options: &[&str]) -> Said {
    let before = files(prefix);
    let args = [
        &["site-cache", "learn", tuple],
        options,
        &["asks/configure", "CFLAGS=-O1"],
    ]
    .concat();
    let said = prefix.own(args);
    assert_eq!(files(prefix), before, "the source directory stays as it is");
    said
}

/// The files of the project and when they changed.
fn files(prefix: &Prefix) -> String {
    prefix
        .command("/usr/bin/find", ["asks", "-printf", "%p %T@ %s\n"])
        .success()
        .stdout
}

fn learned(prefix: &Prefix, tuple: &str) -> Option<String> {
    std::fs::read_to_string(prefix.join(format!("var/lib/crossmerge/{tuple}/learned.toml"))).ok()
}

/// What `<tuple>-configure` says of a question.
#[track_caller]
fn configured(prefix: &Prefix, tuple: &str, question: &str) -> String {
    let said = prefix
        .run(&format!("{tuple}-configure"), ["asks/configure"])
        .success();
    let answer = said
        .stdout
        .lines()
        .find_map(|line| line.split_once(&format!("for {question}... ")));
    answer
        .unwrap_or_else(|| panic!("no {question} in {said:#?}"))
        .1
        .into()
}

/// As CPython's, which the panel configures.
#[test]
fn a_script_that_refuses_to_be_cross_compiled_perhaps_runs_its_tests_too() {
    let refuses =
        "test \"$cross_compiling\" = maybe && AC_MSG_ERROR([perhaps is not enough])\nAC_PROG_CC";
    let text = ASKS
        .replacen("[asks]", "[python]", 1)
        .replacen("AC_PROG_CC", refuses, 1);
    let prefix = arm(&text);
    let said = learn(&prefix, ARM, &[]).success();
    assert!(said.stdout.contains("asks_cv_sign"), "{said:#?}");
    prefix
        .own(["site-cache", "forget", ARM, "asks_cv_sign"])
        .success();
    set(&prefix, "site_cache = \"emulate\"");
    let said = prefix.command("/bin/sh", ["-ec", &format!("cd asks; {ARM}-configure")]);
    let said = said.success().stdout;
    for found in ["for sign... unsigned", "for cross... no"] {
        assert!(said.contains(found), "{said}");
    }
}

#[test]
fn what_was_guessed_wrong_is_learned_and_configure_guesses_no_more() {
    for (tuple, toolchain, first, wrong) in [
        (ARM, "arm-linux-gnueabi-", "guessing little", 1),
        (S390X, "s390x-linux-gnu-", "(cached) big", 2),
    ] {
        let prefix = project(tuple, toolchain, ASKS);
        assert_eq!(configured(&prefix, tuple, "sign"), "signed", "{tuple}");
        let told = learn(&prefix, tuple, &["--dry-run"]).success().stdout;
        assert!(told.contains("would learn, for "), "{told}");
        assert_eq!(learned(&prefix, tuple), None, "a dry run writes nothing");
        let told = learn(&prefix, tuple, &[]).success().stdout;
        let right = 3 - wrong;
        assert!(
            told.starts_with(&format!(
                "asks 1.5: 3 tests ran a program; {right} guesses were right\n"
            )),
            "{told}"
        );
        assert!(told.contains("  signed"), "{told}");
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
        // Once more, and there is nothing new.
        let told = learn(&prefix, tuple, &[]).success().stdout;
        assert!(
            told.contains("answered already:") && !told.contains("learned, for"),
            "{told}"
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
fn an_answer_of_a_users_stays_and_the_contradiction_is_told() {
    let prefix = arm(ASKS);
    own_answers(&prefix, ARM, "asks_cv_sign = \"signed\"\n");
    let said = learn(&prefix, ARM, &["--json"]).success();
    let told: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(told["learned"], serde_json::json!([]), "{told:#}");
    assert_eq!(told["conflicts"][0]["variable"], "asks_cv_sign", "{told:#}");
    assert_eq!(
        (
            &told["conflicts"][0]["said"],
            &told["conflicts"][0]["value"]
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

/// A learned answer is given by name, so one to a question that is left out on purpose would reach scripts that ask another.
#[test]
fn what_another_test_of_the_same_name_finds_is_not_learned() {
    let variable = "gl_cv_func_re_compile_pattern_working";
    let question = "/* Reject hosts whose regoff_t values are too narrow.  */";
    let text = ASKS.replace("asks_cv_sign", variable).replace(
        "[AC_LANG_PROGRAM([], [return (char) -1 < 0;])]",
        &format!("[AC_LANG_PROGRAM([[{question}]], [return (char) -1 < 0;])]"),
    );
    let prefix = arm(&text);
    let said = learn(&prefix, ARM, &["--json"]).success();
    let told: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(told["learned"], serde_json::json!([]), "{told:#}");
    assert_eq!(
        (
            &told["conflicts"][0]["variable"],
            &told["conflicts"][0]["said"]
        ),
        (&variable.into(), &serde_json::Value::Null),
        "{told:#}"
    );
    assert_eq!(learned(&prefix, ARM), None);
    assert_eq!(configured(&prefix, ARM, "sign"), "signed");
}

#[test]
fn a_script_that_stops_in_a_cross_build_goes_on_with_what_was_learned() {
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
    let told = learn(&prefix, ARM, &[]).success().stdout;
    assert!(
        told.contains("in a plain cross build its configure script stops"),
        "{told}"
    );
    assert_eq!(configured(&prefix, ARM, "sign"), "(cached) unsigned");
}

#[test]
fn a_script_that_insists_on_its_own_directory_gets_a_copy_of_it() {
    let refuse =
        "AC_PROG_CC\nif test \"$srcdir\" != .; then AC_MSG_ERROR([configure me here]); fi\n";
    let prefix = arm(&ASKS.replace("AC_PROG_CC\n", refuse));
    let said = learn(&prefix, ARM, &[]).success();
    assert!(said.stderr.contains("run again in copies"), "{said:#?}");
    assert!(learned(&prefix, ARM).is_some_and(|file| file.contains("asks_cv_sign")));
}

#[test]
fn what_cannot_be_learned_from_is_an_error() {
    let prefix = arm(&ASKS.replace("AC_OUTPUT", "AC_MSG_ERROR([no such library])"));
    let said = learn(&prefix, ARM, &[]);
    assert!(
        said.stderr
            .contains("  configure: error: no such library\n"),
        "{said:#?}"
    );
    let log = prefix.join(format!("var/lib/crossmerge/{ARM}/learn.log"));
    said.fails(
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
