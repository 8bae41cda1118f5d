//! `farm serve`: a target's packages are signed from now on, and a web server may read them.

use super::{
    error::BinhostError,
    index::{FACTS, Facts, INDEX, Index, KEY},
    keys::{Gpg, KeyPlaces, closed},
    settings::{INDEX_FILES, PackageSettings, SERVE, mixture, verifying},
};
use crate::{
    applet::Wrappers,
    call::Call,
    context::Context,
    init::{FileChange, change_files, etc_portage},
    terminal::Progress,
};
use crossmerge_plan::{
    plan::Plan,
    report::counted,
    shown::Show,
    words::{quote, quote_line},
};
use crossmerge_system::exec;
use std::{
    ffi::{OsStr, OsString},
    fs::Permissions,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The end of the names of Portage's packages.
const PACKAGE: &str = ".gpkg.tar";

/// The length of a block of a tar archive, in bytes.
const BLOCK: usize = 512;

/// What was done, and what the user does next.
#[derive(Debug)]
pub(crate) struct Served {
    /// The changes, a line for each.
    pub(crate) changes: String,
    /// What a user may not expect.
    pub(crate) warnings: Vec<String>,
    /// The directory, the key, and the settings of web servers and clients.
    pub(crate) text: String,
}

/// Sets up the signing, signs the existing packages, and makes them readable. With `dry_run`, it only prints the changes
/// of settings.
pub(crate) fn serve(
    context: &Context,
    wrappers: &Wrappers,
    dry_run: bool,
) -> Result<Served, BinhostError> {
    let settings = PackageSettings::of(context)?;
    let pkgdir = settings.pkgdir();
    let mut warnings = check(context, &settings)?;
    let gpg = Gpg::find(context)?;
    let places = KeyPlaces::of(context);
    let own = Own::of(&gpg, &places, &settings)?;
    let mut changes = String::new();
    let etc = etc_portage(context)?;
    let block = |fingerprint: &str, home: &Path| FileChange::Block {
        file: etc.join("make.conf"),
        name: SERVE.into(),
        lines: Some(lines(fingerprint, home, &places.trusted())),
    };
    if dry_run {
        let key = own.fingerprint.as_deref().unwrap_or("FINGERPRINT");
        let changes = change_files(context, &[block(key, &own.home)], true)?;
        return Ok(Served {
            changes,
            warnings,
            text: String::new(),
        });
    }
    if let Some(directory) = places.closed() {
        return Err(BinhostError::NotReachable { directory });
    }
    let fingerprint = match own.fingerprint.clone() {
        Some(fingerprint) => fingerprint,
        None => {
            let key = gpg.make_key(&own.home, &context.tuple)?;
            changes += &format!("new      key {} in {}\n", key.fingerprint, own.home.shown());
            key.fingerprint
        }
    };
    let public = gpg.public(&own.home, &fingerprint)?;
    gpg.make_trusted(&places, Some(&public))?;
    let facts = Facts {
        tuple: context.tuple.to_string(),
        cflags: settings.cflags(),
        key: fingerprint.clone(),
    };
    let facts = toml::to_string(&facts).map_err(io::Error::other)?;
    let whole = |name: &str, text: String| FileChange::Whole {
        file: pkgdir.join(name),
        text: Some(text),
    };
    let all = [
        block(&fingerprint, &own.home),
        whole(KEY, public),
        whole(FACTS, facts),
    ];
    changes += &change_files(context, &all, false)?;
    changes += &sign(context, wrappers, &pkgdir)?;
    changes += &make_readable(&pkgdir)?;
    if let Some(directory) = pkgdir.parent().and_then(closed) {
        let directory = quote_line(directory.as_os_str());
        warnings.push(format!(
            "a web server that is another user may not enter `{directory}`: `chmod o+x {directory}`"
        ));
    }
    Ok(Served {
        text: instructions(context, &settings, &fingerprint)?,
        changes,
        warnings,
    })
}

/// Stops signing. The key stays, so that clients need no other if packages are served again.
pub(crate) fn stop_serving(context: &Context, dry_run: bool) -> Result<String, BinhostError> {
    let pkgdir = PackageSettings::of(context)?.pkgdir();
    let block = FileChange::Block {
        file: etc_portage(context)?.join("make.conf"),
        name: SERVE.into(),
        lines: None,
    };
    let gone = |name: &str| FileChange::Whole {
        file: pkgdir.join(name),
        text: None,
    };
    let text = change_files(context, &[block, gone(KEY), gone(FACTS)], dry_run)?;
    if !dry_run {
        Gpg::find(context)?.make_trusted(&KeyPlaces::of(context), None)?;
    }
    Ok(text)
}

/// The key with which packages are signed.
struct Own {
    home: PathBuf,
    /// The fingerprint, or what the user has configured. `None` if there is no key yet.
    fingerprint: Option<String>,
}

impl Own {
    /// Finds the key: the user's, if make.conf names one, else that in the target's state directory. An expired one of
    /// the latter is renewed.
    fn of(gpg: &Gpg, places: &KeyPlaces, settings: &PackageSettings) -> Result<Self, BinhostError> {
        let home = PathBuf::from(settings.get("BINPKG_GPG_SIGNING_GPG_HOME"));
        let key = settings.get("BINPKG_GPG_SIGNING_KEY");
        if !key.is_empty() && home.is_dir() && home != places.signing() {
            return Ok(Self {
                home,
                fingerprint: Some(key.trim_start_matches("0x").to_owned()),
            });
        }
        let home = places.signing();
        let key = gpg.secret_key(&home)?;
        if let Some(key) = key.as_ref().filter(|key| key.fault().is_some()) {
            gpg.extend(&home, key)?;
        }
        Ok(Self {
            fingerprint: key.map(|key| key.fingerprint),
            home,
        })
    }
}

/// Renders the block of make.conf.
fn lines(fingerprint: &str, home: &Path, trusted: &Path) -> String {
    format!(
        "FEATURES=\"${{FEATURES}} buildpkg binpkg-signing\"\n\
         BINPKG_GPG_SIGNING_GPG_HOME=\"{}\"\n\
         BINPKG_GPG_SIGNING_KEY=\"0x{fingerprint}\"\n\
         QUICKPKG_DEFAULT_OPTS=\"${{QUICKPKG_DEFAULT_OPTS}} --umask=0022\"\n{}",
        home.display(),
        verifying(trusted)
    )
}

/// Checks that the directory has packages of this target only. Returns the warnings.
fn check(context: &Context, settings: &PackageSettings) -> Result<Vec<String>, BinhostError> {
    match mixture(context, settings)? {
        None => Ok(Vec::new()),
        Some(found) if found.is_error => Err(BinhostError::Mixed {
            text: found.text,
            fix: found.fix,
        }),
        Some(found) => Ok(vec![found.text]),
    }
}

/// Lists the packages in a directory.
fn packages(directory: &Path, all: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() {
            packages(&path, all)?;
        } else if kind.is_file() && name.ends_with(PACKAGE) {
            all.push(path);
        }
    }
    Ok(())
}

