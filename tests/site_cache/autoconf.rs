//! Real configure scripts, made by Autoconf 2.13, 2.69, 2.71 and 2.72, get the answers. The caller's own values
//! override them.

use super::{ARM, WORDS, own_answers, set, target};
use crate::support::{Output, Prefix, prepared};
use std::path::Path;

/// The versions of Autoconf, and their programs.
pub(super) const VERSIONS: [(&str, &str); 4] = [
    ("2.13", "autoconf2.13"),
    ("2.69", "autoconf2.69"),
    ("2.71", "autoconf"),
    ("2.72", "autoconf-2.72/bin/autoconf"),
];

/// A script with three tests: two that have an answer and one that has none.
const MODERN: &str = r#"AC_INIT([asks], [1])
AC_CONFIG_SRCDIR([configure.ac])
AC_PROG_CC
AC_FUNC_MALLOC
AC_CACHE_CHECK([for words], [x_cv_words], [AC_RUN_IFELSE([AC_LANG_PROGRAM], [x_cv_words=ran], [x_cv_words=failed], [x_cv_words=cross])])
AC_CACHE_CHECK([for more], [x_cv_more], [AC_RUN_IFELSE([AC_LANG_PROGRAM], [x_cv_more=ran], [x_cv_more=failed], [x_cv_more=cross])])
AC_OUTPUT
"#;

const OLD: &str = r#"AC_INIT(configure.in)
AC_PROG_CC
AC_CACHE_CHECK(for GNU libc compatible malloc, ac_cv_func_malloc_0_nonnull, [AC_TRY_RUN([int main () { return malloc (0) == 0; }],
  ac_cv_func_malloc_0_nonnull=ran, ac_cv_func_malloc_0_nonnull=failed, ac_cv_func_malloc_0_nonnull=cross)])
AC_CACHE_CHECK(for words, x_cv_words, [AC_TRY_RUN([int main () { return 0; }], x_cv_words=ran, x_cv_words=failed, x_cv_words=cross)])
AC_CACHE_CHECK(for more, x_cv_more, [AC_TRY_RUN([int main () { return 0; }], x_cv_more=ran, x_cv_more=failed, x_cv_more=cross)])
AC_OUTPUT(out)
"#;

/// A prefix with a configure script of this version of Autoconf, and with no other version in PATH.
pub(super) fn project(version: &str, program: &str) -> Prefix {
    let prefix = target();
    let program = match program.contains('/') {
        true => prepared(program),
        false => program.into(),
    };
    match version {
        "2.13" => prefix.write("configure.in", OLD),
        _ => prefix.write("configure.ac", MODERN),
    };
    prefix.write("out.in", "");
    for name in ["config.guess", "config.sub"] {
        let from = Path::new("/usr/share/misc").join(name);
        std::fs::copy(&from, prefix.join(name)).expect("package autotools-dev");
    }
    prefix.command(program, [""; 0]).success();
    let script = prefix.read("configure");
    let head: String = script.lines().take(12).collect();
    assert!(
        head.to_lowercase().contains(&format!("autoconf {version}"))
            || head.contains(&format!("version {version}")),
        "{head}"
    );
    prefix
}

/// The results for malloc, the words and the third test.
#[track_caller]
pub(super) fn answers(output: Output) -> [String; 3] {
    let output = output.success();
    ["malloc... ", "words... ", "more... "].map(|question| {
        let mut lines = output.stdout.lines();
        let answer = lines.find_map(|line| Some(line.split_once(question)?.1.to_owned()));
        answer.unwrap_or_else(|| panic!("no {question} in {output:#?}"))
    })
}

fn cached(value: &str) -> String {
    format!("(cached) {value}")
}

/// Runs the script for the target, without the cache of an earlier run.
fn configure(prefix: &Prefix, args: &[&str]) -> Output {
    let _ = std::fs::remove_file(prefix.join("config.cache"));
    prefix.run(&format!("{ARM}-configure"), args)
}

#[test]
fn each_autoconf_uses_the_answers_and_config_log_names_their_origin() {
    for (version, program) in VERSIONS {
        let prefix = project(version, program);
        let [malloc, words, more] = answers(configure(&prefix, &[]));
        assert_eq!(
            [malloc, words, more],
            [cached("yes"), cached(WORDS), "cross".into()],
            "{version}"
        );
        let log = prefix.read("config.log");
        for (name, from) in [
            (
                "ac_cv_func_malloc_0_nonnull",
                "linux-gnu; asked by autoconf AC_FUNC_MALLOC; probe malloc_0",
            ),
            ("x_cv_words", &format!("{ARM}; set in ")),
        ] {
            let mut lines = log.lines();
            let line = lines.find(|line| {
                line.starts_with("| ") && line.contains(name) && line.contains("  # ")
            });
            assert!(
                line.is_some_and(|line| line.contains(from)),
                "{version}: {line:?} in {log}"
            );
        }
        assert!(
            log.contains(&format!(" answers for {ARM}\n")),
            "{version}: {log}"
        );
    }
}

