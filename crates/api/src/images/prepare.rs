//! From a file that anybody may have made to pixels, and from these to a new file with nothing else in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use errors::{ErrorCode, Explain};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::FilterType;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::{Cursor, Read};
use std::path::Path;

/// A picture's file has at most so many bytes.
pub const MOST_FILE_BYTES: usize = 24 << 20;
/// A picture has at most so many pixels; a telephone's largest fit.
pub const MOST_PIXELS: u64 = 64_000_000;
/// What is sent is at most so many pixels long on its longer side: more is not looked at by the models.
pub const MOST_SIDE: u32 = 1568;
/// Decoding takes at most so much memory.
const MOST_MEMORY: u64 = 512 << 20;
/// How much of a photo's detail is kept, of 100.
const QUALITY: u8 = 85;

/// Why something is no picture for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The file cannot be opened.
    #[error("the picture's file cannot be read")]
    File(#[source] std::io::Error),
    /// Too many bytes.
    #[error("the picture's file has {bytes} bytes; at most {MOST_FILE_BYTES} are read")]
    TooLarge { bytes: usize },
    /// The page sent something else.
    #[error("the picture did not arrive whole")]
    NotBase64,
    /// Some other kind of file.
    #[error("this is no PNG, JPEG or WebP picture")]
    Format,
    /// Too many pixels, as its header says.
    #[error("a picture of {width} × {height} pixels is too large")]
    Size { width: u32, height: u32 },
    /// It begins like a picture, and is none.
    #[error("the picture is damaged")]
    Damaged(#[source] image::ImageError),
    /// The new file could not be made.
    #[error("the picture could not be made anew")]
    Encode(#[source] image::ImageError),
    /// The decoder gave up.
    #[error("the picture could not be decoded")]
    GaveUp,
}

impl Explain for Unreadable {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Encode(_) => ErrorCode::Internal,
            _ => ErrorCode::ImageUnreadable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("Use another picture, or take a photo of it.".to_owned())
    }
}

/// The bytes of the file at `path`, if there are not too many.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let file = std::fs::File::open(path).map_err(Unreadable::File)?;
    let mut bytes = Vec::new();
    let most = MOST_FILE_BYTES as u64;
    // One more than allowed shows that there is more, whatever the system says about its length.
    file.take(most + 1).read_to_end(&mut bytes).map_err(Unreadable::File)?;
    if bytes.len() > MOST_FILE_BYTES { Err(Unreadable::TooLarge { bytes: bytes.len() }) } else { Ok(bytes) }
}

/// The picture in `file`, upright, on white, at most [`MOST_SIDE`] pixels long, as a new JPEG or PNG that holds pixels and
/// nothing else.
///
/// # Errors
/// If it is no PNG, JPEG or WebP, or a damaged or too large one.
pub(super) fn prepare(file: &[u8]) -> Result<generation::Image, Unreadable> {
    if file.len() > MOST_FILE_BYTES {
        return Err(Unreadable::TooLarge { bytes: file.len() });
    }
    // What a file is called says nothing; how it begins decides.
    let format = image::guess_format(file).map_err(|_| Unreadable::Format)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(Unreadable::Format);
    }
    let pixels = decode(file, format)?;
    let (media_type, bytes) = encode(&pixels, format)?;
    Ok(generation::Image {
        media_type: media_type.to_owned(),
        base64: STANDARD.encode(&bytes),
        width: pixels.width(),
        height: pixels.height(),
    })
}

fn decode(file: &[u8], format: ImageFormat) -> Result<RgbImage, Unreadable> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(Unreadable::Damaged)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Unreadable::Size { width, height });
    }
    let orientation = decoder.orientation().map_err(Unreadable::Damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(Unreadable::Damaged)?;
    if width.max(height) > MOST_SIDE {
        picture = picture.resize(MOST_SIDE, MOST_SIDE, FilterType::Triangle);
    }
    picture.apply_orientation(orientation);
    Ok(on_white(&picture))
}

/// `picture` without what can be seen through: a whiteboard is white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let seen = picture.to_rgba8();
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0;
        let mix = |channel: u8| {
            let mixed = u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from((mixed + 127) / 255).unwrap_or(255)
        };
        image::Rgb([mix(red), mix(green), mix(blue)])
    })
}

/// The smaller of what suits a picture that came as `format`.
fn encode(pixels: &RgbImage, format: ImageFormat) -> Result<(&'static str, Vec<u8>), Unreadable> {
    let (width, height) = pixels.dimensions();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(pixels, width, height, ExtendedColorType::Rgb8)
        .map_err(Unreadable::Encode)?;
    if format == ImageFormat::Png {
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Default, PngFilter::Adaptive)
            .write_image(pixels, width, height, ExtendedColorType::Rgb8)
            .map_err(Unreadable::Encode)?;
        if png.len() <= jpeg.len() {
            return Ok(("image/png", png));
        }
    }
    Ok(("image/jpeg", jpeg))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
