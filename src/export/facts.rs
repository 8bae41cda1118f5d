//! The facts of a target that build systems need, looked up once.

use super::{
    compiler_files::Gcc,
    error::ExportError,
    tools::{self, CONFIG_TOOLS, ConfigTool, Tool},
};
use crate::{
    context::{Context, ContextError},
    emulator::{self, Candidates, Emulator, NoEmulator},
    libraries::{library_directories, multiarch},
    target::Target,
};
use crossmerge_plan::{env, plan::Changes};
use crossmerge_system::file::below;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The facts of a target that renderers use.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The facts of the tuple.
    pub target: Target,
    /// The directory of the headers and libraries to build against.
    pub sysroot: PathBuf,
    /// Whether the environment sets the sysroot, so that the compiler does not use it by default.
    pub sysroot_is_chosen: bool,
    /// The build machine's tuple. `None` if it is not known.
    pub cbuild: Option<String>,
    /// The target's existing tools.
    pub tools: Vec<Tool>,
    /// clang's options for the target. `None` if the target has GCC.
    pub clang: Option<Clang>,
    /// The directories of the adopted GCC's C++ headers outside the sysroot, which clang does not search by default.
    pub cxx_includes: Vec<PathBuf>,
    /// The library directories below `usr` of the sysroot, the ABI's own first. Empty if there is no sysroot yet.
    pub libdirs: Vec<String>,
    /// The name of a Debian root's library directory below `usr/lib`. `None` if the sysroot has none.
    pub multiarch: Option<String>,
    /// The directory of the sysroot's Python, if it has one.
    pub python: Option<PathBuf>,
    /// Programs that print flags: the name, and the path of the target's program or a name that does not exist.
    pub config_tools: Vec<(&'static str, PathBuf)>,
    /// Programs of the build machine that work for every target: name and path.
    pub helpers: Vec<(&'static str, PathBuf)>,
    /// The prefix of an installed toolchain that could be adopted, if there is no compiler.
    pub adoptable: Option<String>,
    /// The build machine's compilers.
    pub build_tools: Vec<Tool>,
    /// The flags of the compilers and the linker.
    pub flags: Flags,
    /// The emulator. `None` if there is none, or it was not looked up.
    pub emulator: Option<Emulator>,
    /// The config.site that answers configure scripts. `None` if there is none, or it was not looked up.
    pub config_site: Option<PathBuf>,
    /// The environment of `<tuple>-env`. Empty if it was not looked up.
    pub environment: Changes,
    /// CMake's toolchain file for builds inside another build; `None` if nothing names it.
    pub toolchain_file: Option<PathBuf>,
    /// The directory in which a user can add facts.
    pub profiles: String,
}

/// clang's options for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clang {
    /// The value of `--target`.
    pub target: String,
    /// The value of `--gcc-toolchain`, if the adopted toolchain has that option.
    pub gcc: Option<String>,
}

/// CFLAGS and the other variables of flags: name and value, without empty ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(Vec<(&'static str, String)>);

/// The variables of flags, each with those whose value it takes if it is empty.
const INHERITED: [(&str, &[&str]); 8] = [
    ("CFLAGS", &[]),
    ("CXXFLAGS", &[]),
    ("CPPFLAGS", &[]),
    ("LDFLAGS", &[]),
    ("FCFLAGS", &["FFLAGS", "CFLAGS"]),
    ("FFLAGS", &["FCFLAGS", "CFLAGS"]),
    ("OBJCFLAGS", &["CFLAGS"]),
    ("OBJCXXFLAGS", &["CXXFLAGS"]),
];

/// The variables of flags.
pub(crate) const FLAGS: [&str; 8] = [
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "FCFLAGS",
    "FFLAGS",
    "OBJCFLAGS",
    "OBJCXXFLAGS",
];

/// The variables of a language's flags, with the tool that reads them.
const OF_TOOL: [(&str, &str); 4] = [
    ("FCFLAGS", "FC"),
    ("FFLAGS", "FC"),
    ("OBJCFLAGS", "OBJC"),
    ("OBJCXXFLAGS", "OBJCXX"),
];

