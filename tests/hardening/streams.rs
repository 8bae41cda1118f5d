//! What a caller may do with the streams of a run: close the reading end early, write stdout to a full disk, or close
//! all streams.

use super::TUPLE;
use crate::{init::tree, support::Prefix};

#[test]
fn a_reader_that_closes_the_pipe_causes_no_error_message() {
    let prefix = Prefix::new();
    for args in [
        "show avr",
        "applets",
        "--help",
        "plan avr env",
        "site-cache list --all avr",
    ] {
        let script = format!("mkdir -p usr/avr; {{ crossmerge {args}; echo $? > code; }} | :");
        let output = prefix.command("/bin/sh", ["-c", &script]).success();
        assert_eq!(output.stderr, "", "{args}");
        let code = prefix.read("code");
        assert!(["0\n", "141\n"].contains(&code.as_str()), "{args}: {code}");
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let prefix = Prefix::new();
    prefix.link("avr-env");
    std::fs::create_dir_all(prefix.join("usr/avr")).expect("a sysroot");
    for command in [
        "crossmerge show avr",
        "crossmerge applets",
        "crossmerge --help",
        "crossmerge binfmt show",
        "avr-env",
    ] {
        let output = prefix.command("/bin/sh", ["-c", &format!("{command} > /dev/full")]);
        output.fails_without_hint(125, "cannot write to stdout: No space left on device");
    }
    // Notes on stderr are not the result, so losing them is no failure.
    prefix
        .command("/bin/sh", ["-c", "crossmerge init avr 2> /dev/full"])
        .success();
}

#[test]
fn no_file_gets_the_descriptor_of_a_closed_stream() {
    let alone = Prefix::new();
    alone.own(["init", TUPLE]).success();
    let prefix = Prefix::new();
    let script = format!("crossmerge init {TUPLE} <&- >&- 2>&-");
    prefix.command("/bin/sh", ["-c", &script]).success();
    let own = |prefix: &Prefix| {
        let path = prefix.path().display().to_string();
        let tree = tree(&prefix.path());
        let lines = tree
            .iter()
            .map(|(path, what)| format!("{} {what}", path.display()));
        lines
            .map(|line| line.replace(&path, ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(own(&prefix), own(&alone));
    let script = "crossmerge show x/y <&- >&- 2>&-; echo $?";
    assert_eq!(
        prefix.command("/bin/sh", ["-c", script]).success().stdout,
        "125\n"
    );
}

#[test]
fn a_tool_inherits_the_callers_descriptors_and_none_of_crossmerges() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    // The descriptors that make passes to its children for the job server also reach the tool.
    prefix.script("tools/list", "#!/bin/sh\nls /proc/self/fd\n");
    let script = format!("exec 7< /dev/null; ls /proc/self/fd; echo; {TUPLE}-env list");
    let output = prefix.command("/bin/sh", ["-ec", &script]).success().stdout;
    let (own, tools) = output.split_once("\n\n").expect("two lists");
    assert_eq!(own.trim(), tools.trim());
    assert!(own.contains('7'), "{output}");
}

#[test]
fn the_next_run_completes_an_init_ended_by_ctrl_c() {
    let prefix = Prefix::new();
    let whole = {
        let prefix = Prefix::new();
        prefix.own(["init", TUPLE]).success();
        tree(&prefix.join("usr")).len()
    };
    for when in [1, 10, 20] {
        let output = prefix.injected(
            "renameat",
            "signal=INT",
            when,
            "crossmerge",
            ["init", TUPLE],
        );
        assert_eq!(output.code, None, "{output:#?}");
        prefix.own(["init", TUPLE]).success();
        assert_eq!(tree(&prefix.join("usr")).len(), whole);
        prefix.own(["remove", TUPLE]).success();
    }
}
