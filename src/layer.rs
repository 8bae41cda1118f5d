//! Environment layers: named sets of changes that a wrapper asks for. Pure but for what they ask of the [`Context`].
//!
//! A variable that the caller has set stays as it is, unless a layer says why not.

use crate::{
    config::Kind,
    context::{Context, ContextError},
    env::{self, Variable},
    plan::{Change, Changes},
};
use serde::Deserialize;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// The name of a layer, as `wrappers/*.toml` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What makes Portage build for the target.
    Portage,
    /// The target's tools, for build systems that ask the environment.
    Compiler,
    /// What shows pkg-config the sysroot and hides the machine.
    PkgConfig,
}

/// The flags that Portage has for the machine and the variable that carries each into a cross build.
const BUILD_FLAGS: [(&str, &str); 4] = [
    ("BUILD_CFLAGS", "CFLAGS"),
    ("BUILD_CXXFLAGS", "CXXFLAGS"),
    ("BUILD_CPPFLAGS", "CPPFLAGS"),
    ("BUILD_LDFLAGS", "LDFLAGS"),
];

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

/// The changes of the layers, in their order.
pub fn apply(layers: &[Layer], context: &Context) -> Result<Changes, ContextError> {
    let mut changes = Changes::new();
    for layer in layers {
        match layer {
            Layer::Portage => portage(context, &mut changes)?,
            Layer::Compiler => compiler(context, &mut changes),
            Layer::PkgConfig => pkg_config(context, &mut changes),
        }
    }
    Ok(changes)
}

fn set(changes: &mut Changes, name: &str, value: impl Into<OsString>) {
    changes.insert(name.into(), Change::Set(value.into()));
}

/// Sets a variable that the caller left unset.
fn default(
    context: &Context,
    changes: &mut Changes,
    variable: Variable,
    value: impl Into<OsString>,
) {
    set(
        changes,
        variable.name,
        context
            .env
            .get(variable)
            .map_or_else(|| value.into(), OsStr::to_owned),
    );
}

fn portage(context: &Context, changes: &mut Changes) -> Result<(), ContextError> {
    let sysroot = context.existing_sysroot()?;
    let portage = context.portage()?;
    set(changes, env::CHOST.name, context.tuple.as_str());
    set(changes, env::EPREFIX.name, context.eprefix());
    set(changes, env::PORTAGE_CONFIGROOT.name, context.configroot());
    // A ROOT of `/` is what Portage says when make.conf has none, and never where a target's packages belong.
    let root = match portage.target_setting(env::ROOT.name) {
        "" | "/" => sysroot.clone().into(),
        root => OsString::from(root),
    };
    set(changes, env::SYSROOT.name, sysroot);
    default(context, changes, env::ROOT, root);
    if let Some(cbuild) = portage.host_setting(env::CBUILD.name) {
        default(context, changes, env::CBUILD, cbuild);
    }
    for (name, flags) in BUILD_FLAGS {
        if let (None, Some(flags)) = (context.env.get_name(name), portage.host_setting(flags)) {
            set(changes, name, flags);
        }
    }
    Ok(())
}

/// Names the tools that are there under the tuple's name; LLVM's where clang was adopted, or is all there is.
fn compiler(context: &Context, changes: &mut Changes) {
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
            set(changes, variable, tool);
        }
    }
}