/// Returns whether a package has signatures: files of the archive whose names end in `.sig`.
fn is_signed(package: &Path) -> io::Result<bool> {
    let mut file = fs_err::File::open(package)?;
    let mut header = [0; BLOCK];
    loop {
        match file.read_exact(&mut header) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        let text = |range: std::ops::Range<usize>| {
            let bytes = header[range].split(|byte| *byte == 0).next();
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        };
        let name = text(0..100);
        if name.ends_with(".sig") {
            return Ok(true);
        }
        let size = u64::from_str_radix(text(124..136).trim(), 8).unwrap_or(0);
        let blocks = size.div_ceil(BLOCK as u64);
        if name.is_empty() {
            return Ok(false);
        }
        file.seek(SeekFrom::Current((blocks * BLOCK as u64) as i64))?;
    }
}

/// Signs the packages that have no signature, and updates the index. Returns a line about them.
fn sign(context: &Context, wrappers: &Wrappers, pkgdir: &Path) -> Result<String, BinhostError> {
    let mut all = Vec::new();
    if pkgdir.is_dir() {
        packages(pkgdir, &mut all)?;
    }
    let mut unsigned = Vec::new();
    for package in all {
        if !is_signed(&package)? {
            unsigned.push(package);
        }
    }
    if unsigned.is_empty() {
        return Ok(String::new());
    }
    // The target has other settings now than those that this context has read.
    let context = Context::new(
        context.env.clone(),
        context.config.clone(),
        context.tuple.clone(),
    )?;
    let update = wrappers.plan(
        "emaint",
        &Call::new(&context),
        ["--fix", "binhost"].map(OsString::from).into(),
    )?;
    let signer = context.find_program(OsStr::new("gpkg-sign"));
    let signer = signer.map_err(|_| BinhostError::NoProgram("gpkg-sign"))?;
    let progress = Progress::of("signing packages", unsigned.len());
    for package in &unsigned {
        run(Plan {
            program: signer.clone(),
            args: vec![
                "--allow-unsigned".into(),
                "--skip-signed".into(),
                package.into(),
            ],
            ..update.clone()
        })?;
        progress.step();
    }
    drop(progress);
    run(update)?;
    let number = counted(unsigned.len(), "package");
    Ok(format!("signed   {number} in {}\n", pkgdir.shown()))
}

