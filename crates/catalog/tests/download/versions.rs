//! A file that changes on the server is never mixed with what it was before.

use std::sync::atomic::{AtomicBool, Ordering};

use catalog::{Control, Error, hub};
use errors::{ErrorCode, Explain};
use test_support::faulty_server::{Fault, FaultyServer};

use super::support::{PART_BYTES, Scene, hub_checked, model, other_model, pause_after, published, sha256};

/// Replaces the file when the connection breaks for the first time.
async fn run_and_replace(scene: &Scene, hash: Option<&str>) -> Result<std::path::PathBuf, Error> {
    scene.server.next([Fault::None, Fault::None, Fault::None, Fault::CutAfter(10_000)]);
    let is_replaced = AtomicBool::new(false);
    let replace = |_: &hub::Error| {
        if !is_replaced.swap(true, Ordering::SeqCst) {
            scene.server.replace(other_model(), Some("\"second\""));
            scene.server.hub_says(hash);
        }
    };
    scene.run_with(&Control::default(), replace).await.map(|(path, _)| path)
}

#[tokio::test]
async fn the_hub_says_that_it_changed_and_the_new_version_comes_whole() {
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, hub_checked(model()));
    scene.server.hub_says(Some(&sha256(model())));
    run_and_replace(&scene, Some(&sha256(&other_model()))).await.expect("downloaded");
    scene.assert_installed(&other_model());
}

#[tokio::test]
async fn a_published_checksum_does_not_follow_a_new_version() {
    let scene = Scene::new().await;
    scene.server.hub_says(Some(&sha256(model())));
    let error = run_and_replace(&scene, Some(&sha256(&other_model()))).await.expect_err("another file");
    assert!(matches!(error, Error::Hub(hub::Error::OtherFile { .. })), "{error:?}");
    scene.assert_nothing_installed();
}

#[tokio::test]
async fn a_plain_server_betrays_a_new_version_by_its_entity_tag() {
    // The file becomes the published one only after a few parts of another were there.
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, published(&other_model()));
    run_and_replace(&scene, None).await.expect("downloaded");
    scene.assert_installed(&other_model());
    let asked = scene.server.record().asked;
    assert!(asked.iter().skip(1).all(|asked| asked.method == "HEAD" || asked.if_range.is_some()));
}

#[tokio::test]
async fn a_new_version_is_noticed_after_a_restart_too() {
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, published(&other_model()));
    assert!(matches!(scene.run_with(&pause_after(3), |_| {}).await, Err(Error::Paused)));
    scene.server.replace(other_model(), Some("\"second\""));
    let before = scene.server.record().asked.len();
    scene.run().await.expect("downloaded");
    scene.assert_installed(&other_model());
    let first = scene.server.record().asked[before..].iter().find_map(|asked| asked.range);
    assert_eq!(first, Some((0, PART_BYTES - 1)), "it begins from the beginning");
}

#[tokio::test]
async fn a_new_tag_for_the_same_content_is_no_new_version() {
    let scene = Scene::new().await;
    scene.server.hub_says(Some(&sha256(model())));
    assert!(matches!(scene.run_with(&pause_after(3), |_| {}).await, Err(Error::Paused)));
    scene.server.replace(model().to_vec(), Some("W/\"weak\""));
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    assert!(scene.server.record().repeated_bytes() <= PART_BYTES);
    assert!(scene.server.record().asked.iter().all(|asked| asked.if_range.as_deref() != Some("W/\"weak\"")));
}

#[tokio::test]
async fn a_file_that_never_settles_is_given_up() {
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, published(&other_model()));
    let versions = std::sync::atomic::AtomicU32::new(0);
    scene.server.always(Fault::CutAfter(PART_BYTES / 2));
    let replace = |_: &hub::Error| {
        let version = versions.fetch_add(1, Ordering::SeqCst);
        scene.server.replace(model().to_vec(), Some(&format!("\"{version}\"")));
    };
    let error = scene.run_with(&Control::default(), replace).await.map(|_| ()).expect_err("given up");
    assert_eq!(error.code(), ErrorCode::TransferCorrupt, "{error:?}");
    scene.assert_nothing_installed();
}
