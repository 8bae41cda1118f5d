//! The examination of one target: the lookups that several checks share, each done at most once.

use super::finding::DoctorError;
use crate::{
    applet::Wrappers,
    call::Call,
    config::{Toolchain, ToolchainKind},
    context::{Context, ContextError},
    distribution::Distribution,
    fix_root::{self, Sysroot},
    init::{self, Headers, HostPortage, InitError, InitRecord, Traits, installed},
    links::bindir,
    profile::{self, ProfileSettings},
    target::{Source, Target, TargetError},
};
use crossmerge_plan::{
    plan::{Changes, Plan},
    tuple::Tuple,
    words::quote,
};
use crossmerge_portage::Settings;
use crossmerge_system::{
    exec::{
        self, ExecError, PrintedPath,
        probe::{self, ProbeDirectory},
    },
    file::{
        Identity, Node, Tree,
        beneath::{FileKind, MOST_DEPTH},
        read,
    },
};
use once_cell::unsync::OnceCell;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Output,
};

/// The settings of the target that the checks read.
const OF_THE_TARGET: [&str; 5] = ["ARCH", "CBUILD", "CHOST", "PORTAGE_REPOSITORIES", "ROOT"];

/// The suffix of init's temporary files.
const NEW: &str = ".crossmerge-new";

/// Directories of a sysroot in which no package installs files: Portage builds there, or a kernel file system is
/// mounted.
const NOT_INSTALLED: [&str; 6] = ["dev", "proc", "sys", "tmp", "var/tmp", "var/cache"];

/// The name of the symlink to the profile in `etc/portage`.
pub(super) const PROFILE_LINK: &str = "make.profile";

/// A target, and the results of the lookups that its checks share.
pub(super) struct Examination<'a> {
    pub(super) context: &'a Context,
    pub(super) wrappers: &'a Wrappers,
    pub(super) sysroot: PathBuf,
    pub(super) bindir: PathBuf,
    /// The only directory in which checks write.
    probes: ProbeDirectory,
    target: Result<Target, TargetError>,
    sources: Vec<Source>,
    host: OnceCell<Option<Result<HostPortage, InitError>>>,
    settings: OnceCell<Option<Result<Settings, ContextError>>>,
    profile: OnceCell<Option<ProfileSettings>>,
    compiler: OnceCell<Option<Compiler>>,
    multiarch: OnceCell<String>,
    files: OnceCell<UnmergedFiles>,
    installed: OnceCell<fix_root::SysrootFiles>,
}

/// The target's C compiler.
pub(super) struct Compiler {
    pub(super) kind: ToolchainKind,
    /// The path of the real program, never a symlink of crossmerge.
    pub(super) path: PathBuf,
    /// Whether it was adopted, so that it is called through crossmerge's applet.
    pub(super) adopted: bool,
}

/// Files of the sysroot that wait for init or for the user.
#[derive(Default)]
pub(super) struct UnmergedFiles {
    pub(super) leftovers: Vec<PathBuf>,
    pub(super) updates: Vec<PathBuf>,
}

impl<'a> Examination<'a> {
    pub(super) fn new(
        context: &'a Context,
        wrappers: &'a Wrappers,
        argv0: &OsStr,
    ) -> Result<Self, DoctorError> {
        let sources = context.config.families()?;
        let sysroot = context.sysroot();
        Ok(Self {
            context,
            wrappers,
            sysroot: std::path::absolute(&sysroot).unwrap_or(sysroot),
            bindir: bindir(context, argv0),
            probes: ProbeDirectory::new()?,
            target: Target::of(
                &context.tuple,
                &sources,
                &context.config.profiles_directory(),
            ),
            sources,
            host: OnceCell::new(),
            settings: OnceCell::new(),
            profile: OnceCell::new(),
            compiler: OnceCell::new(),
            multiarch: OnceCell::new(),
            files: OnceCell::new(),
            installed: OnceCell::new(),
        })
    }

    pub(super) fn tuple(&self) -> &Tuple {
        &self.context.tuple
    }

    pub(super) fn target(&self) -> Result<&Target, &TargetError> {
        self.target.as_ref()
    }

