//! `init` without `--toolchain`: it finds the installed compiler for the tuple, or prints the command that installs
//! one. Also the list of `targets`, and the hints on each distribution.

use crate::support::{CROSSMERGE, Prefix, names_in};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

const ARM: &str = "armv5tel-softfloat-linux-gnueabi";
const OLDER: &str = "armv4tl-softfloat-linux-gnueabi";

/// A prefix with a small toolchain for Arm, and none of the host's cross compilers in PATH.
fn with_sdk() -> Prefix {
    let mut prefix = without_compilers(&["arm-linux-gnueabi-as", "arm-linux-gnueabi-ld"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/sdk.sh");
    let path = "/usr/bin:/bin";
    let sdk = prefix.join("sdk");
    prefix.with("PATH", path).command(script, [&sdk]).success();
    for tool in ["as", "ld", "ar"] {
        let tool = format!("arm-linux-gnueabi-{tool}");
        symlink(
            Path::new("/usr/bin").join(&tool),
            sdk.join("bin").join(&tool),
        )
        .expect("a link");
    }
    prefix.put_first_in_path(&["sdk/bin"]);
    prefix
}

/// A prefix whose PATH has the host's programs except cross compilers, package managers and emulators.
fn without_compilers(kept: &[&str]) -> Prefix {
    let mut prefix = Prefix::new();
    let hidden = prefix.join("hidden");
    fs::create_dir(&hidden).expect("a directory");
    let names = names_in("/usr/bin");
    // The tools of a cross toolchain have the prefix of its compiler or of its linker.
    let tools = names.iter().filter_map(|name| {
        ["-gcc", "-ld", "-clang"]
            .iter()
            .find_map(|tool| name.strip_suffix(tool))
    });
    let prefixes: Vec<String> = tools.map(|prefix| format!("{prefix}-")).collect();
    let is_left_out = |name: &str| {
        let starts = ["apt", "dnf", "qemu-", "clang", "sudo", "doas", "crossmerge"];
        let mut starts = starts
            .into_iter()
            .chain(prefixes.iter().map(String::as_str));
        name.contains("-linux-gnu") || starts.any(|start| name.starts_with(start))
    };
    for name in &names {
        if !is_left_out(name) || kept.contains(&name.as_str()) {
            symlink(Path::new("/usr/bin").join(name), hidden.join(name)).expect("a link");
        }
    }
    let path = format!("{}:{}", prefix.join("bin").display(), hidden.display());
    prefix.set("PATH", path);
    prefix
}

/// Makes the prefix look like a distribution, with a package manager that runs the given script.
fn distribution(prefix: &Prefix, os_release: &str, manager: &str, script: &str) {
    prefix.write("etc/os-release", os_release);
    prefix.write("var/lib/apt/lists/x_Packages", "");
    prefix.script(
        &format!("hidden/{manager}"),
        &format!("#!/bin/sh\n{script}\n"),
    );
}

fn state(prefix: &Prefix, tuple: &str) -> String {
    let listed = prefix.own(["targets", "--json"]).success().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let mut targets = listed.as_array().expect("an array").iter();
    let target = targets.find(|target| target["tuple"] == tuple);
    target.map_or(String::new(), |target| {
        target["state"].as_str().unwrap_or_default().into()
    })
}

#[test]
fn an_installed_compiler_is_adopted_with_its_libc() {
    let prefix = with_sdk();
    let dry = prefix.own(["init", ARM, "--dry-run"]).success();
    assert!(dry.stdout.contains("+find_toolchain = true"), "{dry:#?}");
    assert!(!prefix.join("usr").exists(), "a dry run has written");
    let output = prefix.own(["init", ARM]).success().stderr;
    assert!(output.contains("files of the toolchain's libc"), "{output}");
    assert!(
        output.contains(&format!("next: `crossmerge doctor {ARM}`")),
        "{output}"
    );
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    let recorded = prefix.read(&file);
    let sdk = prefix
        .join("sdk/bin/arm-linux-gnueabi-")
        .display()
        .to_string();
    assert!(
        recorded.starts_with("find_toolchain = true\n") && recorded.contains(&sdk),
        "{recorded}"
    );
    prefix.write(
        "a.c",
        "#include <stdio.h>\nint main(void) { return puts(\"x\") < 0; }\n",
    );
    prefix
        .run(&format!("{ARM}-gcc"), ["a.c", "-o", "a"])
        .success();
    assert_eq!(state(&prefix, ARM), "ready");

    // A second run changes nothing. If the libc is missing, the next run copies it again.
    let output = prefix.own(["init", ARM]).success().stderr;
    assert!(
        output.starts_with("nothing to do") && !output.contains("next: "),
        "{output}"
    );
    fs::remove_file(prefix.join(format!("usr/{ARM}/usr/include/stdio.h"))).expect("gone");
    prefix.own(["init", ARM]).success();
    assert!(
        prefix
            .join(format!("usr/{ARM}/usr/include/stdio.h"))
            .exists()
    );

    // The user's own choice replaces the compiler that was found. `none` lasts until the user chooses again.
    prefix.own(["init", ARM, "--toolchain", &sdk]).success();
    assert!(!prefix.read(&file).contains("find_toolchain"));
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    prefix.own(["init", ARM]).success();
    assert_eq!(prefix.read(&file), "find_toolchain = false\n");
    assert_eq!(state(&prefix, ARM), "no-compiler");
    prefix.own(["remove", ARM]).success();
    assert!(!prefix.join(&file).exists());
    assert_eq!(names_in(prefix.join("bin")).len(), 1, "the links are gone");
}

#[test]
fn a_target_keeps_its_own_or_crossdevs_toolchain() {
    let prefix = with_sdk();
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    // crossdev calls emerge-wrapper before it builds its compiler.
    symlink("crossmerge", prefix.join("bin/emerge-wrapper")).expect("a link");
    let output = prefix
        .run("emerge-wrapper", ["--target", ARM, "--init"])
        .success();
    assert!(!output.stderr.contains("next: "), "{output:#?}");
    assert!(!prefix.join(&file).exists() && !prefix.join(format!("bin/{ARM}-gcc")).exists());
    prefix.own(["remove", ARM]).success();
    // A sysroot that crossdev made.
    prefix.write(&format!("usr/{ARM}/etc/portage/make.conf"), "CHOST=x\n");
    prefix.own(["init", ARM]).success();
    assert!(
        !prefix.join(&file).exists(),
        "crossdev's target has adopted something"
    );
    prefix.own(["remove", ARM]).success();
    fs::remove_dir_all(prefix.join(format!("usr/{ARM}"))).expect("gone");
    // A compiler of crossdev's has the tuple's own name.
    prefix.script(&format!("hidden/{ARM}-gcc"), "#!/bin/sh\n");
    prefix.own(["init", ARM]).success();
    assert!(
        !prefix.join(&file).exists(),
        "the target has a compiler of its own name"
    );
    // A compiler that belongs to another target.
    let other = "armv5tel-unknown-linux-gnueabi";
    prefix.write("usr/arm-linux-gnueabi/etc/portage/make.conf", "");
    let output = prefix.own(["init", other]).success().stderr;
    assert!(
        output.contains("belongs to the target `arm-linux-gnueabi`; `--toolchain "),
        "{output}"
    );
}

#[test]
fn a_compiler_for_a_newer_cpu_or_without_its_tools_is_not_adopted() {
    let prefix = with_sdk();
    let output = prefix.own(["init", OLDER]).success().stderr;
    assert!(output.contains("builds for a newer CPU than"), "{output}");
    assert!(!prefix.join(format!("bin/{OLDER}-gcc")).is_symlink());
    // ccache's directory contains compilers and no other tools.
    let cached = prefix.join("cached");
    fs::create_dir(&cached).expect("a directory");
    symlink("/bin/false", cached.join("arm-linux-gnueabi-gcc")).expect("a link");
    let mut prefix = prefix;
    prefix.put_first_in_path(&["cached"]);
    prefix.own(["init", ARM]).success();
    assert_eq!(state(&prefix, ARM), "ready");
}

#[test]
fn a_missing_compiler_is_reported_and_found_once_reinstalled() {
    let prefix = with_sdk();
    prefix.own(["init", ARM]).success();
    let compiler = prefix.join("sdk/bin/arm-linux-gnueabi-gcc");
    fs::rename(&compiler, prefix.join("away")).expect("moved");
    assert_eq!(state(&prefix, ARM), "no-compiler");
    distribution(
        &prefix,
        "ID=debian\n",
        "apt-get",
        &format!(
            "[ \"$*\" = 'install -y gcc-arm-linux-gnueabi g++-arm-linux-gnueabi libc6-dev-armel-cross' ] && cp {} {}",
            prefix.join("away").display(),
            compiler.display()
        ),
    );
    // The printed command fixes the target.
    let output = prefix.own(["init", ARM]).success().stderr;
    let next = output
        .lines()
        .find_map(|line| line.strip_prefix("next: "))
        .expect("a next step");
    let command = next.split('`').nth(3).expect("a command");
    prefix.command("/bin/sh", ["-c", command]).success();
    assert_eq!(state(&prefix, ARM), "ready");
}

#[test]
fn each_distribution_gets_a_command_of_its_package_manager() {
    let tuple = "aarch64-unknown-linux-gnu";
    for (os_release, manager, command) in [
        (
            "ID=ubuntu\nID_LIKE=debian\n",
            "apt-get",
            "apt-get install -y gcc-aarch64-linux-gnu",
        ),
        ("ID=fedora\n", "dnf", "dnf install -y gcc-aarch64-linux-gnu"),
        (
            "ID=arch\n",
            "pacman",
            "pacman -Sy && pacman -S --needed --noconfirm aarch64-linux-gnu-gcc",
        ),
        (
            "ID=opensuse-leap\nID_LIKE=suse\n",
            "zypper",
            "zypper --non-interactive install cross-aarch64-gcc",
        ),
        (
            "ID=void\n",
            "xbps-install",
            "xbps-install -Sy cross-aarch64-linux-gnu",
        ),
        (
            "ID=gentoo\n",
            "emerge",
            "emerge --noreplace sys-devel/crossdev && crossdev --target aarch64",
        ),
        ("ID=alpine\n", "apk", "--toolchain PREFIX"),
        // A missing package manager is not named.
        ("ID=debian\n", "none", "--toolchain PREFIX"),
        ("ID=nowhere\n", "apt-get", "--toolchain PREFIX"),
    ] {
        let prefix = without_compilers(&[]);
        distribution(&prefix, os_release, manager, "exit 1");
        let output = prefix.own(["init", tuple]).success().stderr;
        let next = output.lines().find(|line| line.starts_with("next: "));
        assert!(
            next.is_some_and(|next| next.contains(command)),
            "{os_release}: {output}"
        );
    }
}

#[test]
fn targets_lists_every_target_and_notes_an_empty_list() {
    let prefix = with_sdk();
    for command in ["targets", "doctor"] {
        let output = prefix.own([command]).success();
        assert_eq!(output.stdout, "");
        assert!(
            output
                .stderr
                .contains("there are no targets: `crossmerge init <tuple>`"),
            "{output:#?}"
        );
    }
    assert_eq!(prefix.own(["targets", "--json"]).success().stdout, "[]\n");
    // A target that has only symlinks, because SYSROOT named another sysroot for one call.
    prefix
        .with("SYSROOT", prefix.join("elsewhere"))
        .own(["init", "avr"])
        .success();
    prefix.own(["init", ARM]).success();
    prefix.own(["init", OLDER]).success();
    let listed = prefix.own(["targets"]).success().stdout;
    let states: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split_whitespace().take(2).collect())
        .collect();
    assert_eq!(
        states,
        [[OLDER, "no-compiler"], [ARM, "ready"], ["avr", "missing"]]
    );
}

#[test]
fn installed_cross_compilers_are_listed_with_a_tuple() {
    let prefix = with_sdk();
    prefix.script("sdk/bin/aarch64-linux-gnu-gcc", "#!/bin/sh\nexit 1\n");
    for tool in ["as", "ld"] {
        prefix.script(&format!("sdk/bin/aarch64-linux-gnu-{tool}"), "#!/bin/sh\n");
    }
    prefix.own(["init", ARM]).success();
    let output = prefix.own(["targets", "--available"]).success().stdout;
    let lines: Vec<&str> = output.lines().collect();
    let sdk = prefix.join("sdk/bin");
    let [broken, works] = lines[..] else {
        panic!("{output}");
    };
    assert!(
        broken.starts_with("aarch64-unknown-linux-gnu") && broken.contains("(does not work: "),
        "{output}"
    );
    assert!(
        works.starts_with("arm-unknown-linux-gnueabi ")
            && works.ends_with(&format!("arm-linux-gnueabi-  (of the target {ARM})")),
        "{output}"
    );
    let json = prefix
        .own(["targets", "--available", "--json"])
        .success()
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[1]["tuple"], "arm-unknown-linux-gnueabi");
    assert_eq!(
        json[1]["prefix"],
        sdk.join("arm-linux-gnueabi-").to_str().expect("UTF-8")
    );
    assert_eq!(json[1]["targets"], serde_json::json!([ARM]));
    assert!(json[1]["problem"].is_null() && json[0]["problem"].is_string());
    // `init` accepts a tuple that is listed.
    prefix.own(["init", "arm-unknown-linux-gnueabi"]).success();
    assert_eq!(state(&prefix, "arm-unknown-linux-gnueabi"), "ready");
    let bare = without_compilers(&[]);
    let output = bare.own(["targets", "--available"]).success();
    assert!(
        output.stdout.is_empty() && output.stderr.contains("no cross compiler is in PATH"),
        "{output:#?}"
    );
}

