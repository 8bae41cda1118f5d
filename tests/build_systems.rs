//! The build systems: each builds real libraries that depend on each other, and QEMU runs the result. Other tests
//! check what the applets decide, and every mistake that a user can make.

mod build_settings;
mod chains;

use crate::support::{Output, Prefix, prepared, without_key};
use snapbox::{Data, assert_data_eq};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// A target, the prefix of Debian's toolchain for it, and the machine name that `readelf -h` prints.
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

/// A second target: big-endian and 64-bit.
pub(crate) const S390X: Machine = Machine {
    tuple: "s390x-ibm-linux-gnu",
    toolchain: "s390x-linux-gnu-",
    elf: "IBM S/390",
};

/// An initialised target, and the directory in which the tests build.
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

    /// Unpacks a library's own sources and returns the name of their directory.
    fn unpack(&self, archive: &str, name: &str) -> String {
        let script = format!(
            "mkdir -p {name} && tar -xf {} -C {name} --strip-components=1",
            prepared(&format!("chain/{archive}")).display()
        );
        self.shell(&script).success();
        name.into()
    }

    /// Unpacks zlib. Debian's archive omits the Windows files, and zlib's CMakeLists.txt names one of them.
    fn zlib(&self) -> String {
        self.prefix.write("zlib/win32/zlib1.rc", "");
        self.unpack("zlib-1.2.13.tar.bz2", "zlib")
    }

    /// Builds zlib into the sysroot with its hand-written configure script. The static library is replaced by an
    /// empty file, which is quicker, because no test links it.
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
    pub(crate) fn shell(&self, script: &str) -> Output {
        let prefix = self.prefix.with("t", self.machine.tuple);
        let prefix = prefix.with("s", &self.sysroot);
        prefix.command("/bin/sh", ["-exc", script])
    }

    /// Checks that a file is built for the target.
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

/// A prefix with none of the host's tools in PATH, and with stand-ins for them: a compiler whose programs only QEMU
/// can run, and build systems that print their arguments and environment.
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
            let output = export();
            assert_eq!(
                output.stdout,
                export().stdout,
                "the text is always the same"
            );
            let text = without_key(&output.stdout)
                .replace(&prefix.path().display().to_string(), "[PREFIX]");
            let golden = format!("tests/data/export/{}/{format}.txt", machine.tuple);
            assert_data_eq!(text, Data::read_from(golden.as_ref(), None).raw());
            // QEMU for s390x is missing. Only the formats that name an emulator print a note about it.
            let matters = ["cmake", "meson", "cargo", "json"].contains(&format);
            let note = "neither `qemu-s390x` nor `qemu-s390x-static` is in PATH";
            let is_missing = machine.tuple == S390X.tuple;
            assert_eq!(
                output.stderr.contains(note),
                matters && is_missing,
                "{format}: {}",
                output.stderr
            );
        }
    }
}

/// Returns the arguments that `<tuple>-<applet> args…` would run its tool with, and the whole plan.
fn planned(prefix: &Prefix, applet: &str, args: &[&str]) -> (Vec<String>, serde_json::Value) {
    let words = ["plan", "--json", ARM.tuple, applet];
    let output = prefix.own(words.iter().chain(args)).success();
    let mut plan: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let args = serde_json::from_value(plan["args"].take()).expect("text");
    (args, plan)
}

