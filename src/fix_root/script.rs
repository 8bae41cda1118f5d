//! Recognises configuration scripts: those that print the flags of a library.

use crossmerge_system::{
    file::{Node, read},
    script::Script,
};
use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt};

/// Options that a build passes to a configuration script, without their dashes.
pub(super) const QUESTIONS: [&str; 18] = [
    "cflags",
    "cppflags",
    "cxxflags",
    "ldflags",
    "libs",
    "libs-only-L",
    "link-ld",
    "includes",
    "include",
    "includedir",
    "incdir",
    "inc",
    "libdir",
    "lib",
    "ldlibs",
    "static-libs",
    "exec-prefix",
    "I_opts",
];

/// Languages of scripts that are not a shell's, as the `#!` line names them.
pub(super) const LANGUAGES: [&[u8]; 8] = [
    b"perl", b"python", b"ruby", b"lua", b"tclsh", b"php", b"node", b"guile",
];

/// The number of bytes of a file that are read to determine whether it is a script. A license may come first.
pub(super) const HEAD: u64 = 4096;

/// Returns whether the `#!` line names a language that is not a shell's.
pub(super) fn is_other_language(text: &[u8]) -> bool {
    let is_named = |word: &OsStr| {
        let mut languages = LANGUAGES.iter();
        languages.any(|language| has(word.as_bytes(), language))
    };
    Script::of(text).is_some_and(|script| {
        is_named(script.interpreter.as_os_str())
            || script.argument.is_some_and(|word| is_named(&word))
    })
}

/// Returns whether a script is a configuration script: it has an option that prints flags, or prints flags with paths.
pub(super) fn answers(text: &[u8]) -> bool {
    let is_other = is_other_language(text);
    logical_lines(text).any(|line| {
        let line = line.trim_ascii();
        !line.starts_with(b"#") && (takes_question(line, is_other) || prints_flags(line))
    })
}

/// Returns whether a line compares an argument with an option that prints flags: in a pattern of `case`, or as a quoted
/// word.
pub(super) fn takes_question(line: &[u8], is_other: bool) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let mut at = 0;
    while let Some(found) = line[at..].iter().position(|byte| *byte == b'-') {
        let start = at + found;
        let length = line[start..].iter().position(|byte| !is_part(*byte));
        let end = length.map_or(line.len(), |length| start + length);
        at = end.max(start + 1);
        let word = &line[start..end];
        let word = word.strip_prefix(b"--").or(word.strip_prefix(b"-"));
        if !word.is_some_and(|word| QUESTIONS.iter().any(|question| question.as_bytes() == word)) {
            continue;
        }
        let before = start.checked_sub(1).map(|at| line[at]);
        let rest = &line[end..];
        let is_quoted = matches!(before, Some(b'"' | b'\'')) && rest.first() == before.as_ref();
        let compares = has(line, b"test ") || has(line, b"[") || has(line, b"case") || is_other;
        if is_quoted && (compares || is_label(&rest[1..])) {
            return true;
        }
        // `$(x-config --libs)` runs another script.
        let begins = line[..start]
            .rsplit(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let begins = match begins.windows(4).rposition(|part| part == b" in ") {
            Some(word) => &begins[word + 4..],
            None => begins,
        };
        let is_pattern = begins
            .iter()
            .all(|byte| is_part(*byte) || b"|*\"' (".contains(byte));
        if is_pattern && is_label(rest) {
            return true;
        }
        // `test "$1" = --libs`
        if compares && !is_other && line[..start].trim_ascii_end().ends_with(b"=") {
            return true;
        }
    }
    false
}

/// Returns whether the text after a word makes it a pattern of `case`.
pub(super) fn is_label(rest: &[u8]) -> bool {
    let skipped = rest.iter().position(|byte| !b"*=\"' ".contains(byte));
    skipped.is_some_and(|at| matches!(rest[at], b')' | b'|'))
}

/// Returns whether a line prints compiler options with paths, or is a line of a here-document with them.
pub(super) fn prints_flags(line: &[u8]) -> bool {
    let words: [&[u8]; 5] = [b"echo ", b"printf ", b"print ", b"print(", b"puts "];
    let prints = words.iter().any(|word| has(line, word));
    let options: [&[u8]; 6] = [b"-I/", b"-L/", b"-I$", b"-L$", b"-isystem", b"-Wl,-rpath"];
    options.iter().any(|option| match prints {
        true => has(line, option),
        false => option.ends_with(b"/") && line.starts_with(option),
    })
}

/// Returns whether the beginning of a file is that of settings for a shell: after comments, an assignment or a
/// condition follows.
pub(super) fn is_sourced(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    first.is_some_and(|line| assigned(line).is_some() || is_conditional(line))
}

pub(super) fn is_conditional(line: &[u8]) -> bool {
    [&b"if "[..], b"case ", b"test ", b"[ "]
        .iter()
        .any(|word| line.starts_with(word))
}

/// Returns the value of an assignment at the beginning of a line.
pub(super) fn assigned(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let equals = line.iter().position(|byte| *byte == b'=')?;
    is_name(&line[..equals]).then(|| &line[equals + 1..])
}

