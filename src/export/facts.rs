//! The facts: all that a build system may want to know of a target, looked up once.

use super::{
    ExportError, Format,
    tools::{self, Tool},
};
use crate::{
    context::{Context, ContextError},
    emulator::{self, Emulator, NoEmulator},
    env,
    target::Target,
};
use std::path::{Path, PathBuf};

/// Everything that a renderer knows.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the tuple says.
    pub target: Target,
    /// Headers and libraries to build against.
    pub sysroot: PathBuf,
    /// The sysroot is the environment's choice, and so the compiler does not know it by itself.
    pub sysroot_is_chosen: bool,
    /// The machine we build on; none where nothing says so.
    pub cbuild: Option<String>,
    /// The target's tools that are there.
    pub tools: Vec<Tool>,
    /// The prefix of a toolchain that could be adopted, where there is no compiler.
    pub adoptable: Option<String>,
    /// The build machine's.
    pub build_tools: Vec<Tool>,
    /// The flags of the compilers and the linker.
    pub flags: Flags,
    /// What runs the target's programs; none where nothing does, or nobody looked.
    pub emulator: Option<Emulator>,
    /// The config.site that answers configure scripts; none where nothing does, or nobody looked.
    pub config_site: Option<PathBuf>,
    /// The folder in which a person can teach another fact.
    pub profiles: String,
}

/// CFLAGS and its kin: name and value, the empty ones left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(Vec<(&'static str, String)>);

/// The variables that hold flags.
pub(crate) const FLAGS: [&str; 4] = ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"];

/// What a build gets when nobody says otherwise, as Gentoo has it.
const DEFAULT_FLAGS: &str = "-O2 -pipe";

impl Facts {
    /// Gives everything but the emulator, which costs a compilation; it is looked up once a call. The caller's own flags
    /// are not among the facts: a file that is kept must not depend on them.
    pub fn gather(context: &Context) -> Result<Self, ExportError> {
        context
            .facts
            .get_or_try_init(|| Self::look(context))
            .cloned()
    }

    fn look(context: &Context) -> Result<Self, ExportError> {
        let target = context.target()?;
        let cbuild = context.cbuild()?;
        let tools = tools::of_target(context);
        let has_compiler = tools.iter().any(|tool| tool.variable == "CC");
        Ok(Self {
            sysroot: context.foreign_sysroot()?,
            sysroot_is_chosen: context.sysroot_is_chosen(),
            adoptable: (!has_compiler).then(|| tools::adoptable(context)).flatten(),
            tools,
            build_tools: tools::of_build_machine(context, cbuild.as_deref()),
            flags: Flags::of_target(context, &target)?,
            emulator: None,
            config_site: None,
            cbuild,
            target,
            profiles: context.config.profiles_folder(),
        })
    }

    /// Looks for an emulator as well; says why there is none.
    pub fn find_emulator(&mut self, context: &Context) -> Option<NoEmulator> {
        let qemu = self.target.qemu.as_deref();
        let flags = self.flags.words(&["CFLAGS", "LDFLAGS"]);
        match emulator::find(context, qemu, self.tool("CC"), &flags, &self.sysroot) {
            Ok(emulator) => {
                self.emulator = Some(emulator);
                None
            }
            Err(why) => Some(why),
        }
    }

    /// Looks for an emulator where the format names one, and tells a person who could help that there is none.
    pub fn find_emulator_for(&mut self, format: Format, context: &Context) {
        if format.has_emulator()
            && let Some(why) = self.find_emulator(context)
            && why.is_surprising()
        {
            crate::say(&why.to_note(context.tuple.as_str()));
        }
    }

    /// Lets the caller's own flags win, for a text that is made for the caller.
    pub fn take_flags_of(&mut self, env: &env::Env) {
        for name in FLAGS {
            if let Some(value) = env.get_name(name) {
                self.flags.put(name, &value.to_string_lossy());
            }
        }
    }

    /// A name that the build system has for the target, or the error that it has none; `key` is the fact's in `profiles/`.
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
            folder: self.profiles.clone(),
        })
    }

    /// The path of the target's tool with that variable.
    pub fn tool(&self, variable: &str) -> Option<&Path> {
        let tool = self.tools.iter().find(|tool| tool.variable == variable)?;
        Some(&tool.path)
    }

    /// The C compiler, without which most build systems are lost.
    pub fn compiler(&self) -> Result<&Path, ExportError> {
        self.tool("CC").ok_or_else(|| ExportError::NoCompiler {
            tuple: self.target.tuple.clone(),
            toolchain: self.adoptable.clone(),
        })
    }
}

impl Flags {
    /// The flags of the target's Portage, else ours with those that the tuple means.
    fn of_target(context: &Context, target: &Target) -> Result<Self, ContextError> {
        let mut flags = Self::default();
        match context.target_settings(&FLAGS)? {
            Some(settings) => FLAGS.map(|name| flags.put(name, &settings[name])),
            None => FLAGS.map(|name| match name {
                "CFLAGS" | "CXXFLAGS" => {
                    flags.put(name, &format!("{DEFAULT_FLAGS} {}", target.cflags));
                }
                _ => {}
            }),
        };
        Ok(flags)
    }

    fn put(&mut self, name: &'static str, value: &str) {
        self.0.retain(|(known, _)| *known != name);
        // A value of make.conf may go over several lines.
        let words: Vec<&str> = value.split_whitespace().collect();
        if !words.is_empty() {
            self.0.push((name, words.join(" ")));
        }
    }

    /// The flags without those that a build type decides: optimisation and debugging.
    pub fn without_build_type(&self) -> Self {
        let mut flags = Self::default();
        for (name, value) in &self.0 {
            let stays = |word: &&str| !word.starts_with("-O") && !word.starts_with("-g");
            let words: Vec<&str> = value.split(' ').filter(stays).collect();
            flags.put(name, &words.join(" "));
        }
        flags
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The values of some, one after the other.
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
