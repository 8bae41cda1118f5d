//! Properties that hold for every text into which the sysroot is inserted, and for every sysroot that is searched.

pub(crate) use crossmerge_portage::merged::files_of;

use super::{SysrootFiles, sysroot::Sysroot, text};
use crate::init::InitRecord;
use crossmerge_portage as portage;
use crossmerge_portage::InRoot;
use crossmerge_system::file::{self, Tree, hostile};
use std::{path::Path, rc::Rc, sync::LazyLock};

static SYSROOTS: LazyLock<[Sysroot; 2]> =
    LazyLock::new(|| ["/nowhere/root", "/nowhere/it's $HOME"].map(Sysroot::imagined));

/// Checks that an edit only inserts text, and that a second edit changes nothing.
pub(crate) fn edits(data: &[u8]) {
    for sysroot in &*SYSROOTS {
        for edit in [text::libtool_archive, text::config_script] {
            let Some(new) = edit(data, sysroot) else {
                continue;
            };
            assert!(new.len() > data.len());
            // The new text contains all old bytes, in their order.
            let mut rest = new.iter();
            assert!(data.iter().all(|byte| rest.any(|there| there == byte)));
            let again = edit(&new, sysroot);
            assert!(
                again.is_none(),
                "{} became\n{}",
                new.escape_ascii(),
                again.unwrap_or_default().escape_ascii()
            );
        }
    }
    text::uses_own_path(data);
}

/// A text in a file outside the sysroot.
const SECRET: &str = "hunter2";

/// Checks that all readers of a sysroot terminate, whatever it contains, and return nothing from outside. Portage's
/// settings are the exception.
pub(crate) fn sysroot(data: &[u8]) {
    if String::from_utf8_lossy(data).contains(SECRET) {
        return;
    }
    let outer = file::temporary().expect("a directory");
    let [top, outside] = ["s", "outside"].map(|name| outer.path().join(name));
    for directory in [&top, &outside] {
        std::fs::create_dir(directory).expect("a directory");
    }
    let secret = outside.join("secret");
    std::fs::write(&secret, format!("libdir='/usr/lib'\n# {SECRET}\n")).expect("a file");
    hostile::make(data, &top, &outside);
    if let Ok(record) = InitRecord::read(&top) {
        assert!(record.paths().all(Path::is_relative));
    }
    if let Ok(files) = SysrootFiles::of(&Sysroot::to_read(&top).expect("it is there")) {
        hold(&files, &top);
    }
    let tree = Rc::new(Tree::open_to_read(&top).expect("it is there"));
    let settings = InRoot::of(tree);
    for path in ["/etc/passwd", "/etc/group"] {
        let text = settings.text(path).ok().flatten().unwrap_or_default();
        assert!(!text.contains(SECRET));
    }
    let _ = (settings.distdir(), settings.repositories());
    portage::properties::read_target(&top);
    assert!(secret.exists());
}

/// Checks the files that were found in a sysroot.
fn hold(files: &SysrootFiles, top: &Path) {
    for found in &files.found {
        assert!(found.path.starts_with(top));
        let texts = found.edit.iter().flat_map(|(old, new)| [old, new]);
        for text in texts {
            assert!(!String::from_utf8_lossy(text).contains(SECRET));
        }
    }
    assert!(
        files
            .symlinks
            .iter()
            .all(|symlink| symlink.path.starts_with(top))
    );
}
