//! The build systems: real libraries built with each, one on top of the other, and run under QEMU; what is decided on
//! the way; and every mistake that a user can make there.

mod chains;
mod told;

use crate::support::{Prefix, Said, prepared, without_key};
use snapbox::{Data, assert_data_eq};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// A target, Debian's toolchain for it, and what `readelf -h` calls its machine.
pub(crate) struct Machine {
    pub(crate) tuple: &'static str,
    toolchain: &'static str,
    elf: &'static str,
}

pub(crate) const ARM: Machine = Machine {
    tuple: "armv5tel-unknown-linux-gnueabi",
    toolchain: "arm-linux-gnueabi-",
    elf: "ARM",
};

/// Big-endian, and 64 bits wide.
pub(crate) const S390X: Machine = Machine {
    tuple: "s390x-ibm-linux-gnu",
    toolchain: "s390x-linux-gnu-",
    elf: "IBM S/390",
};

/// A target that is set up, and the directory in which things are built.
pub(crate) struct Target {
    pub(crate) machine: &'static Machine,
    pub(crate) prefix: Prefix,
    pub(crate) sysroot: PathBuf,
}

impl Target {
    pub(crate) fn new(machine: &'static Machine) -> Self {
        let mut prefix = Prefix::new();
        let init = [
            "init",
            machine.tuple,
            "--toolchain",
            machine.toolchain,
            "--with-libc",
        ];
        prefix.own(init).success();
        let home = prefix.join("home");
        prefix.set("HOME", home);
        Self {
            machine,
            sysroot: prefix.join(format!("usr/{}", machine.tuple)),
            prefix,
        }
    }

    /// Unpacks a library's own sources, and gives the name of the directory.
    fn unpack(&self, archive: &str, name: &str) -> String {
        let script = format!(
            "mkdir -p {name} && tar -xf {} -C {name} --strip-components=1",
            prepared(&format!("chain/{archive}")).display()
        );
        self.shell(&script).success();
        name.into()
    }

    /// Debian's archive of zlib leaves out what is for Windows; CMake wants to see it named.
    fn zlib(&self) -> String {
        self.prefix.write("zlib/win32/zlib1.rc", "");
        self.unpack("zlib-1.2.13.tar.bz2", "zlib")
    }

    /// Builds zlib into the sysroot; its configure script is its author's own. The static library, which nothing here
    /// takes, stays empty: it is quicker.
    fn install_zlib(&self) {
        let zlib = self.zlib();
        let script = format!(
            "cd {zlib}; $t-configure --prefix=/usr; make -j2 libz.so.1.2.13
             touch libz.a; make -o libz.a install DESTDIR=$s"
        );
        self.shell(&script).success();
        self.is_for_target(self.sysroot.join("usr/lib/libz.so"));
    }

    fn libpng(&self) -> String {
        self.unpack("libpng-1.6.39.tar.gz", "libpng")
    }

    /// Runs a script in which `$t` is the tuple and `$s` the sysroot.
    pub(crate) fn shell(&self, script: &str) -> Said {
        let prefix = self.prefix.with("t", self.machine.tuple);
        let prefix = prefix.with("s", &self.sysroot);
        prefix.command("/bin/sh", ["-exc", script])
    }

    /// Checks that a file is for the target.
    fn is_for_target(&self, path: impl AsRef<Path>) {
        let path = self.prefix.join(path);
        let tool = format!("{}readelf", self.machine.toolchain);
        let header = self.prefix.command(tool, ["-h".as_ref(), path.as_os_str()]);
        let header = header.success().stdout;
        let machine = header.lines().find(|line| line.contains("Machine:"));
        let machine = machine.map(|line| line.trim_start().trim_start_matches("Machine:").trim());
        assert_eq!(machine, Some(self.machine.elf), "{}", path.display());
    }
}

