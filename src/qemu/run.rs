//! `<tuple>-run program args…`: runs a program of the target under the QEMU that its ELF header needs.
//!
//! The tuple only decides where the libraries are and which CPU model is configured. A program that the kernel runs
//! natively is exec'd directly. A script runs with the target's interpreter if the target has it.

mod error;
pub mod libc;
mod roots;

use super::{
    content::Content,
    native::{self, Native},
    option, programs,
    rule::{self, Rule},
    variables,
};
use crate::{config::ToolchainKind, context::Context};
use crossmerge_plan::{
    env,
    plan::{Alternative, Choice, Plan},
};
use crossmerge_system::{
    elf::{self, ElfHeader},
    script::{self, Script},
};
pub use error::RunError;
use roots::{InterpreterLocation, Roots};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// A program file, and how the kernel starts it.
struct Program {
    argv0: OsString,
    file: PathBuf,
    /// The beginning of the file.
    header: Vec<u8>,
    /// The arguments after `argv0`.
    args: Vec<OsString>,
}

/// What the kernel starts for a file.
enum Started {
    /// A program: the file itself, or the interpreter of a script.
    Program(Program),
    /// A script whose interpreter the target does not have, but the host does.
    HostScript { file: PathBuf, args: Vec<OsString> },
}

/// Decides what `<tuple>-run args…` runs.
pub fn plan(context: &Context, args: Vec<OsString>) -> Result<Plan, RunError> {
    let tuple = || context.tuple.to_string();
    if args.is_empty() {
        return Err(RunError::NoProgram { tuple: tuple() });
    }
    let roots = Roots::of(context)?;
    let program = match follow_scripts(&roots, args, &tuple)? {
        Started::Program(program) => program,
        // The host's interpreter runs the script, as the kernel finds it.
        Started::HostScript { file, args } => return Ok(native_plan(context, &roots, file, args)),
    };
    let header = check_type(&program, &tuple)?;
    let Program { file, args, .. } = &program;
    let native_plan = || native_plan(context, &roots, file.clone(), args.clone());
    let linker = elf::interpreter(file).map_err(|source| RunError::Unreadable {
        path: file.clone(),
        source,
    })?;
    let missing_linker = linker.filter(|linker| !linker.exists());
    // A native program for a libc that the host lacks can still run under the QEMU of the host's own CPU.
    let has_linker = missing_linker.is_none();
    if native::is_own_kind(&program.header) && has_linker {
        return Ok(native_plan());
    }
    let rules = rule::all(&context.config)?;
    let native = Native::of(&rules, &program.header);
    if native == Native::Yes && has_linker {
        return Ok(native_plan());
    }
    let may_be_native = native != Native::No;
    let (rule, qemu) = match find_qemu(context, &rules, &program, header) {
        Ok(found) => found,
        // If the kernel does not run it either, its error states that.
        Err(_) if may_be_native => return Ok(native_plan()),
        Err(e) => return Err(e),
    };
    let prefix = roots.prefix_of(context, file);
    if let Some(linker) = missing_linker.filter(|linker| !exists_below(&prefix, linker)) {
        return Err(RunError::NoLinker {
            path: program.file,
            root: prefix,
            linker,
            tuple: tuple(),
            is_of_target: is_of_target(context, rule),
            from_environment: context.env.get(env::QEMU_LD_PREFIX).is_some(),
            is_zigs: context
                .compiler()
                .is_some_and(|(kind, _)| kind == ToolchainKind::Zig),
        });
    }
    let alternative = (may_be_native && has_linker).then(|| Alternative {
        trial: native::trial(rule, &program.header),
        plan: native_plan(),
    });
    // The configured CPU model is one of the target's CPU.
    let cpu = match &context.settings.cpu {
        Some(cpu) if is_of_target(context, rule) => Some(cpu),
        _ => None,
    };
    Ok(Plan {
        program: qemu,
        args: qemu_args(context, &prefix, program),
        env: variables(context, &prefix, cpu),
        choice: alternative.map(|alternative| {
            Box::new(Choice {
                program: None,
                alternatives: vec![alternative],
                note: None,
            })
        }),
        ..Plan::default()
    })
}

/// Finds the file that the first argument names, and follows scripts to their interpreters.
fn follow_scripts(
    roots: &Roots,
    mut args: Vec<OsString>,
    tuple: &dyn Fn() -> String,
) -> Result<Started, RunError> {
    let mut argv0 = args.remove(0);
    let mut file = roots.find(&argv0, tuple)?;
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
            InterpreterLocation::OfHost => return Ok(Started::HostScript { file, args }),
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
    Ok(Started::Program(Program {
        argv0,
        file,
        header,
        args,
    }))
}

/// Checks that the file is an ELF program, and returns its header.
fn check_type(program: &Program, tuple: &dyn Fn() -> String) -> Result<ElfHeader, RunError> {
    let Program { file, header, .. } = program;
    let Some(elf) = ElfHeader::of(header) else {
        return Err(RunError::NoElf {
            content: Content::of(file, header),
            path: file.clone(),
            tuple: tuple(),
        });
    };
    match elf.is_program() {
        true => Ok(elf),
        false => Err(RunError::NoProgramType {
            content: Content::of(file, header),
            path: file.clone(),
            kind: elf.elf_type,
            tuple: tuple(),
        }),
    }
}

/// Finds the rule for a program, and the QEMU that the rule names.
fn find_qemu<'r>(
    context: &Context,
    rules: &'r [Rule],
    program: &Program,
    header: ElfHeader,
) -> Result<(&'r Rule, PathBuf), RunError> {
    let Some(rule) = rule::of_header(rules, &program.header) else {
        return Err(RunError::NoEmulation {
            machine: header.machine,
            bits: header.bits,
            path: program.file.clone(),
        });
    };
    match programs(&context.env, &rule.qemu).into_iter().next() {
        Some(qemu) => Ok((rule, qemu)),
        None => Err(RunError::NoQemu {
            qemu: rule.qemu.clone(),
            tuple: context.tuple.to_string(),
            is_of_target: is_of_target(context, rule),
            path: program.file.clone(),
        }),
    }
}

/// Returns the arguments of QEMU that run a program.
fn qemu_args(context: &Context, prefix: &Path, program: Program) -> Vec<OsString> {
    let mut args = option(context, prefix, Vec::new());
    args.extend(["-0".into(), program.argv0, program.file.into()]);
    args.extend(program.args);
    args
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
