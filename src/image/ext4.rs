//! The size of an ext4 file system. Pure.

use super::tree::{RootTree, Space};

/// The size of a block, in bytes.
pub(super) const BLOCK: u64 = 4096;

/// The size of an inode, in bytes: mke2fs's default.
pub(super) const INODE: u64 = 256;

/// The longest target of a symlink that is in the inode itself, in bytes.
const INLINE: u64 = 59;

/// The number of blocks in a group: one block of bits describes them.
const GROUP: u64 = 8 * BLOCK;

/// The inodes that exist in an empty file system, with `lost+found`.
const OWN_INODES: u64 = 11;

/// The blocks of an empty file system that depend on nothing: the root, `lost+found` and the first group's
/// descriptors.
const OWN_BLOCKS: u64 = 16;

/// A file system's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ext4Size {
    /// Its blocks.
    pub(super) blocks: u64,
    /// Its inodes.
    pub(super) inodes: u64,
}

impl Ext4Size {
    /// Returns the size that a root needs, with a tenth of both blocks and inodes free.
    pub(super) fn of(tree: &RootTree) -> Self {
        let Space { blocks, inodes } = tree.space(BLOCK, INLINE);
        Self::with(with_free(blocks), with_free(inodes))
    }

    /// Returns the smallest size that a root needs.
    pub(super) fn least(tree: &RootTree) -> Self {
        let Space { blocks, inodes } = tree.space(BLOCK, INLINE);
        Self::with(blocks, inodes)
    }

    /// Returns the size with as many blocks as fit in these bytes. It has one inode for each 16 KiB, as with mke2fs, if
    /// the files then fit, and otherwise fewer.
    pub(super) fn filling(tree: &RootTree, bytes: u64) -> Self {
        let Space { blocks, inodes } = tree.space(BLOCK, INLINE);
        let enough = with_free(inodes);
        let many = enough.max(bytes >> 14);
        let available = bytes / BLOCK;
        let mut choices = [many, enough].into_iter();
        let fitting = choices.find(|inodes| Self::with(blocks, *inodes).blocks <= available);
        Self {
            blocks: available,
            inodes: fitting.unwrap_or(inodes) + OWN_INODES,
        }
    }

    /// Its size in bytes.
    pub(super) fn bytes(self) -> u64 {
        self.blocks * BLOCK
    }

    /// Adds the blocks of the file system itself to those of the files, and rounds up to MiB.
    fn with(content: u64, inodes: u64) -> Self {
        const PER_MEBIBYTE: u64 = (1 << 20) / BLOCK;
        let inodes = inodes + OWN_INODES;
        let fixed = content + (inodes * INODE).div_ceil(BLOCK) + OWN_BLOCKS;
        let mut blocks = fixed;
        // The journal and the groups' own blocks depend on the size, which they enlarge. Each group has two blocks of
        // bits, a part of a block of inodes, and copies of the descriptors with room for more.
        loop {
            let needed = fixed + journal(blocks) + blocks.div_ceil(GROUP) * 8;
            if needed <= blocks {
                return Self { blocks, inodes };
            }
            blocks = needed.next_multiple_of(PER_MEBIBYTE);
        }
    }
}

/// Adds a tenth, and more to a small number.
fn with_free(number: u64) -> u64 {
    number + number / 10 + 16
}

/// Returns the blocks of the journal in a file system of so many blocks, as mke2fs does
/// (`ext2fs_default_journal_size`).
fn journal(blocks: u64) -> u64 {
    match blocks {
        0..2048 => 0,
        2048..32_768 => 1024,
        32_768..262_144 => 4096,
        262_144..524_288 => 8192,
        524_288..4_194_304 => 16_384,
        4_194_304..8_388_608 => 32_768,
        8_388_608..16_777_216 => 65_536,
        16_777_216..33_554_432 => 131_072,
        _ => 262_144,
    }
}
