//! A downloading program that is killed again and again.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use catalog::Catalog;
use catalog::download::Download;
use network::Purpose;
use test_support::faulty_server::FaultyServer;
use test_support::synth::Rng;

use super::support::{PART_BYTES, assert_installed, client, model, policy, published};

const KILLS: u32 = 50;
const FOLDER: &str = "AULA_TEST_MODELS";
const ADDRESS: &str = "AULA_TEST_SERVER";
/// Slow enough that a kill finds bytes on the way.
const BYTES_PER_SECOND: u64 = 3_000_000;

/// The program that is killed: this test in a process of its own. Without a folder it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn child() {
    let (Ok(folder), Ok(address)) = (std::env::var(FOLDER), std::env::var(ADDRESS)) else { return };
    let client = client(Some(BYTES_PER_SECOND));
    let _permit = client.gate().open(Purpose::ModelDownload);
    let download = Download {
        client: client.clone(),
        manifest: published(model()),
        addresses: vec![address],
        folder: PathBuf::from(folder),
        policy: policy(),
    };
    match download.run(&catalog::Control::default(), &|_| {}).await {
        // The one before was killed when the model had its name already.
        Ok(_) | Err(catalog::Error::AlreadyInstalled { .. }) => {}
        Err(error) => panic!("{}", errors::chain(&error)),
    }
}

fn start(folder: &std::path::Path, server: &FaultyServer) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program)
        .args(["--exact", "kills::child", "--test-threads", "1"])
        .env(FOLDER, folder)
        .env(ADDRESS, server.address())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_leave_no_model_that_is_not_whole_and_cost_one_part_each() {
    let mut rng = Rng::new(20_261_121, "kills");
    let total = model().len() as u64;
    let mut kills = 0;
    while kills < KILLS {
        let models = test_support::temp_folder();
        let server = FaultyServer::start(model().to_vec()).await;
        let mut kills_here = 0;
        loop {
            let mut child = start(models.path(), &server);
            let until = server.record().sent_bytes() + rng.next_u64() % (total / 8);
            let late = Duration::from_micros(rng.next_u64() % 8_000);
            let ended = loop {
                never_half_a_model(models.path());
                if let Some(status) = child.try_wait().expect("a child") {
                    break Some(status);
                }
                if kills < KILLS && server.record().sent_bytes() >= until {
                    break None;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            };
            if let Some(status) = ended {
                assert!(status.success(), "{status}");
                break;
            }
            tokio::time::sleep(late).await;
            child.kill().expect("killed");
            child.wait().expect("gone");
            kills += 1;
            kills_here += 1;
            never_half_a_model(models.path());
        }
        assert_installed(models.path(), model());
        assert_eq!(catalog::incoming::unfinished(models.path()), []);
        let record = server.record();
        assert_eq!(record.covered_bytes(), total);
        let repeated = record.repeated_bytes();
        assert!(repeated <= kills_here * PART_BYTES, "{repeated} bytes were sent again after {kills_here} kills");
    }
}

/// What is offered is whole, at every moment.
fn never_half_a_model(models: &std::path::Path) {
    let listing = Catalog::new(models.to_owned(), None).list().expect("a folder");
    assert!(listing.unusable.is_empty(), "{listing:?}");
    for one in listing.models {
        assert!(std::fs::read(&one.path).expect("readable") == model(), "half a model is offered");
    }
}
