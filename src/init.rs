//! `init`: makes a target: its links, its sysroot, `etc/portage` in it.
//!
//! Look first ([`Request::plan`]): the machine's settings, what is in the sysroot, what a person edited. From that comes a list
//! of steps, which `--dry-run` prints and [`Request::init`] applies under a lock. Whatever can be refused is refused before the
//! first step.

mod error;
mod etc;
mod files;
mod layout;
mod links;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod record;
mod remove;
mod targets;
mod toolchain;
mod write;

pub use error::InitError;
pub use remove::remove;
pub(crate) use targets::tuples;
pub use targets::{TargetState, targets};

pub(crate) use files::{TEXTS, is_half_made};
pub(crate) use links::{bindir, links, names as link_names, place as link_place, program_from};
pub(crate) use record::Record;
pub(crate) use remove::remove_empty_parents;
pub(crate) use toolchain::Made;
pub(crate) use write::{Content, diff, is_our_command};

use crate::{
    applet::Wrappers,
    config::{Kind, Toolchain, below},
    context::{Context, canonical},
    env,
    file::{self, read},
    portage::{self, Repositories, Settings},
    profile::ProfileError,
    target::{Source, Target},
    tuple::Tuple,
};
use etc::Etc;
use layout::Layout;
use nix::fcntl::Flock;
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use write::{Care, Step, Traces, Write, named};

/// What the command line asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keep the target here from now on.
    pub sysroot: Option<PathBuf>,
    /// Make the links here from now on.
    pub bindir: Option<PathBuf>,
    /// Adopt the GNU toolchain whose tools begin so.
    pub toolchain: Option<OsString>,
    /// Adopt clang and lld.
    pub llvm: bool,
    /// Set the target up for clang, as crossdev asks with `LLVM=yes`, and adopt nothing.
    pub clang_target: bool,
    /// crossdev calls, and will remove the links that it knows of its own directory.
    pub by_crossdev: bool,
    /// Copy the adopted toolchain's libc into the sysroot.
    pub with_libc: bool,
    /// The profile to link: `auto`, or what `crossmerge profile list` shows. None keeps the one there is, or links
    /// `embedded`.
    pub profile: Option<String>,
}

/// A target as `init` gets it: its facts, and the profiles that other tuples' facts come from.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The facts.
    pub target: Target,
    /// The CPU families.
    pub families: Vec<Source>,
}

/// What init will do, decided.
#[derive(Debug)]
pub struct InitPlan {
    sysroot: PathBuf,
    steps: Vec<Step>,
    record: Record,
    notes: Vec<String>,
}

/// What the machine's Portage says for init. None where there is no Portage.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) settings: Settings,
    pub(crate) repositories: Repositories,
}

impl Host {
    pub(crate) fn ask(context: &Context) -> Result<Option<Self>, InitError> {
        let Some(mut settings) = context.host_settings(portage::INIT)? else {
            return Ok(None);
        };
        let abis = settings["MULTILIB_ABIS"].split_whitespace();
        let abis: Vec<String> = abis.map(|abi| format!("CHOST_{abi}")).collect();
        let names: Vec<&str> = abis.iter().map(String::as_str).collect();
        if !names.is_empty() {
            settings.extend(context.host_settings(&names)?.unwrap_or_default());
        }
        let repositories = Repositories::parse(&settings["PORTAGE_REPOSITORIES"]);
        Ok(Some(Self {
            settings,
            repositories,
        }))
    }

    /// Refuses a tuple for which this machine has native tools.
    pub(crate) fn check_foreign(&self, tuple: &Tuple) -> Result<(), InitError> {
        let native = self.settings.iter().find(|(name, value)| {
            (*name == "CBUILD" || name.starts_with("CHOST_")) && value.as_str() == tuple.as_str()
        });
        match native {
            None => Ok(()),
            Some((name, _)) => Err(InitError::Native {
                tuple: tuple.clone(),
                what: match name.strip_prefix("CHOST_") {
                    None => "the CBUILD".into(),
                    Some(abi) => format!("the CHOST of the ABI {abi}"),
                },
            }),
        }
    }
}

