//! `crossmerge profile` and `init --profile`, with profiles like Gentoo's. The real Portage reads the result.

use crate::support::Prefix;

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// Profiles in their own repository: name, ARCH, CHOST, ELIBC, status.
const PROFILES: [(&str, &str, &str, &str, &str); 7] = [
    (
        "default/linux/arm/17.0/armv4",
        "arm",
        TUPLE,
        "glibc",
        "stable",
    ),
    ("default/linux/arm/23.0/armv4", "arm", TUPLE, "glibc", "dev"),
    (
        "default/linux/arm/23.0/armv4/desktop",
        "arm",
        TUPLE,
        "glibc",
        "dev",
    ),
    (
        "default/linux/arm/23.0/armv7a_hf",
        "arm",
        "armv7a-unknown-linux-gnueabihf",
        "glibc",
        "stable",
    ),
    (
        "default/linux/arm/23.0/split-usr/armv4",
        "arm",
        TUPLE,
        "glibc",
        "dev",
    ),
    (
        "default/linux/arm/23.0/musl",
        "arm",
        "armv4tl-softfloat-linux-musleabi",
        "musl",
        "exp",
    ),
    (
        "default/linux/arm64/23.0",
        "arm64",
        "aarch64-unknown-linux-gnu",
        "glibc",
        "stable",
    ),
];

fn prefix() -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.overlay("g");
    prefix.write(
        "overlays/g/metadata/layout.conf",
        "masters = crossmerge-demo\nprofile-formats = portage-2\n",
    );
    let mut desc = String::from("# arch  path  status\n");
    for (name, arch, chost, elibc, status) in PROFILES {
        let directory = format!("overlays/g/profiles/{name}");
        prefix.write(&format!("{directory}/parent"), "crossmerge-demo:base\n");
        prefix.write(&format!("{directory}/eapi"), "8\n");
        let defaults = format!("ARCH=\"{arch}\"\nCHOST=\"{chost}\"\nELIBC=\"-glibc {elibc}\"\n");
        prefix.write(&format!("{directory}/make.defaults"), &defaults);
        desc += &format!("{arch}\t{name}\t{status}  # a comment\n");
    }
    prefix.write("overlays/g/profiles/profiles.desc", &desc);
    prefix
}

fn etc(path: &str) -> String {
    format!("usr/{TUPLE}/etc/portage/{path}")
}

fn portageq(prefix: &Prefix, name: &str) -> String {
    let output = prefix.run(&format!("{TUPLE}-portageq"), ["envvar", name]);
    output.success().stdout.trim().to_owned()
}

#[test]
fn list_shows_the_profiles_of_the_arch_and_libc() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let listed = prefix.own(["profile", "list", TUPLE]).success().stdout;
    assert_eq!(
        listed,
        "  [1]  g:default/linux/arm/17.0/armv4 (stable)\n\
         \x20 [2]  g:default/linux/arm/23.0/armv4 (dev)\n\
         \x20 [3]  g:default/linux/arm/23.0/armv4/desktop (dev)\n\
         \x20 [4]  g:default/linux/arm/23.0/armv7a_hf (stable)\n\
         \x20 [5]  g:default/linux/arm/23.0/split-usr/armv4 (dev)\n\
         \x20 [6]  embedded (-) *\n"
    );
}

#[test]
fn a_profile_that_portage_ignores_is_an_error_with_the_reason() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let parent = "overlays/g/profiles/default/linux/arm/23.0/armv4/parent";
    prefix.write(parent, "nowhere:base\n");
    let output = prefix.own(["profile", "list", TUPLE]).success();
    let why = format!(
        "crossmerge: the profile `g:default/linux/arm/23.0/armv4` is omitted: `{}`: `nowhere:base` does not exist, so Portage ignores the profile\n",
        prefix.join(parent).display()
    );
    assert_eq!(output.stderr, why);
    assert!(!output.stdout.contains("23.0/armv4 "), "{output:#?}");
    assert!(output.stdout.contains("embedded"), "{output:#?}");
}

