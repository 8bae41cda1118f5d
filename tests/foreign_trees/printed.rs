//! crossmerge escapes control characters in names that another user chose, so that no name moves the cursor of root's
//! terminal or looks like a line of crossmerge's.

use super::{Runner, TUPLE, give_for, hash, link, scene};
use crate::support::Output;

/// Names that another user may give to a file, and the lines that they would print.
const NAMES: [&str; 4] = [
    "\u{1b}]0;owned\u{7}",
    "x\nremoved  everything",
    "\u{9b}2J\rchanged  all",
    "\u{202e}la.x",
];

#[track_caller]
fn is_plain(output: &Output, name: &str) {
    is_escaped(output, name);
    let mut lines = output.stdout.lines().chain(output.stderr.lines());
    let is_named = lines.any(|line| ["\\u{", "\\n", "\\0"].iter().any(|it| line.contains(it)));
    assert!(is_named, "{name:?} is named: {output:#?}");
}

/// Checks that no line contains the name unescaped.
#[track_caller]
fn is_escaped(output: &Output, name: &str) {
    for line in output.stdout.lines().chain(output.stderr.lines()) {
        let is_false = ["removed  everything", "changed  all"];
        let begins = is_false.iter().any(|text| line.starts_with(text));
        let controls = ['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}'];
        assert!(
            !begins && !line.contains(controls),
            "{name:?}: {line:?} in {output:#?}"
        );
    }
}

/// Each name, for root and for an ordinary user.
fn each() -> impl Iterator<Item = (Runner, &'static str)> {
    let names = |runner| NAMES.map(move |name| (runner, name));
    Runner::BOTH.into_iter().flat_map(names)
}

#[test]
fn fix_root_escapes_names() {
    for (runner, name) in each() {
        let mut prefix = scene();
        runner.takes(&mut prefix);
        for path in [
            format!("s/usr/lib/lib{name}.so"),
            format!("s/usr/lib/lib{name}.la"),
        ] {
            prefix.write(&path, "libdir='/usr/lib'\n");
            prefix.command("chmod", ["600", &path]).success();
        }
        link(&prefix, &format!("s/usr/lib/{name}-out"), "/bin/sh");
        link(
            &prefix,
            &format!("s/usr/lib/{name}-in"),
            format!("/usr/lib/lib{name}.so"),
        );
        prefix.script(
            &format!("s/usr/bin/{name}-config"),
            "#!/bin/sh\nprefix=/usr\n",
        );
        give_for(runner, &prefix.join("s"));
        let fix_root = format!("{TUPLE}-fix-root");
        is_plain(&prefix.run(&fix_root, ["--dry-run"]), name);
        is_plain(&prefix.run(&fix_root, [] as [&str; 0]).success(), name);
    }
}

#[test]
fn remove_init_and_doctor_escape_names() {
    for (runner, name) in each() {
        let mut prefix = scene();
        runner.takes(&mut prefix);
        prefix.write(&format!("s/etc/.{name}.crossmerge-new"), "x\n");
        prefix.write(&format!("s/etc/._cfg0000_{name}"), "x\n");
        prefix.write(&format!("s/etc/{name}"), "x\n");
        prefix.write(&format!("s/etc/{name}2"), "x\n");
        prefix.write(&format!("s/usr/lib/lib{name}.la"), "libdir='/usr/lib'\n");
        link(&prefix, &format!("s/{name}-out"), format!("/{name}"));
        let hash = hash("x\n");
        let record = format!(
            "obj etc/{name} {hash}\nobj etc/{name}2 {}\nobj {name}-out/x {hash}\n",
            "0".repeat(64)
        );
        prefix.write("s/var/lib/crossmerge/contents", &record);
        give_for(runner, &prefix.join("s"));
        is_plain(&prefix.own(["doctor", TUPLE]), name);
        // A record has one line for each path, so a path in it contains no newline.
        let check = match name.contains('\n') {
            true => is_escaped,
            false => is_plain,
        };
        check(&prefix.own(["remove", TUPLE, "--dry-run"]), name);
        check(&prefix.own(["remove", TUPLE]), name);
        // The name is on the path to the sysroot.
        std::fs::create_dir_all(prefix.join("alice")).expect("a directory");
        link(&prefix, &format!("alice/{name}"), prefix.join("s"));
        give_for(runner, &prefix.join("alice"));
        let sysroot = prefix.join("alice").join(name);
        is_plain(&prefix.with("SYSROOT", sysroot).own(["init", TUPLE]), name);
    }
}
