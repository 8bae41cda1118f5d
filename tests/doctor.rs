//! `crossmerge doctor`: for each check, a test breaks a real target, and the command in the finding fixes it.
//!
//! A small copy of Debian's toolchain (`doctor/sdk.sh`) builds for the target, so that a test can break any part of
//! it.

use crate::support::Prefix;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// A second target of the same toolchain.
const OTHER: &str = "armv5tel-unknown-linux-gnueabi";

/// A name for the first target that no real compiler has, so that crossmerge's symlinks shadow nothing.
const BESIDE: &str = "armv4tl-unknown-linux-gnueabi";

/// One line of the report.
#[derive(Debug, serde::Deserialize)]
struct Line {
    tuple: String,
    check: String,
    status: String,
    message: String,
    fix: Option<String>,
}

/// A prefix without Portage, with a small toolchain in `sdk`.
fn without_portage() -> Prefix {
    add_sdk(Prefix::new())
}

/// A prefix with the real Portage, and a small toolchain in `sdk`.
fn with_portage() -> Prefix {
    add_sdk(Prefix::with_portage())
}

fn add_sdk(prefix: Prefix) -> Prefix {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/sdk.sh");
    prefix.command(script, [prefix.join("sdk")]).success();
    prefix
}

/// Makes the target with the small toolchain and its libc.
fn init(prefix: &Prefix) {
    let toolchain = prefix.join("sdk/bin/arm-linux-gnueabi-");
    let toolchain = toolchain.to_str().expect("UTF-8");
    prefix
        .own(["init", ARM, "--toolchain", toolchain, "--with-libc"])
        .success();
}

/// A healthy target, and no Portage.
fn target() -> Prefix {
    let prefix = without_portage();
    init(&prefix);
    prefix
}

/// A healthy target of the real Portage.
fn portage_target() -> Prefix {
    let prefix = with_portage();
    init(&prefix);
    prefix
}

/// The path of a file in the target's sysroot.
fn sysroot(prefix: &Prefix, path: &str) -> PathBuf {
    prefix.join(format!("usr/{ARM}")).join(path)
}

fn append(path: &Path, text: &str) {
    let old = fs::read_to_string(path).expect("a text");
    fs::write(path, old + text).expect("a file");
}

fn lines(json: &str) -> Vec<Line> {
    serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"))
}

fn findings(lines: Vec<Line>) -> Vec<Line> {
    let is_finding = |line: &Line| matches!(line.status.as_str(), "warning" | "error");
    lines.into_iter().filter(is_finding).collect()
}

/// Expects one finding, of this check. Runs its command in a shell and expects no finding afterwards. Returns the
/// command.
#[track_caller]
fn fixes(prefix: &Prefix, tuple: &str, check: &str, status: &str, message: &str) -> String {
    fixes_with_another_target(prefix, [tuple, tuple], check, status, message)
}

/// Like [`fixes`], if the command makes another target, `other`, which has no findings.
#[track_caller]
fn fixes_with_another_target(
    prefix: &Prefix,
    [tuple, other]: [&str; 2],
    check: &str,
    status: &str,
    message: &str,
) -> String {
    let output = prefix.own(["doctor", "--json", tuple]);
    assert_eq!(
        output.code,
        Some(1),
        "no finding of `{check}`: {}",
        output.stderr
    );
    let found = findings(lines(&output.stdout));
    let [line] = &found[..] else {
        panic!("not one finding: {found:#?}");
    };
    assert_eq!(
        (&*line.tuple, &*line.check, &*line.status),
        (tuple, check, status),
        "{line:#?}"
    );
    assert!(
        line.message.contains(message),
        "no {message:?} in {line:#?}"
    );
    let fix = line.fix.clone().expect("a command");
    let script = format!("{{ {fix}; }} >&2 || exit 99\ncrossmerge doctor --json {other}");
    let output = prefix.command("/bin/sh", ["-c", &script]);
    assert_ne!(output.code, Some(99), "`{fix}` fails: {}", output.stderr);
    let left = findings(lines(&output.stdout));
    assert!(
        left.is_empty(),
        "after `{fix}`: {left:#?}\n{}",
        output.stderr
    );
    assert_eq!(output.code, Some(0));
    fix
}

/// The result of a check, as `status: message`.
fn state(prefix: &Prefix, tuple: &str, check: &str) -> String {
    let output = prefix.own(["doctor", "--json", "--check", check, tuple]);
    let lines = lines(&output.stdout);
    let line = lines.into_iter().find(|line| line.check == check);
    let line = line.expect(check);
    format!("{}: {}", line.status, line.message)
}