/// A prefix with nothing of the host in PATH, and tools that do what is asked of them here: a compiler whose
/// programs QEMU alone runs, and build systems that say what they were told.
fn fakes() -> Prefix {
    let mut prefix = Prefix::new();
    let path = ["bin", "tools"].map(|directory| prefix.join(directory).display().to_string());
    prefix.set("PATH", path.join(":"));
    for tool in ["cmake", "meson", "cargo", "go"] {
        prefix.script(
            &format!("tools/{tool}"),
            "#!/bin/sh\nprintf '%s\\n' \"$@\"\n",
        );
    }
    prefix.script("tools/cc", "#!/bin/sh\necho x86_64-pc-linux-gnu\n");
    prefix.script("tools/c++", "#!/bin/sh\n");
    for machine in [&ARM, &S390X] {
        let tuple = machine.tuple;
        for tool in ["g++", "ar", "strip"] {
            prefix.script(&format!("bin/{tuple}-{tool}"), "#!/bin/sh\n");
        }
        prefix.script(
            &format!("bin/{tuple}-gcc"),
            "#!/bin/sh\nprintf '#!/bin/sh\\nexit 1\\n' > $3; /bin/chmod +x $3\n",
        );
        for applet in ["cmake", "meson", "cargo", "go", "configure", "pkg-config"] {
            prefix.link(&format!("{tuple}-{applet}"));
        }
        std::fs::create_dir_all(prefix.join(format!("usr/{tuple}"))).expect("a sysroot");
    }
    prefix.script("tools/qemu-arm", "#!/bin/sh\nexit 42\n");
    prefix
}

const FORMATS: [&str; 7] = [
    "cmake",
    "meson",
    "meson-native",
    "cargo",
    "go",
    "env",
    "json",
];

#[test]
fn each_format_has_its_golden_text() {
    let prefix = fakes();
    for machine in [&ARM, &S390X] {
        for format in FORMATS {
            let export = || prefix.own(["export", machine.tuple, format]).success();
            let said = export();
            assert_eq!(said.stdout, export().stdout, "the text is always the same");
            let text =
                without_key(&said.stdout).replace(&prefix.path().display().to_string(), "[PREFIX]");
            let golden = format!("tests/data/export/{}/{format}.txt", machine.tuple);
            assert_data_eq!(text, Data::read_from(golden.as_ref(), None).raw());
            // QEMU for s390x is not there: said where it matters, and only there.
            let matters = ["cmake", "meson", "cargo", "json"].contains(&format);
            let note = "neither `qemu-s390x` nor `qemu-s390x-static` is in PATH";
            let is_missing = machine.tuple == S390X.tuple;
            assert_eq!(
                said.stderr.contains(note),
                matters && is_missing,
                "{format}: {}",
                said.stderr
            );
        }
    }
}

/// What `<tuple>-<applet> args…` runs, from its plan.
fn planned(prefix: &Prefix, applet: &str, args: &[&str]) -> (Vec<String>, serde_json::Value) {
    let words = ["plan", "--json", ARM.tuple, applet];
    let said = prefix.own(words.iter().chain(args)).success();
    let mut plan: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let args = serde_json::from_value(plan["args"].take()).expect("text");
    (args, plan)
}

