//! The ebuild repositories: repos.conf, PORTDIR and PORTDIR_OVERLAY, and each repository's description of itself,
//! combined into PORTAGE_REPOSITORIES.

use super::{
    error::SettingsError,
    ini::{self, Ini},
    layout::RepoLayout,
    path::{self, join},
    shlex,
    text::{self, SettingsFiles, strip, words},
    version::VersionChange,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
};

/// The repositories in the order of their priority.
#[derive(Debug, Default)]
pub(crate) struct Repos {
    /// The index in `all` by name and alias.
    by_name: BTreeMap<String, usize>,
    /// The repositories.
    all: Vec<Repo>,
    /// The defaults of repos.conf.
    defaults: BTreeMap<&'static str, String>,
    /// The name in `main-repo`, if there is such a repository.
    main: Option<String>,
    /// Indices in `all`, lowest priority first.
    order: Vec<usize>,
}

/// One repository.
#[derive(Debug)]
pub(crate) struct Repo {
    /// Its section in repos.conf.
    section: String,
    /// The directory, with symlinks resolved.
    pub location: String,
    /// Whether the directory exists.
    pub exists: bool,
    /// The repository's description of itself.
    pub layout: RepoLayout,
    aliases: Option<Vec<String>>,
    masters: Option<Vec<String>>,
    priority: Option<i64>,
    /// The keys that PORTAGE_REPOSITORIES contains for every repository.
    keys: BTreeMap<&'static str, String>,
    /// The keys that belong to its `sync-type`.
    sync_keys: BTreeMap<String, String>,
}

/// The keys whose values are copied unchanged. Portage writes them with `_` and sorts them so; repos.conf has `-`.
const PLAIN: [&str; 12] = [
    "clone_depth",
    "sync_depth",
    "sync_openpgp_key_package",
    "sync_openpgp_key_path",
    "sync_openpgp_key_refresh_retry_count",
    "sync_openpgp_key_refresh_retry_delay_exp_base",
    "sync_openpgp_key_refresh_retry_delay_max",
    "sync_openpgp_key_refresh_retry_delay_mult",
    "sync_openpgp_key_refresh_retry_overall_timeout",
    "sync_rcu_store_dir",
    "eclass_overrides",
    "force",
];

/// The keys whose values are stripped of white space, and omitted if nothing remains.
const STRIPPED: [&str; 4] = ["sync_type", "sync_umask", "sync_uri", "sync_user"];

/// Switches and their defaults.
const SWITCHES: [(&str, bool); 4] = [
    ("strict_misc_digests", true),
    ("sync_allow_hardlinks", true),
    ("sync_hooks_only_on_change", false),
    ("sync_rcu", false),
];

/// The keys that belong to one `sync-type`.
const SYNC_KEYS: [(&str, &[&str]); 5] = [
    ("cvs", &["sync-cvs-repo"]),
    (
        "git",
        &[
            "sync-git-clone-env",
            "sync-git-clone-extra-opts",
            "sync-git-env",
            "sync-git-pull-env",
            "sync-git-pull-extra-opts",
            "sync-git-verify-commit-signature",
            "sync-git-verify-max-age-days",
        ],
    ),
    (
        "mercurial",
        &[
            "sync-mercurial-clone-env",
            "sync-mercurial-clone-extra-opts",
            "sync-mercurial-env",
            "sync-mercurial-pull-env",
            "sync-mercurial-pull-extra-opts",
        ],
    ),
    (
        "rsync",
        &[
            "sync-rsync-extra-opts",
            "sync-rsync-vcs-ignore",
            "sync-rsync-verify-jobs",
            "sync-rsync-verify-max-age",
            "sync-rsync-verify-metamanifest",
        ],
    ),
    (
        "webrsync",
        &[
            "sync-webrsync-delta",
            "sync-webrsync-keep-snapshots",
            "sync-webrsync-verify-signature",
        ],
    ),
];

/// The valid values of `sync-openpgp-key-refresh`. Others become `true`.
const KEY_REFRESH: [&str; 5] = ["true", "false", "wkd", "keyserver", "false-nowarn"];

type RepoOptions = BTreeMap<String, String>;