#[test]
fn a_fresh_target_has_no_findings() {
    let prefix = Prefix::with_portage();
    let adopt = ["--toolchain", "arm-linux-gnueabi-", "--with-libc"];
    prefix.own(["init", ARM].iter().chain(&adopt)).success();
    let output = prefix.own(["doctor"]).success().stdout;
    let ok = output.strip_prefix(&format!("{ARM}: "));
    let ok = ok.and_then(|output| output.strip_suffix(" ok, 3 skipped\n"));
    let ok: usize = ok
        .and_then(|ok| ok.parse().ok())
        .unwrap_or_else(|| panic!("{output}"));
    let all = lines(&prefix.own(["doctor", "--json"]).success().stdout);
    let skipped: Vec<&str> = all
        .iter()
        .filter(|line| line.status != "ok")
        .map(|line| line.check.as_str())
        .collect();
    assert_eq!(skipped, ["built", "abi", "binrepos"], "{all:#?}");
    assert!(all.iter().all(|line| line.fix.is_none()));
    let ran = "ok: program, static-program, program-with-library, c++-program";
    assert_eq!(state(&prefix, ARM, "run"), ran);
    assert_eq!(ok, all.len() - skipped.len());
    // The full report has one line for each check, and a summary.
    let whole = prefix.own(["doctor", "--verbose"]).success().stdout;
    assert_eq!(whole.lines().count(), all.len() + 1);
    assert!(whole.contains("\n  ok       tuple "), "{whole}");
    // A check that needs others runs them too, but reports only itself.
    let one = prefix
        .own(["doctor", "-v", "--check", "link"])
        .success()
        .stdout;
    assert_eq!(one.lines().count(), 2, "{one}");
    assert!(one.contains("\n  ok       link "), "{one}");
    prefix
        .own(["doctor", "--check", "lnik"])
        .fails(125, "invalid value `lnik`", "`link`");
}

#[test]
fn kinds_of_programs_that_do_not_link() {
    let prefix = target();
    for (check, what) in [("static", "`libc.a`"), ("c++", "C++ compiler")] {
        let state = state(&prefix, ARM, check);
        assert!(
            state.starts_with("skipped: ") && state.contains(what),
            "{state}"
        );
    }
    fs::write(sysroot(&prefix, "usr/lib/libc.a"), "no archive").expect("libc.a");
    let gxx = prefix.script(
        "sdk/bin/arm-linux-gnueabi-g++",
        "#!/bin/sh\necho 'error: no cc1plus' >&2\nexit 1\n",
    );
    for (check, message) in [
        ("static", "a static program does not link: "),
        (
            "c++",
            "a C++ program does not compile and link: error: no cc1plus",
        ),
    ] {
        let state = state(&prefix, ARM, check);
        assert!(state.starts_with(&format!("error: {message}")), "{state}");
    }
    fs::remove_file(gxx).expect("the compiler");
    // The linker's symlink for a shared library.
    let libc = sysroot(&prefix, "usr/lib/libc.so");
    fs::write(&libc, "GROUP ( libc_nonshared.a )").expect("libc.so");
    assert!(state(&prefix, ARM, "shared").contains("`program` failed"));
}

#[test]
fn findings_come_last_and_in_colour_if_enabled() {
    let prefix = target();
    fs::remove_file(sysroot(&prefix, "usr/include/stdio.h")).expect("a header");
    let output = prefix.own(["doctor", "-v", ARM]);
    let errors: Vec<&str> = output
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("  error"))
        .collect();
    assert!(
        errors
            .iter()
            .all(|line| !line.starts_with("  ok") && !line.starts_with("  skipped")),
        "{output:#?}"
    );
    assert!(!output.stdout.contains('\u{1b}'), "{output:#?}");
    let coloured = prefix.with("CLICOLOR_FORCE", "1");
    let red = "\u{1b}[1m\u{1b}[31merror";
    assert!(coloured.own(["doctor", ARM]).stdout.contains(red));
    assert!(coloured.own(["doctor", "nonsense"]).stderr.contains(red));
    let plain = coloured.with("NO_COLOR", "1");
    assert!(!plain.own(["doctor", ARM]).stdout.contains('\u{1b}'));
    assert!(!plain.own(["doctor", "nonsense"]).stderr.contains('\u{1b}'));
}

