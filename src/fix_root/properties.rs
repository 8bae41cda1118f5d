//! What holds of any text that the sysroot is put into.

pub(crate) use crate::portage::merged::files_of;

use super::{sysroot::Sysroot, text};
use std::sync::LazyLock;

static SYSROOTS: LazyLock<[Sysroot; 2]> =
    LazyLock::new(|| ["/nowhere/root", "/nowhere/it's $HOME"].map(Sysroot::imagined));

/// A text is only added to, and never twice.
pub(crate) fn edits(data: &[u8]) {
    for sysroot in &*SYSROOTS {
        for edit in [text::libtool_archive, text::config_script] {
            let Some(new) = edit(data, sysroot) else {
                continue;
            };
            assert!(new.len() > data.len());
            // What was there is there still, in its order.
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
    text::looks_at_own_place(data);
}