#[test]
fn ours_are_given_where_something_is_configured_and_step_aside_for_the_callers() {
    let prefix = fakes();
    let state = prefix.join(format!("var/lib/crossmerge/{}", ARM.tuple));
    let toolchain = format!("-DCMAKE_TOOLCHAIN_FILE={}/toolchain.cmake", state.display());
    let cross = format!("--cross-file={}/cross.ini", state.display());
    let native = format!("--native-file={}/native.ini", state.display());
    let setup: &[&str] = &["setup", &cross, &native];
    for (applet, args, ours, theirs) in [
        ("cmake", &["."][..], &[toolchain.as_str()][..], &["."][..]),
        (
            "cmake",
            &["-S", "a", "-B", "b"],
            &[&toolchain],
            &["-S", "a", "-B", "b"],
        ),
        (
            "cmake",
            &["-B", "b", "-DX=--build"],
            &[&toolchain],
            &["-B", "b", "-DX=--build"],
        ),
        (
            "cmake",
            &["--preset", "x"],
            &[&toolchain],
            &["--preset", "x"],
        ),
        (
            "cmake",
            &["--build", "b", "-j2"],
            &[],
            &["--build", "b", "-j2"],
        ),
        ("cmake", &["--install", "b"], &[], &["--install", "b"]),
        ("cmake", &["-E", "env"], &[], &["-E", "env"]),
        (
            "cmake",
            &["-DX=1", "-P", "x.cmake"],
            &[],
            &["-DX=1", "-P", "x.cmake"],
        ),
        (
            "cmake",
            &["--help-module", "x"],
            &[],
            &["--help-module", "x"],
        ),
        ("cmake", &["--version"], &[], &["--version"]),
        ("cmake", &[], &[], &[]),
        (
            "cmake",
            &["-DCMAKE_TOOLCHAIN_FILE=t", "."],
            &[],
            &["-DCMAKE_TOOLCHAIN_FILE=t", "."],
        ),
        (
            "cmake",
            &["-DCMAKE_TOOLCHAIN_FILE:FILEPATH=t"],
            &[],
            &["-DCMAKE_TOOLCHAIN_FILE:FILEPATH=t"],
        ),
        (
            "cmake",
            &["-D", "CMAKE_TOOLCHAIN_FILE:PATH=t"],
            &[],
            &["-D", "CMAKE_TOOLCHAIN_FILE:PATH=t"],
        ),
        (
            "cmake",
            &["--toolchain", "t", "."],
            &[],
            &["--toolchain", "t", "."],
        ),
        (
            "cmake",
            &["--toolchain=t", "."],
            &[],
            &["--toolchain=t", "."],
        ),
        (
            "cmake",
            &["-DCMAKE_TOOLCHAIN_FILES=t"],
            &[&toolchain],
            &["-DCMAKE_TOOLCHAIN_FILES=t"],
        ),
        ("meson", &["setup", "b"], setup, &["b"]),
        (
            "meson",
            &["b", "--prefix=/usr"],
            setup,
            &["b", "--prefix=/usr"],
        ),
        (
            "meson",
            &["setup", "--wipe", "install"],
            setup,
            &["--wipe", "install"],
        ),
        ("meson", &["setup", "setup"], setup, &["setup"]),
        (
            "meson",
            &["setup", "b", "--cross-file=x"],
            setup,
            &["b", "--cross-file=x"],
        ),
        (
            "meson",
            &["b", "--native-file", "x"],
            setup,
            &["b", "--native-file", "x"],
        ),
        (
            "meson",
            &["compile", "-C", "b"],
            &[],
            &["compile", "-C", "b"],
        ),
        ("meson", &["test"], &[], &["test"]),
        ("meson", &["--version"], &[], &["--version"]),
    ] {
        let (words, plan) = planned(&prefix, applet, args);
        assert_eq!(words, [ours, theirs].concat(), "{applet} {args:?}");
        let files = plan["files"].as_array().expect("a list").len();
        assert_eq!(
            files,
            ours.iter().filter(|word| word.starts_with('-')).count(),
            "{args:?}"
        );
    }
    assert!(!prefix.join("var").exists(), "a plan writes nothing");
}

