//! One fault at a time.

use std::fs;
use std::time::Duration;

use catalog::incoming::unfinished;
use catalog::{Error, hub};
use errors::{ErrorCode, Explain};
use test_support::faulty_server::{Fault, FaultyServer};

use super::support::{PART_BYTES, Scene, hub_checked, model, pause_after, published, sha256};

#[tokio::test]
async fn without_faults_every_byte_is_sent_once_over_one_connection() {
    let scene = Scene::new().await;
    let (path, record) = scene.run().await.expect("downloaded");
    assert_eq!(path, scene.models.path().join("tiny.gguf"));
    assert_eq!((record.sha256, record.bytes), (sha256(model()), model().len() as u64));
    assert_eq!((record.license.as_deref(), record.origin.as_deref()), (Some("Apache-2.0"), Some("somebody/tiny-gguf")));
    scene.assert_installed(model());
    let sent = scene.server.record();
    assert_eq!((sent.sent_bytes(), sent.connections), (model().len() as u64, 1));
    assert_eq!(sent.gets() as u64, (model().len() as u64).div_ceil(PART_BYTES));
    assert_eq!(sent.asked[0].method, "HEAD");
    assert_eq!(sent.asked[0].path, "/somebody/tiny-gguf/resolve/main/tiny.gguf");
    assert_eq!(scene.download.client.gate().count(), 1);
    assert_eq!(scene.waited_for(), []);
}

#[tokio::test]
async fn a_closed_network_is_said_and_nothing_is_asked() {
    let scene = Scene::new().await;
    let error = scene.download.run(&catalog::Control::default(), &|_| {}).await.expect_err("closed");
    assert_eq!(error.code(), ErrorCode::NetworkClosed);
    assert_eq!(scene.server.record().connections, 0);
    scene.assert_nothing_installed();
}

#[tokio::test]
async fn what_passes_is_repeated_and_costs_at_most_one_part() {
    let after = 10_000;
    let faults = [
        (Fault::CutAfter(after), ErrorCode::Offline),
        (Fault::CutAfter(0), ErrorCode::Offline),
        (Fault::ResetAfter(after), ErrorCode::Offline),
        (Fault::StallAfter(after), ErrorCode::Offline),
        (Fault::HangUp, ErrorCode::Offline),
        (Fault::Noise, ErrorCode::Offline),
        (Fault::AnnounceMore(9), ErrorCode::TransferCorrupt),
        (Fault::AnnounceLess(9), ErrorCode::TransferCorrupt),
        (Fault::OtherRange(7), ErrorCode::TransferCorrupt),
        (Fault::OtherTotal(7_000_000), ErrorCode::TransferCorrupt),
        (Fault::SenselessRange, ErrorCode::TransferCorrupt),
        (Fault::Status(416), ErrorCode::TransferCorrupt),
        (Fault::Status(500), ErrorCode::ServerRefused),
        (Fault::RetryAfter(503, 0), ErrorCode::ServerRefused),
        (Fault::RetryAfter(429, 0), ErrorCode::ServerRefused),
    ];
    for (fault, code) in faults {
        let scene = Scene::new().await;
        scene.server.next([Fault::None, Fault::None, fault.clone()]);
        scene.run().await.unwrap_or_else(|error| panic!("{fault:?}: {}", errors::chain(&error)));
        scene.assert_installed(model());
        assert_eq!(scene.waited_for(), [code], "{fault:?}");
        let repeated = scene.server.record().repeated_bytes();
        assert!(repeated <= PART_BYTES, "{fault:?}: {repeated}");
    }
}

