//! Small files that expand: variables that contain each other, and constructs nested without end.

use super::{TUPLE, limited};
use crate::support::{Output, Prefix};
use std::os::unix::fs::symlink;

/// A prefix with the real Portage and an empty sysroot.
fn with_portage() -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.link(&format!("{TUPLE}-emerge"));
    let sysroot = format!("usr/{TUPLE}/etc/portage");
    std::fs::create_dir_all(prefix.join(sysroot)).expect("a sysroot");
    prefix
}

/// Runs a command that needs the settings of the host and the target. It does not start Portage.
fn ask(prefix: &Prefix) -> Output {
    limited(prefix, "crossmerge", ["plan", TUPLE, "emerge", "foo"])
}

#[test]
fn settings_that_expand_without_end_are_an_error_without_asking_portage() {
    let doubling = "A=x\n".to_owned() + &"A=\"${A}${A}\"\n".repeat(64);
    let section = |depth: usize| match depth {
        0 => "x0 = y\n".to_owned(),
        _ => format!("x{depth} = {}\n", format!("%(x{})s", depth - 1).repeat(20)),
    };
    let sections: String = (0..9).map(section).collect();
    let long = "A=\"".to_owned() + &"x".repeat(1 << 21) + "\"\n";
    let names: String = (0..9999).map(|name| format!("A{name} ")).collect();
    for (file, text, error) in [
        (
            "make.conf",
            doubling,
            "a value is longer than 1048576 bytes",
        ),
        ("make.conf", long, "a value is longer than 1048576 bytes"),
        (
            "make.conf",
            format!("USE_EXPAND=\"{names}\"\n"),
            "USE_EXPAND names more than 2000 variables",
        ),
        (
            "repos.conf",
            format!("[gentoo]\nlocation = /\n{sections}"),
            "makes it longer than",
        ),
    ] {
        let prefix = with_portage();
        prefix.write(&format!("etc/portage/{file}"), &text);
        ask(&prefix).fails(125, error, "portageq is not started either");
    }
}

#[test]
fn files_that_source_each_other_without_end_are_an_error() {
    // Each file names the next one twice: a trillion in total.
    let prefix = with_portage();
    for depth in 0..39 {
        let next = format!("source f{0}\nsource f{0}\n", depth + 1);
        prefix.write(&format!("etc/portage/f{depth}"), &next);
    }
    prefix.write("etc/portage/f39", "");
    prefix.write("etc/portage/make.conf", "source f0\n");
    ask(&prefix).fails(125, "makes the settings longer than", "ls -lL");

    let prefix = with_portage();
    let make_conf = prefix.join("etc/portage/make.conf");
    std::fs::remove_file(&make_conf).expect("it was there");
    std::fs::create_dir(&make_conf).expect("a directory");
    for link in ["a", "b"] {
        symlink(".", make_conf.join(link)).expect("a link");
    }
    ask(&prefix).fails(125, "or its symlinks form a cycle", "ls -lL");

    let prefix = with_portage();
    let profile = prefix.join("etc/portage/make.profile");
    std::fs::remove_file(&profile).expect("it was there");
    for depth in 0..30 {
        let next = format!("../p{0}\n../p{0}\n", depth + 1);
        prefix.write(&format!("profiles/p{depth}/parent"), &next);
    }
    prefix.write("profiles/p30/make.defaults", "A=b\n");
    symlink(prefix.join("profiles/p0"), &profile).expect("a link");
    ask(&prefix).fails(125, "its parents form a cycle", "ls -lL");
}