/// Everything that init is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name we were called by, which tells where links go.
    pub argv0: &'a OsStr,
    /// The applets to link.
    pub wrappers: &'a Wrappers,
    /// The target.
    pub subject: &'a Subject,
    /// What the command line asked for.
    pub options: &'a Options,
}

impl Request<'_> {
    /// Decides what init would do, and touches nothing.
    pub fn plan(&self, context: &mut Context) -> Result<InitPlan, InitError> {
        let host = self.look(context)?;
        self.decide(context, host.as_ref())
    }

    /// Decides and does it.
    ///
    /// It is decided twice: before the lock, so that what is refused is refused before even the lock's file is made,
    /// and under the lock, against what another run may have left.
    pub fn init(&self, context: &mut Context) -> Result<InitPlan, InitError> {
        let host = self.look(context)?;
        let sysroot = self.decide(context, host.as_ref())?.sysroot;
        let mut locked = lock(&sysroot)?;
        let plan = self.decide(context, host.as_ref())?;
        write::apply(&plan.steps, &plan.sysroot, &plan.record, &mut locked.traces)?;
        Ok(plan)
    }

    /// Looks at the machine and adopts what the options name, into the context; refuses what cannot be. Done once, for
    /// it may start Python and does start compilers.
    fn look(&self, context: &mut Context) -> Result<Option<Host>, InitError> {
        let host = Host::ask(context)?;
        match &host {
            Some(host) => host.check_foreign(&context.tuple)?,
            None => check_foreign_by_compiler(context)?,
        }
        let Options {
            sysroot,
            bindir,
            toolchain,
            llvm,
            ..
        } = self.options;
        if let Some(sysroot) = sysroot {
            context.settings.sysroot = Some(absolute(sysroot)?);
            context.env.unset(env::SYSROOT);
        }
        if let Some(bindir) = bindir {
            check_utf8(bindir)?;
            context.settings.bindir = Some(absolute(bindir)?);
        }
        let adopted = match toolchain {
            Some(prefix) => Some((Kind::Gnu, prefix.as_os_str())),
            None => llvm.then_some((Kind::Llvm, OsStr::new(""))),
        };
        if let Some((kind, prefix)) = adopted {
            let toolchain = toolchain::adopt(context, &self.subject.target, kind, prefix)?;
            context.settings.toolchain = Some(toolchain);
        }
        Ok(host)
    }

    /// Decides the steps against what is in the sysroot now.
    fn decide(&self, context: &Context, host: Option<&Host>) -> Result<InitPlan, InitError> {
        let Self {
            subject, options, ..
        } = *self;
        let sysroot = absolute(&context.foreign_sysroot()?)?;
        check_utf8(&sysroot)?;
        check_place(context, &sysroot)?;
        let record = Record::read(&sysroot)?;
        let mut notes = Vec::new();
        let bindir = bindir(context, self.argv0);
        if !context.path().contains(&bindir) {
            let bindir = bindir.display();
            notes.push(format!(
                "`{bindir}` is not in PATH, so its commands are found by their path only"
            ));
        }
        notes.extend(note_moved(context, &sysroot)?);
        notes.extend(subject.target.unknown_abi().map(|abi| {
            let tuple = &context.tuple;
            format!("there is no ABI `{abi}`, so it means the CPU's usual one: is `{tuple}` what you meant?")
        }));
        let mut writes = links(context, self.wrappers, &bindir)?;
        if options.by_crossdev {
            links::move_to_crossdevs(context, &bindir, &mut writes)?;
        }
        let mut profile = None;
        if let Some(host) = host {
            let (sysroot, record) = (&sysroot, &record);
            let etc = Etc {
                context,
                sysroot,
                record,
                subject,
                host,
                options,
            };
            let (of_etc, chosen) = etc.writes(&mut notes)?;
            writes.extend(of_etc);
            profile = chosen;
        } else if options.profile.is_some() {
            return Err(ProfileError::NoPortage.into());
        } else {
            let note = "no Portage here: etc/portage was left out; run init again when there is";
            notes.push(note.into());
        }
        let layout = Layout::decide(&sysroot, profile.as_ref());
        writes.extend(layout.writes(&sysroot));
        notes.extend(layout.note(&sysroot, profile.as_ref()));
        let adopted = layout::toolchain(context, subject, options, profile.as_ref());
        writes.extend(target_file(context, options, adopted.as_ref())?);
        writes.extend(layout::start_files(context, adopted.as_ref()));
        // A copy of the libc that a kill cut short is finished, asked for or not.
        let unfinished = record.pending && record.knows(Path::new("usr/include/stdio.h"));
        match &context.settings.toolchain {
            Some(adopted) if options.with_libc || unfinished => {
                writes.extend(toolchain::libc(context, adopted, &sysroot, &layout)?);
            }
            None if options.with_libc => return Err(InitError::NothingAdopted),
            _ => {}
        }
        // A directory comes with the first file in it.
        let filled: Vec<PathBuf> = writes.iter().map(|write| write.path.clone()).collect();
        writes.retain(|write| {
            let is_filled = |path: &PathBuf| path != &write.path && path.starts_with(&write.path);
            !(write.care == Care::Layout
                && matches!(write.content, Content::Folder(_))
                && filled.iter().any(is_filled))
        });
        let steps = writes
            .into_iter()
            .map(|write| Step::decide(write, &sysroot, &record));
        let steps = steps.collect::<Result<_, _>>()?;
        Ok(InitPlan {
            sysroot,
            steps,
            record,
            notes,
        })
    }
}