#[test]
fn every_target_is_checked_and_the_exit_code_reports_findings() {
    let prefix = target();
    let toolchain = prefix
        .join("sdk/bin/arm-linux-gnueabi-")
        .display()
        .to_string();
    let adopt = ["--toolchain", &toolchain, "--with-libc"];
    prefix.own(["init", OTHER].iter().chain(&adopt)).success();
    prefix.own(["doctor"]).success();
    fs::remove_file(prefix.join(format!("bin/{OTHER}-emerge"))).expect("gone");
    let output = prefix.own(["doctor"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stdout.starts_with(&format!("{ARM}: ")),
        "{output:#?}"
    );
    assert!(
        output.stdout.contains(&format!("\n{OTHER}: ")),
        "{output:#?}"
    );
    let finding = format!(
        "  error    links           every symlink of the target exists and leads to crossmerge\n           \
         not in `{}`: `{OTHER}-emerge`\n           hint: crossmerge init {OTHER}\n",
        prefix.join("bin").display()
    );
    assert!(output.stdout.contains(&finding), "{output:#?}");
    prefix.own(["doctor", ARM]).success();
    prefix
        .own(["doctor", "a--b"])
        .fails(125, "`a--b` is not a tuple", "as the toolchain does");
}

#[test]
fn nothing_is_written_outside_a_temporary_directory() {
    let prefix = portage_target();
    let list = || {
        let args = [".", "-printf", "%p %y %s %T@ %l\n"];
        let mut lines: Vec<String> = prefix
            .command("/usr/bin/find", args)
            .success()
            .stdout
            .lines()
            .map(Into::into)
            .collect();
        lines.sort();
        lines
    };
    let before = list();
    prefix.own(["doctor", ARM]).success();
    assert_eq!(list(), before);
}

#[test]
fn a_missing_target_is_one_finding() {
    let prefix = Prefix::new();
    let output = prefix.own(["doctor", "--json", "arm-none-eabi"]);
    let found = findings(lines(&output.stdout));
    let checks: Vec<&str> = found.iter().map(|line| line.check.as_str()).collect();
    assert_eq!(checks, ["sysroot"], "{found:#?}");
    // No target is initialised, so the report is empty.
    assert_eq!(prefix.own(["doctor"]).success().stdout, "");
    assert_eq!(prefix.own(["doctor", "--json"]).success().stdout, "[]\n");
}

#[test]
fn the_hosts_own_tuple() {
    let prefix = with_portage();
    let tuple = "i686-cross-linux-gnu";
    prefix.own(["init", tuple]).success();
    let conf = prefix.join("etc/portage/make.conf");
    append(
        &conf,
        &format!("MULTILIB_ABIS=\"default x86\"\nCHOST_x86=\"{tuple}\"\n"),
    );
    fixes(&prefix, tuple, "tuple", "error", "the CHOST of the ABI x86");
    assert!(state(&prefix, tuple, "tuple").starts_with("skipped: "));
    assert!(!prefix.join(format!("bin/{tuple}-emerge")).exists());
}

#[test]
fn an_unknown_cpu_is_reported_as_skipped_not_as_ok() {
    let prefix = Prefix::new();
    let tuple = "zap-unknown-linux-gnu";
    fs::create_dir_all(prefix.join(format!("usr/{tuple}/etc/portage"))).expect("a sysroot");
    let output = prefix.own(["doctor", "--json", tuple]).success();
    for line in lines(&output.stdout) {
        let skipped = ["facts", "links", "compiler", "machine", "run", "qemu"];
        if skipped.contains(&line.check.as_str()) {
            assert_eq!(line.status, "skipped", "{line:#?}");
        }
    }
    assert!(state(&prefix, tuple, "facts").contains("no profile contains the CPU `zap`"));
}

#[test]
fn variables_in_the_environment() {
    let prefix = portage_target();
    let with = |name: &str, value: &str, message: &str| {
        let prefix = prefix.with(name, value);
        let fix = fixes(&prefix, ARM, "environment", "error", message);
        assert_eq!(fix, format!("unset {name}"));
    };
    with(
        "CBUILD",
        "i586-pc-linux-gnu",
        "the host is `x86_64-pc-linux-gnu`",
    );
    with(
        "PORTAGE_CONFIGROOT",
        "/usr",
        "`/usr`, which has no etc/portage",
    );
    let prefix = target();
    let with = |name: &str, value: &str, message: &str| {
        let prefix = prefix.with(name, value);
        let fix = fixes(&prefix, ARM, "environment", "error", message);
        assert_eq!(fix, format!("unset {name}"));
    };
    with("CHOST", "avr", "CHOST is `avr`");
    with("SYSROOT", "/nowhere", "SYSROOT is `/nowhere`");
    with("SYSROOT", "/", "SYSROOT is `/`");
    with("ROOT", "board", "ROOT is `board`");
    with(
        "CPATH",
        "/usr/include",
        "CPATH in the environment is `/usr/include`",
    );
}

#[test]
fn a_missing_sysroot() {
    let prefix = target();
    fs::remove_dir_all(sysroot(&prefix, "")).expect("gone");
    fixes(&prefix, ARM, "sysroot", "error", "there is no directory");
    let file = prefix.join(format!("etc/crossmerge/targets/{ARM}.toml"));
    let text = fs::read_to_string(&file).expect("a text");
    fs::write(&file, format!("sysroot = \"/\"\n{text}")).expect("a file");
    fixes(&prefix, ARM, "sysroot", "error", "the host itself");
}

#[test]
fn an_interrupted_init_and_deleted_files() {
    let prefix = portage_target();
    let record = sysroot(&prefix, "var/lib/crossmerge/contents");
    let text = fs::read_to_string(&record).expect("a record");
    fs::write(&record, format!("pending\n{text}")).expect("a record");
    // The temporary file of a killed run, which the finding's command removes too.
    fs::write(
        sysroot(&prefix, "etc/portage/.make.conf.crossmerge-new"),
        "x",
    )
    .expect("a file");
    fixes(&prefix, ARM, "init", "error", "an init was interrupted");
    fs::remove_file(sysroot(&prefix, "etc/portage/profile/use.force")).expect("gone");
    fixes(&prefix, ARM, "init", "warning", "profile/use.force`");
}

#[test]
fn a_half_made_sysroot_of_crossdev() {
    let prefix = portage_target();
    for name in ["make.conf", "profile/make.defaults"] {
        let path = sysroot(&prefix, "etc/portage").join(name);
        let text = fs::read_to_string(&path).expect("a text");
        let text = text
            .replace(ARM, "__CHOST__")
            .replace("\"arm\"", "\"__ARCH__\"");
        fs::write(path, text).expect("a file");
    }
    fixes(&prefix, ARM, "init", "error", "placeholders");
}

#[test]
fn leftovers() {
    let prefix = target();
    fs::write(sysroot(&prefix, "usr/lib/.libc.so.crossmerge-new"), "x").expect("a file");
    let link = prefix.join(format!("bin/.{ARM}-emerge.crossmerge-new"));
    symlink("crossmerge", link).expect("a link");
    fixes(
        &prefix,
        ARM,
        "leftovers",
        "warning",
        ".libc.so.crossmerge-new",
    );
}

#[test]
fn an_update_beside_an_edited_file() {
    let prefix = portage_target();
    let conf = sysroot(&prefix, "etc/portage/make.conf");
    append(&conf, "# mine\n");
    append(&prefix.join("etc/portage/make.conf"), "MAKEOPTS=\"-j7\"\n");
    prefix.own(["init", ARM]).success();
    fixes(&prefix, ARM, "updates", "warning", "._cfg0000_make.conf");
    assert!(fs::read_to_string(&conf).expect("a text").contains("-j7"));
    let mine = fs::read_to_string(conf.with_file_name("make.conf.~1~")).expect("the old one");
    assert!(mine.ends_with("# mine\n"));
}

#[test]
fn a_missing_link_and_another_program_in_its_place() {
    let prefix = target();
    let link = prefix.join(format!("bin/{ARM}-emerge"));
    fs::remove_file(&link).expect("gone");
    fixes(&prefix, ARM, "links", "error", "-emerge`");
    fs::remove_file(&link).expect("gone");
    symlink("/nowhere/crossmerge", &link).expect("a link");
    fixes(&prefix, ARM, "links", "error", "-emerge`");
    fs::remove_file(&link).expect("gone");
    prefix.script(&format!("bin/{ARM}-emerge"), "#!/bin/sh\n");
    fixes(&prefix, ARM, "links", "error", "not crossmerge's");
    assert!(prefix.join(format!("bin/{ARM}-emerge.old")).exists());
}

#[test]
fn symlinks_that_are_not_first_in_path() {
    let prefix = target();
    let path = |first: &str| {
        let bin = prefix.join("bin");
        format!(
            "{}:{}:/usr/bin:/bin",
            prefix.join(first).display(),
            bin.display()
        )
    };
    prefix.script(&format!("older/{ARM}-ebuild"), "#!/bin/sh\n");
    let shadowed = prefix.with("PATH", path("older"));
    fixes(
        &shadowed,
        ARM,
        "path",
        "error",
        "before crossmerge's in PATH",
    );
    // The program is in a directory of PATH, its symlinks are in another that PATH does not contain.
    let links = prefix.join("links");
    let options = ["init", ARM, "--bindir", links.to_str().expect("UTF-8")];
    prefix.own(options).success();
    for entry in fs::read_dir(prefix.join("bin")).expect("bin") {
        let path = entry.expect("an entry").path();
        if !path.ends_with("crossmerge") {
            fs::remove_file(path).expect("gone");
        }
    }
    fixes(&prefix, ARM, "path", "warning", "links` is not in PATH");
}

#[test]
fn settings_that_portage_cannot_read() {
    let prefix = portage_target();
    append(
        &sysroot(&prefix, "etc/portage/make.conf"),
        "USE=\"never ends\n",
    );
    fixes(&prefix, ARM, "portage", "error", "No closing quotation");
    append(&prefix.join("etc/portage/make.conf"), "USE=\"never ends\n");
    let output = prefix.own(["doctor", "--json", ARM]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    fixes(&prefix, ARM, "portage", "error", "the host's settings");
}

#[test]
fn settings_that_only_portageq_can_read() {
    let prefix = portage_target();
    let read = "ok: read without portageq";
    assert_eq!(state(&prefix, ARM, "settings"), read);
    // Portage ignores a NUL in a comment. crossmerge's own reader leaves such a file to portageq.
    append(&sysroot(&prefix, "etc/portage/make.conf"), "# \0\n");
    let asked = state(&prefix, ARM, "settings");
    assert!(
        asked.starts_with("ok: portageq is called, since "),
        "{asked}"
    );
    assert!(asked.contains("make.conf`"), "{asked}");
}

#[test]
fn a_profile_symlink_that_is_dangling_or_wrong() {
    let prefix = portage_target();
    let profile = sysroot(&prefix, "etc/portage/make.profile");
    fs::remove_file(&profile).expect("gone");
    symlink("/nowhere/profiles/embedded", &profile).expect("a link");
    fixes(
        &prefix,
        ARM,
        "profile",
        "error",
        "/nowhere/profiles/embedded`",
    );
    append(
        &sysroot(&prefix, "etc/portage/profile/make.defaults"),
        "ARCH=\"mips\"\n",
    );
    fixes(&prefix, ARM, "arch", "error", "ARCH is `mips`");
}

#[test]
fn a_repository_that_the_target_does_not_see() {
    let prefix = portage_target();
    for (name, as_directory) in [("first", false), ("second", true)] {
        prefix.write(&format!("{name}/profiles/repo_name"), name);
        prefix.write(&format!("{name}/metadata/layout.conf"), "masters =\n");
        let location = prefix.join(name);
        append(
            &prefix.join("etc/portage/repos.conf"),
            &format!("\n[{name}]\nlocation = {}\n", location.display()),
        );
        let conf = sysroot(&prefix, "etc/portage/repos.conf");
        if as_directory {
            let text = fs::read(&conf).expect("a text");
            fs::remove_file(&conf).expect("gone");
            fs::create_dir(&conf).expect("a directory");
            fs::write(conf.join("all.conf"), text).expect("a file");
        }
        fixes(&prefix, ARM, "repositories", "warning", name);
    }
}

#[test]
fn settings_of_a_make_conf_that_break_things() {
    let prefix = portage_target();
    let conf = sysroot(&prefix, "etc/portage/make.conf");
    append(&conf, "CHOST=\"avr\"\nCBUILD=\"avr\"\nROOT=\"/\"\n");
    fixes(&prefix, ARM, "make.conf", "error", "CHOST is `avr`");
    append(&conf, "export SYSROOT=\"/mnt\"\n");
    fixes(&prefix, ARM, "make.conf", "error", "sets SYSROOT");

    // Directories that follow ROOT, as earlier releases wrote them, in a file that a user edited.
    let text = fs::read_to_string(&conf).expect("make.conf");
    let own = format!("{}/", sysroot(&prefix, "").display()).replace("//", "/");
    let old = |line: &str| match line.starts_with("PKGDIR=") || line.starts_with("PORTAGE_TMPDIR=")
    {
        true => line.replace(&own, "${ROOT}"),
        false => line.to_owned(),
    };
    let old: Vec<String> = text.lines().map(old).collect();
    let (old, new) = (format!("{}\n", old.join("\n")), text.clone());
    assert_ne!(old, new);
    fs::write(&conf, old).expect("a file");
    fixes(&prefix, ARM, "make.conf", "warning", "follow ROOT");
    assert_eq!(fs::read_to_string(&conf).expect("make.conf"), new);
}

#[test]
fn a_root_that_portage_rejects() {
    let prefix = portage_target();
    let board = prefix.join("board");
    let with = prefix.with("ROOT", &board);
    let fix = fixes(
        &with,
        ARM,
        "roots",
        "warning",
        "board`, which is not a directory",
    );
    assert!(fix.starts_with("mkdir -p "), "{fix}");
    let prefix = prefix.with("ROOT", "/");
    fixes(
        &prefix,
        ARM,
        "roots",
        "error",
        "ROOT is `/`, the host's own root",
    );
}

#[test]
fn no_compiler_and_one_that_does_not_start() {
    let prefix = target();
    let fix = |prefix: &Prefix, message| {
        let fix = fixes(prefix, ARM, "compiler", "error", message);
        assert!(
            fix.contains("--toolchain /usr/bin/arm-linux-gnueabi-"),
            "{fix}"
        );
    };
    let file = prefix.join(format!("etc/crossmerge/targets/{ARM}.toml"));
    fs::remove_file(file).expect("gone");
    for entry in fs::read_dir(prefix.join("bin")).expect("bin") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if ["gcc", "cc", "cpp", "as", "ld"]
            .iter()
            .any(|tool| name.ends_with(&format!("-{tool}")))
        {
            fs::remove_file(path).expect("gone");
        }
    }
    fix(&prefix, "no toolchain was adopted");
    init(&prefix);
    fs::remove_file(prefix.join("sdk/bin/arm-linux-gnueabi-gcc")).expect("gone");
    prefix.script("sdk/bin/arm-linux-gnueabi-gcc", "#!/no/such/interpreter\n");
    fix(&prefix, "does not start");
}

/// Removes a file of the small toolchain. The command of the finding adopts Debian's toolchain instead.
fn without_part(part: &str, check: &str, message: &str) {
    let prefix = target();
    let part = prefix.command("/bin/sh", ["-c", &format!("rm -v {part}")]);
    assert_eq!(part.code, Some(0), "{part:#?}");
    let fix = fixes(&prefix, ARM, check, "error", message);
    assert!(
        fix.contains("--toolchain /usr/bin/arm-linux-gnueabi-"),
        "{fix}"
    );
}

#[test]
fn a_compiler_that_cannot_compile() {
    without_part(
        "sdk/lib/gcc-cross/*/*/cc1",
        "compile",
        "cannot compile C to assembly",
    );
}

#[test]
fn a_compiler_that_cannot_assemble() {
    without_part(
        "sdk/arm-linux-gnueabi/bin/as",
        "assemble",
        "compiles C, but cannot assemble",
    );
}

#[test]
fn a_compiler_that_cannot_link() {
    let prefix = target();
    let linker = prefix.join("sdk/arm-linux-gnueabi/bin/ld");
    fs::remove_file(linker).expect("gone");
    let script = "#!/bin/sh\necho 'ld: error: out of order' >&2\nexit 1\n";
    prefix.script("sdk/arm-linux-gnueabi/bin/ld", script);
    let message = "cannot link even without a library: ld: error: out of order";
    fixes(&prefix, ARM, "link", "error", message);
}

#[test]
fn a_compiler_without_its_own_library() {
    without_part(
        "sdk/lib/gcc-cross/*/*/libgcc.a",
        "libc",
        "lacks its own library",
    );
}

#[test]
fn a_compiler_for_another_machine() {
    let prefix = target();
    let file = prefix.join(format!("etc/crossmerge/targets/{ARM}.toml"));
    let text = fs::read_to_string(&file).expect("a text");
    let sdk = prefix.join("sdk/bin/arm-linux-gnueabi-");
    let text = text.replace(sdk.to_str().expect("UTF-8"), "/usr/bin/");
    fs::write(file, text).expect("a file");
    // The host's toolchain has a few other tools. `init` makes the symlinks for these, so that only one check fails.
    prefix.own(["init", ARM]).success();
    fixes(
        &prefix,
        ARM,
        "machine",
        "error",
        ", but the tuple means 32 bits, little endian, ELF machine 40",
    );
}

#[test]
fn another_float_abi() {
    let prefix = target();
    // The small toolchain as if it had been built with `--with-float=hard`.
    let compiler = prefix.join("sdk/bin/arm-linux-gnueabi-gcc");
    fs::rename(
        &compiler,
        compiler.with_file_name("arm-linux-gnueabi-soft-gcc"),
    )
    .expect("moved");
    prefix.script(
        "sdk/bin/arm-linux-gnueabi-gcc",
        "#!/bin/sh\ncase \" $* \" in *-mfloat-abi=*) ;;\n\
         *) set -- -march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard \"$@\" ;; esac\n\
         exec \"${0%gcc}soft-gcc\" \"$@\"\n",
    );
    let fix = fixes(
        &prefix,
        ARM,
        "float-abi",
        "error",
        "hard without flags, but the tuple means soft",
    );
    assert!(
        fix.ends_with("--toolchain /usr/bin/arm-linux-gnueabi-"),
        "{fix}"
    );
}

#[test]
fn a_libc_of_another_float_abi() {
    let prefix = without_portage();
    // The small toolchain's library, marked with the other ABI: EF_ARM_ABI_FLOAT_HARD instead of _SOFT in e_flags.
    let libc = prefix.join("sdk/arm-linux-gnueabi/lib/libc.so.6");
    let soft = fs::read(&libc).expect("libc");
    let mut hard = soft.clone();
    assert_eq!(hard[36..40], [0, 2, 0, 5]);
    hard[37] = 4;
    fs::write(&libc, hard).expect("a file");
    init(&prefix);
    fs::write(&libc, soft).expect("a file");
    fixes(&prefix, ARM, "float-abi", "error", "has the float ABI hard");
}

/// A target whose compiler is a script in PATH that was not adopted.
fn with_script(script: &str) -> Prefix {
    let prefix = target();
    let file = prefix.join(format!("etc/crossmerge/targets/{ARM}.toml"));
    fs::remove_file(file).expect("gone");
    for entry in fs::read_dir(prefix.join("bin")).expect("bin") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if ["gcc", "cc", "cpp", "as", "ld"]
            .iter()
            .any(|tool| name.ends_with(&format!("-{tool}")))
        {
            fs::remove_file(path).expect("gone");
        }
    }
    let sysroot = sysroot(&prefix, "").display().to_string();
    let script = script.replace("SYSROOT", &sysroot);
    prefix.script(&format!("tools/{ARM}-gcc"), &script);
    prefix
}

