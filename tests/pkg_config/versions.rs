//! Every pkg-config: pkgconf 1.8, 2.5 and 3.0, the 3.0.1 with broken sysroot rules, and freedesktop.org's. Also the
//! `.pc` files of every package that tests/data/debian-dev.tsv names.

use super::{ARM, HEAD, cross, package};
use crate::support::{Prefix, prepared};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const S390X: &str = "s390x-ibm-linux-gnu";

/// Every pkg-config that is tested: its name and its path.
pub(super) fn tools() -> Vec<(String, PathBuf)> {
    let mut tools = vec![("machine".to_owned(), "/usr/bin/pkg-config".into())];
    for entry in fs::read_dir(prepared("pkgconf")).expect("a directory") {
        let directory = entry.expect("an entry").path();
        let name = directory
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let tool = ["pkgconf", "pkg-config"].map(|tool| directory.join("bin").join(tool));
        tools.extend(
            tool.into_iter()
                .find(|tool| tool.exists())
                .map(|tool| (name, tool)),
        );
    }
    assert!(tools.len() >= 4, "{tools:?}");
    tools
}

/// The modules in a tree of Debian's packages.
fn modules(arch: &str) -> Vec<String> {
    let list = fs::read_to_string(prepared(&format!("debian/{arch}/packages"))).expect("a list");
    list.lines().map(str::to_owned).collect()
}

/// Runs a program in the prefix's environment, as planned for `<tuple>-pkg-config`, and returns its output as bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "bytes are compared, which no helper gives"
)]
fn bare(prefix: &Prefix, tuple: &str, args: &[&str]) -> Output {
    let plan = prefix
        .own(["plan", tuple, "pkg-config"].iter().chain(args))
        .success()
        .stdout;
    Command::new("/bin/bash")
        .args(["-c", &plan])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("bash")
}

#[expect(
    clippy::disallowed_methods,
    reason = "bytes are compared, which no helper gives"
)]
fn ours(prefix: &Prefix, tuple: &str, tool: &Path, sysroot: &Path, args: &[&str]) -> Output {
    Command::new(prefix.join(format!("bin/{tuple}-pkg-config")))
        .args(args)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PORTAGE_OVERRIDE_EPREFIX", prefix.path())
        .env("REAL_PKG_CONFIG", tool)
        .env("SYSROOT", sysroot)
        .output()
        .expect("a start")
}

#[test]
fn no_flag_of_real_packages_leaks_whatever_the_pkg_config() {
    for (tuple, arch) in [(ARM, "armel"), (S390X, "s390x")] {
        let prefix = cross(tuple);
        let sysroot = prepared(&format!("debian/{arch}"));
        let modules = modules(arch);
        assert!(modules.len() >= 30, "{modules:?}");
        // Each tool gets all modules in one call, and the host's own also gets each module alone.
        for (name, tool) in tools() {
            let prefix = prefix
                .with("SYSROOT", &sysroot)
                .with("REAL_PKG_CONFIG", &tool);
            for module in &modules {
                let args = ["--cflags", "--libs", "--static", module];
                let output = prefix.run(&format!("{tuple}-pkg-config"), args);
                assert_eq!(output.code, Some(0), "{name} {module}: {output:#?}");
                assert!(!output.stdout.contains(" -I/usr"), "{name}: {output:#?}");
            }
            if arch != "armel" {
                break;
            }
        }
    }
}

#[test]
fn a_leak_planted_in_a_real_package_is_found() {
    let prefix = cross(ARM).with("PKG_CONFIG_SYSROOT_DIR", "");
    let tree = prepared("debian/armel");
    let real = tree.join("usr/lib/arm-linux-gnueabi/pkgconfig");
    let copy = prefix.join(format!("usr/{ARM}/usr/lib/arm-linux-gnueabi/pkgconfig"));
    fs::create_dir_all(&copy).expect("a directory");
    let mut planted = 0;
    for (number, module) in modules("armel").iter().enumerate() {
        let Ok(text) = fs::read_to_string(real.join(format!("{module}.pc"))) else {
            continue;
        };
        let forms = [
            "-isystem /usr/include/planted",
            "-idirafter/usr/include/planted",
            "-Wl,-rpath,/usr/planted",
            "-Wl,-L/usr/planted",
            "/usr/lib/planted.so",
            "-B/usr/planted",
        ];
        let form = forms[number % forms.len()];
        // The package alone, because leaks of its requirements would be reported for those.
        let keep = |line: &&str| !line.starts_with("Requires") && !line.starts_with("Conflicts");
        let mut text: String = text
            .lines()
            .filter(keep)
            .map(|line| format!("{line}\n"))
            .collect();
        match text.contains("\nLibs:") {
            true => text = text.replacen("\nLibs:", &format!("\nLibs: {form} "), 1),
            false => text += &format!("\nLibs: {form}\n"),
        }
        let file = copy.join(format!("{module}.pc"));
        fs::write(&file, text).expect("a file");
        let output = prefix.run(&format!("{ARM}-pkg-config"), ["--libs", module]);
        assert!(
            output
                .stderr
                .contains(&format!("{form}  from Libs of {}", file.display())),
            "{output:#?}"
        );
        output.fails(125, "outside the sysroot", "");
        fs::remove_file(file).expect("gone");
        planted += 1;
    }
    assert!(planted >= 30, "{planted}");
}

