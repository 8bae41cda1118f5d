//! Decides what init writes below `etc/portage`: in a new sysroot, in one that another user made, and in one that
//! crossdev left half-made.

use super::{
    block,
    error::InitError,
    files,
    host::HostPortage,
    options::{InitOptions, InitTarget},
    record::InitRecord,
    write::{self, Content, OnConflict, Write},
};
use crate::{
    abi,
    config::ToolchainKind,
    context::Context,
    profile::{self, EMBEDDED, Misfit, Profile, ProfileRequirements, ProfileStatus, Usr},
};
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{FileError, Places, below, read};
use once_cell::unsync::OnceCell;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The inputs of the decision.
pub(super) struct EtcPortage<'a> {
    pub(super) context: &'a Context,
    pub(super) sysroot: &'a Path,
    pub(super) places: &'a Places,
    pub(super) record: &'a InitRecord,
    pub(super) subject: &'a InitTarget,
    pub(super) host: &'a HostPortage,
    pub(super) options: &'a InitOptions,
}

impl EtcPortage<'_> {
    /// Returns the writes, and the profile to which make.profile will lead, if it is known. A make.conf that init did
    /// not write means that another user has set up the sysroot. It is accepted as it is, except for placeholders that
    /// crossdev leaves when it fails, and for a profile that the options name.
    pub(super) fn writes(
        &self,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<Write>, Option<Profile>), InitError> {
        let eprefix = self.context.eprefix();
        let configroot = below(self.sysroot, &eprefix.to_string_lossy());
        let etc = below(&configroot, "etc/portage");
        let make_conf = etc.join("make.conf");
        let make_profile = etc.join("make.profile");
        let half_made = self.half_made(&etc)?;
        let is_known = self.record.knows(write::within(&make_conf, self.sysroot));
        let theirs = self.places.exists(&make_conf)?
            && make_conf.exists()
            && !is_known
            && !self.begins_as_ours(&make_conf)?;
        if !half_made.is_empty() || theirs {
            notes.push(match half_made.is_empty() {
                true => format!("`{}` exists and is accepted as it is", etc.shown()),
                false => format!(
                    "crossdev left `{}` half-made: init fills in its placeholders",
                    etc.shown()
                ),
            });
            let mut writes = half_made;
            let mut profile = None;
            let has_profile = make_profile.exists();
            if self.options.profile.is_some() || !writes.is_empty() && !has_profile {
                let chosen = self.profile(&make_profile, notes)?;
                writes.push(Write::new(
                    make_profile,
                    Content::Link(chosen.directory.clone()),
                    OnConflict::Edit,
                ));
                profile = Some(chosen);
            }
            if !etc.join("repos.conf").exists() && self.host.repositories.all.len() > 1 {
                notes.push(format!(
                    "it has no repos.conf, so it may lack repositories of the host; to add them: ln -s {} {}",
                    below(&self.context.config.broot, "etc/portage/repos.conf").shown(),
                    etc.join("repos.conf").shown()
                ));
            }
            return Ok((writes, profile));
        }
        let chosen = self.profile(&make_profile, notes)?;
        self.note_unknown(&etc, notes);
        let adopted = self.context.settings.toolchain.as_ref();
        let is_asked = self.options.clang_target || self.options.llvm;
        let llvm = is_asked || adopted.is_some_and(|t| t.kind == ToolchainKind::Llvm);
        let target = &self.subject.target;
        let text =
            |name: &str, text| Write::new(etc.join(name), Content::Text(text), OnConflict::Config);
        let directory = Content::Directory(0o1777);
        let on_conflict = if self.options.profile.is_some() {
            OnConflict::Choice
        } else {
            OnConflict::Config
        };
        let writes = vec![
            Write::new(below(&configroot, "tmp"), directory, OnConflict::Gap),
            text(
                "profile/make.defaults",
                files::make_defaults(target, &chosen, llvm),
            ),
            text("profile/use.force", files::use_force(target, &chosen)),
            text(
                "profile/profile.bashrc",
                files::profile_bashrc(
                    target,
                    &self.context.config.own_target_file(&self.context.tuple),
                ),
            ),
            text("repos.conf", files::repos_conf(&self.host.repositories)),
            Write::new(
                make_profile,
                Content::Link(chosen.directory.clone()),
                on_conflict,
            ),
            text(
                "make.conf",
                block::copy(
                    &self.text(&make_conf)?.unwrap_or_default(),
                    &files::make_conf(
                        target,
                        self.context.cpu_flags(target),
                        &self.host.settings,
                        &configroot,
                    ),
                ),
            ),
        ];
        Ok((writes, Some(chosen)))
    }

    /// Returns whether a make.conf that is not in the record was written by init: `remove` keeps one that a user
    /// edited.
    fn begins_as_ours(&self, make_conf: &Path) -> Result<bool, InitError> {
        let first = files::first_line(&self.subject.target);
        let text = self.text(make_conf)?;
        Ok(text.is_some_and(|text| text.lines().next() == Some(&first)))
    }

    /// Reads a file of the sysroot. Returns `None` if it does not exist or cannot be read. Symlinks that lead out of
    /// the sysroot or belong to another user are not followed, since their owner would get text that only root may
    /// read.
    fn text(&self, path: &Path) -> Result<Option<String>, InitError> {
        match self.places.find(path) {
            Err(FileError::LeadsOut { .. } | FileError::ForeignLink { .. }) => Ok(None),
            node => Ok(node?.and_then(|node| node.read_to_string(read::SETTINGS).ok())),
        }
    }

    /// Returns the writes that fill in crossdev's placeholders.
    fn half_made(&self, etc: &Path) -> Result<Vec<Write>, InitError> {
        let mut writes = Vec::new();
        for name in files::TEXTS {
            let path = etc.join(name);
            let Some(text) = self.text(&path)? else {
                continue;
            };
            let cbuild = &self.host.settings["CBUILD"];
            if let Some(fixed) = files::fixed(&text, &self.subject.target, cbuild) {
                writes.push(Write::new(path, Content::Text(fixed), OnConflict::Edit));
            }
        }
        Ok(writes)
    }

    /// Chooses the profile: the one that the options name, or else the linked one, or else `embedded`.
    fn profile(&self, make_profile: &Path, notes: &mut Vec<String>) -> Result<Profile, InitError> {
        let embedded = self.embedded()?;
        let Some(asked) = &self.options.profile else {
            let linked = fs_err::read_link(make_profile)
                .ok()
                .filter(|_| make_profile.is_dir());
            return match linked {
                Some(directory) if directory != embedded.directory => Ok(Profile {
                    name: directory.display().to_string(),
                    settings: profile::settings(
                        self.context,
                        &self.host.repositories,
                        make_profile,
                    )?,
                    status: ProfileStatus::Unknown,
                    directory,
                }),
                _ => Ok(embedded),
            };
        };
        let InitTarget { target, families } = self.subject;
        let all = profile::list(self.context, target, &self.host.repositories)?;
        let makes = self.makes();
        let wanted = ProfileRequirements {
            target,
            sources: families,
            usr: Usr::of(self.sysroot),
            makes: &makes,
        };
        let chosen = match asked.as_str() {
            EMBEDDED => embedded,
            "auto" => wanted.best(&all).cloned().unwrap_or(embedded),
            name => {
                let found = profile::find(&all, name, &self.context.tuple)?;
                self.check(&found, wanted.misfit(&found), notes)?;
                found
            }
        };
        notes.push(format!(
            "profile {} ({}); `crossmerge profile list {tuple}` shows the others, `crossmerge profile set {tuple} NAME` takes one",
            chosen.name,
            chosen.status.as_str(),
            tuple = self.context.tuple
        ));
        Ok(chosen)
    }

    /// Returns a function that runs the compiler, at most once for the same flags, and returns whether it produces the
    /// target's ABI with them.
    fn makes(&self) -> impl Fn(&str) -> Option<bool> {
        let compiler = self.context.compiler();
        let make = move |flags: &str| {
            let (kind, compiler) = compiler.as_ref()?;
            let words: Vec<&str> = flags.split_whitespace().collect();
            abi::made(self.context, *kind, compiler, &words)
        };
        let own_flags = self.context.cpu_flags(&self.subject.target);
        let own = OnceCell::new();
        let known = RefCell::new(BTreeMap::<String, bool>::new());
        move |flags| {
            // The compiler may reject the flags of the tuple's CPU.
            let own = *own.get_or_init(|| make(own_flags).or_else(|| make("")));
            let own = own?;
            if let Some(known) = known.borrow().get(flags) {
                return Some(*known);
            }
            let same = make(&format!("{own_flags} {flags}")) == Some(own);
            known.borrow_mut().insert(flags.to_owned(), same);
            Some(same)
        }
    }

    /// Refuses a profile with which no package can be built or merged, if the options name it. Adds a note for one that
    /// may work.
    fn check(
        &self,
        profile: &Profile,
        misfit: Option<Misfit>,
        notes: &mut Vec<String>,
    ) -> Result<(), InitError> {
        let (name, tuple) = (&profile.name, &self.context.tuple);
        match misfit {
            None => {}
            Some(Misfit::Usr { root }) => {
                return Err(InitError::ProfileLayout {
                    profile: name.clone(),
                    wants: profile.settings.usr.map_or("", Usr::as_str),
                    sysroot: self.sysroot.into(),
                    has: root.as_str(),
                    tuple: tuple.clone(),
                });
            }
            Some(Misfit::Abi) => {
                return Err(InitError::ProfileAbi {
                    profile: name.clone(),
                    flags: profile.settings.abi_flags.clone(),
                    compiler: self.context.compiler().map_or_else(PathBuf::new, |(_, path)| path),
                    tuple: tuple.clone(),
                });
            }
            Some(Misfit::UsualAbi { abi }) => notes.push(format!(
                "`{name}` compiles with `{}`, and `{tuple}` usually means `-mabi={abi}`: its compiler must produce the profile's ABI",
                profile.settings.abi_flags
            )),
            Some(Misfit::Chost) => notes.push(format!(
                "`{name}` is for `{}`, which has another byte order, word size or float ABI than `{tuple}`",
                profile.settings.chost
            )),
        }
        Ok(())
    }

    fn embedded(&self) -> Result<Profile, InitError> {
        let repositories = &self.host.repositories;
        let main = repositories.main().ok_or(InitError::NoMainRepository)?;
        match profile::embedded(self.context, repositories, main)? {
            Some(embedded) => Ok(embedded),
            None => Err(InitError::NoEmbedded(
                main.location.join("profiles").join(EMBEDDED),
            )),
        }
    }

    /// Notes the facts for which Gentoo has no value.
    fn note_unknown(&self, etc: &Path, notes: &mut Vec<String>) {
        let target = &self.subject.target;
        for (fact, known) in [
            ("ARCH", target.arch != "unknown"),
            ("KERNEL", target.kernel.is_some()),
            ("ELIBC", target.elibc.is_some()),
        ] {
            if !known {
                notes.push(format!(
                    "Gentoo has no {fact} for `{}`; if it needs one, set it in {}",
                    target.tuple,
                    etc.join("profile/make.defaults").shown()
                ));
            }
        }
    }
}
