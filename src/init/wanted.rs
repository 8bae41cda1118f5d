//! What a request wants of the target's settings. The decisions that follow read it, and the context as it will be.

use super::{
    check,
    error::InitError,
    find::{self, ToolchainSearch},
    options::{InitOptions, InitTarget},
    paths::{absolute, check_utf8},
    place::{self, UserDirectories},
    record::InitRecord,
    toolchain, zig,
};
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
};
use crossmerge_plan::env;
use std::{ffi::OsStr, path::PathBuf};

/// The settings that a request wants. `None` and `Kept` leave the present ones.
#[derive(Debug, Default)]
pub(super) struct WantedSettings {
    /// The sysroot, which SYSROOT in the environment does not replace.
    pub(super) sysroot: Option<PathBuf>,
    /// The directory of the symlinks.
    pub(super) bindir: Option<PathBuf>,
    /// The toolchain.
    pub(super) toolchain: WantedToolchain,
    /// The directories of these that are an ordinary user's own.
    pub(super) place: UserDirectories,
    /// The search for an installed toolchain.
    pub(super) found: ToolchainSearch,
}

/// The toolchain that a request wants.
#[derive(Debug, Default)]
pub(super) enum WantedToolchain {
    /// The present one, if there is one.
    #[default]
    Kept,
    /// None, because the user wants none, now and in later runs.
    Nothing,
    /// The one that the user named. `None` if it has the target's name and uses the sysroot, so that it needs no wrapper.
    Named(Option<Toolchain>),
    /// The one that is installed for the target.
    Found(Toolchain),
}

impl WantedSettings {
    /// Decides on the settings. Fails if a toolchain does not fit. Starts compilers.
    pub(super) fn decide(
        context: &Context,
        argv0: &OsStr,
        subject: &InitTarget,
        options: &InitOptions,
    ) -> Result<Self, InitError> {
        let place = place::of_user(context, argv0, options)?;
        let sysroot = options.sysroot.as_ref().or(place.sysroot.as_ref());
        let bindir = options.bindir.as_ref().or(place.bindir.as_ref());
        if let Some(bindir) = bindir {
            check_utf8(bindir)?;
        }
        let mut wanted = Self {
            sysroot: sysroot.map(|sysroot| absolute(sysroot)).transpose()?,
            bindir: bindir.map(|bindir| absolute(bindir)).transpose()?,
            place,
            ..Self::default()
        };
        let adopted = match &options.toolchain {
            Some(prefix) => Some((kind_of(context, prefix), prefix.as_os_str())),
            None => options
                .llvm
                .then_some((ToolchainKind::Llvm, OsStr::new(""))),
        };
        let placed = wanted.applied_to(context);
        if let Some((kind, prefix)) = adopted {
            let toolchain = toolchain::adopt(&placed, &subject.target, kind, prefix)?;
            let sysroot = absolute(&placed.foreign_sysroot()?)?;
            let is_targets = check::is_the_targets(&placed, &toolchain, &sysroot);
            wanted.toolchain = WantedToolchain::Named((!is_targets).then_some(toolchain));
        } else if options.adopt_nothing {
            wanted.toolchain = WantedToolchain::Nothing;
        }
        let context = wanted.applied_to(context);
        if options.find && is_to_find(&context)? {
            wanted.found = find::toolchain(&context, &subject.target, &subject.families)?;
            if let Some(toolchain) = &wanted.found.toolchain {
                wanted.toolchain = WantedToolchain::Found(toolchain.clone());
            }
        }
        Ok(wanted)
    }

    /// Returns the context with these settings.
    pub(super) fn applied_to(&self, context: &Context) -> Context {
        let mut context = context.clone();
        if let Some(sysroot) = &self.sysroot {
            context.settings.sysroot = Some(sysroot.clone());
            context.env.unset(env::SYSROOT);
        }
        if let Some(bindir) = &self.bindir {
            context.settings.bindir = Some(bindir.clone());
        }
        let (toolchain, find) = match &self.toolchain {
            WantedToolchain::Kept => return context,
            WantedToolchain::Nothing => (None, Some(false)),
            WantedToolchain::Named(toolchain) => (toolchain.clone(), None),
            WantedToolchain::Found(toolchain) => (Some(toolchain.clone()), Some(true)),
        };
        context.settings.toolchain = toolchain;
        context.settings.find_toolchain = find;
        context
    }

    /// Returns whether a toolchain was chosen: by the user, or by the search.
    pub(super) fn chooses_toolchain(&self) -> bool {
        matches!(
            self.toolchain,
            WantedToolchain::Named(_) | WantedToolchain::Found(_)
        )
    }
}

/// Returns the kind of the toolchain with a prefix: LLVM's if it has clang and no GCC; Zig's if it has neither and is
/// the name of Zig's program.
fn kind_of(context: &Context, prefix: &OsStr) -> ToolchainKind {
    let has = |kind: ToolchainKind| {
        let mut driver = prefix.to_owned();
        driver.push(kind.driver());
        context.find_program(&driver).is_ok()
    };
    let mut kinds = [ToolchainKind::Gnu, ToolchainKind::Llvm].into_iter();
    kinds
        .find(|kind| has(*kind))
        .unwrap_or_else(|| match zig::is_named(prefix) {
            true => ToolchainKind::Zig,
            false => ToolchainKind::Gnu,
        })
}

/// Returns whether init searches for a toolchain: the target has none, and does not get one from crossdev.
fn is_to_find(context: &Context) -> Result<bool, InitError> {
    let settings = &context.settings;
    let may_be_found = match (settings.find_toolchain, &settings.toolchain) {
        (Some(false), _) => false,
        (Some(true), Some(adopted)) => !adopted.compiler().is_file(),
        (_, adopted) => adopted.is_none() && context.compiler().is_none(),
    };
    if !may_be_found {
        return Ok(false);
    }
    let sysroot = context.sysroot();
    let is_others = sysroot.join("etc/portage").is_dir() && InitRecord::read(&sysroot)?.is_empty();
    Ok(!is_others)
}
