//! Nothing is run as root from a place that another user may write to without saying so.

use super::{AS_OTHER_USER, OTHER_USER, TUPLE, directory_of_another_user, give_away, needs_root};
use crate::support::{CROSSMERGE, Prefix, Said};
use std::path::Path;

/// A prefix in which nothing but what a test does is weak, and whose `<tuple>-emerge` runs what PATH has.
fn scene() -> Prefix {
    needs_root();
    let prefix = Prefix::new();
    prefix.command("chmod", ["755", "."]).success();
    prefix.link(&format!("{TUPLE}-emerge"));
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    prefix
}

fn emerge(prefix: &Prefix) -> Said {
    prefix.run(&format!("{TUPLE}-emerge"), ["x"]).success()
}

/// The warnings of a run.
fn warnings(said: &Said) -> Vec<&str> {
    let lines = said.stderr.lines();
    lines.filter(|line| line.contains(": warning: ")).collect()
}

/// Checks that there is one warning, and what is in it.
#[track_caller]
fn warns(said: &Said, parts: &[&str]) {
    match warnings(said)[..] {
        [line] => parts
            .iter()
            .for_each(|part| assert!(line.contains(part), "no {part:?} in {line}")),
        _ => panic!("no one warning: {said:#?}"),
    }
}

#[test]
fn root_hears_once_of_a_tool_that_another_user_may_change() {
    let prefix = scene();
    let tool = prefix.script("tools/emerge", "#!/bin/sh\n");
    assert_eq!(warnings(&emerge(&prefix)), [] as [&str; 0]);

    let tools = prefix.join("tools");
    let named = format!(
        "`{}` (owner {OTHER_USER}, group {OTHER_USER}, mode 755)",
        tools.display()
    );
    give_away(&tools);
    warns(&emerge(&prefix), &[&named, "chown root:root"]);
    prefix.command("chown", ["0:0", "tools"]).success();

    for (mode, is_weak) in [("777", true), ("775", false), ("1777", false)] {
        prefix.command("chmod", [mode, "tools"]).success();
        let said = emerge(&prefix);
        assert_eq!(
            warnings(&said).len(),
            usize::from(is_weak),
            "{mode}: {said:#?}"
        );
    }
    prefix.command("chgrp", ["50", "tools"]).success();
    prefix.command("chmod", ["2775", "tools"]).success();
    warns(&emerge(&prefix), &["mode 2775", "chmod go-w"]);
    prefix.command("chgrp", ["0", "tools"]).success();
    prefix.command("chmod", ["755", "tools"]).success();

    // The tool itself, and where it is when what PATH has is a link.
    give_away(&tool);
    warns(
        &emerge(&prefix),
        &[&format!("may change `{}`", tool.display())],
    );
    std::fs::remove_file(&tool).expect("gone");
    let theirs = directory_of_another_user(&prefix, "home");
    let real = prefix.script("home/emerge", "#!/bin/sh\n");
    std::os::unix::fs::symlink(&real, &tool).expect("a link");
    warns(
        &emerge(&prefix),
        &[&format!("may change `{}`", theirs.display())],
    );

    // A directory above is enough.
    std::fs::remove_file(&tool).expect("gone");
    prefix.script("home/sub/bin/emerge", "#!/bin/sh\n");
    let path = format!("{}:/usr/bin:/bin", prefix.join("home/sub/bin").display());
    let named = format!("`{}`", theirs.display());
    let prefix = prefix.with("PATH", path);
    warns(&emerge(&prefix), &[&named]);

    // So is one behind a directory that is a link, as `/bin` is.
    let alias = prefix.join("alias");
    std::os::unix::fs::symlink("./home/sub/../sub/bin", &alias).expect("a link");
    let path = format!("{}:/usr/bin:/bin", alias.display());
    warns(&emerge(&prefix.with("PATH", path)), &[&named]);
}

#[test]
fn root_hears_of_a_link_that_another_user_may_replace() {
    let prefix = scene();
    let tools = prefix.join("tools");
    std::fs::create_dir(&tools).expect("a directory");
    let link = tools.join("emerge");
    std::os::unix::fs::symlink("/bin/true", &link).expect("a link");
    let is_weak = || {
        let said = emerge(&prefix);
        let warnings = warnings(&said);
        warnings.iter().for_each(|line| {
            let fix = format!("chown -h root:root {}", link.display());
            assert!(line.contains(&fix), "{line}");
        });
        warnings.len()
    };
    // Whose it is counts where everybody may put something.
    for (mode, owner, weak) in [
        ("1777", "0", 0),
        ("1777", &*OTHER_USER.to_string(), 1),
        ("755", &*OTHER_USER.to_string(), 0),
    ] {
        prefix.command("chmod", [mode, "tools"]).success();
        let args = ["-h", owner, "tools/emerge"];
        prefix.command("chown", args).success();
        assert_eq!(is_weak(), weak, "{mode} {owner}");
    }
}