/// Runs a program of Portage.
fn run(plan: Plan) -> Result<(), BinhostError> {
    let output = exec::ask(&plan)?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let name = plan.program.file_name().unwrap_or_default();
    Err(BinhostError::Failed {
        what: format!("`{}`", name.to_string_lossy()),
        message: last.unwrap_or("it printed nothing").trim().to_owned(),
    })
}

/// Lets every user read the packages and the index. Returns a line if that was needed.
fn make_readable(pkgdir: &Path) -> Result<String, BinhostError> {
    let changed = unreadable(pkgdir)?;
    for (path, mode) in &changed {
        fs_err::set_permissions(path, Permissions::from_mode(*mode))?;
    }
    Ok(match changed.len() {
        0 => String::new(),
        many => format!("readable {} in {}\n", counted(many, "path"), pkgdir.shown()),
    })
}

/// Lists what a web server must read and other users may not, each with the mode that it needs.
pub(crate) fn unreadable(pkgdir: &Path) -> io::Result<Vec<(PathBuf, u32)>> {
    let mut all = Vec::new();
    if pkgdir.is_dir() {
        packages(pkgdir, &mut all)?;
    }
    let mut directories: Vec<PathBuf> = all
        .iter()
        .flat_map(|package| package.ancestors().skip(1))
        .take_while(|directory| directory.starts_with(pkgdir))
        .map(Path::to_owned)
        .collect();
    directories.push(pkgdir.to_owned());
    directories.sort();
    directories.dedup();
    let files = INDEX_FILES.iter().map(|name| pkgdir.join(name));
    let wanted = directories.into_iter().map(|path| (path, 0o055));
    let wanted = wanted.chain(all.into_iter().chain(files).map(|path| (path, 0o044)));
    let mut found = Vec::new();
    for (path, bits) in wanted.filter(|(path, _)| path.exists()) {
        let mode = path.metadata()?.mode() & 0o7777;
        if mode & bits != bits {
            found.push((path, mode | bits));
        }
    }
    Ok(found)
}

/// Renders what to put where.
fn instructions(
    context: &Context,
    settings: &PackageSettings,
    fingerprint: &str,
) -> Result<String, BinhostError> {
    let tuple = &context.tuple;
    let pkgdir = settings.pkgdir();
    let index = pkgdir.join(INDEX);
    let number = match index.is_file() {
        true => Index::read(&index)?.packages,
        false => 0,
    };
    let packages = match number {
        0 => "no packages yet".to_owned(),
        _ => format!("{} and their index, `{INDEX}`", counted(number, "package")),
    };
    let directory = quote(pkgdir.as_os_str());
    let machine = nix::sys::utsname::uname().map(|it| it.nodename().to_owned());
    let machine = machine.unwrap_or_default();
    let machine = machine.to_string_lossy();
    let pkgdir = pkgdir.display();
    Ok(format!(
        "packages   {pkgdir}: {packages}\n\
         key        {pkgdir}/{KEY}: {fingerprint}\n\
         \n\
         # A web server serves this directory at an address of its own. For nginx:\n\
         location /{tuple}/ {{ alias {pkgdir}/; }}\n\
         \n\
         # For a trial:\n\
         python3 -m http.server --directory {directory} 8000\n\
         \n\
         # On a client that has crossmerge, with a copy of {KEY}:\n\
         crossmerge farm use {tuple} http://{machine}/{tuple} --key {KEY}\n\
         \n\
         # On a machine that is the target, /etc/portage/binrepos.conf/{tuple}.conf:\n\
         [{tuple}]\n\
         sync-uri = http://{machine}/{tuple}\n\
         location = /var/cache/binhost/{tuple}\n\
         verify-signature = true\n"
    ))
}