#[test]
fn set_links_a_profile_and_omits_overrides_that_it_contains() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let overrides = prefix.read(&etc("profile/make.defaults"));
    assert!(overrides.contains("ARCH=\"arm\"") && overrides.contains("ELIBC=\"glibc\""));

    prefix
        .own(["profile", "set", TUPLE, "g:default/linux/arm/23.0/armv4"])
        .success();
    let directory = prefix.join("overlays/g/profiles/default/linux/arm/23.0/armv4");
    assert_eq!(prefix.read_link(&etc("make.profile")), directory);
    for name in ["profile/make.defaults", "profile/use.force"] {
        let text = prefix.read(&etc(name));
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }
    assert_eq!(
        (
            portageq(&prefix, "ARCH"),
            portageq(&prefix, "ELIBC"),
            portageq(&prefix, "KERNEL")
        ),
        ("arm".into(), "glibc".into(), "linux".into())
    );
    let shown = prefix.own(["profile", "show", TUPLE]).success().stdout;
    for line in [
        "profile  g:default/linux/arm/23.0/armv4",
        "status   dev",
        "arch     arm",
        "elibc    glibc",
        &format!("chost    {TUPLE}"),
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "no {line:?} in {shown}"
        );
    }
    // A plain `init` keeps the profile. A number selects another one. The profile embedded needs the overrides again.
    assert!(
        prefix
            .own(["init", TUPLE])
            .success()
            .stderr
            .contains("nothing to do")
    );
    prefix.own(["profile", "set", TUPLE, "1"]).success();
    assert!(
        prefix
            .read_link(&etc("make.profile"))
            .ends_with("17.0/armv4")
    );
    prefix.own(["profile", "set", TUPLE, "embedded"]).success();
    assert_eq!(prefix.read(&etc("profile/make.defaults")), overrides);

    for wrong in ["g:nowhere", "0", "99", "-1x"] {
        let output = prefix.own(["profile", "set", "--", TUPLE, wrong]);
        output.fails(125, "is not a profile", "crossmerge profile list");
    }
    prefix.own(["profile", "set", "avr", "embedded"]).fails(
        125,
        "does not exist",
        "crossmerge init avr",
    );
    // An edited override stays.
    prefix.append(&etc("profile/make.defaults"), "# mine\n");
    prefix.own(["profile", "set", TUPLE, "2"]).success();
    assert!(
        prefix
            .read(&etc("profile/make.defaults"))
            .ends_with("# mine\n")
    );
    assert!(prefix.join(etc("profile/._cfg0000_make.defaults")).exists());
}

#[test]
fn auto_selects_the_best_fitting_profile_and_names_it() {
    let prefix = prefix();
    let output = prefix
        .own(["init", TUPLE, "--profile", "auto"])
        .success()
        .stderr;
    assert!(
        output.contains("profile g:default/linux/arm/23.0/armv4 (dev)")
            && output.contains("profile set"),
        "{output}"
    );
    assert_eq!(portageq(&prefix, "ARCH"), "arm");

    let hard = "armv7a-unknown-linux-gnueabihf";
    let output = prefix
        .own(["init", hard, "--profile", "auto"])
        .success()
        .stderr;
    assert!(output.contains("23.0/armv7a_hf (stable)"), "{output}");
    let musl = "armv4tl-softfloat-linux-musleabi";
    let output = prefix
        .own(["init", musl, "--profile", "auto"])
        .success()
        .stderr;
    assert!(output.contains("23.0/musl (exp)"), "{output}");
    // A sysroot whose /lib is a separate directory has no merged /usr.
    prefix.own(["remove", TUPLE]).success();
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}/lib"))).expect("a directory");
    let output = prefix
        .own(["init", TUPLE, "--profile", "auto"])
        .success()
        .stderr;
    assert!(output.contains("23.0/split-usr/armv4 (dev)"), "{output}");
    // No profile fits, so `init` uses embedded.
    let output = prefix
        .own(["init", "s390x-ibm-linux-gnu", "--profile", "auto"])
        .success()
        .stderr;
    assert!(output.contains("profile embedded"), "{output}");
    assert!(
        prefix
            .read("usr/s390x-ibm-linux-gnu/etc/portage/profile/make.defaults")
            .contains("ARCH=\"s390\"")
    );
}

