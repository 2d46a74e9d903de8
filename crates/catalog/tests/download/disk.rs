//! Disks that are full or refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use catalog::incoming::unfinished;
use catalog::{Control, Error};
use errors::{ErrorCode, Explain};
use test_support::TempDir;

use super::support::{PART_BYTES, Scene, model};

/// A disk in memory, unmounted when dropped.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// None where this user may not mount disks.
    fn new(options: &str) -> Option<Self> {
        let folder = test_support::temp_folder();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("this user may not mount disks: nothing was tried");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

async fn on(disk: &SmallDisk) -> Scene {
    let mut scene = Scene::new().await;
    scene.download.folder = disk.path().to_owned();
    scene
}

#[tokio::test]
async fn room_is_looked_for_before_the_first_byte() {
    let Some(disk) = SmallDisk::new("size=8m") else { return };
    let scene = on(&disk).await;
    let error = scene.run().await.expect_err("no room");
    assert!(matches!(error, Error::NotEnoughSpace { .. }), "{error:?}");
    assert_eq!((error.code(), scene.server.record().gets()), (ErrorCode::DiskFull, 0));
    assert_eq!(unfinished(disk.path()), []);
}

/// Fills the disk until nothing goes on it any more.
fn fill(disk: &Path) -> PathBuf {
    let ballast = disk.join("ballast");
    let block = vec![0; 1 << 20];
    let mut file = fs::File::create(&ballast).expect("a file");
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    ballast
}

#[tokio::test]
async fn a_disk_that_fills_up_meanwhile_keeps_what_is_there() {
    let megabytes = 64 + 8 + model().len() / (1 << 20);
    let Some(disk) = SmallDisk::new(&format!("size={megabytes}m")) else { return };
    let scene = on(&disk).await;
    let folder = disk.path().to_owned();
    let control = Control::watched(move |progress| {
        if progress.parts_done >= 3 && !folder.join("ballast").exists() {
            fill(&folder);
        }
    });
    let error = scene.run_with(&control, |_| {}).await.expect_err("full");
    assert_eq!(error.code(), ErrorCode::DiskFull, "{error:?}");
    let left = unfinished(disk.path());
    assert!(left[0].parts_done >= 3, "{left:?}");
    fs::remove_file(disk.path().join("ballast")).expect("removed");
    scene.run().await.expect("downloaded");
    super::support::assert_installed(disk.path(), model());
    assert!(scene.server.record().repeated_bytes() <= 2 * PART_BYTES, "the parts that were there stayed");
}

#[tokio::test]
async fn a_read_only_disk_is_named() {
    let Some(disk) = SmallDisk::new("ro") else { return };
    let scene = on(&disk).await;
    let error = scene.run().await.expect_err("read-only");
    assert_eq!(error.code(), ErrorCode::Io, "{error:?}");
    assert!(errors::chain(&error).contains(&disk.path().display().to_string()), "{error}");
    assert_eq!(scene.server.record().gets(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_named() {
    let mut scene = Scene::new().await;
    let file = scene.models.path().join("file");
    fs::write(&file, "").expect("a file");
    scene.download.folder = file.join("models");
    let error = scene.run().await.expect_err("a file is no folder");
    assert_eq!(error.code(), ErrorCode::Io, "{error:?}");
    assert!(error.hint().is_some());
}
