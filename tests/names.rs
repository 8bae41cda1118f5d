//! The names under which crossmerge is called, the arguments that reach the real tool, and the errors.

use crate::support::{Output, Prefix};
use std::{
    ffi::{OsStr, OsString},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// A prefix with an empty sysroot and no Portage. Its stand-in for a tool prints its arguments and its CHOST.
fn prefix_with_tool(name: &str) -> Prefix {
    let prefix = Prefix::new();
    prefix.link(&format!("{TUPLE}-{name}"));
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    prefix.script(
        &format!("tools/{name}"),
        "#!/bin/sh\nfor arg; do printf '%s\\0' \"$arg\"; done\nprintf 'CHOST=%s' \"$CHOST\" >&2\n",
    );
    prefix
}

#[test]
fn arguments_reach_the_tool_byte_for_byte() {
    let prefix = prefix_with_tool("emerge");
    let args = [
        OsString::from("a b"),
        OsStr::from_bytes(b"\xff\xfe/\x01").to_owned(),
        "it's \"quoted\" $HOME `x` \\".into(),
        "two\nlines\n".into(),
        "".into(),
        "--".into(),
        "--root-deps=x".into(),
    ];
    let output = prefix.run_bytes(&format!("{TUPLE}-emerge"), &args);
    let mut wanted = b"--root-deps=rdeps\0".to_vec();
    for arg in &args {
        wanted.extend_from_slice(arg.as_bytes());
        wanted.push(0);
    }
    assert_eq!(output, wanted);
}

#[test]
fn the_default_root_deps_is_omitted_if_the_caller_sets_it() {
    let prefix = prefix_with_tool("emerge");
    let emerge = |args: &[&str]| {
        prefix
            .run(&format!("{TUPLE}-emerge"), args)
            .success()
            .stdout
    };
    assert_eq!(emerge(&["-p", "x"]), "--root-deps=rdeps\0-p\0x\0");
    assert_eq!(emerge(&["--root-deps", "x"]), "--root-deps\0x\0");
    assert_eq!(emerge(&["x", "--root-deps=True"]), "x\0--root-deps=True\0");
    assert_eq!(
        emerge(&["--root-depsx"]),
        "--root-deps=rdeps\0--root-depsx\0"
    );
    let from_variable = prefix
        .with("EMERGE_DEFAULT_OPTS", "-v --root-deps")
        .run(&format!("{TUPLE}-emerge"), ["x"]);
    assert_eq!(from_variable.success().stdout, "x\0");
}

#[test]
fn the_command_of_the_environment_overrides_the_targets_and_the_global_one() {
    let prefix = prefix_with_tool("emerge");
    let name = format!("{TUPLE}-emerge");
    prefix.script("tools/other", "#!/bin/sh\nprintf '%s|' \"$@\"\n");
    prefix.write(
        "etc/crossmerge/crossmerge.toml",
        "[commands]\nemerge = \"other everyone\"\n",
    );
    assert_eq!(prefix.run(&name, ["x"]).success().stdout, "everyone|x|");
    prefix.write(
        &format!("etc/crossmerge/targets/{TUPLE}.toml"),
        "[commands]\nemerge = \"other 'this target'\"\n",
    );
    assert_eq!(prefix.run(&name, ["x"]).success().stdout, "this target|x|");
    let overridden = prefix.with("CROSS_CMD", "other --from=environment");
    assert_eq!(
        overridden.run(&name, ["x"]).success().stdout,
        "--from=environment|x|"
    );
    let empty = prefix.with("CROSS_CMD", "");
    assert_eq!(empty.run(&name, ["x"]).success().stdout, "this target|x|");
}

#[test]
fn every_form_of_the_name_builds_for_its_tuple() {
    let prefix = prefix_with_tool("emerge");
    for name in [&format!("emerge-{TUPLE}"), "cross-emerge", "emerge-wrapper"] {
        prefix.link(name);
    }
    let builds = |output: Output| output.success().stderr;
    let chost = format!("CHOST={TUPLE}");
    assert_eq!(builds(prefix.run(&format!("{TUPLE}-emerge"), ["x"])), chost);
    assert_eq!(builds(prefix.run(&format!("emerge-{TUPLE}"), ["x"])), chost);
    assert_eq!(
        builds(prefix.with("CHOST", TUPLE).run("cross-emerge", ["x"])),
        chost
    );
    assert_eq!(
        builds(prefix.run("emerge-wrapper", ["--target", TUPLE, "x"])),
        chost
    );
    // The option overrides the environment, as with crossdev's emerge-wrapper.
    assert_eq!(
        builds(
            prefix
                .with("CHOST", "avr")
                .run("emerge-wrapper", ["--target", TUPLE, "x"])
        ),
        chost
    );
    // The environment overrides the name, as with crossdev's cross-emerge. crossmerge prints a note about it.
    prefix.link("avr-emerge");
    let output = builds(prefix.with("CHOST", TUPLE).run("avr-emerge", ["x"]));
    assert!(
        output.contains("overrides the command's name") && output.ends_with(&chost),
        "{output}"
    );
}

#[test]
fn a_wrong_name_or_tuple_is_an_error_before_any_change() {
    let prefix = Prefix::new();
    for (name, error, hint) in [
        (
            "nonsense",
            "`nonsense` is not the name of a crossmerge command",
            "emerge-wrapper",
        ),
        (
            "a--b-emerge",
            "`a--b` is not a tuple: it has an empty field",
            "as the toolchain does",
        ),
        (
            "emerge-a b",
            "contains white space",
            "as the toolchain does",
        ),
        (
            "cross-emerge",
            "takes its tuple from CHOST, which is not set",
            "CHOST=<tuple>",
        ),
    ] {
        prefix.link(name);
        prefix.run(name, ["x"]).fails(125, error, hint);
    }
    prefix
        .with("CHOST", "../x")
        .run("cross-emerge", ["x"])
        .fails(125, "CHOST in the environment: `../x`", "toolchain");
    for tuple in [
        "../etc",
        "a/b",
        "",
        "-x-",
        "a b",
        "a\tb",
        &"x".repeat(129),
        "wrapper",
    ] {
        for command in ["init", "show", "remove"] {
            let output = prefix.own([command, "--", tuple]);
            output.fails(125, "tuple", "as the toolchain does");
        }
        prefix
            .own(["plan", "--", tuple, "emerge"])
            .fails(125, "tuple", "as the toolchain does");
    }
    let bytes = OsStr::from_bytes(b"arm\xff-linux-gnu");
    prefix
        .own([OsStr::new("init"), bytes])
        .fails(125, "not UTF-8", "as the toolchain does");
    let mut left: Vec<_> = std::fs::read_dir(prefix.path())
        .expect("a directory")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["bin"], "something was made");
}

