//! The site cache: its answers, their precedence, and that only configure scripts of Autoconf get them.

mod autoconf;
mod emulate;
mod learn;
mod panel;
mod questions;
mod scan;
mod shells;
mod verify;

use crate::support::{Output, Prefix};

const ARM: &str = "armv5tel-unknown-linux-gnueabi";

const MALLOC: &str = "ac_cv_func_malloc_0_nonnull";

/// A value that needs quoting.
const WORDS: &str = "no, but it's {partly} $working";

/// A target with Debian's toolchain and one answer of the user's own.
fn target() -> Prefix {
    let mut prefix = Prefix::new();
    let init = ["init", ARM, "--toolchain", "arm-linux-gnueabi-"];
    prefix.own(init).success();
    prefix.set("HOME", prefix.join("home"));
    own_answers(&prefix, ARM, &format!("x_cv_words = \"{WORDS}\"\n"));
    prefix
}

/// Writes a user's own answers for a layer or a tuple.
fn own_answers(prefix: &Prefix, stem: &str, answers: &str) {
    let file = format!("etc/crossmerge/site-cache/{stem}.toml");
    prefix.write(&file, &format!("[answers]\n{answers}"));
}

/// Adds a line to the target's configuration, before its tables.
fn set(prefix: &Prefix, line: &str) {
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    prefix.write(&file, &format!("{line}\n{}", prefix.read(&file)));
}

fn list(prefix: &Prefix, tuple: &str) -> serde_json::Value {
    let output = prefix.own(["site-cache", "list", "--all", "--json", tuple]);
    serde_json::from_str(&output.success().stdout).expect("JSON")
}

/// The answer for a variable.
#[track_caller]
fn answer(prefix: &Prefix, tuple: &str, variable: &str) -> serde_json::Value {
    let list = list(prefix, tuple);
    let mut rows = list.as_array().expect("an array").iter();
    let row = rows.find(|row| row["name"] == variable);
    row.unwrap_or_else(|| panic!("no {variable} in {list:#}"))
        .clone()
}

fn explain(prefix: &Prefix, variable: &str) -> Output {
    prefix.own(["site-cache", "explain", ARM, variable])
}

#[test]
fn the_libc_selects_the_layers_and_a_tuple_without_one_gets_no_answers() {
    let prefix = Prefix::new();
    for (tuple, layer) in [
        (ARM, "linux-gnu"),
        ("s390x-ibm-linux-gnu", "linux-gnu"),
        ("mips64el-unknown-linux-gnuabi64", "linux-gnu"),
        ("aarch64-unknown-linux-musl", "linux-musl"),
        ("armv7a-unknown-linux-musleabihf", "linux-musl"),
    ] {
        let malloc = answer(&prefix, tuple, MALLOC);
        assert_eq!(
            (&malloc["layer"], &malloc["value"]),
            (&layer.into(), &"yes".into()),
            "{tuple}"
        );
    }
    assert_eq!(list(&prefix, "avr"), serde_json::json!([]));
}

