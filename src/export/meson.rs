//! Meson's cross file and native file.

use super::{
    cmake,
    error::ExportError,
    facts::Facts,
    text::{emulator_words, text},
    tools::{PKG_CONFIG, TOOLS},
};
use crate::target::Endian;
use std::fmt::Write as _;

const FILE: &str = "a machine file of Meson";

/// Meson's options for flags, and the variables they come from. A compiler that links gets its flags there too.
const OPTIONS: [(&str, &[&str]); 12] = [
    ("c_args", &["CPPFLAGS", "CFLAGS"]),
    ("c_link_args", &["CFLAGS", "LDFLAGS"]),
    ("cpp_args", &["CPPFLAGS", "CXXFLAGS"]),
    ("cpp_link_args", &["CXXFLAGS", "LDFLAGS"]),
    ("d_args", &["CFLAGS"]),
    ("d_link_args", &["CFLAGS", "LDFLAGS"]),
    ("fortran_args", &["FCFLAGS"]),
    ("fortran_link_args", &["FCFLAGS", "LDFLAGS"]),
    ("objc_args", &["CPPFLAGS", "OBJCFLAGS"]),
    ("objc_link_args", &["OBJCFLAGS", "LDFLAGS"]),
    ("objcpp_args", &["CPPFLAGS", "OBJCXXFLAGS"]),
    ("objcpp_link_args", &["OBJCXXFLAGS", "LDFLAGS"]),
];

/// The languages of those options, with the tool that Meson needs for each.
const LANGUAGES: [(&str, &str); 6] = [
    ("c_", "CC"),
    ("cpp_", "CXX"),
    ("d_", "DC"),
    ("fortran_", "FC"),
    ("objc_", "OBJC"),
    ("objcpp_", "OBJCXX"),
];

/// The tools that compile or link, and so need the option for a sysroot that is not their default.
const COMPILERS: [&str; 6] = ["CC", "CXX", "DC", "FC", "OBJC", "OBJCXX"];

/// Renders the cross file. Sources: Meson's "Machine files" and "Cross compilation", and the names that `mesonbuild`
/// looks up in `[binaries]`.
pub(super) fn cross(facts: &Facts) -> Result<String, ExportError> {
    facts.compiler()?;
    let target = &facts.target;
    let family = target.meson_cpu_family.as_deref();
    let family = facts.name(family, "Meson CPU family", Some("meson_cpu_family"))?;
    let mut file = String::from("[binaries]\n");
    let emulator = emulator_words(facts, FILE)?;
    binaries(facts, &mut file)?;
    if let Some(words) = emulator.as_ref().filter(|words| !words.is_empty()) {
        let _ = writeln!(file, "exe_wrapper = {}", list(words)?);
    }
    let runs_as_it_is = emulator.is_some_and(|words| words.is_empty());
    properties(facts, !runs_as_it_is, &mut file)?;
    options(facts, &mut file)?;
    cmake_section(facts, &mut file)?;
    let endian = match target.endian {
        Endian::Big => "big",
        Endian::Little => "little",
    };
    let _ = write!(
        file,
        "\n[host_machine]\nsystem = {}\nsubsystem = {}\nkernel = {}\ncpu_family = {}\ncpu = {}\nendian = {}\n",
        quote(target.meson_system)?,
        quote(target.meson_system)?,
        quote(kernel(target.meson_system))?,
        quote(family)?,
        quote(&target.cpu)?,
        quote(endian)?
    );
    Ok(file)
}

/// Writes the tools, rustc for the target, and the programs that print flags. If a program is missing here, Meson uses
/// the build machine's.
fn binaries(facts: &Facts, file: &mut String) -> Result<(), ExportError> {
    let option = format!("--sysroot={}", text(&facts.sysroot, FILE)?);
    for row in &TOOLS {
        if let Some(path) = facts.tool(row.variable) {
            let path = text(path, FILE)?;
            let value = match COMPILERS.contains(&row.variable) && facts.sysroot_is_chosen {
                true => list(&[path, &option])?,
                false => quote(path)?,
            };
            for key in row.meson {
                let _ = writeln!(file, "{key} = {value}");
            }
        }
    }
    if let (Some(rustc), Some(target)) = (facts.helper("rustc"), &facts.target.rust) {
        // Meson links with the C compiler above, and warns if a linker is named here.
        let words = [text(rustc, FILE)?, &format!("--target={target}")];
        let _ = writeln!(file, "rust = {}", list(&words)?);
    }
    for name in ["cmake", "nasm"] {
        if let Some(path) = facts.helper(name) {
            let _ = writeln!(file, "{name} = {}", quote(text(path, FILE)?)?);
        }
    }
    for (name, path) in &facts.config_tools {
        let _ = writeln!(file, "{name} = {}", quote(text(path, FILE)?)?);
    }
    Ok(())
}

