//! The check of the flags that a build hands to the compiler: a slip in make.conf is what "C compiler cannot create executables"
//! mostly comes from.

use super::{
    DoctorError, Finding,
    patient::{Patient, complaint},
    toolchain::link_bare,
};
use crate::{export::Facts, file::read, plan::quote};
use std::{ffi::OsString, process::Output};

/// The variables, in the order in which a build comes to use them. CXXFLAGS are CFLAGS mostly, and there may be no C++ compiler.
const VARIABLES: [&str; 2] = ["CFLAGS", "LDFLAGS"];

pub(super) fn flags(patient: &Patient) -> Result<Finding, DoctorError> {
    let mut facts = match Facts::gather(patient.context) {
        Ok(facts) => facts,
        Err(e) => return Ok(Finding::skipped(e.to_string())),
    };
    facts.take_flags_of(&patient.context.env);
    let words = |name| -> Vec<String> {
        let words = facts.flags.words(&[name]);
        words.split_whitespace().map(Into::into).collect()
    };
    for name in VARIABLES {
        let words = words(name);
        let output = build_with(patient, name, &words)?;
        if output.status.success() {
            continue;
        }
        let mut culprit = None;
        for at in 0..words.len() {
            let mut others = words.clone();
            others.remove(at);
            if build_with(patient, name, &others)?.status.success() {
                culprit = Some((words[at].as_str(), others));
                break;
            }
        }
        let message = format!("{name}: {}", complaint(&output));
        return Ok(Finding::error(message, mend(patient, name, culprit)));
    }
    Ok(Finding::ok(facts.flags.words(&VARIABLES)))
}

/// Compiles with CFLAGS, or links with LDFLAGS, as a configure script's first test does it; without a library.
fn build_with(patient: &Patient, name: &str, words: &[String]) -> Result<Output, DoctorError> {
    let source = patient.scratch("probe.c");
    let out = patient.scratch("flags");
    let mut args: Vec<OsString> = words.iter().map(Into::into).collect();
    match name {
        "LDFLAGS" => args.extend(link_bare(&source, &out)),
        _ => {
            let own = ["-c".into(), "-o".into(), out.into_os_string()];
            args.extend(own);
            args.push(source.into());
        }
    }
    Ok(patient.compile(args)??)
}

/// The command that takes the refused word away, or all of them when it is no single one: from the environment, from make.conf where
/// it stands there, or by a line that is read after whatever says so.
fn mend(patient: &Patient, name: &str, culprit: Option<(&str, Vec<String>)>) -> String {
    if patient.context.env.get_name(name).is_some() {
        return format!("unset {name}");
    }
    let make_conf = patient.etc_portage().join("make.conf");
    let file = quote(make_conf.as_os_str());
    let text = read::read_to_string(&make_conf, read::SETTINGS);
    match (text, culprit) {
        (Ok(text), Some((word, _))) if text.contains(word) && !word.contains(['#', '^']) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=,".contains(c);
            let word: String = word
                .chars()
                .map(|c| {
                    if plain(c) {
                        c.to_string()
                    } else {
                        format!("[{c}]")
                    }
                })
                .collect();
            let script = format!("s#(^|[ \"'=]){word}([ \"']|$)#\\1\\2#");
            format!("sed -Ei {} {file}", quote(script.as_ref()))
        }
        (Ok(_), culprit) => {
            let rest = culprit.map_or(String::new(), |(_, others)| others.join(" "));
            let line = quote(format!("{name}=\"{rest}\"").as_ref());
            format!("printf '%s\\n' {line} >> {file}")
        }
        (Err(_), culprit) => {
            let rest = culprit.map_or(String::new(), |(_, others)| others.join(" "));
            format!("export {name}={}", quote(rest.as_ref()))
        }
    }
}