#[test]
fn an_ordinary_user_gets_a_target_below_the_home_directory() {
    let prefix = with_sdk();
    let program = prefix.join("crossmerge");
    fs::copy(CROSSMERGE, &program).expect("a copy");
    let home = prefix.join("home");
    let user = prefix
        .with("HOME", &home)
        .with("CM", &program)
        .with("T", ARM);
    let run = |commands: &str| -> crate::support::Output {
        let script = format!(
            "as() {{ if [ $(id -u) = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; else \"$@\"; fi; }}
             chmod 755 . && mkdir -p \"$HOME\" && {{ [ $(id -u) != 0 ] || chown 65534:65534 \"$HOME\"; }} || exit
             cd \"$HOME\"
             {commands}"
        );
        user.command("/bin/sh", ["-ec", &script])
    };
    if run("id -u").stdout.trim() != "0" {
        return;
    }
    let output = run("as $CM init $T; as .local/bin/$T-gcc -print-sysroot").success();
    let share = home.join(format!(".local/share/crossmerge/{ARM}"));
    assert_eq!(Path::new(output.stdout.trim()), share);
    assert!(
        output
            .stderr
            .contains("you are not root, so the target is your own")
            && output.stderr.contains(".local/bin` is not in PATH")
            && output.stderr.contains("export PATH="),
        "{output:#?}"
    );
    let again = run("as $CM init $T").success().stderr;
    assert!(again.starts_with("nothing to do"), "{again}");
    run("as $CM remove $T").success();
    assert!(names_in(home.join(".local/bin")).is_empty());
    let elsewhere = run("as env XDG_DATA_HOME=$HOME/data $CM init $T").success();
    assert!(
        home.join(format!("data/crossmerge/{ARM}/usr/include/stdio.h"))
            .exists(),
        "{elsewhere:#?}"
    );
    run("as $CM remove $T").success();
    // A target that root made serves every user.
    prefix.own(["init", ARM]).success();
    let output = run("as $CM init $T").success().stderr;
    assert!(
        output.contains("root has made the target") && output.contains("--sysroot DIR"),
        "{output}"
    );
    assert!(
        !home
            .join(format!(".config/crossmerge/targets/{ARM}.toml"))
            .exists()
    );
    // A user without a home directory.
    let output = run("setpriv --reuid=12345 --regid=12345 --clear-groups env -u HOME $CM init avr");
    output.fails(
        125,
        "there is no directory for your own targets",
        "export HOME=DIR",
    );
}