#[test]
fn the_callers_values_override_the_answers_and_config_log_notes_it() {
    for (version, program) in VERSIONS {
        let prefix = project(version, program);
        let all = [cached("no"), cached("mine"), "cross".to_owned()];
        let own = prefix
            .with("x_cv_words", "mine")
            .with("ac_cv_func_malloc_0_nonnull", "no");
        assert_eq!(
            answers(configure(&own, &[])),
            all,
            "{version}: in the environment"
        );
        let log = prefix.read("config.log");
        let note = "; set by the caller: ac_cv_func_malloc_0_nonnull x_cv_words\n";
        assert!(log.contains(note), "{version}: {log}");
        if version != "2.13" {
            let args = ["x_cv_words=mine", "ac_cv_func_malloc_0_nonnull=no"];
            assert_eq!(
                answers(configure(&prefix, &args)),
                all,
                "{version}: as arguments"
            );
        }
        let site = prefix.write(
            "my.site",
            "x_cv_words=mine\nac_cv_func_malloc_0_nonnull=no\n",
        );
        let own = prefix.with("CONFIG_SITE", &site);
        assert_eq!(answers(configure(&own, &[])), all, "{version}: CONFIG_SITE");
        let log = prefix.read("config.log");
        assert!(log.contains("| x_cv_words=mine\n"), "{version}: {log}");
        let _ = std::fs::remove_file(prefix.join("config.cache"));
        let nested = own.run(&format!("{ARM}-env"), [format!("{ARM}-configure")]);
        assert_eq!(
            answers(nested),
            all,
            "{version}: CONFIG_SITE, one of our commands in another"
        );
        let _ = std::fs::remove_file(prefix.join("config.cache"));
        prefix.write(
            "my.cache",
            "x_cv_words=${x_cv_words=mine}\nac_cv_func_malloc_0_nonnull=no\n",
        );
        let cache = answers(configure(&prefix, &["--cache-file=./my.cache"]));
        assert_eq!(cache, all, "{version}: a cache");
    }
}

#[test]
fn a_script_for_another_machine_gets_no_answers() {
    for (version, program) in VERSIONS {
        let prefix = project(version, program);
        // The flags in the environment are the target's.
        let native = [
            "-u",
            "CFLAGS",
            "-u",
            "LDFLAGS",
            "CC=cc",
            "CPP=cpp",
            "./configure",
        ];
        for options in [
            &[][..],
            &["--build=x86_64-pc-linux-gnu", "--host=x86_64-pc-linux-gnu"],
        ] {
            let args = ["env"].iter().chain(&native).chain(options);
            let _ = std::fs::remove_file(prefix.join("config.cache"));
            let output = prefix.run(&format!("{ARM}-env"), args);
            let [malloc, words, more] = answers(output);
            assert!(
                !malloc.contains("cached"),
                "{version} {options:?}: {malloc}"
            );
            assert_eq!(
                [words, more],
                ["ran", "ran"].map(str::to_owned),
                "{version} {options:?}"
            );
        }
        let other = [
            "env",
            "-u",
            "CFLAGS",
            "-u",
            "LDFLAGS",
            "CC=s390x-linux-gnu-gcc",
            "./configure",
            "--build=x86_64-pc-linux-gnu",
            "--host=s390x-ibm-linux-gnu",
        ];
        let _ = std::fs::remove_file(prefix.join("config.cache"));
        let output = prefix.run(&format!("{ARM}-env"), other);
        let [_, words, more] = answers(output);
        assert_eq!(
            [words, more],
            ["cross", "cross"].map(str::to_owned),
            "{version}"
        );
    }
}

#[test]
fn an_answer_that_changes_reaches_the_next_script() {
    let (version, program) = VERSIONS[2];
    let prefix = project(version, program);
    answers(configure(&prefix, &[]));
    own_answers(&prefix, ARM, "x_cv_more = \"new\"\n");
    let [_, words, more] = answers(configure(&prefix, &[]));
    assert_eq!([words, more], ["cross".to_owned(), cached("new")]);
    set(&prefix, "site_cache = \"off\"");
    let [malloc, _, more] = answers(configure(&prefix, &[]));
    assert!(
        !malloc.contains("cached") && more == "cross",
        "{malloc} {more}"
    );
}