#[test]
fn what_a_user_named_is_looked_at_too_and_what_others_run_is_not() {
    let prefix = scene();
    directory_of_another_user(&prefix, "home");
    let theirs = prefix.script("home/emerge", "#!/bin/sh\n");
    let prefix = prefix.with("CROSS_CMD", &theirs);
    warns(&emerge(&prefix), &["home` (owner"]);
    std::fs::copy(CROSSMERGE, prefix.join(format!("{TUPLE}-env"))).expect("a copy");
    let own = prefix.join(format!("{TUPLE}-env"));
    let words = ["env", "HOME=home"];
    let words = words
        .map(Path::new)
        .into_iter()
        .chain([own.as_path(), theirs.as_path()]);
    let said = prefix.command(
        "setpriv",
        AS_OTHER_USER.map(Path::new).into_iter().chain(words),
    );
    assert_eq!(warnings(&said.success()), [] as [&str; 0]);
}

#[test]
fn root_hears_of_a_path_that_depends_on_where_it_is() {
    let prefix = scene();
    prefix.script("emerge", "#!/bin/sh\n");
    for path in ["", ":/usr/bin:/bin", ".:/usr/bin", "/usr/bin:"] {
        let prefix = match path {
            "" => continue,
            path => prefix.with("PATH", path),
        };
        warns(
            &emerge(&prefix),
            &["`emerge` is run as root from the current directory"],
        );
    }
}

#[test]
fn the_compiler_that_init_adopts_is_looked_at() {
    let prefix = scene();
    directory_of_another_user(&prefix, "sdk");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    let tools = format!("{sdk}/bin/arm-linux-gnueabi-");
    let said = prefix.own(["init", TUPLE, "--toolchain", &tools]).success();
    warns(&said, &[&format!("may change `{sdk}`")]);
}

#[test]
fn a_qemu_that_another_user_may_change_is_not_registered_for_everybody() {
    let prefix = scene();
    let theirs = directory_of_another_user(&prefix, "home");
    // Debian's is linked statically, which is asked first.
    std::fs::copy("/usr/bin/qemu-s390x-static", theirs.join("qemu-s390x")).expect("QEMU");
    let path = format!("{}:/usr/bin:/bin", theirs.display());
    let prefix = prefix.with("PATH", path);
    for command in ["register", "install"] {
        let args = ["binfmt", command, "s390x-ibm-linux-gnu", "--dry-run"];
        let error = format!("another user may change `{}`", theirs.display());
        prefix
            .own(args)
            .fails(125, &error, "install QEMU where only root writes");
    }
    let said = prefix
        .own(["binfmt", "install", "--all", "--dry-run"])
        .success();
    assert!(
        said.stderr.contains("skipped: ") && !said.stdout.contains("/home/"),
        "{said:#?}"
    );
}

#[test]
fn probes_are_not_run_where_another_user_may_write_or_nothing_runs() {
    let prefix = scene();
    let theirs = directory_of_another_user(&prefix, "home");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    let tools = format!("{sdk}/bin/arm-linux-gnueabi-");
    let init = ["init", TUPLE, "--toolchain", &tools, "--dry-run"];
    let said = prefix.with("TMPDIR", &theirs).own(init).success();
    let line = format!("may write to `{}` (owner {OTHER_USER}", theirs.display());
    assert_eq!(
        said.stderr.matches("temporary files go to `/tmp`").count(),
        1,
        "{said:#?}"
    );
    assert!(said.stderr.contains(&line), "{said:#?}");

    // A file system from which nothing runs.
    std::fs::create_dir(prefix.join("noexec")).expect("a directory");
    let script = "mount -t tmpfs -o noexec,mode=1777 none noexec && exec \"$@\"";
    let own = prefix.join("bin/crossmerge").display().to_string();
    let words = ["--mount", "/bin/sh", "-ec", script, "sh", &own];
    let noexec = prefix.join("noexec");
    let said = prefix
        .with("TMPDIR", &noexec)
        .command("unshare", words.iter().chain(&init))
        .success();
    let line = format!("`{}` is mounted noexec", noexec.display());
    assert!(said.stderr.contains(&line), "{said:#?}");
}
