//! Names that another user chose are printed with their control characters escaped: none moves the cursor of root's terminal or looks like
//! a line of crossmerge's.

use super::{TUPLE, give_away, hash, link, scene};
use crate::support::Said;

/// A name that another user may give to a file, and the line that it would print.
const NAMES: [&str; 4] = [
    "\u{1b}]0;owned\u{7}",
    "x\nremoved  everything",
    "\u{9b}2J\rchanged  all",
    "\u{202e}la.x",
];

#[track_caller]
fn is_plain(said: &Said, name: &str) {
    is_escaped(said, name);
    let mut lines = said.stdout.lines().chain(said.stderr.lines());
    let is_named = lines.any(|line| ["\\u{", "\\n", "\\0"].iter().any(|it| line.contains(it)));
    assert!(is_named, "{name:?} is named: {said:#?}");
}

/// Checks that nothing of the name is printed as it is.
#[track_caller]
fn is_escaped(said: &Said, name: &str) {
    for line in said.stdout.lines().chain(said.stderr.lines()) {
        let is_false = ["removed  everything", "changed  all"];
        let begins = is_false.iter().any(|text| line.starts_with(text));
        let controls = ['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}'];
        assert!(
            !begins && !line.contains(controls),
            "{name:?}: {line:?} in {said:#?}"
        );
    }
}

#[test]
fn fix_root_escapes_what_it_names() {
    for name in NAMES {
        let prefix = scene();
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
        give_away(&prefix.join("s"));
        let fix_root = format!("{TUPLE}-fix-root");
        is_plain(&prefix.run(&fix_root, ["--dry-run"]), name);
        is_plain(&prefix.run(&fix_root, [] as [&str; 0]).success(), name);
    }
}

#[test]
fn remove_init_and_doctor_escape_what_they_name() {
    for name in NAMES {
        let prefix = scene();
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
        give_away(&prefix.join("s"));
        is_plain(&prefix.own(["doctor", TUPLE]), name);
        // A record has a line for each path, and so no path with a line end.
        let check = match name.contains('\n') {
            true => is_escaped,
            false => is_plain,
        };
        check(&prefix.own(["remove", TUPLE, "--dry-run"]), name);
        check(&prefix.own(["remove", TUPLE]), name);
        // On the way to a place.
        std::fs::create_dir_all(prefix.join("alice")).expect("a directory");
        link(&prefix, &format!("alice/{name}"), prefix.join("s"));
        give_away(&prefix.join("alice"));
        let sysroot = prefix.join("alice").join(name);
        is_plain(&prefix.with("SYSROOT", sysroot).own(["init", TUPLE]), name);
    }
}
