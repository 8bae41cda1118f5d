//! `<tuple>-xkmake`: a make for the target, adapted to the tree that it builds.
//!
//! This module reads the tree first, so that the `kernel` layer sets only what the tree uses. A call that would fail or
//! do harm ends before make starts. Without a number of jobs, those of the host's MAKEOPTS are added.

use super::{Applet, error::AppletError, kernel_cache};
use crate::{
    call::Call,
    config::ToolchainKind,
    context::Context,
    export::{Gcc, tools},
    kernel::{
        KernelError,
        call::{self, MakeCall},
        config,
        tree::{self, Tree, TreeKind},
    },
    layer,
};
use crossmerge_plan::{
    env::{self, Env, Variable},
    plan::{Change, Plan},
    report,
    words::quote,
};
use crossmerge_system::search;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Decides what make does in the tree, or returns why it would fail there.
pub(crate) fn plan(applet: &Applet, call: &Call, args: Vec<OsString>) -> Result<Plan, AppletError> {
    let context = call.context;
    let command = applet.command(call, args)?;
    let flags = [env::GNUMAKEFLAGS, env::MAKEFLAGS];
    let flags = flags
        .into_iter()
        .filter_map(|variable| context.env.get(variable));
    let make = MakeCall::of(command.args(), flags);
    if make.asks_about_make {
        return applet.finish(command, call, layer::Prepared::default());
    }
    let tree = find_tree(context, &make)?;
    let in_user_space = runs_in_user_space(context, &make, &tree)?;
    let prepared = layer::apply_to_tree(applet.layers(), call, Some(&tree))?;
    let mut plan = applet.finish(command, call, prepared)?;
    if in_user_space {
        tell_of_links(context, &tree, &mut plan);
    }
    let environment = context.env.changed(&plan.env);
    if tree.kind.is_kernels() {
        check_kernel(context, &make, &tree, &environment)?;
        check_places(context, &make, &tree, &environment)?;
    } else if tree.kind == TreeKind::Other {
        check_other(context, &make, &tree, in_user_space)?;
    }
    if config::needs_compiler(&make.goals) {
        check_compiler(context, &make, &plan, &environment, in_user_space)?;
    }
    put_before_assignments(context, &make, &tree, &mut plan);
    if tree.kind != TreeKind::Other && !in_user_space && !tree.is_in_tools() {
        kernel_cache::use_ccache(context, &make, &mut plan);
    }
    if !make.has_jobs {
        plan.args.splice(0..0, jobs(context)?);
    }
    Ok(plan)
}

/// Returns whether the result runs in user space: a separate project for a tuple with a kernel, or the tools in a
/// kernel's tree.
fn runs_in_user_space(
    context: &Context,
    call: &MakeCall,
    tree: &Tree,
) -> Result<bool, AppletError> {
    Ok(match tree.kind {
        TreeKind::Linux => call.goals.iter().any(|goal| config::is_of_tools(goal)),
        TreeKind::Module => tree.is_mixed,
        TreeKind::Other => runs_kernel(context)?,
        TreeKind::UBoot | TreeKind::OpenSbi => false,
    })
}

/// Names crossmerge's symlinks instead of the toolchain's own tools, since these use the sysroot, and sets the tools'
/// variables: a `CC ?= $(CROSS_COMPILE)gcc` would keep make's own `cc`.
fn tell_of_links(context: &Context, tree: &Tree, plan: &mut Plan) {
    let tools = tools::of_target(context, Gcc::of(context).as_ref());
    // Without symlinks, the plain compiler is better than none.
    if !tools.iter().any(|tool| tool.variable == env::CC.name) {
        return;
    }
    let mut assignments = Vec::new();
    if context.env.get(env::CROSS_COMPILE).is_none() {
        assignments.push((env::CROSS_COMPILE.name, format!("{}-", context.tuple)));
    }
    let unset = tools
        .iter()
        .filter(|tool| context.env.get_name(tool.variable).is_none());
    assignments.extend(unset.map(|tool| (tool.variable, tool.name.clone())));
    // With clang, `$(CROSS_COMPILE)gcc` does not exist, and only the command line overrides `CC =
    // $(CROSS_COMPILE)gcc`.
    let is_clang = context
        .compiler()
        .is_some_and(|(kind, _)| kind == ToolchainKind::Llvm);
    let needs_words = is_clang
        && tree.kind == TreeKind::Other
        && !tree.is_in_tools()
        && !tree.knows(env::LLVM.name);
    for (name, value) in assignments {
        if needs_words && name != env::CROSS_COMPILE.name && tree.knows(name) {
            plan.args.insert(0, format!("{name}={value}").into());
        }
        plan.env.insert(name.into(), Change::Set(value.into()));
    }
    let mut path = context.path();
    for directory in tools.iter().rev().filter_map(|tool| tool.path.parent()) {
        if directory.is_absolute() && !path.iter().any(|known| known == directory) {
            path.insert(0, directory.to_owned());
        }
    }
    if let Ok(path) = std::env::join_paths(path) {
        plan.env.insert(env::PATH.name.into(), Change::Set(path));
    }
}

