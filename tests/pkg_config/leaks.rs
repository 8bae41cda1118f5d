//! The audit finds paths that lead out of the sysroot in every form, and reports nothing else.

use super::{ARM, ask, cross, package, plain};
use crate::support::Prefix;
use std::{os::unix::fs::symlink, path::Path};

/// A prefix in which paths get no sysroot, so that each form leaks as written. With a sysroot, pkgconf adds it to
/// some forms, and freedesktop.org's pkg-config to others.
fn bare() -> Prefix {
    cross(ARM).with("PKG_CONFIG_SYSROOT_DIR", "")
}

/// Prints the flags of a package `foo` with these fields, and expects a leak.
#[track_caller]
fn leaks(prefix: &Prefix, fields: &str, flag: &str, field: &str) {
    let path = package(
        prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        fields,
    );
    let output = prefix.run(
        &format!("{ARM}-pkg-config"),
        ["--cflags", "--libs", "--static", "foo"],
    );
    let from = format!("{flag}  from {field} of {}", path.display());
    assert!(output.stderr.contains(&from), "no {from:?} in {output:#?}");
    output.fails(125, "printed paths outside the sysroot", "pc_sysrootdir");
}

#[test]
fn every_form_of_a_leak_is_found() {
    let prefix = bare();
    for (field, flag) in [
        ("Cflags", "-isystem /usr/include/foo"),
        ("Cflags", "-isystem/usr/include/foo"),
        ("Cflags", "-idirafter /usr/include/foo"),
        ("Cflags", "-iquote /usr/include/foo"),
        ("Cflags", "-iquote/usr/include/foo"),
        ("Libs", "-F/usr/lib"),
        ("Libs", "-B/usr/lib"),
        ("Libs", "-Wl,-rpath,/usr/lib64"),
        ("Libs", "-Wl,-rpath=/usr/lib64"),
        ("Libs", "-Wl,--rpath=/usr/lib64"),
        ("Libs", "-Wl,-rpath-link,/usr/lib64"),
        ("Libs", "-Wl,-rpath-link=/usr/lib64"),
        ("Libs", "-Wl,-L/usr/lib64"),
        ("Libs", "-Wl,-L,/usr/lib64"),
        ("Libs", "-Wl,--library-path=/usr/lib64"),
        ("Libs", "-R/usr/lib64"),
        ("Libs", "/usr/lib/libfoo.so"),
        ("Libs", "/usr/lib/libfoo.a"),
        ("Libs.private", "/usr/lib/libfoo.la"),
        ("Libs.private", "-Wl,-rpath,/usr/lib64"),
    ] {
        leaks(&prefix, &format!("{field}: {flag}"), flag, field);
    }
}

#[test]
fn every_path_leaks_if_the_sysroot_dir_is_empty() {
    // An empty PKG_CONFIG_SYSROOT_DIR is respected, so no path gets a prefix, and every path leaks.
    let prefix = bare();
    for (field, flag) in [
        ("Cflags", "-I/usr/include/foo"),
        ("Libs", "-L/usr/lib/foo"),
        ("Libs", "-L/usr/lib/../lib64/foo"),
    ] {
        leaks(&prefix, &format!("{field}: {flag}"), flag, field);
    }
    leaks(
        &prefix,
        "Cflags: -I${includedir}/foo",
        "-I/usr/include/foo",
        "Cflags",
    );
}

#[test]
fn a_leak_of_a_required_package_is_traced_to_it() {
    let prefix = bare();
    let directory = format!("usr/{ARM}/usr/lib/pkgconfig");
    package(
        &prefix,
        &format!("{directory}/foo.pc"),
        "Requires: bar >= 1.0, baz",
    );
    package(
        &prefix,
        &format!("{directory}/baz.pc"),
        "Requires.private: deep",
    );
    package(&prefix, &format!("{directory}/bar.pc"), "Cflags: -DX");
    let path = package(
        &prefix,
        &format!("{directory}/deep.pc"),
        "extra=${prefix}/x86\nCflags: -isystem ${extra}",
    );
    let output = prefix.run(
        &format!("{ARM}-pkg-config"),
        ["--cflags", "--static", "foo"],
    );
    let line = format!("-isystem /usr/x86  from Cflags of {}", path.display());
    assert!(output.stderr.contains(&line), "{output:#?}");
    output.fails(125, "outside the sysroot", "");
}

#[test]
fn no_leak_reaches_stdout() {
    let prefix = bare();
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Cflags: -DGOOD -isystem /usr/include/foo",
    );
    let script = format!("flags=$({ARM}-pkg-config --cflags foo 2>/dev/null); echo \"[$flags]\"");
    assert_eq!(
        prefix.command("/bin/sh", ["-c", &script]).success().stdout,
        "[]\n"
    );
}

#[test]
fn a_directory_whose_name_begins_with_the_sysroots_is_outside() {
    let prefix = bare();
    let other = prefix.join("usr/arm-linux-gnueabihf/usr/include");
    let flag = format!("-isystem{}", other.display());
    leaks(&prefix, &format!("Cflags: {flag}"), &flag, "Cflags");
}

#[test]
fn the_sysroots_path_is_not_a_regular_expression() {
    let prefix = bare();
    let sysroot = prefix.join("a.b[c]*d");
    let spelt = |directory: &str| {
        format!(
            "Cflags: -isystem{}/{directory}/usr/include",
            prefix.path().display()
        )
    };
    package(
        &prefix,
        "a.b[c]*d/usr/lib/pkgconfig/foo.pc",
        &spelt("a.b[c]*d"),
    );
    let prefix = prefix.with("SYSROOT", &sysroot);
    ask(&prefix, "foo");
    package(
        &prefix,
        "a.b[c]*d/usr/lib/pkgconfig/foo.pc",
        &spelt("aXbccd"),
    );
    let output = prefix.run(&format!("{ARM}-pkg-config"), ["--cflags", "foo"]);
    output.fails(125, "outside the sysroot", "");
}