#[test]
fn a_requested_compiler_or_libc_that_is_missing_is_an_error_with_its_package() {
    let prefix = with_sdk();
    distribution(&prefix, "ID=debian\n", "apt-get", "exit 1");
    let aarch64 = "aarch64-unknown-linux-gnu";
    prefix.own(["init", aarch64, "--toolchain", "aarch64-linux-gnu-"]).fails(
        125,
        "has no compiler `aarch64-linux-gnu-gcc`",
        "`apt-get install -y gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross`",
    );
    prefix.own(["init", aarch64, "--llvm"]).fails(
        125,
        "has no compiler `clang`",
        "`apt-get install -y clang lld llvm`",
    );
    // A compiler without its libc: Debian's compiler does not require one.
    for part in ["include", "lib"] {
        fs::remove_dir_all(prefix.join("sdk/arm-linux-gnueabi").join(part)).expect("gone");
    }
    let sdk = prefix
        .join("sdk/bin/arm-linux-gnueabi-")
        .display()
        .to_string();
    prefix
        .own(["init", ARM, "--toolchain", &sdk, "--with-libc"])
        .fails(
            125,
            "has no libc",
            "`apt-get install -y libc6-dev-armel-cross`",
        );
    // Without `--with-libc`, the compiler is adopted without a libc.
    let output = prefix.own(["init", ARM]).success().stderr;
    assert!(
        output.contains("has no libc yet; ") && output.contains("libc6-dev-armel-cross"),
        "{output}"
    );
    // A missing tool of an applet.
    for (applet, tools, hint) in [
        ("emerge", &["emerge"][..], "Portage is Gentoo's"),
        (
            "pkg-config",
            &["pkg-config", "pkgconf"],
            "`apt-get install -y pkgconf`",
        ),
    ] {
        for tool in tools {
            let _ = fs::remove_file(prefix.join("hidden").join(tool));
        }
        let output = prefix.run(&format!("{ARM}-{applet}"), ["x"]);
        assert_eq!(output.code, Some(127), "{output:#?}");
        assert!(output.stderr.contains(hint), "{output:#?}");
    }
}

#[test]
fn white_space_in_a_sysroot_is_noted_and_doctor_fixes_it() {
    let prefix = with_sdk();
    let output = prefix
        .own(["init", ARM, "--sysroot", "my root"])
        .success()
        .stderr;
    assert!(
        output.contains("pkg-config cannot print a sysroot with white space"),
        "{output}"
    );
    let report = prefix.own(["doctor", ARM, "--json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let lines = report.as_array().expect("an array");
    let line = lines
        .iter()
        .find(|line| line["check"] == "pkg-config")
        .expect("the check");
    assert_eq!(line["status"], "error");
    let fix = line["fix"].as_str().expect("a command");
    prefix.command("/bin/sh", ["-c", fix]).success();
    let output = prefix.own(["doctor", "--verbose", ARM]).stdout;
    assert!(output.contains("ok       pkg-config"), "{output}");
    let moved: PathBuf = prefix.join("my-root");
    assert!(moved.join("usr/include/stdio.h").exists());
}