#[test]
fn a_sysroot_that_crossmerge_did_not_make_gets_only_the_profile_symlink() {
    let prefix = prefix();
    prefix.write(&etc("make.conf"), &format!("CHOST={TUPLE}\n"));
    prefix
        .own(["profile", "set", TUPLE, "g:default/linux/arm/23.0/armv4"])
        .success();
    assert!(
        prefix
            .read_link(&etc("make.profile"))
            .ends_with("23.0/armv4")
    );
    assert_eq!(prefix.read(&etc("make.conf")), format!("CHOST={TUPLE}\n"));
    assert!(!prefix.join(etc("profile")).exists());
}

#[test]
fn a_missing_profile_is_an_error_with_the_command_that_sets_one() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    std::fs::remove_file(prefix.join(etc("make.profile"))).expect("gone");
    prefix.own(["profile", "show", TUPLE]).fails(
        125,
        "has no profile",
        &format!("crossmerge profile set {TUPLE} auto"),
    );
    let bare = Prefix::new();
    bare.own(["profile", "list", TUPLE]).fails(
        125,
        "Portage is not installed on the host",
        "chapter 3 of the guide",
    );
    bare.own(["init", TUPLE, "--profile", "nosuch"]).fails(
        125,
        "Portage is not installed on the host",
        "chapter 3 of the guide",
    );
    assert!(!bare.join("usr").exists(), "something was made");
    bare.own(["init", TUPLE]).success();
    bare.own(["profile", "set", TUPLE, "nosuch"]).fails(
        125,
        "Portage is not installed on the host",
        "chapter 3 of the guide",
    );
}

#[test]
fn a_profile_that_is_a_directory_is_not_replaced() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    std::fs::remove_file(prefix.join(etc("make.profile"))).expect("gone");
    prefix.write(&etc("make.profile/parent"), "crossmerge-demo:embedded\n");
    prefix.write(&etc("make.profile/make.defaults"), "ARCH=\"arm\"\n");
    let before = crate::init::tree(&prefix.path());
    prefix
        .own(["profile", "set", TUPLE, "1"])
        .fails(125, "make.profile` is a directory", "mv ");
    assert_eq!(before.len(), crate::init::tree(&prefix.path()).len());
    prefix.own(["init", TUPLE]).success();
    assert!(prefix.join(etc("make.profile/parent")).is_file());
}

/// Adds a profile of an ABI to the repository `g`.
fn add_abi(prefix: &Prefix, name: &str, arch: &str, chost: &str, abi: &str, settings: &str) {
    let directory = format!("overlays/g/profiles/{name}");
    prefix.write(&format!("{directory}/parent"), "crossmerge-demo:base\n");
    prefix.write(&format!("{directory}/eapi"), "8\n");
    let defaults = format!(
        "ARCH=\"{arch}\"\nCHOST=\"{chost}\"\nELIBC=\"glibc\"\nABI=\"{abi}\"\nDEFAULT_ABI=\"{abi}\"\nMULTILIB_ABIS=\"{abi}\"\n{settings}"
    );
    prefix.write(&format!("{directory}/make.defaults"), &defaults);
    prefix.append(
        "overlays/g/profiles/profiles.desc",
        &format!("{arch}\t{name}\tstable\n"),
    );
}

#[test]
fn a_merged_profile_lays_out_the_sysroot_and_a_split_one_is_an_error() {
    let prefix = prefix();
    prefix
        .own(["init", TUPLE, "--profile", "g:default/linux/arm/23.0/armv4"])
        .success();
    let root = format!("usr/{TUPLE}");
    for (link, to) in [
        ("bin", "usr/bin"),
        ("sbin", "usr/bin"),
        ("usr/sbin", "bin"),
        ("lib", "usr/lib"),
    ] {
        assert_eq!(
            prefix.read_link(&format!("{root}/{link}")),
            std::path::Path::new(to),
            "{link}"
        );
        assert!(prefix.join(format!("{root}/{link}")).is_dir(), "{link}");
    }
    let split = "g:default/linux/arm/23.0/split-usr/armv4";
    prefix.own(["profile", "set", TUPLE, split]).fails(
        125,
        "expects split-usr",
        &format!("crossmerge profile set {TUPLE} auto"),
    );
    assert!(
        prefix
            .read_link(&etc("make.profile"))
            .ends_with("23.0/armv4")
    );
    let output = prefix.own(["init", TUPLE]).success().stderr;
    assert!(output.contains("nothing to do"), "{output}");
    prefix.own(["remove", TUPLE]).success();
    assert!(!prefix.join(&root).exists(), "something is left");

    // The other way round: the directory exists before the profile is chosen.
    std::fs::create_dir_all(prefix.join(format!("{root}/bin"))).expect("a directory");
    let merged = "g:default/linux/arm/23.0/armv4";
    prefix.own(["init", TUPLE, "--profile", merged]).fails(
        125,
        "expects merged-usr",
        &format!("crossmerge profile set {TUPLE} auto"),
    );
    prefix.own(["init", TUPLE, "--profile", split]).success();
    assert!(!prefix.join(format!("{root}/bin")).is_symlink());
}

