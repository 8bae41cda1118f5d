//! As root, crossmerge runs nothing from a place that another user may write to without a warning.

use super::{AS_OTHER_USER, OTHER_USER, TUPLE, directory_of_another_user, give_away, needs_root};
use crate::support::{CROSSMERGE, Output, Prefix};
use std::path::Path;

/// A prefix in which only the test itself makes a place writable, and whose `<tuple>-emerge` runs the emerge in PATH.
fn scene() -> Prefix {
    needs_root();
    let prefix = Prefix::new();
    prefix.command("chmod", ["755", "."]).success();
    prefix.link(&format!("{TUPLE}-emerge"));
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    prefix
}

fn emerge(prefix: &Prefix) -> Output {
    prefix.run(&format!("{TUPLE}-emerge"), ["x"]).success()
}

/// The warnings of a run.
fn warnings(output: &Output) -> Vec<&str> {
    let lines = output.stderr.lines();
    lines.filter(|line| line.contains(": warning: ")).collect()
}

/// Checks that there is exactly one warning, and that it contains these parts.
#[track_caller]
fn warns(output: &Output, parts: &[&str]) {
    match warnings(output)[..] {
        [line] => parts
            .iter()
            .for_each(|part| assert!(line.contains(part), "no {part:?} in {line}")),
        _ => panic!("no one warning: {output:#?}"),
    }
}

#[test]
fn root_gets_one_warning_of_a_tool_that_another_user_may_change() {
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
        let output = emerge(&prefix);
        assert_eq!(
            warnings(&output).len(),
            usize::from(is_weak),
            "{mode}: {output:#?}"
        );
    }
    prefix.command("chgrp", ["50", "tools"]).success();
    prefix.command("chmod", ["2775", "tools"]).success();
    warns(&emerge(&prefix), &["mode 2775", "chmod go-w"]);
    prefix.command("chgrp", ["0", "tools"]).success();
    prefix.command("chmod", ["755", "tools"]).success();

    // Another user owns the tool itself, or the directory to which a symlink in PATH leads.
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

    // Another user owns a directory above the tool's.
    std::fs::remove_file(&tool).expect("gone");
    prefix.script("home/sub/bin/emerge", "#!/bin/sh\n");
    let path = format!("{}:/usr/bin:/bin", prefix.join("home/sub/bin").display());
    let named = format!("`{}`", theirs.display());
    let prefix = prefix.with("PATH", path);
    warns(&emerge(&prefix), &[&named]);

    // Another user owns a directory behind a symlink on the path, as `/bin` is one.
    let alias = prefix.join("alias");
    std::os::unix::fs::symlink("./home/sub/../sub/bin", &alias).expect("a link");
    let path = format!("{}:/usr/bin:/bin", alias.display());
    warns(&emerge(&prefix.with("PATH", path)), &[&named]);
}

#[test]
fn root_is_warned_of_a_symlink_that_another_user_may_replace() {
    let prefix = scene();
    let tools = prefix.join("tools");
    std::fs::create_dir(&tools).expect("a directory");
    let link = tools.join("emerge");
    std::os::unix::fs::symlink("/bin/true", &link).expect("a link");
    let is_weak = || {
        let output = emerge(&prefix);
        let warnings = warnings(&output);
        warnings.iter().for_each(|line| {
            let fix = format!("chown -h root:root {}", link.display());
            assert!(line.contains(&fix), "{line}");
        });
        warnings.len()
    };
    // The owner of the symlink counts in a directory to which every user may write.
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
fn a_tool_that_the_environment_names_is_checked_for_root_only() {
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
    let output = prefix.command(
        "setpriv",
        AS_OTHER_USER.map(Path::new).into_iter().chain(words),
    );
    assert_eq!(warnings(&output.success()), [] as [&str; 0]);
}

#[test]
fn root_is_warned_of_a_relative_path() {
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
fn the_compiler_that_init_adopts_is_checked() {
    let prefix = scene();
    directory_of_another_user(&prefix, "sdk");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    let tools = format!("{sdk}/bin/arm-linux-gnueabi-");
    let output = prefix.own(["init", TUPLE, "--toolchain", &tools]).success();
    warns(&output, &[&format!("may change `{sdk}`")]);
}

#[test]
fn a_qemu_that_another_user_may_change_is_not_registered() {
    let prefix = scene();
    let theirs = directory_of_another_user(&prefix, "home");
    // Debian's QEMU is statically linked, which crossmerge checks first.
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
    let output = prefix
        .own(["binfmt", "install", "--all", "--dry-run"])
        .success();
    assert!(
        output.stderr.contains("skipped: ") && !output.stdout.contains("/home/"),
        "{output:#?}"
    );
}

#[test]
fn probes_do_not_run_in_a_directory_of_another_user_or_without_exec() {
    let prefix = scene();
    let theirs = directory_of_another_user(&prefix, "home");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    let tools = format!("{sdk}/bin/arm-linux-gnueabi-");
    let init = ["init", TUPLE, "--toolchain", &tools, "--dry-run"];
    let output = prefix.with("TMPDIR", &theirs).own(init).success();
    let line = format!("may write to `{}` (owner {OTHER_USER}", theirs.display());
    assert_eq!(
        output
            .stderr
            .matches("temporary files go to `/tmp`")
            .count(),
        1,
        "{output:#?}"
    );
    assert!(output.stderr.contains(&line), "{output:#?}");

    // A file system that is mounted noexec.
    std::fs::create_dir(prefix.join("noexec")).expect("a directory");
    let script = "mount -t tmpfs -o noexec,mode=1777 none noexec && exec \"$@\"";
    let own = prefix.join("bin/crossmerge").display().to_string();
    let words = ["--mount", "/bin/sh", "-ec", script, "sh", &own];
    let noexec = prefix.join("noexec");
    let output = prefix
        .with("TMPDIR", &noexec)
        .command("unshare", words.iter().chain(&init))
        .success();
    let line = format!("`{}` is mounted noexec", noexec.display());
    assert!(output.stderr.contains(&line), "{output:#?}");
}
