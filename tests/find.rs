//! `init` without `--toolchain`: it finds the compiler that is installed for the tuple, or prints the command that installs one;
//! what `targets` lists then; and the hints on each distribution.

use crate::support::{CROSSMERGE, Prefix, names_in};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

const ARM: &str = "armv5tel-softfloat-linux-gnueabi";
const OLDER: &str = "armv4tl-softfloat-linux-gnueabi";

/// A prefix with a small toolchain for Arm, and nothing else of the machine's cross compilers in PATH.
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

/// A prefix whose PATH has the machine's programs, but for every cross compiler, package manager and emulator.
fn without_compilers(kept: &[&str]) -> Prefix {
    let mut prefix = Prefix::new();
    let hidden = prefix.join("hidden");
    fs::create_dir(&hidden).expect("a directory");
    let is_left_out = |name: &str| {
        let starts = ["apt", "dnf", "qemu-", "clang", "sudo", "doas", "crossmerge"];
        name.contains("-linux-gnu")
            || name.contains("-none-")
            || name.contains("-musl")
            || starts.iter().any(|start| name.starts_with(start))
    };
    for name in names_in("/usr/bin") {
        if !is_left_out(&name) || kept.contains(&name.as_str()) {
            symlink(Path::new("/usr/bin").join(&name), hidden.join(&name)).expect("a link");
        }
    }
    let path = format!("{}:{}", prefix.join("bin").display(), hidden.display());
    prefix.set("PATH", path);
    prefix
}