#[test]
fn output_without_leaks_is_byte_for_byte_the_real_tools() {
    let prefix = cross(ARM);
    let directory = format!("usr/{ARM}/usr/lib/pkgconfig");
    package(
        &prefix,
        &format!("{directory}/plain.pc"),
        "Cflags: -I${includedir}/a -DX=\\\"y\\\"\nLibs: -L${libdir}/a -la",
    );
    package(&prefix, &format!("{directory}/empty.pc"), "");
    package(
        &prefix,
        &format!("{directory}/odd.pc"),
        "Cflags: -I\"${includedir}/a b\" -DA='b c' -D\\#x -DY=\\$HOME",
    );
    let bytes = [
        HEAD.as_bytes(),
        b"Cflags: -I${includedir}/\xff\xe9 -DX=\xfe\n",
    ]
    .concat();
    fs::write(prefix.join(format!("{directory}/bytes.pc")), bytes).expect("a file");
    package(
        &prefix,
        &format!("{directory}/private.pc"),
        "Requires.private: plain\nLibs.private: -lm",
    );
    let sysroot = prefix.join(format!("usr/{ARM}"));
    for (name, tool) in tools() {
        // With broken rules the applet prints the output of working ones. Another test checks this.
        if name.starts_with("3.0.1") {
            continue;
        }
        let planned = prefix
            .with("SYSROOT", &sysroot)
            .with("REAL_PKG_CONFIG", &tool);
        for args in [
            &["--cflags", "plain"][..],
            &["--libs", "plain"],
            &["--cflags", "--libs", "plain", "odd"],
            &["--cflags", "empty"],
            &["--cflags", "odd"],
            &["--cflags", "bytes"],
            &["--libs", "--static", "private"],
            &["--libs-only-L", "plain"],
            &["--libs-only-l", "plain", "private"],
            &["--cflags-only-other", "plain"],
            &["--env=X", "--cflags", "--libs", "plain"],
            &["--cfl", "plain"],
            &["-cflags", "plain"],
            &["--msvc-syntax", "--cflags", "--libs", "plain"],
            &["--modversion", "plain"],
            &["--exists", "plain"],
            &["--exists", "missing"],
            &["--cflags", "missing"],
            &["--print-errors", "--libs", "missing"],
            &[
                "--errors-to-stdout",
                "--print-errors",
                "--cflags",
                "missing",
            ],
            &["--variable=libdir", "plain"],
            &["--print-requires-private", "private"],
            &["--atleast-version=9", "plain"],
            &["--no-such-option", "plain"],
            &["--cflags"],
            &["--list-all"],
        ] {
            let real = bare(&planned, ARM, args);
            let our = ours(&prefix, ARM, &tool, &sysroot, args);
            assert_eq!(our.stdout, real.stdout, "{name} {args:?}: {our:?}");
            assert_eq!(
                our.status.code(),
                real.status.code(),
                "{name} {args:?}: {our:?}"
            );
        }
    }
}

#[test]
fn paths_get_the_sysroot_once_with_every_pkg_config() {
    // Bug 815520, and pkgconf's issue 571: the rules depend on the tool's behaviour, not on its version.
    let prefix = cross(ARM);
    let directory = format!("usr/{ARM}/usr/lib/pkgconfig");
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let root = sysroot.display();
    package(
        &prefix,
        &format!("{directory}/plain.pc"),
        "Cflags: -I${includedir}/a\nLibs: -L${libdir}/a -la",
    );
    package(
        &prefix,
        &format!("{directory}/system.pc"),
        "Cflags: -I${includedir}\nLibs: -L${libdir} -lz",
    );
    package(
        &prefix,
        &format!("{directory}/spelt.pc"),
        "Cflags: -I${pc_sysrootdir}${includedir}/b",
    );
    let inside = format!(
        "prefix={root}/opt\nName: x\nDescription: x\nVersion: 1\nCflags: -I${{prefix}}/include\n"
    );
    prefix.write(&format!("{directory}/inside.pc"), &inside);
    for (name, tool) in tools() {
        let prefix = prefix.with("REAL_PKG_CONFIG", &tool);
        // freedesktop.org's pkg-config removes system paths before it adds the sysroot. So it keeps them, which is no
        // leak. It also adds the sysroot to paths that have it already.
        let is_fdo = name.starts_with("fdo");
        let twice = if is_fdo {
            root.to_string()
        } else {
            String::new()
        };
        let system = match is_fdo {
            true => format!("-I{root}/usr/include -L{root}/usr/lib -lz"),
            false => "-lz".to_owned(),
        };
        for (module, flags) in [
            (
                "plain",
                format!("-I{root}/usr/include/a -L{root}/usr/lib/a -la"),
            ),
            ("system", system),
            ("spelt", format!("-I{twice}{root}/usr/include/b")),
            ("inside", format!("-I{twice}{root}/opt/include")),
        ] {
            let output = prefix.run(&format!("{ARM}-pkg-config"), ["--cflags", "--libs", module]);
            assert_eq!(output.success().stdout.trim(), flags, "{name} {module}");
        }
        // The output of 3.0.1 stays wrong here, because the applet does not read it. doctor reports this.
        if name.starts_with("3.0.1") {
            continue;
        }
        let output = prefix.run(
            &format!("{ARM}-pkg-config"),
            ["--variable=includedir", "plain"],
        );
        assert_eq!(output.success().stdout.trim(), "/usr/include", "{name}");
    }
}
