//! Compiles a kernel through ccache, if ccache is in the target's FEATURES.
//!
//! The kernel's make starts the real compiler by its path, so the symlinks to ccache that Portage searches have no effect
//! on it. `CC="ccache gcc"` on make's command line is the form that Kbuild, U-Boot and OpenSBI accept.

use crate::{
    context::Context,
    kernel::call::MakeCall,
    layer::{Engine, engines_in},
};
use crossmerge_plan::{
    env::{self, Variable},
    plan::{Change, Plan},
    report,
};
use nix::unistd::{AccessFlags, access};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

/// The variables by which a caller chooses another compiler.
const CHOICES: [Variable; 3] = [env::CC, env::CROSS_COMPILE, env::LLVM];

/// Portage's variable with the directory of ccache's objects.
const CCACHE_DIR: &str = "CCACHE_DIR";

/// Puts ccache before the compiler that make would start. If the caller chooses another compiler, ccache's own check
/// of the compiler applies: the key in CCACHE_COMPILERCHECK is that of the target's.
pub(super) fn use_ccache(context: &Context, call: &MakeCall, plan: &mut Plan) {
    let is_chosen = CHOICES.iter().any(|variable| {
        call.variable(variable.name).is_some() || context.env.get(*variable).is_some()
    });
    if is_chosen {
        plan.env.remove(OsStr::new(env::CCACHE_COMPILERCHECK.name));
        return;
    }
    let names = [env::FEATURES.name, CCACHE_DIR];
    let Some(settings) = context.read_target_settings(&names) else {
        return;
    };
    let features = settings.get(env::FEATURES.name).map_or("", String::as_str);
    if !engines_in(features).any(|engine| engine == Engine::Ccache) {
        return;
    }
    if context
        .find_program(OsStr::new(Engine::Ccache.program()))
        .is_err()
    {
        let tuple = &context.tuple;
        report::note(&format!(
            "ccache is in FEATURES and is not installed, so make compiles without it; `crossmerge farm status {tuple}` prints the command that installs it"
        ));
        return;
    }
    let environment = context.env.changed(&plan.env);
    let compiler = match environment.get(env::LLVM) {
        Some(_) => "clang".into(),
        None => {
            let prefix = environment.get(env::CROSS_COMPILE).unwrap_or_default();
            // make expands variables on its command line.
            format!("{}gcc", prefix.to_string_lossy()).replace('$', "$$")
        }
    };
    let word = format!("{}={} {compiler}", env::CC.name, Engine::Ccache.program());
    plan.args.insert(0, OsString::from(word));
    let directory = settings.get(CCACHE_DIR).map_or("", String::as_str);
    // The directory of Portage's objects is often closed for the user who builds a kernel.
    let is_own = context.env.get_name(CCACHE_DIR).is_some();
    if !is_own && !directory.is_empty() && access(Path::new(directory), AccessFlags::W_OK).is_ok() {
        plan.env
            .insert(CCACHE_DIR.into(), Change::Set(directory.into()));
    }
}
