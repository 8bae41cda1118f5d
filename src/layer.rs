//! Environment layers: named sets of changes that a wrapper asks for. Pure but for what they ask of the [`Context`].
//!
//! A variable that the caller has set stays as it is, unless a layer says why not.

mod build_system;
mod compiler;
mod compiler_cache;
mod kernel;
mod make;
pub(crate) mod overrides;
pub(crate) mod pkg_config;
pub(crate) mod site_cache;

use crate::{
    call::Call,
    context::{Context, ContextError},
    env::{self, Variable},
    export::{ExportError, FLAGS, Facts, build_names},
    plan::{Change, Changes, File, step::Step},
    report,
    site_cache::SiteCacheError,
};
use serde::Deserialize;
use std::ffi::{OsStr, OsString};

/// The name of a layer, as `wrappers/*.toml` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What makes Portage build for the target.
    Portage,
    /// The target's tools, for build systems that ask the environment.
    Compiler,
    /// What shows pkg-config the sysroot and hides the machine.
    PkgConfig,
    /// The flags of the target's compilers and linker.
    Flags,
    /// Those flags for a build system that decides on optimisation and debugging.
    BuildTypeFlags,
    /// What makefiles that know nothing of the tools' variables ask for.
    Make,
    /// What lets compiler caches see that the compiler behind a link of ours changed.
    CompilerCache,
    /// What tells Cargo and its build scripts of the target.
    Cargo,
    /// What tells Go of the target.
    Go,
    /// What tells the kernel's make of the target.
    Kernel,
    /// What configure scripts would find out by running a program.
    SiteCache,
}

/// What the layers add up to.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The changes to the environment.
    pub env: Changes,
    /// Files that they name.
    pub files: Vec<File>,
    /// The steps into the namespaces in which the tool runs.
    pub enter: Vec<Step>,
}

/// The flags that Portage has for the machine and the variable that carries each into a cross build.
const BUILD_FLAGS: [(&str, &str); 4] = [
    ("BUILD_CFLAGS", "CFLAGS"),
    ("BUILD_CXXFLAGS", "CXXFLAGS"),
    ("BUILD_CPPFLAGS", "CPPFLAGS"),
    ("BUILD_LDFLAGS", "LDFLAGS"),
];

/// Why the layers were not applied.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A build system cannot be told about the target.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The answers for configure scripts cannot be read.
    #[error(transparent)]
    SiteCache(#[from] SiteCacheError),
}

impl LayerError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Context(e) => e.hint(),
            Self::Export(e) => e.hint(),
            Self::SiteCache(e) => e.hint(),
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Context(e) => e.exit_code(),
            Self::Export(e) => e.exit_code(),
            Self::SiteCache(_) => report::OWN_FAILURE,
        }
    }
}

/// What the layers do, in their order.
pub fn apply(layers: &[Layer], call: &Call) -> Result<Prepared, LayerError> {
    let context = call.context;
    let mut prepared = Prepared::default();
    // What begins a build, and no question.
    if layers.contains(&Layer::CompilerCache) {
        overrides::check(layers, context)?;
    }
    for layer in layers {
        let changes = &mut prepared.env;
        match layer {
            Layer::Portage => portage(context, changes)?,
            Layer::Compiler => compiler::compiler(context, changes)?,
            Layer::PkgConfig => pkg_config::pkg_config(call, changes)?,
            Layer::Flags => build_system::flags(call, changes)?,
            Layer::BuildTypeFlags => build_system::build_type_flags(call, changes)?,
            Layer::Make => make::make(call, &mut prepared)?,
            Layer::CompilerCache => compiler_cache::compiler_cache(context, changes),
            Layer::Cargo => build_system::cargo(call, &mut prepared)?,
            Layer::Go => build_system::go(call, changes)?,
            Layer::Kernel => kernel::kernel(context, changes)?,
            Layer::SiteCache => site_cache::site_cache(call, &mut prepared)?,
        }
    }
    Ok(prepared)
}

/// The environment that `export env` writes: that of `<tuple>-env`, but with our tools and flags in place of those the caller has set, and
/// without what depends on the namespaces that an applet enters.
pub(crate) fn for_export(call: &Call, facts: &Facts) -> Result<Prepared, LayerError> {
    let mut bare = call.context.clone();
    let own = make::NAMES
        .iter()
        .chain(&FLAGS)
        .map(|name| (*name).to_owned());
    let tools = facts.tools.iter().map(|tool| tool.variable.to_owned());
    let native = facts
        .build_tools
        .iter()
        .flat_map(|tool| build_names(tool.variable));
    for name in own.chain(tools).chain(native) {
        bare.env.unset_name(&name);
    }
    let mut layers = vec![Layer::Compiler, Layer::Make, Layer::CompilerCache];
    // A compiler that brings its own libc needs no sysroot of ours, and then there is nothing for Portage either.
    if bare.sysroot().is_dir() {
        layers.insert(0, Layer::Portage);
    }
    let mut prepared = apply(&layers, &call.with(&bare))?;
    for (name, value) in facts.flags.iter() {
        set(&mut prepared.env, name, value);
    }
    Ok(prepared)
}

fn set(changes: &mut Changes, name: &str, value: impl Into<OsString>) {
    changes.insert(name.into(), Change::Set(value.into()));
}

/// Sets a variable that the caller left unset, whose name is only known at run time.
fn propose(context: &Context, changes: &mut Changes, name: &str, value: impl Into<OsString>) {
    if context.env.get_name(name).is_none() {
        set(changes, name, value);
    }
}

/// Sets a variable that the caller left unset.
fn default(
    context: &Context,
    changes: &mut Changes,
    variable: Variable,
    value: impl Into<OsString>,
) {
    set(
        changes,
        variable.name,
        context
            .env
            .get(variable)
            .map_or_else(|| value.into(), OsStr::to_owned),
    );
}

fn portage(context: &Context, changes: &mut Changes) -> Result<(), ContextError> {
    let sysroot = context.existing_sysroot()?;
    let configroot = context.existing_configroot()?;
    let root = root(context)?;
    let portage = context.portage()?;
    set(changes, env::CHOST.name, context.tuple.as_str());
    set(changes, env::EPREFIX.name, context.eprefix());
    set(changes, env::PORTAGE_CONFIGROOT.name, configroot);
    set(changes, env::SYSROOT.name, sysroot);
    set(changes, env::ROOT.name, root);
    if let Some(cbuild) = portage.host_setting(env::CBUILD.name) {
        default(context, changes, env::CBUILD, cbuild);
    }
    for (name, flags) in BUILD_FLAGS {
        if let (None, Some(flags)) = (context.env.get_name(name), portage.host_setting(flags)) {
            set(changes, name, flags);
        }
    }
    Ok(())
}

/// ROOT: the environment's, which has to be another's root than this machine's; else that of the target's make.conf, else the
/// sysroot.
fn root(context: &Context) -> Result<OsString, ContextError> {
    if let Some(root) = context.chosen_root()? {
        return Ok(root.into());
    }
    // A ROOT of `/` is what Portage says when make.conf has none, and never where a target's packages belong.
    Ok(match context.portage()?.target_setting(env::ROOT.name) {
        "" | "/" => context.usable_sysroot()?.into(),
        root => root.into(),
    })
}