#[test]
fn a_compiler_with_another_sysroot() {
    let prefix = with_script("#!/bin/sh\nexec arm-linux-gnueabi-gcc \"$@\"\n");
    let fix = fixes_with_another_target(
        &prefix,
        [ARM, BESIDE],
        "search",
        "error",
        "the compiler's sysroot is `/`",
    );
    assert!(fix.contains(&format!("tools/{ARM}- ")), "{fix}");
}

#[test]
fn a_compiler_that_finds_the_hosts_headers() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc --sysroot=SYSROOT -idirafter /usr/include \"$@\"\n",
    );
    let message = "the host's headers in `/usr/include`";
    fixes_with_another_target(&prefix, [ARM, BESIDE], "search", "error", message);
}

#[test]
fn a_compiler_that_ignores_the_option_sysroot() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc \"$@\" -B SYSROOT/usr/lib --sysroot=SYSROOT\n",
    );
    let beside = [ARM, BESIDE];
    let fix = fixes_with_another_target(&prefix, beside, "esysroot", "error", "`--sysroot` names");
    assert!(
        fix.contains("--toolchain /usr/bin/arm-linux-gnueabi- "),
        "{fix}"
    );
}

#[test]
fn a_compiler_that_prefers_its_own_sysroot() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc -BSYSROOT/usr/lib --sysroot=SYSROOT \"$@\"\n",
    );
    let message = "prefers its own sysroot to the one that `--sysroot` names: it uses";
    fixes_with_another_target(&prefix, [ARM, BESIDE], "esysroot", "error", message);
}

