//! The check of the flags that a build passes to the compiler. A typing error in make.conf is the usual cause of "C
//! compiler cannot create executables".

use super::{
    examination::{Examination, complaint},
    finding::{CheckResult, DoctorError},
};
use crate::call::Call;
use crossmerge_plan::words::quote;
use crossmerge_system::{exec::probe::link_bare, file::read};
use std::{ffi::OsString, process::Output};

/// The variables, in the order in which a build uses them. CXXFLAGS are usually CFLAGS, and a C++ compiler may be
/// missing.
const VARIABLES: [&str; 2] = ["CFLAGS", "LDFLAGS"];

pub(super) fn flags(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let call = Call::new(exam.context);
    let mut facts = match call.facts() {
        Ok(facts) => facts.clone(),
        Err(e) => return Ok(CheckResult::skipped(e.to_string())),
    };
    facts.take_flags_of(&exam.context.env);
    let words = |name| -> Vec<String> {
        let words = facts.flags.words(&[name]);
        words.split_whitespace().map(Into::into).collect()
    };
    for name in VARIABLES {
        let words = words(name);
        let output = build_with(exam, name, &words)?;
        if output.status.success() {
            continue;
        }
        let message = format!("{name}: {}", complaint(&output));
        for at in 0..words.len() {
            let mut rest = words.clone();
            let word = rest.remove(at);
            if build_with(exam, name, &rest)?.status.success() {
                let fix = fix(exam, name, Some(&word), &rest.join(" "));
                return Ok(CheckResult::error(message, fix));
            }
        }
        return Ok(CheckResult::error(message, fix(exam, name, None, "")));
    }
    Ok(CheckResult::ok(facts.flags.words(&VARIABLES)))
}

/// Compiles with CFLAGS or links with LDFLAGS, as the first test of a configure script does, but without a library.
fn build_with(exam: &Examination, name: &str, words: &[String]) -> Result<Output, DoctorError> {
    let source = exam.scratch("probe.c");
    let out = exam.scratch("flags");
    let mut args: Vec<OsString> = words.iter().map(Into::into).collect();
    match name {
        "LDFLAGS" => args.extend(link_bare(&source, &out)),
        _ => {
            let own = ["-c".into(), "-o".into(), out.into_os_string()];
            args.extend(own);
            args.push(source.into());
        }
    }
    Ok(exam.compile(args)??)
}

/// Returns the command that removes the rejected flag, or all flags if no single one is at fault. It unsets the
/// variable if it is in the environment, edits make.conf if the flag is there, and otherwise appends a line that
/// overrides the earlier ones.
fn fix(exam: &Examination, name: &str, rejected: Option<&str>, rest: &str) -> String {
    if exam.context.env.get_name(name).is_some() {
        return format!("unset {name}");
    }
    let make_conf = exam.etc_portage().join("make.conf");
    let file = quote(make_conf.as_os_str());
    let Ok(text) = read::read_to_string(&make_conf, read::SETTINGS) else {
        return format!("export {name}={}", quote(rest.as_ref()));
    };
    match rejected.filter(|word| text.contains(word) && !word.contains(['#', '^'])) {
        Some(word) => {
            let script = format!("s#(^|[ \"'=]){}([ \"']|$)#\\1\\2#", escaped(word));
            format!("sed -Ei {} {file}", quote(script.as_ref()))
        }
        None => {
            let line = quote(format!("{name}=\"{rest}\"").as_ref());
            format!("printf '%s\\n' {line} >> {file}")
        }
    }
}

/// Escapes a flag for a regular expression of sed.
fn escaped(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=,".contains(c);
    let one = |c: char| match is_plain(c) {
        true => c.to_string(),
        false => format!("[{c}]"),
    };
    word.chars().map(one).collect()
}
