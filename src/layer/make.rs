//! The `make` layer: variables that makefiles and scripts without a build system use beside the tools' own. They are
//! those of Yocto's `environment-setup`, so that a project written for that works here too.

use super::changes::{Prepared, default, propose};
use crate::{
    call::Call,
    export::{self, ExportError, Format, ReadBy},
};
use crossmerge_plan::env;

/// The variables of this layer, except those of tools.
pub(super) const NAMES: [&str; 5] = [
    env::CROSS_COMPILE.name,
    env::CONFIGURE_FLAGS.name,
    env::SDKTARGETSYSROOT.name,
    env::CMAKE_TOOLCHAIN_FILE.name,
    env::CBUILD.name,
];

/// Sets the prefix of the tools (for a makefile's `CC = $(CROSS_COMPILE)gcc`), the options of a configure script, the
/// sysroot, and a toolchain file for a cmake that is started without one.
#[inline(never)]
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
    // If CMake's file cannot contain a path, the build goes on, since it may not use CMake.
    facts.find_cmake_facts(context);
    if let Ok(file) = export::nested_file(context, Format::Cmake, &facts) {
        default(context, changes, env::CMAKE_TOOLCHAIN_FILE, &file.path);
        prepared.files.push(file);
    }
    Ok(())
}