#[test]
fn a_libc_with_missing_files() {
    let prefix = target();
    for (file, message) in [
        ("usr/lib/crt1.o", "no `crt1.o`"),
        ("usr/include/stdio.h", "the libc's headers"),
        ("usr/lib/libc.so", "no `libc.so`"),
    ] {
        fs::remove_file(sysroot(&prefix, file)).expect(file);
        let fix = fixes(&prefix, ARM, "libc", "error", message);
        assert_eq!(fix, format!("crossmerge init {ARM} --with-libc"));
    }
}

#[test]
fn a_program_that_does_not_link() {
    let prefix = target();
    fs::write(sysroot(&prefix, "usr/lib/crti.o"), "not an object\n").expect("a file");
    let fix = fixes(&prefix, ARM, "program", "error", "a program does not link");
    assert!(fix.starts_with("rm "), "{fix}");
    fs::remove_file(sysroot(&prefix, "usr/lib/libc.so.6")).expect("gone");
    fixes(&prefix, ARM, "program", "error", "libc.so.6");
}

#[test]
fn a_libc_that_is_no_package() {
    let prefix = portage_target();
    assert_eq!(
        state(&prefix, ARM, "libc-package"),
        "ok: `sys-libs/glibc-2.36` owns it"
    );
    // As an earlier release made the target, and advised its user.
    fs::remove_dir_all(sysroot(&prefix, "var/db")).expect("gone");
    let fix = fixes(
        &prefix,
        ARM,
        "libc-package",
        "warning",
        "no other root gets it",
    );
    assert_eq!(fix, format!("crossmerge init {ARM}"));
    let provided = sysroot(&prefix, "etc/portage/profile/package.provided");
    fs::write(&provided, "sys-libs/glibc-2.36\nsys-libs/zlib-1\n").expect("a file");
    fixes(
        &prefix,
        ARM,
        "libc-package",
        "warning",
        "merges it into no other root",
    );
    assert_eq!(
        fs::read_to_string(&provided).expect("a text"),
        "sys-libs/zlib-1\n"
    );
}

