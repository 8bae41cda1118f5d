//! A per-namespace binfmt_misc: the target's programs run under QEMU in it, and the host's rules are not changed.
//!
//! Since Linux 6.7 each user namespace can have its own binfmt_misc (Documentation/admin-guide/binfmt-misc.rst),
//! which root of the namespace may fill. This module decides the steps that set one up; `exec/enter.rs` performs
//! them. The caller's ids stay visible: root keeps every id, so that Portage can chown and change its user; an
//! ordinary user enters a second user namespace, in which they have their own id again.
//!
//! The new binfmt_misc hides the host's. So the host's rules for other files (Java, Wine, another CPU) are copied
//! unchanged, after crossmerge's. A rule whose interpreter cannot be opened is omitted.

pub use super::namespaces::NamespaceError;
use super::{
    binfmt::preserves_argv0,
    native::{self, Native},
    programs,
    rule::{self, Rule},
    surroundings::Surroundings,
    version,
};
use crate::{config::ConfigError, context::Context, target};
use crossmerge_plan::plan::{
    Plan,
    step::{BINFMT_MISC, Mount, Namespaces, Step},
};
use crossmerge_system::{elf, exec};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// A rule with its QEMU and flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedRule {
    rule: Rule,
    qemu: PathBuf,
    flags: &'static str,
}

/// Returns the steps into namespaces in which the target's programs run. Returns no steps if the kernel is known to run
/// them natively.
///
/// Only an attempt shows whether the kernel allows them: see [`try_steps`].
pub fn steps(context: &Context) -> Result<Vec<Step>, NamespaceError> {
    let (qemu, rules) = rules_of(context)?;
    let is_native = |rule: &Rule| Native::of(&rules, &rule.magic) == Native::Yes;
    match rules
        .iter()
        .any(|rule| rule.qemu == qemu && is_native(rule))
    {
        true => Ok(Vec::new()),
        false => steps_for(context, &qemu),
    }
}

/// Returns these steps, or none if a trial shows that the kernel runs the target's programs. Not for plans.
pub(crate) fn tried_steps(context: &Context) -> Result<Vec<Step>, NamespaceError> {
    let (qemu, rules) = rules_of(context)?;
    let mut own = rules.iter().filter(|rule| rule.qemu == qemu);
    match own.any(|rule| native::runs(&rule.magic)) {
        true => Ok(Vec::new()),
        false => steps_for(context, &qemu),
    }
}

/// Returns QEMU's name for the target, and all rules.
fn rules_of(context: &Context) -> Result<(String, Vec<Rule>), NamespaceError> {
    let target = context.config.facts(&context.tuple)?;
    let qemu = target
        .qemu
        .ok_or_else(|| NamespaceError::NotEmulated(context.tuple.to_string()))?;
    Ok((qemu, rule::all(&context.config)?))
}

fn steps_for(context: &Context, qemu: &str) -> Result<Vec<Step>, NamespaceError> {
    let served = served(context, qemu, |_| true)?;
    let surroundings = Surroundings::read();
    surroundings.check_table()?;
    let mut steps = vec![Step::Namespaces(Namespaces {
        users: Some(surroundings.own_users()?),
        processes: false,
    })];
    steps.extend(table(&served, true));
    steps.extend(surroundings.own_again().map(Step::Users));
    Ok(steps)
}

/// Performs the steps in a child process, and returns the error if one fails.
pub fn try_steps(context: &Context, steps: &[Step]) -> Result<(), NamespaceError> {
    let failed = |why: String| NamespaceError::DoesNotWork(why);
    let plan = Plan {
        program: context
            .find_program(OsStr::new("true"))
            .map_err(|e| failed(e.to_string()))?,
        enter: steps.to_vec(),
        ..Plan::default()
    };
    let output = exec::ask(&plan).map_err(|e| failed(e.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let first = errors.lines().find_map(|line| line.split_once(": error: "));
            Err(failed(first.map_or(errors.trim(), |(_, why)| why).into()))
        }
    }
}

/// Returns the rules to register: that of the target's QEMU, and those of its family whose QEMUs are installed. A
/// root may contain programs for the family's other CPUs. Rules for what the kernel is known to run natively are
/// omitted.
///
/// `may_serve` chooses among several QEMUs of the same name.
pub(super) fn served(
    context: &Context,
    qemu: &str,
    may_serve: impl Fn(&Path) -> bool,
) -> Result<Vec<ServedRule>, NamespaceError> {
    let families = context.config.families()?;
    let mut rules: Vec<Rule> = Vec::new();
    for family in &families {
        let kinds = target::elf_kinds(std::slice::from_ref(family)).map_err(ConfigError::from)?;
        if kinds.iter().any(|kind| kind.qemu == qemu) {
            rules.extend(kinds.iter().map(Rule::from));
        }
    }
    let all = rules.clone();
    let mut served = Vec::new();
    for rule in rules {
        let is_wanted = rule.qemu == qemu;
        if served.iter().any(|served: &ServedRule| served.rule == rule)
            || (!is_wanted && Native::of(&all, &rule.magic) == Native::Yes)
        {
            continue;
        }
        let programs = programs(&context.env, &rule.qemu);
        match programs.iter().find(|path| may_serve(path)) {
            Some(program) => served.push(ServedRule {
                rule,
                qemu: program.clone(),
                flags: flags(program),
            }),
            None if !is_wanted => {}
            None => {
                let qemu = qemu.to_owned();
                return Err(match programs.into_iter().next() {
                    Some(path) => NamespaceError::DynamicQemu { path, qemu },
                    None => NamespaceError::NoQemu(qemu),
                });
            }
        }
    }
    Ok(served)
}

