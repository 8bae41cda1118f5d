//! The keys of a target: the one with which its packages are signed, and those that Portage trusts.
//!
//! They are in the target's state directory, which `crossmerge remove` clears: `signing`, a GnuPG home with the secret
//! key, for its owner only; `hosts`, the public keys of hosts as files; `trusted`, a GnuPG home that is made of the
//! public keys and that every user may read, because Portage verifies as the user `nobody`.

use super::error::BinhostError;
use crate::context::Context;
use crossmerge_plan::{
    plan::{Change, Plan},
    tuple::Tuple,
};
use crossmerge_system::{
    exec,
    file::{self, Directory, read},
};
use std::{
    ffi::{OsStr, OsString},
    fs::Permissions,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The permission of other users to enter a directory.
const SEARCHABLE: u32 = 0o001;

/// The socket of gpg-agent with the longest name.
const SOCKET: &str = "S.gpg-agent.browser";

/// The longest path of a socket, in bytes (unix(7): `sun_path`, with a null byte at its end).
const MOST_SOCKET: usize = 107;

/// The paths of a target's keys.
#[derive(Debug)]
pub(crate) struct KeyPlaces {
    directory: PathBuf,
}

/// A key, as GnuPG lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The fingerprint.
    pub(crate) fingerprint: String,
    /// Whether it is a secret key.
    is_secret: bool,
    /// GnuPG's letter for the validity.
    validity: String,
    /// When it expires, in seconds since 1970. `None` if it does not.
    expires: Option<u64>,
}

/// The program gpg.
#[derive(Debug)]
pub(crate) struct Gpg {
    program: PathBuf,
    agents: Option<PathBuf>,
}

impl KeyPlaces {
    pub(crate) fn of(context: &Context) -> Self {
        Self {
            directory: context.state_directory(),
        }
    }

    /// Returns the GnuPG home with the secret key.
    pub(crate) fn signing(&self) -> PathBuf {
        self.directory.join("signing")
    }

    /// Returns the GnuPG home with the keys that Portage trusts.
    pub(crate) fn trusted(&self) -> PathBuf {
        self.directory.join("trusted")
    }

    /// Returns the file with the public keys of a host, by the name of its section in binrepos.conf.
    pub(crate) fn host(&self, name: &str) -> PathBuf {
        self.directory.join("hosts").join(format!("{name}.asc"))
    }

    /// Lists the files with public keys of hosts.
    fn hosts(&self) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.directory.join("hosts"));
        let entries = entries.into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// Returns the first directory on the way to the keys that other users may not enter. Only root's Portage verifies
    /// as another user.
    pub(crate) fn closed(&self) -> Option<PathBuf> {
        let is_root = nix::unistd::geteuid().is_root();
        closed(&self.directory).filter(|_| is_root)
    }
}

/// Returns the first directory, from this one upwards, that other users may not enter.
pub(super) fn closed(directory: &Path) -> Option<PathBuf> {
    let is_closed = |directory: &&Path| {
        let mode = directory.metadata().map(|it| it.mode());
        mode.is_ok_and(|mode| mode & SEARCHABLE == 0)
    };
    directory.ancestors().find(is_closed).map(Path::to_owned)
}

impl Key {
    /// Returns why the key cannot be used, or `None` if it can.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        match self.validity.as_str() {
            "r" => Some("revoked"),
            "e" => Some("expired"),
            "d" | "i" => Some("not valid"),
            _ if self.expires.is_some_and(|time| time <= now) => Some("expired"),
            _ => None,
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.is_secret
    }
}

/// Reads the output of `gpg --with-colons`, in which a record `pub` or `sec` begins each key, and the first `fpr` after
/// it is its fingerprint (doc/DETAILS of GnuPG).
fn parse(listing: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |number: usize| fields.get(number).copied().unwrap_or_default();
        match field(0) {
            kind @ ("pub" | "sec") => keys.push(Key {
                fingerprint: String::new(),
                is_secret: kind == "sec",
                validity: field(1).to_owned(),
                expires: field(6).parse().ok(),
            }),
            "fpr" => {
                if let Some(key) = keys.last_mut().filter(|key| key.fingerprint.is_empty()) {
                    key.fingerprint = field(9).to_owned();
                }
            }
            _ => {}
        }
    }
    keys
}

