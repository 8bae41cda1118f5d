//! The target's tools: one row each with the names in make, CMake and Meson; and which of them exist.

use super::compiler_files::Gcc;
use crate::{config::ToolchainKind, context::Context};
use crossmerge_system::{elf, file::is_executable, script::Script};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// A tool that build systems use.
#[derive(Debug)]
pub(crate) struct Row {
    /// The variable of make and Autoconf; for a tool without one, a name for use in this module.
    pub(crate) variable: &'static str,
    /// Its name in a GNU toolchain, after the tuple.
    pub(crate) gnu: &'static str,
    /// Its name in an LLVM toolchain, after the tuple. Empty if LLVM has no such tool.
    llvm: &'static str,
    /// The programs that read it from the environment.
    read_by: ReadBy,
    /// The name after the tuple that is used if the tool is missing: no program has it.
    pub(crate) missing: &'static str,
    /// The program of GCC that has to be installed too: its driver exists without it.
    needs: Option<&'static str>,
    /// CMake's variables.
    pub(crate) cmake: &'static [&'static str],
    /// Meson's keys.
    pub(crate) meson: &'static [&'static str],
}

/// The programs that read a tool from the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// Configure scripts and makefiles.
    All,
    /// Makefiles only. Some configure scripts use the variable for another tool: x264's expects a compiler in AS.
    Make,
    /// Nothing: CMake and Meson get it from their files.
    FilesOnly,
}

/// CMake's variables for the archiver of objects with link-time optimisation, by language.
const LTO_AR: &[&str] = &[
    "CMAKE_C_COMPILER_AR",
    "CMAKE_CXX_COMPILER_AR",
    "CMAKE_ASM_COMPILER_AR",
    "CMAKE_Fortran_COMPILER_AR",
    "CMAKE_OBJC_COMPILER_AR",
    "CMAKE_OBJCXX_COMPILER_AR",
];

/// CMake's variables for the indexer of such archives, by language.
const LTO_RANLIB: &[&str] = &[
    "CMAKE_C_COMPILER_RANLIB",
    "CMAKE_CXX_COMPILER_RANLIB",
    "CMAKE_ASM_COMPILER_RANLIB",
    "CMAKE_Fortran_COMPILER_RANLIB",
    "CMAKE_OBJC_COMPILER_RANLIB",
    "CMAKE_OBJCXX_COMPILER_RANLIB",
];

const fn row(
    variable: &'static str,
    [gnu, llvm]: [&'static str; 2],
    cmake: &'static [&'static str],
    meson: &'static [&'static str],
) -> Row {
    Row {
        variable,
        gnu,
        llvm,
        read_by: ReadBy::All,
        missing: gnu,
        needs: None,
        cmake,
        meson,
    }
}

/// Returns the row of a compiler whose driver works only with another part of GCC.
const fn with_part(row: Row, part: &'static str) -> Row {
    Row {
        needs: Some(part),
        missing: part,
        ..row
    }
}

const fn read_by(row: Row, read_by: ReadBy) -> Row {
    Row { read_by, ..row }
}