#[test]
fn a_kept_file_is_there_when_the_tool_starts_and_changes_only_with_its_text() {
    let prefix = fakes();
    let cmake = format!("{}-cmake", ARM.tuple);
    let state = format!("var/lib/crossmerge/{}", ARM.tuple);
    prefix.run(&cmake, ["."]).success();
    let file = prefix.join(format!("{state}/toolchain.cmake"));
    let inode = || std::os::unix::fs::MetadataExt::ino(&file.metadata().expect("the file"));
    let (text, first) = (std::fs::read(&file).expect("the file"), inode());
    assert_eq!(
        String::from_utf8_lossy(&text),
        prefix.own(["export", ARM.tuple, "cmake"]).success().stdout,
        "the applet's file and the exported one are one text"
    );
    // The caller's flags go another way, and stay out of what the next build sees.
    prefix.with("CFLAGS", "-O3").run(&cmake, ["."]).success();
    assert_eq!(inode(), first);
    // Another sysroot has a file of its own.
    let other = prefix.join("other");
    std::fs::create_dir(&other).expect("a sysroot");
    let said = prefix.with("SYSROOT", &other).run(&cmake, ["."]).success();
    assert!(
        said.stdout.contains(&format!("{}@", ARM.tuple)),
        "{}",
        said.stdout
    );
    assert_eq!(std::fs::read(&file).expect("the file"), text);
    // A plan that is pasted makes the same file.
    let plan = prefix
        .own(["plan", ARM.tuple, "cmake", "."])
        .success()
        .stdout;
    std::fs::remove_file(&file).expect("gone");
    prefix
        .with("PATH", "/usr/bin:/bin")
        .command("/bin/sh", ["-ec", &plan])
        .success();
    assert_eq!(std::fs::read(&file).expect("the file"), text);
    // Nobody can write where a file is in the way.
    std::fs::remove_dir_all(prefix.join("var")).expect("gone");
    prefix.write("var/lib", "");
    prefix
        .run(&cmake, ["."])
        .fails(125, "var/lib/crossmerge", "writable");
}

#[test]
fn an_exported_file_replaces_its_own_kind_only() {
    let prefix = fakes();
    let export = |words: &[&str]| prefix.own([&["export"], words].concat());
    for format in FORMATS {
        let file = format!("made/{format}");
        export(&[ARM.tuple, format, &file]).success();
        let text = prefix.read(&file);
        assert_eq!(text, export(&[ARM.tuple, format]).success().stdout);
        export(&[ARM.tuple, format, &file]).success();
        let another = FORMATS[usize::from(format == FORMATS[0])];
        for (tuple, format) in [(S390X.tuple, format), (ARM.tuple, another)] {
            let command = format!("crossmerge export {tuple} {format}");
            export(&[tuple, format, &file]).fails(
                125,
                &format!("was not made by `{command}`"),
                &format!("{command} --force {file}"),
            );
        }
        assert_eq!(prefix.read(&file), text);
    }
    prefix.write("mine.cmake", "# mine\n");
    export(&[ARM.tuple, "cmake", "mine.cmake"]).fails(
        125,
        "`mine.cmake` exists",
        "--force mine.cmake",
    );
    export(&[ARM.tuple, "cmake", "--force", "mine.cmake"]).success();
    assert!(prefix.read("mine.cmake").contains("CMAKE_SYSTEM_NAME"));
    export(&[ARM.tuple, "cmake", "made"]).fails(
        125,
        "`made` is a directory",
        "made/toolchain.cmake",
    );
    export(&[ARM.tuple, "cmake", "--force", "made"]).fails(
        125,
        "`made` is a directory",
        "made/toolchain.cmake",
    );
    assert_eq!(export(&[ARM.tuple, "scons"]).code, Some(125));
    for extra in [&[] as &[&str], &["--force"]] {
        let words = [&[ARM.tuple, "cmake", "/dev/null"], extra].concat();
        export(&words).fails(125, "`/dev/null` is not a regular file", "is printed");
    }
    let printed = export(&[ARM.tuple, "cmake", "-"]).success().stdout;
    assert_eq!(printed, export(&[ARM.tuple, "cmake"]).success().stdout);
    assert!(!prefix.join("-").exists());
}

