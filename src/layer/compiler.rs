//! The `compiler` layer: the target's tools, by the names that make and autoconf have for them. Pure but for what it asks
//! of the [`Context`].

use crate::{config::Kind, context::Context, plan::Changes};
use std::ffi::OsString;

/// The variables of the compiler layer: name, GNU tool, LLVM tool. Make's and autoconf's names for them.
const TOOLS: [(&str, &str, &str); 11] = [
    ("CC", "gcc", "clang"),
    ("CXX", "g++", "clang++"),
    ("AR", "ar", "ar"),
    ("LD", "ld", "ld"),
    ("NM", "nm", "nm"),
    ("OBJCOPY", "objcopy", "objcopy"),
    ("OBJDUMP", "objdump", "objdump"),
    ("RANLIB", "ranlib", "ranlib"),
    ("READELF", "readelf", "readelf"),
    ("STRIP", "strip", "strip"),
    ("PKG_CONFIG", "pkg-config", "pkg-config"),
];

/// Names the tools that are there under the tuple's name; LLVM's where clang was adopted, or is all there is.
pub(super) fn compiler(context: &Context, changes: &mut Changes) {
    let find = |tool: &str| {
        let name: OsString = format!("{}-{tool}", context.tuple).into();
        context.has_command(&name).then_some(name)
    };
    let llvm = match &context.settings.toolchain {
        Some(toolchain) => toolchain.kind == Kind::Llvm,
        None => find("gcc").is_none() && find("clang").is_some(),
    };
    for (variable, gnu, clang) in TOOLS {
        let set_already = context.env.get_name(variable).is_some();
        if let (false, Some(tool)) = (set_already, find(if llvm { clang } else { gnu })) {
            super::set(changes, variable, tool);
        }
    }
}