impl InitPlan {
    /// What changes, for a person: a line each, but one for all links and one for all of a libc.
    pub fn to_text(&self) -> String {
        let is_many = |step: &&Step| {
            step.write.care == Care::Command
                || step.write.care == Care::Gap && !matches!(step.write.content, Content::Folder(_))
        };
        let count = |care: Care| {
            let written = |step: &&Step| step.write.care == care && step.written().is_some();
            self.steps.iter().filter(is_many).filter(written).count()
        };
        let mut text = String::new();
        let bindir = self
            .steps
            .iter()
            .find(|step| step.write.care == Care::Command);
        let bindir = bindir
            .and_then(|step| step.write.path.parent())
            .unwrap_or(Path::new("."));
        if let links @ 1.. = count(Care::Command) {
            let links = counted(links, "command");
            text.push_str(&format!("new      {links} in {}\n", bindir.display()));
        }
        let lines = self
            .steps
            .iter()
            .filter(|step| !is_many(step) && step.write.care != Care::State)
            .filter_map(Step::to_line);
        lines.for_each(|line| text.push_str(&(line + "\n")));
        if let copies @ 1.. = count(Care::Gap) {
            let copies = counted(copies, "file");
            text.push_str(&format!(
                "new      {copies} of the toolchain's libc in {}\n",
                self.sysroot.display()
            ));
        }
        if text.is_empty() {
            text.push_str("nothing to do: everything is as init would make it\n");
        }
        text + &self
            .notes
            .iter()
            .map(|note| format!("note: {note}\n"))
            .collect::<String>()
    }

    /// The writes as diffs. Nothing when there are none.
    pub fn to_diff(&self) -> Result<String, InitError> {
        Ok(self
            .steps
            .iter()
            .map(Step::to_diff)
            .collect::<Result<String, _>>()?)
    }

