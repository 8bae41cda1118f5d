//! The completions that `make install` installs, used in real shells: bash with bash-completion, zsh and fish.
//!
//! A symlink is completed by its tool's own completion. For make, gcc, pkg-config and configure these are the shells'
//! real ones, and for emerge in fish too. Gentoo's completions for bash and zsh are not available here. A stand-in
//! for them records its arguments.

use crate::{
    install::installed,
    support::{Output, Prefix, prepared},
};
use std::{collections::BTreeMap, ffi::OsString, path::Path};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// A command line, the words that must be offered for it, and the words that must not. `@` is the tuple.
const LINES: &[(&str, &[&str], &[&str])] = &[
    ("crossmerge s", &["show", "site-cache"], &["init"]),
    ("crossmerge binfmt reg", &["register"], &["status"]),
    ("crossmerge init --dr", &["--dry-run"], &["--llvm"]),
    (
        "crossmerge init --toolchain arm-linux-gnueabi-",
        &["arm-linux-gnueabi-"],
        &[],
    ),
    ("crossmerge show ", &["@"], &["directory"]),
    (
        "crossmerge init riscv64-unknown-linux-",
        &["riscv64-unknown-linux-gnu", "riscv64-unknown-linux-musl"],
        &["@"],
    ),
    ("crossmerge doctor @ arm", &["@"], &[]),
    ("crossmerge targets ", &[], &["@", "directory"]),
    (
        "crossmerge plan @ e",
        &["emerge", "env", "equery"],
        &["run", "embedded"],
    ),
    // The tools of the adopted toolchain, which another target need not have.
    ("crossmerge plan @ gc", &["gcc", "gcc-ar"], &["emerge"]),
    ("crossmerge plan @ gcc -mabi=aap", &["aapcs"], &[]),
    ("crossmerge plan @ emerge --onesh", &["--oneshot"], &[]),
    (
        "crossmerge plan --json @ emerge --pretend --onesh",
        &["--oneshot"],
        &[],
    ),
    (
        "crossmerge export @ m",
        &["meson", "meson-native"],
        &["cmake"],
    ),
    (
        "crossmerge profile set @ e",
        &["embedded"],
        &["auto", "emerge"],
    ),
    (
        "crossmerge site-cache explain @ ac_cv_func_malloc",
        &["ac_cv_func_malloc_0_nonnull"],
        &[],
    ),
    (
        "crossmerge site-cache verify --probe mall",
        &["malloc_0"],
        &["brk"],
    ),
    (
        "crossmerge site-cache learn @ ./configure --with-f",
        &["--with-foo"],
        &[],
    ),
    ("emerge-wrapper --t", &["--target"], &[]),
    ("emerge-wrapper --target ", &["@"], &[]),
    ("emerge-wrapper --target @ --in", &["--init"], &[]),
    (
        "emerge-wrapper --target @ --pretend --onesh",
        &["--oneshot"],
        &["--init"],
    ),
    ("@-emerge --onesh", &["--oneshot"], &[]),
    ("emerge-@ --onesh", &["--oneshot"], &[]),
    ("cross-emerge --onesh", &["--oneshot"], &[]),
    ("@-env @-emer", &["@-emerge"], &[]),
    ("@-env @-emerge --onesh", &["--oneshot"], &[]),
    // The target's compiler prints its options: ARM's, and none of the build machine's CPU.
    ("@-gcc -fno-inlin", &["-fno-inline"], &[]),
    ("@-gcc -mfloat-abi=", &["softfp"], &[]),
    ("@-g++ -mred", &[], &["-mred-zone"]),
    ("@-pkg-config --lib", &["--libs"], &["--cflags"]),
    ("@-configure --with-f", &["--with-foo"], &[]),
    ("@-chroot --b", &["--bind"], &["--root"]),
    ("@-fix-root --inst", &["--installed"], &["--dry-run"]),
    // A user's own applet whose command is make.
    ("@-mine some", &["something"], &[]),
    // A command that is not crossmerge's.
    ("other-tool dir", &["directory"], &[]),
];

/// A prefix with everything installed, a target, and the files that the lines name.
fn prefix() -> Prefix {
    let mut prefix = Prefix::new();
    installed(&prefix);
    let root = prefix.path();
    let below = |path: &str| root.join(path).display().to_string();
    prefix.set(
        "PATH",
        format!("{}:{}:/usr/bin:/bin", below("usr/bin"), below("tools")),
    );
    for (name, value) in [
        ("HOME", below("home")),
        (
            "XDG_DATA_DIRS",
            format!("{}:/usr/share", below("usr/share")),
        ),
        (
            "BASH_COMPLETION_COMPAT_DIR",
            below("usr/etc/bash_completion.d"),
        ),
        ("BASH_COMPLETION_USER_DIR", below("bash")),
        ("ZSH_FUNCTIONS", below("usr/share/zsh/site-functions")),
        ("ASKED", below("asked")),
        ("LC_ALL", "C.UTF-8".into()),
        ("TERM", "dumb".into()),
    ] {
        prefix.set(name, value);
    }
    prefix.write(
        "etc/crossmerge/wrappers/mine.toml",
        "summary = \"Make things\"\ncommand = \"make\"\n",
    );
    let crossmerge = root.join("usr/bin/crossmerge");
    prefix
        .command(
            crossmerge,
            ["init", TUPLE, "--toolchain", "arm-linux-gnueabi-"],
        )
        .success();
    prefix.script("tools/other-tool", "#!/bin/sh\n");
    prefix.script("tools/emerge", "#!/bin/sh\n");
    prefix.script(
        "configure",
        "#!/bin/sh\necho '  --with-foo   build with foo'\necho '  --prefix=DIR install there'\n",
    );
    prefix.write("Makefile", "something:\n");
    prefix.write("directory/file", "");
    prefix.write("home/.keep", "");
    prefix.write(
        "bash/completions/emerge",
        "_emerge() {\n\
         \techo \"$1|$2|$3|$COMP_LINE|$COMP_POINT|$COMP_CWORD|${COMP_WORDS[*]}\" >> \"$ASKED\"\n\
         \tCOMPREPLY=($(compgen -W '--oneshot --pretend' -- \"$2\"))\n}\n\
         complete -F _emerge emerge\n",
    );
    prefix.write(
        "functions/_portage",
        "#compdef emerge\nprint -r -- \"$words[*]|$CURRENT\" >> $ASKED\ncompadd -- --oneshot --pretend\n",
    );
    prefix
}

