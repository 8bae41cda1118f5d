//! What holds of any record of what was written, and of what is written into a make.conf.

use super::{files::escaped, record::InitRecord};
use crate::fix_root;
use crossmerge_portage as portage;
use std::path::{Component, Path};

/// A record is read as it was written, and names nothing outside the sysroot; a setting is read as it was meant.
pub(crate) fn record(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let file = Path::new("contents");
    let Ok(record) = InitRecord::parse(&text, file) else {
        return;
    };
    for path in record.paths() {
        let mut parts = path.components();
        assert!(parts.all(|part| matches!(part, Component::Normal(_))));
        assert!(Path::new("/s").join(path).starts_with("/s"));
    }
    let again = InitRecord::parse(&record.to_text(), file);
    assert_eq!(again.expect("a record"), record);
    for path in fix_root::properties::files_of(data) {
        assert!(path.as_os_str().len() < data.len());
    }
    // Portage makes one kind of line end of all, and a space of that.
    if !text.contains(['\n', '\r', '\0']) {
        let said = portage::properties::read_text(&format!("X=\"{}\"\n", escaped(&text)));
        let said = said.expect("whole quotes").remove("X");
        assert_eq!(said.as_deref(), Some(&*text));
    }
}