#[test]
fn options_are_added_to_calls_that_configure_unless_the_caller_sets_them() {
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
fn a_generated_file_exists_before_the_tool_starts_and_changes_only_with_its_text() {
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
    // The caller's flags reach the tool in another way, and must not get into the file that later builds read.
    prefix.with("CFLAGS", "-O3").run(&cmake, ["."]).success();
    assert_eq!(inode(), first);
    // Another sysroot gets a file of its own.
    let other = prefix.join("other");
    std::fs::create_dir(&other).expect("a sysroot");
    let output = prefix.with("SYSROOT", &other).run(&cmake, ["."]).success();
    assert!(
        output.stdout.contains(&format!("{}@", ARM.tuple)),
        "{}",
        output.stdout
    );
    assert_eq!(std::fs::read(&file).expect("the file"), text);
    // Pasting a printed plan into a shell creates the same file.
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
    // The state directory cannot be created where a file exists.
    std::fs::remove_dir_all(prefix.join("var")).expect("gone");
    prefix.write("var/lib", "");
    prefix
        .run(&cmake, ["."])
        .fails(125, "var/lib/crossmerge", "writable");
}

#[test]
fn export_replaces_only_files_of_the_same_format() {
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
fn a_value_that_a_build_system_cannot_express_is_an_error() {
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
    // A distribution's compiler has a name without the vendor.
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
    // Without a compiler, the format for Go turns cgo off.
    let riscv = "riscv64-unknown-linux-gnu";
    let output = export(riscv, "go").success().stdout;
    assert!(
        output.ends_with("GOOS=linux\nGOARCH=riscv64\nCGO_ENABLED=0\n"),
        "{output}"
    );
    // A path that a text file cannot contain.
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
        .fails(125, "a semicolon separates", "plain text");
    odd.own(["export", ARM.tuple, "meson"]).success();
    let sysroot = prefix.with("SYSROOT", "/");
    sysroot
        .own(["export", ARM.tuple, "cmake"])
        .fails(125, "own root", "unset SYSROOT");
}

#[test]
fn configure_finds_the_script_or_names_the_projects_build_system() {
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
    for (args, printed) in [
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
        assert_eq!(
            run(args).success().stdout,
            printed + &environment,
            "{args:?}"
        );
    }
    // Variables that the caller has set stay. Without a cross compiler nothing runs, because configure would use the
    // host's.
    let output = prefix
        .with("CFLAGS", "-Og")
        .with("CC", "mine")
        .run(&configure, ["-q"])
        .success();
    assert!(output.stdout.contains("mine -Og"), "{}", output.stdout);
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
    let script = ". ./env; printf %s \"$SDKTARGETSYSROOT\" > output; echo \"$PATH\"; . ./env; echo \"$PATH\"; echo \"$CC|$CROSS_COMPILE|$CFLAGS\"";
    let output = prefix
        .with("PATH", "/nowhere")
        .command("/bin/sh", ["-euc", script])
        .success();
    assert_eq!(
        std::fs::read(prefix.join("output")).expect("a file"),
        sysroot.as_os_str().as_bytes()
    );
    let (bin, t) = (prefix.join("bin"), ARM.tuple);
    let path = format!("{}:/nowhere\n", bin.display());
    assert_eq!(
        output.stdout,
        format!("{path}{path}{t}-gcc|{t}-|-O2 -pipe -march=armv5te\n")
    );
    // The caller's own flags are added to those of the target.
    let output = prefix
        .with("CFLAGS", "-Og")
        .own(["export", t, "env"])
        .success()
        .stdout;
    assert!(output.contains("export CFLAGS='-Og'\n"), "{output}");
}

#[test]
fn cargo_and_go_keep_the_callers_variables_and_those_of_the_build_machine() {
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
fn an_emulator_that_does_not_work_is_omitted() {
    let prefix = fakes();
    prefix.script("tools/qemu-arm", "#!/bin/sh\nexit 1\n");
    let emulator = |prefix: &Prefix| {
        let output = prefix.own(["export", ARM.tuple, "json"]).success();
        let facts: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
        (facts["emulator"].to_string(), output.stderr)
    };
    let (found, note) = emulator(&prefix);
    assert_eq!(found, "null");
    assert!(note.contains("do not run under `qemu-arm`"), "{note}");
    // The static QEMU is tried next.
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
    // A program that runs without an emulator needs none.
    let gcc = format!("bin/{}-gcc", ARM.tuple);
    prefix.script(
        &gcc,
        "#!/bin/sh\nprintf '#!/bin/sh\\nexit 42\\n' > $3; /bin/chmod +x $3\n",
    );
    assert_eq!(emulator(&prefix).0, "[]");
    let output = prefix.own(["export", ARM.tuple, "meson"]).success().stdout;
    assert!(
        output.contains("needs_exe_wrapper = false") && !output.contains("exe_wrapper = ["),
        "{output}"
    );
    prefix.script(&gcc, "#!/bin/sh\nexit 1\n");
    let (found, note) = emulator(&prefix);
    assert_eq!(found, "null");
    assert!(note.contains("does not make a program"), "{note}");
}

#[test]
fn a_distributions_compiler_suffices_without_symlinks() {
    let mut prefix = Prefix::new();
    // Without PORTAGE_OVERRIDE_EPREFIX the sysroot is Debian's own directory, /usr/arm-linux-gnueabi.
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
    let output = prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(
        output.stdout.contains("100% tests passed"),
        "{}",
        output.stdout
    );
}

#[test]
fn the_targets_make_conf_sets_the_flags() {
    let prefix = Prefix::with_portage();
    let init = ["init", ARM.tuple, "--toolchain", ARM.toolchain];
    prefix.own(init).success();
    prefix.append(
        &format!("usr/{}/etc/portage/make.conf", ARM.tuple),
        "\nCFLAGS=\"-O1\n  -mthumb-interwork -g\"\nLDFLAGS=\"-Wl,-O1\"\n",
    );
    // crossmerge reads the settings without starting Python.
    prefix.portageq("sys.exit(1)\n");
    let output = prefix.own(["export", ARM.tuple, "go"]).success().stdout;
    assert!(
        output.contains("CGO_CFLAGS=-O1 -mthumb-interwork -g\n"),
        "{output}"
    );
    assert!(output.contains("CGO_LDFLAGS=-Wl,-O1\n"), "{output}");
    let output = prefix.own(["export", ARM.tuple, "cmake"]).success().stdout;
    assert!(
        output.contains("CMAKE_C_FLAGS_INIT \"-mthumb-interwork\""),
        "{output}"
    );
}

#[test]
fn cmake_and_meson_accept_a_sysroot_with_special_characters() {
    let mut prefix = Prefix::new();
    let (sysroot, bin) = ("it's a $HOME", "it's a $bin");
    let tuple = ARM.tuple;
    let init = ["init", tuple, "--sysroot", sysroot, "--bindir", bin];
    let adopt = ["--toolchain", ARM.toolchain, "--with-libc"];
    prefix.own([&init[..], &adopt].concat()).success();
    // The symlinks are not in PATH. An applet finds those in its own directory.
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
    let output = prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(
        output.stdout.contains("100% tests passed"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("Ok:                 1"),
        "{}",
        output.stdout
    );
    // In a shell that does not find them in PATH either, the exported environment has their paths.
    prefix.script("configure", "#!/bin/sh\n$CC $CFLAGS -o conftest app.c\n");
    let script = "\"$t-configure\"; rm conftest; eval \"$(crossmerge export \"${t##*/}\" env)\"; ./configure";
    prefix.command("/bin/sh", ["-exc", script]).success();
    assert!(prefix.join("conftest").exists());
}

#[test]
fn a_sysroot_for_one_call_reaches_the_compiler() {
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
    // SYSROOT is set for the configuring call only, not for the build.
    let script = "SYSROOT=$PWD/other $t-cmake -B c; cmake --build c; SYSROOT=$PWD/other $t-meson setup m; meson compile -C m";
    target.shell(script).success();
    target.is_for_target("c/app");
    target.is_for_target("m/app");
}

#[test]
fn a_runner_with_spaces_is_omitted_from_cargos_environment() {
    let prefix = fakes();
    let sysroot = prefix.join("a b");
    std::fs::create_dir(&sysroot).expect("a sysroot");
    let prefix = prefix.with("SYSROOT", sysroot);
    let output = prefix.own(["plan", ARM.tuple, "cargo", "run"]).success();
    assert!(output.stdout.contains("_LINKER=") && !output.stdout.contains("_RUNNER="));
    assert!(
        output.stderr.contains("splits its runner at spaces"),
        "{output:#?}"
    );
    let output = prefix.own(["export", ARM.tuple, "cargo"]).success();
    assert!(
        output.stdout.contains("runner = [") && output.stderr.is_empty(),
        "{output:#?}"
    );
}
