//! Properties that hold for any configure script, and for any file of answers.

use super::{
    form::{LayerFile, is_cache_variable},
    render,
};
use crossmerge_autoconf::{
    cache,
    scan::{self, LONGEST_LINE, MAX_VALUES, ScriptHost},
};
use crossmerge_plan::tuple::Tuple;
use std::{collections::BTreeMap, sync::LazyLock};

static HOSTS: LazyLock<[ScriptHost; 2]> = LazyLock::new(|| {
    ["armv7a-unknown-linux-gnueabihf", "x86_64-w64-mingw32"].map(|tuple| {
        let tuple: Tuple = tuple.parse().expect(tuple);
        ScriptHost::of(&tuple)
    })
});

/// Checks that a script is scanned to its end, and that every place found is in it.
pub(crate) fn script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.matches('\n').count() + 1;
    for host in &*HOSTS {
        let scan = scan::scan(&text, host);
        for place in &scan.places {
            assert!((1..=lines).contains(&place.line));
            assert!(place.text.len() <= LONGEST_LINE && text.contains(&place.text));
        }
        for test in &scan.tests {
            assert!(!test.lines.is_empty());
            if let scan::CrossDefault::Values(values) = &test.default {
                // Each block that sets the variable adds some.
                assert!(values.len() <= MAX_VALUES * test.lines.len());
            }
            assert!(!test.default.to_text().is_empty());
        }
    }
}

/// Checks that a cache is parsed as a shell would read it, and that a script gets the value that was written.
pub(crate) fn cache(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = cache::parse(&text);
    let written: String = read
        .iter()
        .map(|(name, value)| {
            let value = value.replace('\'', r"'\''");
            format!("{name}=${{{name}='{value}'}}\n")
        })
        .collect();
    // A value with a newline does not fit a cache of one line each.
    if read.values().all(|value| !value.contains(['\n', '\r'])) {
        assert_eq!(cache::parse(&written), read);
    }
    let Ok(layer) = LayerFile::parse(&text) else {
        return;
    };
    let mut given = BTreeMap::new();
    let mut site = String::new();
    for (name, written) in layer.answers {
        assert!(is_cache_variable(&name));
        if let Some(written) = written {
            site += &given_as(&name, &written.value);
            given.insert(name, written.value);
        }
    }
    let words = shell_words::split(&site).expect("whole quotes");
    assert!(words.len() >= given.len());
}

/// Returns the line of a config.site, which contains the value and nothing that ends it.
fn given_as(name: &str, value: &str) -> String {
    let mut line = String::new();
    render::assign(name, value, &mut line);
    let words = shell_words::split(&line).expect("whole quotes");
    let last = words.last().expect("a word");
    assert!(
        *last == format!("{name}={value}") || *last == format!("${{{name}={value}}}"),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");
    line + "\n"
}
