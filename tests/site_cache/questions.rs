//! An answer belongs to a question, not to a variable: versions of a macro ask different questions under one name.
//! The config.site recognises the question from the script that sources it.

use super::{
    ARM,
    autoconf::{VERSIONS, project},
    own_answers, target,
};
use crate::support::{Output, Prefix};

/// A text of a script, a variable, and the answer that a script with this text gets for the target.
const MEMBERS: [(&str, &str, &str); 25] = [
    ("", "gl_cv_func_re_compile_pattern_working", "yes"),
    (
        r#""0|()0|\\\\1|0""#,
        "gl_cv_func_re_compile_pattern_working",
        "yes",
    ),
    (
        r#""0|()0|\\1|0""#,
        "gl_cv_func_re_compile_pattern_working",
        "no",
    ),
    (
        "regex_t re68725;",
        "gl_cv_func_re_compile_pattern_working",
        "no",
    ),
    (
        "Reject hosts whose regoff_t values are",
        "gl_cv_func_re_compile_pattern_working",
        "none",
    ),
    ("", "gl_cv_func_posix_memalign_works", "yes"),
    (
        "if (pposix_memalign (&p, 0, sizeof (void *)) != 0)",
        "gl_cv_func_posix_memalign_works",
        "no",
    ),
    ("", "gl_cv_func_utimensat_works", "yes"),
    (
        "/* The Linux kernel added utimensat in 2.6.22, but",
        "gl_cv_func_utimensat_works",
        "needs runtime check",
    ),
    (
        "/* The Linux kernel added futimens in 2.6.22, but",
        "gl_cv_func_futimens_works",
        "needs runtime check",
    ),
    (
        "if (futimens (AT_FDCWD, NULL)) return 2;",
        "gl_cv_func_futimens_works",
        "none",
    ),
    ("", "gl_cv_func_strtol_works", "yes"),
    (
        r#"const char input[] = "0b1";"#,
        "gl_cv_func_strtol_works",
        "none",
    ),
    (
        "for (time_t_max = 1; 0 < time_t_max; time_t_max *= 2)",
        "ac_cv_func_working_mktime",
        "none",
    ),
    ("", "gl_cv_func_strerror_r_works", "none"),
    (
        "if (__xpg_strerror_r (-2, buf, 1) == 0)",
        "gl_cv_func_strerror_r_works",
        "yes",
    ),
    (
        r"if (getdelim (&line, &siz, '\n', in) != -1 || line[0] != 0)",
        "gl_cv_func_working_getdelim",
        "none",
    ),
    ("", "gl_cv_func_working_getdelim", "yes"),
    (
        r#"strcmp (buf, "az") != 0"#,
        "gl_cv_func_printf_directive_lc",
        "no",
    ),
    (
        "The isnanl function should recognize Pseudo-NaNs,",
        "gl_cv_func_isnanl_works",
        "none",
    ),
    ("", "gl_cv_func_strtok_r_works", "yes"),
    (
        "    strtok_r (NULL, \"x\", &save_ptr);",
        "gl_cv_func_strtok_r_works",
        "yes",
    ),
    (
        " \u{a0}  strtok_r (NULL, \"x\", &save_ptr);",
        "gl_cv_func_strtok_r_works",
        "no",
    ),
    // A text of another origin, and an answer that depends on no text.
    (
        "Reject hosts whose regoff_t values are",
        "gl_cv_func_isnanl_works",
        "yes",
    ),
    ("regex_t re68725;", "ac_cv_func_malloc_0_nonnull", "yes"),
];

const SHELLS: [&[&str]; 7] = [
    &["dash"],
    &["bash"],
    &["bash", "--posix"],
    &["busybox", "sh"],
    &["mksh"],
    &["ksh93"],
    &["zsh", "--emulate", "sh"],
];

const REGEX: &str = "gl_cv_func_re_compile_pattern_working";