/// Returns Meson's name for the kernel of a system. Source: its reference tables.
fn kernel(system: &str) -> &str {
    match system {
        "windows" | "cygwin" => "nt",
        system => system,
    }
}

fn properties(
    facts: &Facts,
    needs_exe_wrapper: bool,
    file: &mut String,
) -> Result<(), ExportError> {
    let sysroot = text(&facts.sysroot, FILE)?;
    let libdirs = facts.libdirs.iter().map(String::as_str);
    let libdirs = match facts.libdirs.is_empty() {
        true => vec!["lib", "share"],
        false => libdirs.chain(["share"]).collect(),
    };
    let packages: Vec<String> = libdirs
        .iter()
        .map(|libdir| format!("{}/usr/{libdir}/pkgconfig", sysroot.trim_end_matches('/')))
        .collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let clang_args = facts.clang_args();
    let clang_args: Vec<&str> = clang_args.iter().map(String::as_str).collect();
    let _ = write!(
        file,
        "\n[properties]\nsys_root = {}\npkg_config_libdir = {}\nneeds_exe_wrapper = {needs_exe_wrapper}\nbindgen_clang_arguments = {}\n",
        quote(sysroot)?,
        list(&packages)?,
        list(&clang_args)?,
    );
    Ok(())
}

fn options(facts: &Facts, file: &mut String) -> Result<(), ExportError> {
    let flags = facts.flags.without_build_type();
    let compiles = |option: &str| {
        let language = LANGUAGES
            .iter()
            .find(|(prefix, _)| option.starts_with(prefix));
        language.is_some_and(|(_, tool)| facts.tool(tool).is_some())
    };
    let options = OPTIONS.map(|(option, names)| (option, flags.words(names)));
    let mut options = options
        .iter()
        .filter(|(option, words)| !words.is_empty() && compiles(option))
        .peekable();
    if options.peek().is_some() {
        *file += "\n[built-in options]\n";
    }
    for (option, words) in options {
        let words: Vec<&str> = words.split(' ').collect();
        let _ = writeln!(file, "{option} = {}", list(&words)?);
    }
    Ok(())
}

/// Writes the variables that Meson passes to CMake when it looks for a library or builds a subproject with it.
fn cmake_section(facts: &Facts, file: &mut String) -> Result<(), ExportError> {
    *file += "\n[cmake]\n";
    for (name, value) in cmake::machine(facts) {
        let _ = writeln!(file, "{name} = {}", quote(&value)?);
    }
    let bytes = facts.target.bits / 8;
    let _ = writeln!(file, "CMAKE_SIZEOF_VOID_P = '{bytes}'");
    let sysroot = quote(text(&facts.sysroot, FILE)?)?;
    let _ = writeln!(file, "CMAKE_FIND_ROOT_PATH = {sysroot}");
    for (name, mode) in cmake::find_modes() {
        let _ = writeln!(file, "{name} = '{mode}'");
    }
    if let Some(name) = &facts.multiarch {
        let _ = writeln!(file, "CMAKE_LIBRARY_ARCHITECTURE = {}", quote(name)?);
    }
    if let Some(path) = facts.tool(PKG_CONFIG) {
        let path = quote(text(path, FILE)?)?;
        let _ = writeln!(file, "PKG_CONFIG_EXECUTABLE = {path}");
    }
    Ok(())
}

/// Renders the native file.
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

/// Quotes a string of a machine file: a backslash is an ordinary character there, and a single quote needs triple quotes,
/// in which a backslash is doubled.
fn quote(text: &str) -> Result<String, ExportError> {
    let has_triple = text.contains("'''") || text.ends_with('\'');
    match text.contains('\'') {
        false => Ok(format!("'{text}'")),
        true if !has_triple && !text.contains('\\') => Ok(format!("'''{text}'''")),
        true => Err(ExportError::Unwritable {
            value: text.into(),
            file: FILE,
            reason: "it has a single quote beside a backslash or another single quote, or at the end",
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