#[test]
fn another_name_of_a_tuple_is_accepted_with_a_note() {
    let prefix = Prefix::new();
    let output = prefix.own(["init", "arm64"]).success();
    assert!(
        output
            .stderr
            .starts_with("crossmerge: arm64 is aarch64-unknown-linux-gnu\n"),
        "{output:#?}"
    );
    assert!(prefix.join("usr/aarch64-unknown-linux-gnu").is_dir());
    for args in [
        &["show", "ARM64"][..],
        &["plan", "arm64", "env"],
        &["export", "linux/arm64", "json"],
        &["profile", "list", "arm64v8"],
        &["site-cache", "render", "aarch64"],
        &["binfmt", "show", "rpi4"],
        &["adopt", "--dry-run", "arm64"],
        &["doctor", "arm64"],
        &["remove", "--dry-run", "arm64"],
    ] {
        let output = prefix.own(args);
        let note = format!("crossmerge: {} is aarch64-unknown-linux-gnu\n", {
            args.iter()
                .find(|arg| arg.to_lowercase().contains(['6', '4']))
                .expect("a name")
        });
        assert!(output.stderr.starts_with(&note), "{args:?}: {output:#?}");
    }
    let shown = prefix.own(["show", "--json", "armhf-musl"]).success();
    assert_eq!(
        shown.stderr,
        "crossmerge: armhf-musl is armv7a-unknown-linux-musleabihf\n"
    );
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON alone");
    assert_eq!(shown["elibc"], "musl");
    // A name that is a tuple itself is used unchanged and without a note.
    let output = prefix
        .own(["show", "armv7a-case-linux-gnueabihf"])
        .success();
    assert_eq!(output.stderr, "");
    assert!(
        output
            .stdout
            .starts_with("tuple             armv7a-case-linux-gnueabihf\n")
    );
}

