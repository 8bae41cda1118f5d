//! The target's tools: one row each, with what make, CMake and Meson call it, and which of them are there.

use crate::{config::Kind, context::Context};
use std::{ffi::OsStr, path::PathBuf};

/// A tool that build systems ask for.
#[derive(Debug)]
pub(crate) struct Row {
    /// Make's and autoconf's variable.
    pub(crate) variable: &'static str,
    /// Its name in a GNU toolchain, behind the tuple.
    pub(crate) gnu: &'static str,
    /// Its name in LLVM's.
    llvm: &'static str,
    /// CMake's variable.
    pub(crate) cmake: &'static str,
    /// Meson's keys; none where it does not ask.
    pub(crate) meson: &'static [&'static str],
}

const fn row(
    variable: &'static str,
    [gnu, llvm]: [&'static str; 2],
    cmake: &'static str,
    meson: &'static [&'static str],
) -> Row {
    Row {
        variable,
        gnu,
        llvm,
        cmake,
        meson,
    }
}

/// Every tool. Meson called pkg-config `pkgconfig` before its release 1.3; later ones take both when they are the same.
pub(crate) const TOOLS: [Row; 12] = [
    row("CC", ["gcc", "clang"], "CMAKE_C_COMPILER", &["c"]),
    row("CXX", ["g++", "clang++"], "CMAKE_CXX_COMPILER", &["cpp"]),
    row(
        "FC",
        ["gfortran", "flang"],
        "CMAKE_Fortran_COMPILER",
        &["fortran"],
    ),
    row("AR", ["ar", "ar"], "CMAKE_AR", &["ar"]),
    row("LD", ["ld", "ld"], "CMAKE_LINKER", &[]),
    row("NM", ["nm", "nm"], "CMAKE_NM", &["nm"]),
    row(
        "OBJCOPY",
        ["objcopy", "objcopy"],
        "CMAKE_OBJCOPY",
        &["objcopy"],
    ),
    row(
        "OBJDUMP",
        ["objdump", "objdump"],
        "CMAKE_OBJDUMP",
        &["objdump"],
    ),
    row("RANLIB", ["ranlib", "ranlib"], "CMAKE_RANLIB", &["ranlib"]),
    row(
        "READELF",
        ["readelf", "readelf"],
        "CMAKE_READELF",
        &["readelf"],
    ),
    row("STRIP", ["strip", "strip"], "CMAKE_STRIP", &["strip"]),
    row(
        PKG_CONFIG,
        ["pkg-config", "pkg-config"],
        "PKG_CONFIG_EXECUTABLE",
        &["pkgconfig", "pkg-config"],
    ),
];

const PKG_CONFIG: &str = "PKG_CONFIG";

/// The build machine's compilers: variable, name with CBUILD before it, names without.
const NATIVE: [(&str, &str, [&str; 3]); 2] = [
    ("CC", "gcc", ["cc", "gcc", "clang"]),
    ("CXX", "g++", ["c++", "g++", "clang++"]),
];

/// A tool that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Make's and autoconf's variable for it.
    pub variable: &'static str,
    /// What a shell calls it.
    pub name: String,
    /// Its absolute path; its name where it is nowhere.
    pub path: PathBuf,
}

/// The target's tools: LLVM's where clang was adopted, or is all there is.
///
/// pkg-config is always among them, for a build that does not find the target's takes the machine's.
pub(crate) fn of_target(context: &Context) -> Vec<Tool> {
    let tuple = &context.tuple;
    let find = |tool: &str| context.find_tool(OsStr::new(&format!("{tuple}-{tool}")));
    let llvm = match &context.settings.toolchain {
        Some(toolchain) => toolchain.kind == Kind::Llvm,
        None => find("gcc").is_none() && find("clang").is_some(),
    };
    let found = TOOLS.iter().filter_map(|row| {
        let tool = if llvm { row.llvm } else { row.gnu };
        let name = format!("{tuple}-{tool}");
        let nowhere = || (row.variable == PKG_CONFIG).then(|| PathBuf::from(&name));
        let path = find(tool).or_else(nowhere)?;
        Some(Tool {
            variable: row.variable,
            name,
            path,
        })
    });
    found.collect()
}

/// The build machine's compilers, under make's names for the target's.
pub(crate) fn of_build_machine(context: &Context, cbuild: Option<&str>) -> Vec<Tool> {
    let found = NATIVE.iter().filter_map(|(variable, tool, plain)| {
        let prefixed = cbuild.map(|cbuild| format!("{cbuild}-{tool}"));
        let mut names = prefixed.into_iter().chain(plain.map(str::to_owned));
        names.find_map(|name| {
            let path = context.find_program(OsStr::new(&name)).ok()?;
            Some(Tool {
                variable,
                name,
                path,
            })
        })
    });
    found.collect()
}

/// The prefix of a toolchain whose tuple differs from the target's in the vendor alone, as distributions have them.
pub(crate) fn adoptable(context: &Context) -> Option<String> {
    let prefix = format!("{}-", context.tuple.without_vendor()?);
    let compiler = format!("{prefix}gcc");
    context.find_program(OsStr::new(&compiler)).ok()?;
    Some(prefix)
}
