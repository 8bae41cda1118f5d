//! `<tuple>-xkmake`: a make that knows the target, fitted to the tree that it is called for.
//!
//! The plan comes from the wrapper: make with all that the `kernel` layer says. Here the tree is looked at: what it does not
//! know is taken out again, a call that would go wrong ends before make starts, and the jobs of the machine's MAKEOPTS are
//! added where nobody says how many there are.

use super::AppletError;
use crate::{
    context::Context,
    env::{self, Variable},
    export::{FLAGS, tools},
    kernel::{
        KernelError,
        call::{self, Call},
        config,
        tree::{self, Kind, Tree},
    },
    plan::{Change, Plan},
};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Fits the plan to the tree, or says why make would go wrong there.
pub(super) fn fit(context: &Context, mut plan: Plan) -> Result<Plan, AppletError> {
    let environment = &context.env;
    let flags = [env::GNUMAKEFLAGS, env::MAKEFLAGS];
    let flags = flags
        .into_iter()
        .filter_map(|variable| environment.get(variable));
    let call = Call::of(&plan.args, flags);
    if call.asks_about_make {
        plan.env.clear();
        return Ok(plan);
    }
    let tree = find_tree(context, &call)?;
    take_out_unknown(&tree, &mut plan);
    if tree.kind.is_kernels() {
        check_kernel(context, &call, &tree, &plan)?;
        check_places(context, &call, &tree, &plan)?;
    } else if tree.kind == Kind::Other {
        check_other(context, &call, &tree)?;
    }
    if config::needs_compiler(&call.goals) {
        check_compiler(context, &call, &plan)?;
    }
    if !call.has_jobs {
        plan.args.splice(0..0, jobs(context)?);
    }
    Ok(plan)
}

/// Finds the tree that make would work in.
fn find_tree(context: &Context, call: &Call) -> Result<Tree, AppletError> {
    let directory = match call.directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => &call.directory,
    };
    let output = call.output(context.env.get(env::KBUILD_OUTPUT));
    let tree = Tree::at(directory, call.file.as_deref(), output).map_err(KernelError::from)?;
    Ok(tree.ok_or_else(|| KernelError::NoMakefile {
        directory: shown(directory),
        tuple: context.tuple.to_string(),
    })?)
}

/// Leaves in the plan what the tree is told by, and takes the flags of programs out of the way of a tree that has its own.
fn take_out_unknown(tree: &Tree, plan: &mut Plan) {
    let mut forget = |variable: Variable| plan.env.remove(OsStr::new(variable.name));
    if !tree.knows(env::LLVM.name) && tree.kind != Kind::Module {
        forget(env::LLVM);
    }
    if !tree.kind.is_kernels() {
        forget(env::INSTALL_MOD_PATH);
        forget(env::INSTALL_PATH);
        let told = plan.env.get(OsStr::new(env::ARCH.name));
        let is_known =
            matches!(told, Some(Change::Set(arch)) if tree.has_arch(&arch.to_string_lossy()));
        if !is_known {
            plan.env.remove(OsStr::new(env::ARCH.name));
        }
    }
    if tree.kind != Kind::Other {
        plan.env
            .extend(FLAGS.iter().map(|name| (name.into(), Change::Unset)));
    }
}