#[test]
fn a_libc_that_a_user_copied() {
    let prefix = with_portage();
    let sdk = prefix.join("sdk");
    let tools = format!("{}/bin/arm-linux-gnueabi-", sdk.display());
    prefix.own(["init", ARM, "--toolchain", &tools]).success();
    let copy = format!(
        "mkdir {1}/usr && cp -a {0}/include {0}/lib {1}/usr && ln -s usr/lib {1}/lib && sed -i s@{0}/lib/@/usr/lib/@g {1}/usr/lib/libc.so",
        sdk.join("arm-linux-gnueabi").display(),
        sysroot(&prefix, "").display()
    );
    prefix.command("/bin/sh", ["-c", &copy]).success();
    prefix.write("overlay/profiles/repo_name", "overlay");
    prefix.write("overlay/metadata/layout.conf", "masters =\n");
    prefix.write("overlay/profiles/categories", "sys-libs\n");
    prefix.write(
        "overlay/sys-libs/glibc/glibc-2.41.ebuild",
        "EAPI=8\nSLOT=2.2\nKEYWORDS=\"~arm\"\n",
    );
    append(
        &prefix.join("etc/portage/repos.conf"),
        &format!(
            "\n[overlay]\nlocation = {}\n",
            prefix.join("overlay").display()
        ),
    );
    prefix.own(["init", ARM]).success();
    let fix = fixes(
        &prefix,
        ARM,
        "libc-package",
        "warning",
        "build and merge `sys-libs/glibc`",
    );
    assert!(fix.contains("echo sys-libs/glibc-2.36 >> "), "{fix}");
    // Portage itself accepts the line in place of the package.
    let output = prefix.run(&format!("{ARM}-emerge"), ["-p", "sys-libs/glibc"]);
    assert!(
        (output.stdout.clone() + &output.stderr).contains("package.provided"),
        "{output:#?}"
    );
    // If a package owns the library, the line is not needed.
    fs::remove_file(sysroot(&prefix, "etc/portage/profile/package.provided")).expect("gone");
    let contents = "dir /usr\nobj /usr/lib/libc.so.6 0 0\n";
    prefix.write(
        &format!("usr/{ARM}/var/db/pkg/sys-libs/glibc-2.41/CONTENTS"),
        contents,
    );
    assert_eq!(
        state(&prefix, ARM, "libc-package"),
        "ok: `sys-libs/glibc-2.41` owns it"
    );
}

