//! What came so far, on its way to the disk.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::probe::Source;
use super::{Download, blocking};
use crate::error::Error;
use crate::incoming::{
    About, BLOCK_BYTES, Begun, Control, Incoming, Kind, PartWriter, Plan, Record, Step, Whole, check_space, discard,
    unfinished,
};

/// How often progress is told.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// What a plan remembers of its download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Id of the offer.
    pub offer: String,
    /// The address that was asked last.
    pub address: String,
    /// The entity tag there, where nothing better tells versions apart.
    pub etag: Option<String>,
}

impl Origin {
    /// What `plan` remembers, if it is a download's.
    pub fn of(plan: &Plan) -> Option<Self> {
        serde_json::from_value(plan.source.clone()).ok()
    }
}

/// The model while it is put together.
pub struct Assembly {
    incoming: Incoming,
    origin: Origin,
    missing: VecDeque<usize>,
    /// The part that is written now, and bytes of it that are not handed to the disk yet.
    writer: Option<PartWriter>,
    buffer: Vec<u8>,
    whole: Option<Whole>,
    called: PathBuf,
    is_inspected: bool,
    reported: Instant,
}

impl Assembly {
    /// Begins, or goes on where an earlier start ended, once what that left is verified. It has gone on only if a part
    /// stayed.
    pub async fn open(download: &Download, source: &Source, control: &Control) -> Result<(Self, Begun), Error> {
        let manifest = &download.manifest;
        let origin = Origin { offer: manifest.id.clone(), address: source.address.clone(), etag: source.etag.clone() };
        let about = About {
            name: manifest.name.clone(),
            quantization: manifest.quantization.clone(),
            license: Some(manifest.license.clone()),
            origin: Some(manifest.repository.clone()),
        };
        let mut plan =
            Plan::new(Kind::Download, about, manifest.file_name(), source.total_bytes, download.policy.part_bytes);
        plan.sha256 = Some(source.sha256.clone());
        plan.source = serde_json::to_value(&origin).unwrap_or_default();
        let (folder, key) = (download.folder.clone(), Download::key(&manifest.id));
        let (called, control) = (download.called().to_owned(), control.clone());
        blocking(move || {
            discard_other_version(&folder, &key, &origin)?;
            let (incoming, begun) = Incoming::begin_or_resume(&folder, &key, plan)?;
            let whole = incoming.verify_recorded(&control)?;
            let missing: VecDeque<_> = incoming.missing_parts().into();
            let missing_bytes = missing.iter().map(|&part| incoming.plan().part_range(part)).map(|r| r.end - r.start);
            if let Err(error) = check_space(&folder, missing_bytes.sum()) {
                if begun == Begun::Fresh {
                    incoming.abandon()?;
                }
                return Err(error);
            }
            let nothing_stayed = missing.len() == incoming.plan().n_parts();
            let begun = if begun == Begun::Resumed && nothing_stayed { Begun::Fresh } else { begun };
            let assembly = Self {
                incoming,
                origin,
                missing,
                writer: None,
                buffer: Vec::with_capacity(BLOCK_BYTES),
                whole: Some(whole),
                called,
                is_inspected: false,
                reported: Instant::now(),
            };
            Ok((assembly, begun))
        })
        .await
    }

    /// Whether bytes from `source` belong to what is there.
    pub fn fits(&self, source: &Source) -> bool {
        let plan = self.incoming.plan();
        let same_tag = self.origin.address != source.address || self.origin.etag == source.etag;
        self.whole.is_some()
            && plan.sha256.as_ref() == Some(&source.sha256)
            && plan.total_bytes == source.total_bytes
            && same_tag
    }

