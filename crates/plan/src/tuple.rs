//! Tuples, validated once.
//!
//! A tuple becomes part of paths, of make.conf and of the names of symlinks. A character with a special meaning in any
//! of these is rejected here, before anything is changed. Whether crossmerge knows the CPU is decided in `target.rs`.
//! This module is pure.

use crate::report::Explain;
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, fmt, str::FromStr};

/// The greatest length of a tuple, in bytes. It leaves room in `<tuple>-<applet>`, a file name of at most 255 bytes.
pub const MAX_BYTES: usize = 128;

/// Words that crossmerge uses in its own command names, as in `cross-emerge`, and which are not tuples.
const RESERVED: [&str; 2] = ["wrapper", "cross"];

/// The name of a system to build for, as GNU configure spells it: `armv4tl-softfloat-linux-gnueabi`, `avr`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Tuple(String);

/// Why a string is not a tuple.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TupleError {
    /// An empty string.
    #[error("the tuple is empty")]
    Empty,
    /// Bytes that are not UTF-8.
    #[error("`{0}` is not a tuple: it is not UTF-8")]
    NotUtf8(String),
    /// More than [`MAX_BYTES`].
    #[error("`{tuple}` is not a tuple: it has {bytes} bytes, and the limit is {MAX_BYTES}")]
    TooLong {
        /// The string, shortened.
        tuple: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// A leading dash, as of an option in place of the tuple.
    #[error("`{0}` is not a tuple: it begins with a dash")]
    LeadingDash(String),
    /// A `/`.
    #[error("`{0}` is not a tuple: it contains a path separator")]
    Separator(String),
    /// `..` anywhere.
    #[error("`{0}` is not a tuple: it contains `..`")]
    DotDot(String),
    /// White space, including line breaks.
    #[error("{0:?} is not a tuple: it contains white space")]
    WhiteSpace(String),
    /// Two adjacent dashes, or one at the end.
    #[error("`{0}` is not a tuple: it has an empty field")]
    EmptyField(String),
    /// A character with a special meaning in a shell, in make.conf or in PATH.
    #[error("{tuple:?} is not a tuple: a field cannot contain {character:?}")]
    Character {
        /// The string.
        tuple: String,
        /// The first such character.
        character: char,
    },
    /// One of the reserved words, `wrapper` and `cross`.
    #[error("`{0}` is not a tuple: crossmerge uses this word in its own command names")]
    Reserved(String),
}

impl Explain for TupleError {
    fn own_hint(&self) -> Option<String> {
        Some(
            "spell the tuple as the toolchain does, for example `aarch64-unknown-linux-gnu`".into(),
        )
    }
}

impl Tuple {
    /// Parses a tuple from an argument or a file name.
    ///
    /// # Errors
    ///
    /// A [`TupleError`] if the string is not a tuple.
    pub fn from_os(word: &OsStr) -> Result<Self, TupleError> {
        match word.to_str() {
            Some(word) => word.parse(),
            None => Err(TupleError::NotUtf8(word.to_string_lossy().into_owned())),
        }
    }

    /// Returns the whole tuple.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first field.
    pub fn cpu(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Returns the vendor. `None` if the tuple has none, as in `avr`, `i686-gnu` and `or1k-linux-musl`.
    ///
    /// `cpu-os` has none, and in `cpu-kernel-os` the second field is the kernel. Source: config.sub of GNU config.
    pub fn vendor(&self) -> Option<&str> {
        let fields: Vec<&str> = self.0.split('-').collect();
        match fields[..] {
            [_] | [_, _] => None,
            [_, second, _] if second.ends_with("linux") => None,
            _ => Some(fields[1]),
        }
    }

    /// Returns the tuple without its vendor, as in the names of Debian's packages. `None` if it has no vendor.
    pub fn without_vendor(&self) -> Option<String> {
        let vendor = self.vendor()?;
        Some(self.0.replacen(&format!("-{vendor}-"), "-", 1))
    }
}

impl TryFrom<String> for Tuple {
    type Error = TupleError;