/// The tools. Sources: CMake's `Modules/CMakeFindBinUtils.cmake` and cmake-variables(7); Meson's "Machine files" and
/// `mesonbuild/envconfig.py`; Gentoo's `toolchain-funcs.eclass` for the variables.
///
/// Before release 1.3 Meson called pkg-config `pkgconfig`; later releases accept both if they are equal.
pub(crate) const TOOLS: [Row; 24] = [
    row(
        "CC",
        ["gcc", "clang"],
        &["CMAKE_C_COMPILER", "CMAKE_ASM_COMPILER"],
        &["c"],
    ),
    row("CXX", ["g++", "clang++"], &["CMAKE_CXX_COMPILER"], &["cpp"]),
    row(
        "FC",
        ["gfortran", "flang"],
        &["CMAKE_Fortran_COMPILER"],
        &["fortran"],
    ),
    row("F77", ["gfortran", "flang"], &[], &[]),
    with_part(
        row(
            "OBJC",
            ["gcc", "clang"],
            &["CMAKE_OBJC_COMPILER"],
            &["objc"],
        ),
        "cc1obj",
    ),
    with_part(
        row(
            "OBJCXX",
            ["g++", "clang++"],
            &["CMAKE_OBJCXX_COMPILER"],
            &["objcpp"],
        ),
        "cc1objplus",
    ),
    read_by(row("DC", ["gdc", ""], &[], &["d"]), ReadBy::FilesOnly),
    row("AR", ["ar", "ar"], &["CMAKE_AR"], &["ar"]),
    read_by(row("AS", ["as", ""], &[], &["as"]), ReadBy::Make),
    row("LD", ["ld", "ld"], &["CMAKE_LINKER"], &["ld"]),
    row("NM", ["nm", "nm"], &["CMAKE_NM"], &["nm"]),
    row(
        "OBJCOPY",
        ["objcopy", "objcopy"],
        &["CMAKE_OBJCOPY"],
        &["objcopy"],
    ),
    row(
        "OBJDUMP",
        ["objdump", "objdump"],
        &["CMAKE_OBJDUMP"],
        &["objdump"],
    ),
    row(
        "RANLIB",
        ["ranlib", "ranlib"],
        &["CMAKE_RANLIB"],
        &["ranlib"],
    ),
    row(
        "READELF",
        ["readelf", "readelf"],
        &["CMAKE_READELF"],
        &["readelf"],
    ),
    row("STRIP", ["strip", "strip"], &["CMAKE_STRIP"], &["strip"]),
    row("SIZE", ["size", "size"], &[], &["size"]),
    row("STRINGS", ["strings", "strings"], &[], &["strings"]),
    row(
        "ADDR2LINE",
        ["addr2line", "addr2line"],
        &["CMAKE_ADDR2LINE"],
        &["addr2line"],
    ),
    row(
        "WINDRES",
        ["windres", "windres"],
        &["CMAKE_RC_COMPILER"],
        &["windres"],
    ),
    row(
        "DLLTOOL",
        ["dlltool", "dlltool"],
        &["CMAKE_DLLTOOL"],
        &["dlltool"],
    ),
    read_by(
        row("GCC_AR", ["gcc-ar", "ar"], LTO_AR, &[]),
        ReadBy::FilesOnly,
    ),
    read_by(
        row("GCC_RANLIB", ["gcc-ranlib", "ranlib"], LTO_RANLIB, &[]),
        ReadBy::FilesOnly,
    ),
    row(
        PKG_CONFIG,
        ["pkg-config", "pkg-config"],
        &["PKG_CONFIG_EXECUTABLE"],
        &["pkgconfig", "pkg-config"],
    ),
];

pub(crate) const PKG_CONFIG: &str = "PKG_CONFIG";

/// The build machine's compilers: variable, name after CBUILD, other names.
const NATIVE: [(&str, &str, [&str; 3]); 2] = [
    ("CC", "gcc", ["cc", "gcc", "clang"]),
    ("CXX", "g++", ["c++", "g++", "clang++"]),
];

/// A program that prints a library's flags, or compiles with them. Build systems run it, and the build machine's
/// would print the build machine's paths.
#[derive(Debug)]
pub(crate) struct ConfigTool {
    /// Its file name, which is Meson's key too.
    pub(crate) name: &'static str,
    /// CMake's cache variables for its path.
    pub(crate) cmake: &'static [&'static str],
}

const fn prints(name: &'static str, cmake: &'static [&'static str]) -> ConfigTool {
    ConfigTool { name, cmake }
}

/// The programs that Meson itself runs ("Machine files", `mesonbuild/dependencies`), that CMake's own modules search,
/// and that many projects name in `find_program`.
pub(crate) const CONFIG_TOOLS: &[ConfigTool] = &[
    prints("apr-1-config", &[]),
    prints("apu-1-config", &[]),
    prints("cups-config", &[]),
    prints("curl-config", &["CURL_CONFIG_EXECUTABLE"]),
    prints("fltk-config", &["FLTK_CONFIG_SCRIPT"]),
    prints("freetype-config", &[]),
    prints("gdal-config", &["GDAL_CONFIG"]),
    prints("gnustep-config", &[]),
    prints("gpg-config", &[]),
    prints("gpgme-config", &[]),
    prints("gsl-config", &["GSL_CONFIG_EXECUTABLE"]),
    prints("h5c++", &["HDF5_CXX_COMPILER_EXECUTABLE"]),
    prints("h5cc", &["HDF5_C_COMPILER_EXECUTABLE"]),
    prints("h5fc", &["HDF5_Fortran_COMPILER_EXECUTABLE"]),
    prints("icu-config", &[]),
    prints("krb5-config", &[]),
    prints("libgcrypt-config", &[]),
    prints("libpng-config", &[]),
    prints("libwmf-config", &[]),
    prints("llvm-config", &["LLVM_CONFIG", "LLVM_CONFIG_EXECUTABLE"]),
    prints("mpic++", &["MPI_CXX_COMPILER"]),
    prints("mpicc", &["MPI_C_COMPILER"]),
    prints("mpifort", &["MPI_Fortran_COMPILER"]),
    prints("mysql_config", &[]),
    prints("ncurses5-config", &[]),
    prints("ncurses6-config", &[]),
    prints("ncursesw5-config", &[]),
    prints("ncursesw6-config", &[]),
    prints("net-snmp-config", &[]),
    prints("numpy-config", &[]),
    prints("objfw-config", &[]),
    prints("odbc_config", &["ODBC_CONFIG"]),
    prints("pcap-config", &[]),
    prints("pg_config", &[]),
    prints("python3-config", &[]),
    prints("sdl-config", &[]),
    prints("sdl2-config", &[]),
    prints("wx-config", &["wxWidgets_CONFIG_EXECUTABLE"]),
    prints("xml2-config", &[]),
    prints("xslt-config", &[]),
];

/// An existing tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The variable of make and Autoconf for it.
    pub variable: &'static str,
    /// The programs that read it from the environment.
    pub read_by: ReadBy,
    /// Its name in PATH.
    pub name: String,
    /// Its absolute path, or its name if it does not exist.
    pub path: PathBuf,
}

