//! Whether the links of the project's documents lead somewhere: to a file or folder of the project, and a heading of it. An address
//! on another machine is not looked at.

use super::markdown::{headings, links};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Finds the links that lead nowhere, a line each: `FILE:LINE: what is wrong`.
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
                "there is no such file"
            } else if anchor.is_some_and(lacks) {
                "there is no such heading"
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

/// Reads every document below a folder, but for what is built and what is hidden.
fn gather(folder: &Path, documents: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
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

/// The path without `..`.
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
    fn a_link_that_leads_nowhere_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
        fs::create_dir_all(folder.path().join("docs")).expect("docs");
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
        let said = broken(folder.path()).expect("documents");
        assert_eq!(
            said,
            [
                "b.md:2: `docs/x.md`: there is no such file",
                "b.md:4: `a.toml#z`: there is no such heading",
                "docs/a.md:4: `#no`: there is no such heading",
            ]
        );
    }
}
