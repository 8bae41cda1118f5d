//! Paths, arguments and values as text: quoted for a shell, or as JSON.

use crate::shown;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// Returns a string as JSON. One that is not UTF-8 becomes `{"bytes": […]}`.
pub fn json_string(text: &OsStr) -> serde_json::Value {
    match text.to_str() {
        Some(text) => text.into(),
        None => serde_json::json!({ "bytes": text.as_bytes() }),
    }
}

/// Returns the hexadecimal digits of bytes, such as a hash.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Quotes a string for a shell.
///
/// A terminal would not preserve control characters or bytes that are not UTF-8. A string with either is written as
/// `$'…'` with octal escapes, which bash, zsh and ksh understand, and POSIX since issue 8.
pub fn quote(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.chars().any(|c| c.is_control() && c != '\n') => {
            shell_words::quote(text).into_owned()
        }
        _ => escaped(word),
    }
}

/// Quotes a string as [`quote`] does, on one line: for a command in a message.
pub fn quote_line(word: &OsStr) -> String {
    let is_plain = |text: &str| !text.chars().any(shown::is_control);
    match word.to_str() {
        Some(text) if is_plain(text) => shell_words::quote(text).into_owned(),
        _ => escaped(word),
    }
}

/// Quotes a string for any POSIX sh, including one without `$'…'`. Its `printf` writes bytes that are not UTF-8.
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

/// Returns the command that shows what a file is. It uses only programs that every system has; file(1) is not one.
pub fn show_file(path: &Path) -> String {
    format!("ls -lL {0}; od -c {0} | head -n 4", quote(path.as_os_str()))
}

/// Returns a string as `$'…'` with octal escapes.
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