#[test]
fn a_users_own_layers_and_answers_override_the_shipped_ones() {
    let prefix = Prefix::new();
    own_answers(&prefix, "linux-gnu", &format!("{MALLOC} = \"no\"\n"));
    let malloc = answer(&prefix, ARM, MALLOC);
    assert_eq!(
        (&malloc["value"], &malloc["given"]),
        (&"no".into(), &true.into())
    );
    assert_eq!(answer(&prefix, "s390x-linux-musl", MALLOC)["value"], "yes");
    // A more specific kind of layer replaces the answers of a more general one, whichever source has it.
    let layer = "kind = \"cpu\"\ntuples = [\"armv5*\"]\nexcept = [\"*-musl*\"]\n[answers]\n";
    let own = "etc/crossmerge/site-cache/old-arm.toml";
    prefix.write(
        own,
        &format!("{layer}{MALLOC} = {{ value = \"maybe\", asker = \"me\" }}\n"),
    );
    assert_eq!(answer(&prefix, ARM, MALLOC)["value"], "maybe");
    assert_eq!(
        answer(&prefix, "armv4t-unknown-linux-gnu", MALLOC)["value"],
        "no"
    );
    assert_eq!(
        answer(&prefix, "armv5te-linux-musl", MALLOC)["value"],
        "yes"
    );
    // A learned answer of the target overrides the layers, and the user's answer for the tuple overrides it.
    let learned = format!("var/lib/crossmerge/{ARM}/learned.toml");
    prefix.write(
        &learned,
        &format!("[answers]\n{MALLOC} = {{ value = \"seen\", obtained = \"learned\" }}\n"),
    );
    assert_eq!(answer(&prefix, ARM, MALLOC)["value"], "seen");
    own_answers(&prefix, ARM, &format!("{MALLOC} = \"mine\"\n"));
    let mine = answer(&prefix, ARM, MALLOC);
    let file = prefix.join(format!("etc/crossmerge/site-cache/{ARM}.toml"));
    assert_eq!(
        (&mine["value"], &mine["file"]),
        (&"mine".into(), &file.display().to_string().into())
    );
    let explanation = explain(&prefix, MALLOC).success().stdout;
    let overridden: Vec<&str> = explanation
        .lines()
        .filter_map(|line| line.strip_prefix("overrides  "))
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(overridden, ["seen", "maybe", "no", "yes"], "{explanation}");
    // A user may remove an answer.
    own_answers(&prefix, ARM, &format!("{MALLOC} = false\n"));
    let none = answer(&prefix, ARM, MALLOC);
    assert_eq!(
        (&none["value"], &none["given"]),
        (&serde_json::Value::Null, &false.into())
    );
    let render = prefix.own(["site-cache", "render", ARM]).success().stdout;
    assert!(!render.contains(MALLOC), "{render}");
}

#[test]
fn unverified_answers_are_given_only_on_request_and_marked() {
    let prefix = Prefix::new();
    let list = list(&prefix, ARM);
    let rows = list.as_array().expect("an array");
    let unverified = rows.iter().find(|row| row["verified"] == false);
    // Does nothing if every answer has a probe.
    let Some(unverified) = unverified else { return };
    let name = unverified["name"].as_str().expect("a name");
    let render = |prefix: &Prefix| prefix.own(["site-cache", "render", ARM]).success().stdout;
    let given = |prefix: &Prefix| answer(prefix, ARM, name)["given"].clone();
    assert_eq!(given(&prefix), false);
    assert!(!render(&prefix).contains(name));
    explain(&prefix, name).success();
    let explanation = explain(&prefix, name).stdout;
    assert!(
        explanation.contains("unverified_answers = true"),
        "{explanation}"
    );
    prefix.write(
        &format!("etc/crossmerge/targets/{ARM}.toml"),
        "unverified_answers = true\n",
    );
    assert_eq!(given(&prefix), true);
    let file = render(&prefix);
    let line = file
        .lines()
        .find(|line| line.contains(name) && line.contains("  # "));
    assert!(
        line.is_some_and(|line| line.contains("unverified")),
        "{file}"
    );
    let listed = prefix.own(["site-cache", "list", ARM]).success().stdout;
    let line = listed.lines().find(|line| line.contains(name));
    assert!(
        line.is_some_and(|line| line.contains("unverified")),
        "{listed}"
    );
}

