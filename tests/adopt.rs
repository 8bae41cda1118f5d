//! `adopt` and `adopt --undo` on what crossdev leaves on a host: for each target, symlinks to the scripts of
//! crossdev's package.

use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use std::{
    collections::BTreeMap,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";
const OTHER: &str = "aarch64-unknown-linux-gnu";

/// The symlinks that crossdev makes for a target, and their contents.
const WRAPPERS: [(&str, &str); 5] = [
    ("TUPLE-ebuild", "cross-ebuild"),
    ("TUPLE-emerge", "cross-emerge"),
    ("TUPLE-fix-root", "cross-fix-root"),
    ("TUPLE-pkg-config", "cross-pkg-config"),
    ("emerge-TUPLE", "cross-emerge"),
];

/// Creates what crossdev's package and `emerge-wrapper --init` leave: scripts in `usr/bin`, symlinks to them, and a
/// sysroot for each target. The scripts are stand-ins, because these tests run none of them.
pub(crate) fn crossdev(prefix: &mut Prefix, tuples: &[&str]) {
    prefix.put_first_in_path(&["usr/local/bin", "bin", "usr/bin"]);
    for script in WRAPPERS
        .iter()
        .map(|(_, script)| *script)
        .chain(["emerge-wrapper"])
    {
        prefix.script(
            &format!("usr/bin/{script}"),
            &format!("#!/bin/sh\necho crossdev's {script}\n"),
        );
    }
    for tuple in tuples {
        for (name, script) in WRAPPERS {
            let link = prefix.join("usr/bin").join(name.replace("TUPLE", tuple));
            symlink(script, link).expect("a link");
        }
        prefix.write(
            &format!("usr/{tuple}/etc/portage/make.conf"),
            &format!(
                "CHOST={tuple}\nCBUILD=x86_64-pc-linux-gnu\nROOT={}/\n",
                prefix.join(format!("usr/{tuple}")).display()
            ),
        );
        prefix.write(
            &format!("usr/{tuple}/etc/portage/profile/use.force"),
            "-kernel_linux\nkernel_linux\n",
        );
    }
}

/// A prefix with crossdev's targets, and Portage.
fn machine(tuples: &[&str]) -> Prefix {
    let mut prefix = Prefix::with_portage();
    crossdev(&mut prefix, tuples);
    prefix
}

/// Every file of the prefix except crossmerge's own state in `var`.
fn state(prefix: &Prefix) -> BTreeMap<PathBuf, String> {
    let own = prefix.join("var");
    let mut state = tree(&prefix.path());
    state.retain(|path, _| !path.starts_with(&own));
    state
}

fn is_ours(prefix: &Prefix, path: &str) -> bool {
    let real = prefix.join(path).canonicalize();
    real.is_ok_and(|real| {
        real == Path::new(crate::support::CROSSMERGE)
            .canonicalize()
            .expect("ours")
    })
}

#[test]
fn adopt_replaces_the_wrappers_of_every_target_and_undo_restores_them() {
    let prefix = machine(&[TUPLE, OTHER]);
    let before = state(&prefix);
    let steps = prefix.own(["adopt", "--dry-run"]).success().stdout;
    unchanged(&before, &state(&prefix));

    let output = prefix.own(["adopt"]).success();
    for tuple in [TUPLE, OTHER] {
        assert!(
            output.stderr.contains(&format!(
                "adopted  {tuple}: 5 of crossdev's wrappers replaced"
            )),
            "{output:#?}"
        );
        for (name, _) in WRAPPERS {
            let name = name.replace("TUPLE", tuple);
            assert!(is_ours(&prefix, &format!("usr/bin/{name}")), "{name}");
        }
        assert!(is_ours(&prefix, &format!("bin/{tuple}-equery")));
        let line = format!("{tuple:31}  adopted ");
        assert!(prefix.own(["targets"]).success().stdout.contains(&line));
    }
    // The dry run printed exactly the steps that were carried out.
    let after = state(&prefix);
    let changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
    for path in before.keys().chain(after.keys()).filter(changed) {
        let link = path.read_link().expect("only links change");
        let step = format!("link {} -> {}\n", path.display(), link.display());
        assert!(steps.contains(&step), "no {step} in {steps}");
    }
    let links = after
        .keys()
        .filter(|path| before.get(*path) != after.get(*path))
        .count();
    assert_eq!(
        steps.lines().count(),
        links + 1,
        "the record is written besides: {steps}"
    );
    let record = format!(
        "write {}\n",
        prefix.join("var/lib/crossmerge/adopted.toml").display()
    );
    assert!(steps.starts_with(&record), "{steps}");

    let output = prefix.own(["adopt"]).success();
    assert!(output.stderr.starts_with("nothing to do\n"), "{output:#?}");
    unchanged(&after, &state(&prefix));

    // `--undo` of one target leaves the other one adopted.
    prefix.own(["adopt", "--undo", OTHER]).success();
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{OTHER}-emerge")),
        Path::new("cross-emerge")
    );
    assert!(!prefix.join(format!("bin/{OTHER}-equery")).is_symlink());
    assert!(is_ours(&prefix, &format!("usr/bin/{TUPLE}-emerge")));

    let output = prefix.own(["adopt", "--undo"]).success();
    assert!(
        output.stderr.contains(&format!(
            "restored {TUPLE}: 5 of crossdev's wrappers put back"
        )),
        "{output:#?}"
    );
    unchanged(&before, &state(&prefix));
    assert!(!prefix.join("var/lib/crossmerge/adopted.toml").exists());
    let output = prefix.own(["adopt", "--undo"]).success();
    assert!(output.stderr.starts_with("nothing to do\n"), "{output:#?}");
}