/// Programs of the build machine that work for every target: they read sources, or take the target as an option. Its
/// pkg-config is for programs that run during the build.
const HELPERS: [&str; 4] = ["rustc", "cmake", "nasm", "pkg-config"];

/// The prefixes of flags that choose the ABI, and so change what headers declare. Flags that choose a CPU are
/// omitted: clang may not know GCC's names of CPUs.
const ABI_FLAGS: [&str; 14] = [
    "-mabi=",
    "-mfloat-abi=",
    "-msoft-float",
    "-mhard-float",
    "-mfpu=",
    "-marm",
    "-mthumb",
    "-m32",
    "-m64",
    "-mx32",
    "-mbig-endian",
    "-mlittle-endian",
    "-EB",
    "-EL",
];

/// The default flags, which are Gentoo's.
const DEFAULT_FLAGS: &str = "-O2 -pipe";

impl Facts {
    /// Looks up the facts that every format needs. The emulator is not one of them, since finding it takes a
    /// compilation. The caller's own flags are not included: a file that is kept must not depend on them.
    pub fn gather(
        context: &Context,
        tools: Vec<Tool>,
        build_tools: Vec<Tool>,
    ) -> Result<Self, ExportError> {
        let target = context.target()?;
        let cbuild = context.cbuild()?;
        let has_compiler = tools.iter().any(|tool| tool.variable == "CC");
        let sysroot = context.usable_sysroot()?;
        let flags = Flags::of_target(context, &target)?.of_tools(&tools);
        Ok(Self {
            clang: tools::is_llvm(context).then(|| Clang::of(context)),
            cxx_includes: Vec::new(),
            libdirs: Vec::new(),
            multiarch: None,
            python: None,
            config_tools: Vec::new(),
            helpers: Vec::new(),
            sysroot,
            sysroot_is_chosen: context.sysroot_is_chosen(),
            adoptable: (!has_compiler).then(|| tools::adoptable(context)).flatten(),
            tools,
            build_tools,
            flags,
            emulator: None,
            config_site: None,
            environment: Changes::new(),
            toolchain_file: None,
            cbuild,
            target,
            profiles: context.config.profiles_directory(),
        })
    }

    /// Looks up the emulator. Returns the error if there is none.
    pub fn find_emulator(&mut self, context: &Context) -> Option<NoEmulator> {
        let flags = self.flags.words(&["CFLAGS", "LDFLAGS"]);
        let compiler = self.tool("CC");
        match emulator::find(context, &self.target, compiler, &flags, &self.sysroot) {
            Ok(emulator) => {
                self.emulator = Some(emulator);
                None
            }
            Err(why) => Some(why),
        }
    }

    /// Returns the emulators that may run the target's programs, without trying them.
    pub(crate) fn emulators(&self, context: &Context) -> Result<Candidates, NoEmulator> {
        let flags = self.flags.words(&["CFLAGS", "LDFLAGS"]);
        let compiler = self.tool("CC");
        Candidates::of(context, &self.target, compiler, &flags, &self.sysroot)
    }

    /// Looks up the facts that only CMake's file has: the library directories, and the programs that print flags for
    /// which CMake has variables.
    pub(crate) fn find_cmake_facts(&mut self, context: &Context) {
        self.find_libraries(context);
        self.find_config_tools(context, |tool| !tool.cmake.is_empty());
    }

    /// Looks up the facts of build systems' files: all programs that print flags, the C++ headers of this GCC of the
    /// target, Python, and the helpers of the build machine.
    pub(crate) fn find_build_system_facts(&mut self, context: &Context, gcc: Option<&Gcc>) {
        self.find_libraries(context);
        self.find_config_tools(context, |_| true);
        self.cxx_includes = gcc.map_or_else(Vec::new, Gcc::cxx_includes);
        self.python = python_below(&self.sysroot, &self.libdirs);
        let helpers = HELPERS.into_iter().filter_map(|name| {
            let path = context.find_program(OsStr::new(name)).ok()?;
            Some((name, path))
        });
        self.helpers = helpers.collect();
    }

