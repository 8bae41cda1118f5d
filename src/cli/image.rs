//! `crossmerge image`.

use super::{invocation::Invocation, print::print, user_namespace};
use crate::image::{self, Format, ImageManifest, ImageRequest, Size};
use clap::{
    Args, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};
use crossmerge_plan::{
    report::{self, Failure},
    shown::Show,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Make images of a root: file systems, archives and disks.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge image /srv/board ext4 tar.zst
  crossmerge image /srv/board cpio.gz --output boot/initramfs
  crossmerge image /srv/board ext4 --output /dev/sdb2 --erase
  crossmerge image /srv/board --genimage board.cfg
  crossmerge image /srv/board squashfs -- -comp zstd

The images stand beside the root: /srv/board.ext4. /srv/board.json lists what is in them.

The same files make the same bytes. No time in an image is later than SOURCE_DATE_EPOCH, or
without that variable, than the last build of a package. docs/image.md has the details.")]
pub(super) struct ImageOptions {
    /// The root
    #[arg(value_hint = ValueHint::DirPath)]
    root: PathBuf,
    /// The formats, which are also the ends of the files' names
    #[arg(value_parser = formats())]
    format: Vec<Format>,
    /// The path of the images without the ending, or a block device; without this option, the path of the root
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    output: Option<PathBuf>,
    /// Fill an ext4 file system up to this size, as in 512M; other images may not be larger
    #[arg(long, value_parser = |text: &str| text.parse::<Size>())]
    size: Option<Size>,
    /// The label of the file system
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Write to a block device, whose content is lost
    #[arg(long, requires = "output")]
    erase: bool,
    /// Make a disk with genimage, as this file describes it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "repart")]
    genimage: Option<PathBuf>,
    /// Make a disk with systemd-repart, as the files in this directory describe it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    repart: Option<PathBuf>,
    /// The target's tuple, if no package in the root names it
    #[arg(long, value_name = "TUPLE")]
    target: Option<OsString>,
    /// Print the steps, and write nothing
    #[arg(long, conflicts_with = "json")]
    dry_run: bool,
    /// Print the manifest
    #[arg(long)]
    json: bool,
    /// More options for the program that makes the image
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<OsString>,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::names())
        .map(|name| Format::named(&name).expect("the parser accepts no other names"))
}

/// Makes images.
pub(super) fn image(
    invocation: &Invocation<'_>,
    options: &ImageOptions,
) -> Result<ExitCode, Failure> {
    // Only in a user namespace can an ordinary user read files that belong to other users of the root.
    user_namespace::enter(&invocation.env, &invocation.config, &invocation.typed)?;
    let tuple = options.target.as_deref();
    let tuple = tuple.map(|name| invocation.target(name)).transpose()?;
    let request = ImageRequest {
        env: &invocation.env,
        config: &invocation.config,
        root: &options.root,
        formats: &options.format,
        genimage: options.genimage.as_deref(),
        repart: options.repart.as_deref(),
        output: options.output.as_deref(),
        size: options.size,
        label: options.label.as_deref(),
        erase: options.erase,
        options: &options.options,
        tuple: tuple.as_ref(),
    };
    if options.dry_run {
        return print(&image::plan(&request)?);
    }
    let (path, manifest) = image::images(&request)?;
    note_of(&path, &manifest);
    match options.json {
        true => print(&manifest.to_text()),
        false => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn note_of(path: &Path, manifest: &ImageManifest) {
    let directory = path.parent().unwrap_or(Path::new("/"));
    for (name, image) in &manifest.images {
        let size = (image.bytes as f64) / f64::from(1 << 20);
        let place = directory.join(name);
        report::note(&format!("{} {size:.1} MiB", place.shown()));
    }
}