fn rendered() -> Prefix {
    let prefix = target();
    let text = prefix.own(["site-cache", "render", ARM]).success().stdout;
    prefix.write("config.site", &text);
    prefix
}

/// A script in Autoconf's form, which contains a text and prints the answer for a variable.
fn script(prefix: &Prefix, text: &str, variable: &str) -> String {
    let site = prefix.join("config.site");
    let site = site.display();
    format!(
        "set -eu\nas_me=configure host_alias={ARM} build_alias=x86_64-pc-linux-gnu\nac_site_file={site}\n. \"$ac_site_file\"\n\
         echo \"${{{variable}-none}}\"\nexit 0\ncat <<\\_ACEOF\n{text}\n_ACEOF\n"
    )
}

#[track_caller]
fn run(prefix: &Prefix, shell: &[&str], args: &[&str]) -> String {
    let args = shell[1..].iter().chain(args);
    let output = prefix.command(shell[0], args).success();
    assert_eq!(output.stderr, "", "{shell:?}");
    output.stdout.trim_end().to_owned()
}

#[test]
fn a_script_gets_the_answer_to_the_question_that_it_asks() {
    let prefix = rendered();
    for (at, (text, variable, wanted)) in MEMBERS.into_iter().enumerate() {
        prefix.write("configure", &script(&prefix, text, variable));
        // Each member in one shell, and those whose answer is `no` in every shell.
        for (nth, shell) in SHELLS.into_iter().enumerate() {
            if at % SHELLS.len() == nth || wanted == "no" {
                let given = run(&prefix, shell, &["./configure"]);
                assert_eq!(given, wanted, "{shell:?} {text} {variable}");
            }
        }
    }
}

#[test]
fn the_script_is_found_in_every_way_to_start_it() {
    let prefix = rendered();
    let text = script(&prefix, r#""0|()0|\\1|0""#, REGEX);
    prefix.write("src dir/configure", &text);
    prefix.write("-src/-configure", &text);
    // A program of that name is not the script.
    prefix.write("configure", &text);
    let whole = prefix.join("src dir/configure").display().to_string();
    for shell in SHELLS {
        for path in [
            "./configure",
            "configure",
            "src dir/configure",
            &whole,
            "./-src/../configure",
        ] {
            assert_eq!(run(&prefix, shell, &[path]), "no", "{shell:?} {path}");
        }
        // The script runs itself in another shell, and then a script in a directory below, as `AC_CONFIG_SUBDIRS`
        // does.
        let again = format!(
            "#! /bin/sh\n# ac_site_file\nif test -z \"${{again-}}\"; then again=1; export again; exec {} \"$0\"; fi\n\
             cd 'src dir' && sh ./configure\n",
            shell.join(" ")
        );
        prefix.write("parent", &again);
        assert_eq!(run(&prefix, shell, &["parent"]), "no", "{shell:?}");
    }
}

#[test]
fn a_script_that_cannot_be_found_gets_only_independent_answers() {
    let prefix = rendered();
    prefix.write("configure", &script(&prefix, "", REGEX));
    prefix.write("other", &script(&prefix, "", "ac_cv_func_malloc_0_nonnull"));
    for shell in SHELLS {
        for (file, wanted) in [("configure", "none"), ("other", "yes")] {
            let source = format!(". ./{file}");
            assert_eq!(run(&prefix, shell, &["-c", &source]), wanted, "{shell:?}");
            // The caller chooses `$0`. Here it is a file that Autoconf did not make.
            let named = run(&prefix, shell, &["-c", &source, "config.site.other"]);
            assert_eq!(named, wanted, "{shell:?}");
        }
    }
    // Autoconf keeps the path in `as_myself` too.
    let myself = run(
        &prefix,
        &["bash"],
        &["-c", "as_myself=./configure; . ./configure"],
    );
    assert_eq!(myself, "yes");
}

/// The result that a configure script printed for the check.
#[track_caller]
fn answer(output: Output) -> String {
    let output = output.success();
    let mut lines = output.stdout.lines();
    let line = lines.find_map(|line| line.split_once("regex... "));
    let (_, answer) = line.unwrap_or_else(|| panic!("no question in {output:#?}"));
    answer.to_owned()
}

#[test]
fn a_script_that_does_not_ask_caches_no_answer_for_its_subscripts() {
    let prefix = target();
    for (directory, line) in [
        ("", "AC_CONFIG_SUBDIRS([old])".to_owned()),
        (
            "old/",
            format!(
                r#"AC_CACHE_CHECK([for regex], [{REGEX}], [AC_RUN_IFELSE([AC_LANG_SOURCE([[const char *asks = "0|()0|\\1|0";
int main (void) {{ return 0; }}]])], [{REGEX}=ran], [{REGEX}=failed], [{REGEX}=cross])])"#
            ),
        ),
    ] {
        let text = format!("AC_INIT([x], [1])\nAC_PROG_CC\n{line}\nAC_OUTPUT\n");
        prefix.write(&format!("{directory}configure.ac"), &text);
        prefix.write(&format!("{directory}install-sh"), "");
        let script = ["-c", &format!("cd ./{directory} && autoconf")];
        prefix.command("/bin/sh", script).success();
    }
    for options in [&[][..], &["-C"]] {
        let output = prefix.run(&format!("{ARM}-configure"), options);
        assert_eq!(answer(output), "(cached) no", "{options:?}");
    }
    assert!(prefix.read("config.cache").contains(REGEX));
}

