//! Golden plans: what each applet decides, per tuple family; and that a plan pasted into a shell is what the link runs.

use crate::support::Prefix;
use snapbox::{Data, assert_data_eq};

/// One tuple of each kind that differs in what an applet does.
const TUPLES: [&str; 4] = [
    "armv4tl-softfloat-linux-gnueabi",
    "s390x-ibm-linux-gnu",
    "avr",
    "hppa2.0-unknown-linux-gnu",
];

/// A prefix in which portageq answers for a machine and for targets, and every tool is there and does nothing.
fn prefix() -> Prefix {
    let mut prefix = Prefix::new();
    prefix.script(
        "tools/portageq",
        r#"#!/bin/sh
[ -z "$CHOST$SYSROOT$ROOT" ] || exit 9
[ -n "$PORTAGE_CONFIGROOT" ] || [ -z "$CFLAGS$CBUILD$EPREFIX" ] || exit 9
for name; do
    case $PORTAGE_CONFIGROOT:$name in
    *:envvar | *:-v) ;;
    */usr/avr:ROOT) echo "ROOT='/srv/avr board/'" ;;
    *:ROOT) echo "ROOT=/" ;;
    :CBUILD) echo CBUILD=x86_64-pc-linux-gnu ;;
    :CFLAGS) printf "CFLAGS='-O2\n  -pipe'\n" ;;
    *) echo "$name=''" ;;
    esac
done
"#,
    );
    let applets = prefix.own(["applets"]).success().stdout;
    for tool in applets.lines().filter(|tool| *tool != "portageq") {
        prefix.script(&format!("tools/{tool}"), "#!/bin/sh\n");
    }
    for tuple in TUPLES {
        std::fs::create_dir_all(prefix.join(format!("usr/{tuple}/usr/lib64/pkgconfig")))
            .expect("a sysroot");
        for applet in applets.lines() {
            prefix.link(&format!("{tuple}-{applet}"));
        }
    }
    prefix.script("tools/make", "#!/bin/sh\n");
    prefix.script("bin/avr-gcc", "#!/bin/sh\n");
    prefix.script("bin/s390x-ibm-linux-gnu-clang", "#!/bin/sh\n");
    // `env` is a real tool of every machine; the fake would hide what a pasted plan does.
    std::fs::remove_file(prefix.join("tools/env")).expect("gone");
    prefix.set("LANG", "C");
    prefix
}

#[test]
fn each_applet_has_its_golden_plan() {
    let prefix = prefix();
    // Without the machine's own folders: it may have cross compilers too.
    let path = ["bin", "tools"]
        .map(|folder| prefix.join(folder).display().to_string())
        .join(":");
    let prefix = prefix.with("PATH", path);
    let applets = prefix.own(["applets"]).success().stdout;
    for tuple in TUPLES {
        let mut plans = String::new();
        // fix-root runs no program.
        for applet in applets.lines().filter(|applet| *applet != "fix-root") {
            let plan = prefix
                .own(["plan", tuple, applet, "make", "--second=a b"])
                .success()
                .stdout;
            plans += &format!("# {tuple}-{applet} make '--second=a b'\n{plan}\n");
        }
        let plans = plans.replace(&prefix.path().display().to_string(), "[PREFIX]");
        let golden = Data::read_from(format!("tests/data/plans/{tuple}.txt").as_ref(), None).raw();
        assert_data_eq!(plans, golden);
    }
}