#[test]
fn a_name_selects_the_only_target_that_fits_it() {
    let prefix = Prefix::new();
    let gentoo = "aarch64-gentoo-linux-musl";
    prefix.own(["init", gentoo]).success();
    let render = |name: &str| prefix.own(["site-cache", "render", name]);
    let meant = |name: &str, tuple: &str| {
        let output = render(name).success();
        assert_eq!(output.stderr, format!("crossmerge: {name} is {tuple}\n"));
    };
    meant("arm64", gentoo);
    meant("arm64-musl", gentoo);
    // Another libc, word size or kernel makes another target.
    meant("arm64-glibc", "aarch64-unknown-linux-gnu");
    meant("armhf", "armv7a-unknown-linux-gnueabihf");
    meant("arm64-mingw", "aarch64-w64-mingw32");
    prefix.own(["init", "aarch64-other-linux-gnu"]).success();
    let output = render("arm64");
    output.fails(
        125,
        "`arm64` may be `aarch64-gentoo-linux-musl` or `aarch64-other-linux-gnu`",
        "`crossmerge site-cache render aarch64-gentoo-linux-musl`",
    );
    meant("arm64-gnu", "aarch64-other-linux-gnu");
    // The exact tuple is preferred.
    prefix.own(["init", "arm64"]).success();
    meant("arm64", "aarch64-unknown-linux-gnu");
    // A name with a float ABI does not fit a target with another. A CPU alone fits every ABI.
    prefix
        .own(["init", "armv7a-gentoo-linux-gnueabihf"])
        .success();
    meant("arm", "armv7a-gentoo-linux-gnueabihf");
    meant("armhf", "armv7a-gentoo-linux-gnueabihf");
    meant("arm32v5", "armv5te-unknown-linux-gnueabi");
}

#[test]
fn a_misspelt_tuple_is_an_error_that_suggests_the_right_command() {
    let prefix = Prefix::new();
    for (args, error, hint) in [
        (
            &["init", "aarhc64", "--profile", "a b", "--dry-run"][..],
            "no profile contains the CPU `aarhc64` of `aarhc64`: did you mean `aarch64-unknown-linux-gnu`?",
            "`crossmerge init aarch64-unknown-linux-gnu --profile 'a b' --dry-run`",
        ),
        (
            &["show", "aarch64-unknown-linx-gnu"],
            "no system is called `linx-gnu`, in `aarch64-unknown-linx-gnu`: did you mean `aarch64-unknown-linux-gnu`?",
            "`crossmerge show aarch64-unknown-linux-gnu`",
        ),
        (
            &["plan", "armv7a-unknown-linux-gnueabihv", "gcc", "-o", "x"],
            "did you mean `armv7a-unknown-linux-gnueabihf`",
            "`crossmerge plan armv7a-unknown-linux-gnueabihf gcc -o x`",
        ),
        (
            &["doctor", "zork"],
            "no profile contains the CPU `zork` of `zork`",
            "`crossmerge show` lists the CPUs and their names; add a new one in `",
        ),
        (
            &["init", "aarch64-foo-bar-baz"],
            "no system is called `bar-baz`, in `aarch64-foo-bar-baz`",
            "`crossmerge show` lists the systems",
        ),
    ] {
        prefix.own(args).fails(125, error, hint);
    }
    assert!(!prefix.join("usr").exists(), "something was made");
    // A target with an odd tuple is accepted if it exists.
    prefix.write("etc/crossmerge/targets/aarch64-foo-bar-baz.toml", "");
    prefix.own(["show", "aarch64-foo-bar-baz"]).success();
    let output = prefix.own(["show", "aarch64-unknown-linx-gnu"]);
    assert_eq!(output.code, Some(125), "{output:#?}");
}

