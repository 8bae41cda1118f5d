//! The `compiler` layer: the target's and the build machine's tools, in the variables of make and Autoconf.

use super::changes::{propose, set};
use crate::{
    call::Call,
    context::{Context, ContextError},
    export::{ReadBy, Tool, build_names},
};
use crossmerge_plan::{env, plan::Changes};
use std::path::PathBuf;

/// Sets the variables of the existing tools.
#[inline(never)]
pub(super) fn compiler(call: &Call, changes: &mut Changes) -> Result<(), ContextError> {
    let (context, found) = (call.context, call.tools());
    for tool in found.iter().filter(|tool| tool.read_by == ReadBy::All) {
        propose(context, changes, tool.variable, &tool.name);
    }
    for tool in call.build_tools()? {
        for name in build_names(tool.variable) {
            propose(context, changes, &name, &tool.name);
        }
    }
    reach(context, found, changes);
    Ok(())
}

/// Adds the tools' directories to PATH, unless a shell finds the tools in PATH without that.
fn reach(context: &Context, tools: &[Tool], changes: &mut Changes) {
    let mut path = context.path();
    let known = path.len();
    for directory in tools.iter().filter_map(|tool| tool.path.parent()) {
        if directory.is_absolute() && !path.iter().any(|known| known == directory) {
            path.push(PathBuf::from(directory));
        }
    }
    let added = path.len() - known;
    path.rotate_right(added);
    if added > 0
        && let Ok(path) = std::env::join_paths(path)
    {
        set(changes, env::PATH.name, path);
    }
}