#[test]
fn a_pkg_config_that_is_missing_or_puts_the_sysroot_elsewhere() {
    let prefix = target();
    // One pkg-config does not know freedesktop's rules for sysroots, the other ignores the sysroot.
    for wrong in [
        "#!/bin/sh\nunset PKG_CONFIG_FDO_SYSROOT_RULES\nexec pkgconf \"$@\"\n",
        "#!/bin/sh\nunset PKG_CONFIG_SYSROOT_DIR\nexec pkgconf \"$@\"\n",
    ] {
        let real = prefix.script("wrong/pkg-config", wrong);
        let named = prefix.with("REAL_PKG_CONFIG", &real);
        let fix = fixes(
            &named,
            ARM,
            "pkg-config",
            "error",
            "sysroot before the path of each flag, once",
        );
        assert_eq!(fix, "unset REAL_PKG_CONFIG");
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            prefix.join("bin").display(),
            prefix.join("wrong").display()
        );
        let first = prefix.with("PATH", path);
        let fix = fixes(
            &first,
            ARM,
            "pkg-config",
            "error",
            "sysroot before the path of each flag, once",
        );
        assert!(fix.starts_with("export REAL_PKG_CONFIG=/"), "{fix}");
    }
    let gone = prefix.with("REAL_PKG_CONFIG", "pkg-config-of-nobody");
    fixes(
        &gone,
        ARM,
        "pkg-config",
        "error",
        "`pkg-config-of-nobody` was not found",
    );
}

#[test]
fn a_missing_config_site() {
    let prefix = target();
    let site = prefix.write("share/config.site", "");
    let both = format!("{} /nowhere/config.site", site.display());
    let with = prefix.with("CONFIG_SITE", both);
    fixes(
        &with,
        ARM,
        "config.site",
        "warning",
        "`/nowhere/config.site`",
    );
    let ok = "ok: not set; configure gets the target's answers";
    assert_eq!(state(&prefix, ARM, "config.site"), ok);
}

