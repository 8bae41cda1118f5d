//! CMake's toolchain file.
//!
//! Sources: cmake-toolchains(7), cmake-variables(7), and CMake's `Modules/CMakeDetermine*.cmake`, which show what
//! CMake looks for on the build machine if a variable is not set.

use super::{
    error::ExportError,
    facts::Facts,
    text::{emulator_words, text},
    tools::{CONFIG_TOOLS, TOOLS},
};
use std::{borrow::Cow, fmt::Write as _, os::unix::ffi::OsStrExt, path::Path};

const FILE: &str = "a toolchain file of CMake";

/// A language: CMake's name, the variables with its flags, and the environment variables for the same flags, CMake's
/// own first.
type Language = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The languages that the target's tools compile.
const LANGUAGES: [Language; 6] = [
    ("C", &["CPPFLAGS", "CFLAGS"], &["CFLAGS"]),
    ("CXX", &["CPPFLAGS", "CXXFLAGS"], &["CXXFLAGS"]),
    // The C compiler assembles too.
    ("ASM", &["CPPFLAGS", "CFLAGS"], &["ASMFLAGS", "CFLAGS"]),
    ("Fortran", &["FCFLAGS"], &["FFLAGS", "FCFLAGS"]),
    ("OBJC", &["CPPFLAGS", "OBJCFLAGS"], &["OBJCFLAGS", "CFLAGS"]),
    (
        "OBJCXX",
        &["CPPFLAGS", "OBJCXXFLAGS"],
        &["OBJCXXFLAGS", "CXXFLAGS"],
    ),
];

/// The languages that clang compiles.
const OF_CLANG: [&str; 5] = ["C", "CXX", "ASM", "OBJC", "OBJCXX"];

/// The modes of CMake's searches: programs on the build machine, everything else in the sysroot. The package
/// registries are not searched, because they contain the user's builds for the build machine.
const FIND: [(&str, &str); 6] = [
    ("ROOT_PATH_MODE_PROGRAM", "NEVER"),
    ("ROOT_PATH_MODE_LIBRARY", "ONLY"),
    ("ROOT_PATH_MODE_INCLUDE", "ONLY"),
    ("ROOT_PATH_MODE_PACKAGE", "ONLY"),
    ("USE_PACKAGE_REGISTRY", "FALSE"),
    ("USE_SYSTEM_PACKAGE_REGISTRY", "FALSE"),
];

/// Renders the file. A value that the command line sets with `-D` is kept.
pub(super) fn render(facts: &Facts) -> Result<String, ExportError> {
    facts.compiler()?;
    let sysroot = quote(one(&facts.sysroot)?);
    let mut file = String::new();
    let mut set = |name: &str, value: &str| {
        for part in ["set(", name, " \"", &escape(value), "\")\n"] {
            file.push_str(part);
        }
    };
    for (name, value) in machine(facts) {
        set(name, &value);
    }
    for row in &TOOLS {
        // Without a value, CMake would use the build machine's tool. It reports a name that does not exist as
        // missing.
        let missing = facts.missing(row.missing);
        let value = match facts.tool(row.variable) {
            Some(path) => one(path)?,
            None => missing.as_str(),
        };
        row.cmake.iter().for_each(|name| set(name, value));
    }
    for tool in CONFIG_TOOLS {
        if let Some(path) = facts.config_tool(tool.name) {
            let path = one(path)?;
            tool.cmake.iter().for_each(|name| set(name, path));
        }
    }
    if let Some(clang) = &facts.clang {
        for language in OF_CLANG {
            set(&format!("CMAKE_{language}_COMPILER_TARGET"), &clang.target);
            if let Some(gcc) = &clang.gcc {
                let name = format!("CMAKE_{language}_COMPILER_EXTERNAL_TOOLCHAIN");
                set(&name, one(Path::new(gcc))?);
            }
        }
    }
    if let Some(words) = emulator_words(facts, FILE)?.filter(|words| !words.is_empty()) {
        set("CMAKE_CROSSCOMPILING_EMULATOR", &words.join(";"));
    }
    if let Some(name) = &facts.multiarch {
        set("CMAKE_LIBRARY_ARCHITECTURE", name);
    }
    // CMake searches `lib64`, `lib32` and `libx32` by the size of a pointer, but does not know an ABI's directory
    // below one of them.
    let suffix = facts
        .libdirs
        .first()
        .and_then(|libdir| libdir.strip_prefix("lib"));
    if let Some(suffix) = suffix.filter(|suffix| suffix.contains('/') && !suffix.starts_with('/')) {
        set("CMAKE_FIND_LIBRARY_CUSTOM_LIB_SUFFIX", suffix);
    }
    if facts.sysroot_is_chosen {
        let _ = writeln!(file, "set(CMAKE_SYSROOT {sysroot})");
    }
    let _ = writeln!(file, "list(APPEND CMAKE_FIND_ROOT_PATH {sysroot})");
    for (what, mode) in FIND {
        let name = format!("CMAKE_FIND_{what}");
        let _ = writeln!(
            file,
            "if(NOT DEFINED {name})\n  set({name} {mode})\nendif()"
        );
    }
    // CMake puts the environment's flags before these.
    let flags = facts.flags.without_build_type();
    for (language, names, variables) in LANGUAGES {
        let words = flags.words(names);
        init(&mut file, variables, &[format!("{language}_FLAGS")], &words);
    }
    let linked = ["EXE", "SHARED", "MODULE"].map(|kind| format!("{kind}_LINKER_FLAGS"));
    init(&mut file, &["LDFLAGS"], &linked, &flags.words(&["LDFLAGS"]));
    Ok(file)
}

