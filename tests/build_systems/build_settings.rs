//! The settings that each build system gets, and which variables of the caller's environment may replace them.

use super::{ARM, S390X, fakes, planned};
use crate::support::Prefix;
use std::collections::BTreeMap;

/// The stand-ins of [`fakes`], and in GCC's own layout the files of a compiler for every language.
fn every_language() -> Prefix {
    let prefix = fakes();
    let tuple = ARM.tuple;
    for tool in [
        "gfortran",
        "gcc-ar",
        "gcc-ranlib",
        "ld",
        "nm",
        "objcopy",
        "objdump",
        "ranlib",
        "readelf",
        "addr2line",
        "windres",
        "dlltool",
    ] {
        prefix.script(&format!("bin/{tuple}-{tool}"), "#!/bin/sh\n");
    }
    for part in ["cc1", "cc1plus", "cc1obj", "cc1objplus", "f951"] {
        prefix.script(&format!("lib/gcc/{tuple}/12/{part}"), "#!/bin/sh\n");
    }
    prefix.write(&format!("{tuple}/include/c++/12/vector"), "");
    prefix.script("tools/rustc", "#!/bin/sh\n");
    prefix
}

fn export(prefix: &Prefix, format: &str) -> String {
    prefix.own(["export", ARM.tuple, format]).success().stdout
}

