//! Edits texts: finds the paths of the host in a libtool archive, a configuration script or settings that a shell
//! reads, and inserts the sysroot before them.
//!
//! A text is parsed as a shell parses it, line by line, as far as needed to know what precedes a path and how it is
//! quoted. The [`Sysroot`] determines which paths exist.

use super::{
    script::{has, is_blank, is_name, is_other_language, logical_lines},
    sysroot::Sysroot,
};
use std::{ffi::OsStr, ops::Range, os::unix::ffi::OsStrExt, path::Path};

/// The lines of a libtool archive that name directories: libtool's own keys.
const LIBTOOL_KEYS: [&[u8]; 2] = [b"libdir=", b"dependency_libs="];

/// The options of compilers and linkers that are joined to a directory.
const OPTIONS: [&[u8]; 8] = [
    b"-I",
    b"-L",
    b"-R",
    b"-isystem",
    b"-idirafter",
    b"-Wl,-L",
    b"-Wl,-rpath,",
    b"-Wl,-rpath-link,",
];

/// The quotes around a part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// The text before a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preceding<'a> {
    /// `NAME=`, with or without a quote.
    Name(&'a [u8]),
    /// One of [`OPTIONS`].
    Option,
    /// Nothing, in the value of an assignment.
    Value,
    /// Nothing, in an argument of `echo` or `printf`.
    Printed,
    /// Nothing, elsewhere: the path is a word of another command.
    Word,
}

/// An absolute path in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FoundPath<'a> {
    range: Range<usize>,
    before: Preceding<'a>,
    quote: Quote,
}

/// Inserts the sysroot into a libtool archive. Returns `None` if nothing changes.
pub(super) fn libtool_archive(text: &[u8], sysroot: &Sysroot) -> Option<Vec<u8>> {
    edited(text, sysroot, |line, spot, path| {
        let has_key = LIBTOOL_KEYS.iter().any(|key| line.starts_with(key));
        has_key && spot.before != Preceding::Word && !sysroot.is_compilers_own(path)
    })
}

/// Inserts the sysroot into a configuration script. Returns `None` if nothing changes.
pub(super) fn config_script(text: &[u8], sysroot: &Sysroot) -> Option<Vec<u8>> {
    if is_other_language(text) {
        return other_language(text, sysroot);
    }
    let rooted = with_root_prefix(text, sysroot);
    let text = rooted.as_deref().unwrap_or(text);
    let edited = edited(text, sysroot, |_, spot, path| match spot.before {
        Preceding::Name(name) if name.to_ascii_lowercase().ends_with(b"prefix") => true,
        // A path that is compared or searched for is not printed. But a script of the sysroot is run instead of the
        // host's.
        Preceding::Word => sysroot.has_config_script(path),
        _ => {
            let is_place = is_directory_of_libraries(path) && !sysroot.is_compilers_own(path);
            is_place && !is_program(path) || sysroot.has_config_script(path)
        }
    });
    edited.or(rooted)
}

/// Inserts the sysroot into an empty `prefix=` that means the root, because the script continues with `${prefix}/usr`.
fn with_root_prefix(text: &[u8], sysroot: &Sysroot) -> Option<Vec<u8>> {
    if !has(text, b"${prefix}/usr") && !has(text, b"$prefix/usr") {
        return None;
    }
    let root = |quote| spelled(sysroot.path().as_os_str().as_bytes(), quote);
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let end = line.strip_prefix(b"prefix=").map(<[u8]>::trim_ascii_end);
        let (quote, before) = match end {
            Some(b"") => (Quote::None, "prefix="),
            Some(b"\"\"") => (Quote::Double, "prefix=\""),
            Some(b"''") => (Quote::Single, "prefix='"),
            _ => return line.to_vec(),
        };
        let (before, after) = line.split_at(before.len());
        [before, &root(quote), after].concat()
    });
    let new = lines.collect::<Vec<_>>().concat();
    (new != text).then_some(new)
}