#[test]
fn an_adopted_emerge_gets_the_environment_of_crossdevs_wrapper() {
    let prefix = machine(&[TUPLE]);
    prefix.own(["adopt"]).success();
    let wrapper = prefix.join("usr/bin").join(format!("{TUPLE}-emerge"));
    let output = prefix
        .with("CROSS_CMD", "env")
        .command(wrapper, [""; 0])
        .success()
        .stdout;
    let sysroot = prefix.join(format!("usr/{TUPLE}")).display().to_string();
    // The variables that crossdev's cross-emerge exports.
    for line in [
        format!("CHOST={TUPLE}"),
        format!("SYSROOT={sysroot}"),
        format!("PORTAGE_CONFIGROOT={sysroot}"),
        "EPREFIX=".into(),
        "CBUILD=x86_64-pc-linux-gnu".into(),
        "BUILD_CFLAGS=-O2 -pipe".into(),
        "BUILD_CXXFLAGS=-O2 -pipe".into(),
        "BUILD_CPPFLAGS=".into(),
        "BUILD_LDFLAGS=".into(),
    ] {
        assert!(
            output.lines().any(|output| output == line),
            "no {line:?} in {output}"
        );
    }
}

#[test]
fn crossdevs_next_run_calls_crossmerge_if_usr_local_comes_first() {
    let prefix = machine(&[TUPLE]);
    std::fs::create_dir_all(prefix.join("usr/local/bin")).expect("a directory");
    let script = prefix.read("usr/bin/emerge-wrapper");
    prefix.own(["adopt"]).success();
    assert!(is_ours(&prefix, "usr/local/bin/emerge-wrapper"));
    assert_eq!(
        prefix.read("usr/bin/emerge-wrapper"),
        script,
        "it is a package's"
    );
    let output = prefix.command(
        "/bin/sh",
        ["-c", &format!("emerge-wrapper --target {TUPLE} --init")],
    );
    assert!(output.success().stderr.contains("accepted as it is"));
    prefix.own(["adopt", "--undo"]).success();
    assert!(!prefix.join("usr/local/bin/emerge-wrapper").is_symlink());
    assert_eq!(prefix.read("usr/bin/emerge-wrapper"), script);
}