#[test]
fn a_users_own_family_has_its_own_names() {
    let prefix = Prefix::new();
    let family = std::fs::read_to_string("profiles/vax.toml")
        .expect("vax")
        .replace("\"vax\"]", "\"zap\"]")
        .replace("vax-", "zap-");
    let names =
        "\n[alone]\n\"*\" = \"own-linux-musl\"\n\n[names.board]\nzippy = \"zap-own-linux-gnu\"\n";
    let file = "etc/crossmerge/profiles/zap.toml";
    prefix.write(file, &(family.clone() + names));
    for (name, tuple) in [
        ("zap", "zap-own-linux-musl"),
        ("ZIPPY", "zap-own-linux-gnu"),
        ("zippy-uclibc", "zap-own-linux-uclibc"),
    ] {
        let output = prefix.own(["show", name]).success();
        assert_eq!(output.stderr, format!("crossmerge: {name} is {tuple}\n"));
    }
    let listed = prefix.own(["show"]).success().stdout;
    assert!(
        listed.contains("zippy") && listed.contains("zap-unknown-linux-gnu"),
        "{listed}"
    );
    prefix.write(
        file,
        &(family.clone() + "\n[names.board]\nzippy = \"a b\"\n"),
    );
    prefix
        .own(["show", "zippy"])
        .fails(125, "profiles/zap.toml", "fix");
    prefix.write(
        file,
        &(family + "\n[nmes.board]\nzippy = \"zap-own-linux-gnu\"\n"),
    );
    prefix
        .own(["show", "zap-own-linux-gnu"])
        .fails(125, "nmes", "fix");
}

#[test]
fn a_missing_sysroot_is_named_with_the_command_that_makes_it() {
    let prefix = Prefix::new();
    prefix.link(&format!("{TUPLE}-emerge"));
    let name = format!("{TUPLE}-emerge");
    let missing = format!(
        "`{}` of `{TUPLE}` does not exist",
        prefix.join(format!("usr/{TUPLE}")).display()
    );
    prefix
        .run(&name, ["x"])
        .fails(125, &missing, &format!("crossmerge init {TUPLE}"));
    prefix
        .with("SYSROOT", "/nowhere")
        .run(&name, ["x"])
        .fails(125, "`/nowhere`", "unset SYSROOT");
}

#[test]
fn the_hosts_own_root_is_no_root() {
    let prefix = prefix_with_tool("emerge");
    let name = format!("{TUPLE}-emerge");
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    prefix.with("ROOT", ".").run(&name, ["x"]).fails(
        125,
        "ROOT is `.`, which is not an absolute path",
        "unset ROOT",
    );
    for root in ["/", "/usr/.."] {
        let error = format!("ROOT is `{root}`, the host's own root");
        let output = prefix.with("ROOT", root).run(&name, ["x"]);
        output.fails(125, &error, "unset ROOT");
    }
    prefix.with("ROOT", "").run(&name, ["x"]).success();
}

#[test]
fn a_missing_config_root_is_named_with_its_variable() {
    let prefix = prefix_with_tool("emerge");
    let name = format!("{TUPLE}-emerge");
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    for variable in ["PORTAGE_CONFIGROOT", "EPREFIX"] {
        let output = prefix.with(variable, "/nowhere").run(&name, ["x"]);
        let unset = format!("`unset {variable}`");
        output.fails(125, "does not exist", &unset);
    }
}