/// Finds the target's tools: LLVM's if clang was adopted or is the only compiler.
///
/// pkg-config is always included: a build that does not find the target's would use the build machine's.
pub(crate) fn of_target(context: &Context, gcc: Option<&Gcc>) -> Vec<Tool> {
    let tuple = &context.tuple;
    // Several variables name the same tool, one after the other.
    let mut last: Option<(String, Option<PathBuf>)> = None;
    let mut find = |name: &str| match &last {
        Some((found, path)) if found == name => path.clone(),
        _ => {
            let path = context.find_tool(OsStr::new(name));
            last = Some((name.to_owned(), path.clone()));
            path
        }
    };
    let llvm = is_llvm(context);
    let found = TOOLS.iter().filter_map(|row| {
        let tool = if llvm { row.llvm } else { row.gnu };
        if tool.is_empty() {
            return None;
        }
        let lacks = |part| !llvm && gcc.is_some_and(|gcc| !gcc.has(part));
        if row.needs.is_some_and(lacks) {
            return None;
        }
        let name = format!("{tuple}-{tool}");
        let missing = || (row.variable == PKG_CONFIG).then(|| PathBuf::from(&name));
        let path = find(&name).or_else(missing)?;
        Some(Tool {
            variable: row.variable,
            read_by: row.read_by,
            name,
            path,
        })
    });
    found.collect()
}

/// Returns whether the target's compiler is clang.
pub(crate) fn is_llvm(context: &Context) -> bool {
    let tuple = &context.tuple;
    let has = |tool: &str| {
        let name = format!("{tuple}-{tool}");
        context.find_tool(OsStr::new(&name)).is_some()
    };
    match &context.settings.toolchain {
        Some(toolchain) => toolchain.kind == ToolchainKind::Llvm,
        None => !has("gcc") && has("clang"),
    }
}

/// Finds the build machine's compilers, each with the variable that make uses for the target's.
pub(crate) fn of_build_machine(context: &Context, cbuild: Option<&str>) -> Vec<Tool> {
    let found = NATIVE.iter().filter_map(|(variable, tool, plain)| {
        let prefixed = cbuild.map(|cbuild| format!("{cbuild}-{tool}"));
        let mut names = prefixed.into_iter().chain(plain.map(str::to_owned));
        names.find_map(|name| {
            let path = context.find_program(OsStr::new(&name)).ok()?;
            Some(Tool {
                variable,
                read_by: ReadBy::All,
                name,
                path,
            })
        })
    });
    found.collect()
}

/// Returns the target's program of that name: `<tuple>-<name>` in PATH, else a script of the sysroot; else a name
/// that does not exist, so that a build system does not use the build machine's.
pub(crate) fn config_tool(context: &Context, sysroot: &Path, name: &str) -> PathBuf {
    let prefixed = format!("{}-{name}", context.tuple);
    if let Ok(found) = context.find_command(OsStr::new(&prefixed)) {
        return found;
    }
    let own = sysroot.join("usr/bin").join(name);
    // A compiled program of the target would not run on the host.
    let is_script = elf::head(&own).is_ok_and(|head| Script::of(&head).is_some());
    if is_script && is_executable(&own) {
        own
    } else {
        prefixed.into()
    }
}

/// Returns the prefix of a toolchain whose tuple differs from the target's only in the vendor, as distributions' do.
pub(crate) fn adoptable(context: &Context) -> Option<String> {
    let prefix = format!("{}-", context.tuple.without_vendor()?);
    let compiler = format!("{prefix}gcc");
    context.find_program(OsStr::new(&compiler)).ok()?;
    Some(prefix)
}