#[test]
fn a_wrapper_that_crossdev_restored_is_adopted_again() {
    let prefix = machine(&[TUPLE]);
    let output = prefix.own(["adopt"]).success();
    assert!(
        output
            .stderr
            .contains("usr/bin/emerge-wrapper` is the first of its name in PATH"),
        "{output:#?}"
    );
    // crossdev's emerge-wrapper runs `ln -sf`.
    let script = format!("cd usr/bin && ln -sf cross-emerge {TUPLE}-emerge");
    prefix.command("/bin/sh", ["-c", &script]).success();
    let output = prefix.own(["adopt"]).success();
    assert!(
        output
            .stderr
            .contains(": 1 of crossdev's wrappers replaced, 0 commands made"),
        "{output:#?}"
    );
    assert!(is_ours(&prefix, &format!("usr/bin/{TUPLE}-emerge")));
    prefix.own(["adopt", "--undo"]).success();
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{TUPLE}-emerge")),
        Path::new("cross-emerge")
    );
}

#[test]
fn undo_keeps_wrappers_that_changed_after_adopt() {
    let prefix = machine(&[TUPLE]);
    prefix.own(["adopt"]).success();
    let script =
        format!("cd usr/bin && rm {TUPLE}-emerge {TUPLE}-ebuild && echo mine > {TUPLE}-emerge");
    prefix.command("/bin/sh", ["-c", &script]).success();
    let output = prefix.own(["adopt", "--undo"]).success();
    for (name, what) in [("emerge", "changed"), ("ebuild", "removed")] {
        let note = format!("{TUPLE}-{name}` is left as it is: it was {what} since");
        assert!(output.stderr.contains(&note), "{output:#?}");
    }
    assert_eq!(prefix.read(&format!("usr/bin/{TUPLE}-emerge")), "mine\n");
    assert!(!prefix.join(format!("usr/bin/{TUPLE}-ebuild")).is_symlink());
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{TUPLE}-fix-root")),
        Path::new("cross-fix-root")
    );
}

#[test]
fn a_wrapper_that_is_a_copy_is_kept_whole() {
    let prefix = machine(&[TUPLE]);
    let place = format!("usr/bin/{TUPLE}-pkg-config");
    let script = format!(
        "cd usr/bin && rm {TUPLE}-pkg-config && cp cross-pkg-config {TUPLE}-pkg-config && chmod 750 {TUPLE}-pkg-config"
    );
    prefix.command("/bin/sh", ["-c", &script]).success();
    let before = state(&prefix);
    prefix.own(["adopt"]).success();
    assert!(is_ours(&prefix, &place));
    prefix.own(["adopt", "--undo"]).success();
    unchanged(&before, &state(&prefix));
    assert!(!prefix.join("var/lib/crossmerge/kept").exists());

    // The kept copy stays if `--undo` cannot put it back.
    prefix.own(["adopt"]).success();
    let kept = prefix.join("var/lib/crossmerge/kept").display().to_string();
    let script = format!("rm {place}; echo mine > {place}");
    prefix.command("/bin/sh", ["-c", &script]).success();
    let output = prefix.own(["adopt", "--undo"]).success();
    let note =
        format!("it was changed since it was adopted; its previous contents are in `{kept}/");
    assert!(output.stderr.contains(&note), "{output:#?}");
    let script = format!("cd {kept} && cp -p $(find . -type f) $OLDPWD/{place}");
    prefix.command("/bin/sh", ["-c", &script]).success();
    unchanged(&before, &state(&prefix));

    // If the kept copy is missing, crossmerge's symlink stays, because a missing command would be worse.
    prefix.own(["adopt"]).success();
    std::fs::remove_dir_all(prefix.join("var/lib/crossmerge/kept")).expect("kept");
    let output = prefix.own(["adopt", "--undo"]).success();
    assert!(
        output
            .stderr
            .contains("the copy of its previous contents, `"),
        "{output:#?}"
    );
    assert!(is_ours(&prefix, &place));
}

