//! Properties of every record, and of every value that is written into make.conf.

use super::{files::escaped, record::InitRecord};
use crate::fix_root;
use crossmerge_portage as portage;
use std::path::{Component, Path};

/// Checks that a record is read as it was written and names nothing outside the sysroot, and that a setting is read as
/// it was meant.
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
    // Portage converts all line ends to one kind, and that to a space.
    if !text.contains(['\n', '\r', '\0']) {
        let values = portage::properties::read_text(&format!("X=\"{}\"\n", escaped(&text)));
        let value = values.expect("whole quotes").remove("X");
        assert_eq!(value.as_deref(), Some(&*text));
    }
}
