//! The `pkg-config` layer: where pkg-config searches, and what it puts before the paths that it prints.
//!
//! The forms in which the sysroot is named, and their order, are those of crossdev's wrapper.

use super::set;
use crate::{
    context::{Context, ContextError},
    env, file,
    file::below,
    libraries,
    pkg_config::bounds::Bounds,
    plan::{Change, Changes},
};
use nix::{
    fcntl::{AtFlags, OFlag, open},
    sys::stat::{Mode, SFlag, fstatat},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// What pkg-config is shown.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The sysroot, without a slash at its end; empty for a native build of EAPI 0 to 6.
    pub(crate) sysroot: PathBuf,
    /// PKG_CONFIG_SYSROOT_DIR, which a person may have emptied.
    before_paths: OsString,
    /// The sysroot with the prefix: what is searched.
    root: OsString,
}

impl View {
    /// What pkg-config is shown, decided once.
    pub(crate) fn of(context: &Context) -> Result<&Self, ContextError> {
        context.view.get_or_try_init(|| Self::decide(context))
    }

    /// Decides by the forms in which Portage and others name the sysroot. One that is not there is an error.
    fn decide(context: &Context) -> Result<Self, ContextError> {
        let env = |variable| context.env.get(variable);
        // With ESYSROOT, an empty SYSROOT is that of a native build.
        let named = context.env.get_name(env::SYSROOT.name);
        let named = named.filter(|named| !named.is_empty() || env(env::ESYSROOT).is_some());
        let own = || context.sysroot().into_os_string();
        let (mut sysroot, mut prefix) = (named.map_or_else(own, OsStr::to_owned), OsString::new());
        if let Some(esysroot) = env(env::ESYSROOT) {
            // EAPI 7 and later: the prefix is what ESYSROOT has beyond SYSROOT.
            let esysroot = trimmed(esysroot).as_bytes();
            let beyond = esysroot.strip_prefix(trimmed(&sysroot).as_bytes());
            let beyond = beyond.filter(|prefix| prefix.is_empty() || prefix.starts_with(b"/"));
            prefix = OsStr::from_bytes(beyond.unwrap_or_default()).to_owned();
        } else if env(env::ROOT).is_some() {
            // EAPI 0 to 6.
            if env(env::SYSROOT).is_some_and(|sysroot| !trimmed(sysroot).is_empty()) {
                prefix = trimmed(&context.eprefix()).to_owned();
            } else {
                sysroot = OsString::new();
                prefix = trimmed(env(env::PORTAGE_OVERRIDE_EPREFIX).unwrap_or_default()).to_owned();
            }
        } else if let (None, Some(stagedir)) = (env(env::SYSROOT), env(env::STAGEDIR)) {
            sysroot = stagedir.to_owned();
        }
        // An empty one says that nothing goes before a path. It does not say that the machine is to be searched.
        let before_paths = env(env::PKG_CONFIG_SYSROOT_DIR);
        if let Some(named) = before_paths.filter(|named| !named.is_empty()) {
            sysroot = named.to_owned();
        }
        let sysroot = trimmed(&sysroot).to_owned();
        if !sysroot.is_empty() && !Path::new(&sysroot).is_dir() {
            return Err(context.no_sysroot(sysroot.into()));
        }
        let mut root = sysroot.clone();
        root.push(prefix);
        Ok(Self {
            before_paths: before_paths
                .map_or_else(|| sysroot.clone(), |named| trimmed(named).to_owned()),
            sysroot: sysroot.into(),
            root,
        })
    }
}

/// Shows pkg-config the sysroot and hides the machine.
pub(super) fn pkg_config(context: &Context, changes: &mut Changes) -> Result<(), ContextError> {
    let view = View::of(context)?;
    let libdirs = libdirs(context, Path::new(&view.root));
    let list = |paths: &mut dyn Iterator<Item = String>| {
        let mut list = OsString::new();
        for path in paths {
            list.push(if list.is_empty() { "" } else { ":" });
            list.push(&view.root);
            list.push(path);
        }
        list
    };
    let each = |before: &'static str, after: &'static str| {
        let form = move |libdir: &String| format!("{before}{libdir}{after}");
        libdirs.iter().map(form)
    };
    let share = "/usr/share/pkgconfig".to_owned();
    let mut search = list(&mut each("/usr/", "/pkgconfig").chain([share]));
    if let (Some(_), Some(own)) = (
        context.env.get(env::STAGEDIR),
        context.env.get(env::UCLINUX_PKG_CONFIG_LIBDIR),
    ) {
        search = [own, &search].join(OsStr::new(":"));
    }
    set(changes, env::PKG_CONFIG_LIBDIR.name, search);
    // `-L` of a directory that the compiler does not search by itself has to stay in the answer.
    let searched = libdirs
        .iter()
        .filter(|libdir| libraries::searches(context, libdir));
    let searched: Vec<&String> = searched.collect();
    let below_usr = searched.iter().map(|libdir| format!("/usr/{libdir}"));
    let below_root = searched.iter().map(|libdir| format!("/{libdir}"));
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_LIBRARY_PATH.name,
        list(&mut below_usr.chain(below_root)),
    );
    set(
        changes,
        env::PKG_CONFIG_SYSTEM_INCLUDE_PATH.name,
        list(&mut ["/usr/include".to_owned()].into_iter()),
    );
    set(changes, env::PKG_CONFIG_FDO_SYSROOT_RULES.name, "1");
    if context.env.get(env::DESTDIR).is_some() {
        changes.insert(env::DESTDIR.name.into(), Change::Unset);
    }
    if let Some(path) = context.env.get(env::PKG_CONFIG_PATH) {
        let name = env::PKG_CONFIG_PATH.name.into();
        changes.insert(name, kept(context, path, &view.sysroot));
    }
    set(
        changes,
        env::PKG_CONFIG_SYSROOT_DIR.name,
        &view.before_paths,
    );
    Ok(())
}

