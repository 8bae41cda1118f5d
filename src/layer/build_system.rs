//! The layers of build systems: flags, and the variables of Cargo and Go.

use super::{
    changes::{Prepared, propose},
    variants::{Variant, Variants},
};
use crate::{
    call::Call,
    context::Context,
    emulator::Emulator,
    export::{self, Cargo, ExportError, FLAGS, Facts, Flags, Format, go},
};
use crossmerge_plan::{plan::Changes, report};

/// Sets the flags for make and configure.
#[inline(never)]
pub(super) fn flags(call: &Call, changes: &mut Changes) -> Result<(), ExportError> {
    put(call.context, changes, &call.facts()?.flags);
    Ok(())
}

/// Sets the flags without those that a build type sets.
#[inline(never)]
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

/// Sets the variables of Cargo and its build scripts.
#[inline(never)]
pub(super) fn cargo(call: &Call, prepared: &mut Prepared) -> Result<(), ExportError> {
    let context = call.context;
    let mut facts = call.facts()?.clone();
    facts.find_build_system_facts(context, call.gcc());
    // Without variables that name the target, the crate cc uses the caller's plain CFLAGS.
    let is_callers = |name: &str| {
        let mut callers = FLAGS
            .iter()
            .filter(|flags| context.env.get_name(flags).is_some());
        callers.any(|flags| {
            name.strip_prefix(flags)
                .is_some_and(|rest| rest.starts_with('_'))
        })
    };
    // For the crate cmake. If CMake's file cannot contain a path, the build goes on, since it may not use CMake.
    if let Ok(file) = export::nested_file(context, Format::Cmake, &facts) {
        facts.toolchain_file = Some(file.path.clone());
        prepared.files.push(file);
    }
    let set = |facts: &Facts, changes: &mut Changes| -> Result<(), ExportError> {
        for (name, value) in Cargo::of(facts)?.variables() {
            if !is_callers(&name) {
                propose(context, changes, &name, value);
            }
        }
        Ok(())
    };
    set(&facts, &mut prepared.env)?;
    // The build may not run the target's programs, so a missing emulator is not reported.
    let Ok(candidates) = facts.emulators(context) else {
        return Ok(());
    };
    if candidates.emulators.iter().any(Emulator::has_spaces) {
        report::note(
            "Cargo splits its runner at spaces, and the emulator's command contains some: `cargo run` and `cargo test` do not use it",
        );
    }
    let mut variants = Variants {
        program: Some(candidates.program),
        ..Variants::default()
    };
    for emulator in candidates.emulators {
        let mut variant = Variant::new(emulator.trial());
        facts.emulator = Some(emulator);
        set(&facts, &mut variant.env)?;
        variant
            .env
            .retain(|name, _| !prepared.env.contains_key(name));
        variants.all.push(variant);
    }
    // Without a runner in any of them, nothing depends on the trials.
    if variants.all.iter().any(|variant| !variant.env.is_empty()) {
        prepared.variants.push(variants);
    }
    Ok(())
}

/// Sets the variables of Go.
#[inline(never)]
pub(super) fn go(call: &Call, changes: &mut Changes) -> Result<(), ExportError> {
    for (name, value) in go::variables(call.facts()?)? {
        propose(call.context, changes, &name, value);
    }
    Ok(())
}