#[test]
fn the_hosts_own_root_is_no_sysroot() {
    let prefix = prefix_with_tool("emerge");
    let name = format!("{TUPLE}-emerge");
    for root in ["/", "//", "/usr/.."] {
        let output = prefix.with("SYSROOT", root).run(&name, ["x"]);
        output.fails(125, "is the host's own root", "unset SYSROOT");
        prefix
            .own(["init", TUPLE, "--sysroot", root])
            .fails(125, "own root", "--sysroot DIR");
    }
    // The prefix of the host's own Portage is no sysroot either.
    prefix
        .own(["init", TUPLE, "--sysroot", "."])
        .fails(125, "own root", "--sysroot DIR");
    let odd = OsStr::from_bytes(b"odd\xff");
    let output = prefix.own([
        OsStr::new("init"),
        OsStr::new(TUPLE),
        OsStr::new("--sysroot"),
        odd,
    ]);
    output.fails(125, "not UTF-8", "another name");
    assert!(!prefix.join("etc").exists());
}

#[test]
fn a_missing_tool_exits_127_and_one_that_is_not_executable_126() {
    let prefix = prefix_with_tool("ebuild");
    let emerge = format!("{TUPLE}-emerge");
    prefix.link(&emerge);
    prefix.run(&emerge, ["x"]).fails(
        127,
        "the real tool `emerge` was not found in PATH",
        "chapter 3 of the guide",
    );
    let tool = prefix.write("tools/emerge", "#!/bin/sh\n");
    prefix
        .run(&emerge, ["x"])
        .fails(126, "exists and is not executable", "chmod +x");
    std::fs::write(&tool, "#!/no/such/interpreter\n").expect("a file");
    std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).expect("a mode");
    prefix
        .run(&emerge, ["x"])
        .fails(127, "interpreter", "od -c");
    std::fs::write(&tool, "#!/etc/passwd\n").expect("a file");
    prefix
        .run(&emerge, ["x"])
        .fails(126, "Permission denied", "od -c");
}

#[test]
fn the_tools_own_exit_code_is_passed_on() {
    let prefix = prefix_with_tool("emerge");
    prefix.script("tools/emerge", "#!/bin/sh\nexit 7\n");
    assert_eq!(prefix.run(&format!("{TUPLE}-emerge"), ["x"]).code, Some(7));
}

#[test]
fn crossmerge_is_never_the_real_tool() {
    let prefix = prefix_with_tool("emerge");
    std::fs::remove_file(prefix.join("tools/emerge")).expect("gone");
    // A symlink to the program has the tool's name, and is the first in PATH.
    prefix.link("emerge");
    prefix.run(&format!("{TUPLE}-emerge"), ["x"]).fails(
        127,
        "`emerge` was not found",
        "chapter 3 of the guide",
    );
}

#[test]
fn a_user_adds_and_overrides_applets_and_families() {
    let prefix = prefix_with_tool("emerge");
    prefix.script(
        "tools/revdep",
        "#!/bin/sh\nprintf '%s|' \"$SYSROOT\" \"$@\"\n",
    );
    prefix.write(
        "etc/crossmerge/wrappers/revdep.toml",
        "summary = \"x\"\ncommand = \"revdep {tuple} 'a b'\"\nlayers = [\"portage\"]\n",
    );
    prefix.link(&format!("{TUPLE}-revdep"));
    let sysroot = prefix.join(format!("usr/{TUPLE}"));
    let output = prefix
        .run(&format!("{TUPLE}-revdep"), ["x"])
        .success()
        .stdout;
    assert_eq!(output, format!("{}|{TUPLE}|a b|x|", sysroot.display()));
    assert!(prefix.own(["--help"]).success().stdout.contains("revdep"));
    prefix.write(
        "etc/crossmerge/wrappers/emerge.toml",
        "summary = \"x\"\ncommand = \"revdep mine\"\n",
    );
    assert_eq!(
        prefix
            .run(&format!("{TUPLE}-emerge"), ["x"])
            .success()
            .stdout,
        "|mine|x|"
    );

    prefix.own(["show", "zap-unknown-linux-gnu"]).fails(
        125,
        "no profile contains the CPU `zap`",
        "etc/crossmerge/profiles/zap.toml",
    );
    let family = std::fs::read_to_string("profiles/alpha.toml")
        .expect("alpha")
        .replace("\"alpha\"", "\"zap\"");
    prefix.write("etc/crossmerge/profiles/zap.toml", &family);
    assert!(
        prefix
            .own(["show", "zap-unknown-linux-gnu"])
            .success()
            .stdout
            .contains("elf_machine       36902")
    );
}

