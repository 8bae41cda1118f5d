//! Modules that touch another user's tree do so through `file::beneath`: they call nothing that takes a path.
//!
//! clippy's `disallowed-methods` would apply to the whole crate, the rest of which uses paths for good reasons. So
//! this test reads the sources.

use std::path::Path;

/// The modules that this applies to.
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

/// Functions of the standard library and others that take a path.
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

/// Lines that may use a path, because it is the host's.
const MAY: [&str; 1] = [
    // The directory of the symlinks is the user's, and not in the sysroot.
    "file::replace(path, |directory, new| match text {",
];

#[test]
fn other_users_trees_are_opened_only_through_beneath() {
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
fn files_are_checked_before_they_are_opened_for_copying() {
    // If a FIFO replaced the file, opening it would block root's process.
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