/// Returns whether settings are a library's: they assign compiler or linker options with paths.
pub(super) fn is_settings(text: &[u8]) -> bool {
    let options: [&[u8]; 3] = [b"-I", b"-L", b"-isystem"];
    let is_path = |word: &[u8]| word.starts_with(b"/") || word.starts_with(b"$");
    logical_lines(text).any(|line| {
        let value = assigned(line.trim_ascii()).unwrap_or_default();
        let words = value.split(|byte| is_blank(*byte) || b"'\"".contains(byte));
        let mut words = words.filter(|word| !word.is_empty()).peekable();
        std::iter::from_fn(|| Some((words.next()?, words.peek().copied()))).any(|(word, next)| {
            let joined = |option: &&[u8]| word.strip_prefix(*option).is_some_and(is_path);
            options.iter().any(joined) || options.contains(&word) && next.is_some_and(is_path)
        })
    })
}

pub(super) fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|there| there == part)
}

/// Splits a text into lines, each with the lines that a backslash at its end joins to it.
pub(super) fn logical_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = ends
            .map(|(at, _)| at)
            .find(|at| *at == 0 || rest[at - 1] != b'\\');
        let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

pub(super) fn is_name(word: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    word.first().is_some_and(is_letter)
        && word
            .iter()
            .all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Returns the file and its text if it is a configuration script. `name` is the name by which a build finds it.
pub(super) fn script_in(name: &OsStr, node: Node) -> io::Result<Option<(Node, Vec<u8>)>> {
    if !node.is_file() {
        return Ok(None);
    }
    // A program may be of any size.
    let head = node.head(HEAD)?;
    if head.contains(&0) {
        return Ok(None);
    }
    let is_any = |test: fn(&OsStr) -> bool| {
        let names = [Some(name), node.place().file_name()];
        names.into_iter().flatten().any(test)
    };
    // pkg-config prints the flags of every library, from files that need no change.
    if is_any(is_pkg_config) {
        return Ok(None);
    }
    let is_named = is_any(is_config_name);
    let is_script = Script::of(&head).is_some();
    if !(is_script || is_sourced(&head)) {
        return Ok(None);
    }
    let text = match node.read(read::SCRIPT) {
        // No configuration script is that large.
        Err(e) if read::refused(&e).is_some_and(read::Why::is_of_size) && !is_named => {
            return Ok(None);
        }
        text => text?,
    };
    let answers = match is_script {
        true => is_named || answers(&text),
        false => is_settings(&text),
    };
    Ok(answers.then_some((node, text)))
}

/// Returns whether the name is that of a configuration script: `x-config`, `x_config`, `x-config-1.0`.
pub(super) fn is_config_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut ends = (0..name.len()).filter(|at| {
        let rest = &name[*at..];
        rest.starts_with(b"-config") || rest.starts_with(b"_config")
    });
    ends.any(|at| match name[at + "-config".len()..] {
        [] => true,
        [b'-' | b'.' | b'_', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
    })
}

/// Returns whether the name is one of pkg-config's.
pub(super) fn is_pkg_config(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.ends_with(b"pkg-config") || name.ends_with(b"pkgconf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_script_is_known_by_its_name() {
        for (name, is_one) in [
            ("libpng16-config", true),
            ("python3.11-config", true),
            ("pg_config", true),
            ("wx-config-3.2", true),
            ("x-config2", true),
            ("x-config.1", true),
            ("config", false),
            ("x-configure", false),
            ("x-config-edit", false),
        ] {
            assert_eq!(is_config_name(OsStr::new(name)), is_one, "{name}");
        }
    }

    #[test]
    fn a_configuration_script_is_also_recognised_by_its_text() {
        for (text, is_one) in [
            ("case $1 in\n  --cflags) echo $x ;;\nesac", true),
            ("case \"$1\" in --prefix) ;; --libs) echo -lx;; esac", true),
            ("  --includes|--inc*)", true),
            ("  \"--cflags\" | \"--CFLAGS\" )", true),
            ("if [ \"$1\" = \"--libs\" ]; then", true),
            ("if test \"$1\" = --ldflags; then", true),
            ("echo \"-I/usr/include/x -L/usr/lib -lx\"", true),
            ("printf '%s\\n' -L${libdir}", true),
            ("cat <<EOF\n-I/usr/include/x\nEOF", true),
            ("#!/usr/bin/perl\nif ($ARGV[0] eq '--cflags') {", true),
            ("#!/usr/bin/env python3\np.add_argument(\"--libs\")", true),
            ("LIBS=$(x-config --libs)", false),
            ("LIBS=`pkg-config --libs x`", false),
            ("exec gcc -I/usr/include/x \"$@\"", false),
            ("exec /usr/lib/firefox/firefox \"$@\"", false),
            ("  --help) echo help ;;", false),
            ("# --cflags) ;;", false),
            ("prefix=/usr\necho $prefix/share", false),
        ] {
            assert_eq!(answers(text.as_bytes()), is_one, "{text}");
        }
    }

    #[test]
    fn settings_of_a_library_are_known_by_their_text() {
        for (text, sourced, settings) in [
            (
                "# tcl\n\nTCL_VERSION='8.6'\nTCL_LIB_SPEC='-L/usr/lib -ltcl8.6'\n",
                true,
                true,
            ),
            ("XML2_INCLUDEDIR=\"-I/usr/include/libxml2\"", true, true),
            ("export X_CFLAGS=\"-O2 -I /usr/include\"", true, true),
            (
                "if test -z \"$X\"; then\n  X_LIBS=-L$libdir\nfi",
                true,
                true,
            ),
            ("NAME=Debian\nHOME_URL='https://x/-L/'", true, false),
            ("PATH=/usr/bin:/bin", true, false),
            ("[Unit]\nX=-L/usr/lib", false, true),
            ("hello world", false, false),
        ] {
            assert_eq!(is_sourced(text.as_bytes()), sourced, "{text}");
            assert_eq!(is_settings(text.as_bytes()), settings, "{text}");
        }
    }
}
