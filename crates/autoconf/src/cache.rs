//! Parses the cache file of a configure script: its variables and their values. Pure.

use std::collections::BTreeMap;

/// Parses a cache file of any version of Autoconf: `x=${x=value}`, `x=${x='a value'}`, and since 2.70 also `test ${x+y}
/// || x='value'` if the value contains braces.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(variable).collect()
}

fn variable(line: &str) -> Option<(String, String)> {
    if line.starts_with('#') {
        return None;
    }
    let line = match line.strip_prefix("test ") {
        Some(rest) => rest.split_once("|| ")?.1,
        None => line,
    };
    let (name, value) = line.split_once('=')?;
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let inner = value.strip_prefix("${").and_then(|rest| {
        rest.strip_prefix(name)?
            .strip_prefix('=')?
            .strip_suffix('}')
    });
    let words = shell_words::split(inner.unwrap_or(value)).ok()?;
    // Older versions may write a value with spaces without quotes.
    Some((name.into(), words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_read() {
        for (line, wanted) in [
            ("ac_cv_a=${ac_cv_a=yes}", Some("yes")),
            ("ac_cv_a=${ac_cv_a='guessing yes'}", Some("guessing yes")),
            ("ac_cv_a=${ac_cv_a=}", Some("")),
            ("ac_cv_a=${ac_cv_a=''}", Some("")),
            ("ac_cv_a=${ac_cv_a='it'\\''s'}", Some("it's")),
            ("test ${ac_cv_a+y} || ac_cv_a='{ x }'", Some("{ x }")),
            ("test \"${ac_cv_a+set}\" = set || ac_cv_a='{}'", Some("{}")),
            ("# ac_cv_a=no", None),
            ("", None),
            ("ac_cv_a=${ac_cv_a='no end}", None),
        ] {
            let read = variable(line);
            assert_eq!(
                read.as_ref().map(|(_, value)| value.as_str()),
                wanted,
                "{line}"
            );
            assert!(read.is_none_or(|(name, _)| name == "ac_cv_a"), "{line}");
        }
    }
}