    /// Returns the command that makes the target or completes it.
    pub(super) fn init(&self) -> String {
        format!("crossmerge init {}", self.tuple())
    }

    /// Returns the command that takes over the target's wrappers from crossdev.
    pub(super) fn adopt(&self) -> String {
        format!("crossmerge adopt {}", self.tuple())
    }

    /// Returns the command that makes the target, with the libc of the adopted toolchain if that has one.
    pub(super) fn init_whole(&self) -> String {
        match &self.context.settings.toolchain {
            Some(adopted) if has_own_libc(adopted) => format!("{} --with-libc", self.init()),
            _ => self.init(),
        }
    }

    /// Returns the path of the target's `etc/portage`.
    pub(super) fn etc_portage(&self) -> PathBuf {
        self.context.configroot().join("etc/portage")
    }

    pub(super) fn record(&self) -> Result<InitRecord, DoctorError> {
        Ok(InitRecord::read(&self.sysroot)?)
    }

    pub(super) fn portageq(&self) -> Option<PathBuf> {
        self.context.find_program(OsStr::new("portageq")).ok()
    }

    /// Reads the settings of the host's Portage. Returns `None` without Portage.
    pub(super) fn host(&self) -> Option<&Result<HostPortage, InitError>> {
        self.host
            .get_or_init(|| HostPortage::ask(self.context).transpose())
            .as_ref()
    }

    /// Reads the target's settings as Portage sees them. Returns `None` without Portage.
    pub(super) fn settings(&self) -> Option<&Result<Settings, ContextError>> {
        let configroot = self.context.configroot();
        let ask = || {
            let answer = self.context.settings_below(&configroot, &OF_THE_TARGET);
            answer.transpose()
        };
        self.settings.get_or_init(ask).as_ref()
    }

    /// Reads the settings of the linked profile. Returns `None` without Portage.
    pub(super) fn profile(&self) -> Result<Option<&ProfileSettings>, DoctorError> {
        let read = || -> Result<Option<ProfileSettings>, InitError> {
            let Some(Ok(host)) = self.host() else {
                return Ok(None);
            };
            let link = self.etc_portage().join(PROFILE_LINK);
            Ok(Some(profile::settings(
                self.context,
                &host.repositories,
                &link,
            )?))
        };
        Ok(self.profile.get_or_try_init(read)?.as_ref())
    }

    /// Returns a setting of the target, or an empty string. The check `portage` has verified that the settings can be
    /// read.
    pub(super) fn setting(&self, name: &str) -> &str {
        match self.settings() {
            Some(Ok(settings)) => settings.get(name).map_or("", String::as_str),
            _ => "",
        }
    }

    /// Finds the adopted compiler, or else `<tuple>-gcc` or `<tuple>-clang` in PATH.
    pub(super) fn compiler(&self) -> Option<&Compiler> {
        let find = || {
            let (kind, path) = self.context.compiler()?;
            Some(Compiler {
                kind,
                path,
                adopted: self.context.settings.toolchain.is_some(),
            })
        };
        self.compiler.get_or_init(find).as_ref()
    }

    /// Returns whether the compiler is Zig, which has its own libc and needs none in the sysroot.
    pub(super) fn has_zigs_libc(&self) -> bool {
        self.compiler()
            .is_some_and(|compiler| compiler.kind == ToolchainKind::Zig)
    }