#[test]
fn what_cannot_be_told_a_build_system_is_an_error_that_says_so() {
    let prefix = fakes();
    let avr = "avr";
    prefix.script("bin/avr-gcc", "#!/bin/sh\n");
    let hppa = "hppa2.0-unknown-linux-gnu";
    let export = |tuple: &str, format: &str| prefix.own(["export", tuple, format]);
    for format in ["cmake", "meson", "env"] {
        export(hppa, format).fails(
            125,
            &format!("there is no compiler for `{hppa}`"),
            &format!("crossmerge init {hppa} --toolchain PREFIX"),
        );
    }
    // One that a distribution has under a name without the vendor.
    prefix.script("tools/hppa2.0-linux-gnu-gcc", "#!/bin/sh\n");
    export(hppa, "cmake").fails(125, "no compiler", "--toolchain hppa2.0-linux-gnu-`");
    export(hppa, "cargo").fails(
        125,
        "has no known Rust target",
        "set `rust` in your own file",
    );
    export(hppa, "go").fails(125, "has no known GOARCH", "set `goarch` in your own file");
    export(avr, "go").fails(125, "has no known GOOS", "avr-env");
    export("nosuch-unknown-elf", "json").fails(125, "nosuch", "nosuch.toml");
    // Without a compiler Go does without cgo.
    let riscv = "riscv64-unknown-linux-gnu";
    let said = export(riscv, "go").success().stdout;
    assert!(
        said.ends_with("GOOS=linux\nGOARCH=riscv64\nCGO_ENABLED=0\n"),
        "{said}"
    );
    // A path that a file of text cannot hold.
    let odd = prefix.join(OsStr::from_bytes(b"od\xffd"));
    std::fs::create_dir(&odd).expect("a sysroot");
    let odd = prefix.with("SYSROOT", odd);
    odd.own(["export", ARM.tuple, "cmake"])
        .fails(125, "it is not UTF-8", "plain text");
    odd.own(["export", ARM.tuple, "json"]).success();
    let semicolon = prefix.join("a;b");
    std::fs::create_dir(&semicolon).expect("a sysroot");
    let odd = prefix.with("SYSROOT", semicolon);
    odd.own(["export", ARM.tuple, "cmake"])
        .fails(125, "a semicolon ends", "plain text");
    odd.own(["export", ARM.tuple, "meson"]).success();
    let sysroot = prefix.with("SYSROOT", "/");
    sysroot
        .own(["export", ARM.tuple, "cmake"])
        .fails(125, "own root", "unset SYSROOT");
}

#[test]
fn configure_finds_the_script_or_says_what_the_project_has_instead() {
    let prefix = fakes();
    let configure = format!("{}-configure", ARM.tuple);
    let run = |args: &[&str]| prefix.run(&configure, args);
    run(&[]).fails(
        125,
        "there is no `configure` in the current directory",
        "-configure ../configure",
    );
    for misspelt in ["src/configure", "src/configrue"] {
        let error = format!("there is no `{misspelt}`");
        run(&[misspelt]).fails(125, &error, "the script");
    }
    for (file, hint) in [
        ("Makefile", "-env make"),
        ("go.mod", "-go build"),
        ("Cargo.toml", "-cargo build"),
        ("meson.build", "-meson setup build"),
        ("CMakeLists.txt", "-cmake -B build"),
        ("configure.ac", "autoreconf -fi"),
    ] {
        prefix.write(file, "");
        run(&["--prefix=/usr"]).fails(
            125,
            "there is no `configure` in the current directory",
            hint,
        );
    }
    let path = prefix.write("configure", "#!/bin/sh\n");
    run(&[]).fails(
        126,
        "`./configure` exists and is not executable",
        "chmod +x ./configure",
    );
    let tells = "for arg; do echo \"[$arg]\"; done; echo \"$CC $CFLAGS $CHOST $CC_FOR_BUILD $PKG_CONFIG\"\n";
    prefix.script("configure", &format!("#!/bin/sh\n{tells}"));
    let t = ARM.tuple;
    let environment = format!("{t}-gcc -O2 -pipe -march=armv5te {t} cc {t}-pkg-config\n");
    assert_eq!(
        run(&["--a b"]).success().stdout,
        format!("[--a b]\n{environment}")
    );
    prefix.script(
        "configure",
        &format!("#!/bin/sh\n# Generated by GNU Autoconf 2.71\n{tells}"),
    );
    std::fs::create_dir(prefix.join("sub")).expect("a directory");
    let build = "[--build=x86_64-pc-linux-gnu]\n";
    for (args, told) in [
        (&["-q"][..], format!("{build}[--host={t}]\n[-q]\n")),
        (
            &["./configure", "-q"],
            format!("{build}[--host={t}]\n[-q]\n"),
        ),
        (&["sub/../configure"], format!("{build}[--host={t}]\n")),
        (
            &[path.to_str().expect("text"), "a/b"],
            format!("{build}[--host={t}]\n[a/b]\n"),
        ),
        (
            &["--host=x", "--build", "y"],
            "[--host=x]\n[--build]\n[y]\n".into(),
        ),
        (&["--host=x"], format!("{build}[--host=x]\n")),
    ] {
        assert_eq!(run(args).success().stdout, told + &environment, "{args:?}");
    }
    // What the caller has set stays; without a compiler nothing is run, for it would be the host's.
    let said = prefix
        .with("CFLAGS", "-Og")
        .with("CC", "mine")
        .run(&configure, ["-q"])
        .success();
    assert!(said.stdout.contains("mine -Og"), "{}", said.stdout);
    std::fs::remove_file(prefix.join(format!("bin/{t}-gcc"))).expect("gone");
    run(&[]).fails(125, "there is no compiler", "--toolchain PREFIX");
}