/// Inserts the sysroot into a script of another language than the shell's. Strings are written alike in the shell and
/// in these languages. A path at the beginning of a string is edited if the string is assigned, printed or returned. The
/// paths of compiler options are edited in any string.
fn other_language(text: &[u8], sysroot: &Sysroot) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(text.len());
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has_variables = [&b"perl"[..], b"php"]
        .iter()
        .any(|language| has(first, language));
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii_start().starts_with(b"#") {
            new.extend_from_slice(line);
            continue;
        }
        let mut quote = Quote::None;
        let (mut start, mut copied, mut at) = (0, 0, 0);
        while at < line.len() {
            let byte = line[at];
            match (quote, byte) {
                (_, b'\\') => at += 1,
                (Quote::None, b'\'' | b'"') => {
                    quote = if byte == b'"' {
                        Quote::Double
                    } else {
                        Quote::Single
                    };
                    start = at + 1;
                }
                (Quote::Single, b'\'') | (Quote::Double, b'"') => quote = Quote::None,
                (Quote::Single | Quote::Double, b'/') => {
                    let ends = |byte: &u8| is_delimiter(*byte) || b"$:,\\{}".contains(byte);
                    let length = line[at..].iter().position(ends);
                    let range = at..length.map_or(line.len(), |length| at + length);
                    let string = &line[start..at];
                    let piece = string.iter().rposition(|byte| is_blank(*byte));
                    let piece = &string[piece.map_or(0, |blank| blank + 1)..];
                    let path = Path::new(OsStr::from_bytes(&line[range.clone()]));
                    let before = line[..start.saturating_sub(1)].trim_ascii_end();
                    let is_answer = if piece.is_empty() && !is_compared(before) {
                        !string.is_empty() || is_given(before)
                    } else {
                        OPTIONS.contains(&piece) && !is_compared(before)
                    };
                    let is_place = is_directory_of_libraries(path) && !is_program(path);
                    let roots = [sysroot.path(), sysroot.real()];
                    let inside = roots.iter().find_map(|root| {
                        let root = in_string(root.as_os_str().as_bytes(), quote, has_variables);
                        let after = line[at..].strip_prefix(&root[..])?;
                        let ends =
                            |next: &u8| *next == b'/' || is_delimiter(*next) || *next == b':';
                        after.first().is_none_or(ends).then_some(root.len())
                    });
                    if let Some(inside) = inside {
                        at += inside;
                        continue;
                    }
                    if is_answer
                        && is_place
                        && !sysroot.holds(path)
                        && !sysroot.is_compilers_own(path)
                    {
                        let root = sysroot.path().as_os_str().as_bytes();
                        new.extend_from_slice(&line[copied..at]);
                        new.extend(in_string(root, quote, has_variables));
                        copied = at;
                    }
                    at = range.end.max(at + 1);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        new.extend_from_slice(&line[copied..]);
    }
    (new != text).then_some(new)
}

/// Escapes a path for a string of another language. Some expand variables in double quotes.
fn in_string(path: &[u8], quote: Quote, has_variables: bool) -> Vec<u8> {
    let is_special = |byte: u8| match quote {
        Quote::Double => b"\"\\".contains(&byte) || has_variables && b"$@".contains(&byte),
        _ => b"'\\".contains(&byte),
    };
    let escape = |byte: &u8| match is_special(*byte) {
        true => vec![b'\\', *byte],
        false => vec![*byte],
    };
    path.iter().flat_map(escape).collect()
}

/// Returns whether a string after this text is a value: assigned, listed, printed or returned.
fn is_given(before: &[u8]) -> bool {
    let words: [&[u8]; 7] = [b"=", b"=>", b":", b",", b"[", b"(", b"."];
    let calls: [&[u8]; 6] = [b"print", b"printf", b"puts", b"return", b"say", b"echo"];
    let is_call = |before: &[u8]| calls.iter().any(|call| before.ends_with(call));
    if let Some(before) = before.strip_suffix(b"(") {
        return is_call(before.trim_ascii_end()) || before.trim_ascii_end().ends_with(b"=");
    }
    is_call(before) || words.iter().any(|word| before.ends_with(word))
}

/// Returns whether a string after this text is compared with something.
fn is_compared(before: &[u8]) -> bool {
    let operators: [&[u8]; 9] = [
        b"==", b"!=", b"=~", b"<=", b">=", b" eq", b" ne", b" in", b"~",
    ];
    operators.iter().any(|operator| before.ends_with(operator))
}

/// Returns whether a script finds its files by the name under which it is called. Through a symlink, it would search
/// beside the symlink.
pub(super) fn uses_own_path(text: &[u8]) -> bool {
    logical_lines(text).any(|line| {
        has(line, b"${0%") || has(line, b"dirname") && (has(line, b"$0") || has(line, b"${0}"))
    })
}

/// Returns whether packages install headers and libraries in the directory. Paths in `/etc` and `/var` mean those of the
/// running system.
fn is_directory_of_libraries(path: &Path) -> bool {
    let first = path.components().nth(1);
    let first = first.map_or(&b""[..], |first| first.as_os_str().as_bytes());
    first == b"usr" || first == b"opt" || first.starts_with(b"lib")
}

/// Returns whether the path is in a directory of programs, which a script runs on the host.
fn is_program(path: &Path) -> bool {
    let directory = path.parent().and_then(Path::file_name);
    directory.is_some_and(|directory| directory == "bin" || directory == "sbin")
}

/// Inserts the sysroot before the wanted paths that are not in it.
fn edited(
    text: &[u8],
    sysroot: &Sysroot,
    is_wanted: impl Fn(&[u8], &FoundPath, &Path) -> bool,
) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(text.len());
    for line in logical_lines(text) {
        let mut scanner = Scanner::new(line);
        let mut copied = 0;
        while let Some(spot) = scanner.next_path() {
            let rest = &line[spot.range.start..];
            if let Some(inside) = spelled_inside(rest, spot.quote, sysroot) {
                scanner.at = spot.range.start + inside;
                continue;
            }
            let path = Path::new(OsStr::from_bytes(&line[spot.range.clone()]));
            if sysroot.holds(path) || !is_wanted(line, &spot, path) {
                continue;
            }
            new.extend_from_slice(&line[copied..spot.range.start]);
            new.extend(spelled(sysroot.path().as_os_str().as_bytes(), spot.quote));
            copied = spot.range.start;
        }
        new.extend_from_slice(&line[copied..]);
    }
    (new != text).then_some(new)
}