#[test]
fn libtool_files_and_scripts_that_point_outside() {
    let prefix = target();
    let inside = sysroot(&prefix, "usr/lib").display().to_string();
    let la = |libdir: &str| {
        format!(
            "# libz.la - a libtool library file\n# Generated by libtool in /usr/bin\ndlname='libz.so.1'\n\
             dependency_libs=' -L{libdir} -lm {libdir}/libdl.la -L/lib64'\ninstalled=yes\nlibdir='{libdir}'\n"
        )
    };
    prefix.write(&format!("usr/{ARM}/usr/lib/libz.la"), &la("/usr/lib"));
    let own = prefix.write(
        &format!("usr/{ARM}/usr/lib/libown.la"),
        &format!("# x\nlibdir='{inside}'\n"),
    );
    let before = fs::read_to_string(&own).expect("a text");
    let fix = fixes(&prefix, ARM, "la-files", "warning", "libz.la");
    assert_eq!(fix, format!("{ARM}-fix-root"));
    assert_eq!(fs::read_to_string(own).expect("a text"), before);
    let wanted = la(&inside).replace(
        "-L/lib64",
        &format!("-L{}", sysroot(&prefix, "lib64").display()),
    );
    assert_eq!(prefix.read(&format!("usr/{ARM}/usr/lib/libz.la")), wanted);

    let script = format!(
        "#!/usr/bin/env sh\nprefix=/usr\nlibdir=\"{inside}\"\n# see /usr/share/doc\n\
         case $1 in --libs) echo \"-L/usr/lib -lz\" ;; --cflags) echo -I${{prefix}}/include ;; esac\n"
    );
    prefix.script(&format!("usr/{ARM}/usr/bin/z-config"), &script);
    // An ELF program with such a name is not checked as a script.
    fs::copy("/bin/true", sysroot(&prefix, "usr/bin/elf-config")).expect("a copy");
    // With another ROOT in the environment, the command must name the sysroot.
    let board = prefix.with("ROOT", prefix.join("board"));
    fs::create_dir(prefix.join("board")).expect("a directory");
    let fix = fixes(&board, ARM, "config-scripts", "warning", "z-config");
    assert!(fix.starts_with("SYSROOT=/"), "{fix}");
    let output = prefix
        .command(sysroot(&prefix, "usr/bin/z-config"), ["--libs"])
        .success();
    assert_eq!(output.stdout, format!("-L{inside} -lz\n"));

    prefix.script(&format!("usr/{ARM}/usr/bin/y-config"), &script);
    prefix.write(
        &format!("usr/{ARM}/var/db/pkg/dev-libs/y-1/CONTENTS"),
        "obj /usr/bin/y-config 0123 1700000000\n",
    );
    let fix = fixes(&prefix, ARM, "config-scripts", "warning", "y-config");
    assert_eq!(fix, format!("{ARM}-fix-root --installed"));
    let root = prefix.join(format!("usr/{ARM}"));
    prefix.write(&format!("usr/{ARM}/lib/libz.so.1"), "");
    symlink("/lib/libz.so.1", root.join("usr/lib/libz.so")).expect("a link");
    let fix = fixes(&prefix, ARM, "symlinks", "warning", "usr/lib/libz.so");
    assert_eq!(fix, format!("{ARM}-fix-root"));
    symlink("/etc/passwd", root.join("usr/lib/libhost.so")).expect("a link");
    let fix = fixes(
        &prefix,
        ARM,
        "symlinks",
        "warning",
        "that the sysroot lacks",
    );
    assert!(
        fix.starts_with("rm /") && fix.ends_with("/usr/lib/libhost.so"),
        "{fix}"
    );
}

#[test]
fn flags_that_the_compiler_rejects() {
    let prefix = portage_target();
    let conf = sysroot(&prefix, "etc/portage/make.conf");
    let text = fs::read_to_string(&conf).expect("make.conf");
    let slip = text.replace("-march=armv4t", "-march=armv4t.x*");
    assert_ne!(slip, text);
    fs::write(&conf, &slip).expect("a file");
    let flags = |prefix: &Prefix, message| fixes(prefix, ARM, "flags", "error", message);
    assert!(flags(&prefix, "CFLAGS: ").starts_with("sed -Ei "));
    let fixed = fs::read_to_string(&conf).expect("make.conf");
    assert_eq!(
        fixed,
        text.replace("-march=armv4t", ""),
        "just the word is gone"
    );
    append(&conf, "NO=nosuch\nLDFLAGS=\"-Wl,-O1 -Wl,--$NO\"\n");
    let fix = flags(&prefix, "LDFLAGS: ");
    assert!(
        fix.starts_with("printf ") && fix.contains("\"-Wl,-O1\""),
        "{fix}"
    );
    let with = prefix.with("CFLAGS", "-O2 -mno-such");
    assert_eq!(flags(&with, "-mno-such"), "unset CFLAGS");
}

#[test]
fn no_qemu() {
    let prefix = target();
    // The host's programs except QEMU and apt. A stand-in for apt-get installs QEMU.
    let hidden = prefix.join("hidden");
    fs::create_dir(&hidden).expect("a directory");
    for entry in fs::read_dir("/usr/bin").expect("programs") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if !text.starts_with("qemu-") && !text.starts_with("apt") {
            symlink(entry.path(), hidden.join(&name)).expect("a link");
        }
    }
    prefix.script(
        "hidden/apt-get",
        "#!/bin/sh\n[ \"$*\" = 'install -y qemu-user-static' ] && ln -s /usr/bin/qemu-arm-static \"${0%/*}\"\n",
    );
    let path = format!("{}:{}", prefix.join("bin").display(), hidden.display());
    let prefix = prefix.with("PATH", path);
    fixes(
        &prefix,
        ARM,
        "qemu",
        "warning",
        "neither `qemu-arm` nor `qemu-arm-static`",
    );
}

#[test]
fn a_program_that_does_not_run() {
    let prefix = target();
    let run = |prefix: &Prefix, message: &str| fixes(prefix, ARM, "run", "error", message);
    let cpu = prefix.with("QEMU_CPU", "nonsense");
    assert_eq!(run(&cpu, "does not run"), "unset QEMU_CPU");
    let file = prefix.join(format!("etc/crossmerge/targets/{ARM}.toml"));
    let text = fs::read_to_string(&file).expect("the target's file");
    fs::write(&file, format!("cpu = \"nonsense\"\n{text}")).expect("a file");
    assert!(run(&prefix, "does not run").starts_with("sed -i"));
    assert_eq!(fs::read_to_string(&file).expect("the same"), text);
    fs::remove_file(sysroot(&prefix, "lib")).expect("gone");
    run(&prefix, "ld-linux.so.3");
    let mode = fs::metadata(sysroot(&prefix, "usr/lib/libc.so.6"))
        .expect("libc")
        .permissions()
        .mode();
    assert_ne!(mode, 0);
}
