//! A tuple, validated once.
//!
//! A tuple ends up in path names, in make.conf and in the names of links, so whatever could mean something else there
//! is refused here, before anything is touched. What a CPU is called and whether we know it is not decided here:
//! that is `target.rs`. Pure.

use crate::report::Explain;
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, fmt, str::FromStr};

/// The longest tuple accepted, in bytes. A link is called `<tuple>-<applet>` and a file name holds 255 bytes.
pub const MAX_BYTES: usize = 128;

/// First words that our own names use: `emerge-wrapper` and `cross-emerge` are not tuples.
const RESERVED: [&str; 2] = ["wrapper", "cross"];

/// The system a package is built for, as GNU configure spells it: `armv4tl-softfloat-linux-gnueabi`, `avr`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Tuple(String);

/// Why a word is not a tuple. Every message bears the word.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TupleError {
    /// Nothing between the quotes.
    #[error("the tuple is empty")]
    Empty,
    /// Bytes that are not UTF-8.
    #[error("`{0}` is not a tuple: it is not UTF-8")]
    NotUtf8(String),
    /// More than [`MAX_BYTES`].
    #[error("`{tuple}` is not a tuple: it has {bytes} bytes, and {MAX_BYTES} is the most")]
    TooLong {
        /// The word, shortened.
        tuple: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// An option that landed where the tuple belongs.
    #[error("`{0}` is not a tuple: it begins with a dash")]
    LeadingDash(String),
    /// A `/`.
    #[error("`{0}` is not a tuple: it holds a path separator")]
    Separator(String),
    /// `..` anywhere.
    #[error("`{0}` is not a tuple: it holds `..`")]
    DotDot(String),
    /// Any white space, line ends too.
    #[error("{0:?} is not a tuple: it holds white space")]
    WhiteSpace(String),
    /// Two dashes together, or one at the end.
    #[error("`{0}` is not a tuple: it has an empty field")]
    EmptyField(String),
    /// A character with a meaning to a shell, to make.conf or in PATH.
    #[error("{tuple:?} is not a tuple: a field cannot hold {character:?}")]
    Character {
        /// The word.
        tuple: String,
        /// The first character refused.
        character: char,
    },
    /// `wrapper` or `cross`.
    #[error("`{0}` is not a tuple: crossmerge uses that word in names of its own")]
    Reserved(String),
}

impl Explain for TupleError {
    fn own_hint(&self) -> Option<String> {
        Some(
            "write the tuple as the toolchain does, for example `aarch64-unknown-linux-gnu`".into(),
        )
    }
}

impl Tuple {
    /// Validates a word as it came from the command line or from a file name.
    pub fn from_os(word: &OsStr) -> Result<Self, TupleError> {
        match word.to_str() {
            Some(word) => word.parse(),
            None => Err(TupleError::NotUtf8(word.to_string_lossy().into_owned())),
        }
    }

    /// The whole tuple.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first field.
    pub fn cpu(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// The vendor, when the tuple holds one: not in `avr`, `i686-gnu` or `or1k-linux-musl`.
    ///
    /// `cpu-os` has none; in `cpu-kernel-os` the second field is a kernel. Source: config.sub of GNU config.
    pub fn vendor(&self) -> Option<&str> {
        let fields: Vec<&str> = self.0.split('-').collect();
        match fields[..] {
            [_] | [_, _] => None,
            [_, second, _] if second.ends_with("linux") => None,
            _ => Some(fields[1]),
        }
    }

    /// The tuple without its vendor, as Debian calls what it has for it; none when it has none.
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
    fn whatever_could_mean_something_else_is_refused() {
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
            ("a$b", "cannot hold '$'"),
            ("a\"b", "cannot hold '\"'"),
            ("a:b", "cannot hold ':'"),
            ("a\u{7}b", "cannot hold '\\u{7}'"),
            (".", "cannot hold '.'"),
            (".a-linux", "cannot hold '.'"),
            ("wrapper", "names of its own"),
        ] {
            let error = word.parse::<Tuple>().expect_err(word).to_string();
            assert!(error.contains(claim), "{word:?}: {error}");
        }
        assert!("a".repeat(128).parse::<Tuple>().is_ok());
        let error = Tuple::from_os(OsStr::from_bytes(b"arm\xff-linux")).expect_err("not UTF-8");
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }
}
