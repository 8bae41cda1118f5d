//! `init`: makes a target: its links, its sysroot, `etc/portage` in it.
//!
//! Look first ([`plan`]): the machine's settings, what is in the sysroot, what a person edited. From that comes a list
//! of steps, which `--dry-run` prints and [`init`] applies under a lock. Whatever can be refused is refused before the
//! first step.

mod etc;
mod files;
mod record;
mod remove;
mod targets;
mod toolchain;
mod write;

pub use remove::remove;
pub use targets::{TargetState, targets};

pub(crate) use record::Record;
pub(crate) use toolchain::{Made, present};
pub(crate) use write::is_our_command;

use crate::{
    applet::{AppletError, Wrappers},
    config::{ConfigError, Kind, Toolchain},
    context::{Context, ContextError, Identity},
    env,
    exec::{self, ExecError},
    plan::{Changes, Plan},
    portage::{self, PortageError, Repositories, Settings},
    profile::ProfileError,
    target::{Source, Target, TargetError},
    tuple::Tuple,
};
use etc::Etc;
use nix::fcntl::{Flock, FlockArg};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};
use write::{Care, Content, Step, Write, named};

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

/// Why init does nothing.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the variants mean")]
pub enum InitError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Applet(#[from] Box<AppletError>),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Portage(#[from] PortageError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("`{tuple}` is {what} of this machine: its wrappers would shadow native tools")]
    Native { tuple: Tuple, what: String },
    #[error("`{path}` is not crossmerge's, and a link of ours would replace it", path = .0.display())]
    NotOurs(PathBuf),
    #[error("`{path}` is not a folder", path = .0.display())]
    NotAFolder(PathBuf),
    #[error("`{path}` has ten thousand files `._cfgNNNN_` beside it", path = .0.display())]
    TooManyBeside(PathBuf),
    #[error("Portage has no main repository, so there is no profile to link")]
    NoMainRepository,
    #[error("the main repository has no profile `{path}`", path = .0.display())]
    NoEmbedded(PathBuf),
    #[error("the toolchain has no compiler `{name}` in PATH", name = .0.display())]
    NoCompiler(OsString),
    #[error("`{compiler}` cannot compile an empty file:\n{said}", compiler = .compiler.display())]
    CompilerFails { compiler: OsString, said: String },
    #[error("`{compiler}` does not build for `{tuple}`: it makes {made}, and the tuple means {wanted}", compiler = .compiler.display())]
    WrongMachine {
        compiler: OsString,
        tuple: Tuple,
        made: Made,
        wanted: Made,
    },
    #[error("`{compiler}` does not tell where its libc is", compiler = .0.display())]
    NoLibc(OsString),
    #[error("the toolchain's libc is this machine's own, in `{path}`", path = .0.display())]
    HostLibc(PathBuf),
    #[error("`--with-libc` needs an adopted toolchain whose libc it copies")]
    NothingAdopted,
    #[error("`{file}`: {message}", file = .file.display())]
    NotToml { file: PathBuf, message: String },
    #[error("`{0}` is not initialised: it has no sysroot, no link and no configuration of ours")]
    NotInitialised(Tuple),
}

impl InitError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Config(e) => e.hint(),
            Self::Context(e) => e.hint(),
            Self::Applet(e) => e.hint(),
            Self::Exec(e) => e.hint(),
            Self::Portage(e) => e.hint(),
            Self::Profile(e) => e.hint(),
            Self::Target(e) => e.hint(),
            Self::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root, or keep the target in folders of your own: `--sysroot DIR --bindir DIR`".into()
            }
            Self::Io(_) => "mend that and run it again: what is done is kept".into(),
            Self::Native { .. } => "give the target a vendor of its own, as in `i686-cross-linux-gnu`".into(),
            Self::NotOurs(path) => {
                format!("keep the links elsewhere with `--bindir DIR`, or move it away: `mv {0} {0}.old`", path.display())
            }
            Self::NotAFolder(path) => format!("move it away: `mv {0} {0}.old`", path.display()),
            Self::TooManyBeside(_) => "merge them with `etc-update` or `dispatch-conf`".into(),
            Self::NoMainRepository => "name one as main-repo in /etc/portage/repos.conf; `portageq envvar PORTAGE_REPOSITORIES` shows what Portage sees".into(),
            Self::NoEmbedded(_) => "sync the repository: `emerge --sync`".into(),
            Self::NoCompiler(_) => "give what stands before `gcc` in its tools' names: `--toolchain /opt/sdk/bin/arm-linux-gnueabi-`, or install clang for `--llvm`".into(),
            Self::CompilerFails { .. } => "the toolchain itself is broken: mend or reinstall it".into(),
            Self::WrongMachine { .. } => "adopt the toolchain of that tuple; `crossmerge show <tuple>` prints what it means".into(),
            Self::NoLibc(_) => "copy headers and libraries into the sysroot yourself, and leave `--with-libc` out".into(),
            Self::HostLibc(_) => "adopt a cross toolchain with a libc of its own".into(),
            Self::NothingAdopted => "add `--toolchain PREFIX` or `--llvm`".into(),
            Self::NotToml { file, .. } => format!("mend it, or move it away: `mv {0} {0}.old`", file.display()),
            Self::NotInitialised(_) => "`crossmerge targets` lists those that are".into(),
        }
    }
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