/// The repositories in PORTDIR and PORTDIR_OVERLAY, the variables that older configurations use instead of repos.conf.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct NamedRepos {
    /// PORTDIR: the main repository; empty if it is not set.
    portdir: String,
    /// PORTDIR_OVERLAY.
    overlays: Vec<String>,
    /// Whether PORTDIR_OVERLAY is not empty, even if it contains only white space.
    has_overlays: bool,
    /// Every path that either variable had in any layer. Portage looks for profile formats there too.
    pub known: Vec<String>,
}

impl NamedRepos {
    /// Combines PORTDIR and PORTDIR_OVERLAY of the layers, lowest first.
    pub(crate) fn new(layers: &[(Option<&str>, Option<&str>)]) -> Result<Self, SettingsError> {
        let mut named = Self::default();
        for (portdir, overlays) in layers {
            if let Some(portdir) = portdir {
                named.portdir = absolute("PORTDIR", portdir)?;
                named.known.push(named.portdir.clone());
            }
            if let Some(text) = overlays {
                named.has_overlays = !text.is_empty();
                let paths = shlex::split(text).ok_or_else(|| {
                    SettingsError::query(
                        "a quote in PORTDIR_OVERLAY is not closed, so Portage fails",
                    )
                })?;
                named.overlays = paths
                    .iter()
                    .map(|path| absolute("PORTDIR_OVERLAY", path))
                    .collect::<Result<_, _>>()?;
                named.known.extend(named.overlays.iter().cloned());
            }
        }
        Ok(named)
    }
}

/// Normalises an absolute path. A relative one is an error, since Portage resolves it in the current directory.
fn absolute(name: &str, path: &str) -> Result<String, SettingsError> {
    match path::normalise(path) {
        plain if path.starts_with('/') && plain != "/" => Ok(plain),
        _ => Err(SettingsError::query(format!(
            "{name} is `{path}`, which is not an absolute path of a repository"
        ))),
    }
}

impl Repos {
    /// Reads repos.conf, given as the name and text of each file in order, and adds the repositories of make.conf.
    pub(crate) fn read(
        files: &SettingsFiles,
        sources: &[(String, std::rc::Rc<str>)],
        defaults: &[(&str, &str)],
        eprefix: &str,
        named: &NamedRepos,
    ) -> Result<Self, SettingsError> {
        let mut ini = Ini::new(defaults);
        for (file, text) in sources {
            ini.read(file, text)?;
        }
        let default: RepoOptions = ini.defaults.iter().cloned().collect();
        for key in ["location", "aliases", "masters"] {
            if default.contains_key(key) {
                return Err(SettingsError::query(format!(
                    "repos.conf sets `{key}` in [DEFAULT]"
                )));
            }
        }
        let mut repos = Self {
            defaults: keys_of(files, &default, None)?,
            ..Self::default()
        };
        let mut left = ini::MOST;
        for (place, (section, _)) in ini.sections.iter().enumerate() {
            let options = ini.expanded(place, &mut left)?;
            repos.all.push(Repo::new(files, Some(section), &options)?);
        }
        let main = default.get("main-repo").cloned();
        if main.as_deref() == Some("DEFAULT") {
            return Err(SettingsError::query("`main-repo` is DEFAULT"));
        }
        let portdir = repos.add_named(files, named, main.as_deref(), &default, eprefix)?;
        repos.check(files);
        repos.name()?;
        repos.main = main.filter(|main| repos.by_name.contains_key(main));
        if repos.main.is_none() {
            let at_portdir = repos
                .all
                .iter()
                .find(|repo| Some(&repo.location) == portdir.as_ref());
            repos.main = at_portdir.map(|repo| repo.layout.name.clone());
        }
        if let Some(main) = &repos.main {
            let main = &mut repos.all[repos.by_name[main]];
            main.priority.get_or_insert(-1000);
        }
        let key = |place: &usize| {
            let repo = &repos.all[*place];
            (repo.priority.unwrap_or(0), repo.layout.name.clone())
        };
        repos.order = (0..repos.all.len())
            .filter(|place| repos.by_name.get(&repos.all[*place].layout.name) == Some(place))
            .collect();
        repos.order.sort_by_key(key);
        repos.check_masters()?;
        Ok(repos)
    }