    /// The next bytes to fetch, up to the end of their part; none when all are there.
    pub fn wanted(&mut self) -> Result<Option<(u64, u64)>, Error> {
        let Some(&part) = self.missing.front() else { return Ok(None) };
        let range = self.incoming.plan().part_range(part);
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.incoming.part(part)?,
        };
        let at = range.start + writer.written_bytes() + self.buffer.len() as u64;
        self.writer = Some(writer);
        Ok(Some((at, range.end)))
    }

    /// Takes the bytes that are wanted next; more than the part holds belong to the next one, if that is wanted.
    pub async fn take(&mut self, mut bytes: &[u8], control: &Control) -> Result<(), Error> {
        let mut position = self.wanted()?.map(|(at, _)| at);
        while let (Some(at), Some((wanted, end))) = (position, self.wanted()?) {
            // Parts that are there already come along where a server ignores ranges.
            let skip = usize::try_from(wanted - at).unwrap_or(usize::MAX);
            if skip >= bytes.len() {
                break;
            }
            bytes = &bytes[skip..];
            let count = usize::try_from(end - wanted).unwrap_or(usize::MAX).min(bytes.len());
            self.buffer.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            position = Some(wanted + count as u64);
            let is_whole = wanted + count as u64 == end;
            if self.buffer.len() >= BLOCK_BYTES || is_whole {
                self.flush().await?;
            }
            self.report(is_whole, control)?;
        }
        Ok(())
    }

    /// Hands the buffer to the disk, and the part to the journal where it is whole now. A part is recorded before the
    /// next one is asked for, so that a kill costs one part and not two.
    async fn flush(&mut self) -> Result<(), Error> {
        let (Some(mut writer), Some(mut whole)) = (self.writer.take(), self.whole.take()) else { return Ok(()) };
        let part = self.missing.front().copied().unwrap_or_default();
        let mut buffer = std::mem::take(&mut self.buffer);
        let (writer, whole, buffer) = blocking(move || {
            writer.write(&buffer)?;
            let (in_order, is_whole) = (whole.next_part() == part, writer.missing_bytes() == 0);
            if in_order {
                whole.update(&buffer);
            }
            buffer.clear();
            if !is_whole {
                return Ok((Some(writer), whole, buffer));
            }
            if in_order {
                whole.part_done();
            }
            writer.complete()?.record()?;
            Ok((None, whole, buffer))
        })
        .await?;
        self.buffer = buffer;
        self.whole = Some(whole);
        self.writer = writer;
        if self.writer.is_none() {
            self.missing.pop_front();
            self.inspect_early().await?;
        }
        Ok(())
    }

    /// Looks into the model's header as soon as that is there, so that a wrong file costs little.
    async fn inspect_early(&mut self) -> Result<(), Error> {
        if self.is_inspected || self.missing.is_empty() || !self.incoming.has_header() {
            return Ok(());
        }
        self.is_inspected = true;
        let (incoming, called) = (self.incoming.clone(), self.called.clone());
        blocking(move || incoming.inspect_header(&called).map(drop)).await
    }

    fn report(&mut self, is_whole: bool, control: &Control) -> Result<(), Error> {
        if self.reported.elapsed() < REPORT_EVERY && !is_whole {
            return control.check();
        }
        self.reported = Instant::now();
        let written = self.writer.as_ref().map_or(0, PartWriter::written_bytes) + self.buffer.len() as u64;
        control.report(self.incoming.progress(Step::Copying, written))
    }

    /// Verifies the whole and gives it its name.
    pub async fn finish(self, control: &Control) -> Result<(PathBuf, Record), Error> {
        let Self { incoming, whole, called, writer, .. } = self;
        drop(writer);
        let control = control.clone();
        blocking(move || incoming.finish(whole.unwrap_or_default(), &called, &control)).await
    }

    /// Throws everything away.
    pub async fn abandon(self) -> Result<(), Error> {
        let Self { incoming, writer, .. } = self;
        drop(writer);
        blocking(move || incoming.abandon()).await
    }
}

/// Throws away what an earlier start left of another version, where only the entity tag tells versions apart.
fn discard_other_version(folder: &std::path::Path, key: &str, now: &Origin) -> Result<(), Error> {
    let before = unfinished(folder).into_iter().find(|unfinished| unfinished.key == key);
    let before = before.and_then(|unfinished| Origin::of(&unfinished.plan));
    match before {
        Some(before) if before.address == now.address && before.etag.is_some() && before.etag != now.etag => {
            discard(folder, key)
        }
        _ => Ok(()),
    }
}