    fn find_config_tools(&mut self, context: &Context, named: impl Fn(&ConfigTool) -> bool) {
        let found = CONFIG_TOOLS.iter().filter(|tool| named(tool)).map(|tool| {
            let path = tools::config_tool(context, &self.sysroot, tool.name);
            (tool.name, path)
        });
        self.config_tools = found.collect();
    }

    fn find_libraries(&mut self, context: &Context) {
        self.libdirs = library_directories(context, &self.sysroot);
        self.multiarch = multiarch(context)
            .into_iter()
            .find(|name| below(&self.sysroot, &format!("usr/lib/{name}")).is_dir());
    }

    /// Replaces the flags by the caller's own, for a text that is made for the caller.
    pub fn take_flags_of(&mut self, env: &env::Env) {
        for name in FLAGS {
            if let Some(value) = env.get_name(name) {
                self.flags.put(name, &value.to_string_lossy());
            }
        }
    }

    /// Returns the build system's name for the target, or the error that it has none. `key` is the fact's key in
    /// `profiles/`.
    pub(super) fn name<'a>(
        &self,
        name: Option<&'a str>,
        what: &'static str,
        key: Option<&'static str>,
    ) -> Result<&'a str, ExportError> {
        name.ok_or_else(|| ExportError::NoName {
            tuple: self.target.tuple.clone(),
            what,
            key,
            directory: self.profiles.clone(),
        })
    }

    /// Returns the path of the target's tool with that variable.
    pub fn tool(&self, variable: &str) -> Option<&Path> {
        let tool = self.tools.iter().find(|tool| tool.variable == variable)?;
        Some(&tool.path)
    }

    /// Returns the options with which clang and libclang read the target's headers, without those that a build system
    /// adds itself, such as the target.
    pub(super) fn clang_args(&self) -> Vec<String> {
        let mut all = vec![format!("--sysroot={}", self.sysroot.display())];
        if let Some(gcc) = self.clang.as_ref().and_then(|clang| clang.gcc.as_ref()) {
            all.push(format!("--gcc-toolchain={gcc}"));
        }
        let flags = self.flags.words(&["CPPFLAGS", "CFLAGS"]);
        let chooses_abi = |word: &&str| {
            let mut known = ABI_FLAGS.iter();
            known.any(|flag| match flag.ends_with('=') {
                true => word.starts_with(flag),
                false => word == flag,
            })
        };
        all.extend(flags.split(' ').filter(chooses_abi).map(str::to_owned));
        for directory in &self.cxx_includes {
            all.extend(["-cxx-isystem".into(), directory.display().to_string()]);
        }
        all
    }

    /// Returns the options of an Autoconf script for the target.
    pub(crate) fn configure_options(&self) -> Vec<String> {
        let build = self.cbuild.iter().map(|cbuild| format!("--build={cbuild}"));
        build
            .chain([format!("--host={}", self.target.tuple)])
            .collect()
    }

    /// Returns the path of a helper of the build machine.
    pub(super) fn helper(&self, name: &str) -> Option<&Path> {
        let found = self.helpers.iter().find(|(known, _)| *known == name)?;
        Some(&found.1)
    }

    /// Returns the path of a program that prints flags, or a name that does not exist. Returns `None` if it was not
    /// looked up.
    pub(super) fn config_tool(&self, name: &str) -> Option<&Path> {
        let mut known = self.config_tools.iter();
        known
            .find(|(known, _)| *known == name)
            .map(|(_, path)| path.as_path())
    }

    /// Returns a name of the target's tool that does not exist, so that a build system does not use the build
    /// machine's.
    pub(super) fn missing(&self, tool: &str) -> String {
        format!("{}-{tool}", self.target.tuple)
    }

    /// Returns the C compiler, which most build systems need.
    pub fn compiler(&self) -> Result<&Path, ExportError> {
        self.tool("CC").ok_or_else(|| ExportError::NoCompiler {
            tuple: self.target.tuple.clone(),
            toolchain: self.adoptable.clone(),
        })
    }
}

