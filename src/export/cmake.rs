//! CMake's toolchain file.

use super::{ExportError, Facts, emulator_words, text, tools::TOOLS};
use std::{fmt::Write as _, os::unix::ffi::OsStrExt};

const FILE: &str = "a toolchain file of CMake";

/// The languages whose flags are known: CMake's name, and the variables that hold the flags.
const LANGUAGES: [(&str, &str); 2] = [("C", "CFLAGS"), ("CXX", "CXXFLAGS")];

/// Where a build searches for what: programs run on this machine, the rest is the target's.
const FIND: [(&str, &str); 4] = [
    ("PROGRAM", "NEVER"),
    ("LIBRARY", "ONLY"),
    ("INCLUDE", "ONLY"),
    ("PACKAGE", "ONLY"),
];

/// The text. What the command line sets with `-D` stays.
pub(super) fn render(facts: &Facts) -> Result<String, ExportError> {
    facts.compiler()?;
    let paths = facts.tools.iter().map(|tool| &tool.path);
    for path in paths.chain([&facts.sysroot]) {
        if path.as_os_str().as_bytes().contains(&b';') {
            return Err(ExportError::Unwritable {
                value: path.clone(),
                file: FILE,
                reason: "a semicolon ends a word there",
            });
        }
    }
    let target = &facts.target;
    let sysroot = quote(text(&facts.sysroot, FILE)?);
    let mut file = String::new();
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(file, "set({name} {})", quote(value));
    };
    set("CMAKE_SYSTEM_NAME", target.cmake_system);
    let processor = target.cmake_processor.as_deref();
    set("CMAKE_SYSTEM_PROCESSOR", processor.unwrap_or(&target.cpu));
    for row in &TOOLS {
        match facts.tool(row.variable) {
            Some(path) => set(row.cmake, text(path, FILE)?),
            // CMake would take this machine's for one that it is not told of; this one it says is not there.
            None if ["CXX", "FC"].contains(&row.variable) => {
                set(row.cmake, &format!("{}-{}", target.tuple, row.gnu));
            }
            None => {}
        }
    }
    if let Some(words) = emulator_words(facts, FILE)?.filter(|words| !words.is_empty()) {
        set("CMAKE_CROSSCOMPILING_EMULATOR", &words.join(";"));
    }
    if facts.sysroot_is_chosen {
        let _ = writeln!(file, "set(CMAKE_SYSROOT {sysroot})");
    }
    let _ = writeln!(file, "list(APPEND CMAKE_FIND_ROOT_PATH {sysroot})");
    for (what, mode) in FIND {
        let name = format!("CMAKE_FIND_ROOT_PATH_MODE_{what}");
        let _ = writeln!(
            file,
            "if(NOT DEFINED {name})\n  set({name} {mode})\nendif()"
        );
    }
    // CMake puts the environment's flags before these.
    let flags = facts.flags.without_build_type();
    for (language, variable) in LANGUAGES {
        let words = flags.words(&["CPPFLAGS", variable]);
        init(&mut file, variable, &[format!("{language}_FLAGS")], &words);
    }
    let linked = ["EXE", "SHARED", "MODULE"].map(|kind| format!("{kind}_LINKER_FLAGS"));
    init(&mut file, "LDFLAGS", &linked, &flags.words(&["LDFLAGS"]));
    Ok(file)
}

/// Sets the first value of flags, unless the environment has some.
fn init(file: &mut String, variable: &str, names: &[String], words: &str) {
    if words.is_empty() {
        return;
    }
    let _ = writeln!(file, "if(NOT DEFINED ENV{{{variable}}})");
    for name in names {
        let _ = writeln!(file, "  set(CMAKE_{name}_INIT {})", quote(words));
    }
    let _ = writeln!(file, "endif()");
}

fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        if matches!(character, '"' | '$' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}
