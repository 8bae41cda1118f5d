//! `crossmerge binfmt`, with a binfmt_misc of the tests' own.

use super::in_namespace;
use crate::support::Prefix;

const TUPLE: &str = "armv5tel-softfloat-linux-gnueabi";
const ENTRY: &str = "/proc/sys/fs/binfmt_misc/qemu-arm";

#[test]
fn a_rule_is_registered_and_removed() {
    let prefix = Prefix::new();
    let script = format!(
        "crossmerge binfmt register --dry-run {TUPLE} > paste; [ ! -e {ENTRY} ]\n\
         crossmerge binfmt register {TUPLE}; crossmerge binfmt register {TUPLE}\n\
         cat {ENTRY} > registered\n\
         crossmerge binfmt status {TUPLE}\n\
         echo 0 > {ENTRY}; crossmerge binfmt status {TUPLE}\n\
         crossmerge binfmt register {TUPLE}; crossmerge binfmt status {TUPLE}\n\
         crossmerge binfmt unregister --dry-run {TUPLE} > away\n\
         crossmerge binfmt unregister {TUPLE}; [ ! -e {ENTRY} ]\n\
         crossmerge binfmt unregister {TUPLE}; crossmerge binfmt status {TUPLE}\n\
         sh paste; diff {ENTRY} registered; sh away; [ ! -e {ENTRY} ]\n\
         crossmerge binfmt register --credentials {TUPLE}; grep flags {ENTRY}\n"
    );
    let output = in_namespace(&prefix, &script).success();
    let row = |state: &str| format!("qemu-arm  {state}  PF  /usr/bin/qemu-arm-static\n");
    let wanted = format!(
        "{}{}{}qemu-arm  -  -  -\nflags: POCF\n",
        row("enabled"),
        row("disabled"),
        row("enabled")
    );
    assert_eq!(output.stdout, wanted);
    for text in [
        "`qemu-arm` is registered already",
        "`qemu-arm` is not registered",
        "warning: flag C",
    ] {
        assert!(output.stderr.contains(text), "no {text:?} in {output:#?}");
    }
}

#[test]
fn another_programs_rule_stays() {
    let prefix = Prefix::new();
    let magic = r"\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00";
    let script = format!(
        "cd /proc/sys/fs/binfmt_misc\n\
         echo ':qemu-arm:M::{magic}::/usr/bin/qemu-arm-static:F' > register\n\
         echo ':mine:M::\\x7fELF\\x01::/usr/bin/qemu-armeb-static:' > register\n\
         cat qemu-arm > {0}/before\n\
         crossmerge binfmt register {TUPLE} || echo $?\n\
         crossmerge binfmt unregister {TUPLE} || echo $?\n\
         crossmerge binfmt register --all; [ -e qemu-armeb ]\n\
         crossmerge binfmt status --json {TUPLE}\n\
         diff qemu-arm {0}/before\n",
        prefix.path().display()
    );
    let output = in_namespace(&prefix, &script).success();
    let (codes, json) = output.stdout.split_at(8);
    assert_eq!(codes, "125\n125\n");
    let status: serde_json::Value = serde_json::from_str(json).expect(json);
    assert_eq!(
        status[0]["differs"],
        serde_json::json!(["magic or mask", "flags"])
    );
    assert_eq!(status[0]["also"], serde_json::json!(["mine"]));
    let error =
        "error: a rule `qemu-arm` exists, and it differs from crossmerge's in magic or mask, flags";
    let hint = format!("`echo -1 > {ENTRY}` removes it");
    for text in [error, &hint, "skipped: a rule `qemu-arm` exists"] {
        assert!(output.stderr.contains(text), "no {text:?} in {output:#?}");
    }
}

#[test]
fn unsafe_rules_are_not_registered() {
    let prefix = Prefix::new();
    let refused = |prefix: &Prefix, script: &str, error: &str, hint: &str| {
        let output = in_namespace(prefix, &format!("cd /proc/sys/fs/binfmt_misc\n{script}"));
        output.fails(125, error, hint);
    };
    let register = format!("crossmerge binfmt register {TUPLE}");
    refused(
        &prefix,
        "crossmerge binfmt register x86_64-pc-linux-gnu",
        "the host runs programs of `x86_64` itself",
        "would run them under QEMU",
    );
    refused(
        &prefix,
        "crossmerge binfmt register avr",
        "QEMU has no user emulation for `avr`",
        "crossmerge show avr",
    );
    refused(
        &prefix,
        "crossmerge binfmt register",
        "no target is named",
        "--all",
    );
    // Root without CAP_DAC_OVERRIDE has no more access than other users.
    refused(
        &prefix,
        &format!(
            "chmod 0 register; setpriv --bounding-set=-dac_override --inh-caps=-all {register}"
        ),
        "cannot write `/proc/sys/fs/binfmt_misc/register`: Permission denied",
        "become root",
    );
    refused(
        &prefix,
        &format!("cd /; umount /proc/sys/fs/binfmt_misc; {register}"),
        "binfmt_misc is not mounted on `/proc/sys/fs/binfmt_misc`",
        "mount -t binfmt_misc",
    );
    // Flag F needs a statically linked interpreter.
    std::fs::create_dir(prefix.join("tools")).expect("a directory");
    let tools = prefix.join("tools");
    let own = format!(
        "PATH={} {}/bin/{register}",
        tools.display(),
        prefix.path().display()
    );
    refused(
        &prefix,
        &own,
        "neither `qemu-arm` nor `qemu-arm-static` is in PATH",
        "install QEMU's user-mode emulation",
    );
    std::os::unix::fs::symlink("/bin/true", tools.join("qemu-arm")).expect("a link");
    refused(
        &prefix,
        &own,
        "/tools/qemu-arm` is not statically linked",
        "install QEMU's user-mode emulation",
    );
}

