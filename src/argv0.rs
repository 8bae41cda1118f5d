//! The command's name, split into applet and tuple. This module is pure.
//!
//! The whole file name counts, not its stem: in `hppa2.0-unknown-linux-gnu-emerge` the tuple contains a dot. The
//! longest applet name after a dash is chosen, so `<tuple>-gcc-ar` is the applet `gcc-ar` for `<tuple>`, and not `ar`
//! for `<tuple>-gcc`.

use crossmerge_plan::{
    passes_on,
    report::Explain,
    tuple::{Tuple, TupleError},
};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// The command that a name selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// `crossmerge` itself.
    Crossmerge,
    /// `emerge-wrapper`, which crossdev calls.
    EmergeWrapper,
    /// `crossdev`, which builds toolchains.
    Crossdev,
    /// An applet.
    Applet {
        /// The name of the applet.
        name: String,
        /// The tuple. `None` for `cross-<applet>`, which takes it from CHOST.
        tuple: Option<Tuple>,
    },
}

/// Why a name selects no command.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// The name ends in no known applet.
    #[error("`{0}` is not the name of a crossmerge command")]
    Unknown(String),
    /// The part before the applet is not a tuple.
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

/// Returns the name under which the program was called, without directories.
pub fn file_name(argv0: &OsStr) -> &OsStr {
    Path::new(argv0).file_name().unwrap_or(argv0)
}

/// Parses a program name, with or without directories. `applets` are the names of the applets.
pub fn parse<'a>(
    argv0: &OsStr,
    applets: impl Iterator<Item = &'a str>,
) -> Result<Called, NameError> {
    let name = file_name(argv0);
    match name.as_bytes() {
        b"crossmerge" => return Ok(Called::Crossmerge),
        b"emerge-wrapper" => return Ok(Called::EmergeWrapper),
        b"crossdev" => return Ok(Called::Crossdev),
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
        // `emerge-<tuple>` is convenient with tab completion.
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
    fn the_longest_applet_after_a_dash_is_chosen() {
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
        assert_eq!(own("crossdev"), Ok(Called::Crossdev));
    }

    #[test]
    fn a_name_without_applet_or_tuple_is_rejected() {
        for (name, claim) in [
            (
                "crossmerge.sh",
                "`crossmerge.sh` is not the name of a crossmerge command",
            ),
            ("emerge", "is not the name"),
            ("armemerge", "is not the name"),
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
