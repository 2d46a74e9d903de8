//! A model from the hub into the models folder: part by part, resumed after anything, visible only once verified.
//!
//! Each part is one range request over the same connection, so that a kill costs at most one part, on this side and on
//! the server's. What goes wrong on the way is repeated with growing pauses for as long as nobody stops it; what a
//! server refuses for good is tried at the next mirror.

mod answer;
mod assembly;
mod pause;
mod probe;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use network::Client;

use self::answer::Body;
use self::assembly::Assembly;
use self::pause::Tries;
use self::probe::{Source, probe};
use crate::error::Error;
use crate::hub;
use crate::incoming::{Begun, Control, Record, discard};
use crate::manifest::Manifest;

/// How often a wish to pause or cancel is looked for while nothing else happens.
const WISH_EVERY: Duration = Duration::from_millis(50);
/// How often a file may change on its server before nobody waits for it to settle.
const MAX_CHANGES: usize = 2;

/// How a download behaves; tests change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Size of a part in bytes.
    pub part_bytes: u64,
    /// The pause after the first failure; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, unless a server asks for more.
    pub longest_pause: Duration,
    /// Failures in a row before a person is told.
    pub quick_tries: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            part_bytes: 16 << 20,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            quick_tries: 4,
        }
    }
}

/// One model and where it comes from and goes to.
#[derive(Debug, Clone)]
pub struct Download {
    /// The way to the network; its gate must be open to downloads of models.
    pub client: Client,
    /// The model.
    pub manifest: Manifest,
    /// The hub and its mirrors.
    pub addresses: Vec<String>,
    /// The models folder.
    pub folder: PathBuf,
    /// How it behaves.
    pub policy: Policy,
}

/// What a download tells beside its progress.
#[derive(Debug)]
pub enum Signal<'a> {
    /// What an earlier start left is verified; this says whether any of it stays.
    Begun(Begun),
    /// Nothing comes for this reason; it goes on by itself.
    Waiting(&'a hub::Error),
    /// Bytes come (again).
    Moving,
}

/// Told what a download waits for. It must return quickly.
pub type Observer<'o> = dyn Fn(Signal<'_>) + Send + Sync + 'o;

impl Download {
    /// Under which key the unfinished download of an offer lies among the incoming models.
    pub fn key(offer_id: &str) -> String {
        format!("download-{offer_id}")
    }

    /// Downloads, verifies and installs the model, or goes on where an earlier start ended. Returns its file and record.
    ///
    /// Dropping the future stops it like a pause.
    ///
    /// # Errors
    /// [`Error::Paused`] and [`Error::Cancelled`] as `control` wishes, where a cancelled download leaves nothing behind;
    /// [`Error::Hub`] if no server gives the model out; [`Error::Corrupt`] if what every server sent is wrong;
    /// [`Error::AlreadyInstalled`]; or if the disk is full or refuses. What was fetched is kept where it may still help.
    pub async fn run(&self, control: &Control, observer: &Observer<'_>) -> Result<(PathBuf, Record), Error> {
        let result = self.ask_all(control, observer).await;
        if matches!(result, Err(Error::Cancelled)) {
            self.discard().await?;
        }
        result
    }

    async fn discard(&self) -> Result<(), Error> {
        let (folder, key) = (self.folder.clone(), Self::key(&self.manifest.id));
        blocking(move || discard(&folder, &key)).await
    }

