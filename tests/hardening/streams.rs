//! What a caller may do to the streams and files of a run: a reader that leaves, a full disk behind stdout, streams that are closed.

use super::TUPLE;
use crate::{init::tree, support::Prefix};

#[test]
fn an_answer_that_nobody_reads_to_its_end_is_no_failure_to_talk_about() {
    let prefix = Prefix::new();
    for args in [
        "show avr",
        "applets",
        "--help",
        "plan avr env",
        "site-cache list --all avr",
    ] {
        let script = format!("mkdir -p usr/avr; {{ crossmerge {args}; echo $? > code; }} | :");
        let said = prefix.command("/bin/sh", ["-c", &script]).success();
        assert_eq!(said.stderr, "", "{args}");
        let code = prefix.read("code");
        assert!(["0\n", "141\n"].contains(&code.as_str()), "{args}: {code}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
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
        let said = prefix.command("/bin/sh", ["-c", &format!("{command} > /dev/full")]);
        said.fails_without_hint(125, "cannot write the answer: No space left on device");
    }
    // What is said is not the answer.
    prefix
        .command("/bin/sh", ["-c", "crossmerge init avr 2> /dev/full"])
        .success();
}

#[test]
fn closed_streams_are_no_files_that_are_written_to() {
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
fn a_tool_gets_the_callers_files_and_none_of_ours() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    // What make hands down to its children for its job server is theirs too.
    prefix.script("tools/list", "#!/bin/sh\nls /proc/self/fd\n");
    let script = format!("exec 7< /dev/null; ls /proc/self/fd; echo; {TUPLE}-env list");
    let said = prefix.command("/bin/sh", ["-ec", &script]).success().stdout;
    let (own, tools) = said.split_once("\n\n").expect("two lists");
    assert_eq!(own.trim(), tools.trim());
    assert!(own.contains('7'), "{said}");
}

#[test]
fn ctrl_c_leaves_what_a_kill_leaves() {
    let prefix = Prefix::new();
    let whole = {
        let prefix = Prefix::new();
        prefix.own(["init", TUPLE]).success();
        tree(&prefix.join("usr")).len()
    };
    for when in [1, 10, 20] {
        let said = prefix.injected(
            "renameat",
            "signal=INT",
            when,
            "crossmerge",
            ["init", TUPLE],
        );
        assert_eq!(said.code, None, "{said:#?}");
        prefix.own(["init", TUPLE]).success();
        assert_eq!(tree(&prefix.join("usr")).len(), whole);
        prefix.own(["remove", TUPLE]).success();
    }
}