    /// Adds the repositories in PORTDIR and PORTDIR_OVERLAY, which replace those of the same name. Returns the
    /// directory of the one in PORTDIR, with symlinks resolved.
    fn add_named(
        &mut self,
        files: &SettingsFiles,
        named: &NamedRepos,
        main: Option<&str>,
        default: &RepoOptions,
        eprefix: &str,
    ) -> Result<Option<String>, SettingsError> {
        let of_section: BTreeMap<String, usize> = self
            .all
            .iter()
            .enumerate()
            .map(|(place, repo)| (repo.section.clone(), place))
            .collect();
        // Names and locations change below. The options of a section stay those of repos.conf.
        let sections: Vec<SectionOptions> = self.all.iter().map(SectionOptions::of).collect();
        let usual =
            ["var/db/repos/gentoo", "usr/portage"].map(|place| format!("{eprefix}/{place}"));
        let is_named = |place: &&String| self.all.iter().any(|repo| repo.location == **place);
        let usual = usual.iter().find(is_named).unwrap_or(&usual[1]).clone();

        let mut portdir = named.portdir.clone();
        let mut priority = 0;
        let first = (!portdir.is_empty()).then_some((&named.portdir, true));
        let others = named.overlays.iter().map(|overlay| (overlay, false));
        for (path, is_portdir) in first.into_iter().chain(others) {
            if !path::is_dir(path)? && !is_portdir {
                // Portage skips it with a message.
                continue;
            }
            let mut options = RepoOptions::from([("location".to_owned(), path.clone())]);
            let key = "eclass-overrides".to_owned();
            options.extend(default.get(&key).map(|value| (key, value.clone())));
            let name = main.filter(|_| is_portdir);
            let mut repo = Repo::new(files, name, &options)?;
            repo.section = repo.layout.name.clone();
            let section = of_section.get(&repo.layout.name);
            if let Some(section) = section {
                sections[*section].copy_to(&mut repo, named.has_overlays);
            }
            let place = self
                .all
                .iter()
                .position(|known| known.section == repo.section);
            if let Some(before) = place.map(|place| &self.all[place].location)
                && !before.is_empty()
                && *before != repo.location
                && (priority != 0 || *before != usual)
                && *before == portdir
            {
                portdir = repo.location.clone();
            }
            if repo.priority.is_none() && (priority != 0 || *path != named.portdir) {
                repo.priority = Some(priority);
                priority += 1;
            }
            match place {
                Some(place) => self.all[place] = repo,
                None => self.all.push(repo),
            }
        }
        match portdir.is_empty() {
            true => Ok(None),
            false => path::resolve_missing(&portdir).map(Some),
        }
    }

    /// Drops the repositories that Portage skips with a message: without a location, without a directory, or with a
    /// name other than that of the section.
    fn check(&mut self, files: &SettingsFiles) {
        let aliases_count = files.has(VersionChange::AliasSections);
        self.all.retain(|repo| {
            let is_alias = repo
                .aliases
                .iter()
                .flatten()
                .any(|alias| *alias == repo.section);
            let has_that_name = repo.layout.name == repo.section
                || aliases_count && is_alias && !repo.layout.is_nameless;
            // Gentoo's repository may be missing: the first sync creates the directory.
            let is_kept = repo.exists || repo.layout.name == "gentoo";
            !repo.location.is_empty() && is_kept && has_that_name
        });
    }

    /// Registers every repository by its section, its name and its aliases. The first repository with a name keeps it.
    fn name(&mut self) -> Result<(), SettingsError> {
        for (place, repo) in self.all.iter().enumerate() {
            self.by_name.insert(repo.section.clone(), place);
        }
        for (place, repo) in self.all.iter().enumerate() {
            let aliases = repo.aliases.iter().flatten().map(String::as_str);
            let names = [repo.layout.name.as_str()].into_iter().chain(aliases);
            for name in names {
                if name == "DEFAULT" || name.starts_with('-') {
                    return Err(SettingsError::query(format!(
                        "`{name}` is not a valid repository name"
                    )));
                }
                self.by_name.entry(name.to_owned()).or_insert(place);
            }
        }
        let mut locations = BTreeSet::new();
        for repo in &self.all {
            if !locations.insert(&repo.location) {
                return Err(SettingsError::query(format!(
                    "repos.conf names `{}` twice",
                    repo.location
                )));
            }
        }
        Ok(())
    }

    fn check_masters(&self) -> Result<(), SettingsError> {
        let named = |name: &String| name == "DEFAULT";
        match self
            .all
            .iter()
            .any(|repo| repo.masters.iter().flatten().any(named))
        {
            true => Err(SettingsError::query(
                "DEFAULT is the master of a repository",
            )),
            false => Ok(()),
        }
    }

