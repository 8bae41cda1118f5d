//! `crossmerge show`: the facts of every tuple in crossdev's README and CI matrix, and people's own families.

use crate::support::Prefix;
use std::collections::BTreeMap;

/// Measured and looked up apart from `profiles/`: see `profiles/README.md` for the source of each column.
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