#[test]
fn cmake_gets_every_language_and_tool() {
    let prefix = every_language();
    let tuple = ARM.tuple;
    let text = export(&prefix, "cmake");
    let bin = prefix.join("bin").display().to_string();
    for (variable, tool) in [
        ("CMAKE_C_COMPILER", "gcc"),
        ("CMAKE_CXX_COMPILER", "g++"),
        ("CMAKE_ASM_COMPILER", "gcc"),
        ("CMAKE_Fortran_COMPILER", "gfortran"),
        ("CMAKE_OBJC_COMPILER", "gcc"),
        ("CMAKE_OBJCXX_COMPILER", "g++"),
        ("CMAKE_RC_COMPILER", "windres"),
        ("CMAKE_DLLTOOL", "dlltool"),
        ("CMAKE_ADDR2LINE", "addr2line"),
        ("CMAKE_C_COMPILER_AR", "gcc-ar"),
        ("CMAKE_Fortran_COMPILER_RANLIB", "gcc-ranlib"),
    ] {
        let line = format!("set({variable} \"{bin}/{tuple}-{tool}\")\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    for language in ["C", "CXX", "ASM", "Fortran", "OBJC", "OBJCXX"] {
        let line = format!("set(CMAKE_{language}_FLAGS_INIT \"-pipe -march=armv5te\")\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    // A tool that the target does not have gets a name that does not exist, so that CMake does not use the build
    // machine's tool.
    let bare = export(&fakes(), "cmake");
    for (variable, name) in [
        ("CMAKE_Fortran_COMPILER", "gfortran"),
        ("CMAKE_RC_COMPILER", "windres"),
        ("CMAKE_LINKER", "ld"),
        ("MPI_C_COMPILER", "mpicc"),
        ("wxWidgets_CONFIG_EXECUTABLE", "wx-config"),
    ] {
        let line = format!("set({variable} \"{tuple}-{name}\")\n");
        assert!(bare.contains(&line), "{line}{bare}");
    }
}

#[test]
fn objective_c_is_named_only_if_gcc_has_it() {
    let prefix = every_language();
    let part = prefix.join(format!("lib/gcc/{}/12/cc1obj", ARM.tuple));
    std::fs::remove_file(part).expect("gone");
    let text = export(&prefix, "cmake");
    let line = format!("set(CMAKE_OBJC_COMPILER \"{}-cc1obj\")\n", ARM.tuple);
    assert!(text.contains(&line), "{text}");
    let text = export(&prefix, "meson");
    assert!(
        !text.contains("\nobjc = ") && text.contains("\nobjcpp = "),
        "{text}"
    );
}

#[test]
fn meson_gets_every_language_and_no_program_of_the_build_machine() {
    let mut prefix = every_language();
    // Meson gets the sysroot's script, which prints the target's paths, and none of the build machine's scripts.
    prefix.script(
        &format!("usr/{}/usr/bin/sdl2-config", ARM.tuple),
        "#!/bin/sh\n",
    );
    prefix.script("tools/cups-config", "#!/bin/sh\n");
    prefix.put_first_in_path(&["tools"]);
    let text = export(&prefix, "meson");
    let (root, tuple) = (prefix.path().display().to_string(), ARM.tuple);
    for line in [
        format!("c = '{root}/bin/{tuple}-gcc'"),
        format!("objc = '{root}/bin/{tuple}-gcc'"),
        format!("objcpp = '{root}/bin/{tuple}-g++'"),
        format!("fortran = '{root}/bin/{tuple}-gfortran'"),
        format!("windres = '{root}/bin/{tuple}-windres'"),
        format!("rust = ['{root}/tools/rustc', '--target=armv5te-unknown-linux-gnueabi']"),
        format!("sdl2-config = '{root}/usr/{tuple}/usr/bin/sdl2-config'"),
        format!("cups-config = '{tuple}-cups-config'"),
        format!("llvm-config = '{tuple}-llvm-config'"),
        "fortran_args = ['-pipe', '-march=armv5te']".into(),
        "objc_link_args = ['-pipe', '-march=armv5te']".into(),
        format!("CMAKE_FIND_ROOT_PATH = '{root}/usr/{tuple}'"),
        "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY = 'ONLY'".into(),
        "kernel = 'linux'".into(),
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
}

#[test]
fn library_directories_of_every_layout_are_exported() {
    let prefix = fakes();
    let usr = format!("usr/{}/usr", ARM.tuple);
    // A Debian root has its libraries below the tuple without the vendor.
    prefix.write(&format!("{usr}/lib/armv5tel-linux-gnueabi/libx.so"), "");
    let text = export(&prefix, "cmake");
    assert!(
        text.contains("set(CMAKE_LIBRARY_ARCHITECTURE \"armv5tel-linux-gnueabi\")\n"),
        "{text}"
    );
    // A multilib Gentoo for RISC-V has its libraries below the name of the ABI.
    let prefix = prefix.with("LIBDIR_default", "lib64/lp64d");
    prefix.write(&format!("{usr}/lib64/lp64d/libx.so"), "");
    let text = export(&prefix, "cmake");
    assert!(
        text.contains("set(CMAKE_FIND_LIBRARY_CUSTOM_LIB_SUFFIX \"64/lp64d\")\n"),
        "{text}"
    );
    let text = export(&prefix, "meson");
    assert!(text.contains("/usr/lib64/lp64d/pkgconfig'"), "{text}");
}

#[test]
fn crates_with_their_own_search_get_the_paths() {
    let prefix = every_language();
    let root = prefix.path().display().to_string();
    prefix.write(&format!("usr/{}/usr/lib/python3.11/x", ARM.tuple), "");
    let sysroot = format!("{root}/usr/{}", ARM.tuple);
    std::fs::create_dir_all(format!("{sysroot}/usr/lib/pkgconfig")).expect("a directory");
    let (_, plan) = planned(&prefix, "cargo", &["build"]);
    let rust = "armv5te_unknown_linux_gnueabi";
    let nested = format!(
        "{root}/var/lib/crossmerge/{}/nested-toolchain.cmake",
        ARM.tuple
    );
    for (name, value) in [
        (
            format!("BINDGEN_EXTRA_CLANG_ARGS_{rust}"),
            format!(
                "--sysroot={sysroot} -cxx-isystem {root}/{}/include/c++/12",
                ARM.tuple
            ),
        ),
        (format!("CMAKE_TOOLCHAIN_FILE_{rust}"), nested),
        (format!("PKG_CONFIG_SYSROOT_DIR_{rust}"), sysroot.clone()),
        ("HOST_CC".into(), format!("{root}/tools/cc")),
        ("HOST_CFLAGS".into(), String::new()),
        (
            "PYO3_CROSS_LIB_DIR".into(),
            format!("{sysroot}/usr/lib/python3.11"),
        ),
        ("MPICC".into(), format!("{}-mpicc", ARM.tuple)),
    ] {
        assert_eq!(plan["env"][&name], value, "{name}: {plan:#}");
    }
    let text = export(&prefix, "cargo");
    assert!(
        text.contains(&format!("\nCMAKE_TOOLCHAIN_FILE_{rust} = ")),
        "{text}"
    );
    assert!(
        prefix
            .join(format!(
                "var/lib/crossmerge/{}/nested-toolchain.cmake",
                ARM.tuple
            ))
            .is_file(),
        "the exported file names it"
    );
}

/// The variables in the output of `env`.
fn variables(output: &str) -> BTreeMap<String, String> {
    let pairs = output.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_applet_env_and_the_exported_environment_agree() {
    let mut prefix = every_language();
    prefix.link(&format!("{}-env", ARM.tuple));
    prefix.put_first_in_path(&["bin", "tools"]);
    let run = prefix.run(&format!("{}-env", ARM.tuple), ["/usr/bin/env"]);
    let applet = variables(&run.success().stdout);
    let script = format!(
        "eval \"$({} export {} env)\"; exec /usr/bin/env",
        prefix.join("bin/crossmerge").display(),
        ARM.tuple
    );
    let run = prefix.command("/bin/sh", ["-ec", &script]);
    let mut exported = variables(&run.success().stdout);
    for shells in ["_", "PWD", "OLDPWD", "SHLVL", "PATH"] {
        exported.remove(shells);
    }
    let mut applet = applet;
    applet.remove("PATH");
    assert_eq!(applet, exported);
    for (name, value) in [
        ("CROSS_COMPILE", format!("{}-", ARM.tuple)),
        ("CFLAGS", "-O2 -pipe -march=armv5te".into()),
        ("FCFLAGS", "-O2 -pipe -march=armv5te".into()),
        ("AS", format!("{}-as", ARM.tuple)),
        ("WINDRES", format!("{}-windres", ARM.tuple)),
        ("CHOST", ARM.tuple.into()),
        ("CBUILD", "x86_64-pc-linux-gnu".into()),
    ] {
        if name == "AS" {
            assert!(!applet.contains_key(name), "there is no such tool here");
            continue;
        }
        assert_eq!(applet.get(name), Some(&value), "{name}");
    }
}

#[test]
fn another_targets_environment_does_not_apply() {
    let prefix = fakes();
    let (arm, s390x) = (ARM.tuple, S390X.tuple);
    let of = |tuple: &str| prefix.join(format!("usr/{tuple}")).display().to_string();
    let shell = prefix.with("CHOST", arm).with("SYSROOT", of(arm));
    let output = shell.own(["export", s390x, "cmake"]).success().stdout;
    assert!(
        output.contains(&of(s390x)) && !output.contains(&of(arm)),
        "{output}"
    );
    // A SYSROOT that belongs to no target is the user's own choice.
    let other = prefix.join("other");
    std::fs::create_dir(&other).expect("a directory");
    let output = shell
        .with("SYSROOT", &other)
        .own(["export", s390x, "cmake"])
        .success()
        .stdout;
    assert!(output.contains(&other.display().to_string()), "{output}");
}

#[test]
fn a_variable_that_builds_for_another_machine_is_an_error_and_others_are_noted() {
    let prefix = fakes();
    let tuple = ARM.tuple;
    prefix.script("configure", "#!/bin/sh\n# GNU Autoconf\necho \"$CC\"\n");
    prefix.script("tools/host-gcc", "#!/bin/sh\necho x86_64-pc-linux-gnu\n");
    prefix.script(
        "tools/other-gcc",
        "#!/bin/sh\necho armv5tel-other-linux-gnueabi\n",
    );
    for tool in ["host-pkg-config", "ccache", "ar"] {
        prefix.script(&format!("tools/{tool}"), "#!/bin/sh\n");
    }
    prefix.link(&format!("{tuple}-env"));
    let ours = format!("{tuple}-gcc");
    for (applet, name, value, refused, note) in [
        (
            "configure",
            "CC",
            "host-gcc",
            true,
            "which builds for `x86_64-pc-linux-gnu`",
        ),
        (
            "configure",
            "CC",
            "ccache host-gcc",
            true,
            "CC in the environment",
        ),
        (
            "configure",
            "CXX",
            "host-gcc",
            true,
            "CXX in the environment",
        ),
        ("configure", "FC", "host-gcc", true, "FC in the environment"),
        ("configure", "CC", "host-gcc -m32", false, "`host-gcc -m32`"),
        ("configure", "CC", "mine", false, "`mine`"),
        ("configure", "CC", "other-gcc", false, ""),
        ("configure", "CC", ours.as_str(), false, ""),
        ("configure", "AR", "ar", false, "AR in the environment"),
        ("configure", "AR", "llvm-ar", false, ""),
        (
            "configure",
            "PKG_CONFIG",
            "host-pkg-config",
            true,
            "build machine's libraries",
        ),
        (
            "configure",
            "CPATH",
            "/usr/include",
            false,
            "CPATH in the environment",
        ),
        ("configure", "LIBRARY_PATH", "/usr/lib", false, ""),
        ("configure", "CC", "", false, ""),
        (
            "env",
            "CROSS_COMPILE",
            "host-",
            true,
            "CROSS_COMPILE in the environment",
        ),
        ("env", "CROSS_COMPILE", "other-", false, ""),
        (
            "go",
            "GOARCH",
            "amd64",
            true,
            "GOARCH in the environment is `amd64`",
        ),
        ("go", "GOOS", "windows", true, "the target's is `linux`"),
        ("go", "GOARM", "7", false, ""),
        ("go", "CC", "host-gcc", true, "CC in the environment"),
        (
            "cargo",
            "CARGO_BUILD_TARGET",
            "x86_64-unknown-linux-gnu",
            true,
            "Cargo's name",
        ),
        (
            "cargo",
            "CARGO_BUILD_TARGET",
            "mine.json",
            false,
            "Cargo's name",
        ),
        ("cmake", "CC", "host-gcc", false, ""),
        ("meson", "PKG_CONFIG", "host-pkg-config", false, ""),
    ] {
        let run = prefix.with(name, value);
        let args = if applet == "env" {
            vec!["/bin/true"]
        } else {
            vec![]
        };
        let run = run.run(&format!("{tuple}-{applet}"), args);
        let row = format!("{name}={value} {applet}: {run:#?}");
        assert_eq!(run.code, Some(if refused { 125 } else { 0 }), "{row}");
        match note {
            "" => assert!(!run.stderr.contains(" in the environment"), "{row}"),
            note => assert!(run.stderr.contains(note), "{row}"),
        }
        if refused {
            assert!(
                run.stderr.contains(&format!("hint: `unset {name}`")),
                "{row}"
            );
        }
        // doctor checks the variables of the same list for every build system.
        let doctor = prefix.with(name, value).own(["doctor", tuple]).stdout;
        let is_reported = doctor.contains(&format!("{name} in the environment"));
        let is_read = !["cmake", "meson"].contains(&applet);
        assert_eq!(is_reported, !note.is_empty() || !is_read, "{row}\n{doctor}");
    }
}

#[test]
fn every_command_rejects_roots_that_are_relative_or_missing() {
    let prefix = fakes();
    let tuple = ARM.tuple;
    prefix.script("configure", "#!/bin/sh\n");
    prefix.link(&format!("{tuple}-env"));
    for (name, value, error) in [
        (
            "SYSROOT",
            "rel",
            "SYSROOT is `rel`, which is not an absolute path",
        ),
        ("SYSROOT", "/nonexist", "the sysroot `/nonexist`"),
        (
            "ROOT",
            "rel",
            "ROOT is `rel`, which is not an absolute path",
        ),
        ("PORTAGE_CONFIGROOT", "rel", "PORTAGE_CONFIGROOT is `rel`"),
        ("PORTAGE_CONFIGROOT", "/nonexist", "`/nonexist`"),
    ] {
        let hint = format!("unset {name}");
        let odd = prefix.with(name, value);
        for format in ["cmake", "meson", "cargo", "go", "env", "json"] {
            odd.own(["export", tuple, format]).fails(125, error, &hint);
        }
        for applet in ["cmake", "meson", "cargo", "go", "configure", "env"] {
            let applet = format!("{tuple}-{applet}");
            odd.run(&applet, ["/bin/true"]).fails(125, error, &hint);
        }
        let empty = prefix.with(name, "");
        let output = empty.own(["export", tuple, "cmake"]).success().stdout;
        assert_eq!(output, export(&prefix, "cmake"), "{name}= is {name} unset");
    }
    assert!(
        !prefix.join("var").exists(),
        "nothing is written on the way to a refusal"
    );
}

#[test]
fn a_failed_export_writes_nothing_and_a_successful_one_names_the_file() {
    let prefix = fakes();
    for format in ["env", "cargo", "cmake"] {
        let refused = prefix.own(["export", "hppa2.0-unknown-linux-gnu", format]);
        assert_eq!(refused.code, Some(125), "{refused:#?}");
        prefix.write("mine", "# mine\n");
        let refused = prefix.own(["export", ARM.tuple, format, "mine"]);
        assert_eq!(refused.code, Some(125), "{refused:#?}");
    }
    assert!(!prefix.join("var").exists(), "a refusal leaves nothing");
    let output = prefix
        .own(["export", ARM.tuple, "cmake", "new/x.cmake"])
        .success();
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("wrote `new/x.cmake`"), "{output:#?}");
}

#[test]
fn ccaches_key_depends_on_the_real_compiler_and_its_options() {
    let prefix = every_language();
    let tuple = ARM.tuple;
    prefix.write(
        &format!("etc/crossmerge/targets/{tuple}.toml"),
        &format!(
            "[toolchain]\nkind = \"gnu\"\nprefix = \"{}-\"\n",
            prefix.join(format!("bin/{tuple}")).display()
        ),
    );
    let key = || {
        let (_, plan) = planned(&prefix, "cmake", &["."]);
        plan["env"]["CCACHE_COMPILERCHECK"]
            .as_str()
            .expect("a key")
            .to_owned()
    };
    let first = key();
    assert!(first.starts_with("string:") && first.len() == 39, "{first}");
    assert_eq!(first, key(), "nothing changed");
    for applet in ["meson", "cargo", "go"] {
        let (_, plan) = planned(&prefix, applet, &["build"]);
        assert_eq!(plan["env"]["CCACHE_COMPILERCHECK"], first, "{applet}");
    }
    let text = prefix.own(["export", tuple, "env"]).success().stdout;
    assert!(
        text.contains(&format!("CCACHE_COMPILERCHECK='{first}'")),
        "{text}"
    );
    let mut seen = vec![first];
    let mut differs = |what: &str| {
        let key = key();
        assert!(!seen.contains(&key), "{what} changed, and the key did not");
        seen.push(key);
    };
    // The compiler is upgraded in place.
    prefix.script(&format!("bin/{tuple}-gcc"), "#!/bin/sh\n# another\n");
    differs("the driver");
    // Debian packages the compiler proper separately from the driver.
    prefix.script(&format!("lib/gcc/{tuple}/12/cc1"), "#!/bin/sh\n# another\n");
    differs("cc1");
    prefix.script(
        &format!("lib/gcc/{tuple}/12/cc1plus"),
        "#!/bin/sh\n# another\n",
    );
    differs("cc1plus");
    prefix.script(&format!("bin/{tuple}-as"), "#!/bin/sh\n# another\n");
    differs("the assembler");
    // ccache uses the same key for the build machine's compiler, which builds the tools that run during the build.
    prefix.script(
        "tools/cc",
        "#!/bin/sh\n# another\necho x86_64-pc-linux-gnu\n",
    );
    differs("the build machine's compiler");
    prefix.append(
        &format!("etc/crossmerge/targets/{tuple}.toml"),
        "options = [\"-marm\"]\n",
    );
    differs("an option");
    // A value that the user has set stays.
    let mine = prefix.with("CCACHE_COMPILERCHECK", "content");
    let (_, plan) = planned(&mine, "cmake", &["."]);
    assert!(
        plan["env"].get("CCACHE_COMPILERCHECK").is_none(),
        "{plan:#}"
    );
}
