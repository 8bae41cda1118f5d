//! The ebuild repositories: repos.conf and what each repository says of itself, as PORTAGE_REPOSITORIES tells it.
//!
//! PORTDIR and PORTDIR_OVERLAY, the old way to name repositories, are refused by `settings.rs`.

use super::{
    ini::{self, Ini},
    layout::Layout,
    path::{self, join},
    refusal::Refusal,
    text::{self, Files, strip, words},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
};

/// The repositories in the order of their priority.
#[derive(Debug, Default)]
pub(crate) struct Repos {
    /// What is known by each name: by its own and by its aliases.
    by_name: BTreeMap<String, usize>,
    /// The repositories.
    all: Vec<Repo>,
    /// The defaults of repos.conf.
    defaults: BTreeMap<&'static str, String>,
    /// The name in `main-repo`, when there is such a repository.
    main: Option<String>,
    /// Places in `all`, lowest priority first.
    order: Vec<usize>,
}

/// One repository.
#[derive(Debug)]
pub(crate) struct Repo {
    /// The section in repos.conf.
    section: String,
    /// Where it lies, without links.
    pub(crate) location: String,
    /// What it says of itself.
    pub(crate) layout: Layout,
    aliases: Option<Vec<String>>,
    masters: Option<Vec<String>>,
    priority: Option<i64>,
    /// The keys that are told as they are.
    keys: BTreeMap<&'static str, String>,
    /// The keys that only its way to sync knows.
    sync_keys: BTreeMap<String, String>,
}

/// The keys that are told as they stand, under the name that Portage sorts them by.
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

/// The keys whose white space is taken off, and that are left out when nothing remains.
const STRIPPED: [&str; 4] = ["sync_type", "sync_umask", "sync_uri", "sync_user"];

/// Switches and what they are when nobody says.
const SWITCHES: [(&str, bool); 4] = [
    ("strict_misc_digests", true),
    ("sync_allow_hardlinks", true),
    ("sync_hooks_only_on_change", false),
    ("sync_rcu", false),
];

/// The keys that only one way to sync knows.
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

/// The values of `sync-openpgp-key-refresh` that are kept; others become `true`.
const KEY_REFRESH: [&str; 5] = ["true", "false", "wkd", "keyserver", "false-nowarn"];

type Options = BTreeMap<String, String>;

impl Repos {
    /// Reads repos.conf: the sources in their order, each a file's name and text.
    pub(crate) fn read(
        files: &Files,
        sources: &[(String, std::rc::Rc<str>)],
        defaults: &[(&str, &str)],
    ) -> Result<Self, Refusal> {
        let mut ini = Ini::new(defaults);
        for (file, text) in sources {
            ini.read(file, text)?;
        }
        let default: Options = ini.defaults.iter().cloned().collect();
        for key in ["location", "aliases", "masters"] {
            if default.contains_key(key) {
                return Err(Refusal::question(format!(
                    "repos.conf sets `{key}` in [DEFAULT]"
                )));
            }
        }
        let mut repos = Self {
            defaults: keys_of(&default, None)?,
            ..Self::default()
        };
        let mut left = ini::MOST;
        for (place, (section, _)) in ini.sections.iter().enumerate() {
            let options = ini.expanded(place, &mut left)?;
            repos.all.extend(Repo::new(files, section, &options)?);
        }
        repos.name()?;
        let main = default.get("main-repo").cloned();
        if main.as_deref() == Some("DEFAULT") {
            return Err(Refusal::question("`main-repo` is DEFAULT"));
        }
        repos.main = main.filter(|main| repos.by_name.contains_key(main));
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

    /// Gives every repository its section's name, its own, and its aliases, as long as nobody has them.
    fn name(&mut self) -> Result<(), Refusal> {
        for (place, repo) in self.all.iter().enumerate() {
            self.by_name.insert(repo.section.clone(), place);
        }
        for (place, repo) in self.all.iter().enumerate() {
            let aliases = repo.aliases.iter().flatten().map(String::as_str);
            let names = [repo.layout.name.as_str()].into_iter().chain(aliases);
            for name in names {
                if name == "DEFAULT" || name.starts_with('-') {
                    return Err(Refusal::question(format!(
                        "a repository is called `{name}`"
                    )));
                }
                self.by_name.entry(name.to_owned()).or_insert(place);
            }
        }
        let mut locations = BTreeSet::new();
        for repo in &self.all {
            if !locations.insert(&repo.location) {
                return Err(Refusal::question(format!(
                    "repos.conf names `{}` twice",
                    repo.location
                )));
            }
        }
        Ok(())
    }

    fn check_masters(&self) -> Result<(), Refusal> {
        let named = |name: &String| name == "DEFAULT";
        match self
            .all
            .iter()
            .any(|repo| repo.masters.iter().flatten().any(named))
        {
            true => Err(Refusal::question("a repository has the master DEFAULT")),
            false => Ok(()),
        }
    }

    /// The repositories, lowest priority first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Repo> {
        self.order.iter().map(|place| &self.all[*place])
    }

    /// The main repository.
    pub(crate) fn main(&self) -> Option<&Repo> {
        self.main.as_ref().and_then(|main| self.by(main))
    }

    /// The repository of a name or alias.
    pub(crate) fn by(&self, name: &str) -> Option<&Repo> {
        self.by_name.get(name).map(|place| &self.all[*place])
    }