    fn try_from(word: String) -> Result<Self, TupleError> {
        word.parse()
    }
}

impl FromStr for Tuple {
    type Err = TupleError;

    fn from_str(word: &str) -> Result<Self, TupleError> {
        let own = || word.to_owned();
        if word.is_empty() {
            return Err(TupleError::Empty);
        }
        if word.len() > MAX_BYTES {
            let tuple = word.chars().take(32).chain("…".chars()).collect();
            return Err(TupleError::TooLong {
                tuple,
                bytes: word.len(),
            });
        }
        if word.starts_with('-') {
            return Err(TupleError::LeadingDash(own()));
        }
        if word.chars().any(char::is_whitespace) {
            return Err(TupleError::WhiteSpace(own()));
        }
        if word.contains('/') {
            return Err(TupleError::Separator(own()));
        }
        if word.contains("..") {
            return Err(TupleError::DotDot(own()));
        }
        if word.split('-').any(str::is_empty) {
            return Err(TupleError::EmptyField(own()));
        }
        let plain = |c: &char| c.is_alphanumeric() || "-_.+~".contains(*c);
        let first = word.chars().next().filter(|c| !c.is_alphanumeric());
        if let Some(character) = first.or_else(|| word.chars().find(|c| !plain(c))) {
            return Err(TupleError::Character {
                tuple: own(),
                character,
            });
        }
        if RESERVED.contains(&word) {
            return Err(TupleError::Reserved(own()));
        }
        Ok(Self(own()))
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn valid_tuples_keep_their_spelling_and_their_fields() {
        for (word, cpu, vendor) in [
            ("avr", "avr", None),
            ("mmix", "mmix", None),
            ("i686-gnu", "i686", None),
            ("or1k-linux-musl", "or1k", None),
            ("arm-uclinux-uclibc", "arm", None),
            ("arm-none-eabi", "arm", Some("none")),
            ("hppa2.0-unknown-linux-gnu", "hppa2.0", Some("unknown")),
            ("x86_64-HEAD-linux-gnu", "x86_64", Some("HEAD")),
            (
                "armv4tl-softfloat-linux-gnueabi",
                "armv4tl",
                Some("softfloat"),
            ),
            (
                "x86_64-my_own.vendor+2-linux-gnu",
                "x86_64",
                Some("my_own.vendor+2"),
            ),
            ("x86_64-gentöo-linux-gnu", "x86_64", Some("gentöo")),
        ] {
            let tuple: Tuple = word.parse().unwrap_or_else(|e| panic!("{word}: {e}"));
            assert_eq!(
                (tuple.as_str(), tuple.cpu(), tuple.vendor()),
                (word, cpu, vendor),
                "{word}"
            );
        }
    }

    #[test]
    fn a_string_with_a_special_meaning_elsewhere_is_rejected() {
        let long = "a".repeat(129);
        for (word, claim) in [
            ("", "is empty"),
            (long.as_str(), "129 bytes"),
            ("-x", "begins with a dash"),
            ("--help", "begins with a dash"),
            ("a b", "white space"),
            ("a\nb", "white space"),
            ("a\u{a0}b", "white space"),
            ("a/b", "path separator"),
            ("/etc", "path separator"),
            ("..", "`..`"),
            ("a..b-linux", "`..`"),
            ("a--b", "empty field"),
            ("a-", "empty field"),
            ("a$b", "cannot contain '$'"),
            ("a\"b", "cannot contain '\"'"),
            ("a:b", "cannot contain ':'"),
            ("a\u{7}b", "cannot contain '\\u{7}'"),
            (".", "cannot contain '.'"),
            (".a-linux", "cannot contain '.'"),
            ("wrapper", "its own command names"),
        ] {
            let error = word.parse::<Tuple>().expect_err(word).to_string();
            assert!(error.contains(claim), "{word:?}: {error}");
        }
        assert!("a".repeat(128).parse::<Tuple>().is_ok());
        let error = Tuple::from_os(OsStr::from_bytes(b"arm\xff-linux")).expect_err("not UTF-8");
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }
}