#[test]
fn libraries_are_found_in_the_profiles_directory_and_no_program_of_the_sysroot_runs() {
    let tuple = "aarch64-board-linux-gnu";
    let prefix = prefix();
    let chost = "aarch64-unknown-linux-gnu";
    for (name, libdir) in [("a64", "lib64"), ("other", "libother")] {
        let settings = format!("LIBDIR_arm64=\"{libdir}\"\nCFLAGS_arm64=\"\"\n");
        add_abi(&prefix, name, "arm64", chost, "arm64", &settings);
    }
    let tools = "aarch64-linux-gnu-";
    prefix
        .own([
            "init",
            tuple,
            "--toolchain",
            tools,
            "--with-libc",
            "--profile",
            "g:a64",
        ])
        .success();
    let root = prefix.join(format!("usr/{tuple}"));
    let record = format!("etc/crossmerge/targets/{tuple}.toml");
    assert!(
        !prefix.read(&record).contains("-B"),
        "{}",
        prefix.read(&record)
    );
    prefix.write("f.c", "int f(void) { return 42; }\n");
    prefix.write("g.c", "int f(void);\nint g(void) { return f(); }\n");
    prefix.write(
        "main.c",
        "int g(void);\nint main(void) { return g() != 42; }\n",
    );
    let gcc = format!("{tuple}-gcc");
    let build = |libdir: &str| {
        std::fs::create_dir_all(root.join("usr").join(libdir)).expect("a directory");
        for (name, needs) in [("f", None), ("g", Some("-lf"))] {
            let out = root.join(format!("usr/{libdir}/lib{name}.so"));
            let (out, soname) = (
                out.display().to_string(),
                format!("-Wl,-soname,lib{name}.so"),
            );
            let source = format!("{name}.c");
            let mut args = vec!["-shared", "-fPIC", &*soname, &*source, "-o", &*out];
            args.extend(needs);
            prefix.run(&gcc, args).success();
        }
        // libg needs libf, which the command line does not name.
        let linked = prefix.run(&gcc, ["main.c", "-lg", "-o", "main", "-Wl,--trace"]);
        let library = root.join(format!("usr/{libdir}/libg.so"));
        let library = library.display().to_string();
        let trace = linked.success().stdout;
        assert!(trace.contains(&library), "no {library} in {trace}");
        // Debian's dynamic linker searches only `lib`. The caller's own path comes first.
        let run = format!("{tuple}-run");
        prefix.run(&run, ["./main"]).success();
        let caller = prefix.with("LD_LIBRARY_PATH", "/opt/theirs");
        let plan = caller.own(["plan", tuple, "run", "./main"]).success();
        let path = format!(
            "-E 'LD_LIBRARY_PATH=/opt/theirs:{}/usr/{libdir}",
            root.display()
        );
        assert!(plan.stdout.contains(&path), "no {path} in {plan:#?}");
        // A native program would load the sysroot's libraries, so its search path has only the caller's directories.
        prefix.script(
            "native",
            "#!/bin/sh\necho \"[$LD_LIBRARY_PATH][$QEMU_SET_ENV]\"\n",
        );
        let output = caller.run(&run, ["./native"]).success().stdout;
        assert_eq!(output, "[/opt/theirs][]\n");
    };
    build("lib64");
    for file in ["crt1.o", "libc.so"] {
        let asked = format!("-print-file-name={file}");
        let output = prefix.run(&gcc, [asked]).success().stdout;
        let found = std::fs::canonicalize(output.trim()).expect(file);
        assert!(found.starts_with(&root), "{file}: {}", found.display());
    }
    // The caller's own directory comes first. `-v` alone links nothing.
    prefix.write("own.c", "int g(void) { return 42; }\n");
    prefix
        .run(&gcc, ["-shared", "-fPIC", "own.c", "-o", "libg.so"])
        .success();
    let args = ["main.c", "-L.", "-lg", "-o", "main", "-Wl,--trace"];
    let trace = prefix.run(&gcc, args).success().stdout;
    assert!(trace.lines().any(|line| line == "./libg.so"), "{trace}");
    prefix.run(&gcc, ["-v"]).success();
    prefix.run(&gcc, ["-c", "main.c"]).success();
    let ld = format!("{tuple}-ld");
    std::fs::remove_file(prefix.join("libg.so")).expect("gone");
    prefix
        .run(&ld, ["-shared", "main.o", "-lg", "-o", "l.so"])
        .success();

    // After a change of the profile, the compiler searches the new directory.
    std::fs::remove_dir_all(root.join("usr/lib64")).expect("gone");
    prefix.own(["profile", "set", tuple, "g:other"]).success();
    build("libother");

    // An option that an earlier release recorded has no effect, and the next `init` removes it.
    prefix.append(&record, "options = [\"-B{sysroot}/usr/lib\"] # mine\n");
    for name in ["as", "ld", "cc1", "collect2"] {
        let script = format!("usr/{tuple}/usr/lib/{name}");
        let ran = prefix.join("ran");
        prefix.script(
            &script,
            &format!("#!/bin/sh\necho {name} >>{}\nexit 1\n", ran.display()),
        );
    }
    prefix.run(&gcc, ["main.c", "-lg", "-o", "main"]).success();
    let output = prefix.own(["doctor", tuple]).stdout;
    assert!(output.contains("an earlier release recorded"), "{output}");
    assert!(!prefix.join("ran").exists(), "{}", prefix.read("ran"));
    prefix.own(["init", tuple]).success();
    assert!(
        !prefix.read(&record).contains("-B{"),
        "{}",
        prefix.read(&record)
    );
    let output = prefix.own(["doctor", "--verbose", tuple]).stdout;
    for check in ["ok       layout", "ok       libraries"] {
        assert!(output.contains(check), "no {check} in {output}");
    }
}