    /// Iterates over the repositories, lowest priority first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Repo> {
        self.order.iter().map(|place| &self.all[*place])
    }

    /// Returns the main repository.
    pub(crate) fn main(&self) -> Option<&Repo> {
        self.main.as_ref().and_then(|main| self.by(main))
    }

    /// Returns the repository with a name or alias.
    pub(crate) fn by(&self, name: &str) -> Option<&Repo> {
        self.by_name.get(name).map(|place| &self.all[*place])
    }

    /// Returns PORTAGE_REPOSITORIES: the result in the form of repos.conf.
    ///
    /// Portage prints the keys of a `sync-type` in an arbitrary order. Here they are sorted.
    pub(crate) fn config_string(&self) -> String {
        let mut defaults = self.defaults.clone();
        defaults.extend(self.main.clone().map(|main| ("main_repo", main)));
        let mut text = "[DEFAULT]\n".to_owned();
        write_keys(&defaults, &mut text);
        for (name, place) in &self.by_name {
            let repo = &self.all[*place];
            if *name != repo.layout.name {
                continue;
            }
            let masters: Vec<&str> = match (&repo.masters, self.main()) {
                (Some(masters), _) => masters
                    .iter()
                    .filter_map(|master| self.by(master))
                    .map(|master| master.layout.name.as_str())
                    .collect(),
                // Portage compares the section, so a main repository that is found under an alias is its own master.
                (None, Some(main)) if repo.section != main.layout.name => {
                    vec![main.layout.name.as_str()]
                }
                (None, _) => Vec::new(),
            };
            let mut keys = repo.keys.clone();
            keys.insert("masters", masters.join(" "));
            keys.extend(repo.aliases.as_ref().map(|a| ("aliases", a.join(" "))));
            keys.extend(repo.priority.map(|p| ("priority", p.to_string())));
            text += &format!("\n[{name}]\n");
            write_keys(&keys, &mut text);
            for (key, value) in &repo.sync_keys {
                text += &format!("{key} = {value}\n");
            }
        }
        text
    }
}

fn write_keys(keys: &BTreeMap<&'static str, String>, text: &mut String) {
    for (key, value) in keys {
        *text += &format!("{} = {value}\n", key.replace('_', "-"));
    }
}

/// The options of a section other than the location, for which PORTDIR may be used instead.
struct SectionOptions {
    masters: Option<Vec<String>>,
    aliases: Option<Vec<String>>,
    priority: Option<i64>,
    keys: BTreeMap<&'static str, String>,
    sync_keys: BTreeMap<String, String>,
}

impl SectionOptions {
    fn of(repo: &Repo) -> Self {
        let mut keys = repo.keys.clone();
        for own in ["location", "format"] {
            keys.remove(own);
        }
        Self {
            masters: repo.masters.clone(),
            aliases: repo.aliases.clone(),
            priority: repo.priority,
            keys,
            sync_keys: repo.sync_keys.clone(),
        }
    }

    /// Copies the options to the repository that replaces the section's.
    fn copy_to(&self, repo: &mut Repo, is_volatile: bool) {
        repo.masters = self.masters.clone().or(repo.masters.take());
        repo.aliases = self.aliases.clone().or(repo.aliases.take());
        repo.priority = self.priority.or(repo.priority);
        repo.keys.extend(self.keys.clone());
        repo.sync_keys = self.sync_keys.clone();
        if is_volatile {
            repo.keys.insert("volatile", "true".to_owned());
        }
    }
}

