//! `<tuple>-run program args…`: runs a program of the target under the QEMU that its ELF header needs.
//!
//! The tuple only decides where the libraries are and which CPU model is configured. A program that the kernel runs
//! natively is exec'd directly. A script runs with the target's interpreter if the target has it.

mod error;
mod roots;

use super::{
    content::Content,
    native::{self, Native},
    option, programs,
    rule::{self, Rule},
    variables,
};
use crate::context::Context;
use crossmerge_plan::{
    env,
    plan::{Alternative, Choice, Plan},
};
use crossmerge_system::{
    elf,
    script::{self, Script},
};
pub use error::RunError;
use roots::{InterpreterLocation, Roots};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Decides what `<tuple>-run args…` runs.
pub fn plan(context: &Context, mut args: Vec<OsString>) -> Result<Plan, RunError> {
    if args.is_empty() {
        return Err(RunError::NoProgram {
            tuple: context.tuple.to_string(),
        });
    }
    let roots = Roots::of(context)?;
    let tuple = || context.tuple.to_string();
    let mut argv0 = args.remove(0);
    let mut file = roots.find(&argv0, &tuple)?;
    let mut header = head(&file)?;
    let mut depth = 0;
    while let Some(script) = Script::of(&header) {
        depth += 1;
        if depth > script::DEPTH_MAX {
            return Err(RunError::TooManyScripts(file));
        }
        let Script {
            interpreter,
            argument,
        } = script;
        let found = match roots.interpreter(&interpreter) {
            InterpreterLocation::OfTarget(found) => found,
            // If the target does not have the interpreter, the host's runs the script, as the kernel finds it.
            InterpreterLocation::OfHost => return Ok(native_plan(context, &roots, file, args)),
            InterpreterLocation::NotExecutable(found) => {
                return Err(RunError::InterpreterNotExecutable {
                    path: file,
                    interpreter,
                    found,
                });
            }
            InterpreterLocation::Missing => {
                return Err(RunError::NoInterpreter {
                    path: file,
                    interpreter,
                    root: roots.sysroot().into(),
                });
            }
        };
        args.insert(0, file.into());
        args.splice(0..0, argument);
        argv0 = interpreter.into();
        file = found;
        header = head(&file)?;
    }
    let Some(kind) = elf::ElfHeader::of(&header) else {
        return Err(RunError::NoElf {
            content: Content::of(&file, &header),
            path: file,
            tuple: tuple(),
        });
    };
    if !kind.is_program() {
        return Err(RunError::NoProgramType {
            content: Content::of(&file, &header),
            path: file,
            kind: kind.elf_type,
            tuple: tuple(),
        });
    }
    let unreadable = |source| RunError::Unreadable {
        path: file.clone(),
        source,
    };
    let linker = elf::interpreter(&file).map_err(unreadable)?;
    // A native program for a libc that the host lacks can still run under the QEMU of the host's own CPU.
    let has_linker = linker.as_ref().is_none_or(|linker| linker.exists());
    if native::is_own_kind(&header) && has_linker {
        return Ok(native_plan(context, &roots, file, args));
    }
    let rules = rule::all(&context.config)?;
    let native = Native::of(&rules, &header);
    if native == Native::Yes && has_linker {
        return Ok(native_plan(context, &roots, file, args));
    }
    let may_be_native = native != Native::No;
    let Some(rule) = rule::of_header(&rules, &header) else {
        // If the kernel does not run it either, its error states that.
        if may_be_native {
            return Ok(native_plan(context, &roots, file, args));
        }
        return Err(RunError::NoEmulation {
            machine: kind.machine,
            bits: kind.bits,
            path: file,
        });
    };
    let mut qemus = programs(&context.env, &rule.qemu).into_iter();
    let Some(program) = qemus.next() else {
        if may_be_native {
            return Ok(native_plan(context, &roots, file, args));
        }
        return Err(RunError::NoQemu {
            qemu: rule.qemu.clone(),
            tuple: context.tuple.to_string(),
            is_of_target: is_of_target(context, rule),
            path: file,
        });
    };
    let prefix = roots.prefix_of(context, &file);
    if let Some(linker) = linker.filter(|linker| !has_linker && !exists_below(&prefix, linker)) {
        return Err(RunError::NoLinker {
            path: file,
            root: prefix,
            linker,
            tuple: context.tuple.to_string(),
            is_of_target: is_of_target(context, rule),
            from_environment: context.env.get(env::QEMU_LD_PREFIX).is_some(),
        });
    }
    // The configured CPU model is one of the target's CPU.
    let cpu = match &context.settings.cpu {
        Some(cpu) if is_of_target(context, rule) => Some(cpu),
        _ => None,
    };
    let choice = (may_be_native && has_linker).then(|| {
        let alternative = Alternative {
            trial: native::trial(rule, &header),
            plan: native_plan(context, &roots, file.clone(), args.clone()),
        };
        Box::new(Choice {
            program: None,
            alternatives: vec![alternative],
            note: None,
        })
    });
    let mut words = option(context, &prefix, Vec::new());
    words.extend([OsString::from("-0"), argv0, file.into()]);
    words.extend(args);
    Ok(Plan {
        program,
        args: words,
        env: variables(context, &prefix, cpu),
        choice,
        ..Plan::default()
    })
}

/// Returns the plan for a file that the kernel runs natively. The target's programs that it starts may still run
/// under QEMU by the kernel's rules.
fn native_plan(context: &Context, roots: &Roots, file: PathBuf, args: Vec<OsString>) -> Plan {
    Plan {
        env: variables(
            context,
            &roots.prefix_of(context, &file),
            context.settings.cpu.as_ref(),
        ),
        program: file,
        args,
        ..Plan::default()
    }
}

/// Returns whether the rule matches what the target's compiler makes. If nothing is known about the tuple, any rule
/// may.
fn is_of_target(context: &Context, rule: &Rule) -> bool {
    let target = context.config.facts(&context.tuple);
    target.map_or(true, |target| rule.is_of(&target))
}

/// Returns whether QEMU finds a path of the target below the prefix. QEMU follows symlinks as the host does.
fn exists_below(prefix: &Path, path: &Path) -> bool {
    path.strip_prefix("/")
        .is_ok_and(|path| prefix.join(path).exists())
}

fn head(file: &Path) -> Result<Vec<u8>, RunError> {
    elf::head(file).map_err(|source| RunError::Unreadable {
        path: file.into(),
        source,
    })
}

/// Returns what `<tuple>-run --help` prints.
pub fn help(name: &OsStr) -> String {
    let name = name.display();
    format!(
        "\
Run a program of the target, under the QEMU that its ELF header selects

Usage: {name} program [arguments…]

  {name} ./hello          a file of the host: a path with a slash in it
  {name} bash -c 'echo 1' a program of the target, by its name: below ROOT, then below the sysroot

A script runs with the target's interpreter, if the target has it. What the host's kernel runs itself is left to it.
QEMU_LD_PREFIX and QEMU_CPU of the environment are kept; with an adopted toolchain, LD_LIBRARY_PATH gets the
target's library directories. `crossmerge plan <tuple> run …` prints the command.
"
    )
}
