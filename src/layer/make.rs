//! The `make` layer: what makefiles, and scripts of no build system, ask for beside the tools' own variables. It is
//! what Yocto's `environment-setup` has, so that a project written for that finds the same names here.

use super::changes::{Prepared, default, propose};
use crate::{
    call::Call,
    export,
    export::{ExportError, Format, ReadBy},
};
use crossmerge_plan::env;

/// The variables of this layer that are not a tool's.
pub(super) const NAMES: [&str; 5] = [
    env::CROSS_COMPILE.name,
    env::CONFIGURE_FLAGS.name,
    env::SDKTARGETSYSROOT.name,
    env::CMAKE_TOOLCHAIN_FILE.name,
    env::CBUILD.name,
];

/// Names the prefix of the tools, which a makefile's own `CC = $(CROSS_COMPILE)gcc` takes; the options of a configure
/// script; the sysroot; and a toolchain file for a cmake that is started without one.
pub(super) fn make(call: &Call, prepared: &mut Prepared) -> Result<(), ExportError> {
    let context = call.context;
    let mut facts = call.facts()?.clone();
    let changes = &mut prepared.env;
    for tool in facts
        .tools
        .iter()
        .filter(|tool| tool.read_by == ReadBy::Make)
    {
        propose(context, changes, tool.variable, &tool.name);
    }
    let prefix = format!("{}-", context.tuple);
    default(context, changes, env::CROSS_COMPILE, prefix);
    let name = env::CONFIGURE_FLAGS.name;
    propose(context, changes, name, facts.configure_options().join(" "));
    propose(context, changes, env::SDKTARGETSYSROOT.name, &facts.sysroot);
    if let Some(cbuild) = &facts.cbuild {
        default(context, changes, env::CBUILD, cbuild);
    }
    // A path that CMake's file cannot hold is no reason to refuse a build that may not ask for CMake.
    facts.look_for_cmake(context);
    if let Ok(file) = export::nested_file(context, Format::Cmake, &facts) {
        default(context, changes, env::CMAKE_TOOLCHAIN_FILE, &file.path);
        prepared.files.push(file);
    }
    Ok(())
}
