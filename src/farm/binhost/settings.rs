//! What decides on the packages of a target: its settings, and those of other targets with which it may share a
//! directory.

use super::{error::BinhostError, index};
use crate::{context::Context, init::etc_portage};
use crossmerge_plan::{
    env::{Env, PKGDIR},
    shown::Show,
    words::quote_line,
};
use crossmerge_portage::Settings;
use crossmerge_system::file::below;
use std::path::{Path, PathBuf};

/// The name of the block in make.conf that `farm serve` writes.
pub(super) const SERVE: &str = "farm serve";

/// The name of the block in make.conf that `farm use` writes, and the beginning of the names of those in binrepos.conf.
pub(super) const USE: &str = "farm use";

/// The settings of a target that decide on its packages and on their signatures.
const NAMES: [&str; 8] = [
    "BINPKG_GPG_SIGNING_GPG_HOME",
    "BINPKG_GPG_SIGNING_KEY",
    "BINPKG_GPG_VERIFY_GPG_HOME",
    "CFLAGS",
    "CHOST",
    "FEATURES",
    "PKGDIR",
    "PORTAGE_BINHOST",
];

/// Portage's index of a directory of packages, and the files that `farm serve` writes beside it.
pub(super) const INDEX_FILES: [&str; 4] = [index::INDEX, "Packages.gz", index::FACTS, index::KEY];

/// Renders the settings with which Portage verifies signatures by the target's own keys.
///
/// Portage would call getuto before it fetches a package (PORTAGE_TRUST_HELPER), and getuto makes a home of its own in
/// ROOT, or fails there. Root's Portage verifies as the user `nobody`; for an ordinary user, who cannot become another
/// one, the keys may be in a directory that is private.
pub(super) fn verifying(trusted: &Path) -> String {
    let drop = match nix::unistd::geteuid().is_root() {
        true => "",
        false => "GPG_VERIFY_USER_DROP=\"\"\nGPG_VERIFY_GROUP_DROP=\"\"\n",
    };
    format!(
        "BINPKG_GPG_VERIFY_GPG_HOME=\"{}\"\nPORTAGE_TRUST_HELPER=\"\"\n{drop}",
        trusted.display()
    )
}

/// A user of a directory of packages: the build machine or a target.
struct Owner {
    /// Its name in a message.
    name: String,
    settings: PackageSettings,
    /// Its make.conf.
    make_conf: PathBuf,
    /// The directory that is its own by default.
    directory: PathBuf,
}

impl Owner {
    /// Returns the command that gives it a directory of its own. `None` if it has that.
    fn command(&self, env: &Env) -> Option<String> {
        if self.settings.pkgdir() == self.directory {
            return None;
        }
        if env.get(PKGDIR).is_some() {
            return Some("unset PKGDIR".to_owned());
        }
        let line = format!("PKGDIR=\"{}/\"", self.directory.display());
        Some(format!(
            "printf '%s\\n' {} >> {}",
            quote_line(line.as_ref()),
            quote_line(self.make_conf.as_os_str())
        ))
    }
}

/// What decides on the packages of a target.
#[derive(Debug, Clone)]
pub(crate) struct PackageSettings {
    settings: Settings,
    /// The profile, relative to the profiles of its repository, as in the header of Portage's index. Empty if unknown.
    pub(super) profile: String,
}

impl PackageSettings {
    /// Reads the settings of the target. Fails without Portage.
    pub(crate) fn of(context: &Context) -> Result<Self, BinhostError> {
        let configroot = context.configroot();
        let settings = context.settings_below(&configroot, &NAMES)?;
        let settings = settings.ok_or(BinhostError::NoPortage)?;
        Ok(Self {
            settings,
            profile: profile(&configroot),
        })
    }

    /// Returns a setting, or an empty text.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Returns the CHOST of the packages.
    pub(crate) fn chost(&self) -> &str {
        self.get("CHOST")
    }

    /// Returns the directory of the packages.
    pub(crate) fn pkgdir(&self) -> PathBuf {
        PathBuf::from(self.get("PKGDIR").trim_end_matches('/'))
    }

    /// Returns whether one of FEATURES is set.
    pub(crate) fn has_feature(&self, name: &str) -> bool {
        self.get("FEATURES").split_whitespace().any(|it| it == name)
    }