impl Gpg {
    /// Finds gpg in PATH.
    pub(crate) fn find(context: &Context) -> Result<Self, BinhostError> {
        let program = context.find_program(OsStr::new("gpg"));
        Ok(Self {
            program: program.map_err(|_| BinhostError::NoProgram("gpg"))?,
            agents: context.find_program(OsStr::new("gpgconf")).ok(),
        })
    }

    fn run(&self, home: &Path, what: &str, args: &[&OsStr]) -> Result<String, BinhostError> {
        let options = ["--batch", "--no-tty", "--quiet", "--no-permission-warning"];
        let mut all: Vec<OsString> = vec!["--homedir".into(), home.into()];
        all.extend(options.map(OsString::from));
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        let plan = Plan {
            program: self.program.clone(),
            args: all,
            env: [("LC_ALL".into(), Change::Set("C".into()))].into(),
            ..Plan::default()
        };
        let output = exec::ask(&plan)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                let text = String::from_utf8_lossy(&output.stderr);
                let last = text.lines().rev().find(|line| !line.trim().is_empty());
                Err(BinhostError::Failed {
                    what: what.to_owned(),
                    message: last.unwrap_or("gpg printed no reason").to_owned(),
                })
            }
        }
    }

    /// Lists the keys in a file.
    pub(crate) fn keys_in(&self, file: &Path) -> Result<Vec<Key>, BinhostError> {
        // A new home, so that nothing of the user's is read or written.
        let home = file::temporary()?;
        let args = ["--show-keys", "--with-colons", "--"].map(OsStr::new);
        let listing = self.run(
            home.path(),
            "reading the key",
            &[&args[..], &[file.as_os_str()]].concat(),
        );
        // gpg fails if there is no key in the file.
        Ok(parse(&listing.unwrap_or_default()))
    }

    /// Lists the public keys of a home.
    pub(crate) fn public_keys(&self, home: &Path) -> Result<Vec<Key>, BinhostError> {
        let args = ["--no-autostart", "--list-keys", "--with-colons"];
        Ok(parse(&self.run(
            home,
            "listing the keys",
            &args.map(OsStr::new),
        )?))
    }

    /// Returns the first secret key of a home. A home that does not exist has none.
    pub(crate) fn secret_key(&self, home: &Path) -> Result<Option<Key>, BinhostError> {
        if !home.is_dir() {
            return Ok(None);
        }
        let args = ["--list-secret-keys", "--with-colons"];
        let listing = self.run(home, "listing the keys", &args.map(OsStr::new));
        self.end_agents(home);
        Ok(parse(&listing?).into_iter().next())
    }

    /// Makes the key with which packages are signed. It has no passphrase, because Portage signs without a terminal, and
    /// it does not expire.
    pub(crate) fn make_key(&self, home: &Path, tuple: &Tuple) -> Result<Key, BinhostError> {
        let user = nix::unistd::geteuid();
        // GnuPG's sockets are in the home, unless the user has a directory for them.
        let is_long = home.join(SOCKET).as_os_str().len() > MOST_SOCKET;
        if is_long && !Path::new(&format!("/run/user/{user}")).is_dir() {
            return Err(BinhostError::LongPath { home: home.into() });
        }
        let (parent, name) = Directory::of(home, &mut Vec::new())?;
        if parent.stat(name)?.is_none() {
            parent.directory(name, 0o700)?;
        }
        let machine = nix::sys::utsname::uname().map(|it| it.nodename().to_owned());
        let machine = machine.unwrap_or_default();
        let user = format!("crossmerge {tuple} ({})", machine.to_string_lossy());
        let made = self.run(
            home,
            "making a key",
            &[
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
                "--quick-generate-key",
                &user,
                "ed25519",
                "sign",
                "never",
            ]
            .map(OsStr::new),
        );
        self.end_agents(home);
        made?;
        let key = self.secret_key(home)?;
        key.ok_or_else(|| BinhostError::Failed {
            what: "making a key".to_owned(),
            message: format!("`{}` has none", home.display()),
        })
    }

    /// Makes a key that has expired valid again.
    pub(crate) fn extend(&self, home: &Path, key: &Key) -> Result<(), BinhostError> {
        let args = [
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--quick-set-expire",
            &key.fingerprint,
            "0",
        ];
        let done = self.run(home, "renewing the key", &args.map(OsStr::new));
        self.end_agents(home);
        done.map(drop)
    }

    /// Returns the public part of a key.
    pub(crate) fn public(&self, home: &Path, key: &str) -> Result<String, BinhostError> {
        let args = ["--no-autostart", "--armor", "--export", key];
        self.run(home, "exporting the key", &args.map(OsStr::new))
    }

    /// Makes the home with the trusted keys again: the own public key, and those of the hosts. It is made beside the old
    /// one.
    pub(crate) fn make_trusted(
        &self,
        places: &KeyPlaces,
        own: Option<&str>,
    ) -> Result<(), BinhostError> {
        let (trusted, new) = (places.trusted(), places.directory.join("trusted.new"));
        file::remove_all(&new)?;
        let hosts = places.hosts();
        if own.is_none() && hosts.is_empty() {
            return Ok(file::remove_all(&trusted)?);
        }
        let (parent, name) = Directory::of(&new, &mut Vec::new())?;
        parent.directory(name, 0o755)?;
        // Portage's own calls of gpg get no option against this warning.
        file::put(&new.join("gpg.conf"), b"no-permission-warning\n")?;
        let mut files = hosts;
        if let Some(own) = own {
            let file = new.join("own.asc");
            file::put(&file, own.as_bytes())?;
            files.push(file);
        }
        let import = |option: &str, files: &[PathBuf]| {
            let mut args = vec![OsStr::new("--no-autostart"), OsStr::new(option)];
            args.extend(files.iter().map(|file| file.as_os_str()));
            self.run(&new, "importing the keys", &args)
        };
        import("--import", &files)?;
        let keys = self.public_keys(&new)?;
        let trust: String = keys
            .iter()
            .map(|key| format!("{}:6:\n", key.fingerprint))
            .collect();
        let file = new.join("ownertrust");
        file::put(&file, trust.as_bytes())?;
        import("--import-ownertrust", std::slice::from_ref(&file))?;
        import("--check-trustdb", &[])?;
        for entry in fs_err::read_dir(&new)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            match name.to_str() {
                Some("gpg.conf" | "pubring.kbx" | "trustdb.gpg") => {
                    fs_err::set_permissions(&path, Permissions::from_mode(0o644))?;
                }
                _ => file::remove_all(&path)?,
            }
        }
        let old = places.directory.join("trusted.old");
        file::remove_all(&old)?;
        if trusted.exists() {
            fs_err::rename(&trusted, &old)?;
        }
        fs_err::rename(&new, &trusted)?;
        Ok(file::remove_all(&old)?)
    }

    /// Ends the agent that gpg has started for a home.
    fn end_agents(&self, home: &Path) {
        let Some(program) = self.agents.clone() else {
            return;
        };
        let plan = Plan {
            program,
            args: vec![
                "--homedir".into(),
                home.into(),
                "--kill".into(),
                "gpg-agent".into(),
            ],
            ..Plan::default()
        };
        // An agent that stays is harmless: it ends when its directory disappears.
        let _ = exec::ask(&plan);
    }
}

/// Reads a file with public keys.
pub(super) fn read_keys(file: &Path) -> Result<Vec<u8>, BinhostError> {
    Ok(read::read(file, read::CONFIGURATION)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_of_a_key_is_not_that_of_its_subkey() {
        let listing = "tru::1:1:0:3:1:5\npub:u:255:22:376D:1796094973:1:::u:::scSC:::::ed25519:::0:\nfpr:::::::::AAAA:\n\
                       uid:u::::1796094973::33A8::crossmerge::::::::::0:\nsub:u:255:18:1:1:::::e:\nfpr:::::::::BBBB:\n\
                       pub:-:255:22:1:1:::-:::scSC:\nfpr:::::::::CCCC:\n";
        let keys = parse(listing);
        let found: Vec<_> = keys
            .iter()
            .map(|key| (key.fingerprint.as_str(), key.fault(), key.is_secret))
            .collect();
        assert_eq!(
            found,
            [("AAAA", Some("expired"), false), ("CCCC", None, false)]
        );
    }
}