/// Returns the target's system and CPU, with CMake's names.
pub(super) fn machine(facts: &Facts) -> [(&'static str, String); 2] {
    let target = &facts.target;
    let processor = target.cmake_processor.as_deref().unwrap_or(&target.cpu);
    [
        ("CMAKE_SYSTEM_NAME", target.cmake_system.to_owned()),
        ("CMAKE_SYSTEM_PROCESSOR", processor.to_owned()),
    ]
}

/// Returns the modes of CMake's searches, with CMake's names.
pub(super) fn find_modes() -> impl Iterator<Item = (String, &'static str)> {
    let modes = FIND.into_iter();
    modes.map(|(what, mode)| (format!("CMAKE_FIND_{what}"), mode))
}

/// Returns a path as one element of a CMake list.
fn one(path: &Path) -> Result<&str, ExportError> {
    match path.as_os_str().as_bytes().contains(&b';') {
        false => text(path, FILE),
        true => Err(ExportError::Unwritable {
            value: path.into(),
            file: FILE,
            reason: "a semicolon separates list elements there",
        }),
    }
}

/// Sets the initial flags, unless the environment has CMake's own variable for them. If the environment has another
/// variable for the same flags, its value is used.
fn init(file: &mut String, variables: &[&str], names: &[String], words: &str) {
    let Some((own, others)) = variables.split_first() else {
        return;
    };
    if words.is_empty() {
        return;
    }
    let set = |words: &str| -> String {
        let line = |name| format!("  set(CMAKE_{name}_INIT \"{words}\")\n");
        names.iter().map(line).collect()
    };
    // CMake itself reads its own variable, so nothing is set for that.
    let _ = match others {
        [] => write!(
            file,
            "if(NOT DEFINED ENV{{{own}}})\n{}",
            set(&escape(words))
        ),
        [other, ..] => write!(
            file,
            "if(DEFINED ENV{{{own}}})\nelseif(DEFINED ENV{{{other}}})\n{}else()\n{}",
            set(&format!("$ENV{{{other}}}")),
            set(&escape(words))
        ),
    };
    file.push_str("endif()\n");
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> Cow<'_, str> {
    let is_special = |character| matches!(character, '"' | '$' | '\\');
    // Nearly all values are paths and names without such a character.
    if !text.contains(is_special) {
        return text.into();
    }
    let mut quoted = String::new();
    for character in text.chars() {
        if is_special(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.into()
}
