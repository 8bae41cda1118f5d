//! `init`: makes a target: its symlinks, its sysroot, and the sysroot's `etc/portage`.
//!
//! [`InitRequest::plan`] reads the host's settings, the sysroot and the user's edits in it, and decides on a list of
//! steps. `--dry-run` prints them, and [`InitRequest::init`] applies them under a lock. Every error that can be known
//! in advance is found before the first step.

pub(crate) mod block;
mod change;
mod check;
mod error;
mod etc;
mod files;
pub(crate) mod find;
mod host;
pub(crate) mod installed;
mod interpreter;
mod layout;
mod links;
mod lock;
mod options;
mod packages;
mod paths;
mod place;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod record;
mod remove;
pub(crate) mod toolchain;
mod traits;
mod wanted;
mod write;
mod zig;

pub use error::InitError;
pub use remove::remove;

pub(crate) use change::{FileChange, change_files};
pub(crate) use check::{check_foreign_by_compiler, instead, shadowed};
pub(crate) use files::{TEXTS, is_half_made};
pub(crate) use links::links;
pub(crate) use packages::is_packaged;
pub(crate) use record::InitRecord;
pub(crate) use remove::remove_empty_parents;
pub(crate) use traits::{Headers, Traits};
pub(crate) use write::Content;

use crate::{
    applet::Wrappers,
    config::Toolchain,
    context::Context,
    distribution::Distribution,
    links::bindir,
    profile::{Profile, ProfileError},
    target::Target,
};
use crossmerge_plan::{
    report::{Explain, counted},
    shown::Show,
};
use crossmerge_system::file::{self, Places, read};
use etc::EtcPortage;
pub(crate) use host::HostPortage;
use layout::Layout;
use lock::lock;
pub(crate) use lock::{lock_if_there, lock_or_go_on};
pub use options::{InitOptions, InitTarget};
use packages::Packages;
use paths::absolute;
pub(crate) use paths::{check_utf8, etc_portage};
use std::{
    ffi::OsStr,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use wanted::{WantedSettings, WantedToolchain};
use write::{OnConflict, Write, WriteStep};

/// The steps that init will do, with its report.
#[derive(Debug)]
pub struct InitPlan {
    sysroot: PathBuf,
    places: Option<Places>,
    steps: Vec<WriteStep>,
    record: InitRecord,
    notes: Vec<String>,
    next: Option<String>,
    /// crossmerge's symlinks for tools that the toolchain does not have. They are removed last.
    stale: Vec<PathBuf>,
    /// The packages of the libc, which Portage merges after everything else.
    packages: Packages,
}

/// The arguments of init.
#[derive(Debug, Clone, Copy)]
pub struct InitRequest<'a> {
    /// The name by which crossmerge was called; the symlinks go to its directory.
    pub argv0: &'a OsStr,
    /// The applets, each of which gets a symlink.
    pub wrappers: &'a Wrappers,
    /// The target.
    pub subject: &'a InitTarget,
    /// The options of the command line.
    pub options: &'a InitOptions,
}