/// What init has to know before it decides: asked once, for it costs starts of Python and of compilers.
#[derive(Debug)]
struct Looked {
    host: Option<Host>,
    argv0: OsString,
}

/// Looks at the machine and adopts what the options name, into the context; refuses what cannot be.
fn look(
    context: &mut Context,
    subject: &Subject,
    options: &Options,
    argv0: &OsStr,
) -> Result<Looked, InitError> {
    let host = Host::ask(context)?;
    match &host {
        Some(host) => host.check_foreign(&context.tuple)?,
        None => check_foreign_by_compiler(context)?,
    }
    if let Some(sysroot) = &options.sysroot {
        context.settings.sysroot = Some(absolute(sysroot)?);
        context.env.unset(env::SYSROOT);
    }
    if let Some(bindir) = &options.bindir {
        context.settings.bindir = Some(absolute(bindir)?);
    }
    if let Some(prefix) = &options.toolchain {
        context.settings.toolchain = Some(toolchain::adopt(
            context,
            &subject.target,
            Kind::Gnu,
            prefix,
        )?);
    } else if options.llvm {
        context.settings.toolchain = Some(toolchain::adopt(
            context,
            &subject.target,
            Kind::Llvm,
            OsStr::new(""),
        )?);
    }
    Ok(Looked {
        host,
        argv0: argv0.to_owned(),
    })
}

/// Decides the steps against what is in the sysroot now.
fn decide(
    context: &Context,
    wrappers: &Wrappers,
    subject: &Subject,
    options: &Options,
    looked: &Looked,
) -> Result<InitPlan, InitError> {
    let sysroot = absolute(&context.sysroot())?;
    let record = Record::read(&sysroot)?;
    let mut notes = Vec::new();
    let mut writes = links(context, wrappers, &looked.argv0)?;
    writes.extend(target_file(context, options)?);
    match &looked.host {
        Some(host) => {
            let etc = Etc {
                context,
                sysroot: &sysroot,
                record: &record,
                subject,
                host,
                options,
            };
            writes.extend(etc.writes(&mut notes)?);
        }
        None => notes
            .push("no Portage here: etc/portage was left out; run init again when there is".into()),
    }
    // A copy of the libc that a kill cut short is finished, asked for or not.
    let unfinished = record.pending && record.knows(Path::new("usr/include/stdio.h"));
    match &context.settings.toolchain {
        Some(adopted) if options.with_libc || unfinished => {
            writes.extend(toolchain::libc(context, adopted, &sysroot)?);
        }
        None if options.with_libc => return Err(InitError::NothingAdopted),
        _ => {}
    }
    let steps = writes
        .into_iter()
        .map(|write| Step::decide(write, &sysroot, &record))
        .collect::<Result<_, _>>()?;
    Ok(InitPlan {
        sysroot,
        steps,
        record,
        notes,
    })
}

/// Decides what init would do, and touches nothing.
pub fn plan(
    context: &mut Context,
    wrappers: &Wrappers,
    subject: &Subject,
    options: &Options,
    argv0: &OsStr,
) -> Result<InitPlan, InitError> {
    let looked = look(context, subject, options, argv0)?;
    decide(context, wrappers, subject, options, &looked)
}

