//! Applets: the behaviours of the binary. Each is defined in a file of `wrappers/`: a command line and its
//! environment layers.
//!
//! A definition, a [`Context`] and the caller's arguments give the [`Plan`]. When an applet is called, only users'
//! own definitions are read: the built-in ones are compiled in.

mod command;
mod configure;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod wrapper;
mod xkmake;

use crate::{
    call::Call,
    config::{Config, ToolchainKind},
    context::Context,
    layer::{self, Layer},
    pkg_config,
    qemu::{chroot, run},
};
use command::CommandLine;
use crossmerge_plan::plan::Plan;
pub use error::{AppletError, ConfigureError};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};
pub use wrapper::{Code, Wrapper};

/// The built-in wrappers.
const BUILT_IN: &[BuiltInWrapper] = include!(concat!(env!("OUT_DIR"), "/wrappers.rs"));

/// A wrapper that `build.rs` has parsed.
struct BuiltInWrapper {
    stem: &'static str,
    /// The names of the applets that it defines.
    names: &'static [&'static str],
    define: fn() -> Wrapper,
}

/// Definitions, by file stem.
#[derive(Debug, Clone)]
pub struct Wrappers(BTreeMap<String, Wrapper>);

/// The definitions of applets: users' own, and the built-in ones that none of them replaces.
#[derive(Debug)]
pub struct Definitions {
    own: BTreeMap<String, Wrapper>,
}

impl Definitions {
    /// Reads users' own definitions.
    pub fn read(config: &Config) -> Result<Self, AppletError> {
        let own = config.own_sources("wrappers")?.into_iter();
        let own = own.map(|(stem, (file, text))| Ok((stem, Wrapper::parse(&file, &text)?)));
        Ok(Self {
            own: own.collect::<Result<_, AppletError>>()?,
        })
    }

    /// Returns every name that a symlink may end in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = self
            .own
            .iter()
            .flat_map(|(stem, wrapper)| wrapper.names(stem));
        let built_in = BUILT_IN
            .iter()
            .filter(|built_in| !self.own.contains_key(built_in.stem));
        own.chain(built_in.flat_map(|built_in| built_in.names.iter().copied()))
    }

    /// Returns the definitions that have an applet of that name.
    pub fn of(self, applet: &str) -> Wrappers {
        self.only(|names| names.contains(&applet))
    }

    /// Returns all definitions.
    pub fn all(self) -> Wrappers {
        self.only(|_| true)
    }

    fn only(self, wanted: impl Fn(&[&str]) -> bool) -> Wrappers {
        let mut wrappers = self.own;
        for built_in in BUILT_IN {
            if wanted(built_in.names) && !wrappers.contains_key(built_in.stem) {
                wrappers.insert(built_in.stem.into(), (built_in.define)());
            }
        }
        Wrappers(wrappers)
    }
}

impl Wrappers {
    /// Returns the applets that every target has: name and definition.
    pub fn applets(&self) -> impl Iterator<Item = (&str, &Wrapper)> {
        let applets = self.0.iter().filter(|(_, w)| w.tools.is_empty());
        applets.flat_map(|(stem, w)| w.names(stem).into_iter().map(move |name| (name, w)))
    }