/// Puts variables that the Makefile would override on make's command line: an assignment in a Makefile overrides the
/// environment.
fn put_before_assignments(context: &Context, call: &MakeCall, tree: &Tree, plan: &mut Plan) {
    if !matches!(tree.kind, TreeKind::Module | TreeKind::Other) || tree.is_in_tools() {
        return;
    }
    let is_given =
        |name: &str| call.variable(name).is_some() || context.env.get_name(name).is_some();
    for variable in [env::ARCH, env::CROSS_COMPILE, env::INSTALL_MOD_PATH] {
        let Some(Change::Set(value)) = plan.env.get(OsStr::new(variable.name)) else {
            continue;
        };
        if call.variable(variable.name).is_some() || !tree.replaces(variable.name, &is_given) {
            continue;
        }
        // make expands variables on its command line.
        let mut word = OsString::from(format!("{}=", variable.name));
        let value = value.as_bytes().split(|byte| *byte == b'$');
        word.push(OsStr::from_bytes(
            &value.collect::<Vec<_>>().join(&b"$$"[..]),
        ));
        plan.args.insert(0, word);
    }
}

/// Finds the tree that make would work in.
fn find_tree(context: &Context, call: &MakeCall) -> Result<Tree, AppletError> {
    let directory = match call.directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => &call.directory,
    };
    let output = call.output(context.env.get(env::KBUILD_OUTPUT));
    let tree = Tree::at(directory, call.file.as_deref(), output).map_err(KernelError::from)?;
    Ok(tree.ok_or_else(|| KernelError::NoMakefile {
        directory: shown(directory),
        tuple: context.tuple.to_string(),
        has_kbuild: directory.join("Kbuild").is_file(),
    })?)
}