    /// Returns CFLAGS, with one space between the options.
    pub(super) fn cflags(&self) -> String {
        let words: Vec<&str> = self.get("CFLAGS").split_whitespace().collect();
        words.join(" ")
    }
}

/// Returns the profile to which make.profile leads.
fn profile(configroot: &Path) -> String {
    let link = configroot.join("etc/portage/make.profile");
    let path = fs_err::canonicalize(link).unwrap_or_default();
    let path = path.to_string_lossy();
    let (_, name) = path.rsplit_once("/profiles/").unwrap_or_default();
    name.to_owned()
}

/// Packages of another machine in the target's directory, or another machine's that may come there.
#[derive(Debug)]
pub(crate) struct Mixture {
    /// What shares the directory.
    pub(crate) text: String,
    /// The command that separates them.
    pub(crate) fix: String,
    /// Whether the packages are for another CHOST. Otherwise their CFLAGS differ.
    pub(crate) is_error: bool,
}

/// Finds packages in the target's directory that are not the target's, and what else keeps its packages there.
pub(crate) fn mixture(
    context: &Context,
    settings: &PackageSettings,
) -> Result<Option<Mixture>, BinhostError> {
    let own = Owner {
        name: String::new(),
        settings: settings.clone(),
        make_conf: etc_portage(context)?.join("make.conf"),
        directory: context.sysroot().join("var/cache/binpkgs"),
    };
    let place = |path: PathBuf| fs_err::canonicalize(&path).unwrap_or(path);
    let pkgdir = place(settings.pkgdir());
    let shown = settings.pkgdir();
    let (shown, quoted) = (shown.shown(), quote_line(shown.as_os_str()));
    // Packages that are mixed already are moved away.
    let move_all = format!("mv {quoted} {quoted}.old");
    let fix = own.command(&context.env);
    let mut warning = None;
    for other in others(context)? {
        let theirs = &other.settings;
        if theirs.get("PKGDIR").is_empty() || place(theirs.pkgdir()) != pkgdir {
            continue;
        }
        let (name, chost, cflags) = (&other.name, theirs.chost(), theirs.cflags());
        let fix = fix.clone().or_else(|| other.command(&context.env));
        let fix = fix.unwrap_or_else(|| move_all.clone());
        if chost != settings.chost() {
            return Ok(Some(Mixture {
                text: format!(
                    "{name}, whose CHOST is `{chost}`, keeps its packages in `{shown}` too"
                ),
                fix,
                is_error: true,
            }));
        }
        if cflags != settings.cflags() {
            warning = Some(Mixture {
                text: format!(
                    "{name}, whose CFLAGS are `{cflags}`, keeps its packages in `{shown}` too: Portage does not compare CFLAGS, and takes either package"
                ),
                fix,
                is_error: false,
            });
        }
    }
    let index = settings.pkgdir().join(index::INDEX);
    if index.is_file() {
        let index = index::Index::read(&index)?;
        if let Some(other) = index.chosts.iter().find(|it| *it != settings.chost()) {
            return Ok(Some(Mixture {
                text: format!("`{shown}` contains packages for `{other}`"),
                fix: fix.unwrap_or(move_all),
                is_error: true,
            }));
        }
    }
    Ok(warning)
}

/// Lists the build machine and the other targets.
fn others(context: &Context) -> Result<Vec<Owner>, BinhostError> {
    let mut all = Vec::new();
    let broot = &context.config.broot;
    if let Some(settings) = context.host_settings(&["PKGDIR", "CHOST", "CFLAGS"])? {
        all.push(Owner {
            name: "the build machine".to_owned(),
            settings: PackageSettings {
                settings,
                profile: String::new(),
            },
            make_conf: below(broot, "etc/portage/make.conf"),
            directory: below(broot, "var/cache/binpkgs"),
        });
    }
    let own = context.sysroot();
    for (tuple, sysroot) in context.config.sysroots()? {
        if sysroot == own || !sysroot.join("etc/portage/make.conf").exists() {
            continue;
        }
        let config = context.config.clone();
        let other = Context::new(context.env.clone(), config, tuple.clone())?;
        // Broken settings of another target are that target's fault.
        if let Ok(settings) = PackageSettings::of(&other) {
            all.push(Owner {
                name: format!("the target `{tuple}`"),
                settings,
                make_conf: etc_portage(&other)?.join("make.conf"),
                directory: sysroot.join("var/cache/binpkgs"),
            });
        }
    }
    Ok(all)
}
