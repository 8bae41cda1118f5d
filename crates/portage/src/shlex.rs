//! Splits make.conf into words: the grammar of Python's `shlex` in POSIX mode, with Portage's word characters.
//!
//! It is a state machine. Existing files depend on three of its properties, so they are kept:
//!
//! * A character that cannot be part of a word ends a word and is a token itself.
//! * If a file ends inside a `source` command, the machine stays in its end state.
//! * `source` is recognised wherever a token is read, even as a value.
//!
//! `varexpand.rs` expands the tokens.

use super::{
    error::SettingsError,
    path,
    text::SettingsFiles,
    varexpand::{LONGEST, varexpand},
    variables::Vars,
};
use std::{collections::VecDeque, rc::Rc};

/// Reads tokens from a file and from the files that it sources.
#[derive(Debug)]
pub(crate) struct Shlex<'f> {
    files: &'f SettingsFiles,
    source: SourceText,
    outer: Vec<SourceText>,
    pushed_back: VecDeque<String>,
    state: LexState,
    sourcing: bool,
}

#[derive(Debug)]
struct SourceText {
    file: String,
    text: Rc<str>,
    position: usize,
    line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LexState {
    Blank,
    Word,
    Quoted(char),
    /// After a backslash. [`Shlex::read_token`] stores the state to return to.
    Escaped,
    End,
}

/// The maximum nesting of files that source one another. A deeper one is taken for a cycle.
const DEEPEST: usize = 40;

/// The cost of a `source` in addition to the text, in the bytes of [`SettingsFiles::spend`].
const SOURCE: usize = 1 << 10;

impl<'f> Shlex<'f> {
    /// Starts with the text of a file. Without `sourcing`, `source` is an ordinary word.
    pub(crate) fn new(files: &'f SettingsFiles, file: &str, text: Rc<str>, sourcing: bool) -> Self {
        // Portage adds a newline to a text that ends without one.
        let text = match text.is_empty() || text.ends_with('\n') {
            true => text,
            false => format!("{text}\n").into(),
        };
        Self {
            files,
            source: SourceText::new(file, text),
            outer: Vec::new(),
            pushed_back: VecDeque::new(),
            state: LexState::Blank,
            sourcing,
        }
    }

    /// Returns an error whose cause is the current line.
    pub(crate) fn error(&self, reason: &str) -> SettingsError {
        SettingsError::line(&self.source.file, self.source.line, reason)
    }

    /// Returns the final error of a value that is too long.
    pub(crate) fn too_long(&self) -> SettingsError {
        self.error(&format!("a value is longer than {LONGEST} bytes"))
            .into_final()
    }

    /// Counts the work that the text causes.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), SettingsError> {
        self.files.spend(&self.source.file, bytes)
    }

    /// Returns the next token; `None` at the end.
    pub(crate) fn token(&mut self, variables: &Vars) -> Result<Option<String>, SettingsError> {
        loop {
            if let Some(token) = self.pushed_back.pop_front() {
                return Ok(Some(token));
            }
            let token = self.read_token()?;
            if self.sourcing && token.as_deref() == Some("source") {
                let name = self.read_token()?;
                self.begin(name, variables)?;
                continue;
            }
            if token.is_some() {
                return Ok(token);
            }
            let Some(outer) = self.outer.pop() else {
                return Ok(None);
            };
            self.source = outer;
            self.state = LexState::Blank;
        }
    }

    /// Continues in a sourced file.
    fn begin(&mut self, name: Option<String>, variables: &Vars) -> Result<(), SettingsError> {
        let name = name.ok_or_else(|| self.error("`source` names no file, so Portage fails"))?;
        let mut name = varexpand(&name, variables).ok_or_else(|| self.too_long())?;
        if name.is_empty() {
            return Err(self.error("`source` names no file, so Portage fails"));
        }
        if let Some(rest) = name.strip_prefix('"') {
            let mut inner = rest.chars();
            inner.next_back();
            name = inner.as_str().to_owned();
        }
        if self.outer.len() >= DEEPEST {
            return Err(self.error("`source` is nested too deeply, or forms a cycle"));
        }
        let directory = match self.source.file.rfind('/') {
            Some(0) => "/",
            Some(end) => &self.source.file[..end],
            None => "",
        };
        let file = path::join(directory, &name);
        let text = self.files.sourced(&file)?;
        self.files.spend(&file, SOURCE + text.len())?;
        let inner = SourceText::new(&file, text);
        self.outer.push(std::mem::replace(&mut self.source, inner));
        Ok(())
    }

