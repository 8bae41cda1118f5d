//! The layers of build systems: flags, and what Cargo and Go are told.

use super::changes::{Prepared, propose};
use crate::{
    call::Call,
    context::Context,
    emulator::Emulator,
    export,
    export::{Cargo, ExportError, FLAGS, Flags, Format, go},
};
use crossmerge_plan::{plan::Changes, report};

/// The flags as they are, for make and configure.
pub(super) fn flags(call: &Call, changes: &mut Changes) -> Result<(), ExportError> {
    put(call.context, changes, &call.facts()?.flags);
    Ok(())
}

/// The flags that a build type leaves open.
pub(super) fn build_type_flags(call: &Call, changes: &mut Changes) -> Result<(), ExportError> {
    let flags = call.facts()?.flags.without_build_type();
    put(call.context, changes, &flags);
    Ok(())
}

fn put(context: &Context, changes: &mut Changes, flags: &Flags) {
    for (name, value) in flags.iter() {
        propose(context, changes, name, value);
    }
}

/// What Cargo and its build scripts ask for.
pub(super) fn cargo(call: &Call, prepared: &mut Prepared) -> Result<(), ExportError> {
    let context = call.context;
    let mut facts = call.facts()?.clone();
    facts.look_further(context, call.gcc());
    // Whether a program of the target's will be run is not known here, so a missing emulator is not told.
    facts.find_emulator(context);
    if facts.emulator.as_ref().is_some_and(Emulator::has_spaces) {
        report::note(
            "Cargo splits its runner at spaces, and the emulator's words have some: `cargo run` and `cargo test` go without it",
        );
    }
    // The crate cc falls back to the caller's plain CFLAGS where there are none with the target's name.
    let is_callers = |name: &str| {
        let mut callers = FLAGS
            .iter()
            .filter(|flags| context.env.get_name(flags).is_some());
        callers.any(|flags| {
            name.strip_prefix(flags)
                .is_some_and(|rest| rest.starts_with('_'))
        })
    };
    // For the crate cmake. A path that CMake's file cannot hold is no reason to refuse a crate that may not ask for
    // CMake.
    if let Ok(file) = export::nested_file(context, Format::Cmake, &facts) {
        facts.toolchain_file = Some(file.path.clone());
        prepared.files.push(file);
    }
    for (name, value) in Cargo::of(&facts)?.variables() {
        if !is_callers(&name) {
            propose(context, &mut prepared.env, &name, value);
        }
    }
    Ok(())
}

/// What Go asks for.
pub(super) fn go(call: &Call, changes: &mut Changes) -> Result<(), ExportError> {
    for (name, value) in go::variables(call.facts()?)? {
        propose(call.context, changes, &name, value);
    }
    Ok(())
}