impl Clang {
    fn of(context: &Context) -> Self {
        let toolchain = context.settings.toolchain.as_ref();
        let options = toolchain.map_or(&[][..], |toolchain| &toolchain.options);
        let gcc = options
            .iter()
            .find_map(|option| option.strip_prefix("--gcc-toolchain="));
        Self {
            target: context.tuple.to_string(),
            gcc: gcc.map(str::to_owned),
        }
    }
}

/// Returns the directory of the newest Python in the sysroot's library directories.
fn python_below(sysroot: &Path, libdirs: &[String]) -> Option<PathBuf> {
    let places = libdirs.iter().map(String::as_str).chain(["lib"]);
    let mut found = places.filter_map(|libdir| {
        let entries = fs_err::read_dir(below(sysroot, &format!("usr/{libdir}"))).ok()?;
        let versions = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let minor: u32 = name.strip_prefix("python3.")?.parse().ok()?;
            Some((minor, entry.path()))
        });
        versions.max().map(|(_, path)| path)
    });
    found.next()
}

impl Flags {
    /// Returns the flags of the target's Portage, else the default ones with those of the tuple.
    fn of_target(context: &Context, target: &Target) -> Result<Self, ContextError> {
        let mut flags = Self::default();
        match context.target_settings(&FLAGS)? {
            Some(settings) => FLAGS
                .iter()
                .for_each(|name| flags.put(name, &settings[*name])),
            None => {
                for name in ["CFLAGS", "CXXFLAGS"] {
                    flags.put(
                        name,
                        &format!("{DEFAULT_FLAGS} {}", context.cpu_flags(target)),
                    );
                }
            }
        }
        Ok(flags.inherited())
    }

    /// Gives each language without flags those of a related language.
    fn inherited(mut self) -> Self {
        for (name, from) in INHERITED {
            if self.words(&[name]).is_empty()
                && let Some(value) = from
                    .iter()
                    .map(|from| self.words(&[from]))
                    .find(|v| !v.is_empty())
            {
                self.put(name, &value);
            }
        }
        self
    }

    /// Removes the flags of languages that no tool compiles.
    fn of_tools(mut self, tools: &[Tool]) -> Self {
        let has = |variable: &str| tools.iter().any(|tool| tool.variable == variable);
        self.0.retain(|(name, _)| {
            let tool = OF_TOOL.iter().find(|(known, _)| known == name);
            tool.is_none_or(|(_, tool)| has(tool))
        });
        self
    }

    fn put(&mut self, name: &'static str, value: &str) {
        self.0.retain(|(known, _)| *known != name);
        // A value of make.conf may span several lines.
        let words: Vec<&str> = value.split_whitespace().collect();
        if !words.is_empty() {
            self.0.push((name, words.join(" ")));
        }
    }

    /// Returns the flags without those that a build type sets: optimisation and debugging.
    pub fn without_build_type(&self) -> Self {
        let mut flags = Self::default();
        for (name, value) in &self.0 {
            let stays = |word: &&str| !word.starts_with("-O") && !word.starts_with("-g");
            let words: Vec<&str> = value.split(' ').filter(stays).collect();
            flags.put(name, &words.join(" "));
        }
        flags
    }

    /// Returns the name and value of each variable.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the values of these variables, joined by spaces.
    pub fn words(&self, names: &[&str]) -> String {
        let values: Vec<&str> = names
            .iter()
            .filter_map(|name| self.iter().find(|(known, _)| known == name))
            .map(|(_, value)| value)
            .collect();
        values.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_type_decides_optimisation_and_debugging() {
        for (flags, wanted) in [
            ("-O2 -pipe -march=armv5te", "-pipe -march=armv5te"),
            ("-Os -g -ggdb3 -mabi=64", "-mabi=64"),
            ("-O2\n  -fomit-frame-pointer", "-fomit-frame-pointer"),
            ("-O3", ""),
        ] {
            let mut all = Flags::default();
            all.put("CFLAGS", flags);
            assert_eq!(
                all.without_build_type().words(&["CFLAGS"]),
                wanted,
                "{flags}"
            );
        }
    }
}