    /// Returns the applets of a toolchain: name and tool.
    pub fn tools(&self, kind: ToolchainKind) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.0.values().filter(move |w| w.toolchain == Some(kind));
        of_kind.flat_map(|w| {
            w.tools
                .iter()
                .map(|(name, tool)| (name.as_str(), tool.as_str()))
        })
    }

    /// Returns every name that a symlink may end in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(stem, w)| w.names(stem))
    }

    /// Decides what `<tuple>-<name> args…` runs.
    pub fn plan(&self, name: &str, call: &Call, args: Vec<OsString>) -> Result<Plan, AppletError> {
        let context = call.context;
        let (stem, wrapper, tool) = self.find(name, context)?;
        if wrapper.code == Some(Code::Configure) {
            return configure::plan(call, &wrapper.layers, args);
        }
        if wrapper.code == Some(Code::Run) {
            return Ok(run::plan(context, args)?);
        }
        if wrapper.code == Some(Code::Chroot) {
            return Ok(chroot::plan(context, args)?);
        }
        let needs_nothing =
            wrapper.code == Some(Code::PkgConfig) && pkg_config::asks_about_itself(&args);
        let layers = if needs_nothing {
            &[]
        } else {
            &wrapper.layers[..]
        };
        let mut prepared = layer::apply(layers, call)?;
        let CommandLine {
            mut words,
            rest,
            after,
            files,
        } = match &wrapper.command {
            None => CommandLine::of_caller(args),
            Some(command) => wrapper.command_line(stem, command, call, args, tool)?,
        };
        prepared.files.extend(files);
        // Without a command, the plan only sets the environment. `env` without arguments prints it.
        if words.is_empty() {
            words.push("env".into());
        }
        let program = words.remove(0);
        let program = match (tool, &wrapper.command) {
            // An adopted tool has an absolute path already.
            (Some(_), _) => program.into(),
            (None, Some(command)) => match wrapper.preferred(command, &program, context) {
                Some(preferred) => preferred,
                None => context.find_program(&program)?,
            },
            (None, None) => context.find_command(&program)?,
        };
        let plan = Plan {
            program,
            args: words.into_iter().chain(rest).chain(after).collect(),
            env: prepared.env,
            files: prepared.files,
            enter: prepared.enter,
        };
        match wrapper.code {
            Some(Code::Xkmake) => xkmake::fit(context, plan),
            _ => Ok(plan),
        }
    }

    /// Returns whether `<tuple>-<name>` without arguments prints the environment for `eval`.
    pub fn prints_environment(&self, name: &str, args: &[OsString]) -> bool {
        let applet = self.applet(name);
        args.is_empty() && applet.is_some_and(|(_, w)| w.command.is_none() && w.code.is_none())
    }

    /// Returns the help of an applet with its own code, if the arguments ask for it. Other applets pass `--help` to
    /// the real tool.
    pub fn help(&self, applet: &str, name: &OsStr, args: &[OsString]) -> Option<String> {
        let asks = || {
            let first = args.first();
            first.is_some_and(|first| first == "--help" || first == "-h")
        };
        match self.code(applet) {
            Some(Code::Chroot) => chroot::asks_for_help(args).then(|| chroot::help(name)),
            Some(Code::Run) => asks().then(|| run::help(name)),
            None if asks() && self.prints_environment(applet, &[]) => Some(environment_help(name)),
            _ => None,
        }
    }

    /// Returns the code of an applet.
    pub fn code(&self, name: &str) -> Option<Code> {
        self.applet(name)?.1.code
    }

    /// Returns whether an applet sets Portage up for its target.
    pub fn uses_portage(&self, name: &str) -> bool {
        let applet = self.applet(name);
        applet.is_some_and(|(_, w)| w.layers.contains(&Layer::Portage))
    }

    /// Returns the definition of an applet that every target has, with its file's stem.
    fn applet(&self, name: &str) -> Option<(&str, &Wrapper)> {
        let mut all = self.0.iter().filter(|(_, w)| w.tools.is_empty());
        all.find(|(stem, w)| w.names(stem).contains(&name))
            .map(|(stem, w)| (stem.as_str(), w))
    }

    fn find<'a>(
        &'a self,
        name: &str,
        context: &'a Context,
    ) -> Result<(&'a str, &'a Wrapper, Option<&'a str>), AppletError> {
        if let Some((stem, wrapper)) = self.applet(name) {
            return Ok((stem, wrapper, None));
        }
        if !self.names().any(|known| known == name) {
            let known: Vec<_> = self.applets().map(|(name, _)| name).collect();
            return Err(AppletError::Unknown {
                name: name.into(),
                known: known.join(", "),
            });
        }
        let adopted = context.settings.toolchain.as_ref();
        let fits = |w: &&Wrapper| w.toolchain.is_some() && w.toolchain == adopted.map(|t| t.kind);
        let mut fitting = self.0.values().filter(fits);
        // A configured command applies to the name by which the tool was called.
        let found = fitting.find_map(|w| {
            w.tools
                .get_key_value(name)
                .map(|(name, tool)| (w, name, tool))
        });
        found
            .map(|(wrapper, name, tool)| (name.as_str(), wrapper, Some(tool.as_str())))
            .ok_or_else(|| AppletError::NoToolchain {
                tuple: context.tuple.to_string(),
                tool: name.into(),
            })
    }
}

/// Returns the help of an applet without a command of its own.
fn environment_help(name: &OsStr) -> String {
    let name = name.display();
    format!(
        "\
Print the target's environment for a shell, or run a command in it

Usage: {name}
       {name} command [arguments…]

  eval \"$({name})\"   take the environment into this shell
  {name} make           run make in it

A variable that is set already keeps its value. `crossmerge plan <tuple> env …` prints all that would run.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_wrappers_are_those_of_the_files() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("wrappers");
        for built_in in BUILT_IN {
            let file = format!("{}.toml", built_in.stem);
            let text = std::fs::read_to_string(directory.join(&file)).expect(&file);
            let wrapper = Wrapper::parse(&file, &text).expect(&file);
            assert_eq!(wrapper.names(built_in.stem), built_in.names, "{file}");
            assert_eq!((built_in.define)(), wrapper, "{file}");
        }
    }
}
