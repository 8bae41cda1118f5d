//! The layout of a sysroot: where `bin`, `sbin` and the library directories are, and how the adopted compiler finds
//! these.
//!
//! Gentoo's sys-apps/baselayout creates the layout that the profile requires, but users seldom merge it into a new
//! sysroot first. The first package with a file in `/bin` would create a directory there, so init makes the symlinks.

use super::{
    options::{InitOptions, InitTarget},
    write::{Content, OnConflict, Write},
};
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
    libraries,
    profile::{Profile, Usr},
};
use crossmerge_plan::shown::Show;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The layout that a sysroot will have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Whether `/usr` is merged; `None` if neither the profile nor the sysroot determines it.
    pub(super) usr: Option<Usr>,
    /// Whether init makes the layout.
    is_new: bool,
    /// The library directories at the root.
    libdirs: Vec<String>,
}

impl Layout {
    /// Decides on the layout: the sysroot's, or else the profile's.
    pub(super) fn decide(sysroot: &Path, profile: Option<&Profile>) -> Self {
        let has = Usr::of(sysroot);
        let wants = profile.and_then(|profile| profile.settings.usr);
        let libdirs = profile.map(|profile| profile.settings.root_libdirs.clone());
        Self {
            usr: has.or(wants),
            is_new: wants == Some(Usr::Merged) && has != Some(Usr::Split),
            libdirs: libdirs.unwrap_or_default(),
        }
    }

    /// Returns the symlinks of a merged `/usr` and the directories to which they lead. Source: `multilib_layout` and
    /// `layout-usrmerge` of sys-apps/baselayout 2.17.
    pub(super) fn writes(&self, sysroot: &Path) -> Vec<Write> {
        if !self.is_new {
            return Vec::new();
        }
        let directory = |path: String| {
            Write::new(
                sysroot.join(path),
                Content::Directory(0o755),
                OnConflict::Layout,
            )
        };
        let link = |path: &str, to: &str| {
            Write::new(
                sysroot.join(path),
                Content::Link(to.into()),
                OnConflict::Layout,
            )
        };
        // A root that was merged before release 23.0 has `usr/sbin` as a directory.
        let has_sbin = sysroot.join("usr/sbin").symlink_metadata();
        let has_sbin = has_sbin.is_ok_and(|there| there.is_dir());
        let mut writes = vec![directory("usr/bin".into()), link("bin", "usr/bin")];
        match has_sbin {
            true => writes.push(link("sbin", "usr/sbin")),
            false => writes.extend([link("sbin", "usr/bin"), link("usr/sbin", "bin")]),
        }
        for libdir in &self.libdirs {
            let below_usr = format!("usr/{libdir}");
            if sysroot.join(&below_usr).symlink_metadata().is_err() {
                writes.push(directory(below_usr.clone()));
            }
            writes.push(link(libdir, &below_usr));
        }
        writes
    }

    /// Notes that the linked profile and the sysroot contradict each other.
    pub(super) fn note(&self, sysroot: &Path, profile: Option<&Profile>) -> Option<String> {
        let profile = profile?;
        let (has, wants) = (Usr::of(sysroot)?, profile.settings.usr?);
        (has != wants && profile.settings.checks_usr).then(|| {
            format!(
                "the profile `{}` expects {}, but `{}` is {}: the profile aborts each merge",
                profile.name,
                wants.as_str(),
                sysroot.shown(),
                has.as_str()
            )
        })
    }
}

/// Returns the adopted toolchain as init records it: with the library directories of the profile, and without unsafe
/// options that earlier releases recorded.
pub(super) fn toolchain(
    context: &Context,
    subject: &InitTarget,
    options: &InitOptions,
    profile: Option<&Profile>,
) -> Option<Toolchain> {
    let mut adopted = context.settings.toolchain.clone()?;
    let target = &subject.target;
    let is_safe = |option: &String| !libraries::runs_programs_of_sysroot(option);
    adopted.options.retain(is_safe);
    if target.kernel != Some("linux") {
        adopted.libdirs.get_or_insert_default();
        return Some(adopted);
    }
    let usual = || libraries::usual(target, &libraries::multiarch(context));
    let libdirs = adopted.libdirs.get_or_insert_with(usual);
    let of_profile = profile.map(|profile| profile.settings.libdir.as_str());
    if let Some(libdir) = of_profile.filter(|libdir| libraries::is_libdir(libdir)) {
        libdirs.retain(|known| known != libdir);
        libdirs.insert(0, libdir.to_owned());
    }
    let is_asked = options.toolchain.is_some() || options.sysroot.is_some();
    if adopted.kind == ToolchainKind::Gnu && (adopted.start_files.is_none() || is_asked) {
        adopted.start_files = Some(own_start_files(context));
    }
    Some(adopted)
}

/// Returns the directory of the symlinks to start files. It is crossmerge's own, so no other user can put a program
/// there.
fn own_start_files(context: &Context) -> PathBuf {
    let state = context.config.state_directory();
    state.join(context.tuple.as_str()).join("start-files")
}

/// Returns the symlinks by which an adopted GCC finds the sysroot's start files. Most are dangling: a package may
/// install the file later.
pub(super) fn start_files(context: &Context, adopted: Option<&Toolchain>) -> Vec<Write> {
    let own = own_start_files(context);
    let Some(adopted) = adopted.filter(|a| a.start_files.as_ref() == Some(&own)) else {
        return Vec::new();
    };
    let usr = context.own_sysroot().join("usr");
    let usr = std::path::absolute(&usr).unwrap_or(usr);
    let libdirs: BTreeSet<&String> = adopted.libdirs.iter().flatten().collect();
    let link = |libdir: &String, file: &str| {
        let path = own.join(libdir).join(file);
        let to = usr.join(libdir).join(file);
        Write::new(path, Content::Link(to), OnConflict::State)
    };
    let libdirs = libdirs
        .into_iter()
        .filter(|libdir| libraries::is_libdir(libdir));
    libdirs
        .flat_map(|libdir| libraries::FOUND_BY_NAME.map(|file| link(libdir, file)))
        .collect()
}