#[test]
fn dots_and_symlinks_are_resolved_in_flags_and_sysroot() {
    let prefix = bare();
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let out = format!("-isystem{}/usr/../../../include", sysroot.display());
    leaks(&prefix, &format!("Cflags: {out}"), &out, "Cflags");
    // A symlink in the sysroot that leads out of it leads the compiler out as well.
    std::fs::create_dir_all(sysroot.join("usr")).expect("usr");
    symlink("/usr/include", sysroot.join("usr/host")).expect("a link");
    let link = format!("-isystem{}/usr/host", sysroot.display());
    leaks(&prefix, &format!("Cflags: {link}"), &link, "Cflags");
    // The sysroot by another path is the same sysroot.
    symlink(&sysroot, prefix.join("alias")).expect("a link");
    plain(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig"), "bar");
    let spelt = format!("Cflags: -isystem{}/usr/include", sysroot.display());
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        &spelt,
    );
    let mut alias = prefix.with("SYSROOT", prefix.join("alias"));
    ask(&alias, "foo");
    alias.unset("PKG_CONFIG_SYSROOT_DIR");
    ask(&alias, "bar");
}

#[test]
fn paths_in_the_build_directory_and_allowed_prefixes_are_no_leaks() {
    let prefix = bare();
    let work = prefix.join("work");
    let vendor = prefix.join("opt/vendor");
    let flags = format!(
        "Cflags: -isystem {}/x -isystem {}/include",
        work.display(),
        vendor.display()
    );
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        &flags,
    );
    let name = format!("{ARM}-pkg-config");
    prefix
        .run(&name, ["--cflags", "foo"])
        .fails(125, "outside", "extra_prefixes");
    let prefix = prefix.with("WORKDIR", &work);
    prefix
        .run(&name, ["--cflags", "foo"])
        .fails(125, "outside", "extra_prefixes");
    let config = format!("etc/crossmerge/targets/{ARM}.toml");
    prefix.write(&config, &format!("extra_prefixes = [{vendor:?}]\n"));
    ask(&prefix, "foo");
}

#[test]
fn leaks_may_be_set_to_warn_or_allow() {
    let prefix = bare();
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Cflags: -isystem /usr/include/foo",
    );
    let config = format!("etc/crossmerge/targets/{ARM}.toml");
    let name = format!("{ARM}-pkg-config");
    for (leaks, is_warning) in [("warn", true), ("allow", false)] {
        prefix.write(&config, &format!("leaks = \"{leaks}\"\n"));
        let output = prefix.run(&name, ["--cflags", "foo"]).success();
        assert_eq!(output.stdout.trim(), "-isystem /usr/include/foo");
        assert_eq!(output.stderr.contains("warning"), is_warning, "{output:#?}");
    }
    prefix.write(&config, "leaks = \"ignore\"\n");
    prefix
        .run(&name, ["--cflags", "foo"])
        .fails(125, "TOML parse error", "fix it");
}

#[test]
fn leaks_in_output_of_assignments_are_found() {
    let prefix = bare();
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Cflags: -isystem /usr/include/foo",
    );
    let name = format!("{ARM}-pkg-config");
    prefix
        .run(&name, ["--env=FOO", "--cflags", "foo"])
        .fails(125, "outside", "");
}

#[test]
fn relative_paths_are_relative_to_the_callers_directory() {
    let prefix = bare();
    let file = format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc");
    package(
        &prefix,
        &file,
        "Cflags: -isystem include -isystem ./a -B.\nLibs: -Wl,-rpath,$ORIGIN/../lib -Wl,-Bstatic",
    );
    ask(&prefix, "foo");
    let up = "../".repeat(prefix.path().components().count());
    package(&prefix, &file, &format!("Cflags: -isystem {up}usr/include"));
    prefix
        .run(&format!("{ARM}-pkg-config"), ["--cflags", "foo"])
        .fails(125, "outside", "");
}

#[test]
fn with_the_hosts_root_as_sysroot_nothing_is_outside() {
    // Portage's native builds of another ABI use the wrapper too.
    let prefix = bare();
    package(&prefix, "machine/foo.pc", "Cflags: -I/usr/include/foo");
    let mut native = prefix.with("SYSROOT", "/");
    native.set("ESYSROOT", "/");
    native.set("WORKDIR", prefix.path());
    native.set("PKG_CONFIG_PATH", prefix.join("machine"));
    assert_eq!(ask(&native, "foo").trim(), "-I/usr/include/foo");
}

#[test]
fn a_malformed_pc_file_ends_with_a_normal_exit_code() {
    let prefix = bare();
    let name = format!("{ARM}-pkg-config");
    let odd = [
        "a=${a}${a}\nb=${c}${c}\nc=${b}${b}\nCflags: -isystem${b}/usr -isystem /usr/include",
        "Cflags: -isystem '/usr/include",
        "Requires: foo foo foo\nCflags: -isystem /usr",
        "Cflags:",
    ];
    for fields in odd {
        let path = package(
            &prefix,
            &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
            fields,
        );
        let output = prefix.run(&name, ["--cflags", "foo"]);
        assert!(
            matches!(output.code, Some(0 | 1 | 125)),
            "{fields}: {output:#?}"
        );
        assert!(Path::new(&path).exists());
    }
}
