//! Applets: the behaviours of the binary. Each is defined in a file of `wrappers/`: a command line and its
//! environment layers.
//!
//! A definition, a [`Context`] and the caller's arguments give the [`Plan`]. When an applet is called, only users'
//! own definitions are read: the built-in ones are compiled in.

mod cache_marker;
mod command;
pub(crate) mod configure;
mod error;
mod kernel_cache;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod wrapper;
pub(crate) mod xkmake;

use crate::{
    call::Call,
    config::{Config, ToolchainKind},
    context::{Context, ContextError},
    layer::{self, Layer, Prepared},
};
use command::CommandLine;
use crossmerge_plan::{
    env::Env,
    plan::{self, Plan},
    report::{self, Failure},
    tuple::Tuple,
};
use crossmerge_system::exec::{self, choice};
pub use error::{AppletError, ConfigureError};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    process::ExitCode,
};
pub use wrapper::Wrapper;

/// The built-in wrappers.
const BUILT_IN: &[BuiltInWrapper] = include!(concat!(env!("OUT_DIR"), "/wrappers.rs"));

/// A wrapper that `build.rs` has parsed.
struct BuiltInWrapper {
    stem: &'static str,
    /// The names of the applets that it defines.
    names: &'static [&'static str],
    define: fn() -> Wrapper,
}

/// The code of an applet.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The value of `code` in its definition. Empty for applets without code.
    pub name: &'static str,
    /// Returns its help, if the arguments ask for it. Other applets pass `--help` to the real tool.
    pub help: fn(&AppletStart) -> Option<String>,
    /// Decides what it runs.
    pub plan: fn(&Applet, &Call, Vec<OsString>) -> Result<Plan, AppletError>,
    /// Plans, and carries the plan out. Returns only if no other program was exec'd.
    pub run: fn(AppletStart) -> Result<ExitCode, Failure>,
}

/// A start of an applet.
#[derive(Debug)]
pub struct AppletStart<'a> {
    /// The name of the command.
    pub argv0: &'a OsStr,
    /// The applet.
    pub name: &'a str,
    /// The definitions that have it.
    pub wrappers: &'a Wrappers,
    /// The tuple, which not every applet needs.
    pub tuple: Result<Tuple, ContextError>,
    /// The environment.
    pub env: Env,
    /// The configuration.
    pub config: Config,
    /// The arguments.
    pub args: Vec<OsString>,
}

/// Definitions, by file stem, with the code that they name.
#[derive(Debug, Clone)]
pub struct Wrappers {
    all: BTreeMap<String, Wrapper>,
    codes: &'static [Code],
}

/// An applet that was called.
#[derive(Debug, Clone, Copy)]
pub struct Applet<'w> {
    /// The name under which its command can be configured: the file's stem, or the name of a tool.
    pub(super) stem: &'w str,
    /// Its definition.
    pub(super) wrapper: &'w Wrapper,
    /// The tool of the adopted toolchain that the name means.
    pub(super) tool: Option<&'w str>,
}

/// The definitions of applets: users' own, and the built-in ones that none of them replaces.
#[derive(Debug)]
pub struct Definitions {
    own: BTreeMap<String, Wrapper>,
    codes: &'static [Code],
}

impl Definitions {
    /// Reads users' own definitions, which may name any of these codes.
    pub fn read(config: &Config, codes: &'static [Code]) -> Result<Self, AppletError> {
        let own = config.own_sources("wrappers")?.into_iter();
        let own = own.map(|(stem, (file, text))| {
            let wrapper = Wrapper::parse(&file, &text)?;
            check_code(codes, &file, wrapper.code.as_deref())?;
            Ok((stem, wrapper))
        });
        Ok(Self {
            own: own.collect::<Result<_, AppletError>>()?,
            codes,
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
        Wrappers {
            all: wrappers,
            codes: self.codes,
        }
    }
}

impl Wrappers {
    /// Returns the applets that every target has: name and definition.
    pub fn applets(&self) -> impl Iterator<Item = (&str, &Wrapper)> {
        let applets = self.all.iter().filter(|(_, w)| w.tools.is_empty());
        applets.flat_map(|(stem, w)| w.names(stem).into_iter().map(move |name| (name, w)))
    }

    /// Returns the applets of a toolchain: name and tool.
    pub fn tools(&self, kind: ToolchainKind) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.all.values().filter(move |w| w.toolchain == Some(kind));
        of_kind.flat_map(|w| {
            w.tools
                .iter()
                .map(|(name, tool)| (name.as_str(), tool.as_str()))
        })
    }

    /// Returns all definitions, of which a start has only those of its applet.
    pub(crate) fn with_all(&self, config: &Config) -> Result<Self, AppletError> {
        Ok(Definitions::read(config, self.codes)?.all())
    }

    /// Returns every name that a symlink may end in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().flat_map(|(stem, w)| w.names(stem))
    }

    /// Decides what `<tuple>-<name> args…` runs.
    pub fn plan(&self, name: &str, call: &Call, args: Vec<OsString>) -> Result<Plan, AppletError> {
        let applet = self.find(name, call.context)?;
        (self.code(name).plan)(&applet, call, args)
    }

