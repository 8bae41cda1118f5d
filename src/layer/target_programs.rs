//! The `target-programs` layer: namespaces in which the kernel hands the target's programs to QEMU, so that pkg_postinst
//! can run what it has just merged.

use super::{
    changes::Prepared,
    variants::{Variant, Variants},
};
use crate::{call::Call, site_cache};
use crossmerge_plan::plan::Trial;

/// Adds the namespaces, if the target's file asks for them. Without an emulator that works, the plan stays as it is, and
/// a note gives the reason.
#[inline(never)]
pub(super) fn target_programs(call: &Call, prepared: &mut Prepared) {
    let Some(emulation) = site_cache::target_programs(call) else {
        return;
    };
    let variant = |trial: Trial| match trial.clone() {
        Trial::Program { env, enter, .. } => Variant {
            env,
            enter,
            ..Variant::new(trial)
        },
        Trial::Kernel { .. } => Variant::new(trial),
    };
    prepared.variants.push(Variants {
        program: Some(emulation.program),
        all: emulation.trials.into_iter().map(variant).collect(),
        note: Some(emulation.note),
    });
}