/// An ebuild of a library with a `.pc` file, in the directory of the profile.
const LIBRARY: &str = "EAPI=8\nDESCRIPTION=\"x\"\nSLOT=0\nKEYWORDS=\"arm64 riscv\"\nS=\"${WORKDIR}\"\n\
     src_compile() {\n\techo 'int f(void) { return 42; }' | ${CHOST}-gcc -shared -fPIC -x c - -o libfoo.so || die\n\
     \tprintf '%s\\n' 'Name: foo' 'Description: x' 'Version: 1' 'Cflags: -DFOO' \"Libs: -L/usr/$(get_libdir) -lfoo\" > foo.pc || die\n}\n\
     src_install() {\n\tdolib.so libfoo.so\n\tinsinto /usr/$(get_libdir)/pkgconfig\n\tdoins foo.pc\n}\n";

#[test]
fn a_library_merged_into_the_profiles_directory_is_found_by_compiler_pkg_config_and_cmake() {
    for (cpu, arch, abi, libdir) in [
        ("aarch64", "arm64", "arm64", "lib64"),
        ("riscv64", "riscv", "lp64d", "lib64/lp64d"),
    ] {
        let prefix = prefix();
        let tuple = format!("{cpu}-board-linux-gnu");
        let chost = format!("{cpu}-unknown-linux-gnu");
        let settings = format!("LIBDIR_{abi}=\"{libdir}\"\n");
        add_abi(&prefix, "real", arch, &chost, abi, &settings);
        prefix.write("overlays/g/profiles/categories", "app-misc\n");
        prefix.append("overlays/g/metadata/layout.conf", "use-manifests = false\n");
        prefix.write("overlays/g/app-misc/foo/foo-1.ebuild", LIBRARY);
        let tools = format!("{cpu}-linux-gnu-");
        let init = [
            "init",
            &tuple,
            "--toolchain",
            &tools,
            "--with-libc",
            "--profile",
            "g:real",
        ];
        // The packages of the libc are not tested here.
        prefix.script("tools/emerge", "#!/bin/sh\nexit 1\n");
        prefix.own(init).success();
        std::fs::remove_file(prefix.join("tools/emerge")).expect("gone");
        let emerge = format!("{tuple}-emerge");
        prefix.run(&emerge, ["--oneshot", "app-misc/foo"]).success();
        let library = prefix.join(format!("usr/{tuple}/usr/{libdir}/libfoo.so"));
        assert!(library.exists(), "{}", library.display());

        prefix.write(
            "main.c",
            "int f(void);\nint main(void) { return f() != 42; }\n",
        );
        let gcc = format!("{tuple}-gcc");
        prefix
            .run(&gcc, ["main.c", "-lfoo", "-o", "main"])
            .success();
        prefix.run(&format!("{tuple}-run"), ["./main"]).success();
        let pkg_config = format!("{tuple}-pkg-config");
        let output = prefix.run(&pkg_config, ["--cflags", "--libs", "foo"]);
        let flags = output.success().stdout;
        assert!(
            flags.contains("-DFOO") && flags.contains("-lfoo"),
            "{flags}"
        );
        prefix.write(
            "CMakeLists.txt",
            "cmake_minimum_required(VERSION 3.20)\nproject(x C)\nfind_library(FOO foo REQUIRED)\n\
             add_executable(x main.c)\ntarget_link_libraries(x ${FOO})\n",
        );
        let cmake = format!("{tuple}-cmake");
        prefix.run(&cmake, ["-S", ".", "-B", "build"]).success();
        prefix.run(&cmake, ["--build", "build"]).success();
        let cache = prefix.read("build/CMakeCache.txt");
        let found = format!("FOO:FILEPATH={}", library.display());
        assert!(cache.contains(&found), "no {found} in {cache}");
        let output = prefix.own(["doctor", "--verbose", &tuple]).stdout;
        assert!(output.contains("ok       libraries"), "{output}");
    }
}