#[test]
fn the_environment_survives_a_shell_whatever_is_in_a_path() {
    let prefix = fakes();
    let odd = OsString::from_vec(b"it's $HOME `x` \\ \"q\"\n\xff end".to_vec());
    let sysroot = prefix.join(&odd);
    std::fs::create_dir(&sysroot).expect("a sysroot");
    let text = prefix
        .with("SYSROOT", &sysroot)
        .own(["export", ARM.tuple, "env", "env"]);
    text.success();
    let script = ". ./env; printf %s \"$SDKTARGETSYSROOT\" > said; echo \"$PATH\"; . ./env; echo \"$PATH\"; echo \"$CC|$CROSS_COMPILE|$CFLAGS\"";
    let said = prefix
        .with("PATH", "/nowhere")
        .command("/bin/sh", ["-euc", script])
        .success();
    assert_eq!(
        std::fs::read(prefix.join("said")).expect("a file"),
        sysroot.as_os_str().as_bytes()
    );
    let (bin, t) = (prefix.join("bin"), ARM.tuple);
    let path = format!("{}:/nowhere\n", bin.display());
    assert_eq!(
        said.stdout,
        format!("{path}{path}{t}-gcc|{t}-|-O2 -pipe -march=armv5te\n")
    );
    // The caller's own flags are taken into what the caller asks for.
    let said = prefix
        .with("CFLAGS", "-Og")
        .own(["export", t, "env"])
        .success()
        .stdout;
    assert!(said.contains("export CFLAGS='-Og'\n"), "{said}");
}

#[test]
fn cargo_and_go_keep_what_the_caller_has_set_and_leave_this_machine_its_own() {
    let prefix = fakes();
    let (_, plan) = planned(&prefix, "cargo", &["build"]);
    let names: Vec<&String> = plan["env"].as_object().expect("variables").keys().collect();
    let is_targets = |name: &&&String| {
        name.to_lowercase()
            .contains("armv5te_unknown_linux_gnueabi")
    };
    let others: Vec<_> = names.iter().filter(|name| !is_targets(name)).collect();
    assert_eq!(
        others,
        [
            &"CARGO_BUILD_TARGET",
            &"CCACHE_COMPILERCHECK",
            &"HOST_CC",
            &"HOST_CFLAGS",
            &"HOST_CXX",
            &"HOST_CXXFLAGS",
            &"MPICC",
            &"PKG_CONFIG_ALLOW_CROSS"
        ],
        "{names:?}"
    );
    let mine = prefix.with("CFLAGS", "-Og").with("CARGO_BUILD_TARGET", "x");
    let (_, plan) = planned(&mine, "cargo", &["build"]);
    let env = plan["env"].as_object().expect("variables");
    assert!(!env.contains_key("CARGO_BUILD_TARGET"));
    assert!(
        !env.contains_key("CFLAGS_armv5te_unknown_linux_gnueabi"),
        "plain CFLAGS is taken"
    );
    assert!(env.contains_key("CXXFLAGS_armv5te_unknown_linux_gnueabi"));
    let (_, plan) = planned(&prefix.with("GOARM", "7"), "go", &["build"]);
    assert!(
        plan["env"].get("GOARM").is_none() && plan["env"]["GOARCH"] == "arm",
        "{plan:#}"
    );
}

