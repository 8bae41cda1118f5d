//! `crossmerge doctor`: each check sees a real target broken in its way, and the command in its finding fixes it.
//!
//! The target is built by a small copy of Debian's toolchain (`doctor/sdk.sh`), so that any part of it can be broken.

use crate::support::Prefix;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// A second target of the same toolchain.
const OTHER: &str = "armv5tel-unknown-linux-gnueabi";

/// What the first is called beside a real compiler with its name: no link of ours replaces that.
const BESIDE: &str = "armv4tl-unknown-linux-gnueabi";

/// One line of the report.
#[derive(Debug, serde::Deserialize)]
struct Line {
    tuple: String,
    check: String,
    status: String,
    message: String,
    #[serde(rename = "mend")]
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

/// Sees one finding, of this check and no other; runs its command in a shell; and sees that nothing is wrong any more.
#[track_caller]
fn fixes(prefix: &Prefix, tuple: &str, check: &str, status: &str, says: &str) -> String {
    mends_as(prefix, [tuple, tuple], check, status, says)
}

/// The same, where the command makes another target that is right.
#[track_caller]
fn mends_as(
    prefix: &Prefix,
    [tuple, other]: [&str; 2],
    check: &str,
    status: &str,
    says: &str,
) -> String {
    let said = prefix.own(["doctor", "--json", tuple]);
    assert_eq!(
        said.code,
        Some(1),
        "no finding of `{check}`: {}",
        said.stderr
    );
    let found = findings(lines(&said.stdout));
    let [line] = &found[..] else {
        panic!("not one finding: {found:#?}");
    };
    assert_eq!(
        (&*line.tuple, &*line.check, &*line.status),
        (tuple, check, status),
        "{line:#?}"
    );
    assert!(line.message.contains(says), "no {says:?} in {line:#?}");
    let fix = line.fix.clone().expect("a command");
    let script = format!("{{ {fix}; }} >&2 || exit 99\ncrossmerge doctor --json {other}");
    let said = prefix.command("/bin/sh", ["-c", &script]);
    assert_ne!(said.code, Some(99), "`{fix}` fails: {}", said.stderr);
    let left = findings(lines(&said.stdout));
    assert!(left.is_empty(), "after `{fix}`: {left:#?}\n{}", said.stderr);
    assert_eq!(said.code, Some(0));
    fix
}

/// What the check of this name came to, as `status: message`.
fn state(prefix: &Prefix, tuple: &str, check: &str) -> String {
    let said = prefix.own(["doctor", "--json", tuple]);
    let lines = lines(&said.stdout);
    let line = lines.into_iter().find(|line| line.check == check);
    let line = line.expect(check);
    format!("{}: {}", line.status, line.message)
}

#[test]
fn a_fresh_target_has_no_findings() {
    let prefix = Prefix::with_portage();
    let adopt = ["--toolchain", "arm-linux-gnueabi-", "--with-libc"];
    prefix.own(["init", ARM].iter().chain(&adopt)).success();
    let said = prefix.own(["doctor"]).success().stdout;
    let ok = said.strip_prefix(&format!("{ARM}: "));
    let ok = ok.and_then(|said| said.strip_suffix(" ok, 2 skipped\n"));
    let ok: usize = ok
        .and_then(|ok| ok.parse().ok())
        .unwrap_or_else(|| panic!("{said}"));
    let all = lines(&prefix.own(["doctor", "--json"]).success().stdout);
    let skipped: Vec<&str> = all
        .iter()
        .filter(|line| line.status != "ok")
        .map(|line| line.check.as_str())
        .collect();
    assert_eq!(skipped, ["abi", "libc-package"], "{all:#?}");
    assert!(all.iter().all(|line| line.fix.is_none()));
    assert_eq!(ok, all.len() - 2);
    // The whole report is one line a check, under the summary.
    let whole = prefix.own(["doctor", "--verbose"]).success().stdout;
    assert_eq!(whole.lines().count(), all.len() + 1);
    assert!(whole.contains("\n  ok       tuple "), "{whole}");
    // One check, with what it needs made and not reported.
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
fn findings_come_last_and_in_colour_where_it_is_wanted() {
    let prefix = target();
    fs::remove_file(sysroot(&prefix, "usr/include/stdio.h")).expect("a header");
    let said = prefix.own(["doctor", "-v", ARM]);
    let errors: Vec<&str> = said
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("  error"))
        .collect();
    assert!(
        errors
            .iter()
            .all(|line| !line.starts_with("  ok") && !line.starts_with("  skipped")),
        "{said:#?}"
    );
    assert!(!said.stdout.contains('\u{1b}'), "{said:#?}");
    let coloured = prefix.with("CLICOLOR_FORCE", "1");
    let red = "\u{1b}[1m\u{1b}[31merror";
    assert!(coloured.own(["doctor", ARM]).stdout.contains(red));
    assert!(coloured.own(["doctor", "nonsense"]).stderr.contains(red));
    let plain = coloured.with("NO_COLOR", "1");
    assert!(!plain.own(["doctor", ARM]).stdout.contains('\u{1b}'));
    assert!(!plain.own(["doctor", "nonsense"]).stderr.contains('\u{1b}'));
}

#[test]
fn every_target_is_looked_at_and_the_exit_code_tells() {
    let prefix = target();
    let toolchain = prefix
        .join("sdk/bin/arm-linux-gnueabi-")
        .display()
        .to_string();
    let adopt = ["--toolchain", &toolchain, "--with-libc"];
    prefix.own(["init", OTHER].iter().chain(&adopt)).success();
    prefix.own(["doctor"]).success();
    fs::remove_file(prefix.join(format!("bin/{OTHER}-emerge"))).expect("gone");
    let said = prefix.own(["doctor"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.starts_with(&format!("{ARM}: ")), "{said:#?}");
    assert!(said.stdout.contains(&format!("\n{OTHER}: ")), "{said:#?}");
    let finding = format!(
        "  error    links           every symlink of the target exists and leads to crossmerge\n           \
         not in `{}`: `{OTHER}-emerge`\n           hint: crossmerge init {OTHER}\n",
        prefix.join("bin").display()
    );
    assert!(said.stdout.contains(&finding), "{said:#?}");
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
fn a_target_that_is_nowhere_is_one_finding() {
    let prefix = Prefix::new();
    let said = prefix.own(["doctor", "--json", "arm-none-eabi"]);
    let found = findings(lines(&said.stdout));
    let checks: Vec<&str> = found.iter().map(|line| line.check.as_str()).collect();
    assert_eq!(checks, ["sysroot"], "{found:#?}");
    // Nothing is initialised, so there is nothing to look at.
    assert_eq!(prefix.own(["doctor"]).success().stdout, "");
    assert_eq!(prefix.own(["doctor", "--json"]).success().stdout, "[]\n");
}

#[test]
fn a_tuple_of_this_machine() {
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
fn an_unknown_cpu_is_skipped_and_no_false_ok() {
    let prefix = Prefix::new();
    let tuple = "zap-unknown-linux-gnu";
    fs::create_dir_all(prefix.join(format!("usr/{tuple}/etc/portage"))).expect("a sysroot");
    let said = prefix.own(["doctor", "--json", tuple]).success();
    for line in lines(&said.stdout) {
        let skipped = ["facts", "links", "compiler", "machine", "run", "qemu"];
        if skipped.contains(&line.check.as_str()) {
            assert_eq!(line.status, "skipped", "{line:#?}");
        }
    }
    assert!(state(&prefix, tuple, "facts").contains("no profile contains the CPU `zap`"));
}

#[test]
fn variables_set_by_hand() {
    let prefix = portage_target();
    let with = |name: &str, value: &str, says: &str| {
        let prefix = prefix.with(name, value);
        let fix = fixes(&prefix, ARM, "environment", "error", says);
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
    let with = |name: &str, value: &str, says: &str| {
        let prefix = prefix.with(name, value);
        let fix = fixes(&prefix, ARM, "environment", "error", says);
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
fn an_init_that_was_cut_short_or_undone() {
    let prefix = portage_target();
    let record = sysroot(&prefix, "var/lib/crossmerge/contents");
    let text = fs::read_to_string(&record).expect("a record");
    fs::write(&record, format!("pending\n{text}")).expect("a record");
    // What a killed run leaves; the one finding's command takes it away too.
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
fn what_crossdev_left_half_made() {
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
fn an_update_that_waits() {
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
fn links_that_no_shell_finds_first() {
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
    fixes(&shadowed, ARM, "path", "error", "found before ours");
    // The program in one directory of PATH, its links in another that is not.
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
    let said = prefix.own(["doctor", "--json", ARM]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    fixes(&prefix, ARM, "portage", "error", "the host's settings");
}

#[test]
fn settings_that_portageq_is_asked_for() {
    let prefix = portage_target();
    let read = "ok: read without portageq";
    assert_eq!(state(&prefix, ARM, "settings"), read);
    // Portage makes nothing of a NUL in a comment; the reader leaves such a file to it.
    append(&sysroot(&prefix, "etc/portage/make.conf"), "# \0\n");
    let asked = state(&prefix, ARM, "settings");
    assert!(
        asked.starts_with("ok: portageq is called, since "),
        "{asked}"
    );
    assert!(asked.contains("make.conf`"), "{asked}");
}

#[test]
fn a_profile_that_leads_nowhere_or_elsewhere() {
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
}

#[test]
fn a_root_that_portage_refuses() {
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
    let fix = |prefix: &Prefix, says| {
        let fix = fixes(prefix, ARM, "compiler", "error", says);
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

/// Takes a file out of the small toolchain; the one in Debian's place is adopted instead.
fn without_part(part: &str, check: &str, says: &str) {
    let prefix = target();
    let part = prefix.command("/bin/sh", ["-c", &format!("rm -v {part}")]);
    assert_eq!(part.code, Some(0), "{part:#?}");
    let fix = fixes(&prefix, ARM, check, "error", says);
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
    let says = "cannot link even without a library: ld: error: out of order";
    fixes(&prefix, ARM, "link", "error", says);
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
    // The links of two toolchains are the same but for a few: those are made first.
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
    // The small toolchain as it would be were it built with `--with-float=hard`.
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
    // The small toolchain's library, marked as the other ABI's: EF_ARM_ABI_FLOAT_HARD for _SOFT in e_flags.
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

/// A target whose compiler is a script in PATH and was not adopted.
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
    let fix = mends_as(
        &prefix,
        [ARM, BESIDE],
        "search",
        "error",
        "the compiler's sysroot is `/`",
    );
    assert!(fix.contains(&format!("tools/{ARM}- ")), "{fix}");
}

#[test]
fn a_compiler_that_finds_this_machines_headers() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc --sysroot=SYSROOT -idirafter /usr/include \"$@\"\n",
    );
    let says = "the host's headers in `/usr/include`";
    mends_as(&prefix, [ARM, BESIDE], "search", "error", says);
}

#[test]
fn a_compiler_that_heeds_no_sysroot_of_the_callers() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc \"$@\" -B SYSROOT/usr/lib --sysroot=SYSROOT\n",
    );
    let beside = [ARM, BESIDE];
    let fix = mends_as(&prefix, beside, "esysroot", "error", "`--sysroot` names");
    assert!(
        fix.contains("--toolchain /usr/bin/arm-linux-gnueabi- "),
        "{fix}"
    );
}

#[test]
fn a_compiler_that_prefers_its_own_sysroot_to_the_callers() {
    let prefix = with_script(
        "#!/bin/sh\nexec arm-linux-gnueabi-gcc -BSYSROOT/usr/lib --sysroot=SYSROOT \"$@\"\n",
    );
    let says = "prefers its own sysroot to the one that `--sysroot` names: it uses";
    mends_as(&prefix, [ARM, BESIDE], "esysroot", "error", says);
}

#[test]
fn a_libc_with_gaps() {
    let prefix = target();
    for (file, says) in [
        ("usr/lib/crt1.o", "no `crt1.o`"),
        ("usr/include/stdio.h", "the libc's headers"),
        ("usr/lib/libc.so", "no `libc.so`"),
    ] {
        fs::remove_file(sysroot(&prefix, file)).expect(file);
        let fix = fixes(&prefix, ARM, "libc", "error", says);
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
fn a_libc_that_portage_does_not_know() {
    let prefix = portage_target();
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
    // Portage itself takes the line for the package.
    let said = prefix.run(&format!("{ARM}-emerge"), ["-p", "sys-libs/glibc"]);
    assert!(
        (said.stdout.clone() + &said.stderr).contains("package.provided"),
        "{said:#?}"
    );
    // And a package that owns the library is known without the line.
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
    // A pkg-config with no idea of freedesktop's rules, and one that forgets the sysroot.
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
            "sysroot once before each flag's path",
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
            "sysroot once before each flag's path",
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
fn a_config_site_that_is_not_there() {
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
    // A program of that name is no script.
    fs::copy("/bin/true", sysroot(&prefix, "usr/bin/elf-config")).expect("a copy");
    // Another ROOT is not what was looked at.
    let board = prefix.with("ROOT", prefix.join("board"));
    fs::create_dir(prefix.join("board")).expect("a directory");
    let fix = fixes(&board, ARM, "config-scripts", "warning", "z-config");
    assert!(fix.starts_with("SYSROOT=/"), "{fix}");
    let said = prefix
        .command(sysroot(&prefix, "usr/bin/z-config"), ["--libs"])
        .success();
    assert_eq!(said.stdout, format!("-L{inside} -lz\n"));

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
fn flags_that_the_compiler_does_not_take() {
    let prefix = portage_target();
    let conf = sysroot(&prefix, "etc/portage/make.conf");
    let text = fs::read_to_string(&conf).expect("make.conf");
    let slip = text.replace("-march=armv4t", "-march=armv4t.x*");
    assert_ne!(slip, text);
    fs::write(&conf, &slip).expect("a file");
    let flags = |prefix: &Prefix, says| fixes(prefix, ARM, "flags", "error", says);
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
    // The machine's programs without QEMU and without apt, which stands for what would install it.
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
    let run = |prefix: &Prefix, says: &str| fixes(prefix, ARM, "run", "error", says);
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