#[test]
fn dangling_symlinks_to_crossdevs_scripts_are_adopted() {
    let prefix = machine(&[TUPLE]);
    prefix
        .command(
            "/bin/sh",
            ["-c", "rm usr/bin/cross-* usr/bin/emerge-wrapper"],
        )
        .success();
    prefix.own(["adopt"]).success();
    assert!(is_ours(&prefix, &format!("usr/bin/{TUPLE}-emerge")));
    let output = prefix.own(["adopt", "--undo"]).success();
    assert!(
        output
            .stderr
            .contains("leads to `cross-emerge` again, which does not exist"),
        "{output:#?}"
    );
}

#[test]
fn a_directory_with_two_names_in_path_counts_once() {
    let mut prefix = machine(&[TUPLE]);
    symlink("usr/bin", prefix.join("sbin")).expect("a link");
    prefix.put_first_in_path(&["bin", "sbin", "usr/bin"]);
    let steps = prefix.own(["adopt", "--dry-run"]).success().stdout;
    let emerge = steps
        .lines()
        .filter(|line| line.contains(&format!("/{TUPLE}-emerge -> ")));
    assert_eq!(emerge.count(), 2, "in bin, and in usr/bin: {steps}");
}

#[test]
fn a_tuple_without_crossdev_wrappers_is_an_error() {
    let prefix = machine(&[TUPLE]);
    let before = state(&prefix);
    prefix.own(["adopt", TUPLE, OTHER]).fails(
        125,
        &format!("`{OTHER}` has no crossdev wrapper"),
        &format!("crossmerge init {OTHER}"),
    );
    prefix.own(["adopt", "--undo", TUPLE]).fails(
        125,
        &format!("`{TUPLE}` was not adopted"),
        "crossmerge targets",
    );
    unchanged(&before, &state(&prefix));
}

#[test]
fn adopt_skips_wrappers_without_a_sysroot_and_those_of_the_host() {
    let prefix = machine(&[TUPLE, OTHER, "x86_64-pc-linux-gnu"]);
    std::fs::remove_dir_all(prefix.join(format!("usr/{OTHER}"))).expect("a sysroot");
    let output = prefix.own(["adopt"]).success();
    assert!(
        output.stderr.contains(&format!(
            "left as it is: the sysroot `{}",
            prefix.join(format!("usr/{OTHER}")).display()
        )),
        "{output:#?}"
    );
    assert!(
        output
            .stderr
            .contains("left as it is: `x86_64-pc-linux-gnu` is the CBUILD"),
        "{output:#?}"
    );
    assert!(is_ours(&prefix, &format!("usr/bin/{TUPLE}-emerge")));
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{OTHER}-emerge")),
        Path::new("cross-emerge")
    );
    prefix
        .own(["adopt", OTHER])
        .fails(125, "does not exist", "crossmerge init");
    prefix
        .own(["adopt", "x86_64-pc-linux-gnu"])
        .fails(125, "would shadow native tools", "vendor");
}

#[test]
fn a_foreign_file_under_a_symlinks_name_stops_adopt_before_any_change() {
    let prefix = machine(&[TUPLE, OTHER]);
    prefix.write(&format!("bin/{TUPLE}-equery"), "mine\n");
    let before = state(&prefix);
    prefix
        .own(["adopt"])
        .fails(125, &format!("{TUPLE}-equery` is not crossmerge's"), "mv ");
    unchanged(&before, &state(&prefix));
    prefix.own(["adopt", OTHER]).success();
}

#[test]
fn a_wrapper_that_a_package_owns_is_refused() {
    let prefix = machine(&[TUPLE]);
    let link = prefix.join("usr/bin").join(format!("{TUPLE}-emerge"));
    prefix.write(
        "var/db/pkg/sys-devel/my-links-1/CONTENTS",
        &format!("sym {} -> cross-emerge 1700000000\n", link.display()),
    );
    let before = state(&prefix);
    prefix.own(["adopt"]).fails(
        125,
        "belongs to sys-devel/my-links-1",
        "crossmerge adopt <tuple>",
    );
    unchanged(&before, &state(&prefix));
}

