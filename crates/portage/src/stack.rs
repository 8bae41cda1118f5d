//! Combines the layers of settings. The highest layer that sets a variable decides its value; every layer adds to an
//! incremental variable. USE is computed together with the variables that depend on it.
//!
//! This module only computes; the layers were read before. Where the order of steps looks odd, it is Portage's.

use super::{
    agreed,
    error::SettingsError,
    text::words,
    variables::Vars,
    version::{Version, VersionChange},
};
use crossmerge_plan::env::Env;
use sha2::Sha256;
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    os::unix::ffi::OsStrExt,
    rc::Rc,
};

/// The variables to which every layer adds.
const INCREMENTALS: [&str; 11] = [
    "ACCEPT_KEYWORDS",
    "CONFIG_PROTECT",
    "CONFIG_PROTECT_MASK",
    "ENV_UNSET",
    "FEATURES",
    "IUSE_IMPLICIT",
    "PROFILE_ONLY_VARIABLES",
    "USE_EXPAND",
    "USE_EXPAND_HIDDEN",
    "USE_EXPAND_IMPLICIT",
    "USE_EXPAND_UNPREFIXED",
];

/// Further incremental variables, in the versions of Portage that support prelink.
const OF_PRELINK: [&str; 2] = ["PRELINK_PATH", "PRELINK_PATH_MASK"];

/// Returns the incremental variables other than USE.
fn incrementals(portage: Version) -> impl Iterator<Item = &'static str> {
    let prelink = portage.has(VersionChange::Prelink).then_some(OF_PRELINK);
    INCREMENTALS
        .into_iter()
        .chain(prelink.into_iter().flatten())
}

/// Returns whether a variable is incremental: the values in several files of one layer are joined.
pub(crate) fn is_incremental(portage: Version, name: &str) -> bool {
    name == "USE" || incrementals(portage).any(|known| known == name)
}

/// The environment with Portage's changes.
#[derive(Debug, Clone)]
pub(crate) struct EnvLayer<'e> {
    base: &'e Env,
    /// Every name that was looked up.
    looked_up: Rc<RefCell<BTreeSet<String>>>,
    changes: BTreeMap<Cow<'static, str>, Option<String>>,
}

impl<'e> EnvLayer<'e> {
    /// Returns the environment without changes.
    pub(crate) fn new(base: &'e Env) -> Self {
        Self {
            base,
            looked_up: Rc::default(),
            changes: BTreeMap::new(),
        }
    }

    /// Adds every variable that was looked up to a hash.
    pub(crate) fn add_to(&self, hash: &mut Sha256) {
        for name in self.looked_up.borrow().iter() {
            agreed::add(hash, name.as_bytes());
            let value = self.base.get_name(name).unwrap_or_default();
            agreed::add(hash, value.as_bytes());
        }
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, SettingsError> {
        if let Some(value) = self.changes.get(name) {
            return Ok(value.as_deref());
        }
        if !self.looked_up.borrow().contains(name) {
            self.looked_up.borrow_mut().insert(name.to_owned());
        }
        let Some(value) = self.base.get_name(name) else {
            return Ok(None);
        };
        let error = || SettingsError::query(format!("{name} in the environment is not UTF-8"));
        value.to_str().map(Some).ok_or_else(error)
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.changes.insert(name.into(), Some(value.into()));
    }

    /// Unsets a variable.
    pub(crate) fn unset(&mut self, name: impl Into<Cow<'static, str>>) {
        self.changes.insert(name.into(), None);
    }
}

/// The layers, lowest first.
#[derive(Debug)]
pub(crate) struct Layers<'e> {
    /// The Portage whose settings they are.
    pub portage: Version,
    /// env.d.
    pub env_d: Vars,
    /// The USE flag that FEATURES implies.
    pub features: Vars,
    /// make.globals.
    pub globals: Vars,
    /// The profiles' make.defaults together.
    pub defaults: Vars,
    /// make.conf.
    pub conf: Vars,
    /// The environment whose values are added to incremental variables.
    pub backup: EnvLayer<'e>,
    /// The highest layer: the environment, which also receives the results.
    pub env: EnvLayer<'e>,
}