/// Checks the kernel's ARCH, and the `.config`, which make would convert for this ARCH without a warning.
fn check_kernel(
    context: &Context,
    call: &MakeCall,
    tree: &Tree,
    environment: &Env,
) -> Result<(), AppletError> {
    let tuple = context.tuple.to_string();
    let callers = given(context, call, env::ARCH);
    let Some(arch) = callers.or(environment.get(env::ARCH)) else {
        let directory = context.config.profiles_directory();
        return Err(KernelError::NoArch { tuple, directory }.into());
    };
    let (arch, is_callers) = (arch.to_string_lossy().into_owned(), callers.is_some());
    if tree.kind != TreeKind::Linux {
        // A directory of the kernel tree has lists of objects like a module's, but is built from the top.
        if !tree.calls_kbuild && !tree.is_in_tools() {
            check_is_top(tree, &tuple)?;
        }
        return Ok(());
    }
    if !tree.has_arch(&arch) {
        // The Makefile of some `arch/` directories looks like that of a whole tree.
        if let Some(top) = tree::top_above(&tree.source).map_err(KernelError::from)? {
            let directory = shown(&tree.source);
            return Err(KernelError::BelowTop {
                directory,
                top,
                tuple,
            }
            .into());
        }
        return Err(KernelError::UnknownArch {
            tree: shown(&tree.source),
            directory: tree.source_arch(&arch).into(),
            arch,
            is_callers,
        }
        .into());
    }
    if !config::is_read_by(&call.goals) {
        return Ok(());
    }
    let name = given(context, call, env::KCONFIG_CONFIG);
    let path = tree.output.join(name.unwrap_or(OsStr::new(".config")));
    match config::ConfiguredArch::read(&path).map_err(KernelError::from)? {
        Some(made) if !made.fits(&arch, tree) => Err(KernelError::OtherArch {
            config: shown(&path),
            made_for: made.arch,
            arch,
            is_callers,
            tuple,
            for_modules: builds_module(context, call),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Checks the directory for modules and images. The kernel's make splits its path at blanks, and removes the parts
/// before it writes there.
fn check_places(
    context: &Context,
    call: &MakeCall,
    tree: &Tree,
    environment: &Env,
) -> Result<(), AppletError> {
    for goal in &call.goals {
        let Some(variable) = config::place_of(goal, tree.kind) else {
            continue;
        };
        let given = call.variable(variable.name);
        let place = given.or(environment.get(variable)).unwrap_or_default();
        if !call::is_one_word(place) {
            return Err(KernelError::NotOneWord {
                place: place.into(),
                variable: variable.name,
                goal: goal.to_string_lossy().into_owned(),
                tuple: context.tuple.to_string(),
            }
            .into());
        }
        if goal == "modules_install" {
            note_new_lib(Path::new(place));
        }
    }
    Ok(())
}

/// Prints a note if make would create `/lib` in a root before the packages decide whether `/usr` is merged: they could
/// not replace the directory by a symlink.
fn note_new_lib(root: &Path) {
    let lib = root.join("lib");
    if !root.is_absolute() || lib.symlink_metadata().is_ok() {
        return;
    }
    let root = quote(root.as_os_str());
    report::note(&format!(
        "make creates `{}` as a directory; if /usr of this root will be merged, first run \
         `mkdir -p {root}/usr/lib && ln -s usr/lib {root}/lib`",
        lib.display()
    ));
}

/// Checks a directory with another Makefile: a program, firmware, a directory of a kernel tree, or a project that
/// xkmake cannot build.
fn check_other(
    context: &Context,
    call: &MakeCall,
    tree: &Tree,
    in_user_space: bool,
) -> Result<(), AppletError> {
    if tree.is_in_tools() {
        return Ok(());
    }
    let knows_prefix = tree.knows(env::CROSS_COMPILE.name);
    let directory = shown(&tree.source);
    let tuple = context.tuple.to_string();
    if !knows_prefix {
        check_is_top(tree, &tuple)?;
    }
    if in_user_space {
        if !knows_prefix {
            return Err(KernelError::NotOurs { directory, tuple }.into());
        }
        report::note(&format!(
            "`{}` is not a kernel tree, nor U-Boot's or OpenSBI's: it is built against the sysroot, as a program",
            directory.display()
        ));
    } else if !knows_prefix && call.variable("CC").is_none() {
        report::note(&format!(
            "the Makefile in `{}` does not name CROSS_COMPILE, by which alone xkmake passes it the target",
            directory.display()
        ));
    }
    Ok(())
}

/// Checks that the directory is not below the top of a kernel tree, which has to be built from the top.
fn check_is_top(tree: &Tree, tuple: &str) -> Result<(), KernelError> {
    match &tree.top {
        Some(top) => Err(KernelError::BelowTop {
            directory: shown(&tree.source),
            top: top.clone(),
            tuple: tuple.into(),
        }),
        None => Ok(()),
    }
}

/// Returns whether the target's programs run on a kernel.
fn runs_kernel(context: &Context) -> Result<bool, AppletError> {
    let target = context.target()?;
    Ok(target.kernel.is_some())
}

/// Checks that the compiler exists, unless the caller chose it.
fn check_compiler(
    context: &Context,
    call: &MakeCall,
    plan: &Plan,
    environment: &Env,
    in_user_space: bool,
) -> Result<(), AppletError> {
    let chosen = [env::CROSS_COMPILE, env::LLVM];
    if call.variable(env::CC.name).is_some()
        || chosen
            .iter()
            .any(|&variable| given(context, call, variable).is_some())
    {
        return Ok(());
    }
    // CC is the path of an existing tool, perhaps one of crossmerge's symlinks.
    let planned = plan.env.get(OsStr::new(env::CC.name));
    if in_user_space && matches!(planned, Some(Change::Set(_))) {
        return Ok(());
    }
    let compiler = match environment.get(env::LLVM) {
        Some(_) => "clang".into(),
        None => {
            let mut compiler = environment
                .get(env::CROSS_COMPILE)
                .unwrap_or_default()
                .to_owned();
            compiler.push("gcc");
            compiler
        }
    };
    match search::find_program(environment, &compiler) {
        Ok(_) => Ok(()),
        Err(_) => Err(KernelError::NoCompiler {
            compiler: compiler.to_string_lossy().into_owned(),
            tuple: context.tuple.to_string(),
            adoptable: tools::adoptable(context),
        }
        .into()),
    }
}

/// Returns whether the tree is only used to build a module outside it.
fn builds_module(context: &Context, call: &MakeCall) -> bool {
    ["M", "SUBDIRS"]
        .iter()
        .any(|name| call.variable(name).is_some())
        || given(context, call, env::KBUILD_EXTMOD).is_some()
}

/// Returns the options in the host's MAKEOPTS that set the number of jobs. Returns none without Portage.
fn jobs(context: &Context) -> Result<Vec<OsString>, AppletError> {
    let name = env::MAKEOPTS.name;
    let makeopts = match context.env.get(env::MAKEOPTS) {
        Some(makeopts) => Some(makeopts.to_owned()),
        None => {
            let settings = context.host_settings(&[name])?;
            settings
                .and_then(|mut settings| settings.remove(name))
                .map(Into::into)
        }
    };
    Ok(makeopts.map_or(Vec::new(), |makeopts| call::jobs_of(&makeopts)))
}

/// Returns the caller's value of a variable: on this command line, else in the environment.
fn given<'a>(context: &'a Context, call: &'a MakeCall, variable: Variable) -> Option<&'a OsStr> {
    call.variable(variable.name).or(context.env.get(variable))
}

/// Returns a path in the form that works from any directory.
fn shown(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
