//! Strings of the system (paths, arguments, values) as text: quoted for a shell, or as JSON.

use crate::shown;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// Returns a string as JSON. One that is not UTF-8 becomes `{"bytes": […]}`.
pub fn json_string(text: &OsStr) -> serde_json::Value {
    match text.to_str() {
        Some(text) => text.into(),
        None => serde_json::json!({ "bytes": text.as_bytes() }),
    }
}

/// Quotes a word for a shell.
///
/// Bytes that are not UTF-8 and control characters would not survive a terminal, so such a word is written as `$'…'`
/// with octal escapes, which POSIX has since issue 8, and bash, zsh and ksh for longer.
pub fn quote(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.chars().any(|c| c.is_control() && c != '\n') => {
            shell_words::quote(text).into_owned()
        }
        _ => escaped(word),
    }
}

/// Quotes a word for a shell as [`quote`] does, and keeps it on one line: for a command that is printed in a message.
pub fn quote_line(word: &OsStr) -> String {
    let is_plain = |text: &str| !text.chars().any(shown::is_control);
    match word.to_str() {
        Some(text) if is_plain(text) => shell_words::quote(text).into_owned(),
        _ => escaped(word),
    }
}

/// Quotes a word for any sh, also one without `$'…'`: bytes that are not UTF-8 are printed by its printf.
pub fn quote_for_any_sh(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) => format!("'{}'", text.replace('\'', "'\\''")),
        None => {
            let bytes = word.as_bytes().iter();
            let octal: String = bytes.map(|byte| format!("\\{byte:03o}")).collect();
            format!("\"$(printf '{octal}')\"")
        }
    }
}

/// Returns the command that shows what a file is, of programs that every system has: file(1) is not one of them.
pub fn show_file(path: &Path) -> String {
    format!("ls -lL {0}; od -c {0} | head -n 4", quote(path.as_os_str()))
}

/// Returns a word as `$'…'` with octal escapes.
fn escaped(word: &OsStr) -> String {
    let mut quoted = String::from("$'");
    for &byte in word.as_bytes() {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', byte as char]),
            b' '..=b'~' => quoted.push(byte as char),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted + "'"
}