/// Completes lines in a shell with its script in `tests/completions`, and returns the words that each line gets.
fn ask(
    prefix: &Prefix,
    shell: &str,
    before: &[OsString],
    lines: &[String],
) -> BTreeMap<String, Vec<String>> {
    let script = format!(
        "{}/tests/completions/ask.{shell}",
        env!("CARGO_MANIFEST_DIR")
    );
    let args = std::iter::once(script.into())
        .chain(before.iter().cloned())
        .chain(lines.iter().map(OsString::from));
    let output: Output = prefix.command(shell, args).success();
    // fish's own completion for emerge reads files that only Gentoo has.
    let noise = output
        .stderr
        .lines()
        .find(|line| !line.starts_with("cat: /usr/share/portage"));
    assert_eq!(noise, None, "a completion writes over what is being typed");
    let mut offered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut words = &mut Vec::new();
    for line in output.stdout.lines() {
        match line.strip_prefix("== ") {
            Some(line) => words = offered.entry(line.into()).or_default(),
            // A directory may end in a slash, and spaces mark an option that takes a value. bash splits a word at its
            // `=` and offers the value alone.
            None => {
                let word = line.trim().trim_end_matches(['/', '=']);
                words.push(word.rsplit('=').next().unwrap_or(word).into());
            }
        }
    }
    offered
}

fn check(prefix: &Prefix, shell: &str, before: &[OsString]) {
    let with_tuple = |text: &str| text.replace('@', TUPLE);
    let lines: Vec<String> = LINES.iter().map(|(line, ..)| with_tuple(line)).collect();
    let offered = ask(prefix, shell, before, &lines);
    for (line, wanted, unwanted) in LINES {
        let line = with_tuple(line);
        let offered = offered
            .get(&line)
            .unwrap_or_else(|| panic!("{shell}: {line}"));
        let has = |word: &&&str| offered.contains(&with_tuple(word));
        assert_eq!(
            wanted.iter().find(|word| !has(word)),
            None,
            "{shell}: `{line}` is offered {offered:?}"
        );
        assert_eq!(
            unwanted.iter().find(has),
            None,
            "{shell}: `{line}` is offered {offered:?}"
        );
    }
}

#[test]
fn bash_completes_commands_and_symlinks_like_their_tools() {
    let prefix = prefix();
    let before = ["/usr/share/bash-completion/bash_completion".into()];
    check(&prefix, "bash", &before);
    // emerge's completion gets the line that a user would have typed for emerge.
    let asked = prefix.read("asked");
    let first = "emerge|--onesh|emerge|emerge --onesh|14|1|emerge --onesh";
    let second = "emerge|--onesh|--pretend|emerge --pretend --onesh|24|2|emerge --pretend --onesh";
    for line in asked.lines() {
        assert!(
            line == first || line == second || line.contains("--in"),
            "{line}"
        );
    }
    assert!(asked.contains(first) && asked.contains(second), "{asked}");
}

#[test]
fn bash_completes_with_the_newest_bash_completion_too() {
    let mut prefix = prefix();
    let newest = prepared("bash-completion/usr/share");
    prefix.set(
        "XDG_DATA_DIRS",
        format!(
            "{}:{}",
            prefix.join("usr/share").display(),
            newest.display()
        ),
    );
    check(
        &prefix,
        "bash",
        &[newest.join("bash-completion/bash_completion").into()],
    );
}

#[test]
fn zsh_completes_commands_and_symlinks_like_their_tools() {
    let prefix = prefix();
    check(&prefix, "zsh", &[prefix.path().into()]);
    let asked = prefix.read("asked");
    assert!(asked.contains("emerge --pretend --onesh|3\n"), "{asked}");
}

#[test]
fn fish_completes_commands_and_symlinks_like_their_tools() {
    let prefix = prefix();
    check(&prefix, "fish", &[]);
}

#[test]
fn without_a_completion_for_emerge_its_options_are_read_once() {
    let mut prefix = prefix();
    std::fs::remove_file(prefix.join("bash/completions/emerge")).expect("a file");
    let emerge = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo/venv/bin/emerge");
    assert!(emerge.exists(), "no `{}`: run demo/setup", emerge.display());
    prefix.unset("PORTAGE_OVERRIDE_EPREFIX");
    prefix.script(
        "tools/emerge",
        &format!(
            "#!/bin/sh\necho \"$@\" >> {}\nexec {} \"$@\"\n",
            prefix.join("ran").display(),
            emerge.display()
        ),
    );
    let line = |option: &str| format!("cross-emerge {option}");
    let lines = [line("--depc"), line("--col"), line("--zzz")];
    let before = ["/usr/share/bash-completion/bash_completion".into()];
    let offered = ask(&prefix, "bash", &before, &lines);
    assert_eq!(offered[&lines[0]], ["--depclean"]);
    assert!(
        offered[&lines[1]].contains(&"--color".into()),
        "{offered:?}"
    );
    assert_eq!(offered[&lines[2]], [""]);
    assert_eq!(prefix.read("ran"), "--help\n");
}
