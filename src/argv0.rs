//! The name we were called by: which applet, for which tuple. Pure.
//!
//! It is the whole file name that counts, never its stem: `hppa2.0-unknown-linux-gnu-emerge` has a dot in the tuple.
//! The longest applet name behind a dash wins, so `<tuple>-gcc-ar` is `gcc-ar` and not `ar` for a strange tuple.

use crossmerge_plan::{
    passes_on,
    report::Explain,
    tuple::{Tuple, TupleError},
};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// What a name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// `crossmerge`, our own name.
    Crossmerge,
    /// `emerge-wrapper`, as crossdev calls it.
    EmergeWrapper,
    /// An applet.
    Applet {
        /// Its name.
        name: String,
        /// Its tuple; none for `cross-<applet>`, which takes it from CHOST.
        tuple: Option<Tuple>,
    },
}

/// Why a name asks for nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// It has no applet in it.
    #[error("crossmerge has nothing to do under the name `{0}`")]
    Unknown(String),
    /// What stands before the applet is no tuple.
    #[error(transparent)]
    Tuple(#[from] TupleError),
}

impl Explain for NameError {
    passes_on!(Tuple);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => "call it `crossmerge`, `emerge-wrapper` or `<tuple>-<applet>`; `crossmerge --help` lists the applets".into(),
            _ => return None,
        })
    }
}

/// The name that a program was called by, without directories.
pub fn file_name(argv0: &OsStr) -> &OsStr {
    Path::new(argv0).file_name().unwrap_or(argv0)
}

/// Reads a program name, with or without directories, given the names of the applets.
pub fn parse<'a>(
    argv0: &OsStr,
    applets: impl Iterator<Item = &'a str>,
) -> Result<Called, NameError> {
    let name = file_name(argv0);
    match name.as_bytes() {
        b"crossmerge" => return Ok(Called::Crossmerge),
        b"emerge-wrapper" => return Ok(Called::EmergeWrapper),
        _ => {}
    }
    let before = |applet: &str| {
        let rest = name
            .as_bytes()
            .strip_suffix(applet.as_bytes())?
            .strip_suffix(b"-")?;
        Some((applet.to_owned(), OsStr::from_bytes(rest).to_owned()))
    };
    let longest = applets
        .filter_map(before)
        .max_by_key(|(applet, _)| applet.len());
    let (applet, tuple) = match longest {
        Some((applet, rest)) if rest == "cross" => {
            return Ok(Called::Applet {
                name: applet,
                tuple: None,
            });
        }
        Some((applet, rest)) => (applet, rest),
        // Some people like their tab completion: emerge-<tuple>.
        None => match name.as_bytes().strip_prefix(b"emerge-") {
            Some(rest) => ("emerge".into(), OsStr::from_bytes(rest).to_owned()),
            None => return Err(NameError::Unknown(name.to_string_lossy().into_owned())),
        },
    };
    Ok(Called::Applet {
        name: applet,
        tuple: Some(Tuple::from_os(&tuple)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLETS: [&str; 8] = [
        "emerge",
        "ebuild",
        "env",
        "ar",
        "gcc-ar",
        "gcc",
        "g++",
        "pkg-config",
    ];

    #[test]
    fn the_longest_applet_on_a_dash_wins() {
        for (name, applet, tuple) in [
            (
                "armv4tl-softfloat-linux-gnueabi-emerge",
                "emerge",
                Some("armv4tl-softfloat-linux-gnueabi"),
            ),
            ("/usr/bin/avr-emerge", "emerge", Some("avr")),
            (
                "hppa2.0-unknown-linux-gnu-emerge",
                "emerge",
                Some("hppa2.0-unknown-linux-gnu"),
            ),
            (
                "hppa2.0-unknown-linux-gnu-ebuild",
                "ebuild",
                Some("hppa2.0-unknown-linux-gnu"),
            ),
            ("emerge-avr", "emerge", Some("avr")),
            (
                "emerge-i686-pc-linux-gnu",
                "emerge",
                Some("i686-pc-linux-gnu"),
            ),
            ("mmix-gcc-ar", "gcc-ar", Some("mmix")),
            ("mmix-ar", "ar", Some("mmix")),
            (
                "x86_64-pc-linux-gnu-g++",
                "g++",
                Some("x86_64-pc-linux-gnu"),
            ),
            ("arm-pkg-config", "pkg-config", Some("arm")),
            ("cross-emerge", "emerge", None),
            ("cross-ebuild", "ebuild", None),
            ("./cross-pkg-config", "pkg-config", None),
        ] {
            let called = parse(OsStr::new(name), APPLETS.into_iter());
            let tuple = tuple.map(|tuple| tuple.parse().expect(tuple));
            assert_eq!(
                called,
                Ok(Called::Applet {
                    name: applet.into(),
                    tuple
                }),
                "{name}"
            );
        }
        let own = |name: &str| parse(OsStr::new(name), APPLETS.into_iter());
        assert_eq!(own("/opt/bin/crossmerge"), Ok(Called::Crossmerge));
        assert_eq!(own("emerge-wrapper"), Ok(Called::EmergeWrapper));
    }

    #[test]
    fn a_name_without_applet_or_tuple_is_refused() {
        for (name, claim) in [
            (
                "crossmerge.sh",
                "nothing to do under the name `crossmerge.sh`",
            ),
            ("emerge", "nothing to do"),
            ("armemerge", "nothing to do"),
            ("-emerge", "the tuple is empty"),
            ("a--b-emerge", "empty field"),
            ("a b-emerge", "white space"),
            ("emerge-", "the tuple is empty"),
        ] {
            let error = parse(OsStr::new(name), APPLETS.into_iter())
                .expect_err(name)
                .to_string();
            assert!(error.contains(claim), "{name}: {error}");
        }
    }
}
