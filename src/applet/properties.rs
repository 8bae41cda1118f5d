//! Properties of any name by which crossmerge is called, and of any definition of an applet.

use super::{BUILT_IN, wrapper::Wrapper};
use crate::{
    argv0::{self, Called},
    config::{Global, TargetConfig},
};
use crossmerge_plan::{
    plan::{Change, Plan},
    report::Explain,
    tuple::{MAX_BYTES, Tuple},
    words,
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

/// Checks that a name is split into parts that make the same name again, or is rejected with a message and a hint.
pub(crate) fn names(data: &[u8]) {
    let argv0 = OsStr::from_bytes(data);
    let applets = || BUILT_IN.iter().flat_map(|row| row.names.iter().copied());
    match argv0::parse(argv0, applets()) {
        Ok(Called::Applet {
            name,
            tuple: Some(tuple),
        }) => {
            let file = argv0::file_name(argv0);
            let ours = format!("{tuple}-{name}");
            assert!(
                file == ours.as_str() || file == format!("emerge-{tuple}").as_str(),
                "{file:?} is {tuple} and {name}"
            );
            let again = argv0::parse(OsStr::new(&ours), applets());
            let tuple = Some(tuple);
            assert_eq!(again, Ok(Called::Applet { name, tuple }));
        }
        Ok(Called::Applet { name, tuple: None }) => {
            assert_eq!(argv0::file_name(argv0), format!("cross-{name}").as_str());
        }
        Ok(Called::Crossmerge | Called::EmergeWrapper | Called::Crossdev) => {}
        Err(error) => assert!(!error.to_string().is_empty() && error.hint().is_some()),
    }
    if let Ok(tuple) = Tuple::from_os(argv0) {
        let text = tuple.as_str();
        assert!(text.len() <= MAX_BYTES && text.as_bytes() == data);
        assert!(!text.contains(['/', '$', '"', '\'', '\\', '`', '\0', '=', ':']));
        assert!(!text.contains("..") && !text.contains(char::is_whitespace));
        assert!(text.starts_with(tuple.cpu()) && !tuple.cpu().is_empty());
        if let Some(short) = tuple.without_vendor() {
            assert!(short.parse::<Tuple>().is_ok(), "{text}");
        }
        // A tuple is used in paths, commands and make.conf without quotes.
        assert_eq!(words::quote(OsStr::new(text)).trim_matches('\''), text);
    }
}

/// Checks that a user's file is parsed or rejected, and that a shell splits its command line into the same words.
pub(crate) fn wrapper(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let words: Vec<OsString> = match Wrapper::parse("own", text) {
        Ok(wrapper) => {
            assert!(!wrapper.names("own").is_empty());
            assert_eq!(wrapper.toolchain.is_some(), !wrapper.tools.is_empty());
            let command = wrapper.command.unwrap_or_default();
            let words = shell_words::split(&command).unwrap_or_default();
            words.into_iter().map(Into::into).collect()
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            vec![text.into(), OsStr::from_bytes(data).into()]
        }
    };
    quoted(&words);
    let _ = toml::from_str::<Global>(text);
    // An edited and rewritten file has the same values.
    let parsed = toml::from_str::<TargetConfig>(text);
    if let Ok(document) = text.parse::<toml_edit::DocumentMut>() {
        let again = toml::from_str::<TargetConfig>(&document.to_string());
        assert_eq!(parsed.ok(), again.ok());
    }
}

/// Checks that a plan's shell text contains the same words.
fn quoted(words: &[OsString]) {
    let plan = Plan {
        program: "/bin/true".into(),
        args: words.to_vec(),
        env: words
            .iter()
            .map(|word| ("X".into(), Change::Set(word.clone())))
            .collect(),
        ..Plan::default()
    };
    let text = plan.to_string();
    // No shell word contains a NUL, and the splitter here does not know `$'…'`.
    if words
        .iter()
        .all(|word| !words::quote(word).starts_with("$'"))
    {
        let split = shell_words::split(&text).expect("a command line");
        let args = &split[split.len() - words.len()..];
        assert!(args.iter().zip(words).all(|(a, b)| b == a.as_str()));
    }
}
