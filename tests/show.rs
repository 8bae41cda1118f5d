//! `crossmerge show`: the facts of every tuple in crossdev's README and CI matrix, of users' own families, and the
//! list of all families.

use crate::support::Prefix;
use std::collections::BTreeMap;

/// Measured and collected independently of `profiles/`. `profiles/README.md` has the source of each column.
const GOLDEN: &str = include_str!("data/tuples.tsv");

#[test]
fn every_tuple_of_crossdev_has_its_facts() {
    let mut lines = GOLDEN.lines();
    let keys: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let prefix = Prefix::new();
    let mut tuples = 0;
    for line in lines {
        let wanted: BTreeMap<&str, &str> = keys.iter().copied().zip(line.split('\t')).collect();
        let shown = prefix.own(["show", "--json", wanted["tuple"]]).success();
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect(wanted["tuple"]);
        for (key, wanted) in &wanted {
            let value = match &shown[key] {
                serde_json::Value::Null => "-".to_owned(),
                serde_json::Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(value, *wanted, "{key} of {line}");
        }
        tuples += 1;
    }
    assert_eq!(tuples, 83);
}

#[test]
fn show_without_a_tuple_lists_the_families() {
    let prefix = Prefix::new();
    let text = prefix.own(["show"]).success().stdout;
    assert_eq!(prefix.own(["show", "help"]).success().stdout, text);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in [
        "64-bit Arm (ARCH arm64)\n",
        "PowerPC and POWER (ARCH ppc, ppc64)\n",
        "  examples  riscv64-unknown-linux-gnu ",
        " linux/arm ",
        "linux-gnueabihf",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = prefix.own(["show", "--json"]).success().stdout;
    let families: Vec<serde_json::Value> = serde_json::from_str(&json).expect("an array");
    let arm64 = families.iter().find(|family| family["arch"][0] == "arm64");
    let arm64 = arm64.expect("64-bit Arm");
    assert_eq!(
        arm64["names"]["debian"]["arm64"],
        "aarch64-unknown-linux-gnu"
    );
    assert_eq!(arm64["examples"][0], "aarch64-unknown-linux-gnu");
    let examples = prefix.own(["show", "--examples"]).success().stdout;
    assert_eq!(
        examples.lines().count(),
        families
            .iter()
            .map(|family| family["examples"].as_array().expect("a list").len())
            .sum::<usize>()
    );
}
