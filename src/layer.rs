//! Environment layers: named sets of changes that a wrapper lists. Pure, except for lookups of the `Context`.
//!
//! A variable that the caller has set stays unchanged, unless a layer documents an exception.

mod build_system;
mod changes;
mod compiler;
mod compiler_cache;
mod engine;
mod kernel;
mod make;
pub(crate) mod overrides;
pub(crate) mod pkg_config;
mod portage;
pub(crate) mod site_cache;
mod target_programs;
mod variants;
mod zig_cache;

use crate::{
    call::Call,
    context::ContextError,
    export::{ExportError, FLAGS, Facts, build_names},
    kernel::tree::Tree,
    site_cache::SiteCacheError,
};
use changes::set;
pub use changes::{Layer, Prepared};
pub(crate) use compiler_cache::compiler_key;
use crossmerge_plan::{passes_on, report::Explain};
pub(crate) use engine::{Engine, EngineProblem, engines_in, leads_to};
use portage::{portage, root_packages};
pub(crate) use variants::{Variant, Variants};

/// Why the layers were not applied.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The facts for a build system cannot be looked up.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The answers for configure scripts cannot be read.
    #[error(transparent)]
    SiteCache(#[from] SiteCacheError),
}

impl Explain for LayerError {
    passes_on!(Context, Export, SiteCache);
}

/// Applies the layers in their order.
pub fn apply(layers: &[Layer], call: &Call) -> Result<Prepared, LayerError> {
    apply_to_tree(layers, call, None)
}

/// Applies the layers in their order, for a make in this tree.
pub(crate) fn apply_to_tree(
    layers: &[Layer],
    call: &Call,
    tree: Option<&Tree>,
) -> Result<Prepared, LayerError> {
    let context = call.context;
    let mut prepared = Prepared::default();
    // Only the applets that build have this layer.
    if layers.contains(&Layer::CompilerCache) {
        overrides::check(layers, context)?;
    }
    for layer in layers {
        let changes = &mut prepared.env;
        // The layers are not inlined here, so that a start brings only the pages of its own layers into memory.
        match layer {
            Layer::Portage => portage(context, changes)?,
            Layer::RootPackages => root_packages(context, changes)?,
            Layer::Compiler => compiler::compiler(call, changes)?,
            Layer::PkgConfig => pkg_config::pkg_config(call, changes)?,
            Layer::Flags => build_system::flags(call, changes)?,
            Layer::BuildTypeFlags => build_system::build_type_flags(call, changes)?,
            Layer::Make => make::make(call, &mut prepared)?,
            Layer::CompilerCache => {
                compiler_cache::compiler_cache(call, layers.contains(&Layer::Portage), changes);
            }
            Layer::Cargo => build_system::cargo(call, &mut prepared)?,
            Layer::Go => build_system::go(call, changes)?,
            Layer::Kernel => kernel::kernel(context, tree, changes)?,
            Layer::SiteCache => site_cache::site_cache(call, &mut prepared)?,
            Layer::TargetPrograms => target_programs::target_programs(call, &mut prepared),
            Layer::ZigCache => zig_cache::zig_cache(context, changes),
        }
    }
    // Only the applets that build packages have this layer.
    if layers.contains(&Layer::TargetPrograms) {
        engine::warn(context);
    }
    Ok(prepared)
}

/// Returns the environment that `export env` writes: that of `<tuple>-env`, but crossmerge's tools and flags replace
/// the caller's, and nothing depends on the namespaces that an applet enters.
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
    // A compiler with its own libc needs no sysroot; then Portage needs nothing either.
    if bare.sysroot().is_dir() {
        layers.insert(0, Layer::Portage);
    }
    let mut prepared = apply(&layers, &call.with(&bare))?;
    for (name, value) in facts.flags.iter() {
        set(&mut prepared.env, name, value);
    }
    Ok(prepared)
}