    /// What a person should know besides.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// So many of something, in words for a person.
fn counted(many: usize, what: &str) -> String {
    match many {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// The sysroot's lock, held, and what was made under it, which goes before the lock does.
#[derive(Debug)]
struct Locked {
    traces: Traces,
    _held: Flock<File>,
}

/// Takes the sysroot's lock; waits, and after a moment says so, while another holds it.
fn lock(sysroot: &Path) -> Result<Locked, InitError> {
    let mut traces = Traces::default();
    let held = file::take(&sysroot.join(record::LOCK), sysroot, &mut traces.0)?;
    Ok(Locked {
        traces,
        _held: held,
    })
}

/// Takes the sysroot's lock where init has been; elsewhere nobody else has it either.
pub(crate) fn lock_if_there(sysroot: &Path) -> Result<Option<Flock<File>>, InitError> {
    let is_there = sysroot.join(record::FOLDER).is_dir();
    let held = || file::take(&sysroot.join(record::LOCK), sysroot, &mut Vec::new());
    Ok(is_there.then(held).transpose()?)
}

/// Refuses a path that could not be written to a text file as it is.
pub(crate) fn check_utf8(path: &Path) -> Result<(), InitError> {
    let unwritable = path
        .to_str()
        .is_none_or(|path| path.contains(char::is_control));
    if unwritable {
        Err(InitError::NotText(path.into()))
    } else {
        Ok(())
    }
}

/// Refuses a sysroot that is no folder, that this machine's own system is in, or that is another target's.
fn check_place(context: &Context, sysroot: &Path) -> Result<(), InitError> {
    let is_default = *sysroot == context.default_sysroot();
    let place = canonical(sysroot);
    let others = || targets(&context.env, &context.config);
    let why = if sysroot.exists() && !sysroot.is_dir() {
        "it is no folder".to_owned()
    } else if is_default {
        return Ok(());
    } else if canonical(&below(&context.config.broot, "usr")).starts_with(&place) {
        "this machine's own files are in it".to_owned()
    } else if let Some(other) = others()?
        .iter()
        .find(|other| other.tuple != context.tuple.as_str() && canonical(&other.sysroot) == place)
    {
        format!("it is the sysroot of `{}`", other.tuple)
    } else {
        return Ok(());
    };
    Err(InitError::NoPlace {
        sysroot: sysroot.into(),
        tuple: context.tuple.clone(),
        why,
    })
}

/// Says that the target was elsewhere until now, when init has been there for the same user.
fn note_moved(context: &Context, sysroot: &Path) -> Result<Option<String>, InitError> {
    let before = context.config.target(&context.tuple)?.sysroot;
    let before = before.unwrap_or_else(|| context.default_sysroot());
    let is_moved = context.settings.sysroot.as_deref() == Some(sysroot) && before != sysroot;
    let is_ours = || {
        let owner = before.metadata().map(|there| there.uid());
        owner.is_ok_and(|owner| owner == nix::unistd::geteuid().as_raw())
    };
    let was_there = is_moved && is_ours() && !Record::read(&before)?.is_empty();
    Ok(was_there.then(|| {
        let before = before.display();
        format!(
            "the target was in `{before}` until now: what is there stays, and is yours to delete"
        )
    }))
}

fn absolute(path: &Path) -> Result<PathBuf, InitError> {
    std::path::absolute(path).map_err(|e| named(e, path))
}

/// Without Portage, the native compiler says what this machine is.
pub(crate) fn check_foreign_by_compiler(context: &Context) -> Result<(), InitError> {
    match context.machine_of_cc().as_deref() == Some(context.tuple.as_str()) {
        false => Ok(()),
        true => Err(InitError::Native {
            tuple: context.tuple.clone(),
            what: "the native tuple".into(),
        }),
    }
}

/// `targets/<tuple>.toml`, when the options say something that lasts. What a person wrote in it stays. One of a person's own begins
/// as the machine's, in whose place it is read.
fn target_file(
    context: &Context,
    options: &Options,
    adopted: Option<&Toolchain>,
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
    if let (Some(_), Some(sysroot)) = (&options.sysroot, &context.settings.sysroot) {
        put("sysroot", sysroot);
    }
    if let (Some(_), Some(bindir)) = (&options.bindir, &context.settings.bindir) {
        put("bindir", bindir);
    }
    if let Some(adopted) = adopted {
        let table = toolchain_table(adopted);
        let is_new = options.llvm || options.toolchain.is_some();
        match document
            .get_mut("toolchain")
            .and_then(toml_edit::Item::as_table_mut)
        {
            // Only what differs: the user may have written notes beside it.
            Some(recorded) if !is_new => {
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
    let edited = document.to_string();
    let own = context.config.own_target_file(&context.tuple);
    Ok((edited != text).then(|| Write::new(own, Content::Text(edited), Care::Edit)))
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
    if let Some(links) = &toolchain.start_files {
        table["start_files"] = toml_edit::value(links.to_string_lossy().as_ref());
    }
    table
}

/// A value without the spaces and comments around it.
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
