//! Disks that can be pulled out.

use std::path::{Path, PathBuf};

use sysinfo::Disks;

/// Folders in which the systems mount what a person plugs in or connects to.
const MOUNT_FOLDERS: &[&str] = &["/media", "/run/media", "/mnt", "/Volumes"];

/// The mount points of disks that can be pulled out, and of shares that are mounted like them, by path.
pub(super) fn removable() -> Vec<PathBuf> {
    let Ok(disks) = Disks::new_with_refreshed_list() else { return Vec::new() };
    let at = disks.iter().filter(|disk| disk.is_removable() || is_in_mount_folder(disk.mount_point()));
    let mut points: Vec<_> = at.map(|disk| disk.mount_point().to_owned()).collect();
    points.retain(|point| !is_of_the_system(point));
    points.sort();
    points.dedup();
    points
}

fn is_in_mount_folder(point: &Path) -> bool {
    MOUNT_FOLDERS.iter().any(|folder| point.starts_with(folder))
}

/// Places where the running system lies, even when it runs from a stick.
fn is_of_the_system(point: &Path) -> bool {
    let systems = ["/", "/boot", "/boot/efi", "/usr", "/var", "/home", "/nix", "/run/live", "/cdrom"];
    systems.iter().any(|system| point == Path::new(system)) || point.starts_with("/snap")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sticks_are_told_from_the_system() {
        let check = |path: &str| is_in_mount_folder(Path::new(path)) && !is_of_the_system(Path::new(path));
        for stick in ["/media/ana/KINGSTON", "/run/media/ana/KINGSTON", "/mnt/share", "/Volumes/KINGSTON"] {
            assert!(check(stick), "{stick}");
        }
        for other in ["/", "/home", "/boot/efi", "/mediathek", "/snap/core/1"] {
            assert!(!check(other), "{other}");
        }
        assert!(removable().iter().all(|point| !is_of_the_system(point)));
    }
}