/// Returns the length of the quoted sysroot if the text begins with it.
fn spelled_inside(text: &[u8], quote: Quote, sysroot: &Sysroot) -> Option<usize> {
    [sysroot.path(), sysroot.real()].iter().find_map(|root| {
        let root = spelled(root.as_os_str().as_bytes(), quote);
        let ends = |next: &u8| *next == b'/' || is_delimiter(*next) || *next == b':';
        let after = text.strip_prefix(&root[..])?;
        after.first().is_none_or(ends).then_some(root.len())
    })
}

/// Quotes a path for a shell.
fn spelled(path: &[u8], quote: Quote) -> Vec<u8> {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(byte) || *byte > 127;
    if path.iter().all(plain) {
        return path.to_vec();
    }
    let escape = |byte: &u8| match (quote, byte) {
        (Quote::None | Quote::Single, b'\'') => b"'\\''".to_vec(),
        (Quote::Double, b'$' | b'`' | b'"' | b'\\') => vec![b'\\', *byte],
        _ => vec![*byte],
    };
    let inner: Vec<u8> = path.iter().flat_map(escape).collect();
    match quote {
        Quote::None => [b"'", &inner[..], b"'"].concat(),
        _ => inner,
    }
}

/// Returns whether a byte separates one word, or one part of a quoted text, from the next.
fn is_delimiter(byte: u8) -> bool {
    is_blank(byte) || b"'\"`();|&<>".contains(&byte)
}

