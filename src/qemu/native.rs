//! Which programs the kernel runs itself, without QEMU.
//!
//! A kernel runs programs of its own CPU, and many also run those of a related one: 32-bit programs, if it is
//! configured so. The profiles name the relations. No interface lists what a kernel supports, so where no file shows it
//! either, only a trial does: plans contain it as an alternative, commands carry it out.

use super::{
    binfmt::table,
    rule::{self, Rule},
};
use crossmerge_plan::plan::Trial;
use crossmerge_system::{
    elf::{self, ElfHeader},
    exec::native::kernel_runs,
};
use std::path::Path;

/// Whether the kernel itself runs a kind of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    /// It does.
    Yes,
    /// It does not, or a rule of binfmt_misc comes first.
    No,
    /// Only a trial shows it.
    ByTrial,
}

impl Native {
    /// Decides by the ELF header of a program, and by files that show what the kernel supports. Starts nothing.
    pub(crate) fn of(rules: &[Rule], header: &[u8]) -> Self {
        let own = own_header();
        if is_same_kind(&own, header) {
            return Self::Yes;
        }
        let (Some(ours), Some(theirs)) = (ElfHeader::of(&own), ElfHeader::of(header)) else {
            return Self::No;
        };
        let relations = [(header, ours), (&own, theirs)];
        let mut related = relations.iter().filter_map(|(header, other)| {
            rule::of_header(rules, header).filter(|rule| rule.native_on == Some(other.machine))
        });
        let related = related.next();
        let is_related =
            own[5] == header[5] && (related.is_some() || ours.machine == theirs.machine);
        if !is_related || has_rule(header) {
            return Self::No;
        }
        match related.and_then(|rule| rule.native_if.as_ref()) {
            Some(file) if file.exists() => Self::Yes,
            Some(_) => Self::No,
            None => Self::ByTrial,
        }
    }
}

/// Returns whether programs with this header are of the CPU that crossmerge itself is for.
pub(crate) fn is_own_kind(header: &[u8]) -> bool {
    is_same_kind(&own_header(), header)
}

/// Returns whether the kernel runs programs with such a header. Carries out the trial, so it is not for plans.
pub(crate) fn runs(header: &[u8]) -> bool {
    is_own_kind(header) || kernel_runs(header)
}

/// Returns the trial of whether the kernel runs the programs of a rule.
pub(crate) fn trial(rule: &Rule, header: &[u8]) -> Trial {
    Trial::Kernel {
        rule: rule.name(),
        header: header.into(),
    }
}

fn own_header() -> Vec<u8> {
    elf::head(Path::new("/proc/self/exe")).unwrap_or_default()
}

/// Compares class, byte order and machine.
fn is_same_kind(a: &[u8], b: &[u8]) -> bool {
    a.len() >= 20 && b.len() >= 20 && a[..6] == b[..6] && a[18..20] == b[18..20]
}

/// Returns whether binfmt_misc has an enabled rule for such programs, which the kernel applies first.
fn has_rule(header: &[u8]) -> bool {
    let mut header = header.to_vec();
    header.resize(elf::HEADER_LEN.max(header.len()), 0);
    let entries = table::read().ok().flatten().unwrap_or_default();
    entries
        .iter()
        .any(|entry| entry.is_enabled && entry.takes(&header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{self, Source};

    #[test]
    fn the_kernel_runs_its_own_cpu_and_perhaps_a_related_one() {
        let families: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        let kinds = target::elf_kinds(&families).expect("built in");
        let rules: Vec<Rule> = kinds.iter().map(Rule::from).collect();
        let own = own_header();
        assert_eq!(Native::of(&rules, &own), Native::Yes);
        let own_rule = rule::of_header(&rules, &own).expect("a rule");
        for rule in &rules {
            let is_related = [&rule.native_on, &own_rule.native_on]
                .iter()
                .any(|on| on.is_some())
                || rule.magic[18..20] == own[18..20];
            if !is_related {
                assert_eq!(Native::of(&rules, &rule.magic), Native::No, "{}", rule.qemu);
            }
        }
        assert_eq!(Native::of(&rules, b"#!/bin/sh\n"), Native::No);
    }
}
