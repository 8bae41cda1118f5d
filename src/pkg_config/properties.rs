//! Properties of any output of a pkg-config, and of any `.pc` file.

use super::{
    Query, asks_about_itself,
    bounds::AllowedDirectories,
    flags::{self, places, split},
    package::{self, Package},
};
use crossmerge_system::file::without_dots;
use std::{ffi::OsString, os::unix::ffi::OsStrExt, path::Path};

const SYSROOT: &str = "/nowhere/sysroot";

/// Checks that every path is found in the text of the output, and that an accepted path is in the sysroot.
pub(crate) fn answer(data: &[u8]) {
    let words = split(data);
    let bounds = AllowedDirectories::only(SYSROOT.into());
    for flag in places(&words) {
        let path = flag.path.as_os_str().as_bytes();
        let text = flag.text.as_bytes();
        assert!(path.len() <= text.len() && text.len() <= data.len() + 32);
        if flag.path.is_absolute() && bounds.hold(&flag.path) {
            let plain = without_dots(&flag.path);
            let has_link = flag.path.ancestors().any(Path::is_symlink);
            assert!(
                plain.starts_with(SYSROOT) || has_link,
                "{plain:?} is inside"
            );
        }
    }
    // A quoted word is one word again.
    let quoted: Vec<String> = words
        .iter()
        .filter_map(|word| Some(shell_words::quote(word.to_str()?).into_owned()))
        .collect();
    let again = split(quoted.join(" ").as_bytes());
    let utf8: Vec<&OsString> = words
        .iter()
        .filter(|word| word.to_str().is_some())
        .collect();
    assert!(again.iter().eq(utf8));
    let msvc: Vec<OsString> = words.iter().cloned().map(flags::from_msvc).collect();
    assert_eq!(msvc.len(), words.len());
    places(&msvc);
    Query::of(&words);
    asks_about_itself(&words);
}

/// Checks that a `.pc` file is read to its end, and that its expanded fields are limited.
pub(crate) fn package(data: &[u8]) {
    let package = Package::parse("/p/x.pc".into(), data, "/s");
    let fields = package::fields(std::slice::from_ref(&package));
    for field in &fields {
        assert_eq!(field.path(), Path::new("/p/x.pc"));
        for flag in field.flags().iter().take(4) {
            assert!(package::origin(flag, &fields).is_some());
        }
    }
    assert!(package.requires().len() <= data.len() * 8 + package::LONGEST);
    let words = String::from_utf8_lossy(data);
    assert!(
        package::named(&words)
            .iter()
            .all(|name| !name.contains(','))
    );
}