#[test]
fn scripts_of_every_autoconf_get_the_answer_unless_the_caller_sets_one() {
    // Stand-ins for the macro of 2021 and for today's.
    let forms = [
        (r#"const char *asks = "0|()0|\\1|0";"#, "(cached) no"),
        (r#"const char *asks = "0|()0|\\\\1|0";"#, "(cached) yes"),
        ("/* Reject hosts whose regoff_t is narrow. */", "cross"),
    ];
    for (version, program) in VERSIONS {
        let prefix = project(version, program);
        let (file, run) = match version {
            "2.13" => (
                "configure.in",
                "AC_TRY_RUN([@; int main () { return 0; }], ",
            ),
            _ => (
                "configure.ac",
                "AC_RUN_IFELSE([AC_LANG_SOURCE([[@ int main (void) { return 0; }]])], ",
            ),
        };
        let own = prefix.read(file);
        for (form, wanted) in forms {
            let test = run.replace('@', form);
            let more = format!(
                "AC_CACHE_CHECK([for regex], [{REGEX}], [{test}[{REGEX}=ran], [{REGEX}=failed], [{REGEX}=cross])])\nAC_OUTPUT"
            );
            prefix.write(file, &own.replace("AC_OUTPUT", &more));
            let program = match program.contains('/') {
                true => crate::support::prepared(program),
                false => program.into(),
            };
            // Autoconf compares times in whole seconds, and would use its cache of the file from a moment ago.
            let _ = std::fs::remove_dir_all(prefix.join("autom4te.cache"));
            std::fs::remove_file(prefix.join("configure")).expect("the script");
            prefix.command(program, [""; 0]).success();
            let configure = |prefix: &Prefix| {
                let _ = std::fs::remove_file(prefix.join("config.cache"));
                answer(prefix.run(&format!("{ARM}-configure"), [""; 0]))
            };
            assert_eq!(configure(&prefix), wanted, "{version} {form}");
            if wanted == "cross" {
                let log = prefix.read("config.log");
                let note = format!("has another test under this name: {REGEX}\n");
                assert!(log.contains(&note), "{version}: {log}");
            }
            if wanted == "(cached) no" {
                // The script runs itself again in that shell.
                let in_bash = prefix.with("CONFIG_SHELL", "/bin/bash");
                assert_eq!(configure(&in_bash), wanted, "{version}");
                // `config.status` runs the script in a shell, by its path.
                let _ = std::fs::remove_file(prefix.join("config.cache"));
                let again = ["./config.status", "--recheck"];
                let again = prefix.run(&format!("{ARM}-env"), again);
                assert_eq!(answer(again), wanted, "{version}");
            }
            assert_eq!(
                configure(&prefix.with(REGEX, "mine")),
                "(cached) mine",
                "{version}"
            );
        }
    }
}

#[test]
fn explain_names_the_question_and_scan_recognises_another_one() {
    let prefix = target();
    let explanation = super::explain(&prefix, REGEX).success().stdout;
    for line in [
        "question   gnulib 2010-09-13 to 2018-12-15 and 2021-07-14 to 2026-04-12",
        r#"otherwise  no, if the script contains `"0|()0|\\1|0"`: gnulib 2018-12-15 to 2021-07-14"#,
        "otherwise  no answer, if the script contains `Reject hosts whose regoff_t`: gnulib up to 2010-09-13",
    ] {
        assert!(explanation.contains(line), "{explanation}");
    }
    let explanation = super::explain(&prefix, "gl_cv_func_strerror_r_works")
        .success()
        .stdout;
    let line = "only if    the script contains `__xpg_strerror_r (-2, buf, 1)`";
    assert!(explanation.contains(line), "{explanation}");
    for (text, value, standing) in [
        (r#""0|()0|\\1|0""#, "no".into(), "same"),
        (r#""0|()0|\\\\1|0""#, "yes".into(), "differs"),
        (
            "Reject hosts whose regoff_t",
            serde_json::Value::Null,
            "unanswered: another test under this name",
        ),
    ] {
        prefix.write(
            "configure",
            &format!(
                "# Generated by GNU Autoconf 2.71 for x 1.\nif test ${{{REGEX}+y}}\nthen :\nelse $as_nop\n  if test \"$cross_compiling\" = yes\nthen :\n\
                 {REGEX}=no\nelse $as_nop\ncat >conftest.c <<_ACEOF\n{text}\n_ACEOF\n  if ac_fn_c_try_run \"$LINENO\"\nthen :\n  {REGEX}=yes\nfi\nfi\nfi\n"
            ),
        );
        let output = prefix.own(["site-cache", "scan", "--json", ARM, "./configure"]);
        let scans: serde_json::Value =
            serde_json::from_str(&output.success().stdout).expect("JSON");
        let test = &scans[0]["tests"][0];
        assert_eq!(
            (&test["answer"]["value"], &test["standing"]),
            (&value, &standing.into()),
            "{text}"
        );
        let output = prefix
            .own(["site-cache", "scan", ARM, "./configure"])
            .success();
        assert!(output.stdout.contains(standing), "{output:#?}");
    }
}

#[test]
fn a_users_own_answer_may_depend_on_the_script_too() {
    let prefix = target();
    own_answers(
        &prefix,
        ARM,
        "x_cv_one = { value = \"it's\", needs = \"the one's text\", others = [{ text = \"another text\", asked = \"x 1\" }] }\n",
    );
    let site = prefix.own(["site-cache", "render", ARM]).success().stdout;
    prefix.write("config.site", &site);
    for (text, wanted) in [
        ("the one's text", "it's"),
        ("the one's text and another text", "none"),
        ("no text", "none"),
    ] {
        prefix.write("configure", &script(&prefix, text, "x_cv_one"));
        assert_eq!(run(&prefix, &["dash"], &["configure"]), wanted, "{text}");
    }
    own_answers(
        &prefix,
        ARM,
        "x_cv_one = { value = \"a\", needs = \"abc\" }\n",
    );
    let file = prefix.join(format!("etc/crossmerge/site-cache/{ARM}.toml"));
    let output = prefix.own(["site-cache", "render", ARM]);
    output.fails(125, &file.display().to_string(), "site-cache/README.md");
}