    async fn ask_all(&self, control: &Control, observer: &Observer<'_>) -> Result<(PathBuf, Record), Error> {
        refuse_installed(&self.manifest, &self.folder)?;
        let mut tries = Tries::new(self.addresses.len(), self.policy);
        let mut assembly = None;
        let mut changes = 0;
        loop {
            control.check()?;
            let address = self.addresses.get(tries.source()).map(String::as_str).unwrap_or(hub::DEFAULT_HUB);
            let error = match self.ask_one(address, &mut assembly, &mut tries, control, observer).await {
                Ok(finished) => return Ok(finished),
                Err(error) => error,
            };
            tracing::warn!(model = self.manifest.id, error = errors::chain(&error), "the download was interrupted");
            match &error {
                Error::Hub(cause @ hub::Error::Changed { .. }) if changes < MAX_CHANGES => {
                    changes += 1;
                    observer(Signal::Waiting(cause));
                }
                Error::Hub(cause) if cause.may_pass() => {
                    let pause = tries.failed(cause.retry_after());
                    if tries.in_a_row() >= self.policy.quick_tries || cause.retry_after().is_some() {
                        observer(Signal::Waiting(cause));
                    }
                    unless_stopped(control, tokio::time::sleep(pause)).await?;
                }
                Error::Hub(_) | Error::Corrupt { .. } | Error::Unusable { .. } => {
                    if matches!(error, Error::Unusable { .. }) {
                        // Another server may have a sound file; this one's bytes help nobody.
                        drop(assembly.take());
                        self.discard().await?;
                    }
                    if !tries.strike_out() {
                        return Err(error);
                    }
                }
                _ => return Err(error),
            }
        }
    }

    /// Asks one server for all that is missing.
    async fn ask_one(
        &self,
        address: &str,
        kept: &mut Option<Assembly>,
        tries: &mut Tries,
        control: &Control,
        observer: &Observer<'_>,
    ) -> Result<(PathBuf, Record), Error> {
        let address = self.manifest.address(address);
        let mut source = unless_stopped(control, probe(&self.client, &self.manifest, address)).await??;
        let mut assembly = match kept.take() {
            Some(assembly) if assembly.fits(&source) => assembly,
            // What is there does not belong to what the server has now; the next start throws it away.
            Some(_) => return Err(hub::Error::Changed { host: source.host }.into()),
            None => {
                let (assembly, begun) = Assembly::open(self, &source, control).await?;
                observer(Signal::Begun(begun));
                assembly
            }
        };
        match self.fetch(&mut source, &mut assembly, tries, control, observer).await {
            Ok(()) => assembly.finish(control).await,
            // Another version: nothing of what is there helps.
            Err(error @ Error::Hub(hub::Error::Changed { .. })) if !source.is_certain() => {
                assembly.abandon().await?;
                Err(error)
            }
            Err(error) => {
                *kept = Some(assembly);
                Err(error)
            }
        }
    }

    async fn fetch(
        &self,
        source: &mut Source,
        assembly: &mut Assembly,
        tries: &mut Tries,
        control: &Control,
        observer: &Observer<'_>,
    ) -> Result<(), Error> {
        let mut body: Option<Body> = None;
        while let Some((at, end)) = assembly.wanted()? {
            let current = match body.take().filter(|body| body.reaches(at)) {
                Some(body) => body,
                None => unless_stopped(control, source.ask(&self.client, at, end)).await??,
            };
            let Some((bytes, rest)) = unless_stopped(control, current.next(at)).await?? else { continue };
            body = Some(rest);
            let Some(bytes) = bytes else { continue };
            tries.moved();
            observer(Signal::Moving);
            assembly.take(&bytes, control).await?;
        }
        Ok(())
    }

    /// How the model is called in messages about its content.
    fn called(&self) -> &Path {
        Path::new(&self.manifest.file)
    }
}

/// The model must not be there already before anything is fetched.
pub(crate) fn refuse_installed(manifest: &Manifest, folder: &Path) -> Result<(), Error> {
    match manifest.installed_in(folder) {
        Some(file_name) => Err(Error::AlreadyInstalled { file_name, same_content: true }),
        None => Ok(()),
    }
}

/// Waits for `work` unless `control` wishes a stop.
pub(crate) async fn unless_stopped<T>(control: &Control, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    loop {
        control.check()?;
        tokio::select! {
            result = &mut work => return Ok(result),
            () = tokio::time::sleep(WISH_EVERY) => {}
        }
    }
}

/// Runs `work`, which may wait for the disk, where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
}
