//! Expands a value as Portage does: `$NAME`, `${NAME}`, backslashes and newlines.
//!
//! `shlex.rs` has removed the outer quotes. A quote that remains is part of the value; yet a single quote turns
//! expansion off up to the next one. That is Portage's own behaviour, and files depend on it.

use super::variables::Vars;

/// The maximum length of a value, in bytes. The kernel limits one environment variable to 128 KiB (MAX_ARG_STRLEN), so
/// a longer value could not be passed on; and a value that refers to itself twice doubles with every line.
pub(crate) const LONGEST: usize = 1 << 20;

/// Expands a value; returns `None` if it becomes too long. One invalid reference makes the whole value empty.
pub(crate) fn varexpand(value: &str, variables: &Vars) -> Option<String> {
    if !value.contains(['$', '\\', '\n']) {
        return (value.len() <= LONGEST).then(|| value.to_owned());
    }
    let mut expanded = String::with_capacity(value.len());
    let (mut single, mut double) = (false, false);
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        if expanded.len() > LONGEST {
            return None;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\'' => {
                single ^= !double;
                expanded.push(c);
            }
            '"' => {
                double ^= !single;
                expanded.push(c);
            }
            c if single => {
                expanded.push(c);
                rest = push_until(rest, &['\''], &mut expanded);
            }
            '\n' => expanded.push(' '),
            '\\' => rest = unescape(rest, &mut expanded),
            '$' if rest.is_empty() => expanded.push('$'),
            '$' => {
                let Some((name, after)) = reference(rest) else {
                    return Some(String::new());
                };
                expanded.push_str(variables.get(name).map_or("", String::as_str));
                rest = after;
            }
            c => {
                expanded.push(c);
                rest = push_until(rest, &['\'', '"', '\n', '\\', '$'], &mut expanded);
            }
        }
    }
    (expanded.len() <= LONGEST).then_some(expanded)
}

/// Copies the text before the first of some characters; returns the rest.
fn push_until<'v>(rest: &'v str, ends: &[char], expanded: &mut String) -> &'v str {
    let (plain, rest) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    expanded.push_str(plain);
    rest
}

/// Resolves the escape after a backslash; returns the rest.
fn unescape<'v>(rest: &'v str, expanded: &mut String) -> &'v str {
    let Some(c) = rest.chars().next() else {
        expanded.push('\\');
        return rest;
    };
    let rest = &rest[c.len_utf8()..];
    match c {
        '$' => expanded.push('$'),
        '\\' => {
            expanded.push('\\');
            // Portage's source calls this a bug, and keeps it.
            if let Some(c @ ('\'' | '"' | '$')) = rest.chars().next() {
                expanded.push(c);
                return &rest[1..];
            }
        }
        '\n' => {}
        c => {
            expanded.push('\\');
            expanded.push(c);
        }
    }
    rest
}

/// Splits the name after a `$` from the rest; returns `None` if the name is empty or not closed.
fn reference(rest: &str) -> Option<(&str, &str)> {
    let braced = rest.strip_prefix('{');
    let name = braced.unwrap_or(rest);
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    let (name, mut after) = name.split_at(end);
    if braced.is_some() {
        after = after.strip_prefix('}')?;
    }
    (!name.is_empty()).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_expand_as_in_portage() {
        let variables: Vars = [("A", "a"), ("B_1", "b b")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        for (value, wanted) in [
            ("$A-${B_1}", "a-b b"),
            ("$AB.", "."),
            ("it's $A, '$A'", "it's $A, 'a'"),
            ("\"it's $A\"", "\"it's a\""),
            ("a\nb\\\nc", "a bc"),
            (r"\$A \\ \n \", r"$A \ \n \"),
            (r"\\$A", r"\$A"),
            ("$", "$"),
            ("x ${A", ""),
            ("x ${}", ""),
            ("x $-", ""),
            ("x ${A.}", ""),
        ] {
            assert_eq!(
                varexpand(value, &variables).as_deref(),
                Some(wanted),
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_value_that_doubles_is_bounded() {
        let mut variables = Vars::from([("A".to_owned(), "a".to_owned())]);
        let mut last = 0;
        while let Some(value) = varexpand("$A$A", &variables) {
            last = value.len();
            variables.insert("A".to_owned(), value);
        }
        assert_eq!(last, LONGEST);
        assert_eq!(varexpand(&"x".repeat(LONGEST + 1), &variables), None);
    }
}