/// The kernel: its ARCH, and the `.config`, which make would turn into one for this ARCH without a word.
fn check_kernel(
    context: &Context,
    call: &Call,
    tree: &Tree,
    plan: &Plan,
) -> Result<(), AppletError> {
    let tuple = context.tuple.to_string();
    let environment = context.env.changed(&plan.env);
    let callers = given(context, call, env::ARCH);
    let Some(arch) = callers.or(environment.get(env::ARCH)) else {
        let folder = context.config.profiles_folder();
        return Err(KernelError::NoArch { tuple, folder }.into());
    };
    let (arch, is_callers) = (arch.to_string_lossy().into_owned(), callers.is_some());
    if tree.kind != Kind::Linux {
        return Ok(());
    }
    if !tree.has_arch(&arch) {
        // Some CPUs' own Makefiles read as the whole tree's.
        check_is_top(context, &shown(&tree.source))?;
        return Err(KernelError::UnknownArch {
            tree: shown(&tree.source),
            folder: tree.source_arch(&arch).into(),
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
    match config::Made::read(&path).map_err(KernelError::from)? {
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

/// Where modules and images go. The kernel's make splits the path at blanks, and removes the parts before it writes there.
fn check_places(
    context: &Context,
    call: &Call,
    tree: &Tree,
    plan: &Plan,
) -> Result<(), AppletError> {
    let environment = context.env.changed(&plan.env);
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
    }
    Ok(())
}

/// Something else with a Makefile: a folder of a kernel tree, firmware, or a project that has no business here.
fn check_other(context: &Context, call: &Call, tree: &Tree) -> Result<(), AppletError> {
    let knows_prefix = tree.knows(env::CROSS_COMPILE.name);
    let directory = shown(&tree.source);
    if !knows_prefix {
        check_is_top(context, &directory)?;
    }
    // A tuple of bare metal is there for firmware.
    if runs_kernel(context)? {
        if !knows_prefix {
            let tuple = context.tuple.to_string();
            return Err(KernelError::NotOurs { directory, tuple }.into());
        }
        crate::say(&format!(
            "`{}` is no kernel tree, nor U-Boot's or OpenSBI's: its make is given CROSS_COMPILE and no more",
            directory.display()
        ));
    } else if !knows_prefix && call.variable("CC").is_none() {
        crate::say(&format!(
            "the Makefile in `{}` does not name CROSS_COMPILE, which is all that tells it of the target",
            directory.display()
        ));
    }
    Ok(())
}

/// A folder of a kernel tree has to be built from the top.
fn check_is_top(context: &Context, directory: &Path) -> Result<(), KernelError> {
    match tree::top_above(directory)? {
        Some(top) => Err(KernelError::BelowTop {
            directory: directory.to_owned(),
            top,
            tuple: context.tuple.to_string(),
        }),
        None => Ok(()),
    }
}

/// Tells whether the target's programs run on a kernel.
fn runs_kernel(context: &Context) -> Result<bool, AppletError> {
    let target = context.target()?;
    Ok(target.kernel.is_some())
}

/// The compiler that we name. Whatever the caller named is the caller's affair.
fn check_compiler(context: &Context, call: &Call, plan: &Plan) -> Result<(), AppletError> {
    let chosen = [env::CROSS_COMPILE, env::LLVM];
    if call.variable(env::CC.name).is_some()
        || chosen
            .iter()
            .any(|&variable| given(context, call, variable).is_some())
    {
        return Ok(());
    }
    let environment = context.env.changed(&plan.env);
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
    match crate::context::find_program(&environment, &compiler) {
        Ok(_) => Ok(()),
        Err(_) => Err(KernelError::NoCompiler {
            compiler: compiler.to_string_lossy().into_owned(),
            tuple: context.tuple.to_string(),
            adoptable: tools::adoptable(context),
        }
        .into()),
    }
}

/// Tells whether the tree is only there for a module outside it.
fn builds_module(context: &Context, call: &Call) -> bool {
    ["M", "SUBDIRS"]
        .iter()
        .any(|name| call.variable(name).is_some())
        || given(context, call, env::KBUILD_EXTMOD).is_some()
}

/// The options that the machine's Portage has for how many jobs run at once; none without Portage.
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

/// What the caller says of a variable: to this make, or to all below the environment.
fn given<'a>(context: &'a Context, call: &'a Call, variable: Variable) -> Option<&'a OsStr> {
    call.variable(variable.name).or(context.env.get(variable))
}

/// A path as a person elsewhere would have to name it.
fn shown(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
