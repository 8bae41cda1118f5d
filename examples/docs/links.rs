//! A check of the links in the project's documents: each must lead to an existing file or directory of the project, and to an existing
//! heading. Links to other hosts are not checked.

use super::markdown::{headings, links};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the broken links, each as a line `FILE:LINE: ADDRESS: reason`.
pub(crate) fn broken(root: &Path) -> io::Result<Vec<String>> {
    let mut documents = BTreeMap::new();
    gather(root, &mut documents)?;
    let mut broken = Vec::new();
    for (path, text) in &documents {
        for link in links(text) {
            if link.address.contains("://") || link.address.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = match link.address.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor)),
                None => (link.address.as_str(), None),
            };
            let target = match file {
                "" => path.clone(),
                file => normal(&path.parent().unwrap_or(root).join(file)),
            };
            let lacks = |anchor: &str| {
                let document = documents.get(&target);
                document.is_none_or(|text| headings(text).iter().all(|h| h.anchor != anchor))
            };
            let what = if !target.exists() {
                "the file does not exist"
            } else if anchor.is_some_and(lacks) {
                "the heading does not exist"
            } else {
                continue;
            };
            let line = 1 + text[..link.at].matches('\n').count();
            let name = path.strip_prefix(root).unwrap_or(path);
            broken.push(format!(
                "{}:{line}: `{}`: {what}",
                name.display(),
                link.address
            ));
        }
    }
    Ok(broken)
}

/// Reads every document below a directory, except in `target` and hidden directories.
fn gather(directory: &Path, documents: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            gather(&path, documents)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.insert(path.clone(), fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The path with `.` and `..` resolved, without access to the file system.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(normal.pop()),
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_link_is_named_with_its_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text);
        fs::create_dir_all(directory.path().join("docs")).expect("docs");
        write(
            "docs/a.md",
            "# A\n\n[up](../b.md#b-c) [out](https://x/y)\n[self](#no)\n",
        )
        .expect("a");
        write(
            "b.md",
            "## B c\n[a](docs/a.md#a) [x](docs/x.md)\n\n[y](a.toml#z) [d](docs/)\n",
        )
        .expect("b");
        write("a.toml", "").expect("toml");
        let lines = broken(directory.path()).expect("documents");
        assert_eq!(
            lines,
            [
                "b.md:2: `docs/x.md`: the file does not exist",
                "b.md:4: `a.toml#z`: the heading does not exist",
                "docs/a.md:4: `#no`: the heading does not exist",
            ]
        );
    }
}
