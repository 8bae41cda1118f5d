//! Properties that hold for any settings of Portage.

use super::{
    Repositories,
    in_root::places_in,
    ini::{self, Ini},
    layout, make_conf,
    settings::{self, SettingsRoots},
    shlex::Shlex,
    text::{SettingsFiles, list_words},
    varexpand::{LONGEST, varexpand},
    variables::Vars,
};
use crossmerge_plan::env::Env;
use std::path::Path;

/// The paths of the files in an input. Each file begins after a form feed, which settings never contain.
const FILES: [&str; 4] = ["/f/make.conf", "/f/a", "/f/b", "/f/c"];

fn files(data: &[u8]) -> Option<SettingsFiles> {
    let texts = data.split(|byte| *byte == b'\x0c');
    let files: Vec<(&str, &[u8])> = FILES.into_iter().zip(texts).collect();
    SettingsFiles::only(&files).ok()
}

/// Returns the assignments of a make.conf, with or without expansion.
pub(crate) fn assigned(files: &SettingsFiles, expand: bool) -> Option<Vars> {
    let text = files.read(FILES[0]).ok()??;
    let mut shlex = Shlex::new(files, FILES[0], text, expand);
    let (mut variables, mut all) = (Vars::new(), Vars::new());
    make_conf::assignments(&mut shlex, &mut variables, &mut all, expand).ok()?;
    Some(all)
}

/// Returns the assignments of a make.conf with this text.
pub fn read_text(text: &str) -> Option<Vars> {
    assigned(
        &SettingsFiles::only(&[(FILES[0], text.as_bytes())]).ok()?,
        true,
    )
}

/// Checks that reading a target's settings from another user's tree terminates.
pub fn read_target(configroot: &Path) {
    let roots = SettingsRoots::target("/nowhere", configroot, "");
    let _ = settings::read(&roots, &Env::default(), super::TARGET);
}

/// Checks that reading terminates, gives the same result again, and stays within the limits.
pub fn make_conf(data: &[u8]) {
    let Some(first) = files(data) else {
        return;
    };
    let all = assigned(&first, true);
    let again = files(data).and_then(|files| assigned(&files, true));
    assert_eq!(all, again);
    assigned(&first, false);
    for (name, value) in all.iter().flatten() {
        assert!(value.len() <= LONGEST);
        let is_plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(is_plain), "{name:?}");
    }
    let text = String::from_utf8_lossy(data);
    let variables = all.unwrap_or_default();
    let expanded = varexpand(&text, &variables);
    if !text.contains(['$', '\\', '\n']) {
        assert_eq!(expanded.as_deref(), Some(&*text));
    }
}

/// Checks that repos.conf is read or rejected, and that the file written for a target names the same directories.
pub fn repos_conf(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace('\r', "\n");
    let texts: Vec<String> = text.split('\x0c').map(str::to_owned).collect();
    let mut read = Ini::new(&[("EPREFIX", "/e"), ("ROOT", "/")]);
    if texts.iter().all(|text| read.read("f", text).is_ok()) {
        let mut left = ini::MOST;
        for section in 0..read.sections.len() {
            let before = left;
            if let Ok(options) = read.expanded(section, &mut left) {
                let length: usize = options.values().map(String::len).sum();
                assert!(length <= before - left);
            }
        }
    }
    let _ = places_in(&texts);
    let repositories = Repositories::parse(&text);
    let written = repositories.to_text();
    let mut again = Ini::default();
    if again.read("f", &written).is_ok() {
        for (place, (name, _)) in again.sections.iter().enumerate() {
            let options = again.expanded(place, &mut ini::MOST.clone());
            let options = options.expect("every `%` is doubled");
            let written = repositories
                .all
                .iter()
                .find(|repository| repository.name == *name);
            let location = written.map(|repository| repository.location.display().to_string());
            let plain = location.as_deref().map(super::text::strip);
            assert_eq!(plain, Some(&*options["location"]));
        }
    }
    of_repository(&text);
}

/// Reads the text as each file with which a repository describes itself.
fn of_repository(text: &str) {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (key, value) in layout::pairs(&lines) {
        assert!(key.trim() == key && value.trim() == value);
    }
    for line in &lines {
        list_words(line);
        let _ = layout::eapi_named(&SettingsFiles::default(), line);
        if let Ok(Some(name)) = layout::valid_name(line) {
            assert_eq!(layout::valid_name(&name), Ok(Some(name.clone())));
        }
    }
}