/// Decides and does it.
///
/// It is decided twice: before the lock, so that what is refused is refused before even the lock's file is made, and
/// under the lock, against what another run may have left.
pub fn init(
    context: &mut Context,
    wrappers: &Wrappers,
    subject: &Subject,
    options: &Options,
    argv0: &OsStr,
) -> Result<InitPlan, InitError> {
    let looked = look(context, subject, options, argv0)?;
    let sysroot = decide(context, wrappers, subject, options, &looked)?.sysroot;
    let _lock = lock(&sysroot)?;
    let plan = decide(context, wrappers, subject, options, &looked)?;
    write::apply(&plan.steps, &plan.sysroot, plan.record.clone())?;
    Ok(plan)
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
            text.push_str(&format!(
                "new      {links} commands in {}\n",
                bindir.display()
            ));
        }
        let lines = self
            .steps
            .iter()
            .filter(|step| !is_many(step))
            .filter_map(Step::to_line);
        lines.for_each(|line| text.push_str(&(line + "\n")));
        if let copies @ 1.. = count(Care::Gap) {
            text.push_str(&format!(
                "new      {copies} files of the toolchain's libc in {}\n",
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

/// Takes the sysroot's lock; waits, and says so, while another holds it.
fn lock(sysroot: &Path) -> Result<Flock<std::fs::File>, InitError> {
    let folder = sysroot.join(record::FOLDER);
    fs_err::create_dir_all(&folder)?;
    let path = folder.join("lock");
    let open = || {
        fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map(fs_err::File::into_file)
    };
    match Flock::lock(open()?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((file, nix::errno::Errno::EWOULDBLOCK)) => {
            crate::say(&format!(
                "another crossmerge works on `{}`: waiting for it",
                sysroot.display()
            ));
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| named(e.into(), &path))
        }
        Err((_, e)) => Err(named(e.into(), &path)),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, InitError> {
    std::path::absolute(path).map_err(|e| named(e, path))
}

/// Without Portage, the native compiler says what this machine is.
pub(crate) fn check_foreign_by_compiler(context: &Context) -> Result<(), InitError> {
    let Ok(program) = context.find_program(OsStr::new("cc")) else {
        return Ok(());
    };
    let plan = Plan {
        program,
        args: vec!["-dumpmachine".into()],
        env: Changes::new(),
    };
    let machine = String::from_utf8_lossy(&exec::query(&[plan])?.remove(0).stdout)
        .trim()
        .to_owned();
    match machine == context.tuple.as_str() {
        false => Ok(()),
        true => Err(InitError::Native {
            tuple: context.tuple.clone(),
            what: "the native tuple".into(),
        }),
    }
}

/// The folder of the links: the target's own, else the one we were called from.
pub(crate) fn bindir(context: &Context, argv0: &OsStr) -> PathBuf {
    if let Some(bindir) = &context.settings.bindir {
        return bindir.clone();
    }
    let called = Path::new(argv0);
    let is_us = |path: &Path| {
        path.metadata()
            .is_ok_and(|m| Identity::own().is_ok_and(|own| own == Identity::of(&m)))
    };
    let called = match called.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Some(folder.to_owned()),
        _ => context
            .path()
            .into_iter()
            .find(|folder| is_us(&folder.join(called))),
    };
    let exe = || {
        fs_err::read_link("/proc/self/exe")
            .ok()
            .and_then(|exe| exe.parent().map(Path::to_owned))
    };
    let folder = called.or_else(exe).unwrap_or_else(|| ".".into());
    std::path::absolute(&folder).unwrap_or(folder)
}

/// The links: one an applet, one a tool of the adopted toolchain, and `emerge-<tuple>`.
fn links(context: &Context, wrappers: &Wrappers, argv0: &OsStr) -> Result<Vec<Write>, InitError> {
    let bindir = bindir(context, argv0);
    let beside_us = bindir.join("crossmerge");
    let target: PathBuf = match beside_us.metadata() {
        Ok(metadata) if Identity::own()? == Identity::of(&metadata) => "crossmerge".into(),
        _ => fs_err::read_link("/proc/self/exe")?,
    };
    let mut names: Vec<String> = wrappers
        .applets()
        .map(|(name, _)| name.to_owned())
        .collect();
    if let Some(adopted) = &context.settings.toolchain {
        names.extend(toolchain::present(adopted, wrappers.tools(adopted.kind)));
    }
    let tuple = &context.tuple;
    let names = names
        .iter()
        .map(|name| format!("{tuple}-{name}"))
        .chain([format!("emerge-{tuple}")]);
    Ok(names
        .map(|name| {
            Write::new(
                bindir.join(name),
                Content::Link(target.clone()),
                Care::Command,
            )
        })
        .collect())
}

/// `targets/<tuple>.toml`, when the options say something that lasts. What a person wrote in it stays.
fn target_file(context: &Context, options: &Options) -> Result<Option<Write>, InitError> {
    let file = context.config.target_file(&context.tuple);
    let text = match fs_err::read_to_string(&file) {
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
    if let (true, Some(adopted)) = (
        options.llvm || options.toolchain.is_some(),
        &context.settings.toolchain,
    ) {
        document["toolchain"] = toml_edit::Item::Table(toolchain_table(adopted));
    }
    let edited = document.to_string();
    Ok((edited != text).then(|| Write::new(file, Content::Text(edited), Care::Edit)))
}

fn toolchain_table(toolchain: &Toolchain) -> toml_edit::Table {
    let mut table = toml_edit::Table::new();
    table["kind"] = toml_edit::value(toolchain.kind.as_str());
    table["prefix"] = toml_edit::value(toolchain.prefix.to_string_lossy().as_ref());
    if !toolchain.options.is_empty() {
        table["options"] = toml_edit::value(toolchain.options.iter().collect::<toml_edit::Array>());
    }
    table
}
