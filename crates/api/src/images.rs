//! Pictures that a person gives: made anew from their pixels, kept in memory, never on disk.

mod prepare;

pub use prepare::{MOST_FILE_BYTES, MOST_PIXELS, MOST_SIDE};

use crate::App;
use crate::dto::{IpcError, PreparedImage};
use crate::failure::{Refusal, Reply};
use crate::settings;
use crate::transfers::Pick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prepare::Unreadable;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many pictures are kept; the oldest goes first.
const KEPT: usize = 6;

/// Makes the picture `base64` (a file's bytes, or what the whiteboard drew) anew from its pixels.
///
/// # Errors
/// When the profile is locked, or it is no picture that can be read.
pub async fn take(app: &App, base64: String) -> Result<PreparedImage, IpcError> {
    app.admit()?;
    let prepared = blocking(move || {
        // A whole `data:` address is taken as well.
        let text = base64.split_once(";base64,").map_or(base64.as_str(), |(_, text)| text);
        if text.len() / 4 * 3 > MOST_FILE_BYTES {
            return Err(Unreadable::TooLarge { bytes: text.len() / 4 * 3 });
        }
        let bytes = STANDARD.decode(text.trim()).map_err(|_| Unreadable::NotBase64)?;
        prepare::prepare(&bytes)
    });
    Ok(app.images().keep(prepared.await?))
}

/// Lets the person pick a picture; `None` where they thought better of it.
///
/// # Errors
/// When the profile is locked, or it is no picture that can be read.
pub async fn pick(app: &App) -> Result<Option<PreparedImage>, IpcError> {
    let settings = settings::get_all(app).await?;
    let Some(path) = app.picker().pick(Pick::Picture, settings.language).await else { return Ok(None) };
    let prepared = blocking(move || prepare::prepare(&prepare::read(&path)?)).await?;
    Ok(Some(app.images().keep(prepared)))
}

async fn blocking(
    work: impl FnOnce() -> Result<generation::Image, Unreadable> + Send + 'static,
) -> Reply<generation::Image> {
    // A decoder that gives up with a panic costs its thread and nothing else.
    Ok(tokio::task::spawn_blocking(work).await.unwrap_or(Err(Unreadable::GaveUp))?)
}

/// The pictures of this run.
#[derive(Default)]
pub(crate) struct Images {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    count: u64,
    images: VecDeque<(String, generation::Image)>,
}

impl Images {
    fn keep(&self, image: generation::Image) -> PreparedImage {
        let mut kept = self.lock();
        kept.count += 1;
        let id = format!("image-{}", kept.count);
        let described = describe(&id, &image);
        kept.images.push_back((id, image));
        if kept.images.len() > KEPT {
            kept.images.pop_front();
        }
        described
    }

    /// The picture `id`.
    pub(crate) fn get(&self, id: &str) -> Reply<generation::Image> {
        let found = self.lock().images.iter().find(|(known, _)| known == id).map(|(_, image)| image.clone());
        Ok(found.ok_or_else(|| Refusal::NoSuchImage { id: id.to_owned() })?)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `image` as the page sees it: the very bytes that would be sent.
pub(crate) fn describe(id: &str, image: &generation::Image) -> PreparedImage {
    let padding = image.base64.bytes().rev().take_while(|byte| *byte == b'=').count();
    PreparedImage {
        id: id.to_owned(),
        width: image.width,
        height: image.height,
        bytes: crate::convert::count(image.base64.len() / 4 * 3 - padding),
        preview: format!("data:{};base64,{}", image.media_type, image.base64),
    }
}
