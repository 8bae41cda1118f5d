//! Meson's cross file and native file.

use super::{ExportError, Facts, emulator_words, text, tools::TOOLS};
use crate::target::Endian;
use std::fmt::Write as _;

const FILE: &str = "a machine file of Meson";

/// Meson's options for flags, and the variables that they come from. A compiler that links gets its flags there too.
const OPTIONS: [(&str, &[&str]); 4] = [
    ("c_args", &["CPPFLAGS", "CFLAGS"]),
    ("cpp_args", &["CPPFLAGS", "CXXFLAGS"]),
    ("c_link_args", &["CFLAGS", "LDFLAGS"]),
    ("cpp_link_args", &["CXXFLAGS", "LDFLAGS"]),
];

/// The text of the cross file.
pub(super) fn cross(facts: &Facts) -> Result<String, ExportError> {
    facts.compiler()?;
    let target = &facts.target;
    let family = target.meson_cpu_family.as_deref();
    let family = facts.name(family, "CPU family of Meson's", Some("meson_cpu_family"))?;
    let sysroot = text(&facts.sysroot, FILE)?;
    let option = format!("--sysroot={sysroot}");
    let mut file = String::from("[binaries]\n");
    for row in &TOOLS {
        if let Some(path) = facts.tool(row.variable) {
            let path = text(path, FILE)?;
            let compiles = ["CC", "CXX", "FC"].contains(&row.variable);
            let value = match compiles && facts.sysroot_is_chosen {
                true => list(&[path, &option])?,
                false => quote(path)?,
            };
            for key in row.meson {
                let _ = writeln!(file, "{key} = {value}");
            }
        }
    }
    let emulator = emulator_words(facts, FILE)?;
    if let Some(words) = emulator.as_ref().filter(|words| !words.is_empty()) {
        let _ = writeln!(file, "exe_wrapper = {}", list(words)?);
    }
    let runs_as_it_is = emulator.is_some_and(|words| words.is_empty());
    let _ = write!(
        file,
        "\n[properties]\nsys_root = {}\nneeds_exe_wrapper = {}\n",
        quote(sysroot)?,
        !runs_as_it_is
    );
    let flags = facts.flags.without_build_type();
    let options = OPTIONS.map(|(option, names)| (option, flags.words(names)));
    let mut options = options
        .iter()
        .filter(|(_, words)| !words.is_empty())
        .peekable();
    if options.peek().is_some() {
        file += "\n[built-in options]\n";
    }
    for (option, words) in options {
        let words: Vec<&str> = words.split(' ').collect();
        let _ = writeln!(file, "{option} = {}", list(&words)?);
    }
    let endian = match target.endian {
        Endian::Big => "big",
        Endian::Little => "little",
    };
    let _ = write!(
        file,
        "\n[host_machine]\nsystem = {}\ncpu_family = {}\ncpu = {}\nendian = {}\n",
        quote(target.meson_system)?,
        quote(family)?,
        quote(&target.cpu)?,
        quote(endian)?
    );
    Ok(file)
}

/// The text of the native file.
pub(super) fn native(facts: &Facts) -> Result<String, ExportError> {
    let mut file = String::from("[binaries]\n");
    for tool in &facts.build_tools {
        let row = TOOLS.iter().find(|row| row.variable == tool.variable);
        for key in row.map_or(&[][..], |row| row.meson) {
            let _ = writeln!(file, "{key} = {}", quote(text(&tool.path, FILE)?)?);
        }
    }
    Ok(file)
}

fn list(words: &[&str]) -> Result<String, ExportError> {
    let words: Vec<String> = words
        .iter()
        .map(|word| quote(word))
        .collect::<Result<_, _>>()?;
    Ok(format!("[{}]", words.join(", ")))
}

/// A string of a machine file: a backslash stands for itself there, and a single quote needs three around it, in which
/// a backslash is two.
fn quote(text: &str) -> Result<String, ExportError> {
    let holds_triple = text.contains("'''") || text.ends_with('\'');
    match text.contains('\'') {
        false => Ok(format!("'{text}'")),
        true if !holds_triple && !text.contains('\\') => Ok(format!("'''{text}'''")),
        true => Err(ExportError::Unwritable {
            value: text.into(),
            file: FILE,
            reason: "a single quote cannot stand there beside a backslash, another or the end",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_quoted_as_meson_reads_it() {
        for (text, quoted) in [
            ("/usr/bin/gcc", Some("'/usr/bin/gcc'")),
            ("/a \\b", Some("'/a \\b'")),
            ("/it's", Some("'''/it's'''")),
            ("/its'", None),
            ("/it's\\", None),
            ("/it'''s", None),
        ] {
            assert_eq!(quote(text).ok().as_deref(), quoted, "{text}");
        }
    }
}