/// Returns whether a QEMU works without its libraries.
pub(super) fn is_static(qemu: &Path) -> bool {
    elf::interpreter(qemu).is_ok_and(|interpreter| interpreter.is_none())
}

/// Returns the flags of a rule. `F`: the kernel opens QEMU when the rule is registered, so it works in every root.
/// `P`: a program sees the name by which it was called, if QEMU supports that. Not `C`: a setuid program would run
/// QEMU with its owner's rights.
fn flags(qemu: &Path) -> &'static str {
    match preserves_argv0(version::of_file(qemu)) {
        true => "PF",
        false => "F",
    }
}

/// Returns the steps that register the rules, from inside the namespaces.
pub(super) fn table(served: &[ServedRule], with_host_rules: bool) -> Vec<Step> {
    let ours: Vec<String> = served.iter().map(|served| served.rule.name()).collect();
    // A program can open its QEMU as `/proc/self/exe`, perhaps for writing.
    let mut qemus: Vec<PathBuf> = Vec::new();
    for served in served {
        let qemu = &served.qemu;
        let qemu = qemu.canonicalize().unwrap_or_else(|_| qemu.clone());
        if !qemus.contains(&qemu) {
            qemus.push(qemu);
        }
    }
    let mut steps: Vec<Step> = qemus
        .iter()
        .map(|qemu| Step::Mount(Mount::file_to_read(qemu)))
        .collect();
    steps.push(Step::Mount(Mount::new("binfmt_misc", "", BINFMT_MISC)));
    if with_host_rules {
        let lines = host_rules(Path::new(BINFMT_MISC), &ours);
        steps.extend(lines.into_iter().map(|line| Step::Register {
            line,
            optional: true,
        }));
    }
    // If two rules match, the kernel uses the later one.
    steps.extend(served.iter().map(|served| Step::Register {
        line: OsString::from_vec(served.rule.registration(&served.qemu, served.flags)),
        optional: false,
    }));
    steps
}

/// Returns the host's enabled rules with other names than crossmerge's, as lines to register.
fn host_rules(directory: &Path, ours: &[String]) -> Vec<OsString> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut lines: Vec<OsString> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_ours = ["register", "status"].contains(&name.as_str()) || ours.contains(&name);
            let text = (!is_ours).then(|| std::fs::read_to_string(entry.path()).ok())??;
            registration(&name, &text)
        })
        .collect();
    lines.sort();
    lines
}

/// Returns the line that registers a rule again, from the kernel's text of its entry. Returns `None` if the rule is
/// disabled.
fn registration(name: &str, text: &str) -> Option<OsString> {
    let mut lines = text.lines();
    if lines.next()? != "enabled" {
        return None;
    }
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(' ')).collect();
    let field = |key: &str| {
        fields
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    };
    let interpreter = field("interpreter")?;
    let flags = field("flags:").unwrap_or_default();
    let bytes = |hex: &str| -> String {
        let pairs = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair));
        pairs.map(|pair| format!("\\x{pair}")).collect()
    };
    let fields = match (field("magic"), field("extension")) {
        (Some(magic), _) => [
            "M".to_owned(),
            field("offset").unwrap_or_default().to_owned(),
            bytes(magic),
            field("mask").map_or(String::new(), bytes),
        ],
        (None, extension) => [
            "E".to_owned(),
            String::new(),
            extension?.trim_start_matches('.').to_owned(),
            String::new(),
        ],
    };
    let parts = [
        &[name.to_owned()],
        &fields[..],
        &[interpreter.to_owned(), flags.to_owned()],
    ]
    .concat();
    let separator = [':', '|', ',', ';', '!'];
    let separator = separator
        .iter()
        .find(|mark| !parts.iter().any(|part| part.contains(**mark)))?;
    let line: String = parts
        .iter()
        .map(|part| format!("{separator}{part}"))
        .collect();
    Some(line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_the_host_is_registered_as_the_kernel_prints_it() {
        for (name, text, line) in [
            (
                "jar",
                "enabled\ninterpreter /usr/bin/jexec\nflags: \noffset 0\nmagic 504b0304\n",
                Some(":jar:M:0:\\x50\\x4b\\x03\\x04::/usr/bin/jexec:"),
            ),
            (
                "wine",
                "enabled\ninterpreter /opt/a:b/wine\nflags: PF\nextension .exe\n",
                Some("|wine|E||exe||/opt/a:b/wine|PF"),
            ),
            (
                "arm",
                "enabled\ninterpreter /q\nflags: OCF\noffset 4\nmagic 0102\nmask ff00\n",
                Some(":arm:M:4:\\x01\\x02:\\xff\\x00:/q:OCF"),
            ),
            (
                "off",
                "disabled\ninterpreter /q\nflags: \nextension .x\n",
                None,
            ),
        ] {
            assert_eq!(
                registration(name, text).as_deref(),
                line.map(OsStr::new),
                "{text}"
            );
        }
    }
}