#[test]
fn a_pipe_among_the_settings_is_an_error_and_does_not_block() {
    let prefix = with_portage();
    let pipe = prefix.join("etc/portage/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    prefix.append("etc/portage/make.conf", "source pipe\n");
    let error = format!("`{}`: is a pipe, not a regular file", pipe.display());
    ask(&prefix).fails(125, &error, "ls -lL");
    // Portage skips a pipe in place of make.conf itself, and so does crossmerge.
    let prefix = with_portage();
    let make_conf = prefix.join("etc/portage/make.conf");
    std::fs::remove_file(&make_conf).expect("it was there");
    nix::unistd::mkfifo(&make_conf, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let output = ask(&prefix);
    assert_ne!(output.code, Some(124), "{output:#?}");
}

#[test]
fn many_missing_files_may_be_sourced() {
    let prefix = with_portage();
    prefix.append("etc/portage/make.conf", &"source nowhere\n".repeat(30_000));
    ask(&prefix).success();
}

#[test]
fn deeply_nested_toml_is_an_error_with_its_file() {
    let deep = 100_000;
    for text in [
        format!("x = {}", "[".repeat(deep)),
        format!("x = {}", "{a=".repeat(deep)),
        format!("{}x = 1", "a.".repeat(deep)),
        format!("[{}x]", "a.".repeat(deep)),
        format!("[[{}x]]", "a.".repeat(deep)),
    ] {
        for (file, command) in [
            ("crossmerge.toml".to_owned(), vec!["applets"]),
            ("wrappers/x.toml".to_owned(), vec!["applets"]),
            ("profiles/x.toml".to_owned(), vec!["show", TUPLE]),
            (format!("targets/{TUPLE}.toml"), vec!["remove", TUPLE]),
            (
                format!("site-cache/{TUPLE}.toml"),
                vec!["site-cache", "list", TUPLE],
            ),
        ] {
            let prefix = Prefix::new();
            let file = prefix.write(&format!("etc/crossmerge/{file}"), &text);
            let output = limited(&prefix, "crossmerge", command);
            assert_eq!(output.code, Some(125), "{:.9} {output:#?}", text);
            assert!(
                output.stderr.contains(file.to_str().expect("UTF-8")),
                "{output:#?}"
            );
        }
    }
}

#[test]
fn a_deeply_nested_script_is_scanned_to_its_end() {
    const HEAD: &str = "# Generated by GNU Autoconf 2.71 for x 1.\n";
    let deep = 5_000;
    let question = "test \"$cross_compiling\" = yes && exit 1;";
    for text in [
        "x=$x$x\n".repeat(100) + "x_cv_a=$x\n",
        "if a; then b; elif ".repeat(deep),
        "if ".repeat(deep),
        "f () ".repeat(deep),
        "! ".repeat(deep),
        format!("test {}a\n", "! ".repeat(deep)),
        format!("{}\n", "\"\" ".repeat(deep)),
        "$(".repeat(deep),
        "a <<E ".repeat(deep),
        "for i in a b; do while c; do ".repeat(deep),
        "f () { f; f; }; f\n".repeat(deep),
        question.repeat(deep),
        format!("x_cv_a={}\n", "\"".repeat(deep) + &"$a".repeat(deep)),
        (0..deep)
            .map(|n| format!("if a; then x_{n}=1; el"))
            .collect::<String>(),
        (0..deep / 2)
            .map(|n| format!("if test ${{x_cv_{n}+y}}; then :; else if {question} fi; fi\n"))
            .collect(),
    ] {
        let prefix = Prefix::new();
        prefix.write("configure", &format!("{HEAD}{text}"));
        let output = limited(
            &prefix,
            "crossmerge",
            ["site-cache", "scan", TUPLE, "configure"],
        );
        assert_eq!(output.code, Some(0), "{:.40} {:.500}", text, output.stderr);
    }
}

#[test]
fn a_pkg_config_that_prints_without_end_is_killed() {
    let prefix = Prefix::new();
    prefix.link(&format!("{TUPLE}-pkg-config"));
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    // A stand-in, because no real pkg-config prints without end.
    prefix.script(
        "tools/pkg-config",
        "#!/bin/sh\nexec yes -- -I/usr/include\n",
    );
    limited(&prefix, &format!("{TUPLE}-pkg-config"), ["--cflags", "x"]).fails(
        125,
        "printed more than 16 MiB",
        "od -c",
    );
    prefix.script(
        "tools/pkg-config",
        "#!/bin/sh\nyes -- -I/usr/include | head -c 1000000\n",
    );
    let output = limited(&prefix, &format!("{TUPLE}-pkg-config"), ["--cflags", "x"]);
    output.fails(125, "printed paths outside the sysroot", "pc_sysrootdir");
}
