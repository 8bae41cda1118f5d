//! How far a toolchain has been built: by its installed packages, however they were built.

use super::error::PackError;
use crate::toolchain::{class::Part, gcc_stage::GccStage};
use crossmerge_plan::tuple::Tuple;
use std::collections::BTreeSet;

/// The stages by their numbers: the value of `--stage`, and what exists then.
pub(super) const STAGES: [(&str, &str); 5] = [
    ("binutils", "an assembler and a linker"),
    ("c", "a C compiler without a libc"),
    ("headers", "the kernel's headers"),
    ("libc", "a libc"),
    ("full", "a compiler with a libc"),
];

/// Returns the last stage that is complete. `None` without an assembler.
pub(super) fn stage(
    parts: &BTreeSet<Part>,
    headers_only: bool,
    gcc: Option<GccStage>,
    llvm: bool,
) -> Option<u8> {
    let has = |part| parts.contains(&part);
    let reached: [bool; 5] = match llvm {
        false => [
            has(Part::Binutils),
            gcc.is_some(),
            has(Part::Kernel) || has(Part::Libc),
            has(Part::Libc) && !headers_only,
            gcc == Some(GccStage::Last),
        ],
        true => [
            has(Part::Ccw),
            has(Part::Crt),
            has(Part::Kernel),
            has(Part::Libc) && !headers_only,
            has(Part::Libcxx),
        ],
    };
    let complete = reached.iter().take_while(|is_reached| **is_reached).count();
    // A compiler for a target without kernel and libc headers can be complete without them.
    let complete = match reached[4] && has(Part::Gcc) && !has(Part::Libc) {
        true => 2,
        false => complete,
    };
    u8::try_from(complete).ok()?.checked_sub(1)
}

/// Checks that a toolchain has reached a stage.
pub(super) fn check(tuple: &Tuple, reached: Option<u8>, wanted: u8) -> Result<(), PackError> {
    if reached.is_some_and(|reached| reached >= wanted) {
        return Ok(());
    }
    let next = usize::from(reached.map_or(0, |reached| reached + 1));
    Err(PackError::Unfinished {
        tuple: tuple.clone(),
        reached: reached.map_or("no assembler", |reached| STAGES[usize::from(reached)].1),
        lacks: STAGES[next.min(4)].1,
        stage: reached.map(|reached| STAGES[usize::from(reached)].0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_reached_with_all_before_it() {
        let parts = |parts: &[Part]| parts.iter().copied().collect::<BTreeSet<_>>();
        let stage_of = |has: &[Part], gcc| stage(&parts(has), false, gcc, false);
        assert_eq!(stage_of(&[], None), None);
        assert_eq!(stage_of(&[Part::Binutils], None), Some(0));
        let first = Some(GccStage::First);
        let all = [Part::Binutils, Part::Gcc, Part::Kernel, Part::Libc];
        assert_eq!(stage_of(&all[..2], first), Some(1));
        assert_eq!(stage_of(&all[..3], first), Some(2));
        assert_eq!(stage_of(&all, first), Some(3));
        assert_eq!(stage(&parts(&all), true, first, false), Some(2));
        assert_eq!(stage_of(&all, Some(GccStage::Last)), Some(4));
    }
}