    /// Reads the next token from the current source. The states are in one function, as in `shlex.read_token` of
    /// CPython's `Lib/shlex.py`, so that both can be compared.
    fn read_token(&mut self) -> Result<Option<String>, SettingsError> {
        let mut token = String::new();
        let mut quoted = false;
        let mut escaped_in = LexState::Blank;
        loop {
            let next = self.source.next();
            match self.state {
                LexState::End => {
                    token.clear();
                    break;
                }
                LexState::Blank => match next {
                    None => {
                        self.state = LexState::End;
                        break;
                    }
                    Some(' ' | '\t' | '\r' | '\n') => {}
                    Some('#') => self.source.skip_line(),
                    Some('\\') => {
                        escaped_in = LexState::Word;
                        self.state = LexState::Escaped;
                    }
                    Some(quote @ ('"' | '\'')) => self.state = LexState::Quoted(quote),
                    Some(c) => {
                        token.push(c);
                        if !is_word(c) {
                            break;
                        }
                        self.state = LexState::Word;
                    }
                },
                LexState::Quoted(quote) => {
                    quoted = true;
                    match next {
                        None => return Err(self.error("a quote is not closed, so Portage fails")),
                        Some(c) if c == quote => self.state = LexState::Word,
                        Some('\\') if quote == '"' => {
                            escaped_in = self.state;
                            self.state = LexState::Escaped;
                        }
                        Some(c) => {
                            token.push(c);
                            token.push_str(self.source.until(|c| c == quote || c == '\\'));
                        }
                    }
                }
                LexState::Escaped => {
                    let Some(c) = next else {
                        return Err(self.error("a backslash ends the file, so Portage fails"));
                    };
                    // Inside double quotes, a backslash only escapes the quote and the backslash.
                    if escaped_in == LexState::Quoted('"') && c != '\\' && c != '"' {
                        token.push('\\');
                    }
                    token.push(c);
                    self.state = escaped_in;
                }
                LexState::Word => match next {
                    None => {
                        self.state = LexState::End;
                        break;
                    }
                    Some(end @ (' ' | '\t' | '\r' | '\n' | '#')) => {
                        if end == '#' {
                            self.source.skip_line();
                        }
                        self.state = LexState::Blank;
                        if !token.is_empty() || quoted {
                            break;
                        }
                    }
                    Some(quote @ ('"' | '\'')) => self.state = LexState::Quoted(quote),
                    Some('\\') => {
                        escaped_in = LexState::Word;
                        self.state = LexState::Escaped;
                    }
                    Some(c) if is_word(c) => {
                        token.push(c);
                        let ends = |c| !is_word(c) || c == '#' || c == '\\';
                        token.push_str(self.source.until(ends));
                    }
                    Some(c) => {
                        self.pushed_back.push_front(c.to_string());
                        self.state = LexState::Blank;
                        if !token.is_empty() || quoted {
                            break;
                        }
                    }
                },
            }
        }
        Ok((quoted || !token.is_empty()).then_some(token))
    }
}

impl SourceText {
    fn new(file: &str, text: Rc<str>) -> Self {
        Self {
            file: file.to_owned(),
            text,
            position: 0,
            line: 1,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.text[self.position..].chars().next()?;
        self.position += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// Returns the text before the next character that `ends` accepts.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> &str {
        let rest = &self.text[self.position..];
        let end = rest.find(ends).unwrap_or(rest.len());
        let all = &rest[..end];
        self.position += end;
        self.line += all.matches('\n').count();
        all
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.position..];
        self.position += rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.line += 1;
    }
}

fn is_word(c: char) -> bool {
    matches!(c, '0'..='9' | 'A'..='Z' | 'a'..='z' | '~' | '!' | '@' | '#' | '$' | '%' | '*' | '_' | '\\' | ':' | ';' | '?'
        | ',' | '.' | '/' | '-' | '+' | '{' | '}')
}

/// Splits at white space outside quotes, as Python's `shlex.split` does; returns `None` if a quote or a backslash is
/// left open.
pub(crate) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            // Only these four are white space for `shlex`. Others are part of a word.
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(rest.next()?),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => match rest.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let files = SettingsFiles::default();
        let mut shlex = Shlex::new(&files, "f", text.into(), false);
        let mut tokens = Vec::new();
        while let Some(token) = shlex.token(&Vars::new()).expect(text) {
            tokens.push(token);
        }
        tokens
    }

    #[test]
    fn words_end_as_in_shlex() {
        for (text, wanted) in [
            ("A=b\n", vec!["A", "=", "b"]),
            (
                "A='b c'\"d\\\"\\$e\"f#g\nB",
                vec!["A", "=", "b cd\"\\$ef", "B"],
            ),
            ("A=\"\"", vec!["A", "=", ""]),
            ("A=b(c)", vec!["A", "=", "b", "(", "c", ")"]),
            ("a\\\nb \\# é", vec!["a\nb", "#", "é"]),
        ] {
            assert_eq!(tokens(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_is_an_error_with_its_line() {
        let files = SettingsFiles::default();
        let mut shlex = Shlex::new(&files, "f", "\n\n'a".into(), false);
        let error = shlex.token(&Vars::new()).expect_err("an open quote");
        assert_eq!(error.line, Some(4));
    }

    #[test]
    fn words_are_split_as_python_does() {
        for (text, wanted) in [
            ("", Some(&[][..])),
            (" /a\t/b\n/c ", Some(&["/a", "/b", "/c"])),
            ("'/a b' \"/c d\"/e", Some(&["/a b", "/c d/e"])),
            (r"/a\ b '\' \'", Some(&["/a b", r"\", "'"])),
            (r#""a\"b\\c\d""#, Some(&[r#"a"b\c\d"#])),
            ("'' a#b #c", Some(&["", "a#b", "#c"])),
            ("a\u{b}b\u{a0}c", Some(&["a\u{b}b\u{a0}c"])),
            ("'a", None),
            ("\"a\\\"", None),
            ("a\\", None),
        ] {
            let is = split(text);
            let is: Option<Vec<&str>> = is
                .as_ref()
                .map(|is| is.iter().map(String::as_str).collect());
            assert_eq!(is.as_deref(), wanted, "{text:?}");
        }
    }
}
