//! What the disk that is exported to can hold, and reading from it what it really holds.

use std::fs::File;
use std::path::Path;

use sysinfo::Disks;

/// Largest file on FAT: four gibibytes less one byte.
pub(super) const FAT_LIMIT: u64 = u32::MAX as u64;

/// File systems that are known to hold files of any size that a model has, as the systems name them.
const LARGE: &[&str] = &[
    "apfs", "bcachefs", "btrfs", "cifs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfs", "nfs", "nfs4",
    "ntfs", "ntfs3", "overlay", "refs", "smb2", "smb3", "smbfs", "tmpfs", "xfs", "zfs",
];

/// The largest file that `folder`'s disk holds; `None` without a limit. A disk that does not tell is taken for FAT.
pub(super) fn file_limit(folder: &Path) -> Option<u64> {
    let system = file_system(folder).unwrap_or_default().to_ascii_lowercase();
    (!LARGE.contains(&system.as_str())).then_some(FAT_LIMIT)
}

/// The name of the file system that `folder` lies on, where the system tells.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    let at = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    let nearest = at.max_by_key(|disk| disk.mount_point().components().count())?;
    Some(nearest.file_system().to_string_lossy().into_owned())
}

/// Asks the system to forget what it remembers of `file`, so that the next read comes from the disk. Only a hint, and
/// only Linux takes it; elsewhere reading back may be answered from memory.
pub(crate) fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed) {
        tracing::debug!(%error, "what is cached of a file stays cached");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_tell_is_taken_for_fat() {
        assert_eq!(file_limit(Path::new("/there/is/no/such/folder")), Some(4_294_967_295));
    }
}
