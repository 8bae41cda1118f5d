//! The lines of a log as text: read one at a time with bounded memory, without colours, in one spelling of quotes.

use std::io::{self, BufRead};

/// The number of bytes of a line that are kept. The rest of a longer line is skipped: a linker's command line may have
/// a megabyte.
const KEPT: usize = 4096;

/// Reads a text line by line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    text: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(text: R) -> Self {
        Self { text, number: 0 }
    }

    /// Skips a number of bytes. The numbers of the lines count what is skipped.
    pub(super) fn after(mut text: R, begin: u64) -> io::Result<Self> {
        let mut number = 0;
        let mut left = usize::try_from(begin).unwrap_or(usize::MAX);
        while left > 0 {
            let bytes = text.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let part = &bytes[..bytes.len().min(left)];
            number += memchr::memchr_iter(b'\n', part).count();
            left -= part.len();
            let used = part.len();
            text.consume(used);
        }
        Ok(Self { text, number })
    }

    /// Returns the next line as the terminal would show it, with its number from 1. Returns `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(usize, String)>> {
        let mut kept = Vec::new();
        let mut is_empty = true;
        loop {
            let bytes = match self.text.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                break;
            }
            is_empty = false;
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            kept.extend_from_slice(&part[..part.len().min(KEPT - kept.len())]);
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.text.consume(used);
            if end.is_some() {
                break;
            }
        }
        if is_empty {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some((self.number, plain(&kept))))
    }
}

/// Returns a line without escape sequences (ECMA-48, 5.4 and 5.6) and without what a carriage return overwrites.
fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = match text.contains('\u{1b}') {
        true => without_escapes(&text),
        false => text.into_owned(),
    };
    let end = text.trim_end_matches(['\r', ' ', '\t']);
    // A download's progress is one line, which each update overwrites.
    let shown = end.rsplit('\r').next().unwrap_or_default();
    shown.to_owned()
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            // A control sequence ends with a byte from `@` to `~`.
            Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            // A title of the terminal ends with BEL or with ESC and a backslash.
            Some(']') => {
                while let Some(c) = chars.next() {
                    if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    plain
}

/// Returns a line with `'` for every quotation mark: gcc and make choose the mark by the locale's characters, and older
/// releases begin with a backtick.
pub(super) fn with_plain_quotes(line: &str) -> String {
    line.replace(['`', '‘', '’', '´', '“', '”', '"'], "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_the_terminal_shows() {
        for (bytes, wanted) in [
            (&b"plain"[..], "plain"),
            (b"windows \r", "windows"),
            (b" 10%\r 50%\r100%\r", "100%"),
            (b"\x1b[31;01m*\x1b[0m red", "* red"),
            (b"\x1b]0;title\x07after", "after"),
            (b"\x1b]2;title\x1b\\after", "after"),
            (b"\x1b[", ""),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(plain(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let text = format!("{}\nnext", "x".repeat(3 * KEPT));
        let mut lines = Lines::of(io::BufReader::with_capacity(100, text.as_bytes()));
        let (_, first) = lines.next().expect("readable").expect("a line");
        assert_eq!(first.len(), KEPT);
        let next = lines.next().expect("readable");
        assert_eq!(next, Some((2, "next".into())));
        assert_eq!(lines.next().expect("readable"), None);
    }
}
