//! What touches a tree that another user made goes through `file::beneath`: no call in these modules takes a path of its own.
//!
//! clippy's `disallowed-methods` hold for the whole crate, and the rest of it goes by path with good reason; so the sources are read here.

use std::path::Path;

/// The modules.
const MODULES: [&str; 8] = [
    "src/fix_root/apply.rs",
    "src/fix_root/find.rs",
    "crates/portage/src/merged.rs",
    "src/fix_root/symlink.rs",
    "src/fix_root/sysroot.rs",
    "src/init/record.rs",
    "crates/system/src/file/beneath.rs",
    "crates/system/src/file/places.rs",
];

/// What goes by path in the standard library and its like.
const BY_PATH: [&str; 18] = [
    "fs::read",
    "fs::write",
    "fs::metadata",
    "fs::symlink_metadata",
    "fs::canonicalize",
    "fs::remove",
    "fs::rename",
    "fs::set_permissions",
    "fs_err::",
    "File::open",
    ".canonicalize()",
    ".symlink_metadata()",
    ".read_link()",
    ".read_dir()",
    "read::read(",
    "read::head(",
    "read::read_to_string(",
    "file::replace(",
];

/// Lines that may do so, each with the place of the host's that it is about.
const MAY: [&str; 1] = [
    // The directory of the links is the user's, and not the sysroot's.
    "file::replace(path, |directory, new| match text {",
];

#[test]
fn a_strangers_tree_has_one_door() {
    for module in MODULES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(module);
        let text = std::fs::read_to_string(&path).expect(module);
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .expect("the code");
        let lines = code
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        for line in lines {
            let is_by_path = BY_PATH.iter().any(|call| line.contains(call));
            assert!(!is_by_path || MAY.contains(&line), "{module}: {line}");
        }
    }
}

#[test]
fn what_is_copied_is_looked_at_before_it_is_opened() {
    // A FIFO that is put in the place of a file would keep root waiting.
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut directories: Vec<_> = ["init", "adopt", "fix_root"]
        .map(|name| top.join(name))
        .into();
    let mut files = vec![
        top.join("init.rs"),
        top.join("adopt.rs"),
        top.join("fix_root.rs"),
    ];
    while let Some(directory) = directories.pop() {
        let entries = std::fs::read_dir(directory).expect("a directory");
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    assert!(files.len() > 20);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .expect("the code");
        assert!(
            !code.contains("File::open(") && !code.contains("fs_err::copy"),
            "{}",
            file.display()
        );
    }
}