#[test]
fn a_variable_that_is_set_already_wins() {
    let prefix = prefix();
    let tuple = TUPLES[0];
    let own = prefix.join("own");
    std::fs::create_dir(&own).expect("a sysroot");
    let own = own.display().to_string();
    for (name, value) in [
        ("CBUILD", "mine"),
        ("BUILD_CFLAGS", "-Og"),
        ("ROOT", "/mnt/board"),
        ("SYSROOT", own.as_str()),
        ("EPREFIX", "/pre"),
        ("PORTAGE_CONFIGROOT", "/conf"),
    ] {
        let plan = prefix
            .with(name, value)
            .own(["plan", "--json", tuple, "emerge"])
            .success()
            .stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
        let set = plan["env"].get(name);
        assert!(set.is_none_or(|set| set == value), "{name}: {plan:#}");
    }
    let plan = prefix
        .with("EPREFIX", "/pre")
        .own(["plan", "--json", tuple, "emerge"])
        .success()
        .stdout;
    assert!(
        plan.contains(&format!("usr/{tuple}/pre\"")),
        "PORTAGE_CONFIGROOT is SYSROOT and EPREFIX: {plan}"
    );
}

#[test]
fn a_pasted_plan_does_what_the_link_does() {
    let prefix = prefix();
    let tuple = TUPLES[2];
    prefix.script("tools/emerge", "#!/bin/sh\nenv -0 | sort -z | grep -zv -e ^_= -e ^PWD= -e ^SHLVL= -e ^OLDPWD=; printf '%s|' \"$@\"\n");
    let args = ["a b", "it's", "$HOME", "two\nlines", "\u{7}"];
    let direct = prefix.run(&format!("{tuple}-emerge"), args).success();
    let plan = prefix
        .own(["plan", tuple, "emerge"].iter().chain(&args))
        .success();
    let pasted = prefix.command("/bin/bash", ["-c", &plan.stdout]).success();
    assert_eq!(direct.stdout, pasted.stdout);
    assert!(
        direct.stdout.contains("BUILD_CFLAGS=-O2\n  -pipe"),
        "{}",
        direct.stdout
    );
    assert!(
        direct.stdout.contains("ROOT=/srv/avr board/"),
        "{}",
        direct.stdout
    );
}

#[test]
fn env_prints_what_a_shell_can_eval_and_runs_what_it_is_given() {
    let prefix = prefix();
    let tuple = TUPLES[2];
    let wanted = format!(
        "avr {} x86_64-pc-linux-gnu avr-gcc",
        prefix.join("usr/avr").display()
    );
    let script = format!("eval \"$({tuple}-env)\" && echo $CHOST $SYSROOT $CBUILD $CC");
    assert_eq!(
        prefix
            .command("/bin/sh", ["-c", &script])
            .success()
            .stdout
            .trim(),
        wanted
    );
    let said = prefix
        .run(
            &format!("{tuple}-env"),
            ["sh", "-c", "echo $CHOST $SYSROOT $CBUILD $CC"],
        )
        .success();
    assert_eq!(said.stdout.trim(), wanted);
}

#[test]
fn env_runs_a_command_that_is_ours_too() {
    let prefix = prefix();
    prefix.script("tools/emerge", "#!/bin/sh\necho \"$CHOST $CC $*\"\n");
    let said = prefix.run("avr-env", ["avr-emerge", "x"]).success();
    assert_eq!(said.stdout, "avr avr-gcc --root-deps=rdeps x\n");
    assert_eq!(
        prefix
            .run("avr-env", ["crossmerge", "applets"])
            .success()
            .stdout
            .lines()
            .last(),
        Some("quickpkg")
    );
}

#[test]
fn what_portageq_cannot_tell_is_an_error_with_its_own_words() {
    let prefix = prefix();
    prefix.script(
        "tools/portageq",
        "#!/bin/sh\necho '!!! make.conf: bad' >&2\nexit 1\n",
    );
    let said = prefix.own(["plan", TUPLES[0], "emerge"]).fails(
        125,
        "portageq did not tell",
        "run it by hand",
    );
    assert!(said.stderr.contains("!!! make.conf: bad"), "{said:#?}");
}