/// Makes the prefix a machine of a distribution, with its package manager, which installs what the script says.
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
fn the_compiler_that_is_installed_is_adopted_with_its_libc() {
    let prefix = with_sdk();
    let dry = prefix.own(["init", ARM, "--dry-run"]).success();
    assert!(dry.stdout.contains("+find_toolchain = true"), "{dry:#?}");
    assert!(!prefix.join("usr").exists(), "a dry run has written");
    let said = prefix.own(["init", ARM]).success().stderr;
    assert!(said.contains("files of the toolchain's libc"), "{said}");
    assert!(
        said.contains(&format!("next: `crossmerge doctor {ARM}`")),
        "{said}"
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

    // A second run changes nothing, and one after the libc is gone brings it back.
    let said = prefix.own(["init", ARM]).success().stderr;
    assert!(
        said.starts_with("nothing to do") && !said.contains("next: "),
        "{said}"
    );
    fs::remove_file(prefix.join(format!("usr/{ARM}/usr/include/stdio.h"))).expect("gone");
    prefix.own(["init", ARM]).success();
    assert!(
        prefix
            .join(format!("usr/{ARM}/usr/include/stdio.h"))
            .exists()
    );

    // A choice of the user's replaces what was found; `none` lasts, until another choice.
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
fn a_target_that_has_a_toolchain_or_gets_one_from_crossdev_keeps_it() {
    let prefix = with_sdk();
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    // crossdev's call, which comes before its compiler.
    symlink("crossmerge", prefix.join("bin/emerge-wrapper")).expect("a link");
    let said = prefix
        .run("emerge-wrapper", ["--target", ARM, "--init"])
        .success();
    assert!(!said.stderr.contains("next: "), "{said:#?}");
    assert!(!prefix.join(&file).exists() && !prefix.join(format!("bin/{ARM}-gcc")).exists());
    prefix.own(["remove", ARM]).success();
    // crossdev's sysroot.
    prefix.write(&format!("usr/{ARM}/etc/portage/make.conf"), "CHOST=x\n");
    prefix.own(["init", ARM]).success();
    assert!(
        !prefix.join(&file).exists(),
        "crossdev's target has adopted something"
    );
    prefix.own(["remove", ARM]).success();
    fs::remove_dir_all(prefix.join(format!("usr/{ARM}"))).expect("gone");
    // crossdev's compiler, by the tuple's own name.
    prefix.script(&format!("hidden/{ARM}-gcc"), "#!/bin/sh\n");
    prefix.own(["init", ARM]).success();
    assert!(
        !prefix.join(&file).exists(),
        "the target has a compiler of its own name"
    );
    // A compiler of another target's.
    let other = "armv5tel-unknown-linux-gnueabi";
    prefix.write("usr/arm-linux-gnueabi/etc/portage/make.conf", "");
    let said = prefix.own(["init", other]).success().stderr;
    assert!(
        said.contains("belongs to the target `arm-linux-gnueabi`; `--toolchain "),
        "{said}"
    );
}

#[test]
fn a_compiler_for_a_newer_cpu_or_without_its_tools_is_not_adopted() {
    let prefix = with_sdk();
    let said = prefix.own(["init", OLDER]).success().stderr;
    assert!(said.contains("builds for a newer CPU than"), "{said}");
    assert!(!prefix.join(format!("bin/{OLDER}-gcc")).is_symlink());
    // As ccache's directory has it: compilers, and no other tool.
    let cached = prefix.join("cached");
    fs::create_dir(&cached).expect("a directory");
    symlink("/bin/false", cached.join("arm-linux-gnueabi-gcc")).expect("a link");
    let mut prefix = prefix;
    prefix.put_first_in_path(&["cached"]);
    prefix.own(["init", ARM]).success();
    assert_eq!(state(&prefix, ARM), "ready");
}

#[test]
fn a_compiler_that_is_gone_is_told_and_found_again() {
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
    // The command that is printed is run, and fixes it.
    let said = prefix.own(["init", ARM]).success().stderr;
    let next = said
        .lines()
        .find_map(|line| line.strip_prefix("next: "))
        .expect("a next step");
    let command = next.split('`').nth(3).expect("a command");
    prefix.command("/bin/sh", ["-c", command]).success();
    assert_eq!(state(&prefix, ARM), "ready");
}

#[test]
fn each_distribution_gets_a_command_that_it_has() {
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
        // A manager that is not there is not named.
        ("ID=debian\n", "none", "--toolchain PREFIX"),
        ("ID=nowhere\n", "apt-get", "--toolchain PREFIX"),
    ] {
        let prefix = without_compilers(&[]);
        distribution(&prefix, os_release, manager, "exit 1");
        let said = prefix.own(["init", tuple]).success().stderr;
        let next = said.lines().find(|line| line.starts_with("next: "));
        assert!(
            next.is_some_and(|next| next.contains(command)),
            "{os_release}: {said}"
        );
    }
}

#[test]
fn targets_lists_every_target_and_says_when_there_is_none() {
    let prefix = with_sdk();
    for command in ["targets", "doctor"] {
        let said = prefix.own([command]).success();
        assert_eq!(said.stdout, "");
        assert!(
            said.stderr
                .contains("there are no targets: `crossmerge init <tuple>`"),
            "{said:#?}"
        );
    }
    assert_eq!(prefix.own(["targets", "--json"]).success().stdout, "[]\n");
    // One with links only, for another sysroot was chosen for one call.
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
fn the_cross_compilers_that_are_installed_are_listed_with_a_tuple() {
    let prefix = with_sdk();
    prefix.script("sdk/bin/aarch64-linux-gnu-gcc", "#!/bin/sh\nexit 1\n");
    for tool in ["as", "ld"] {
        prefix.script(&format!("sdk/bin/aarch64-linux-gnu-{tool}"), "#!/bin/sh\n");
    }
    prefix.own(["init", ARM]).success();
    let said = prefix.own(["targets", "--available"]).success().stdout;
    let lines: Vec<&str> = said.lines().collect();
    let sdk = prefix.join("sdk/bin");
    let [broken, works] = lines[..] else {
        panic!("{said}");
    };
    assert!(
        broken.starts_with("aarch64-unknown-linux-gnu") && broken.contains("(does not work: "),
        "{said}"
    );
    assert!(
        works.starts_with("arm-unknown-linux-gnueabi ")
            && works.ends_with(&format!("arm-linux-gnueabi-  (of the target {ARM})")),
        "{said}"
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
    // The tuple that is listed is one that init serves.
    prefix.own(["init", "arm-unknown-linux-gnueabi"]).success();
    assert_eq!(state(&prefix, "arm-unknown-linux-gnueabi"), "ready");
    let bare = without_compilers(&[]);
    let said = bare.own(["targets", "--available"]).success();
    assert!(
        said.stdout.is_empty() && said.stderr.contains("no cross compiler is in PATH"),
        "{said:#?}"
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
    let run = |commands: &str| -> crate::support::Said {
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
    let said = run("as $CM init $T; as .local/bin/$T-gcc -print-sysroot").success();
    let share = home.join(format!(".local/share/crossmerge/{ARM}"));
    assert_eq!(Path::new(said.stdout.trim()), share);
    assert!(
        said.stderr
            .contains("you are not root, so the target is your own")
            && said.stderr.contains(".local/bin` is not in PATH")
            && said.stderr.contains("export PATH="),
        "{said:#?}"
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
    // Root's target serves every user.
    prefix.own(["init", ARM]).success();
    let said = run("as $CM init $T").success().stderr;
    assert!(
        said.contains("root has made the target") && said.contains("--sysroot DIR"),
        "{said}"
    );
    assert!(
        !home
            .join(format!(".config/crossmerge/targets/{ARM}.toml"))
            .exists()
    );
    // A home that nobody knows.
    let said = run("setpriv --reuid=12345 --regid=12345 --clear-groups env -u HOME $CM init avr");
    said.fails(
        125,
        "there is no directory for your own targets",
        "export HOME=DIR",
    );
}

#[test]
fn a_missing_compiler_or_libc_that_was_asked_for_is_told_with_its_package() {
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
    // A compiler without its libc, as Debian's is without its recommendations.
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
    // Where nobody asked for it, the compiler is adopted without.
    let said = prefix.own(["init", ARM]).success().stderr;
    assert!(
        said.contains("has no libc yet; ") && said.contains("libc6-dev-armel-cross"),
        "{said}"
    );
    // A tool that an applet runs.
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
        let said = prefix.run(&format!("{ARM}-{applet}"), ["x"]);
        assert_eq!(said.code, Some(127), "{said:#?}");
        assert!(said.stderr.contains(hint), "{said:#?}");
    }
}

#[test]
fn white_space_in_a_sysroot_is_noted_and_doctor_mends_it() {
    let prefix = with_sdk();
    let said = prefix
        .own(["init", ARM, "--sysroot", "my root"])
        .success()
        .stderr;
    assert!(
        said.contains("pkg-config cannot print a sysroot with white space"),
        "{said}"
    );
    let report = prefix.own(["doctor", ARM, "--json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let lines = report.as_array().expect("an array");
    let line = lines
        .iter()
        .find(|line| line["check"] == "pkg-config")
        .expect("the check");
    assert_eq!(line["status"], "error");
    let fix = line["mend"].as_str().expect("a command");
    prefix.command("/bin/sh", ["-c", fix]).success();
    let said = prefix.own(["doctor", "--verbose", ARM]).stdout;
    assert!(said.contains("ok       pkg-config"), "{said}");
    let moved: PathBuf = prefix.join("my-root");
    assert!(moved.join("usr/include/stdio.h").exists());
}