#[test]
fn an_emulator_that_does_not_work_is_left_out() {
    let prefix = fakes();
    prefix.script("tools/qemu-arm", "#!/bin/sh\nexit 1\n");
    let emulator = |prefix: &Prefix| {
        let said = prefix.own(["export", ARM.tuple, "json"]).success();
        let facts: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
        (facts["emulator"].to_string(), said.stderr)
    };
    let (found, note) = emulator(&prefix);
    assert_eq!(found, "null");
    assert!(note.contains("do not run under `qemu-arm`"), "{note}");
    // The static one is tried next.
    let path = prefix.script(
        "tools/qemu-arm-static",
        "#!/bin/sh\n[ \"$1 $2\" = \"-L $SYSROOT\" ] && exit 42\n",
    );
    let sysroot = prefix.join(format!("usr/{}", ARM.tuple));
    let (found, note) = emulator(&prefix.with("SYSROOT", &sysroot));
    assert_eq!(
        found,
        format!("[\"{}\",\"-L\",\"{}\"]", path.display(), sysroot.display())
    );
    assert_eq!(note, "");
    // A program that runs as it is needs none.
    let gcc = format!("bin/{}-gcc", ARM.tuple);
    prefix.script(
        &gcc,
        "#!/bin/sh\nprintf '#!/bin/sh\\nexit 42\\n' > $3; /bin/chmod +x $3\n",
    );
    assert_eq!(emulator(&prefix).0, "[]");
    let said = prefix.own(["export", ARM.tuple, "meson"]).success().stdout;
    assert!(
        said.contains("needs_exe_wrapper = false") && !said.contains("exe_wrapper = ["),
        "{said}"
    );
    prefix.script(&gcc, "#!/bin/sh\nexit 1\n");
    let (found, note) = emulator(&prefix);
    assert_eq!(found, "null");
    assert!(note.contains("does not make a program"), "{note}");
}

#[test]
fn a_distributions_compiler_is_enough_without_links_of_ours() {
    let mut prefix = Prefix::new();
    // The sysroot is then Debian's own directory, /usr/arm-linux-gnueabi.
    prefix.unset("PORTAGE_OVERRIDE_EPREFIX");
    let tuple = "arm-linux-gnueabi";
    prefix
        .own(["export", tuple, "cmake", "toolchain.cmake"])
        .success();
    prefix.write("app.c", "int main(void) { return 0; }\n");
    prefix.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nenable_testing()\n\
         add_executable(app app.c)\nadd_test(NAME app COMMAND app)\n",
    );
    let script = "cmake -B build -DCMAKE_TOOLCHAIN_FILE=$PWD/toolchain.cmake; cmake --build build; cd build; ctest";
    let said = prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(said.stdout.contains("100% tests passed"), "{}", said.stdout);
}

#[test]
fn a_targets_own_settings_give_the_flags() {
    let prefix = Prefix::with_portage();
    let init = ["init", ARM.tuple, "--toolchain", ARM.toolchain];
    prefix.own(init).success();
    prefix.append(
        &format!("usr/{}/etc/portage/make.conf", ARM.tuple),
        "\nCFLAGS=\"-O1\n  -mthumb-interwork -g\"\nLDFLAGS=\"-Wl,-O1\"\n",
    );
    // Reading them starts no Python.
    prefix.portageq("sys.exit(1)\n");
    let said = prefix.own(["export", ARM.tuple, "go"]).success().stdout;
    assert!(
        said.contains("CGO_CFLAGS=-O1 -mthumb-interwork -g\n"),
        "{said}"
    );
    assert!(said.contains("CGO_LDFLAGS=-Wl,-O1\n"), "{said}");
    let said = prefix.own(["export", ARM.tuple, "cmake"]).success().stdout;
    assert!(
        said.contains("CMAKE_C_FLAGS_INIT \"-mthumb-interwork\""),
        "{said}"
    );
}