impl Repo {
    /// Reads a repository and its options in repos.conf. If the repository states no name, the section's applies, or
    /// the directory's if there is no section. The location is empty if the section has none, since PORTDIR may be
    /// used.
    fn new(
        files: &SettingsFiles,
        section: Option<&str>,
        options: &RepoOptions,
    ) -> Result<Self, SettingsError> {
        let location = options.get("location").map_or("", String::as_str);
        let error = |reason: String| match section {
            Some(section) => Err(SettingsError::query(format!(
                "repos.conf, `{section}`: {reason}"
            ))),
            None => Err(SettingsError::query(reason)),
        };
        let is_placed = !strip(location).is_empty();
        if is_placed && !location.starts_with('/') {
            return error(format!("its location `{location}` is not an absolute path"));
        }
        let resolved = match is_placed {
            true => path::resolve_directory(location)?,
            false => None,
        };
        let exists = resolved.is_some();
        let location = match is_placed {
            true => resolved.unwrap_or_else(|| location.to_owned()),
            false => String::new(),
        };
        let layout = match is_placed {
            true => RepoLayout::read(files, &location, section)?,
            false => RepoLayout::unknown(section.unwrap_or_default()),
        };
        let list = |key: &str| {
            options
                .get(key)
                .map(|value| words(value).map(str::to_owned).collect::<Vec<_>>())
        };
        let mut aliases = list("aliases");
        if !layout.aliases.is_empty() {
            aliases = Some([layout.aliases.clone(), aliases.unwrap_or_default()].concat());
        }
        let mut keys = keys_of(files, options, Some((&location, &layout)))?;
        if files.has(VersionChange::UsepkgLists) {
            for (key, name) in [
                ("usepkg_exclude", "usepkg-exclude"),
                ("usepkg_include", "usepkg-include"),
            ] {
                if options
                    .get(name)
                    .is_some_and(|value| !strip(value).is_empty())
                {
                    return error(format!("portageq prints `{name}` in an arbitrary order"));
                }
                keys.insert(key, String::new());
            }
        }
        let own = SYNC_KEYS
            .iter()
            .find(|(kind, _)| keys.get("sync_type").map(String::as_str) == Some(kind))
            .map_or(&[][..], |(_, keys)| keys);
        let is_known = |key: &str| {
            key != "sync-git-verify-max-age-days" || files.has(VersionChange::GitMaxAge)
        };
        let sync_keys = own
            .iter()
            .filter(|key| is_known(key))
            .filter_map(|key| Some(((*key).to_owned(), options.get(*key)?.clone())))
            .collect();
        Ok(Self {
            section: section.unwrap_or(&layout.name).to_owned(),
            masters: list("masters").or_else(|| layout.masters.clone()),
            aliases,
            priority: match options.get("priority") {
                Some(priority) => integer(priority)?,
                None => None,
            },
            keys,
            sync_keys,
            location,
            exists,
            layout,
        })
    }
}

/// Returns the keys that describe how a repository is used and synced; those of `[DEFAULT]` if `place` is `None`.
fn keys_of(
    files: &SettingsFiles,
    options: &RepoOptions,
    place: Option<(&str, &RepoLayout)>,
) -> Result<BTreeMap<&'static str, String>, SettingsError> {
    let get = |key: &str| options.get(&key.replace('_', "-")).map(String::as_str);
    let is_on = |value: &str| ["true", "yes"].contains(&value);
    let word = |on: bool| if on { "true" } else { "false" }.to_owned();
    let mut keys = BTreeMap::new();
    for key in PLAIN {
        if key == "sync_openpgp_key_package" && !files.has(VersionChange::UsepkgLists) {
            continue;
        }
        if let Some(value) = get(key) {
            let value = match key {
                "eclass_overrides" | "force" => words(value).collect::<Vec<_>>().join(" "),
                _ => value.to_owned(),
            };
            keys.insert(key, value);
        }
    }
    for key in STRIPPED {
        keys.extend(
            get(key)
                .map(strip)
                .filter(|v| !v.is_empty())
                .map(|v| (key, v.to_owned())),
        );
    }
    for (key, default) in SWITCHES {
        if key == "sync_hooks_only_on_change" && !files.has(VersionChange::HooksOption) {
            continue;
        }
        let on = get(key).map_or(default, |value| is_on(&value.to_lowercase()));
        keys.insert(key, word(on));
    }
    keys.extend(get("format").map(|format| ("format", strip(format).to_owned())));
    let auto_sync = strip(get("auto_sync").unwrap_or("yes")).to_lowercase();
    keys.insert("auto_sync", auto_sync);
    let keyserver = strip(get("sync_openpgp_keyserver").unwrap_or_default()).to_lowercase();
    if !keyserver.is_empty() {
        keys.insert("sync_openpgp_keyserver", keyserver);
    }
    let refresh = get("sync_openpgp_key_refresh")
        .unwrap_or("true")
        .to_lowercase();
    let refresh = match refresh.as_str() {
        refresh if !files.has(VersionChange::KeyRefreshKinds) => word(is_on(refresh)),
        refresh => key_refresh(files, refresh).to_owned(),
    };
    keys.insert("sync_openpgp_key_refresh", refresh);
    for key in ["sync_rcu_spare_snapshots", "sync_rcu_ttl_days"] {
        if let Some(value) = get(key).map(strip).filter(|value| !value.is_empty()) {
            keys.extend(integer(value)?.map(|number| (key, number.to_string())));
        }
    }
    if place.is_some() && keys.get("sync_type").is_some_and(|kind| kind == "git") {
        for key in ["clone_depth", "sync_depth"] {
            if let Some(number) = keys
                .get(key)
                .map(|value| integer(value))
                .transpose()?
                .flatten()
            {
                keys.insert(key, number.to_string());
            }
        }
    }
    let volatile = match (get("volatile"), place) {
        (Some(value), _) => is_on(value),
        (None, Some((location, layout))) => is_volatile(files, location, layout)?,
        (None, None) => true,
    };
    keys.insert("volatile", word(volatile));
    keys.extend(place.map(|(location, _)| ("location", location.to_owned())));
    Ok(keys)
}

