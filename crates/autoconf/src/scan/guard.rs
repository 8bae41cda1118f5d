//! The conditions with which a script checks whether a variable is cached.

use super::shell::is_name_byte;

/// The variable with which Autoconf's tests choose between running and guessing.
pub(super) const CROSS: &str = "cross_compiling";

/// Returns whether a text refers to `$cross_compiling`.
pub(super) fn mentions_cross(text: &str) -> bool {
    text.match_indices(CROSS).any(|(at, _)| {
        let is_value = text[..at].ends_with('$') || text[..at].ends_with("${");
        let next = text.as_bytes().get(at + CROSS.len());
        is_value && !next.is_some_and(|byte| is_name_byte(*byte))
    })
}

/// A condition that checks whether a cache variable is set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guard<'t> {
    /// The variable, or `$name` if the variable `name` contains its name.
    pub(super) name: &'t str,
    /// Whether the condition is true if the variable is set.
    pub(super) then_is_set: bool,
    /// Whether an empty value counts as unset.
    pub(super) by_emptiness: bool,
}

/// Recognises a condition that checks whether a cache variable is set: in every spelling of every version of Autoconf,
/// and in those of hand-written scripts.
pub(super) fn guard_of(condition: &str) -> Option<Guard<'_>> {
    let condition = condition.trim();
    // A longer condition checks more than that.
    if condition.len() > 200 || condition.contains(['\n']) {
        return None;
    }
    let denies = condition.contains(" != set")
        || condition.contains("!= xset")
        || condition.starts_with('!');
    for (at, _) in condition.match_indices('{') {
        // `${name+y}`, `\${$name+set}`; Autoconf 2.13 wrote `'{'name'+set}'`.
        let inner = condition[at + 1..].trim_start_matches(['\'', '"', '\\']);
        let dollar = usize::from(inner.starts_with('$'));
        let length = dollar
            + inner[dollar..]
                .bytes()
                .take_while(|byte| is_name_byte(*byte))
                .count();
        let (name, after) = inner.split_at(length);
        let after = after.trim_start_matches(['\'', '"', '\\']);
        let is_check = ["+y}", "+set}", "+:}", ":+y}", ":+set}"]
            .iter()
            .any(|end| after.starts_with(end));
        let names_one = is_cache_variable(name) || dollar == 1 && length > 1;
        if is_check && names_one {
            return Some(Guard {
                name,
                then_is_set: !denies,
                by_emptiness: false,
            });
        }
    }
    by_emptiness(condition)
}

/// Recognises `test -z "$name"`, `test -n "$name"`, `test "x$name" = x` and the like.
pub(super) fn by_emptiness(condition: &str) -> Option<Guard<'_>> {
    let words: Vec<&str> = condition
        .trim_end_matches([';', ' '])
        .split_whitespace()
        .collect();
    let words = match &words[..] {
        ["test", words @ ..] | ["[", words @ .., "]"] => words,
        _ => return None,
    };
    let (word, then_is_set) = match words {
        ["-z", word] => (word, false),
        ["-n", word] => (word, true),
        [
            word,
            operator @ ("=" | "!="),
            "x" | "X" | "\"x\"" | "\"X\"" | "\"\"" | "''",
        ] => (word, *operator == "!="),
        _ => return None,
    };
    let word = word.trim_matches('"');
    let word = word
        .strip_prefix(['x', 'X'])
        .unwrap_or(word)
        .trim_matches('"');
    let name = word.strip_prefix('$')?.trim_matches(['{', '}']);
    is_cache_variable(name).then_some(Guard {
        name,
        then_is_set,
        by_emptiness: true,
    })
}

/// Returns whether a name is that of a cache variable, which by Autoconf's rule contains `_cv_`.
pub(super) fn is_cache_variable(name: &str) -> bool {
    name.bytes().all(is_name_byte) && name.contains("_cv_")
}