#[test]
fn an_installed_file_is_crossmerges_until_a_user_edits_it() {
    let prefix = Prefix::new();
    let file = "/etc/binfmt.d/crossmerge-qemu-arm.conf";
    let script = format!(
        "mount -t tmpfs none /etc\n\
         crossmerge binfmt install --dry-run {TUPLE} > paste; [ ! -e /etc/binfmt.d ]\n\
         crossmerge binfmt install {TUPLE}; cp {file} installed; ls -A /etc/binfmt.d\n\
         grep -v '^#' {file} | diff - <(crossmerge binfmt show {TUPLE})\n\
         while IFS= read -r line; do case $line in '#'*) ;; *) printf %s \"$line\" > /proc/sys/fs/binfmt_misc/register;; esac; done < {file}\n\
         crossmerge binfmt status {TUPLE}\n\
         crossmerge binfmt install --credentials {TUPLE}; grep -c ':PCF$' {file}\n\
         sed -i 's/:PCF$/:PF/' {file}; cp {file} edited\n\
         crossmerge binfmt install {TUPLE} || echo $?\n\
         crossmerge binfmt install --uninstall {TUPLE} || echo $?\n\
         diff {file} edited\n\
         mv {file} /etc/mine; sh paste; diff {file} installed\n\
         echo ':qemu-arm:M::x::/bin/true:' > /etc/binfmt.d/later.conf; rm {file}; crossmerge binfmt install {TUPLE}\n\
         crossmerge binfmt install --uninstall {TUPLE}; [ ! -e {file} ]\n\
         crossmerge binfmt install --uninstall {TUPLE}\n"
    );
    let output = in_namespace(&prefix, &script).success();
    let wanted = format!(
        "{file}\ncrossmerge-qemu-arm.conf\nqemu-arm  enabled  PF  /usr/bin/qemu-arm-static\n{file}\n1\n125\n125\n{file}\n{file}\n"
    );
    assert_eq!(output.stdout, wanted, "{}", output.stderr);
    for text in [
        format!("error: `{file}` was edited, or was not made by crossmerge"),
        format!("hint: move it: `mv {file} {file}.old`"),
        "`/etc/binfmt.d/later.conf` has a rule of the same name and is read later".into(),
    ] {
        assert!(output.stderr.contains(&text), "no {text:?} in {output:#?}");
    }
}

#[test]
fn a_qemu_that_another_user_may_change_is_not_started() {
    let prefix = Prefix::new();
    prefix.command("chmod", ["755", "."]).success();
    // The program records that it was started, and by which user.
    let source = format!(
        "#include <stdio.h>\n#include <unistd.h>\nint main(void) {{ FILE *f = fopen(\"{}/ran\", \"w\"); \
         if (f) fprintf(f, \"%d\", geteuid()); puts(\"qemu-arm version 9.0.0\"); }}",
        prefix.path().display()
    );
    prefix.write("q.c", &source);
    std::fs::create_dir_all(prefix.join("theirs/in")).expect("directories");
    let compile = ["-static", "-o", "theirs/in/qemu-arm", "q.c"];
    prefix.command("gcc", compile).success();
    for (owner, mode, what) in [
        ("65534:65534", "755", "theirs"),
        ("65534:65534", "755", "theirs/in"),
        ("65534:65534", "755", "theirs/in/qemu-arm"),
        ("0:0", "777", "theirs/in"),
        ("0:0", "757", "theirs/in/qemu-arm"),
    ] {
        prefix.command("chown", ["-R", "0:0", "theirs"]).success();
        prefix.command("chmod", ["-R", "755", "theirs"]).success();
        prefix.command("chown", [owner, what]).success();
        prefix.command("chmod", [mode, what]).success();
        let path = format!("{}/theirs/in", prefix.path().display());
        for command in [
            "register --dry-run",
            "register",
            "install --dry-run",
            "status",
            "show",
        ] {
            let script =
                format!("PATH={path}:$PATH; crossmerge binfmt {command} {TUPLE} || echo $?");
            let output = in_namespace(&prefix, &script).success();
            assert!(!prefix.join("ran").exists(), "{what} {mode}: {command}");
            if command.starts_with("register") || command.starts_with("install") {
                assert_eq!(
                    output.stdout, "125\n",
                    "{what} {mode}: {command}: {output:#?}"
                );
                assert!(
                    output.stderr.contains("another user may change"),
                    "{output:#?}"
                );
            }
        }
    }
    // crossmerge asks a QEMU that only root may change for its version.
    prefix.command("chown", ["-R", "0:0", "theirs"]).success();
    prefix.command("chmod", ["-R", "755", "theirs"]).success();
    let path = format!("{}/theirs/in", prefix.path().display());
    let script = format!("PATH={path}:$PATH; crossmerge binfmt register --dry-run {TUPLE}");
    in_namespace(&prefix, &script).success();
    assert!(prefix.join("ran").exists());
}