#[test]
fn a_portageq_of_another_prefix_is_asked_and_not_read_around() {
    let mut prefix = Prefix::with_portage();
    prefix.own(["init", TUPLES[0]]).success();
    let cbuild = |prefix: &Prefix| {
        let plan = prefix
            .own(["plan", "--json", TUPLES[0], "emerge"])
            .success()
            .stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
        plan["env"]["CBUILD"].as_str().expect("a string").to_owned()
    };
    let script = "#!/bin/sh\nfor name; do echo \"$name=asked\"; done\n";
    prefix.script("tools/portageq", script);
    assert_eq!(
        cbuild(&prefix),
        "x86_64-pc-linux-gnu",
        "what can be read is read"
    );
    prefix.write("etc/crossmerge/crossmerge.toml", "ask_portageq = true\n");
    assert_eq!(cbuild(&prefix), "asked", "a person wants portageq");
    prefix.write("etc/crossmerge/crossmerge.toml", "");
    // Without the variable our prefix is `/`, and a portageq in a folder of somebody's is not its Portage.
    let sysroot = prefix.join(format!("usr/{}", TUPLES[0]));
    prefix.unset("PORTAGE_OVERRIDE_EPREFIX");
    prefix.set("SYSROOT", sysroot);
    assert_eq!(cbuild(&prefix), "asked");
}

/// Makes a root of its own in a mount namespace, in which Portage has no prefix, and runs the rest of the words there.
/// Everything of this machine is bound into it, but for /etc.
const NO_PREFIX: &str = r#"
    root=$PWD/root
    mkdir -p "$root/etc" "$root/share"
    for path in /*; do
        name=${path#/}
        case $name in etc | share | lost+found) continue ;; esac
        if [ -L "$path" ]; then
            cp -P "$path" "$root"
        elif [ -d "$path" ]; then
            mkdir "$root/$name"
            mount --rbind "$path" "$root/$name"
        fi
    done
    cp /etc/passwd /etc/group "$root/etc"
    cp -a etc/portage etc/crossmerge "$root/etc"
    cp -a share/portage "$root/share"
    exec /usr/sbin/chroot "$root" "$@"
"#;

#[test]
fn without_a_prefix_reading_says_what_portageq_says() {
    let prefix = Prefix::with_portage();
    prefix.append(
        "etc/portage/make.conf",
        "MAKEOPTS=\"-j5\"\nFEATURES=\"-news ccache\"\n",
    );
    let make_conf = prefix.read("etc/portage/make.conf");
    // A target beside the machine's configuration, with a ROOT of its own.
    prefix.write(
        "sysroot/etc/portage/make.conf",
        &format!("CHOST=avr\nROOT=\"{}/sysroot/\"\n", prefix.path().display()),
    );
    let run = |mode: &str, portageq: Option<&str>, sysroot: &str, words: &[&str]| {
        prefix.write("etc/crossmerge/crossmerge.toml", mode);
        let _ = std::fs::remove_file(prefix.join("tools/portageq"));
        if let Some(script) = portageq {
            prefix.script("tools/portageq", script);
        }
        let crossmerge = prefix.join("bin/crossmerge").display().to_string();
        let outside = ["-rm", "/bin/sh", "-ec", NO_PREFIX, "sh", &crossmerge];
        let prefix = prefix
            .with("PORTAGE_OVERRIDE_EPREFIX", "")
            .with("SYSROOT", prefix.join(sysroot));
        let said = prefix
            .command("unshare", outside.iter().chain(words))
            .success();
        std::fs::remove_dir_all(prefix.join("root")).expect("nothing is mounted any more");
        said.stdout
    };
    let tuple = TUPLES[0];
    for (sysroot, words, proof) in [
        (
            "sysroot",
            ["plan", "--json", tuple, "emerge"].as_slice(),
            "x86_64-pc-linux-gnu",
        ),
        ("new", &["init", "--dry-run", tuple], "+MAKEOPTS=\"-j5\""),
    ] {
        let asked = run("ask_portageq = true\n", None, sysroot, words);
        // Here a portageq that knows nothing stands in, so that what is said was read.
        let read = run("", Some("#!/bin/sh\nexit 1\n"), sysroot, words);
        assert_eq!(asked, read);
        assert!(asked.contains(proof), "no {proof:?} in {asked}");
    }
    assert_eq!(prefix.read("etc/portage/make.conf"), make_conf);
}