    /// Runs the compiler as the command `<tuple>-gcc` would. The outer error is a failure of crossmerge; the inner one
    /// means that the compiler did not start.
    pub(super) fn compile<A: Into<OsString>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Result<Output, ExecError>, DoctorError> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let plan = match self.compiler() {
            Some(compiler) if compiler.adopted => self.wrapped(compiler.kind.driver(), args)?,
            compiler => Plan {
                program: compiler.map(|c| c.path.clone()).unwrap_or_default(),
                args,
                ..Plan::default()
            },
        };
        Ok(self.probes.compile(plan))
    }

    /// Runs the C++ compiler as the command `<tuple>-g++` would. Returns `None` if the toolchain has none.
    pub(super) fn compile_cxx<A: Into<OsString>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Option<Result<Output, ExecError>>, DoctorError> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let Some(compiler) = self.compiler() else {
            return Ok(None);
        };
        let driver = compiler.kind.cxx_driver();
        let plan = match &self.context.settings.toolchain {
            Some(adopted)
                if adopted.kind == ToolchainKind::Zig || adopted.tool(driver).exists() =>
            {
                self.wrapped(driver, args)?
            }
            Some(_) => return Ok(None),
            None => {
                let name = format!("{}-{driver}", self.tuple());
                let Ok(program) = self.context.find_program(OsStr::new(&name)) else {
                    return Ok(None);
                };
                Plan {
                    program,
                    args,
                    ..Plan::default()
                }
            }
        };
        Ok(Some(self.probes.compile(plan)))
    }

    /// Returns the plan of an applet of the target, such as `gcc`.
    fn wrapped(&self, applet: &str, args: Vec<OsString>) -> Result<Plan, DoctorError> {
        Ok(self.wrappers.plan(applet, &Call::new(self.context), args)?)
    }

    /// Returns the trimmed output of the compiler for an option, or an empty string if it rejects the option.
    pub(super) fn compiler_prints(&self, option: &str) -> Result<String, DoctorError> {
        let output = self.compile([option])??;
        Ok(match output.status.success() {
            true => trimmed(&output.stdout),
            false => String::new(),
        })
    }

    /// Returns the path at which the compiler finds a file of its own or of the libc, or `None` if it finds none.
    pub(super) fn compiler_finds(&self, file: &str) -> Result<Option<PathBuf>, DoctorError> {
        self.compiler_names(&format!("-print-file-name={file}"))
    }

    /// Returns the file whose path the compiler prints for an option, if the file exists.
    pub(super) fn compiler_names(&self, option: &str) -> Result<Option<PathBuf>, DoctorError> {
        let path = PrintedPath::of_output(&self.compile([option])??);
        Ok(path
            .filter(|path| path.is_file())
            .map(|path| path.to_path_buf()))
    }

    /// Determines the system, libc and ABI for which the compiler builds.
    pub(super) fn traits(&self) -> Result<Option<Traits>, DoctorError> {
        Traits::ask(
            &self.probes,
            Headers::Found,
            |args| Ok(self.compile(args)??),
        )
    }

    /// Returns a path in the temporary directory.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.probes.join(name)
    }

    /// Writes a source into the temporary directory.
    pub(super) fn source(&self, name: &str, text: &str) -> Result<PathBuf, DoctorError> {
        Ok(self.probes.source(name, text)?)
    }

    /// Runs a program that the compiler made.
    pub(super) fn run(&self, plan: Plan) -> Result<Output, DoctorError> {
        Ok(self.probes.run(plan)?)
    }

    /// Finds a file in the library directories of the sysroot.
    pub(super) fn library(&self, file: &str) -> Option<PathBuf> {
        let directories = ["usr/lib64", "lib64", "usr/lib", "lib", "usr/lib32", "lib32"];
        let own = self.multiarch.get_or_init(|| {
            let multiarch = self.compiler_prints("-print-multiarch");
            let is_name = |name: &String| !name.contains('/') && name != "..";
            multiarch.ok().filter(is_name).unwrap_or_default()
        });
        let own = [format!("usr/lib/{own}"), format!("lib/{own}")];
        let mut paths = directories
            .into_iter()
            .chain(own.iter().map(String::as_str))
            .map(|directory| self.sysroot.join(directory).join(file));
        paths.find(|path| path.exists())
    }

    /// Returns the command that gives the target a working toolchain: it adopts another one in PATH, or else installs
    /// one.
    pub(super) fn fix_toolchain(&self) -> String {
        match self.other_toolchain() {
            Some(prefix) => {
                let libc = self.library("libc.so").is_none() && has_libc(&prefix);
                self.adopting(&prefix, libc)
            }
            None => self.install_toolchain(),
        }
    }

    /// Returns the command that adopts a GNU toolchain. If the target's symlinks would shadow real tools, it makes a
    /// target with another vendor instead.
    pub(super) fn adopting(&self, prefix: &OsStr, with_libc: bool) -> String {
        let toolchain = Toolchain::new(ToolchainKind::Gnu, prefix.into());
        if init::shadowed(self.context, self.wrappers, &self.bindir, &toolchain).is_some() {
            let options = init::InitOptions {
                toolchain: Some(prefix.to_owned()),
                with_libc,
                ..init::InitOptions::default()
            };
            return init::instead(self.context, &options);
        }
        let libc = if with_libc { " --with-libc" } else { "" };
        format!("{} --toolchain {}{libc}", self.init(), quote(prefix))
    }

    /// Returns the command that puts a libc into the sysroot: the adopted toolchain's, another toolchain's, or a
    /// package.
    pub(super) fn fix_libc(&self) -> String {
        match &self.context.settings.toolchain {
            Some(adopted) if has_own_libc(adopted) => format!("{} --with-libc", self.init()),
            adopted => match self.other_toolchain().filter(|prefix| has_libc(prefix)) {
                Some(prefix) => self.adopting(&prefix, true),
                None if adopted.is_none() => self.install_toolchain(),
                None => {
                    let elibc = self.target().ok().and_then(|target| target.elibc);
                    format!(
                        "{}-emerge --oneshot sys-libs/{}",
                        self.tuple(),
                        elibc.unwrap_or("glibc")
                    )
                }
            },
        }
    }

    /// Returns the command that installs a toolchain for the target with the host's package manager, and adopts it.
    fn install_toolchain(&self) -> String {
        let distribution = self.distribution();
        let init = self.init();
        let install = self.target().ok().and_then(|target| {
            let command = distribution.compiler(target, &self.sources)?;
            let prefix = distribution.compiler_prefix(target, &self.sources);
            Some((command, prefix, target.kernel.is_some()))
        });
        match install {
            // crossdev's toolchain is named after the tuple, and crossdev installs its libc into the sysroot.
            Some((command, None, _)) => command,
            Some((command, Some(prefix), has_system)) => {
                let libc = if has_system { " --with-libc" } else { "" };
                format!("{command} && {init} --toolchain {prefix}{libc}")
            }
            None => format!("{init} --toolchain PREFIX --with-libc"),
        }
    }

    /// Identifies the host's distribution.
    pub(super) fn distribution(&self) -> Distribution {
        Distribution::of(&self.context.env, &self.context.config.broot)
    }

    /// Finds another toolchain in PATH that builds for the target. Returns its prefix, the part of the path before
    /// `gcc`.
    fn other_toolchain(&self) -> Option<OsString> {
        let has = self
            .compiler()
            .and_then(|compiler| compiler.path.metadata().ok())
            .map(|metadata| Identity::of(&metadata));
        let target = self.target().ok()?;
        let serving = installed::serving(self.context, target, &self.sources);
        let other = serving.into_iter().find(|compiler| {
            let driver = compiler.driver();
            let identity = driver.metadata().map(|metadata| Identity::of(&metadata));
            let is_other = identity.is_ok_and(|it| Some(it) != has);
            is_other && self.builds(&driver)
        });
        Some(other?.prefix.into_os_string())
    }

    /// Returns whether a compiler links programs for the target with the tuple's float ABI.
    fn builds(&self, compiler: &Path) -> bool {
        let Ok(target) = &self.target else {
            return false;
        };
        let made = |name: &str, flags: &str| {
            let source = self.source("other.c", probe::BARE).ok()?;
            let out = self.scratch(name);
            let mut args: Vec<OsString> = flags.split_whitespace().map(Into::into).collect();
            args.extend(probe::link_bare(&source, &out));
            let plan = Plan {
                program: compiler.into(),
                args,
                ..Plan::default()
            };
            let output = self.probes.compile(plan).ok()?;
            output.status.success().then_some(())?;
            let header = read::head(&out, read::ELF_HEADER).ok()?;
            Some(target.float_abi_of(&header).map(str::to_owned))
        };
        match (made("other-plain", ""), made("other-tuple", &target.cflags)) {
            (Some(plain), Some(wanted)) => plain == wanted,
            _ => false,
        }
    }

    /// Returns the files and symlinks that fix-root checks. The sysroot must exist.
    pub(super) fn installed(&self) -> Result<&fix_root::SysrootFiles, DoctorError> {
        let find = || {
            fix_root::SysrootFiles::of(
                &Sysroot::to_read(&self.sysroot).map_err(std::io::Error::from)?,
            )
        };
        Ok(self.installed.get_or_try_init(find)?)
    }

    /// Returns the files that wait for init or the user, from one walk through the sysroot.
    pub(super) fn files(&self) -> &UnmergedFiles {
        self.files.get_or_init(|| {
            let mut files = UnmergedFiles::default();
            let tree = Tree::open_to_read(&self.sysroot).ok();
            let top = tree.and_then(|tree| tree.find(Path::new("")).ok().flatten());
            if let Some(top) = top {
                walk(&top, 0, &mut files);
            }
            let ours = [&self.bindir, &self.context.config.target_file(self.tuple())];
            let ours = [Some(ours[0].as_path()), ours[1].parent()];
            for entry in ours
                .into_iter()
                .flatten()
                .filter_map(|directory| fs_err::read_dir(directory).ok())
                .flatten()
                .flatten()
            {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(NEW) && name.contains(self.tuple().as_str()) {
                    files.leftovers.push(entry.path());
                }
            }
            files.leftovers.sort();
            files
        })
    }
}