    /// Returns the code of an applet: that of a command, whose name is empty, if it has none of its own.
    fn code(&self, name: &str) -> &'static Code {
        let code = self.applet(name).and_then(|(_, w)| w.code.as_deref());
        let code = code.unwrap_or_default();
        let mut codes = self.codes.iter();
        codes
            .find(|known| known.name == code)
            .expect("definitions are checked, and commands have a row")
    }

    /// Returns whether `<tuple>-<name>` without arguments prints the environment for `eval`.
    pub(crate) fn prints_environment(&self, name: &str) -> bool {
        let applet = self.applet(name);
        applet.is_some_and(|(_, w)| w.command.is_none() && w.code.is_none())
    }

    /// Returns whether an applet sets Portage up for its target.
    pub fn uses_portage(&self, name: &str) -> bool {
        let applet = self.applet(name);
        applet.is_some_and(|(_, w)| w.layers.contains(&Layer::Portage))
    }

    /// Returns the definition of an applet that every target has, with its file's stem.
    fn applet(&self, name: &str) -> Option<(&str, &Wrapper)> {
        let mut all = self.all.iter().filter(|(_, w)| w.tools.is_empty());
        all.find(|(stem, w)| w.names(stem).contains(&name))
            .map(|(stem, w)| (stem.as_str(), w))
    }

    fn find<'a>(&'a self, name: &str, context: &Context) -> Result<Applet<'a>, AppletError> {
        if let Some((stem, wrapper)) = self.applet(name) {
            let tool = None;
            return Ok(Applet {
                stem,
                wrapper,
                tool,
            });
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
        let mut fitting = self.all.values().filter(fits);
        // A configured command applies to the name by which the tool was called.
        let found = fitting.find_map(|w| {
            w.tools
                .get_key_value(name)
                .map(|(name, tool)| (w, name, tool))
        });
        found
            .map(|(wrapper, name, tool)| Applet {
                stem: name,
                wrapper,
                tool: Some(tool),
            })
            .ok_or_else(|| AppletError::NoToolchain {
                tuple: context.tuple.to_string(),
                tool: name.into(),
            })
    }
}

impl Applet<'_> {
    /// Decides what the applet's command runs, with the layers of its definition.
    pub(crate) fn plan(&self, call: &Call, args: Vec<OsString>) -> Result<Plan, AppletError> {
        let prepared = layer::apply(&self.wrapper.layers, call)?;
        self.finish(self.command(call, args)?, call, prepared)
    }

    /// Decides the same without the layers, for a question that no fact of the target changes.
    pub(crate) fn plan_without_layers(
        &self,
        call: &Call,
        args: Vec<OsString>,
    ) -> Result<Plan, AppletError> {
        self.finish(self.command(call, args)?, call, Prepared::default())
    }

    /// Returns the command line: the caller's if the definition has none.
    fn command(&self, call: &Call, args: Vec<OsString>) -> Result<CommandLine, AppletError> {
        match &self.wrapper.command {
            None => Ok(CommandLine::of_caller(args)),
            Some(command) => self
                .wrapper
                .command_line(self.stem, command, call, args, self.tool),
        }
    }

    /// Makes the plan of a command line, with what the layers have prepared.
    fn finish(
        &self,
        command: CommandLine,
        call: &Call,
        prepared: Prepared,
    ) -> Result<Plan, AppletError> {
        command.into_plan(self.wrapper, self.tool, call, prepared)
    }

    /// Returns the layers of its definition.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.wrapper.layers
    }
}

impl AppletStart<'_> {
    /// Prints the help, if the arguments ask for it, or runs the applet.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let code = self.wrappers.code(self.name);
        match (code.help)(&self) {
            Some(help) => Ok(report::print(help.as_bytes())?),
            None => (code.run)(self),
        }
    }

    /// Returns whether the first argument asks for help.
    pub(crate) fn asks_for_help(&self) -> bool {
        let first = self.args.first();
        first.is_some_and(|first| first == "--help" || first == "-h")
    }

    /// Plans, and passes the plan on with its call.
    pub(crate) fn planned(
        self,
        run: impl FnOnce(&Call, &Plan) -> Result<ExitCode, Failure>,
    ) -> Result<ExitCode, Failure> {
        // The context lives until the process ends, so dropping it would only cost time.
        let context = Box::leak(Box::new(Context::new(self.env, self.config, self.tuple?)?));
        let call = Call::new(context);
        let plan = self.wrappers.plan(self.name, &call, self.args)?;
        run(&call, &plan)
    }

    /// Plans and executes the real tool.
    pub(crate) fn exec(self) -> Result<ExitCode, Failure> {
        self.planned(|call, plan| match choice::exec(plan, &call.context.env)? {})
    }

    pub(crate) fn print_environment(self) -> Result<ExitCode, Failure> {
        self.planned(|_, plan| {
            let plan = choice::decide(plan)?;
            exec::write_files(plan)?;
            Ok(report::print(plan::exports(&plan.env).as_bytes())?)
        })
    }
}

/// Checks that a definition names one of the codes, if any.
fn check_code(codes: &[Code], file: &str, code: Option<&str>) -> Result<(), AppletError> {
    let is_known = |code: &str| codes.iter().any(|known| known.name == code);
    let Some(code) = code.filter(|code| !is_known(code)) else {
        return Ok(());
    };
    let named = codes.iter().filter(|code| !code.name.is_empty());
    let known: Vec<String> = named.map(|code| format!("`{}`", code.name)).collect();
    Err(AppletError::Malformed {
        file: file.into(),
        message: format!(
            "unknown code `{code}`, expected one of {}",
            known.join(", ")
        ),
    })
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
