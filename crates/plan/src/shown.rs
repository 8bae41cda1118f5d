//! Escaping of names that another user chose. Control characters are escaped, so that a name can neither control the
//! terminal nor imitate a message of crossmerge.

use std::{
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
};

/// A name whose `Display` escapes control characters.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a OsStr);

/// Types that are displayed with control characters escaped.
pub trait Show {
    /// Returns the name with control characters escaped as in Rust: `\u{1b}`, `\n`. Bytes that are not UTF-8 become
    /// U+FFFD.
    fn shown(&self) -> Shown<'_>;
}

impl Show for OsStr {
    fn shown(&self) -> Shown<'_> {
        Shown(self)
    }
}

impl Show for Path {
    fn shown(&self) -> Shown<'_> {
        Shown(self.as_os_str())
    }
}

impl Show for PathBuf {
    fn shown(&self) -> Shown<'_> {
        Shown(self.as_os_str())
    }
}

impl Show for str {
    fn shown(&self) -> Shown<'_> {
        Shown(self.as_ref())
    }
}

/// Returns whether a character affects how the following text is displayed: control characters, marks of text direction
/// (Bidi_Control in Unicode, UAX #9), and line and paragraph separators.
pub fn is_control(c: char) -> bool {
    let is_direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_direction || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Escapes a text of several lines. Line breaks and tabs stay as they are.
pub fn lines(text: &str) -> String {
    let is_text = |c: char| matches!(c, '\n' | '\t') || !is_control(c);
    if text.chars().all(is_text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_text(c) {
            true => shown.push(c),
            false => shown.extend(c.escape_default()),
        }
    }
    shown
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        let mut plain = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| is_control(*c)) {
            f.write_str(&text[plain..at])?;
            write!(f, "{}", c.escape_default())?;
            plain = at + c.len_utf8();
        }
        f.write_str(&text[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_name_is_one_line_of_plain_text() {
        for (name, wanted) in [
            (&b"libz.so"[..], "libz.so"),
            (b"\x1b]0;owned\x07", "\\u{1b}]0;owned\\u{7}"),
            (b"a\nremoved  all\r", "a\\nremoved  all\\r"),
            (b"\xc2\x9b31m", "\\u{9b}31m"),
            ("x\u{202e}fdp".as_bytes(), "x\\u{202e}fdp"),
            (b"\xffz", "\u{fffd}z"),
            ("Ü ü".as_bytes(), "Ü ü"),
        ] {
            let shown = OsStr::from_bytes(name).shown().to_string();
            assert_eq!(shown, wanted, "{name:?}");
        }
        assert_eq!(lines("a\n\tb\x1b[0m"), "a\n\tb\\u{1b}[0m");
    }
}