#[tokio::test]
async fn what_came_before_a_cut_is_kept() {
    let scene = Scene::new().await;
    scene.server.next([Fault::CutAfter(40_000), Fault::CutAfter(20_000)]);
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    let record = scene.server.record();
    let starts: Vec<_> = record.asked.iter().filter_map(|asked| asked.range).take(3).collect();
    assert_eq!(starts[0], (0, PART_BYTES - 1));
    assert_eq!((starts[1].0, starts[2].0), (40_000, 60_000), "the bytes before the cut are not asked for again");
    assert_eq!(record.repeated_bytes(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_again_and_again_still_gets_there() {
    let scene = Scene::new().await;
    scene.server.always(Fault::CutAfter(30_000));
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    assert_eq!(scene.server.record().repeated_bytes(), 0);
}

#[tokio::test]
async fn a_slow_server_is_no_fault() {
    let scene = Scene::new().await;
    scene.server.next([Fault::Drip(8_000, Duration::from_millis(15))]);
    scene.run().await.expect("downloaded");
    assert_eq!(scene.waited_for(), []);
    scene.assert_installed(model());
}

#[tokio::test]
async fn a_server_that_ignores_ranges_sends_more_but_what_is_there_is_not_written_again() {
    let scene = Scene::new().await;
    scene.server.always(Fault::IgnoreRange);
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    assert_eq!((scene.server.record().gets(), scene.server.record().repeated_bytes()), (1, 0), "one answer brings all");

    let scene = Scene::new().await;
    let stopped = scene.run_with(&pause_after(4), |_| {}).await;
    assert!(matches!(stopped, Err(Error::Paused)));
    let there = usize::try_from(unfinished(scene.models.path())[0].done_bytes).expect("small");
    // What would be written again would be right again: so the server's beginning is made wrong.
    let mut otherwise = model().to_vec();
    otherwise[..there].fill(0xee);
    scene.server.replace(otherwise, Some("\"first\""));
    scene.server.always(Fault::IgnoreRange);
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
}

#[tokio::test]
async fn what_a_server_refuses_is_asked_of_the_next_mirror() {
    let refusals = [
        (Fault::Status(401), ErrorCode::ServerRefused),
        (Fault::Status(403), ErrorCode::ServerRefused),
        (Fault::Status(404), ErrorCode::ServerRefused),
        (Fault::RedirectToItself, ErrorCode::ServerRefused),
        (Fault::RedirectNowhere, ErrorCode::ServerRefused),
        (Fault::RedirectTo("http://hub.example/x".to_owned()), ErrorCode::ServerRefused),
        (Fault::WrongByte(100_000), ErrorCode::TransferCorrupt),
        (Fault::ShiftedBytes(1000), ErrorCode::TransferCorrupt),
    ];
    for (fault, code) in refusals {
        let mut scene = Scene::new().await;
        scene.server.hub_says(Some(&sha256(model())));
        scene.server.always(fault.clone());
        let error = scene.run().await.expect_err("refused");
        assert_eq!(error.code(), code, "{fault:?}: {error:?}");
        assert!(error.hint().is_some(), "{fault:?}");
        scene.assert_nothing_installed();
        if code == ErrorCode::TransferCorrupt {
            assert!(!scene.data().exists(), "{fault:?}: nobody knows which byte is wrong");
        }
        let mirror = FaultyServer::start(model().to_vec()).await;
        scene.download.addresses.push(mirror.address());
        scene.run().await.unwrap_or_else(|error| panic!("{fault:?}: {}", errors::chain(&error)));
        scene.assert_installed(model());
        assert_eq!(mirror.record().repeated_bytes(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_mirror_takes_over_from_a_server_that_went_away_without_beginning_again() {
    let mut scene = Scene::new().await;
    let mirror = FaultyServer::start(model().to_vec()).await;
    scene.download.addresses.push(mirror.address());
    scene.server.next((0..8).map(|_| Fault::None).chain([Fault::HangUp]));
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    assert_eq!(scene.server.record().sent_bytes(), 8 * PART_BYTES);
    assert_eq!(mirror.record().sent_bytes(), model().len() as u64 - 8 * PART_BYTES);
}

#[tokio::test]
async fn the_hubs_other_hosts_are_asked_directly_until_their_addresses_expire() {
    let elsewhere = FaultyServer::start(model().to_vec()).await;
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, hub_checked(model()));
    scene.server.hub_says(Some(&sha256(model())));
    scene.server.always(Fault::RedirectTo(format!("{}/signed", elsewhere.other_name())));
    elsewhere.next((0..5).map(|_| Fault::None).chain([Fault::Status(403)]));
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    let (hub, other) = (scene.server.record(), elsewhere.record());
    assert_eq!((hub.gets(), hub.sent_bytes()), (2, 0), "once at the beginning, once when the address had expired");
    assert_eq!(other.repeated_bytes(), 0);
    assert!(other.asked.iter().all(|asked| asked.path == "/signed"));
    let hosts: Vec<_> = scene.download.client.gate().recent().into_iter().map(|one| one.host).collect();
    assert_eq!(hosts, ["localhost", "127.0.0.1"], "each host is counted under its own name");
}

#[tokio::test]
async fn without_a_checksum_from_anybody_nothing_is_downloaded() {
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, hub_checked(model()));
    let error = scene.run().await.expect_err("refused");
    assert!(matches!(error, Error::Hub(hub::Error::NoChecksum { .. })), "{error:?}");
    assert_eq!(scene.server.record().gets(), 0);
    scene.server.hub_says(Some(&sha256(model())));
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
}

#[tokio::test]
async fn what_the_hub_has_must_be_what_was_published() {
    let scene = Scene::new().await;
    scene.server.hub_says(Some(&sha256(b"another file")));
    let error = scene.run().await.expect_err("another file");
    assert!(matches!(error, Error::Hub(hub::Error::OtherFile { .. })), "{error:?}");
    let mut manifest = published(model());
    manifest.bytes += 1;
    let scene = Scene::with(FaultyServer::start(model().to_vec()).await, manifest);
    let error = scene.run().await.expect_err("another size");
    assert!(matches!(error, Error::Hub(hub::Error::OtherFile { .. })), "{error:?}");
    assert_eq!((error.code(), scene.server.record().gets()), (ErrorCode::TransferCorrupt, 0));
}

#[tokio::test]
async fn a_file_that_is_no_model_is_not_kept() {
    let noise: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    let scene = Scene::with(FaultyServer::start(noise.clone()).await, published(&noise));
    let error = scene.run().await.expect_err("no model");
    assert!(matches!(error, Error::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("tiny.gguf"), "{error}");
    scene.assert_nothing_installed();
    assert!(!scene.data().exists());
}

#[tokio::test]
async fn a_model_that_is_there_is_not_downloaded_again() {
    let scene = Scene::new().await;
    fs::write(scene.models.path().join("tiny.gguf"), model()).expect("a file");
    let error = scene.run().await.expect_err("there already");
    assert!(matches!(error, Error::AlreadyInstalled { .. }), "{error:?}");

    let scene = Scene::new().await;
    let stick = test_support::temp_folder();
    fs::write(stick.path().join("another-name.gguf"), model()).expect("a file");
    let imported = scene.catalog().import(&stick.path().join("another-name.gguf"), &catalog::Control::default());
    assert!(imported.is_ok(), "{imported:?}");
    let error = scene.run().await.expect_err("there under another name");
    assert!(
        matches!(&error, Error::AlreadyInstalled { file_name, .. } if file_name == "another-name.gguf"),
        "{error:?}"
    );
    assert_eq!(scene.server.record().connections, 0);
}

#[tokio::test]
async fn a_damaged_part_is_fetched_again_and_no_other() {
    let scene = Scene::new().await;
    let stopped = scene.run_with(&pause_after(6), |_| {}).await;
    assert!(matches!(stopped, Err(Error::Paused)), "{stopped:?}");
    let mut data = fs::read(scene.data()).expect("unfinished");
    data[(2 * PART_BYTES + 5) as usize] ^= 1;
    fs::write(scene.data(), data).expect("written");
    let before = scene.server.record();
    scene.run().await.expect("downloaded");
    scene.assert_installed(model());
    let asked = scene.server.record().asked.split_off(before.asked.len());
    let first = asked.iter().find_map(|asked| asked.range).expect("a range");
    assert_eq!(first, (2 * PART_BYTES, 3 * PART_BYTES - 1));
    // The damaged part, and at most the one that was under way when it was paused.
    assert!(scene.server.record().repeated_bytes() <= 2 * PART_BYTES);
}

#[tokio::test]
async fn a_cancelled_download_leaves_nothing() {
    let scene = Scene::new().await;
    let stopped = scene.run_with(&pause_after(3), |_| {}).await;
    assert!(matches!(stopped, Err(Error::Paused)));
    assert!(scene.data().exists());
    let control = catalog::Control::default();
    control.cancel();
    assert!(matches!(scene.run_with(&control, |_| {}).await, Err(Error::Cancelled)));
    assert!(!scene.data().exists());
    assert_eq!(unfinished(scene.models.path()), []);
}

#[tokio::test]
async fn a_wish_is_heard_while_nothing_comes() {
    let scene = Scene::new().await;
    scene.server.always(Fault::RetryAfter(503, 3600));
    let control = catalog::Control::default();
    let wish = control.clone();
    let stopped = scene.run_with(&control, move |_| wish.pause()).await;
    assert!(matches!(stopped, Err(Error::Paused)), "{stopped:?}");
    assert_eq!(scene.waited_for(), [ErrorCode::ServerRefused]);
}