/// Scans a line, and tracks how each byte is quoted and to which word it belongs.
struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
    quote: Quote,
    /// The start of the shell's word, including quotes.
    word: usize,
    /// The start of the current piece, which contains no delimiter.
    piece: usize,
    /// Whether a path at the start of the piece begins a word or a quoted text.
    opens: bool,
    /// Whether this is the value of an assignment.
    in_value: bool,
    /// Whether the command is `echo` or `printf`.
    prints: bool,
    /// Whether the command is `test` or `[`.
    compares: bool,
    /// Whether a backquote is open.
    ticks: bool,
    /// The number of open parentheses.
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            at: 0,
            quote: Quote::None,
            word: 0,
            piece: 0,
            opens: true,
            in_value: false,
            prints: false,
            compares: false,
            ticks: false,
            depth: 0,
        }
    }

    /// Returns the next absolute path, or `None` at a comment or the end of the line.
    fn next_path(&mut self) -> Option<FoundPath<'a>> {
        while let Some(&byte) = self.line.get(self.at) {
            match (self.quote, byte) {
                (Quote::None | Quote::Double, b'\\') => self.escape(),
                (Quote::None, b'#') if self.at == self.word => return None,
                (Quote::None, b'\'') => self.quoted(Quote::Single),
                (Quote::None, b'"') => self.quoted(Quote::Double),
                (Quote::Single, b'\'') | (Quote::Double, b'"') => self.quoted(Quote::None),
                (Quote::None, _) if is_delimiter(byte) => self.separate(byte),
                (_, b'=') if self.quote == Quote::None && !self.in_value => {
                    self.in_value = is_name(&self.line[self.word..self.at]);
                }
                (_, b':') if self.in_value => self.part(),
                (_, b'/') => {
                    let spot = self.spot();
                    self.at += 1;
                    if spot.is_some() {
                        return spot;
                    }
                    continue;
                }
                _ if is_delimiter(byte) => self.part(),
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// Begins a piece after this byte. Text after a closing bracket or backquote continues it.
    fn part(&mut self) {
        let byte = self.line[self.at];
        self.ticks ^= byte == b'`';
        self.opens = byte != b')' && (byte != b'`' || self.ticks);
        self.piece = self.at + 1;
    }

    fn quoted(&mut self, quote: Quote) {
        self.quote = quote;
        self.part();
        self.opens = quote != Quote::None;
    }

    /// Skips the byte that a backslash escapes. A joined line does not begin a piece.
    fn escape(&mut self) {
        if self.line.get(self.at + 1) == Some(&b'\n') && self.piece == self.at {
            self.piece += 2;
            if self.word == self.at {
                self.word = self.piece;
            }
        }
        self.at += 1;
    }

    /// Ends a word, and perhaps a command.
    fn separate(&mut self, byte: u8) {
        let word = &self.line[self.word..self.at];
        self.prints |= word == b"echo" || word == b"printf";
        self.compares |= word == b"test" || word == b"[";
        match byte {
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if !is_blank(byte) && byte != b'<' && byte != b'>' {
            (self.prints, self.compares) = (false, false);
        }
        self.in_value = false;
        self.word = self.at + 1;
        self.part();
    }

    /// Returns the path that begins here, if one does.
    fn spot(&self) -> Option<FoundPath<'a>> {
        let lead = &self.line[self.piece..self.at];
        let equals = lead.iter().rposition(|byte| *byte == b'=');
        let (name, joined) = lead.split_at(equals.map_or(0, |equals| equals + 1));
        let before = match (name, joined) {
            _ if self.is_default() => Preceding::Value,
            ([name @ .., b'='], b"") if is_name(name) => Preceding::Name(name),
            (b"", b"") if self.opens => self.bare(),
            _ if OPTIONS.contains(&joined) && !self.compares => Preceding::Option,
            _ => return None,
        };
        let ends = |byte: &u8| is_delimiter(*byte) || b"$:,\\{}".contains(byte);
        let length = self.line[self.at..].iter().position(ends);
        let range = self.at..length.map_or(self.line.len(), |length| self.at + length);
        // A pattern of `case` is compared, not printed.
        let next = self.line.get(range.end);
        let is_pattern = next == Some(&b'|') || next == Some(&b')') && self.depth == 0;
        (!is_pattern || self.quote != Quote::None).then_some(FoundPath {
            range,
            before,
            quote: self.quote,
        })
    }

    /// Returns what precedes a path that begins a piece.
    fn bare(&self) -> Preceding<'a> {
        let word = &self.line[self.word..self.piece];
        // `NAME="/…`: the piece is the value from its first byte on.
        if let [name @ .., b'=', b'"' | b'\''] = word
            && is_name(name)
        {
            return Preceding::Name(name);
        }
        match (self.in_value, self.prints) {
            (true, _) => Preceding::Value,
            (_, true) => Preceding::Printed,
            _ => Preceding::Word,
        }
    }

    /// Returns whether this is the default value in `${NAME:-…}` or `${NAME:=…}`.
    fn is_default(&self) -> bool {
        let before = &self.line[..self.at];
        let before = before.strip_suffix(b":-").or(before.strip_suffix(b":="));
        before.is_some_and(|before| {
            let name = before.iter().rposition(|byte| !is_name(&[b'_', *byte]));
            name.is_some_and(|at| before[..=at].ends_with(b"${"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Returns a sysroot at a path of that name. The tables write `@` for the path, quoted as the text needs it.
    fn sysroot(name: &str) -> (tempfile::TempDir, Sysroot) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(name);
        fs::create_dir_all(path.join("usr/bin")).expect("directories");
        fs::write(path.join("usr/bin/krb5-config"), "#!/bin/sh\n").expect("a script");
        fs::write(path.join("usr/bin/pkg-config"), "#!/bin/sh\n").expect("a script");
        let sysroot = Sysroot::at(&path).expect("a sysroot");
        (directory, sysroot)
    }

    type Edit = fn(&[u8], &Sysroot) -> Option<Vec<u8>>;

    /// Checks a line, and that the new one is not edited again.
    #[track_caller]
    fn check(edit: Edit, sysroot: &Sysroot, old: &str, new: &str) {
        let path = sysroot.path().to_str().expect("UTF-8");
        let new = new.replace('@', path);
        let edited = edit(old.as_bytes(), sysroot).unwrap_or_else(|| old.into());
        assert_eq!(String::from_utf8_lossy(&edited), new, "{old}");
        assert_eq!(edit(&edited, sysroot), None, "a second time: {new}");
    }

    #[test]
    fn a_libtool_archive_keeps_the_directories_it_names() {
        let (_directory, sysroot) = sysroot("root");
        for (old, new) in [
            ("libdir='/usr/lib'", "libdir='@/usr/lib'"),
            ("libdir='/usr/lib64/lp64d'", "libdir='@/usr/lib64/lp64d'"),
            ("libdir=\"/lib\"", "libdir=\"@/lib\""),
            ("libdir=/opt/x/lib", "libdir=@/opt/x/lib"),
            ("libdir='=/usr/lib'", "libdir='=/usr/lib'"),
            ("libdir=''", "libdir=''"),
            (
                "dependency_libs=' -L/usr/lib -lm /usr/lib64/libz.la -R/usr/lib -L/lib'",
                "dependency_libs=' -L@/usr/lib -lm @/usr/lib64/libz.la -R@/usr/lib -L@/lib'",
            ),
            (
                "dependency_libs='/lib/libz.la'",
                "dependency_libs='@/lib/libz.la'",
            ),
            (
                "dependency_libs=' -L../lib -L=/usr/lib -L$x/lib x/usr/lib'",
                "dependency_libs=' -L../lib -L=/usr/lib -L$x/lib x/usr/lib'",
            ),
            ("# made in /usr/src", "# made in /usr/src"),
            ("library_names='/usr/lib/x'", "library_names='/usr/lib/x'"),
            (" libdir='/usr/lib'", " libdir='/usr/lib'"),
        ] {
            check(libtool_archive, &sysroot, old, new);
        }
        let inside = format!("dependency_libs=' -L{}/usr/lib'", sysroot.path().display());
        assert_eq!(libtool_archive(inside.as_bytes(), &sysroot), None);
        // A directory beside the sysroot, whose name begins with the sysroot's name, is outside.
        let beside = format!("libdir='{}2/usr/lib'", sysroot.path().display());
        assert!(libtool_archive(beside.as_bytes(), &sysroot).is_some());
    }

    #[test]
    fn the_cross_compilers_own_directory_stays() {
        let (directory, sysroot) = sysroot("root");
        let own = directory.path().join("lib/gcc/avr/15");
        fs::create_dir_all(&own).expect("directories");
        fs::write(own.join("libstdc++.la"), "").expect("a file");
        let own = own.display();
        let line = format!("dependency_libs=' -L{own} {own}/libstdc++.la -L/usr/lib'");
        let new = line.replace("-L/usr", "-L@/usr");
        check(libtool_archive, &sysroot, &line, &new);
    }

    #[test]
    fn a_script_prints_paths_in_the_sysroot() {
        let (_directory, sysroot) = sysroot("root");
        for (old, new) in [
            ("prefix=/usr", "prefix=@/usr"),
            ("prefix=\"/usr\"", "prefix=\"@/usr\""),
            ("exec_prefix='/opt/x'", "exec_prefix='@/opt/x'"),
            ("CONFIG_PREFIX=/srv/x", "CONFIG_PREFIX=@/srv/x"),
            (
                "  libdir=/usr/lib64; x=/usr/lib",
                "  libdir=@/usr/lib64; x=@/usr/lib",
            ),
            (
                "libdir=/usr/lib/${multiarch}/mit",
                "libdir=@/usr/lib/${multiarch}/mit",
            ),
            (
                "prefix=\"\"\nx=${prefix}/usr\n",
                "prefix=\"@\"\nx=${prefix}/usr\n",
            ),
            ("prefix=\nx=$prefix/usr\n", "prefix=@\nx=$prefix/usr\n"),
            (
                "prefix='' \nx=$prefix/usr\n",
                "prefix='@' \nx=$prefix/usr\n",
            ),
            ("x=$prefix/usr\nprefix=\r", "x=$prefix/usr\nprefix=@\r"),
            (
                "prefix=\nx=${prefix}/include\n",
                "prefix=\nx=${prefix}/include\n",
            ),
            ("prefix=${prefix:-/usr}", "prefix=${prefix:-@/usr}"),
            (": ${libdir:=/usr/lib}", ": ${libdir:=@/usr/lib}"),
            (
                "path=/usr/lib/pkgconfig:/usr/share/pkgconfig",
                "path=@/usr/lib/pkgconfig:@/usr/share/pkgconfig",
            ),
            (
                "libs=\"-L/usr/lib -lx /usr/lib/liby.a\"",
                "libs=\"-L@/usr/lib -lx @/usr/lib/liby.a\"",
            ),
            ("LDFLAGS=-L/usr/lib", "LDFLAGS=-L@/usr/lib"),
            (
                "libs=\"$libs \\\n  -L/usr/lib \\\n  /usr/lib/x.a\"",
                "libs=\"$libs \\\n  -L@/usr/lib \\\n  @/usr/lib/x.a\"",
            ),
            (
                "libs=\"-lx \\\n-L/usr/lib\"",
                "libs=\"-lx \\\n-L@/usr/lib\"",
            ),
            (
                "--libs) echo -L/usr/lib -Wl,-rpath,/usr/lib ;;",
                "--libs) echo -L@/usr/lib -Wl,-rpath,@/usr/lib ;;",
            ),
            (
                "echo \"-I/usr/include\" /usr/lib/x.la",
                "echo \"-I@/usr/include\" @/usr/lib/x.la",
            ),
            (
                "src=\"$(cd /usr/share/x/.. ; pwd)\"",
                "src=\"$(cd @/usr/share/x/.. ; pwd)\"",
            ),
            ("bindir=/usr/bin", "bindir=@/usr/bin"),
            (
                "x=`[ ! -x /usr/bin/krb5-config ] || /usr/bin/krb5-config --libs`",
                "x=`[ ! -x @/usr/bin/krb5-config ] || @/usr/bin/krb5-config --libs`",
            ),
        ] {
            check(config_script, &sysroot, old, new);
        }
    }

    #[test]
    fn paths_that_a_script_compares_executes_or_only_mentions_stay() {
        let (_directory, sysroot) = sysroot("root");
        for line in [
            "#!/usr/bin/env sh",
            "# prefix=/usr",
            "x=1 # prefix=/usr",
            "prefix=",
            "prefix=$1",
            "prefix=$(dirname \"$0\")/usr",
            "prefix=`pwd`/usr",
            "prefix=\"$(pwd)/usr\"",
            "prefix=\"`pwd`/usr\"",
            "includedir=${prefix}/include",
            "x=\"$prefix\"/usr",
            "if test \"$includedir\" != /usr/include; then",
            "if [ \"$x\" = \"-I/usr/include\" ]; then",
            "  -I/usr/include|-I/include) ;;",
            "  -L/usr/lib) ;;",
            "  /usr/lib | /lib) ;;",
            "for d in /usr/lib /lib; do",
            "/usr/bin/pkg-config --libs x",
            "PERL=/usr/bin/perl",
            "sed=\"/bin/sed\"",
            "sysconfdir=/etc",
            "echo \"/etc/ssl/certs\"",
            "url=http://x/usr/lib",
            "echo \" '--prefix=/usr' '--with-x=/usr/lib'\"",
            "dir=usr/lib",
        ] {
            check(config_script, &sysroot, line, line);
        }
    }

    #[test]
    fn a_sysroot_is_quoted_for_the_quotes_around_it() {
        for (name, plain, single, double) in [
            ("a b&c", "'@'", "@", "@"),
            ("a/usr/.*[x]", "'@'", "@", "@"),
            ("$x`y\"", "'@'", "@", "\\"),
            ("it's", "\\", "\\", "@"),
        ] {
            let (_directory, sysroot) = sysroot(name);
            let path = sysroot.path().to_str().expect("UTF-8");
            let parent = path.strip_suffix(name).expect("its name");
            let quoted = |form: &str, other: String| match form {
                "\\" => other,
                form => form.replace('@', path),
            };
            let escaped = name.replace('\'', "'\\''");
            let plain = quoted(plain, format!("'{parent}{escaped}'"));
            let single = quoted(single, format!("{parent}{escaped}"));
            let double = quoted(double, format!("{parent}\\$x\\`y\\\""));
            let old = "prefix=/usr\nlibdir='/usr/lib'\nlibs=\"-L/usr/lib -lx\"\n";
            let new = format!(
                "prefix={plain}/usr\nlibdir='{single}/usr/lib'\nlibs=\"-L{double}/usr/lib -lx\"\n"
            );
            let edited = config_script(old.as_bytes(), &sysroot).expect("an edit");
            assert_eq!(String::from_utf8_lossy(&edited), new);
            assert_eq!(
                config_script(&edited, &sysroot),
                None,
                "a second time: {new}"
            );
            let old = "dependency_libs=' -L/usr/lib /usr/lib/x.la'\n";
            let edited = libtool_archive(old.as_bytes(), &sysroot).expect("an edit");
            assert_eq!(libtool_archive(&edited, &sysroot), None, "a second time");
        }
    }

    #[test]
    fn a_script_in_another_language_prints_paths_in_the_sysroot() {
        let (_directory, sysroot) = sysroot("root");
        let edit: Edit = config_script;
        for (old, new) in [
            ("my $prefix = \"/usr\";", "my $prefix = \"@/usr\";"),
            ("prefix = '/usr'", "prefix = '@/usr'"),
            (
                "  'libdir' => '/usr/lib/x',",
                "  'libdir' => '@/usr/lib/x',",
            ),
            (
                "  \"includedir\": \"/usr/include\",",
                "  \"includedir\": \"@/usr/include\",",
            ),
            (
                "print \"-I/usr/include -L/usr/lib\\n\";",
                "print \"-I@/usr/include -L@/usr/lib\\n\";",
            ),
            ("print('/usr/include')", "print('@/usr/include')"),
            ("return \"/usr/lib\"", "return \"@/usr/lib\""),
            (
                "libs = ['-L/usr/lib', '-lx']",
                "libs = ['-L@/usr/lib', '-lx']",
            ),
            (
                "x = '-L/opt/x/lib' # '/usr'",
                "x = '-L@/opt/x/lib' # '/usr'",
            ),
        ] {
            for language in ["/usr/bin/perl -w", "/usr/bin/env python3"] {
                let line = |text: &str| format!("#!{language}\n{text}\n");
                check(edit, &sysroot, &line(old), &line(new));
            }
        }
        for line in [
            "if ($x eq '/usr/lib') {",
            "if x == \"/usr/include\":",
            "system('/usr/bin/pkg-config --libs x');",
            "# prefix = '/usr'",
            "path = '/etc/x.conf'",
            "perl = '/usr/bin/perl'",
            "url = 'http://x/usr/lib'",
        ] {
            let text = format!("#!/usr/bin/perl\n{line}\n");
            check(edit, &sysroot, &text, &text);
        }
    }

    #[test]
    fn a_script_that_finds_its_own_directory_is_recognised() {
        for (line, finds) in [
            ("bindir=$(cd -P -- \"$(dirname -- \"$0\")\" && pwd)", true),
            ("here=${0%/*}", true),
            ("d=`dirname ${0}`", true),
            ("echo \"Usage: $0 [OPTION]\"", false),
            ("me=`basename $0`", false),
        ] {
            assert_eq!(uses_own_path(line.as_bytes()), finds, "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let (_directory, sysroot) = sysroot("root");
        let edited = config_script(b"# \xff\r\nprefix=/usr\r\n\0\xfe", &sysroot).expect("an edit");
        let path = sysroot.path().display();
        let new = [
            b"# \xff\r\n",
            format!("prefix={path}/usr\r\n").as_bytes(),
            b"\0\xfe",
        ]
        .concat();
        assert_eq!(edited, new);
    }

    #[test]
    fn a_link_to_the_sysroot_leads_into_it() {
        let (directory, sysroot) = sysroot("root");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("root", &link).expect("a link");
        let line = format!("libdir='{}/usr/lib64'\n", link.display());
        assert_eq!(libtool_archive(line.as_bytes(), &sysroot), None);
        let by_link = Sysroot::at(&link.join("")).expect("a sysroot");
        check(
            libtool_archive,
            &by_link,
            "libdir='/lib'",
            &format!("libdir='{}/lib'", link.display()),
        );
        let line = format!("libdir='{}/lib'", sysroot.path().display());
        assert_eq!(libtool_archive(line.as_bytes(), &by_link), None);
    }
}