/// Keeps the folders of PKG_CONFIG_PATH that lie in the package's own build directory, the sysroot or an allowed prefix:
/// the rest of the variable is the machine's.
fn kept(context: &Context, path: &OsStr, sysroot: &Path) -> Change {
    let bounds = Bounds::of(context, sysroot);
    let inside = |folder: &PathBuf| folder.is_absolute() && bounds.hold(folder);
    let kept: Vec<PathBuf> = std::env::split_paths(path).filter(inside).collect();
    // A folder out of a list has no colon in it.
    match std::env::join_paths(&kept) {
        Ok(kept) if !kept.is_empty() => Change::Set(kept),
        _ => Change::Unset,
    }
}

/// The folders below `usr` that hold libraries, and what riscv has below those: one for each ABI of as many bits. Source: glibc's
/// `sysdeps/unix/sysv/linux/riscv/configure.ac`.
const LIBDIRS: [(&str, &[&str]); 4] = [
    ("lib64", &["lp64d", "lp64", "lp64f"]),
    ("lib", &[]),
    ("libx32", &[]),
    ("lib32", &["ilp32d", "ilp32", "ilp32f"]),
];

/// The library directories of the ABI: `LIBDIR_<abi>` of the environment, else of the target's settings, else those in
/// the sysroot that hold `.pc` files, else `lib`.
///
/// The settings are read only where they decide: when no ABI was named, and `.pc` files lie in one directory, that is it.
fn libdirs(context: &Context, root: &Path) -> Vec<String> {
    let named = |variable| context.env.get(variable).and_then(OsStr::to_str);
    let abi = named(env::ABI).or(named(env::DEFAULT_ABI));
    let filled = |libdir: Option<String>| libdir.filter(|libdir| !libdir.is_empty());
    let in_env = |abi: &str| {
        let libdir = context.env.get_name(&format!("LIBDIR_{abi}"))?.to_str()?;
        Some(libdir.to_owned())
    };
    if let Some(libdir) = filled(in_env(abi.unwrap_or("default"))) {
        return vec![libdir];
    }
    let found = with_packages(context, root);
    if abi.is_none() && found.len() == 1 {
        return found;
    }
    let setting = |name: &str| filled(context.read_target_settings(&[name])?.remove(name));
    let abi = abi
        .map(str::to_owned)
        .or_else(|| setting(env::DEFAULT_ABI.name));
    let abi = abi.unwrap_or_else(|| "default".into());
    let of_abi = || filled(in_env(&abi)).or_else(|| setting(&format!("LIBDIR_{abi}")));
    match of_abi() {
        Some(libdir) => vec![libdir],
        None if found.is_empty() => vec!["lib".into()],
        None => found,
    }
}

/// The library directories of the sysroot, the ABI's own first, for build systems that search by themselves: those that exist.
pub(crate) fn library_directories(context: &Context, sysroot: &Path) -> Vec<String> {
    let exists = |libdir: &String| below(sysroot, &format!("usr/{libdir}")).is_dir();
    libdirs(context, sysroot)
        .into_iter()
        .filter(exists)
        .collect()
}

/// The library directories of a root that hold `.pc` files, each once, by whatever name it comes first.
fn with_packages(context: &Context, root: &Path) -> Vec<String> {
    // There is hardly ever more than one for each.
    let mut seen = Vec::with_capacity(LIBDIRS.len());
    let mut found = Vec::with_capacity(LIBDIRS.len());
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    // Asked from there, each costs half.
    let Ok(usr) = open(&below(root, "usr"), flags, Mode::empty()) else {
        return found;
    };
    let folder = |path: &str| {
        let there = fstatat(&usr, path, AtFlags::empty()).ok()?;
        file::is_kind(&there, SFlag::S_IFDIR).then_some(there)
    };
    let mut look = |libdir: String| {
        let Some(packages) = folder(&format!("{libdir}/pkgconfig")) else {
            return;
        };
        let identity = (packages.st_dev, packages.st_ino);
        if !seen.contains(&identity) {
            seen.push(identity);
            found.push(libdir);
        }
    };
    for (libdir, abis) in LIBDIRS {
        if abis.is_empty() || folder(libdir).is_some() {
            abis.iter().for_each(|abi| look(format!("{libdir}/{abi}")));
            look(libdir.into());
        }
    }
    libraries::multiarch(context)
        .into_iter()
        .for_each(|name| look(format!("lib/{name}")));
    found
}

fn trimmed(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    OsStr::from_bytes(bytes.strip_suffix(b"/").unwrap_or(bytes))
}