/// Shows pkg-config the sysroot, by the forms in which Portage and others name it.
fn pkg_config(context: &Context, changes: &mut Changes) {
    let env = |variable| context.env.get(variable);
    let sysroot = context.sysroot().into_os_string();
    let (sysroot, prefix) = if let Some(esysroot) = env(env::ESYSROOT) {
        // EAPI 7 and later: the prefix is what ESYSROOT has beyond SYSROOT.
        let esysroot = trimmed(esysroot);
        let prefix = esysroot
            .as_bytes()
            .strip_prefix(trimmed(&sysroot).as_bytes())
            .unwrap_or_default();
        (sysroot, OsStr::from_bytes(prefix).to_owned())
    } else if env(env::ROOT).is_some() {
        // EAPI 0 to 6.
        match env(env::SYSROOT)
            .map(trimmed)
            .filter(|sysroot| !sysroot.is_empty())
        {
            Some(_) => (sysroot, trimmed(&context.eprefix()).to_owned()),
            None => (
                OsString::new(),
                trimmed(env(env::PORTAGE_OVERRIDE_EPREFIX).unwrap_or_default()).to_owned(),
            ),
        }
    } else if let (None, Some(stagedir)) = (env(env::SYSROOT), env(env::STAGEDIR)) {
        (stagedir.to_owned(), OsString::new())
    } else {
        (sysroot, OsString::new())
    };
    let sysroot = env(env::PKG_CONFIG_SYSROOT_DIR).map_or(sysroot, OsStr::to_owned);
    let mut root = trimmed(&sysroot).to_owned();
    set(changes, env::PKG_CONFIG_SYSROOT_DIR.name, root.clone());
    root.push(&prefix);
    let libdirs = libdirs(context, Path::new(&root));
    let joined = |parts: &[String]| {
        let mut list = OsString::new();
        for path in parts {
            list.push(if list.is_empty() { "" } else { ":" });
            list.push(&root);
            list.push(path);
        }
        list
    };
    let each = |form: &str| {
        libdirs
            .iter()
            .map(|libdir| form.replace("{}", libdir))
            .collect::<Vec<_>>()
    };
    let mut search = each("/usr/{}/pkgconfig");
    search.push("/usr/share/pkgconfig".into());
    let system = [each("/usr/{}"), each("/{}")].concat();
    set(changes, env::PKG_CONFIG_LIBDIR.name, joined(&search));
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_LIBRARY_PATH.name,
        joined(&system),
    );
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_INCLUDE_PATH.name,
        joined(&["/usr/include".into()]),
    );
    set(changes, env::PKG_CONFIG_FDO_SYSROOT_RULES.name, "1");
    // Only a package's own build directory may add to the search: the rest of the variable is the machine's.
    let bundled = match (env(env::PKG_CONFIG_PATH), env(env::WORKDIR)) {
        (Some(path), Some(workdir)) => Path::new(path).starts_with(workdir),
        _ => false,
    };
    if !bundled && env(env::PKG_CONFIG_PATH).is_some() {
        changes.insert(env::PKG_CONFIG_PATH.name.into(), Change::Unset);
    }
}

/// The library directories of the ABI: `LIBDIR_<abi>` of the environment, else of the target's settings, else those in
/// the sysroot that hold `.pc` files, else `lib`.
fn libdirs(context: &Context, root: &Path) -> Vec<String> {
    let named = |variable| context.env.get(variable).and_then(OsStr::to_str);
    let abi = named(env::ABI).or(named(env::DEFAULT_ABI));
    let libdir = |abi: &str| {
        let name = format!("LIBDIR_{abi}");
        match context.env.get_name(&name).and_then(OsStr::to_str) {
            Some(libdir) => Some(libdir.to_owned()),
            None => context.read_target_settings(&[&name])?.remove(&name),
        }
    };
    let default_abi = || {
        let name = env::DEFAULT_ABI.name;
        context.read_target_settings(&[name])?.remove(name)
    };
    let abi = abi.map(str::to_owned).or_else(default_abi);
    let libdir = libdir(
        abi.as_deref()
            .filter(|abi| !abi.is_empty())
            .unwrap_or("default"),
    );
    if let Some(libdir) = libdir.filter(|libdir| !libdir.is_empty()) {
        return vec![libdir];
    }
    let has_pc_files = |libdir: &&str| root.join("usr").join(libdir).join("pkgconfig").is_dir();
    let found = ["lib64", "lib"].iter().copied().filter(has_pc_files);
    let found: Vec<String> = found.map(Into::into).collect();
    if found.is_empty() {
        vec!["lib".into()]
    } else {
        found
    }
}

fn trimmed(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    OsStr::from_bytes(bytes.strip_suffix(b"/").unwrap_or(bytes))
}
