//! The questions by which a script asks whether a variable is cached.

use super::shell::is_name_byte;

/// The variable that autoconf decides on.
pub(super) const CROSS: &str = "cross_compiling";

/// Returns whether a text looks at `$cross_compiling`.
pub(super) fn mentions_cross(text: &str) -> bool {
    text.match_indices(CROSS).any(|(at, _)| {
        let is_value = text[..at].ends_with('$') || text[..at].ends_with("${");
        let next = text.as_bytes().get(at + CROSS.len());
        is_value && !next.is_some_and(|byte| is_name_byte(*byte))
    })
}

/// A condition that asks whether a cache variable is set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guard<'t> {
    /// The variable; `$name` where another variable names it.
    pub(super) name: &'t str,
    /// It holds when the variable is set.
    pub(super) then_is_set: bool,
    /// To be empty is as good as not to be set.
    pub(super) by_emptiness: bool,
}

/// Reads a condition as one that asks whether a cache variable is set, in every spelling that autoconf had for it and those that
/// people write.
pub(super) fn guard_of(condition: &str) -> Option<Guard<'_>> {
    let condition = condition.trim();
    // A longer one does more than ask.
    if condition.len() > 200 || condition.contains(['\n']) {
        return None;
    }
    let denies = condition.contains(" != set")
        || condition.contains("!= xset")
        || condition.starts_with('!');
    for (at, _) in condition.match_indices('{') {
        // `${name+y}`, `\${$name+set}`; autoconf 2.13 had `'{'name'+set}'`.
        let inner = condition[at + 1..].trim_start_matches(['\'', '"', '\\']);
        let dollar = usize::from(inner.starts_with('$'));
        let length = dollar
            + inner[dollar..]
                .bytes()
                .take_while(|byte| is_name_byte(*byte))
                .count();
        let (name, behind) = inner.split_at(length);
        let behind = behind.trim_start_matches(['\'', '"', '\\']);
        let is_question = ["+y}", "+set}", "+:}", ":+y}", ":+set}"]
            .iter()
            .any(|end| behind.starts_with(end));
        let names_one = is_cache_variable(name) || dollar == 1 && length > 1;
        if is_question && names_one {
            return Some(Guard {
                name,
                then_is_set: !denies,
                by_emptiness: false,
            });
        }
    }
    by_emptiness(condition)
}

/// `test -z "$name"`, `test -n "$name"`, `test "x$name" = x` and the like.
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

/// Returns whether a name is a cache variable's by autoconf's rule: it has `_cv_` in it.
pub(super) fn is_cache_variable(name: &str) -> bool {
    name.bytes().all(is_name_byte) && name.contains("_cv_")
}