#[test]
fn a_mistake_in_a_users_file_is_an_error_with_its_place() {
    for (stem, text, error) in [
        (
            ARM,
            "[answers]\nPATH = \"x\"\n",
            "`PATH`: it is not the name of a cache variable",
        ),
        (
            ARM,
            "[answers]\nx_cv_y = 1\n",
            "`x_cv_y`: an answer is a string",
        ),
        (
            ARM,
            "[answers]\nx_cv_y = true\n",
            "`x_cv_y`: an answer is a string",
        ),
        (
            ARM,
            "[answers]\nx_cv_y = { asker = \"x\" }\n",
            "missing field `value`",
        ),
        (
            ARM,
            "[answers]\nx_cv_y = { value = \"x\", prob = \"y\" }\n",
            "unknown field `prob`",
        ),
        (ARM, "[answers]\nx_cv_y = \"a\\nb\"\n", "control character"),
        (ARM, "answer = 1\n", "unknown field `answer`"),
        (
            "linux-gnu",
            "kind = \"cpu\"\ntuples = [\"*\"]\n",
            "a layer of this name is built in",
        ),
        (
            "my-layer",
            "kind = \"cpu\"\n",
            "a layer has both `kind` and `tuples`",
        ),
        ("a b", "[answers]\n", "neither that of a layer nor a tuple"),
    ] {
        let prefix = Prefix::new();
        let file = prefix.write(&format!("etc/crossmerge/site-cache/{stem}.toml"), text);
        let output = prefix.own(["site-cache", "list", ARM]);
        assert!(output.stderr.contains(error), "{text}: {output:#?}");
        output.fails(125, &file.display().to_string(), "site-cache/README.md");
    }
}

#[test]
fn an_unknown_variable_is_an_error_that_suggests_similar_names() {
    let prefix = Prefix::new();
    explain(&prefix, "ac_cv_func_malloc0_nonnull").fails(
        125,
        "no answer is known for `ac_cv_func_malloc0_nonnull`",
        MALLOC,
    );
    explain(&prefix, "PATH").fails(125, "no answer is known", "site-cache list");
}

#[test]
fn a_plan_names_the_file_and_the_command_that_prints_it() {
    let prefix = target();
    for applet in ["env", "emerge", "ebuild"] {
        prefix.script(&format!("tools/{applet}"), "#!/bin/sh\n");
        let plan = prefix.own(["plan", ARM, applet, "true"]).success().stdout;
        let file = prefix.join(format!("var/lib/crossmerge/{ARM}/config.site"));
        let first = format!("crossmerge site-cache render {ARM} > {}\n", file.display());
        // The plan omits the text of a config.site, which is long, and shows that of a toolchain file for nested
        // builds.
        assert!(
            plan.lines().count() < 200 && plan.contains(&first),
            "{plan}"
        );
        assert!(
            plan.contains(&format!("CONFIG_SITE={}", file.display())),
            "{plan}"
        );
        assert!(!file.exists(), "a plan writes nothing");
    }
    set(&prefix, "site_cache = \"off\"");
    let plan = prefix.own(["plan", ARM, "emerge", "x"]).success().stdout;
    assert!(!plan.contains("CONFIG_SITE"), "{plan}");
    let explanation = explain(&prefix, MALLOC).success().stdout;
    assert!(
        explanation.contains("given      no: `site_cache = \"off\"`"),
        "{explanation}"
    );
}

#[test]
fn the_exported_environment_names_an_existing_file_and_keeps_the_callers_file() {
    let prefix = target();
    let file = prefix.join(format!("var/lib/crossmerge/{ARM}/config.site"));
    let script = format!(
        "eval \"$(crossmerge export {ARM} env)\"; eval \"$(crossmerge export {ARM} env)\"
         echo \"$CROSSMERGE_CONFIG_SITE $CONFIG_SITE\""
    );
    let output = prefix
        .with("CONFIG_SITE", "/my/own")
        .command("/bin/sh", ["-eu", "-c", &script]);
    assert_eq!(
        output.success().stdout,
        format!("/my/own {}\n", file.display())
    );
    let rendered = prefix.own(["site-cache", "render", ARM]).success().stdout;
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        rendered
    );
    // The same holds for the output of `<tuple>-env`.
    std::fs::remove_file(&file).expect("it is there");
    let printed = prefix.run(&format!("{ARM}-env"), [""; 0]).success().stdout;
    assert!(
        printed.contains(&format!("export CONFIG_SITE={}\n", file.display())),
        "{printed}"
    );
    assert!(file.exists());
}