#[test]
fn a_malformed_file_is_named_with_its_line() {
    for (file, text, error) in [
        ("crossmerge.toml", "comands = 1\n", "comands"),
        (
            "wrappers/x.toml",
            "summary = \"x\"\ncommand = \"x\"\nlayers = [\"portge\"]\n",
            "portge",
        ),
        (
            "wrappers/x.toml",
            "summary = \"x\"\ntoolchain = \"gnu\"\n",
            "`toolchain` and `tools` go together",
        ),
        (
            "wrappers/emerge.toml",
            "summary = \"x\"\ncommand = \"emerge 'x\"\nlayers = [\"portage\"]\n",
            "an unclosed quote",
        ),
        (
            &format!("targets/{TUPLE}.toml"),
            "[toolchain]\nkind = \"borland\"\nprefix = \"x\"\n",
            "borland",
        ),
    ] {
        let prefix = prefix_with_tool("emerge");
        prefix.write(&format!("etc/crossmerge/{file}"), text);
        let output = prefix.run(&format!("{TUPLE}-emerge"), ["x"]);
        assert_eq!(output.code, Some(125), "{output:#?}");
        assert!(
            output.stderr.contains(error) && output.stderr.contains("\nhint: fix"),
            "{output:#?}"
        );
    }
    let prefix = Prefix::new();
    prefix.write(
        "etc/crossmerge/profiles/x.toml",
        "summary = \"x\"\ncpus = [\"x\"]\narch = 1\n",
    );
    prefix
        .own(["show", "x"])
        .fails(125, "profiles/x.toml", "fix");
}

#[test]
fn usage_errors_exit_125_and_help_exits_0() {
    let prefix = Prefix::new();
    prefix.link("emerge-wrapper");
    assert_eq!(prefix.own(["--nonsense"]).code, Some(125));
    assert_eq!(prefix.own(["init"]).code, Some(125));
    assert_eq!(prefix.own::<&str>([]).code, Some(125));
    assert!(prefix.own(["--help"]).success().stdout.contains("Applets"));
    assert!(
        prefix
            .own(["--version"])
            .success()
            .stdout
            .starts_with("crossmerge ")
    );
    assert!(
        prefix
            .run("emerge-wrapper", ["--help"])
            .success()
            .stdout
            .contains("--target <tuple> --init")
    );
    prefix.run("emerge-wrapper", ["--init"]).fails(
        125,
        "`--target <tuple>` is missing",
        "--target <tuple> --init",
    );
    prefix
        .run::<&str>("emerge-wrapper", [])
        .fails(125, "`--target <tuple>` is missing", "--init");
    prefix
        .run("emerge-wrapper", ["--target"])
        .fails(125, "needs a tuple", "--init");
    prefix
        .run("emerge-wrapper", ["--target", TUPLE, "--init", "now"])
        .fails(125, "`now` cannot follow", "--init");
    prefix
        .own(["plan", TUPLE, "emrge"])
        .fails(125, "no applet `emrge`", "emerge");
}