/// Returns how Portage prints a value of `sync-openpgp-key-refresh`, which may be more than a switch.
fn key_refresh<'v>(files: &SettingsFiles, value: &'v str) -> &'v str {
    match value {
        // These versions of Portage print `true` for every value.
        _ if !files.has(VersionChange::KeyRefreshPrinted) => "true",
        "no" => "false",
        value if KEY_REFRESH.contains(&value) => value,
        _ => "true",
    }
}

/// Returns whether the user may edit the repository: any except those below /var/db/repos that belong to root or
/// portage.
fn is_volatile(
    files: &SettingsFiles,
    location: &str,
    layout: &RepoLayout,
) -> Result<bool, SettingsError> {
    if layout.lacks_name_file || !location.starts_with("/var/db/repos") {
        return Ok(true);
    }
    let owner = || {
        let uid = fs::metadata(location).ok()?.uid();
        nix::unistd::User::from_uid(uid.into()).ok()?
    };
    is_volatile_of(files, location, owner().map(|owner| owner.name).as_deref())
}

/// Returns whether the user may edit a repository below /var/db/repos. `owner` is `None` if the owner has no user name.
fn is_volatile_of(
    files: &SettingsFiles,
    location: &str,
    owner: Option<&str>,
) -> Result<bool, SettingsError> {
    match owner {
        Some(owner) => Ok(!["root", "portage"].contains(&owner)),
        None if files.has(VersionChange::NamelessOwner) => Ok(true),
        None => Err(SettingsError::file(
            location,
            "has an owner without a user name, so Portage fails",
        )),
    }
}

/// Parses an integer as Python does; returns `None` if the text is not one.
fn integer(text: &str) -> Result<Option<i64>, SettingsError> {
    let text = text::strip(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.len() < 18 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.parse().ok());
    }
    match digits.chars().any(char::is_numeric)
        && !digits.chars().any(|c| c.is_alphabetic() || c == '.')
    {
        true => Err(SettingsError::query(format!(
            "repos.conf contains the number `{text}`"
        ))),
        false => Ok(None),
    }
}

/// Reads the files of repos.conf: Portage's own, then the configured file or the files in the configured directory.
pub(crate) fn sources(
    files: &SettingsFiles,
    global: &str,
    configroot: &str,
) -> Result<Vec<(String, std::rc::Rc<str>)>, SettingsError> {
    let mut sources = Vec::new();
    for path in [
        join(global, "repos.conf"),
        join(configroot, "etc/portage/repos.conf"),
    ] {
        for file in text::recursive_files(files, &path)? {
            if let Some(text) = files.read(&file)? {
                sources.push((file, text));
            }
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_another_user_is_volatile() {
        for (version, owner, wanted) in [
            ("3.0.83", Some("root"), Some(false)),
            ("3.0.83", Some("portage"), Some(false)),
            ("3.0.83", Some("larry"), Some(true)),
            ("3.0.45.2", Some("root"), Some(false)),
            ("3.0.45.2", None, None),
            ("3.0.45.3", None, Some(true)),
        ] {
            let files = SettingsFiles::of(version.parse().expect(version));
            let is = is_volatile_of(&files, "/var/db/repos/x", owner).ok();
            assert_eq!(is, wanted, "{version} {owner:?}");
        }
    }
}
