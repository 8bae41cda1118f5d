//! The config.site in every shell that may run a configure script, and the cases in which it must do nothing.

use super::{ARM, WORDS, target};
use crate::support::Prefix;

const SHELLS: [&[&str]; 6] = [
    &["dash"],
    &["bash"],
    &["bash", "--posix"],
    &["busybox", "sh"],
    &["mksh"],
    &["ksh93"],
];

/// Sources the file in a shell that stops at each failure and each unset variable, and returns the values of two
/// variables. The shell must print nothing else, on either stream.
#[track_caller]
fn read(prefix: &Prefix, shell: &[&str], before: &str) -> String {
    let file = prefix.join("config.site");
    let script = format!(
        "{before}\n. {}\necho \"${{x_cv_words-}}|${{ac_cv_func_malloc_0_nonnull-}}\"",
        file.display()
    );
    let args = shell[1..].iter().copied().chain(["-euc", &script]);
    let output = prefix.command(shell[0], args).success();
    assert_eq!(output.stderr, "", "{shell:?} {script}");
    output.stdout.trim_end_matches('\n').into()
}

fn rendered() -> Prefix {
    let prefix = target();
    let text = prefix.own(["site-cache", "render", ARM]).success().stdout;
    prefix.write("config.site", &text);
    prefix
}

#[test]
fn every_shell_reads_every_value_unchanged() {
    let prefix = rendered();
    let cross = format!("as_me=configure host_alias={ARM} build_alias=x86_64-pc-linux-gnu");
    for shell in SHELLS {
        assert_eq!(
            read(&prefix, shell, &cross),
            format!("{WORDS}|yes"),
            "{shell:?}"
        );
        let caller = format!("{cross}; x_cv_words=; ac_cv_func_malloc_0_nonnull='a  *'");
        assert_eq!(read(&prefix, shell, &caller), "|a  *", "{shell:?}");
    }
}

#[test]
fn the_answers_are_set_only_in_a_configure_run_for_the_target() {
    let prefix = rendered();
    for before in [
        // No configure script at all, and one of another kind.
        "",
        "host=something",
        "as_me=configure",
        "as_me=configure host_alias= build_alias=",
        &format!("as_me=configure host_alias={ARM} build_alias={ARM}"),
        &format!("as_me=configure host_alias= build_alias={ARM}"),
        &format!("as_me=configure host_alias= build_alias= target_alias={ARM}"),
        "as_me=configure host_alias=x86_64-pc-linux-gnu build_alias=x86_64-pc-linux-gnu",
        "as_me=configure host_alias=s390x-ibm-linux-gnu build_alias=x86_64-pc-linux-gnu",
        // Autoconf 2.13, which ignores an inherited `host_alias`.
        "host=NONE build=NONE target=NONE",
        &format!("host=NONE build=NONE host_alias={ARM}"),
        &format!("host={ARM} build={ARM}"),
    ] {
        assert_eq!(read(&prefix, SHELLS[0], before), "|", "{before}");
    }
    for before in [
        format!("as_me=configure host_alias={ARM} build_alias="),
        format!("as_me=configure host_alias={ARM}"),
        format!("host={ARM} build=NONE"),
    ] {
        assert_eq!(
            read(&prefix, SHELLS[0], &before),
            format!("{WORDS}|yes"),
            "{before}"
        );
    }
}

#[test]
fn the_callers_files_are_read_first_and_autoconfs_files_are_overridden() {
    let prefix = rendered();
    let cross = format!("as_me=configure host_alias={ARM} build_alias=x86_64-pc-linux-gnu");
    prefix.write("a b/one.site", "x_cv_words=one");
    prefix.write("two.site", "ac_cv_func_malloc_0_nonnull=two\n");
    // The caller's file names crossmerge's again.
    prefix.write(
        "three.site",
        &format!(
            "x_cv_words=three; . {}\n",
            prefix.join("config.site").display()
        ),
    );
    prefix.write(
        "usr/share/config.site",
        "ac_cv_func_malloc_0_nonnull=false_answer\nx_cv_other=kept\n",
    );
    let directory = prefix.path();
    let directory = directory.display();
    for shell in SHELLS {
        let own = |files: &str| {
            read(
                &prefix,
                shell,
                &format!("{cross}; CROSSMERGE_CONFIG_SITE='{files}'"),
            )
        };
        assert_eq!(
            own(&format!("{directory}/a b/one.site")),
            "one|yes",
            "{shell:?}"
        );
        assert_eq!(
            own(&format!("{directory}/none.site {directory}/two.site")),
            format!("{WORDS}|two"),
            "{shell:?}"
        );
        assert_eq!(own("two.site"), format!("{WORDS}|two"), "{shell:?}");
        assert_eq!(
            own(&format!("{directory}/three.site")),
            "three|yes",
            "{shell:?}"
        );
        assert_eq!(
            own(&format!("{directory}/config.site")),
            format!("{WORDS}|yes"),
            "{shell:?}"
        );
        // A file of the prefix is read before crossmerge's, whose answers replace its own.
        let with_prefix = |before: &str| {
            read(
                &prefix,
                shell,
                &format!("{before}; prefix={directory}/usr; ac_default_prefix=/x"),
            )
        };
        assert_eq!(with_prefix(&cross), format!("{WORDS}|yes"), "{shell:?}");
        assert_eq!(
            with_prefix(&format!("{cross}; ac_cv_func_malloc_0_nonnull=mine")),
            format!("{WORDS}|false_answer")
        );
        let default = format!("{cross}; prefix=NONE; ac_default_prefix={directory}/usr");
        assert_eq!(
            read(
                &prefix,
                shell,
                &format!("{default}; trap 'echo $x_cv_other' 0")
            ),
            format!("{WORDS}|yes\nkept")
        );
        // In a native build it is read as usual. If the caller names one, it is not read.
        assert_eq!(with_prefix("as_me=configure"), "|false_answer");
        assert_eq!(
            with_prefix("as_me=configure; CROSSMERGE_CONFIG_SITE=none.site"),
            "|"
        );
    }
}

#[test]
fn a_cached_value_is_kept_and_a_failing_file_is_a_failure() {
    let prefix = rendered();
    let cross = format!("as_me=configure host_alias={ARM} build_alias=x86_64-pc-linux-gnu");
    prefix.write("config.cache", "x_cv_words=${x_cv_words=cached}\n");
    for shell in SHELLS {
        for (cache, value) in [
            ("config.cache", "cached"),
            ("none", WORDS),
            ("/dev/null", WORDS),
        ] {
            let before = format!("{cross}; cache_file={cache}");
            assert_eq!(
                read(&prefix, shell, &before),
                format!("{value}|yes"),
                "{shell:?}"
            );
        }
        let fails = format!(
            "{cross}; CROSSMERGE_CONFIG_SITE=fails.site; . {} || echo \"failed to load, $x_cv_words\"",
            prefix.join("config.site").display()
        );
        prefix.write("fails.site", "false\n");
        let args = shell[1..].iter().copied().chain(["-uc", &fails]);
        let output = prefix.command(shell[0], args).success();
        assert_eq!(
            output.stdout,
            format!("failed to load, {WORDS}\n"),
            "{shell:?}"
        );
    }
}
