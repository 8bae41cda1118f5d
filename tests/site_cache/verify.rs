//! `crossmerge site-cache verify`: the targets confirm the shipped answers, and a wrong answer is found. `make
//! verify-site` verifies them on every target that Debian has a compiler for.

use super::own_answers;
use crate::support::Prefix;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

const S390X: &str = "s390x-ibm-linux-gnu";

/// A target with Debian's toolchain, and with its libc if the toolchain has one to copy.
fn target(tuple: &str, toolchain: &str, libc: Option<&str>) -> Prefix {
    let prefix = Prefix::new();
    let init = ["init", tuple, "--toolchain", toolchain].into_iter();
    prefix.own(init.chain(libc)).success();
    prefix
}

fn s390x() -> Prefix {
    target(S390X, "s390x-linux-gnu-", Some("--with-libc"))
}

/// The verdicts as JSON: only those on answers that are wrong or not verified.
fn wrong(prefix: &Prefix, tuple: &str) -> Vec<Value> {
    let output = prefix.own(["site-cache", "verify", "--json", tuple]);
    let report: Value = serde_json::from_str(&output.success().stdout).expect("JSON");
    let answers = report["answers"].as_array().expect("a list");
    assert!(
        answers
            .iter()
            .any(|answer| answer["verdict"] == "confirmed")
    );
    assert_eq!(report["warnings"], serde_json::json!({}));
    let is_right = |answer: &&Value| {
        let right = ["confirmed", "excepted", "unverified"];
        right.contains(&answer["verdict"].as_str().expect("a word"))
    };
    let wrong = answers.iter().filter(|answer| !is_right(answer));
    wrong.cloned().collect()
}

#[test]
fn softfloat_arm_confirms_the_answers() {
    let tuple = "armv4tl-softfloat-linux-gnueabi";
    let prefix = target(tuple, "arm-linux-gnueabi-", Some("--with-libc"));
    assert_eq!(wrong(&prefix, tuple), [Value::Null; 0]);
}

#[test]
fn s390x_confirms_the_answers() {
    assert_eq!(wrong(&s390x(), S390X), [Value::Null; 0]);
}

#[test]
fn musl_confirms_the_answers() {
    let tuple = "x86_64-unknown-linux-musl";
    let prefix = target(tuple, "x86_64-linux-musl-", None);
    assert_eq!(wrong(&prefix, tuple), [Value::Null; 0]);
}

#[test]
fn a_wrong_answer_is_found_and_the_right_one_can_be_saved() {
    let prefix = s390x();
    own_answers(
        &prefix,
        "linux-gnu",
        "ac_cv_func_malloc_0_nonnull = \"no\"\n",
    );
    let verify = ["site-cache", "verify", "--probe", "malloc_0", S390X];
    let output = prefix.own(verify);
    assert_eq!(output.code, Some(1), "{output:#?}");
    let differs = "differs       ac_cv_func_malloc_0_nonnull";
    let line = output.stdout.lines().find(|line| line.starts_with(differs));
    let line = line.unwrap_or_else(|| panic!("{output:#?}"));
    assert!(
        line.ends_with("shipped no, here yes (probe malloc_0)"),
        "{line}"
    );
    let (head, kept) = output
        .stdout
        .split_once("[answers]\n")
        .expect("what to keep");
    let file = format!("etc/crossmerge/site-cache/{S390X}.toml");
    assert!(head.contains(&*prefix.join(&file).to_string_lossy()));
    own_answers(&prefix, S390X, kept);
    prefix.own(verify).success();
}

#[test]
fn a_probe_that_does_not_build_is_reported() {
    let prefix = s390x();
    // A compiler that builds an empty program and no probe.
    let bin = "bin/s390x-ibm-linux-gnu-gcc";
    std::fs::remove_file(prefix.join(bin)).expect("a link");
    prefix.script(
        bin,
        "#!/bin/sh\ncase $* in\n\
         *probe.c*) echo 'probe.c:1:1: error: no such luck' >&2; exit 1 ;;\n\
         esac\nexec /usr/bin/s390x-linux-gnu-gcc \"$@\"\n",
    );
    let verify = ["site-cache", "verify", "--probe", "malloc_0", S390X];
    let output = prefix.own(verify).success();
    let why = "it does not compile: no such luck (probe malloc_0)";
    assert!(output.stdout.contains(why), "{output:#?}");
    assert!(!output.stdout.contains("1 confirmed"), "{output:#?}");
}

#[test]
fn an_unknown_probe_or_no_emulator_is_an_error() {
    let prefix = s390x();
    prefix
        .own(["site-cache", "verify", "--probe", "no_such", S390X])
        .fails(125, "there is no probe `no_such`", "site-cache list");
    let prefix = target(S390X, "s390x-linux-gnu-", None);
    prefix.own(["site-cache", "verify", S390X]).fails(
        125,
        "cannot run on this host",
        "crossmerge doctor",
    );
}

/// The part of a layer that the probes measure: everything but the keys that only record which scripts ask.
/// `tests/site_cache/matrix.py` uses the same part.
fn measured(layer: &str) -> String {
    let mut layer: Value = toml::from_str(layer).expect("a layer");
    let answers = layer["answers"].as_object_mut().expect("answers");
    for answer in answers.values_mut() {
        let answer = answer.as_object_mut().expect("a table");
        answer.retain(|key, _| !["asked", "needs", "others"].contains(&key.as_str()));
    }
    layer.to_string()
}

#[test]
fn keys_that_no_probe_measures_do_not_change_the_matrix() {
    let layer = |answer: &str| {
        measured(&format!(
            "summary = \"é\"\n[answers]\nx_cv_y = {{ {answer} }}\n"
        ))
    };
    let plain = layer(r#"value = "yes", probe = "y""#);
    assert_eq!(
        plain,
        r#"{"answers":{"x_cv_y":{"probe":"y","value":"yes"}},"summary":"é"}"#
    );
    for (answer, is_same) in [
        (
            r#"value = "yes", probe = "y", asked = "x", needs = "a text", others = [{ text = "b text", asked = "z" }]"#,
            true,
        ),
        (r#"value = "yes", asked = "x", probe = "y""#, true),
        (r#"value = "yes", asked = "x", probe = "z""#, false),
        (r#"value = "no", probe = "y", asked = "x""#, false),
    ] {
        assert_eq!(layer(answer) == plain, is_same, "{answer}");
    }
}

#[test]
fn the_matrix_was_made_from_this_data() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("site-cache");
    let mut paths = Vec::new();
    for (directory, extensions) in [("", &["toml"][..]), ("probes/", &["c", "toml"])] {
        for entry in std::fs::read_dir(data.join(directory)).expect("a directory") {
            let path = entry.expect("an entry").path();
            let extension = path.extension().and_then(|e| e.to_str());
            if extension.is_some_and(|e| extensions.contains(&e)) {
                let name = path.file_name().expect("a name").to_string_lossy();
                paths.push(format!("{directory}{name}"));
            }
        }
    }
    paths.sort();
    let mut sha = Sha256::new();
    for path in paths {
        sha.update(path.as_bytes());
        sha.update([0]);
        let text = std::fs::read_to_string(data.join(&path)).expect("a file");
        sha.update(match path.starts_with("probes/") {
            true => text,
            false => measured(&text),
        });
        sha.update([0]);
    }
    let digest: String = sha
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let matrix =
        std::fs::read_to_string(root.join("docs/site-cache-matrix.md")).expect("the matrix");
    assert!(
        matrix.contains(&digest),
        "the data is not what docs/site-cache-matrix.md was made of: run `make verify-site`"
    );
}