#[test]
fn an_unwritable_directory_stops_adopt_before_any_change() {
    let prefix = machine(&[TUPLE]);
    let before = state(&prefix);
    let ours = prefix.join("bin/crossmerge").display().to_string();
    let script = "mount --bind usr/bin usr/bin && mount -o remount,bind,ro usr/bin && exec \"$@\"";
    prefix
        .command(
            "unshare",
            ["--mount", "sh", "-c", script, "sh", &ours, "adopt"],
        )
        .fails(125, "usr/bin`: Read-only file system", "root");
    std::fs::set_permissions(prefix.join("usr/bin"), PermissionsExt::from_mode(0o555))
        .expect("a mode");
    // In a user namespace without a mapping, root has no privileges over these files.
    prefix
        .with("XDG_STATE_HOME", prefix.join("state"))
        .command("unshare", ["--user", &ours, "adopt"])
        .fails(125, "usr/bin`: Permission denied", "root");
    std::fs::set_permissions(prefix.join("usr/bin"), PermissionsExt::from_mode(0o755))
        .expect("a mode");
    unchanged(&before, &state(&prefix));
    assert!(!prefix.join("var").exists());
}

#[test]
fn a_damaged_record_is_an_error_that_names_it() {
    let prefix = machine(&[TUPLE]);
    prefix.own(["adopt"]).success();
    prefix.append("var/lib/crossmerge/adopted.toml", "lnik = 1\n");
    let state_before = state(&prefix);
    for args in [
        &["adopt"][..],
        &["adopt", "--undo"],
        &["targets"],
        &["remove", TUPLE],
    ] {
        prefix.own(args).fails(125, "adopted.toml", "mv ");
    }
    unchanged(&state_before, &state(&prefix));
}

#[test]
fn remove_restores_crossdevs_wrappers() {
    let prefix = machine(&[TUPLE]);
    let before = state(&prefix);
    prefix.own(["adopt"]).success();
    let after = state(&prefix);
    let would = prefix.own(["remove", "--dry-run", TUPLE]).success().stdout;
    assert!(
        would.contains("5 of crossdev's wrappers put back"),
        "{would}"
    );
    assert!(!would.contains("removed  "), "nothing is init's: {would}");
    unchanged(&after, &state(&prefix));
    prefix.own(["remove", TUPLE]).success();
    unchanged(&before, &state(&prefix));
    prefix
        .own(["remove", TUPLE])
        .fails(125, "not initialised", "targets");
}

#[test]
fn init_and_doctor_suggest_adopt_for_crossdevs_wrappers() {
    let mut prefix = machine(&[TUPLE]);
    // A package installs the program beside crossdev's scripts.
    symlink("../../bin/crossmerge", prefix.join("usr/bin/crossmerge")).expect("a link");
    let path = format!("{0}/usr/bin:/usr/bin:/bin", prefix.path().display());
    prefix.set("PATH", path);
    let ours = prefix.join("usr/bin/crossmerge");
    let adopt = format!("crossmerge adopt {TUPLE}");
    prefix
        .command(&ours, ["init", TUPLE])
        .fails(125, "is not crossmerge's", &adopt);
    let output = prefix.command(&ours, ["doctor", TUPLE]).stdout;
    assert!(output.contains(&format!("hint: {adopt}\n")), "{output}");
    prefix.command(&ours, ["adopt"]).success();
    let output = prefix.command(&ours, ["doctor", "--verbose", TUPLE]).stdout;
    for check in ["links", "path"] {
        assert!(
            output.contains(&format!("\n  ok       {check} ")),
            "{check}: {output}"
        );
    }
    prefix.command(&ours, ["init", TUPLE]).success();
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{TUPLE}-emerge")),
        Path::new("crossmerge")
    );
}