impl InitRequest<'_> {
    /// Decides on the steps, and changes nothing.
    pub fn plan(&self, context: &Context) -> Result<InitPlan, InitError> {
        if let Some(plan) = self.of_the_system(context)? {
            return Ok(plan);
        }
        self.decide(&self.lookups(context)?)
    }

    /// Decides on the steps and does them.
    ///
    /// It decides twice: first without the lock, so that an early error creates no file, not even the lock, and again
    /// under the lock, since another run may have changed the sysroot.
    pub fn init(&self, context: &Context) -> Result<InitPlan, InitError> {
        if let Some(plan) = self.of_the_system(context)? {
            return Ok(plan);
        }
        let seen = self.lookups(context)?;
        let sysroot = self.decide(&seen)?.sysroot;
        let mut locked = lock(&sysroot)?;
        let mut plan = self.decide(&seen)?;
        for link in &plan.stale {
            file::find_nofollow_to_change(link)?;
        }
        if let Some(places) = &plan.places {
            write::apply(&plan.steps, places, &plan.record, &mut locked.rollback)?;
        }
        for link in &plan.stale {
            file::remove(link)?;
        }
        if let Some(places) = &plan.places {
            for path in &plan.packages.outdated {
                places.remove(path)?;
            }
        }
        // Portage may call crossmerge's own commands, which take the lock too.
        drop(locked);
        plan.merge(&seen)?;
        Ok(plan)
    }

    /// Returns the plan for an ordinary user who requests nothing beyond a target that root has made: there is nothing
    /// to do.
    fn of_the_system(&self, context: &Context) -> Result<Option<InitPlan>, InitError> {
        if !self.options.is_plain() || !place::is_systems_target(context)? {
            return Ok(None);
        }
        let sysroot = context.sysroot();
        let (tuple, place) = (&context.tuple, sysroot.shown());
        let note = format!(
            "root has made the target, in `{place}`, and you can use it; `crossmerge init {tuple} --sysroot DIR` makes your own"
        );
        Ok(Some(InitPlan {
            steps: Vec::new(),
            record: InitRecord::default(),
            notes: vec![note],
            next: None,
            stale: Vec::new(),
            packages: Packages::default(),
            sysroot,
            places: None,
        }))
    }

    /// Reads the host's settings, and decides on the target's. Fails if a toolchain does not fit. Done only once, because
    /// it may start Python and starts compilers.
    fn lookups(&self, context: &Context) -> Result<Lookups, InitError> {
        let host = HostPortage::ask(context)?;
        match &host {
            Some(host) => host.check_foreign(&context.tuple)?,
            None => check_foreign_by_compiler(context)?,
        }
        let wanted = WantedSettings::decide(context, self.argv0, self.subject, self.options)?;
        Ok(Lookups {
            context: wanted.applied_to(context),
            host,
            wanted,
        })
    }

    /// Decides on the steps, from the current state of the sysroot.
    fn decide(&self, seen: &Lookups) -> Result<InitPlan, InitError> {
        let Lookups {
            context,
            host,
            wanted,
        } = seen;
        let Self {
            subject, options, ..
        } = *self;
        let sysroot = absolute(&context.foreign_sysroot()?)?;
        check_utf8(&sysroot)?;
        check::check_sysroot(context, &sysroot)?;
        let places = Places::of(&sysroot)?;
        let record = InitRecord::of(places.tree())?;
        let bindir = bindir(context, self.argv0);
        let mut notes = notes_on_places(context, wanted, &bindir, &sysroot);
        notes.extend(note_moved(context, &sysroot)?);
        notes.extend(subject.target.unknown_abi().map(|abi| {
            let tuple = &context.tuple;
            format!(
                "there is no ABI `{abi}`, so `{tuple}` gets the CPU's usual ABI; check the spelling"
            )
        }));
        if context.settings.toolchain.is_some() {
            check::check_layout(context, &subject.target, &sysroot, options)?;
            check::check_shadows(context, self.wrappers, &bindir, options)?;
            notes.extend(zig::note_tools(context));
        } else {
            notes.extend(check::note_compiler_elsewhere(context, &sysroot, options));
        }
        let mut writes = links(context, self.wrappers, &bindir)?;
        if options.by_crossdev {
            links::move_to_crossdevs(context, &bindir, &mut writes)?;
        }
        let (of_etc, profile) = self.etc_portage(seen, &places, &record, &mut notes)?;
        writes.extend(of_etc);
        let layout = Layout::decide(&sysroot, profile.as_ref());
        writes.extend(layout.writes(&sysroot));
        notes.extend(layout.note(&sysroot, profile.as_ref()));
        let adopted = layout::toolchain(context, subject, options, profile.as_ref());
        writes.extend(target_file(context, adopted.as_ref(), wanted)?);
        writes.extend(layout::start_files(context, adopted.as_ref()));
        writes.extend(self.libc(context, &layout, &sysroot, &record, &mut notes)?);
        leave_out_filled(&mut writes);
        if options.find {
            notes.extend(wanted.found.declined.iter().cloned());
        }
        let decide = |writes: Vec<Write>| {
            let steps = writes.into_iter();
            let steps = steps.map(|write| WriteStep::decide(write, &places, &record));
            steps.collect::<Result<Vec<_>, _>>()
        };
        let repos_conf = writes
            .iter()
            .position(|w| w.path.ends_with("etc/portage/repos.conf"));
        let repos_conf = repos_conf.map(|at| writes.remove(at));
        let mut steps = decide(writes)?;
        let packages = match (&repos_conf, &adopted) {
            (Some(repos_conf), Some(toolchain)) => packages::Making {
                context,
                target: &subject.target,
                toolchain,
                places: &places,
                record: &record,
                steps: &steps,
                etc: repos_conf.path.parent().unwrap_or(&sysroot),
            }
            .decide()?,
            _ => Packages::default(),
        };
        let mut writes = packages.writes.clone();
        if let Some(mut repos_conf) = repos_conf {
            let is_made = !writes.is_empty() || packages::location(&sysroot).is_dir();
            if let (Content::Text(text), true) = (&mut repos_conf.content, is_made) {
                text.push_str(&packages::section(&sysroot));
            }
            writes.insert(0, repos_conf);
        }
        steps.extend(decide(writes)?);
        let is_new = |step: &WriteStep| {
            step.write.on_conflict == OnConflict::Command && step.written().is_some()
        };
        let is_first = steps.iter().any(is_new);
        Ok(InitPlan {
            stale: links::stale(context, self.wrappers, &bindir),
            packages,
            sysroot,
            places: Some(places),
            steps,
            record,
            notes,
            next: self.next(context, host.is_some(), is_first),
        })
    }

    /// Returns the writes in etc/portage, and the profile to which make.profile will lead, if it is known. There are none
    /// without Portage on the host.
    fn etc_portage(
        &self,
        seen: &Lookups,
        places: &Places,
        record: &InitRecord,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<Write>, Option<Profile>), InitError> {
        match &seen.host {
            Some(host) => EtcPortage {
                context: &seen.context,
                sysroot: places.path(),
                places,
                record,
                subject: self.subject,
                host,
                options: self.options,
            }
            .writes(notes),
            None if self.options.profile.is_some() => Err(ProfileError::NoPortage.into()),
            None => {
                let libc = match self.options.with_libc {
                    true => ", and the libc belongs to no package",
                    false => "",
                };
                notes.push(format!(
                    "there is no Portage on the host, so init did not write etc/portage{libc}; run it again after you install Portage"
                ));
                Ok((Vec::new(), None))
            }
        }
    }

    /// Returns the writes that copy the adopted toolchain's libc, if they are wanted.
    fn libc(
        &self,
        context: &Context,
        layout: &Layout,
        sysroot: &Path,
        record: &InitRecord,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Write>, InitError> {
        let (target, options) = (&self.subject.target, self.options);
        // An interrupted copy of the libc is completed, even without `--with-libc`.
        let unfinished = record.pending && record.knows(Path::new("usr/include/stdio.h"));
        match &context.settings.toolchain {
            Some(adopted) if options.with_libc || unfinished => {
                toolchain::libc(context, target, adopted, sysroot, layout)
            }
            None if options.with_libc && options.toolchain.is_none() && !options.llvm => {
                Err(InitError::NothingAdopted)
            }
            Some(adopted) if self.is_libc_to_find(context, sysroot) => {
                match toolchain::libc(context, target, adopted, sysroot, layout) {
                    Err(e @ (InitError::NoLibc { .. } | InitError::HostLibc(_))) => {
                        notes.push(format!(
                            "{e}, so the sysroot has no libc yet; {}",
                            e.hint().unwrap_or_default()
                        ));
                        Ok(Vec::new())
                    }
                    copies => copies,
                }
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Returns whether init copies the libc of the toolchain that it found: if the sysroot has none.
    fn is_libc_to_find(&self, context: &Context, sysroot: &Path) -> bool {
        // A bare-metal compiler has its libc in its own directories.
        let has_system = self.subject.target.kernel.is_some();
        let is_found = context.settings.find_toolchain == Some(true);
        self.options.find && is_found && has_system && !find::has_libc(sysroot)
    }

    /// Returns the next command for the user: to check the target, or to install a compiler first.
    fn next(&self, context: &Context, has_portage: bool, is_first: bool) -> Option<String> {
        if !self.options.find {
            return None;
        }
        let tuple = &context.tuple;
        if let Some((kind, _)) = context.compiler().filter(|(_, path)| path.is_file()) {
            if !is_first {
                return None;
            }
            let driver = kind.driver();
            let other = if has_portage { "emerge" } else { "cmake" };
            return Some(format!(
                "`crossmerge doctor {tuple}` checks the target; `{tuple}-{driver}` and `{tuple}-{other}` build for it"
            ));
        }
        if context.settings.find_toolchain == Some(false) {
            return None;
        }
        let InitTarget { target, families } = self.subject;
        let distribution = Distribution::of(&context.env, &context.config.broot);
        // The package of the host's own compiler contains no cross compiler.
        let native = context.machine_of_cc().and_then(|tuple| tuple.parse().ok());
        let native = native.and_then(|tuple| Target::of(&tuple, families, "").ok());
        let install = match native.is_some_and(|native| native.serves(target)) {
            true => None,
            false => distribution.compiler(target, families),
        };
        let ways = match install {
            Some(command) => format!("`{command} && crossmerge init {tuple}`"),
            None if target.zig.is_some() && zig::is_installed(context) => {
                format!("`crossmerge init {tuple} --toolchain zig` adopts Zig")
            }
            None if find::has_clang(context) => format!(
                "`crossmerge init {tuple} --llvm` adopts clang, `--toolchain PREFIX` an SDK's"
            ),
            None => format!("`crossmerge init {tuple} --toolchain PREFIX` adopts an SDK's"),
        };
        Some(format!(
            "no compiler for `{tuple}` is installed: {ways}; `crossmerge toolchain build {tuple}` builds one"
        ))
    }
}

/// What init looked up on the host, and what it decided by that about the target's settings.
#[derive(Debug)]
struct Lookups {
    /// The context with the settings that are wanted.
    context: Context,
    host: Option<HostPortage>,
    wanted: WantedSettings,
}

/// Removes the writes of the layout's directories that other writes fill: these are created with their first file.
fn leave_out_filled(writes: &mut Vec<Write>) {
    let filled: Vec<PathBuf> = writes.iter().map(|write| write.path.clone()).collect();
    writes.retain(|write| {
        let is_filled = |path: &PathBuf| path != &write.path && path.starts_with(&write.path);
        !(write.on_conflict == OnConflict::Layout
            && matches!(write.content, Content::Directory(_))
            && filled.iter().any(is_filled))
    });
}

/// Returns the notes on the directories of the target that a user has to know about.
fn notes_on_places(
    context: &Context,
    wanted: &WantedSettings,
    bindir: &Path,
    sysroot: &Path,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !context.path().iter().any(|directory| directory == bindir) {
        let bindir = bindir.shown();
        notes.push(format!(
            "`{bindir}` is not in PATH, so a shell does not find its commands: `export PATH=\"{bindir}:$PATH\"`"
        ));
    }
    if wanted.place.sysroot.is_some() {
        let (sysroot, file) = (
            sysroot.shown(),
            context.config.own_target_file(&context.tuple),
        );
        let file = file.shown();
        notes.push(format!(
            "you are not root, so the target is your own: its sysroot is `{sysroot}`, its settings are in `{file}`"
        ));
    }
    if sysroot.to_string_lossy().contains(char::is_whitespace) {
        let sysroot = sysroot.shown();
        notes.push(format!(
            "pkg-config cannot print a sysroot with white space in its path, `{sysroot}`: `--sysroot DIR` names another"
        ));
    }
    notes
}

impl InitPlan {
    /// Lets Portage merge the packages that are due. If it fails, the libc is still in the sysroot, so that is a note.
    fn merge(&mut self, seen: &Lookups) -> Result<(), InitError> {
        let (Some(host), false) = (&seen.host, self.packages.due.is_empty()) else {
            return Ok(());
        };
        let names = self.packages.names().join(" and ");
        let cbuild = &host.settings["CBUILD"];
        match self.packages.merge(&seen.context, cbuild, &self.sysroot) {
            Ok(()) => self.packages.record(&self.sysroot),
            Err(why) => {
                let tuple = &seen.context.tuple;
                self.notes.push(format!(
                    "the libc is in the sysroot, but belongs to no package, so no other root gets it: {why}; `crossmerge init {tuple}` tries to merge {names} again"
                ));
                self.packages.due.clear();
                Ok(())
            }
        }
    }

    /// Renders the changes for a user: one line each, but one line for all commands and one for all files of a libc.
    pub fn to_text(&self) -> String {
        let is_summed_up = |step: &&WriteStep| {
            step.write.on_conflict == OnConflict::Command
                || step.write.on_conflict == OnConflict::Gap
                    && !matches!(step.write.content, Content::Directory(_))
        };
        let count = |on_conflict: OnConflict| {
            let written = |step: &&WriteStep| {
                step.write.on_conflict == on_conflict && step.written().is_some()
            };
            self.steps
                .iter()
                .filter(is_summed_up)
                .filter(written)
                .count()
        };
        let mut text = String::new();
        let bindir = self
            .steps
            .iter()
            .find(|step| step.write.on_conflict == OnConflict::Command);
        let bindir = bindir
            .and_then(|step| step.write.path.parent())
            .unwrap_or(Path::new("."));
        if let links @ 1.. = count(OnConflict::Command) {
            let links = counted(links, "command");
            text.push_str(&format!("new      {links} in {}\n", bindir.shown()));
        }
        let lines = self
            .steps
            .iter()
            .filter(|step| !is_summed_up(step) && step.write.on_conflict != OnConflict::State)
            .filter_map(WriteStep::to_line);
        lines.for_each(|line| text.push_str(&(line + "\n")));
        if let copies @ 1.. = count(OnConflict::Gap) {
            let copies = counted(copies, "file");
            text.push_str(&format!(
                "new      {copies} of the toolchain's libc in {}\n",
                self.sysroot.shown()
            ));
        }
        if !self.packages.due.is_empty() {
            let names = self.packages.names().join(", ");
            text.push_str(&format!("merged   {names}\n"));
        }
        if let (Some(link), many) = (self.stale.first(), self.stale.len()) {
            let (links, bindir) = (counted(many, "command"), link.parent().unwrap_or(link));
            text.push_str(&format!(
                "removed  {links} in {}: the toolchain has no such tool\n",
                bindir.shown()
            ));
        }
        if text.is_empty() {
            text.push_str("nothing to do: everything is as init would write it\n");
        }
        text.extend(self.notes.iter().map(|note| format!("note: {note}\n")));
        text.extend(self.next.iter().map(|next| format!("next: {next}\n")));
        text
    }

    /// Renders the changes as diffs; empty if there are none.
    pub fn to_diff(&self) -> Result<String, InitError> {
        let mut text = String::new();
        for step in &self.steps {
            if let Some(places) = &self.places {
                text.push_str(&step.to_diff(places)?);
            }
        }
        for link in self.stale.iter().chain(&self.packages.outdated) {
            text.push_str(&format!("remove {}\n", link.shown()));
        }
        for name in self.packages.names() {
            text.push_str(&format!("merge {name}\n"));
        }
        Ok(text)
    }

    /// Returns notes for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Notes that the target has moved, if the same user had made it in another directory.
fn note_moved(context: &Context, sysroot: &Path) -> Result<Option<String>, InitError> {
    let before = context.config.target(&context.tuple)?.sysroot;
    let before = before.unwrap_or_else(|| context.default_sysroot());
    let is_moved = context.settings.sysroot.as_deref() == Some(sysroot) && before != sysroot;
    let is_ours = || {
        let owner = before.metadata().map(|there| there.uid());
        owner.is_ok_and(|owner| owner == nix::unistd::geteuid().as_raw())
    };
    let was_there = is_moved && is_ours() && !InitRecord::read(&before)?.is_empty();
    Ok(was_there.then(|| {
        let before = before.shown();
        format!(
            "the target was in `{before}` until now; that directory stays, and you can delete it"
        )
    }))
}

/// Decides on the write of `targets/<tuple>.toml`, if the options change it. A user's own lines in it stay. A user's
/// own file begins as a copy of the system's, which it replaces.
fn target_file(
    context: &Context,
    adopted: Option<&Toolchain>,
    wanted: &WantedSettings,
) -> Result<Option<Write>, InitError> {
    let file = context.config.target_file(&context.tuple);
    let text = match read::read_to_string(&file, read::CONFIGURATION) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let mut document: toml_edit::DocumentMut =
        text.parse()
            .map_err(|e: toml_edit::TomlError| InitError::NotToml {
                file: file.clone(),
                message: e.to_string(),
            })?;
    let mut put =
        |key: &str, path: &Path| document[key] = toml_edit::value(path.to_string_lossy().as_ref());
    if let Some(sysroot) = &wanted.sysroot {
        put("sysroot", sysroot);
    }
    if let Some(bindir) = &wanted.bindir {
        put("bindir", bindir);
    }
    let is_chosen = wanted.chooses_toolchain();
    let wants_none = matches!(wanted.toolchain, WantedToolchain::Nothing);
    if let Some(adopted) = adopted {
        let table = toolchain_table(adopted);
        match document
            .get_mut("toolchain")
            .and_then(toml_edit::Item::as_table_mut)
        {
            // Only keys that differ are written, because the user may have added comments.
            Some(recorded) if !is_chosen => {
                for key in ["options", "libdirs", "start_files"] {
                    match table.get(key) {
                        None => drop(recorded.remove(key)),
                        Some(value) if as_text(recorded.get(key)) != as_text(Some(value)) => {
                            recorded[key] = value.clone();
                        }
                        Some(_) => {}
                    }
                }
            }
            _ => document["toolchain"] = toml_edit::Item::Table(table),
        }
    }
    if wants_none {
        document.remove("toolchain");
    }
    match context.settings.find_toolchain {
        Some(find) if is_chosen || wants_none => {
            document["find_toolchain"] = toml_edit::value(find);
        }
        None if is_chosen => drop(document.remove("find_toolchain")),
        _ => {}
    }
    let edited = document.to_string();
    let own = context.config.own_target_file(&context.tuple);
    Ok((edited != text).then(|| Write::new(own, Content::Text(edited), OnConflict::First)))
}

fn toolchain_table(toolchain: &Toolchain) -> toml_edit::Table {
    let mut table = toml_edit::Table::new();
    table["kind"] = toml_edit::value(toolchain.kind.as_str());
    table["prefix"] = toml_edit::value(toolchain.prefix.to_string_lossy().as_ref());
    if !toolchain.options.is_empty() {
        table["options"] = toml_edit::value(toolchain.options.iter().collect::<toml_edit::Array>());
    }
    if let Some(libdirs) = &toolchain.libdirs {
        table["libdirs"] = toml_edit::value(libdirs.iter().collect::<toml_edit::Array>());
    }
    if let Some(binutils) = &toolchain.binutils {
        table["binutils"] = toml_edit::value(binutils.to_string_lossy().as_ref());
    }
    if let Some(links) = &toolchain.start_files {
        table["start_files"] = toml_edit::value(links.to_string_lossy().as_ref());
    }
    table
}

/// Renders a value without the spaces and comments around it.
fn as_text(item: Option<&toml_edit::Item>) -> Option<String> {
    let value = item?.as_value()?;
    Some(match value.as_array() {
        Some(array) => array
            .iter()
            .map(|one| format!("{}\n", one.to_string().trim()))
            .collect(),
        None => value.clone().decorated("", "").to_string(),
    })
}