/// Collects files by name. Directories that cannot be read or are nested too deeply are skipped.
fn walk(directory: &Node, depth: usize, files: &mut UnmergedFiles) {
    let Ok(entries) = directory.entries() else {
        return;
    };
    for (name, kind) in entries {
        let within = directory.place().join(&name);
        if kind == FileKind::Directory {
            let is_skipped = |skipped: &str| within == Path::new(skipped);
            if depth < MOST_DEPTH
                && !NOT_INSTALLED.into_iter().any(is_skipped)
                && let Ok(Some(child)) = directory.child(&name)
            {
                walk(&child, depth + 1, files);
            }
            continue;
        }
        let path = directory.path().join(&name);
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(NEW) {
            files.leftovers.push(path);
        } else if updated(&name).is_some() {
            files.updates.push(path);
        }
    }
}

/// Returns the name of the file that `._cfgNNNN_<name>` would replace.
pub(super) fn updated(name: &str) -> Option<&str> {
    let (number, name) = name.strip_prefix("._cfg")?.split_once('_')?;
    (number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

/// Returns whether init can copy a libc from the adopted toolchain. For clang, it copies that of a GCC for the same
/// target.
fn has_own_libc(toolchain: &Toolchain) -> bool {
    toolchain.kind == ToolchainKind::Llvm || has_libc(toolchain.prefix.as_os_str())
}

/// Returns whether a GNU toolchain has its own libc, which init can copy.
fn has_libc(prefix: &OsStr) -> bool {
    let mut gcc = prefix.to_owned();
    gcc.push(ToolchainKind::Gnu.driver());
    let plan = Plan {
        program: gcc.into(),
        args: vec!["-print-file-name=libc.so".into()],
        env: Changes::new(),
        ..Plan::default()
    };
    exec::ask(&plan).is_ok_and(|output| {
        // The libc of a native compiler is the host's.
        let own = |path: &Path| path.starts_with("/usr/lib") || path.starts_with("/lib");
        let found = PrintedPath::of_output(&output).and_then(|found| found.real());
        found.is_some_and(|found| !own(&found))
    })
}

pub(super) fn trimmed(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Returns the line of a tool's messages that states the error: the first one with a word such as `error`, or else the
/// last line.
pub(super) fn complaint(output: &Output) -> String {
    let messages = trimmed(&output.stderr);
    let lines = || {
        messages
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let states_error = |line: &&str| {
        // GCC prints this after the linker's own messages, which are more specific.
        !line.starts_with("collect2: error: ld returned")
            && ["error", "cannot", "not found", "No such", "undefined"]
                .iter()
                .any(|word| line.contains(word))
    };
    lines()
        .find(states_error)
        .or(lines().next_back())
        .map_or_else(|| format!("it exited with {}", output.status), Into::into)
}