/// The input of USE other than the layers.
#[derive(Debug, Default)]
pub(crate) struct UseFlags {
    /// make.defaults of each profile.
    pub make_defaults: Vec<Vars>,
    /// Flags that the profiles force.
    pub forced: BTreeSet<String>,
    /// Flags that the profiles mask.
    pub masked: BTreeSet<String>,
}

/// The maximum number of variables that expand to flags; Gentoo has 60. Each is looked up in each profile.
const MOST_NAMES: usize = 2000;

/// The layers that USE_ORDER can name.
const ORDERED: [&str; 10] = [
    "env.d",
    "repo",
    "features",
    "pkginternal",
    "globals",
    "defaults",
    "conf",
    "pkg",
    "backupenv",
    "env",
];

impl Layers<'_> {
    /// Returns the value in the highest layer that sets a variable.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, SettingsError> {
        if let Some(value) = self.env.get(name)? {
            return Ok(Some(value));
        }
        let files = [
            &self.conf,
            &self.defaults,
            &self.globals,
            &self.features,
            &self.env_d,
        ];
        if let Some(value) = files.iter().find_map(|layer| layer.get(name)) {
            return Ok(Some(value));
        }
        match name {
            "PORTAGE_LOGDIR" => self.get("PORT_LOGDIR"),
            "PORTAGE_LOGDIR_CLEAN" => self.get("PORT_LOGDIR_CLEAN"),
            _ => Ok(None),
        }
    }

    /// Returns the variable names in the value of a variable, each once.
    fn names(&self, name: &str) -> Result<Vec<String>, SettingsError> {
        let mut seen = BTreeSet::new();
        let mut names = self.list(name)?;
        names.retain(|name| seen.insert(name.clone()));
        match names.len() > MOST_NAMES {
            true => Err(SettingsError::query(format!(
                "{name} names more than {MOST_NAMES} variables"
            ))
            .into_final()),
            false => Ok(names),
        }
    }

    /// Returns the words in the value of a variable.
    fn list(&self, name: &str) -> Result<Vec<String>, SettingsError> {
        Ok(words(self.get(name)?.unwrap_or_default())
            .map(str::to_owned)
            .collect())
    }

    /// Returns the value in each layer, lowest first.
    fn each(&self, name: &str) -> Result<Vec<&str>, SettingsError> {
        let files = [
            &self.env_d,
            &self.features,
            &self.globals,
            &self.defaults,
            &self.conf,
        ];
        let mut all: Vec<&str> = files
            .iter()
            .filter_map(|layer| layer.get(name).map(String::as_str))
            .collect();
        all.extend(self.backup.get(name)?);
        Ok(all)
    }

    /// Sets a variable in both environments.
    pub(crate) fn settle(&mut self, name: &'static str, value: &str) {
        self.env.set(name, value);
        self.backup.set(name, value);
    }

    /// Removes a variable from every layer.
    pub(crate) fn ban(&mut self, name: &'static str) {
        for layer in [
            &mut self.env_d,
            &mut self.features,
            &mut self.globals,
            &mut self.defaults,
            &mut self.conf,
        ] {
            layer.remove(name);
        }
        self.env.unset(name);
        self.backup.unset(name);
    }

    /// Combines the layers of the incremental variables other than USE.
    pub(crate) fn stack(&mut self) -> Result<(), SettingsError> {
        for name in incrementals(self.portage) {
            let mut set = BTreeSet::new();
            for word in self.each(name)?.into_iter().flat_map(words) {
                if word == "-*" {
                    set.clear();
                    continue;
                }
                let word = word.strip_prefix('+').unwrap_or(word);
                match word.strip_prefix('-') {
                    Some(gone) => {
                        set.remove(gone);
                    }
                    None if word.is_empty() => {}
                    None => {
                        set.insert(word);
                    }
                }
            }
            if !set.is_empty() || self.get(name)?.is_some() {
                let value = set.into_iter().collect::<Vec<_>>().join(" ");
                self.env.set(name, value);
            }
        }
        for (name, fallback) in [
            ("ACCEPT_LICENSE", "* -@EULA"),
            ("ACCEPT_PROPERTIES", ""),
            ("ACCEPT_RESTRICT", ""),
        ] {
            let all: Vec<&str> = self.each(name)?.into_iter().flat_map(words).collect();
            let value = match prune(&all).join(" ") {
                value if value.is_empty() => fallback.to_owned(),
                value => value,
            };
            self.env.set(name, value);
        }
        Ok(())
    }

    /// Combines USE of the profiles, each from its own make.defaults. Called once.
    pub(crate) fn gather_profile_flags(&mut self, flags: &UseFlags) -> Result<(), SettingsError> {
        if flags.make_defaults.is_empty() {
            return Ok(());
        }
        let expanded = self.names("USE_EXPAND")?;
        let unprefixed = self.names("USE_EXPAND_UNPREFIXED")?;
        let mut each = Vec::new();
        for layer in &flags.make_defaults {
            let mut use_ = Vec::new();
            for name in &unprefixed {
                let value = layer.get(name).map_or("", String::as_str);
                use_.extend(words(value).map(str::to_owned));
            }
            for name in &expanded {
                if self.get(name)?.is_none() {
                    continue;
                }
                let prefix = name.to_lowercase();
                let value = layer.get(name).map_or("", String::as_str);
                use_.extend(words(value).map(|word| match word.strip_prefix('-') {
                    Some(gone) => format!("-{prefix}_{gone}"),
                    None => format!("{prefix}_{word}"),
                }));
            }
            let own = layer.get("USE").map_or("", String::as_str);
            use_.extend(words(own).map(str::to_owned));
            each.extend(use_);
        }
        self.defaults.insert("USE".to_owned(), each.join(" "));
        Ok(())
    }

    /// Returns the value of a variable in one of the layers of USE_ORDER.
    fn ordered(&self, layer: &str, name: &str) -> Result<Option<&str>, SettingsError> {
        Ok(match layer {
            "env.d" => self.env_d.get(name).map(String::as_str),
            "features" => self.features.get(name).map(String::as_str),
            "globals" => self.globals.get(name).map(String::as_str),
            "defaults" => self.defaults.get(name).map(String::as_str),
            "conf" => self.conf.get(name).map(String::as_str),
            "backupenv" => self.backup.get(name)?,
            "env" => self.env.get(name)?,
            _ => None,
        })
    }

    /// Computes USE and the variables that depend on USE flags. The steps are in one function, because each needs the
    /// flags that all steps before it have left.
    pub(crate) fn compute_use(&mut self, flags: &UseFlags) -> Result<(), SettingsError> {
        let expanded = self.names("USE_EXPAND")?;
        let unprefixed = self.names("USE_EXPAND_UNPREFIXED")?;
        let before: BTreeMap<&str, Vec<String>> = expanded
            .iter()
            .map(|name| Ok((name.as_str(), self.list(name)?)))
            .collect::<Result<_, SettingsError>>()?;
        let order: Vec<&str> = self
            .get("USE_ORDER")?
            .unwrap_or_default()
            .split(':')
            .filter_map(|name| ORDERED.iter().find(|known| **known == name).copied())
            .rev()
            .collect();
        let mut set: BTreeSet<String> = BTreeSet::new();
        for layer in order {
            for name in &unprefixed {
                for word in words(self.ordered(layer, name)?.unwrap_or_default()) {
                    match word.strip_prefix('-') {
                        Some(gone) => {
                            set.remove(gone);
                        }
                        None => {
                            set.insert(word.to_owned());
                        }
                    }
                }
            }
            let own = words(self.ordered(layer, "USE")?.unwrap_or_default());
            for word in own {
                add_flag(word, &mut set);
            }
            // USE of the profiles contains these already.
            if layer == "defaults" {
                continue;
            }
            for name in &expanded {
                if let Some(value) = self.ordered(layer, name)? {
                    expand_flags(self.portage, name, value, &mut set)?;
                }
            }
        }
        set.extend(flags.forced.iter().cloned());
        set.extend(
            self.defaults
                .get("ARCH")
                .filter(|arch| !arch.is_empty())
                .cloned(),
        );
        set.retain(|flag| !flags.masked.contains(flag));

        let mut results = vec![("USE".to_owned(), set.iter().cloned().collect::<Vec<_>>())];
        for name in &expanded {
            let prefix = format!("{}_", name.to_lowercase());
            let mut own: BTreeSet<&str> = beginning_with(&set, &prefix)
                .map(|flag| &flag[prefix.len()..])
                .collect();
            let mut value: Vec<String> = before[name.as_str()]
                .iter()
                .filter(|word| own.contains(word.as_str()))
                .cloned()
                .collect();
            for word in &value {
                own.remove(word.as_str());
            }
            value.extend(own.into_iter().map(str::to_owned));
            if !value.is_empty() || self.get(name)?.is_some() {
                results.push((name.clone(), value));
            }
        }
        for (name, value) in results {
            self.env.set(name, value.join(" "));
        }
        for name in &unprefixed {
            let mut value = self.list(name)?;
            value.retain(|word| set.contains(word));
            if !value.is_empty() || self.get(name)?.is_some() {
                self.env.set(name.clone(), value.join(" "));
            }
        }
        Ok(())
    }
}