#[test]
fn a_profile_of_another_abi_is_neither_chosen_nor_accepted() {
    let tuple = "riscv64-board-linux-gnu";
    let chost = "riscv64-unknown-linux-gnu";
    let prefix = prefix();
    for abi in ["lp64", "lp64d"] {
        let settings = format!("LIBDIR_{abi}=\"lib64\"\nCFLAGS_{abi}=\"-mabi={abi}\"\n");
        add_abi(
            &prefix,
            &format!("rv64/{abi}"),
            "riscv",
            chost,
            abi,
            &settings,
        );
    }
    // Without a compiler the tuple decides, and crossmerge prints a note about the other profile.
    let without = ["init", tuple, "--toolchain", "none", "--profile", "auto"];
    let output = prefix.own(without).success();
    assert!(
        output.stderr.contains("profile g:rv64/lp64d "),
        "{output:#?}"
    );
    let output = prefix
        .own(["profile", "set", tuple, "g:rv64/lp64"])
        .success();
    assert!(
        output.stderr.contains("usually means `-mabi=lp64d`"),
        "{output:#?}"
    );
    let adopt = [
        "init",
        tuple,
        "--toolchain",
        "riscv64-linux-gnu-",
        "--with-libc",
    ];
    prefix.own(adopt).success();
    let output = prefix.own(["doctor", tuple]).stdout;
    assert!(output.contains("error    abi"), "{output}");
    let output = prefix.own(["profile", "set", tuple, "auto"]).success();
    assert!(
        output.stderr.contains("profile g:rv64/lp64d "),
        "{output:#?}"
    );
    prefix.own(["profile", "set", tuple, "g:rv64/lp64"]).fails(
        125,
        "compiles with `-mabi=lp64`",
        &format!("crossmerge profile set {tuple} auto"),
    );
    let output = prefix.own(["doctor", "--verbose", tuple]).stdout;
    assert!(output.contains("ok       abi"), "{output}");
}