#[test]
fn a_sysroot_with_any_name_serves_cmake_and_meson() {
    let mut prefix = Prefix::new();
    let (sysroot, bin) = ("it's a $HOME", "it's a $bin");
    let tuple = ARM.tuple;
    let init = ["init", tuple, "--sysroot", sysroot, "--bindir", bin];
    let adopt = ["--toolchain", ARM.toolchain, "--with-libc"];
    prefix.own([&init[..], &adopt].concat()).success();
    // The links are not in PATH: those of the same directory are found all the same.
    prefix.set("t", prefix.join(bin).join(tuple));
    prefix.write("app.c", "int main(void) { return 0; }\n");
    prefix.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nenable_testing()\n\
         add_executable(app app.c)\nadd_test(NAME app COMMAND app)\n",
    );
    prefix.write(
        "meson.build",
        "project('app', 'c')\ntest('app', executable('app', 'app.c'))\n",
    );
    let script = "\"$t-cmake\" -B c; cmake --build c; cd c; ctest; cd ..; \"$t-meson\" setup m; meson test -C m";
    let said = prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(said.stdout.contains("100% tests passed"), "{}", said.stdout);
    assert!(
        said.stdout.contains("Ok:                 1"),
        "{}",
        said.stdout
    );
    // In a shell that cannot find them either, the environment leads to them.
    prefix.script("configure", "#!/bin/sh\n$CC $CFLAGS -o conftest app.c\n");
    let script = "\"$t-configure\"; rm conftest; eval \"$(crossmerge export \"${t##*/}\" env)\"; ./configure";
    prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(prefix.join("conftest").exists());
}

#[test]
fn a_sysroot_that_is_chosen_for_one_call_is_told_to_the_compiler() {
    let target = Target::new(&ARM);
    target.shell("cp -a $s other; mkdir lib; echo 'int f(void) { return 0; }' > f.c; $t-gcc -shared -fPIC f.c -o other/usr/lib/libf.so").success();
    target
        .prefix
        .write("app.c", "int f(void);\nint main(void) { return f(); }\n");
    target.prefix.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nadd_executable(app app.c)\ntarget_link_libraries(app f)\n",
    );
    target.prefix.write(
        "meson.build",
        "project('app', 'c')\nf = meson.get_compiler('c').find_library('f')\nexecutable('app', 'app.c', dependencies: f)\n",
    );
    // The build itself no longer has it in the environment.
    let script = "SYSROOT=$PWD/other $t-cmake -B c; cmake --build c; SYSROOT=$PWD/other $t-meson setup m; meson compile -C m";
    target.shell(script).success();
    target.is_for_target("c/app");
    target.is_for_target("m/app");
}

#[test]
fn a_runner_that_cargo_would_split_is_left_out_of_the_environment() {
    let prefix = fakes();
    let sysroot = prefix.join("a b");
    std::fs::create_dir(&sysroot).expect("a sysroot");
    let prefix = prefix.with("SYSROOT", sysroot);
    let said = prefix.own(["plan", ARM.tuple, "cargo", "run"]).success();
    assert!(said.stdout.contains("_LINKER=") && !said.stdout.contains("_RUNNER="));
    assert!(
        said.stderr.contains("splits its runner at spaces"),
        "{said:#?}"
    );
    let said = prefix.own(["export", ARM.tuple, "cargo"]).success();
    assert!(
        said.stdout.contains("runner = [") && said.stderr.is_empty(),
        "{said:#?}"
    );
}