/// Returns the flags with a prefix. They are adjacent in the sorted set, which may be long.
fn beginning_with<'s>(
    set: &'s BTreeSet<String>,
    prefix: &'s str,
) -> impl Iterator<Item = &'s String> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    set.range::<str, _>(from)
        .take_while(move |flag| flag.starts_with(prefix))
}

fn remove_with_prefix(set: &mut BTreeSet<String>, prefix: &str) {
    let gone: Vec<String> = beginning_with(set, prefix).cloned().collect();
    for flag in &gone {
        set.remove(flag);
    }
}

/// Adds or removes the flags of one word of USE.
fn add_flag(word: &str, set: &mut BTreeSet<String>) {
    if word == "-*" {
        set.clear();
        return;
    }
    let word = word.strip_prefix('+').unwrap_or(word);
    match word.strip_prefix('-') {
        Some(gone) => {
            if let Some(prefix) = gone
                .strip_suffix('*')
                .filter(|prefix| prefix.ends_with('_'))
            {
                remove_with_prefix(set, prefix);
            }
            set.remove(gone);
        }
        None if word.is_empty() => {}
        None => {
            set.insert(word.to_owned());
        }
    }
}

/// Adds or removes the flags of one variable of USE_EXPAND.
fn expand_flags(
    portage: Version,
    name: &str,
    value: &str,
    set: &mut BTreeSet<String>,
) -> Result<(), SettingsError> {
    let prefix = format!("{}_", name.to_lowercase());
    let adds_up = incrementals(portage).any(|known| known == name);
    if !adds_up {
        remove_with_prefix(set, &prefix);
    }
    for word in words(value) {
        let plus = word.strip_prefix('+');
        if plus == Some("") && adds_up {
            return Err(SettingsError::query(format!("{name} contains a lone `+`")));
        }
        if plus.is_some() && !adds_up {
            continue;
        }
        let word = plus.unwrap_or(word);
        match word.strip_prefix('-') {
            Some(_) if !adds_up => {}
            Some(gone) => {
                set.remove(&format!("{prefix}{gone}"));
            }
            None => {
                set.insert(format!("{prefix}{word}"));
            }
        }
    }
    Ok(())
}

/// Drops the words that a later `*` or `-*` makes irrelevant.
fn prune<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    match words.iter().rposition(|word| ["*", "-*"].contains(word)) {
        Some(last) if words[last] == "*" || last + 1 == words.len() => &words[last..],
        Some(last) => &words[last + 1..],
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_pruned_at_the_last_star() {
        for (words, wanted) in [
            (&["a", "*", "b"][..], &["*", "b"][..]),
            (&["a", "-*", "b"], &["b"]),
            (&["a", "-*"], &["-*"]),
            (&["a", "b"], &["a", "b"]),
        ] {
            assert_eq!(prune(words), wanted, "{words:?}");
        }
    }

    #[test]
    fn flags_are_removed_by_name_and_by_prefix() {
        let mut set = BTreeSet::new();
        for word in ["a", "+b", "x_1", "x_2", "-a", "+", "-x_*", "c_1", "+-b"] {
            add_flag(word, &mut set);
        }
        assert_eq!(set, ["c_1".to_owned()].into());
        expand_flags(Version::NEWEST, "C", "-1 2 +3", &mut set).expect("no lone plus");
        assert_eq!(set, ["c_2".to_owned()].into());
    }
}