    /// PORTAGE_REPOSITORIES: what was understood, in the form of repos.conf.
    ///
    /// Portage itself tells the keys that only one way to sync knows in any order; here they are sorted.
    pub(crate) fn config_string(&self) -> String {
        let mut defaults = self.defaults.clone();
        defaults.extend(self.main.clone().map(|main| ("main_repo", main)));
        let mut text = "[DEFAULT]\n".to_owned();
        tell(&defaults, &mut text);
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
                // Portage compares the section, so a main repository that is met under an alias is its own master.
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
            tell(&keys, &mut text);
            for (key, value) in &repo.sync_keys {
                text += &format!("{key} = {value}\n");
            }
        }
        text
    }
}

fn tell(keys: &BTreeMap<&'static str, String>, text: &mut String) {
    for (key, value) in keys {
        *text += &format!("{} = {value}\n", key.replace('_', "-"));
    }
}

impl Repo {
    /// Reads what a section says; `None` for one that Portage passes over with a message.
    fn new(files: &Files, section: &str, options: &Options) -> Result<Option<Self>, Refusal> {
        let Some(location) = options.get("location").filter(|l| !strip(l).is_empty()) else {
            return Ok(None);
        };
        let refuse = |reason: String| {
            Err(Refusal::question(format!(
                "repos.conf, `{section}`: {reason}"
            )))
        };
        if !location.starts_with('/') {
            return refuse(format!("its location `{location}` is not an absolute path"));
        }
        if !path::is_dir(location)? {
            return match section {
                // Portage keeps it, so that its first sync can make the folder.
                "gentoo" => refuse(format!("there is no `{location}`")),
                _ => Ok(None),
            };
        }
        let location = path::resolve(location)?;
        let layout = Layout::read(files, &location, section)?;
        let list = |key: &str| {
            options
                .get(key)
                .map(|value| words(value).map(str::to_owned).collect::<Vec<_>>())
        };
        let mut aliases = list("aliases");
        if !layout.aliases.is_empty() {
            aliases = Some([layout.aliases.clone(), aliases.unwrap_or_default()].concat());
        }
        let is_alias = aliases.iter().flatten().any(|alias| alias == section);
        if layout.name != section && (layout.is_nameless || !is_alias) {
            return Ok(None);
        }
        for key in ["usepkg-exclude", "usepkg-include"] {
            if options
                .get(key)
                .is_some_and(|value| !strip(value).is_empty())
            {
                return refuse(format!("`{key}` is told in any order"));
            }
        }
        let mut keys = keys_of(options, Some((&location, &layout)))?;
        keys.extend([
            ("usepkg_exclude", String::new()),
            ("usepkg_include", String::new()),
        ]);
        let own = SYNC_KEYS
            .iter()
            .find(|(kind, _)| keys.get("sync_type").map(String::as_str) == Some(kind))
            .map_or(&[][..], |(_, keys)| keys);
        let sync_keys = own
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), options.get(*key)?.clone())))
            .collect();
        Ok(Some(Self {
            section: section.to_owned(),
            masters: list("masters").or_else(|| layout.masters.clone()),
            aliases,
            priority: match options.get("priority") {
                Some(priority) => integer(priority)?,
                None => None,
            },
            keys,
            sync_keys,
            location,
            layout,
        }))
    }
}

/// The keys that say how a repository is used and synced; of `[DEFAULT]` when there is no place.
fn keys_of(
    options: &Options,
    place: Option<(&str, &Layout)>,
) -> Result<BTreeMap<&'static str, String>, Refusal> {
    let get = |key: &str| options.get(&key.replace('_', "-")).map(String::as_str);
    let is_on = |value: &str| ["true", "yes"].contains(&value);
    let word = |on: bool| if on { "true" } else { "false" }.to_owned();
    let mut keys = BTreeMap::new();
    for key in PLAIN {
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
        "no" => "false",
        refresh if KEY_REFRESH.contains(&refresh) => refresh,
        _ => "true",
    };
    keys.insert("sync_openpgp_key_refresh", refresh.to_owned());
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
        (None, Some((location, layout))) => is_volatile(location, layout),
        (None, None) => true,
    };
    keys.insert("volatile", word(volatile));
    keys.extend(place.map(|(location, _)| ("location", location.to_owned())));
    Ok(keys)
}

/// Tells whether somebody may change the repository by hand: all but those that Portage itself keeps under /var/db/repos.
fn is_volatile(location: &str, layout: &Layout) -> bool {
    let owner = || {
        let uid = fs::metadata(location).ok()?.uid();
        nix::unistd::User::from_uid(uid.into()).ok()?
    };
    layout.lacks_name_file
        || !location.starts_with("/var/db/repos")
        || !owner().is_some_and(|owner| ["root", "portage"].contains(&owner.name.as_str()))
}

/// A whole number as Python reads one; `None` when it is none.
fn integer(text: &str) -> Result<Option<i64>, Refusal> {
    let text = text::strip(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.len() < 18 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.parse().ok());
    }
    match digits.chars().any(char::is_numeric)
        && !digits.chars().any(|c| c.is_alphabetic() || c == '.')
    {
        true => Err(Refusal::question(format!(
            "repos.conf has the number `{text}`"
        ))),
        false => Ok(None),
    }
}

/// The sources of repos.conf: Portage's own file, then the configured file or folder.
pub(crate) fn sources(
    files: &Files,
    global: &str,
    configroot: &str,
) -> Result<Vec<(String, std::rc::Rc<str>)>, Refusal> {
    let mut sources = Vec::new();
    for path in [
        join(global, "repos.conf"),
        join(configroot, "etc/portage/repos.conf"),
    ] {
        for file in text::recursive_files(&path)? {
            if let Some(text) = files.read(&file)? {
                sources.push((file, text));
            }
        }
    }
    Ok(sources)
}
