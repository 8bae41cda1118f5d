//! The checks that configure scripts decide by running a program: in real packages, and in the same script by every
//! Autoconf.

use super::{ARM, MALLOC, autoconf::project};
use crate::support::{Prefix, prepared};
use snapbox::{Data, assert_data_eq};

/// Scans a script and returns the result as JSON.
fn scan(prefix: &Prefix, tuple: &str, script: &str) -> serde_json::Value {
    let output = prefix.own(["site-cache", "scan", tuple, script, "--json"]);
    let mut all: Vec<serde_json::Value> =
        serde_json::from_str(&output.success().stdout).expect("JSON");
    assert_eq!(all.len(), 1, "one script");
    all.remove(0)
}

/// A line for each check: the variable, its lines and its default. Also a line for each place that is no check.
fn listed(scan: &serde_json::Value) -> String {
    let mut text = String::new();
    for test in scan["tests"].as_array().expect("tests") {
        let default = match &test["default"] {
            serde_json::Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        let stops = if test["may_stop"] == true {
            "\tmay stop"
        } else {
            ""
        };
        text += &format!(
            "{}\t{}\t{default}{stops}\n",
            test["variable"].as_str().expect("a name"),
            test["lines"]
        );
    }
    for place in scan["places"].as_array().expect("places") {
        let kind = place["kind"].as_str().expect("a kind");
        if kind != "test" {
            text += &format!(
                "{kind}\t{}\t{}\n",
                place["line"],
                place["text"].as_str().expect("text")
            );
        }
    }
    text
}

/// Unpacks the script of a real package.
fn unpacked(prefix: &Prefix, archive: &str) -> String {
    let archive = prepared(&format!("chain/{archive}"));
    let args = [
        "-xf",
        &archive.display().to_string(),
        "--strip-components=1",
        "--wildcards",
        "*/configure",
    ];
    prefix.command("/bin/tar", args).success();
    prefix.join("configure").display().to_string()
}

#[test]
fn the_tests_of_real_packages_are_found_with_their_defaults() {
    for (package, archive) in [
        ("bash-5.2.15", "bash-5.2.15.tar.gz"),
        ("sed-4.9", "sed-4.9.tar.xz"),
    ] {
        let prefix = Prefix::new();
        let script = unpacked(&prefix, archive);
        let found = scan(&prefix, ARM, &script);
        let golden = format!(
            "{}/tests/data/scan/{package}.tsv",
            env!("CARGO_MANIFEST_DIR")
        );
        assert_data_eq!(listed(&found), Data::read_from(golden.as_ref(), None).raw());
        // No place is lost: each line that reads the variable begins a check, continues one, or only prints the
        // variable.
        let text = String::from_utf8_lossy(&std::fs::read(&script).expect("a script")).into_owned();
        let places = found["places"].as_array().expect("places");
        for (number, line) in (1..).zip(text.lines()) {
            let looks =
                line.contains("\"$cross_compiling\"") || line.contains("$cross_compiling =");
            let shows = line.contains("printf") || line.trim_start().starts_with('#');
            let is_place = places.iter().any(|place| place["line"] == number);
            // `test "$cross_compiling" = yes || test -x …` continues on the next line.
            let goes_on = line.trim_end().ends_with("= yes ||");
            assert!(
                !looks || shows || is_place || goes_on,
                "{package} {number}: {line}"
            );
        }
    }
}

#[test]
fn each_autoconf_gives_the_same_scan() {
    for (version, program) in [
        ("2.13", "autoconf2.13"),
        ("2.69", "autoconf2.69"),
        ("2.71", "autoconf"),
        ("2.72", "autoconf-2.72/bin/autoconf"),
    ] {
        let prefix = project(version, program);
        let found = scan(&prefix, ARM, "./configure");
        let malloc = match version {
            "2.13" => "cross",
            // Autoconf 2.69 ignores the host in its default.
            "2.69" => "no",
            _ => "yes",
        };
        let tests = found["tests"].as_array().expect("tests");
        let mut tests: Vec<(&str, String)> = tests
            .iter()
            .map(|test| {
                let values = test["default"]["values"].to_string();
                (test["variable"].as_str().expect("a name"), values)
            })
            .collect();
        if version == "2.69" {
            // Its check for a header runs a program too, which later versions do not.
            assert_eq!(tests.remove(1).0, "ac_cv_header_stdc");
        }
        let one = |variable, value| (variable, format!("[\"{value}\"]"));
        assert_eq!(
            tests,
            [
                one(MALLOC, malloc),
                one("x_cv_more", "cross"),
                one("x_cv_words", "cross")
            ],
            "{version}"
        );
        assert_eq!(found["autoconf"], version);
        let others = found["places"].as_array().expect("places").iter();
        let mut others = others.filter(|place| place["kind"] != "test");
        assert!(
            others.all(|place| place["kind"] == "autoconf"),
            "{version}: {found:#}"
        );
        // The user's own answer differs from the guess. The last check has no answer.
        let standing = |variable: &str| {
            let tests = found["tests"].as_array().expect("tests");
            let test = tests.iter().find(|test| test["variable"] == variable);
            test.expect(variable)["standing"].clone()
        };
        assert_eq!(standing("x_cv_words"), "differs", "{version}");
        assert_eq!(standing("x_cv_more"), "no answer", "{version}");
        let same = if malloc == "yes" { "same" } else { "differs" };
        assert_eq!(standing(MALLOC), same, "{version}");
    }
}

#[test]
fn a_directory_means_its_script_and_with_recursive_all_below() {
    let prefix = project("2.71", "autoconf");
    std::fs::create_dir(prefix.join("below")).expect("a directory");
    std::fs::copy(prefix.join("configure"), prefix.join("below/configure")).expect("a copy");
    let heads = |args: &[&str]| {
        let output = prefix
            .own([&["site-cache", "scan", ARM], args].concat())
            .success();
        let heads = output
            .stdout
            .lines()
            .filter(|line| line.ends_with("made by Autoconf 2.71"));
        heads
            .map(|line| line.split(':').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(heads(&[]), ["./configure"]);
    assert_eq!(heads(&["below"]), ["below/configure"]);
    assert_eq!(
        heads(&["--recursive", "."]),
        ["./below/configure", "./configure"]
    );
    assert_eq!(
        heads(&["below/configure", "configure"]),
        ["below/configure", "configure"]
    );
    std::fs::create_dir(prefix.join("empty")).expect("a directory");
    for (args, error, hint) in [
        (
            vec!["empty"],
            "there is no `configure` in `empty`",
            "generate it with Autoconf",
        ),
        (
            vec!["--recursive", "empty"],
            "there is no `configure` in `empty`",
            "--recursive",
        ),
        (vec!["nowhere"], "nowhere", "or its directory"),
        (
            vec!["out.in"],
            "`out.in` is not a configure script from Autoconf",
            "cache variables",
        ),
    ] {
        let args = [&["site-cache", "scan", ARM], &args[..]].concat();
        prefix.own(args).fails(125, error, hint);
    }
}
